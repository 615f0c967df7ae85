"""`fit_preprocessing`: what the training rows say about scaling, encoding and tokenising, as plain JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.apply_detection import DetectionPreprocessing
from netwright.data.apply_image import ImagePreprocessing
from netwright.data.apply_segmentation import SegmentationPreprocessing
from netwright.data.apply_table import TRANSFORMS, TablePreprocessing
from netwright.data.apply_text import TextPreprocessing
from netwright.data.checks import listing
from netwright.data.dataset import Dataset
from netwright.data.fit_detection import fit_detection
from netwright.data.fit_image import fit_image
from netwright.data.fit_segmentation import fit_segmentation
from netwright.data.fit_table import fit_table
from netwright.data.fit_text import fit_text
from netwright.data.profiles import Profile
from netwright.errors import InputError

Preprocessing = (
    TablePreprocessing | ImagePreprocessing | TextPreprocessing | SegmentationPreprocessing | DetectionPreprocessing
)
APPLY: dict[str, type[Preprocessing]] = {
    "table": TablePreprocessing,
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "segmentation": SegmentationPreprocessing,
    "detection": DetectionPreprocessing,
}

FIT: dict[str, Any] = {
    "table": fit_table,
    "image": fit_image,
    "text": fit_text,
    "segmentation": fit_segmentation,
    "detection": fit_detection,
}


def fit_preprocessing(
    dataset: Dataset, rows: np.ndarray, profile: Profile, *, target_transform: str = "none", **options: Any
) -> dict[str, Any]:
    """Fit on these rows (the training part) only. The result is plain data; `notes` says each decision.

    target_transform: "none", "log" or "log1p", for regression. Options, by modality:
    table: numeric="quantile"|"standard", max_levels, min_count; image: image_size, channels, moments;
    segmentation: image_size, channels, moments; detection: image_size, channels, moments;
    text: max_vocabulary, min_frequency, max_length.
    """
    fit: Any = FIT[dataset.modality]
    target, notes = _fit_target(dataset.target.iloc[rows], profile, target_transform)
    fitted = {
        "kind": dataset.modality,
        "version": 1,
        **fit(dataset, rows, profile, **options),
        "target": target,
    }
    fitted["notes"] = fitted.pop("notes") + notes
    return fitted


def preprocessing(fitted: Mapping[str, Any]) -> Preprocessing:
    """The object that applies a fitted preprocessing."""
    return APPLY[fitted["kind"]](dict(fitted))


def _fit_target(target: pd.Series, profile: Profile, transform: str) -> tuple[dict[str, Any], list[str]]:
    name = str(target.name)
    if profile.task in ("segmentation", "detection"):
        labels = profile.target["labels"]
        kind = "masks" if profile.task == "segmentation" else "boxes"
        return {"kind": kind, "name": name, "labels": labels}, [f"{len(labels)} classes: {listing(labels)}."]
    if profile.task != "regression":
        labels = profile.target["labels"]
        return {"kind": "classes", "name": name, "labels": labels}, [f"{name}: {len(labels)} classes."]
    if transform not in TRANSFORMS:
        raise InputError(f"there is no transform {transform!r}", where=f"target {name!r}", fix="none, log or log1p")
    raw = target.to_numpy(dtype=np.float64)
    least = {"none": -np.inf, "log": 0.0, "log1p": -1.0}[transform]
    if raw.min() <= least:
        raise InputError(
            f"its values go down to {raw.min():g}, which has no logarithm",
            where=f"target {name!r}",
            fix='use the transform "log1p" for values from 0, or "none"',
        )
    values = TRANSFORMS[transform][0](raw)
    mean, std = float(values.mean()), float(values.std()) or 1.0
    words = {"none": name, "log": f"log {name}", "log1p": f"log(1 + {name})"}[transform]
    fitted = {"kind": "number", "name": name, "transform": transform, "mean": mean, "std": std}
    return fitted, [f"{name}: the network learns {words}, standardised."]
