# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Usable rates of my model
#     question: Which learning rates train my model, and is its own rate among the best?
#     tags: [range test, my model]
#     smoke: {n_seeds: 3, ramp_steps: 40, steps: 40}
# ---

# %% [markdown]
# # Which learning rates train my model?
#
# ## Question
#
# Between which rates does the loss fall while the rate grows {cite}`smith2017cyclical`, and does
# the rate that the range test suggests end lower than the one that my optimizer came with?
#
# ## Setup
#
# `build(seed)` in `my_model.py` makes model, optimizer, batches and loss. Both rates are trained
# from the same weights on the same batches, one pair a seed.

# %% tags=["parameters"]
build: str = "my_model:build"  # function that makes everything, as module:function
n_seeds: int = 8  # [2..500] paired seeds, and ramps
ramp_steps: int = 100  # [updates, 10..] of each ramp
steps: int = 300  # [updates, 10..] of each training

# %% tags=["setup"]
import numpy as np

from lrlab import (
    Claim,
    Job,
    claims,
    display,
    plots,
    range_test,
    schedules,
    stats,
    tasks,
    train_many,
)
from lrlab.claims import About

plots.use_style()

task = tasks.from_factory(build, steps=steps)
own_rate = float(task.recipe.schedule(0))
plan = []  # the rates that are trained depend on the range test


def job(rate, seed):
    recipe = task.recipe.replace(
        schedule=schedules.Constant(rate), steps=steps, seed=seed, eval_every=steps
    )
    return Job(task, recipe)


# %% [markdown]
# ## Prediction
#
# Written before the runs: the suggested rate ends lower, since nobody has tuned the other one.
#
# ## Result

# %% tags=["nbval-ignore-output"]
found = range_test.range_test(task, seeds=n_seeds, steps=ramp_steps)
suggestion = found.suggest()
display.show(
    found.figure(),
    alt="Loss and gradient norm against the rate, with the band of usable rates.",
    caption=f"A ramp for each of {n_seeds} seeds; shaded: the band of usable rates.",
    headline=True,
)

# %%
display.say(f"{n_seeds} ramps of {ramp_steps} updates; {2 * n_seeds} trainings of {steps}.")

# %% tags=["nbval-ignore-output"]
rates = {"own": own_rate, "suggested": suggestion.lr or own_rate}
pairs = {(name, s): job(rate, s) for name, rate in rates.items() for s in range(n_seeds)}
runs = train_many(pairs, n_jobs=1)  # so small that processes would take longer to start
final = {
    name: [float(runs[name, seed].evals["validation_loss"][-1]) for seed in range(n_seeds)]
    for name in rates
}
gain = stats.log_differences(final["suggested"], final["own"])
display.say(
    f"The range test suggests a rate of {rates['suggested']:.3g}; the optimizer came with "
    f"{own_rate:.3g}. Validation losses: {np.mean(final['suggested']):.3g} and "
    f"{np.mean(final['own']):.3g} on average."
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(width=4.8)
ax.plot(final["own"], final["suggested"], "o", color=plots.COLOURS[0])
ax.axline((final["own"][0],) * 2, slope=1, color="#9a9a9a", linewidth=0.8)
ax.set(xlabel=f"validation loss at {own_rate:.3g}", ylabel="at the suggested rate")
display.show(
    fig,
    alt="Validation loss at the suggested rate against that at the optimizer's own, by seed.",
    caption=f"One point for each of {n_seeds} seeds; below the line the suggested rate is better.",
)

# %% [markdown]
# ## Verdict

# %%
claims.conclude(
    [
        Claim.effect(
            "suggested-ends-lower",
            "The rate that a range test suggests ends at a lower validation loss than the "
            "optimizer's own.",
            values=gain,
            direction="less",
            unit="log ratio of validation losses",
            about=About(metric="test loss"),
        )
    ]
)

# %% tags=["nbval-ignore-output"]
interval = stats.mean_interval(gain)
display.answer(
    f"Train at {rates['suggested']:.3g}: after {steps} updates the validation loss is "
    f"{np.exp(interval.estimate):.3g} times that at {own_rate:.3g} "
    f"[{np.exp(interval.low):.3g}, {np.exp(interval.high):.3g}] (n = {n_seeds}).",
    claims=["suggested-ends-lower"],
)
