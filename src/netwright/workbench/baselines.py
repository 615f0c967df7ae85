"""The baselines on the run's parts."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from netwright.data import typed_features
from netwright.tasks import (
    BaselineResult,
    Task,
    best_baseline,
    run_baselines,
    run_detection_baselines,
    run_segmentation_baselines,
)
from netwright.train.objective import Objective
from netwright.workbench.boxes import judged_in_square
from netwright.workbench.masks import matrices_of_codes
from netwright.workbench.prepare import Prepared


@dataclass
class Baselines:
    """All results, and which is best on the validation part."""

    task: Task
    results: list[BaselineResult]
    best: BaselineResult
    validation_truth: np.ndarray

    def validation_score(self, result: BaselineResult) -> float:
        return self.task.score(self.validation_truth, result.validation_output)

    def lines(self) -> list[str]:
        """One for each: its validation score and seconds."""
        return [
            f"{result.name:10} {self.task.metric_name} {self.validation_score(result):.4g} on the validation part, "
            f"{result.seconds:.1f} s ({result.description})"
            for result in self.results
        ]


def baselines_of(prepared: Prepared, seed: int) -> Baselines:
    """Majority or mean, linear, trees: fitted on raw values, with their own preprocessing."""
    if prepared.task.is_segmentation or prepared.task.is_detection:
        return _of_places(prepared, seed)
    objective = Objective(prepared.task, prepared.fitted)
    inputs, truth = {}, {}
    kinds = None
    for part in ("train", "validation", "test"):
        rows = prepared.rows(part)
        modality = prepared.dataset.modality
        if modality == "table":
            inputs[part] = typed_features(rows, prepared.profile)
        elif modality == "text":
            inputs[part] = ["" if value is None else str(value) for value in rows.inputs.iloc[:, 0]]
        else:
            inputs[part] = prepared.parts[part]["x"]
        truth[part] = objective.truth(prepared.parts[part]["target"])
    if prepared.dataset.modality == "table":
        numeric = {column.name for column in prepared.profile.columns if column.kind != "categorical"}
        kinds = {
            name: "numeric" if name in numeric or ": " in name else "categorical" for name in inputs["train"].columns
        }
    results = run_baselines(
        prepared.dataset.modality,
        prepared.task,
        inputs["train"],
        truth["train"],
        inputs["validation"],
        truth["validation"],
        inputs["test"],
        column_kinds=kinds,
        seed=seed,
    )
    return Baselines(
        prepared.task,
        results,
        best_baseline(prepared.task, truth["validation"], results),
        truth["validation"],
    )


def _of_places(prepared: Prepared, seed: int) -> Baselines:
    """Those of masks, for each pixel, or of boxes, for windows, on the images as the network sees them.

    They are counted at the images' own sizes.
    """
    parts = prepared.parts
    run, count = (
        (run_segmentation_baselines, matrices_of_codes)
        if prepared.task.is_segmentation
        else (run_detection_baselines, judged_in_square)
    )
    results = run(
        prepared.task,
        {part: arrays["x"] for part, arrays in parts.items()},
        {part: parts[part]["target"] for part in ("train", "validation")},
        partial(count, prepared, "validation"),
        partial(count, prepared, "test"),
        seed,
    )
    truth = np.zeros(len(parts["validation"]["target"]))
    return Baselines(prepared.task, results, best_baseline(prepared.task, truth, results), truth)
