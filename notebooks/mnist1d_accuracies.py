# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Do we get the published accuracies on MNIST-1D?
#     short_title: Published accuracies on MNIST-1D
#     question: Do four networks reach the accuracies on MNIST-1D that its authors published?
#     tags: [calibration, mnist1d, adam]
#     smoke: {updates: 20, long_updates: 40, n_seeds: 2, mlp_seeds: 3, pilot_seeds: 2}
#     foretold:
#       - says: All eight accuracies are within four points of what is printed.
#         claims: {mlp-in-order: supported, cnn-in-order: supported, gru-in-order: supported}
#       - says: After 3,000 updates the perceptron is three points short of the front page.
#         claims: not judged
#       - says: The convolutional network has about 91 %, three points short.
#         claims: not judged
#       - says: Shuffling costs the convolutional and the recurrent network 30 points each.
#         claims: not judged
# ---

# %% [markdown]
# # Do we get the published accuracies on MNIST-1D?
#
# ## Question
#
# The authors of MNIST-1D train four networks on it, and on the same signals with their 40 points
# shuffled, which takes away what neighbouring points tell {cite}`greydanus2024scaling`. The
# dataset's front page rounds the accuracies: 32, 68, 94 and 91 % for logistic regression, a
# perceptron, a convolutional and a recurrent network; 32, 68, 56 and 57 % shuffled. Two of their
# notebooks, `mnist1d-classification` and `quickstart`, print what one run of each has after 1,000
# updates, and every 1,000 from there to 6,000; only the former shuffles.
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
# In order, ours is compared with the mean of their two printed runs, which lie up to 2.8 points
# apart. Two accuracies count as the same within four percentage points, in the mean over seeds: a
# published run may lie two standard deviations, of one to two points each, away, and the front
# page's numbers are rounded. What shuffling changes is measured on our own runs, to one point. The
# longer runs are those of the perceptron and the convolutional network. A first version of this
# entry had five seeds and tested fourteen statements, half of which it left undecided.

# %% tags=["parameters"]
updates: int = 1000  # [1..] updates after which the authors print an accuracy
long_updates: int = 3000  # [updates<..] updates of the longer runs, a multiple of the former
rate: float = 0.01  # [0<..] learning rate
batch_size: int = 100  # [signals, 1..4000] in a batch
n_seeds: int = 8  # [2..490] seeds
mlp_seeds: int = 64  # [n_seeds..490] seeds of the perceptron, which is quick
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
margin: float = 0.04  # [0<..<1] difference to a published accuracy within which two are the same

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.mnist1d_accuracies import PublishedMnist1D
from lrlab.optimizers import Adam
from lrlab.schedules import Constant

plots.use_style()

if long_updates <= updates or long_updates % updates:
    raise ValueError(f"long_updates must be a multiple of {updates}, got {long_updates}")
NETWORKS = {
    "logistic": "logistic regression",
    "mlp": "perceptron",
    "cnn": "convolutional network",
    "gru": "recurrent network",
}
PUBLISHED = {  # in order and shuffled: what the first notebook printed, what the front page says
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
QUICKSTART = {"logistic": 32.4, "mlp": 63.6, "cnn": 90.7, "gru": 88.0}
LONG = [("mlp", False), ("cnn", False)]
PRINTED_LONG = {"mlp": (65.6, 62.3), "cnn": (90.6, 93.4)}  # after 3,000, in either notebook
PRINTED_MOST = {"mlp": 65.7, "cnn": 93.4}  # up to 6,000, in both
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


block = range(first_seed, first_seed + n_seeds)  # seeds of the longer runs


def seeds(network):
    return range(first_seed, first_seed + (mlp_seeds if network == "mlp" else n_seeds))


def known(network):
    """Mean of the printed runs in order."""
    return (PRINTED[network, False] + QUICKSTART[network]) / 2


def job(network, shuffled, seed):
    steps = long_updates if (network, shuffled) in LONG and seed in block else updates
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
# and three short. Shuffling costs the convolutional and the recurrent network 30 points each. (The
# quickstart was not known then.)
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
long_accuracy = {arm: percent(arm, long_updates, block) for arm in LONG}
display.say(
    f"{len(runs)} runs: {len(NETWORKS)} networks, in order and shuffled, {n_seeds} seeds (the "
    f"perceptron {mlp_seeds}), and {len(LONG) * pilot_seeds} of the pilot."
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "network": NETWORKS[arm[0]],
            "points": "shuffled" if arm[1] else "in order",
            f"printed after {updates:,} %": printed,
            "quickstart %": "" if arm[1] else QUICKSTART[arm[0]],
            "ours % [95 %]": stats.mean_interval(accuracy[arm]),
            "n": len(accuracy[arm]),
            "front page %": FRONT_PAGE[arm],
            f"ours after {long_updates:,} % [95 %]": stats.mean_interval(long_accuracy[arm])
            if arm in LONG
            else "",
        }
        for arm, printed in PRINTED.items()
    ],
    caption="Accuracy on the 1,000 test signals, mean over n seeds and 95 % t interval; "
    f"{runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
