"""Predictions of a finished result for new data."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL.Image import Image

from netwright.data import DetectionPreprocessing, SegmentationPreprocessing, load, preprocessing
from netwright.data.readers.box_folders import is_box_folder, read_box_folder, true_boxes
from netwright.design import Design
from netwright.errors import InputError
from netwright.tasks.detection_scores import judged
from netwright.tasks.segmentation_metrics import confusion
from netwright.train.boxes import predict_boxes
from netwright.train.masks import predict_masks
from netwright.train.objective import Objective
from netwright.train.trainer import predict as outputs_of
from netwright.workbench.places import MARK
from netwright.workbench.result import load_network


@dataclass
class Predictions:
    """A row for each input: `prediction`, and for classes a `p(label)` for each; the score where the truth is there.

    Of segmentation, a row holds the share of the image's pixels that each class has, and `masks` the images to save. Of
    detection, there is a row for each box, and `boxes` are the same in the form of COCO's results.
    """

    table: pd.DataFrame
    metric: str
    score: float | None = None
    masks: dict[str, Image] | None = None
    boxes: list[dict[str, Any]] | None = None
    rows: int = 0
    """Inputs that were predicted for."""

    def save(self, out: str | Path) -> None:
        """The table as a CSV file, or the masks as PNG files of their names in a folder; boxes also as a JSON file."""
        out = Path(out)
        if self.boxes is not None and out.suffix.lower() == ".json":
            out.write_text(json.dumps(self.boxes), encoding="utf-8")
            return
        if self.masks is None:
            self.table.to_csv(out, index=False)
            return
        if out.is_file():
            raise InputError("this is a file", where=str(out), fix="give a folder for the masks")
        for name, mask in self.masks.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            mask.save(out / name)


def predict(folder: str | Path, source: Any) -> Predictions:
    """What the network in `folder` says of new data: a file, a folder of images, a DataFrame or an array."""
    folder = Path(folder)
    if not (folder / MARK).exists():
        raise InputError("no result of netwright is there", where=str(folder), fix="give a folder that `design` wrote")
    design = Design.load(folder / MARK)
    fitted = json.loads((folder / "preprocessing.json").read_text(encoding="utf-8"))
    apply = preprocessing(fitted)
    if isinstance(apply, DetectionPreprocessing):
        return _predict_boxes(design, fitted, apply, folder, source)
    raw = read(apply, source)
    try:
        arrays = {name: torch.from_numpy(values) for name, values in apply.load(raw).items()}
    except ValueError as error:
        raise InputError(
            str(error), where=str(source), fix="give data like those that the network learned from"
        ) from None
    rows = len(next(iter(arrays.values())))
    if not rows:
        raise InputError("there is nothing to predict for", where=str(source), fix="give at least one row or image")
    network = load_network(folder, design)
    if isinstance(apply, SegmentationPreprocessing):
        return _predict_masks(design, fitted, apply, network, raw, arrays["x"])
    outputs = outputs_of(network, apply.batch, arrays)
    predicted, probabilities = apply.decode(outputs)
    table = pd.DataFrame({"prediction": predicted})
    if isinstance(raw, list) and fitted["kind"] == "image":
        table.insert(0, "file", raw)
    if probabilities is not None:
        for code, label in enumerate(fitted["target"]["labels"]):
            table[f"p({label})"] = probabilities[:, code]
    score = score_of(design, fitted, source, raw, outputs)
    return Predictions(table, design.task.metric or "", score, rows=rows)


def _predict_masks(
    design: Design, fitted: dict[str, Any], apply: SegmentationPreprocessing, network: Any, paths: list[str], x: Any
) -> Predictions:
    """A mask for each image, at its own size; the score where there are masks beside the images."""
    objective = objective_of(design, fitted)
    labels, truths = apply.target["labels"], apply.masks_of(paths)
    images, shares, matrices = {}, [], []
    names = apply.names_of(paths)
    for row, codes in enumerate(predict_masks(network, objective, x, [apply.size_of(path) for path in paths])):
        images[names[row]] = apply.picture(codes)
        shares.append(np.bincount(codes.ravel(), minlength=len(labels)) / codes.size)
        if truths is not None:
            truth = apply.truth(truths[row])
            if truth.shape != codes.shape:
                raise InputError("the mask is not as large as its image", where=truths[row], fix="give masks that fit")
            matrices.append(confusion(truth, codes, len(labels)))
    table = pd.DataFrame(shares, columns=[f"share({label})" for label in labels])
    table.insert(0, "file", paths)
    score = objective.task.score(np.zeros(len(matrices)), np.stack(matrices)) if matrices else None
    return Predictions(table, design.task.metric or "", score, images, rows=len(paths))


def _predict_boxes(
    design: Design, fitted: dict[str, Any], apply: DetectionPreprocessing, folder: Path, source: Any
) -> Predictions:
    """Boxes of each image, in its own pixels; the score where the true ones are there."""
    objective, objects = objective_of(design, fitted), None
    paths: list[str] = []
    if isinstance(source, str | Path) and is_box_folder(Path(source)):
        there = read_box_folder(Path(source), apply.target["labels"])
        for part in (there, *([there.test] if there.test else [])):
            paths, objects = [*paths, *part.images], [*(objects or []), *part.objects]
    paths = paths or read(apply, source)
    if not paths:
        raise InputError("there is nothing to predict for", where=str(source), fix="give at least one image")
    try:
        x = torch.from_numpy(apply.load(paths)["x"])
        sizes = [apply.size_of(path) for path in paths]
    except (ValueError, OSError) as error:
        raise InputError(str(error), where=str(source), fix="give images") from None
    found = predict_boxes(load_network(folder, design), objective, x, sizes)
    results = apply.results(apply.names_of(paths), found)
    files = [path for path, one in zip(paths, found, strict=True) for _ in one["scores"]]
    boxes = np.concatenate([one["boxes"] for one in found])
    table = pd.DataFrame({"file": files, "label": [row["category"] for row in results]})
    table["score"] = np.concatenate([one["scores"] for one in found])
    table[["x1", "y1", "x2", "y2"]] = boxes.round(3)
    score = None
    if objects is not None:
        rows = judged(found, [true_boxes(one) for one in objects], len(apply.target["labels"]))
        score = objective.task.score(np.zeros(len(rows)), rows)
    return Predictions(table, design.task.metric or "", score, boxes=results, rows=len(paths))


def read(apply: Any, source: Any) -> Any:
    """The raw inputs of a path; data in memory as they are."""
    if not isinstance(source, str | Path):
        return source
    if not Path(source).exists():
        raise InputError("there is no such file or folder", where=str(source), fix="check the path")
    try:
        return apply.read(source)
    except (ValueError, UnicodeDecodeError, OSError) as error:
        raise InputError(
            f"can't be read: {error}", where=str(source), fix="give data like those that it learned from"
        ) from None


def score_of(design: Design, fitted: dict[str, Any], source: Any, raw: Any, outputs: np.ndarray) -> float | None:
    """The design's metric, where the data hold the target."""
    target = design.task.target
    if fitted["kind"] != "table" or not isinstance(raw, pd.DataFrame) or target not in raw.columns:
        if fitted["kind"] == "table" or not isinstance(source, str | Path):
            return None
        try:
            data = load(source, target=target if fitted["kind"] == "text" else None, text=design.data.text)
        except InputError:
            return None  # inputs alone
        truth = data.target
    else:
        truth = raw[target]
    if truth.isna().any():
        return None
    objective = objective_of(design, fitted)
    try:
        return objective.score(outputs, objective.preprocessing.targets(truth))
    except ValueError:
        return None  # classes that the network does not know


def objective_of(design: Design, fitted: dict[str, Any]) -> Objective:
    """What the design was trained for."""
    task = {"kind": design.task.kind, "metric": design.task.metric, "classes": design.task.classes or []}
    return Objective.from_json({"task": task, "fitted": fitted})
