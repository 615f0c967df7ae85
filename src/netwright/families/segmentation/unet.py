"""U-Net: an encoder, and a decoder that takes in the encoder's map of each scale on its way to the input's size."""

from torch import Tensor, nn
from torch.nn import BatchNorm2d, ReLU

from netwright.blocks.conv import fan_in_init
from netwright.blocks.headless import headless
from netwright.blocks.pyramid import pyramid
from netwright.blocks.slots import Activation, Backbone, Norm2d, Upsample2d
from netwright.blocks.unet_decoder import UNetDecoder
from netwright.blocks.upsample2d import TransposedConv
from netwright.families.vision.unet_encoder import UNetEncoder

__all__ = ["PRESETS", "UNet"]


class UNet(nn.Module):
    """U-Net on any backbone; the default is the original with padded convolutions and batch normalisation.

    The decoder's last block has `dim` channels, each one before it twice as many. A backbone whose finest map is
    smaller than the image gets one block more, without a skip. The maps of a plain transformer, all of one stride,
    are made into four scales first (arXiv:2203.16527).

    Shapes: (B, C, H, W) → (B, num_classes, H, W), any H and W.
    Source: Ronneberger et al. 2015, U-Net, arXiv:1505.04597.
    """

    def __init__(
        self,
        num_classes: int = 21,
        in_channels: int = 3,
        backbone: Backbone = UNetEncoder,
        dim: int = 64,
        upsample: Upsample2d = TransposedConv,
        kernel_size: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
    ):
        super().__init__()
        self.backbone = headless(backbone, in_channels)
        self.pyramid = pyramid(self.backbone.channels, self.backbone.strides)
        self.decoder = UNetDecoder(self.pyramid.channels, self.pyramid.strides, dim, upsample, norm, activation)
        self.head = nn.Conv2d(self.decoder.out_channels, num_classes, kernel_size, padding=kernel_size // 2)
        self.decoder.apply(fan_in_init)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → (B, num_classes, H, W)."""
        maps = self.pyramid(self.backbone.features(x))
        return self.head(self.decoder(maps, x.shape[-2:]))


_ON_RESNET = {"dim": 16, "upsample": "nearestupsample", "kernel_size": 3}
_SMP = "segmentation_models_pytorch 0.6.0, Unet"

PRESETS: dict[str, dict] = {
    "original": {
        "args": {},
        "params": 31036546,
        "source": "Ronneberger et al. 2015, arXiv:1505.04597; padded, with batch normalisation: lightning-bolts 0.7.0",
        "inputs": {"in_channels": 1, "num_classes": 2},
    },
    "resnet34": {
        "args": _ON_RESNET | {"backbone": "resnet34"},
        "params": 24436369,
        "source": _SMP,
        "inputs": {"in_channels": 3, "num_classes": 1},
    },
    "resnet50": {
        "args": _ON_RESNET | {"backbone": "resnet50"},
        "params": 32521105,
        "source": _SMP,
        "inputs": {"in_channels": 3, "num_classes": 1},
    },
}
