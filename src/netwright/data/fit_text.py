"""What the training texts say: vocabulary and length. Applied by `apply_text.py`."""

from collections import Counter
from typing import Any

import numpy as np

from netwright.data.apply_text import tokenize
from netwright.data.dataset import Dataset
from netwright.data.profiles import Profile
from netwright.errors import InputError

LONGEST = 256
COVERED = 0.98
"""Share of the training texts that are read to their end."""


def fit_text(
    dataset: Dataset,
    rows: np.ndarray,
    profile: Profile,
    *,
    max_vocabulary: int = 20_000,
    min_frequency: int = 2,
    max_length: int | None = None,
) -> dict[str, Any]:
    """The tokens that occur `min_frequency` times, at most `max_vocabulary`, the most frequent first."""
    column = str(dataset.inputs.columns[0])
    counts: Counter[str] = Counter()
    lengths = []
    for text in dataset.inputs[column].iloc[rows]:
        tokens = tokenize(text)
        counts.update(tokens)
        lengths.append(len(tokens))
    if not counts:
        raise InputError(
            "every text in the training rows is empty",
            where=f"{dataset.origin}, column {column!r}",
            fix="choose another column with --text",
        )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    vocabulary = [token for token, count in ordered if count >= min_frequency][:max_vocabulary]
    if not vocabulary:
        vocabulary = [token for token, _ in ordered[:max_vocabulary]]
    if max_length is None:
        max_length = max(1, min(LONGEST, int(np.ceil(np.quantile(lengths, COVERED)))))
    known = sum(counts[token] for token in vocabulary) / sum(counts.values())
    cut = sum(length > max_length for length in lengths)
    empty = sum(length == 0 for length in lengths)
    notes = [
        f"{column}: {len(vocabulary):,} tokens are known ({known:.1%} of the training text), "
        f"{len(counts) - len(vocabulary):,} rarer ones are read as unknown.",
        f"{column}: texts are cut after {max_length} tokens; this shortens {cut:,} of {len(lengths):,}.",
    ]
    if empty:
        notes.append(f"{column}: {empty:,} empty training texts are read as one unknown token.")
    separator = dataset.reading.get("separator", ",")
    return {
        "column": column,
        "separator": separator,
        "max_length": int(max_length),
        "vocabulary": vocabulary,
        "notes": notes,
    }
