"""Boxes move with their images."""

import torch

from netwright.train.augment_boxes import WITH_BOXES, flip_boxes, zoom_boxes
from netwright.train.boxes import objects_of


def painted(boxes, side=64):
    """White boxes on black images, and their targets with a row that holds nothing."""
    x, objects = torch.zeros(len(boxes), 1, side, side), torch.zeros(len(boxes), 2, 6)
    objects[:, 1, 4] = -1
    for image, rows, (x1, y1, x2, y2) in zip(x, objects, boxes, strict=True):
        image[:, y1:y2, x1:x2] = 1
        rows[0, :4] = torch.tensor([x1, y1, x2, y2])
    return x, objects


def seen(image):
    """The corners of what is more white than black."""
    ys, xs = (image[0] > 0.5).nonzero(as_tuple=True)
    return torch.stack([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]).float()


def test_boxes_stay_around_what_they_hold():
    torch.manual_seed(0)
    boxes = [(10, 12, 30, 40), (20, 20, 44, 36), (3, 30, 25, 60), (28, 5, 60, 30)] * 4
    for name, move in WITH_BOXES.items():
        x, objects = move(*painted(boxes))
        assert x.shape == (16, 1, 64, 64) and (objects[:, 1, 4] == -1).all()
        for image, row in zip(x, objects[:, 0], strict=True):
            if row[4] >= 0:
                assert (seen(image) - row[:4]).abs().max() <= 1, name


def test_mirrored_twice_is_as_before():
    x, objects = painted([(10, 12, 30, 40)])
    once = flip_boxes(x, objects, p=1.0)
    assert objects[0, 0, 0] == 10 and once[1][0, 0, :4].tolist() == [34, 12, 54, 40]
    again = flip_boxes(*once, p=1.0)
    assert torch.equal(again[0], x) and torch.equal(again[1][:, 0], objects[:, 0])


def test_what_is_cropped_away_is_no_object_any_more():
    torch.manual_seed(1)
    x, objects = painted([(0, 0, 8, 8)] * 64)
    _, moved = zoom_boxes(x, objects, scale=0.0, shift=0.2)
    kept = moved[:, 0, 4] >= 0
    assert 0 < kept.sum() < 64
    area = (moved[:, 0, 2:4] - moved[:, 0, :2]).prod(1)
    assert (area[kept] >= 0.4 * 64 - 1e-3).all() and (moved[..., :4] >= 0).all()


def test_what_is_ignored_is_not_learned():
    _, objects = painted([(1, 2, 11, 12)] * 2)
    objects[1, 0, 5] = 1
    first, second = objects_of(objects)
    assert first["boxes"].tolist() == [[1, 2, 11, 12]] and first["labels"].dtype == torch.int64
    assert second["boxes"].shape == (0, 4)
