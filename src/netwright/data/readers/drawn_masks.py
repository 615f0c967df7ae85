"""Masks of every pixel's class, drawn from the outlines of objects in COCO's JSON."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from netwright.data.apply_segmentation import IGNORE
from netwright.data.boxes import Scene, Scenes, semantic_mask
from netwright.data.readers.images import look_at
from netwright.data.readers.masks import MaskFolder
from netwright.data.readers.scene_parts import check_size, classes_used, coco_files, parts_of, read_parts
from netwright.errors import InputError

BACKGROUND = "background"
_files = partial(coco_files, masks=True)
_drawn: list[TemporaryDirectory] = []
"""Where the masks lie; they go when the process ends."""


def is_outlined(path: Path) -> bool:
    """Whether there is COCO's JSON, here or in a part's folder."""
    return bool(parts_of(path, _files))


def read_outlined(path: Path, labels: Sequence[str] | None = None) -> MaskFolder:
    """A mask for each image of a folder with COCO's JSON: 0 where there is no object, else 1 and more, its class.

    Smaller objects lie on larger ones. Crowds, and the boxes of objects without an outline, have no class (255).
    `labels` are the classes, the background first, where they are known already. InputError names the file and what
    is wrong with it.
    """
    notes: list[str] = []
    learned, tested = read_parts(path, _files, notes)
    every = [*learned, *tested]
    known = classes_used(every, labels[1:] if labels else None, str(path), notes)
    outlined = [mask is not None for scenes in every for scene in scenes.scenes for mask in scene.masks]
    if not any(outlined):
        fix = "take the boxes, --task detection, or add a segmentation to each annotation"
        raise InputError("its objects have boxes but no outlines", where=str(path), fix=fix)
    if not all(outlined):
        notes.append(f"{outlined.count(False):,} objects have no outline: the pixels of their boxes are not counted.")
    most = max(len(scenes.labels) for scenes in every)
    if most >= IGNORE:
        fix = f"keep {IGNORE - 1} categories at most"
        raise InputError(f"there are {most} categories, too many for masks", where=str(path), fix=fix)
    folder = _draw(learned, known, str(path))
    folder.test = _draw(tested, known, f"{path} (test part)") if tested else None
    folder.notes = notes + folder.notes
    return folder


def _draw(every: list[Scenes], labels: list[str], where: str) -> MaskFolder:
    """The masks of some sets of scenes as files, whose values follow `labels`."""
    home = TemporaryDirectory(prefix="netwright-masks-")
    _drawn.append(home)
    rows = [(scene, scenes.labels) for scenes in every for scene in scenes.scenes]
    images = [scene.path for scene, _ in rows]
    files = look_at(images, where)
    masks, values = [], np.zeros((len(rows), 256), dtype=np.int64)
    for row, (scene, own) in enumerate(rows):
        check_size(scene.path, files.loc[row, ["height", "width"]].tolist(), (scene.height, scene.width), where)
        mask = _values(scene, own, labels)
        values[row] = np.bincount(mask.ravel(), minlength=256)
        masks.append(str(Path(home.name) / f"{row:06}.png"))
        Image.fromarray(mask).save(masks[-1])
    notes = [note for scenes in every for note in scenes.notes]
    return MaskFolder(images, masks, files, values, notes, names=dict(enumerate([BACKGROUND, *labels])))


def _values(scene: Scene, own: list[str], labels: list[str]) -> np.ndarray:
    """The scene's mask (H, W) u8, its codes changed from those of its own file to those of `labels`."""
    codes = np.full(256, IGNORE, dtype=np.uint8)
    codes[0] = 0
    for code, label in enumerate(own):
        if label in labels:
            codes[code + 1] = labels.index(label) + 1
    return codes[semantic_mask(scene, IGNORE)]
