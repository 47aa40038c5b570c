# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Ensembles of seeds and of snapshots
#     short_title: Ensembles of seeds and snapshots
#     question: At equal cost, is an ensemble of seeds or of snapshots better than one model?
#     tags: [ensembles, restarts, mnist1d, sgd]
#     smoke: {updates: 60, members: 3, rates: [0.1, 0.2, 0.4], n_seeds: 2, tuning_seeds: 1}
#     foretold:
#       - says: The snapshots have a lower loss than the one model, which overfits.
#         claims: {snapshots-or-one-loss: seen here}
#       - {says: So have the seeds., claims: not judged}
#       - says: By the error the snapshots are ahead of the one model by less than a tenth.
#         claims: not judged
#       - says: By the error short runs of seeds are behind the one model.
#         claims: {seeds-or-one-error: contradicted}
#       - says: Snapshots agree with one another more than seeds do.
#         claims: {more-alike: seen here}
# ---

# %% [markdown]
# # At equal cost, is an ensemble of seeds or of snapshots better than one model?
#
# ## Question
#
# Lecture notes name model ensembles as something to do after training {cite}`mtdickens2024`.
# Snapshots of one model at the ends of the cycles of a cyclic learning rate make an ensemble "for
# free": they end better than the one model at the same cost {cite}`huang2017snapshot`. Models from
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
# An ensemble averages the predicted probabilities. Each condition has its own peak rate: a grid is
# searched on seeds that are used for nothing else, and then each paired repetition trains at the
# best of it, half and twice of that, and keeps what is best on the validation part. So the luck of
# tuning lies in the intervals. What is tuned is what is used: the ensemble. The one model overfits
# in its loss long before it does in its error, so everything is done twice: tuned and judged by
# the loss, and tuned and judged by the error. What is reported is from the 1,000 test examples.

# %% tags=["parameters"]
updates: int = 2000  # [2..] updates in all, of each condition
members: int = 5  # [2..updates] models of an ensemble, or cycles
rates: list[float] = [0.0125, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8]  # [3.. of 0<.. rising]
# peak rates, equal ratios
n_seeds: int = 12  # [2..500] paired repetitions
tuning_seeds: int = 3  # [1..1000] repetitions for the choice of the rate; also the pilot
batch_size: int = 100  # [examples, 1..3500] in a batch
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.ensembles import Predictions, cross_entropy, disagreement, ensemble_log_probs
from lrlab.labbook.phrases import change, judged
from lrlab.labbook.tuned import AROUND
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
    others = [seed + 1000 * j for j in range(1, members)]
    return [job(Cosine(rate, steps=cycle), s) for s in (seed, *others)]


CRITERIA = {
    "loss": cross_entropy,
    "error": lambda log_p, y: float((log_p.argmax(1) != y).mean()),
}
conditions = ("one model", "snapshots", "seeds")
seeds = range(first_seed, first_seed + n_seeds)
tuning = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)


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


once = len(AROUND) * n_seeds * (2 + members)  # if both criteria choose one rate
later = {"the comparison about the tuned rates": (once, 2 * once)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Both ensembles have a lower loss than the one model, which overfits;
# by the error the snapshots are ahead of the one model by less than a tenth, and short runs of
# seeds are behind it. Snapshots agree with one another more than seeds do.
#
# Since then the smallest differences that matter are those of the whole log: 1 % of a loss, 5 % of
# an error.
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


chosen = {(c, k): rates[int(np.argmin(tuned_by(k, c)))] for c in conditions for k in CRITERIA}

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
    f"tuning repetitions; vertical: the lowest point of each; {tried.note()}.",
)
display.say(
    "The rate that is best by the loss and by the error: "
    + "; ".join(f"{c} {chosen[c, 'loss']:g} and {chosen[c, 'error']:g}" for c in conditions)
    + "."
)

# %% [markdown]
# ### Where they end

# %% tags=["nbval-ignore-output"]
truth = labels["test"]
about_them = {
    c: sorted({chosen[c, k] * factor for k in CRITERIA for factor in AROUND}) for c in conditions
}
runs = train_many(
    {k: j for c, rs in about_them.items() for r in rs for k, j in jobs_of(c, r, seeds).items()}
)


def best_of(condition, criterion, seed):
    """The rate about the tuned one, and its runs, that are best on the validation part."""
    found = {}
    for factor in AROUND:
        rate = chosen[condition, criterion] * factor
        one = runs.of(condition, rate, seed)
        found[score(condition, criterion, one), rate] = one
    return min(found)[1], found[min(found)]


kept = {(c, k): [best_of(c, k, s) for s in seeds] for c in conditions for k in CRITERIA}
predicted = {
    (c, k): [predictions(c, one, "test") for _, one in each] for (c, k), each in kept.items()
}
ends = {(c, k): [score(c, k, one, "test") for _, one in each] for (c, k), each in kept.items()}
rows = []
for c in conditions:
    for k in CRITERIA:
        member = np.mean([[CRITERIA[k](m, truth) for m in p] for p in predicted[c, k]])
        rows.append(
            {
                "condition": c,
                "tuned and judged by": k,
                "peak": np.exp(np.mean(np.log([rate for rate, _ in kept[c, k]]))),
                "at the end [95 %]": stats.geometric_interval(ends[c, k]),
                "a member alone": member,
            }
        )
