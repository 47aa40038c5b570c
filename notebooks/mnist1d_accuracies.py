# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Published accuracies on MNIST-1D
#     question: Do four networks reach the accuracies on MNIST-1D that its authors published?
#     tags: [calibration, mnist1d, adam]
#     smoke: {updates: 20, long_updates: 40, n_seeds: 2, gru_seeds: 2, pilot_seeds: 2}
# ---

# %% [markdown]
# # Published accuracies on MNIST-1D
#
# ## Question
#
# The authors of MNIST-1D train four networks on it, and on the same signals with their 40 points
# shuffled, which takes away what neighbouring points tell {cite}`greydanus2024scaling`. The
# dataset's front page rounds the accuracies: 32, 68, 94 and 91 % for logistic regression, a
# perceptron, a convolutional and a recurrent network; 32, 68, 56 and 57 % shuffled. Their notebook
# prints what one run of each has after 1,000 updates, and every 1,000 from there to 6,000.
#
# 1. Are ours equal to the printed ones after 1,000 updates?
# 2. Do longer runs get to the front page's numbers?
# 3. Does shuffling hurt the networks that use the order, and not the others?
#
# ## Setup
#
# Everything as in their notebook: the same networks (their perceptron has a path around its second
# layer), all 4,000 training signals in batches of 100 that are never shuffled, Adam at a constant
# rate of 0.01, their permutation of the points. What differs is the initial weights. The test part
# is theirs, the same 1,000 signals, so its sampling error cancels; what is left is the noise of the
# seed, of ours and of their single run.
#
# Two accuracies count as the same within four percentage points, in the mean over seeds. That was
# fixed beforehand: accuracies of single runs here scatter by one to two points, a single published
# run may lie two of these away, and the front page's numbers are rounded. The longer runs are those
# of the perceptron and the convolutional network; the recurrent one takes too long. A first version
# of this entry had five seeds, since their power had been computed for a single claim, and left
# half of the fourteen claims undecided; here the power is that of the fourteen, and the seeds are
# new ones.

# %% tags=["parameters"]
updates: int = 1000  # [1..] updates after which the authors print an accuracy
long_updates: int = 3000  # [updates<..] updates of the longer runs, a multiple of the former
rate: float = 0.01  # [0<..] learning rate
batch_size: int = 100  # [signals, 1..4000] in a batch
n_seeds: int = 8  # [2..490] seeds
gru_seeds: int = 5  # [2..490] seeds of the recurrent network, whose updates take ten times as long
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
margin: float = 0.04  # [0<..<delta] difference of the accuracy within which two are the same
delta: float = 0.1  # [margin<..<1] loss of accuracy by shuffling that would matter

# %% tags=["setup"]
import numpy as np
import pandas as pd

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.experiments.mnist1d_accuracies import PublishedMnist1D
from lrlab.optimizers import Adam
from lrlab.schedules import Constant

if not 0 < margin < delta:
    raise ValueError(f"need 0 < margin < delta, got margin={margin}, delta={delta}")
if long_updates <= updates or long_updates % updates:
    raise ValueError(f"long_updates must be a multiple of {updates}, got {long_updates}")
NETWORKS = {
    "logistic": "logistic regression",
    "mlp": "perceptron",
    "cnn": "convolutional",
    "gru": "recurrent",
}
# Per cent that the authors' notebook prints after 1,000 updates, and those of the front page.
PRINTED = {
    ("logistic", False): 32.1,
    ("mlp", False): 60.9,
    ("cnn", False): 87.9,
    ("gru", False): 86.1,
    ("logistic", True): 32.3,
    ("mlp", True): 61.1,
    ("cnn", True): 53.3,
    ("gru", True): 56.8,
}
FRONT_PAGE = {
    ("logistic", False): 32,
    ("mlp", False): 68,
    ("cnn", False): 94,
    ("gru", False): 91,
    ("logistic", True): 32,
    ("mlp", True): 68,
    ("cnn", True): 56,
    ("gru", True): 57,
}
LONG = [("mlp", False), ("cnn", False)]
PRINTED_LONG, PRINTED_MOST = {"mlp": 65.6, "cnn": 90.6}, {"mlp": 65.7, "cnn": 92.3}
pilots = range(500, 500 + pilot_seeds)


