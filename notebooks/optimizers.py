# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Lion and Muon beside SGD and AdamW
#     short_title: The rates of Lion and Muon
#     question: How are the learning rates of Lion and Muon to be chosen if AdamW's is known?
#     tags: [optimizers, lion, muon, adamw, momentum, linear, constant, warmup, names, mnist1d]
#     smoke: {lm_steps: 12, lm_warmup: 2, lm_seeds: 2, n_eval: 50, mlp_steps: 12, mlp_warmup: 2,
#       mlp_seeds: 2, n_train: 400, tried: [1.0, 4.0, 16.0], around: [0.5, 1.0, 2.0],
#       pilot_seeds: 2, tuning_seeds: 1, more: 0}
#     predictions:
#       control: {supported: 0.8, smaller than δ: 0.03, not by δ: 0.02, inconclusive: 0.15}
#       lion-rate: {seen here: 0.55, not seen here: 0.15, inconclusive: 0.3}
#       muon-rate: {seen here: 0.45, not seen here: 0.2, inconclusive: 0.35}
#       lion-basin: {seen here: 0.15, not seen here: 0.35, inconclusive: 0.5}
#       muon-lower: {seen here: 0.4, not seen here: 0.3, inconclusive: 0.3}
#       lion-decay: {supported: 0.5, smaller than δ: 0.1, not by δ: 0.05, contradicted: 0.05,
#         inconclusive: 0.3}
# ---

# %% [markdown]
# # How are the learning rates of Lion and Muon to be chosen if AdamW's is known?
#
# ## Question
#
# Lion moves every weight by the same amount, by the sign of its averaged gradient: it asks for a
# learning rate "typically 3-10X smaller than AdamW", and is told to be more robust to the choice of
# rate and weight decay {cite}`chen2023symbolic`. Muon moves matrices along all their directions
# alike {cite}`jordan2024muon`; with its updates scaled to the size of AdamW's it "can directly
# reuse the learning rate and weight decay tuned for AdamW" {cite}`liu2025muon`. Optimizers that
# work on matrices were the fastest in a study that tuned all alike, by less than is told: 1.4 times
# in its smallest models {cite}`wen2025fantastic`.
#
# 1. By which factor do the best rates of Lion and Muon differ from AdamW's?
# 2. How wide is the range of rates that are nearly as good as the best one?
# 3. Which of them ends lowest, by updates and by time?
# 4. How much does each gain from a decay of the rate?
#
# ## Setup
#
# *One pass*: a transformer of one block on surnames, batches of 32 windows, none of which is seen
# twice; judged by test loss. *Many passes*: the perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, batches of 100; judged by test error. No weight decay anywhere, so
# that it can't mix with the rates. SGD has a momentum of 0.9, AdamW betas of 0.9 and 0.999, Lion of
# 0.9 and 0.99, Muon a momentum of 0.95 and five Newton-Schulz steps; it trains the hidden matrices,
# and AdamW the rest at the same rate: embeddings, first and last layers, biases and gains. A linear
# decay to zero is compared with a constant rate, after the same warmup.
#
# Each arm is tuned: a grid of rates on tuning seeds, which grows where its best rate is at its
# edge, and then on every fresh seed the best rate and multiples of it: up to eightfold with a
# decay, twofold without. Within each seed the best rate is the lowest point of the validation loss
# (or error), between the points of the grid, and the run that counts is the one with the lowest of
# half, once and twice the tuned rate. First comes the control: without a decay AdamW has to end
# higher, or the schedule does not matter here.

