"""Slots: the places in a block or family that take another block.

A slot is a callable that takes the width and returns a module, so that a variant is a small module put in a
slot, not a flag: `mixer=partial(Attention, num_heads=6)` in Python, `mixer: {attention: {num_heads: 6}}` in YAML.
The word in each annotation is the slot's kind; what fits it is defined in the file or folder of that name
(`norm` in `blocks/norm.py`, `mixer` in `blocks/mixer/`). `Any` stands for a module that has more than `forward`.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from torch import nn

Activation = Annotated[Callable[[], nn.Module], "activation"]
"""Elementwise, any shape: called without arguments."""

Norm = Annotated[Callable[[int], nn.Module], "norm"]
"""(…, D) → (…, D): called with the width D."""

Norm2d = Annotated[Callable[[int], nn.Module], "norm2d"]
"""(B, C, H, W) → the same shape: called with the channels C."""

Mixer = Annotated[Callable[[int], nn.Module], "mixer"]
"""Token mixer, (B, N, D) and an optional (B, N) mask of real tokens → (B, N, D): called with the width D."""

Channel = Annotated[Callable[[int], nn.Module], "channel"]
"""Channel block, (…, D) → (…, D), each token by itself: called with the width D."""

Scale = Annotated[Callable[[int], nn.Module], "scale"]
"""Scale of a residual branch, (…, D) → (…, D): called with the width D."""

Pooling = Annotated[Callable[[int], nn.Module], "pooling"]
"""Tokens (B, N, D) and an optional (B, N) mask of real tokens → one vector (B, D): called with the width D."""

Pooling2d = Annotated[Callable[[int], nn.Module], "pooling2d"]
"""Feature map (B, C, H, W) → one vector (B, C): called with the channels C."""

Position = Annotated[Callable[[int, int], nn.Module], "position"]
"""Tokens (B, N, D) → (B, N, D) with their positions added: called with the longest length and the width D."""

Rotary = Annotated[Callable[[int], nn.Module], "rotary"]
"""Turns queries and keys by their positions, (B, heads, N, d) → the same shape: called with the width d of a head."""

Numeric = Annotated[Callable[[int, int], nn.Module], "numeric"]
"""Numeric columns (B, F) → one token each (B, F, D): called with the number of columns F and the width D."""

Conv2d = Annotated[Callable[[int, int, int, int, int, int, int, bool], nn.Module], "conv2d"]
"""Convolution, (B, C, H, W) → (B, C', H', W'): called with the channels C and C', the kernel size, the stride, the
padding, the dilation, the groups and whether there is a bias, as torch's `Conv2d`."""


ConvUnit = Annotated[Callable[[int, int, int, int], nn.Module], "conv_unit"]
"""Convolution with its norm and activation, (B, C, H, W) → (B, D, ⌈H / stride⌉, ⌈W / stride⌉): called with the
channels C, the width D, the kernel size (odd; 1 mixes channels only) and the stride."""

Stem = Annotated[Callable[[int, int], Any], "stem"]
"""Image (B, C, H, W) → feature map (B, D, H', W'): called with the channels C and the width D; has `stride`, and
like a backbone `features`, whose last map is the output, `channels` and `strides`."""

Gate2d = Annotated[Callable[[int], nn.Module], "gate2d"]
"""Weighs a feature map by what is in it, (B, C, H, W) → the same shape: called with the channels C."""

Residual2d = Annotated[Callable[[int, int, int, Norm2d, Activation, float], nn.Module], "residual2d"]
"""Residual block, (B, C, H, W) → (B, C', H', W'): called with the channels C, the width D, the stride, the
norm, the activation and the probability of dropping its branch; has `out_channels` C'."""

DenseLayer = Annotated[Callable[[int, int, Norm2d, Activation], nn.Module], "dense_layer"]
"""New maps from all the maps before, (B, C, H, W) → (B, K, H, W): called with the channels C, the growth rate K, the
norm and the activation."""

Backbone = Annotated[Callable[[int, int], Any], "backbone"]
"""Vision family with `features`, or a preset of one: called with the number of classes and the channels C, as
classifiers are; `headless` then takes the classifier off. Has `channels`, `strides` and `classifier`."""

Neck = Annotated[Callable[[Sequence[int], Sequence[int]], Any], "neck"]
"""Maps of several scales, a list of (B, C_i, H_i, W_i) → another list of maps, finest first: called with the
channels C_i and the strides of the maps; has the `channels` and `strides` of what it gives."""

Levels = Annotated[Callable[[int, int], Any], "levels"]
"""The coarsest map of the backbone and of the neck → further, coarser maps: called with the channels C of the
first and the width D of the second; has `count`, the number of maps that it gives."""

Auxiliary = Annotated[Callable[[int, int], nn.Module], "auxiliary"]
"""A second classifier inside a network, (B, C, H, W) → (B, num_classes): called with the channels C and the number of
classes."""

Upsample2d = Annotated[Callable[[int, int], Any], "upsample2d"]
"""Enlarges a feature map, (B, C, h, w) and the size (H, W) → (B, C', H, W): called with the channels C and the
factor; has `out_channels` C'."""

RegionProposal = Annotated[Callable[[int, Sequence[int], float], Any], "region_proposal"]
"""Boxes that may hold something, from maps (B, D, H_i, W_i): called with the width D, the maps' strides and the
anchors' scale; has the methods of `RegionProposals`."""

BoxHead = Annotated[Callable[[int, Sequence[int], int, float, float, int], Any], "box_head"]
"""What is in such boxes, and where exactly: called with the width D, the maps' strides, the number of classes, the
thresholds of scores and of suppression and the most detections; has the methods of `BoxHead`."""

Head2d = Annotated[Callable[[int, int], nn.Module], "head2d"]
"""A score for each class at each pixel, (B, C, H, W) → (B, num_classes, H, W): called with the channels C and the
number of classes."""
