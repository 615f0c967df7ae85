"""Where published weights may lie: on this machine, or on the hub."""

from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass(frozen=True)
class Published:
    """Weights that are a good start on photographs: torchvision's file in torch's cache, and timm's on the hub."""

    file: str
    hub: str


# From the best accuracy for their cost on a CPU downwards; ImageNet-1k, accuracies by timm's results tables.
PUBLISHED = (
    Published("mobilenet_v3_large-*.pth", "timm/mobilenetv3_large_100.ra_in1k"),
    Published("mobilenet_v2-*.pth", "timm/mobilenetv2_100.ra_in1k"),
    Published("efficientnet_b0_*.pth", "timm/efficientnet_b0.ra_in1k"),
    Published("resnet18-*.pth", "timm/resnet18.a1_in1k"),
    Published("resnet50-*.pth", "timm/resnet50.a1_in1k"),
)


def available() -> list[str]:
    """Sources to try in turn: what torch's cache holds, then the hub."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    kept = [str(path) for entry in PUBLISHED for path in sorted(cache.glob(entry.file))]
    return [*kept, *(entry.hub for entry in PUBLISHED)]
