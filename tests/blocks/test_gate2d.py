"""Gates of feature maps against timm's and against their equations."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks import gate2d
from netwright.blocks.gate2d import CBAM, ChannelAttention, EfficientChannelAttention, GlobalContext, SpatialAttention
from netwright.blocks.norm2d import Identity
from tests.parity import assert_same, copy_by_map, copy_by_order, randomise
from tests.references import timm

X = torch.randn(3, 32, 5, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", sorted({*gate2d.__all__} - {"GlobalContext"}))  # which adds
@pytest.mark.parametrize("dim, size", [(24, (6, 4)), (1, (2, 3)), (3, (1, 1))])
def test_every_gate_keeps_the_shape_and_weighs_between_0_and_1(name, dim, size):
    x = torch.rand(2, dim, *size) + 1
    weight = randomise(getattr(gate2d, name)(dim)).eval()(x) / x
    assert weight.shape == x.shape and (weight > 0).all() and (weight <= 1).all()


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_cbam_is_timms(train):
    theirs = randomise(timm().layers.cbam.CbamModule(32, rd_ratio=1 / 8))
    ours = CBAM(32, reduction=8)
    assert_same(ours, theirs, X, copy_by_map(ours, theirs, lambda key: key.replace("norm", "bn")), train=train)


def test_channel_attention_in_one_line():
    gate = randomise(ChannelAttention(32, reduction=4))
    scores = [(p @ gate.fc1.weight.T).relu() @ gate.fc2.weight.T for p in (X.mean((2, 3)), X.amax((2, 3)))]
    torch.testing.assert_close(gate(X), X * sum(scores).sigmoid()[:, :, None, None])


def test_spatial_attention_weighs_pixels_alike_in_all_channels():
    gate = randomise(SpatialAttention(32, kernel_size=3, norm=partial(Identity)))
    weight = gate(X) / X
    torch.testing.assert_close(weight, weight[:, :1].expand_as(weight), rtol=1e-4, atol=1e-5)
    pooled = torch.cat([X.mean(1, keepdim=True), X.amax(1, keepdim=True)], 1)
    expected = nn.functional.conv2d(pooled, gate.conv.conv.weight, gate.conv.conv.bias, padding=1).sigmoid()
    torch.testing.assert_close(weight[:, :1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dim, kernel_size", [(16, 3), (32, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)])
def test_efficient_channel_attention_is_timms(dim, kernel_size):
    theirs, x = randomise(timm().layers.EcaModule(dim)), torch.randn(2, dim, 3, 3)
    ours = EfficientChannelAttention(dim)
    assert ours.conv.kernel_size == (kernel_size,)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_efficient_channel_attention_refuses_an_even_kernel():
    with pytest.raises(ValueError, match="kernel_size must be odd, got 4"):
        EfficientChannelAttention(8, kernel_size=4)


def test_global_context_is_timms():
    """In double precision: the gradient of the score's bias, which a softmax ignores, is rounding alone."""
    options = {"rd_ratio": 1 / 8, "fuse_add": True, "fuse_scale": False}
    theirs = randomise(timm().layers.GlobalContext(32, **options)).double()
    ours = GlobalContext(32, reduction=8).double()
    assert_same(ours, theirs, X.double(), copy_by_order(ours, theirs, X.double()), tolerance=1e-10)


def test_global_context_looks_where_the_score_is_high():
    gate = randomise(GlobalContext(32, reduction=8))
    with torch.no_grad():
        gate.score.weight.zero_()  # every pixel matters alike
    mean = X.mean((2, 3), keepdim=True)
    torch.testing.assert_close(gate(X), X + gate.fc2(gate.norm(gate.fc1(mean)).relu()), rtol=1e-4, atol=1e-5)
