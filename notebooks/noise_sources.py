# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Where the spread of a result comes from
#     question: How much of a result's variance is initialisation, data order, and numerics?
#     tags: [calibration, noise, numerics, sgd, momentum, mnist1d]
#     smoke: {updates: 20, eval_every: 10, n_seeds: 2, pilot_seeds: 2, workers: 1}
# ---

# %% [markdown]
# # Where the spread of a result comes from: initialisation, data order, numerics
#
# ## Question
#
# Two runs of one recipe differ by their initial weights, by the order of their data, and, on
# another processor, in the last bit of every sum. One study finds that "all sources of
# nondeterminism have similar effects", because training is unstable: even a change of one bit in
# the initial weights ends in other weights {cite}`summers2021nondeterminism`.
#
# 1. How does the variance of the test loss part into initialisation, order, what the two have
#    together, and numerics?
# 2. Are the parts alike, at a low and at a high rate?
# 3. How fast does a difference in the last bit grow?
#
# ## Setup
#
# The perceptron of MNIST-1D, SGD with momentum 0.9 at a constant rate, batches of 100. Seeds of the
# initial weights are crossed with seeds of the data order, and each of these cells is trained under
# both numerics profiles: with the instructions of every x86-64 processor of the last ten years, and
# with the older ones that stand in for a processor of another kind. They compute the same sums in
# another order. What counts is the logarithm of the test loss at the end.
#
# The components of variance are those of the balanced crossed design, with 95 % intervals by the
# modified large-sample method {cite}`burdick1992confidence`; numerics is what differs within a
# cell. The claims compare standard deviations by their logarithms: for each initialisation, the
# spread over orders; for each order, that over initialisations; for each initialisation, that of
# the profiles. "Similar" is within a factor of 2, fixed beforehand.

# %% tags=["parameters"]
updates: int = 500  # [1..] updates of each run
low_rate: float = 0.01  # [0<..<high_rate] learning rate at which training is stable
high_rate: float = 0.1  # [low_rate<..] learning rate at which it is not
batch_size: int = 100  # [signals, 1..3500] in a batch
eval_every: int = 50  # [1..updates] updates between two evaluations
n_seeds: int = 8  # [2..100] seeds of the initial weights, and of the data order
pilot_seeds: int = 3  # [2..100] of each in the pilot, used for nothing else
factor: float = 2.0  # [1<..] two standard deviations within this ratio are similar
amplified: float = 10.0  # [1<..] ratio of the profiles' differences at the two rates that matters
workers: int | None = None  # [1..] processes that train; none given: one for each core

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks
from lrlab.experiments.noise_sources.components import crossed
from lrlab.experiments.noise_sources.elsewhere import train_under_profile
from lrlab.optimizers import SGD
from lrlab.schedules import Constant

plots.use_style()

PROFILES = ("portable", "foreign")
rates = {"low": low_rate, "high": high_rate}
task = tasks.get("mnist1d")


def job(rate, init_seed, order_seed):
    return Job(
        task,
        Recipe(
            schedule=Constant(rate),
            steps=updates,
            batch_size=batch_size,
            optimizer=SGD(momentum=0.9),
            init_seed=init_seed,
            order_seed=order_seed,
            eval_every=eval_every,
        ),
    )


seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
crossings = {name: (rate, seeds) for name, rate in rates.items()} | {"pilot": (high_rate, pilots)}
plan = {  # once under each profile
    (which, i, 100 + j): job(rate, i, 100 + j)
    for which, (rate, group) in crossings.items()
    for i, j in itertools.product(group, repeat=2)
}
later = {"the same under the other profile": len(plan)}

# %% [markdown]
# ## Prediction
#
# Written after a look at two seeds under both profiles, and before these runs. At the low rate the
# profiles differ by a few 1e-7, five orders of magnitude below the seeds; initialisation has more
# of the variance than order. At the high rate the difference of the profiles grows by a factor of
# ten in fifty updates, and at the end each source alone, numerics too, has nearly the spread of all
# of them together: most of the variance is in the interaction and in numerics.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = {profile: train_under_profile(profile, plan, n_jobs=workers) for profile in PROFILES}

