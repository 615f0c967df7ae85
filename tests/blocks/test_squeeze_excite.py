"""Squeeze and excitation against torchvision's."""

import pytest
import torch
from torch import nn

from netwright.blocks.squeeze_excite import SqueezeExcite
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import torchvision


@pytest.mark.parametrize("gate", [nn.Sigmoid, nn.Hardsigmoid])
def test_same_as_torchvision(gate):
    theirs = randomise(torchvision().ops.SqueezeExcitation(32, 8, scale_activation=gate))
    ours, x = SqueezeExcite(32, reduction=4, gate=gate), torch.randn(3, 32, 5, 7)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


@pytest.mark.parametrize("dim, reduction, multiple, hidden", [(64, 16, 1, 4), (8, 16, 1, 1), (72, 4, 8, 24)])
def test_hidden_width(dim, reduction, multiple, hidden):
    assert SqueezeExcite(dim, reduction, multiple).fc1.out_channels == hidden


def test_one_weight_for_each_channel():
    x = torch.rand(2, 16, 4, 4) + 1
    weight = randomise(SqueezeExcite(16, reduction=2))(x) / x
    assert (weight > 0).all() and (weight < 1).all()
    torch.testing.assert_close(weight, weight[..., :1, :1].expand_as(weight))
    assert weight[0, :, 0, 0].std() > 0
