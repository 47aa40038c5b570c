# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: The edge of stability
#     question: Does the sharpness settle where the learning rate puts the edge of stability?
#     tags: [calibration, sharpness, sgd, momentum, adam, mnist1d]
#     smoke: {updates: 40, every: 5, n_train: 50, n_seeds: 2, pilot_seeds: 2,
#       momentum_rates: [0.1, 0.05]}
# ---

# %% [markdown]
# # The edge of stability
#
# ## Question
#
# On a quadratic, gradient descent at a rate $\eta$ is stable as long as the largest eigenvalue
# $\lambda$ of the Hessian, the sharpness, is below $2/\eta$. Networks trained on full batches get
# sharper until they are there, and then the sharpness "hovers at, or just above" $2/\eta$ while the
# loss still falls {cite}`cohen2021edge`.
#
# 1. Does $\eta\lambda$ settle just above 2, at several rates?
# 2. At $2(1+\beta)$ with momentum $\beta$, and does the preconditioned sharpness settle at
#    $2(1+\beta_1)/(1-\beta_1) = 38$ under Adam {cite}`cohen2022adaptive`?
# 3. What of a small rate, of cross-entropy, and of minibatches?
# 4. Does the loss at the edge rise from update to update, and fall all the same?
#
# ## Setup
#
# A smooth perceptron (40-50-10, tanh) on MNIST-1D, squared error, the whole training part in every
# batch, constant rates without warmup. The sharpness is that of the training loss, by Lanczos on
# Hessian-vector products to one in a thousand, after odd and even updates in turn, since descent at
# the edge oscillates from one update to the next. What counts is its mean over the last quarter of
# the training, on a logarithmic scale, relative to the edge. Minibatches are no smaller than 10,
# since with 5 one of five seeds diverged at this rate.

# %% tags=["parameters"]
sgd_rates: list[float] = [0.35, 0.25, 0.2]  # [1.. of 0<..] rates that should get to the edge
small_rate: float = 0.05  # [0<..] and one that is too small for the length of the training
momentum_rates: list[float] = [0.4, 0.2]  # [1.. of 0<..] rates with momentum 0.9
adam_rates: list[float] = [4e-3, 2e-3]  # [1.. of 0<..] rates of Adam
entropy_rate: float = 1.4  # [0<..] rate of cross-entropy, which is less sharp
minibatch_rate: float = 0.35  # [0<..] rate of the minibatches
minibatches: list[int] = [20, 10]  # [signals, 1.. of 1..n_train] in a minibatch
updates: int = 1600  # [8..] updates of each run
every: int = 45  # [updates, 1..updates] between two measurements, odd
n_train: int = 200  # [1..3500] training signals, all in one batch
n_seeds: int = 5  # [2..500] seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
margin: float = 0.1  # [0<..<1] largest log ratio to the edge that counts as being at the edge
rising: float = 0.1  # [0<..<1] smallest share of rising updates that makes a loss non-monotone

# %% tags=["setup"]
import dataclasses

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.curvature.probe import Sharpness, edge
from lrlab.optimizers import SGD, Adam, Optimizer
from lrlab.schedules import Constant

plots.use_style()

if updates < 8 * every or every % 2 == 0:
    raise ValueError(
        f"need an odd number of updates between measurements, and at least eight of these, got "
        f"every={every}, updates={updates}"
    )


@dataclasses.dataclass(frozen=True)
class Case:
    """What is trained."""

    rate: float
    optimizer: Optimizer = dataclasses.field(default_factory=SGD)
    objective: str = "squared"
    batch: int = n_train

    def job(self, seed):
        task = tasks.get("mnist1d", architecture="tanh", objective=self.objective, n_train=n_train)
        recipe = Recipe(
            schedule=Constant(self.rate),
            steps=updates,
            batch_size=self.batch,
            optimizer=self.optimizer,
            seed=seed,
            eval_every=0,
        )
        return Job(task, recipe, (Sharpness(every, isinstance(self.optimizer, Adam)),))


