# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Schedules on a diffusion model
#     question: Does the cosine schedule give better results than the others?
#     tags: [adam, diffusion, digits, cosine, one-cycle]
#     smoke: {n_train: 100, short_epochs: 10, long_epochs: 20, n_seeds: 2, pilot_seeds: 2}
# ---

# %% [markdown]
# # Schedules on a diffusion model: is the cosine better than the others?
#
# ## Question
#
# "The cosine schedule gives better results than the others", and "the difference is more than I
# expected" {cite}`diffusion2025`: one run of each schedule, all at one rate. Two baselines to that
# reading: another rate might suit the others better, and averaging the weights of a constant rate
# may do what a decay does.
#
# 1. At each one's own tuned peak rate, does the cosine end lower than each of the others?
# 2. And at one common rate, as in the source?
# 3. Does the length of training change the answer?
#
# ## Setup
#
# A residual perceptron of 52,928 weights predicts the noise in real 8×8 digits; Adam, batches of
# 64. The loss is the mean squared error of the predicted noise, on a fixed set of noise draws.
# Tuned rates are read from the entry *Tuning the diffusion model*, whose seeds are not used here.
# All schedules share initial weights, data order and noise, seed by seed.

# %% tags=["parameters"]
common_peak: float = 2e-3  # [0<..] peak rate of all schedules in the second comparison
short_epochs: int = 40  # [epochs, 1..<long_epochs] a short training
long_epochs: int = 120  # [epochs, short_epochs<..] a long training
n_seeds: int = 5  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
average_decay: float = 0.995  # [0<..<1] of the moving average of the weights, per update
delta: float = 0.01  # [0<..] smallest difference of the log test loss that would matter
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.experiments.compare_schedules import images
from lrlab.labbook import tuned
from lrlab.optimizers import Adam
from lrlab.plots.panels import panels
from lrlab.schedules.presets import lineup
from lrlab.training.generation import GeneratedDigits

plots.use_style()

AVERAGED = "constant, averaged"
epochs = {"short": short_epochs, "long": long_epochs}
task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
found = tuned.read("tune_diffusion", tuning_entry or None)
names = list(lineup(epoch * long_epochs))
conditions = [*names, AVERAGED]
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)


def job(name, length, peak, seed):
    """A run; the average is kept beside the weights of a constant rate."""
    steps, kind = epochs[length] * epoch, "constant" if name == AVERAGED else name
    recipe = Recipe(
        schedule=lineup(steps)[kind].scale(peak),
        steps=steps,
        batch_size=batch_size,
        optimizer=Adam(),
        seed=seed,
        eval_every=2 * epoch,
        average_decay=average_decay if kind == "constant" else None,
    )
    return Job(task, recipe, (GeneratedDigits(every=steps, count=200, shown=16),))


arms = {
    (name, length, "tuned"): found.rate(f"{name} {length}")
    for length in epochs
    for name in conditions
}
arms |= {(name, "long", "common"): common_peak for name in names}
grid = [(arm, seed) for arm in arms for seed in seeds]
grid += [((name, "long", "tuned"), s) for name in ("cosine", "constant") for s in pilots]
plan = {(arm, seed): job(*arm[:2], arms[arm], seed) for arm, seed in grid}

# %% [markdown]
# ## Prediction
#
# Written before the runs. At the tuned rates cosine, linear and one-cycle end within 2 % of one
# another, and lower than all others; the averaged constant rate comes close to them. At the common
# rate the differences to constant and exponential are larger. In the short training the order is
# the same.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %%
def members(name, length="long", kind="tuned", group=seeds):
    """Runs of a condition; at the common rate the average is read off the constant runs."""
    if name == AVERAGED and kind == "common":
        name = "constant"
    return runs.of((name, length, kind), group)


def metric(name, part):
    return f"averaged_{part}_loss" if name == AVERAGED else f"{part}_loss"


def final(name, length="long", kind="tuned", group=seeds):
    return members(name, length, kind, group).array(metric(name, "test"))


display.say(
    f"{len(runs)} runs: {len(conditions)} conditions at their own tuned rates in two lengths, "
    f"{len(names)} schedules at the common rate, {n_seeds} paired seeds each, and "
    f"{2 * pilot_seeds} runs for the pilot."
)

# %% [markdown]
# ### Loss against epoch

