"""W&B's parameters and a small lockstep sweep, as its own package sees them."""

import importlib.metadata
import json
import os
import warnings

import numpy as np
import pytest
from wandb_parameters import (
    GOLDEN,
    PARAMETERS,
    PLACES,
    RATES,
    SETTINGS,
    WAVE,
    curve,
    stored,
)

from lrlab.sweep._hyperband import wandb_bands

with warnings.catch_warnings():  # of what it imports
    warnings.simplefilter("ignore")
    from sweeps.hyperband_stopping import hyperband_stop_runs
    from sweeps.params import HyperParameter
    from sweeps.run import RunState, SweepRun

pytestmark = pytest.mark.filterwarnings("ignore")  # of the package and of what it imports


def quantiles(spec: dict) -> list:
    """The package's values at each place."""
    parameter = HyperParameter("x", spec)
    values = [parameter.ppf(place) for place in PLACES]
    return [v.item() if isinstance(v, np.generic | np.ndarray) else v for v in values]


def lengths(setting: dict, goal: str) -> list[int]:
    """Finite values of each run until the package stops it, in waves that advance together."""
    config = {
        "method": "grid",
        "metric": {"name": "loss", "goal": goal},
        "early_terminate": {"type": "hyperband", "strict": True} | setting,
        "parameters": {"lr": {"values": list(RATES)}},
    }
    finite = [[v for v in curve(lr, goal) if np.isfinite(v)] for lr in RATES]
    bands = wandb_bands(**{k: v for k, v in setting.items() if k != "strict"})
    seen: dict[int, int] = {}
    ended: set[int] = set()
    for first in range(0, len(RATES), WAVE):
        wave = range(first, first + WAVE)
        for band in bands:
            waiting = [n for n in wave if n not in ended]
            for n in waiting:
                seen[n] = min(band, len(finite[n]))
            for n in waiting:
                if seen[n] < band:
                    ended.add(n)
                    continue
                runs = [
                    SweepRun(
                        name=str(m),
                        state=RunState.running if m == n else RunState.finished,
                        history=[{"loss": v} for v in finite[m][:count]],
                    )
                    for m, count in seen.items()
                ]
                if hyperband_stop_runs(runs, config):
                    ended.add(n)
        for n in set(wave) - ended:
            seen[n] = len(finite[n])
            ended.add(n)
    return [seen[n] for n in range(len(RATES))]


def test_values_and_decisions_are_as_they_were_stored():
    found = {
        "sweeps": importlib.metadata.version("sweeps"),
        "quantiles": [quantiles(spec) for spec in PARAMETERS],
        "lengths": {
            goal: [lengths(setting, goal) for setting in SETTINGS]
            for goal in ("minimize", "maximize")
        },
    }
    if os.environ.get("LRLAB_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(found, indent=None) + "\n")
    assert stored() == json.loads(json.dumps(found))
