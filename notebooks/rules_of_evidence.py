# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: The rules of evidence
#     short_title: How often the rules are wrong
#     question: How often are the verdicts of this log wrong?
#     tags: [statistics, simulation, method]
#     smoke: {n_entries: 30, n_samples: 400, sizes: [5, 12]}
#     predictions:
#       wrong-entries: {supported: 0.9, inconclusive: 0.08, contradicted: 0.02}
#       wrong-entries-unequal: {supported: 0.85, inconclusive: 0.12, contradicted: 0.03}
#       coverage-skewed: {contradicted: 0.5, inconclusive: 0.2, supported: 0.3}
#       flag-at-five: {supported: 0.8, inconclusive: 0.15, contradicted: 0.05}
#       flag-at-twelve: {supported: 0.75, inconclusive: 0.15, contradicted: 0.1}
# ---

# %% [markdown]
# # How often are the verdicts of this log wrong?
#
# ## Question
#
# A verdict is a rule applied to a few values: an interval at a level that the tested claims of an
# entry share, held against the smallest effect of interest δ; a sign test where runs diverged; a
# flag for one value that does not belong to the others. Each of these promises an error rate. Here
# the rules themselves are put to the test, on data whose truth is known because it was drawn.
#
# 1. In how many entries is even one verdict wrong, with true effects at 0, at δ and between, and
#    with equal or unequal spreads?
# 2. How often does an interval of a mean cover, for values that are normal, heavy-tailed or skewed,
#    at the numbers of seeds that this log uses?
# 3. How often does the flag for outliers see a value that lies five standard deviations away?
#
# ## Setup
#
# No network is trained. Entries are drawn: each has several effects with true means at 0, δ/2, δ or
# 2δ, and values around them; the entry's claims are judged together by the same code that judges
# the log. A verdict is wrong if it says what is not so: *supported* where the mean is not beyond δ,
# *not by δ* or *smaller than δ* where it is not short of δ, *contradicted* where it is not below 0.

# %% tags=["parameters"]
n_entries: int = 1500  # [entries, 2..] drawn for each kind of spread
tested: int = 6  # [claims, 1..100] tested in each entry
n_seeds: int = 10  # [5..500] values of each claim
sizes: list[int] = [
    5,
    8,
    12,
    20,
]  # [values, 2.. of 3..500 rising] in a sample, for coverage and flag
n_samples: int = 20_000  # [samples, 10..] drawn for each size and kind of value
outlier: float = 5.0  # [standard deviations, 0<..] distance of the planted value
first_seed: int = 50_000  # [0..] seed of all that is drawn

# %% tags=["setup"]
import numpy as np
import pandas as pd

from lrlab import Claim, claims, display, plots, stats
from lrlab.claims import About, Setting

plots.use_style()

DELTA = 1.0
plan = []  # nothing is trained
SPREADS = {"equal": 0.0, "unequal": 0.5}  # standard deviation of the log of a claim's spread
KINDS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "heavy-tailed": lambda rng, shape: rng.standard_t(3, size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1.0,
}

# %% [markdown]
# ## Prediction
#
# Written before the first look; probabilities are listed below, with what came. At most one entry
# in twenty holds a wrong verdict, whatever the spreads, since the level is shared by simple
# division. For skewed values the interval covers less than it says at small n. The flag sees an
# outlier of five deviations in less than half of the samples of five, and in most samples of
# twelve.
#
# ## Result
#
# ### Whole entries


# %% tags=["nbval-ignore-output"]
def is_wrong(verdict, mean):
    return {
        "supported": mean <= DELTA,
        "not by δ": mean >= DELTA,
        "smaller than δ": abs(mean) >= DELTA,
        "contradicted": mean >= 0,
    }.get(verdict, False)


def drawn_entry(rng, unequal):
    means = rng.choice([0.0, DELTA / 2, DELTA, 2 * DELTA], tested)
    spreads = np.exp(unequal * rng.normal(size=tested))
    values = means[:, None] + spreads[:, None] * rng.normal(size=(tested, n_seeds))
    made = [
        Claim.effect(f"c{i}", "A", values=v, direction="greater", delta=DELTA)
        for i, v in enumerate(values)
    ]
    judged = claims.judge(made, notebook="drawn")
    return means, [claim.verdict for claim in judged]


rng = np.random.default_rng(first_seed)
drawn = {name: [drawn_entry(rng, s) for _ in range(n_entries)] for name, s in SPREADS.items()}
wrong_entries = {
    name: sum(any(map(is_wrong, verdicts, means)) for means, verdicts in entries)
    for name, entries in drawn.items()
}
rows = []
for name, entries in drawn.items():
    for mean in (0.0, DELTA / 2, DELTA, 2 * DELTA):
        found = [v for means, vs in entries for m, v in zip(means, vs, strict=True) if m == mean]
        shares = {v: found.count(v) / len(found) for v in claims.rules.VERDICTS if v in found}
        rows.append({"spreads": name, "true mean [δ]": mean / DELTA} | shares)
