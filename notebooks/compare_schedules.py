# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Does the cosine schedule beat the others on a diffusion model?
#     short_title: Cosine against six others
#     question: Does the cosine schedule give better results than the others?
#     tags: [adam, diffusion, digits, cosine, one-cycle]
#     smoke:
#       n_train: 100
#       short_epochs: 10
#       long_epochs: 12
#       n_seeds: 2
#       long_seeds: 2
#       pilot_seeds: 2
#     foretold:
#       - says: At the tuned rates cosine, linear and one-cycle end within 2 % of one another.
#         claims: {tuned-short-linear: not seen here, tuned-short-one-cycle: not seen here}
#       - says: They end lower than all others.
#         claims:
#           tuned-short-step: seen here
#           tuned-short-exponential: seen here
#           tuned-short-inverse-square-root: seen here
#           tuned-short-constant: seen here
#       - says: The averaged constant rate comes close to them.
#         claims: {tuned-short-constant-averaged: not seen here}
#       - says: At the common rate the differences to constant and exponential are larger.
#         claims: not judged
#       - says: In the short training the order is the same.
#         claims: not judged
# ---

# %% [markdown]
# # Does the cosine schedule beat the others on a diffusion model?
#
# ## Question
#
# "The cosine schedule gives better results than the others", and "the difference is more than I
# expected" {cite}`diffusion2025`. The notebook tells of no repetition and names no learning rate.
# There are two other explanations: another rate might suit the others better, and averaging the
# weights of a constant rate may do what a decay does.
#
# 1. At each one's own tuned peak rate, does the cosine end lower than each of the others?
# 2. And at one common rate?
# 3. Does the length of training change the answer?
#
# ## Setup
#
# A residual perceptron of 52,928 weights predicts the noise in real 8×8 digits; Adam, batches of
# 64. The loss is the mean squared error of the predicted noise, on a fixed set of noise draws.
# All schedules share initial weights, data order and noise, seed by seed. The rates start from the
# entry *Tuning the diffusion model*. In the comparison that is judged, the short training, every
# seed trains at that rate, half and twice of it, and keeps the run with the lowest validation loss,
# so that the luck of tuning is part of the intervals. The long training, three times as expensive,
# takes the rate as it is.

# %% tags=["parameters"]
common_peak: float = 2e-3  # [0<..] peak rate of all schedules in the second comparison
short_epochs: int = 40  # [epochs, 1..<long_epochs] a short training
long_epochs: int = 120  # [epochs, short_epochs<..] a long training
n_seeds: int = 12  # [2..500] paired seeds of the short training
long_seeds: int = 5  # [2..n_seeds] of them that train long too
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
average_decay: float = 0.995  # [0<..<1] of the moving average of the weights, per update
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.compare_schedules import images
from lrlab.experiments.generation import GeneratedDigits
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup

plots.use_style()

AVERAGED = "constant, averaged"
WORDS = {
    "linear": "linear decay",
    "step": "step decay",
    "exponential": "exponential decay",
    "inverse square root": "inverse-square-root decay",
    "constant": "a constant rate",
    AVERAGED: "a constant rate with averaged weights",
}
epochs = {"short": short_epochs, "long": long_epochs}
task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
found = tuned.read("tune_diffusion", tuning_entry or None)
names = list(lineup(epoch * long_epochs))
conditions = [*names, AVERAGED]
others = [name for name in conditions if name != "cosine"]
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
PILOT = ("cosine", "exponential")


def job(name, length, peak, seed, averaged=False):
    """A run; the average is kept beside the weights of a constant rate."""
    steps, kind = epochs[length] * epoch, "constant" if name == AVERAGED else name
    recipe = Recipe(
        schedule=lineup(steps)[kind].scale(peak),
        steps=steps,
        batch_size=batch_size,
        optimizer=Adam(),
        seed=seed,
        eval_every=2 * epoch,
        average_decay=average_decay if averaged or name == AVERAGED else None,
    )
    return Job(task, recipe, (GeneratedDigits(every=steps, count=200, shown=16),))


def rate(name, length):
    return found.rate(f"{name} {length}")


plan = {
    ("tuned, short", name, factor, s): job(name, "short", factor * rate(name, "short"), s)
    for name in conditions
    for factor in tuned.AROUND
    for s in (*seeds, *(pilots if name in PILOT else ()))
}
plan |= {
    ("common rate, short", name, s): job(name, "short", common_peak, s, name == "constant")
    for name in names
    for s in seeds
}
plan |= {
    ("tuned, long", name, s): job(name, "long", rate(name, "long"), s)
    for name in conditions
    for s in seeds[:long_seeds]
}

