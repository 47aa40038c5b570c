# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does the loss come back down after a one-cycle's peak?
#     short_title: One-cycle, after the peak
#     question: Does the loss come back down after a one-cycle's peak?
#     tags: [sgd, mnist, lenet, one-cycle]
#     smoke:
#       n_seeds: 2
#       n_train: 320
#       epochs: 1
#       lead_epochs: 1
#       evaluations: 2
#       peaks: [0.1, 2.0]
#       escape_seeds: 2
#     foretold:
#       - says: Peaks up to about 0.5 come back below the loss before the peak, in nearly all runs.
#         claims: {moderate-peak-recovers: seen here}
#       - says: A peak of 2, the report's, ends at ln 10 in most.
#         claims: {large-peak-recovers: not seen here, large-peak-kills: seen here}
#       - says: From the planted start one-cycle gets away in more runs than the constant rate.
#         claims: {escapes: seen here}
# ---

# %% [markdown]
# # Does the loss come back down after a one-cycle's peak?
#
# ## Question
#
# The report {cite}`azmimr2022` raised the learning rate from 0.08 to 2.0 and lowered it to
# 0.000008, and wrote that the losses "increase to a high value" around the peak and that "once the
# learning rate begins to reduce again in the later epochs, we see the loss reduce as expected". Its
# published log shows a loss of 0.12 in the second epoch, about 218 at the peak, and 2.308 at the
# end, which is ln 10: the network no longer told any digit from another. The report adds that the
# peak lets the optimizer "jump out" of a bad start. One-cycle itself is
# {cite}`smith2018superconvergence`.
#
# 1. For which peaks does the test loss at the end lie below its value before the rate rose? And
#    does it at least fall again, as in the report?
# 2. How often does a run end at ln 10?
# 3. From a planted bad start, does one-cycle get away more often than a constant rate?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. The report's network had learnt before the rate
# became large: its cycle began with thousands of updates at rates that train. Ours has a lead, some
# epochs at the cycle's first rate, after which the loss is small; then comes the cycle, from that
# rate to the peak and down again. The planted bad start shifts the initial biases of all hidden
# layers down, so that most ReLUs are silent and little gradient passes: a plateau at ln 10.

# %% tags=["parameters"]
peaks: list[float] = [0.2, 0.3, 0.5, 2.0]  # [2.. of 0<.. rising] peak rates, above start_lr
start_lr: float = 0.08  # [0<..] rate of the lead, from which the cycle rises
n_seeds: int = 12  # [2..500] seeds for each peak
first_seed: int = 50_000  # [0..] first seed of the block
lead_epochs: int = 3  # [epochs, 1..] at the first rate, before the cycle
epochs: int = 3  # [epochs, 1..] length of the cycle
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
evaluations: int = 10  # [1..] evaluations in a run
dead_band: float = 0.02  # [0<..<1] relative distance from ln 10 that counts as ended there
escape_peak: float = 0.3  # [0<..] peak rate from the planted bad start
escape_lr: float = 0.1  # [0<..] constant rate from the planted bad start
escape_seeds: int = 32  # [2..] paired seeds from the planted bad start
bias_shift: float = -0.13  # [-10..10] of the initial hidden biases, for the planted bad start

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import reach

plots.use_style()

