# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Stopping early
#     short_title: Does early stopping pay?
#     question: What does stopping by patience save and cost, and does it make sense under a cosine?
#     tags: [sources, mnist1d, momentum, cosine, early stopping]
#     smoke: {steps: 100, every: 10, n_seeds: 2, pilot_seeds: 2, n_train: 400, patience: 2,
#       patiences: [1, 2, 4]}
#     foretold:
#       - says: The validation loss is lowest within the first third and then rises by half.
#         claims: not judged
#       - says: The validation accuracy does not fall.
#         claims: {accuracy-falls-constant: not seen here, accuracy-falls-cosine: not seen here}
#       - says: Stopping by the loss lowers the test loss.
#         claims: not judged
#       - says: Stopping by the loss raises the test error of a cosine by more than 5 %.
#         claims: {early-costs-cosine: supported}
#       - says: A cosine that was planned for a quarter of the updates ends lower.
#         claims: {planned-shorter: supported}
# ---

# %% [markdown]
# # Stopping early: what does it save and cost, under each schedule of the learning rate?
#
# ## Question
#
# "While training, keep looking at two plots", the loss and the accuracy on training and validation
# data; "so we can stop in time when the validation accuracy falls" (our translation)
# {cite}`mtdickens2024`. The usual rule waits for a number of evaluations without improvement, its
# patience, and keeps the best model. (The rule *UP* of {cite}`prechelt1998early` is another: it
# counts rises in a row.)
#
# 1. Where do the curves part: when is the validation loss lowest, and when the validation accuracy
#    highest?
# 2. What does stopping by patience save, and what does it cost against the oracle, which sees the
#    whole curve?
# 3. Does stopping early under a cosine make sense at all, where the rate falls last?
#
# ## Setup
#
# The perceptron of MNIST-1D {cite}`greydanus2024scaling` learns its training signals by heart.
# Momentum 0.9, batches of 100, every schedule at its tuned rate for this length. The rule looks at
# the validation part and keeps the weights of its best look; what it costs is read off the test
# part at that look. It is applied in two ways: replayed on complete curves, for all patiences, and
# as a real stop in training, for one; both have to end at the same update with the same numbers.
# Who wants to save updates under a cosine can also plan a shorter one, which runs to its end: it is
# trained for a half and a quarter of the updates, at the tuned rates of those lengths. The rates
# come from two tuning seeds, whose noise is not in the intervals here.

# %% tags=["parameters"]
steps: int = 1600  # [updates, 4..] length of the complete training, 4T of the tuning entry
every: int = 20  # [updates, 1..steps] between two looks
patience: int = 10  # [looks, 1..] without improvement that the claims and the real stops wait for
patiences: list[int] = [1, 2, 3, 5, 10, 20, 40]  # [looks, 1.. of 1.. rising] of the replays
n_seeds: int = 12  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
n_train: int = 3500  # [1..3500] training signals
batch_size: int = 100  # [signals, 1..n_train] in a batch
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import (
    Claim,
    EarlyStopping,
    Job,
    Recipe,
    claims,
    display,
    plots,
    stats,
    tasks,
    train_many,
)
from lrlab.claims import About, Setting
from lrlab.labbook import phrases, tuned
from lrlab.optimizers import SGD
from lrlab.schedules.presets import lineup

plots.use_style()

if steps % every or not 1 <= patience < steps // every:
    raise ValueError(
        f"need every to divide steps and patience < steps/every, got steps={steps}, "
        f"every={every}, patience={patience}"
    )
task = tasks.get("mnist1d", n_train=n_train)
found = tuned.read("tune_mnist1d", tuning_entry or None)
names = ["constant", "inverse square root", "step", "linear", "cosine", "one-cycle"]
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
TESTED = 6
rule = EarlyStopping("validation_loss", patience=patience)


def job(name, seed, stop=None, length="4t"):
    count = steps // {"t": 4, "2t": 2, "4t": 1}[length]
    return Job(
        task,
        Recipe(
            schedule=lineup(count)[name].scale(found.rate(f"{name} sgd {length}")),
            steps=count,
            batch_size=batch_size,
            optimizer=SGD(momentum=0.9),
            seed=seed,
            eval_every=every if length == "4t" else None,
        ),
        stop=stop,
    )


