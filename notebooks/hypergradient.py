# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Gradient descent on the rate itself
#     question: Does hypergradient descent mend a badly chosen rate, and is it too expensive?
#     tags: [calibration, sources, hypergradient, mnist1d, sgd, momentum, adam]
#     smoke:
#       steps: 20
#       n_train: 400
#       n_seeds: 2
#       pilot_seeds: 2
#       tuning_seeds: 1
#       sgd_rates: [0.25, 0.5, 1.0]
#       momentum_rates: [0.05, 0.1, 0.2]
#       adam_rates: [0.004, 0.008, 0.016]
#       betas: [0.1, 0.2, 0.4]
#       others: [1.0, 10.0]
# ---

# %% [markdown]
# # Gradient descent on the rate itself
#
# ## Question
#
# "One can even take gradients with respect to a hyperparameter, hypergradient descent; it is not
# popular, since it costs too much" {cite}`mtdickens2024`. Baydin et al. take that gradient from one
# update to the next, which needs little computation and one more copy of the gradient in memory;
# for SGD, Nesterov's momentum and Adam it moved the loss towards that of a tuned rate in all their
# cases {cite}`baydin2018hypergradient`.
#
# 1. From a rate that is far too small or too large, does it end below the constant rate?
# 2. Does it end as low as the tuned constant?
# 3. What does it cost in time and memory?
#
# The other way, a gradient through the whole training, is in the entry *A meta-learned learning
# rate*, which holds the rate published for MNIST-1D against ours.
#
# ## Setup
#
# Before each update the rate is multiplied by $1 + \beta \cos\varphi$, where $\varphi$ is the angle
# between the new gradient and what the optimizer last stepped along, momentum and scaling included:
# it grows while gradients point on, and shrinks when they turn back. This is the form whose
# $\beta$ does not depend on the size of the gradients. The perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, batches of 100. On tuning seeds and the validation loss, the
# constant rate and $\beta$ are tuned with equally many runs for each optimizer; $\beta$ for both
# bad starts together. What counts is the test loss at the end; a run that diverges, or ends above
# guessing, counts as guessing.

# %% tags=["parameters"]
steps: int = 300  # [updates, 2..] length of training
n_train: int = 3500  # [1..3500] training signals
batch_size: int = 100  # [signals, 1..n_train] in a batch
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
tuning_seeds: int = 2  # [1..500] of β; twice as many of the rates, so that the runs are as many
sgd_rates: list[float] = [0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0]  # [3.. of 0<.. rising]
# constants, SGD
momentum_rates: list[float] = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising]
# constants, momentum
adam_rates: list[float] = [1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2, 6.4e-2]  # [3.. of 0<.. rising]
# constants, Adam
betas: list[float] = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising]
# β of the hypergradient
low: float = 0.01  # [0<..<1] far too small: this times the tuned rate
high: float = 4.0  # [1<..] too large
others: list[float] = [0.1, 1.0, 10.0]  # [2.. of 0<.. rising] more starts, with 1 among them
delta: float = 0.02  # [0<..] smallest difference of log losses that would matter
margin: float = 0.05  # [0<..] log losses within this are as good
little: float = 1.25  # [1<..<expensive] up to this ratio of time the cost is little
expensive: float = 2.0  # [little<..] from this ratio of time on it is too much: a second run
costs: str = "benchmarks/results/hypergradient.json"  # [any] raw results, in the repository

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import measured, tuned
from lrlab.optimizers import SGD, Adam
from lrlab.schedules import Constant
from lrlab.schedules.controllers import HypergradientDescent

plots.use_style()

if not (0 < low < 1 < high < others[-1] and 1.0 in others):
    raise ValueError(f"need low < 1 < high < the last of others, got {low}, {high}, {others}")
raw = measured.read(costs)
task = tasks.get("mnist1d", n_train=n_train)
optimizers = {"SGD": SGD(), "momentum": SGD(momentum=0.9), "Adam": Adam()}
grids = {"SGD": sgd_rates, "momentum": momentum_rates, "Adam": adam_rates}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
starts = sorted({low, high, *others})


def job(optimizer, source, seed):
    return Job(
        task,
        Recipe(
            schedule=source,
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizers[optimizer],
            seed=seed,
        ),
    )


tuning = range(1000, 1000 + 2 * tuning_seeds)
plan = {
    (o, rate, s): job(o, Constant(rate), s) for o in optimizers for rate in grids[o] for s in tuning
}
compared = 2 * len(optimizers) * (len(starts) * n_seeds + 2 * pilot_seeds)
tuning_beta = 2 * len(optimizers) * len(betas) * tuning_seeds
later = {"β at the tuned rates": tuning_beta, "the comparison at the tuned β": compared}

