"""Channel blocks, (…, D) → (…, D), each token by itself: slot kind `channel`."""

from netwright.blocks.channel.feed_forward import FeedForward
from netwright.blocks.channel.gated import GatedFeedForward

__all__ = ["FeedForward", "GatedFeedForward"]
