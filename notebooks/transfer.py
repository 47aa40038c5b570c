# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Rates for fine-tuning
#     short_title: Learning rates for fine-tuning
#     question: Do discriminative rates fine-tune better than one rate for all layers?
#     tags: [sources, transfer, fine-tuning, mnist1d, mnist, adam]
#     smoke:
#       {ratios: [1.0, 2.6], rates: [0.016, 0.032, 0.064], steps: 10, pretraining_steps: 10,
#        tuning_seeds: 1, n_seeds: 2, pilot_seeds: 2, lenet_rates: [0.002, 0.004, 0.008],
#        lenet_steps: 5, lenet_pretraining: 5, lenet_tuning: 1, lenet_seeds: 2}
#     foretold:
#       - says: Pretraining lowers the error by more than a tenth.
#         claims: not judged
#       - says: The last layer alone does worse than that.
#         claims: {last-layer-alone: seen here}
#       - says: Discriminative rates are less than 5 % better than one rate, if at all.
#         claims: {discriminative: not seen here}
#       - says: Their best rate is about twice as high.
#         claims: not judged
#       - says: From scratch they make no difference or a small loss.
#         claims: not judged
#       - says: LeNet agrees in sign on pretraining, and shows no difference between the two ways.
#         claims: not judged
# ---

# %% [markdown]
# # Do discriminative learning rates fine-tune better than one rate for all layers?
#
# ## Question
#
# Lecture notes on training end in bare headings, one of them transfer learning
# {cite}`mtdickens2024`. What learning rate does one take there? Howard and Ruder's answer is
# discriminative fine-tuning: lower layers hold more general features and should change less, so
# each layer gets the rate of the one above divided by 2.6 {cite}`howard2018universal`. With it the
# error of their classifiers falls from 6.87 to 5.57 % (IMDb), 6.86 to 6.21 % (TREC-6) and 5.81 to
# 5.62 % (AG); from scratch it is 9.93, 13.36 and 6.81 %, with the last layer alone 6.49, 16.09 and
# 8.38 %. (Validation errors on a tenth of the training data; the first pairs are the rows "Full"
# and "Full + discr" of their table.)
#
# 1. Does fine-tuning at discriminative rates end with fewer errors than at one rate for all layers,
#    each at its own tuned rate?
# 2. Does it because the network is pretrained, or would it from scratch as well?
# 3. Is pretraining worth it, and is training the last layer enough?
#
# ## Setup
#
# The convolutional network of MNIST-1D learns digits 0 to 4, then 5 to 9 from a small sample: all
# layers but the last start from what they learned, the last is drawn anew. Every seed has a
# pretraining, a sample and a last layer of its own, and all conditions share them. Adam, a rate
# that falls linearly to zero. Each condition has equally many rates of the last layer to choose
# from, and is tuned by the share of wrong answers on the validation part, at seeds kept for that;
# then every paired seed trains at the tuned rate, half and twice of it, and keeps the one with the
# fewest wrong answers on the validation part. So the luck of tuning lies in the intervals. What is
# reported is the share on the test part. A run that diverges counts as guessing. Spot check, not
# tested: LeNet on MNIST, with an even smaller sample, where one pretraining serves all seeds.

# %% tags=["parameters"]
ratios: list[float] = [1.0, 2.6]  # [2.. of 1..] a layer's rate over the one below's, pretrained
ratio: float = 2.6  # [1<..] the one that is claimed
rates: list[float] = [0.008, 0.016, 0.032, 0.064, 0.128, 0.256]  # [2.. of 0<.. rising]
# the last layer
sample: int = 250  # [signals, 5..] to fine-tune on
batch_size: int = 25  # [examples, 1..lenet_sample] in a batch
steps: int = 200  # [updates, 1..] of the fine-tuning
pretraining_steps: int = 800  # [updates, 1..] of the pretraining
tuning_seeds: int = 4  # [1..1000] seeds of the tuning
n_seeds: int = 30  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
lenet_rates: list[float] = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032]  # peak, last layer
# [2.. of 0<.. rising]
lenet_factor: float = 4.0  # [0<..] on these where lower layers get lower rates
lenet_sample: int = 25  # [images, 5..] to fine-tune on
lenet_steps: int = 60  # [updates, 1..] of LeNet's fine-tuning
lenet_pretraining: int = 400  # [updates, 1..] of its pretraining
lenet_tuning: int = 3  # [1..1000] seeds of its tuning
lenet_seeds: int = 8  # [2..500] its paired seeds, of the sample and the last layer
first_seed: int = 50_000  # [0..] first seed of the block

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.transfer import Transfer
from lrlab.labbook.phrases import change, judged
from lrlab.labbook.tuned import AROUND, best_rate, within_seeds
from lrlab.optimizers import Adam
from lrlab.schedules import Linear

plots.use_style()

if not (1 in ratios and ratio in ratios and ratio > 1):
    raise ValueError(f"ratios must hold 1 and the claimed one, got {ratios} and {ratio}")
SCRATCH, PRETRAINED = "from scratch", "pretrained"
arms = [(SCRATCH, 1.0), (SCRATCH, ratio), *((PRETRAINED, r) for r in ratios)]
arms.append((PRETRAINED, math.inf))
lenet_arms = [(SCRATCH, 1.0), (PRETRAINED, 1.0), (PRETRAINED, ratio)]
seeds, few = (range(first_seed, first_seed + n) for n in (n_seeds, lenet_seeds))
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def label(arm):
    """What a condition is called."""
    start, of = arm
    what = {1.0: "one rate", math.inf: "last layer alone"}.get(of, f"divided by {of:g}")
    return f"{start}, {what}"


def job(base, arm, rate, seed):
    """A fine-tuning; on MNIST-1D each seed has its pretraining, LeNet has one for all."""
    start, of = arm
    small = base == "mnist"
    count = lenet_steps if small else steps
    task = Transfer(
        base=base,
        n_train=lenet_sample if small else sample,
        sample=seed,
        known=(0, 1, 2, 3, 4) if start == PRETRAINED else (),
        pretraining_steps=lenet_pretraining if small else pretraining_steps,
        pretraining_rate=0.003 if small else 0.01,
        pretraining_seed=first_seed if small else seed,
    )
    return Job(
        task,
        Recipe(
            schedule=Linear(rate, end_lr=0.0, steps=count),
            steps=count,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            lr_ratios=task.discriminative(of),
        ),
    )


def grid(base, arm):
    """The rates that a condition is tuned over."""
    if base == "mnist1d":
        return rates
    return [rate * (lenet_factor if arm[1] > 1 else 1) for rate in lenet_rates]


tuned_over = {
    base: (of, range(first_seed + 10_000, first_seed + 10_000 + n))
    for base, of, n in (("mnist1d", arms, tuning_seeds), ("mnist", lenet_arms, lenet_tuning))
}
plan = {
    ((base, arm), rate, seed): job(base, arm, rate, seed)
    for base, (conditions, group) in tuned_over.items()
    for arm in conditions
    for rate in grid(base, arm)
    for seed in group
}
compared = len(arms) * n_seeds + 2 * pilot_seeds + len(lenet_arms) * lenet_seeds
later = {"the comparison about the tuned rates": len(AROUND) * compared}

# %% [markdown]
# ## Prediction
#
# Written before the runs, but for a look at the tuning of two seeds. Pretraining lowers the error
# by more than a tenth, and the last layer alone does worse than that. Discriminative rates are less
# than 5 % better than one rate, if at all, once each has its own tuned rate, and their best rate is
# about twice as high; from scratch they make no difference or a small loss. LeNet agrees in sign on
# pretraining, and shows no difference between the two ways.
#
# A first version of this entry tuned on a single pretrained network, and its grid for LeNet ended
# at the best rate. Both were mended after it had been seen; the prediction was left alone. Since
# then the number of seeds has grown, all of them new, and five per cent of an error count as a
# difference.
#
# ## Result
#
# ### The rate of each condition

# %% tags=["nbval-ignore-output"]
tuned_runs = train_many(plan)


def error(run, part="test"):
    """Share of wrong answers at the end."""
    return 1 - run.final(f"{part}_accuracy")


validation = tuned_runs.arrays(lambda run: error(run, "validation"))
curves = {key: errors.mean(axis=1) for key, errors in validation.items()}
chosen = {key: best_rate(grid(*key), curve) for key, curve in curves.items()}

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.7)
for ax, base in zip(axes, ("mnist1d", "mnist"), strict=True):
    for style, arm in plots.styled(arms):
        if (base, arm) in curves:
            ax.plot(
                grid(base, arm),
                100 * np.array(curves[base, arm]),
                marker="o",
                markersize=3.5,
                label=label(arm),
                **style,
            )
    ax.set(xscale="log", xlabel="peak rate of the last layer")
    ticks = sorted({rate for b, arm in curves if b == base for rate in grid(b, arm)})[::2]
    plots.ticks(ax.xaxis, ticks)
    ax.tick_params(axis="x", labelsize=8.5)
