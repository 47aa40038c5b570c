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
# lose the same factor per epoch. The usable range is measured by a ramp: from the smallest constant
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

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.range_test import Trace, find_band, smooth

plots.use_style()

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


plan = {
    ("tune", name, lr, seed): job(make(lr), seed)
    for name, make in schedule_of.items()
    for lr in peaks
    for seed in tuning
}
plan |= {("ramp", seed): job(ramp, seed, ramp_steps) for seed in range(n_seeds)}
later = {"the comparison at the tuned rates": len(schedule_of) * n_seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. At its own rate each schedule reaches nearly the same loss: all within
# 10 % of each other, with one-cycle slightly ahead because it ends at a tiny rate after a large
# one.
# Step and exponential decay are the same within that margin. The usable range spans more than two
# decades, far above the report's ".05 to 5e-4".
#
# ## Result

# %%
fig, ax = plots.figure(height=2.5)
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
runs = train_many(plan)
tuned, ramps = runs.of("tune"), runs.of("ramp")

# %% [markdown]
# ### Tuning: the whole curve
#
# Validation loss against peak rate. A run that diverged, or ended above it, is worth a guess.

# %% tags=["nbval-ignore-output"]
grid = tuned.arrays("validation_loss")  # by schedule, shape (peaks, seeds)
centre = {name: np.exp(np.log(losses).mean(axis=1)) for name, losses in grid.items()}
chosen = {name: peaks[int(np.argmin(means))] for name, means in centre.items()}
fig, ax = plots.figure(height=2.9)
for style, name in plots.styled(schedule_of):
    ax.plot(peaks, centre[name], marker="o", label=name, **style)
    ax.plot(
        np.repeat(peaks, tuning_seeds), grid[name].ravel(), "_", alpha=0.5, color=style["color"]
    )
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="validation loss [nats]")
ax.legend()
display.show(
    fig,
    alt="Validation loss against peak rate for each schedule: basins with a minimum between .1 and "
    "1, rising steeply to ln 10 beyond it.",
    caption=f"Geometric mean over {tuning_seeds} tuning seeds, single seeds as dashes. Budget: "
    f"{len(peaks) * tuning_seeds} runs for each schedule; {tuned.note()}.",
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
    {
        (name, s): job(schedule_of[name](lr), s)
        for name, lr in chosen.items()
        for s in range(n_seeds)
    }
)

# %%
by_schedule = compared.groups()
display.say(
    f"{len(compared)} runs compared: {len(schedule_of)} schedules on {n_seeds} paired seeds, "
    f"{steps} updates each; {len(tuned)} runs to tune, {len(ramps)} ramps."
)

# %% [markdown]
# ### The comparison

# %% tags=["nbval-ignore-output"]
fig, (left, middle, right) = plots.figure(1, 3, height=3.0)
at = compared["no schedule", 0].evals["step"] / epoch
for ax, part in ((left, "train"), (middle, "test")):
    curves = {
        name: stats.band(members.curves(f"{part}_loss")) for name, members in by_schedule.items()
    }
    plots.bands(ax, at, curves)
    ax.set(xlabel="epoch", title=f"{part} loss [nats]", yscale="log")
left.legend()
final = compared.arrays("test_loss")
differences = {
    name: stats.log_differences(values, final["no schedule"])
    for name, values in final.items()
    if name != "no schedule"
}
found = stats.mean_intervals(differences)
plots.intervals(right, found, points=differences)
right.set(title="log test loss minus that of no schedule")
display.show(
    fig,
    alt="Left and middle: training and test loss against epoch for the four schedules at their "
    "tuned peaks. Right: paired differences of the log test loss to no schedule, with intervals.",
    caption=f"Left, middle: mean and 95 % t interval over {n_seeds} paired seeds, each schedule at "
    "its own tuned peak. Right: mean paired difference with its 95 % t interval; dashes are seeds; "
    f"{compared.note()}.",
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "schedule": name,
            "peak rate": chosen[name],
            "test loss [95 %]": stats.geometric_interval(final[name]),
            "test accuracy [95 %]": stats.mean_interval(members.array("test_accuracy")),
        }
        for name, members in by_schedule.items()
    ],
    caption=f"At the end, {n_seeds} paired seeds; {compared.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(height=2.8)
for style, (name, members) in plots.styled(by_schedule.items()):
    lr = np.concatenate([run.lr for run in members.values()])
    norm = np.concatenate([run.grad_norm for run in members.values()])
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
# ### The usable range

# %% tags=["nbval-ignore-output", "headline"]
bands = [find_band([Trace.of(run)], steps) for run in ramps.values()]
lows = np.array([band.low.lr for band in bands if band.low.lr])
highs = np.array([band.high.lr for band in bands if band.high.lr])
low, high = stats.geometric_interval(lows), stats.geometric_interval(highs)
fig, ax = plots.figure(height=3.2)
for i, run in ramps.items():
    lr, smooth_loss, _ = smooth(Trace.of(run))
    ax.plot(
        lr,
        smooth_loss,
        color=plots.COLOURS[0],
        alpha=0.5,
        linewidth=1,
        label="while the rate rises" if i == 0 else None,
    )
shown = ("no schedule", "one-cycle")
for style, (name, losses) in plots.styled(centre.items()):
    if name in shown:
        style["color"] = plots.COLOURS[1 + 2 * shown.index(name)]
        ax.plot(peaks, losses, marker="o", label=f"{name}, loss at the end", **style)
plots.shade(ax, low.estimate, high.estimate, "usable range", plots.COLOURS[2])
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", xlabel="learning rate", ylabel="loss [nats]", ylim=(0, 4))
ax.legend(loc="upper left")
display.show(
    fig,
    alt="Loss against learning rate on a log axis: during the ramp it is flat at ln 10, falls, and "
    "explodes; the usable range is shaded. Whole runs end lowest inside it.",
    caption=f"Batch loss while the rate rises, {n_seeds} seeds, and validation loss at the end of "
    f"whole runs against their peak rate, {tuning_seeds} seeds. Shaded: the usable range, from "
    f"{low.estimate:.2g} (95 % interval {low.low:.2g} to {low.high:.2g}) to {high.estimate:.2g} "
    f"({high.low:.2g} to {high.high:.2g}); seen in {len(lows)} and {len(highs)} of the seeds.",
)

# %% [markdown]
# ## Verdict

# %%
where = f"LeNet on MNIST, SGD, batches of {batch_size}, {steps} updates"
claims.conclude(
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
            unit="log ratio of 5e-4 to the lower end of the usable range",
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
            f"Lower end of the usable range: {where}",
            values=lows,
            scale="log",
        ),
        Claim.descriptive(
            "band_high",
            f"Upper end of the usable range: {where}",
            values=highs,
            scale="log",
        ),
    ]
)
