# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A Bayesian sweep with early termination
#     short_title: A Bayesian sweep
#     question: Where does a Bayesian search look, and what do its best runs have in common?
#     tags: [sweep, transformer, names, adamw, search]
#     smoke:
#       results: ""
#       n_sweeps: 2
#       trials: 10
#       updates: 20
#       eval_every: 1
#       n_eval: 20
#       best_runs: 3
#       resamples: 2
#       left_out: 0
#       draws: 4
#     foretold:
#       - says: The search exploits.
#         claims: {exploits: seen here}
#       - says: W&B's search explores the edges more late in a search.
#         claims: {wandb-late-edges: seen here}
#       - says: The survivors (trials that were not stopped) have no clusters.
#         claims: {clusters: not seen here}
#       - says: The best runs are not flat during warmup, there the loss falls fastest.
#         claims: {flat-in-warmup: not seen here, steep-after-warmup: not seen here}
#       - says: The peak rate is the one hyperparameter that matters.
#         claims: not judged
# ---

# %% [markdown]
# # Where does a Bayesian search look, and what do its best runs have in common?
#
# ## Question
#
# The second sweep of the analysis {cite}`juliusm2026` searches over the peak learning rate, β₂ and
# the weight decay with W&B's Bayesian search and Hyperband. Of its one sweep the analysis tells
# that
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
# over a tenth of the updates, cosine to a tenth of the peak. The search is W&B's own, rebuilt from
# its package: a Gaussian process and expected improvement, which sees 100 of the runs at most, one
# trial after the other. Bad runs are stopped by W&B's rule at the source's setting in proportion:
# its bands at 25, 50 and 100 of 195 evaluations are 5, 10 and 20 of 40 here. Two things differ from
# the source: it drew peak rates from 5e-4 to 0.5, where ours are from 1e-4 to 0.3 (the ranges of β₂
# and weight decay are the same); and it minimised its composite metric, where we minimise the
# validation loss itself. The assessment of that metric uses these runs. Trials that were stopped
# are completed afterwards, for the analysis alone; those that the rule never stopped (the source
# says that they survive) are called *completed* here.
#
# One sweep can't tell what a search tends to do, so **whole sweeps are repeated**, each with its
# own seed for search, initial weights and data order, and each counts once. They take an hour, and
# are read from the raw results of `benchmarks/sweeps_repeated.py`, whose hash is checked; where
# there are none, fewer and smaller sweeps are trained here, and the page says so.
#
# Fixed before the runs. **Exploiting**: a trial's distance to the best completed one before it, in
# the unit cube of the (logarithmic) ranges, is ranked among those of uniform draws: 0 lies on it,
# random sampling has 0.5. **At an edge**: in the outer 5 % of at least one range; uniform draws are
# there 27 % of the time. **Slightly** convex: it sags less below its chord than a parabola, which
# does so by a sixth of its fall.

# %% tags=["parameters"]
results: str = "benchmarks/results/sweeps_repeated.json"  # [any] raw results; empty: none
n_sweeps: int = 5  # [2..500] whole sweeps that are trained here where there are no results
trials: int = 40  # [3..] runs of each of them; the source had 300
updates: int = 400  # [20..] updates of a complete run
eval_every: int = 10  # [updates, 1..<updates] between two evaluations
n_eval: int = 100  # [windows, 1..2169] of 16 characters in each evaluation
first_seed: int = 50_000  # [0..] first seed of the block
best_runs: int = 10  # [2..trials] runs of a sweep with the lowest losses, whose curves count
resamples: int = 10  # [2..] bootstrap samples for the importances
left_out: int = 10  # [0..<trials] first trials, nearly random, left out of the clusters
draws: int = 49  # [1..] uniform samples that the clusters of each sweep are compared with

# %% tags=["setup"]
from dataclasses import replace

import numpy as np

from lrlab import Claim, claims, display, plots, stats
from lrlab.claims import About, Setting
from lrlab.experiments import bayesian_sweep as exploring
from lrlab.experiments import surnames
from lrlab.labbook import measured
from lrlab.labbook.entries.laboratory import find_root
from lrlab.labbook.phrases import judged
from lrlab.labbook.sweeps import figures as plots_sweep
from lrlab.labbook.sweeps.importance import clusters, importance
from lrlab.sweep import Trial, rules

plots.use_style()

