# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Learning rate and gradient norm
#     short_title: Spikes of the gradient norm
#     question: Where do spikes of the gradient norm begin, and do runs with spikes end better?
#     tags: [adamw, transformer, surnames, warmup, cosine, instability]
#     smoke: {updates: 24, measurements: 1, peaks: [0.01, 0.02, 0.04], n_seeds: 2, pilot_seeds: 2,
#       n_eval: 20, examples: 8}
#     foretold:
#       - says: Spikes begin above the best peak rate, by a factor of 4 or more.
#         claims: not judged
#       - says: Runs with spikes end flatter over all rates.
#         claims: {spiked-flatter: seen here}
#       - says: At one and the same rate the number of spikes says nothing.
#         claims: not judged
#       - says: Runs with spikes evaluate worse, not better.
#         claims: {spiked-better: not seen here}
# ---

# %% [markdown]
# # Where do spikes of the gradient norm begin, and do runs with spikes end better?
#
# ## Question
#
# The source of the sweeps {cite}`juliusm2026` looks "at each iteration's step-level LR and see[s]
# what the corresponding gradient norm was", to find the largest usable rate. It expects a
# "catapult" that pushes the weights into a "wide", "general" valley {cite}`lewkowycz2020catapult`,
# so that a rate at the edge of stability would be the best. By the gradient norms peak rates from
# 0.01 to 0.3 seem good to it, by what clipping leaves of the rate those from 2e-4 to 2e-3.
#
# 1. At which rates do spikes of the gradient norm begin, and what is the largest usable peak rate?
# 2. Do runs that went through spikes end in flatter places?
# 3. Do they evaluate better?
#
# ## Setup
#
# A decoder-only transformer of 27,712 weights on US Census surnames, AdamW with weight decay 0.1,
# gradients clipped to norm 1, linear warmup over a tenth of the updates, cosine to a tenth of the
# peak; 400 updates instead of the source's 1,000. Peak learning rates are a factor of 2 apart; all
# share initial weights and data order, seed by seed.
#
# Fixed before the runs: a **spike** is a gradient norm, before clipping, above 2.5 times the median
# of the 20 updates before it (from the tenth update on); spikes less than 10 updates apart are one.
# Both numbers were chosen on a pilot seed: there the noise of the batches stays below 2.5 at rates
# at which the curve is calm. A peak rate is **usable** if its test loss lies within 2 % of the
# lowest of its seed. The **onset** is the smallest peak rate of a seed whose run has a spike, as
# have all larger ones; where there is none, twice the largest peak rate stands for it.
#
# Flatness is the sharpness λ_max, the largest eigenvalue of the Hessian, on fixed training
# examples. Its limit 2/λ_max is one of gradient descent with full batches; AdamW with minibatches
# has none. Nearest to one is 38 for η times the λ_max of the preconditioned Hessian, with full
# batches and β₁ = 0.9 {cite}`cohen2022adaptive`: both products are shown as descriptions.

# %% tags=["parameters"]
updates: int = 400  # [10..] updates of a run
peaks: list[float] = [0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256]  # peak rates
# [3.. of 0<.. rising]
n_seeds: int = 10  # [2..500] paired seeds
batch_size: int = 32  # [windows, 1..39123] in a batch
weight_decay: float = 0.1  # [0..] decoupled
pilot_seeds: int = 8  # [2..500] seeds of the pilot, all peak rates, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
window: int = 20  # [updates, 1..<updates] that the median of the gradient norm is taken over
spike: float = 2.5  # [1<..] gradient norm in units of that median that counts as a spike
apart: int = 10  # [updates, 1..] below which two spikes are one
usable: float = 0.02  # [0<..] log ratio to the lowest test loss up to which a rate is usable
aim: float = 0.6  # [0<..<1] correlation that the number of seeds is chosen for
measurements: int = 4  # [1..updates] of the sharpness in a run
examples: int = 64  # [1..39123] training windows that the sharpness is measured on
n_eval: int = 1000  # [1..2169] validation and test windows, 16 characters each

# %% tags=["setup"]
import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.gradient_norms import SampleSharpness
from lrlab.optimizers import AdamW

plots.use_style()

