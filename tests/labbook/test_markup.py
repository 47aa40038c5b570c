"""Texts that users typed show what they are, and do nothing else, wherever a page has them."""

import json
import re

import pytest
from entry_maker import write_entry
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mdit_py_plugins.deflist import deflist_plugin
from tiny_lab import files, lrlab

from lrlab.labbook.entries import read
from lrlab.labbook.entries._assemble import assemble
from lrlab.labbook.entries.markup import code, fence, is_plain, prose
from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import site

OURS = r'<a class="download" href="../../files/[\w.-]+" download>|</a>'
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table"]).use(deflist_plugin)
NASTY = "a `` b\n```\n<script>alert(1)</script>\n# Title | $x$ {ref}`y` [z](javascript:1) ~~~ &lt;"


def tokens(text):
    found = list(MARKDOWN.parse(text))
    return found + [child for token in found for child in token.children or []]


def kinds(text):
    return {token.type for token in tokens(text)}


@given(st.text(max_size=60))
def test_a_fence_holds_whatever_is_put_in_it(text):
    text = " ".join(text.split(" "))
    [block] = MARKDOWN.parse(fence(text))
    assert block.type == "fence"


@given(st.text("`a <>&*_$\n", max_size=40))
def test_code_in_a_line_is_one_piece_of_code(text):
    inline = [t for t in tokens(f"x {code(text)} y") if t.type not in ("inline", "text")]
    assert [t.type for t in inline] == ["paragraph_open", "paragraph_close", "code_inline"]


@given(st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=60))
def test_prose_is_text_and_nothing_else(text):
    found = tokens(f"Why: {prose(text)}")
    assert {t.type for t in found} <= {"paragraph_open", "paragraph_close", "inline", "text"} | {
        "text_special"
    }
    shown = "".join(t.content for t in found if t.type in ("text", "text_special"))
    assert shown.split() == f"Why: {text}".split()


@given(st.text(max_size=40).filter(is_plain))
def test_what_may_stand_in_a_heading_means_nothing_to_markdown(text):
    assert kinds(f"x {text} y") <= {"paragraph_open", "paragraph_close", "inline", "text"}


@pytest.mark.parametrize("value", [NASTY, "<img src=x onerror=alert(1)>", "`", "```", "a\nb"])
def test_a_parameter_breaks_out_of_neither_heading_nor_command(tiny, value):
    made = assemble(read(tiny, "tiny"), "full", {"label": value})
    title = made.cells[0].source.split("\n")[0]
    assert title == "# Tiny: do the parts add up? (another label)"
    [heading_open, _, _, block] = MARKDOWN.parse(made.cells[-1].source)
    assert (heading_open.type, block.type, block.info) == ("heading_open", "fence", "bash")


def test_a_plain_parameter_is_shown_in_the_heading(tiny):
    changed = {"n": 7, "label": "ten seeds"}
    made = assemble(read(tiny, "tiny"), "full", changed)
    assert made.cells[0].source.split("\n")[0].endswith("(n = 7, label = ten seeds)")


def test_a_page_shows_what_users_typed_and_runs_none_of_it(tmp_path):
    write_entry(tmp_path)
    path = write_entry(
        tmp_path,
        date="2030-01-02",
        supersedes={"entry": "2030-01-01-demo", "reason": NASTY},
        changed={"label": NASTY},
        parameters={"label": NASTY},
        command=f"lrlab run demo -p label '{NASTY}'",
        hardware={"cpu": NASTY, "cores": 1, "memory_gib": 1.0, "system": "<b>"},
    )
    log = site.Site(tmp_path)
    for entry in log.log:
        before = entry.path.read_text()
        cells = json.loads(pages.decorate(before, entry, log))["cells"]
        markdown = "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        assert "alert" in markdown
        for token in tokens(markdown):
            if re.fullmatch(OURS, token.content) and token.type == "html_inline":
                continue
            assert not token.type.startswith(("html", "link", "image")), token
            if "alert" in token.content and token.type not in ("inline", "fence"):
                assert token.type in ("code_inline", "text"), token
    assert path.exists()


@pytest.mark.parametrize("text", ["/home/someone/data.csv", "/root/x"])
def test_a_value_that_tells_of_a_machine_is_refused_before_the_kernel_starts(
    tiny, monkeypatch, text
):
    monkeypatch.setenv("HOME", "/root")
    monkeypatch.setattr("lrlab.labbook.entries._runner.execute", pytest.fail)
    before = files(tiny)
    result = lrlab(tiny, "run", "tiny", "-p", "label", text)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "a path of this machine" in result.stderr
    result = lrlab(tiny, "run", "tiny", "--supersedes", "x", "--reason", f"see {text}")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert "--reason tells of this machine" in result.stderr
    assert files(tiny) == before
