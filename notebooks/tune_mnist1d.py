# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Tuning the MNIST-1D perceptron
#     short_title: Tuned rates, MNIST-1D
#     question: Which peak rate suits each schedule, optimizer and length of training?
#     tags: [adam, mnist1d, momentum, tuning]
#     smoke: {steps: 20, sgd_peaks: [0.05, 0.2, 0.8], adam_peaks: [2.5e-3, 1.0e-2, 4.0e-2],
#       tuning_seeds: 1, n_train: 400}
#     foretold:
#       - says: >-
#           With momentum the falling schedules want a peak of about 0.4, constant and inverse
#           square root a quarter of that; with Adam about 1e-2 and a quarter of that.
#         claims: not judged
#       - says: >-
#           Doubling the training lowers the rates by less than a factor of two, and those of the
#           constant rate most.
#         claims: not judged
#       - {says: The basins of the falling schedules are the wider ones., claims: not judged}
# ---

# %% [markdown]
# # Tuning the MNIST-1D perceptron: which peak rate suits each schedule?
#
# ## Question
#
# Whether a schedule helps {cite}`mtdickens2024` can be said only where each schedule runs at a rate
# of its own. This entry finds those learning rates for the perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, with momentum and with Adam, at three lengths of training; the
# entries that compare read them from here.
#
# 1. Which peak rate has the lowest validation error?
# 2. How does it change when the training is twice and four times as long?
# 3. How wide is the basin: how far may one miss that rate before the error is 5 % higher?
#
# ## Setup
#
# The perceptron 40-100-100-10 of the dataset's authors (15,210 weights), 3,500 signals for training
# and 500 for validation, batches of 100; its published accuracy on the test part is 68 %. Momentum
# is 0.9. Every combination of schedule, optimizer and length gets the same number of runs, and the
# seeds are used for nothing else.
#
# What is minimised is the share of wrong answers at the end, not the cross-entropy: the model can
# learn all training signals by heart, and from then on the cross-entropy on other signals rises
# with the confidence of its mistakes while their number need not. The result says how far the two
# would be apart.
#
# A condition is named *schedule optimizer length*: `cosine sgd t`, `one-cycle adam 2t`,
# `inverse square root sgd 4t`; `sgd` has momentum. Read one with
# `tuned.read("tune_mnist1d").rate("cosine sgd t")`.

# %% tags=["parameters"]
sgd_peaks: list[float] = [0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising] equal ratios
adam_peaks: list[float] = [2.5e-3, 5e-3, 1e-2, 2e-2, 4e-2, 8e-2]  # [3.. of 0<.. rising]
# same for Adam
steps: int = 400  # [updates, 20..] T, the shortest training; the others have 2T and 4T
tuning_seeds: int = 3  # [1..1000] seeds for each rate
first_seed: int = 50_000  # [0..] first seed of the block; tuning seeds begin 10,000 after it
n_train: int = 3500  # [1..3500] training signals
batch_size: int = 100  # [signals, 1..n_train] in a batch
excess: float = 0.05  # [0<..] relative excess of the error at the edge of the basin

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import tuned
from lrlab.optimizers import SGD, Adam
from lrlab.schedules.presets import lineup

plots.use_style()

peaks = {"sgd": sgd_peaks, "adam": adam_peaks}
lengths = {"t": steps, "2t": 2 * steps, "4t": 4 * steps}
optimizers = {"sgd": SGD(momentum=0.9), "adam": Adam()}
task = tasks.get("mnist1d", n_train=n_train)
names = list(lineup(steps))
seeds = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)


def job(name, optimizer, length, peak, seed):
    count = lengths[length]
    return Job(
        task,
        Recipe(
            schedule=lineup(count)[name].scale(peak),
            steps=count,
            batch_size=batch_size,
            optimizer=optimizers[optimizer],
            seed=seed,
        ),
    )


