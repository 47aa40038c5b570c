# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Gradient descent on the rate itself
#     short_title: Can the rate tune itself?
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
#     foretold:
#       - says: From a hundredth of the tuned rate all three end far below the constant rate.
#         claims: not judged
#       - says: From its fourfold all three end far below the constant rate.
#         claims: not judged
#       - says: Momentum and Adam end as low as the tuned constant, SGD ends above it.
#         claims: not judged
#       - says: From the tenfold rate SGD is lost.
#         claims: not judged
#       - says: It costs a quarter more time on the perceptron and next to nothing on LeNet.
#         claims: {little-time-perceptron: not seen here, little-time-lenet: seen here}
# ---

# %% [markdown]
# # Gradient descent on the learning rate itself: does it mend a bad rate, and what does it cost?
#
# ## Question
#
# "One can even take gradients with respect to a hyperparameter, hypergradient descent; it is not
# popular, since it costs too much" (our translation) {cite}`mtdickens2024`. Baydin et al. take that
# gradient from one update to the next, which needs little computation and one more copy of the
# gradient in memory; for SGD, Nesterov's momentum and Adam it "significantly reduces the need for
# the manual tuning of the initial learning rate" {cite}`baydin2018hypergradient`.
#
# 1. From a rate that is far too small or too large, does it end below the constant rate?
# 2. Does it end as low as the tuned constant?
# 3. What does it cost in time and memory?
#
# The other way is a gradient through the whole training, unrolled. What it finds is in the entry
# *A meta-learned learning rate*; what it costs is measured here too, since the sentence of the
# notes may mean either.
#
# ## Setup
#
# Before each update the rate is multiplied by $1 + \beta \cos\varphi$, where $\varphi$ is the angle
# between the new gradient and what the optimizer last stepped along, momentum and scaling included:
# it grows while gradients point on, and shrinks when they turn back. This is the form whose
# $\beta$ does not depend on the size of the gradients. The perceptron of MNIST-1D
# {cite}`greydanus2024scaling`, batches of 100. On tuning seeds and the validation loss, the
# constant rate and $\beta$ are tuned with equally many runs for each optimizer; $\beta$ for both
# bad starts together. What is compared is the test loss at the end; a run that diverges, or ends
# above guessing, is scored as random guessing. In the tests each seed gives the mean over the three
# optimizers; what each does alone is measured beside. The rates and $\beta$ come from other seeds,
# few of them, and the noise of tuning is not in the intervals.

# %% tags=["parameters"]
steps: int = 300  # [updates, 2..] length of training
n_train: int = 3500  # [1..3500] training signals
batch_size: int = 100  # [signals, 1..n_train] in a batch
n_seeds: int = 12  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
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
others: list[float] = [1.0, 10.0]  # [2.. of 0<.. rising] more starts, with 1 among them
expensive: float = 2.0  # [1<..] from this ratio of time on it is too much: a second run
costs: str = "benchmarks/results/hypergradient.json"  # [any] raw results, in the repository
unrolled: str = "benchmarks/results/unrolled.json"  # [any] of a gradient through a training

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import measured, phrases, tuned
from lrlab.optimizers import SGD, Adam
from lrlab.schedules import Constant
from lrlab.schedules.controllers import HypergradientDescent

plots.use_style()

if not (0 < low < 1 < high < others[-1] and 1.0 in others):
    raise ValueError(f"need low < 1 < high < the last of others, got {low}, {high}, {others}")
raw, through = measured.read(costs), measured.read(unrolled)
task = tasks.get("mnist1d", n_train=n_train)
optimizers = {"SGD": SGD(), "momentum": SGD(momentum=0.9), "Adam": Adam()}
grids = {"SGD": sgd_rates, "momentum": momentum_rates, "Adam": adam_rates}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
TESTED = 7
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


tuning = range(first_seed + 10_000, first_seed + 10_000 + 2 * tuning_seeds)
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
# It was written for each optimizer; what is tested now is their mean. Time is little now if it is
# less than 10 % more, as everywhere in this log (before: 25 %).
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


