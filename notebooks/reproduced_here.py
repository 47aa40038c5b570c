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

from lrlab import Job, Recipe, display, plots, schedules, stats, tasks, train_many
from lrlab.labbook.entries import find_root, log
from lrlab.labbook.ledger import counting

plots.use_style()

entry = next((e for e in counting(log(find_root())) if e.record["notebook"] == "compare"), None)
if entry is None:
    raise ValueError("the log has no entry of `compare` to hold this machine against")
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


def job(schedule, seed):
    recipe = Recipe(
        schedule=schedule, steps=steps, batch_size=batch_size, eval_every=epoch, seed=seed
    )
    return Job(task, recipe)


plan = {(name, s): job(shape, s) for name, shape in schedule_of.items() for s in range(n_seeds)}

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
display.say(
    f"{len(runs)} runs of {steps} updates: {len(schedule_of)} schedules on {n_seeds} paired seeds."
)

# %% tags=["nbval-ignore-output"]
final = runs.arrays("test_loss")
compared = {"step decay": "decay-helps", "one-cycle": "one-cycle-helps"}
fig, (left, right) = plots.figure(1, 2, height=2.8)
at = runs["no schedule", 0].evals["step"] / epoch
for style, name in plots.styled(schedule_of):
    left.plot(at, runs.of(name).curves("test_loss").mean(axis=0), label=name, **style)
left.set(xlabel="epoch", ylabel="test loss [nats]", yscale="log", title="Here")
left.legend()
points, rows = {}, []
for name, slug in compared.items():
    claim = logged[slug]
    here, there = stats.log_differences(final[name], final["no schedule"]), claim["data"]["values"]
    points |= {f"{name}, here": here, f"{name}, log": there}
    interval = stats.mean_interval(there)
    rows.append(
        {
            "schedule": name,
            "peak rate": peak[name],
            "log [95 %]": interval,
            "here": here.mean(),
            "inside": "yes" if here.mean() in interval else "no",
            "largest difference of a seed": np.abs(here - there[:n_seeds]).max(),
        }
    )
plots.intervals(right, stats.mean_intervals(points), points=points)
right.set(title="log test loss minus that of no schedule")
display.show(
    fig,
    alt="Left: test loss against epoch for four schedules, measured here. Right: differences to no "
    "schedule here and in the log, with intervals.",
    caption=f"Left: mean over {n_seeds} seeds, trained on this machine. Right: mean paired "
    f"difference with 95 % t interval; {n_seeds} seeds here, {logged['decay-helps']['n']} in the "
    f"log; dashes are seeds; {runs.note()}.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
display.table(
    rows,
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
