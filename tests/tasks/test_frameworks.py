"""The frameworks' doors on stand-ins that have what those frameworks' own objects have.

`make test-peers` holds the same doors against the real packages.
"""

import threading
from pathlib import Path

import pytest
import torch
from own_models import X, Y
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from lrlab import train
from lrlab.tasks import from_lightning, from_trainer

mse = nn.functional.mse_loss


def pairs():
    return DataLoader(TensorDataset(X, Y), batch_size=16)


def trains(task, steps=3):
    run = train(task, task.recipe.replace(steps=steps))
    assert len(run.loss) == steps
    return run


class Module(nn.Module):
    """As a LightningModule without a Trainer is."""

    automatic_optimization = True
    _trainer = None

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    @property
    def trainer(self):
        if self._trainer is None:
            raise RuntimeError("Module is not attached to a `Trainer`.")
        return self._trainer

    def forward(self, x):
        return self.layer(x)

    def prepare_data(self):
        pass

    def setup(self, stage):
        pass

    def training_step(self, batch, batch_idx):
        return mse(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.01)

    def train_dataloader(self):
        return pairs()


def with_methods(**methods):
    return type("Module", (Module,), methods)()


class Data:
    trainer = None

    def prepare_data(self):
        self.rows = X, Y

    def setup(self, stage):
        self.data = TensorDataset(*self.rows)

    def train_dataloader(self):
        return DataLoader(self.data, batch_size=16)


@pytest.mark.parametrize(
    "step",
    [
        lambda self, batch: mse(self(batch[0]), batch[1]),
        lambda self, batch, _: mse(self(batch[0]), batch[1]),
        lambda self, batch, batch_nb: mse(self(batch[0]), batch[1]) + batch_nb,
        lambda self, *given: mse(self(given[0][0]), given[0][1]) + given[1],
        lambda self, batch, batch_idx=None, dataloader_idx=0: mse(self(batch[0]), batch[1]),
        lambda self, batch, *, scale=1.0: scale * mse(self(batch[0]), batch[1]),
        lambda self, batch, **more: mse(self(batch[0]), batch[1]),
    ],
)
def test_a_training_step_may_name_its_arguments_as_it_likes(step):
    losses = []
    for module in (with_methods(training_step=step), Module()):
        nn.init.ones_(module.layer.weight)
        nn.init.zeros_(module.layer.bias)
        module.layer.weight.data[0, 0] = 2.0
        losses.append(trains(from_lightning(module, Data())).loss.tolist())
    assert losses[0] == losses[1]


@pytest.mark.parametrize("data", [None, Data(), pairs(), [(X[:16], Y[:16])]])
def test_batches_come_from_the_module_a_data_module_or_a_loader(data):
    trains(from_lightning(Module(), data))


def test_a_module_may_make_its_layers_and_data_when_it_is_set_up():
    def setup(self, stage):
        self.more, self.data = nn.Linear(4, 1), TensorDataset(X, Y)

    made = with_methods(
        setup=setup,
        training_step=lambda self, batch, i: mse(self.more(batch[0]), batch[1]),
        configure_optimizers=lambda self: torch.optim.SGD(self.more.parameters(), lr=0.1),
        train_dataloader=lambda self: DataLoader(self.data, batch_size=16),
    )
    run = trains(from_lightning(made), 8)
    assert run.loss[-1] < run.loss[0] and not hasattr(made, "more")


@pytest.mark.parametrize(
    "methods",
    [
        {"configure_optimizers": lambda self: self.trainer.estimated_stepping_batches},
        {"training_step": lambda self, batch, i: self.trainer.world_size},
        {"train_dataloader": lambda self: self.trainer.datamodule},
        {"setup": lambda self, stage: self.trainer.datamodule},
    ],
)
def test_what_needs_a_trainer_is_refused_with_two_ways_on(methods):
    with pytest.raises(ValueError, match=r"not attached.*module\.trainer = .*from_module"):
        trains(from_lightning(with_methods(**methods)))


def test_a_mistake_in_a_training_step_stays_what_it_is():
    wrong = with_methods(training_step=lambda self, batch, i: self(batch[0][:, :2]).sum())
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trains(from_lightning(wrong))


def test_a_mistake_in_preparing_data_stays_what_it_is():
    with pytest.raises(FileNotFoundError):
        from_lightning(with_methods(prepare_data=lambda self: Path("nowhere").stat(), setup=print))


def test_a_step_that_leaves_a_batch_out_is_refused_with_the_way_on():
    with pytest.raises(ValueError, match="leave batches that have none out in the loader"):
        trains(from_lightning(with_methods(training_step=lambda self, batch, i: None)))


class CombinedLoader(list):
    pass


