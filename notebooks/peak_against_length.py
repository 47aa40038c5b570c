# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: The best peak rate against the length of training
#     short_title: Best peak rate against length
#     question: How does the best peak rate change with the number of updates, and with the batch?
#     tags: [length, batch, mnist1d, sgd, constant, cosine, linear, wsd, benchmark]
#     smoke: {lengths: [5, 10, 20], peaks: [0.05, 0.2, 0.8], n_seeds: 2, pilot_seeds: 2,
#       batch_size: 8, batch_sizes: [4, 8], batch_steps: 10, more: 0}
#     predictions:
#       carried-unchanged: {supported: 0.88, inconclusive: 0.08,
#         smaller than δ: 0.03, not by δ: 0.01}
#       shipped-one-pass: {supported: 0.4, inconclusive: 0.4, different: 0.2}
#       shipped-many-passes: {supported: 0.1, inconclusive: 0.35, different: 0.55}
#       cosine-falls-less: {supported: 0.8, inconclusive: 0.12,
#         smaller than δ: 0.05, not by δ: 0.03}
#       batch-in-proportion: {not seen here: 0.8, inconclusive: 0.15, seen here: 0.05}
#       shipped-elsewhere: {inconclusive: 0.7, different: 0.2, supported: 0.1}
# ---

# %% [markdown]
# # How does the best peak learning rate change with the length of training?
#
# ## Question
#
# Rates are tuned on short runs and used in long ones. For convex problems the best rate falls with
# the root of the number of updates T {cite}`defazio2023optimal`; for language models under a cosine
# it was found to fall with a power of the number of tokens as well {cite}`bjorck2025horizons`; the
# range test of this package carries its suggestion to longer trainings with the power 1/3.
#
# 1. By which power of T does the best peak fall, for a constant learning rate, a cosine, a linear
#    decay, and a constant rate with a cooldown (WSD)?
# 2. What does a rate cost that was tuned on a much shorter training?
# 3. Does the best peak grow in proportion to the batch size {cite}`goyal2017accurate`, at a fixed
#    number of updates?
#
# ## Setup
#
# The perceptron of MNIST-1D {cite}`greydanus2024scaling`, SGD with momentum 0.9, no warmup, no
# weight decay. *One pass*: signals drawn anew, so many that none is seen twice. *Many passes*: the
# 3,500 published ones. WSD cools down over the last fifth. Each seed trains every schedule at every
# length at all peaks of one grid, which is extended where a mean loss is lowest at its end. Within
# each seed and length the best peak is the lowest point of the validation loss, between the points
# of the grid; the exponent is the slope through them in logarithms, so that each seed gives one.
# Lengths of a constant rate are prefixes of one run, and cooldowns branch off it.
#
# Other tasks are in `benchmarks/peak_against_length.py`, whose raw results are read here where they
# are in the repository.

# %% tags=["parameters"]
lengths: list[int] = [
    20,
    36,
    66,
    119,
    215,
    390,
    707,
    1280,
]  # [updates, 3.. of 5.. rising] of a training
peaks: list[float] = [0.02, 0.04, 0.08, 0.16, 0.32, 0.64]  # [3.. of 0<.. rising] at first
more: int = 3  # [peaks, 0..10] that may be added at each end of the grid
batch_size: int = 64  # [signals, 1..3500] in a batch
batch_sizes: list[int] = [
    8,
    16,
    32,
    64,
    128,
    256,
]  # [signals, 2.. of 1.. rising] of the batches compared
batch_steps: int = 215  # [updates, 5..] of a training where the batch varies
n_seeds: int = 10  # [2..500] seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
results: str = "benchmarks/results/peak_against_length.json"  # [any] of the other tasks

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, claims, display, plots, stats, tasks
from lrlab.claims import About, Setting
from lrlab.experiments import peak_against_length as study
from lrlab.experiments.streams import Mnist1DStream
from lrlab.labbook import measured, phrases, tuned
from lrlab.labbook.entries.laboratory import find_root
from lrlab.optimizers import SGD

