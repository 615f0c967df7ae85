"""SegFormer is transformers' SegFormer."""

from functools import partial

import pytest
import torch

from netwright.families.segmentation.segformer import PRESETS, SegFormer
from netwright.families.vision.mit import PRESETS as MIT
from netwright.families.vision.mit import MixTransformer
from netwright.weights.maps import segformer
from tests.families.presets import check_counts
from tests.families.segmentation import contract, references
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_map, count, randomise

SMALL = partial(SegFormer, backbone=partial(MixTransformer, dim=4, depths=(1, 1, 1, 1)), dim=8, dropout=0.0)


def their_key(key: str) -> str:
    return f"model.{segformer.transformers(key)}"


def test_every_preset_has_the_published_count():
    check_counts(SegFormer, PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_transformers(name):
    backbone = MIT[name]["args"]
    with torch.device("meta"):
        theirs = references.SegFormer(150, backbone["dim"], backbone["depths"], PRESETS[name]["args"]["dim"])
    assert count(theirs) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
def test_same_as_transformers(train):
    """Gradients in double precision: those of small queries and keys, and of biases before a norm, almost cancel."""
    theirs = randomise(references.SegFormer(5, 8, [1, 1, 2, 1], 16))
    ours = SegFormer(5, backbone=partial(MixTransformer, dim=8, depths=(1, 1, 2, 1)), dim=16, dropout=0.0)
    mapping, x = copy_by_map(ours, theirs, their_key), images(3, 3, 75, 50)
    with torch.no_grad():
        expected = theirs.eval()(x)
        assert (ours.eval()(x) - expected).abs().max() < 1e-5 * expected.abs().max()
    assert_same(ours.double(), theirs.double(), x.double(), mapping, train=train, tolerance=1e-8)


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(33, 47), (64, 20)], in_channels=[1, 5])


def test_works_everywhere():
    contract.check_everywhere(SMALL, 64)
    contract.check_independent_of_batch(SMALL(), 48)


def test_ejects():
    backbone = {"mit": {"dim": 4, "depths": [1, 1, 1, 1]}}
    contract.check_ejects(SegFormer, {"backbone": backbone, "dim": 8, "num_classes": 2})
