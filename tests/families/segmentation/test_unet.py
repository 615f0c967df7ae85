"""U-Net is lightning-bolts' and segmentation_models_pytorch's U-Net, and aligns at every size."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from netwright.blocks.upsample2d import BilinearUpsample, NearestUpsample, TransposedConv
from netwright.families.segmentation.unet import PRESETS, UNet
from netwright.families.vision.convnext import ConvNeXt
from netwright.families.vision.unet_encoder import UNetEncoder
from netwright.families.vision.vit import ViT
from tests.families.presets import build, check_counts
from tests.families.segmentation import contract
from tests.families.vision import contract as vision
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import lightning_bolts, segmentation_models

TINY = partial(UNet, backbone=partial(UNetEncoder, dim=4, depth=4), dim=4)


def test_every_preset_has_the_published_count():
    check_counts(UNet, PRESETS)


def test_counts_are_the_references():
    with torch.device("meta"):
        assert count(lightning_bolts().UNet(2, 1)) == PRESETS["original"]["params"]
        for name in ("resnet34", "resnet50"):
            theirs = segmentation_models().Unet(name, encoder_weights=None, classes=1)
            assert count(theirs) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_lightning_bolts(train, monkeypatch):
    """Which of the two maps comes first where they are put together is a matter of naming."""
    module = lightning_bolts()
    monkeypatch.setattr(module.Up, "forward", lambda up, x, skip: up.conv(torch.cat([up.upsample(x), skip], 1)))
    ours = TINY(num_classes=2, in_channels=1)
    theirs = randomise(module.UNet(2, 1, num_layers=4, features_start=4))
    x = vision.images(2, 1, 40, 24)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_segmentation_models(train):
    ours = build(UNet, PRESETS["resnet34"]["args"], num_classes=3)
    theirs = segmentation_models().Unet("resnet34", encoder_weights=None, classes=3)
    theirs.check_input_shape = lambda x: None  # it wants multiples of 32, though its decoder does not
    x = vision.images(2, 3, 75, 50)
    theirs = randomise(theirs)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
@pytest.mark.parametrize("name", ["transposed", "nearest"])
def test_every_size_comes_out_as_it_went_in(name, height, width):
    with torch.no_grad():
        y = MODELS[name].eval()(vision.images(1, 3, height, width))
    assert y.shape == (1, 2, height, width) and y.isfinite().all()


MODELS = {
    "transposed": TINY(num_classes=2),
    "nearest": UNet(2, backbone=partial(ConvNeXt, dim=4, depths=(1, 1, 1)), dim=4, upsample=NearestUpsample),
}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70))
@pytest.mark.parametrize("upsample", [NearestUpsample, TransposedConv])
def test_aligns_at_every_size(upsample, height, width):
    """With convolutions that only average channels, each pixel is a mean of what lies over it on every scale."""
    model = UNet(1, 1, backbone=partial(UNetEncoder, dim=1, depth=3), dim=1, upsample=upsample).eval()
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.ConvTranspose2d):
                m.weight.fill_(1 / m.in_channels)
            elif isinstance(m, nn.Conv2d):
                m.weight.zero_()[:, :, m.kernel_size[0] // 2, m.kernel_size[1] // 2] = 1 / m.in_channels
        model.head.bias.zero_()
        x = vision.images(1, 1, height, width).abs()
        scores = model(x)
    half = nn.functional.max_pool2d(x, 2, ceil_mode=True)
    quarter = nn.functional.max_pool2d(half, 2, ceil_mode=True)
    from_below, skipped = (4, 2) if upsample is NearestUpsample else (2, 2)  # channels, as they are put together
    middle = (from_below * doubled(quarter, half) + skipped * half) / (from_below + skipped)
    from_below, skipped = (2, 1) if upsample is NearestUpsample else (1, 1)
    expected = (from_below * doubled(middle, x) + skipped * x) / (from_below + skipped)
    torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-4)  # batch norm's ε is in the scores


def doubled(coarse: Tensor, like: Tensor) -> Tensor:
    return coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, : like.shape[2], : like.shape[3]]


def test_any_size_and_channels():
    contract.check_sizes(TINY, [(8, 8), (9, 13), (1, 5)])
    convnext = partial(ConvNeXt, dim=4, depths=(1, 1, 1))
    contract.check_sizes(partial(UNet, backbone=convnext, dim=4), [(33, 17)], in_channels=[2])


def test_works_everywhere():
    contract.check_everywhere(TINY, 24)
    contract.check_independent_of_batch(TINY(), 16)


def test_ejects():
    contract.check_ejects(UNet, {"backbone": {"unet_encoder": {"dim": 4, "depth": 3}}, "dim": 4, "num_classes": 2})
    contract.check_ejects(UNet, {"backbone": {"vit": {"dim": 24, "depth": 2}}, "dim": 4, "num_classes": 2})


def test_slots_take_other_blocks():
    backbone = partial(ViT, dim=24, depth=2, patch_size=8)
    model = UNet(2, backbone=backbone, dim=4, upsample=BilinearUpsample, activation=nn.SiLU)
    assert model.pyramid.strides == [4, 8, 16, 32] and model.pyramid.channels == [12, 24, 24, 24]
    assert model(vision.images(2, 3, 30, 50)).shape == (2, 2, 30, 50)
