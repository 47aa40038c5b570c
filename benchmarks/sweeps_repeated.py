"""Whole sweeps of the source's own size, again and again: 300 trials of W&B's search and rule.

What a search tends to do can't be told from one sweep. Each of these has a seed of its own, for
search, initial weights and data order, and counts once; the entries on the sweep read them. Runs
that the rule stops are trained to their end, for the analysis alone. A sweep is about 650 s of one
core. What is finished is kept: sweep by sweep in the results, run by run in the store, so that the
same command goes on after an interruption.

    python benchmarks/sweeps_repeated.py [--sweeps 8] [--trials 300] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import joblib
from _results import keep, rounded

from lrlab.experiments import surnames
from lrlab.experiments.bayesian_sweep import repeat

RESULTS = Path(__file__).parent / "results" / "sweeps_repeated.json"
FIRST_SEED = 50_000
DIGITS = 5  # of a loss or a position


def main() -> None:
    """Carry out the sweeps that are missing, a few beside one another; write after each few."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sweeps", type=int, default=8)
    parser.add_argument("--trials", type=int, default=300)
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--eval-every", type=int, default=10)
    parser.add_argument("--n-eval", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--jobs", type=int, default=joblib.cpu_count())
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    size = {name: getattr(asked, name) for name in ("trials", "updates", "eval_every", "n_eval")}
    plan = surnames.bayesian(**size)
    known = json.loads(asked.out.read_text("utf-8")) if asked.out.exists() else {"size": size}
    if known["size"] != size:
        parser.error(f"{asked.out} holds sweeps of another size, {known['size']}; say --out")
    done = {sweep["seed"]: sweep for sweep in known.get("sweeps", [])}
    seeds = range(asked.first_seed, asked.first_seed + asked.sweeps)
    missing = [seed for seed in seeds if seed not in done]
    began = time.monotonic()
    for first in range(0, len(missing), asked.jobs):
        some = missing[first : first + asked.jobs]

        def told(trial: int, first: int = first, some: list[int] = some) -> None:
            if trial % 10 == 0 or trial == asked.trials:
                passed = time.monotonic() - began
                share = (first * asked.trials + trial * len(some)) / (len(missing) * asked.trials)
                print(
                    f"seeds {', '.join(map(str, some))}: {trial} of {asked.trials} trials; "
                    f"{share:.0%} in {passed:.0f} s, {passed / share - passed:.0f} s to go",
                    flush=True,
                )

        for sweep in repeat(plan, some, told=told, n_jobs=asked.jobs):
            done[sweep.seed] = rounded(sweep.to_dict(), DIGITS)
        sweeps = [done[seed] for seed in sorted(done)]
        keep(asked.out, {"schema": 1, "size": size, "sweeps": sweeps})
    print(f"{asked.out}: {len(done)} sweeps, {len(missing)} of them new")


if __name__ == "__main__":
    main()
