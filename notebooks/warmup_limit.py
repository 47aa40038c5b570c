# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Warmup and the largest rate that trains
#     short_title: Warmup and the largest rate
#     question: Does a warmup raise the largest learning rate that trains?
#     tags: [calibration, warmup, adam, sgd, names, mnist1d]
#     smoke:
#       lm_updates: 12
#       lm_warmups: [0, 8]
#       lm_rates: [1.6e-2, 6.4e-2, 0.256]
#       lm_eval: 50
#       mlp_updates: 24
#       mlp_warmups: [0, 16]
#       mlp_rates: [1.0, 4.0, 16.0]
#       n_seeds: 2
#       pilot_seeds: 2
#     foretold:
#       - says: For the transformer the longest warmup raises the largest rate by a factor of two to
#           four.
#         claims: not judged
#       - says: The short one raises it by less.
#         claims: {longer: seen here}
#       - says: For the perceptron, whose default initialisation is not sharp, it changes little.
#         claims: not judged
# ---

# %% [markdown]
# # Does a warmup raise the largest learning rate that trains?
#
# ## Question
#
# Why warm up? One answer is that it lets training bear larger rates: "the overwhelming benefit of
# warmup arises from allowing the network to tolerate larger" target rates, by moving it to flatter
# places first {cite}`kalra2024warmup`.
#
# 1. Is the largest rate that trains larger with a warmup than without, for a transformer under
#    Adam?
# 2. And for a perceptron under plain gradient descent, whose initialisation is flat already?
# 3. Does a longer warmup raise it further?
# 4. Does the loss at the best rate gain from it?
#
# ## Setup
#
# A transformer on surnames under Adam (batches of 32) and a perceptron on MNIST-1D under SGD
# without momentum (batches of 100). The rate rises linearly from 0 in the given number of updates
# and stays; all runs have the same number of updates, warmup included. A run trains if its loss,
# averaged over the last tenth of the updates, is below a threshold that was fixed beforehand: 2.6
# nats for the transformer (knowing only the frequency of letters gives 2.8), 1.5 nats for the
# perceptron (guessing gives 2.3). The largest rate that trains is where the loss crosses the
# threshold for the last time, interpolated in the logarithm of the rate. The loss at the best rate
# is the test loss of the run that has the lowest validation loss among the rates, seed by seed.

# %% tags=["parameters"]
lm_updates: int = 200  # [1..] updates of the transformer
lm_warmups: list[int] = [0, 20, 80]  # [updates, 2.. of 0..<lm_updates rising] warmups, from 0
lm_rates: list[float] = [8e-3, 1.6e-2, 3.2e-2, 6.4e-2, 0.128, 0.256]  # [3.. of 0<.. rising] rates
lm_eval: int = 1000  # [windows, 1..2169] of the validation part and of the test part
lm_threshold: float = 2.6  # [nats, 0<..] it trains if it ends below
mlp_updates: int = 400  # [1..] updates of the perceptron
mlp_warmups: list[int] = [0, 160]  # [updates, 2.. of 0..<mlp_updates rising] warmups, from 0
mlp_rates: list[float] = [1.0, 1.41, 2.0, 2.83, 4.0, 5.66, 8.0]  # [3.. of 0<.. rising] its rates
mlp_threshold: float = 1.5  # [nats, 0<..] it trains if it ends below
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook.phrases import judged, percent
from lrlab.optimizers import SGD, Adam, Optimizer
from lrlab.schedules import Constant, Warmup
from lrlab.tasks import Task

plots.use_style()


@dataclasses.dataclass(frozen=True)
class Case:
    """What is trained: task, optimizer, and what is varied."""

    task: Task
    optimizer: Optimizer
    batch_size: int
    updates: int
    warmups: list[int]
    rates: list[float]
    threshold: float

    def job(self, warmup, rate, seed):
        schedule = Constant(rate)
        if warmup:
            schedule = Warmup(schedule, warmup_steps=warmup)
        return Job(
            self.task,
            Recipe(
                schedule=schedule,
                steps=self.updates,
                batch_size=self.batch_size,
                optimizer=self.optimizer,
                seed=seed,
            ),
        )


