# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Decay or stay
#     question: Does a linear decay to zero end below a constant rate on MNIST-1D?
#     tags: [sgd, mnist1d, mlp]
#     smoke: {n_seeds: 2, steps: 40}
# ---

# %% [markdown]
# # Decay or stay?
#
# ## Question
#
# Does a linear decay to zero end below a constant rate? Theory says so for the last
# iterate {cite}`defazio2023optimal`.
#
# ## Setup
#
# A small network on MNIST-1D, plain SGD, the same peak rate for both, paired seeds. The peak was
# not tuned for either, so the result holds for this rate only.

# %% tags=["parameters"]
peak_lr: float = 0.1  # [0<..] the constant rate, and the rate that decays
n_seeds: int = 8  # [seeds, 2..500] paired
steps: int = 1000  # [updates, 20..] length of a run

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting

plots.use_style()

if steps % 20:  # evaluations at equal distances, the last one at the end
    raise ValueError(f"steps must be a multiple of 20, got steps={steps}")

task = tasks.get("mnist1d")
compared = {
    "constant": schedules.Constant(peak_lr),
    "decay": schedules.LinearDecayToZero(peak_lr, steps=steps),
}


def job(schedule, seed):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=steps,
            batch_size=100,
            eval_every=steps // 20,
            seed=seed,
        ),
    )


plan = {(name, s): job(shape, s) for name, shape in compared.items() for s in range(n_seeds)}

# %% [markdown]
# ## Prediction
#
# Written before the runs: the decay ends lower, by more than the smallest effect of interest of a
# test loss, because its last updates average the noise of the minibatches away.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
fig, ax = plots.figure()
at = runs["decay", 0].evals["step"]
curves = {name: stats.band(members.curves("test_loss")) for name, members in runs.groups().items()}
plots.bands(ax, at, curves)
ax.set(xlabel="update", ylabel="test loss [nats]")
ax.legend()
display.show(
    fig,
    alt="Test loss against update, one line for a constant rate and one for a linear decay.",
    caption=f"Mean and 95 % interval over {n_seeds} seeds; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
final = runs.arrays("test_loss")
difference = stats.log_differences(final["decay"], final["constant"])
display.say(
    f"The decay ends at a test loss of {np.mean(final['decay']):.3f} on average, the constant "
    f"rate at {np.mean(final['constant']):.3f}: a factor of {np.exp(difference.mean()):.3f}."
)

# %% [markdown]
# ## Verdict

# %%
claims.conclude(
    [
        Claim.effect(
            "decay-ends-lower",
            "A linear decay to zero ends below a constant rate of the same peak.",
            values=difference,
            direction="less",
            unit="log ratio of test losses",
            source="defazio2023optimal",
            about=About(Setting("MLP on MNIST-1D", "SGD", f"{steps} updates"), metric="test loss"),
        )
    ]
)