if updates % measurements:
    raise ValueError(f"updates must be a multiple of measurements, got {updates}, {measurements}")
if len(peaks) < 3 or not all(1 < b / a <= 2 for a, b in itertools.pairwise(peaks)):
    raise ValueError(f"peaks must rise by factors of at most 2, got peaks={peaks}")
task = tasks.get("names_lm", n_eval=n_eval)
warmup = updates // 10
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
tested = 4


def job(peak, seed, probes=()):
    cosine = schedules.Cosine(peak, steps=updates - warmup, end_lr=peak / 10)
    return Job(
        task,
        Recipe(
            schedule=schedules.Warmup(cosine, warmup),
            steps=updates,
            batch_size=batch_size,
            optimizer=AdamW(weight_decay=weight_decay),
            clip_norm=1.0,
            seed=seed,
        ),
        probes,
    )


probe = SampleSharpness(every=updates // measurements, examples=examples)
plan = {(peak, seed): job(peak, seed, (probe,)) for peak in peaks for seed in seeds}
plan |= {(peak, seed): job(peak, seed) for peak in peaks for seed in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. Spikes begin above the best peak rate, by a factor of 4 or more: clipping
# and AdamW keep runs going far beyond their first spike. Larger rates end flatter, and so do runs
# with spikes over all rates; at one and the same rate the number of spikes says nothing. Runs with
# spikes evaluate worse, not better.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %%
def spikes(norms):
    """Updates at which a spike begins."""
    before = pd.Series(norms).rolling(window, min_periods=min(10, window)).median().shift(1)
    high = np.flatnonzero(np.asarray(norms) > spike * before)
    return high[np.diff(high, prepend=-apart) >= apart]


def number(run):
    return len(spikes(run.grad_norm))


def onsets(counts):
    """The onset of each seed, from the number of spikes, shape (peaks, seeds)."""
    found = []
    for has in counts.T > 0:
        calm = np.flatnonzero(~has)
        start = calm[-1] + 1 if len(calm) else 0
        found.append(peaks[start] if start < len(peaks) else 2 * peaks[-1])
    return found


measured = runs.of(..., seeds)
count, bits = measured.array(number), measured.array("test_bits_per_character")
flat = measured.array(lambda run: run.probes["SampleSharpness"]["largest"][-1])
reference = {name: loss / math.log(2) for name, loss in task.reference_losses().items()}
display.say(
    f"{len(measured)} runs of {updates} updates: {len(peaks)} peak rates with {n_seeds} paired "
    f"seeds, warmup over {warmup}. The validation text costs {reference['unigram']:.3f} bits per "
    f"character by a unigram model and {reference['trigram']:.3f} by a trigram model."
)

# %% [markdown]
# ### Rate and gradient norm, update by update

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.6, sharey=True, sharex=True)
shades = plots.mpl.colormaps["viridis"](np.linspace(0, 0.8, len(peaks)))
parts = {"warmup": slice(1, warmup), "cosine decay": slice(warmup, updates)}
for ax, (title, part) in zip(axes, parts.items(), strict=True):
    for shade, peak in zip(shades, peaks, strict=True):
        of_peak = measured.of(peak)
        norms = of_peak.curves(lambda run: run.grad_norm)
        if len(norms):
            rate = runs[peak, seeds[0]].lr[part]
            ax.plot(rate, np.median(norms, axis=0)[part], color=shade, linewidth=1.2)
        for run in of_peak.final(lambda run: run).values():
            at = spikes(run.grad_norm)
            at = at[(at < warmup) == (title == "warmup")]
            ax.plot(run.lr[at], run.grad_norm[at], "v", color=shade, markersize=4, mew=0)
    plots.guide(ax, y=1)
    ax.set(xscale="log", yscale="log", title=title, xlabel="learning rate of the update")
axes[0].set_ylabel("gradient norm before clipping")
for shade, peak in zip(shades, peaks, strict=True):
    axes[1].plot([], [], color=shade, label=f"{peak:g}")
axes[1].plot([], [], "v", color="#444444", label="a spike begins")
axes[1].legend(title="peak rate", loc="upper left", bbox_to_anchor=(1.02, 1))
display.show(
    fig,
    alt="Gradient norm against the rate of the update, one line for each peak rate, in two panels: "
    "during warmup and during the decay; triangles mark where spikes begin.",
    caption=f"Lines: median over {n_seeds} seeds ({measured.note()}). Triangles: where a spike of "
    "one run begins. Dotted: the norm to which gradients are clipped.",
)

# %% tags=["nbval-ignore-output"]
first = [run.lr[spikes(run.grad_norm)[0]] for run in measured.values() if number(run)]
onset = onsets(count)
best = np.array(peaks)[np.nanargmin(bits, axis=0)]
near = np.log(bits / np.nanmin(bits, axis=0)) <= usable
largest = [max(p for p, ok in zip(peaks, near[:, k], strict=True) if ok) for k in range(n_seeds)]
excess = np.nanmean(np.log(bits), axis=1) - np.nanmean(np.log(bits), axis=1).min()
spiky = (count > 0).sum(axis=1)
fine = int(np.flatnonzero(excess <= claims.smallest_effect("test loss", "names_lm"))[-1])
sure = n_peaks = len(peaks)  # from this peak on all runs of all seeds spike
while sure and spiky[sure - 1] == n_seeds:
    sure -= 1
told = (  # for the answer too
    f"{spiky[fine]} of {n_seeds} runs spike at {peaks[fine]:g}, where the loss is "
    + ("lowest" if excess[fine] == 0 else f"{100 * np.expm1(excess[fine]):.1f} % above the lowest")
)
if sure < n_peaks:
    least = 100 * np.expm1(excess[sure:].min())
    told += f"; from {peaks[sure]:g} on all do, at {least:.1f} % or more above it"
clipped = measured.array(lambda run: np.mean(run.grad_norm > 1)).mean(axis=1)
display.table(
    {
        "peak rate": peaks,
        "test bits per character [95 %]": [stats.mean_interval(row) for row in bits],
        "runs with spikes": [f"{k} of {n_seeds}" for k in spiky],
        "spikes in a run": count.mean(axis=1),
        "clipped updates": [f"{100 * share:.0f} %" for share in clipped],
        "final sharpness": np.exp(np.log(flat).mean(axis=1)),
    },
    caption=f"By peak rate, over {n_seeds} seeds, with 95 % t intervals of the mean.",
)
fig, ax = plots.figure(height=3.2)
for k in range(n_seeds):
    ax.plot(peaks, bits[:, k], color="#bbbbbb", linewidth=0.7)
plots.band(ax, peaks, stats.band(bits.T, scale="log"), color=plots.COLOURS[0])
for place, name, colour in (
    (np.exp(np.log(best).mean()), "best", plots.COLOURS[2]),
    (np.exp(np.log(onset).mean()), "spikes begin", plots.COLOURS[1]),
):
    ax.axvline(place, color=colour, linestyle="--", linewidth=1.2)
    ax.annotate(
        name,
        (place, 1),
        xycoords=("data", "axes fraction"),
        xytext=(3, -3),
        textcoords="offset points",
        color=colour,
        va="top",
    )
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="test bits per character")
display.show(
    fig,
    alt="Test loss against the peak rate; lines mark the best rate and where spikes begin.",
    caption=f"Test loss by peak rate: {n_seeds} seeds (grey), mean and 95 % t interval. Dashed: "
    "geometric means over seeds of the best peak rate, and of the smallest from which on all runs "
    "of the seed have spikes.",
    headline=True,
)
display.say(
    (
        f"The first spike of a run came at a rate of {min(first):.2g} to {max(first):.2g} "
        f"(median {np.median(first):.2g}). "
        if first
        else "No run had a spike. "
    )
    + f"The onset is a peak rate of {min(onset):g} to {max(onset):g} over seeds "
    f"({sum(o > peaks[-1] for o in onset)} of {n_seeds} without one up to {peaks[-1]:g}); the best "
    f"one is {min(best):g} to {max(best):g}, the largest usable one {min(largest):g} to "
    f"{max(largest):g}. {told}."
)

