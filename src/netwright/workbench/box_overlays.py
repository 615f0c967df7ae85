"""The report on detection: COCO's figures, each class's, and test images with true and predicted boxes."""

from typing import Any

import numpy as np
from PIL import Image

from netwright.data.apply_segmentation import plain
from netwright.data.readers.box_folders import true_boxes
from netwright.tasks.detection_metrics import average_precision
from netwright.tasks.detection_scores import AP, AP50, class_scores, resampled
from netwright.workbench.hand_over import Evidence
from netwright.workbench.overlays import COLOURS, SHOWN, png

LEAST = 0.3
"""Boxes below this score are not drawn, but for the best of an image."""
MOST = 30
"""Boxes drawn on an image."""


def detection(evidence: Evidence) -> dict[str, Any]:
    """What `validation` says of it: average precisions, a row a class, overlays."""
    rows = evidence.prepared.rows(evidence.part)
    labels = list(evidence.prepared.task.classes)
    found = average_precision(evidence.found, [true_boxes(one) for one in rows.target], len(labels))
    objects = np.sum([one.objects for one in evidence.predictions], axis=0)
    figures = {"ap50": found.ap50, "ap75": found.ap75, "map50_95": found.ap, "recall": found.recall}
    figures |= {"small": found.small, "medium": found.medium, "large": found.large}
    classes = [
        {"label": label, "ap50": _known(half), "map50_95": _known(whole), "objects": int(count), "colour": _hex(code)}
        for code, (label, half, whole, count) in enumerate(
            zip(labels, class_scores(evidence.predictions, AP50), class_scores(evidence.predictions, AP), objects,
                strict=True)
        )
    ]  # fmt: skip
    return {
        "detection": {
            "split": evidence.part,
            "figures": {name: _known(value) for name, value in figures.items()},
            "classes": classes,
            "overlays": overlays(evidence),
        }
    }


def overlays(evidence: Evidence) -> list[dict[str, Any]]:
    """Images from the worst to the best by their own AP50, with the boxes of both, relative to the image."""
    prepared, once = evidence.prepared, np.ones((1, 1))
    rows = prepared.rows(evidence.part)
    scores = np.array([resampled(evidence.predictions[i : i + 1], once)[0] for i in range(len(rows))])
    order = np.argsort(np.nan_to_num(scores, nan=2.0), kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    shown = []
    names = prepared.preprocessing.names_of([rows.inputs[row] for row in chosen])  # type: ignore[union-attr]
    for row, name in zip(chosen, names, strict=True):
        truth, found = rows.target.iloc[row], evidence.found[row]
        with Image.open(rows.inputs[row]) as file:
            image = plain(file, "RGB")
        height, width = truth["size"]
        scale = np.array([width, height, width, height])
        likely = np.flatnonzero(found["scores"] >= min(LEAST, found["scores"].max(initial=0.0)))
        best = likely[np.argsort(-found["scores"][likely], kind="stable")[:MOST]]
        shown.append(
            {
                "name": name,
                "score": _known(scores[row]),
                "image": png(image),
                "size": [width, height],
                "true": [
                    {"box": _relative(box, scale), "code": code}
                    for box, code, ignored in zip(truth["boxes"], truth["labels"], truth["ignored"], strict=True)
                    if not ignored
                ],
                "predicted": [
                    {"box": _relative(box, scale), "code": int(code), "score": round(float(score), 3)}
                    for box, code, score in zip(
                        found["boxes"][best], found["labels"][best], found["scores"][best], strict=True
                    )
                ],
            }
        )
    return shown


def _relative(box: Any, scale: np.ndarray) -> list[float]:
    return [round(value, 4) for value in (np.asarray(box) / scale).tolist()]


def _hex(code: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*COLOURS[code % len(COLOURS)])


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
