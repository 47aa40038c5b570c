# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Cosine restarts
#     question: What does each annealing cycle do, and are growing cycles better than fixed ones?
#     tags: [adam, diffusion, digits, cosine, restarts]
#     smoke: {n_train: 100, epochs: 30, per_cycle: 2, count: 20, n_seeds: 2, pilot_seeds: 2}
# ---

# %% [markdown]
# # Cosine restarts: what does each annealing cycle do?
#
# ## Question
#
# After *Schedules on a diffusion model* the source tried several cosine cycles
# {cite}`diffusion2025,loshchilov2017sgdr`, of fixed width and growing, and read off: "each
# annealing cycle causes a small and quickly resolved increase in the training loss. None of the
# other metrics seem affected"; "neither annealing schedule seems to significantly outperform the
# other"; "each annealing cycle leads to an increase in the magnitudes of the weights".
#
# 1. By how much does the training loss rise after a restart, and is it made good within the cycle?
# 2. Does the validation loss, or the accuracy of generated digits, rise or fall with it?
# 3. Do fixed and growing cycles end at the same loss? (A missing difference does not say so; a test
#    of equivalence does.) And how do they compare with one single cosine?
# 4. Do the weights' magnitudes grow with each cycle?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64; four cycles, equal ones or each
# twice as long as the one before, and one cosine over the same length, all from the tuned peak rate
# of the cosine (read from the entry *Tuning the diffusion model*).

# %% tags=["parameters"]
epochs: int = 120  # [epochs, 1..] length of training, all cycles together
n_seeds: int = 6  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
per_cycle: int = 8  # [1..] evaluations in the shortest cycle
count: int = 200  # [10..] generated digits for one accuracy
rise: float = 0.01  # [0<..] smallest log rise of a loss that counts
margin: float = 0.02  # [0<..] log ratio of final losses within which two schedules are the same
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import Adam
from lrlab.plots.panels import panels
from lrlab.schedules.presets import lineup, restarts
from lrlab.training.generation import GeneratedDigits
from lrlab.training.probes import WeightQuantiles

plots.use_style()

task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
if steps % 60:
    raise ValueError(f"the cycles must fill {steps} updates exactly: choose other epochs")
