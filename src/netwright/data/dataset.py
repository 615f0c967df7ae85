"""The Dataset: what was read, row by row, before anything is decided about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from netwright.data.checks import is_numeric, listing, nearest
from netwright.data.classes import Classes
from netwright.errors import InputError

Modality = Literal["table", "image", "text", "segmentation", "detection"]


@dataclass
class Dataset:
    """Inputs and a target, one entry for each row.

    `inputs` is a DataFrame of raw columns (tables; for text, one column), an array of images (N, H, W) or
    (N, H, W, C), or a list of image paths. `extra` holds columns that are no features but can name groups;
    `files` holds what was seen of image files (height, width, mode, digest). `reading` says how a text file
    was read (separator, decimal mark), so that new files are read alike.

    Of segmentation, the inputs are paths of images and the target is paths of masks; `classes` says what their values
    mean, `pixels` (N, K) how many pixels of each class each has. Of detection, the target is the true objects of each
    image (see `apply_detection`), and `boxes` (N, K) counts those of each class.
    """

    name: str
    modality: Modality
    inputs: Any
    target: pd.Series
    target_name: str
    origin: str
    test: Dataset | None = None
    notes: list[str] = field(default_factory=list)
    extra: pd.DataFrame | None = None
    files: pd.DataFrame | None = None
    classes: Classes | None = None
    pixels: np.ndarray | None = None
    boxes: np.ndarray | None = None
    group: str | None = None
    time_column: str | None = None
    reading: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.target)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.modality}, {len(self):,} rows, target {self.target_name!r})"

    def take(self, rows: np.ndarray) -> Dataset:
        """The rows at these positions, in this order; an own test part stays behind."""

        def pick(frame: Any) -> Any:
            return None if frame is None else frame.iloc[rows].reset_index(drop=True)

        inputs = self.inputs
        if isinstance(inputs, pd.DataFrame):
            inputs = pick(inputs)
        elif isinstance(inputs, np.ndarray):
            inputs = inputs[rows]
        else:
            inputs = [inputs[row] for row in rows]
        return Dataset(
            name=self.name,
            modality=self.modality,
            inputs=inputs,
            target=pick(self.target),
            target_name=self.target_name,
            origin=self.origin,
            notes=self.notes,
            extra=pick(self.extra),
            files=pick(self.files),
            classes=self.classes,
            pixels=None if self.pixels is None else self.pixels[rows],
            boxes=None if self.boxes is None else self.boxes[rows],
            group=self.group,
            time_column=self.time_column,
            reading=self.reading,
        )

    def column(self, name: str) -> pd.Series:
        """A column by name, among the inputs or beside them."""
        frames = [f for f in (self.inputs, self.extra) if isinstance(f, pd.DataFrame)]
        for frame in frames:
            if name in frame.columns:
                return frame[name]
        names = [str(column) for frame in frames for column in frame.columns]
        if not names:
            raise InputError(
                f"there is no column {name!r}: images in folders or arrays have no columns",
                where=self.origin,
                fix="leave the option out, or add a one-dimensional array of that name to an NPZ file",
            )
        raise InputError(
            f"there is no column {name!r}{nearest(name, names)}",
            where=self.origin,
            fix=f"choose one of the columns: {listing(names)}",
        )

    def fingerprints(self, columns: list[str] | None = None) -> np.ndarray:
        """A 64-bit hash of each row's inputs (of a table: these columns), (N,): equal rows, equal hashes."""
        if self.files is not None:
            return self.files["digest"].to_numpy()
        if isinstance(self.inputs, pd.DataFrame):
            frame = self.inputs[columns or list(self.inputs)]
            frame = frame.apply(lambda c: c.astype(np.float64) if is_numeric(c) else c)  # 3 is 3.0
            return pd.util.hash_pandas_object(frame, index=False).to_numpy()
        return np.array([digest(row.tobytes()) for row in self.inputs], dtype=np.uint64)


def digest(content: bytes) -> int:
    """64 bits of BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")
