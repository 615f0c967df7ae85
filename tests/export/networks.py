"""Small networks of every family, with slots swapped at random, and how to run source that was ejected."""

import ast
import random
import sys
import types
from typing import Any

import torch
from torch import nn

from netwright.design import Spec
from netwright.design.library import registry
from netwright.design.resolve import Resolved, as_argument, resolve
from netwright.export import example_inputs, fresh

INPUTS = {
    "vision": {"num_classes": 5, "in_channels": 2, "image_size": 32},
    "segmentation": {"num_classes": 5, "in_channels": 2, "image_size": 32},
    "detection": {"num_classes": 5, "in_channels": 2, "image_size": 64},
    "tabular": {"num_features": 5, "cardinalities": [3, 40], "num_classes": 3},
    "text": {"vocab_size": 50, "max_length": 16, "num_classes": 3},
    "pretraining": {"in_channels": 2, "image_size": 32},
}
SMALL = {
    "dim": 8,
    "depth": 2,
    "depths": [1, 2],
    "decoder_dim": 16,
    "decoder_depth": 1,
    "width_mult": 0.25,
    "patch_size": 8,
    "numeric_dim": 4,
    "num_members": 3,
    "growth_rate": 4,
    "hidden": [8],
    "grid": 2,
    "dims": [8, 16],
    "num_stacks": 2,
    "backbone": {"resnet": {"dim": 8, "depths": [1, 2]}},
}
OWN = {name: {"neck": {"fpn": {"dim": 8}}, "max_detections": 4} for name in ("faster_rcnn", "mask_rcnn")}
"""Small sizes of single families."""
HEADS = {"attention", "attentionpool"}


def small(family: str, args: dict[str, Any], inputs: dict[str, Any] | None = None) -> Resolved:
    """A family in a small size, with these arguments over it."""
    entry = registry().families[family]
    given = {**INPUTS[entry.modality], **(inputs or {})}
    sizes = {**SMALL, **OWN.get(family, {}), **given, **args}
    return resolve(Spec(family, {name: value for name, value in sizes.items() if name in entry.settable}))


def arguments(resolved: Resolved) -> dict[str, Any]:
    return {name: as_argument(value) for name, value in resolved.args.items()}


def example(resolved: Resolved, inputs: dict[str, Any] | None = None) -> dict[str, torch.Tensor]:
    modality = resolved.entry.modality
    return example_inputs(modality, {**INPUTS[modality], **(inputs or {})})


def swapped(family: str, seed: int) -> dict[str, Any]:
    """Arguments that put something random into the slots of a family, and into their slots."""
    dice = random.Random(seed)
    names = registry()
    sizes = {**SMALL, "image_size": INPUTS[names.families[family].modality or ""].get("image_size")}

    def fill(parameters, depth: int) -> dict[str, Any]:
        args: dict[str, Any] = {}
        for parameter in parameters.values():
            if parameter.slot is None or dice.random() < 0.3:
                continue
            slot = parameter.slot
            fitting = [e for e in names.fitting(slot.kind).values() if e.fits(slot.arity)]
            block = dice.choice(fitting)
            inner = fill(block.parameters, depth + 1) if depth < 2 else {}
            if slot.kind == "backbone":
                inner |= {name: value for name, value in sizes.items() if name in block.settable}
            if block.name in HEADS and dice.random() < 0.5:
                inner["num_heads"] = 2
            args[parameter.name] = {block.name: inner} if inner else block.name
        return args

    return fill(names.families[family].parameters, 0)


def load(source: str) -> types.ModuleType:
    """Run a source that may import torch and the standard library alone."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in names:
                assert name.partition(".")[0] in sys.stdlib_module_names | {"torch"}, name
    module = types.ModuleType("ejected")
    exec(compile(source, "model.py", "exec"), module.__dict__)
    return module


def assert_same(source: str, build: Any, inputs: dict[str, torch.Tensor]) -> nn.Module:
    """The ejected network starts, computes and learns like the original, bit for bit."""
    torch.manual_seed(3)
    ours = build()
    torch.manual_seed(3)
    theirs = load(source).build()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(theirs.state_dict()[name], value, rtol=0, atol=0, equal_nan=True)
    wanted, seen = fresh.observe(ours, inputs, 5), fresh.observe(theirs, inputs, 5)
    assert float(wanted["evaluated"].std()) > 0
    assert torch.equal(seen["evaluated"], wanted["evaluated"])
    assert torch.equal(seen["trained"], wanted["trained"])
    assert seen["gradients"].keys() == wanted["gradients"].keys()
    for name, value in wanted["gradients"].items():
        assert torch.equal(seen["gradients"][name], value), name
    return theirs
