"""NASNet is pytorchcv's and timm's NASNet-A, and keeps the promises of a backbone."""

import importlib
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.pooling2d import GeneralisedMeanPool2d
from netwright.blocks.stem import SmallStem
from netwright.export import eject_source
from netwright.families.vision.nasnet import PRESETS, NASNet, SameMaxPool2d, SameMeanPool2d
from netwright.weights.maps import nasnet
from tests.export import networks
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, copy_by_order, count, randomise, tensors
from tests.references import pytorchcv, timm

SMALL = partial(NASNet, dim=8, depth=1, stem=SmallStem, stem_dim=4, stem_cells=0, dropout=0.0)
NARROW = partial(NASNet, dim=8, depth=1, stem_dim=6, dropout=0.0)


def pytorchcv_nasnet(depth: int, stem_dim: int, *, large: bool) -> nn.Module:
    """Theirs with 8 channels. It is told in advance which maps have an odd size: see the sizes of the images."""
    pytorchcv()
    channels = [[48] * depth, [64] + [96] * depth, [128] + [192] * depth]
    reference = importlib.import_module("pytorchcv.models.nasnet").NASNet
    theirs = reference(channels, stem_dim, (8, 16), 7, not large, large, num_classes=10)
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # it pools 7 × 7 pixels, not whatever there is
    theirs.output.dropout = nn.Identity()
    return randomise(theirs)


def test_every_preset_has_the_published_count():
    check_counts(NASNet, PRESETS)
    with torch.device("meta"):
        assert count(pytorchcv().get_model("nasnet_4a1056")) == count(NASNet()) == PRESETS["mobile"]["params"]
        assert count(timm().create_model("nasnetalarge")) == PRESETS["large"]["params"]


@pytest.mark.parametrize("depth, large, size", [(1, False, (64, 96)), (2, True, (75, 43))])
def test_same_as_pytorchcv(depth, large, size):
    """In training in double precision, more strictly, since rounding turns some ReLU there."""
    ours = NASNet(10, dim=8, depth=depth, stem_dim=6, skip_reduction=large, dropout=0.0)
    theirs, x = pytorchcv_nasnet(depth, 6, large=large), contract.images(2, 3, *size)
    mapping = copy_by_order(ours, theirs, x)
    assert_same(ours, theirs, x, mapping)
    assert_same(ours.double(), theirs.double(), x.double(), mapping, train=True, tolerance=1e-10)


class MeanOfPixels(nn.Module):
    """TensorFlow's 3 × 3 average with stride 2, which counts no padding."""

    def forward(self, x: Tensor) -> Tensor:
        pads = [max(0, (-(-n // 2) - 1) * 2 + 3 - n) for n in reversed(x.shape[2:])]
        pads = [part for total in pads for part in (total // 2, total - total // 2)]
        return F.avg_pool2d(F.pad(x, pads), 3, 2) / F.avg_pool2d(F.pad(torch.ones_like(x), pads), 3, 2)


@pytest.mark.parametrize("size", [(75, 64), (33, 46)])
def test_same_as_timm(size):
    """At any size. timm's average counts the zeros that it pads with, which the authors' code does not."""
    theirs = randomise(timm().models.nasnet.NASNetALarge(10, stem_size=12, num_features=24 * 8))
    for cell in (theirs.cell_stem_0, theirs.cell_stem_1, theirs.reduction_cell_0, theirs.reduction_cell_1):
        cell.comb_iter_2_left = MeanOfPixels()
    ours = NASNet(10, dim=8, depth=6, stem_dim=12, skip_reduction=True, dropout=0.0)
    mapping = nasnet.timm({key: x.shape for key, x in tensors(ours).items()})
    assert_same(ours, theirs, contract.images(2, 3, *size), copy_by_map(ours, theirs, mapping))


@pytest.mark.parametrize("size", [(7, 8), (8, 5), (1, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_poolings_are_those_of_all_windows(size, stride):
    x = contract.images(2, 3, *size)
    whole = F.pad(x, (1, 2, 1, 2), value=torch.nan).unfold(2, 3, 1).unfold(3, 3, 1)  # every window, one at each pixel
    starts = [0 if stride == 1 or n % 2 else 1 for n in size]
    windows = whole[:, :, starts[0] : starts[0] + size[0] : stride, starts[1] : starts[1] + size[1] : stride].flatten(4)
    expected = windows.nanmean(-1)
    torch.testing.assert_close(SameMeanPool2d(3, stride, 1)(x), expected)
    torch.testing.assert_close(SameMaxPool2d(3, stride, 1)(x), windows.nan_to_num(-1e9).amax(-1))


def test_feature_maps():
    contract.check_features(NARROW(), 65)
    contract.check_features(SMALL(), 32)
    assert NARROW().strides == [2, 4, 8, 16, 32] and NARROW().channels == [6, 8, 48, 96, 192]
    assert SMALL().strides == [1, 2, 4] and SMALL().channels == [48, 96, 192]
    reference = timm().create_model("nasnetalarge", features_only=True)
    with torch.device("meta"):
        large = NASNet(dim=168, depth=1, stem_dim=96, skip_reduction=True)
    assert (large.channels, large.strides) == (reference.feature_info.channels(), reference.feature_info.reduction())


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)], in_channels=[1, 3])
    contract.check_sizes(NARROW, [(8, 8), (33, 47), (1, 2)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(NARROW, 33)
    contract.check_everywhere(partial(SMALL, dim=4), 8)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 8)
    contract.check_independent_of_batch(randomise(SMALL()), 8)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, norm=GroupNorm, activation=nn.SiLU, pooling=GeneralisedMeanPool2d)
    inner = [m for name, m in model.named_modules() if not name.startswith("stem")]
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU)) for m in inner)
    assert model.eval()(contract.images(1, 3, 8, 8)).shape == (1, 3)


def test_ejects_to_one_file():
    args = {"num_classes": 5, "dim": 8, "depth": 1, "stem_dim": 4}
    source = eject_source(NASNet, args)
    assert "netwright" not in source
    networks.assert_same(source, lambda: NASNet(**args), {"x": contract.images(2, 3, 33, 33)})


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(2, 10)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2))
