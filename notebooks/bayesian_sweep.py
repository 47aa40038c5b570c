# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A Bayesian sweep with early termination
#     question: Where does a Bayesian search look, and what do its best runs have in common?
#     tags: [sweep, transformer, names, adamw, search]
#     smoke:
#       trials: 12
#       updates: 20
#       eval_every: 1
#       n_eval: 20
#       best_runs: 3
#       searches: 2
#       search_trials: 12
#       resamples: 2
#       left_out: 0
#       draws: 4
# ---

# %% [markdown]
# # A Bayesian sweep with early termination
#
# ## Question
#
# The second sweep of the analysis {cite}`juliusm2026` searches over the peak rate, β₂ and the
# weight decay with W&B's Bayesian search and Hyperband. Of it the analysis tells that
#
# 1. the search exploits good combinations for long stretches, and explores the edges of its ranges
#    more and more once it is at about 300 runs;
# 2. the runs that survive can be put into k-means clusters;
# 3. the best runs have losses that are flat during warmup, then fall steeply, then are slightly
#    convex.
#
# ## Setup
#
# The language model of the first sweep: 27,712 weights, surnames, AdamW, clipping at norm 1; warmup
# over a tenth of the updates, cosine to a tenth of the peak. The search is Optuna's tree-structured
# Parzen estimator {cite}`akiba2019optuna`, ten trials of it drawn at random; bad runs are stopped
# by W&B's rule at the source's setting in proportion: its bands at 25, 50 and 100 of 195
# evaluations are 5, 10 and 20 of 40 here. What is searched for is the validation loss itself, not
# the source's composite metric; the assessment of that metric uses these runs. Trials that were
# stopped are completed afterwards from their checkpoints, for the analysis alone.
#
# Fixed before the runs. **Exploiting**: a trial lies nearer to the best completed one before it,
# in the unit cube of the (logarithmic) ranges, than half of all uniform draws do; random sampling
# would do so half of the time. **At an edge**: in the outer 5 % of at least one range; uniform
# draws are there 27 % of the time. One sweep can't tell what a search tends to do, so a surface
# fitted to all complete runs, with their scatter as noise, is searched again with many seeds: by
# this estimator, and by W&B's own search (a Gaussian process and expected improvement), which sees
# 100 of the runs at most.

# %% tags=["parameters"]
trials: int = 120  # [3..] runs of the sweep; the source had 300
updates: int = 400  # [20..] updates of a complete run
eval_every: int = 10  # [updates, 1..<updates] between two evaluations
n_eval: int = 100  # [windows, 1..2169] of 16 characters in each evaluation
wave: int = 8  # [1..] trials that are chosen together
sampler_seed: int = 0  # [0..] of the search
best_runs: int = 10  # [2..trials] runs with the lowest losses, whose curves are looked at
searches: int = 8  # [2..] seeds of each search on the fitted surface
search_trials: int = 300  # [12..] trials of each of them
resamples: int = 50  # [2..] bootstrap samples for the importances
left_out: int = 10  # [0..<trials] first trials, which are random, left out of the clusters
draws: int = 199  # [1..] uniform samples that the clusters are compared with

# %% tags=["setup"]
import dataclasses

import joblib
import numpy as np

from lrlab import Claim, Job, claims, display, plots, stats, train_many
from lrlab.experiments import bayesian_sweep as exploring
from lrlab.labbook.sweeps import figures as plots_sweep
from lrlab.labbook.sweeps.importance import clusters, importance, positions
from lrlab.labbook.sweeps.page import running_best
from lrlab.sweep import advice, rules, surnames, sweep
from lrlab.sweep import trials as trials_of
from lrlab.training import parallel

plots.use_style()

