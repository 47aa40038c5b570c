# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: What a warmup buys on a transformer
#     short_title: What a warmup buys
#     question: What does a warmup buy once the learning rate is tuned with and without it?
#     tags: [optimizers, warmup, adam, linear, names]
#     smoke: {steps: 8, long: 4, short: 2, rates: [4.0e-3, 2.0e-2, 0.1], n_seeds: 2, deep_seeds: 2,
#       deep_layers: 2, pilot_seeds: 2, n_eval: 50}
#     predictions:
#       needs: {seen here: 0.6, not seen here: 0.15, inconclusive: 0.25}
#       pre-loss: {seen here: 0.12, not seen here: 0.33, inconclusive: 0.55}
#       many-loss: {seen here: 0.1, not seen here: 0.3, inconclusive: 0.6}
#       rate: {seen here: 0.65, not seen here: 0.08, inconclusive: 0.27}
#       beta: {seen here: 0.25, not seen here: 0.3, inconclusive: 0.45}
#       post-gains: {seen here: 0.35, not seen here: 0.25, inconclusive: 0.4}
# ---

# %% [markdown]
# # What does a warmup buy once the learning rate is tuned with and without it?
#
# ## Question
#
# Nearly every recipe for a transformer begins with a warmup. What for? Three answers: a transformer
# with its normalisation behind each residual branch (post-norm) starts with large gradients near
# its output and needs one, one with the normalisation in front (pre-norm) does not
# {cite}`xiong2020layer`; a warmup lets training bear larger rates {cite}`kalra2024warmup`; and Adam
# needs $2/(1-\beta_2)$ updates until its steps are what they should be, so that a larger $\beta_2$
# asks for a longer one {cite}`ma2021adequacy`.
#
# What people ask is another thing: *is the loss lower for it, if I tune the rate either way?*
#
# 1. A deep post-norm transformer is known to need a warmup: does it here? (If not, this task can't
#    tell.)
# 2. Pre-norm: is the loss at the best rate the same with and without one, in one pass over the data
#    and in many?
# 3. Is the largest rate that trains larger with a warmup?
# 4. Does a larger β₂ gain more room from it, and does post-norm gain more loss?
# 5. How long should it be, and does that depend on β₂ or on the place of the normalisation?
#
# ## Setup
#
# A transformer of width 32 on surnames, Adam without weight decay, batches of 32 windows, a linear
# rise from 0 to the peak and a linear decay to 0 after it; all runs have the same number of
# updates, warmup included. Matrices are initialised by Glorot's rule as in the first transformers,
# since the small residual branches of GPT-2 would hide what the place of the normalisation does.
# *One pass*: no window is seen twice. *Many passes*: 480 windows, again and again.
#
# Every cell trains every seed over the whole grid of rates, so that it is tuned anew within each
# seed: the run with the lowest validation loss counts, by its test loss. Where the best rate is at
# an edge the grid grows. The largest rate that trains is where the validation loss crosses 2.6 nats
# for the last time (knowing only the frequency of letters gives 2.8), interpolated in the logarithm
# of the rate.

# %% tags=["parameters"]
steps: int = 120  # [updates, 4..] length of training, warmup included
long: int = 30  # [updates, 2..<steps] the warmup that is tested
short: int = 6  # [updates, 1..<long] a shorter one, measured besides in every cell
rates: list[float] = [4e-3, 1e-2, 2.5e-2, 6.25e-2, 0.15625, 0.390625]  # [3.. of 0<.. rising] peaks
threshold: float = 2.6  # [nats, 0<..] it trains if its validation loss ends below
batch_size: int = 32  # [windows, 1..480] in a batch
few_windows: int = 480  # [windows, batch_size..39123] of the training in many passes
deep_layers: int = 6  # [2..] blocks of the deep transformer
n_seeds: int = 8  # [2..500] paired seeds
deep_seeds: int = 6  # [2..500] paired seeds of the deep one
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 600  # [windows, 1..2169] of the validation part and of the test part
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import rate_grid
from lrlab.experiments.norm_placement import NamesNorm
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import Adam
from lrlab.schedules import LinearDecayToZero, Warmup

plots.use_style()

