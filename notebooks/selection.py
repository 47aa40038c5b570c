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

from lrlab import Claim, Job, claims, display, plots, stats, tasks, train_many
from lrlab.labbook import tuned
from lrlab.sweep import surnames

plots.use_style()

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
plan = {(arm, s): job(params, s) for arm, params in ARMS.items() for s in seeds}
plan |= {(arm, s): job(ARMS[arm], s) for arm in ("default", "selected") for s in pilots}
for (model, f), chosen in ladder.items():
    params = selected | {"peak_lr": f * selected["peak_lr"]}
    plan |= {(model, f, s): job(params, s, model) for s in chosen}
    plan |= {(model, f, s): job(params, s, model) for s in pilots if model == large and f == top}

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
    [
        {"hyperparameter": words, "default": default[name], "selected": selected[name]}
        for name, words in names.items()
    ],
    caption=f"Default and selected values, the latter from {selection.entry}.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)


def over_seeds(*key, seeds=seeds):
    return runs.of(*key, seeds).array("test_loss")


gain = {
    arm: stats.mean_interval(100 * stats.log_differences(over_seeds(arm), over_seeds("default")))
    for arm in ARMS
}
display.table(
    [
        {
            "values": arm,
            "test loss (nats)": over_seeds(arm).mean(),
            "bits per character": over_seeds(arm).mean() / np.log(2),
            "against the default (%)": "0" if arm == "default" else gain[arm],
        }
        for arm in ARMS
    ],
    digits=4,
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
fig, (ax, right) = plots.figure(1, 2, height=3.5, width_ratios=[1.2, 1])
look = {"marker": "o", "color": plots.COLOURS[0], "label": "selected β₂, weight decay"}
plots.band(ax, rates, stats.band(curve, scale="log"), **look)
for arm, colour, marker in (
    ("default", plots.COLOURS[6], "s"),
    ("default, selected rate", plots.COLOURS[1], "^"),
):
    found = stats.geometric_interval(over_seeds(arm))
    look = {"color": colour, "marker": marker}
    plots.error_bars(ax, [ARMS[arm]["peak_lr"]], [found], label=arm, **look)
plots.guide(ax, x=selected["peak_lr"])
ax.set(xscale="log", yscale="log", xlabel="peak rate", ylabel="test loss (nats)")
ax.legend()
percent = {model: 100 * values for model, values in costs.items()}
plots.intervals(right, stats.mean_intervals(percent), points=percent)
right.set_xlabel(f"test loss at {top:g} times the selected rate (%)")
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
    f"{runs.note()}."
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes, from the pilot study:


# %% tags=["nbval-ignore-output"]
contrasts = {
    "selected to default": (("selected",), ("default",), 0.02 - delta, n_seeds),
    f"{top:g} times to once the selected rate": ((large, top), ("selected",), 0.06, n_high),
}
for words, (*pair, effect, used) in contrasts.items():
    pilot = stats.log_differences(*(over_seeds(*key, seeds=pilots) for key in pair))
    what = f"log ratio of test losses, {words},"
    claims.power(pilot, what, beyond=0.0, effect=effect, used=used)

# %%
source = "juliusm2026"
unit = "log ratio of test losses"
claims.conclude(
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
    ]
)
