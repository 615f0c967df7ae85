"""DenseNet, for photographs."""

import re

from netwright.weights.maps import each, replaced

NORM = ("weight", "bias", "running_mean", "running_var")
CLASSIFIER = (*(f"norm.{leaf}" for leaf in NORM), "head.weight", "head.bias")


def torchvision(key: str) -> str:
    key = replaced(key, {"stem.conv.conv.": "features.conv0.", "stem.conv.norm.": "features.norm0."})
    key = re.sub(
        r"^blocks\.(\d)\.layers\.(\d+)\.",
        lambda m: f"features.denseblock{int(m[1]) + 1}.denselayer{int(m[2]) + 1}.",
        key,
    )
    key = re.sub(r"^transitions\.(\d)\.", lambda m: f"features.transition{int(m[1]) + 1}.", key)
    return re.sub(r"^norm\.", "features.norm5.", re.sub(r"^head\.", "classifier.", key))


MAPS = {"torchvision or timm": each(torchvision)}
RENAMED = {"torchvision or timm": [(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.")]}  # torchvision's files
