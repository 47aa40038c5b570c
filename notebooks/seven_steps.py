# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: Seven steps to hyperparameters
#     short_title: A checklist against planted mistakes
#     question: Does a checklist of seven steps find planted mistakes, and nothing in healthy runs?
#     tags: [checkup, debugging, mnist1d, mnist, names, digits]
#     smoke:
#       {names: [mnist1d], n_seeds: 2, pilot_seeds: 2, search_updates: 10, learn_updates: 50,
#        pool: 500}
#     foretold:
#       - {says: "The mean first loss lies within 5 % of its expectation on every task.",
#          claims: {first-loss-mnist1d: seen here, first-loss-mnist: seen here,
#                   first-loss-names_lm: seen here, first-loss-digits_diffusion: seen here}}
#       - {says: "Every small sample is learned to a twentieth of its first loss.",
#          claims: not judged}
#       - {says: "More than 85 % of the planted mistakes are found under their own name.",
#          claims: {found: supported}}
#       - {says: "Fewer than 20 % of healthy runs have a finding.",
#          claims: {false-alarms: supported}}
# ---

# %% [markdown]
# # Does a checklist of seven steps find planted mistakes, and nothing in healthy runs?
#
# ## Question
#
# "Check initial loss without any weight decay", whose value can be worked out beforehand; "overfit
# a small sample": lecture notes begin a recipe for choosing hyperparameters and break off there
# {cite}`mtdickens2024`; a well-known blog post asks for the same two checks
# {cite}`karpathy2019recipe`. Here the recipe is a checklist of seven steps that runs on any model:
# first loss, small sample, a learning rate that makes the loss fall, coarse search, refined search,
# curves, decision (`lrlab.checkup`).
#
# 1. Is the first loss the one of guessing?
# 2. Is a small sample learned by heart?
# 3. Are planted mistakes found, and found under their own name?
# 4. Are healthy runs left alone?
#
# ## Setup
#
# Four tasks: a perceptron on MNIST-1D, LeNet on MNIST digits, a transformer on surnames, and the
# diffusion of 8×8 digits, each with a recipe that is known to work. Into each, every mistake that
# can be made there is planted, one at a time (`lrlab.experiments.mistakes`): each pair of mistake
# and task is examined once, at a seed of its own. The thresholds of the checklist were set on other
# seeds of these tasks; the seeds here are new, but the tasks and the kinds of mistake are the
# same, so that the shares below hold for such tasks and such mistakes only. Each checkup has a
# small budget.
#
# On your own model it is one call, which leaves everything as it was:
#
# ```python
# from lrlab.checkup import checkup
#
# checkup(model, optimizer=optimizer, loader=loader, loss_fn=loss_fn, step=step)
# ```
#
# Mistakes of the loop itself, such as a forgotten `zero_grad`, can be seen only through `step`: a
# function of a model, an optimizer and a batch that does one update of your loop.

# %% tags=["parameters"]
names: list[str] = ["mnist1d", "mnist", "names_lm", "digits_diffusion"]  # tasks
# [1.. of mnist1d | mnist | names_lm | digits_diffusion]
n_seeds: int = 8  # [2..100] healthy runs of each task
pilot_seeds: int = 8  # [2..500] first losses of each task for the pilot, used for nothing else
learned_above: float = 0.8  # [0<..<1] share of small samples learned
found_above: float = 0.85  # [0<..<1] share of planted mistakes found
alarms_below: float = 0.2  # [0<..<1] share of healthy runs with a finding
first_seed: int = 50_000  # [0..] first seed of the block
search_updates: int = 25  # [updates, 1..] at each rate of the search
learn_updates: int = 150  # [updates, 1..] of the curves
pool: int = 800  # [examples, 1..] that are looked at, about

# %% tags=["setup"]
import joblib
import numpy as np

from lrlab import Claim, Recipe, claims, display, events, plots, stats, tasks
from lrlab.checkup import KINDS, checkup
from lrlab.claims import About, Setting, smallest_effect
from lrlab.experiments import mistakes
from lrlab.labbook.phrases import change, judged
from lrlab.optimizers import SGD, Adam, AdamW
from lrlab.schedules import Constant
from lrlab.training import parallel

plots.use_style()