axes[0].set(title=f"MNIST-1D, {sample} signals", ylabel="validation error [%]")
axes[1].set(title=f"LeNet on MNIST, {lenet_sample} images")
axes[0].legend()
display.show(
    fig,
    alt="Validation error against the peak rate of the last layer, a line for each condition, "
    "for two data sets.",
    caption=f"Share of wrong answers on the validation part, mean over {tuning_seeds} tuning seeds "
    f"({lenet_tuning} for LeNet); {tuned_runs.note()}.",
)

# %% [markdown]
# ### Where they end

# %% tags=["nbval-ignore-output"]
order = [("mnist1d", a, s) for s in seeds for a in arms]
order += [("mnist1d", (PRETRAINED, r), s) for s in pilots for r in (1.0, ratio)]
order += [("mnist", a, s) for s in few for a in lenet_arms]
about_them = train_many(
    {
        (base, a, rate, s): job(base, a, rate, s)
        for base, a, s in order
        for rate in (chosen[base, a] * factor for factor in AROUND)
    }
)
runs = within_seeds(about_them, lambda run: error(run, "validation"))


def ends(base, arm, group):
    """Test errors of a condition."""
    return runs.of(base, arm, group).array(error)


group = {"mnist1d": seeds, "mnist": few}
display.table(
    [
        {
            "data": base,
            "condition": label(arm),
            "tuned rate of the last layer": chosen[base, arm],
            "at the grid's edge": "yes"
            if chosen[base, arm] in (grid(base, arm)[0], grid(base, arm)[-1])
            else "no",
            "test error [%]": stats.mean_interval(100 * ends(base, arm, group[base])),
            "test loss": runs.of(base, arm, group[base]).array("test_loss").mean(),
            "training loss": runs.of(base, arm, group[base]).array("train_loss").mean(),
        }
        for base, arm in chosen
    ],
    caption="Each condition at the best of three rates about its tuned one, seed by seed; 95 % t "
    f"intervals over {n_seeds} seeds ({lenet_seeds} for LeNet). Losses in nats, means; "
    f"{about_them.note()}.",
)


# %%
def effect(a, b, base="mnist1d", seeds=None):
    """Paired log ratios of test errors of two conditions, below zero where the first ends lower."""
    seeds = group[base] if seeds is None else seeds
    floor = 0.5 / len(Transfer(base=base).data().test[0])  # where there is no wrong answer
    return stats.log_differences(*(np.maximum(ends(base, arm, seeds), floor) for arm in (a, b)))


ONE, LOWER = (PRETRAINED, 1.0), (PRETRAINED, ratio)
pairs = {
    f"divided by {ratio:g} against one rate": (LOWER, ONE),
    "the same from scratch": ((SCRATCH, ratio), (SCRATCH, 1.0)),
    "pretrained against from scratch, one rate": (ONE, (SCRATCH, 1.0)),
    "last layer alone against one rate": ((PRETRAINED, math.inf), ONE),
}
display.say(
    f"{len(plan)} runs to tune, {len(about_them)} to compare, at {len(AROUND)} rates each: "
    f"{len(arms)} conditions × {n_seeds} seeds on MNIST-1D, {len(lenet_arms)} × {lenet_seeds} with "
    f"LeNet, {2 * pilot_seeds} of the pilot."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.2, width_ratios=[1.5, 1])
