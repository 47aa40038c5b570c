# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Weights over training
#     question: Do the weights slowly diverge, when do they stand still, and how large are they?
#     tags: [adam, diffusion, digits, weights]
#     smoke: {n_train: 100, epochs: 24, snapshots: 12, count: 20, n_seeds: 2, pilot_seeds: 2}
# ---

# %% [markdown]
# # Do the weights slowly diverge?
#
# ## Question
#
# The source {cite}`diffusion2025` drew quantiles of all parameters over training, at whichever
# epochs it had kept for each model, and read off: "the weights are slowly diverging over time"; "by
# epoch 80, the weights seem pretty stable"; "the vast majority of the weights are very close to
# zero". It also found that "accuracy is not a very informative metric".
#
# 1. Do large quantiles of |w| keep growing over training?
# 2. Do they stand still in the second half?
# 3. How small are most of the weights, beside the largest?
# 4. How noisy is the accuracy of the generated digits, beside the loss?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64, every schedule at its own tuned
# peak rate (read from the entry *Tuning the diffusion model*), snapshots at the same epochs for
# all.
#
# The source labels a quantile by `log2_quantile`. Read as a label of its level $p$, with the median
# at 0, greater quantiles positive and lesser ones negative, it is $\log_2 2p$ for $p \le ½$ and
# $-\log_2 2(1-p)$ above: each halving of the tail moves it by one. The weight itself, with its
# sign, is on the ordinate.

# %% tags=["parameters"]
epochs: int = 120  # [epochs, 1..] length of training
snapshots: int = 24  # [4..] snapshots of the weights in a run, besides the first weights
n_seeds: int = 5  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
count: int = 200  # [10..] generated digits for one accuracy
growth: float = 0.05  # [0<..] smallest log growth of a quantile that counts
still: float = 0.05  # [0<..] log change of a quantile below which the weights stand still
small: float = 0.5  # [0<..<1] of the 0.999 quantile of |w|: weights below that are close to zero
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.experiments.weights import diverging
from lrlab.labbook import tuned
from lrlab.optimizers import Adam
from lrlab.plots.panels import panels
from lrlab.schedules.presets import lineup
from lrlab.training.generation import GeneratedDigits
from lrlab.training.probes import WeightQuantiles, log2_quantile

plots.use_style()

LEVELS = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)
task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
every = steps // snapshots
if steps % snapshots:
    raise ValueError(f"snapshots must be at least 4 and divide {steps}, got snapshots={snapshots}")
found = tuned.read("tune_diffusion", tuning_entry or None)
schedules = {name: s.scale(found.rate(f"{name} long")) for name, s in lineup(steps).items()}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
probes = (
    WeightQuantiles(every=every, levels=LEVELS),
    GeneratedDigits(every=every, count=count, fresh=True),
)


def job(name, seed):
    return Job(
        task,
        Recipe(
            schedule=schedules[name],
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            eval_every=every,
        ),
        probes,
    )


