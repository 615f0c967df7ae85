"""Activations that overwrite their input: the same outputs and gradients as those that don't."""

import copy
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.activation import ELU, GELU, Hardswish, LeakyReLU, ReLU, ReLU6, SiLU, in_place
from netwright.blocks.conv import ConvNormAct
from netwright.blocks.dense import DenseTransition
from netwright.blocks.dense_layer import DenseBottleneck, PlainDense
from netwright.blocks.hourglass import BiasedPreActBottleneck
from netwright.blocks.norm2d import BatchNorm2d, FrozenBatchNorm2d, Identity, LayerNorm2d
from netwright.blocks.residual2d import BasicBlock, Bottleneck, BottleneckV1, PreActBasicBlock, PreActBottleneck
from netwright.families.vision.alexnet import AlexNet
from netwright.families.vision.densenet import DenseNet
from netwright.families.vision.preresnet import PreActResNet
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vgg import VGG
from tests.parity import randomise

BLOCKS = {
    "conv": lambda norm, act: ConvNormAct(8, 8, norm=norm, activation=act),
    "basic": lambda norm, act: BasicBlock(8, 8, 1, norm, act, 0.0),
    "bottleneck": lambda norm, act: Bottleneck(8, 2, 1, norm, act, 0.0),
    "bottleneck v1": lambda norm, act: BottleneckV1(8, 2, 1, norm, act, 0.0),
    "pre-activation": lambda norm, act: PreActBasicBlock(8, 8, 1, norm, act, 0.0),
    "pre-activation bottleneck": lambda norm, act: PreActBottleneck(8, 2, 1, norm, act, 0.0),
    "hourglass bottleneck": lambda norm, act: BiasedPreActBottleneck(8, 8, norm, act),
    "dense": lambda norm, act: PlainDense(8, 4, norm, act),
    "dense bottleneck": lambda norm, act: DenseBottleneck(8, 4, norm, act),
    "dense transition": lambda norm, act: DenseTransition(8, 4, norm, act),
}
NORMS = [BatchNorm2d, FrozenBatchNorm2d, Identity, LayerNorm2d]
FAMILIES = {
    "resnet": lambda norm: ResNet(2, dim=8, depths=(1, 1), norm=norm),
    "preresnet": lambda norm: PreActResNet(2, dim=8, depths=(1, 1), norm=norm),
    "densenet": lambda norm: DenseNet(2, dim=8, growth_rate=4, depths=(2, 2), norm=norm),
    "vgg": lambda norm: VGG(2, dim=8, depths=(1, 1), norm=norm, hidden=(8,), grid=1),
    "alexnet": lambda norm: AlexNet(2, widths=(8, 8, 8, 8, 8), norm=norm, hidden=(8,), grid=1),
}


def kept(module: nn.Module) -> nn.Module:
    """The same network, whose activations leave their input alone."""
    module = copy.deepcopy(module)
    for layer in module.modules():
        if hasattr(layer, "inplace"):
            layer.inplace = False
    return module


def images(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_only_an_activation_that_can_overwrites_its_input():
    assert in_place(ReLU()).inplace
    assert not hasattr(in_place(GELU()), "inplace")
    assert in_place(ReLU(), BatchNorm2d(4)).inplace
    assert not in_place(ReLU(), Identity()).inplace


@pytest.mark.parametrize("norm", NORMS, ids=lambda norm: norm.__name__)
@pytest.mark.parametrize("name", BLOCKS)
def test_overwriting_changes_neither_outputs_nor_gradients(name, norm):
    for activation in (ReLU, ReLU6, LeakyReLU, ELU, SiLU, Hardswish, GELU):
        first = randomise(BLOCKS[name](norm, activation)).double().train()  # in fp32 what cancels is not zero
        second, found = kept(first), []
        for module in (first, second):
            x = images(2, 8, 5, 6).double().requires_grad_()
            before = x.detach().clone()
            y = module(x)
            # The second gradient too: that of the first one's squares.
            grads = torch.autograd.grad(y.square().sum(), [x, *module.parameters()], create_graph=True)
            twice = torch.autograd.grad(sum(g.square().sum() for g in grads), x)[0]
            assert torch.equal(x, before), activation
            found.append([y, *grads, twice])
        for ours, theirs in zip(*found, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-8)


def test_a_gradient_for_each_sample():
    block = randomise(Bottleneck(8, 2, 1, BatchNorm2d, ReLU, 0.0)).eval()
    plain, x = kept(block), images(3, 1, 8, 5, 6)

    def loss(module, params, sample):
        return torch.func.functional_call(module, params, sample).square().sum()

    found = []
    for module in (block, plain):
        each = torch.func.vmap(torch.func.grad(partial(loss, module)), (None, 0))
        found.append(each(dict(module.named_parameters()), x))
    for key, ours in found[0].items():
        torch.testing.assert_close(ours, found[1][key], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm", [BatchNorm2d, Identity], ids=lambda norm: norm.__name__)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_maps_that_features_gives_stay_as_they_are(name, norm):
    network = randomise(FAMILIES[name](norm)).eval()
    x = images(1, 3, 64, 64)
    for ours, theirs in zip(network.features(x), kept(network).features(x), strict=True):
        assert torch.equal(ours, theirs)
