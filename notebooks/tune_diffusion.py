# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Tuning the diffusion model
#     question: Which peak rate suits each schedule, and how wide is the basin around it?
#     tags: [adam, diffusion, digits, tuning]
#     smoke:
#       n_train: 100
#       short_epochs: 30
#       long_epochs: 60
#       peaks: [1.0e-3, 4.0e-3, 1.6e-2]
#       tuning_seeds: 1
# ---

# %% [markdown]
# # Tuning the diffusion model: which peak rate suits each schedule?
#
# ## Question
#
# A notebook {cite}`diffusion2025` compared schedules at one rate for all. That may say more about
# the rate than about the schedules: each may want another. This entry finds the peak rate of each,
# at two lengths of training; the entries that compare read it from here.
#
# 1. Which peak rate has the lowest validation loss under each schedule?
# 2. How wide is the basin: how far may one miss that rate before the loss is 5 % higher?
#
# ## Setup
#
# A residual perceptron of 52,928 weights predicts the noise in real 8×8 digits (1,400 for training,
# 147 for validation); Adam, batches of 64. Every schedule gets the same number of runs. The seeds
# are used for nothing else. Constant with averaged weights is read off the constant runs: the
# average is kept beside the weights and does not touch them.

# %% tags=["parameters"]
peaks: list[float] = [5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2]  # [3.. of 0<.. rising] equal ratios
short_epochs: int = 40  # [epochs, 1..<long_epochs] a short training
long_epochs: int = 120  # [epochs, short_epochs<..] a long training
tuning_seeds: int = 2  # [1..1000] seeds for each rate
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
average_decay: float = 0.995  # [0<..<1] of the moving average of the weights, per update
excess: float = 0.05  # [0<..] relative excess of the loss at the edge of the basin

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup

plots.use_style()

epochs = {"short": short_epochs, "long": long_epochs}
task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
seeds = range(1000, 1000 + tuning_seeds)


def job(name, length, peak, seed):
    steps = epochs[length] * epoch
    return Job(
        task,
        Recipe(
            schedule=lineup(steps)[name].scale(peak),
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            average_decay=average_decay if name == "constant" else None,
        ),
    )


names = list(lineup(epoch * max(epochs.values())))
plan = {
    ((name, length), peak, s): job(name, length, peak, s)
    for length in epochs
    for name in names
    for peak in peaks
    for s in seeds
}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Schedules that fall to zero want a peak of about 4e-3, constant and
# inverse square root half of that or less, and less still in the longer training. Averaged weights
# allow the constant rate to be larger. The basins of the falling schedules are wider: a factor of
# four may be missed for 5 %.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
AVERAGED = "constant, averaged"
conditions = [*names, AVERAGED]
loss = runs.arrays("validation_loss")  # shape (peaks, seeds)
for length in epochs:
    averaged = runs.of(("constant", length)).array("averaged_validation_loss")
    loss[AVERAGED, length] = averaged
display.say(
    f"{len(runs)} runs: {len(names)} schedules, {len(peaks)} peak rates, {len(epochs)} lengths, "
    f"{tuning_seeds} seeds; {len(runs) // len(names)} runs for each schedule."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(epochs), height=3.6, sharey=True, squeeze=False)
for ax, (length, count) in zip(axes[0], epochs.items(), strict=True):
    for style, name in plots.styled(conditions):
        ax.plot(
            peaks,
            np.exp(np.log(loss[name, length]).mean(axis=1)),
            marker="o",
            markersize=3.5,
            label=name,
            **style,
        )
    ax.set(xscale="log", yscale="log", xlabel="peak rate", title=f"{count} epochs")
axes[0][0].set_ylabel("validation loss")
fig.legend(
    *axes[0][0].get_legend_handles_labels(),
    loc="upper center",
    ncols=4,
    fontsize=8.5,
    bbox_to_anchor=(0.5, 0.0),
)
display.show(
    fig,
    alt="Validation loss against peak rate on log axes, one panel for each length of training and "
    "one line for each schedule: a basin with its floor at a few thousandths.",
    caption=f"Validation loss at the end against peak rate, geometric mean over {tuning_seeds} "
    "tuning seeds. The whole basin of each schedule; "
    f"{runs.note()}.",
)


# %% [markdown]
# ### The rates
#
# The rate is the vertex of the parabola through the lowest point and its neighbours, in logarithms,
# one for each seed. The width of the basin is the ratio of the rates at which the loss,
# interpolated between the points, is 5 % above its lowest; where the grid ends before, it is a
# lower bound.


# %% tags=["nbval-ignore-output"]
def basin(losses):
    """Ratio of the rates between which the loss exceeds its lowest by at most `excess`."""
    x = np.linspace(np.log(peaks[0]), np.log(peaks[-1]), 2001)
    y = np.interp(x, np.log(peaks), np.log(losses))
    inside = x[y <= y.min() + np.log1p(excess)]
    return float(np.exp(inside.max() - inside.min()))


rates = {
    key: [tuned.best_rate(peaks, column) for column in values.T] for key, values in loss.items()
}
widths = {key: [basin(column) for column in values.T] for key, values in loss.items()}
rows = []
for length in epochs:
    for name in conditions:
        lowest = loss[name, length].min(axis=0)
        at_edge = sum(r in (peaks[0], peaks[-1]) for r in rates[name, length])
        rows.append(
            {
                "schedule": name,
                "length": length,
                "tuned peak": np.exp(np.log(rates[name, length]).mean()),
                "seeds": " ".join(f"{r:.2g}" for r in rates[name, length]),
                "lowest validation loss": lowest.mean(),
                "width of the basin": np.exp(np.log(widths[name, length]).mean()),
                "at the grid's edge": f"{at_edge} of {tuning_seeds}",
            }
        )
display.table(
    rows,
    caption=f"Tuned peak rates, {tuning_seeds} tuning seeds.",
)

# %% [markdown]
# ## Verdict
#
# Two seeds tune, they don't judge: these are described numbers. The entries that compare read the
# rates from here.

# %%
claims.conclude(
    [
        Claim.descriptive(
            tuned.claim_id(f"{name} {length}"),
            f"Peak rate with the lowest validation loss: {name}, {epochs[length]} epochs.",
            values=rates[name, length],
            scale="log",
        )
        for length in epochs
        for name in conditions
    ]
    + [
        Claim.descriptive(
            f"width-{tuned.slug(name)}",
            f"Ratio of the peak rates within {100 * excess:g} % of the lowest loss: {name}, "
            f"{epochs['long']} epochs.",
            values=widths[name, "long"],
            scale="log",
        )
        for name in conditions
    ]
)