# %% tags=["parameters"]
lm_steps: int = 120  # [updates, 8..] T of the transformer, warmup included
lm_warmup: int = 6  # [updates, 1..lm_steps] linear rise
lm_start: list[float] = [0.2, 8e-3, 2e-3, 8e-3]  # [4 of 0<..] middle of the grids of SGD, AdamW,
# Lion and Muon
lm_seeds: int = 8  # [2..500] paired seeds
n_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
mlp_steps: int = 250  # [updates, 8..] T of the perceptron, warmup included
mlp_warmup: int = 12  # [updates, 1..mlp_steps] linear rise
mlp_start: list[float] = [0.1, 4e-3, 1e-3, 4e-3]  # [4 of 0<..] as above
mlp_seeds: int = 10  # [2..500] paired seeds
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
tried: list[float] = [0.5, 1.0, 2.0]  # [3.. of 0<.. rising] the grids, times their middle
around: list[float] = [
    0.125,
    0.25,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
]  # [3.. of 0<.. rising] multiples of the tuned rate, with 0.5, 1 and 2 among them
excess: float = 0.02  # [0<..] of the test loss above its lowest, within which a rate is as good
error_excess: float = 0.2  # [0<..] the same for the test error
pilot_seeds: int = 8  # [2..500] seeds of the pilots, used for nothing else
tuning_seeds: int = 2  # [1..1000] seeds of the grids
more: int = 3  # [0..] rates that are added to a grid at most
first_seed: int = 50_000  # [0..] first seed of the block
costs: str = "benchmarks/results/optimizer_costs.json"  # [any] raw results, in the repository

# %% tags=["setup"]
import dataclasses
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import passes, rate_grid
from lrlab.experiments.lion_and_muon import Lion, Muon
from lrlab.experiments.passes import MANY, ONE
from lrlab.labbook import measured, phrases, tuned
from lrlab.optimizers import SGD, AdamW
from lrlab.schedules import Constant, LinearDecayToZero, Warmup

plots.use_style()

if not set(tuned.AROUND) <= set(around):
    raise ValueError(f"around must hold {tuned.AROUND}, got around={around}")
NAMES = ("SGD", "AdamW", "Lion", "Muon")
LINEAR, FLAT, QUICK = "linear decay", "constant", "linear decay, AdamW's time"
TESTED = 6
raw = measured.read(costs)
seconds = {cell["task"]: cell["seconds"] for cell in raw["cells"]}
timed = {
    name: {
        o: stats.geometric_interval(np.divide(seconds[task][o], seconds[task]["AdamW"]))
        for o in NAMES
    }
    for name, task in ((ONE, "transformer"), (MANY, "perceptron"))
}
OUTER = {"loss": (2, 1), "error": (1, 1)}  # two embeddings and a head; first and last layer


@dataclasses.dataclass(frozen=True)
class Case(passes.Case):
    """What is trained, and with which optimizers."""

    def optimizers(self):
        chosen = (SGD(momentum=0.9), AdamW(), Lion(), Muon(outer=OUTER[self.metric]))
        return dict(zip(NAMES, chosen, strict=True))

    def job(self, optimizer, schedule, rate, seed, steps):
        left = steps - self.warmup
        after = Constant(rate) if schedule == FLAT else LinearDecayToZero(rate, steps=left)
        return Job(
            self.task,
            Recipe(
                schedule=Warmup(after, warmup_steps=self.warmup),
                steps=steps,
                batch_size=self.batch_size,
                optimizer=self.optimizers()[optimizer],
                seed=seed,
            ),
        )


cases = passes.both(
    Case,
    n_eval,
    n_train,
    lm=(lm_steps, lm_warmup, lm_start, lm_seeds),
    mlp=(mlp_steps, mlp_warmup, mlp_start, mlp_seeds),
)
seeds = {name: range(first_seed, first_seed + case.n_seeds) for name, case in cases.items()}
tuning = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
piloted = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
quick = {name: round(case.steps / timed[name]["Muon"].estimate) for name, case in cases.items()}
for name, case in cases.items():
    if not case.warmup < quick[name]:
        raise ValueError(f"{name}: the warmup must end before {quick[name]} updates")
arms = [(name, o, schedule) for name in cases for o in NAMES for schedule in (LINEAR, FLAT)]
arms += [(name, "Muon", QUICK) for name in cases]


def job(arm, rate, seed):
    name, optimizer, schedule = arm
    steps = quick[name] if schedule == QUICK else cases[name].steps
    return cases[name].job(optimizer, schedule, rate, seed, steps)


def measured_widely(name, optimizer):
    """Whether the whole basin is trained; SGD's in one pass, far behind, is not."""
    return (name, optimizer) != (ONE, "SGD")


def multiples(arm):
    """Multiples of the tuned rate that are trained on fresh seeds."""
    return tuple(around) if arm[2] == LINEAR and measured_widely(*arm[:2]) else tuned.AROUND


