# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Cosine restarts
#     short_title: What cosine restarts do
#     question: What does each annealing cycle do, and are growing cycles better than fixed ones?
#     tags: [adam, diffusion, digits, cosine, restarts]
#     smoke: {n_train: 100, epochs: 30, per_cycle: 2, count: 20, n_seeds: 2, pilot_seeds: 2}
#     foretold:
#       - says: The training loss rises by 5 to 15 % after a restart.
#         claims: not judged
#       - {says: It is lower at the end of each cycle than before it., claims: not judged}
#       - says: "The validation loss rises with it, by as much: it is affected."
#         claims: {validation-fixed-cycles: not seen here}
#       - says: Fixed and growing cycles end within 2 %, growing ones lower.
#         claims: not judged
#       - says: One cosine ends lower than both.
#         claims: {better-than-one: not seen here}
#       - says: The magnitudes grow with each cycle, by less each time.
#         claims: {magnitudes-fixed-cycles: seen here}
# ---

# %% [markdown]
# # Cosine restarts: what does each annealing cycle do?
#
# ## Question
#
# After *Schedules on a diffusion model* the source tried several cosine cycles
# {cite}`diffusion2025,loshchilov2017sgdr`, of fixed width and growing, and read off: "each
# annealing cycle causes a small and quickly resolved increase in the training loss. None of the
# other metrics seem affected"; "neither annealing schedule seems to significantly outperform the
# other"; "each annealing cycle leads to an increase in the magnitudes of the weights".
#
# 1. By how much does the training loss rise after a restart, and how soon is that made good?
# 2. Does the validation loss, or the accuracy of generated digits, rise or fall with it?
# 3. Do fixed and growing cycles end at the same loss? (A missing difference does not say so; a test
#    of equivalence does.) And how do they compare with one single cosine?
# 4. Do the weights' magnitudes grow with each cycle?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, Adam, batches of 64; four cycles, equal ones or each
# twice as long as the one before, and one cosine over the same length, all from one peak learning
# rate: the best one for the single cosine (read from the entry *Tuning the diffusion model*).
#
# "Small" and "quickly" have no number in the source. Here a rise is small between δ, 2 %, and 10 %,
# and it is quickly made good within half of the cycle, which is generous. The claims are tested on
# the fixed cycles; the growing ones are measured beside them.

# %% tags=["parameters"]
epochs: int = 120  # [epochs, 1..] length of training, all cycles together
n_seeds: int = 10  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block; pilot seeds begin 20,000 after it
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
per_cycle: int = 8  # [1..] evaluations in the shortest cycle
count: int = 200  # [10..] generated digits for one accuracy
small: float = 0.1  # [0.03..] relative rise of the loss up to which it is small
quick: float = 0.5  # [0<..<1] share of a cycle within which a rise is quickly made good
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.generation import GeneratedDigits
from lrlab.experiments.restarts import rises, shift, values_at
from lrlab.labbook import tuned
from lrlab.labbook.phrases import percent
from lrlab.optimizers import Adam
from lrlab.schedules.presets import lineup, restarts
from lrlab.training.probes import WeightQuantiles

plots.use_style()

task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
if steps % 60:
    raise ValueError(f"the cycles must fill {steps} updates exactly: choose other epochs")
