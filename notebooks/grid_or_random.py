# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Grid, random or one at a time
#     short_title: Grid, random or one at a time?
#     question: With few trials, how should several hyperparameters be searched?
#     tags: [calibration, search, mnist1d, sgd]
#     smoke:
#       updates: 5
#       points: [4, 3]
#       decay_points: 3
#       n_seeds: 2
#       many_seeds: 2
#       pilot_seeds: 2
#       repeats: 4
#       tpe_repeats: 2
#       draw_repeats: 4
#       budgets: [4, 9]
#     foretold:
#       - says: Where one dimension matters random draws are a few per cent ahead of the grid.
#         claims: {random-or-grid: seen here}
#       - says: Where two interact the grid is no worse.
#         claims: {random-or-grid-interacting: not seen here}
#       - says: One at a time loses a few per cent where two interact.
#         claims: {not-one-at-a-time: seen here}
#       - says: The 60 draws do what theory says.
#         claims: not judged
# ---

# %% [markdown]
# # Grid, random or one at a time: how should several hyperparameters be searched?
#
# ## Question
#
# Lecture notes show the two panels of a known figure: random search finds more than a grid where
# only one of two dimensions matters {cite}`mtdickens2024,bergstra2012random`. A rule that goes with
# it says that 60 random draws find one of the best 5 % of a space with a probability of more than
# 95 %, however many dimensions it has {cite}`zheng2015evaluating`. And since hyperparameters depend
# on one another, the notes say, one must not tune one at a time.
#
# 1. Do random draws find lower losses than a grid where one dimension matters? Where two interact?
# 2. Do 60 draws find one of the best 5 %?
# 3. What does tuning one at a time lose? What does TPE, a search by a model, gain?
# 4. And with four hyperparameters?
#
# ## Setup
#
# A perceptron on MNIST-1D, trained for a moment under SGD with momentum and a cosine.
#
# *Two dimensions*: a lattice of points of two spaces, the peak learning rate with a weight decay
# that is too small to matter, and the peak rate with the momentum, whose effect is that of a rate
# divided by $1 - \beta$. Between the points the logarithm of the loss is interpolated, so that
# hundreds of searches can be tried on it. Each seed gives a surface of its own; searches on it are
# averaged first, and the interval is over seeds. A search's result is its lowest validation loss.
#
# *Four dimensions*: rate, momentum, weight decay and the share of a warmup. Nothing is
# interpolated: each seed has one search by each strategy, all of whose trials are trained, and its
# result is the test loss of the trial with the lowest validation loss. One search differs from the
# next, so here the intervals are wide. A diverged run is scored as random guessing in both.

# %% tags=["parameters"]
updates: int = 150  # [4..] updates of each run
points: list[int] = [14, 7]  # [2 of 3..] points of the lattice along rate and momentum
decay_points: int = 3  # [3..] points of the lattice along the weight decay
rate_range: list[float] = [1e-3, 10.0]  # [2 of 0<.. rising] peak rates, logarithmic
decay_range: list[float] = [1e-9, 1e-6]  # [2 of 0<.. rising] weight decays that do not matter
brake_range: list[float] = [3e-3, 1.0]  # [2 of 0<..1 rising] 1 - momentum, logarithmic
large_decays: list[float] = [1e-6, 1e-2]  # [2 of 0<.. rising] weight decays of four dimensions
longest_warmup: float = 0.5  # [0<..<1] largest share of a warmup, of four dimensions
n_seeds: int = 6  # [2..500] surfaces of each space
many_seeds: int = 26  # [2..500] searches by each strategy in four dimensions
pilot_seeds: int = 8  # [2..500] searches of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
repeats: int = 400  # [2..] searches on each surface
tpe_repeats: int = 30  # [2..] searches with TPE, which takes longer
draw_repeats: int = 5_000  # [2..] searches of 100 random draws on each surface
budgets: list[int] = [4, 9, 16, 25]  # [1.. of 1.. rising] trials of a search, squares
many_trials: int = 16  # [1..] trials of a search in four dimensions, a fourth power

# %% tags=["setup"]
import functools

import joblib
import numpy as np
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import qmc

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases
from lrlab.optimizers import SGD
from lrlab.schedules import Cosine, Warmup
from lrlab.training import parallel

plots.use_style()

