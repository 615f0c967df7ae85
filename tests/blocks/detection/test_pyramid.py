"""A pyramid chooses the maps of its backbone by their strides."""

from functools import partial

import pytest
import torch

from netwright.blocks.csp import CSPPAN
from netwright.blocks.detection.pyramid import Pyramid
from netwright.blocks.neck import FPN
from netwright.blocks.residual2d import BasicBlock
from netwright.blocks.stem import SmallStem
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.resnet import ResNet

NET = partial(ResNet, dim=4, depths=(1, 1, 1), block=BasicBlock)


def test_maps_are_those_of_the_strides():
    assert Pyramid(3, NET, partial(FPN, dim=8), finest=8).strides == [8, 16]
    small = Pyramid(3, partial(NET, stem=SmallStem), partial(FPN, dim=8), finest=1)
    assert small.strides == [1, 2, 4] and small.dim == 8
    assert [tuple(x.shape) for x in small(torch.zeros(2, 3, 9, 12))] == [(2, 8, 9, 12), (2, 8, 5, 6), (2, 8, 3, 3)]


def test_of_maps_with_one_stride_the_deepest_is_taken():
    backbone = partial(MobileNetV3, width_mult=0.25, strides=(2, 1, 2, 1))
    pyramid = Pyramid(3, backbone, partial(FPN, dim=8), finest=2)
    assert pyramid.backbone.strides == [2, 4, 4, 8, 8]
    assert pyramid.chosen == [0, 2, 4] and pyramid.strides == [2, 4, 8]


def test_no_map_is_an_error():
    with pytest.raises(ValueError, match=r"no map of stride 64 or more, only \[2, 4, 8, 16\]"):
        Pyramid(3, NET, FPN, finest=64)


def test_maps_may_differ_in_width_where_no_head_is_shared():
    pyramid = Pyramid(3, NET, CSPPAN, finest=8)
    assert pyramid.channels == [8, 16] == [x.shape[1] for x in pyramid(torch.zeros(1, 3, 32, 32))]
    with pytest.raises(ValueError, match=r"the same channels, got \[8, 16\]"):
        RetinaNet(3, backbone=NET, neck=CSPPAN)
