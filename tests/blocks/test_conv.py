"""Convolutions with what belongs to them, against torchvision's and against plain linear algebra."""

from functools import partial
from math import ceil

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from netwright.blocks.conv import ConvNormAct, InvertedBottleneck, PatchConv, kaiming_init, round_channels
from netwright.blocks.norm2d import Identity
from netwright.blocks.squeeze_excite import SqueezeExcite
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import torchvision


def images(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("kernel_size, stride, groups", [(3, 1, 1), (1, 1, 1), (5, 2, 2), (7, 2, 6), (3, 4, 3)])
def test_conv_norm_act_is_torchvisions(kernel_size, stride, groups, train):
    reference = torchvision().ops.Conv2dNormActivation
    theirs = randomise(reference(6, 12, kernel_size, stride, groups=groups, inplace=False))
    ours, x = ConvNormAct(6, 12, kernel_size, stride, groups), images(3, 6, 9, 14)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)
    assert ours(x).shape == (3, 12, ceil(9 / stride), ceil(14 / stride))


def test_conv_has_a_bias_only_without_a_norm():
    assert ConvNormAct(3, 4).conv.bias is None
    assert ConvNormAct(3, 4, norm=Identity).conv.bias is not None
    assert ConvNormAct(3, 4, norm=partial(Identity)).conv.bias is not None


def test_an_even_kernel_is_refused():
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        ConvNormAct(3, 4, kernel_size=4)


def test_patch_conv_is_a_linear_map_of_each_patch():
    conv, x = randomise(PatchConv(3, 5, patch_size=4)), images(2, 3, 8, 14)
    patches = F.unfold(x[..., :12], 4, stride=4)  # (B, 3 · 16, 2 · 3): two columns belong to no patch
    expected = conv.conv.weight.flatten(1) @ patches + conv.conv.bias[:, None]
    torch.testing.assert_close(conv(x), expected.view(2, 5, 2, 3), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("height, width, shape", [(1, 1, (1, 1)), (3, 9, (1, 2)), (9, 3, (2, 1)), (4, 4, (1, 1))])
def test_patch_conv_fills_up_what_is_smaller_than_a_patch(height, width, shape):
    conv, x = randomise(PatchConv(3, 5, patch_size=4)), images(2, 3, height, width)
    filled = F.pad(x, (0, max(0, 4 - width), 0, max(0, 4 - height)))
    assert conv(x).shape == (2, 5, *shape)
    torch.testing.assert_close(conv(x), F.conv2d(filled, conv.conv.weight, conv.conv.bias, 4))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(
    "channels, hidden, out, kernel_size, squeeze, hard_swish, stride",
    [(16, 64, 24, 3, False, False, 2), (24, 72, 24, 5, True, True, 1), (16, 16, 16, 3, False, False, 1)],
)
def test_inverted_bottleneck_is_torchvisions(channels, hidden, out, kernel_size, squeeze, hard_swish, stride, train):
    v3 = torchvision().models.mobilenetv3
    config = v3.InvertedResidualConfig(
        channels, kernel_size, hidden, out, squeeze, "HS" if hard_swish else "RE", stride, 1, 1.0
    )
    theirs = randomise(v3.InvertedResidual(config, nn.BatchNorm2d))
    ours = InvertedBottleneck(
        channels,
        out,
        hidden,
        kernel_size,
        stride,
        activation=nn.Hardswish if hard_swish else nn.ReLU,
        gate=partial(SqueezeExcite, reduction=4, multiple=8, gate=nn.Hardsigmoid) if squeeze else Identity,
    )
    x = images(3, channels, 9, 10)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def test_inverted_bottleneck_drops_its_branch():
    block, x = InvertedBottleneck(8, 8, 16, drop_path=1 - 1e-9), images(4, 8, 5, 5)
    assert torch.equal(block.train()(x), x)
    assert not torch.equal(block.eval()(x), x)


@given(st.floats(0.1, 5000), st.sampled_from([1, 2, 4, 8, 16]))
def test_round_channels(channels, multiple):
    rounded = round_channels(channels, multiple)
    assert rounded % multiple == 0 and rounded >= max(multiple, 0.9 * channels)
    assert rounded <= max(multiple, 1.1 * channels, channels + multiple)


def test_round_channels_is_torchvisions():
    theirs = torchvision().models._utils._make_divisible
    for i in range(1, 4000):
        assert round_channels(i / 3) == theirs(i / 3, 8)


@pytest.mark.parametrize("groups", [1, 4, 64])
def test_kaiming_keeps_the_gradients_variance(groups):
    conv = nn.Conv2d(64, 128, 3, padding=1, groups=groups)
    torch.manual_seed(0)
    conv.apply(kaiming_init)
    assert conv.bias.abs().max() == 0
    x = torch.zeros(2, 64, 16, 16, requires_grad=True)
    # half of the gradients pass the ReLU behind the convolution
    conv(x).backward(torch.randn(2, 128, 16, 16) * (torch.rand(2, 128, 16, 16) < 0.5))
    assert 0.85 < x.grad[..., 1:-1, 1:-1].std() < 1.15
