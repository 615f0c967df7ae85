"""The numbers of the training recipes, as plain tables: the one place to edit them.

Each table is read top down; the first row whose bound is not exceeded holds.
"""

from typing import Any

# family: peak rate of AdamW at `batch` samples, weight decay at 50,000 rows (T7, T10, S5.1, S5.3, T13)
OPTIMISER: dict[str, dict[str, float]] = {
    "resnet": {"lr": 3e-3, "batch": 64, "weight_decay": 0.05},
    "convnext": {"lr": 3e-3, "batch": 64, "weight_decay": 0.05},
    "mobilenetv3": {"lr": 3e-3, "batch": 64, "weight_decay": 0.02},
    "cct": {"lr": 1e-3, "batch": 64, "weight_decay": 0.05},
    "vit": {"lr": 1e-3, "batch": 64, "weight_decay": 0.05},
    "unet": {"lr": 8e-3, "batch": 8, "weight_decay": 0.02},
    "fpn": {"lr": 8e-3, "batch": 8, "weight_decay": 0.02},
    "segformer": {"lr": 1e-3, "batch": 8, "weight_decay": 0.02},
    "deeplabv3plus": {"lr": 8e-3, "batch": 8, "weight_decay": 0.02},
    "mlp": {"lr": 2.1e-3, "batch": 256, "weight_decay": 0.1},
    "tabular_resnet": {"lr": 1.5e-3, "batch": 256, "weight_decay": 0.05},
    "ft_transformer": {"lr": 5e-4, "batch": 256, "weight_decay": 1e-4},
    "tabm": {"lr": 2e-3, "batch": 256, "weight_decay": 1e-3},
    "retinanet": {"lr": 1.5e-3, "batch": 16, "weight_decay": 0.02},
    "yolox": {"lr": 1.5e-3, "batch": 16, "weight_decay": 0.02},
    "faster_rcnn": {"lr": 1.5e-3, "batch": 16, "weight_decay": 0.02},
    "detr": {"lr": 3e-4, "batch": 16, "weight_decay": 0.01},
    "textcnn": {"lr": 3e-3, "batch": 64, "weight_decay": 0.02},
    "bilstm": {"lr": 4e-3, "batch": 64, "weight_decay": 0.02},
    "text_transformer": {"lr": 2e-3, "batch": 64, "weight_decay": 0.05},
}

# params up to: factor on the rate (T7: small networks bear a larger one)
RATE_BY_PARAMS: list[tuple[float, float]] = [(3e6, 1.0), (3e7, 0.5), (float("inf"), 0.25)]

# modality: rows up to: samples a step (T3)
BATCH: dict[str, list[tuple[float, int]]] = {
    "image": [(300, 16), (1000, 32), (20_000, 64), (100_000, 128), (float("inf"), 256)],
    "table": [(300, 16), (1000, 32), (5000, 64), (20_000, 128), (40_000, 256), (float("inf"), 512)],
    "detection": [(1000, 8), (float("inf"), 16)],
    "text": [(300, 16), (2000, 32), (50_000, 64), (float("inf"), 128)],
    "segmentation": [(5000, 8), (float("inf"), 16)],
}

# modality: the longest training that makes sense, in samples seen, and between which numbers of passes
LENGTH: dict[str, dict[str, float]] = {
    "image": {"samples": 2_000_000, "least": 10, "most": 120},
    "table": {"samples": 3_000_000, "least": 15, "most": 300},
    "text": {"samples": 400_000, "least": 5, "most": 40},
    "detection": {"samples": 300_000, "least": 10, "most": 300},
    "segmentation": {"samples": 400_000, "least": 10, "most": 300},
}

# modality: evaluations without gain before a run stops (a run has about thirty); None = never
PATIENCE: dict[str, int | None] = {"image": None, "table": 10, "text": 10, "segmentation": None, "detection": None}

WARMUP = {"share": 0.1, "steps": 2000}  # T8: the smaller of both, 2/(1 − β2) steps

# share of the steps that the average of the weights looks back over, and bounds of its decay (T20)
AVERAGE = {"share": 0.05, "least": 0.9, "most": 0.999}

# classes up to: label smoothing (T19)
SMOOTHING: list[tuple[float, float]] = [(2, 0.0), (9, 0.05), (float("inf"), 0.1)]

# rows from: mixup's α for images of 32 pixels and more (T21)
MIXUP = {"rows": 10_000, "side": 32, "alpha": 0.2}

