"""The independent implementation of each architecture: what the sweep, the docs' table and the benchmark compare with.

An oracle makes the reference at its published size, without dropout. Its weights move by the order in which modules
are called, or by a key map where the orders differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from tests.parity import Keys
from tests.references import pytorchcv, timm, torchvision


@dataclass(frozen=True)
class Oracle:
    """`name` says which package and model; `make` is called when the comparison begins."""

    name: str
    make: Callable[[], nn.Module]
    mapping: Mapping[str, Keys] | Callable[[str], Keys] | None = None
    args: dict[str, Any] = field(default_factory=dict)
    """What makes ours comparable: no dropout, an image size."""
    size: tuple[int, int] = (64, 75)
    """Height and width of the images to compare on."""
    channels: int = 3
    native: tuple[int, int] = (224, 224)
    """The size that the benchmark takes."""


def _torchvision(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"torchvision {model}", "make": lambda: getattr(torchvision().models, model)(**args)}


def _timm(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"timm {model}", "make": lambda: timm().create_model(model, **args)}


def _pytorchcv(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"pytorchcv {model}", "make": lambda: pytorchcv().get_model(model, **args)}


ORACLES: dict[str, Oracle] = {
    "resnet18": Oracle(**_torchvision("resnet18")),
    "resnet34": Oracle(**_torchvision("resnet34")),
    "resnet50": Oracle(**_torchvision("resnet50")),
    "resnet101": Oracle(**_torchvision("resnet101")),
    "resnet152": Oracle(**_torchvision("resnet152")),
    "resnet:resnext50_32x4d": Oracle(**_torchvision("resnext50_32x4d")),
    "resnet:wide50_2": Oracle(**_torchvision("wide_resnet50_2")),
    "resnet20": Oracle(**_pytorchcv("resnet20_cifar10"), size=(32, 32), native=(32, 32)),
    "resnet56": Oracle(**_pytorchcv("resnet56_cifar10"), size=(32, 32), native=(32, 32)),
    "mobilenetv3:large": Oracle(**_torchvision("mobilenet_v3_large", dropout=0.0), args={"dropout": 0.0}),
    "mobilenetv3:small": Oracle(**_torchvision("mobilenet_v3_small", dropout=0.0), args={"dropout": 0.0}),
}
