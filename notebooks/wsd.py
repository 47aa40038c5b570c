# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A constant rate with a cooldown against cosine
#     question: Does a constant rate with a short cooldown end where a cosine ends?
#     tags: [calibration, wsd, cosine, adamw, names]
#     smoke: {steps: 20, warmup: 2, rates: [8.0e-3, 1.6e-2, 3.2e-2], n_seeds: 2, n_tuning: 2,
#       pilot_seeds: 2, n_eval: 100}
# ---

# %% [markdown]
# # A constant rate with a cooldown against cosine
#
# ## Question
#
# A cosine has to know beforehand when training ends. A constant rate that is cooled down at the end
# does not, and for language models it was found to reach the loss of a cosine, or a lower one: with
# a cooldown of 10 to 20 % of the updates, and with about half of the cosine's best rate
# {cite}`hagele2024scaling`.
#
# 1. Does a cooldown of 20 % end where the cosine ends, each at its own best rate? And one of 10 or
#    40 %?
# 2. Is its best rate about half of the cosine's?
# 3. May one skip the tuning, and take half of the rate that is best for the cosine?
#
# ## Setup
#
# A transformer of one block on surnames, AdamW (weight decay 0.1, β = 0.9 and 0.95), gradients
# clipped at norm 1, a linear warmup of a tenth: as in the original, but for the size (there 210
# million weights and up to 200 thousand updates, here a few thousand and a few hundred). All
# schedules have the same number of updates. The original's cosine ends at a tenth of its peak; one
# that ends at zero runs beside it, since the cooldowns end there. A constant rate without cooldown
# is the control: the test has to tell it from a cosine.
#
# Each schedule's rate is tuned by validation loss on seeds of its own: the lowest point of the mean
# curve, between the points of the grid. Then all are trained on other, paired seeds, and test
# losses are compared. Fixed beforehand: two losses are the same if they differ by less than half a
# per cent, and a rate is about half if it is between 0.35 and 0.71 of the other.

# %% tags=["parameters"]
steps: int = 200  # [2..] updates of a run, warmup and cooldown included
warmup: int = 20  # [updates, 1..<steps] linear rise
rates: list[float] = [2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2]  # [3.. of 0<.. rising] peak rates
batch_size: int = 32  # [windows, 1..39123] in a batch
n_seeds: int = 10  # [2..500] paired seeds
n_tuning: int = 5  # [1..1000] tuning seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 2000  # [windows, 1..2169] of the validation part and of the test part
margin: float = 0.005  # [0<..] log ratio of losses within which two schedules end at the same
octaves: float = 0.5  # [doublings, 0<..] around a half within which a ratio of rates is about half

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import AdamW
from lrlab.schedules import Cosine, Warmup, WarmupStableDecay

plots.use_style()

if len(rates) < 3 or not np.allclose(np.diff(np.log2(rates)), np.log2(rates[1] / rates[0])):
    raise ValueError(f"rates must be three or more that rise by equal ratios, got rates={rates}")
if not 0 < warmup <= steps // 2:
    raise ValueError(f"warmup must be in [1, {steps // 2}], got warmup={warmup}")
task = tasks.get("names_lm", layers=1, n_eval=n_eval)
COSINE, TO_ZERO, HALF = "cosine to 10 %", "cosine to zero", "20 % at half the cosine's rate"
cooldowns = {"no cooldown": 0.0, "cooldown 10 %": 0.1, "cooldown 20 %": 0.2, "cooldown 40 %": 0.4}
names = [COSINE, TO_ZERO, *cooldowns]


def schedule(name, peak):
    if name in cooldowns:
        cool = round(cooldowns[name] * steps)
        return WarmupStableDecay(peak, steps=steps, warmup_steps=warmup, cooldown_steps=cool)
    end = 0.1 * peak if name == COSINE else 0.0
    return Warmup(Cosine(peak, end_lr=end, steps=steps - warmup), warmup_steps=warmup)


def job(name, peak, seed):
    return Job(
        task,
        Recipe(
            schedule=schedule(name, peak),
            steps=steps,
            batch_size=batch_size,
            seed=seed,
            optimizer=AdamW(weight_decay=0.1, betas=(0.9, 0.95)),
            clip_norm=1.0,
        ),
    )


seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
tuning_seeds = range(1000, 1000 + n_tuning)
plan = {(n, s, rate): job(n, rate, s) for n in names for s in tuning_seeds for rate in rates}
later = {"the comparison at the tuned rates": (1 + len(names)) * n_seeds + 2 * pilot_seeds}

# %% [markdown]
# ## Prediction
#
# Written after a first look with two seeds, and before these runs. At its own rate the cooldown of
# 20 % ends within half a per cent of both cosines, and so do the ones of 10 and 40 %. Its best rate
# is nearer to a third of the cosine's than to a half; at half of the cosine's rate it ends there
# all the same, since the curves are flat. Without a cooldown the loss is one per cent higher.
#
# ## Result
#
# ### The rate of each schedule

# %% tags=["nbval-ignore-output"]
tuning_runs = train_many(plan)

# %%
curves = tuning_runs.arrays("validation_loss")  # shape (seeds, rates)
display.say(
    f"{len(tuning_runs)} runs to tune: {len(names)} schedules × {len(rates)} rates × {n_tuning} "
    f"tuning seeds, {steps} updates each."
)

