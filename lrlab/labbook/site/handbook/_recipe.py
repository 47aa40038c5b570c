"""The directives ``recipe`` and ``recipe-choices``: advice, and the runs that it is meant for.

The options of a ``recipe`` name optimizers, kinds of model, budgets and numbers of runs for tuning
by the keys of `CHOICES`; an option that is left out makes no difference to the advice. The form of
``recipe-choices`` is for a script, which hides what does not fit; without it all advice is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TITLES: Mapping[str, str] = {
    "optimizer": "Optimizer",
    "model": "Kind of model",
    "budget": "Length of training",
    "tuning": "Runs that you can spend on tuning",
}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "optimizer": {"sgd": "SGD", "adam": "Adam or AdamW"},
    "model": {
        "perceptron": "perceptron",
        "cnn": "convolutional network",
        "denoiser": "denoiser (diffusion)",
        "transformer": "transformer",
    },
    "budget": {
        "300": "100 to 300 updates",
        "1000": "300 to 1,000 updates",
        "2700": "1,000 to 2,700 updates",
    },
    "tuning": {"0": "no tuning runs", "5": "5 tuning runs", "20": "20 tuning runs"},
}


def connect(app: Sphinx) -> None:
    """Make the directives known."""
    app.add_directive("recipe", Recipe)
    app.add_directive("recipe-choices", RecipeChoices)


def named(choice: str, text: str) -> list[str]:
    """The keys that an option names, in the order of `CHOICES`.

    Args:
        choice: a key of `CHOICES`.
        text: keys of its values, with commas between.

    Raises:
        ValueError: with the keys that there are.

    Example:
        >>> named("tuning", "20, 5")
        ['5', '20']
    """
    keys = {key.strip() for key in text.split(",")}
    if not keys <= set(CHOICES[choice]):
        raise ValueError(f"{choice} must be of {', '.join(CHOICES[choice])}, got {text!r}")
    return [key for key in CHOICES[choice] if key in keys]


def form() -> str:
    """The choices as HTML, hidden until the script has made something of them."""
    rows = []
    for name, words in CHOICES.items():
        options = "".join(f'<option value="{key}">{text}</option>' for key, text in words.items())
        select = f'<select id="recipe-{name}" name="{name}"><option value="">any</option>{options}'
        rows.append(f'<p><label for="recipe-{name}">{TITLES[name]}</label>{select}</select></p>')
    return (
        '<form class="lrlab-choices" aria-label="Your training" hidden>'
        f'<div class="lrlab-controls">{"".join(rows)}</div>'
        '<p><button type="reset">Show all advice</button> <span role="status"></span></p></form>'
    )


class Recipe(SphinxDirective):
    """A piece of advice."""

    has_content = True
    option_spec = dict.fromkeys(CHOICES, directives.unchanged_required)

    def run(self) -> list[nodes.Node]:
        """Return the content behind a line that says for which trainings it is."""
        try:
            keys = {
                name: named(name, self.options[name]) for name in CHOICES if name in self.options
            }
        except ValueError as error:
            raise self.error(str(error)) from None
        data = "".join(f' data-{name}="{" ".join(of)}"' for name, of in keys.items())
        words = [" or ".join(CHOICES[name][key] for key in of) for name, of in keys.items()]
        said = escape(" · ".join(words), quote=False) or "every training"
        head = f'<div class="lrlab-recipe"{data}>\n<p class="lrlab-for">For {said}</p>'
        inside = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, inside)
        begin, end = (nodes.raw("", text, format="html") for text in (head, "</div>"))
        return [begin, *inside.children, end]


class RecipeChoices(SphinxDirective):
    """The form with the choices."""

    def run(self) -> list[nodes.Node]:
        """Return the form."""
        return [nodes.raw("", form(), format="html")]
