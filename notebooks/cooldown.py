# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Length and shape of a cooldown
#     short_title: How to cool down a constant rate
#     question: How long and in which shape should a constant rate be cooled down at the end?
#     tags: [wsd, cooldown, averaging, adamw, momentum, names, mnist1d]
#     smoke: {lm_steps: 20, lm_warmup: 2, lm_rates: [4.0e-3, 1.6e-2, 6.4e-2], lm_seeds: 2,
#       n_eval: 50, mlp_steps: 20, mlp_warmup: 2, mlp_rates: [0.05, 0.2, 0.8], mlp_seeds: 2,
#       n_train: 400, pilot_seeds: 2, more: 0, decays: [0.5, 0.9]}
#     predictions:
#       control: {supported: 0.85, smaller than δ: 0.03, not by δ: 0.02, inconclusive: 0.1}
#       forty-is-twenty: {supported: 0.45, different: 0.05, inconclusive: 0.5}
#       root-is-lower: {seen here: 0.1, not seen here: 0.6, inconclusive: 0.3}
#       tenth-is-zero: {supported: 0.6, different: 0.05, inconclusive: 0.35}
#       averaging: {supported: 0.3, smaller than δ: 0.3, not by δ: 0.05, contradicted: 0.05,
#         inconclusive: 0.3}
#       control-many: {supported: 0.55, smaller than δ: 0.1, not by δ: 0.05, inconclusive: 0.3}
# ---

# %% [markdown]
# # How long, and in which shape, should a constant learning rate be cooled down?
#
# ## Question
#
# A constant learning rate with a cooldown at its end (warmup, stable, decay: WSD) asks for two
# choices. For language models a cooldown over 10 to 20 % of the updates in the shape 1 − √x was
# found to be enough, and a little better than a linear one {cite}`hagele2024scaling`; the shape
# matters in a larger study too {cite}`dremov2025cooldown`. Averaging the weights of a constant rate
# is told as a substitute for decay, and was found best together with it
# {cite}`ajroldi2025average`.
#
# 1. How long: is twice the usual fifth any better, and what does a half or a quarter of it cost?
# 2. Which shape: linear, 1 − √x or cosine, down to zero or to a tenth?
# 3. Does averaging the weights at a constant rate do the same without cooling?
#
# ## Setup
#
# *One pass*: a transformer of one block on surnames, AdamW (weight decay 0.1), batches of 32
# windows, none of which is seen twice. *Many passes*: the perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, SGD with momentum 0.9, no weight decay, batches of 100; it is judged
# by its error, since its loss grows while it memorises. All arms have the same warmup and the same
# number of updates, and branch off one run at the constant rate. What is averaged are the weights
# after every update, exponentially (EMA), with the best of several decays.
#
# Each arm is tuned within each seed: it trains at all rates of a grid a factor of two apart, which
# is extended where the mean of an arm is best at its end, and the rate with the lowest validation
# loss (or error) counts, for averages together with the decay. So the luck of tuning is in the
# intervals. First the control: without a cooldown the loss has to be higher, or there is nothing to
# ask here.

# %% tags=["parameters"]
lm_steps: int = 240  # [updates, 20..] of the transformer, warmup included
lm_warmup: int = 20  # [updates, 1..lm_steps] linear rise
lm_rates: list[float] = [4e-3, 8e-3, 1.6e-2, 3.2e-2]  # [3.. of 0<.. rising] grid, equal ratios
lm_seeds: int = 10  # [2..500] paired seeds
n_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
mlp_steps: int = 400  # [updates, 20..] of the perceptron, warmup included
mlp_warmup: int = 20  # [updates, 1..mlp_steps] linear rise
mlp_rates: list[float] = [0.05, 0.1, 0.2, 0.4]  # [3.. of 0<.. rising] grid, equal ratios
mlp_seeds: int = 16  # [2..500] paired seeds
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
shares: list[float] = [
    0.05,
    0.1,
    0.2,
    0.4,
]  # [2.. of 0<..0.5 rising] cooldowns; 0.2 is compared with
decays: list[float] = [0.9, 0.97, 0.99]  # [1.. of 0<..<1 rising] of the average, an update
more: int = 3  # [rates, 0..10] that may be added to an arm's grid
pilot_seeds: int = 8  # [2..500] seeds of the pilots, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats
from lrlab.claims import About, Setting
from lrlab.experiments import passes, rate_grid
from lrlab.experiments.passes import MANY, ONE
from lrlab.experiments.prefixes import train_branches
from lrlab.labbook import phrases, tuned
from lrlab.schedules import WarmupStableDecay
from lrlab.training.results import Results

plots.use_style()

