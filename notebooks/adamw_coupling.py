# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Learning rate and weight decay of AdamW
#     short_title: Rate and weight decay of AdamW
#     question: Does the product of learning rate and weight decay set AdamW's optimum?
#     tags: [optimizers, adamw, weight-decay, batch-size, linear, mnist1d, names]
#     smoke: {passes: 1, rates: [2.0e-3, 4.0e-3, 8.0e-3], decays: [0.16, 0.64, 2.56], n_seeds: 2,
#       pilot_seeds: 2, n_train: 400, lm_steps: 6, lm_decays: [0.1], lm_seeds: 2, n_eval: 50}
#     predictions:
#       control-many: {supported: 0.9, smaller than δ: 0.02, inconclusive: 0.08}
#       control-one: {supported: 0.1, smaller than δ: 0.1, not by δ: 0.05, inconclusive: 0.75}
#       inverse: {seen here: 0.65, not seen here: 0.1, inconclusive: 0.25}
#       product: {seen here: 0.05, not seen here: 0.4, inconclusive: 0.55}
#       keep-product: {seen here: 0.55, not seen here: 0.1, inconclusive: 0.35}
#       batch: {seen here: 0.35, not seen here: 0.25, inconclusive: 0.4}
# ---

# %% [markdown]
# # Does the product of learning rate and weight decay set AdamW's optimum?
#
# ## Question
#
# PyTorch's AdamW shrinks the weights by the factor $1 - \eta\lambda$ in each update, so that they
# are an average over the last $\tau = 1/(\eta\lambda)$ updates. "The key hyperparameter for an
# exponential moving average is the EMA timescale"; "the optimal timescale, measured in epochs, is
# roughly constant" {cite}`wang2024weightdecay`. If it is, the best λ falls as 1/η, and grows with
# the batch, since a pass then has fewer updates. AdamW's authors multiply λ by the schedule only
# and not by the rate, and say that this decouples the best λ from the rate
# {cite}`loshchilov2019decoupled`: the same thing in their notation, where λ is the product.
#
# 1. Does weight decay matter here at all? (If not, there is no optimum to look for.)
# 2. How does the best λ change with the rate: not at all (slope 0 on logarithmic axes), or as 1/η
#    (slope −1)?
# 3. In practice: if I take a quarter of the rate, do I keep λ or the product?
# 4. If I take four times the batch, does the best λ become four times as large?
#
# ## Setup
#
# *Many passes*: the perceptron of MNIST-1D {cite}`greydanus2024scaling`, AdamW, a linear decay to
# zero without warmup, all pairs of a rate and a λ for every seed. A batch four times as large sees
# the data as often, in a quarter of the updates. *One pass*: a transformer of one block on
# surnames, the same way. A timescale is told at the first, largest rate. What is best is chosen by
# validation loss within each seed, and told by test loss. Where the best rate is at an edge the
# grid grows. The λ first went down to 0.04, where the best one of small rates lay; two smaller ones
# were then added.
#
# For each rate and seed the best λ is the vertex of the parabola through the lowest point and its
# two neighbours, on logarithmic axes; the slope is that of a straight line through the best λ of
# all rates. A quarter of the best rate is taken of those rates whose quarter is on the grid, and
# four times the best λ of those λ that have it there.

# %% tags=["parameters"]
passes: int = 20  # [1..] passes over the data
batch_size: int = 100  # [signals, 1..] in a batch; the larger one has four times as many
rates: list[float] = [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2]  # [3.. of 0<.. rising] each twice the last
decays: list[float] = [0.0025, 0.01, 0.04, 0.16, 0.64, 2.56, 10.24, 40.96]  # λ, each × 4
# [3.. of 0<.. rising]
n_train: int = 3500  # [400..3500] training signals
n_seeds: int = 10  # [2..500] seeds of the perceptron
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
lm_steps: int = 300  # [updates, 2..] of the transformer
lm_rates: list[float] = [4e-3, 8e-3, 1.6e-2]  # [3.. of 0<.. rising] its rates, equal ratios
lm_decays: list[float] = [0.025, 0.1, 0.4, 1.6]  # [1.. of 0<.. rising] its λ
lm_seeds: int = 6  # [2..500] seeds of the transformer
n_eval: int = 1000  # [windows, 1..2169] of its validation part and of its test part
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import rate_grid
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import AdamW
from lrlab.schedules import LinearDecayToZero
from lrlab.training import Results

