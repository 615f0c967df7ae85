"""What the training images and boxes say: size, channels, mean and deviation. Applied by `apply_detection.py`."""

from typing import Any

import numpy as np

from netwright.data.apply_detection import DetectionPreprocessing
from netwright.data.dataset import Dataset
from netwright.data.fit_image import said_of_modes
from netwright.data.fit_square import check_asked, normalised
from netwright.data.profiles import Profile

USUAL, LARGEST = 128, 256
"""Side that is not exceeded unless asked, and unless objects are small: every pixel is computed in each step."""
SEEN = 12
"""Pixels a side that three of four objects should keep: below, little more than a spot is left of them."""
MULTIPLE = 32
"""Sides are multiples of this where images have to be scaled: the pyramid's maps come out even."""


def fit_detection(
    dataset: Dataset,
    rows: np.ndarray,
    profile: Profile,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    moments: tuple[list[float], list[float]] | None = None,
) -> dict[str, Any]:
    """One square into which images are scaled, and the channels, mean and deviation of each.

    image_size: the square's side; else the images' median longer side, at most 128, or 256 where objects are small.
    moments: mean and deviation of each channel that published weights expect, in place of these images'.
    """
    assert profile.image is not None and dataset.files is not None
    check_asked(image_size, channels, 32)
    channels = channels or profile.image["channels"]
    notes = said_of_modes(profile.image["modes"], channels)
    sides = dataset.files[["height", "width"]].to_numpy()[rows]
    fitted: dict[str, Any] = {
        "image_size": _size(sides, image_size, profile.target["sizes"]["p25"], notes),
        "channels": channels,
        "dtype": "uint8",
        "scale": 255.0,
        "mean": [0.0] * channels,
        "std": [1.0] * channels,
    }
    scaled = DetectionPreprocessing({**fitted, "target": {}}).scaled
    return normalised(fitted, scaled, dataset, rows, moments, notes)


def _size(sides: np.ndarray, asked: int | None, small: float, notes: list[str]) -> int:
    """The side of the square that the longer side of each image is scaled to; `small` objects relative to it."""
    longer = int(np.median(sides.max(axis=1)))
    wanted = min(LARGEST, max(USUAL, -(-int(SEEN / max(small, 1e-3)) // MULTIPLE) * MULTIPLE))
    size = asked if asked is not None else max(MULTIPLE, min(longer, wanted))
    if (sides == size).all():
        notes.append(f"Images keep their size, {size} × {size}.")
        return size
    if asked is None:
        size -= size % MULTIPLE
    chosen = "as asked" if asked is not None else f"the median longer side is {longer}"
    more = "" if longer <= size else "; --image-size keeps more of them, and takes longer"
    notes.append(
        f"Images are scaled into squares of {size} × {size} pixels ({chosen}{more}); boxes are given, and the test is "
        "scored, in the images' own pixels."
    )
    if small * size < SEEN:
        notes.append(f"A quarter of the objects have less than {small * size:.0f} pixels a side there: they are hard.")
    return size