plan = {("complete", name, s): job(name, s) for name in names for s in seeds}
plan |= {("complete", "cosine", s): job("cosine", s) for s in pilots}
plan |= {("stopped", name, s): job(name, s, rule) for name in names for s in seeds[:3]}
plan |= {(length, s): job("cosine", s, length=length) for length in ("t", "2t") for s in seeds}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The validation loss is lowest within the first third of the training and
# then rises by half, while the validation accuracy does not fall: it goes on rising under the
# schedules that fall to zero. So stopping by the loss saves more than half of the updates, lowers
# the test loss and raises the test error; the latter by more than 5 % under a cosine and hardly
# under a constant rate. Stopping a cosine early makes no sense: one that was planned for a quarter
# of the updates ends lower.
#
# It was written when 2 % of an error were the smallest difference that matters, which is 5 % now.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
complete, stopped = runs.of("complete"), runs.of("stopped")


def curve(run, part, metric):
    """A metric at every look, the start included; the error is 1 - accuracy."""
    values = run.evals[f"{part}_{'accuracy' if metric == 'error' else 'loss'}"]
    return 1 - values if metric == "error" else values


def replay(run, metric, wait):
    """Looks at which patience stops, and at which it found its best; the last one if it waits."""
    stop, watched = EarlyStopping("watched", patience=wait), curve(run, "validation", metric)
    ends = (k for k in range(len(watched)) if stop({"watched": watched[: k + 1]}))
    end = next(ends, len(watched) - 1)
    return end, int(np.argmin(watched[: end + 1]))


display.say(
    f"{len(runs)} runs: {len(names)} schedules, {n_seeds} paired seeds, of which {len(seeds[:3])} "
    f"also with a real stop, {2 * n_seeds} shorter cosines, and {pilot_seeds} runs of the "
    f"pilot; {steps // every} looks in a complete training."
)

