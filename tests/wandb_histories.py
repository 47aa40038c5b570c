"""Random sweeps to try W&B's rule on: the same ones with its package and without."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden") / "wandb_hyperband.json"
SHORT, LONG = 400, 60  # in the long ones nearly all runs get to the band at 200
SWEEPS = SHORT + LONG

_SETTINGS: tuple[dict[str, Any], ...] = (
    {"min_iter": 25, "eta": 2},  # the bands 25, 50, 100, 200
    {"min_iter": 1, "eta": 3},
    {"min_iter": 2, "eta": 2.5},
    {"max_iter": 27, "s": 2, "eta": 3},
    {"max_iter": 30, "s": 4, "eta": 2},
    {"min_iter": 3, "max_iter": 40, "s": 3, "eta": 4},  # max_iter counts
)


def sweeps() -> Iterator[tuple[dict[str, Any], list[list[float | None]], list[bool]]]:
    """Yield (setting, histories, which of them still run); None stands for a value not logged."""
    for seed in range(SWEEPS):
        chance = random.Random(seed)
        which, shortest = (seed % len(_SETTINGS), 0) if seed < SHORT else (0, 190)
        setting = dict(_SETTINGS[which]) | {"strict": bool(seed // 6 % 2)}
        longest = 230 if setting.get("min_iter") == 25 else 60
        histories, running = [], []
        for _ in range(chance.randint(1, 9)):
            start, fall = chance.uniform(2, 4), chance.uniform(0, 0.05)
            values: list[float | None] = []
            for step in range(chance.randint(shortest, longest)):
                value = start - fall * step + chance.gauss(0, 0.2)
                value = round(value, 1) if seed % 3 else value  # ties
                what = chance.random()
                if what < 0.03:
                    value = chance.choice((math.nan, math.inf, -math.inf))
                values.append(None if 0.03 <= what < 0.06 else value)
            histories.append(values)
            running.append(chance.random() < 0.7)
        yield setting, histories, running


def stored() -> list[str]:
    """The decisions of the package, as strings of 0 (goes on) and 1 (is stopped) by sweep."""
    return json.loads(GOLDEN.read_text())["stopped"]
