"""How long a reader waits: the first paint of four kinds of pages, opened from disk by Chromium.

    python benchmarks/first_paint.py            # of the book, which is built if it changed
    python benchmarks/first_paint.py FOLDER     # of a book that was built there, a minute
    python benchmarks/first_paint.py --table    # what is kept, as the guide has it

Each page is opened five times, each time in a browser that has opened nothing before. What is kept
in `results/first_paint.json` is the median of the *first contentful paint* as the browser itself
reports it, of the processor seconds that all its processes used until the page was loaded, and of
how many processors others used meanwhile. Before its first paint a page waits for its style sheets
and the scripts of its head; a test holds how many these are and what they weigh.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from _results import keep
from minutes import load

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "first_paint.json"
TIMES = 5
NAMES = ("chromium", "chromium-browser", "google-chrome")
PAINTED = """() => {
  const [found] = performance.getEntriesByName("first-contentful-paint");
  return found ? found.startTime / 1000 : null;
}"""


def pages(html: Path) -> dict[str, Path]:
    """The pages by what the guide calls them; the entry is the one that weighs most."""
    entries = (html / "book" / "log").glob("2*.html")
    return {
        "front page": html / "book" / "intro.html",
        "largest entry": max(entries, key=lambda page: page.stat().st_size),
        "gallery": html / "book" / "log" / "index.html",
        "all claims": html / "book" / "claims.html",
    }


def spent() -> float:
    """Processor seconds of all processes that this one started and that still run."""
    import psutil

    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.NoSuchProcess:
            continue
    return total


def opened(driver: Any, chromium: str, page: Path) -> dict[str, float]:
    """Open a page in a new browser; return its first paint and what that took, in seconds."""
    others = load()
    browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    try:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        before = spent()
        tab.goto(page.as_uri())
        tab.wait_for_function(PAINTED)
        return {"paint": tab.evaluate(PAINTED), "cpu": spent() - before, "load": others}
    finally:
        browser.close()


def measure(html: Path, chromium: str) -> dict[str, Any]:
    """Open each page `TIMES` times; return the medians."""
    from playwright.sync_api import sync_playwright

    rows = {}
    with sync_playwright() as driver:
        for name, page in pages(html).items():
            found = [opened(driver, chromium, page) for _ in range(TIMES)]
            row = {key: round(median(one[key] for one in found), 2) for key in found[0]}
            rows[name] = {**row, "most": round(max(one["paint"] for one in found), 2)}
            rows[name]["kB"] = round(page.stat().st_size / 1000)
            print(f"{name:<16} {rows[name]}", flush=True)
    return rows


def table(results: dict[str, Any]) -> str:
    """The kept results as the guide's table."""
    heads = ("page", "HTML [kB]", "first paint [s]", "slowest of five [s]", "processor [s]", "load")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for name, row in results["rows"].items():
        cells = (row[key] for key in ("kB", "paint", "most", "cpu", "load"))
        lines.append(f"| {name} | {' | '.join(f'{cell:g}' for cell in cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("html", nargs="?", type=Path, help="a built book; built now by default")
    parser.add_argument("--table", action="store_true", help="print what is kept; measure nothing")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(json.loads(RESULTS.read_text())))
        return
    html = (arguments.html or ROOT / "_build" / "html").resolve()
    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        print("not measured: no Chromium on this machine; `make browser` installs it")
        return
    if not arguments.html:
        subprocess.run(["lrlab", "book"], cwd=ROOT, check=True)
    elif not (html / "book" / "intro.html").is_file():
        sys.exit(f"{arguments.html} holds no built book; `lrlab book` makes it")
    results = {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "processors": len(os.sched_getaffinity(0)),
        "times": TIMES,
        "rows": measure(html, chromium),
    }
    keep(RESULTS, results, indent=1)


if __name__ == "__main__":
    main()
