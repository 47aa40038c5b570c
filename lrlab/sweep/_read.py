"""Plans as they are read from a file."""

from __future__ import annotations

from pathlib import Path

from lrlab.sweep import _wandb_yaml, _yaml
from lrlab.sweep._search import Search
from lrlab.sweep.plan import Plan


def load(path: str | Path, *, count: int | None = None) -> Search:
    """Read a plan from a YAML file: ours, or one of W&B that names a program.

    Args:
        path: the file.
        count: trials, in place of what a file of W&B's says.

    Raises:
        ValueError: if the file can't be read, or is not a plan.

    Returns:
        What is searched.

    Example:
        >>> import tempfile
        >>> text = '''
        ... task: {task: mnist1d}
        ... recipe:
        ...   {schedule: {schedule: Constant, lr: 1.0}, steps: 4, batch_size: 10, eval_every: 2}
        ... space: {peak_lr: {range: LogUniform, low: 0.01, high: 1.0}}
        ... trials: 3
        ... '''
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "plan.yml"
        ...     _ = path.write_text(text)
        ...     load(path).trials
        3
    """
    name = Path(path).name
    data = _yaml.read(Path(path))
    if not isinstance(data, dict):
        raise ValueError(f"{name} holds no sweep; it begins with task:, recipe:, space:")
    if _wandb_yaml.is_script(data):
        return _wandb_yaml.parse(data, count=count)
    return Plan.from_dict(data if count is None else data | {"trials": count})