tested = 7
level = claims.level(tested, "equivalence")
fig, axes = plots.figure(1, 2, height=3.0, sharey=True)
for ax, shuffled in zip(axes, (False, True), strict=True):
    arms = [arm for arm in PRINTED if arm[1] == shuffled]
    each = {NETWORKS[arm[0]]: accuracy[arm] for arm in arms}
    plots.intervals(ax, stats.mean_intervals(each, level), points=each)
    above = np.arange(len(arms))[::-1] + 0.22
    theirs = {
        "printed": (
            "D",
            1,
            [(PRINTED[arm], y) for arm, y in zip(arms, above, strict=True)],
        ),
        "quickstart": (
            "^",
            3,
            [(QUICKSTART[arm[0]], y) for arm, y in zip(arms, above, strict=True) if not shuffled],
        ),
        "front page": ("s", 2, [(FRONT_PAGE[arm], y) for arm, y in zip(arms, above, strict=True)]),
    }
    for label, (marker, k, points) in theirs.items():
        look = {"color": plots.COLOURS[k], "markersize": 6, "markerfacecolor": "none"}
        ax.plot(*(np.reshape(points, (-1, 2)).T), marker, label=label, **look)
    ax.set(
        title="points shuffled" if shuffled else "points in order",
        xlabel="test accuracy [%]",
        xlim=(20, 100),
    )
axes[1].legend(loc="lower right")
display.show(
    fig,
    alt="Test accuracy of four networks with the points in order and shuffled, ours with "
    "intervals, the published ones above them.",
    caption=f"Test accuracy after {updates:,} updates: mean and {100 * level:.3g} % t interval, "
    f"the one that decides, over {n_seeds} seeds ({mlp_seeds} of the perceptron), single runs "
    "as strokes. Above them what the authors' two notebooks print for one run after as many "
    "updates, and the rounded numbers of the dataset's front page.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
for network, _ in LONG:
    first, second = PRINTED_LONG[network]
    display.say(
        f"After {long_updates:,} updates the {NETWORKS[network]} has "
        f"{long_accuracy[network, False].mean():.1f} %. The authors' notebooks print {first} and "
        f"{second} % after 3,000, and at most {PRINTED_MOST[network]} % up to 6,000; the front "
        f"page says {FRONT_PAGE[network, False]} %."
    )

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
for arm in LONG:
    what = f"accuracy of the {NETWORKS[arm[0]]}, in points,"
    claims.power(
        percent(arm, group=pilots),
        what,
        within=100 * margin,
        used=len(seeds(arm[0])),
        tested=tested,
    )


# %%
def lost(network):
    """Accuracy with the points in order less that with them shuffled, seed by seed."""
    return np.round(np.subtract(accuracy[network, False], accuracy[network, True]), 1) / 100


def about(network, budget, reason=""):
    signals = Setting(f"{network} on MNIST-1D", "Adam", f"{budget:,} updates")
    return About(signals, metric="accuracy", like="same", reason=reason)


single = "the published accuracy is of single runs, which scatter by one to two points"
unit = "in accuracy"
both = ("cnn", "gru")
order, no_order = (lost("cnn") + lost("gru")) / 2, lost("mlp")
claims.conclude(
    [
        *(
            Claim.equivalence(
                f"{network}-in-order",
                "The accuracy is that of the two printed runs",
                values=np.round(accuracy[network, False] - known(network), 2) / 100,
                margin=margin,
                unit=unit,
                published=round(known(network) / 100, 4),
                about=about(NETWORKS[network], updates, single),
            )
            for network in ("mlp", "cnn", "gru")
        ),
        *(
            Claim.equivalence(
                f"front-page-{network}",
                "The accuracy is that of the dataset's front page",
                values=(long_accuracy[network, shuffled] - FRONT_PAGE[network, shuffled]) / 100,
                margin=margin,
                unit=unit,
                published=FRONT_PAGE[network, shuffled] / 100,
                about=about(NETWORKS[network], long_updates, single),
            )
            for network, shuffled in LONG
        ),
        Claim.effect(
            "order",
            "Shuffling the points lowers the accuracy (mean of the two networks)",
            values=order,
            direction="greater",
            unit=unit,
            published=round(np.mean([PRINTED[n, False] - PRINTED[n, True] for n in both]) / 100, 4),
            about=about("convolutional and recurrent networks", updates),
        ),
        Claim.equivalence(
            "no-order-mlp",
            "Shuffling the points does not change the accuracy",
            values=no_order,
            unit=unit,
            published=round((PRINTED["mlp", False] - PRINTED["mlp", True]) / 100, 4),
            about=about(NETWORKS["mlp"], updates),
        ),
    ],
    source="greydanus2024scaling",
)

# %% tags=["nbval-ignore-output"]
ours = {n: stats.mean_interval(accuracy[n, False], level) for n in ("mlp", "cnn", "gru")}
hurt = stats.mean_interval(100 * order, claims.level(tested))
spared = stats.mean_interval(100 * no_order, level)
words = [
    f"the {NETWORKS[n]} reaches {found.estimate:.1f} % [{found.low:.1f}, {found.high:.1f}] "
    f"(printed: {PRINTED[n, False]} and {QUICKSTART[n]})"
    for n, found in ours.items()
]
apart = max(abs(PRINTED[n, False] - QUICKSTART[n]) for n in ours)
display.answer(
    f"After {updates:,} updates {', '.join(words)}. Shuffled points cost the latter two "
    f"{hurt.estimate:.0f} points [{hurt.low:.0f}, {hurt.high:.0f}], the perceptron "
    f"{spared.estimate:.1f} [{spared.low:.1f}, {spared.high:.1f}]. What this means for you: two "
    f"published runs lie {apart:.1f} points apart; compare means over seeds.",
    claims=["mlp-in-order", "cnn-in-order", "gru-in-order", "order", "no-order-mlp"],
)
