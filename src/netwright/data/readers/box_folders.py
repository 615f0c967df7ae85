"""Folders of images with boxes: COCO's JSON or Pascal VOC's XML, perhaps in parts for training, validation and test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from netwright.data.apply_detection import Objects
from netwright.data.boxes import Scene, Scenes
from netwright.data.checks import listing, nearest
from netwright.data.readers.coco import read_coco
from netwright.data.readers.images import TEST, TRAIN, VALIDATION, look_at
from netwright.data.readers.voc import read_voc
from netwright.errors import InputError

LAYOUT = "give images with COCO's JSON (annotations/instances_train.json) or with Pascal VOC's XML (Annotations/*.xml)"
PARTS = {"train": (*TRAIN, "trainval"), "validation": VALIDATION, "test": TEST}
COCO_WORDS = ('"images"', '"annotations"', '"categories"')

Read = Callable[[], Scenes]


@dataclass
class BoxFolder:
    """Paths of images, their true objects, the names of the classes, and what was seen of the images."""

    images: list[str]
    objects: list[Objects]
    labels: list[str]
    files: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    test: "BoxFolder | None" = None


def is_box_folder(path: Path) -> bool:
    """Whether there are boxes of one of the formats, here or in a part's folder."""
    return path.is_dir() and bool(_parts(path))


def read_box_folder(path: Path, labels: Sequence[str] | None = None) -> BoxFolder:
    """Every file of boxes, and every image, is opened once; `labels` are the classes where they are known already.

    InputError names the file and what is wrong with it.
    """
    parts = _parts(path) if path.is_dir() else {}
    if not parts:
        raise InputError("there are no images with boxes", where=str(path), fix=LAYOUT)
    notes: list[str] = []
    found = {part: [read() for read in reads] for part, reads in parts.items()}
    if "train" not in found:  # nothing but a test part: all that there is
        found = {"train": [scenes for every in found.values() for scenes in every]}
    learned = [*found["train"], *found.get("validation", [])]
    if "validation" in found:
        notes.append("The parts for training and validation are used together; a validation part is drawn from both.")
    known = _classes([*learned, *found.get("test", [])], labels, str(path), notes)
    folder = _together(learned, known, str(path))
    if "test" in found:
        folder.test = _together(found["test"], known, f"{path} (test part)")
        notes.append(f"The {len(folder.test.images):,} images of the test part are kept for the test.")
    folder.notes = notes + folder.notes
    return folder


def _classes(every: list[Scenes], labels: Sequence[str] | None, where: str, notes: list[str]) -> list[str]:
    """The classes that have a box, in their order; InputError at one that is none of `labels`."""
    used = {scenes.labels[code] for scenes in every for scene in scenes.scenes for code in scene.labels.tolist()}
    if labels is not None:
        strange = sorted(used - set(labels))
        if strange:
            raise InputError(
                f"{strange[0]!r} is no class of the data{nearest(strange[0], list(labels))}",
                where=where,
                fix=f"the classes are {listing(labels)}",
            )
        return list(labels)
    if not used:
        raise InputError("no image has a box", where=where, fix="annotate some objects first")
    named = list(dict.fromkeys(label for scenes in every for label in scenes.labels))
    without = [label for label in named if label not in used]
    if without:
        notes.append(f"{len(without)} classes have no box and are left out: {listing(without, 5)}.")
    return [label for label in named if label in used]


def _together(every: list[Scenes], labels: list[str], where: str) -> BoxFolder:
    """Some sets of scenes as one, with the codes of these classes."""
    images, objects, notes = [], [], []
    for scenes in every:
        codes = {code: labels.index(label) for code, label in enumerate(scenes.labels) if label in labels}
        images += [scene.path for scene in scenes.scenes]
        objects += [_objects(scene, codes) for scene in scenes.scenes]
        notes += scenes.notes
    twice = sorted({path for path in images if images.count(path) > 1}) if len(set(images)) < len(images) else []
    if twice:
        raise InputError(
            f"{twice[0]} is annotated twice" + (f"; so are {len(twice) - 1:,} others" if len(twice) > 1 else ""),
            where=where,
            fix="keep one entry for each image",
        )
    files = look_at(images, where)
    for path, one in zip(images, objects, strict=True):
        with Image.open(path) as file:
            if [file.height, file.width] != one["size"]:
                raise InputError(
                    f"{path} has {file.width} × {file.height} pixels, its annotation says "
                    f"{one['size'][1]} × {one['size'][0]}",
                    where=where,
                    fix="correct the size, or give the image that was annotated, saved as it is to be seen",
                )
    files[["height", "width"]] = np.array([one["size"] for one in objects])  # as stored: so are boxes
    ignored = sum(sum(one["ignored"]) for one in objects)
    if ignored:
        notes.append(f"{ignored:,} crowds and difficult objects are neither learned nor counted as missed.")
    return BoxFolder(images, objects, labels, files, notes)


