"""Several programs share one asynchronous study in a real PostgreSQL."""

import multiprocessing
import tempfile
from pathlib import Path

import pytest
from sweep_fakes import Formula, plan, table, whole

from lrlab.sweep import open_study, sweep, trials
from lrlab.sweep.asynchronous import join

FORK = multiprocessing.get_context("fork")
TRIALS = 16


@pytest.fixture(scope="module")
def url():
    with (
        tempfile.TemporaryDirectory(prefix="lrlab-postgres-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("XDG_RUNTIME_DIR", folder)
        import pgserver

        Path(folder).chmod(0o755)  # the server gives up root's rights
        server = pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


def work(url: str) -> None:
    join(
        plan(trials=TRIALS, sampler="random"),
        url,
        name="shared",
        trainer=Formula(delay=0.01),
        n_jobs=1,
        heartbeat=5,
    )


def test_a_study_in_lockstep_is_the_same_in_every_storage(url):
    study = sweep(plan(), storage=url, name="lockstep", trainer=Formula(), n_jobs=1, progress=False)
    assert table(trials(study)) == whole()
    again = sweep(plan(), storage=url, name="lockstep", trainer=Formula(), n_jobs=1, progress=False)
    assert table(trials(again)) == whole()


@pytest.mark.slow
def test_several_programs_join_one_study_and_no_trial_is_counted_twice(url):
    open_study(plan(trials=TRIALS, sampler="random"), url, "shared")
    processes = [FORK.Process(target=work, args=(url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    found = [t for t in trials(open_study(None, url, "shared")) if t.outcome != "interrupted"]
    assert len(found) == TRIALS
    assert len({repr(trial.params) for trial in found}) == TRIALS
