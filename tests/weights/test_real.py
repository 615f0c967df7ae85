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

pytestmark = pytest.mark.slow  # downloads 13 and 17 MB once

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def photo(name: str, prepared: Input) -> torch.Tensor:
    """A photo of scikit-image as (1, 3, size, size): resized, antialiased, the middle cut out, normalised."""
    from skimage import data  # late, because only the slow tests need it

    image = Image.fromarray(getattr(data, name)())
    scale = prepared.size / prepared.crop / min(image.size)
    image = image.resize([int(side * scale) for side in image.size], FILTERS[prepared.interpolation])
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
    model = build(EfficientNet, PRESETS["lite0"]["args"])
    loaded = load_into(model, datasets.weights("efficientnet-lite0"))
    assert loaded.publisher == "efficientnet_pytorch" and not loaded.adapted and not loaded.left_out
    cat, coffee = best(model, loaded, "chelsea"), best(model, loaded, "coffee")
    assert cat[0] in ("Egyptian cat", "tiger cat"), cat  # 0.36 and 0.39
    assert coffee[0] == "espresso" and abs(coffee[1] - 0.95) < 0.01, coffee