_WITH_MASKS = {"affine_masks": {"degrees": 10.0, "scale": 0.3, "shift": 0.1, "p": 0.3}}  # G5

# what may be done to a picture without changing its label (T14): by kind of image
AUGMENT: dict[str, list[Any]] = {
    "tiny": [{"affine": {"degrees": 8.0, "scale": 0.08, "shift": 0.06}}],  # below 16 pixels
    "grey": [{"affine": {"degrees": 10.0, "scale": 0.1, "shift": 0.08}}],
    "small_colour": [{"affine": {"degrees": 8.0, "scale": 0.1, "shift": 0.08}}],  # below 24 pixels
    "photo": ["flip", {"shift": {"fraction": 0.125}}],
    "large_photo": ["flip", {"affine": {"degrees": 5.0, "scale": 0.2, "shift": 0.1}}],
    "text": [{"token_dropout": {"p": 0.1}}],
    "masks": ["flip_masks", _WITH_MASKS, {"colour": {"strength": 0.15}}],
    "boxes": ["flip_boxes", {"zoom_boxes": {"scale": 0.3, "shift": 0.15}}, {"colour": {"strength": 0.15}}],
    "grey_boxes": [{"zoom_boxes": {"scale": 0.3, "shift": 0.15}}, "brightness"],
    "grey_masks": [_WITH_MASKS, "brightness"],
}

# dropout and its like, by family: rows up to: arguments of the model (T11, T23, S6.textcnn, S6.rnn)
REGULARISE: dict[str, list[tuple[float, dict[str, Any]]]] = {
    "resnet": [(20_000, {"dropout": 0.1}), (float("inf"), {})],
    "convnext": [(20_000, {"dropout": 0.1}), (float("inf"), {"drop_path": 0.1})],
    "mobilenetv3": [(float("inf"), {"dropout": 0.2})],
    "cct": [(20_000, {"drop_path": 0.0, "dropout": 0.1}), (float("inf"), {"drop_path": 0.1})],
    "vit": [(float("inf"), {"dropout": 0.1})],
    "unet": [(float("inf"), {})],
    "fpn": [(float("inf"), {"dropout": 0.1})],
    "segformer": [(float("inf"), {"dropout": 0.1})],
    "deeplabv3plus": [(float("inf"), {"dropout": 0.1})],
    "mlp": [(1000, {"dropout": 0.3}), (50_000, {"dropout": 0.1}), (float("inf"), {"dropout": 0.1})],
    "tabular_resnet": [(1000, {"dropout": 0.3}), (float("inf"), {"dropout": 0.15})],
    "ft_transformer": [(float("inf"), {})],
    "tabm": [(1000, {"dropout": 0.2}), (float("inf"), {"dropout": 0.1})],
    "retinanet": [(float("inf"), {})],
    "yolox": [(float("inf"), {})],
    "faster_rcnn": [(float("inf"), {})],
    "detr": [(float("inf"), {})],
    "textcnn": [(float("inf"), {"dropout": 0.5})],
    "bilstm": [(5000, {"dropout": 0.5}), (float("inf"), {"dropout": 0.3})],
    "text_transformer": [
        (5000, {"dropout": 0.3}),
        (50_000, {"dropout": 0.2}),
        (float("inf"), {"dropout": 0.1}),
    ],
}

# Published weights as the start (T7, T18, T26): the peak rate of AdamW, the rate of the first layer relative to the
# last (that of all that begins at random), the share of the steps in which only this learns, and the most passes over
# the rows.
TRANSFER: dict[str, dict[str, dict[str, float]]] = {
    "image": {
        "probe": {"lr": 3e-3, "first_layer_lr": 1.0, "weight_decay": 0.01, "probe": 1.0, "passes": 60},
        "finetune": {"lr": 1e-3, "first_layer_lr": 0.1, "weight_decay": 0.01, "probe": 0.2, "passes": 60},
    },
    "segmentation": {
        "probe": {"lr": 4e-3, "first_layer_lr": 1.0, "weight_decay": 0.01, "probe": 1.0, "passes": 100},
        "finetune": {"lr": 2e-3, "first_layer_lr": 0.1, "weight_decay": 0.01, "probe": 0.2, "passes": 100},
    },
    "detection": {
        "finetune": {"lr": 1e-3, "first_layer_lr": 0.1, "weight_decay": 0.01, "probe": 0.1, "passes": 100},
    },
}


def row_of(table: list[tuple[float, Any]], value: float) -> Any:
    """The entry of the first row whose bound `value` does not exceed."""
    return next(entry for bound, entry in table if value <= bound)
