"""Dense connections against torchvision's and pytorchcv's."""

import importlib

import pytest
import torch
from torch import nn

from netwright.blocks.dense import DenseBlock, DenseTransition
from netwright.blocks.dense_layer import DenseBottleneck, PlainDense
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import pytorchcv, torchvision

X = torch.randn(3, 6, 7, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_block_of_bottlenecks_is_torchvisions(train):
    densenet = importlib.import_module(torchvision().models.__name__ + ".densenet")
    theirs = densenet._DenseBlock(4, 6, bn_size=4, growth_rate=5, drop_rate=0.0)
    ours = DenseBlock(6, 5, 4, DenseBottleneck, nn.BatchNorm2d, nn.ReLU)
    assert_same(ours, randomise(theirs), X, copy_by_order(ours, theirs, X), train=train)
    assert ours(X).shape[1] == ours.out_channels == 26


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_plain_block_is_pytorchcvs(train):
    pytorchcv()
    unit = importlib.import_module("pytorchcv.models.densenet_cifar").DenseSimpleUnit
    theirs = nn.Sequential(*[unit(6 + 5 * i, 11 + 5 * i, 0.0) for i in range(3)])
    ours = DenseBlock(6, 5, 3, PlainDense, nn.BatchNorm2d, nn.ReLU)
    assert_same(ours, randomise(theirs), X, copy_by_order(ours, theirs, X), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_transition_is_torchvisions(train):
    """Which convolves before it takes the mean."""
    densenet = importlib.import_module(torchvision().models.__name__ + ".densenet")
    ours, theirs = DenseTransition(6, 4, nn.BatchNorm2d, nn.ReLU), randomise(densenet._Transition(6, 4))
    assert_same(ours, theirs, X, copy_by_order(ours, theirs, X), train=train)


@pytest.mark.parametrize("layer", [PlainDense, DenseBottleneck])
def test_earlier_maps_go_through_and_dropout_drops_new_ones(layer):
    block = DenseBlock(6, 5, 2, lambda *args: layer(*args, dropout=1 - 1e-9), nn.BatchNorm2d, nn.ReLU)
    y = block.train()(X)
    assert torch.equal(y[:, :6], X) and y[:, 6:].abs().max() == 0
    assert block.eval()(X)[:, 6:].abs().min() > 0
