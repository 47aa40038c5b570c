# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Which of four schedules ends lowest, each at its own learning rate?
#     short_title: Four schedules, each tuned
#     question: Which of four schedules ends lowest, and between which rates can one train?
#     tags: [sgd, mnist, lenet, comparison]
#     smoke:
#       n_seeds: 2
#       tuning_seeds: 1
#       pilot_seeds: 2
#       peaks: [0.1, 0.4]
#       n_train: 320
#       epochs: 1
#       ramp_steps: 40
#     foretold:
#       - says: All four end within 10 % of each other.
#         claims: not judged
#       - says: One-cycle is slightly ahead.
#         claims: {one-cycle-helps: seen here}
#       - says: Step and exponential decay are the same within that margin.
#         claims: {step-is-exponential: seen here}
#       - says: The usable range spans more than two decades, far above the report's.
#         claims: not judged
# ---

# %% [markdown]
# # Which of four schedules ends lowest, each at its own learning rate?
#
# ## Question
#
# The report {cite}`azmimr2022` set out to compare step decay, one-cycle, exponential decay and no
# schedule. Each was run once, over another range of learning rates, so that they can't be compared.
# Here each schedule gets the same number of trials to find its peak rate, then all are compared on
# paired seeds and test data.
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. Step and exponential decay
# lose the same factor per epoch. A first search with seeds of its own finds a peak rate for each
# schedule; every seed of the comparison then trains at that rate, half and twice of it, and keeps
# the run with the lowest validation loss. So the luck of tuning is part of each interval.
#
# The *usable range* is read off a ramp, a run whose rate grows from update to update: its loss
# drops and rises again.
#
# - At the lower end the loss begins to fall: a constant rate that small makes a tenth of the drop
#   by the end of a run. By then it has travelled as far, rate times updates, as the ramp had when
#   it had made that tenth.
# - Above the upper end the smoothed loss has risen again, by three tenths of the drop.
#
# Usable is not good: at the lower end nine tenths of the drop are still to come. And that end
# belongs to the length: a run ten times as long can use a rate ten times as small.

# %% tags=["parameters"]
peaks: list[float] = [0.05, 0.1, 0.2, 0.4, 0.8]  # [2.. of 0<.. rising] peak rates to choose from
tuning_seeds: int = 2  # [1..1000] seeds of the first search, used for nothing else
n_seeds: int = 12  # [2..500] paired seeds for the comparison
pilot_seeds: int = 8  # [2..500] seeds of the pilot study, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block
epochs: int = 3  # [epochs, 1..] length of a run
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
gamma: float = 0.5  # [0<..<1] factor of the decays, per epoch
ramp_low: float = 1e-3  # [0<..<ramp_high] rate at which the ramp starts
ramp_high: float = 4.0  # [ramp_low<..] rate at which the ramp ends
ramp_steps: int = 300  # [updates, 2..] length of the ramp
alike: float = 0.1  # [0<..] log ratio of test losses that can't be told apart on the report's axes
reported_steps: int = 14_070  # [updates, 1..] length of the report's runs

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases, tuned
from lrlab.range_test import Trace, find_band, smooth

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
schedule_of = {
    "no schedule": schedules.Constant,
    "step decay": lambda lr: schedules.StepDecay(lr, gamma, every_steps=epoch, steps=steps),
    "exponential": lambda lr: schedules.Exponential(lr, gamma, every_steps=epoch, steps=steps),
    "one-cycle": lambda lr: schedules.OneCycle(lr, steps=steps),
}
seeds = range(first_seed, first_seed + n_seeds)
tuning = range(first_seed + 10_000, first_seed + 10_000 + tuning_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
PILOT = ("step decay", "no schedule")
TESTED = 3  # claims
ramp = schedules.Exponential(
    ramp_low, (ramp_high / ramp_low) ** (1 / (ramp_steps - 1)), steps=ramp_steps
)


def job(schedule, seed, length=steps):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=length,
            batch_size=batch_size,
            eval_every=epoch if length == steps else None,
            seed=seed,
        ),
    )


