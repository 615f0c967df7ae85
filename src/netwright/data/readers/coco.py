"""COCO's JSON: one file with images, categories and annotations, whose masks are polygons or run lengths."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from netwright.data.boxes import Polygons, Scene, Scenes
from netwright.data.checks import listing
from netwright.data.readers.boxes import check_boxes, find_image
from netwright.errors import InputError


def read_coco(path: str | Path, images: str | Path | None = None, masks: bool = True) -> Scenes:
    """Boxes and masks of a COCO file. `images`: their folder, if it is not beside the file; `masks`: whether to read
    these too.

    COCO's box x, y, width, height becomes x, y, x + width, y + height. Classes are numbered in the order of their
    category ids. InputError names the file, the entry and what is wrong with it.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        pictures, categories, things = (list(content[name]) for name in ("images", "categories", "annotations"))
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror}", where=str(file), fix="check the path") from None
    except (ValueError, KeyError, TypeError) as error:
        fix = "give a JSON file with images, categories and annotations (instances_*.json)"
        raise InputError(f"it is no COCO file: {error!r}", where=str(file), fix=fix) from None
    order = sorted(categories, key=lambda one: _value(one, "id", f"{file}, category"))
    codes = {one["id"]: code for code, one in enumerate(order)}
    labels = [str(_value(one, "name", f"{file}, category {one['id']}")) for one in order]
    by_image: dict[Any, list[dict[str, Any]]] = {_value(one, "id", f"{file}, image"): [] for one in pictures}
    for thing in things:
        place = f"{file}, annotation {thing.get('id')}"
        if _value(thing, "image_id", place) not in by_image:
            raise InputError(f"there is no image {thing['image_id']}", where=place, fix="delete it, or add its image")
        if _value(thing, "category_id", place) not in codes:
            known = listing([f"{one['id']} ({one['name']})" for one in order])
            raise InputError(f"there is no category {thing['category_id']}", where=place, fix=f"they are {known}")
        by_image[thing["image_id"]].append(thing)
    homes = [Path(images)] if images is not None else _homes(file)
    scenes = [_scene(one, by_image[one["id"]], codes, homes, file, masks) for one in pictures]
    empty = [Path(scene.path).name for scene in scenes if not len(scene.boxes)]
    notes = [f"{len(empty):,} images have no box: {listing(empty, 5)}."] if empty else []
    if not masks and any(thing.get("segmentation") for thing in things):
        notes.append("There are outlines as well: `--task segmentation` takes these in place of the boxes.")
    return Scenes(labels, scenes, notes)


def _homes(file: Path) -> list[Path]:
    """Where the images of a file usually are: beside it, or as train/ or train2017/ beside annotations/."""
    part, near = file.stem.rpartition("_")[2], file.parent
    return [
        near,
        near / "images",
        near / part,
        near.parent / part,
        near.parent / "images" / part,
        near.parent / "images",
    ]


def _scene(
    picture: dict[str, Any],
    things: list[dict[str, Any]],
    codes: dict[Any, int],
    homes: list[Path],
    file: Path,
    with_masks: bool,
) -> Scene:
    place = f"{file}, image {picture['id']}"
    name = str(_value(picture, "file_name", place))
    height, width = int(_value(picture, "height", place)), int(_value(picture, "width", place))
    image = find_image(homes, name, Path(name).stem, place)
    boxes, masks = [], []
    for thing in things:
        where = f"{file}, annotation {thing.get('id')}"
        box = _value(thing, "bbox", where)
        try:
            x, y, w, h = (float(value) for value in box)
        except (TypeError, ValueError):
            fix = "give x, y, width and height as numbers"
            raise InputError(f"its box {box!r} is incomplete", where=where, fix=fix) from None
        boxes.append([x, y, x + w, y + h])
        masks.append(mask_of(thing.get("segmentation"), height, width, where) if with_masks else None)
    return Scene(
        path=str(image),
        height=height,
        width=width,
        boxes=check_boxes(np.array(boxes, dtype=np.float32).reshape(-1, 4), height, width, place),
        labels=np.array([codes[thing["category_id"]] for thing in things], dtype=np.int64),
        crowd=np.array([bool(thing.get("iscrowd", 0)) for thing in things], dtype=bool),
        difficult=np.zeros(len(things), dtype=bool),
        masks=masks,
    )


def mask_of(segmentation: Any, height: int, width: int, where: str = "") -> np.ndarray | None:
    """Polygons [[x, y, …], …], or run lengths {"size", "counts"} (a list, or COCO's compressed text) → (H, W) bool."""
    if not segmentation:
        return None
    try:
        if isinstance(segmentation, list):
            return fill([np.array(one, dtype=np.float64).reshape(-1, 2) for one in segmentation], height, width)
        counts = segmentation["counts"]
        counts = decompress(counts) if isinstance(counts, str | bytes) else [int(count) for count in counts]
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"its size {segmentation['size']} is not the image's, {[height, width]}")
        return from_runs(counts, height, width)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        fix = "give polygons [[x1, y1, x2, y2, …]], or run lengths with size [height, width] and counts"
        raise InputError(f"its mask can't be read: {error}", where=where, fix=fix) from None


def fill(polygons: Polygons, height: int, width: int) -> np.ndarray:
    """The pixels whose centres lie in any of the polygons, (H, W) bool: by the even-odd rule, row by row."""
    mask = np.zeros((height, width), dtype=bool)
    for polygon in polygons:
        if len(polygon) < 3:
            raise ValueError("a polygon has fewer than three corners")
        x1, y1 = polygon.T
        x2, y2 = np.roll(polygon, -1, axis=0).T
        top, bottom = max(0, int(np.floor(y1.min()))), min(height, int(np.ceil(y1.max())) + 1)
        for row in range(top, bottom):
            y = row + 0.5
            crossed = (y1 <= y) != (y2 <= y)
            if crossed.any():
                at = x1[crossed] + (y - y1[crossed]) * (x2[crossed] - x1[crossed]) / (y2[crossed] - y1[crossed])
                left_of = (np.sort(at)[None] <= np.arange(width)[:, None] + 0.5).sum(axis=1)
                mask[row] |= left_of % 2 == 1
    return mask


def from_runs(counts: list[int], height: int, width: int) -> np.ndarray:
    """Run lengths, of pixels outside and inside in turn, column by column → (H, W) bool."""
    if min(counts, default=0) < 0 or sum(counts) != height * width:
        raise ValueError(f"its runs have {sum(counts)} pixels, the image {height * width}")
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(width, height).T


def decompress(text: str | bytes) -> list[int]:
    """COCO's compressed runs: numbers of 5 bits a character, lowest first; from the fourth on less the last but one.

    Format: cocodataset/cocoapi, maskApi.c.
    """
    codes = [ord(one) - 48 for one in text] if isinstance(text, str) else [one - 48 for one in text]
    counts: list[int] = []
    at = 0
    while at < len(codes):
        value, shift, more = 0, 0, True
        while more:
            code = codes[at]
            if not 0 <= code < 64:
                raise ValueError("its run lengths hold a character that is none of theirs")
            value |= (code & 0x1F) << shift
            more = bool(code & 0x20)
            at, shift = at + 1, shift + 5
            if not more and code & 0x10:
                value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
    return counts


def _value(entry: Any, name: str, where: str) -> Any:
    """A field that must be there."""
    if not isinstance(entry, dict) or name not in entry:
        raise InputError(f"{name} is missing", where=where, fix=f"add {name}, as COCO's format has it")
    return entry[name]
