# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Reproduced here
#     question: Does this machine find what the log says?
#     tags: [sgd, mnist, lenet, comparison]
#     smoke: {n_seeds: 2, n_train: 640, epochs: 1}
# ---

# %% [markdown]
# # Reproduced here
#
# ## Question
#
# Does the machine that built this copy of the book find what the log says? This page is made by
# `make book`, which trains everything on it from an empty store.
#
# ## Setup
#
# The comparison of four schedules of the log's newest `compare` entry, in small: the peak rates
# that were chosen there, its data and its first seeds, and no tuning.

# %% tags=["parameters"]
n_seeds: int = 3  # [2..500] paired seeds, the first of those in the log
epochs: int = 3  # [epochs, 1..] length of a run, as in the log
n_train: int = 3500  # [1..3500] training images, as in the log
batch_size: int = 64  # [images, 1..n_train] in a batch, as in the log
gamma: float = 0.5  # [0<..<1] factor of the decays, per epoch, as in the log

# %% tags=["setup"]

import numpy as np
import pandas as pd

from lrlab import Job, Recipe, display, plots, schedules, stats, tasks, train_many
from lrlab.labbook.entries import find_root, log
from lrlab.labbook.ledger import counting

entry = next((e for e in counting(log(find_root())) if e.record["notebook"] == "compare"), None)
if entry is None:
    raise ValueError("the log has no entry of `compare` to hold this machine against")
if n_seeds < 2:
    raise ValueError(f"n_seeds must be at least 2, got n_seeds={n_seeds}")
logged = {claim["id"].removeprefix("compare."): claim for claim in entry.claims()}
task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
peak = {
    name: logged[f"peak-{name.replace(' ', '-')}"]["estimate"]
    for name in ("no schedule", "step decay", "exponential", "one-cycle")
}
schedule_of = {
    "no schedule": schedules.Constant(peak["no schedule"]),
    "step decay": schedules.StepDecay(peak["step decay"], gamma, every_steps=epoch, steps=steps),
    "exponential": schedules.Exponential(
        peak["exponential"], gamma, every_steps=epoch, steps=steps
    ),
    "one-cycle": schedules.OneCycle(peak["one-cycle"], steps=steps),
}
plan = [
    Job(
        task,
        Recipe(schedule=schedule, steps=steps, batch_size=batch_size, eval_every=epoch, seed=seed),
    )
    for schedule in schedule_of.values()
    for seed in range(n_seeds)
]

# %% [markdown]
# ## Prediction
#
# The mean difference over these few seeds lies inside the interval that the log records for all of
# its seeds. On the same processor and versions, each seed's difference is equal to the log's in all
# its digits.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
by_schedule = {name: runs[i * n_seeds : (i + 1) * n_seeds] for i, name in enumerate(schedule_of)}
display.say(
    f"{len(runs)} runs of {steps} updates: {len(schedule_of)} schedules on {n_seeds} paired seeds."
)

# %% tags=["nbval-ignore-output"]
final = {name: [run.final("test_loss") for run in members] for name, members in by_schedule.items()}
compared = {"step decay": "decay-helps", "one-cycle": "one-cycle-helps"}
fig, ((left, right),) = plots.figure(1, 2, height=2.8)
at = by_schedule["no schedule"][0].evals["step"] / epoch
curves = {
    name: stats.band([run.evals["test_loss"] for run in members])
    for name, members in by_schedule.items()
}
for style, (name, (_, mean, _)) in zip(plots.styles(), curves.items(), strict=False):
    left.plot(at, mean, label=name, **style)
left.set(xlabel="epoch", ylabel="test loss [nats]", yscale="log", title="Here")
left.legend()
labels, estimates, lows, highs, points, rows = [], [], [], [], [], []
for name, slug in compared.items():
    claim = logged[slug]
    here = stats.log_differences(final[name], final["no schedule"])
    there = np.array(claim["data"]["values"][:n_seeds])
    for where, interval, values in (
        ("here", stats.mean_interval(here), here),
        ("log", stats.mean_interval(claim["data"]["values"]), claim["data"]["values"]),
    ):
        labels.append(f"{name}, {where}")
        estimates.append(interval.estimate)
        lows.append(interval.low)
        highs.append(interval.high)
        points.append(values)
    rows.append(
        {
            "schedule": name,
            "peak rate": peak[name],
            "log": claim["estimate"],
            "95 % from": lows[-1],
            "to": highs[-1],
            "here": float(here.mean()),
            "inside": "yes" if lows[-1] <= here.mean() <= highs[-1] else "no",
            "largest difference of a seed": float(np.max(np.abs(here - there))),
        }
    )
plots.intervals(right, labels, estimates, lows, highs, points=points)
right.set(title="log test loss minus that of no schedule")
display.show(
    fig,
    alt="Left: test loss against epoch for four schedules, measured here. Right: differences to no "
    "schedule here and in the log, with intervals.",
    caption=f"Left: mean over {n_seeds} seeds, trained on this machine. Right: mean paired "
    f"difference with 95 % t interval; {n_seeds} seeds here, {logged['decay-helps']['n']} in the "
    "log; dashes are seeds.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
display.table(
    pd.DataFrame(rows),
    digits=3,
    caption="Log ratio of the test loss to that of no schedule: the log's record and this machine.",
)
record = entry.record
display.say(
    f"The log's entry `{entry.name}` was made on {record['date']} with torch "
    f"{record['versions']['torch']}, NumPy {record['versions']['numpy']} and Python "
    f"{record['versions']['python']}, on {record['hardware']['cpu']} "
    f"({record['hardware']['cores']} cores), in {record['seconds']:.0f} s. What this machine is, "
    "is said below."
)
