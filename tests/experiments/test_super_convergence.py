"""Few digits to train on, many to test on."""

import torch

from lrlab import tasks
from lrlab.experiments.super_convergence import MnistFew


def test_no_image_is_lost_and_the_parts_share_none():
    few, whole = MnistFew(n_train=700).data(), tasks.get("mnist").data()
    assert few.sizes() == {"train": 700, "validation": 500, "test": 3800}
    for k in (0, 1):
        assert torch.equal(few.train[k], whole.train[k][:700])
        assert torch.equal(few.validation[k], whole.validation[k])
        assert torch.equal(few.test[k], torch.cat([whole.test[k], whole.train[k][700:]]))


def test_its_description_is_another_than_that_of_all_digits():
    task = MnistFew(n_train=700)
    assert task.to_dict() != tasks.get("mnist", n_train=700).to_dict()
