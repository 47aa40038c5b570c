# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does the best learning rate change as a network gets wider?
#     short_title: The best rate as width grows
#     question: Does the best learning rate stay put under muP where the standard one falls?
#     tags: [calibration, mup, width, adam, mnist1d]
#     smoke: {updates: 20, widths: [32, 64], log_rates: [-7, -6, -5], n_seeds: 2, pilot_seeds: 2}
#     foretold:
#       - says: Under muP the best rate moves by less than half a doubling.
#         claims: {mup-stays: seen here}
#       - says: Under the standard parametrisation it falls by about two and a half.
#         claims: not judged
#       - says: "At the rate that is best for width 32, width 512 ends more than a third above its
#           best in the standard parametrisation, and at its best in muP."
#         claims: not judged
#       - says: In muP the largest power of the width is about 0.
#         claims: {coordinates-mup: seen here}
# ---

# %% [markdown]
# # Does the best learning rate change as a network gets wider?
#
# ## Question
#
# Tune a small model, train a large one at the same rate: with the usual initialisation and one rate
# for all layers that fails, because the best rate falls as the model gets wider. In the maximal
# update parametrisation, muP, the best rate stays where it is {cite}`yang2022tensor`.
#
# 1. From width 32 to width 512, how far does the best rate of Adam move in either?
# 2. What does it cost to train the widest at the rate that is best for the narrowest?
# 3. Is muP put together right: does no layer's output move further because it is wider?
#
# ## Setup
#
# A perceptron with two hidden layers of n units on MNIST-1D, Adam, a constant rate η. At n = 32
# both parametrisations are the same network and the same training, bit for bit. As n grows, muP
# multiplies the rate of the hidden layer's weights and the output layer's product by 32/n, and
# keeps the standard deviation of the output layer's weights, where the standard one has √(1/n)
# {cite}`yang2022tensor`. Everything else is shared.
#
# The loss is the training loss, as in the original: the mean over the last tenth of the updates.
# The best rate of a seed is the lowest point of its curve, between the points of the grid; how it
# depends on the width is the power of the width that fits its logarithms best. It stays put if that
# power is 0 to within a tenth. So does what a few updates change in a layer's output: in theory its
# power of the width is 0 in muP and up to 1 in the standard parametrisation.

# %% tags=["parameters"]
widths: list[int] = [32, 128, 512]  # [units, 2.. of 1.. rising] of each hidden layer
updates: int = 100  # [1..] updates of a run
log_rates: list[int] = [-10, -9, -8, -7, -6, -5, -4]  # [doublings, 3.. of -40..10 rising]
# rates, as powers of two
batch_size: int = 100  # [signals, 1..3500] in a batch
check_updates: int = 4  # [1..] updates before the coordinate check
check_log_rate: int = -7  # [doublings, -40..10] its rate, as a power of two
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 4  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import joblib
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.mup.coordinates import coordinate_change, width_exponent
from lrlab.experiments.mup.width_task import Mnist1DWidth
from lrlab.labbook import phrases
from lrlab.labbook.tuned import best_rate
from lrlab.optimizers import Adam
from lrlab.schedules import Constant
from lrlab.training import parallel

plots.use_style()

if len(log_rates) < 3 or log_rates != list(range(log_rates[0], log_rates[-1] + 1)):
    raise ValueError(f"log_rates must be three or more in a row, got log_rates={log_rates}")
narrow, wide = widths[0], widths[-1]
kinds = {"standard": "standard", "mup": "muP"}
rates = 2.0 ** np.array(log_rates)
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def task(kind, width):
    return Mnist1DWidth(width=width, parametrisation=kind, base_width=narrow)


def recipe(kind, width, rate, seed):
    return Recipe(
        schedule=Constant(float(rate)),
        steps=updates,
        batch_size=batch_size,
        optimizer=Adam(),
        seed=seed,
        eval_every=0,
        lr_ratios=task(kind, width).lr_ratios,
    )


