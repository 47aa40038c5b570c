# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: A first sweep of the learning rate
#     short_title: A first sweep of the learning rate
#     question: Why did one of 23 runs end far below all others, and why was none of them stopped?
#     tags: [sweep, transformer, names, adamw]
#     smoke:
#       updates: 10
#       eval_every: 1
#       warmup_updates: 2
#       trials: 6
#       curve_points: 4
#       n_seeds: 2
#       pilot_seeds: 2
#       sweeps: 50
#       n_eval: 50
#     foretold:
#       - says: No run is stopped, since the rule counts evaluations.
#         claims: {never-stops: supported}
#       - says: One or two low draws end far below the others.
#         claims: not judged
#       - says: The best of 23 log-uniform draws is lower.
#         claims: {log-uniform-is-better: seen here}
# ---

# %% [markdown]
# # Why did one run of a sweep end far below all others, and why was none stopped?
#
# ## Question
#
# An analysis of a sweep tells of 23 runs of a small language model, their peak rates chosen by a
# Bayesian search from a uniform range, 5e-5 to 0.5 {cite}`juliusm2026`. One run, at a rate near the
# bottom of the range, ended far below all others; and Hyperband, meant to stop bad runs after 250
# iterations, never stopped one.
#
# 1. Why did early termination sleep?
# 2. Is one lucky low draw what uniform sampling makes one expect?
# 3. What would drawing the logarithm of the learning rate uniformly have earned?
#
# ## Setup
#
# A decoder-only transformer of 27,712 weights on surnames, AdamW, gradients clipped at norm 1, a
# linear warmup to the peak rate and a cosine to a tenth of it, batches of 32; in the proportions of
# the source, at 600 in place of 1,000 updates. The loss is evaluated every 30 updates, 20 times a
# run. The sweep draws 23 peak rates uniformly from 1e-4 to 1, at random and not by a search, with
# W&B's rule at the source's setting: a `min_iter` of a quarter of the updates. One sweep can't tell
# what sweeps do. So each further seed has a curve of the loss against the peak rate, and whole
# sweeps are drawn from it: what counts is the mean, or the share, over the sweeps of one seed, n is
# the number of seeds. "Far" below all others is read as 5 % below the second best.

# %% tags=["parameters"]
updates: int = 600  # [4..] updates of a run
warmup_updates: int = 60  # [1..<updates] of them with a rising rate
eval_every: int = 30  # [updates, 1..updates] between two evaluations
trials: int = 23  # [2..] runs of the sweep
lowest: float = 1e-4  # [0<..<low] lower end of the range of peak rates
highest: float = 1.0  # [low<..] upper end of it
low: float = 0.03  # [lowest<..<highest] a peak rate below this is called low
curve_points: int = 13  # [3..] rates of the curve, equal ratios from end to end
n_seeds: int = 16  # [2..500] seeds, each with its curve
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
first_seed: int = 80_000  # [0..] first seed of the block, unused before δ was the task's
sweeps: int = 2000  # [1..] draws of whole sweeps from each curve
far: float = 0.05  # [0<..<1] log ratio to the second best that is called far below
n_eval: int = 300  # [windows, 1..2169] of 16 characters in each evaluation

# %% tags=["setup"]
from dataclasses import replace

import numpy as np
from scipy import stats as scipy_stats

from lrlab import Claim, Job, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases
from lrlab.labbook.phrases import change, judged
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
        "seed": first_seed,
    },
    space={"peak_lr": Uniform(lowest, highest)},
    trials=trials,
    sampler="random",
    seed=first_seed,
    wave=8,
    rule={"rule": "wandb-hyperband", "min_iter": asked, "eta": 2},
)
rates = np.geomspace(lowest, highest, curve_points).tolist()
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)


def job(rate, seed):
    return Job(task, plan_of_sweep.recipe_of({"peak_lr": rate}).replace(seed=seed))


plan = {(rate, seed): job(rate, seed) for rate in rates for seed in [*seeds, *pilots]}
later = {"trials of the sweep": trials}

# %% [markdown]
# ## Prediction
#
# Written before the runs. No run is stopped, since the rule counts evaluations and the source
# counted updates. The sweep has one or two low draws, and they end far below the others. The best
# of 23 log-uniform draws is a few per cent lower than the best of 23 uniform ones. (Since then the
# second sentence is not judged: one sweep tells only of itself, and what sweeps do is described. Of
# the third it is judged whether it is lower, and δ is now that of this task, half a per cent.)
#
# ## Result
#
# ### What the plan says before anything is trained