if [round(b**0.5) ** 2 for b in budgets] != budgets or sorted(set(budgets)) != budgets:
    raise ValueError(f"budgets must be rising squares, got budgets={budgets}")
if round(many_trials**0.25) ** 4 != many_trials:
    raise ValueError(f"many_trials must be a fourth power, got many_trials={many_trials}")
task = tasks.get("mnist1d")
seeds = range(first_seed, first_seed + n_seeds)
searching = range(first_seed, first_seed + many_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
TESTED = 7
SPACES = {
    "one matters": ("weight decay", decay_range, decay_points),
    "two interact": ("1 − momentum", brake_range, points[1]),
}
lattice = {
    space: [np.linspace(0, 1, points[0]), np.linspace(0, 1, n)]
    for space, (_, _, n) in SPACES.items()
}


def along(bounds, place):
    """The value at a place between 0 and 1 of a logarithmic range."""
    return float(bounds[0] * (bounds[1] / bounds[0]) ** place)


def job(optimizer, schedule, seed):
    recipe = Recipe(
        schedule=schedule, steps=updates, batch_size=100, optimizer=optimizer, seed=seed
    )
    return Job(task, recipe)


def lattice_job(space, x, y, seed):
    optimizer = SGD(momentum=0.9, weight_decay=along(decay_range, y))
    if space == "two interact":
        optimizer = SGD(momentum=1 - along(brake_range, y))
    return job(optimizer, Cosine(along(rate_range, x), steps=updates), seed)


def many_job(point, seed):
    """A run at a point of the four dimensions."""
    rate, brake, decay, warmup = point
    rise = round(longest_warmup * warmup * updates)
    schedule = Cosine(along(rate_range, rate), steps=updates - rise)
    optimizer = SGD(momentum=1 - along(brake_range, brake), weight_decay=along(large_decays, decay))
    return job(optimizer, Warmup(schedule, warmup_steps=rise) if rise else schedule, seed)


arms = [(space, seed) for space in SPACES for seed in seeds]
plan = {
    ((space, seed), x, y): lattice_job(space, x, y, seed)
    for space, seed in arms
    for x in lattice[space][0]
    for y in lattice[space][1]
}
MANY = ("random", "grid", "one at a time", "TPE")
later = {"searches in four dimensions": many_trials * (len(MANY) * many_seeds + 2 * pilot_seeds)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Where one dimension matters random draws are ahead of the grid by a few
# per cent at 9 and 16 trials, and Sobol's sequence by more. Where two interact the grid is no
# worse. One at a time loses a few per cent where two interact. The 60 draws do what theory says.
#
# The searches in four dimensions were added later, and nothing was foretold of them. One at a time
# is judged with as many trials as TPE now, which is more than before.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
losses = {arm: np.log(each) for arm, each in runs.arrays("validation_loss").items()}


def surface(space, seed):
    """The logarithm of the loss anywhere in the unit square, shape (..., 2) to (...)."""
    return RegularGridInterpolator(lattice[space], losses[space, seed])


display.say(
    f"{len(runs)} runs on the lattices: {points[0]} rates × {decay_points} weight decays, and × "
    f"{points[1]} momenta, each on {n_seeds} seeds; {repeats:,} searches on each surface, "
    f"{tpe_repeats} of them with TPE."
)


# %% [markdown]
# ### Searches
#
# Each strategy is a generator that yields the points it wants to try, in the unit cube, and is sent
# their losses. The grid is moved by a random part of its spacing, so that it does not meet the
# optimum by chance at every repeat. One at a time begins anywhere and spends equal parts of its
# trials on one dimension after the other, the rate first, each time at the best value found.


# %%
def random_draws(n, dimensions, rng):
    yield rng.uniform(size=(n, dimensions))


def grid(n, dimensions, rng):
    side = round(n ** (1 / dimensions))
    axes = [(np.arange(side) + rng.uniform()) / side for _ in range(dimensions)]
    yield np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, dimensions)


def sobol(n, dimensions, rng):
    yield qmc.Sobol(dimensions, rng=rng).random_base2(int(np.ceil(np.log2(max(2, n)))))[:n]


def one_at_a_time(n, dimensions, rng):
    best = rng.uniform(size=dimensions)
    for k in range(dimensions):
        count = n // dimensions + (k < n % dimensions)
        line = np.tile(best, (count, 1))
        line[:, k] = (np.arange(count) + rng.uniform()) / max(1, count)
        if count:
            best = line[np.argmin((yield line))]


def tpe(n, dimensions, rng):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=int(rng.integers(2**31)), n_startup_trials=5)
    study = optuna.create_study(sampler=sampler)
    for _ in range(n):
        trial = study.ask()
        found = yield np.array([[trial.suggest_float(str(k), 0, 1) for k in range(dimensions)]])
        study.tell(trial, float(found[0]))


