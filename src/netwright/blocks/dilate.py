"""À trous: a backbone that keeps its maps large, with its weights as they are."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["dilate"]


def dilate(network: Any, in_channels: int, output_stride: int) -> Any:
    """Take the strides beyond the output stride from a backbone, and spread the kernels behind them instead.

    Every convolution and pooling whose input has the output stride already loses its stride; what follows sees,
    by dilation, the pixels that it saw before. So every `stride / output_stride`-th pixel of the new map is a pixel
    of the old one, and the parameters keep their names and values. The layer that had the stride keeps the
    dilation of the layers before it. `network` is changed, and returned; its `strides` say what it gives now.

    A network whose maps go beyond the output stride by other means (patches merged by slicing) can't be dilated.

    Source: Chen et al. 2017, Rethinking atrous convolution, arXiv:1706.05587; as torchvision does it.
    """
    if max(network.strides) <= output_stride:
        return network
    if output_stride not in network.strides:
        known = ", ".join(map(str, sorted(set(network.strides))))
        raise ValueError(f"output_stride={output_stride} is the stride of none of the maps; they have {known}")
    for name, stride in _input_strides(network, in_channels).items():
        if output_stride <= stride <= max(network.strides):
            owner, _, child = name.rpartition(".")
            layer = _spread(network.get_submodule(name), stride // output_stride)
            setattr(network.get_submodule(owner), child, layer)
    expected = [min(stride, output_stride) for stride in network.strides]
    maps, side = _trial(network, in_channels, {})
    if [round(side / x.shape[-1]) for x in maps] != expected:
        what = "this network can't be dilated, its strides are not those of convolutions and poolings alone"
        raise ValueError(f"{what}: give it output_stride={max(network.strides)}")
    network.strides = expected
    return network


class AtrousConv2d(nn.Module):
    """A convolution padded on one side more than on the other; its parameters are those of `conv`.

    Shapes: (B, C, H, W) → (B, D, H, W).
    """

    def __init__(self, conv: nn.Conv2d, rate: int, padding: list[int]):
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.dilation, self.groups, self.padding = rate, conv.groups, padding

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pad(x, self.padding), self.weight, self.bias, 1, 0, self.dilation, self.groups)


class AtrousMaxPool2d(nn.Module):
    """The largest of k × k pixels that lie `rate` apart. Shapes: (B, C, H, W) → (B, C, H, W)."""

    def __init__(self, kernel_size: int, rate: int, padding: list[int]):
        super().__init__()
        self.kernel_size, self.rate, self.padding = kernel_size, rate, padding

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, self.padding, value=float("-inf"))
        return F.max_pool2d(x, self.kernel_size, 1, 0, self.rate)


class AtrousAvgPool2d(nn.Module):
    """The mean of k × k pixels that lie `rate` apart, of those that are there.

    Shapes: (B, C, H, W) → (B, C, H, W).
    """

    def __init__(self, kernel_size: int, rate: int, padding: list[int]):
        super().__init__()
        self.kernel_size, self.rate, self.padding = kernel_size, rate, padding

    def forward(self, x: Tensor) -> Tensor:
        ones = x.new_ones(1, 1, *x.shape[-2:])
        return self.sum(x) / self.sum(ones)

    def sum(self, x: Tensor) -> Tensor:
        kernel = x.new_ones(x.shape[1], 1, self.kernel_size, self.kernel_size)
        return F.conv2d(F.pad(x, self.padding), kernel, None, 1, 0, self.rate, x.shape[1])


def _spread(layer: Any, rate: int) -> nn.Module:
    """The layer with stride 1, its kernel spread by the rate."""
    kernel, stride, pad = (_single(layer, name) for name in ("kernel_size", "stride", "padding"))
    if rate == 1 and stride == 1:
        return layer
    pooling = isinstance(layer, nn.AvgPool2d)
    old = 1 if pooling else _single(layer, "dilation")
    new = old * rate if kernel > 1 else old  # a 1 × 1 kernel has nothing to spread, and is faster undilated
    left, right = pad * rate, (old * (kernel - 1) - pad) * rate  # as much in all as keeps the size
    if stride == 1:  # where it kept the size, it still does
        right = left
    if isinstance(layer, nn.Conv2d):
        if left != right:
            return AtrousConv2d(layer, new, [left, right, left, right])
        layer.stride, layer.dilation, layer.padding = (1, 1), (new, new), (left, left)
        return layer
    if pooling and pad > 0 and layer.count_include_pad:
        raise ValueError("an average pooling that counts its padding can't be dilated: set count_include_pad=False")
    return (AtrousAvgPool2d if pooling else AtrousMaxPool2d)(kernel, new, [left, right, left, right])


def _single(layer: Any, name: str) -> int:
    value = getattr(layer, name)
    pair = value if isinstance(value, tuple) else (value, value)
    if pair[0] != pair[1] or isinstance(value, str):
        raise ValueError(f"{layer} can't be dilated: its {name} is {value}")
    return pair[0]


def _input_strides(network: Any, in_channels: int) -> dict[str, int]:
    """The stride of the map that each convolution and pooling sees, by the layer's name."""
    strides: dict[str, int] = {}
    _trial(network, in_channels, strides)
    return strides


def _trial(network: Any, in_channels: int, strides: dict[str, int]) -> tuple[list[Tensor], int]:
    """The maps of a large image on the meta device, and its side; the strides that layers see are noted."""
    side = 16 * max(network.strides)
    shadow = copy.deepcopy(network).to("meta").eval()

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            strides[name] = round(side / inputs[0].shape[-1])

        return hook

    for name, layer in shadow.named_modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            layer.register_forward_pre_hook(note(name))
    with torch.no_grad():
        return shadow.features(torch.empty(1, in_channels, side, side, device="meta")), side
