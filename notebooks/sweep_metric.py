# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A metric that asks for a rise of the loss
#     short_title: A metric that asks for a rise
#     question: Does the composite metric rank runs as it is meant to, and can Hyperband act on it?
#     tags: [sweep, transformer, surnames, adamw, hyperband]
#     smoke: {updates: 20, trials: 4, n_sweeps: 2, pilot_sweeps: 2, pilot_trials: 3, n_eval: 20,
#       orders: 2, near: 0, window: 2}
#     foretold:
#       - says: The table's ratios are right.
#         claims: {ratio-1_01: supported, ratio-1_015: supported, ratio-1_02: supported,
#           ratio-1_03: supported, ratio-1_05: supported, ratio-1_1: supported}
#       - says: Its words are right at 1.02.
#         claims: {words-1_02: supported}
#       - says: Its words claim too much from 1.03 on.
#         claims: {words-1_03-total: contradicted, words-1_03-kill: contradicted,
#           words-1_03-last: contradicted, words-1_05: contradicted, words-1_10: contradicted}
#       - says: The kill point at 200 never fires.
#         claims: {last-kill-point: supported}
#       - says: The cumulative metric by its last value ranks runs well.
#         claims: {cumulative-last: seen here}
#       - says: By its best so far it ranks them badly and lets no run be stopped.
#         claims: {cumulative-best: not seen here, stops: contradicted}
#       - says: The metric per evaluation tells only what was seen near the peak.
#         claims: not judged
# ---

# %% [markdown]
# # Does a metric that asks for a rise of the loss rank runs as it is meant to?
#
# ## Question
#
# The source of the sweeps {cite}`juliusm2026` builds a metric of its own: the loss should rise near
# the peak rate (a rolling mean over 5 evaluations tells), and be low otherwise; summed, with
# weights κᵗ that grow towards the end. A table says what each κ does over 195 evaluations, and
# W&B's Hyperband with η = 2 and `min_iter` = 25 is to stop the runs that don't rise.
#
# 1. Does the table hold, row by row?
# 2. Which of the kill points 25, 50, 100 and 200 can fire at all?
# 3. Logged per evaluation or as a running sum, scored by its last value or, as W&B does, by its
#    best so far: how does the metric rank runs, and whom does it stop?
#
# ## Setup
#
# Ours was made before the source's formulas were found. There minus the mean of the last five
# changes of the loss counts as long as the learning rate rises, and the loss itself while it falls,
# summed with κᵗ, at κ = 1.015; in ours the first part counts only near the peak, and κ is 1.02.
# Ours, with the loss $L_i$ at evaluation i, its mean $M_i$ over the last 5, and the evaluation p at
# the peak rate (evaluation 20, the end of a warmup over a tenth of the updates):
#
# $$m_i = \begin{cases} -(M_i - M_{i-1}) & |i - p| \le 5 \\ L_i & \text{otherwise} \end{cases}
# \qquad w_i = \frac{\kappa^{i-1}}{\sum_{j \le 195} \kappa^{j-1}}$$
#
# What is logged at evaluation i is $w_i m_i$ (**per evaluation**) or $\sum_{j \le i} w_j m_j$
# (**cumulative**); beside them the loss, and the **average** $\sum_{j \le i} w_j m_j / \sum_{j \le
# i} w_j$. The table's words are read so, fixed beforehand: points *dominate* with more than half
# of the weight; *only* those *matter* that have 90 % of it; the final performance is that of the
# last quarter, a handful 10 points; the warmup, the first 20 evaluations, is *noise* below 1 %.
#
# The runs are those of the shared plan, a transformer of 27,712 weights on surnames, but with 195
# evaluations, one every other update: sweeps of 8 runs each, at points of a Sobol sequence over
# peak learning rate (0.0001 to 0.3; the source's are 0.0005 to 0.5), β₂ and weight decay. The
# source's runs logged 200 evaluations, of which the metric is 0 at the first 5: its fourth kill
# point is reached at the very end of a run, where nothing is left to stop. Each sweep has points,
# initial weights and data order of its own, and counts once. A score is useful if its rank
# correlation with the final test loss is above 0.5: then it orders two of three pairs of runs
# rightly.

