"""Variants of a family: what is put into its slots, and when to try it. Adding one is adding a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netwright.advise.rules import Facts, holds


@dataclass(frozen=True)
class Variant:
    """One way to fill a family's slots: `args` over the size's, points beside the family's own, and why."""

    family: str
    name: str
    because: str
    rule: str
    args: Mapping[str, Any] = field(default_factory=dict)
    when: Mapping[str, Any] = field(default_factory=dict)
    points: float = 0.0
    scale: str | None = None
    """The ladder, if it is not the family's own."""


VARIANTS: tuple[Variant, ...] = (
    Variant("resnet", "", "Depth and width grow together.", "V1"),
    Variant(
        "resnet",
        "wide",
        "One block a stage: what a second would cost is spent on width, which trains faster.",
        "S3.2",
        when={"side": "< 96"},
        scale="wide_resnet",
    ),
    Variant(
        "resnet",
        "se",
        "Each block weighs its channels by what the whole image shows (squeeze-excitation, arXiv:1709.01507).",
        "V1",
        args={"block": {"basicblock": {"gate": "squeezeexcite"}}},
        when={"rows": "< 100000"},
        points=-0.25,
    ),
    Variant("cct", "", "A convolutional tokeniser, then a few transformer layers.", "S2.5"),
    Variant("convnext", "", "Large depthwise kernels, then a perceptron for each pixel.", "S3.4"),
    Variant("mobilenetv3", "", "Inverted bottlenecks with squeeze-excitation.", "V4"),
    Variant("vit", "", "Patches read by a plain transformer.", "S3.5"),
    Variant(
        "mlp",
        "",
        "The numbers go in as they are.",
        "B4",
        when={"rows": "< 1000"},
        points=0.5,
        args={"numeric": "raw"},
    ),
    Variant(
        "mlp",
        "raw",
        "The numbers go in as they are.",
        "B1",
        when={"rows": ">= 1000"},
        args={"numeric": "raw"},
    ),
    Variant(
        "mlp",
        "piecewise",
        "Each of {numeric} numeric columns is a learned piecewise-linear curve over 16 quantile bins.",
        "B3",
        args={"numeric": {"piecewiselinear": {"num_bins": 16}}},
        when={"numeric": ">= 1", "rows": "1000..9999"},
        points=1.0,
    ),
    Variant(
        "mlp",
        "piecewise",
        "Each of {numeric} numeric columns is a learned piecewise-linear curve over 48 quantile bins.",
        "B3",
        args={"numeric": {"piecewiselinear": {"num_bins": 48}}},
        when={"numeric": ">= 1", "rows": ">= 10000"},
        points=1.0,
    ),
    Variant(
        "mlp",
        "periodic",
        "Each of {numeric} numeric columns is seen at 16 learned frequencies, for targets that wave.",
        "B3",
        args={"numeric": {"periodic": {"num_frequencies": 16, "sigma": 0.1}}},
        when={"numeric": ">= 1", "rows": ">= 1000"},
        points=0.75,
    ),
    Variant(
        "mlp",
        "coarse",
        "Each of {numeric} numeric columns is a learned curve of 8 pieces only: {rows} rows can't fill more.",
        "B4",
        args={"numeric": {"piecewiselinear": {"num_bins": 8}}},
        when={"numeric": ">= 1", "rows": "300..999"},
    ),
    Variant(
        "tabular_resnet",
        "",
        "The numbers go in as they are.",
        "B8",
        args={"numeric": "raw"},
    ),
    Variant(
        "tabular_resnet",
        "piecewise",
        "Each of {numeric} numeric columns is a learned piecewise-linear curve over 16 quantile bins.",
        "B3",
        args={"numeric": {"piecewiselinear": {"num_bins": 16}}},
        when={"numeric": ">= 1", "rows": ">= 1000"},
        points=0.5,
    ),
    Variant("ft_transformer", "", "Every column is a token.", "B5"),
    Variant(
        "tabm",
        "",
        "The numbers go in as they are.",
        "B10",
        args={"numeric": "raw"},
        when={"rows": "< 1000"},
    ),
    Variant(
        "tabm",
        "raw",
        "There are no numeric columns to embed.",
        "B9",
        args={"numeric": "raw"},
        when={"numeric": 0},
    ),
    Variant(
        "tabm",
        "piecewise",
        "Each of {numeric} numeric columns is a learned piecewise-linear curve over 24 quantile bins.",
        "B3",
        args={"numeric": {"piecewiselinear": {"num_bins": 24}}},
        when={"numeric": ">= 1", "rows": ">= 1000"},
        points=1.0,
    ),
    Variant("textcnn", "", "Phrases of 3, 4 and 5 words.", "S6.textcnn"),
    Variant(
        "textcnn",
        "short",
        "Phrases of 1, 2 and 3 words, close to a learned bag of words, which few texts can fill.",
        "L9",
        args={"kernel_sizes": [1, 2, 3]},
        when={"rows": "< 20000"},
    ),
    Variant("bilstm", "", "Read in both directions, pooled by attention.", "L3"),
    Variant("text_transformer", "", "Every word looks at every other.", "L5"),
)


def variants_of(family: str, facts: Facts) -> list[Variant]:
    """The variants of a family that these facts allow, in the table's order."""
    return [
        variant
        for variant in VARIANTS
        if variant.family == family and all(holds(test, facts.get(name)) for name, test in variant.when.items())
    ]
