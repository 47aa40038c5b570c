# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Weights over training
#     short_title: Do the weights diverge?
#     question: Do the weights slowly diverge, when do they stand still, and how large are they?
#     tags: [adam, diffusion, digits, weights]
#     smoke: {n_train: 100, epochs: 12, snapshots: 12, count: 20, n_seeds: 2, pilot_seeds: 2}
#     foretold:
#       - says: The 0.999 quantile of |w| grows under every schedule.
#         claims: not judged
#       - says: Under those that fall to zero it stands still in the second half, within 5 %.
#         claims: {still-cosine: seen here}
#       - says: Under a constant rate it grows until the end.
#         claims: {still-constant: not seen here}
#       - says: Nine in ten weights are smaller than half of that quantile.
#         claims: not judged
#       - {says: The accuracy is far noisier than the loss., claims: {accuracy: seen here}}
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
# 1. Do the large weights keep growing over the training, rather than in its beginning alone?
# 2. Do they stand still from epoch 80 on?
# 3. Are most of the weights nearer to zero than normally distributed ones would be?
# 4. How noisy is the accuracy of the generated digits, beside the loss?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64, every schedule at its own tuned
# peak learning rate (read from the entry *Tuning the diffusion model*), snapshots at the same
# epochs for all. The size of the large weights is the 0.999 quantile of |w|.
#
# Each of the source's phrases needs a number that could come out otherwise. *Slowly diverging*:
# the large weights grow more after the first eighth of the run than in it; that they grow at all
# could not fail, since they start small. *Stable by epoch 80*: from there to the end they change by
# less than δ. *Very close to zero* has no number in the source: the yardstick is a normal
# distribution, whose 0.9 quantile of |w| is half of its 0.999 quantile.
#
# The source labels a quantile by `log2_quantile`. Read as a label of its level $p$, with the median
# at 0, greater quantiles positive and lesser ones negative, it is $\log_2 2p$ for $p \le ½$ and
# $-\log_2 2(1-p)$ above: each halving of the tail moves it by one. The weight itself, with its
# sign, is on the ordinate.

# %% tags=["parameters"]
epochs: int = 120  # [epochs, 1..] length of training
snapshots: int = 24  # [8..] snapshots of the weights in a run, besides the first weights
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block; pilot seeds begin 20,000 after it
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
count: int = 200  # [10..] generated digits for one accuracy
early: float = 0.125  # [0<..<1] share of the run that is its beginning
settled: float = 0.6667  # [0<..<1] share after which the source saw stable weights: 80 of 120
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np
from scipy.stats import norm

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.generation import GeneratedDigits
from lrlab.experiments.log2_quantile import log2_quantile
from lrlab.experiments.panels import panels
from lrlab.experiments.weights import diverging
from lrlab.labbook import tuned
from lrlab.labbook.phrases import factor, percent
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup
from lrlab.training.probes import WeightQuantiles

plots.use_style()

LEVELS = (0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999)
task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
every = steps // snapshots
if steps % snapshots:
    raise ValueError(f"snapshots must be at least 8 and divide {steps}, got snapshots={snapshots}")
found = tuned.read("tune_diffusion", tuning_entry or None)
schedules = {name: s.scale(found.rate(f"{name} long")) for name, s in lineup(steps).items()}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
weights = WeightQuantiles(every=every, levels=LEVELS)
digits = GeneratedDigits(every=every, count=count, fresh=True)


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
        (weights, digits) if name == "cosine" and seed in seeds else (weights,),
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
# The claims below ask more than this prediction did: growth after the beginning, and rest from the
# source's epoch on, not from the middle.
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
at = runs["cosine", seeds[0]].probes["WeightQuantiles"]["step"] / epoch


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
    fontsize=8.5,
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
for share in (early, settled):
    plots.guide(ax, x=share * epochs)
