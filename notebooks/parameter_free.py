# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Optimizers that find their own learning rate
#     short_title: Optimizers that find their rate
#     question: Do optimizers that find their own rate save the tuning?
#     tags: [optimizers, parameter-free, tuning, range-test, cosine, adamw, names, mnist1d]
#     smoke: {lm_steps: 16, lm_rates: [2.0e-3, 8.0e-3, 3.2e-2], lm_seeds: 2, n_eval: 50,
#       mlp_steps: 16, mlp_rates: [2.0e-3, 8.0e-3, 3.2e-2], sgd_rates: [0.1, 0.4, 1.6],
#       mlp_seeds: 2, n_train: 400, searched: [2.0e-3, 3.2e-2], ramp_steps: 10, pilots: 4,
#       pilot_seeds: 2, tuning_seeds: 1, more: 0}
#     predictions:
#       control: {supported: 0.95, smaller than δ: 0.01, inconclusive: 0.04}
#       prodigy-one: {seen here: 0.15, not seen here: 0.5, inconclusive: 0.35}
#       prodigy-many: {seen here: 0.2, not seen here: 0.4, inconclusive: 0.4}
#       dadapt: {seen here: 0.07, not seen here: 0.78, inconclusive: 0.15}
#       dog: {seen here: 0.05, not seen here: 0.85, inconclusive: 0.1}
#       budget: {supported: 0.55, smaller than δ: 0.05, not by δ: 0.05, contradicted: 0.15,
#         inconclusive: 0.2}
# ---

# %% [markdown]
# # Do optimizers that find their own learning rate save the tuning?
#
# ## Question
#
# Some optimizers estimate their learning rate while they train. Prodigy is said to "reach test
# accuracy values close to that of hand-tuned Adam" {cite}`mishchenko2024prodigy`, D-Adaptation
# "automatically matches hand-tuned learning rates" {cite}`defazio2023dadaptation`, and DoG's
# performance "is close to that of SGD with tuned learning rate" {cite}`ivgi2023dog`. On a benchmark
# of eight trainings their default settings "performed poorly" {cite}`kasimbeg2025far`.
#
# 1. Do they end as low as the optimizer that they replace does at its tuned rate?
# 2. And as low as one whose rate is a guess: 1e-3, or what the range test of this package suggests?
# 3. With the cost of tuning counted: does one training with Prodigy end below a search for the rate
#    and a training that share the same number of updates?
#
# ## Setup
#
# *One pass*: a transformer of one block on surnames, batches of 32 windows, none of which is seen
# twice, weight decay 0.1; judged by test loss. *Many passes*: the perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, batches of 100, no weight decay; judged by test error. Betas are 0.9
# and 0.999, SGD's momentum 0.9, DoG's neither.
#
# All optimizers have a cosine to zero and no warmup, as the authors of Prodigy recommend; its peak
# is 1 for Prodigy and D-Adaptation, which multiply it by their estimate. DoG has no schedule, and
# is evaluated at the average of its weights, as its authors ask. The range test (one ramp and a few
# short pilots) suggests a constant rate for a training of this length; it is made on each seed anew
# and its rate is taken as the peak of the cosine.
#
# Tuned is: a grid of rates on tuning seeds, which grows where its best rate is at its edge, and
# then the best rate, half of it and twice of it on every fresh seed, of which the one with the
# lowest validation loss (or error) counts. So the luck of tuning is in the intervals. The search
# that is counted tries a few rates, each in a short training with a cosine of its own, for half of
# the updates, and trains at the best one for the other half. First comes the control: at 1e-3
# AdamW has to end above its tuned self, or the rate does not matter here.

