"""Sweeps that are killed at any moment go on, and end as if nothing had happened."""

import contextlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from joblib.externals.loky import get_reusable_executor
from optuna.trial import TrialState
from sweep_fakes import EVALUATIONS, Formula, plan, table, whole

from lrlab.sweep import asynchronous, open_study, sweep, trials
from lrlab.sweep._book import Book
from lrlab.sweep.asynchronous import join
from lrlab.sweep.storage import connect
from lrlab.training.parallel import WorkerKilled

FORK = multiprocessing.get_context("fork")
TRIALS = 20


def carry_out(url: str, diary: str, workers: int) -> None:
    os.setpgrp()
    trainer = Formula(delay=0.001, diary=diary)
    sweep(plan(trials=TRIALS), storage=url, trainer=trainer, n_jobs=workers, progress=False)


def until_finished(target, arguments: tuple, kills: int, seed: int, longest: float) -> int:
    """Begin again and again, killing whole process groups, then let it finish; count the kills."""
    chance, killed = random.Random(seed), 0
    while True:
        process = FORK.Process(target=target, args=arguments)
        process.start()
        process.join(chance.random() * longest if killed < kills else None)
        if process.exitcode is not None:
            assert process.exitcode == 0
            return killed
        os.kill(process.pid, signal.SIGKILL)  # the parent; then its workers, if it has any
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        killed += 1


def half_a_search(folder: Path) -> float:
    """Half of the seconds that one search takes, here and now, when nobody kills it."""
    began = time.monotonic()
    arguments = f"sqlite:///{folder / 'whole.db'}", str(folder / "whole.txt"), 1
    until_finished(carry_out, arguments, kills=0, seed=0, longest=0.0)
    return (time.monotonic() - began) / 2


def test_thirty_kills_at_random_times_change_nothing(tmp_path):
    """Each begins where the one before was killed; a study that is finished begins anew."""
    expected, killed, studies, longest = whole(trials=TRIALS), 0, 0, half_a_search(tmp_path)
    while killed < 30:
        url = f"sqlite:///{tmp_path / f'{studies}.db'}"
        diary = str(tmp_path / f"{studies}.txt")
        killed += until_finished(carry_out, (url, diary, 1), 30 - killed, studies, longest)
        study = open_study(None, url, "sweep")
        assert table(trials(study)) == expected
        studies += 1
        assert studies < 60, "the kills come too late to meet anything"


def carry_out_in_two(url: str, diary: str | None = None) -> None:
    os.setpgrp()
    trainer = Formula(delay=0.4, diary=diary)
    with contextlib.suppress(WorkerKilled):
        sweep(plan(trials=TRIALS), storage=url, trainer=trainer, n_jobs=2, progress=False)


def workers_of(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if child.name() == "popen_loky"]


