"""Detectors and segmenters: the references' checkpoints make ours equal to them, frozen norms and older names too."""

import json
import re
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from netwright.blocks.head2d import FCNHead
from netwright.blocks.levels import ConvLevels
from netwright.blocks.neck import FPN
from netwright.blocks.norm2d import FrozenBatchNorm2d
from netwright.blocks.residual2d import BasicBlock
from netwright.blocks.stem import ImageNetStem
from netwright.design import build
from netwright.errors import InputError
from netwright.families.detection.detr import DETR
from netwright.families.detection.faster_rcnn import FasterRCNN
from netwright.families.detection.mask_rcnn import MaskRCNN
from netwright.families.detection.retinanet import RetinaNet
from netwright.families.segmentation.deeplabv3 import DeepLabV3
from netwright.families.segmentation.segformer import SegFormer
from netwright.families.vision.mit import MixTransformer
from netwright.families.vision.resnet import ResNet
from netwright.weights import Input, class_names, load_into, match
from netwright.weights.recognise import maps_of
from tests.families.detection import reference, test_detr, test_yolox
from tests.families.segmentation import references
from tests.families.vision.contract import images
from tests.parity import randomise
from tests.references import torchvision, transformers
from tests.weights.published import assert_loads, raw

FROZEN = partial(
    ResNet,
    depths=(1, 1, 1, 1),
    block=BasicBlock,
    norm=FrozenBatchNorm2d,
    stem=partial(ImageNetStem, norm=FrozenBatchNorm2d),
)
FPN_16 = partial(FPN, dim=16)
X = images(2, 3, 64, 96)


def frozen(returned: list[int], extra: nn.Module) -> nn.Module:
    """A ResNet with a pyramid whose norms are frozen, as torchvision's published detectors have it."""
    models = torchvision().models
    block, norm = models.resnet.BasicBlock, torchvision().ops.misc.FrozenBatchNorm2d
    network = models.resnet.ResNet(block, [1, 1, 1, 1], norm_layer=norm)
    layers = {f"layer{i}": str(i) for i in returned}
    widths = [64 * 2 ** (i - 1) for i in returned]
    return models.detection.backbone_utils.BackboneWithFPN(network, layers, widths, 16, extra_blocks=extra)


def tv_retinanet() -> nn.Module:
    levels = torchvision().ops.feature_pyramid_network.LastLevelP6P7(16, 16)
    return torchvision().models.detection.RetinaNet(frozen([2, 3, 4], levels), 3)


def tv_faster() -> nn.Module:
    pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
    return torchvision().models.detection.FasterRCNN(frozen([1, 2, 3, 4], pooled), 4)


def tv_mask() -> nn.Module:
    pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
    return torchvision().models.detection.MaskRCNN(frozen([1, 2, 3, 4], pooled), 4)


def two_stages(net: nn.Module, x: Tensor) -> Tensor:
    with reference.eager():
        return torch.cat([part.flatten() for part in reference.their_heads(net, x, 5)])


def our_stages(net: nn.Module, x: Tensor) -> Tensor:
    scores, deltas, _, *heads = net.raw(x)
    return torch.cat([part.flatten() for part in (scores, deltas, *heads)])


def one_stage(net: nn.Module, x: Tensor) -> Tensor:
    out = net.head(list(net.backbone(x).values()))
    return torch.cat([out["cls_logits"].flatten(1), out["bbox_regression"].flatten(1)], 1)


