# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: What does a constant learning rate reach, and how hard is it to find?
#     short_title: A constant learning rate
#     question: What does a fixed learning rate reach, and how many trials does it take to find one?
#     tags: [sgd, mnist, lenet, constant]
#     smoke: {n_seeds: 2, tuning_seeds: 2, n_train: 320, epochs: 1, rates: [1.0e-5, 0.03, 0.3]}
#     foretold:
#       - says: At 0.00001 the test loss changes by less than 5 %.
#         claims: {small-rate-stands-still: seen here}
#       - says: The best fixed rate reaches above 90 % test accuracy.
#         claims: not judged
#       - says: Some 25 random trials find a suitable rate with a probability of 95 %.
#         claims: not judged
# ---

# %% [markdown]
# # What does a constant learning rate reach, and how hard is it to find?
#
# ## Question
#
# The report {cite}`azmimr2022` held the learning rate at 0.00001, saw "no convergence" (its log:
# 2.30 → 2.28 in 30 epochs), and concluded that a fixed rate "will require many iterations of
# testing to identify a suitable value".
#
# 1. Does so small a rate converge within the budget?
# 2. What does a good fixed rate reach in the same time?
# 3. How many random trials does it take to find one?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD, one rate for the whole run. The best rate is
# chosen on the validation part with seeds of its own, and what it reaches is reported on the test
# part with others. The report's runs were some 85 times longer; what a tiny rate does depends on
# the distance travelled, so that its 0.00001 stands beside the rate that travels as far in our
# runs.

# %% tags=["parameters"]
rates: list[float] = [1e-5, 1e-3, 0.01, 0.05, 0.15, 0.4, 0.8]  # [2.. of 0<.. rising] learning rates
n_seeds: int = 10  # [2..500] seeds for each rate that report
tuning_seeds: int = 8  # [2..500] seeds that choose the rate, and are the pilot study
first_seed: int = 50_000  # [0..] first seed of the block
reported_steps: int = 14_070  # [updates, 1..] length of the report's runs
epochs: int = 3  # [epochs, 1..] length of a run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
search_low: float = 1e-5  # [0<..<search_high] lower end of the search for a rate
search_high: float = 10.0  # [search_low<..] upper end of the search for a rate
good_accuracy: float = 0.9  # [0<..<1] test accuracy that a suitable rate reaches
many_trials: int = 20  # [1..] random trials that would be many

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
choosing = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
seeds = range(first_seed, first_seed + n_seeds)
level = claims.level(3)  # three claims are tested
as_far = rates[0] * reported_steps / steps


def written(rate):
    """A rate without a computer's exponent."""
    return phrases.plain(f"{rate:g}")


def job(lr, seed):
    return Job(
        task,
        Recipe(
            schedule=schedules.Constant(lr),
            steps=steps,
            batch_size=batch_size,
            eval_every=epoch,
            seed=seed,
        ),
    )


plan = {(lr, seed): job(lr, seed) for lr in rates for seed in (*seeds, *choosing)}
plan |= {("as far", seed): job(as_far, seed) for seed in seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs (a change below 1 % is what counts as standing still now). At 0.00001 the
# test loss changes by less than 5 %. The best fixed rate, near 0.1 to 0.3, reaches above 90 % test
# accuracy. About a tenth of the six decades searched is good enough, so that some 25 random trials
# find a suitable rate with a probability of 95 %.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(
    f"{len(runs)} runs of {steps} updates: {len(rates)} rates with {n_seeds} seeds that report and "
    f"{tuning_seeds} that choose, and {n_seeds} runs at the rate that travels as far as the "
    f"report's."
)


# %% tags=["nbval-ignore-output"]
validation = runs.of(rates, choosing).arrays("validation_loss")
chosen = min(rates, key=lambda lr: np.log(validation[lr]).mean())
reported = runs.of(rates, seeds)
fig, (left, right) = plots.figure(1, 2, height=3.0)
for style, lr in plots.styled(dict.fromkeys((rates[0], chosen, rates[-1]))):
    whole = reported.of(lr).curves("test_loss")
    if len(whole) > 1:
        plots.band(left, np.arange(epochs + 1), stats.band(whole), label=written(lr), **style)
left.set(ylabel="test loss [nats]", xlabel="epoch", ylim=(0, 2.8))
left.legend(title="rate")
for part, colour, marker in (("train", plots.COLOURS[0], "o"), ("test", plots.COLOURS[1], "s")):
    values = reported.array(f"{part}_loss")
    right.plot(rates, np.median(values, axis=1), marker=marker, color=colour, label=part)
    right.fill_between(rates, values.min(1), values.max(1), color=colour, alpha=0.15, linewidth=0)
plots.chance_line(right, task.chance_loss)
right.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="loss at the end [nats]")
right.legend(loc="lower left")
display.show(
    fig,
    alt="Left: test loss against epoch for the smallest, the chosen and the largest rate. Right: "
    "loss at the end against the rate, training and test, beside ln 10, which is guessing.",
    caption=f"Left: mean and 95 % interval over {n_seeds} seeds. Right: median over the seeds, "
    "shaded from the smallest to the largest value; diverged runs are scored as random guessing: "
    f"{reported.note()}.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "rate": written(lr),
            "test loss [95 %]": stats.geometric_interval(members.array("test_loss")),
            "test accuracy": members.array("test_accuracy").mean(),
            "diverged": f"{members.num_diverged} of {n_seeds}",
        }
        for lr, members in reported.groups().items()
    ],
    digits=4,
    caption=f"At the end, {n_seeds} seeds each.",
)

