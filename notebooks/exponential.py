# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   lrlab:
#     title: When can a large learning rate be used, and how low may a decay start?
#     short_title: Exponential decay and bursts
#     question: Is a decay from 0.05 to 5e-4 a good balance, and can large rates only be used early?
#     tags: [sgd, mnist, lenet, exponential decay]
#     smoke:
#       n_seeds: 2
#       pilot_seeds: 2
#       n_train: 320
#       evaluations: 2
#       bursts: [0.8]
#       burst_steps: 3
#     foretold:
#       - says: The report's decay starts too low; one from 0.3 ends at least 10 % lower.
#         claims: {balance: not seen here}
#       - says: An early burst kills at least as often as a late one.
#         claims: {large-only-early: not seen here}
# ---

# %% [markdown]
# # When can a large learning rate be used, and how low may a decay start?
#
# ## Question
#
# From its range tests the report {cite}`azmimr2022` concludes that "values between 0.05 and 5e-4
# seems to be a good balance", the larger ones first; and that "Large learning can be used only when
# the losses are large".
#
# 1. Does a decay from 0.05 to 5e-4 end as low as an equally steep one from a larger rate?
# 2. A burst of a large rate, early while the loss is large or late when it is small: which one does
#    the run survive?
#
# ## Setup
#
# LeNet-5 with ReLU on real MNIST digits, plain SGD. The report's runs had 14,070 updates, ours are
# some 85 times shorter; a small rate does more in a longer run, so that the first answer holds for
# this length only. The bursts interrupt a moderate constant rate for a few updates, at the start or
# when the loss is small. Equally many updates after its burst a run is *well* if its test loss is
# small, *killed* if it diverged or does little better than guessing, and otherwise on its way.

# %% tags=["parameters"]
n_seeds: int = 16  # [2..500] paired seeds for each comparison
pilot_seeds: int = 8  # [2..500] further seeds, used only to estimate the spread
first_seed: int = 50_000  # [0..] first seed of the block
epochs: int = 3  # [epochs, 1..] length of a run; after a late burst it goes on for as long again
n_train: int = 3500  # [1..3500] training images
batch_size: int = 64  # [images, 1..n_train] in a batch
evaluations: int = 6  # [1..] evaluations in a run
start_lr: float = 0.05  # [end_lr<..] rate at which the report's decay starts
end_lr: float = 5e-4  # [0<..<start_lr] rate at which the report's decay ends
other_start_lr: float = 0.3  # [0<..] where the other decay starts; it falls by the same factor
base_lr: float = 0.1  # [0<..] constant rate that the bursts interrupt
bursts: list[float] = [0.5, 0.8]  # [1.. of 0<..] large rates
burst_steps: int = 20  # [updates, 1..] length of a burst
well_loss: float = 1.0  # [nats, 0<..] a run that ends with a lower test loss is well
killed_share: float = 0.9  # [0<..1] of the loss of guessing, above which a run was killed
miss: float = 0.1  # [0<..] share by which a good balance may miss the lower loss

# %% tags=["setup"]
import math

import numpy as np

from lrlab import Claim, Job, Recipe, claims, display, plots, schedules, stats, tasks, train_many
from lrlab.claims import About, Setting
from lrlab.labbook import phrases

plots.use_style()

