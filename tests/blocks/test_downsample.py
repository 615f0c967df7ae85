"""Poolings without padding, which no map is too small for."""

import pytest
import torch
import torch.nn.functional as F

from netwright.blocks.downsample import MaxDownsample, MeanDownsample
from netwright.blocks.padding import pad_to


@pytest.mark.parametrize("kernel_size", [2, 3])
@pytest.mark.parametrize("height, width", [(8, 9), (3, 5)])
def test_torchs_where_the_window_fits(kernel_size, height, width):
    x = torch.randn(2, 3, height, width)
    assert torch.equal(MaxDownsample(kernel_size)(x), F.max_pool2d(x, kernel_size, 2))
    assert torch.equal(MeanDownsample(kernel_size)(x), F.avg_pool2d(x, kernel_size, 2))


@pytest.mark.parametrize("block, reduce", [(MaxDownsample, torch.amax), (MeanDownsample, torch.mean)])
def test_a_map_smaller_than_the_window_is_one_window(block, reduce):
    x = torch.randn(2, 3, 1, 2)
    assert torch.equal(block(3)(x), reduce(x, (2, 3), keepdim=True))
    assert torch.equal(block(2)(x[..., :1]), x[..., :1])


def test_padding_puts_small_images_in_the_middle():
    x = torch.rand(1, 2, 3, 6) + 1
    y = pad_to(x, 6)
    assert y.shape == (1, 2, 6, 6) and torch.equal(y[:, :, 1:4], x)
    assert not y[:, :, :1].any() and not y[:, :, 4:].any()
    assert pad_to(x, 3) is x
