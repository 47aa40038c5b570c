"""What a checkup can find: the evidence, the probable cause, and what to do."""

from __future__ import annotations

import dataclasses

_CAUSES: dict[str, tuple[str, str]] = {
    "reduction": (
        "the loss is summed over the batch instead of averaged",
        "use reduction='mean', or divide by the batch size; the rate then no longer depends on it",
    ),
    "inputs": (
        "the inputs are not normalised",
        "subtract the mean of the training part and divide by its standard deviation",
    ),
    "order": (
        "the data are not shuffled",
        "draw a new permutation every epoch (shuffle=True)",
    ),
    "softmax": (
        "a softmax stands before a cross-entropy that applies its own",
        "hand the logits to the loss, without a softmax in the model",
    ),
    "last-bias": (
        "the last layer starts with a preference that the data don't have",
        "start the last bias at zero, or at the log frequencies of the classes",
    ),
    "initial-loss": (
        "the first weights of the last layer are too large, or the loss is not the one meant; "
        "from outside these look alike",
        "look at the first outputs: their spread should be well below 1",
    ),
    "not-finite": (
        "the loss is not finite at the first weights",
        "look for a logarithm of zero, a division by zero, or missing values in the data",
    ),
    "zero-grad": (
        "gradients of earlier batches are still there at the update: zero_grad was forgotten (or "
        "they are accumulated on purpose; from outside these look alike)",
        "call optimizer.zero_grad() once per update",
    ),
    "no-update": (
        "an update changes no weight: no optimizer.step(), an optimizer over other parameters, or "
        "a rate of zero",
        "call optimizer.step(), and make the optimizer from this model's parameters",
    ),
    "frozen": (
        "these parameters are never updated: they need no gradient or the optimizer lacks them",
        "set requires_grad and add them to the optimizer; if it is meant, name them in `frozen`",
    ),
    "dead": (
        "the initialisation is dead: almost no unit of these layers has a gradient (units that "
        "are silent on every example, or weights that are all zero)",
        "start with biases near zero and random weights of the usual size",
    ),
    "overfit": (
        "model, loss and targets don't fit together (targets that can't be reached, a broken "
        "graph, a model that is too small); which of these can't be told from outside",
        "follow one example through model and loss",
    ),
    "rate-high": (
        "the rate is too high",
        "take a rate near the best one of the search",
    ),
    "rate-low": (
        "the rate is too low",
        "take a rate near the best one of the search",
    ),
    "no-rate": (
        "no rate of the search makes the loss fall, though a small sample can be learned",
        "look at batch size, weight decay and clipping; or search further: `span`",
    ),
    "labels": (
        "targets are not paired with their inputs (shuffled labels), or the inputs say nothing of "
        "them, or far more data are needed; from outside these look alike",
        "look at a few examples beside their targets, as the loss sees them",
    ),
}

KINDS = tuple(_CAUSES)
"""The kinds of findings."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is probably wrong.

    Args:
        kind: one of `KINDS`.
        step: number of the step of the recipe that found it, 1 to 7.
        evidence: what was measured, a sentence with numbers.

    Raises:
        ValueError: if there is no such kind.

    Example:
        >>> Finding("order", 1, "Batches differ.").cause
        'the data are not shuffled'
    """

    kind: str
    step: int
    evidence: str

    def __post_init__(self) -> None:
        if self.kind not in _CAUSES:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got kind={self.kind!r}")

    @property
    def cause(self) -> str:
        """The probable cause; it says so where several can't be told apart."""
        return _CAUSES[self.kind][0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return _CAUSES[self.kind][1]

    def __str__(self) -> str:
        return f"{self.evidence} Probably: {self.cause}. Do: {self.remedy}."
