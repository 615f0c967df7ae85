"""What a table's training rows say: medians, quantiles, levels. Applied by `apply_table.py`."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.apply_table import booleans, date_parts, dates, numbers, texts
from netwright.data.checks import listing
from netwright.data.columns import Column
from netwright.data.dataset import Dataset
from netwright.data.profiles import Profile
from netwright.errors import InputError

UNUSED = {
    "text": "as it is text",
    "identifier": "as it names or numbers the rows",
    "constant": "as it is the same in every row",
    "missing": "as every value is missing",
    "group": "as it names the groups",
}
NUMERIC = ("quantile", "standard")
MAX_KNOTS = 1000
ALL_KNOTS = 200_000
"""Knots of all columns together, so that the JSON of a wide table stays small."""


def fit_table(
    dataset: Dataset,
    rows: np.ndarray,
    profile: Profile,
    *,
    numeric: str = "quantile",
    max_levels: int = 1000,
    min_count: int | None = None,
) -> dict[str, Any]:
    """Features with what was fitted for each.

    numeric: "quantile" maps numbers to normal scores by their rank, "standard" subtracts the mean and divides
    by the standard deviation. Categories that occur fewer than `min_count` times (by default 2, or 1 in 5 000
    rows) or are beyond the `max_levels` most frequent ones are code 0.
    """
    if numeric not in NUMERIC:
        raise InputError(f"there is no scaling {numeric!r} of numbers", where="numeric", fix=" or ".join(NUMERIC))
    least = min_count if min_count is not None else max(2, len(rows) // 5000)
    frame: pd.DataFrame = dataset.inputs.iloc[rows]
    count = sum(column.kind == "numeric" for column in profile.columns)
    knots = min(MAX_KNOTS, max(10, len(rows) // 30), max(10, ALL_KNOTS // max(count, 1)))
    features: list[dict[str, Any]] = []
    notes: list[str] = []
    for kind in dict.fromkeys(column.kind for column in profile.columns if not column.used):
        names = [column.name for column in profile.columns if column.kind == kind]
        notes.append(f"Not used, {UNUSED[kind]}: {listing(names, 10)}.")
    for column in profile.columns:
        if not column.used:
            continue
        series = frame[column.name]
        if column.kind == "numeric":
            feature = _fit_numeric(series, numeric, knots, notes)
        elif column.kind == "boolean":
            feature = {"missing": bool(np.isnan(booleans(series)).any())}
        elif column.kind == "date":
            time = column.name == dataset.time_column
            feature = _fit_date(series, column, time, notes)
        else:
            feature = _fit_levels(series, max_levels, least, notes)
        if feature is not None:
            features.append({"name": column.name, "kind": column.kind, **feature})
    if not features:
        raise InputError(
            "in the training rows every column is empty or constant",
            where=dataset.origin,
            fix="add rows, or columns that say something of each row",
        )
    numbered = sum(feature["kind"] == "numeric" for feature in features)
    if numbered:
        way = f"mapped to normal scores by {knots} quantiles" if numeric == "quantile" else "standardised"
        notes.append(f"{numbered} numeric columns are {way}.")
    reading = {"separator": ",", "decimal": "."} | dataset.reading
    return {**reading, "features": features, "notes": notes}


def _fit_numeric(series: pd.Series, way: str, knots: int, notes: list[str]) -> dict[str, Any] | None:
    values = numbers(series)
    known = values[~np.isnan(values)]
    if len(known) == 0 or (np.ptp(known) == 0 and len(known) == len(values)):
        notes.append(f"{series.name}: not used; it is {'empty' if len(known) == 0 else 'constant'} in training.")
        return None
    missing = len(values) - len(known)
    feature: dict[str, Any] = {"median": float(np.median(known)), "missing": missing > 0}
    if missing:
        notes.append(
            f"{series.name}: {missing:,} missing values in training become the median {feature['median']:g}, "
            "and a column says where."
        )
    if way == "standard" or np.ptp(known) == 0:
        return feature | {"mean": float(known.mean()), "std": float(known.std()) or 1.0}
    return feature | _normal_scores(known, knots)


SMALLEST = 1e-290
"""Between knots closer than this the slope of their scores would overflow."""


def _normal_scores(values: np.ndarray, count: int) -> dict[str, list[float]]:
    """Quantiles and their normal scores, Φ⁻¹(p); equal values get the mean p of their ranks."""
    edge = 0.5 / len(values)
    levels = np.linspace(0, 1, min(count, len(values)))
    p = edge + levels * (1 - 2 * edge)
    quantiles = np.array([float(f"{q:.9g}") for q in np.quantile(values, levels)])
    quantiles[np.abs(quantiles) < SMALLEST] = 0.0
    knots, place = np.unique(quantiles, return_inverse=True)
    middle = np.bincount(place, weights=p) / np.bincount(place)
    normal = NormalDist()
    return {"knots": knots.tolist(), "scores": [round(normal.inv_cdf(m), 6) for m in middle]}


def _fit_date(series: pd.Series, column: Column, time: bool, notes: list[str]) -> dict[str, Any] | None:
    """Mean and deviation of each part of the date that varies.

    Of the column by which the rows are split, the year and the day's number are left out: later rows lie
    beyond everything that was learned of them.
    """
    parts = date_parts(dates(series, str(column.format)))
    missing = np.isnan(parts["year"])
    fitted = {}
    for name, values in parts.items():
        known = values[~missing]
        if len(known) and known.std() > 0 and not (time and name in ("year", "ordinal")):
            fitted[name] = {"mean": float(known.mean()), "std": float(known.std())}
    if not fitted:
        notes.append(f"{series.name}: not used; no part of the date varies in training.")
        return None
    why = " (year and day's number not: the test rows are later)" if time else ""
    notes.append(f"{series.name}: dates become {listing(list(fitted))}{why}.")
    return {"format": column.format, "parts": fitted, "missing": bool(missing.any())}


def _fit_levels(series: pd.Series, most: int, least: int, notes: list[str]) -> dict[str, Any] | None:
    """Levels by frequency; code 0 is left for unknown, missing and rare ones."""
    counts = texts(series).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    levels = [level for level, count in ordered if count >= least][:most]
    merged = len(ordered) - len(levels)
    if not levels or (len(levels) == 1 and counts[levels[0]] == len(series)):
        notes.append(f"{series.name}: not used; no two of its categories are frequent in training.")
        return None
    if merged:
        share = 1 - counts[levels].sum() / max(counts.sum(), 1)
        notes.append(
            f"{series.name}: {merged:,} rare categories ({share:.1%} of the rows) are read as unknown; "
            f"{len(levels):,} are kept."
        )
    if series.isna().any():
        notes.append(f"{series.name}: {series.isna().sum():,} missing values in training are read as unknown.")
    return {"levels": levels}
