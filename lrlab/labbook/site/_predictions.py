"""What was foretold and what came, over the whole log: scores, a reliability plot, a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from lrlab.claims import rules
from lrlab.labbook import grades, looks, predictions
from lrlab.labbook.ledger import joined
from lrlab.labbook.looks import Look
from lrlab.labbook.predictions import Bin, Prediction
from lrlab.labbook.site import site as sites

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from lrlab.labbook.entries import Entry
    from lrlab.labbook.site.site import Site

_SIZE, _MARGIN = 300, 44  # pixels of the plot's square, and of what stands beside it


def connect(app: Sphinx) -> None:
    """Make the directive `predictions` known."""
    app.add_directive("predictions", Predictions)


@dataclass
class Foretold:
    """What the entries that count foretold of their tested claims.

    Args:
        pairs: by entry, each prediction with the verdict that came.
        gone: ids that had a prediction, and whose entry tests no such claim.
        late: notebooks whose predictions are not those that their first look was bound to.
        sentences: what became of the sentences of predictions without probabilities.
        checks: number of sentences that speak of exact claims alone, which are not counted.
    """

    pairs: dict[str, list[tuple[Prediction, str]]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    sentences: Counter[str] = field(default_factory=Counter)
    checks: int = 0

    @property
    def all(self) -> list[tuple[Prediction, str]]:
        """The pairs of all entries."""
        return [pair for pairs in self.pairs.values() for pair in pairs]


def foretold(site: Site) -> Foretold:
    """Collect what was foretold in the entries that count; exact claims are left out."""
    found = Foretold()
    for entry in site.counting:
        _collect(found, entry, [one for one in site.looks if one.notebook == _name(entry)])
    return found


def _name(entry: Entry) -> str:
    return entry.record["notebook"]


def _collect(found: Foretold, entry: Entry, seen: Sequence[Look]) -> None:
    header = entry.content().get("metadata", {}).get("lrlab", {})
    claims = joined(entry)
    exact = {claim.slug for claim in claims if claim.kind == "exact"}
    tested = {claim.slug: claim for claim in claims if claim.kind in rules.TESTED}
    stated = header.get("predictions") or {}
    if stated and not looks.written_before(seen, stated):
        found.late.append(_name(entry))
        stated = {}
    for slug, chances in stated.items():
        if slug in tested:
            found.pairs.setdefault(entry.name, []).append((chances, tested[slug].verdict))
        elif slug not in exact:
            found.gone.append(f"{_name(entry)}.{slug}")
    for sentence in header.get("foretold") or []:
        named = sentence["claims"]
        if not isinstance(named, str) and named and set(named) <= exact:
            found.checks += 1
        else:
            found.sentences[_short(grades.graded(sentence["says"], named, tested))] += 1


def _short(outcome: str) -> str:
    came = (grades.FULL, grades.SIDE, grades.FAILED)
    known = (*came, "did not come true", "open", predictions.NOT_JUDGED)
    return outcome if outcome in known else "mixed"


def likeliest(prediction: Prediction, came: str) -> bool:
    """Whether what came had the highest probability of the three outcomes, alone or with others."""
    chances = predictions.senses(prediction)
    return chances[predictions.sense(came)] >= max(chances.values()) - 1e-9


def scored(found: Foretold) -> list[str]:
    """The scores in sentences, a paragraph each."""
    pairs = found.all
    told = [(predictions.senses(p), predictions.sense(v)) for p, v in pairs]
    score = predictions.score(told)
    said = []
    if score is not None:
        many = len(found.pairs) > 1
        skill = "" if score.base == 0 else f", a skill of {score.skill:.2f}".replace("-", "−")
        text = (
            f"{score.n} tested claims in {len(found.pairs)} entr{'ies' if many else 'y'} had a "
            "probability for each "
            f"verdict; the likeliest outcome came in {sum(likeliest(*pair) for pair in pairs)} "
            "(where two were as likely, either counts). "
            "Over three outcomes (as claimed, otherwise, undecided) the mean Brier score is "
            f"{score.brier:.2f}, that of the base rates {score.base:.2f}{skill}: 1 would be "
            "perfect, 0 no better than to know how often each outcome comes, which nobody knew "
            "before."
        )
        if found.gone:
            gone = ", ".join(found.gone)
            text += f" Not scored, since no such claim was tested in the end: {gone}."
        said.append(text)
    if late := ", ".join(found.late):
        said.append(f"Not scored, since they are not of before the first look: {late}.")
    if judged := found.sentences.total() - found.sentences[predictions.NOT_JUDGED]:
        counts = found.sentences
        came = [counts[one] for one in (grades.FULL, grades.SIDE, grades.FAILED)]
        text = (
            f"Older experiments made their predictions in sentences. Of {judged} that speak of "
            f"tested claims {sum(came)} came true, {counts['did not come true']} did not, "
            f"{counts['open']} are open and {counts['mixed']} mixed; "
            f"{counts[predictions.NOT_JUDGED]} more are not judged by any claim. Of those that "
            f"came true {came[0]} have a claim that holds and bounds what amount they name, "
            f"{came[1]} name an amount that no claim bounds and came true on their side alone, "
            f"and {came[2]} predicted that a claim would fail: it did, which says less than that "
            "its opposite holds."
        )
        if found.checks:
            text += f" {found.checks} on exact claims alone are not counted."
        said.append(text)
    return said


def plot(bins: Sequence[Bin]) -> str:
    """The reliability plot, as SVG: share that came against probability that was said."""
    size = _SIZE + 2 * _MARGIN

    def x(value: float) -> str:
        return f"{_MARGIN + _SIZE * value:.4g}"

    def y(value: float) -> str:
        return f"{_MARGIN + _SIZE * (1 - value):.4g}"

    ticks = "".join(
        f'<text x="{x(t)}" y="{_MARGIN + _SIZE + 18}" text-anchor="middle">{100 * t:.0f}</text>'
        f'<text x="{_MARGIN - 8}" y="{float(y(t)) + 4:.4g}" text-anchor="end">{100 * t:.0f}</text>'
        for t in (0.0, 0.5, 1.0)
    )
    marks = "".join(
        f'<line class="lrlab-chance" x1="{x(one.said)}" x2="{x(one.said)}" y1="{y(one.low)}" '
        f'y2="{y(one.high)}"/><circle cx="{x(one.said)}" cy="{y(one.came)}" r="5"/>'
        for one in bins
    )
    label = (
        "Share of what came against the probability that it was given; the table has the numbers."
    )
    middle = _MARGIN + _SIZE / 2
    return (
        f'<svg class="lrlab-reliability" viewBox="0 0 {size} {size}" role="img" '
        f'aria-label="{escape(label)}">'
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIZE}" height="{_SIZE}"/>'
        f'<line class="lrlab-diagonal" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>'
        f"{marks}{ticks}"
        f'<text x="{middle:g}" y="{size - 6}" text-anchor="middle">probability [%]</text>'
        f'<text transform="translate(12 {middle:g}) rotate(-90)" text-anchor="middle">came [%]'
        "</text></svg>"
    )


def numbers(bins: Sequence[Bin]) -> str:
    """The numbers of the plot, as an HTML table."""
    heads = ("Probability [%]", "How many", "Came [%]", "If right, nine times of ten [%]")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(
        f'<tr><th scope="row">{100 * one.said:.0f}</th><td>{one.n}</td><td>{100 * one.came:.0f}'
        f"</td><td>{100 * one.low:.0f} to {100 * one.high:.0f}</td></tr>"
        for one in bins
    )
    return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


class Predictions(SphinxDirective):
    """Scores, plot and numbers of what was foretold, and the entries that did so."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return paragraphs, the plot and tables, or a sentence where nothing was foretold."""
        site = sites.of(self.env.app)
        found = foretold(site)
        texts = scored(found) or ["No entry of the log has made a prediction yet."]
        made: list[nodes.Node] = [nodes.paragraph(text=text) for text in texts]
        if bins := predictions.reliability(found.all):
            made.append(nodes.raw("", plot(bins) + numbers(bins), format="html"))
            made.append(nodes.raw("", self._entries(site, found), format="html"))
        return made

    def _entries(self, site: Site, found: Foretold) -> str:
        by_name = {entry.name: entry for entry in site.counting}
        rows = ""
        for name, pairs in found.pairs.items():
            uri = sites.relative_uri(self.env, site.document(by_name[name]))
            scores = [
                predictions.brier(predictions.senses(p), predictions.sense(v)) for p, v in pairs
            ]
            rows += (
                f'<tr><th scope="row"><a href="{uri}#prediction">'
                f"{escape(sites.short_title(by_name[name]))}</a></th>"
                f"<td>{sum(likeliest(*pair) for pair in pairs)} of {len(pairs)}</td>"
                f"<td>{sum(scores) / len(scores):.2f}</td></tr>"
            )
        heads = ("Entry", "Likeliest outcome came", "Mean Brier score")
        head = "".join(f'<th scope="col">{name}</th>' for name in heads)
        return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
