# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Stopping early
#     question: What does stopping by patience save and cost, and does it make sense under a cosine?
#     tags: [sources, mnist1d, momentum, cosine, early stopping]
#     smoke: {steps: 100, every: 10, n_seeds: 2, pilot_seeds: 2, n_train: 400, patience: 2,
#       patiences: [1, 2, 4]}
# ---

# %% [markdown]
# # Stopping early: what does it save and cost, under each schedule?
#
# ## Question
#
# "While training, keep looking at two plots", the loss and the accuracy on training and validation
# data; "so we can stop in time when the validation accuracy falls" {cite}`mtdickens2024`. The usual
# rule waits for a number of evaluations without improvement, its patience, and keeps the best model
# {cite}`prechelt1998early`.
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
# trained for a half and a quarter of the updates, at the tuned rates of those lengths.

# %% tags=["parameters"]
steps: int = 1600  # [updates, 4..] length of the complete training, 4T of the tuning entry
every: int = 20  # [updates, 1..steps] between two looks
patience: int = 10  # [looks, 1..] without improvement that the claims and the real stops wait for
patiences: list[int] = [1, 2, 3, 5, 10, 20, 40]  # [looks, 1.. of 1.. rising] of the replays
n_seeds: int = 10  # [2..500] paired seeds
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_train: int = 3500  # [1..3500] training signals
batch_size: int = 100  # [signals, 1..n_train] in a batch
delta: float = 0.02  # [0<..] smallest difference of logs that would matter
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
from lrlab.labbook import tuned
from lrlab.optimizers import SGD
from lrlab.plots.panels import panels
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
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)
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
plan |= {("complete", name, s): job(name, s) for name in ("constant", "cosine") for s in pilots}
plan |= {("stopped", name, s): job(name, s, rule) for name in names for s in seeds[:5]}
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
    f"{len(runs)} runs: {len(names)} schedules, {n_seeds} paired seeds, of which {len(seeds[:5])} "
    f"also with a real stop, {2 * n_seeds} shorter cosines, and {2 * pilot_seeds} runs of the "
    f"pilot; {steps // every} looks in a complete training."
)

# %%
rates = {n: lineup(steps)[n].scale(found.rate(f"{n} sgd 4t"))(np.arange(steps)) for n in names}
bests = {
    (name, metric): [replay(complete[name, s], metric, steps)[1] for s in seeds]
    for name in names
    for metric in ("loss", "error")
}


def draw(metric, label, log):
    """Curves on training and validation part, one panel for each schedule, and the best look."""
    fig, axes = panels(rates, epoch_steps=every, label=label, columns=3, row_height=2.4, log=log)
    for name, ax in axes.items():
        at = complete[name, 0].evals["step"] / every
        curves = {}
        for part in ("train", "validation"):
            each = complete.of(name, seeds).array(lambda run: curve(run, part, metric))  # noqa: B023
            curves["training" if part == "train" else part] = (
                stats.band(np.maximum(each, 1e-6), scale="log") if log else stats.band(100 * each)
            )
        plots.bands(ax, at, curves)
        plots.guide(ax, x=np.median(bests[name, metric]))
    for ax in fig.axes:
        if ax.get_xlabel() == "epoch":
            ax.set_xlabel(f"look (every {every} updates)")
    axes["constant"].legend(
        fontsize=8, framealpha=1, edgecolor="none", loc="lower left" if log else "upper right"
    )
    return fig, axes["constant"]


