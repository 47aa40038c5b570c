# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Where does the spread of a result come from?
#     short_title: Sources of a result's spread
#     question: How much of a result's variance is initialisation, data order, and numerics?
#     tags: [calibration, noise, numerics, sgd, momentum, mnist1d]
#     smoke: {updates: 10, eval_every: 5, n_crossings: 2, pilot_crossings: 2, size: 2, workers: 1}
#     foretold:
#       - says: At the low rate the profiles differ five orders of magnitude less than the seeds do.
#         claims: not judged
#       - says: At the low rate initialisation has more of the variance than order.
#         claims: not judged
#       - says: At the high rate the difference of the profiles grows by ten in fifty updates.
#         claims: not judged
#       - says: "At the high rate each source alone, numerics too, has nearly the spread of all of
#           them together."
#         claims: not judged
# ---

# %% [markdown]
# # Where does the spread of a result come from? Initialisation, data order, numerics
#
# ## Question
#
# Two runs of one recipe differ by their initial weights, by the order of their data, and, on
# another processor, in the last bit of every sum. One study finds that "all sources of
# nondeterminism have similar effects on measures of model diversity", because training is unstable:
# even a change of one bit in the initial weights ends in other weights
# {cite}`summers2021nondeterminism` (its abstract, which is what we have read). Of measures of
# diversity ours is one, the spread of the test loss over runs; by how many predictions two runs
# differ, we did not measure.
#
# 1. How does the variance of the test loss part into initialisation, order, what the two have
#    together, and numerics?
# 2. Are the parts alike, at a low and at a high rate?
# 3. How fast does a difference in the last bit grow?
#
# ## Setup
#
# The perceptron of MNIST-1D, SGD with momentum 0.9 at a constant learning rate, batches of 100. A
# few seeds of the initial weights are crossed with as many of the data order, and each of these
# cells is trained under both numerics profiles: with the instructions of every x86-64 processor of
# the last ten years, and with the older ones that stand in for a processor of another kind. They
# compute the same sums in another order. The result of a run is the logarithm of its test loss at
# the end. Whole crossings are repeated with fresh seeds, and n counts crossings: within one, the
# cells of a row or column are not independent. (The first version took the rows of one large
# crossing for repetitions.)
#
# The components of variance are those of the balanced crossed design
# {cite}`burdick1992confidence`, one estimate for each crossing, with the t interval of their mean;
# numerics is what differs within a cell. The claims compare standard deviations by their
# logarithms, one for each crossing: over orders with the initial weights held, over initial weights
# with the order held, and between the profiles. "Similar" is within a factor of 2, fixed
# beforehand: half or twice the spread asks for a quarter or four times the seeds. A crossing
# with a run that diverges is left out, and counted.

# %% tags=["parameters"]
updates: int = 500  # [1..] updates of each run
low_rate: float = 0.01  # [0<..<high_rate] learning rate at which training is stable
high_rate: float = 0.1  # [low_rate<..] learning rate at which it is not
batch_size: int = 100  # [signals, 1..3500] in a batch
eval_every: int = 50  # [1..updates] updates between two evaluations
n_crossings: int = 10  # [2..500] crossings at each rate
size: int = 3  # [2..9] seeds of the initial weights, and of the data order, in a crossing
pilot_crossings: int = 4  # [2..500] of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
factor: float = 2.0  # [1<..] two standard deviations within this ratio are similar
workers: int | None = None  # [1..] processes that train; none given: one for each core

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks
from lrlab.claims import About, Setting
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


