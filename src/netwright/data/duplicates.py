"""Exact duplicates across the parts of a split: rows that are tested on what was learned by heart."""

import numpy as np

from netwright.data.dataset import Dataset
from netwright.data.warnings import DataWarning


def duplicates(
    dataset: Dataset,
    train: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    columns: list[str] | None = None,
) -> list[DataWarning]:
    """A warning for each of validation and test that repeats a training row (in these columns).

    `test` counts the rows of the own test part, where there is one.
    """
    prints, target = dataset.fingerprints(columns), dataset.target.to_numpy()
    own = dataset.test
    tested = prints if own is None else own.fingerprints(columns)
    answers = target if own is None else own.target.to_numpy()
    learned = dict(zip(prints[train].tolist(), target[train].tolist(), strict=True))
    found = []
    for name, seen, labels in (
        ("validation", prints[validation], target[validation]),
        ("test", tested[test], answers[test]),
    ):
        pairs = zip(seen.tolist(), labels.tolist(), strict=True)
        repeated = [learned[key] == label for key, label in pairs if key in learned]
        if repeated:
            message = (
                f"{len(repeated):,} of {len(seen):,} {name} rows have exactly the inputs of a training row "
                f"({sum(repeated):,} with the same target)"
            )
            fix = "if they are the same thing twice, remove one, or name what they share as --group"
            found.append(DataWarning("duplicates-across-parts", f"{name} part", message, fix))
    return found
