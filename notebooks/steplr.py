# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: StepLR, as a staircase
#     question: Does a staircase of learning rates show anything that a smooth ramp doesn't?
#     tags: [sgd, mnist, lenet, ramp, step decay]
#     smoke:
#       n_seeds: 2
#       pilot_seeds: 2
#       intervals: 10
#       interval_steps: 8
#       gamma: 2.8
#       n_train: 640
#       epochs: 1
# ---

# %% [markdown]
# # StepLR: does a staircase show anything that a smooth ramp doesn't?
#
# ## Question
#
# A course report on range tests {cite}`azmimr2022` trained LeNet on MNIST with SGD under a step
# schedule and under an exponential one, and found that their "loss curves look very similar". Its
# published logs show that both schedules *raised* the rate, from 1e-5 by a factor of 1.5 per epoch:
# they were range tests with steps as wide as an epoch. Two questions follow.
#
# 1. As a ramp: does a staircase find the same usable rates as a ramp that rises at every update?
# 2. As what these schedules are normally used for, a decay: do they end at the same loss?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD, cross-entropy in nats.
# Every seed draws the same initial weights and the same order of data under each schedule, so that
# differences are paired.

# %% tags=["parameters"]
n_seeds: int = 8  # [2..500] paired seeds for each comparison
pilot_seeds: int = 3  # [2..500] further seeds, used only to estimate the spread
start_lr: float = 1e-3  # [0<..] rate at which the ramps start
gamma: float = 1.31  # [1<..] factor on the rate from one interval to the next
intervals: int = 32  # [2..] intervals of the ramp
interval_steps: int = 11  # [updates, 1..] width of an interval of the ramp
decay_lr: float = 0.1  # [0<..] rate at which the decays start
decay_gamma: float = 0.5  # [0<..<1] factor of the decays on the rate, per epoch
epochs: int = 4  # [epochs, 1..] length of the decays
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
band_margin: float = 0.25  # [0<..] relative difference of the band's ends that would matter
loss_margin: float = 0.15  # [0<..] difference of the log test loss that would matter

# %% tags=["setup"]
import numpy as np
import torch

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.range_test import Trace, find_band, smooth

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
ramp_steps, decay_steps = intervals * interval_steps, epochs * epoch
staircase = schedules.StepDecay(start_lr, gamma, every_steps=interval_steps, steps=ramp_steps)
per_step = schedules.Exponential(
    start_lr, gamma ** ((intervals - 1) / (ramp_steps - 1)), steps=ramp_steps
)
ramps = {"staircase": staircase, "smooth ramp": per_step}
decays = {
    "step decay": schedules.StepDecay(decay_lr, decay_gamma, every_steps=epoch, steps=decay_steps),
    "exponential decay": schedules.Exponential(
        decay_lr, decay_gamma, every_steps=epoch, steps=decay_steps
    ),
}
seeds, pilots = range(n_seeds), range(1000, 1000 + pilot_seeds)


def job(schedule, seed):
    steps = schedule.horizon
    eval_every = steps if schedule in ramps.values() else epoch
    return Job(
        task,
        Recipe(
            schedule=schedule, steps=steps, batch_size=batch_size, eval_every=eval_every, seed=seed
        ),
    )


plan = {
    (name, seed): job(schedule, seed)
    for name, schedule in (ramps | decays).items()
    for seed in (*seeds, *pilots)
}

# %% [markdown]
# ## Prediction
#
# Written before the runs. *Identity*: at equal factor and interval the two schedules of the report
# are one and the same, since torch's `ExponentialLR`, stepped once per epoch, is `StepLR` with a
# step size of one epoch. *Ramp*: the staircase finds the same usable range within ±25 %. *Decay*:
# the exponential decay lies below the staircase within each epoch, on average by a factor of about
# √½, which at these lengths should not matter: the same test loss within ±0.15 in its logarithm.
#
# ## Result
#
# ### The schedules
#
# A step schedule is drawn as the steps it is.

# %%
fig, (left, right) = plots.figure(1, 2, height=2.7)
plots.learning_rates(left, {"smooth ramp": per_step(np.arange(ramp_steps))})
left.plot(
    np.arange(ramp_steps),
    staircase(np.arange(ramp_steps)),
    drawstyle="steps-post",
    color=plots.COLOURS[1],
    label="staircase",
)
left.set_yscale("log")
left.set_title("As ramps")
plots.learning_rates(right, {"exponential": decays["exponential decay"](np.arange(decay_steps))})
right.plot(
    np.arange(decay_steps),
    decays["step decay"](np.arange(decay_steps)),
    drawstyle="steps-post",
    color=plots.COLOURS[1],
    label="step",
)
right.set_title("As decays")
left.legend(loc="upper left")
right.legend()
display.show(
    fig,
    alt="Learning rate against step. Left, on a log axis: a staircase and a straight line rise "
    "together over five decades. Right: a falling staircase above a smooth exponential decay.",
    caption="Learning rate of each update. Left: both ramps start and end at the same rates. "
    "Right: both decays lose the same factor per epoch.",
)

# %% [markdown]
# The identity is checked against torch itself, over 30 epochs, as in the report.

# %%
weight = torch.nn.Parameter(torch.zeros(()))
rates = {}
for name, kind in (
    ("StepLR", torch.optim.lr_scheduler.StepLR),
    ("ExponentialLR", torch.optim.lr_scheduler.ExponentialLR),
):
    optimizer = torch.optim.SGD([weight], lr=start_lr)
    arguments = {"step_size": 1} if name == "StepLR" else {}
    scheduler = kind(optimizer, gamma=gamma, **arguments)
    rates[name] = []
    for _ in range(30):
        rates[name].append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
