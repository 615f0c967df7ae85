"""The report's JSON from what a run has found out, section by section (the shape: netwright.report.schema)."""

import platform
from collections import defaultdict
from pathlib import Path
from typing import Any

from netwright.advise.networks import fixed
from netwright.errors import InputError
from netwright.inspect import attention_macs, sight
from netwright.report import from_blueprint
from netwright.workbench.dossier_evidence import (
    baselines,
    deployment,
    limits,
    provenance,
    recipe,
    scaling,
    validation,
    verdict_json,
)
from netwright.workbench.growth import growth_of
from netwright.workbench.hand_over import Evidence
from netwright.workbench.request import DEFAULT_TIME
from netwright.workbench.targets import Target


def dossier(evidence: Evidence, folder: Path) -> dict[str, Any]:
    """All thirteen sections; `folder` holds the files that are handed over."""
    title = f"{evidence.chosen['name']} for {evidence.prepared.dataset.name}"
    picture = from_blueprint(evidence.blueprint.to_json(), title)
    picture["layers"]["notes"] += sees(evidence)
    return {
        "verdict": verdict(evidence),
        "brief": brief(evidence),
        "decision": decision(evidence),
        "diagram": picture["diagram"],
        "layers": picture["layers"],
        "cost": cost(evidence, picture["by_type"]),
        "recipe": recipe(evidence),
        "validation": validation(evidence),
        "baselines": baselines(evidence),
        "scaling": scaling(evidence),
        "deployment": deployment(evidence, folder),
        "limits": limits(evidence),
        "provenance": provenance(evidence),
    }


def verdict(evidence: Evidence) -> dict[str, Any]:
    part = evidence.part
    found = evidence.verdict
    content: dict[str, Any] = {
        "status": "interrupted" if evidence.interrupted else "complete",
        "metric": evidence.prepared.task.metric_name,
        "greater_is_better": evidence.prepared.task.metric.greater_is_better,
        "split": f"{part} ({len(evidence.truth):,} rows)",
        "budget": budget(evidence),
    }
    if found is None:
        name, score = evidence.prepared.task.metric_name, evidence.score
        sentence = f"Trained: {name} {score:.4g} on the {part} part; no baselines were asked for."
        return {"sentence": sentence, "network": {"name": evidence.chosen["name"], "score": score}, **content}
    said = verdict_json(evidence)
    if evidence.interrupted:
        said["sentence"] = f"Interrupted; on the validation part so far: {said['sentence']}"
    return {**said, **content}


def budget(evidence: Evidence) -> list[dict[str, Any]]:
    """Each limit of the brief beside what is used; without a limit, what is used."""
    allowed, found = evidence.budget, evidence.cost
    rows = [
        ("params", found.params, allowed.params),
        ("flops", found.flops, allowed.flops),
        ("latency_ms", found.latency, allowed.latency_ms),
        ("memory_bytes", found.memory, allowed.memory_bytes),
        ("size_bytes", found.size, allowed.size_bytes),
    ]
    bars: list[dict[str, Any]] = [
        {"name": name, "used": figure.value, "allowed": limit, "how": figure.how} for name, figure, limit in rows
    ]
    seconds = evidence.plan.get("wall_seconds")
    limit = evidence.budget.time_s if evidence.request.steps is None else None
    bars.append({"name": "time_s", "used": seconds, "allowed": limit, "how": "measured, training of all candidates"})
    for bar in bars:
        used, most = bar["used"], bar["allowed"]
        if isinstance(used, int | float) and isinstance(most, int | float):
            # Time is kept within a tenth; every other limit is hard.
            bar["met"] = used <= most * (1.1 if bar["name"] == "time_s" else 1.0)
    return bars


def brief(evidence: Evidence) -> dict[str, Any]:
    prepared, request = evidence.prepared, evidence.request
    found, parts = prepared.profile, prepared.split
    content: dict[str, Any] = {
        "name": prepared.dataset.name,
        "task": found.task,
        "modality": found.modality,
        "source": prepared.dataset.origin,
        "target": prepared.dataset.target_name,
        "metric": prepared.task.metric_name,
        "device": f"cpu ({platform.machine()})",
        "rows": found.rows,
        "split": {
            "train": len(parts.train),
            "validation": len(parts.validation),
            "test": len(parts.test),
            "how": parts.how,
        },
        "facts": facts(evidence),
        "assumptions": [f"The task is {found.task}: {found.task_reason}.", *prepared.fitted.get("notes", [])],
    }
    if request.time is None:
        content["assumptions"].append(f"No training time was given: {DEFAULT_TIME}.")
    if found.task != "regression":
        pairs = zip(found.target["labels"], found.target["counts"], strict=True)
        content["classes"] = [{"label": label, "count": count} for label, count in pairs]
    return content