# %% tags=["nbval-ignore-output"]
best = {name: tuned.best_rate(rates, curve.mean(0)) for name, curve in curves.items()}
single = {name: [tuned.best_rate(rates, c) for c in curve] for name, curve in curves.items()}
arms = best | {HALF: best[COSINE] / 2}
own = {name: "cooldown 20 %" if name == HALF else name for name in arms}
jobs = {(n, s): job(own[n], rate, s) for n, rate in arms.items() for s in seeds}
jobs |= {(n, s): job(n, best[n], s) for n in (COSINE, "cooldown 20 %") for s in pilots}
runs = train_many(jobs)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.7)
shown = [COSINE, *cooldowns]
plots.learning_rates(axes[0], {n: schedule(n, best[n])(np.arange(steps)) for n in shown})
axes[0].set(xlabel="update", ylabel="learning rate", ylim=(0, None))
plots.bands(axes[1], rates, {n: stats.band(curves[n], scale="log") for n in shown})
for style, name in plots.styled(shown):
    axes[1].axvline(best[name], color=style["color"], linewidth=0.8, linestyle=":")
axes[1].set(
    xscale="log",
    yscale="log",
    xlabel="peak learning rate",
    ylabel="validation loss (nats per character)",
)
plots.ticks(axes[1].xaxis, rates)
axes[1].legend(loc="upper center")
display.show(
    fig,
    alt="Left: the schedules at their best rates, the cosine's peak is the highest. Right: "
    "validation loss against the peak rate, one curve for each schedule.",
    caption="Left: the schedules at their tuned rates. Right: validation loss against the peak "
    f"rate, geometric mean and 95 % t interval over {n_tuning} tuning seeds; dotted: the rate that "
    f"is used; {tuning_runs.note()}.",
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def against(name, base, group=seeds):
    """Paired log ratios of test losses, below zero where `name` ends lower than `base`."""
    return stats.log_differences(*(runs.of(n, group).array("test_loss") for n in (name, base)))


rows = [*cooldowns, HALF]
fig, axes = plots.figure(1, 2, height=3.0, sharey=True, sharex=True)
for ax, base in zip(axes, (COSINE, TO_ZERO), strict=True):
    each = {name: 100 * against(name, base) for name in rows}
    plots.intervals(ax, stats.mean_intervals(each), points=each)
    plots.shade(ax, -100 * margin, 100 * margin)
    ax.set(title=f"against the {base}", xlabel="difference of test losses (%)")
display.show(
    fig,
    alt="Differences of test losses between constant rates with cooldowns and the two cosines, "
    "with intervals, and the region that counts as the same.",
    caption=f"Test loss against the two cosines, each at its tuned rate: mean paired difference of "
    f"logarithms times 100, 95 % t intervals, ticks are the {n_seeds} seeds. Left of zero the "
    f"cooldown ends lower. Shaded: the same, as fixed beforehand; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "schedule": name,
            "tuned rate": rate,
            "at the grid's edge": name in best and not rates[0] < rate < rates[-1],
            "ratio to the cosine's, seed by seed": ""
            if name in (COSINE, HALF)
            else stats.geometric_interval(np.divide(single[name], single[COSINE])),
            "test loss [nats]": f"{runs.of(name, seeds).array('test_loss').mean():.4f}",
        }
        for name, rate in arms.items()
    ],
    caption=f"Tuned rates, ratio of the best rates of {n_tuning} tuning seeds with 95 % t "
    f"interval, and test loss, mean over {n_seeds} seeds.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
pilot, what = (
    against("cooldown 20 %", COSINE, pilots),
    "log ratio of test losses, a cooldown of 20 % to the cosine,",
)
claims.power(pilot, what, within=margin, used=n_seeds)

# %%
source, unit = "hagele2024scaling", "log ratio of test losses"
PUBLISHED = "a cooldown of 10 to 20 % of the steps matches cosine or is better"
ratios = np.log2(np.divide(single["cooldown 20 %"], single[COSINE]))
claims.conclude(
    [
        Claim.equivalence(
            f"cooldown-{percent}",
            f"A constant rate with a cooldown of {percent} % ends where the "
            "cosine to a tenth ends, each at its own rate.",
            values=against(f"cooldown {percent} %", COSINE),
            margin=margin,
            unit=unit,
            published=PUBLISHED if percent < 40 else None,
        )
        for percent in (10, 20, 40)
    ]
    + [
        Claim.equivalence(
            "cooldown-20-zero",
            "A constant rate with a cooldown of 20 % ends where the cosine to "
            "zero ends, each at its own rate.",
            values=against("cooldown 20 %", TO_ZERO),
            margin=margin,
            unit=unit,
            published=PUBLISHED,
        ),
        Claim.equivalence(
            "half-rate",
            "At half of the cosine's rate the cooldown of 20 % ends where the "
            "cosine to a tenth ends.",
            values=against(HALF, COSINE),
            margin=margin,
            unit=unit,
            published="the best rate is about half of cosine's",
        ),
        Claim.equivalence(
            "rate-ratio",
            "The best rate of the cooldown of 20 % is about half of the cosine's.",
            values=ratios + 1,
            margin=octaves,
            unit="doublings beyond a half",
            published="about half",
        ),
        Claim.effect(
            "control",
            "Without a cooldown the loss is higher than the cosine's: the test can tell "
            "schedules apart.",
            values=against("no cooldown", COSINE),
            direction="greater",
            delta=margin,
            unit=unit,
            source="",
        ),
    ],
    source=source,
)
