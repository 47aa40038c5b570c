# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Can gradient descent find its own learning rate?
#     short_title: A meta-learned learning rate
#     question: Does gradient descent on the learning rate itself find the published 0.62?
#     tags: [calibration, hypergradient, mnist1d, sgd]
#     smoke: {inner_steps: 10, outer_steps: 4, n_seeds: 2, pilot_seeds: 2, grid_points: 5}
#     foretold:
#       - says: From the original's weights it ends at 0.62 to two digits, from both sides.
#         claims: {same-weights: supported}
#       - says: Other weights give rates within 10 %.
#         claims: not judged
#       - says: Trying finds the same ones.
#         claims: {best-by-trying: supported}
# ---

# %% [markdown]
# # Can gradient descent find its own learning rate?
#
# ## Question
#
# A notebook of the authors of MNIST-1D learns a learning rate by gradient descent through the whole
# training: 200 updates of a small network are unrolled, and the mean loss over them is
# differentiated by the rate. From 1.5 and from 0.15 it ends at about 0.62
# {cite}`greydanus2024scaling`. Lecture notes add that such hypergradients cost too much to be
# popular {cite}`mtdickens2024`.
#
# 1. Do we get 0.62 from the same initial weights?
# 2. And from other initial weights?
# 3. Is it the best constant rate, by trying?
#
# ## Setup
#
# A perceptron 40-50-10 with tanh on MNIST-1D, plain gradient descent on batches of 50 in the order
# of the data, 200 updates; 50 steps of descent on the rate, at an outer rate of 0.3. As in the
# original. Seed 0 gives the original's initial weights, since both draw them from torch's generator
# in the same order. The tolerance was fixed beforehand: 0.01 for the same weights, and for others
# the smallest difference of rates that counts in this log, a factor of 1.28 (1.25 in the first
# version). The best rate by trying is the lowest point of the loss against the rate, between the
# points of the grid.

# %% tags=["parameters"]
inner_steps: int = 200  # [1..] updates of the training that is differentiated
outer_steps: int = 50  # [1..] steps of descent on the rate
outer_rate: float = 0.3  # [0<..] rate of that descent
batch_size: int = 50  # [signals, 1..3500] in a batch
high_start: float = 1.5  # [low_start<..] where the rate begins from above
low_start: float = 0.15  # [0<..<high_start] where it begins from below
n_seeds: int = 6  # [2..500] initial weights other than the original's
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
grid_points: int = 13  # [3..] rates that are tried, from a quarter to four times the published one
published: float = 0.62  # [0<..] the rate that the original ends at

# %% tags=["setup"]
import joblib
import numpy as np

from lrlab import Claim, claims, display, events, plots, stats, tasks
from lrlab.claims import About, Setting
from lrlab.experiments.metalearned_rate import UnrolledTraining
from lrlab.labbook import phrases
from lrlab.labbook.tuned import best_rate
from lrlab.training import parallel

plots.use_style()

task = tasks.get("mnist1d", architecture="tanh")
original = 0  # the seed whose initial weights are the original's
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
starts = [(original, high_start), (original, low_start), *((seed, low_start) for seed in seeds)]
rates = published * np.geomspace(1 / 4, 4, grid_points)
plan = []  # nothing of this is a run of the training loop


def learned(seed, start):
    training = UnrolledTraining(task, steps=inner_steps, batch_size=batch_size, seed=seed)
    return (seed, start), training.learn(start, outer_rate=outer_rate, outer_steps=outer_steps)


def tried(seed):
    training = UnrolledTraining(task, steps=inner_steps, batch_size=batch_size, seed=seed)
    return seed, [training.mean_loss(float(rate)).item() for rate in rates]


