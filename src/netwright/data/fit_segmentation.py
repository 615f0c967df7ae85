"""What the training images and masks say: size, channels, mean and deviation, classes. Applied by
`apply_segmentation.py`."""

from typing import Any

import numpy as np

from netwright.data.apply_segmentation import SegmentationPreprocessing
from netwright.data.dataset import Dataset
from netwright.data.fit_image import said_of_modes
from netwright.data.fit_square import check_asked, normalised
from netwright.data.profiles import Profile

LARGEST = 128
"""Side that is not exceeded unless asked: every pixel of it is computed in each step, on a CPU."""
MULTIPLE = 16
"""Sides are multiples of this where images have to be scaled: four halvings come out even."""


def fit_segmentation(
    dataset: Dataset,
    rows: np.ndarray,
    profile: Profile,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    moments: tuple[list[float], list[float]] | None = None,
) -> dict[str, Any]:
    """One square into which images are scaled, the channels, mean and deviation of each, and the masks' values.

    image_size: the square's side; else the images' median longer side, at most 128.
    moments: mean and deviation of each channel of values in 0 … 1, where published weights bring theirs.
    """
    assert profile.image is not None and dataset.files is not None and dataset.classes is not None
    check_asked(image_size, channels, 16)
    channels = channels or profile.image["channels"]
    notes = said_of_modes(profile.image["modes"], channels)
    sides = dataset.files[["height", "width"]].to_numpy()[rows]
    fitted: dict[str, Any] = {
        "image_size": _size(sides, image_size, notes),
        "channels": channels,
        "dtype": "uint8",
        "scale": 255.0,
        "mean": [0.0] * channels,
        "std": [1.0] * channels,
        "values": list(dataset.classes.values),
    }
    scaled = SegmentationPreprocessing({**fitted, "target": {}}).scaled
    return normalised(fitted, scaled, dataset, rows, moments, notes)


def _size(sides: np.ndarray, asked: int | None, notes: list[str]) -> int:
    """The side of the square that the longer side of each image is scaled to."""
    longer = int(np.median(sides.max(axis=1)))
    size = asked if asked is not None else min(longer, LARGEST)
    if (sides == size).all():
        notes.append(f"Images keep their size, {size} × {size}.")
        return size
    if asked is None and size >= MULTIPLE:
        size -= size % MULTIPLE
    chosen = "as asked" if asked is not None else f"the median longer side is {longer}"
    more = "" if longer <= size else "; --image-size keeps more of them, and takes longer"
    notes.append(
        f"Images are scaled into squares of {size} × {size} pixels ({chosen}{more}); masks are written, and the test "
        "is scored, at the images' own sizes."
    )
    return size