# %% tags=["parameters"]
evaluations: int = 195  # [2..] of a run, in the source
min_iter: int = 25  # [evaluations, 1..evaluations] before the first kill point, in the source
kappas: list[float] = [1.01, 1.015, 1.02, 1.03, 1.05, 1.10]  # [1.. of 1<.. rising] from the source
kappa: float = 1.02  # [1<..] that the runs are scored with
near: int = 5  # [evaluations, 0..] before and after the peak that count as near it
window: int = 5  # [evaluations, 1..] in the rolling mean
updates: int = 390  # [20..] of a run
eval_every: int = 2  # [updates, 1..updates] between two evaluations
trials: int = 8  # [3..] runs of a sweep
n_sweeps: int = 8  # [2..500] sweeps, each with its own points and seed
pilot_sweeps: int = 8  # [2..500] sweeps of the pilot, used for nothing else
pilot_trials: int = 4  # [3..] runs of each of them
first_seed: int = 50_000  # [0..] first seed of the block
orders: int = 10  # [1..] random orders of arrival to try the stopping rule on, for each sweep
n_eval: int = 100  # [1..2169] validation and test windows, 16 characters each
useful: float = 0.5  # [0<..<1] rank correlation with the final loss from which a score is useful
good: float = 0.9  # [0<..<1] correlation that the number of sweeps is chosen for

# %% tags=["setup"]
import math
from dataclasses import replace

import numpy as np
from scipy.stats import spearmanr

from lrlab import Claim, Job, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.composite_metric import cumulative, per_evaluation, weights
from lrlab.experiments.replay import replay
from lrlab.experiments.surnames import bayesian
from lrlab.labbook.phrases import judged
from lrlab.sweep import rules, sampling

plots.use_style()

if not all(k > 1 for k in [kappa, *kappas]):
    raise ValueError(f"kappas must be above 1, got kappas={kappas}, kappa={kappa}")
shared = bayesian(updates=updates, eval_every=eval_every, n_eval=n_eval, sampler="quasi-random")
warmup = updates // 10
peak = math.ceil(warmup / eval_every)
task = shared.task


def members(seed, count):
    """The jobs of one sweep, numbered."""
    plan = shared.replace(seed=seed)
    each = (plan.recipe_of(sampling.fixed(plan, k)).replace(seed=seed) for k in range(count))
    return enumerate(Job(task, recipe) for recipe in each)


