# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Which optimizer, which schedule?
#     short_title: Recipes compared
#     question: Which optimizer and schedule end lowest, and what does a handbook's rate cost?
#     tags: [benchmark, schedules, sgd, adamw, averaging, cosine, linear, step, onecycle, wsd]
#     smoke: {results: benchmarks/results/recipes_small.json}
#     predictions:
#       tuning-before-schedule: {supported: 0.55, inconclusive: 0.42, not by δ: 0.02,
#         contradicted: 0.01}
#       cosine-below-constant: {supported: 0.7, inconclusive: 0.28, smaller than δ: 0.01,
#         not by δ: 0.01}
#       average-below-constant: {seen here: 0.7, inconclusive: 0.28, not seen here: 0.02}
#       average-above-cosine: {supported: 0.3, inconclusive: 0.65, not by δ: 0.04,
#         contradicted: 0.01}
#       linear-like-cosine: {supported: 0.3, inconclusive: 0.65, different: 0.05}
#       adamw-below-sgd: {supported: 0.1, inconclusive: 0.85, contradicted: 0.05}
# ---

# %% [markdown]
# # Which optimizer, which schedule, and what does a handbook's rate cost?
#
# ## Question
#
# A new task, one afternoon: which optimizer, which schedule, which learning rate? Handbooks give
# numbers. Adam's authors give a rate of 1e-3 {cite}`kingma2015adam`, a well-known recipe begins
# with 3e-4 {cite}`karpathy2019recipe`, residual networks were trained with momentum, 0.1 and steps
# {cite}`he2016deep`. And there are ways around a schedule: a constant rate whose weights are
# averaged, said to yield "improved performance along the training trajectory, without additional
# training costs" {cite}`hagele2024scaling`.
#
# 1. What does each of these recipes lose, as it stands, against the best of its task? (**Regret**:
#    the log ratio of the losses.)
# 2. What does tuning the rate gain, and what the choice of the schedule?
# 3. Does averaging replace the decay?
# 4. Is one of the two optimizers ahead, each tuned?
#
# ## Setup
#
# **This entry trains nothing: it reads the raw results of `benchmarks/recipes.py`**, a file of the
# repository whose hash is checked below. Five small tasks, as far as they are in the file; one of
# them sees its data once, the others many times. Two optimizers with equal settings for all
# schedules; six schedules, which fall to zero if they fall; beside every run moving averages of
# the weights with three decays, at no cost in training.
#
# Peaks are tuned: first on a grid on seeds of its own, then once more within each fresh seed, among
# the grid's best, half and twice of it, by validation loss; of averages the decay as well. What is
# told is the test loss, and the test error where the task has one. The best of a task is the one of
# fourteen tuned arms (two optimizers, six schedules and the averaged constant rate) with the lowest
# *validation* loss over the fresh seeds, so that it is not chosen by what is told of it.
#
# The repetitions are the tasks: the seeds tell how sure a number is for one task, and nothing of
# the next one, and the two optimizers on one task see the same data. So what is said of schedules
# is a mean over both, task by task. (At the first look the cells, a task with an optimizer, were
# counted, though their differences go together; a cosine below a constant rate was "supported".)
#
# First comes a control: does the learning rate matter in each of these tasks at all? Of the runs on
# fresh seeds it compares those that differ in nothing else, AdamW at a constant 3e-4 and at 1e-3;
# its repetitions are the seeds, since it speaks of these tasks alone. It was added when the results
# were known, and so has no prediction.

# %% tags=["parameters"]
results: str = "benchmarks/results/recipes.json"  # [any] raw results, in the repository
costs: str = "benchmarks/results/optimizer_costs.json"  # [any] seconds of updates, there too

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from lrlab import Claim, claims, display, plots, stats
from lrlab.claims import About, Setting
from lrlab.labbook import measured, phrases, tuned

plots.use_style()

