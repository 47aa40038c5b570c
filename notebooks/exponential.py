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

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
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
seeds, pilots = range(n_seeds), range(1000, 1000 + pilot_seeds)


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


plan = {
    ("decay", name, s): job(decay, s) for name, decay in decays.items() for s in (*seeds, *pilots)
}
lengths = {name: steps if name.endswith("early") else late + steps for name in interrupted}
plan |= {
    ("burst", name, seed): job(schedule, seed, lengths[name])
    for name, schedule in interrupted.items()
    for seed in seeds
}

# %% [markdown]
# ## Prediction
#
# Written before the runs. *Balance*: the report's decay starts too low; one from .3 ends at least
# 10 % lower. *Large rates*: the claim has it backwards for a network at its start, whose steepest
# directions are not yet known: an early burst kills at least as often as a late one.
#
# ## Result

# %%
fig, (left, right) = plots.figure(1, 2, height=2.7)
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
by_decay = runs.of("decay", ..., seeds).groups()
interruptions = runs.of("burst")
display.say(
    f"{len(runs)} runs of {steps} updates ({late + steps} with a late burst): {len(decays)} decays "
    f"with {n_seeds} seeds and {pilot_seeds} more for the pilot, {len(interrupted)} bursts with "
    f"{n_seeds} seeds each."
)

# %% [markdown]
# ### The decay

# %% tags=["nbval-ignore-output"]
fig, (left, middle, right) = plots.figure(1, 3, height=2.9)
for ax, part in ((left, "train"), (middle, "test")):
    curves = {
        name: stats.band(members.curves(f"{part}_loss")) for name, members in by_decay.items()
    }
    plots.bands(ax, next(iter(runs.values())).evals["step"] / epoch, curves)
    ax.set(xlabel="epoch", title=f"{part} loss [nats]", ylim=(0, None))
left.legend(title="rate")
for style, members in plots.styled(by_decay.values()):
    for run in members.values():
        right.plot(run.lr, run.grad_norm, ".", markersize=1.2, alpha=0.3, color=style["color"])
right.set(xscale="log", yscale="log", xlabel="learning rate", title="gradient norm")
display.show(
    fig,
    alt="Training and test loss against epoch for both decays: the one from the larger rate falls "
    "much faster and ends lower. Right: gradient norm against rate.",
    caption=f"Left, middle: mean and 95 % t interval over {n_seeds} paired seeds. Right: every "
    f"update of every run; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "decay": name,
            "test loss [95 %]": stats.geometric_interval(members.array("test_loss")),
            "test accuracy": members.array("test_accuracy").mean(),
        }
        for name, members in by_decay.items()
    ],
    caption=f"At the end, {n_seeds} seeds each.",
)

# %% [markdown]
# ### The bursts

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(interrupted), height=2.8, sharey=True, squeeze=False)
for ax, (name, members) in zip(axes[0], interruptions.groups().items(), strict=True):
    for run in members.values():
        ax.plot(run.loss.clip(1e-3, 1e2), color=plots.COLOURS[0], linewidth=0.6, alpha=0.6)
    start = 0 if "early" in name else late
    plots.shade(ax, start, start + burst_steps, "burst", plots.COLOURS[1])
    plots.chance_line(ax, task.chance_loss, "ln 10")
    ax.set(title=name, xlabel="step", yscale="log")
axes[0][0].set_ylabel("loss on the batch [nats]")
axes[0][0].legend(loc="lower left")
display.show(
    fig,
    alt="Batch loss against step, one panel for each burst. The burst is shaded.",
    caption=f"Loss on each batch, {n_seeds} paired seeds; the burst is shaded.",
)

# %% tags=["nbval-ignore-output"]
alive = {name: losses < alive_loss for name, losses in interruptions.arrays("test_loss").items()}
display.table(
    [
        {
            "burst": name,
            "alive at the end": f"{alive[name].sum()} of {n_seeds}",
            "diverged": f"{members.num_diverged} of {n_seeds}",
            "largest loss, median": np.median(members.array(lambda run: np.nanmax(run.loss))),
        }
        for name, members in interruptions.groups().items()
    ],
    caption=f"{steps - burst_steps} updates after the burst, {n_seeds} paired seeds.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
decayed = runs.of("decay", ..., seeds).arrays("test_loss")
difference = stats.log_differences(*reversed(decayed.values()))
pilot = stats.log_differences(*reversed(runs.of("decay", ..., pilots).arrays("test_loss").values()))
claims.power(
    pilot,
    "log ratio of test losses, the other start to the report's,",
    beyond=delta,
    effect=max(abs(pilot.mean()), 2 * delta),
    used=n_seeds,
)
survived = {
    when: sum(alive[f"{lr:g} {when}"].astype(int) for lr in bursts) for when in ("early", "late")
}
differ = survived["early"] != survived["late"]
favour = survived["early"] > survived["late"]

# %%
claims.conclude(
    [
        Claim.effect(
            "balance",
            f"A decay from {start_lr:g} to {end_lr:g} is a good balance: one that is as steep, "
            f"from {other_start_lr:g}, does not end lower.",
            values=difference,
            direction="greater",
            delta=0.0,
            unit="log ratio of test losses",
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
        ),
        Claim.proportion(
            "late-burst-kills",
            f"A late burst of {bursts[-1]:g} kills the run.",
            successes=int((~alive[f"{bursts[-1]:g} late"]).sum()),
            n=n_seeds,
            direction="greater",
            threshold=0.5,
            unit="runs not alive at the end",
        ),
    ],
    source="azmimr2022",
)
