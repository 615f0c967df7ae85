"""TabularResNet is the ResNet of the authors' package rtdl_revisiting_models."""

import importlib
import re
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.numeric import PiecewiseLinear
from netwright.families.tabular.tabular_resnet import PRESETS, TabularResNet
from tests.families.presets import check_counts
from tests.families.tabular import contract
from tests.parity import assert_same, copy_by_map, count, randomise

rtdl = importlib.import_module("rtdl_revisiting_models")
SMALL = partial(TabularResNet, dim=16, depth=2)


def key(name: str) -> str:
    name = re.sub(r"^stem\.", "input_projection.", name)
    name = re.sub(r"^norm\.", "output.normalization.", re.sub(r"^head\.", "output.linear.", name))
    return name.replace(".norm.", ".normalization.").replace(".channel.fc", ".linear")


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_rtdl(train):
    theirs = rtdl.ResNet(d_in=8, d_out=1, n_blocks=2, d_block=192, d_hidden_multiplier=2.0, dropout1=0.0, dropout2=0.0)
    assert count(theirs) == PRESETS["default"]["params"]
    ours = TabularResNet(8, dropout=0.0)
    mapping = copy_by_map(ours, randomise(theirs), key)
    assert_same(ours, theirs, contract.rows(32, 8, [])[0], mapping, train=train)


def test_the_default_is_the_preset():
    check_counts(TabularResNet, PRESETS)
    assert count(TabularResNet(8)) == PRESETS["default"]["params"]


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.LayerNorm])
@pytest.mark.parametrize("numeric", [{}, {"numeric": PiecewiseLinear, "numeric_dim": 6}])
def test_contract(norm, numeric):
    make = partial(SMALL, norm=norm, **numeric)
    contract.check_columns(make)
    contract.check_everywhere(make)
    contract.check_state(make)
    contract.check_every_column_counts(randomise(make(4, contract.CARDINALITIES, 3, activation=nn.GELU)))


def test_dropout_and_drop_path_act_in_training_only():
    x = contract.rows(32, 4, [])
    for rates in ({"dropout": 0.5}, {"dropout": 0.0, "drop_path": 0.5}):
        model = SMALL(4, **rates)
        assert torch.equal(model.eval()(*x), model(*x))
        assert not torch.equal(model.train()(*x), model(*x))


def test_dim_and_depth_shrink_it():
    contract.check_shrinks(SMALL, range(1, 20))
