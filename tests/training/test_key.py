"""What the key of a run covers: every source and every value that can change a number, no other.

The oracle is a small package, written here, of which each file is changed in turn; which keys must
change was decided by hand, from its import statements.
"""

import dataclasses
import functools
import importlib
import io
import json
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.experiments.faulty_task import FaultyTask
from lrlab.experiments.inverse_decay import InverseDecay
from lrlab.experiments.mup.width_task import Mnist1DWidth
from lrlab.experiments.quadratic import Quadratic
from lrlab.experiments.sharpness import Sharpness
from lrlab.experiments.transfer import Transfer
from lrlab.optimizers import SGD, Adam
from lrlab.schedules.controllers import ReduceOnPlateau
from lrlab.training import EarlyStopping, _fingerprint, run_key
from lrlab.training._description import Unknown, describe
from lrlab.training.probes import GradientNorm, WeightQuantiles

pytestmark = pytest.mark.trains

RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)
TASK = tasks.get("mnist1d", n_train=128)

# Each file, its text, and the keys that a change of it must change: those of a (s)chedule inside
# others, a (p)robe, a (r)ule for stopping, and a (t)ask that holds a function.
FILES = {
    "mine/__init__.py": ("", "sprt"),
    "mine/schedules.py": (
        "import dataclasses\n"
        "from typing import TYPE_CHECKING\n"
        "from lrlab.schedules import Schedule\n"
        "from .shapes import factor\n"
        "if TYPE_CHECKING:\n"
        "    from mine.hints import Hint\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Saw(Schedule):\n"
        "    peak_lr: float = 0.1\n"
        "    def _rate(self, t):\n"
        "        from mine import lazy\n"
        "        return 0 * t + self.peak_lr * factor() * lazy.ONE\n",
        "s",
    ),
    "mine/shapes.py": ("from .deep.constants import C\ndef factor():\n    return C\n", "s"),
    "mine/deep/__init__.py": ("", "s"),
    "mine/deep/constants.py": ("from ..up import C\n", "s"),
    "mine/deep/unused.py": ("", ""),
    "mine/up.py": ("C = 1.0\n", "s"),
    "mine/lazy.py": ("ONE = 1.0\n", "s"),
    "mine/hints.py": ("Hint = int\n", ""),
    "mine/plots.py": ("import mine.schedules, mine.probes, mine.stops, mine.tasks\n", ""),
    "mine/probes.py": (
        "import dataclasses\n"
        "import mine.norms as norms\n"
        "from lrlab.training.probes import Probe\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Norm(Probe):\n"
        "    def after(self, moment, before):\n"
        "        return norms.norm(moment.model)\n",
        "p",
    ),
    "mine/norms.py": ("def norm(model):\n    return {'one': 1.0}\n", "p"),
    "mine/stops.py": (
        "class Never:\n"
        "    def __call__(self, evals):\n"
        "        try:\n"
        "            from .limits import LIMIT\n"
        "        except ImportError:\n"
        "            LIMIT = 0\n"
        "        return LIMIT > 0\n",
        "r",
    ),
    "mine/limits.py": ("LIMIT = 0\n", "r"),
    "mine/losses.py": ("from .losses2 import *\ndef huber(x):\n    return x\n", "t"),
    "mine/losses2.py": ("", "t"),
    "mine/tasks.py": (
        "import dataclasses\n"
        "from typing import Any\n"
        "import helper\n"
        "from other import values\n"
        "from lrlab.tasks.mnist1d import Mnist1D\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Held(Mnist1D):\n"
        "    parts: Any = ()\n",
        "t",
    ),
    "other/__init__.py": ("", "t"),
    "other/values.py": ("", "t"),
    "other/unused.py": ("", ""),
    "helper.py": ("from helper2 import nothing\n", "t"),
    "helper2.py": ("nothing = None\n", "t"),
    "helper3.py": ("", ""),
}
DRIVER = """
import json, os, sys
import lrlab.training
from lrlab import Recipe, schedules, tasks
from lrlab.training import run_key

def keys():
    from mine.losses import huber
    from mine.probes import Norm
    from mine.schedules import Saw
    from mine.stops import Never
    from mine.tasks import Held
    stock = tasks.get("mnist1d", n_train=128)
    recipe = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)
    nested = schedules.Join([schedules.Warmup(Saw(), 2), schedules.Constant(0.1)], [3])
    return {
        "s": run_key(stock, recipe.replace(schedule=nested)),
        "p": run_key(stock, recipe, probes=[Norm()]),
        "r": run_key(stock, recipe, stop=Never()),
        "t": run_key(Held(parts={"losses": [huber]}), recipe),
        "stock": run_key(stock, recipe),
    }

def in_a_fresh_process():
    # a child that has loaded lrlab and the parts of it, as all have, and nothing of the package
    read, write = os.pipe()
    if not os.fork():
        os.write(write, json.dumps(keys()).encode())
        os._exit(0)
    os.wait()
    os.close(write)
    with os.fdopen(read) as answer:
        return json.load(answer)

# what every child would load anew; it reads no imports here, which starts threads
import grimp, lrlab.tasks.mnist1d, lrlab.training.probes
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
found = {"": in_a_fresh_process(), "again": in_a_fresh_process()}
for name in sys.argv[2:]:
    path = os.path.join(sys.argv[1], name)
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text + "# changed")
    found[name] = in_a_fresh_process()
    with open(path, "w") as file:
        file.write(text)
print(json.dumps(found))
"""


