"""Norms over the last axis, against timm's and against their equations."""

import pytest
import torch

from netwright.blocks import norm
from netwright.blocks.norm import GlobalResponseNorm
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm

X = torch.randn(3, 5, 7, 12, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", [n for n in norm.__all__ if n != "BatchNorm1d"])
@pytest.mark.parametrize("shape", [(4, 24), (4, 1, 24), (2, 3, 5, 24)])
def test_every_norm_keeps_the_shape(name, shape):
    assert getattr(norm, name)(24)(torch.randn(shape)).shape == shape


def test_global_response_norm_is_timms():
    ours, theirs = GlobalResponseNorm(12), randomise(timm().layers.grn.GlobalResponseNorm(12))
    mapping = copy_by_order(ours, theirs, X)
    assert_same(ours, theirs, X, mapping)


def test_global_response_norm_of_what_lies_otherwise_in_memory():
    ours, strided = randomise(GlobalResponseNorm(12)), X.permute(0, 2, 1, 3)  # (B, W, H, D)
    torch.testing.assert_close(ours(strided), ours(strided.contiguous()))


def test_global_response_norm_in_one_line():
    ours = randomise(GlobalResponseNorm(12, eps=1e-3))
    length = X.square().sum((1, 2), keepdim=True).sqrt()
    expected = X + ours.weight * X * length / (length.mean(3, keepdim=True) + 1e-3) + ours.bias
    torch.testing.assert_close(ours(X), expected)
    tokens = X.flatten(1, 2)
    torch.testing.assert_close(ours(tokens), expected.flatten(1, 2))  # tokens instead of pixels


def test_global_response_norm_is_nothing_at_first_and_finite_at_zero():
    assert torch.equal(GlobalResponseNorm(12)(X), X)
    ours, zero = randomise(GlobalResponseNorm(12)), torch.zeros(2, 4, 12, requires_grad=True)
    ours(zero).sum().backward()
    assert zero.grad.isfinite().all() and ours.weight.grad.isfinite().all()
