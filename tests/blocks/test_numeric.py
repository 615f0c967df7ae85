"""Embeddings of numbers are those of the authors' package rtdl_num_embeddings."""

import importlib
from functools import partial

import pytest
import torch

from netwright.blocks import numeric
from netwright.blocks.numeric import LinearEmbedding, Periodic, PiecewiseLinear, Raw
from tests.parity import assert_same, copy_by_map, count, randomise

rtdl = importlib.import_module("rtdl_num_embeddings")

X = 2 * torch.randn(64, 5, generator=torch.Generator().manual_seed(0))  # beyond ±3 too
EVERY = [getattr(numeric, name) for name in numeric.__all__]


def test_linear():
    ours, theirs = LinearEmbedding(5, 6), randomise(rtdl.LinearEmbeddings(5, 6))
    assert_same(ours, theirs, X, copy_by_map(ours, theirs, lambda key: key))


@pytest.mark.parametrize("num_bins", [2, 3, 48])
def test_piecewise_linear(num_bins):
    ours = PiecewiseLinear(5, 6, num_bins)
    theirs = rtdl.PiecewiseLinearEmbeddings(list(ours.edges), 6, activation=False, version="B")
    mapping = {"linear.weight": "linear0.weight", "linear.bias": "linear0.bias", "weight": "linear.weight"}
    mapping = copy_by_map(ours, randomise(theirs), mapping)
    assert X.max() > ours.edges.max() and X.min() < ours.edges.min()
    assert_same(ours, theirs, X, mapping)


def test_piecewise_linear_with_own_edges():
    ours = PiecewiseLinear(5, 6, 4)
    edges = torch.randn(5, 5, generator=torch.Generator().manual_seed(1)).sort(1).values
    ours.set_edges(edges)
    theirs = rtdl.PiecewiseLinearEmbeddings(list(edges), 6, activation=False, version="B")
    mapping = {"linear.weight": "linear0.weight", "linear.bias": "linear0.bias", "weight": "linear.weight"}
    assert_same(ours, theirs, X, copy_by_map(ours, randomise(theirs), mapping))
    for bad in (edges.flip(1), edges[:, :4], torch.zeros(5, 5)):
        with pytest.raises(ValueError, match="increasing"):
            ours.set_edges(bad)


def test_edges_are_normal_quantiles():
    edges = PiecewiseLinear(2, 4, 16).edges
    assert edges.shape == (2, 17) and (edges.diff(dim=1) > 0).all()
    shares = torch.special.ndtr(edges[0, 1:-1].double())
    torch.testing.assert_close(shares, torch.arange(1, 16) / 16.0, check_dtype=False)
    many = PiecewiseLinear(1, 4, 2000).edges  # the first inner quantile lies beyond −3
    assert (many.diff(dim=1) > 0).all()
    with pytest.raises(ValueError, match="num_bins"):
        PiecewiseLinear(2, 4, 1)


def test_piecewise_linear_starts_as_a_line():
    model = PiecewiseLinear(5, 6)
    assert torch.equal(model(X), model.linear(X))


def test_periodic():
    ours = Periodic(5, 6, num_frequencies=7)
    theirs = randomise(rtdl.PeriodicEmbeddings(5, 6, n_frequencies=7, lite=False))
    mapping = {"frequency": "periodic.weight", "weight": "linear.weight", "bias": "linear.bias"}
    assert_same(ours, theirs, X, copy_by_map(ours, theirs, mapping))


def test_periodic_starts_with_sigma():
    spread = Periodic(50, 4, num_frequencies=48, sigma=0.3).frequency
    assert 0.27 < spread.std() < 0.31 and spread.abs().max() <= 0.9


def test_raw():
    assert torch.equal(Raw(5, 16)(X), X[:, :, None]) and Raw(5, 16).dim == 1 and count(Raw(5, 16)) == 0


@pytest.mark.parametrize("kind", EVERY)
def test_columns_do_not_mix(kind):
    model = randomise(kind(5, 6))
    other = X.clone()
    other[:, 2] += 1
    a, b = model(X), model(other)
    assert a.shape == (64, 5, model.dim)
    same = (a == b).all(2)
    assert same[:, [0, 1, 3, 4]].all() and not same[:, 2].any()


@pytest.mark.parametrize("kind", [*EVERY, partial(PiecewiseLinear, num_bins=48)])
def test_half_precision(kind):
    model = randomise(kind(5, 6))
    expected = model(X)
    y = model.to(torch.bfloat16)(X.bfloat16())
    assert y.dtype == torch.bfloat16
    assert (y.float() - expected).abs().max() < 0.1 * expected.abs().max()