TESTED = 7
CONSTANT, AVERAGED = "constant", "constant, averaged"
ARMS = [CONSTANT, AVERAGED, "step", "cosine", "linear", "one-cycle", "WSD"]
DEFAULT = {"SGD": "0.01, constant", "AdamW": "1e-3, constant"}
LOW = "3e-4, constant"  # of AdamW, for the control
raw = measured.read(results)
found = raw["tasks"]
if len(found) < 2:
    raise ValueError(f"{results} must hold two tasks or more, got {', '.join(found)}")
optimizers = list(raw["settings"]["optimizers"])
n_seeds = raw["settings"]["seeds"][1] - raw["settings"]["seeds"][0]
plan = []

# %% [markdown]
# ## Prediction
#
# Written before the loss of any run longer than 20 updates was seen; probabilities are listed
# below, with what came. A handbook's rate loses more against the tuned constant rate than the tuned
# constant rate loses against the best schedule; in some cells by far. A cosine ends below a
# constant rate in all cells, by a few per cent. Averaging wins most of that back, but not all.
# Linear and cosine are the same to a per cent in most cells. Neither optimizer is ahead everywhere,
# and five tasks cannot tell.
#
# ## Result

# %%
rows = {
    (task, row["optimizer"], row[kind]): row
    for task, data in found.items()
    for name, kind in (("arms", "arm"), ("handbook", "recipe"))
    for row in data[name]
}
cells = [(task, optimizer) for task in found for optimizer in optimizers]
recipes = {o: [r for t, opt, r in rows if opt == o and t == next(iter(found))] for o in optimizers}
recipes = {
    o: [r for r in names if r not in ARMS and "averaged" not in r] for o, names in recipes.items()
}


def logs(task, optimizer, name, metric="test_loss"):
    """By seed."""
    return np.log(rows[task, optimizer, name][metric])


def best(task, among=tuple(optimizers)):
    """The optimizer and arm with the lowest validation loss."""
    arms = [(o, arm) for o in among for arm in ARMS]
    return min(arms, key=lambda arm: logs(task, *arm, "validation_loss").mean())


def regret(task, optimizer, name, metric="test_loss"):
    """By seed, against the best arm of the task."""
    return logs(task, optimizer, name, metric) - logs(task, *best(task), metric)


display.table(
    [
        {
            "task": task,
            "weights": data["weights"],
            "batch": data["batch_size"],
            "updates": data["steps"],
            "passes": data["passes"],
            "best arm": "{}, {}".format(*best(task)),
            "its test loss": stats.geometric_interval(np.exp(logs(task, *best(task)))),
        }
        for task, data in found.items()
    ],
    caption=f"The tasks, and the arm with the lowest validation loss; its test loss is a geometric "
    f"mean with 95 % t interval over {n_seeds} seeds.",
)
versions = sorted({data["versions"]["torch"] for data in found.values()})
runs_diverged = sum(row["diverged"] for row in rows.values())
display.say(
    f"Raw results: `{results}`, sha256 `{raw['sha256'][:16]}…`, measured with torch "
    f"{', '.join(versions)}. "
    + (
        f"Of the runs on fresh seeds {runs_diverged} diverged, and count as guessing."
        if runs_diverged
        else "None of the runs on fresh seeds diverged."
    )
)

# %% [markdown]
# ### The control: does the rate matter here?

# %%
by_low = {task: logs(task, "AdamW", LOW) - logs(task, "AdamW", DEFAULT["AdamW"]) for task in found}
control = np.min(list(by_low.values()), axis=0)


def off_by_ten(task, optimizer, places):
    """Per cent of validation loss that a rate two places of the grid off the best one costs."""
    losses = [point[1] for point in rows[task, optimizer, CONSTANT]["grid"]]
    k = int(np.argmin(losses)) + places
    return 100 * np.expm1(losses[k] - min(losses)) if 0 <= k < len(losses) else "–"


