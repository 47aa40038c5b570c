# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Are learning rates from 0.0005 to 0.05 a good range in a run as long as the report's?
#     short_title: The report's range at its own length
#     question: Are rates from 0.0005 to 0.05 a good range in a run as long as the report's?
#     tags: [sgd, mnist, lenet, range test, exponential decay, length, benchmark]
#     smoke: {results: benchmarks/results/report_ramp_smoke.json}
#     predictions:
#       unchanged-first: {seen here: 0.9, inconclusive: 0.05, not seen here: 0.05}
#       falls-within: {seen here: 0.9, inconclusive: 0.05, not seen here: 0.05}
#       lower-rate-trains: {seen here: 0.93, inconclusive: 0.02, not seen here: 0.05}
#       end-against-higher: {seen here: 0.9, inconclusive: 0.07, not seen here: 0.03}
#       end-against-lower: {seen here: 0.95, inconclusive: 0.04, not seen here: 0.01}
# ---

# %% [markdown]
# # Are learning rates from 0.0005 to 0.05 a good range in a run as long as the report's?
#
# ## Question
#
# "Learning rate values between 0.05 and 5e-4 seems to be a good balance", the report
# {cite}`azmimr2022` concludes from two ramps of LeNet on MNIST: "the larger value could be used in
# the initial epochs which then" falls "to the lower value as the training continues". Other entries
# judge that in runs of some 165 updates, where 0.0005 is too small to move. The report's runs had
# 14,070.
#
# 1. In runs of that length, is the loss first unchanged, and does it fall between 0.0005 and 0.05?
# 2. Does a constant 0.0005 train?
# 3. Does a decay from 0.05 lose anything by ending at 0.0005, beside one that ends higher or lower?
#
# ## Setup
#
# **This entry trains nothing: it reads the raw results of `benchmarks/report_ramp.py`**, whose hash
# is checked. LeNet-5 with ReLU, plain SGD, the report's number of updates and its batch size, and
# its ramp: one rate an epoch of 469 updates, from 0.00001 by a factor of 1.52. The digits are an
# analogue: where only 3,500 are trained on, a run sees each of them some 500 times, the report's
# saw its 60,000 thirty times. So the training loss stands beside the test loss.
#
# The report's log notes the rate after the scheduler's step: its two ramps and its run at a fixed
# 0.00001 have one and the same test loss after the first epoch, where the ramps note 0.000015. All
# rates here are those **in effect** in the epoch before the evaluation, the report's too.
#
# The decays fall smoothly from 0.05 to 0.005 in the first 27 of 30 epochs; they are one run up to
# there. In the last three epochs one stays at 0.005, one falls on to 0.0005, one to 0.00005. That
# tries the end alone, in a network that has learnt its digits by then; whether a decay should end
# at 0.0005 while there is more to learn is not tried here.

# %% tags=["parameters"]
results: str = "benchmarks/results/report_ramp.json"  # [any] raw results, in the repository
flat: float = 0.1  # [0<..<1] share of the lower rate, up to which the loss is to be unchanged
most: float = 0.5  # [0<..<1] share of the fall that is most of it
miss: float = 0.01  # [0<..] share by which a good end may miss the loss of another one

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, claims, display, plots, stats
from lrlab.claims import About, Setting
from lrlab.experiments import report_ramp as report
from lrlab.labbook import measured, phrases, reach

plots.use_style()

raw = measured.read(results)
parts = {
    part: {(row["name"], row["seed"]): row for row in raw["runs"] if row["part"] == part}
    for part in ("ramp", "lower", "decays")
}
if not all(parts.values()):
    raise ValueError(f"{results} is not complete; `python benchmarks/report_ramp.py` goes on")
ramps, constants = [*parts["ramp"].values()], [*parts["lower"].values()]
seeds = [row["seed"] for row in ramps]
steps = raw["epoch"] * raw["epochs"]
n_train, passes = raw["sizes"]["train"], steps * raw["batch_size"] / raw["sizes"]["train"]
rates = report.START * report.FACTOR ** np.arange(raw["epochs"])  # in effect in each epoch
low, high = report.LOWER, report.UPPER
TESTED = 5
level = claims.level(TESTED)
plan = []

# %% [markdown]
# ## Prediction
#
# Written before the runs. *Unchanged*: up to a tenth of 0.0005 the test loss stays within 1 %. *The
# range*: more than half of the fall lies between 0.0005 and 0.05, though it begins at a higher rate
# than in the report, whose loss has made about a quarter of its fall by 0.0005. *0.0005*: takes the
# test loss below 2 in about a third of the length. *The end*: in the last three epochs a network
# that has seen its digits hundreds of times has nothing left to learn; the decays end within 1 % of
# each other in test loss, and the higher end has the lower training loss.
#
# ## Result

