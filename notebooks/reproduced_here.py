# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does this machine find what the log says?
#     short_title: Reproduced here
#     question: Does this machine find what the log says?
#     tags: [sgd, mnist, lenet, range-test]
#     smoke: {n_seeds: 2, n_train: 640, epochs: 1, ramp_steps: 120}
# ---

# %% [markdown]
# # Does this machine find what the log says?
#
# ## Question
#
# Does the machine that built this copy of the book find what the log says? This page is made by
# `make book`, which trains everything on it from an empty store.
#
# ## Setup
#
# The usable range of learning rates of the log's newest `compare` entry, on its first seeds: a ramp
# of the rate, from which two ends are read, the smallest rate at which a run of that length learns
# and the largest at which it does not fall apart. Nothing has to be tuned for it.

# %% tags=["parameters"]
n_seeds: int = 3  # [2..500] seeds, the first of those in the log
epochs: int = 3  # [epochs, 1..] length of a run, as in the log
n_train: int = 3500  # [1..3500] training images, as in the log
batch_size: int = 64  # [images, 1..n_train] in a batch, as in the log
ramp_low: float = 1e-3  # [0<..<ramp_high] rate at which the ramp starts, as in the log
ramp_high: float = 4.0  # [ramp_low<..] rate at which the ramp ends, as in the log
ramp_steps: int = 300  # [updates, 2..] length of the ramp, as in the log

# %% tags=["setup"]
import numpy as np

from lrlab import Job, Recipe, display, plots, schedules, stats, tasks, train_many
from lrlab.labbook.entries import find_root, log
from lrlab.labbook.ledger import counting
from lrlab.range_test import Trace, find_band, smooth

plots.use_style()

entry = next((e for e in counting(log(find_root())) if e.record["notebook"] == "compare"), None)
if entry is None:
    raise ValueError("the log has no entry of `compare` to hold this machine against")
record = entry.record
logged = {claim["id"].removeprefix("compare."): claim for claim in entry.claims()}
first_seed = record["parameters"].get("first_seed", 0)
task = tasks.get("mnist", n_train=n_train)
steps = epochs * -(-task.n_train // batch_size)
factor = (ramp_high / ramp_low) ** (1 / (ramp_steps - 1))
ramp = schedules.Exponential(ramp_low, factor, steps=ramp_steps)


def job(seed):
    recipe = Recipe(
        schedule=ramp, steps=ramp_steps, batch_size=batch_size, eval_every=None, seed=seed
    )
    return Job(task, recipe)


plan = {seed: job(seed) for seed in range(first_seed, first_seed + n_seeds)}

# %% [markdown]
# ## Prediction
#
# The geometric mean over these few seeds lies inside the interval that the log records for all of
# its seeds. On the same processor and versions each seed's rate is equal to the log's in all its
# digits.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
display.say(f"{len(runs)} ramps of {ramp_steps} updates.")

# %% tags=["nbval-ignore-output"]
ends = {"lower end": "band_low", "upper end": "band_high"}
bands = [find_band([Trace.of(run)], steps) for run in runs.values()]
here = {
    "lower end": [band.low.lr or np.nan for band in bands],
    "upper end": [band.high.lr or np.nan for band in bands],
}
fig, ax = plots.figure(height=2.8)
for k, run in enumerate(runs.values()):
    lr, smooth_loss, _ = smooth(Trace.of(run))
    ax.plot(lr, smooth_loss, color=plots.COLOURS[0], alpha=0.6, label="" if k else "here")
for k, slug in enumerate(ends.values()):
    name = "" if k else "log, 95 % intervals of the ends"
    plots.shade(ax, logged[slug]["low"], logged[slug]["high"], name, plots.COLOURS[2])
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", xlabel="learning rate", ylabel="loss [nats]", ylim=(0, 4))
ax.legend(loc="upper left")
display.show(
    fig,
    alt="Smoothed loss against the learning rate of each ramp, measured here; two bands mark the "
    "log's intervals of the ends of the usable range.",
    caption=f"Loss of {n_seeds} ramps, trained on this machine, and what the log records over "
    f"{logged['band_low']['n']} seeds; {runs.note()}.",
)

# %% [markdown]
# ## Verdict


# %% tags=["nbval-ignore-output"]
def row(end):
    claim, rates = logged[ends[end]], np.array(here[end])
    there = np.array(claim["data"]["values"])
    found = rates[np.isfinite(rates)]
    mean = float(np.exp(np.log(found).mean())) if found.size else np.nan
    of_all = claim["n"] == record["parameters"]["n_seeds"] >= n_seeds  # so that seeds correspond
    apart = np.abs(rates / there[:n_seeds] - 1).max() if of_all else np.nan
    return {
        "usable range": end,
        "log [95 %]": stats.geometric_interval(there),
        "here": mean,
        "inside": "yes" if claim["low"] <= mean <= claim["high"] else "no",
        "largest difference of a seed [%]": 100 * apart,
    }


display.table(
    [row(end) for end in ends],
    caption="Ends of the usable range: the log's record and this machine.",
)
display.say(
    f"The log's entry `{entry.name}` was made on {record['date']} with torch "
    f"{record['versions']['torch']}, NumPy {record['versions']['numpy']} and Python "
    f"{record['versions']['python']}, on {record['hardware']['cpu']} "
    f"({record['hardware']['cores']} cores), in {record['seconds']:.0f} s. What this machine is, "
    "is said below."
)
