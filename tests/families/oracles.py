"""The independent implementation of each architecture: what the sweep, the docs' table and the benchmark compare with.

An oracle makes the reference at its published size, without dropout. Its weights move by the order in which modules
are called, or by a key map where the orders differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

from netwright.weights.maps import Map, _torchvision_detection, convnext, mlp_mixer, resnet, vit, yolox
from netwright.weights.maps import swin as swin_map
from tests.families.detection import test_detr, test_retinanet, test_yolox
from tests.families.detection.reference import Heads, eager, their_heads, within
from tests.families.pretraining import test_mae
from tests.families.segmentation import references as segmentation
from tests.families.segmentation import test_segformer
from tests.families.vision import (
    test_cct,
    test_cspdarknet,
    test_deit,
    test_lenet,
    test_lenet1998,
    test_mit,
    test_preresnet,
)
from tests.parity import Keys, tensors
from tests.references import pytorchcv, timm, torchvision, transformers

Mapping = Callable[[nn.Module, nn.Module], dict[str, Keys]]


@dataclass(frozen=True)
class Oracle:
    """`name` says which package and model; `make` is called when the comparison begins."""

    name: str
    make: Callable[[], nn.Module]
    mapping: Mapping | None = None
    """Ours and theirs → {our key: their key}."""
    args: dict[str, Any] = field(default_factory=dict)
    """What makes ours comparable: no dropout, an image size."""
    size: tuple[int, int] = (64, 75)
    """Height and width of the images to compare on."""
    channels: int = 3
    native: tuple[int, int] = (224, 224)
    """The size that the benchmark takes."""
    wrap: Callable[[nn.Module], nn.Module] | None = None
    """Ours as a module that gives what theirs gives, where that is not its forward."""
    exact: bool = False
    """Gradients in double precision only: rounding turns a ReLU, or they cancel, in fp32."""
    fixed: bool = False
    """The image size is an argument: another size is another network."""


def by_key(rename: Callable[[str], Keys]) -> Mapping:
    return lambda ours, theirs: {key: rename(key) for key in tensors(ours)}


def by_shape(published: Map) -> Mapping:
    return lambda ours, theirs: published({key: tuple(x.shape) for key, x in tensors(ours).items()})


def within_model(published: Map) -> Mapping:
    """For networks that are the attribute `model` of another module."""

    def mapping(ours: nn.Module, theirs: nn.Module) -> dict[str, Keys]:
        names = published({key.removeprefix("model."): tuple(x.shape) for key, x in tensors(ours).items()})
        return {f"model.{a}": f"model.{b}" for a, b in names.items()}

    return mapping


def of_torchvision(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"torchvision {model}", "make": lambda: getattr(torchvision().models, model)(**args)}


def of_timm(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"timm {model}", "make": lambda: timm().create_model(model, **args)}


def of_pytorchcv(model: str, **args: Any) -> dict[str, Any]:
    return {"name": f"pytorchcv {model}", "make": lambda: adaptive(pytorchcv().get_model(model, **args))}


def adaptive(network: nn.Module) -> nn.Module:
    """pytorchcv's networks pool 7 × 7 or 8 × 8 pixels at the end, not whatever there is."""
    network.features.final_pool = nn.AdaptiveAvgPool2d(1)
    return network


def swin(size: str, depth: int) -> dict[str, Any]:
    def make() -> nn.Module:
        heads, window = [3, 6, 12, 24], [7, 7]
        model = torchvision().models.swin_transformer.SwinTransformer
        return model([4, 4], 96, [2, 2, depth, 2], heads, window, stochastic_depth_prob=0.0)

    return {"name": f"torchvision swin_{size}", "make": make, "mapping": by_key(swin_map.torchvision)}


def cct(name: str, depth: int, kernel_size: int, num_convs: int) -> dict[str, Any]:
    def make() -> nn.Module:
        sizes = {"img_size": 32, "num_classes": 10, "kernel_size": kernel_size, "n_conv_layers": num_convs}
        return test_cct.reference(f"cct_{depth}", **sizes)

    args = {"drop_path": 0.0, "mixer": {"attention": {"qkv_bias": False}}}
    return {"name": f"vit-pytorch cct_{name}", "make": make, "mapping": by_key(test_cct.key), "args": args}