# %%
display.say(
    f"{len(raw['runs'])} runs of {steps:,} updates of {raw['batch_size']} images, {len(seeds)} "
    f"paired seeds in each part; {n_train:,} training images, each seen {passes:,.0f} times. Raw "
    f"results: `{results}`, sha256 `{raw['sha256'][:16]}…`, measured with torch "
    f"{raw['versions']['torch']}."
)

# %% [markdown]
# ### The ramp, in effect


# %%
def after_epochs(row, name):
    """A metric after each whole epoch, up to the first that is not finite."""
    values = np.array(row[name][1:], dtype=float)
    bad = np.flatnonzero(~np.isfinite(values))
    return values[: bad[0]] if bad.size else values


fig, ax = plots.figure(height=3.9)
looks = {"test_loss": ("our test loss", "-"), "train_loss": ("our training loss", "--")}
for (name, (label, dashes)), colour in zip(looks.items(), plots.COLOURS, strict=False):
    for i, row in enumerate(ramps):
        values = after_epochs(row, name)
        ax.plot(
            rates[: len(values)],
            values,
            dashes,
            color=colour,
            linewidth=1,
            alpha=0.8,
            label=None if i else label,
        )
for marker, (name, one) in zip("ox", report.PUBLISHED.items(), strict=True):
    ax.plot(
        one.rates,
        one.test_loss,
        marker,
        color="#555555",
        markersize=4,
        label=f"the report's test loss, {name}",
    )
plots.shade(ax, low, high, "the report's range", plots.COLOURS[4])
plots.chance_line(ax, raw["chance_loss"])
ax.set(xscale="log", yscale="log", xlabel="learning rate in effect", ylabel="loss [nats]")
ax.set_ylim(1e-4, 10)
ax.legend(loc="lower left")
display.show(
    fig,
    alt="Loss after each epoch against the learning rate in effect in it, both on log axes: ours "
    "on test and training part for each seed, and the report's test loss of its two ramps. The "
    "range from 0.0005 to 0.05 is shaded.",
    caption=f"Loss after each epoch of the ramp, {len(seeds)} seeds: {raw['epochs']} epochs of "
    f"{raw['epoch']} updates; the report's as read off its figures. Losses below 0.0001 and above "
    "10 are not shown. Guessing: ln 10.",
    headline=True,
)

# %%
found = [report.marks(rates, after_epochs(row, "test_loss")) for row in ramps]
reported = [report.marks(one.rates, one.test_loss) for one in report.PUBLISHED.values()]
words = {
    "falls": f"first below {report.FALLEN:g}",
    "lowest": "lowest",
    "explodes": "above its first value again",
}
display.table(
    [
        {
            "test loss": text,
            "the report, in effect": " and ".join(f"{one[name]:.2g}" for one in reported),
            "seen in": f"{len(seen)} of {len(seeds)}",
            "median": f"{np.median(seen):.2g}" if seen else "–",
            "all": f"{min(seen):.2g} to {max(seen):.2g}" if seen else "–",
        }
        for name, text in words.items()
        for seen in [[one[name] for one in found if one[name]]]
    ],
    caption="Rates in effect of three marks of the ramp's test loss, which is evaluated once an "
    f"epoch: a mark is known to a factor of {report.FACTOR:g}. The report's are those of StepLR "
    "and of ExponentialLR.",
)


# %%
def reached(row, rate):
    """Test loss after the last epoch whose rate in effect is at most this."""
    return row["test_loss"][1 + np.flatnonzero(rates <= rate * (1 + 1e-9))[-1]]


def within(first, at_low, at_high, lowest):
    return (at_low - at_high) / (first - lowest)


tenth = phrases.plain(f"{flat * low:.2g}")
change = np.array([np.log(reached(row, flat * low) / row["test_loss"][0]) for row in ramps])


def held(rate):
    """The share of each run's fall at rates in effect from this one to the upper end."""
    return np.array(
        [
            within(
                row["test_loss"][0],
                reached(row, rate),
                reached(row, high),
                min(after_epochs(row, "test_loss")),
            )
            for row in ramps
        ]
    )


