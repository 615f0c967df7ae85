"""What does not fit as it is: adapted and said, or refused with the names."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from netwright.blocks.headless import headless
from netwright.errors import InputError
from netwright.families.tabular.mlp import MLP
from netwright.families.vision.alexnet import AlexNet
from netwright.families.vision.convnext import ConvNeXt
from netwright.families.vision.densenet import DenseNet
from netwright.families.vision.efficientnet import PRESETS, EfficientNet
from netwright.families.vision.mit import MixTransformer
from netwright.families.vision.mlp_mixer import MLPMixer
from netwright.families.vision.mobilenetv2 import MobileNetV2
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.preresnet import PreActResNet
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.swin import Swin
from netwright.families.vision.vgg import VGG
from netwright.families.vision.vit import ViT
from netwright.weights import Input, load_into
from netwright.weights.recognise import maps_of
from tests.families.presets import build
from tests.families.vision.contract import images
from tests.parity import randomise

SMALL_VIT = partial(ViT, num_classes=7, image_size=32, dim=16, depth=2, patch_size=8)
FAMILIES = {
    "resnet": (partial(ResNet, dim=8, depths=(1, 1)), "torchvision or timm"),
    "convnext": (partial(ConvNeXt, dim=8, depths=(1, 1)), "timm"),
    "mobilenetv2": (partial(MobileNetV2, width_mult=0.1), "torchvision"),
    "mobilenetv3": (partial(MobileNetV3, layout="small", width_mult=0.1), "torchvision"),
    "efficientnet": (partial(EfficientNet, width_mult=0.1), "torchvision"),
    "vit": (SMALL_VIT, "timm"),
    "vgg": (partial(VGG, dim=8, depths=(1, 1), hidden=(6, 5), grid=2), "torchvision"),
    "alexnet": (partial(AlexNet, widths=(4, 4, 4, 4, 4), hidden=(6, 5), grid=2), "torchvision"),
    "densenet": (partial(DenseNet, dim=8, growth_rate=4, depths=(1, 2)), "torchvision or timm"),
    "preresnet": (partial(PreActResNet, dim=8, depths=(1, 1)), "timm"),
    "swin": (partial(Swin, dim=8, depths=(1, 2), head_dim=4, window_size=4), "timm"),
    "mixer": (partial(MLPMixer, image_size=32, dim=16, depth=2, patch_size=8), "timm"),
    "mit": (partial(MixTransformer, dim=4, depths=(1, 1)), "transformers"),
}


def published(model: nn.Module, publisher: str) -> dict[str, torch.Tensor]:
    """The state of one of our networks by the publisher's names."""
    own = {key: x for key, x in model.state_dict().items() if "num_batches" not in key}
    mapping = maps_of(model).MAPS[publisher]({key: x.shape for key, x in own.items()})
    return {mapping[key]: x.clone() for key, x in own.items()}


@pytest.mark.parametrize("name", FAMILIES)
def test_without_a_classifier(name):
    """A backbone takes all that it has, and says what it has no place for."""
    make, publisher = FAMILIES[name]
    whole = randomise(make()).eval()
    bare = headless(lambda num_classes, in_channels: make(num_classes=num_classes, in_channels=in_channels), 3).eval()
    loaded = load_into(bare, published(whole, publisher))
    assert loaded.publisher == publisher and loaded.left_out
    assert set(loaded.left_out.values()) == {"the network has no classifier"}
    for a, b in zip(bare.features(images(1, 3, 32, 32)), whole.features(images(1, 3, 32, 32)), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", FAMILIES)
def test_other_classes_leave_the_head(name):
    make, publisher = FAMILIES[name]
    state, ours = published(randomise(make(num_classes=9)), publisher), make(num_classes=4)
    before = ours.head.weight.clone()
    loaded = load_into(ours, state)
    assert torch.equal(ours.head.weight, before)
    assert loaded.left_out == dict.fromkeys(("head.weight", "head.bias"), "stays as it was: 4 classes instead of 9")
    assert "left out: head.weight" in str(loaded)
    headless_file = {key: x for key, x in state.items() if 9 not in x.shape}
    assert "no class scores" in load_into(make(num_classes=4), headless_file).left_out["head.bias"]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels(channels):
    """A grey image gives what it gives in three channels."""
    theirs, ours = randomise(MobileNetV2(width_mult=0.1)), MobileNetV2(width_mult=0.1, in_channels=channels)
    loaded = load_into(ours, published(theirs, "torchvision"))
    assert list(loaded.adapted) == ["stem.conv.conv.weight"]
    assert f"{channels} channels" in loaded.adapted["stem.conv.conv.weight"]
    grey = images(2, 1, 32, 32)
    expected = theirs.eval()(grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(ours.eval()(grey.expand(-1, channels, -1, -1)), expected, rtol=1e-4, atol=1e-4)
    assert loaded.input.for_channels(channels).mean == (pytest.approx(0.449, abs=1e-3),) * channels


def test_other_sizes():
    theirs, ours = randomise(SMALL_VIT()), SMALL_VIT(image_size=48)
    loaded = load_into(ours, published(theirs, "timm"))
    assert loaded.adapted == {"position.weight": "positions interpolated from 4 × 4 to 6 × 6"}
    x = images(2, 3, 48, 48)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))  # theirs interpolates in the forward
    cells = theirs.position.weight[1:].T.reshape(1, 16, 4, 4)
    resized = F.interpolate(cells, size=(6, 6), mode="bicubic", antialias=True)
    torch.testing.assert_close(ours.position.weight[1:], resized.flatten(2)[0].T)


