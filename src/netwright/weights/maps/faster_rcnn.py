"""Faster R-CNN on a ResNet with a pyramid."""

from netwright.weights.input import class_names
from netwright.weights.maps import _torchvision_detection, each

CLASSIFIER = ()
SCORES = {"box_head.score.weight": 1, "box_head.score.bias": 1, "box_head.deltas.weight": 4, "box_head.deltas.bias": 4}
MAPS = {"torchvision": each(_torchvision_detection.torchvision)}
RENAMED = {"torchvision": _torchvision_detection.OLDER}
epsilon, images = _torchvision_detection.epsilon, _torchvision_detection.images


def classes(number: int) -> tuple[str, ...]:
    """With the background, which is no label here."""
    return class_names("coco")[1:] if number == 91 else ()
