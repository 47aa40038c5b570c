"""Parameters as W&B's sweep files write them, and a small sweep: with its package and without."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("golden") / "wandb_parameters.json"
PLACES = tuple((k + 0.5) / 40 for k in range(40))

PARAMETERS: tuple[dict[str, Any], ...] = (
    {"min": 0, "max": 9},
    {"min": 0.0, "max": 2.5},
    {"min": -3, "max": 1.5},
    {"min": 0, "max": 1, "distribution": "uniform"},
    {"min": 2, "max": 2 + 5, "distribution": "int_uniform"},
    {"min": 0, "max": 10, "q": 2, "distribution": "q_uniform"},
    {"min": 0.0, "max": 1.0, "q": 0.125, "distribution": "q_uniform"},
    {"min": 0, "max": 30, "distribution": "q_uniform"},
    {"min": -9.2, "max": -2.3, "distribution": "log_uniform"},
    {"min": 1e-5, "max": 0.1, "distribution": "log_uniform_values"},
    {"min": -4, "max": 3, "distribution": "inv_log_uniform"},
    {"min": 1e-3, "max": 10.0, "distribution": "inv_log_uniform_values"},
    {"min": 2, "max": 6, "q": 4, "distribution": "q_log_uniform"},
    {"min": 8, "max": 512, "q": 8, "distribution": "q_log_uniform_values"},
    {"min": 0.01, "max": 1, "q": 0.01, "distribution": "q_log_uniform_values"},
    {"distribution": "normal"},
    {"mu": 2.0, "sigma": 0.5, "distribution": "normal"},
    {"mu": 50, "sigma": 20, "q": 5, "distribution": "q_normal"},
    {"mu": -2.0, "sigma": 0.7, "distribution": "log_normal"},
    {"mu": 2, "sigma": 1, "q": 0.5, "distribution": "q_log_normal"},
    {"distribution": "beta", "a": 2, "b": 5},
    {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.05},
    {"values": [16, 32, 64]},
    {"values": ["sgd", "adam", None], "distribution": "categorical"},
    {"values": [[0.9, 0.99], [0.9, 0.999]]},
    {"values": ["a", "b", "c"], "probabilities": [0.1, 0.2, 0.7]},
    {"values": [1, 1, 2]},
    {"values": [7]},
    {"value": 0.5},
    {"value": [1, 2], "distribution": "constant"},
)

RATES = tuple(10 ** (-4 + (7 * k + 9) % 16 / 4) for k in range(16))
STEPS = 14
WAVE = 4
SETTINGS: tuple[dict[str, Any], ...] = (
    {"min_iter": 3, "eta": 2},
    {"min_iter": 2, "eta": 2, "strict": False},
    {"max_iter": 12, "s": 2, "eta": 2},
)


def curve(lr: float, goal: str = "minimize") -> list[float]:
    """What the script of the tests logs: NaN now and then, which W&B does not count."""
    sign = -1.0 if goal == "maximize" else 1.0
    floor = 1 + math.log10(lr / 0.03) ** 2 / 4
    values = [floor + math.exp(-k * (0.05 + 3 * lr)) + 0.1 * math.sin(9 * k) for k in range(STEPS)]
    return [math.nan if k % 5 == 4 else sign * v for k, v in enumerate(values)]


def stored() -> dict[str, Any]:
    """What the package said, as `make golden` kept it."""
    return json.loads(GOLDEN.read_text())