plan = {
    (arm, k * begin, s): job(arm, k * begin, s)
    for arm in arms
    for begin in [cases[arm[0]].rates[NAMES.index(arm[1])]]
    for k in tried
    for s in tuning
}
compared = {
    arm: [(k, s) for k in multiples(arm) for s in seeds[arm[0]]]
    + [
        (k, s)
        for k in tuned.AROUND
        for s in piloted
        if arm[2] == LINEAR and arm[1] in ("AdamW", "Muon")
    ]
    for arm in arms
}
later = {
    "rates beyond the edge of a grid": (0, more * len(arms) * tuning_seeds),
    "the comparison around the tuned rates": sum(map(len, compared.values())),
}

# %% [markdown]
# ## Prediction
#
# Written before any run longer than the smoke size, except one of each optimizer, of 60 and 150
# updates, by which they were timed; probabilities are listed below, with what came. Lion's best
# rate lies about a fifth of AdamW's, inside the range that is told. Muon's lies near AdamW's, maybe
# a little higher. Basins differ by less than can be told with so few seeds. Muon ends a little
# below AdamW in one pass, by less than one per cent, and not at all by time: matrices are so small
# here that its steps cost half as much again. Lion, whose updates never shrink by themselves, gains
# more from a decay than AdamW.
#
# ## Result
#
# ### Rates


# %% tags=["nbval-ignore-output"]
first = train_many(plan)
grids = {
    name: rate_grid.extended(
        first.of([arm for arm in arms if arm[0] == name]), job, cases[name].of("validation"), more
    )
    for name in cases
}
centre = {
    arm: tuned.best_rate(*rate_grid.curve(grids[arm[0]], arm, cases[arm[0]].of("validation")))
    for arm in arms
}
runs = train_many(
    {(arm, k, s): job(arm, k * centre[arm], s) for arm in arms for k, s in compared[arm]}
)
display.say(
    f"{sum(map(len, grids.values()))} runs to find the rates ({tuning_seeds} tuning seeds), "
    f"{len(runs)} around them, on {lm_seeds} seeds in one pass and {mlp_seeds} in many, and on "
    f"{pilot_seeds} pilot seeds."
)


# %% tags=["nbval-ignore-output"]
def on_seeds(arm, part):
    """Rates (k,) and a metric (k, seeds) around the tuned rate of an arm."""
    ks = multiples(arm)
    values = runs.of(arm, list(ks), seeds[arm[0]]).array(cases[arm[0]].of(part))
    return centre[arm] * np.array(ks), values


def best_rates(arm):
    """The best rate of each seed, by the validation part."""
    rates, values = on_seeds(arm, "validation")
    return np.array([tuned.best_rate(rates, each) for each in values.T])


def widths(arm):
    """Of each seed the ratio of the rates between which the test metric is nearly its lowest."""
    rates, values = on_seeds(arm, "test")
    room = excess if cases[arm[0]].metric == "loss" else error_excess
    return np.array([tuned.basin(rates, each, room) for each in values.T])


def kept(name, group):
    """The runs at the best of half, once and twice the tuned rate within each seed."""
    of_case = [arm for arm in arms if arm[0] == name]
    some = {
        key: run
        for key, run in runs.items()
        if key[0] in of_case and key[1] in tuned.AROUND and key[2] in group
    }
    return tuned.within_seeds(type(runs)(some), cases[name].of("validation"))


best = {name: kept(name, group) for name, group in seeds.items()}


def against(name, a, b, group=None):
    """Paired log ratios of a to b by seed, and how many pairs hold a diverged run."""
    pair = [(group or best[name]).of((name, *arm)) for arm in (a, b)]
    lost = [x.diverged or y.diverged for x, y in zip(*(m.values() for m in pair), strict=True)]
    values = [members.array(cases[name].of("test")) for members in pair]
    return {"values": stats.log_differences(*values), "diverged": sum(lost)}


def gained(name, optimizer):
    """Log ratios of what a constant rate ends at to what a decay does."""
    return against(name, (optimizer, FLAT), (optimizer, LINEAR))


def rates_against(name, a, b):
    return np.log(best_rates((name, a, LINEAR)) / best_rates((name, b, LINEAR)))


