"""Range tests by the frameworks' own doors: a LightningModule with its data, a Trainer."""

import re
from pathlib import Path

import lightning
import pytest
import torch
import transformers
from torch.utils.data import DataLoader, TensorDataset

from lrlab.range_test import range_test
from lrlab.tasks import from_lightning, from_trainer

X = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
Y = X.sum(1, keepdim=True)
QUICK = {"steps": 60, "seeds": 2, "lr_max": 10.0}


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)
        )

    def training_step(self, batch, batch_idx):
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        self.log("train_loss", loss)
        return {"loss": loss}

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min(1.0, t / 5))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler}}


class Data(lightning.LightningDataModule):
    def setup(self, stage):
        self.data = TensorDataset(X, Y)

    def train_dataloader(self):
        return DataLoader(self.data, batch_size=32, shuffle=True)


def of_the_guide(door, **names):
    """Run the guide's lines for a door and return their result."""
    text = (Path(__file__).parents[2] / "book/guide/finding_a_rate.md").read_text()
    [code] = [c for c in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if f"{door}(" in c]
    exec(code, names)
    return names["result"]


def weights(model):
    return [p.detach().clone() for p in model.parameters()]


@pytest.mark.filterwarnings("ignore")
def test_a_lightning_module_with_its_data_module_in_three_lines():
    torch.manual_seed(0)
    module = Module()
    before = weights(module)
    task = from_lightning(module, Data(), steps=200)
    found = range_test(task, **QUICK)
    shown = of_the_guide("from_lightning", module=module, datamodule=Data())
    assert shown.suggest().lr > 1e-3
    assert 1e-3 < found.suggest().lr < 1 and task.recipe.schedule.lr == 0.1
    assert all(torch.equal(a, b) for a, b in zip(before, weights(module), strict=True))


@pytest.mark.filterwarnings("ignore")
def test_several_optimizers_and_an_update_by_hand_are_refused_in_a_sentence():
    module = Module()
    weights = list(module.parameters())
    module.configure_optimizers = lambda: [torch.optim.SGD(weights, lr=r) for r in (1, 2)]
    with pytest.raises(ValueError, match="must give one optimizer"):
        from_lightning(module, Data())
    module.automatic_optimization = False
    with pytest.raises(ValueError, match="optimizes by hand"):
        from_lightning(module, Data())


class Regression(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)

    def forward(self, x, labels=None):
        output = self.layer(x)
        return {"loss": torch.nn.functional.mse_loss(output, labels), "logits": output}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("own", [True, False])
def test_a_trainer_of_transformers_in_three_lines(tmp_path, own):
    torch.manual_seed(0)
    model = Regression()
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path), max_steps=50, per_device_train_batch_size=32, use_cpu=True,
            report_to="none", disable_tqdm=True, learning_rate=1e-3,
        ),
        train_dataset=[{"x": x, "labels": y} for x, y in zip(X, Y, strict=True)],
        optimizers=(torch.optim.SGD(model.parameters(), lr=1e-3), None) if own else (None, None),
    )  # fmt: skip
    before, optimizer = weights(model), trainer.optimizer
    task = from_trainer(trainer)
    found = range_test(task, **QUICK)
    assert found.suggest().lr > 1e-3 and task.recipe.steps == 50
    assert all(torch.equal(a, b) for a, b in zip(before, weights(model), strict=True))
    assert trainer.optimizer is optimizer and model.training
    assert of_the_guide("from_trainer", trainer=trainer).suggest().lr > 1e-3
    trainer.train()
    assert not torch.equal(before[0], weights(model)[0])
