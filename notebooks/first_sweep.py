# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A first sweep of the learning rate
#     question: Why did one of 23 runs end far below all others, and why was none of them stopped?
#     tags: [sweep, transformer, names, adamw]
#     smoke:
#       updates: 20
#       eval_every: 1
#       warmup_updates: 2
#       trials: 6
#       curve_points: 4
#       n_seeds: 2
#       pilot_seeds: 2
#       sweeps: 50
#       n_eval: 50
# ---

# %% [markdown]
# # A first sweep of the learning rate
#
# ## Question
#
# An analysis of a sweep tells of 23 runs of a small language model, their peak rates drawn
# uniformly {cite}`juliusm2026`. One run, at a rate near the bottom of the range, ended far below
# all others; and Hyperband, meant to stop bad runs after 250 iterations, never stopped one.
#
# 1. Why did early termination sleep?
# 2. Is one lucky low draw what uniform sampling makes one expect?
# 3. What would drawing the logarithm uniformly have earned?
#
# ## Setup
#
# A decoder-only transformer of 27,712 weights on surnames, AdamW, gradients clipped at norm 1, a
# linear warmup to the peak rate and a cosine to a tenth of it, batches of 32; in the proportions of
# the source, at 600 in place of 1,000 updates. The loss is evaluated every 30 updates, 20 times a
# run. The sweep draws 23 peak rates uniformly, with W&B's rule at the source's setting: a
# `min_iter` of a quarter of the updates. A curve of the loss against the rate, over its own seeds,
# then tells what such draws are worth.

# %% tags=["parameters"]
updates: int = 600  # [4..] updates of a run
warmup_updates: int = 60  # [1..<updates] of them with a rising rate
eval_every: int = 30  # [updates, 1..updates] between two evaluations
trials: int = 23  # [2..] runs of the sweep
lowest: float = 1e-4  # [0<..<low] lower end of the range of peak rates
highest: float = 1.0  # [low<..] upper end of it
low: float = 0.03  # [lowest<..<highest] a peak rate below this is called low
curve_points: int = 13  # [3..] rates of the curve, equal ratios from end to end
n_seeds: int = 5  # [2..500] seeds of the curve
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
sweeps: int = 2000  # [1..] draws of whole sweeps from the curve
n_eval: int = 300  # [windows, 1..2169] of 16 characters in each evaluation
sampler_seed: int = 0  # [0..] of the sweep's draws

# %% tags=["setup"]
import numpy as np
from scipy import stats as scipy_stats

from lrlab import Claim, Job, claims, display, plots, stats, tasks, train_many
from lrlab.schedules import Cosine, Warmup
from lrlab.sweep import LogUniform, Plan, Uniform, advice, rules, sweep
from lrlab.sweep import trials as trials_of

plots.use_style()

task = tasks.get("names_lm", n_eval=n_eval)
schedule = Warmup(
    Cosine(1.0, steps=updates - warmup_updates, end_lr=0.1), warmup_steps=warmup_updates
)
asked = updates // 4  # iterations before the first run may be stopped, as the source meant it
plan_of_sweep = Plan(
    task=task.to_dict(),
    recipe={
        "schedule": schedule.to_dict(),
        "steps": updates,
        "batch_size": 32,
        "clip_norm": 1.0,
        "optimizer": {"optimizer": "AdamW", "betas": [0.9, 0.99], "weight_decay": 0.01},
        "eval_every": eval_every,
    },
    space={"peak_lr": Uniform(lowest, highest)},
    trials=trials,
    sampler="random",
    seed=sampler_seed,
    wave=8,
    rule={"rule": "wandb-hyperband", "min_iter": asked, "eta": 2},
)
rates = np.geomspace(lowest, highest, curve_points).tolist()
seeds, pilots = range(n_seeds), range(500, 500 + pilot_seeds)


def job(rate, seed):
    return Job(task, plan_of_sweep.recipe_of({"peak_lr": rate}).replace(seed=seed))


