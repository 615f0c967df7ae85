"""Segmentation's predictions, counted at the images' own sizes against their masks."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from netwright.data import Dataset, SegmentationPreprocessing
from netwright.tasks.segmentation_metrics import confusion
from netwright.train.masks import predict_masks
from netwright.train.objective import Objective
from netwright.workbench.prepare import Prepared


def sizes_of(rows: Dataset) -> list[tuple[int, int]]:
    """Height and width of each image."""
    assert rows.files is not None
    return list(zip(rows.files["height"].tolist(), rows.files["width"].tolist(), strict=True))


def matrices(preprocessing: SegmentationPreprocessing, rows: Dataset, codes: Iterable[np.ndarray]) -> np.ndarray:
    """A confusion matrix for each image, (N, K, K), from its class codes (h, w) at its own size."""
    classes = len(preprocessing.target["labels"])
    pairs = zip(rows.target, codes, strict=True)
    return np.stack([confusion(preprocessing.truth(mask), said, classes) for mask, said in pairs])


def matrices_of_codes(prepared: Prepared, part: str, codes: np.ndarray) -> np.ndarray:
    """The same from class codes (N, S, S) in the network's squares."""
    rows, apply = prepared.rows(part), segmentation(prepared)
    whole = (apply.restore(one, size) for one, size in zip(codes, sizes_of(rows), strict=True))
    return matrices(apply, rows, whole)


def matrices_of_network(prepared: Prepared, part: str, network: nn.Module, objective: Objective) -> np.ndarray:
    """The same of a network."""
    rows, x = prepared.rows(part), torch.from_numpy(prepared.parts[part]["x"])
    return matrices(segmentation(prepared), rows, predict_masks(network, objective, x, sizes_of(rows)))


def segmentation(prepared: Prepared) -> SegmentationPreprocessing:
    assert isinstance(prepared.preprocessing, SegmentationPreprocessing)
    return prepared.preprocessing
