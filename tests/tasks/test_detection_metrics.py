"""Average precision equals pycocotools': boxes and masks, crowds, sizes, ties, many detections, empty images."""

import contextlib
import io

import numpy as np
import pytest
import torch
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from netwright.errors import InputError
from netwright.tasks.detection_metrics import average_precision


def pycocotools(detections, truths, num_classes, size, masks) -> tuple[np.ndarray, np.ndarray]:
    """Its twelve figures, and the AP of each class."""

    def annotation(image, objects, i, **extra):
        x1, y1, x2, y2 = map(float, objects["boxes"][i])
        shape = {"bbox": [x1, y1, x2 - x1, y2 - y1]}
        if masks:
            code = rle.encode(np.asfortranarray(objects["masks"][i].astype(np.uint8)))
            shape = {"segmentation": code} | (shape if extra else {})
        return {"image_id": image, "category_id": int(objects["labels"][i]), **shape, **extra}

    images = [{"id": n, "width": size, "height": size} for n in range(len(truths))]
    annotations = []
    for n, objects in enumerate(truths):
        for i in range(len(objects["labels"])):
            x1, y1, x2, y2 = objects["boxes"][i]
            area = float(objects["masks"][i].sum() if masks else (x2 - x1) * (y2 - y1))
            extra = {"id": len(annotations) + 1, "area": area, "iscrowd": int(objects["crowd"][i])}
            annotations.append(annotation(n, objects, i, **extra))
    found = []
    for n, objects in enumerate(detections):
        for i in range(len(objects["labels"])):
            found.append(annotation(n, objects, i) | {"score": float(objects["scores"][i])})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": k} for k in range(num_classes)],
            "info": {},
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(found), "segm" if masks else "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    stats = evaluation.stats
    return np.where(stats < 0, np.nan, stats), precision.mean((0, 1))


def sample(rng: np.random.Generator, size: int, most: int, scored: bool, near=None) -> dict[str, np.ndarray]:
    """Random boxes with elliptic masks; `near` objects are moved a little instead of new ones."""
    number = int(rng.integers(0, most + 1))
    corner = rng.uniform(0, size * 0.8, (number, 2))
    boxes = np.concatenate([corner, corner + np.exp(rng.uniform(1, np.log(size), (number, 2)))], 1).clip(0, size)
    labels = rng.integers(0, 3, number)
    if near is not None and len(near["labels"]):
        chosen = rng.integers(0, len(near["labels"]), 2 * len(near["labels"]))
        moved = near["boxes"][chosen] + rng.normal(0, 1.5, (len(chosen), 4))
        boxes, labels = np.concatenate([boxes, moved]), np.concatenate([labels, near["labels"][chosen]])
        labels = np.where(rng.random(len(labels)) < 0.1, 1, labels)
    y, x = np.mgrid[:size, :size] + 0.5
    centre, radius = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1) / 2
    masks = np.stack(
        [np.zeros((size, size), bool)]
        + [((x - c[0]) / r[0]) ** 2 + ((y - c[1]) / r[1]) ** 2 <= 1 for c, r in zip(centre, radius, strict=True)]
    )[1:]
    objects = {"boxes": boxes, "labels": labels, "masks": masks}
    if scored:
        return objects | {"scores": rng.random(len(boxes)).round(1)}  # many ties
    return objects | {"crowd": rng.random(len(boxes)) < 0.15}


def scene(seed: int, most: int = 8) -> tuple[list, list]:
    rng = np.random.default_rng(seed)
    truths = [sample(rng, 200, most, scored=False) for _ in range(20)]
    return [sample(rng, 200, most, scored=True, near=t) for t in truths], truths


@pytest.mark.parametrize("masks", [False, True], ids=["boxes", "masks"])
@pytest.mark.parametrize("seed", [0, 2])
def test_same_as_pycocotools(seed, masks):
    detections, truths = scene(seed)
    expected, classes = pycocotools(detections, truths, 4, 200, masks)
    ours = average_precision(detections, truths, 4, masks=masks)
    assert 0.1 < ours.ap < ours.ap50 < 1
    have = [ours.ap, ours.ap50, ours.ap75, ours.small, ours.medium, ours.large, ours.recall]
    assert np.isfinite(have).all() and len(set(have)) == 7
    np.testing.assert_allclose(have, expected[[0, 1, 2, 3, 4, 5, 8]], atol=1e-6)
    np.testing.assert_allclose(ours.classes[:3], classes[:3], atol=1e-6)
    assert np.isnan(ours.classes[3])  # there is none of this class


def test_more_detections_than_count():
    detections, truths = scene(5, most=150)
    assert max(np.bincount(d["labels"]).max() for d in detections if len(d["labels"])) > 100
    expected, _ = pycocotools(detections, truths, 3, 200, False)
    assert average_precision(detections, truths, 3).ap == pytest.approx(expected[0], abs=1e-6)


def test_by_hand():
    truth = {"boxes": [[0, 0, 10, 10], [20, 20, 30, 30]], "labels": [0, 0]}
    shifted = [20, 20, 30, 36]  # IoU 100 / 200
    found = {"boxes": [[0, 0, 10, 10], [50, 50, 60, 60], shifted], "labels": [0, 0, 0], "scores": [0.9, 0.8, 0.7]}
    score = average_precision([found], [truth], 1)
    # recall 0 … 0.5 at precision 1, above it 2 / 3: 51 and 50 of the 101 points
    assert score.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert score.ap75 == pytest.approx(51 / 101)
    assert score.ap == pytest.approx((3 * (51 + 50 * 2 / 3) + 7 * 51) / 10 / 101)


def test_perfect_none_and_nothing_to_find():
    truths = [{"boxes": torch.tensor([[1.0, 2, 9, 8]]), "labels": torch.tensor([1])}]
    perfect = [truths[0] | {"scores": torch.tensor([0.5])}]
    nothing = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.long), "scores": torch.zeros(0)}]
    assert average_precision(perfect, truths, 2).ap == pytest.approx(1)
    assert average_precision(nothing, truths, 2).ap == 0
    assert np.isnan(average_precision(perfect, nothing, 2).ap)


def test_masks_of_four_pixels():
    truth = {"masks": np.array([[[1, 1], [0, 0]]], bool), "labels": [0]}
    found = {"masks": torch.tensor([[[0.9, 0.6], [0.7, 0.2]]]), "labels": [0], "scores": [1.0]}  # probabilities
    score = average_precision([found], [truth], 1, masks=True)
    assert score.ap50 == pytest.approx(1) and score.ap75 == 0  # IoU 2 / 3


def test_what_does_not_fit_is_said():
    one = {"boxes": [[0, 0, 1, 1]], "labels": [0], "scores": [1.0]}
    with pytest.raises(InputError, match="1 lists of detections for 2 images"):
        average_precision([one], [one, one], 1)
    with pytest.raises(InputError, match="different lengths"):
        average_precision([one | {"scores": [1.0, 0.5]}], [one], 1)
