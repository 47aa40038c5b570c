# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Where do PyTorch's schedulers surprise?
#     short_title: Gotchas of PyTorch's schedulers
#     question: Where do PyTorch's learning rate schedulers give another rate than one expects?
#     tags: [schedules, pytorch, resume]
#     smoke: {}
# ---

# %% [markdown]
# # Where do PyTorch's schedulers give another learning rate than one expects?
#
# ## Question
#
# PyTorch's schedulers compute most learning rates from the one before, which lies in the optimizer,
# where anything may change it. So a rate can depend on how the training was resumed, composed or
# ended. Which of these behaviours are there in the version of PyTorch that this book uses, and what
# rate does a schedule give that is a function of the step alone?
#
# ## Setup
#
# An optimizer with one parameter, and a few updates. Every behaviour is a function that runs
# PyTorch and a schedule of ours side by side; its source is shown, and its values are the rates
# that the optimizer really had. Nothing is trained.

# %% tags=["parameters"]
tolerance: float = 1e-12  # [0<..<1e-3] difference below which two rates count as equal

# %% tags=["setup"]
import inspect

import torch

from lrlab import Claim, claims, display
from lrlab.claims import About, Setting
from lrlab.experiments.gotchas import GOTCHAS, demonstration, resuming

plan = []
seen = {}


def equal(a, b):
    return a == b if str in (type(a), type(b)) else abs(a - b) <= tolerance


def wrong_at(shown):
    """Positions at which PyTorch's value is not ours."""
    pairs = zip(shown.torch, shown.ours, strict=True)
    return [i for i, (theirs, ours) in enumerate(pairs) if not equal(theirs, ours)]


def code(function):
    """The source of a function without its docstring, as Markdown."""
    source = inspect.getsource(function).replace(f'"""{function.__doc__}"""', "")
    kept = [line for line in source.splitlines() if line.strip() and not line.startswith("@")]
    return "\n".join(["```python", *kept, "```"])


def show(slug):
    """Run a gotcha and show what happens, the code, and PyTorch's values beside ours."""
    gotcha = GOTCHAS[slug]
    shown = seen[slug] = gotcha.run()
    display.say(f'<span id="gotcha-{slug}"></span>**{gotcha.title}.** {gotcha.text}')
    display.say(code(inspect.unwrap(gotcha.run)))
    display.table(
        {"": shown.labels, "PyTorch": shown.torch, "ours": shown.ours},
        digits=4,
        caption=f"{gotcha.title}: what PyTorch {torch.__version__.split('+')[0]} gives, and ours.",
    )


# %% [markdown]
# What several of them share:

# %%
helpers = [
    demonstration.new_optimizer,
    demonstration.next_rates,
    demonstration.outcome,
    resuming._resumed,
]
for helper in helpers:
    display.say(code(helper))

# %% [markdown]
# ## Prediction
#
# For each behaviour a rule says, before it is run, what must be seen for it to be there. `all` and
# `first` are the positions at which PyTorch's value must differ from ours, and nowhere else.

# %%
rules = {
    "resume-linear": "all",
    "resume-constant": "all",
    "resume-sequential": "all",
    "resume-lambda": "first",
    "resume-warm-restarts": "first",
    "resume-one-cycle": "first",
    "resume-cyclic": "first",
    "step-last-epoch": "all",
    "sequential-last-epoch": "all",
    "sequential-chained": lambda s: s.torch == ("NotImplementedError",),
    "one-cycle-forgets-arguments": lambda s: s.torch == (10, 1.0) and set(s.ours) == {"ValueError"},
    "one-cycle-misses-peak": lambda s: s.torch[0] < 0.99 and s.ours[0] == 1,
    "one-cycle-divides-by-zero": lambda s: s.torch == ("ZeroDivisionError",),
    "one-cycle-past-end": lambda s: (
        s.torch[1] > 1e4 * s.torch[0] and s.torch[2] == "ValueError" and len(set(s.ours)) == 1
    ),
    "one-cycle-final-rate": lambda s: equal(s.torch[0], 1 / 25 / 1e4) and not wrong_at(s),
    "warmup-before-one-cycle": "all",
    "cosine-climbs": lambda s: equal(s.torch[-1], 1) and s.ours[-1] == 0,
    "warm-restarts-never-end": lambda s: s.torch[0] > 0.001 == s.ours[0],
    "warm-restarts-step-epoch": lambda s: equal(s.torch[0], 0) and s.ours[0] == 1,
    "plateau-counts-nan": lambda s: s.torch == (0.1, "nothing") and s.ours == (1.0, "diverged"),
    "add-param-group": lambda s: (
        s.torch[:2] == ("ValueError", "KeyError") and wrong_at(s) == [0, 1]
    ),
}
if rules.keys() != GOTCHAS.keys():
    raise ValueError(f"rules and gotchas differ: {sorted(rules.keys() ^ GOTCHAS.keys())}")
