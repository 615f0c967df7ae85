"""What the maps of torchvision's detectors share: a ResNet, a pyramid, and the images they were trained on."""

import re
from collections.abc import Collection

from netwright.weights.input import Input
from netwright.weights.maps import Shapes, resnet

PLACES = [
    (r"^pyramid\.neck\.lateral\.(\d)\.conv\.", r"backbone.fpn.inner_blocks.\1.0."),
    (r"^pyramid\.neck\.smooth\.(\d)\.conv\.", r"backbone.fpn.layer_blocks.\1.0."),
    (r"^pyramid\.neck\.levels\.conv(\d)\.", r"backbone.fpn.extra_blocks.p\1."),
    (r"^classes\.tower\.(\d)\.conv\.", r"head.classification_head.conv.\1.0."),
    (r"^classes\.out\.", "head.classification_head.cls_logits."),
    (r"^boxes\.tower\.(\d)\.conv\.", r"head.regression_head.conv.\1.0."),
    (r"^boxes\.out\.", "head.regression_head.bbox_reg."),
    (r"^rpn\.conv\.conv\.", "rpn.head.conv.0.0."),
    (r"^rpn\.score\.", "rpn.head.cls_logits."),
    (r"^rpn\.deltas\.", "rpn.head.bbox_pred."),
    (r"^box_head\.fc1\.", "roi_heads.box_head.fc6."),
    (r"^box_head\.fc2\.", "roi_heads.box_head.fc7."),
    (r"^box_head\.score\.", "roi_heads.box_predictor.cls_score."),
    (r"^box_head\.deltas\.", "roi_heads.box_predictor.bbox_pred."),
    (r"^mask_head\.tower\.(\d)\.conv\.", r"roi_heads.mask_head.\1.0."),
    (r"^mask_head\.up\.", "roi_heads.mask_predictor.conv5_mask."),
    (r"^mask_head\.out\.", "roi_heads.mask_predictor.mask_fcn_logits."),
]

# The published files have the names of torchvision before 0.14.
OLDER = [
    (r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$", r"\1.0.\2"),
    (r"^rpn\.head\.conv\.(weight|bias)$", r"rpn.head.conv.0.0.\1"),
    (r"^roi_heads\.mask_head\.mask_fcn1\.", "roi_heads.mask_head.0.0."),
    (r"^roi_heads\.mask_head\.mask_fcn2\.", "roi_heads.mask_head.1.0."),
    (r"^roi_heads\.mask_head\.mask_fcn3\.", "roi_heads.mask_head.2.0."),
    (r"^roi_heads\.mask_head\.mask_fcn4\.", "roi_heads.mask_head.3.0."),
    (r"^(head\.\w+_head\.conv)\.0\.(weight|bias)$", r"\1.0.0.\2"),
    (r"^(head\.\w+_head\.conv)\.2\.(weight|bias)$", r"\1.1.0.\2"),
    (r"^(head\.\w+_head\.conv)\.4\.(weight|bias)$", r"\1.2.0.\2"),
    (r"^(head\.\w+_head\.conv)\.6\.(weight|bias)$", r"\1.3.0.\2"),
]


def torchvision(key: str) -> str:
    if key.startswith("pyramid.backbone."):
        return "backbone.body." + resnet.torchvision(key.removeprefix("pyramid.backbone."))
    for pattern, replacement in PLACES:
        key = re.sub(pattern, replacement, key)
    return key


def epsilon(publisher: str, names: Collection[str]) -> float | None:
    """Weights with frozen norms, which count no batches, are those for COCO: torchvision runs them with ε = 0."""
    return None if any(name.endswith("num_batches_tracked") for name in names) else 0.0


def images(publisher: str, shapes: Shapes) -> Input:
    return Input(size=800, crop=None)
