"""`split`: training, validation and test rows, so that the test score is what new rows would give.

By class (or by the target's quantiles), by group, by time, or with the person's own test part.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from netwright.data.apply_table import dates, numbers
from netwright.data.checks import is_numeric, listing
from netwright.data.columns import date_format
from netwright.data.dataset import Dataset
from netwright.data.duplicates import duplicates
from netwright.data.profiles import Profile
from netwright.data.split_rules import by_class, by_group, by_time
from netwright.data.warnings import DataWarning
from netwright.errors import InputError

TEST_FRACTION = 0.2
VALIDATION_FRACTION = 0.2
VALIDATION_ROWS = 4_000
"""More validation rows than this sharpen no decision and are missed in training."""

BINS = 10
RAREST = "by the rarest class of each image"


@dataclass
class Split:
    """Row numbers of the three parts, and how they were drawn.

    With `own_test`, `test` counts the rows of `dataset.test`; else those of the data set, as the others do.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    how: str
    own_test: bool = False
    warnings: list[DataWarning] = field(default_factory=list)

    def parts(self, dataset: Dataset) -> tuple[Dataset, Dataset, Dataset]:
        """The data sets for training, validation and test."""
        source = dataset.test if self.own_test else dataset
        assert source is not None
        return dataset.take(self.train), dataset.take(self.validation), source.take(self.test)


def split(
    dataset: Dataset,
    profile: Profile,
    *,
    seed: int,
    group: str | None = None,
    time_column: str | None = None,
    test_fraction: float = TEST_FRACTION,
    validation_fraction: float = VALIDATION_FRACTION,
) -> Split:
    """Draw the parts. `validation_fraction` is of the rows not used for the test, at most 4,000 rows.

    `group` and `time_column` default to the columns that were named when the data set was loaded.
    """
    for name, fraction in (("test", test_fraction), ("validation", validation_fraction)):
        if not 0 < fraction < 0.9:
            raise InputError(
                f"the {name} part can't be {fraction:g} of the rows",
                where=f"{name}_fraction",
                fix="give a number between 0 and 0.9, for instance 0.2",
            )
    group = group or dataset.group
    time_column = time_column or dataset.time_column
    if group and time_column:
        raise InputError(
            "rows can be split by group or by time, not by both",
            where="--group, --time-column",
            fix="give the one that new rows differ in: other groups, or later times",
        )
    rows = len(dataset)
    own = dataset.test is not None
    test_rows = 0 if own else max(1, round(rows * test_fraction))
    validation_rows = min(max(1, round((rows - test_rows) * validation_fraction)), VALIDATION_ROWS)
    sizes = (rows - test_rows - validation_rows, validation_rows, test_rows)
    shown = _shown(dataset)
    strata = _of_rarest_class(shown) if shown is not None else _strata(dataset.target, profile)
    found: list[DataWarning] = []
    if time_column:
        time = time_values(dataset, time_column)
        parts = by_time(time, sizes, time_column)
        how = f"by time: {'validation' if own else 'validation and test'} are the latest rows by {time_column}"
        if own:
            found += _time_into_test(dataset, time, time_column)
    elif group:
        codes = group_codes(dataset, group)
        parts = by_group(codes, strata, sizes, np.random.default_rng(seed), group)
        how = f"by group: no {group} is in two parts"
        if own:
            found += _groups_in_test(dataset, group)
    else:
        parts = by_class(strata, sizes, np.random.default_rng(seed))
        ways = {"regression": "by quantiles of the target", "segmentation": RAREST, "detection": RAREST}
        same = ways.get(profile.task, "by class")
        how = f"at random, stratified {same}, seed {seed}"
    if shown is not None:
        found += _images_without(dataset, profile.task, parts)
    elif profile.task != "regression":
        found += _classes_without(dataset.target, parts, time_column)
    train, validation, test = (np.sort(part) for part in parts)
    if own:
        assert dataset.test is not None
        test = np.arange(len(dataset.test))
        how += f"; the test part is the person's own ({dataset.test.origin})"
    found += duplicates(dataset, train, validation, test, columns=profile.features or None)
    return Split(train, validation, test, how, own, found)