# %% tags=["nbval-ignore-output"]
bests = {
    (name, metric): [replay(complete[name, s], metric, steps)[1] for s in seeds]
    for name in names
    for metric in ("loss", "error")
}
fig, axes = plots.figure(1, 2, height=3.6)
for ax, metric, scale in zip(axes, ("loss", "error"), (1, 100), strict=True):
    top = 0.0
    for style, name in plots.styled(names):
        each = complete.of(name, seeds).array(lambda run: curve(run, "validation", metric))  # noqa: B023
        mean = scale * each.mean(axis=0)
        ax.plot(np.arange(len(mean)) * every, mean, label=name, **style)
        at = round(np.median(bests[name, metric]))
        ax.plot(at * every, mean[at], "o", color=style["color"], markeredgecolor="black")
        top = max(top, mean[len(mean) // 8 :].max())
    ax.set(xlabel="update", ylim=(0, 1.05 * top))
axes[0].set_ylabel("validation loss [nats]")
axes[1].set_ylabel("validation error [%]")
axes[1].legend()
display.show(
    fig,
    alt="Validation loss and validation error against the update, one line for each of six "
    "schedules, with a dot where each is lowest.",
    caption=f"Validation loss (left) and share of wrong answers (right), means over {n_seeds} "
    "seeds; dots: the median update of the lowest value. The first updates lie above the axes.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
part = {key: np.median(values) * every for key, values in bests.items()}
display.say(
    "Median update of the lowest validation loss, and of the lowest validation error: "
    + "; ".join(f"{n} {part[n, 'loss']:,.0f} and {part[n, 'error']:,.0f}" for n in names)
    + f". A complete training has {steps:,}, at whose end the training loss is "
    f"{complete.of(names, seeds).array('train_loss').mean():.2g} nats on average."
)

# %% [markdown]
# ### What patience saves, and what it costs

# %% tags=["nbval-ignore-output"]
looks = steps // every
waits = sorted({*patiences, patience})
results = {}
for name in names:
    for metric in ("loss", "error"):
        for wait in waits:
            for seed in seeds:
                run = complete[name, seed]
                end, kept = replay(run, metric, wait)
                test = {m: curve(run, "test", m) for m in ("loss", "error")}
                results[name, metric, wait, seed] = {
                    "saved": 1 - end / looks,
                    "kept": kept / looks,
                    "oracle": np.log(test["error"][kept] / test["error"].min()),
                } | {m: float(np.log(test[m][kept] / test[m][-1])) for m in test}


def over_seeds(name, metric, wait, key):
    return np.array([results[name, metric, wait, seed][key] for seed in seeds])


fig, axes = plots.figure(1, 2, height=3.7, sharey=True, sharex=True)
for ax, metric in zip(axes, ("loss", "error"), strict=True):
    for style, name in plots.styled(names):
        x, y = (
            100 * np.array([change(over_seeds(name, metric, w, key).mean()) for w in waits])
            for key, change in (("saved", float), ("error", np.expm1))
        )
        ax.plot(x, y, marker="o", markersize=3.5, label=name, **style)
    plots.guide(ax, y=0)
    ax.set(xlabel="updates saved [%]", title=f"watching the validation {metric}")
axes[0].set_ylabel("change of the test error [%]")
axes[1].legend()
display.show(
    fig,
    alt="Cost of stopping against the updates it saves, one line for each schedule through the "
    "patiences: left watching the loss, right watching the error.",
    caption=f"Test error of the model that was kept, against the end of the complete training, and "
    f"the updates saved; means over {n_seeds} seeds. Points along a line: patience of "
    f"{', '.join(map(str, waits))} looks, from right to left.",
)

# %% tags=["nbval-ignore-output"]
rows = []
for name in names:
    for metric in ("loss", "error"):
        ratio = stats.geometric_interval(np.exp(over_seeds(name, metric, patience, "error")))
        cost = [100 * (x - 1) for x in (ratio.estimate, ratio.low, ratio.high)]
        last = [100 * curve(complete[name, s], "test", "error")[-1] for s in seeds]
        rows.append(
            {
                "schedule": name,
                "watching": metric,
                "saved [%]": 100 * over_seeds(name, metric, patience, "saved").mean(),
                "test error at the end [%]": np.mean(last),
                "change of the test error [%]": "{:+.1f} [{:+.1f}, {:+.1f}]".format(*cost),
                "of the test loss [%]": 100
                * np.expm1(over_seeds(name, metric, patience, "loss").mean()),
                "test error above the oracle's [%]": 100
                * np.expm1(over_seeds(name, metric, patience, "oracle").mean()),
            }
        )
display.table(
    rows,
    caption=f"Stopping with a patience of {patience} looks, means over {n_seeds} seeds "
    "(geometric ones of changes, with 95 % t interval). The oracle keeps the look with the lowest "
    "test error of the whole curve, which nobody can know.",
)

# %% [markdown]
# ### A cosine that is stopped, and one that is planned shorter

# %% tags=["nbval-ignore-output"]
kept_error = np.exp(over_seeds("cosine", "loss", patience, "error")) * np.array(
    [curve(complete["cosine", s], "test", "error")[-1] for s in seeds]
)
short_error = {
    length: np.array([curve(runs[length, s], "test", "error")[-1] for s in seeds])
    for length in ("t", "2t")
}
against = {le: stats.log_differences(values, kept_error) for le, values in short_error.items()}
used = steps * (1 - over_seeds("cosine", "loss", patience, "saved"))
display.say(
    f"Stopped by the validation loss, the cosine of {steps:,} updates took {used.mean():,.0f} of "
    f"them (from {used.min():,.0f} to {used.max():,.0f}) and left a test error of "
    f"{100 * kept_error.mean():.1f} %. "
    + " ".join(
        f"Planned for {runs[le, seeds[0]].steps:,} updates it ends at "
        f"{100 * short_error[le].mean():.1f} %, a log ratio of {stats.mean_interval(against[le])}."
        for le in against
    )
)

# %% [markdown]
# ### A real stop
#
# The rule as `stop` in training, against its replay on the complete curve.

# %%
equal = []
for (name, seed), run in stopped.items():
    whole = complete[name, seed]
    end, _ = replay(whole, "loss", patience)
    equal.append(
        run.evals["step"][-1] == whole.evals["step"][end]
        and all(np.array_equal(run.evals[m], whole.evals[m][: end + 1]) for m in run.evals)
    )
display.say(f"{sum(equal)} of {len(equal)} runs that were really stopped equal their replay.")

# %% tags=["nbval-ignore-output"]
ended = sum(run.status == "stopped" for run in stopped.values())
display.say(
    f"{ended} of {len(stopped)} ended before the last update; together they did "
    f"{100 * sum(r.steps for r in stopped.values()) / (steps * len(stopped)):.0f} % of the updates."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
def cost(run):
    """Log ratio of the test error that patience keeps to that of the end."""
    error, (_, kept) = curve(run, "test", "error"), replay(run, "loss", patience)
    return float(np.log(error[kept] / error[-1]))


claims.power(
    complete.of("cosine", pilots).array(cost),
    "log ratio of test errors, stopped to complete (cosine),",
    beyond=claims.smallest_effect("test error"),
    used=n_seeds,
    tested=TESTED,
)


# %%
def about(schedule, metric="test error", **more):
    task = f"perceptron on {n_train:,} MNIST-1D signals"
    patient = f"{steps:,} updates, patience of {patience * every}"
    setting = Setting(task, f"SGD with momentum, {schedule}", patient)
    return About(setting, metric=metric, **more)


theirs = {"like": "analogue", "lost": "the notes name no task, no schedule and no patience"}
made = [
    Claim.exact(
        "replay-is-real",
        "A training that is really stopped equals the complete one up to there.",
        holds=all(equal),
        detail="The update of the end and all evaluations, bit for bit.",
    ),
    *(
        Claim.effect(
            f"accuracy-falls-{name}",
            "The validation accuracy falls: the model that patience on it keeps has a lower test "
            "error than the last one",
            values=over_seeds(name, "error", patience, "error"),
            direction="less",
            unit="log ratio of test errors",
            source="mtdickens2024",
            about=about(name, family="does the accuracy fall?", **theirs),
        )
        for name in ("constant", "cosine")
    ),
    Claim.effect(
        "loss-parts-cosine",
        "The loss rises: the model that patience on the validation loss keeps has a lower test "
        "loss than the last one",
        values=over_seeds("cosine", "loss", patience, "loss"),
        direction="less",
        unit="log ratio of test losses",
        source="mtdickens2024",
        about=about("cosine", "test loss", **theirs),
    ),
    Claim.effect(
        "early-costs-cosine",
        "The model that patience on the validation loss keeps has a higher test error than the "
        "last one",
        values=over_seeds("cosine", "loss", patience, "error"),
        direction="greater",
        unit="log ratio of test errors",
        about=about("cosine"),
    ),
    Claim.effect(
        "cosine-suffers-more",
        "Stopping by patience on the validation loss raises the test error more under a cosine "
        "than under a constant rate",
        values=over_seeds("cosine", "loss", patience, "error")
        - over_seeds("constant", "loss", patience, "error"),
        direction="greater",
        unit="log ratio of test errors",
        about=about("cosine and constant"),
    ),
    Claim.effect(
        "planned-shorter",
        "A cosine planned for a quarter of the updates ends at a lower test error than one that "
        "patience on the validation loss stops, both at the rates tuned for their lengths",
        values=against["t"],
        direction="less",
        unit="log ratio of test errors",
        about=about("cosine"),
    ),
    Claim.descriptive(
        "loss-parts-constant",
        "Test loss of the model that patience on the validation loss keeps, against the last one",
        values=over_seeds("constant", "loss", patience, "loss"),
        unit="log ratio of test losses",
        about=about("constant", "test loss", like="analogue"),
        source="mtdickens2024",
    ),
    *(
        Claim.descriptive(
            f"early-costs-{tuned.slug(name)}",
            "Test error of the model that patience on the validation loss keeps, against the last",
            values=over_seeds(name, "loss", patience, "error"),
            unit="log ratio of test errors",
            about=about(name, family="what stopping costs"),
        )
        for name in names
        if name != "cosine"
    ),
    Claim.descriptive(
        "saved",
        "Updates that patience on the validation loss saves, mean of all schedules",
        values=np.mean([over_seeds(n, "loss", patience, "saved") for n in names], axis=0),
        unit="share of the updates",
        about=about("six schedules"),
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
judged = phrases.judged(made)
costs, shorter, loss = (
    judged[slug] for slug in ("early-costs-cosine", "planned-shorter", "loss-parts-cosine")
)
advice = "these runs do not say that stopping by the validation loss pays"
if loss.high is not None and loss.high < 0:
    advice = "stop by the validation loss if it is the loss that counts"
if costs.low is not None and costs.low > 0:
    advice = "watch the metric you report, not the loss: the loss stops too early for accuracy"
if shorter.high is not None and shorter.high < 0:
    advice += ", and to save updates plan a shorter decay instead of stopping a long one"
saved = judged["saved"]
display.answer(
    f"Stopping by the validation loss (MNIST-1D, momentum, patience {patience * every} updates) "
    f"saves {100 * saved.estimate:.0f} % [{100 * saved.low:.0f}, {100 * saved.high:.0f}] of "
    f"{steps:,} updates, mean of "
    f"{len(names)} schedules. Compared with the end of a cosine, the "
    f"test loss is then {phrases.change(loss)} and the test error {phrases.change(costs)}; "
    f"compared with that, the error of a cosine planned for a quarter of the updates is "
    f"{phrases.change(shorter)}. "
    f"What this means for you: {advice}.",
    claims=["early-costs-cosine", "loss-parts-cosine", "planned-shorter", "saved"],
)
