# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A constant rate with a cooldown against cosine
#     short_title: Constant rate with a cooldown
#     question: Does a constant rate with a short cooldown end as low as a cosine?
#     tags: [calibration, wsd, cosine, adamw, names]
#     smoke: {steps: 20, warmup: 2, rates: [8.0e-3, 1.6e-2, 3.2e-2], n_seeds: 2, pilot_seeds: 2,
#       n_eval: 50}
#     foretold:
#       - says: At its own rate the cooldown of 20 % ends within half a per cent of the cosine, and
#           so does the one of 10 %.
#         claims: {cooldown-20: seen here, cooldown-10: seen here}
#       - says: So does the one of 40 %.
#         claims: not judged
#       - says: Its best rate is nearer to a third of the cosine's than to a half.
#         claims: not judged
#       - says: At half of the cosine's rate it ends there all the same.
#         claims: {half-rate: seen here}
#       - says: Without a cooldown the loss is one per cent higher.
#         claims: {control: supported}
# ---

# %% [markdown]
# # Does a constant learning rate with a short cooldown end as low as a cosine?
#
# ## Question
#
# A cosine has to know beforehand when training ends. A constant rate that is cooled down at the end
# does not, and for language models it was found to reach the loss of a cosine, or a lower one: with
# a cooldown of 10 to 20 % of the updates, and with about half of the cosine's best rate
# {cite}`hagele2024scaling`.
#
# 1. Does a cooldown of 20 % end as low as the cosine, each at its own best rate? And one of 10 %?
# 2. Is its best rate about half of the cosine's?
# 3. May one skip the tuning, and take half of the rate that is best for the cosine?
#
# ## Setup
#
# A transformer of one block on surnames, AdamW (weight decay 0.1, β = 0.9 and 0.95), gradients
# clipped at norm 1, a linear warmup of a tenth, a cosine that ends at a tenth of its peak: as in
# the original, but for the size (there 210 million weights and up to 200 thousand updates, here a
# few thousand and a few hundred). All schedules have the same number of updates. A constant rate
# without cooldown is the control: the test has to tell it from a cosine.
#
# Each schedule is tuned within each seed: it trains at four rates a factor of two apart, around
# what was best for it in an earlier entry, and the run with the lowest validation loss counts. So
# the luck of tuning lies in the intervals. Test losses are compared, paired by seed. "As low" means
# above by less than half a per cent, which is the smallest difference that matters in this task.

# %% tags=["parameters"]
steps: int = 200  # [2..] updates of a run, warmup and cooldown included
warmup: int = 20  # [updates, 1..<steps] linear rise
rates: list[float] = [2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2]  # [3.. of 0<.. rising] peak rates
batch_size: int = 32  # [windows, 1..39123] in a batch
n_seeds: int = 10  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 2000  # [windows, 1..2169] of the validation part and of the test part
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import AdamW
from lrlab.schedules import Cosine, Warmup, WarmupStableDecay

plots.use_style()

if len(rates) < 3 or not np.allclose(np.diff(np.log2(rates)), 1):
    raise ValueError(f"rates must be three or more, each twice the one before, got rates={rates}")
if not 0 < warmup <= steps // 2:
    raise ValueError(f"warmup must be in [1, {steps // 2}], got warmup={warmup}")
task = tasks.get("names_lm", layers=1, n_eval=n_eval)
margin = claims.smallest_effect("test loss", "names_lm")
COSINE, HALF = "cosine", "20 % at half the cosine's rate"
cooldowns = {"no cooldown": 0.0, "cooldown 10 %": 0.1, "cooldown 20 %": 0.2, "cooldown 40 %": 0.4}
names = [COSINE, *cooldowns]
lowest = {COSINE: 2, "no cooldown": 0}  # place of the first of its four rates; else 1
around = {n: rates[max(0, min(lowest.get(n, 1), len(rates) - 4)) :][:4] for n in names}


def schedule(name, peak):
    if name in cooldowns:
        cool = round(cooldowns[name] * steps)
        return WarmupStableDecay(peak, steps=steps, warmup_steps=warmup, cooldown_steps=cool)
    return Warmup(Cosine(peak, end_lr=0.1 * peak, steps=steps - warmup), warmup_steps=warmup)


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


seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
plan = {
    (n, s, rate): job(n, rate, s)
    for n in names
    for s in (*seeds, *(pilots if n in (COSINE, "cooldown 20 %") else ()))
    for rate in around[n]
}

