"""What a pilot study asks for, beside formulas of other libraries and drawn samples."""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from lrlab import claims

PILOT = [0.10, -0.10, 0.20, 0.00, 0.10, 0.05, -0.05, 0.12]


def said(capsys, *arguments, **settings):
    claims.power(*arguments, **settings)
    return capsys.readouterr().out


def number_after(text, words):
    return float(text.split(words)[1].split()[0].rstrip(".,"))


def test_the_bound_of_the_spread_is_that_of_the_chi_squared_distribution(capsys):
    text = said(capsys, PILOT, beyond=0.1, used=8)
    sd = np.std(PILOT, ddof=1)
    assert number_after(text, "standard deviation of ") == pytest.approx(sd, abs=5e-4)
    covered = scipy_stats.chi2.sf((len(PILOT) - 1) * sd**2 / number_after(text, "at most ") ** 2, 7)
    assert covered == pytest.approx(0.8, abs=0.01)


def test_the_power_of_the_seeds_that_were_used_is_that_of_drawn_samples(capsys):
    text = said(capsys, PILOT, beyond=0.1, effect=0.25, used=10, tested=2)
    bound = number_after(text, "at most ")
    power = number_after(text, "were used, with power ")
    drawn = np.random.default_rng(0).normal(0.25, bound, (20_000, 10))
    low = drawn.mean(1) - scipy_stats.t.ppf(1 - 0.0125, 9) * scipy_stats.sem(drawn, axis=1)
    assert power == pytest.approx(np.mean(low > 0.1), abs=0.015)


def test_an_equivalence_that_is_wide_enough_takes_few_seeds_and_one_at_its_margin_none(capsys):
    wide = number_after(said(capsys, PILOT, within=1.0, used=8), "that asks for ")
    narrow = number_after(said(capsys, PILOT, within=0.1, used=8), "that asks for ")
    assert 5 <= wide < narrow
    assert "more than 10,000" in said(capsys, PILOT, within=0.1, effect=0.1, used=8)


@pytest.mark.parametrize("values", [[0.1], [0.1, np.nan], [0.2, 0.2, 0.2], []])
def test_a_pilot_without_a_spread_says_so(capsys, values):
    assert "too few different values" in said(capsys, values, beyond=0.1, used=8)


@pytest.mark.parametrize("bounds", [{}, {"beyond": 0.1, "within": 0.1}])
def test_it_needs_one_boundary(bounds):
    with pytest.raises(ValueError, match="either beyond or within"):
        claims.power(PILOT, used=8, **bounds)


def test_it_speaks_of_the_unit_of_replication(capsys):
    assert said(capsys, PILOT, beyond=0.1, used=8).count(" seeds") == 2
    text = said(capsys, PILOT, beyond=0.1, used=8, unit="cells")
    assert "over 8 cells the" in text and "cells; 8 were used" in text and "seed" not in text
