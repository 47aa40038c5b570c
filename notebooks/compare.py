# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Four schedules, each at its own rate
#     question: Which of four schedules ends lowest, and between which rates can one train?
#     tags: [sgd, mnist, lenet, comparison]
#     smoke:
#       n_seeds: 2
#       tuning_seeds: 1
#       peaks: [0.1, 0.4]
#       n_train: 640
#       epochs: 1
#       ramp_steps: 120
# ---

# %% [markdown]
# # Four schedules, each at its own tuned rate
#
# ## Question
#
# The report {cite}`azmimr2022` set out to compare step decay, one-cycle, exponential decay and no
# schedule. Each was run once, over another range of rates, so that they can't be compared. Here
# each schedule gets the same number of trials to find its peak rate, on validation data and with
# seeds that are used for nothing else; then all are compared on paired seeds and test data.
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. Step and exponential decay
# lose the same factor per epoch. The usable band is measured by a ramp: from the smallest constant
# rate that, by the distance the ramp has travelled, brings a tenth of the drop within the run's
# length, to the rate at which the smoothed loss has risen again by three tenths of the drop.

# %% tags=["parameters"]
peaks: list[float] = [0.05, 0.1, 0.2, 0.4, 0.8]  # [2.. of 0<.. rising] peak rates to choose from
tuning_seeds: int = 2  # [1..1000] seeds for choosing, used for nothing else
n_seeds: int = 8  # [2..500] paired seeds for the comparison
epochs: int = 3  # [epochs, 1..] length of a run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
gamma: float = 0.5  # [0<..<1] factor of the decays, per epoch
ramp_low: float = 1e-3  # [0<..<ramp_high] rate at which the ramp starts
ramp_high: float = 4.0  # [ramp_low<..] rate at which the ramp ends
ramp_steps: int = 300  # [updates, 2..] length of the ramp
delta: float = 0.1  # [0<..] difference of the log test loss that would matter

# %% tags=["setup"]

import numpy as np
import pandas as pd

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.range_test import Trace, find_band, smooth

if sorted(set(peaks)) != peaks or len(peaks) < 2:
    raise ValueError(f"peaks must be at least two rising rates, got peaks={peaks}")
if n_seeds < 2 or tuning_seeds < 1:
    raise ValueError(f"need n_seeds >= 2 and tuning_seeds >= 1, got {n_seeds} and {tuning_seeds}")
task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
schedule_of = {
    "no schedule": schedules.Constant,
    "step decay": lambda lr: schedules.StepDecay(lr, gamma, every_steps=epoch, steps=steps),
    "exponential": lambda lr: schedules.Exponential(lr, gamma, every_steps=epoch, steps=steps),
    "one-cycle": lambda lr: schedules.OneCycle(lr, steps=steps),
}
tuning = range(1000, 1000 + tuning_seeds)
ramp = schedules.Exponential(
    ramp_low, (ramp_high / ramp_low) ** (1 / (ramp_steps - 1)), steps=ramp_steps
)


def job(schedule, seed, length=steps):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=length,
            batch_size=batch_size,
            eval_every=epoch if length == steps else None,
            seed=seed,
        ),
    )


plan = [job(make(lr), seed) for make in schedule_of.values() for lr in peaks for seed in tuning]
plan += [job(ramp, seed, ramp_steps) for seed in range(n_seeds)]

# %% [markdown]
# ## Prediction
#
# Written before the runs. At its own rate each schedule reaches nearly the same loss: all within
# 10 % of each other, with one-cycle slightly ahead because it ends at a tiny rate after a large
# one.
# Step and exponential decay are the same within that margin. The usable band spans more than two
# decades, far above the report's ".05 to 5e-4".
#
# ## Result

# %%
fig, ((ax,),) = plots.figure(height=2.5)
plots.learning_rates(
    ax, {name: make(1.0)(np.arange(steps)) for name, make in schedule_of.items()}, staircase=True
)
ax.set_ylabel("rate / peak rate")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
display.show(
    fig,
    alt="Rate relative to its peak against step: constant, a falling staircase, an exponential "
    "decay, and one-cycle, which rises first and falls to almost zero.",
    caption="The four schedules at a peak of 1.",
)

# %% tags=["nbval-ignore-output"]
tuned = train_many(plan)

# %% [markdown]
# ### Tuning: the whole curve
#
# Validation loss against peak rate. A run that diverged, or ended above it, is worth a guess.