STRATEGIES = {
    "random": random_draws,
    "grid": grid,
    "Sobol": sobol,
    "one at a time": one_at_a_time,
    "TPE": tpe,
}
GROWING = ("random", "Sobol", "TPE")  # their first n trials are a search of n trials


def tried_by(search, f):
    """All points of a search on a surface, shape (trials, dimensions)."""
    tried = [next(search)]
    try:
        while True:
            tried.append(search.send(f(tried[-1])))
    except StopIteration:
        return np.concatenate(tried)


def searched(space, seed):
    """By strategy and budget: mean log loss above the lowest, share with one of the best 5 %."""
    f, lowest = surface(space, seed), losses[space, seed].min()
    threshold = np.quantile(f(np.random.default_rng([seed, 9]).uniform(size=(400_000, 2))), 0.05)
    found = {"threshold": threshold}
    for number, (name, strategy) in enumerate(STRATEGIES.items()):
        rng = np.random.default_rng([seed, number])
        best = np.empty((tpe_repeats if name == "TPE" else repeats, len(budgets)))
        for row in best:
            if name in GROWING:
                tried = np.minimum.accumulate(f(tried_by(strategy(budgets[-1], 2, rng), f)))
                row[:] = tried[np.array(budgets) - 1]
            else:
                row[:] = [f(tried_by(strategy(budget, 2, rng), f)).min() for budget in budgets]
        for budget, column in zip(budgets, best.T, strict=True):
            found[name, budget] = column.mean() - lowest, np.mean(column <= threshold)
    return (space, seed), found


# %% tags=["nbval-ignore-output"]
found = dict(parallel.in_parallel(joblib.delayed(searched)(*arm) for arm in arms))
shown, trials = ("grid", "random", "one at a time"), budgets[min(1, len(budgets) - 1)]
fig, axes = plots.figure(2, len(shown), height=5.8, sharex=True, sharey="row", squeeze=False)
for row, (space, (label, bounds, _)) in zip(axes, SPACES.items(), strict=True):
    mean = np.mean([losses[space, seed] for seed in seeds], axis=0)
    rates = [along(rate_range, place) for place in lattice[space][0]]
    others = [along(bounds, place) for place in lattice[space][1]]
    f = RegularGridInterpolator(lattice[space], mean)
    for ax, name in zip(row, shown, strict=True):
        drawn = ax.contourf(rates, others, np.exp(mean).T, levels=12, cmap="viridis_r")
        tried = tried_by(STRATEGIES[name](trials, 2, np.random.default_rng(first_seed)), f)
        x, y = (
            np.array([along(b, place) for place in places])
            for b, places in zip((rate_range, bounds), tried.T, strict=True)
        )
        best = int(np.argmin(f(tried)))
        ax.plot(x, y, "o", color="white", markeredgecolor="black", markersize=6)
        ax.plot(x[best], y[best], "*", color="#E69F00", markeredgecolor="black", markersize=15)
        ax.set(xscale="log", yscale="log", title=f"{name}: {np.exp(f(tried[best])[0]):.2f} nats")
        ax.grid(visible=False)
    row[0].set_ylabel(f"{space}:\n{label}")
    fig.colorbar(drawn, ax=row, label="validation loss [nats]")
for ax in axes[-1]:
    ax.set_xlabel("peak rate")
display.show(
    fig,
    alt="Validation loss over two spaces, each with the trials of a grid, of random draws and of "
    "tuning one at a time. Above, only the rate matters: the colours are vertical stripes, and the "
    "grid tries few rates. Below, the low losses lie along a diagonal valley.",
    caption=f"Validation loss after {updates} updates, geometric mean over {n_seeds} seeds, and "
    f"one search of {trials} trials by each of three strategies (star: its best, in the title; "
    "averages over many searches follow). Above only the rate matters, below rate and momentum "
    "interact.",
)


