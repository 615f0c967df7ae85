"""Which published weights there are: whose each family takes, and where some may lie."""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path

import torch

from netwright.weights import maps


@dataclass(frozen=True)
class Published:
    """Weights that are a good start on photographs: torchvision's file in torch's cache, and timm's on the hub.

    Where the hub can be reached the first one is found, so that the last ones need no name there.
    """

    file: str
    hub: str | None = None


# From the best accuracy for their cost on a CPU downwards; ImageNet-1k, accuracies by timm's results tables.
PUBLISHED = (
    Published("mobilenet_v3_large-*.pth", "timm/mobilenetv3_large_100.ra_in1k"),
    Published("mobilenet_v2-*.pth", "timm/mobilenetv2_100.ra_in1k"),
    Published("efficientnet_b0_*.pth", "timm/efficientnet_b0.ra_in1k"),
    Published("resnet18-*.pth", "timm/resnet18.a1_in1k"),
    Published("resnet50-*.pth", "timm/resnet50.a1_in1k"),
    Published("convnext_tiny-*.pth"),
    Published("swin_t-*.pth"),
    Published("densenet121-*.pth"),
    Published("vit_b_16-*.pth"),
    Published("vgg16_bn-*.pth"),
    Published("vgg16-*.pth"),
    Published("alexnet-*.pth"),
)


def available() -> list[str]:
    """Sources to try in turn: what torch's cache holds, then the hub."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    kept = [str(path) for entry in PUBLISHED for path in sorted(cache.glob(entry.file))]
    return [*kept, *(entry.hub for entry in PUBLISHED if entry.hub is not None)]


def publishers() -> dict[str, tuple[str, ...]]:
    """Whose weights each family takes, by the names that `Loaded.publisher` gives."""
    names = [info.name for info in pkgutil.iter_modules(maps.__path__) if not info.name.startswith("_")]
    return {name: tuple(importlib.import_module(f"{maps.__name__}.{name}").MAPS) for name in names}