def test_each_source_that_a_part_reaches_changes_its_key_and_no_other_key(tmp_path):
    for name, (text, _) in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-c", DRIVER, str(tmp_path), *FILES]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert not done.stderr and done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    before = found.pop("")
    assert found.pop("again") == before
    assert len({*before.values()}) == 5 and None not in before.values()
    for name, (_, expected) in FILES.items():
        changed = {part for part, key in found[name].items() if key != before[part]}
        assert changed == set(expected), name
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("helper.py", "helper2.py", "helper3.py", "mine", "other")
    ]


SCRIPT = """
import dataclasses, sys
import helper
from pathlib import Path
from lrlab import Job, Recipe, schedules, tasks, train_many
from lrlab.training import Store, run_key

@dataclasses.dataclass(frozen=True)
class Mine(schedules.Schedule):
    peak_lr: float = 0.1

    def _rate(self, t):
        return 0 * t + self.peak_lr * helper.FACTOR

if __name__ == "__main__":
    recipe = Recipe(schedule=Mine(), steps=4, batch_size=16)
    task = tasks.get("mnist1d", n_train=64, architecture="logistic")
    key = run_key(task, recipe)
    if "train" in sys.argv:
        store = Store(Path("store"))
        train_many([Job(task, recipe)], n_jobs=2, store=store, progress=False)
        assert store.get(key, recipe).loss.shape == (4,)
    print(key)
"""


# `python -W error script.py`, again and again: each is a fork of a process that has loaded what is
# installed, and loads lrlab itself. The first trains, in a worker that is started from nothing.
RUNNER = """
import os, runpy, sys
import grimp
import lrlab.training.parallel, lrlab.schedules, lrlab.tasks.mnist1d

for name in [*sys.modules]:
    if name.partition(".")[0] == "lrlab":
        del sys.modules[name]
sys.path[0] = os.getcwd()
for name, *arguments in (["", "train"], ["script.py"], ["helper.py"], ["unused.py"]):
    if name:
        with open(name) as file:
            text = file.read()
        with open(name, "w") as file:
            file.write(text + "# changed\\n")
    if not os.fork():
        sys.argv = ["script.py", *arguments]
        runpy.run_path("script.py", run_name="__main__")
        sys.exit()
    assert os.wait()[1] == 0
    if name:
        with open(name, "w") as file:
            file.write(text)
"""


def test_a_script_is_keyed_by_its_file_and_what_it_imports_beside_it(tmp_path):
    texts = {"script.py": SCRIPT, "helper.py": "FACTOR = 1.0\n", "unused.py": ""}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-B", "-W", "error", "-c", RUNNER]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.split()
    assert len(first) == 64
    changed = {name for name, key in zip(texts, others, strict=True) if key != first}
    assert changed == {"script.py", "helper.py"}


def test_what_a_cell_or_a_prompt_defines_has_no_key(monkeypatch):
    prompt = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", prompt)
    program = (
        "from lrlab import schedules\n"
        "class Mine(schedules.Constant):\n"
        "    pass\n"
        "mine = schedules.Warmup(Mine(0.1), 2)\n"
        "stock = schedules.Warmup(schedules.Constant(0.1), 2)\n"
    )
    exec(program, vars(prompt))
    assert run_key(TASK, RECIPE.replace(schedule=prompt.mine)) is None
    assert run_key(TASK, RECIPE.replace(schedule=prompt.stock)) is not None


@pytest.fixture
def called_from(monkeypatch):
    """Return a function that says which modules of lrlab a call runs code of."""

    def run(call):
        files = set()
        sys.setprofile(lambda frame, event, _: files.add(frame.f_code.co_filename))
        try:
            call()
        finally:
            sys.setprofile(None)
        root = Path(_fingerprint.__file__).parents[1]
        paths = [Path(file) for file in files if Path(file).is_relative_to(root)]
        names = [".".join(("lrlab", *p.relative_to(root).with_suffix("").parts)) for p in paths]
        return {name.removesuffix(".__init__") for name in names}

    return run


ANY = (
    (TASK, RECIPE.replace(schedule=ReduceOnPlateau(0.1)), (), EarlyStopping()),
    (TASK, RECIPE.replace(average_decay=0.9), (GradientNorm(), WeightQuantiles()), None),
    (TASK, RECIPE.replace(schedule=schedules.Warmup(InverseDecay(0.1, 4), 2)), (), None),
    (TASK, RECIPE.replace(optimizer=Adam(), clip_norm=1.0), (Sharpness(every=4),), None),
    (tasks.get("mnist", n_train=64), RECIPE, (), None),
    (tasks.get("digits_diffusion", n_train=64), RECIPE, (), None),
    (tasks.get("names_lm", n_train=64, n_eval=16), RECIPE, (), None),
    (FaultyTask("labels shuffled", "mnist1d", (("n_train", 100),)), RECIPE, (), None),
    (Mnist1DWidth(), RECIPE, (), None),
    (Quadratic(n_train=64), RECIPE, (), None),
    (Transfer(n_train=50, pretraining_steps=1, known=(0, 1)), RECIPE, (), None),
)


