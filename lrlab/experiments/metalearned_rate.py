"""A learning rate learned by gradient descent on it, through a whole training."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call

from lrlab.randomness import fork_rng
from lrlab.tasks.base import Task


@dataclasses.dataclass(frozen=True, eq=False)
class MetaRun:
    """What learning a rate left behind.

    Args:
        rates: the rate before each outer step and after the last, shape (outer steps + 1,).
        losses: mean loss of the inner training at each of the first rates, shape (outer steps,).
    """

    rates: np.ndarray
    losses: np.ndarray


class UnrolledTraining:
    r"""A short training by plain gradient descent as a differentiable function of its rate.

    $$\bar L(\eta) = \frac{1}{T} \sum_{t<T} L_t(w_t), \qquad w_{t+1} = w_t - \eta \nabla L_t(w_t)$$

    Batches are taken in the order of the data, without shuffling.

    Args:
        task: data, model and loss; the training and the validation part together are trained on.
        steps: updates T.
        batch_size: examples in a batch.
        seed: of the initial weights, by `torch.manual_seed`.

    Source:
        Maclaurin et al. (2015), arXiv:1502.03492, by plain back-propagation; the setting of the
        notebook of Greydanus and Kobak (2024).

    Example:
        >>> from lrlab import tasks
        >>> training = UnrolledTraining(tasks.get("mnist1d", architecture="tanh"), steps=3)
        >>> loss, slope = training.slope(0.5)
        >>> loss > 0, slope != 0
        (True, True)
    """

    def __init__(self, task: Task, *, steps: int, batch_size: int = 50, seed: int = 0) -> None:
        whole = task.data()
        self._parts = [
            torch.cat(parts) for parts in zip(whole.train, whole.validation, strict=True)
        ]
        self._task, self._steps, self._size = task, steps, batch_size
        with fork_rng():
            torch.manual_seed(seed)
            self._model = task.model()
        self._first = {n: p.detach() for n, p in self._model.named_parameters()}

    def mean_loss(self, rate: float | Tensor) -> Tensor:
        """Return the mean loss over the training, with a graph if the rate has one."""
        weights = {n: p.clone().requires_grad_() for n, p in self._first.items()}
        differentiable = isinstance(rate, Tensor) and rate.requires_grad
        model, noise = _Called(self._model), torch.Generator()
        n, losses = len(self._parts[0]), []
        for step in range(self._steps):
            start = step * self._size % n
            batch = tuple(part[start : start + self._size] for part in self._parts)
            model.weights = weights
            loss = self._task.loss(model, batch, noise)
            gradients = torch.autograd.grad(
                loss, list(weights.values()), create_graph=differentiable
            )
            moved = zip(weights.items(), gradients, strict=True)
            weights = {name: w - rate * g for (name, w), g in moved}
            if not differentiable:
                weights = {name: w.detach().requires_grad_() for name, w in weights.items()}
                loss = loss.detach()
            losses.append(loss)
        return torch.stack(losses).mean()

    def slope(self, rate: float) -> tuple[float, float]:
        """Return the mean loss at a rate and its derivative by the rate."""
        variable = torch.tensor(rate, requires_grad=True)
        loss = self.mean_loss(variable)
        (slope,) = torch.autograd.grad(loss, variable)
        return loss.item(), slope.item()

    def learn(self, rate: float, *, outer_rate: float, outer_steps: int) -> MetaRun:
        """Return the path of the rate under gradient descent on the mean loss.

        Args:
            rate: where it begins.
            outer_rate: rate of the descent on the rate.
            outer_steps: steps of it.
        """
        torch.set_num_threads(1)
        rates, losses = [rate], []
        for _ in range(outer_steps):
            loss, slope = self.slope(rates[-1])
            losses.append(loss)
            rates.append(rates[-1] - outer_rate * slope)
        return MetaRun(np.array(rates), np.array(losses))


class _Called(nn.Module):
    """The model with other weights, as a task wants to call it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._inner, self.weights = [model], {}

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional_call(self._inner[0], self.weights, inputs)
