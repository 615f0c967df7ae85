"""Poolings: what each computes, and that padding changes nothing."""

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks import pooling
from netwright.blocks.pooling import AdditivePool, AttentionPool, ClassToken, MaxPool, MeanPool, SequencePool
from tests.parity import assert_same, copy_by_map, randomise

EVERY = [getattr(pooling, name) for name in pooling.__all__]
X = torch.randn(3, 7, 8, generator=torch.Generator().manual_seed(0))
MASK = torch.arange(7) < torch.tensor([7, 3, 1])[:, None]


@pytest.mark.parametrize("pool", EVERY)
def test_padding_changes_nothing(pool):
    model = randomise(pool(8)).eval()
    y = model(X, MASK)
    assert y.shape == (3, 8) and y.std() > 0
    for i, length in enumerate(MASK.sum(1).tolist()):
        torch.testing.assert_close(y[i], model(X[i : i + 1, :length])[0])


@pytest.mark.parametrize("pool", EVERY)
def test_padding_gets_no_gradient(pool):
    x = X.clone().requires_grad_()
    randomise(pool(8))(x, MASK).square().sum().backward()
    assert x.grad[~MASK].abs().max() == 0
    assert x.grad.abs().amax((1, 2)).min() > 0


@pytest.mark.parametrize("pool", EVERY)
def test_half_precision(pool):
    model = randomise(pool(8))
    y = model.to(torch.bfloat16)(X.bfloat16(), MASK)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), model.float()(X, MASK), rtol=0.05, atol=0.05)


def test_by_hand():
    assert torch.equal(ClassToken(8)(X), X[:, 0])
    torch.testing.assert_close(MeanPool(8)(X, MASK)[1], X[1, :3].mean(0))
    assert torch.equal(MaxPool(8)(X, MASK)[1], X[1, :3].amax(0))


def test_sequence_pool_is_the_weighted_sum():
    model = randomise(SequencePool(8))
    score = X @ model.score.weight[0] + model.score.bias
    expected = torch.einsum("bn,bnd->bd", score.exp() / score.exp().sum(1, keepdim=True), X)
    torch.testing.assert_close(model(X), expected)


def test_additive_pool_is_the_weighted_sum():
    model = randomise(AdditivePool(8))
    score = torch.tanh(X @ model.hidden.weight.T + model.hidden.bias) @ model.score.weight[0]
    expected = torch.einsum("bn,bnd->bd", score.exp() / score.exp().sum(1, keepdim=True), X)
    torch.testing.assert_close(model(X), expected)


class TorchAttentionPool(nn.Module):
    """torch's multi-head attention, which projects the query too; ours learns the projected query."""

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        self.query = nn.Parameter(torch.empty(dim))
        self.kv_weight, self.kv_bias = (
            nn.Parameter(torch.empty(2 * dim, dim)),
            nn.Parameter(torch.empty(2 * dim)),
        )
        self.proj = nn.Linear(dim, dim)
        self.num_heads = num_heads

    def forward(self, x: Tensor) -> Tensor:
        D = x.shape[-1]
        y, _ = nn.functional.multi_head_attention_forward(
            self.query.expand(1, len(x), D),
            x.transpose(0, 1),
            x.transpose(0, 1),
            D,
            self.num_heads,
            torch.cat([torch.eye(D), self.kv_weight]),
            torch.cat([torch.zeros(D), self.kv_bias]),
            None,
            None,
            False,
            0.0,
            self.proj.weight,
            self.proj.bias,
            key_padding_mask=~MASK,
        )
        return y[0]


class Masked(nn.Module):
    def __init__(self, pool: nn.Module):
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, MASK)


@pytest.mark.parametrize("num_heads", [1, 4])
def test_attention_pool_is_torchs_attention(num_heads):
    ours, theirs = Masked(AttentionPool(8, num_heads)), randomise(TorchAttentionPool(8, num_heads))

    def key(name: str) -> str:
        return name.removeprefix("pool.").replace("kv.", "kv_")

    assert_same(ours, theirs, X, copy_by_map(ours, theirs, key))


def test_heads_must_divide():
    with pytest.raises(ValueError, match="multiple of num_heads, got 8 and 3"):
        AttentionPool(8, num_heads=3)
