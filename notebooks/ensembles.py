# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Ensembles of seeds and of snapshots
#     question: At equal cost, is an ensemble of seeds or of snapshots better than one model?
#     tags: [ensembles, restarts, mnist1d, sgd]
#     smoke: {updates: 60, members: 3, rates: [0.1, 0.2, 0.4], n_seeds: 2, tuning_seeds: 1}
# ---

# %% [markdown]
# # Ensembles of seeds and of snapshots
#
# ## Question
#
# Lecture notes name model ensembles as something to do after training {cite}`mtdickens2024`.
# Snapshots of one model at the ends of the cycles of a cyclic schedule make an ensemble "for free":
# they end better than the one model at the same cost {cite}`huang2017snapshot`. Models from
# different seeds differ more from one another than snapshots do {cite}`fort2019deep`, but each of
# them has to be trained.
#
# 1. At equal training cost, do snapshots end better than one model? Do short runs of several seeds?
# 2. Which of the two ensembles is better?
# 3. Are snapshots more alike than seeds?
#
# ## Setup
#
# A perceptron of 15,210 weights on MNIST-1D, SGD with momentum 0.9, batches of 100. Every condition
# has the same number of updates in all:
#
# - *one model*, under one cosine;
# - *snapshots*: one model under cosine restarts, its weights at the end of each cycle;
# - *seeds*: as many models, each under a cosine of the length of a cycle.
#
# An ensemble averages the predicted probabilities. Each condition has its own peak rate, chosen
# on the validation part with seeds that are used for nothing else, by what is used: the ensemble.
# The one model overfits in its loss long before it does in its error, so everything is done
# twice: tuned and judged by the loss, and tuned and judged by the error. What is reported is from
# the 1,000 test examples.

# %% tags=["parameters"]
updates: int = 2000  # [2..] updates in all, of each condition
members: int = 5  # [2..updates] models of an ensemble, or cycles
rates: list[float] = [0.00625, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising]
# peak rates, equal ratios
n_seeds: int = 8  # [2..500] paired repetitions
tuning_seeds: int = 3  # [1..1000] repetitions for the choice of the rate; also the pilot
batch_size: int = 100  # [examples, 1..3500] in a batch
delta: float = 0.02  # [0<..] smallest difference of a log test loss or log error that would matter

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.experiments.ensembles import Predictions, cross_entropy, disagreement, ensemble_log_probs
from lrlab.labbook.tuned import best_rate
from lrlab.optimizers import SGD
from lrlab.schedules import Cosine, CosineRestarts

plots.use_style()

if members < 2 or updates % members:
    raise ValueError(f"updates must be a multiple of members > 1, got {updates}, {members}")
task = tasks.get("mnist1d")
cycle = updates // members
labels = {part: getattr(task.data(), part)[1].numpy() for part in ("validation", "test")}


def job(schedule, seed):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=schedule.horizon,
            batch_size=batch_size,
            optimizer=SGD(momentum=0.9),
            seed=seed,
            eval_every=0,
        ),
        (Predictions(every=cycle),),
    )


def jobs(condition, rate, seed):
    """The runs of one repetition; the first model has its seed, in all conditions."""
    if condition == "one model":
        return [job(Cosine(rate, steps=updates), seed)]
    if condition == "snapshots":
        return [job(CosineRestarts(rate, cycle_steps=cycle, cycles=members), seed)]
    others = [10_000 * (seed + 1) + j for j in range(1, members)]
    return [job(Cosine(rate, steps=cycle), s) for s in (seed, *others)]


CRITERIA = {
    "loss": cross_entropy,
    "error": lambda log_p, y: float((log_p.argmax(1) != y).mean()),
}
conditions = ("one model", "snapshots", "seeds")
seeds, tuning = range(n_seeds), range(1000, 1000 + tuning_seeds)


def jobs_of(condition, rate, group):
    """The runs of all repetitions of a condition, each by its place in its repetition."""
    return {
        (condition, rate, s, k): one
        for s in group
        for k, one in enumerate(jobs(condition, rate, s))
    }


plan = {}
for condition, rate in itertools.product(conditions, rates):
    plan |= jobs_of(condition, rate, tuning)


def predictions(condition, runs, part):
    """Log probabilities of what the condition has at its end: (members, examples, classes)."""
    shape = (-1, len(labels[part]), task.classes)
    found = [run.probes["Predictions"][part].reshape(shape) for run in runs.values()]
    return found[0][-1:] if condition == "one model" else np.concatenate(found)


chosen_once = n_seeds * (2 + members)  # if both criteria choose one rate
later = {"the comparison at the tuned rates": (chosen_once, 2 * chosen_once)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Both ensembles have a lower loss than the one model, which overfits;
# by the error the snapshots are ahead of the one model by less than a tenth, and short runs of
# seeds are behind it. Snapshots agree with one another more than seeds do.
#
# ## Result
#
# ### The rate of each condition

# %% tags=["nbval-ignore-output"]
tried = train_many(plan)


def score(condition, criterion, runs, part="validation"):
    """What a repetition scores; as guessing where one of its runs diverged."""
    if runs.num_diverged:
        chance = task.chance
        return chance["loss"] if criterion == "loss" else 1 - chance["accuracy"]
    log_p = ensemble_log_probs(predictions(condition, runs, part))
    return CRITERIA[criterion](log_p, labels[part])


validation = {
    criterion: {
        (condition, rate): [
            score(condition, criterion, each)
            for each in tried.of(condition, rate).groups().values()
        ]
        for condition in conditions
        for rate in rates
    }
    for criterion in CRITERIA
}


def tuned_by(criterion, condition):
    """The mean over the repetitions at each rate, geometric."""
    return [np.exp(np.mean(np.log(validation[criterion][condition, rate]))) for rate in rates]


chosen = {(c, k): best_rate(rates, tuned_by(k, c)) for c in conditions for k in CRITERIA}

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.4)
for ax, criterion in zip(axes, CRITERIA, strict=True):
    for style, condition in plots.styled(conditions):
        ax.plot(
            rates,
            tuned_by(criterion, condition),
            marker="o",
            markersize=3,
            label=condition,
            **style,
        )
        ax.axvline(chosen[condition, criterion], linewidth=0.8, color=style["color"], alpha=0.6)
    ax.set(xscale="log", xlabel="peak rate", ylabel=f"validation {criterion}")
    plots.ticks(ax.xaxis, rates[::2])
