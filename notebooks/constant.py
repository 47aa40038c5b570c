# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A constant rate
#     question: What does a fixed learning rate reach, and how many trials does it take to find one?
#     tags: [sgd, mnist, lenet, constant]
#     smoke: {n_seeds: 2, n_train: 640, epochs: 1, rates: [1.0e-5, 0.03, 0.3]}
# ---

# %% [markdown]
# # A constant rate: what does it reach, and how hard is it to find?
#
# ## Question
#
# The report {cite}`azmimr2022` held the rate at 1e-5, saw "no convergence" (its log: 2.30 → 2.28 in
# 30 epochs), and concluded that a fixed rate "will require many iterations of testing to identify a
# suitable value".
#
# 1. Does so small a rate converge within the budget?
# 2. What does a good fixed rate reach in the same time?
# 3. How many random trials does it take to find one?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD, one rate for the whole
# run. The best rate is chosen on the validation part with the first half of the seeds, and what it
# reaches is reported on the test part with the other half.

# %% tags=["parameters"]
rates: list[float] = [1e-5, 1e-3, 0.01, 0.05, 0.15, 0.4, 0.8]  # [2.. of 0<.. rising] learning rates
n_seeds: int = 10  # [2..500] seeds for each rate, half of them to choose the rate
epochs: int = 3  # [epochs, 1..] length of a run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
search_low: float = 1e-5  # [0<..<search_high] lower end of the search for a rate
search_high: float = 10.0  # [search_low<..] upper end of the search for a rate
good_accuracy: float = 0.9  # [0<..<1] test accuracy that a suitable rate reaches
many_trials: int = 20  # [1..] random trials that would be many
still_margin: float = 0.05  # [0<..] change of the log test loss that would be no convergence

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
choosing, reporting = range(n_seeds // 2), range(n_seeds // 2, n_seeds)


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


plan = {(lr, seed): job(lr, seed) for lr in rates for seed in range(n_seeds)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. At 1e-5 the test loss changes by less than 5 %. The best fixed rate, near
# .1 to .3, reaches above 90 % test accuracy. About a tenth of the six decades searched is good
# enough, so that some 25 random trials find a suitable rate with a probability of 95 %.
#
# ## Result

# %%
fig, ax = plots.figure(height=2.3)
plots.learning_rates(ax, {f"{lr:g}": schedules.Constant(lr)(np.arange(steps)) for lr in rates})
ax.set_yscale("log")
ax.legend(title="rate", loc="center left", bbox_to_anchor=(1, 0.5))
display.show(
    fig,
    alt="Learning rate against step: one horizontal line for each rate, from 1e-5 up.",
    caption="The rates compared, on a log axis; none of them changes during a run.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(
    f"{len(runs)} runs of {steps} updates: {len(rates)} rates with {n_seeds} seeds each; "
    f"{len(choosing)} seeds choose the rate, the other {len(reporting)} report on it."
)


# %% tags=["nbval-ignore-output"]
validation = runs.of(..., choosing).arrays("validation_loss")
chosen = min(rates, key=lambda lr: np.log(validation[lr]).mean())
fig, (left, middle, right) = plots.figure(1, 3, height=3.0)
for style, lr in plots.styled((rates[0], chosen, rates[-1])):
    for ax, part in ((left, "train"), (middle, "test")):
        whole = runs.of(lr).curves(f"{part}_loss")
        if len(whole) > 1:
            at = np.arange(epochs + 1)
            plots.band(ax, at, stats.band(whole), label=f"{lr:g}", **style)
        ax.set(title=f"{part} loss [nats]", xlabel="epoch", ylim=(0, 2.8))
left.legend(title="rate")
for part, colour, marker in (("train", plots.COLOURS[0], "o"), ("test", plots.COLOURS[1], "s")):
    values = runs.array(f"{part}_loss")
    right.plot(rates, np.median(values, axis=1), marker=marker, color=colour, label=part)
    right.fill_between(rates, values.min(1), values.max(1), color=colour, alpha=0.15, linewidth=0)
plots.chance_line(right, task.chance_loss)
right.set(xscale="log", yscale="log", xlabel="learning rate", title="loss at the end [nats]")
right.legend(loc="lower left")
display.show(
    fig,
    alt="Left and middle: training and test loss against epoch for the smallest, the best and the "
    "largest rate. Right: final loss against rate, flat at ln 10 for tiny rates, with a minimum "
    "near the best rate and a rise beyond it.",
    caption=f"Left, middle: mean and 95 % interval over {n_seeds} seeds. Right: median over the "
    "seeds, shaded from the smallest to the largest value; a run that diverged counts as guessing: "
    f"{runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(height=2.8)
for style, lr in plots.styled(rates):
    for i, run in runs.of(lr).items():
        ax.plot(
            np.full(run.steps, lr) * np.geomspace(0.9, 1.1, n_seeds)[i],
            run.grad_norm,
            ".",
            markersize=1.2,
            alpha=0.35,
            color=style["color"],
        )
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="gradient norm")
display.show(
    fig,
    alt="Gradient norms against learning rate: a narrow column of points at small rates, wide ones "
    "at large rates.",
    caption=f"Gradient norm of every update, {n_seeds} seeds side by side at each rate.",
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "rate": lr,
            "test loss [95 %]": stats.geometric_interval(members.array("test_loss")),
            "test accuracy": members.array("test_accuracy").mean(),
            "diverged": f"{members.num_diverged} of {n_seeds}",
        }
        for lr, members in runs.groups().items()
    ],
    caption=f"At the end, {n_seeds} seeds each.",
)