print(len(rules), "behaviours")


def holds(slug):
    rule, shown = rules[slug], seen[slug]
    if callable(rule):
        return bool(rule(shown))
    return wrong_at(shown) == {"all": list(range(len(shown.torch))), "first": [0]}[rule]


# %% [markdown]
# ## Result
#
# ### Resuming
#
# In all of these the states are loaded in the order that looks natural and is wrong: load the
# optimizer, build the scheduler, load the scheduler. Building both before loading both is exact.

# %%
show("resume-linear")

# %%
show("resume-constant")

# %%
show("resume-sequential")

# %%
show("resume-lambda")

# %%
show("resume-warm-restarts")

# %%
show("resume-one-cycle")

# %%
show("resume-cyclic")

# %%
show("one-cycle-forgets-arguments")

# %% [markdown]
# ### Starting in the middle, and one after the other

# %%
show("step-last-epoch")

# %%
show("sequential-last-epoch")

# %%
show("sequential-chained")

# %%
show("warmup-before-one-cycle")

# %%
show("add-param-group")

# %% [markdown]
# ### Peaks and ends

# %%
show("one-cycle-misses-peak")

# %%
show("one-cycle-divides-by-zero")

# %%
show("one-cycle-past-end")

# %%
show("one-cycle-final-rate")

# %%
show("cosine-climbs")

# %%
show("warm-restarts-never-end")

# %%
show("warm-restarts-step-epoch")

# %% [markdown]
# ### What it observes

# %%
show("plateau-counts-nan")

# %% [markdown]
# ## Verdict


# %%
def listed(values):
    return ", ".join(v if isinstance(v, str) else f"{v:.4g}" for v in values)


version = torch.__version__.split("+")[0]
setting = Setting(f"PyTorch {version}")
settled = claims.judge(
    [
        Claim.exact(
            slug,
            GOTCHAS[slug].title,
            holds=holds(slug),
            detail=f"{', '.join(shown.labels)}: {listed(shown.torch)}; ours: {listed(shown.ours)}",
            about=About(setting, family="resuming" if slug.startswith("resume-") else ""),
        )
        for slug, shown in seen.items()
    ],
)
claims.show(settled)

# %%
there = sum(claim.verdict == "supported" for claim in settled)
display.say(
    f"{there} of {len(settled)} behaviours are there in PyTorch {version}. A rate that is computed "
    "from the step alone has none of them: `lrlab.schedules.as_torch` makes a scheduler of PyTorch "
    "from any schedule."
)

# %% tags=["nbval-ignore-output"]
resumed, ended = seen["resume-linear"], seen["one-cycle-past-end"]
found = {claim.slug: claim.verdict == "supported" for claim in settled}
parts = []
if found["resume-linear"]:
    parts.append(
        "loading the optimizer before its scheduler is built and loaded leaves LinearLR at a "
        f"learning rate of {resumed.torch[0]:g} where {resumed.ours[0]:g} is due, for good"
    )
if found["one-cycle-past-end"]:
    parts.append(
        f"one step past its end OneCycleLR goes from {ended.torch[0]:g} to {ended.torch[1]:g}"
    )
display.answer(
    f"In PyTorch {version} "
    + ("; ".join(parts) or "neither of the two worst of these behaviours is there")
    + ". What this means for you: build optimizer and scheduler before you load either's state, "
    "and compute the learning rate from the step.",
    claims=["resume-linear", "one-cycle-past-end"],
)
