"""Images and masks move alike."""

import pytest
import torch

from netwright.train.augment import colour
from netwright.train.augment_masks import WITH_MASKS, affine_masks, flip_masks


def pair(batch=6, side=24):
    """Images whose only channel is the code of their mask: blocks that no move may tell apart from it."""
    codes = torch.randint(0, 3, (batch, side // 6, side // 6), generator=torch.Generator().manual_seed(0))
    masks = codes.repeat_interleave(6, 1).repeat_interleave(6, 2).to(torch.uint8)
    return masks.unsqueeze(1).float(), masks


@pytest.mark.parametrize("name", WITH_MASKS)
def test_the_mask_goes_where_its_image_goes(name):
    torch.manual_seed(1)
    x, masks = pair()
    moved, codes = WITH_MASKS[name](x, masks)
    assert moved.shape == x.shape and codes.shape == masks.shape and codes.dtype == masks.dtype
    assert not torch.equal(moved, x)
    known = codes != 255
    # Blocks are flat, so bilinear and nearest differ at their borders only.
    assert ((moved[:, 0] - codes.float()).abs()[known] < 0.5).float().mean() > 0.95
    assert known.float().mean() > 0.6


def test_flips_are_exact():
    torch.manual_seed(0)
    x, masks = pair(40)
    moved, codes = flip_masks(x, masks, p=0.5)
    assert torch.equal(moved[:, 0], codes.float())
    flipped = (codes == masks.flip(2)).all((1, 2))
    assert 8 < int(flipped.sum()) < 32


def test_no_class_stays_no_class_and_outside_has_none():
    torch.manual_seed(0)
    x, masks = pair()
    _, codes = affine_masks(x, torch.full_like(masks, 255))
    assert (codes == 255).all()
    _, codes = affine_masks(x, masks, degrees=0.0, scale=0.0, shift=0.5)
    assert (codes == 255).any() and set(codes.unique().tolist()) <= {0, 1, 2, 255}
    same = affine_masks(x, masks, degrees=0.0, scale=0.0, shift=0.0)
    assert torch.equal(same[1], masks) and torch.allclose(same[0], x, atol=1e-5)


def test_moves_come_with_their_probability():
    torch.manual_seed(0)
    x, masks = pair(400, 12)
    for p, low, high in ((0.0, 0, 0), (0.2, 50, 110), (1.0, 380, 400)):
        _, codes = affine_masks(x, masks, p=p)
        assert low <= int((codes != masks).flatten(1).any(1).sum()) <= high


def test_colour_changes_channels_by_themselves_and_is_repeatable():
    x = torch.rand(4, 3, 5, 5)
    torch.manual_seed(3)
    one = colour(x, strength=0.3)
    torch.manual_seed(3)
    assert torch.equal(one, colour(x, strength=0.3))
    change = (one - x).mean((2, 3))
    assert change.std(1).min() > 1e-4 and change.abs().max() <= 0.3 * 2
