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
from tests.families.segmentation import contract
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
    """Both scores of a network beside each other."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x):
        scores = self.network.outputs(x) if isinstance(self.network, DeepLabV3) else self.network(x).values()
        return torch.cat(list(scores), 1)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_torchvision(train):
    module = torchvision().models
    resnet = module.resnet.ResNet(module.resnet.Bottleneck, list(DEPTHS), replace_stride_with_dilation=[0, 1, 1])
    theirs = without_dropout(module.segmentation.deeplabv3._deeplabv3_resnet(resnet, 5, True))
    auxiliary = partial(FCNHead, dropout=0.0)
    ours = DeepLabV3(5, backbone=partial(ResNet, depths=DEPTHS), auxiliary=auxiliary, dropout=0.0)
    ours, theirs = Outputs(ours), Outputs(randomise(theirs))
    x = images(8, 3, 41, 33)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


class Corrected(nn.Module):
    """segmentation_models_pytorch's DeepLabV3+ with what differs from the paper set right.

    It spreads the kernel of the layer that had the stride too, has the rates of output stride 8, and enlarges with
    align_corners by whole factors, which fit multiples of 16 only.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        strided = network.encoder.layer4[0].conv1
        strided.dilation = strided.padding = (1, 1)
        network.segmentation_head[1] = nn.Identity()

    def forward(self, x):
        maps = self.network.encoder(x)
        enlarge = partial(nn.functional.interpolate, mode="bilinear", align_corners=False)
        self.network.decoder.up.forward = lambda y: enlarge(y, maps[2].shape[-2:])
        return enlarge(self.network.segmentation_head(self.network.decoder(maps)), x.shape[-2:])


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_segmentation_models(train):
    make = segmentation_models().DeepLabV3Plus
    theirs = make("resnet18", encoder_weights=None, classes=5, decoder_atrous_rates=(6, 12, 18), decoder_channels=32)
    theirs = randomise(Corrected(without_dropout(theirs)))
    backbone = partial(ResNet, depths=(2, 2, 2, 2), block=BasicBlock)
    ours = DeepLabV3Plus(5, backbone=backbone, dim=32, num_convs=1, dropout=0.0)
    x = images(8, 3, 51, 33)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


def without_dropout(network: nn.Module) -> nn.Module:
    for m in network.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    return network


@BOTH
def test_any_size_and_channels(make):
    contract.check_sizes(make, [(33, 47), (64, 20)], in_channels=[1, 5])


@BOTH
def test_works_everywhere(make):
    contract.check_everywhere(make, 64)
    contract.check_independent_of_batch(make(), 48)


def test_ejects():
    args = {"backbone": {"resnet": {"dim": 4, "depths": [1, 1, 1, 1]}}, "dim": 8, "num_classes": 2, "in_channels": 2}
    contract.check_ejects(DeepLabV3, args | {"auxiliary": "fcnhead"})
    contract.check_ejects(DeepLabV3Plus, args)
    contract.check_ejects(DeepLabV3, args | {"backbone": {"convnext": {"dim": 4, "depths": [1, 1, 1, 1]}}})


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
    main, second = model.outputs(x)
    assert torch.equal(main, model(x)) and second.shape == main.shape and not torch.equal(main, second)
    plain = SMALL()
    plain.load_state_dict({k: v for k, v in model.state_dict().items() if not k.startswith("auxiliary.")})
    assert torch.equal(plain.eval()(x), main) and len(plain.outputs(x)) == 1
