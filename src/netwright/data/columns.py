"""What each column of a table holds, decided by rules that are said."""

import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.apply_table import booleans, dates, numbers, texts
from netwright.data.apply_text import UNSPACED
from netwright.data.checks import is_numeric, listing, shown

USED = ("numeric", "boolean", "date", "categorical")
KINDS = (*USED, "text", "identifier", "constant", "missing", "group")
SAMPLE = 2000
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
IDENTIFIER_ROWS = 20
"""Below this many rows, different values in every row are no sign of an identifier."""

IDENTIFIER_NAME = re.compile(
    r"(^|[ _\-.])(id|uuid|guid|key|index|idx|row ?names?|row[ _]?(id|no|num|number))$"
    r"|[a-z]I[Dd]$|^Unnamed: 0$"
)
DATE_LIKE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ,].*)?|.*\b[A-Za-z]{3,9}\b\.?,? .*\d{4}.*")
DAYS = {
    "ISO8601": "year-month-day",
    "%d.%m.%Y": "day.month.year",
    "%d/%m/%Y": "day/month/year",
    "%m/%d/%Y": "month/day/year",
    "%d-%m-%Y": "day-month-year",
    "%m-%d-%Y": "month-day-year",
    "%Y/%m/%d": "year/month/day",
    "%Y.%m.%d": "year.month.day",
    "%d/%m/%y": "day/month/year",
    "%m/%d/%y": "month/day/year",
    "%d %b %Y": "day month year",
    "%d %B %Y": "day month year",
    "%b %d, %Y": "month day, year",
    "%B %d, %Y": "month day, year",
    "%d-%b-%Y": "day-month-year",
}
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")


@dataclass
class Column:
    """One column: its kind and why, and what it holds. Plain data."""

    name: str
    kind: str
    reason: str
    missing: int
    unique: int
    quantiles: dict[str, float] | None = None
    levels: list[list[Any]] | None = None
    format: str | None = None
    examples: list[str] = field(default_factory=list)

    @property
    def used(self) -> bool:
        """Whether the column becomes a feature of the network."""
        return self.kind in USED


def describe(series: pd.Series, kind: str | None = None) -> Column:
    """The column's kind by rule (or as given), with counts, quantiles or the most frequent levels."""
    present = series.dropna()
    unique = int(present.nunique())
    format = None
    if kind is None:
        kind, reason, format = _kind(str(series.name), series, present, unique)
    else:
        reason = "as asked"
    if kind == "date" and format is None:
        format = date_format(present) or "ISO8601"
    column = Column(str(series.name), kind, reason, len(series) - len(present), unique, format=format)
    column.examples = [str(v) for v in present.iloc[:3]]
    if kind == "numeric":
        values = numbers(present)
        values = values[~np.isnan(values)]
        column.missing = len(series) - len(values)
        column.quantiles = {f"{level:g}": float(np.quantile(values, level)) for level in QUANTILES}
    elif kind in ("categorical", "boolean"):
        counts = texts(present).value_counts()
        column.levels = [[level, int(count)] for level, count in counts.head(10).items()]
    return column


def date_format(present: pd.Series) -> str | None:
    """The first format in which (nearly) all of a sample of strings are dates."""
    sample = _sample(present)
    if not sample.map(lambda v: bool(DATE_LIKE.fullmatch(str(v)))).mean() > 0.99:
        return None
    for day in DAYS:
        for time in ("",) if day == "ISO8601" else TIMES:
            if _is_format(sample, day + time):
                return day + time
    return None


def ambiguous_dates(series: pd.Series, format: str) -> bool:
    """Whether day and month could be exchanged: both orders read every date."""
    swapped = format.replace("%d", "§").replace("%m", "%d").replace("§", "%m")
    numeric = "%d" in format and "%m" in format and not format.startswith("%Y")
    return numeric and _is_format(series.dropna(), swapped)


def unparsed_numbers(series: pd.Series) -> pd.Series:
    """The entries of a string column that are no numbers."""
    present = series.dropna()
    if is_numeric(present) or pd.api.types.is_bool_dtype(present):
        return present.iloc[:0]
    return present[np.isnan(numbers(present))]


def _kind(name: str, series: pd.Series, present: pd.Series, unique: int) -> tuple[str, str, str | None]:
    rows = len(present)
    if rows == 0:
        return "missing", "every value is missing", None
    if unique == 1 and rows == len(series):
        return "constant", f"every row holds {shown(present.iloc[0])}", None
    if pd.api.types.is_datetime64_any_dtype(series):
        return "date", "it holds dates", "ISO8601"
    if pd.api.types.is_bool_dtype(present) or pd.api.types.infer_dtype(present) == "boolean":
        return "boolean", "it holds true and false", None
    if is_numeric(series):
        return (*_numeric_kind(name, numbers(present), unique), None)
    words = texts(present)
    if isinstance(series.dtype, pd.CategoricalDtype):
        return "categorical", f"its type is categorical, {unique:,} levels", None
    if unique == 2 and not np.isnan(booleans(words)).any():
        return "boolean", "it holds true and false", None
    format = date_format(words)
    if format is not None:
        day = next(day for day in DAYS if format.startswith(day))
        return "date", f"it holds dates, {DAYS[day]}", format
    odd = unparsed_numbers(words)
    if len(odd) < 0.05 * rows and odd.nunique() <= 5:
        beside = f" beside {listing(sorted(odd.unique()))}" if len(odd) else ""
        reason = f"it holds numbers, written as text{beside}"
        return "numeric", reason, None
    return (*_word_kind(name, words, unique), None)


def _numeric_kind(name: str, values: np.ndarray, unique: int) -> tuple[str, str]:
    rows = len(values)
    if set(np.unique(values)[:3]) == {0.0, 1.0}:
        return "boolean", "it holds 0 and 1"
    if rows >= IDENTIFIER_ROWS and (values == np.round(values)).all():
        if unique == rows and np.ptp(values) == rows - 1:
            return "identifier", "it counts the rows"
        if unique >= 0.95 * rows and IDENTIFIER_NAME.search(name):
            return "identifier", "its name says so, and it is different in (nearly) every row"
    return "numeric", f"it holds numbers, {unique:,} different ones"


def _word_kind(name: str, words: pd.Series, unique: int) -> tuple[str, str]:
    rows = len(words)
    sample = _sample(words)
    length = sample.map(lambda v: len(v.split()) + len(re.findall(f"[{UNSPACED}]", v))).mean()
    if unique > IDENTIFIER_ROWS and unique > 0.3 * rows and length >= 4:
        return "text", f"it holds text, {length:.0f} words on average, {unique:,} different ones"
    if rows >= IDENTIFIER_ROWS and unique >= 0.95 * rows:
        return "identifier", "it is different in (nearly) every row"
    if rows >= IDENTIFIER_ROWS and unique >= 0.8 * rows and IDENTIFIER_NAME.search(name):
        return "identifier", "its name says so, and it is different in most rows"
    return "categorical", f"it holds {unique:,} different words"


def _is_format(sample: pd.Series, format: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(dates(sample, format).notna().mean() > 0.99)


def _sample(series: pd.Series) -> pd.Series:
    """At most SAMPLE entries, evenly spaced."""
    return series.iloc[:: max(1, len(series) // SAMPLE)]
