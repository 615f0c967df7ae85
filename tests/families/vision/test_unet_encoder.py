"""U-Net's contracting path keeps the promises of a backbone; its parity is that of U-Net."""

from functools import partial

import torch

from netwright.families.vision.unet_encoder import UNetEncoder
from tests.families.vision import contract
from tests.parity import randomise

SMALL = partial(UNetEncoder, dim=4, depth=3)


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    assert SMALL().strides == [1, 2, 4] and SMALL().channels == [4, 8, 16]
    assert UNetEncoder(dim=2).channels == [2, 4, 8, 16, 32]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    assert [m.shape[2:] for m in SMALL().features(contract.images(1, 3, 7, 9))] == [(7, 9), (4, 5), (2, 3)]


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_weights_keep_the_variance():
    """The paper's rule: N(0, 2 / N), N being the number of incoming nodes, 9 · 64 in its example."""
    torch.manual_seed(0)
    conv = UNetEncoder(dim=64, depth=1).stages[0][1].conv
    assert abs(float(conv.weight.detach().std()) / (2 / (9 * 64)) ** 0.5 - 1) < 0.02
