"""DARTS is pytorchcv's network of DARTS cells, and keeps the promises of a backbone."""

import importlib
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.norm2d import GroupNorm
from netwright.blocks.pooling2d import MaxPool2d
from netwright.blocks.stem import SmallStem
from netwright.design import Spec, build
from netwright.export import eject_source
from netwright.families.vision.darts import DARTS, NORMAL, PRESETS, REDUCTION
from tests.export import networks
from tests.families.presets import check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_order, count, randomise
from tests.references import pytorchcv

SMALL = partial(DARTS, dim=4, depth=3, stem=SmallStem, stem_ratio=2)
NARROW = partial(DARTS, dim=4, depth=3)


class ForCifar(nn.Module):
    """Section 3.3 in a few lines, from pytorchcv's cells: 20 of them, the seventh and the fourteenth reduce."""

    def __init__(self, dim: int, depth: int):
        super().__init__()
        pytorchcv()
        cell = importlib.import_module("pytorchcv.models.darts").DartsUnit
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * dim, 3, padding=1, bias=False), nn.BatchNorm2d(3 * dim))
        self.cells = nn.ModuleList()
        older, newer, shrunk = 3 * dim, 3 * dim, False
        for i in range(depth):
            reduce = i in (depth // 3, 2 * depth // 3)
            dim = 2 * dim if reduce else dim
            genotype = list(REDUCTION if reduce else NORMAL)
            self.cells.append(cell(newer, older, 4 * dim, genotype, reduce, shrunk))
            older, newer, shrunk = newer, 4 * dim, reduce
        self.head = nn.Linear(newer, 10)

    def forward(self, x: Tensor) -> Tensor:
        older = newer = self.stem(x)
        for cell in self.cells:
            older, newer = newer, cell(newer, older)
        return self.head(newer.mean((2, 3)))


def test_every_preset_has_the_published_count():
    check_counts(DARTS, PRESETS)
    with torch.device("meta"):
        assert count(pytorchcv().get_model("darts")) == count(DARTS()) == PRESETS["imagenet"]["params"]
        assert count(ForCifar(36, 20)) == PRESETS["cifar10"]["params"]
    assert round(PRESETS["cifar10"]["params"], -5) == 3_300_000  # table 1
    assert round(PRESETS["imagenet"]["params"], -5) == 4_700_000  # table 3


def assert_equal(ours: nn.Module, theirs: nn.Module, x: Tensor) -> None:
    """In eval in single precision; in training in double, more strictly, since rounding turns some ReLU there."""
    mapping = copy_by_order(ours, theirs, x)
    assert_same(ours, theirs, x, mapping)
    assert_same(ours.double(), theirs.double(), x.double(), mapping, train=True, tolerance=1e-10)


def test_same_as_pytorchcv():
    ours, theirs = DARTS(), randomise(pytorchcv().get_model("darts"))
    theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)  # it pools 7 × 7 pixels, not whatever there is
    assert_equal(ours, theirs, contract.images(2, 3, 64, 96))


def test_cifar_form_is_that_of_the_paper():
    ours, theirs = DARTS(10, dim=6, depth=20, stem=SmallStem, stem_ratio=3), randomise(ForCifar(6, 20))
    assert_equal(ours, theirs, contract.images(4, 3, 16, 16))


def test_feature_maps():
    contract.check_features(NARROW(), 64)
    contract.check_features(SMALL(), 32)
    assert NARROW().strides == [2, 4, 8, 16, 32] and NARROW().channels == [2, 4, 16, 32, 64]
    assert SMALL().strides == [1, 2, 4] and SMALL().channels == [16, 32, 64]


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(8, 8), (9, 13), (1, 5)], in_channels=[1, 3])
    contract.check_sizes(NARROW, [(8, 8), (33, 47)], in_channels=[2])


@pytest.mark.slow
def test_works_everywhere():
    contract.check_headless(NARROW, 33)
    contract.check_everywhere(SMALL, 9)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 8)
    contract.check_independent_of_batch(randomise(SMALL()), 8)


def test_slots_take_other_blocks():
    model = SMALL(num_classes=3, norm=GroupNorm, activation=nn.SiLU, pooling=MaxPool2d)
    inner = [m for name, m in model.named_modules() if not name.startswith("stem")]
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU)) for m in inner)
    assert model.eval()(contract.images(1, 3, 8, 8)).shape == (1, 3)


def test_a_genotype_from_a_file():
    """Another published cell, P-DARTS' (arXiv:1904.12760), as a design file says it."""
    normal = [["skip_connect", 0], ["dil_conv_3x3", 1], ["skip_connect", 0], ["sep_conv_3x3", 1]]
    normal += [["sep_conv_3x3", 1], ["sep_conv_3x3", 3], ["sep_conv_3x3", 0], ["dil_conv_5x5", 4]]
    reduction = [["avg_pool_3x3", 0], ["sep_conv_5x5", 1], ["sep_conv_3x3", 0], ["dil_conv_5x5", 2]]
    reduction += [["max_pool_3x3", 0], ["dil_conv_3x3", 1], ["dil_conv_3x3", 1], ["dil_conv_5x5", 3]]
    sizes = {"dim": 36, "depth": 20, "stem": "smallstem", "stem_ratio": 3, "num_classes": 10}
    with torch.device("meta"):
        model = build(Spec("darts", sizes | {"normal_cell": normal, "reduction_cell": reduction}))
    assert round(count(model), -5) == 3_400_000  # their table 1


@pytest.mark.parametrize(
    "edges, message",
    [
        ([("sep_conv_3x3", 0)], "two edges for each new state, got 1 edges"),
        ([("sep_conv_3x3", 0), ("skip_connect", 2)], r"edge 1 \(skip_connect\) reads state 2, but only 0 to 1"),
        ([("sep_conv_9x9", 0), ("skip_connect", 1)], "there is no operation 'sep_conv_9x9'"),
        ([("conv_3x3", 0), ("skip_connect", 1)], "there is no operation 'conv_3x3'"),
    ],
)
def test_wrong_genotypes(edges, message):
    with pytest.raises(ValueError, match=message):
        SMALL(normal_cell=edges)


def test_ejects_to_one_file():
    args = {"num_classes": 5, "dim": 4, "depth": 3}
    source = eject_source(DARTS, args)
    assert "netwright" not in source
    networks.assert_same(source, lambda: DARTS(**args), {"x": contract.images(2, 3, 33, 33)})


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(2, 10)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=3)) < count(SMALL(depth=4)) < count(SMALL(depth=5))
