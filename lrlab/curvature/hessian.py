"""Sharpness: the largest eigenvalue of a loss's Hessian, from Hessian-vector products alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from lrlab.randomness import fork_rng, generator
from lrlab.recipe import Recipe
from lrlab.tasks.base import Batch, Task
from lrlab.training.state import TrainingState

Product = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, eq=False)
class Lanczos:
    """The ends of a spectrum.

    Args:
        largest: largest eigenvalue found.
        smallest: smallest eigenvalue found.
        error: bound on the distance from `largest` to the nearest true eigenvalue.
        products: number of matrix-vector products that it took.
    """

    largest: float
    smallest: float
    error: float
    products: int


def lanczos(
    product: Product, n: int, *, tolerance: float = 1e-6, most: int = 200, seed: int = 0
) -> Lanczos:
    r"""Return the ends of the spectrum of a symmetric matrix that is known by its products.

    The Krylov space of a random vector, orthogonalised in full (twice) in float64; the error of the
    largest Ritz value θ is at most $|\beta_k y_k|$, the next off-diagonal number times the
    last component of its vector.

    Args:
        product: v ↦ A v, shapes (n,).
        n: size of the matrix.
        tolerance: it ends when the error is below this share of \|θ\|.
        most: largest number of products.
        seed: of the first vector.

    Raises:
        ValueError: if a product is not finite, or n is below 1.

    Source:
        Lanczos (1950); Paige (1980) for the error bound.

    Example:
        >>> matrix = np.diag([1.0, 2.0, 5.0])
        >>> round(lanczos(lambda v: matrix @ v, 3).largest, 9)
        5.0
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got n={n}")
    v = np.random.default_rng(seed).normal(size=n)
    basis, alphas = [v / np.linalg.norm(v)], []
    betas: list[float] = []
    while True:
        w = product(basis[-1])
        if not np.isfinite(w).all():
            raise ValueError("a product with the matrix is not finite")
        alphas.append(float(w @ basis[-1]))
        space = np.array(basis)
        w = w - space.T @ (space @ w)
        w = w - space.T @ (space @ w)
        beta = float(np.linalg.norm(w))
        tridiagonal = np.diag(alphas) + np.diag(betas, 1) + np.diag(betas, -1)
        values, vectors = np.linalg.eigh(tridiagonal)
        error = abs(beta * vectors[-1, -1])
        k = len(alphas)
        scale = max(abs(values[-1]), abs(values[0]))
        if k == min(n, most) or beta <= 1e-14 * scale or error <= tolerance * abs(values[-1]):
            return Lanczos(float(values[-1]), float(values[0]), error, k)
        betas.append(beta)
        basis.append(w / beta)


