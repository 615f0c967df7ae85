"""The encoded data of a run, as files that every worker reads."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def save(folder: Path, parts: dict[str, dict[str, np.ndarray]]) -> None:
    """`{"train": {"x": …, "target": …}, …}` → `folder/train.x.npy`, …"""
    folder.mkdir(parents=True, exist_ok=True)
    for part, arrays in parts.items():
        for name, values in arrays.items():
            np.save(folder / f"{part}.{name}.npy", values)


def load(folder: Path, part: str) -> dict[str, Tensor]:
    """The arrays of one part as tensors, one row a sample."""
    paths = sorted(folder.glob(f"{part}.*.npy"))
    return {path.name.split(".")[1]: torch.from_numpy(np.load(path)) for path in paths}
