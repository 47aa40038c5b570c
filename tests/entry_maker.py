"""Entries for tests of the ledger and the book: written as the runner does, without training."""

import base64
import io
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from lrlab.claims import About, Claim, judge
from lrlab.claims.render import card, text
from lrlab.labbook.entries import _record as records
from lrlab.labbook.entries._normalise import to_bytes


def around(mean: float, sd: float = 0.05, n: int = 8) -> np.ndarray:
    """Values with exactly this mean and standard deviation."""
    x = np.random.default_rng(0).normal(size=n)
    return mean + sd * (x - x.mean()) / x.std(ddof=1)


def some_claims() -> list[Claim]:
    """One claim of each kind and verdict, and a band for the front page."""
    return [
        Claim.effect(
            "lower",
            "The schedule ends below a constant rate & stays there",
            values=around(-0.5),
            direction="less",
            delta=0.05,
            unit="difference of log test loss",
            source="smith2017cyclical",
            published=0.62,
            about=About(metric="test error", like="same", lost="nothing"),
        ),
        Claim.equivalence(
            "same",
            "Two ramps are one schedule",
            values=around(0.5),
            margin=0.1,
            about=About(reason="no smaller difference is seen"),
        ),
        Claim.proportion(
            "most", "Most runs come back", successes=6, n=6, direction="greater", threshold=0.5
        ),
        Claim.exact("identity", "The rate at the end is 0", measured=0.0, expected=0.0),
        Claim.descriptive(
            "band_low", "Lower end", values=[0.002, 0.003], scale="log", unit="1/step"
        ),
        Claim.descriptive("band_high", "Upper end", values=[0.3, 0.4], scale="log", unit="1/step"),
    ]


def png() -> str:
    """A small figure, base64-encoded."""
    figure = Figure(figsize=(4, 2.5))
    figure.subplots().plot([0, 1, 2], [3, 1, 2])
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return base64.b64encode(buffer.getvalue()).decode()


def cell(kind: str, source: str, outputs: list | None = None, **metadata: object) -> dict:
    made = {"cell_type": kind, "id": "", "metadata": metadata, "source": source}
    if kind == "code":
        made |= {"execution_count": 1, "outputs": outputs or []}
    return made


def output(data: dict, **metadata: object) -> dict:
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def write_entry(
    root: Path,
    notebook: str = "demo",
    date: str = "2030-01-01",
    claims: list[Claim] | None = None,
    title: str = "A demonstration",
    **record: object,
) -> Path:
    """Write an entry and its record into the log; `record` overrides fields of the record."""
    settled = judge(some_claims() if claims is None else claims, notebook=notebook)
    name = str(record.get("entry", f"{date}-{notebook}"))
    figure = {"image": {"alt": "A line."}, "figure": {"caption": "A line, n = 1."}}
    cards = output(
        {"text/html": "\n".join(map(card, settled)), "text/plain": "\n".join(map(text, settled))},
        lrlab_claims=[claim.to_dict() for claim in settled],
    )
    cells = [
        cell("markdown", f"# {title}\n\n## Question\n\nDoes the zebrafinch rate $\\eta$ fall?"),
        cell("code", "peak_lr: float = 0.2  # learning rate at the peak [1/step]"),
        cell("markdown", "## Result"),
        cell("code", "show(figure)", [output({"image/png": png()})], mystnb=figure),
        cell("markdown", "## Verdict"),
        cell("code", "claims.show(settled)", [cards]),
        cell("markdown", f"## Reproduce\n\n```bash\nlrlab run {notebook}\n```"),
    ]
    for number, made in enumerate(cells):
        made["id"] = f"cell-{number:02d}"
    content = to_bytes(
        {
            "cells": cells,
            "metadata": {
                "blogpost": "true",
                "date": date,
                "category": "experiment",
                "tags": "sgd, mnist",
                "kernelspec": {"display_name": "P", "language": "python", "name": "python3"},
                "lrlab": {"notebook": notebook, "question": "Does the rate fall?"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    folder = root / "book" / "log"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    path.write_bytes(content)
    fields = {
        "schema": 1,
        "entry": name,
        "notebook": notebook,
        "notebook_sha256": "0" * 64,
        "entry_sha256": records.sha256(content),
        "date": date,
        "size": "full",
        "parameters": {"peak_lr": 0.2, "n_seeds": 8},
        "changed": {},
        "command": f"lrlab run {notebook}",
        "supersedes": None,
        "fragile": [],
        "portable_check": None,
        "runs": ["a" * 16, "b" * 16],
        "trained": 2,
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "dirty": False,
        "profile": {"name": "portable", "ATEN_CPU_CAPABILITY": "avx2"},
        "versions": {"python": "3.11.2", "torch": "2.13.0"},
        "hardware": {"cpu": "A processor", "cores": 2, "memory_gib": 8.0, "system": "Linux"},
        "started": f"{date}T08:00:00Z",
        "seconds": 12.5,
    }
    path.with_suffix(".json").write_bytes(records.to_bytes(fields | record))
    return path


def rewrite_claims(path: Path, change) -> None:
    """Change the stored claims of an entry by hand, and let its record have the new hash."""
    notebook = json.loads(path.read_bytes())
    for made in notebook["cells"]:
        for shown in made.get("outputs", []):
            for claim in shown["metadata"].get("lrlab_claims", []):
                change(claim)
    path.write_bytes(to_bytes(notebook))
    file = path.with_suffix(".json")
    record = json.loads(file.read_text())
    record["entry_sha256"] = records.sha256(path.read_bytes())
    file.write_text(json.dumps(record))
