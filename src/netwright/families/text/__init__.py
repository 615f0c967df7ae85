"""Texts, tokens (B, N) with 0 for padding → (B, num_classes)."""
