"""A finished or unfinished study as one page: figures, best trials, warnings. No network needed."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lrlab import plots
from lrlab.files import write
from lrlab.sweep import figures as plots_sweep
from lrlab.sweep import rules
from lrlab.sweep._advise import advice
from lrlab.sweep._space import LogUniform
from lrlab.sweep._trial import Trial, trials
from lrlab.sweep.importance import importance, positions
from lrlab.sweep.plan import plan_of

if TYPE_CHECKING:
    import optuna
    from matplotlib.figure import Figure

_ENOUGH = 10  # trials from which on importances are shown
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 60rem; }
img { max-width: 100%; height: auto; background: #fff; }
figure { margin: 1.5rem 0; }
figcaption { color: #555; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: 0.25rem 0.75rem; text-align: left; border-bottom: 1px solid #ccc; }
@media (prefers-color-scheme: dark) {
  body { background: #121212; color: #e8e8e8; }
  img { filter: invert(0.93) hue-rotate(180deg); }
  figcaption { color: #aaa; }
}
"""


def sweep_report(study: optuna.Study) -> dict[str, tuple[Figure, str]]:
    """Return the figures of a study, each with what it shows.

    Args:
        study: one that `lrlab.sweep.sweep` made.

    Returns:
        By name: the figure, and a sentence that serves as its alternative text.

    Raises:
        ValueError: if the study has no finished trial.
    """
    plan = plan_of(study)
    found = [trial for trial in trials(study) if trial.outcome != "interrupted"]
    complete = [trial for trial in found if trial.outcome == "completed"]
    if not complete:
        raise ValueError("the study has no completed trial yet")
    shown: dict[str, tuple[Figure, str]] = {}
    values = np.array([trial.value for trial in complete])
    shown["Parallel coordinates"] = (
        plots_sweep.parallel_coordinates(
            plan.space, positions(plan.space, complete), values, label=plan.metric
        ),
        f"A line for each of {len(complete)} completed trials through its hyperparameters to its "
        f"{plan.metric}; the {min(5, len(complete))} lowest are thick.",
    )
    judged = [trial for trial in found if trial.outcome != "stopped"]
    if len(judged) >= _ENOUGH and len(plan.space) > 1:
        measured = importance(plan.space, judged)
        fig, [[ax]] = plots.figure(1, 1, width=6.4, height=0.8 + 0.5 * len(plan.space))
        plots_sweep.importances(ax, {name: measured.interval(name) for name in plan.space})
        shown["Importance"] = (
            fig,
            f"Share of each hyperparameter in what a forest explains of {len(judged)} trials; "
            "median and 95 % of the bootstrap samples.",
        )
    fig, [axes] = plots.figure(1, 2, width=9.6, height=3.2, sharey=True)
    best, spent = running_best(found)
    plots_sweep.best_so_far(axes[0], [t.number for t in found], best, xlabel="trial")
    plots_sweep.best_so_far(axes[1], spent, best, xlabel="updates spent")
    axes[1].set_ylabel("")
    shown["Best so far"] = (fig, "The lowest value so far, against trials and against updates.")
    fig, [[ax]] = plots.figure(1, 1, width=6.4, height=min(9.0, 1.4 + 0.07 * len(found)))
    looked = rules.rungs(plan.rule, plan.evaluations, plan.judge_every)
    plots_sweep.timeline(ax, found, [plan.step_of(rung) for rung in looked[:12]])
    shown["Length of the trials"] = (
        fig,
        "How far each trial came; dotted: where the rule looks.",
    )
    finite = np.array([trial.value for trial in found if np.isfinite(trial.value)])
    top = float(np.quantile(finite, 0.95)) if len(finite) else 1.0
    for name, searched in plan.space.items():
        if hasattr(searched, "options"):
            continue
        fig, [[ax]] = plots.figure(1, 1, width=6.4, height=3.2)
        plots_sweep.against_value(
            ax,
            [trial.params[name] for trial in found],
            found,
            name=name,
            top=top,
            log=isinstance(searched, LogUniform),
        )
        shown[f"{plan.metric} against {name}"] = (
            fig,
            f"Value at the end of each trial against its {name}, by outcome; values above "
            f"{top:.4g} and diverged trials at the upper edge.",
        )
    return shown


def running_best(found: list[Trial]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest completed value so far, and the updates spent by then, trial by trial."""
    values = [trial.value if trial.outcome == "completed" else np.nan for trial in found]
    best = np.fmin.accumulate(np.array(values, dtype=float))
    return best, np.cumsum([trial.updates for trial in found])


def write_report(study: optuna.Study, path: Path) -> Path:
    """Write a study's report as one page that needs nothing else.

    Args:
        study: the study.
        path: the file.

    Returns:
        The file.

    Raises:
        ValueError: if the study has no completed trial yet.
    """
    plan = plan_of(study)
    found = trials(study)
    figures = sweep_report(study)
    body = [f"<h1>{escape(study.study_name)}</h1>", _counts(found)]
    body += [f"<p><strong>Look at this:</strong> {escape(s)}</p>" for s in advice(plan, found)]
    body.append(_table(found))
    for name, (fig, words) in figures.items():
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png", dpi=120, bbox_inches="tight", metadata={"Software": None})
        image = base64.b64encode(buffer.getvalue()).decode()
        body.append(
            f"<h2>{escape(name)}</h2><figure><img alt='{escape(words, quote=True)}' "
            f"src='data:image/png;base64,{image}'><figcaption>{escape(words)}</figcaption></figure>"
        )
    page = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(study.study_name)}</title><style>{_STYLE}</style></head><body><main>"
        + "\n".join(body)
        + "</main></body></html>\n"
    )
    write(path, page.encode())
    return path


def _counts(found: list[Trial]) -> str:
    words = ("completed", "stopped", "diverged", "interrupted")
    counts = {word: sum(trial.outcome == word for trial in found) for word in words}
    listed = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    return f"<p>{len(found)} trials: {listed}.</p>"


def _table(found: list[Trial]) -> str:
    best = sorted((t for t in found if t.outcome == "completed"), key=lambda t: t.value)[:10]
    names = list(best[0].params)
    head = "".join(f"<th scope='col'>{escape(h)}</th>" for h in ("trial", "value", *names))
    rows = []
    for trial in best:
        cells = [str(trial.number), f"{trial.value:.5g}"]
        cells += [f"{v:.4g}" if isinstance(v, float) else str(v) for v in trial.params.values()]
        rows.append("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + "</tr>")
    return (
        "<h2>Best trials</h2><div class='scroll' role='region' tabindex='0' "
        f"aria-label='Best trials'><table><thead><tr>{head}</tr></thead><tbody>"
        + "".join(rows)
        + "</tbody></table></div>"
    )
