"""Checkpoints that are either whole or absent."""

import os
from pathlib import Path

import torch


def save(state: dict, path: Path) -> None:
    """Write to a neighbour, flush, then rename: a kill in between leaves the last checkpoint as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def load(path: Path) -> dict:
    """Read a checkpoint as data: tensors, numbers, strings; no code."""
    return torch.load(path, map_location="cpu", weights_only=True)


def best_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights of the best evaluation, or of the moment where it was stopped before the first."""
    state = load(path)
    return (state["best"] or state["provisional"])["weights"]