by_epoch = schedules.StepDecay(start_lr, gamma, every_steps=1)(np.arange(30))
largest = max(float(np.max(np.abs(np.array(rates[name]) / by_epoch - 1))) for name in rates)
display.say(
    f"Over 30 epochs torch's `StepLR(step_size=1)`, torch's `ExponentialLR` and ours differ by at "
    f"most {largest:.0e} of the rate."
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(
    f"{len(runs)} runs: 2 ramps of {ramp_steps} updates and 2 decays of {decay_steps} updates, "
    f"each with {n_seeds} seeds and {pilot_seeds} more for the pilot."
)

# %% [markdown]
# ### As ramps
#
# The loss on each batch while the rate rises. The usable range goes from the smallest constant rate
# that, by the distance the ramp has travelled, brings a tenth of the drop within the length of the
# decays, to the rate at which the smoothed loss has risen again by three tenths of the drop.

# %% tags=["nbval-ignore-output"]
found = {
    name: {s: find_band([Trace.of(run)], decay_steps) for s, run in runs.of(name).items()}
    for name in ramps
}
fig, ax = plots.figure(height=3.1)
for style, name in plots.styled(ramps):
    for run in runs.of(name, seeds).values():
        lr, loss, _ = smooth(Trace.of(run))
        ax.plot(lr, loss, alpha=0.55, linewidth=1.1, **style)
    ax.plot([], [], label=name, **style)
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", ylim=(0, 5), xlabel="learning rate", ylabel="loss on the batch [nats]")
ax.legend(loc="lower left")
display.show(
    fig,
    alt="Batch loss against learning rate for both ramps: flat at ln 10, then a fall, then a steep "
    "rise, at the same rates for both.",
    caption=f"Loss against the rate at which it was measured, {n_seeds} seeds for each ramp, "
    "smoothed without lag; what is above 5 is cut off.",
)

# %% tags=["nbval-ignore-output"]
rows = []
for name in ramps:
    for end in ("low", "high"):
        seen = [lr for s in seeds if (lr := getattr(found[name][s], end).lr)]
        rate = stats.geometric_interval(seen) if len(seen) > 1 else "–"
        rows.append(
            {
                "ramp": name,
                "end": end,
                "seen in": f"{len(seen)} of {n_seeds}",
                "rate [95 %]": rate,
            }
        )
display.table(
    rows,
    caption=f"Ends of the usable range: geometric mean over {n_seeds} seeds.",
)


# %% [markdown]
# ### As decays

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, height=2.8, sharey=True)
steps = runs["step decay", 0].evals["step"]
for ax, part in ((left, "train"), (right, "test")):
    curves = {name: stats.band(runs.of(name, seeds).curves(f"{part}_loss")) for name in decays}
    plots.bands(ax, steps / epoch, curves)
    ax.set(xlabel="epoch", title=f"{part} loss")
left.set_ylabel("cross-entropy [nats]")
left.set_yscale("log")
right.legend()
display.show(
    fig,
    alt="Training and test loss against epoch for step decay and exponential decay: both fall "
    "steeply and end close together.",
    caption=f"Mean and 95 % t interval over {n_seeds} paired seeds; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
accuracies = {
    name: stats.mean_interval(runs.of(name, seeds).array("test_accuracy")) for name in decays
}
display.say(
    " ".join(
        f"Test accuracy after {epochs} epochs of {name}: {100 * x.estimate:.1f} % "
        f"({100 * x.low:.1f} to {100 * x.high:.1f} %, n = {n_seeds})."
        for name, x in accuracies.items()
    )
)

# %% [markdown]
# ## Verdict
#
# How large the samples had to be, from the pilot's seeds, which are used for nothing else:


# %% tags=["nbval-ignore-output"]
def apart(end, group):
    """Log ratio of an end of the usable range, staircase to ramp; NaN where one is missing."""
    pairs = [[getattr(found[name][s], end).lr for name in ramps] for s in group]
    return np.array([np.log(a / b) if a and b else np.nan for a, b in pairs])


def differences(name, group=seeds):
    if name != "decay":
        return apart(name, group)
    return stats.log_differences(*(runs.of(decay, group).array("test_loss") for decay in decays))


margins = {"low": np.log1p(band_margin), "high": np.log1p(band_margin), "decay": loss_margin}
for name, margin in margins.items():
    what = "log ratio of test losses" if name == "decay" else f"log ratio of the {name} ends"
    claims.power(differences(name, pilots), what, within=margin, used=n_seeds)

# %%
claims.conclude(
    [
        Claim.exact(
            "identity",
            "At equal factor and interval StepLR and ExponentialLR are one schedule.",
            measured=largest,
            expected=0.0,
            tolerance=1e-12,
            detail="Largest relative difference of torch's two schedulers and ours over 30 epochs.",
        ),
        Claim.equivalence(
            "same-low",
            "A staircase and a per-step ramp find the same lower end of the usable range.",
            values=[v for v in differences("low") if np.isfinite(v)],
            margin=margins["low"],
            unit="log ratio of rates",
        ),
        Claim.equivalence(
            "same-high",
            "A staircase and a per-step ramp find the same upper end of the usable range.",
            values=[v for v in differences("high") if np.isfinite(v)] or [0.0],
            margin=margins["high"],
            unit="log ratio of rates",
        ),
        Claim.equivalence(
            "same-decay",
            "As decays, step and exponential schedules end at the same test loss.",
            values=differences("decay"),
            margin=loss_margin,
            unit="log ratio of test losses",
        ),
    ],
    source="azmimr2022",
)
