"""What must hold of any picture: nothing overlaps, no wire meets a box or a header, nothing leaves the page."""

from itertools import pairwise

import numpy as np

from netwright.picture.layout import Picture
from netwright.picture.nodes import Node, Nodes
from netwright.picture.words import width_of


def check(nodes: Nodes, picture: Picture) -> None:
    drawn = picture.boxes
    boxes = np.array([[box.x, box.y, box.x + box.width, box.y + box.height] for box in drawn])
    ids = np.array([box.node.id for box in drawn])
    around = {node.id: _around(node) for node in nodes.all}
    inside = np.array([np.isin(ids, list(around[i])) for i in ids])
    assert not (_meet(boxes, boxes) & ~inside & ~inside.T).any(), "boxes overlap"
    low, high = boxes[None, :, :2] <= boxes[:, None, :2], boxes[None, :, 2:] >= boxes[:, None, 2:]
    assert (low.all(2) & high.all(2))[inside].all(), "a box leaves its group"
    assert boxes.min() >= 0 and boxes[:, 2].max() <= picture.width and boxes[:, 3].max() <= picture.height

    segments, scopes = [], []
    for wire in picture.wires:
        for (x1, y1), (x2, y2) in pairwise(wire.points):
            assert x1 == x2 or y1 == y2, "a wire is neither level nor upright"
            segments.append([min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)])
            scopes.append(wire.scope)
    lines = np.array(segments or [[0.0, 0.0, 0.0, 0.0]])[: len(segments)]
    assert lines.size == 0 or (lines.min() >= 0 and lines[:, 2].max() <= picture.width)
    # A wire is inside the frames of its own scope only; its ends stand on their borders.
    own = np.array([np.isin(ids, [scope, *around[scope]]) for scope in scopes])
    if segments:
        assert not (_meet(lines, boxes) & ~own).any(), "a wire passes through a box"
        headers = _headers(picture)
        assert not (len(headers) and _meet(lines, headers).any()), "a wire passes through a header"
    tags = np.array([[t.x, t.y - 9, t.x + width_of(t.words, 10.5), t.y + 2] for t in picture.tags])
    if len(tags):
        cards = boxes[[box.kind != "group" for box in drawn]]
        assert not _meet(tags, cards).any() and not _meet(tags, tags).any(), "a shape is written over something"
        assert tags[:, 2].max() <= picture.width
    assert not _shared_lanes(picture), "two tensors share a lane"


def _around(node: Node) -> set[int]:
    found = set()
    while node.parent:
        node = node.parent
        found.add(node.id)
    return found


def _headers(picture: Picture) -> np.ndarray:
    found = []
    for box in picture.boxes:
        if box.kind == "group":
            right = box.axis + box.told_x
            found.append([box.x + 12, box.y + 6, box.x + 12 + box.named, box.y + 40])
            found.append([right - box.told, box.y + 6, right, box.y + 40])
            assert found[-2][2] < box.axis < found[-1][0], "a header's words stand on the trunk"
            assert box.x <= found[-2][0] and right <= box.x + box.width, "a header's words leave their group"
    return np.array(found)


def _meet(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of the first overlap which of the second by more than half a pixel; the same box does not meet itself."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    thin = (some[:, 2:] - some[:, :2])[:, None, :] < 0.5  # a line has no width of its own
    found = (np.where(thin, high - low + 0.5, high - low) > 0.5).all(2)
    inner = (some[:, None, :2] > others[None, :, :2] + 0.5) & (some[:, None, 2:] < others[None, :, 2:] - 0.5)
    found &= (~thin | inner).all(2)
    return found & ~np.eye(*found.shape, dtype=bool) if some is others else found


def _shared_lanes(picture: Picture) -> list:
    """Upright stretches of two different tensors' lanes in one place."""
    lanes: dict = {}
    for wire in picture.wires:
        if wire.lane:
            stretches = [(a, b) for a, b in pairwise(wire.points) if a[0] == b[0]]
            (x, y1), (_, y2) = max(stretches, key=lambda pair: (pair[0][0], abs(pair[0][1] - pair[1][1])))
            lanes.setdefault((wire.scope, x), []).append((min(y1, y2), max(y1, y2), (wire.source, wire.port)))
    return [
        (one, other)
        for found in lanes.values()
        for i, one in enumerate(found)
        for other in found[:i]
        if one[2] != other[2] and min(one[1], other[1]) - max(one[0], other[0]) > 0.5
    ]
