"""Detection's boxes, held against the true ones in the images' own pixels."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from netwright.data import Dataset, DetectionPreprocessing
from netwright.data.readers.box_folders import true_boxes
from netwright.tasks.detection_scores import judged
from netwright.train.boxes import predict_boxes
from netwright.train.objective import Objective
from netwright.workbench.prepare import Prepared

Found = dict[str, np.ndarray]


def judged_rows(rows: Dataset, found: Sequence[Found]) -> np.ndarray:
    """A `JudgedImage` for each image, (N,), from its boxes in its own pixels."""
    assert rows.classes is not None
    return judged(found, [true_boxes(one) for one in rows.target], len(rows.classes.labels))


def judged_in_square(prepared: Prepared, part: str, found: Sequence[Found]) -> np.ndarray:
    """The same from boxes in the pixels of the network's squares."""
    rows, apply = prepared.rows(part), detection(prepared)
    return judged_rows(rows, [apply.restore(one, true["size"]) for one, true in zip(found, rows.target, strict=True)])


def found_by_network(prepared: Prepared, part: str, network: nn.Module, objective: Objective) -> list[Found]:
    """What a network finds in the images of a part, in their own pixels."""
    rows, x = prepared.rows(part), torch.from_numpy(prepared.parts[part]["x"])
    return predict_boxes(network, objective, x, [one["size"] for one in rows.target])


def detection(prepared: Prepared) -> DetectionPreprocessing:
    assert isinstance(prepared.preprocessing, DetectionPreprocessing)
    return prepared.preprocessing
