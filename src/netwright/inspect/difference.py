"""Two Blueprints side by side, as plain data."""

from typing import Any

from netwright.inspect.align import aligned
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


def differences(left: Blueprint, right: Blueprint) -> dict[str, Any]:
    """{"identical", "same_wiring", "totals", "classes", "rows"}.

    identical: the same rows, options, wiring and totals · same_wiring: the same edges between rows of the same names ·
    totals: the figures of both, with their ratio · classes: those of layers in which they differ · rows: `aligned`.
    """
    totals = [
        {"name": name, "unit": unit, "left": one, "right": other, "ratio": other / one if one else None}
        for key, (name, unit) in TOTALS.items()
        for one, other in [(getattr(left, key), getattr(right, key))]
        if one or other
    ]
    mine, theirs = _classes(left), _classes(right)
    classes = [
        {"class": name, "left": mine.get(name, NONE), "right": theirs.get(name, NONE)}
        for name in dict.fromkeys([*mine, *theirs])
        if mine.get(name) != theirs.get(name)
    ]
    rows = aligned(left, right)
    same_wiring = set(left.edges) == set(right.edges)
    same_rows = all(row["change"] == "same" for row in rows)
    same_figures = all(row["left"] == row["right"] for row in totals)
    return {
        "identical": same_rows and same_figures and same_wiring and left.tied == right.tied,
        "same_wiring": same_wiring,
        "totals": totals,
        "classes": classes,
        "rows": rows,
    }


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