# %% [markdown]
# ## Prediction
#
# Written before the runs, for the long training with one rate for all seeds; what is judged now is
# the short one. At the tuned rates cosine, linear and one-cycle end within 2 % of one another, and
# lower than all others; the averaged constant rate comes close to them. At the common rate the
# differences to constant and exponential are larger. In the short training the order is the same.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %%
def lowest(run, part="validation"):
    """Loss at the end: that of the averaged weights where only these count."""
    return run.final(f"averaged_{part}_loss" if run.recipe.average_decay else f"{part}_loss")


best = tuned.within_seeds(runs.of("tuned, short"), lowest)
settings = {
    "tuned, short": best.of(..., seeds),
    "common rate, short": runs.of("common rate, short"),
    "tuned, long": runs.of("tuned, long"),
}


def final(label, name):
    """Test losses at the end; at the common rate the average is read off the constant runs."""
    if label.startswith("common"):
        kind = "constant" if name == AVERAGED else name
        metric = "averaged_test_loss" if name == AVERAGED else "test_loss"
        return settings[label].of(kind).array(metric)
    return settings[label].of(name).array(lambda run: lowest(run, "test"))


steps = short_epochs * epoch
display.say(
    f"{len(runs)} runs. Short, {steps} updates: {len(conditions)} conditions at "
    f"{len(tuned.AROUND)} rates each and {len(names)} schedules at the common rate, {n_seeds} "
    f"paired seeds; long, {long_epochs * epoch} updates: {long_seeds} of the seeds; for the pilot "
    f"{len(PILOT) * len(tuned.AROUND) * pilot_seeds} runs."
)

# %% [markdown]
# ### Loss against epoch

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(height=3.4)
for style, name in plots.styled(conditions):
    part = "averaged_validation_loss" if name == AVERAGED else "validation_loss"
    members = best.of(name, seeds)
    at = members[first_seed].evals["step"] / epoch
    curve = stats.band(members.curves(part), scale="log")
    plots.band(ax, at[1:], tuple(x[1:] for x in curve), label=name, **style)
