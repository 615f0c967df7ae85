"""Presets as modules, by the conventions alone: a slot's kind names the file with the blocks that fit it."""

import importlib
import inspect
import pkgutil
from functools import partial
from typing import Any, get_args, get_type_hints

import pytest
import torch
from torch import nn

from tests.parity import count


def build(cls: type[nn.Module], args: dict[str, Any], **given: Any) -> nn.Module:
    """`cls` with plain data as arguments: a block is given by its name, or as {name: its arguments}."""
    return cls(**resolve(cls, args), **given)


def resolve(cls: type[nn.Module], args: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(cls).parameters
    assert args.keys() <= parameters.keys(), f"{cls.__name__} takes no {args.keys() - parameters.keys()}"
    hints = get_type_hints(cls.__init__, include_extras=True)
    either = {name: [hint, *get_args(hint)] for name, hint in hints.items()}  # a slot, or a slot | None
    kinds = {name: h.__metadata__[0] for name, parts in either.items() for h in parts if hasattr(h, "__metadata__")}
    return {n: block(kinds[n], value) if n in kinds and value is not None else value for n, value in args.items()}


def block(kind: str, value: str | dict[str, Any]) -> Any:
    name, args = (value, {}) if isinstance(value, str) else next(iter(value.items()))
    if kind == "backbone":
        return backbone(name, args)
    module = importlib.import_module(f"netwright.blocks.{kind}")
    fitting = {entry.lower(): getattr(module, entry) for entry in module.__all__}
    return partial(fitting[name], **resolve(fitting[name], args)) if args else fitting[name]


def backbone(name: str, args: dict[str, Any]) -> Any:
    """The family or preset (`resnet`, `resnet50`, `vit:base`) that fills a slot for backbones."""
    for info in pkgutil.iter_modules(importlib.import_module("netwright.families.vision").__path__):
        module = importlib.import_module(f"netwright.families.vision.{info.name}")
        cls = next(c for c in map(module.__dict__.get, module.__all__) if isinstance(c, type))
        for preset, stored in {"": {"args": {}}, **module.PRESETS}.items():
            full = info.name + (preset if preset[:1].isdigit() or not preset else f":{preset}")
            if full == name:
                return partial(cls, **resolve(cls, stored["args"] | args))
    raise KeyError(name)


def check_counts(cls: type[nn.Module], presets: dict[str, dict]) -> None:
    """Every preset can be built, and has as many parameters as it says."""
    for name, preset in presets.items():
        assert preset.keys() <= {"args", "params", "source", "inputs"}
        with torch.device("meta"):
            model = build(cls, preset["args"], **preset.get("inputs", {}))
        if count(model) != preset["params"]:
            pytest.fail(f"{name}: {count(model)} parameters, published {preset['params']}")
