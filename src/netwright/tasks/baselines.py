"""Baselines: what anybody gets in seconds without a network, on the same rows and with the same metric.

Three for each task: the majority or mean; a linear model; gradient-boosted trees. Fair to the baseline: for the
validation score it is fitted on the training part, and what it has to choose (a penalty, the trees' size) it
chooses by validation loss, as the network chooses its epoch. For the test score it is fitted again on training
and validation together, since nobody who uses it would leave rows out. Its preprocessing is fitted with it, on
the same rows and no others.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import ConvergenceWarning

from netwright.tasks import image_baselines, table_baselines, text_baselines
from netwright.tasks.baseline_models import Candidate, again, one_thread_where_small
from netwright.tasks.metrics import METRICS
from netwright.tasks.task import Task

REFITTED = "the test score is of a fit on training and validation rows together"
MOST_ROWS = 100_000


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

    Inputs by modality: "table" DataFrames of raw columns (`column_kinds`: numeric, categorical or date, by column;
    others are left out; guessed from the dtypes when None) · "image" arrays (N, H, W), (N, C, H, W) or
    (N, H, W, C) · "text" sequences of strings. Targets: class codes, or numbers.
    """
    train = _Rows(inputs_train, _targets(task, y_train))
    validation = _Rows(inputs_val, _targets(task, y_val))
    if modality == "table":
        kinds = column_kinds or table_baselines.guess_kinds(inputs_train)
        candidates = table_baselines.candidates(task, kinds, train.targets, seed)
    elif modality == "image":
        candidates = image_baselines.candidates(task, inputs_train, train.targets, seed)
    elif modality == "text":
        candidates = text_baselines.candidates(task, inputs_train, train.targets, seed)
    else:
        raise ValueError(f"{modality!r} is not a modality: table, image or text")
    both = _sample(_together(train, validation), seed)
    train = _sample(train, seed)
    results = [_trivial(task, train, validation, both, len(inputs_test))]
    with one_thread_where_small(np.size(inputs_train)), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the best so far is the baseline
        warnings.simplefilter("ignore", UserWarning)  # levels unseen in the fit, columns without a value
        results += [_run(task, one, train, validation, both, inputs_test) for one in candidates]
    return results


def best_baseline(task: Task, y_val: np.ndarray, results: Sequence[BaselineResult]) -> BaselineResult:
    """The best by the task's metric on the validation part: chosen before the test part is touched."""
    best = results[0]
    for result in results[1:]:
        score, before = (task.score(y_val, each.validation_output) for each in (result, best))
        if np.isnan(before) or task.metric.better(score, before):
            best = result
    return best


@dataclass(frozen=True)
class _Rows:
    inputs: Any
    targets: np.ndarray


def _run(
    task: Task, candidate: Candidate, train: _Rows, validation: _Rows, both: _Rows, inputs_test: Any
) -> BaselineResult:
    start = perf_counter()
    features = clone(candidate.features).fit(train.inputs)
    x_train, x_validation = features.transform(train.inputs), features.transform(validation.inputs)
    models = [clone(model).fit(x_train, train.targets) for model in candidate.models]
    outputs = [_output(task, model, x_validation) for model in models]
    best = int(np.argmin([_loss(task, validation.targets, output) for output in outputs]))
    features = clone(candidate.features).fit(both.inputs)
    model = again(models[best]).fit(features.transform(both.inputs), both.targets)
    test = _output(task, model, features.transform(inputs_test))
    notes = [
        candidate.note,
        _chosen(candidate, best),
        f"fitted on {MOST_ROWS:,} rows drawn by chance" if len(both.targets) == MOST_ROWS else "",
        REFITTED,
    ]
    note = "; ".join(note for note in notes if note)
    return BaselineResult(candidate.name, candidate.description, outputs[best], test, perf_counter() - start, note)


def _trivial(task: Task, train: _Rows, validation: _Rows, both: _Rows, test_rows: int) -> BaselineResult:
    """The classes' shares, or the mean, whatever the input."""
    start = perf_counter()

    def output(rows: _Rows, size: int) -> np.ndarray:
        model = DummyClassifier(strategy="prior") if task.is_classification else DummyRegressor()
        model.fit(np.zeros((len(rows.targets), 1)), rows.targets)
        return _output(task, model, np.zeros((size, 1)))

    name, description = "mean", "the mean of the training target"
    if task.is_classification:
        name, description = "majority", "the share of each class in training"
    outputs = output(train, len(validation.targets)), output(both, test_rows)
    return BaselineResult(name, description, *outputs, perf_counter() - start, REFITTED)


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
    value = getattr(candidate.models[best], candidate.choice)
    return f"{candidate.choice} = {value:g}, chosen by validation loss"


def _together(a: _Rows, b: _Rows) -> _Rows:
    inputs: Any
    if isinstance(a.inputs, pd.DataFrame):
        inputs = pd.concat([a.inputs, b.inputs], ignore_index=True)
    elif isinstance(a.inputs, np.ndarray):
        inputs = np.concatenate([a.inputs, b.inputs])
    else:
        inputs = [*a.inputs, *b.inputs]
    return _Rows(inputs, np.concatenate([a.targets, b.targets]))


def _sample(rows: _Rows, seed: int) -> _Rows:
    """At most MOST_ROWS: beyond, fits take minutes, and the scores of these models hardly move."""
    if len(rows.targets) <= MOST_ROWS:
        return rows
    chosen = np.sort(np.random.default_rng(seed).choice(len(rows.targets), MOST_ROWS, replace=False))
    if isinstance(rows.inputs, pd.DataFrame):
        return _Rows(rows.inputs.iloc[chosen], rows.targets[chosen])
    if isinstance(rows.inputs, np.ndarray):
        return _Rows(rows.inputs[chosen], rows.targets[chosen])
    return _Rows([rows.inputs[index] for index in chosen], rows.targets[chosen])


def _targets(task: Task, targets: np.ndarray) -> np.ndarray:
    return np.asarray(targets, dtype=np.int64 if task.is_classification else np.float64).reshape(-1)
