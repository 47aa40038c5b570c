"""Ensembles: what several models, or snapshots of one, predict together."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from numpy.typing import ArrayLike

from lrlab.training.probes import Probe, StepContext, Value


@dataclasses.dataclass(frozen=True)
class Predictions(Probe):
    """What a classifier predicts now for the validation and the test part.

    ``validation`` and ``test`` hold the logarithms of the predicted probabilities, flattened from
    (examples, classes).

    Args:
        every: updates between two measurements; the last update of a run should be one.

    Example:
        >>> Predictions(every=400).name
        'Predictions'
    """

    @torch.no_grad()
    def after(self, context: StepContext, before: None) -> dict[str, Value]:
        """Return the log probabilities of both parts."""
        data = context.task.data()
        context.model.eval()
        found = {
            part: torch.log_softmax(context.model(getattr(data, part)[0]), 1).flatten().tolist()
            for part in ("validation", "test")
        }
        context.model.train()
        return found


def ensemble_log_probs(log_probabilities: ArrayLike) -> np.ndarray:
    r"""Return the log probabilities of an ensemble, which averages the members' probabilities.

    $$\ln \bar p_{ik} = \ln \tfrac{1}{M} \sum_{m=1}^{M} p_{mik}$$

    Args:
        log_probabilities: shape (members, examples, classes).

    Returns:
        float64 array of shape (examples, classes).

    Source:
        Lakshminarayanan et al. (2017), *NeurIPS* 30.

    Example:
        >>> np.exp(ensemble_log_probs(np.log([[[0.9, 0.1]], [[0.5, 0.5]]]))).round(3).tolist()
        [[0.7, 0.3]]
    """
    log_p = np.asarray(log_probabilities, dtype=float)
    if log_p.ndim != 3:
        raise ValueError(f"need shape (members, examples, classes), got {log_p.shape}")
    return np.logaddexp.reduce(log_p, axis=0) - np.log(len(log_p))


def cross_entropy(log_probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean cross-entropy of predictions in nats.

    Args:
        log_probabilities: shape (examples, classes).
        labels: integer classes, shape (examples,).

    Example:
        >>> round(cross_entropy(np.log([[0.5, 0.5], [0.25, 0.75]]), [0, 1]), 4)
        0.4904
    """
    log_p, y = np.asarray(log_probabilities, dtype=float), np.asarray(labels)
    return float(-log_p[np.arange(len(y)), y].mean())


def disagreement(log_probabilities: ArrayLike) -> float:
    """Return the share of examples on which two members name different classes, over all pairs.

    Args:
        log_probabilities: shape (members, examples, classes), at least two members.

    Raises:
        ValueError: if there are fewer than two members.

    Example:
        >>> disagreement(np.log([[[0.9, 0.1], [0.8, 0.2]], [[0.6, 0.4], [0.3, 0.7]]]))
        0.5
    """
    named = np.asarray(log_probabilities, dtype=float).argmax(-1)
    members = len(named)
    if members < 2:
        raise ValueError(f"need at least two members, got {members}")
    first, second = np.triu_indices(members, k=1)
    return float((named[first] != named[second]).mean())
