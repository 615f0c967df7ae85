"""Convolutions in a slot, against timm's and against what their names say."""

from functools import partial
from math import ceil

import pytest
import torch
import torch.nn.functional as F

from netwright.blocks import conv2d
from netwright.blocks.conv import ConvNormAct, kaiming_init
from netwright.blocks.conv2d import SameConv2d, StandardisedConv2d, same_padding
from netwright.blocks.norm2d import GroupNorm, Identity
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm


def images(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", conv2d.__all__)
@pytest.mark.parametrize(
    "kernel_size, stride, groups, dilation", [(3, 1, 1, 1), (1, 2, 1, 1), (5, 2, 6, 1), (3, 2, 3, 3)]
)
def test_every_convolution_fits_the_slot(name, kernel_size, stride, groups, dilation):
    conv = getattr(conv2d, name)
    layer = ConvNormAct(6, 12, kernel_size, stride, groups, dilation=dilation, conv=conv)
    y = layer(images(2, 6, 9, 14))
    assert y.shape == (2, 12, ceil(9 / stride), ceil(14 / stride))
    y.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize(
    "kernel_size, stride, dilation", [(3, 2, 1), (5, 2, 1), (3, 1, 2), (2, 2, 1), (1, 2, 1), (3, 2, 2)]
)
@pytest.mark.parametrize("size", [(9, 14), (8, 8), (1, 2)])
def test_same_conv_is_timms(size, kernel_size, stride, dilation):
    reference = timm().layers.Conv2dSame
    theirs = randomise(reference(4, 6, kernel_size, stride, dilation=dilation, groups=2))
    ours, x = SameConv2d(4, 6, kernel_size, stride, 99, dilation, 2), images(2, 4, *size)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_same_padding_by_hand():
    assert same_padding(224, 3, 2) == (0, 1)  # torch pads (1, 1)
    assert same_padding(225, 3, 2) == (1, 1)
    assert same_padding(7, 3, 1) == (1, 1)
    assert same_padding(4, 1, 2) == (0, 0)
    assert same_padding(7, 3, 1, dilation=4) == (4, 4)


@pytest.mark.parametrize("groups, bias", [(1, True), (4, False)])
def test_standardised_conv_is_timms(groups, bias):
    theirs = randomise(timm().layers.StdConv2d(8, 12, 3, 2, 1, groups=groups, bias=bias))
    ours, x = StandardisedConv2d(8, 12, 3, 2, 1, groups=groups, bias=bias), images(2, 8, 9, 7)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_standardised_conv_in_one_line():
    conv, x = randomise(StandardisedConv2d(4, 6, 3, eps=1e-12)), images(2, 4, 7, 7)
    mean, std = conv.weight.mean((1, 2, 3), keepdim=True), conv.weight.std((1, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(conv(x), F.conv2d(x, (conv.weight - mean) / std, conv.bias), rtol=1e-4, atol=1e-5)


def test_scaling_a_standardised_filter_changes_nothing():
    conv, x = randomise(StandardisedConv2d(4, 6, 3, eps=1e-12)), images(2, 4, 7, 7)
    before = conv(x)
    with torch.no_grad():
        conv.weight.mul_(7).add_(3)
    torch.testing.assert_close(conv(x), before, rtol=1e-3, atol=1e-4)


def test_in_the_slot_of_a_layer():
    standardised = partial(StandardisedConv2d, eps=1e-5)
    layer = ConvNormAct(3, 8, norm=GroupNorm, conv=standardised)
    assert layer.conv.eps == 1e-5 and layer.conv.bias is None
    assert ConvNormAct(3, 8, norm=Identity, conv=SameConv2d).conv.bias is not None
    torch.manual_seed(0)
    layer.apply(kaiming_init)
    assert abs(float(layer.conv.weight.detach().std()) - (2 / 72) ** 0.5) < 0.03


def test_dilation_spreads_the_weights():
    layer, x = randomise(ConvNormAct(3, 4, 3, norm=Identity, activation=Identity, dilation=2)), images(1, 3, 9, 9)
    spread = torch.zeros(4, 3, 5, 5)
    spread[:, :, ::2, ::2] = layer.conv.weight.detach()
    torch.testing.assert_close(layer(x), F.conv2d(x, spread, layer.conv.bias, padding=2))


@pytest.mark.parametrize("conv", [SameConv2d, StandardisedConv2d])
def test_half_precision_and_the_meta_device(conv):
    layer, x = randomise(conv(4, 8, 3, 2)), images(2, 4, 8, 8)
    expected = layer(x)
    y = layer.to(torch.bfloat16)(x.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), expected, rtol=0.1, atol=0.1)
    with torch.device("meta"):
        assert conv(4, 8, 3, 2)(torch.empty(2, 4, 8, 8)).is_meta
