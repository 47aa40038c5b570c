# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Large batches
#     short_title: How should the rate grow with the batch?
#     question: How should the rate grow with the batch, and does it need a warmup?
#     tags: [calibration, batch, warmup, sgd, momentum, quadratic, mnist1d]
#     smoke: {quad_examples: 512, quad_batches: [4, 16, 64], examples: 2560,
#       batches: [64, 128, 256], base_rates: [0.05, 0.1, 0.2], n_seeds: 2, tuning_seeds: 1,
#       pilot_seeds: 2}
#     foretold:
#       - says: The quadratic does what the closed form says within the noise of its seeds.
#         claims: {quadratic-trained: supported}
#       - says: On MNIST-1D linear scaling with warmup holds to eight times the base batch.
#         claims: {linear-holds: seen here}
#       - says: It fails at sixteen times the base batch.
#         claims: {linear-ends: seen here}
#       - says: Without warmup it fails one doubling earlier.
#         claims: {warmup-eight: seen here}
#       - says: The square root falls behind from the second doubling on.
#         claims: {square-root: seen here}
# ---

# %% [markdown]
# # Large batches: should the learning rate grow linearly or as a square root, with a warmup?
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
# tenth of the updates; ImageNet's took 5 epochs of 90. What is compared is the share of wrong
# answers on the 1,000 test signals; a run that diverges is scored as random guessing. What the
# largest useful batch is when each batch has its own best rate, the entry *The critical batch*
# asks. The base rate comes from other seeds, and the noise of tuning is not in the intervals.

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
n_seeds: int = 24  # [2..500] paired seeds
first_seed: int = 50_000  # [0..] first seed of the block
tuning_seeds: int = 5  # [1..1000] seeds for the choice of the base rate
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else

# %% tags=["setup"]
import numpy as np
from scipy.optimize import minimize_scalar

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.quadratic import Quadratic
from lrlab.labbook import phrases
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
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
TESTED = 6
margin = claims.smallest_effect("test error")
eight, last = batches[min(3, len(batches) - 1)], batches[-1]  # eight and sixteen times the base

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
    for seed in range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
}
arms_later = 1 + 2 * len(EXPONENT) * (len(batches) - 1)
later = {"the comparison at the tuned rates": arms_later * n_seeds + 2 * pilot_seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The quadratic does what the closed form says within the noise of its
# seeds: linear scaling is flat until the rate comes near 2, the largest that converges, and then
# breaks down; the square root rises steadily. On MNIST-1D linear scaling with warmup holds to eight
# times the base batch and fails at sixteen; without warmup it fails one doubling earlier; the
# square root falls behind from the second doubling on.
#
# It was written when 2 % of an error were a difference that matters, which is 5 % now.
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
        for s in (*seeds, *(pilots if (rule, warm, b) in (BASE, ("linear", True, eight)) else ()))
    }
)
compared = scaled.of(..., seeds)
errors = compared.arrays(error)


def effect(arm, other=BASE, group=seeds):
    """Paired log ratios of the test errors of two arms."""
    return stats.log_differences(*(scaled.of(which, group).array(error) for which in (arm, other)))


# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.4)
shifts = np.geomspace(0.93, 1.07, 4)
for style, ((rule, warm), shift) in plots.styled(zip(conditions, shifts, strict=True)):
    line = [BASE, *((rule, warm, b) for b in batches[1:])]
    name = f"{rule}, {'warmup' if warm else 'no warmup'}"
    each = [stats.mean_interval(100 * errors[arm]) for arm in line]
    plots.error_bars(axes[0], np.array(batches) * shift, each, label=name, **style)
    each = [
        stats.mean_interval(
            effect(arm),
            claims.level(TESTED, "equivalence" if arm == ("linear", True, eight) else "effect"),
        )
        for arm in line[1:]
    ]
    plots.error_bars(axes[1], np.array(batches[1:]) * shift, each, **style)
axes[1].axhspan(-margin, margin, color="#888888", alpha=0.16, linewidth=0)
axes[0].set_ylabel("test error [%]")
axes[1].set_ylabel(f"log ratio to the batch of {batches[0]}")
for ax in axes:
    ax.set(xscale="log", xlabel="batch [signals]")
    plots.ticks(ax.xaxis, batches)