# %% [markdown]
# ## Prediction
#
# Written after a look at one tuning seed, and before these runs. From a hundredth of the tuned rate
# and from its fourfold all three end far below the constant rate. Momentum and Adam end as low as
# the tuned constant, SGD ends above it: its rate falls again too early, since a gradient that looks
# one update ahead prefers small rates {cite}`wu2018understanding`. From the tenfold rate SGD is
# lost, since the first updates have ruined the network before the rate has fallen. It costs a
# quarter more time on the perceptron and next to nothing on LeNet.
#
# ## Result

# %% tags=["nbval-ignore-output"]
tuning_runs = train_many(plan)


# %%
def mean_by(runs):
    """Geometric mean of the validation losses by optimizer and hyperparameter."""
    return {
        o: {
            v: float(np.exp(np.log(each.array("validation_loss")).mean()))
            for v, each in by.groups().items()
        }
        for o, by in runs.groups().items()
    }


rate_losses = mean_by(tuning_runs)
rates = {o: tuned.best_rate(list(by), list(by.values())) for o, by in rate_losses.items()}
beta_plan = {
    (o, b, start, s): job(o, HypergradientDescent(start * rates[o], beta=b), s)
    for o in optimizers
    for b in betas
    for start in (low, high)
    for s in tuning[:tuning_seeds]
}
display.say(
    f"{len(plan)} runs to tune the constant rates, {len(beta_plan)} to tune β, "
    f"{2 * len(optimizers) * (len(starts) * n_seeds + 2 * pilot_seeds)} to compare and in the "
    "pilot."
)

# %% tags=["nbval-ignore-output"]
beta_losses = mean_by(train_many(beta_plan))
chosen = {o: tuned.best_rate(list(by), list(by.values())) for o, by in beta_losses.items()}
fig, axes = plots.figure(1, 2, height=3.3, sharey=True)
for style, o in plots.styled(optimizers):
    for ax, by, unit in ((axes[0], rate_losses[o], rates[o]), (axes[1], beta_losses[o], 1.0)):
        ax.plot(np.array(list(by)) / unit, list(by.values()), marker="o", label=o, **style)
axes[0].set(
    xscale="log", xlabel="constant rate / tuned rate", yscale="log", ylabel="validation loss [nats]"
)
axes[1].set(xscale="log", xlabel="β of hypergradient descent")
plots.ticks(axes[1].xaxis, betas)
plots.ticks(axes[0].xaxis, [1 / 16, 1 / 4, 1, 4, 16])
axes[1].legend()
display.show(
    fig,
    alt="Validation loss against the constant rate, basins, and against the beta of hypergradient "
    "descent, for SGD, momentum and Adam.",
    caption=f"Tuning: validation loss after {steps} updates against the constant rate (geometric "
    f"mean over {2 * tuning_seeds} tuning seeds), and against β (over {tuning_seeds} tuning seeds, "
    f"each from {low:g} and {high:g} times the tuned rate).",
)
edges = [f"{o} ({chosen[o]:g})" for o in optimizers if chosen[o] in (betas[0], betas[-1])]
display.say(
    "Tuned: "
    + "; ".join(f"{o} rate {rates[o]:.3g}, β {chosen[o]:.3g}" for o in optimizers)
    + f". At an edge of the grid of β: {', '.join(edges) or 'none'}; β has to be below 1, so that "
    "above 0.5 there is no room for another factor of 2."
)

# %% tags=["nbval-ignore-output"]
KINDS = {
    "constant": lambda o, rate: Constant(rate),
    "hypergradient": lambda o, rate: HypergradientDescent(rate, beta=chosen[o]),
}
arms = [(o, start, s) for o in optimizers for start in starts for s in seeds]
arms += [(o, start, s) for o in optimizers for start in (low, high) for s in pilots]
runs = train_many(
    {
        (kind, o, start, s): job(o, make(o, start * rates[o]), s)
        for kind, make in KINDS.items()
        for o, start, s in arms
    }
)


def losses(kind, optimizer, start, group=seeds):
    return runs.of(kind, optimizer, start, group).array("test_loss")


