# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: The rule of thumb for schedules
#     question: Does momentum need a decaying rate, and is a constant one fine for Adam?
#     tags: [sources, mnist1d, mnist, adam, momentum, cosine, step]
#     smoke: {steps: 20, n_seeds: 2, pilot_seeds: 2, n_train: 400, lenet_steps: 20,
#       lenet_train: 100, lenet_sgd: [0.01, 0.02, 0.04], lenet_adam: [1.0e-3, 2.0e-3, 4.0e-3],
#       lenet_seeds: 2, lenet_tuning: 1}
# ---

# %% [markdown]
# # The rule of thumb for schedules: decay for momentum, a constant rate for Adam?
#
# ## Question
#
# "Do not touch the schedule at first, it is the last thing to do. Use a constant rate to begin
# with. For SGD with momentum a non-trivial decay may be good; for more complex optimizers, such as
# Adam, there is no need for fancy schedules: constant is okay" {cite}`mtdickens2024`.
#
# 1. With momentum, how much lower does a decay end than a constant rate, each at its tuned rate?
# 2. And with Adam: is the difference small enough to forget? Is it another than with momentum?
# 3. Is the order of the schedules the same at T, 2T and 4T?
# 4. Schedule last: is a cosine that is put onto the rate tuned for a constant as good as one with a
#    rate of its own?
#
# ## Setup
#
# The perceptron of MNIST-1D {cite}`greydanus2024scaling`: two optimizers × five schedules × three
# lengths on paired seeds, at the rates of the entry *Tuning the MNIST-1D perceptron*. What counts
# is the share of wrong answers on the test part; a run that diverges counts as guessing, 90 %. The
# spot check is LeNet on MNIST: constant and cosine, tuned here by validation loss, on seeds of
# their own.

# %% tags=["parameters"]
steps: int = 400  # [updates, 20..] T, the shortest training
n_seeds: int = 10  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
batch_size: int = 100  # [signals, 1..n_train] in a batch
lenet_steps: int = 150  # [updates, 20..] of LeNet
lenet_train: int = 3500  # [1..3500] training images of LeNet
lenet_batch: int = 64  # [images, 1..lenet_train] in a batch of LeNet
lenet_sgd: list[float] = [0.01, 0.02, 0.04, 0.08, 0.16]  # [2.. of 0<.. rising] peaks, momentum
lenet_adam: list[float] = [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2]  # [2.. of 0<.. rising] peaks, Adam
lenet_seeds: int = 8  # [2..500] paired seeds of LeNet
lenet_tuning: int = 2  # [1..1000] tuning seeds of LeNet
delta: float = 0.02  # [0<..<margin] smallest gain in the log test error that would matter
margin: float = 0.05  # [delta<..] a constant rate within this log ratio is okay
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import itertools

import numpy as np
import pandas as pd

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import SGD, Adam
from lrlab.schedules.presets import lineup

plots.use_style()

names = ["constant", "inverse square root", "step", "linear", "cosine"]
optimizers = {"sgd": SGD(momentum=0.9), "adam": Adam()}
lengths = {"t": steps, "2t": 2 * steps, "4t": 4 * steps}
found = tuned.read("tune_mnist1d", tuning_entry or None)
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
mnist1d, lenet = tasks.get("mnist1d", n_train=n_train), tasks.get("mnist", n_train=lenet_train)
lenet_peaks = {"sgd": lenet_sgd, "adam": lenet_adam}


def job(task, name, optimizer, count, peak, seed, batch):
    return Job(
        task,
        Recipe(
            schedule=lineup(count)[name].scale(peak),
            steps=count,
            batch_size=batch,
            optimizer=optimizers[optimizer],
            seed=seed,
        ),
    )


LAST = "cosine at the constant's rate"
arms = {
    (n, o, le): found.rate(f"{n} {o} {le}") for n in names for o in optimizers for le in lengths
}
arms |= {(LAST, o, le): arms["constant", o, le] for o in optimizers for le in lengths}
grid = [(arm, seed) for arm in arms for seed in seeds]
grid += [((n, o, "2t"), s) for n in ("constant", "cosine") for o in optimizers for s in pilots]


def compared_job(arm, seed):
    name, optimizer, length = arm
    kind, count = "cosine" if name == LAST else name, lengths[length]
    return job(mnist1d, kind, optimizer, count, arms[arm], seed, batch_size)