peak = tuned.read("tune_diffusion", tuning_entry or None).rate("cosine long")
shapes = {"one cosine": lineup(steps)["cosine"]} | restarts(steps)
schedules = {name: shape.scale(peak) for name, shape in shapes.items()}
ends = {
    "fixed cycles": [steps * k // 4 for k in (1, 2, 3, 4)],
    "growing cycles": [steps * k // 15 for k in (1, 3, 7, 15)],
}
every = max(1, steps // 15 // per_cycle)
LEVELS = (0.5, 0.9, 0.99, 0.999)
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
weights = WeightQuantiles(every=every, levels=LEVELS)
digits = GeneratedDigits(every=2 * every, count=count)


def job(name, seed):
    return Job(
        task,
        Recipe(
            schedule=schedules[name],
            steps=steps,
            batch_size=batch_size,
            optimizer=Adam(),
            seed=seed,
            eval_every=every,
        ),
        (weights, digits) if seed in seeds else (),
    )


plan = {(name, s): job(name, s) for name in schedules for s in seeds}
plan |= {(name, s): job(name, s) for name in ends for s in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The training loss rises by 5 to 15 % after a restart and is lower at the
# end of each cycle than before it. The validation loss rises with it, by as much: it is affected.
# Fixed and growing cycles end within 2 %, growing ones lower, since their last cycle is longer; one
# cosine ends lower than both. The magnitudes grow with each cycle, by less each time.
#
# Since then the smallest difference of final losses that counts is 1 %, not 2 %.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
members = runs.of(..., seeds).groups()
display.say(
    f"{len(runs)} runs of {steps} updates: {len(schedules)} schedules, {n_seeds} paired seeds and "
    f"{pilot_seeds} for the pilot; an evaluation every {every} updates."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(
    2, 2, height=4.2, sharex=True, sharey="row", gridspec_kw={"height_ratios": [4, 1]}
)
at = runs["one cosine", seeds[0]].evals["step"] / epoch
for part, upper, lower in zip(("train", "validation"), *axes, strict=True):
    curves = {
        name: stats.band(group.curves(f"{part}_loss")[:, 1:]) for name, group in members.items()
    }
    plots.bands(upper, at[1:], curves)
    for style, schedule in plots.styled(schedules.values()):
        lower.plot(np.arange(steps) / epoch, schedule(np.arange(steps)), **style)
    lowest = min(float(np.min(low)) for low, _, _ in curves.values())
    upper.set(title=f"{part.replace('train', 'training')} loss", yscale="log")
    upper.set_ylim(0.95 * lowest, 3 * lowest)
    lower.set(xlabel="epoch", ylim=(0, 1.1 * peak))
axes[0, 0].legend(loc="upper right")
axes[1, 0].set_ylabel("learning rate")
display.show(
    fig,
    alt="Training loss, left, and validation loss, right, against epoch for one cosine, fixed and "
    "growing cycles, with their learning rates below.",
    caption=f"Loss against epoch, mean and 95 % t interval over {n_seeds} seeds; the first epochs "
    f"are cut off above; {runs.note()}.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
fig, (left, right) = plots.figure(1, 2, height=3)
for ax, probe, measure in (
    (left, "WeightQuantiles", lambda probe: probe["magnitude"][:, 2]),
    (right, "GeneratedDigits", lambda probe: probe["accuracy"]),
):
    seen = {
        name: stats.band(group.curves(lambda run: measure(run.probes[probe])))  # noqa: B023
        for name, group in members.items()
    }
    plots.bands(ax, runs["one cosine", seeds[0]].probes[probe]["step"] / epoch, seen)
left.set(xlabel="epoch", ylabel="0.99 quantile of |w|")
right.set(xlabel="epoch", ylabel="recognised digits")
left.legend()
display.show(
    fig,
    alt="Left: the 0.99 quantile of the weights' magnitudes against epoch, one line for each "
    "schedule. Right: the share of generated digits that are recognised.",
    caption=f"Magnitudes of the weights, and accuracy of {count} generated digits, mean and 95 % t "
    f"interval over {n_seeds} seeds.",
)

# %% [markdown]
# ### Cycle by cycle
#
# The *rise* after a restart is the highest training loss in the first half of the new cycle over
# the loss at the end of the one before. It is *made good* when the loss is below that value for
# good; where the cycle ends before, that is its whole length. The highest of several noisy values
# lies above their level even if nothing happens, so the *shift* of the validation loss and of the
# accuracy is that of their mean over the first half of the new cycle.


# %% tags=["nbval-ignore-output"]
each = {
    name: members[name].array(lambda r: rises(r.evals["step"], r.evals["train_loss"], bounds))  # noqa: B023
    for name, bounds in ends.items()
}  # shape (seeds, restarts, 3)
display.table(
    [
        {
            "cycles": name,
            "restart": k + 1,
            "rise of the training loss [%]": stats.mean_interval(100 * np.expm1(values[:, k, 0])),
            "made good after [% of the cycle]": stats.mean_interval(100 * values[:, k, 1]),
            "change over the cycle [%]": stats.mean_interval(100 * np.expm1(values[:, k, 2])),
        }
        for name, values in each.items()
        for k in range(values.shape[1])
    ],
    caption=f"Training loss, restart by restart: means and 95 % t intervals, n = {n_seeds}.",
)

# %% tags=["nbval-ignore-output"]
final = runs.of(..., seeds).arrays("test_loss")
display.table(
    [
        {
            "schedule": name,
            "test loss [95 %]": stats.geometric_interval(values),
            "recognised digits [%]": 100
            * members[name].array(lambda run: run.probes["GeneratedDigits"]["accuracy"][-1]).mean(),
        }
        for name, values in final.items()
    ],
    digits=4,
    caption=f"At the end of training, {n_seeds} seeds; {runs.note()}.",
)
lowest = min(final, key=lambda name: np.log(final[name]).mean())
display.say(f"The lowest mean test loss has: {lowest}.")

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
TESTED = 7
pilot = runs.of(list(ends), pilots).arrays("test_loss")
what = "log ratio of test losses, fixed to growing cycles,"
delta = claims.smallest_effect("test loss")
claims.power(
    stats.log_differences(*pilot.values()), what, within=delta, used=n_seeds, tested=TESTED
)


# %%
def about(metric, family="", lost="", reason=""):
    task = f"Denoiser of 8×8 digits ({n_train:,} images)"
    setting = Setting(task, "Adam, four cosine cycles", f"{steps:,} updates")
    return About(setting, metric, "seeds", family, "analogue", lost, reason)


def of_runs(name, measure):
    return members[name].array(lambda run: measure(run, ends[name]))


def validation_shift(run, bounds):
    return shift(run.evals["step"], np.log(run.evals["validation_loss"]), bounds)


def accuracy_shift(run, bounds):
    probe = run.probes["GeneratedDigits"]
    return shift(probe["step"], probe["accuracy"], bounds)


def smallest_growth(run, bounds):
    """The smallest log growth of the 0.99 quantile of |w| over a cycle."""
    probe = run.probes["WeightQuantiles"]
    return np.diff(np.log(values_at(probe["step"], probe["magnitude"], bounds)[:, 2])).min()


fixed, growing = (
    {
        "rise": each[name][..., 0].mean(axis=1),
        "resolved": each[name][..., 1].mean(axis=1),
        "validation": of_runs(name, validation_shift),
        "accuracy": of_runs(name, accuracy_shift),
        "magnitudes": of_runs(name, smallest_growth),
    }
    for name in ends
)
low = np.log1p(claims.smallest_effect("train loss"))
middle, half_width = (np.log1p(small) + low) / 2, (np.log1p(small) - low) / 2
validation = runs.of(list(ends), seeds).array("validation_loss").argmin(axis=0)
better = np.array([final[name] for name in ends])[validation, np.arange(n_seeds)]
one = stats.log_differences(better, final["one cosine"])
bounded = f"a small rise is one between {100 * np.expm1(low):.0f} % and {100 * small:g} %"
MEASURED = {
    "rise": (
        "Highest rise of the training loss after a restart",
        "log ratio of training losses",
        about("", "rise", "how small small is", bounded),
    ),
    "resolved": (
        "Share of the cycle until the rise of the training loss is made good",
        "share of the cycle",
        about("", "resolved", "how quickly", "half of a cycle is generous as it is"),
    ),
    "validation": (
        "Shift of the validation loss after a restart",
        "log ratio of validation losses",
        about("test loss", "other metrics"),
    ),
    "accuracy": (
        "Shift of the accuracy after a restart",
        "in accuracy",
        about("accuracy", "other metrics"),
    ),
    "magnitudes": (
        "Smallest growth of the 0.99 quantile of |w| over a cycle",
        "log ratio of 0.99 quantiles of |w|",
        about("weights", "magnitudes"),
    ),
    "end": ("", "log ratio of test losses", about("test loss", "end of the training")),
}


def lost(*names):
    return sum(any(runs[name, s].diverged for name in names) for s in seeds)


def common(kind, less=0.0):
    _, unit, where = MEASURED[kind]
    return {"unit": unit + (f", less {less:.3g}" if less else ""), "about": where}


claims.conclude(
    [
        Claim.equivalence(
            "rise-fixed-cycles",
            "A restart causes a small increase of the training loss",
            values=fixed["rise"] - middle,
            margin=half_width,
            **common("rise", middle),
        ),
        Claim.effect(
            "resolved-fixed-cycles",
            "The rise of the training loss is made good quickly, within "
            f"{100 * quick:g} % of the cycle",
            values=fixed["resolved"] - quick,
            direction="less",
            delta=0.0,
            **common("resolved", quick),
        ),
        *(
            Claim.equivalence(
                f"{kind}-fixed-cycles",
                f"A restart does not affect {what}",
                values=fixed[kind],
                **common(kind),
            )
            for kind, what in (
                ("validation", "the validation loss"),
                ("accuracy", "the accuracy of generated digits"),
            )
        ),
        Claim.effect(
            "magnitudes-fixed-cycles",
            "Each cycle increases the magnitudes of the weights",
            values=fixed["magnitudes"],
            direction="greater",
            **common("magnitudes"),
        ),
        Claim.equivalence(
            "fixed-or-growing",
            "Fixed and growing cycles from the same peak rate end at the same test loss",
            values=stats.log_differences(final["fixed cycles"], final["growing cycles"]),
            diverged=lost(*ends),
            **common("end"),
        ),
        Claim.effect(
            "better-than-one",
            "The kind of cycles that has the lower validation loss ends at a lower test loss than "
            "one cosine of that length and peak rate",
            values=one,
            direction="less",
            diverged=lost(*schedules),
            **common("end"),
        ),
        *(
            Claim.descriptive(
                f"{kind}-growing-cycles",
                f"{MEASURED[kind][0]}, growing cycles",
                values=values,
                **common(kind),
            )
            for kind, values in growing.items()
        ),
    ],
    source="diffusion2025",
)

# %% tags=["nbval-ignore-output"]
level, same = claims.level(TESTED), claims.level(TESTED, "equivalence")
found = stats.mean_interval(one, level)
display.answer(
    "In a small denoiser with Adam a restart of the cosine changes the training loss by "
    f"{percent(fixed['rise'], same)} (four "
    f"equal cycles), and it takes {100 * fixed['resolved'].mean():.0f} % of the cycle until the "
    f"loss is back; the validation loss shifts by {percent(fixed['validation'], same)}. The test "
    "loss "
    "of the better kind of restarts differs from that of one cosine of the same length by "
    f"{percent(one, level)}. What this means for you: "
    + (
        "restarts are worth trying."
        if found.high < -delta
        else "run one cosine over the whole length, restarts don't lower the loss by "
        f"{100 * delta:.0f} %."
        if found.low > -delta
        else "whether restarts help stays open here, and one cosine is simpler."
    ),
    claims=["rise-fixed-cycles", "resolved-fixed-cycles", "better-than-one"],
)