fallen = {rate: held(rate) for rate in (low, *rates[(rates > low) & (rates < high)])}
loosest = [
    max(rate for rate in fallen if rate == low or fallen[rate][k] > most) for k in range(len(ramps))
]
share = fallen[low]
lower_tenth = share - held(10 * low)
theirs = [
    within(
        one.test_loss[0],
        *(one.test_loss[np.flatnonzero(one.rates <= rate)[-1]] for rate in (low, high)),
        min(one.test_loss),
    )
    for one in report.PUBLISHED.values()
]
display.say(
    f"Up to {tenth} our test loss changes by {phrases.percent(change, 0.95)} (95 %). "
    f"Between {low:g} and {high:g} lie {100 * share.mean():.0f} % of its fall, of the report's "
    f"{' and '.join(f'{100 * one:.0f} %' for one in theirs)}; up to {10 * low:g} it is "
    f"{100 * lower_tenth.mean():.0f} %. More than {100 * most:g} % of the fall lies between any "
    f"lower end up to {min(loosest):.2g} and {high:g} too, so that this share says little of "
    f"{low:g} itself. At the lowest test loss the training "
    "loss is "
    + ", ".join(
        f"{row['train_loss'][1 + int(np.argmin(after_epochs(row, 'test_loss')))]:.2g}"
        for row in ramps
    )
    + "."
)

# %% [markdown]
# ### A constant 0.0005

# %%
needed = np.array(
    [
        report.crossing(row["step"], row["test_loss"], report.FALLEN) or float(steps)
        for row in constants
    ]
)
arrived = sum(row["test_loss"][-1] < report.FALLEN for row in constants)
distance = low * np.median(needed)
display.say(
    f"At a constant {low:g} the test loss falls below {report.FALLEN:g} in {arrived} of "
    f"{len(constants)} runs"
    + (
        f", after {np.median(needed):,.0f} updates (median; {min(needed):,.0f} to "
        f"{max(needed):,.0f}): a distance, rate times updates, of {distance:.2g}. The same "
        f"distance in 165 updates takes a rate of {distance / 165:.2g}."
        if arrived == len(constants)
        else f" of {steps:,} updates; one that does not is counted as if it did at its end."
    )
)

# %% [markdown]
# ### The end of a decay

# %%
decays = {
    phrases.plain(f"{end:g}"): [parts["decays"][f"{end:g}", seed] for seed in seeds]
    for end in report.ENDS
}
higher, here, lower = names = list(decays)
ended = {
    metric: {name: np.array([row[metric][-1] for row in rows]) for name, rows in decays.items()}
    for metric in ("test_loss", "train_loss", "test_accuracy")
}
apart = {
    (metric, other): stats.log_differences(ended[metric][here], ended[metric][other])
    for metric in ("test_loss", "train_loss")
    for other in (higher, lower)
}
fig, (left, right) = plots.figure(1, 2, height=2.9)
at = np.arange(steps)
for style, (name, end) in plots.styled(zip(names, report.ENDS, strict=True)):
    left.plot(at / raw["epoch"], report.decay(end, raw["epoch"])(at), label=f"to {name}", **style)
left.set(yscale="log", xlabel="epoch", ylabel="learning rate")
left.legend(loc="lower left")
rows = {f"against an\nend at {other}": apart["test_loss", other] for other in (higher, lower)}
plots.intervals(right, stats.mean_intervals(rows, level), points=rows)
plots.guide(right, x=np.log1p(miss))
right.set(xlabel=f"log ratio of test losses, end at {here} to another")
right.locator_params(axis="x", nbins=5)
display.show(
    fig,
    alt="Left: three decays from 0.05 on a log axis, one line up to epoch 27, then three. Right: "
    "paired log ratios of the test loss at the end, with intervals.",
    caption=f"Left: the rates. Right: mean and {100 * level:.1f} % interval over {len(seeds)} "
    f"paired seeds, by which the claims are judged; right of zero the end at {here} is worse. "
    f"Dotted: {100 * miss:g} % worse.",
)
display.table(
    [
        {
            "decay from 0.05 to": name,
            "test loss [95 %]": stats.geometric_interval(ended["test_loss"][name]),
            "training loss [95 %]": stats.geometric_interval(ended["train_loss"][name]),
            "test accuracy": ended["test_accuracy"][name].mean(),
        }
        for name in names
    ],
    caption=f"After {steps:,} updates, {len(seeds)} paired seeds.",
)

# %% [markdown]
# ## Verdict
#
# A run of this length costs two minutes of a core, so that there is no pilot study and n is what
# could be had. What so many can show:

# %%
for what, asked in (
    ("log ratio of test losses", {"within": claims.smallest_effect("test loss")}),
    ("share of the fall, less one half", {"beyond": claims.smallest_effect("share")}),
    ("log ratio of updates", {"beyond": claims.smallest_effect("updates")}),
    (
        f"log ratio of test losses, of which {100 * miss:g} % is allowed and none lost",
        {"beyond": 0.0, "effect": np.log1p(miss)},
    ),
):
    display.say(reach.of_mean(len(seeds), what, tested=TESTED, **asked))

# %%
network = f"LeNet on {n_train:,} digits"
budget = f"{steps:,} updates of {raw['batch_size']} images"
lost = f"its 60,000 digits, here {n_train:,}, each seen {passes:,.0f} times"


