"""Categories as vectors, and whole rows of a table."""

import importlib

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.categorical import CategoricalTokens, CategoricalVectors, OneHot
from netwright.blocks.numeric import PiecewiseLinear
from netwright.blocks.table import TableVector
from tests.parity import assert_same, copy_by_map, randomise

rtdl = importlib.import_module("rtdl_revisiting_models")

CARDINALITIES = [3, 20, 2, 11]
CODES = torch.stack([torch.randperm(40, generator=torch.Generator().manual_seed(n)) % n for n in CARDINALITIES], 1)


class Scaled(nn.Module):
    """Times a number, since codes have no gradient to compare."""

    def __init__(self, module: nn.Module):
        super().__init__()
        self.module = module

    def forward(self, scale: Tensor, codes: Tensor) -> Tensor:
        return scale * self.module(codes)


def test_tokens_are_rtdls():
    ours, theirs = (
        Scaled(CategoricalTokens(CARDINALITIES, 6)),
        Scaled(rtdl.CategoricalEmbeddings(CARDINALITIES, 6)),
    )
    tables = tuple(f"module.embeddings.{j}.weight" for j in range(4))
    mapping = copy_by_map(ours, randomise(theirs), {"module.embedding.weight": tables, "module.bias": "module.bias"})
    assert [CODES[:, j].unique().numel() for j in range(4)] == CARDINALITIES  # each category occurs
    assert_same(ours, theirs, (torch.ones(1), CODES), mapping)


def test_one_hot():
    y = OneHot(CARDINALITIES)(CODES, torch.float32)
    expected = torch.cat([nn.functional.one_hot(CODES[:, j], n) for j, n in enumerate(CARDINALITIES)], 1)
    assert y.dtype == torch.float32 and torch.equal(y, expected.float())


def test_codes_out_of_range_are_unknown():
    strange = torch.tensor([[3, 20, -1, 999], [0, 0, 0, 0]])
    for model in (CategoricalTokens(CARDINALITIES, 6), OneHot(CARDINALITIES)):
        y = model(strange) if isinstance(model, CategoricalTokens) else model(strange, torch.float32)
        assert torch.equal(y[0], y[1])


def test_small_columns_one_hot_large_ones_embedded():
    model = randomise(CategoricalVectors(CARDINALITIES))
    assert model.widths == [3, 2, 8, 8] and model.dim == 21
    y = model(CODES, torch.float32)
    assert torch.equal(y[:, :5], OneHot([3, 2])(CODES[:, [0, 2]], torch.float32))
    assert torch.equal(y[:, 5:], model.tokens(CODES[:, [1, 3]]).flatten(1))


@pytest.mark.parametrize("cardinalities", [(), (3, 2), (20,), (3, 20)])
@pytest.mark.parametrize("num_features", [0, 4])
def test_rows(num_features, cardinalities):
    if not num_features and not cardinalities:
        with pytest.raises(ValueError, match="at least one column"):
            TableVector(num_features, cardinalities)
        return
    model = TableVector(num_features, cardinalities, PiecewiseLinear, numeric_dim=6)
    x_num = torch.randn(5, num_features)
    x_cat = torch.ones(5, len(cardinalities), dtype=torch.int64) if cardinalities else None
    for dtype in (torch.float32, torch.bfloat16):
        y = model.to(dtype)(x_num.to(dtype), x_cat)
        assert y.shape == (5, model.dim) and y.dtype == dtype
    assert model.dim == sum(model.widths) == 6 * num_features + sum(n if n <= 9 else 8 for n in cardinalities)
    assert len(model.widths) == num_features + len(cardinalities)


def test_rows_keep_raw_numbers():
    x = torch.randn(5, 3)
    assert torch.equal(TableVector(3)(x), x)
