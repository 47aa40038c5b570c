# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does a staircase of learning rates show anything that a smooth ramp doesn't?
#     short_title: Staircase or smooth ramp
#     question: Does a staircase of learning rates show anything that a smooth ramp doesn't?
#     tags: [sgd, mnist, lenet, ramp, step decay]
#     smoke:
#       n_seeds: 2
#       pilot_seeds: 2
#       intervals: 6
#       interval_steps: 8
#       gamma: 5.0
#       n_train: 320
#       epochs: 1
#     foretold:
#       - says: At equal factor and interval the two schedules are one and the same.
#         claims: {identity: supported}
#       - says: The staircase finds the same usable range within ±25 %.
#         claims: {same-low: seen here, same-high: seen here}
#       - says: The decays end at the same test loss.
#         claims: {same-decay: seen here}
# ---

# %% [markdown]
# # Does a staircase of learning rates show anything that a smooth ramp doesn't?
#
# ## Question
#
# A course report on range tests {cite}`azmimr2022` trained LeNet on MNIST with SGD under a step
# schedule and under an exponential one, and found that their "loss curves looks very similar". Its
# published logs show that both schedules *raised* the learning rate, from 1e-5 by a factor of 1.5
# per epoch: they were range tests with steps as wide as an epoch. Two questions follow.
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
n_seeds: int = 24  # [2..500] paired seeds for each comparison
pilot_seeds: int = 8  # [2..500] further seeds, used only to estimate the spread
first_seed: int = 50_000  # [0..] first seed of the block
start_lr: float = 1e-3  # [0<..] rate at which the ramps start
gamma: float = 1.31  # [1<..] factor on the rate from one interval to the next
intervals: int = 32  # [2..] intervals of the ramp
interval_steps: int = 11  # [updates, 1..] width of an interval of the ramp
decay_lr: float = 0.1  # [0<..] rate at which the decays start
decay_gamma: float = 0.5  # [0<..<1] factor of the decays on the rate, per epoch
epochs: int = 4  # [epochs, 1..] length of the decays
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
alike: float = 0.1  # [0<..] log ratio of test losses that can't be told apart on the report's axes

# %% tags=["setup"]
import numpy as np
import torch

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases
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
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
TESTED = 3  # claims


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
# √½, which at these lengths should not matter: the same test loss within ±0.15 in its logarithm
# (±0.1 now; the usable range's ±25 % are now ±0.25 in the logarithm, up to 28 %).
#
# ## Result
#
# ### The schedules
#
# A step schedule is drawn as the steps it is.

# %%
fig, (left, right) = plots.figure(1, 2, height=2.7)
for ax, shown in ((left, ramps), (right, decays)):
    for style, name in plots.styled(shown):
        smooth_one = name in ("smooth ramp", "exponential decay")
        ax.plot(
            shown[name](np.arange(shown[name].horizon)),
            drawstyle="default" if smooth_one else "steps-post",
            label=name,
            **style,
        )
    ax.set(xlabel="update", ylabel="learning rate")
    ax.legend()
