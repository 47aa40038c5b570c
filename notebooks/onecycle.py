# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: One-cycle
#     question: Does the loss come back down after a one-cycle's peak?
#     tags: [sgd, mnist, lenet, one-cycle]
#     smoke: {n_seeds: 2, n_train: 640, evaluations: 2, peaks: [0.1, 2.0], escape_seeds: 2}
# ---

# %% [markdown]
# # One-cycle: does the loss come back down after the peak?
#
# ## Question
#
# The report {cite}`azmimr2022` raised the rate from .08 to 2.0 and lowered it to 8e-6, and wrote
# that the losses "increase to a high value" around the peak and that "once the learning rate begins
# to reduce again, we see the loss reduce as expected". Its published log shows a loss of .12 in the
# second epoch, about 218 at the peak, and 2.308 at the end, which is ln 10: the network no longer
# told any digit from another. The report adds that the peak lets the optimizer "jump out" of a bad
# start. One-cycle itself is {cite}`smith2018superconvergence`.
#
# 1. For which peaks does the test loss at the end lie below its value before the peak?
# 2. How often does a run end at ln 10?
# 3. From a planted bad start, does one-cycle get away more often than a constant rate?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. The planted bad start
# shifts the initial biases of all hidden layers down, so that most ReLUs are silent and little
# gradient passes: a plateau at ln 10.

# %% tags=["parameters"]
peaks: list[float] = [0.05, 0.2, 0.5, 1.0, 2.0]  # [2.. of 0<.. rising] peak rates
n_seeds: int = 10  # [2..500] seeds for each peak
epochs: int = 3  # [epochs, 1..] length of a run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
evaluations: int = 10  # [1..] evaluations in a run
dead_band: float = 0.02  # [0<..<1] relative distance from ln 10 that counts as ended there
escape_peak: float = 0.3  # [0<..] peak rate from the planted bad start
escape_lr: float = 0.1  # [0<..] constant rate from the planted bad start
escape_seeds: int = 16  # [2..] paired seeds from the planted bad start
bias_shift: float = -0.13  # [-10..10] of the initial hidden biases, for the planted bad start

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many

plots.use_style()

task, bad_start = (
    tasks.get("mnist", n_train=n_train),
    tasks.get("mnist", n_train=n_train, bias_shift=bias_shift),
)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
cycles = {peak: schedules.OneCycle(peak, steps=steps) for peak in peaks}
escapes = {
    "one-cycle": schedules.OneCycle(escape_peak, steps=steps),
    "constant": schedules.Constant(escape_lr),
}


def job(on, schedule, seed):
    return Job(
        on,
        Recipe(
            schedule=schedule,
            steps=steps,
            batch_size=batch_size,
            eval_every=math.ceil(steps / evaluations),
            seed=seed,
        ),
    )


plan = {(peak, s): job(task, cycles[peak], s) for peak in peaks for s in range(n_seeds)}
plan |= {
    (name, s): job(bad_start, escapes[name], s) for name in escapes for s in range(escape_seeds)
}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Peaks up to about .5 come back below the loss before the peak, in nearly
# all runs; a peak of 2, the report's, ends at ln 10 in most. From the planted start one-cycle gets
# away in more runs than the constant rate that one would otherwise use.
#
# ## Result