plan_of_sweep = surnames.bayesian(
    trials=trials,
    updates=updates,
    eval_every=eval_every,
    n_eval=n_eval,
    wave=wave,
    seed=sampler_seed,
)
task, space = plan_of_sweep.task, plan_of_sweep.space
names = {"peak_lr": "peak rate", surnames.BETA2: "β₂", surnames.WEIGHT_DECAY: "weight decay"}
warmup = updates // 10
rungs = rules.rungs(plan_of_sweep.rule, plan_of_sweep.evaluations)
plan = []  # what is trained depends on what was found before
later = {"trials of the sweep, in the end all of them complete": trials}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The search exploits: four of five trials after the first ones are nearer
# to the best than half of the space. More exploring at the edges late in a search is expected of
# W&B's, which forgets all but 100 runs, and not of this one. The survivors have no clusters, only
# a cloud along the range of good rates. The best runs are not flat during warmup: there the loss
# falls fastest. The peak rate is the one hyperparameter that matters.
#
# ## Result

# %%
display.say(
    f"{trials} trials with {plan_of_sweep.evaluations} evaluations each; the rule looks after "
    f"{', '.join(map(str, rungs))} of them, and one trial in {plan_of_sweep.rule['eta']} goes on."
)

# %% tags=["nbval-ignore-output"]
study = sweep(plan_of_sweep, progress=False)
found = trials_of(study)
jobs = {i: Job(task, plan_of_sweep.recipe_of(trial.params)) for i, trial in enumerate(found)}
runs = train_many(jobs, progress=False)
final = runs.array("validation_loss")
outcome = np.array([trial.outcome for trial in found])
survived = outcome == "completed"
order = [i for i in np.argsort(final) if survived[i]]
best = order[0]
at = positions(space, found)
spent = sum(trial.updates for trial in found) / (trials * updates)
display.say(
    f"{survived.sum()} completed, {(outcome == 'stopped').sum()} stopped, "
    f"{(outcome == 'diverged').sum()} diverged; {100 * spent:.0f} % of the updates of {trials} "
    f"complete runs were made. The best is trial {best} with {final[best]:.3f} nats "
    f"({final[best] / np.log(2):.3f} bits per character): "
    + ", ".join(f"{words} {found[best].params[name]:.3g}" for name, words in names.items())
    + f". The lowest of all when completed is {final.min():.3f}; {runs.note()}."
)
for sentence in advice(plan_of_sweep, found):
    display.say(f"> {sentence}")

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(2, 2, height=6.4)
top = float(np.quantile([t.value for t in found if np.isfinite(t.value)], 0.95))
plots_sweep.against_value(
    axes[0, 0], [t.params["peak_lr"] for t in found], found, name="peak rate", top=top
)
axes[0, 0].set_ylabel("last validation loss (nats)")
plots_sweep.timeline(axes[0, 1], found, [plan_of_sweep.step_of(rung) for rung in rungs])
axes[0, 1].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
running, updates_spent = running_best(found)
for ax, x, label in (
    (axes[1, 0], np.arange(trials), "trial"),
    (axes[1, 1], updates_spent, "updates spent"),
):
    plots_sweep.best_so_far(ax, x, running, xlabel=label)
    ax.set_ylabel("lowest loss so far (nats)")
display.show(
    fig,
    alt="Four panels: last loss against peak rate by outcome, with a basin; the length of each "
    "trial, many stopped at the first rungs; lowest loss so far against trials and against "
    "updates, falling in steps.",
    caption=f"The {trials} trials. Above: the last loss that was seen against the peak rate "
    "(highest 5 % at the upper edge), and how far each trial came; dotted: where the rule looks. "
    "Below: the lowest loss of a completed trial so far.",
)

# %% [markdown]
# ### Explore and exploit

# %% tags=["nbval-ignore-output"]
after_random = 2 * wave  # the first two waves hold the ten random trials
completed = np.where(survived, [trial.value for trial in found], np.inf)
distance = exploring.distance_ranks(at, completed, wave=wave)
edge = exploring.at_edge(at)
surface = exploring.Surface(at, np.log(final))
SEARCHES = {
    "Parzen estimator": exploring.tpe_search,
    "W&B's": exploring.wandb_search,
}


def searched(name, seed):
    x, y = SEARCHES[name](surface.objective(seed), len(space), search_trials, seed=seed)
    return (name, seed), (exploring.distance_ranks(x, y, draws=500), exploring.at_edge(x))


