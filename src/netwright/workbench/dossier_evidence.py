"""The report's sections on what was done and found: the recipe, the evidence, and where it ends."""

import hashlib
import platform
import shlex
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from netwright.advise import RULES, rule
from netwright.compare import RESAMPLES
from netwright.workbench.box_overlays import detection
from netwright.workbench.hand_over import Evidence
from netwright.workbench.overlays import segmentation

BOOTSTRAP = f"percentile bootstrap over the rows of the part, {RESAMPLES:,} draws, 95 %"
POINTS = 2000  # of a plot


def verdict_json(evidence: Evidence) -> dict[str, Any]:
    """The verdict as the report has it: scores with intervals, the network under its name."""
    assert evidence.verdict is not None
    said = evidence.verdict.to_json()
    difference = said["difference"]
    return {
        "sentence": said["sentence"],
        "network": {"name": evidence.chosen["name"], **said["network"]},
        "baselines": said["baselines"],
        "best_baseline": said["best_baseline"],
        "difference": {
            "against": said["best_baseline"],
            "value": difference["score"],
            "interval": difference["interval"],
            "method": f"paired bootstrap, {RESAMPLES:,} draws, 95 %",
        },
        "outcome": said["outcome"],
        "recommendation": said["recommendation"],
    }


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
            row["reason"] = "What the training time holds at the speed measured here, and no more than is useful."
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
        "notes": [f"The weights handed over are those of step {run['best_step']:,}, the best on the validation part."],
    }
    rng = np.random.default_rng(0)
    if task.is_segmentation:
        content |= segmentation(evidence)
    elif task.is_detection:
        content |= detection(evidence)
    elif task.is_classification:
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
    said = verdict_json(evidence)
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
    packages = [line for line in (folder / "requirements.txt").read_text().split() if not line.startswith("#")]
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
    found = verdict_json(evidence)["network"] if evidence.verdict else {}
    if found.get("interval"):
        low, high = found["interval"]
        content["limits"].append(
            f"{len(evidence.truth):,} {evidence.part} rows put the {prepared.task.metric_name} between "
            f"{low:.4g} and {high:.4g}: finer differences can't be told from chance."
        )
    if evidence.interrupted:
        content["limits"].append(
            "The run was interrupted: the test part is untouched, and the network may improve with --resume."
        )
    modality = prepared.profile.modality
    scope = {
        "image": "Images of another kind, channels or size than these.",
        "segmentation": "Images of another kind, channels or size than these, and things of other classes.",
        "detection": "Images of another kind, channels or size than these, and things of other classes.",
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
        (name, value) for name, value in asdict(request).items() if value not in (None, [], 0) and name != "source"
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
