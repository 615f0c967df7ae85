"""VGG."""

import re
from collections.abc import Mapping

from netwright.weights.maps import Shapes

HIDDEN = tuple(f"hidden.{i}.{leaf}" for i in (0, 3) for leaf in ("weight", "bias"))
CLASSIFIER = (*HIDDEN, "head.weight", "head.bias")


def torchvision(shapes: Shapes) -> dict[str, str]:
    ends = {"hidden.0.": "classifier.0.", "hidden.3.": "classifier.3.", "head.": "classifier.6."}
    return _placed(shapes, _convolutions(shapes) | ends)


def timm(shapes: Shapes) -> dict[str, str]:
    """Its hidden layers are convolutions."""
    ends = {"hidden.0.": "pre_logits.fc1.", "hidden.3.": "pre_logits.fc2.", "head.": "head.fc."}
    return _placed(shapes, _convolutions(shapes) | ends)


def _convolutions(shapes: Shapes) -> dict[str, str]:
    """Convolutions, norms, activations and poolings are numbered through, whether they have tensors or not."""
    places: dict[str, str] = {}
    place, stage = 0, "0"
    for key in shapes:
        if (found := re.fullmatch(r"stages\.(\d)\.\d+\.conv\.weight", key)) is None:
            continue
        place += found[1] != stage  # the pooling
        stage, layer = found[1], key.removesuffix("conv.weight")
        places[layer + "conv."] = f"features.{place}."
        place += 1
        if f"{layer}norm.weight" in shapes:
            places[layer + "norm."] = f"features.{place}."
            place += 1
        place += 1  # the activation
    return places


def _placed(shapes: Shapes, places: Mapping[str, str]) -> dict[str, str]:
    split = {key: key.rpartition(".") for key in shapes}
    return {key: places.get(f"{layer}.", f"{layer}.") + leaf for key, (layer, _, leaf) in split.items()}


MAPS = {"torchvision": torchvision, "timm": timm}