# %% [markdown]
# ### Sharpness over training

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.2, sharex=True)
for shade, peak in zip(shades, peaks, strict=True):
    at = runs[peak, seeds[0]].probes["SampleSharpness"]["step"].astype(int)
    rate = runs[peak, seeds[0]].lr[at - 1]
    raw, seen_by_adam = (
        measured.of(peak).array(lambda run: run.probes["SampleSharpness"][name])  # noqa: B023
        for name in ("largest", "preconditioned")
    )
    for ax, values in zip(axes, (raw * rate, seen_by_adam * rate), strict=True):
        ax.plot(
            at, np.nanmedian(values, axis=0), "o-", color=shade, markersize=3, label=f"{peak:g}"
        )
for ax, title in zip(axes, ("η · λ_max", "η · preconditioned λ_max"), strict=True):
    ax.set(yscale="log", title=title, xlabel="update")
plots.guide(axes[0], y=2)
plots.guide(axes[1], y=38)
axes[1].legend(title="peak rate", loc="upper left", bbox_to_anchor=(1.02, 1))
display.show(
    fig,
    alt="Two panels against the update: sharpness times rate, and preconditioned sharpness times "
    "rate, one line for each peak rate.",
    caption=f"Median over {n_seeds} seeds. Dotted: 2 and 38, where gradient descent and Adam with "
    "full batches lose stability; they are no limits with minibatches.",
)

