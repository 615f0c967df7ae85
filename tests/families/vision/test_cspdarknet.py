"""CSPDarknet is the backbone of libreyolo's YOLOX, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.conv_unit import ConvNormAct, SeparableConv
from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.stem import PatchStem, SmallStem
from netwright.families.vision.cspdarknet import PRESETS, CSPDarknet
from netwright.weights.maps import yolox
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise, tensors
from tests.references import libreyolo

SMALL = partial(CSPDarknet, dim=4, depths=(1, 2, 1))
LOW = partial(SMALL, stem=SmallStem)


class Classifier(nn.Module):
    """Theirs with a head like ours."""

    def __init__(self, depth: float, width: float, depthwise: bool):
        super().__init__()
        self.backbone = libreyolo().CSPDarknet(depth, width, depthwise=depthwise)
        self.head = nn.Linear(int(width * 1024), 7)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps, module.momentum = 1e-3, 0.03

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.backbone(x)["dark5"].mean((2, 3)))


def test_every_preset_has_its_count():
    check_counts(CSPDarknet, PRESETS)
    with torch.device("meta"):
        for name, size in zip(PRESETS, "ntsmlx", strict=True):
            theirs = libreyolo().LibreYOLOXModel(size, 80).backbone.backbone
            width = theirs.dark5[-1].conv3.conv.out_channels
            assert PRESETS[name]["params"] == count(theirs) + 1000 * (width + 1)


def key_map(ours: nn.Module) -> dict[str, str]:
    """The backbone is a part of YOLOX there."""
    names = yolox.megvii({f"backbone.{key}": x.shape for key, x in tensors(ours).items()})
    return {a.removeprefix("backbone."): b.removeprefix("backbone.") for a, b in names.items()}


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name, sizes", [("nano", (0.33, 0.25, True)), ("tiny", (0.33, 0.375, False))])
def test_same_as_libreyolo(name, sizes, train):
    ours, theirs = build(CSPDarknet, PRESETS[name]["args"], num_classes=7), randomise(Classifier(*sizes))
    mapping = copy_by_map(ours, theirs, key_map(ours))
    assert_same(ours, theirs, contract.images(4, 3, 64, 96), mapping, train=train)


def test_feature_maps():
    contract.check_features(SMALL(), 64)
    contract.check_features(LOW(), 32)
    assert SMALL().strides == [2, 4, 8, 16] and SMALL().channels == [4, 8, 16, 32]
    assert LOW().strides == [1, 2, 4, 8]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (33, 47), (1, 5)], in_channels=[1, 3])
    contract.check_sizes(LOW, [(9, 13)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 33)
    contract.check_independent_of_batch(randomise(SMALL()), 32)


def test_slots_take_other_blocks():
    conv = partial(SeparableConv, norm=GroupNorm, activation=nn.ReLU)
    model = SMALL(num_classes=3, conv=conv, stem=PatchStem)
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.SiLU)) for m in model.modules())
    assert model(contract.images(1, 3, 32, 32)).shape == (1, 3)  # no batch statistics: a batch of one trains
    assert count(model) < count(SMALL(num_classes=3, conv=partial(ConvNormAct, norm=GroupNorm)))


def test_dim_and_depths_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(1, 9)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depths=(1, 1))) < count(SMALL(depths=(1, 2))) < count(SMALL(depths=(1, 2, 1)))