@pytest.mark.parametrize(("task", "recipe", "probes", "stop"), ANY, ids=lambda part: "")
def test_every_module_whose_code_runs_while_training_is_in_the_key(
    task, recipe, probes, stop, called_from
):
    _, modules = describe([task, recipe, probes, stop])
    reached = _fingerprint.reached(modules | {"lrlab.training.loop"})
    ran = called_from(lambda: train(task, recipe, probes=probes, stop=stop))
    assert {"lrlab.training.loop", "lrlab.training.state", type(task).__module__} <= ran
    assert ran <= set(reached)
    assert not {"lrlab.plots", "lrlab.training.store", "lrlab.training.parallel"} & set(reached)


def test_the_key_depends_on_every_value(monkeypatch):
    keys = [
        run_key(TASK, RECIPE),
        run_key(tasks.get("mnist1d", n_train=129), RECIPE),
        run_key(TASK, RECIPE.replace(seed=1)),
        run_key(TASK, RECIPE.replace(schedule=schedules.Constant(0.2))),
        run_key(TASK, RECIPE.replace(schedule=schedules.Warmup(schedules.Constant(0.2), 2))),
        run_key(TASK, RECIPE.replace(schedule=schedules.Warmup(schedules.Constant(0.1), 2))),
        run_key(TASK, RECIPE.replace(optimizer=SGD(momentum=0.5))),
        run_key(TASK, RECIPE.replace(optimizer=Adam())),
        run_key(TASK, RECIPE, probes=(GradientNorm(),)),
        run_key(TASK, RECIPE, stop=EarlyStopping()),
    ]
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "another")
    keys.append(run_key(TASK, RECIPE))
    assert len(set(keys)) == len(keys)


def times(factor):
    return lambda x: factor * x


def local_class(factor):
    class Local:
        def __call__(self, x):
            return factor * x

    return Local


@dataclasses.dataclass
class Part:
    value: object


first, second = (lambda x: x), (lambda x: -x)
VALUES = [
    *(None, True, 1, 1.0, "1", b"1", float("nan"), (1,), (1, 2), {"a": 1}, {"a": 2}, {1: "a"}),
    *({"a": 1, "b": 2}, {"b": 2, "a": 1}, {1, 2}, {1, 3}, Path("a"), Path("b")),
    *(np.zeros(3), np.zeros((3, 1)), np.zeros(3, dtype=np.float32), np.ones(3), np.float64(0)),
    *(torch.zeros(3), torch.ones(3), torch.zeros(3, 1), torch.float32, torch.bfloat16),
    *(first, second, times(2), times(3), functools.partial(first), functools.partial(first, 1)),
    *(torch.relu, torch.tanh, torch.nn.functional.mse_loss, Part, json),
    *(Part(1), Part(2), Part(Part(1)), Part([first]), Part([second]), Part(1).__eq__),
    *(local_class(1), local_class(2), local_class(1)(), local_class(2)()),
]


def test_different_values_have_different_descriptions_and_equal_ones_the_same():
    texts = [json.dumps(describe(value)[0]) for value in VALUES]
    assert len(set(texts)) == len(texts)
    for value in (times(2), times(2)), (local_class(2), local_class(2)), (Part(1), Part(1)):
        one, other = value
        assert describe(one) == describe(other)


def test_a_part_that_holds_itself_is_described():
    part = Part(None)
    part.value = [part]
    assert describe(part)[0] == describe(part)[0]


def test_what_is_remembered_by_a_part_is_not_in_its_key():
    class Slow:
        @functools.cached_property
        def answer(self):
            return object()

    slow = Slow()
    before = describe(slow)
    assert slow.answer and describe(slow) == before


OPAQUE = [
    *(torch.Generator(), np.random.default_rng(0), io.StringIO(), iter([1])),
    *((x for x in ()), [].append, np.array([object()])),
]


@pytest.mark.parametrize("value", OPAQUE, ids=lambda value: type(value).__name__)
def test_a_part_that_can_not_be_looked_into_gives_no_key(value):
    with pytest.raises(Unknown):
        describe(Part([value]))
    assert run_key(TASK, RECIPE, stop=Part(value)) is None


def test_a_module_that_was_changed_after_it_was_loaded_gives_no_key_and_says_so(monkeypatch):
    store = importlib.import_module("lrlab.training.store")
    monkeypatch.setattr(_fingerprint, "_BEGAN", 0.0)
    _fingerprint._digest.cache_clear()
    store._sources.cache_clear()
    with pytest.warns(UserWarning, match="was changed after it was loaded"):
        assert run_key(TASK, RECIPE) is None
