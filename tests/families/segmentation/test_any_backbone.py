"""Any neck and any head takes any backbone of the registry, plain transformers included."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.context import ASPP
from netwright.blocks.headless import headless
from netwright.blocks.neck import FPN
from netwright.blocks.pyramid import DeepestMaps, TokenPyramid, pyramid
from netwright.blocks.unet_decoder import UNetDecoder
from netwright.design import registry
from netwright.design.resolve import as_argument, resolve
from netwright.design.spec import Spec
from tests.families.vision.contract import images

SIZES = {"dim": 8, "depth": 4, "depths": [1, 1, 1, 1], "width_mult": 0.25, "layout": "small", "image_size": 45}
SIDE = 45
BACKBONES = registry().fitting("backbone")


def small(name: str):
    """The family in a small size; of the paper's widths where no argument says otherwise."""
    family = BACKBONES[name]
    sizes = {key: value for key, value in SIZES.items() if key in family.settable}
    resolved = resolve(Spec(name, sizes))
    return partial(family.cls, **{key: as_argument(value) for key, value in resolved.args.items()})


@pytest.mark.parametrize("name", BACKBONES)
def test_any_backbone_feeds_neck_decoder_and_context(name):
    """One backbone, and on its maps a feature pyramid, a U-Net decoder and an atrous pyramid, at an odd size."""
    torch.manual_seed(0)
    backbone = headless(small(name), 2)
    scales = pyramid(backbone.channels, backbone.strides)
    assert list(scales.strides) == sorted(set(scales.strides)), "one map for each stride, finest first"
    heads = nn.ModuleList(
        [
            FPN(scales.channels, scales.strides, 8),
            UNetDecoder(scales.channels, scales.strides, 4),
            ASPP(backbone.channels[-1], 8, (1, 2), dropout=0.0),
        ]
    )
    x = images(2, 2, SIDE, SIDE)
    maps = backbone.features(x)
    chosen = scales(maps)
    assert [m.shape[1] for m in chosen] == list(scales.channels)
    pyramided, decoded, context = heads[0](chosen), heads[1](chosen, (SIDE, SIDE)), heads[2](maps[-1])
    assert [m.shape for m in pyramided] == [(2, 8, *m.shape[2:]) for m in chosen]
    assert decoded.shape == (2, 4, SIDE, SIDE) and context.shape == (2, 8, *maps[-1].shape[2:])
    sum(y.square().mean() for y in [*pyramided, decoded, context]).backward()
    for part in (backbone, scales, heads):
        for key, p in part.named_parameters():
            assert p.grad is not None and p.grad.isfinite().all(), key


def test_a_plain_transformer_gets_four_scales():
    made = TokenPyramid([12, 12], [16, 16])
    assert made.channels == [3, 6, 12, 12] and made.strides == [4, 8, 16, 32]
    maps = [images(2, 12, 3, 5), images(2, 12, 3, 5, seed=1)]
    assert [m.shape[2:] for m in made(maps)] == [(12, 20), (6, 10), (3, 5), (2, 3)]
    assert torch.equal(made(maps)[2], maps[1])


@pytest.mark.parametrize(
    "stride, strides", [(32, [4, 8, 16, 32]), (14, [4, 7, 14, 28]), (8, [4, 8, 16, 32]), (2, [2, 4, 8, 16])]
)
def test_the_finest_stride_is_four_or_less(stride, strides):
    made = TokenPyramid([8], [stride])
    assert made.strides == strides and len(made([torch.randn(1, 8, 2, 2)])) == 4


def test_of_the_maps_of_one_stride_the_last_is_taken():
    made = pyramid([1, 2, 3, 4, 5], [1, 1, 2, 2, 4], 2)
    assert isinstance(made, DeepestMaps) and made.channels == [4, 5] and made.strides == [2, 4]
    assert made([*"abcde"]) == ["d", "e"]
