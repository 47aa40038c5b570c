"""`lrlab rerun --check-portable`: the stand-in is executed, and held against what is stored."""

import json
import signal
import subprocess
import sys
import time

import pytest
from tiny_lab import files, lrlab

from lrlab.labbook import releases
from lrlab.labbook.entries import RunFailed, log, portability
from lrlab.labbook.entries import _record as records
from lrlab.labbook.ledger import joined
from lrlab.labbook.site import _record as shown

FLIPPED = {
    "profile": "foreign",
    "verdicts": {"tiny.sum": "supported", "tiny.wide": "contradicted"},
}


def check(root, *words):
    return lrlab(root, "rerun", "--check-portable", *words)


def change_source(root, old, new):
    path = root / "notebooks" / "tiny.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def reseal(root, **fields):
    """Change the record of the one entry as if it had been written so."""
    [entry] = log(root)
    entry.path.with_suffix(".json").write_bytes(
        records.to_bytes(records.sealed(entry.record | fields))
    )


@pytest.fixture
def executed(monkeypatch):
    """The profile and the parameters of every execution."""
    found, execute = [], portability.execute

    def told(notebook, root, **more):
        found.append((more["profile"], notebook.metadata["lrlab"]["parameters"]["n"]))
        return execute(notebook, root, **more)

    monkeypatch.setattr(portability, "execute", told)
    return found


def test_only_the_stand_in_is_executed_and_only_two_fields_and_the_seal_change(
    with_entry, executed
):
    [before], tree = log(with_entry), files(with_entry)
    result = check(with_entry)
    assert result.exit_code == 0, result.output
    assert executed == [("foreign", 6)]
    [entry] = log(with_entry)
    differing = {key for key in entry.record if entry.record[key] != before.record[key]}
    assert differing == {"fragile", "portable_check", "record_sha256"}
    assert (entry.record["fragile"], entry.record["portable_check"]) == (["tiny.wide"], FLIPPED)
    assert list(entry.record) == list(before.record)
    now = files(with_entry)
    assert {name for name in now.keys() | tree.keys() if now.get(name) != tree.get(name)} == {
        f"book/log/{entry.name}.json"
    }
    assert lrlab(with_entry, "claims", "--check").exit_code == 0


def test_a_verdict_that_differs_is_told_and_counts_as_undecided(with_entry):
    result = check(with_entry)
    [entry] = log(with_entry)
    first, second, last = result.stdout.splitlines()
    assert first.startswith(f"fragile           {entry.name} (")
    assert second.split(maxsplit=1) == ["tiny.wide:", "supported here, contradicted there"]
    assert last == "1 entries: 1 fragile"
    verdicts = {claim.id: claim.verdict for claim in joined(entry)}
    assert verdicts == {"tiny.sum": "supported", "tiny.wide": "inconclusive (fragile)"}
    rows = dict(shown.rows(entry.record))
    assert rows["Verdicts that differed on a foreign processor"] == "`tiny.wide` (foreign)"


def test_the_record_says_what_a_run_with_the_check_says(with_entry, tiny_again):
    assert check(with_entry).exit_code == 0
    result = lrlab(tiny_again, "run", "tiny", "--check-portable")
    assert result.exit_code == 0, result.output
    [later], [once] = log(with_entry), log(tiny_again)
    for name in ("portable_check", "fragile"):
        assert later.record[name] == once.record[name]


@pytest.fixture
def tiny_again(tmp_path):
    from tiny_lab import make

    return make(tmp_path / "again")


def test_what_was_checked_is_checked_again_only_if_asked_for(with_entry, executed):
    assert check(with_entry).exit_code == 0
    result = check(with_entry)
    assert (result.exit_code, result.stdout) == (0, "no entry waits for its check\n")
    assert len(executed) == 1
    assert check(with_entry, "--replace").exit_code == 0
    assert check(with_entry, log(with_entry)[0].name).exit_code == 0
    assert len(executed) == 3


def test_an_interruption_keeps_what_was_finished_and_the_same_command_goes_on(
    with_entry, monkeypatch
):
    assert lrlab(with_entry, "run", "tiny", "-p", "n", "7").exit_code == 0
    execute, calls = portability.execute, []

    def interrupted(*words, **more):
        calls.append(1)
        if len(calls) == 2:
            raise RunFailed("interrupted", interrupted=True)
        return execute(*words, **more)

    monkeypatch.setattr(portability, "execute", interrupted)
    result = check(with_entry)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-2:] == [
        "1 of 2 entries are left",
        "lrlab: interrupted; what was finished before is kept",
    ]
    done, left = log(with_entry)
    assert (done.record["portable_check"], left.record["portable_check"]) == (FLIPPED, None)
    result = check(with_entry)
    assert result.exit_code == 0, result.output
    assert len(calls) == 3 and f"{done.name} (" not in result.stdout
    assert [entry.record["portable_check"] for entry in log(with_entry)] == [FLIPPED, FLIPPED]


