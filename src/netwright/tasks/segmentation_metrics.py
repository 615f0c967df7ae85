"""Metrics of semantic segmentation, all from one matrix that counts pixels.

    matrix = sum(confusion(truth, predicted, num_classes) for truth, predicted in maps)
    mean_iou(matrix), mean_dice(matrix), foreground_iou(matrix), pixel_accuracy(matrix)

Pixels of all images are counted together, as the benchmarks of the field do (PASCAL VOC, Cityscapes, ADE20K): a
mean over images would weigh a class more where little of it is seen.
"""

import numpy as np


def confusion(truth: np.ndarray, predicted: np.ndarray, num_classes: int, ignore_index: int = 255) -> np.ndarray:
    """How many pixels of each true class (rows) are given to each class (columns): (K, K).

    truth, predicted: class codes 0 … K − 1 of the same shape. Where the truth is `ignore_index`, nothing counts.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape:
        raise ValueError(f"the truth has shape {truth.shape}, the prediction {predicted.shape}")
    counted = truth != ignore_index
    rows, columns = truth[counted].astype(np.int64), predicted[counted].astype(np.int64)
    for name, codes in (("truth", rows), ("prediction", columns)):
        if codes.size and not 0 <= codes.min() <= codes.max() < num_classes:
            raise ValueError(f"the {name} has codes {codes.min()} … {codes.max()}, but there are {num_classes} classes")
    return np.bincount(rows * num_classes + columns, minlength=num_classes**2).reshape(num_classes, num_classes)


def iou(matrix: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, TP / (TP + FP + FN); NaN for a class neither there nor predicted."""
    hits = np.diagonal(matrix)
    return _ratio(hits, matrix.sum(0) + matrix.sum(1) - hits)


def dice(matrix: np.ndarray) -> np.ndarray:
    """Dice coefficient of each class, 2 TP / (2 TP + FP + FN), which is its F1; NaN as in `iou`."""
    return _ratio(2 * np.diagonal(matrix), matrix.sum(0) + matrix.sum(1))


def mean_iou(matrix: np.ndarray) -> float:
    """mIoU over the classes that are there or predicted."""
    return _mean(iou(matrix))


def mean_dice(matrix: np.ndarray) -> float:
    """Mean Dice coefficient over the classes that are there or predicted."""
    return _mean(dice(matrix))


def foreground_iou(matrix: np.ndarray, background: int = 0) -> float:
    """IoU of everything that is not background, whichever class it is given to."""
    matrix = np.asarray(matrix)
    either = matrix.sum() - matrix[background, background]
    missed, invented = matrix[:, background].sum(), matrix[background].sum()
    both = matrix.sum() - missed - invented + matrix[background, background]
    return float(both / either) if either else float("nan")


def pixel_accuracy(matrix: np.ndarray) -> float:
    """The share of pixels that are given their class."""
    matrix = np.asarray(matrix)
    return float(np.trace(matrix) / matrix.sum()) if matrix.sum() else float("nan")


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
