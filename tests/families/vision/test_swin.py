"""Swin is torchvision's and timm's SwinTransformer, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.patch_merging import PatchMerging
from netwright.blocks.scale import LayerScale
from netwright.blocks.stem import PatchStem
from netwright.families.vision.swin import PRESETS, Swin
from netwright.weights.maps import swin
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import timm, torchvision

SMALL = partial(Swin, dim=8, depths=(2, 2), head_dim=4, window_size=4, stem=partial(PatchStem, patch_size=2))


def reference(**overrides) -> nn.Module:
    args = {"patch_size": [4, 4], "embed_dim": 16, "depths": [2, 2, 3], "num_heads": [1, 2, 4], "num_classes": 7}
    args |= {"window_size": [7, 7], "stochastic_depth_prob": 0.0}
    return randomise(torchvision().models.swin_transformer.SwinTransformer(**(args | overrides)))


def test_every_preset_has_the_published_count():
    check_counts(Swin, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_torchvisions_and_timms(name):
    with torch.device("meta"):
        assert count(timm().create_model(f"swin_{name}_patch4_window7_224")) == PRESETS[name]["params"]
        if name != "large":
            assert count(getattr(torchvision().models, f"swin_{name[0]}")()) == PRESETS[name]["params"]
        assert str(Swin()) == str(Swin(**PRESETS["tiny"]["args"]))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("size", [(75, 66), (112, 57)])
def test_same_as_torchvision(size, train):
    """Maps of 18 × 16 and 28 × 14 cells: padded, shifted along one side, and smaller than a window."""
    ours, theirs = Swin(num_classes=7, dim=16, depths=(2, 2, 3), head_dim=16), reference()
    x = contract.images(2, 3, *size)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, swin.torchvision), train=train)


def test_the_preset_tiny_is_torchvisions():
    ours, theirs = Swin(), randomise(torchvision().models.swin_t())
    assert_same(ours, theirs, contract.images(1, 3, 75, 61), copy_by_map(ours, theirs, swin.torchvision))


def test_same_as_timm():
    args = {"img_size": 112, "embed_dim": 16, "depths": (2, 2), "num_heads": (1, 2), "num_classes": 7}
    ours = Swin(num_classes=7, dim=16, depths=(2, 2), head_dim=16)
    theirs = randomise(timm().models.swin_transformer.SwinTransformer(**args, drop_path_rate=0.0))
    x = contract.images(2, 3, 112, 112)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, swin.timm), train=True)


def test_feature_maps_are_timms():
    reference = timm().create_model("swin_tiny_patch4_window7_224", features_only=True)
    with torch.device("meta"):
        model = Swin()
    assert model.channels == reference.feature_info.channels()
    assert model.strides == reference.feature_info.reduction()


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    model = Swin(dim=8, depths=(1, 1, 1, 1))
    contract.check_features(model, 64)
    assert model.strides == [4, 8, 16, 32] and model.channels == [8, 16, 32, 64]
    assert [tuple(x.shape[2:]) for x in model.features(contract.images(1, 3, 37, 50))] == [
        (9, 12),
        (5, 6),
        (3, 3),
        (2, 2),
    ]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(16, 16), (17, 31), (1, 3)])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(SMALL, 20)
    contract.check_everywhere(partial(SMALL, depths=(2, 1)), 20)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 20)


def test_the_receptive_field_grows_by_shifted_windows():
    """After one block a patch knows its window; after the shifted one it knows the neighbouring windows."""
    stem = partial(PatchStem, patch_size=2)
    for depth, seen in ((1, (8, 16)), (2, (8, 24))):
        model = randomise(Swin(in_channels=1, dim=8, depths=(depth,), window_size=4, stem=stem))
        x = contract.images(1, 1, 32, 32).requires_grad_()
        model.features(x)[0][0, :, 6, 6].sum().backward()
        rows = (x.grad[0, 0].abs().amax(1) > 0).nonzero().flatten()
        assert (int(rows.min()), int(rows.max()) + 1) == seen


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, channel=GatedFeedForward, norm=nn.RMSNorm, scale=LayerScale)
    assert not any(isinstance(m, nn.LayerNorm) for m in model.modules())
    assert model(contract.images(1, 3, 16, 16)).shape == (1, 3)


def test_dropout_acts_in_training_only():
    model, x = SMALL(dropout=0.5), contract.images(2, 3, 16, 16)
    assert torch.equal(model.eval()(x), model.eval()(x))
    assert not torch.equal(model.train()(x), model.train()(x))


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(8, 40, 8)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depths=(1, 1))) < count(SMALL(depths=(1, 2))) < count(SMALL(depths=(2, 3)))


@pytest.mark.parametrize("size", [(4, 6), (5, 3), (1, 1)])
def test_patch_merging_by_hand(size):
    model = randomise(PatchMerging(2, norm=nn.Identity))
    x = torch.randn(2, *size, 2)
    whole = torch.zeros(2, 6, 6, 2)
    whole[:, : size[0], : size[1]] = x
    y = model(x)
    assert y.shape == (2, -(-size[0] // 2), -(-size[1] // 2), 4)
    i, j = y.shape[1] - 1, y.shape[2] - 1
    patch = torch.cat([whole[1, 2 * i + a, 2 * j + b] for a, b in [(0, 0), (1, 0), (0, 1), (1, 1)]])
    torch.testing.assert_close(y[1, i, j], model.proj.weight @ patch)
