"""Cross attention is torch's MultiheadAttention with keys and values of its own."""

import pytest
import torch
from torch import nn

from netwright.blocks.cross_attention import CrossAttention
from tests.parity import randomise


def pair(dim: int = 12, heads: int = 3, context_dim: int = 12) -> tuple[CrossAttention, nn.MultiheadAttention]:
    theirs = nn.MultiheadAttention(dim, heads, kdim=context_dim, vdim=context_dim, batch_first=True)
    ours = CrossAttention(dim, heads, context_dim)
    randomise(theirs)
    split = theirs.in_proj_weight is None
    weights = (
        [theirs.q_proj_weight, theirs.k_proj_weight, theirs.v_proj_weight] if split else theirs.in_proj_weight.chunk(3)
    )
    with torch.no_grad():
        for layer, weight, bias in zip((ours.q, ours.k, ours.v), weights, theirs.in_proj_bias.chunk(3), strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        ours.proj.load_state_dict(theirs.out_proj.state_dict())
    return ours, theirs


@pytest.mark.parametrize("context_dim", [12, 5])
def test_same_as_torch(context_dim):
    ours, theirs = pair(context_dim=context_dim)
    x, keys, values = torch.randn(2, 4, 12), torch.randn(2, 7, context_dim), torch.randn(2, 7, context_dim)
    real = torch.rand(2, 7) < 0.6
    real[:, 0] = True
    expected = theirs(x, keys, values, key_padding_mask=~real)[0]
    torch.testing.assert_close(ours(x, keys, values, real), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours(x, keys), theirs(x, keys, keys)[0], rtol=1e-5, atol=1e-6)


def test_the_order_of_the_context_does_not_matter():
    ours, _ = pair()
    x, context, order = torch.randn(2, 4, 12), torch.randn(2, 7, 12), torch.randperm(7)
    torch.testing.assert_close(ours(x, context[:, order]), ours(x, context), rtol=1e-5, atol=1e-6)
    assert not torch.allclose(ours(x, context, context[:, order]), ours(x, context), atol=1e-3)


def test_dropout_acts_in_training_only():
    model, x = CrossAttention(8, 2, dropout=0.5), torch.randn(2, 5, 8)
    assert torch.equal(model.eval()(x, x), model(x, x))
    assert not torch.equal(model.train()(x, x), model(x, x))


def test_wrong_heads():
    with pytest.raises(ValueError, match="dim=10, num_heads=4"):
        CrossAttention(10, 4)
