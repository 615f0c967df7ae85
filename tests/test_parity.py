"""The comparison itself: it sees each kind of difference, and its copies leave nothing out."""

import copy

import pytest
import torch
from torch import nn

from tests.parity import assert_same, copy_by_map, copy_by_order, count, randomise, tensors


def network(**norm) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, **norm), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))


X = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(0))


def test_randomise_leaves_nothing_as_it_was():
    model = network()
    before = {k: t.clone() for k, t in tensors(model).items()}
    randomise(model)
    assert before.keys() == {"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
                             "4.weight", "4.bias"}  # fmt: skip
    assert all((tensors(model)[k] != t).all() for k, t in before.items())
    assert all(t.unique().numel() == t.numel() for t in tensors(model).values())
    again = randomise(network())
    assert all(torch.equal(t, tensors(again)[k]) for k, t in tensors(model).items())


@pytest.mark.parametrize("train", [False, True])
def test_the_same_is_the_same(train):
    ours, theirs = network(), randomise(network())
    worst = assert_same(ours, theirs, X, copy_by_order(ours, theirs, X), train=train)
    assert set(worst.values()) == {0.0} and ("statistics" in worst) == train


@pytest.mark.parametrize("what", ["eps", "momentum", "activation", "weight", "statistic"])
def test_a_difference_is_seen(what):
    theirs = randomise(network())
    ours = network(**({"eps": 1e-3} if what == "eps" else {"momentum": 0.2} if what == "momentum" else {}))
    mapping = copy_by_order(ours, theirs, X)
    with torch.no_grad():
        if what == "activation":
            ours[2] = nn.LeakyReLU(0.01)
        elif what == "weight":
            ours[4].weight[0, 0] += 0.01
        elif what == "statistic":
            ours[1].running_var[0] *= 1.001
    with pytest.raises(AssertionError):
        assert_same(ours, theirs, X, mapping, train=what == "momentum")


def test_a_gradient_alone_is_seen():
    class Detached(nn.Module):
        def forward(self, x):
            return x.detach() * 0.5 + x * 0.5

    ours, theirs = network(), randomise(network())
    mapping = copy_by_order(ours, theirs, X)
    ours[2] = nn.Sequential(ours[2], Detached())
    with pytest.raises(AssertionError, match="gradient"):
        assert_same(ours, theirs, X, mapping)


def test_a_constant_output_is_refused():
    ours = network()
    theirs = copy.deepcopy(ours)
    for model in (ours, theirs):
        nn.init.zeros_(model[4].weight)
        nn.init.zeros_(model[4].bias)
    with pytest.raises(AssertionError, match="constant"):
        assert_same(ours, theirs, X, copy_by_order(ours, theirs, X))


def test_fused_tensors():
    class Split(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 4)

        def forward(self, x):
            return torch.cat([self.a(x), self.b(x)], -1)

    ours, theirs = nn.Linear(3, 6), randomise(Split())
    mapping = copy_by_map(ours, theirs, lambda k: (f"a.{k}", f"b.{k}"))
    assert count(ours) == count(theirs)
    x = X[:, :, 0, 0]
    assert assert_same(ours, theirs, x, mapping)["output"] <= 1e-6


@pytest.mark.parametrize(
    "mapping",
    [
        {"weight": "weight"},
        {"weight": "weight", "bias": "weight"},
        {"weight": "bias", "bias": "weight"},
        {"weight": "weight", "bias": "bias", "more": "bias"},
    ],
)
def test_an_incomplete_map_is_refused(mapping):
    with pytest.raises(AssertionError):
        copy_by_map(nn.Linear(3, 2), nn.Linear(3, 2), mapping)
