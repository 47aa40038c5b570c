# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Going on after a finished run
#     short_title: Going on after a finished run
#     question: Which learning rate should a finished run be continued with?
#     tags: [resuming, rewarming, restarts, wsd, cosine, adamw, momentum, names, mnist1d]
#     smoke: {lm_steps: 16, lm_warmup: 2, lm_rates: [4.0e-3, 1.6e-2, 6.4e-2], lm_seeds: 2,
#       n_eval: 50, mlp_steps: 16, mlp_warmup: 2, mlp_rates: [0.05, 0.2, 0.8], mlp_seeds: 2,
#       n_train: 400, pilot_seeds: 2, more: 0}
#     predictions:
#       control: {supported: 0.95, inconclusive: 0.05}
#       rises-first: {seen here: 0.8, not seen here: 0.08, inconclusive: 0.12}
#       full-or-small: {seen here: 0.75, not seen here: 0.05, inconclusive: 0.2}
#       as-from-scratch: {seen here: 0.45, not seen here: 0.15, inconclusive: 0.4}
#       branch-or-rewarm: {supported: 0.25, smaller than δ: 0.2, not by δ: 0.15, contradicted: 0.05,
#         inconclusive: 0.35}
#       control-many: {supported: 0.35, smaller than δ: 0.15, not by δ: 0.1, contradicted: 0.05,
#         inconclusive: 0.35}
# ---

# %% [markdown]
# # Which learning rate should a finished run be continued with?
#
# ## Question
#
# A run has ended with its learning rate at zero, and there is time for as many updates again. For
# language models that go on with new data, warming the rate up once more raises the loss at first
# and lowers it in the longer run {cite}`gupta2023rewarm`; warming up and decaying anew was found to
# match training from scratch on everything {cite}`ibrahim2024continual`. A constant rate can be
# taken up again from before its cooldown {cite}`hagele2024scaling`. Here the data stay the same.
#
# 1. Does going on help at all, and what does each way lose at first?
# 2. How far should the rate be warmed up: to the old peak, half or a quarter of it, or not at all,
#    with a small constant rate?
# 3. Does going on from a finished run end as low as a run from scratch of the whole length, or as a
#    branch off the constant part of a warmup-stable-decay (WSD) run?
#
# ## Setup
#
# *One pass*: a transformer of one block on surnames, AdamW (weight decay 0.1), batches of 32
# windows, none of which is seen twice, also in the second half. *Many passes*: the perceptron of
# MNIST-1D {cite}`greydanus2024scaling`, SGD with momentum 0.9, no weight decay, batches of 100,
# judged by its error.
#
# The finished run is a cosine to zero over T updates, with a warmup. It is continued for T more,
# with the optimizer's state: warmed up over as many updates as at first and decayed by a cosine to
# zero, from the whole peak, half or a quarter of it; restarted at the peak at once; or at a
# constant tenth of the peak. The branch leaves a WSD run before its cooldown, which is over a fifth
# of the updates, and cools down at 2T; it goes back by T/5 updates. From scratch: a cosine over 2T.
#
# Peaks are tuned within each seed by validation loss (or error): those of the finished runs at T,
# as one who knows nothing of what will follow would do, that of the run from scratch at 2T. The
# grid has a factor of two between peaks and is extended where a mean is best at its end.

# %% tags=["parameters"]
lm_steps: int = 200  # [updates, 16..] T of the transformer, a multiple of 8
lm_warmup: int = 16  # [updates, 1..lm_steps] linear rise
lm_rates: list[float] = [8e-3, 1.6e-2, 3.2e-2, 6.4e-2]  # [3.. of 0<.. rising] grid, equal ratios
lm_seeds: int = 10  # [2..500] paired seeds
n_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
mlp_steps: int = 304  # [updates, 16..] T of the perceptron, a multiple of 8
mlp_warmup: int = 16  # [updates, 1..mlp_steps] linear rise
mlp_rates: list[float] = [0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising] grid, equal ratios
mlp_seeds: int = 16  # [2..500] paired seeds
n_train: int = 3500  # [1..3500] training signals of MNIST-1D
more: int = 3  # [peaks, 0..10] that may be added to a grid
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
from lrlab.schedules import Constant, Cosine, Join, Warmup, WarmupStableDecay
from lrlab.training.results import Results

