"""RetinaNet on a ResNet with a pyramid."""

from netwright.weights.input import class_names
from netwright.weights.maps import _torchvision_detection, each

CLASSIFIER = ()
SCORES = {"classes.out.weight": 9, "classes.out.bias": 9}
MAPS = {"torchvision": each(_torchvision_detection.torchvision)}
RENAMED = {"torchvision": _torchvision_detection.OLDER}
epsilon, images = _torchvision_detection.epsilon, _torchvision_detection.images


def classes(number: int) -> tuple[str, ...]:
    return class_names("coco") if number == 91 else ()
