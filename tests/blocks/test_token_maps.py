"""Tokens as maps."""

import pytest
import torch
from torch import nn

from netwright.blocks.token_maps import quarters, token_maps


@pytest.mark.parametrize(
    ("depth", "blocks"),
    [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [0, 1, 2, 3]), (7, [1, 3, 5, 6]), (12, [2, 5, 8, 11])],
)
def test_quarters(depth, blocks):
    assert quarters(depth) == blocks


def test_maps_lie_as_the_grid():
    blocks = [nn.Identity(), nn.Identity(), nn.Identity()]
    x = torch.arange(2 * 8 * 3).view(2, 8, 3).float()
    maps = token_maps(blocks, x, (2, 3), prefix=2)
    assert [tuple(m.shape) for m in maps] == [(2, 3, 2, 3)] * 3
    for i in range(6):
        assert torch.equal(maps[2][:, :, i // 3, i % 3], x[:, 2 + i])