def taken_over(name, optimizer):
    """Log ratio of the test metric at AdamW's best rate of the seed to that at its own."""
    rates, values = on_seeds((name, optimizer, LINEAR), "test")
    x, pair = np.log(rates), [best_rates((name, o, LINEAR)) for o in ("AdamW", optimizer)]
    there, own = (
        np.array([np.interp(np.log(r), x, np.log(v)) for r, v in zip(at, values.T, strict=True)])
        for at in pair
    )
    return there - own


fig, axes = plots.figure(1, 2, height=3.6)
for ax, (name, case) in zip(axes, cases.items(), strict=True):
    unit = np.exp(np.log(best_rates((name, "AdamW", LINEAR))).mean())
    for style, o in plots.styled(NAMES):
        rates, values = on_seeds((name, o, LINEAR), "test")
        ax.plot(
            rates / unit,
            np.exp(np.log(values).mean(axis=1)),
            marker="o",
            markersize=3,
            label=o,
            **style,
        )
    ax.set(xscale="log", yscale="log", xlabel="peak rate / AdamW's best", title=name)
    ax.set_ylabel(f"test {case.metric}" + (" (nats)" if case.metric == "loss" else ""))
    if case.metric == "error":
        low, high = ax.get_ylim()
        plots.ticks(ax.yaxis, [k for k in (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1) if low <= k <= high])
