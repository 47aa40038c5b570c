"""The sweep of the surname model that several entries share, so that they share its runs."""

from __future__ import annotations

from lrlab import schedules, tasks
from lrlab.optimizers import AdamW
from lrlab.recipe import Recipe
from lrlab.sweep import LogUniform, Plan, Uniform

BETA2, WEIGHT_DECAY = "optimizer.betas.1", "optimizer.weight_decay"


def bayesian(
    *,
    trials: int = 120,
    updates: int = 400,
    eval_every: int = 10,
    n_eval: int = 100,
    sampler: str = "tpe",
    wave: int = 8,
    seed: int = 0,
) -> Plan:
    """Return a search over peak rate, β₂ and weight decay with W&B's early termination.

    The source's (juliusm 2026) in its proportions: warmup over a tenth of the updates, cosine
    to a tenth of the peak, clipping at norm 1; its ranges of β₂ and weight decay; its first band at
    25 of its evaluations, η = 2. Its range of the rate is 5e-4 to 0.5; it was not known when the
    sweeps were made.

    Args:
        trials: how many.
        updates: of a complete run.
        eval_every: updates between two evaluations.
        n_eval: windows of 16 characters in the validation part.
        sampler: as for `Plan`.
        wave: trials that advance together.
        seed: of the sampler.

    Raises:
        ValueError: if there are fewer than 20 updates, or fewer than 2 evaluations in a run.

    Example:
        >>> plan = bayesian()
        >>> plan.evaluations, plan.rule["min_iter"]
        (40, 5)
    """
    if updates < 20 or updates // eval_every < 2:
        raise ValueError(
            f"need 20 or more updates and 2 or more evaluations, got updates={updates}, "
            f"eval_every={eval_every}"
        )
    warmup = updates // 10
    cosine = schedules.Cosine(1.0, steps=updates - warmup, end_lr=0.1)
    return Plan(
        task=tasks.get("names_lm", n_eval=n_eval),
        recipe=Recipe(
            schedule=schedules.Warmup(cosine, warmup_steps=warmup),
            steps=updates,
            batch_size=32,
            clip_norm=1.0,
            eval_every=eval_every,
            optimizer=AdamW(betas=(0.9, 0.99), weight_decay=0.01),
            seed=1000,
        ),
        space={
            "peak_lr": LogUniform(1e-4, 0.3),
            BETA2: Uniform(0.95, 0.999),
            WEIGHT_DECAY: LogUniform(1e-3, 0.1),
        },
        trials=trials,
        sampler=sampler,
        wave=wave,
        seed=seed,
        rule={
            "rule": "wandb-hyperband",
            "min_iter": max(1, round(updates / eval_every * 25 / 195)),
            "eta": 2,
        },
    )