ROIS = {"backbone": FROZEN, "neck": FPN_16, "max_detections": 5}
DETECTORS = {
    "retinanet": (
        lambda: RetinaNet(3, backbone=FROZEN, neck=partial(FPN_16, levels=ConvLevels)),
        tv_retinanet,
        (one_stage, raw),
    ),
    "faster_rcnn": (lambda: FasterRCNN(3, **ROIS), tv_faster, (two_stages, our_stages)),
    "mask_rcnn": (lambda: MaskRCNN(3, **ROIS), tv_mask, (two_stages, our_stages)),
}
OLDER = [
    (r"(inner|layer)_blocks\.(\d)\.0\.", r"\1_blocks.\2."),
    (r"rpn\.head\.conv\.0\.0\.", "rpn.head.conv."),
    (r"mask_head\.(\d)\.0\.", lambda m: f"mask_head.mask_fcn{int(m[1]) + 1}."),
    (r"_head\.conv\.(\d)\.0\.", lambda m: f"_head.conv.{2 * int(m[1])}."),
]


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_of_torchvision(name, tmp_path):
    """Weights with frozen norms are used with ε = 0, which the variances make up for; files have older names."""
    make, build_theirs, calls = DETECTORS[name]
    theirs = freeze(build_theirs())
    torchvision().models.detection._utils.overwrite_eps(theirs, 0.0)
    ours = make()
    loaded = assert_loads(ours, theirs, tmp_path, X, *calls)
    assert loaded.publisher == "torchvision" and not loaded.left_out and loaded.input == Input(size=800, crop=None)
    assert list(loaded.adapted) == ["running_var"] and "ε is 0.0 there, 1e-05 here" in loaded.adapted["running_var"]

    state, again = theirs.state_dict(), make()
    old = {older(key): value for key, value in state.items()}
    assert len(old) == len(state) and old.keys() != state.keys()
    load_into(again, old)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in ours.state_dict().items())
    torchvision_again = build_theirs()
    torchvision_again.load_state_dict(old)  # it reads these names itself


def freeze(net: nn.Module) -> nn.Module:
    """Random weights; statistics of frozen norms are buffers, and so are their scale and shift."""
    generator = torch.Generator().manual_seed(1)
    for key, value in randomise(net).named_buffers():
        if key.endswith(("weight", "running_var")):
            value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        elif key.endswith(("bias", "running_mean")):
            value.copy_(torch.randn(value.shape, generator=generator) * 0.2)
    return net


def older(key: str) -> str:
    for new, old in OLDER:
        key = re.sub(new, old, key)
    return key


def test_norms_that_count_batches_keep_their_epsilon(tmp_path):
    """A torchvision detector that somebody trained without freezing."""
    pooled = torchvision().ops.feature_pyramid_network.LastLevelMaxPool()
    theirs = randomise(torchvision().models.detection.FasterRCNN(reference.backbone([1, 2, 3, 4], pooled), 4))
    backbone = partial(ResNet, depths=(1, 1, 1, 1), block=BasicBlock)
    ours = FasterRCNN(3, backbone=backbone, neck=FPN_16, max_detections=5)
    assert not assert_loads(ours, theirs, tmp_path, X, two_stages, our_stages).adapted


def test_other_classes_leave_the_heads_of_detectors():
    theirs = tv_mask().state_dict()
    ours = MaskRCNN(7, backbone=FROZEN, neck=FPN_16)
    before = ours.box_head.deltas.weight.clone()
    loaded = load_into(ours, theirs)
    layers = ("box_head.score", "box_head.deltas", "mask_head.out")
    names = {f"{layer}.{leaf}" for layer in layers for leaf in ("weight", "bias")}
    assert loaded.left_out == dict.fromkeys(names, "stays as it was: 8 classes instead of 4")
    assert torch.equal(ours.box_head.deltas.weight, before) and not loaded.classes
    with pytest.raises(InputError, match="there are no rpn"):
        load_into(ours, {key: value for key, value in theirs.items() if not key.startswith("rpn")})


def test_names_of_the_classes():
    """COCO by its numbers, VOC with its background, as torchvision lists them."""
    meta = torchvision().models._meta
    coco = [name if name not in ("N/A", "__background__") else "" for name in meta._COCO_CATEGORIES]
    assert list(class_names("coco")) == coco and len([name for name in coco if name]) == 80
    voc = [name.replace(" ", "") for name in class_names("voc")]
    assert voc[1:] == meta._VOC_CATEGORIES[1:] and voc[0] == "background"
    assert len(class_names("cityscapes")) == 19 and len(set(class_names("ade20k"))) == 150
    assert [class_names("ade20k")[i] for i in (0, 12, 149)] == ["wall", "person", "flag"]
    with pytest.raises(InputError, match="known are imagenet1k, coco"):
        class_names("cocoa")