RECIPES = {
    "mnist1d": (0.05, 50, SGD(momentum=0.9)),
    "mnist": (0.03, 16, SGD(momentum=0.9)),
    "names_lm": (5e-3, 16, AdamW()),
    "digits_diffusion": (2e-3, 64, Adam()),
}
MODELS = {
    "mnist1d": "perceptron on MNIST-1D",
    "mnist": "LeNet on MNIST digits",
    "names_lm": "transformer on surnames",
    "digits_diffusion": "diffusion of 8×8 digits",
}
margin = smallest_effect("train loss")
FOUND = {
    "labels shuffled": "labels",
    "no zero_grad": "zero-grad",
    "frozen layer": "frozen",
    "softmax before cross-entropy": "softmax",
    "dead initialisation": "dead",
    "zero initialisation": "dead",
    "summed loss": "reduction",
    "inputs not normalised": "inputs",
    "data not shuffled": "order",
    "last bias wrong": "last-bias",
    "rate 100 times too high": "rate-high",
    "rate 100 times too low": "rate-low",
}
if not names or not set(names) <= set(RECIPES) or len(set(names)) < len(names):
    raise ValueError(f"names must be some of {', '.join(RECIPES)}, each once, got {names}")
budget = {"search_updates": search_updates, "learn_updates": learn_updates, "pool": pool, "span": 2}


def healthy(name):
    """A task and a recipe that suits it."""
    rate, batch_size, optimizer = RECIPES[name]
    return tasks.get(name), Recipe(
        schedule=Constant(rate), steps=1000, batch_size=batch_size, optimizer=optimizer
    )


seeds = range(first_seed, first_seed + n_seeds)
cases = [(name, None, s) for name in names for s in seeds]
cases += [
    (name, mistake, first_seed + n_seeds + i)
    for name in names
    for i, mistake in enumerate(mistakes.MISTAKES)
    if mistakes.fits(mistake, healthy(name)[0])
]
pilots = [(name, None, first_seed + 20_000 + s) for name in names for s in range(pilot_seeds)]
plan = []  # a checkup trains by itself, for a few updates, and keeps no run


def examined(case):
    """The report of one case; of the pilot the first loss alone is used."""
    name, mistake, seed = case
    subject = healthy(name) if mistake is None else mistakes.inject_fault(mistake, *healthy(name))
    few = dict.fromkeys(("heart_updates", "search_updates", "learn_updates"), 1)
    return case, checkup(*subject, seed=seed, **budget | (few if case in pilots else {}))


later = {"checkups": len(cases) + len(pilots)}

# %% [markdown]
# ## Prediction
#
# Written before the runs. The mean first loss lies within 5 % of its expectation on every task.
# Every small sample is learned to a twentieth of its first loss. More than 85 % of the planted
# mistakes are found under their own name, and fewer than 20 % of healthy runs have a finding.
#
# The first loss is judged at 2 %, which is what counts as a difference of training losses here.
#
# ## Result

# %% tags=["nbval-ignore-output"]
found = {}
todo = [*cases, *pilots]
for case, report in parallel.in_parallel(joblib.delayed(examined)(case) for case in todo):
    found[case] = report
    events.emit("progress", label="checkups", done=len(found), total=len(todo))
reports = {case: found[case] for case in cases}  # they come in an order of their own

# %%
sound = {name: [reports[name, None, s] for s in seeds] for name in names}
planted = {case: report for case, report in reports.items() if case[1] is not None}
display.say(
    f"{len(reports)} checkups: {n_seeds} healthy ones of each of {len(names)} tasks, and "
    f"{len(planted)} with a planted mistake of {len({case[1] for case in planted})} kinds; and "
    f"{pilot_seeds} first losses of each task for the pilot."
)

# %% [markdown]
# ### What a report looks like
#
# A healthy run:

# %% tags=["nbval-ignore-output"]
example = sound[names[0]][0]
display.show(
    example.figure(),
    alt="Three panels: the loss of a small sample against the update; the loss after a short run "
    "against the rate; training and held-out loss.",
    caption=f"A checkup of a healthy {MODELS[names[0]]} (one seed). Dotted: where a sample counts "
    "as learned.",
)

# %% [markdown]
# And what is printed where `zero_grad` was forgotten:

# %% tags=["nbval-ignore-output"]
print(next(r for c, r in planted.items() if c[1] == "no zero_grad"))

# %% [markdown]
# ### First loss, small sample

# %% tags=["nbval-ignore-output"]
off = {name: [np.log(r.first_loss / r.expected_loss) for r in sound[name]] for name in names}


def guess(task):
    """What the loss of guessing is."""
    count = task.classes or len(getattr(task, "alphabet", ""))
    return f"ln {count}" if count else "variance of the noise"