display.table(
    [
        {
            "task": task,
            "optimizer": optimizer,
            "best constant rate": rows[task, optimizer, CONSTANT]["peak"],
            "a tenth of it costs [%]": off_by_ten(task, optimizer, -2),
            "ten times it costs [%]": off_by_ten(task, optimizer, 2),
            "3e-4 above 1e-3 [%]": phrases.in_percent(by_low[task], claims.level(TESTED))
            if optimizer == "AdamW"
            else "",
        }
        for task, optimizer in cells
    ],
    digits=3,
    caption="What a constant rate a factor of ten off the best one of the grid costs in validation "
    "loss, on the tuning seeds (the best one is the lowest of the same numbers, so that these are "
    "a little too high); and by how much AdamW at 3e-4 ends above 1e-3 in test loss, geometric "
    f"mean with {100 * claims.level(TESTED):.3g} % t interval over the {n_seeds} fresh seeds.",
)

# %% [markdown]
# ### What each recipe loses

# %%
shown = [(o, name) for o in optimizers for name in (*ARMS, *recipes[o])]
with_error = [task for task in found if next(iter(found[task]["arms"]))["test_error"]]


def lost(metric, tasks):
    """Mean regret in per cent, recipes × tasks; an error of 0 counts as half an example."""
    return 100 * np.expm1(
        np.array([[regret(t, o, name, metric).mean() for t in tasks] for o, name in shown])
    )


half = 0.5 / 1000
for row in rows.values():
    if row["test_error"]:
        row["test_error"] = np.maximum(row["test_error"], half)
panels = {"test loss": lost("test_loss", list(found))}
if with_error:
    panels["test error"] = lost("test_error", with_error)
fig, axes = plots.figure(
    1,
    len(panels),
    height=1.3 + 0.29 * len(shown),
    sharey=True,
    squeeze=False,
    width_ratios=[table.shape[1] for table in panels.values()],
)
for ax, (title, table), tasks in zip(
    axes[0], panels.items(), (list(found), with_error), strict=False
):
    colours = plt.colormaps["cividis_r"](np.log1p(np.clip(table, 0, 100)) / np.log1p(100))
    ax.pcolormesh(colours)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear[..., :3] @ (0.2126, 0.7152, 0.0722)  # relative, of sRGB
    for (i, j), value in np.ndenumerate(table):
        said = f"{value:.{0 if abs(value) >= 9.5 else 1}f}".replace("-", "−")
        colour = "white" if luminance[i, j] < 0.179 else "black"  # the larger contrast
        ax.text(j + 0.5, i + 0.5, said, ha="center", va="center", fontsize=8.5, color=colour)
    ax.set_xticks(
        np.arange(len(tasks)) + 0.5, tasks, rotation=30, ha="right", rotation_mode="anchor"
    )
    ax.set_yticks(np.arange(len(shown)) + 0.5, [f"{o}, {name}" for o, name in shown])
    first = len(ARMS) + len(recipes[optimizers[0]])
    ax.axhline(first, color="white", linewidth=3)
    ax.grid(visible=False)
    ax.set_title(f"more {title} than the best [%]", fontsize=9)
axes[0, 0].invert_yaxis()
display.show(
    fig,
    alt="A table in colours: recipes, by optimizer, in rows, tasks in columns, for test loss "
    "and test error; the numbers are per cent above the best arm of the task.",
    caption="Test loss, and test error where there is one, above that of the best arm of the task, "
    f"geometric mean over {n_seeds} paired seeds, in per cent. Rows with a number are a handbook's "
    "rates as they stand; all others are tuned. The best arm is chosen by validation loss, so that "
    "a number can be negative.",
    headline=True,
)
by_recipe = {
    (o, name): np.array([regret(t, o, name).mean() for t in found])
    for o in optimizers
    for name in recipes[o]
}
worst = max(by_recipe, key=lambda key: by_recipe[key].mean())
mildest = min(by_recipe, key=lambda key: by_recipe[key].mean())
display.say(
    f"Over {len(found)} tasks the handbook's recipe that loses least is {', '.join(mildest)}, with "
    f"{100 * np.expm1(by_recipe[mildest].mean()):.0f} % more loss than the best arm; the one that "
    f"loses most is {', '.join(worst)}, with {100 * np.expm1(by_recipe[worst].mean()):.0f} %."
)

# %% [markdown]
# ### Tuned schedules beside each other


