"""The handed-over predict.py, train.py, README.md and requirements.txt, from their templates."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from netwright.design import Design
from netwright.export.layout import import_block, import_order, plain_words, tidy_format
from netwright.export.symbols import TOKEN, Symbols
from netwright.export.template import render
from netwright.export.templates import average_precision, metrics
from netwright.tasks import METRICS
from netwright.train import augment
from netwright.train.trainer import WITH_TARGETS

PREPROCESSING = {
    "table": "TablePreprocessing",
    "image": "ImagePreprocessing",
    "text": "TextPreprocessing",
    "segmentation": "SegmentationPreprocessing",
    "detection": "DetectionPreprocessing",
}
PACKAGES = {
    "table": ("torch", "numpy", "pandas"),
    "image": ("torch", "numpy", "pillow"),
    "text": ("torch", "numpy"),
    "segmentation": ("torch", "numpy", "pillow"),
    "detection": ("torch", "numpy", "pillow"),
}
OF_IMAGES = ("image", "segmentation", "detection")
PREDICT = {"segmentation": "predict_masks.py.in", "detection": "predict_boxes.py.in"}
IMPORTED = {"math", "torch", "F", "Tensor", "nn"}  # by train.py in any case
VERSIONS = {"torch": "2.4", "numpy": "1.26", "pandas": "2.2", "pillow": "10"}  # the oldest that we support
EVALUATIONS = 30  # of a training whose recipe doesn't say

# safetensors' names of types
TYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


@dataclass(frozen=True)
class Files:
    """The parts of the data that lie in the folder, by their names there; None where there is none."""

    train: str | None = None
    validation: str | None = None
    test: str | None = None


@dataclass(frozen=True)
class Layers:
    """How the names begin of what stands still in a probe, what of a parameter's name is its layer's, and whether
    channels last is safe."""

    held: tuple[str, ...] = ()
    pattern: str = ""
    channels_last: bool = True


def scripts(
    design: Design,
    fitted: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    files: Files,
    *,
    arrays: bool,
    members: bool,
    layers: Layers = Layers(),
) -> dict[str, str]:
    """Each file's text by its name. `arrays`: images come in arrays; `members`: in training, an ensemble's
    members answer each for itself."""
    values = _values(design, fitted, weights, files, arrays=arrays, members=members, layers=layers)
    templates = {"predict.py": PREDICT.get(fitted["kind"], "predict.py.in"), "train.py": "train.py.in"}
    made = {name: tidy_format(render(template, values), sort=False) for name, template in templates.items()}
    made["README.md"] = re.sub(r"\n{3,}", "\n\n", render("README.md.in", values))
    made["requirements.txt"] = "".join(f"{row}\n" for row in requirements(fitted["kind"]))
    return made


def requirements(modality: str) -> list[str]:
    """What the folder needs, and from which version on."""
    return [f"{name}>={VERSIONS[name]}" for name in PACKAGES[modality]]


def _values(
    design: Design,
    fitted: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    files: Files,
    *,
    arrays: bool,
    members: bool,
    layers: Layers,
) -> dict[str, Any]:
    modality, recipe = fitted["kind"], design.recipe
    classes, masks, boxes = (fitted["target"]["kind"] == kind for kind in ("classes", "masks", "boxes"))
    usual = {"classes": "accuracy", "masks": "miou", "boxes": "ap50"}.get(fitted["target"]["kind"], "rmse")
    metric = METRICS[design.task.metric or usual]
    image = "images" if boxes else "x"
    types = [dtype for dtype in TYPES if any(value.dtype == dtype for value in weights.values())]
    channels_last = modality in OF_IMAGES and layers.channels_last
    calls, sources, imports = _augmentations(recipe.augment, image)
    used = [
        "HERE",
        metric.name,
        "read",
        *(["confusion", "scores_of"] if masks else ["found_by"] if boxes else ["outputs_of"]),
    ]
    used += ["load_weights"] if recipe.weights else []
    sign = "" if metric.greater_is_better else "-"
    example = {"table": "FILE", "text": "FILE", "image": "IMAGES.npz" if arrays else "FOLDER"}.get(modality, "FOLDER")
    smoothing = recipe.label_smoothing if classes else 0.0
    return {
        "name": plain_words(design.name),
        "modality": modality,
        "arrays": arrays,
        "classes": classes,
        "masks": masks,
        "boxes": boxes,
        "image": image,
        "is_image": modality in OF_IMAGES,
        "members": members,
        "target": design.task.target or "target",
        "shown": plain_words(design.task.target or "target"),
        "column": plain_words(fitted.get("column") or ""),
        "example": example,
        "preprocessing": PREPROCESSING[modality],
        "train": files.train if files.validation else None,
        "validation": files.validation,
        "test": files.test,
        "first": {"table": 'tensors["x_num"]', "image": 'tensors["x"]', "text": 'tensors["tokens"]'}.get(modality),
        "outputs": len(fitted["target"].get("labels", [0])),
        "types": "{" + ", ".join(f'"{TYPES[dtype]}": {dtype}' for dtype in types) + "}",
        "names": "{" + ", ".join(f'{dtype}: "{TYPES[dtype]}"' for dtype in types) + "}",
        "empty": any(value.numel() == 0 for value in weights.values()),
        "metric": metric.name,
        "from_predict": ", ".join(sorted(used, key=import_order)),
        "paths_and": "_, " if masks or boxes else "",
        "confusion_source": inspect.getsource(metrics.confusion) if masks else "",
        "metric_source": _precision_source(metric.name)
        if boxes
        else _metric_source(metric.name, classes, len(fitted["target"].get("labels", ()))),
        "sign": sign,
        "best_shown": f"{{{sign}best[0]:.6f}}",
        "seed": recipe.seed,
        "steps": recipe.steps,
        "batch_size": recipe.batch_size,
        "lr": _number(recipe.lr),
        "warmup": _number(recipe.warmup_fraction),
        "weight_decay": _number(recipe.weight_decay),
        "betas": tuple(recipe.betas),
        "clip": _number(recipe.clip_norm),
        "smoothing": _number(smoothing) if smoothing else "",
        "smoothed": " with label smoothing" if smoothing else "",
        "mixup": _number(recipe.mixup) if recipe.mixup else "",
        "mixed_loss": MIXED_LOSS,
        "loss_call": 'loss_of(network, batch["images"], wanted)' if boxes else "loss_of(network(**batch), wanted)",
        "ema": _number(recipe.ema_decay),
        "judged": "average" if recipe.ema_decay else "network",
        "final": _number(recipe.final_lr_fraction) if recipe.final_lr_fraction else "",
        "to_final": f" to {_number(recipe.final_lr_fraction)} of the peak" if recipe.final_lr_fraction else "",
        "pretrained": plain_words(recipe.weights or ""),
        "start": "the published weights" if recipe.weights else "scratch",
        "probe": _number(recipe.probe) if recipe.probe else "",
        "held": repr(layers.held),
        "layer_pattern": f'r"{layers.pattern}"',
        "first_layer_lr": _number(recipe.first_layer_lr) if recipe.first_layer_lr != 1.0 else "",
        "bf16": recipe.precision == "bf16",
        "eval_every": recipe.eval_every or max(1, recipe.steps // EVALUATIONS),
        "patience": recipe.patience,
        "loss": recipe.loss
        or ("cross_entropy" if classes else "cross_entropy_dice" if masks else "own" if boxes else "mse"),
        "augment_calls": "\n".join(calls),
        "augment_source": sources,
        "augment_imports": imports,
        "channels_last": ".to(memory_format=torch.channels_last)" if channels_last else "",
        "packages": ", ".join(PACKAGES[modality][:-1]) + f" and {PACKAGES[modality][-1]}",
    }


MIXED_LOSS = """\
share, other = float(random.beta(MIXUP, MIXUP)), torch.randperm(len(rows))
mixed = {k: share * v + (1 - share) * v[other] if v.is_floating_point() else v for k, v in batch.items()}
outputs = network(**mixed)
loss = share * loss_of(outputs, wanted) + (1 - share) * loss_of(outputs, wanted[other])"""


def _number(value: float | None) -> str:
    """A number as a person writes it: 1e-3 stays 0.001, 1e-06 becomes 1e-6."""
    return "" if value is None else re.sub(r"e([+-]?)0+(?=\d)", r"e\1", repr(value))


def _metric_source(name: str, classes: bool, labels: int) -> str:
    """The function of the metric in use, as it stands in templates/metrics.py."""
    kept = f"auc_{'binary' if labels == 2 else 'multiclass'}" if name == "auc" else name
    source = inspect.getsource(getattr(metrics, kept))
    return source.replace(f"def {kept}(", f"def {name}(", 1)


def _precision_source(name: str) -> str:
    """The function of the metric in use and those that it calls, as they stand in templates/average_precision.py."""
    used = ("average_precision", "overlaps_of", "matches", name)
    return "\n\n".join(inspect.getsource(getattr(average_precision, one)) for one in used)


def _augmentations(items: list[Any], image: str) -> tuple[list[str], str, str]:
    """Calls that augment a batch, the source of the functions, as training has them, and their imports."""
    symbols, calls, tokens = Symbols(), [], []
    for item in items:
        name, options = next(iter(item.items())) if isinstance(item, dict) else (item, {})
        paired = WITH_TARGETS.get(name)
        symbol = symbols.of_object(paired or getattr(augment, name))
        assert symbol is not None
        tokens.append(symbols.token(symbol))
        given = "".join(f", {key}={value!r}" for key, value in (options or {}).items())
        if paired:
            calls.append(f'batch["{image}"], wanted = {name}(batch["{image}"], wanted{given})')
            continue
        argument = "tokens" if name == "token_dropout" else image
        calls.append(f'batch["{argument}"] = {name}(batch["{argument}"]{given})')
    source = _sources(list(dict.fromkeys(tokens)), symbols)
    used = {s.alias: s for s in symbols.tokens if s.is_import and s.alias not in IMPORTED and s.module != "torch.nn"}
    return calls, source, import_block(used).strip()


def _sources(tokens: list[str], symbols: Symbols) -> str:
    """The text of functions and of what they use, under the names that they have in their file."""
    texts: dict[str, str] = {}
    while tokens:
        token = tokens.pop()
        if token not in texts and not symbols.symbols[token].is_import:
            texts[token] = symbols.text(symbols.symbols[token])
            tokens += TOKEN.findall(texts[token])
    return "".join(TOKEN.sub(lambda m: symbols.symbols[m[0]].alias, text) + "\n\n\n" for text in texts.values())