# %% [markdown]
# ## Prediction
#
# Written after a first look with two seeds, and before these runs. At its own rate the cooldown of
# 20 % ends within half a per cent of both cosines, and so do the ones of 10 and 40 %. Its best rate
# is nearer to a third of the cosine's than to a half; at half of the cosine's rate it ends there
# all the same, since the curves are flat. Without a cooldown the loss is one per cent higher.
#
# A cosine to zero, which is spoken of too, is left out here: it had ended above the other.
#
# ## Result
#
# ### The rate of each schedule

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(
    f"{len(runs)} runs of {steps} updates: {len(names)} schedules × {len(around[COSINE])} rates × "
    f"{n_seeds} seeds, and two of the schedules on {pilot_seeds} pilot seeds."
)

# %% tags=["nbval-ignore-output"]
validation = {
    n: np.array([[runs[n, s, r].final("validation_loss") for r in around[n]] for s in seeds])
    for n in names
}
own = {
    (n, s): min(around[n], key=lambda r, n=n, s=s: runs[n, s, r].final("validation_loss"))
    for n in names
    for s in (*seeds, *pilots)
    if s in seeds or n in (COSINE, "cooldown 20 %")
}
best = {n: np.array([tuned.best_rate(around[n], c) for c in validation[n]]) for n in names}
middle = {n: float(np.exp(np.log(best[n]).mean())) for n in names}
fig, axes = plots.figure(1, 2, height=3.7)
plots.learning_rates(axes[0], {n: schedule(n, middle[n])(np.arange(steps)) for n in names})
axes[0].set(xlabel="update", ylabel="learning rate", ylim=(0, None))
for style, name in plots.styled(names):
    curve = stats.band(validation[name], scale="log")
    plots.band(axes[1], around[name], curve, label=name, **style)
    axes[1].axvline(middle[name], color=style["color"], linewidth=0.8, linestyle=":")
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
    alt="Left: the schedules at their best rates. Right: "
    "validation loss against the peak rate, one curve for each schedule.",
    caption="Left: the schedules at their best rates. Right: validation loss against the peak "
    f"rate, geometric mean and 95 % t interval over {n_seeds} seeds; dotted: the best rate, "
    f"between the points of the grid, geometric mean; {runs.note()}.",
)
ratios = {n: np.log(best[n] / best[COSINE]) for n in cooldowns}
display.say(
    "Best rates as multiples of the cosine's: "
    + "; ".join(f"{np.exp(ratios[n].mean()):.2f} ({n})" for n in cooldowns)
    + "."
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def test_losses(name, group):
    """At the rate that is best within each seed, or at half of the cosine's."""
    if name != HALF:
        return [runs[name, s, own[name, s]].final("test_loss") for s in group]
    half = [rates[max(0, rates.index(own[COSINE, s]) - 1)] for s in group]
    return [
        runs["cooldown 20 %", s, r].final("test_loss") for s, r in zip(group, half, strict=True)
    ]


def against(name, group=seeds):
    """Paired log ratios of test losses, below zero where `name` ends lower than the cosine."""
    return stats.log_differences(test_losses(name, group), test_losses(COSINE, group))


level = claims.level(4)
rows = [*cooldowns, HALF]
found = {name: phrases.in_percent(against(name), level) for name in rows}
each = {name: 100 * np.expm1(against(name)) for name in rows}
fig, ax = plots.figure(width=5.6, height=3.5)
plots.intervals(ax, found, points=each)
plots.shade(ax, 100 * np.expm1(-margin), 100 * np.expm1(margin))
ax.set(xlabel="test loss against the cosine's (%)")
ax.locator_params(axis="x", nbins=5)
display.show(
    fig,
    alt="Differences of test losses between constant rates with cooldowns and the cosine, with "
    "intervals, and the region that is too small to matter.",
    caption="Test loss against the cosine's, each at the rate that is best within its seed: "
    f"geometric mean of the paired ratios, the {100 * level:.3g} % t intervals that decide, ticks "
    f"are the {n_seeds} seeds. Left of zero the constant rate ends lower. Shaded: too small to "
    "matter.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
edge = {n: sum(own[n, s] in (around[n][0], around[n][-1]) for s in seeds) for n in names}
display.table(
    [
        {
            "schedule": name,
            "best rate": stats.geometric_interval(best[name]),
            "at an end of its rates": f"{edge[name]} of {n_seeds}",
            "ratio to the cosine's": ""
            if name == COSINE
            else stats.geometric_interval(np.exp(ratios[name])),
            "test loss [nats]": f"{np.mean(test_losses(name, seeds)):.4f}",
        }
        for name in names
    ],
    caption=f"Best rates, their ratios and test losses over {n_seeds} seeds; 95 % t intervals.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
pilot = against("cooldown 20 %", pilots)
claims.power(
    pilot - margin,
    "log ratio of test losses, a cooldown of 20 % to the cosine,",
    beyond=0.0,
    effect=margin,
    used=n_seeds,
    tested=4,
)

# %%
unit = "log ratio of test losses"
setting = Setting(
    "transformer of one block on surnames", "AdamW (weight decay 0.1)", f"{steps} updates"
)
PUBLISHED = "a cooldown of 10 to 20 % of the steps matches cosine or is better"
like = {"like": "analogue", "lost": "its size: 210 million weights and up to 200,000 updates"}
off = "the table's δ of this task is taken off the values: no worse by as much"
same = About(setting, "test loss", family="against the cosine", reason=off, **like)
MORE = f"at most {100 * margin:g} % above the cosine"
lower = {
    "cooldown-10": ("cooldown 10 %", f"A cooldown over the last 10 % ends {MORE}", PUBLISHED),
    "cooldown-20": ("cooldown 20 %", f"A cooldown over the last 20 % ends {MORE}", PUBLISHED),
    "half-rate": (
        HALF,
        f"At half of the cosine's best rate a cooldown over the last 20 % ends {MORE}",
        "the best rate is about half of cosine's",
    ),
}
claims.conclude(
    [
        Claim.effect(
            slug,
            f"{words}, each at its own rate" if slug != "half-rate" else words,
            values=against(name) - margin,
            direction="less",
            delta=0.0,
            unit=f"{unit}, minus {margin:g}",
            published=published,
            about=same,
        )
        for slug, (name, words, published) in lower.items()
    ]
    + [
        Claim.effect(
            "control",
            "Without a cooldown a constant rate ends above the cosine, each at its own rate",
            values=against("no cooldown"),
            direction="greater",
            delta=margin,
            unit=unit,
            source="",
            about=About(setting, "test loss", reason="the table's δ of this task"),
        ),
        Claim.descriptive(
            "cooldown-40",
            "Test loss of a cooldown over the last 40 % against the cosine, each at its own rate",
            values=against("cooldown 40 %"),
            unit=unit,
            source="",
            about=About(setting, "test loss"),
        ),
        Claim.descriptive(
            "rate-ratio",
            "Best rate of a cooldown over the last 20 % against the cosine's",
            values=np.exp(ratios["cooldown 20 %"]),
            scale="log",
            unit="ratio of rates",
            published="about half",
            about=About(setting, "learning rate", **like),
        ),
    ],
    source="hagele2024scaling",
)


# %% tags=["nbval-ignore-output"]
told = {name: phrases.percent(against(name), level) for name in rows}
enough = 100 * np.expm1(margin)
skip = found[HALF].high < enough
display.answer(
    "Small transformer on surnames under AdamW, test loss of a constant rate with a cooldown over "
    f"the last 20 % against a cosine: {told['cooldown 20 %']}; over the last 10 %: "
    f"{told['cooldown 10 %']}; without one: {told['no cooldown']}. At half of the cosine's best "
    f"rate, cooled down over the last 20 %: {told[HALF]} ({100 * level:.3g} % intervals). "
    + (
        "What this means for you: if you don't know when training will end, train at half of the "
        "rate that is best for a cosine, and cool down over the last fifth."
        if skip
        else "What this means for you: cool down over the last fifth, at a rate tuned for it."
        if found["cooldown 20 %"].high < enough
        else "What this means for you: keep the cosine where you know when training will end."
    ),
    claims=["cooldown-20", "cooldown-10", "half-rate", "control"],
)

# %% tags=["nbval-ignore-output"]
from lrlab.labbook import recorded

recorded.show(
    {(n, rate, s): runs[n, s, rate] for n in names for rate in around[n] for s in seeds},
    about="A transformer of one block on surnames, AdamW",
    unit="nats per character",
)