TESTED = 6
PRE, PRE_95, POST, POST_95, DEEP, MANY = (
    *("pre-norm, β₂ = 0.999", "pre-norm, β₂ = 0.95"),
    *("post-norm, β₂ = 0.999", "post-norm, β₂ = 0.95"),
    f"post-norm, {deep_layers} blocks",
    "pre-norm, many passes",
)
kinds = {  # task and β₂
    PRE: (NamesNorm(layers=1, norm="pre", n_eval=n_eval), 0.999),
    PRE_95: (NamesNorm(layers=1, norm="pre", n_eval=n_eval), 0.95),
    POST: (NamesNorm(layers=1, norm="post", n_eval=n_eval), 0.999),
    POST_95: (NamesNorm(layers=1, norm="post", n_eval=n_eval), 0.95),
    DEEP: (NamesNorm(layers=deep_layers, norm="post", n_eval=n_eval), 0.999),
    MANY: (NamesNorm(layers=1, norm="pre", n_train=few_windows, n_eval=n_eval), 0.999),
}


def job(arm, rate, seed):
    kind, warmup = arm
    task, beta = kinds[kind]
    decay = LinearDecayToZero(rate, steps=steps - warmup)
    return Job(
        task,
        Recipe(
            schedule=Warmup(decay, warmup_steps=warmup) if warmup else decay,
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(betas=(0.9, beta)),
            seed=seed,
        ),
    )


pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
seeds = {k: range(first_seed, first_seed + (deep_seeds if k == DEEP else n_seeds)) for k in kinds}
WARMUPS = (0, short, long)
PILOTED = [(PRE, 0), (PRE, long)]
arms = [(kind, warmup) for kind in kinds for warmup in WARMUPS]
trained = {arm: [*seeds[arm[0]], *(pilots if arm in PILOTED else ())] for arm in arms}
plan = {(arm, rate, s): job(arm, rate, s) for arm in arms for rate in rates for s in trained[arm]}
later = {"rates beyond the edge of a grid": (0, 2 * sum(map(len, trained.values())))}

# %% [markdown]
# ## Prediction
#
# Written before the first look at any run longer than the smoke size; probabilities are listed
# below, with what came. The deep post-norm transformer ends lower with a warmup. In pre-norm the
# losses at the best rates differ by about half a per cent, too little to tell, in one pass and in
# many; the largest rate is two to four times as large. β₂ changes little of this, and one block is
# too few for post-norm to gain much more than pre-norm.
#
# The shorter warmup outside of pre-norm with β₂ = 0.999 was added after the first look at the rest:
# nothing was foretold of it.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = rate_grid.extended(train_many(plan), job, "validation_loss", most=2)
display.say(
    f"{len(runs)} runs of {steps} updates: {len(arms)} cells × at least {len(rates)} rates × "
    f"{n_seeds} seeds ({deep_seeds} of the deep one), and two cells on {pilot_seeds} pilot seeds; "
    f"{runs.note()}."
)


# %% tags=["nbval-ignore-output"]
def grid(arm, group):
    """Rates of a cell, rising, and validation losses, shape (rates, seeds)."""
    found = runs.of(arm, ..., group).arrays("validation_loss")
    return sorted(found), np.array([found[rate] for rate in sorted(found)])


def at_best(arm, group):
    """Test losses at the rate whose validation loss is lowest, seed by seed."""
    return tuned.within_seeds(runs.of([arm], ..., group), "validation_loss").array("test_loss")[0]


def best_rates(arm, group):
    """The best rate of each seed, between the points of the grid."""
    where, losses = grid(arm, group)
    return np.array([tuned.best_rate(where, column) for column in losses.T])


def largest_rates(arm, group):
    """Where each seed's loss crosses the threshold for the last time."""
    where, losses = grid(arm, group)
    found = []
    for column in losses.T:
        below = np.flatnonzero(column < threshold)
        k = below[-1] if below.size else 0
        if not below.size or k == len(where) - 1:
            found.append(where[k])
            continue
        share = (threshold - column[k]) / (column[k + 1] - column[k])
        found.append(where[k] * (where[k + 1] / where[k]) ** share)
    return np.array(found)


def gained(kind, measure, group=None, less=0, more=long):
    """Paired log ratios of a measure, with a warmup (the long one) to with less of it."""
    group = seeds[kind] if group is None else group
    return stats.log_differences(measure((kind, more), group), measure((kind, less), group))


