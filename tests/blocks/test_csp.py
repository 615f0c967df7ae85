"""Cross stage partial layers, their neck, separable convolutions and the focus stem, against their equations."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.blocks.conv import ConvNormAct
from netwright.blocks.conv_unit import SeparableConv
from netwright.blocks.csp import CSPPAN, CSPLayer, DarknetBlock, SpatialPyramidPool
from netwright.blocks.stem import FocusStem
from tests.parity import count, randomise


def randn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_half_of_the_channels_goes_around_the_blocks():
    layer, x = randomise(CSPLayer(6, 8, depth=2)).eval(), randn(2, 6, 5, 7)
    y = layer.conv1(x)
    for block in layer.blocks:
        y = y + block.conv2(block.conv1(y))
    torch.testing.assert_close(layer(x), layer.conv3(torch.cat([y, layer.conv2(x)], 1)))
    plain = DarknetBlock(4, residual=False)
    assert torch.equal(plain.eval()(y), plain.conv2(plain.conv1(y)))


@pytest.mark.parametrize("kernel_sizes", [(5, 9, 13), (3,), (3, 9)])
def test_windows_that_go_on_from_each_other_are_the_large_ones(kernel_sizes):
    layer, x = randomise(SpatialPyramidPool(6, 8, kernel_sizes)).eval(), randn(2, 6, 11, 4)
    y = layer.conv1(x)
    pooled = [F.max_pool2d(y, k, 1, k // 2) for k in kernel_sizes]
    assert torch.equal(layer(x), layer.conv2(torch.cat([y, *pooled], 1)))


def test_windows_must_grow():
    for sizes in ((5, 4), (5, 5), (9, 5)):
        with pytest.raises(ValueError, match="must be odd and grow"):
            SpatialPyramidPool(4, 4, sizes)


def test_neck_by_its_equations():
    neck = randomise(CSPPAN([4, 6, 10], [8, 16, 32])).eval()
    maps = [randn(2, c, *size) for c, size in zip([4, 6, 10], [(13, 9), (7, 5), (4, 3)], strict=True)]
    assert neck.channels == [4, 6, 10] and neck.strides == [8, 16, 32]
    coarse = neck.lateral[1](maps[2])
    middle = neck.top_down[1](torch.cat([F.interpolate(coarse, size=(7, 5)), maps[1]], 1))
    side = neck.lateral[0](middle)
    fine = neck.top_down[0](torch.cat([F.interpolate(side, size=(13, 9)), maps[0]], 1))
    second = neck.bottom_up[0](torch.cat([neck.down[0](fine), side], 1))
    third = neck.bottom_up[1](torch.cat([neck.down[1](second), coarse], 1))
    for ours, expected in zip(neck(maps), [fine, second, third], strict=True):
        torch.testing.assert_close(ours, expected)


def test_neck_on_maps_that_are_rounded_down_and_on_one():
    sizes = [(13, 9), (6, 4), (3, 2)]
    out = CSPPAN([4, 4, 4], [8, 16, 32])([randn(2, 4, *size) for size in sizes])
    assert [tuple(m.shape[2:]) for m in out] == sizes
    x = randn(1, 4, 5, 5)
    assert torch.equal(CSPPAN([4], [8])([x])[0], x)


def test_separable_convolution():
    unit, x = randomise(SeparableConv(3, 5, stride=2)).eval(), randn(2, 3, 7, 9)
    assert torch.equal(unit(x), unit.pointwise(unit.depthwise(x))) and unit(x).shape == (2, 5, 4, 5)
    assert unit.depthwise.conv.groups == 3 and count(unit) == 3 * 9 + 2 * 3 + 3 * 5 + 2 * 5
    assert count(SeparableConv(3, 5, kernel_size=1)) == count(ConvNormAct(3, 5, 1))
    assert SeparableConv(3, 5, kernel_size=1, stride=2)(x).shape == (2, 5, 4, 5)


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (1, 1)])
def test_focus_gathers_each_two_by_two_pixels(size):
    stem, x = FocusStem(3, 5, norm=nn.Identity, activation=nn.Identity), randn(1, 3, *size)
    padded = F.pad(x, (0, size[1] % 2, 0, size[0] % 2))
    blocks = F.pixel_unshuffle(padded, 2).unflatten(1, (3, 2, 2))  # channel, row, column
    gathered = blocks.permute(0, 3, 2, 1, 4, 5).flatten(1, 3)
    torch.testing.assert_close(stem(x), F.conv2d(gathered, stem.conv.conv.weight, stem.conv.conv.bias, padding=1))
