"""The guide's page on choosing: advice with its evidence, choices that were measured, code."""

import itertools
import re

import choosing_code
import pytest

from lrlab import tasks
from lrlab.claims.rules import VERDICTS
from lrlab.labbook.site.handbook._recipe import CHOICES, named

TEXT = choosing_code.PAGE.read_text("utf-8")
CLAIM = re.compile(r"\{claim\}`([^`]*)`")
BLOCK = re.compile(r"^:::\{recipe\}\n(.*?)^:::$", re.DOTALL | re.M)
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.M)


def sections():
    """Title and blocks (options, content) of each section that has some."""
    for section in re.split(r"^## ", TEXT, flags=re.M)[1:]:
        found = []
        for block in BLOCK.findall(section):
            options = dict(re.findall(r"^:(\w+): (.*)$", block, re.M))
            found.append(
                (
                    {name: named(name, text) for name, text in options.items()},
                    re.sub(r"^:\w+: .*\n", "", block, flags=re.M),
                )
            )
        if found:
            yield section.splitlines()[0], found


SECTIONS = dict(sections())


def test_every_piece_of_advice_ends_with_its_evidence_and_the_verdict_that_it_relies_on():
    for title, blocks in SECTIONS.items():
        for _, content in blocks:
            parts = re.split(r"\n\n|^- |(?<=[.:])\n(?=- )|(?<=\.) (?=[A-Z])", content, flags=re.M)
            for part in filter(None, map(str.strip, parts)):
                if title != "The code" and not part.startswith("|") and not part.endswith(":"):
                    assert CLAIM.search(part), part
    assert SECTIONS
    for text in CLAIM.findall(TEXT):
        assert text.rpartition(":")[0] in VERDICTS, text


def test_the_handbook_names_the_verdicts_that_it_relies_on():
    pages = (choosing_code.ROOT / "book" / "handbook").glob("*.md")
    relied_on = [text for page in pages for text in CLAIM.findall(page.read_text("utf-8"))]
    assert len(relied_on) > 20
    for text in relied_on:
        assert text.rpartition(":")[0] in VERDICTS, text


def test_the_front_page_leads_to_it_and_it_is_the_first_of_the_guide():
    front = (choosing_code.ROOT / "book" / "intro.md").read_text("utf-8")
    contents = (choosing_code.ROOT / "_toc.yml").read_text("utf-8")
    assert ":link: guide/choosing" in front
    assert re.search(r"file: (book/guide/\w+)", contents)[1] == "book/guide/choosing"


def test_what_is_theirs_cites_and_claims_nothing_of_ours():
    theirs = TEXT.split("## Beyond what was measured here")[1].split("\n## ")[0]
    assert not CLAIM.search(theirs)
    for item in re.split(r"^- ", theirs, flags=re.M)[1:]:
        assert "{cite" in item, item
    assert TEXT.split("\n## ")[-1].startswith("What we don't know")


def fits(options, choice):
    return all(choice[name] in keys for name, keys in options.items())


def test_every_value_that_is_named_can_be_chosen_and_no_pair_that_was_not_measured():
    meant = [options for found in SECTIONS.values() for options, _ in found]
    answered = [
        choice
        for values in itertools.product(*CHOICES.values())
        for choice in [dict(zip(CHOICES, values, strict=True))]
        if all(any(fits(options, choice) for options, _ in found) for found in SECTIONS.values())
    ]
    for name in CHOICES:
        keys = {key for options in meant for key in options.get(name, ())}
        assert keys and keys <= {choice[name] for choice in answered}
    pairs = {(choice["optimizer"], choice["model"]) for choice in answered}
    assert {("sgd", "transformer"), ("sgd", "denoiser"), ("adam", "cnn")}.isdisjoint(pairs)


def test_sizes_of_the_models_are_those_of_the_tasks():
    models = {
        "perceptron": tasks.get("mnist1d"),
        "LeNet": tasks.get("mnist"),
        "denoiser": tasks.get("digits_diffusion"),
        "transformers": tasks.get("names_lm", layers=1, width=16),
        "to": tasks.get("names_lm"),
    }
    first = TEXT.split("```{recipe-choices}")[0]
    said = {word: int(n.replace(",", "")) for word, n in re.findall(r"(\w+) \(?(\d+,\d{3})", first)}
    said["to"] = int(re.search(r" to (\d+,\d{3})\)", first)[1].replace(",", ""))
    for word, task in models.items():
        assert said[word] == sum(p.numel() for p in task.model().parameters()), word


def test_rates_written_by_hand_stand_in_the_entries_that_are_named_beside_them():
    seen = 0
    for options, content in SECTIONS["The rate to start from"]:
        entries = re.findall(r"\{doc\}`/(book/log/[^`]*)`", content)
        printed = "".join(
            (choosing_code.ROOT / f"{entry}.ipynb").read_text("utf-8") for entry in entries
        )
        for row in re.findall(r"^\| \d.*$", content, re.M):
            for rate in re.findall(r" (0\.\d+) ", row):
                assert re.search(rf"(?<![\d.]){re.escape(rate)}(?!\d)", printed), (options, rate)
                seen += 1
    assert seen


@pytest.mark.parametrize("code", choosing_code.schedules(), ids=lambda code: len(code["lrlab"]))
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
def test_lines_for_torch_and_lrlab_run_as_they_are_printed_and_make_one_schedule(code):
    assert set(code) == set(choosing_code.LIBRARIES)
    torchs, ours = (choosing_code.rates(code[name]) for name in ("torch", "lrlab"))
    assert torchs == pytest.approx(ours, abs=1e-12)
    assert max(ours) == choosing_code.NUMBERS["peak_lr"]
    assert ours[choosing_code.NUMBERS["steps"]] == 0