conditions = [
    (name, optimizer, length) for length in lengths for optimizer in optimizers for name in names
]
plan = {(c, peak, s): job(*c, peak, s) for c in conditions for peak in peaks[c[1]] for s in seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. With momentum the falling schedules want a peak of about 0.4, constant
# and inverse square root a quarter of that; with Adam about 1e-2 and a quarter of that. Doubling
# the training lowers the rates by less than a factor of two, and those of the constant rate most.
# The basins of the falling schedules are the wider ones.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
error = runs.arrays(lambda run: 1 - run.final("validation_accuracy"))  # shape (peaks, seeds)
loss = runs.arrays("validation_loss")
display.say(
    f"{len(runs)} runs: {len(names)} schedules, {len(optimizers)} optimizers, {len(lengths)} "
    f"lengths, {len(sgd_peaks)} rates with momentum and {len(adam_peaks)} with Adam, "
    f"{tuning_seeds} seeds."
)

# %% tags=["nbval-ignore-output"]
OPTIMIZERS = {"sgd": "SGD with momentum 0.9", "adam": "Adam"}
fig, axes = plots.figure(
    len(optimizers), len(lengths), width=9.6, height=5.6, sharey=True, sharex="row", squeeze=False
)
for row, optimizer in zip(axes, optimizers, strict=True):
    for ax, (length, count) in zip(row, lengths.items(), strict=True):
        for style, name in plots.styled(names):
            shown = 100 * error[name, optimizer, length]  # shape (peaks, seeds)
            ends, look = (shown.min(axis=1), shown.max(axis=1)), {"color": style["color"]}
            ax.vlines(peaks[optimizer], *ends, linewidth=0.8, alpha=0.5, **look)
            mean = shown.mean(axis=1)
            ax.plot(peaks[optimizer], mean, marker="o", markersize=3, label=name, **style)
        ax.set(xscale="log", title=f"{OPTIMIZERS[optimizer]}, {count:,} updates")
        plots.ticks(ax.xaxis, peaks[optimizer][:: 2 if len(peaks[optimizer]) > 4 else 1])
    row[0].set_ylabel("validation error [%]")
for ax in axes[-1]:
    ax.set_xlabel("peak rate")
fig.legend(
    *axes[0][0].get_legend_handles_labels(),
    loc="upper center",
    ncols=4,
    fontsize=8.5,
    bbox_to_anchor=(0.5, 0.0),
)
display.show(
    fig,
    alt="Validation error against peak rate, six panels for two optimizers and three lengths of "
    "training, one line for each schedule, with the range of the seeds.",
    caption="Share of wrong answers on the validation part at the end against peak rate: mean over "
    f"{tuning_seeds} tuning seeds, and thin lines from the lowest to the highest of them. A run "
    f"that diverged counts as guessing: {runs.note()}.",
    headline=True,
)


# %% [markdown]
# ### The rates
#
# The rate is the vertex of the parabola through the lowest point and its neighbours, in logarithms,
# one for each seed. The width of the basin is the ratio of the rates at which the error, averaged
# over the seeds and interpolated between the points, is 5 % above its lowest; where the grid ends
# before, it is a lower bound.

# %% tags=["nbval-ignore-output"]
found = {c: [tuned.best_rate(peaks[c[1]], column) for column in error[c].T] for c in conditions}
widths = {c: tuned.basin(peaks[c[1]], error[c].mean(axis=1), excess) for c in conditions}
rows, at_edge = [], 0
for name, optimizer, length in conditions:
    c, ends = (name, optimizer, length), (peaks[optimizer][0], peaks[optimizer][-1])
    at_edge += (outside := sum(r in ends for r in found[c]))
    rows.append(
        {
            "schedule": name,
            "optimizer": optimizer,
            "updates": lengths[length],
            "tuned peak": np.exp(np.log(found[c]).mean()),
            "seeds": " ".join(f"{r:.2g}" for r in found[c]),
            "lowest error [%]": float(100 * error[c].min(axis=0).mean()),
            "width of the basin": widths[c],
            "at the grid's edge": f"{outside} of {tuning_seeds}",
        }
    )
for o, said in OPTIMIZERS.items():
    display.table(
        [
            {k: v for k, v in row.items() if k != "optimizer"}
            for row in rows
            if row["optimizer"] == o
        ],
        caption=f"{said}: tuned peak rates, {tuning_seeds} tuning seeds, and the lowest validation "
        "error.",
    )

# %% tags=["nbval-ignore-output"]
geometric = {c: float(np.exp(np.log(found[c]).mean())) for c in conditions}
falling = [n for n in names if n not in ("constant", "inverse square root")]
shift = {
    kind: float(
        np.exp(
            np.mean(
                [
                    np.log(geometric[n, o, "4t"] / geometric[n, o, "t"])
                    for n in members
                    for o in optimizers
                ]
            )
        )
    )
    for kind, members in (("falling", falling), ("constant", ["constant"]))
}
long = [c for c in conditions if c[2] == "4t"]
by_loss, by_error = (
    np.array([int(np.argmin(table[c].mean(axis=1))) for c in long]) for table in (loss, error)
)
spread = np.median([max(each) / min(each) for each in found.values()])
best = min(conditions, key=lambda c: error[c].min(axis=0).mean())
display.say(
    f"{at_edge} of {len(conditions) * tuning_seeds} rates sit at an edge of the grid. From T to "
    f"4T the tuned peak of the schedules that fall changes by a factor of {shift['falling']:.2f}, "
    f"that of the constant rate by {shift['constant']:.2f} (geometric means over both optimizers). "
    f"The lowest error has {' '.join(best)}: {100 * error[best].min(axis=0).mean():.1f} %. The "
    "rate with the lowest cross-entropy lies, in the longest training, on average "
    f"{np.mean(by_error - by_loss):.1f} points of the grid below the one with the lowest error. "
    f"The rates of {tuning_seeds} seeds differ by a factor of {spread:.2f} (median over "
    "conditions): a tuned rate is to be trusted no further than that."
)

# %% [markdown]
# ## Verdict
#
# A few seeds tune, they don't judge: the rates are measurements, kept so that other entries can
# read them, and the prediction stands beside the tables above without a verdict.

# %%
claims.conclude(
    [
        Claim.descriptive(
            tuned.claim_id(" ".join(c)),
            f"Peak rate with the lowest validation error under the schedule: {c[0]}",
            values=found[c],
            scale="log",
            unit="learning rate",
            about=About(
                Setting(
                    f"Perceptron on MNIST-1D ({n_train:,} signals)",
                    OPTIMIZERS[c[1]],
                    f"{lengths[c[2]]:,} updates",
                ),
                replication="tuning seeds",
                family=f"tuned peak rate, {OPTIMIZERS[c[1]]}",
            ),
        )
        for c in conditions
    ]
)

# %% tags=["nbval-ignore-output"]
usual = {o: ("cosine", o, "t") for o in optimizers}
said = {
    o: f"{geometric[c]:.2g} (seeds {min(found[c]):.2g} to {max(found[c]):.2g})"
    for o, c in usual.items()
}
narrow = min(widths[c] for c in conditions if c[2] == usual["sgd"][2])
display.answer(
    f"For a perceptron on MNIST-1D and {steps:,} updates of a cosine the best peak is "
    f"{said['sgd']} with momentum and {said['adam']} with Adam; in training four times as "
    f"long the peaks of falling schedules change by a factor of {shift['falling']:.2f}, that of a "
    "constant rate by "
    f"{shift['constant']:.2f}. What this means for you: a peak within a range of a factor of "
    f"{widths[usual['sgd']]:.2g} (momentum) or {widths[usual['adam']]:.2g} (Adam) costs at most "
    f"{100 * excess:g} % of the error. A grid of rates a factor of two apart is "
    + (
        "fine enough for every schedule here."
        if narrow >= 2
        else f"too coarse for some schedules, whose range is down to {narrow:.2g}."
    ),
    claims=[tuned.claim_id(" ".join(c)) for c in usual.values()],
)
