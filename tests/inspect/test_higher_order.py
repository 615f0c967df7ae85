"""Operators that take functions: what is inside them counts as often as it runs."""

import pytest
import torch
from torch import nn
from torch._higher_order_ops import scan as scan_module
from torch.nn.attention import flex_attention as flex

from netwright.inspect import attention_macs, count_macs, growth, inspect
from netwright.inspect.replay import logged

scan = scan_module if callable(scan_module) else scan_module.scan


class Scanned(nn.Module):
    """h ← tanh(h W + x_t) over the first dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))

    def forward(self, x):
        def step(h, element):
            h = torch.tanh(h @ self.weight + element)
            return h, h.clone()

        return scan(step, torch.zeros(2, 4), x)[1]


class Branched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.narrow, self.wide = nn.Linear(4, 4), nn.Linear(4, 32)

    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda x: self.wide(x).sum(), lambda x: self.narrow(x).sum(), (x,))


class Flex(nn.Module):
    """Attention of 4 heads of 16, and as many or fewer of key and value."""

    def __init__(self, groups: int = 4, mask: flex.BlockMask | None = None) -> None:
        super().__init__()
        self.groups, self.mask = groups, mask
        self.to_q, self.to_kv = nn.Linear(64, 64), nn.Linear(64, 2 * 16 * groups)

    def forward(self, x):
        q = self.to_q(x).unflatten(-1, (4, 16)).transpose(1, 2)
        k, v = self.to_kv(x).unflatten(-1, (2, self.groups, 16)).permute(2, 0, 3, 1, 4)
        return flex.flex_attention(q, k, v, block_mask=self.mask, enable_gqa=self.groups < 4)


def test_a_scan_runs_its_step_for_each_element():
    blueprint = inspect(Scanned(), torch.ones(8, 2, 4))
    assert blueprint.macs == 8 * 2 * 4 * 4
    assert blueprint.outputs == [[8, 2, 4]]
    assert "on fakes" in blueprint.how
    assert count_macs(Scanned(), torch.ones(8, 2, 4)) == blueprint.macs
    assert sum(logged(Scanned(), torch.ones(8, 2, 4), train=False).counts.values()) > 8


@pytest.mark.parametrize("sign, macs", [(1, 2 * 4 * 32), (-1, 2 * 4 * 4)])
def test_a_condition_runs_the_branch_taken(sign, macs):
    blueprint = inspect(Branched(), sign * torch.ones(2, 4))
    assert blueprint.macs == macs
    assert "real run" in blueprint.how


@pytest.mark.parametrize("groups", [4, 2])
@pytest.mark.parametrize("train", [False, True])
def test_flex_attention_counts_the_whole_square(groups, train):
    """Linear layers: the input takes no gradient. Attention: 2 products forward, 5 backward, arXiv 2307.08691."""
    module, x = Flex(groups), torch.zeros(1, 32, 64)
    blueprint = inspect(module, x, train=train)
    linear, square = 32 * 64 * (64 + 32 * groups), 4 * 32 * 32 * 16
    assert blueprint.macs == linear + 2 * square
    assert blueprint.backward_macs == (linear + 5 * square if train else 0)
    assert blueprint.not_counted == []


def test_a_mask_changes_nothing():
    mask = flex.create_block_mask(lambda b, h, q, k: q >= k, None, None, 128, 128, device="cpu")
    x = torch.zeros(1, 128, 64)
    assert inspect(Flex(mask=mask), x).macs == inspect(Flex(), x).macs


def test_flex_attention_is_as_it_was_afterwards():
    before = flex._validate_device, flex.flex_attention_hop
    inspect(Flex(), torch.zeros(1, 32, 64))
    assert (flex._validate_device, flex.flex_attention_hop) == before


def test_attention_is_told_apart_in_it():
    blueprint = inspect(Flex(), torch.zeros(1, 32, 64))
    assert attention_macs(Flex(), torch.zeros(1, 32, 64)) == blueprint.macs - 32 * 64 * 192
    rows = growth(Flex(), torch.zeros(1, 32, 64), "length").rows
    assert [row.attention_macs for row in rows] == [2 * 4 * 16 * n * n for n in (32, 64, 128)]
