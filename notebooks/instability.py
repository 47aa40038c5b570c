# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Late instability
#     short_title: Late instability
#     question: Does the validation loss get unstable late in training, and is the rate the cause?
#     tags: [adam, adamw, diffusion, digits, instability]
#     smoke: {updates: 60, evaluations: 15, few: 64, many: 100, n_seeds: 2, pilot_seeds: 2}
#     foretold:
#       - says: With decay the late jitter is smaller than before, not larger.
#         claims: {late-fixed: not seen here}
#       - says: "Without decay it stays as it was: the rate is its cause."
#         claims: {rate: not seen here}
#       - says: Redrawn noise adds several per cent of jitter that no schedule removes.
#         claims: not judged
#       - says: Averaging the weights removes most of what the rate causes.
#         claims: not judged
#       - says: Held norms and weight decay change little.
#         claims: {held-norms: not seen here, weight-decay: not seen here}
#       - {says: Restarts bring the jitter back at each restart., claims: not judged}
# ---

# %% [markdown]
# # Does the validation loss become unstable late in training?
#
# ## Question
#
# "After about 80 epochs, the validation loss become unstable", writes the source
# {cite}`diffusion2025`, and: "I don't think this is due to the learning rate being too high", since
# its schedules had all but ended by then. It proposes two remedies: weights that cannot diverge,
# and restarting the schedule before the onset. There is a third explanation: if the noise of the
# validation set is drawn anew at each evaluation, the loss jitters by that alone.
#
# 1. Is there more jitter late than before, and under which conditions?
# 2. How much of it is the rate, how much the redrawn noise? Does averaging the weights remove it?
# 3. Do held weights, weight decay, or restarts help?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64; learning rate with and without
# decay, each at its own tuned peak. The same runs are evaluated on validation noise that is fixed
# or drawn anew, and with raw or averaged weights. With few images there is one arm, under the
# cosine; the remedies run at a constant rate, where there is jitter to remove, with that rate. The
# loss is evaluated 120 times in a run, as often as there are epochs of the many images. The peaks
# come from other seeds, those of the entry *Tuning the diffusion model*, and the noise of tuning is
# not in the intervals.
#
# **Jitter** is the noise of the log validation loss from one evaluation to the next: the root mean
# square of its second differences over √6, which is the standard deviation for independent noise
# and does not see a trend. A **spike** is an evaluation above the median of the five before it by
# more than a stated share. Both were fixed before the runs.

# %% tags=["parameters"]
updates: int = 2640  # [60..] updates of a run
evaluations: int = 120  # [1..updates] evaluations of a run
many: int = 1400  # [1..1400] training images
few: int = 200  # [1..1400] training images, where overfitting is the subject
n_seeds: int = 12  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block; pilot seeds begin 20,000 after it
batch_size: int = 64  # [images, 1..few] in a batch
average_decay: float = 0.995  # [0<..<1] of the moving average of the weights, per update
onset: float = 0.6667  # [0<..<1] share of the run after which the source saw instability: 80 of 120
spike: float = 0.05  # [0<..] relative rise above the five evaluations before that counts as a spike
hold_norms: float = 1.5  # [0<..] bound on the weights' norms, in units of their first ones
weight_decay: float = 0.1  # [0<..] decoupled
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.jitter import jitter, spikes
from lrlab.experiments.panels import panels
from lrlab.labbook import tuned
from lrlab.labbook.phrases import factor
from lrlab.optimizers import Adam, AdamW
from lrlab.schedules.presets import lineup, restarts

plots.use_style()

if updates % evaluations or updates % 60:
    raise ValueError(f"updates must be a multiple of 60 and of evaluations, got {updates}")
