"""Token mixers, (B, N, D) → (B, N, D): slot kind `mixer`."""

from netwright.blocks.mixer.attention import Attention

__all__ = ["Attention"]
