"""Boxes, their coding and their anchors against closed forms and torchvision's."""

import pytest
import torch

from netwright.blocks.detection.anchors import make_anchors
from netwright.blocks.detection.boxes import (
    area,
    clip,
    flatten_batch,
    flatten_list,
    generalized_iou,
    iou,
    to_centers,
    to_corners,
)
from netwright.blocks.detection.codec import decode, encode
from tests.references import torchvision


def some_boxes(number: int, seed: int = 0, size: float = 100.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(number, 2, generator=generator) * size
    return torch.cat([low, low + torch.rand(number, 2, generator=generator) * size / 2 + 0.5], 1)


def test_iou_by_hand():
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    b = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0], [5.0, 0.0, 6.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    assert iou(a, b).tolist() == [1.0, pytest.approx(1 / 7), 0.0, 0.0]
    assert generalized_iou(a, b)[:3].tolist() == [1.0, pytest.approx(1 / 7 - 2 / 9), pytest.approx(-7 / 12)]
    nothing = torch.zeros(1, 4)
    assert iou(nothing, nothing).item() == 0 and generalized_iou(nothing, nothing).item() == 0


def test_overlaps_are_torchvisions():
    ops = torchvision().ops
    a, b = some_boxes(13), some_boxes(7, seed=1)
    torch.testing.assert_close(iou(a[:, None], b), ops.box_iou(a, b))
    torch.testing.assert_close(generalized_iou(a[:, None], b), ops.generalized_box_iou(a, b))
    torch.testing.assert_close(area(a), ops.box_area(a))
    torch.testing.assert_close(clip(a, 60, 80), ops.clip_boxes_to_image(a, (60, 80)))


def test_boxes_without_area_have_gradients():
    boxes = torch.tensor([[1.0, 1.0, 1.0, 1.0]], requires_grad=True)
    for overlap in (iou, generalized_iou):
        (gradient,) = torch.autograd.grad(overlap(boxes, torch.tensor([[0.0, 0.0, 2.0, 2.0]])).sum(), boxes)
        assert gradient.isfinite().all()


def test_corners_and_centers():
    assert to_centers(torch.tensor([1.0, 2.0, 5.0, 8.0])).tolist() == [3.0, 5.0, 4.0, 6.0]
    boxes = some_boxes(5)
    torch.testing.assert_close(to_corners(to_centers(boxes)), boxes)


def test_flattening_says_whose_a_box_is():
    boxes, images = flatten_list([some_boxes(2), some_boxes(0), some_boxes(3, seed=1)])
    assert images.tolist() == [0, 0, 2, 2, 2] and torch.equal(boxes[2:], some_boxes(3, seed=1))
    boxes, images = flatten_batch(some_boxes(6).view(2, 3, 4))
    assert images.tolist() == [0, 0, 0, 1, 1, 1] and torch.equal(boxes, some_boxes(6))


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_codes_are_torchvisions_and_invert(weights):
    coder = torchvision().models.detection._utils.BoxCoder(weights)
    boxes, anchors = some_boxes(9), some_boxes(9, seed=1)
    codes = encode(boxes, anchors, weights)
    torch.testing.assert_close(codes, coder.encode_single(boxes, anchors))
    torch.testing.assert_close(decode(codes, anchors, weights), boxes, rtol=1e-5, atol=1e-4)
    wild = torch.randn(9, 4, generator=torch.Generator().manual_seed(2)) * 50  # beyond what exp bears
    torch.testing.assert_close(decode(wild, anchors, weights), coder.decode_single(wild, anchors))


@pytest.mark.parametrize("octave, scale", [(1, 8.0), (3, 4.0)])
def test_anchors_are_torchvisions(octave, scale):
    detection = torchvision().models.detection
    strides, maps = [8, 16, 32], [torch.zeros(1, 2, 16 // k, 24 // k) for k in (1, 2, 4)]
    sizes = tuple(tuple(int(scale * s * 2 ** (i / octave)) for i in range(octave)) for s in strides)
    generator = detection.anchor_utils.AnchorGenerator(sizes, ((0.5, 1.0, 2.0),) * 3)
    (expected,) = generator(detection.image_list.ImageList(torch.zeros(1, 3, 128, 192), [(128, 192)]), maps)
    found = make_anchors(maps, strides, scale, octave)
    assert torch.equal(torch.cat(found), expected)
    assert [len(x) for x in found] == [3 * octave * 16 * 24 // k**2 for k in (1, 2, 4)]


def test_anchors_by_hand():
    (found,) = make_anchors([torch.zeros(1, 1, 2, 2, dtype=torch.bfloat16)], [16], scale=2.0, ratios=(1.0, 4.0))
    assert found.dtype == torch.float32
    first = [[-16.0, -16.0, 16.0, 16.0], [-8.0, -32.0, 8.0, 32.0]]  # 32 × 32 and 16 wide, 64 high
    assert found[:2].tolist() == first
    assert found[6:].tolist() == [[x + 16 for x in box] for box in first]
