"""The handbook's lines of code in other libraries, with numbers put in, and what they are held to.

Shared by the live comparison (tests/peers) and by the one with stored values (tests/golden).
"""

import json
import re
import tomllib
from pathlib import Path

import numpy as np

from lrlab import schedules

ROOT = Path(__file__).parents[1]
PEERS = tomllib.loads((ROOT / "book/handbook/peers.toml").read_text())
LIBRARIES = tuple(PEERS["libraries"])
FORMS = {form["id"]: form for form in PEERS["form"]}
PAIRS = [(form, library) for form in FORMS for library in LIBRARIES if library in FORMS[form]]
TOLERANCE = {name: library["tolerance"] for name, library in PEERS["libraries"].items()}

GOLDEN_RATES = ROOT / "tests/golden/schedules.npz"
GOLDEN_CASES = ROOT / "tests/golden/schedules.json"
PARITY = ROOT / "book/handbook/parity.json"


def placeholders(form):
    """Return the names of a form's parameters, in the order in which they appear."""
    return list(dict.fromkeys(re.findall(r"{(\w+)}", FORMS[form]["ours"])))


def fill(code, values):
    """Return a line of code with its values put in."""
    return re.sub(r"{(\w+)}", lambda match: repr(values[match[1]]), code)


def our_schedule(form, values):
    return eval(fill(FORMS[form]["ours"], values), vars(schedules).copy())


def compared_steps(form, library, schedule):
    """Return the number of steps, from 0, at which library and schedule are compared."""
    if schedule.horizon is None:
        return 60
    past = {"before": 0, "end": 1, "past": 6}
    return schedule.horizon + past[FORMS[form][library].get("until", "past")]


def excepted_steps(form, library, schedule, n):
    """Return a mask of the steps at which a library may be off by its own rounding."""
    mask = np.zeros(n, dtype=bool)
    if FORMS[form][library].get("except") == "restarts":
        mask[[step for step in schedule._starts[1:] if step < n]] = True
    return mask


def errors(form, library, values, theirs):
    """Return |ours − theirs| / peak at the steps that count, and the number of the others."""
    schedule = our_schedule(form, values)
    ours = schedule(np.arange(len(theirs)))
    excepted = excepted_steps(form, library, schedule, len(theirs))
    difference = np.abs(ours - theirs)
    # Where a library's rounding matters it is right, or at the end of the cycle before.
    slack = TOLERANCE[library] * values["peak_lr"]
    off = excepted & (difference > slack)
    assert np.all(np.abs(theirs[off] - getattr(schedule, "end_lr", 0.0)) <= slack)
    return difference[~off] / values["peak_lr"], int(off.sum())


def table(cases, versions):
    """Return the parity table: for each form and library the largest error and how many cases."""
    rows = []
    for form, library in PAIRS:
        found = [errors(form, library, values, theirs) for values, theirs in cases[form, library]]
        rows.append(
            {
                "schedule": FORMS[form]["schedule"],
                "form": form,
                "library": library,
                "name": FORMS[form][library]["name"],
                "cases": len(found),
                "steps": int(sum(len(error) for error, _ in found)),
                "largest_error": float(max(error.max() for error, _ in found)),
                "excepted_steps": sum(off for _, off in found),
            }
        )
    return {"tolerance": TOLERANCE, "versions": versions, "rows": rows}


def read_golden():
    """Return the stored cases, {(form, library): [(values, their rates), …]}, and the versions."""
    stored = json.loads(GOLDEN_CASES.read_text())
    cases = {}
    with np.load(GOLDEN_RATES) as arrays:
        for form, library in PAIRS:
            key, found, at = f"{form}.{library}", [], 0
            for values, length in stored["cases"].get(key, []):
                found.append((values, arrays[key][at : at + length]))
                at += length
            cases[form, library] = found
    return cases, stored["versions"]


def write_golden(cases, versions):
    """Store cases as `read_golden` reads them, and the parity table that follows from them."""
    keys = {f"{form}.{library}": cases[form, library] for form, library in PAIRS}
    stored = {
        "versions": versions,
        "cases": {k: [[v, len(r)] for v, r in found] for k, found in keys.items()},
    }
    GOLDEN_CASES.write_text(json.dumps(stored, separators=(",", ":")) + "\n")
    arrays = {key: np.concatenate([rates for _, rates in found]) for key, found in keys.items()}
    np.savez_compressed(GOLDEN_RATES, **arrays)
    PARITY.write_text(json.dumps(table(cases, versions), indent=1) + "\n")