# %%
# Log test losses, shape (initialisations, orders, profiles, evaluations), by rate.
num_diverged = sum(each.num_diverged for each in runs.values())
if num_diverged:
    raise RuntimeError(f"{num_diverged} runs diverged: lower the rates")
curves = {
    which: np.log(
        np.stack(
            [runs[p].of(which).array(lambda run: run.evals["test_loss"]) for p in PROFILES], axis=2
        )
    )
    for which in crossings
}
ends = {which: curve[..., -1] for which, curve in curves.items()}
display.say(
    f"{len(PROFILES) * len(plan)} runs: {n_seeds} initialisations × {n_seeds} orders × "
    f"{len(PROFILES)} profiles × {len(rates)} rates, and "
    f"{len(PROFILES) * pilot_seeds**2} of the pilot study."
)

# %% tags=["nbval-ignore-output"]
NAMES = {
    "rows": "initialisation",
    "columns": "data order",
    "interaction": "initialisation × order",
    "within": "numerics",
}
found = {name: crossed(ends[name]) for name in rates}
display.table(
    [
        {
            "rate": rates[name],
            "source": NAMES[source],
            "standard deviation": component.deviation,
            "95 % from": component.low**0.5,
            "to": component.high**0.5,
            "share of the variance [%]": 100 * parts.shares()[source],
        }
        for name, parts in found.items()
        for source, component in ((source, getattr(parts, source)) for source in NAMES)
    ],
    caption=f"Components of the log test loss after {updates} updates, {n_seeds} initialisations × "
    f"{n_seeds} orders × {len(PROFILES)} profiles: standard deviations with 95 % intervals.",
)
whole = {
    name: sum(getattr(parts, source).deviation ** 2 for source in NAMES) ** 0.5
    for name, parts in found.items()
}
alone = {
    name: 100 * (1 - parts.shares()["rows"] - parts.shares()["columns"])
    for name, parts in found.items()
}
display.say(
    f"A run with a seed and a processor of its own has a standard deviation of {whole['low']:.3f} "
    f"at the low rate and {whole['high']:.3f} at the high one. What no seed carries by itself, the "
    f"interaction and numerics, is {alone['low']:.2g} % of the variance at the low rate and "
    f"{alone['high']:.0f} % at the high one."
)

# %% tags=["nbval-ignore-output"]
smallest, edge = 1e-8, 1e-6  # the first is below what float32 resolves in a loss
fig, axes = plots.figure(1, 2, width=9.8, height=3.6)
rows = np.arange(len(NAMES))[::-1]
for style, (shift, (name, parts)) in plots.styled(zip((0.12, -0.12), found.items(), strict=True)):
    each = [getattr(parts, source) for source in NAMES]
    centre, lower, upper = (
        np.array([max(smallest, value) for value in column])
        for column in (
            [c.deviation for c in each],
            [c.low**0.5 for c in each],
            [c.high**0.5 for c in each],
        )
    )
    axes[0].errorbar(
        centre,
        rows + shift,
        xerr=[centre - lower, upper - centre],
        fmt="o",
        capsize=3,
        color=style["color"],
        label=f"rate {rates[name]:g}",
    )
axes[0].set(xscale="log", xlabel="standard deviation of the log test loss", xlim=(edge, 1))
axes[0].set_yticks(rows, list(NAMES.values()))
axes[0].set_ylim(-0.6, len(NAMES) - 0.4)
axes[0].grid(axis="y", visible=False)
axes[0].legend(loc="upper left")
steps = runs["portable"]["low", 0, 100].evals["step"][1:]
for style, name in plots.styled(rates):
    apart = np.abs(curves[name][:, :, 0] - curves[name][:, :, 1]).reshape(n_seeds**2, -1)[:, 1:]
    quartiles = np.quantile(np.maximum(apart, smallest), [0.25, 0.5, 0.75], axis=0)
    plots.band(axes[1], steps, quartiles, label=f"rate {rates[name]:g}", **style)
