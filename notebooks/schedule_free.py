# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Schedule-free optimizers against schedules
#     short_title: Training without a schedule
#     question: Does a schedule-free optimizer do without a schedule what a schedule does?
#     tags: [optimizers, schedule-free, warmup, linear, wsd, adamw, momentum, names, mnist1d]
#     smoke: {lm_steps: 12, lm_warmup: 2, lm_rates: [4.0e-3, 1.6e-2, 6.4e-2], lm_seeds: 2,
#       n_eval: 50, mlp_steps: 12, mlp_warmup: 2, mlp_rates: [0.1, 0.4, 1.6], mlp_seeds: 2,
#       n_train: 400, pilot_seeds: 2, tuning_seeds: 1}
#     predictions:
#       control: {supported: 0.75, smaller than δ: 0.05, not by δ: 0.02, inconclusive: 0.18}
#       one-pass: {seen here: 0.35, not seen here: 0.3, inconclusive: 0.35}
#       many-passes: {seen here: 0.4, not seen here: 0.25, inconclusive: 0.35}
#       anytime: {seen here: 0.3, not seen here: 0.35, inconclusive: 0.35}
#       any-stop: {supported: 0.9, smaller than δ: 0.02, inconclusive: 0.08}
#       warmup: {seen here: 0.45, not seen here: 0.25, inconclusive: 0.3}
# ---

# %% [markdown]
# # Does a schedule-free optimizer do without a schedule what a schedule does?
#
# ## Question
#
# A decay has to know when training ends. Schedule-free optimizers average their steps instead, and
# are said to do "state-of-the-art performance compared to schedules" with "no additional
# hyper-parameters over standard optimizers with momentum" {cite}`defazio2024road`; the authors'
# package adds that they "typically" end below "cosine-decay and linear decay", "or at worst" match
# them, that a warmup is recommended, and that the best learning rate is 1 to 10 times that of AdamW
# with a schedule.
#
# 1. Does it end as low as a linear decay, in one pass over the data and in many?
# 2. And if one stops early: is one run as good at half of its length as a decay made for that?
# 3. How much does it lose without the warmup?
# 4. What does it ask of tuning: how far is its best rate from a schedule's, and what does a rate
#    cost that is a factor of two off?
# 5. And by CPU time, in place of updates?
#
# ## Setup
#
# *One pass*: a transformer of one block on surnames, AdamW against schedule-free AdamW (β = 0.9 and
# 0.999, weight decay 0.1 in both), batches of 32 windows, none of which is seen twice. *Many
# passes*: the perceptron of MNIST-1D {cite}`greydanus2024scaling`, SGD with momentum 0.9 against
# schedule-free SGD (0.9 too), no weight decay, batches of 100. All arms have the same warmup; the
# WSD cools down over its last fifth. Schedule-free optimizers are those of the authors' package,
# evaluated in their evaluation mode, that is, at the averaged weights.
#
# Each arm is tuned: a grid of rates on tuning seeds, which grows where its best rate is at its
# edge, and then the best rate, half of it and twice of it on every fresh seed, of which the one
# with the lowest validation loss counts (for the perceptron: validation error). So the luck of
# tuning is in the intervals. First comes the control: without any decay a constant rate has to end
# higher, or there is nothing that a schedule does.
#
# By CPU time: what an update costs was measured in turns, with and without schedule-free
# (`benchmarks/optimizer_costs.py`). One more schedule-free arm is as many updates long as fit into
# the time that the schedules take.

# %% tags=["parameters"]
lm_steps: int = 300  # [updates, 8..] of the transformer, warmup included
lm_warmup: int = 15  # [updates, 1..lm_steps] linear rise
lm_rates: list[float] = [
    2e-3,
    4e-3,
    8e-3,
    1.6e-2,
    3.2e-2,
]  # [3.. of 0<.. rising] grid, equal ratios
lm_seeds: int = 10  # [2..500] paired seeds
n_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
mlp_steps: int = 400  # [updates, 8..] of the perceptron, warmup included
mlp_warmup: int = 20  # [updates, 1..mlp_steps] linear rise
mlp_rates: list[float] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]  # [3.. of 0<.. rising] grid, equal ratios
mlp_seeds: int = 16  # [2..500] paired seeds
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
pilot_seeds: int = 8  # [2..500] seeds of the pilots, used for nothing else
tuning_seeds: int = 2  # [1..1000] seeds of the grids
first_seed: int = 50_000  # [0..] first seed of the block
costs: str = "benchmarks/results/schedule_free_costs.json"  # [any] raw results, in the repository

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import passes, rate_grid
from lrlab.experiments.passes import MANY, ONE
from lrlab.experiments.schedule_free import ScheduleFreeAdamW, ScheduleFreeSGD
from lrlab.labbook import measured, phrases, tuned
from lrlab.schedules import Constant, Cosine, LinearDecayToZero, Warmup, WarmupStableDecay

