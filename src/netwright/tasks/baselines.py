"""Baselines: what anybody gets in seconds without a network, on the same rows and the same metric.

Three for each task: the majority or mean; a linear model; gradient-boosted trees. Fair to the baseline: for the
validation score it is fitted on the training part, and where it has a penalty to choose, it chooses by validation
loss, as the network chooses its epoch. For the test score it is fitted again on training and validation together,
since nobody who uses it would leave rows out. Its own preprocessing is fitted on the rows that it is fitted on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor

from netwright.tasks import image_baselines, table_baselines, text_baselines
from netwright.tasks.baseline_models import Candidate, again, one_thread_where_small
from netwright.tasks.metrics import METRICS
from netwright.tasks.task import Task

REFITTED = "the test score is of a fit on training and validation rows together"


@dataclass(frozen=True)
class BaselineResult:
    """Outputs are probabilities (N, classes), or numbers (N,): what a metric reads."""

    name: str  # "majority" | "mean", "linear", "trees"
    description: str
    validation_output: np.ndarray
    test_output: np.ndarray
    seconds: float  # fitting and predicting, both fits
    note: str


def run_baselines(
    modality: str,
    task: Task,
    inputs_train: Any,
    y_train: np.ndarray,
    inputs_val: Any,
    y_val: np.ndarray,
    inputs_test: Any,
    column_kinds: dict[str, str] | None = None,
    seed: int = 0,
) -> list[BaselineResult]:
    """All baselines of a modality.

    Inputs by modality: "table" DataFrames of raw columns (`column_kinds`: numeric, categorical or date by column;
    others are left out; guessed from the dtypes when None) · "image" arrays (N, H, W), (N, C, H, W) or (N, H, W, C)
    · "text" sequences of strings. Targets: class codes, or numbers.
    """
    y_train, y_val = _targets(task, y_train), _targets(task, y_val)
    if modality == "table":
        kinds = column_kinds or table_baselines.guess_kinds(inputs_train)
        candidates = table_baselines.candidates(task, kinds, y_train, seed)
    elif modality == "image":
        candidates = image_baselines.candidates(task, inputs_train, y_train, seed)
    elif modality == "text":
        candidates = text_baselines.candidates(task, inputs_train, y_train, seed)
    else:
        raise ValueError(f"{modality!r} is not a modality: table, image or text")
    parts = (inputs_train, y_train, inputs_val, y_val, inputs_test)
    with one_thread_where_small(np.size(inputs_train)):
        return [
            _trivial(task, y_train, y_val, len(inputs_test)),
            *(_run(task, c, *parts) for c in candidates),
        ]


def best_baseline(task: Task, y_val: np.ndarray, results: Sequence[BaselineResult]) -> BaselineResult:
    """The best by the task's metric on the validation part: chosen before the test part is touched."""
    scores = [task.score(y_val, result.validation_output) for result in results]
    sign = 1 if task.metric.greater_is_better else -1
    return results[int(np.nanargmax(sign * np.asarray(scores)))]


def _run(
    task: Task,
    candidate: Candidate,
    inputs_train: Any,
    y_train: np.ndarray,
    inputs_val: Any,
    y_val: np.ndarray,
    inputs_test: Any,
) -> BaselineResult:
    start = perf_counter()
    features = clone(candidate.features).fit(inputs_train)
    x_train, x_val = features.transform(inputs_train), features.transform(inputs_val)
    models = [clone(model).fit(x_train, y_train) for model in candidate.models]
    outputs = [_output(task, model, x_val) for model in models]
    best = int(np.argmin([_loss(task, y_val, output) for output in outputs]))
    everything, y_everything = _concatenate(inputs_train, inputs_val), np.concatenate([y_train, y_val])
    features = clone(candidate.features).fit(everything)
    model = again(models[best]).fit(features.transform(everything), y_everything)
    test = _output(task, model, features.transform(inputs_test))
    notes = [candidate.note, _chosen(candidate, best), REFITTED]
    return BaselineResult(
        candidate.name,
        candidate.description,
        outputs[best],
        test,
        perf_counter() - start,
        "; ".join(note for note in notes if note),
    )


def _trivial(task: Task, y_train: np.ndarray, y_val: np.ndarray, test_rows: int) -> BaselineResult:
    """The classes' shares, or the mean, whatever the input."""
    start = perf_counter()
    model = DummyClassifier(strategy="prior") if task.is_classification else DummyRegressor()
    output = _output(task, model.fit(np.zeros((len(y_train), 1)), y_train), np.zeros((len(y_val), 1)))
    everything = np.concatenate([y_train, y_val])
    model.fit(np.zeros((len(everything), 1)), everything)
    test = _output(task, model, np.zeros((test_rows, 1)))
    name, description = (
        ("majority", "the share of each class in training") if task.is_classification
        else ("mean", "the mean of the training target")
    )  # fmt: skip
    return BaselineResult(name, description, output, test, perf_counter() - start, REFITTED)


def _output(task: Task, model: Any, features: Any) -> np.ndarray:
    """Probabilities with a column for every class of the task, also those that the fit never saw; or numbers."""
    if not task.is_classification:
        return np.asarray(model.predict(features), dtype=np.float64).reshape(-1)
    output = np.zeros((features.shape[0], task.output_size))
    output[:, model.classes_] = model.predict_proba(features)
    return output


def _loss(task: Task, truth: np.ndarray, output: np.ndarray) -> float:
    return METRICS["log_loss" if task.is_classification else "rmse"](truth, output)


def _chosen(candidate: Candidate, best: int) -> str:
    if len(candidate.models) == 1:
        return ""
    return f"{candidate.choice} = {getattr(candidate.models[best], candidate.choice):g}, chosen by validation loss"


def _concatenate(a: Any, b: Any) -> Any:
    if isinstance(a, pd.DataFrame):
        return pd.concat([a, b], ignore_index=True)
    return np.concatenate([a, b]) if isinstance(a, np.ndarray) else [*a, *b]


def _targets(task: Task, targets: np.ndarray) -> np.ndarray:
    return np.asarray(targets, dtype=np.int64 if task.is_classification else np.float64).reshape(-1)
