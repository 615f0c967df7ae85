"""Normalisation over the last axis, for tokens and tables: slot kind `norm`."""

from torch.nn import BatchNorm1d, Identity, LayerNorm, RMSNorm

__all__ = ["BatchNorm1d", "Identity", "LayerNorm", "RMSNorm"]
