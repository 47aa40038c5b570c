"""Surnames and the transformer: what must hold."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from lrlab import Recipe, schedules, tasks, train
from lrlab.optimizers import AdamW
from lrlab.tasks.names_lm import Block

pytestmark = pytest.mark.trains

TASK = tasks.get("names_lm")


def text_of(part: torch.Tensor) -> str:
    codes = torch.cat([part[0, :1], part[:, 1:].flatten()])
    return "".join(TASK.alphabet[code] for code in codes)


def test_no_name_is_in_two_parts_and_all_are_there():
    parts = TASK.data()
    seen = [set(text_of(getattr(parts, p)[0]).split("\n")[1:-1]) for p in parts.sizes()]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
    whole = sum(len(names) for names in seen)
    assert 88_790 <= whole <= 88_799  # the names cut at the ends of the parts are missing


def test_windows_share_one_character_so_that_each_is_predicted_once():
    windows = TASK.data().validation[0]
    assert torch.equal(windows[1:, 0], windows[:-1, -1])


def test_the_model_does_not_see_what_it_predicts():
    torch.manual_seed(0)
    model = TASK.model()
    tokens = TASK.data().train[0][:4, :-1]
    changed = tokens.clone()
    changed[:, 9:] = (changed[:, 9:] + 1) % len(TASK.alphabet)
    with torch.no_grad():
        a, b = model(tokens), model(changed)
    assert torch.allclose(a[:, :9], b[:, :9], atol=1e-6)
    assert not torch.allclose(a[:, 9:], b[:, 9:], atol=1e-3)


def test_the_attention_is_the_textbooks():
    torch.manual_seed(0)
    block, x = Block(8, heads=2), torch.randn(3, 5, 8)
    q, k, v = block.attention(block.norm1(x)).split(8, dim=-1)
    heads = []
    for h in (slice(0, 4), slice(4, 8)):
        scores = q[..., h] @ k[..., h].transpose(1, 2) / math.sqrt(4)
        scores = scores.masked_fill(torch.ones(5, 5).triu(1).bool(), -math.inf)
        heads.append(scores.softmax(-1) @ v[..., h])
    middle = x + block.projection(torch.cat(heads, -1))
    expected = middle + block.mlp(block.norm2(middle))
    assert torch.allclose(block(x), expected, atol=1e-6)


def test_an_untrained_model_guesses():
    torch.manual_seed(0)
    with torch.no_grad():
        metrics = TASK.evaluate(TASK.model().eval(), TASK.data().validation, torch.Generator())
    assert metrics["loss"] == pytest.approx(TASK.chance_loss, abs=0.02)
    assert metrics["bits_per_character"] == pytest.approx(metrics["loss"] / math.log(2))


def test_the_reference_losses_are_those_of_counting_by_hand():
    windows = TASK.data()
    train_text, text = text_of(windows.train[0]), text_of(windows.validation[0])
    n = len(TASK.alphabet)
    counts = {c: train_text[1:].count(c) + 1 for c in TASK.alphabet}
    total = len(train_text) - 1 + n
    unigram = -np.mean([math.log(counts[c] / total) for c in text[1:]])
    found = TASK.reference_losses()
    assert found["unigram"] == pytest.approx(unigram, rel=1e-9)
    assert found["uniform"] == pytest.approx(math.log(n))
    pairs = {}
    for a, b in pairwise(train_text):
        pairs[a, b] = pairs.get((a, b), 0) + 1
    rows = {a: sum(pairs.get((a, b), 0) + 1 for b in TASK.alphabet) for a in TASK.alphabet}
    bigram = -np.mean([math.log((pairs.get(p, 0) + 1) / rows[p[0]]) for p in pairwise(text)])
    assert found["bigram"] == pytest.approx(bigram, rel=1e-9)
    assert found["trigram"] < found["bigram"]


def test_it_learns_more_than_frequencies():
    recipe = Recipe(
        schedule=schedules.Warmup(schedules.Cosine(0.01, steps=130), warmup_steps=20),
        steps=150,
        batch_size=32,
        optimizer=AdamW(),
        clip_norm=1.0,
    )
    small = tasks.get("names_lm", layers=1, n_train=5000)
    run = train(small, recipe)
    assert run.final("validation_loss") < TASK.reference_losses()["unigram"] - 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "poems"}, "source must be"),
        ({"context": 0}, "context must be an integer of at least 1, got context=0"),
        ({"width": 30}, "width must be a multiple of heads=4, got width=30"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        tasks.get("names_lm", **arguments)


def test_the_loss_is_the_mean_negative_log_probability():
    torch.manual_seed(1)
    model, windows = TASK.model(), TASK.data().train[0][:3]
    logits = model(windows[:, :-1])
    picked = logits.log_softmax(-1).gather(2, windows[:, 1:, None]).mean()
    loss = TASK.loss(model, (windows,), torch.Generator())
    assert loss.item() == pytest.approx(-picked.item(), rel=1e-6)