@pytest.mark.usefixtures("quick_workers")
@pytest.mark.parametrize("whom", ["workers", "parent", "all"])
def test_kills_of_workers_of_the_parent_and_of_all_change_nothing(tmp_path, whom):
    get_reusable_executor().shutdown(wait=True)  # a fork would take it for its own, and wait
    url, chance, kills = f"sqlite:///{tmp_path / 'study.db'}", random.Random(whom), 0
    while kills < 2:
        diary = tmp_path / f"{kills}.txt"
        process = FORK.Process(target=carry_out_in_two, args=(url, str(diary)))
        process.start()
        while process.is_alive() and not diary.exists():
            time.sleep(0.01)
        process.join(chance.uniform(0.1, 0.8))
        assert process.is_alive(), "the kill comes too late to meet anything"
        victims = workers_of(process.pid)
        assert len(victims) == 2
        if whom != "workers":
            os.kill(process.pid, signal.SIGKILL)
        if whom != "parent":
            for victim in victims:
                with contextlib.suppress(psutil.NoSuchProcess):
                    victim.kill()
        process.join()
        assert process.exitcode == (0 if whom == "workers" else -signal.SIGKILL)
        kills += 1
    study = sweep(plan(trials=TRIALS), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    assert table(trials(study)) == whole(trials=TRIALS)


@pytest.mark.parametrize("rule", ["successive-halving", "hyperband"])
def test_an_interruption_between_two_judgements_changes_nothing(tmp_path, rule, monkeypatch):
    """The rungs that Optuna's rules keep in mind come back as they were, judged or not yet."""
    chosen = {"rule": rule, "min_resource": 2, "reduction_factor": 2}
    chosen |= {"max_resource": EVALUATIONS} if rule == "hyperband" else {}
    expected, url = whole(rule=chosen), f"sqlite:///{tmp_path / 'study.db'}"
    tell, told, studies = Book._tell, [], []

    def interrupted(book, number, *outcome):
        told.append(number)
        if len(told) % 7 == 0:
            raise InterruptedError
        tell(book, number, *outcome)

    monkeypatch.setattr(Book, "_tell", interrupted)
    while not studies:
        with contextlib.suppress(InterruptedError):
            studies.append(
                sweep(plan(rule=chosen), storage=url, trainer=Formula(), n_jobs=1, progress=False)
            )
    assert table(trials(studies[0])) == expected
    assert len(told) > TRIALS


def test_a_finished_trial_is_never_trained_again(tmp_path):
    url, diary = f"sqlite:///{tmp_path / 'study.db'}", tmp_path / "diary.txt"
    until_finished(carry_out, (url, str(diary), 1), 6, 0, half_a_search(tmp_path))
    before = diary.read_text()
    carried = sweep(
        plan(trials=TRIALS),
        storage=url,
        trainer=Formula(diary=str(diary)),
        n_jobs=1,
        progress=False,
    )
    assert diary.read_text() == before
    assert len(trials(carried)) == TRIALS
    # Each (trial, rung) may be worked on once more for each kill, never in a process that came
    # after its result was written down.
    calls = Counter(line.split(" ", 1)[1] for line in before.splitlines())
    assert max(calls.values()) <= 1 + 6


@pytest.mark.usefixtures("quick_workers")
def test_killed_workers_are_reported_and_the_same_call_goes_on(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    with pytest.raises(RuntimeError, match="was killed"):
        sweep(plan(), storage=url, trainer=Deadly(tmp_path), n_jobs=2, progress=False)
    study = sweep(plan(), storage=url, trainer=Deadly(tmp_path), n_jobs=2, progress=False)
    assert table(trials(study)) == whole()


class Deadly:
    """The formula, but the third call kills its own process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, plan, params, evaluation):
        (self.folder / f"call-{os.getpid()}-{time.time_ns()}").touch()
        marker = self.folder / "killed"
        if len(list(self.folder.glob("call-*"))) >= 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Formula()(plan, params, evaluation)


def test_a_second_program_in_lockstep_on_one_file_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    began = FORK.Event()
    process = FORK.Process(target=hold, args=(url, began))
    process.start()
    try:
        assert began.wait(60)
        with pytest.raises(ValueError, match=r"another process works on study\.db already"):
            sweep(plan(), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    finally:
        process.kill()
        process.join()
    study = sweep(plan(), storage=url, trainer=Formula(), n_jobs=1, progress=False)
    assert table(trials(study)) == whole()


def hold(url: str, began) -> None:
    from lrlab.sweep._place import alone

    with alone(url):
        began.set()
        time.sleep(600)


def work(url: str) -> None:
    join(
        plan(trials=TRIALS, sampler="random"),
        url,
        trainer=Formula(delay=0.004),
        n_jobs=1,
        heartbeat=1,
    )


def test_a_worker_that_finds_no_trial_left_waits_for_the_others(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = open_study(plan(trials=TRIALS, sampler="random"), url, "sweep")
    running = [study.ask() for _ in range(TRIALS)]
    process = FORK.Process(target=work, args=(url,))
    process.start()
    time.sleep(2)
    for trial in running:
        study.tell(trial, 1.0)
    process.join()
    assert process.exitcode == 0
    assert len(study.get_trials()) == TRIALS


def test_a_trial_whose_worker_was_killed_before_its_first_sign_of_life_is_done_anew(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(asynchronous, "PATIENCE", 0)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    silent = open_study(plan(trials=TRIALS, sampler="random"), url, "sweep").ask()
    process = FORK.Process(target=work, args=(url,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    found = trials(open_study(None, url, "sweep"))
    assert silent.number not in {trial.number for trial in found}
    assert len([trial for trial in found if trial.outcome != "interrupted"]) == TRIALS


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_trial_that_waits_is_taken_by_one_worker_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = open_study(plan(trials=TRIALS, sampler="random"), url, "sweep")
    for _ in range(TRIALS):
        study.enqueue_trial({"peak_lr": 0.1})
    waiting = [trial._trial_id for trial in study.get_trials()]
    together, taken = FORK.Barrier(4), FORK.Queue()
    arguments = (url, waiting, together, taken)
    processes = [FORK.Process(target=take, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    got = [trial for _ in processes for trial in taken.get(timeout=60)]
    for process in processes:
        process.join()
    assert sorted(got) == waiting


def take(url: str, waiting: list[int], together, taken) -> None:
    storage = connect(url, heartbeat=30)
    got = []
    for trial in waiting:
        together.wait(60)
        if storage.set_trial_state_values(trial, TrialState.RUNNING):
            got.append(trial)
    taken.put(got)


def test_several_programs_share_an_asynchronous_study_and_a_killed_one_loses_nothing(
    tmp_path, monkeypatch
):
    # The one that is killed may not yet have given a sign of life; that all open the study may
    # still take as long as it does.
    opened = asynchronous.alone
    monkeypatch.setattr(asynchronous, "alone", lambda storage, wait: opened(storage, wait=60))
    monkeypatch.setattr(asynchronous, "PATIENCE", 2)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    open_study(plan(trials=TRIALS, sampler="random"), url, "sweep")
    processes = [FORK.Process(target=work, args=(url,)) for _ in range(3)]
    for process in processes:
        process.start()
    time.sleep(0.3)
    processes[0].kill()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes[1:]] == [0, 0]
    found = trials(open_study(None, url, "sweep"))
    ended = [trial for trial in found if trial.outcome != "interrupted"]
    assert len(ended) >= TRIALS  # more where the machine kept a living one silent for so long
    assert len({repr(trial.params) for trial in ended}) == TRIALS
    assert {len(t.values) for t in ended if t.outcome == "completed"} == {EVALUATIONS}
