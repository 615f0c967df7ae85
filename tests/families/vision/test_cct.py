"""CCT is vit-pytorch's CCT, and keeps the promises of a backbone."""

import importlib
import re
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.pooling import MeanPool
from netwright.families.vision.cct import CCT, PRESETS
from tests.families.presets import build, check_counts
from tests.families.vision import contract
from tests.parity import assert_same, copy_by_map, count, randomise
from tests.references import torchvision

SMALL = partial(CCT, image_size=16, dim=16, depth=6)


def reference(name: str, **args) -> nn.Module:
    torchvision()
    package = importlib.import_module("vit_pytorch.cct")
    off = {"dropout_rate": 0.0, "attention_dropout": 0.0, "stochastic_depth_rate": 0.0}
    return getattr(package, name)(positional_embedding="learnable", **off, **args)


def key(name: str) -> str:
    name = re.sub(r"^tokenizer\.layers\.(\d+)\.", lambda m: f"tokenizer.conv_layers.{int(m[1]) // 3}.0.", name)
    names = {
        "position.weight": "classifier.positional_emb",
        "pool.score.": "classifier.attention_pool.",
        "head.": "classifier.fc.",
        ".norm2.": ".norm1.",
        ".mixer.": ".self_attn.",
        ".channel.fc": ".linear",
    }
    name = re.sub(r"^(blocks\.\d+)\.norm1", r"\1.pre_norm", name)
    for ours, theirs in names.items():
        name = name.replace(ours, theirs)
    return re.sub(r"^(blocks|norm)\.", r"classifier.\1.", name)


def test_every_preset_has_the_published_count():
    check_counts(CCT, PRESETS)
    # In millions, as the paper and its README print them.
    published = {"2_3x2": 0.284, "4_3x2": 0.482, "6_3x2": 3.327, "7_3x1": 3.760, "7_3x2": 3.853}
    for name, millions in published.items():
        assert round(PRESETS[name]["params"] / 1e6, 3) == millions


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_vit_pytorchs(name):
    depth, kernel_size, num_convs = map(int, re.split("_|x", name))
    inputs = PRESETS[name].get("inputs", {"image_size": 224, "num_classes": 1000})
    theirs = reference(
        f"cct_{depth}",
        img_size=inputs["image_size"],
        num_classes=inputs["num_classes"],
        kernel_size=kernel_size,
        n_conv_layers=num_convs,
    )
    assert count(theirs) == PRESETS[name]["params"]


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", ["2_3x2", "7_3x1"])
def test_same_as_vit_pytorch(name, train):
    depth, kernel_size, num_convs = map(int, re.split("_|x", name))
    theirs = reference(f"cct_{depth}", img_size=16, num_classes=10, kernel_size=kernel_size, n_conv_layers=num_convs)
    ours = build(CCT, PRESETS[name]["args"], image_size=16, num_classes=10)
    switch_off_dropout(ours)
    check_same(ours, theirs, contract.images(2, 3, 16, 16), train)


def check_same(ours: nn.Module, theirs: nn.Module, x: torch.Tensor, train: bool) -> None:
    """The score's bias has no effect, since softmax takes it out, so its gradient is rounding alone.

    In single precision that may differ by more; in double precision it is as small as the rest.
    """
    mapping = copy_by_map(ours, randomise(theirs), key)
    worst = assert_same(ours, theirs, x, mapping, train=train, tolerance=3e-4)
    assert worst["output"] < 1e-5
    assert_same(ours.double(), theirs.double(), x.double(), mapping, train=train, tolerance=1e-10)


def switch_off_dropout(model: nn.Module) -> None:
    for module in model.modules():
        if hasattr(module, "dropout"):
            module.dropout = 0.0
        if type(module).__name__ == "DropPath":
            module.p = 0.0


def test_wide_kernels_are_vit_pytorchs():
    theirs = reference("cct_2", img_size=50, num_classes=10, kernel_size=7, n_conv_layers=2)
    ours = build(CCT, PRESETS["2_3x2"]["args"], image_size=50, num_classes=10, kernel_size=7)
    check_same(ours, theirs, contract.images(2, 3, 50, 50), train=False)


def test_feature_maps():
    for kernel_size, num_convs, stride in [(3, 1, 2), (3, 2, 4), (7, 1, 4)]:
        model = SMALL(kernel_size=kernel_size, num_convs=num_convs)
        assert model.channels == [16] * 4 and model.strides == [stride] * 4
        contract.check_features(model, 16)
    assert [tuple(x.shape[2:]) for x in SMALL(depth=1).features(contract.images(1, 3, 9, 14))] == [(5, 7)]


def test_the_last_map_is_what_is_pooled():
    model = randomise(SMALL(num_classes=5)).eval()
    x = contract.images(2, 3, 16, 16)
    tokens = model.features(x)[-1].flatten(2).transpose(1, 2)
    torch.testing.assert_close(model.head(model.pool(model.norm(tokens))), model(x))


def test_any_size_and_channels():
    contract.check_sizes(SMALL, [(16, 16), (9, 21), (1, 3)])
    contract.check_sizes(partial(SMALL, image_size=8), [(8, 8)], in_channels=[1])


def test_works_everywhere():
    contract.check_headless(SMALL, 16)
    contract.check_everywhere(SMALL, 16)
    contract.check_everywhere(partial(SMALL, num_convs=2, pooling=MeanPool), 20)


def test_drop_path_and_batches():
    contract.check_drop_path(SMALL, 16)
    contract.check_independent_of_batch(randomise(SMALL()), 16)


def test_dim_and_depth_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(4, 40, 4)]
    assert counts == sorted(set(counts))
    wide = partial(FeedForward, mlp_ratio=4.0)
    assert count(SMALL(depth=1)) < count(SMALL(depth=6)) < count(SMALL(depth=6, channel=wide))
