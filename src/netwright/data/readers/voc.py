"""Pascal VOC: an XML file of boxes for each image, in `Annotations/` beside `JPEGImages/`, or all in one folder."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from netwright.data.boxes import Scene, Scenes
from netwright.data.checks import listing
from netwright.data.readers.boxes import check_boxes, class_codes, find_image
from netwright.errors import InputError

MOST_BYTES = 4_000_000
"""Of an XML file: a list of boxes is never larger."""


def read_voc(path: str | Path, part: str | None = None, labels: list[str] | None = None) -> Scenes:
    """A folder with `Annotations/` and `JPEGImages/` (or `images/`), or with XML files beside their images.

    VOC counts pixels from 1 and includes the last: its box 1, 1, w, h is 0, 0, w, h here. `part`: only the images
    named in ImageSets/Main/PART.txt. `labels`: the classes, where they are known; else those that occur, sorted.
    InputError names the file and what is wrong with it.
    """
    root = Path(path)
    home = next((root / name for name in ("Annotations", "annotations") if (root / name).is_dir()), root)
    files = sorted(file for file in home.glob("*.xml") if file.name[0] != ".")
    if part is not None:
        files = _named(files, root / "ImageSets" / "Main" / f"{part}.txt")
    if not files:
        raise InputError("there are no XML files", where=str(home), fix="give a folder with Annotations/*.xml")
    found = [_read(file, root) for file in files]
    known, codes = class_codes([name for _, names in found for name in names], labels, str(root))
    for scene, names in found:
        scene.labels = np.array([codes[name] for name in names], dtype=np.int64)
    empty = [Path(scene.path).name for scene, names in found if not names]
    notes = [f"{len(empty):,} images have no box: {listing(empty, 5)}."] if empty else []
    return Scenes(known, [scene for scene, _ in found], notes)


def _named(files: list[Path], file: Path) -> list[Path]:
    """Of the files those that a list names."""
    if not file.is_file():
        known = listing(sorted(one.stem for one in file.parent.glob("*.txt"))) or "none"
        raise InputError("there is no such list of images", where=str(file), fix=f"the parts are {known}")
    stems = {one.stem: one for one in files}
    names = [line.split()[0] for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    missing = [name for name in names if name not in stems]
    if missing:
        fix = "add their XML files, or take them out of the list"
        raise InputError(f"images without boxes' file: {listing(missing, 5)}", where=str(file), fix=fix)
    return [stems[name] for name in names]


def _read(file: Path, root: Path) -> tuple[Scene, list[str]]:
    """A scene without its class codes, and the names of its boxes' classes."""
    content = file.read_bytes()
    if len(content) > MOST_BYTES or b"<!ENTITY" in content or b"<!DOCTYPE" in content:
        fix = "write plain XML of the VOC form, without a document type"
        raise InputError("the file is too large or defines entities", where=str(file), fix=fix)
    try:
        tree = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise InputError(f"it is no XML: {error}", where=str(file), fix="write the file anew") from None
    name = (tree.findtext("filename") or "").strip() or file.with_suffix(".jpg").name
    image = find_image([root / "JPEGImages", root / "images", file.parent, root], name, file.stem, str(file))
    with Image.open(image) as opened:
        width, height = opened.size
    size = tree.find("size")
    if size is not None:
        said = tuple(int(float(size.findtext(side) or 0)) for side in ("width", "height"))
        if all(said) and said != (width, height):
            raise InputError(
                f"it says {said[0]} × {said[1]} pixels, but {image.name} has {width} × {height}",
                where=str(file),
                fix="correct the size, or give the image that was annotated",
            )
    boxes, names, difficult = [], [], []
    for number, item in enumerate(tree.iter("object"), 1):
        where = f"{file}, object {number}"
        label, box = (item.findtext("name") or "").strip(), item.find("bndbox")
        if not label or box is None:
            raise InputError(
                f"it has no {'bndbox' if label else 'name'}", where=where, fix="add it, or delete the object"
            )
        try:
            x1, y1, x2, y2 = (float(box.findtext(side) or "") for side in ("xmin", "ymin", "xmax", "ymax"))
        except ValueError:
            fix = "give xmin, ymin, xmax and ymax as numbers"
            raise InputError("its box is incomplete", where=where, fix=fix) from None
        boxes.append([x1 - 1, y1 - 1, x2, y2])
        names.append(label)
        difficult.append((item.findtext("difficult") or "0").strip() == "1")
    checked = check_boxes(np.array(boxes, dtype=np.float32).reshape(-1, 4), height, width, str(file))
    none = np.zeros(len(boxes), dtype=bool)
    scene = Scene(str(image), height, width, checked, np.zeros(0, np.int64), none, np.array(difficult, dtype=bool))
    scene.masks = [None] * len(boxes)
    return scene, names
