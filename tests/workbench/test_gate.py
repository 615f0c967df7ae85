"""A budget against another network: what has a sign is relative to it."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect
from netwright.workbench import over_limits

ONE = inspect(nn.Linear(100, 100, bias=False), torch.zeros(1, 100))  # 10,000 parameters and MACs, 40,000 bytes
EMPTY = inspect(nn.ReLU(), torch.zeros(1, 4))


def scaled(params: int):
    return replace(ONE, params=params)


@pytest.mark.parametrize(
    ("params", "budget", "met"),
    [
        (10_500, "params=+5%", True),
        (10_501, "params=+5%", False),
        (10_000, "params=+0", True),
        (10_001, "params=+0", False),
        (10_001, "params=+0%", False),
        (9_000, "params=-10%", True),
        (9_001, "params=-10%", False),
        (12_000, "params=+2k", True),
        (12_001, "params=+2k", False),
        (8_000, "params=-2k", True),
        (8_001, "params=-2k", False),
        (10_125, "params=+1.25%", True),
        (10_126, "params=+1.25%", False),
        (20_000, "params=20k", True),
        (20_001, "params=20k", False),
    ],
)
def test_params(params, budget, met):
    assert (over_limits(scaled(params), ONE, budget) == []) == met


@given(st.integers(1, 10**12), st.integers(1, 10**12), st.integers(0, 300))
def test_a_share_is_exact(before, now, percent):
    over = over_limits(scaled(now), scaled(before), f"params=+{percent}%")
    assert bool(over) == (100 * now > before * (100 + percent))


def test_several_limits_relative_and_absolute():
    large = replace(ONE, params=11_000, weights_bytes=44_000)
    over = over_limits(large, ONE, "params=+5%, macs=+0, flops=+0, size=+1kB, memory=1MB, macs=9k")
    assert [words.partition(":")[0] for words in over] == ["macs", "params", "size"]
    assert over[1] == "params: 11,000, +5% on 10,000 allows 10,500"


def test_nothing_to_nothing():
    assert over_limits(EMPTY, EMPTY, "params=+5%,macs=+0") == []
    assert over_limits(ONE, EMPTY, "params=+5%")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("params", "no limit"),
        ("params=+", "number"),
        ("params=+5Q", "unknown unit"),
        ("params=+a%", "no share"),
        ("params=+-5%", "no share"),
        ("params=+nan%", "no share"),
        ("parms=+5%", "params"),
        ("latency=+5%", "latency"),
        ("memory=+5", "unit"),
        ("parms=5M", "params"),
    ],
)
def test_what_is_no_budget(budget, words):
    with pytest.raises(InputError, match=words):
        over_limits(ONE, ONE, budget)
