"""MAE: a vision transformer learns from images alone, by filling in the patches that it was not shown.

What remains is the encoder, a ViT: all keys but `decoder.…` are those of `families/vision/vit.py`.
Source: He et al. 2021, Masked autoencoders are scalable vision learners, arXiv:2111.06377.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import LayerNorm

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.grid_position import GridPosition, grid_waves
from netwright.blocks.init import xavier_init
from netwright.blocks.mixer.attention import Attention
from netwright.blocks.patch import PatchEmbed
from netwright.blocks.slots import Channel, Mixer, Norm
from netwright.blocks.transformer import TransformerBlock

__all__ = ["MAE"]


class MAE(nn.Module):
    """Hide most patches → encode the others → decode all, with a mask token for each hidden one → the loss.

    The loss of an image is the mean squared error of its hidden patches, whose pixels are first brought to mean
    0 and variance 1 in each patch (`norm_pixels`). A share of `mask_ratio` is hidden, rounded up: the patches
    with the largest `noise`, by default random numbers in training and the same numbers for every image in
    evaluation. Positions are fixed waves, interpolated for images of other sizes than `image_size`; sides that
    are no multiples of `patch_size` are padded with zeros.

    Shapes: x (B, C, H, W), noise (B, N) for N = ⌈H/p⌉ · ⌈W/p⌉ patches → the loss of each image (B,).
    """

    def __init__(
        self,
        in_channels: int = 3,
        image_size: int = 224,
        dim: int = 768,
        depth: int = 12,
        patch_size: int = 16,
        mixer: Mixer = Attention,
        channel: Channel = FeedForward,
        norm: Norm = partial(LayerNorm, eps=1e-6),
        decoder_dim: int = 512,
        decoder_depth: int = 8,
        decoder_mixer: Mixer = partial(Attention, num_heads=16),
        mask_ratio: float = 0.75,
        norm_pixels: bool = True,
    ):
        super().__init__()
        side = -(-image_size // patch_size)
        self.patch_size, self.mask_ratio, self.norm_pixels = patch_size, mask_ratio, norm_pixels
        self.embed = PatchEmbed(in_channels, dim, patch_size)
        self.class_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = fixed_position(side, dim)
        self.blocks = nn.ModuleList(TransformerBlock(dim, mixer, channel, norm) for _ in range(depth))
        self.norm = norm(dim)
        pixels = in_channels * patch_size**2
        self.decoder = MAEDecoder(dim, decoder_dim, decoder_depth, side, pixels, decoder_mixer, channel, norm)
        self.apply(xavier_init)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Image (B, C, H, W) → the loss of each image (B,)."""
        predicted, hidden = self.reconstruct(x, noise)
        error = (predicted - self.patches(x)).square().mean(-1)  # (B, N)
        return (error * hidden).sum(1) / hidden.sum(1)

    def reconstruct(self, x: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Image (B, C, H, W) → the pixels of each patch (B, N, p·p·C), and 1 for the hidden ones (B, N)."""
        x = self.embed(x)  # (B, D, h, w)
        B, _, h, w = x.shape
        if noise is None:
            noise = (
                torch.rand(B, h * w, device=x.device) if self.training else fixed_noise(h * w, x.device).expand(B, -1)
            )
        order = noise.argsort(1)
        restore = order.argsort(1)  # where each patch lies in that order
        shown = int(h * w * (1 - self.mask_ratio))

        x = torch.cat([self.class_token.expand(B, -1, -1), x.flatten(2).transpose(1, 2)], 1)
        x = self.position(x, (h, w))
        x = torch.cat([x[:, :1], pick(x[:, 1:], order[:, :shown])], 1)  # (B, 1 + shown, D)
        for block in self.blocks:
            x = block(x)
        return self.decoder(self.norm(x), restore, (h, w)), (restore >= shown).to(x.dtype)

    def patches(self, x: Tensor) -> Tensor:
        """What is to be predicted: image (B, C, H, W) → pixels (B, N, p·p·C), rows, columns, then channels."""
        p = self.patch_size
        x = F.pad(x, (0, -x.shape[-1] % p, 0, -x.shape[-2] % p))
        x = x.unflatten(3, (-1, p)).unflatten(2, (-1, p)).permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
        if self.norm_pixels:
            variance, mean = torch.var_mean(x, -1, keepdim=True)
            x = (x - mean) / (variance + 1e-6).sqrt()
        return x


class MAEDecoder(nn.Module):
    """Mask tokens for the hidden patches, all in their places, a narrower transformer, the pixels of each.

    Shapes: x (B, 1 + shown, D), restore (B, N), grid (h, w) → (B, N, pixels).
    """

    def __init__(
        self,
        in_dim: int,
        dim: int,
        depth: int,
        side: int,
        pixels: int,
        mixer: Mixer,
        channel: Channel,
        norm: Norm,
    ):
        super().__init__()
        self.embed = nn.Linear(in_dim, dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.position = fixed_position(side, dim)
        self.blocks = nn.ModuleList(TransformerBlock(dim, mixer, channel, norm) for _ in range(depth))
        self.norm = norm(dim)
        self.head = nn.Linear(dim, pixels)

    def forward(self, x: Tensor, restore: Tensor, grid: tuple[int, int]) -> Tensor:
        x = self.embed(x)
        B, N = restore.shape
        hidden = self.mask_token.expand(B, N + 1 - x.shape[1], -1)
        x = torch.cat([x[:, :1], pick(torch.cat([x[:, 1:], hidden], 1), restore)], 1)
        x = self.position(x, grid)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 1:])


def fixed_position(side: int, dim: int) -> GridPosition:
    """Waves that are not learned, none for the class token; a parameter nonetheless, as in the ViT."""
    position = GridPosition((side, side), dim, prefix=1)
    with torch.no_grad():
        position.weight.copy_(F.pad(grid_waves((side, side), dim), (0, 0, 1, 0)))
    position.weight.requires_grad_(False)
    return position


def fixed_noise(length: int, device: torch.device) -> Tensor:
    """Numbers without a visible pattern, all different, the same each time: multiples of squares modulo a prime."""
    n = torch.arange(1, length + 1, device=device)
    return n * n * 1_220_703_125 % (2**31 - 1)


def pick(x: Tensor, index: Tensor) -> Tensor:
    """Tokens by number: x (B, N, D), index (B, M) → (B, M, D)."""
    return x.gather(1, index.unsqueeze(-1).expand(-1, -1, x.shape[-1]))


_PAPER = "He et al. 2021, arXiv:2111.06377; exact counts: transformers 5.23.0, ViTMAEForPreTraining"
_HUGE = {"dim": 1280, "depth": 32, "patch_size": 14, "mixer": {"attention": {"num_heads": 16}}}

PRESETS: dict[str, dict] = {
    "base": {"args": {"dim": 768, "depth": 12}, "params": 111_907_840, "source": _PAPER},
    "large": {"args": {"dim": 1024, "depth": 24}, "params": 329_541_888, "source": _PAPER},
    "huge14": {"args": _HUGE, "params": 657_074_508, "source": _PAPER},
}
