"""Folders of images and masks: `images/` and `masks/` with the same names, perhaps under train/, val/ and test/."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError

from netwright.data.apply_segmentation import IGNORE, MASK_SUFFIXES, mask_pixels
from netwright.data.checks import listing
from netwright.data.classes import Classes
from netwright.data.readers.images import SUFFIXES, TEST, TRAIN, VALIDATION, look_at
from netwright.data.readers.scene_parts import voc_lists
from netwright.errors import InputError

IMAGES, MASKS = ("images", "jpegimages"), ("masks", "segmentationclass")
CLASS_FILES = ("classes.txt", "classes.json")
Pair = tuple[Path, Path, list[str] | None]
"""The folders of images and masks, and the names of those that count where it is not all."""
LAYOUT = "put images in images/ and their masks, PNG files of the same names, in masks/"


@dataclass
class MaskFolder:
    """Paths of images and masks, what was seen of the images, and how many pixels of each value each mask has."""

    images: list[str]
    masks: list[str]
    files: pd.DataFrame
    values: np.ndarray  # (N, 256)
    notes: list[str] = field(default_factory=list)
    test: "MaskFolder | None" = None
    names: dict[int, str] | None = None


def is_mask_folder(path: Path) -> bool:
    """Whether there are images and masks, here or in train/."""
    if _sub(path, IMAGES) and _sub(path, MASKS):
        return True
    train = _sub(path, TRAIN)
    return train is not None and bool(_sub(train, IMAGES) and _sub(train, MASKS))


def read_mask_folder(path: Path) -> MaskFolder:
    """Every image and mask is opened once; InputError where they don't belong together."""
    pairs = _parts(path)
    names = _class_names(path)
    notes: list[str] = []
    found = {part: _read_pairs(*pair, notes) for part, pair in pairs.items()}
    folder = found["train"]
    if "validation" in found:
        more = found["validation"]
        folder.images += more.images
        folder.masks += more.masks
        folder.files = pd.concat([folder.files, more.files], ignore_index=True)
        folder.values = np.concatenate([folder.values, more.values])
        notes.append("The folders for training and validation are used together; a validation part is drawn from both.")
    if "test" in found:
        folder.test = found["test"]
        folder.test.names = names
        notes.append(f"The {len(folder.test.images):,} images of the test part are kept for the test.")
    folder.notes, folder.names = notes, names
    return folder


def classes_of(folder: MaskFolder, where: str) -> Classes:
    """The classes by name, or by the values that the masks hold; 0 and 255 alone are background and foreground."""
    seen = [int(value) for value in np.flatnonzero(folder.values.sum(axis=0))]
    names = folder.names
    if seen == [0, IGNORE] and (names is None or len(names) == 2):
        labels = list(names.values()) if names else ["background", "foreground"]
        return Classes(labels, [0, IGNORE], named=names is not None)
    values = [value for value in seen if value != IGNORE]
    if names is not None:
        _check_known(folder, sorted(names), where, f"the list has {len(names)} classes")
        classes = Classes([names[value] for value in sorted(names)], sorted(names), named=True)
    else:
        classes = Classes([str(value) for value in values], values)
    if len(values) < 2:
        only = f"only the class {values[0]}" if values else "no class"
        raise InputError(
            f"the masks hold {only}",
            where=where,
            fix="give each pixel the number of its class (0, 1, 2 …; 255 where it is not known), or 0 and 255 alone",
        )
    return classes


def count_classes(folder: MaskFolder, classes: Classes, where: str) -> np.ndarray:
    """Pixels of each class in each mask, (N, K); InputError at a value that is no class."""
    _check_known(folder, classes.values, where, f"the classes are {listing(classes.values)}")
    return classes.counts(folder.values)


def _check_known(folder: MaskFolder, values: list[int], where: str, known: str) -> None:
    allowed = np.isin(np.arange(256), [*values, IGNORE])
    strange = folder.values[:, ~allowed].any(axis=1)
    if strange.any():
        row = int(np.flatnonzero(strange)[0])
        value = int(np.flatnonzero((folder.values[row] > 0) & ~allowed)[0])
        raise InputError(
            f"{folder.masks[row]} has pixels of value {value}, but {known}"
            + (f"; so do {strange.sum() - 1:,} other masks" if strange.sum() > 1 else ""),
            where=where,
            fix="name the class in classes.txt (a name a line, from 0 on), or use 255 for pixels without a class",
        )


# The files -------------------------------------------------------------------------------------------------------


def _parts(path: Path) -> dict[str, Pair]:
    """The images and masks of each part: train/images and train/masks, or images/train and masks/train, or by lists."""
    images, masks = _sub(path, IMAGES), _sub(path, MASKS)
    wanted = (("train", TRAIN), ("validation", VALIDATION), ("test", TEST))
    found: dict[str, Pair] = {}
    if images is not None and masks is not None:
        lists = voc_lists(path, "Segmentation")
        if lists:
            return {part: (images, masks, _names(files)) for part, files in lists.items()}
        if _sub(images, TRAIN) is None:
            found["train"] = (images, masks, None)
        for part, names in wanted:
            inner = _sub(images, names), _sub(masks, names)
            if inner[0] is not None and inner[1] is not None:
                found[part] = (inner[0], inner[1], None)
            elif inner[0] is not None:
                raise InputError(f"there are no masks for {inner[0]}", where=str(masks / inner[0].name), fix=LAYOUT)
    for part, names in wanted:
        home = _sub(path, names)
        if home is None:
            continue
        images, masks = _sub(home, IMAGES), _sub(home, MASKS)
        if images is None or masks is None:
            raise InputError(f"there is no {'masks' if images else 'images'}/ in it", where=str(home), fix=LAYOUT)
        found[part] = (images, masks, None)
    return found


