# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: ExponentialLR, and when a large rate can be used
#     question: Is a decay from .05 to 5e-4 a good balance, and can large rates only be used early?
#     tags: [sgd, mnist, lenet, exponential decay]
#     smoke:
#       n_seeds: 2
#       pilot_seeds: 2
#       n_train: 640
#       evaluations: 2
#       bursts: [0.8]
#       burst_steps: 5
# ---

# %% [markdown]
# # ExponentialLR: a good balance, and when can a large rate be used?
#
# ## Question
#
# From its range tests the report {cite}`azmimr2022` concludes that "values between 0.05 and 5e-4
# seem to be a good balance", the larger ones first; and that "large learning rates can be used only
# when the losses are large".
#
# 1. Does a decay from .05 to 5e-4 end as low as an equally steep one from a larger rate?
# 2. A burst of a large rate, early while the loss is large or late when it is small: which one does
#    the run survive?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. The bursts interrupt a
# moderate constant rate for a few updates, at the start or when the loss is small. Both are judged
# equally many updates after their burst, by whether the run is alive then.

# %% tags=["parameters"]
n_seeds: int = 16  # [2..500] paired seeds for each comparison
pilot_seeds: int = 3  # [2..500] further seeds, used only to estimate the spread
epochs: int = 3  # [epochs, 1..] length of a run; after a late burst it goes on for as long again
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
evaluations: int = 6  # [1..] evaluations in a run
start_lr: float = 0.05  # [end_lr<..] rate at which the report's decay starts
end_lr: float = 5e-4  # [0<..<start_lr] rate at which the report's decay ends
other_start_lr: float = 0.3  # [0<..] where the other decay starts; it falls by the same factor
base_lr: float = 0.1  # [0<..] constant rate that the bursts interrupt
bursts: list[float] = [0.5, 0.8]  # [1.. of 0<..] large rates
burst_steps: int = 20  # [updates, 1..] length of a burst
alive_loss: float = 1.0  # [nats, 0<..] a run that ends with a lower test loss is alive
delta: float = 0.1  # [0<..] difference of the log test loss that would matter

# %% tags=["setup"]
import math

import numpy as np
import pandas as pd

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
if not 0 < end_lr < start_lr:
    raise ValueError(f"end_lr must be in (0, {start_lr}), got end_lr={end_lr}")
if not 1 <= burst_steps <= steps // 4:
    raise ValueError(f"burst_steps must be in [1, {steps // 4}], got burst_steps={burst_steps}")
factor = (end_lr / start_lr) ** (1 / steps)
decays = {
    f"{lr:g} → {lr * end_lr / start_lr:g}": schedules.Exponential(lr, factor, steps=steps)
    for lr in (start_lr, other_start_lr)
}
late = 2 * steps // 3


def burst(lr, at):
    base = schedules.Constant(base_lr)
    parts, edges = [base, schedules.Constant(lr), base], [at, at + burst_steps]
    return schedules.Join(parts[at == 0 :], edges[at == 0 :])


interrupted = {
    f"{lr:g} {when}": burst(lr, at) for lr in bursts for when, at in (("early", 0), ("late", late))
}
seeds = [*range(n_seeds), *range(1000, 1000 + pilot_seeds)]


def job(schedule, seed, length=steps):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=length,
            batch_size=batch_size,
            eval_every=math.ceil(length / evaluations),
            seed=seed,
        ),
    )


plan = [job(schedule, seed) for schedule in decays.values() for seed in seeds]
lengths = {name: steps if name.endswith("early") else late + steps for name in interrupted}
plan += [
    job(schedule, seed, lengths[name])
    for name, schedule in interrupted.items()
    for seed in range(n_seeds)
]

# %% [markdown]
# ## Prediction
#
# Written before the runs. *Balance*: the report's decay starts too low; one from .3 ends at least
# 10 % lower. *Large rates*: the claim has it backwards for a network at its start, whose steepest
# directions are not yet known: an early burst kills at least as often as a late one.
#
# ## Result

