"""The datasheet's roofline beside published times of two GPUs: `make bench`.

    python benchmarks/gpu_roofline.py

tests/inspect/gpu_times.csv holds milliseconds a step of timm's networks as that project published them (mixed
precision, channels first): inference on an RTX 4090, training on an RTX 3090. Nothing is measured here; the networks
are captured in half precision, and the estimate is divided by the published time.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.references

from tests.references import timm

from netwright.inspect import inspect
from netwright.inspect.devices import device
from netwright.inspect.roofline import estimate

PUBLISHED = Path(__file__).parent.parent / "tests" / "inspect" / "gpu_times.csv"


def ratio(row: dict[str, str]) -> float:
    """The estimate of one row ÷ its published time."""
    with torch.device("meta"):
        module = timm().create_model(row["model"])
        images = torch.zeros(int(row["batch"]), 3, int(row["img_size"]), int(row["img_size"]))
    train = row["mode"] == "train"
    blueprint = inspect(module, images, train=train, optimizer="momentum", dtype=torch.float16)
    estimate(blueprint, device(row["device"]))
    return blueprint.latency.value / float(row["step_ms"])


def main() -> None:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in csv.DictReader(PUBLISHED.open()):
        found[row["device"], row["mode"]].append(ratio(row))
        last = found[row["device"], row["mode"]][-1]
        print(
            f"{row['device']} {row['mode']:6} {row['model']:32} {float(row['step_ms']):7.0f} ms published, × {last:.2f}"
        )
    for (name, mode), ratios in found.items():
        off = sorted(abs(one - 1) for one in ratios)
        print(f"{name} {mode}: {len(ratios)} networks, median error {median(off):.1%}, worst {off[-1]:.0%}")


if __name__ == "__main__":
    main()