plan = {(name, seed): job(name, seed) for name in schedules for seed in seeds}
plan |= {("cosine", seed): job("cosine", seed) for seed in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The 0.999 quantile of |w| grows under every schedule. Under those that
# fall to zero it stands still in the second half, within 5 %; under a constant rate it grows until
# the end. Nine in ten weights are smaller than half of that quantile. The accuracy is far noisier
# than the loss.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
by_name = runs.of(..., seeds).groups()
display.say(
    f"{len(runs)} runs of {epochs} epochs: {len(schedules)} schedules with {n_seeds} paired seeds, "
    f"and {pilot_seeds} runs for the pilot; {snapshots + 1} snapshots each, at the same epochs. "
    "Labels: "
    + ", ".join(
        f"{level:g} is {label:.2f}"
        for level, label in zip(LEVELS, log2_quantile(LEVELS), strict=True)
    )
    + "."
)

# %% tags=["nbval-ignore-output"]
at = runs["cosine", 0].probes["WeightQuantiles"]["step"] / epoch


def quantiles(name, kind):
    """Mean over seeds, shape (snapshots + 1, levels)."""
    return by_name[name].curves(lambda run: run.probes["WeightQuantiles"][kind]).mean(axis=0)


def magnitudes(run):
    return run.probes["WeightQuantiles"]["magnitude"]


labels = log2_quantile(LEVELS)
fig, axes = panels(
    {name: s(np.arange(steps)) for name, s in schedules.items()},
    epoch_steps=epoch,
    label="weight",
    log=False,
)
for name, ax in axes.items():
    for k, label in enumerate(labels):
        ax.plot(
            at,
            quantiles(name, "signed")[:, k],
            color=diverging(label / labels[-1]),
            linewidth=1.3,
            label=f"{label:+.1f}",
        )
handles, texts = next(iter(axes.values())).get_legend_handles_labels()
fig.legend(
    handles[::-1],
    texts[::-1],
    title="log2_quantile",
    loc="lower right",
    fontsize=8,
    title_fontsize=8.5,
    bbox_to_anchor=(0.97, 0.06),
    ncols=2,
)
display.show(
    fig,
    alt="Signed quantiles of all weights against epoch, one panel for each schedule: a narrow fan "
    "about zero that opens over the first half of training and then runs level where the rate "
    "falls "
    "to zero.",
    caption=f"Quantiles of all weights, signed, mean over {n_seeds} seeds. Colour: the level, as "
    "`log2_quantile`; the median is grey. The rate is drawn below.",
)

# %% tags=["nbval-ignore-output"]
top, tenth = LEVELS.index(0.999), LEVELS.index(0.9)
fig, ax = plots.figure(height=3.2)
curves = {
    name: stats.band(members.curves(lambda run: magnitudes(run)[:, top]))
    for name, members in by_name.items()
}
plots.bands(ax, at, curves)
ax.set(xlabel="epoch", ylabel="0.999 quantile of |w|")
ax.legend(ncols=2)
display.show(
    fig,
    alt="The 0.999 quantile of the weights' magnitudes against epoch: it rises under each "
    "schedule, "
    "and levels off under those that fall to zero.",
    caption=f"The 0.999 quantile of |w|, mean and 95 % t interval over {n_seeds} seeds.",
)


# %% [markdown]
# A second view, of the magnitudes alone: $\log_2$ of the quantiles of $|w|$ over their median. If
# all weights grew alike, its lines would stay level.

# %% tags=["nbval-ignore-output"]
middle = LEVELS.index(0.5)
fig, axes = plots.figure(1, 2, height=3.2, sharey=True)
for ax, name in zip(axes, ("cosine", "constant"), strict=True):
    q = quantiles(name, "magnitude")
    for k, level in enumerate(LEVELS):
        ax.plot(
            at,
            np.log2(q[:, k] / q[:, middle]),
            linewidth=1.3,
            label=f"{level:g}",
            color=diverging(labels[k] / labels[-1]),
        )
    ax.set(title=name, xlabel="epoch")
axes[0].set_ylabel("$\\log_2$ of |w| over its median")
handles, texts = axes[1].get_legend_handles_labels()
fig.legend(handles[::-1], texts[::-1], title="level", loc="outside right center")
display.show(
    fig,
    alt="Log 2 of the quantiles of the weights' magnitudes over their median against epoch, for "
    "cosine and constant: the large quantiles rise away from the median early, then run level.",
    caption=f"Quantiles of |w| relative to the median of |w|, mean over {n_seeds} seeds.",
)


# %% tags=["nbval-ignore-output"]
def log_change(run, start, end):
    """Log change of the 0.999 quantile of |w| between two shares of the run."""
    q = magnitudes(run)[:, top]
    return float(np.log(q[round(end * snapshots)] / q[round(start * snapshots)]))


def log_growth(group, start):
    return group.array(lambda run: log_change(run, start, 1))


halves = {name: log_growth(group, 0.5) for name, group in by_name.items()}
close = {
    name: group.array(lambda run: np.log(magnitudes(run)[-1, tenth] / magnitudes(run)[-1, top]))
    for name, group in by_name.items()
}
display.table(
    [
        {
            "schedule": name,
            "0.999 quantile at the end": quantiles(name, "magnitude")[-1, top],
            "growth over the run [%]": 100 * np.expm1(log_growth(group, 0).mean()),
            "in the second half [%, 95 %]": stats.mean_interval(100 * np.expm1(halves[name])),
            "0.9 quantile / 0.999 quantile": np.exp(close[name].mean()),
        }
        for name, group in by_name.items()
    ],
    caption=f"Magnitudes of the weights, {n_seeds} seeds; {runs.note()}.",
)

# %% [markdown]
# ### Is the accuracy informative?
#
# A metric is informative if it tells two trainings apart: the difference it shows between them,
# beside its own noise from one evaluation to the next. Both are taken between the cosine's last
# snapshot and its snapshot at a quarter of the run, and the noise over the last six snapshots, when
# the rate is nearly zero and nothing happens any more. Each accuracy is of freshly generated
# digits.


# %% tags=["nbval-ignore-output"]
def signal_to_noise(run, metric):
    y = run.probes["GeneratedDigits"]["accuracy"] if metric == "accuracy" else run.evals[metric]
    y = np.asarray(y)[-snapshots:]
    return abs(y[-1] - y[snapshots // 4 - 1]) / max(float(np.std(y[-6:], ddof=1)), 1e-6)


ratios = {
    metric: by_name["cosine"].array(lambda run: signal_to_noise(run, metric))  # noqa: B023
    for metric in ("accuracy", "validation_loss")
}
less = np.log(np.maximum(ratios["accuracy"], 1e-3) / ratios["validation_loss"])
fig, (left, right) = plots.figure(1, 2, width=9, height=2.8)
for run in by_name["cosine"].values():
    left.plot(
        run.evals["step"][1:] / epoch,
        run.evals["validation_loss"][1:],
        color=plots.COLOURS[0],
        alpha=0.7,
    )
    seen = run.probes["GeneratedDigits"]
    right.plot(
        seen["step"][-snapshots:] / epoch,
        seen["accuracy"][-snapshots:],
        color=plots.COLOURS[1],
        alpha=0.7,
    )
left.set(xlabel="epoch", title="validation loss", yscale="log")
right.set(xlabel="epoch", title="share of generated digits that are recognised")
display.show(
    fig,
    alt="Left: validation loss against epoch, smooth lines close together. Right: accuracy of "
    "generated digits against epoch: it rises early and then only jitters.",
    caption=f"Cosine, {n_seeds} seeds. Each accuracy is of {count} freshly generated digits.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
what = "log growth of the 0.999 quantile in the second half, cosine,"
claims.power(log_growth(runs.of("cosine", pilots), 0.5), what, within=still, used=n_seeds)

# %%
quantity = "log ratio of 0.999 quantiles"
claims.conclude(
    [
        *(
            Claim.effect(
                f"diverging-{tuned.slug(name)}",
                f"The weights slowly diverge over time: {name}.",
                values=log_growth(by_name[name], 0),
                direction="greater",
                delta=growth,
                unit=quantity,
            )
            for name in schedules
        ),
        *(
            Claim.equivalence(
                f"still-{tuned.slug(name)}",
                f"In the second half of the run the weights are stable: {name}.",
                values=halves[name],
                margin=still,
                unit=quantity,
                published="by epoch 80",
            )
            for name in schedules
        ),
        Claim.effect(
            "close-to-zero",
            f"Nine in ten weights are smaller than {small:g} of the 0.999 quantile (cosine).",
            values=np.array(close["cosine"]) - np.log(small),
            direction="less",
            unit="log ratio of quantiles, less its bound",
            published="the vast majority are very close to zero; 0.999 quantile about 0.15",
        ),
        Claim.effect(
            "accuracy",
            "Accuracy is a less informative metric than the loss.",
            values=less,
            direction="less",
            unit="log ratio of signal to noise",
        ),
    ],
    source="diffusion2025",
)
