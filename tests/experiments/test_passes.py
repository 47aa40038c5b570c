"""The two settings in which a question is asked, and what their runs are judged by."""

import pytest

from lrlab import Job, Recipe, train_many
from lrlab.experiments.passes import MANY, ONE, Case, both
from lrlab.schedules import Constant
from lrlab.training import Results

pytestmark = pytest.mark.trains


def test_one_pass_is_judged_by_its_loss_and_many_passes_by_wrong_answers(monkeypatch):
    monkeypatch.setenv("LRLAB_CACHE", "off")
    size = (2, 0, [0.1], 3)
    for name, case in both(Case, 20, 100, lm=size, mlp=size).items():
        recipe = Recipe(schedule=Constant(0.1), steps=case.steps, batch_size=case.batch_size)
        [run] = train_many({0: Job(case.task, recipe)}).values()
        for part in ("validation", "test"):
            [found] = Results({0: run}).array(case.of(part))
            wrong = {ONE: f"{part}_loss", MANY: f"{part}_accuracy"}[name]
            value = run.final(wrong)
            assert found == (value if name == ONE else 1 - value)