# %% tags=["parameters"]
lm_steps: int = 300  # [updates, 16..] T of the transformer
lm_rates: list[float] = [
    2e-3,
    4e-3,
    8e-3,
    1.6e-2,
    3.2e-2,
]  # [3.. of 0<.. rising] grid of AdamW, equal ratios
lm_seeds: int = 10  # [2..500] paired seeds
n_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
mlp_steps: int = 400  # [updates, 16..] T of the perceptron
mlp_rates: list[float] = [
    1e-3,
    2e-3,
    4e-3,
    8e-3,
    1.6e-2,
    3.2e-2,
]  # [3.. of 0<.. rising] grid of AdamW, equal ratios
sgd_rates: list[float] = [
    0.05,
    0.1,
    0.2,
    0.4,
    0.8,
]  # [3.. of 0<.. rising] grid of SGD with momentum
mlp_seeds: int = 16  # [2..500] paired seeds
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
fixed: float = 1e-3  # [0<..] the rate of someone who does not look
searched: list[float] = [5e-4, 2e-3, 8e-3, 3.2e-2]  # [2..8 of 0<.. rising] rates of the search
ramp_steps: int = 50  # [updates, 10..] of the range test's ramp and of each pilot
pilots: int = 5  # [4..] pilots of the range test
pilot_seeds: int = 8  # [2..500] seeds of the pilot study, used for nothing else
tuning_seeds: int = 2  # [1..1000] seeds of the grids
more: int = 3  # [0..] rates that are added to a grid at most
first_seed: int = 50_000  # [0..] first seed of the block
costs: str = "benchmarks/results/optimizer_costs.json"  # [any] raw results, in the repository

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import passes, rate_grid
from lrlab.experiments.parameter_free import DAdaptAdam, DoG, EstimatedRate, Prodigy
from lrlab.experiments.passes import MANY, ONE
from lrlab.labbook import measured, phrases, tuned
from lrlab.optimizers import SGD, AdamW
from lrlab.range_test import range_test
from lrlab.schedules import Constant, Cosine

plots.use_style()

TUNED, FIXED, RANGE = "tuned AdamW", f"AdamW at {fixed:g}", "AdamW at the range test's rate"
PRODIGY, DADAPT, DOG = "Prodigy", "D-Adaptation", "DoG"
SGD_TUNED, QUICK = "tuned SGD", "Prodigy in AdamW's time"
FOUND = "AdamW after a search in the same updates"
SEARCH = "the search in the same updates"
ESTIMATING = (PRODIGY, DADAPT, DOG, QUICK)
TESTED = 6
margins = {
    ONE: claims.smallest_effect("test loss", "names_lm"),
    MANY: claims.smallest_effect("test error"),
}
raw = measured.read(costs)
seconds = {cell["task"]: cell["seconds"] for cell in raw["cells"]}
timed = {
    name: {
        o: stats.geometric_interval(np.divide(values, seconds[task]["AdamW"]))
        for o, values in seconds[task].items()
    }
    for name, task in ((ONE, "transformer"), (MANY, "perceptron"))
}


@dataclasses.dataclass(frozen=True)
class Case(passes.Case):
    """What is trained, and with which optimizers."""

    def recipe(self, arm, rate, seed, steps):
        decay = self.optimizer.weight_decay
        optimizer = {
            PRODIGY: Prodigy(decay),
            QUICK: Prodigy(decay),
            DADAPT: DAdaptAdam(decay),
            DOG: DoG(),
            SGD_TUNED: SGD(momentum=0.9),
        }.get(arm, AdamW(decay))
        schedule = Constant(1.0) if arm == DOG else Cosine(rate, steps=steps)
        return Recipe(
            schedule=schedule,
            steps=steps,
            batch_size=self.batch_size,
            optimizer=optimizer,
            seed=seed,
        )


cases = passes.both(
    Case,
    n_eval,
    n_train,
    lm=(lm_steps, 0, lm_rates, lm_seeds),
    mlp=(mlp_steps, 0, mlp_rates, mlp_seeds),
)
if min(lm_steps, mlp_steps) < 4 * len(searched):
    raise ValueError(
        f"a search over {len(searched)} rates needs {4 * len(searched)} updates or more"
    )
seeds = {name: range(first_seed, first_seed + case.n_seeds) for name, case in cases.items()}
tuning = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
piloted = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
length = {
    (name, arm): {
        QUICK: round(case.steps / timed[name][PRODIGY].estimate),
        FOUND: case.steps // 2,
        SEARCH: case.steps // (2 * len(searched)),
    }.get(arm, case.steps)
    for name, case in cases.items()
    for arm in (TUNED, FIXED, RANGE, PRODIGY, QUICK, DADAPT, DOG, FOUND, SGD_TUNED, SEARCH)
}
grids = {(ONE, TUNED): lm_rates, (MANY, TUNED): mlp_rates, (MANY, SGD_TUNED): sgd_rates}
once = [(name, arm) for name in cases for arm in (FIXED, PRODIGY, QUICK, DADAPT, DOG)]
PEAKS = {FIXED: fixed} | dict.fromkeys(ESTIMATING, 1.0)


