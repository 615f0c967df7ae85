"""DeepLabV3 is torchvision's, DeepLabV3+ segmentation_models_pytorch's."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.head2d import FCNHead
from netwright.blocks.residual2d import BasicBlock
from netwright.families.segmentation.deeplabv3 import PRESETS, DeepLabV3
from netwright.families.segmentation.deeplabv3plus import PRESETS as PLUS
from netwright.families.segmentation.deeplabv3plus import DeepLabV3Plus
from netwright.families.vision.convnext import ConvNeXt
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from tests.families.presets import check_counts
from tests.families.segmentation import contract, references
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import segmentation_models, torchvision

DEPTHS = (1, 1, 2, 2)
SMALL = partial(DeepLabV3, backbone=partial(ResNet, dim=4, depths=DEPTHS), dim=8, rates=(1, 2), dropout=0.0)
PLUS_SMALL = partial(
    DeepLabV3Plus, backbone=partial(ResNet, dim=4, depths=DEPTHS), dim=8, low_dim=4, rates=(1, 2), dropout=0.0
)
BOTH = pytest.mark.parametrize("make", [SMALL, PLUS_SMALL], ids=["v3", "v3+"])


def test_every_preset_has_the_published_count():
    check_counts(DeepLabV3, PRESETS)
    check_counts(DeepLabV3Plus, PLUS)


@pytest.mark.parametrize("name", ["resnet50", "resnet101"])
def test_counts_are_the_references(name):
    with torch.device("meta"):
        make = getattr(torchvision().models.segmentation, f"deeplabv3_{name}")
        assert count(make(weights=None, weights_backbone=None, aux_loss=True)) == PRESETS[name]["params"]
        theirs = segmentation_models().DeepLabV3Plus(name, encoder_weights=None, classes=21)
        assert count(theirs) == PLUS[name]["params"]


class Outputs(nn.Module):
    """Both scores of ours beside each other."""

    def __init__(self, network: DeepLabV3):
        super().__init__()
        self.network = network

    def forward(self, x):
        return torch.cat(self.network.outputs(x), 1)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_torchvision(train):
    theirs = randomise(references.DeepLabV3(DEPTHS, 5, auxiliary=True))
    auxiliary = partial(FCNHead, dropout=0.0)
    ours = Outputs(DeepLabV3(5, backbone=partial(ResNet, depths=DEPTHS), auxiliary=auxiliary, dropout=0.0))
    x = images(8, 3, 41, 33)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_segmentation_models(train):
    theirs = randomise(references.DeepLabV3Plus("resnet18", 5, 32))
    backbone = partial(ResNet, depths=(2, 2, 2, 2), block=BasicBlock)
    ours = DeepLabV3Plus(5, backbone=backbone, dim=32, num_convs=1, dropout=0.0)
    x = images(8, 3, 51, 33)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@BOTH
def test_any_size_and_channels(make):
    contract.check_sizes(make, [(33, 47), (64, 20)], in_channels=[1, 5])


@BOTH
def test_works_everywhere(make):
    contract.check_everywhere(make, 64)
    contract.check_independent_of_batch(make(), 48)


def test_ejects():
    args = {"backbone": {"resnet": {"dim": 4, "depths": [1, 1, 1, 1]}}, "dim": 8, "num_classes": 2, "in_channels": 2}
    contract.check_ejects(DeepLabV3Plus, args)
    convnext = {"convnext": {"dim": 4, "depths": [1, 1, 1, 1]}}
    contract.check_ejects(DeepLabV3, args | {"backbone": convnext, "auxiliary": "fcnhead"})


def test_other_backbones():
    mobile = partial(MobileNetV3, layout="small", width_mult=0.25)
    convnext, vit = partial(ConvNeXt, dim=4, depths=(1, 1, 1, 1)), partial(ViT, dim=12, depth=2)
    for backbone in (mobile, convnext, vit):
        for make in (SMALL, PLUS_SMALL):
            model = make(num_classes=2, backbone=backbone).eval()
            assert model(images(1, 3, 70, 50)).shape == (1, 2, 70, 50)
    assert PLUS_SMALL(backbone=mobile).low == 1 and PLUS_SMALL(backbone=vit).low == 0


def test_the_auxiliary_head_leaves_the_scores_alone():
    torch.manual_seed(0)
    model, x = SMALL(auxiliary=FCNHead).eval(), images(2, 3, 40, 40)
    second, main = model.outputs(x)
    assert torch.equal(main, model(x)) and second.shape == main.shape and not torch.equal(main, second)
    plain = SMALL()
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("auxiliary.")})
    assert torch.equal(plain.eval()(x), main) and len(plain.outputs(x)) == 1