plan = {
    (kind, width, seed, rate): Job(task(kind, width), recipe(kind, width, rate, seed))
    for kind in kinds
    for width in widths
    for seed in (*seeds, *(pilots if width in (narrow, wide) else ()))
    for rate in rates
    if (kind, width) != ("mup", narrow)
}
checks = [(kind, width, seed) for kind in kinds for width in widths for seed in seeds]
later = {"coordinate checks": len(checks)}

# %% [markdown]
# ## Prediction
#
# Written after a first look with one seed, and before these runs. Under muP the best rate moves by
# less than half a doubling, under the standard parametrisation it falls by about two and a half,
# less than the four that "inversely with the width" would be. At the rate that is best for width
# 32, width 512 ends more than a third above its best in the standard parametrisation, and at its
# best in muP. In muP the largest power of the width is about 0. ("Stays put" was then within one
# doubling over the whole range, a power of ¼; now it is a tenth, the smallest power that counts.)
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


def changed(kind, width, seed):
    found = coordinate_change(
        task(kind, width), recipe(kind, width, 2.0**check_log_rate, seed), check_updates
    )
    return (kind, width, seed), found


moved = dict(parallel.in_parallel(joblib.delayed(changed)(*check) for check in checks))

# %%
display.say(
    f"{len(runs)} runs of {updates} updates: {len(widths)} widths, {len(rates)} rates, {n_seeds} "
    f"paired seeds, two parametrisations that share the smallest width; {pilot_seeds} pilot seeds "
    f"at the smallest and the largest width. {len(checks)} coordinate checks after {check_updates} "
    "updates."
)