later = {"descents on the rate, and curves": len(starts) + 1 + n_seeds + pilot_seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. From the original's weights it ends at 0.62 to two digits, from both
# sides. Other weights give rates within 10 %, and trying finds the same ones.
#
# ## Result

# %% tags=["nbval-ignore-output"]
paths = {}
for point, path in parallel.in_parallel(joblib.delayed(learned)(*start) for start in starts):
    paths[point] = path
    events.emit("progress", label="rates learned", done=len(paths), total=len(starts))
tries = (joblib.delayed(tried)(seed) for seed in (original, *seeds, *pilots))
curves = dict(parallel.in_parallel(tries))

# %%
display.say(
    f"{len(paths)} descents of {outer_steps} steps, each through {inner_steps} updates; "
    f"{len(curves)} curves of {grid_points} rates."
)

# %% tags=["nbval-ignore-output"]
ends = {point: float(path.rates[-1]) for point, path in paths.items()}
other = [ends[seed, low_start] for seed in seeds]
best = {seed: best_rate(rates, losses) for seed, losses in curves.items()}
found = stats.geometric_interval(other)
display.say(
    f"From the original's weights the rate ends at {ends[original, high_start]:.4f} from above "
    f"(published: 0.624) and {ends[original, low_start]:.4f} from below (published: 0.620). From "
    f"{n_seeds} other initial weights it ends at {found.estimate:.3f} [{found.low:.3f}, "
    f"{found.high:.3f}], geometric mean with 95 % t interval, the single ones between "
    f"{min(other):.3f} and {max(other):.3f}."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.5)
for (seed, _), path in paths.items():
    is_original = seed == original
    axes[0].plot(
        path.rates,
        color=plots.COLOURS[0] if is_original else "#9a9a9a",
        linewidth=1.8 if is_original else 0.9,
        zorder=3 if is_original else 2,
    )
axes[0].plot([], [], color=plots.COLOURS[0], label="the original's weights")
axes[0].plot([], [], color="#9a9a9a", label="other weights")
axes[0].axhline(published, color=plots.COLOURS[1], linestyle="--", linewidth=1, label="published")
axes[0].set(yscale="log", xlabel="step of the descent on the rate", ylabel="learning rate")
plots.ticks(axes[0].yaxis, [0.15, 0.3, 0.62, 1, 1.5])
axes[0].legend()
others = stats.band([curves[seed] for seed in seeds])
plots.band(axes[1], rates, others, color="#777777", label="other weights")
axes[1].plot(rates, curves[original], color=plots.COLOURS[0], label="the original's weights")
axes[1].axvline(published, color=plots.COLOURS[1], linestyle="--", linewidth=1)
axes[1].set(xscale="log", xlabel="learning rate", ylabel="mean loss of the training (nats)")
plots.ticks(axes[1].xaxis, [0.2, 0.4, 0.62, 1, 2])
axes[1].legend()
display.show(
    fig,
    alt="Left: the rate against the step of the descent, from above and below. Right: the mean "
    "loss against the rate. Dashed lines mark the published value.",
    caption="Left: the rate under descent on it, from the original's initial weights and from "
    f"{n_seeds} others. Right: mean loss of {inner_steps} updates at each constant rate; band: "
    f"mean and 95 % t interval over {n_seeds} initial weights.",
    headline=True,
)

# %% [markdown]
# ### What it costs
#
# A step of the descent goes through the whole training forwards and backwards, and keeps the graph
# of all its updates until then: in memory it costs as many times one update as there are updates.

# %% tags=["nbval-ignore-output"]
cheaper = grid_points < 2 * outer_steps
at_published = [float(np.interp(published, rates, curves[s])) / min(curves[s]) - 1 for s in seeds]
display.say(
    f"One descent of {outer_steps} steps goes {outer_steps} times through a training and back; "
    f"trying {grid_points} rates goes {grid_points} times through it, forwards only, and keeps the "
    "graph of one update. For a single hyperparameter "
    f"{'trying' if cheaper else 'the descent'} takes fewer passes; the descent's cost does not "
    "grow with the number of hyperparameters. The loss at the published rate is above the "
    f"lowest one by {100 * np.mean(at_published):.2f} % on average."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from a pilot study of the best rates by trying, which stand in for the
# learned ones:

# %% tags=["nbval-ignore-output"]
tested, delta = 2, claims.smallest_effect("learning rate")
claims.power(
    [np.log(best[seed] / published) for seed in pilots],
    "log ratio of rates",
    within=delta,
    used=n_seeds,
    tested=tested,
)

# %%
about = About(
    Setting(
        "tanh perceptron on MNIST-1D",
        f"SGD, batches of {batch_size} in the order of the data",
        f"{inner_steps} updates",
    ),
    metric="learning rate",
    like="same",
)
learned_to_published = np.log(np.array(other) / published)
learned_to_best = [float(np.log(ends[seed, low_start] / best[seed])) for seed in seeds]
claims.conclude(
    [
        Claim.exact(
            "same-weights",
            "From the original's weights the learning rate ends where the original's does.",
            measured=[ends[original, high_start], ends[original, low_start]],
            expected=[0.624, 0.620],
            tolerance=0.01,
            unit="rate",
            published=published,
            about=about,
        ),
        Claim.equivalence(
            "other-weights",
            f"From other initial weights the meta-learned rate is {published:g} too",
            values=learned_to_published,
            unit="log ratio of rates",
            published=published,
            about=about,
        ),
        Claim.equivalence(
            "best-by-trying",
            "The meta-learned rate is the best constant learning rate",
            values=learned_to_best,
            unit="log ratio of rates",
            published="close to the global minimum",
            about=about,
        ),
    ],
    source="greydanus2024scaling",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(tested, "equivalence")
there = stats.geometric_interval(other, level)
display.answer(
    f"Gradient descent through {inner_steps} updates ends at a learning rate of "
    f"{ends[original, high_start]:.3f} from the original's weights (published: {published:g}) and "
    f"of {there.estimate:.3f} [{there.low:.3f}, {there.high:.3f}] from {n_seeds} others, "
    f"{phrases.percent(learned_to_best, level)} from the best constant one by trying. "
    + (
        f"What this means for you: for one rate, try: {grid_points} trainings do what takes "
        f"descent {outer_steps}, each there and back."
        if cheaper
        else "It took no more passes through the training than trying did."
    ),
    claims=["same-weights", "other-weights", "best-by-trying"],
)
