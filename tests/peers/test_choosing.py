"""The guide's lines for transformers make the schedule that its lines for lrlab make."""

import choosing_code
import pytest


@pytest.mark.parametrize("code", choosing_code.schedules(), ids=lambda code: len(code["lrlab"]))
def test_the_line_for_transformers_makes_the_schedule_of_the_line_for_lrlab(code):
    expected = choosing_code.rates(code["lrlab"])
    assert choosing_code.rates(code["transformers"]) == pytest.approx(expected, abs=1e-12)