# %% tags=["nbval-ignore-output"]
last = max(1, updates // 10)


def end(run):
    """Training loss over the last tenth; as guessing where the run diverged."""
    return run.chance["loss"] if run.diverged else run.loss[-last:].mean()


loss = {arm: runs.of(*arm).array(end) for arm in dict.fromkeys(key[:3] for key in runs)}
loss |= {("mup", *key[1:]): curve for key, curve in loss.items() if key[1] == narrow}
best = {key: best_rate(rates, curve) for key, curve in loss.items()}

fig, axes = plots.figure(1, 2, height=3.8, sharey=True)
for ax, (kind, name) in zip(axes, kinds.items(), strict=True):
    curves = {
        f"width {width}": stats.band([loss[kind, width, s] for s in seeds], scale="log")
        for width in widths
    }
    plots.bands(ax, rates, curves)
    for style, width in plots.styled(widths):
        where = stats.geometric_interval([best[kind, width, s] for s in seeds]).estimate
        lowest = stats.geometric_interval([min(loss[kind, width, s]) for s in seeds]).estimate
        ax.plot(
            where,
            lowest,
            "o",
            markersize=8,
            markerfacecolor="white",
            zorder=4,
            markeredgewidth=1.6,
            color=style["color"],
        )
    ax.set(xscale="log", yscale="log", xlabel="learning rate η", title=name)
    ax.set_xticks(rates[::2], [f"{rate:.2g}" for rate in rates[::2]])
    ax.set_xticks([], minor=True)
axes[0].set_ylabel("training loss at the end (nats)")
axes[1].legend()
display.show(
    fig,
    alt="Training loss against the rate, one curve for each width with a circle at its lowest "
    "point; on the left in the standard parametrisation, on the right in muP.",
    caption="Training loss over the last tenth of the updates against the rate, geometric mean and "
    f"95 % t interval over {n_seeds} seeds. Circles: the best rate and the lowest loss, geometric "
    "means of the seeds.",
)


# %% tags=["nbval-ignore-output"]
def drift(kind, width=wide):
    """Doublings from the best rate of the narrowest to that of a width, seed by seed."""
    return np.log2([best[kind, width, s] / best[kind, narrow, s] for s in seeds])


def power(kind, group=seeds, over=widths):
    """The power of the width in the best rate, seed by seed."""
    return np.array([width_exponent(over, [best[kind, w, s] for w in over]) for s in group])


layers = list(next(iter(moved.values())))
powers = {
    (kind, layer): [
        width_exponent(widths, [moved[kind, w, s][layer] for w in widths]) for s in seeds
    ]
    for kind in kinds
    for layer in layers
}
fig, axes = plots.figure(1, 3, height=3.5)
for style, (kind, name) in plots.styled(kinds.items()):
    each = [[best[kind, w, s] for w in widths] for s in seeds]
    plots.band(axes[0], widths, stats.band(each, scale="log"), marker="o", label=name, **style)
    for ax, layer in zip(axes[1:], ("hidden", "output"), strict=True):
        values = [[moved[kind, w, s][layer] for w in widths] for s in seeds]
        plots.band(ax, widths, stats.band(values, scale="log"), marker="o", label=name, **style)
        ax.set(title=f"{layer} layer", yscale="log")
        ax.set_ylabel("change of a unit's output")
axes[0].set(title="best rate", yscale="log", ylabel="learning rate η")
axes[0].set_yticks(rates, [f"{rate:.2g}" for rate in rates])
axes[0].set_yticks([], minor=True)
axes[0].legend()
for ax in axes:
    ax.set(xscale="log", xlabel="width (units)")
    plots.ticks(ax.xaxis, widths)
display.show(
    fig,
    alt="Against the width, in the standard parametrisation and in muP: left the best rate, middle "
    "and right how far a few updates move the output of the hidden and the output layer.",
    caption="Left: the best rate against the width, geometric mean. Middle and right: coordinate "
    f"check, root mean square of the change of a layer's output after {check_updates} updates at "
    f"η = {2.0**check_log_rate:.2g}, before the ReLU. Bands: 95 % t intervals over {n_seeds} "
    "seeds.",
)

# %% tags=["nbval-ignore-output"]
edges = sum(best[kind, w, s] in (rates[0], rates[-1]) for kind, w, s in checks)
display.table(
    [
        {
            "parametrisation": name,
            "width": width,
            "best rate": stats.geometric_interval([best[kind, width, s] for s in seeds]).estimate,
            "doublings from the narrowest [95 %]": ""
            if width == narrow
            else stats.mean_interval(drift(kind, width)),
            "lowest loss [nats]": np.mean([min(loss[kind, width, s]) for s in seeds]),
        }
        for kind, name in kinds.items()
        for width in widths
    ],
    caption=f"Best rate and lowest training loss, means over {n_seeds} seeds, "
    f"with 95 % t intervals. In {edges} of {len(checks)} curves the best rate is at an end of the "
    "grid.",
)
display.table(
    [
        {"layer": layer}
        | {name: stats.mean_interval(powers[kind, layer]) for kind, name in kinds.items()}
        for layer in layers
    ],
    digits=4,
    caption="Power of the width in the change of a layer's output, with 95 % t interval.",
)


# %% tags=["nbval-ignore-output"]
def largest_power(kind):
    return np.max([powers[kind, layer] for layer in layers], axis=0)


tested, delta = 6, claims.smallest_effect("exponent")
each = {f"best rate, {name}": power(kind) for kind, name in kinds.items()}
each |= {f"largest change, {name}": largest_power(kind) for kind, name in kinds.items()}
same, beyond = claims.level(tested, "equivalence"), claims.level(tested)
levels = {name: same if "muP" in name else beyond for name in each}
shown = {name: stats.mean_interval(values, levels[name]) for name, values in each.items()}
fig, ax = plots.figure(height=2.4)
plots.intervals(ax, shown, points=each)
plots.shade(ax, -delta, delta, "no dependence on the width")
ax.set(xlabel="power of the width")
ax.legend(loc="best")
display.show(
    fig,
    alt="Powers of the width in the best rate and in the largest change of a layer's output, in "
    "the standard parametrisation and in muP, with intervals; a band marks what counts as 0.",
    caption=f"Power of the width, mean over {n_seeds} seeds and the interval that decides: "
    f"{100 * same:.3g} % for muP, where 0 is claimed, {100 * beyond:.3g} % for the standard "
    "parametrisation. Strokes are seeds.",
    headline=True,
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for asked, (kind, name) in zip(({"beyond": delta}, {"within": delta}), kinds.items(), strict=True):
    pilot = power(kind, pilots, (narrow, wide))
    claims.power(
        pilot, f"power of the width in the best rate, {name},", used=n_seeds, tested=tested, **asked
    )

# %% tags=["nbval-ignore-output"]
at = int(np.argmin(np.mean([loss["standard", narrow, s] for s in seeds], axis=0)))
display.say(f"The rate that is best for width {narrow}, on the grid: {rates[at]:.2g}.")


def regret(kind):
    """Log ratio of the widest's loss at the narrowest's best rate to its lowest loss."""
    return np.log([loss[kind, wide, s][at] / min(loss[kind, wide, s]) for s in seeds])


def blown(kind, width):
    """Seeds of which the run at this rate diverged."""
    kind = "standard" if width == narrow else kind
    return {s for s in seeds if runs[kind, width, s, rates[at]].diverged}


def about(metric):
    network = Setting(
        f"perceptrons of width {narrow} to {wide} on MNIST-1D", "Adam", f"{updates} updates"
    )
    return About(network, metric=metric, like="analogue")


extra = regret("standard") - regret("mup")

# %%
claims.conclude(
    [
        Claim.equivalence(
            "mup-stays",
            "In muP the best learning rate does not depend on the width, a power of 0",
            values=power("mup"),
            unit="of the power",
            published="the best rate is stable as width grows",
            about=about("exponent"),
        ),
        Claim.effect(
            "standard-falls",
            "In the standard parametrisation the best learning rate falls with the width",
            values=power("standard"),
            direction="less",
            unit="of a power of the width",
            published="the best rate falls as width grows",
            about=about("exponent"),
        ),
        Claim.effect(
            "transfer",
            "At the rate that is best for the narrowest, the widest loses more against its best in "
            "the standard parametrisation than in muP",
            values=extra,
            direction="greater",
            diverged=len(blown("standard", wide) | blown("mup", wide)),
            unit="log ratio of training losses",
            published="rates tuned on a small model transfer in muP",
            about=about("regret"),
        ),
        Claim.effect(
            "wider-is-better",
            "In muP, at one rate, the widest ends lower than the narrowest",
            values=stats.log_differences(
                *([loss["mup", w, s][at] for s in seeds] for w in (wide, narrow))
            ),
            direction="less",
            diverged=len(blown("mup", wide) | blown("mup", narrow)),
            unit="log ratio of training losses",
            published="wider is better throughout training",
            about=about("train loss"),
        ),
        Claim.equivalence(
            "coordinates-mup",
            "In muP no layer's output moves further because it is wider: the largest power of the "
            "width in its change is 0",
            values=largest_power("mup"),
            unit="of the power",
            published="no layer blows up with width",
            about=about("exponent"),
        ),
        Claim.effect(
            "coordinates-standard",
            "In the standard parametrisation some layer's output moves further as it gets wider",
            values=largest_power("standard"),
            direction="greater",
            unit="of a power of the width",
            published="logits blow up with width",
            about=about("exponent"),
        ),
    ],
    source="yang2022tensor",
)

# %% tags=["nbval-ignore-output"]


def stated(power):
    """A power of the width with its interval."""
    ends = f"{power.estimate:.2f} [{power.low:.2f}, {power.high:.2f}]".replace("-", "−")
    return f"{ends} ({100 * power.level:.1f} %)"


falls, stays = (shown[f"best rate, {name}"] for name in kinds.values())
display.answer(
    f"Perceptrons on MNIST-1D, {updates} updates: from width {narrow} to {wide} the best learning "
    f"rate of Adam goes as the width to the power {stated(falls)}, in muP to the power "
    f"{stated(stays)}. Trained at the narrowest's best rate, the widest gives away, in the "
    f"standard parametrisation compared with muP, {phrases.percent(extra, beyond)} of training "
    f"loss ({100 * beyond:.1f} %). "
    + (
        "What this means for you: in the standard one divide the learning rate by "
        f"{2**-falls.estimate:.1f} for each doubling of the width, or use muP."
        if falls.high < 0
        else "Whether to lower the learning rate in the standard one stays open."
    ),
    claims=["standard-falls", "mup-stays", "transfer"],
)