# %% tags=["nbval-ignore-output"]
ramps = tuned[len(schedule_of) * len(peaks) * tuning_seeds :]


def loss(run, part):
    return run.final(f"{part}_loss")


grid = np.array([loss(run, "validation") for run in tuned[:-n_seeds]])
grid = grid.reshape(len(schedule_of), len(peaks), tuning_seeds)
centre = np.exp(np.log(grid).mean(axis=2))
chosen = {name: peaks[int(np.argmin(row))] for name, row in zip(schedule_of, centre, strict=True)}
fig, ((ax,),) = plots.figure(height=2.9)
for style, (i, name) in zip(plots.styles(), enumerate(schedule_of), strict=False):
    ax.plot(peaks, centre[i], marker="o", label=name, **style)
    ax.plot(np.repeat(peaks, tuning_seeds), grid[i].ravel(), "_", alpha=0.5, color=style["color"])
plots.guess_line(ax, task.chance_loss)
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="validation loss [nats]")
ax.legend()
display.show(
    fig,
    alt="Validation loss against peak rate for each schedule: basins with a minimum between .1 and "
    "1, rising steeply to ln 10 beyond it.",
    caption=f"Geometric mean over {tuning_seeds} tuning seeds, single seeds as dashes. Budget: "
    f"{len(peaks) * tuning_seeds} runs for each schedule.",
)

# %% tags=["nbval-ignore-output"]
edge = [name for name, lr in chosen.items() if lr in (peaks[0], peaks[-1])]
display.say(
    "Chosen: "
    + ", ".join(f"{name} {lr:g}" for name, lr in chosen.items())
    + ". "
    + (f"At an edge of the grid: {', '.join(edge)}." if edge else "None is at an edge of the grid.")
)
compared = train_many(
    [job(schedule_of[name](lr), seed) for name, lr in chosen.items() for seed in range(n_seeds)]
)

# %%
by_schedule = {
    name: compared[i * n_seeds : (i + 1) * n_seeds] for i, name in enumerate(schedule_of)
}
display.say(
    f"{len(compared)} runs compared: {len(schedule_of)} schedules on {n_seeds} paired seeds, "
    f"{steps} updates each; {len(tuned) - n_seeds} runs to tune, {n_seeds} ramps."
)

# %% [markdown]
# ### The comparison

# %% tags=["nbval-ignore-output"]
fig, ((left, middle, right),) = plots.figure(1, 3, width=9.6, height=3.0)
at = by_schedule["no schedule"][0].evals["step"] / epoch
for ax, part in ((left, "train"), (middle, "test")):
    curves = {
        name: stats.band([run.evals[f"{part}_loss"] for run in members if not run.diverged])
        for name, members in by_schedule.items()
    }
    plots.bands(ax, at, curves)
    ax.set(xlabel="epoch", title=f"{part} loss [nats]", yscale="log")
left.legend()
final = {
    name: np.array([loss(run, "test") for run in members]) for name, members in by_schedule.items()
}
others = [name for name in schedule_of if name != "no schedule"]
differences = {name: stats.log_differences(final[name], final["no schedule"]) for name in others}
found = [stats.mean_interval(differences[name]) for name in others]
plots.intervals(
    right,
    others,
    [x.estimate for x in found],
    [x.low for x in found],
    [x.high for x in found],
    points=[differences[name] for name in others],
)
right.set(title="log test loss minus that of no schedule")
display.show(
    fig,
    alt="Left and middle: training and test loss against epoch for the four schedules at their "
    "tuned peaks. Right: paired differences of the log test loss to no schedule, with intervals.",
    caption=f"Left, middle: mean and 95 % t interval over {n_seeds} paired seeds, each schedule at "
    "its own tuned peak. Right: mean paired difference with its 95 % t interval; dashes are seeds.",
)

# %% tags=["nbval-ignore-output"]
rows = []
for name, members in by_schedule.items():
    losses = stats.geometric_interval(final[name])
    accuracy = stats.mean_interval([run.final("test_accuracy") for run in members])
    rows.append(
        {
            "schedule": name,
            "peak rate": chosen[name],
            "test loss": losses.estimate,
            "95 % from": losses.low,
            "to": losses.high,
            "test accuracy": accuracy.estimate,
            "± (95 %)": accuracy.high - accuracy.estimate,
        }
    )
display.table(pd.DataFrame(rows), digits=3, caption=f"At the end, {n_seeds} paired seeds.")