# %% tags=["nbval-ignore-output"]
fig, ax = draw("loss", "loss [nats]", log=True)
ax.set_ylim(1e-4, 8)
display.show(
    fig,
    alt="Training and validation loss against the look, one panel for each schedule above its "
    "rate. The training loss falls on, the validation loss turns and rises.",
    caption="Loss on training and validation part, geometric mean and 95 % t interval over "
    f"{n_seeds} seeds. Dotted: median look of the lowest validation loss. Below: the rate.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = draw("error", "error [%]", log=False)
ax.set_ylim(0, 95)
display.show(
    fig,
    alt="Training and validation error against the look, one panel for each schedule above its "
    "rate. The training error falls to near zero, the validation error levels off.",
    caption="Share of wrong answers on training and validation part, mean and 95 % t interval over "
    f"{n_seeds} seeds. Dotted: median look of the lowest validation error. Below: the rate.",
)

# %% tags=["nbval-ignore-output"]
part = {key: np.median(values) * every for key, values in bests.items()}
display.say(
    "Median update of the lowest validation loss, and of the lowest validation error: "
    + "; ".join(f"{n} {part[n, 'loss']:,.0f} and {part[n, 'error']:,.0f}" for n in names)
    + f". A complete training has {steps:,}."
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
            [100 * over_seeds(name, metric, w, key).mean() for w in waits]
            for key in ("saved", "error")
        )
        ax.plot(x, y, marker="o", markersize=3.5, label=name, **style)
    plots.guide(ax, y=0)
    ax.set(xlabel="updates saved [%]", title=f"watching the validation {metric}")
axes[0].set_ylabel("test error against the end [100 × log]")
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
        cost = stats.mean_interval(100 * over_seeds(name, metric, patience, "error"))
        last = [100 * curve(complete[name, s], "test", "error")[-1] for s in seeds]
        rows.append(
            {
                "schedule": name,
                "watching": metric,
                "saved [%]": 100 * over_seeds(name, metric, patience, "saved").mean(),
                "test error at the end [%]": np.mean(last),
                "cost in test error [100 log]": f"{cost}",
                "change of test loss [100 log]": 100
                * over_seeds(name, metric, patience, "loss").mean(),
                "above the oracle [100 log]": 100
                * over_seeds(name, metric, patience, "oracle").mean(),
            }
        )
display.table(
    rows,
    caption=f"Stopping with a patience of {patience} looks, means over {n_seeds} seeds (cost with "
    "95 % t interval). The oracle keeps the look with the lowest test error of the whole curve, "
    "which nobody can know.",
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
        f"Planned for {runs[le, 0].steps:,} updates it ends at "
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


for name in ("constant", "cosine"):
    pilot = complete.of(name, pilots).array(cost)
    claims.power(
        pilot,
        f"log ratio of test errors, stopped to complete ({name}),",
        beyond=delta,
        effect=max(pilot.mean(), 2 * delta),
        used=n_seeds,
    )

# %%
claims.conclude(
    [
        Claim.exact(
            "replay-is-real",
            "A training that is really stopped equals the complete one up to there.",
            holds=all(equal),
            detail="The update of the end and all evaluations, bit for bit.",
        )
    ]
    + [
        Claim.effect(
            f"loss-parts-{tuned.slug(name)}",
            "Stopped by patience on the validation loss, the "
            f"test loss is lower than at the end: {name}.",
            values=over_seeds(name, "loss", patience, "loss"),
            direction="less",
            delta=delta,
            unit="log ratio of test losses",
            source="mtdickens2024",
        )
        for name in ("constant", "cosine")
    ]
    + [
        Claim.effect(
            f"accuracy-falls-{tuned.slug(name)}",
            "The accuracy falls in a long training: the "
            f"model kept by patience has a lower test error than the last one: {name}.",
            values=over_seeds(name, "error", patience, "error"),
            direction="less",
            delta=delta,
            unit="log ratio of test errors",
            source="mtdickens2024",
        )
        for name in ("constant", "cosine")
    ]
    + [
        Claim.effect(
            f"early-costs-{tuned.slug(name)}",
            "Stopped by patience on the validation loss, the "
            f"test error is higher than at the end: {name}.",
            values=over_seeds(name, "loss", patience, "error"),
            direction="greater",
            delta=delta,
            unit="log ratio of test errors",
        )
        for name in names
    ]
    + [
        Claim.effect(
            "cosine-suffers-more",
            "Stopping early costs more test error under a cosine than under a constant rate.",
            values=over_seeds("cosine", "loss", patience, "error")
            - over_seeds("constant", "loss", patience, "error"),
            direction="greater",
            delta=delta,
            unit="log ratio of test errors",
        ),
        Claim.effect(
            "planned-shorter",
            "A cosine planned for a quarter of the updates ends with a lower "
            "test error than one that patience on the validation loss stops.",
            values=against["t"],
            direction="less",
            delta=delta,
            unit="log ratio of test errors",
        ),
        Claim.descriptive(
            "saved",
            "Updates that patience on the validation loss saves, all schedules.",
            values=np.mean([over_seeds(n, "loss", patience, "saved") for n in names], axis=0),
            unit="share of the updates",
        ),
    ]
)
