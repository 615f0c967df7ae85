"""Mask R-CNN on a ResNet with a pyramid."""

from netwright.weights.maps import _torchvision_detection, each, faster_rcnn

CLASSIFIER = ()
SCORES = faster_rcnn.SCORES | {"mask_head.out.weight": 1, "mask_head.out.bias": 1}
MAPS = {"torchvision": each(_torchvision_detection.torchvision)}
RENAMED = {"torchvision": _torchvision_detection.OLDER}
epsilon, images, classes = faster_rcnn.epsilon, faster_rcnn.images, faster_rcnn.classes
