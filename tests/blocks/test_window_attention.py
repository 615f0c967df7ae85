"""Attention in windows against attention over the whole map under a mask, and what shifting does."""

import pytest
import torch
from torch import Tensor

from netwright.blocks.relative_bias import RelativeBias
from netwright.blocks.window_attention import WindowAttention, shift_mask
from tests.parity import randomise

SIZES = [(3, 3), (6, 9), (7, 5), (2, 8), (1, 1)]


def attend(model: WindowAttention, x: Tensor) -> Tensor:
    return model(x, shift_mask(x, model.window_size, model.shift))


def naive(model: WindowAttention, x: Tensor) -> Tensor:
    """Each cell of the padded map by itself: the keys are those of its window, found by coordinates."""
    B, H, W, D = x.shape
    w, h = model.window_size, model.num_heads
    down, right = (model.shift if side > w else 0 for side in (H, W))
    padded = torch.zeros(B, -(-H // w) * w, -(-W // w) * w, D)
    padded[:, :H, :W] = x
    cells = [(i, j) for i in range(padded.shape[1]) for j in range(padded.shape[2])]
    y = torch.zeros_like(x)
    for i, j in cells:
        if i >= H or j >= W:
            continue
        # windows begin at `shift`; what lies before the first or behind the last is a smaller window
        keys = [c for c in cells if (c[0] - down) // w == (i - down) // w and (c[1] - right) // w == (j - right) // w]
        q = model.qkv(padded[:, i, j])[:, :D].view(B, h, 1, -1)
        k, v = (
            model.qkv(torch.stack([padded[:, a, b] for a, b in keys], 1))[..., D:]
            .view(B, -1, 2, h, D // h)
            .permute(2, 0, 3, 1, 4)
        )
        rows = torch.tensor([(i - a + w - 1) * (2 * w - 1) + j - b + w - 1 for a, b in keys])
        score = q @ k.transpose(-1, -2) * (D // h) ** -0.5 + model.bias.table[rows].T[:, None]
        y[:, i, j] = model.proj((score.softmax(-1) @ v).reshape(B, D))
    return y


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_same_as_the_naive_form(size, shift):
    model = randomise(WindowAttention(8, num_heads=2, window_size=3, shift=shift)).eval()
    x = torch.randn(2, *size, 8)
    with torch.no_grad():
        torch.testing.assert_close(attend(model, x), naive(model, x), rtol=1e-5, atol=1e-6)


def test_bias_by_hand():
    model = randomise(RelativeBias(2, 3))
    bias = model()
    assert bias.shape == (2, 9, 9)
    for i in range(9):
        for j in range(9):
            row = (i // 3 - j // 3 + 2) * 5 + i % 3 - j % 3 + 2
            assert torch.equal(bias[:, i, j], model.table[row])
    bias.sum().backward()
    pairs = torch.tensor([3.0 - abs(offset) for offset in range(-2, 3)])
    assert torch.equal(model.table.grad[:, 0].view(5, 5), pairs[:, None] * pairs)  # pairs of cells at each offset


def seen_by(model: WindowAttention, size: int, cell: tuple[int, int]) -> set[tuple[int, int]]:
    """The cells that the output at `cell` depends on."""
    x = torch.randn(1, size, size, 8, requires_grad=True)
    attend(model, x)[0, cell[0], cell[1]].sum().backward()
    return {(int(i), int(j)) for i, j in (x.grad[0].abs().amax(-1) > 0).nonzero()}


def block(top: int, left: int, height: int, width: int) -> set[tuple[int, int]]:
    return {(i, j) for i in range(top, top + height) for j in range(left, left + width)}


def test_a_cell_sees_its_window_only():
    model = randomise(WindowAttention(8, window_size=4))
    assert seen_by(model, 12, (5, 9)) == block(4, 8, 4, 4)


def test_shifted_windows_join_neighbours_but_not_opposite_edges():
    model = randomise(WindowAttention(8, window_size=4, shift=2))
    assert seen_by(model, 12, (4, 4)) == block(2, 2, 4, 4)  # four windows of the last block meet here
    assert seen_by(model, 12, (0, 5)) == block(0, 2, 2, 4)
    assert seen_by(model, 12, (11, 11)) == block(10, 10, 2, 2)
    assert seen_by(model, 4, (0, 0)) == block(0, 0, 4, 4)  # one window: nothing to shift


def test_moving_the_image_by_windows_moves_the_result():
    """Without a shift the map may go round; a shift has edges, at which windows end."""
    x = torch.randn(2, 9, 12, 8)
    model = randomise(WindowAttention(8, window_size=3)).eval()
    moved = attend(model, x.roll((3, -6), (1, 2)))
    torch.testing.assert_close(moved, attend(model, x).roll((3, -6), (1, 2)), rtol=1e-5, atol=1e-6)
    other = attend(model, x.roll(1, 1))
    assert not torch.allclose(other, attend(model, x).roll(1, 1), atol=1e-3)
    shifted = randomise(WindowAttention(8, window_size=3, shift=1)).eval()
    assert not torch.allclose(attend(shifted, x.roll(3, 1)), attend(shifted, x).roll(3, 1), atol=1e-3)


def test_without_bias_the_order_in_a_window_does_not_matter():
    model = randomise(WindowAttention(8, window_size=3)).eval()
    torch.nn.init.zeros_(model.bias.table)
    x, order = torch.randn(2, 3, 3, 8), torch.randperm(9)
    shuffled = x.flatten(1, 2)[:, order].view_as(x)
    expected = attend(model, x).flatten(1, 2)[:, order].view_as(x)
    torch.testing.assert_close(attend(model, shuffled), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("autocast", [False, True])
def test_half_precision(autocast):
    model, x = randomise(WindowAttention(8, window_size=3, shift=1)), torch.randn(2, 7, 6, 8)
    expected = attend(model, x)
    if not autocast:
        model, x = model.bfloat16(), x.bfloat16()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = attend(model, x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), expected, rtol=0.1, atol=0.1)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="dim=10, num_heads=4"):
        WindowAttention(10, 4)
    with pytest.raises(ValueError, match="0 … window_size − 1 = 6, got 7"):
        WindowAttention(8, shift=7)
