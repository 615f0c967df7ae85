"""Networks that learn from images without labels, and leave an encoder for another task."""
