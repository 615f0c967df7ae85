"""How weights begin."""

import pytest
import torch
from torch import nn

from netwright.blocks.init import lecun_init, linear_init, xavier_init


@pytest.mark.parametrize(
    ("init", "std"), [(linear_init, 0.02), (lecun_init, 200**-0.5), (xavier_init, (2 / (200 + 300)) ** 0.5)]
)
def test_linear_maps(init, std):
    torch.manual_seed(0)
    layer = nn.Linear(200, 300)
    layer.apply(init)
    assert float(layer.weight.detach().std()) == pytest.approx(std, rel=0.02) and not layer.bias.any()


@pytest.mark.parametrize(("init", "std"), [(lecun_init, 192**-0.5), (xavier_init, (2 / (192 + 256)) ** 0.5)])
def test_patches_are_linear_maps(init, std):
    torch.manual_seed(0)
    layer = nn.Conv2d(3, 256, 8, 8)
    layer.apply(init)
    assert float(layer.weight.detach().std()) == pytest.approx(std, rel=0.02) and not layer.bias.any()


def test_convolutions_are_left_to_their_own():
    layer = nn.Conv2d(3, 4, 3)
    before = layer.weight.clone()
    layer.apply(linear_init)
    assert torch.equal(layer.weight, before) and layer.bias.any()


@pytest.mark.parametrize("init", [linear_init, lecun_init, xavier_init])
def test_layers_without_bias(init):
    nn.Linear(3, 4, bias=False).apply(init)