def hessian_product(loss: Callable[[], Tensor], parameters: Sequence[Tensor]) -> Product:
    """Return v ↦ H v for the Hessian of a loss in some parameters.

    Args:
        loss: gives the loss with its graph; it is called once.
        parameters: those that count, in the order of v.

    Returns:
        A function of an array of shape (n,) that gives one of shape (n,), float64.

    Example:
        >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> product = hessian_product(lambda: w[0] ** 2 + w[0] * w[1], [w])  # H = [[2, 1], [1, 0]]
        >>> product(np.array([1.0, 1.0]))
        array([3., 1.])
    """
    parameters = list(parameters)
    gradients = torch.autograd.grad(
        loss(), parameters, create_graph=True, allow_unused=True, materialize_grads=True
    )
    flat = torch.cat([g.reshape(-1) for g in gradients])

    def product(v: np.ndarray) -> np.ndarray:
        vector = torch.from_numpy(v).to(flat)
        result = torch.autograd.grad(
            flat, parameters, vector, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        return torch.cat([r.reshape(-1) for r in result]).double().numpy()

    return product


def sharpness(
    task: Task,
    model: nn.Module,
    batch: Batch,
    *,
    noise: torch.Generator | None = None,
    tolerance: float = 1e-6,
    most: int = 200,
) -> Lanczos:
    r"""Return the ends of the spectrum of the Hessian of a task's loss on a batch.

    λ_max decides when gradient descent is stable: at rates below 2/λ_max (Cohen et al., 2021).

    Args:
        task: the task.
        model: the model, in the mode that counts.
        batch: the examples.
        noise: for losses that draw random numbers.
        tolerance: relative error at which it ends.
        most: largest number of Hessian-vector products.

    Returns:
        Both ends [loss / parameter²], with a bound on the error.

    Raises:
        ValueError: if a product with the Hessian is not finite.

    Example:
        >>> from lrlab import tasks
        >>> task = tasks.get("mnist1d", n_train=64, architecture="logistic")
        >>> found = sharpness(task, task.model(), task.data().train, tolerance=1e-3)
        >>> found.smallest < found.largest
        True
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    noise = noise if noise is not None else generator(0, "sharpness")
    return _sharpness_of(
        lambda: task.loss(model, batch, noise), parameters, tolerance=tolerance, most=most
    )


def _sharpness_of(
    loss: Callable[[], Tensor], parameters: Sequence[Tensor], *, tolerance: float, most: int = 200
) -> Lanczos:
    with torch.enable_grad():
        product = hessian_product(loss, parameters)
        n = sum(p.numel() for p in parameters)
        return lanczos(product, n, tolerance=tolerance, most=most)


def momentum_of(recipe: Recipe) -> float:
    """Return β, where a recipe's optimizer is gradient descent with momentum.

    Args:
        recipe: how a run is trained.

    Raises:
        ValueError: if it is another one.

    Example:
        >>> from lrlab.optimizers import SGD
        >>> from lrlab.schedules import Constant
        >>> recipe = Recipe(schedule=Constant(0.1), steps=1, batch_size=1)
        >>> momentum_of(recipe.replace(optimizer=SGD(momentum=0.9)))
        0.9
    """
    optimizer = recipe.optimizer
    momentum = getattr(optimizer, "momentum", None)
    if momentum is None or getattr(optimizer, "nesterov", False):
        name = optimizer.to_dict()["optimizer"]
        raise ValueError(
            f"the limit 2(1 + β)/λ_max is for SGD without Nesterov, got {name}; it needs one rate "
            "and one momentum for all parameters"
        )
    return float(momentum)


def stability_edge(task: Task, recipe: Recipe, examples: int = 512) -> float:
    r"""Return the largest stable rate of gradient descent at a recipe's first weights.

    $$\eta = \frac{2 (1 + \beta)}{\lambda_{\max}}$$

    for momentum β, from the first batches of the training data. It holds for a quadratic loss and
    full batches; training moves on to places of another sharpness.

    Args:
        task: the task.
        recipe: whose seed gives the weights, and whose optimizer is SGD without Nesterov momentum.
        examples: at least as many training examples make the loss; of a module of one's own, whose
            batches may be of any kind, eight batches.

    Raises:
        ValueError: if the optimizer is another one.

    Returns:
        The rate.

    Example:
        >>> from lrlab import schedules, tasks
        >>> recipe = Recipe(schedule=schedules.Constant(0.1), steps=1, batch_size=64)
        >>> task = tasks.get("mnist1d", n_train=64, architecture="logistic")
        >>> 0 < stability_edge(task, recipe, examples=64) < 100
        True
    """
    momentum = momentum_of(recipe)
    with fork_rng(), task.kept():
        state = TrainingState(task, recipe, ())
        state.to_training_mode()
        batches = [next(state.batches)]
        if task.live:
            batches += [next(state.batches) for _ in range(7)]
            found = _sharpness_of(
                lambda: torch.stack(
                    [task.loss(state.model, b, state.noise) for b in batches]
                ).mean(),
                state.parameters,
                tolerance=1e-3,
            )
        else:
            while sum(len(batch[0]) for batch in batches) < examples:
                batches.append(next(state.batches))
            batch = tuple(torch.cat(parts) for parts in zip(*batches, strict=True))
            found = sharpness(task, state.model, batch, noise=state.noise, tolerance=1e-3)
    return 2 * (1 + momentum) / found.largest