def seeds(network):
    return range(10, 10 + (gru_seeds if network == "gru" else n_seeds))


def job(network, shuffled, seed):
    steps = long_updates if (network, shuffled) in LONG and seed not in pilots else updates
    return Job(
        PublishedMnist1D(architecture=network, shuffled=shuffled),
        Recipe(
            schedule=Constant(rate),
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            eval_every=updates,
        ),
    )


grid = [(*arm, seed) for arm in PRINTED for seed in seeds(arm[0])]
grid += [(*arm, seed) for arm in LONG for seed in pilots]
plan = [job(*point) for point in grid]

# %% [markdown]
# ## Prediction
#
# Written before any run. All eight are within four points of what is printed. After 3,000 updates
# the perceptron has about 65 %, as in the authors' own notebook, which never prints more than 65.7:
# three points short of the front page. The convolutional network has about 91 %, again as there,
# and three short. Shuffling costs the convolutional and the recurrent network 30 points each.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


# %%
def percent(run, step):
    """Test accuracy in per cent at an evaluation; guessing where the run diverged before it."""
    at = np.flatnonzero(run.evals["step"] == step)
    return 100 * float(run.evals["test_accuracy"][at[0]]) if at.size else 10.0


accuracy = {}
for (*arm, seed), run in zip(grid, runs, strict=True):
    kind = "pilot" if seed in pilots else "seeds"
    accuracy.setdefault((*arm, kind), []).append(percent(run, updates))
    if tuple(arm) in LONG and kind == "seeds":
        accuracy.setdefault((*arm, "long"), []).append(percent(run, long_updates))
display.say(
    f"{len(runs)} runs: {len(NETWORKS)} networks, in order and shuffled, {n_seeds} seeds (the "
    f"recurrent one {gru_seeds}), and {len(LONG) * pilot_seeds} of the pilot."
)

# %% tags=["nbval-ignore-output"]
rows = []
for (network, shuffled), printed in PRINTED.items():
    found = stats.mean_interval(accuracy[network, shuffled, "seeds"])
    longer = accuracy.get((network, shuffled, "long"))
    rows.append(
        {
            "network": NETWORKS[network],
            "points": "shuffled" if shuffled else "in order",
            f"printed after {updates:,} %": printed,
            "ours %": found.estimate,
            "95 % from": found.low,
            "to": found.high,
            "n": found.n,
            "front page %": FRONT_PAGE[network, shuffled],
            f"ours after {long_updates:,} %": float(np.mean(longer)) if longer else "",
        }
    )
display.table(
    pd.DataFrame(rows),
    digits=3,
    caption="Accuracy on the 1,000 test signals, mean over n seeds and 95 % t interval.",
)

# %% tags=["nbval-ignore-output"]
fig, [axes] = plots.figure(1, 2, width=9.6, height=3.0, sharey=True)
for ax, shuffled in zip(axes, (False, True), strict=True):
    arms = [arm for arm in PRINTED if arm[1] == shuffled]
    each = [accuracy[*arm, "seeds"] for arm in arms]
    found = [stats.mean_interval(values) for values in each]
    names = [NETWORKS[network] for network, _ in arms]
    plots.intervals(
        ax,
        names,
        *([getattr(i, end) for i in found] for end in ("estimate", "low", "high")),
        points=each,
    )
    ticks = ax.get_yticks()
    ax.plot(
        [PRINTED[arm] for arm in arms],
        ticks + 0.22,
        "D",
        color=plots.COLOURS[1],
        markersize=6,
        markerfacecolor="none",
        label=f"printed, {updates:,} updates",
    )
    ax.plot(
        [FRONT_PAGE[arm] for arm in arms],
        ticks + 0.22,
        "s",
        color=plots.COLOURS[2],
        markersize=6,
        markerfacecolor="none",
        label="front page",
    )
    ax.set(
        title="points shuffled" if shuffled else "points in order",
        xlabel="test accuracy [%]",
        xlim=(20, 100),
    )
