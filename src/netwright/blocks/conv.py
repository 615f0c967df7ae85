"""Convolutions as they come in networks: with norm and activation, in patches, as inverted bottlenecks."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import BatchNorm2d, Identity, ReLU

from netwright.blocks.activation import in_place
from netwright.blocks.drop_path import DropPath
from netwright.blocks.slots import Activation, Conv2d, Gate2d, Norm2d

__all__ = ["ConvNormAct", "InvertedBottleneck", "PatchConv", "fan_in_init", "kaiming_init", "round_channels"]


class ConvNormAct(nn.Module):
    """Convolution, norm, activation: σ(norm(W ∗ x)), padded so that stride 1 keeps the size.

    `groups` = the channels makes it depthwise, `dilation` sets the weights that many pixels apart
    (arXiv:1511.07122). If not said otherwise, the convolution has a bias where there is no norm (`Identity`) to
    bring one.

    Shapes: (B, C, H, W) → (B, C', ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Ioffe & Szegedy 2015, Batch normalization, arXiv:1502.03167.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        groups: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        dilation: int = 1,
        conv: Conv2d = nn.Conv2d,
        bias: bool | None = None,
    ):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}: an even one can't keep the size")
        normalise, padding = norm(out_channels), kernel_size // 2 * dilation
        bias = isinstance(normalise, Identity) if bias is None else bias
        self.conv = conv(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.norm = normalise
        self.act = in_place(activation())

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class PatchConv(nn.Module):
    """One linear map for each patch of k × k pixels that do not overlap: a convolution with stride k.

    Pixels beyond the last whole patch are left out; an image smaller than one patch is filled up with zeros.

    Shapes: (B, C, H, W) → (B, C', max(1, ⌊H / k⌋), max(1, ⌊W / k⌋)).
    Source: Dosovitskiy et al. 2020, arXiv:2010.11929; between stages Liu et al. 2022, arXiv:2201.03545.
    """

    def __init__(self, in_channels: int, out_channels: int, patch_size: int = 2):
        super().__init__()
        self.patch_size = patch_size
        self.conv = nn.Conv2d(in_channels, out_channels, patch_size, patch_size)

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if height < self.patch_size or width < self.patch_size:
            x = F.pad(x, (0, max(0, self.patch_size - width), 0, max(0, self.patch_size - height)))
        return self.conv(x)


class InvertedBottleneck(nn.Module):
    """Widen to `hidden` channels, mix space depthwise there, weigh the channels, narrow linearly.

    y = W₂ gate(dw(W₁ x)), plus x where the shape is kept. Where `hidden` is the width of x, W₁ is left out.
    `conv` makes the depthwise convolution; the others are of single pixels.

    Shapes: (B, C, H, W) → (B, C', ⌈H / stride⌉, ⌈W / stride⌉).
    Source: Sandler et al. 2018, MobileNetV2, arXiv:1801.04381; gate: Howard et al. 2019, arXiv:1905.02244.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        kernel_size: int = 3,
        stride: int = 1,
        norm: Norm2d = BatchNorm2d,
        activation: Activation = ReLU,
        gate: Gate2d = Identity,
        drop_path: float = 0.0,
        conv: Conv2d = nn.Conv2d,
    ):
        super().__init__()
        self.residual = stride == 1 and in_channels == out_channels
        pointwise = ConvNormAct(in_channels, hidden, 1, norm=norm, activation=activation)
        self.expand = pointwise if hidden != in_channels else Identity()
        self.depthwise = ConvNormAct(hidden, hidden, kernel_size, stride, hidden, norm, activation, conv=conv)
        self.gate = gate(hidden)
        self.project = ConvNormAct(hidden, out_channels, 1, norm=norm, activation=Identity)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + self.drop_path(y) if self.residual else y


def round_channels(channels: float, multiple: int = 8) -> int:
    """The nearest multiple, at least one, and never more than a tenth below: MobileNet's rule."""
    rounded = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return rounded + multiple if rounded < 0.9 * channels else rounded


def kaiming_init(module: nn.Module) -> None:
    """For `network.apply`: convolutions keep the gradient's variance behind a ReLU, N(0, 2 / fan out).

    The fan out of a grouped convolution is that of one group.
    Source: He et al. 2015, Delving deep into rectifiers, arXiv:1502.01852.
    """
    if isinstance(module, nn.Conv2d):
        fan_out = module.out_channels // module.groups * module.kernel_size[0] * module.kernel_size[1]
        nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def fan_in_init(module: nn.Module) -> None:
    """For `network.apply`: convolutions keep the signal's variance behind a ReLU, N(0, 2 / fan in).

    Source: He et al. 2015, Delving deep into rectifiers, arXiv:1502.01852.
    """
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
