import pytest
import torch

from netwright.train.augment import AUGMENTATIONS, affine, erase, flip, shift, token_dropout


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("shape", [(5, 1, 8, 8), (3, 3, 17, 11)])
def test_each_keeps_shape_and_dtype_and_is_repeatable(name, shape):
    x = torch.randn(shape)
    torch.manual_seed(1)
    a = AUGMENTATIONS[name](x)
    torch.manual_seed(1)
    assert torch.equal(a, AUGMENTATIONS[name](x))
    assert a.shape == x.shape and a.dtype == x.dtype and torch.isfinite(a).all()


def test_nothing_to_do_is_the_identity():
    x = torch.randn(4, 3, 9, 9)
    assert torch.allclose(affine(x, degrees=0, scale=0, shift=0), x, atol=1e-5)
    assert torch.equal(flip(x, p=0.0), x)
    assert torch.equal(erase(x, p=0.0), x)
    assert torch.equal(flip(flip(x, p=1.0), p=1.0), x)


def test_shift_moves_whole_pixels():
    x = torch.arange(25.0).view(1, 1, 5, 5)
    torch.manual_seed(0)
    moved = {tuple(shift(x, 0.2)[0, 0, 1:4, 1:4].flatten().tolist()) for _ in range(60)}
    expected = {
        tuple(x[0, 0, 1 + dy : 4 + dy, 1 + dx : 4 + dx].flatten().tolist()) for dy in (-1, 0, 1) for dx in (-1, 0, 1)
    }
    assert moved == expected


def test_affine_makes_nothing_brighter_than_it_was():
    """Bilinear weights are convex, and the border is repeated."""
    x = torch.randn(1, 1, 7, 7)
    outputs = torch.stack([affine(x, degrees=90, scale=0.3, shift=0.2) for _ in range(100)])
    assert outputs.max() <= x.max() + 1e-5 and outputs.min() >= x.min() - 1e-5
    assert outputs.std(0).mean() > 0.1


def test_token_dropout_leaves_padding_alone():
    tokens = torch.randint(2, 50, (8, 20))
    tokens[:, 15:] = 0
    torch.manual_seed(0)
    dropped = token_dropout(tokens, 0.5)
    assert (dropped[:, 15:] == 0).all()
    changed = dropped[:, :15] != tokens[:, :15]
    assert 0.3 < changed.float().mean() < 0.7
    assert (dropped[:, :15][changed] == 1).all()
