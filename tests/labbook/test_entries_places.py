"""Around a run: where its result goes is tried first, and nothing that was computed is lost."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tiny_lab import files, lrlab

from lrlab.labbook.entries import BadInput, Request, RunFailed, log, run
from lrlab.labbook.entries._place import alone, held, keep, put

ROOT_MAY_WRITE_ANYWHERE = os.geteuid() == 0


@pytest.fixture
def no_kernel(monkeypatch):
    """Whatever starts a kernel fails the test."""
    monkeypatch.setattr(
        "lrlab.labbook.entries._runner.execute",
        lambda *_, **__: pytest.fail("a kernel was started"),
    )


def refused(root, *words):
    """The one sentence that refuses a command, which wrote nothing."""
    before = files(root)
    result = lrlab(root, "run", "tiny", *words)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("lrlab: ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 700
    assert files(root) == before
    return result.stderr


@pytest.mark.parametrize("place", ["file", "file/inside", "file/inside/deeper", "/dev/null"])
def test_a_place_that_can_not_be_written_is_found_before_the_kernel_starts(tiny, no_kernel, place):
    (tiny / "file").write_text("not a folder")
    assert "can't be written to" in refused(tiny, "--out", place)


def test_a_name_that_is_too_long_is_found_before_the_kernel_starts(tiny, no_kernel):
    assert "too long" in refused(tiny, "--out", "a" * 300)
    assert "too long" in refused(tiny, "--out", "a" * 240 + ".ipynb")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a file system without writers")
def test_a_file_system_that_takes_no_files_is_found_before_the_kernel_starts(tiny, no_kernel):
    assert "can't be written to" in refused(tiny, "--out", "/proc/look")


@pytest.mark.skipif(ROOT_MAY_WRITE_ANYWHERE, reason="root may write anywhere")
def test_a_folder_without_permission_is_found_before_the_kernel_starts(tiny, no_kernel):
    (tiny / "shut").mkdir(mode=0o500)
    assert "can't be written to" in refused(tiny, "--out", "shut")


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("", "--out is empty"),
        ("notebooks", "--out is in notebooks/"),
        ("notebooks/look.ipynb", "--out is in notebooks/"),
        ("tests/reference/deeper", "--out is in tests/reference/"),
        ("book/log", "--out names the log itself"),
        ("a.ipynb/", "is a folder, and the entry is a file"),
        ("data.ipynb", "data.json is there already, and is no record"),
    ],
)
def test_a_place_that_is_another_thing_s_is_refused(tiny, no_kernel, place, says):
    (tiny / "a.ipynb").mkdir()
    (tiny / "data.json").write_text('{"mine": 1}')
    assert says in refused(tiny, "--out", place)


def test_what_no_file_can_hold_is_refused(tiny, no_kernel):
    assert "bytes that are not UTF-8" in refused(tiny, "-p", "label", "\udcff")
    assert "bytes that are not UTF-8" in refused(tiny, "--supersedes", "x", "--reason", "\udcff")


def test_a_refusal_leaves_no_folder_behind(tiny, no_kernel):
    refused(tiny, "--out", "new/folder", "--supersedes", "x", "--reason", "y")
    assert not (tiny / "new").exists()


def test_the_second_of_two_equal_runs_is_told_of_the_first(tiny):
    results = {}

    def call(name):
        command = [sys.executable, "-m", "lrlab.cli", "run", "tiny", "-p", "seconds", "4"]
        done = subprocess.run(command, cwd=tiny, capture_output=True, text=True)
        results[name] = done.returncode, done.stderr

    threads = [threading.Thread(target=call, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(code for code, _ in results.values()) == [0, 2], results
    [said] = [text for code, text in results.values() if code == 2]
    assert "another process is making" in said or "the log has the entry" in said
    assert len(log(tiny)) == 1
    assert not list((tiny / "book" / "log").glob(".*"))


def test_a_place_is_held_by_one_process_and_free_when_it_was_killed(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from lrlab.labbook.entries._place import held\n"
        "with held(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    path = tmp_path / "folder" / "entry.ipynb"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(BadInput, match="another process is making entry"), held(path):
            pass
        process.kill()
    with held(path):
        assert path.parent.is_dir()
    assert files(tmp_path) == {}


def test_waiting_for_a_place_ends_when_it_is_free(tmp_path):
    order = []

    def first():
        with alone(tmp_path / "file"):
            entered.set()
            go_on.wait(10)
            order.append("first")

    entered, go_on = threading.Event(), threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(10)
    threading.Timer(0.2, go_on.set).start()
    with alone(tmp_path / "file", wait=10):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_an_entry_that_can_not_be_written_after_all_is_kept(tmp_path, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    path, kept = tmp_path / "log" / "entry.ipynb", tmp_path / "partial" / "entry.ipynb"
    with monkeypatch.context() as patch:
        patch.setattr("lrlab.labbook.entries._place.keep", lambda data, path: kept)
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(RunFailed, match=r"entry\.ipynb can't be written: No space") as caught:
            put(path, b"notebook", b"record", kept)
    assert caught.value.partial == kept
    assert files(tmp_path) == {}


def test_what_is_kept_goes_among_temporary_files_where_the_laboratory_is_shut(tmp_path):
    (tmp_path / "file").touch()
    kept = keep(b"notebook", tmp_path / "file" / "entry.ipynb")
    assert kept.read_bytes() == b"notebook"
    kept.unlink()


def test_a_target_that_appears_meanwhile_is_not_replaced(tiny, monkeypatch):
    from lrlab.labbook.entries import _runner

    executed = _runner.execute

    def slowly(notebook, root, **options):
        done = executed(notebook, root, **options)
        (tiny / "look.ipynb").write_text("mine")
        return done

    monkeypatch.setattr(_runner, "execute", slowly)
    with pytest.raises(RunFailed, match="holds look already") as caught:
        run(Request(tiny, "tiny", out=tiny / "look.ipynb"), progress=False)
    assert (tiny / "look.ipynb").read_text() == "mine"
    assert json.loads(caught.value.partial.read_bytes())["cells"]


def test_a_working_folder_that_is_gone_gives_one_sentence(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    command = f'cd {folder} && rmdir {folder} && exec "$0" -m lrlab.cli list'
    done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("lrlab: the working folder can't be found")
    assert "Traceback" not in done.stderr


def test_a_closed_output_is_no_traceback(logged):
    for closing in (">&-", "| true"):
        command = f'"$0" -m lrlab.cli list {closing}'
        done = subprocess.run(
            ["sh", "-c", command, sys.executable], cwd=logged, capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr
