# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Late instability
#     question: Does the validation loss get unstable late in training, and is the rate the cause?
#     tags: [adam, adamw, diffusion, digits, instability]
#     smoke: {updates: 120, evaluations: 30, few: 64, many: 100, n_seeds: 2, pilot_seeds: 2}
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
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64. A factorial: rate with and
# without decay × few or many training images × validation noise fixed or redrawn × weights raw or
# averaged; the last two are read off the same runs. The loss is evaluated 120 times in a run, as
# often as there are epochs of the many images.
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
n_seeds: int = 7  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
batch_size: int = 64  # [images, 1..few] in a batch
average_decay: float = 0.995  # [0<..<1] of the moving average of the weights, per update
onset: float = 0.6667  # [0<..<1] share of the run after which the source saw instability: 80 of 120
spike: float = 0.05  # [0<..] relative rise above the five evaluations before that counts as a spike
delta: float = 0.4055  # [0<..] smallest log ratio of jitters that would matter: a factor of 1.5
hold_norms: float = 1.5  # [0<..] bound on the weights' norms, in units of their first ones
weight_decay: float = 0.1  # [0<..] decoupled
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import itertools

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.optimizers import Adam, AdamW
from lrlab.plots.panels import panels
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
arms = {(name, n): (data[n], decays[name], Adam()) for name in decays for n in (few, many)}
arms |= {
    ("held norms", many): (held, decays["constant"], Adam()),
    ("weight decay", many): (data[many], decays["constant"], AdamW(weight_decay)),
    ("restarts", many): (
        data[many],
        restarts(updates)["fixed cycles"].scale(peak["cosine"]),
        Adam(),
    ),
}
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)


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
shown = {f"{name}, {n} images": (name, n) for name, n in itertools.product(decays, (many, few))}
epoch = updates // evaluations
fig, axes = panels(
    {title: arms[arm][1](np.arange(updates)) for title, arm in shown.items()},
    epoch_steps=epoch,
    label="validation loss",
)
for title, ax in axes.items():
    run = runs[shown[title], 0]
    for style, (label, metric) in plots.styled(METRICS.items()):
        ax.plot(
            run.evals["step"][1:] / epoch,
            run.evals[metric][1:],
            linewidth=0.9,
            label=label,
            color=style["color"],
        )
    plots.guide(ax, x=onset * evaluations)
ax.set_ylim(0.17, 1.0)
next(iter(axes.values())).legend(fontsize=7.5, loc="upper right")
display.show(
    fig,
    alt="Validation loss against epoch for decay and no decay, many and few images: the redrawn "
    "noise jitters everywhere, the constant rate jitters on the fixed noise too, the cosine's end "
    "is smooth on the fixed noise.",
    caption="Validation loss of the first seed. Dotted: the epoch after which the source "
    f"saw instability. An epoch is {epoch} updates, here as for few images.",
)


# %% [markdown]
# ### Jitter and spikes, before and after