# %% tags=["nbval-ignore-output"]
@functools.cache
def excesses(space, name, budget, group=seeds):
    return np.array([found[space, seed][name, budget][0] for seed in group])


fig, axes = plots.figure(1, 2, height=3.4, sharey=True)
for ax, space in zip(axes, SPACES, strict=True):
    curves = {
        name: stats.band(np.array([100 * excesses(space, name, b) for b in budgets]).T)
        for name in STRATEGIES
    }
    plots.bands(ax, budgets, curves)
    ax.set(yscale="log", xlabel="trials", title=space)
    ax.set_xticks(budgets)
axes[0].set_ylabel("log loss above the lowest [× 100]")
axes[1].legend()
display.show(
    fig,
    alt="Mean excess of the log loss over the lowest one against the number of trials, for five "
    "strategies, where one dimension matters and where two interact.",
    caption="How far the best trial of a search ends above the lowest point of the surface, on "
    f"average over {repeats:,} searches ({tpe_repeats} of TPE); mean and 95 % t interval over "
    f"{n_seeds} seeds.",
)

# %% [markdown]
# ### The best 5 %
#
# A draw misses the best 5 % with a probability of 0.95, so that n draws all miss them with one of
# $0.95^n$, whatever the surface looks like and however many dimensions it has.

# %%
draws = np.arange(1, 101)
theory = 1 - 0.95**draws
needed = int(draws[np.argmax(theory > 0.95)])
display.say(
    f"By theory {needed} draws suffice for a probability of more than 95 % of one among the best "
    f"5 %; with 60 it is {theory[59]:.4f}."
)

# %% tags=["nbval-ignore-output"]
hits, sixty = {}, {}
for space in SPACES:
    each = []
    for seed in seeds:
        rng = np.random.default_rng([seed, 99])
        f, threshold = surface(space, seed), found[space, seed]["threshold"]
        reached = f(rng.uniform(size=(draw_repeats, draws.size, 2))) <= threshold
        each.append(np.where(reached.any(1), reached.argmax(1), draws.size))
    first = np.concatenate(each)
    hits[space] = np.cumsum(np.bincount(first, minlength=draws.size + 1))[:-1]
    sixty[space] = [float((one < 60).mean()) for one in each]
total = n_seeds * draw_repeats
fig, axes = plots.figure(1, 2, height=3.6, sharey=True)
for ax, space in zip(axes, SPACES, strict=True):
    ax.plot(draws, theory, color="#bbbbbb", linewidth=5, label="theory, 1 − 0.95ⁿ")
    for style, name in plots.styled(STRATEGIES):
        if name == "random":
            ax.plot(draws, hits[space] / total, label=name, **style)
            continue
        share = [np.mean([found[space, s][name, b][1] for s in seeds]) for b in budgets]
        ax.plot(budgets, share, marker="o", markersize=3.5, label=name, **style)
    plots.guide(ax, x=60)
    plots.guide(ax, y=0.95)
    ax.set(xlabel="trials n", ylim=(0, 1.02), title=space)
axes[0].set_ylabel("probability of a trial in the best 5 %")
axes[1].legend(loc="lower right")
display.show(
    fig,
    alt="Probability that one of n trials is among the best 5 percent of the space: random draws "
    "beside the curve of theory, the other strategies up to the largest budget.",
    caption=f"Share of searches with a trial among the best 5 % of the space: {total:,} of random "
    f"draws and theory; the others up to {budgets[-1]} trials, means over {n_seeds} seeds. Dotted: "
    "60 draws, 95 %.",
)
display.say(
    "Measured with 60 draws: "
    + " and ".join(f"{np.mean(each):.4f} where {space}" for space, each in sixty.items())
    + f", of {total:,} searches each, on {n_seeds} surfaces."
)

# %% [markdown]
# ### Four dimensions