display.table(
    pd.DataFrame(rows).fillna(0.0),
    digits=2,
    caption=f"Share of verdicts by true mean: {n_entries} entries of {tested} claims, {n_seeds} "
    "values each.",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(5)


def said(found):
    """A share with its interval, in per cent."""
    return f"{100 * found.estimate:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"


shown = {
    name: stats.proportion_interval(wrong, n_entries, level)
    for name, wrong in wrong_entries.items()
}
display.say(
    ". ".join(
        f"With {name} spreads {said(found)} of the entries hold a wrong verdict"
        for name, found in shown.items()
    )
    + f" (n = {n_entries:,} each; {100 * level:.3g} % intervals)."
)

# %% [markdown]
# ### Intervals of a mean

# %% tags=["nbval-ignore-output"]
coverage = {}
for kind, draw in KINDS.items():
    for n in sizes:
        x = draw(rng, (n_samples, n))
        half = float(stats.mean_interval(np.arange(n), 0.95).high - np.arange(n).mean())
        scale = half / np.arange(n).std(ddof=1)  # of the half-width, in standard deviations
        coverage[kind, n] = int((abs(x.mean(1)) <= scale * x.std(1, ddof=1)).sum())
fig, ax = plots.figure(height=2.8)
for i, kind in enumerate(KINDS):
    shares = [coverage[kind, n] / n_samples for n in sizes]
    ax.plot(sizes, shares, "o-", color=plots.COLOURS[i])
    ax.annotate(
        kind,
        (sizes[-1], shares[-1]),
        xytext=(6, 0),
        textcoords="offset points",
        color=plots.COLOURS[i],
        va="center",
    )
plots.guide(ax, y=0.95)
ax.set(
    xlabel="values in a sample", ylabel="share of intervals that cover", xlim=(0, sizes[-1] * 1.25)
)
display.show(
    fig,
    alt="Share of 95 percent t intervals that cover the true mean against the number of values, "
    "one line for each kind of value; a line marks 95 percent.",
    caption=f"Coverage of the 95 % t interval of a mean, {n_samples:,} samples a point; the dotted "
    "line is what it says. Paired differences of log losses are nearer to normal than either other "
    "kind.",
    headline=True,
)

# %% [markdown]
# ### The flag for outliers

# %% tags=["nbval-ignore-output"]
flagged = {}
for n in sizes:
    x = rng.normal(size=(min(n_samples, 2000), n))
    x[:, 0] = outlier
    flagged[n] = sum(stats.outlier(sample, claims.rules.GRUBBS) == 0 for sample in x), len(x)
false_alarms = sum(
    stats.outlier(sample, claims.rules.GRUBBS) is not None
    for sample in rng.normal(size=(min(n_samples, 2000), sizes[-1]))
)
display.table(
    [
        {"values": n, "flagged": f"{k} of {total}", "share": k / total}
        for n, (k, total) in flagged.items()
    ],
    digits=2,
    caption=f"How often a value {outlier:g} standard deviations away is flagged (Grubbs, 1 %). "
    f"Without one, {false_alarms} of {min(n_samples, 2000)} samples of {sizes[-1]} are flagged.",
)

# %% [markdown]
# ## Verdict
#
# Repetitions are drawn entries and samples, which are independent of each other.

# %%
small, large = sizes[0], next((n for n in sizes if n >= 12), sizes[-1])
wrong_below, covered_above = 0.05, 0.9


def about(budget, what):
    return About(Setting("drawn values", "", budget), replication=what)


per_entry = about(f"{tested} effects of {n_seeds} values", "entries")
claims.conclude(
    [
        *(
            Claim.proportion(
                "wrong-entries" + ("" if name == "equal" else "-unequal"),
                f"With {name} spreads even one verdict of an entry is wrong",
                successes=wrong,
                n=n_entries,
                direction="less",
                threshold=wrong_below,
                unit="entries with a wrong verdict",
                about=per_entry,
            )
            for name, wrong in wrong_entries.items()
        ),
        Claim.proportion(
            "coverage-skewed",
            f"The 95 % t interval of {small} skewed values covers the true mean",
            successes=coverage["skewed", small],
            n=n_samples,
            direction="greater",
            threshold=covered_above,
            unit="intervals that cover",
            about=about(f"{small} exponential values", "samples"),
        ),
        *(
            Claim.proportion(
                f"flag-at-{word}",
                f"Of {n} values, one that lies {outlier:g} standard deviations away is flagged",
                successes=flagged[n][0],
                n=flagged[n][1],
                direction=direction,
                threshold=threshold,
                unit="samples in which it is flagged",
                about=about(f"{n} normal values", "samples"),
            )
            for word, n, direction, threshold in (
                ("five", small, "less", 0.5),
                ("twelve", large, "greater", 0.8),
            )
        ),
        *(
            Claim.descriptive(
                f"coverage-{kind}-{n}",
                f"Coverage of the 95 % t interval of {n} {kind} values",
                values=[coverage[kind, n] / n_samples],
                unit="share of intervals",
                about=about(f"{n} {kind} values", "samples"),
            )
            for kind in KINDS
            for n in sizes
        ),
    ],
)

# %% tags=["nbval-ignore-output"]
covers = stats.proportion_interval(coverage["skewed", small], n_samples, level)
seen = stats.proportion_interval(*flagged[large], level)
display.answer(
    "Of the entries that were drawn "
    + " and ".join(f"{said(found)} (with {name} spreads)" for name, found in shown.items())
    + f" held a wrong verdict, where the rules allow 5 %. An interval of {small} skewed values "
    f"that says 95 % covers the mean in {said(covers)} of samples; among {large} values the flag "
    f"sees one that lies {outlier:g} standard deviations away in {said(seen)} ({100 * level:.3g} % "
    "intervals). What this means for you: "
    + (
        "do not take an interval of few skewed values at its word, compare logarithms, paired by "
        "seed, "
        if covers.high < 0.95
        else "the interval of a mean may be taken at its word, "
    )
    + (
        f"and look at the values yourself, since with {large} or fewer no flag does not mean no "
        "outlier."
        if seen.low < 0.9
        else f"and with {large} values an outlier of that size is as good as always flagged."
    ),
    claims=["wrong-entries", "wrong-entries-unequal", "coverage-skewed", "flag-at-twelve"],
)