def about(what, metric, **more):
    return About(
        Setting(network, "SGD", f"{what} {budget}"), metric, like="analogue", lost=lost, **more
    )


ramped, whole, decayed = "a ramp of", "runs of", "a decay from 0.05 over"
log_ratio = "log ratio of test losses"
tolerated = {
    "delta": 0.0,
    "unit": f"{log_ratio}, less that of {100 * miss:g} %",
    "about": about(
        decayed,
        "test loss",
        family="end of a decay",
        reason="the share that a good end may miss stands in the statement (10 % when foretold)",
    ),
}
made = [
    Claim.descriptive(
        "falls-in-the-lower-tenth",
        f"Share of the fall of the test loss at rates in effect from {low:g} to {10 * low:g}.",
        values=lower_tenth,
        unit="of the fall",
        about=about(ramped, "share", family="ramp"),
    ),
    Claim.descriptive(
        "largest-lower-end",
        f"The largest lower end of a range up to {high:g} that holds more than {100 * most:g} % of "
        "the fall of the test loss.",
        values=loosest,
        scale="log",
        unit="rate in effect",
        about=about(ramped, "", family="ramp"),
    ),
    Claim.equivalence(
        "unchanged-first",
        f"While the rate rises to {tenth} the test loss is unchanged.",
        values=change,
        unit=f"{log_ratio}, to the first one",
        about=about(ramped, "test loss", family="ramp"),
    ),
    Claim.effect(
        "falls-within",
        f"More than {100 * most:g} % of the fall of the test loss lies at rates in effect from "
        f"{low:g} to {high:g}.",
        values=share - most,
        direction="greater",
        unit="of the fall, beyond that share",
        published="0.05 and 0.0005",
        about=about(ramped, "share", family="ramp"),
    ),
    Claim.effect(
        "lower-rate-trains",
        f"A constant {low:g} takes the test loss below {report.FALLEN:g} before the run's end.",
        values=np.log(needed / steps),
        direction="less",
        unit="log ratio of updates, needed to all",
        published="0.0005",
        about=about(whole, "updates"),
    ),
    *(
        Claim.effect(
            slug,
            f"After 27 epochs in common, from {high:g} to {higher}, the last three down to {here} "
            f"cost at most {100 * miss:g} % of test loss against three that end at {other}.",
            values=apart["test_loss", other] - np.log1p(miss),
            direction="less",
            published="0.0005",
            **tolerated,
        )
        for slug, other in (("end-against-higher", higher), ("end-against-lower", lower))
    ),
    *(
        Claim.descriptive(
            f"{metric.replace('_', '-')}-against-{side}",
            f"{text} at the end, {here} against {other}.",
            values=apart[metric, other],
            unit=f"log ratio of {text.lower()}es",
            about=about(decayed, metric.replace("_", " "), family="end of a decay"),
        )
        for metric, text in (("test_loss", "Test loss"), ("train_loss", "Training loss"))
        for side, other in (("higher", higher), ("lower", lower))
    ),
]
claims.conclude(made, source="azmimr2022")

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
trains = judged["lower-rate-trains"].verdict == claims.rules.SEEN
ends = [judged[f"end-against-{other}"].verdict for other in ("higher", "lower")]
falls = [one["falls"] for one in found if one["falls"]]
part = stats.mean_interval(100 * share, level)
display.answer(
    f"LeNet, SGD, {steps:,} updates: {part.estimate:.0f} % [{part.low:.0f}, "
    f"{min(part.high, 100):.0f}] of a ramp's fall lie between learning rates of "
    f"{low:g} and {high:g}, but more than half from any lower end up to {min(loosest):.2g}; a "
    f"constant {low:g} takes the test loss below {report.FALLEN:g} in {arrived} of {len(seeds)} "
    "runs"
    + (f" ({min(needed):,.0f} to {max(needed):,.0f} updates)" if arrived == len(seeds) else "")
    + (f", a ramp does at {min(falls):.2g} to {max(falls):.2g}" if falls else "")
    + f". The last three of 30 epochs down to {here} change it by "
    f"{phrases.percent(apart['test_loss', higher], level)} against {higher}, "
    f"{phrases.percent(apart['test_loss', lower], level)} against {lower} ({100 * level:.3g} % "
    "intervals). What this means for you: "
    + (
        f"{low:g} is a lower end for thousands of updates; "
        if trains
        else "the lower end of a range belongs to a number of updates; "
    )
    + (
        "how a decay ends matters little once the training loss is spent."
        if all(end == claims.rules.SEEN for end in ends)
        else f"whether {here} is a good end of a decay stays open."
        if claims.rules.NOT_SEEN not in ends
        else f"a decay should not end at {here}."
    ),
    claims=["falls-within", "lower-rate-trains", "end-against-higher", "end-against-lower"],
)