plots.use_style()

SHIPPED = 1 / 3  # the power that the range test carries its suggestion with
ONE, MANY = "one pass", "many passes"
momentum = SGD(momentum=0.9)
signals = max(batch_size * lengths[-1], batch_sizes[-1] * batch_steps)
streamed = Mnist1DStream(n_train=signals)
passes = {
    ONE: study.Study(streamed, momentum, batch_size),
    MANY: study.Study(tasks.get("mnist1d"), momentum, batch_size),
}
seeds, pilots = (
    range(first_seed + k, first_seed + k + n) for k, n in ((0, n_seeds), (20_000, pilot_seeds))
)
plan = {
    (data, *key): job
    for data in passes
    for key, job in passes[data].jobs(study.NAMES, lengths, peaks, seeds).items()
}
later = {
    "the pilot": pilot_seeds * len(lengths) * len(peaks),
    "other batch sizes": len(batch_sizes) * len(peaks) * n_seeds,
    "peaks beyond the ends of the grid": (0, 2 * more * len(plan) // len(peaks)),
}

# %% [markdown]
# ## Prediction
#
# Written before the first look at this task, with probabilities that are listed below, and after
# a trial of the benchmark at a twentieth of its size with AdamW. Tuned rates of an earlier entry at
# three lengths (many passes) point to a power of one half for the constant rate, and to none for
# the cosine. One pass has less noise to average away late, so that a third is nearer there. The
# batch matters less than in proportion: with so few updates it is the curvature that limits the
# peak.
#
# The linear decay and WSD in many passes were added after the first look at the other schedules:
# their powers were not foretold.
#
# ## Result

# %% tags=["nbval-ignore-output"]
tables = {
    data: study.measure(each, study.NAMES, lengths, peaks, seeds, more=more)
    for data, each in passes.items()
}
by_batch = {
    size: study.measure(
        study.Study(streamed, momentum, size), ["cosine"], [batch_steps], peaks, seeds, more=more
    )
    for size in batch_sizes
}
pilot = study.measure(passes[ONE], ["constant"], lengths, peaks, pilots, more=more)

# %% tags=["nbval-ignore-output"]


def best_peaks(table, name):
    """By seed and length."""
    return np.array(
        [[tuned.best_rate(table.peaks, losses) for losses in one] for one in table.validation[name]]
    )


best = {(data, name): best_peaks(t, name) for data, t in tables.items() for name in t.validation}
power = {key: study.exponents(lengths, values) for key, values in best.items()}
display.say(
    ". ".join(
        f"{data.capitalize()}: {t.runs:,} runs at {len(t.peaks)} peaks from "
        f"{t.peaks[0]:g} to {t.peaks[-1]:g}, {t.diverged} of them diverged"
        for data, t in tables.items()
    )
    + f". A training of {lengths[-1]:,} updates sees {batch_size * lengths[-1]:,} signals; of the "
    f"published ones that makes {batch_size * lengths[-1] / 3500:.1f} passes."
)

# %% [markdown]
# ### The best peak at each length

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.6, sharey=True)
for ax, data in zip(axes, tables, strict=True):
    for style, name in plots.styled(study.NAMES):
        curve = stats.band(best[data, name], scale="log")
        plots.band(ax, lengths, curve, label=name, marker="o", markersize=3.5, **style)
    start = np.exp(np.log(best[data, "constant"]).mean(axis=0))[0]
    guide = start * (np.array(lengths) / lengths[0]) ** -SHIPPED
    ax.plot(lengths, guide, ":", color="#777777", label="a constant's, carried by 1/3")
    ax.set(xscale="log", yscale="log", xlabel="updates T", title=data)
    plots.ticks(ax.xaxis, lengths[::2])
