"""What a plan would cost is said without carrying it out."""

from lrlab import Job, Recipe, schedules, tasks
from lrlab.labbook.entries._estimate import estimate
from lrlab.training import Store

TASK = tasks.get("mnist1d", n_train=128)
RECIPE = Recipe(schedule=schedules.Constant(0.1), steps=4, batch_size=16)


def test_a_plan_is_described_without_being_carried_out(tmp_path):
    store = Store(tmp_path)
    store.train(TASK, RECIPE)
    jobs = [Job(TASK, RECIPE.replace(seed=s)) for s in (0, 1, 1)]
    plan = estimate(jobs, store)
    assert (plan["runs"], plan["stored"], plan["by_task"]) == (2, 1, {"mnist1d": 2})
    assert 0 < plan["seconds"] < 60
    assert len(list(tmp_path.rglob("*.npz"))) == 1