plan = {(arm, seed): compared_job(arm, seed) for arm, seed in grid}
plan |= {
    ("LeNet", (n, o), p, s): job(lenet, n, o, lenet_steps, p, s, lenet_batch)
    for n in ("constant", "cosine")
    for o in optimizers
    for p in lenet_peaks[o]
    for s in range(1000, 1000 + lenet_tuning)
}
later = {"LeNet at the tuned rates": 2 * len(optimizers) * lenet_seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. With momentum the cosine ends 5 to 10 % below the constant rate, with
# Adam about half as far: less than the rule says, but not nothing. The order of the schedules is
# the same at all lengths, linear and cosine first. The cosine at the constant's rate loses a few
# per cent against its own rate with momentum, and nothing with Adam. LeNet agrees in sign.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %%
def error(run, part="test"):
    """Share of wrong answers at the end; guessing where the run diverged."""
    return 1 - run.final(f"{part}_accuracy")


tried, compared = runs.of("LeNet"), runs.of(list(arms), seeds)
errors = compared.arrays(error)
display.say(
    f"{len(runs)} runs: {len(names)} schedules × {len(optimizers)} optimizers × {len(lengths)} "
    f"lengths × {n_seeds} seeds, {len(lengths) * len(optimizers) * n_seeds} of the cosine at the "
    f"constant's rate, {4 * pilot_seeds} of the pilot, {len(tried)} to tune LeNet."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.5, sharey=True)
where = np.array(list(lengths.values()))
for ax, optimizer in zip(axes, optimizers, strict=True):
    shifts = np.linspace(0.93, 1.07, len(names))
    for style, (name, shift) in plots.styled(zip(names, shifts, strict=True)):
        each = [stats.mean_interval(100 * errors[name, optimizer, le]) for le in lengths]
        plots.error_bars(ax, where * shift, each, label=name, **style)
    title = "SGD with momentum" if optimizer == "sgd" else "Adam"
    ax.set(xscale="log", xlabel="updates", title=title)
    plots.ticks(ax.xaxis, where)
axes[0].set_ylabel("test error [%]")
axes[1].legend()
display.show(
    fig,
    alt="Test error against the length of training, one panel for each optimizer and one line for "
    "each of five schedules, with intervals.",
    caption="MNIST-1D: share of wrong answers on the test part (1,000 signals) at each one's tuned "
    f"rate, mean and 95 % t interval over {n_seeds} seeds; drawn side by side at each length; "
    f"{compared.note()}.",
)


# %%
def effect(name, optimizer, length, base="constant"):
    """Paired log ratios of test errors, below zero where `name` ends lower than `base`."""
    return stats.log_differences(*(errors[n, optimizer, length] for n in (name, base)))


# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(lengths), height=4.0, sharey=True, sharex=True, squeeze=False)
rows = [(n, o) for n in names[1:] for o in optimizers]
for ax, (length, count) in zip(axes[0], lengths.items(), strict=True):
    each = {f"{n}, {'momentum' if o == 'sgd' else 'Adam'}": effect(n, o, length) for n, o in rows}
    plots.intervals(ax, stats.mean_intervals(each), points=each)
    plots.shade(ax, -delta, delta)
    ax.set(title=f"{count:,} updates", xlabel="log ratio to the constant rate")
display.show(
    fig,
    alt="Differences of log test errors between each decay and the constant rate, for momentum and "
    "Adam, at three lengths of training: left of zero the decay ends lower.",
    caption="Each decay against the constant rate of the same optimizer: paired difference of log "
    f"test errors, 95 % t intervals, n = {n_seeds}. Shaded: differences too small to matter.",
)

# %% tags=["nbval-ignore-output"]
table = []
for optimizer, length in itertools.product(optimizers, lengths):
    order = sorted(names, key=lambda n: errors[n, optimizer, length].mean())
    for name in names:
        members = compared.of((name, optimizer, length))
        table.append(
            {
                "optimizer": optimizer,
                "updates": lengths[length],
                "schedule": name,
                "rank": order.index(name) + 1,
                "rate": arms[name, optimizer, length],
                "test error [%]": 100 * errors[name, optimizer, length].mean(),
                "test loss": members.array("test_loss").mean(),
                "training loss": members.array("train_loss").mean(),
                "diverged": members.num_diverged,
            }
        )
frame = pd.DataFrame(table)
display.table(
    frame,
    caption=f"Where they end, means over {n_seeds} seeds. Losses in "
    "nats; rank by test error, 1 is the lowest.",
)
ranks = {
    o: frame[frame.optimizer == o].pivot(index="schedule", columns="updates", values="rank")
    for o in optimizers
}
agreement = {
    o: float(np.mean(r.corr("spearman").to_numpy()[np.triu_indices(len(lengths), 1)]))
    for o, r in ranks.items()
}
first = {o: [str(r[c].idxmin()) for c in r.columns] for o, r in ranks.items()}
display.say(
    f"Lowest at T, 2T and 4T: with momentum {', '.join(first['sgd'])}; with Adam "
    f"{', '.join(first['adam'])}. The orders at two lengths have a mean rank correlation of "
    f"{agreement['sgd']:.2f} with momentum and {agreement['adam']:.2f} with Adam."
)

# %% [markdown]
# ### Spot check: LeNet on MNIST

# %% tags=["nbval-ignore-output"]
lenet_rates = {
    arm: tuned.best_rate(lenet_peaks[arm[1]], losses.mean(axis=1))
    for arm, losses in tried.arrays("validation_loss").items()
}
lenet_loss = train_many(
    {
        ((n, o), s): job(lenet, n, o, lenet_steps, rate, s, lenet_batch)
        for (n, o), rate in lenet_rates.items()
        for s in range(lenet_seeds)
    }
).arrays("test_loss")
lenet_effect = {
    o: stats.log_differences(lenet_loss["cosine", o], lenet_loss["constant", o]) for o in optimizers
}
display.table(
    [
        {
            "schedule": n,
            "optimizer": o,
            "tuned rate": rate,
            "at the grid's edge": rate in (lenet_peaks[o][0], lenet_peaks[o][-1]),
            "test loss": lenet_loss[n, o].mean(),
            "log ratio of test losses to the constant": ""
            if n == "constant"
            else stats.mean_interval(lenet_effect[o]),
        }
        for (n, o), rate in lenet_rates.items()
    ],
    caption=f"LeNet on MNIST, {lenet_steps} updates at the rate tuned on {lenet_tuning} tuning "
    f"seeds, mean over {lenet_seeds} seeds, with 95 % t intervals.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for optimizer in optimizers:
    pilot = stats.log_differences(
        *(runs.of((n, optimizer, "2t"), pilots).array(error) for n in ("cosine", "constant"))
    )
    what = f"log ratio of test errors, cosine to constant ({optimizer}),"
    claims.power(pilot, what, beyond=delta, effect=margin, used=n_seeds)

# %%
unit = "log ratio of test errors"
claims.conclude(
    [
        Claim.effect(
            f"momentum-{le}",
            "With momentum a decay helps: the cosine ends below the constant "
            f"rate, {count:,} updates.",
            values=effect("cosine", "sgd", le),
            direction="less",
            delta=delta,
            unit=unit,
        )
        for le, count in lengths.items()
    ]
    + [
        Claim.equivalence(
            f"adam-{le}",
            f"With Adam a constant rate is as good as the cosine, {count:,} updates.",
            values=effect("cosine", "adam", le),
            margin=margin,
            unit=unit,
        )
        for le, count in lengths.items()
    ]
    + [
        Claim.effect(
            f"interaction-{le}",
            f"The cosine gains more with momentum than with Adam, {count:,} updates.",
            values=effect("cosine", "sgd", le) - effect("cosine", "adam", le),
            direction="less",
            delta=delta,
            unit=unit,
        )
        for le, count in lengths.items()
    ]
    + [
        Claim.equivalence(
            f"schedule-last-{o}",
            "The schedule can be left for last: the cosine at the rate tuned "
            f"for a constant is as good as at its own, {o}, {lengths['2t']:,} updates.",
            values=effect(LAST, o, "2t", base="cosine"),
            margin=margin,
            unit=unit,
        )
        for o in optimizers
    ]
    + [
        Claim.effect(
            "lenet-momentum",
            "LeNet with momentum: the cosine ends below the constant rate.",
            values=lenet_effect["sgd"],
            direction="less",
            delta=delta,
            unit="log ratio of test losses",
        ),
        Claim.equivalence(
            "lenet-adam",
            "LeNet with Adam: a constant rate is as good as the cosine.",
            values=lenet_effect["adam"],
            margin=margin,
            unit="log ratio of test losses",
        ),
    ]
    + [
        Claim.descriptive(
            f"ranking-{o}",
            "Rank correlation of the schedules' order between two lengths, mean of "
            f"the three pairs, {o}.",
            values=[agreement[o]],
            source="",
        )
        for o in optimizers
    ],
    source="mtdickens2024",
)
