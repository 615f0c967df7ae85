"""Published weights as candidates: a classifier or decoder on frozen features, and fine-tuning after such a start."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from netwright.advise.candidates import Candidate
from netwright.advise.facts import TRAIN_SHARE, facts_of
from netwright.advise.recipe import batch_size, recipe_of
from netwright.advise.recipe_tables import RATE_BY_PARAMS, TRANSFER, row_of
from netwright.advise.rules import reason, rule
from netwright.advise.sizing import Sized, limit_words, limits_of, sized, value_words
from netwright.data.profiles import Profile
from netwright.design import Brief, Recipe, Spec, registry

LIKE = {"image": "resnet", "segmentation": "unet"}
"""The family whose recipe is taken; the table replaces what depends on the family."""

ALONE = {"image": "classifier", "segmentation": "decoder"}
"""What begins at random."""

HOW = {
    "probe": "Only the {alone} learns, on the features of {weights}: the fewest weights to fit to {rows} images.",
    "finetune": "{weights} is fine-tuned: the {alone} alone for the first {share} of the steps, then every layer, "
    "the first at {first} of the last one's rate.",
}


def transfer(
    spec: Spec, weights: str, profile: Profile, brief: Brief, contract: Mapping[str, Any]
) -> tuple[list[tuple[Candidate, Sized]], list[dict[str, str]]]:
    """Both ways to use `weights` of the network `spec`, and what was left out with the reason.

    Masks need a decoder: they get a U-Net on that network. Weights fix a network's size: where a limit does not
    hold, both are left out.
    """
    family, preset = registry().family(spec.name)
    name = family.preset_name(preset) if preset else family.name
    stem, host = family.name, family.name
    if profile.modality == "segmentation":
        spec = Spec("unet", {**rule("G10").value, "backbone": spec.name})
        stem, host = f"unet-{family.name}", "unet"
    found = sized(spec, dict(contract), limits_of(brief.budget))
    broken = [limit for limit, margin in found.margins.items() if margin > 1]
    if broken:
        reached = ", ".join(value_words(limit, found.cost[limit].value) for limit in broken)
        text = f"With its weights its size is fixed: {reached}, beyond {limit_words(limits_of(brief.budget))}."
        return [], [{"family": name, "rule": "S0.1", "reason": text}]
    facts = {**facts_of(profile, brief, contract), "weights": weights, "alone": ALONE[profile.modality]}
    params = int(found.cost["params"].value)
    candidates = []
    for way, table in TRANSFER[profile.modality].items():
        recipe, reasons = _recipe(params, table, facts, brief)
        known = {**facts, "share": f"{100 * table['probe']:.0f} %", "first": f"{table['first_layer_lr']:g}"}
        text = HOW[way].format_map(known)
        why = [{**reason(rule("T26"), facts), "text": text}, reason(rule("T18"), facts)]
        if profile.modality == "segmentation":
            why.insert(1, reason(rule("G10"), facts))
        candidates.append(
            Candidate(
                name=f"{stem}-{way}",
                family=host,
                spec=spec,
                recipe=replace(recipe, weights=weights),
                reasons=[*why, *reasons.values()],
                default_cost={},
                points=0.0,
                scale=host,
                overlay={},
                recipe_reasons=reasons,
            )
        )
    return [(candidate, found) for candidate in candidates], []


def _recipe(
    params: int, table: Mapping[str, float], facts: dict[str, Any], brief: Brief
) -> tuple[Recipe, dict[str, dict[str, str]]]:
    """The rules' recipe with the rates and the length of a transfer."""
    recipe, reasons = recipe_of(LIKE[facts["modality"]], params, facts, metric=brief.metric, seed=brief.seed)
    batch = batch_size(facts)
    a_pass = max(1, round(TRAIN_SHARE * facts["rows"] / batch))
    large = table["probe"] < 1 and facts["modality"] == "image"  # a decoder on the weights is small itself
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