fig, axes = plots.figure(1, 3, width=9.6, height=3.6, sharey=True)
panels = {
    "pre-norm": ((PRE, "β₂ = 0.999"), (PRE_95, "β₂ = 0.95")),
    "post-norm": ((POST, "β₂ = 0.999"), (POST_95, "β₂ = 0.95")),
    DEEP: ((DEEP, "β₂ = 0.999"),),
}
for ax, (title, shown) in zip(axes, panels.items(), strict=True):
    for (kind, label), line in zip(shown, ("-", ":"), strict=False):
        for warmup, colour in ((0, plots.COLOURS[1]), (long, plots.COLOURS[0])):
            where, losses = grid((kind, warmup), seeds[kind])
            what = f"warmup of {warmup}" if warmup else "no warmup"
            ax.plot(
                where,
                np.exp(np.log(losses).mean(axis=1)),
                marker="o",
                markersize=3,
                color=colour,
                linestyle=line,
                label=f"{what}, {label}",
            )
    plots.guide(ax, y=threshold)
    ax.set(xscale="log", yscale="log", xlabel="peak learning rate", title=title)
    plots.ticks(ax.xaxis, rates[::2])
axes[0].set_ylabel("validation loss (nats)")
axes[0].legend()
display.show(
    fig,
    alt="Validation loss against the peak rate with and without a warmup, in three panels: "
    "pre-norm, post-norm, and a deep post-norm transformer.",
    caption=f"Validation loss after {steps} updates in one pass, geometric mean over {n_seeds} "
    f"seeds ({deep_seeds} in the right panel); a run that diverged counts as guessing. Grey: what "
    "counts as training.",
)

# %% tags=["nbval-ignore-output"]
loss_level, rate_level = claims.level(TESTED, "equivalence"), claims.level(TESTED)
margin = claims.smallest_effect("test loss", "names_lm")
losses = {kind: gained(kind, at_best) for kind in kinds}
largest = {kind: gained(kind, largest_rates) for kind in kinds}
fig, axes = plots.figure(1, 2, height=3.4, width_ratios=[1.3, 1])
levels = {kind: rate_level if kind in (DEEP, POST) else loss_level for kind in kinds}
each = {kind: phrases.in_percent(values, levels[kind]) for kind, values in losses.items()}
points = {kind: 100 * np.expm1(values) for kind, values in losses.items()}
plots.intervals(axes[0], each, points=points)
plots.shade(axes[0], *(100 * np.expm1([-margin, margin])))
axes[0].set(xlabel="change of the test loss at the best rate (%)")
plots.intervals(axes[1], stats.mean_intervals(largest, rate_level), points=largest)
room = claims.smallest_effect("learning rate")
plots.shade(axes[1], -room, room)
axes[1].set(xlabel="log ratio of the largest rates that train")
axes[1].set_yticklabels([])
display.show(
    fig,
    alt="Left: differences of test losses at the best rate between training with and without a "
    "warmup, for each kind of transformer. Right: log ratios of the largest rates that train.",
    caption=f"What a warmup of {long} of {steps} updates changes, seed by seed, with the "
    "intervals that decide. Left of zero the loss is lower with a warmup; right of zero in the "
    "right panel it bears larger rates (the table says where no rate trains, so that this says "
    "nothing). Shaded: differences too small to matter.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "cell": kind,
            "warmup": warmup,
            "best rate": stats.geometric_interval(best_rates((kind, warmup), seeds[kind])),
            "largest that trains": stats.geometric_interval(
                largest_rates((kind, warmup), seeds[kind])
            ),
            "the highest one trains": int(
                (grid((kind, warmup), seeds[kind])[1][-1] < threshold).sum()
            ),
            "none trains": int(
                (grid((kind, warmup), seeds[kind])[1].min(axis=0) >= threshold).sum()
            ),
            "test loss [nats]": stats.mean_interval(at_best((kind, warmup), seeds[kind])),
        }
        for kind, warmup in arms
    ],
    digits=4,
    caption=f"Rates and test losses by cell, with 95 % t intervals over {n_seeds} seeds "
    f"({deep_seeds} of the deep one). Where the highest rate of the grid still trains in some "
    "seeds, the largest rate is a lower bound; where none trains, it is the lowest of the grid, "
    "which is no measurement.",
)

# %% [markdown]
# ### How long

# %% tags=["nbval-ignore-output"]
bearing = [  # the cells in which some rate trains, whatever the warmup and the seed
    kind
    for kind in kinds
    if all((grid((kind, w), seeds[kind])[1].min(axis=0) < threshold).all() for w in WARMUPS)
]
fig, axes = plots.figure(1, 2, height=4.0)
for ax, measure, shown in ((axes[0], at_best, list(kinds)), (axes[1], largest_rates, bearing)):
    for style, kind in plots.styled(shown):
        middle = 0.012 * long * (list(kinds).index(kind) - 2.5)
        logs = [gained(kind, measure, more=warmup) for warmup in (short, long)]
        rows = (
            [phrases.in_percent(values, 0.95) for values in logs]
            if measure is at_best
            else [stats.geometric_interval(np.exp(values)) for values in logs]
        )
        at = np.array([short, long]) + middle
        plots.error_bars(ax, at, rows, label=kind, **style)
    ax.set(xlabel="warmup (updates)", xlim=(0, 1.15 * long))
    ax.set_xticks([0, short, long])
plots.guide(axes[0], y=0.0)
axes[0].set_ylabel("change of the test loss (%)")
axes[1].set(ylabel="largest rate that trains,\nagainst no warmup (ratio)", yscale="log")
plots.guide(axes[1], y=1.0)
plots.ticks(axes[1].yaxis, [1, 2, 4])
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
display.show(
    fig,
    alt="Change of the test loss and of the largest rate that trains against the length of the "
    "warmup, one line for each kind of transformer.",
    caption=f"What a warmup of {short} and one of {long} of {steps} updates change, each against "
    "none: geometric means of paired ratios with 95 % t intervals over the seeds. "
    "Right: only cells in which every seed trains at some rate.",
)

# %% tags=["nbval-ignore-output"]
pairs = {f"{more} to {less}": (less, more) for less, more in ((0, short), (0, long), (short, long))}
display.table(
    [
        {"cell": kind}
        | {
            f"loss, {text} [%]": phrases.in_percent(
                gained(kind, at_best, less=less, more=more), 0.95
            )
            for text, (less, more) in pairs.items()
        }
        | {
            f"largest rate, {text}": stats.geometric_interval(
                np.exp(gained(kind, largest_rates, less=less, more=more))
            )
            if kind in bearing
            else "–"
            for text, (less, more) in pairs.items()
        }
        for kind in kinds
    ],
    digits=3,
    caption="Change of the test loss at the best rate, and ratio of the largest rates that train, "
    "by lengths of the warmup [updates], seed by seed: geometric means with 95 % t intervals.",
)
for less, more, of in ((0, short, "none"), (short, long, f"one of {short}")):
    ends = {
        kind: phrases.in_percent(gained(kind, at_best, None, less, more), 0.95) for kind in kinds
    }
    outcomes = {
        "lower": [kind for kind, end in ends.items() if end.high < 0],
        "higher": [kind for kind, end in ends.items() if end.low > 0],
        "not clearly different": [kind for kind, end in ends.items() if 0 in end],
    }
    display.say(
        f"Against {of}, with a warmup of {more} updates the test loss is "
        + "; ".join(
            f"{word} in {len(found)} cells ({'; '.join(found)})".replace("in 1 cells", "in 1 cell")
            for word, found in outcomes.items()
            if found
        )
        + " (95 % intervals, cell by cell)."
    )

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    gained(PRE, at_best, pilots),
    "log ratio of test losses with and without a warmup, pre-norm,",
    within=margin,
    used=n_seeds,
    tested=TESTED,
)
claims.power(
    gained(PRE, largest_rates, pilots),
    "log ratio of the largest rates, pre-norm,",
    beyond=room,
    used=n_seeds,
    tested=TESTED,
)


# %%
def about(kind, metric="test loss", lost="its size, and the full length of its trainings", **more):
    task, beta = kinds[kind]
    blocks = "one block" if task.layers == 1 else f"{task.layers} blocks"
    passes = (
        f"{steps * batch_size / few_windows:.0f} passes" if task.n_train else "less than one pass"
    )
    return About(
        Setting(
            f"{task.norm}-norm transformer of {blocks} on surnames, {passes}",
            f"Adam (β₂ = {beta:g})",
            f"{steps} updates",
        ),
        metric,
        like="analogue",
        lost=lost,
        reason="the table's δ of this task" if metric == "test loss" else "",
        **more,
    )