def heed_interruptions():
    # What runs in the background of a shell ignores SIGINT, and so would its children.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_control_c_ends_the_kernel_and_leaves_the_record_as_it_was(tiny):
    slow = 'time.sleep(60 * (os.environ["ATEN_CPU_CAPABILITY"] != "avx2"))'
    change_source(tiny, "time.sleep(seconds)", slow)
    assert lrlab(tiny, "run", "tiny").exit_code == 0
    before = files(tiny / "book")
    process = subprocess.Popen(
        [sys.executable, "-m", "lrlab.cli", "rerun", "--check-portable"],
        cwd=tiny,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interruptions,
    )
    bar = ""
    while "(foreign):" not in bar:  # then the result cell has begun
        assert process.poll() is None, bar
        bar += process.stderr.read(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=180)
    assert (process.returncode, said) == (1, "")
    assert time.monotonic() - began < 50
    assert errors.splitlines()[-2:] == [
        "1 of 1 entries are left",
        "lrlab: interrupted; what was finished before is kept",
    ]
    assert files(tiny / "book") == before


def of_a_release(root):
    releases.seal(root, "0.1.0")


def of_another_notebook(root):
    change_source(root, '"parts", n', '"pieces", n')


def with_an_edited_notebook(root):
    [entry] = log(root)
    entry.path.write_bytes(entry.path.read_bytes().replace(b"the sum is", b"the sun is"))


def with_an_edited_record(root):
    [entry] = log(root)
    entry.path.with_suffix(".json").write_text(json.dumps(entry.record | {"seconds": 1.5}))


def with_other_parameters(root):
    [entry] = log(root)
    parameters = entry.record["parameters"] | {"n": 8}
    data = entry.path.read_bytes().replace(b'"n": 6', b'"n": 8')
    entry.path.write_bytes(data)
    reseal(root, parameters=parameters, entry_sha256=records.sha256(data))


def of_another_version(root):
    versions = log(root)[0].record["versions"] | {"numpy": "1.0.0"}
    reseal(root, versions=versions)


UNFIT = {
    of_a_release: "was released with 0.1.0 and stays as it is",
    of_another_notebook: "notebooks/tiny.py has changed since",
    with_an_edited_notebook: "is damaged: its bytes are not those that its record was made for",
    with_an_edited_record: "is damaged: a field of its record was changed",
    with_other_parameters: "are not those of its notebook",
    of_another_version: "was executed with numpy 1.0.0, here is",
}


