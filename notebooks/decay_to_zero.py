# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Decay to zero or to a tenth
#     short_title: Linear decay to zero or to a tenth
#     question: Does a linear decay to zero end lower than one to a tenth of the peak?
#     tags: [calibration, linear, decay, adamw, names]
#     smoke: {lengths: [20, 40], rates: [1.6e-2, 3.2e-2], n_seeds: 2, pilot_seeds: 2, n_eval: 100}
#     foretold:
#       - says: The shortest training ends a quarter of a per cent higher with the decay to zero.
#         claims: not judged
#       - says: At the middle length the two are even.
#         claims: not judged
#       - says: The longest ends a quarter of a per cent lower, at own and at the same rates.
#         claims: not judged
#       - says: The gain grows with the length.
#         claims: {grows: seen here}
#       - says: The gain grows with the rate.
#         claims: not judged
# ---

# %% [markdown]
# # Does a linear decay to zero end lower than one to a tenth of the peak?
#
# ## Question
#
# Language models are usually trained with a learning rate that ends at a tenth of its peak. At the
# best peak rate a linear decay to zero was found to end lower, and the more so the longer training
# is: with 610 million weights by 0.77 % of the loss, against a cosine to a tenth
# {cite}`bergsma2025straight`.
#
# 1. Does a linear decay to zero end lower than a linear one to a tenth, each at its own best rate?
# 2. Does it at the same rates?
# 3. Is it so at every length of training, or does the gain grow with the length?
#
# ## Setup
#
# A transformer of one block and width 16 on surnames, batches of 8 windows, AdamW (weight decay
# 0.1, β = 0.9 and 0.95), gradients clipped at norm 1, a linear warmup of a tenth. The two schedules
# differ in where they end and in nothing else. Batches are small on purpose: what a decay is good
# for is averaging over noise, and in so short a training there is little of it in larger ones.
#
# With so few weights and updates the original's numbers can't be expected. Tested is whether
# a user would notice, by half a per cent of the loss, and whether the gain grows with the length.
# Each schedule is tuned within each seed: it trains at every rate of the grid, and the run with the
# lowest validation loss counts. So the luck of tuning lies in the intervals. Test losses are
# compared, paired by seed.

# %% tags=["parameters"]
lengths: list[int] = [100, 300, 900]  # [updates, 2.. of 10.. rising] of a run, warmup included
rates: list[float] = [8e-3, 1.6e-2, 3.2e-2, 6.4e-2]  # [2.. of 0<.. rising] peak rates
batch_size: int = 8  # [windows, 1..39123] in a batch
n_seeds: int = 12  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 2000  # [windows, 1..2169] of the validation part and of the test part
floor: float = 0.1  # [0<..<1] share of the peak rate at which the other schedule ends
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.optimizers import AdamW
from lrlab.schedules import Linear, Warmup

plots.use_style()