def _objects(scene: Scene, codes: dict[int, int]) -> Objects:
    return {
        "size": [scene.height, scene.width],
        "boxes": scene.boxes.tolist(),
        "labels": [codes[code] for code in scene.labels.tolist()],
        "ignored": (scene.crowd | scene.difficult).tolist(),
    }


# The layouts ------------------------------------------------------------------------------------------------------


def _parts(path: Path) -> dict[str, list[Read]]:
    """What there is to read of each part, "train" where nothing says which."""
    found = _coco_files(path) or _voc_lists(path)
    if found:
        return found
    for sub in sorted(sub for sub in path.iterdir() if sub.is_dir()):
        part = _part_of(sub.name)
        inner = _parts_here(sub) if part else []
        if part and inner:
            found.setdefault(part, []).extend(inner)
    return found


def _parts_here(path: Path) -> list[Read]:
    """All of a part's own folder."""
    found = _coco_files(path) or _voc_lists(path)
    return [read for reads in found.values() for read in reads]


def _coco_files(path: Path) -> dict[str, list[Read]]:
    """JSON files in the folder or in its annotations/; their names may end in the part: instances_val2017.json."""
    found: dict[str, list[Read]] = {}
    for home in (path / "annotations", path):
        files = sorted(home.glob("*.json")) if home.is_dir() else []
        for file in filter(_is_coco, files):
            part = _part_of(file.stem.rpartition("_")[2]) or "train"
            found.setdefault(part, []).append(partial(read_coco, file, masks=False))
        if found:
            break
    return found


def _is_coco(file: Path) -> bool:
    if file.name[0] == ".":
        return False
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return all(word in text for word in COCO_WORDS)


def _voc_lists(path: Path) -> dict[str, list[Read]]:
    """XML files in Annotations/ or beside the images, in parts where ImageSets/Main has lists of them."""
    homes = [path / "Annotations", path / "annotations", path]
    if not any(next(home.glob("*.xml"), None) for home in homes if home.is_dir()):
        return {}
    lists = {file.stem: file for file in sorted((path / "ImageSets" / "Main").glob("*.txt"))}
    if "trainval" in lists:
        lists.pop("train", None)
        lists.pop("val", None)
    found: dict[str, list[Read]] = {}
    for stem in lists:
        part = _part_of(stem)
        if part:
            found.setdefault(part, []).append(partial(read_voc, path, stem))
    return found if "train" in found else {"train": [partial(read_voc, path)]}


def _part_of(name: str) -> str | None:
    """The part that a name such as train, val2017 or test stands for."""
    word = name.lower().rstrip("0123456789")
    return next((part for part, words in PARTS.items() if word in words), None)


def box_counts(objects: Sequence[Objects], classes: int) -> np.ndarray:
    """Boxes of each class in each image, (N, K), without those that are ignored."""
    found = np.zeros((len(objects), classes), dtype=np.int64)
    for row, one in enumerate(objects):
        for code, ignored in zip(one["labels"], one["ignored"], strict=True):
            found[row, code] += not ignored
    return found


def true_boxes(one: Objects) -> dict[str, Any]:
    """True objects as the metric takes them: what is ignored is a crowd."""
    return {
        "boxes": np.array(one["boxes"], dtype=np.float64).reshape(-1, 4),
        "labels": np.array(one["labels"], dtype=np.int64),
        "crowd": np.array(one["ignored"], dtype=bool),
    }