def test_the_network_stays_as_it_was_when_something_is_wrong():
    theirs, ours = (
        published(randomise(ResNet(dim=8, depths=(1, 1))), "torchvision or timm"),
        ResNet(dim=8, depths=(1, 1)),
    )
    before = {key: x.clone() for key, x in ours.state_dict().items()}
    missing = {key: x for key, x in theirs.items() if key != "layer1.0.conv2.weight"}
    with pytest.raises(InputError, match=r"there are no layer1\.0\.conv2\.weight"):
        load_into(ours, missing)
    with pytest.raises(InputError, match=r"nothing here is layer7\.weight"):
        load_into(ours, theirs | {"layer7.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"conv2.* is \(8, 8, 3, 3\) here and \(9, 8, 3, 3\) there"):
        load_into(ours, theirs | {"layer1.0.conv2.weight": torch.zeros(9, 8, 3, 3)})
    with pytest.raises(InputError, match=r"the names of no known publisher\n.*timm, pytorchcv, transformers"):
        load_into(ours, {"weight": torch.zeros(1)})
    assert all(torch.equal(x, before[key]) for key, x in ours.state_dict().items())


def test_a_deeper_network_is_refused():
    theirs = published(ResNet(dim=8, depths=(1, 2)), "torchvision or timm")
    with pytest.raises(InputError, match=r"nothing here is layer2\.1"):
        load_into(ResNet(dim=8, depths=(1, 1)), theirs)


def test_the_publisher_can_be_given():
    theirs, ours = published(SMALL_VIT(), "timm"), SMALL_VIT()
    assert load_into(ours, theirs, publisher="timm").publisher == "timm"
    with pytest.raises(InputError, match=r"no map of publisher 'google'\n.*timm, torchvision, transformers"):
        load_into(ours, theirs, publisher="google")
    with pytest.raises(InputError, match="names of no known publisher"):
        load_into(ours, theirs, publisher="transformers")


def test_families_without_maps_are_refused():
    for model in (MLP(num_features=3, num_classes=2), nn.Linear(2, 2)):
        with pytest.raises(InputError, match="no published weights are known"):
            load_into(model, {})


def test_without_memory():
    with torch.device("meta"):
        model = SMALL_VIT()
    with pytest.raises(InputError, match="no memory"):
        load_into(model, published(SMALL_VIT(), "timm"))


def test_inputs():
    vit = load_into(SMALL_VIT(), published(SMALL_VIT(), "timm")).input
    assert vit == Input((0.5,) * 3, (0.5,) * 3, 32, 0.9, "bicubic")
    assert load_into(ResNet(dim=8), published(ResNet(dim=8), "torchvision or timm")).input == Input()
    for name, size in [("b0", 224), ("b1", 240), ("b2", 260), ("b7", 600), ("lite4", 380)]:
        with torch.device("meta"):
            model = build(EfficientNet, PRESETS[name]["args"])
        found = maps_of(model).images("timm", {key: x.shape for key, x in model.state_dict().items()})
        assert found.size == size and (found.mean[0] > 0.49) == name.startswith("lite")
