"""RoIAlign against torchvision's reference in Python, values and gradients."""

import sys

import pytest
import torch
from torch import Tensor

from netwright.blocks.detection.mask_head import paste_masks
from netwright.blocks.detection.roi_align import crop_masks, pyramid_levels, roi_align
from tests.families.detection.reference import eager
from tests.references import torchvision


def reference(x: Tensor, boxes: Tensor, images: Tensor, *args) -> Tensor:
    torchvision()
    rois = torch.cat([images[:, None].to(boxes.dtype), boxes], 1)
    with eager():
        return sys.modules["torchvision.ops.roi_align"]._roi_align(x, rois, *args)


def regions(number: int, size: float) -> tuple[Tensor, Tensor]:
    """Boxes of all sizes, some beyond the border, one thinner than a pixel; and their images, 0 and 1."""
    generator = torch.Generator().manual_seed(3)
    low = torch.rand(number, 2, generator=generator, dtype=torch.float64) * size
    boxes = torch.cat([low, low + torch.rand(number, 2, generator=generator, dtype=torch.float64) * size], 1)
    boxes[0] = torch.tensor([5.0, 5.0, 5.1, 9.0])
    boxes[1] = torch.tensor([-20.0, -9.0, 2 * size, 3 * size])
    return boxes, torch.arange(number) % 2


@pytest.mark.parametrize("samples", [1, 2, 3])
@pytest.mark.parametrize("aligned", [False, True])
def test_same_as_torchvision(aligned, samples):
    x = torch.randn(2, 3, 9, 13, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    boxes, images = regions(11, 90.0)
    ours = roi_align([x], [8], boxes, images, torch.zeros_like(images), 5, samples, aligned)
    theirs = reference(x, boxes, images, 1 / 8, 5, 5, samples, aligned)
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs)
    weight = torch.randn(theirs.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gradients = [torch.autograd.grad((y * weight).sum(), x)[0] for y in (ours, theirs)]
    torch.testing.assert_close(*gradients)


def test_each_box_is_read_from_its_own_map():
    maps = [torch.randn(2, 3, s, s + 1, dtype=torch.float64, requires_grad=True) for s in (16, 8, 4)]
    boxes, images = regions(9, 60.0)
    levels = torch.arange(9) % 3
    found = roi_align(maps, [4, 8, 16], boxes, images, levels, 7)
    for i in range(9):
        x, stride = maps[int(levels[i])], 4 * 2 ** int(levels[i])
        expected = reference(x, boxes[i : i + 1], images[i : i + 1], 1 / stride, 7, 7, 2, False)
        torch.testing.assert_close(found[i : i + 1], expected)


def test_aligned_it_keeps_a_ramp():
    """Pixel i covers i … i + 1: the mean of a linear function over a cell is its value in the middle."""
    x = (torch.arange(20.0) + 0.5).expand(1, 1, 20, 20)
    boxes = torch.tensor([[3.0, 4.0, 13.0, 9.0]])
    zero = torch.zeros(1, dtype=torch.long)
    found = roi_align([x], [1], boxes, zero, zero, 5, aligned=True)
    torch.testing.assert_close(found[0, 0], torch.tensor([4.0, 6.0, 8.0, 10.0, 12.0]).expand(5, 5))


def test_no_boxes_and_half_precision():
    x = torch.randn(1, 2, 4, 4, dtype=torch.bfloat16, requires_grad=True)
    none = torch.zeros(0, dtype=torch.long)
    y = roi_align([x], [4], torch.zeros(0, 4), none, none)
    assert y.shape == (0, 2, 7, 7) and y.dtype == torch.bfloat16
    y.sum().backward()
    assert crop_masks(torch.ones(0, 8, 8), torch.zeros(0, 4), none, 28).shape == (0, 28, 28)
    assert paste_masks(torch.zeros(0, 28, 28), torch.zeros(0, 4), 9, 7).shape == (0, 9, 7)


def test_levels_are_torchvisions():
    side = torch.cat([torch.logspace(0, 11, 200, base=2), torch.tensor([112.0, 224.0, 448.0])])
    boxes = torch.stack([side * 0, side * 0, side * 2, side / 2], 1)
    theirs = torchvision().ops.poolers.LevelMapper(2, 5)([boxes])
    assert torch.equal(pyramid_levels(boxes, [4, 8, 16, 32]), theirs) and len(theirs.unique()) == 4
    assert pyramid_levels(boxes, [16]).eq(0).all()


def test_masks_are_cut_out_as_torchvision_does():
    masks = (torch.rand(2, 40, 50, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) > 0.5).double()
    boxes, index = regions(9, 30.0)
    boxes = torch.stack([boxes[:, 0::2].clamp(0, 50), boxes[:, 1::2].clamp(0, 40)], 2).flatten(1)
    expected = reference(masks[:, None], boxes, index, 1.0, 6, 6, -1, False)[:, 0]
    torch.testing.assert_close(crop_masks(masks.to(torch.uint8), boxes, index, 6), expected)


def test_masks_are_pasted_as_torchvision_does():
    masks = torch.rand(9, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    boxes, _ = regions(9, 40.0)
    expected = torchvision().models.detection.roi_heads.paste_masks_in_image(masks[:, None], boxes, (45, 60))[:, 0]
    torch.testing.assert_close(paste_masks(masks, boxes, 45, 60), expected)
