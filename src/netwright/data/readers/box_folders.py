"""Folders of images with boxes: COCO's JSON or Pascal VOC's XML, perhaps in parts for training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from netwright.data.apply_detection import Objects
from netwright.data.boxes import Scene, Scenes
from netwright.data.readers.images import look_at
from netwright.data.readers.scene_parts import (
    Read,
    check_size,
    classes_used,
    coco_files,
    parts_of,
    read_parts,
    voc_lists,
)
from netwright.data.readers.voc import read_voc
from netwright.errors import InputError

LAYOUT = "give images with COCO's JSON (annotations/instances_train.json) or with Pascal VOC's XML (Annotations/*.xml)"


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
    return bool(parts_of(path, _files))


def read_box_folder(path: Path, labels: Sequence[str] | None = None) -> BoxFolder:
    """Every file of boxes, and every image, is opened once; `labels` are the classes where they are known already.

    InputError names the file and what is wrong with it.
    """
    notes: list[str] = []
    learned, tested = read_parts(path, _files, notes)
    if not learned:
        raise InputError("there are no images with boxes", where=str(path), fix=LAYOUT)
    known = classes_used([*learned, *tested], labels, str(path), notes)
    folder = _together(learned, known, str(path))
    if tested:
        folder.test = _together(tested, known, f"{path} (test part)")
    folder.notes = notes + folder.notes
    return folder


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
            check_size(path, (file.height, file.width), one["size"], where)
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


def _files(path: Path) -> dict[str, list[Read]]:
    return coco_files(path, masks=False) or _voc_lists(path)


def _voc_lists(path: Path) -> dict[str, list[Read]]:
    """XML files in Annotations/ or beside the images, in parts where ImageSets/Main has lists of them."""
    homes = [path / "Annotations", path / "annotations", path]
    if not any(next(home.glob("*.xml"), None) for home in homes if home.is_dir()):
        return {}
    lists = voc_lists(path, "Main")
    if not lists:
        return {"train": [partial(read_voc, path)]}
    return {part: [partial(read_voc, path, file.stem) for file in files] for part, files in lists.items()}


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