fig, axes = plots.figure(1, 3, height=3.2, sharey=True)
shown = {low: plots.COLOURS[0], 1.0: "#222222", high: plots.COLOURS[1]}
for ax, o in zip(axes, optimizers, strict=True):
    for start, colour in shown.items():
        for s in seeds:
            path = runs["hypergradient", o, start, s].lr / rates[o]
            ax.plot(path, color=colour, linewidth=0.8, alpha=0.7)
        ax.plot([], [], color=colour, label=f"from {start:g} × tuned")
    plots.guide(ax, y=1)
    ax.set(
        yscale="log", xlabel="update", title=f"{o}, β = {chosen[o]:.2g}", ylim=(low / 2, 6 * high)
    )
axes[0].set_ylabel("learning rate / tuned one")
axes[2].legend(loc="lower right")
display.show(
    fig,
    alt="Paths of the learning rate under hypergradient descent from three starts, for SGD, "
    "momentum and Adam.",
    caption="The learning rate as a multiple of the tuned one, a line for each seed; dotted: "
    f"tuned. n = {n_seeds}; {runs.note()}.",
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
    alt="Test loss against the first rate, kept constant or changed by hypergradient descent, one "
    "panel for each optimizer, with intervals.",
    caption="Test loss at the end against the first rate: kept, or changed by hypergradient "
    f"descent. Geometric mean and 95 % t interval, n = {n_seeds}; diverged counts "
    f"as guessing; {runs.note()}.",
    headline=True,
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
seconds = through["seconds"]
whole = stats.log_differences(seconds["gradient"], seconds["training"])
step_cost = stats.geometric_interval(np.exp(whole))
display.say(
    "Ours holds two copies: what was last stepped along, and the weights before the update, from "
    "which it is taken, so that any optimizer can be used. The paper's form needs one. Trying a "
    f"grid of constants took {len(grids['SGD'])} times as many updates as one run. A gradient "
    f"through a whole training of {through['steps']} updates takes {step_cost.estimate:.2g} "
    f"[{step_cost.low:.2g}, {step_cost.high:.2g}] times as long as that training (95 % interval, "
    f"n = {step_cost.n} turns) for each of its steps, and holds {through['extra_copies']:,.0f} "
    "copies of the weights for the way back."
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


def over(values):
    """Mean over the optimizers, seed by seed, of what is given for each of them."""
    return np.mean([values(o) for o in optimizers], axis=0)


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


def lost(*which):
    """Number of seeds with a diverged run at one of these kinds and starts."""
    return sum(
        any(runs[kind, o, start, s].diverged for kind, start in which for o in optimizers)
        for s in seeds
    )


claims.power(
    over(lambda o: moved(o, high, pilots)),
    f"log ratio of test losses from {high:g} × tuned, mean of the optimizers,",
    beyond=claims.smallest_effect("test loss"),
    used=n_seeds,
    tested=TESTED,
)

# %%
unit, notes = "log ratio of test losses", "mtdickens2024"
by_task = {
    name: np.mean([v for (t, _), v in ratio.items() if t == name], axis=0)
    for name in dict.fromkeys(c["task"] for c in cells)
}
perceptron = f"perceptron on {n_train:,} MNIST-1D signals"


def about(optimizer="SGD, momentum and Adam", **more):
    return About(Setting(perceptron, optimizer, f"{steps} updates"), metric="test loss", **more)


def timed(task, of, **more):
    setting = Setting(task, of, "time on one processor")
    return About(setting, metric="time", replication="turns of a timing", **more)


baydin = {
    "source": "baydin2018hypergradient",
    "published": "significantly reduces the need for the manual tuning of the initial learning "
    "rate",
}
ours = {
    "like": "analogue",
    "lost": "how it does on these tasks; theirs are others, with Nesterov's momentum",
}
too_much = f"a factor of {expensive:g}: from there on a second run costs less"
dear = {
    "direction": "greater",
    "delta": float(np.log(expensive)),
    "unit": "log ratio of times",
    "source": notes,
    "published": "the cost is too high",
}
hidden = "which kind it means, and for which task"
made = [
    *(
        Claim.effect(
            f"moves-{name}",
            f"From {start:g} times the tuned rate hypergradient descent ends at a lower test loss "
            "than the constant rate, mean of the optimizers",
            values=over(lambda o: moved(o, start)),  # noqa: B023
            diverged=lost(("hypergradient", start), ("constant", start)),
            direction="less",
            unit=unit,
            about=about(family="from a bad start", **ours),
            **baydin,
        )
        for name, start in (("small", low), ("large", high))
    ),
    Claim.effect(
        "above-tuned",
        "From a bad start hypergradient descent ends at a higher test loss than the tuned constant "
        "rate, mean of both starts and of the optimizers",
        values=over(beside_tuned),
        diverged=lost(("hypergradient", low), ("hypergradient", high), ("constant", 1.0)),
        direction="greater",
        unit=unit,
        about=about(),
    ),
    *(
        Claim.equivalence(
            f"little-time-{tuned.slug(name)}",
            "Hypergradient descent needs little additional time",
            values=values,
            unit="log ratio of times",
            source="baydin2018hypergradient",
            published="little additional computation",
            about=timed(name, "mean of SGD, momentum and Adam", family="time", like="analogue"),
        )
        for name, values in by_task.items()
    ),
    Claim.effect(
        "too-expensive-perceptron",
        "Hypergradient descent, from update to update, costs too much: it takes longer than a "
        "constant rate",
        values=by_task["perceptron"],
        about=timed(
            "perceptron",
            "mean of SGD, momentum and Adam",
            like="analogue",
            lost=hidden,
            reason=too_much,
        ),
        **dear,
    ),
    Claim.effect(
        "too-expensive-unrolled",
        "A gradient through the whole training costs too much: one step on the rate takes longer "
        "than that training",
        values=whole,
        about=timed(
            f"perceptron with {through['weights']:,} weights",
            f"plain descent, {through['steps']} updates unrolled",
            like="analogue",
            lost=hidden,
            reason=too_much,
        ),
        **dear,
    ),
    Claim.exact(
        "memory",
        "In memory it costs two more copies of the weights, whatever the optimizer "
        "(the paper's form needs one).",
        measured=[c["extra_copies"] for c in cells],
        expected=[2.0] * len(cells),
        tolerance=0.01,
        unit="copies of the weights",
    ),
    *(
        Claim.descriptive(
            f"moves-{tuned.slug(o)}-{name}",
            f"Test loss of hypergradient descent from {start:g} times the tuned rate, against the "
            "constant one",
            values=moved(o, start),
            unit=unit,
            about=about(o, family="from a bad start"),
        )
        for name, start in (("small", low), ("large", high))
        for o in optimizers
    ),
    *(
        Claim.descriptive(
            f"as-good-{tuned.slug(o)}",
            "Test loss of hypergradient descent from a bad start, against the tuned constant rate",
            values=beside_tuned(o),
            unit=unit,
            about=about(o, family="against the tuned rate"),
        )
        for o in optimizers
    ),
    *(
        Claim.descriptive(
            f"last-rate-{tuned.slug(o)}",
            f"Last rate of hypergradient descent from {low:g} times the tuned one, relative to it",
            values=ends[o, low],
            scale="log",
            unit="ratio of rates",
            about=about(o, family="last rate"),
        )
        for o in optimizers
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
small, large, above = (judged[slug] for slug in ("moves-small", "moves-large", "above-tuned"))
slower = phrases.change(judged["little-time-perceptron"], "less time", "more time")
helps = all(found.high is not None and found.high < 0 for found in (small, large))
advice = (
    f"it is an insurance against a guess of {low:g} or {high:g} times the tuned rate"
    if helps
    else "it is no sure insurance against a bad guess of the rate"
)
if above.low is not None and above.low > 0:
    advice += "; tuning still ends lower"
elif above.high is not None and above.high < 0:
    advice += "; it ends below a tuned constant, too"
else:
    advice += "; whether tuning ends lower stays open"
display.answer(
    "MNIST-1D: against the rate it starts from, hypergradient descent ends "
    f"{phrases.change(small)} in test loss from {low:g} × the tuned rate and "
    f"{phrases.change(large)} from {high:g} ×; compared with the tuned constant it ends "
    f"{phrases.change(above)}. It takes {slower} (perceptron); a gradient "
    f"through the whole training takes {step_cost.estimate:.2g} [{step_cost.low:.2g}, "
    f"{step_cost.high:.2g}] trainings for each step. What this means for you: {advice}.",
    claims=["moves-small", "moves-large", "above-tuned", "too-expensive-unrolled"],
)
