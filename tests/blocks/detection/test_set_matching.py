"""The assignment is SciPy's, with and without SciPy."""

import importlib

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from netwright.blocks.detection.set_matching import assign, shortest_paths


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (3, 7), (20, 20), (60, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_same_as_scipy(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    cost = torch.randn(shape, generator=generator, dtype=torch.double)
    rows, columns = linear_sum_assignment(cost)
    for found in (assign(cost), shortest_paths(cost.tolist())):
        assert found == (rows.tolist(), columns.tolist())


def test_ties_have_the_same_sum():
    cost = torch.randint(0, 4, (9, 6), generator=torch.Generator().manual_seed(0)).double()
    rows, columns = shortest_paths(cost.tolist())
    assert len(set(rows)) == len(set(columns)) == 6
    expected = linear_sum_assignment(cost)
    assert cost[rows, columns].sum() == cost[expected].sum()


def test_without_scipy(monkeypatch):
    def refuse(name: str):
        raise ImportError(name)

    cost = torch.tensor([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])
    monkeypatch.setattr(importlib, "import_module", refuse)
    assert assign(cost) == ([0, 1, 2], [1, 0, 2])


def test_nothing_to_match():
    assert assign(torch.zeros(5, 0)) == assign(torch.zeros(0, 5)) == ([], [])


def test_what_is_not_finite_comes_last():
    nan, inf = float("nan"), float("inf")
    cost = torch.tensor([[nan, 1.0], [2.0, inf], [5.0, 50.0]])
    assert assign(cost) == ([0, 1], [1, 0])
    assert assign(torch.full((2, 2), nan))[0] == [0, 1]
