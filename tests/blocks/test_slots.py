"""Any block fits any family that has its slot: forward and backward, finite, every parameter with a gradient.

The tests take whatever the registry has. A new family needs a line in `SIZES` only where the usual small sizes are
not small, or not right, for it; a block that by its nature can't stand in some place is named in `MISFITS`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from netwright.design import Spec
from netwright.design.entry import Entry
from netwright.design.library import registry
from netwright.design.resolve import as_argument, resolve
from netwright.design.types import Many
from netwright.export import example_inputs

Choose = Callable[[str, list[str]], str]

INPUTS: dict[str, dict[str, Any]] = {
    "vision": {"num_classes": 3, "in_channels": 2, "image_size": 32},
    "segmentation": {"num_classes": 3, "in_channels": 2, "image_size": 32},
    "detection": {"num_classes": 3, "in_channels": 2, "image_size": 32},
    "pretraining": {"num_classes": 3, "in_channels": 2, "image_size": 32},
    "tabular": {"num_features": 5, "cardinalities": [3, 40], "num_classes": 3},
    "text": {"vocab_size": 50, "max_length": 16, "num_classes": 3},
}
USUAL = {
    "dim": 16,
    "depth": 1,
    "depths": [1, 1],
    "decoder_dim": 64,
    "decoder_depth": 1,
    "width_mult": 0.25,
    "depth_mult": 0.25,
    "patch_size": 8,
    "numeric_dim": 4,
    "num_members": 2,
    "stem_dim": 8,
}
SIZES: dict[str, dict[str, Any]] = {
    "alexnet": {"widths": [8, 8, 8, 8, 8], "hidden": [8, 8], "grid": 2},
    "darts": {"dim": 4, "depth": 3},
    "deeplabv3": {"output_stride": 32},  # a backbone whose strides are not those of convolutions can't be dilated
    "deeplabv3plus": {"output_stride": 32},
    "detr": {"num_queries": 5},
    "mobilenetv3": {"layout": "small", "strides": [1, 1, 2, 2]},
    "nasnet": {"dim": 4, "stem_cells": 0},
    "segnet": {"dims": [8, 8]},
    "unet_encoder": {"depth": 4},
    "vgg": {"hidden": [8, 8], "grid": 2},
}
AS_BACKBONE = {"depths": [1, 1, 1, 1], "num_convs": 3}  # a detector wants coarse maps

# Blocks that by their nature can't stand in a slot of their kind: (families, block) → why.
MISFITS: dict[tuple[str, str], str] = {
    ("", "batchnorm1d"): "it normalises axis 1, which in tokens and channels-last maps is not that of the channels",
    ("ft_transformer", "raw"): "it leaves a number one channel wide, and tokens have `dim` channels",
    ("retinanet yolox", "lenet"): "its coarsest map has stride 4, and they look from stride 8 on",
    ("retinanet yolox", "lenet1998"): "its coarsest map has stride 4, and they look from stride 8 on",
    ("retinanet faster_rcnn mask_rcnn", "csppan"): "its maps differ in width, and one head reads them all",
}
NORMS_OF_TABLES = ("mlp", "tabular_resnet", "tabm")  # (B, D), where BatchNorm1d is at home
# A gate is a share: one without bounds multiplies the signal by itself in every block, until it overflows, and one
# about 0 wipes it out, so that the norms behind it divide nothing by nothing.
SHARES = {"squeezeexcite.gate": ("hardsigmoid", "sigmoid")}

# Pairs that refuse each other with these words, though each goes with others.
REFUSALS = {
    "BiFPN fuses maps of two scales or more": "all maps of a plain transformer have one scale",
    "are not a square": "rotations on a grid want one: a square behind one token, or so many columns as they are told",
    "the backbone has": "with a stem of stride 1 the map that the head wants is not there",
}


def misfit(family: str, block: str) -> str:
    """Why a block can't stand in a slot of this family, or nothing."""
    if block == "batchnorm1d" and family in NORMS_OF_TABLES:
        return ""
    found = (why for (names, name), why in MISFITS.items() if name == block and (family in names.split() or not names))
    return next(found, "")


def slots_of(entry: Entry, given: list[str]) -> dict[str, tuple[str, int]]:
    """The slots that a file can fill: name → kind, arguments that its owner gives."""
    free = {n: p for n, p in entry.parameters.items() if n not in given and not isinstance(p.type, Many)}
    return {n: (p.slot.kind, p.slot.arity) for n, p in free.items() if p.slot}


def fitting(family: str, where: str, kind: str, arity: int) -> list[str]:
    entries = registry().fitting(kind).values()
    names = [e.name for e in entries if e.fits(arity) and not misfit(family, e.name)]
    return [name for name in names if name in SHARES.get(where, names)]


