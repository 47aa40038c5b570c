"""What a notebook shows: prose with computed numbers, figures with alt text, tables.

In a notebook the output is rich; outside one, the text is printed, so that the same code runs as a
plain script.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LONGEST_ANSWER = 600
_COUNTS_VERDICTS = re.compile(
    r"\b(\d+|all|none|most) (of (the )?\d+ )?"
    r"(claims?|verdicts?|statements?|supported|contradicted)\b",
    re.IGNORECASE,
)

__all__ = ["answer", "publish", "say", "show", "table"]


def answer(markdown: str, *, claims: Sequence[str]) -> None:
    """Answer the notebook's question, in one to three sentences that someone can act on.

    It stands at the end of a notebook; the entry's page shows it under the title. It states an
    effect with its interval, its numbers computed by the caller. The output's metadata carries
    `lrlab_answer`. Tag the cell `nbval-ignore-output`.

    Args:
        markdown: the sentences, at most 600 characters.
        claims: the slugs of the claims that it rests on, at least one.

    Raises:
        ValueError: if it is empty or too long, holds no number, counts verdicts in place of an
            answer, or rests on no claim.

    Example:
        >>> answer(
        ...     "Use a peak of 0.2: it ends 4 % lower [3, 5] than 0.1.", claims=["peak-lower"]
        ... )
        Answer: Use a peak of 0.2: it ends 4 % lower [3, 5] than 0.1.
    """
    words = re.sub(r"(?<![\w-])-(?=\d)", "−", markdown.strip())
    if not words or len(words) > _LONGEST_ANSWER:
        raise ValueError(f"an answer has 1 to {_LONGEST_ANSWER} characters, got {len(words)}")
    if not re.search(r"\d", words):
        raise ValueError("an answer states its numbers, got none")
    if counts := _COUNTS_VERDICTS.search(words):
        raise ValueError(f"an answer states an effect and counts no verdicts, got {counts[0]!r}")
    if not claims:
        raise ValueError("an answer rests on at least one claim, got none")
    about = {"text": words, "claims": list(claims)}
    publish(text=f"Answer: {words}", markdown=words, metadata={"lrlab_answer": about})


def say(markdown: str) -> None:
    """Show a sentence or a paragraph of Markdown, its numbers computed by the caller.

    Args:
        markdown: text, e.g. an f-string; `$…$` is mathematics.

    Raises:
        ValueError: if there is nothing to say.

    Example:
        >>> say(f"The rate at the peak is **{0.2:g}**.")
        The rate at the peak is **0.2**.
    """
    if not markdown.strip():
        raise ValueError("say() needs a text")
    publish(text=markdown, markdown=markdown)


def show(fig: Figure, *, alt: str, caption: str, dpi: int = 120, headline: bool = False) -> None:
    """Show a figure as PNG with its alternative text and caption, and close it.

    The bytes depend on the figure alone: the file holds no date and no software version. The
    output's metadata carries `lrlab_figure`, from which the entry's page takes the alternative
    text and the caption.

    Args:
        fig: the figure.
        alt: what a reader who can't see it needs to know, one or two sentences.
        caption: what it shows, with n and what the bands are.
        dpi: resolution in dots per inch.
        headline: whether this is the figure that the book's front page may show.

    Raises:
        ValueError: if alt text or caption is empty.

    Example:
        >>> from matplotlib.figure import Figure
        >>> show(Figure(), alt="An empty figure.", caption="Nothing, n = 0.")
        [figure] An empty figure.
    """
    for name, value in (("alt", alt), ("caption", caption)):
        if not value.strip():
            raise ValueError(f"show() needs {name} text")
    described: dict[str, Any] = {"alt": alt, "caption": caption}
    if headline:
        described["headline"] = True
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=dpi, bbox_inches="tight", metadata={"Software": None})
    png = base64.b64encode(buffer.getvalue()).decode()
    publish(text=f"[figure] {alt}", png=png, metadata={"lrlab_figure": described})
    _close(fig)


def table(
    rows: pd.DataFrame | Iterable[Mapping[str, Any]] | Mapping[str, Sequence[Any]],
    *,
    caption: str,
    digits: int = 3,
    index: bool = False,
) -> None:
    """Show a table with a caption, readable with a screen reader and on a phone.

    Args:
        rows: the table, row by row or by columns, which name their unit. An interval in a cell is
            shown as "estimate [low, high]".
        caption: what it shows, with n.
        digits: significant digits of floats.
        index: whether to show the index as the first column.

    Raises:
        ValueError: if the caption is empty.

    Example:
        >>> from lrlab.stats import Interval
        >>> loss = Interval(0.123456, 0.1, 0.15, level=0.95, n=3)
        >>> table([{"rate": 0.1, "loss": loss}], caption="Three runs.")
        Three runs.
        rate             loss
         0.1 0.123 [0.1, 0.15]
    """
    if not caption.strip():
        raise ValueError("table() needs a caption")
    import pandas as pd

    frame = pd.DataFrame(rows if isinstance(rows, (pd.DataFrame, Mapping)) else list(rows))
    shown = frame.reset_index() if index else frame

    def cell(value: Any) -> str:
        if hasattr(value, "estimate"):  # an interval of lrlab.stats
            ends = (f"{end:.{digits}g}" for end in (value.estimate, value.low, value.high))
            return "{} [{}, {}]".format(*ends)
        return f"{value:.{digits}g}" if isinstance(value, float) else str(value)

    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in shown.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row) + "</tr>"
        for row in shown.itertuples(index=False, name=None)
    )
    html = (
        '<div class="lrlab-table" role="region" tabindex="0" '
        f'aria-label="{escape(caption)}"><table class="dataframe">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
    lines = shown.map(cell).to_string(index=False)
    publish(text=f"{caption}\n{lines}", html=html)


class Pictured:
    """What shows its figure in a notebook, with its text below and for those who can't see it."""

    def figure(self) -> Figure:
        """Return the figure."""
        raise NotImplementedError

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.figure().savefig(buffer, format="png", dpi=120, bbox_inches="tight")
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        image, text = base64.b64encode(self._repr_png_()).decode(), escape(str(self))
        return (
            f'<figure><img alt="{text}" src="data:image/png;base64,{image}">'
            f"<figcaption><pre>{text}</pre></figcaption></figure>"
        )


def publish(
    *,
    text: str,
    html: str | None = None,
    markdown: str | None = None,
    png: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Put one output into the notebook that runs, or print its text outside of one.

    Args:
        text: plain text, what is printed outside a notebook.
        html: the same as HTML.
        markdown: the same as Markdown.
        png: the same as a base64-encoded PNG.
        metadata: the output's metadata.

    Example:
        >>> publish(text="plain", html="<b>rich</b>")
        plain
    """
    if not in_notebook():
        print(text)
        return
    from IPython.display import publish_display_data

    rich = {"text/html": html, "text/markdown": markdown, "image/png": png}
    data = {"text/plain": text} | {kind: value for kind, value in rich.items() if value}
    publish_display_data(data=data, metadata=metadata or {})


def in_notebook() -> bool:
    """Whether the code runs in a notebook's kernel."""
    import sys

    core = sys.modules.get("IPython.core.interactiveshell")
    return core is not None and core.InteractiveShell.initialized()


def _close(fig: Figure) -> None:
    import sys

    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(fig)
