"""The study that a sweep decides by, and what is written of it."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial

from lrlab.sweep import rules, sampling
from lrlab.sweep._seal import RUNG, SEAL, recorded, seal
from lrlab.sweep._storage_writer import Kept
from lrlab.sweep.search import Search
from lrlab.sweep.workers import Progress


def _rungs(trial: FrozenTrial) -> dict[str, Any]:
    """What was noted when a kept trial was judged, unless it is going to be judged there again."""
    said = trial.user_attrs
    noted = {int(key.rpartition(" ")[2]): said[key] for key in said if key.startswith(RUNG)}
    if trial.state == TrialState.RUNNING:
        return noted.get(said.get("judged", 0), {})
    return noted[max(noted)] if noted else {}


class Book:
    """The study in memory, which decides, and the kept one, which is told whatever happened."""

    def __init__(self, plan: Search, name: str, kept: Kept | None) -> None:
        self.plan, self._kept = plan, kept
        self._worst = -math.inf if plan.maximizes else math.inf
        self._storage = optuna.storages.InMemoryStorage()
        self.study = optuna.create_study(
            study_name=name,
            storage=self._storage,
            direction="maximize" if plan.maximizes else "minimize",
            pruner=rules.make(plan.rule),
        )
        self._study_id = self._storage.get_study_id_from_name(name)
        self.study.set_user_attr("plan", plan.to_dict())
        self._first: dict[str, int] = {}  # trials by their hyperparameters
        if kept is not None:
            for trial in map(copy.deepcopy, recorded(kept.study)):
                trial.system_attrs = trial.system_attrs | _rungs(trial)
                self.study.add_trial(trial)
                self._first.setdefault(self._text(trial.number), trial.number)

    def __getitem__(self, number: int) -> FrozenTrial:
        return self.study.get_trials(deepcopy=False)[number]

    def _id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._study_id, number)

    def _text(self, number: int) -> str:
        return json.dumps(self.params(number), sort_keys=True)

    def params(self, number: int) -> dict[str, Any]:
        """What a trial tries."""
        trial = self[number]
        return dict(trial.user_attrs.get("params", trial.params))

    def original(self, number: int) -> int:
        """The first trial with the same hyperparameters."""
        return self._first[self._text(number)]

    def progress(self, number: int) -> Progress | None:
        """What is known of a trial that has ended, or of one that waits at a rung."""
        trial, said = self[number], self[number].user_attrs
        values = tuple(trial.intermediate_values[k] for k in sorted(trial.intermediate_values))
        outcome = said.get("outcome")
        if outcome is None and not values:
            return None
        return Progress(
            values=values,
            steps=tuple(said.get("steps", ()))[: len(values)],
            diverged=outcome == "diverged",
            seconds=0.0,
            run_key=said.get("run_key"),
            ended=outcome in ("completed", "diverged", "failed"),
            failed=said.get("reason"),
        )

    def waits(self, number: int, stage: int) -> bool:
        """Whether a trial is to be trained up to this stage."""
        trial = self[number]
        judged = trial.user_attrs.get("judged", 0)
        return trial.state == TrialState.RUNNING and judged < stage

    def ask(self, wave: Iterable[int]) -> None:
        """Ask for those trials of a wave that there are not yet."""
        wave = list(wave)
        known = self.study.get_trials(deepcopy=False)
        began = sum(
            (t.user_attrs.get("steps") or [0])[-1]
            for t in known[: wave[0]]
            if "same_as" not in t.user_attrs
        )
        for number in wave:
            if number < len(known):
                continue
            values = sampling.fixed(self.plan, number)
            if values is not None:
                raw = {n: self.plan.space[n].raw(v) for n, v in values.items()}
                self.study.enqueue_trial(raw)
            self.study.sampler = sampling.sampler(self.plan, number)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                self.study.ask(sampling.distributions(self.plan.space))
            asked = self[number]
            notes: dict[str, Any] = {"began": began}
            meant = values or {n: self.plan.space[n].value(v) for n, v in asked.params.items()}
            if meant != asked.params:
                notes["params"] = meant
            if self._kept is not None:
                self._kept.add(
                    number,
                    create_trial(
                        state=TrialState.RUNNING,
                        params=asked.params,
                        distributions=asked.distributions,
                        system_attrs=asked.system_attrs,
                        user_attrs=notes,
                    ),
                )
            self._note(number, notes, kept=False)
            self._first.setdefault(self._text(number), number)

    def report(self, number: int, found: Progress, same_as: int | None = None) -> None:
        """Write down what was measured; in any order, since nothing is decided by it yet."""
        known = self[number].intermediate_values
        new = {k: v for k, v in enumerate(found.values, start=1) if k not in known}
        for index, value in new.items():
            self._storage.set_trial_intermediate_value(self._id(number), index, value)
        notes: dict[str, Any] = {"steps": list(found.steps), "run_key": found.run_key}
        notes["seconds"] = found.seconds if same_as is None else 0.0
        if same_as is not None:
            notes["same_as"] = same_as
        if math.isfinite(found.start):
            notes["start"] = found.start
        self._note(number, notes, kept=False)
        if self._kept is not None:
            self._kept.note(number, notes, new)

    def judge(self, results: Mapping[int, Progress], stage: int) -> list[int]:
        """End those that failed, diverged, are complete or are stopped by the rule; name these."""
        stopped = []
        for number in sorted(results):
            found = results[number]
            if found.failed is not None:
                self._note(number, {"reason": found.failed})
                self._tell(number, "failed", TrialState.FAIL)
            elif found.diverged:
                self._tell(number, "diverged", TrialState.COMPLETE, self._worst)
            elif found.ended or stage == self.plan.evaluations:
                self._tell(number, "completed", TrialState.COMPLETE, found.values[-1])
            elif self._is_stopped(number, stage):
                self._tell(number, "stopped", TrialState.PRUNED)
                stopped.append(number)
            else:
                self._note(number, {"judged": stage})
        return stopped

    def _is_stopped(self, number: int, stage: int) -> bool:
        stopped = optuna.trial.Trial(self.study, self._id(number)).should_prune()
        # What Optuna's rules note of a trial counts for the others, after an interruption too.
        if noted := {k: v for k, v in self[number].system_attrs.items() if k.startswith(RUNG)}:
            self._note(number, {f"{RUNG}s at {stage}": noted})
        return stopped

    def _tell(
        self, number: int, outcome: str, state: TrialState, value: float | None = None
    ) -> None:
        self._note(number, {"outcome": outcome}, kept=False)
        sealed = {SEAL: seal(self[number])}
        self._note(number, sealed, kept=False)
        self.study.tell(number, value, state=state)
        if self._kept is not None:
            self._kept.note(number, {"outcome": outcome} | sealed)
            self._kept.end(self[number])

    def _note(self, number: int, attributes: Mapping[str, Any], *, kept: bool = True) -> None:
        for key, value in attributes.items():
            self._storage.set_trial_user_attr(self._id(number), key, value)
        if kept and self._kept is not None:
            self._kept.note(number, attributes)