display.table(
    rows,
    caption=f"Loss (nats) and error on {len(truth):,} test examples after {updates:,} updates in "
    f"all, {members} members; geometric means, n = {n_seeds}; {runs.note()}.",
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
    headline=True,
)
display.say(
    "The first member alone and all of them, by the error: "
    + "; ".join(
        f"{condition} {curves[condition][1][0]:.3f} and {curves[condition][1][-1]:.3f}"
        for condition in curves
    )
    + "."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
differ = {c: [disagreement(p) for p in predicted[c, "error"]] for c in ("snapshots", "seeds")}
tested = 6
for criterion, of in (("loss", "test loss"), ("error", "test error")):
    pilot = {c: np.log(validation[criterion][c, chosen[c, criterion]]) for c in conditions}
    claims.power(
        pilot["snapshots"] - pilot["one model"],
        f"log ratio of the {criterion} of snapshots to that of one model, when tuned,",
        beyond=claims.smallest_effect(of),
        used=n_seeds,
        tested=tested,
        unit="repetitions",
    )
display.say(
    "Two members name different classes on "
    f"{100 * np.mean(differ['snapshots']):.1f} % of the test examples (snapshots) and "
    f"{100 * np.mean(differ['seeds']):.1f} % (seeds)."
)

# %%
setting = Setting(
    "perceptron on MNIST-1D, each at its tuned rate",
    "SGD with momentum 0.9",
    f"{updates:,} updates in all",
)
pairs = {
    "snapshots-or-one": ("snapshots", "one model", f"{members} snapshots end lower than one model"),
    "seeds-or-one": ("seeds", "one model", f"{members} short runs end lower than one long run"),
    "snapshots-or-seeds": ("snapshots", "seeds", f"{members} snapshots end lower than short runs"),
}
source = {"snapshots-or-one": "huang2017snapshot"}
measured = {("seeds-or-one", "loss")}  # and not tested
LOST = "its networks, images and hundreds of epochs"


def claim(slug, kind):
    """A pair of conditions by the loss or by the error."""
    a, b, words = pairs[slug]
    diverged = sum(
        bool(x.num_diverged or y.num_diverged)
        for (_, x), (_, y) in zip(kept[a, kind], kept[b, kind], strict=True)
    )
    like = {"like": "analogue", "lost": LOST} if slug in source else {}
    told = {
        "values": stats.log_differences(ends[a, kind], ends[b, kind]),
        "unit": f"log ratio of test {'losses' if kind == 'loss' else 'errors'}",
        "source": source.get(slug),
        "published": "snapshots below the single model" if slug in source else None,
        "about": About(setting, f"test {kind}", family=slug, replication="repetitions", **like),
    }
    if (slug, kind) in measured:
        return Claim.descriptive(f"{slug}-{kind}", f"{words}, by the test {kind}", **told)
    return Claim.effect(
        f"{slug}-{kind}",
        f"{words}, by the test {kind}",
        direction="less",
        diverged=diverged,
        **told,
    )


made = [claim(slug, kind) for slug in pairs for kind in CRITERIA]
made.append(
    Claim.effect(
        "more-alike",
        "Two snapshots name different classes on fewer examples than two seeds",
        values=np.subtract(differ["snapshots"], differ["seeds"]),
        direction="less",
        unit="of the examples",
        source="fort2019deep",
        published="snapshots of one run are less diverse than independent runs",
        about=About(setting, "share", replication="repetitions", like="analogue", lost=LOST),
    )
)
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
found = judged(made)
by_error = {slug: change(found[f"{slug}-error"]) for slug in pairs}
better = found["snapshots-or-one-error"].verdict in ("supported", "seen here")
display.answer(
    "A perceptron on MNIST-1D, test error at equal cost against one long run: "
    f"{members} snapshots of one run {by_error['snapshots-or-one']}, {members} short runs "
    f"{by_error['seeds-or-one']}; snapshots "
    f"against short runs {by_error['snapshots-or-seeds']}. In the loss the snapshots are "
    f"{change(found['snapshots-or-one-loss'])}. "
    + (
        "What this means for you: where training again is too dear, restart the learning rate, "
        "keep the weights at the end of each cycle and average their predictions."
        if better
        else "What this means for you: where errors count, keep the one long run at equal cost, "
        "unless you see the snapshots beat it on your task"
        + (
            "; where the loss counts, average snapshots."
            if found["snapshots-or-one-loss"].verdict in ("supported", "seen here")
            else "."
        )
    ),
    claims=[*(f"{slug}-error" for slug in pairs), "snapshots-or-one-loss"],
)
