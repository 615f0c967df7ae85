"""From feature maps to vectors: what each computes."""

from itertools import pairwise

import pytest
import torch

from netwright.blocks import pooling2d
from netwright.blocks.pooling2d import GeneralisedMeanPool2d, MaxPool2d, MeanPool2d
from tests.parity import randomise

EVERY = [getattr(pooling2d, name) for name in pooling2d.__all__]
X = torch.randn(3, 8, 5, 7, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("pool", EVERY)
@pytest.mark.parametrize("size", [(5, 7), (1, 1)])
def test_shapes_and_gradients(pool, size):
    model, x = randomise(pool(8)), X[:, :, : size[0], : size[1]].clone().requires_grad_()
    y = model(x)
    assert y.shape == (3, 8)
    y.square().sum().backward()
    for tensor in (x, *model.parameters()):
        assert tensor.grad.isfinite().all() and tensor.grad.abs().max() > 0


@pytest.mark.parametrize("pool", EVERY)
def test_the_order_of_pixels_does_not_matter(pool):
    order = torch.randperm(35, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(pool(8)(X.flatten(2)[:, :, order].view_as(X)), pool(8)(X))


@pytest.mark.parametrize("pool", EVERY)
def test_half_precision(pool):
    model = pool(8).to(torch.bfloat16)
    y = model(X.bfloat16())
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), pool(8)(X), rtol=0.05, atol=0.05)


def test_by_hand():
    torch.testing.assert_close(MeanPool2d(8)(X), X.flatten(2).mean(2))
    assert torch.equal(MaxPool2d(8)(X), X.flatten(2).max(2).values)
    cubes = X.flatten(2).clamp(min=1e-6) ** 3
    torch.testing.assert_close(GeneralisedMeanPool2d(8)(X), cubes.mean(2) ** (1 / 3))


def test_generalised_mean_lies_between_the_mean_and_the_largest_value():
    x = X.abs()
    torch.testing.assert_close(GeneralisedMeanPool2d(8, exponent=1.0)(x), MeanPool2d(8)(x))
    torch.testing.assert_close(GeneralisedMeanPool2d(8, exponent=60.0)(x), MaxPool2d(8)(x), rtol=0.08, atol=0)
    pooled = [GeneralisedMeanPool2d(8, exponent=p)(x) for p in (1.0, 2.0, 3.0, 6.0, 12.0)]
    assert all((a < b).all() for a, b in pairwise(pooled))
