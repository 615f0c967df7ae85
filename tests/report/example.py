"""Three whole reports as a run writes them: digits, a regression that a baseline wins, an interrupted run."""

import math
import random
from typing import Any

from tests.report.recorded import confusion, convnet, curve, ratios, schedule, totals, transformer

Report = dict[str, Any]

# a grey PNG of 8 × 8
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR4nGOMYoAAJgaKGAAbfgBqEMfrVAAAAABJRU5ErkJggg=="


def growth(total: dict[str, Any]) -> Report:
    """With the resolution; the network takes no map of 64."""
    rows = [
        {"size": 8 * times, "params": total["params"], "macs": total["macs"] * times**2, "attention_macs": 0,
         "peak_memory": 230_000 * times, "latency_ms": None, "error": ""}
        for times in (1, 2, 4)
    ]  # fmt: skip
    return {
        "axis": "resolution", "unit": "pixels", "train": False,
        "rows": [*rows, {"size": 64, "error": "the forward failed: out of positions"}],
        "exponents": {"params": 0.0, "macs": 2.0, "peak_memory": 1.0},
        "crossing": None, "how": "no attention: no product between two activations",
    }  # fmt: skip


def digits() -> Report:
    """A classification that went well."""
    rows, edges = convnet()
    total = totals(rows)
    steps = 1440
    return {
        "verdict": {
            "sentence": "The network wins: accuracy 0.9944 on the test part, 0.0139 above the best baseline "
            "(linear, 0.9806).",
            "status": "complete",
            "metric": "accuracy",
            "greater_is_better": True,
            "split": "test (360 rows)",
            "network": {"name": "resnet", "score": 0.99444, "interval": [0.98611, 1.0]},
            "baselines": {
                "linear": {"score": 0.98056, "interval": [0.96389, 0.99444]},
                "gradient-boosted trees": {"score": 0.97222, "interval": [0.95556, 0.98611]},
                "majority": {"score": 0.10278, "interval": [0.07222, 0.13611]},
            },
            "best_baseline": "linear",
            "difference": {"against": "linear", "value": 0.01389, "interval": [0.00278, 0.02778]},
            "outcome": "wins",
            "recommendation": "Use the network. Where explaining matters more than the last 1.4 points, the "
            "linear model is a sound second choice.",
            "budget": [
                {"name": "params", "used": total["params"], "allowed": 200_000, "how": "counted"},
                {"name": "latency_ms", "used": 0.84, "allowed": 5.0,
                 "how": "measured on this machine, median of 50 runs, batch 1"},
                {"name": "memory_bytes", "used": 31_400_000, "allowed": None,
                 "how": "measured, batch 64, training"},
                {"name": "time_s", "used": 118.2, "allowed": 120.0, "how": "measured, wall clock"},
            ],
        },
        "brief": {
            "name": "digits",
            "task": "multiclass classification",
            "modality": "image",
            "source": "scikit-learn: digits",
            "target": "digit",
            "metric": "accuracy",
            "device": "cpu, 2 cores",
            "rows": 1797,
            "split": {"train": 1149, "validation": 288, "test": 360, "how": "stratified by class, seed 0"},
            "classes": [{"label": str(k), "count": 174 + k % 5 * 2} for k in range(10)],
            "facts": {"Images": "8×8, 1 channel, values 0 to 16"},
            "assumptions": [
                {"rule": "data.flip.digits",
                 "text": "Digits are not mirrored: flips would change the label."},
                "Every row is one independent image; no column says which person wrote it.",
            ],
        },
        "decision": {
            "chosen": {
                "name": "resnet, small-image stem",
                "family": "resnet",
                "text": "A residual network without early downsampling, 24 to 48 channels wide.",
                "args": {"dims": [24, 24, 48], "kernel_size": 3, "dropout": 0.1},
                "yaml": "model:\n  resnet:\n    dims: [24, 24, 48]\n    stem: small\n    dropout: 0.1\n",
                "reasons": [
                    {"rule": "vision.tiny.stem",
                     "text": "Images under 64 pixels lose their detail in a stem of stride 4.",
                     "source": "He et al. 2015, section 4.2"},
                    {"rule": "vision.small.cnn",
                     "text": "Under 10,000 images a convolution's bias beats attention."},
                ],
            },
            "candidates": [
                {"name": "resnet, small-image stem", "family": "resnet", "params": total["params"],
                 "flops": 2 * total["macs"], "latency_ms": 0.84, "score": 0.99653, "outcome": "chosen",
                 "reasons": ["Best at every rung."]},
                {"name": "cct 2/3×1", "family": "cct", "params": 98_304, "flops": 7_400_000,
                 "latency_ms": 1.31,
                 "score": 0.98264, "outcome": "finalist",
                  "reasons": ["Convolutional tokens suit small data."]},
                {"name": "mobilenetv3, width 0.35", "family": "mobilenetv3", "params": 61_200,
                 "flops": 1_900_000,
                 "latency_ms": 1.02, "score": 0.96875, "outcome": "stopped at rung 1", "reasons": []},
            ],
            "rejected": [
                {"family": "vit", "reasons": [{"rule": "vision.data.vit",
                 "text": "A plain ViT needs far more images than 1,149, or pretrained weights.",
                 "source": "arXiv:2010.11929, figure 4"}], "numbers": {"params": 212_000}},
                {"family": "convnext", "reasons": [{"rule": "budget.params",
                 "text": "Its smallest shape is over the limit of 200,000 parameters."}],
                 "numbers": {"params": 341_000, "latency_ms": 2.9}},
            ],
        },
        "diagram": {"title": "resnet for digits", "input": [1, 8, 8], "edges": edges},
        "layers": {"rows": rows, "total": total, "notes": []},
        "cost": {
            "rows": [
                {"name": "params", "value": total["params"], "how": "counted"},
                {"name": "macs", "value": total["macs"], "how": "counted"},
                {"name": "latency_ms", "value": 0.84, "how": "measured, median of 50 runs, batch 1"},
                {"name": "Peak memory, training", "value": 31_400_000, "unit": "bytes",
                 "how": "measured, batch 64"},
                {"name": "Peak memory, inference", "value": 6_200_000, "unit": "bytes",
                 "how": "measured, batch 1"},
                {"name": "size_bytes", "value": 4 * total["params"], "how": "counted, fp32"},
                {"name": "Final training", "value": 31.5, "unit": "s", "how": "measured, wall clock"},
            ],
            "by_type": [
                {"type": "Conv2d", "count": 8, "params": total["params"] - 1090, "macs": total["macs"] - 480},
                {"type": "BatchNorm2d", "count": 7, "params": 580, "macs": 0},
                {"type": "Linear", "count": 1, "params": 490, "macs": 480},
            ],
            "growth": growth(total),
            "notes": [],
        },
        "recipe": {
            "rows": [
                {"name": "optimizer", "value": "AdamW",
                 "reason": "Forgiving of the rate; the default of these families.",
                 "rule": "recipe.adamw", "source": "arXiv:1711.05101"},
                {"name": "lr", "value": 0.002, "reason": "Scaled with the batch from 0.001 at 32.",
                 "rule": "recipe.lr"},
                {"name": "batch_size", "value": 64, "reason": "About 18 steps an epoch on 1,149 rows."},
                {"name": "steps", "value": steps, "reason": "What the time budget holds after the rungs."},
                {"name": "schedule", "value": "cosine, 72 steps of warm-up",
                 "reason": "Ends near zero on time."},
                {"name": "weight_decay", "value": 0.05, "reason": "Small data; not on norms and biases."},
                {"name": "augment", "value": ["shift 1", "rotate 8°"],
                 "reason": "Label-safe for digits: no flips.",
                 "rule": "augment.digits"},
                {"name": "label_smoothing", "value": 0.1, "reason": "Ten balanced classes."},
                {"name": "ema", "value": 0.99, "reason": "Pays from about 1,000 steps on."},
            ]
        },
        "validation": {
            "metric": "accuracy",
            "train_loss": curve(2.31, 0.52, steps, 4, 0.05, 1),
            "validation_loss": curve(2.25, 0.54, steps, 72, 0.01, 2),
            "validation_metric": {
                "x": list(range(72, steps + 1, 72)),
                "y": [round(0.9965 - 0.35 * math.exp(-k / 2.2), 4) for k in range(20)],
            },
            "learning_rate": schedule(0.002, steps, 72),
            "gradient_norm": curve(3.1, 0.4, steps, 4, 0.25, 3),
            "update_ratio": ratios(steps, ("stem.conv", "blocks.2.conv2", "head")),
            "rungs": [
                {"rung": 1, "seconds": 21.0, "entries": [
                    {"name": "resnet, small-image stem", "score": 0.97569, "steps": 160, "seconds": 6.1,
                     "kept": True},
                    {"name": "cct 2/3×1", "score": 0.90972, "steps": 160, "seconds": 8.8, "kept": True},
                    {"name": "mobilenetv3, width 0.35", "score": 0.84375, "steps": 160, "seconds": 6.0,
                     "kept": False},
                ]},
                {"rung": 2, "seconds": 40.0, "entries": [
                    {"name": "resnet, small-image stem", "score": 0.99306, "steps": 480, "seconds": 17.9,
                     "kept": True},
                    {"name": "cct 2/3×1", "score": 0.98264, "steps": 480, "seconds": 21.7, "kept": False},
                ]},
            ],
            "confusion": {"labels": [str(k) for k in range(10)], "matrix": confusion(), "split": "test"},
            "segmentation": {
                "split": "test",
                "classes": [
                    {"label": "paper", "iou": 0.97, "dice": 0.985, "pixels": 9000, "share": 0.9, "colour": None},
                    {"label": "ink", "iou": 0.8, "dice": 0.89, "pixels": 1000, "share": 0.1, "colour": "#e64b35"},
                ],
                "overlays": [{"name": "007", "score": 0.61, "images": [PICTURE] * 3}],
            },
            "detection": {
                "split": "test",
                "figures": {"ap50": 0.71, "ap75": 0.44, "map50_95": 0.41, "recall": 0.52, "small": 0.3, "large": None},
                "classes": [{"label": "disc", "ap50": 0.71, "map50_95": 0.41, "objects": 60, "colour": "#e64b35"}],
                "overlays": [
                    {
                        "name": "008.png",
                        "score": 0.5,
                        "image": PICTURE,
                        "size": [64, 48],
                        "true": [{"box": [0.1, 0.2, 0.5, 0.6], "code": 0}],
                        "predicted": [{"box": [0.12, 0.2, 0.52, 0.61], "code": 0, "score": 0.93}],
                    }
                ],
            },
            "predictions": None,
            "events": [],
            "findings": ["Training and validation loss meet at the end: no sign of overfitting."],
        },
        "baselines": {
            "metric": "accuracy",
            "split": "test (360 rows)",
            "greater_is_better": True,
            "rows": [
                {"name": "resnet", "kind": "network", "score": 0.99444, "interval": [0.98611, 1.0],
                 "seconds": 31.5},
                {"name": "linear", "kind": "baseline", "score": 0.98056, "interval": [0.96389, 0.99444],
                 "seconds": 0.4, "text": "logistic regression on pixels"},
                {"name": "gradient-boosted trees", "kind": "baseline", "score": 0.97222,
                 "interval": [0.95556, 0.98611], "seconds": 3.8},
                {"name": "majority", "kind": "baseline", "score": 0.10278, "interval": [0.07222, 0.13611],
                 "seconds": 0.0},
            ],
            "difference": {"against": "linear", "value": 0.01389, "interval": [0.00278, 0.02778],
                           "method": "paired bootstrap, 2,000 draws"},
            "seeds": [{"name": "resnet", "seeds": [0, 1, 2], "scores": [0.99653, 0.99306, 0.99653]},
                      {"name": "cct 2/3×1", "seeds": [0, 1], "scores": [0.98264, 0.97917]}],
        },
        "scaling": {
            "rows": [
                {"when": "10 times the data", "change": "48 to 96 channels, one more block",
                 "params": 240_000,
                 "reasons": [{"rule": "scale.width", "text": "Width first: depth is not the limit at 8×8."}]},
                {"when": "A GPU is at hand", "change": "batch 256, rate 0.004, bf16",
                 "params": total["params"]},
            ]
        },
        "deployment": {
            "rows": [
                {"name": "Python packages", "value": ["torch", "numpy", "pillow"], "how": "from the imports"},
                {"name": "Memory at inference", "value": 6_200_000, "unit": "bytes",
                 "how": "measured, batch 1"},
            ],
            "files": [
                {"name": "model.py", "text": "the network, torch only", "bytes": 5_840},
                {"name": "weights.safetensors", "text": "trained weights, fp32",
                 "bytes": 4 * total["params"] + 900},
                {"name": "predict.py", "text": "scores new rows", "bytes": 3_120},
            ],
            "commands": [{"command": "python predict.py new.npz", "text": "predicts for new images"}],
        },
        "limits": {
            "limits": ["The test part has 360 rows: less than about 1.5 points can't be told from chance."],
            "out_of_scope": ["Images that are not 8×8, or hold more than one digit."],
            "unknown": ["Who wrote the digits: if writers recur, the score on new writers may be lower."],
        },
        "provenance": {
            "name": "digits",
            "command": "netwright design digits --params 200k --latency 5ms --time 2min --seed 0",
            "created": "2026-01-15T10:24:00Z",
            "design_hash": "sha256:5f1c9d0e7ab4",
            "data_hash": "sha256:91b2c07744ee",
            "versions": {"netwright": "0.1.0", "torch": "2.13.0", "python": "3.11.9"},
            "machine": {"cpu": "2 cores", "os": "Linux"},
            "seeds": {"split": 0, "training": [0, 1, 2]},
            "numbers": [
                {"what": "Test scores", "how": "measured once, at the end"},
                {"what": "Intervals", "how": "percentile bootstrap over test rows, 2,000 draws, 95 %"},
            ],
            "warnings": [
                {"id": "duplicates", "where": "rows 12, 944",
                 "message": "2 exact duplicates were kept together.",
                 "fix": "Remove them if they are copying errors."},
            ],
            "notes": [],
        },
    }  # fmt: skip