axes[0].legend()
display.show(
    fig,
    alt="Test error, and its log ratio to that of the smallest batch, against the batch for linear "
    "and square-root scaling, each with and without warmup.",
    caption=f"MNIST-1D, {examples:,} signals seen at every batch, the rate scaled from "
    f"{base:.3g} at a batch of {batches[0]} (no warmup there): means over {n_seeds} seeds, drawn "
    "side by side at each batch; left with 95 % t intervals, right with those that decide. Shaded: "
    f"differences too small to matter. {compared.note()}.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
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
            "training loss": compared.of((rule, warm, b)).array("train_loss").mean(),
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
    level = claims.level(TESTED, "equivalence")
    found = [stats.mean_interval(effect((rule, warm, b)), level) for b in batches[1:]]
    inside = [-margin < i.low and i.high < margin for i in found]
    return batches[inside.index(False) if False in inside else len(inside)]


limits = {
    f"{rule}, {'warmup' if warm else 'no warmup'}": holds_up_to(rule, warm)
    for rule, warm in conditions
}
display.say(
    f"By the intervals that decide, the error is shown to stay within {100 * margin:g} % of the "
    f"base's up to a batch of: {'; '.join(f'{name} {limit:,}' for name, limit in limits.items())}."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    effect(("linear", True, eight), group=pilots),
    f"log ratio of errors at a batch of {eight} to the base",
    within=margin,
    used=n_seeds,
    tested=TESTED,
)

# %%
unit = "log ratio of test errors"


def about(what, **more):
    setting = Setting("perceptron on MNIST-1D", "SGD with momentum", f"{examples:,} signals seen")
    return About(
        setting,
        metric="test error",
        family=what,
        like="analogue",
        lost="ImageNet and ResNet-50, with batches from 256 to 65,536",
        **more,
    )


def compare(arm, other=BASE):
    lost = (
        a.diverged or b.diverged
        for a, b in zip(*(compared.of(x).values() for x in (arm, other)), strict=True)
    )
    return {"values": effect(arm, other), "diverged": sum(lost), "unit": unit}


made = [
    Claim.equivalence(
        "quadratic-trained",
        "Trained runs on the quadratic have the expected loss of the closed form",
        values=np.mean([np.divide(ends[arm], expected[arm]) - 1 for arm in quad_arms], axis=0),
        margin=0.1,
        unit="of the expected loss",
        source="",
        about=About(
            Setting("noisy quadratic of 256 weights", "SGD", f"{quad_examples:,} examples seen"),
            reason="a check of the code: a mistake in it would show as more than a tenth",
        ),
    ),
    Claim.equivalence(
        "linear-holds",
        f"Under linear scaling with a warmup, {eight} signals in a batch end at the test error of "
        f"{batches[0]}",
        **compare(("linear", True, eight)),
        published="no loss of accuracy from batches of 256 to 8,192 on ImageNet",
        about=about("linear scaling"),
    ),
    Claim.effect(
        "linear-ends",
        f"Under linear scaling with a warmup, {last} signals in a batch end at a higher test error "
        f"than {batches[0]}",
        **compare(("linear", True, last)),
        direction="greater",
        published="beyond 8,192 the accuracy falls",
        about=about("linear scaling"),
    ),
    *(
        Claim.effect(
            f"warmup-{name}",
            f"Under linear scaling, {b} signals in a batch end at a lower test error with a warmup "
            "than without",
            **compare(("linear", True, b), ("linear", False, b)),
            direction="less",
            published="gradual warmup restores the accuracy at a batch of 8,192",
            about=about("warmup"),
        )
        for name, b in (("eight", eight), ("last", last))
    ),
    Claim.effect(
        "square-root",
        f"With {eight} signals in a batch, square-root scaling ends at a higher test error than "
        "linear scaling, both with a warmup",
        **compare(("square root", True, eight), ("linear", True, eight)),
        direction="greater",
        published="the rate is to be multiplied by k",
        about=about("square root or linear"),
    ),
]
claims.conclude(made, source="goyal2017accurate")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
holds, fails, root, warm = (
    judged[slug] for slug in ("linear-holds", "linear-ends", "square-root", "warmup-eight")
)
advice = "scale the rate with the batch to begin with"
if holds.verdict == claims.rules.NOT_SEEN and holds.estimate > 0:
    advice = f"do not trust a scaled rate at {eight // batches[0]} times the batch: tune it there"
elif fails.low is not None and fails.low > 0:
    advice += f", and tune it anew at {last // batches[0]} times the batch"
display.answer(
    f"On MNIST-1D, seeing as many signals and with a rate that grows linearly and is warmed up, "
    f"the test error at a batch of {eight} is {phrases.change(holds)} compared with {batches[0]}, "
    f"that at {last:,} {phrases.change(fails)}. At {eight}, the warmup makes it "
    f"{phrases.change(warm)}; a square root in place of linear {phrases.change(root)}. "
    f"What this means for you: {advice}.",
    claims=["linear-holds", "linear-ends", "warmup-eight", "square-root"],
)