@pytest.mark.parametrize(("spoil", "says"), UNFIT.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_an_entry_that_is_not_fit_is_refused_and_nothing_is_executed(
    with_entry, executed, spoil, says
):
    [entry] = log(with_entry)
    spoil(with_entry)
    before = files(with_entry)
    result = check(with_entry, entry.name)
    assert result.exit_code == 2, result.output
    [sentence] = result.stderr.splitlines()
    assert says in sentence and entry.name in sentence
    assert files(with_entry) == before and executed == []


@pytest.mark.parametrize("differs", [True, False])
def test_a_verdict_that_differs_is_not_laid_to_the_processor_if_an_input_changed(tiny, differs):
    if not differs:
        change_source(tiny, "holds=avx2", "holds=True")
    assert lrlab(tiny, "run", "tiny").exit_code == 0
    one = {"kind": "file", "name": "benchmarks/results/a.json", "sha256": "0" * 64}
    reseal(tiny, inputs=[one])
    result = check(tiny)
    record = log(tiny)[0].record
    assert (result.exit_code, record["fragile"]) == (int(differs), [])
    assert (record["portable_check"] is None) == differs
    said = "tiny.wide came out otherwise, but benchmarks/results/a.json has changed since"
    assert (said in result.stdout) == differs
    assert result.stdout.startswith("not checked " if differs else "portable ")


def test_one_that_is_not_fit_does_not_keep_the_others_from_their_check(with_entry):
    assert lrlab(with_entry, "run", "tiny", "-p", "n", "7").exit_code == 0
    first, _ = log(with_entry)
    content = json.loads(first.path.with_suffix(".json").read_text())
    versions = content["versions"] | {"numpy": "1.0.0"}
    first.path.with_suffix(".json").write_bytes(
        records.to_bytes(records.sealed(content | {"versions": versions}))
    )
    result = check(with_entry)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "2 entries: 1 fragile, 1 not checked"
    assert [entry.record["portable_check"] for entry in log(with_entry)] == [None, FLIPPED]


def test_a_cell_that_fails_on_the_stand_in_leaves_the_record_alone(tiny):
    change_source(tiny, "if fails:", 'if os.environ["ATEN_CPU_CAPABILITY"] != "avx2":')
    assert lrlab(tiny, "run", "tiny").exit_code == 0
    [entry] = log(tiny)
    data = entry.path.with_suffix(".json").read_bytes()
    result = check(tiny)
    assert result.exit_code == 1
    assert "not checked" in result.stdout and "the parts are gone" in result.stdout
    assert f"foreign-{entry.name}.ipynb" in result.stdout
    assert entry.path.with_suffix(".json").read_bytes() == data


def test_what_is_renewed_meanwhile_keeps_its_own_record(with_entry, monkeypatch):
    execute = portability.execute

    def renewed(*words, **more):
        reseal(with_entry, seconds=1.5)
        return execute(*words, **more)

    monkeypatch.setattr(portability, "execute", renewed)
    result = check(with_entry)
    assert result.exit_code == 1 and "was changed meanwhile" in result.stdout
    record = log(with_entry)[0].record
    assert (record["seconds"], record["portable_check"]) == (1.5, None)


@pytest.fixture
def slow(tiny):
    """An entry of 500 s; a claim of it holds at smoke size alone, with the entry's seeds."""
    change_source(tiny, "smoke: {n: 5}", "smoke: {n: 5, n_seeds: 2}")
    change_source(tiny, "fails: bool", "n_seeds: int = 8  # [2..500] seeds\nfails: bool")
    small = '        Claim.exact("small", "It is small", holds=(n, n_seeds) == (5, 8)),\n    ]\n'
    change_source(tiny, "    ]\n)\n", f"{small})\n")
    assert lrlab(tiny, "run", "tiny").exit_code == 0
    reseal(tiny, seconds_from_empty=500.0)
    return tiny


def test_what_takes_long_is_tried_at_smoke_size_under_both_profiles_with_its_own_seeds(
    slow, executed
):
    result = check(slow, "--smoke-over", "120")
    assert result.exit_code == 0, result.output
    assert executed == [("portable", 5), ("foreign", 5)]
    [entry] = log(slow)
    stored = {claim["id"]: claim["verdict"] for claim in entry.claims()}
    assert stored["tiny.small"] == "contradicted"
    assert entry.record["fragile"] == ["tiny.wide"]
    assert entry.record["portable_check"] == {
        "profile": "foreign",
        "size": "smoke",
        "changed": {"n_seeds": 8},
        "verdicts": FLIPPED["verdicts"] | {"tiny.small": "supported"},
        "portable_verdicts": dict.fromkeys(stored, "supported"),
    }
    assert entry.record["size"] == "full"
    assert "at smoke size, where 3 of 3 verdicts are decided" in result.stdout
    row = dict(shown.rows(entry.record))["Verdicts that differed on a foreign processor"]
    assert row == (
        "`tiny.wide` (foreign; both profiles were tried at smoke size with `n_seeds = 8`, "
        "where 3 of 3 verdicts are decided)"
    )
    assert lrlab(slow, "claims", "--check").exit_code == 0


def test_what_takes_no_longer_is_tried_at_its_own_size(slow, executed):
    assert check(slow, "--smoke-over", "500").exit_code == 0
    assert executed == [("foreign", 6)]
    assert "size" not in log(slow)[0].record["portable_check"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--smoke-over", "9"), "--smoke-over of lrlab rerun goes with --check-portable"),
        (("--replace",), "--replace of lrlab rerun goes with --check-portable"),
        (("--check-portable", "--smoke-over", "-1"), "-1.0 is not in the range"),
        (("--check-portable", "2026-01-01-tiny"), "the log has no entry '2026-01-01-tiny'"),
    ],
)
def test_options_that_make_no_sense_are_refused(with_entry, words, says):
    before = files(with_entry)
    result = lrlab(with_entry, "rerun", *words)
    assert result.exit_code == 2 and says in result.stderr
    assert files(with_entry) == before