middle, good = rates[-2], rates[curve_points // 2]
plan = {(rate, seed): job(rate, seed) for rate in rates for seed in seeds}
plan |= {(rate, seed): job(rate, seed) for rate in (good, middle) for seed in pilots}
later = {"trials of the sweep": trials}

# %% [markdown]
# ## Prediction
#
# Written before the runs. No run is stopped, since the rule counts evaluations and the source
# counted updates. The sweep has one or two low draws, and they end far below the others. The best
# of 23 log-uniform draws is a few per cent lower than the best of 23 uniform ones.
#
# ## Result
#
# ### What the plan says before anything is trained

# %%
for sentence in advice(plan_of_sweep):
    display.say(f"> {sentence}")
every = plan_of_sweep.step_of(1)
meant = plan_of_sweep.replace(rule=plan_of_sweep.rule | {"min_iter": asked // every})
display.say(
    f"A run has {plan_of_sweep.evaluations} evaluations. With `min_iter={asked}` the rule looks "
    f"after evaluations {rules.rungs(plan_of_sweep.rule, plan_of_sweep.evaluations) or 'none'}; "
    f"with `min_iter={asked // every}` after "
    f"{rules.rungs(meant.rule, meant.evaluations)}, the first of them at update "
    f"{meant.step_of(asked // every)}."
)

# %% [markdown]
# ### The sweep

# %% tags=["nbval-ignore-output"]
study = sweep(plan_of_sweep, progress=False)
found = trials_of(study)
best = min(found, key=lambda trial: trial.value)
second = sorted(trial.value for trial in found)[1]
outcomes = {
    word: sum(t.outcome == word for t in found) for word in ("completed", "stopped", "diverged")
}
display.say(
    f"{len(found)} runs: {outcomes['completed']} completed, {outcomes['stopped']} stopped, "
    f"{outcomes['diverged']} diverged. {sum(t.params['peak_lr'] < low for t in found)} of them "
    f"have a rate below {low:g}. The best one has a peak of {best.params['peak_lr']:.3g} and "
    "ends at "
    f"{best.value:.3f} nats ({best.value / np.log(2):.2f} bits per character), the second best at "
    f"{second:.3f}."
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
curve = runs.of(..., seeds).array("test_loss").T  # shape (seeds, rates)

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, 2, height=3.6, sharey=True)
found_curve = stats.band(curve, scale="log")
for ax, scale in zip(axes, ("linear", "log"), strict=True):
    plots.band(ax, rates, found_curve, color=plots.COLOURS[0], label="curve")
    ax.plot(
        [t.params["peak_lr"] for t in found],
        [min(t.value, 1.02 * task.chance_loss) for t in found],
        "o",
        color=plots.COLOURS[1],
        markersize=4,
        label="sweep",
    )
    plots.shade(ax, lowest, low, label="low")
    ax.set(xscale=scale, yscale="log", xlabel="peak rate")
axes[0].set_ylabel("loss at the end (nats)")
axes[0].legend()
display.show(
    fig,
    alt="Loss at the end against the peak rate, on a linear and on a logarithmic axis. On the "
    "linear one nearly all runs of the sweep lie where the loss is high; the basin is a sliver at "
    "the left edge.",
    caption=f"The {trials} runs of the sweep (dots, validation loss) and the curve of the test "
    f"loss (mean and 95 % t interval, n = {n_seeds}), on a linear and on a logarithmic axis. "
    f"Shaded: what is called low here. {runs.note()}.",
)

# %% tags=["nbval-ignore-output"]
fig, ax = plots.figure(width=6.4, height=3.4)
for trial in sorted(found, key=lambda t: -t.params["peak_lr"]):
    is_low = trial.params["peak_lr"] < low
    ax.plot(
        trial.steps,
        trial.values,
        linewidth=1.6 if is_low else 0.8,
        color=plots.COLOURS[1] if is_low else "#9a9a9a",
        alpha=1 if is_low else 0.8,
    )
ax.plot([], [], color=plots.COLOURS[1], label=f"peak below {low:g}")
ax.plot([], [], color="#9a9a9a", label="others")
for name, value in task.reference_losses().items():
    if name in ("unigram", "trigram"):
        plots.guide(ax, y=value)
        ax.annotate(
            name,
            (0, value),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            xytext=(3, 2),
            textcoords="offset points",
        )
ax.set(yscale="log", xlabel="updates", ylabel="validation loss (nats)")
ax.set_ylim(2.2, 3.6)
ax.legend(loc="upper right")
display.show(
    fig,
    alt="Validation loss against updates for all runs of the sweep; those at low rates fall far "
    "below the others.",
    caption=f"The {trials} runs of the sweep. Dotted: models that count single characters, and "
    "three in a row.",
)

# %% [markdown]
# ### What the draws make one expect

# %%
share = {
    "uniform": Uniform(lowest, highest).position(low),
    "log-uniform": LogUniform(lowest, highest).position(low),
}
rows = []
for name, p in share.items():
    binomial = scipy_stats.binom(trials, p)
    rows.append(
        {
            "sampling": name,
            "one draw is low": p,
            "none of them": binomial.pmf(0),
            "exactly one": binomial.pmf(1),
            "at least one": binomial.sf(0),
        }
    )
display.table(
    rows,
    caption=f"Probability that peak rates drawn from {lowest:g} to {highest:g} lie below {low:g}, "
    f"for one draw and for {trials}.",
)

# %% tags=["nbval-ignore-output"]
rng = np.random.default_rng(sampler_seed)
draws = {
    "uniform": rng.uniform(lowest, highest, (sweeps, trials)),
    "log-uniform": np.exp(rng.uniform(np.log(lowest), np.log(highest), (sweeps, trials))),
}
lowest_loss, gap = {}, {}
for name, drawn in draws.items():
    each = [
        np.sort(np.exp(np.interp(np.log(drawn), np.log(rates), np.log(losses))), axis=1)
        for losses in curve
    ]
    lowest_loss[name] = np.array([values[:, 0].mean() for values in each])
    gap[name] = np.array([np.median(values[:, 1] / values[:, 0] - 1) for values in each])
display.say(
    f"From {sweeps:,} sweeps drawn from the curve of each seed: the best of {trials} ends at "
    f"{lowest_loss['uniform'].mean():.3f} nats on average with uniform draws and at "
    f"{lowest_loss['log-uniform'].mean():.3f} with log-uniform ones; the lowest point of the curve "
    f"is {curve.min(1).mean():.3f}. The second best lies above the best by "
    f"{100 * gap['uniform'].mean():.2g} % in the middle of all uniform sweeps, by "
    f"{100 * gap['log-uniform'].mean():.2g} % in log-uniform ones."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:

# %% tags=["nbval-ignore-output"]
pilot = stats.log_differences(
    *(runs.of(rate, pilots).array("test_loss") for rate in (good, middle))
)
what = f"log ratio of the losses at peaks {good:.2g} and {middle:.2g}"
claims.power(pilot, what, beyond=0.0, effect=0.05, used=n_seeds)

# %%
source = "juliusm2026"
at_best, at_middle = curve.min(1), curve[:, rates.index(middle)]
claims.conclude(
    [
        Claim.exact(
            "never-stops",
            "Early termination cannot stop a run at the source's setting.",
            measured=len(rules.rungs(plan_of_sweep.rule, plan_of_sweep.evaluations)),
            expected=0,
            detail=f"bands within {plan_of_sweep.evaluations} evaluations at min_iter={asked}",
            published="early termination did not kick in",
        ),
        Claim.exact(
            "meant",
            "With min_iter in evaluations the rule first looks at a quarter of the run.",
            measured=meant.step_of(rules.rungs(meant.rule, meant.evaluations)[0]),
            expected=asked,
            unit="updates",
            tolerance=every,
        ),
        Claim.exact(
            "underrepresented",
            "Uniform sampling underrepresents low rates.",
            holds=share["uniform"] < share["log-uniform"] / 10,
            detail=f"{100 * share['uniform']:.3g} % against {100 * share['log-uniform']:.3g} % of "
            f"the draws are below {low:g}",
        ),
        Claim.effect(
            "low-is-better",
            "A low rate ends far below those of which uniform draws mostly consist.",
            values=stats.log_differences(at_best, at_middle),
            direction="less",
            delta=0.05,
            unit="log ratio of test losses",
            published="one low-rate run stabilised to a far lower loss than any other",
        ),
        Claim.effect(
            "log-uniform-is-better",
            f"The best of {trials} log-uniform draws ends lower than the best of {trials} uniform "
            "ones.",
            values=stats.log_differences(lowest_loss["log-uniform"], lowest_loss["uniform"]),
            direction="less",
            delta=0.005,
            unit="log ratio of test losses",
        ),
    ],
    source=source,
)
