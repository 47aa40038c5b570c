"""Claims as they are shown: cards in a page, lines of text, and data in the output's metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape

from lrlab.claims import rules, units
from lrlab.claims.claim import Claim
from lrlab.claims.judge import Judged, judge


def conclude(claims: Sequence[Claim], *, source: str | None = None) -> None:
    """Judge the claims of a notebook together and show them: its last word on each.

    Args:
        claims: all claims of the notebook; the tested ones share its error rate.
        source: key in the bibliography of who claimed what names no source itself; a claim of
            our own among such ones has the source ``""``.

    Raises:
        ValueError: if two claims have one id.

    Example:
        >>> from lrlab.claims import Claim
        >>> conclude([Claim.exact("half", "Half of one is 0.5", holds=True)])  # doctest: +ELLIPSIS
        SUPPORTED  ...half: Half of one is 0.5
          Measured: holds
          Rule: holds exactly
    """
    told = [
        replace(claim, source=source if claim.source is None else claim.source or None)
        for claim in claims
    ]
    show(judge(told))


NEAR = {"same": ", in its own setting", "analogue": ", in an analogue of its setting"}

__all__ = ["card", "css_class", "measured", "number", "show", "verdicts"]


def show(judged: Sequence[Judged]) -> None:
    """Show claims as cards, and carry them as data in the output's metadata.

    In a notebook each card is HTML with the id `claim-<slug>`, and the output's metadata holds
    `lrlab_claims`, a list of what `Judged.to_dict` gives: this is where the ledger reads them.
    Outside a notebook the text of the cards is printed.

    The output's plain text is the line of `verdict_line` for each claim. A reference of the
    notebook compares these lines and not the cards, which hold what was measured.

    Args:
        judged: judged claims.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> show(judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="demo"))
        SUPPORTED  demo.half: Half of one is 0.5
          Measured: holds
          Rule: holds exactly
    """
    from lrlab import display

    plain = verdict_line if display.in_notebook() else text
    display.publish(
        html="\n".join(card(claim) for claim in judged),
        text="\n".join(plain(claim) for claim in judged),
        metadata={"lrlab_claims": [claim.to_dict() for claim in judged]},
    )


def verdict_line(claim: Judged) -> str:
    """Slug, n and verdict of a claim: what must be the same on every machine."""
    return f"{claim.slug}  n={'-' if claim.n is None else claim.n}  {claim.verdict}"


def verdicts(judged: Sequence[Judged]) -> None:
    """Print the line of `verdict_line` for each claim.

    Args:
        judged: judged claims.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> verdicts(judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="d"))
        half  n=-  supported
    """
    for claim in judged:
        print(verdict_line(claim))


def number(value: float | None) -> str:
    """Three significant digits, with a real minus sign; a dash where there is no number.

    Args:
        value: any number, or None.

    Example:
        >>> number(-0.012345), number(None)
        ('−0.0123', '–')
    """
    return "–" if value is None else f"{value:.3g}".replace("-", "−")


def measured(claim: Judged) -> str:
    """What was measured, in one line: estimate, interval, level and n.

    Args:
        claim: a judged claim.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> values = [-0.5, -0.6, -0.55, -0.45, -0.52]
        >>> lower = Claim.effect("lower", "A is lower", direction="less", delta=0.1, values=values)
        >>> [claim] = judge([lower], notebook="d")
        >>> print(measured(claim))
        −0.524 [−0.593, −0.455] (95 % interval, n = 5)
    """
    data = claim.data
    if claim.kind == "exact":
        if "measured" not in data or len(data["measured"]) > 4:
            return data["detail"] or ("holds" if claim.verdict == rules.SUPPORTED else "does not")
        numbers = (", ".join(number(x) for x in data[key]) for key in ("measured", "expected"))
        line = "{} (expected {})".format(*numbers)
        return f"{line}; {data['detail']}" if data["detail"] else line
    if claim.low is None or claim.level is None:
        if claim.kind == "proportion":
            return f"{data['successes']} of {data['n']}"
        return _with_unit(number(claim.estimate), claim) + f" (n = {claim.n})"
    level = f"{100 * claim.level:.3g} % interval, n = {claim.n}"
    between = f"{number(claim.estimate)} [{number(claim.low)}, {number(claim.high)}]"
    if claim.kind == "proportion":
        return f"{data['successes']} of {data['n']}: {between} ({level})"
    if claim.kind == "descriptive":
        level += f", values {number(min(data['values']))} to {number(max(data['values']))}"
    return f"{_with_unit(between, claim)} ({level})"


def notes(claim: Judged) -> list[str]:
    """What else a reader must know of the verdict: its level, too few values, fragility."""
    lines = [claim.company] if claim.company else []
    if claim.method == "sign":
        lost = claim.data.get("diverged")
        why = f"diverged runs in {lost} of the pairs" if lost else "too few of the values differ"
        lines.append(f"sign test, with the interval of the median: {why}")
    if claim.low is None and rules.computed(claim.kind, claim.data, claim.rule, claim.alpha or 1):
        lines.append("no interval, since its width would be zero: equal values decide nothing")
    if claim.about.reason:
        lines.append(f"δ: {claim.about.reason}")
    if claim.about.lost:
        lines.append(f"missing here, or other than in the source: {claim.about.lost}")
    if claim.kind in rules.TESTED and claim.n is not None and claim.n < rules.MIN_N:
        lines.append(f"n = {claim.n}: nothing is decided below n = {rules.MIN_N}")
    return lines + [f"fragile: {reason}" for reason in claim.fragile]


def css_class(verdict: str) -> str:
    """Class of a verdict's badge.

    Args:
        verdict: its word.

    Example:
        >>> css_class("supported")
        'lrlab-supported'
    """
    special = {rules.FRAGILE: "fragile", rules.SMALLER: "smaller", rules.NOT_BY: "not-by"}
    return "lrlab-" + special.get(verdict, verdict).replace(" ", "-")


def card(claim: Judged) -> str:
    """One claim as HTML that reads well with and without a style sheet.

    Args:
        claim: a judged claim.

    Example:
        >>> from lrlab.claims import Claim, judge
        >>> [claim] = judge([Claim.exact("half", "Half of one is 0.5", holds=True)], notebook="d")
        >>> card(claim).startswith("<div")
        True
    """
    rows = [("Measured", measured(claim)), ("Rule", claim.rule_text)]
    if claim.source:
        rows.append(("Source", claim.source + NEAR.get(claim.about.like or "", "")))
    if (published := claim.published) is not None:
        rows.append(("Published", published if isinstance(published, str) else number(published)))
    if extra := notes(claim):
        rows.append(("Notes", "; ".join(extra)))
    terms = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)
    return (
        f'<div class="lrlab-claim {css_class(claim.verdict)}" id="claim-{claim.slug}">'
        f'<p class="lrlab-statement"><strong class="lrlab-verdict">{claim.verdict}</strong> '
        f"{escape(claim.sentence)}</p>"
        f"<dl>{terms}</dl>"
        f'<p class="lrlab-id"><code>{claim.id}</code></p></div>'
    )


def text(claim: Judged) -> str:
    """One claim as lines of plain text."""
    lines = [f"{claim.verdict.upper()}  {claim.id}: {claim.sentence}"]
    lines += [f"  Measured: {measured(claim)}", f"  Rule: {claim.rule_text}"]
    if claim.source:
        lines.append(f"  Source: {claim.source}")
    return "\n".join(lines + [f"  Note: {note}" for note in notes(claim)])


def _with_unit(text: str, claim: Judged) -> str:
    return f"{text} {units.named(claim.unit)}" if claim.unit else text
