# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Large batches
#     question: How should the rate grow with the batch, and does it need a warmup?
#     tags: [calibration, batch, warmup, sgd, momentum, quadratic, mnist1d]
#     smoke: {quad_examples: 512, quad_batches: [4, 16, 64], examples: 2560,
#       batches: [64, 128, 256], base_rates: [0.05, 0.1, 0.2], n_seeds: 2, tuning_seeds: 1,
#       pilot_seeds: 2}
# ---

# %% [markdown]
# # Large batches: linear or square root, with or without a warmup?
#
# ## Question
#
# "When the minibatch size is multiplied by k, multiply the learning rate by k", with a gradual
# warmup: so batches from 256 to 8,192 ended at one accuracy on ImageNet {cite}`goyal2017accurate`.
# An older rule takes the square root of k. Lecture notes list training with large batches as one
# more thing to know {cite}`mtdickens2024`.
#
# 1. On a noisy quadratic: does training do what the closed form says of both rules?
# 2. On MNIST-1D at equal numbers of examples: up to which batch does linear scaling hold?
# 3. Does a warmup move that limit?
# 4. Does the square root do worse?
#
# ## Setup
#
# *Quadratic*: 256 weights, curvatures from 1 down to 0.01, a noise of the gradient that falls with
# the batch {cite}`zhang2019algorithmic`; plain SGD at constant rates. *MNIST-1D*: the perceptron,
# SGD with momentum 0.9 under a cosine. In both, every batch sees the same number of examples, and
# the rate is the best one at the smallest batch, scaled: of the quadratic by its closed form, of
# MNIST-1D by the validation error on tuning seeds. The warmup rises linearly from 0 in the first
# tenth of the updates; ImageNet's took 5 epochs of 90. What counts is the share of wrong answers on
# the 1,000 test signals. Rules and margins were fixed beforehand. What the largest useful batch is
# when each batch has its own best rate, the entry *The critical batch* asks.

# %% tags=["parameters"]
quad_batches: list[int] = [4, 8, 16, 32, 64, 128, 256, 512]  # [examples, 2.. of 1.. rising]
# batches of the quadratic
quad_examples: int = 4096  # [examples, 1..] seen by each of its runs, a multiple of all batches
examples: int = 71_680  # [signals, 1..] seen by each run on MNIST-1D, a multiple of all batches
batches: list[int] = [64, 128, 256, 512, 1024]  # [signals, 2.. of 1..3500 rising]
# batches, the first is the base
base_rates: list[float] = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4]  # [3.. of 0<.. rising]
# rates at the base, equal ratios
warmup: float = 0.1  # [0<..<1] share of the updates
n_seeds: int = 10  # [2..500] paired seeds
tuning_seeds: int = 5  # [1..1000] seeds for the choice of the base rate
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
delta: float = 0.02  # [0<..<margin] smallest difference of log test errors that would matter
margin: float = 0.05  # [delta<..] two errors within this log ratio are the same

# %% tags=["setup"]
import numpy as np
from scipy.optimize import minimize_scalar

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.experiments.quadratic import Quadratic
from lrlab.labbook.tuned import best_rate
from lrlab.optimizers import SGD
from lrlab.schedules import Constant, Cosine, Warmup

plots.use_style()

for name, whole, parts in (
    ("examples", examples, batches),
    ("quad_examples", quad_examples, quad_batches),
):
    if sorted(set(parts)) != parts or any(whole % batch for batch in parts):
        raise ValueError(f"{name} must be a multiple of rising batches, got {whole}, {parts}")
EXPONENT = {"linear": 1.0, "square root": 0.5}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)

quadratic = Quadratic(sigma=0.5)
quad_best = float(
    minimize_scalar(
        lambda rate: quadratic.expected_loss(
            rate, quad_examples // quad_batches[0], quad_batches[0]
        ),
        bounds=(1e-3, 1.0),
        method="bounded",
    ).x
)


def quad_rate(rule, batch):
    return quad_best * (batch / quad_batches[0]) ** EXPONENT[rule]


def quad_job(rule, batch, seed):
    return Job(
        quadratic,
        Recipe(
            schedule=Constant(quad_rate(rule, batch)),
            batch_size=batch,
            steps=quad_examples // batch,
            seed=seed,
        ),
    )


def job(rate, batch, warm, seed):
    updates = examples // batch
    schedule = Cosine(rate, steps=updates)
    if warm:
        rise = max(1, round(warmup * updates))
        schedule = Warmup(Cosine(rate, steps=updates - rise), warmup_steps=rise)
    return Job(
        tasks.get("mnist1d"),
        Recipe(
            schedule=schedule,
            steps=updates,
            batch_size=batch,
            optimizer=SGD(momentum=0.9),
            seed=seed,
        ),
    )


