"""ViT is timm's VisionTransformer, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.pooling import AttentionPool, MeanPool
from netwright.blocks.rotary import RoPE2D
from netwright.blocks.scale import LayerScale
from netwright.families.vision.vit import PRESETS, ViT
from netwright.weights.maps import vit as maps
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import timm

SMALL = partial(ViT, image_size=32, dim=16, depth=6, patch_size=8)
NAMES = {
    "tiny": "vit_tiny_patch16_224",
    "small": "vit_small_patch16_224",
    "small32": "vit_small_patch32_224",
    "base": "vit_base_patch16_224",
    "base32": "vit_base_patch32_224",
    "large": "vit_large_patch16_224",
    "large32": "vit_large_patch32_224",
    "huge14": "vit_huge_patch14_224",
}


def reference(**overrides) -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 6, "num_heads": 1, "num_classes": 7}
    return randomise(timm().models.vision_transformer.VisionTransformer(**(args | overrides)))


def test_every_preset_has_the_published_count():
    assert NAMES.keys() == PRESETS.keys()
    check_counts(ViT, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_timms(name):
    with torch.device("meta"):
        assert count(timm().create_model(NAMES[name], num_classes=1000)) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_timm(train):
    ours, theirs = SMALL(num_classes=7), reference()
    assert_same(ours, theirs, contract.images(3, 3, 32, 32), copy_by_map(ours, theirs, maps.timm), train=train)


def test_the_preset_tiny_is_timms():
    ours, theirs = build(ViT, PRESETS["tiny"]["args"]), randomise(timm().create_model(NAMES["tiny"]))
    assert_same(ours, theirs, contract.images(1, 3, 224, 224), copy_by_map(ours, theirs, maps.timm))


@pytest.mark.parametrize("size", [(40, 32), (16, 64), (33, 47), (8, 5)])
def test_other_sizes_are_timms(size):
    """Interpolated positions, padded sides."""
    ours, theirs = SMALL(num_classes=7), reference(dynamic_img_size=True, dynamic_img_pad=True)
    assert_same(ours, theirs, contract.images(2, 3, *size), copy_by_map(ours, theirs, maps.timm))


def test_slots_are_timms():
    ours = SMALL(num_classes=7, scale=LayerScale, channel=partial(GatedFeedForward, activation=nn.SiLU, mlp_ratio=2))
    theirs = reference(init_values=1e-6, mlp_layer=packed_swiglu, mlp_ratio=4)
    assert_same(ours, theirs, contract.images(2, 3, 32, 32), copy_by_map(ours, theirs, maps.timm))


def packed_swiglu(**args) -> nn.Module:
    return timm().layers.GluMlp(**args | {"act_layer": nn.SiLU, "gate_last": False})


def test_features_are_timms():
    ours, theirs = SMALL(num_classes=7).eval(), reference().eval()
    copy_by_map(ours, theirs, maps.timm)
    x = contract.images(2, 3, 32, 32)
    indices = [1, 2, 4, 5]  # after 1.5, 3, 4.5 and 6 blocks, rounded up
    expected = theirs.forward_intermediates(x, indices=indices, intermediates_only=True)
    for a, b in zip(ours.features(x), expected, strict=True):
        assert b.std() > 0
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("depth", "maps"), [(1, 1), (2, 2), (3, 3), (4, 4), (12, 4)])
def test_feature_maps(depth, maps):
    model = SMALL(depth=depth)
    assert model.channels == [16] * maps and model.strides == [8] * maps
    contract.check_features(model, 32)
    assert [tuple(x.shape[2:]) for x in model.features(contract.images(1, 3, 17, 30))] == [(3, 4)] * maps


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(32, 32), (17, 40), (1, 3)])
    contract.check_sizes(partial(SMALL, image_size=28, patch_size=16), [(28, 28)], in_channels=[1])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 32)
    turned = partial(Attention, position=RoPE2D)
    contract.check_everywhere(partial(SMALL, depth=2, pooling=MeanPool, mixer=turned), 30)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 32)
    contract.check_independent_of_batch(randomise(SMALL()), 32)


def test_dropout_acts_in_training_only():
    model, x = SMALL(dropout=0.5), contract.images(2, 3, 32, 32)
    assert torch.equal(model.eval()(x), model.eval()(x))
    assert not torch.equal(model.train()(x), model.train()(x))


def test_poolings_see_every_token():
    for pooling in (MeanPool, AttentionPool):
        model = SMALL(num_classes=3, pooling=pooling, depth=0)  # without blocks, tokens do not mix
        x = contract.images(1, 3, 32, 32).requires_grad_()
        model(x).square().sum().backward()
        assert (x.grad.abs().amax(1) > 0).all()


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(4, 40, 4)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2)) < count(SMALL(depth=6))
