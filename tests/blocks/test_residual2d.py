"""Residual blocks against torchvision's."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.residual2d import BasicBlock, Bottleneck
from netwright.blocks.squeeze_excite import SqueezeExcite
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import torchvision

GIVEN = (nn.BatchNorm2d, nn.ReLU, 0.0)


def downsample(in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("in_channels, dim, stride", [(8, 8, 1), (8, 16, 2), (8, 12, 1), (8, 8, 2)])
def test_basic_block(in_channels, dim, stride, train):
    resnet = torchvision().models.resnet
    theirs = randomise(resnet.BasicBlock(in_channels, dim, stride, downsample(in_channels, dim, stride)))
    ours, x = BasicBlock(in_channels, dim, stride, *GIVEN), torch.randn(3, in_channels, 9, 10)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)
    assert ours(x).shape[1] == ours.out_channels == dim


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("in_channels, stride, groups, width_ratio", [(32, 1, 1, 1), (16, 2, 1, 2), (16, 1, 4, 0.5)])
def test_bottleneck(in_channels, stride, groups, width_ratio, train):
    resnet, dim = torchvision().models.resnet, 8
    theirs = resnet.Bottleneck(
        in_channels,
        dim,
        stride,
        downsample(in_channels, 4 * dim, stride),
        groups,
        base_width=int(64 * width_ratio / groups),  # theirs: dim · base_width / 64 channels in each group
    )
    ours = Bottleneck(in_channels, dim, stride, *GIVEN, groups=groups, width_ratio=width_ratio)
    x = torch.randn(3, in_channels, 9, 10)
    assert_same(ours, theirs, x, copy_by_order(ours, randomise(theirs), x), train=train)
    assert ours(x).shape[1] == ours.out_channels == 4 * dim


@pytest.mark.parametrize("block", [BasicBlock, partial(Bottleneck, expansion=2)])
def test_gate_and_drop_path_act_on_the_branch_alone(block):
    x = torch.rand(4, 16, 5, 5)
    dim = 16 if block is BasicBlock else 8
    gated = block(16, dim, 1, nn.BatchNorm2d, nn.ReLU, 1 - 1e-9, gate=SqueezeExcite)
    assert isinstance(gated.gate, SqueezeExcite)
    assert torch.equal(gated.train()(x), x), "the branch is dropped, the shortcut stays"
    assert not torch.equal(gated.eval()(x), x)