# %% [markdown]
# ### Spikes, flatness and the end


# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.4, sharex=True)
for ax, values, label in zip(
    axes, (flat, bits), ("final λ_max", "test bits per character"), strict=True
):
    for shade, peak, n, y in zip(shades, peaks, count, values, strict=True):
        ax.plot(n + np.linspace(-0.2, 0.2, n_seeds), y, "o", color=shade, label=f"{peak:g}")
    ax.set(yscale="log", xlabel="spikes in a run", ylabel=label)
axes[1].legend(title="peak rate", loc="upper left", bbox_to_anchor=(1.02, 1))
display.show(
    fig,
    alt="Final sharpness and test bits per character against the number of spikes of a run, one "
    "colour for each peak rate.",
    caption=f"Each of the {len(measured)} runs; runs with equally many spikes lie side by side.",
)

# %% [markdown]
# ## Verdict
#
# Repetitions are seeds, with one rank correlation over the peak rates each, and one ratio of the
# best rate to the onset, which is a power of 2 as the rates are. At one peak rate, where the rate
# itself can't be the reason, the correlation over the seeds is shown, not tested: the peak rates
# share their seeds, so that they are no repetitions, and have no interval.


# %% tags=["nbval-ignore-output"]
def over(x, y):
    """Spearman's correlation in each row in which both vary, 0 in the others."""
    return np.array(
        [
            spearmanr(a, b).statistic if np.ptp(a) > 0 and np.ptp(b) > 0 else 0.0
            for a, b in zip(x, y, strict=True)
        ]
    )


studied = runs.of(..., pilots)
loss_of_pilots = studied.array("test_bits_per_character")
claims.power(
    over(studied.array(number).T, loss_of_pilots.T),
    "rank correlation of spikes and test loss over the peak rates",
    beyond=claims.smallest_effect("correlation"),
    effect=aim,
    used=n_seeds,
    tested=tested,
)
claims.power(
    np.log(np.array(peaks)[np.nanargmin(loss_of_pilots, axis=0)] / onsets(studied.array(number))),
    "log ratio of the best peak rate to the onset",
    within=math.log(2),
    used=n_seeds,
    tested=tested,
)

flat = np.where(np.isfinite(flat), flat, flat[np.isfinite(flat)].max())  # diverged: the sharpest
varying = [i for i in range(len(peaks)) if np.ptp(count[i]) > 0]
if varying:
    display.table(
        {
            "peak rate": [peaks[i] for i in varying],
            "runs with spikes": [f"{spiky[i]} of {n_seeds}" for i in varying],
            "spikes and final sharpness": over(count[varying], flat[varying]),
            "spikes and test loss": over(count[varying], bits[varying]),
        },
        caption=f"Rank correlations among the {n_seeds} runs of one peak rate, where their numbers "
        "of spikes differ.",
    )
