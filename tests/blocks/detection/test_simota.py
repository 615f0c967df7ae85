"""SimOTA against its rules written out in loops."""

import pytest
import torch

from netwright.blocks.detection.boxes import iou
from netwright.blocks.detection.simota import simota


def scene(seed: int, number: int):
    """An 8 × 8 grid of stride 8 and a 4 × 4 grid of stride 16, with random predictions near their pixels."""
    generator = torch.Generator().manual_seed(seed)
    points, strides = [], []
    for side, stride in ((8, 8), (4, 16)):
        at = (torch.arange(side) + 0.5) * stride
        points.append(torch.stack(torch.meshgrid(at, at, indexing="xy"), -1).flatten(0, 1))
        strides.append(torch.full((side * side,), float(stride)))
    points, strides = torch.cat(points), torch.cat(strides)
    half = 4 + 12 * torch.rand(len(points), 2, generator=generator)
    boxes = torch.cat([points - half, points + half], 1)
    scores = torch.rand(len(points), 3, generator=generator)
    corner = 40 * torch.rand(number, 2, generator=generator)
    true = torch.cat([corner, corner + 8 + 16 * torch.rand(number, 2, generator=generator)], 1)
    return boxes, scores, points, strides, true, torch.randint(0, 3, (number,), generator=generator)


def by_hand(boxes, scores, points, strides, true, labels) -> dict[int, int]:
    """Prediction → object."""
    centers = (true[:, :2] + true[:, 2:]) / 2
    inside = [[bool(((p - c).abs() < 1.5 * s).all()) for p, s in zip(points, strides, strict=True)] for c in centers]
    candidates = [n for n in range(len(points)) if any(row[n] for row in inside)]
    cost, wants = {}, {}
    for m in range(len(true)):
        overlap = {n: float(iou(true[m], boxes[n])) for n in candidates}
        for n in candidates:
            classes = torch.zeros(3).index_fill(0, labels[m], 1.0)
            entropy = torch.nn.functional.binary_cross_entropy(scores[n], classes, reduction="sum")
            cost[m, n] = float(entropy - 3 * torch.tensor(overlap[n] + 1e-8).log()) + (0 if inside[m][n] else 1e6)
        k = max(1, int(sum(sorted(overlap.values(), reverse=True)[:10])))
        wants[m] = sorted(candidates, key=lambda n: cost[m, n])[:k]
    taken = {}
    for n in candidates:
        owners = [m for m in wants if n in wants[m]]
        if owners:
            everyone = range(len(true)) if len(owners) > 1 else owners
            taken[n] = min(everyone, key=lambda m: cost[m, n])
    return taken


@pytest.mark.parametrize("seed", range(4))
def test_by_hand(seed):
    arguments = scene(seed, number=5)
    chosen, objects, quality = simota(*arguments)
    expected = by_hand(*arguments)
    assert dict(zip(chosen.tolist(), objects.tolist(), strict=True)) == expected
    assert len(expected) > 4 and len(set(expected.values())) > 3
    torch.testing.assert_close(quality, iou(arguments[0][chosen], arguments[4][objects]))


def test_far_objects_have_nothing():
    boxes, scores, points, strides, true, labels = scene(0, number=2)
    chosen, objects, quality = simota(boxes, scores, points, strides, true + 500, labels)
    assert len(chosen) == len(objects) == len(quality) == 0
