"""What an entry carries for the loss explorer: the runs as they were, in few bytes."""

import dataclasses
import json

import nbformat
import numpy as np
import pytest
import recorded_runs as made
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lrlab import display, schedules
from lrlab.labbook import recorded
from lrlab.labbook.entries._normalise import normalise
from lrlab.schedules.controllers import ReduceOnPlateau


def put(monkeypatch, runs, **more):
    """What `show` publishes: the metadata of one output."""
    found = []
    monkeypatch.setattr(display, "publish", lambda **given: found.append(given))
    recorded.show(runs, about="A network", **more)
    [given] = found
    return given["metadata"][recorded.KEY]


def changed(runs, key, **changes):
    return runs | {key: dataclasses.replace(runs[key], **changes)}


def test_each_point_is_the_mean_of_as_many_updates_to_four_digits(monkeypatch):
    runs = made.grid()
    data = put(monkeypatch, runs)
    width = data["width"]
    assert width == 3 and data["seeds"] == list(made.SEEDS)
    seen = 0
    for schedule in data["schedules"]:
        for point in schedule["peaks"]:
            for seed, shown in zip(data["seeds"], point["runs"], strict=True):
                run = runs[schedule["name"], point["peak"], seed]
                assert schedules.from_dict(point["schedule"]) == run.recipe.schedule
                if not run.diverged:
                    points = np.array(shown["loss"].split(), dtype=float)
                    expected = run.loss.reshape(-1, width).mean(axis=1)
                    np.testing.assert_allclose(points, expected, rtol=5.1e-4)
                    end = run.evals["validation_loss"][-1]
                    assert shown["final"] == pytest.approx(end, rel=5.1e-4)
                seen += 1
    assert seen == len(runs)


def test_a_run_that_diverged_ends_early_and_counts_as_guessing():
    [point] = [p for p in made.data()["schedules"][1]["peaks"] if p["peak"] == made.DIVERGED[1]]
    whole, ended, _ = point["runs"]
    assert ended["diverged"] and "diverged" not in whole
    assert ended["final"] == 2.303
    assert len(ended["loss"].split()) == 14 and ended["loss"].endswith(" nan")
    assert len(whole["loss"].split()) == 55


def test_the_same_runs_give_the_same_bytes_in_any_order():
    runs = made.grid()
    back = dict(sorted(runs.items(), key=lambda item: (item[0][0], -item[0][1], -item[0][2])))
    how = {"about": "A network", "metric": "validation_loss", "unit": "nats"}
    first, second = (recorded.to_json(recorded.collect(r, **how)) for r in (runs, back))
    assert first == second


def test_a_curve_of_any_length_has_at_most_sixty_points():
    for steps in (1, 59, 60, 61, 880, 10_000):
        recipe = made.run_of("no schedule", 0.1, 1).recipe.replace(steps=steps)
        run = dataclasses.replace(
            made.run_of("no schedule", 0.1, 1), recipe=recipe, loss=np.linspace(2, 1, steps)
        )
        data = recorded.collect({("a", 0.1, 1): run}, about="", metric="validation_loss", unit="")
        points = len(data["schedules"][0]["peaks"][0]["runs"][0]["loss"].split())
        assert points == min(steps, points) <= recorded.POINTS
        assert steps < 120 or points > recorded.POINTS / 2


def test_runs_that_take_too_much_room_are_refused(monkeypatch):
    monkeypatch.setattr(recorded, "MOST", 1000)
    with pytest.raises(ValueError, match="at most 1,000 bytes, got"):
        put(monkeypatch, made.grid())


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ({}, "keys of"),
        ({"a": None}, "keys of"),
        ({k: r for k, r in made.grid().items() if k != made.DIVERGED}, r"no run \('one-cycle'"),
        (
            changed(
                made.grid(),
                ("no schedule", 0.1, 50_000),
                recipe=made.run_of("no schedule", 0.1, 1).recipe.replace(steps=7),
            ),
            "one length",
        ),
        (
            changed(
                made.grid(),
                ("no schedule", 0.1, 50_000),
                recipe=made.run_of("no schedule", 0.4, 1).recipe,
            ),
            "differ in their schedule",
        ),
        (changed(made.grid(), ("no schedule", 0.1, 50_000), loss=np.ones(9)), "stopped early"),
        (
            {
                ("plateau", 0.1, 0): dataclasses.replace(
                    made.run_of("no schedule", 0.1, 0),
                    recipe=made.run_of("no schedule", 0.1, 0).recipe.replace(
                        schedule=ReduceOnPlateau(0.1, factor=0.5, patience=2), eval_every=5
                    ),
                )
            },
            "set by a controller",
        ),
    ],
    ids=["none", "keys", "grid", "length", "schedule", "early", "controller"],
)
def test_runs_that_are_no_grid_are_refused_in_one_sentence(runs, message):
    with pytest.raises(ValueError, match=message) as refused:
        recorded.collect(runs, about="A network", metric="validation_loss", unit="nats")
    assert "\n" not in str(refused.value)


def test_the_runs_come_through_the_entry_as_they_were():
    data = made.data()
    cell = new_code_cell("recorded.show(runs)")
    shown = new_output("display_data", data={"text/plain": "x"}, metadata={recorded.KEY: data})
    cell.outputs = [shown]
    content = normalise(new_notebook(cells=[cell]), {}, made.Path("/nowhere/at/all"))
    nbformat.validate(nbformat.reads(content.decode(), as_version=4))
    assert recorded.of(json.loads(content)) == data
    lines = content.decode().splitlines()
    assert sum('"loss": ' in line for line in lines) == len(made.grid())  # one line for each run


def broken(change):
    data = made.data()
    change(data)
    return data


@pytest.mark.parametrize(
    "damaged",
    [
        "text",
        [1],
        {"schedules": []},
        broken(lambda d: d.pop("seeds")),
        broken(lambda d: d.update(width=0)),
        broken(lambda d: d.update(width=1)),
        broken(lambda d: d.update(seeds=[1])),
        broken(lambda d: d.update(schedules=[])),
        broken(lambda d: d["schedules"][1].update(peaks=[])),
        broken(lambda d: d["schedules"][0]["peaks"][0].update(schedule={})),
        broken(lambda d: d["schedules"][0]["peaks"][0].update(peak="0.1")),
        broken(lambda d: d["schedules"][0]["peaks"][0]["runs"].pop()),
        broken(lambda d: d["schedules"][0]["peaks"][0]["runs"][0].update(loss="1 2 three")),
        broken(lambda d: d["schedules"][0]["peaks"][0]["runs"][0].update(loss="1 2")),
        broken(lambda d: d["schedules"][0]["peaks"][0]["runs"][0].update(final="low")),
    ],
)
def test_damaged_runs_are_one_sentence(damaged):
    notebook = {"cells": [{"outputs": [{"metadata": {recorded.KEY: damaged}}]}]}
    with pytest.raises(ValueError, match=r"^its recorded runs are damaged$"):
        recorded.of(notebook)


def test_a_notebook_without_runs_has_none():
    assert recorded.of({"cells": [{"outputs": [{"metadata": {}}]}, {}]}) is None
