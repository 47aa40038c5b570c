"""A finished or unfinished study as one page that one sorts and brushes. No network is needed."""

from __future__ import annotations

import json
import math
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lrlab import sweep as sweeps  # which loads what it has when it is asked for
from lrlab.files import write
from lrlab.labbook.sweeps.importance import importance
from lrlab.sweep.trial import OUTCOMES, Trial, best_of, counts

if TYPE_CHECKING:
    import optuna

    from lrlab.sweep.search import Search

_ENOUGH = 10  # trials from which on importances are shown
_POINTS = 200  # of a curve
_NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def running_best(found: list[Trial]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest completed value so far, and the updates spent by then, trial by trial.

    Args:
        found: the trials.

    Returns:
        Both of shape (trials,); the updates count those of all trials so far.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> study = sweep(plan, n_jobs=1, progress=False)
        >>> lowest, spent = running_best(trials(study))
        >>> spent.tolist()
        [4, 8, 12]
    """
    values = [trial.value if trial.outcome == "completed" else np.nan for trial in found]
    best = np.fmin.accumulate(np.array(values, dtype=float))
    return best, np.cumsum([trial.updates for trial in found])


def write_report(study: optuna.Study, path: Path) -> Path:
    """Write a study's report as one page that needs nothing else.

    It has parallel coordinates with a range on each axis, the curves of the trials within the
    ranges, a table that is sorted by any column, and the importance of each hyperparameter. Without
    scripts the table and the importances are left.

    Args:
        study: the study.
        path: the file.

    Returns:
        The file.

    Raises:
        ValueError: if no trial of the study has ended yet, or the file can't be written.

    Example:
        >>> from lrlab.sweep import LogUniform, Plan, sweep, trials
        >>> plan = Plan(
        ...     task={"task": "mnist1d", "n_train": 100},
        ...     recipe={"schedule": {"schedule": "Constant", "lr": 1.0}, "steps": 4,
        ...             "batch_size": 10, "eval_every": 2},
        ...     space={"peak_lr": LogUniform(0.01, 1.0)}, trials=3,
        ... )
        >>> study = sweep(plan, n_jobs=1, progress=False)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_report(study, Path(folder) / "report.html").exists()
        True
    """
    from lrlab.labbook.sweeps.script import Script

    noted = study.user_attrs["plan"]
    plan = (Script if "command" in noted else sweeps.Plan).from_dict(noted)
    found = sweeps.trials(study)
    if not any(trial.outcome != "interrupted" for trial in found):
        raise ValueError("the study has no trial that has ended yet")
    template = resources.files("lrlab.labbook.sweeps").joinpath("_page.html").read_text("utf-8")
    parts = {
        "NAME": escape(study.study_name),
        "POLICY": _NOTHING_ELSE,
        "CSS": _part("css"),
        "JS": _part("js"),
        "SUMMARY": _summary(plan, found),
        "OUTCOMES": "".join(
            f"<label><input type='checkbox' checked data-outcome='{word}'> {word}</label>"
            for word in OUTCOMES
            if any(trial.outcome == word for trial in found)
        ),
        "LOG": " checked" if _wide(found) else "",
        "TABLE": _table(plan, found),
        "IMPORTANCE": _importances(plan, found),
        # Nothing in it can end the element: "<" is written as JSON's own escape.
        "DATA": json.dumps(_data(plan, found)).replace("<", "\\u003c"),
    }
    pieces = template.split("@@")  # text and names by turns
    page = "".join(p if k % 2 == 0 else parts[p] for k, p in enumerate(pieces))
    try:
        write(path, page.encode())
    except OSError as error:
        raise ValueError(f"{path} can't be written: {error.strerror}") from None
    return path


def _part(kind: str) -> str:
    return resources.files("lrlab.labbook.sweeps").joinpath(f"_page.{kind}").read_text("utf-8")


def _wide(found: list[Trial]) -> bool:
    finite = [trial.value for trial in found if math.isfinite(trial.value)]
    return bool(finite) and min(finite) > 0 and max(finite) > 30 * min(finite)


def _summary(plan: Search, found: list[Trial]) -> str:
    said = [f"<p>{escape(counts(found))}.</p>"]
    best = best_of(found, maximizes=plan.maximizes)
    if best is not None:
        at = ", ".join(f"{name} {_text(value)}" for name, value in best.params.items())
        said.append(
            f"<p>Best: trial {best.number}, {escape(plan.metric)} {best.value:.5g} at "
            f"{escape(at)}.</p>"
        )
    starts = [trial.start for trial in found if math.isfinite(trial.start)]
    if starts:
        spent = sum(trial.seconds for trial in found if math.isfinite(trial.seconds))
        said.append(
            f"<p>The scripts ran for {spent:.3g} seconds, {sum(starts):.3g} of them until they "
            "first said something.</p>"
        )
    said += [f"<p class='advice'>{escape(s)}</p>" for s in sweeps.advice(plan, found)]
    return "\n".join(said)


def _data(plan: Search, found: list[Trial]) -> dict[str, Any]:
    axes = []
    for name, searched in plan.space.items():
        options = getattr(searched, "options", None)
        if options is not None:
            axes.append({"name": name, "kind": "choice", "options": [_text(o) for o in options]})
            continue
        seen = [trial.params[name] for trial in found]
        low, high = getattr(searched, "low", None), getattr(searched, "high", None)
        low, high = min(seen) if low is None else low, max(seen) if high is None else high
        kinds = (type(searched).__name__, getattr(searched, "kind", ""))
        log = "LogUniform" in kinds or "log" in kinds[1] or getattr(searched, "log", False)
        axes.append({"name": name, "kind": "log" if log else "linear", "low": low, "high": high})
    return {
        "metric": plan.metric,
        "maximize": plan.maximizes,
        "steps": "updates" if isinstance(plan, sweeps.Plan) else "step",
        "outcomes": list(OUTCOMES),
        "axes": axes,
        "trials": [_row(plan, trial) for trial in found],
    }


def _row(plan: Search, trial: Trial) -> dict[str, Any]:
    kept: Any = np.unique(np.linspace(0, len(trial.values) - 1, _POINTS).round().astype(int))
    kept = kept[kept < min(len(trial.values), len(trial.steps))] if len(trial.values) else []
    return {
        "n": trial.number,
        "o": trial.outcome,
        "v": trial.value if math.isfinite(trial.value) else None,
        "p": [
            list(s.options).index(trial.params[name])
            if hasattr(s, "options") and s.options
            else trial.params[name]
            for name, s in plan.space.items()
        ],
        "s": [int(trial.steps[k]) for k in kept],
        "y": [float(v) if math.isfinite(v := trial.values[k]) else None for k in kept],
    }


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value if isinstance(value, str) else json.dumps(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(plan: Search, found: list[Trial]) -> str:
    reasons = any(trial.reason or trial.same_as is not None for trial in found)
    heads = [
        "trial",
        "outcome",
        plan.metric,
        "updates" if isinstance(plan, sweeps.Plan) else "step",
    ]
    heads += [*plan.space, "seconds", *(["remark"] if reasons else [])]
    head = "<th scope='col'>mark</th>" + "".join(
        f"<th scope='col' data-column='{k}'><button type='button'>{escape(h)}</button></th>"
        for k, h in enumerate(heads, start=1)
    )
    sign = -1.0 if plan.maximizes else 1.0
    ranked = sorted(found, key=lambda t: (t.outcome != "completed", sign * t.value, t.number))
    rows = []
    for trial in ranked:
        numbers: list[Any] = [trial.value, trial.updates, *(trial.params[n] for n in plan.space)]
        cells = [str(trial.number), trial.outcome, *map(_cell, numbers), _cell(trial.seconds)]
        keys = [str(trial.number), trial.outcome, *map(_key, numbers), _key(trial.seconds)]
        if reasons:
            again = f"as trial {trial.same_as}" if trial.same_as is not None else ""
            cells.append(trial.reason or again)
            keys.append(cells[-1])
        shown = "".join(
            f"<td data-v='{escape(key, quote=True)}'>{escape(cell)}</td>"
            for cell, key in zip(cells, keys, strict=True)
        )
        box = f"<input type='checkbox' aria-label='mark trial {trial.number}'>"
        rows.append(f"<tr data-n='{trial.number}'><td>{box}</td>{shown}</tr>")
    return f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _cell(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else "∞" if value > 0 else "−∞"
    return f"{value:.5g}" if isinstance(value, float) else _text(value)


def _key(value: Any) -> str:
    """What a cell is sorted by; nothing comes last."""
    if isinstance(value, float) and not math.isfinite(value):
        return "" if math.isnan(value) else "1e999" if value > 0 else "-1e999"
    return repr(value) if isinstance(value, (int, float)) else _text(value)


def _importances(plan: Search, found: list[Trial]) -> str:
    judged = [t for t in found if t.outcome in ("completed", "diverged")]
    if len(judged) < _ENOUGH or len(plan.space) < 2:
        return ""
    measured = importance(plan.space, judged)
    intervals = {name: measured.interval(name) for name in plan.space}
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{middle:.2f}</td><td>{low:.2f} to {high:.2f}"
        f"</td><td><div class='bar' aria-hidden='true'><i style='width:{100 * middle:.1f}%'></i>"
        f"<b style='left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%'></b></div></td></tr>"
        for name, (low, middle, high) in sorted(intervals.items(), key=lambda i: -i[1][1])
    )
    return (
        "<h2>Importance</h2><p class='note'>Share of each hyperparameter in what a forest explains "
        f"of {len(judged)} trials; median and 95 % of the bootstrap samples.</p>"
        "<div class='scroll' role='region' tabindex='0' aria-label='Importance'><table><thead><tr>"
        "<th scope='col'>hyperparameter</th><th scope='col'>median</th><th scope='col'>95 %</th>"
        f"<th scope='col'>from 0 to 1</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )
