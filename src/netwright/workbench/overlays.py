"""The report on segmentation: each class's figures, and test images under their true and predicted masks."""

import base64
import io
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from netwright.data.apply_segmentation import plain
from netwright.tasks.segmentation_metrics import dice, iou, mean_iou
from netwright.train.masks import predict_masks
from netwright.workbench.hand_over import Evidence
from netwright.workbench.masks import segmentation as preprocessing_of

SHOWN = 6
"""Images in the report."""
SIDE = 176
"""Pixels of a picture's longer side."""
OPACITY = 0.55
COLOURS = (
    (230, 75, 53), (46, 134, 222), (34, 166, 110), (245, 176, 32), (142, 86, 214), (20, 184, 196), (232, 98, 168),
    (134, 160, 40), (160, 96, 56), (90, 104, 136),
)  # fmt: skip


def segmentation(evidence: Evidence) -> dict[str, Any]:
    """What `validation` says of it: the confusion matrix in per cent of the true pixels, a row a class, overlays."""
    total = evidence.predictions.sum(axis=0)
    labels, pixels = list(evidence.prepared.task.classes), total.sum(axis=1)
    share = 100 * total / np.maximum(pixels, 1)[:, None]
    classes = [
        {
            "label": label,
            "iou": _known(one),
            "dice": _known(other),
            "pixels": int(count),
            "share": float(count / pixels.sum()),
            "colour": "#{:02x}{:02x}{:02x}".format(*COLOURS[(code - 1) % len(COLOURS)]) if code else None,
        }
        for code, (label, one, other, count) in enumerate(zip(labels, iou(total), dice(total), pixels, strict=True))
    ]
    return {
        "confusion": {
            "labels": labels,
            "matrix": share.round(1).tolist(),
            "split": f"{evidence.part}, % of the true class's pixels",
        },
        "segmentation": {"classes": classes, "split": evidence.part, "overlays": overlays(evidence)},
    }


def overlays(evidence: Evidence) -> list[dict[str, Any]]:
    """Images from the worst to the best by their own mIoU: as they are, the true mask, the predicted one."""
    prepared, apply = evidence.prepared, preprocessing_of(evidence.prepared)
    rows = prepared.rows(evidence.part)
    scores = np.array([mean_iou(matrix) for matrix in evidence.predictions])
    order = np.argsort(np.nan_to_num(scores, nan=2.0), kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]
    x = torch.from_numpy(prepared.parts[evidence.part]["x"][chosen])
    picked = rows.take(chosen)
    assert picked.files is not None
    sizes = list(zip(picked.files["height"].tolist(), picked.files["width"].tolist(), strict=True))
    found = []
    said = predict_masks(evidence.network, evidence.objective, x, sizes)
    for row, path, mask, codes in zip(chosen, picked.inputs, picked.target, said, strict=True):
        with Image.open(path) as file:
            image = plain(ImageOps.exif_transpose(file), "RGB")
        truth = apply.truth(mask)
        painted = [image, _painted(image, truth), _painted(image, np.where(truth == 255, 255, codes))]
        score = float(scores[row])
        found.append(
            {
                "name": apply.names_of([path])[0].removesuffix(".png"),
                "score": score if np.isfinite(score) else None,
                "images": [png(picture) for picture in painted],
            }
        )
    return found


def _painted(image: Image.Image, codes: np.ndarray) -> Image.Image:
    """The image under its classes' colours; the first class is left as it is, what has no class is dark."""
    pixels = np.asarray(image, dtype=np.float32).copy()
    for code in np.unique(codes):
        if code:
            colour = (40, 40, 40) if code == 255 else COLOURS[(int(code) - 1) % len(COLOURS)]
            there = codes == code
            pixels[there] = (1 - OPACITY) * pixels[there] + OPACITY * np.array(colour, np.float32)
    return Image.fromarray(pixels.round().astype(np.uint8))


def png(image: Image.Image) -> str:
    """A small PNG as base64."""
    ratio = SIDE / max(image.size)
    size = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    small = image.resize(size, Image.Resampling.LANCZOS if ratio < 1 else Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    small.quantize(128).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
