"""Positions in sequences and on grids."""

import math

import pytest
import torch
import torch.nn.functional as F

from netwright.blocks.grid_position import GridPosition, SinusoidalGrid
from netwright.blocks.position import Identity, Learned, Sinusoidal
from tests.parity import randomise


@pytest.mark.parametrize("dim", [6, 7])
def test_sinusoidal_by_hand(dim):
    waves = Sinusoidal(4, dim)(torch.zeros(1, 9, dim))[0]  # longer than max_length
    for n in range(9):
        for i in range(dim):
            angle = n / 10_000 ** (2 * (i // 2) / dim)
            assert waves[n, i].item() == pytest.approx(math.cos(angle) if i % 2 else math.sin(angle), abs=1e-6)


def test_learned():
    model = randomise(Learned(5, 6))
    x = torch.randn(2, 3, 6)
    assert torch.equal(model(x) - x, (x + model.weight[:3]) - x)
    with pytest.raises(ValueError, match="6 tokens, but positions for 5"):
        model(torch.zeros(2, 6, 6))


def test_none():
    x = torch.randn(2, 3, 6)
    assert torch.equal(Identity(5, 6)(x), x)


@pytest.mark.parametrize("kind", [Learned, Sinusoidal])
def test_half_precision(kind):
    model = kind(5, 6).to(torch.bfloat16)
    assert model(torch.zeros(2, 3, 6, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_grid_on_its_own_size():
    model = randomise(GridPosition((2, 3), 4, prefix=1))
    x = torch.randn(2, 7, 4)
    assert model.weight.shape == (7, 4)
    assert torch.equal(model(x, (2, 3)), x + model.weight)


@pytest.mark.parametrize("prefix", [0, 1])
def test_grid_on_another_size(prefix):
    model = GridPosition((3, 3), 1, prefix)
    with torch.no_grad():
        model.weight[prefix:, 0] = torch.arange(3).repeat_interleave(3)  # the row's number
        model.weight[:prefix] = 100
    y = model(torch.zeros(1, prefix + 30, 1), (6, 5))[0, :, 0]
    assert (y[:prefix] == 100).all()
    rows = y[prefix:].view(6, 5)
    assert torch.allclose(rows, rows[:, :1].expand(6, 5), atol=1e-5) and (rows[:, 0].diff() > 0).all()
    ramp = torch.arange(3.0).view(1, 1, 3, 1).repeat(1, 1, 1, 2)
    expected = F.interpolate(ramp, size=(6, 2), mode="bicubic", antialias=True)
    torch.testing.assert_close(rows[:, 0], expected[0, 0, :, 0])
    y.sum().backward()
    assert (model.weight.grad != 0).all()


def test_grid_in_half_precision():
    model = GridPosition((3, 3), 4, 1).to(torch.bfloat16)
    assert model(torch.zeros(1, 21, 4, dtype=torch.bfloat16), (4, 5)).dtype == torch.bfloat16


@pytest.mark.parametrize("prefix", [0, 2])
def test_waves_on_a_grid_by_hand(prefix):
    x = torch.randn(2, prefix + 6, 8)
    waves = (SinusoidalGrid((2, 3), 8, prefix)(x, (2, 3)) - x)[1]
    assert (waves[:prefix] == 0).all()
    for n in range(6):
        for part, place in enumerate((n % 3, n % 3, n // 3, n // 3)):
            for i in range(2):
                angle = place / 100**i
                value = waves[prefix + n, 2 * part + i].item()
                assert value == pytest.approx(math.cos(angle) if part % 2 else math.sin(angle), abs=1e-5)


def test_waves_on_a_grid_tell_rows_from_columns_at_any_size():
    model = SinusoidalGrid((3, 3), 12)
    cells = model(torch.zeros(1, 35, 12), (5, 7))[0].view(5, 7, 12)
    assert torch.equal(cells[:, 3, :6], cells[:1, 3, :6].expand(5, -1))
    assert torch.equal(cells[2, :, 6:], cells[2, :1, 6:].expand(7, -1))
    assert len(cells.flatten(0, 1).unique(dim=0)) == 35
    with pytest.raises(ValueError, match="multiple of 4"):
        SinusoidalGrid((3, 3), 6)(torch.zeros(1, 9, 6), (3, 3))