# %% tags=["nbval-ignore-output"]
fig, ((ax,),) = plots.figure(height=2.8)
for style, (name, members) in zip(plots.styles(), by_schedule.items(), strict=False):
    lr = np.concatenate([run.lr for run in members])
    norm = np.concatenate([run.grad_norm for run in members])
    ax.plot(lr, norm, ".", markersize=1.4, alpha=0.3, color=style["color"])
    ax.plot([], [], "o", color=style["color"], label=name)
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="gradient norm")
ax.legend()
display.show(
    fig,
    alt="Gradient norm against learning rate for the four schedules.",
    caption=f"Gradient norm of every update against its rate, {n_seeds} seeds each.",
)

# %% [markdown]
# ### The usable band

# %% tags=["nbval-ignore-output", "headline"]
bands = [find_band([Trace.of(run)], steps) for run in ramps]
lows = np.array([band.low.lr for band in bands if band.low.lr])
highs = np.array([band.high.lr for band in bands if band.high.lr])
low, high = stats.geometric_interval(lows), stats.geometric_interval(highs)
fig, ((ax,),) = plots.figure(height=3.2)
for i, run in enumerate(ramps):
    lr, smooth_loss, _ = smooth(Trace.of(run))
    ax.plot(
        lr,
        smooth_loss,
        color=plots.COLOURS[0],
        alpha=0.5,
        linewidth=1,
        label="while the rate rises" if i == 0 else None,
    )
for style, (i, name) in zip(plots.styles(), enumerate(schedule_of), strict=False):
    if name in ("no schedule", "one-cycle"):
        ax.plot(
            peaks,
            centre[i],
            marker="o",
            color=plots.COLOURS[1 + (i > 0) * 2],
            linestyle=style["linestyle"],
            label=f"{name}, loss at the end",
        )
plots.mark_band(ax, low.estimate, high.estimate, "usable band")
plots.guess_line(ax, task.chance_loss)
ax.set(xscale="log", xlabel="learning rate", ylabel="loss [nats]", ylim=(0, 4))
ax.legend(loc="upper left")
display.show(
    fig,
    alt="Loss against learning rate on a log axis: during the ramp it is flat at ln 10, falls, and "
    "explodes; the usable band is shaded. Whole runs end lowest inside it.",
    caption=f"Batch loss while the rate rises, {n_seeds} seeds, and validation loss at the end of "
    f"whole runs against their peak rate, {tuning_seeds} seeds. Shaded: the usable band, from "
    f"{low.estimate:.2g} (95 % interval {low.low:.2g} to {low.high:.2g}) to {high.estimate:.2g} "
    f"({high.low:.2g} to {high.high:.2g}); seen in {len(lows)} and {len(highs)} of the seeds.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
where = f"LeNet on MNIST, SGD, batches of {batch_size}, {steps} updates"
settled = claims.judge(
    [
        Claim.equivalence(
            "step-is-exponential",
            "Step decay and exponential decay end at the same test loss, each at its own rate.",
            values=stats.log_differences(final["step decay"], final["exponential"]),
            margin=delta,
            unit="log ratio of test losses",
            source="azmimr2022",
        ),
        Claim.effect(
            "decay-helps",
            "Step decay ends lower than no schedule.",
            values=differences["step decay"],
            direction="less",
            delta=delta / 2,
            unit="log ratio of test losses",
        ),
        Claim.effect(
            "one-cycle-helps",
            "One-cycle ends lower than no schedule.",
            values=differences["one-cycle"],
            direction="less",
            delta=delta / 2,
            unit="log ratio of test losses",
            source="smith2018superconvergence",
        ),
        Claim.effect(
            "below-the-band",
            "The report's lower rate, 5e-4, is too small to be usable.",
            values=np.log(5e-4 / lows),
            direction="less",
            delta=0.0,
            unit="log ratio of 5e-4 to the lower end of the band",
            source="azmimr2022",
            published="5e-4 to 0.05",
        ),
        *(
            Claim.descriptive(
                f"peak-{name.replace(' ', '-')}",
                f"Peak rate chosen on validation data: {name}",
                values=[lr],
                scale="log",
            )
            for name, lr in chosen.items()
        ),
        Claim.descriptive(
            "band_low",
            f"Lower end of the usable band: {where}",
            values=lows,
            scale="log",
        ),
        Claim.descriptive(
            "band_high",
            f"Upper end of the usable band: {where}",
            values=highs,
            scale="log",
        ),
    ],
    notebook="compare",
)
claims.show(settled)

# %%
claims.verdicts(settled)
