# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does the best learning rate change as a network gets deeper?
#     short_title: The best rate as depth grows
#     question: How does the best learning rate change with a residual network's depth and width?
#     tags: [calibration, mup, depth, width, adam, sgd, mnist1d]
#     smoke: {updates: 15, depths: [2, 4], widths: [32, 64], log_rates: [-7, -6, -5],
#       sgd_log_rates: [-4, -3, -2], more: 0, n_seeds: 2, pilot_seeds: 2}
#     predictions:
#       plain-falls: {seen here: 0.9, inconclusive: 0.07, not seen here: 0.03}
#       scaled-half: {seen here: 0.2, inconclusive: 0.5, not seen here: 0.3}
#       depth-mup-stays: {seen here: 0.35, inconclusive: 0.45, not seen here: 0.2}
#       scaled-sgd-stays: {seen here: 0.3, inconclusive: 0.45, not seen here: 0.25}
#       normed-falls: {supported: 0.75, inconclusive: 0.15, not by δ: 0.05, smaller than δ: 0.05}
#       transfer: {seen here: 0.8, inconclusive: 0.15, not seen here: 0.05}
# ---

# %% [markdown]
# # Does the best learning rate change as a network gets deeper?
#
# ## Question
#
# Width has its answer: in the usual parametrisation the best rate falls, in muP it stays where it
# is (notebook `mup`). But there "hyperparameters do not transfer across depths"; they do, it is
# said, in residual networks whose branches are multiplied by $1/\sqrt{\text{depth}}$
# {cite}`bordelon2024depthwise`. Depth-muP divides "the contribution of each residual block and the
# parameter update by the square root of the depth" {cite}`yang2024depth`. The second half is for
# Adam, whose updates do not shrink with the gradient: if only the branches are scaled, its best
# rate should fall as $1/\sqrt{\text{depth}}$, while that of SGD should stay.
#
# 1. From 2 to 32 residual layers, by which power of the depth does the best rate fall without any
#    scaling, with Adam and with SGD?
# 2. Does it stay where it is with the scaling of branches (SGD), and with that of branches and
#    their rates (Adam)?
# 3. And where each branch begins with a normalisation, as in today's transformers?
# 4. What does it cost to train the deepest network at the rate that is best for the shallowest?
#
# ## Setup
#
# A perceptron on MNIST-1D {cite}`greydanus2024scaling`: one layer in, L residual layers
# $x + m\,(W \operatorname{ReLU}(x) + b)$ of equal width, one layer out, initialised as torch does
# by default. *Plain*: m = 1. *Scaled*: m = √(2/L), so that at two layers it is the same network.
# *Depth-muP*: scaled, and the rate of the residual layers' weights and biases is multiplied by
# √(2/L) too. *Normed*: plain, with layer normalisation (no weights of its own) in front of each
# ReLU and of the output layer. A constant rate, no warmup, no weight decay, many passes (about
# three). Width is varied beside it, in the plain network of two layers.
#
# Each seed trains every network at all rates of a grid of doublings, which is extended where a mean
# loss is lowest at its end. Within each seed the best rate is the lowest point of the validation
# loss, between the points of the grid; the power is the slope through the best rates in logarithms,
# one for each seed. What is told of losses is the test loss. A run that diverges, or ends above
# guessing, counts as guessing.

# %% tags=["parameters"]
depths: list[int] = [2, 8, 32]  # [layers, 2.. of 1.. rising] residual layers
width: int = 64  # [units, 2..] of each layer where the depth varies
widths: list[int] = [16, 64, 256]  # [units, 2.. of 2.. rising] at the smallest depth
updates: int = 100  # [1..] updates of a run
log_rates: list[int] = [-10, -9, -8, -7, -6]  # [doublings, 3.. of -40..10 rising]
# rates of Adam at first, as powers of two
sgd_log_rates: list[int] = [-7, -6, -5, -4, -3]  # [doublings, 3.. of -40..10 rising]
# rates of SGD at first
more: int = 4  # [rates, 0..10] that may be added to a grid
batch_size: int = 100  # [signals, 1..3500] in a batch
n_seeds: int = 12  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import rate_grid
from lrlab.experiments.mup.coordinates import width_exponent
from lrlab.experiments.residual_depth import Mnist1DDepth
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import SGD, Adam
from lrlab.schedules import Constant

plots.use_style()

