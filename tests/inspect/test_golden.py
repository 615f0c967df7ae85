"""Parameters and MACs of hundreds of published networks, as torchvision and timm publish them.

torchvision says them with each of its weights. `timm_table.csv` holds half of the results that timm publishes
(github.com/huggingface/pytorch-image-models, results/); they were counted by fvcore, which counts norms, and some of an
older or fused form of the network (`noted`).
"""

import csv
import importlib
from math import prod
from pathlib import Path

import pytest
import torch

from netwright.inspect import Blueprint, inspect
from tests.references import timm, torchvision

FAMILIES = ["resnet18", "resnext50_32x4d", "mobilenet_v3_small", "efficientnet_b0", "regnet_y_400mf", "vit_b_32"]
FAMILIES += [
    "swin_t",
    "swin_v2_t",
    "maxvit_t",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "vgg11",
    "inception_v3",
    "googlenet",
]


def published(name: str):
    """(parameters, GMACs, side) of each of torchvision's weights of a model."""
    for weights in torchvision().models.get_model_weights(name):
        yield weights.meta["num_params"], weights.meta["_ops"], weights.transforms.keywords["crop_size"]


def classifiers() -> list[str]:
    models = torchvision().models
    return models.list_models(module=models)


def check(name: str) -> None:
    for params, gmacs, side in published(name):
        options = {"aux_logits": False} if name == "googlenet" else {}  # published without its auxiliary heads
        # Vision transformers for a larger image have more positions.
        options |= {"image_size": side} if name.startswith("vit") else {}
        # RegNet's constructor reads values: no meta device for it.
        with torch.device("cpu" if name.startswith("regnet") else "meta"):
            module = torchvision().models.get_model(name, weights=None, **options)
        blueprint = inspect(module, torch.empty(1, 3, side, side, device="meta"))
        assert not blueprint.not_counted
        assert blueprint.params == params, name
        assert blueprint.macs / 1e9 == pytest.approx(gmacs, rel=0.01, abs=6e-4), (name, side)


@pytest.mark.parametrize("name", FAMILIES)
def test_one_of_each_family_of_torchvision(name):
    check(name)


@pytest.mark.slow
def test_every_classifier_of_torchvision():
    names = classifiers()
    assert len(names) >= 80
    for name in names:
        check(name)


def with_norms(blueprint: Blueprint) -> int:
    """MACs as fvcore has them: 2 a number of a batch norm, 5 of the other norms."""
    extra = 0
    for row in blueprint.rows:
        kind = row.cls.lower()
        if row.kind == "module" and row.outputs:
            each = 2 if "batchnorm" in kind else 5 if "layernorm" in kind or "groupnorm" in kind else 0
            extra += each * prod(row.outputs[0])
    return blueprint.macs + extra


def fused(module: torch.nn.Module) -> torch.nn.Module:
    """With branches made one, as timm publishes RepVGG and its like."""
    return importlib.import_module("timm.utils.model").reparameterize_model(module)


@pytest.mark.slow
def test_timm():
    """At least 99 % of the parameters exactly as published, to the last digit; 97 % of the MACs within 3 %."""
    table = list(csv.DictReader((Path(__file__).parent / "timm_table.csv").open()))
    exact, close, seen, clean, differ = 0, 0, 0, 0, []
    for row in table:
        if row["noted"] or not timm().is_model(row["model"]):
            continue
        with torch.device("meta"):
            module = timm().create_model(row["model"], pretrained=False)
        image = torch.empty(1, 3, int(row["img_size"]), int(row["img_size"]), device="meta")
        params, gmacs = float(row["param_count_M"]), float(row["gmacs"])
        blueprint = inspect(module, image)
        if not (same := abs(blueprint.params / 1e6 - params) <= 0.0051):
            one = inspect(fused(timm().create_model(row["model"], pretrained=False)), image)
            if same := abs(one.params / 1e6 - params) <= 0.0051:
                blueprint = one  # the row is of the fused form, its MACs too
        allowed = 0.03 * gmacs + 0.0051  # the table has two decimals
        near = any(abs(macs / 1e9 - gmacs) <= allowed for macs in (blueprint.macs, with_norms(blueprint)))
        seen, exact, close, clean = seen + 1, exact + same, close + near, clean + (not blueprint.not_counted)
        if not same or not near:
            said = f"{blueprint.params / 1e6:.2f} M of {params}, {blueprint.macs / 1e9:.2f} GMACs of {gmacs}"
            differ.append(f"{row['model']} {row['img_size']}: {said}")
    print(f"{seen} networks: parameters exact {exact}, MACs within 3 % {close}, nothing uncounted {clean}")
    print(*differ, sep="\n")
    assert exact >= 0.99 * seen
    assert close >= 0.97 * seen
