"""Tables to arrays, as fitted on the training rows.

    fitted = json.loads(Path("preprocessing.json").read_text())
    preprocessing = TablePreprocessing(fitted)
    arrays = preprocessing.load(preprocessing.read("new.csv"))  # {"x_num": (N, F), "x_cat": (N, C)}

Needs numpy and pandas.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


class TablePreprocessing:
    """Numbers → normal scores, dates → parts, categories → codes (0: unknown, missing or rare)."""

    def __init__(self, fitted: dict[str, Any]):
        self.fitted = fitted
        self.features = fitted["features"]
        self.target = fitted["target"]

    @property
    def contract(self) -> dict[str, Any]:
        """What the network's constructor must be given."""
        cardinalities = [len(f["levels"]) + 1 for f in self.features if f["kind"] == "categorical"]
        return {
            "num_features": len(self.numeric_names),
            "cardinalities": cardinalities,
            "num_classes": len(self.target["labels"]) if self.target["kind"] == "classes" else 1,
        }

    @property
    def numeric_names(self) -> list[str]:
        """A name for each column of x_num."""
        names = []
        for feature in self.features:
            if feature["kind"] == "date":
                names += [f"{feature['name']}: {part}" for part in feature["parts"]]
            elif feature["kind"] != "categorical":
                names.append(feature["name"])
            if feature.get("missing"):
                names.append(f"{feature['name']} is missing")
        return names

    @property
    def categorical_names(self) -> list[str]:
        """A name for each column of x_cat."""
        return [f["name"] for f in self.features if f["kind"] == "categorical"]

    def read(self, path: str | Path) -> pd.DataFrame:
        """The table in a CSV, TSV, Parquet or JSONL file, read like the training data."""
        path = Path(path)
        if path.suffix in (".parquet", ".pq"):
            frame = pd.read_parquet(path)
        elif path.suffix in (".jsonl", ".ndjson", ".json"):
            text = path.read_text(encoding="utf-8-sig")
            array = text.lstrip().startswith("[")  # one array of rows, or one row a line
            lines = [text] if array else [line for line in text.split("\n") if line.strip()]
            rows = [json.loads(line) for line in lines]
            frame = pd.DataFrame(rows[0] if array else rows)
        else:
            frame = pd.read_csv(
                path,
                sep="\t" if {".tsv", ".tab"} & set(path.suffixes) else self.fitted["separator"],
                decimal=self.fitted["decimal"],
                dtype=dict.fromkeys(self.categorical_names, str),  # 007 is not 7
                encoding="utf-8-sig",
                low_memory=False,
            )
        return frame.rename(columns=lambda name: str(name).strip())

    def load(self, inputs: pd.DataFrame) -> dict[str, np.ndarray]:
        """A table with the training data's columns, in any order → x_num (N, F) f32, x_cat (N, C) i64."""
        missing = [f["name"] for f in self.features if f["name"] not in inputs.columns]
        if missing:
            raise ValueError(f"the table lacks the columns {', '.join(missing)}, which the network was trained on")
        numeric: list[np.ndarray] = []
        codes: list[np.ndarray] = []
        for feature in self.features:
            column = inputs[feature["name"]]
            if feature["kind"] == "categorical":
                codes.append(pd.Categorical(texts(column), categories=feature["levels"]).codes + 1)
                continue
            if feature["kind"] == "numeric":
                values = numbers(column)
                if np.isinf(values).any():
                    raise ValueError(f"column {feature['name']!r} holds infinite values")
                known = np.where(np.isnan(values), feature["median"], values)
                if "knots" in feature:  # quantiles → normal scores
                    numeric.append(np.interp(known, feature["knots"], feature["scores"]))
                else:
                    numeric.append((known - feature["mean"]) / feature["std"])
            elif feature["kind"] == "boolean":
                values = booleans(column)
                numeric.append(np.nan_to_num(values))
            else:
                parts = date_parts(dates(column, feature["format"]))
                values = parts["year"]
                for part, scale in feature["parts"].items():
                    numeric.append(np.nan_to_num((parts[part] - scale["mean"]) / scale["std"]))
            if feature["missing"]:
                numeric.append(np.isnan(values))
        rows = len(inputs)
        x_num = np.empty((rows, len(numeric)), dtype=np.float32)
        for i, values in enumerate(numeric):
            x_num[:, i] = values
        x_cat = np.empty((rows, len(codes)), dtype=np.int64)
        for i, values in enumerate(codes):
            x_cat[:, i] = values
        return {"x_num": x_num, "x_cat": x_cat}

    def batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """A batch of `load`'s arrays (numpy or torch) as the network's arguments: nothing is left to do."""
        return arrays

    def targets(self, target: Any) -> np.ndarray:
        """Class numbers i64 (N,), or standardised numbers f32 (N,)."""
        return targets(self.target, target)

    def decode(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The network's outputs (N, K) → labels (N,) and probabilities (N, K), or numbers (N,) and None."""
        return decode(self.target, outputs)


def numbers(column: pd.Series) -> np.ndarray:
    """A column as f64 (N,); what is no number is NaN."""
    if not pd.api.types.is_numeric_dtype(column):
        column = pd.to_numeric(column, errors="coerce")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def booleans(column: pd.Series) -> np.ndarray:
    """A column as −1 (false), 1 (true) or NaN (missing, or neither)."""
    words = texts(column).str.lower()
    return words.map({"true": 1.0, "1": 1.0, "false": -1.0, "0": -1.0}).to_numpy(dtype=np.float64, na_value=np.nan)


def texts(column: pd.Series) -> pd.Series:
    """A column as strings, missing values kept; 3 and 3.0 are both "3"."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.astype(object).map(_word, na_action="ignore")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan).tolist()
    words = [None if value != value else _word(value) for value in values]
    return pd.Series(words, index=column.index, dtype=object)


def dates(column: pd.Series, format: str) -> pd.Series:
    """A column as dates; what is no date in this format is missing."""
    return pd.to_datetime(column, format=format, errors="coerce", utc=True).dt.tz_localize(None)


def date_parts(column: pd.Series) -> dict[str, np.ndarray]:
    """Dates → their parts as f64 (N,), NaN where missing; `ordinal` counts the days since 1970."""
    parts = {
        "year": column.dt.year,
        "month": column.dt.month,
        "day": column.dt.day,
        "weekday": column.dt.weekday,
        "hour": column.dt.hour + column.dt.minute / 60,
        "ordinal": (column - pd.Timestamp(0)) / pd.Timedelta(days=1),
    }
    return {name: part.to_numpy(dtype=np.float64, na_value=np.nan) for name, part in parts.items()}


TRANSFORMS: dict[str, Any] = {
    "none": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "log1p": (np.log1p, np.expm1),
}


def targets(fitted: dict[str, Any], target: Any) -> np.ndarray:
    """Class numbers i64 (N,), or standardised numbers f32 (N,)."""
    values = np.asarray(target)
    if fitted["kind"] == "number":
        forward, _ = TRANSFORMS[fitted["transform"]]
        return ((forward(values.astype(np.float64)) - fitted["mean"]) / fitted["std"]).astype(np.float32)
    codes = {_word(label): code for code, label in enumerate(fitted["labels"])}
    words = [_word(value) for value in values.tolist()]
    unknown = [word for word in words if word not in codes]
    if unknown:
        raise ValueError(f"unknown class {unknown[0]!r}; the network knows {', '.join(codes)}")
    return np.array([codes[word] for word in words], dtype=np.int64)


def decode(fitted: dict[str, Any], outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Outputs (N, K) → labels (N,) and probabilities (N, K), or numbers (N,) and None."""
    outputs = np.asarray(outputs, dtype=np.float64)
    if fitted["kind"] == "number":
        _, backward = TRANSFORMS[fitted["transform"]]
        return backward(outputs[:, 0] * fitted["std"] + fitted["mean"]), None
    odds = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.array(fitted["labels"])[odds.argmax(axis=1)], odds / odds.sum(axis=1, keepdims=True)


def _word(label: Any) -> str:
    """A class as a string: 3 and 3.0 are both "3"."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