plots.use_style()

TESTED = 6
COOLDOWN = 0.2  # share of the updates
COSINE, STABLE, SCRATCH = "cosine over T", "WSD over T", "from scratch"
FULL, HALF, QUARTER = "re-warmed to the peak", "to half of it", "to a quarter of it"
JUMP, SMALL, BRANCH = "restarted at once", "a constant tenth", "branch of a WSD run"
REWARMED = {FULL: 1.0, HALF: 0.5, QUARTER: 0.25}
CONTINUED = (*REWARMED, JUMP, SMALL, BRANCH)


@dataclasses.dataclass(frozen=True)
class Case(passes.Case):
    """What is trained, and by which schedules."""

    def length(self, arm):
        return self.steps if arm in (COSINE, STABLE) else 2 * self.steps

    def warmed_cosine(self, peak, steps):
        rest = Cosine(peak, steps=steps - self.warmup)
        return Warmup(rest, warmup_steps=self.warmup, start_lr=peak / (self.warmup + 1))

    def schedule(self, arm, peak):
        steps = self.length(arm)
        if arm in (STABLE, BRANCH):
            return WarmupStableDecay(
                peak,
                steps=steps,
                warmup_steps=self.warmup,
                cooldown_steps=round(COOLDOWN * steps),
                start_lr=peak / (self.warmup + 1),
            )
        if arm in (COSINE, SCRATCH):
            return self.warmed_cosine(peak, steps)
        if arm in REWARMED:
            then = self.warmed_cosine(REWARMED[arm] * peak, self.steps)
        else:
            then = Cosine(peak, steps=self.steps) if arm == JUMP else Constant(peak / 10)
        return Join([self.warmed_cosine(peak, self.steps), then], boundaries=[self.steps])

    def job(self, arm, peak, seed):
        return Job(
            self.task,
            Recipe(
                schedule=self.schedule(arm, peak),
                steps=self.length(arm),
                batch_size=self.batch_size,
                optimizer=self.optimizer,
                seed=seed,
                eval_every=self.steps // 8 if arm in CONTINUED else None,
            ),
        )

    def at(self, part, step=None):
        """The metric that it is judged by, at the end or after some updates; guessing at worst."""
        name = f"{part}_{'loss' if self.metric == 'loss' else 'accuracy'}"

        def value(run):
            known = run.evals["step"].tolist()
            if step is None or step not in known:  # the latter where it has diverged before
                found = run.final(name)
            else:
                found = float(run.evals[name][known.index(step)])
            if self.metric == "loss":
                return min(found, run.chance["loss"])
            return 1 - max(found, run.chance["accuracy"])

        return value


sizes = {
    "lm": (lm_steps, lm_warmup, lm_rates, lm_seeds),
    "mlp": (mlp_steps, mlp_warmup, mlp_rates, mlp_seeds),
}
cases = passes.both(Case, n_eval, n_train, **sizes)
for name, case in cases.items():
    if case.steps % 8 or not 2 * case.warmup < case.steps:
        raise ValueError(
            f"{name}: steps must be a multiple of 8 and more than twice the warmup, got "
            f"steps={case.steps} and warmup={case.warmup}"
        )
seeds = {name: range(first_seed, first_seed + case.n_seeds) for name, case in cases.items()}
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
PILOTED = (COSINE, STABLE, FULL, BRANCH)


def seeds_of(name, arm):
    return [*seeds[name], *(pilots if arm in PILOTED else ())]


plan = {
    ((name, arm), peak, seed): case.job(arm, peak, seed)
    for name, case in cases.items()
    for arm in (COSINE, STABLE, SCRATCH)
    for peak in case.rates
    for seed in seeds_of(name, arm)
}
later = {
    "going on at the tuned peaks": sum(len(seeds_of(n, arm)) for n in cases for arm in CONTINUED),
    "peaks beyond the end of a grid": (0, 3 * more * sum(map(len, seeds.values()))),
}

