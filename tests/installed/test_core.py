"""The core install: a range test on one's own model, a schedule for PyTorch, nothing else."""

import pytest

OWN_MODEL = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from lrlab.range_test import range_test
from lrlab.tasks import from_module

x = torch.randn(256, 8, generator=torch.Generator().manual_seed(0))
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
loader = DataLoader(TensorDataset(x, (x.sum(1) > 0).long()), batch_size=32, shuffle=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
task = from_module(model, optimizer, loader, nn.functional.cross_entropy)
found = range_test(task, steps=40, seeds=2)
print(found.suggest().lr)
"""

AS_TORCH = """
import torch
from lrlab import schedules

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
schedule = schedules.Cosine(peak_lr=0.5, steps=10)
scheduler = schedules.as_torch(optimizer, schedule)
for step in range(12):
    assert abs(optimizer.param_groups[0]["lr"] - schedule(step)) < 1e-12, step
    optimizer.step()
    scheduler.step()
"""


@pytest.fixture(scope="module")
def core(install):
    return install("")


def test_the_core_holds_seven_packages_and_what_they_need(core):
    seven = {"click", "joblib", "matplotlib", "numpy", "scipy", "torch", "tqdm"}
    assert seven <= core.packages
    assert (
        not {"grimp", "optuna", "pandas", "scikit-learn", "papermill", "nbformat"} & core.packages
    )


def test_a_range_test_on_ones_own_model_runs(core):
    done = core.python(OWN_MODEL)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0


def test_a_schedule_drives_a_torch_optimizer(core):
    done = core.python(AS_TORCH)
    assert done.returncode == 0, done.stderr


def test_all_modules_of_the_library_but_those_of_sweeps_import(core):
    done = core.python(
        "import importlib, pkgutil, lrlab\n"
        "for module in pkgutil.walk_packages(lrlab.__path__, 'lrlab.', lambda name: None):\n"
        "    if module.name.split('.')[1] not in ('experiments', 'labbook', 'sweep', 'cli'):\n"
        "        importlib.import_module(module.name)\n"
    )
    assert done.returncode == 0, done.stderr


def test_the_command_line_helps(core):
    done = core.run("lrlab", "--help")
    assert done.returncode == 0 and "Usage: lrlab" in done.stdout


def test_a_part_whose_extra_is_missing_says_in_a_sentence_how_to_get_it(core):
    cases = {
        "from lrlab import sweep; sweep.Plan": "sweeps",
        "from lrlab import tasks; tasks.get('mnist').data()": "data",
        "from lrlab import tasks; tasks.get('mnist1d').data()": "data",
        "from lrlab import tasks; tasks.get('names_lm').data()": "data",
        "from lrlab import tasks; tasks.get('digits_diffusion').data()": "data",
    }
    for code, extra in cases.items():
        done = core.python(code)
        last = done.stderr.strip().splitlines()[-1]
        assert "MissingExtra: this needs" in last and f"pip install 'lrlab[{extra}]'" in last, code


def test_a_command_whose_extra_is_missing_ends_with_a_sentence_and_2(core):
    sections = ("Question", "Setup", "Prediction", "Result", "Verdict")
    (core.here / "plan.yml").write_text("task: mnist\n")
    (core.here / "notebooks").mkdir()
    (core.here / "notebooks" / "a.py").write_text(
        "# # A\n" + "".join(f"# ## {name}\n" for name in sections)
    )
    (core.here / "_toc.yml").write_text("")
    for command, extra in {
        ("sweep", "plan.yml"): "sweeps",
        ("sweep", "status", "plan.yml"): "sweeps",
        ("list",): "notebooks",
        ("run", "a"): "notebooks",
    }.items():
        done = core.run("lrlab", *command)
        assert done.returncode == 2, done.stderr
        assert done.stderr.startswith("lrlab: ") and done.stderr.count("\n") == 1, done.stderr
        assert f"pip install 'lrlab[{extra}]'" in done.stderr, done.stderr