calls = [joblib.delayed(searched)(name, seed) for name in SEARCHES for seed in range(searches)]
done = dict(parallel.in_parallel(calls))
ranks, edges = (
    {
        name: np.array([done[name, seed][k] for seed in range(searches)], dtype=float)
        for name in SEARCHES
    }
    for k in (0, 1)
)
parts = {
    "early": slice(search_trials // 10, search_trials // 3),
    "late": slice(search_trials * 2 // 3, None),
}
rows = []
for name in SEARCHES:
    row = {"search": name}
    for part, chosen in parts.items():
        row[f"distance rank, {part}"] = ranks[name][:, chosen].mean()
        row[f"at an edge, {part} (%)"] = 100 * edges[name][:, chosen].mean()
    rows.append(row)
display.table(
    rows,
    caption=f"Searches of {search_trials} trials on the fitted surface, n = {searches} seeds. "
    "Distance to the best before, ranked: 0 on it, 0.5 random. Early: trials "
    f"{parts['early'].start + 1} to {parts['early'].stop}; late: from trial "
    f"{parts['late'].start + 1} on. Uniform draws are at an edge "
    f"{100 * (1 - 0.9 ** len(space)):.0f} % of the time.",
)


thirds = np.array_split(np.arange(after_random, trials), 3) if trials >= after_random + 3 else []
display.say(
    "In the sweep itself, thirds of the trials after the first ones: mean rank of the distance "
    + ", ".join(f"{distance[third].mean():.2f}" for third in thirds)
    + "; at an edge "
    + ", ".join(f"{100 * edge[third].mean():.0f} %" for third in thirds)
    + " of them, and of rate and β₂ alone "
    + ", ".join(f"{100 * exploring.at_edge(at[third][:, :2]).mean():.0f} %" for third in thirds)
    + "."
)

# %% tags=["nbval-ignore-output"]
width = max(2, search_trials // 12)


def smooth(x):
    """The mean over a window of trials, along the last axis."""
    return np.lib.stride_tricks.sliding_window_view(x, width, axis=-1).mean(-1)


fig, axes = plots.figure(1, 3, width=10.4, height=3.5)
ax = axes[0]
for word, colour in plots_sweep.OUTCOMES.items():
    if not (outcome == word).any():
        continue
    ax.plot(
        np.flatnonzero(outcome == word),
        distance[outcome == word],
        "o",
        color=colour,
        markersize=3.5,
        label=word,
    )
plots.guide(ax, y=0.5)
ax.set(
    xlabel="trial",
    ylabel="distance to the best before (rank)",
    title="the sweep",
    ylim=(-0.03, 1.03),
)
ax.legend(loc="upper right")
for ax, values, label, chance in (
    (axes[1], ranks, "distance to the best before (rank)", 0.5),
    (axes[2], edges, "share of trials at an edge", 1 - 0.9 ** len(space)),
):
    chosen = {name: stats.band(smooth(v[:, 1:])) for name, v in values.items()}
    plots.bands(ax, np.arange(search_trials - width) + width / 2 + 1, chosen)
    plots.guide(ax, y=chance)
    ax.set(xlabel="trial", ylabel=label, title="searches of the fitted surface")
axes[1].set_ylim(-0.02, 0.68)
axes[1].legend(loc="upper right")
display.show(
    fig,
    alt="Distance to the best trial before: in the sweep most later trials are near; on the fitted "
    "surface the searches differ in how they go on, and in how often they try the edges.",
    caption="Left: each trial of the sweep. Middle and right: searches of the fitted surface, "
    f"mean over {width} trials, with 95 % t intervals over n = {searches} "
    "seeds. Dotted: uniform draws.",
)

# %% [markdown]
# ### What the survivors have in common

# %% tags=["nbval-ignore-output"]
fig = plots_sweep.parallel_coordinates(space, at[order], final[order], label="loss (nats)")
display.show(
    fig,
    alt="Parallel coordinates: lines of the survivors through peak rate, β₂ and weight decay to "
    "the loss; the lowest losses come from a narrow range of peak rates.",
    caption=f"The {len(order)} completed trials; rate and weight decay on logarithmic axes. Thick: "
    "the five lowest.",
)

# %% tags=["nbval-ignore-output"]
whole = [dataclasses.replace(trial, value=value) for trial, value in zip(found, final, strict=True)]
measured = importance(space, whole, resamples=resamples)
shares = {name: measured.interval(name) for name in space}
fig, ax = plots.figure(width=6.4, height=2.2)
plots_sweep.importances(ax, shares)
display.show(
    fig,
    alt="Bars of the importance of the three hyperparameters with intervals; the peak rate has "
    "nearly all of it.",
    caption=f"Share of each hyperparameter in what a forest explains of the final losses of all "
    f"{trials} trials, completed ones and those completed afterwards; median and 95 % of "
    f"{resamples} bootstrap samples.",
)
display.say(
    f"The forest explains {100 * np.median(measured.explained):.0f} % of the variance of the ranks "
    "of trials that it has not seen. "
    + " ".join(
        f"{words}: {shares[n][1]:.2f} [{shares[n][0]:.2f}, {shares[n][2]:.2f}]."
        for n, words in names.items()
    )
)

# %% tags=["nbval-ignore-output"]
members = [i for i in order if i >= left_out]
groups = clusters(at[members], draws=draws, most=min(6, len(members) - 1))
fig, axes = plots.figure(1, 3, width=10.4, height=3.3)
for ax, name in zip(axes, (surnames.BETA2, surnames.WEIGHT_DECAY), strict=False):
    for style, group in plots.styled(range(groups.k)):
        chosen = [
            found[i] for i, label in zip(members, groups.labels, strict=True) if label == group
        ]
        ax.plot(
            [t.params["peak_lr"] for t in chosen],
            [t.params[name] for t in chosen],
            "os^DvP"[group],
            color=style["color"],
            markersize=4.5,
        )
    ax.set(xscale="log", xlabel="peak rate", ylabel=names[name])
axes[1].set_yscale("log")
ax = axes[2]
ax.hist(groups.uniform, bins=20, color="#9a9a9a", label="uniform draws")
ax.axvline(groups.silhouettes[groups.k], color=plots.COLOURS[1], label="survivors")
ax.set(xlabel="silhouette of the best k", ylabel="draws", ylim=(0, 1.3 * ax.get_ylim()[1]))
ax.legend(loc="upper right")
display.show(
    fig,
    alt="Survivors by cluster, over peak rate and β₂ and over peak rate and weight decay; a "
    "histogram of the silhouettes of uniform draws with the survivors' as a line.",
    caption=f"The {len(members)} survivors that were not drawn at random, by k-means cluster (k = "
    f"{groups.k} has the highest silhouette of 2 to {max(groups.silhouettes)}), and those "
    f"of {draws} samples of as many points drawn uniformly over their extent, each with its own "
    "best k.",
)
display.say(
    "Silhouettes: "
    + ", ".join(f"{v:.3f} (k = {k})" for k, v in groups.silhouettes.items())
    + f". The groups have {', '.join(map(str, np.bincount(groups.labels)))} runs. A share of "
    f"{groups.p:.3f} of uniform samples reaches as high a silhouette."
)

# %% [markdown]
# ### The curves of the best runs

# %% tags=["nbval-ignore-output"]
lowest = order[:best_runs]
step = runs[best].evals["step"]
curves = np.array([runs[i].evals["validation_loss"] for i in lowest])
steep_end = min(3 * warmup, updates - 2 * eval_every)


def at_step(where):
    return np.array([np.interp(where, step, curve) for curve in curves])


fall = {
    "warmup": (at_step(0) - at_step(warmup)) / warmup,
    "next": (at_step(warmup) - at_step(steep_end)) / (steep_end - warmup),
    "whole": (at_step(0) - at_step(updates)) / updates,
}
tail = step >= steep_end
chord = np.array(
    [np.interp(step[tail], [step[tail][0], step[-1]], curve[tail][[0, -1]]) for curve in curves]
)
sag = (chord - curves[:, tail]).mean(1) / (curves[:, tail][:, 0] - curves[:, -1])
fig, ax = plots.figure(width=6.8, height=3.6)
for i in order[best_runs:]:
    ax.plot(step, runs[i].evals["validation_loss"], color="#bbbbbb", linewidth=0.7)
for curve in curves:
    ax.plot(step, curve, color=plots.COLOURS[0], linewidth=1.1)
ax.plot([], [], color=plots.COLOURS[0], label=f"{best_runs} best")
ax.plot([], [], color="#bbbbbb", label="other survivors")
for place in (warmup, steep_end):
    plots.guide(ax, x=place)
ax.set(yscale="log", xlabel="updates", ylabel="validation loss (nats)")
ax.legend()
display.show(
    fig,
    alt="Validation loss against updates: the best runs fall steeply from the first updates on and "
    "then ever more slowly.",
    caption=f"Validation losses of the survivors. Dotted: the end of the warmup ({warmup} updates) "
    f"and of the part that is compared with it ({steep_end}).",
)
display.say(
    "Fall of the loss per 100 updates, mean over the best runs: "
    + ", ".join(f"{100 * v.mean():.2f} nats ({k})" for k, v in fall.items())
    + f". After update {steep_end} the curve sags below its chord by {100 * sag.mean():.0f} % of "
    "what it still falls."
)

# %% [markdown]
# ## Verdict
#
# The searches on the surface are independent of one another; the runs of the one sweep are not,
# since each was chosen knowing those before. Their claims are of this sweep.

# %%
source = "juliusm2026"
near = distance[after_random:]


def later_less_early(values):
    """For each seed, the mean over the late trials less the one over the early ones."""
    return values[:, parts["late"]].mean(1) - values[:, parts["early"]].mean(1)


claims.conclude(
    [
        Claim.proportion(
            "exploits",
            "The sweep exploits: its later trials are near the best one before them.",
            successes=int((near < 0.5).sum()),
            n=len(near),
            direction="greater",
            threshold=0.5,
            unit="trials nearer than half of the space",
            published="decent amounts of exploit",
        ),
        Claim.effect(
            "wandb-exploits",
            "W&B's search exploits: its early trials are near the best one.",
            values=ranks["W&B's"][:, parts["early"]].mean(1) - 0.5,
            direction="less",
            delta=0.1,
            unit="rank of the distance to the best, less that of uniform draws",
            published="decent amounts of exploit",
        ),
        Claim.effect(
            "wandb-late-edges",
            "W&B's search tries the edges more when it comes to 300 runs.",
            values=later_less_early(edges["W&B's"]),
            direction="greater",
            delta=0.05,
            unit="share of trials at an edge, late less early",
            published="at about 300 runs it explores the edges more aggressively",
        ),
        Claim.effect(
            "late-edges",
            "A Parzen estimator tries the edges more when it comes to 300 runs.",
            values=later_less_early(edges["Parzen estimator"]),
            direction="greater",
            delta=0.05,
            unit="share of trials at an edge, late less early",
        ),
        Claim.proportion(
            "clusters",
            "The runs that survive form clusters.",
            successes=int((groups.uniform >= groups.silhouettes[groups.k]).sum()),
            n=draws,
            direction="less",
            threshold=0.05,
            unit="uniform samples with as high a silhouette",
            published="k-means clusters of the runs that survived",
        ),
        Claim.effect(
            "flat-in-warmup",
            "The best runs are flat in the warmup: they fall slower than later.",
            values=np.log(fall["warmup"] / fall["whole"]),
            direction="less",
            unit="log ratio of falls per update, warmup to whole run",
            published="initial flatness in the loss during warmup",
        ),
        Claim.effect(
            "steep-after-warmup",
            "After the warmup the best runs fall more steeply than in it.",
            values=np.log(fall["next"] / fall["warmup"]),
            direction="greater",
            unit="log ratio of falls per update",
            published="then a steep drop",
        ),
        Claim.effect(
            "convex-at-the-end",
            "The rest of the best runs' curves is convex.",
            values=sag,
            direction="greater",
            unit="mean sag below the chord, share of the fall",
            published="followed by slight convexity",
        ),
        *(
            Claim.descriptive(
                f"{word}-selected",
                f"The {names[name]} of the five best runs.",
                values=[found[i].params[name] for i in order[:5]],
                scale="log",
                source="",
            )
            for word, name in (
                ("rate", "peak_lr"),
                ("beta2", surnames.BETA2),
                ("decay", surnames.WEIGHT_DECAY),
            )
        ),
    ],
    source=source,
)
