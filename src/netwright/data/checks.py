"""What every table and every target must satisfy, wherever it was read from, and the words for saying so."""

import decimal
import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netwright.errors import InputError

MIN_ROWS = 10
"""Fewer rows can't be split into three parts that say anything."""


def nearest(name: str, names: Iterable[str]) -> str:
    """' (did you mean …?)' where a name is close, else ''."""
    lowered = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
    return f" (did you mean {', '.join(repr(lowered[c]) for c in close)}?)" if close else ""


def listing(names: Sequence[Any], limit: int = 20) -> str:
    """Names with commas between, cut after `limit`."""
    shown = ", ".join(str(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} … ({len(names) - limit} more)"


def row_list(mask: np.ndarray, limit: int = 5) -> str:
    """'rows 3, 7 and 9' (counted from 1 after the header), cut after `limit`."""
    rows = np.flatnonzero(mask) + 1
    if len(rows) == 1:
        return f"row {rows[0]}"
    if len(rows) > limit:
        return f"rows {', '.join(map(str, rows[:limit]))} … ({len(rows):,} rows)"
    return f"rows {', '.join(map(str, rows[:-1]))} and {rows[-1]}"


def shown(value: Any) -> str:
    """A value as a person would write it: 'yes', 3, 2.5."""
    return repr(value.item() if isinstance(value, np.generic) else value)


def is_numeric(series: pd.Series) -> bool:
    """Numbers, not booleans."""
    return pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)


def check_table(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    """The frame with plain column types and names; InputError where it can't be used as a table."""
    frame = frame.reset_index(drop=True)
    frame.columns = pd.Index([str(name).strip() for name in frame.columns], dtype=object)
    repeated = list(dict.fromkeys(frame.columns[frame.columns.duplicated()]))
    if repeated:
        places = [str(i + 1) for i, name in enumerate(frame.columns) if name == repeated[0]]
        raise InputError(
            f"column name {repeated[0]!r} occurs more than once (columns {', '.join(places)})"
            + (f", and so do {listing(repeated[1:])}" if len(repeated) > 1 else ""),
            where=where,
            fix="give each column its own name",
        )
    if len(frame) == 0:
        raise InputError("there are column names but no rows", where=where, fix="add rows of data")
    frame = pd.DataFrame({name: _plain(frame[name], where) for name in frame.columns})
    if frame.isna().all(axis=None):
        raise InputError("every value is missing", where=where, fix="check how the file was written")
    return frame


def _plain(series: pd.Series, where: str) -> pd.Series:
    """A column as numbers, booleans, dates or strings."""
    place = f"{where}, column {series.name!r}"
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else ""
    if kind == "c":
        raise InputError("complex numbers can't be used", where=place, fix="give real and imaginary columns")
    if kind == "m":
        return series.dt.total_seconds()
    if kind == "O":
        values = series.dropna()
        nested = values.map(lambda v: isinstance(v, (list, tuple, dict, set, np.ndarray, bytes)))
        if nested.any():
            row = int(nested.index[nested][0]) + 1
            raise InputError(
                f"row {row} holds a {type(values[row - 1]).__name__}; each cell must hold one value",
                where=place,
                fix="flatten it into plain columns before, or leave the column out (--drop)",
            )
        if len(values) and values.map(lambda v: isinstance(v, decimal.Decimal)).all():
            return series.astype(float)
        if pd.api.types.infer_dtype(values) in ("date", "datetime"):
            return pd.to_datetime(series, utc=True).dt.tz_localize(None)
        return series
    if is_numeric(series):
        infinite = np.isinf(series.to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            raise InputError(
                f"infinite values in {row_list(infinite)}",
                where=place,
                fix="replace them with a number, or leave the cell empty where the value is unknown",
            )
    return series


def check_target(target: pd.Series, where: str, part: str = "data") -> None:
    """A target must be there in every row, finite, and take more than one value (in the training data)."""
    name = target.name
    place = f"{where}, target {name!r}"
    missing = target.isna().to_numpy()
    if missing.all():
        raise InputError("every value is missing", where=place, fix="choose another column with --target")
    if missing.any():
        raise InputError(
            f"{missing.sum():,} of {len(target):,} values are missing ({row_list(missing)})",
            where=place,
            fix="fill them in, or delete these rows: a network can't learn from a row without its answer",
        )
    if pd.api.types.is_datetime64_any_dtype(target):
        raise InputError(
            "it holds dates, which are neither classes nor numbers",
            where=place,
            fix="give a number instead, for instance the days since a start date",
        )
    if is_numeric(target) and np.isinf(target.to_numpy(dtype=np.float64)).any():
        raise InputError("it holds infinite values", where=place, fix="delete these rows, or correct them")
    if part == "data" and target.nunique() < 2:
        raise InputError(
            f"all {len(target):,} rows have the same value, {shown(target.iloc[0])}: there is only one class",
            where=place,
            fix="add rows with other values, or choose another target with --target",
        )


def check_rows(rows: int, where: str, least: int = MIN_ROWS) -> None:
    """Enough rows to train and to judge."""
    if rows < least:
        raise InputError(
            f"{rows} row{'s' * (rows != 1)} of data; at least {least} are needed",
            where=where,
            fix="add data: below a few hundred rows no comparison of networks says much",
        )
