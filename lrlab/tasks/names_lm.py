"""Surnames, character by character, and a small decoder-only transformer."""

from __future__ import annotations

import dataclasses
import functools
import math
from importlib import resources
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lrlab.checks import need
from lrlab.tasks._fetch import fetch
from lrlab.tasks._once import drawn_once
from lrlab.tasks.base import Batch, Splits, Task

__all__ = ["NamesLM", "task"]

_SPLIT_SEED = 20_221_122  # of the permutation that parts the names; not a run's seed
_SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
_SHAKESPEARE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
_SHARES = (0.90, 0.05)  # of the text, for training and validation; the rest is for testing


class Block(nn.Module):
    """One pre-norm block: x + attention(norm(x)), then x + mlp(norm(x)); (B, L, width) → same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; position i sees positions up to i only."""
        b, length, width = x.shape
        qkv = self.attention(self.norm1(x)).view(b, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(seen.transpose(1, 2).reshape(b, length, width))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """A decoder-only transformer with learned positions: tokens (B, L) → logits (B, L, symbols).

    Weights of matrices are drawn from N(0, 0.02²), those that write into the residual stream from
    N(0, 0.02² / 2 layers), biases start at 0, as in GPT-2 (Radford et al., 2019).

    Args:
        symbols: size of the alphabet.
        context: longest input, L at most this.
        width: size of the residual stream, a multiple of `heads`.
        layers: number of blocks.
        heads: attention heads in each block.

    Example:
        >>> Transformer(27, context=16, width=32, layers=2, heads=4)(torch.zeros(3, 9).long()).shape
        torch.Size([3, 9, 27])
    """

    def __init__(self, symbols: int, context: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.token = nn.Embedding(symbols, width)
        self.position = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, symbols, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                residual = name.endswith(("projection.weight", "mlp.2.weight"))
                nn.init.normal_(parameter, std=0.02 / (math.sqrt(2 * layers) if residual else 1))
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits of the symbol after each position."""
        x = self.token(tokens) + self.position.weight[: tokens.shape[1]]
        return self.head(self.norm(self.blocks(x)))


@dataclasses.dataclass(frozen=True)
class NamesLM(Task):
    r"""The next character of a text, predicted by a transformer; cross-entropy in nats.

    The text is the 88,799 surnames of the US Census of 1990 that the `names` package ships, parted
    by names (90 % training, 5 % validation, 5 % testing, no name in two parts), each part in a
    fixed random order, one name after the other with a line end behind each. It is cut into
    windows of `context` + 1 characters: the first `context` are the input, the last `context` the
    targets.

    Args:
        source: ``"names"``, or ``"shakespeare"``: tiny Shakespeare (1,115,394 characters, parted
            in the order of the text), downloaded with a pinned hash.
        context: characters that the model sees.
        width: size of the residual stream, a multiple of `heads`.
        layers: number of blocks.
        heads: attention heads in each block.
        n_train: windows used for training; None means all.
        n_eval: windows used of the validation and of the test part; None means all.

    Raises:
        ValueError: if an argument makes no sense.

    Example:
        >>> task = NamesLM()
        >>> len(task.alphabet), sum(p.numel() for p in task.model().parameters())
        (27, 27712)
    """

    source: Literal["names", "shakespeare"] = "names"
    context: int = 16
    width: int = 32
    layers: int = 2
    heads: int = 4
    n_train: int | None = None
    n_eval: int | None = None

    name: ClassVar[str] = "names_lm"

    def __post_init__(self) -> None:
        self._check_choice("source", ("names", "shakespeare"))
        self._check_int("context", "width", "layers", "heads")
        self._check_int("n_train", "n_eval", optional=True)
        if self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of heads={self.heads}, got width={self.width}"
            )

    @property
    def alphabet(self) -> str:
        """The symbols in the order of their codes."""
        return _encoded(self.source)[0]

    @property
    def chance_loss(self) -> float:
        """The loss of guessing: ln of the size of the alphabet, in nats."""
        return math.log(len(self.alphabet))

    @property
    def chance(self) -> dict[str, float]:
        """What guessing scores: the loss in nats, and in bits, per character."""
        return {
            "loss": self.chance_loss,
            "bits_per_character": self.chance_loss / math.log(2),
        }

    def data(self) -> Splits:
        """Return windows of codes, one tensor (n, context + 1) int64 in each of three parts."""
        whole = _windows(self.source, self.context)
        sizes = {"train": self.n_train, "validation": self.n_eval, "test": self.n_eval}
        parts = {}
        for name, size in sizes.items():
            (windows,) = getattr(whole, name)
            if size is not None and size > len(windows):
                field = "n_train" if name == "train" else "n_eval"
                raise ValueError(f"{field} must be at most {len(windows)}, got {field}={size}")
            parts[name] = (windows if size is None else windows[:size],)
        return Splits(**parts)

    def model(self) -> nn.Module:
        """Return the transformer."""
        return Transformer(len(self.alphabet), self.context, self.width, self.layers, self.heads)

    def loss(self, model: nn.Module, batch: Batch, noise: torch.Generator) -> Tensor:
        """Return the mean cross-entropy per character in nats."""
        (windows,) = batch
        logits = model(windows[:, :-1])
        return functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())

    def evaluate(self, model: nn.Module, part: Batch, noise: torch.Generator) -> dict[str, float]:
        """Return the mean loss (nats per character) and ``bits_per_character``, loss / ln 2."""
        (windows,) = part
        total = sum(
            self.loss(model, (chunk,), noise).item() * len(chunk) for chunk in windows.split(500)
        )
        loss = total / len(windows)
        return {"loss": loss, "bits_per_character": loss / math.log(2)}

    def reference_losses(self) -> dict[str, float]:
        """Return the validation loss of counting models, in nats per character.

        Counts over the training part, one added to each: ``"uniform"`` knows the alphabet,
        ``"unigram"`` the frequency of each symbol, ``"bigram"`` and ``"trigram"`` the one or two
        characters before as well. A window's first target has one character before it; the trigram
        model uses the bigram's counts there.

        Example:
            >>> losses = NamesLM().reference_losses()
            >>> losses["uniform"] > losses["unigram"] > losses["bigram"] > losses["trigram"]
            True
        """
        whole = self.data()
        return _reference_losses(
            whole.train[0].numpy(), whole.validation[0].numpy(), len(self.alphabet)
        )


task = NamesLM


@functools.cache
def _encoded(source: str) -> tuple[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the alphabet, and the codes of the three parts of the text."""
    texts = _names() if source == "names" else _ascii(_shakespeare_parts())
    parts = [part[0].numpy() for part in (texts.train, texts.validation, texts.test)]
    present = np.unique(np.concatenate(parts))
    code = np.zeros(256, dtype=np.int64)
    code[present] = np.arange(len(present))
    train, validation, test = (code[part] for part in parts)
    return bytes(present).decode("ascii"), (train, validation, test)


@drawn_once("names")
def _names() -> Splits:
    return _ascii(_name_parts())


def _ascii(texts: list[str]) -> Splits:
    return Splits(*((torch.tensor(bytearray(text, "ascii"), dtype=torch.uint8),) for text in texts))


def _name_parts() -> list[str]:
    need("names")
    lines = (resources.files("names") / "dist.all.last").read_text(encoding="ascii").splitlines()
    names = sorted({line.split()[0].lower() for line in lines})
    order = np.random.Generator(np.random.PCG64(_SPLIT_SEED)).permutation(len(names))
    return ["".join(names[i] + "\n" for i in part) for part in np.split(order, _cuts(len(names)))]


def _shakespeare_parts() -> list[str]:
    text = fetch(_SHAKESPEARE + "input.txt", sha256=_SHAKESPEARE_SHA256).read_text("ascii")
    first, second = _cuts(len(text))
    return [text[:first], text[first:second], text[second:]]


def _cuts(n: int) -> list[int]:
    train, validation = _SHARES
    return [int(n * train), int(n * (train + validation))]


@functools.cache
def _windows(source: str, context: int) -> Splits:
    """Cut each part into windows that share one character, so that each is predicted once."""
    parts = []
    for codes in _encoded(source)[1]:
        n = (len(codes) - 1) // context
        starts = np.arange(n)[:, None] * context
        parts.append((torch.from_numpy(codes[starts + np.arange(context + 1)]),))
    return Splits(*parts)


def _reference_losses(train: np.ndarray, validation: np.ndarray, n: int) -> dict[str, float]:
    unigram, bigram, trigram = np.ones(n), np.ones((n, n)), np.ones((n, n, n))
    np.add.at(unigram, train[:, 1:], 1)
    np.add.at(bigram, (train[:, :-1], train[:, 1:]), 1)
    np.add.at(trigram, (train[:, :-2], train[:, 1:-1], train[:, 2:]), 1)
    log = {
        name: np.log(counts / counts.sum(-1, keepdims=True))
        for name, counts in (("unigram", unigram), ("bigram", bigram), ("trigram", trigram))
    }
    before, target = validation[:, :-1], validation[:, 1:]
    by_trigram = log["trigram"][validation[:, :-2], before[:, 1:], target[:, 1:]]
    by_bigram = log["bigram"][before, target]
    return {
        "uniform": math.log(n),
        "unigram": -float(log["unigram"][target].mean()),
        "bigram": -float(by_bigram.mean()),
        "trigram": -float(np.concatenate([by_bigram[:, 0], by_trigram.ravel()]).mean()),
    }