# %%
fig, ax = plots.figure(height=2.5)
plots.learning_rates(ax, {f"peak {peak:g}": cycles[peak](np.arange(steps)) for peak in peaks})
ax.set_yscale("log")
ax.legend(ncols=3)
display.show(
    fig,
    alt="Learning rate against step for each peak, on a log axis: a rise over the first 30 percent "
    "of the run, then a long fall to a rate 250,000 times lower.",
    caption="Cosine one-cycle: from 1/25 of the peak up over 30 % of the updates, then down to "
    "1/10,000 of the first rate.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
by_peak, by_escape = runs.of(peaks).groups(), runs.of(list(escapes)).groups()
display.say(
    f"{len(runs)} runs of {steps} updates: {len(peaks)} peaks with {n_seeds} seeds each, and "
    f"{len(escapes)} schedules from the planted start with {escape_seeds} seeds each."
)

# %% tags=["nbval-ignore-output"]
fig, (upper, lower) = plots.figure(
    2, len(peaks), height=4.6, sharex=True, sharey="row", squeeze=False
)
for i, peak in enumerate(peaks):
    for run in by_peak[peak].values():
        upper[i].plot(run.loss.clip(1e-3, 1e3), color=plots.COLOURS[0], linewidth=0.6, alpha=0.6)
        upper[i].plot(
            run.evals["step"],
            run.evals["test_loss"].clip(1e-3, 1e3),
            color=plots.COLOURS[1],
            linewidth=1.2,
        )
    plots.chance_line(upper[i], task.chance_loss, "ln 10")
    lower[i].plot(np.arange(steps), cycles[peak](np.arange(steps)), color=plots.COLOURS[2])
    upper[i].set(title=f"peak {peak:g}", yscale="log")
    lower[i].set(xlabel="step", yscale="log")
upper[0].set_ylabel("loss [nats]")
lower[0].set_ylabel("learning rate")
upper[0].plot([], [], color=plots.COLOURS[0], label="batch")
upper[0].plot([], [], color=plots.COLOURS[1], label="test")
upper[0].legend(loc="lower left")
display.show(
    fig,
    alt="Loss against step, one panel for each peak rate. For small peaks the loss falls "
    "throughout; for the largest it jumps at the peak and stays at ln 10.",
    caption=f"Loss on each batch and on the test set, {n_seeds} seeds for each peak; the schedule "
    "is drawn below. A line that ends is a run that diverged.",
    headline=False,
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(height=3)
for style, peak in plots.styled(peaks):
    lr = np.concatenate([run.lr for run in by_peak[peak].values()])
    norm = np.concatenate([run.grad_norm for run in by_peak[peak].values()])
    ax.plot(lr, norm, ".", markersize=1.6, alpha=0.5, color=style["color"])
    ax.plot([], [], "o", color=style["color"], label=f"peak {peak:g}")
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="gradient norm")
ax.legend(ncols=3, loc="lower left")
display.show(
    fig,
    alt="Gradient norm against learning rate on log axes, one cloud of points for each peak.",
    caption=f"Gradient norm of every update against its rate, {n_seeds} seeds for each peak.",
)

# %% [markdown]
# ### What became of each run
#
# A run has *come back* if its last test loss is below the last one before the peak, *ended at
# ln 10* if it is within a few per cent of guessing, and *diverged* if its loss or gradient was no
# longer finite.


# %% tags=["nbval-ignore-output"]
def outcome(run, peak_step):
    if run.diverged:
        return "diverged"
    if abs(run.final("test_loss") / task.chance_loss - 1) < dead_band:
        return "ended at ln 10"
    before = run.evals["test_loss"][run.evals["step"] <= peak_step][-1]
    return "came back" if run.final("test_loss") < before else "did not come back"


peak_step = {p: int(np.argmax(cycles[p](np.arange(steps)))) for p in peaks}
outcomes = {p: [outcome(run, peak_step[p]) for run in by_peak[p].values()] for p in peaks}
rows = []
for p, members in by_peak.items():
    near = slice(max(0, peak_step[p] - 10), peak_step[p] + 10)
    at_peak = members.array(lambda run: np.nanmax(run.loss[near]))  # noqa: B023
    row = {"peak": p, "largest batch loss near the peak (median)": np.median(at_peak)}
    for kind in ("came back", "did not come back", "ended at ln 10", "diverged"):
        row[kind] = f"{outcomes[p].count(kind)} of {n_seeds}"
    rows.append(row | {"mean test accuracy": members.array("test_accuracy").mean()})
display.table(rows, caption=f"Outcomes by peak, {n_seeds} seeds each.")

# %% [markdown]
# ### From a planted bad start
#
# A run has got away if it ends with a test loss below half of that of guessing.

# %% tags=["nbval-ignore-output"]
away = {
    name: members.array("test_loss") < task.chance_loss / 2 for name, members in by_escape.items()
}
display.table(
    [
        {
            "schedule": name,
            "mean rate": by_escape[name][0].lr.mean(),
            "got away": f"{members.sum()} of {escape_seeds}",
            "share [95 %]": stats.proportion_interval(int(members.sum()), escape_seeds),
        }
        for name, members in away.items()
    ],
    caption=f"Runs that left the planted plateau, {escape_seeds} paired seeds.",
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(escapes), height=2.6, sharey=True, squeeze=False)
for ax, (name, members) in zip(axes[0], by_escape.items(), strict=True):
    for run in members.values():
        ax.plot(run.evals["step"], run.evals["test_loss"], color=plots.COLOURS[0], alpha=0.6)
    plots.chance_line(ax, task.chance_loss, "ln 10")
    ax.set(title=name, xlabel="step")
axes[0][0].set_ylabel("test loss [nats]")
display.show(
    fig,
    alt="Test loss against step from the planted bad start, one panel for each schedule, one line "
    "for each seed.",
    caption=f"Test loss from the planted bad start, {escape_seeds} paired seeds; "
    f"{runs.of(list(escapes)).note()}.",
)

# %% [markdown]
# ## Verdict
#
# Proportions carry exact (Clopper-Pearson) intervals. With ten runs, an outcome that happens every
# time is known to be more likely than not, and little more. The comparison from the
# planted start is a sign test over the pairs that differ.

# %%
largest, good = peaks[-1], [p for p in peaks if p <= 0.5]
differ = away["one-cycle"] != away["constant"]
claims.conclude(
    [
        Claim.proportion(
            "large-peak-recovers",
            f"After a peak of {largest:g}, the loss comes back down.",
            successes=outcomes[largest].count("came back"),
            n=n_seeds,
            direction="greater",
            threshold=0.5,
            unit="runs that came back",
            published="loss 2.308 at the end, 0.12 before the peak",
        ),
        Claim.proportion(
            "moderate-peak-recovers",
            f"After a peak of up to {max(good):g}, the loss comes back down.",
            successes=sum(all(outcomes[p][s] == "came back" for p in good) for s in range(n_seeds)),
            n=n_seeds,
            direction="greater",
            threshold=0.5,
            unit="seeds that came back from each of these peaks",
        ),
        Claim.proportion(
            "large-peak-kills",
            f"A peak of {largest:g} leaves a network that only guesses, or none.",
            successes=outcomes[largest].count("ended at ln 10")
            + outcomes[largest].count("diverged"),
            n=n_seeds,
            direction="greater",
            threshold=0.5,
            unit="runs that ended at ln 10 or diverged",
            published="ended at 2.308",
        ),
        Claim.proportion(
            "escapes",
            "From a planted bad start, one-cycle gets away where a constant rate does not.",
            successes=int(away["one-cycle"][differ].sum()),
            n=int(differ.sum()),
            direction="greater",
            threshold=0.5,
            unit="of the pairs that differ",
        ),
    ],
    source="azmimr2022",
)