axes[0].set_ylabel("best peak learning rate")
ends = [p for t in tables.values() for p in t.peaks]
axes[0].set_ylim(min(ends) / 2, 2 * max(ends))
axes[0].legend(loc="lower left")
display.show(
    fig,
    alt="Best peak rate against the number of updates on logarithmic axes, one line a schedule; "
    "left with each signal seen once, right with many passes.",
    caption="MNIST-1D perceptron with momentum: peak of the lowest validation loss within each "
    f"seed, geometric mean and 95 % t interval over {n_seeds} seeds.",
    headline=True,
)
middle = len(lengths) // 2
parts = {
    f"{lengths[0]:,} to {lengths[middle]:,}": slice(0, middle + 1),
    f"{lengths[middle]:,} to {lengths[-1]:,}": slice(middle, None),
}
local = {
    (*key, part): study.exponents(lengths[where], values[:, where])
    for key, values in best.items()
    for part, where in parts.items()
}
display.say(
    "Powers p of T with which the best peak falls: "
    + "; ".join(
        f"{name}, {data}: {stats.mean_interval(values)}" for (data, name), values in power.items()
    )
    + f". The range test carries with {SHIPPED:.2f}; in one pass a factor of "
    f"{lengths[-1] / lengths[0]:.0f} in length divides the best constant rate by "
    f"{(lengths[-1] / lengths[0]) ** power[ONE, 'constant'].mean():.1f}."
)
display.table(
    [
        {"data": data, "schedule": name}
        | {f"p, {part} updates": stats.mean_interval(local[data, name, part]) for part in parts}
        for data, name in best
    ],
    caption="Is it one power? Slopes over the shorter and over the longer trainings, seed by seed, "
    f"means with 95 % t intervals over {n_seeds} seeds. Where the two differ, the best peak does "
    "not fall with one power of T, and p is a mean over all these lengths.",
)

# %% [markdown]
# ### What a rate from a shorter training costs


# %% tags=["nbval-ignore-output"]
def regret(data, name, exponent):
    """By seed: log ratio of test losses at the longest training, carried peak to own best."""
    table, ratio = tables[data], (lengths[-1] / lengths[0]) ** -exponent
    return np.array(
        [
            study.loss_at(table.peaks, losses, first * ratio)
            - study.loss_at(table.peaks, losses, own)
            for losses, first, own in zip(
                table.test[name][:, -1],
                best[data, name][:, 0],
                best[data, name][:, -1],
                strict=True,
            )
        ]
    )


carried = {
    (data, name, exponent): regret(data, name, exponent)
    for data, name in best
    for exponent in (0.0, SHIPPED, 0.5)
}
display.table(
    [
        {
            "data": data,
            "schedule": name,
            "kept as it is [100 log]": stats.mean_interval(100 * carried[data, name, 0.0]),
            "with the power 1/3": stats.mean_interval(100 * carried[data, name, SHIPPED]),
            "with the power 1/2": stats.mean_interval(100 * carried[data, name, 0.5]),
        }
        for data, name in best
    ],
    caption=f"Test loss after {lengths[-1]:,} updates at the peak that was best for {lengths[0]}, "
    "against that at the peak of its own, interpolated between the peaks of the grid: log ratio "
    f"times 100, mean and 95 % t interval over {n_seeds} seeds.",
)

# %% [markdown]
# ### The best peak against the batch size

# %% tags=["nbval-ignore-output"]
of_batch = np.stack([best_peaks(t, "cosine")[:, 0] for t in by_batch.values()], axis=1)
batch_power = -study.exponents(batch_sizes, of_batch)
fig, ax = plots.figure(width=5.6, height=3.2)
[look] = [style for style, name in plots.styled(study.NAMES) if name == "cosine"]
curve = stats.band(of_batch, scale="log")
plots.band(ax, batch_sizes, curve, label="cosine", marker="o", **look)
proportion = np.array(batch_sizes) / batch_sizes[0] * curve[1][0]
ax.plot(batch_sizes, proportion, ":", color="#777777", label="in proportion")
ax.set(xscale="log", yscale="log", xlabel="batch size", ylabel="best peak learning rate")
ax.set_ylim(by_batch[batch_sizes[0]].peaks[0] / 2, 8 * by_batch[batch_sizes[-1]].peaks[-1])
plots.ticks(ax.xaxis, batch_sizes)
ax.legend()
display.show(
    fig,
    alt="Best peak rate of a cosine against the batch size on logarithmic axes, beside a line in "
    "proportion to it.",
    caption=f"MNIST-1D perceptron, one pass, {batch_steps} updates of a cosine: best peak, "
    f"geometric mean and 95 % t interval over {n_seeds} seeds. The best peak goes as the batch "
    f"size to the power {stats.mean_interval(batch_power)}.",
)

