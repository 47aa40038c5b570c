# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: What the sweep's selection earns
#     question: How much better are the selected values than the defaults, and do higher rates help?
#     tags: [sweep, transformer, names, adamw, selection]
#     smoke:
#       updates: 20
#       n_seeds: 2
#       n_high: 2
#       pilot_seeds: 2
#       n_eval: 50
# ---

# %% [markdown]
# # What the sweep's selection earns
#
# ## Question
#
# A sweep ends with a table of default and selected values. The analysis followed here
# {cite}`juliusm2026` trained its final model with the selected ones, "to good effect", found that
# higher maximum rates did not directly lead to lower losses, and suspects that a smaller model has
# less need of being catapulted by them.
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
# sweep: geometric means over its five best runs, all of one seed and ranked by their validation
# losses. Here other seeds are trained, paired, and reported on test data. The source's defaults are
# lost from its text; those of PyTorch's AdamW stand in for them. The smaller model is half as wide.
#
# A first version of this page had 5 seeds for everything, which left the comparison with four times
# the selected rate undecided: its spread over seeds is ten times that of the others. Those seeds, 0
# to 4, are not used here; that comparison has 8 new ones.

# %% tags=["parameters"]
updates: int = 400  # [20..] updates of a run
n_seeds: int = 5  # [2..n_high] paired seeds
n_high: int = 8  # [n_seeds..100] of the comparison with the highest rate, which spreads more
first_seed: int = 10  # [0..400] the first of them
pilot_seeds: int = 3  # [2..500] seeds of the pilot, used for nothing else
n_eval: int = 1000  # [windows, 1..2169] of 16 characters in the test data
default_lr: float = 1e-3  # [0<..] peak rate before the sweep
default_beta2: float = 0.999  # [0<..<1] β₂ before the sweep
default_decay: float = 0.01  # [0..] weight decay before the sweep
factors: list[float] = [0.5, 1.0, 2.0, 4.0]  # [3.. of 0<.. rising] peaks over the selected one
delta: float = 0.01  # [0<..] smallest difference of the log loss that would matter
tuning_entry: str = ""  # [any] entry with the selected values; empty: the newest that counts

# %% tags=["setup"]
import numpy as np
import pandas as pd

from lrlab import Claim, Job, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.plots.panels import plain_ticks
from lrlab.sweep import surnames

if sorted(factors) != factors or 1.0 not in factors or not factors[0] < 1 < factors[-1]:
    raise ValueError(f"factors must rise through 1, got factors={factors}")
