"""What a number may be, by its name: one name has one meaning everywhere, so it has one range everywhere.

The upper ends are not architecture, they only keep a slip of the keyboard from asking for a terabyte.
"""

import math
from dataclasses import dataclass

BIG = 2**31 - 1


@dataclass(frozen=True)
class Range:
    """low ≤ x ≤ high; `open_low` and `open_high` leave the end out."""

    low: float = -BIG
    high: float = BIG
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, x: float) -> bool:
        if not math.isfinite(x):
            return False
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above and below

    def __str__(self) -> str:
        low = "" if self.low <= -BIG else f"{self.low:,} {'<' if self.open_low else '≤'} "
        high = "" if self.high >= BIG else f" {'<' if self.open_high else '≤'} {self.high:,}"
        return f"{low}x{high}" if low or high else "any finite number"

    def schema(self) -> dict[str, float]:
        """The range in JSON Schema's words."""
        out: dict[str, float] = {}
        if self.low > -BIG:
            out["exclusiveMinimum" if self.open_low else "minimum"] = self.low
        if self.high < BIG:
            out["exclusiveMaximum" if self.open_high else "maximum"] = self.high
        return out


ANY = Range()
PROBABILITY = Range(0, 1, open_high=True)  # at 1 nothing is left
SHARE = Range(0, 1, open_low=True, open_high=True)
RATIO = Range(0, 256, open_low=True)
WIDTH = Range(1, 2**20)

_NAMES: dict[str, Range] = {
    "skip_channels": WIDTH,
    "dim dims channels in_channels out_channels hidden num_heads num_kv_heads groups num_groups maps": WIDTH,
    "depth depths num_layers num_convs num_members num_experts num_maps num_stacks num_blocks": Range(1, 4096),
    "growth_rate stem_ratio": WIDTH,
    # what the data give; a table may have categories only, a vocabulary has padding and one word
    "num_classes cardinalities": Range(1, 2**24),
    "num_features": Range(0, 2**24),
    "vocab_size": Range(2, 2**26),
    "max_length num_tokens": Range(1, 2**24),
    "image_size": Range(1, 2**16),
    # geometry of convolutions and patches
    "patch_size window_size kernel_size kernel_sizes stride strides dilation reduction multiple grid": Range(1, 4096),
    "factor output_stride rates bins columns size finest": Range(1, 4096),
    "padding prefix shift cell num_extra normal_cell reduction_cell edges output": Range(0, 4096),
    # positions, and the share of what is hidden
    "base": Range(1, open_low=True),
    "mask_ratio": SHARE,
    # cells of searched networks: the states that are read, and those that are given out
    "stem_cells": Range(0, 16),
    # detectors
    "num_queries max_detections": Range(1, 2**16),
    "score_threshold nms_threshold": Range(0, 1),
    "proposals train_proposals num_samples num_anchors outputs": Range(1, 2**20),
    "anchor_scale": RATIO,
    # factors of a width
    "mlp_ratio token_ratio expansion width_ratio width_mult depth_mult": RATIO,
    "compression": Range(0, 1, open_low=True),
    # embeddings of numbers and categories
    "num_bins num_frequencies": Range(1, 2**16),
    "max_one_hot": Range(0, 2**16),
    "sigma temperature exponent": Range(0, open_low=True),
    # regularisation and numerics
    "dropout drop_path p label_smoothing": PROBABILITY,
    "eps": Range(0, 1, open_low=True),
    "momentum negative_slope teacher_weight auxiliary_weight": Range(0, 1),
    "beta k": Range(0, 256, open_low=True),
    # training
    "lr": Range(0, 100, open_low=True),
    "weight_decay mixup": Range(0, 100),
    "betas ema_decay": PROBABILITY,
    "batch_size": Range(1, 2**20),
    "steps patience eval_every rows": Range(1),
    "warmup_fraction final_lr_fraction probe": Range(0, 1),
    "first_layer_lr": Range(0, 1, open_low=True),
    "clip_norm": Range(0, open_low=True),
    "seed": Range(0),
    "test_fraction validation_fraction": SHARE,
    "classes": Range(-math.inf, math.inf),  # labels may be any number
}
RANGES = {name: bounds for names, bounds in _NAMES.items() for name in names.split()}

CHOICES: dict[str, tuple[str, ...]] = {
    # torch annotates these as plain text and notices a wrong word in the first forward only
    "approximate": ("none", "tanh"),
    "padding_mode": ("zeros", "reflect", "replicate", "circular"),
}


def range_of(name: str) -> Range:
    """The range of a parameter called `name`; any number to ±2³¹ where the name says nothing."""
    if name in RANGES:
        return RANGES[name]
    if name.endswith("_dropout"):
        return PROBABILITY
    if name.endswith("_depth"):
        return RANGES["depth"]
    if name.endswith("_dim"):
        return WIDTH
    return ANY