axes[1].legend(fontsize=8.5, loc="lower right")
display.show(
    fig,
    alt="Test accuracy of four networks with the points in order and shuffled, ours with "
    "intervals, the published ones as diamonds and squares above them.",
    caption=f"Test accuracy after {updates:,} updates: mean and 95 % t interval over {n_seeds} "
    f"seeds ({gru_seeds} of the recurrent network), single runs as strokes. Above them what the "
    "authors' notebook printed for one run after as many updates (diamonds), and the rounded "
    "numbers of the dataset's front page (squares).",
)

# %% tags=["nbval-ignore-output"]
mine = {network: float(np.mean(accuracy[network, shuffled, "long"])) for network, shuffled in LONG}
display.say(
    f"After {long_updates:,} updates the perceptron has {mine['mlp']:.1f} % and the convolutional "
    f"network {mine['cnn']:.1f} %. The authors' notebook prints {PRINTED_LONG['mlp']} and "
    f"{PRINTED_LONG['cnn']} % after 3,000, and at most {PRINTED_MOST['mlp']} and "
    f"{PRINTED_MOST['cnn']} % up to 6,000: what ours lack to the front page, their own printed "
    "runs lack too."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot:

# %% tags=["nbval-ignore-output"]
spread = {NETWORKS[n]: float(np.std(accuracy[n, s, "pilot"], ddof=1)) for n, s in LONG}
largest, tested = max(spread.values()), 14
alpha = 0.05 / tested
asked = stats.seeds_for_equivalence(100 * margin, largest, alpha=alpha) if largest > 0 else 2
display.say(
    f"Standard deviation of the accuracy over {pilot_seeds} pilot seeds, in points: "
    f"{', '.join(f'{name} {value:.2f}' for name, value in spread.items())}. With the larger one, "
    f"to show a difference of nothing to be within {100 * margin:g} points with power 0.8 takes "
    f"{asked} seeds if {tested} claims share an error rate of 5 %; {n_seeds} were used, of the "
    f"recurrent network {gru_seeds}."
)


# %% tags=["nbval-ignore-output"]
def lost(network):
    """Accuracy with the points in order less that with them shuffled, seed by seed."""
    here, shuffled = (accuracy[network, shuffled, "seeds"] for shuffled in (False, True))
    return np.round(np.subtract(here, shuffled), 1) / 100


source, unit = "greydanus2024scaling", "difference of accuracy"
settled = claims.judge(
    [
        Claim.equivalence(
            f"{network}-{'shuffled' if shuffled else 'in-order'}",
            f"The accuracy after {updates:,} updates is the published one: {NETWORKS[network]}, "
            f"points {'shuffled' if shuffled else 'in order'}.",
            values=(np.array(accuracy[network, shuffled, "seeds"]) - printed) / 100,
            margin=margin,
            unit=unit,
            source=source,
            published=printed / 100,
        )
        for (network, shuffled), printed in PRINTED.items()
    ]
    + [
        Claim.equivalence(
            f"front-page-{network}",
            f"The accuracy after {long_updates:,} updates is that of the dataset's front page: "
            f"{NETWORKS[network]}, points in order.",
            values=(np.array(accuracy[network, shuffled, "long"]) - FRONT_PAGE[network, shuffled])
            / 100,
            margin=margin,
            unit=unit,
            source=source,
            published=FRONT_PAGE[network, shuffled] / 100,
        )
        for network, shuffled in LONG
    ]
    + [
        Claim.effect(
            f"order-{network}",
            f"Shuffling the points lowers the accuracy: {NETWORKS[network]}.",
            values=lost(network),
            direction="greater",
            delta=delta,
            unit=unit,
            source=source,
            published=(PRINTED[network, False] - PRINTED[network, True]) / 100,
        )
        for network in ("cnn", "gru")
    ]
    + [
        Claim.equivalence(
            f"no-order-{network}",
            f"Shuffling the points does not change the accuracy: {NETWORKS[network]}.",
            values=lost(network),
            margin=margin,
            unit=unit,
            source=source,
            published=(PRINTED[network, False] - PRINTED[network, True]) / 100,
        )
        for network in ("logistic", "mlp")
    ],
    notebook="mnist1d_accuracies",
)
claims.show(settled)

# %%
claims.verdicts(settled)
