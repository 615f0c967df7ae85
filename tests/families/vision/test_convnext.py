"""ConvNeXt (V1 and V2) is timm's, V1 is torchvision's too, and both keep the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.channel.gated import GatedFeedForward
from netwright.blocks.norm import GlobalResponseNorm
from netwright.blocks.scale import Identity
from netwright.blocks.stem import PatchStem, SmallStem
from netwright.export import eject_source
from netwright.families.vision.convnext import PRESETS, ConvNeXt
from netwright.weights.maps import convnext as maps
from tests.export.networks import assert_same as assert_ejected
from tests.families.presets import build, check_counts, resolve
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import timm, torchvision

SMALL = partial(ConvNeXt, dim=8, depths=(1, 2, 1), stem=partial(PatchStem, patch_size=1))
PATCH = partial(ConvNeXt, dim=8, depths=(1, 1, 2, 1))
V2 = partial(PATCH, channel=partial(FeedForward, norm=GlobalResponseNorm), scale=Identity)


def timm_name(preset: str) -> str:
    return f"convnext{preset}" if preset.startswith("v2") else f"convnext_{preset}"


def test_every_preset_has_the_published_count():
    check_counts(ConvNeXt, PRESETS)


def test_the_default_is_tiny():
    with torch.device("meta"):
        assert count(ConvNeXt()) == PRESETS["tiny"]["params"]


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_timms(name):
    with torch.device("meta"):
        assert count(timm().create_model(timm_name(name))) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["atto", "tiny", "v2_atto"])
def test_same_as_timm(name, train):
    ours = build(ConvNeXt, PRESETS[name]["args"])
    theirs = randomise(timm().create_model(timm_name(name)))
    x = contract.images(2, 3, 67, 64)  # 67: the last three rows belong to no patch
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, maps.timm), train=train)


def test_same_as_torchvision():
    reference = torchvision().models.convnext_tiny(stochastic_depth_prob=0.0)
    ours, theirs = ConvNeXt(), randomise(reference, seed=1)
    assert count(theirs) == PRESETS["tiny"]["params"]
    x = contract.images(2, 3, 64, 75)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, maps.torchvision))


def test_feature_maps():
    contract.check_features(SMALL(), 16)
    contract.check_features(PATCH(), 64)
    assert SMALL().strides == [1, 2, 4] and PATCH().strides == [4, 8, 16, 32]
    assert SMALL().channels == [8, 16, 32] and PATCH().channels == [8, 16, 32, 64]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    contract.check_sizes(PATCH, [(8, 8), (3, 50)], in_channels=[2])
    contract.check_sizes(V2, [(8, 8), (3, 50)], in_channels=[2])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_everywhere(PATCH, 32)
    contract.check_everywhere(V2, 32)


def test_drop_path_and_batches():
    # The first layer scale is 1e-6: a dropped branch would not show.
    contract.check_drop_path(partial(SMALL, scale=Identity), 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)
    contract.check_independent_of_batch(randomise(V2()), 32)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, stem=SmallStem, channel=GatedFeedForward, norm=nn.RMSNorm, scale=Identity)
    assert not any(isinstance(m, (nn.LayerNorm, nn.GELU)) for m in model.modules())
    assert model(contract.images(2, 3, 8, 8)).shape == (2, 3)


def test_maps_stay_channels_last():
    for x in SMALL().eval().features(contract.images(2, 3, 16, 16)):
        assert x.is_contiguous(memory_format=torch.channels_last)


def test_dim_and_depths_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(1, 12)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depths=(1, 1))) < count(SMALL(depths=(1, 2))) < count(SMALL(depths=(1, 2, 1)))


def test_v2_ejects():
    args = resolve(ConvNeXt, PRESETS["v2_atto"]["args"] | {"dim": 8, "depths": [1, 2], "num_classes": 5})
    source = eject_source(ConvNeXt, args)
    assert_ejected(source, partial(ConvNeXt, **args), {"x": contract.images(2, 3, 16, 20)})
    assert "class GlobalResponseNorm" in source and "LayerScale" not in source
