"""Profiles and contracts like those of known data sets, without the data."""

from typing import Any

from netwright.data.profiles import Profile


def profile(modality: str, rows: int, classes: int = 10, imbalance: float = 1.0, **more: Any) -> Profile:
    """A profile with as many classes; one class means regression."""
    if classes == 1:
        return Profile(modality, "regression", "numbers", rows, {"mean": 0.0, "std": 1.0, "skew": 0.0}, **more)
    labels = list(range(classes))
    target = {"labels": labels, "counts": [rows // classes] * classes, "imbalance": imbalance}
    return Profile(modality, "binary" if classes == 2 else "multiclass", "labels", rows, target, **more)


def images(rows: int, side: int, channels: int = 1, classes: int = 10) -> tuple[Profile, dict[str, Any]]:
    image = {"height": side, "width": side, "channels": channels}
    contract = {"in_channels": channels, "image_size": side, "num_classes": classes}
    return profile("image", rows, classes, image=image), contract


def table(
    rows: int, numeric: int, cardinalities: tuple[int, ...] = (), classes: int = 1
) -> tuple[Profile, dict[str, Any]]:
    contract = {"num_features": numeric, "cardinalities": list(cardinalities), "num_classes": classes}
    return profile("table", rows, classes), contract


def texts(rows: int, length: int, vocabulary: int, classes: int = 2) -> tuple[Profile, dict[str, Any]]:
    lengths = {"p50": max(1, length // 3), "p95": length}
    contract = {"vocab_size": vocabulary, "max_length": length, "num_classes": classes}
    return profile("text", rows, classes, text={"lengths": lengths}), contract


def masks(rows: int, side: int, channels: int = 3, classes: int = 3) -> tuple[Profile, dict[str, Any]]:
    image = {"height": side, "width": side, "channels": channels}
    target = {"labels": list(range(classes)), "counts": [9] * classes, "images": [rows] * classes, "imbalance": 12.0}
    contract = {"in_channels": channels, "image_size": side, "num_classes": classes}
    return Profile("segmentation", "segmentation", "masks", rows, target, image=image), contract


def boxes(
    rows: int, side: int, channels: int = 3, classes: int = 3, small: float = 0.2, objects: float = 3.0
) -> tuple[Profile, dict[str, Any]]:
    """Half of the objects are of 1.5 times the `small` size relative to the image, a quarter below it."""
    image = {"height": side, "width": side, "channels": channels}
    sizes = {"p5": small / 2, "p25": small, "p50": 1.5 * small, "p75": 2 * small, "p95": 3 * small}
    target = {"labels": list(range(classes)), "counts": [9] * classes, "images": [rows] * classes, "imbalance": 12.0}
    target |= {"sizes": sizes, "objects": {"mean": objects, "p50": objects, "max": int(3 * objects)}, "empty": 0}
    contract = {"in_channels": channels, "image_size": side, "num_classes": classes}
    return Profile("detection", "detection", "boxes", rows, target, image=image), contract


DIGITS = images(1797, 8)
MNIST_5K = images(5000, 28)
PHOTOS = images(3000, 128, channels=3, classes=5)
DIAMONDS = table(53_940, 6, (6, 8, 9))
DIABETES = table(442, 10)
REVIEWS = texts(3000, 64, 4000)
SHAPES = masks(400, 64)
STREETS = boxes(400, 64)
