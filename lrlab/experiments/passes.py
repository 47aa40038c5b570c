"""Two settings in which the same question is asked: each example seen once, or again and again.

What is found about length, cooldown or resuming in one of them only may be advice about
overfitting: so the transformer on surnames is trained for less than one pass through its data, and
the perceptron on MNIST-1D for many.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, TypeVar

from lrlab import tasks
from lrlab.optimizers import SGD, AdamW, Optimizer
from lrlab.tasks import Task
from lrlab.training.results import Metric

ONE, MANY = "one pass", "many passes"


@dataclasses.dataclass(frozen=True)
class Case:
    """What is trained, how long, and by what it is judged.

    Args:
        task: data, model and loss.
        optimizer: with its settings; the rate comes from a schedule.
        batch_size: examples in an update.
        steps: length of the training T [updates].
        warmup: length of the warmup [updates].
        rates: the peaks that are tried.
        n_seeds: paired seeds.
        metric: ``"loss"`` or ``"error"``.
    """

    task: Task
    optimizer: Optimizer
    batch_size: int
    steps: int
    warmup: int
    rates: Sequence[float]
    n_seeds: int
    metric: str

    def of(self, part: str) -> Metric:
        """The metric that it is judged by: the loss, or the share of wrong answers.

        Args:
            part: of the data, ``"validation"`` or ``"test"``.

        Example:
            >>> size = (40, 4, [0.1], 3)
            >>> both(Case, 100, 500, lm=size, mlp=size)[ONE].of("test")
            'test_loss'
        """
        if self.metric == "loss":
            return f"{part}_loss"
        return lambda run: 1 - run.final(f"{part}_accuracy")


Made = TypeVar("Made", bound=Case)
Size = tuple[int, int, Sequence[float], int]


def both(case: type[Made], n_eval: int, n_train: int, lm: Size, mlp: Size) -> dict[str, Made]:
    """Return the two settings, by name.

    Args:
        case: the class that a notebook makes of them.
        n_eval: surnames in each of the parts that are evaluated.
        n_train: training signals of MNIST-1D.
        lm: steps, warmup, rates and number of seeds of the transformer.
        mlp: the same of the perceptron.

    Example:
        >>> size = (40, 4, [0.1], 3)
        >>> [case.metric for case in both(Case, 100, 500, lm=size, mlp=size).values()]
        ['loss', 'error']
    """
    surnames: Any = tasks.get("names_lm", layers=1, n_eval=n_eval)
    signals: Any = tasks.get("mnist1d", n_train=n_train)
    return {
        ONE: case(surnames, AdamW(weight_decay=0.1), 32, *lm, "loss"),
        MANY: case(signals, SGD(momentum=0.9), 100, *mlp, "error"),
    }
