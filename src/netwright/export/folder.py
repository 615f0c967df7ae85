"""Eject a trained design: a folder that predicts and trains by itself."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

import netwright.data.apply_detection
import netwright.data.apply_image
import netwright.data.apply_segmentation
import netwright.data.apply_table
import netwright.data.apply_text
from netwright.data.dataset import Dataset
from netwright.design import Design
from netwright.design.resolve import as_argument
from netwright.export.data_files import CLASSES, write_data
from netwright.export.errors import EjectError
from netwright.export.model import eject_source
from netwright.export.scripts import Layers, scripts
from netwright.export.verify import example_inputs, reference_of, run_fresh

APPLY = {
    "table": netwright.data.apply_table,
    "image": netwright.data.apply_image,
    "text": netwright.data.apply_text,
    "segmentation": netwright.data.apply_segmentation,
    "detection": netwright.data.apply_detection,
}
TOLERANCE = {"segmentation": 1e-4, "detection": 1e-4}
"""Of the score. A pixel between two classes, or a box at a threshold, tips with the last bit of its scores."""
FILES = ("segmentation", "detection")
"""Modalities whose inputs are always files."""
USUAL_TOLERANCE = 1e-6


def eject(
    folder: str | os.PathLike[str],
    design: Design,
    weights: Mapping[str, Tensor],
    fitted: Mapping[str, Any],
    *,
    train: Dataset | None = None,
    validation: Dataset | None = None,
    test: Dataset | None = None,
    score: float | None = None,
    pretrained: Mapping[str, Tensor] | None = None,
) -> str:
    """Write the folder: the network's source, weights, preprocessing, scripts that predict and train, data.

    `fitted` is the preprocessing as JSON; `pretrained` the published weights, in the network's own names, that
    training began from; the parts of the data that are given are handed over with it.
    Everything is built beside the folder, run in a fresh interpreter without netwright, and only then put in
    its place: the network must start, compute and learn like ours, and on the test part reach `score` (ours, of
    the design's metric) to 1e-6. EjectError says what does not hold.
    Returns what predict.py printed on the test part.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        made = scratch / folder.name
        made.mkdir()
        parts = {"train": train, "validation": validation, "test": test}
        printed = _build(made, design, weights, fitted, parts, pretrained)
        if score is not None and test is not None:
            _check_score(printed, score, TOLERANCE.get(fitted["kind"], USUAL_TOLERANCE))
        _put(made, folder, scratch / "before")
        return printed
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _build(
    folder: Path,
    design: Design,
    weights: Mapping[str, Tensor],
    fitted: Mapping[str, Any],
    parts: Mapping[str, Dataset | None],
    pretrained: Mapping[str, Tensor] | None,
) -> str:
    resolved = design.check()
    args = {name: as_argument(value) for name, value in resolved.args.items()}
    cls = resolved.entry.cls
    preprocessing = CLASSES[fitted["kind"]](dict(fitted))

    files = write_data(folder, parts, fitted)
    some = next((part for part in (parts["test"], parts["validation"], parts["train"]) if part is not None), None)
    inputs = _example(preprocessing, some, design.inputs)
    reference = reference_of(lambda: cls(**args), inputs)

    _save(weights, folder / "weights.safetensors")
    if pretrained is not None:
        _save(pretrained, folder / "pretrained.safetensors")
    (folder / "preprocessing.json").write_text(
        json.dumps(fitted, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    source = Path(str(APPLY[fitted["kind"]].__file__)).read_text(encoding="utf-8")
    (folder / "preprocess.py").write_text(source, encoding="utf-8")
    arrays = fitted["kind"] not in FILES and (some is None or isinstance(some.inputs, np.ndarray))
    members = reference["trained"].ndim == 3
    layers = Layers(reference["held"], reference["layer_pattern"], reference["channels_last"])
    texts = scripts(design, fitted, weights, files, arrays=arrays, members=members, layers=layers)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")

    aside = str(folder.parent.resolve() / "predicted") if fitted["kind"] in FILES else os.devnull
    predict = ["--out", aside] if files.test else []
    header = f"{cls.__name__} for {design.name}: {reference['parameters']:,} parameters."
    for fold in (True, False):
        try:
            model = eject_source(cls, args, header=header, fold=fold)
            (folder / "model.py").write_text(model, encoding="utf-8")
            return run_fresh(folder, reference, predict)
        except EjectError:
            if not fold:
                raise
    raise AssertionError


def _save(weights: Mapping[str, Tensor], path: Path) -> None:
    path.write_bytes(save({name: value.contiguous().clone() for name, value in weights.items()}))


def _example(preprocessing: Any, part: Dataset | None, contract: Mapping[str, Any]) -> dict[str, Tensor]:
    """A few real rows as the network sees them."""
    if part is None:
        return example_inputs(preprocessing.fitted["kind"], contract)
    arrays = preprocessing.load(part.take(np.arange(min(4, len(part)))).inputs)
    return preprocessing.batch({name: torch.from_numpy(values) for name, values in arrays.items()})


def _check_score(printed: str, score: float, tolerance: float) -> None:
    found = re.search(r"^\w+ (-?[\d.]+|nan) on [\d]+ (?:rows|images)$", printed, re.MULTILINE)
    if found is None:
        return  # the test part was too large to be handed over
    reached = float(found[1])
    if not abs(reached - score) <= tolerance * max(1.0, abs(score)):
        raise EjectError(f"predict.py reaches {reached} on the test part, the original {score}")


def _put(made: Path, folder: Path, aside: Path) -> None:
    """Move the finished folder to its place; what was there goes only once the new one stands."""
    if folder.exists():
        folder.rename(aside)
        try:
            made.rename(folder)
        except OSError:
            aside.rename(folder)
            raise
    else:
        made.rename(folder)
