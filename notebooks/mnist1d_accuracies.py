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

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.experiments.mnist1d_accuracies import PublishedMnist1D
from lrlab.optimizers import Adam
from lrlab.schedules import Constant

plots.use_style()

if long_updates <= updates or long_updates % updates:
    raise ValueError(f"long_updates must be a multiple of {updates}, got {long_updates}")
NETWORKS = {
    "logistic": "logistic regression",
    "mlp": "perceptron",
    "cnn": "convolutional",
    "gru": "recurrent",
}
PUBLISHED = {  # in order and shuffled: what the notebook printed, what the front page says
    ("logistic", False): (32.1, 32),
    ("mlp", False): (60.9, 68),
    ("cnn", False): (87.9, 94),
    ("gru", False): (86.1, 91),
    ("logistic", True): (32.3, 32),
    ("mlp", True): (61.1, 68),
    ("cnn", True): (53.3, 56),
    ("gru", True): (56.8, 57),
}
PRINTED, FRONT_PAGE = ({arm: both[k] for arm, both in PUBLISHED.items()} for k in (0, 1))
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


plan = {(arm, seed): job(*arm, seed) for arm in PRINTED for seed in seeds(arm[0])}
plan |= {(arm, seed): job(*arm, seed) for arm in LONG for seed in pilots}

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
def percent(arm, step=updates, group=None):
    """Test accuracies in per cent at an evaluation; guessing where a run diverged before it."""

    def at(run):
        found = np.flatnonzero(run.evals["step"] == step)
        return run.evals["test_accuracy"][found[0]] if found.size else run.chance["accuracy"]

    return 100 * runs.of(arm, group or seeds(arm[0])).array(at)


accuracy = {arm: percent(arm) for arm in PRINTED}
long_accuracy = {arm: percent(arm, long_updates).mean() for arm in LONG}
display.say(
    f"{len(runs)} runs: {len(NETWORKS)} networks, in order and shuffled, {n_seeds} seeds (the "
    f"recurrent one {gru_seeds}), and {len(LONG) * pilot_seeds} of the pilot."
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "network": NETWORKS[arm[0]],
            "points": "shuffled" if arm[1] else "in order",
            f"printed after {updates:,} %": printed,
            "ours % [95 %]": stats.mean_interval(accuracy[arm]),
            "n": len(accuracy[arm]),
            "front page %": FRONT_PAGE[arm],
            f"ours after {long_updates:,} %": long_accuracy.get(arm, ""),
        }
        for arm, printed in PRINTED.items()
    ],
    caption="Accuracy on the 1,000 test signals, mean over n seeds and 95 % t interval; "
    f"{runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.0, sharey=True)
for ax, shuffled in zip(axes, (False, True), strict=True):
    arms = [arm for arm in PRINTED if arm[1] == shuffled]
    each = {NETWORKS[arm[0]]: accuracy[arm] for arm in arms}
    plots.intervals(ax, stats.mean_intervals(each), points=each)
    above = np.arange(len(arms))[::-1] + 0.22
    for source, marker, label in (
        (PRINTED, "D", f"printed, {updates:,} updates"),
        (FRONT_PAGE, "s", "front page"),
    ):
        colour = plots.COLOURS[1 if marker == "D" else 2]
        look = {"color": colour, "markersize": 6, "markerfacecolor": "none"}
        ax.plot([source[arm] for arm in arms], above, marker, label=label, **look)
    ax.set(
        title="points shuffled" if shuffled else "points in order",
        xlabel="test accuracy [%]",
        xlim=(20, 100),
    )
axes[1].legend(loc="lower right")
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
mine = {network: mean for (network, _), mean in long_accuracy.items()}
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
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for arm in LONG:
    what = f"accuracy of the {NETWORKS[arm[0]]} network, in points,"
    pilot = percent(arm, group=pilots)
    claims.power(pilot, what, within=100 * margin, used=n_seeds, tested=14)


# %%
def lost(network):
    """Accuracy with the points in order less that with them shuffled, seed by seed."""
    here, shuffled = (accuracy[network, shuffled] for shuffled in (False, True))
    return np.round(np.subtract(here, shuffled), 1) / 100


source, unit = "greydanus2024scaling", "difference of accuracy"
claims.conclude(
    [
        Claim.equivalence(
            f"{network}-{'shuffled' if shuffled else 'in-order'}",
            f"The accuracy after {updates:,} updates is the published one: {NETWORKS[network]}, "
            f"points {'shuffled' if shuffled else 'in order'}.",
            values=(np.array(accuracy[network, shuffled]) - printed) / 100,
            margin=margin,
            unit=unit,
            published=printed / 100,
        )
        for (network, shuffled), printed in PRINTED.items()
    ]
    + [
        Claim.equivalence(
            f"front-page-{network}",
            f"The accuracy after {long_updates:,} updates is that of the dataset's front page: "
            f"{NETWORKS[network]}, points in order.",
            values=(percent((network, shuffled), long_updates) - FRONT_PAGE[network, shuffled])
            / 100,
            margin=margin,
            unit=unit,
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
            published=(PRINTED[network, False] - PRINTED[network, True]) / 100,
        )
        for network in ("logistic", "mlp")
    ],
    source=source,
)
