"""The table of what was foretold stands at the end of an entry's prediction."""

import json

from entry_maker import write_entry

from lrlab.labbook.site import _pages as pages
from lrlab.labbook.site import site


def shown(tmp_path, **header) -> str:
    path = write_entry(tmp_path)
    notebook = json.loads(path.read_bytes())
    notebook["metadata"]["lrlab"].update(header)
    notebook["cells"].insert(
        1,
        {
            "cell_type": "markdown",
            "id": "told",
            "metadata": {},
            "source": "## Prediction\n\nIt falls.\n\n## Result\n\nMore.",
        },
    )
    path.write_text(json.dumps(notebook))
    log = site.Site(tmp_path)
    cells = json.loads(pages.decorate(path.read_text(), log.log[0], log))["cells"]
    return next(cell["source"] for cell in cells if cell["id"] == "told")


def test_sentences_stand_beside_what_came(tmp_path):
    foretold = [
        {"says": "It ends <i>lower</i>.", "claims": {"lower": "supported", "same": "supported"}},
        {"says": "It is a surprise.", "claims": "not judged"},
    ]
    text = shown(tmp_path, foretold=foretold)
    before, _, after = text.partition("## Result")
    assert before.index("It falls.") < before.index("| Foretold | What came |")
    assert "It ends &#60;i&#62;lower&#60;/i&#62;. | came true of 1 claim, did not of 1 (<a" in (
        before
    )
    assert "| It is a surprise. | not judged |" in before and after.endswith("More.")


def test_probabilities_stand_beside_the_verdict_that_came(tmp_path):
    chances = {"lower": {"supported": 0.7, "inconclusive": 0.3}, "gone": {"supported": 1.0}}
    text = shown(tmp_path, predictions=chances)
    assert '">lower</a>: supported 70 %, inconclusive 30 %' in text
    assert "supported, which had 70 %" in text and "gone" not in text


def test_without_a_prediction_in_the_header_the_cell_is_as_it_was(tmp_path):
    assert shown(tmp_path) == "## Prediction\n\nIt falls.\n\n## Result\n\nMore."
