"""Checkpoints of the references, with random weights and written by them, make our networks equal to them."""

from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from netwright.blocks.stem import SmallStem
from netwright.families.vision.convnext import PRESETS as CONVNEXT
from netwright.families.vision.convnext import ConvNeXt
from netwright.families.vision.efficientnet import PRESETS as EFFICIENTNET
from netwright.families.vision.efficientnet import EfficientNet
from netwright.families.vision.mobilenetv2 import MobileNetV2
from netwright.families.vision.mobilenetv3 import MobileNetV3
from netwright.families.vision.resnet import PRESETS as RESNET
from netwright.families.vision.resnet import ResNet
from netwright.families.vision.vit import ViT
from netwright.weights import load_into
from netwright.weights.maps import vit as vit_map
from tests.families.presets import build
from tests.families.vision.contract import images
from tests.parity import randomise
from tests.references import pytorchcv, timm, torchvision, transformers

EPS = partial(nn.BatchNorm2d, eps=1e-5)
STEM = partial(SmallStem, stride=2, norm=EPS, activation=nn.Hardswish)  # timm's epsilon is PyTorch's
NARROW_VIT = {"image_size": 32, "dim": 16, "depth": 2, "patch_size": 8, "num_classes": 7}


def tv(name: str, **args):
    return lambda: getattr(torchvision().models, name)(**args)


def tm(name: str, **args):
    return lambda: timm().create_model(name, **args)


def tv_vit() -> nn.Module:
    return torchvision().models.VisionTransformer(32, 8, 2, 1, 16, 64, num_classes=7)


def tm_vit() -> nn.Module:
    args = {"img_size": 32, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 1, "num_classes": 7}
    return timm().models.vision_transformer.VisionTransformer(**args)


def hf_vit() -> nn.Module:
    args = {"image_size": 32, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 64}
    config = transformers().ViTConfig(**args, num_attention_heads=1, num_labels=7, layer_norm_eps=1e-6)
    return Logits(transformers().ViTForImageClassification(config))


def hf_resnet() -> nn.Module:
    args = {"embedding_size": 8, "hidden_sizes": [32, 64], "depths": [1, 2], "num_labels": 7}
    return Logits(transformers().ResNetForImageClassification(transformers().ResNetConfig(**args)))