display.table(
    (
        {
            "task": MODELS[name],
            "guessing costs": guess(tasks.get(name)),
            "expected first loss": sound[name][0].expected_loss,
            "first loss [95 %]": stats.mean_interval([r.first_loss for r in sound[name]]),
            "learned by heart": f"{sum(r.heart.learned for r in sound[name])} of {n_seeds}",
            "updates for it, median": int(np.median([len(r.heart.loss) for r in sound[name]])),
        }
        for name in names
    ),
    digits=4,
    caption=f"First losses of {n_seeds} healthy runs of each task, without weight decay (nats; "
    "diffusion: squared error), and a sample of eight examples.",
)

# %% tags=["nbval-ignore-output"]
tested = len(names) + 3
deciding = claims.level(tested, "equivalence")
fig, (left, right) = plots.figure(1, 2, height=2.9)
points = {MODELS[name]: values for name, values in off.items()}
plots.intervals(left, stats.mean_intervals(points, deciding), points=points)
plots.shade(left, -margin, margin)
left.set(title="first loss", xlabel="log ratio to the loss of guessing")
for style, name in plots.styled(names):
    for i, report in enumerate(sound[name]):
        curve = report.heart.loss / report.heart.loss[0]
        right.plot(curve, **style, linewidth=0.9, alpha=0.7, label=MODELS[name] if i == 0 else "_")
right.set(title="eight examples by heart", xlabel="update", ylabel="loss, relative", yscale="log")
right.legend()
display.show(
    fig,
    alt="Left: the log ratio of the first loss to that of guessing, with its interval, a row for "
    "each task. Right: the losses of small samples against the update.",
    caption=f"Left: first loss against that of guessing, with the {100 * deciding:.3g} % intervals "
    f"that decide, n = {n_seeds}; shaded: within {margin:g}. Right: loss of eight examples "
    "learned with Adam, a line for each seed; it ends where they count as well learned.",
)
display.say(
    "The mean first loss is "
    + "; ".join(f"{100 * np.expm1(np.mean(off[name])):+.1f} % ({MODELS[name]})" for name in names)
    + " off that of guessing."
)

# %% [markdown]
# ### Mistakes found

# %% tags=["nbval-ignore-output"]
rows = ["none (healthy)", *(m for m in mistakes.MISTAKES if any(c[1] == m for c in planted))]
kinds = [
    kind
    for kind in dict.fromkeys((*map(FOUND.get, rows[1:]), *KINDS))
    if any(kind in r.kinds for r in reports.values())
]
counts = np.zeros((len(rows), len(kinds)))
totals = np.zeros(len(rows))
scored = [(None, r) for rs in sound.values() for r in rs] + [(c[1], r) for c, r in planted.items()]
for mistake, report in scored:
    row = 0 if mistake is None else rows.index(mistake)
    totals[row] += 1
    for kind in report.kinds:
        counts[row, kinds.index(kind)] += 1
fig, ax = plots.figure(width=8.4, height=4.6)
ax.imshow(counts / totals[:, None], cmap="Blues", vmin=0, vmax=1.3, aspect="auto")
for i, row in enumerate(rows):
    for j, kind in enumerate(kinds):
        if counts[i, j]:
            weight = "bold" if FOUND.get(row) == kind else "normal"
            dark = counts[i, j] > 0.7 * totals[i]
            ax.text(
                j,
                i,
                f"{counts[i, j]:g}/{totals[i]:g}",
                ha="center",
                va="center",
                fontsize=8.5,
                weight=weight,
                color="white" if dark else "black",
            )
ax.set_xticks(range(len(kinds)), kinds, rotation=40, ha="right")
ax.set_yticks(range(len(rows)), rows)
ax.set(xlabel="finding", ylabel="planted mistake")
ax.grid(visible=False)
display.show(
    fig,
    alt="A table of planted mistakes against findings; bold where a mistake meets the finding of "
    "its own name. The first row is that of healthy runs.",
    caption="Checkups with each finding, of all with that mistake, over tasks and seeds; bold: the "
    "finding that names the mistake. A report may have several findings.",
    headline=True,
)

