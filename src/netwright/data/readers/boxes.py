"""What the readers of boxes share: finding images, checking boxes, numbering classes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netwright.data.checks import listing, nearest
from netwright.data.readers.images import SUFFIXES
from netwright.errors import InputError


def find_image(folders: Sequence[Path], name: str, stem: str, where: str) -> Path:
    """The image of that name (or that stem), in the first folder that has it; never one outside of the folders."""
    for folder in folders:
        for candidate in (name, Path(name).name, *(f"{stem}{suffix}" for suffix in SUFFIXES)):
            path = folder / candidate
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return path
    tried = listing([str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()])
    raise InputError(f"there is no image {name}", where=where, fix=f"put it into one of {tried}, or correct its name")


def check_boxes(boxes: np.ndarray, height: int, width: int, where: str) -> np.ndarray:
    """The boxes (N, 4), cut to the image; InputError at one without area, or more than a pixel outside of it."""
    if not np.isfinite(boxes).all():
        raise InputError("a box holds values that are no numbers", where=where, fix="correct or delete it")
    limits = np.array([width, height, width, height], dtype=np.float32)
    for number, box in enumerate(boxes, 1):
        said = ", ".join(f"{value:g}" for value in box)
        if box[2] <= box[0] or box[3] <= box[1]:
            fix = "a box goes from its upper left to its lower right corner; correct or delete it"
            raise InputError(f"box {number} ({said}) has no area", where=where, fix=fix)
        if (box < -1).any() or (box > limits + 1).any():
            fix = "correct or delete it; boxes are in pixels of the image as it is stored"
            raise InputError(f"box {number} ({said}) lies outside the {width} × {height} pixels", where=where, fix=fix)
    return np.clip(boxes, 0, limits).astype(np.float32)


def class_codes(names: list[str], labels: list[str] | None, where: str) -> tuple[list[str], dict[str, int]]:
    """The classes in order, and the code of each; InputError at a name that is none of the `labels`."""
    known = list(labels) if labels is not None else sorted(set(names))
    strange = sorted(set(names) - set(known))
    if strange:
        raise InputError(
            f"{strange[0]!r} is no class of the list{nearest(strange[0], known)}",
            where=where,
            fix=f"the classes are {listing(known)}",
        )
    return known, {name: code for code, name in enumerate(known)}