# %% [markdown]
# ## Prediction
#
# Written before the first look at any run longer than the smoke size; probabilities are listed
# below, with what came. In one pass going on helps, whatever the way. Warming up to the whole peak
# raises the loss first, and ends lower than a small constant rate, near a run from scratch; the
# branch off the constant part ends as low and loses nothing on the way. With many passes the
# perceptron has memorised its data by then, and hardly any way moves its error.
#
# ## Result

# %% tags=["nbval-ignore-output"]
finished = train_branches(plan)
tried = {
    name: rate_grid.extended(
        finished.of([(name, arm) for arm in (COSINE, STABLE, SCRATCH)], ..., seeds[name]),
        lambda arm, peak, seed: cases[arm[0]].job(arm[1], peak, seed),
        case.at("validation"),
        more,
        train_branches,
    )
    for name, case in cases.items()
}
piloted = {n: finished.of([(n, arm) for arm in (COSINE, STABLE)], ..., pilots) for n in cases}
tried = {n: Results(dict(tried[n]) | dict(piloted[n])) for n in cases}
best = {n: tuned.within_seeds(tried[n], case.at("validation")) for n, case in cases.items()}


def peak_of(name, arm, seed):
    return float(best[name][(name, arm), seed].lr.max())


runs = train_branches(
    {
        (name, arm, seed): case.job(
            arm, peak_of(name, STABLE if arm == BRANCH else COSINE, seed), seed
        )
        for name, case in cases.items()
        for arm in CONTINUED
        for seed in seeds_of(name, arm)
    }
)

# %% tags=["nbval-ignore-output"]
display.say(
    f"{sum(map(len, tried.values())):,} runs to find the peaks, {len(runs):,} continued: "
    f"{len(CONTINUED)} ways on {lm_seeds} seeds of the transformer, {mlp_seeds} of the perceptron "
    f"and two of them on {pilot_seeds} pilot seeds of both; {runs.note()}. The peaks of the cosine "
    "that is continued: "
    + ", ".join(
        f"{np.exp(np.mean([np.log(peak_of(name, COSINE, s)) for s in seeds[name]])):.3g} ({name})"
        for name in cases
    )
    + "."
)

# %% [markdown]
# ### On the way


# %% tags=["nbval-ignore-output"]
def values(name, arm, step=None, group=None):
    """Test metric of an arm by seed, at the end or after some updates."""
    chosen = seeds[name] if group is None else group
    members = runs.of(name, arm, chosen) if arm in CONTINUED else best[name].of((name, arm), chosen)
    return members.array(cases[name].at("test", step))


def lost(name, *names):
    """How many seeds hold a diverged run in one of these arms."""
    return sum(
        any(
            (runs[name, arm, s] if arm in CONTINUED else best[name][(name, arm), s]).diverged
            for arm in names
        )
        for s in seeds[name]
    )


