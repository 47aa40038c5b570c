import json
import tempfile
import urllib.parse
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lrlab.labbook.entries._normalise import Unfit, normalise

ROOT = Path("/laboratories/mine")


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def notebook(*outputs):
    cell = new_code_cell("pass", execution_count=1, outputs=list(outputs))
    return new_notebook(cells=[cell], metadata={"papermill": {"start_time": "now"}})


def cell_of(*outputs):
    data = normalise(notebook(*outputs), {"lrlab": {}}, ROOT)
    [cell] = nbformat.reads(data.decode(), as_version=4).cells
    return cell


def test_how_streams_were_cut_into_messages_does_not_matter():
    one = [stream("a\nb\n"), stream("w\n", "stderr"), shown({"text/plain": "x"}), stream("c")]
    two = [stream("a\n"), stream("w\n", "stderr"), stream("b\n"), one[2], stream("c")]
    assert normalise(notebook(*one), {}, ROOT) == normalise(notebook(*two), {}, ROOT)


def test_ids_times_and_addresses_do_not_matter():
    one, two = notebook(stream("<A at 0x7f00aa11bb22>")), notebook(stream("<A at 0x7f99cc33dd44>"))
    one.cells[0].metadata["execution"] = {"iopub.status.busy": "2026"}
    assert one.cells[0].id != two.cells[0].id
    assert normalise(one, {}, ROOT) == normalise(two, {}, ROOT)


def test_a_changed_number_does_matter():
    assert normalise(notebook(stream("1.0")), {}, ROOT) != normalise(
        notebook(stream("1.1")), {}, ROOT
    )


def test_texts_of_a_figure_go_to_the_cell_and_claims_stay_with_the_output():
    figure = {"alt": "A line.", "caption": "Parts.", "headline": True}
    claims = [{"id": "a.b"}]
    cell = cell_of(
        shown({"image/png": "aGk=", "text/plain": "f"}, lrlab_figure=figure, needs_background="x"),
        shown({"text/html": "card"}, lrlab_claims=claims),
    )
    assert cell.metadata["mystnb"] == {"image": {"alt": "A line."}, "figure": {"caption": "Parts."}}
    assert cell.metadata["tags"] == ["headline"]
    assert cell.outputs[0].metadata == {}
    assert cell.outputs[1].metadata == {"lrlab_claims": claims}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([shown({"image/png": "aGk="})], "a figure without an alternative text"),
        ([shown({"image/png": "aGk="}, lrlab_figure={"alt": "x"})] * 2, "2 figures"),
        ([stream("10%|#   | 1/10\r20%")], "a progress bar"),
        ([stream(f"saved to {Path.home()}/.cache/x.npz")], "a path of this machine"),
        ([stream(f"{tempfile.gettempdir()}/ipykernel_12/34.py:1: W", "stderr")], "a path of this"),
        ([stream(f"{ROOT}/notebooks")], "a path of this machine"),
        ([shown({"text/html": f"<img src='{ROOT}/a.png'>"})], "a path of this machine"),
        ([shown({"image/svg+xml": f"<!-- {ROOT} -->"}, lrlab_figure={"alt": "x"})], "a path of"),
        ([shown({"text/plain": "x"}, lrlab_claims=[{"detail": str(ROOT)}])], "a path of this"),
        ([new_output("error", ename="E", evalue="e", traceback=[f"{ROOT}/a.py"])], "a path of"),
    ],
)
def test_what_can_not_be_published_is_refused_with_its_cell(outputs, message):
    with pytest.raises(Unfit, match=rf"^cell 0 shows {message}"):
        normalise(notebook(*outputs), {}, ROOT)


def test_words_that_only_look_like_paths_are_not_refused():
    text = f"the square{Path.home()} of x, https://example.org{ROOT}/page, {ROOT}ish"
    assert cell_of(stream(text)).outputs[0].text == text


def test_an_entry_is_valid_and_ends_with_a_newline():
    data = normalise(notebook(stream("x")), {"title": "é"}, ROOT)
    assert data.endswith(b"}\n")
    assert "é" in data.decode()
    nbformat.validate(nbformat.from_dict(json.loads(data)))


HOME = str(Path.home())
MACHINE = [
    HOME + "/data",
    urllib.parse.quote(HOME + "/data", safe=""),
    "file://" + HOME,
    (HOME + "/data").replace("/", "&#47;"),
    "/home/someone/data",
    "/Users/someone",
    r"C:\Users\someone",
    repr(r"C:\Users\someone"),
    str(ROOT / "notebooks"),
    "me-42@example",
    "machine-42.example",
]


@pytest.fixture
def named_machine(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "me-42")
    monkeypatch.setattr("socket.gethostname", lambda: "machine-42")


@pytest.mark.parametrize("text", MACHINE)
def test_what_is_of_this_machine_is_found_wherever_it_stands(named_machine, text):
    output, plain = shown({"text/plain": f"see {text}"}), stream("see nothing")
    figure = {"alt": "A line.", "caption": f"From {text}."}
    for made, where in (
        (notebook(output), "cell 0 shows"),
        (notebook(stream(f"see {text}")), "cell 0 shows"),
        (notebook(shown({"image/png": "aGk="}, lrlab_figure=figure)), "cell 0 shows"),
        (notebook(shown({"text/html": "x"}, lrlab_claims=[{"id": text}])), "cell 0 shows"),
    ):
        with pytest.raises(Unfit, match=where):
            normalise(made, {}, ROOT)
    typed = notebook(plain)
    typed.cells[0].source = f"# {text}"
    with pytest.raises(Unfit, match="cell 0 holds"):
        normalise(typed, {}, ROOT)
    with pytest.raises(Unfit, match="the metadata holds"):
        normalise(notebook(plain), {"lrlab": {"title": text}}, ROOT)


@pytest.mark.parametrize(
    "text",
    ["root mean square", "adam", "a/home/run", "100 % of", "&amp;", "homes", "user@example.org"],
)
def test_words_that_only_look_like_a_machine_are_let_pass(monkeypatch, text):
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    monkeypatch.setattr("socket.gethostname", lambda: "adam")
    made = notebook(stream(text))
    made.cells[0].source = f"'{text}'"
    normalise(made, {"lrlab": {"title": text}}, ROOT)


def test_a_source_may_name_a_temporary_file_and_an_output_may_not():
    made = notebook(stream("fine"))
    made.cells[0].source = f"open({tempfile.gettempdir() + '/file'!r})"
    normalise(made, {}, ROOT)
    with pytest.raises(Unfit, match="cell 0 shows a path"):
        normalise(notebook(stream(tempfile.gettempdir() + "/file")), {}, ROOT)


def test_an_answer_and_claims_keep_their_data_and_nothing_else_does():
    kept = {"lrlab_answer": {"text": "12 %", "claims": ["a"]}, "lrlab_claims": [{"id": "n.a"}]}
    [output] = cell_of(shown({"text/plain": "x"}, **kept, isolated=True)).outputs
    assert output.metadata == kept
