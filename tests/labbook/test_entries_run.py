import contextlib
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from tiny_lab import files, lrlab

from lrlab.labbook import releases
from lrlab.labbook.entries import Request, RunFailed, _dry_run, log, run
from lrlab.labbook.entries._listener import Listener
from lrlab.labbook.entries.laboratory import git
from lrlab.labbook.ledger import joined


def write_source(root, old, new):
    path = root / "notebooks" / "tiny.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def commit(root):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, *identity, "commit", "-q", "-m", "as it is")
    return git(root, "rev-parse", "HEAD")


def test_an_entry_is_a_dated_page_of_the_log_with_its_claims(logged):
    [entry] = log(logged)
    metadata = entry.notebook().metadata
    assert entry.name == f"{entry.record['date']}-tiny"
    assert (metadata["blogpost"], metadata["date"]) == ("true", entry.record["date"])
    assert (metadata["category"], metadata["tags"]) == ("experiment", "fixture, sums")
    assert metadata["lrlab"]["question"] == "Do the parts add up?"
    assert [c["verdict"] for c in entry.claims()] == ["supported", "supported"]
    last = entry.notebook().cells[-1]
    assert last.source == "## Reproduce\n\n```bash\nlrlab run tiny\n```"
    assert not list((logged / "book" / "log").glob(".*"))


def test_two_runs_of_one_command_are_equal_byte_for_byte(tiny, cold_kernels):
    for folder in ("a", "b"):
        result = lrlab(tiny, "run", "tiny", "-p", "rate", "1e-1", "--smoke", "--out", folder)
        assert result.exit_code == 0, result.output
    [a], [b] = ((tiny / folder).glob("*.ipynb") for folder in ("a", "b"))
    assert a.name == b.name
    assert a.name.endswith("-tiny-smoke-rate-0.1.ipynb")
    assert a.read_bytes() == b.read_bytes()
    outputs = [o for c in nbformat.read(a, as_version=4).cells for o in c.get("outputs", [])]
    assert sum("image/png" in o.get("data", {}) for o in outputs) == 1
    assert log(tiny) == []
    record = json.loads(a.with_suffix(".json").read_text())
    assert (record["size"], record["changed"]) == ("smoke", {"rate": 0.1})
    assert (record["parameters"]["n"], record["runs"]) == (5, ["run-5"])
    assert record["command"] == "lrlab run tiny --smoke -p rate 0.1"