plots.use_style()

TESTED = 6
SMALL, LARGE, LM = f"batch of {batch_size}", f"batch of {4 * batch_size}", "transformer"
if not np.allclose(np.diff(np.log2(rates)), 1) or not np.allclose(np.diff(np.log2(decays)), 2):
    raise ValueError(
        f"rates must double and decays must grow fourfold, got rates={rates} and decays={decays}"
    )
mnist1d = tasks.get("mnist1d", n_train=n_train)
lm = tasks.get("names_lm", layers=1, n_eval=n_eval)
cases = {  # task, batch size, updates
    SMALL: (mnist1d, batch_size, passes * n_train // batch_size),
    LARGE: (mnist1d, 4 * batch_size, passes * n_train // (4 * batch_size)),
    LM: (lm, 32, lm_steps),
}


def job(arm, rate, seed):
    case, decay = arm
    task, batch, steps = cases[case]
    return Job(
        task,
        Recipe(
            schedule=LinearDecayToZero(rate, steps=steps),
            steps=steps,
            batch_size=batch,
            optimizer=AdamW(weight_decay=decay),
            seed=seed,
        ),
    )


seeds = {
    case: range(first_seed, first_seed + (lm_seeds if case == LM else n_seeds)) for case in cases
}
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
arms = {
    SMALL: [(SMALL, decay) for decay in (0.0, *decays)],
    LARGE: [(LARGE, decay) for decay in decays],
    LM: [(LM, decay) for decay in (0.0, *lm_decays)],
}
trained = {case: [*seeds[case], *(pilots if case == SMALL else ())] for case in cases}
plan = {
    (arm, rate, s): job(arm, rate, s)
    for case in cases
    for arm in arms[case]
    for rate in (lm_rates if case == LM else rates)
    for s in trained[case]
}
later = {
    "rates beyond the edge of a grid": (0, 2 * sum(len(arms[c]) * len(trained[c]) for c in cases))
}

# %% [markdown]
# ## Prediction
#
# Written before the first look at any run longer than the smoke size; probabilities are listed
# below, with what came. In many passes weight decay lowers the loss a great deal, in one pass
# hardly at all, so that one pass can't tell. The best λ falls as the rate grows, with a slope of
# about −0.8: nearer to −1 than to 0, but not quite the product. Keeping the product loses less than
# keeping λ. With four times the batch the best λ becomes about twice as large.
#
# ## Result

# %% tags=["nbval-ignore-output"]
METRIC = "validation_loss"
runs = train_many(plan)


def used(case):
    """The rates of a case, rising."""
    return sorted({key[1] for key in runs if key[0][0] == case})


def grid(case, group, what=METRIC, without=False):
    """A metric of all runs, shape (decays, rates, seeds), the smallest of each first."""
    shown = [arm for arm in arms[case] if arm[1] or without]
    return np.array(
        [[runs.of(arm, rate, group).array(what) for rate in used(case)] for arm in shown]
    )


for _ in range(2):
    more = {}
    for case in cases:
        mean = np.exp(np.log(grid(case, seeds[case], without=True)).mean(axis=2))
        rate = rate_grid.beyond(used(case), mean.min(axis=0))
        if rate is not None:
            more |= {(arm, rate, s): job(arm, rate, s) for arm in arms[case] for s in trained[case]}
    if more:
        runs = Results(dict(runs) | dict(train_many(more)))
display.say(
    ". ".join(
        f"{case.capitalize()}: {len(arms[case])} values of λ × {len(used(case))} rates × "
        f"{len(trained[case])} seeds, {cases[case][2]:,} updates each"
        for case in cases
    )
    + f" (of the seeds of the {SMALL}, {pilot_seeds} are the pilot's); {runs.note()}."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.6, sharey=True)
mean = np.exp(np.log(grid(SMALL, seeds[SMALL])).mean(axis=2))
for style, (rate, column) in plots.styled(zip(used(SMALL), mean.T, strict=True)):
    timescales = passes / (rate * np.array(decays) * cases[SMALL][2])
    for ax, x in zip(axes, (decays, timescales), strict=True):
        ax.plot(x, column, marker="o", markersize=3, label=f"{rate:g}", **style)
axes[0].set(xscale="log", yscale="log", xlabel="weight decay λ", ylabel="validation loss (nats)")
axes[1].set(xscale="log", xlabel="timescale 1 / (rate × λ) [passes]")
axes[1].invert_xaxis()
axes[0].legend(title="learning rate")
display.show(
    fig,
    alt="Validation loss against weight decay on the left and against the timescale, one over the "
    "product of learning rate and weight decay, on the right, one curve for each rate.",
    caption=f"MNIST-1D, {passes} passes, {SMALL}: geometric mean over {n_seeds} seeds. If the "
    "product sets the optimum, the lowest points lie below each other on the right; if λ alone "
    "does, on the left.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def best_decays(case, group, over=None):
    """The λ with the lowest validation loss, shape (rates, seeds)."""
    over = used(case) if over is None else over
    losses = grid(case, group)[:, [used(case).index(rate) for rate in over]]
    found = [[tuned.best_rate(decays, line) for line in table] for table in losses.T]
    return np.array(found).T


def slopes(group):
    """Of the best λ against the rate, on logarithmic axes, seed by seed."""
    return np.polyfit(np.log(used(SMALL)), np.log(best_decays(SMALL, group)), 1)[0]


def by_batch():
    """Exponent of the best λ in the batch at equal rates, seed by seed."""
    both = [rate for rate in used(SMALL) if rate in used(LARGE)]
    small, large = (
        np.log(best_decays(case, seeds[case], both)).mean(axis=0) for case in (SMALL, LARGE)
    )
    return (large - small) / np.log(4)


def best_test(case, chosen):
    """Test loss of the best run of each seed, by validation loss, over some λ and all rates."""
    rows = [arms[case].index(arm) for arm in chosen]
    shape = (-1, len(seeds[case]))
    picked = grid(case, seeds[case], without=True)[rows].reshape(shape).argmin(axis=0)
    tested = grid(case, seeds[case], "test_loss", without=True)[rows].reshape(shape)
    return tested[picked, np.arange(shape[1])]


def worth(case):
    """Paired log ratios of test losses, the best λ to none, each at its best rate."""
    some, none = [a for a in arms[case] if a[1]], [a for a in arms[case] if not a[1]]
    return stats.log_differences(best_test(case, some), best_test(case, none))


def quartered(group):
    """Keys of each seed's best pair, and of a quarter of its rate with λ or the product kept."""
    where, losses = used(SMALL), grid(SMALL, group)[:-1, 2:]  # 4 λ and a quarter are on the grid
    for k, seed in enumerate(group):
        i, j = np.unravel_index(losses[..., k].argmin(), losses.shape[:2])
        low = where[j]
        yield (
            ((SMALL, decays[i]), where[j + 2], seed),
            ((SMALL, decays[i]), low, seed),
            ((SMALL, decays[i + 1]), low, seed),
        )


def quarter(group):
    """Log ratios of test losses to the best pair's: λ kept, product kept; and diverged pairs."""
    trios = [[runs[key] for key in keys] for keys in quartered(group)]
    test = np.array([[run.final("test_loss") for run in trio] for trio in trios]).T
    lost = sum(trio[1].diverged or trio[2].diverged for trio in trios)
    return stats.log_differences(test[1], test[0]), stats.log_differences(test[2], test[0]), lost


kept_decay, kept_product, lost = quarter(seeds[SMALL])
every = np.concatenate([best_decays(case, seeds[case]).ravel() for case in (SMALL, LARGE)])
ends = int(np.isin(every, (decays[0], decays[-1])).sum())
level = claims.level(TESTED)
fig, axes = plots.figure(1, 2, height=3.2, width_ratios=[1.2, 1])
for style, case in plots.styled((SMALL, LARGE)):
    found = [stats.geometric_interval(row) for row in best_decays(case, seeds[case])]
    plots.error_bars(axes[0], used(case), found, label=case, **style)
middle = np.exp(np.log(best_decays(SMALL, seeds[SMALL])).mean())
x = np.array(used(SMALL))
axes[0].plot(
    x, middle * np.exp(np.log(x).mean()) / x, color="#777777", linestyle=":", label="slope −1"
)
axes[0].set(xscale="log", yscale="log", xlabel="learning rate", ylabel="best λ")
plots.ticks(axes[0].xaxis, x)
axes[0].legend()
each = {
    "λ kept": kept_decay,
    "product kept": kept_product,
    "product against λ": kept_product - kept_decay,
}
plots.intervals(
    axes[1],
    {label: phrases.in_percent(values, level) for label, values in each.items()},
    points={label: 100 * np.expm1(values) for label, values in each.items()},
)
room = claims.smallest_effect("test loss")
plots.shade(axes[1], 100 * np.expm1(-room), 100 * np.expm1(room))
axes[1].set(xlabel="change of the test loss (%)")
fig.get_layout_engine().set(wspace=0.08)
display.show(
    fig,
    alt="Left: the best weight decay against the learning rate for two batches, with a line of "
    "slope minus one. Right: what a quarter of the best rate costs with the weight decay kept, "
    "with the product kept, and the second against the first.",
    caption=f"Left: best λ, geometric mean with 95 % t intervals over {n_seeds} seeds; {ends} of "
    f"{every.size} lie at an end of its grid, where the true one may be further out. Right: by how "
    "much a quarter of the best rate ends above the best pair with either kept, and with the "
    "product kept against λ kept: geometric means of the paired ratios with the "
    f"{100 * level:.3g} % intervals that decide, ticks are seeds; shaded: too small to matter.",
)
by_rate = np.log(grid(SMALL, seeds[SMALL], without=True)).mean(axis=2).argmin(axis=0)
without = [f"{rate:g}" for rate, first in zip(used(SMALL), by_rate, strict=True) if first == 0]
display.say(
    f"At rates of {', '.join(without)} ({SMALL}) no weight decay at all has the lowest validation "
    "loss: there the best λ is at the lower end of its grid, wherever that is, so that the slope "
    "tells which way the best λ goes, and not how fast."
    if without
    else f"At every rate ({SMALL}) some weight decay has a lower validation loss than none."
)

# %% tags=["nbval-ignore-output"]
table = []
for case in cases:
    means = np.exp(np.log(grid(case, seeds[case], without=True)).mean(axis=2))
    i, j = np.unravel_index(means.argmin(), means.shape)
    arm, rate = arms[case][i], used(case)[j]
    group = runs.of(arm, rate, seeds[case])
    edge = j in (0, len(used(case)) - 1) or arm[1] in (decays[0], arms[case][-1][1])
    table.append(
        {
            "task": case,
            "updates": cases[case][2],
            "best rate": rate,
            "best λ": arm[1],
            "timescale [updates]": 1 / (rate * arm[1]) if arm[1] else "–",
            "at an edge": "yes" if edge else "no",
            "test loss": stats.mean_interval(group.array("test_loss")),
            "against λ = 0 [%]": "" if case == LARGE else phrases.in_percent(worth(case), 0.95),
        }
    )
display.table(
    table,
    caption="The best pair of rate and λ over all seeds by validation loss, with 95 % t intervals "
    "over the seeds. Last column: test loss of the best λ against none, each at the best rate "
    "within each seed.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    slopes(pilots) + 0.5,
    "slope plus one half",
    beyond=claims.smallest_effect("exponent"),
    effect=0.5,
    used=n_seeds,
    tested=TESTED,
)
pilot = quarter(pilots)
claims.power(
    pilot[1] - pilot[0],
    "log ratio of test losses, the product kept to λ kept,",
    beyond=claims.smallest_effect("test loss"),
    used=n_seeds,
    tested=TESTED,
)

# %%
many = Setting(
    f"perceptron on {n_train:,} MNIST-1D signals, {passes} passes",
    "AdamW",
    f"batches of {batch_size}",
)
both = Setting(many.task, "AdamW", f"batches of {batch_size} and {4 * batch_size}")
one = Setting(
    "transformer of one block on surnames, less than one pass", "AdamW", f"{lm_steps} updates"
)
like = {"like": "analogue", "lost": "its networks and data, which are far larger"}
THEIRS = "the optimal timescale in epochs is roughly constant"
losses = "log ratio of test losses"
made = [
    Claim.effect(
        "control-many",
        "The best weight decay ends at a lower test loss than none, each at its best rate",
        values=worth(SMALL),
        direction="less",
        unit=losses,
        source="",
        about=About(many, "test loss", family="does weight decay matter"),
    ),
    Claim.effect(
        "control-one",
        "The best weight decay ends at a lower test loss than none, each at its best rate",
        values=worth(LM),
        direction="less",
        delta=claims.smallest_effect("test loss", "names_lm"),
        unit=losses,
        source="",
        about=About(
            one,
            "test loss",
            family="does weight decay matter",
            reason="the table's δ of this task",
        ),
    ),
    Claim.effect(
        "inverse",
        "The slope of the best λ against the rate, on logarithmic axes, is nearer to −1 than to 0",
        values=slopes(seeds[SMALL]) + 0.5,
        direction="less",
        unit="of slope, counted from −½",
        published=THEIRS,
        about=About(many, "exponent", **like),
    ),
    Claim.equivalence(
        "product",
        "The best λ is as one over the rate: their product stays",
        values=slopes(seeds[SMALL]) + 1,
        unit="of slope, counted from −1",
        published=THEIRS,
        about=About(many, "exponent", **like),
    ),
    Claim.effect(
        "keep-product",
        "At a quarter of the best rate, four times the best λ ends at a lower test loss than λ as "
        "it was",
        values=kept_product - kept_decay,
        diverged=lost,
        direction="less",
        unit=losses,
        published=THEIRS,
        about=About(many, "test loss", **like),
    ),
    Claim.effect(
        "batch",
        "At equal rates and passes the best λ grows with the batch, with an exponent nearer to 1 "
        "than to 0",
        values=by_batch() - 0.5,
        direction="greater",
        unit="of exponent, counted from ½",
        published=THEIRS,
        about=About(both, "exponent", **like),
    ),
    Claim.descriptive(
        "quarter",
        "What a quarter of the best rate costs in test loss with the product kept",
        values=kept_product,
        unit=losses,
        source="",
        about=About(many, "test loss"),
    ),
]
claims.conclude(made, source="wang2024weightdecay")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
slope, exponent = (stats.mean_interval(v, level) for v in (slopes(seeds[SMALL]), by_batch()))


def said(x):
    return f"{x.estimate:.2f} [{x.low:.2f}, {x.high:.2f}]".replace("-", "−")


def at_ends(case):
    """How many of the best weight decays lie at an end of their grid, in words."""
    found = best_decays(case, seeds[case])
    ends = np.isclose(found, decays[0]) | np.isclose(found, decays[-1])
    return f"{ends.sum()} of {ends.size} at an end"


none_best, half = by_rate == 0, len(by_rate) // 2
if slope.low > 0 and none_best[:half].any() and not none_best[half:].any():
    follows = f"rises with the learning rate (slope about {slope.estimate:.1f} or more, low "
    follows += "rates lie at the grid's end"
else:
    follows = f"follows the learning rate (slope {said(slope)}, {at_ends(SMALL)}"
keep = judged["keep-product"]
if judged["control-many"].verdict != claims.rules.SUPPORTED:
    advice = "weight decay shows no effect here, so that its coupling is not testable"
elif keep.verdict == claims.rules.SEEN:
    advice = "when you lower the rate of PyTorch's AdamW, raise the weight decay by the same factor"
elif (keep.high or 0) < 0:
    advice = "keep the product of rate and weight decay where it costs nothing; whether that gains "
    advice += "enough to matter is open"
elif (keep.low or 0) > 0:
    advice = "keep the weight decay when you change the rate"
else:
    advice = "these runs do not decide what to keep; try the weight decay again with the rate"
one = stats.mean_interval(worth(LM), level)
middle, low, high = (100 * np.expm1(x) for x in (one.estimate, one.low, one.high))
single = ""
if judged["control-one"].verdict != claims.rules.SUPPORTED:
    single = " In one pass the best λ above 0 "
    if low > 0:
        single += f"ended {middle:.2f} % above none [{low:.2f}, {high:.2f}]."
    elif high < 0:
        single += f"ended {-middle:.2f} % below none [{-high:.2f}, {-low:.2f}]."
    else:
        single += f"changed the loss by {phrases.percent(worth(LM), level)}."
display.answer(
    f"Perceptron, {passes} passes, AdamW: the best weight decay λ {follows}; −1: the product "
    f"counts, 0: λ does) and goes with the batch to the power {said(exponent)} ({LARGE}: "
    f"{at_ends(LARGE)}). At a quarter of the best rate, keeping the product against keeping λ "
    "changes the test loss by "
    f"{phrases.percent(kept_product - kept_decay, level)} ({100 * level:.3g} % intervals)."
    f"{single} What this means for you: {advice}.",
    claims=["inverse", "product", "keep-product", "batch", "control-one"],
)
