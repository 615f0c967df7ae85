"""Norms of feature maps against torch's and timm's."""

import pytest
import torch
from torch import nn

from netwright.blocks import norm2d
from netwright.blocks.norm2d import (
    FrozenBatchNorm2d,
    GroupNorm,
    InstanceNorm2d,
    LayerNorm2d,
    LocalResponseNorm,
    RMSNorm2d,
)
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm, torchvision

X = torch.randn(3, 12, 5, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", norm2d.__all__)
@pytest.mark.parametrize("height, width", [(6, 4), (1, 5)])
def test_every_norm_keeps_the_shape(name, height, width):
    x = torch.randn(4, 24, height, width)
    assert getattr(norm2d, name)(24)(x).shape == x.shape


def test_group_norm_is_torchs():
    ours, theirs = GroupNorm(12, num_groups=4, eps=1e-3), randomise(nn.GroupNorm(4, 12, eps=1e-3))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))


@pytest.mark.parametrize(
    "dim, groups", [(64, 32), (256, 32), (48, 24), (24, 12), (16, 8), (17, 1), (2, 1), (1, 1), (320, 32)]
)
def test_groups_divide_the_channels_and_have_two_each(dim, groups):
    assert GroupNorm(dim).num_groups == groups


def test_group_norm_works_on_one_pixel():
    x = torch.randn(1, 16, 1, 1)
    y = GroupNorm(16)(x)
    assert y.shape == x.shape and y.std() > 0.1


def test_layer_norm_is_timms():
    ours, theirs = LayerNorm2d(12), randomise(timm().layers.LayerNorm2d(12, eps=1e-6))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))


def test_layer_norm_in_one_line():
    ours = randomise(LayerNorm2d(12))
    mean, var = X.mean(1, keepdim=True), X.var(1, keepdim=True, correction=0)
    expected = (X - mean) / (var + 1e-6).sqrt() * ours.weight[:, None, None] + ours.bias[:, None, None]
    torch.testing.assert_close(ours(X), expected)


def test_layer_norm_lies_channels_last():
    assert LayerNorm2d(12)(X).is_contiguous(memory_format=torch.channels_last)


def test_frozen_batch_norm_is_torchvisions_and_learns_nothing():
    ours, theirs = FrozenBatchNorm2d(12, eps=1e-3), torchvision().ops.FrozenBatchNorm2d(12, eps=1e-3)
    for name, buffer in theirs.named_buffers():
        buffer.copy_(torch.rand(12, generator=torch.Generator().manual_seed(len(name))) + 0.5)
    ours.load_state_dict(theirs.state_dict())
    assert not list(ours.parameters())
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    x, y = X.clone().requires_grad_(), X.clone().requires_grad_()
    torch.testing.assert_close(ours.train()(x), theirs(y))
    weight = torch.randn(X.shape, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((out * weight).sum(), z)[0] for out, z in ((ours(x), x), (theirs(y), y))]
    torch.testing.assert_close(*gradients)
    assert all(torch.equal(value, before[key]) for key, value in ours.state_dict().items())


def test_frozen_batch_norm_keeps_no_map_for_the_backward_pass():
    kept: list[int] = []
    x = X.clone().requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()), lambda _: None):
        FrozenBatchNorm2d(12)(x * 1.0)
    assert max(kept) == 12


@pytest.mark.parametrize("size", [3, 5])
def test_local_response_norm_is_the_papers_sum(size):
    ours = LocalResponseNorm(12, size=size, alpha=0.3, beta=0.6, k=1.5)
    expected = torch.empty_like(X)
    for i in range(12):
        near = X[:, max(0, i - size // 2) : i + size // 2 + 1]
        expected[:, i] = X[:, i] / (1.5 + 0.3 * near.square().sum(1)) ** 0.6
    torch.testing.assert_close(ours(X), expected)


def test_instance_norm_is_torchs():
    ours, theirs = InstanceNorm2d(12, eps=1e-3), randomise(nn.InstanceNorm2d(12, eps=1e-3, affine=True))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))


def test_instance_norm_of_one_pixel_is_its_shift():
    norm = randomise(InstanceNorm2d(12)).train()
    torch.testing.assert_close(norm(X[:1, :, :1, :1]), norm.bias.view(1, 12, 1, 1), rtol=0, atol=1e-4)


def test_rms_norm_is_timms():
    ours, theirs = RMSNorm2d(12), randomise(timm().layers.RmsNorm2d(12, eps=1e-6))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))
    expected = X / (X.square().mean(1, keepdim=True) + 1e-6).sqrt() * ours.weight[:, None, None]
    torch.testing.assert_close(ours(X), expected)
    assert ours(X).is_contiguous(memory_format=torch.channels_last)
