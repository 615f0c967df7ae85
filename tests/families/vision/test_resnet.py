"""ResNet is torchvision's and pytorchcv's ResNet, and keeps the promises of a backbone."""

from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.residual2d import BasicBlock, Bottleneck
from netwright.blocks.stem import PatchStem, SmallStem
from netwright.families.vision.resnet import PRESETS, ResNet
from netwright.weights.maps import resnet as maps
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, copy_by_order, count, randomise, tensors
from tests.references import pytorchcv, timm, torchvision

SMALL = partial(ResNet, dim=8, depths=(1, 2, 1), block=BasicBlock, stem=SmallStem)
NECK = partial(ResNet, dim=8, depths=(1, 1, 2, 1))


def preset(name: str, **args) -> nn.Module:
    return build(ResNet, PRESETS[name]["args"] | args, **PRESETS[name].get("inputs", {}))


def test_every_preset_has_the_published_count():
    check_counts(ResNet, PRESETS)


def test_the_default_is_resnet50():
    with torch.device("meta"):
        assert count(ResNet()) == PRESETS["50"]["params"]


COUNTED = [
    *[(torchvision, f"resnet{depth}", depth) for depth in ("18", "34", "50", "101", "152")],
    *[(torchvision, name, name) for name in ("resnext50_32x4d", "resnext101_64x4d", "resnext101_32x8d")],
    *[(torchvision, f"wide_resnet{depth}_2", f"wide{depth}_2") for depth in ("50", "101")],
    (pytorchcv, "resnet50", "50_v1"),
    *[(pytorchcv, f"resnet{depth}_cifar10", depth) for depth in ("20", "1202")],
    *[(timm, f"legacy_seresnet{depth}", f"se{depth}_v1") for depth in ("50", "152")],
    (timm, "resnext101_32x4d", "resnext101_32x4d"),
    (pytorchcv, "seresnet50b", "se50"),
]


@pytest.mark.parametrize("package, theirs, name", COUNTED, ids=[name for _, name, _ in COUNTED])
def test_counts_are_the_references(package, theirs, name):
    with torch.device("meta"):
        if package is torchvision:
            reference = getattr(torchvision().models, theirs)()
        else:
            reference = (timm().create_model if package is timm else pytorchcv().get_model)(theirs)
    assert count(reference) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name, theirs", [("18", "resnet18"), ("50", "resnet50"), ("resnext50_32x4d",) * 2])
def test_same_as_torchvision(name, theirs, train):
    ours, theirs = preset(name), randomise(getattr(torchvision().models, theirs)())
    x = contract.images(2, 3, 75, 64)
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(
    "name, theirs",
    [("20", "resnet20_cifar10"), ("50_v1", "resnet50"), ("se50", "seresnet50b"), ("se50_v1", "seresnet50")],
)
def test_same_as_pytorchcv(name, theirs, train):
    ours, theirs = preset(name), randomise(pytorchcv().get_model(theirs))
    shapes = {key: x.shape for key, x in tensors(ours).items()}
    mapping = copy_by_map(ours, theirs, maps.pytorchcv(shapes))
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # it pools 7 × 7 pixels, not whatever there is
    assert_same(ours, theirs, contract.images(2, 3, 64, 64), mapping, train=train)
    assert count(theirs) == PRESETS[name]["params"]


def test_feature_maps():
    contract.check_features(SMALL(), 32)
    contract.check_features(NECK(), 64)
    assert SMALL().strides == [1, 2, 4] and NECK().strides == [2, 4, 8, 16, 32]
    assert SMALL().channels == [8, 16, 32] and NECK().channels == [8, 32, 64, 128, 256]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)])
    contract.check_sizes(NECK, [(8, 8), (33, 47)], in_channels=[2])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_everywhere(NECK, 32)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_slots_take_other_blocks():
    stem = partial(PatchStem, patch_size=2)
    model = SMALL(num_classes=3, stem=stem, norm=partial(GroupNorm, num_groups=4), activation=nn.SiLU)
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU)) for m in model.modules())
    assert model(contract.images(1, 3, 8, 8)).shape == (1, 3)  # no batch statistics: a batch of one trains
    assert model.strides == [2, 4, 8]


def test_dim_and_depths_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(1, 12)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depths=(1, 1))) < count(SMALL(depths=(1, 2))) < count(SMALL(depths=(1, 2, 1)))


def test_dropout_acts_before_the_head():
    torch.manual_seed(0)
    model, x = SMALL(dropout=0.5), contract.images(2, 3, 8, 8)
    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))


def test_bottleneck_refuses_groups_that_do_not_divide():
    with pytest.raises(ValueError, match="multiple of groups=3"):
        ResNet(dim=8, block=partial(Bottleneck, groups=3))
