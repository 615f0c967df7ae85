"""Attention, and the rotations of its queries and keys."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from netwright.blocks.mixer.attention import Attention
from netwright.blocks.rotary import RoPE, RoPE2D
from tests.parity import randomise


def test_same_as_torch():
    ours, theirs = Attention(12, num_heads=3), randomise(nn.MultiheadAttention(12, 3, batch_first=True))
    ours.qkv.load_state_dict({"weight": theirs.in_proj_weight, "bias": theirs.in_proj_bias})
    ours.proj.load_state_dict(theirs.out_proj.state_dict())
    x, real = torch.randn(2, 5, 12), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    torch.testing.assert_close(ours(x, real), theirs(x, x, x, key_padding_mask=~real)[0], rtol=1e-5, atol=1e-6)


def test_without_positions_the_order_of_the_tokens_does_not_matter():
    x, order = torch.randn(2, 7, 8), torch.randperm(7)
    model = randomise(Attention(8, num_heads=2))
    torch.testing.assert_close(model(x[:, order]), model(x)[:, order], rtol=1e-5, atol=1e-6)
    turned = randomise(Attention(8, num_heads=2, position=RoPE))
    assert not torch.allclose(turned(x[:, order]), turned(x)[:, order], atol=1e-3)


def test_positions_add_no_parameters():
    assert list(Attention(8, position=RoPE2D).state_dict()) == list(Attention(8).state_dict())


@pytest.mark.parametrize("dim", [2, 6])
def test_rope_by_hand(dim):
    x = torch.randn(2, 3, 5, dim)
    y = RoPE(dim)(x)
    for n in range(5):
        for i in range(dim // 2):
            angle = n * 10_000 ** (-2 * i / dim)
            pair = torch.complex(x[..., n, i], x[..., n, i + dim // 2]) * complex(math.cos(angle), math.sin(angle))
            torch.testing.assert_close(y[..., n, i], pair.real)
            torch.testing.assert_close(y[..., n, i + dim // 2], pair.imag)


def test_rope_on_a_grid_by_hand():
    x = torch.randn(2, 3, 2 + 12, 8)
    y = RoPE2D(8, prefix=2, columns=4)(x)
    assert torch.equal(y[..., :2, :], x[..., :2, :])
    for n in range(12):
        for i in range(4):
            angle = (n // 4 if i < 2 else n % 4) * 100 ** (-(i % 2) / 2)
            pair = torch.complex(x[..., 2 + n, i], x[..., 2 + n, i + 4]) * complex(math.cos(angle), math.sin(angle))
            torch.testing.assert_close(y[..., 2 + n, i], pair.real)
            torch.testing.assert_close(y[..., 2 + n, i + 4], pair.imag)


def test_rope_depends_on_distances_only():
    model, q, k = RoPE(8), torch.randn(8), torch.randn(8)
    queries, keys = model(q.expand(1, 1, 9, 8))[0, 0], model(k.expand(1, 1, 9, 8))[0, 0]
    scores = queries @ keys.T
    for offset in range(-8, 9):
        diagonal = scores.diagonal(offset)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), rtol=1e-4, atol=1e-5)
    assert scores.std() > 0.01


def test_rope_on_a_grid_depends_on_offsets_only():
    """The same query and key everywhere: a score for each offset of rows and columns, and no two alike."""
    model, q, k = RoPE2D(16, prefix=0, columns=5), torch.randn(16), torch.randn(16)
    queries, keys = model(q.expand(1, 1, 20, 16))[0, 0], model(k.expand(1, 1, 20, 16))[0, 0]
    scores = (queries @ keys.T).view(4, 5, 4, 5)
    seen: dict[tuple[int, int], float] = {}
    for a in range(4):
        for b in range(5):
            for c in range(4):
                for d in range(5):
                    score = float(scores[a, b, c, d])
                    assert seen.setdefault((a - c, b - d), score) == pytest.approx(score, abs=1e-4)
    assert len(seen) == 7 * 9 and len({round(s, 4) for s in seen.values()}) > 50


def test_attention_on_a_grid_forgets_where_the_image_lies():
    """A pattern moved by whole cells on an empty ground gives the same outputs, moved."""
    torch.manual_seed(0)
    model = randomise(Attention(8, num_heads=1, qkv_bias=False, position=partial(RoPE2D, prefix=0)))
    image = torch.zeros(1, 6, 6, 8)
    image[:, 1:3, 1:4] = torch.randn(1, 2, 3, 8)
    moved = image.roll((2, 1), (1, 2))
    y, z = model(image.flatten(1, 2)).view_as(image), model(moved.flatten(1, 2)).view_as(image)
    torch.testing.assert_close(z[:, 3:5, 2:5], y[:, 1:3, 1:4], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("position", [RoPE, RoPE2D, partial(RoPE2D, columns=4)])
def test_half_precision(position):
    model, x = randomise(Attention(8, position=position)), torch.randn(2, 17, 8)
    y = model.bfloat16()(x.bfloat16())
    assert y.dtype == torch.bfloat16 and y.isfinite().all()


def test_grids_that_do_not_fit():
    with pytest.raises(ValueError, match="6 tokens behind 1 are not a square: give `columns`"):
        RoPE2D(8)(torch.zeros(1, 1, 7, 8))
    with pytest.raises(ValueError, match="6 tokens behind 1 are not rows of 4"):
        RoPE2D(8, columns=4)(torch.zeros(1, 1, 7, 8))
    with pytest.raises(ValueError, match="multiple of 4"):
        RoPE2D(6)
    with pytest.raises(ValueError, match="even"):
        RoPE(5)


def test_tokens_outside_the_grid_alone():
    x = torch.randn(1, 1, 1, 8)
    assert torch.equal(RoPE2D(8)(x), x)