selection = tuned.read("bayesian_sweep", tuning_entry or None)
selected = {
    "peak_lr": selection.rate("selected"),
    surnames.BETA2: selection.numbers["beta2-selected"],
    surnames.WEIGHT_DECAY: selection.numbers["decay-selected"],
}
default = {
    "peak_lr": default_lr,
    surnames.BETA2: default_beta2,
    surnames.WEIGHT_DECAY: default_decay,
}
base = surnames.bayesian(updates=updates, eval_every=updates // 2)
models = {f"width {w}": tasks.get("names_lm", n_eval=n_eval, width=w) for w in (32, 16)}
large, small = models
seeds = range(first_seed, first_seed + n_seeds)
many = range(first_seed, first_seed + n_high)
pilots = range(500, 500 + pilot_seeds)
if n_high < n_seeds:
    raise ValueError(f"n_high must be at least n_seeds, got n_high={n_high}, n_seeds={n_seeds}")


def job(params, seed, model=large):
    return Job(models[model], base.recipe_of(params).replace(seed=seed))


ARMS = {
    "default": default,
    "selected": selected,
    "default, selected rate": default | {"peak_lr": selected["peak_lr"]},
}
top = factors[-1]
ladder = {(large, f): seeds for f in factors}
ladder |= {(model, f): many for model in models for f in (1.0, top)}
grid = {(arm, s): job(params, s) for arm, params in ARMS.items() for s in seeds}
grid |= {(arm, s): job(ARMS[arm], s) for arm in ("default", "selected") for s in pilots}
for (model, f), chosen in ladder.items():
    params = selected | {"peak_lr": f * selected["peak_lr"]}
    grid |= {(model, f, s): job(params, s, model) for s in chosen}
    grid |= {(model, f, s): job(params, s, model) for s in pilots if model == large and f == top}
plan = list(grid.values())

# %% [markdown]
# ## Prediction
#
# Written before the runs. The selected values end about a tenth lower, and the rate alone earns
# nearly all of it. Four times the selected rate ends higher, by some per cent. The smaller model
# suffers less from that, not more: narrow models bear higher rates.
#
# ## Result

# %% tags=["nbval-ignore-output"]
names = {"peak_lr": "peak rate", surnames.BETA2: "β₂", surnames.WEIGHT_DECAY: "weight decay"}
display.table(
    pd.DataFrame(
        [
            {"hyperparameter": words, "default": default[name], "selected": selected[name]}
            for name, words in names.items()
        ]
    ),
    digits=3,
    caption=f"Default and selected values, the latter from {selection.entry}.",
)

# %% tags=["nbval-ignore-output"]
runs = dict(zip(grid, train_many(plan), strict=True))
guess = models[large].chance_loss
loss = {key: run.final("test_loss") for key, run in runs.items()}


def over_seeds(*key, seeds=seeds):
    return np.array([loss[(*key, s)] for s in seeds])


rows = []
for arm in ARMS:
    gain = stats.mean_interval(100 * stats.log_differences(over_seeds(arm), over_seeds("default")))
    rows.append(
        {
            "values": arm,
            "test loss (nats)": float(over_seeds(arm).mean()),
            "bits per character": float(over_seeds(arm).mean() / np.log(2)),
            "against the default (%)": "0"
            if arm == "default"
            else f"{gain.estimate:.2f} [{gain.low:.2f}, {gain.high:.2f}]",
        }
    )
display.table(
    pd.DataFrame(rows),
    caption=f"Test loss after {updates} updates, mean over n = {n_seeds} seeds; paired log ratios "
    "to the default in per cent, with 95 % t intervals.",
)

# %% tags=["nbval-ignore-output"]
rates = np.array(factors) * selected["peak_lr"]
curve = np.array([over_seeds(large, f) for f in factors]).T
costs = {
    m: stats.log_differences(over_seeds(m, top, seeds=many), over_seeds(m, 1.0, seeds=many))
    for m in models
}
fig, axes = plots.figure(1, 2, width=9.6, height=3.5, width_ratios=[1.2, 1])
ax = axes[0, 0]
low, mean, high = map(np.exp, stats.band(np.log(curve)))
ax.plot(rates, mean, marker="o", color=plots.COLOURS[0], label="selected β₂, weight decay")
ax.fill_between(rates, low, high, color=plots.COLOURS[0], alpha=0.2, linewidth=0)
for arm, colour, marker in (
    ("default", plots.COLOURS[6], "s"),
    ("default, selected rate", plots.COLOURS[1], "^"),
):
    found = stats.geometric_interval(over_seeds(arm))
    ax.errorbar(
        ARMS[arm]["peak_lr"],
        found.estimate,
        fmt=marker,
        color=colour,
        capsize=3,
        label=arm,
        yerr=[[found.estimate - found.low], [found.high - found.estimate]],
    )
ax.axvline(selected["peak_lr"], color="#888888", linewidth=0.8, linestyle=":")
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="test loss (nats)")
bottom, roof = ax.get_ylim()
plain_ticks(
    ax, [t for t in (2.4, 2.45, 2.5, 2.55, 2.6, 2.65, 2.7, 2.8, 2.9, 3.0) if bottom < t < roof]
)
ax.legend(fontsize=8)
gained = [stats.mean_interval(100 * costs[model]) for model in models]
plots.intervals(
    axes[0, 1],
    list(models),
    [g.estimate for g in gained],
    [g.low for g in gained],
    [g.high for g in gained],
    points=[100 * costs[model] for model in models],
)
axes[0, 1].set_xlabel(f"test loss at {top:g} times the selected rate (%)")
display.show(
    fig,
    alt="Left: test loss against peak rate, a basin about the selected rate, with the default far "
    "above it. Right: what four times the selected rate costs, for two widths, with intervals.",
    caption=f"Test losses, mean and 95 % t interval. Left: against the peak rate, n = {n_seeds}; "
    f"dotted: the selected one. Right: paired log ratio of the losses at {top:g} times and once "
    f"the selected rate, for both model sizes, n = {n_high}; small marks: seeds.",
)
display.say(
    f"Of the rates tried the test loss is lowest at {rates[int(np.argmin(curve.mean(0)))]:.3g}, "
    f"{factors[int(np.argmin(curve.mean(0)))]:g} times the selected one; "
    f"{sum(run.diverged for run in runs.values())} of {len(runs)} runs diverged."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot:


# %% tags=["nbval-ignore-output"]
def pilot(*key):
    return np.array([loss[(*key, s)] for s in pilots])


contrasts = {
    "selected to default": (pilot("selected"), pilot("default"), 0.02 - delta, n_seeds),
    f"{top:g} times to once the selected rate": (
        pilot(large, top),
        pilot("selected"),
        0.06,
        n_high,
    ),
}
for words, (a, b, effect, used) in contrasts.items():
    spread = float(np.std(stats.log_differences(a, b), ddof=1))
    display.say(
        f"Standard deviation of the log ratio, {words}, over {pilot_seeds} pilot seeds: "
        f"{spread:.4f}. To tell a mean that lies {100 * effect:.0f} % beyond the limit with power "
        f"0.8 asks for {stats.seeds_for_power(effect, spread)} seeds; {used} were used."
    )

# %% tags=["nbval-ignore-output"]
source = "juliusm2026"
unit = "log ratio of test losses"
settled = claims.judge(
    [
        Claim.effect(
            "selected-beats-default",
            "The selected values end lower than the defaults.",
            values=stats.log_differences(over_seeds("selected"), over_seeds("default")),
            direction="less",
            delta=delta,
            unit=unit,
            source=source,
            published="used to train the final weights, to good effect",
        ),
        Claim.equivalence(
            "rate-earns-it",
            "The selected rate alone ends as low as all selected values.",
            values=stats.log_differences(
                over_seeds("default, selected rate"), over_seeds("selected")
            ),
            margin=delta,
            unit=unit,
        ),
        Claim.effect(
            "higher-not-lower",
            f"A peak {top:g} times the selected one does not end lower.",
            values=costs[large],
            direction="greater",
            unit=unit,
            source=source,
            published="higher maximum rates did not directly lead to lower losses",
        ),
        Claim.effect(
            "small-needs-less",
            "High rates do a smaller model less good than a larger one.",
            values=costs[small] - costs[large],
            direction="greater",
            delta=delta / 2,
            unit=f"log ratio of losses at {top:g} and 1 times the selected rate, small less large",
            source=source,
            published="a smaller model makes extensive catapulting less necessary",
        ),
    ],
    notebook="selection",
)
claims.show(settled)

# %%
claims.verdicts(settled)
