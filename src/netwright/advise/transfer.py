"""Published weights as candidates: what begins at random on frozen features, and fine-tuning after such a start."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netwright.advise.candidates import Candidate
from netwright.advise.detectors import on_backbone
from netwright.advise.facts import TRAIN_SHARE, facts_of
from netwright.advise.recipe import batch_size, recipe_of
from netwright.advise.recipe_tables import RATE_BY_PARAMS, TRANSFER, row_of
from netwright.advise.rules import reason, rule
from netwright.advise.sizing import Sized, limit_words, limits_of, sized, value_words
from netwright.data.profiles import Profile
from netwright.design import Brief, Recipe, Spec, registry

ALONE = {"image": "classifier", "segmentation": "decoder", "detection": "rest"}
"""What begins at random."""

WHY = {"segmentation": "G10", "detection": "D9"}
"""The rule that says how a network on the weights is made."""

HOW = {
    "probe": "Only the {alone} learns, on the features of {weights}: the fewest weights to fit to {rows} images.",
    "finetune": "{weights} is fine-tuned: the {alone} alone for the first {share} of the steps, then every layer, "
    "the first at {first} of the last one's rate.",
}


def transfer(
    spec: Spec, weights: str, profile: Profile, brief: Brief, contract: Mapping[str, Any]
) -> tuple[list[tuple[Candidate, Sized]], list[dict[str, str]]]:
    """Every way to use `weights` of the network `spec`, and what was left out with the reason.

    Weights fix a network's size: where it breaks a limit, it is left out.
    """
    facts = {**facts_of(profile, brief, contract), "weights": weights, "alone": ALONE[profile.modality]}
    limits, candidates, left_out = limits_of(brief.budget), [], []
    for name, host, made in _networks(spec, facts):
        found = sized(made, dict(contract), limits)
        broken = [limit for limit, margin in found.margins.items() if margin > 1]
        if broken:
            reached = ", ".join(value_words(limit, found.cost[limit].value) for limit in broken)
            text = f"With its weights its size is fixed: {reached}, beyond {limit_words(limits)}."
            left_out.append({"family": name, "rule": "S0.1", "reason": text})
            continue
        for way, table in TRANSFER[profile.modality].items():
            recipe, reasons = _recipe(host, int(found.cost["params"].value), table, facts, brief)
            candidate = Candidate(
                name=f"{name.partition(':')[0]}-{way}",
                family=host,
                spec=made,
                recipe=replace(recipe, weights=weights),
                reasons=[*_reasons(way, table, facts), *reasons.values()],
                default_cost={},
                points=0.0,
                scale=host,
                overlay={},
                recipe_reasons=reasons,
            )
            candidates.append((candidate, found))
    return candidates, left_out


def _networks(spec: Spec, facts: dict[str, Any]) -> list[tuple[str, str, Spec]]:
    """What can be made of the network `spec`: a name, which ends with its preset, the family and the network itself.

    Masks need a decoder: they get a U-Net on it. Boxes need a pyramid and heads: they get two detectors.
    """
    if facts["modality"] == "segmentation":
        return [(f"unet-{spec.name}", "unet", Spec("unet", {**rule("G10").value, "backbone": spec.name}))]
    if facts["modality"] == "detection":
        detectors = on_backbone(spec.name, facts).items()
        return [(f"{host}-{spec.name}", host, Spec(host, args)) for host, args in detectors]
    return [(spec.name, registry().family(spec.name)[0].name, spec)]


def _reasons(way: str, table: Mapping[str, float], facts: dict[str, Any]) -> list[dict[str, str]]:
    share, first = f"{100 * table['probe']:.0f} %", f"{table['first_layer_lr']:g}"
    how = {**reason(rule("T26"), facts), "text": HOW[way].format_map({**facts, "share": share, "first": first})}
    made = [reason(rule(WHY[facts["modality"]]), facts)] if facts["modality"] in WHY else []
    return [how, *made, reason(rule("T18"), facts)]


def _recipe(
    host: str, params: int, table: Mapping[str, float], facts: dict[str, Any], brief: Brief
) -> tuple[Recipe, dict[str, dict[str, str]]]:
    """The rules' recipe with the rates and the length of a transfer."""
    like = "resnet" if facts["modality"] == "image" else host  # the table replaces what depends on the family
    recipe, reasons = recipe_of(like, params, facts, metric=brief.metric, seed=brief.seed)
    batch = batch_size(facts)
    a_pass = max(1, round(TRAIN_SHARE * facts["rows"] / batch))
    large = table["probe"] < 1 and facts["modality"] == "image"  # what is put on the weights is small itself
    lr = table["lr"] * (row_of(RATE_BY_PARAMS, params) if large else 1.0)
    recipe = replace(
        recipe,
        lr=lr,
        weight_decay=table["weight_decay"],
        steps=min(recipe.steps, math.ceil(a_pass * table["passes"])),
        probe=table["probe"],
        first_layer_lr=table["first_layer_lr"],
        mixup=0.0,
    )
    return recipe, {name: text for name, text in reasons.items() if name not in ("lr", "weight_decay", "mixup")}