def curve(run, window=10):
    """Training loss by windows of updates, at most that of guessing, which it is after a crash."""
    filled = np.full(steps, task.chance_loss)
    filled[: run.steps] = np.fmin(run.loss, task.chance_loss)
    return np.log(filled[: steps // window * window].reshape(-1, window).mean(axis=1))


fig, axes = plots.figure(2, 3, height=6.0, sharex=True, sharey="row")
BLUE, RED, BLACK = plots.COLOURS[0], plots.COLOURS[1], "#222222"
shown = {low: BLUE, 1.0: BLACK, high: RED}
at = np.arange(steps // 10) * 10 + 5
for (above, below), o in zip(axes.T, optimizers, strict=True):
    for start, colour in shown.items():
        for s in seeds:
            path = runs["hypergradient", o, start, s].lr / rates[o]
            above.plot(path, color=colour, linewidth=0.8, alpha=0.7)
        above.plot([], [], color=colour, label=f"from {start:g} × tuned")
    plots.guide(above, y=1)
    above.set(yscale="log", title=f"{o}, β = {chosen[o]:.2g}")
    lines = {
        "tuned constant": ("constant", 1.0, BLACK, "-"),
        f"constant, {low:g} ×": ("constant", low, BLUE, ":"),
        f"constant, {high:g} ×": ("constant", high, RED, ":"),
        f"hypergradient, {low:g} ×": ("hypergradient", low, BLUE, "-"),
        f"hypergradient, {high:g} ×": ("hypergradient", high, RED, "-"),
    }
    for label, (kind, start, colour, dashes) in lines.items():
        bounds = np.exp(stats.band(runs.of(kind, o, start, seeds).array(curve)))
        plots.band(below, at, bounds, color=colour, linestyle=dashes, label=label)
    below.set(yscale="log", xlabel="update")
axes[0][0].set_ylabel("rate / tuned rate")
axes[1][0].set_ylabel("training loss [nats]")
axes[1][0].set_ylim(top=1.12 * task.chance_loss)
axes[0][2].legend(loc="lower right")
axes[1][0].legend(loc="lower left")
display.show(
    fig,
    alt="Above, paths of the rate under hypergradient descent from three starts, for SGD, momentum "
    "and Adam. Below, the training loss under it and under constant rates.",
    caption="Above: the rate as a part of the tuned one, one line for each seed; dotted: tuned. "
    "Below: training loss in windows of 10 updates, at most that of guessing, geometric mean and "
    f"95 % t interval; n = {n_seeds}; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 3, height=3.3, sharey=True)
for ax, o in zip(axes, optimizers, strict=True):
    curves = {
        kind: stats.band(runs.of(kind, o, starts, seeds).array("test_loss").T, scale="log")
        for kind in KINDS
    }
    plots.bands(ax, starts, curves)
    ax.set(xscale="log", yscale="log", xlabel="first rate / tuned rate", title=o)
    plots.ticks(ax.xaxis, starts)
axes[0].set_ylabel("test loss [nats]")
axes[0].set_ylim(top=1.12 * task.chance_loss)
axes[0].legend()
display.show(
    fig,
    alt="Test loss against the first rate, for constant rates a basin, for hypergradient descent "
    "flatter, one panel for each optimizer.",
    caption="Test loss at the end against the first rate: kept, or changed by hypergradient "
    f"descent. Geometric mean and 95 % t interval, n = {n_seeds}; diverged counts "
    f"as guessing; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
ends = {
    (o, start): runs.of("hypergradient", o, start, seeds).array(lambda run: run.lr[-1]) / rates[o]
    for o in optimizers
    for start in starts
}
rows = []
for o in optimizers:
    for start in starts:
        against = {
            base: stats.log_differences(
                losses("hypergradient", o, start), losses("constant", o, at_start)
            )
            for base, at_start in (("same start", start), ("tuned", 1.0))
        }
        rows.append(
            {
                "optimizer": o,
                "first rate / tuned": start,
                "last rate / tuned": float(stats.geometric_interval(ends[o, start]).estimate),
                "test loss": losses("hypergradient", o, start).mean(),
                "constant": losses("constant", o, start).mean(),
                "log ratio to the constant": stats.mean_interval(against["same start"]),
                "to the tuned constant": stats.mean_interval(against["tuned"]),
                "diverged": runs.of("hypergradient", o, start, seeds).num_diverged,
            }
        )
display.table(
    rows,
    caption=f"Hypergradient descent against constant rates: means over {n_seeds} seeds, log ratios "
    "of test losses with 95 % t intervals (below zero it ends lower), runs that diverged under it.",
)

# %% [markdown]
# ### What it costs
#
# Times and memory were measured by `benchmarks/hypergradient.py`, with both kinds of rate in turn
# within one process; its raw results are a file of the repository, whose hash was checked above.

# %%
cells = raw["cells"]
ratio = {
    (c["task"], c["optimizer"]): stats.log_differences(
        c["seconds"]["hypergradient"], c["seconds"]["constant"]
    )
    for c in cells
}
turns = len(next(iter(ratio.values())))
here = {key: stats.geometric_interval(np.exp(values)) for key, values in ratio.items()}
display.table(
    [
        {
            "task": c["task"],
            "optimizer": c["optimizer"],
            "weights": c["weights"],
            "batch": c["batch_size"],
            "ms an update": 1e3 * float(np.median(c["seconds"]["constant"])),
            "with hypergradient": 1e3 * float(np.median(c["seconds"]["hypergradient"])),
            "ratio": here[c["task"], c["optimizer"]],
            "more copies of the weights": c["extra_copies"],
        }
        for c in cells
    ],
    caption=f"Time of an update, median of {turns} turns, and the ratio within a turn, geometric "
    "mean with 95 % t interval; memory that is held besides, in copies of the weights.",
)
display.say(
    "Ours holds two copies: what was last stepped along, and the weights before the update, from "
    "which it is taken, so that any optimizer can be used. The paper's form needs one. Trying a "
    f"grid of constants took {len(grids['SGD'])} times as many updates as one run; a gradient "
    "through a whole training takes a training forwards and backwards for each of its steps, with "
    "the graph of all updates in memory. That way is expensive."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def moved(optimizer, start, group=seeds):
    """Log ratio of test losses, hypergradient descent to the constant of the same start."""
    return stats.log_differences(
        *(losses(kind, optimizer, start, group=group) for kind in ("hypergradient", "constant"))
    )


def beside_tuned(optimizer):
    """Log ratio of test losses to the tuned constant, mean of both bad starts, seed by seed."""
    return np.mean(
        [
            stats.log_differences(
                losses("hypergradient", optimizer, start), losses("constant", optimizer, 1.0)
            )
            for start in (low, high)
        ],
        axis=0,
    )


pilot = {(o, start): moved(o, start, pilots) for o in optimizers for start in (low, high)}
worst = max(pilot, key=lambda arm: np.std(pilot[arm]))
what = f"log ratio of test losses of {worst[0]} from {worst[1]:g} × tuned, where it is most spread,"
claims.power(pilot[worst], what, beyond=delta, effect=6 * delta, used=n_seeds)

# %%
unit, baydin, notes = "log ratio of test losses", "baydin2018hypergradient", "mtdickens2024"
by_task = {
    name: np.mean([v for (t, _), v in ratio.items() if t == name], axis=0)
    for name in dict.fromkeys(c["task"] for c in cells)
}
claims.conclude(
    [
        Claim.effect(
            f"moves-{tuned.slug(o)}-{name}",
            f"From {start:g} times the tuned rate it ends below the constant rate: {o}.",
            values=moved(o, start),
            direction="less",
            delta=delta,
            unit=unit,
            source=baydin,
            published="moves the loss towards a tuned rate's",
        )
        for name, start in (("small", low), ("large", high))
        for o in optimizers
    ]
    + [
        Claim.effect(
            f"mends-{tuned.slug(o)}",
            f"From {others[-1]:g} times the tuned rate it ends below the constant rate: {o}.",
            values=moved(o, others[-1]),
            direction="less",
            delta=delta,
            unit=unit,
        )
        for o in optimizers
    ]
    + [
        Claim.equivalence(
            f"as-good-{tuned.slug(o)}",
            f"From a bad start it ends as low as the tuned constant: {o}.",
            values=beside_tuned(o),
            margin=margin,
            unit=unit,
        )
        for o in optimizers
    ]
    + [
        Claim.equivalence(
            f"little-time-{tuned.slug(name)}",
            f"It needs little additional time: {name}.",
            values=values,
            margin=float(np.log(little)),
            unit="log ratio of times",
            source=baydin,
            published="little additional computation",
        )
        for name, values in by_task.items()
    ]
    + [
        Claim.effect(
            f"too-expensive-{tuned.slug(name)}",
            f"Hypergradient descent costs too much: at least as much as a second run, {name}.",
            values=values,
            direction="greater",
            delta=float(np.log(expensive)),
            unit="log ratio of times",
            source=notes,
            published="the cost is too high",
        )
        for name, values in by_task.items()
    ]
    + [
        Claim.exact(
            "memory",
            "In memory it costs two more copies of the weights, whatever the optimizer "
            "(the paper's form needs one).",
            measured=[c["extra_copies"] for c in cells],
            expected=[2.0] * len(cells),
            tolerance=0.01,
            unit="copies of the weights",
        )
    ]
    + [
        Claim.descriptive(
            f"last-rate-{tuned.slug(o)}",
            f"Last rate from {low:g} times the tuned one, as a part of it: {o}.",
            values=ends[o, low],
            scale="log",
            unit="ratio of rates",
        )
        for o in optimizers
    ]
)