# %%
fig, ((left, right),) = plots.figure(1, 2, height=2.7)
plots.learning_rates(left, {name: s(np.arange(steps)) for name, s in decays.items()})
left.set(yscale="log", title="Decays")
left.legend()
plots.learning_rates(
    right, {name: s(np.arange(lengths[name])) for name, s in interrupted.items()}, staircase=True
)
right.set(title="Bursts")
right.legend()
display.show(
    fig,
    alt="Learning rate against step. Left: two parallel exponential decays on a log axis. Right: a "
    "constant rate with a rectangular burst at the start or late.",
    caption=f"Left: both decays fall by the factor {start_lr / end_lr:g}. Right: bursts of "
    f"{burst_steps} updates on a constant rate of {base_lr:g}.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
size = len(seeds)
by_decay = {name: runs[i * size : (i + 1) * size] for i, name in enumerate(decays)}
rest = runs[len(decays) * size :]
by_burst = {name: rest[i * n_seeds : (i + 1) * n_seeds] for i, name in enumerate(interrupted)}
display.say(
    f"{len(runs)} runs of {steps} updates ({late + steps} with a late burst): {len(decays)} decays "
    f"with {n_seeds} seeds and {pilot_seeds} more for the pilot, {len(interrupted)} bursts with "
    f"{n_seeds} seeds each."
)

# %% [markdown]
# ### The decay

# %% tags=["nbval-ignore-output"]
fig, ((left, middle, right),) = plots.figure(1, 3, width=9.6, height=2.9)
for ax, part in ((left, "train"), (middle, "test")):
    curves = {
        name: stats.band([run.evals[f"{part}_loss"] for run in members[:n_seeds]])
        for name, members in by_decay.items()
    }
    plots.bands(ax, by_decay[next(iter(decays))][0].evals["step"] / epoch, curves)
    ax.set(xlabel="epoch", title=f"{part} loss [nats]", ylim=(0, None))
left.legend(title="rate")
for style, members in zip(plots.styles(), by_decay.values(), strict=False):
    for run in members[:n_seeds]:
        right.plot(run.lr, run.grad_norm, ".", markersize=1.2, alpha=0.3, color=style["color"])
right.set(xscale="log", yscale="log", xlabel="learning rate", title="gradient norm")
display.show(
    fig,
    alt="Training and test loss against epoch for both decays: the one from the larger rate falls "
    "much faster and ends lower. Right: gradient norm against rate.",
    caption=f"Left, middle: mean and 95 % t interval over {n_seeds} paired seeds. Right: every "
    "update of every run.",
)

# %% tags=["nbval-ignore-output"]
rows = []
for name, members in by_decay.items():
    losses = stats.geometric_interval([run.final("test_loss") for run in members[:n_seeds]])
    accuracy = stats.mean_interval([run.final("test_accuracy") for run in members[:n_seeds]])
    rows.append(
        {
            "decay": name,
            "test loss": losses.estimate,
            "95 % from": losses.low,
            "to": losses.high,
            "test accuracy": accuracy.estimate,
        }
    )
display.table(pd.DataFrame(rows), digits=3, caption=f"At the end, {n_seeds} seeds each.")

# %% [markdown]
# ### The bursts

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(interrupted), width=9.6, height=2.8, sharey=True)
for ax, (name, members) in zip(axes[0], by_burst.items(), strict=True):
    for run in members:
        ax.plot(run.loss.clip(1e-3, 1e2), color=plots.COLOURS[0], linewidth=0.6, alpha=0.6)
    start = 0 if "early" in name else late
    plots.mark_band(ax, start, start + burst_steps, "burst", plots.COLOURS[1])
    plots.guess_line(ax, task.chance_loss, "ln 10")
    ax.set(title=name, xlabel="step", yscale="log")
axes[0][0].set_ylabel("loss on the batch [nats]")
axes[0][0].legend(loc="lower left")
display.show(
    fig,
    alt="Batch loss against step, one panel for each burst. The burst is shaded.",
    caption=f"Loss on each batch, {n_seeds} paired seeds; the burst is shaded.",
)

# %% tags=["nbval-ignore-output"]
alive = {
    name: np.array([run.final("test_loss") < alive_loss for run in members])
    for name, members in by_burst.items()
}
rows = [
    {
        "burst": name,
        "alive at the end": f"{values.sum()} of {n_seeds}",
        "diverged": f"{sum(run.diverged for run in by_burst[name])} of {n_seeds}",
        "largest loss, median": float(np.median([np.nanmax(run.loss) for run in by_burst[name]])),
    }
    for name, values in alive.items()
]
display.table(
    pd.DataFrame(rows),
    digits=3,
    caption=f"{steps - burst_steps} updates after the burst, {n_seeds} paired seeds.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
ours, other = ([run.final("test_loss") for run in members] for members in by_decay.values())
difference = stats.log_differences(other, ours)
spread = max(float(np.std(difference[n_seeds:], ddof=1)), 1e-3)
expected = max(abs(float(np.mean(difference[n_seeds:]))) - delta, delta)
display.say(
    f"Pilot: over {pilot_seeds} seeds of their own the paired difference has a standard deviation "
    f"of {spread:.2f}; to tell one that lies {expected:.2f} beyond the boundary with a power of "
    f"0.8 takes {stats.seeds_for_power(expected, spread)} seeds. {n_seeds} were used."
)
survived = {
    when: sum(alive[f"{lr:g} {when}"].astype(int) for lr in bursts) for when in ("early", "late")
}
differ = survived["early"] != survived["late"]
favour = survived["early"] > survived["late"]
settled = claims.judge(
    [
        Claim.effect(
            "balance",
            f"A decay from {start_lr:g} to {end_lr:g} is a good balance: one that is as steep, "
            f"from {other_start_lr:g}, does not end lower.",
            values=difference[:n_seeds],
            direction="greater",
            delta=0.0,
            unit="log ratio of test losses",
            source="azmimr2022",
        ),
        Claim.proportion(
            "large-only-early",
            "A large rate can be used only while the loss is large: runs survive it early and not "
            "late.",
            successes=int(favour.sum()),
            n=int(differ.sum()),
            direction="greater",
            threshold=0.5,
            unit="of the seeds that survived more bursts at one time than at the other",
            source="azmimr2022",
        ),
        Claim.proportion(
            "late-burst-kills",
            f"A late burst of {bursts[-1]:g} kills the run.",
            successes=int((~alive[f"{bursts[-1]:g} late"]).sum()),
            n=n_seeds,
            direction="greater",
            threshold=0.5,
            unit="runs not alive at the end",
            source="azmimr2022",
        ),
    ],
    notebook="exponential",
)
claims.show(settled)

# %%
claims.verdicts(settled)
