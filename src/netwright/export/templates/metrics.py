"""Each metric in a few lines of numpy; a handed-over predict.py has the one that it needs.

`truth` are class numbers (N,) and `probabilities` (N, K); or both are numbers (N,). `matrix` (K, K) counts pixels.
"""

import numpy as np


def accuracy(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The share of rows whose most probable class is the true one."""
    return float((probabilities.argmax(1) == truth).mean())


def balanced_accuracy(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes of the share of their rows that is found."""
    hit = probabilities.argmax(1) == truth
    return float(np.mean([hit[truth == code].mean() for code in np.unique(truth)]))


def f1_macro(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes of F1 = 2 · hits / (true rows + predicted rows)."""
    predicted = probabilities.argmax(1)
    scores = []
    for code in np.union1d(truth, predicted):
        hits = ((truth == code) & (predicted == code)).sum()
        scores.append(2 * hits / ((truth == code).sum() + (predicted == code).sum()))
    return float(np.mean(scores))


def auc_binary(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The chance that a row of the second class scores above one of the first; a tie is half a win."""
    positive = truth == 1
    _, place, count = np.unique(probabilities[:, 1], return_inverse=True, return_counts=True)
    rank = (count.cumsum() - (count - 1) / 2)[place]  # equal scores share their mean rank
    n, m = positive.sum(), (~positive).sum()
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))


def auc_multiclass(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean over the classes of the chance that a row of it scores above another; a tie is half a win."""
    areas = []
    for code, scores in enumerate(probabilities.T):
        positive = truth == code
        _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
        rank = (count.cumsum() - (count - 1) / 2)[place]  # equal scores share their mean rank
        n, m = positive.sum(), (~positive).sum()
        if n and m:
            areas.append((rank[positive].sum() - n * (n + 1) / 2) / (n * m))
    return float(np.mean(areas))


def log_loss(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """The mean of −log of the true class's probability."""
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(chosen.clip(np.finfo(np.float64).eps, 1)).mean())


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The root of the mean squared error."""
    return float(np.sqrt(np.square(predicted - truth).mean()))


def mae(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The mean absolute error."""
    return float(np.abs(predicted - truth).mean())


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """The share of the variance that is explained: 1 − squared errors / squared distances from the mean."""
    return float(1 - np.square(predicted - truth).sum() / np.square(truth - truth.mean()).sum())


def confusion(truth: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """How many pixels of each true class (rows) are given to each class (columns); 255 has no class."""
    known = truth < classes
    pairs = truth[known].astype(np.int64) * classes + codes[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def miou(matrix: np.ndarray) -> float:
    """The mean over the classes that are there or predicted of intersection / union."""
    hits = np.diagonal(matrix)
    union = matrix.sum(0) + matrix.sum(1) - hits
    return float((hits[union > 0] / union[union > 0]).mean())


def dice(matrix: np.ndarray) -> float:
    """The mean over the classes that are there or predicted of 2 · hits / (true + predicted pixels)."""
    both = matrix.sum(0) + matrix.sum(1)
    return float((2 * np.diagonal(matrix)[both > 0] / both[both > 0]).mean())


def foreground_iou(matrix: np.ndarray) -> float:
    """Intersection / union of all that is not the first class."""
    return float(matrix[1:, 1:].sum() / (matrix.sum() - matrix[0, 0]))


def pixel_accuracy(matrix: np.ndarray) -> float:
    """The share of pixels that are given their class."""
    return float(np.diagonal(matrix).sum() / matrix.sum())