TESTED = 6
FIFTH = 0.2


def linear(share):
    return f"linear, {100 * share:g} %"


NONE, AVERAGED, STANDARD = "no cooldown", "averaged, no cooldown", linear(FIFTH)
SHAPES = {"linear": "linear", "1 − √x": "1-sqrt", "cosine": "cosine"}
if FIFTH not in shares:
    raise ValueError(f"shares must hold 0.2, which the others are compared with, got {shares}")
# name → share of the updates, shape, last rate as a share of the peak, decay of the average
arms = {NONE: (0.0, "linear", 0.0, None)}
arms |= {linear(share): (share, "linear", 0.0, None) for share in shares}
arms |= {f"{s}, 20 %": (FIFTH, kind, 0.0, None) for s, kind in SHAPES.items() if s != "linear"}
arms |= {f"{s}, 20 %, to a tenth": (FIFTH, kind, 0.1, None) for s, kind in SHAPES.items()}
arms |= {(AVERAGED, decay): (0.0, "linear", 0.0, decay) for decay in decays}
LENGTH, ROOT, TENTH = linear(0.4), "1 − √x, 20 %", "linear, 20 %, to a tenth"
PILOTED = (NONE, STANDARD, ROOT)


@dataclasses.dataclass(frozen=True)
class Case(passes.Case):
    """What is trained, and by which schedules."""

    def schedule(self, arm, peak):
        share, shape, end, _ = arms[arm]
        return WarmupStableDecay(
            peak,
            steps=self.steps,
            warmup_steps=self.warmup,
            cooldown_steps=round(share * self.steps),
            end_lr=end * peak,
            cooldown=shape,
            start_lr=peak / (self.warmup + 1),
        )

    def job(self, arm, peak, seed):
        return Job(
            self.task,
            Recipe(
                schedule=self.schedule(arm, peak),
                steps=self.steps,
                batch_size=self.batch_size,
                optimizer=self.optimizer,
                average_decay=arms[arm][3],
                seed=seed,
            ),
        )

    def of(self, part):
        """The metric that it is judged by, of the weights or of their average."""

        def value(run):
            prefix = "averaged_" if run.recipe.average_decay is not None else ""
            if self.metric == "loss":
                return run.final(f"{prefix}{part}_loss")
            return 1 - run.final(f"{prefix}{part}_accuracy")

        return value


sizes = {
    "lm": (lm_steps, lm_warmup, lm_rates, lm_seeds),
    "mlp": (mlp_steps, mlp_warmup, mlp_rates, mlp_seeds),
}
cases = passes.both(Case, n_eval, n_train, **sizes)
for name, case in cases.items():
    if case.warmup + 0.5 * case.steps > case.steps:
        raise ValueError(f"{name}: the warmup must end in the first half, got {case.warmup}")
seeds = {name: range(first_seed, first_seed + case.n_seeds) for name, case in cases.items()}
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
plan = {
    ((name, arm), rate, seed): case.job(arm, rate, seed)
    for name, case in cases.items()
    for arm in arms
    for rate in case.rates
    for seed in (*seeds[name], *(pilots if arm in PILOTED else ()))
}
later = {
    "rates beyond the end of a grid": (0, more * len(arms) * (lm_seeds + mlp_seeds + pilot_seeds))
}

# %% [markdown]
# ## Prediction
#
# Written before the first look at any run longer than the smoke size; probabilities are listed
# below, with what came. Without a cooldown the transformer ends about one per cent higher, as an
# earlier entry found. Length and shape matter little once there is some cooldown: twice a fifth is
# the same, 1 − √x is no better than a line by as much as matters, a tenth is as good as zero.
# Averaging the weights gets most of what a cooldown gets.
#
# ## Result
#
# ### The arms

# %%
fig, axes = plots.figure(1, 2, height=3.0, sharey=True)
t = np.arange(lm_steps)
by_length = [NONE, *map(linear, shares)]
by_shape = [arm for arm, (share, *_) in arms.items() if share == FIFTH]
for ax, shown in zip(axes, (by_length, by_shape), strict=True):
    for style, arm in plots.styled(shown):
        ax.plot(t, cases[ONE].schedule(arm, 1.0)(t), label=arm, **style)
    ax.set(xlabel="update")
    ax.legend(loc="lower left")
axes[0].set_ylabel("learning rate / peak")
axes[1].set_xlim(0.6 * lm_steps, lm_steps)
display.show(
    fig,
    alt="Left: a constant rate and cooldowns of four lengths at its end. Right: three shapes of "
    "a cooldown, to zero and to a tenth.",
    caption=f"The schedules of the transformer, {lm_steps} updates. Left: lengths. Right: shapes, "
    "the end of the training alone.",
)

