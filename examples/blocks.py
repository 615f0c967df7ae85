"""Networks from named parts: presets, slots, and a block of your own.

python examples/blocks.py
"""

from functools import partial

import torch
from torch import Tensor, nn

import netwright as nw
from netwright.families.vision.vit import ViT
from netwright.inspect import count_macs, count_params

image = torch.randn(1, 3, 32, 32)
small = {"num_classes": 10, "image_size": 32, "patch_size": 4, "dim": 192, "depth": 6}

# The same transformer with other parts in its slots.
variants = {
    "plain": {},
    "RMSNorm": {"norm": "rmsnorm"},
    "6 heads": {"mixer": {"attention": {"num_heads": 6}}},
    "SwiGLU": {"channel": "gatedfeedforward"},
    "mean of the tokens": {"pooling": "meanpool"},
}
for name, parts in variants.items():
    network = nw.build("vit", **small, **parts)
    print(f"{name:20} {count_params(network):>10,} parameters {count_macs(network, image):>12,} multiply-adds")


class Shift(nn.Module):
    """A token mixer of one's own: half of the channels come from the token before.

    Shapes: (B, N, D) → (B, N, D).
    """

    def __init__(self, dim: int, channels: int | None = None):
        super().__init__()
        self.channels = channels or dim // 2
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        before = x.roll(1, dims=1)[..., : self.channels]
        return self.out(torch.cat([before, x[..., self.channels :]], -1))


# Families are plain PyTorch: a slot takes any callable that makes a module of the right shapes.
network = ViT(num_classes=10, image_size=32, patch_size=4, dim=192, depth=6, mixer=partial(Shift, channels=64))
print(f"{'shift':20} {count_params(network):>10,} parameters {count_macs(network, image):>12,} multiply-adds")
print(network(image).shape)
