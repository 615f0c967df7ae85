"""AlexNet, the one tower."""

import re

from netwright.weights.maps import each

HIDDEN = tuple(f"hidden.{i}.{leaf}" for i in (1, 4) for leaf in ("weight", "bias"))
CLASSIFIER = (*HIDDEN, "head.weight", "head.bias")


def torchvision(key: str) -> str:
    key = re.sub(r"^stage3\.(\d)\.", lambda m: f"features.{6 + int(m[1])}.", key)
    key = re.sub(r"^stage([12])\.0\.", lambda m: f"features.{3 * int(m[1]) - 3}.", key)
    return re.sub(r"^head\.", "classifier.6.", re.sub(r"^hidden\.", "classifier.", key))


MAPS = {"torchvision": each(torchvision)}
