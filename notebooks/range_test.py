# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: The range test
#     question: Where is the loss flat, where does it fall, where does it explode?
#     tags: [sgd, mnist, lenet, range test]
#     smoke:
#       n_seeds: 2
#       ramp_steps: 40
#       pilots: 4
#       n_train: 640
#       epochs: 1
#       rates: [5.0e-4, 0.05, 0.2]
# ---

# %% [markdown]
# # The range test: flat, falling, exploding
#
# ## Question
#
# Let the rate grow at every update and watch the loss {cite}`smith2017cyclical`: first it is flat,
# then it falls, then it explodes. The report {cite}`azmimr2022` did so with LeNet on all of MNIST.
# In its published logs the loss first falls below 2 at 6e-4 to 9e-4, is lowest at .1 to .17, and
# explodes above .85 to 1.2; its text concludes that "0.05 and 5e-4 seems to be a good balance".
#
# 1. Where is each of these marks here, over seeds?
# 2. How do constant rates inside and outside of the usable range end?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. The band goes from the smallest constant rate
# that, by the distance the ramp has travelled, brings a tenth of the drop within a whole run, to
# the rate at which the smoothed loss has risen by three tenths of the drop above its lowest value.

# %% tags=["parameters"]
n_seeds: int = 8  # [2..500] ramps, one a seed
lr_min: float = 1e-4  # [0<..<lr_max] rate at which the ramp starts
lr_max: float = 4.0  # [lr_min<..] rate at which the ramp ends
ramp_steps: int = 250  # [updates, 10..] length of a ramp and of a pilot
pilots: int = 6  # [1..] short runs at constant rates inside the band
rates: list[float] = [5e-4, 5e-3, 0.05, 0.2, 1.0]  # [2.. of 0<.. rising] rates of whole runs
epochs: int = 3  # [epochs, 1..] length of a whole run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
logged_lowest: float = 0.13  # [0<..] where the report's loss is lowest: geometric mean of .1, .17
logged_explodes: float = 1.0  # [0<..] where it explodes: geometric mean of .85 and 1.2
factor: float = 2.0  # [1<..] by which a mark may differ from the logged one

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.range_test import find_band, ramp_jobs, range_test, smooth
from lrlab.range_test.figure import draw

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
steps = epochs * -(-task.n_train // batch_size)
recipe = Recipe(schedule=schedules.Constant(0.1), steps=steps, batch_size=batch_size)
ramp = {"lr_min": lr_min, "lr_max": lr_max, "steps": ramp_steps, "seeds": n_seeds}
plan = {("ramp", one.recipe.seed): one for one in ramp_jobs(task, recipe, **ramp)}
plan |= {
    (lr, seed): Job(task, recipe.replace(schedule=schedules.Constant(lr), seed=seed))
    for lr in rates
    for seed in range(n_seeds)
}
later = {"pilots": (0, pilots), "ramps of half the length": max(2, n_seeds // 2)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The marks lie within a factor of 2 of the logged ones where they depend
# on the network (lowest, explodes). Where the loss begins to fall depends on how long one stays at
# each rate, and lies far above the report's 6e-4 to 9e-4, whose ramp was some 60 times longer. The
# report's lower rate, 5e-4, does not train within these runs at all.
#
# ## Result

# %%
fig, ax = plots.figure(height=2.2)
plots.learning_rates(ax, {"ramp": plan["ramp", 0].recipe.schedule(np.arange(ramp_steps))})
ax.set_yscale("log")
display.show(
    fig,
    alt="Learning rate against step on a log axis: a straight line.",
    caption=f"The ramp: {ramp_steps} updates from {lr_min:g} to {lr_max:g}.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
result = range_test(task, recipe, **ramp, pilots=pilots)

# %%
constant = runs.of(rates)
display.say(
    f"{n_seeds} ramps and {len(result.pilots)} pilots of {ramp_steps} updates; {len(rates)} "
    f"constant rates with {n_seeds} seeds each, {steps} updates."
)

# %% tags=["nbval-ignore-output"]
fig = draw(result)
plots.chance_line(fig.axes[0], task.chance_loss)
display.show(
    fig,
    alt="Loss and gradient norm against learning rate on a log axis. The loss is flat at ln 10, "
    "falls inside the usable range, and rises steeply at its upper end, where the "
    "gradient norm jumps.",
    caption=f"Ramps of {n_seeds} seeds: raw losses as points, smoothed ones as lines, and the "
    "gradient norm below. Band: " + f"{result.band.low} to {result.band.high}. "
    f"Suggestion: {result.suggest()}.",
)

# %% [markdown]
# ### The marks


# %% tags=["nbval-ignore-output"]
def marks(trace):
    lr, loss, _ = smooth(trace)
    below = np.flatnonzero(loss < 2.0)
    return {
        "falls below 2": lr[below[0]] if below.size else None,
        "lowest": lr[int(np.argmin(loss))],
        "explodes": find_band([trace], steps).high.lr,
    }


found = [marks(trace) for trace in result.traces]
logged = {"falls below 2": "6e-4 to 9e-4", "lowest": ".1 to .17", "explodes": ".85 to 1.2"}
rows = []
for name, there in logged.items():
    seen = [each[name] for each in found if each[name]]
    here = stats.geometric_interval(seen) if len(seen) > 1 else "–"
    rows.append(
        {
            "mark": name,
            "seen in": f"{len(seen)} of {n_seeds}",
            "report": there,
            "here [95 %]": here,
        }
    )
display.table(
    rows,
    caption=f"Rates of the marks, geometric mean over {n_seeds} seeds, beside the report's log.",
)

# %% [markdown]
# ### How sure is the usable range?
#
# The same test with half of the updates and half of the seeds: a band that depends on how it was
# measured would move.

# %% tags=["nbval-ignore-output"]
half = range_test(
    task,
    recipe,
    lr_min=lr_min,
    lr_max=lr_max,
    steps=max(10, ramp_steps // 2),
    seeds=max(2, n_seeds // 2),
    pilots=0,
)
shift = half.shift(result)
display.say(
    "With twice the updates and twice the seeds the lower end is "
    f"{shift['low']:.2f} times and the upper end {shift['high']:.2f} times what it was."
)

# %% [markdown]
# ### Constant rates inside and outside


# %% tags=["nbval-ignore-output"]
low, high = result.band.low.lr or lr_min, result.band.high.lr or lr_max
fig, ax = plots.figure(height=2.9)
final = constant.arrays("test_loss")
for lr, values in final.items():
    ax.plot(np.full(n_seeds, lr), values, "_", color=plots.COLOURS[0], alpha=0.5)
ax.plot(
    rates,
    [np.exp(np.log(v).mean()) for v in final.values()],
    "o-",
    color=plots.COLOURS[0],
    label="constant rate, end of the run",
)
plots.shade(ax, low, high, "usable range", plots.COLOURS[2])
plots.shade(ax, 5e-4, 0.05, "the report's range", plots.COLOURS[4])
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="test loss [nats]")
ax.legend(loc="lower left")
display.show(
    fig,
    alt="Test loss at the end against constant rate: at ln 10 below the usable range, lowest "
    "inside it, at ln 10 again above it. The report's range lies mostly below the usable range.",
    caption=f"Test loss after {steps} updates, {n_seeds} seeds as dashes, geometric mean as line; "
    f"{constant.note()}.",
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "rate": lr,
            "in the usable range": "yes" if low <= lr <= high else "no",
            "test loss [95 %]": stats.geometric_interval(values),
        }
        for lr, values in final.items()
    ],
    caption=f"At the end, {n_seeds} seeds each.",
)

# %% [markdown]
# ## Verdict

# %%
inside = [lr for lr in rates if low <= lr <= high]
outside = [lr for lr in rates if not low <= lr <= high]
mean_log = {
    name: np.mean([np.log(final[lr]) for lr in members], axis=0)
    for name, members in (("inside", inside), ("outside", outside))
    if members
}
lower = rates[0]
explodes = [each["explodes"] for each in found if each["explodes"]]
claims.conclude(
    [
        Claim.equivalence(
            "lowest",
            "The loss is lowest where the report's log has it, within a factor of 2.",
            values=np.log([each["lowest"] / logged_lowest for each in found]),
            margin=math.log(factor),
            unit="log ratio of rates",
            published="0.1 to 0.17",
        ),
        *(
            [
                Claim.equivalence(
                    "explodes",
                    "It explodes where the report's log has it, within a factor of 2.",
                    values=np.log(np.array(explodes) / logged_explodes),
                    margin=math.log(factor),
                    unit="log ratio of rates",
                    published="0.85 to 1.2",
                )
            ]
            if explodes
            else []
        ),
        Claim.effect(
            "lower-rate-trains",
            f"The lower end of the report's range, {lower:g}, trains within the budget.",
            values=np.log(final[lower] / task.chance_loss),
            direction="less",
            delta=0.1,
            unit="log ratio of the test loss to guessing",
            published="5e-4 to 0.05",
        ),
        *(
            [
                Claim.effect(
                    "band-is-usable",
                    "Constant rates inside the usable range end lower than those outside.",
                    values=mean_log["inside"] - mean_log["outside"],
                    direction="less",
                    delta=0.1,
                    unit="log ratio of test losses",
                    source="smith2017cyclical",
                )
            ]
            if len(mean_log) == 2
            else []
        ),
    ],
    source="azmimr2022",
)
