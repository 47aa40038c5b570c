# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Restarts and weight decay
#     short_title: Restarts and weight decay
#     question: Are growing weights under cosine restarts an argument for AdamW?
#     tags: [adam, adamw, diffusion, digits, restarts, weight decay]
#     smoke: {n_train: 100, epochs: 30, n_seeds: 2, pilot_seeds: 2, decoupled: [0.1], l2: [1.0e-3]}
#     foretold:
#       - says: A decoupled decay of 0.1 hardly changes the weights and the loss.
#         claims: {smaller-adamw-0-1: not seen here, loss-adamw-0-1: not seen here}
#       - says: 1.0 keeps the weights smaller by a third and costs loss.
#         claims: {smaller-adamw-1: seen here, loss-adamw-1: not seen here}
#       - {says: An L2 penalty shrinks the median weight most., claims: not judged}
# ---

# %% [markdown]
# # Are growing weights an argument for AdamW?
#
# ## Question
#
# "Each annealing cycle leads to an increase in the magnitudes of the weights. This might be an
# argument for using Adamw" {cite}`diffusion2025`. *Cosine restarts* looks at the first sentence;
# this entry tests the second. AdamW {cite}`loshchilov2019decoupled` shrinks all weights by a share
# of the rate; Adam with an L2 penalty adds it to the gradient, where the adaptive step rescales it.
#
# 1. How strong a decay keeps the weights from growing from cycle to cycle?
# 2. Does that lower the loss, or raise it?
# 3. Does the decoupled decay differ from the L2 penalty?
#
# ## Setup
#
# The denoiser of 52,928 weights on 8×8 digits, batches of 64, four equal cosine cycles from one
# peak learning rate, the tuned one of Adam under a single cosine (read from the entry *Tuning the
# diffusion model*). AdamW is tested at three strengths, the smallest being PyTorch's default; the
# L2 penalty is measured beside it.

# %% tags=["parameters"]
decoupled: list[float] = [0.01, 0.1, 1.0]  # [1.. of 0<..] weight decay of AdamW, times the rate
l2: list[float] = [1e-4, 1e-3]  # [1.. of 0<..] L2 penalty of Adam, added to the gradient
epochs: int = 120  # [epochs, 1..] length of training, all cycles together
n_seeds: int = 8  # [2..500] paired seeds
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 50_000  # [0..] first seed of the block; pilot seeds begin 20,000 after it
n_train: int = 1400  # [1..1400] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
tuning_entry: str = ""  # [any] entry with the tuned rates; empty: the newest that counts

# %% tags=["setup"]
import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments.restarts import values_at
from lrlab.labbook import tuned
from lrlab.labbook.phrases import percent
from lrlab.optimizers import Adam, AdamW
from lrlab.schedules.presets import restarts
from lrlab.training.probes import WeightQuantiles

plots.use_style()

task = tasks.get("digits_diffusion", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
peak = tuned.read("tune_diffusion", tuning_entry or None).rate("cosine long")
schedule = restarts(steps)["fixed cycles"].scale(peak)
NONE = "Adam, none"
optimizers = {NONE: Adam()}
optimizers |= {f"AdamW, {value:g}": AdamW(value) for value in decoupled}
optimizers |= {f"Adam + L2, {value:g}": Adam(value) for value in l2}
every = steps // 60
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def job(name, seed):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=steps,
            batch_size=batch_size,
            optimizer=optimizers[name],
            seed=seed,
            eval_every=every,
        ),
        (WeightQuantiles(every=every, levels=(0.5, 0.9, 0.99)),),
    )