left.set(title="As ramps", yscale="log")
right.set(title="As decays")
display.show(
    fig,
    alt="Learning rate against update. Left, on a log axis: a staircase and a straight line rise "
    "together. Right: a falling staircase above a smooth exponential decay.",
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
    alt="Batch loss against learning rate for both ramps, one line for each seed, beside ln 10, "
    "which is guessing.",
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
fig, ax = plots.figure(height=2.8)
at = runs["step decay", first_seed].evals["step"] / epoch
plots.bands(
    ax,
    at,
    {
        name: stats.band(runs.of(name, seeds).curves("test_loss"), scale="log")
        for name in reversed(decays)
    },
)
ax.set(xlabel="epoch", ylabel="test loss [nats]", yscale="log")
ax.legend()
display.show(
    fig,
    alt="Test loss against epoch for step decay and exponential decay from the same first rate.",
    caption=f"Both decays from {decay_lr:g}, test loss: geometric mean and 95 % t interval over "
    f"{n_seeds} paired seeds; {runs.of([*decays], seeds).note()}.",
)

# %% [markdown]
# ### How far apart


# %% tags=["nbval-ignore-output"]
def apart(end, group):
    """Log ratio of an end of the usable range, staircase to ramp, where both show it."""
    pairs = [[getattr(found[name][s], end).lr for name in ramps] for s in group]
    return np.array([np.log(a / b) for a, b in pairs if a and b])


def differences(name, group=seeds):
    if name != "decay":
        return apart(name, group)
    return stats.log_differences(*(runs.of(decay, group).array("test_loss") for decay in decays))


rate_margin = claims.smallest_effect("learning rate")
margins = {"low": rate_margin, "high": rate_margin, "decay": alike}
titles = {"low": "lower end", "high": "upper end", "decay": "test loss of decays"}
level = claims.level(TESTED, "equivalence")
scaled = {titles[name]: differences(name) / margin for name, margin in margins.items()}
fig, ax = plots.figure(height=2.4)
enough = {name: values for name, values in scaled.items() if len(values) > 1}
plots.intervals(ax, stats.mean_intervals(enough, level), points=enough)
plots.shade(ax, -1, 1)
ax.set(xlabel="log ratio, staircase to smooth, in margins")
display.show(
    fig,
    alt="Mean differences between staircase and smooth schedule with intervals, in units of the "
    "margin within which they count as the same, which is shaded.",
    caption=f"Paired log ratios over seeds (dashes), divided by the margin that counts as the same "
    f"({rate_margin:g} for the ends of the usable range, {alike:g} for the test loss), with the "
    f"{100 * level:.1f} % intervals by which the claims are judged; shaded: the same.",
    headline=True,
)

# %% [markdown]
# ## Verdict
#
# How large the samples had to be, from the pilot's seeds, which are used for nothing else:

# %% tags=["nbval-ignore-output"]
for name, margin in margins.items():
    what = f"log ratio of the {titles[name]}"
    values = differences(name, pilots)
    if len(values) > 1:
        claims.power(values, what, within=margin, used=n_seeds, tested=TESTED)

# %%
task_name = f"LeNet on {task.n_train:,} digits"


def same_end(end, word):
    return [
        Claim.equivalence(
            f"same-{end}",
            f"A staircase and a smooth ramp find the same {word} end of the usable range.",
            values=values,
            unit="log ratio of rates",
            about=About(
                Setting(task_name, "SGD", f"ramps of {ramp_steps} updates"),
                metric="learning rate",
                family="staircase against smooth",
                like="analogue",
                lost="how it is in short ramps; its own have 14,070 updates",
            ),
        )
        for values in [differences(end)]
        if len(values)
    ]


made = [
    Claim.exact(
        "identity",
        "At equal factor and interval StepLR and ExponentialLR are one schedule.",
        measured=largest,
        expected=0.0,
        tolerance=1e-12,
        detail="Largest relative difference of torch's two schedulers and ours over 30 epochs.",
        about=About(like="same"),
    ),
    *same_end("low", "lower"),
    *same_end("high", "upper"),
    Claim.equivalence(
        "same-decay",
        f"As decays from {decay_lr:g}, step and exponential schedules end at the same test loss.",
        values=differences("decay"),
        margin=alike,
        diverged=sum(any(runs[name, s].diverged for name in decays) for s in seeds),
        unit="log ratio of test losses",
        about=About(
            Setting(task_name, "SGD", f"{decay_steps} updates"),
            metric="test loss",
            family="staircase against smooth",
            like="analogue",
            lost="how its schedules do as decays, which they are named for; its own rise, as ramps",
            reason="the report says that the curves look alike, on axes of 0 to 2.3",
        ),
    ),
]
claims.conclude(made, source="azmimr2022")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
ends = {word: judged.get(f"same-{end}") for end, word in (("low", "lower"), ("high", "upper"))}
decay = judged["same-decay"]
display.answer(
    "LeNet, SGD: with a staircase the usable range's "
    + ", and its ".join(f"{word} end is {phrases.change(c)}" for word, c in ends.items() if c)
    + f", against a smooth ramp. Used as a decay, with the same factor per epoch, the staircase's "
    f"test loss is {phrases.change(decay)} ({100 * claims.level(TESTED, 'equivalence'):.3g} % "
    "intervals). What this means for you: "
    + (
        "take either decay; they end alike."
        if decay.verdict == claims.rules.SEEN
        else "the two are not interchangeable at one first rate, for the smooth decay is lower at "
        "every update but the first of an epoch; tune the rate for each."
        if decay.verdict == claims.rules.NOT_SEEN
        else "tune the rate for each; whether they end alike is open."
    ),
    claims=[claim.slug for claim in judged.values()],
)
