"""The independent implementations that the tests compare with. Nothing in src imports them.

Import torchvision, and timm and pytorchcv (which import it), through the functions here: a torchvision wheel built
for another torch than the one installed (CUDA beside CPU) fails at import, since the two C++ operators that
it registers fakes for are missing. They are declared first where they can't be loaded.
"""

import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import torch


@cache
def torchvision() -> ModuleType:
    """torchvision with its models; operators such as NMS can't be called where its library does not load."""
    _declare_operators()
    import torchvision

    return torchvision


@cache
def timm() -> ModuleType:
    """timm; `timm().create_model(name)` gives random weights, and nothing is downloaded."""
    torchvision()
    return importlib.import_module("timm")


@cache
def pytorchcv() -> ModuleType:
    """pytorchcv's models: `pytorchcv().get_model(name)`."""
    torchvision()
    return importlib.import_module("pytorchcv.model_provider")


@cache
def _declare_operators() -> torch.library.Library | None:
    """What the import needs. The cache keeps the library object alive; without it the declarations go too."""
    package = find_spec("torchvision")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("torchvision is not installed: `make setup` installs the references")
    try:
        torch.ops.load_library(str(Path(package.origin).parent / "_C.so"))
        return None
    except OSError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
