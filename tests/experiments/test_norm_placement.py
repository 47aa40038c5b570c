"""Where the normalisation stands, held against PyTorch's own encoder layer."""

import pytest
import torch
from torch import nn

from lrlab.experiments.norm_placement import NamesNorm


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_block_computes_what_the_encoder_layer_of_torch_does(norm):
    width, heads = 8, 2
    torch.manual_seed(0)
    block = NamesNorm(width=width, heads=heads, layers=1, norm=norm).model().blocks[0]
    layer = nn.TransformerEncoderLayer(
        *(width, heads, 4 * width),
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=norm == "pre",
    )
    for parameter in block.parameters():
        nn.init.normal_(parameter)  # norms and biases too
    layer.self_attn.in_proj_weight.data = block.attention.weight.data
    layer.self_attn.in_proj_bias.data = block.attention.bias.data
    layer.self_attn.out_proj.load_state_dict(block.projection.state_dict())
    layer.linear1.load_state_dict(block.mlp[0].state_dict())
    layer.linear2.load_state_dict(block.mlp[2].state_dict())
    layer.norm1.load_state_dict(block.norm1.state_dict())
    layer.norm2.load_state_dict(block.norm2.state_dict())
    x = torch.randn(3, 5, width)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    with torch.no_grad():
        torch.testing.assert_close(block(x), layer(x, src_mask=mask), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_the_last_thing_before_the_logits_is_a_normalisation(norm):
    model = NamesNorm(layers=2, norm=norm).model()
    stream = model.norm(model.blocks(torch.randn(2, 4, 32)))
    torch.testing.assert_close(stream.mean(-1), torch.zeros(2, 4), rtol=0, atol=1e-5)


def test_another_place_is_refused():
    with pytest.raises(ValueError, match="norm"):
        NamesNorm(norm="both")