for grid in (log_rates, sgd_log_rates):
    if grid != list(range(grid[0], grid[-1] + 1)):
        raise ValueError(f"rates must be doublings in a row, got {grid}")
TESTED = 6
ADAM, MOMENTUM = Adam(), SGD(momentum=0.9)
shallow, deep = depths[0], depths[-1]
PLAIN, SCALED, DEPTH_MUP = "Adam, plain", "Adam, scaled", "Adam, depth-muP"
NORMED, SGD_PLAIN, SGD_SCALED = "Adam, normed", "SGD, plain", "SGD, scaled"
kinds = [PLAIN, SCALED, DEPTH_MUP, NORMED, SGD_PLAIN, SGD_SCALED]
WIDER, PILOT = "Adam, plain, wider", "pilot"
seeds, pilots = (
    range(first_seed + k, first_seed + k + n) for k, n in ((0, n_seeds), (20_000, pilot_seeds))
)
arms = [(kind, depth, width) for kind in kinds for depth in depths]
arms += [(WIDER, shallow, units) for units in widths]
arms += [(PILOT, depth, width) for depth in (shallow, deep)]


def job(arm, rate, seed):
    kind, depth, units = arm
    kind = DEPTH_MUP if kind == PILOT else kind
    scaled = depth != shallow and kind in (SCALED, DEPTH_MUP, SGD_SCALED)
    branches = "scaled" if scaled else "normed" if kind == NORMED else "plain"
    task = Mnist1DDepth(depth=depth, width=units, branches=branches, base_depth=shallow)
    return Job(
        task,
        Recipe(
            schedule=Constant(rate),
            steps=updates,
            batch_size=batch_size,
            optimizer=MOMENTUM if kind.startswith("SGD") else ADAM,
            seed=seed,
            lr_ratios=task.lr_ratios if scaled and kind == DEPTH_MUP else {},
        ),
    )


plan = {
    (arm, 2.0**power, seed): job(arm, 2.0**power, seed)
    for arm in arms
    for power in (sgd_log_rates if arm[0].startswith("SGD") else log_rates)
    for seed in (pilots if arm[0] == PILOT else seeds)
}
later = {
    "rates beyond the end of a grid": (
        0,
        more * ((len(arms) - 2) * n_seeds + 2 * pilot_seeds),
    ),
    "the deepest at the shallowest's rate": (0, 2 * n_seeds),
}

# %% [markdown]
# ## Prediction
#
# Written before the loss of any run longer than the smoke size was seen; probabilities are listed
# below, with what came. Without scaling the best rate of Adam falls with a power of about −0.8 of
# the depth: with a normalisation by about −0.5, with scaled branches by a little less than −0.5,
# since 32 layers of 64 units are not an infinite network; with depth-muP it hardly moves. With SGD
# and scaled branches it hardly moves either, and without scaling it falls more than with Adam. An
# exponent of 0 to within a tenth is hard to show with this many seeds. The rate that is best for
# the shallowest network costs the deepest plain one a tenth of its loss or more, and depth-muP
# little.
#
# ## Result

# %% tags=["nbval-ignore-output"]
METRIC = "validation_loss"
runs = rate_grid.extended(train_many(plan), job, METRIC, most=more)


def rates_of(arm):
    return sorted(runs.of(arm).groups())


def losses(arm, what=METRIC):
    """Shape (rates, seeds)."""
    return np.array([runs.of(arm, rate).array(what) for rate in rates_of(arm)])


