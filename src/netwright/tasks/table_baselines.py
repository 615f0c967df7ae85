"""Baselines of tables: linear on scaled and one-hot columns, trees on the columns as they are."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from netwright.tasks.baseline_models import Candidate, linear_models, trees
from netwright.tasks.task import Task

MISSING = "(missing)"
USED = ("numeric", "date", "categorical")
LEVELS_FOR_LINEAR = 100  # of a categorical column; the rarer ones share one
LEVELS_FOR_TREES = 250  # histograms have 255 bins


def guess_kinds(table: pd.DataFrame) -> dict[str, str]:
    """By dtype: numbers numeric, dates date, everything else categorical."""

    def kind(column: pd.Series) -> str:
        if pd.api.types.is_bool_dtype(column):
            return "categorical"
        if pd.api.types.is_numeric_dtype(column):
            return "numeric"
        return "date" if pd.api.types.is_datetime64_any_dtype(column) else "categorical"

    return {str(name): kind(table[name]) for name in table}


def candidates(task: Task, kinds: dict[str, str], targets: np.ndarray, seed: int) -> list[Candidate]:
    """Two, or none where no column can be used."""
    columns = {kind: [name for name, of in kinds.items() if of == kind] for kind in USED}
    if not any(columns.values()):
        return []
    left_out = [name for name, kind in kinds.items() if kind == "text"]
    note = f"text columns left out: {', '.join(left_out)}" if left_out else ""
    models, choice = linear_models(task)
    linear = "logistic regression" if task.is_classification else "ridge regression"
    tree_features, categorical = _for_trees(columns)
    return [
        Candidate("linear", f"{linear} on scaled and one-hot columns", _for_linear(columns), models, choice, note),
        Candidate(
            "trees",
            "gradient-boosted trees (HistGradientBoosting) on the raw columns",
            tree_features,
            *trees(task, targets, seed, categorical),
            note,
        ),
    ]


def _for_linear(columns: dict[str, list[str]]) -> Pipeline:
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=LEVELS_FOR_LINEAR, sparse_output=False)
    return ColumnTransformer(
        [
            ("numeric", make_pipeline(FunctionTransformer(as_numbers), numbers), columns["numeric"]),
            ("date", make_pipeline(FunctionTransformer(as_date_parts), numbers), columns["date"]),
            ("categorical", make_pipeline(FunctionTransformer(as_levels), levels), columns["categorical"]),
        ]
    )


def _for_trees(columns: dict[str, list[str]]) -> tuple[ColumnTransformer, list[bool]]:
    """Missing numbers stay missing, which the trees understand. Also says which features are categorical."""
    levels = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=LEVELS_FOR_TREES)
    features = ColumnTransformer(
        [
            ("numeric", make_pipeline(FunctionTransformer(as_numbers), EmptyToZero()), columns["numeric"]),
            ("date", make_pipeline(FunctionTransformer(as_date_parts), EmptyToZero()), columns["date"]),
            ("categorical", make_pipeline(FunctionTransformer(as_levels), levels), columns["categorical"]),
        ]
    )
    numbers = len(columns["numeric"]) + 4 * len(columns["date"])
    return features, [False] * numbers + [True] * len(columns["categorical"])


class EmptyToZero(TransformerMixin, BaseEstimator):
    """Columns without one number in the fit become 0: the trees can't bin them (scikit-learn 1.9 fails)."""

    def fit(self, numbers: np.ndarray, y: Any = None) -> "EmptyToZero":
        self.empty_ = np.isnan(numbers).all(0)
        return self

    def transform(self, numbers: np.ndarray) -> np.ndarray:
        return np.where(self.empty_, 0.0, numbers)


def as_numbers(table: pd.DataFrame) -> np.ndarray:
    """Numbers, NaN where there is none; infinities count as missing."""
    numbers = table.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def as_date_parts(table: pd.DataFrame) -> np.ndarray:
    """Days since 1970, month, day of the week, and hour of each date; NaN where there is none."""
    parts = []
    for name in table:
        date = pd.to_datetime(table[name], errors="coerce", utc=True)
        days = (date - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)
        parts += [days, date.dt.month, date.dt.dayofweek, date.dt.hour]
    return np.column_stack([part.to_numpy(dtype=np.float64, na_value=np.nan) for part in parts])


def as_levels(table: pd.DataFrame) -> np.ndarray:
    """Levels as text; missing is a level of its own."""
    return table.astype(object).where(table.notna(), MISSING).astype(str).to_numpy(dtype=object)
