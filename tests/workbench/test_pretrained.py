"""Published weights as the start of a design: recognised, adapted, trained with, handed over."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import netwright as nw
from netwright.design import Budget, Data, Recipe, Task
from netwright.errors import InputError
from netwright.workbench import pretrained
from netwright.workbench.design import choose, make_request
from netwright.workbench.prepare import prepare
from tests.data import boxed, scenes
from tests.parity import randomise
from tests.references import torchvision


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """MobileNetV2 as torchvision would publish it, with random weights."""
    path = tmp_path_factory.mktemp("weights") / "mobilenet_v2.pth"
    torch.save(randomise(torchvision().models.mobilenet_v2()).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    rng = np.random.default_rng(0)
    for name, colour in (("red", 0), ("blue", 2)):
        (folder / name).mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 120, (24, 24, 3), dtype=np.uint8)
            pixels[..., colour] += 100
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


def test_weights_are_recognised(weights):
    found = pretrained.recognise(str(weights))
    assert found.preset == "mobilenetv2:x1_0" and found.input.size == 224
    assert [found.image_size(side) for side in (24, 150, 500)] == [112, 150, 224]
    tensors, loaded = found.weights_for({"num_classes": 2, "in_channels": 1, "image_size": 112})
    assert not any(name.startswith("head.") for name in tensors)
    said = " ".join(pretrained.adaptations(loaded))
    assert "1 channels" in said and "2 classes instead of 1000" in said


def test_auto_looks_into_torchs_cache(weights, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    said: list[str] = []
    assert pretrained.find("auto", said.append) is None
    assert len(said) == 5 and all(line.startswith("not timm/") for line in said)
    (tmp_path / "checkpoints").mkdir()
    kept = tmp_path / "checkpoints" / "mobilenet_v2-b0353104.pth"
    kept.symlink_to(weights)
    found = pretrained.find("auto", said.append)
    assert found is not None and found.preset == "mobilenetv2:x1_0" and len(said) == 5


@pytest.fixture(scope="module")
def result(weights, photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "photos"
    return nw.design(photos, pretrained=str(weights), image_size=32, steps=3, workers=1, prefer="resnet", out=out)


def test_both_ways_compete_with_networks_from_scratch(result, weights):
    decision = result.report["decision"]
    names = [row["name"] for row in decision["candidates"]]
    assert names[:2] == ["mobilenetv2-probe", "mobilenetv2-finetune"] and len(names) == 4
    reasons = json.dumps(decision["candidates"][1])
    assert "fine-tuned" in reasons and str(weights) in reasons
    assert any("2 classes instead of 1000" in note["text"] for note in decision["notes"])


def test_the_folder_trains_from_the_weights(weights, result, tmp_path):
    """The ejected train.py begins where our training began, and needs no netwright."""
    design = result.design
    design.model = nw.Spec("mobilenetv2:x1_0")
    recipe = {**design.recipe.to_data(), "weights": str(weights), "probe": 0.5, "first_layer_lr": 0.1, "steps": 4}
    design.recipe = nw.Recipe.from_data(recipe)
    design.save(tmp_path / "mine.yaml")
    made = nw.train(tmp_path / "mine.yaml", out=tmp_path / "b")
    folder = made.folder
    kept = load_file(folder / "pretrained.safetensors")
    published = torch.load(weights, weights_only=True)
    assert torch.equal(kept["stem.conv.conv.weight"], published["features.0.0.weight"])
    script = (folder / "train.py").read_text()
    assert "PROBE = 0.5" in script and "FIRST_LAYER = 0.1" in script
    command = [sys.executable, "train.py", "--steps", "4", "--out", "again.safetensors"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    again = load_file(folder / "again.safetensors")
    # Four steps are not far from the start: it did begin there. (The best of them may lie in the probe.)
    moved = (again["stem.conv.conv.weight"] - kept["stem.conv.conv.weight"]).abs().max()
    assert float(moved) < 0.1 < float(kept["stem.conv.conv.weight"].abs().max())


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    return scenes.write(tmp_path_factory.mktemp("data") / "shapes", count=12, size=(32, 32))


def test_masks_get_a_decoder_on_the_weights(weights, shapes):
    found = pretrained.recognise(str(weights))
    request = make_request(shapes, {"pretrained": str(weights)})
    prepared = prepare(request.source, request, found)
    assert prepared.contract["image_size"] == 32  # masks keep their size
    assert prepared.fitted["mean"] == pytest.approx([0.485, 0.456, 0.406])
    proposals = choose(prepared, request, Budget(time_s=60.0), found)
    names = [candidate["name"] for candidate in proposals.candidates]
    assert names[:2] == ["unet-mobilenetv2-probe", "unet-mobilenetv2-finetune"] and len(names) == 4
    probe, tuned = (Recipe.from_data(candidate["recipe"]) for candidate in proposals.candidates[:2])
    assert probe.probe == 1.0 and tuned.first_layer_lr == 0.1 and 0 < tuned.probe < 1 and tuned.augment
    reasons = json.dumps(proposals.candidates[1]["reasons"])
    assert "the decoder alone for the first" in reasons and "G10" in reasons
    small = choose(prepared, request, Budget(time_s=60.0, params=100_000), found)
    assert any("its size is fixed" in row["reason"] for row in small.rejected)


@pytest.fixture(scope="module")
def boxes(tmp_path_factory) -> Path:
    return boxed.write_coco(tmp_path_factory.mktemp("data") / "boxes", count=12, size=(64, 64))


def test_boxes_get_two_detectors_on_the_weights(weights, boxes):
    found = pretrained.recognise(str(weights))
    request = make_request(boxes, {"pretrained": str(weights)})
    prepared = prepare(request.source, request, found)
    assert prepared.contract["image_size"] == 64 and prepared.fitted["mean"] == pytest.approx([0.485, 0.456, 0.406])
    proposals = choose(prepared, request, Budget(time_s=60.0), found)
    names = [candidate["name"] for candidate in proposals.candidates]
    assert names[:2] == ["faster_rcnn-mobilenetv2-finetune", "retinanet-mobilenetv2-finetune"] and len(names) == 4
    for candidate in proposals.candidates[:2]:
        recipe, reasons = Recipe.from_data(candidate["recipe"]), json.dumps(candidate["reasons"])
        assert 0 < recipe.probe < 1 and recipe.first_layer_lr == 0.1 and "flip_boxes" in recipe.augment
        assert "D9" in reasons and "the rest alone for the first 10 %" in reasons
    small = choose(prepared, request, Budget(time_s=60.0, params=3_500_000), found)
    assert [row["family"] for row in small.rejected if "mobilenetv2" in row["family"]] == [
        "faster_rcnn-mobilenetv2:x1_0"
    ]
    assert small.candidates[0]["name"] == "retinanet-mobilenetv2-finetune"


ON_WEIGHTS = {
    "shapes": ("segmentation", "miou", {"image_size": 32, "num_classes": 3}, "backbone."),
    "boxes": ("detection", "ap50", {"image_size": 64, "num_classes": 2}, "pyramid.backbone."),
}
NETWORKS = {
    "shapes": nw.Spec("unet", {"backbone": "mobilenetv2:x1_0", "dim": 4, "upsample": "nearestupsample"}),
    "boxes": nw.Spec(
        "retinanet", {"backbone": "mobilenetv2:x1_0", "neck": {"fpn": {"dim": 8, "levels": "convlevels"}}}
    ),
}


@pytest.mark.parametrize("data", ON_WEIGHTS)
def test_masks_and_boxes_are_trained_from_the_weights(weights, data, request, tmp_path):
    """The backbone begins with the weights and stands still at first; the ejected train.py does the same."""
    kind, metric, inputs, home = ON_WEIGHTS[data]
    design = nw.Design(
        name=data,
        task=Task(kind=kind, metric=metric),
        data=Data(source=str(request.getfixturevalue(data)), modality=kind),
        inputs={"in_channels": 3, **inputs},
        model=NETWORKS[data],
        recipe=Recipe(lr=1e-3, batch_size=8, steps=4, weights=str(weights), probe=0.5, first_layer_lr=0.1),
    )
    design.save(tmp_path / "design.yaml")
    folder = nw.train(tmp_path / "design.yaml", out=tmp_path / "out", threads=1).folder
    kept = load_file(folder / "pretrained.safetensors")
    assert all(name.startswith(home) for name in kept)
    published = torch.load(weights, weights_only=True)
    assert torch.equal(kept[f"{home}stem.conv.conv.weight"], published["features.0.0.weight"])
    assert f'HELD = ("{home}",)' in (folder / "train.py").read_text()
    for steps, moved in (("1", False), ("4", True)):  # of one step half is the probe
        command = [sys.executable, "train.py", "--steps", steps, "--out", "again.safetensors"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        again = load_file(folder / "again.safetensors")
        same = all(torch.equal(again[name], value) for name, value in kept.items() if name.endswith("weight"))
        assert same is not moved


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pretrained": "missing.pth"}, "no such file"),
        ({"pretrained": "{unknown}"}, "weights of no network that is known"),
    ],
)
def test_bad_weights(photos, tmp_path, options, message):
    save_file({"a.weight": torch.zeros(3_500_000)}, tmp_path / "unknown.safetensors")
    options = {k: v.format(unknown=tmp_path / "unknown.safetensors") for k, v in options.items()}
    with pytest.raises(InputError, match=message):
        nw.design(photos, **options, steps=1, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_are_for_images(weights, tmp_path):
    with pytest.raises(InputError, match="published weights are for images"):
        nw.design("iris", pretrained=str(weights), steps=1, out=tmp_path / "out")


def test_limits_that_the_weights_can_not_meet(weights, photos, tmp_path):
    made = nw.design(
        photos, pretrained=str(weights), image_size=32, params="100k", steps=2, workers=1, out=tmp_path / "out"
    )
    decision = made.report["decision"]
    (rejected,) = [row for row in decision["rejected"] if row["family"] == "mobilenetv2:x1_0"]
    assert "its size is fixed" in rejected["reasons"][0]["text"]
    assert not any("mobilenetv2" in row["name"] for row in decision["candidates"])