plan = {
    ("tune", name, lr, seed): job(make(lr), seed)
    for name, make in schedule_of.items()
    for lr in peaks
    for seed in tuning
}
plan |= {("ramp", seed): job(ramp, seed, ramp_steps) for seed in seeds}
tries = len(schedule_of) * n_seeds + len(PILOT) * pilot_seeds
later = {"the comparison around the tuned rates": len(tuned.AROUND) * tries}

# %% [markdown]
# ## Prediction
#
# Written before the runs, when 5 % was the smallest effect that counted for a decay (now 1 %) and
# each schedule had one rate for all seeds. At its own rate each schedule reaches nearly the same
# loss: all within 10 % of each other, with one-cycle slightly ahead because it ends at a tiny rate
# after a large one. Step and exponential decay are the same within that margin. The usable range
# spans more than two decades, far above the report's, 0.05 to 5e-4.
#
# ## Result

# %%
fig, ax = plots.figure(height=2.5)
plots.learning_rates(
    ax, {name: make(1.0)(np.arange(steps)) for name, make in schedule_of.items()}, staircase=True
)
ax.set_ylabel("rate / peak rate")
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
display.show(
    fig,
    alt="Rate relative to its peak against step: constant, a falling staircase, an exponential "
    "decay, and one-cycle, which rises first and falls to almost zero.",
    caption="The four schedules at a peak of 1.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
searched, ramps = runs.of("tune"), runs.of("ramp")

# %% [markdown]
# ### Tuning: the whole curve
#
# Validation loss against peak rate. Diverged runs are scored as random guessing.

# %% tags=["nbval-ignore-output"]
grid = searched.arrays("validation_loss")  # by schedule, shape (peaks, seeds)
centre = {name: np.exp(np.log(losses).mean(axis=1)) for name, losses in grid.items()}
chosen = {name: peaks[int(np.argmin(means))] for name, means in centre.items()}
fig, ax = plots.figure(height=2.9)
for style, name in plots.styled(schedule_of):
    ax.plot(peaks, centre[name], marker="o", label=name, **style)
    ax.plot(
        np.repeat(peaks, tuning_seeds), grid[name].ravel(), "_", alpha=0.5, color=style["color"]
    )
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="validation loss [nats]")
ax.legend()
display.show(
    fig,
    alt="Validation loss against peak rate, one line for each schedule; a dotted line marks "
    "guessing, ln 10.",
    caption=f"Geometric mean over {tuning_seeds} tuning seeds, single seeds as dashes. Budget: "
    f"{len(peaks) * tuning_seeds} runs for each schedule; {searched.note()}.",
)

# %% tags=["nbval-ignore-output"]
edge = [name for name, lr in chosen.items() if lr in (peaks[0], peaks[-1])]
display.say(
    "Lowest: "
    + ", ".join(f"{name} at {lr:g}" for name, lr in chosen.items())
    + ". "
    + (f"At an edge of the grid: {', '.join(edge)}." if edge else "None is at an edge of the grid.")
)
tries = train_many(
    {
        (name, around * chosen[name], s): job(schedule_of[name](around * chosen[name]), s)
        for name in schedule_of
        for around in tuned.AROUND
        for s in (*seeds, *(pilots if name in PILOT else ()))
    }
)
best = tuned.within_seeds(tries, "validation_loss")
compared = best.of(..., seeds)

# %%
by_schedule = compared.groups()
display.say(
    f"{len(tries)} runs of {steps} updates: {len(schedule_of)} schedules on {n_seeds} paired "
    f"seeds, {len(tuned.AROUND)} rates each, and {len(PILOT)} schedules on {pilot_seeds} seeds of "
    f"the pilot; {len(searched)} runs to tune, {len(ramps)} ramps."
)

