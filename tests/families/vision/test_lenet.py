"""LeNet as it is taught is the plain stack of layers, and keeps the promises of a backbone."""

from functools import partial

import pytest
from torch import nn

from netwright.families.vision.lenet import PRESETS, LeNet
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise

SMALL = partial(LeNet, in_channels=3)


def plain(*before: nn.Module, side: int = 5) -> nn.Module:
    """The figure of the paper, layer by layer."""
    return nn.Sequential(
        *before,
        nn.Conv2d(1, 6, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        *([] if side == 5 else [nn.AvgPool2d(side // 5)]),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


def test_every_preset_has_the_published_count():
    check_counts(LeNet, PRESETS)
    closed = [(25 + 1) * 6, (25 * 6 + 1) * 16, (400 + 1) * 120, (120 + 1) * 84, (84 + 1) * 10]
    assert sum(closed) == count(plain()) == count(LeNet()) == 61706


@pytest.mark.parametrize("size, before, side", [(32, [], 5), (28, [nn.ZeroPad2d(2)], 5), (52, [], 10)])
def test_same_as_the_stack_of_layers(size, before, side):
    """On images of 32 pixels; smaller ones are padded, larger ones averaged."""
    ours, theirs, x = LeNet(), randomise(plain(*before, side=side)), contract.images(3, 1, size, size)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x))


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(SMALL(), 28)


def test_any_size_and_channels():
    contract.check_sizes(LeNet, [(8, 8), (28, 28), (33, 47), (1, 5)])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_activation_is_a_slot():
    assert not any(isinstance(m, nn.Tanh) for m in LeNet(activation=nn.ReLU).modules())