WITH = f"With a warmup of {long} updates"
unit = "log ratio of test losses"
made = [
    Claim.effect(
        "needs",
        f"{WITH} a deep post-norm transformer's test loss at the best rate is lower than without "
        "one",
        values=gained(DEEP, at_best),
        direction="less",
        delta=margin,
        unit=unit,
        published="a post-norm transformer needs a warmup",
        about=about(DEEP, family="loss at the best rate"),
    ),
    *(
        Claim.equivalence(
            slug,
            f"{WITH} a pre-norm transformer's test loss at the best rate is the same as without "
            "one",
            values=gained(kind, at_best),
            margin=margin,
            unit=unit,
            published="a pre-norm transformer without a warmup reaches comparable results",
            about=about(kind, family="loss at the best rate"),
        )
        for slug, kind in (("pre-loss", PRE), ("many-loss", MANY))
    ),
    Claim.effect(
        "rate",
        f"{WITH} the largest rate that trains a pre-norm transformer is larger than without one",
        values=gained(PRE, largest_rates),
        direction="greater",
        unit="log ratio of rates",
        source="kalra2024warmup",
        published="warmup lets networks tolerate larger rates",
        about=about(PRE, "learning rate", family="largest rate"),
    ),
    Claim.effect(
        "beta",
        f"A warmup of {long} updates raises the largest rate further under β₂ = 0.999 than 0.95",
        values=gained(PRE, largest_rates) - gained(PRE_95, largest_rates),
        direction="greater",
        unit="difference of log ratios of rates",
        source="ma2021adequacy",
        published="2 / (1 − β₂) updates of linear warmup",
        about=about(PRE, "learning rate", lost="its rule of thumb speaks of length, not of rates"),
    ),
    Claim.effect(
        "post-gains",
        f"A warmup of {long} updates lowers the test loss at the best rate further in post-norm "
        "than in pre-norm",
        values=gained(POST, at_best) - gained(PRE, at_best),
        direction="less",
        delta=margin,
        unit=unit,
        published="post-norm needs a warmup, pre-norm does not",
        about=about(POST),
    ),
    *(
        Claim.descriptive(
            f"best-rate-{slug}",
            f"Best rate with a warmup of {long} updates against without one",
            values=np.exp(gained(kind, best_rates)),
            scale="log",
            unit="ratio of rates",
            source="",
            about=About(about(kind).setting, "learning rate", family="best rate"),
        )
        for slug, kind in (("pre", PRE), ("post", POST), ("deep", DEEP), ("many", MANY))
    ),
    *(
        Claim.descriptive(
            slug + end,
            f"Test loss at the best rate with a warmup of {more} updates against {of}",
            values=gained(kind, at_best, less=less, more=more),
            unit=unit,
            source="",
            about=About(about(kind).setting, "test loss", family=f"a warmup of {more} updates"),
        )
        for slug, less, more, of in (
            ("longer", short, long, f"one of {short}"),
            ("short", 0, short, "none"),
        )
        for end, kind in zip(
            ("", "-pre-95", "-post", "-post-95", "-deep", "-many"), kinds, strict=True
        )
    ),
    *(
        Claim.descriptive(
            slug,
            f"How much further a warmup of {warmup} updates raises the largest rate under "
            "β₂ = 0.999 than 0.95",
            values=gained(high, largest_rates, more=warmup)
            - gained(low, largest_rates, more=warmup),
            unit="difference of log ratios of rates",
            source="",
            about=About(about(high).setting, "learning rate", family="β₂ and the largest rate"),
        )
        for slug, high, low, warmup in (
            ("beta-short", PRE, PRE_95, short),
            ("beta-post", POST, POST_95, long),
            ("beta-post-short", POST, POST_95, short),
        )
    ),
]
claims.conclude(made, source="xiong2020layer")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
gains = {kind: phrases.percent(values, levels[kind]) for kind, values in losses.items()}
needs, pre = judged["needs"], judged["pre-loss"]
if (pre.low or 0) > margin:
    advice = (
        f"with pre-norm and a tuned rate, {long} of {steps} updates of warmup cost more than they "
        "bring; warm up for less, or to be safe from a rate that is too high"
    )
elif (pre.high or 0) < 0:
    advice = (
        "with pre-norm, warm up and tune the rate with the warmup in place; that the loss of deep "
        "post-norm gains " + ("is seen" if needs.verdict == claims.rules.SEEN else "is not shown")
    )
elif needs.verdict != claims.rules.SEEN:
    advice = "what a warmup does to the loss is not testable here, since the control shows no need"
elif (pre.low or 0) > -margin:
    advice = (
        "with pre-norm, warm up so that a rate that was chosen too high does no harm; don't expect "
        "a lower loss of it. With deep post-norm, warm up"
    )
else:
    advice = "with deep post-norm, warm up; for pre-norm these runs do not decide"
display.answer(
    f"With a warmup of {long} of {steps} updates, rates tuned either way, the test loss of a deep "
    f"post-norm transformer changes by {gains[DEEP]}, of a small pre-norm one by {gains[PRE]} "
    f"(many passes: {gains[MANY]}; {100 * levels[PRE]:.3g} %, deep {100 * levels[DEEP]:.3g} %). "
    f"The pre-norm one's largest rate that trains grows by a factor of "
    f"{phrases.factor(largest[PRE], rate_level)} ({100 * rate_level:.3g} %). What this means for "
    f"you: {advice}.",
    claims=["needs", "pre-loss", "many-loss", "rate"],
)