crossings = {name: (rate, n_crossings, first_seed) for name, rate in rates.items()}
crossings["pilot"] = (high_rate, pilot_crossings, first_seed + 20_000)
plan = {  # once under each profile
    (which, k, i, j): job(rate, first + 20 * k + i, first + 20 * k + 10 + j)
    for which, (rate, n, first) in crossings.items()
    for k, i, j in itertools.product(range(n), range(size), range(size))
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
blown = {key[:2] for each in runs.values() for key, run in each.items() if run.diverged}
kept = {
    which: [k for k in range(n) if (which, k) not in blown]
    for which, (_, n, _) in crossings.items()
}
if min(len(numbers) for numbers in kept.values()) < 2:
    raise RuntimeError("fewer than two crossings have no run that diverged: lower the rates")


def losses(profile, which):
    """Log test losses, shape (crossings, initial weights, orders, evaluations)."""
    found = runs[profile].of(which, kept[which])
    return np.log(found.array(lambda run: run.evals["test_loss"]))


curves = {which: np.stack([losses(p, which) for p in PROFILES], axis=3) for which in crossings}
ends = {which: curve[..., -1] for which, curve in curves.items()}
display.say(
    f"{len(PROFILES) * len(plan)} runs: {n_crossings} crossings of {size} initialisations × {size} "
    f"orders × {len(PROFILES)} profiles at {len(rates)} rates, and {pilot_crossings} of the pilot; "
    f"{len(blown) or 'none'} left out."
)

# %% tags=["nbval-ignore-output"]
NAMES = {
    "rows": "initialisation",
    "columns": "data order",
    "interaction": "initialisation × order",
    "within": "numerics",
}


def components(values):
    """Mean variance of each source, with the t interval over crossings."""
    each = [crossed(crossing) for crossing in values]
    return {
        source: stats.mean_interval([getattr(parts, source).estimate for parts in each])
        for source in NAMES
    }


def deviation(variance):
    return max(0.0, variance) ** 0.5


found = {name: components(ends[name]) for name in rates}
whole = {name: sum(max(0.0, part.estimate) for part in found[name].values()) for name in rates}
display.table(
    [
        {
            "learning rate": rates[name],
            "source": NAMES[source],
            "standard deviation": deviation(part.estimate),
            "95 % from": deviation(part.low),
            "to": deviation(part.high),
            "share of the variance [%]": 100 * max(0.0, part.estimate) / whole[name],
        }
        for name, parts in found.items()
        for source, part in parts.items()
    ],
    caption=f"Components of the log test loss after {updates} updates: standard deviations with "
    f"95 % intervals over {n_crossings} crossings.",
)
alone = {
    name: 100 * sum(max(0.0, parts[s].estimate) for s in ("interaction", "within")) / whole[name]
    for name, parts in found.items()
}
display.say(
    "A run with a seed and a processor of its own has a standard deviation of "
    f"{deviation(whole['low']):.3f} at the low rate and {deviation(whole['high']):.3f} at the high "
    "one. What no seed carries by itself, the interaction and numerics, is "
    f"{alone['low']:.2g} % of the variance at the low rate and {alone['high']:.0f} % at the high "
    "one."
)

# %% tags=["nbval-ignore-output"]
smallest, edge = 1e-8, 1e-6  # the first is below what float32 resolves in a loss
fig, axes = plots.figure(1, 2, width=9.8, height=3.6)
rows = np.arange(len(NAMES))[::-1]
for style, (shift, (name, parts)) in plots.styled(zip((0.12, -0.12), found.items(), strict=True)):
    centre, lower, upper = (
        np.array([max(smallest, value) for value in column])
        for column in (
            [deviation(part.estimate) for part in parts.values()],
            [deviation(part.low) for part in parts.values()],
            [deviation(part.high) for part in parts.values()],
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
steps = runs["portable"]["low", kept["low"][0], 0, 0].evals["step"][1:]
for style, name in plots.styled(rates):
    apart = np.abs(curves[name][:, :, :, 0] - curves[name][:, :, :, 1])
    apart = apart.reshape(-1, apart.shape[-1])[:, 1:]
    quartiles = np.quantile(np.maximum(apart, smallest), [0.25, 0.5, 0.75], axis=0)
    plots.band(axes[1], steps, quartiles, label=f"rate {rates[name]:g}", **style)
axes[1].set(
    yscale="log", xlabel="update", ylabel="|difference of log test losses|", ylim=(smallest / 2, 1)
)
axes[1].legend()
display.show(
    fig,
    alt="Left: standard deviations of the four sources at two rates. Right: difference between the "
    "two numerics profiles over training, at both rates.",
    caption=f"Left: components of the standard deviation after {updates} updates with 95 % "
    f"intervals over {n_crossings} crossings; one that reaches the left edge goes down to zero. "
    f"Right: the same run under two numerics profiles, median and quartiles over {len(apart)} "
    "pairs; a difference of zero is drawn at 1e-8.",
    headline=True,
)

# %% [markdown]
# ## Verdict
#
# How many crossings it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def log_rms(variances):
    """Half the logarithm of the mean over everything but the crossings."""
    return 0.5 * np.log(np.maximum(variances.reshape(len(variances), -1).mean(1), smallest**2))


def order_spread(values):
    """Log standard deviation over orders, under the first profile, one for each crossing."""
    return log_rms(values[..., 0].var(axis=2, ddof=1))


def init_spread(values):
    """That over initial weights, with the order held."""
    return log_rms(values[..., 0].var(axis=1, ddof=1))


def numerics_spread(values):
    """That between the profiles."""
    return log_rms((values[..., 0] - values[..., 1]) ** 2 / 2)


tested, room = 5, float(np.log(factor))
sources = {"init-order": init_spread, "numerics": numerics_spread}
apart = {
    (what, name): spread(ends[name]) - order_spread(ends[name])
    for name in rates
    for what, spread in sources.items()
}
for what, spread in sources.items():
    claims.power(
        spread(ends["pilot"]) - order_spread(ends["pilot"]),
        f"log ratio of standard deviations ({what}, high rate)",
        within=room,
        used=len(kept["high"]),
        tested=tested,
        unit="crossings",
    )


# %%
def about(name, like="analogue", metric=""):
    rate = "" if name is None else f" at {rates[name]:g}"
    return About(
        Setting("perceptron on MNIST-1D", f"SGD with momentum 0.9{rate}", f"{updates} updates"),
        metric=metric,
        replication="crossings",
        family="one source of noise beside another" if like else "",
        like=like,
        lost="" if like is None else "its measures of diversity; ours is the spread of the loss",
        reason=""
        if metric
        else "half or twice the spread asks for a quarter or four times the seeds",
    )


says = {"init-order": "The initial weights alone", "numerics": "Numerics alone"}
both = [k for k in kept["low"] if k in kept["high"]]
low, high = ([kept[name].index(k) for k in both] for name in rates)
grown = numerics_spread(ends["high"])[high] - numerics_spread(ends["low"])[low]
unit = "log ratio of standard deviations"
claims.conclude(
    [
        *(
            Claim.equivalence(
                f"{what}-{name}",
                f"{says[what]} and the data order alone spread the test loss alike",
                values=values,
                margin=room,
                unit=unit,
                source="summers2021nondeterminism",
                published="all sources have similar effects on measures of model diversity",
                about=about(name),
            )
            for (what, name), values in apart.items()
        ),
        Claim.effect(
            "amplified",
            f"The profiles differ more at the learning rate {high_rate:g} than at {low_rate:g}",
            values=grown,
            direction="greater",
            delta=room,
            unit=unit,
            about=about(None, None),
        ),
        Claim.descriptive(
            "no-better-profile",
            "Difference of the log test losses under the two profiles.",
            values=(ends["high"][..., 0] - ends["high"][..., 1]).mean((1, 2)),
            unit="log ratio of test losses",
            about=about("high", None, "test loss"),
        ),
    ]
)

# %% tags=["nbval-ignore-output"]
level = claims.level(tested, "equivalence")
times = {key: stats.geometric_interval(np.exp(values), level) for key, values in apart.items()}


def said(what, name):
    x = times[what, name]
    return f"{x.estimate:.2g} [{x.low:.2g}, {x.high:.2g}]"


numerics = times["numerics", "high"]
if numerics.low > 1 / factor:
    advice = "at large learning rates the same seed on another processor is another run"
elif numerics.high < 1 / factor:
    advice = "a fixed seed on another processor differs less than another seed does"
else:
    advice = "at a large rate don't count on a fixed seed for the same result on another processor"
display.answer(
    f"At a learning rate of {low_rate:g} the initial weights spread the test loss "
    f"{said('init-order', 'low')} times as much as the data order does, numerics "
    f"{said('numerics', 'low')} times; at {high_rate:g} it is {said('init-order', 'high')} and "
    f"{said('numerics', 'high')} times. What this means for you: "
    f"{advice}; repeat with several seeds.",
    claims=["init-order-low", "init-order-high", "numerics-low", "numerics-high"],
)
