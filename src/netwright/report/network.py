"""A Blueprint's JSON → what the report holds of a network: diagram, layer rows, cost by block type."""

from collections.abc import Mapping
from typing import Any


def from_blueprint(blueprint: Mapping[str, Any], title: str = "") -> dict[str, Any]:
    """{"diagram", "layers", "by_type"} of `Blueprint.to_json()`, for one example, whatever the batch was.

    A module's second call is a row of its own (":2"), with what it calls beneath it.
    """
    inputs = [list(shape) for shape in blueprint.get("inputs") or []]
    batch = inputs[0][0] if inputs and inputs[0] and inputs[0][0] else 1
    source = blueprint.get("rows") or []
    paths: list[str] = []
    for row in source:
        paths.append(_path(row, source, paths))
    named = {row["id"]: path for row, path in zip(source, paths, strict=True)}
    rows = [
        {
            "path": path,
            "class": _class(row["cls"]),
            "depth": row["depth"],
            "shape": row["outputs"][0][1:] if row["outputs"] else None,
            "params": row["params"],
            "macs": row["macs"] // batch,
            "activations": row["activation_bytes"] // (4 * batch),
        }
        for row, path in zip(source, paths, strict=True)
        if path
    ]
    ends = ((edge["source"], edge["target"]) for edge in blueprint.get("edges") or [])
    pairs = dict.fromkeys((_end(named, a), _end(named, b)) for a, b in ends)
    whole = {
        "params": blueprint["params"],
        "macs": blueprint["macs"] // batch,
        "activations": blueprint["activation_bytes"] // (4 * batch),
    }
    missed = [
        f"Not counted: {item['op']}, {item['calls']} call{'s' if item['calls'] != 1 else ''}, first in "
        f"{item['where']}; the MACs are a lower bound."
        for item in blueprint.get("not_counted") or []
    ]
    return {
        "diagram": {
            "title": title or blueprint["cls"],
            "input": inputs[0][1:] if inputs else None,
            "edges": [{"from": a, "to": b} for a, b in pairs] or None,
        },
        "layers": {"rows": rows, "total": whole, "notes": missed},
        "by_type": _by_type(source, batch),
    }


def _path(row: Mapping[str, Any], rows: Any, paths: list[str]) -> str:
    """Its id, put beneath its parent's: unique, and nested as the calls were."""
    if row["parent"] is None or not row["path"]:
        return row["path"] and row["id"]
    above, beneath = rows[row["parent"]]["path"], paths[row["parent"]]
    own = row["id"]
    if not beneath or not own.startswith(f"{above}."):
        return own
    return f"{beneath}.{own[len(above) + 1 :]}"


def _end(named: Mapping[str, str], end: str) -> str:
    return "input" if end.startswith("input:") else named.get(end, end)


def _class(name: str) -> str:
    return "sdpa" if name.startswith("scaled_dot_product") else name


def _by_type(rows: Any, batch: int) -> list[dict[str, Any]]:
    """Modules that call no others, and operators, by class; parameters held directly are their holder's."""
    types: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["leaf"] or row["own_params"]:
            name = _class(row["cls"])
            found = types.setdefault(name, {"type": name, "count": 0, "params": 0, "macs": 0})
            found["count"] += 1
            found["params"] += row["own_params"]
            found["macs"] += row["macs"] // batch if row["leaf"] else 0
    kept = (item for item in types.values() if item["params"] or item["macs"])
    return sorted(kept, key=lambda item: (-item["macs"], -item["params"]))
