# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Capacity and overfitting
#     short_title: Would a smaller model overfit less?
#     question: Would fewer parameters reduce overfitting, and would that help?
#     tags: [adam, diffusion, digits, cosine, overfitting]
#     smoke: {widths: [16, 64], few: 64, many: 100, updates: 60, evaluations: 12, n_seeds: 2,
#       pilot_seeds: 2}
#     foretold:
#       - says: The gap grows with the width, with few images far more than with many.
#         claims: {gap-many: seen here, gap-few: seen here}
#       - says: With many images the widest model is the best one nevertheless.
#         claims: {better-many: not seen here}
#       - {says: With few images one in the middle is., claims: {better-few: seen here}}
#       - says: Validation stops tracking training later in narrower models.
#         claims: not judged
# ---

# %% [markdown]
# # Would fewer parameters reduce overfitting?
#
# ## Question
#
# "These models seem to be overfitting. The validation loss only really tracks the training loss for
# the first 25 epochs. After that, it's all over the place. … I wonder if reducing the number of
# parameters would be beneficial" {cite}`diffusion2025`.
#
# 1. Does the gap between training and validation loss grow with the width of the model?
# 2. Does validation stop tracking training, and when?
# 3. Is a smaller model better in the end, with many training images and with few?
#
# ## Setup
#
# The denoiser on 8×8 digits at several widths (a width of 128 has 52,928 weights), Adam, batches of
# 64, one cosine from a common peak learning rate, the tuned one of width 128 (read from the entry
# *Tuning the diffusion model*): it was not tuned for each width. With few images the number of
# updates is the same. The **gap** is the log of validation over training loss, both on fixed noise;
# validation no longer *tracks* training where the gap stays above a stated bound. A smaller model
# is chosen by its validation loss within each seed, and compared by its test loss.

# %% tags=["parameters"]
widths: list[int] = [16, 64, 128, 256]  # [2.. of 1.. rising] widths of the model, rising
many: int = 1400  # [1..1400] training images
few: int = 200  # [1..1400] training images
updates: int = 2640  # [1..] updates of a run
n_seeds: int = 10  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block; pilot seeds begin 20,000 after it
batch_size: int = 64  # [images, 1..few] in a batch
evaluations: int = 60  # [1..updates] evaluations of a run
tracking: float = 0.1  # [0<..] gap above which validation no longer tracks training
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import tuned
from lrlab.labbook.phrases import percent
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup

plots.use_style()

if updates % evaluations:
    raise ValueError(f"updates must be a multiple of evaluations, got {updates}, {evaluations}")
peak = tuned.read("tune_diffusion", tuning_entry or None).rate("cosine long")
schedule = lineup(updates)["cosine"].scale(peak)
images = {"many": many, "few": few}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


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
at = runs[(widths[0], "many"), seeds[0]].evals["step"]
for row, amount in zip(axes, images, strict=True):
    for ax, width in zip(row, widths, strict=True):
        curves = {
            part: stats.band(members[width, amount].curves(f"{part}_loss")[:, 1:])
            for part in ("train", "validation")
        }
        plots.bands(ax, at[1:], curves)
        ax.set_title(f"width {width}, {images[amount]} images", fontsize=9)
    row[0].set_ylabel("loss")
floor = min(float(run.evals["train_loss"].min()) for run in runs.of(..., seeds).values())
ax.set(yscale="log", ylim=(0.9 * floor, 1.0))
for ax in axes[-1]:
    ax.set_xlabel("update")