heavy = SGD(momentum=0.9)
groups = {
    "gradient descent": [Case(rate) for rate in (*sgd_rates, small_rate)],
    "momentum 0.9": [Case(rate, heavy) for rate in momentum_rates],
    "Adam": [Case(rate, Adam()) for rate in adam_rates],
    "departures": [
        Case(entropy_rate, objective="cross-entropy"),
        *(Case(minibatch_rate, batch=batch) for batch in minibatches),
    ],
}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
cases = list(dict.fromkeys(case for group in groups.values() for case in group))
leading = [groups[name][0] for name in ("gradient descent", "momentum 0.9", "Adam")]
plan = {(case, seed): case.job(seed) for case in cases for seed in seeds}
plan |= {(case, seed): case.job(seed) for case in leading for seed in pilots}

# %% [markdown]
# ## Prediction
#
# Written after a look at one seed that is not used here, and before these runs. Gradient descent
# ends two to six per cent above 2 at the three larger rates, and at the small one it is still far
# below. With momentum and under Adam the sharpness ends within a few per cent of the edge, rather
# below than above it. Cross-entropy peaks early, at the edge, and declines. Minibatches keep the
# sharpness below the edge throughout, the smaller ones farther. At the edge the loss rises in
# nearly half of the updates and falls by a third from one quarter of the training to the next.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
relative = {}
for (case, seed), run in runs.items():
    if run.diverged:
        raise ValueError(f"{case} with seed {seed} diverged at update {run.steps}: lower the rate")
    probe = run.probes["Sharpness"]
    relative[case, seed] = case.rate * probe["largest"] / edge(case.optimizer)
display.say(
    f"{len(runs)} runs of {updates} updates: {len(cases)} cases, {n_seeds} seeds, and "
    f"{len(leading) * pilot_seeds} runs of the pilot."
)