# %% [markdown]
# ### How many trials
#
# Along the logarithm of the rate, test accuracy is interpolated between the rates that were trained
# and the share of the searched range that reaches the wanted accuracy is read off, for each seed.
# If a share $p$ of the range is good, $N$ random trials find one with a probability of
# $1 - (1 - p)^N$.


# %% tags=["nbval-ignore-output"]
def trials(group):
    """Share of the searched range that is good, and random trials for a chance of 95 %, by seed."""
    fine = np.linspace(np.log(search_low), np.log(search_high), 4001)
    accuracy = runs.of(rates, group).array("test_accuracy")  # shape (rates, seeds)
    curves = [
        np.interp(fine, np.log(rates), column, right=task.chance["accuracy"])
        for column in accuracy.T
    ]
    good = np.array([np.mean(curve >= good_accuracy) for curve in curves])
    return good, np.log(0.05) / np.log1p(-np.clip(good, 1e-3, 0.999))


shares, needed = trials(seeds)
display.say(
    f"Of the range from {written(search_low)} to {search_high:g}, on average "
    f"{100 * shares.mean():.0f} % reaches {100 * good_accuracy:.0f} % accuracy "
    f"(seeds: {100 * shares.min():.0f} to {100 * shares.max():.0f} %); random search then needs "
    f"{np.exp(np.log(needed).mean()):.0f} trials for a probability of 95 % (geometric mean; seeds: "
    f"{needed.min():,.0f} to {needed.max():,.0f}; a seed without any counts as a share of 0.1 %)."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the seeds that chose the rate:

# %% tags=["nbval-ignore-output"]
claims.power(
    np.log(trials(choosing)[1] / many_trials),
    f"log ratio of trials to {many_trials}",
    beyond=0.0,
    effect=math.log(2),
    used=n_seeds,
    tested=3,
)
best = runs.of(chosen, seeds)
accuracy = stats.mean_interval(best.array("test_accuracy"))
tested = task.data().sizes()["test"]
display.say(
    f"Chosen on validation: a rate of **{chosen:g}**. With the other seeds it reaches a test "
    f"accuracy of {100 * accuracy.estimate:.1f} %, on {tested:,} images (sampling error at 95 %: ±"
    f"{196 * math.sqrt(0.95 * 0.05 / tested):.1f} % at an accuracy of 95 %)."
)


# %%
def fallen(name):
    """Log ratio of the last to the first test loss."""
    members = runs.of(name, seeds)
    return np.log(members.array(lambda run: run.final("test_loss") / run.evals["test_loss"][0]))


setting = Setting(f"LeNet on {task.n_train:,} digits", "SGD", f"{steps} updates")
lost = f"its {reported_steps:,} updates, here {steps}"
made = [
    Claim.equivalence(
        "small-rate-stands-still",
        f"A constant rate of {written(rates[0])} leaves the test loss where it was.",
        values=fallen(rates[0]),
        unit="log ratio of the last to the first test loss",
        source="azmimr2022",
        published="2.30 → 2.28",
        about=About(setting, metric="test loss", like="analogue", lost=lost),
    ),
    Claim.descriptive(
        "as-far-as-the-report",
        f"Change of the test loss at {as_far:.2g}, which travels as far as {written(rates[0])} in "
        f"{reported_steps:,} updates.",
        values=fallen("as far"),
        unit="log ratio of the last to the first test loss",
        source="azmimr2022",
        published="2.30 → 2.28",
        about=About(setting, metric="test loss", like="analogue", lost=lost),
    ),
    Claim.effect(
        "good-rate-converges",
        "A constant rate, chosen on validation data, ends below guessing.",
        values=np.log(best.array("test_loss") / task.chance_loss),
        direction="less",
        delta=math.log(2),
        diverged=best.num_diverged,
        unit="log ratio of the test loss to guessing",
        about=About(
            setting, metric="test loss", reason="converged is less than half of guessing's loss"
        ),
    ),
    Claim.effect(
        "many-trials",
        f"Finding a constant rate with {100 * good_accuracy:g} % accuracy in 95 % of searches "
        f"takes over {many_trials} random trials between {written(search_low)} and "
        f"{search_high:g}.",
        values=np.log(needed / many_trials),
        direction="greater",
        delta=0.0,
        unit=f"log ratio of trials to {many_trials}",
        source="azmimr2022",
        about=About(
            setting,
            like="analogue",
            lost="how many are many, and where one would search",
            reason="the number of trials that would be many stands in the statement",
        ),
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
found = stats.geometric_interval(needed, level)
there = stats.mean_interval(best.array("test_accuracy"), level)
same = claims.level(3, "equivalence")
good = [lr for lr in rates if reported.of(lr).array("test_accuracy").mean() >= good_accuracy]
display.answer(
    f"LeNet, SGD, {steps} updates: a constant learning rate of {written(rates[0])} changes the "
    f"test loss by {phrases.percent(fallen(rates[0]), same)} ({100 * same:.1f} %); {chosen:g}, "
    f"chosen on validation data, reaches an accuracy of {100 * there.estimate:.1f} % "
    f"[{100 * there.low:.1f}, {min(100 * there.high, 100):.1f}]. A random search from "
    f"{written(search_low)} to {search_high:g} takes {found.estimate:.0f} trials "
    f"[{found.low:.0f}, {found.high:.0f}] ({100 * level:.1f} %) to find one of "
    f"{100 * good_accuracy:g} % accuracy with a chance of 95 %. What this means for you: "
    + (
        f"search around {' to '.join(dict.fromkeys((f'{good[0]:g}', f'{good[-1]:g}')))} only, "
        "or measure the range with a ramp first."
        if good
        else "measure the range with a ramp before you search."
    ),
    claims=["small-rate-stands-still", "good-rate-converges", "many-trials"],
)
