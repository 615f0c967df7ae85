"""How to train a candidate: a Recipe from the tables, each choice with its rule and these data's numbers."""

import math
from collections.abc import Mapping
from typing import Any

from netwright.advise.facts import TRAIN_SHARE, epochs_for, facts_of
from netwright.advise.networks import Contract, weights_of
from netwright.advise.recipe_tables import (
    AUGMENT,
    AVERAGE,
    BATCH,
    LENGTH,
    MIXUP,
    OPTIMISER,
    PATIENCE,
    RATE_BY_PARAMS,
    REGULARISE,
    SMOOTHING,
    WARMUP,
    row_of,
)
from netwright.advise.rules import reason, rule
from netwright.data.profiles import Profile
from netwright.design import Brief, Recipe, Spec

Reasons = dict[str, dict[str, str]]


def recipe_for(family: str, spec: Spec, profile: Profile, brief: Brief, contract: Contract) -> tuple[Recipe, Reasons]:
    """The recipe of this network on these data, and the reason of each field.

    `steps` is the longest training that makes sense; a time limit shortens it.
    """
    params, _ = weights_of(spec, contract)
    return recipe_of(family, params, facts_of(profile, brief, contract), metric=brief.metric, seed=brief.seed)


def recipe_of(
    family: str,
    params: int,
    facts: Mapping[str, Any],
    *,
    passes: float = math.inf,
    metric: str | None = None,
    seed: int = 0,
) -> tuple[Recipe, Reasons]:
    """`recipe_for` where parameters and facts are known, and how many `passes` over the rows the time allows."""
    known: dict[str, Any] = {**facts, "params_counted": params}
    batch = batch_size(facts)
    rows = max(2, round(TRAIN_SHARE * facts["rows"]))
    a_pass = max(1, round(rows / min(batch, rows)))
    length = LENGTH[facts["modality"]]
    steps = math.ceil(a_pass * epochs_for(rows, length["samples"], length["least"], length["most"]))
    warmup = min(WARMUP["share"], WARMUP["steps"] / steps)
    base = OPTIMISER[family]
    lr = base["lr"] * row_of(RATE_BY_PARAMS, params) * math.sqrt(batch / base["batch"])
    decay = _weight_decay(base["weight_decay"], facts["rows"])
    blurred = facts["task"] in ("binary", "multiclass") and metric != "log_loss"
    smoothing = row_of(SMOOTHING, facts["classes"]) if blurred else 0.0
    ema = min(AVERAGE["most"], max(AVERAGE["least"], 1 - 1 / max(1.0, AVERAGE["share"] * steps)))
    augment, augment_rule = augmentation(facts, passes)
    mixup = MIXUP["alpha"] if _may_mix(facts) else 0.0
    recipe = Recipe(
        lr=_two_digits(lr),
        weight_decay=_two_digits(decay),
        betas=rule("T16").value["betas"],
        batch_size=batch,
        steps=steps,
        warmup_fraction=round(warmup, 4),
        label_smoothing=smoothing,
        mixup=mixup,
        clip_norm=rule("T16").value["clip"],
        ema_decay=round(ema, 4),
        augment=augment,
        precision=rule("T24").value["precision"],
        seed=seed,
        patience=PATIENCE[facts["modality"]],
    )
    known |= {
        "batch_size": batch,
        "reference_batch": base["batch"],
        "steps_per_epoch": a_pass,
        "warmup": f"{100 * warmup:.2g} %",
        "weight_decay": recipe.weight_decay,
        "label_smoothing": smoothing,
        "ema_steps": round(1 / (1 - ema)),
        "passes": round(min(passes, 1e6)),
    }
    ids = {
        "lr": "T7" if batch == base["batch"] else "T2",
        "weight_decay": "T10",
        "batch_size": "T3",
        "warmup_fraction": "T8",
        "steps": "T9",
        "clip_norm": "T16",
        "ema_decay": "T20",
        "precision": "T24",
    }
    if facts["modality"] == "segmentation" and family != "segformer":
        ids["lr"] = "G12"
    if smoothing:
        ids["label_smoothing"] = "T19"
    if mixup:
        ids["mixup"] = "T21"
    if augment_rule:
        ids["augment"] = augment_rule
    return recipe, {field: reason(rule(id), known) for field, id in ids.items()}


def batch_size(facts: Mapping[str, Any]) -> int:
    """Samples a step, by modality and rows."""
    return row_of(BATCH[facts["modality"]], facts["rows"])


def augmentation(facts: Mapping[str, Any], passes: float = math.inf) -> tuple[list[Any], str]:
    """Label-safe variations of the inputs, and the rule that allows them; flips for colour photos only.

    Images that are seen in few `passes` are not turned or moved.
    """
    if facts["modality"] == "text":
        return list(AUGMENT["text"]), "T22"
    if facts["modality"] == "table":
        return [], ""
    if facts["modality"] == "segmentation":
        return (list(AUGMENT["masks"]), "G5") if facts["colour"] else (list(AUGMENT["grey_masks"]), "G5b")
    if facts["modality"] == "image" and passes < rule("T11b").value["passes"]:
        return ["flip"] if facts["colour"] and facts["side"] >= 24 else [], "T11b"
    if facts["modality"] == "detection":
        return (list(AUGMENT["boxes"]), "D6") if facts["colour"] else (list(AUGMENT["grey_boxes"]), "D6b")
    if not facts["colour"]:
        return list(AUGMENT["tiny" if facts["side"] < 16 else "grey"]), "T14"
    if facts["side"] < 24:
        return list(AUGMENT["small_colour"]), "T14c"
    return list(AUGMENT["photo" if facts["side"] < 96 else "large_photo"]), "T14b"


def regularisation(family: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The model's own dropout and its like, by family and rows."""
    return dict(row_of(REGULARISE[family], facts["rows"]))


def _may_mix(facts: Mapping[str, Any]) -> bool:
    image = facts["modality"] == "image" and facts["task"] != "regression"
    return image and facts["rows"] >= MIXUP["rows"] and facts["side"] >= MIXUP["side"]


def _weight_decay(base: float, rows: int) -> float:
    """Somewhat more on fewer rows: T10's 1/n, damped to a quarter power and at most tripled."""
    return base * min(3.0, max(1.0, (5e4 / max(1, rows)) ** 0.25))


def _two_digits(value: float) -> float:
    return float(f"{value:.2g}")
