"""What an ensemble predicts."""

import numpy as np
import pytest

from lrlab import Job, Recipe, tasks, train_many
from lrlab.experiments.ensembles import Predictions, cross_entropy, disagreement, ensemble_log_probs
from lrlab.schedules import Constant

pytestmark = pytest.mark.trains

TASK = tasks.get("mnist1d", n_train=200)


def random_predictions(members: int = 4, examples: int = 50) -> np.ndarray:
    p = np.random.default_rng(0).dirichlet(np.ones(10), size=(members, examples))
    return np.log(p)


def test_an_ensemble_averages_probabilities_and_they_still_sum_to_one():
    log_p = random_predictions()
    mean = np.exp(ensemble_log_probs(log_p))
    assert np.allclose(mean, np.exp(log_p).mean(0))
    assert np.allclose(mean.sum(-1), 1)


def test_an_ensemble_is_never_worse_than_the_mean_of_its_members():
    log_p, labels = random_predictions(), np.arange(50) % 10
    alone = np.mean([cross_entropy(member, labels) for member in log_p])
    assert cross_entropy(ensemble_log_probs(log_p), labels) < alone


def test_equal_members_agree_and_disagreement_is_symmetric():
    log_p = random_predictions()
    assert disagreement(np.repeat(log_p[:1], 3, axis=0)) == 0
    assert disagreement(log_p) == disagreement(log_p[::-1])


@pytest.mark.parametrize(
    "call",
    [lambda: disagreement(random_predictions(1)), lambda: ensemble_log_probs(np.zeros((2, 3)))],
)
def test_too_few_members_and_wrong_shapes_are_refused(call):
    with pytest.raises(ValueError, match="need"):
        call()


def test_predictions_are_those_that_the_evaluation_judges():
    recipe = Recipe(schedule=Constant(0.1), steps=20, batch_size=20)
    [run] = train_many(
        [Job(TASK, recipe, (Predictions(every=10),))], n_jobs=1, store=None, progress=False
    )
    measured = run.probes["Predictions"]
    assert measured["step"].tolist() == [10, 20]
    for part in ("validation", "test"):
        labels = getattr(TASK.data(), part)[1].numpy()
        log_p = measured[part][-1].reshape(len(labels), 10)
        assert cross_entropy(log_p, labels) == pytest.approx(run.final(f"{part}_loss"), rel=1e-5)