task, bad_start = (
    tasks.get("mnist", n_train=n_train),
    tasks.get("mnist", n_train=n_train, bias_shift=bias_shift),
)
epoch = -(-task.n_train // batch_size)
lead, steps = lead_epochs * epoch, epochs * epoch
total = lead + steps
cycles = {
    peak: schedules.Join(
        [schedules.Constant(start_lr), schedules.OneCycle(peak, steps=steps, start_lr=start_lr)],
        [lead],
    )
    for peak in peaks
}
escapes = {
    "one-cycle": schedules.OneCycle(escape_peak, steps=steps),
    "constant": schedules.Constant(escape_lr),
}
seeds = range(first_seed, first_seed + n_seeds)
starts = range(first_seed, first_seed + escape_seeds)
level = claims.level(5)  # five claims are tested


def job(on, schedule, seed, length):
    return Job(
        on,
        Recipe(
            schedule=schedule,
            steps=length,
            batch_size=batch_size,
            eval_every=math.ceil(length / evaluations),
            seed=seed,
        ),
    )


plan = {(peak, s): job(task, cycles[peak], s, total) for peak in peaks for s in seeds}
plan |= {(name, s): job(bad_start, escapes[name], s, steps) for name in escapes for s in starts}

# %% [markdown]
# ## Prediction
#
# Written before the runs, for a cycle from the start, without the lead. Peaks up to about 0.5 come
# back below the loss before the peak, in nearly all runs; a peak of 2, the report's, ends at ln 10
# in most. From the planted start one-cycle gets away in more runs than the constant rate that one
# would otherwise use.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
by_peak, by_escape = runs.of(peaks).groups(), runs.of(list(escapes)).groups()
display.say(
    f"{len(runs)} runs: {len(peaks)} peaks with {n_seeds} seeds and {total} updates each, and "
    f"{len(escapes)} schedules from the planted start with {escape_seeds} seeds and {steps} "
    "updates."
)

# %% tags=["nbval-ignore-output"]
top = 10.0  # of the panels [nats]
fig, (upper, lower) = plots.figure(
    2, len(peaks), height=4.6, sharex=True, sharey="row", squeeze=False
)
for i, peak in enumerate(peaks):
    for run in by_peak[peak].values():
        upper[i].plot(run.loss.clip(1e-3, top), color=plots.COLOURS[0], linewidth=0.5, alpha=0.4)
        upper[i].plot(
            run.evals["step"],
            run.evals["test_loss"].clip(1e-3, top),
            color=plots.COLOURS[1],
            linewidth=1.2,
        )
    plots.chance_line(upper[i], task.chance_loss, "ln 10")
    lower[i].plot(np.arange(total), cycles[peak](np.arange(total)), color=plots.COLOURS[2])
    upper[i].set(title=f"peak {peak:g}", yscale="log", ylim=(0.02, 1.1 * top))
    lower[i].set(xlabel="step", yscale="log")
upper[0].set_ylabel("loss [nats]")
lower[0].set_ylabel("learning rate")
upper[0].plot([], [], color=plots.COLOURS[0], label="batch")
upper[0].plot([], [], color=plots.COLOURS[1], label="test")
upper[0].legend(loc="lower left")
display.show(
    fig,
    alt="Loss against step, one panel for each peak rate, above the learning rate of each update; "
    "a line marks ln 10, which is guessing.",
    caption=f"Loss on each batch and on the test set, {n_seeds} seeds for each peak; what is above "
    f"{top:g} is drawn there; the schedule is drawn below: {lead} updates at "
    f"{start_lr:g}, up to the peak in 30 % of the cycle, down to 1/10,000 of the first rate. A "
    "line that ends is a run that diverged.",
    headline=True,
)

# %% [markdown]
# ### What became of each run
#
# A run has *come back* if its last test loss is below the last one of the lead, *ended at ln 10* if
# it is within a few per cent of guessing, and *diverged* if its loss or gradient was no longer
# finite. It has *fallen again* if it ends at less than half of the cycle's highest batch loss.


# %% tags=["nbval-ignore-output"]
def before(run):
    return run.evals["test_loss"][run.evals["step"] <= lead][-1]


def outcome(run):
    if run.diverged:
        return "diverged"
    if abs(run.final("test_loss") / task.chance_loss - 1) < dead_band:
        return "ended at ln 10"
    return "came back" if run.final("test_loss") < before(run) else "did not come back"


def highest(run):
    return np.nanmax(run.loss[lead:], initial=0.0)


def fell(run):
    return not run.diverged and run.final("test_loss") < highest(run) / 2


outcomes = {p: [outcome(run) for run in members.values()] for p, members in by_peak.items()}
fallen = {p: sum(map(fell, members.values())) for p, members in by_peak.items()}
rows = []
for p, members in by_peak.items():
    row = {
        "peak": p,
        "test loss before (median)": np.median(members.array(before)),
        "highest batch loss (median)": np.median(members.array(highest)),
        "fell again": f"{fallen[p]} of {n_seeds}",
    }
    for kind in ("came back", "did not come back", "ended at ln 10", "diverged"):
        row[kind] = f"{outcomes[p].count(kind)} of {n_seeds}"
    rows.append(row | {"mean test accuracy": members.array("test_accuracy").mean()})
display.table(rows, caption=f"Outcomes by peak, {n_seeds} seeds each.")
safe = [p for p in peaks if outcomes[p].count("came back") > n_seeds / 2]
display.say(
    f"Most runs come back after peaks of {', '.join(f'{p:g}' for p in safe)}."
    if safe
    else "After no peak do most runs come back."
)

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
            "mean rate": by_escape[name][first_seed].lr.mean(),
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
# Proportions carry exact (Clopper-Pearson) intervals. The comparison from the planted start is a
# sign test over the pairs that differ. What so many runs can show of a share hangs on the share
# alone, so that there is no pilot study:

# %% tags=["nbval-ignore-output"]
differ = away["one-cycle"] != away["constant"]
for count, what in ((n_seeds, "runs"), (int(differ.sum()), "pairs that differ")):
    display.say(reach.of_share(count, what, level=level))

# %%
largest, good = peaks[-1], [p for p in peaks if p <= 0.5]
network = f"LeNet on {task.n_train:,} digits"
after = f"{steps} updates after {lead} at {start_lr:g}"


def about(setting, **more):
    lost = "its 14,070 updates, and where in them its network had learnt"
    return About(setting, like="analogue", lost=lost, **more)


cycle = Setting(network, "SGD, one-cycle", after)
made = [
    Claim.proportion(
        slug,
        statement,
        successes=successes,
        n=n_seeds,
        direction="greater",
        threshold=0.5,
        unit=unit,
        published=published,
        about=about(cycle, family="after the peak"),
    )
    for slug, statement, successes, unit, published in (
        (
            "large-peak-recovers",
            f"After a peak of {largest:g} the loss comes back below its value before the rise.",
            outcomes[largest].count("came back"),
            "runs that came back",
            "loss 2.308 at the end, 0.12 before the peak",
        ),
        (
            "large-peak-falls",
            f"After a peak of {largest:g} the loss falls again, to less than half of its highest.",
            fallen[largest],
            "runs that fell again",
            "from about 218 to 2.308",
        ),
        (
            "moderate-peak-recovers",
            f"After each of the peaks {', '.join(f'{p:g}' for p in good)} the loss comes back "
            "below its value before the rise.",
            sum(all(outcomes[p][s] == "came back" for p in good) for s in range(n_seeds)),
            "seeds that came back from each of these peaks",
            None,
        ),
        (
            "large-peak-kills",
            f"A peak of {largest:g} leaves a network that only guesses, or none.",
            sum(outcomes[largest].count(kind) for kind in ("ended at ln 10", "diverged")),
            "runs that ended at ln 10 or diverged",
            "ended at 2.308",
        ),
    )
]
made.append(
    Claim.proportion(
        "escapes",
        f"One-cycle with a peak of {escape_peak:g} gets away where a constant {escape_lr:g} does "
        "not, and not the other way round.",
        successes=int(away["one-cycle"][differ].sum()),
        n=int(differ.sum()),
        direction="greater",
        threshold=0.5,
        unit="of the pairs that differ",
        about=about(
            Setting(f"{network} from a planted bad start", "SGD", f"{steps} updates"),
            replication="seeds whose two runs differ",
        ),
    )
)
claims.conclude(made, source="azmimr2022")

# %% tags=["nbval-ignore-output"]
back = {p: outcomes[p].count("came back") for p in peaks}
share = stats.proportion_interval(back[largest], n_seeds, level)
won = stats.proportion_interval(
    int(away["one-cycle"][differ].sum()), max(1, int(differ.sum())), level
)
display.answer(
    f"LeNet, SGD, {lead} updates at a learning rate of {start_lr:g}, then a one-cycle of {steps}: "
    f"of {n_seeds} runs "
    + ", ".join(f"{back[p] or 'none'} at a peak of {p:g}" for p in peaks)
    + " end below the loss before the rise "
    f"(at {largest:g} a share of {100 * share.low:.0f} to {100 * share.high:.0f} %, "
    f"{100 * level:.3g} % interval). "
    f"From a planted bad start one-cycle gets away in {away['one-cycle'].sum()} of {escape_seeds} "
    f"runs, a constant {escape_lr:g} in {away['constant'].sum()}"
    + (
        ", which is not enough to tell them apart"
        if won.low <= 0.5 <= won.high or not differ.any()
        else ""
    )
    + ". What this means for you: "
    + (
        f"keep the peak at or below {max(safe):g} here; a larger one can undo what was learnt."
        if safe and max(safe) < largest
        else "none of these peaks is safe."
        if not safe
        else "none of these peaks is too large."
    ),
    claims=[claim.id for claim in made],
)
