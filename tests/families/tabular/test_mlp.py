"""MLP is torchvision's MLP on raw numbers, and takes every embedding of numbers and categories."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks import numeric
from netwright.families.tabular.mlp import MLP, PRESETS
from tests.families.presets import build, check_counts
from tests.families.tabular import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import torchvision

SMALL = partial(MLP, dim=16, depth=2)


def key(name: str) -> str:
    if name.startswith("head."):
        return name.replace("head", "8")
    return name.removeprefix("layers.")


def test_every_preset_has_the_count():
    check_counts(MLP, PRESETS)
    assert count(torchvision().ops.MLP(784, [512, 512, 10])) == PRESETS["512x2"]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("norm", [nn.LayerNorm, nn.BatchNorm1d])
def test_same_as_torchvision(norm, train):
    ours = build(MLP, PRESETS["512x2"]["args"], num_features=784, num_classes=10, norm=norm)
    theirs = randomise(torchvision().ops.MLP(784, [512, 512, 10], norm_layer=norm))
    x = contract.rows(16, 784, [])[0]
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, key), train=train)


def test_same_as_torchvision_without_norm():
    ours = MLP(9, num_classes=3, dim=16, depth=2)
    theirs = randomise(torchvision().ops.MLP(9, [16, 16, 3]))
    names = {"layers.0": "0", "layers.4": "3", "head": "6"}
    mapping = {f"{a}.{leaf}": f"{b}.{leaf}" for a, b in names.items() for leaf in ("weight", "bias")}
    assert_same(ours, theirs, contract.rows(16, 9, [])[0], copy_by_map(ours, theirs, mapping))


@pytest.mark.parametrize("name", numeric.__all__)
def test_contract(name):
    make = partial(SMALL, numeric=getattr(numeric, name), numeric_dim=6)
    contract.check_columns(make)
    contract.check_everywhere(make)
    contract.check_state(make)
    contract.check_every_column_counts(randomise(make(4, contract.CARDINALITIES, 3, activation=nn.GELU)))


def test_without_layers_it_is_linear():
    model = MLP(5, num_classes=2, depth=0)
    x = torch.randn(3, 5)
    torch.testing.assert_close(model(x), x @ model.head.weight.T + model.head.bias)


def test_dim_and_depth_shrink_it():
    contract.check_shrinks(SMALL, range(1, 20))