# %% tags=["nbval-ignore-output"]
runs = train_branches(plan)
for name, case in cases.items():
    of_case = runs.of([(name, arm) for arm in arms], ..., seeds[name])
    runs = Results(
        dict(runs)
        | dict(
            rate_grid.extended(
                of_case,
                lambda arm, rate, seed: cases[arm[0]].job(arm[1], rate, seed),
                case.of("validation"),
                more,
                train_branches,
            )
        )
    )


def kept(name, group):
    """The run of each arm and seed at the rate (and decay) that is best on the validation part."""
    found = {}
    for (case_arm, rate, seed), run in runs.items():
        where, arm = case_arm
        if where == name and seed in group:
            averaged = isinstance(arm, tuple)
            found[AVERAGED if averaged else arm, (arm, rate), seed] = run
    return tuned.within_seeds(Results(found), cases[name].of("validation"))


best = {name: kept(name, seeds[name]) for name in cases}
rows = list(dict.fromkeys(arm for arm, _ in best[ONE]))
display.say(
    f"{len(runs):,} runs: {len(arms)} arms at {len(lm_rates)} rates or more, on {lm_seeds} seeds "
    f"of the transformer and {mlp_seeds} of the perceptron, and {len(PILOTED)} arms of both on "
    f"{pilot_seeds} pilot seeds; {runs.note()}."
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def against(name, arm, other=STANDARD, chosen=None):
    """Paired log ratios by seed of an arm to another one, and pairs that hold a diverged run."""
    group = best[name] if chosen is None else chosen
    pair = [group.of(one) for one in (arm, other)]
    lost = [x.diverged or y.diverged for x, y in zip(*(m.values() for m in pair), strict=True)]
    values = stats.log_differences(*(m.array(cases[name].of("test")) for m in pair))
    return {"values": values, "diverged": sum(lost)}


margins = {
    ONE: claims.smallest_effect("test loss", "names_lm"),
    MANY: claims.smallest_effect("test error"),
}
compared = [arm for arm in rows if arm != STANDARD]
effects = {(name, arm): against(name, arm) for name in cases for arm in compared}
level = {
    key: claims.level(TESTED, "equivalence" if key in ((ONE, LENGTH), (ONE, TENTH)) else "effect")
    for key in effects
}
fig, axes = plots.figure(1, 2, height=4.2, sharey=True)
for ax, name in zip(axes, cases, strict=True):
    each = {arm: 100 * effects[name, arm]["values"] for arm in compared}
    found = {arm: stats.mean_interval(each[arm], level[name, arm]) for arm in compared}
    plots.intervals(ax, found, points=each)
    plots.shade(ax, -100 * margins[name], 100 * margins[name])
    ax.set(xlabel=f"difference of test {'losses' if name == ONE else 'errors'} (%)", title=name)
display.show(
    fig,
    alt="Paired differences to a linear cooldown over a fifth, one row for each other cooldown, "
    "for none and for averaged weights; left the transformer, right the perceptron.",
    caption="Each at its own rate, against a linear cooldown over the last fifth: paired "
    "differences of logarithms times 100 with the t intervals that decide, ticks are the "
    f"seeds ({lm_seeds} and {mlp_seeds}). Left of zero the arm ends lower. Shaded: too small to "
    "matter.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def rates_of(name, arm):
    return best[name].of(arm).array(lambda run: run.lr.max())


display.table(
    [
        {
            "arm": arm,
            "best rate, one pass": stats.geometric_interval(rates_of(ONE, arm)),
            "test loss [nats]": f"{best[ONE].of(arm).array(cases[ONE].of('test')).mean():.4f}",
            "best rate, many passes": stats.geometric_interval(rates_of(MANY, arm)),
            "test error [%]": 100 * best[MANY].of(arm).array(cases[MANY].of("test")).mean(),
        }
        for arm in rows
    ],
    caption="Best rates within each seed, with 95 % t intervals, and where each arm ends, means "
    f"over {lm_seeds} and {mlp_seeds} seeds.",
)
lowest = {
    name: min(rows, key=lambda a: best[name].of(a).array(cases[name].of("test")).mean())
    for name in cases
}
display.say(
    f"Lowest on average: {lowest[ONE]} in one pass, {lowest[MANY]} in many. The best rate without "
    "a cooldown is "
    + " and ".join(
        f"{np.exp(np.log(rates_of(name, NONE) / rates_of(name, STANDARD)).mean()):.2f}"
        for name in cases
    )
    + " times that with one."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot studies:

# %% tags=["nbval-ignore-output"]
pilot = {name: kept(name, pilots) for name in cases}
claims.power(
    against(ONE, ROOT, chosen=pilot[ONE])["values"],
    "log ratio of test losses, 1 − √x to linear, one pass,",
    within=margins[ONE],
    used=lm_seeds,
    tested=TESTED,
)
claims.power(
    against(MANY, NONE, chosen=pilot[MANY])["values"],
    "log ratio of test errors, no cooldown to linear, many passes,",
    beyond=margins[MANY],
    used=mlp_seeds,
    tested=TESTED,
)

# %%
settings = {
    ONE: Setting(
        "transformer of one block on surnames, one pass",
        "AdamW (weight decay 0.1)",
        f"{lm_steps} updates",
    ),
    MANY: Setting(
        f"perceptron on {n_train:,} MNIST-1D signals, {mlp_steps * 100 / n_train:.0f} passes",
        "SGD with momentum 0.9",
        f"{mlp_steps} updates",
    ),
}
units = {ONE: "log ratio of test losses", MANY: "log ratio of test errors"}
TABLE = "the table's δ of this task"


def about(name=ONE, **more):
    return About(settings[name], f"test {cases[name].metric}", reason=TABLE, **more)


def effect(slug, statement, name, arm, direction="greater", **more):
    return Claim.effect(
        slug,
        statement,
        **effects[name, arm],
        direction=direction,
        delta=margins[name],
        unit=units[name],
        **{"about": about(name)} | more,
    )


def same(slug, statement, arm):
    return Claim.equivalence(
        slug,
        statement,
        **effects[ONE, arm],
        margin=margins[ONE],
        unit=units[ONE],
        about=about(),
    )


CONTROL = (
    "Without a cooldown a constant rate ends higher than with a linear one over the last fifth, "
    "each at its own rate"
)
tested_here = {(ONE, arm) for arm in (NONE, LENGTH, ROOT, TENTH, AVERAGED)} | {(MANY, NONE)}
made = [
    effect("control", CONTROL, ONE, NONE),
    same(
        "forty-is-twenty",
        "A linear cooldown over the last 40 % ends where one over the last 20 % does, each at its "
        "own rate",
        LENGTH,
    ),
    effect(
        "root-is-lower",
        "A cooldown over the last fifth ends lower in the shape 1 − √x than in a line, each at its "
        "own rate",
        ONE,
        ROOT,
        "less",
        source="hagele2024scaling",
        published="1 − √x is better than a linear cooldown",
        about=about(
            like="analogue", lost="its size: 210 million weights and up to 200,000 updates"
        ),
    ),
    same(
        "tenth-is-zero",
        "A linear cooldown over the last fifth to a tenth of the rate ends where one to zero does, "
        "each at its own rate",
        TENTH,
    ),
    effect(
        "averaging",
        "Averaging the weights of a constant rate ends higher than a linear cooldown over the last "
        "fifth, each at its own rate",
        ONE,
        AVERAGED,
    ),
    effect("control-many", CONTROL, MANY, NONE),
    *(
        Claim.descriptive(
            f"{tuned.slug(arm.replace('1 − √x', 'root'))}-{tuned.slug(name)}",
            f"Test {cases[name].metric} against a linear cooldown over the last fifth: {arm}",
            values=found["values"],
            unit=units[name],
            about=about(name, family="against a linear cooldown"),
        )
        for (name, arm), found in effects.items()
        if (name, arm) not in tested_here
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
said = {key: phrases.percent(found["values"], level[key]) for key, found in effects.items()}
testable = judged["control"].verdict == claims.rules.SUPPORTED
averages = (judged["averaging"].high or np.inf) < margins[ONE]
if not testable:
    advice = "not testable here: these runs do not show that a cooldown matters"
else:
    longer = judged["forty-is-twenty"].verdict == claims.rules.SUPPORTED
    advice = "cool down over the last fifth" + (
        f" (the double changes less than {100 * margins[ONE]:g} %)" if longer else ""
    )
    advice += (
        ", or average the weights instead" if averages else "; averages are no sure substitute"
    )
display.answer(
    f"Transformer, one pass, {lm_steps} updates, each tuned; test loss against a linear cooldown "
    f"over the last fifth: {said[ONE, NONE]} without, "
    + "".join(f"{said[ONE, linear(s)]} over {100 * s:g} %, " for s in shares if s in (0.1, 0.4))
    + f"{said[ONE, ROOT]} as 1 − √x, {said[ONE, TENTH]} to a tenth, {said[ONE, AVERAGED]} by "
    f"averaging. Perceptron, many passes: error {said[MANY, NONE]} without. What this means for "
    f"you: {advice}.",
    claims=[claim.id for claim in made if claim.kind in claims.rules.TESTED],
)