def nasnet() -> nn.Module:
    found = adaptive(pytorchcv().get_model("nasnet_4a1056"))
    found.output.dropout = nn.Identity()
    return found


def detr() -> nn.Module:
    hf = transformers()
    resnet50 = hf.ResNetConfig(out_features=["stage4"])
    config = hf.DetrConfig(use_timm_backbone=False, backbone_config=resnet50, num_labels=91, dropout=0.0)
    found = test_detr.Theirs.__new__(test_detr.Theirs)
    nn.Module.__init__(found)
    found.model = hf.DetrForObjectDetection(config).requires_grad_(True)
    return found


def retinanet() -> nn.Module:
    return torchvision().models.detection.retinanet_resnet50_fpn(weights=None, weights_backbone=None)


def two_stages(model: str) -> dict[str, Any]:
    """Both stages of an R-CNN of torchvision, the second for the boxes that the first finds best."""
    number = 8

    def make() -> nn.Module:
        return Heads(getattr(torchvision().models.detection, model)(weights=None, weights_backbone=None), theirs)

    def theirs(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
        with eager():
            return their_heads(net, x, number)

    def ours(net: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
        scores, deltas, _, *heads = net.raw(x)
        return scores, deltas, *heads

    return {
        "name": f"torchvision {model}, batch norm learned",
        "make": make,
        "mapping": of_torchvision_detector,
        "wrap": lambda net: Heads(net, ours),
        "args": {"backbone": "resnet50", "max_detections": number},
        "size": (64, 96),
        "native": (128, 128),
        "exact": True,
    }


def of_torchvision_detector(ours: nn.Module, theirs: nn.Module) -> dict[str, Keys]:
    return within(
        {k: _torchvision_detection.torchvision(k) for k in (key.removeprefix("net.") for key in tensors(ours))}
    )


def mae() -> nn.Module:
    """The loss of each image; the fixed positions are freed, so that their gradients are compared too."""
    sizes = {"image_size": 64, "patch_size": 16, "hidden_size": 768, "num_hidden_layers": 12, "intermediate_size": 3072}
    sizes |= {"num_attention_heads": 12, "decoder_hidden_size": 512, "decoder_num_hidden_layers": 8}
    sizes |= {"decoder_num_attention_heads": 16, "decoder_intermediate_size": 2048, "norm_pix_loss": True}
    return test_mae.Reference(False, **sizes).requires_grad_()


SMALL = {"size": (32, 32), "native": (32, 32)}
CIFAR = by_shape(resnet.pytorchcv)
DRY = {"dropout": 0.0}
VIT = by_key(lambda key: vit.timm(key))
TOKENS = {"size": (64, 64), "args": {"image_size": 64}}

# Compared as a part of another family.
ELSEWHERE = {
    "unet_encoder": "half of unet:original, which has a row",
}

ORACLES: dict[str, Oracle] = {
    "alexnet:one_tower": Oracle(**of_torchvision("alexnet", dropout=0.0), args=DRY, size=(96, 107)),
    "cct2_3x2": Oracle(**cct("2_3x2", 2, 3, 2), **SMALL, exact=True),
    "cct7_3x1": Oracle(**cct("7_3x1", 7, 3, 1), **SMALL, exact=True),
    **{
        f"convnext:{name}": Oracle(
            **of_torchvision(f"convnext_{name}", stochastic_depth_prob=0.0),
            mapping=by_shape(convnext.MAPS["torchvision"]),
        )
        for name in ("tiny", "small")
    },
    **{
        f"convnext:{name}": Oracle(**of_timm(f"convnext{theirs}"), mapping=by_shape(convnext.MAPS["timm"]))
        for name, theirs in (("atto", "_atto"), ("v2_atto", "v2_atto"), ("v2_tiny", "v2_tiny"))
    },
    "cspdarknet:nano": Oracle(
        "libreyolo CSPDarknet 0.33 × 0.25",
        lambda: test_cspdarknet.Classifier(0.33, 0.25, True),
        mapping=lambda ours, theirs: test_cspdarknet.key_map(ours),
        args={"num_classes": 7},
        size=(64, 96),
    ),
    "darts:imagenet": Oracle(**of_pytorchcv("darts"), size=(64, 96), exact=True),
    "deit:tiny": Oracle(
        "timm deit_tiny_distilled_patch16_224",
        lambda: test_deit.Reference(timm().create_model("deit_tiny_distilled_patch16_224", img_size=64)),
        mapping=by_key(test_deit.timm_key),
        **TOKENS,
    ),
    "deit:small": Oracle(
        "timm deit_small_distilled_patch16_224",
        lambda: test_deit.Reference(timm().create_model("deit_small_distilled_patch16_224", img_size=64)),
        mapping=by_key(test_deit.timm_key),
        **TOKENS,
    ),
    "densenet121": Oracle(**of_torchvision("densenet121"), exact=True),
    "densenet100_k12_bc": Oracle(**of_pytorchcv("densenet100_k12_bc_cifar10"), **SMALL, exact=True),
    **{
        f"efficientnet:{name}": Oracle(
            **of_torchvision(f"efficientnet_{name}", dropout=0.0, stochastic_depth_prob=0.0),
            args=DRY | {"drop_path": 0.0},
        )
        for name in ("b0", "b1", "b2", "b3", "b4")
    },
    **{
        f"efficientnet:{name}": Oracle(
            **of_timm(f"tf_efficientnet_{name}", drop_rate=0.0, bn_momentum=0.01), args=DRY | {"drop_path": 0.0}
        )
        for name in ("lite0", "lite1", "lite2")
    },
    "lenet1998:original": Oracle(
        "a naive form of the paper's section II-B",
        test_lenet1998.ByHand,
        mapping=by_key(lambda key: f"net.{key}"),
        wrap=test_lenet1998.same_codes,
        channels=1,
        **SMALL,
    ),
    "lenet5": Oracle("layers of torch in a row", test_lenet.plain, **SMALL, channels=1),
    **{
        f"mit:{name}": Oracle(
            f"transformers SegformerForImageClassification {name}",
            partial(test_mit.Reference, 1000, dim, depths),
            mapping=by_key(test_mit.their_key),
            exact=True,
        )
        for name, dim, depths in (("b0", 32, [2, 2, 2, 2]), ("b1", 64, [2, 2, 2, 2]))
    },
    "nasnet:mobile": Oracle("pytorchcv nasnet_4a1056", nasnet, args=DRY, size=(64, 96), exact=True),
    "mlp_mixer:s32": Oracle(**of_timm("mixer_s32_224"), mapping=by_key(mlp_mixer.timm), size=(224, 224), fixed=True),
    "mlp_mixer:s16": Oracle(**of_timm("mixer_s16_224"), mapping=by_key(mlp_mixer.timm), size=(224, 224), fixed=True),
    "mobilenetv2:x1_0": Oracle(**of_torchvision("mobilenet_v2", dropout=0.0), args=DRY),
    "mobilenetv2:x1_4": Oracle(**of_timm("mobilenetv2_140"), args=DRY),
    "mobilenetv3:large": Oracle(**of_torchvision("mobilenet_v3_large", dropout=0.0), args=DRY),
    "mobilenetv3:small": Oracle(**of_torchvision("mobilenet_v3_small", dropout=0.0), args=DRY),
    "preresnet50": Oracle(**of_timm("resnetv2_50")),
    **{
        f"preresnet{n}": Oracle(
            **of_pytorchcv(f"preresnet{name}_cifar10"), mapping=by_key(test_preresnet.pytorchcv_key), **SMALL
        )
        for n, name in ((110, "110"), (164, "164bn"))
    },
    **{f"resnet{n}": Oracle(**of_torchvision(f"resnet{n}")) for n in (18, 34, 50, 101)},
    "resnet:resnext50_32x4d": Oracle(**of_torchvision("resnext50_32x4d")),
    "resnet:wide50_2": Oracle(**of_torchvision("wide_resnet50_2")),
    **{f"resnet{n}": Oracle(**of_pytorchcv(f"resnet{n}_cifar10"), mapping=CIFAR, **SMALL) for n in (20, 56)},
    "resnet50_v1": Oracle(**of_pytorchcv("resnet50"), mapping=CIFAR),
    "resnet:se50": Oracle(**of_pytorchcv("seresnet50b"), mapping=CIFAR),
    "swin:tiny": Oracle(**swin("t", 6)),
    "swin:small": Oracle(**swin("s", 18)),
    "vgg11": Oracle(**of_torchvision("vgg11", dropout=0.0), args=DRY),
    "vgg16_bn": Oracle(**of_torchvision("vgg16_bn", dropout=0.0), args=DRY),
    **{
        f"vit:{name}": Oracle(**of_timm(f"vit_{name}_patch16_224", img_size=64), mapping=VIT, **TOKENS)
        for name in ("tiny", "small", "base")
    },
    "deeplabv3:resnet50": Oracle(
        "torchvision deeplabv3_resnet50", segmentation.DeepLabV3, args={"auxiliary": None, **DRY}, native=(129, 129)
    ),
    "deeplabv3plus:resnet50": Oracle(
        "segmentation_models_pytorch DeepLabV3Plus, its deviations set right",
        segmentation.DeepLabV3Plus,
        args=DRY,
        native=(128, 128),
    ),
    "fpn:resnet50": Oracle(
        "segmentation_models_pytorch FPN, align_corners set right",
        segmentation.PanopticFPN,
        args=DRY,
        size=(64, 96),
        native=(128, 128),
    ),
    "hourglass:hg2": Oracle(
        "pytorch-stacked-hourglass 2 stacks",
        lambda: segmentation.LastHeatmaps(2),
        size=(64, 128),
        native=(128, 128),
    ),
    "segformer:b0": Oracle(
        "transformers SegformerForSemanticSegmentation b0",
        lambda: segmentation.SegFormer(150, 32, (2, 2, 2, 2), 256),
        mapping=by_key(test_segformer.their_key),
        args=DRY,
        native=(128, 128),
        exact=True,
    ),
    "segnet:paper": Oracle("pytorchcv segnet_cityscapes", segmentation.segnet, size=(64, 96), native=(128, 128)),
    "unet:original": Oracle("lightning-bolts UNet", segmentation.unet, channels=1, size=(64, 96), native=(128, 128)),
    "unet:resnet34": Oracle(
        "segmentation_models_pytorch Unet resnet34",
        lambda: segmentation.unet_on("resnet34"),
        size=(64, 96),
        native=(128, 128),
    ),
    "detr:resnet50": Oracle(
        "transformers DetrForObjectDetection",
        detr,
        mapping=by_key(test_detr.key_of),
        wrap=test_detr.Ours,
        args=DRY | {"channel": {"feedforward": {"mlp_ratio": 8.0, "activation": "relu"}}},
        size=(64, 96),
        native=(128, 128),
        exact=True,
    ),
    "retinanet:resnet50_fpn": Oracle(
        "torchvision retinanet_resnet50_fpn, batch norm learned",
        lambda: Heads(retinanet(), test_retinanet.their_heads),
        mapping=of_torchvision_detector,
        wrap=lambda net: Heads(net, lambda net, x: net.raw(x)),
        args={"backbone": "resnet50"},
        native=(128, 128),
    ),
    "faster_rcnn:resnet50_fpn": Oracle(**two_stages("fasterrcnn_resnet50_fpn")),
    "mask_rcnn:resnet50_fpn": Oracle(**two_stages("maskrcnn_resnet50_fpn")),
    "mae:base": Oracle(
        "transformers ViTMAEForPreTraining",
        mae,
        mapping=by_key(test_mae.their_key),
        wrap=lambda net: test_mae.Ours(net, False).requires_grad_(),
        **TOKENS,
    ),
    "yolox:nano": Oracle(
        "libreyolo YOLOX nano",
        lambda: test_yolox.Theirs("n", 80),
        mapping=within_model(yolox.megvii),
        wrap=test_yolox.Ours,
        size=(64, 96),
        native=(128, 128),
    ),
}
