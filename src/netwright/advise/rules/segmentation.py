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
        "segmentation network lives on. What is zoomed or turned is softened too: of each pass a third at most.",
        "arXiv:1505.04597 section 3.1, arXiv:1904.08128",
        "R",
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
        "G7",
        "Panoptic FPN's branch on a feature pyramid computes no map finer than the encoder's first one: about half of "
        "a U-Net's multiply-adds at like width.",
        "arXiv:1901.02446",
        "A",
        when=_MASKS,
        prefer={"fpn": 2.0},
        because="A feature pyramid ends at the encoder's first map and is only scaled from there: cheaper than a "
        "decoder that works at {side} pixels.",
    ),
    Rule(
        "G7b",
        "From 256 pixels on every fine map is dear, and the cheaper decoder goes before U-Net's plain form.",
        "arXiv:1901.02446",
        "R",
        when={**_MASKS, "side": ">= 256"},
        prefer={"fpn": 1.0},
        because="At {side} pixels a side most of a decoder's work is on its finest maps, which a pyramid leaves out.",
    ),
    Rule(
        "G8",
        "SegFormer, attention on maps of four scales with a decoder of linear maps, wants many images: published "
        "results begin from ImageNet and 3,000 masks at least.",
        "arXiv:2105.15203, arXiv:2106.10270",
        "R",
        when={**_MASKS, "rows": "< 20000"},
        reject=("segformer",),
        because="{rows} images: a transformer that begins at random wants ten times as many; U-Net and FPN know that "
        "neighbours belong together.",
    ),
    Rule(
        "G8b",
        "From 20,000 images on SegFormer is worth its place: it sees the whole image from the first scale on.",
        "arXiv:2105.15203",
        "R",
        when={**_MASKS, "rows": ">= 20000"},
        prefer={"segformer": 2.75},
        because="{rows} images are enough for attention, which sees the whole image from the first scale on.",
    ),
    Rule(
        "G9",
        "DeepLab's rates 6, 12 and 18 are shares of a last map of 33 pixels a side: they want a large image, and one "
        "of 12 pixels a side at least, or they see its padding.",
        "arXiv:1706.05587 section 3.3, arXiv:1802.02611",
        "R",
        when={**_MASKS, "side": "< 192"},
        value={"last_map": 12, "rates": (6 / 33, 12 / 33, 18 / 33)},
        reject=("deeplabv3plus",),
        because="Images of {side} pixels a side: the last map of a U-Net, {last_map} pixels a side, sees all of it "
        "already; atrous convolutions have no context to add.",
    ),
    Rule(
        "G9b",
        "On large images atrous convolutions at several rates gather context that a U-Net's last map is too fine for.",
        "arXiv:1802.02611",
        "A",
        when={**_MASKS, "side": ">= 192"},
        prefer={"deeplabv3plus": 2.25},
        because="Images of {side} pixels a side: convolutions at several rates see how what lies far apart belongs "
        "together.",
    ),
    Rule(
        "G10",
        "Published weights of a classifier are a good encoder of a U-Net: with them it learns masks from fewer images, "
        "and sooner. The decoder begins at random, 16 channels wide at the image's size.",
        "arXiv:1801.05746, segmentation_models_pytorch",
        "R",
        when=_MASKS,
        value={"dim": 16, "upsample": "nearestupsample"},
        because="A decoder of U-Net takes in the map of each of its scales, and brings them back to {side} pixels a "
        "side.",
    ),
    Rule(
        "G11",
        "On the finest maps, widths that are multiples of 16 fill a CPU's vectors: at 96 pixels a U-Net of 16 channels "
        "there trained faster than one of 10 with two thirds of its multiply-adds.",
        "netwright: emoji composites, one AVX-512 thread, fp32 and bf16",
        "V",
        when=_MASKS,
        value={"multiple": 16},
    ),
    Rule(
        "G12",
        "U-Net's rate of AdamW, in runs of some hundred to thousand steps: 8e-3 for batches of 8. A quarter of it "
        "learned much less, three times as much was too high; batches of 8 did somewhat better than of 16.",
        "netwright: emoji composites, 96 pixels, 400 to 900 steps",
        "V",
        when=_MASKS,
        because="Batches of {batch_size} and the rate at which a U-Net learned fastest in runs of some hundred steps.",
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