# %%
for sentence in advice(plan_of_sweep):
    display.say(f"> {sentence}")


def looks(planned):
    """After which evaluations the rule of a plan looks, in words."""
    found = rules.rungs(planned.rule, planned.evaluations)
    numbers = ", ".join(map(str, found))
    return f"evaluation{'s' * (len(found) > 1)} {numbers}" if found else "no evaluation"


every = plan_of_sweep.step_of(1)
meant = plan_of_sweep.replace(rule=plan_of_sweep.rule | {"min_iter": asked // every})
display.say(
    f"A run has {plan_of_sweep.evaluations} evaluations. With `min_iter={asked}` the rule looks "
    f"after {looks(plan_of_sweep)}; with `min_iter={asked // every}` after {looks(meant)}, the "
    f"first of them at update {meant.step_of(asked // every)}."
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
    f"{outcomes['diverged']} diverged. Below {low:g} lies the rate of "
    f"{sum(t.params['peak_lr'] < low for t in found) or 'none'} of them. The best one has a peak "
    f"of {best.params['peak_lr']:.3g} and ends at "
    f"{best.value:.3f} nats ({best.value / np.log(2):.2f} bits per character), the second best at "
    f"{second:.3f}, {100 * (second / best.value - 1):.1f} % above it."
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
    f"loss (mean and 95 % t interval, n = {n_seeds} seeds), on a linear and on a logarithmic axis. "
    f"Shaded: what is called low here. Of the curves {runs.of(..., seeds).note()}.",
    headline=True,
)
lowest_at = rates[int(np.argmin(np.log(curve).mean(0)))]
display.say(
    f"The curve is lowest at a peak rate of {lowest_at:.2g}; "
    f"{100 * Uniform(lowest, highest).position(2 * lowest_at):.2g} % of uniform draws lie below "
    "twice that rate."
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
            fontsize=8.5,
            xytext=(3, 2),
            textcoords="offset points",
        )
ax.set(yscale="log", xlabel="updates", ylabel="validation loss (nats)")
ax.set_ylim(2.2, 3.6)
ax.legend(loc="upper right")
display.show(
    fig,
    alt="Validation loss against updates for all runs of the sweep; those at low rates are in "
    "colour.",
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
rng = np.random.default_rng(first_seed)
draws = {
    "uniform": np.log(rng.uniform(lowest, highest, (sweeps, trials))),
    "log-uniform": rng.uniform(np.log(lowest), np.log(highest), (sweeps, trials)),
}


def drawn(losses):
    """By sampling: mean log of the best loss, mean log gap to the second, share of far ones."""
    found = {}
    for name, places in draws.items():
        values = np.sort(np.interp(places, np.log(rates), np.log(losses)), axis=1)
        gaps = values[:, 1] - values[:, 0]
        found[name] = values[:, 0].mean(), gaps.mean(), (gaps > far).mean()
    return found


each = [drawn(losses) for losses in curve]
best_of, gap, far_below = (
    {name: np.array([one[name][k] for one in each]) for name in draws} for k in range(3)
)
display.table(
    [
        {
            "sampling": name,
            f"lowest loss of {trials} (nats)": np.exp(best_of[name].mean()),
            "second best above it (%)": stats.mean_interval(100 * np.expm1(gap[name])),
            "sweeps with one far below (%)": stats.mean_interval(100 * far_below[name]),
        }
        for name in draws
    ],
    digits=4,
    caption=f"{sweeps:,} sweeps drawn from the curve of each of {n_seeds} seeds, 95 % t intervals "
    f"over seeds. A rate's test loss is read off its seed's curve, and the best of {trials} is the "
    f"lowest of them, not one chosen by validation loss; far below: by {100 * np.expm1(far):.2g} % "
    "or more. The lowest points of the curves lie at "
    f"{np.exp(np.log(curve.min(1)).mean()):.4g} nats.",
)
display.say(
    f"The best of {trials} log-uniform draws against the best of {trials} uniform ones: "
    f"{phrases.percent(best_of['log-uniform'] - best_of['uniform'], 0.95)} of the test loss; "
    "foretold were a few per cent."
)

# %% [markdown]
# ## Verdict
#
# Repetitions are seeds, each with the mean of the sweeps drawn from its curve. How many it takes,
# from the pilot study:

# %% tags=["nbval-ignore-output"]
of_pilots = [drawn(losses) for losses in runs.of(..., pilots).array("test_loss").T]
pilot = [one["log-uniform"][0] - one["uniform"][0] for one in of_pilots]
delta = claims.smallest_effect("test loss", "names_lm")
what = "log ratio of the best of log-uniform and of uniform draws"
claims.power(pilot, what, beyond=delta, effect=2 * delta, used=n_seeds)

# %%
rule_alone = About(
    Setting("W&B's early termination", "", f"{plan_of_sweep.evaluations} evaluations a run"),
    like="same",
)
trained = About(
    Setting("transformer of 27,712 weights on surnames", "AdamW", f"{updates} updates"),
    metric="test loss",
    like="analogue",
    lost="its model, text and 1,000 updates; its rates came from a Bayesian search between 5e-5 "
    "and 0.5, ours at random from another range",
)
listed = [
    Claim.exact(
        "never-stops",
        f"With min_iter={asked}, counted in updates, no run can be stopped.",
        measured=len(rules.rungs(plan_of_sweep.rule, plan_of_sweep.evaluations)),
        expected=0,
        detail=f"bands within {plan_of_sweep.evaluations} evaluations at min_iter={asked}",
        published="early termination did not kick in",
        about=rule_alone,
    ),
    Claim.exact(
        "meant",
        "With min_iter in evaluations the rule first looks at a quarter of the run.",
        measured=meant.step_of(rules.rungs(meant.rule, meant.evaluations)[0]),
        expected=asked,
        unit="updates",
        tolerance=every,
        about=rule_alone,
    ),
    Claim.exact(
        "underrepresented",
        "Uniform sampling underrepresents low rates.",
        holds=share["uniform"] < share["log-uniform"] / 10,
        detail=f"{100 * share['uniform']:.3g} % against {100 * share['log-uniform']:.3g} % of "
        f"the draws are below {low:g}",
        about=About(
            Setting(f"rates from {lowest:g} to {highest:g}"),
            like="analogue",
            lost="its range, 5e-5 to 0.5; and which of its rates it calls low",
        ),
    ),
    Claim.descriptive(
        "low-is-better",
        f"In the one sweep that was trained, {trials} peak rates drawn uniformly, the second best "
        f"run against the best, whose rate is {best.params['peak_lr']:.3g}.",
        values=[np.log(second / best.value)],
        unit="log ratio of validation losses",
        published="one low-rate run stabilised to a far lower loss than any other",
        about=replace(trained, metric="", replication="sweeps"),
    ),
    Claim.effect(
        "log-uniform-is-better",
        f"The best of {trials} log-uniform draws, read off a seed's curve, ends lower than the "
        f"best of {trials} uniform ones.",
        values=best_of["log-uniform"] - best_of["uniform"],
        direction="less",
        delta=delta,
        unit="log ratio of test losses",
        about=replace(trained, reason="the table's δ of this task"),
    ),
    Claim.descriptive(
        "far-below",
        f"Share of sweeps of {trials} uniform draws whose best run ends far below the second best.",
        values=far_below["uniform"],
        unit="share of sweeps",
        about=trained,
    ),
]
claims.conclude(listed, source="juliusm2026")

# %% tags=["nbval-ignore-output"]
said = judged(listed)
one_far, logarithm = said["far-below"], said["log-uniform-is-better"]
least, most = max(one_far.low, 0.0), min(one_far.high, 1.0)
never = plan_of_sweep.evaluations <= asked
to_do = {
    claims.rules.SEEN: "draw the logarithm of the learning rate",
    claims.rules.NOT_SEEN: f"with {trials} runs, draw rates in whichever way you like",
}.get(logarithm.verdict, "whether drawing the logarithm gains enough to count is open")
display.answer(
    f"Transformer on surnames, sweeps of {trials} peak learning rates drawn uniformly: in "
    f"{100 * one_far.estimate:.0f} % [{100 * least:.0f}, {100 * most:.0f}] of them the second best "
    f"run lies {100 * np.expm1(far):.2g} % or more above the best; in the one that was trained, "
    f"{100 * (second / best.value - 1):.1f} %. With rates drawn uniformly in the logarithm the "
    f"best of {trials} is {change(logarithm)}. W&B's min_iter counts evaluations, of which a run "
    f"has {plan_of_sweep.evaluations}: {asked} {'never stops one' if never else 'can stop some'}. "
    f"What this means for you: {to_do}; count evaluations (min_iter={asked // every} here).",
    claims=["far-below", "low-is-better", "log-uniform-is-better", "never-stops"],
)