def houses() -> Report:
    """A regression that a baseline wins, with a divergence on the way."""
    rows, _ = transformer()
    total = totals(rows)
    random_ = random.Random(7)
    truth = [round(random_.lognormvariate(12.2, 0.5), 0) for _ in range(420)]
    predicted = [round(value * math.exp(random_.gauss(0.01, 0.17)), 0) for value in truth]
    steps = 2400
    loss = curve(1.05, 0.18, steps, 6, 0.06, 4)
    loss["y"][150:153] = [4.2, None, None]
    network = {"name": "ft_transformer", "score": 61_240.0, "interval": [55_310.0, 67_480.0]}
    return {
        "verdict": {
            "sentence": "Gradient-boosted trees win: RMSE 54,870 on the test part, the network has 61,240.",
            "status": "complete",
            "metric": "rmse",
            "greater_is_better": False,
            "split": "test (420 rows)",
            "network": network,
            "baselines": {"gradient-boosted trees": {"score": 54_870.0, "interval": [49_020.0, 60_950.0]},
                          "linear": {"score": 72_310.0, "interval": [64_700.0, 80_120.0]},
                          "mean": {"score": 118_900.0, "interval": [108_000.0, 130_400.0]}},
            "best_baseline": "gradient-boosted trees",
            "outcome": "loses",
            "recommendation": "Use the gradient-boosted trees. The network is given for comparison.",
            "budget": [
                {"name": "params", "used": total["params"], "allowed": 120_000, "how": "counted",
                 "met": False},
                {"name": "time_s", "used": 116.0, "allowed": 120, "how": "measured"},
            ],
        },
        "brief": {
            "name": "houses", "task": "regression", "modality": "table", "source": "houses.csv",
             "target": "price",
            "metric": "rmse", "device": "cpu", "rows": 2100,
            "split": {"train": 1344, "validation": 336, "test": 420, "how": "at random, seed 0"},
            "facts": {"Columns": "7 numeric, 3 categorical",
             "Prices": "mean 242,000, standard deviation 119,000"},
            "assumptions": ["Prices are modelled after standardising; the RMSE is in the target's unit."],
        },
        "decision": {
            "chosen": {"name": "ft_transformer", "family": "ft_transformer", "reasons": []},
            "candidates": [{"name": "ft_transformer", "family": "ft_transformer", "params": total["params"],
                            "score": 60_120.0, "outcome": "chosen"},
                           {"name": "mlp", "family": "mlp", "params": 41_000, "score": 66_480.0,
                            "outcome": "stopped at rung 1"}],
            "rejected": [],
        },
        "diagram": {"title": "ft_transformer for houses", "input": [10], "edges": None},
        "layers": {"rows": rows, "total": total},
        "cost": {"rows": [{"name": "params", "value": total["params"], "how": "counted"},
                          {"name": "latency_ms", "value": None, "how": "not measured"}]},
        "recipe": {"rows": [{"name": "lr", "value": 3e-4,
         "reason": "Halved after the divergence at step 900."}]},
        "validation": {
            "metric": "rmse",
            "train_loss": loss,
            "validation_metric": curve(118_000, 60_000, steps, 120, 0.02, 5),
            "learning_rate": schedule(6e-4, steps, 120),
            "gradient_norm": curve(2.0, 0.6, steps, 6, 0.2, 6),
            "predictions": {"truth": truth, "predicted": predicted, "split": "test", "unit": "USD"},
            "events": [{"step": 900, "kind": "divergence",
                        "text": "The loss became NaN; went back to step 840 and halved the rate to 0.0003."}],
        },
        "baselines": {
            "metric": "rmse", "split": "test (420 rows)", "greater_is_better": False,
            "rows": [network | {"kind": "network", "seconds": 88.0},
                     {"name": "gradient-boosted trees", "score": 54_870.0, "interval": [49_020.0, 60_950.0],
                      "seconds": 1.2},
                     {"name": "linear", "score": 72_310.0, "interval": [64_700.0, 80_120.0], "seconds": 0.1},
                     {"name": "mean", "score": 118_900.0, "interval": [108_000.0, 130_400.0],
                      "seconds": 0.0}],
            "difference": {"against": "gradient-boosted trees", "value": 6_370.0,
             "interval": [2_110.0, 10_840.0],
                           "method": "paired bootstrap, 2,000 draws"},
        },
        "limits": {"limits": ["One seed: the spread over seeds is not known."]},
        "provenance": {"name": "houses", "design_hash": "sha256:aa", "versions": {"netwright": "0.1.0"},
                       "warnings": [{"id": "identifier", "where": "column house_id",
                        "message": "Looks like an "
                                     "identifier and was left out.",
                                      "fix": "Name it with --keep if it matters."}]},
    }  # fmt: skip


def interrupted() -> Report:
    """Stopped by the person in the first rung: a design and curves, no test scores."""
    rows, edges = convnet()
    return {
        "verdict": {
            "sentence": "Interrupted after 19 s: a usable network, not yet scored on the test part.",
            "status": "interrupted",
            "metric": "accuracy",
            "network": None,
            "baselines": {},
            "outcome": None,
            "recommendation": "Go on with netwright train out/digits/design.yaml --resume.",
            "budget": [{"name": "params", "used": totals(rows)["params"], "allowed": 200_000,
             "how": "counted"},
                       {"name": "time_s", "used": 19.4, "allowed": 120, "how": "measured"}],
        },
        "brief": {"name": "digits", "task": "multiclass classification"},
        "diagram": {"edges": edges},
        "layers": {"rows": rows},
        "validation": {"train_loss": curve(2.31, 0.9, 240, 2, 0.05, 8), "validation_metric": {"x": [],
         "y": []}},
        "baselines": None,
        "provenance": {"command": "netwright design digits", "seeds": {"split": 0}},
    }  # fmt: skip


EXAMPLES = {"digits": digits, "houses": houses, "interrupted": interrupted}
