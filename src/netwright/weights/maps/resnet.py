"""ResNet, and its kin with groups, wide or with squeeze and excitation."""

import re

from netwright.weights.maps import Shapes, each, replaced

CLASSIFIER = ("head.weight", "head.bias")


def torchvision(key: str) -> str:
    key = replaced(key, {"stem.conv.conv.": "conv1.", "stem.conv.norm.": "bn1.", "head.": "fc."})
    key = re.sub(r"^stages\.(\d)\.", lambda m: f"layer{int(m[1]) + 1}.", key)
    key = re.sub(r"\.conv(\d)\.conv\.", r".conv\1.", re.sub(r"\.conv(\d)\.norm\.", r".bn\1.", key))
    return replaced(key, {"shortcut.conv.": "downsample.0.", "shortcut.norm.": "downsample.1.", ".gate.": ".se."})


def pytorchcv(shapes: Shapes) -> dict[str, str]:
    large = shapes["stem.conv.conv.weight"][-1] == 7  # the stem of ImageNet lies one level deeper
    return {key: _pytorchcv(key, "features.init_block." + "conv." * large) for key in shapes}


def _pytorchcv(key: str, stem: str) -> str:
    key = key.replace("stem.conv.", stem)
    key = re.sub(r"^stages\.(\d)\.(\d+)\.", lambda m: f"features.stage{int(m[1]) + 1}.unit{int(m[2]) + 1}.", key)
    key = re.sub(r"\.(conv\d)\.", r".body.\1.", key) if ".unit" in key else key
    return replaced(key, {"gate.fc": "se.conv", "shortcut": "identity_conv", "head": "output", ".norm.": ".bn."})


def transformers(key: str) -> str:
    key = replaced(key, {"stem.conv.": "resnet.embedder.embedder.", "head.": "classifier.1."})
    key = re.sub(r"^stages\.(\d)\.(\d+)\.", r"resnet.encoder.stages.\1.layers.\2.", key)
    key = re.sub(r"\.conv(\d)\.(?=conv|norm)", lambda m: f".layer.{int(m[1]) - 1}.", key)
    return replaced(key, {".conv.": ".convolution.", ".norm.": ".normalization."})


MAPS = {"torchvision or timm": each(torchvision), "pytorchcv": pytorchcv, "transformers": each(transformers)}
