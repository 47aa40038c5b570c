"""as_torch inside other people's training loops."""

import lightning
import numpy as np
import pytest
import torch
import transformers
from torch.utils.data import DataLoader, TensorDataset

from lrlab.schedules import Cosine, Warmup, as_torch

SCHEDULE = Warmup(Cosine(0.3, steps=9, end_lr=0.01), warmup_steps=3)
EXPECTED = SCHEDULE(np.arange(12)).tolist()


class Recorded(torch.optim.SGD):
    """Remembers the rate that each update was made at."""

    def __init__(self, parameters):
        super().__init__(parameters, lr=0.1)
        self.used = []

    def step(self, closure=None):
        self.used.append(self.param_groups[0]["lr"])
        return super().step(closure)


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch, _):
        return self.layer(batch[0]).square().mean()

    def configure_optimizers(self):
        self.recorded = Recorded(self.parameters())
        scheduler = as_torch(self.recorded, SCHEDULE)
        schedule = {"scheduler": scheduler, "interval": "step"}
        return {"optimizer": self.recorded, "lr_scheduler": schedule}

    def train_dataloader(self):
        return DataLoader(TensorDataset(torch.ones(8, 1)), batch_size=2)


def fit(module, epochs, **options):
    trainer = lightning.Trainer(
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        enable_checkpointing=False,
    )
    trainer.fit(module, **options)
    return trainer


@pytest.mark.filterwarnings("ignore")  # Lightning advises on workers and log intervals
def test_lightning_trains_and_resumes_at_the_rates_of_the_schedule(tmp_path):
    module = Module()
    fit(module, 3)
    assert module.recorded.used == EXPECTED

    first = fit(Module(), 1)
    first.save_checkpoint(tmp_path / "after.ckpt")
    resumed = Module()
    fit(resumed, 3, ckpt_path=tmp_path / "after.ckpt")
    assert resumed.recorded.used == EXPECTED[4:]


class Regression(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x, labels=None):
        output = self.layer(x)
        return {"loss": (output - labels).square().mean(), "logits": output}


@pytest.mark.filterwarnings("ignore")
def test_the_trainer_of_transformers_trains_and_resumes_at_the_rates_of_the_schedule(tmp_path):
    data = [{"x": torch.ones(1), "labels": torch.ones(1)} for _ in range(24)]

    def trainer():
        model = Regression()
        optimizer = Recorded(model.parameters())
        arguments = transformers.TrainingArguments(
            output_dir=str(tmp_path),
            max_steps=12,
            per_device_train_batch_size=2,
            save_steps=5,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            logging_strategy="no",
        )
        schedulers = (optimizer, as_torch(optimizer, SCHEDULE))
        return optimizer, transformers.Trainer(
            model=model, args=arguments, train_dataset=data, optimizers=schedulers
        )

    optimizer, whole = trainer()
    whole.train()
    assert optimizer.used == EXPECTED
    optimizer, again = trainer()
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-5"))
    assert optimizer.used == EXPECTED[5:]
