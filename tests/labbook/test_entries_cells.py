"""What cells and kernels may do, and what the runner makes of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from tiny_lab import SOURCE, files, lrlab

from lrlab.labbook.entries import BadInput, RunFailed, read
from lrlab.labbook.entries._execute import execute, kernel_environment

SETUP = 'if rate <= 0:\n    raise ValueError(f"rate must be positive, got rate={rate}")\n'


def write(root, old, new):
    path = root / "notebooks" / "tiny.py"
    assert old in SOURCE
    path.write_text(SOURCE.replace(old, new))


def notebook(*cells):
    made = nbformat.v4.new_notebook()
    for source, *tags in cells:
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": tags})
        made.cells.append(cell)
    made.metadata["lrlab"] = {"changed": {"n": 0, "label": "x" * 10_000}}
    return made


def test_a_cell_that_is_meant_to_fail_fails_and_the_notebook_goes_on(tiny):
    write(tiny, "They do.\n", 'They do.\n# %% tags=["raises-exception"]\n1 / 0\n# %% [markdown]\n')
    result = lrlab(tiny, "run", "tiny", "--out", "look")
    assert result.exit_code == 0, result.output
    [made] = (tiny / "look").glob("*.ipynb")
    cells = json.loads(made.read_text())["cells"]
    assert [o["ename"] for c in cells for o in c.get("outputs", []) if "ename" in o] == [
        "ZeroDivisionError"
    ]
    assert all(c["execution_count"] for c in cells if c["cell_type"] == "code")


@pytest.mark.parametrize(
    ("cells", "error", "says"),
    [
        (
            [("import sys\nsys.exit()",), ("print(1)",)],
            RunFailed,
            r"^cell 0 ended the notebook \(sys\.exit\), and the cells below did not run$",
        ),
        ([("1 / 0", "setup")], BadInput, r"^the setup cell failed: ZeroDivisionError: .*n = 0, l"),
        ([("raise ValueError('n is 0')", "setup")], BadInput, r"^n is 0 \(with label = xxx"),
        ([("raise SystemExit(3)", "setup")], BadInput, r"^the setup cell failed: SystemExit: 3"),
        ([("print(undefined)", "setup")], BadInput, r"^the setup cell failed: NameError: name 'u"),
        ([("raise ValueError('a' * 400_000)",)], RunFailed, r"^cell 0 failed: ValueError: a.* … a"),
        ([("import os\nos._exit(1)",)], RunFailed, r"^the kernel died"),
    ],
)
def test_however_a_cell_ends_the_notebook_it_is_one_sentence(tiny, cells, error, says):
    with pytest.raises(error, match=says) as caught:
        execute(notebook(*cells), tiny)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_a_kernel_that_never_answers_is_one_sentence(tiny, monkeypatch):
    from lrlab.labbook.entries import _kernel

    launch = [sys.executable, "-c", "raise SystemExit(1)", "-f", "{connection_file}"]
    spec = _kernel.KernelSpec(argv=launch, display_name="Python 3", language="python")
    monkeypatch.setattr(_kernel.PinnedKernelManager, "kernel_spec", spec)
    with pytest.raises(RunFailed, match=r"^the kernel did not start: ") as caught:
        execute(notebook(("1",)), tiny)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("cold_kernels")
def test_an_unwritable_home_and_a_useless_folder_of_matplotlib_leave_no_warning(tiny, monkeypatch):
    for name in ("HOME", "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "/proc")
    cell = "import matplotlib.pyplot as plt\nplt.figure()\nplt.close()\nprint('drawn')"
    executed = execute(notebook((cell,)), tiny).notebook
    assert [o.get("text") for o in executed.cells[0].outputs] == ["drawn\n"]


def test_the_user_s_own_folder_of_matplotlib_is_used_while_it_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "mpl").mkdir()
    (tmp_path / "mpl" / "fontlist-v1.json").touch()
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "mpl"))
    variables = kernel_environment(tmp_path, tmp_path / "told")
    assert variables["MPLCONFIGDIR"] == str(tmp_path / "mpl")


@pytest.mark.parametrize(
    ("value", "means"),
    [("mystore", "{here}/mystore"), ("~/store", "{home}/store"), ("OFF", "off")],
)
def test_a_relative_store_lies_where_the_command_was_given(tmp_path, monkeypatch, value, means):
    (tmp_path / "lab").mkdir()
    monkeypatch.chdir(tmp_path / "lab")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LRLAB_CACHE", value)
    variables = kernel_environment(tmp_path, tmp_path / "told")
    assert variables["LRLAB_CACHE"] == means.format(here=tmp_path / "lab", home=tmp_path)
    data = "off" if means == "off" else str(tmp_path / ".cache" / "lrlab" / "data")
    assert variables["LRLAB_DATA"] == data


def test_a_store_that_can_not_be_used_is_told_here_and_not_into_the_entry(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LRLAB_CACHE", str(tmp_path / "file" / "store"))
    monkeypatch.setenv("LRLAB_DATA", str(tmp_path / "data"))
    variables = kernel_environment(tmp_path, tmp_path / "told")
    assert (variables["LRLAB_CACHE"], variables["LRLAB_DATA"]) == ("off", str(tmp_path / "data"))
    assert capsys.readouterr().err == (
        f"what is computed is not kept: Not a directory ({tmp_path}/file/store)\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


CONFLICT = "<<<<<<< HEAD\nn: int = 6  # a\n=======\nn: int = 7  # b\n>>>>>>> other\n"
DAMAGED = {
    "empty": (b"", "tiny.py: the file is empty"),
    "latin-1": (SOURCE.replace("sum", "s\xfcm").encode("latin-1"), "line 7 is not UTF-8"),
    "conflict": (
        SOURCE.replace("n: int = 6  # [parts] in the sum\n", CONFLICT).encode(),
        "line 18 is a mark of a merge conflict",
    ),
    "no header": (b"n = 1\n", "must begin with a header"),
    "binary": (bytes(range(256)), "is not UTF-8"),
    "no Python": (SOURCE.replace("n: int = 6", "n: int = = 6").encode(), "invalid syntax"),
    "deep": (SOURCE.replace("= 6", f"= {'(' * 5000}6{')' * 5000}").encode(), "tiny.py: "),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_source_is_named_in_one_sentence(tiny, damage):
    data, says = DAMAGED[damage]
    (tiny / "notebooks" / "tiny.py").write_bytes(data)
    before = files(tiny)
    for words in (["run", "tiny"], ["params", "tiny"], ["list"]):
        result = lrlab(tiny, *words)
        assert result.exit_code == 2, result.output
        assert says in result.stderr
        assert result.stderr.count("\n") == 1
        assert len(result.stderr) < 700
    assert files(tiny) == before


def test_a_mark_of_the_encoding_other_line_ends_and_cells_without_a_space_are_read(tiny):
    path = tiny / "notebooks" / "tiny.py"
    plain = read(tiny, "tiny")
    path.write_bytes(b"\xef\xbb\xbf" + SOURCE.replace("# %%", "#%%").encode())
    marked = read(tiny, "tiny")
    path.write_bytes(SOURCE.replace("\n", "\r\n").encode())
    windows = read(tiny, "tiny")
    assert plain.parameters == marked.parameters == windows.parameters
    assert windows.text == plain.text
    assert len({plain.sha256, marked.sha256, windows.sha256}) == 3


def test_what_is_no_file_is_no_notebook(tiny):
    (tiny / "notebooks" / "folder.py").mkdir()
    (tiny / "notebooks" / "broken.py").symlink_to("nowhere")
    (tiny / "notebooks" / ".hidden.py").touch()
    result = lrlab(tiny, "list")
    assert result.exit_code == 0, result.output
    assert "folder" not in result.stdout
    assert "there is no notebook 'folder'" in lrlab(tiny, "run", "folder").stderr


def test_a_name_of_400_000_characters_is_not_repeated(tiny):
    for words in (["run", "a" * 400_000], ["run", "tiny", "a" * 400_000], ["rerun", "a" * 400_000]):
        result = lrlab(tiny, *words)
        assert result.exit_code == 2
        assert len(result.stderr) < 700


def test_no_place_for_temporary_files_is_one_sentence(tiny):
    shut = {**os.environ, "TMPDIR": "/proc", "PYTHONPATH": str(Path(__file__).parents[2])}
    code = (
        "import sys, tempfile; tempfile._candidate_tempdir_list = lambda: ['/proc/none']\n"
        "from lrlab.cli import main; main(['run', 'tiny', '--out', 'look'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny, env=shut, capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("lrlab: there is no folder for temporary files")
    assert "Traceback" not in done.stderr