def sizes(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in {**USUAL, **given, **SIZES.get(entry.name, {})}.items() if n in entry.settable}


def fill(family: str, choose: Choose) -> dict[str, Any]:
    """A block for every slot of the family, and for every slot of these blocks."""
    owner = registry().families[family]
    inside = {n: v for n, v in INPUTS[owner.modality].items() if n == "image_size"} | AS_BACKBONE

    def fill_slots(entry: Entry, given: list[str], depth: int) -> dict[str, Any]:
        args: dict[str, Any] = {}
        for name, (kind, arity) in slots_of(entry, given).items():
            where = f"{entry.name}.{name}"
            chosen = choose(where, fitting(family, where, kind, arity))
            block = registry().fitting(kind)[chosen]
            inner = sizes(block, inside) if kind in ("backbone", "neck") else {}
            if depth == 0:
                inner |= fill_slots(block, block.given(arity), 1)
            args[name] = {chosen: inner} if inner else chosen
        return args

    return fill_slots(owner, [], 0)


def check(family: str, args: dict[str, Any]) -> bool:
    """Build it, run it forward and backward. False where two of its blocks refuse each other, as they may."""
    entry = registry().families[family]
    inputs = INPUTS[entry.modality]
    torch.manual_seed(0)
    try:
        resolved = resolve(Spec(family, sizes(entry, inputs) | args))
        model = entry.cls(**{name: as_argument(value) for name, value in resolved.args.items()}).train()
        outputs = tensors(run(model, entry.modality, inputs))
        assert outputs and all(y.isfinite().all() for y in outputs), "the output is not finite"
        torch.stack([y.square().mean() for y in outputs if y.requires_grad]).sum().backward()
        for name, p in model.named_parameters():
            if p.requires_grad:
                assert p.grad is not None, f"{name} has no gradient"
                assert p.grad.isfinite().all(), f"the gradient of {name} is not finite"
    except Exception as error:
        if isinstance(error, ValueError) and any(words in str(error) for words in REFUSALS):
            return False
        raise AssertionError(f"{family} with {args}: {type(error).__name__}: {error}") from error
    return True


def run(model: nn.Module, modality: str, inputs: dict[str, Any]) -> Any:
    if modality not in ("segmentation", "pretraining", "detection"):
        return model(**example_inputs(modality, inputs))
    images = example_inputs("vision", inputs)["x"]
    if modality != "detection":
        return model.outputs(images) if hasattr(model, "outputs") else model(images)
    boxes, masks = torch.tensor([[2.0, 3.0, 20.0, 28.0]]), torch.ones(1, *images.shape[2:])
    return model.losses(images, [{"boxes": boxes, "labels": torch.tensor([1]), "masks": masks}] * len(images))


def tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [tensor for part in parts for tensor in tensors(part)]


FAMILIES = sorted(f for f in registry().families if slots_of(registry().families[f], []))
QUICK = [f for f in FAMILIES if registry().families[f].modality not in ("segmentation", "detection")]


@settings(max_examples=300, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_combination_runs(data: st.DataObject) -> None:
    family = data.draw(st.sampled_from(FAMILIES + 2 * QUICK), label="family")
    assume(check(family, fill(family, lambda where, names: data.draw(st.sampled_from(names), label=where))))


def next_in_turn(turn: int, where: str, names: list[str]) -> str:
    """All the names one after the other; each time round begins elsewhere, so that other pairs meet."""
    return names[(turn + turn // len(names) * len(where)) % len(names)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_block_stands_in_every_slot(family: str) -> None:
    """Turn by turn, until all have been there: in each slot, also in a block's, the next of what fits it."""
    slots = slots_of(registry().families[family], [])
    missing = {(name, block) for name, (kind, arity) in slots.items() for block in fitting(family, "", kind, arity)}
    assert {name for name, _ in missing} == slots.keys()
    for turn in range(100):
        args = fill(family, partial(next_in_turn, turn))
        placed = {(name, value if isinstance(value, str) else next(iter(value))) for name, value in args.items()}
        if placed & missing and check(family, args):
            missing -= placed
        if not missing:
            return
    pytest.fail(f"{family}: never placed {missing}")


@pytest.mark.parametrize(
    "family, args",
    [
        ("vit", {"norm": "batchnorm1d"}),
        ("convnext", {"norm": "batchnorm1d"}),
        ("text_transformer", {"norm": "batchnorm1d"}),
        ("ft_transformer", {"numeric": "raw"}),
    ],
)
def test_misfits_do_not_fit(family: str, args: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=f"{family} with"):
        check(family, args)


def test_a_combination_that_fails_is_named() -> None:
    with pytest.raises(AssertionError, match=r"resnet with \{'dim': 0, 'norm': 'groupnorm'\}"):
        check("resnet", {"dim": 0, "norm": "groupnorm"})