each = {name: effect(*pair) for name, pair in pairs.items()}
shown = stats.mean_intervals(each, claims.level(4))
each["LeNet: divided against one rate"] = effect(LOWER, ONE, "mnist")
each["LeNet: pretrained against from scratch"] = effect(ONE, (SCRATCH, 1.0), "mnist")
shown |= stats.mean_intervals({name: each[name] for name in each if name not in shown})
delta = claims.smallest_effect("test error")
plots.intervals(axes[0], shown, points=each)
plots.shade(axes[0], -delta, delta)
axes[0].set_xlabel("log ratio of test errors")
axes[0].locator_params(axis="x", nbins=6)
of = [*sorted(ratios), math.inf]
at = [stats.mean_interval(100 * ends("mnist1d", (PRETRAINED, r), seeds)) for r in of]
plots.error_bars(axes[1], range(len(of)), at, color=plots.COLOURS[0])
axes[1].set_xticks(range(len(of)), [*(f"{r:g}" for r in of[:-1]), "∞"])
axes[1].set(xlabel="ratio of neighbouring rates", ylabel="test error [%]")
display.show(
    fig,
    alt="Left: differences of log test errors between pairs of conditions, with intervals. Right: "
    "test error against the ratio of the rates of neighbouring layers, from one rate for all to "
    "the last layer alone.",
    caption="Left: paired log ratios of test errors, each condition tuned within each seed; "
    f"{100 * claims.level(4):.3g} % t intervals, n = {n_seeds}, which decide (LeNet: 95 %, n = "
    f"{lenet_seeds}), a mark for each seed; shaded: too small "
    "to matter. Right: test error of the pretrained network at each ratio, mean and 95 % t "
    f"interval, n = {n_seeds}; ∞: the last layer alone.",
    headline=True,
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
claims.power(
    effect(LOWER, ONE, seeds=pilots),
    "log ratio of test errors of the two ways of fine-tuning",
    beyond=delta,
    used=n_seeds,
    tested=4,
)
display.say(
    f"The test part has {len(Transfer().data().test[0])} signals, so that one more wrong answer "
    "changes the log error of the pretrained network by "
    f"{1 / (len(Transfer().data().test[0]) * ends('mnist1d', ONE, seeds).mean()):.3f}."
)

# %%
unit = "log ratio of test errors"
gain = each[f"divided by {ratio:g} against one rate"]
control = each["the same from scratch"]
settings = {
    "mnist1d": Setting(f"CNN on {sample} signals of MNIST-1D", "Adam", f"{steps} updates"),
    "mnist": Setting(f"LeNet on {lenet_sample} digits", "Adam", f"{lenet_steps} updates"),
}


def about(base="mnist1d", **more):
    return About(settings[base], "test error", **more)


def diverged(*compared):
    return sum(any(runs["mnist1d", arm, s].diverged for arm in compared) for s in seeds)


like = {"like": "analogue", "lost": "how it does on a small CNN; it fine-tuned a language model"}
made = [
    Claim.effect(
        "discriminative",
        f"Fine-tuning ends with fewer errors at the learning rate divided by {ratio:g} a layer "
        "than at one rate for all",
        values=gain,
        diverged=diverged(LOWER, ONE),
        direction="less",
        unit=unit,
        published="6.87 to 5.57, 6.86 to 6.21 and 5.81 to 5.62 % error",
        about=about(**like),
    ),
    Claim.effect(
        "pretraining-helps",
        "Fine-tuning all layers ends with fewer errors than training from scratch",
        values=each["pretrained against from scratch, one rate"],
        diverged=diverged(ONE, (SCRATCH, 1.0)),
        direction="less",
        unit=unit,
        published="9.93 to 6.87, 13.36 to 6.86 and 6.81 to 5.81 % error",
        about=about(**like),
    ),
    Claim.effect(
        "last-layer-alone",
        "Training the last layer alone ends with more errors than fine-tuning all",
        values=each["last layer alone against one rate"],
        diverged=diverged(ONE, (PRETRAINED, math.inf)),
        direction="greater",
        unit=unit,
        published="6.49, 16.09 and 8.38 against 6.87, 6.86 and 5.81 % error",
        about=about(**like),
    ),
    Claim.effect(
        "because-pretrained",
        "The lower rates of lower layers gain more where the network is pretrained than from "
        "scratch",
        values=gain - control,
        diverged=diverged(LOWER, ONE, (SCRATCH, ratio), (SCRATCH, 1.0)),
        direction="less",
        unit=unit,
        source="",
        about=about(),
    ),
    Claim.descriptive(
        "lenet-discriminative",
        f"Test error at the learning rate divided by {ratio:g} a layer against one rate for all",
        values=each["LeNet: divided against one rate"],
        unit=unit,
        about=about("mnist", replication="samples of one pretrained network", **like),
    ),
    Claim.descriptive(
        "lenet-pretraining-helps",
        "Test error of fine-tuning against training from scratch",
        values=each["LeNet: pretrained against from scratch"],
        unit=unit,
        about=about("mnist", replication="samples of one pretrained network", **like),
    ),
    Claim.descriptive(
        "higher-rate",
        "Tuned rate of the last layer with discriminative rates over that of one rate",
        values=[chosen["mnist1d", LOWER] / chosen["mnist1d", ONE]],
        scale="log",
        source="",
        about=About(settings["mnist1d"], "learning rate"),
    ),
]
claims.conclude(made, source="howard2018universal")

# %% tags=["nbval-ignore-output"]
found = judged(made)
top = found["discriminative"]
better = top.verdict == "seen here"
advice = (
    f"divide the learning rate by {ratio:g} from layer to layer"
    if better
    else ("start with one learning rate for all layers, and tune it")
)
display.answer(
    f"Test error of a small pretrained CNN ({sample} signals, Adam) with the learning rate divided "
    f"by {ratio:g} a layer, against one rate for all: {change(top)}. "
    "Fine-tuning against training from scratch: "
    f"{change(found['pretraining-helps'])}; the last layer alone against fine-tuning all: "
    f"{change(found['last-layer-alone'])}. "
    f"What this means for you: {advice}.",
    claims=["discriminative", "pretraining-helps", "last-layer-alone"],
)
