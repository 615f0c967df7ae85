"""Images with boxes, in memory: what the readers of detection's formats give."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

Polygons = list[np.ndarray]
"""Outlines of one thing, each (n, 2) of x and y: inside where an odd number of them winds around a pixel's centre."""


@dataclass(eq=False)
class Scene:
    """One image: its path and size, and the things on it.

    `boxes` (N, 4) f32 are x1, y1, x2, y2 in pixels, from the upper left corner of the upper left pixel, so that a box
    of the whole image is 0, 0, width, height. `labels` (N,) are class codes. `crowd` (N,) marks groups that are not
    told apart, which are neither learned nor counted as missed; `difficult` (N,) things that are not counted.
    `masks` has for each thing its pixels (H, W), or None where only the box is known.
    """

    path: str
    height: int
    width: int
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    difficult: np.ndarray
    masks: list[np.ndarray | None] = field(default_factory=list)


@dataclass(eq=False)
class Scenes:
    """Images with boxes and the names of the classes, in the order of their codes."""

    labels: list[str]
    scenes: list[Scene]
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.scenes)

    def __repr__(self) -> str:
        boxes = sum(len(scene.boxes) for scene in self.scenes)
        return f"Scenes({len(self)} images, {boxes:,} boxes of {len(self.labels)} classes)"


def semantic_mask(scene: Scene, ignore: int = 255) -> np.ndarray:
    """Class codes (H, W) u8 of every pixel: 0 is the background, k + 1 class k; smaller things lie on larger ones.

    Crowds have no class. A thing of which only the box is known has none either.
    """
    found = np.zeros((scene.height, scene.width), dtype=np.uint8)
    areas = (scene.boxes[:, 2] - scene.boxes[:, 0]) * (scene.boxes[:, 3] - scene.boxes[:, 1])
    for row in np.argsort(-areas, kind="stable"):
        mask = scene.masks[row] if scene.masks else None
        if mask is not None:
            found[mask] = ignore if scene.crowd[row] else scene.labels[row] + 1
        else:
            x1, y1 = np.floor(scene.boxes[row, :2]).astype(int)
            x2, y2 = np.ceil(scene.boxes[row, 2:]).astype(int)
            found[max(0, y1) : y2, max(0, x1) : x2] = ignore
    return found