def time_values(dataset: Dataset, name: str) -> np.ndarray:
    """A column of dates or numbers as f64 to sort by; InputError where it is neither, or has gaps."""
    column = dataset.column(name)
    place = f"{dataset.origin}, column {name!r}"
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column):
        moments = dates(column, "ISO8601")
    elif is_numeric(column):
        moments = None
    else:
        format = date_format(present.astype(str))
        if format is None:
            example = str(present.iloc[0]) if len(present) else ""
            raise InputError(
                f"it holds neither dates nor numbers (for instance {example!r})",
                where=place,
                fix="give a column of dates (2024-05-31) or numbers as --time-column",
            )
        moments = dates(column, format)
    if moments is None:
        values = numbers(column)
    else:
        values = ((moments - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64, na_value=np.nan)
    gaps = np.isnan(values)
    if gaps.any():
        raise InputError(
            f"{gaps.sum():,} rows have no time in it, the first is row {np.flatnonzero(gaps)[0] + 1}",
            where=place,
            fix="fill them in, or delete these rows",
        )
    return values


def group_codes(dataset: Dataset, name: str) -> np.ndarray:
    """A number for each row's group, (N,)."""
    column = dataset.column(name)
    place = f"{dataset.origin}, column {name!r}"
    missing = column.isna()
    if missing.any():
        raise InputError(
            f"{missing.sum():,} rows have no group, the first is row {int(np.flatnonzero(missing)[0]) + 1}",
            where=place,
            fix="fill them in, or delete these rows",
        )
    codes = pd.factorize(column)[0]
    count = int(codes.max()) + 1
    least = 2 if dataset.test is not None else 3
    if count < least:
        raise InputError(
            f"it holds {count} group{'s' * (count > 1)}; {least} are needed, one a part",
            where=place,
            fix="choose a finer --group, or leave it out",
        )
    return codes


def _strata(target: pd.Series, profile: Profile) -> np.ndarray:
    """What the parts are to have alike: the class, or the quantile bin of a number."""
    if profile.task != "regression":
        return pd.factorize(target, sort=False)[0]
    bins = min(BINS, max(1, len(target) // 20))
    return pd.qcut(target.rank(method="first"), bins, labels=False).to_numpy()


def _of_rarest_class(pixels: np.ndarray) -> np.ndarray:
    """For each image, of the classes that it shows the one that the fewest images show, (N,)."""
    shown = pixels > 0
    rare = np.where(shown, shown.sum(axis=0), len(shown) + 1).argmin(axis=1)
    return pd.factorize(rare)[0]


def _shown(dataset: Dataset) -> np.ndarray | None:
    """Pixels or boxes of each class in each image, (N, K); of boxes with a column for the images that have none."""
    if dataset.boxes is not None:
        return np.c_[dataset.boxes, dataset.boxes.sum(axis=1) == 0]
    return dataset.pixels


def _images_without(dataset: Dataset, task: str, parts: tuple[np.ndarray, ...]) -> list[DataWarning]:
    """A class that no training image shows can't be learned; one that no test image shows isn't tested."""
    shown, test = _shown(dataset), None if dataset.test is None else _shown(dataset.test)
    assert dataset.classes is not None and shown is not None
    thing, score = ("mask", "IoU") if task == "segmentation" else ("box", "AP")
    found = []
    for id, seen, message in (
        ("unlearned-class", shown[parts[0]], f"no training {thing} shows {{}}: it can't be learned"),
        (
            "untested-class",
            shown[parts[2]] if test is None else test,
            f"no test {thing} shows {{}}: its {score} is not known",
        ),
    ):
        there: list[bool] = (seen.sum(axis=0) > 0).tolist()
        absent = [label for label, known in zip(dataset.classes.labels, there, strict=False) if not known]
        if absent:
            found.append(
                DataWarning(
                    id,
                    "masks" if thing == "mask" else "boxes",
                    message.format(listing(absent, 5)),
                    "add images of these classes",
                )
            )
    return found


def _classes_without(target: pd.Series, parts: tuple[np.ndarray, ...], time: str | None) -> list[DataWarning]:
    """Every class must be learned; one that is not tested is said."""
    values = target.to_numpy()
    learned, tested = set(values[parts[0]]), set(values[parts[2]])
    unseen = [str(label) for label in dict.fromkeys(values) if label not in learned]
    if unseen:
        raise InputError(
            f"the classes {listing(unseen, 5)} occur only in the latest rows: none is left to learn from",
            where=f"target {target.name!r}, split by {time!r}",
            fix="leave these classes out, or split without --time-column",
        )
    untested = [str(label) for label in dict.fromkeys(values) if label not in tested]
    if not untested or len(parts[2]) == 0:
        return []
    message = f"{len(untested)} classes are not in the test part: {listing(untested, 5)}"
    return [DataWarning("untested-class", f"target {target.name}", message, "add rows of these classes")]


def _groups_in_test(dataset: Dataset, name: str) -> list[DataWarning]:
    assert dataset.test is not None
    shared = set(dataset.column(name)) & set(dataset.test.column(name))
    if not shared:
        return []
    message = f"{len(shared):,} groups are in the data and in the test part: {listing(sorted(map(str, shared)), 3)}"
    return [DataWarning("group-in-test", f"column {name}", message, "remove them from the data")]


def _time_into_test(dataset: Dataset, time: np.ndarray, name: str) -> list[DataWarning]:
    assert dataset.test is not None
    later = int((time > time_values(dataset.test, name).min()).sum())
    if not later:
        return []
    message = f"{later:,} rows are later than the earliest test row"
    return [DataWarning("time-in-test", f"column {name}", message, "remove them from the data")]
