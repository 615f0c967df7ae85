"""Channel blocks, (…, D) → (…, D), each token by itself: slot kind `channel`."""

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.channel.gated import GEGLU, GatedFeedForward, ReGLU, SwiGLU

__all__ = ["GEGLU", "FeedForward", "GatedFeedForward", "ReGLU", "SwiGLU"]
