"""What PyTorch's schedulers do, pinned: a failure here means that PyTorch has changed."""

import pytest
import torch
from torch.optim import lr_scheduler

from lrlab.experiments.gotchas import GOTCHAS

ROOT = 2**-0.5

# For each gotcha: PyTorch 2.13's values, and ours.
PINNED = {
    "resume-linear": ([0.12, 0.14, 0.16, 0.18], [0.6, 0.7, 0.8, 0.9]),
    "resume-constant": ([0.5] * 4, [1.0] * 4),
    "resume-sequential": (
        [0.25, 0.2024893005527219, 0.1464466094067262, 0.0904039182607306],
        [(1 + ROOT) / 2, 0.6913417161825449, 0.5, 0.3086582838174551],
    ),
    "resume-lambda": ([1.0, 0.375, 0.25, 0.125], [0.5, 0.375, 0.25, 0.125]),
    "resume-warm-restarts": (
        [1.0, 0.3086582838174551, (1 - ROOT) / 2, 0.0380602337443566],
        [0.5, 0.3086582838174551, (1 - ROOT) / 2, 0.0380602337443566],
    ),
    "resume-one-cycle": (
        [0.04, 0.9330129698414118, 0.750001, 0.500002],
        [1.0, 0.9330129698414118, 0.750001, 0.500002],
    ),
    "resume-cyclic": ([0.1, 0.775, 0.55, 0.325], [1.0, 0.775, 0.55, 0.325]),
    "step-last-epoch": ([0.01, 0.01, 0.01], [0.1, 0.1, 0.1]),
    "sequential-last-epoch": ([0.1, 0.05, 0.025], [0.25, 0.125, 0.0625]),
    "one-cycle-forgets-arguments": ([10, 1.0], ["ValueError", "ValueError"]),
    "sequential-chained": (["NotImplementedError"], [0.5]),
    "one-cycle-misses-peak": ([0.9797465678213015], [1.0]),
    "one-cycle-divides-by-zero": (["ZeroDivisionError"], [1.0]),
    "one-cycle-past-end": ([4e-6, 0.250003, "ValueError"], [4e-6, 4e-6, 4e-6]),
    "warmup-before-one-cycle": ([0.02], [0.05]),
    "cosine-climbs": (
        [(1 - ROOT) / 2, 0.0, (1 - ROOT) / 2, 0.5, 1.0],
        [(1 - ROOT) / 2, 0.0, 0.0, 0.0, 0.0],
    ),
    "warm-restarts-never-end": ([0.1473001627973195, 1.0], [0.001, 0.001]),
    "warm-restarts-step-epoch": ([0.0], [1.0]),
    "plateau-counts-nan": ([0.1, "nothing"], [1.0, "diverged"]),
    "add-param-group": (["ValueError", "KeyError", 0.05], [0.25, 0.5, 0.05]),
    "one-cycle-final-rate": ([4e-6], [4e-6]),
}


def close(values):
    return [v if isinstance(v, str) else pytest.approx(v, rel=1e-12, abs=1e-15) for v in values]


@pytest.mark.parametrize("slug", PINNED)
def test_a_gotcha_of_torch_is_as_the_handbook_says(slug):
    shown = GOTCHAS[slug].run()
    theirs, ours = PINNED[slug]
    assert list(shown.torch) == close(theirs), f"PyTorch {torch.__version__} behaves otherwise"
    assert list(shown.ours) == close(ours)
    assert len(shown.labels) == len(shown.torch) == len(shown.ours)


def test_every_gotcha_is_pinned_and_told():
    assert set(GOTCHAS) == set(PINNED)
    for gotcha in GOTCHAS.values():
        assert gotcha.title and gotcha.text and not gotcha.title.endswith(".")


@pytest.mark.filterwarnings("ignore:Detected call of")
def test_torch_resumes_exactly_when_both_are_built_before_both_are_loaded():
    def build():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        return optimizer, lr_scheduler.LinearLR(optimizer, 0.2, 1.0, total_iters=8)

    def rates(optimizer, scheduler):
        found = []
        for _ in range(5):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return found

    optimizer, scheduler = build()
    rates(optimizer, scheduler)
    states = optimizer.state_dict(), scheduler.state_dict()
    other, later = build()
    other.load_state_dict(states[0])
    later.load_state_dict(states[1])
    assert rates(other, later) == rates(optimizer, scheduler)
