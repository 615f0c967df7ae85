"""Cells: a graph of operations computes what its genotype says."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.blocks.cell import ActConvNorm, Cell, FactorizedReduction
from netwright.blocks.cell import operation as plain_operation
from netwright.blocks.norm2d import GroupNorm, Identity
from tests.parity import randomise

NAMES = ["skip_connect", "shrink", "conv_1x1", "max_pool_3x3", "avg_pool_3x3"]
NAMES += [f"{kind}_conv_{k}x{k}" for kind in ("sep", "dil") for k in (3, 5, 7)]

PADDED = partial(plain_operation, conv=nn.Conv2d, max_pool=nn.MaxPool2d, avg_pool=nn.AvgPool2d)
operation = partial(PADDED, norm=nn.BatchNorm2d, activation=nn.ReLU)


def images(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(7, 8), (1, 5)])
def test_every_operation_gives_the_size_of_its_stride(name, stride, size):
    y = operation(name, 6, 6, stride)(images(2, 6, *size))
    rounded = [-(-n // (2 if name == "shrink" else stride)) for n in size]
    assert y.shape == (2, 6, *rounded)


def test_operations_take_the_blocks_they_are_given():
    made = [operation(name, 6, 8, 2, norm=GroupNorm, activation=nn.SiLU) for name in NAMES if "pool" not in name]
    kinds = {type(m) for layer in made for m in layer.modules()}
    assert {GroupNorm, nn.SiLU} < kinds and not {nn.BatchNorm2d, nn.ReLU} & kinds


def test_separable_is_two_depthwise_separable_convolutions():
    layer, x = randomise(operation("sep_conv_5x5", 6, 4, 2)).eval(), images(2, 6, 9, 8)
    y = x
    for part, stride in zip(layer, (2, 1), strict=True):
        weight = part.conv.pointwise.weight * part.conv.depthwise.weight.transpose(0, 1)  # as one 5 × 5 convolution
        y = part.norm(F.conv2d(y.relu(), weight, None, stride, 2))
    torch.testing.assert_close(layer(x), y, rtol=1e-4, atol=1e-5)


def test_dilated_is_one_convolution_with_gaps():
    layer, x = randomise(operation("dil_conv_3x3", 6, 4, 1)).eval(), images(2, 6, 9, 8)
    weight = torch.zeros(4, 6, 5, 5)
    weight[:, :, ::2, ::2] = layer.conv.pointwise.weight * layer.conv.depthwise.weight.transpose(0, 1)
    expected = layer.norm(F.conv2d(x.relu(), weight, padding=2))
    torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 1)])
def test_factorized_reduction_sees_every_second_pixel_twice(size):
    layer, x = randomise(FactorizedReduction(3, 5)).eval(), images(2, 3, *size)
    filled = F.pad(x.relu(), (0, 2, 0, 2))
    even = F.conv2d(x.relu(), layer.even.weight, stride=2)
    odd = F.conv2d(filled[:, :, 1 : size[0] + 1, 1 : size[1] + 1], layer.odd.weight, stride=2)
    torch.testing.assert_close(layer(x), layer.norm(torch.cat([even, odd], 1)))


def test_a_cell_by_hand():
    edges = [("conv_1x1", 0), ("skip_connect", 1), ("max_pool_3x3", 2), ("conv_1x1", 1)]
    cell = randomise(Cell((6, 8), 4, edges, [1, 3], operation)).eval()
    older, newer = images(2, 6, 5, 5), images(2, 8, 5, 5)
    a, b = cell.older(older), cell.newer(newer)
    c = cell.operations[0](a) + b
    d = F.max_pool2d(c, 3, 1, 1) + cell.operations[3](b)
    torch.testing.assert_close(cell(older, newer), torch.cat([b, d], 1))


@pytest.mark.parametrize("stride, entry, size", [(1, "conv_1x1", 7), (2, "shrink", 13), (2, "skip_connect", 7)])
def test_shapes(stride, entry, size):
    edges = [("sep_conv_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("dil_conv_3x3", 2)]
    cell = Cell((6, 8), 4, edges, [2, 3], operation, stride, entry)
    y = cell(images(2, 6, size, size), images(2, 8, 7, 7))
    assert y.shape == (2, 8, -(-7 // stride), -(-7 // stride))
    assert cell.operations[0][0].conv.depthwise.in_channels == (6 if entry == "skip_connect" else 4)


def test_plain_skips_are_never_dropped():
    edges = [("skip_connect", 0), ("avg_pool_3x3", 1)]
    cell = randomise(Cell((4, 4), 4, edges, [2], operation, entry="skip_connect", drop_path=1 - 1e-9)).train()
    older = images(3, 4, 5, 5)
    assert torch.equal(cell(older, older), older)


def test_a_bias_only_without_a_norm():
    assert ActConvNorm(3, 4, norm=partial(Identity)).conv.bias is not None and ActConvNorm(3, 4).conv.bias is None
    assert FactorizedReduction(3, 4, norm=Identity).odd.bias is not None


def test_what_cannot_be_is_said():
    with pytest.raises(ValueError, match="dim must be at least 2, got 1"):
        FactorizedReduction(3, 1)
    with pytest.raises(ValueError, match="there is no operation 'sep_conv_4x4': there are skip_connect"):
        operation("sep_conv_4x4", 3, 3, 1)
    with pytest.raises(ValueError, match="reads state 3, but only 0 to 1"):
        Cell((4, 4), 4, [("skip_connect", 3), ("skip_connect", 0)], [2], operation)