axes[0].legend()
display.show(
    fig,
    alt="Validation loss and error against the peak rate, one line a condition, with the chosen "
    "rates.",
    caption=f"Validation loss (nats) and error of what is used, geometric mean over {tuning_seeds} "
    "tuning repetitions, and the rates chosen by each. By the loss the one model wants a small "
    f"rate, since it overfits; {tried.note()}.",
)

# %% [markdown]
# ### Where they end

# %% tags=["nbval-ignore-output"]
truth = labels["test"]
runs = {
    (c, k): train_many(jobs_of(c, chosen[c, k], seeds)).of(c, chosen[c, k])
    for c in conditions
    for k in CRITERIA
}
predicted = {
    (c, k): [predictions(c, each, "test") for each in found.groups().values()]
    for (c, k), found in runs.items()
}
ends = {
    (c, k): [CRITERIA[k](ensemble_log_probs(p), truth) for p in predicted[c, k]]
    for c in conditions
    for k in CRITERIA
}
rows = []
for c in conditions:
    for k in CRITERIA:
        member = np.mean([[CRITERIA[k](m, truth) for m in p] for p in predicted[c, k]])
        rows.append(
            {
                "condition": c,
                "tuned and judged by": k,
                "peak": chosen[c, k],
                "at the end [95 %]": stats.geometric_interval(ends[c, k]),
                "a member alone": member,
            }
        )
display.table(
    rows,
    caption=f"Loss (nats) and error on {len(truth):,} test examples after {updates:,} updates in "
    f"all, {members} members; geometric mean, n = {n_seeds}.",
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.4)
at = np.arange(1, members + 1)
for ax, (criterion, judge) in zip(axes, CRITERIA.items(), strict=True):
    curves = {}
    for condition in ("snapshots", "seeds"):
        several = predicted[condition, criterion]
        curves[condition] = stats.band(
            [
                [
                    judge(ensemble_log_probs(p[-k:] if condition == "snapshots" else p[:k]), truth)
                    for k in at
                ]
                for p in several
            ]
        )
    plots.bands(ax, at, curves)
    plots.guide(ax, y=np.mean(ends["one model", criterion]), label="one model")
    ax.set(xlabel="members", ylabel=f"test {criterion}")
    ax.set_xticks(at)
axes[0].legend()
display.show(
    fig,
    alt="Test loss and test error against the number of members, for the last snapshots and for "
    "seeds, beside one model of the full length.",
    caption="Loss and error of an ensemble of the last snapshots, or of the first seeds, against "
    f"the number of members; mean and 95 % t interval, n = {n_seeds}. All {members} seeds cost as "
    "much as the one model, fewer cost less; the snapshots always cost as much.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
differ = {c: [disagreement(p) for p in predicted[c, "error"]] for c in ("snapshots", "seeds")}
for criterion in CRITERIA:
    near = {
        c: min(rates, key=lambda r, c=c: abs(np.log(r / chosen[c, criterion]))) for c in conditions
    }
    pilot = {c: np.log(validation[criterion][c, near[c]]) for c in conditions}
    claims.power(
        pilot["snapshots"] - pilot["one model"],
        f"log ratio of the {criterion} of snapshots to that of one model, when tuned,",
        beyond=delta,
        effect=5 * delta,
        used=n_seeds,
    )
display.say(
    "Two members name different classes on "
    f"{100 * np.mean(differ['snapshots']):.1f} % of the test examples (snapshots) and "
    f"{100 * np.mean(differ['seeds']):.1f} % (seeds)."
)

# %%
pairs = {
    "snapshots-or-one": ("snapshots", "one model", "Snapshots end better than one model"),
    "seeds-or-one": ("seeds", "one model", "Short runs of several seeds end better than one model"),
    "snapshots-or-seeds": ("snapshots", "seeds", "Snapshots end better than seeds"),
}
source = {"snapshots-or-one": "huang2017snapshot"}
claims.conclude(
    [
        Claim.effect(
            f"{slug}-{kind}",
            f"{words}, at equal training cost, by the {kind}.",
            values=stats.log_differences(ends[a, kind], ends[b, kind]),
            direction="less",
            delta=delta,
            unit=f"log ratio of test {'losses' if kind == 'loss' else 'errors'}",
            source=source.get(slug),
            published="snapshots below the single model" if slug in source else None,
        )
        for slug, (a, b, words) in pairs.items()
        for kind in CRITERIA
    ]
    + [
        Claim.effect(
            "more-alike",
            "Snapshots are more alike than seeds.",
            values=stats.log_differences(differ["snapshots"], differ["seeds"]),
            direction="less",
            delta=delta,
            unit="log ratio of disagreements",
            source="fort2019deep",
            published="snapshots of one run are less diverse than independent runs",
        )
    ]
)
