"""MLP-Mixer is timm's, and keeps the promises of a backbone on images of its own size."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.mixer.token_mixing import TokenMixing
from netwright.blocks.pooling import AttentionPool
from netwright.families.vision.mlp_mixer import PRESETS, MLPMixer
from netwright.weights.maps import mlp_mixer
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import timm

SMALL = partial(MLPMixer, image_size=32, dim=16, depth=6, patch_size=8)


def reference() -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "num_blocks": 6, "num_classes": 7}
    return randomise(timm().models.mlp_mixer.MlpMixer(**args))


def test_every_preset_has_the_published_count():
    check_counts(MLPMixer, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_timms(name):
    with torch.device("meta"):
        model = timm().create_model(f"mixer_{name}_224", num_classes=1000)
    assert count(model) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_timm(train):
    ours, theirs = SMALL(num_classes=7), reference()
    assert_same(ours, theirs, contract.images(3, 3, 32, 32), copy_by_map(ours, theirs, mlp_mixer.timm), train=train)


def test_the_preset_s32_is_timms():
    ours, theirs = build(MLPMixer, PRESETS["s32"]["args"]), randomise(timm().create_model("mixer_s32_224"))
    assert_same(ours, theirs, contract.images(1, 3, 224, 224), copy_by_map(ours, theirs, mlp_mixer.timm))


def test_features_are_timms():
    ours, theirs = SMALL(num_classes=7).eval(), reference().eval()
    copy_by_map(ours, theirs, mlp_mixer.timm)
    x = contract.images(2, 3, 32, 32)
    expected = theirs.forward_intermediates(x, indices=[1, 2, 4, 5], intermediates_only=True)
    for a, b in zip(ours.features(x), expected, strict=True):
        assert b.std() > 0
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("depth", "maps"), [(1, 1), (3, 3), (12, 4)])
def test_feature_maps(depth, maps):
    model = SMALL(depth=depth)
    assert model.channels == [16] * maps and model.strides == [8] * maps
    contract.check_features(model, 32)


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(32, 32)])
    for size in (1, 17, 33):
        contract.check_sizes(partial(SMALL, image_size=size), [(size, size)], in_channels=[1])


def test_other_sizes_than_its_own_are_refused():
    with pytest.raises(ValueError, match="4 × 6 patches, but weights for 4 × 4: resize the images to 32 pixels"):
        SMALL()(contract.images(1, 3, 32, 48))
    with pytest.raises(ValueError, match="image_size"):
        SMALL().features(contract.images(1, 3, 16, 16))


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 32)
    contract.check_everywhere(partial(SMALL, image_size=20, depth=2), 20)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 32)
    contract.check_independent_of_batch(randomise(SMALL()), 32)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, channel=GatedFeedForward, norm=nn.RMSNorm, pooling=AttentionPool)
    assert not any(isinstance(m, nn.LayerNorm) for m in model.modules())
    assert model(contract.images(1, 3, 32, 32)).shape == (1, 3)


def test_dim_depth_and_image_size_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(2, 40, 2)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2)) < count(SMALL())
    assert count(SMALL(image_size=16)) < count(SMALL(image_size=24))


def test_token_mixing_by_hand():
    model = randomise(TokenMixing(6, num_tokens=5))
    assert model.fc1.weight.shape == (3, 5)
    x = torch.randn(2, 5, 6)
    y = model(x)
    for channel in range(6):
        torch.testing.assert_close(y[1, :, channel], model.fc2(model.act(model.fc1(x[1, :, channel]))))


def test_fewer_tokens_count_as_filled_up_with_zeros():
    model = randomise(TokenMixing(6, num_tokens=5))
    x = torch.randn(2, 5, 6)
    mask = torch.tensor([True, True, True, False, False]).expand(2, -1)
    expected = model(x * mask.unsqueeze(-1))[:, :3]
    torch.testing.assert_close(model(x[:, :3]), expected)
    torch.testing.assert_close(model(x, mask)[:, :3], expected)
    with pytest.raises(ValueError, match="give num_tokens=6"):
        model(torch.zeros(1, 6, 6))