middle = f"AdamW, {sorted(decoupled)[len(decoupled) // 2]:g}"
plan = {(name, seed): job(name, seed) for name in optimizers for seed in seeds}
plan |= {(name, seed): job(name, seed) for name in (NONE, middle) for seed in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. At 120 epochs a decoupled decay of 0.1 hardly changes the weights and the
# loss; 1.0 keeps the weights smaller by a third and costs loss, since the model is not large enough
# to profit. An L2 penalty shrinks the median weight most: it is the small gradients that it rules.
#
# ## Result

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
members = runs.of(..., seeds).groups()
display.say(
    f"{len(runs)} runs of {steps} updates: {len(optimizers)} optimizers, {n_seeds} paired seeds, "
    f"and {2 * pilot_seeds} runs for the pilot."
)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(3, 2, height=6, sharex=True, gridspec_kw={"height_ratios": [4, 4, 1]})
groups = ([NONE, *(f"AdamW, {v:g}" for v in decoupled)], [NONE, *(f"Adam + L2, {v:g}" for v in l2)])
at = runs[NONE, seeds[0]].evals["step"] / epoch
for column, (group, title) in enumerate(
    zip(groups, ("decoupled decay", "L2 penalty"), strict=True)
):
    upper, size, lower = axes[:, column]
    losses = {name: members[name].curves("validation_loss")[:, 1:] for name in group}
    plots.bands(upper, at[1:], {name: stats.band(each) for name, each in losses.items()})
    sizes = {
        name: members[name].curves(lambda run: run.probes["WeightQuantiles"]["magnitude"][:, 2])
        for name in group
    }
    plots.bands(size, at, {name: stats.band(each) for name, each in sizes.items()})
    lower.fill_between(
        np.arange(steps) / epoch,
        schedule(np.arange(steps)),
        color="#8a8a8a",
        alpha=0.4,
        linewidth=0,
    )
    upper.set(title=title, yscale="log")
    lowest = min(float(each.min()) for each in losses.values())
    upper.set_ylim(0.95 * lowest, 3 * lowest)
    upper.legend(loc="upper right", fontsize=8.5)
    lower.set(xlabel="epoch", ylim=(0, 1.1 * peak))
    size.sharey(axes[1, 0])
    upper.sharey(axes[0, 0])
axes[0, 0].set_ylabel("validation loss")
axes[1, 0].set_ylabel("0.99 quantile of |w|")
axes[2, 0].set_ylabel("rate")
display.show(
    fig,
    alt="Validation loss and the 0.99 quantile of the weights against epoch for several strengths "
    "of decoupled decay, left, and of an L2 penalty, right, with the rate below.",
    caption=f"Mean and 95 % t interval over {n_seeds} seeds; four cosine cycles, the first epochs "
    f"cut off above; {runs.note()}.",
    headline=True,
)


# %% tags=["nbval-ignore-output"]
def magnitude(run, level=2):
    return run.probes["WeightQuantiles"]["magnitude"][-1, level]


def growth(run):
    """Log growth of the 0.99 quantile of |w| from the first cycle's end to the last one's."""
    probe = run.probes["WeightQuantiles"]
    first, last = values_at(probe["step"], probe["magnitude"], [steps // 4, steps])[:, 2]
    return float(np.log(last / first))


weights = {
    name: np.log(group.array(magnitude) / members[NONE].array(magnitude))
    for name, group in members.items()
}
test = runs.of(..., seeds).arrays("test_loss")
ratio = {name: stats.log_differences(values, test[NONE]) for name, values in test.items()}
display.table(
    [
        {
            "optimizer": name,
            "test loss": np.exp(np.log(test[name]).mean()),
            "log ratio to none [95 %]": "" if name == NONE else stats.mean_interval(ratio[name]),
            "growth after the first cycle [%]": 100 * np.expm1(group.array(growth).mean()),
            "0.99 quantile": group.array(magnitude).mean(),
            "median |w|": group.array(lambda run: magnitude(run, 0)).mean(),
        }
        for name, group in members.items()
    ],
    caption=f"At the end of the fourth cycle, {n_seeds} seeds; {runs.note()}.",
)
growing = [name for name, group in members.items() if group.array(growth).mean() > 0]
display.say(
    "After the first cycle the large weights still grow, on average over seeds, with: "
    + ("; ".join(growing) or "none of them")
    + "."
)

# %% [markdown]
# ## Verdict

# %% tags=["nbval-ignore-output"]
TESTED = 2 * len(decoupled)
pilot = stats.log_differences(
    *(runs.of(name, pilots).array("test_loss") for name in (middle, NONE))
)
what = f"log ratio of test losses, {middle} to none,"
delta = claims.smallest_effect("test loss")
claims.power(pilot, what, beyond=delta, used=n_seeds, tested=TESTED)


# %%
def about(name, metric, family):
    task = f"Denoiser of 8×8 digits ({n_train:,} images)"
    kind, _, value = name.partition(", ")
    optimizer = f"{kind} (weight decay {value}), four cosine cycles"
    setting = Setting(task, optimizer, f"{steps:,} updates")
    return About(setting, metric, "seeds", family, "analogue")


SIZES, LOSS = "size of the weights", "test loss with a weight decay"
claims.conclude(
    [
        claim
        for name in (f"AdamW, {value:g}" for value in decoupled)
        for claim in (
            Claim.effect(
                f"smaller-{tuned.slug(name)}",
                "A decoupled weight decay keeps the large weights smaller than none does",
                values=weights[name],
                direction="less",
                unit="log ratio of 0.99 quantiles of |w|",
                about=about(name, "weights", SIZES),
            ),
            Claim.effect(
                f"loss-{tuned.slug(name)}",
                "From the same peak rate, a decoupled weight decay ends at a lower test loss than "
                "none",
                values=ratio[name],
                direction="less",
                diverged=sum(runs[name, s].diverged or runs[NONE, s].diverged for s in seeds),
                unit="log ratio of test losses",
                about=about(name, "test loss", LOSS),
            ),
        )
    ]
    + [
        Claim.descriptive(
            f"{slug}-{tuned.slug(name)}",
            f"{said} with an L2 penalty, over that without",
            values=values[name],
            unit=unit,
            source="",
            about=about(name, metric, family),
        )
        for name in (f"Adam + L2, {value:g}" for value in l2)
        for slug, said, values, unit, metric, family in (
            ("smaller", "Large weights", weights, "log ratio of 0.99 quantiles", "weights", SIZES),
            ("loss", "Test loss", ratio, "log ratio of test losses", "test loss", LOSS),
        )
    ],
    source="diffusion2025",
)

# %% tags=["nbval-ignore-output"]
level = claims.level(TESTED)
found = {value: stats.mean_interval(ratio[f"AdamW, {value:g}"], level) for value in decoupled}
better = [value for value, x in found.items() if x.high < -delta]
worse = [value for value, x in found.items() if x.low > delta]
strengths = "; ".join(
    f"{value:g}: {percent(weights[f'AdamW, {value:g}'], level)} and "
    f"{percent(ratio[f'AdamW, {value:g}'], level)}"
    for value in decoupled
)
display.answer(
    "What AdamW's weight decay changes in a small denoiser under four cosine cycles, in the size "
    "of the large weights "
    f"and in the test loss: {strengths}. What this means for you: "
    + (
        f"a decay of {better[0]:g} lowers the loss here, so AdamW is worth it"
        if better
        else "growing weights are no reason for AdamW, no strength lowers the loss by "
        f"{100 * delta:.0f} %"
        if all(x.low > -delta for x in found.values())
        else "whether AdamW helps stays open here"
    )
    + (f"; do not go as far as {worse[0]:g}." if worse else "."),
    claims=[
        f"{kind}-{tuned.slug(f'AdamW, {v:g}')}" for v in decoupled for kind in ("smaller", "loss")
    ],
)
