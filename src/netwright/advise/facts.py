"""Facts: what is known of data and brief, as named plain values that rules test and quote."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from netwright.advise.detectors import facts_of_objects
from netwright.advise.mask_ladders import unet_scales
from netwright.advise.widths import halvings
from netwright.data.profiles import Profile
from netwright.design import Brief, Budget

ASSUMED_SECONDS = 300.0
"""Training time that sizes are chosen for when the brief sets none."""
TEST_SHARE = 0.2
TRAIN_SHARE = 0.7
"""Of all rows, about those left for training by test and validation parts."""


def facts_of(profile: Profile, brief: Brief, contract: Mapping[str, Any]) -> dict[str, Any]:
    """Every fact by name; what does not apply to the modality is absent.

    modality, task, rows, test_rows, classes, imbalance · image: height, width, side, channels, colour,
    halvings, mobile_map · segmentation: those of images, scales, last_map · detection:
    those of images, and of objects (`detectors`) · table: numeric, categorical,
    features, max_cardinality · text: length (95th percentile), median_length, vocabulary · attention_pairs ·
    device, time_s, limits, limited, memory_limited, latency_limited.
    """
    found: dict[str, Any] = {
        "modality": profile.modality,
        "task": profile.task,
        "rows": profile.rows,
        "test_rows": round(TEST_SHARE * profile.rows),
        "device": brief.device,
        **_limits(brief.budget),
    }
    if profile.task != "regression":
        found["classes"] = profile.num_classes
        found["imbalance"] = profile.target.get("imbalance")
    if profile.modality in ("image", "segmentation", "detection"):
        found |= _image(profile, contract)
        if profile.modality == "detection":
            found |= facts_of_objects(profile.target, found["side"])
        if profile.modality == "segmentation":
            found |= _masks(found["side"])
    elif profile.modality == "text":
        found |= _text(profile, contract)
    else:
        found |= _table(contract)
    return found


def _limits(budget: Budget) -> dict[str, Any]:
    hard = dataclasses.replace(budget, time_s=None)
    return {
        "limited": bool(hard),
        "limits": str(hard),
        "memory_limited": budget.memory_bytes is not None,
        "latency_limited": budget.latency_ms is not None,
        "time_s": budget.time_s or ASSUMED_SECONDS,
    }


def _image(profile: Profile, contract: Mapping[str, Any]) -> dict[str, Any]:
    side = int(contract["image_size"])
    seen = profile.image or {}
    useful = halvings(side)
    return {
        "side": side,
        "height": int(seen.get("height", side)),
        "width": int(seen.get("width", side)),
        "channels": int(contract["in_channels"]),
        "colour": int(contract["in_channels"]) >= 3,
        "halvings": useful,
    }


def _masks(side: int) -> dict[str, Any]:
    scales = unet_scales(side)
    return {"scales": scales, "last_map": -(-side // 2 ** (scales - 1))}


def _table(contract: Mapping[str, Any]) -> dict[str, Any]:
    levels = list(contract.get("cardinalities", ()))
    columns = int(contract["num_features"]) + len(levels)
    return {
        "numeric": int(contract["num_features"]),
        "categorical": len(levels),
        "features": columns,
        "max_cardinality": max(levels, default=0),
        "attention_pairs": (columns + 1) ** 2,
    }


def _text(profile: Profile, contract: Mapping[str, Any]) -> dict[str, Any]:
    lengths = (profile.text or {}).get("lengths", {})
    longest = int(contract.get("max_length", 256))
    length = max(1, min(longest, int(lengths.get("p95", longest))))
    return {
        "length": length,
        "median_length": int(lengths.get("p50", length)),
        "vocabulary": int(contract["vocab_size"]),
        "attention_pairs": length**2,
    }


def epochs_for(rows: int, samples: float, least: float, most: float) -> float:
    """Passes over the data that make about `samples` samples in all, within bounds (rule R1)."""
    return min(most, max(least, samples / max(1, rows)))


def rounded(value: float) -> int:
    """A count as one says it: two significant digits."""
    if value < 100:
        return round(value)
    unit = 10 ** (int(math.log10(value)) - 1)
    return int(round(value / unit) * unit)
