"""Label-safe augmentation of image batches, (B, C, H, W) float → the same shape.

Each is a plain function of the batch, drawing from torch's global generator (the trainer seeds it for each step).
Which of them may be used is the advisor's decision: a flipped digit is another digit (rule T14).
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def flip(x: Tensor, p: float = 0.5) -> Tensor:
    """Mirror each image left to right with probability p."""
    mirrored = torch.rand(len(x)) < p
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def shift(x: Tensor, fraction: float = 0.1) -> Tensor:
    """Move each image by up to `fraction` of its side, whole pixels, edges repeated."""
    _, _, H, W = x.shape
    reach = max(1, round(fraction * min(H, W)))
    dy, dx = torch.randint(-reach, reach + 1, (2, len(x)))
    rows = (torch.arange(H) + dy[:, None]).clamp(0, H - 1)  # (B, H)
    columns = (torch.arange(W) + dx[:, None]).clamp(0, W - 1)  # (B, W)
    sample = torch.arange(len(x))[:, None, None]
    return x.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def affine(x: Tensor, degrees: float = 10.0, scale: float = 0.1, shift: float = 0.1, shear: float = 0.0) -> Tensor:
    """Turn (± degrees), zoom (1 ± scale), shear and move (± a fraction of the side) each image, bilinear."""
    B = len(x)
    angle, zoom, slant, dx, dy = torch.rand(5, B) * 2 - 1
    angle, zoom, slant = angle * math.radians(degrees), 1 + zoom * scale, slant * shear
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    # The grid runs over [−1, 1], so a fraction f of the side is 2 f.
    theta = torch.stack(
        [torch.stack([cos, slant - sin, dx * 2 * shift], 1), torch.stack([sin, cos, dy * 2 * shift], 1)], 1
    )
    grid = F.affine_grid(theta, list(x.shape), align_corners=False).to(x.dtype)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def brightness(x: Tensor, strength: float = 0.2) -> Tensor:
    """Scale and move the (normalised) values of each image by up to ± strength."""
    gain, offset = (torch.rand(2, len(x), 1, 1, 1) * 2 - 1) * strength
    return x * (1 + gain) + offset


def colour(x: Tensor, strength: float = 0.2) -> Tensor:
    """Scale and move the (normalised) values of each image by up to ± strength, each channel by itself."""
    gain, offset = (torch.rand(2, len(x), x.shape[1], 1, 1) * 2 - 1) * strength
    return x * (1 + gain) + offset


def erase(x: Tensor, p: float = 0.25, area: float = 0.15) -> Tensor:
    """Blank a square of about `area` of the image with probability p. Source: Zhong et al. 2017, arXiv:1708.04896."""
    B, _, H, W = x.shape
    side = math.sqrt(area)
    cy, cx = torch.rand(2, B, 1, 1)
    rows = (torch.linspace(0, 1, H)[None, :, None] - cy).abs() <= side / 2
    columns = (torch.linspace(0, 1, W)[None, None, :] - cx).abs() <= side / 2
    blank = rows & columns & (torch.rand(B, 1, 1) < p)
    return x.masked_fill(blank[:, None], 0.0)


AUGMENTATIONS: dict[str, Callable[..., Tensor]] = {
    "flip": flip,
    "shift": shift,
    "affine": affine,
    "brightness": brightness,
    "erase": erase,
    "colour": colour,
}


def token_dropout(tokens: Tensor, p: float = 0.1, unknown: int = 1) -> Tensor:
    """Replace each real token by the unknown one with probability p. tokens (B, N), 0 is padding."""
    return tokens.masked_fill((torch.rand(tokens.shape) < p) & (tokens != 0), unknown)
