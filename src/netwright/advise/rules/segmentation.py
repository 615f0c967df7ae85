"""Segmentation (G): which family, how large, and how it is trained and judged."""

from netwright.advise.rules.engine import Rule

_MASKS = {"modality": "segmentation"}

SEGMENTATION = (
    Rule(
        "G1",
        "U-Net, an encoder with a decoder that takes in its map of each scale, is the strongest plain default for "
        "masks; a well-sized one wins most medical challenges.",
        "arXiv:1505.04597, arXiv:1809.10486, arXiv:2404.09556",
        "R",
        when=_MASKS,
        prefer={"unet": 3.0},
        because="A decoder with the encoder's fine maps keeps the borders of {classes} classes sharp, and learns from "
        "few images.",
    ),
    Rule(
        "G2",
        "U-Net: base width 32 on small data or 64, doubled at each halving; halvings while 8 pixels a side are left, "
        "at most 5.",
        "arXiv:1505.04597, arXiv:1809.10486",
        "R",
        when=_MASKS,
        value={"last_map": 8, "most": 5},
        because="{scales} scales: the widths double with each halving, down to a map of {last_map} pixels a side.",
    ),
    Rule(
        "G3",
        "Cross-entropy plus Dice: the one counts pixels, the other classes, so that small ones are learned as well.",
        "arXiv:1809.10486, arXiv:1606.04797",
        "R",
        when=_MASKS,
        because="The largest class has {imbalance} times the pixels of the smallest: Dice counts them alike.",
    ),
    Rule(
        "G4",
        "Residual blocks in a U-Net's encoder train deeper at like cost, and a stem with a stride works at a fraction "
        "of it: the decoder brings the map back to the image's size.",
        "arXiv:1608.04117, arXiv:1706.05587",
        "R",
        when=_MASKS,
    ),
    Rule(
        "G5",
        "A mask moves with its image: mirrored, zoomed, cropped and shifted alike; with few images this is what a "
        "segmentation network lives on.",
        "arXiv:1505.04597 section 3.1",
        "V",
        when=_MASKS,
        because="{rows} images are few for a network that sees every pixel: they are mirrored, zoomed, cropped and "
        "tinted, their masks alike. If sides matter, take `flip_masks` out of the recipe.",
    ),
    Rule(
        "G5b",
        "Grey images may be scans or letters, where sides matter: they are zoomed, turned and shifted, not mirrored.",
        "netwright",
        "R",
        when={"modality": "segmentation", "colour": False},
        because="Grey images may be scans, where sides matter: they are zoomed, turned and shifted with their masks, "
        "not mirrored.",
    ),
    Rule(
        "G6",
        "Pixel baselines: the most frequent class, a linear model and a random forest on each pixel's colour, place "
        "and surroundings, on the same split.",
        "netwright",
        "V",
        when=_MASKS,
        because="The most frequent class, a linear model and a random forest that see each pixel with its surroundings "
        "are trained on the same split.",
    ),
)