axes[1].set(
    yscale="log", xlabel="update", ylabel="|difference of log test losses|", ylim=(smallest / 2, 1)
)
axes[1].legend()
display.show(
    fig,
    alt="Left: standard deviations of the four sources at two rates. Right: difference between the "
    "two numerics profiles over training, flat at the low rate, growing by orders of magnitude at "
    "the high one.",
    caption=f"Left: components of the standard deviation after {updates} updates with 95 % "
    f"intervals; one that reaches the left edge goes down to zero, and that of numerics takes its "
    f"differences as normal, which have longer tails. Right: the same run under two "
    f"numerics profiles, median and quartiles over {n_seeds**2} pairs; a difference of zero is "
    "drawn at 1e-8.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def log_spread(values, axis):
    """Logarithm of the standard deviation along an axis."""
    return np.log(np.maximum(np.std(values, axis=axis, ddof=1), smallest))


def numerics_spread(values):
    """Logarithm of the standard deviation between profiles, one for each initialisation."""
    squares = (values[..., 0] - values[..., 1]) ** 2 / 2
    return np.log(np.maximum(np.sqrt(squares.mean(1)), smallest))


def order_spread(values):
    """That over orders under the first profile, one for each initialisation."""
    return log_spread(values[..., 0], 1)


def init_spread(values):
    """That over initialisations under the first profile, one for each order."""
    return log_spread(values[..., 0], 0)


# A log standard deviation of n values has one of about 1 / √(2 (n − 1)), and a difference √2 more.
tested = 6
room = float(np.log(factor))
power = {
    n: stats.equivalence_power(room, (n - 1) ** -0.5, n, alpha=0.05 / tested) for n in range(5, 16)
}
enough = next((n for n, p in power.items() if p >= 0.8), max(power))
pilot = crossed(ends["pilot"])
display.say(
    f"The pilot, {pilot_seeds} × {pilot_seeds} × {len(PROFILES)} runs at the high rate: standard "
    f"deviation {np.exp(order_spread(ends['pilot']).mean()):.3f} over orders, "
    f"{np.exp(init_spread(ends['pilot']).mean()):.3f} over initialisations, "
    f"{pilot.within.deviation:.3f} between profiles. To show two standard deviations to be within "
    f"a factor of {factor:g} with power 0.8, {tested} claims sharing an error rate of 5 %, takes "
    f"{enough} seeds of each if they are equal; {n_seeds} were used."
)

# %%
source, published = "summers2021nondeterminism", "all sources have similar effects"
unit = "log ratio of standard deviations"
claims.conclude(
    [
        Claim.equivalence(
            f"init-order-{name}",
            "The data order alone and the initialisation alone spread the "
            f"result alike, {name} rate.",
            values=init_spread(ends[name]) - order_spread(ends[name]),
            margin=room,
            unit=unit,
            source=source,
            published=published,
        )
        for name in rates
    ]
    + [
        Claim.equivalence(
            f"numerics-{name}",
            f"Numerics alone and the data order alone spread the result alike, {name} rate.",
            values=numerics_spread(ends[name]) - order_spread(ends[name]),
            margin=room,
            unit=unit,
            source=source,
            published=published,
        )
        for name in rates
    ]
    + [
        Claim.effect(
            "amplified",
            "The profiles differ more at the high rate than at the low one.",
            values=numerics_spread(ends["high"]) - numerics_spread(ends["low"]),
            direction="greater",
            delta=float(np.log(amplified)),
            unit=unit,
        ),
        Claim.equivalence(
            "no-better-profile",
            "Neither profile ends lower, high rate.",
            values=(ends["high"][..., 0] - ends["high"][..., 1]).mean(1),
            margin=0.05,
            unit="log ratio of test losses, mean over orders",
        ),
    ]
    + [
        Claim.descriptive(
            f"share-{name}-{NAMES[part].replace(' × ', '-').replace(' ', '-')}",
            f"Share of the variance: {NAMES[part]}, {name} rate.",
            values=[found[name].shares()[part]],
            unit="share",
        )
        for name in rates
        for part in NAMES
    ]
)