# %% tags=["nbval-ignore-output"]
wanted = {(name, s): searching for name in MANY for s in searching}
wanted |= {(name, s): pilots for name in ("random", "grid") for s in pilots}
going = {
    (name, s): STRATEGIES[name](many_trials, 4, np.random.default_rng([s, 100 + MANY.index(name)]))
    for name, s in wanted
}
asked = {key: next(search) for key, search in going.items()}
trained = {key: [] for key in going}
while asked:
    done = train_many(
        {
            (key, k): many_job(point, key[1])
            for key, batch in asked.items()
            for k, point in enumerate(batch)
        }
    )
    answers = {key: np.log(done.of(key).array("validation_loss")) for key in asked}
    for key in list(asked):
        trained[key] += done.of(key).values()
        try:
            asked[key] = going[key].send(answers[key])
        except StopIteration:
            del asked[key]

chosen = {
    key: min(members, key=lambda run: run.final("validation_loss"))
    for key, members in trained.items()
}


def in_four(name, group=searching):
    """Paired log ratios of test losses to random draws, and pairs that hold a diverged run."""
    pairs = [(chosen[name, s], chosen["random", s]) for s in group]
    a, b = ([run.final("test_loss") for run in side] for side in zip(*pairs, strict=True))
    lost = sum(x.diverged or y.diverged for x, y in pairs)
    return {"values": stats.log_differences(a, b), "diverged": lost}


few, many = budgets[-2], budgets[-1]


def ahead(space, a, b, budget=few):
    """Mean log loss of strategy a less that of b, seed by seed."""
    return excesses(space, a, budget) - excesses(space, b, budget)


fig, axes = plots.figure(1, 2, width=7.2, height=2.6)
for ax, title, room, each in (
    (
        axes[0],
        f"rate and momentum, {many} trials",
        claims.smallest_effect("regret"),
        {n: ahead("two interact", n, "random", many) for n in MANY[1:]},
    ),
    (
        axes[1],
        f"four dimensions, {many_trials} trials",
        claims.smallest_effect("test loss"),
        {n: in_four(n)["values"] for n in MANY[1:]},
    ),
):
    plots.intervals(ax, stats.mean_intervals(each, claims.level(TESTED)), points=each)
    plots.shade(ax, -room, room)
    ax.set_title(title)
    ax.set_xlabel("log loss less that of random draws")
display.show(
    fig,
    alt="Difference of the log loss that three strategies find to that of random draws, in two and "
    "in four dimensions; left of zero the strategy finds more than random draws.",
    caption="What a search finds, against random draws with as many trials; left of zero is "
    f"better. Intervals as they decide (of the grid on the left the claim is with {few} trials), "
    f"ticks are the {n_seeds} surfaces and {many_seeds} pairs of searches. Shaded: differences too "
    "small to matter.",
    headline=True,
)

# %% [markdown]
# ## Verdict
#
# How many searches it takes in four dimensions, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    in_four("grid", pilots)["values"],
    "log ratio of test losses, grid to random draws,",
    beyond=claims.smallest_effect("test loss"),
    used=many_seeds,
    tested=TESTED,
)
display.table(
    [
        {
            "space": space,
            "strategy": name,
            **{
                f"{budget} trials": 100 * excesses(space, name, budget).mean() for budget in budgets
            },
        }
        for space in SPACES
        for name in STRATEGIES
    ],
    caption="Log loss above the lowest one, times 100: mean over searches and seeds.",
)

# %%
notes, bergstra, zheng = "mtdickens2024", "bergstra2012random", "zheng2015evaluating"
model = "perceptron on MNIST-1D"
unit = "log ratio of losses"
hidden = {"like": "analogue", "lost": "the sources' own tasks, spaces and numbers of trials"}


def two(space, budget, **more):
    what = "peak rate and momentum" if space == "two interact" else "peak rate and a tiny decay"
    setting = Setting(f"{model}, {what}", "SGD with momentum", f"searches of {budget} trials")
    return About(setting, metric="regret", replication="seeds, each with a surface", **more)


def four(**more):
    what = "rate, momentum, weight decay and warmup"
    setting = Setting(f"{model}, {what}", "SGD with momentum", f"searches of {many_trials} trials")
    return About(setting, metric="test loss", replication="searches", **more)