fig, axes = plots.figure(1, 2, height=3.8)
for ax, (name, case) in zip(axes, cases.items(), strict=True):
    steps = np.arange(8, 17) * (case.steps // 8)
    done = values(name, COSINE)
    for style, arm in plots.styled(CONTINUED):
        ratio = np.stack([values(name, arm, step) / done for step in steps], axis=1)
        ax.plot(steps, 100 * np.log(ratio).mean(axis=0), label=arm, **style)
    whole = 100 * stats.log_differences(values(name, SCRATCH), done).mean()
    ax.plot([steps[-1]], [whole], "s", color="black", label="from scratch, over 2T")
    plots.guide(ax, y=0)
    what = "loss" if name == ONE else "error"
    ax.set(xlabel="update", ylabel=f"test {what} against the finished run (%)", title=name)
axes[0].legend(fontsize=8.5)
display.show(
    fig,
    alt="Test loss of the transformer and test error of the perceptron while a finished run is "
    "continued in six ways, relative to where it had ended.",
    caption="From T to 2T: log ratio to the finished cosine run's test loss (left) or error "
    f"(right) times 100, mean over {lm_seeds} and {mlp_seeds} seeds. The branch comes from a WSD "
    "run that was not cooled down yet; the square is a cosine over 2T from scratch.",
)
early = {name: case.steps + case.steps // 4 for name, case in cases.items()}
then = {
    arm: stats.log_differences(values(ONE, arm, early[ONE]), values(ONE, COSINE))
    for arm in CONTINUED
}
display.say(
    "A quarter into the second half the test loss is, against that of the finished run, "
    + "; ".join(f"{phrases.percent(found, 0.95)} ({arm})" for arm, found in then.items())
    + " (one pass, 95 % t intervals)."
)

# %% [markdown]
# ### At the end


# %% tags=["nbval-ignore-output"]
def against(name, a, b, at=(None, None), group=None):
    """Paired log ratios of a to b by seed, and how many pairs hold a diverged run."""
    pair = [values(name, arm, step, group) for arm, step in zip((a, b), at, strict=True)]
    return {"values": stats.log_differences(*pair), "diverged": lost(name, a, b)}


margins = {
    ONE: claims.smallest_effect("test loss", "names_lm"),
    MANY: claims.smallest_effect("test error"),
}
STOP = "stopped at T"
level = claims.level(TESTED)
fig, axes = plots.figure(1, 2, height=3.6, sharey=True)
for ax, name in zip(axes, cases, strict=True):
    each = {arm: 100 * against(name, arm, SCRATCH)["values"] for arm in CONTINUED}
    each[STOP] = 100 * against(name, COSINE, SCRATCH)["values"]
    plots.intervals(ax, stats.mean_intervals(each, level), points=each)
    plots.shade(ax, -100 * margins[name], 100 * margins[name])
    what = "losses" if name == ONE else "errors"
    ax.set(xlabel=f"difference of test {what} to a run from scratch (%)", title=name)
display.show(
    fig,
    alt="Paired differences of where continued runs end to a run from scratch of the whole "
    "length, one row for each way of going on, and one for stopping.",
    caption="At 2T, against a cosine over 2T from scratch: paired differences of logarithms times "
    f"100 with {100 * level:.3g} % t intervals, ticks are the seeds. Left of zero the way ends "
    "lower. Shaded: too small to matter.",
    headline=True,
)
order = {name: min(CONTINUED, key=lambda a: np.log(values(name, a)).mean()) for name in cases}
display.say(
    f"The lowest on average is {order[ONE]} in one pass, and {order[MANY]} in many. Besides the "
    f"updates of the second half, the branch costs the {round(COOLDOWN * lm_steps)} (one pass) or "
    f"{round(COOLDOWN * mlp_steps)} (many) of the cooldown that it takes back."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot studies:

# %% tags=["nbval-ignore-output"]
claims.power(
    against(ONE, FULL, BRANCH, group=pilots)["values"],
    "log ratio of test losses, re-warmed to branched, one pass,",
    beyond=margins[ONE],
    used=lm_seeds,
    tested=TESTED,
)
claims.power(
    against(MANY, FULL, COSINE, group=pilots)["values"],
    "log ratio of test errors, re-warmed to stopped, many passes,",
    beyond=margins[MANY],
    used=mlp_seeds,
    tested=TESTED,
)

# %%
settings = {
    ONE: Setting(
        "transformer of one block on surnames, one pass",
        "AdamW (weight decay 0.1)",
        f"a finished cosine of {lm_steps} updates and {lm_steps} more",
    ),
    MANY: Setting(
        f"perceptron on {n_train:,} MNIST-1D signals, {2 * mlp_steps * 100 / n_train:.0f} passes",
        "SGD with momentum 0.9",
        f"a finished cosine of {mlp_steps} updates and {mlp_steps} more",
    ),
}
units = {ONE: "log ratio of test losses", MANY: "log ratio of test errors"}
TABLE = "the table's δ of this task"
LOST = "the second data set, and sizes of 410 million weights and more"


def about(name=ONE, **more):
    return About(settings[name], f"test {cases[name].metric}", **{"reason": TABLE} | more)


def effect(slug, statement, direction, found, name=ONE, delta=None, **more):
    return Claim.effect(
        slug,
        statement,
        **found,
        direction=direction,
        delta=margins[name] if delta is None else delta,
        **{"unit": units[name], "about": about(name)} | more,
    )


CONTROL = "Going on, warmed up to the old peak and decayed again, ends lower than the finished run"
scratch = against(ONE, FULL, SCRATCH)
made = [
    effect("control", CONTROL, "less", against(ONE, FULL, COSINE)),
    effect(
        "rises-first",
        "A quarter into the second half, warmed up to the old peak, the loss lies above that of "
        "the finished run",
        "greater",
        against(ONE, FULL, COSINE, at=(early[ONE], None)),
        source="gupta2023rewarm",
        published="re-warming first increases the loss",
        about=about(like="analogue", lost=LOST),
    ),
    effect(
        "full-or-small",
        "Warmed up to the old peak and decayed again, the second half ends lower than at a "
        "constant tenth of that peak",
        "less",
        against(ONE, FULL, SMALL),
        source="gupta2023rewarm",
        published="in the longer run re-warming improves the loss",
        about=about(like="analogue", lost=LOST),
    ),
    effect(
        "as-from-scratch",
        "Warmed up to the old peak and decayed again, the second half ends at most "
        f"{100 * margins[ONE]:g} % above a run from scratch of the whole length",
        "less",
        {"values": scratch["values"] - margins[ONE], "diverged": scratch["diverged"]},
        delta=0.0,
        unit=f"{units[ONE]}, minus {margins[ONE]:g}",
        source="ibrahim2024continual",
        published="re-warming, re-decaying and replay match re-training from scratch",
        about=about(
            like="analogue",
            lost=LOST,
            reason="the table's δ of this task is taken off the values: no worse by as much",
        ),
    ),
    effect(
        "branch-or-rewarm",
        "Warmed up to the old peak and decayed again, the second half ends higher than a branch "
        "off the constant part of a warmup-stable-decay run, cooled down at the same update",
        "greater",
        against(ONE, FULL, BRANCH),
    ),
    effect("control-many", CONTROL, "less", against(MANY, FULL, COSINE), MANY),
    *(
        Claim.descriptive(
            f"{slug}-{tuned.slug(name)}",
            f"Test {cases[name].metric} at the end against a run from scratch: {arm}",
            values=against(name, arm, SCRATCH)["values"],
            unit=units[name],
            about=about(name, family="against a run from scratch"),
        )
        for name in cases
        for slug, arm in (
            ("full", FULL),
            ("half", HALF),
            ("quarter", QUARTER),
            ("restart", JUMP),
            ("small", SMALL),
            ("branch", BRANCH),
        )
        if (name, arm) != (ONE, FULL)
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)


def said(a, b, at=(None, None), name=ONE):
    return phrases.percent(against(name, a, b, at)["values"], level)


if judged["control"].verdict != claims.rules.SUPPORTED:
    advice = "not testable here: these runs do not show that going on helps"
elif judged["branch-or-rewarm"].verdict == claims.rules.SUPPORTED:
    advice = "where you may want to go on, keep a checkpoint from before the cooldown; branch there"
elif judged["full-or-small"].verdict == claims.rules.SEEN:
    advice = "warm the learning rate up again and decay it; a small constant one gains less"
    if (judged["branch-or-rewarm"].low or 0) > 0:
        advice += ", a branch from before a cooldown more"
else:
    advice = "these runs do not tell the ways of going on apart"
display.answer(
    f"Going on for {lm_steps} updates after a finished cosine of {lm_steps} (transformer, one "
    f"pass), warmed up to the old peak and decayed again: test loss {said(FULL, COSINE)} to the "
    f"finished run, after {said(FULL, COSINE, (early[ONE], None))} a quarter on the way; "
    f"{said(FULL, SCRATCH)} to a run from scratch, {said(FULL, SMALL)} to a constant tenth, "
    f"{said(FULL, BRANCH)} to a branch of a WSD run. What this means for you: {advice}.",
    claims=["control", "rises-first", "full-or-small", "as-from-scratch", "branch-or-rewarm"],
)
