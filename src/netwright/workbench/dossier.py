"""The report's JSON from what a run has found out, section by section (the shape: netwright.report.schema)."""

import hashlib
import platform
import shlex
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from netwright.advise import RULES, rule
from netwright.workbench.hand_over import RESAMPLES, Evidence
from netwright.workbench.request import DEFAULT_TIME

BOOTSTRAP = f"percentile bootstrap over the rows of the part, {RESAMPLES:,} draws, 95 %"
POINTS = 2000  # of a plot


def dossier(evidence: Evidence, folder: Path) -> dict[str, Any]:
    """All thirteen sections; `folder` holds the files that are handed over."""
    return {
        "verdict": verdict(evidence),
        "brief": brief(evidence),
        "decision": decision(evidence),
        "diagram": diagram(evidence),
        "layers": layers(evidence),
        "cost": cost(evidence),
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
    said = found.to_json()
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
    bars = [
        {"name": name, "used": figure.value, "allowed": limit, "how": figure.how}
        for name, figure, limit in rows
    ]
    seconds = evidence.plan.get("wall_seconds")
    limit = evidence.budget.time_s if evidence.request.steps is None else None
    bars.append(
        {"name": "time_s", "used": seconds, "allowed": limit, "how": "measured, training of all candidates"}
    )
    for bar in bars:
        if bar["allowed"] is not None and bar["used"] is not None:
            # Time is kept within a tenth; every other limit is hard.
            bar["met"] = bar["used"] <= bar["allowed"] * (1.1 if bar["name"] == "time_s" else 1.0)
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
    seen = found.image if found.modality == "image" else found.text
    return {
        key.replace("_", " "): value for key, value in (seen or {}).items() if not isinstance(value, list)
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
                "reasons": candidate["reasons"],
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
            "reasons": chosen["reasons"],
        },
        "candidates": candidates,
        "rejected": list(rejected.values()),
        "notes": evidence.proposals["notes"],
    }


def rows_of(evidence: Evidence) -> list[dict[str, Any]]:
    """The Blueprint's calls as the report's layer rows: under their keys, an input named like its path."""
    return [
        {
            "path": row.id,
            "class": row.cls,
            "depth": row.depth - 1,
            "shape": row.outputs[0][1:] if row.outputs else None,
            "params": row.params,
            "macs": row.macs,
            "activations": row.activation_bytes // 4,
        }
        for row in evidence.blueprint.rows
        if row.parent is not None
    ]


def diagram(evidence: Evidence) -> dict[str, Any]:
    ends = {edge.source for edge in evidence.blueprint.edges}
    edges = [
        {"from": "input" if edge.source.startswith("input") else edge.source, "to": edge.target}
        for edge in evidence.blueprint.edges
    ]
    inputs = next(iter(evidence.blueprint.inputs), None)
    title = f"{evidence.chosen['name']} for {evidence.prepared.dataset.name}"
    return {"title": title, "input": inputs[1:] if inputs else None, "edges": edges if ends else None}


