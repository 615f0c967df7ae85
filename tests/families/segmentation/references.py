"""The independent implementations of segmentation: without dropout, scores at the image's size, and where they
deviate from the paper set right, which each says."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.references import hourglass, lightning_bolts, pytorchcv, segmentation_models, torchvision, transformers

enlarge = partial(F.interpolate, mode="bilinear", align_corners=False)


def unet(num_classes: int = 2, in_channels: int = 1, depth: int = 5, dim: int = 64) -> nn.Module:
    """lightning-bolts' U-Net; which of two maps comes first where they are put together is a matter of naming."""
    network = lightning_bolts().UNet(num_classes, in_channels, depth, dim)
    for m in network.modules():
        if isinstance(m, lightning_bolts().Up):
            m.forward = partial(_up, m)
    return network


def _up(up: nn.Module, x: Tensor, skip: Tensor) -> Tensor:
    return up.conv(torch.cat([up.upsample(x), skip], 1))


def unet_on(name: str, num_classes: int = 1) -> nn.Module:
    """segmentation_models_pytorch's U-Net; it wants multiples of 32, though its decoder does not."""
    network = segmentation_models().Unet(name, encoder_weights=None, classes=num_classes)
    network.check_input_shape = lambda x: None
    return network


class DeepLabV3(nn.Module):
    """torchvision's DeepLabV3: the scores, and before them the auxiliary head's where there is one."""

    def __init__(self, depths: Sequence[int] = (3, 4, 6, 3), num_classes: int = 21, auxiliary: bool = False):
        super().__init__()
        module = torchvision().models
        resnet = module.resnet.ResNet(module.resnet.Bottleneck, [*depths], replace_stride_with_dilation=[0, 1, 1])
        network = module.segmentation.deeplabv3._deeplabv3_resnet(resnet, num_classes, auxiliary)
        self.network = without_dropout(network)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([*reversed(self.network(x).values())], 1)


class DeepLabV3Plus(nn.Module):
    """segmentation_models_pytorch's DeepLabV3+ with what differs from the paper set right.

    It spreads the kernel of the layer that had the stride too (and, to no effect but on rounding, 1 × 1 kernels), has
    the rates of output stride 8, and enlarges with align_corners by whole factors, which fit multiples of 16 only.
    """

    def __init__(self, name: str = "resnet50", num_classes: int = 21, dim: int = 256):
        super().__init__()
        options = {"decoder_atrous_rates": (6, 12, 18), "decoder_channels": dim}
        network = segmentation_models().DeepLabV3Plus(name, encoder_weights=None, classes=num_classes, **options)
        self.network = without_dropout(network)
        block = network.encoder.layer4[0]
        strided = block.conv2 if hasattr(block, "conv3") else block.conv1
        strided.dilation = strided.padding = (1, 1)
        for m in network.encoder.layer4.modules():
            if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1):
                m.dilation = (1, 1)
        network.segmentation_head[1] = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        maps = self.network.encoder(x)
        self.network.decoder.up.forward = lambda y: enlarge(y, maps[2].shape[-2:])
        return enlarge(self.network.segmentation_head(self.network.decoder(maps)), x.shape[-2:])


def segnet(num_classes: int = 19, dims: Sequence[int] = (64, 128, 256, 512, 512)) -> nn.Module:
    """pytorchcv's SegNet, for multiples of 32."""
    pytorchcv()
    from pytorchcv.models.segnet import SegNet

    channels = [[*dims], [*dims[-2::-1], dims[0]]]
    return SegNet(channels, [[3, 3, 4, 4, 4], [4, 4, 4, 3, 2]], num_classes=num_classes)


class PanopticFPN(nn.Module):
    """segmentation_models_pytorch's FPN, for multiples of 32, its align_corners set right.

    Its branches are called from the finest to the coarsest, as ours are, so that they can be paired.
    """

    def __init__(self, name: str = "resnet50", num_classes: int = 21, pyramid_dim: int = 256, dim: int = 128):
        super().__init__()
        options = {"decoder_pyramid_channels": pyramid_dim, "decoder_segmentation_channels": dim}
        network = segmentation_models().FPN(name, encoder_weights=None, classes=num_classes, **options)
        self.network = without_dropout(network)
        network.segmentation_head[1] = nn.Upsample(scale_factor=4, mode="bilinear", align_corners=False)
        for m in network.modules():
            if isinstance(m, segmentation_models().decoders.fpn.decoder.Conv3x3GNReLU):
                m.forward = partial(_convolve_and_double, m)

    def forward(self, x: Tensor) -> Tensor:
        decoder = self.network.decoder
        c2, c3, c4, c5 = self.network.encoder(x)[-4:]
        p2, p3, p4, p5 = decoder.p2.skip_conv(c2), decoder.p3.skip_conv(c3), decoder.p4.skip_conv(c4), decoder.p5(c5)
        double = partial(F.interpolate, scale_factor=2.0)
        p4 = p4 + double(p5)
        p3 = p3 + double(p4)
        maps = [p2 + double(p3), p3, p4, p5]
        merged = decoder.merge([block(m) for block, m in zip(reversed(decoder.seg_blocks), maps, strict=True)])
        return self.network.segmentation_head(merged)


def _convolve_and_double(block: Any, x: Tensor) -> Tensor:
    return enlarge(block.block(x), scale_factor=2.0) if block.upsample else block.block(x)


class StackedHourglass(nn.Module):
    """pytorch-stacked-hourglass' heatmaps of all stacks beside each other, a quarter of the image's size.

    For multiples of 64: it rounds down and can't add what it then enlarges.
    """

    def __init__(self, num_stacks: int = 8, num_blocks: int = 1, num_classes: int = 16):
        super().__init__()
        module = hourglass()
        self.network = module.HourglassNet(module.Bottleneck, num_stacks, num_blocks, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self.network(x), 1)


class LastHeatmaps(nn.Module):
    """pytorch-stacked-hourglass' heatmaps of the last stack, at the image's size."""

    def __init__(self, num_stacks: int = 8, num_blocks: int = 1, num_classes: int = 16):
        super().__init__()
        self.stacked = StackedHourglass(num_stacks, num_blocks, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return enlarge(self.stacked.network(x)[-1], x.shape[-2:])


class SegFormer(nn.Module):
    """transformers' SegformerForSemanticSegmentation."""

    def __init__(self, num_classes: int, dim: int, depths: Sequence[int], decoder_dim: int):
        super().__init__()
        config = transformers().SegformerConfig(
            num_labels=num_classes,
            depths=[*depths],
            hidden_sizes=[dim * n for n in (1, 2, 5, 8)],
            decoder_hidden_size=decoder_dim,
            drop_path_rate=0.0,
            classifier_dropout_prob=0.0,
        )
        self.model = transformers().SegformerForSemanticSegmentation(config)

    def forward(self, x: Tensor) -> Tensor:
        return enlarge(self.model(x).logits, x.shape[-2:])


def without_dropout(network: nn.Module) -> nn.Module:
    for m in network.modules():
        if isinstance(m, nn.Dropout | nn.Dropout2d):
            m.p = 0.0
    return network
