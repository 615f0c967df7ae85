"""Tables in files: CSV and TSV, Parquet, JSON lines."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from netwright.data.readers.delimited import check_utf8, read_delimited
from netwright.errors import InputError

DELIMITED = (".csv", ".tsv", ".tab", ".txt")
READABLE = "CSV, TSV, Parquet, JSONL, NPZ, NPY, or a folder with one sub-folder of images for each class"


def read_table(path: Path, text: str | None = None) -> tuple[pd.DataFrame, list[str], dict[str, Any]]:
    """The table in a file, notes on how it was read, and the reading for new files like it."""
    suffix = path.suffix.lower()
    if suffix == ".gz":
        suffix = Path(path.stem).suffix.lower()
    if suffix in DELIMITED:
        return read_delimited(path, text)
    if suffix in (".parquet", ".pq"):
        return _read_parquet(path), [], {}
    if suffix in (".jsonl", ".ndjson", ".json"):
        return _read_json(path), [], {}
    known = {
        ".xlsx": "save the sheet as CSV (UTF-8)",
        ".xls": "save the sheet as CSV (UTF-8)",
        ".pkl": "a pickle can run code when it is opened: write Parquet or NPZ instead",
        ".pickle": "a pickle can run code when it is opened: write Parquet or NPZ instead",
        ".zip": "unpack it first",
        ".tar": "unpack it first",
    }
    raise InputError(
        f"files with the suffix {suffix!r} can't be read" if suffix else "the file has no suffix that says what it is",
        where=str(path),
        fix=known.get(suffix, f"give {READABLE}"),
    )


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise InputError(
            "reading Parquet needs pyarrow, which is not installed",
            where=str(path),
            fix="pip install pyarrow, or write the table as CSV",
        ) from None
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except Exception as error:  # pyarrow raises errors of its own for each kind of damage
        raise InputError(
            f"it is not a readable Parquet file: {str(error).splitlines()[0]}",
            where=str(path),
            fix="write the file again; it may have been cut off",
        ) from None
    return frame if frame.index.names == [None] else frame.reset_index()


def _read_json(path: Path) -> pd.DataFrame:
    """JSON lines, one object a line; or one array of objects."""
    check_utf8(path)
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        entries = [(number, entry) for number, entry in enumerate(_parse(text, path, None), start=1)]
        unit = "entry"
    else:
        lines = ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        entries = [(number, _parse(line, path, number)) for number, line in lines]
        unit = "line"
    for number, entry in entries:
        if not isinstance(entry, dict):
            raise InputError(
                f"there is a {type(entry).__name__}, not an object with the columns' names and values",
                where=f"{path}, {unit} {number}",
                fix='write each row as one object on one line, for instance {"age": 31, "label": "yes"}',
            )
    return pd.DataFrame([entry for _, entry in entries])


def _parse(text: str, path: Path, line: int | None) -> Any:
    place = f"{path}, line {line}" if line else str(path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(
                f"the name {twice!r} occurs more than once in one object",
                where=place,
                fix="give each value its own name",
            )
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        place = f"{path}, line {line or error.lineno}, column {error.colno}"
        raise InputError(f"this is not JSON: {error.msg}", where=place, fix="write one object a line") from None