REFUSED = {
    "unknown notebook": (["run", "tinny"], "there is no notebook 'tinny'; did you mean tiny?"),
    "unknown parameter": (["run", "tiny", "-p", "rat", "1"], "did you mean rate?"),
    "wrong type": (["run", "tiny", "-p", "rate", "fast"], "rate must be a float, got 'fast'"),
    "not finite": (["run", "tiny", "-p", "rate", "nan"], "rate must be finite, got 'nan'"),
    "given twice": (["run", "tiny", "-p", "n", "1", "-p", "n", "2"], "n is given twice"),
    "setup refuses": (["run", "tiny", "-p", "rate", "-1"], "rate must be positive, got rate=-1.0"),
    "no reason": (["run", "tiny", "--supersedes", "x"], "belong together"),
    "no such entry": (["run", "tiny", "--supersedes", "x", "--reason", "y"], "no entry 'x'"),
    "out is the log": (["run", "tiny", "--out", "book/log"], "--out names the log itself"),
    "out supersedes": (
        ["run", "tiny", "--out", "o", "--supersedes", "x", "--reason", "y"],
        "it can't go with --out",
    ),
    "params of none": (["params", "tinny"], "did you mean tiny?"),
    "reference of none": (["reference", "tinny"], "did you mean tiny?"),
    "rerun of none": (["rerun", "2026-01-01-tiny"], "the log has no entry '2026-01-01-tiny'"),
    "no book": (["open"], "make book renders it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_one_sentence_and_nothing_is_written(tiny, case):
    arguments, message = REFUSED[case]
    before = files(tiny)
    result = lrlab(tiny, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.startswith("lrlab: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert files(tiny) == before


def test_a_folder_that_is_no_laboratory_is_refused(tmp_path):
    result = lrlab(tmp_path, "run", "tiny")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "not in a laboratory" in result.stderr
    assert files(tmp_path) == {}


def test_the_same_command_on_the_same_day_is_refused_and_names_the_entry(with_entry):
    before, [entry] = files(with_entry), log(with_entry)
    result = lrlab(with_entry, "run", "tiny", "-p", "rate", "0.5")
    assert result.exit_code == 2
    assert f"the log has the entry {entry.name} already" in result.stderr
    assert files(with_entry) == before


def test_a_released_entry_is_not_replaced(with_entry):
    releases.seal(with_entry, "1.0.0")
    before, [entry] = files(with_entry), log(with_entry)
    result = lrlab(with_entry, "run", "tiny", "--replace")
    assert result.exit_code == 2
    assert f"the entry {entry.name} was released with 1.0.0" in result.stderr
    assert files(with_entry) == before


def test_replacing_renews_an_entry_and_keeps_what_it_supersedes(with_entry):
    [entry] = log(with_entry)
    older = entry.record | {"entry": "2026-01-01-tiny", "date": "2026-01-01"}
    entry.path.with_name("2026-01-01-tiny.json").write_text(json.dumps(older))
    entry.path.with_name("2026-01-01-tiny.ipynb").write_bytes(entry.path.read_bytes())
    supersedes = {"entry": "2026-01-01-tiny", "reason": "more parts"}
    entry.path.with_suffix(".json").write_text(
        json.dumps(entry.record | {"supersedes": supersedes})
    )
    made_at = commit(with_entry)
    write_source(with_entry, '"parts", n', '"pieces", n')
    result = lrlab(with_entry, "run", "tiny", "--replace")
    assert result.exit_code == 0, result.output
    old, new = log(with_entry)
    assert (old.superseded_by, new.record["supersedes"]) == (new.name, supersedes)
    assert "pieces 6" in new.path.read_text()
    assert (new.record["commit"], new.record["dirty"]) == (made_at, True)
    again = Request(with_entry, "tiny", supersedes="2026-01-01-tiny", reason="x", out=None)
    with pytest.raises(Exception, match="the log has the entry"):
        run(again)


def test_an_entry_takes_the_place_of_one_of_its_own_notebook_only(with_entry):
    [entry] = log(with_entry)
    other = entry.record | {"entry": "2026-01-01-other", "notebook": "other"}
    entry.path.with_name("2026-01-01-other.json").write_text(json.dumps(other))
    entry.path.with_name("2026-01-01-other.ipynb").write_bytes(entry.path.read_bytes())
    before = files(with_entry)
    result = lrlab(
        with_entry,
        "run",
        "tiny",
        "-p",
        "n",
        "7",
        "--supersedes",
        "2026-01-01-other",
        "--reason",
        "x",
    )
    assert result.exit_code == 2
    assert "2026-01-01-other is an entry of other, not of tiny" in result.stderr
    assert files(with_entry) == before


def test_a_failing_cell_leaves_the_log_alone_and_says_where_the_notebook_lies(tiny):
    result = lrlab(tiny, "run", "tiny", "-p", "fails", "true")
    assert result.exit_code == 1
    assert "cell 5 failed: RuntimeError: the parts are gone" in result.stderr
    [partial] = (tiny / ".lrlab" / "partial").glob("*.ipynb")
    assert str(partial.relative_to(tiny)) in result.stderr
    assert "the sum is" in partial.read_text()
    assert not (tiny / "book").exists()


def test_a_kernel_that_dies_is_a_failure(tiny):
    write_source(tiny, "raise RuntimeError", "os._exit(1)  # ")
    result = lrlab(tiny, "run", "tiny", "-p", "fails", "true")
    assert result.exit_code == 1
    assert "the kernel died" in result.stderr
    assert ".lrlab/partial/" in result.stderr
    assert not (tiny / "book").exists()


def test_an_output_that_can_not_be_published_fails_the_run(tiny):
    write_source(tiny, "They do.\n", 'They do.\n# %%\nprint("in", os.getcwd())\n# %% [markdown]\n')
    with pytest.raises(RunFailed, match="cell 4 shows a path of this machine") as caught:
        run(Request(tiny, "tiny", out=tiny / "out"), progress=False)
    assert caught.value.partial.exists()
    assert not (tiny / "out").exists()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_kernel_and_leaves_the_log_alone(tiny, ending):
    command = [sys.executable, "-m", "lrlab.cli", "run", "tiny", "-p", "seconds", "60"]
    process = subprocess.Popen(
        command, cwd=tiny, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interruptions
    )
    bar = ""
    while "tiny:" not in bar:  # then the result cell has begun
        assert process.poll() is None, bar
        bar += process.stderr.read(1)
    began = time.monotonic()
    process.send_signal(ending)
    _, errors = process.communicate(timeout=180)
    assert process.returncode == 1
    assert time.monotonic() - began < 20
    [partial] = (tiny / ".lrlab" / "partial").glob("*.ipynb")
    said = [line for line in errors.splitlines() if line and "0/1 [" not in line]
    assert said == [
        "lrlab: interrupted; the log is untouched; "
        f"the notebook so far is {partial.relative_to(tiny)}"
    ]
    assert not (tiny / "book").exists()
    assert not children_of_kernels(str(tiny))


def _heed_interruptions():
    # What runs in the background of a shell ignores SIGINT, and so would its children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def children_of_kernels(folder):
    """Kernels that still run in this laboratory."""
    import psutil

    return [p for p in psutil.process_iter() if _cwd(p).startswith(folder) and p.pid != os.getpid()]


def _cwd(process):
    import psutil

    try:
        return process.cwd()
    except psutil.Error:
        return ""


def test_verdicts_that_another_processor_changes_are_marked_fragile(tiny):
    result = lrlab(tiny, "run", "tiny", "--check-portable")
    assert result.exit_code == 0, result.output
    [entry] = log(tiny)
    assert entry.record["fragile"] == ["tiny.wide"]
    assert entry.record["portable_check"] == {
        "profile": "foreign",
        "verdicts": {"tiny.sum": "supported", "tiny.wide": "contradicted"},
    }
    verdicts = {claim.id: claim.verdict for claim in joined(entry)}
    assert verdicts["tiny.wide"] == "inconclusive (fragile)"
    assert verdicts["tiny.sum"] == "supported"
    assert entry.record["command"] == "lrlab run tiny --check-portable"
    again = lrlab(tiny, "rerun")
    assert (again.exit_code, again.stdout.split()[0]) == (0, "identical"), again.output


def test_a_dry_run_says_what_would_be_trained_and_writes_nothing(tiny):
    before = files(tiny)
    result = lrlab(tiny, "run", "tiny", "--dry-run")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("0 runs: 0 in the store, 0 to be trained\n")
    assert files(tiny) == before


def test_a_run_that_is_not_for_the_log_moves_its_seeds_unless_told_otherwise(tiny):
    write_source(tiny, "fails: bool", "first_seed: int = 50_000  # [0..] of the block\nfails: bool")
    for words, expected in (((), 550_000), (("-p", "first_seed", "7"), 7)):
        result = lrlab(tiny, "run", "tiny", *words, "--out", f"out-{expected}")
        assert result.exit_code == 0, result.output
        [record] = (tiny / f"out-{expected}").glob("*.json")
        assert json.loads(record.read_text())["parameters"]["first_seed"] == expected
    lrlab(tiny, "run", "tiny")
    assert log(tiny)[0].record["parameters"]["first_seed"] == 50_000


def executed_here(notebook, root):
    """Stands in for a kernel: the cells are executed in this process."""
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()) as said:
                exec(cell.source, names)
            cell.outputs = [nbformat.v4.new_output("stream", text=said.getvalue())]
    return SimpleNamespace(notebook=notebook)


def test_a_dry_run_counts_what_depends_on_results_and_gives_a_range(tiny, monkeypatch):
    later = 'plan = []\nlater = {"at the tuned rates": 4, "until the rule stops": (2, n)}\n'
    write_source(tiny, "plan = []\n", later)
    result = lrlab(tiny, "run", "tiny", "--dry-run", "-p", "n", "9")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-3:] == [
        "then 4 runs more: at the tuned rates",
        "then 2 to 9 runs more: until the rule stops",
        "6 to 13 runs in all",
    ]
    monkeypatch.setattr(_dry_run, "execute", executed_here)
    assert _dry_run.dry_run(Request(tiny, "tiny")).later["at the tuned rates"] == (4, 4)


@pytest.mark.parametrize("later", ["3", '{"x": "y"}', '{"x": (3, 1)}', '{"x": -1}'])
def test_a_count_that_is_none_is_refused(tiny, later, monkeypatch):
    monkeypatch.setattr(_dry_run, "execute", executed_here)
    write_source(tiny, "plan = []\n", f"plan = []\nlater = {later}\n")
    with pytest.raises(RunFailed, match="`later` is no dict of numbers or pairs"):
        _dry_run.dry_run(Request(tiny, "tiny"))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("runs = train_many(plan)", False),
        ("runs = train_many(plan, progress=False)", False),
        ("runs = lrlab.train_many({s: job(s) for s in seeds})", True),
        ("study = sweep(plan_of_sweep)", True),
        ("result = range_test(task, recipe)", True),
        ("there = train_under_profile('foreign', plan)", True),
        ("print(trained, plan)", False),
        ("%timeit train(task)", False),
    ],
)
def test_a_cell_that_trains_more_than_the_plan_is_found(code, more):
    cell = nbformat.v4.new_code_cell(code)
    found = _dry_run._training_cells(nbformat.v4.new_notebook(cells=[cell]))
    assert found == ([0] if more else [])