def curve(case, seed):
    """Sharpness over its edge, at the common steps."""
    values = relative[case, seed]
    return values[-(updates // every) :]


def settled_at(case, seed):
    """Mean log ratio to the edge over the last quarter of the training."""
    values = curve(case, seed)
    return float(np.log(values[-(len(values) // 4) :]).mean())


def label(case):
    extra = "" if case.objective == "squared" else ", cross-entropy"
    extra += f", batches of {case.batch}" if case.batch != n_train else ""
    return f"{case.rate:g}{extra}"


# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(2, 2, height=6.0, sharex=True, sharey=True)
at = every * np.arange(1, updates // every + 1)
for ax, (name, group) in zip(axes.flat, groups.items(), strict=True):
    curves = {
        label(case): stats.band([curve(case, s) for s in seeds], scale="log") for case in group
    }
    plots.bands(ax, at, curves)
    plots.guide(ax, y=1)
    ax.set(title=name, yscale="log")
    free = "center right" if name == "departures" else "lower right"
    ax.legend(title="rate", loc=free)
axes[0, 0].set_ylim(0.015, 1.6)
for ax in axes[:, 0]:
    ax.set_ylabel("sharpness / edge")
for ax in axes[1]:
    ax.set_xlabel("update")
display.show(
    fig,
    alt="Sharpness over the edge of stability against the update, in four panels: gradient "
    "descent, momentum, Adam, and departures. A line at one marks the edge.",
    caption="Sharpness over the edge: 2/η for gradient descent, 2(1+β)/η with momentum, 38/η of "
    "the preconditioned sharpness under Adam. Geometric mean and 95 % t interval over "
    f"{n_seeds} seeds.",
)

# %% tags=["nbval-ignore-output"]
rows = []
for name, group in groups.items():
    for case in group:
        limit = edge(case.optimizer)
        settled = limit * np.exp([settled_at(case, seed) for seed in seeds])
        highest = np.exp(np.mean([np.log(curve(case, seed).max()) for seed in seeds]))
        rows.append(
            {
                "case": name,
                "rate": label(case),
                "edge × rate": limit,
                "rate × sharpness, last quarter [95 %]": stats.geometric_interval(settled),
                "highest": float(limit * highest),
            }
        )
display.table(
    rows,
    caption="Rate times sharpness over the last quarter of the training and at its highest, "
    f"geometric mean over {n_seeds} seeds.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for name, case in zip(groups, leading, strict=False):
    pilot = [settled_at(case, seed) for seed in pilots]
    what = f"log ratio to the edge, leading rate of {name},"
    claims.power(pilot, what, within=margin, used=n_seeds)

# %%
descent, (entropy, *stochastic) = groups["gradient descent"], groups["departures"]
losses = runs.final(lambda run: run.loss)
quarter = updates // 4


def at_edge(id, statement, case, source, published):
    return Claim.equivalence(
        id,
        statement,
        values=[settled_at(case, seed) for seed in seeds],
        margin=margin,
        unit="log ratio to the edge",
        source=source,
        published=published,
    )


def log_end_over_peak(case, seed):
    values = curve(case, seed)
    return settled_at(case, seed) - float(np.log(values.max()))


def log_fall(case, seed):
    """Log ratio of the mean loss over the last quarter to that over the quarter before."""
    return float(np.diff(np.log(losses[case, seed][-2 * quarter :].reshape(2, -1).mean(1)))[0])


def share_rising(case, seed):
    """Share of the updates of the last quarter after which the loss is higher."""
    return float((np.diff(losses[case, seed][-quarter:]) > 0).mean())


def over_rates(measure):
    """Mean over the rates that get to the edge, one for each seed."""
    return [np.mean([measure(case, seed) for case in descent[:-1]]) for seed in seeds]


claims.conclude(
    [
        *(
            at_edge(
                f"gradient-descent-{k}",
                f"Sharpness settles at 2/η: rate {case.rate:g}.",
                case,
                "cohen2021edge",
                "hovers at, or just above, 2/η",
            )
            for k, case in enumerate(descent[:-1], 1)
        ),
        Claim.effect(
            "just-above",
            "It settles above 2/η, not below (mean over these rates).",
            values=over_rates(settled_at),
            direction="greater",
            unit="log ratio to the edge",
            published="just above 2/η",
        ),
        Claim.effect(
            "not-monotone",
            "At 2/η the loss rises after many of the updates.",
            values=over_rates(share_rising),
            direction="greater",
            delta=rising,
            unit="share of updates",
            published="non-monotone over short timescales",
        ),
        Claim.effect(
            "loss-falls",
            "At 2/η the loss falls all the same, from one quarter of the training to the next.",
            values=over_rates(log_fall),
            direction="less",
            delta=margin,
            unit="log ratio of losses",
            published="decreases over long timescales",
        ),
        *(
            at_edge(
                f"momentum-{k}",
                f"With momentum it settles at 2(1 + β)/η: rate {case.rate:g}.",
                case,
                "cohen2021edge",
                "2(1 + β)/η",
            )
            for k, case in enumerate(groups["momentum 0.9"], 1)
        ),
        *(
            at_edge(
                f"adam-{k}",
                f"Under Adam the preconditioned one settles at 38/η: {case.rate:g}.",
                case,
                "cohen2022adaptive",
                "38/η at β₁ = 0.9",
            )
            for k, case in enumerate(groups["Adam"], 1)
        ),
        Claim.effect(
            "small-rate",
            f"At the small rate {small_rate:g} the edge is not reached.",
            values=[float(np.log(curve(descent[-1], seed).max())) for seed in seeds],
            direction="less",
            delta=margin,
            unit="log ratio of its maximum to the edge",
            source="",
        ),
        Claim.effect(
            "cross-entropy",
            "Under cross-entropy the sharpness declines again late in training.",
            values=[log_end_over_peak(entropy, seed) for seed in seeds],
            direction="less",
            delta=margin,
            unit="log ratio of end to peak",
            published="with cross-entropy it drops at the end of training",
        ),
        *(
            Claim.effect(
                f"minibatches-{k}",
                f"With minibatches of {case.batch} it settles below the edge.",
                values=[settled_at(case, seed) for seed in seeds],
                direction="less",
                delta=margin,
                unit="log ratio to the edge",
                published="with SGD the sharpness does not settle at 2/η",
            )
            for k, case in enumerate(stochastic, 1)
        ),
    ],
    source="cohen2021edge",
)
