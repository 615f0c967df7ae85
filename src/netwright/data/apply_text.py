"""Texts to tokens, as fitted on the training rows.

    fitted = json.loads(Path("preprocessing.json").read_text())
    preprocessing = TextPreprocessing(fitted)
    arrays = preprocessing.load(preprocessing.read("new.csv"))  # {"tokens": (N, L)}

Needs numpy.
"""

import csv
import gzip
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

PADDING, UNKNOWN = 0, 1

# Marks (accents and vowel signs that follow a letter) belong to the word; re's \w leaves them out.
MARKS = "".join(c for c in map(chr, range(0x300, 0x2000)) if unicodedata.category(c)[0] == "M")
# Chinese characters, kana, Thai, Lao and Khmer are written without spaces: each character is a token.
UNSPACED = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\u0e00-\u0eff\u1780-\u17ff\U00020000-\U0003ffff"
LETTERS = rf"(?:(?![{UNSPACED}])[\w{MARKS}])+"
TOKEN = re.compile(rf"[{UNSPACED}]|{LETTERS}(?:['’]{LETTERS})*|\S")


def tokenize(text: str) -> list[str]:
    """Lower-cased words, and each punctuation mark or unspaced character by itself."""
    return TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


class TextPreprocessing:
    """Texts → token numbers (0: padding, 1: unknown), cut after `max_length` tokens."""

    def __init__(self, fitted: dict[str, Any]):
        self.fitted = fitted
        self.target = fitted["target"]
        self.max_length: int = fitted["max_length"]
        self.index = {token: i for i, token in enumerate(fitted["vocabulary"], start=2)}

    @property
    def contract(self) -> dict[str, Any]:
        """What the network's constructor must be given."""
        return {
            "vocab_size": len(self.index) + 2,
            "max_length": self.max_length,
            "num_classes": len(self.target["labels"]) if self.target["kind"] == "classes" else 1,
        }

    def read(self, path: str | Path) -> list[str]:
        """The texts in a CSV, TSV or JSONL file (its text column), or the lines of a plain text file."""
        path, name = Path(path), self.fitted["column"]
        if path.suffix in (".parquet", ".pq"):
            import pandas  # only Parquet needs it

            return pandas.read_parquet(path)[name].fillna("").astype(str).tolist()
        kinds, content = set(path.suffixes), path.read_bytes()
        text = (gzip.decompress(content) if ".gz" in kinds else content).decode("utf-8-sig")
        separator = "\t" if kinds & {".tsv", ".tab"} else self.fitted["separator"]
        if ".txt" in kinds and name not in text.split("\n", 1)[0].strip().split(separator):
            return text.splitlines()
        if kinds & {".jsonl", ".ndjson", ".json"}:
            array = text.lstrip().startswith("[")  # one array of rows, or one row a line
            lines = [text] if array else [line for line in text.split("\n") if line.strip()]
            parsed = [json.loads(line) for line in lines]
            rows = parsed[0] if array else parsed
        else:
            csv.field_size_limit(2**31 - 1)
            rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
        rows = [{str(key).strip(): value for key, value in row.items()} for row in rows]
        if not all(name in row for row in rows):
            raise ValueError(f"{path} lacks the column {name!r}, which the network reads")
        return ["" if row[name] is None else str(row[name]) for row in rows]

    def load(self, inputs: Any) -> dict[str, np.ndarray]:
        """Texts (or a table with the text column) → tokens (N, max_length) i64, padded on the right.

        A text without tokens is one unknown token, so that every text has a length of at least 1.
        """
        if hasattr(inputs, "columns"):
            if self.fitted["column"] not in inputs.columns:
                raise ValueError(f"the table lacks the column {self.fitted['column']!r}, which the network reads")
            inputs = inputs[self.fitted["column"]]
        texts = list(inputs)
        tokens = np.full((len(texts), self.max_length), PADDING, dtype=np.int64)
        for row, text in enumerate(texts):
            words = tokenize(text if isinstance(text, str) else "")[: self.max_length]
            numbers = [self.index.get(word, UNKNOWN) for word in words] or [UNKNOWN]
            tokens[row, : len(numbers)] = numbers
        return {"tokens": tokens}

    def batch(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """A batch of `load`'s arrays (numpy or torch), cut to its longest text."""
        tokens = arrays["tokens"]
        return {"tokens": tokens[:, : max(1, int((tokens != PADDING).sum(1).max()))]}

    def targets(self, target: Any) -> np.ndarray:
        """Class numbers i64 (N,), or standardised numbers f32 (N,)."""
        return targets(self.target, target)

    def decode(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The network's outputs (N, K) → labels (N,) and probabilities (N, K), or numbers (N,) and None."""
        return decode(self.target, outputs)


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