about = About(
    Setting("transformer of 27,712 weights on surnames", "AdamW", f"{updates} updates"),
    metric="correlation",
)
theirs = replace(
    about,
    like="analogue",
    lost="its model (width 512, TinyStories), its 1,000 updates and its range of peak rates",
)
listed = [
    *(
        Claim.effect(
            slug,
            f"Over the peak rates, runs {words}.",
            values=over(x.T, y.T),
            direction=direction,
            unit="rank correlation",
            source="juliusm2026",
            about=theirs,
        )
        for slug, words, x, y, direction in (
            (
                "spiked-flatter",
                "with more spikes of the gradient norm end at a smaller sharpness",
                count,
                flat,
                "less",
            ),
            (
                "spiked-better",
                "with more spikes of the gradient norm have the lower test loss",
                count,
                bits,
                "less",
            ),
            (
                "flatter-better",
                "that end flatter have the lower test loss",
                flat,
                bits,
                "greater",
            ),
        )
    ),
    Claim.equivalence(
        "edge-is-best",
        "The best peak rate is the one at which spikes begin",
        values=np.log(best / np.array(onset)),
        margin=math.log(2),
        unit="log ratio of rates, best to onset",
        source="juliusm2026",
        about=replace(
            theirs,
            metric="learning rate",
            reason="the peak rates are a factor of 2 apart",
            lost=f"{theirs.lost}; what it calls the edge",
        ),
    ),
    *(
        Claim.descriptive(
            slug,
            words,
            values=values,
            scale="log",
            unit="peak rate",
            about=replace(about, metric=""),
        )
        for slug, words, values in (
            (
                "largest-usable",
                f"The largest peak rate within {100 * usable:g} % of the lowest test loss.",
                largest,
            ),
            ("best-peak", "The peak rate with the lowest test loss.", best),
            ("onset", "The peak rate from which on all runs of a seed have spikes.", onset),
        )
    ),
    *(
        Claim.descriptive(
            f"{slug}-below",
            "Over the peak rates up to the one from which on all runs of all seeds spike, "
            f"correlation of spikes and {words}.",
            values=over(count[:sure].T, values[:sure].T),
            unit="rank correlation",
            about=about,
        )
        for slug, words, values in (
            ("spiked-flatter", "sharpness", flat),
            ("spiked-better", "test loss", bits),
        )
        if 2 < sure < n_peaks
    ),
]
settled = claims.judge(listed)
claims.show(settled)

# %% tags=["remove-cell"]
always = ("spiked-flatter", "spiked-better", "flatter-better", "edge-is-best", "largest-usable")
claims.verdicts([claim for claim in settled if claim.slug in always])

# %% tags=["nbval-ignore-output"]
said = {claim.slug: claim for claim in settled}
edge, level = said["edge-is-best"], claims.level(tested)
below = over(count[:sure].T, bits[:sure].T) if "spiked-better-below" in said else None


def between(claim, form=".2f", read=float):
    """Estimate and interval, which equal values don't have."""
    if claim.low is None:
        return f"{read(claim.estimate):{form}} (no interval)"
    return f"{read(claim.estimate):{form}} [{read(claim.low):{form}}, {read(claim.high):{form}}]"


def at_level(of):
    """The level of the intervals before, none where there is none."""
    return "" if of is None else f" ({100 * of:.4g} %)"


middle = "median" if edge.method == "sign" else "geometric mean"
bad = sure < n_peaks and excess[sure:].min() > usable
display.answer(
    "In the geometric mean over seeds all runs spike from a peak learning rate of "
    f"{said['onset'].estimate:.2g} on ({min(onset):g} to {max(onset):g} by seed); the best is, in "
    f"the {middle}, {between(edge, '.2g', math.exp)} times its seed's{at_level(edge.level)}. "
    f"Still, {told}. Over the rates spikes have a rank correlation of "
    f"{between(said['spiked-better'])} with the test loss"
    + (
        ""
        if below is None
        else f", {between(stats.mean_interval(below, level))} below {peaks[sure]:g},"
    )
    + f" and of {between(said['spiked-flatter'])} with the final sharpness{at_level(level)}. "
    "What this means for you: "
    + (
        "spikes don't tell whether the peak rate is too high."
        if not bad
        else "a spike does not show too high a peak rate; spikes with every seed do."
        if spiky[fine]
        else "where spikes come, lower the peak rate."
    ),
    claims=["edge-is-best", "spiked-better", "spiked-flatter"],
)