axes[0][-1].legend()
display.show(
    fig,
    alt="Training and validation loss against update, one column for each width, many images above "
    "and few below.",
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
TESTED = 5
fig, (left, right) = plots.figure(1, 2, width=9, height=3)
for ax, values in ((left, final_gap), (right, test)):
    for style, amount in plots.styled(images):
        found = [
            stats.mean_interval(values[width, amount], claims.level(TESTED)) for width in widths
        ]
        plots.error_bars(ax, list(sizes.values()), found, label=f"{images[amount]} images", **style)
    ax.set(xscale="log", xlabel="weights")
    plots.ticks(ax.xaxis, list(sizes.values()))
left.set_ylabel("gap, log of validation / training")
right.set_ylabel("test loss")
plots.guide(left, y=tracking)
left.legend()
display.show(
    fig,
    alt="Left: gap between validation and training loss against the number of weights. Right: test "
    "loss against the number of weights. One line each for many and few training images.",
    caption=f"At the end of the training, means with the intervals that decide ({TESTED} tested "
    f"claims), n = {n_seeds}. Dotted: the gap above which validation no longer tracks training.",
    headline=True,
)
lowest = {
    images[amount]: min(widths, key=lambda w: np.log(test[w, amount]).mean()) for amount in images
}
display.say(
    "The lowest mean test loss has, of the widths that were tried, "
    + " and ".join(f"{width} with {n:,} images" for n, width in lowest.items())
    + "."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = runs.of(..., pilots).arrays("test_loss")
what = "log ratio of test losses, narrowest to widest,"
delta = claims.smallest_effect("test loss")
claims.power(
    stats.log_differences(*pilot.values()), what, beyond=delta, used=n_seeds, tested=TESTED
)


# %%
def about(amount, family, lost="", metric="test loss", reason=""):
    setting = Setting(
        f"Denoiser of 8×8 digits ({images[amount]:,} images)",
        "Adam, cosine",
        f"{updates:,} updates",
    )
    return About(setting, metric, "seeds", family, "analogue", lost, reason)


narrowest, usual, largest = widths[0], widths[-2], widths[-1]
log_test = {amount: np.log([test[w, amount] for w in widths]) for amount in images}
validation = {
    amount: np.array([members[w, amount].array("validation_loss") for w in widths[:-1]])
    for amount in images
}
wider = {a: final_gap[largest, a] - final_gap[narrowest, a] for a in images}
smaller = {
    a: log_test[a][validation[a].argmin(axis=0), np.arange(n_seeds)] - log_test[a][-1]
    for a in images
}
tracks = about(
    "many",
    "tracking",
    "how far apart the two losses were",
    "",
    f"the gap of {tracking:g} from which on validation is said not to track training",
)
claims.conclude(
    [
        Claim.effect(
            "stops-tracking",
            f"At the end of the training the validation loss of a model of width {usual} no longer "
            "tracks the training loss but lies above it",
            values=final_gap[usual, "many"],
            direction="greater",
            delta=tracking,
            unit="log ratio of validation to training loss",
            published="25 epochs",
            about=tracks,
        ),
        *(
            Claim.effect(
                f"gap-{amount}",
                f"Fewer parameters reduce overfitting: the gap between validation and training "
                f"loss is larger at width {largest} than at width {narrowest}",
                values=wider[amount],
                direction="greater",
                unit="log ratio of validation to training loss, difference",
                about=about(amount, "overfitting"),
            )
            for amount in images
        ),
        *(
            Claim.effect(
                f"better-{amount}",
                "Fewer parameters are beneficial: from a common peak rate, the smaller model with "
                f"the best validation loss has a lower test loss than the one of width {largest}",
                values=smaller[amount],
                direction="less",
                diverged=sum(any(runs[(w, amount), s].diverged for w in widths) for s in seeds),
                unit="log ratio of test losses",
                about=about(amount, "benefit"),
            )
            for amount in images
        ),
        *(
            Claim.descriptive(
                f"stops-tracking-{amount}",
                f"Share of the run after which validation no longer tracks training (width "
                f"{usual}; 1: never)",
                values=np.nan_to_num(
                    members[usual, amount].array(stops_tracking) / updates, nan=1.0
                ),
                unit="share of the run",
                source="",
                about=about(amount, "tracking", metric=""),
            )
            for amount in images
        ),
    ],
    source="diffusion2025",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(TESTED)
ends = {a: stats.mean_interval(smaller[a], level) for a in images}


def advice(amount):
    if ends[amount].high < -delta:
        return f"with {images[amount]:,} images take a smaller one"
    if ends[amount].low > 0:
        return f"with {images[amount]:,} images keep the large model"
    if -delta < ends[amount].low and ends[amount].high < delta:
        return f"with {images[amount]:,} images a smaller one is as good, and cheaper"
    return f"with {images[amount]:,} images it stays open which is better"


display.answer(
    f"Against a denoiser of width {largest}, the best smaller one changes the test loss by "
    + " and ".join(
        f"{percent(smaller[a], level)} with {images[a]:,} training images" for a in images
    )
    + f"; at width {usual} and {images['many']:,} images the validation loss differs from the "
    f"training loss by {percent(final_gap[usual, 'many'], level)}. What this means for you: "
    + "; ".join(map(advice, images))
    + ".",
    claims=["better-many", "better-few", "stops-tracking"],
)
