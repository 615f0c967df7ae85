"""Columns that give the target away: copies of it, and single columns that determine it.

A rule is learned from one column on half of (a sample of) the rows and judged on the other half.
"""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from netwright.data.apply_table import booleans, dates, numbers, texts
from netwright.data.checks import is_numeric
from netwright.data.columns import Column

SAMPLE = 5000
CERTAIN = 0.995
"""Balanced accuracy of a single column, on held-out rows, from which on it is called a leak."""
CORRELATED = 0.999
MIN_ROWS = 5
"""Held-out rows of a class below which a perfect score says nothing."""

Leak = tuple[str, str, str, str]
"""id, where, message, fix: the fields of a DataWarning."""


def leaks(inputs: pd.DataFrame, target: pd.Series, task: str, columns: list[Column]) -> list[Leak]:
    """One entry for each column that (nearly) determines the target."""
    rows = np.random.default_rng(0).permutation(len(target))[:SAMPLE]
    found = []
    for column in columns:
        if column.kind in ("constant", "missing", "text"):
            continue
        where = f"column {column.name}"
        fix = f"would it be known when predicting? If not, leave it out (--drop {column.name})"
        series = inputs[column.name]
        if _is_copy(series, target, task):
            found.append(("target-copy", where, f"it is a copy of the target {target.name}", fix))
        elif column.used:
            message = _gives_away(series.iloc[rows], target.iloc[rows], task, column)
            if message:
                found.append(("leakage", where, message, fix))
    return found


def _is_copy(series: pd.Series, target: pd.Series, task: str) -> bool:
    if is_numeric(series) and is_numeric(target):
        return bool(np.array_equal(numbers(series), numbers(target)))
    return task != "regression" and bool((texts(series).to_numpy() == texts(target).to_numpy()).all())


def _gives_away(series: pd.Series, target: pd.Series, task: str, column: Column) -> str:
    """What the column tells about the target, if it is (nearly) everything; else ''."""
    values, ordered = _values(series, column)
    if task == "regression":
        goal = numbers(target)
        if ordered:
            known = ~np.isnan(values)
            if known.mean() < 0.5 or np.ptp(values[known]) == 0:
                return ""
            if _correlation(values[known], goal[known]) > CORRELATED:
                return f"its correlation with {target.name} is above {CORRELATED}"
            if _correlation(_ranks(values[known]), _ranks(goal[known])) > CORRELATED:
                return f"its rank correlation with {target.name} is above {CORRELATED}"
            return ""
        half = len(goal) // 2
        means = pd.Series(goal[:half]).groupby(values[:half]).mean()
        guess = pd.Series(values[half:]).map(means).fillna(goal[:half].mean()).to_numpy()
        explained = 1 - ((goal[half:] - guess) ** 2).sum() / max(
            ((goal[half:] - goal[half:].mean()) ** 2).sum(), 1e-300
        )
        return f"its categories explain {explained:.1%} of {target.name}" if explained > CORRELATED else ""
    classes = pd.factorize(target)[0]
    if ordered:
        values = np.where(np.isnan(values), np.nanmin(values, initial=0.0) - 1, values)
    half = len(classes) // 2
    judged = np.flatnonzero(np.bincount(classes[half:], minlength=classes.max() + 1) >= MIN_ROWS)
    if len(judged) < 2:
        return ""
    if ordered and _mixed(values, classes):
        return ""
    if ordered:
        tree = DecisionTreeClassifier(max_leaf_nodes=2 * (classes.max() + 1), class_weight="balanced", random_state=0)
        guess = tree.fit(values[:half, None], classes[:half]).predict(values[half:, None])
    else:
        table = pd.crosstab(values[:half], classes[:half]).idxmax(axis=1)
        guess = pd.Series(values[half:]).map(table).fillna(-1).to_numpy()
    right = np.array([(guess[classes[half:] == c] == c).mean() for c in judged])
    score = float(right.mean())
    return f"it alone tells {target.name} in {score:.1%} of the cases" if score > CERTAIN else ""


def _values(series: pd.Series, column: Column) -> tuple[np.ndarray, bool]:
    """A column as numbers (NaN: missing) and True, or as codes of its levels (−1: missing) and False."""
    if column.kind == "numeric":
        return numbers(series), True
    if column.kind == "boolean":
        return booleans(series), True
    if column.kind == "date":
        seconds = (dates(series, column.format or "ISO8601") - pd.Timestamp(0)) / pd.Timedelta(seconds=1)
        return seconds.to_numpy(dtype=np.float64, na_value=np.nan), True
    return pd.factorize(texts(series))[0], False


def _mixed(values: np.ndarray, classes: np.ndarray) -> bool:
    """Whether the classes alternate too often along the values for a few cuts to part them (a quick look)."""
    along = classes[np.lexsort((classes, values))]
    return int((along[1:] != along[:-1]).sum()) > 2 * (classes.max() + 1) + 0.05 * len(classes)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return abs(float(np.corrcoef(a, b)[0, 1])) if np.ptp(a) and np.ptp(b) else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    return pd.Series(values).rank().to_numpy()
