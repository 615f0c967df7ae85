"""Semantic segmentation: image (B, C, H, W) → a score for each class at each pixel, (B, num_classes, H, W)."""
