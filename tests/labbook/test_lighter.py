"""What makes the site lighter takes nothing away that is seen."""

import base64
import io

import numpy as np
import pytest
from entry_maker import png
from PIL import Image

from lrlab.labbook.site import _lighter as lighter
from lrlab.labbook.site import _mathematics as mathematics
from lrlab.labbook.site._styles import used


def encoded(pixels: np.ndarray) -> bytes:
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return made.getvalue()


def test_figure_gets_smaller_and_looks_the_same():
    before = base64.b64decode(png())
    after = lighter.fewer_colours(before)
    assert len(after) < len(before)
    pixels = [np.asarray(Image.open(io.BytesIO(b)).convert("RGB"), float) for b in (before, after)]
    assert pixels[0].shape == pixels[1].shape
    assert np.sqrt(((pixels[0] - pixels[1]) ** 2).mean()) < lighter.VISIBLE


@pytest.mark.parametrize("channels", [3, 4])
def test_picture_that_would_look_different_stays(channels):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, channels), np.uint8)
    picture = encoded(noise)
    assert lighter.fewer_colours(picture) == picture


@pytest.mark.parametrize(
    ("sheet", "kept"),
    [
        (".a{x:1}.c{x:2}", ".a{x:1}"),
        (".a .c,.b>p{x:1}", ".b>p{x:1}"),
        ("html[data-x='.c{'] p{x:1}", "html[data-x='.c{'] p{x:1}"),
        ("@media (min-width:1px){.c{x:1}.a:hover{x:2}}", "@media (min-width:1px){.a:hover{x:2}}"),
        ("@media print{.c{x:1}}", ""),
        (":is(.a,.c) p{x:1}", ":is(.a,.c) p{x:1}"),
        ("p:not(.c){x:1}", "p:not(.c){x:1}"),
        ("@font-face{src:url(a.c)}", "@font-face{src:url(a.c)}"),
        ('@charset "x";.c{x:1}/* .a{} */#a{x:1}', '@charset "x";#a{x:1}'),
        ("@keyframes c{from{x:1}to{x:2}}", "@keyframes c{from{x:1}to{x:2}}"),
        (r".md\:a{x:1}", ""),
        ('.a:after{content:"}"}.c{x:1}', '.a:after{content:"}"}'),
        ("/*! licence */.a{x:1}", "/*! licence */.a{x:1}"),
    ],
)
def test_only_rules_that_fit_no_element_go(sheet, kept):
    assert used(sheet, {"a", "b"}.__contains__) == kept


@pytest.mark.parametrize(
    "tex", [r"p \le ½", r"\Phi\!\big(\tfrac{c(s)-\mu}{\sigma/\sqrt n}\big)", r"\lambda_{\max}"]
)
def test_formula_becomes_mathml(tex):
    made = mathematics.mathml(tex)
    assert made.startswith("<math") and "<merror" not in made


def test_formula_that_is_not_understood_is_named():
    with pytest.raises(ValueError, match=r"nonsense"):
        mathematics.mathml(r"\nonsense{x}")