lines = [line.get_ydata() for line in ax.lines]
ax.set(yscale="log", xlabel="epoch", ylabel="validation loss")
ax.set_ylim(0.95 * min(map(np.min, lines)), 1.02 * max(line[len(line) // 8] for line in lines))
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
display.show(
    fig,
    alt="Validation loss against epoch, all schedules in one panel, with intervals.",
    caption=f"Validation loss of the short training, each schedule at its best of "
    f"{len(tuned.AROUND)} peak rates: geometric mean and 95 % t interval over {n_seeds} seeds. The "
    f"first epochs, which are higher, are cut off; {best.of(..., seeds).note()}.",
)

# %% [markdown]
# ### Where they end


# %% tags=["nbval-ignore-output"]
def recognised(run):
    return run.probes["GeneratedDigits"]["accuracy"][-1]


display.table(
    [
        {
            "schedule": name,
            **{
                f"{label} [95 %]": stats.geometric_interval(final(label, name))
                for label in settings
            },
            "recognised digits": ""
            if name == AVERAGED
            else f"{100 * best.of(name, seeds).array(recognised).mean():.1f} %",
        }
        for name in conditions
    ],
    caption=f"Test loss at the end, geometric mean over {n_seeds} seeds (long: {long_seeds}), and, "
    "in the short training at tuned rates, the share of generated digits that a classifier "
    "recognises.",
)

# %% tags=["nbval-ignore-output"]
difference = {
    (label, name): stats.log_differences(final(label, "cosine"), final(label, name))
    for label in settings
    for name in others
}
delta = claims.smallest_effect("test loss")
level = claims.level(len(others))
fig, axes = plots.figure(1, len(settings), height=3.2, sharex=True, sharey=True, squeeze=False)
for ax, label in zip(axes[0], settings, strict=True):
    each = {name: difference[label, name] for name in others}
    here = stats.mean_intervals(each, level if label == "tuned, short" else 0.95)
    plots.intervals(ax, here, points=each)
    plots.shade(ax, -delta, delta)
    ax.set(title=label, xlabel="log ratio of test losses")
    ax.locator_params(axis="x", nbins=4)
display.show(
    fig,
    alt="Difference of log test losses between cosine and each other schedule, with intervals, for "
    "three settings: to the left of zero the cosine is better.",
    caption="Cosine against each of the others: paired difference of the log test losses; left of "
    f"zero the cosine ends lower. First panel: n = {n_seeds}, the {100 * level:.1f} % intervals by "
    f"which the claims are judged; the others 95 %, n = {n_seeds} and {long_seeds}. Shaded: "
    "differences too small to matter.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
means = {label: [np.mean(difference[label, name]) for name in others] for label in settings}
short, long = (np.argsort(means[f"tuned, {length}"]) for length in ("short", "long"))
lead = {label: -100 * np.expm1(min(each)) for label, each in means.items()}
display.say(
    f"At the common rate the cosine's largest lead is {lead['common rate, short']:.0f} %, at tuned "
    f"rates {lead['tuned, short']:.0f} %, in the long training {lead['tuned, long']:.0f} %. The "
    "order of the others is "
    f"{'the same' if (short == long).all() else 'not quite the same'} in both lengths."
)

# %% [markdown]
# ### What a lower loss buys
#
# Digits that the models generate, from the same noise.

# %% tags=["nbval-ignore-output"]
order = sorted(names, key=lambda name: final("tuned, short", name).mean())
shown = {"real digits": task.data().test[0][:16].numpy()}
for name in (order[0], order[-1]):
    run = best[name, first_seed]
    loss = run.final("test_loss")
    shown[f"{name}, loss {loss:.3f}"] = run.probes["GeneratedDigits"]["images"][-1].reshape(16, -1)
fig = images({title: np.reshape(x, (16, task.side, task.side)) for title, x in shown.items()})
display.show(
    fig,
    alt="Rows of small digits: real ones, those of the schedule with the lowest loss, and those of "
    "the schedule with the highest.",
    caption="Real digits, and digits generated with the schedule that ends lowest and the one that "
    "ends highest (first seed).",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    stats.log_differences(*(best.of(name, pilots).array("test_loss") for name in PILOT)),
    f"log ratio of test losses, {PILOT[0]} to {PILOT[1]},",
    beyond=delta,
    used=n_seeds,
    tested=len(others),
)


# %%
def claim(label, name):
    length = label.rpartition(" ")[2]
    about = About(
        Setting(
            f"Denoiser of {task.n_train:,} 8×8 digits", "Adam", f"{epochs[length] * epoch} updates"
        ),
        metric="test loss",
        family=f"cosine against the others, {label}",
        like="analogue",
        lost="its data, model, learning rates and budget",
    )
    slug = f"{'-'.join(label.replace(',', '').split())}-{tuned.slug(name)}"
    values, unit = difference[label, name], "log ratio of test losses"
    if label != "tuned, short":
        statement = f"The cosine schedule against {WORDS.get(name, name)} ({label})."
        return Claim.descriptive(slug, statement, values=values, unit=unit, about=about)
    return Claim.effect(
        slug,
        f"The cosine schedule ends lower than {WORDS.get(name, name)}, each at its own rate.",
        values=values,
        direction="less",
        diverged=sum(best["cosine", s].diverged or best[name, s].diverged for s in seeds),
        unit=unit,
        about=about,
    )


made = [claim(label, name) for label in settings for name in others]
claims.conclude(made, source="diffusion2025")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
slugs = {name: f"tuned-short-{tuned.slug(name)}" for name in others}
intervals = {
    name: (judged[slug].low or 0.0, judged[slug].high or 0.0) for name, slug in slugs.items()
}
beaten = [WORDS.get(name, name) for name, (_, high) in intervals.items() if high < -delta]
better = [WORDS.get(name, name) for name, (low, _) in intervals.items() if low > delta]
advice = [f"prefer the cosine to {', '.join(beaten)}"] if beaten else []
advice += [f"prefer {', '.join(better)} to the cosine"] if better else []
display.answer(
    f"Small diffusion model, Adam, {steps} updates, each schedule at the best of three rates: the "
    "cosine's test loss, against a constant rate's, is "
    f"{phrases.change(judged[slugs['constant']])}; against step decay's, "
    f"{phrases.change(judged[slugs['step']])}; against linear decay's, "
    f"{phrases.change(judged[slugs['linear']])}. What this means for you: "
    f"{', and '.join(advice) or 'none of the others is clearly worse or better than the cosine'}.",
    claims=[slugs[name] for name in ("constant", "step", "linear")],
)

# %% tags=["nbval-ignore-output"]
from lrlab.labbook import recorded

recorded.show(
    {
        (name, factor * rate(name, "short"), s): runs["tuned, short", name, factor, s]
        for name in names
        for factor in tuned.AROUND
        for s in seeds
    },
    about=f"A denoiser of {task.n_train:,} 8×8 digits, Adam",
    unit="mean squared error",
)
