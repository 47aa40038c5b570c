# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: What the sweep's selection earns
#     short_title: What a sweep's selection earns
#     question: How much better are the selected values than the defaults, and do higher rates help?
#     tags: [sweep, transformer, names, adamw, selection]
#     smoke:
#       updates: 20
#       n_sweeps: 2
#       n_seeds: 1
#       pilot_seeds: 2
#       n_eval: 50
#     foretold:
#       - says: The selected values end about a tenth lower.
#         claims: not judged
#       - says: The rate alone earns nearly all of it.
#         claims: {rate-earns-it: supported}
#       - says: Four times the selected rate ends higher.
#         claims: not judged
#       - says: The smaller model does not suffer more from that.
#         claims: {small-needs-less: not seen here}
# ---

# %% [markdown]
# # How much better are a sweep's selected values than the defaults?
#
# ## Question
#
# A sweep ends with a table of default and selected values. The analysis followed here
# {cite}`juliusm2026` trained its final model with the selected ones, "to good effect", found that
# higher maximum rates did not directly lead to lower losses, and suspects that a smaller model has
# less need of being "catapulted" by high learning rates.
#
# 1. How much lower is the test loss with the selected values, over seeds, and which of them earns
#    it?
# 2. Do rates above the selected one lead to lower losses?
# 3. Do they help a smaller model less than a larger one?
#
# ## Setup
#
# The language model of the Bayesian sweep, with warmup over a tenth of the updates, a cosine to a
# tenth of the peak, clipping at norm 1. The values selected are read from the newest entry of that
# sweep: those of each of its whole sweeps, the geometric means over its five best runs by
# validation loss. The values of each sweep are trained with seeds of their own, which no sweep has
# seen, beside the defaults with the same seeds, and reported on test data; the mean over its seeds
# counts once, so that the luck of the sweep lies in the intervals. The defaults are the source's
# (peak rate 1e-3, β₂ 0.95, weight decay 0.1); those of PyTorch's AdamW (1e-3, 0.999, 0.01) are
# trained beside them. The source selected a peak rate of 2.46e-3, β₂ 0.951 and weight decay 0.0861;
# here our own sweeps select. The smaller model is half as wide, and has the values that were
# selected with the larger one.

# %% tags=["parameters"]
updates: int = 400  # [20..] updates of a run
n_sweeps: int = 8  # [2..500] sweeps whose selected values are trained, if there are as many
n_seeds: int = 2  # [1..500] seeds for the values of each sweep
first_seed: int = 50_000  # [0..] first seed of the block
pilot_seeds: int = 8  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 1000  # [windows, 1..2169] of 16 characters in the test data
source_lr: float = 1e-3  # [0<..] peak rate before the sweep, in the source
source_beta2: float = 0.95  # [0<..<1] β₂ before the sweep, in the source
source_decay: float = 0.1  # [0<..] weight decay before the sweep, in the source
default_lr: float = 1e-3  # [0<..] peak rate by default, in PyTorch
default_beta2: float = 0.999  # [0<..<1] β₂ by default, in PyTorch
default_decay: float = 0.01  # [0..] weight decay by default, in PyTorch
factors: list[float] = [0.5, 1.0, 2.0, 4.0]  # [3.. of 0<.. rising] peaks over the selected one
tuning_entry: str = ""  # [any] entry with the selected values; empty: the newest that counts

# %% tags=["setup"]
from dataclasses import replace

import numpy as np

from lrlab import Claim, Job, claims, display, plots, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.experiments import surnames
from lrlab.labbook import phrases, tuned
from lrlab.labbook.phrases import change, judged

plots.use_style()

if sorted(factors) != factors or 1.0 not in factors or not factors[0] < 1 < factors[-1]:
    raise ValueError(f"factors must rise through 1, got factors={factors}")
