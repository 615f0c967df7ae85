"""What is fitted alike for masks and for boxes, whose images are scaled into a square."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from netwright.data.dataset import Dataset
from netwright.data.fit_image import BY_WEIGHTS
from netwright.errors import InputError

MEASURED = 500
"""Training images whose mean and deviation are measured."""


def check_asked(image_size: int | None, channels: int | None, least: int) -> None:
    """InputError for channels that images don't have, and for a side below `least` or beyond reason."""
    if channels not in (None, 1, 3):
        raise InputError(f"images can't be read with {channels} channels", where="channels", fix="give 1 or 3")
    if image_size is not None and not least <= image_size <= 4096:
        fix = f"give {2 * least} … 1024"
        raise InputError(f"images can't have {image_size} pixels a side", where="image_size", fix=fix)


def normalised(
    fitted: dict[str, Any],
    scaled: Callable[[str], np.ndarray],
    dataset: Dataset,
    rows: np.ndarray,
    moments: tuple[list[float], list[float]] | None,
    notes: list[str],
) -> dict[str, Any]:
    """`fitted` with the mean and deviation of each channel, `moments` or those of the training images, and the notes.

    scaled: an image's pixels (C, h, w) by its path.
    """
    if moments is not None:
        mean, std = moments
        return {**fitted, "mean": mean, "std": std, "notes": [*notes, BY_WEIGHTS]}
    sample = rows[:: -(-len(rows) // MEASURED)]
    mean, std = _moments((scaled(dataset.inputs[row]) for row in sample), fitted["channels"], fitted["scale"])
    share = "the training images" if len(sample) == len(rows) else f"{len(sample):,} training images"
    said = f"Each channel is normalised by the mean and deviation of {share}."
    return {**fitted, "mean": mean, "std": std, "notes": [*notes, said]}


def _moments(images: Iterable[np.ndarray], channels: int, scale: float) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, of values / scale."""
    total, squares, pixels = np.zeros(channels), np.zeros(channels), 0
    for image in images:
        part = image.astype(np.float64) / scale
        total += part.sum(axis=(1, 2))
        squares += (part**2).sum(axis=(1, 2))
        pixels += part[0].size
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
    return mean.tolist(), np.where(std > 1e-8, std, 1.0).tolist()
