# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Capacity and overfitting
#     question: Would fewer parameters reduce overfitting, and would that help?
#     tags: [adam, diffusion, digits, cosine, overfitting]
#     smoke: {widths: [16, 64], few: 64, many: 100, updates: 120, n_seeds: 2, pilot_seeds: 2}
# ---

# %% [markdown]
# # Would fewer parameters reduce overfitting?
#
# ## Question
#
# "These models seem to be overfitting. The validation loss only really tracks the training loss for
# the first 25 epochs. After that, it's all over the place. I wonder if reducing the number of
# parameters would be beneficial" {cite}`diffusion2025`.
#
# 1. Does the gap between training and validation loss grow with the width of the model?
# 2. When does validation stop tracking training?
# 3. Is a smaller model better in the end, with many training images and with few?
#
# ## Setup
#
# The denoiser on 8×8 digits at several widths (a width of 128 has 52,928 weights), Adam, batches of
# 64, one cosine from the tuned peak rate of width 128 (read from the entry *Tuning the diffusion
# model*): the rate was not tuned for each width, as the question is about one schedule. With few
# images the number of updates is the same. The **gap** is the log of validation over training loss,
# both on fixed noise.

# %% tags=["parameters"]
widths: list[int] = [16, 32, 64, 128, 256]  # [2.. of 1.. rising] widths of the model, rising
many: int = 1400  # [1..1400] training images
few: int = 200  # [1..1400] training images
updates: int = 2640  # [1..] updates of a run
n_seeds: int = 5  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
batch_size: int = 64  # [images, 1..few] in a batch
evaluations: int = 60  # [1..updates] evaluations of a run
tracking: float = 0.1  # [0<..] gap above which validation no longer tracks training
delta: float = 0.02  # [0<..] smallest log ratio of test losses that would matter
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup

plots.use_style()

if updates % evaluations:
    raise ValueError(f"updates must be a multiple of evaluations, got {updates}, {evaluations}")
peak = tuned.read("tune_diffusion", tuning_entry or None).rate("cosine long")
schedule = lineup(updates)["cosine"].scale(peak)
images = {"many": many, "few": few}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)


def task(width, amount):
    return tasks.get("digits_diffusion", n_train=images[amount], width=width)


def job(width, amount, seed):
    return Job(
        task(width, amount),
        Recipe(
            schedule=schedule,
            steps=updates,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            eval_every=updates // evaluations,
        ),
    )