# %% [markdown]
# ### Other tasks

# %% tags=["nbval-ignore-output"]
cells = {}
if (find_root() / results).is_file():
    raw = measured.read(results)
    cells = {cell["cell"]: cell for cell in raw["cells"]}
elsewhere = {}
for cell_name, cell in cells.items():
    table = study.from_json(cell)
    for name in table.validation:
        elsewhere[cell_name, name] = study.exponents(table.lengths, best_peaks(table, name))
if cells:
    fig, ax = plots.figure(height=0.8 + 0.8 * len(cells))
    shown = {f"{c}, {name}": stats.mean_interval(v) for (c, name), v in elsewhere.items()}
    plots.intervals(ax, shown)
    plots.shade(ax, SHIPPED - 0.1, SHIPPED + 0.1)
    ax.set(xlabel="power of T with which the best peak falls")
    display.show(
        fig,
        alt="Exponents of the best peak rate by task and schedule, with intervals.",
        caption="Power of the number of updates with which the best peak falls, mean and 95 % t "
        f"interval over {raw['seeds'][1] - raw['seeds'][0]} seeds; shaded: within 0.1 of 1/3. Raw "
        f"results: `{results}`, sha256 `{raw['sha256'][:16]}…`, torch {raw['versions']['torch']}.",
    )
    display.table(
        [
            {
                "cell": name,
                "passes": cell["passes"],
                "batch": cell["batch_size"],
                "warmup [updates]": cell["warmup_steps"],
                "shortest [updates]": cell["lengths"][0],
                "longest": cell["lengths"][-1],
                "peaks": f"{cell['peaks'][0]:g} to {cell['peaks'][-1]:g}",
                "diverged": f"{cell['diverged']} of {cell['runs']}",
            }
            for name, cell in cells.items()
        ],
        caption="What was trained in the benchmark.",
    )
    between = [elsewhere[name, "constant"].mean() for name in cells]
    lower = sum(elsewhere[n, "cosine"].mean() < elsewhere[n, "constant"].mean() for n in cells)
    display.say(
        f"The power of a constant rate lies between {min(between):.2f} and {max(between):.2f}; "
        f"that of a cosine is the smaller one in {lower} of {len(cells)} cells."
    )
else:
    display.say(f"`{results}` is not in the repository: this page speaks of the perceptron alone.")

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study of the constant rate, one pass:

# %% tags=["nbval-ignore-output"]
TESTED = 5 + bool(cells)
claims.power(
    study.exponents(lengths, best_peaks(pilot, "constant")),
    "exponent of the constant rate",
    within=claims.smallest_effect("exponent"),
    used=n_seeds,
    tested=TESTED,
)

# %%
spread = f"{lengths[0]} to {lengths[-1]:,} updates"
words = {ONE: "each signal seen once", MANY: "3,500 signals, many passes"}


def about(data=ONE, metric="exponent", budget=spread, **rest):
    setting = Setting(f"perceptron on MNIST-1D, {words[data]}", "SGD with momentum 0.9", budget)
    return About(setting, metric=metric, **rest)