plots.use_style()

FREE, BARE = "schedule-free", "schedule-free, no warmup"
SCHEDULES = ("constant", "cosine", "linear", "WSD")
HALF, QUARTER, QUICK = "linear to T/2", "linear to T/4", "schedule-free, same time"
SHORT = {HALF: 2, QUARTER: 4}
ARMS = (*SCHEDULES, FREE, BARE, HALF, QUARTER, QUICK)
TESTED = 6
FREES = {"loss": ScheduleFreeAdamW(weight_decay=0.1), "error": ScheduleFreeSGD()}
BASES = {"loss": "AdamW", "error": "SGD"}
raw = measured.read(costs)
ratios = {  # of the CPU time of an update, schedule-free to not, turn by turn
    metric: np.divide(cell["seconds"][f"schedule-free {base}"], cell["seconds"][base])
    for metric, base in BASES.items()
    for cell in raw["cells"]
    if cell["task"] == {"loss": "transformer", "error": "perceptron"}[metric]
}
dearer = {metric: stats.geometric_interval(found) for metric, found in ratios.items()}


@dataclasses.dataclass(frozen=True)
class Case(passes.Case):
    """What is trained, and by which schedules."""

    def updates(self, name):
        if name == QUICK:
            return round(self.steps / dearer[self.metric].estimate)
        return self.steps // SHORT.get(name, 1)

    def job(self, name, rate, seed):
        steps = self.updates(name)
        left = steps - self.warmup
        after = {
            "cosine": lambda: Cosine(rate, steps=left),
            "WSD": lambda: WarmupStableDecay(
                rate, steps=left, warmup_steps=0, cooldown_steps=max(1, steps // 5)
            ),
        } | dict.fromkeys(("linear", *SHORT), lambda: LinearDecayToZero(rate, steps=left))
        schedule = after.get(name, lambda: Constant(rate))()
        return Job(
            self.task,
            Recipe(
                schedule=schedule if name == BARE else Warmup(schedule, warmup_steps=self.warmup),
                steps=steps,
                batch_size=self.batch_size,
                optimizer=FREES[self.metric] if name in (FREE, BARE, QUICK) else self.optimizer,
                seed=seed,
                eval_every=self.steps // 4,
            ),
        )


sizes = {
    "lm": (lm_steps, lm_warmup, lm_rates, lm_seeds),
    "mlp": (mlp_steps, mlp_warmup, mlp_rates, mlp_seeds),
}
cases = passes.both(Case, n_eval, n_train, **sizes)
for name, case in cases.items():
    if case.steps % 4 or not 0 < case.warmup < min(case.steps // 4, case.updates(QUICK)):
        raise ValueError(
            f"{name}: steps must be a multiple of 4 with the warmup in its first quarter and "
            f"below {case.updates(QUICK)} updates, got steps={case.steps} and warmup={case.warmup}"
        )
seeds = {name: range(first_seed, first_seed + case.n_seeds) for name, case in cases.items()}
tuning = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
PILOTED = (FREE, "linear")


def job(arm, rate, seed):
    name, condition = arm
    return cases[name].job(condition, rate, seed)


arms = [(name, condition) for name in cases for condition in ARMS]
plan = {
    (arm, rate, s): job(arm, rate, s)
    for arm in arms
    for rate in cases[arm[0]].rates
    for s in tuning
}
compared = {arm: [*seeds[arm[0]], *(pilots if arm[1] in PILOTED else ())] for arm in arms}
later = {
    "rates beyond the edge of a grid": (0, 3 * len(arms) * tuning_seeds),
    "the comparison at the tuned rates": len(tuned.AROUND) * sum(map(len, compared.values())),
}

# %% [markdown]
# ## Prediction
#
# Written before the first look at any run longer than the smoke size; probabilities are listed
# below, with what came. In one pass schedule-free AdamW ends within half a per cent of the linear
# decay, on the wrong side of it as likely as not; the perceptron's errors are too noisy to tell.
# At half of its length it lies a little above a decay made for that length, but well below the
# decay that is only half done. Without a warmup it loses about half a per cent. Its best rate is
# about twice the schedules', and it forgives a wrong rate no better and no worse.
#
# The comparison by CPU time was added after the first look at all else: it was not foretold.
#
# ## Result
#
# ### Rates


# %% tags=["nbval-ignore-output"]
tried = train_many(plan)
grids = {
    name: rate_grid.extended(
        tried.of([arm for arm in arms if arm[0] == name]), job, cases[name].of("validation")
    )
    for name in cases
}
curves = {arm: rate_grid.curve(grids[arm[0]], arm, cases[arm[0]].of("validation")) for arm in arms}
centre = {arm: tuned.best_rate(*found) for arm, found in curves.items()}
fig, axes = plots.figure(1, 2, height=3.6)
for ax, (name, case) in zip(axes, cases.items(), strict=True):
    shown = [condition for condition in ARMS if condition not in (*SHORT, QUICK, "cosine")]
    for style, condition in plots.styled(shown):
        ax.plot(*curves[name, condition], marker="o", markersize=3, label=condition, **style)
    ax.set(xscale="log", yscale="log", xlabel="learning rate (peak)", title=name)
    ax.set_ylabel(f"validation {case.metric}" + (" (nats)" if case.metric == "loss" else ""))
    plots.ticks(ax.xaxis, sorted({rate for c in shown for rate in curves[name, c][0]})[::2])
axes[0].legend()
display.show(
    fig,
    alt="Validation loss of the transformer and validation error of the perceptron against the "
    "learning rate, one curve for each schedule and for the schedule-free optimizer.",
    caption=f"Grids on {tuning_seeds} tuning seeds, geometric mean; a grid grows until its lowest "
    f"point is inside. " + "; ".join(f"{n}: {grids[n].note()}" for n in cases) + ".",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(
    {
        (arm, k, s): job(arm, k * centre[arm], s)
        for arm in arms
        for k in tuned.AROUND
        for s in compared[arm]
    }
)
display.say(
    f"{sum(map(len, grids.values()))} runs to find the rates, {len(runs)} at them: "
    f"{len(tuned.AROUND)} rates for each of {len(ARMS)} arms, on {lm_seeds} seeds in one pass and "
    f"{mlp_seeds} in many, and of two arms of each on {pilot_seeds} pilot seeds."
)

# %% [markdown]
# ### Where they end, and where they are before


# %% tags=["nbval-ignore-output"]
def kept(name, group):
    """The runs at the rate that is best on the validation part within each seed."""
    of_case = [arm for arm in arms if arm[0] == name]
    return tuned.within_seeds(
        runs.of(of_case, list(tuned.AROUND), group), cases[name].of("validation")
    )


best = {name: kept(name, group) for name, group in seeds.items()}


def stopped(run, quarter, what="loss"):
    """Test loss or error after so many quarters of the updates; guessing where it diverged."""
    guessing = run.chance["loss"] if what == "loss" else 1 - run.chance["accuracy"]
    if run.diverged:
        return guessing
    seen = run.evals["test_loss" if what == "loss" else "test_accuracy"][quarter]
    return min(guessing, seen if what == "loss" else 1 - seen)


def against(name, a, b, of=(None, None), chosen=None):
    """Paired log ratios of a to b by seed, and how many pairs hold a diverged run."""
    group = best[name] if chosen is None else chosen
    pair = [group.of((name, condition)) for condition in (a, b)]
    what = cases[name].metric
    values = [
        members.array(
            cases[name].of("test") if at is None else lambda run, at=at: stopped(run, at, what)
        )
        for members, at in zip(pair, of, strict=True)
    ]
    lost = [x.diverged or y.diverged for x, y in zip(*(m.values() for m in pair), strict=True)]
    return {"values": stats.log_differences(*values), "diverged": sum(lost)}


quarters = np.arange(1, 5)


def course(name, condition):
    """The metric at each quarter of the updates, over the seeds."""
    members, what = best[name].of((name, condition)), cases[name].metric
    return [
        stats.geometric_interval(members.array(lambda run, k=k: stopped(run, k, what)))
        for k in quarters
    ]


def ended(name, condition):
    """The metric at the end, over the seeds."""
    return stats.geometric_interval(best[name].of((name, condition)).array(cases[name].of("test")))


effects = {
    "control": against(ONE, "constant", "linear"),
    "one-pass": against(ONE, FREE, "linear"),
    "many-passes": against(MANY, FREE, "linear"),
    "anytime": against(ONE, FREE, HALF, of=(2, None)),
    "any-stop": against(ONE, FREE, "linear", of=(2, 2)),
    "warmup": against(ONE, BARE, FREE),
}
words = {
    "control": "constant, at T",
    "one-pass": "schedule-free, at T",
    "anytime": "schedule-free at T/2,\nto a decay made for T/2",
    "any-stop": "schedule-free at T/2,\nto the decay at T/2",
    "warmup": "schedule-free without\nwarmup, to with",
}
margin = claims.smallest_effect("test loss", "names_lm")
fig, axes = plots.figure(1, 2, height=3.8, width_ratios=[1.15, 1])
for style, condition in plots.styled(("constant", "linear", "WSD", FREE)):
    shift = 0.01 * lm_steps * (len(axes[0].containers) - 1.5)
    at = quarters / 4 * lm_steps + shift
    plots.error_bars(axes[0], at, course(ONE, condition), label=condition, **style)
plots.error_bars(
    axes[0],
    [lm_steps / part for part in SHORT.values()],
    [ended(ONE, condition) for condition in SHORT],
    label="linear made for T/4, T/2",
    color="black",
    linestyle="none",
    marker="s",
)
axes[0].set(xlabel="update", ylabel="test loss (nats)", yscale="log")
axes[0].legend()
level = claims.level(TESTED)
each = {text: 100 * effects[slug]["values"] for slug, text in words.items()}
plots.intervals(axes[1], stats.mean_intervals(each, level), points=each)
plots.shade(axes[1], -100 * margin, 100 * margin)
axes[1].set(xlabel="difference of test losses (100 × log ratio)")
display.show(
    fig,
    alt="Left: test loss at each quarter of the training, for a constant rate, a linear decay, WSD "
    "and the schedule-free optimizer, with squares for decays made for shorter trainings. Right: "
    "paired differences of test losses with intervals.",
    caption=f"Transformer, one pass, T = {lm_steps} updates. Left: geometric means over {lm_seeds} "
    f"seeds with 95 % t intervals. Right: paired differences of log losses times 100, to the "
    f"linear decay where nothing else is said, with the {100 * level:.3g} % intervals that decide; "
    f"ticks are the seeds. Shaded: too small to matter. {best[ONE].note()}.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def rates_of(name, condition):
    return best[name].of((name, condition)).array(lambda run: run.lr.max())


def off_by_two(name, condition):
    """Log ratio of what half and twice the tuned rate cost, mean of the two, seed by seed."""
    group = runs.of((name, condition), list(tuned.AROUND), seeds[name])
    half, middle, twice = group.array(cases[name].of("test"))
    return (np.log(half / middle) + np.log(twice / middle)) / 2


display.table(
    [
        {
            "task": name,
            "arm": condition,
            "updates": case.updates(condition),
            "best rate": stats.geometric_interval(rates_of(name, condition)),
            "within 5 % of the lowest": f"× {tuned.basin(*curves[name, condition], 0.05):.3g}",
            "a factor of two off [100 log]": stats.mean_interval(100 * off_by_two(name, condition)),
            "judged by": f"test {case.metric}",
            "at the end": stats.mean_interval(
                best[name].of((name, condition)).array(cases[name].of("test"))
            ),
        }
        for name, case in cases.items()
        for condition in ARMS
    ],
    digits=4,
    caption="Best rates (best of three within each seed), the range of rates on the grid whose "
    "validation metric is within 5 % of the lowest, what a rate a factor of two off costs in the "
    "test metric (log ratio × 100), and where each ends: means with 95 % t intervals over the "
    "seeds.",
)

# %% [markdown]
# ### By CPU time

# %% tags=["nbval-ignore-output"]
in_time = {name: against(name, QUICK, "linear")["values"] for name in cases}
fig, axes = plots.figure(1, 2, height=3.6)
for ax, (name, case) in zip(axes, cases.items(), strict=True):
    pace = dearer[case.metric].estimate
    for style, condition in plots.styled(("constant", "linear", "WSD", FREE)):
        each = pace if condition == FREE else 1.0
        shift = 0.01 * case.steps * (len(ax.containers) - 1.5)
        at = quarters / 4 * case.steps * each + shift
        plots.error_bars(ax, at, course(name, condition), label=condition, **style)
    marks = {
        "linear made for T/4, T/2": ((HALF, QUARTER), 1.0, {"color": "black", "marker": "s"}),
        "schedule-free made for T's time": ((QUICK,), pace, style | {"marker": "D"}),
    }
    for label, (made_for, each, look) in marks.items():
        plots.error_bars(
            ax,
            [each * case.updates(condition) for condition in made_for],
            [ended(name, condition) for condition in made_for],
            label=label,
            **look | {"linestyle": "none"},
        )
    ax.set(xlabel=f"CPU time (updates of {BASES[case.metric]})", yscale="log", title=name)
    ax.set_ylabel(f"test {case.metric}" + (" (nats)" if case.metric == "loss" else ""))
axes[1].legend()
display.show(
    fig,
    alt="Test loss of the transformer and test error of the perceptron against CPU time, for a "
    "constant rate, a linear decay, WSD and the schedule-free optimizer.",
    caption="The same against CPU time, in updates of the optimizer that has the schedules: "
    + "; ".join(
        f"{name}: an update of schedule-free {BASES[case.metric]} takes {dearer[case.metric]} "
        f"times one of {BASES[case.metric]}"
        for name, case in cases.items()
    )
    + f". Measured in {raw['turns']} turns of `benchmarks/optimizer_costs.py`, as both are "
    "implemented in PyTorch and in the authors' package; evaluations not counted. Geometric means "
    "with 95 % t intervals over the seeds.",
)
display.say(
    "In the time of T updates with a schedule, schedule-free does "
    + "; ".join(
        f"{case.updates(QUICK)} updates in place of {case.steps} ({name}), and its test "
        f"{case.metric} at the end differs from the linear decay's by "
        f"{phrases.percent(in_time[name], 0.95)}"
        for name, case in cases.items()
    )
    + " (95 % intervals)."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot studies:

# %% tags=["nbval-ignore-output"]
for name, room in ((ONE, margin), (MANY, claims.smallest_effect("test error"))):
    pilot = against(name, FREE, "linear", chosen=kept(name, pilots))["values"]
    claims.power(
        pilot - room,
        f"log ratio of test {cases[name].metric}, schedule-free to linear, {name},",
        beyond=0.0,
        effect=room,
        used=cases[name].n_seeds,
        tested=TESTED,
    )

# %%
ADAM, SOURCE = (
    "AdamW (weight decay 0.1)",
    "typically below schedules such as linear decay, or equal",
)
lm = Setting("transformer of one block on surnames, one pass", ADAM, f"{lm_steps} updates")
mlp = Setting(
    f"perceptron on {n_train:,} MNIST-1D signals, {mlp_steps * 100 / n_train:.0f} passes",
    "SGD with momentum",
    f"{mlp_steps} updates",
)
LOST = "its sizes: networks and trainings hundreds of times larger"
TABLE = "the table's δ of this task"
OFF = "the table's δ is taken off the values: no worse by as much"


def about(setting=lm, reason=TABLE, like="analogue", **more):
    what = "test loss" if setting is lm else "test error"
    lost = LOST if like else ""
    return About(setting, what, like=like, lost=lost, reason=reason, **more)


def no_worse(slug, statement, room, setting=lm):
    """An effect below zero once δ is taken off: at most δ above."""
    found = effects[slug]
    return Claim.effect(
        slug,
        f"{statement} at most {100 * room:g} % above",
        values=found["values"] - room,
        diverged=found["diverged"],
        direction="less",
        delta=0.0,
        unit=f"log ratio of test {'losses' if setting is lm else 'errors'}, minus {room:g}",
        published=SOURCE,
        about=about(setting, OFF, family="no worse than a decay"),
    )


unit = "log ratio of test losses"
made = [
    Claim.effect(
        "control",
        "A constant rate ends above a linear decay, each at its own rate",
        **effects["control"],
        direction="greater",
        delta=margin,
        unit=unit,
        source="",
        about=about(like=None),
    ),
    no_worse("one-pass", "Against a linear decay, schedule-free AdamW ends", margin),
    no_worse(
        "many-passes",
        "Against a linear decay, schedule-free SGD ends",
        claims.smallest_effect("test error"),
        mlp,
    ),
    no_worse(
        "anytime",
        "Stopped at half of its length, schedule-free AdamW is, against a linear decay made for "
        "that half,",
        margin,
    ),
    Claim.effect(
        "any-stop",
        "Stopped at half of its length, schedule-free AdamW lies below a linear decay that is "
        "stopped there too",
        **effects["any-stop"],
        direction="less",
        delta=margin,
        unit=unit,
        source="",
        about=about(like=None),
    ),
    Claim.effect(
        "warmup",
        "Without a warmup schedule-free AdamW ends above where it ends with one, each at its own "
        "rate",
        **effects["warmup"],
        direction="greater",
        delta=margin,
        unit=unit,
        published="a warmup is recommended",
        about=about(),
    ),
    *(
        Claim.descriptive(
            f"rate-{'one' if name == ONE else 'many'}-pass{'' if name == ONE else 'es'}",
            "Best rate of the schedule-free optimizer against that of a linear decay",
            values=rates_of(name, FREE) / rates_of(name, "linear"),
            scale="log",
            unit="ratio of rates",
            published="1 to 10 times for AdamW, 10 to 50 times the classical rate for SGD",
            about=About(setting, "learning rate", like="analogue", lost=LOST),
        )
        for name, setting in ((ONE, lm), (MANY, mlp))
    ),
    *(
        Claim.descriptive(
            f"{slug}-many",
            text,
            values=against(MANY, *pair, of=of)["values"],
            unit="log ratio of test errors",
            source="",
            about=About(mlp, "test error", family="the same in many passes"),
        )
        for slug, text, pair, of in (
            (
                "control",
                "A constant rate against a linear decay, each at its own rate",
                ("constant", "linear"),
                (None, None),
            ),
            (
                "anytime",
                "Schedule-free SGD, stopped at half of its length, against a linear decay made for "
                "that half",
                (FREE, HALF),
                (2, None),
            ),
            (
                "warmup",
                "Schedule-free SGD without a warmup against with one",
                (BARE, FREE),
                (None, None),
            ),
        )
    ),
    *(
        Claim.descriptive(
            f"off-{'free' if condition == FREE else condition}",
            f"What a rate a factor of two off costs, {condition}",
            values=off_by_two(ONE, condition),
            unit=unit,
            source="",
            about=About(lm, "test loss", family="a factor of two off"),
        )
        for condition in (FREE, "linear")
    ),
    *(
        claim
        for (name, case), setting in zip(cases.items(), (lm, mlp), strict=True)
        for base in [BASES[case.metric]]
        for claim in (
            Claim.descriptive(
                f"time-{tuned.slug(name)}",
                f"Schedule-free {base} against a linear decay in as much CPU time, "
                f"{case.updates(QUICK)} updates against {case.steps}",
                values=in_time[name],
                unit=unit if case.metric == "loss" else "log ratio of test errors",
                source="",
                about=About(setting, f"test {case.metric}", family="in the same time"),
            ),
            Claim.descriptive(
                f"update-{tuned.slug(name)}",
                f"CPU time of an update of schedule-free {base} against one of {base}",
                values=ratios[case.metric],
                scale="log",
                unit="ratio of times",
                source="",
                about=About(setting, "time", "turns of a timing", family="time of an update"),
            ),
        )
    ),
]
claims.conclude(made, source="defazio2024road")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
free = {slug: phrases.percent(effects[slug]["values"], level) for slug in effects}
testable = judged["control"].verdict == claims.rules.SUPPORTED
fits = judged["one-pass"].verdict == claims.rules.SEEN
if not testable:
    advice = "in one pass it is not testable here: these runs do not show that a decay matters"
elif fits:
    advice = (
        "where the end isn't known, schedule-free AdamW does on the transformer what a decay does; "
    )
    if judged["many-passes"].verdict not in (claims.rules.SEEN, claims.rules.NOT_SEEN):
        advice += "SGD's on the perceptron is open; "
    advice += "tune its rate anew"
elif (judged["one-pass"].low or 0) > 0:
    advice = "where you know when training will end, decay; schedule-free is no substitute here"
else:
    advice = "these runs do not decide between the two; take what is easier to run"
timely = " and ".join(phrases.percent(values, 0.95) for values in in_time.values())
display.answer(
    f"Against a tuned linear decay: schedule-free AdamW's test loss differs by "
    f"{free['one-pass']} (transformer, one pass), SGD's test error by "
    f"{free['many-passes']} (perceptron, many passes); by CPU time {timely} (95 %). "
    f"Stopped at half, AdamW's loss differs by {free['anytime']} from a decay made for that; "
    f"no warmup changes it by {free['warmup']} ({100 * level:.3g} %). "
    f"What this means for you: {advice}.",
    claims=["one-pass", "many-passes", "anytime", "warmup", "control"],
)