plan = {((w, amount), s): job(w, amount, s) for amount in images for w in widths for s in seeds}
plan |= {((w, "many"), s): job(w, "many", s) for w in (widths[0], widths[-1]) for s in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The gap grows with the width, with few images far more than with many.
# With many images the widest model is the best one nevertheless; with few images one in the middle
# is. Validation stops tracking training later in narrower models, and never in the narrowest.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
members = runs.of(..., seeds).groups()
sizes = {w: sum(p.numel() for p in task(w, "many").model().parameters()) for w in widths}
display.say(
    f"{len(runs)} runs of {updates} updates: {len(widths)} widths ("
    + ", ".join(f"{w}: {n:,} weights" for w, n in sizes.items())
    + f"), {many} and {few} training images, {n_seeds} paired seeds, and {2 * pilot_seeds} runs "
    "for the pilot."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(2, len(widths), height=4.6, sharex=True, sharey=True, squeeze=False)
at = runs[(widths[0], "many"), 0].evals["step"]
for row, amount in zip(axes, images, strict=True):
    for ax, width in zip(row, widths, strict=True):
        curves = {
            part: stats.band(members[width, amount].curves(f"{part}_loss")[:, 1:])
            for part in ("train", "validation")
        }
        plots.bands(ax, at[1:], curves)
        ax.set_title(f"width {width}, {images[amount]} images", fontsize=9)
    row[0].set_ylabel("loss")
ax.set(yscale="log", ylim=(0.1, 1.0))
for ax in axes[-1]:
    ax.set_xlabel("update")
axes[0][-1].legend()
display.show(
    fig,
    alt="Training and validation loss against update, one column for each width, many images above "
    "and few below: with few images and wide models the validation loss leaves the training loss.",
    caption=f"Loss against update, mean and 95 % t interval over {n_seeds} seeds; {runs.note()}.",
)


# %% tags=["nbval-ignore-output"]
def gap(run):
    return np.log(run.evals["validation_loss"] / run.evals["train_loss"])


def stops_tracking(run):
    """First update from which on the gap stays above the bound; NaN if it never does."""
    below = np.flatnonzero(gap(run) <= tracking)
    last = int(below[-1]) if below.size else -1
    return run.evals["step"][last + 1] if last + 1 < len(run.evals["step"]) else np.nan


final_gap = {key: group.array(lambda run: gap(run)[-1]) for key, group in members.items()}
test = runs.of(..., seeds).arrays("test_loss")
rows = []
for (width, amount), group in members.items():
    stop = group.array(stops_tracking)
    rows.append(
        {
            "width": width,
            "weights": sizes[width],
            "images": images[amount],
            "gap": final_gap[width, amount].mean(),
            "stops tracking at update": f"{np.nanmedian(stop):.0f}"
            if np.isfinite(stop).any()
            else "never",
            "in seeds": f"{np.isfinite(stop).sum()} of {n_seeds}",
            "test loss [95 %]": stats.geometric_interval(test[width, amount]),
        }
    )
display.table(
    rows,
    caption=f"At the end, {n_seeds} seeds. Validation has stopped tracking training where the gap "
    f"stays above {tracking:g}.",
)

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, width=9, height=3)
for ax, values in ((left, final_gap), (right, test)):
    for style, amount in plots.styled(images):
        found = [stats.mean_interval(values[width, amount]) for width in widths]
        plots.error_bars(ax, list(sizes.values()), found, label=f"{images[amount]} images", **style)
    ax.set(xscale="log", xlabel="weights")
left.set_ylabel("gap, log of validation / training")
right.set_ylabel("test loss")
left.legend()
display.show(
    fig,
    alt="Left: the gap between validation and training loss against the number of weights rises, "
    "steeply with few images. Right: the test loss against the number of weights.",
    caption=f"Gap and test loss at the end against the size of the model, 95 % t intervals, "
    f"n = {n_seeds}; {runs.note()}.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = runs.of(..., pilots).arrays("test_loss")
what = "log ratio of test losses, narrowest to widest,"
claims.power(stats.log_differences(*pilot.values()), what, beyond=delta, used=n_seeds)


# %%
def slopes(values, amount):
    """Slope of a value against the log of the number of weights, one for each seed."""
    x = np.log([sizes[w] for w in widths])
    return np.polyfit(x, np.array([values[w, amount] for w in widths]), 1)[0]


largest = widths[-1]
validation = runs.of(..., seeds).arrays("validation_loss")
chosen = {
    amount: min(widths[:-1], key=lambda w: np.log(validation[w, amount]).mean())
    for amount in images
}
claims.conclude(
    [
        claim
        for amount in images
        for claim in (
            Claim.effect(
                f"gap-{amount}",
                f"Fewer parameters reduce overfitting ({images[amount]} training images).",
                values=slopes(final_gap, amount),
                direction="greater",
                unit="change of the gap with the log number of weights",
            ),
            Claim.effect(
                f"better-{amount}",
                f"The smaller model that is best on validation data (width {chosen[amount]}) has a "
                f"lower test loss than the largest ({images[amount]} training images).",
                values=stats.log_differences(test[chosen[amount], amount], test[largest, amount]),
                direction="less",
                delta=delta,
                unit="log ratio of test losses",
            ),
        )
    ]
    + [
        Claim.descriptive(
            "stops-tracking",
            f"Share of the run after which validation no longer tracks training (width {largest}, "
            f"{few} images; 1: never).",
            values=np.nan_to_num(members[largest, "few"].array(stops_tracking) / updates, nan=1.0),
            unit="share of the run",
            published="25 epochs",
        ),
    ],
    source="diffusion2025",
)