# %%
def over_cells(name, other, metric="test_loss", among=None):
    """One value a cell: log ratio of an arm to another, mean over seeds."""
    return np.array(
        [(logs(*cell, name, metric) - logs(*cell, other, metric)).mean() for cell in among or cells]
    )


def over_tasks(values):
    """One value a task: mean over its optimizers, of one value a cell."""
    return np.reshape(values, (-1, len(optimizers))).mean(axis=1)


level, same = claims.level(TESTED), claims.level(TESTED, "equivalence")
delta = claims.smallest_effect("test loss")
by_cell = {arm: over_cells(arm, CONSTANT) for arm in ARMS if arm != CONSTANT}
to_constant = {arm: over_tasks(values) for arm, values in by_cell.items()}
fig, ax = plots.figure(height=2.9)
plots.intervals(
    ax,
    {arm: phrases.in_percent(values, level) for arm, values in to_constant.items()},
    points={arm: 100 * np.expm1(values) for arm, values in by_cell.items()},
)
plots.shade(ax, 100 * np.expm1(-delta), 100 * np.expm1(delta))
ax.set(xlabel="test loss against a tuned constant rate (%)")
display.show(
    fig,
    alt="Test loss of each arm against that of a constant rate, in per cent, with intervals over "
    "tasks, and each task with an optimizer as a small mark.",
    caption=f"Each schedule, and the averaged constant rate, against the constant rate, all tuned: "
    f"geometric mean of the ratios over {len(found)} tasks and the {100 * level:.3g} % t interval "
    "that decides; strokes are tasks with one optimizer. Shaded: less than matters.",
)
display.table(
    [
        {
            "schedule": arm,
            "loss against constant [%]": ""
            if arm == CONSTANT
            else phrases.in_percent(to_constant[arm], 0.95),
            "error against constant [%]": ""
            if arm == CONSTANT or len(with_error) < 2
            else phrases.in_percent(
                over_tasks(
                    over_cells(
                        arm, CONSTANT, "test_error", [c for c in cells if c[0] in with_error]
                    )
                ),
                0.95,
            ),
            "loss, averaged against not [%]": ""
            if arm == AVERAGED
            else phrases.in_percent(over_tasks(over_cells(f"{arm}, averaged", arm)), 0.95),
            "its best peak over the constant's": ""
            if arm == CONSTANT
            else stats.geometric_interval(
                np.exp(
                    over_tasks(
                        [
                            np.log(rows[*cell, arm]["peak"] / rows[*cell, CONSTANT]["peak"])
                            for cell in cells
                        ]
                    )
                )
            ),
        }
        for arm in ARMS
    ],
    caption=f"Geometric means over {len(found)} tasks with 95 % t intervals; errors where there "
    "are any. "
    "Averaged: the average of the weights in the same runs (constant: with a peak of its own). "
    "Best peaks are points of a grid a factor of √10 apart.",
)
at_stake = {
    task: max(regret(task, o, arm).mean() for o in optimizers for arm in ARMS) for task in found
}
display.say(
    "What the choice of optimizer and schedule can matter at all: the worst tuned arm of a task "
    "ends above its best one by "
    + "; ".join(f"{100 * np.expm1(worst):.0f} % ({task})" for task, worst in at_stake.items())
    + "."
)
timed = measured.read(costs)
display.say(
    "By CPU time the comparison of schedules is the same, since a schedule sets one number an "
    "update. An update of AdamW takes "
    + "; ".join(
        f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}] times one of momentum "
        f"({cell['task']}, batch of {cell['batch_size']})"
        for cell in timed["cells"]
        for interval in [
            stats.geometric_interval(np.divide(cell["seconds"]["AdamW"], cell["seconds"]["SGD"]))
        ]
    )
    + f", by {timed['turns']} turns of `benchmarks/optimizer_costs.py`."
)

# %% [markdown]
# ### Tuning the rate, and choosing the schedule

