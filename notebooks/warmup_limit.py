# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Warmup and the largest rate that trains
#     question: Does a warmup raise the largest learning rate that trains?
#     tags: [calibration, warmup, adam, sgd, names, mnist1d]
#     smoke:
#       lm_updates: 20
#       lm_warmups: [0, 8]
#       lm_rates: [1.6e-2, 6.4e-2, 0.256]
#       mlp_updates: 40
#       mlp_warmups: [0, 16]
#       mlp_rates: [1.0, 4.0, 16.0]
#       n_seeds: 2
#       pilot_seeds: 2
# ---

# %% [markdown]
# # Warmup and the largest rate that trains
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
#
# ## Setup
#
# A transformer on surnames under Adam (batches of 32) and a perceptron on MNIST-1D under SGD
# without momentum (batches of 100). The rate rises linearly from 0 in the given number of updates
# and stays; all runs have the same number of updates, warmup included. A run trains if its loss,
# averaged over the last tenth of the updates, is below a threshold that was fixed beforehand: 2.6
# nats for the transformer (knowing only the frequency of letters gives 2.8), 1.5 nats for the
# perceptron (guessing gives 2.3). The largest rate that trains is where the loss crosses the
# threshold for the last time, interpolated in the logarithm of the rate.

# %% tags=["parameters"]
lm_updates: int = 200  # [1..] updates of the transformer
lm_warmups: list[int] = [0, 20, 80]  # [updates, 2.. of 0..<lm_updates rising] warmups, from 0
lm_rates: list[float] = [8e-3, 1.6e-2, 3.2e-2, 6.4e-2, 0.128, 0.256]  # [3.. of 0<.. rising] rates
lm_threshold: float = 2.6  # [nats, 0<..] it trains if it ends below
mlp_updates: int = 400  # [1..] updates of the perceptron
mlp_warmups: list[int] = [0, 40, 160]  # [updates, 2.. of 0..<mlp_updates rising] warmups, from 0
mlp_rates: list[float] = [1.0, 1.41, 2.0, 2.83, 4.0, 5.66, 8.0]  # [3.. of 0<.. rising] its rates
mlp_threshold: float = 1.5  # [nats, 0<..] it trains if it ends below
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
factor: float = 1.41  # [1<..] smallest ratio of two largest rates that would matter

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
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
                eval_every=0,
            ),
        )


cases = {
    "transformer, Adam": Case(
        tasks.get("names_lm"), Adam(), 32, lm_updates, lm_warmups, lm_rates, lm_threshold
    ),
    "perceptron, SGD": Case(
        tasks.get("mnist1d"), SGD(), 100, mlp_updates, mlp_warmups, mlp_rates, mlp_threshold
    ),
}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
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
)

# %% tags=["nbval-ignore-output"]
rows = []
for name, case in cases.items():
    for warmup in case.warmups:
        found = stats.geometric_interval([limit[name, warmup, seed] for seed in seeds])
        best = stats.geometric_interval([loss[name, warmup, seed].min() for seed in seeds])
        rows.append(
            {
                "case": name,
                "warmup": warmup,
                "largest rate [95 %]": found,
                "lowest loss over the rates": best.estimate,
            }
        )
display.table(
    rows,
    caption=f"The largest rate that trains, geometric mean over {n_seeds} seeds, and the lowest "
    "loss over the rates.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def raised(name, more, less, group=seeds):
    """Log ratio of the largest rates under two lengths of the warmup, seed by seed."""
    return np.log([limit[name, more, s] / limit[name, less, s] for s in group])


delta = float(np.log(factor))
for name, case in cases.items():
    pilot = raised(name, case.warmups[-1], 0, pilots)
    what = f"log ratio of the largest rates of the {name}"
    claims.power(pilot, what, beyond=delta, used=n_seeds)

# %%
transformer, perceptron = cases
claims.conclude(
    [
        Claim.effect(
            "transformer",
            "Warmup raises the largest rate that trains: transformer, Adam.",
            values=raised(transformer, cases[transformer].warmups[-1], 0),
            direction="greater",
            delta=delta,
            unit="log ratio of rates",
            published="warmup lets networks tolerate larger rates",
        ),
        Claim.effect(
            "perceptron",
            "Warmup raises the largest rate that trains: perceptron, SGD.",
            values=raised(perceptron, cases[perceptron].warmups[-1], 0),
            direction="greater",
            delta=delta,
            unit="log ratio of rates",
            published="warmup lets networks tolerate larger rates",
        ),
        Claim.effect(
            "longer",
            "A longer warmup raises it further: transformer, Adam.",
            values=raised(transformer, *cases[transformer].warmups[:0:-1][:2])
            if len(cases[transformer].warmups) > 2
            else raised(transformer, cases[transformer].warmups[-1], 0),
            direction="greater",
            delta=delta,
            unit="log ratio of rates",
        ),
    ],
    source="kalra2024warmup",
)
