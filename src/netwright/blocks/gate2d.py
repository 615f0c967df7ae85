"""Gates of feature maps, (B, C, H, W) → the same shape: slot kind `gate2d`."""

from torch.nn import Identity

from netwright.blocks.squeeze_excite import SqueezeExcite

__all__ = ["Identity", "SqueezeExcite"]
