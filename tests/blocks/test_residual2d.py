"""Residual blocks against torchvision's and timm's."""

import importlib
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.residual2d import BasicBlock, Bottleneck, BottleneckV1, PreActBasicBlock, PreActBottleneck
from netwright.blocks.squeeze_excite import SqueezeExcite
from tests.parity import assert_same, copy_by_order, randomise
from tests.references import timm, torchvision

GIVEN = (nn.BatchNorm2d, nn.ReLU, 0.0)
EXPANDING = [Bottleneck, BottleneckV1, PreActBasicBlock, PreActBottleneck]


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


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("in_channels, stride", [(32, 1), (16, 2)])
def test_bottleneck_as_first_published(in_channels, stride, train):
    theirs = torchvision().models.resnet.Bottleneck(in_channels, 8, stride, downsample(in_channels, 32, stride))
    theirs.conv1.stride, theirs.conv2.stride = theirs.conv2.stride, theirs.conv1.stride
    ours, x = BottleneckV1(in_channels, 8, stride, *GIVEN), torch.randn(3, in_channels, 9, 10)
    assert_same(ours, theirs, x, copy_by_order(ours, randomise(theirs), x), train=train)
    assert ours(x).shape[1] == ours.out_channels == 32


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("in_channels, stride", [(32, 1), (32, 2), (16, 1)])
@pytest.mark.parametrize("block", [PreActBasicBlock, PreActBottleneck])
def test_pre_activation(block, in_channels, stride, train):
    resnet = importlib.import_module(timm().models.__name__ + ".resnetv2")
    kind, ratio = (resnet.PreActBasic, 1.0) if block is PreActBasicBlock else (resnet.PreActBottleneck, 0.25)
    norm, conv = timm().layers.BatchNormAct2d, timm().layers.create_conv2d
    project = partial(resnet.DownsampleConv, preact=True) if (in_channels, stride) != (32, 1) else None
    theirs = kind(in_channels, 32, ratio, stride, proj_layer=project, conv_layer=conv, norm_layer=norm)
    ours = block(in_channels, 8, stride, *GIVEN, expansion=4)
    x = torch.randn(3, in_channels, 9, 10)
    assert_same(ours, theirs, x, copy_by_order(ours, randomise(theirs), x), train=train)
    assert ours(x).shape[1] == ours.out_channels == 32


@pytest.mark.parametrize("block", [BasicBlock, *[partial(b, expansion=2) for b in EXPANDING]])
def test_gate_and_drop_path_act_on_the_branch_alone(block):
    x = torch.rand(4, 16, 5, 5)
    dim = 16 if block is BasicBlock else 8
    gated = block(16, dim, 1, nn.BatchNorm2d, nn.ReLU, 1 - 1e-9, gate=SqueezeExcite)
    assert isinstance(gated.gate, SqueezeExcite)
    assert torch.equal(gated.train()(x), x), "the branch is dropped, the shortcut stays"
    assert not torch.equal(gated.eval()(x), x)