# %% tags=["nbval-ignore-output"]
hits = [FOUND[case[1]] in report.kinds for case, report in planted.items()]
alone = [report.kinds == (FOUND[case[1]],) for case, report in planted.items()]
display.table(
    [
        {
            "task": MODELS[name],
            "found": f"{sum(FOUND[c[1]] in r.kinds for c, r in planted.items() if c[0] == name)} "
            f"of {sum(c[0] == name for c in planted)}",
            "healthy with a finding": f"{sum(not r.healthy for r in sound[name])} of {n_seeds}",
        }
        for name in names
    ],
    digits=4,
    caption="Planted mistakes found, and false alarms, by task.",
)
missed = [
    f"{mistake} ({MODELS[name]})"
    for (name, mistake, _), hit in zip(planted, hits, strict=True)
    if not hit
]
display.say(
    f"{sum(hits)} of {len(hits)} planted mistakes were found under their own name; in {sum(alone)} "
    "reports that was the only finding."
    + (f" Missed: {', '.join(dict.fromkeys(missed))}." if missed else " None was missed.")
)

# %% [markdown]
# Two initialisations share one name, "dead": a unit without gradient looks the same from outside,
# whether its bias is far too low or all weights are zero. Shuffled labels, inputs that say nothing
# of the labels, and too few data can't be told apart either, and the report says so.
#
# ## Verdict

# %% tags=["nbval-ignore-output"]
pilot = {
    name: [np.log(found[case].first_loss) for case in pilots if case[0] == name] for name in names
}
widest = max(names, key=lambda name: np.std(pilot[name]))
alarm = [not report.healthy for rs in sound.values() for report in rs]
learned = [report.heart.learned for rs in sound.values() for report in rs]
claims.power(
    pilot[widest] - np.mean(pilot[widest]),
    f"log first loss of the {MODELS[widest]}, where it spreads most,",
    within=margin,
    used=n_seeds,
    tested=tested,
)
level = claims.level(tested)
display.say(
    f"Of {len(hits)} and {len(alarm)} trials, all right, the exact {100 * level:.3g} % intervals "
    f"would begin at {stats.proportion_interval(len(hits), len(hits), level).low:.2f} and end at "
    f"{stats.proportion_interval(0, len(alarm), level).high:.2f}."
)


# %%
def about(group, replication, **more):
    used = dict.fromkeys(type(RECIPES[name][2]).__name__ for name in group)
    where = Setting("; ".join(MODELS[name] for name in group), ", ".join(used), "a checkup")
    return About(where, replication=replication, **more)


LOST = "its tasks; the notes break off after these two checks"
like = {"like": "analogue", "lost": LOST}
made = [
    *(
        Claim.equivalence(
            f"first-loss-{name}",
            "The first loss is the one of guessing",
            values=off[name],
            unit="log ratio of training losses",
            source="mtdickens2024",
            about=about([name], "seeds", metric="train loss", family="first loss", **like),
        )
        for name in names
    ),
    Claim.proportion(
        "small-sample",
        "The loss of a small sample can be brought to a twentieth",
        successes=sum(learned),
        n=len(learned),
        direction="greater",
        threshold=learned_above,
        unit="small samples learned",
        source="mtdickens2024",
        about=about(names, "healthy runs", **like),
    ),
    Claim.proportion(
        "found",
        "The checklist finds a planted mistake under its own name",
        successes=sum(hits),
        n=len(hits),
        direction="greater",
        threshold=found_above,
        unit="planted mistakes found",
        about=about(names, "pairs of task and mistake"),
    ),
    Claim.proportion(
        "false-alarms",
        f"The checklist finds something in fewer than {100 * alarms_below:g} % of healthy runs",
        successes=sum(alarm),
        n=len(alarm),
        direction="less",
        threshold=alarms_below,
        unit="healthy runs with a finding",
        about=about(names, "healthy runs"),
    ),
]
claims.conclude(made)

# %% tags=["nbval-ignore-output"]
verdicts = judged(made)
shares = {
    slug: f"{verdicts[slug].data['successes']} of {verdicts[slug].n} "
    f"[{100 * verdicts[slug].low:.0f} %, {100 * verdicts[slug].high:.0f} %]"
    for slug in ("found", "false-alarms")
}
furthest = max(names, key=lambda name: abs(np.mean(off[name])))
display.answer(
    f"On {len(names)} small tasks the checklist finds {shares['found']} planted mistakes under "
    f"their own name, and something in {shares['false-alarms']} healthy runs. The first loss lies "
    "furthest from that of guessing "
    f"for the {MODELS[furthest]}: {change(verdicts[f'first-loss-{furthest}'])} "
    f"({100 * level:.3g} % intervals, of the loss {100 * deciding:.3g} %). What this means for "
    "you: "
    + (
        "run the checkup before you tune"
        if verdicts["found"].low > 0.5
        else "don't rely on the checkup alone"
    )
    + (f"; a clean report does not rule out {missed[0]}." if missed else "."),
    claims=["found", "false-alarms", f"first-loss-{furthest}"],
)