# %% [markdown]
# ### The comparison

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, height=3.0)
at = compared["no schedule", first_seed].evals["step"] / epoch
curves = {
    name: stats.band(members.curves("test_loss"), scale="log")
    for name, members in by_schedule.items()
}
plots.bands(left, at, curves)
left.set(xlabel="epoch", ylabel="test loss [nats]", yscale="log")
left.legend()
final = compared.arrays("test_loss")
differences = {
    name: stats.log_differences(values, final["no schedule"])
    for name, values in final.items()
    if name != "no schedule"
}
level = claims.level(TESTED)
plots.intervals(right, stats.mean_intervals(differences, level), points=differences)
delta = claims.smallest_effect("test loss")
plots.shade(right, -delta, delta)
right.set(xlabel="log ratio of test losses to no schedule")
display.show(
    fig,
    alt="Left: test loss against epoch for the four schedules, each at the best of three rates. "
    "Right: paired differences of the log test loss to no schedule, with intervals.",
    caption=f"Left: geometric mean and 95 % t interval over {n_seeds} paired seeds, each at its "
    f"best of {len(tuned.AROUND)} rates. Right: mean paired difference with its "
    f"{100 * level:.1f} % interval, by which the claims are judged; left of zero the schedule ends "
    f"lower than none. Dashes are seeds; shaded: too small to matter; {compared.note()}.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
order = sorted(final, key=lambda name: np.log(final[name]).mean())
display.say(
    f"On average “{order[0]}” ends lowest and “{order[-1]}” highest, "
    f"{100 * np.expm1(stats.log_differences(final[order[-1]], final[order[0]]).mean()):.1f} % "
    "above it."
)
display.table(
    [
        {
            "schedule": name,
            "rate from the search": f"{chosen[name]:g}",
            "rates kept (by seeds)": ", ".join(
                f"{lr:.2g} by {count}"
                for lr, count in zip(
                    *np.unique(members.array(lambda run: run.lr.max()), return_counts=True),
                    strict=True,
                )
            ),
            "test loss [95 %]": stats.geometric_interval(final[name]),
            "test accuracy [95 %]": stats.mean_interval(members.array("test_accuracy")),
        }
        for name, members in by_schedule.items()
    ],
    caption=f"At the end, {n_seeds} paired seeds; {compared.note()}.",
)

# %% [markdown]
# ### The usable range

# %% tags=["nbval-ignore-output", "usable-range"]
bands = [find_band([Trace.of(run)], steps) for run in ramps.values()]
lows = np.array([band.low.lr for band in bands if band.low.lr])
highs = np.array([band.high.lr for band in bands if band.high.lr])
low, high = stats.geometric_interval(lows), stats.geometric_interval(highs)
fig, ax = plots.figure(height=3.2)
for i, run in ramps.items():
    lr, smooth_loss, _ = smooth(Trace.of(run))
    ax.plot(
        lr,
        smooth_loss,
        color=plots.COLOURS[5],
        alpha=0.6,
        linewidth=1,
        label="while the rate rises" if i == first_seed else None,
    )
for style, name in plots.styled(("no schedule", "one-cycle")):
    ax.plot(peaks, centre[name], marker="o", label=f"{name}, loss at the end", **style)
plots.shade(ax, low.estimate, high.estimate, "usable range", plots.COLOURS[2])
plots.chance_line(ax, task.chance_loss)
ax.set(xscale="log", xlabel="learning rate", ylabel="loss [nats]", ylim=(0, 4))
ax.legend(loc="upper left")
display.show(
    fig,
    alt="Loss against learning rate on a log axis: that of the batches during the ramp, and that "
    "of whole runs at their end; the usable range is shaded.",
    caption=f"Batch loss while the rate rises, {n_seeds} seeds, and validation loss at the end of "
    f"whole runs against their peak rate, {tuning_seeds} seeds. Shaded: the usable range; in "
    f"{steps} updates the loss begins to fall at {low.estimate:.2g} (95 % interval {low.low:.2g} "
    f"to {low.high:.2g}), and rises again above {high.estimate:.2g} ({high.low:.2g} to "
    f"{high.high:.2g}); seen in {len(lows)} and {len(highs)} of the seeds.",
)

# %% tags=["nbval-ignore-output"]
display.say(
    f"The lower end is a matter of length: the same distance in the {reported_steps:,} updates of "
    f"the report takes a rate of only {low.estimate * steps / reported_steps:.2g}, which is "
    f"{'below' if low.estimate * steps / reported_steps < 5e-4 else 'above'} its 5e-4."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
claims.power(
    stats.log_differences(*(best.of(name, pilots).array("test_loss") for name in PILOT)),
    "log ratio of test losses, step decay to no schedule,",
    beyond=delta,
    used=n_seeds,
    tested=TESTED,
)

# %%
setting = Setting(f"LeNet on {task.n_train:,} digits", "SGD", f"{steps} updates")
unit = "log ratio of test losses"


def about(family="", **more):
    return About(setting, metric="test loss", like="analogue", family=family, **more)


def diverged(*names):
    return sum(any(compared[name, s].diverged for name in names) for s in seeds)


made = [
    Claim.equivalence(
        "step-is-exponential",
        "Step decay and exponential decay end at the same test loss, each at its own rate.",
        values=stats.log_differences(final["step decay"], final["exponential"]),
        margin=alike,
        diverged=diverged("step decay", "exponential"),
        unit=unit,
        source="azmimr2022",
        about=about(reason="the report says that the curves look alike, on axes of 0 to 2.3"),
    ),
    *(
        Claim.effect(
            slug,
            f"{name.capitalize()} ends lower than no schedule, each at its own rate.",
            values=differences[name],
            direction="less",
            diverged=diverged(name, "no schedule"),
            unit=unit,
            source=source,
            about=about("against no schedule"),
        )
        for slug, name, source in (
            ("decay-helps", "step decay", "azmimr2022"),
            ("one-cycle-helps", "one-cycle", "smith2018superconvergence"),
        )
    ),
    Claim.descriptive(
        "exponential-against-none",
        "Exponential decay against no schedule, each at its own rate.",
        values=differences["exponential"],
        unit=unit,
        about=About(setting, metric="test loss", family="against no schedule"),
    ),
    *(
        Claim.descriptive(
            slug,
            f"{words} end of the usable range.",
            values=values,
            scale="log",
            unit="learning rate",
            about=About(setting, family="usable range"),
        )
        for slug, words, values in (
            ("band_low", "Where the loss begins to fall: lower", lows),
            ("band_high", "Where the loss has risen again: upper", highs),
        )
    ),
    Claim.descriptive(
        "band-low-in-the-report",
        f"Where the loss begins to fall in {reported_steps:,} updates, by the distance travelled: "
        "lower end of the usable range.",
        values=lows * steps / reported_steps,
        scale="log",
        unit="learning rate",
        source="azmimr2022",
        published="5e-4",
        about=About(
            setting,
            family="usable range",
            like="analogue",
            lost="its length: computed, not trained",
        ),
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
found = phrases.judged(made)
slugs = {"step decay": "decay-helps", "one-cycle": "one-cycle-helps"}
verdicts = {name: found[slug].verdict for name, slug in slugs.items()}
helping = [name for name, verdict in verdicts.items() if verdict == claims.rules.SEEN]
unhelpful = [name for name, verdict in verdicts.items() if verdict == claims.rules.NOT_SEEN]
undecided = [name for name in slugs if name not in helping + unhelpful]
display.answer(
    f"LeNet, SGD, {steps} updates, each schedule at the best of three rates: against no schedule "
    f"step decay's test loss is {phrases.change(found['decay-helps'])}, one-cycle's "
    f"{phrases.change(found['one-cycle-helps'])}, exponential decay's "
    f"{phrases.change(found['exponential-against-none'])}. The loss begins to fall at "
    f"{low.estimate:.2g} [{low.low:.2g}, {low.high:.2g}] and rises again above "
    f"{high.estimate:.2g} [{high.low:.2g}, {high.high:.2g}]; the lower end falls as runs get "
    "longer. What this means for you: find the rate first; "
    + (
        f"then a schedule is worth a try ({' and '.join(helping)} clearly lower here)."
        if helping
        else "in so short a run a schedule adds little."
        if not undecided
        else f"whether {' or '.join(undecided)} then lowers the loss stays open here"
        + (f", {' and '.join(unhelpful)} does not." if unhelpful else ".")
    ),
    claims=["decay-helps", "one-cycle-helps", "band_low", "band_high"],
)

# %% tags=["nbval-ignore-output"]
from lrlab.labbook import recorded

recorded.show(searched, about=f"LeNet on {task.n_train:,} digits, SGD")
