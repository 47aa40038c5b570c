"""W&B's own sweep files: their parameters against its package, and files like its examples."""

import itertools
import json
import math

import pytest
import yaml
from wandb_parameters import PARAMETERS, PLACES, stored

from lrlab.labbook.sweeps.wandb_files import load, parse
from lrlab.sweep import sampling


def space_of(spec):
    made = parse(
        {
            "program": "train.py",
            "method": "random",
            "run_cap": 1,
            "metric": {"name": "loss"},
            "parameters": {"x": spec, "other": {"values": [1, 2]}},
        }
    )
    return made.space.get("x"), made.constants.get("x")


@pytest.mark.parametrize("k", range(len(PARAMETERS)))
def test_each_distribution_has_the_quantiles_of_the_package(k):
    searched, constant = space_of(PARAMETERS[k])
    for place, expected in zip(PLACES, stored()["quantiles"][k], strict=True):
        found = constant if searched is None else searched.at(place)
        if isinstance(expected, float):
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
        else:
            assert found == expected
        if searched is not None:
            assert searched.holds(found)
            assert 0 <= searched.position(found) <= 1
            raw = searched.raw(found)
            assert searched.value(raw) == pytest.approx(found) if isinstance(found, float) else True
            json.dumps(searched.to_dict())


# Written after the examples in the documentation of W&B and of its package.
EXAMPLES = [
    """
    program: train.py
    method: grid
    metric: {name: val_loss, goal: minimize}
    parameters:
      learning_rate: {values: [0.01, 0.001, 0.0001]}
      batch_size: {values: [16, 32]}
      optimizer: {value: adam}
    """,
    """
    program: train.py
    method: bayes
    name: sweep-bayes-hyperband-myprogram
    description: test sweep
    run_cap: 9
    metric: {name: validation_loss, goal: minimize}
    parameters:
      learning_rate: {min: 0.0001, max: 0.1}
      batch_size: {values: [16, 32, 64]}
      epochs: {values: [5, 10, 15]}
      optimizer: {values: ["adam", "sgd"]}
    early_terminate: {type: hyperband, s: 2, eta: 3, max_iter: 27}
    """,
    """
    program: train.py
    method: random
    project: demo
    entity: me
    run_cap: 5
    metric: {goal: maximize, name: val_accuracy}
    parameters:
      dropout: {distribution: uniform, min: 0.1, max: 0.6}
      learning_rate: {distribution: log_uniform, min: -9.21, max: -4.6}
      layers: {distribution: int_uniform, min: 1, max: 5}
      units: {distribution: q_log_uniform_values, min: 32, max: 512, q: 32}
      noise: {distribution: normal, mu: 0, sigma: 0.1}
      lr_decay: {distribution: beta, a: 2, b: 5}
      activation: {values: [relu, tanh], probabilities: [0.9, 0.1]}
    early_terminate: {type: hyperband, min_iter: 3}
    """,
    """
    program: train.py
    method: random
    run_cap: 4
    metric: {name: loss}
    parameters:
      optimizer:
        parameters:
          learning_rate: {values: [0.01, 0.001]}
          momentum: {value: 0.9}
      betas: {values: [[0.9, 0.99], [0.9, 0.999]]}
    command:
      - ${env}
      - python3
      - ${program}
      - ${args_no_boolean_flags}
      - --fp16
    """,
    """
    program: train.py
    method: grid
    metric: {name: loss, goal: minimize}
    parameters:
      width: {distribution: q_uniform, min: 0, max: 9, q: 3}
      depth: {min: 1, max: 3}
    """,
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_files_like_the_examples_of_wandb_are_read_and_drawn_from(text, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(text)
    made = load(file)
    said = yaml.safe_load(text)
    assert made.metric == said["metric"]["name"]
    assert made.maximizes == (said["metric"].get("goal") == "maximize")
    assert type(made).from_dict(json.loads(json.dumps(made.to_dict()))) == made
    for number in range(made.trials):
        values = sampling.fixed(made, number)
        if values is None:
            values = {n: s.at((number + 0.5) / made.trials) for n, s in made.space.items()}
        assert all(made.space[n].holds(v) for n, v in values.items())
        assert made.words(values)


def test_a_grid_has_the_order_and_the_points_of_wandb(tmp_path):
    """Names in alphabetical order, the last one varying fastest; q_uniform without its end."""
    made = parse(yaml.safe_load(EXAMPLES[4]))
    points = [tuple(sampling.fixed(made, k).values()) for k in range(made.trials)]
    assert points == list(itertools.product((1, 2, 3), (0, 3, 6)))


def test_rules_have_the_defaults_of_the_schema():
    def parsed(rule):
        return parse(yaml.safe_load(EXAMPLES[0]) | {"early_terminate": rule}).rule

    assert parsed({"type": "hyperband", "min_iter": 3}) == {
        "rule": "wandb-hyperband",
        "strict": True,
        "min_iter": 3,
    }
    assert parsed({"type": "hyperband", "min_iter": 3, "strict": False})["strict"] is False


def test_a_count_goes_before_what_the_file_says(tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text(EXAMPLES[2])
    assert load(file, count=17).trials == 17
    file.write_text(EXAMPLES[0])
    assert load(file, count=99).trials == 6  # all points of the grid


def test_a_plan_over_a_task_may_hold_a_distribution_of_wandb_too(tmp_path):
    file = tmp_path / "plan.yml"
    file.write_text(
        "task: {task: mnist1d}\n"
        "recipe: {schedule: {schedule: Constant, lr: 1.0}, steps: 4, batch_size: 10}\n"
        "space: {peak_lr: {range: Drawn, kind: log_normal, mu: -2.0, sigma: 0.5}}\n"
        "trials: 2\n"
    )
    made = load(file)
    assert made.space["peak_lr"].at(0.5) == pytest.approx(math.exp(-2.0))
    assert type(made).from_dict(made.to_dict()) == made