def test_a_dry_run_names_the_cells_that_train_more_and_what_the_last_entry_had(logged, tmp_path):
    root = Path(shutil.copytree(logged, tmp_path / "lab"))
    write_source(root, 'print("parts", n)\n', 'print("parts", n)\nif fails: sweep(n)\n')
    said = lrlab(root, "run", "tiny", "--dry-run").stdout.splitlines()
    assert said[-2] == "cell 4 trains more, which may depend on these results"
    assert said[-1].startswith(f"{log(root)[0].name} has 1 runs in ")


def test_what_an_entry_read_is_in_its_record(with_entry):
    [older] = log(with_entry)
    reading = (
        "They do.\n# %%\nfrom lrlab.labbook.entries import find, find_root\n"
        f"entry = find(find_root(), {older.name!r})\nprint(len(entry.claims()))\n"
        "print(open('../benchmarks/raw.json').read(), (find_root() / '_toc.yml').read_text())\n"
        "# %% [markdown]\n"
    )
    (with_entry / "benchmarks").mkdir()
    (with_entry / "benchmarks" / "raw.json").write_text("[1]")
    write_source(with_entry, "They do.\n", reading)
    result = lrlab(with_entry, "run", "tiny", "--out", "look")
    assert result.exit_code == 0, result.output
    [file] = (with_entry / "look").glob("*.json")
    record = json.loads(file.read_text())
    sha256 = older.record["entry_sha256"]
    assert record["inputs"] == [
        {"kind": "entry", "name": older.name, "sha256": sha256},
        {
            "kind": "file",
            "name": "benchmarks/raw.json",
            "sha256": hashlib.sha256(b"[1]").hexdigest(),
        },
    ]


def test_the_time_from_an_empty_store_counts_what_stored_runs_took(tmp_path):
    told = tmp_path / "told"
    cores = os.cpu_count()
    lines = [
        {
            "event": "run",
            "key": "a",
            "stored": True,
            "status": "completed",
            "seconds": 10.0 * cores,
        },
        {"event": "run", "key": "b", "stored": False, "status": "completed"},
        {"event": "run", "key": "b", "stored": True, "status": "completed", "seconds": 99.0},
        {"event": "input", "what": "file", "name": "x.json", "sha256": "0" * 64},
    ]
    told.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Listener(told, "") as listener:
        pass
    assert (sorted(listener.runs), sorted(listener.trained)) == (["a", "b"], ["b"])
    assert listener.seconds_from_empty(2.5) == 12.5
    assert [one["name"] for one in listener.inputs.values()] == ["x.json"]
    told.write_text(json.dumps({"event": "run", "key": "c", "stored": True, "status": "x"}) + "\n")
    with Listener(told, "") as unknown:
        pass
    assert unknown.seconds_from_empty(2.5) is None
