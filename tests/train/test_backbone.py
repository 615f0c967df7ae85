"""What of a network stands still in a probe, and what learns alone."""

from functools import partial

import pytest
from torch import nn

from netwright.errors import InputError
from netwright.families.detection.detr import DETR
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.segmentation.unet import UNet
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from netwright.train.backbone import Backbone, trained_before

SMALL = partial(ResNet, dim=8, depths=(1, 1, 1, 1))
NETWORKS = {
    "classifier": (SMALL, ("stem.", "stages.")),
    "with parameters of its own": (
        partial(ViT, dim=16, depth=1, image_size=32),
        ("embed.", "position.", "drop.", "blocks.", "class_token."),
    ),
    "masks": (partial(UNet, backbone=SMALL, dim=4), ("backbone.",)),
    "boxes of one stage": (partial(RetinaNet, 3, backbone=SMALL), ("pyramid.backbone.",)),
    "boxes of queries": (partial(DETR, 3, backbone=SMALL, dim=16, depth=1, num_heads=2), ("backbone.",)),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_all_that_was_trained_before_stands_still(kind):
    make, before = NETWORKS[kind]
    network = make()
    assert trained_before(network) == before
    held = Backbone(network)
    held.hold(True)
    for name, parameter in network.named_parameters():
        assert parameter.requires_grad is not f"{name}.".startswith(before)
    for name, module in network.named_modules():
        assert module.training is not f"{name}.".startswith(before)
    held.hold(False)
    assert all(p.requires_grad for p in network.parameters()) and all(m.training for m in network.modules())


def test_a_network_of_which_nothing_learns_alone():
    with pytest.raises(InputError, match="nothing learns alone"):
        Backbone(nn.Sequential(nn.Linear(2, 2)))
