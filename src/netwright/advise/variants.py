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


# rows, numeric columns, quantile bins: as fine as leaves a few hundred rows a bin. On diamonds (36,000 rows to train)
# an MLP's RMSE fell from 567 with 24 bins over 550 with 48 and 546 with 96 to 542 with 160.
BINS = (
    ("1000..9999", ">= 1", 16),
    ("10000..19999", ">= 1", 48),
    (">= 20000", "> 40", 48),  # on many columns finer bins cost more than they give
    ("20000..39999", "1..40", 96),
    (">= 40000", "1..40", 160),
)


def piecewise(family: str, points: float) -> list[Variant]:
    """A learned curve for each numeric column, finer on more rows."""
    return [
        Variant(
            family,
            "piecewise",
            f"Each of {{numeric}} numeric columns is a learned piecewise-linear curve over {bins} quantile bins.",
            "B3",
            args={"numeric": {"piecewiselinear": {"num_bins": bins}}},
            when={"numeric": columns, "rows": rows},
            points=points,
        )
        for rows, columns, bins in BINS
    ]


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
    Variant("unet", "", "Two 3 × 3 convolutions at each scale, as published.", "G1"),
    Variant(
        "unet",
        "resnet",
        "The encoder is a small residual network, whose stem may take a stride.",
        "G4",
        scale="unet_resnet",
        points=0.25,
    ),
    Variant("fpn", "", "A feature pyramid on a small residual network, summed at the size of its finest map.", "G7"),
    Variant("segformer", "", "A Mix Transformer, its four maps put together by linear maps.", "G8b"),
    Variant("deeplabv3plus", "", "A dilated residual network, an atrous pyramid, and a fine map for borders.", "G9b"),
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
    *piecewise("mlp", points=1.0),
    *(
        Variant(
            "mlp",
            "periodic",
            f"Each of {{numeric}} numeric columns is seen at {waves} learned frequencies, for targets that wave.",
            "B3",
            args={"numeric": {"periodic": {"num_frequencies": waves, "sigma": sigma}}},
            when={"numeric": ">= 1", "rows": rows},
            points=0.75,
        )
        for rows, waves, sigma in (("1000..9999", 16, 0.1), (">= 10000", 32, 1.0))
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
    *piecewise("tabular_resnet", points=0.5),
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
    *piecewise("tabm", points=1.0),
    Variant("retinanet", "", "A small residual network under a feature pyramid.", "D1"),
    Variant("yolox", "", "A CSP network, whose maps are brought together downwards and upwards.", "D2"),
    Variant("faster_rcnn", "", "A small residual network under a feature pyramid.", "D3"),
    Variant("detr", "", "A small residual network, then a transformer on its last map.", "D4b"),
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
