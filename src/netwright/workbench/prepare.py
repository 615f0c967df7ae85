"""From a source to encoded parts: read, profile, split, fit the preprocessing, encode."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from netwright.data import (
    Dataset,
    Preprocessing,
    Profile,
    Split,
    fit_preprocessing,
    load,
    preprocessing,
    profile,
    split,
)
from netwright.errors import InputError
from netwright.tasks import Task
from netwright.workbench.pretrained import Pretrained

SKEWED = 1.0
"""A positive target with more skew than this is learnt as its logarithm: prices, incomes, durations."""


@dataclass
class Prepared:
    """The data of a run. `parts` holds the encoded arrays of "train", "validation" and "test", with their targets."""

    dataset: Dataset
    profile: Profile
    split: Split
    fitted: dict[str, Any]
    preprocessing: Preprocessing
    task: Task
    parts: dict[str, dict[str, np.ndarray]]

    @property
    def contract(self) -> dict[str, Any]:
        """What the data give to the network's constructor."""
        return self.preprocessing.contract

    def rows(self, part: str) -> Dataset:
        """The raw rows of a part."""
        if part == "test" and self.dataset.test is not None:
            return self.dataset.test
        return self.dataset.take(getattr(self.split, part))


def prepare(source: Any, request: Any, pretrained: Pretrained | None = None) -> Prepared:
    """Everything that is decided about the data before any network; the test part is encoded, not looked at.

    Published weights, where training begins from some, decide how images are normalised, and the least size.
    """
    dataset = load(
        source,
        target=request.target,
        text=request.text,
        test=request.test,
        group=request.group,
        time_column=request.time_column,
        drop=request.drop,
        task=request.task,
    )
    found = profile(dataset, task=request.task)
    task = Task.of(found.task, request.metric, found.target.get("labels", ()))
    parts = split(
        dataset,
        found,
        seed=request.seed,
        group=request.group,
        time_column=request.time_column,
        **({"test_fraction": request.test_fraction} if request.test_fraction else {}),
    )
    fitted = fit_preprocessing(dataset, parts.train, found, **options(request, found, pretrained))
    apply = preprocessing(fitted)
    prepared = Prepared(dataset, found, parts, fitted, apply, task, {})
    for part in ("train", "validation", "test"):
        rows = prepared.rows(part)
        prepared.parts[part] = {**apply.load(rows.inputs), "target": apply.targets(rows.target)}
    return prepared


def options(request: Any, found: Profile, pretrained: Pretrained | None) -> dict[str, Any]:
    """What the person and the weights say about the preprocessing, and the scale of a number to predict."""
    chosen: dict[str, Any] = {"image_size": request.image_size} if request.image_size else {}
    if pretrained is not None:
        if found.modality not in ("image", "segmentation", "detection"):
            fix = "leave --pretrained out"
            raise InputError("published weights are for images", where=f"{found.modality} data", fix=fix)
        assert found.image is not None
        if found.modality == "image":  # masks and boxes keep their size: a border that is scaled is not sharper
            side = min(found.image["height"], found.image["width"])
            chosen = {"image_size": pretrained.image_size(side), **chosen}
        chosen["moments"] = pretrained.moments(found.image["channels"])
    if found.task == "regression" and found.target["quantiles"]["0"] > 0 and found.target["skew"] > SKEWED:
        chosen["target_transform"] = "log"
    return chosen