def job(arm, rate, seed):
    name, of = arm
    probes = (EstimatedRate(max(1, length[arm] // 100)),) if of in ESTIMATING else ()
    return Job(cases[name].task, cases[name].recipe(of, rate, seed, length[arm]), probes)


plan = {(arm, rate, s): job(arm, rate, s) for arm in grids for rate in grids[arm] for s in tuning}
plan |= {(arm, 1.0, s): job(arm, PEAKS[arm[1]], s) for arm in once for s in seeds[arm[0]]}
plan |= {((n, PRODIGY), 1.0, s): job((n, PRODIGY), 1.0, s) for n in cases for s in piloted}
plan |= {
    ((name, SEARCH), rate, s): job((name, SEARCH), rate, s)
    for name in cases
    for rate in searched
    for s in seeds[name]
}
every = sum(map(len, seeds.values()))
later = {
    "rates beyond the edge of a grid": (0, more * len(grids) * tuning_seeds),
    "the tuned rates": len(tuned.AROUND) * (every + mlp_seeds + 2 * pilot_seeds),
    "ramps and pilots of the range tests": (every, every * (1 + pilots)),
    "AdamW at the range tests' rates, and where the searches end": 2 * every,
}

# %% [markdown]
# ## Prediction
#
# Written before any run longer than the smoke size, except one of each optimizer, of 60 and 150
# updates, by which they were timed; probabilities are listed below, with what came. The rate
# matters: at 1e-3 AdamW is far from done. Prodigy needs some tens of updates until its estimate has
# grown, a part of these short trainings, and ends about one per cent above the tuned rate in one
# pass; by errors it is too noisy to tell. D-Adaptation takes longer to find its rate, or takes one
# that is too large, and ends further above. DoG is far behind tuned SGD, whose momentum it lacks.
# Half of the updates is a high price for a search, so that Prodigy more likely than not ends below
# it.
#
# ## Result
#
# ### Rates

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %% tags=["nbval-ignore-output"]
curves, note = {}, {}
for arm in grids:
    judge = cases[arm[0]].of("validation")
    tried = {(a, r, s): run for (a, r, s), run in runs.items() if a == arm and s in tuning}
    tried = rate_grid.extended(type(runs)(tried), job, judge, most=more)
    curves[arm], note[arm] = rate_grid.curve(tried, arm, judge), tried.note()
centre = {arm: tuned.best_rate(*found) for arm, found in curves.items()}
groups = {arm: [*seeds[arm[0]], *(piloted if arm[1] == TUNED else ())] for arm in grids}
around = train_many(
    {
        (arm, k, s): job(arm, k * centre[arm], s)
        for arm in grids
        for k in tuned.AROUND
        for s in groups[arm]
    }
)


# %% tags=["nbval-ignore-output"]
def suggestion(name, seed):
    """What the range test suggests on this seed; None where it finds no signal."""
    case = cases[name]
    recipe = case.recipe(TUNED, fixed, seed, case.steps)
    result = range_test(
        case.task, recipe, lr_min=1e-5, lr_max=1.0, steps=ramp_steps, seeds=[seed], pilots=pilots
    )
    return result.suggest().lr


suggested = {(name, s): suggestion(name, s) for name in cases for s in seeds[name]}
silent = sum(rate is None for rate in suggested.values())
suggested = {key: rate or fixed for key, rate in suggested.items()}
found = {
    (name, s): min(
        searched,
        key=lambda rate: runs.of((name, SEARCH), rate).final(cases[name].of("validation"))[s],
    )
    for name in cases
    for s in seeds[name]
}
last = train_many(
    {
        ((name, arm), 1.0, s): job((name, arm), rate, s)
        for arm, rates in ((RANGE, suggested), (FOUND, found))
        for (name, s), rate in rates.items()
    }
)
display.say(
    f"{len(runs) + len(around) + len(last)} runs, and {len(suggested)} range tests of "
    f"{ramp_steps * (1 + pilots)} updates, of which {silent or 'none'} found no rate and fell back "
    f"on {fixed:g}. Grids, on {tuning_seeds} tuning seeds: "
    + "; ".join(
        f"{name}, {of}: best {centre[name, of]:.3g} ({note[name, of]})" for name, of in grids
    )
    + "."
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def kept(name, group):
    """One run for each arm and seed: of the tuned ones that with the best validation metric."""
    of_case = {
        key: run
        for part in (runs, around, last)
        for key, run in part.items()
        if key[0][0] == name and key[0][1] != SEARCH and key[2] in group
    }
    return tuned.within_seeds(type(runs)(of_case), cases[name].of("validation"))


best = {name: kept(name, group) for name, group in seeds.items()}


def against(name, a, b, group=None):
    """Paired log ratios of a to b by seed, and how many pairs hold a diverged run."""
    pair = [(group or best[name]).of((name, arm)) for arm in (a, b)]
    lost = [x.diverged or y.diverged for x, y in zip(*(m.values() for m in pair), strict=True)]
    values = [members.array(cases[name].of("test")) for members in pair]
    return {"values": stats.log_differences(*values), "diverged": sum(lost)}


effects = {
    "control": against(ONE, FIXED, TUNED),
    "prodigy-one": against(ONE, PRODIGY, TUNED),
    "prodigy-many": against(MANY, PRODIGY, TUNED),
    "dadapt": against(ONE, DADAPT, TUNED),
    "dog": against(MANY, DOG, SGD_TUNED),
    "budget": against(ONE, PRODIGY, FOUND),
}
words = {
    "control": f"AdamW at {fixed:g},\none pass",
    "prodigy-one": "Prodigy, one pass",
    "prodigy-many": "Prodigy, many passes",
    "dadapt": "D-Adaptation, one pass",
    "dog": "DoG against tuned\nSGD, many passes",
    "budget": "Prodigy against a search\nin the same updates,\none pass",
}
level = claims.level(TESTED)
fig, axes = plots.figure(1, 2, height=3.8, width_ratios=[1.15, 1])
plots.intervals(
    axes[0],
    {text: phrases.in_percent(effects[slug]["values"], level) for slug, text in words.items()},
    points={text: 100 * np.expm1(effects[slug]["values"]) for slug, text in words.items()},
)
for row, slug in enumerate(reversed(words)):
    room = margins[MANY if slug in ("prodigy-many", "dog") else ONE]
    ends = 100 * np.expm1([-room, room])
    axes[0].fill_between(ends, row - 0.4, row + 0.4, color="#cccccc", alpha=0.5, zorder=0)
axes[0].set(xlabel="change of test loss or error (%)", xscale="symlog")
axes[0].xaxis.set_major_formatter(lambda x, _: f"{x:g}".replace("-", "−"))
estimating = [best[ONE].of((ONE, arm)) for arm in (PRODIGY, DADAPT)]
for style, (arm, members) in plots.styled(zip((PRODIGY, DADAPT), estimating, strict=True)):
    alive = [run.probes["EstimatedRate"] for run in members.values() if not run.diverged]
    if alive:
        mean = np.exp(np.mean([np.log(np.maximum(each["rate"], 1e-12)) for each in alive], axis=0))
        axes[1].plot(alive[0]["step"], mean, label=arm, **style)
steps = np.arange(lm_steps)
axes[1].plot(
    steps + 1,
    Cosine(centre[ONE, TUNED], steps=lm_steps)(steps),
    color="black",
    label="tuned AdamW",
)
axes[1].set(xlabel="update", ylabel="learning rate", yscale="log", ylim=(1e-6, None))
axes[1].legend()
display.show(
    fig,
    alt="Left: test losses and errors of optimizers that find their rate, or of a fixed rate, "
    "against the tuned one, in per cent, with intervals. Right: the rate over the updates that "
    "Prodigy and D-Adaptation found, beside the tuned cosine.",
    caption=f"Left: by how much the test loss (one pass, {lm_steps} updates, {lm_seeds} seeds) or "
    f"the test error (many passes, {mlp_steps} updates, {mlp_seeds} seeds) lies above that of "
    "AdamW at its tuned rate, where nothing else is said: geometric mean of the paired ratios, "
    f"with the {100 * level:.3g} % intervals that decide; ticks are the seeds; shaded: too small "
    "to matter; linear within ±1 %, logarithmic outside. Right: rates in one pass with the "
    "schedule, geometric means over the seeds. "
    + "; ".join(f"{name}: {best[name].note()}" for name in cases)
    + ".",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def spent(name, arm):
    """Updates that it takes to have one such run."""
    if (name, arm) in grids:
        return cases[name].steps * (len(curves[name, arm][0]) * tuning_seeds + len(tuned.AROUND))
    extra = {RANGE: ramp_steps * (1 + pilots), FOUND: len(searched) * length[name, SEARCH]}
    return length[name, arm] + extra.get(arm, 0)


def cost(name, arm):
    """Time of an update relative to one of AdamW."""
    optimizer = {QUICK: PRODIGY, SGD_TUNED: "SGD"}.get(arm, arm)
    return timed[name].get(optimizer, timed[name]["AdamW"]).estimate


SHOWN = {
    ONE: (TUNED, RANGE, FIXED, FOUND, PRODIGY, QUICK, DADAPT, DOG),
    MANY: (TUNED, RANGE, FIXED, FOUND, PRODIGY, QUICK, DADAPT, DOG, SGD_TUNED),
}
rows = [
    {
        "task": name,
        "arm": arm,
        "updates of the run": length[name, arm],
        "updates in all": spent(name, arm),
        "time in all (AdamW's updates)": round(spent(name, arm) * cost(name, arm)),
        "peak rate": stats.geometric_interval(
            members.array(
                lambda run, arm=arm: (
                    run.probes["EstimatedRate"]["rate"].max() if arm in ESTIMATING else run.lr.max()
                )
            )
        ),
        "judged by": f"test {cases[name].metric}",
        "at the end": stats.mean_interval(members.array(cases[name].of("test"))),
        "above tuned AdamW [%]": ""
        if arm == TUNED
        else phrases.in_percent(against(name, arm, TUNED)["values"], 0.95),
        "diverged": members.num_diverged,
    }
    for name in cases
    for arm in SHOWN[name]
    for members in [best[name].of((name, arm))]
]
display.table(
    rows,
    caption="What each takes and where it ends: means (rates: geometric means) with 95 % t "
    f"intervals over the seeds. In all: with the grid on {tuning_seeds} tuning seeds and the three "
    "rates of each seed, with the range test, or with the search. Times are a processor's own, "
    f"from benchmarks/optimizer_costs.py ({raw['turns']} turns).",
)
display.say(
    "An update takes, relative to AdamW: "
    + "; ".join(
        f"{name}: "
        + ", ".join(f"{o} {timed[name][o].estimate:.2f}" for o in (PRODIGY, DADAPT, DOG))
        for name in cases
    )
    + ". Tuning cost as many updates as "
    + " and ".join(
        f"{spent(name, TUNED) / case.steps:.0f} runs ({name})" for name, case in cases.items()
    )
    + "."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot studies:

# %% tags=["nbval-ignore-output"]
for name, room in margins.items():
    pilot = against(name, PRODIGY, TUNED, kept(name, piloted))["values"]
    claims.power(
        pilot - room,
        f"log ratio of test {cases[name].metric}, Prodigy to tuned AdamW, {name},",
        beyond=0.0,
        effect=room,
        used=cases[name].n_seeds,
        tested=TESTED,
    )

# %%
LM = "transformer of one block on surnames, one pass"
MLP = f"perceptron on {n_train:,} MNIST-1D signals, {mlp_steps * 100 / n_train:.0f} passes"
LOST = "its tasks: networks and trainings hundreds of times larger"
TABLE = "the table's δ of this task"
OFF = "the table's δ is taken off the values: no worse by as much"


def about(name, optimizer, reason="", like=None, other="", **more):
    task = LM if name == ONE else MLP
    steps = length.get((name, optimizer), cases[name].steps)
    return About(
        Setting(task, optimizer, f"{steps} updates"),
        f"test {cases[name].metric}",
        like=like,
        lost=f"{LOST}{other}" if like else "",
        reason=reason,
        **more,
    )


def no_worse(slug, name, arm, than, source, published, other=""):
    """An effect below zero once δ is taken off: at most δ above."""
    room = margins[name]
    return Claim.effect(
        slug,
        f"{arm} ends at most {100 * room:g} % above {than} at its tuned rate",
        values=effects[slug]["values"] - room,
        diverged=effects[slug]["diverged"],
        direction="less",
        delta=0.0,
        unit=f"log ratio of test {'losses' if name == ONE else 'errors'}, minus {room:g}",
        source=source,
        published=published,
        about=about(name, arm, OFF, "analogue", other, family="no worse than tuned"),
    )


unit = {ONE: "log ratio of test losses", MANY: "log ratio of test errors"}
CLOSE = "test accuracies close to hand-tuned Adam's"
BY_LOSS = "; its accuracy, where ours is a loss"
made = [
    Claim.effect(
        "control",
        f"AdamW at {fixed:g} ends above AdamW at its tuned rate",
        **effects["control"],
        direction="greater",
        delta=margins[ONE],
        unit=unit[ONE],
        about=about(ONE, "AdamW", TABLE),
    ),
    no_worse("prodigy-one", ONE, PRODIGY, "AdamW", "mishchenko2024prodigy", CLOSE, BY_LOSS),
    no_worse("prodigy-many", MANY, PRODIGY, "AdamW", "mishchenko2024prodigy", CLOSE),
    no_worse(
        "dadapt",
        ONE,
        DADAPT,
        "AdamW",
        "defazio2023dadaptation",
        "matches hand-tuned rates on more than a dozen problems",
    ),
    no_worse(
        "dog",
        MANY,
        DOG,
        "SGD with momentum",
        "ivgi2023dog",
        "close to SGD with a tuned rate",
        "; the sentence says SGD, ours has a momentum of 0.9",
    ),
    Claim.effect(
        "budget",
        f"Prodigy for all {lm_steps} updates ends below AdamW with half of them spent on a search "
        f"over {len(searched)} rates",
        **effects["budget"],
        direction="less",
        delta=margins[ONE],
        unit=unit[ONE],
        about=about(ONE, "Prodigy, AdamW", TABLE),
    ),
    *(
        Claim.descriptive(
            f"{slug}-{'one' if name == ONE else 'many'}",
            f"{arm} against {than}",
            values=against(name, arm, than)["values"],
            unit=unit[name],
            about=about(name, arm, family=f"{arm} against {than}"),
        )
        for slug, arm, than, where in (
            ("fixed", FIXED, TUNED, (MANY,)),
            ("range", RANGE, TUNED, (ONE, MANY)),
            ("dadapt", DADAPT, TUNED, (MANY,)),
            ("dog", DOG, TUNED, (ONE, MANY)),
            ("budget", PRODIGY, FOUND, (MANY,)),
            ("time", QUICK, TUNED, (ONE, MANY)),
            ("guess", PRODIGY, RANGE, (ONE, MANY)),
        )
        for name in where
    ),
    *(
        Claim.descriptive(
            f"rate-{slug}-{'one' if name == ONE else 'many'}",
            f"Largest rate of {arm} against the tuned peak of AdamW",
            values=best[name]
            .of((name, arm))
            .array(lambda run: run.probes["EstimatedRate"]["rate"].max())
            / best[name].of((name, TUNED)).array(lambda run: run.lr.max()),
            scale="log",
            unit="ratio of rates",
            about=dataclasses.replace(about(name, arm), metric="learning rate"),
        )
        for name in cases
        for slug, arm in (("prodigy", PRODIGY), ("dadapt", DADAPT))
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged, rules = phrases.judged(made), claims.rules
said = {slug: phrases.percent(effects[slug]["values"], level) for slug in effects}
guess = phrases.percent(against(ONE, RANGE, TUNED)["values"], 0.95)
many = against(MANY, PRODIGY, FOUND)["values"]
of_many = stats.mean_interval(many, level)
prodigy = {judged[f"prodigy-{which}"].verdict for which in ("one", "many")}
if judged["control"].verdict != rules.SUPPORTED:
    advice = "nothing, whether the rate matters is open"
elif prodigy == {rules.SEEN}:
    advice = "where you can't tune, Prodigy ended here as low as a tuned rate"
elif rules.NOT_SEEN in prodigy:
    advice = "tune where you can"
else:
    advice = "tune where you can, whether Prodigy does as well is open"
searches = {rules.SUPPORTED: "Prodigy", rules.CONTRADICTED: "a search"}.get(
    judged["budget"].verdict
)
then = "Prodigy" if of_many.high < 0 else "a search" if of_many.low > 0 else None
if searches is not None and then is None:
    advice += f"; in one training's updates {searches} won on the transformer, open on the other"
elif searches is None or then is None:
    advice += "; in one training's updates it is open whether to search"
elif searches == then:
    advice += f"; in one training's updates {then} won"
else:
    advice += f"; in one training's updates {searches} won on the transformer, {then} on the "
    advice += "perceptron"
display.answer(
    f"Against tuned AdamW, transformer's loss: Prodigy {said['prodigy-one']}, D-Adaptation "
    f"{said['dadapt']}, AdamW at {fixed:g} {said['control']} ({100 * level:.3g} % intervals), at "
    f"the rate of a range test of {ramp_steps * (1 + pilots)} updates {guess} (95 %). Perceptron's "
    f"error: Prodigy {said['prodigy-many']}; DoG against tuned SGD {said['dog']}. Prodigy against "
    f"a search in the same updates: loss {said['budget']}, error {phrases.percent(many, level)}. "
    f"What this means for you: {advice}.",
    claims=[
        *("prodigy-one", "dadapt", "budget", "prodigy-many", "dog", "control"),
        *("range-one", "budget-many"),
    ],
)