# %%
gains = {
    cell: (
        (logs(*cell, DEFAULT[cell[1]]) - logs(*cell, CONSTANT)).mean(),
        (logs(*cell, CONSTANT) - logs(cell[0], *best(cell[0], (cell[1],)))).mean(),
    )
    for cell in cells
}
display.table(
    [
        {
            "task": task,
            "optimizer": optimizer,
            "default": DEFAULT[optimizer],
            "tuned constant rate": rows[task, optimizer, CONSTANT]["peak"],
            "default above tuned [%]": 100 * np.expm1(gains[task, optimizer][0]),
            "best arm": best(task, (optimizer,))[1],
            "tuned above best arm [%]": 100 * np.expm1(gains[task, optimizer][1]),
        }
        for task, optimizer in cells
    ],
    caption=f"Test losses, geometric means of the ratios over {n_seeds} seeds: a default constant "
    "rate against the tuned one, and the tuned one against the best arm of the optimizer.",
)
first, second = np.array(list(gains.values())).T
display.say(
    f"Tuning a constant rate gains more than the best schedule or averaging adds to it in "
    f"{int((first > second).sum())} of {len(cells)} pairs of task and optimizer."
)

# %% [markdown]
# ## Verdict
#
# How many tasks it would take is said from the tuning seeds, whose validation losses are used for
# nothing else that is told here.

# %%
lowest = {
    key: min(point[1] for point in row["grid"]) for key, row in rows.items() if key[2] in ARMS
}
claims.power(
    over_tasks([lowest[*cell, "cosine"] - lowest[*cell, CONSTANT] for cell in cells]),
    "difference of a cosine and a constant rate in log loss",
    beyond=delta,
    used=len(found),
    tested=TESTED,
    unit="tasks",
)

# %%
budget = f"up to {max(data['steps'] for data in found.values()):,} updates"
tasks_named = f"{len(found)} small tasks ({', '.join(found)})"


def about(optimizer="SGD with momentum and AdamW", replication="tasks", **rest):
    metric = rest.pop("metric", "test loss")
    return About(Setting(tasks_named, optimizer, budget), metric, replication, **rest)


def diverged(*names):
    """Tasks in which a run that is compared diverged."""
    return sum(
        any(
            rows[task, optimizer, DEFAULT[optimizer] if name == "default" else name]["diverged"]
            for optimizer in optimizers
            for name in names
        )
        for task in found
    )