# %% tags=["nbval-ignore-output"]
def jitter(run, metric, late):
    """Noise of the log loss from one evaluation to the next, in a part of the run."""
    y = np.log(run.evals[metric])
    cut = int(onset * len(y))
    bends = np.diff(y[cut:] if late else y[cut // 2 : cut], n=2)
    return float(np.sqrt(np.mean(bends**2) / 6))


def spikes(run, metric, late):
    """Share of evaluations that are spikes, in a part of the run."""
    y = run.evals[metric]
    before = np.array([np.median(y[i - 5 : i]) for i in range(5, len(y))])
    rises = np.r_[[False] * 5, y[5:] > (1 + spike) * before]
    cut = int(onset * len(y))
    return float((rises[cut:] if late else rises[cut // 2 : cut]).mean())


rows = []
for (name, n), members in runs.of(..., seeds).groups().items():
    for label, metric in METRICS.items():
        row = {"rate": name, "images": n, "validation": label}
        for when, late in (("before", False), ("after", True)):
            values = members.curves(lambda run: jitter(run, metric, late))  # noqa: B023
            row[f"jitter {when} [%]"] = 100 * float(np.exp(np.log(values).mean()))
            values = members.curves(lambda run: spikes(run, metric, late))  # noqa: B023
            row[f"spikes {when} [%]"] = 100 * values.mean()
        rows.append(row)
display.table(
    rows,
    caption=f"Jitter and spikes in the third of the run before the onset and after it, {n_seeds} "
    f"seeds, {runs.note()}. The lower block has the remedies.",
)


# %% [markdown]
# ### Is the rate the cause?


# %% tags=["nbval-ignore-output"]
def jitters(arm, metric, late=True, group=seeds):
    return runs.of(arm, group).array(lambda run: jitter(run, metric, late))


def log_ratio(arm, metric, other=None, other_metric=None):
    """Late jitter of an arm over that of another, or over its own before the onset, by seed."""
    late = jitters(arm, metric)
    if other is None and other_metric is None:
        return np.log(late / jitters(arm, metric, late=False))
    return np.log(late / jitters(other or arm, other_metric or metric))


FIXED, REDRAWN, MEAN = METRICS.values()
COSINE, CONSTANT = ("cosine", many), ("constant", many)
effects = {
    "cosine: after / before, fixed noise": log_ratio(COSINE, FIXED),
    "cosine: after / before, redrawn noise": log_ratio(COSINE, REDRAWN),
    "constant: after / before, fixed noise": log_ratio(CONSTANT, FIXED),
    "few images, cosine: after / before, fixed noise": log_ratio(("cosine", few), FIXED),
    "constant / cosine, fixed noise": log_ratio(CONSTANT, FIXED, COSINE),
    "cosine: redrawn / fixed noise": log_ratio(COSINE, REDRAWN, None, FIXED),
    "constant: averaged / raw weights": log_ratio(CONSTANT, MEAN, None, FIXED),
    "constant: held norms / free": log_ratio(("held norms", many), FIXED, CONSTANT),
    "constant: weight decay / none": log_ratio(("weight decay", many), FIXED, CONSTANT),
    "restarts / cosine, fixed noise": log_ratio(("restarts", many), FIXED, COSINE),
}
fig, ax = plots.figure(width=8.4, height=4.2)
plots.intervals(ax, stats.mean_intervals(effects), points=effects)
plots.shade(ax, -delta, delta)
ax.set_xlabel("log ratio of jitters")
display.show(
    fig,
    alt="Log ratios of jitter with intervals, one row for each comparison.",
    caption=f"Ratios of late jitter, 95 % t intervals, n = {n_seeds}. Shaded: less than "
    f"a factor of {np.exp(delta):.2g}.",
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = np.log(jitters(CONSTANT, FIXED, group=pilots) / jitters(COSINE, FIXED, group=pilots))
what = "log ratio of jitters, constant to cosine,"
claims.power(pilot, what, beyond=delta, used=n_seeds)

# %%
unit = "log ratio of jitters"
test = runs.of(..., seeds).arrays("test_loss")
claims.conclude(
    [
        Claim.effect(
            "late-fixed",
            "After about 80 epochs the validation loss becomes unstable: cosine, "
            "fixed validation noise.",
            values=effects["cosine: after / before, fixed noise"],
            direction="greater",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "late-redrawn",
            "After about 80 epochs the validation loss becomes unstable: cosine, "
            "validation noise drawn anew.",
            values=effects["cosine: after / before, redrawn noise"],
            direction="greater",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "late-few",
            "After about 80 epochs the validation loss becomes unstable: cosine, few images.",
            values=effects["few images, cosine: after / before, fixed noise"],
            direction="greater",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "rate",
            "Without a decay the late validation loss is less stable: the rate is a cause.",
            values=effects["constant / cosine, fixed noise"],
            direction="greater",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "redrawn-noise",
            "Drawing the validation noise anew makes the late loss unstable.",
            values=effects["cosine: redrawn / fixed noise"],
            direction="greater",
            delta=delta,
            unit=unit,
            source="",
        ),
        Claim.effect(
            "averaging",
            "Averaged weights are more stable than raw ones at a constant rate.",
            values=effects["constant: averaged / raw weights"],
            direction="less",
            delta=delta,
            unit=unit,
            source="",
        ),
        Claim.effect(
            "held-norms",
            "Weights that cannot diverge make the validation loss more stable.",
            values=effects["constant: held norms / free"],
            direction="less",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "weight-decay",
            "Weight decay makes the validation loss more stable.",
            values=effects["constant: weight decay / none"],
            direction="less",
            delta=delta,
            unit=unit,
        ),
        Claim.effect(
            "restarts",
            "Restarting before the onset ends at a lower test loss than one cosine.",
            values=stats.log_differences(test["restarts", many], test[COSINE]),
            direction="less",
            unit="log ratio of test losses",
        ),
    ],
    source="diffusion2025",
)
