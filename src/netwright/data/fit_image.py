"""What the training images say: size, channels, mean and deviation. Applied by `apply_image.py`."""

from typing import Any

import numpy as np

from netwright.data.apply_image import ImagePreprocessing
from netwright.data.dataset import Dataset
from netwright.data.profiles import Profile
from netwright.errors import InputError

LARGEST = 224
"""Side that is not exceeded unless asked: that of most published networks."""

MEASURED = 2000
"""Training images whose mean and deviation are measured."""

BY_WEIGHTS = "Each channel is normalised by the mean and deviation that the published weights were trained by."


def fit_image(
    dataset: Dataset,
    rows: np.ndarray,
    profile: Profile,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    moments: tuple[list[float], list[float]] | None = None,
) -> dict[str, Any]:
    """One square size, the number of channels, and mean and deviation for each channel.

    image_size: the side in pixels; else that of the images, or the median shorter side, at most 224.
    channels: 1 (grey) or 3 (colour) for image files; else what the files have.
    moments: mean and deviation of each channel of values in 0 … 1, where published weights bring theirs.
    """
    assert profile.image is not None
    notes: list[str] = []
    found = profile.image["channels"]
    if channels is not None and channels != found and (dataset.files is None or channels not in (1, 3)):
        raise InputError(
            f"the images have {found} channels, not {channels}",
            where=dataset.origin,
            fix="leave channels out; only image files can be read as grey (1) or colour (3)",
        )
    if dataset.files is None:
        sides = np.array([[profile.image["height"], profile.image["width"]]])
        kind, scale = _array_range(dataset.inputs, rows)
    else:
        sides = dataset.files[["height", "width"]].to_numpy()[rows]
        kind, scale = "uint8", 255.0
        notes += said_of_modes(profile.image["modes"], channels or found)
    if image_size is not None and not 2 <= image_size <= 4096:
        raise InputError(f"images can't have {image_size} pixels a side", where="image_size", fix="give 8 … 1024")
    size, fit = _size(sides, image_size, notes)
    fitted = {
        "image_size": size,
        "fit": fit,
        "channels": channels or found,
        "dtype": kind,
        "scale": scale,
        "mean": [0.0] * (channels or found),
        "std": [1.0] * (channels or found),
    }
    if moments is not None:
        fitted["mean"], fitted["std"] = moments
        return {**fitted, "notes": [*notes, BY_WEIGHTS]}
    sample = rows[:: -(-len(rows) // MEASURED)]
    mean, std = _moments(dataset, sample, {**fitted, "target": {}})
    fitted["mean"], fitted["std"] = mean, std
    share = "" if len(sample) == len(rows) else f" of {len(sample):,} training images"
    notes.append(f"Each channel is normalised by the mean and deviation{share or ' of the training images'}.")
    return {**fitted, "notes": notes}


def _size(sides: np.ndarray, asked: int | None, notes: list[str]) -> tuple[int, str]:
    """The side of the square, and how images come to it: as they are, stretched, or cut."""
    shorter = int(np.median(sides.min(axis=1)))
    size = asked if asked is not None else min(shorter, LARGEST)
    same = bool((sides == sides[0]).all())
    if same and (sides[0] == size).all():
        notes.append(f"Images keep their size, {size} × {size}.")
        return size, "as is"
    if asked is None and not same and size >= 16:
        size -= size % 8
    if same:
        height, width = sides[0]
        shape = "stretched" if height != width else "resized"
        notes.append(f"Images are {shape} from {height} × {width} to {size} × {size} pixels.")
        return size, "stretch"
    chosen = "as asked" if asked is not None else f"the median shorter side is {shorter}"
    notes.append(
        f"Images differ in size; the shorter side is resized to {size} pixels ({chosen}) and the centre is cut out."
    )
    return size, "crop"


def _array_range(x: np.ndarray, rows: np.ndarray) -> tuple[str, float]:
    """The compact type that holds the values, and the scale that brings them to about 0 … 1."""
    low, high = float(x.min()), float(x[rows].max())
    if x.dtype.kind in "bui" and low >= 0 and float(x.max()) <= 255:
        small = 255.0 if high > 16 else max(high, 1.0)  # grey levels 0 … 16 as in digits, or 0 … 1
        return "uint8", small
    if x.dtype.kind == "f" and low >= 0 and 1 < float(x.max()) <= 255 and bool((x == np.round(x)).all()):
        return "uint8", 255.0 if high > 16 else high
    return "float32", max(abs(high), abs(float(x[rows].min()))) or 1.0


def _moments(dataset: Dataset, rows: np.ndarray, fitted: dict[str, Any]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, of values / scale."""
    inputs = dataset.inputs[rows] if dataset.files is None else [dataset.inputs[row] for row in rows]
    x = ImagePreprocessing(fitted).load(inputs)["x"]
    total = np.zeros(x.shape[1])
    squares = np.zeros(x.shape[1])
    for start in range(0, len(x), 256):
        part = x[start : start + 256].astype(np.float64) / fitted["scale"]
        total += part.sum(axis=(0, 2, 3))
        squares += (part**2).sum(axis=(0, 2, 3))
    pixels = x.size / x.shape[1]
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
    return mean.tolist(), np.where(std > 1e-8, std, 1.0).tolist()


def said_of_modes(modes: dict[str, int], channels: int) -> list[str]:
    """How images of each of pillow's modes are read."""
    notes = [f"Images are read as {'grey' if channels == 1 else 'colour (RGB)'}."]
    clear = sum(count for mode, count in modes.items() if mode in ("RGBA", "LA", "PA"))
    if clear:
        notes.append(f"{clear:,} images have transparent parts: they are laid on white.")
    deep = sum(count for mode, count in modes.items() if mode.startswith("I"))
    if deep:
        notes.append(f"{deep:,} images have 16 bits a pixel: the upper 8 are read.")
    grey = sum(count for mode, count in modes.items() if mode in ("1", "L", "LA") or mode.startswith("I"))
    if channels == 3 and grey:
        notes.append(f"{grey:,} grey images are read as colour.")
    return notes