def _names(files: list[Path]) -> list[str]:
    """The names in lists of images, without a suffix, one a line."""
    return [line.split()[0] for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _read_pairs(images: Path, masks: Path, names: list[str] | None, notes: list[str]) -> MaskFolder:
    """`names`: the images to read, of a folder that holds others too."""
    pictures, labelled = _by_stem(images, SUFFIXES), _by_stem(masks, MASK_SUFFIXES)
    if names is not None:
        absent = [name for name in names if name not in pictures]
        if absent:
            what = f"{len(absent):,} of {len(names):,} images of the lists are not there: {listing(absent, 5)}"
            raise InputError(what, where=str(images), fix="add them, or take them out of ImageSets/Segmentation")
        pictures = {name: pictures[name] for name in names}
        labelled = {name: path for name, path in labelled.items() if name in pictures}
    if not pictures:
        raise InputError("there are no images", where=str(images), fix=LAYOUT)
    missing = [path.name for stem, path in pictures.items() if stem not in labelled]
    if missing:
        fix = "add a PNG of the same name, or remove these images"
        if any(f.suffix.lower() in (".jpg", ".jpeg") for f in masks.iterdir()):
            fix = "save masks as PNG: JPEG changes their values"
        raise InputError(
            f"{len(missing):,} of {len(pictures):,} images have no mask: {listing(missing, 5)}",
            where=str(masks),
            fix=fix,
        )
    spare = [path.name for stem, path in labelled.items() if stem not in pictures]
    if spare:
        notes.append(f"{len(spare):,} masks in {masks} have no image and are not used: {listing(spare, 5)}.")
    image_paths = [str(path) for path in pictures.values()]
    mask_paths = [str(labelled[stem]) for stem in pictures]
    files = look_at(image_paths, str(images))
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # pillow decodes outside the interpreter's lock
        seen = list(pool.map(_count_values, mask_paths))
    problems = []
    for row, found in enumerate(seen):
        if isinstance(found, str):
            problems.append(f"{mask_paths[row]}: {found}")
            continue
        (height, width), size = found[0], files.loc[row, ["height", "width"]].tolist()
        if [height, width] != size:
            problems.append(f"{mask_paths[row]}: {width} × {height} pixels, its image has {size[1]} × {size[0]}")
    if problems:
        shown = "".join(f"\n    {problem}" for problem in problems[:10])
        more = f"\n    … and {len(problems) - 10:,} more" if len(problems) > 10 else ""
        raise InputError(
            f"{len(problems):,} of {len(seen):,} masks can't be used:{shown}{more}",
            where=str(masks),
            fix="a mask is a PNG as large as its image, whose pixels are class numbers; replace or delete these",
        )
    values = np.stack([found[1] for found in seen if not isinstance(found, str)])
    return MaskFolder(image_paths, mask_paths, files, values)


def _count_values(path: str) -> tuple[tuple[int, int], np.ndarray] | str:
    """A mask's height and width, and how many pixels it has of each value; or what is wrong with it."""
    try:
        with Image.open(path) as file:
            pixels = mask_pixels(file)
    except UnidentifiedImageError:
        return "the file is empty" if not Path(path).stat().st_size else "this is not an image"
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return str(error)
    height, width = pixels.shape
    return (height, width), np.bincount(pixels.ravel(), minlength=256)


def _by_stem(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix.lower() in suffixes and path.name[0] != ".":
            if path.stem in found:
                raise InputError(
                    f"{found[path.stem].name} and {path.name} have the same name",
                    where=str(folder),
                    fix="give each image a name of its own: it says which mask belongs to it",
                )
            found[path.stem] = path
    return found


def _class_names(path: Path) -> dict[int, str] | None:
    """Value → name from classes.txt (a name a line, from 0 on) or classes.json (a list, or a map of either form)."""
    file = next((path / name for name in CLASS_FILES if (path / name).is_file()), None)
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".txt":
            names = dict(enumerate(line.strip() for line in text.rstrip().splitlines()))
        else:
            names = _from_json(json.loads(text))
    except (ValueError, TypeError, OSError) as error:
        raise InputError(
            f"it can't be read: {error}",
            where=str(file),
            fix='write a list of names, ["sky", "sea"], or values and names, {"0": "sky", "1": "sea"}',
        ) from None
    problem = ""
    if not names or not all(names.values()):
        problem = "a class has no name"
    elif len(set(names.values())) < len(names):
        problem = "two classes have the same name"
    elif not all(0 <= value < IGNORE for value in names) and not (len(names) == 2 and set(names) == {0, IGNORE}):
        problem = "class numbers go from 0 to 254"
    if problem:
        raise InputError(problem, where=str(file), fix="write one name a line, the first for pixels of value 0")
    return dict(sorted(names.items()))


def _from_json(content: Any) -> dict[int, str]:
    if isinstance(content, list):
        return dict(enumerate(map(str, content)))
    if all(isinstance(value, int) for value in content.values()):
        return {value: str(name) for name, value in content.items()}
    return {int(value): str(name) for value, name in content.items()}


def _sub(path: Path, names: tuple[str, ...]) -> Path | None:
    if not path.is_dir():
        return None
    subs = {sub.name.lower(): sub for sub in path.iterdir() if sub.is_dir()}
    return next((subs[name] for name in names if name in subs), None)