quad_arms = [(rule, b) for rule in EXPONENT for b in quad_batches if quad_rate(rule, b) < 2]
plan = {("quadratic", arm, seed): quad_job(*arm, seed) for arm in quad_arms for seed in seeds}
plan |= {
    ("base", rate, seed): job(rate, batches[0], False, seed)
    for rate in base_rates
    for seed in range(1000, 1000 + tuning_seeds)
}
arms_later = 1 + 2 * len(EXPONENT) * (len(batches) - 1)
later = {"the comparison at the tuned rates": arms_later * (n_seeds + pilot_seeds)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The quadratic does what the closed form says within the noise of its
# seeds: linear scaling is flat until the rate comes near 2, the largest that converges, and then
# breaks down; the square root rises steadily. On MNIST-1D linear scaling with warmup holds to eight
# times the base batch and fails at sixteen; without warmup it fails one doubling earlier; the
# square root falls behind from the second doubling on.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %% [markdown]
# ### The noisy quadratic

# %% tags=["nbval-ignore-output"]
ends = runs.of("quadratic").arrays("test_loss")
expected = {
    (rule, b): float(quadratic.expected_loss(quad_rate(rule, b), quad_examples // b, b))
    for rule, b in quad_arms
}
fine = np.geomspace(quad_batches[0], 2 * quad_batches[-1], 300)
fig, ax = plots.figure(width=6.4, height=3.2)
for style, rule in plots.styled(EXPONENT):
    kept = fine[quad_rate(rule, fine) < 1.99]
    ax.plot(
        kept,
        [quadratic.expected_loss(quad_rate(rule, b), quad_examples / b, b) for b in kept],
        label=rule,
        **style,
    )
    points = {b: stats.mean_interval(ends[r, b]) for r, b in quad_arms if r == rule}
    look = {"color": style["color"], "linestyle": "none"}
    plots.error_bars(ax, list(points), points.values(), **look)
ax.set(xscale="log", yscale="log", xlabel="batch [examples]", ylabel="loss")
plots.ticks(ax.xaxis, quad_batches)
ax.legend(title="scaling of the rate")
display.show(
    fig,
    alt="Noisy quadratic: loss after equal numbers of examples against the batch under linear and "
    "square-root scaling of the rate.",
    caption=f"The noisy quadratic after {quad_examples:,} examples, the rate scaled from "
    f"{quad_best:.3g} at a batch of {quad_batches[0]}: lines the closed form, points trained, mean "
    f"and 95 % t interval over {n_seeds} seeds. Where the line of linear scaling ends its rate "
    "reaches 2 and it diverges.",
)

# %% [markdown]
# ### MNIST-1D


# %% tags=["nbval-ignore-output"]
def error(run, part="test"):
    """Share of wrong answers at the end; guessing where the run diverged."""
    return 1 - run.final(f"{part}_accuracy")


tried = runs.of("base").array(lambda run: error(run, "validation"))
base = best_rate(base_rates, tried.mean(axis=1))
conditions = [(rule, warm) for rule in EXPONENT for warm in (True, False)]
BASE = ("linear", False, batches[0])
arms = [BASE, *((rule, warm, b) for rule, warm in conditions for b in batches[1:])]
scaled = train_many(
    {
        ((rule, warm, b), s): job(base * (b / batches[0]) ** EXPONENT[rule], b, warm, s)
        for rule, warm, b in arms
        for s in (*seeds, *pilots)
    }
)
compared = scaled.of(..., seeds)
errors, train_loss = compared.arrays(error), compared.arrays("train_loss")

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.4)
for ax, values, scale, label in (
    (axes[0], errors, 100, "test error [%]"),
    (axes[1], train_loss, 1, "training loss [nats]"),
):
    shifts = np.geomspace(0.93, 1.07, 4)
    for style, ((rule, warm), shift) in plots.styled(zip(conditions, shifts, strict=True)):
        line = [BASE, *((rule, warm, b) for b in batches[1:])]
        each = [stats.mean_interval(scale * values[arm]) for arm in line]
        label_ = f"{rule}, {'warmup' if warm else 'no warmup'}"
        plots.error_bars(ax, np.array(batches) * shift, each, label=label_, **style)
    ax.set(xscale="log", xlabel="batch [signals]", ylabel=label)
    plots.ticks(ax.xaxis, batches)
axes[0].legend()
display.show(
    fig,
    alt="Test error and training loss against the batch for linear and square-root scaling, each "
    "with and without warmup.",
    caption=f"MNIST-1D, {examples:,} signals seen at every batch, the rate scaled from "
    f"{base:.3g} at a batch of {batches[0]} (no warmup there): mean and 95 % t interval over "
    f"{n_seeds} seeds, drawn side by side at each batch. A run that diverged counts as guessing: "
    f"{compared.note()}.",
)


# %% tags=["nbval-ignore-output"]
def effect(arm, other=BASE, group=seeds):
    """Paired log ratios of the test errors of two arms."""
    return stats.log_differences(*(scaled.of(which, group).array(error) for which in (arm, other)))


display.table(
    [
        {
            "scaling": rule,
            "warmup": "yes" if warm else "no",
            "batch": b,
            "rate": base * (b / batches[0]) ** EXPONENT[rule],
            "test error [%]": 100 * errors[rule, warm, b].mean(),
            "log ratio to the base": ""
            if b == batches[0]
            else stats.mean_interval(effect((rule, warm, b))),
            "diverged": compared.of((rule, warm, b)).num_diverged,
        }
        for rule, warm, b in arms
    ],
    caption=f"Mean over {n_seeds} seeds. The base rate was tuned on {tuning_seeds} tuning seeds"
    + (", at an edge of its grid." if base in (base_rates[0], base_rates[-1]) else "."),
)


# %% tags=["nbval-ignore-output"]
def holds_up_to(rule, warm):
    """The largest batch up to which the interval lies within the margin."""
    found = [stats.mean_interval(effect((rule, warm, b))) for b in batches[1:]]
    inside = [-margin < i.low and i.high < margin for i in found]
    return batches[inside.index(False) if False in inside else len(inside)]


limits = {
    f"{rule}, {'warmup' if warm else 'no warmup'}": holds_up_to(rule, warm)
    for rule, warm in conditions
}
display.say(
    f"By the 95 % intervals, the error stays within {100 * margin:g} % of the base's up to a batch "
    f"of: {'; '.join(f'{name} {limit:,}' for name, limit in limits.items())}."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
eight, last = batches[min(3, len(batches) - 1)], batches[-1]  # eight and sixteen times the base
claims.power(
    effect(("linear", True, eight), group=pilots),
    f"log ratio of errors at a batch of {eight} to the base",
    within=margin,
    used=n_seeds,
    tested=6,
)

# %%
unit = "log ratio of test errors"
claims.conclude(
    [
        Claim.equivalence(
            "quadratic-trained",
            "Trained runs on the quadratic have the expected loss of the closed form.",
            values=np.mean([np.divide(ends[arm], expected[arm]) - 1 for arm in quad_arms], axis=0),
            margin=0.1,
            unit="relative difference, mean over batches and rules",
            source="",
        ),
        Claim.equivalence(
            "linear-holds",
            f"Linear scaling with warmup ends at the same error with {eight} as "
            f"with {batches[0]} signals in a batch.",
            values=effect(("linear", True, eight)),
            margin=margin,
            unit=unit,
            published="no loss of accuracy from batches of 256 to 8,192 on ImageNet",
        ),
        Claim.effect(
            "linear-ends",
            f"At a batch of {last}, linear scaling ends higher than the base, even with warmup.",
            values=effect(("linear", True, last)),
            direction="greater",
            delta=margin,
            unit=unit,
            published="beyond 8,192 the accuracy falls",
        ),
        Claim.effect(
            "warmup-eight",
            f"At a batch of {eight}, linear scaling ends lower with warmup than without.",
            values=effect(("linear", True, eight), ("linear", False, eight)),
            direction="less",
            delta=delta,
            unit=unit,
            published="gradual warmup restores the accuracy at a batch of 8,192",
        ),
        Claim.effect(
            "warmup-last",
            f"At a batch of {last}, linear scaling ends lower with warmup than without.",
            values=effect(("linear", True, last), ("linear", False, last)),
            direction="less",
            delta=delta,
            unit=unit,
            published="gradual warmup restores the accuracy at a batch of 8,192",
        ),
        Claim.effect(
            "square-root",
            f"At a batch of {eight}, square-root scaling ends higher than linear, "
            "both with warmup.",
            values=effect(("square root", True, eight), ("linear", True, eight)),
            direction="greater",
            delta=delta,
            unit=unit,
            published="the rate is to be multiplied by k",
        ),
    ],
    source="goyal2017accurate",
)
