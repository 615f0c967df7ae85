"""FTTransformer is the one of the authors' package rtdl_revisiting_models."""

import importlib
import re
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.mixer.attention import Attention
from netwright.blocks.numeric import LinearEmbedding, Periodic, PiecewiseLinear, Raw
from netwright.families.tabular.ft_transformer import PRESETS, FTTransformer
from tests.families.presets import build, check_counts
from tests.families.tabular import contract
from tests.parity import Keys, assert_same, copy_by_map, count, randomise

rtdl = importlib.import_module("rtdl_revisiting_models")
SMALL = partial(FTTransformer, dim=16, depth=2, mixer=partial(Attention, num_heads=2))


class GateFirst(nn.Module):
    """rtdl's ReGLU takes its second half as the gate, ours the first: the same but for the units' order."""

    def __init__(self, reglu: nn.Module):
        super().__init__()
        self.reglu = reglu

    def forward(self, x: Tensor) -> Tensor:
        return self.reglu(x.roll(x.shape[-1] // 2, -1))


def reference(num_features: int, cardinalities: list[int], depth: int) -> nn.Module:
    args = rtdl.FTTransformer.get_default_kwargs(depth)
    args |= {"attention_dropout": 0.0, "ffn_dropout": 0.0}
    theirs = rtdl.FTTransformer(n_cont_features=num_features, cat_cardinalities=cardinalities, d_out=2, **args)
    for block in theirs.backbone.blocks:
        block["ffn"].activation = GateFirst(block["ffn"].activation)
    return randomise(theirs)


def key(name: str) -> Keys:
    if name == "categorical.embedding.weight":
        return tuple(f"cat_embeddings.embeddings.{j}.weight" for j in range(2))
    if ".qkv." in name:
        i, leaf = name.split(".")[1], name.rpartition(".")[2]
        return tuple(f"backbone.blocks.{i}.attention.W_{part}.{leaf}" for part in "qkv")
    names = {
        "class_token": "cls_embedding.weight",
        "numeric.": "cont_embeddings.",
        "categorical.": "cat_embeddings.",
        ".norm1.": ".attention_normalization.",
        ".norm2.": ".ffn_normalization.",
        ".mixer.proj.": ".attention.W_out.",
        ".channel.fc": ".ffn.linear",
    }
    name = re.sub(r"^norm\.", "backbone.output.normalization.", name)
    name = re.sub(r"^head\.", "backbone.output.linear.", re.sub(r"^blocks\.", "backbone.blocks.", name))
    for ours, theirs in names.items():
        name = name.replace(ours, theirs)
    return name


def ours_without_dropout(num_features: int, cardinalities: list[int], depth: int) -> nn.Module:
    args = PRESETS[str(depth)]["args"]
    args = args | {"mixer": {"attention": {"num_heads": 8}}}
    args["channel"] = {"gatedfeedforward": args["channel"]["gatedfeedforward"] | {"dropout": 0.0}}
    return build(FTTransformer, args, num_features=num_features, cardinalities=cardinalities, num_classes=2)


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("depth", [1, 3])
def test_same_as_rtdl(depth, train):
    ours, theirs = ours_without_dropout(8, [3, 5], depth), reference(8, [3, 5], depth)
    mapping = copy_by_map(ours, theirs, key)
    # rtdl's last block computes the class token only, which is all that is read of it: no difference.
    assert_same(ours, theirs, contract.rows(16, 8, [3, 5]), mapping, train=train)


def test_same_as_rtdl_with_numbers_only():
    ours, theirs = ours_without_dropout(4, [], 2), reference(4, [], 2)
    assert_same(ours, theirs, (contract.rows(16, 4, [])[0], None), copy_by_map(ours, theirs, key))


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_rtdls(name):
    args = rtdl.FTTransformer.get_default_kwargs(int(name))
    with torch.device("meta"):
        theirs = rtdl.FTTransformer(n_cont_features=8, cat_cardinalities=[3, 5], d_out=1, **args)
    assert count(theirs) == PRESETS[name]["params"]


def test_every_preset_has_the_count():
    check_counts(FTTransformer, PRESETS)
    assert count(FTTransformer(8, [3, 5])) == PRESETS["3"]["params"]


@pytest.mark.parametrize("numeric", [LinearEmbedding, partial(PiecewiseLinear, num_bins=4), Periodic])
def test_contract(numeric):
    make = partial(SMALL, numeric=numeric)
    contract.check_columns(make)
    contract.check_everywhere(make)
    contract.check_state(make)
    contract.check_every_column_counts(randomise(make(4, contract.CARDINALITIES, 3)))


def test_numbers_must_become_tokens():
    with pytest.raises(ValueError, match="width 16, not 1"):
        SMALL(4, numeric=Raw)


def test_dim_and_depth_shrink_it():
    contract.check_shrinks(SMALL, range(2, 24, 2))