def facts(evidence: Evidence) -> dict[str, Any]:
    found = evidence.prepared.profile
    if found.modality == "table":
        kinds: dict[str, int] = defaultdict(int)
        for column in found.columns:
            kinds[column.kind] += 1
        return {"columns": ", ".join(f"{count} {kind}" for kind, count in kinds.items())}
    seen = found.text if found.modality == "text" else found.image
    if found.modality == "detection":
        seen = {**(seen or {}), **_of_objects(found.target)}
    return {key.replace("_", " "): value for key, value in (seen or {}).items() if not isinstance(value, list)}


def _of_objects(target: dict[str, Any]) -> dict[str, Any]:
    sizes = ", ".join(f"{100 * target['sizes'][name]:.2g} %" for name in ("p5", "p50", "p95"))
    return {
        "objects of an image": f"{target['objects']['mean']:.2g} in the mean, {target['objects']['max']} at most",
        "sides of objects": f"{sizes} of the image's (5, 50 and 95 of 100 are smaller)",
        "images without objects": target["empty"],
    }


def decision(evidence: Evidence) -> dict[str, Any]:
    plan, chosen = evidence.plan, evidence.chosen
    dropped = {}
    for number, rung in enumerate(plan["rungs"], 1):
        for name, _ in rung.get("ranking", [])[rung["keep"] :]:
            dropped[name] = f"dropped after rung {number}"
    candidates = []
    for candidate in evidence.proposals["candidates"]:
        costs = {name: figure["value"] for name, figure in candidate["cost"].items()}
        scores = [
            r["score"]
            for n, r in plan["runs"].items()
            if n.rpartition(".seed")[0] == candidate["name"] and r.get("score") is not None
        ]
        better = max if evidence.prepared.task.metric.greater_is_better else min
        candidates.append(
            {
                "name": candidate["name"],
                "family": candidate["family"],
                "params": costs.get("params"),
                "flops": costs.get("flops"),
                "latency_ms": costs.get("latency"),
                "memory_bytes": costs.get("memory"),
                "score": better(scores) if scores else None,
                "outcome": "chosen"
                if candidate is chosen or candidate["name"] == chosen["name"]
                else dropped.get(candidate["name"], "not trained to the end"),
                "reasons": architecture_reasons(candidate)[:3],
            }
        )
    rejected: dict[str, dict[str, Any]] = {}
    for row in evidence.proposals["rejected"]:
        entry = rejected.setdefault(row["family"], {"family": row["family"], "reasons": []})
        entry["reasons"].append({"rule": row.get("rule"), "text": row["reason"]})
    model = evidence.design.model
    return {
        "chosen": {
            "name": chosen["name"],
            "family": chosen["family"],
            "text": first_line(type(evidence.network).__doc__),
            "args": dict(model.args),
            "yaml": evidence.design.dumps(),
            "reasons": architecture_reasons(chosen),
        },
        "candidates": candidates,
        "rejected": list(rejected.values()),
        "notes": evidence.proposals["notes"],
    }


def architecture_reasons(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """Why this network; why this training is the recipe's section."""
    recipe_rules = {reason["rule"] for reason in candidate["recipe_reasons"].values()}
    return [reason for reason in candidate["reasons"] if reason["rule"] not in recipe_rules]


def cost(evidence: Evidence, by_type: list[dict[str, Any]]) -> dict[str, Any]:
    names = {"latency": "latency_ms", "memory": "memory_bytes", "size": "size_bytes"}
    rows = [{"name": names.get(name, name), **figure} for name, figure in evidence.cost.to_json().items()]
    for row in rows:
        if not row["unit"]:
            row["unit"] = "count"
    run = evidence.plan["runs"][evidence.plan["best"]]
    rows.append(
        {
            "name": "Training of the network handed over",
            "value": run["seconds"],
            "unit": "s",
            "how": "measured, wall clock, one worker",
        }
    )
    notes = [
        "Latency and memory are of one forward at batch 1, on this machine's CPU; other devices were not measured."
    ]
    return {"rows": rows, "by_type": by_type, "growth": growth(evidence), "notes": notes}


# What the cost is asked to grow with: what changes most in use.
OF_IMAGES = ("image", "segmentation", "detection")
GROWS_WITH = {**dict.fromkeys(OF_IMAGES, "resolution"), "text": "length", "table": "batch=1,16,256"}


def growth(evidence: Evidence) -> dict[str, Any] | None:
    """None where the network takes no other size."""
    target = Target(evidence.chosen["name"], fixed(evidence.network))
    try:
        return growth_of(target, evidence.example, GROWS_WITH[evidence.prepared.profile.modality]).to_json()
    except InputError:
        return None


def sees(evidence: Evidence) -> list[str]:
    """How far a convolutional network for images sees, in a line."""
    network, inputs = fixed(evidence.network), evidence.example
    if evidence.prepared.profile.modality not in OF_IMAGES or attention_macs(network, inputs):
        return []
    found = sight(network, evidence.blueprint, inputs)
    if not found.sentence:
        return []
    how = f" ({found.effective.how.replace('the weights given', 'the trained weights')})" if found.effective else ""
    return [f"{found.sentence.removesuffix('.')}{how}."]


def first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]