def layers(evidence: Evidence) -> dict[str, Any]:
    found = evidence.blueprint
    total = {"params": found.params, "macs": found.macs, "activations": found.activation_bytes // 4}
    notes = [f"Not counted: {item['op']} ({item['calls']} calls)." for item in found.not_counted]
    return {"rows": rows_of(evidence), "total": total, "notes": notes}


def cost(evidence: Evidence) -> dict[str, Any]:
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
    by_type: dict[str, dict[str, Any]] = {}
    for row in evidence.blueprint.rows:
        if row.leaf:
            entry = by_type.setdefault(row.cls, {"type": row.cls, "count": 0, "params": 0, "macs": 0})
            entry["count"] += 1
            entry["params"] += row.params
            entry["macs"] += row.macs
    notes = [
        "Latency and memory are of one forward at batch 1, on this machine's CPU; other devices were not measured."
    ]
    return {"rows": rows, "by_type": sorted(by_type.values(), key=lambda e: -e["macs"]), "notes": notes}


def recipe(evidence: Evidence) -> dict[str, Any]:
    reasons = evidence.chosen["recipe_reasons"]
    rows = []
    for name, value in evidence.design.recipe.to_data().items():
        why = reasons.get(name, {})
        rows.append(
            {
                "name": name,
                "value": value,
                "reason": why.get("text"),
                "rule": why.get("rule"),
                "source": why.get("source"),
            }
        )
    for row in rows:
        if row["name"] == "steps" and evidence.request.steps is None:
            row["reason"] = (
                "What the training time holds at the speed measured here, and no more than is useful."
            )
        if row["name"] == "precision" and row["value"] == "bf16":
            row["reason"] = "A step in bf16 was measured to be faster here."
    return {"rows": [row for row in rows if row["value"] not in (None, [], 0.0) or row["reason"]]}


def validation(evidence: Evidence) -> dict[str, Any]:
    plan, task = evidence.plan, evidence.prepared.task
    run = plan["runs"][plan["best"]]
    history = run["history"]

    def curve(key: str) -> dict[str, Any] | None:
        points = [(row["step"], row[key]) for row in history if row.get(key) is not None]
        return {"x": [x for x, _ in points], "y": [y for _, y in points]} if points else None

    content: dict[str, Any] = {
        "metric": task.metric_name,
        "train_loss": curve("train_loss"),
        "validation_loss": curve("validation_loss"),
        "validation_metric": curve("score"),
        "learning_rate": curve("lr"),
        "gradient_norm": curve("gradient_norm"),
        "update_ratio": {"all weights": ratio} if (ratio := curve("update_ratio")) else {},
        "rungs": rungs(plan),
        "events": [
            {"step": event["step"], "kind": "divergence", "text": f"{name}: {event['text']}"}
            for name, result in plan["runs"].items()
            for event in result.get("events", [])
        ],
        "notes": [
            f"The weights handed over are those of step {run['best_step']:,}, the best on the validation part."
        ],
    }
    rng = np.random.default_rng(0)
    if task.is_classification:
        count = len(task.classes)
        matrix = np.zeros((count, count), int)
        np.add.at(matrix, (evidence.truth, evidence.predictions.argmax(1)), 1)
        content["confusion"] = {
            "labels": list(task.classes),
            "matrix": matrix.tolist(),
            "split": evidence.part,
        }
    else:
        rows = np.sort(rng.permutation(len(evidence.truth))[:POINTS])
        content["predictions"] = {
            "truth": evidence.truth[rows].tolist(),
            "predicted": evidence.predictions[rows].tolist(),
            "split": evidence.part,
        }
    return content


def rungs(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Who competed, how far, and who went on."""
    content = []
    for number, rung in enumerate(plan["rungs"], 1):
        entries = []
        for place, (name, score) in enumerate(rung.get("ranking", [])):
            steps = round(plan["lengths"].get(name, 0) * rung["share"])
            entries.append({"name": name, "score": score, "steps": steps, "kept": place < rung["keep"]})
        content.append({"rung": number, "entries": entries})
    return content


def baselines(evidence: Evidence) -> dict[str, Any]:
    found, plan = evidence.verdict, evidence.plan
    if found is None or evidence.baselines is None:
        return {}
    said = found.to_json()
    results = {result.name: result for result in evidence.baselines.results}
    rows = [{**said["network"], "kind": "network", "seconds": plan["runs"][plan["best"]]["seconds"]}]
    for name, scored in said["baselines"].items():
        result = results[name]
        text = f"{result.description}; {result.note}" if result.note else result.description
        rows.append({"name": name, "kind": "baseline", "seconds": result.seconds, "text": text, **scored})
    finals = {
        int(name.rpartition(".seed")[2]): result["score"]
        for name, result in plan["runs"].items()
        if name.rpartition(".seed")[0] == plan.get("winner")
        and result.get("stage") == "final"
        and result.get("score") is not None
    }
    seed = evidence.request.seed
    seeds = (
        [
            {
                "name": f"{plan['winner']} (validation part)",
                "seeds": [seed + 1000 * s for s in finals],
                "scores": list(finals.values()),
            }
        ]
        if finals
        else []
    )
    return {
        "metric": evidence.prepared.task.metric_name,
        "split": f"{evidence.part} ({len(evidence.truth):,} rows)",
        "greater_is_better": evidence.prepared.task.metric.greater_is_better,
        "rows": rows,
        "difference": said["difference"],
        "seeds": seeds,
        "notes": ["The best baseline was chosen on the validation part, before the test part was touched."],
    }


def scaling(evidence: Evidence) -> dict[str, Any]:
    """What the rules say of more data: not measured here."""
    exponent = rule("S2.1").value["exponent"][evidence.prepared.profile.modality]
    params = evidence.cost.params.value
    source = next(r for r in RULES if r.id == "S2.1").source
    reason = {
        "rule": "S2.1",
        "text": f"The best size grows about as rows to the power {exponent}.",
        "source": source,
    }
    rows = [
        {
            "when": f"{factor} times the rows",
            "change": "a wider and deeper network of the same family, designed anew",
            "params": round(params * factor**exponent, -2),
            "reasons": [reason],
        }
        for factor in (3, 10)
    ]
    return {"rows": rows, "notes": ["An extrapolation from the literature, not measured on these data."]}


def deployment(evidence: Evidence, folder: Path) -> dict[str, Any]:
    words = {
        "model.py": "the network, torch alone",
        "weights.safetensors": "the trained weights, fp32",
        "preprocess.py": "the preprocessing's code",
        "preprocessing.json": "the preprocessing as fitted on the training part",
        "predict.py": "predictions for new data",
        "train.py": "the same training again, in plain PyTorch",
        "requirements.txt": "what these need",
        "design.yaml": "the design, for netwright",
    }
    files = [
        {"name": name, "text": text, "bytes": (folder / name).stat().st_size}
        for name, text in words.items()
        if (folder / name).exists()
    ]
    packages = [
        line for line in (folder / "requirements.txt").read_text().split() if not line.startswith("#")
    ]
    found = evidence.cost
    rows = [
        {"name": "Python packages", "value": packages, "how": "counted, from the imports"},
        {
            "name": "Memory of a forward",
            "value": found.memory.value,
            "unit": "bytes",
            "how": found.memory.how,
        },
        {
            "name": "Latency of a forward",
            "value": found.latency.value,
            "unit": "ms",
            "how": found.latency.how,
        },
        {
            "name": "Proof",
            "value": "ran in a fresh interpreter without netwright: same start, outputs and gradients",
            "how": "measured on this machine",
        },
    ]
    commands = [
        {"command": "python predict.py NEW", "text": "predictions; the score too if the target is there"},
        {"command": "python train.py", "text": "train again"},
    ]
    return {
        "rows": rows,
        "files": files,
        "commands": commands,
        "notes": ["The machine code runs wherever PyTorch runs; GPUs, ONNX and int8 were not tried."],
    }


def limits(evidence: Evidence) -> dict[str, Any]:
    prepared = evidence.prepared
    content: dict[str, list] = {"limits": [], "out_of_scope": [], "unknown": []}
    found = evidence.verdict.to_json()["network"] if evidence.verdict else {}
    if found.get("interval"):
        low, high = found["interval"]
        content["limits"].append(
            f"{len(evidence.truth):,} {evidence.part} rows put the {prepared.task.metric_name} between {low:.4g} and {high:.4g}: finer differences can't be told from chance."
        )
    if evidence.interrupted:
        content["limits"].append(
            "The run was interrupted: the test part is untouched, and the network may improve with --resume."
        )
    modality = prepared.profile.modality
    scope = {
        "image": f"Images other than like these ({prepared.contract.get('in_channels')} channels, brought to {prepared.contract.get('image_size')} pixels).",
        "table": "Rows from another time, place or way of measuring than those of the table.",
        "text": "Texts in other languages, or much longer than those seen.",
    }
    content["out_of_scope"].append(scope[modality])
    content["unknown"].append(
        "How the score holds on data gathered later or elsewhere: the test part comes from the same source."
    )
    return content


def provenance(evidence: Evidence) -> dict[str, Any]:
    import sklearn
    import torch

    import netwright

    prepared, request = evidence.prepared, evidence.request
    prints = np.ascontiguousarray(prepared.dataset.fingerprints())
    given = [
        (name, value)
        for name, value in asdict(request).items()
        if value not in (None, [], 0) and name != "source"
    ]
    command = ["netwright", "design", request.source]
    for name, value in given:
        for item in value if isinstance(value, list) else [value]:
            command += [f"--{name.replace('_', '-')}", str(item)]
    warned = [*prepared.profile.warnings, *prepared.split.warnings]
    return {
        "name": prepared.dataset.name,
        "command": shlex.join(command),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "design_hash": "sha256:" + hashlib.sha256(evidence.design.dumps().encode()).hexdigest(),
        "data_hash": "sha256:" + hashlib.sha256(prints.tobytes()).hexdigest(),
        "versions": {
            "netwright": netwright.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "machine": {
            "system": platform.system(),
            "processor": platform.machine(),
            "workers": evidence.plan["workers"],
        },
        "seeds": {"split": request.seed, "training": evidence.design.recipe.seed},
        "numbers": [
            {"what": "Scores", "how": f"measured once, on the {evidence.part} part"},
            {"what": "Intervals", "how": BOOTSTRAP},
            {
                "what": "Validation scores",
                "how": "measured, the best of the evaluations of a run: optimistic",
            },
        ],
        "warnings": [
            {"id": warning.id, "where": warning.where, "message": warning.message, "fix": warning.fix}
            for warning in warned
        ],
        "notes": list(prepared.profile.notes),
    }


def first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]