cases = {
    "transformer, Adam": Case(
        tasks.get("names_lm", n_eval=lm_eval),
        Adam(),
        32,
        lm_updates,
        lm_warmups,
        lm_rates,
        lm_threshold,
    ),
    "perceptron, SGD": Case(
        tasks.get("mnist1d"), SGD(), 100, mlp_updates, mlp_warmups, mlp_rates, mlp_threshold
    ),
}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
plan = {
    ((name, warmup, seed), rate): case.job(warmup, rate, seed)
    for name, case in cases.items()
    for seed in (*seeds, *pilots)
    for warmup in (case.warmups if seed in seeds else (0, case.warmups[-1]))
    for rate in case.rates
}

# %% [markdown]
# ## Prediction
#
# Written after a first look with two seeds, and before these runs. For the transformer the
# longest warmup raises the largest rate by a factor of two to four, and the short one by less.
# For the perceptron, whose default initialisation is not sharp, it changes little.
#
# The loss at the best rate was not spoken of; since then a factor of 1.28 between two rates, where
# it had been 1.41, counts as a difference.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%


def end(run):
    """Training loss over the last tenth; as guessing where the run diverged."""
    return run.chance["loss"] if run.diverged else run.loss[-max(1, run.steps // 10) :].mean()


loss = runs.arrays(end)
display.say(
    f"{len(runs)} runs: {len(cases)} cases, {n_seeds} paired seeds, and {pilot_seeds} of the pilot."
)


best = {
    point: min(group.values(), key=lambda run: run.final("validation_loss")).final("test_loss")
    for point, group in runs.groups().items()
}


def largest_rate(rates, losses, threshold):
    """Where the loss crosses the threshold for the last time, on a logarithmic axis."""
    below = np.flatnonzero(np.asarray(losses) < threshold)
    if not below.size:
        return rates[0]
    k = below[-1]
    if k == len(rates) - 1:
        return rates[k]
    share = (threshold - losses[k]) / (losses[k + 1] - losses[k])
    return float(rates[k] * (rates[k + 1] / rates[k]) ** share)


limit = {
    (name, warmup, seed): largest_rate(cases[name].rates, values, cases[name].threshold)
    for (name, warmup, seed), values in loss.items()
}

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.6)
for ax, (name, case) in zip(axes, cases.items(), strict=True):
    curves = {
        f"{warmup} updates": stats.band([loss[name, warmup, s] for s in seeds], scale="log")
        for warmup in case.warmups
    }
    plots.bands(ax, case.rates, curves)
    plots.guide(ax, y=case.threshold)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="learning rate",
        ylabel="loss at the end (nats)",
        title=name,
    )
    plots.ticks(ax.xaxis, case.rates[::2])
    ax.set_ylim(top=1.1 * case.task.chance_loss)
    ax.legend(title="warmup")