best = {
    arm: np.array([tuned.best_rate(rates_of(arm), column) for column in losses(arm).T])
    for arm in arms
}
at_edge = sum(
    int(np.isin(values, (rates_of(arm)[0], rates_of(arm)[-1])).sum())
    for arm, values in best.items()
)
counts = [len(rates_of(arm)) for arm in arms]
trained = {run.key: run for run in runs.final(lambda run: run).values()}
display.say(
    f"{len(trained):,} runs of {updates} updates, {updates * batch_size / 3500:.1f} passes: "
    f"{len(kinds)} kinds of network and optimizer at {len(depths)} depths, {len(widths)} widths, "
    f"{min(counts)} to {max(counts)} rates, "
    f"{n_seeds} seeds; {pilot_seeds} pilot seeds. At {shallow} layers scaled branches are plain "
    "ones, whose runs stand in several curves. "
    f"{sum(run.diverged for run in trained.values())} of the runs diverged. In {at_edge} of "
    f"{sum(map(len, best.values()))} curves the best rate is at an end of the grid."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(2, 3, height=4.9, sharey=True)
for ax, kind in zip(axes.flat, kinds, strict=True):
    for style, depth in plots.styled(depths):
        arm = (kind, depth, width)
        curve = stats.band(losses(arm).T, scale="log")
        plots.band(ax, rates_of(arm), curve, label=f"{depth} layers", **style)
    ax.set(xscale="log", yscale="log")
    ax.set_title(kind, fontsize=9)
for ax in axes[-1]:
    ax.set_xlabel("learning rate η")
for ax in axes[:, 0]:
    ax.set_ylabel("validation loss (nats)")
axes[0, 0].legend(loc="best")
display.show(
    fig,
    alt="Validation loss against the learning rate, one curve for each depth, in six panels: Adam "
    "plain, scaled, depth-muP and normed, SGD plain and scaled.",
    caption=f"Validation loss after {updates} updates against the rate, geometric mean and 95 % t "
    f"interval over {n_seeds} seeds. Where a rate transfers, the lowest points lie below each "
    "other.",
)


# %% tags=["nbval-ignore-output"]
def power(kind, over=depths):
    """The power of the depth in the best rate, seed by seed."""
    columns = np.array([best[kind, depth, width] for depth in over]).T
    return np.array([width_exponent(over, column) for column in columns])


by_width = np.array([best[WIDER, shallow, units] for units in widths]).T
powers = {kind: power(kind) for kind in kinds}
width_power = np.array([width_exponent(widths, column) for column in by_width])

fig, axes = plots.figure(1, 2, height=3.4, sharey=True)
for style, kind in plots.styled(kinds):
    curve = stats.band(np.array([best[kind, depth, width] for depth in depths]).T, scale="log")
    plots.band(axes[0], depths, curve, label=kind, marker="o", markersize=3.5, **style)
[look] = [style for style, kind in plots.styled(kinds) if kind == PLAIN]
curve = stats.band(by_width, scale="log")
plots.band(axes[1], widths, curve, label=PLAIN, marker="o", markersize=3.5, **look)
for ax, values, name in zip(
    axes, (depths, widths), ("depth (layers)", "width (units)"), strict=True
):
    ax.set(xscale="log", yscale="log", xlabel=name)
    plots.ticks(ax.xaxis, values)
axes[0].set_ylabel("best learning rate η")
axes[1].legend(*axes[0].get_legend_handles_labels(), loc="center left", bbox_to_anchor=(1.02, 0.5))
display.show(
    fig,
    alt="Best learning rate against the depth, one line for each kind of network and optimizer; "
    "beside it against the width, for the plain network with Adam.",
    caption=f"The best rate against the depth at {width} units, and against the width at {shallow} "
    f"layers: geometric mean and 95 % t interval over {n_seeds} seeds.",
)

# %% tags=["nbval-ignore-output"]
best_rows = []
for kind in kinds:
    for depth in depths:
        arm = (kind, depth, width)
        chosen = losses(arm).argmin(axis=0)
        told = losses(arm, "test_loss")[chosen, np.arange(n_seeds)]
        moved = np.log2(best[arm] / best[kind, shallow, width])
        best_rows.append(
            {
                "network": kind,
                "layers": depth,
                "best rate": stats.geometric_interval(best[arm]).estimate,
                "doublings from the shallowest [95 %]": ""
                if depth == shallow
                else stats.mean_interval(moved),
                "lowest test loss [nats]": stats.geometric_interval(told).estimate,
            }
        )
display.table(
    best_rows,
    caption=f"Best rate by validation loss and test loss there, geometric means over {n_seeds} "
    "seeds; in doublings with 95 % t intervals.",
)
lowest = {
    kind: [r["lowest test loss [nats]"] for r in best_rows if r["network"] == kind]
    for kind in kinds
}
deeper_better = [kind for kind in kinds if lowest[kind][-1] < lowest[kind][0]]
display.say(
    f"From {shallow} to {deep} layers the lowest test loss falls in {len(deeper_better)} of "
    f"{len(kinds)} kinds: {'; '.join(deeper_better) or 'none'}."
)

# %% tags=["nbval-ignore-output"]
same, beyond = claims.level(TESTED, "equivalence"), claims.level(TESTED)
delta = claims.smallest_effect("exponent")
equal = (SCALED, DEPTH_MUP, SGD_SCALED)
each = {f"depth: {kind}": values for kind, values in powers.items()}
each |= {f"width: {PLAIN}": width_power}
levels = {f"depth: {kind}": same for kind in equal}
shown = {n: stats.mean_interval(values, levels.get(n, beyond)) for n, values in each.items()}
fig, ax = plots.figure(height=3.2)
plots.intervals(ax, shown, points=each)
plots.shade(ax, -delta, delta, "no dependence")
ax.axvline(-0.5, color="#777777", linestyle=":", label="one over the root")
ax.set(xlabel="power of the depth, or of the width, in the best rate")
ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
display.show(
    fig,
    alt="Powers of the depth in the best rate for each kind of network and optimizer, and that of "
    "the width, with intervals; a band marks what counts as 0.",
    caption=f"Power of the depth ({shallow} to {deep} layers) and of the width ({widths[0]} to "
    f"{widths[-1]} units) in the best rate, mean over {n_seeds} seeds and the interval that "
    f"decides: {100 * same:.3g} % where an exponent is claimed, {100 * beyond:.3g} % elsewhere. "
    "Strokes are seeds.",
    headline=True,
)

# %% [markdown]
# ### What the shallow network's rate costs the deep one

# %% tags=["nbval-ignore-output"]
carried = {}
for kind in (PLAIN, DEPTH_MUP):
    arm = (kind, shallow, width)
    carried[kind] = rates_of(arm)[int(np.log(losses(arm)).mean(axis=1).argmin())]
at_carried = train_many(
    {(kind, s): job((kind, deep, width), carried[kind], s) for kind in carried for s in seeds}
)


def regret(kind):
    """By seed: log ratio of the deepest's test loss at the carried rate to that at its best."""
    arm = (kind, deep, width)
    own = losses(arm, "test_loss")[losses(arm).argmin(axis=0), np.arange(n_seeds)]
    return stats.log_differences(at_carried.of(kind).array("test_loss"), own)


cost = {kind: regret(kind) for kind in carried}
extra = cost[PLAIN] - cost[DEPTH_MUP]
lost = sum(any(at_carried[kind, s].diverged for kind in carried) for s in seeds)
display.table(
    [
        {
            "network": kind,
            "the shallowest's best rate": carried[kind],
            "the deepest's": stats.geometric_interval(best[kind, deep, width]).estimate,
            "its cost [100 log, 95 %]": stats.mean_interval(100 * cost[kind]),
            "diverged": at_carried.of(kind).num_diverged,
        }
        for kind in carried
    ],
    caption=f"Test loss of {deep} layers at the rate (a point of the grid) that is best for "
    f"{shallow}, against that at the rate of their own that has the lowest validation loss within "
    f"each seed: log ratio times 100, mean over {n_seeds} seeds.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study of depth-muP:

# %% tags=["nbval-ignore-output"]
claims.power(
    power(PILOT, (shallow, deep)),
    "power of the depth in the best rate",
    within=delta,
    used=n_seeds,
    tested=TESTED,
)

# %%
FELL = "power of the depth"


def about(optimizer="Adam", metric="exponent", **rest):
    network = Setting(
        f"residual perceptrons of {shallow} to {deep} layers, {width} units, on MNIST-1D",
        optimizer,
        f"{updates} updates",
    )
    return About(network, metric=metric, **rest)


there = "there muP and a decay, images and many more updates"
made = [
    Claim.effect(
        "plain-falls",
        "Without scaling the best learning rate falls as the network gets deeper",
        values=powers[PLAIN],
        direction="less",
        unit=FELL,
        source="bordelon2024depthwise",
        published="hyperparameters do not transfer across depths",
        about=about(family="power of the depth", like="analogue", lost=there),
    ),
    *(
        Claim.equivalence(
            slug,
            statement,
            values=powers[kind] - expected,
            unit=FELL + (f", minus {expected:g}" if expected else "").replace("-", "−"),
            source=source,
            published=published,
            about=about(
                kind.partition(",")[0].replace("SGD", "SGD with momentum 0.9"),
                family="power of the depth",
                like="analogue",
                lost=missing,
            ),
        )
        for slug, statement, kind, expected, source, published, missing in (
            (
                "scaled-half",
                "With branches scaled by one over the root of the depth, and nothing else, the "
                "best learning rate falls as one over the root of the depth",
                SCALED,
                -0.5,
                "yang2024depth",
                "the parameter update is divided by the root of the depth",
                "the source says what to divide by, not what happens where it is left out",
            ),
            (
                "depth-mup-stays",
                "With branches and their rates divided by the root of the depth the best learning "
                "rate does not depend on the depth, a power of 0",
                DEPTH_MUP,
                0.0,
                "yang2024depth",
                "depthwise transfer of hyperparameters where a block has one layer",
                "there muP in the width, and up to 1,024 layers",
            ),
            (
                "scaled-sgd-stays",
                "With branches scaled by one over the root of the depth the best learning rate "
                "does not depend on the depth, a power of 0",
                SGD_SCALED,
                0.0,
                "bordelon2024depthwise",
                "optimal hyperparameters transfer across width and depth",
                there,
            ),
        )
    ),
    Claim.effect(
        "normed-falls",
        "With a normalisation in each branch, and no scaling, the best learning rate falls as the "
        "network gets deeper",
        values=powers[NORMED],
        direction="less",
        unit=FELL,
        about=about(family="power of the depth"),
    ),
    Claim.effect(
        "transfer",
        f"At the rate that is best for {shallow} layers, {deep} layers lose more against their "
        "best without scaling than in depth-muP",
        values=extra,
        direction="greater",
        diverged=lost,
        unit="log ratio of test losses",
        source="yang2024depth",
        published="depthwise transfer of hyperparameters where a block has one layer",
        about=about(metric="regret", like="analogue", lost="there muP in the width"),
    ),
    Claim.descriptive(
        "power-sgd-plain",
        "Power of the depth in the best learning rate without scaling",
        values=powers[SGD_PLAIN],
        unit=FELL,
        about=about("SGD with momentum 0.9", family="power of the depth"),
    ),
    Claim.descriptive(
        "power-of-width",
        "Power of the width in the best learning rate without scaling",
        values=width_power,
        unit="power of the width",
        about=About(
            Setting(
                f"residual perceptrons of {shallow} layers, {widths[0]} to {widths[-1]} units, on "
                "MNIST-1D",
                "Adam",
                f"{updates} updates",
            ),
            metric="exponent",
        ),
    ),
]
claims.conclude(made)


# %% tags=["nbval-ignore-output"]
def said(name):
    middle, low, high = (
        round(x, 2) + 0.0 for x in (shown[name].estimate, shown[name].low, shown[name].high)
    )
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]".replace("-", "−")


plain, normed = shown[f"depth: {PLAIN}"], shown[f"depth: {NORMED}"]
middles = {d: stats.geometric_interval(best[PLAIN, d, width]).estimate for d in depths}
against = [
    (d, shorter)
    for shorter, d in itertools.pairwise(depths)
    if (middles[d] - middles[shorter]) * plain.estimate < 0
]
bent = "".join(
    f" (no line: {a} layers' is {middles[a]:.2g}, {b} layers' {middles[b]:.2g})"
    for a, b in against[:1]
)
kept = {
    claims.rules.SEEN: "in depth-muP keep it",
    claims.rules.NOT_SEEN: "in depth-muP it cannot be kept either",
}.get(
    phrases.judged(made)["depth-mup-stays"].verdict,
    "in depth-muP it stays open whether it can be kept",
)
falling = [
    f"{2**-interval.estimate:.2f} ({name})"
    for name, interval in (("no normalisation", plain), ("with normalised branches", normed))
    if interval.high < -delta
]
display.answer(
    f"Residual perceptrons on MNIST-1D, {updates} updates, {shallow} to {deep} layers: Adam's best "
    f"learning rate goes as the depth to the power {said(f'depth: {PLAIN}')}{bent}, with "
    f"normalised branches {said(f'depth: {NORMED}')}, in depth-muP {said(f'depth: {DEPTH_MUP}')}; "
    f"as the width to the power {said(f'width: {PLAIN}')}. The shallowest's rate costs the "
    f"deepest, plain against depth-muP, {phrases.percent(extra, beyond)} of loss. What this means "
    "for you: "
    + (
        f"at twice the depth divide Adam's rate by {' or '.join(falling)}; {kept}."
        if falling
        else "these runs do not say that a deeper network needs another learning rate."
    ),
    claims=["plain-falls", "normed-falls", "depth-mup-stays", "transfer"],
)