selection = tuned.read("bayesian_sweep", tuning_entry or None)
FROM = {
    "peak_lr": "rate-selected",
    surnames.BETA2: "beta2-selected",
    surnames.WEIGHT_DECAY: "decay-selected",
}
each = {name: selection.values[slug][:n_sweeps] for name, slug in FROM.items()}
sweeps = range(len(each["peak_lr"]))
source = dict(zip(FROM, (source_lr, source_beta2, source_decay), strict=True))
pytorch = dict(zip(FROM, (default_lr, default_beta2, default_decay), strict=True))
base = surnames.bayesian(updates=updates, eval_every=updates // 2)
models = {f"width {w}": tasks.get("names_lm", n_eval=n_eval, width=w) for w in (32, 16)}
large, small = models
top = factors[-1]
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
fresh = first_seed + 30_000  # the sweeps were trained with the seeds from first_seed on


def job(params, seed, model=large):
    return Job(models[model], base.recipe_of(params).replace(seed=seed))


def arms(k):
    """What is trained for sweep k: by name, hyperparameters and model."""
    selected = {name: values[k] for name, values in each.items()}
    rate = selected["peak_lr"]
    found = {
        "source": (source, large),
        "PyTorch": (pytorch, large),
        "PyTorch, selected rate": (pytorch | {"peak_lr": rate}, large),
        "small": (selected, small),
        "small, top": (selected | {"peak_lr": top * rate}, small),
    }
    return found | {f: (selected | {"peak_lr": f * rate}, large) for f in factors}


plan = {}
for k in sweeps:
    for seed in range(fresh + k * n_seeds, fresh + (k + 1) * n_seeds):
        plan |= {(arm, k, seed): job(params, seed, m) for arm, (params, m) in arms(k).items()}
for arm in ("source", 1.0, top):
    plan |= {("pilot", arm, s): job(*arms(0)[arm][:1], s) for s in pilots}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The selected values end about a tenth lower, and the rate alone earns
# nearly all of it. Four times the selected rate ends higher, by some per cent. The smaller model
# suffers less from that, not more: narrow models bear higher rates. (Written with PyTorch's
# defaults. Since then the source's were found, δ is that of this task, half a per cent, and what is
# tested of four times the rate is the source's sentence: that it does not end lower. So the first
# and the third sentence are held against the numbers below, not judged.)
#
# ## Result

# %% tags=["nbval-ignore-output"]
names = {"peak_lr": "peak rate", surnames.BETA2: "β₂", surnames.WEIGHT_DECAY: "weight decay"}
display.table(
    [
        {
            "hyperparameter": words,
            "default of the source": source[name],
            "of PyTorch": pytorch[name],
            "selected, geometric mean": float(np.exp(np.log(each[name]).mean())),
            "lowest": min(each[name]),
            "highest": max(each[name]),
        }
        for name, words in names.items()
    ],
    caption=f"Default and selected values, the latter of {len(sweeps)} sweeps, from "
    f"{selection.entry}.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)
tested = 4
delta = claims.smallest_effect("test loss", "names_lm")
level = claims.level(tested)


def logs(arm):
    """Log test loss with the values of each sweep, mean over its seeds, shape (sweeps,)."""
    by_sweep = [runs.of(arm, k).array("test_loss") for k in sweeps]
    return np.log(by_sweep).mean(axis=1)


def diverged(*some):
    """Number of sweeps of which a run diverged."""
    return sum(any(runs.of(arm, k).num_diverged for arm in some) for k in sweeps)


words = {
    "source": "the source's defaults",
    "PyTorch": "PyTorch's defaults",
    "PyTorch, selected rate": "PyTorch's defaults, selected rate",
    1.0: "all selected values",
}
gain = {arm: logs(arm) - logs("source") for arm in words}
display.table(
    [
        {
            "values": name,
            "test loss (nats)": np.exp(logs(arm).mean()),
            "bits per character": np.exp(logs(arm).mean()) / np.log(2),
            "against the source's defaults (%)": "0"
            if arm == "source"
            else phrases.in_percent(gain[arm], level),
        }
        for arm, name in words.items()
    ],
    digits=4,
    caption=f"Test loss after {updates} updates, mean over {len(sweeps)} sweeps with {n_seeds} "
    "seeds each; change in per cent against the source's defaults (paired, geometric mean), with "
    f"{100 * level:.2f} % t intervals over sweeps.",
)
display.say(
    "Foretold was a loss about 10 % lower with the selected values. Against the source's defaults "
    f"they change it by {phrases.percent(gain[1.0], level)} ({100 * level:.2f} % interval), "
    f"against PyTorch's by {phrases.percent(gain[1.0] - gain['PyTorch'], 0.95)} (95 %)."
)

# %% tags=["nbval-ignore-output"]
costs = {large: logs(top) - logs(1.0), small: logs("small, top") - logs("small")}
fig, (left, right) = plots.figure(1, 2, height=3.2, width_ratios=[1.2, 1])
against = [logs(f) - logs(1.0) for f in factors]
bars = [phrases.in_percent(values, level) for values in against if np.ptp(values) > 0]
others = [f for f in factors if f != 1.0]
plots.error_bars(left, others, bars, color=plots.COLOURS[0], linestyle="none")
left.plot([1.0], [0.0], "o", color=plots.COLOURS[0])
plots.guide(left, y=0)
left.set(xscale="log", xlabel="peak rate over the selected one", ylabel="test loss, change (%)")
plots.ticks(left.xaxis, factors)
plots.intervals(
    right,
    {model: phrases.in_percent(values, level) for model, values in costs.items()},
    points={model: 100 * np.expm1(values) for model, values in costs.items()},
)
right.set_xlabel(f"test loss at {top:g} times the\nselected rate, change (%)")
display.show(
    fig,
    alt="Left: change of the test loss against the peak rate over the selected one, with "
    "intervals. Right: what the highest rate costs, for two widths, with intervals.",
    caption="Change of the test loss against that at the selected rate, geometric mean of the "
    f"paired ratios and {100 * level:.2f} % t interval over {len(sweeps)} sweeps. Left: width 32. "
    f"Right: at {top:g} times the selected rate, for both widths; small marks: sweeps.",
    headline=True,
)
lowest = factors[int(np.argmin([values.mean() for values in against]))]
where = "the selected one itself" if lowest == 1 else f"{lowest:g} times the selected one"
display.say(f"Of the rates tried the mean test loss is lowest at {where}; {runs.note()}.")

# %% [markdown]
# ## Verdict
#
# Repetitions are sweeps, each with its selected values and its seeds. Their number is that of the
# whole sweeps that there are; no power chose it, since a pilot would have taken sweeps of its own.
# The pilot study trains single seeds at the values of one sweep and holds only a part of the spread
# that decides. So the power below is computed from the spread over the sweeps that are judged: it
# tells what this number of sweeps can show, and is not evidence for any claim.


# %% tags=["nbval-ignore-output"]
def spread(values):
    return float(np.std(values, ddof=1))


def of_pilot(a, b):
    return spread(
        stats.log_differences(*(runs.of("pilot", arm).array("test_loss") for arm in (a, b)))
    )


n, alpha = len(sweeps), 1 - level
alone = gain["PyTorch, selected rate"] - gain[1.0]
judged_values = {
    "selected values against the source's defaults": (gain[1.0], of_pilot(1.0, "source")),
    "selected rate alone against all selected values": (alone, "–"),
    f"{top:g} times the selected rate against it": (costs[large], of_pilot(top, 1.0)),
    "what that costs, half the width against the full one": (costs[small] - costs[large], "–"),
}
display.table(
    [
        {
            "log ratio of test losses": name,
            "over seeds (pilot)": of_seeds,
            "over sweeps": spread(values),
            f"power of {n} sweeps": stats.equivalence_power(delta, spread(values), n, 0.0, alpha)
            if values is alone
            else stats.power(delta, spread(values), n, alpha),
        }
        for name, (values, of_seeds) in judged_values.items()
    ],
    digits=2,
    caption=f"Standard deviations, over {pilot_seeds} seeds at the values of one sweep and over "
    f"the {n} sweeps, and the power that {n} sweeps have with the second: to show that a mean a "
    f"distance of {delta:g} beyond its bound lies beyond it (second row: that a mean of 0 lies "
    f"within ±{delta:g}), {tested} claims sharing an error rate of 5 %.",
)

# %%
about = About(
    Setting("transformer of 27,712 weights on surnames", "AdamW", f"{updates} updates"),
    metric="test loss",
    replication="sweeps",
    reason="the table's δ of this task",
)
theirs = replace(
    about,
    like="analogue",
    lost="its model, text and 1,000 updates; its sweep minimised its own metric, ours the "
    "validation loss, from another range of rates",
)
unit = "log ratio of test losses"
listed = [
    Claim.effect(
        "selected-beats-default",
        "The values that a sweep selects end lower than the source's defaults (peak rate "
        f"{source_lr:g}, β₂ {source_beta2:g}, weight decay {source_decay:g}).",
        values=gain[1.0],
        diverged=diverged(1.0, "source"),
        direction="less",
        delta=delta,
        unit=unit,
        source="juliusm2026",
        published="used to train the final weights, to good effect",
        about=theirs,
    ),
    Claim.descriptive(
        "selected-against-pytorch",
        "The values that a sweep selects against PyTorch's defaults (peak rate "
        f"{default_lr:g}, β₂ {default_beta2:g}, weight decay {default_decay:g}).",
        values=gain[1.0] - gain["PyTorch"],
        unit=unit,
        about=about,
    ),
    Claim.equivalence(
        "rate-earns-it",
        "The selected rate alone, beside PyTorch's β₂ and weight decay, ends as low as all "
        "selected values.",
        values=alone,
        diverged=diverged(1.0, "PyTorch, selected rate"),
        margin=delta,
        unit=unit,
        about=about,
    ),
    Claim.effect(
        "higher-not-lower",
        f"The selected peak rate ends at most {100 * delta:g} % above one {top:g} times as large.",
        values=-costs[large] - delta,
        diverged=diverged(1.0, top),
        direction="less",
        delta=0.0,
        unit=f"log ratio of test losses at once and {top:g} times the rate, minus {delta:g}",
        source="juliusm2026",
        published="higher maximum rates did not directly lead to lower losses",
        about=replace(theirs, reason="the table's δ is taken off the values: no lower by as much"),
    ),
    Claim.effect(
        "small-needs-less",
        f"A peak rate {top:g} times the selected one costs a model of half the width more than "
        "the full one.",
        values=costs[small] - costs[large],
        diverged=diverged(1.0, top, "small", "small, top"),
        direction="greater",
        delta=delta,
        unit=f"log ratio of what {top:g} times the rate costs the small and the large model",
        source="juliusm2026",
        published="a smaller model makes extensive catapulting less necessary",
        about=replace(theirs, lost=f"{theirs.lost}; the larger model that it has in mind"),
    ),
]
claims.conclude(listed)

# %% tags=["nbval-ignore-output"]
said = judged(listed)
earned, rules, few = said["rate-earns-it"], claims.rules, f"{100 * delta:g} %"
if earned.verdict == rules.SUPPORTED:
    advice = f"tune the learning rate first; β₂ and weight decay earned less than {few} more"
elif earned.verdict == rules.DIFFERENT and earned.estimate > 0:
    advice = f"tune all three; β₂ and weight decay earned {few} or more"
elif earned.verdict == rules.DIFFERENT:
    advice = "tune the learning rate alone, and leave β₂ and weight decay where PyTorch has them"
else:
    advice = f"tune the learning rate first; whether β₂ and weight decay earn {few} more is open"
above = said["higher-not-lower"]
by_sweep = 100 * np.expm1(costs[large])
between = f"{by_sweep.min():+.1f} to {by_sweep.max():+.1f}".replace("-", "−")
if by_sweep.min() > 0 or by_sweep.max() < 0:
    ends = f"{'higher' if by_sweep.min() > 0 else 'lower'} in each of {len(sweeps)} sweeps"
else:
    ends = {rules.SEEN: "not lower", rules.NOT_SEEN: "lower"}.get(
        above.verdict, "not clearly different"
    )
if above.fragile:
    unsure = ", but one sweep far from the others leaves the mean open"
else:
    unsure = "; whether it is lower is open" if above.verdict == rules.INCONCLUSIVE else ""
display.answer(
    "Transformer on surnames, values selected by a sweep: against the source's defaults their loss "
    f"is {change(said['selected-beats-default'])}, against PyTorch's "
    f"{change(said['selected-against-pytorch'])}; the selected learning rate alone, against all "
    f"three: {change(earned)}. At {top:g} times that rate the loss is {ends} "
    f"({phrases.percent(costs[large], level)}; by sweep {between} %){unsure}; at half the width "
    f"{phrases.percent(costs[small], level)}. What this means for you: {advice}.",
    claims=["selected-beats-default", "rate-earns-it", "higher-not-lower", "small-needs-less"],
)