LOG = "log ratio of test losses"
gap = np.array(
    [
        (logs(task, *best(task, ("AdamW",))) - logs(task, *best(task, ("SGD",)))).mean()
        for task in found
    ]
)
averaged, cosine = to_constant[AVERAGED], to_constant["cosine"]
named = {AVERAGED: "the averaged weights of a constant rate", "step": "a step decay"}
named |= {"cosine": "a cosine", "linear": "a linear decay", "one-cycle": "one cycle"}
claims.conclude(
    [
        Claim.effect(
            "control",
            "The learning rate matters in each of the tasks: a constant rate of 3e-4 ends above "
            "one of 1e-3",
            values=control,
            direction="greater",
            diverged=sum(
                bool(rows[task, "AdamW", name]["diverged"])
                for task in found
                for name in (LOW, DEFAULT["AdamW"])
            ),
            unit="log ratio of test losses in the task where it is smallest",
            about=about("AdamW", "seeds"),
        ),
        Claim.effect(
            "tuning-before-schedule",
            "Tuning a default constant rate lowers the test loss by more than the best schedule "
            "or averaging lowers it further",
            values=over_tasks(first - second),
            direction="greater",
            diverged=diverged("default", CONSTANT),
            unit="log ratio of what the two gain",
            about=about(),
        ),
        Claim.effect(
            "cosine-below-constant",
            "A tuned cosine ends at a lower test loss than a tuned constant rate",
            values=cosine,
            direction="less",
            diverged=diverged("cosine", CONSTANT),
            unit=LOG,
            about=about(),
        ),
        Claim.effect(
            "average-below-constant",
            "The average of the weights under a tuned constant rate ends at a lower test loss than "
            "the weights themselves, each at its own rate",
            values=averaged,
            direction="less",
            diverged=diverged(AVERAGED, CONSTANT),
            unit=LOG,
            source="hagele2024scaling",
            published="improved performance along the training trajectory",
            about=about(like="analogue", lost="it averaged windows of updates, in language models"),
        ),
        Claim.effect(
            "average-above-cosine",
            "The average of the weights under a tuned constant rate ends at a higher test loss "
            "than a tuned cosine",
            values=averaged - cosine,
            direction="greater",
            diverged=diverged(AVERAGED, "cosine"),
            unit=LOG,
            about=about(),
        ),
        Claim.equivalence(
            "linear-like-cosine",
            "A tuned linear decay and a tuned cosine end at the same test loss",
            values=over_tasks(over_cells("linear", "cosine")),
            diverged=diverged("linear", "cosine"),
            unit=LOG,
            about=about(),
        ),
        Claim.effect(
            "adamw-below-sgd",
            "The best tuned arm of AdamW ends at a lower test loss than that of SGD with momentum",
            values=gap,
            direction="less",
            unit=LOG,
            about=about(),
        ),
        *(
            Claim.descriptive(
                f"adamw-cosine-{word}",
                f"Test {word} of a cosine against a constant rate under AdamW, both tuned",
                values=over_cells(
                    "cosine", CONSTANT, f"test_{word}", [(task, "AdamW") for task in judged_by]
                ),
                unit=f"log ratio of test {word}{'es' if word == 'loss' else 's'}",
                source="mtdickens2024",
                about=about("AdamW", "tasks", metric=f"test {word}", like="analogue"),
            )
            for word, judged_by in (("loss", list(found)), ("error", with_error))
            if len(judged_by) > 1
        ),
        *(
            Claim.descriptive(
                f"regret-{tuned.slug(o)}-{tuned.slug(name)}",
                f'What {o} by the recipe "{name}" loses, as it stands, against the best arm of its '
                "task",
                values=values,
                unit=f"{LOG}",
                about=about(o, "tasks", metric="regret", family="a handbook's recipe"),
            )
            for (o, name), values in by_recipe.items()
        ),
        *(
            Claim.descriptive(
                f"schedule-{tuned.slug(arm)}",
                f"Test loss of {named.get(arm, arm)} against a constant rate, both tuned",
                values=values,
                unit=LOG,
                about=about(family="a schedule against a constant rate"),
            )
            for arm, values in to_constant.items()
        ),
    ]
)

# %% tags=["nbval-ignore-output"]
tuning = stats.mean_interval(over_tasks(first - second), level)
falls = stats.mean_interval(cosine, level)
usual = 100 * np.expm1(by_recipe["AdamW", "1e-3, constant"])
display.answer(
    f"{len(found)} small tasks, {budget}: against a tuned constant rate a tuned cosine ends "
    f"{phrases.percent(cosine, level)} (lower in {int((by_cell['cosine'] < 0).sum())} of "
    f"{len(cells)} pairs of task and optimizer), the averaged weights of a constant rate "
    f"{phrases.percent(averaged, level)} ({100 * level:.3g} % intervals). A handbook's recipe as "
    f"it stands, AdamW at a constant 0.001, ends {min(usual):.0f} to {max(usual):.0f} % above the "
    f"best arm (median {np.median(usual):.0f} %). What this means for you: "
    + (
        "tune the rate first, "
        if tuning.low > delta
        else "choose the schedule before you tune, "
        if tuning.high < -delta
        else "whether tuning or the schedule gains more differed by task and optimizer, do both; "
    )
    + (
        "let the rate fall."
        if falls.high < -delta
        else "a cosine ended below the constant rate in every pair, though in "
        f"{int((by_cell[AVERAGED] < by_cell['cosine']).sum())} of {len(cells)} the averaged "
        "weights of a constant rate ended lower still."
        if max(by_cell["cosine"]) < 0
        else "these tasks do not decide whether it has to fall."
    ),
    claims=[
        *("control", "tuning-before-schedule", "cosine-below-constant"),
        "average-below-constant",
    ],
)
