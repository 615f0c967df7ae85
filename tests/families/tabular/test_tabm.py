"""TabM is the one of the authors' package tabm."""

import importlib
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.categorical import OneHot
from netwright.blocks.numeric import Periodic, PiecewiseLinear, Raw
from netwright.families.tabular.tabm import PRESETS, TabM
from tests.families.presets import check_counts
from tests.families.tabular import contract
from tests.parity import assert_same, copy_by_map, count, randomise

rtdl = importlib.import_module("rtdl_num_embeddings")
SMALL = partial(TabM, dim=16, depth=2, num_members=4, numeric=partial(PiecewiseLinear, num_bins=4), numeric_dim=6)


def reference(num_features: int, cardinalities: list[int], num_classes: int, edges=None) -> nn.Module:
    package = importlib.import_module("tabm")
    embeddings = None
    if edges is not None:
        embeddings = rtdl.PiecewiseLinearEmbeddings(list(edges), 16, activation=False, version="B")
    theirs = package.TabM.make(
        n_num_features=num_features,
        cat_cardinalities=cardinalities,
        d_out=num_classes,
        num_embeddings=embeddings,
        k=5,
        d_block=32,
        dropout=0.0,
    )
    return randomise(theirs)


def key(name: str) -> str:
    name = name.replace("table.numeric.weight", "num_module.linear.weight")
    name = name.replace("table.numeric.linear.", "num_module.linear0.").replace("head.", "output.")
    if name.startswith("layers."):
        _, i, leaf = name.split(".")
        return f"backbone.blocks.{int(i) // 3}.0.{leaf}"
    return name


@pytest.mark.parametrize("num_classes", [1, 3])
@pytest.mark.parametrize("cardinalities", [[], [3, 5]])
def test_raw_members_are_tabms(cardinalities, num_classes):
    """The authors' forward gives the members' outputs always; ours in training."""
    ours = TabM(4, cardinalities, num_classes, dim=32, depth=3, num_members=5, numeric=Raw, dropout=0.0)
    theirs = reference(4, cardinalities, num_classes)
    x = contract.rows(16, 4, cardinalities)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, key), train=True)


@pytest.mark.parametrize("cardinalities", [[], [3, 5]])
def test_embedded_members_are_tabms(cardinalities):
    numeric = partial(PiecewiseLinear, num_bins=8)
    ours = TabM(4, cardinalities, 2, dim=32, depth=2, num_members=5, numeric=numeric, numeric_dim=16, dropout=0.0)
    theirs = reference(4, cardinalities, 2, ours.table.numeric.edges)
    x = contract.rows(16, 4, cardinalities)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, key), train=True)


def test_evaluation_is_the_mean_of_the_members():
    x = contract.rows(8, 4, [3])
    for num_classes in (1, 3):
        model = randomise(SMALL(4, [3], num_classes, dropout=0.0))
        members, one = model.train()(*x), model.eval()(*x)
        assert members.shape == (8, 4, num_classes) and members.std(1).min() > 0
        if num_classes == 1:
            torch.testing.assert_close(one, members.mean(1))
        else:
            torch.testing.assert_close(one.softmax(-1), members.softmax(-1).mean(1))
            torch.testing.assert_close(one.exp().sum(-1), torch.ones(8))


@pytest.mark.parametrize(("numeric", "signs"), [(Raw, True), (PiecewiseLinear, False), (Periodic, False)])
def test_members_start_apart_in_the_scales_of_the_columns(numeric, signs):
    model = TabM(3, [4, 30], dim=16, depth=2, num_members=6, numeric=numeric, numeric_dim=5)
    scales = model.layers[0].r.split(model.table.widths, dim=1)
    assert len(scales) == 5
    for scale in scales:  # (members, channels of the column)
        assert torch.equal(scale, scale[:, :1].expand_as(scale)) and scale.std() > 0
        assert bool((scale.abs() == 1).all()) == signs
    assert (model.layers[3].r == 1).all() and (model.layers[0].s == 1).all()
    bias = model.layers[0].bias
    assert torch.equal(bias, bias[:1].expand_as(bias)) and model.head.weight.std(0).min() > 0


def test_categories_alone_start_with_signs():
    assert (TabM(0, [4, 30]).layers[0].r.abs() == 1).all()
    assert isinstance(TabM(0, [4]).table.categorical.one_hot, OneHot)


def test_every_preset_has_the_count_of_the_package():
    check_counts(TabM, PRESETS)
    package = importlib.import_module("tabm")
    assert count(package.TabM.make(n_num_features=8, d_out=1)) == PRESETS["default"]["params"]
    edges = list(PiecewiseLinear(8, 16, 48).edges)
    embeddings = rtdl.PiecewiseLinearEmbeddings(edges, 16, activation=False, version="B")
    theirs = package.TabM.make(n_num_features=8, d_out=1, num_embeddings=embeddings)
    assert count(theirs) == PRESETS["ple"]["params"] == count(TabM(8))


def test_contract():
    contract.check_columns(SMALL)
    contract.check_everywhere(SMALL)
    contract.check_state(SMALL)
    contract.check_every_column_counts(randomise(SMALL(4, contract.CARDINALITIES, 3, activation=nn.GELU)))
    contract.check_shrinks(SMALL, range(1, 20))
