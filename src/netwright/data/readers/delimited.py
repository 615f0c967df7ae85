"""Delimited text (CSV, TSV): encoding, separator, header and field counts are checked before reading."""

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd

from netwright.data.checks import listing
from netwright.errors import InputError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SNIFFED_RECORDS = 200
DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")
DECIMAL_POINT = re.compile(r"[-+]?\d+\.\d+")

csv.field_size_limit(2**31 - 1)  # a cell may hold a whole document


def read_delimited(path: Path, text: str | None = None) -> tuple[pd.DataFrame, list[str], dict[str, Any]]:
    """The table in a delimited file, notes on how it was read, and the reading (separator, decimal mark).

    Cells of the column `text` are kept as they are: there the word "NA" is a word.
    """
    check_utf8(path)
    separator = "\t" if _suffix(path) in (".tsv", ".tab") else sniff(path)
    names = check_fields(path, separator)
    decimal = _decimal_mark(path, separator)
    notes = []
    if separator != ",":
        notes.append(f"{path.name}: columns are separated by a {SEPARATORS[separator]}.")
    if decimal == ",":
        notes.append(f"{path.name}: the decimal mark is a comma.")
    how: dict[str, Any] = {"sep": separator, "decimal": decimal, "encoding": "utf-8-sig", "index_col": False}
    place = next((i for i, n in enumerate(names) if n.strip() == text), None) if text is not None else None
    try:
        frame = pd.read_csv(path, low_memory=False, **how)
        if place is not None:
            raw = pd.read_csv(path, usecols=[place], dtype=str, keep_default_na=False, **how)
            frame[frame.columns[place]] = raw.iloc[:, 0]
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(
            f"the table can't be read: {error}", where=str(path), fix="write it again as plain CSV"
        ) from None
    # pandas renames repeated names; the check on tables is to see them as they are
    frame.columns = pd.Index([n or f"Unnamed: {i}" for i, n in enumerate(names)], dtype=object)
    return frame, notes, {"separator": separator, "decimal": decimal}


def check_utf8(path: Path) -> None:
    """InputError that names the line and byte where a file is not UTF-8 text, or that it is empty."""
    offset, blank = 0, True
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                if number == 1 and line[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise InputError(
                        "the text is UTF-16, not UTF-8",
                        where=str(path),
                        fix=f"convert it: iconv -f UTF-16 -t UTF-8 {path.name} > converted{path.suffix}",
                    )
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"byte 0x{line[error.start]:02x} at byte {offset + error.start:,} is not UTF-8 text",
                        where=f"{path}, line {number}",
                        fix=f"convert it: iconv -f CP1252 -t UTF-8 {path.name} > converted{path.suffix}",
                    ) from None
                if b"\0" in line:
                    raise InputError(
                        "there is a zero byte: this is a binary file, not a text table",
                        where=f"{path}, line {number}",
                        fix="give CSV, TSV, JSONL or Parquet with the suffix that says so",
                    )
                blank = blank and not line.strip(b"\xef\xbb\xbf \t\r\n")
                offset += len(line)
    except (OSError, EOFError) as error:
        raise InputError(f"it can't be read: {error}", where=str(path), fix="check the file") from None
    if blank:
        raise InputError("the file is empty", where=str(path), fix="give a file with column names and rows")


def sniff(path: Path) -> str:
    """The separator that cuts the first records into equally many fields, more than one; else a comma."""
    best, chosen = (0.0, 1), ","
    for separator in SEPARATORS:
        counts = [len(r) for _, r in zip(range(SNIFFED_RECORDS), records(path, separator), strict=False)]
        even = sum(count == counts[0] for count in counts) / len(counts)
        if counts[0] > 1 and (round(even, 1), counts[0]) > best:
            best, chosen = (round(even, 1), counts[0]), separator
    return chosen


def check_fields(path: Path, separator: str) -> list[str]:
    """The column names; InputError where the header is missing or a record has more or fewer fields."""
    names: list[str] = []
    ragged: list[tuple[int, int]] = []
    start, rows, open_quote = 1, 0, False
    with _text(path) as file:
        reader = csv.reader(file, delimiter=separator)
        for record in reader:
            first, start = start, reader.line_num + 1
            if not record or (len(names) > 1 and record == [""]):
                continue
            if not names:
                names = record
                continue
            rows += 1
            if len(record) != len(names):
                ragged.append((first, len(record)))
                open_quote = len(record) < len(names) and "\n" in record[-1]
    if ragged:
        line, fields = ragged[0]
        raise InputError(
            f"{fields} field{'s' * (fields != 1)} where the header has {len(names)}"
            + (f" ({len(ragged):,} lines are like this)" if len(ragged) > 1 else ""),
            where=f"{path}, line {line}",
            fix="close the quotation mark that is opened there"
            if open_quote
            else f"put cells that hold a {SEPARATORS[separator]} or a line break in double quotes",
        )
    if rows == 0:
        raise InputError(
            f"there are column names ({listing(names, 6)}) but no rows",
            where=str(path),
            fix="add rows of data",
        )
    if _all_numbers(names):
        raise InputError(
            f"the first line looks like data, not like column names: {listing(names, 6)}",
            where=str(path),
            fix="add a first line with a name for each column",
        )
    return names


def records(path: Path, separator: str) -> Iterator[list[str]]:
    """The non-blank records of a file, the header first."""
    with _text(path) as file:
        yield from (record for record in csv.reader(file, delimiter=separator) if record)


def _text(path: Path) -> IO[str]:
    return io.TextIOWrapper(_open(path), encoding="utf-8-sig", newline="")


def _open(path: Path) -> Any:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix.lower() if path.suffix == ".gz" else path.suffix.lower()


def _all_numbers(names: list[str]) -> bool:
    """Numbers throughout, but not the plain count 0, 1, 2 … that pandas writes as names."""
    try:
        numbers = [float(name) for name in names]
    except ValueError:
        return False
    return numbers not in (list(range(len(names))), list(range(1, len(names) + 1)))


def _decimal_mark(path: Path, separator: str) -> str:
    """A comma where cells look like 3,14 and none like 3.14, and commas don't separate columns."""
    if separator == ",":
        return "."
    cells = [c.strip() for _, r in zip(range(SNIFFED_RECORDS), records(path, separator), strict=False) for c in r]
    commas = sum(bool(DECIMAL_COMMA.fullmatch(cell)) for cell in cells)
    points = sum(bool(DECIMAL_POINT.fullmatch(cell)) for cell in cells)
    return "," if commas and not points else "."