@pytest.mark.parametrize("several", [[pairs(), pairs()], {"a": pairs()}, CombinedLoader([1])])
def test_several_loaders_are_refused_in_a_sentence(several):
    with pytest.raises(ValueError, match="several training loaders"):
        from_lightning(with_methods(train_dataloader=lambda self: several))


@pytest.mark.filterwarnings("ignore:.*weight_norm")
@pytest.mark.parametrize("kind", ["lock", "weight_norm", "activation"])
def test_a_module_that_can_not_be_copied_is_trained_in_place_and_put_back(kind):
    module = Module()
    if kind == "lock":
        module.lock = threading.Lock()
    elif kind == "weight_norm":
        module.layer = nn.utils.weight_norm(module.layer)
    else:
        module.last = module(X)
    module(X).sum().backward()
    module.zero_grad()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    task = from_lightning(module)
    run = trains(task, 5)
    assert task.obstacle and run.loss[-1] != run.loss[0]
    assert all(torch.equal(before[name], p) for name, p in module.named_parameters())


class Arguments:
    max_steps, num_train_epochs, gradient_accumulation_steps, max_grad_norm = -1, 3.0, 1, 0.5


class Stream(IterableDataset):
    def __iter__(self):
        return iter([{"x": X[0], "labels": Y[0]}] * 40)


class Returns(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 1)

    def forward(self, x, labels):
        return {"loss": mse(self.layer(x), labels)}


class Trainer:
    """As a Trainer of transformers is, before it has trained."""

    train_dataset, optimizer, lr_scheduler = (1,), None, None

    def __init__(self, loader, **arguments):
        self.model, self.loader = Returns(), loader
        self.args = type("Arguments", (Arguments,), arguments)()

    def create_optimizer(self):
        return torch.optim.SGD(self.model.parameters(), lr=0.1)

    def get_train_dataloader(self):
        return self.loader

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        return model(**inputs)["loss"]


def test_a_trainers_length_and_clipping_are_the_recipes():
    batches = [{"x": X[:16], "labels": Y[:16]}] * 4
    task = from_trainer(Trainer(batches))
    assert task.recipe.steps == 3 * 4 and task.recipe.clip_norm == 0.5
    assert from_trainer(Trainer(batches, max_grad_norm=0.0)).recipe.clip_norm is None
    assert from_trainer(Trainer(batches, max_steps=7)).recipe.steps == 7
    assert from_trainer(Trainer(batches, max_steps=7), steps=9).recipe.steps == 9
    first, second = trains(task).loss[:2]
    free = trains(from_trainer(Trainer(batches, max_grad_norm=0.0)))
    assert free.grad_norm[0] > 0.5 and second < first


def test_gradients_that_are_added_up_over_batches_are_warned_of_since_their_best_rate_is_another():
    batches = [{"x": X[:16], "labels": Y[:16]}] * 4
    with pytest.warns(UserWarning, match="one batch here, not 2: give batches that much larger"):
        task = from_trainer(Trainer(batches, gradient_accumulation_steps=2))
    assert task.recipe.steps == 3 * 4 // 2


def test_a_stream_needs_a_length_that_somebody_says():
    stream = DataLoader(Stream(), batch_size=8)
    with pytest.raises(ValueError, match="have no length: say steps"):
        from_trainer(Trainer(stream))
    trains(from_trainer(Trainer(stream), steps=5))
    assert from_trainer(Trainer(stream, max_steps=7)).recipe.steps == 7


class Uses(Trainer):
    """Its loss uses the model that the trainer holds, beside the one that is handed to it."""

    def __init__(self, mixed):
        super().__init__([{"x": X[:16], "labels": Y[:16]}] * 4, max_grad_norm=0.0)
        self.mixed, self.calls = mixed, 0

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        self.calls += 1
        if not self.mixed:
            return self.model(**inputs)["loss"]
        return model(**inputs)["loss"] + 0.1 * self.model.layer.weight.square().sum()


@pytest.mark.parametrize("mixed", [True, False])
def test_a_trainers_loss_may_use_the_model_that_the_trainer_holds(mixed):
    trainer = Uses(mixed)
    model, kept = trainer.model, trainer.model.layer.weight.detach().clone()
    lab = trains(from_trainer(trainer), 6).loss
    assert trainer.model is model and torch.equal(model.layer.weight, kept)
    assert trainer.calls == 0 and trainer.optimizer is None
    optimizer, by_hand = trainer.create_optimizer(), []
    for batch in [*trainer.loader, *trainer.loader][:6]:
        optimizer.zero_grad()
        loss = trainer.compute_loss(model, batch)
        by_hand.append(loss.item())
        loss.backward()
        optimizer.step()
    assert lab == pytest.approx(by_hand, rel=1e-6)
