"""The parts of the data that go into the folder, so that its scripts have something to run on."""

import csv
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.apply_detection import ANNOTATIONS, DetectionPreprocessing
from netwright.data.apply_image import ImagePreprocessing
from netwright.data.apply_segmentation import SegmentationPreprocessing
from netwright.data.apply_table import TablePreprocessing
from netwright.data.apply_text import TextPreprocessing
from netwright.data.dataset import Dataset
from netwright.export.scripts import Files

CLASSES = {
    "table": TablePreprocessing,
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "segmentation": SegmentationPreprocessing,
    "detection": DetectionPreprocessing,
}
LIMIT = 200_000_000  # bytes of a part that is handed over


def write_data(folder: Path, parts: Mapping[str, Dataset | None], fitted: Mapping[str, Any]) -> Files:
    """Write train, validation and test into `folder/data`; their names, relative to the folder.

    A part that is too large, or that would not be read back as it is, is left out; train goes with validation.
    """
    preprocessing = CLASSES[fitted["kind"]](dict(fitted))
    home = folder / "data"
    names: dict[str, str] = {}
    for part, dataset in parts.items():
        if dataset is not None:
            home.mkdir(exist_ok=True)
            name = _write(home, part, dataset, preprocessing)
            if name:
                names[part] = name
    if not {"train", "validation"} <= names.keys():
        for part in names.keys() & {"train", "validation"}:
            alone = home / names.pop(part)
            shutil.rmtree(alone) if alone.is_dir() else alone.unlink()
    if home.is_dir() and not names:
        home.rmdir()
    return Files(**{part: f"data/{name}" for part, name in names.items()})


def _write(folder: Path, part: str, dataset: Dataset, preprocessing: Any) -> str | None:
    """Write one part in the first form that reads back equal; its name, or None."""
    if dataset.modality == "image":
        if isinstance(dataset.inputs, np.ndarray):
            return _write_arrays(folder, part, dataset)
        return _copy_images(folder, part, dataset)
    if dataset.modality == "segmentation":
        return _copy_masks(folder, part, dataset)
    if dataset.modality == "detection":
        return _copy_boxes(folder, part, dataset)
    for suffix, write in ((".csv", _write_csv), (".jsonl", _write_jsonl)):
        path = folder / f"{part}{suffix}"
        write(path, pd.concat([dataset.inputs, dataset.target], axis=1), preprocessing.fitted)
        if path.stat().st_size <= LIMIT and _same(preprocessing, path, dataset):
            return path.name
        path.unlink()
    return None


def _same(preprocessing: Any, path: Path, dataset: Dataset) -> bool:
    """Whether a file gives the same arrays and targets as the data that it was written from."""
    try:
        read = preprocessing.read(path)
        got, wanted = preprocessing.load(read), preprocessing.load(dataset.inputs)
        if isinstance(read, pd.DataFrame):
            got["target"] = preprocessing.targets(read[dataset.target_name])
            wanted["target"] = preprocessing.targets(dataset.target)
    except (ValueError, KeyError, TypeError):
        return False
    return all(np.array_equal(got[name], values) for name, values in wanted.items())


def _write_csv(path: Path, frame: pd.DataFrame, fitted: Mapping[str, Any]) -> None:
    frame.to_csv(
        path,
        index=False,
        sep=fitted.get("separator") or ",",
        decimal=fitted.get("decimal") or ".",
        quoting=csv.QUOTE_MINIMAL,
        encoding="utf-8",
    )


def _write_jsonl(path: Path, frame: pd.DataFrame, fitted: Mapping[str, Any]) -> None:
    frame.to_json(path, orient="records", lines=True, force_ascii=False, date_format="iso", double_precision=15)


def _write_arrays(folder: Path, part: str, dataset: Dataset) -> str | None:
    labels = dataset.target.to_numpy()
    labels = labels.astype(str) if labels.dtype.kind not in "biuf" else labels
    if dataset.inputs.nbytes > LIMIT:
        return None
    np.savez_compressed(folder / f"{part}.npz", x=dataset.inputs, y=labels)
    return f"{part}.npz"


def _copy_images(folder: Path, part: str, dataset: Dataset) -> str | None:
    """Copy the files into a folder for each class; equal names get a number in front."""
    paths = [Path(path) for path in dataset.inputs]
    if sum(path.stat().st_size for path in paths) > LIMIT:
        return None
    for path, label in zip(paths, dataset.target, strict=True):
        home = folder / part / str(label)
        home.mkdir(parents=True, exist_ok=True)
        goal, number = home / path.name, 1
        while goal.exists():
            number += 1
            goal = home / f"{number}-{path.name}"
        shutil.copyfile(path, goal)
    return part


def _copy_masks(folder: Path, part: str, dataset: Dataset) -> str | None:
    """Copy the files into images/ and masks/, under the same names; equal names get a number in front."""
    images, masks = [Path(path) for path in dataset.inputs], [Path(path) for path in dataset.target]
    if sum(path.stat().st_size for path in (*images, *masks)) > LIMIT:
        return None
    homes = folder / part / "images", folder / part / "masks"
    for home in homes:
        home.mkdir(parents=True)
    taken: set[str] = set()
    for image, mask in zip(images, masks, strict=True):
        stem, number = image.stem, 1
        while stem in taken:
            number += 1
            stem = f"{number}-{image.stem}"
        taken.add(stem)
        shutil.copyfile(image, homes[0] / f"{stem}{image.suffix}")
        shutil.copyfile(mask, homes[1] / f"{stem}{mask.suffix}")
    return part


def _copy_boxes(folder: Path, part: str, dataset: Dataset) -> str | None:
    """Copy the images into images/, and write COCO's JSON beside it; equal names get a number in front."""
    paths = [Path(path) for path in dataset.inputs]
    if sum(path.stat().st_size for path in paths) > LIMIT:
        return None
    assert dataset.classes is not None
    home = folder / part / "images"
    home.mkdir(parents=True)
    images: list[dict[str, Any]] = []
    things: list[dict[str, Any]] = []
    for number, (path, one) in enumerate(zip(paths, dataset.target, strict=True), 1):
        name, again = path.name, 1
        while (home / name).exists():
            again += 1
            name = f"{again}-{path.name}"
        shutil.copyfile(path, home / name)
        height, width = one["size"]
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        for (x1, y1, x2, y2), code, ignored in zip(one["boxes"], one["labels"], one["ignored"], strict=True):
            box = [x1, y1, x2 - x1, y2 - y1]
            thing = {"id": len(things) + 1, "image_id": number, "category_id": code + 1, "bbox": box}
            things.append({**thing, "area": box[2] * box[3], "iscrowd": int(ignored)})
    categories = [{"id": code, "name": str(label)} for code, label in enumerate(dataset.classes.labels, 1)]
    content = {"images": images, "annotations": things, "categories": categories}
    (folder / part / ANNOTATIONS).write_text(json.dumps(content), encoding="utf-8")
    return part