# %% [markdown]
# ### How many trials
#
# Along the logarithm of the rate, test accuracy is interpolated between the rates that were trained
# and the share of the searched range that reaches the wanted accuracy is read off, for each seed.
# If a share p of the range is good, N random trials find one with a probability of 1 − (1 − p)^N.


# %% tags=["nbval-ignore-output"]
def good_share(seed):
    accuracy = runs.of(..., seed).array("test_accuracy")
    fine = np.linspace(np.log(search_low), np.log(search_high), 4001)
    curve = np.interp(fine, np.log(rates), accuracy, right=task.chance["accuracy"])
    return float(np.mean(curve >= good_accuracy))


shares = np.array([good_share(seed) for seed in range(n_seeds)])
trials = np.log(0.05) / np.log1p(-np.clip(shares, 1e-3, 0.999))
display.say(
    f"Of the range from {search_low:g} to {search_high:g}, on average "
    f"{100 * shares.mean():.0f} % reaches {100 * good_accuracy:.0f} % accuracy "
    f"(seeds: {100 * shares.min():.0f} to {100 * shares.max():.0f} %); random search then needs "
    f"{np.median(trials):.0f} trials for a probability of 95 % "
    f"(seeds: {trials.min():.0f} to {trials.max():.0f})."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
small, best = runs.of(rates[0]), runs.of(chosen, reporting)
display.say(
    f"Chosen on validation: a rate of **{chosen:g}**. With the other seeds it reaches a test "
    f"accuracy of {100 * best.array('test_accuracy').mean():.1f} %, on "
    f"{task.data().sizes()['test']:,} images (sampling error at 95 %: ±"
    f"{196 * math.sqrt(0.95 * 0.05 / task.data().sizes()['test']):.1f} % at an accuracy of 95 %)."
)

# %%
claims.conclude(
    [
        Claim.equivalence(
            "small-rate-stands-still",
            f"A fixed rate of {rates[0]:g} does not converge within the budget.",
            values=np.log(
                small.array(lambda run: run.final("test_loss") / run.evals["test_loss"][0])
            ),
            margin=still_margin,
            unit="log ratio of the last to the first test loss",
            source="azmimr2022",
            published="2.30 → 2.28",
        ),
        Claim.effect(
            "good-rate-converges",
            "A fixed rate, chosen on validation data, does converge within the same budget.",
            values=np.log(best.array("test_loss") / task.chance_loss),
            direction="less",
            delta=math.log(2),
            unit="log ratio of the test loss to guessing",
        ),
        Claim.effect(
            "many-trials",
            f"Finding a suitable fixed rate takes more than {many_trials} random trials.",
            values=np.log(trials / many_trials),
            direction="greater",
            delta=0.0,
            unit=f"log ratio of trials to {many_trials}",
            source="azmimr2022",
        ),
    ]
)