size = {"trials": trials, "updates": updates, "eval_every": eval_every, "n_eval": n_eval}
raw = measured.read(results) if results and (find_root() / results).is_file() else None
plan_of_sweep = surnames.bayesian(**(raw["size"] if raw else size))
trials, updates = plan_of_sweep.trials, plan_of_sweep.recipe.steps
space = plan_of_sweep.space
names = {"peak_lr": "peak rate", surnames.BETA2: "β₂", surnames.WEIGHT_DECAY: "weight decay"}
warmup = updates // 10
rungs = rules.rungs(plan_of_sweep.rule, plan_of_sweep.evaluations)
tested = 7
CLEARER = 0.05  # difference of silhouettes that counts
level = claims.level(tested)
plan = []  # what is trained depends on what was found before
later = {"trials of the sweeps, all of them to their end": 0 if raw else n_sweeps * trials}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The search exploits: four of five trials after the first ones are nearer
# to the best than half of the space. More exploring at the edges late in a search is expected of
# W&B's, which forgets all but 100 runs. The survivors have no clusters, only a cloud along the
# range of good rates. The best runs are not flat during warmup: there the loss falls fastest. The
# peak rate is the one hyperparameter that matters. (Written for one sweep of 120 trials with
# another search, and for searches of a surface fitted to it; now whole sweeps are repeated.)
#
# ## Result

# %% tags=["nbval-ignore-output"]
if raw:
    swept = [exploring.Swept.from_dict(one) for one in raw["sweeps"]]
else:
    swept = exploring.repeat(plan_of_sweep, range(first_seed, first_seed + n_sweeps))
n = len(swept)


def params_of(one, trial):
    return {
        name: searched.at(float(place))
        for (name, searched), place in zip(space.items(), one.positions[trial], strict=True)
    }


def over_best(one, name, most=5):
    """Geometric mean of a hyperparameter over the best runs of a sweep."""
    return float(np.exp(np.mean([np.log(params_of(one, i)[name]) for i in one.best[:most]])))


display.say(
    f"{n} sweeps of {trials} trials with {plan_of_sweep.evaluations} evaluations each, "
    + (f"read from `{results}` (sha256 {raw['sha256'][:12]})" if raw else "trained here")
    + f"; the rule looks after {', '.join(map(str, rungs))} evaluations, and one trial in "
    f"{plan_of_sweep.rule['eta']} goes on."
)
display.table(
    [
        {
            "sweep": one.seed,
            "completed": int(one.survived.sum()),
            "diverged": int((~one.whole).sum()),
            "updates spent (%)": 100 * one.spent.sum() / (trials * plan_of_sweep.evaluations),
            "lowest loss (nats)": one.final[one.best[0]],
            "lowest of all when completed": one.final.min(),
        }
        | {words: over_best(one, name) for name, words in names.items()}
        for one in swept
    ],
    digits=3,
    caption="Validation losses, and the geometric means of the five best runs of each sweep.",
)

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, height=3.4)
rates = [np.array([params_of(one, i)["peak_lr"] for i in range(trials)]) for one in swept]
top = float(np.quantile(np.concatenate([one.final[one.whole] for one in swept]), 0.95))
for kept, colour, label in ((False, "#9a9a9a", "stopped"), (True, plots.COLOURS[0], "completed")):
    x = np.concatenate([r[one.survived == kept] for r, one in zip(rates, swept, strict=True)])
    y = np.concatenate([one.final[one.survived == kept] for one in swept])
    left.plot(x, np.minimum(y, top), ".", color=colour, markersize=3, label=label)
left.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="validation loss (nats)")
left.legend(markerscale=3)
for one in swept:
    best = np.minimum.accumulate(np.where(one.survived, one.final, np.inf))
    right.plot(np.arange(1, trials + 1), best, color=plots.COLOURS[0], linewidth=1)
right.set(xscale="log", yscale="log", xlabel="trial", ylabel="lowest loss so far (nats)")
display.show(
    fig,
    alt="Left: loss of all trials against the peak rate, a basin. Right: lowest loss so far "
    "against the trial, one line for each sweep, falling in steps.",
    caption=f"Left: all {n * trials:,} runs at their end, those that were stopped too (highest 5 % "
    f"at the upper edge). Right: the lowest loss of a completed trial so far, in {n} sweeps.",
)

# %% [markdown]
# ### Explore and exploit