EXPONENT = "power of the number of updates"
made = [
    Claim.effect(
        "carried-unchanged",
        f"At the peak that was best for {lengths[0]} updates, {lengths[-1]:,} updates of a "
        "constant rate end at a higher test loss than at a peak of their own",
        values=carried[ONE, "constant", 0.0],
        direction="greater",
        unit="log ratio of test losses",
        about=about(metric="test loss", budget=f"{lengths[-1]:,} updates"),
    ),
    *(
        Claim.equivalence(
            slug,
            "The best constant rate falls with the power 1/3 of the number of updates",
            values=power[data, "constant"] - SHIPPED,
            unit="in the power",
            about=about(data, family="the range test's power"),
        )
        for slug, data in (("shipped-one-pass", ONE), ("shipped-many-passes", MANY))
    ),
    Claim.effect(
        "cosine-falls-less",
        "The best peak of a cosine falls with a smaller power of the number of updates than the "
        "best constant rate",
        values=power[ONE, "cosine"] - power[ONE, "constant"],
        direction="less",
        unit="in the power",
        about=about(),
    ),
    Claim.equivalence(
        "batch-in-proportion",
        "The best peak grows in proportion to the batch size",
        values=batch_power - 1,
        unit="in the power",
        source="goyal2017accurate",
        published="multiply the rate by k where the batch is multiplied by k",
        about=about(
            budget=f"a cosine of {batch_steps} updates",
            like="analogue",
            lost="there the number of passes is fixed, here that of updates",
        ),
    ),
]
if cells:
    made.append(
        Claim.equivalence(
            "shipped-elsewhere",
            "The best constant rate falls with the power 1/3 of the number of updates",
            values=np.array(between) - SHIPPED,
            unit="in the power",
            about=About(
                Setting(f"{len(cells)} tasks", "AdamW or SGD", "a factor of 64 in length"),
                metric="exponent",
                replication="cells",
                family="the range test's power",
            ),
        )
    )
made += [
    Claim.descriptive(
        f"power-{tuned.slug(name)}-{tuned.slug(data)}",
        f"Power of the number of updates with which the best peak falls, {name}",
        values=values,
        unit=EXPONENT,
        about=about(data, family="powers"),
    )
    for (data, name), values in power.items()
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
level = claims.level(TESTED, "equivalence")
found = {name: stats.mean_interval(power[ONE, name], level) for name in study.NAMES}
many = stats.mean_interval(power[MANY, "constant"], level)
cost = phrases.percent(carried[ONE, "constant", 0.0], claims.level(TESTED))
flat = found["cosine"].high < found["constant"].low


def said(interval):
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]".replace("-", "−")


others = (
    f"; {len(cells)} other pairs of task and optimizer: {min(between):.2f} to {max(between):.2f}"
    if cells
    else ""
)
slopes = [
    " and ".join(f"{local[data, 'constant', part].mean():.2f}" for part in parts).replace("-", "−")
    for data in (ONE, MANY)
]
bends = [
    stats.mean_interval(np.subtract(*(local[data, "constant", part] for part in parts)))
    for data in (ONE, MANY)
]
bent = any(bend.low > 0 or bend.high < 0 for bend in bends)
advice = "tune a rate again for a longer training"
if bent:
    advice += "; no one power carries it over"
else:
    advice += (
        f"; here each doubling divided it by {2 ** found['constant'].estimate:.2f} (in many passes "
        f"by {2**many.estimate:.2f})"
    )
if found["constant"].low <= 0:
    advice = "these runs do not say that a longer training needs a lower constant rate"
if flat:
    advice += "; a cosine's peak may stay nearer to where it was"
display.answer(
    f"MNIST-1D perceptron, momentum: the best constant rate falls with the power "
    f"{said(found['constant'])} of the number of updates, over {' and '.join(parts)} with "
    f"{slopes[0]} (many passes: {said(many)}; {slopes[1]}), a cosine's peak with "
    f"{said(found['cosine'])}{others}. The short training's rate costs {cost} of loss "
    f"({100 * claims.level(TESTED):.3g} %, the rest {100 * level:.3g} %). At equal updates the "
    f"best peak grows with the power {said(stats.mean_interval(batch_power, level))} of the batch. "
    f"What this means for you: {advice}.",
    claims=[
        "carried-unchanged",
        "shipped-one-pass",
        "shipped-many-passes",
        *(["shipped-elsewhere"] if cells else []),
        "cosine-falls-less",
        "batch-in-proportion",
    ],
)