task = tasks.get("names_lm", layers=1, width=16, n_eval=n_eval)
ZERO, TENTH = "to zero", f"to {100 * floor:g} % of the peak"
ends = {ZERO: 0.0, TENTH: floor}
delta = claims.smallest_effect("test loss", "names_lm")
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def schedule(name, steps, peak):
    decay = Linear(peak, end_lr=ends[name] * peak, steps=steps - steps // 10)
    return Warmup(decay, warmup_steps=steps // 10)


def job(name, steps, peak, seed):
    return Job(
        task,
        Recipe(
            schedule=schedule(name, steps, peak),
            steps=steps,
            batch_size=batch_size,
            seed=seed,
            optimizer=AdamW(weight_decay=0.1, betas=(0.9, 0.95)),
            clip_norm=1.0,
        ),
    )


plan = {
    (name, steps, rate, seed): job(name, steps, rate, seed)
    for name in ends
    for steps in lengths
    for rate in rates
    for seed in (*seeds, *(pilots if steps == lengths[1] else ()))
}

# %% [markdown]
# ## Prediction
#
# Written after a first look with two seeds at 150 and 600 updates, and before these runs. The
# shortest training ends higher with the decay to zero, by a quarter of a per cent; at the middle
# length the two are even, and the longest ends a quarter of a per cent lower, at its own rate and
# at the same rates. The gain grows with the length, and with the rate.
#
# Since then half a per cent, the table's smallest difference for this task, is asked for.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(
    f"{len(runs)} runs: two schedules × {len(rates)} rates, on {n_seeds} paired seeds at "
    f"{len(lengths)} lengths, and on {pilot_seeds} pilot seeds at one."
)


# %% tags=["nbval-ignore-output"]
def own_rates(name, steps, group=seeds):
    """The rate of the grid with the lowest validation loss, seed by seed."""
    found = runs.of(name, steps, rates, group).array("validation_loss")
    return [rates[k] for k in np.argmin(found, axis=0)]


def losses(name, steps, rate, group=seeds):
    return runs.of(name, steps, rate, group).array("test_loss")


def gain(steps, rate):
    """Paired log ratios of test losses at one rate, below zero where decay to zero ends lower."""
    return stats.log_differences(losses(ZERO, steps, rate), losses(TENTH, steps, rate))


def at_own_rates(name, steps, group=seeds):
    own = own_rates(name, steps, group)
    return [runs[name, steps, r, s].final("test_loss") for r, s in zip(own, group, strict=True)]


own = {(name, steps): own_rates(name, steps) for name in ends for steps in lengths}
at_own = {t: stats.log_differences(*(at_own_rates(name, t) for name in ends)) for t in lengths}
common = {t: np.mean([gain(t, rate) for rate in rates], axis=0) for t in lengths}

fig, axes = plots.figure(1, len(lengths), height=3.6, squeeze=False)
for ax, steps in zip(axes[0], lengths, strict=True):
    curves = {
        name: stats.band(np.transpose([losses(name, steps, r) for r in rates]), scale="log")
        for name in ends
    }
    plots.bands(ax, rates, curves)
    for style, name in plots.styled(ends):
        where = np.exp(np.log(own[name, steps]).mean())
        ax.axvline(where, color=style["color"], linewidth=0.8, linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="peak learning rate", title=f"{steps} updates")
    plots.ticks(ax.xaxis, rates)
axes[0][0].set_ylabel("test loss (nats per character)")
axes[0][0].legend(title="linear decay")
display.show(
    fig,
    alt="Test loss against the peak rate, one panel for each length of training, one curve for the "
    "decay to zero and one for the decay to a tenth.",
    caption=f"Test loss against the peak rate, geometric mean and 95 % t interval over {n_seeds} "
    "seeds; dotted: the rates that are best by validation loss, geometric mean; "
    f"{runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(len(lengths) + 2)
fig, axes = plots.figure(1, len(lengths), height=3.0, sharey=True, sharex=True, squeeze=False)
for ax, steps in zip(axes[0], lengths, strict=True):
    each = {"each at its own rate": at_own[steps], "mean of the same rates": common[steps]}
    each |= {f"both at {rate:g}": gain(steps, rate) for rate in rates}
    each = {label: 100 * values for label, values in each.items()}
    plots.intervals(ax, stats.mean_intervals(each, level), points=each)
    plots.shade(ax, -100 * delta, 100 * delta)
    ax.set(title=f"{steps} updates", xlabel="difference of test losses (%)")
display.show(
    fig,
    alt="Difference of test losses between the decay to zero and the decay to a tenth, with "
    "intervals, one panel for each length of training, a row for each rate.",
    caption="Decay to zero against decay to a tenth: mean paired difference of logarithms times "
    f"100, {100 * level:.3g} % t intervals, which decide, ticks are the {n_seeds} seeds. Left of "
    "zero the decay to zero ends lower. Shaded: too small to matter.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "updates": steps,
            **{f"own rate, {name}": np.exp(np.log(own[name, steps]).mean()) for name in ends},
            **{f"test loss, {name}": f"{np.mean(at_own_rates(name, steps)):.4f}" for name in ends},
            "difference at own rates [%]": stats.mean_interval(100 * at_own[steps]),
            "at the same rates [%]": stats.mean_interval(100 * common[steps]),
        }
        for steps in lengths
    ],
    caption=f"Own rates (geometric means), test losses in nats (mean over {n_seeds} seeds), and "
    "paired differences of their logarithms with 95 % t intervals.",
)
edge = sum(r in (rates[0], rates[-1]) for each in own.values() for r in each)
display.say(
    f"Of {len(own) * n_seeds} own rates {edge} lie at an end of the grid. At its own rate the "
    "decay to zero has the lower test loss in "
    + ", ".join(f"{int((at_own[t] < 0).sum())} of {n_seeds} seeds at {t} updates" for t in lengths)
    + "."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
pilot = stats.log_differences(*(at_own_rates(name, lengths[1], pilots) for name in ends))
what = f"log ratio of test losses at {lengths[1]} updates, each at its own rate,"
claims.power(pilot, what, beyond=delta, used=n_seeds, tested=len(lengths) + 2)

# %%
source, unit = "bergsma2025straight", "log ratio of test losses"
PUBLISHED = "lower at the best rate, by 0.77 % against a cosine to a tenth (610 M weights)"
LOWER = "A linear decay to zero ends lower than one to a tenth of the peak"
first, last = lengths[0], lengths[-1]


def about(budget, **more):
    setting = Setting("small transformer on surnames", "AdamW (weight decay 0.1)", budget)
    told = {"like": "analogue", "lost": "its size: 610 million weights"}
    return About(setting, "test loss", **told | {"reason": "the table's δ of this task"} | more)


made = [
    Claim.effect(
        f"own-rates-{t}",
        f"{LOWER}, each at its own rate",
        values=at_own[t],
        direction="less",
        delta=delta,
        unit=unit,
        source=source,
        published=PUBLISHED,
        about=about(f"{t} updates", family="each at its own rate"),
    )
    for t in lengths
]
made += [
    Claim.effect(
        f"same-rates-{last}",
        f"{LOWER}, mean over the same rates",
        values=common[last],
        direction="less",
        delta=delta,
        unit=unit,
        source=source,
        published="lower over a range of peak rates",
        about=about(f"{last} updates"),
    ),
    Claim.effect(
        "grows",
        f"The gain of the decay to zero is larger after {last} updates than after {first}, each at "
        "its own rate",
        values=at_own[last] - at_own[first],
        direction="less",
        delta=0.0,
        unit=unit,
        source=source,
        published="benefits increase with the size of the data",
        about=about(
            f"{first} or {last} updates",
            reason="the source says that the gain grows, and not by how much",
        ),
    ),
]
made += [
    Claim.descriptive(
        f"same-rates-{t}",
        "Test loss of a linear decay to zero against one to a tenth, mean over the same rates",
        values=common[t],
        unit=unit,
        source=source,
        about=about(f"{t} updates", reason=""),
    )
    for t in lengths[:-1]
]
made.append(
    Claim.descriptive(
        "rate",
        f"The gain at a rate of {rates[-1]:g} less that at {rates[0]:g}, mean over the lengths",
        values=np.mean([gain(t, rates[-1]) - gain(t, rates[0]) for t in lengths], axis=0),
        unit=unit,
        about=About(about(f"{first} to {last} updates").setting, "test loss"),
    )
)
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
found = stats.mean_intervals({t: 100 * at_own[t] for t in lengths}, level)
told = "; ".join(
    f"{i.estimate:+.2f} % [{i.low:+.2f}, {i.high:+.2f}] after {t} updates" for t, i in found.items()
).replace("-", "−")
if all(-100 * delta < i.low and i.high < 100 * delta for i in found.values()):
    advice = (
        f"at such lengths the choice changes the loss by less than {100 * delta:g} %, so take "
        "either, and tune the peak."
    )
elif found[last].high < -100 * delta:
    longer = stats.mean_interval(at_own[last] - at_own[first], level).high < 0
    advice = f"let the rate end at zero{', the more so the longer you train' if longer else ''}."
else:
    advice = "try both ends at your own length; these runs leave it open."
display.answer(
    "Small transformer on surnames under AdamW, test loss of a linear decay to zero against one to "
    f"{100 * floor:g} % of the peak, each at its own rate: {told}. "
    f"What this means for you: {advice}",
    claims=[*(f"own-rates-{t}" for t in lengths), "grows"],
)