made = [
    Claim.exact(
        "sixty-draws",
        "With 60 draws one is among the best 5 % with a probability above 95 %.",
        measured=theory[59],
        expected=0.9539,
        tolerance=5e-5,
        source=zheng,
        published="60 draws, above 95 % (after Bergstra and Bengio, 2012)",
    ),
    Claim.effect(
        "random-or-grid",
        "Where one dimension matters, random draws find a lower loss than a grid",
        values=ahead("one matters", "random", "grid"),
        direction="less",
        unit=unit,
        source=bergstra,
        published="random search is more efficient than a grid",
        about=two("one matters", few, family="random or grid", **hidden),
    ),
    Claim.effect(
        "random-or-grid-interacting",
        "Where two dimensions interact, random draws find a lower loss than a grid",
        values=ahead("two interact", "random", "grid"),
        direction="less",
        unit=unit,
        source=notes,
        about=two("two interact", few, family="random or grid", **hidden),
    ),
    Claim.effect(
        "many-random-or-grid",
        "With four hyperparameters, random draws find a lower loss than a grid",
        values=-in_four("grid")["values"],
        diverged=in_four("grid")["diverged"],
        direction="less",
        unit="log ratio of test losses",
        source=bergstra,
        published="random search is more efficient than a grid",
        about=four(family="random or grid", **hidden),
    ),
    Claim.effect(
        "not-one-at-a-time",
        "Where two dimensions interact, tuning one at a time finds a higher loss than random draws",
        values=ahead("two interact", "one at a time", "random", many),
        direction="greater",
        unit=unit,
        source=notes,
        about=two("two interact", many, family="one at a time", **hidden),
    ),
    Claim.effect(
        "not-one-at-a-time-many",
        "With four hyperparameters, tuning one at a time finds a higher loss than random draws",
        **in_four("one at a time"),
        direction="greater",
        unit="log ratio of test losses",
        source=notes,
        about=four(family="one at a time", **hidden),
    ),
    Claim.effect(
        "tpe",
        "Where two dimensions interact, TPE finds a lower loss than random draws",
        values=ahead("two interact", "TPE", "random", many),
        direction="less",
        unit=unit,
        about=two("two interact", many, family="TPE"),
    ),
    Claim.effect(
        "many-tpe",
        "With four hyperparameters, TPE finds a lower loss than random draws",
        **in_four("TPE"),
        direction="less",
        unit="log ratio of test losses",
        about=four(family="TPE"),
    ),
    *(
        Claim.descriptive(
            f"fewer-{slug}",
            f"Loss that {name} finds where two interact, against random draws",
            values=ahead("two interact", name, "random"),
            unit=unit,
            about=two("two interact", few, family="with fewer trials"),
        )
        for slug, name in (("one-at-a-time", "one at a time"), ("tpe", "TPE"), ("sobol", "Sobol"))
    ),
    *(
        Claim.descriptive(
            f"sixty-measured-{'-'.join(space.split())}",
            "Share of searches with 60 draws that find one of the best 5 %",
            values=sixty[space],
            unit="share of searches",
            source=zheng,
            published="above 95 % (after Bergstra and Bengio, 2012)",
            about=two(space, 60, family="sixty draws"),
        )
        for space in SPACES
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
against_grid = judged["many-random-or-grid"]
advice = []
if against_grid.high is not None and against_grid.high < 0:
    advice.append("don't use a grid for four hyperparameters")
elif against_grid.low is not None and against_grid.low > 0:
    advice.append("a grid of as many trials does better than random draws")
if (judged["not-one-at-a-time-many"].low or 0) > 0 or (judged["not-one-at-a-time"].low or 0) > 0:
    advice.append("tune them together")
if (judged["many-tpe"].high or 0) < 0:
    advice.append("let a model such as TPE choose the trials")
elif (judged["tpe"].high or 0) < 0:
    advice.append("of two that interact, let a model such as TPE choose the trials")
display.answer(
    f"With four hyperparameters and {many_trials} trials (MNIST-1D), random draws find a loss "
    f"{phrases.change(against_grid)} compared with a grid; compared with random draws, one at a "
    f"time is {phrases.change(judged['not-one-at-a-time-many'])}, TPE "
    f"{phrases.change(judged['many-tpe'])}. With two that interact and {many} trials: "
    f"{phrases.change(judged['not-one-at-a-time'])} and {phrases.change(judged['tpe'])}. "
    "What this means for you: "
    f"{'; '.join(advice) or 'nothing here does clearly better than random draws'}.",
    claims=[
        *("many-random-or-grid", "not-one-at-a-time-many", "many-tpe", "not-one-at-a-time", "tpe")
    ],
)