axes[0].legend()
display.show(
    fig,
    alt="Test loss of the transformer and test error of the perceptron against the peak learning "
    "rate in units of AdamW's best, one basin for each of SGD, AdamW, Lion and Muon.",
    caption=f"Linear decay, geometric means over {lm_seeds} seeds (one pass, {lm_steps} updates) "
    f"and {mlp_seeds} seeds (many passes, {mlp_steps} updates); a run that diverged counts as "
    f"guessing; {runs.note()}.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
middle, reach = math.log(math.sqrt(30)), math.log(10 / 3) / 2
loss_effects = {
    "control": gained(ONE, "AdamW"),
    "muon-lower": against(ONE, ("Muon", LINEAR), ("AdamW", LINEAR)),
    "lion-decay": {
        "values": gained(ONE, "Lion")["values"] - gained(ONE, "AdamW")["values"],
        "diverged": max(gained(ONE, o)["diverged"] for o in ("Lion", "AdamW")),
    },
}
rate_effects = {
    "lion-rate": rates_against(ONE, "AdamW", "Lion"),
    "muon-rate": rates_against(ONE, "Muon", "AdamW"),
    "lion-basin": np.log(widths((ONE, "Lion", LINEAR)) / widths((ONE, "AdamW", LINEAR))),
}
words = {
    "control": "AdamW:\nconstant / decay",
    "muon-lower": "Muon / AdamW",
    "lion-decay": "constant / decay,\nLion / AdamW",
    "lion-rate": "best rates,\nAdamW / Lion",
    "muon-rate": "best rates,\nMuon / AdamW",
    "lion-basin": "widths,\nLion / AdamW",
}
level, near = claims.level(TESTED), claims.level(TESTED, "equivalence")
margin = claims.smallest_effect("test loss", "names_lm")
fig, axes = plots.figure(1, 2, height=3.2)
losses = {words[slug]: effect["values"] for slug, effect in loss_effects.items()}
plots.intervals(
    axes[0],
    {label: phrases.in_percent(values, level) for label, values in losses.items()},
    points={label: 100 * np.expm1(values) for label, values in losses.items()},
)
plots.shade(axes[0], 100 * np.expm1(-margin), 100 * np.expm1(margin))
axes[0].set(xlabel="change of the test loss (%)")
ratios = {words[slug]: values for slug, values in rate_effects.items()}
shown = {
    words[slug]: stats.mean_interval(values, level if slug == "lion-basin" else near)
    for slug, values in rate_effects.items()
}
plots.intervals(axes[1], shown, points=ratios)
room = claims.smallest_effect("learning rate")
for slug, low, high in (
    ("lion-rate", middle - reach, middle + reach),
    ("muon-rate", -math.log(2), math.log(2)),
    ("lion-basin", -room, room),
):
    row = len(shown) - 1 - list(rate_effects).index(slug)
    axes[1].fill_between([low, high], row - 0.4, row + 0.4, color="#cccccc", alpha=0.5, zorder=0)
axes[1].set_xticks([math.log(k) for k in (0.25, 0.5, 1, 2, 4, 8)], ["¼", "½", "1", "2", "4", "8"])
axes[1].set(xlabel="ratio", xlim=(math.log(0.1), math.log(20)))
display.show(
    fig,
    alt="Left: paired changes of the test loss, AdamW constant to decay, Muon to AdamW, and how "
    "much more Lion gains from a decay. Right: ratios of best rates and of the widths of basins.",
    caption=f"Transformer, one pass: geometric means over {lm_seeds} seeds, with the intervals "
    f"that decide ({100 * near:.3g} % for the two ratios of best rates, {100 * level:.3g} % for "
    "the rest); ticks are the seeds. Shaded: left, changes too small to matter; right, what the "
    "sources say of the rates (3 to 10 times smaller; the same, within a factor of two) and too "
    "small a difference of widths; the axis ends at 0.1 and 20.",
)


# %% tags=["nbval-ignore-output"]
def off_by_two(arm):
    """Mean log ratio of what half and twice the tuned rate cost, seed by seed."""
    half, once, twice = runs.of(arm, list(tuned.AROUND), seeds[arm[0]]).array(
        cases[arm[0]].of("test")
    )
    return (np.log(half / once) + np.log(twice / once)) / 2


def cut(arm):
    """Number of seeds whose basin reaches an end of the grid."""
    return int(np.sum(widths(arm) >= 0.999 * around[-1] / around[0]))


sure = {ONE: near, MANY: 0.95}  # the level of a ratio of rates: the one that decides, if one does
display.table(
    [
        {
            "task": name,
            "optimizer": o,
            "best rate": stats.geometric_interval(best_rates((name, o, LINEAR))),
            "constant": stats.geometric_interval(best_rates((name, o, FLAT))),
            "to AdamW's": ""
            if o == "AdamW"
            else stats.geometric_interval(np.exp(rates_against(name, o, "AdamW")), sure[name]),
            "width": ""
            if not measured_widely(name, o)
            else stats.geometric_interval(widths((name, o, LINEAR))),
            "a factor of two off [%]": phrases.in_percent(off_by_two((name, o, LINEAR)), 0.95),
            "judged by": f"test {case.metric}",
            "at the end": stats.mean_interval(
                best[name].of((name, o, LINEAR)).array(cases[name].of("test"))
            ),
            "gained by decay [%]": phrases.in_percent(gained(name, o)["values"], 0.95),
            "time of an update": "1" if o == "AdamW" else timed[name][o],
        }
        for name, case in cases.items()
        for o in NAMES
    ],
    caption="Best rates with a decay and without one, ratio of the former to AdamW's, width of the "
    f"range of rates within {100 * excess:g} % of the lowest test loss or {100 * error_excess:g} % "
    "of the lowest test error, what a rate a factor of two off costs, where each ends, by how much "
    "a constant rate ends above a decay, the time of an update relative to AdamW's (from "
    "benchmarks/optimizer_costs.py): means with 95 % t intervals over the seeds (times: turns; "
    f"ratios to AdamW's rate in one pass: {100 * near:.3g} %, as they are judged). "
    "Widths that reach an end of the grid are lower bounds: "
    + ", ".join(
        f"{cut((name, o, LINEAR))} of {cases[name].n_seeds} ({o}, {name})"
        for name in cases
        for o in NAMES
        if measured_widely(name, o)
    )
    + ".",
)
by_time = {name: against(name, ("Muon", QUICK), ("AdamW", LINEAR)) for name in cases}
display.say(
    "Given AdamW's time, Muon does "
    + " and ".join(
        f"{quick[name]} of {case.steps} updates ({name})" for name, case in cases.items()
    )
    + "; against AdamW's that changes "
    + " and ".join(
        f"the test {case.metric} by {phrases.percent(by_time[name]['values'], 0.95)}"
        for name, case in cases.items()
    )
    + " (95 % intervals)."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study in one pass, and in many:

# %% tags=["nbval-ignore-output"]
for name, room in ((ONE, margin), (MANY, claims.smallest_effect("test error"))):
    claims.power(
        against(name, ("Muon", LINEAR), ("AdamW", LINEAR), kept(name, piloted))["values"],
        f"log ratio of test {cases[name].metric}, Muon to AdamW, {name},",
        beyond=room,
        used=cases[name].n_seeds,
        tested=TESTED,
    )

# %%
LOST = "its models: networks and trainings thousands of times larger"
DECAY = f"{LOST}; it speaks of rate and weight decay, the latter is zero here"
TABLE = "the table's δ of this task"


def about(name, optimizer, what="", **more):
    task = (
        "transformer of one block on surnames, one pass"
        if name == ONE
        else f"perceptron on {n_train:,} MNIST-1D signals, {mlp_steps * 100 / n_train:.0f} passes"
    )
    setting = Setting(task, optimizer, f"{cases[name].steps} updates")
    return About(setting, what or f"test {cases[name].metric}", **more)


def cited(name, optimizer, what="", lost=DECAY, **more):
    return about(name, optimizer, what, like="analogue", lost=lost, **more)


unit = {ONE: "log ratio of test losses", MANY: "log ratio of test errors"}
made = [
    Claim.effect(
        "control",
        "A constant rate ends above a linear decay, each at its own rate",
        **loss_effects["control"],
        direction="greater",
        delta=margin,
        unit=unit[ONE],
        about=about(ONE, "AdamW", reason=TABLE),
    ),
    Claim.equivalence(
        "lion-rate",
        "AdamW's best rate is above Lion's by as much as is told",
        values=rate_effects["lion-rate"] - middle,
        margin=reach,
        unit=f"log ratio of rates, less {middle:.4f}",
        source="chen2023symbolic",
        published="typically 3 to 10 times smaller",
        about=cited(ONE, "Lion, AdamW", "learning rate", reason="the range of the source"),
    ),
    Claim.equivalence(
        "muon-rate",
        "Muon, its updates scaled to the size of AdamW's, has AdamW's best rate",
        values=rate_effects["muon-rate"],
        margin=math.log(2),
        unit="log ratio of rates",
        source="liu2025muon",
        published="AdamW's rate can be reused",
        about=cited(
            ONE,
            "Muon, AdamW",
            "learning rate",
            reason="a factor of two, at which people space the rates that they try",
        ),
    ),
    Claim.effect(
        "lion-basin",
        f"The range of rates within {100 * excess:g} % of the lowest loss is wider with Lion than "
        "with AdamW",
        values=rate_effects["lion-basin"],
        direction="greater",
        unit="log ratio of widths",
        source="chen2023symbolic",
        published="more robust to the choice of rate and weight decay",
        about=cited(ONE, "Lion, AdamW", "learning rate"),
    ),
    Claim.effect(
        "muon-lower",
        "Muon ends below AdamW, each at its own rate",
        **loss_effects["muon-lower"],
        direction="less",
        delta=margin,
        unit=unit[ONE],
        source="wen2025fantastic",
        published="1.4 times faster in models of 0.1 billion weights",
        about=cited(ONE, "Muon, AdamW", lost=f"{LOST}; it counts updates saved", reason=TABLE),
    ),
    Claim.effect(
        "lion-decay",
        "Lion gains more from a linear decay than AdamW",
        **loss_effects["lion-decay"],
        direction="greater",
        delta=margin,
        unit="log ratio of what a decay gains Lion and AdamW",
        about=about(ONE, "Lion, AdamW", reason=TABLE),
    ),
    *(
        Claim.descriptive(
            f"rate-{o.lower()}-{'one' if name == ONE else 'many'}",
            f"Best rate of {o} against AdamW's",
            values=np.exp(rates_against(name, o, "AdamW")),
            scale="log",
            unit="ratio of rates",
            about=about(name, o, "learning rate", family="best rates"),
        )
        for name in cases
        for o in NAMES
        if o != "AdamW" and (name, o) not in ((ONE, "Lion"), (ONE, "Muon"))  # judged above
    ),
    *(
        Claim.descriptive(
            f"width-{o.lower()}-{'one' if name == ONE else 'many'}",
            f"Range of rates nearly as good as the best, {o}",
            values=widths((name, o, LINEAR)),
            scale="log",
            unit="ratio of rates",
            about=about(name, o, "learning rate", family="widths"),
        )
        for name in cases
        for o in NAMES
        if measured_widely(name, o)
    ),
    *(
        Claim.descriptive(
            f"decay-{o.lower()}-{'one' if name == ONE else 'many'}",
            f"A constant rate against a linear decay, {o}",
            values=gained(name, o)["values"],
            unit=unit[name],
            about=about(name, o, family="what a decay gains"),
        )
        for name in cases
        for o in NAMES
        if (name, o) != (ONE, "AdamW")
    ),
    *(
        Claim.descriptive(
            f"end-{o.lower()}-{'one' if name == ONE else 'many'}",
            f"{o} against AdamW, each at its own rate",
            values=against(name, (o, LINEAR), ("AdamW", LINEAR))["values"],
            unit=unit[name],
            about=about(name, o, family="against AdamW"),
        )
        for name in cases
        for o in NAMES
        if o != "AdamW" and (name, o) != (ONE, "Muon")
    ),
    *(
        Claim.descriptive(
            f"{slug}-{'one' if name == ONE else 'many'}",
            text,
            values=values[name],
            unit=unit[name],
            about=about(name, "Muon"),
        )
        for slug, text, values in (
            (
                "time",
                "Muon against AdamW in the same time",
                {name: by_time[name]["values"] for name in cases},
            ),
            (
                "taken-over",
                "Muon at AdamW's best rate against its own",
                {name: taken_over(name, "Muon") for name in cases},
            ),
        )
        for name in cases
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged, SEEN = phrases.judged(made), claims.rules.SEEN
testable = judged["control"].verdict == claims.rules.SUPPORTED
gains = {
    o: phrases.percent(gained(ONE, o)["values"], level if o == "AdamW" else 0.95) for o in NAMES
}
display.say(
    "In one pass a constant rate changes the test loss, against a decay, by "
    + ", ".join(f"{gain} ({o})" for o, gain in gains.items())
    + f" ({100 * level:.3g} % interval for AdamW, which is the control, 95 % for the others). The "
    "range of good rates is with Lion "
    f"{phrases.factor(rate_effects['lion-basin'], level)} times as wide as with AdamW "
    f"({100 * level:.3g} % interval). "
    + ("" if testable else "The control did not come out: what a decay gains is not testable here.")
)


def rates_said(name):
    """AdamW's best rate over Lion's, and Muon's over AdamW's, in words."""
    pairs = (("AdamW", "Lion"), ("Muon", "AdamW"))
    return [phrases.factor(rates_against(name, *pair), sure[name]) for pair in pairs]


(lion, muon), (lion_many, muon_many) = rates_said(ONE), rates_said(MANY)
error = against(MANY, ("Muon", LINEAR), ("AdamW", LINEAR))["values"]
in_time = {name: phrases.percent(each["values"], 0.95) for name, each in by_time.items()}
quicker = [stats.mean_interval(each["values"]).high < 0 for each in by_time.values()]
came = {slug: judged[slug].verdict for slug in ("lion-rate", "muon-rate", "muon-lower")}
holds = [o for o, slug in (("Lion", "lion-rate"), ("Muon", "muon-rate")) if came[slug] == SEEN]
if holds:
    advice = f"begin the search for {' and '.join(holds)} at the rate that is told from AdamW's"
elif came["lion-rate"] == came["muon-rate"] == claims.rules.NOT_SEEN:
    advice = "no factor carries over, tune anew"
else:
    advice = "no factor is sure, tune anew"
if came["muon-lower"] == SEEN:
    advice += "; try Muon" + ("" if all(quicker) else " where updates count, not time")
display.answer(
    f"Best rates on the transformer ({100 * near:.3g} % intervals): AdamW's {lion} times Lion's, "
    f"Muon's {muon} times AdamW's; on the perceptron (95 %) {lion_many} and {muon_many} times. "
    "Muon against AdamW: transformer's loss "
    f"{phrases.percent(loss_effects['muon-lower']['values'], level)} ({100 * level:.3g} %), in "
    f"equal time {in_time[ONE]} (95 % from here); perceptron's error "
    f"{phrases.percent(error, 0.95)}, in equal time {in_time[MANY]}. "
    + ("" if testable else "What a decay gains is not testable here. ")
    + f"What this means for you: {advice}.",
    claims=[
        *("lion-rate", "muon-rate", "muon-lower", "lion-basin", "control"),
        *("rate-lion-many", "rate-muon-many", "time-one", "time-many"),
    ],
)