# %% tags=["nbval-ignore-output"]
rates = {
    name: lineup(epoch * long_epochs)["constant" if name == AVERAGED else name].scale(
        arms[name, "long", "tuned"]
    )(np.arange(epoch * long_epochs))
    for name in conditions
}
fig, axes = panels(rates, epoch_steps=epoch, label="loss")
for name, ax in axes.items():
    at = members(name)[0].evals["step"] / epoch
    curves = {
        part: stats.band(members(name).curves(metric(name, part))[:, 1:])
        for part in ("train", "validation")
    }
    plots.bands(ax, at[1:], curves)
ax.set_ylim(0.15, 0.7)
next(iter(axes.values())).legend()
display.show(
    fig,
    alt="Training and validation loss against epoch, one panel for each schedule above its rate. "
    "Where the rate falls to zero both losses become smooth and end lowest.",
    caption=f"Loss against epoch at each schedule's own tuned peak, mean and 95 % t interval over "
    f"{n_seeds} seeds; the rate of each update is drawn below; {runs.note()}.",
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def recognised(run):
    return run.probes["GeneratedDigits"]["accuracy"][-1]


display.table(
    [
        {
            "schedule": name,
            "epochs": epochs[length],
            "rate": kind,
            "peak": peak,
            "test loss [95 %]": stats.geometric_interval(final(name, length, kind)),
            "recognised digits": ""
            if name == AVERAGED
            else f"{100 * members(name, length, kind).array(recognised).mean():.1f} %",
        }
        for (name, length, kind), peak in arms.items()
    ],
    digits=4,
    caption=f"Test loss at the end, geometric mean over {n_seeds} seeds, and the share of "
    "generated digits that a classifier recognises.",
)

# %% tags=["nbval-ignore-output"]
baselines = [name for name in conditions if name != "cosine"]
settings = {
    "tuned, long": ("long", "tuned"),
    "common rate, long": ("long", "common"),
    "tuned, short": ("short", "tuned"),
}
difference = {
    (label, name): stats.log_differences(final("cosine", *where), final(name, *where))
    for label, where in settings.items()
    for name in baselines
}
fig, axes = plots.figure(1, len(settings), height=3.2, sharey=True, squeeze=False)
for ax, label in zip(axes[0], settings, strict=True):
    each = {name: difference[label, name] for name in baselines}
    found_here = stats.mean_intervals(each)
    plots.intervals(ax, found_here, points=each)
    plots.shade(ax, -delta, delta)
    ax.set(title=label, xlabel="log ratio of test losses")
    ax.locator_params(axis="x", nbins=4)
display.show(
    fig,
    alt="Difference of log test losses between cosine and each other schedule, with intervals, for "
    "three settings: to the left of zero the cosine is better.",
    caption="Cosine against each of the others: paired difference of the log test losses, 95 % t "
    f"intervals, n = {n_seeds}; left of zero the cosine ends lower. Shaded: differences too small "
    "to matter.",
)

# %% [markdown]
# ### What a lower loss buys
#
# Digits that the models generate, from the same noise.

# %% tags=["nbval-ignore-output"]
order = sorted(names, key=lambda name: final(name).mean())
shown = {"real digits": task.data().test[0][:16].numpy()}
for name in (order[0], order[-1]):
    run = members(name)[0]
    loss = run.final(metric(name, "test"))
    shown[f"{name}, loss {loss:.3f}"] = run.probes["GeneratedDigits"]["images"][-1].reshape(16, -1)
fig = images({title: np.reshape(x, (16, task.side, task.side)) for title, x in shown.items()})
display.show(
    fig,
    alt="Rows of small digits: real ones, those of the schedule with the lowest loss, and those of "
    "the schedule with the highest.",
    caption="Real digits, and digits generated with the schedule that ends lowest and the one that "
    "ends highest (first seed).",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
pilot = stats.log_differences(*(final(name, group=pilots) for name in ("cosine", "constant")))
what = "log ratio of test losses, cosine to constant,"
claims.power(pilot, what, beyond=delta, used=n_seeds)

# %%
claims.conclude(
    [
        Claim.effect(
            f"{'-'.join(label.replace(',', '').split())}-{tuned.slug(name)}",
            f"The cosine schedule gives better results than the others: {name} ({label}).",
            values=difference[label, name],
            direction="less",
            delta=delta,
            unit="log ratio of test losses",
            source="diffusion2025",
        )
        for label in settings
        for name in baselines
    ]
)
