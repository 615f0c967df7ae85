"""NumPy files: NPZ with inputs and labels under their usual names, or NPY with the labels beside it."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from netwright.data.checks import listing, nearest
from netwright.errors import InputError

INPUT_NAMES = ("x", "images", "data", "inputs", "features", "texts")
LABEL_NAMES = ("y", "labels", "label", "target", "targets", "classes")
TRAIN = ("{}_train", "train_{}")
TEST = ("{}_test", "test_{}")


@dataclass
class Arrays:
    """Inputs and labels, perhaps a test part, and other arrays of the same length by name."""

    x: np.ndarray
    y: np.ndarray
    y_name: str
    test: tuple[np.ndarray, np.ndarray] | None = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_arrays(path: Path, target: str | None = None) -> Arrays:
    """Arrays of an NPZ file (`target`: the key of the labels) or an NPY file (`target`: the labels' file)."""
    if path.suffix.lower() == ".npy":
        return _read_npy(path, target)
    contents = _open(path)
    if not contents:
        raise InputError("it holds no arrays", where=str(path), fix="save it with np.savez(path, x=…, y=…)")
    keys = {name.lower(): name for name in contents}
    if target is not None and target not in contents:
        raise InputError(
            f"there is no array {target!r}{nearest(target, contents)}",
            where=str(path),
            fix=f"choose one of its arrays: {listing(list(contents))}",
        )
    test = None
    x_name = _find(keys, INPUT_NAMES, TRAIN)
    if x_name is not None:
        y_name = target or _find(keys, LABEL_NAMES, TRAIN)
        x_test, y_test = _find(keys, INPUT_NAMES, TEST), _find(keys, LABEL_NAMES, TEST)
        if (x_test is None) != (y_test is None):
            raise InputError(
                f"there is a test array {x_test or y_test!r} without its counterpart",
                where=str(path),
                fix="save both x_test and y_test, or neither",
            )
        if x_test is not None and y_test is not None:
            test = (contents[x_test], contents[y_test])
    else:
        x_name = _find(keys, INPUT_NAMES, ("{}",))
        y_name = target or _find(keys, LABEL_NAMES, ("{}",))
        x_test = y_test = None
    if x_name is None or y_name is None:
        raise InputError(
            f"there is no array of {'inputs' if x_name is None else 'labels'}; it holds {listing(list(contents))}",
            where=str(path),
            fix="name the arrays x and y, images and labels, or x_train, y_train, x_test and y_test",
        )
    rows = len(contents[x_name]) if contents[x_name].ndim else 0
    others = {name: a for name, a in contents.items() if name not in (x_name, y_name, x_test, y_test)}
    extra = {name: a for name, a in others.items() if a.ndim == 1 and len(a) == rows}
    unused = [name for name in others if name not in extra]
    notes = [f"{path.name}: the arrays {listing(unused)} are not used."] if unused else []
    return Arrays(contents[x_name], contents[y_name], y_name, test, extra, notes)


def check_inputs(x: np.ndarray, where: str) -> np.ndarray:
    """Numbers as a table (N, F) or images (N, H, W[, C]), or strings (N,); channels go last."""
    if x.dtype.kind == "O":
        raise InputError(
            "the inputs are ragged or hold Python objects",
            where=where,
            fix="give one array of numbers in which every row has the same shape",
        )
    if x.dtype.kind in "US":
        if x.ndim != 1:
            raise InputError(f"strings of shape {x.shape}", where=where, fix="give one string for each row, (N,)")
        return x.astype(str)
    if x.dtype.kind not in "biuf":
        raise InputError(f"inputs of type {x.dtype} can't be used", where=where, fix="give numbers")
    if x.ndim not in (2, 3, 4):
        raise InputError(
            f"inputs of shape {x.shape}",
            where=where,
            fix="give a table (N, columns) or images (N, H, W), (N, H, W, C) or (N, C, H, W)",
        )
    if 0 in x.shape:
        raise InputError(f"inputs of shape {x.shape} are empty", where=where, fix="give arrays with data")
    if x.ndim > 2 and min(x.shape[1:3]) < 2:
        raise InputError(f"images of shape {x.shape[1:]}", where=where, fix="give images of at least 2 × 2")
    if x.dtype.kind == "f" and x.ndim > 2 and not np.isfinite(x).all():
        bad = ~np.isfinite(x).reshape(len(x), -1).all(axis=1)
        raise InputError(
            f"{bad.sum():,} images hold NaN or infinite values, the first at index {np.flatnonzero(bad)[0]}",
            where=where,
            fix="remove these images, or put a number in",
        )
    if x.ndim == 4 and x.shape[1] in (1, 3, 4) and x.shape[3] not in (1, 3, 4):
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    if x.ndim == 4 and x.shape[3] > 64:
        raise InputError(
            f"images with {x.shape[3]} channels (shape {x.shape})",
            where=where,
            fix="give images (N, H, W, C) or (N, C, H, W)",
        )
    return x


def check_labels(y: np.ndarray, rows: int, where: str) -> tuple[np.ndarray, list[str]]:
    """Labels as (N,); one-hot rows become class numbers, and that is said."""
    notes = []
    if y.dtype.kind not in "biufUS":
        raise InputError(
            f"labels of type {y.dtype} can't be used",
            where=where,
            fix="give one number or one string for each row; arrays of objects are not opened",
        )
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
        notes.append(f"The labels are one-hot: they are read as class numbers 0 … {y.shape[1] - 1}.")
        y = y.argmax(axis=1)
    if y.ndim != 1:
        raise InputError(f"labels of shape {y.shape}", where=where, fix="give one label for each row, (N,): one target")
    if len(y) != rows:
        raise InputError(
            f"{rows:,} inputs but {len(y):,} labels",
            where=where,
            fix="give one label for each input, in the same order",
        )
    return (y.astype(str) if y.dtype.kind == "S" else y), notes


def _find(keys: dict[str, str], names: tuple[str, ...], patterns: tuple[str, ...]) -> str | None:
    for pattern in patterns:
        for name in names:
            if pattern.format(name) in keys:
                return keys[pattern.format(name)]
    return None


def _open(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file:  # closed whatever NumPy finds in it
            loaded: Any = np.load(file, allow_pickle=False)
            return {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else {"": loaded}
    except ValueError as error:
        if "pickle" in str(error).lower() or "object array" in str(error).lower():
            raise InputError(
                "it holds ragged or object arrays; they are pickles, and opening a pickle can run code",
                where=str(path),
                fix="save arrays of plain numbers or strings, where every row has the same shape",
            ) from None
        raise InputError(f"it can't be read: {error}", where=str(path), fix="save it again with NumPy") from None
    except (OSError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(
            f"it is not a readable NumPy file: {error}",
            where=str(path),
            fix="save it again with np.savez or np.save; it may have been cut off",
        ) from None


def _read_npy(path: Path, target: str | None) -> Arrays:
    arrays = _open(path)
    if "" not in arrays:
        raise InputError("it is an NPZ archive", where=str(path), fix=f"rename it to {path.stem}.npz")
    x = arrays[""]
    if target is None:
        raise InputError(
            "an NPY file holds inputs only; there are no labels",
            where=str(path),
            fix="give the labels' file with --target labels.npy, or save both in one NPZ file",
        )
    labels = Path(target) if Path(target).exists() else path.parent / target
    if not labels.is_file() or labels.suffix.lower() != ".npy":
        raise InputError(
            f"there is no file of labels {target!r}", where=str(path), fix="give it with --target labels.npy"
        )
    return Arrays(x, _open(labels)[""], labels.stem)
