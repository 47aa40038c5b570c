"""Batches from a loader of one's own, epoch after epoch, without moving the loader itself."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from lrlab.tasks._snapshot import generators_in, restore_states, state_of


class LoaderBatches:
    """The endless sequence of a loader's batches, as the loader gives them.

    The loader, its sampler and their generators are copied, where they can be; the dataset is
    shared (a stream's attributes are not), and the generators found in what is shared are put back
    after each batch.

    Args:
        loader: gives batches, again and again.
        order: seeds the generators of loader and samplers, so that each seed of a range test has
            its own order; None: a fresh loader, used as it is, with global generators of its own,
            so that its position can be found again.

    Raises:
        ValueError: if the loader gives no batch.
    """

    def __init__(self, loader: Iterable[Any], order: torch.Generator | None) -> None:
        self._loader, self._fresh, self.drawn = loader, order is None, 0
        self.epoch = length(loader)
        self._shared: list[Any] = []
        self._outside_states: list[Any] = []
        self._iterator: Iterator[Any] | None = None
        if order is not None:
            self._detach(loader, int(torch.randint(2**31, (1,), generator=order)))
        else:
            self._shared = [torch.default_generator, np.random.mtrand._rand, random._inst]
        self._own_states = [state_of(g) for g in self._shared]
        restore_states(self._shared, self._outside_states or self._own_states)

    def _detach(self, loader: Iterable[Any], seed: int) -> None:
        dataset = getattr(loader, "dataset", None)
        apart = copy.copy(dataset) if isinstance(dataset, IterableDataset) else dataset
        memo = {id(dataset): apart, id(getattr(loader, "_iterator", None)): None}
        holders: list[Any] = [dataset]
        if hasattr(loader, "__dict__"):
            try:
                self._loader = copy.deepcopy(loader, memo)
            except Exception:  # whatever a lock, a queue or an open file raises: used in place
                holders += [loader, *_samplers(loader)]
        self._shared = [g for holder in holders for g in generators_in(holder)]
        self._shared = list({id(g): g for g in self._shared}.values())
        self._outside_states = [state_of(g) for g in self._shared]
        for holder in (self._loader, *_samplers(self._loader)):
            if isinstance(getattr(holder, "generator", None), torch.Generator):
                holder.generator.manual_seed(seed)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        outside = [state_of(g) for g in self._shared]
        restore_states(self._shared, self._own_states)
        try:
            batch = self._next()
        finally:
            self._own_states = [state_of(g) for g in self._shared]
            restore_states(self._shared, outside)
        self.drawn += 1
        return batch

    def _next(self) -> Any:
        if self._iterator is not None:
            for batch in self._iterator:
                return batch
        self._iterator = iter(self._loader)
        for batch in self._iterator:
            return batch
        raise ValueError("the loader is empty, or can be read once only: it gives no batch")

    def state_dict(self) -> dict[str, Any]:
        """Return how many batches were drawn.

        Raises:
            ValueError: for a loader that was not made for this run alone.
        """
        if not self._fresh:
            raise ValueError("a run on a loader of your own can't be continued from a checkpoint")
        return {"drawn": self.drawn}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Draw as many batches as the other sequence had drawn."""
        while self.drawn < state["drawn"]:
            next(self)


def _samplers(loader: Any) -> Iterator[Any]:
    """Yield the samplers of a loader, which may hold generators of their own."""
    for name in ("sampler", "batch_sampler"):
        sampler = getattr(loader, name, None)
        while sampler is not None:
            yield sampler
            sampler = getattr(sampler, "sampler", None)


def length(loader: Any) -> int | None:
    """Return the number of batches of an epoch; None for a stream, which has no length."""
    try:
        return len(loader)
    except TypeError:
        return None
