"""Images (B, C, H, W) → (B, num_classes); `features(x)` gives the multi-scale maps."""
