"""`load`: from a path, a name, a DataFrame or arrays to a checked Dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netwright.data.checks import (
    check_rows,
    check_table,
    check_target,
    is_numeric,
    listing,
    nearest,
    shown,
)
from netwright.data.classes import Classes
from netwright.data.dataset import Dataset
from netwright.data.readers.arrays import check_inputs, check_labels, read_arrays
from netwright.data.readers.box_folders import BoxFolder, box_counts, is_box_folder, read_box_folder
from netwright.data.readers.bundled import BUNDLED, read_bundled
from netwright.data.readers.drawn_masks import is_outlined, read_outlined
from netwright.data.readers.images import Folder, read_folder
from netwright.data.readers.masks import MaskFolder, classes_of, count_classes, is_mask_folder, read_mask_folder
from netwright.data.readers.tables import READABLE, read_table
from netwright.errors import InputError

PAIRED = ("segmentation", "detection")
"""Modalities whose target is no column of values: a mask, or boxes, for each image."""
LIKELY_TARGETS = (
    "target",
    "label",
    "class",
    "y",
    "outcome",
    "price",
    "category",
    "survived",
    "churn",
    "sentiment",
)


def load(
    source: Any,
    *,
    target: str | None = None,
    text: str | None = None,
    test: Any = None,
    name: str | None = None,
    group: str | None = None,
    time_column: str | None = None,
    drop: Sequence[str] = (),
    task: str | None = None,
) -> Dataset:
    """Read and check a data set.

    source: a file (CSV, TSV, Parquet, JSONL, NPZ, NPY), a folder of images, or of images and masks, or of images with
    boxes, the name of one of scikit-learn's sets, a DataFrame, or a pair (inputs, labels). `text` names the column to
    read as text. `test` is the person's own test part, of the same kind. The `group` column and those in `drop` are not
    used as features. `task` "detection" takes the boxes of a folder that has masks as well, "segmentation" the outlines
    of objects in COCO's JSON.
    """
    options: dict[str, Any] = {
        "target": target,
        "text": text,
        "group": group,
        "time_column": time_column,
        "drop": tuple(drop),
    }
    dataset = _read(source, task=task, **options)
    if test is not None:
        if dataset.test is not None:
            raise InputError(
                "the data come with a test part of their own, and another one is given",
                where=dataset.origin,
                fix="give one of the two: leave out --test, or remove the part from the data",
            )
        named = dataset.modality not in ("image", *PAIRED) or _is_table_file(test)
        options["target"] = dataset.target_name if named else target
        paired = dataset.modality if dataset.modality in PAIRED else None
        dataset.test = _read(test, **options, classes=dataset.classes, task=paired)
        _check_same(dataset, dataset.test)
    dataset.name = name or dataset.name
    if dataset.modality not in PAIRED:
        check_target(dataset.target, dataset.origin)
    check_rows(len(dataset), dataset.origin)
    if dataset.test is not None:
        if dataset.modality not in PAIRED:
            check_target(dataset.test.target, dataset.test.origin, part="test")
        check_rows(len(dataset.test), f"{dataset.test.origin} (test part)", least=2)
    for column in (group, time_column):
        if column is not None:
            dataset.column(column)  # says so if there is none
    return dataset


def _read(source: Any, classes: Classes | None = None, task: str | None = None, **options: Any) -> Dataset:
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, "table", "the table", **options)
    if isinstance(source, (tuple, list)) and len(source) == 2:
        return _from_pair(source[0], source[1], "arrays", "the arrays", **options)
    if not isinstance(source, (str, Path)):
        raise InputError(
            f"a {type(source).__name__} can't be read as data",
            fix="give a path, a name, a pandas DataFrame, or a pair of arrays (inputs, labels)",
        )
    path = Path(source).expanduser()
    if path.exists():
        masks = is_mask_folder(path)
        wanted = masks or task == "segmentation"
        outlined = wanted and not masks and is_outlined(path)
        if task == "detection" or (not wanted and is_box_folder(path)):
            return _from_boxes(path, classes, options)
        if wanted:
            dataset = _from_masks(path, classes, options, outlined)
            if masks and is_box_folder(path):
                dataset.notes.append("There are boxes as well: `--task detection` takes these in place of the masks.")
            return dataset
        return _from_path(path, **options)
    if str(source) in BUNDLED:
        found = read_bundled(str(source))
        place = f"scikit-learn's {source}"
        if isinstance(found, tuple):
            return _from_pair(found[0], found[1], str(source), place, **options)
        options["target"] = options["target"] or "target"
        return _from_frame(found, str(source), place, **options)
    around = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    raise InputError(
        f"there is no such file or folder{nearest(path.name, [*around, *BUNDLED])}",
        where=str(source),
        fix=f"give {READABLE}, or one of scikit-learn's sets: {listing(BUNDLED)}",
    )


def _from_path(path: Path, **options: Any) -> Dataset:
    if path.is_dir():
        _no_columns(path, options)
        if options["target"] is not None:
            raise InputError(
                "a folder of images has no target column: the folders' names are the classes",
                where=str(path),
                fix="leave --target out",
            )
        dataset = _from_folder(read_folder(path), path.resolve().name, str(path))
    elif path.suffix.lower() in (".npz", ".npy"):
        arrays = read_arrays(path, options["target"])
        options["target"] = arrays.y_name
        extra = pd.DataFrame(arrays.extra) if arrays.extra else None
        dataset = _from_pair(arrays.x, arrays.y, path.stem, str(path), extra=extra, **options)
        dataset.notes += arrays.notes
        if arrays.test is not None:
            place = f"{path} (test arrays)"
            dataset.test = _from_pair(*arrays.test, path.stem, place, **options | {"group": None})
            _check_same(dataset, dataset.test)
    else:
        frame, notes, reading = read_table(path, options["text"])
        dataset = _from_frame(frame, path.stem.removesuffix(".csv"), str(path), **options)
        dataset.notes = notes + dataset.notes
        dataset.reading = reading
    if str(path) in BUNDLED:
        dataset.notes.append(f"{path} is read from here; scikit-learn's set of that name is another one.")
    return dataset


def _from_frame(
    frame: pd.DataFrame,
    name: str,
    where: str,
    *,
    target: str | None,
    text: str | None,
    group: str | None,
    time_column: str | None,
    drop: tuple[str, ...],
) -> Dataset:
    frame = check_table(frame, where)
    names = list(frame.columns)
    if target is None:
        likely = [n for n in names if n.lower() in LIKELY_TARGETS]
        likely += [n for n in names[-1:] if n not in likely and n not in (text, group, time_column)]
        raise InputError(
            f"no target is given; the columns are {listing(names)}",
            where=where,
            fix=f"say which column to predict, for instance --target {likely[0] if likely else names[0]!s}",
        )
    roles = {"--target": target, "--text": text, "--group": group, "--time-column": time_column}
    roles |= {f"--drop {column}": column for column in drop}
    for option, column in roles.items():
        if column is not None and column not in names:
            raise InputError(
                f"there is no column {column!r} ({option.split()[0]}){nearest(column, names)}",
                where=where,
                fix=f"choose one of the columns: {listing(names)}",
            )
    used = [(option, column) for option, column in roles.items() if column is not None]
    for option, column in used:
        other = next((o for o, c in used if c == column and o != option), None)
        if other is not None and {option, other} != {"--group", "--time-column"}:
            raise InputError(
                f"column {column!r} is given both as {option.split()[0]} and as {other.split()[0]}",
                where=where,
                fix="give each column one role",
            )
    features = [n for n in names if n not in (target, group, *drop)]
    if not features:
        raise InputError(
            f"there are no columns besides the target {target!r}",
            where=where,
            fix="add columns to predict from",
        )
    extra = frame[[group]] if group else None
    notes = [f"Left out as asked: {listing(drop)}."] if drop else []
    if text is not None:
        values = frame[text]
        if is_numeric(values) or pd.api.types.is_datetime64_any_dtype(values):
            raise InputError(
                f"column {text!r} holds {values.dtype} values, not text (such as {shown(values.iloc[0])})",
                where=where,
                fix="give a column of strings as --text",
            )
        others = [n for n in features if n != text]
        if others:
            notes.append(f"Only the text in {text!r} is read; not used: {listing(others)}.")
        extra = frame[[n for n in names if n not in (target, text, *drop)]]
        features = [text]
    return Dataset(
        name=name,
        modality="table" if text is None else "text",
        inputs=frame[features] if text is None else frame[[text]].fillna("").astype(str),
        target=_uncategorised(frame[target]),
        target_name=target,
        origin=where,
        notes=notes,
        extra=extra,
        group=group,
        time_column=time_column,
    )


def _from_pair(x: Any, y: Any, name: str, where: str, *, extra: pd.DataFrame | None = None, **options: Any) -> Dataset:
    """Inputs and labels as arrays: a table (N, F), images, or texts."""
    y_name = options["target"] or getattr(y, "name", None) or "target"
    if isinstance(x, pd.Series):
        x = x.to_numpy(dtype=object)
    if isinstance(x, (list, tuple)) or (isinstance(x, np.ndarray) and x.dtype.kind == "O"):
        x = np.array(x, dtype=str) if all(isinstance(v, str) for v in x) else _even(x, where)
    if not isinstance(x, pd.DataFrame):
        x = check_inputs(np.asarray(x), where)
    if isinstance(y, (list, tuple)):
        y = np.array(y, dtype=str) if all(isinstance(v, str) for v in y) else _even(y, where)
    if not isinstance(y, pd.Series):
        values, notes = check_labels(np.asarray(y), len(x), where)
        y = pd.Series(values)
    else:
        notes = []
        if len(y) != len(x):
            raise InputError(f"{len(x):,} inputs but {len(y):,} labels", where=where, fix="give one for each input")
    y = y.reset_index(drop=True).rename(str(y_name))
    if isinstance(x, pd.DataFrame) or x.ndim <= 2:
        if isinstance(x, pd.DataFrame):
            frame = x.reset_index(drop=True)
        elif x.ndim == 1:
            frame = pd.DataFrame({"text": x})
            options["text"] = options["text"] or "text"
        else:
            frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
        if extra is not None:
            frame = pd.concat([frame, extra], axis=1)
        options["target"] = y.name
        dataset = _from_frame(pd.concat([frame, y], axis=1), name, where, **options)
    else:
        if options["text"] is not None or options["drop"] or (extra is None and options["group"] is not None):
            _no_columns(where, options)
        dataset = Dataset(name, "image", x, y, str(y.name), where, extra=extra)
        dataset.group, dataset.time_column = options["group"], options["time_column"]
    dataset.notes += notes
    return dataset


def _from_folder(folder: Folder, name: str, where: str) -> Dataset:
    dataset = Dataset(
        name=name,
        modality="image",
        inputs=folder.paths,
        target=pd.Series(folder.labels, name="class", dtype=object),
        target_name="class",
        origin=where,
        notes=folder.notes,
        files=folder.files,
    )
    if folder.test is not None:
        dataset.test = _from_folder(folder.test, name, f"{where} (test folder)")
        _check_same(dataset, dataset.test)
    return dataset


def _from_masks(path: Path, classes: Classes | None, options: dict[str, Any], outlined: bool) -> Dataset:
    """A folder of images and masks, or outlines; a test part is held to the `classes` of the data."""
    _no_columns(path, options)
    _no_target(path, "images and masks", "masks", options)
    if not outlined and not is_mask_folder(path):
        fix = "give a folder with images/ and masks/, or with COCO's JSON"
        raise InputError("there are no images and masks", where=str(path), fix=fix)
    folder = read_outlined(path, classes.labels if classes else None) if outlined else read_mask_folder(path)
    return _of_masks(folder, classes or classes_of(folder, str(path)), path.resolve().name, str(path))


def _of_masks(folder: MaskFolder, classes: Classes, name: str, where: str) -> Dataset:
    dataset = Dataset(
        name=name,
        modality="segmentation",
        inputs=folder.images,
        target=pd.Series(folder.masks, name="mask", dtype=object),
        target_name="mask",
        origin=where,
        notes=folder.notes,
        files=folder.files,
        classes=classes,
        pixels=count_classes(folder, classes, where),
    )
    if folder.test is not None:
        dataset.test = _of_masks(folder.test, classes, name, f"{where} (test folder)")
    return dataset


def _from_boxes(path: Path, classes: Classes | None, options: dict[str, Any]) -> Dataset:
    """A folder of images with boxes; a test part is held to the `classes` of the data."""
    _no_columns(path, options)
    _no_target(path, "images with boxes", "boxes", options)
    folder = read_box_folder(path, classes.labels if classes else None)
    return _of_boxes(folder, path.resolve().name, str(path))


def _of_boxes(folder: BoxFolder, name: str, where: str) -> Dataset:
    dataset = Dataset(
        name=name,
        modality="detection",
        inputs=folder.images,
        target=pd.Series(folder.objects, name="boxes", dtype=object),
        target_name="boxes",
        origin=where,
        notes=folder.notes,
        files=folder.files,
        classes=Classes(folder.labels, list(range(len(folder.labels))), named=True),
        boxes=box_counts(folder.objects, len(folder.labels)),
    )
    if folder.test is not None:
        dataset.test = _of_boxes(folder.test, name, f"{where} (test part)")
    return dataset


def _uncategorised(series: pd.Series) -> pd.Series:
    return series.astype(object).infer_objects() if isinstance(series.dtype, pd.CategoricalDtype) else series


def _is_table_file(source: Any) -> bool:
    path = Path(source) if isinstance(source, (str, Path)) else None
    return path is not None and path.is_file() and path.suffix.lower() not in (".npz", ".npy")


def _even(values: Any, where: str) -> np.ndarray:
    try:
        array = np.array([np.asarray(v, dtype=float) for v in values])
    except (ValueError, TypeError):
        raise InputError(
            "the arrays are ragged or hold values that are no numbers",
            where=where,
            fix="give one array of numbers in which every row has the same shape",
        ) from None
    return array


def _no_target(where: Path, kind: str, target: str, options: dict[str, Any]) -> None:
    if options["target"] is not None:
        raise InputError(
            f"a folder of {kind} has no target column: the {target} are the target",
            where=str(where),
            fix="leave --target out",
        )


def _no_columns(where: Any, options: dict[str, Any]) -> None:
    for option in ("text", "group", "time_column", "drop"):
        if options[option]:
            raise InputError(
                f"--{option.replace('_', '-')} names a column, but images have no columns",
                where=str(where),
                fix="leave the option out; own parts of images are given as folders train/ and test/",
            )


def _check_same(data: Dataset, test: Dataset) -> None:
    """The test part must look like the data that it is to test."""
    if data.modality != test.modality:
        raise InputError(
            f"the test part is of another kind ({test.modality}) than the data ({data.modality})",
            where=test.origin,
            fix="give a test part of the same kind",
        )
    if isinstance(data.inputs, np.ndarray) and data.inputs.shape[1:] != test.inputs.shape[1:]:
        raise InputError(
            f"the test images have the shape {test.inputs.shape[1:]}, the others {data.inputs.shape[1:]}",
            where=test.origin,
            fix="give test images of the same shape",
        )
    if not isinstance(data.inputs, pd.DataFrame):
        return
    missing = [name for name in data.inputs.columns if name not in test.inputs.columns]
    if missing:
        raise InputError(
            f"the test part lacks the columns {listing(missing)}",
            where=test.origin,
            fix="give a test part with the same columns as the data, or leave these out (--drop)",
        )
    others = [name for name in test.inputs.columns if name not in data.inputs.columns]
    if others:
        data.notes.append(f"Columns of the test part that the data lack are not used: {listing(others)}.")
    test.inputs = test.inputs[list(data.inputs.columns)]
    columns = [(name, data.inputs[name], test.inputs[name]) for name in data.inputs.columns]
    for name, values, tested in [*columns, (data.target_name, data.target, test.target)]:
        strings = tested.dropna()
        if is_numeric(values) and not is_numeric(tested) and len(strings) and strings.dtype != bool:
            wrong = strings[pd.to_numeric(strings, errors="coerce").isna()]
            if len(wrong):
                raise InputError(
                    f"column {name!r} holds numbers in the data but {shown(wrong.iloc[0])} here, "
                    f"in row {wrong.index[0] + 1}",
                    where=test.origin,
                    fix="write the column alike in both",
                )