ax.set(xlabel="epoch", ylabel="0.999 quantile of |w|")
ax.legend(ncols=2)
display.show(
    fig,
    alt="The 0.999 quantile of the weights' magnitudes against epoch, a line for each schedule.",
    caption=f"The size of the large weights, mean and 95 % t interval over {n_seeds} seeds. "
    "Dotted: the end of the beginning, and the epoch at which the source saw stable weights.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def log_change(run, start, end):
    """Log change of the 0.999 quantile of |w| between two shares of the run."""
    q = magnitudes(run)[:, top]
    return float(np.log(q[round(end * snapshots)] / q[round(start * snapshots)]))


def growth(group, start, end):
    return group.array(lambda run: log_change(run, start, end))


slow = {name: growth(g, early, 1) - growth(g, 0, early) for name, g in by_name.items()}
late = {name: growth(g, settled, 1) for name, g in by_name.items()}
close = {
    name: group.array(lambda run: np.log(magnitudes(run)[-1, tenth] / magnitudes(run)[-1, top]))
    for name, group in by_name.items()
}
display.table(
    [
        {
            "schedule": name,
            "0.999 quantile at the end": quantiles(name, "magnitude")[-1, top],
            "growth over the run [%]": 100 * np.expm1(growth(group, 0, 1).mean()),
            f"in the first {100 * early:g} % of it [%]": 100
            * np.expm1(growth(group, 0, early).mean()),
            f"from epoch {settled * epochs:.0f} on [%]": stats.mean_interval(
                100 * np.expm1(late[name])
            ),
            "0.9 quantile / 0.999 quantile": np.exp(close[name].mean()),
        }
        for name, group in by_name.items()
    ],
    caption=f"Magnitudes of the weights, {n_seeds} seeds, 95 % t intervals; {runs.note()}.",
)
moving = [
    name for name, values in late.items() if values.mean() > claims.smallest_effect("weights")
]
display.say(
    f"From epoch {settled * epochs:.0f} on the large weights still grow by more than "
    f"{100 * claims.smallest_effect('weights'):g} %, on average over seeds, under "
    f"{', '.join(moving) or 'no schedule'}."
)

# %% [markdown]
# ### Is the accuracy informative?
#
# A metric is informative if it tells two models apart: the difference that it shows between them,
# beside its own noise from one evaluation to the next. The difference is the one between the
# cosine's last snapshot and its snapshot at a quarter of the run, the noise that over the last six
# snapshots, when the rate is nearly zero and nothing happens any more. Each accuracy is of freshly
# generated digits. δ is what twice as many digits would make good: a factor of √2.


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
    alt="Left: validation loss against epoch, one line a seed. Right: accuracy of freshly "
    "generated digits against epoch.",
    caption=f"Cosine, {n_seeds} seeds. Each accuracy is of {count} freshly generated digits.",
)
display.say(
    "Signal over noise, median over seeds: "
    f"{np.median(ratios['validation_loss']):.3g} for the validation loss, "
    f"{np.median(ratios['accuracy']):.3g} for the accuracy."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
TESTED = 6
still = claims.smallest_effect("weights")
what = f"log growth of the 0.999 quantile from epoch {settled * epochs:.0f} on, cosine,"
pilot = growth(runs.of("cosine", pilots), settled, 1)
claims.power(pilot, what, within=still, used=n_seeds, tested=TESTED)


# %%
def about(family="", metric="weights", lost="", reason=""):
    setting = Setting(f"Denoiser of 8×8 digits ({n_train:,} images)", "Adam", f"{steps:,} updates")
    return About(setting, metric, "seeds", family, "analogue", lost, reason)


slowly, stable = about("slow divergence"), about("stable weights")
SAID = {
    "diverging": "The large weights slowly diverge, growing more after the first "
    f"{100 * early:g} % of the run than in it",
    "still": f"From epoch {settled * epochs:.0f} of {epochs} on the large weights are stable",
}
main, others = ("cosine", "constant"), [n for n in schedules if n not in ("cosine", "constant")]
claims.conclude(
    [
        *(
            Claim.effect(
                f"diverging-{name}",
                f"{SAID['diverging']} ({name})",
                values=slow[name],
                direction="greater",
                unit="log ratio of growth factors of the 0.999 quantile of |w|",
                about=slowly,
            )
            for name in main
        ),
        *(
            Claim.equivalence(
                f"still-{name}",
                f"{SAID['still']} ({name})",
                values=late[name],
                unit="log ratio of 0.999 quantiles of |w|",
                published="by epoch 80",
                about=stable,
            )
            for name in main
        ),
        Claim.effect(
            "close-to-zero",
            "Nine in ten weights lie nearer to zero, beside the large ones, than normally "
            "distributed weights would (cosine)",
            values=close["cosine"] - np.log(norm.ppf(0.95) / norm.ppf(0.9995)),
            direction="less",
            unit="log ratio of 0.9 and 0.999 quantiles, less that of a normal distribution",
            published="the vast majority are very close to zero; 0.999 quantile about 0.15",
            about=about(lost="how close very close is"),
        ),
        Claim.effect(
            "accuracy",
            "The accuracy of generated digits has less signal beside its noise than the loss has",
            values=less,
            direction="less",
            delta=np.log(2) / 2,
            unit="log ratio of signal to noise",
            about=about(
                metric="", reason="a factor of √2: what twice as many digits would make good"
            ),
        ),
        *(
            Claim.descriptive(
                f"{kind}-{tuned.slug(name)}",
                f"Growth of the large weights {when}: {name}",
                values=values[name],
                unit="log ratio of 0.999 quantiles of |w|",
                about=each,
            )
            for kind, when, values, each in (
                ("diverging", "after the beginning of the run less that in it", slow, slowly),
                ("still", f"from epoch {settled * epochs:.0f} on", late, stable),
            )
            for name in others
        ),
    ],
    source="diffusion2025",
)

# %% tags=["nbval-ignore-output"]
level, same = claims.level(TESTED), claims.level(TESTED, "equivalence")
grown = {name: growth(group, 0, 1) for name, group in by_name.items()}
more = stats.mean_interval(-less, level)
display.answer(
    f"Over {epochs} epochs of a small denoiser with Adam the large weights grow by a factor of "
    f"{factor(grown['cosine'], level)} under a cosine; from epoch {settled * epochs:.0f} on they "
    f"still change by {percent(late['cosine'], same)} under it and by "
    f"{percent(late['constant'], same)} at a constant rate. What this means for you: "
    + (
        "weights that grow point to no fault by themselves, they do so under every schedule"
        if all(values.mean() > 0 for values in grown.values())
        else "not every schedule makes the weights grow"
    )
    + ("; judge by the loss: its" if more.low > 0 else "; the loss's")
    + f" signal beside its noise is {factor(-less, level)} times that of the accuracy.",
    claims=["diverging-cosine", "still-cosine", "still-constant", "accuracy"],
)