found = tuned.read("tune_diffusion", tuning_entry or None)
peak = {name: found.rate(f"{name} long") for name in ("cosine", "constant")}
data = {n: tasks.get("digits_diffusion", n_train=n, redrawn=True) for n in (few, many)}
held = tasks.get("digits_diffusion", n_train=many, redrawn=True, hold_norms=hold_norms)
decays = {
    "cosine": lineup(updates)["cosine"].scale(peak["cosine"]),
    "constant": lineup(updates)["constant"].scale(peak["constant"]),
}
arms = {(name, many): (data[many], decays[name], Adam()) for name in decays}
arms |= {
    ("cosine", few): (data[few], decays["cosine"], Adam()),
    ("held norms", many): (held, decays["constant"], Adam()),
    ("weight decay", many): (data[many], decays["constant"], AdamW(weight_decay)),
    ("restarts", many): (
        data[many],
        restarts(updates)["fixed cycles"].scale(peak["cosine"]),
        Adam(),
    ),
}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def job(arm, seed):
    task, schedule, optimizer = arms[arm]
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=updates,
            batch_size=batch_size,
            optimizer=optimizer,
            seed=seed,
            eval_every=updates // evaluations,
            average_decay=average_decay,
        ),
    )


plan = {(arm, seed): job(arm, seed) for arm in arms for seed in seeds}
plan |= {((name, many), s): job((name, many), s) for name in decays for s in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. With decay the late jitter is *smaller* than before, not larger. Without
# decay it stays as it was: the rate is its cause. Redrawn noise adds several per cent of jitter
# that no schedule removes. Averaging the weights removes most of what the rate causes. Held norms
# and weight decay change little; restarts bring the jitter back at each restart.
#
# Since then the arm of few images without decay was left out, and a restart has to lower the test
# loss by δ to count.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
METRICS = {
    "fixed noise": "validation_loss",
    "redrawn noise": "validation_redrawn_loss",
    "fixed noise, averaged": "averaged_validation_loss",
}
display.say(
    f"{len(runs)} runs of {updates} updates: {len(arms)} arms with {n_seeds} paired seeds, and "
    f"{2 * pilot_seeds} runs for the pilot. Metrics: {', '.join(METRICS)}."
)

# %% tags=["nbval-ignore-output"]
shown = {f"{name}, {n:,} images": (name, n) for name, n in arms if name in decays}
epoch = updates // evaluations
fig, axes = panels(
    {title: arms[arm][1](np.arange(updates)) for title, arm in shown.items()},
    epoch_steps=epoch,
    columns=3,
    row_height=3.2,
    label="validation loss",
)
for title, ax in axes.items():
    run = runs[shown[title], seeds[0]]
    for metric, colour, width in (
        ("redrawn noise", "#E6B27A", 0.8),
        ("fixed noise", plots.COLOURS[0], 1.3),
    ):
        y = run.evals[METRICS[metric]][1:]
        ax.plot(run.evals["step"][1:] / epoch, y, linewidth=width, label=metric, color=colour)
    plots.guide(ax, x=onset * evaluations)
next(iter(axes.values())).legend(loc="upper right")
display.show(
    fig,
    alt="Validation loss of one run against epoch, three panels: cosine, constant, and cosine with "
    "few images. The loss on redrawn noise scatters about the one on fixed noise.",
    caption="Validation loss of the first seed. Dotted: the epoch after which the source "
    f"saw instability. An epoch is {epoch} updates, here as for few images.",
)


# %% [markdown]
# ### Jitter and spikes, before and after


# %% tags=["nbval-ignore-output"]
def part(series, late):
    """The part of a series of evaluations after the onset, or the third of the run before it."""
    cut = int(onset * len(series))
    return series[cut:] if late else series[cut // 2 : cut]


rows = []
for (name, n), members in runs.of(..., seeds).groups().items():
    for label, metric in METRICS.items():
        row = {"rate": name, "images": n, "validation": label}
        for when, late in (("before", False), ("after", True)):
            values = members.curves(lambda run: jitter(part(run.evals[metric], late)))  # noqa: B023
            row[f"jitter {when} [%]"] = 100 * float(np.exp(np.log(values).mean()))
            values = members.curves(lambda run: part(spikes(run.evals[metric], spike), late))  # noqa: B023
            row[f"spikes {when} [%]"] = 100 * values.mean()
        rows.append(row)
display.table(
    rows,
    caption=f"Jitter and spikes in the third of the run before the onset and after it, {n_seeds} "
    f"seeds, {runs.note()}. The last three arms are the remedies.",
)


# %% [markdown]
# ### Is the rate the cause?


# %% tags=["nbval-ignore-output"]
def jitters(arm, metric, late=True, group=seeds):
    return runs.of(arm, group).array(lambda run: jitter(part(run.evals[metric], late)))


def log_ratio(arm, metric, other=None, other_metric=None):
    """Late jitter of an arm over that of another, or over its own before the onset, by seed."""
    late = jitters(arm, metric)
    if other is None and other_metric is None:
        return np.log(late / jitters(arm, metric, late=False))
    return np.log(late / jitters(other or arm, other_metric or metric))


FIXED, REDRAWN, MEAN = METRICS.values()
COSINE, CONSTANT = ("cosine", many), ("constant", many)
TESTED, DELTA = 6, claims.smallest_effect("jitter")
effects = {
    "cosine: after / before, fixed noise": log_ratio(COSINE, FIXED),
    "cosine: after / before, redrawn noise": log_ratio(COSINE, REDRAWN),
    "constant / cosine, fixed noise": log_ratio(CONSTANT, FIXED, COSINE),
    "constant: held norms / free": log_ratio(("held norms", many), FIXED, CONSTANT),
    "constant: weight decay / none": log_ratio(("weight decay", many), FIXED, CONSTANT),
}
others = {
    "cosine, few images: after / before": log_ratio(("cosine", few), FIXED),
    "constant: after / before": log_ratio(CONSTANT, FIXED),
    "cosine: redrawn / fixed noise": log_ratio(COSINE, REDRAWN, None, FIXED),
    "constant: averaged / raw weights": log_ratio(CONSTANT, MEAN, None, FIXED),
    "restarts / cosine": log_ratio(("restarts", many), FIXED, COSINE),
}
fig, ax = plots.figure(width=8.4, height=3)
same = "constant / cosine, fixed noise"  # the equivalence
rows = {
    label: stats.mean_interval(
        values, claims.level(TESTED, "equivalence" if label == same else "effect")
    )
    for label, values in effects.items()
}
plots.intervals(ax, rows, points=effects)
plots.shade(ax, -DELTA, DELTA)
ax.set_xlabel("log ratio of jitters")
display.show(
    fig,
    alt="Log ratios of jitter with intervals, one row for each tested comparison.",
    caption=f"Ratios of jitter with the intervals that decide ({TESTED} tested claims), n = "
    f"{n_seeds}. Shaded: less than a factor of {np.exp(DELTA):.2g}.",
    headline=True,
)
display.table(
    [
        {
            "comparison": label,
            "factor [95 %]": stats.geometric_interval(np.exp(values)),
        }
        for label, values in others.items()
    ],
    caption="Ratios of late jitter that are not tested, on fixed noise unless said, "
    f"n = {n_seeds}.",
)
display.say(
    "Under the cosine, noise drawn anew at each evaluation multiplies the late jitter by "
    f"{factor(others['cosine: redrawn / fixed noise'], 0.95)}; at a constant rate averaged weights "
    f"multiply it by {factor(others['constant: averaged / raw weights'], 0.95)}."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = np.log(jitters(CONSTANT, FIXED, group=pilots) / jitters(COSINE, FIXED, group=pilots))
what = "log ratio of jitters, constant to cosine,"
claims.power(pilot, what, beyond=DELTA, used=n_seeds, tested=TESTED)


# %%
def about(rate, family="", metric="jitter", n=many, lost=""):
    task = f"Denoiser of 8×8 digits ({n:,} images)"
    setting = Setting(task, f"Adam, {rate}", f"{updates:,} updates")
    return About(setting, metric, "seeds", family, "analogue", lost)


def jittery(id, statement, key, rate, direction, **where):
    values = (effects | others)[key]
    return Claim.effect(
        id, statement, values=values, direction=direction, unit=unit, about=about(rate, **where)
    )


unit, lost = "log ratio of jitters", "whether the noise of its validation set was fixed"
test = runs.of(..., seeds).arrays("test_loss")
LATE, HELD = "late instability", "smaller weights"
late = f"After {100 * onset:.0f} % of the run the validation loss becomes less stable"
claims.conclude(
    [
        *(
            jittery(
                f"late-{noise}",
                f"{late} ({noise} validation noise)",
                f"cosine: after / before, {noise} noise",
                "cosine",
                "greater",
                family=LATE,
                lost=lost,
            )
            for noise in ("fixed", "redrawn")
        ),
        Claim.equivalence(
            "rate",
            "Late in training the validation loss is as stable at a constant rate as under the "
            "cosine, so that the rate is not the cause",
            values=effects[same],
            unit=unit,
            about=about("cosine and constant"),
        ),
        jittery(
            "held-norms",
            f"Weights held below {hold_norms:g} times their first norm make the late validation "
            "loss more stable",
            "constant: held norms / free",
            "constant",
            "less",
            family=HELD,
        ),
        jittery(
            "weight-decay",
            f"A decoupled weight decay of {weight_decay:g} makes the late validation loss more "
            "stable",
            "constant: weight decay / none",
            "constant",
            "less",
            family=HELD,
        ),
        Claim.effect(
            "restarts",
            "Four cosine cycles from the peak rate that is best for one end at a lower test loss "
            "than one",
            values=stats.log_differences(test["restarts", many], test[COSINE]),
            direction="less",
            diverged=sum(
                runs[("restarts", many), s].diverged or runs[COSINE, s].diverged for s in seeds
            ),
            unit="log ratio of test losses",
            about=about("cosine", metric="test loss"),
        ),
        *(
            Claim.descriptive(
                id,
                statement,
                values=others[key],
                unit=unit,
                source=source,
                about=about(rate, n=n),
            )
            for id, statement, key, rate, n, source in (
                (
                    "late-few",
                    f"Jitter after {100 * onset:.0f} % of the run over that before, few images",
                    "cosine, few images: after / before",
                    "cosine",
                    few,
                    None,
                ),
                (
                    "redrawn-noise",
                    "Late jitter with validation noise drawn anew, over that with fixed noise",
                    "cosine: redrawn / fixed noise",
                    "cosine",
                    many,
                    "",
                ),
                (
                    "averaging",
                    "Late jitter of averaged weights over that of raw ones",
                    "constant: averaged / raw weights",
                    "constant",
                    many,
                    None,
                ),
            )
        ),
    ],
    source="diffusion2025",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(TESTED)
after = effects["cosine: after / before, fixed noise"]
change = stats.mean_interval(after, level)
trend = "No late" if change.high < 0 else "A late" if change.low > 0 else "No clear late"
redrawn = 100 * np.exp(np.log(jitters(COSINE, REDRAWN)).mean())
display.answer(
    f"{trend} instability in a small denoiser under Adam and a cosine: after "
    f"{100 * onset:.0f} % of the run the validation loss jitters {factor(after, level)} times as "
    "much as before, on fixed noise; a constant rate jitters "
    f"{factor(effects[same], claims.level(TESTED, 'equivalence'))} times as much as the cosine. "
    f"Validation noise drawn anew alone makes a jitter of {redrawn:.2g} %. What this means for "
    "you: "
    "evaluate a diffusion model on the same noise each time before you look for a cause in the "
    "optimizer.",
    claims=["late-fixed", "rate", "redrawn-noise"],
)
