"""Two Blueprints side by side, as plain data."""

from typing import Any

from netwright.inspect.blueprint import Blueprint

TOTALS = {
    "params": ("parameters", "count"),
    "macs": ("MACs", "count"),
    "backward_macs": ("backward MACs", "count"),
    "weights_bytes": ("weights", "bytes"),
    "activation_bytes": ("activations", "bytes"),
    "saved_bytes": ("saved for the backward", "bytes"),
    "peak_memory": ("peak memory", "bytes"),
}
NONE = {"calls": 0, "params": 0, "macs": 0}


def differences(left: Blueprint, right: Blueprint) -> dict[str, list[dict[str, Any]]]:
    """{"totals", "classes"}: the figures of both, and the classes of layers in which they differ."""
    totals = [
        {"name": name, "unit": unit, "left": getattr(left, key), "right": getattr(right, key)}
        for key, (name, unit) in TOTALS.items()
        if getattr(left, key) or getattr(right, key)
    ]
    one, other = _classes(left), _classes(right)
    classes = [
        {"class": name, "left": one.get(name, NONE), "right": other.get(name, NONE)}
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]
    return {"totals": totals, "classes": classes}


def _classes(blueprint: Blueprint) -> dict[str, dict[str, int]]:
    """Calls, parameters and MACs of the layers that call no others, by class."""
    found: dict[str, dict[str, int]] = {}
    for row in blueprint.rows:
        if row.leaf or row.own_params:
            entry = found.setdefault(row.cls, dict(NONE))
            entry["calls"] += 1
            entry["params"] += row.own_params
            entry["macs"] += row.macs if row.leaf else 0
    return found
