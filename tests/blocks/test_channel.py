"""Channel blocks: the gated perceptrons by their names."""

import pytest
import torch
from torch import nn

from netwright.blocks.channel import GEGLU, GatedFeedForward, ReGLU, SwiGLU
from tests.parity import assert_same, copy_by_order, randomise

X = torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("block, activation", [(SwiGLU, nn.SiLU), (GEGLU, nn.GELU), (ReGLU, nn.ReLU)])
def test_the_glu_family_is_the_gated_perceptron(block, activation):
    ours, theirs = block(8), randomise(GatedFeedForward(8, activation=activation))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))
    gate, value = (X @ theirs.fc1.weight.T + theirs.fc1.bias).split(21, -1)
    torch.testing.assert_close(ours(X), (activation()(gate) * value) @ theirs.fc2.weight.T + theirs.fc2.bias)
