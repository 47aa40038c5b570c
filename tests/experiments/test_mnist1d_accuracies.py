"""MNIST-1D as its authors train on it."""

import numpy as np
import pytest
import torch

from lrlab import Recipe
from lrlab.experiments.mnist1d_accuracies import InOrder, PublishedMnist1D, ResidualPerceptron
from lrlab.schedules import Constant
from lrlab.training.loop import train

pytestmark = pytest.mark.trains


def test_the_training_part_is_the_published_one_in_its_order():
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    splits = PublishedMnist1D().data()
    np.testing.assert_array_equal(splits.train[0], made["x"].astype("float32"))
    np.testing.assert_array_equal(splits.train[1], made["y"])
    np.testing.assert_array_equal(splits.test[0], made["x_test"].astype("float32"))


def test_no_signal_is_in_two_parts():
    splits = PublishedMnist1D().data()
    everything = torch.cat([splits.train[0], splits.validation[0], splits.test[0]])
    assert len(torch.unique(everything, dim=0)) == 5500


def test_the_points_are_permuted_as_published():
    plain, shuffled = (PublishedMnist1D(shuffled=s).data() for s in (False, True))
    order = np.random.RandomState(42).permutation(40)
    assert torch.equal(plain.test[0][:, order], shuffled.test[0])


def test_the_path_around_the_second_layer_is_there():
    model = ResidualPerceptron()
    assert sum(p.numel() for p in model.parameters()) == 15_210
    torch.nn.init.zeros_(model.linear2.weight)
    torch.nn.init.zeros_(model.linear2.bias)
    x = torch.randn(3, 40)
    assert torch.equal(model(x), model.linear3(model.linear1(x).relu()))


def test_a_resumed_run_sees_the_same_batches():
    task = PublishedMnist1D(architecture="logistic")
    recipe = Recipe(schedule=Constant(0.1), steps=50, batch_size=100)
    half = train(task, recipe, until=45)
    assert train(task, recipe, resume=half.checkpoint).same_numbers(train(task, recipe))


def test_a_batch_size_that_leaves_a_rest_is_refused():
    with pytest.raises(ValueError, match="batch_size=3"):
        InOrder((torch.arange(4),), 3, torch.Generator())