display.show(
    fig,
    alt="Loss at the end against the rate, one line for each length of the warmup; left the "
    "transformer under Adam, right the perceptron under SGD.",
    caption="Loss over the last tenth of the updates against the rate, geometric mean and 95 % t "
    f"interval over {n_seeds} seeds; a run that diverged counts as guessing, "
    f"{runs.note()}. Dotted: what counts as training.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
at_end = sum(x in (cases[key[0]].rates[0], cases[key[0]].rates[-1]) for key, x in limit.items())
rows = []
for name, case in cases.items():
    for warmup in case.warmups:
        found = stats.geometric_interval([limit[name, warmup, seed] for seed in seeds])
        rows.append(
            {
                "case": name,
                "warmup": warmup,
                "largest rate [95 %]": found,
                "test loss at the best rate [95 %]": stats.geometric_interval(
                    [best[name, warmup, seed] for seed in seeds]
                ),
            }
        )
display.table(
    rows,
    digits=4,
    caption=f"The largest rate that trains, and the test loss at the best rate (nats): geometric "
    f"means and 95 % t intervals over {n_seeds} seeds. {at_end} of {len(limit)} largest rates lie "
    "at an end of the grid.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def raised(name, more, less, group=seeds):
    """Log ratio of the largest rates under two lengths of the warmup, seed by seed."""
    return np.log([limit[name, more, s] / limit[name, less, s] for s in group])


delta = claims.smallest_effect("learning rate")
tested = 4
for name, case in cases.items():
    pilot = raised(name, case.warmups[-1], 0, pilots)
    what = f"log ratio of the largest rates of the {name}"
    claims.power(pilot, what, beyond=delta, used=n_seeds, tested=tested)

transformer, perceptron = cases
longest = {name: case.warmups[-1] for name, case in cases.items()}


def at_best(group):
    """Paired log ratios of the transformer's test losses at the best rate, with and without."""
    return stats.log_differences(
        *([best[transformer, w, s] for s in group] for w in (longest[transformer], 0))
    )


same = claims.smallest_effect("test loss", "names_lm")
what = "log ratio of the transformer's test losses at the best rate"
claims.power(at_best(pilots), what, within=same, used=n_seeds, tested=tested)

# %%
short = cases[transformer].warmups[-2]
settings = {
    name: Setting(f"{model} on {data}", optimizer, f"{cases[name].updates} updates")
    for name, model, data, optimizer in (
        (transformer, "transformer", "surnames", "Adam"),
        (perceptron, "perceptron", "MNIST-1D", "SGD without momentum"),
    )
}
like = {"like": "analogue", "lost": "its networks and images"}


def raises(slug, name, more, less, words):
    """That the longer of two warmups raises the largest rate that trains."""
    return Claim.effect(
        slug,
        words,
        values=raised(name, more, less),
        direction="greater",
        unit="log ratio of rates",
        source="kalra2024warmup",
        published="warmup lets networks tolerate larger rates",
        about=About(settings[name], "learning rate", family="the largest rate that trains", **like),
    )


RAISES = "raises the largest learning rate that trains"
made = [
    *(
        raises(
            slug,
            name,
            longest[name],
            0,
            f"A warmup of {longest[name]} updates {RAISES} the {slug}",
        )
        for slug, name in (("transformer", transformer), ("perceptron", perceptron))
    ),
    raises(
        "longer",
        transformer,
        longest[transformer],
        short,
        f"A warmup of {longest[transformer]} updates {RAISES} the transformer, against one of "
        f"{short}",
    ),
    Claim.equivalence(
        "best-loss",
        f"With a warmup of {longest[transformer]} updates the transformer's test loss at the best "
        "rate is the same as without one",
        values=at_best(seeds),
        margin=same,
        unit="log ratio of test losses",
        about=About(settings[transformer], "test loss", reason="the table's δ of this task"),
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
found = judged(made)


def times(slug):
    """A log ratio as a factor."""
    c = found[slug]
    if c.low is None:
        return f"by a factor of {np.exp(c.estimate):.2f}"
    return f"by a factor of {np.exp(c.estimate):.2f} [{np.exp(c.low):.2f}, {np.exp(c.high):.2f}]"


effect, same_level = claims.level(tested), claims.level(tested, "equivalence")
loss_at_best = stats.mean_interval(at_best(seeds), same_level)
display.answer(
    f"A warmup of {longest[transformer]} of {lm_updates} updates moves the largest learning rate "
    f"that trains {times('transformer')} for a transformer under Adam, and one of "
    f"{longest[perceptron]} of {mlp_updates} {times('perceptron')} for a perceptron under plain "
    f"SGD ({100 * effect:.1f} %). The transformer's test loss at its best rate changes by "
    f"{percent(at_best(seeds), same_level)} ({100 * same_level:.1f} %). "
    + "What this means for you: "
    + (
        "warm up a transformer under Adam, so that a rate that was chosen too high does less harm; "
        if found["transformer"].verdict == "seen here"
        else "don't count on a warmup for a larger rate; "
    )
    + (
        "don't expect a lower loss of it at a tuned constant rate."
        if loss_at_best.low > -same
        else "where the rate is tuned it lowers the loss as well."
        if loss_at_best.high < 0
        else "whether it lowers the loss where the rate is tuned stays open."
    ),
    claims=["transformer", "perceptron", "best-loss"],
)