MEANINGS = {
    "faster_rcnn:resnet50_fpn": (90, "person", "toothbrush"),
    "mask_rcnn:resnet50_fpn": (90, "person", "toothbrush"),
    "retinanet:resnet50_fpn": (91, "", "toothbrush"),
    "detr:resnet50": (91, "", "toothbrush"),
    "yolox:nano": (80, "person", "toothbrush"),
    "deeplabv3:resnet50": (21, "background", "tv monitor"),
    "segformer:b0": (150, "wall", "flag"),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_the_labels_mean(name):
    """They begin at COCO's person, or one before it."""
    number, first, last = MEANINGS[name]
    with torch.device("meta"):
        model = build(name)
    shapes = {key: tuple(x.shape) for key, x in model.state_dict().items() if "num_batches" not in key}
    publisher, mapping = next(iter(maps_of(model).MAPS.items()))
    theirs = mapping(shapes)
    loaded = match(model, {theirs[key]: torch.empty(shape, device="meta") for key, shape in shapes.items()})
    assert loaded.publisher == publisher
    assert (len(loaded.classes), loaded.classes[0], loaded.classes[-1]) == (number, first, last)


TINY_DETR = partial(DETR, num_classes=5, dim=32, depth=2, num_heads=4, num_queries=9, channel=test_detr.PLAIN)


def test_detr_with_transformers_resnet(tmp_path):
    theirs = freeze(test_detr.reference())
    ours = TINY_DETR(backbone=test_detr.FROZEN)
    loaded = assert_loads(ours, theirs, tmp_path, X, boxes_and_logits, our_boxes_and_logits)
    assert loaded.publisher == "transformers" and not loaded.adapted and not loaded.left_out

    config = {"image_mean": [0.4] * 3, "image_std": [0.2] * 3, "size": {"shortest_edge": 600, "longest_edge": 900}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    assert match(ours, tmp_path).input == Input((0.4,) * 3, (0.2,) * 3, 600, None)  # boxes need the whole image

    again = TINY_DETR(backbone=test_detr.FROZEN)
    loaded = load_into(again, by_its_authors(theirs.state_dict()))
    assert loaded.publisher == "facebookresearch" and loaded.input.size == 800
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in ours.state_dict().items())


def test_detr_with_timms_resnet(tmp_path):
    sizes = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "num_queries": 9}
    sizes |= {"decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "num_labels": 5}
    timms = {"use_timm_backbone": True, "backbone": "resnet18", "use_pretrained_backbone": False}
    config = transformers().DetrConfig(**timms, **sizes)
    theirs = freeze(transformers().DetrForObjectDetection(config))
    ours = TINY_DETR(backbone=partial(FROZEN, depths=(2, 2, 2, 2)))
    loaded = assert_loads(ours, theirs, tmp_path, X, boxes_and_logits, our_boxes_and_logits)
    assert loaded.publisher == "transformers with timm" and not loaded.left_out


def boxes_and_logits(net: nn.Module, x: Tensor) -> Tensor:
    out = net(x)
    return torch.cat([out.logits, out.pred_boxes], -1)


def our_boxes_and_logits(net: nn.Module, x: Tensor) -> Tensor:
    return torch.cat(net.raw(x), -1)


def by_its_authors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """transformers' tensors by the names that the authors' checkpoints have, after its script for reading those."""
    names = [
        (r"^model\.backbone\.model\.embedder\.embedder\.convolution", "backbone.0.body.conv1"),
        (r"^model\.backbone\.model\.embedder\.embedder\.normalization", "backbone.0.body.bn1"),
        (r"^model\.backbone\.model\.encoder\.stages\.(\d)\.layers", lambda m: f"backbone.0.body.layer{int(m[1]) + 1}"),
        (r"\.layer\.(\d)\.convolution", lambda m: f".conv{int(m[1]) + 1}"),
        (r"\.layer\.(\d)\.normalization", lambda m: f".bn{int(m[1]) + 1}"),
        (r"\.shortcut\.convolution", ".downsample.0"),
        (r"\.shortcut\.normalization", ".downsample.1"),
        (r"^model\.(en|de)coder\.layers", r"transformer.\1coder.layers"),
        (r"(encoder\.layers.*)\.final_layer_norm", r"\1.norm2"),
        (r"(decoder\.layers.*)\.final_layer_norm", r"\1.norm3"),
        (r"\.self_attn_layer_norm", ".norm1"),
        (r"\.encoder_attn_layer_norm", ".norm2"),
        (r"\.encoder_attn\.", ".multihead_attn."),
        (r"\.o_proj\.", ".out_proj."),
        (r"\.mlp\.fc([12])\.", r".linear\1."),
        (r"^model\.decoder\.layernorm", "transformer.decoder.norm"),
        (r"^model\.query_position_embeddings", "query_embed"),
        (r"^model\.input_projection", "input_proj"),
        (r"^class_labels_classifier", "class_embed"),
        (r"^bbox_predictor", "bbox_embed"),
    ]
    out = {}
    for key, value in state.items():
        for theirs, authors in names:
            key = re.sub(theirs, authors, key)
        out[key] = value
    for key in [key for key in out if ".q_proj." in key]:
        parts = [out.pop(key.replace(".q_proj.", f".{letter}_proj.")) for letter in "qkv"]
        out[key.replace(".q_proj.", ".in_proj_")] = torch.cat(parts)
    return out


@pytest.mark.parametrize("name", ["nano", "s"])
def test_yolox_of_megvii(name, tmp_path):
    """As its training writes it."""
    theirs = randomise(test_yolox.Theirs(name[0], 80))
    ours = test_yolox.Ours(build(f"yolox:{name}"))
    torch.save({"start_epoch": 300, "model": theirs.model.state_dict()}, tmp_path / "yolox.pth")
    loaded = load_into(ours.model, tmp_path / "yolox.pth")
    assert loaded.publisher == "megvii" and not loaded.left_out and not loaded.adapted
    assert loaded.input.size == (416 if name == "nano" else 640) and loaded.input.order == "bgr"
    with torch.no_grad():
        expected, found = theirs.eval()(X[:1]), ours.eval()(X[:1])
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5


def test_segformer(tmp_path):
    sizes = {"depths": [1, 1, 2, 1], "hidden_sizes": [8, 16, 40, 64], "decoder_hidden_size": 16, "num_labels": 19}
    theirs = randomise(transformers().SegformerForSemanticSegmentation(transformers().SegformerConfig(**sizes)))
    ours = SegFormer(19, backbone=partial(MixTransformer, dim=8, depths=(1, 1, 2, 1)), dim=16)
    loaded = assert_loads(ours, theirs, tmp_path, images(2, 3, 75, 50), enlarged)
    assert loaded.publisher == "transformers" and not loaded.left_out and loaded.classes[-1] == "bicycle"
    encoder = MixTransformer(7, dim=8, depths=(1, 1, 2, 1))
    assert "head.weight" in load_into(encoder, tmp_path).left_out
    assert torch.equal(encoder.stages[0][1].norm1.weight, ours.backbone.stages[0][1].norm1.weight)


def enlarged(net: nn.Module, x: Tensor) -> Tensor:
    return references.enlarge(net(x).logits, size=x.shape[-2:])


def test_deeplabv3(tmp_path):
    """Published with an auxiliary head, which a network without one leaves out."""
    theirs = randomise(references.DeepLabV3((1, 1, 1, 1), 21, auxiliary=True).network)
    make = partial(DeepLabV3, 21, backbone=partial(ResNet, depths=(1, 1, 1, 1)))
    ours = make(auxiliary=FCNHead)
    loaded = assert_loads(ours, theirs, tmp_path, images(2, 3, 33, 47), lambda net, x: net(x)["out"])
    assert loaded.publisher == "torchvision" and loaded.classes[15] == "person" and not loaded.left_out
    with torch.no_grad():
        x = images(1, 3, 33, 47)
        torch.testing.assert_close(ours.outputs(x)[0], theirs(x)["aux"], rtol=1e-4, atol=1e-5)
    plain = make()
    loaded = load_into(plain, theirs.state_dict())
    assert loaded.left_out and all(key.startswith("aux_classifier") for key in loaded.left_out)
    assert torch.equal(plain.head.weight, ours.head.weight)
