"""The living proof: weights that others trained on ImageNet, in our networks, know what is on a photo."""

import pytest
import torch
from benchmarks import datasets
from PIL import Image
from torch import nn

from netwright.families.vision.efficientnet import PRESETS, EfficientNet
from netwright.families.vision.mobilenetv2 import MobileNetV2
from netwright.weights import Input, Loaded, class_names, load_into
from tests.families.presets import build
from tests.references import timm

pytestmark = pytest.mark.slow  # downloads 13 and 17 MB once

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def photo(name: str, prepared: Input, pressed: bool = False) -> torch.Tensor:
    """A photo of scikit-image as (1, 3, size, size): resized, antialiased, the middle cut out, normalised.

    `pressed` is the whole photo in the square instead.
    """
    from skimage import data  # late, because only the slow tests need it

    image = Image.fromarray(getattr(data, name)())
    assert prepared.crop is not None
    scale = prepared.size / prepared.crop / min(image.size)
    sides = [prepared.size] * 2 if pressed else [int(side * scale) for side in image.size]
    image = image.resize(sides, FILTERS[prepared.interpolation])
    left, top = (round((side - prepared.size) / 2) for side in image.size)
    image = image.crop((left, top, left + prepared.size, top + prepared.size))
    x = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(prepared.size, prepared.size, 3)
    return ((x / 255 - torch.tensor(prepared.mean)) / torch.tensor(prepared.std)).permute(2, 0, 1)[None]


def best(model: nn.Module, loaded: Loaded, name: str) -> tuple[str, float]:
    with torch.no_grad():
        scores = model.eval()(photo(name, loaded.input)).softmax(-1)[0]
    return class_names()[int(scores.argmax())], float(scores.max())


def test_mobilenetv2_of_torchvision():
    model = MobileNetV2()
    loaded = load_into(model, datasets.weights("mobilenetv2"))
    assert loaded.publisher == "torchvision" and not loaded.adapted and not loaded.left_out
    cat, coffee = best(model, loaded, "chelsea"), best(model, loaded, "coffee")
    assert cat[0] == "Egyptian cat" and abs(cat[1] - 0.72) < 0.02, cat
    assert coffee[0] == "espresso" and abs(coffee[1] - 0.99) < 0.01, coffee


def test_efficientnet_lite0():
    """What timm's network says of the same pixels with the same tensors, loaded in their order without a map.

    With the weights' own preparation the cat is torn between its kinds (tiger cat 0.395, Egyptian cat 0.355, tabby
    0.170); the whole photo pressed into the square, it is an Egyptian cat (0.771).
    """
    model, path = build(EfficientNet, PRESETS["lite0"]["args"]), datasets.weights("efficientnet-lite0")
    loaded = load_into(model, path)
    assert loaded.publisher == "efficientnet_pytorch" and not loaded.adapted and not loaded.left_out
    theirs = in_order(timm().create_model("tf_efficientnet_lite0"), torch.load(path, weights_only=True)).eval()
    for name, pressed, label, probability in [
        ("coffee", False, "espresso", 0.951),
        ("chelsea", False, "tiger cat", 0.395),
        ("chelsea", True, "Egyptian cat", 0.771),
    ]:
        with torch.no_grad():
            x = photo(name, loaded.input, pressed)
            found, expected = (net.eval()(x).softmax(-1)[0] for net in (model, theirs))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
        assert class_names()[int(found.argmax())] == label and abs(float(found.max()) - probability) < 0.01


def in_order(model: nn.Module, tensors: dict[str, torch.Tensor]) -> nn.Module:
    """The tensors go to those of the model one after the other."""
    own = [key for key in model.state_dict() if "num_batches" not in key]
    values = [value for key, value in tensors.items() if "num_batches" not in key]
    model.load_state_dict(dict(zip(own, values, strict=True)), strict=False)
    return model