# %% tags=["nbval-ignore-output"]
ranks = np.array(
    [
        exploring.distance_ranks(
            one.positions, np.where(one.survived, one.final, np.inf), draws=500
        )
        for one in swept
    ]
)
edges = np.array([exploring.at_edge(one.positions) for one in swept], dtype=float)
chance = 1 - 0.9 ** len(space)
parts = {
    "early": slice(trials // 10, trials // 3),
    "late": slice(trials * 2 // 3, trials),
}
display.table(
    [
        {
            "trials": f"{part}, {chosen.start + 1} to {chosen.stop}",
            "rank of the distance to the best": stats.mean_interval(
                np.nanmean(ranks[:, chosen], axis=1), level
            ),
            "at an edge (%)": stats.mean_interval(100 * edges[:, chosen].mean(1), level),
        }
        for part, chosen in parts.items()
    ],
    digits=2,
    caption=f"Means and {100 * level:.1f} % t intervals over n = {n} sweeps. Uniform draws "
    "have a rank of "
    f"0.5 and are at an edge {100 * chance:.0f} % of the time.",
)

# %% tags=["nbval-ignore-output"]
width = max(2, trials // 12)


def smooth(x):
    """The mean over a window of trials, along the last axis."""
    return np.nanmean(np.lib.stride_tricks.sliding_window_view(x, width, axis=-1), axis=-1)


fig, axes = plots.figure(1, 2, height=3.4)
for ax, values, label, dotted in (
    (axes[0], ranks[:, 2:], "rank of the distance to the best", 0.5),
    (axes[1], edges[:, 2:], "share of trials at an edge", chance),
):
    smoothed = smooth(values)
    place = np.arange(smoothed.shape[1]) + 2 + width / 2
    for one in smoothed:
        ax.plot(place, one, color="#bbbbbb", linewidth=0.7)
    plots.band(ax, place, stats.band(smoothed, level=level), color=plots.COLOURS[0])
    plots.guide(ax, y=dotted)
    ax.set(xlabel="trial", ylabel=label, ylim=(-0.03, 1.03))
display.show(
    fig,
    alt="Left: distance of the trials to the best one before, ranked, against the trial. Right: "
    "share of trials at an edge of the ranges. Single sweeps grey, their mean with a band.",
    caption=f"Mean over {width} trials; grey: {n} single sweeps; band: {100 * level:.1f} % t "
    "interval over "
    "sweeps. Dotted: uniform draws.",
    headline=True,
)

# %% [markdown]
# ### What the completed trials have in common

# %% tags=["nbval-ignore-output"]
shown = swept[0]
fig = plots_sweep.parallel_coordinates(
    {words: space[name] for name, words in names.items()},
    shown.positions[shown.best],
    shown.final[shown.best],
    label="loss (nats)",
)
display.show(
    fig,
    alt="Parallel coordinates: lines of the completed trials through peak rate, β₂ and weight "
    "decay to the loss.",
    caption=f"The {len(shown.best)} completed trials of one sweep; rate and weight decay on "
    "logarithmic axes. Thick: the five lowest.",
)


def shares_of(one):
    """Median importance of each hyperparameter in one sweep."""
    nothing = np.array([])
    found = [
        Trial(i, params_of(one, i), "completed", float(v), nothing, nothing, 0.0, 0.0, None)
        for i, v in enumerate(one.final)
    ]
    return [importance(space, found, resamples=resamples).interval(name)[1] for name in space]


shares = np.array([shares_of(one) for one in swept])
display.say(
    "Share of each hyperparameter in what a forest explains of the final losses over the ranges "
    "that were searched, mean over sweeps: "
    + ", ".join(f"{names[k]} {stats.mean_interval(shares[:, i])}" for i, k in enumerate(space))
    + "."
)

# %% tags=["nbval-ignore-output"]
groups = {}
for one in swept:
    members = [i for i in one.best if i >= left_out]
    if len(members) > 2:
        most = min(6, len(members) - 1)
        groups[one.seed] = clusters(one.positions[members], draws=draws, most=most)
clearer = [g.silhouettes[g.k] - float(g.uniform.mean()) for g in groups.values()] or [0.0]
display.table(
    [
        {
            "sweep": seed,
            "completed trials": len(g.labels),
            "groups": g.k,
            "silhouette": g.silhouettes[g.k],
            "of uniform draws": g.uniform.mean(),
            "uniform draws as high (%)": 100 * (g.uniform >= g.silhouettes[g.k]).mean(),
        }
        for seed, g in groups.items()
    ],
    digits=3,
    caption="k-means clusters of the completed trials (without the first "
    f"{left_out}), their number by the silhouette, beside the mean silhouette of {draws} samples "
    "of as many points drawn uniformly over their extent.",
)

# %% [markdown]
# ### The curves of the best runs

# %% tags=["nbval-ignore-output"]
step = np.arange(plan_of_sweep.evaluations + 1) * plan_of_sweep.recipe.eval_every
steep_end = min(3 * warmup, updates - 2 * plan_of_sweep.recipe.eval_every)
best_curves = [one.losses[one.best[:best_runs]] for one in swept]


def at_step(curves, where):
    return np.array([np.interp(where, step, curve) for curve in curves])


def falls(curves):
    """Of each curve, the fall per update in the warmup, in what follows, and on the whole."""
    start, warm, then, end = (at_step(curves, k) for k in (0, warmup, steep_end, updates))
    return (start - warm) / warmup, (warm - then) / (steep_end - warmup), (start - end) / updates


def sag(curves):
    """How far the rest of each curve lies below its chord on average, as a share of its fall."""
    x, rest = step[step >= steep_end], curves[:, step >= steep_end]
    weight = (x - x[0]) / (x[-1] - x[0])
    chord = rest[:, :1] + weight * (rest[:, -1:] - rest[:, :1])
    return (chord - rest).mean(1) / (rest[:, 0] - rest[:, -1])


fall = np.array([[part.mean() for part in falls(curves)] for curves in best_curves])
below = np.array([sag(curves).mean() for curves in best_curves])
fig, ax = plots.figure(width=6.8, height=3.4)
for curves in best_curves:
    ax.plot(step, curves.T, color=plots.COLOURS[0], linewidth=0.6)
for place in (warmup, steep_end):
    plots.guide(ax, x=place)
ax.set(yscale="log", xlabel="updates", ylabel="validation loss (nats)")
display.show(
    fig,
    alt="Validation loss against updates, one line for each of the best runs.",
    caption=f"The {best_runs} best runs of each sweep. Dotted: the end of the warmup ({warmup} "
    f"updates) and of the part that is compared with it ({steep_end}).",
)
display.say(
    "Fall of the loss per 100 updates, mean over the best runs: "
    + ", ".join(
        f"{100 * v:.2f} nats ({k})"
        for k, v in zip(("warmup", "next", "whole"), fall.mean(0), strict=True)
    )
    + f". After update {steep_end} the curves sag below their chord by {100 * below.mean():.0f} % "
    "of what they still fall; a parabola would do so by 17 %."
)

# %% [markdown]
# ## Verdict
#
# Repetitions are whole sweeps, with search, initial weights and data order of their own. Their
# number is what there was time for; a pilot would have taken sweeps of its own. So the power below
# is computed from the spread of the sweeps that are judged: it tells what this number of them can
# show, and is not evidence for any claim.

# %% tags=["nbval-ignore-output"]
exploit = np.nanmean(ranks[:, trials // 10 :], axis=1) - 0.5
more_late = edges[:, parts["late"]].mean(1) - edges[:, parts["early"]].mean(1)
delta = claims.smallest_effect("share")
display.table(
    [
        {
            "value of a sweep": words,
            "standard deviation": float(np.std(values, ddof=1)),
            "δ": of,
            f"power of {n} sweeps": stats.power(of, float(np.std(values, ddof=1)), n, 1 - level)
            if np.ptp(values) > 0
            else "–",
        }
        for words, values, of in (
            ("rank of the distance to the best", exploit, delta),
            ("share at an edge, late less early", more_late, delta),
            ("silhouette above uniform draws'", clearer, CLEARER),
        )
    ],
    digits=2,
    caption=f"Spread over the {n} sweeps, and the power that {n} sweeps have with it to show that "
    f"a mean of 2δ lies beyond δ, {tested} claims sharing an error rate of 5 %.",
)

# %%
seen = About(
    Setting(
        "transformer of 27,712 weights on surnames",
        "AdamW",
        f"W&B's search, {trials} trials of {updates} updates",
    ),
    replication="sweeps",
    like="analogue",
    lost="peak rates from 5e-4 to 0.5, its composite metric, which its search minimised where ours "
    "minimises the validation loss, its runs of 1,000 updates, and its model",
)
share = replace(seen, metric="share")
shape = replace(seen, family="curves", reason="the shape of a curve: the source names no number")
own = replace(seen, like=None, lost="")
listed = [
    Claim.effect(
        "exploits",
        "The search exploits: its trials lie nearer to the best one before than uniform draws.",
        values=exploit,
        direction="less",
        unit="of rank",
        published="decent amounts of exploit",
        about=share,
    ),
    Claim.effect(
        "wandb-late-edges",
        f"The search tries the edges more late, when it comes to {trials} runs, than early.",
        values=more_late,
        direction="greater",
        unit="of the trials",
        published="at about 300 runs it explores the edges more aggressively",
        about=share,
    ),
    Claim.effect(
        "clusters",
        "The trials that are not stopped form clearer clusters than uniform draws over their "
        "extent.",
        values=clearer,
        direction="greater",
        delta=CLEARER,
        unit="of silhouette",
        published="k-means clusters of the runs that survived",
        about=replace(seen, reason="a choice: silhouettes go from 0, no groups, to 1"),
    ),
    Claim.effect(
        "flat-in-warmup",
        "The best runs are flat in the warmup: they fall slower than on the whole.",
        values=np.log(fall[:, 0] / fall[:, 2]),
        direction="less",
        unit="log ratio of falls per update, warmup to whole run",
        published="initial flatness in the loss during warmup",
        about=shape,
    ),
    Claim.effect(
        "steep-after-warmup",
        "After the warmup the best runs fall more steeply than in it.",
        values=np.log(fall[:, 1] / fall[:, 0]),
        direction="greater",
        unit="log ratio of falls per update",
        published="then a steep drop",
        about=shape,
    ),
    Claim.effect(
        "convex-at-the-end",
        "The rest of the best runs' curves is convex.",
        values=below,
        direction="greater",
        unit="mean sag below the chord, share of the fall",
        published="followed by slight convexity",
        about=shape,
    ),
    Claim.effect(
        "convex-at-the-end-slightly",
        "The rest of the best runs' curves is less convex than a parabola.",
        values=below - 1 / 6,
        direction="less",
        unit="mean sag below the chord, less a sixth of the fall",
        published="followed by slight convexity",
        about=shape,
    ),
    *(
        Claim.descriptive(
            f"{word}-selected",
            f"The {names[name]} of the five best runs of a sweep.",
            values=[over_best(one, name) for one in swept],
            scale="log",
            source="",
            about=own,
        )
        for word, name in (
            ("rate", "peak_lr"),
            ("beta2", surnames.BETA2),
            ("decay", surnames.WEIGHT_DECAY),
        )
    ),
    Claim.descriptive(
        "importance-of-the-rate",
        "Share of the peak rate in what a forest explains of the final losses, over the ranges "
        "that were searched.",
        values=shares[:, 0],
        unit="share",
        source="",
        about=own,
    ),
]
claims.conclude(listed, source="juliusm2026")

# %% tags=["nbval-ignore-output"]
said = judged(listed)


def interval(claim, offset=0.0, form=".2f", said=float):
    """Estimate and interval, after a function of them."""
    if claim.low is None:  # tied values, and too few for an interval of their median
        return f"{said(claim.estimate + offset):{form}} (no interval, n = {claim.n})"
    ends = (said(x + offset) for x in (claim.estimate, claim.low, claim.high))
    return "{} [{}, {}]".format(*(f"{x:{form}}".replace("-", "−") for x in ends))


edge, rate = said["wandb-late-edges"], said["rate-selected"]
counts, warm = said["importance-of-the-rate"], said["flat-in-warmup"]
display.answer(
    f"In {n} sweeps of {trials} trials W&B's search tries points at a distance rank of "
    f"{interval(said['exploits'], 0.5)} from the best one before (random draws: 0.5), and its "
    f"share of trials at an edge changes by {interval(edge)} from early to late. In the warmup "
    f"the best runs' loss falls {interval(warm, form='.2g', said=np.exp)} times as fast as on the "
    f"whole ({100 * level:.3g} % intervals). Their peak learning rate is "
    f"{interval(rate, form='.3g')}; over the ranges searched it has "
    f"{interval(counts, form='.0f', said=lambda share: 100 * min(share, 1))} % of the importance "
    "(95 %). What this means for you: "
    + (
        "with ranges as wide as these spend the trials on the learning rate first."
        if counts.low > 0.5
        else "search the hyperparameters together, the rate alone explains less than half."
        if counts.high < 0.5
        else "search the hyperparameters together; whether the rate explains most of it stays open."
    ),
    claims=["exploits", "wandb-late-edges", "flat-in-warmup", "rate-selected"],
)