class Logits(nn.Module):
    """transformers' classifiers return an object."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x).logits


CASES = {
    "resnet18 torchvision": (partial(build, ResNet, RESNET["18"]["args"]), tv("resnet18"), "torchvision or timm"),
    "resnext timm": (
        partial(build, ResNet, RESNET["resnext50_32x4d"]["args"]),
        tm("resnext50_32x4d"),
        "torchvision or timm",
    ),
    "resnet pytorchcv": (
        partial(build, ResNet, RESNET["20"]["args"], num_classes=10),
        lambda: pytorchcv().get_model("resnet20_cifar10"),
        "pytorchcv",
    ),
    "resnet transformers": (partial(ResNet, num_classes=7, dim=8, depths=(1, 2)), hf_resnet, "transformers"),
    "convnext timm": (partial(build, ConvNeXt, CONVNEXT["atto"]["args"]), tm("convnext_atto"), "timm"),
    "convnext v2 timm": (partial(build, ConvNeXt, CONVNEXT["v2_atto"]["args"]), tm("convnextv2_atto"), "timm"),
    "convnext torchvision": (ConvNeXt, tv("convnext_tiny"), "torchvision"),
    "mobilenetv2 torchvision": (MobileNetV2, tv("mobilenet_v2"), "torchvision"),
    "mobilenetv2 timm": (partial(MobileNetV2, width_mult=0.35), tm("mobilenetv2_035"), "timm"),
    "mobilenetv3 torchvision": (MobileNetV3, tv("mobilenet_v3_large"), "torchvision"),
    "mobilenetv3 small torchvision": (partial(MobileNetV3, layout="small"), tv("mobilenet_v3_small"), "torchvision"),
    "mobilenetv3 timm": (partial(MobileNetV3, norm=EPS, stem=STEM), tm("mobilenetv3_large_100"), "timm"),
    "mobilenetv3 small timm": (
        partial(MobileNetV3, layout="small", norm=EPS, stem=STEM),
        tm("mobilenetv3_small_100"),
        "timm",
    ),
    "efficientnet torchvision": (EfficientNet, tv("efficientnet_b0"), "torchvision"),
    "efficientnet timm": (
        partial(build, EfficientNet, EFFICIENTNET["b1"]["args"]),
        tm("efficientnet_b1"),
        "timm",
    ),
    "efficientnet lite timm": (
        partial(build, EfficientNet, EFFICIENTNET["lite0"]["args"]),
        tm("tf_efficientnet_lite0"),
        "timm",
    ),
    "vit timm": (partial(ViT, **NARROW_VIT), tm_vit, "timm"),
    "vit torchvision": (partial(ViT, **NARROW_VIT), tv_vit, "torchvision"),
    "vit transformers": (partial(ViT, **NARROW_VIT), hf_vit, "transformers"),
}


@pytest.mark.parametrize("name, form", [*((name, "safetensors") for name in CASES), ("mobilenetv2 torchvision", "pth")])
def test_same_outputs(name, form, tmp_path):
    make, reference, publisher = CASES[name]
    ours, theirs = make().eval(), randomise(reference()).eval()
    inner = theirs.model if isinstance(theirs, Logits) else theirs
    path = tmp_path / f"weights.{form}"
    if form == "pth":
        torch.save(inner.state_dict(), path)
    elif isinstance(theirs, Logits):
        inner.save_pretrained(tmp_path)  # with the names that transformers writes
        path = tmp_path
    else:
        save_file(inner.state_dict(), path)
    loaded = load_into(ours, path)
    assert loaded.publisher == publisher and not loaded.adapted and not loaded.left_out
    assert set(loaded.loaded) == {key for key in ours.state_dict() if "num_batches" not in key}
    x = images(2, 3, 32, 32) if name.startswith("vit") else images(2, 3, 64, 75)
    if "pytorchcv" in name:
        theirs.features.final_pool = nn.AdaptiveAvgPool2d(1)
    with torch.no_grad():
        expected, found = theirs(x), ours(x)
    assert expected.std() > 0
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5


def test_older_names_of_transformers(tmp_path):
    """The files on the hub were written before version 5, some with a pooler."""
    theirs = randomise(hf_vit()).model
    state = {}
    for key, value in theirs.state_dict().items():
        key = key.replace("vit.layers.", "vit.encoder.layer.").replace(".mlp.fc1.", ".intermediate.dense.")
        key = key.replace(".mlp.fc2.", ".output.dense.").replace(".attention.o_proj.", ".attention.output.dense.")
        for letter, word in (("q", "query"), ("k", "key"), ("v", "value")):
            key = key.replace(f".attention.{letter}_proj.", f".attention.attention.{word}.")
        state[key] = value
    assert not set(state) & {k for k in theirs.state_dict() if "vit.layers" in k}
    pooler = {"vit.pooler.dense.weight": torch.ones(2, 2)}
    ours, again = ViT(**NARROW_VIT), ViT(**NARROW_VIT)
    loaded = load_into(ours, state | pooler)
    assert loaded.publisher == "transformers" and loaded.left_out == {
        "vit.pooler.dense.weight": "serves no class score"
    }
    load_into(again, theirs.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), again.parameters(), strict=True))


def test_older_names_of_torchvision():
    state = tv_vit().state_dict()
    old = {k.replace(".mlp.0.", ".mlp.linear_1.").replace(".mlp.3.", ".mlp.linear_2."): v for k, v in state.items()}
    assert load_into(ViT(**NARROW_VIT), old).publisher == "torchvision"


def test_the_names_of_efficientnet_pytorch():
    """Of squeeze and excitation too: two blocks by hand. The real file of Lite0 is in test_real.py."""
    from netwright.weights.maps import efficientnet

    shapes = {key: x.shape for key, x in EfficientNet(width_mult=0.25).state_dict().items()}
    found = efficientnet.efficientnet_pytorch(shapes)
    assert found["stages.0.0.gate.fc1.weight"] == "_blocks.0._se_reduce.weight"
    assert found["stages.0.0.project.norm.weight"] == "_blocks.0._bn2.weight"
    assert found["stages.4.4.expand.norm.bias"] == "_blocks.15._bn0.bias"
    assert found["conv.norm.bias"] == "_bn1.bias" and found["stem.conv.norm.bias"] == "_bn0.bias"
    assert len(set(found.values())) == len(shapes)


def test_fused_matrices_are_three_of_transformers():
    assert vit_map.transformers("blocks.3.mixer.qkv.bias") == (
        "vit.layers.3.attention.q_proj.bias",
        "vit.layers.3.attention.k_proj.bias",
        "vit.layers.3.attention.v_proj.bias",
    )