peak = tuned.read("tune_diffusion", tuning_entry or None).rate("cosine long")
shapes = {"one cosine": lineup(steps)["cosine"]} | restarts(steps)
schedules = {name: shape.scale(peak) for name, shape in shapes.items()}
ends = {
    "fixed cycles": [steps * k // 4 for k in (1, 2, 3, 4)],
    "growing cycles": [steps * k // 15 for k in (1, 3, 7, 15)],
}
every = max(1, steps // 15 // per_cycle)
LEVELS = (0.5, 0.9, 0.99, 0.999)
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)


def job(name, seed):
    return Job(
        task,
        Recipe(
            schedule=schedules[name],
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            eval_every=every,
        ),
        (
            WeightQuantiles(every=every, levels=LEVELS),
            GeneratedDigits(every=2 * every, count=count),
        ),
    )


plan = {(name, s): job(name, s) for name in schedules for s in (*seeds, *pilots)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The training loss rises by 5 to 15 % after a restart and is lower at the
# end of each cycle than before it. The validation loss rises with it, by as much: it is affected.
# Fixed and growing cycles end within 2 %, growing ones lower, since their last cycle is longer; one
# cosine ends lower than both. The magnitudes grow with each cycle, by less each time.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
members = runs.of(..., seeds).groups()
display.say(
    f"{len(runs)} runs of {steps} updates: {len(schedules)} schedules, {n_seeds} paired seeds and "
    f"{pilot_seeds} for the pilot; an evaluation every {every} updates."
)

# %% tags=["nbval-ignore-output"]
fig, axes = panels(
    {name: s(np.arange(steps)) for name, s in schedules.items()},
    epoch_steps=epoch,
    columns=3,
    row_height=3.4,
)
at = runs["one cosine", 0].evals["step"] / epoch
for name, ax in axes.items():
    curves = {
        part: stats.band(members[name].curves(f"{part}_loss")[:, 1:])
        for part in ("train", "validation")
    }
    plots.bands(ax, at[1:], curves)
ax.set_ylim(0.15, 0.7)
next(iter(axes.values())).legend()
display.show(
    fig,
    alt="Training and validation loss against epoch for one cosine, fixed and growing cycles, the "
    "rate below: both losses jump up at each restart and come down again within the cycle.",
    caption=f"Loss against epoch, mean and 95 % t interval over {n_seeds} seeds; the rate "
    f"below; {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, height=3)
for ax, probe, measure in (
    (left, "WeightQuantiles", lambda probe: probe["magnitude"][:, 2]),
    (right, "GeneratedDigits", lambda probe: probe["accuracy"]),
):
    seen = {
        name: stats.band(group.curves(lambda run: measure(run.probes[probe])))  # noqa: B023
        for name, group in members.items()
    }
    plots.bands(ax, runs["one cosine", 0].probes[probe]["step"] / epoch, seen)
left.set(xlabel="epoch", ylabel="0.99 quantile of |w|")
right.set(xlabel="epoch", ylabel="recognised digits")
left.legend()
display.show(
    fig,
    alt="Left: the 0.99 quantile of the weights' magnitudes against epoch rises in steps, one at "
    "each restart. Right: the share of generated digits that are recognised is flat and noisy.",
    caption=f"Magnitudes of the weights, and accuracy of {count} generated digits, mean and 95 % t "
    f"interval over {n_seeds} seeds.",
)

# %% [markdown]
# ### Cycle by cycle
#
# The *rise* after a restart is the largest loss in the first half of the new cycle over the loss at
# the end of the one before; it is *made good* if the loss at the end of the new cycle is lower.


# %%
def value_at(run, metric, step):
    """A metric at the last evaluation up to a step."""
    return run.evals[metric][np.flatnonzero(run.evals["step"] <= step)[-1]]


def cycles(run, metric, bounds):
    """Log rise after each restart, and log change from the end of one cycle to the next's."""
    rises, changes = [], []
    for start, end in itertools.pairwise(bounds):
        before, after = value_at(run, metric, start), value_at(run, metric, end)
        step = run.evals["step"]
        within = run.evals[metric][(step > start) & (step <= (start + end) / 2)]
        rises.append(np.log(within.max() / before))
        changes.append(np.log(after / before))
    return np.array(rises), np.array(changes)


def magnitudes(run, bounds):
    """Log change of the 0.99 quantile of |w| from the end of one cycle to the next's."""
    probe = run.probes["WeightQuantiles"]
    q = [probe["magnitude"][np.flatnonzero(probe["step"] <= b)[-1], 2] for b in bounds]
    return np.diff(np.log(q))


def accuracy_drop(run, bounds):
    """Mean over the restarts of the lowest accuracy in the next half cycle less that before."""
    probe, drops = run.probes["GeneratedDigits"], []
    for start, end in itertools.pairwise(bounds):
        before = probe["accuracy"][np.flatnonzero(probe["step"] <= start)[-1]]
        within = probe["accuracy"][(probe["step"] > start) & (probe["step"] <= (start + end) / 2)]
        drops.append(within.min() - before)
    return float(np.mean(drops))


# %% tags=["nbval-ignore-output"]
rows = []
for name, bounds in ends.items():
    for part in ("train", "validation"):
        both = members[name].array(lambda run: cycles(run, f"{part}_loss", bounds))  # noqa: B023
        percent = 100 * np.expm1(both)  # shape (seeds, rise or change, restarts)
        for k in range(3):
            rows.append(
                {
                    "cycles": name,
                    "loss": part,
                    "restart": k + 1,
                    "rise [%]": stats.mean_interval(percent[:, 0, k]),
                    "end of cycle, change [%]": stats.mean_interval(percent[:, 1, k]),
                }
            )
display.table(
    rows,
    caption=f"Rise after each restart and change over each cycle, 95 % t intervals, n = {n_seeds}.",
)

# %% tags=["nbval-ignore-output"]
final = runs.of(..., seeds).arrays("test_loss")
display.table(
    [
        {
            "schedule": name,
            "test loss [95 %]": stats.geometric_interval(values),
            "recognised digits [%]": 100
            * members[name].array(lambda run: run.probes["GeneratedDigits"]["accuracy"][-1]).mean(),
        }
        for name, values in final.items()
    ],
    digits=4,
    caption=f"At the end of training, {n_seeds} seeds; {runs.note()}.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = runs.of(list(ends), pilots).arrays("test_loss")
what = "log ratio of test losses, fixed to growing cycles,"
claims.power(stats.log_differences(*pilot.values()), what, within=margin, used=n_seeds)

# %%
losses, source = "log ratio of losses", "diffusion2025"


def over_cycles(name, part, which):
    """One value a seed: the mean over the restarts."""
    each = members[name].array(lambda run: cycles(run, f"{part}_loss", ends[name]))
    return each[:, which].mean(1)


claims.conclude(
    [
        *(
            Claim.effect(
                f"rise-{tuned.slug(name)}",
                f"A restart causes a rise of the training loss: {name}.",
                values=over_cycles(name, "train", 0),
                direction="greater",
                delta=rise,
                unit=losses,
            )
            for name in ends
        ),
        *(
            Claim.effect(
                f"resolved-{tuned.slug(name)}",
                f"The rise is made good: the training loss is lower at the end of the cycle: "
                f"{name}.",
                values=over_cycles(name, "train", 1),
                direction="less",
                unit=losses,
            )
            for name in ends
        ),
        *(
            Claim.equivalence(
                f"validation-{tuned.slug(name)}",
                f"A restart does not affect the validation loss: {name}.",
                values=over_cycles(name, "validation", 0),
                margin=margin,
                unit=losses,
            )
            for name in ends
        ),
        *(
            Claim.equivalence(
                f"accuracy-{tuned.slug(name)}",
                f"A restart does not affect the accuracy of generated digits: {name}.",
                values=[accuracy_drop(run, ends[name]) for run in members[name].values()],
                margin=margin,
                unit="change of the accuracy",
            )
            for name in ends
        ),
        Claim.equivalence(
            "fixed-or-growing",
            "Neither of the two kinds of cycles outperforms the other.",
            values=stats.log_differences(final["fixed cycles"], final["growing cycles"]),
            margin=margin,
            unit="log ratio of test losses",
        ),
        Claim.effect(
            "better-than-one",
            "Restarts end at a lower test loss than one cosine of that length.",
            values=np.minimum(
                *(stats.log_differences(final[name], final["one cosine"]) for name in ends)
            ),
            direction="less",
            unit="log ratio of test losses, the better of the two kinds",
        ),
        *(
            Claim.effect(
                f"magnitudes-{tuned.slug(name)}",
                f"Each cycle increases the magnitude of the weights: {name}.",
                values=[magnitudes(run, ends[name]).min() for run in members[name].values()],
                direction="greater",
                unit="log growth over a cycle, the smallest of a run's",
            )
            for name in ends
        ),
    ],
    source=source,
)