sweeps = range(first_seed, first_seed + n_sweeps)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_sweeps)
plan = {(seed, k): job for seed in sweeps for k, job in members(seed, trials)}
plan |= {(seed, k): job for seed in pilots for k, job in members(seed, pilot_trials)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The table's ratios are right; its words are right at 1.02 and claim too
# much from 1.03 on. The kill point at 200 never fires. The cumulative metric by its last value
# ranks runs well; by its best so far it is worth its first value, ranks them badly and lets no run
# be stopped. The metric per evaluation by its best so far tells nothing but what was seen near the
# peak.
#
# ## Result
#
# ### The table of κ

# %%
warm = math.ceil(evaluations / 10)
share = {k: np.cumsum(weights(evaluations, k)[::-1]) for k in kappas}  # of the last 1, 2, …
ratio = {k: k ** (evaluations - 1) for k in kappas}
warm_total = {k: weights(evaluations, k)[:warm].sum() for k in kappas}
warm_kill = {k: weights(min_iter, k)[:warm].sum() for k in kappas}
display.table(
    {
        "κ": [f"{k:g}" for k in kappas],
        "last / first": [
            f"{ratio[k]:.3g}"
            if ratio[k] < 1000
            else f"{round(ratio[k], 2 - int(math.log10(ratio[k]))):,.0f}"
            for k in kappas
        ],
        "points with half of the weight": [int((share[k] <= 0.5).sum()) + 1 for k in kappas],
        "with 90 %": [int((share[k] <= 0.9).sum()) + 1 for k in kappas],
        **{
            f"last {m}": [f"{100 * share[k][m - 1]:.1f} %" for k in kappas] for m in (1, 10, 30, 40)
        },
        f"first {warm}": [
            f"{100 * warm_total[k]:.2g} %" if warm_total[k] > 1e-5 else "below 0.001 %"
            for k in kappas
        ],
        f"first {warm}, at evaluation {min_iter}": [f"{100 * warm_kill[k]:.0f} %" for k in kappas],
    },
    digits=4,
    caption=f"Weights κᵗ over {evaluations} evaluations: their ratio, how many of the last points "
    "have half and 90 % of the weight, and the weight of the last and the first ones; the last "
    f"column of those that count when a rule looks after {min_iter}.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(width=6.4, height=3.4)
for style, k in plots.styled(kappas):
    ax.plot(np.arange(1, evaluations + 1), 100 * share[k], label=f"{k:g}", **style)
for level in (50, 90):
    plots.guide(ax, y=level)
ax.set(xscale="log", xlabel="last evaluations of a run", ylabel="share of the weight [%]")
plots.ticks(ax.xaxis, [1, 3, 10, 30, 100, evaluations])
ax.legend(title="κ")
display.show(
    fig,
    alt="Share of the weight that the last evaluations have, against their number, for six κ: even "
    "at 1.10 it takes more than twenty for 90 per cent.",
    caption=f"How much of the weight the last of {evaluations} evaluations have; exact. Dotted: "
    "half and 90 %.",
)

# %% [markdown]
# ### The kill points

# %%
asked = {"rule": "wandb-hyperband", "min_iter": min_iter, "eta": 2}
first_four = list(rules.make(asked).bands[:4])
firing = rules.rungs(asked, evaluations)
display.say(
    f"`min_iter={min_iter}` and η = 2 give the bands {', '.join(map(str, first_four))}. In "
    f"{evaluations} evaluations those at {', '.join(map(str, firing))} are reached, "
    f"{', '.join(str(b) for b in first_four if b not in firing)} never. To have a fourth, a run "
    f"needs {first_four[-1]} evaluations, or `min_iter` at most {evaluations // 8}."
)

# %% [markdown]
# ### The metric on runs

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
chance = task.chance_loss


def curve(run):
    """Validation loss at each evaluation, that of guessing from the divergence on."""
    found = np.full(shared.evaluations, chance)
    seen = run.evals["validation_loss"][1:]
    found[: len(seen)] = np.where(np.isfinite(seen), seen, chance)
    return found


losses, test = runs.arrays(curve), runs.arrays("test_loss")
how = {"peak": peak, "near": near, "window": window}


def logged(loss, k=kappa):
    """What is logged at each evaluation, by form, each of shape (runs, evaluations)."""
    w = weights(shared.evaluations, k)
    total = cumulative(loss, evaluations=shared.evaluations, kappa=k, **how)
    return {
        "loss": loss,
        "per evaluation": w * per_evaluation(loss, **how),
        "cumulative": total,
        "average": total / np.cumsum(w),
    }


forms = ["loss", "per evaluation", "cumulative", "average"]
scorings = {"last": lambda x: x[:, -1], "best so far": lambda x: x.min(axis=1)}
metric = {seed: logged(loss) for seed, loss in losses.items()}

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.3)
shown = sweeps[0]
peaks = runs.of(shown).array(lambda run: run.recipe.schedule.then.peak_lr)
place = np.arange(1, shared.evaluations + 1)
by_rate = np.argsort(peaks)
for style, k in plots.styled(by_rate[[0, len(peaks) // 2, -1]]):
    upto = 3 * peak
    axes[0].plot(
        place[:upto],
        metric[shown]["per evaluation"][k][:upto],
        label=f"peak {peaks[k]:.2g}",
        **style,
    )
    total = metric[shown]["cumulative"]
    axes[1].plot(place, total[k] - total.mean(axis=0), **style)
for rung in rules.rungs(shared.rule, shared.evaluations):
    plots.guide(axes[1], x=rung)
plots.shade(axes[0], peak - near, peak + near)
axes[0].set(xlabel="evaluation", ylabel="metric per evaluation [nats]")
axes[1].set(xlabel="evaluation", ylabel="cumulative metric, less its mean [nats]")
axes[0].legend()
display.show(
    fig,
    alt="Left: the metric per evaluation about the peak rate, for three runs. Right: the "
    "cumulative metric of the same runs, less the mean of their sweep.",
    caption=f"Three of the {trials} runs of one of {n_sweeps} sweeps, with the lowest, a middle "
    f"and the highest peak rate, κ = {kappa:g}. Left: the beginning; shaded: near the peak rate. "
    "Right: less the mean of the sweep, for what all runs share is most of it; dotted: kill "
    "points.",
)


# %% tags=["nbval-ignore-output"]
tested = 4
level = claims.level(tested)


def bounded(found):
    """An interval of correlations, which are from -1 to 1."""
    return replace(found, low=max(found.low, -1.0), high=min(found.high, 1.0))


def ranks(score, by):
    """Spearman's correlation; 0 where all scores are equal."""
    return float(spearmanr(score, by).statistic) if np.ptp(score) > 0 else 0.0


rng = np.random.default_rng(first_seed)
arrivals = {seed: [rng.permutation(trials) for _ in range(orders)] for seed in sweeps}
correlation, regret, stopped = {}, {}, {}
for form in forms:
    for name, score in scorings.items():
        scored = {seed: score(metric[seed][form]) for seed in sweeps}
        correlation[form, name] = np.array([ranks(scored[s], test[s]) for s in sweeps])
        regret[form, name] = np.array(
            [math.log(test[s][np.argmin(scored[s])] / test[s].min()) for s in sweeps]
        )
        rule = shared.rule | {"strict": name == "last"}
        stopped[form, name] = [
            replay(metric[s][form], rule, arrivals[s], final=test[s]) for s in sweeps
        ]
display.table(
    [
        {
            "logged": form,
            "scored by": name,
            "correlation with the test loss": bounded(
                stats.mean_interval(correlation[form, name], level)
            ),
            "regret of its choice": regret[form, name].mean(),
            "stopped": f"{100 * np.mean([1 - r.kept.mean() for r in found]):.0f} %",
            "best run stopped": f"{100 * np.mean([r.lost_winner.mean() for r in found]):.0f} %",
        }
        for (form, name), found in stopped.items()
    ],
    digits=2,
    caption=f"Means over {n_sweeps} sweeps of {trials} runs, κ = {kappa:g}. Correlation: "
    f"Spearman's, {100 * level:.3g} % t interval, cut at 1. Regret: log ratio of the "
    "test losses of the run with the best score and of the best run. Where a sign test decides, a "
    "claim's card has the median in place of the mean. Stopped: share of the runs "
    f"that W&B's rule ends in {orders} random orders of arrival; last: by the value at the kill "
    "point, W&B's option strict.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(width=6.8, height=3.4)
each = {f"{form}, {name}": values for (form, name), values in correlation.items()}
found = stats.mean_intervals(each, level).items()
cut = {name: bounded(interval) for name, interval in found}
plots.intervals(ax, cut, points=each)
plots.guide(ax, x=useful)
ax.set_xlabel("rank correlation of the score with the test loss")
display.show(
    fig,
    alt="Rank correlation of eight scores with the final test loss, with intervals.",
    caption=f"Mean and {100 * level:.3g} % t interval, cut at 1, over {n_sweeps} sweeps of "
    f"{trials} runs: the one that decides, unless a claim says that a sign test did; ticks: "
    "single sweeps. Dotted: from here on a score was called useful beforehand.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {"κ": f"{k:g}"}
        | {
            f"{form}, {name}": float(
                np.mean([ranks(score(logged(losses[s], k)[form]), test[s]) for s in sweeps])
            )
            for form in forms[1:]
            for name, score in scorings.items()
        }
        for k in kappas
    ],
    digits=2,
    caption=f"Correlation of the score with the test loss by κ, means over {n_sweeps} sweeps.",
)

# %% tags=["nbval-ignore-output"]
every = np.concatenate([metric[s]["cumulative"] for s in sweeps])
first_only = int((every.argmin(axis=1) == 0).sum())
at_peak = np.concatenate([metric[s]["per evaluation"] for s in sweeps]).argmin(axis=1) + 1
peak_only = int((np.abs(at_peak - peak) <= near).sum())
mean = {
    s: np.stack(
        [losses[s][:, max(0, i - window) : i].mean(axis=1) for i in (peak - near - 1, peak + near)]
    )
    if peak > near + 1
    else losses[s][:, [0, -1]].T
    for s in sweeps
}
rise = {s: mean[s][1] - mean[s][0] for s in sweeps}
look = rules.rungs(shared.rule, shared.evaluations)[0] - 1
rising = int(sum((r > 0).sum() for r in rise.values()))
rewarded = np.array([ranks(metric[s]["cumulative"][:, look], rise[s]) for s in sweeps])
display.say(
    f"In {first_only} of {len(every)} runs the best value of the cumulative metric is its first, "
    f"and in {peak_only} the best one per evaluation lies near the peak. In {rising} runs the mean "
    f"loss is higher at the end of the peak's neighbourhood than before it. Across a sweep the "
    f"cumulative metric at the first kill point and this rise have a rank correlation of "
    f"{rewarded.mean():.2f}: below zero, runs that fall less, or rise, are favoured."
)

# %% [markdown]
# ## Verdict
#
# Repetitions are whole sweeps. How many it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for name, score in scorings.items():
    pilot = [ranks(score(metric[s]["cumulative"]), test[s]) for s in pilots]
    what = f"correlation of the cumulative metric ({name}) in sweeps of {pilot_trials} runs"
    claims.power(
        pilot, what, beyond=useful, effect=good, used=n_sweeps, tested=tested, unit="sweeps"
    )

# %%
weighted = About(
    Setting("weights κᵗ", "", f"{evaluations} evaluations"),
    family="table",
    like="same",
)
ranked = About(
    Setting(
        "transformer of 27,712 weights on surnames",
        "AdamW",
        f"sweeps of {trials} runs of {updates} updates",
    ),
    metric="correlation",
    replication="sweeps",
    like="analogue",
    lost="its formula, which asks for the rise in the whole warmup, κ = 1.015, 200 evaluations in "
    "1,000 updates, peak rates from 5e-4 to 0.5 and its model",
    reason="from 0.5 on a score orders two of three pairs of runs rightly",
)
published = {
    1.01: (6.9, 0.05),
    1.015: (18, 0.5),
    1.02: (47, 0.5),
    1.03: (310, 5),
    1.05: (13_000, 500),
    1.10: (1e8, 5e7),
}
listed = [
    Claim.exact(
        f"ratio-{k:g}".replace(".", "_"),
        f"At κ = {k:g} the last of {evaluations} evaluations "
        f"weighs about {value:,.10g} times as much as the first.",
        measured=k ** (evaluations - 1),
        expected=value,
        tolerance=half,
        published=value,
        detail=f"within half a unit of the last digit given, {half:g}",
        about=weighted,
    )
    for k, (value, half) in published.items()
]


def last(k, points):
    return weights(evaluations, k)[-points:].sum()


def first(k, upto):
    return weights(upto, k)[:warm].sum()


words = [
    (
        "1_01",
        "At κ = 1.01 the warmup still means something to Hyperband: it has most of the "
        "weight at the first kill point.",
        first(1.01, min_iter),
        0.5,
    ),
    (
        "1_015-warmup",
        "At κ = 1.015 the warmup matters for Hyperband: it has most of the weight "
        "at the first kill point.",
        first(1.015, min_iter),
        0.5,
    ),
    (
        "1_015-end",
        "At κ = 1.015 the final performance, that of the last quarter, dominates the total.",
        last(1.015, evaluations // 4),
        0.5,
    ),
    ("1_02", "At κ = 1.02 the last 40 points dominate.", last(1.02, 40), 0.5),
    (
        "1_03-total",
        "At κ = 1.03 the warmup is noise in the total.",
        1 - first(1.03, evaluations),
        0.99,
    ),
    (
        "1_03-kill",
        "At κ = 1.03 the warmup is noise for Hyperband, at the first kill point.",
        1 - first(1.03, min_iter),
        0.99,
    ),
    ("1_03-last", "At κ = 1.03 only the last 30 points matter.", last(1.03, 30), 0.9),
    ("1_05", "At κ = 1.05 only a final handful of points counts.", last(1.05, 10), 0.9),
    ("1_10", "At κ = 1.10 only the very last point matters.", last(1.10, 1), 0.9),
]
listed += [
    Claim.exact(
        f"words-{slug}",
        statement,
        holds=part > bound,
        detail=f"{'all others have' if 'noise' in statement else 'they have'} {100 * part:.3g} % "
        f"of the weight; asked for: more than {100 * bound:g} %",
        about=replace(weighted, lost="what its words mean in numbers"),
    )
    for slug, statement, part, bound in words
]
ended = [1 - r.kept.mean() for r in stopped["cumulative", "best so far"]]
unit = "rank correlation"
listed += [
    Claim.exact(
        "kill-points",
        f"With η = 2 and min_iter = {min_iter} the first four kill points are 25, 50, 100 and 200.",
        measured=first_four,
        expected=[25, 50, 100, 200],
        published="25, 50, 100, and 200",
        about=replace(weighted, family=""),
    ),
    Claim.exact(
        "last-kill-point",
        f"The fourth kill point never comes in a run of {evaluations} evaluations.",
        holds=first_four[-1] not in firing,
        detail=f"{', '.join(map(str, firing))} are reached",
        source="",
        about=replace(weighted, family="", like=None),
    ),
    *(
        Claim.effect(
            slug,
            f"The {words}, ranks runs by their final test loss.",
            values=correlation[scored],
            direction="greater",
            delta=useful,
            unit=unit,
            about=replace(ranked, family="ranks runs"),
        )
        for slug, words, scored in (
            (
                "cumulative-last",
                "cumulative metric, scored by its last value",
                ("cumulative", "last"),
            ),
            (
                "cumulative-best",
                "cumulative metric, scored by its best value so far",
                ("cumulative", "best so far"),
            ),
            (
                "evaluation-best",
                "metric per evaluation, scored by its best value so far",
                ("per evaluation", "best so far"),
            ),
        )
    ),
    Claim.effect(
        "rewards-rise",
        "At the first kill point the cumulative metric is lower in runs whose loss "
        "falls less, or rises, near the peak.",
        values=rewarded,
        direction="less",
        unit=unit,
        about=replace(ranked, reason=""),
    ),
    Claim.exact(
        "stops",
        "W&B's rule, by the best value so far, stops runs on the cumulative metric.",
        holds=sum(ended) > 0,
        detail=f"{100 * np.mean(ended):.0f} % of the runs, in {orders} orders of arrival; a sum of "
        "positive parts is lowest at its first value, which is held against sums at the kill point",
        published="aggressive, to weed out runs without the rise",
        about=replace(ranked, metric="", reason=""),
    ),
    *(
        Claim.descriptive(
            slug,
            f"Rank correlation with the final test loss: {words}.",
            values=values,
            unit=unit,
            source="",
            about=replace(ranked, like=None, lost="", reason=""),
        )
        for slug, words, values in (
            ("loss-last", "the loss itself, by its last value", correlation["loss", "last"]),
            (
                "last-against-loss",
                "the cumulative metric's less that of the loss itself, both by the last value",
                correlation["cumulative", "last"] - correlation["loss", "last"],
            ),
        )
    ),
    Claim.descriptive(
        "first-value-only",
        "Runs whose best value so far of the cumulative metric is its first value.",
        values=[(metric[s]["cumulative"].argmin(axis=1) == 0).mean() for s in sweeps],
        unit="share of the runs of a sweep",
        source="",
        about=replace(ranked, like=None, lost="", reason=""),
    ),
]
claims.conclude(listed, source="juliusm2026")

# %% tags=["nbval-ignore-output"]
said = judged(listed)


def interval(slug, most=1.0):
    claim = said[slug]
    if claim.low is None:  # all values are equal, or there are too few
        return f"{claim.estimate:z.2f} (no interval)"
    return f"{claim.estimate:z.2f} [{max(claim.low, -most):z.2f}, {min(claim.high, most):z.2f}]"


better, best, rewards = said["last-against-loss"], said["cumulative-best"], said["rewards-rise"]
display.answer(
    f"In sweeps of {trials} runs the cumulative metric's last value has a mean rank correlation of "
    f"{correlation['cumulative', 'last'].mean():.2f} with the final test loss, that of the loss "
    f"itself has {correlation['loss', 'last'].mean():.2f} (difference "
    f"{interval('last-against-loss')}). Its best value so far, which W&B compares, has "
    f"{interval('cumulative-best')}: it is the first value in {first_only} of {len(every)} runs, "
    f"and the rule stops {100 * np.mean(ended):.0f} % of them. At the first kill point it is "
    + ("" if rewards.verdict == claims.rules.SEEN else "not shown to be ")
    + f"lower where the loss falls less near the peak ({interval('rewards-rise')}), though only "
    f"{rising} rise. What this means for you: "
    + (
        "log the sum, it ranks runs better than the loss"
        if better.low is not None and better.low > 0
        else "log the loss itself, the sum is not shown to rank better"
    )
    + (
        "."
        if best.verdict == claims.rules.SEEN
        else "; stop a sum that grows by its value now (`strict`)."
    ),
    claims=["cumulative-last", "cumulative-best", "stops", "rewards-rise"],
)