task = tasks.get("mnist", n_train=n_train)
epoch = -(-task.n_train // batch_size)
steps = epochs * epoch
if not 1 <= burst_steps <= steps // 4:
    raise ValueError(f"burst_steps must be in [1, {steps // 4}], got burst_steps={burst_steps}")
factor = (end_lr / start_lr) ** (1 / steps)
decays = {
    f"{lr:g} → {lr * end_lr / start_lr:g}": schedules.Exponential(lr, factor, steps=steps)
    for lr in (start_lr, other_start_lr)
}
late = 2 * steps // 3


def burst(lr, at):
    base = schedules.Constant(base_lr)
    parts, edges = [base, schedules.Constant(lr), base], [at, at + burst_steps]
    return schedules.Join(parts[at == 0 :], edges[at == 0 :])


interrupted = {
    f"{lr:g} {when}": burst(lr, at) for lr in bursts for when, at in (("early", 0), ("late", late))
}
seeds = range(first_seed, first_seed + n_seeds)
pilots = range(first_seed + 20_000, first_seed + 20_000 + pilot_seeds)
level = claims.level(3)  # three claims are tested


def job(schedule, seed, length=steps):
    return Job(
        task,
        Recipe(
            schedule=schedule,
            steps=length,
            batch_size=batch_size,
            eval_every=math.ceil(length / evaluations),
            seed=seed,
        ),
    )


plan = {
    ("decay", name, s): job(decay, s) for name, decay in decays.items() for s in (*seeds, *pilots)
}
lengths = {name: steps if name.endswith("early") else late + steps for name in interrupted}
plan |= {
    ("burst", name, seed): job(schedule, seed, lengths[name])
    for name, schedule in interrupted.items()
    for seed in seeds
}

# %% [markdown]
# ## Prediction
#
# Written before the runs. *Balance*: the report's decay starts too low; one from 0.3 ends at least
# 10 % lower. *Large rates*: the claim has it backwards for a network at its start, whose steepest
# directions are not yet known: an early burst kills at least as often as a late one.
#
# ## Result

# %%
fig, (left, right) = plots.figure(1, 2, height=2.7)
plots.learning_rates(left, {name: s(np.arange(steps)) for name, s in decays.items()})
left.set(yscale="log", title="Decays")
left.legend()
plots.learning_rates(
    right, {name: s(np.arange(lengths[name])) for name, s in interrupted.items()}, staircase=True
)
right.set(title="Bursts")
right.legend()
display.show(
    fig,
    alt="Learning rate against step. Left: two parallel exponential decays on a log axis. Right: a "
    "constant rate with a rectangular burst at the start or late.",
    caption=f"Left: both decays fall by the factor {start_lr / end_lr:g}. Right: bursts of "
    f"{burst_steps} updates on a constant rate of {base_lr:g}.",
)

# %% tags=["nbval-ignore-output"]
runs = train_many(plan)

# %%
by_decay = runs.of("decay", ..., seeds).groups()
interruptions = runs.of("burst")
display.say(
    f"{len(runs)} runs of {steps} updates ({late + steps} with a late burst): {len(decays)} decays "
    f"with {n_seeds} seeds and {pilot_seeds} more for the pilot, {len(interrupted)} bursts with "
    f"{n_seeds} seeds each."
)

# %% [markdown]
# ### The decay

# %% tags=["nbval-ignore-output"]
report, other = decays
decayed = by_decay[report].array("test_loss"), by_decay[other].array("test_loss")
difference = stats.log_differences(*decayed)
found = stats.mean_interval(difference, level)
fig, (left, right) = plots.figure(1, 2, height=2.9)
for style, (name, members) in plots.styled(by_decay.items()):
    at = members[first_seed].evals["step"] / epoch
    plots.band(left, at, stats.band(members.curves("test_loss")), label=name, **style)
left.set(xlabel="epoch", ylabel="test loss [nats]", ylim=(0, None))
left.legend(title="rate")
plots.intervals(
    right, {f"{report} to\n{other}": found}, points={f"{report} to\n{other}": difference}
)
plots.shade(right, -np.log1p(miss), np.log1p(miss))
right.set(xlabel="log ratio of test losses")
right.locator_params(axis="x", nbins=4)
display.show(
    fig,
    alt="Left: test loss against epoch for both decays. Right: the paired difference of their log "
    "test losses with its interval.",
    caption=f"Left: mean and 95 % t interval over {n_seeds} paired seeds. Right: the decay from "
    f"{start_lr:g} against the one from {other_start_lr:g}, {100 * level:.1f} % interval; right of "
    f"zero it ends higher. Shaded: within {100 * miss:g} %. {runs.note()}.",
    headline=True,
)
display.say(
    f"The decay from {start_lr:g} ends at {np.exp(found.estimate):.3g} times "
    f"[{np.exp(found.low):.3g}, {np.exp(found.high):.3g}] the test loss of the one from "
    f"{other_start_lr:g}."
)

# %% tags=["nbval-ignore-output"]
display.table(
    [
        {
            "decay": name,
            "test loss [95 %]": stats.geometric_interval(members.array("test_loss")),
            "test accuracy": members.array("test_accuracy").mean(),
        }
        for name, members in by_decay.items()
    ],
    caption=f"At the end, {n_seeds} seeds each.",
)

# %% [markdown]
# ### The bursts

# %% tags=["nbval-ignore-output"]
fig, axes = plots.figure(1, len(interrupted), height=2.8, sharey=True, squeeze=False)
for ax, (name, members) in zip(axes[0], interruptions.groups().items(), strict=True):
    for run in members.values():
        ax.plot(run.loss.clip(1e-3, 1e2), color=plots.COLOURS[0], linewidth=0.6, alpha=0.6)
    start = 0 if "early" in name else late
    plots.shade(ax, start, start + burst_steps, "burst", plots.COLOURS[1])
    plots.chance_line(ax, task.chance_loss, "ln 10")
    ax.set(title=name, xlabel="step", yscale="log")
axes[0][0].set_ylabel("loss on the batch [nats]")
axes[0][0].legend(loc="lower left")
display.show(
    fig,
    alt="Batch loss against step, one panel for each burst. The burst is shaded.",
    caption=f"Loss on each batch, {n_seeds} paired seeds; the burst is shaded.",
)

# %% tags=["nbval-ignore-output"]
ended = interruptions.arrays("test_loss")
well = {name: losses < well_loss for name, losses in ended.items()}
killed = {name: losses >= killed_share * task.chance_loss for name, losses in ended.items()}
display.table(
    [
        {
            "burst": name,
            "well": f"{well[name].sum()} of {n_seeds}",
            "on their way": f"{(~well[name] & ~killed[name]).sum()} of {n_seeds}",
            "killed": f"{killed[name].sum()} of {n_seeds}",
            "of these diverged": f"{members.num_diverged}",
            "largest loss, median": np.median(members.array(lambda run: np.nanmax(run.loss))),
        }
        for name, members in interruptions.groups().items()
    ],
    caption=f"{steps - burst_steps} updates after the burst, {n_seeds} paired seeds.",
)

# %% [markdown]
# ## Verdict
#
# How many seeds it takes to tell whether the balance is good, from the pilot study; and how many of
# the runs must agree for a share above one half:

# %% tags=["nbval-ignore-output"]
pilot = stats.log_differences(*runs.of("decay", ..., pilots).arrays("test_loss").values())
claims.power(
    pilot,
    "log ratio of test losses, the report's start to the other,",
    beyond=0.0,
    effect=float(np.log1p(miss)),
    used=n_seeds,
    tested=3,
)
enough = [k for k in range(n_seeds + 1) if stats.proportion_interval(k, n_seeds, level).low > 0.5]
display.say(
    f"Of {n_seeds} runs {enough[0]} must agree."
    if enough
    else f"{n_seeds} runs are too few for any share to be told from one half."
)
times = {
    when: sum(well[f"{lr:g} {when}"].astype(int) for lr in bursts) for when in ("early", "late")
}
differ, favour = times["early"] != times["late"], times["early"] > times["late"]


# %%
def about(optimizer, budget, **more):
    setting = Setting(f"LeNet on {task.n_train:,} digits", optimizer, budget)
    lost = f"its 14,070 updates, here {steps}"
    return About(setting, like="analogue", lost=lost, **more)


large = f"{bursts[-1]:g}"
spike = f"SGD at {base_lr:g}, {burst_steps} updates at"
after = f"{steps - burst_steps} updates after these"
made = [
    Claim.effect(
        "balance",
        f"A decay from {start_lr:g} to {end_lr:g} ends at most {100 * miss:g} % above one that is "
        f"as steep, from {other_start_lr:g}.",
        values=difference - np.log1p(miss),
        direction="less",
        delta=0.0,
        diverged=sum(any(by_decay[name][s].diverged for name in decays) for s in seeds),
        unit=f"log ratio of test losses, less that of {100 * miss:g} %",
        about=about(
            "SGD",
            f"{steps} updates",
            metric="test loss",
            reason="the share that a good balance may miss stands in the statement",
        ),
    ),
    Claim.proportion(
        "large-only-early",
        "A large rate can be used only while the loss is large: more of the bursts end well early "
        "than late.",
        successes=int(favour.sum()),
        n=int(differ.sum()),
        direction="greater",
        threshold=0.5,
        unit="of the seeds for which more bursts ended well at one time than at the other",
        about=about(
            f"{spike} {' and '.join(f'{lr:g}' for lr in bursts)}",
            after,
            replication="seeds for which they differ",
        ),
    ),
    Claim.proportion(
        "late-burst-kills",
        f"A late burst of {large} kills the run.",
        successes=int(killed[f"{large} late"].sum()),
        n=n_seeds,
        direction="greater",
        threshold=0.5,
        unit="runs that diverged or end near guessing",
        about=about(f"{spike} {large}", after),
    ),
]
claims.conclude(made, source="azmimr2022")

# %% tags=["nbval-ignore-output"]
early, late_ones = (int(well[f"{large} {when}"].sum()) for when in ("early", "late"))
judged = phrases.judged(made)
sooner = judged["large-only-early"]
display.answer(
    f"LeNet, SGD, {steps} updates: a decay from {start_lr:g} to {end_lr:g} ends at "
    f"{np.exp(found.estimate):.3g} times [{np.exp(found.low):.3g}, {np.exp(found.high):.3g}] the "
    f"test loss of one from {other_start_lr:g}. {burst_steps} updates at {large} end well in "
    f"{early} of {n_seeds} runs at the start and in {late_ones} of {n_seeds} late. What this means "
    "for you: "
    + (
        "a large rate does less harm at the start of such a run than in its middle."
        if sooner.verdict == claims.rules.SEEN
        else "a large rate is no safer at the start than later."
        if sooner.verdict == claims.rules.NOT_SEEN
        else "whether a large rate is safer at the start than later stays open here."
    ),
    claims=["balance", "large-only-early", "late-burst-kills"],
)
