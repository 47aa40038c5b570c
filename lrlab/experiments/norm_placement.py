"""A transformer on surnames whose normalisation stands before or after each residual branch."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional

from lrlab.tasks.names_lm import Block, NamesLM, Transformer

__all__ = ["NamesNorm", "PostBlock"]


class PostBlock(Block):
    """One post-norm block: norm(x + attention(x)), then norm(x + mlp(x)); (B, L, width) → same."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output; position i sees positions up to i only."""
        b, length, width = x.shape
        qkv = self.attention(x).view(b, length, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = self.norm1(x + self.projection(seen.transpose(1, 2).reshape(b, length, width)))
        return self.norm2(x + self.mlp(x))


@dataclasses.dataclass(frozen=True)
class NamesNorm(NamesLM):
    """Surnames, predicted by a transformer that is initialised as the first ones were.

    Matrices are drawn by Glorot's rule and tokens with unit variance, without the small residual
    branches of GPT-2, which hide what the place of the normalisation does.

    Args:
        source: as for `lrlab.tasks.names_lm.NamesLM`, as all that follow but the last.
        context: characters that the model sees.
        width: size of the residual stream.
        layers: number of blocks.
        heads: attention heads in each block.
        n_train: windows used for training; None means all.
        n_eval: windows used of the validation and of the test part; None means all.
        norm: ``"pre"``: in front of each branch, and once behind the last block; ``"post"``: after
            each branch is added.

    Raises:
        ValueError: if an argument makes no sense.

    Source:
        Xiong et al. (2020), arXiv:2002.04745, figure 1.

    Example:
        >>> NamesNorm(layers=1, norm="post").to_dict()["norm"]
        'post'
    """

    norm: Literal["pre", "post"] = "pre"

    name: ClassVar[str] = "names_norm"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_choice("norm", ("pre", "post"))

    def model(self) -> nn.Module:
        """Return the transformer."""
        model = Transformer(len(self.alphabet), self.context, self.width, self.layers, self.heads)
        if self.norm == "post":
            blocks = (PostBlock(self.width, self.heads) for _ in range(self.layers))
            model.blocks, model.norm = nn.Sequential(*blocks), nn.Identity()
        for name, parameter in model.named_parameters():
            if name == "token.weight":
                nn.init.normal_(parameter)
            elif name == "position.weight":
                nn.init.normal_(parameter, std=self.width**-0.5)
            elif parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)
        return model
