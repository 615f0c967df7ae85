"""The independent implementations that the tests compare with. Nothing in src imports them.

Import them through the functions here: beside a CPU build of torch, torchvision and whatever imports it (timm,
pytorchcv, transformers) need its operators declared first.
"""

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

from netwright.workbench import targets


@cache
def torchvision() -> ModuleType:
    """torchvision with its models; operators such as NMS can't be called where its library does not load."""
    return targets.torchvision()


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
def transformers() -> ModuleType:
    """transformers; its configurations are built from numbers, and nothing is downloaded."""
    torchvision()  # which it imports where it is installed
    return importlib.import_module("transformers")


@cache
def diffusers() -> ModuleType:
    """diffusers' models with random weights."""
    transformers()
    return importlib.import_module("diffusers")


@cache
def torch_geometric() -> ModuleType:
    """PyTorch Geometric, without its compiled companions."""
    importlib.import_module("torch_geometric.nn")
    return importlib.import_module("torch_geometric")


@cache
def segmentation_models() -> ModuleType:
    """segmentation_models_pytorch, whose encoders take `encoder_weights=None`."""
    timm()
    return importlib.import_module("segmentation_models_pytorch")


@cache
def lightning_bolts() -> ModuleType:
    """The module of lightning-bolts' U-Net, read by itself: its package wants an older Lightning."""
    found = importlib.util.find_spec("pl_bolts")
    assert found is not None and found.submodule_search_locations is not None
    path = Path(found.submodule_search_locations[0]) / "models" / "vision" / "unet.py"
    spec = importlib.util.spec_from_file_location("lightning_bolts_unet", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def hourglass() -> ModuleType:
    """The stacked hourglass networks of pytorch-stacked-hourglass."""
    return importlib.import_module("stacked_hourglass.model")


@cache
def libreyolo() -> ModuleType:
    """libreyolo's YOLOX, MIT-licensed."""
    torchvision()
    return importlib.import_module("libreyolo")
