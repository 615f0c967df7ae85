"""Detection (D): which detector, which anchors and maps, and how it is trained and judged."""

from netwright.advise.rules.engine import Rule

_BOXES = {"modality": "detection"}

DETECTION = (
    Rule(
        "D1",
        "RetinaNet, one stage on a feature pyramid with the focal loss, is the plain default: no second stage to tune, "
        "and the loss does not drown in background.",
        "arXiv:1708.02002, arXiv:1612.03144",
        "R",
        when=_BOXES,
        prefer={"retinanet": 3.0},
        because="One stage on a feature pyramid; the focal loss keeps thousands of empty places from drowning the "
        "{objects} objects of an image.",
    ),
    Rule(
        "D2",
        "YOLOX, without anchors and with a decoupled head, gives the most accuracy at little latency.",
        "arXiv:2107.08430",
        "R",
        when=_BOXES,
        prefer={"yolox": 2.0},
        because="No anchors to choose, and few operations: each pixel of a map predicts one box.",
    ),
    Rule(
        "D2b",
        "Under limits on latency or operations a detector of the YOLO kind goes first.",
        "arXiv:2107.08430",
        "R",
        when={"modality": "detection", "limited": True},
        prefer={"yolox": 1.5},
        because="You set limits ({limits}): a network with a single light head is made for that.",
    ),
    Rule(
        "D3",
        "Two stages look at each proposal again, aligned to its box: better on small and crowded objects, slower.",
        "arXiv:1506.01497, arXiv:1611.10012",
        "R",
        when=_BOXES,
        prefer={"faster_rcnn": 1.0},
        because="A second stage looks at each proposal again.",
    ),
    Rule(
        "D3b",
        "Small objects, below about 16 pixels a side, gain most from a second stage.",
        "arXiv:1611.10012",
        "R",
        when={"modality": "detection", "small_side": "< 16"},
        prefer={"faster_rcnn": 1.0},
        because="A quarter of the objects have less than {small_side} pixels a side: a second look at each helps.",
    ),
    Rule(
        "D3c",
        "Crowded images, of 20 objects and more, gain from a second stage.",
        "arXiv:1611.10012",
        "R",
        when={"modality": "detection", "objects": ">= 20"},
        prefer={"faster_rcnn": 1.0},
        because="{objects} objects an image stand close: a second look at each tells them apart.",
    ),
    Rule(
        "D3d",
        "On a CPU a second stage costs time: within minutes one stage sees the data more often.",
        "netwright: 8 images of 96 pixels and half a million parameters, 0.06 s a step with one stage, 0.10 s with two",
        "V",
        when={"modality": "detection", "device": "cpu", "time_s": "< 600"},
        prefer={"faster_rcnn": -1.0},
        because="In {time_s} s on a CPU a second stage sees the data less often.",
    ),
    Rule(
        "D4",
        "DETR needs no anchors and no suppression, but hundreds of passes over tens of thousands of images.",
        "arXiv:2005.12872 section 4, arXiv:2010.04159",
        "R",
        when={"modality": "detection", "rows": "< 20000"},
        reject=("detr",),
        because="DETR learns its places from many images: {rows} are too few.",
    ),
    Rule(
        "D4b",
        "DETR needs no anchors and no suppression; with many images and long training it reaches the others.",
        "arXiv:2005.12872",
        "R",
        when={"modality": "detection", "rows": ">= 20000"},
        prefer={"detr": 0.5},
        because="{rows} images are enough to learn places from.",
    ),
    Rule(
        "D5",
        "Anchors begin at the smallest objects: an object that no anchor overlaps by half is hardly learned. Small "
        "objects want a finer map too.",
        "arXiv:1708.02002 section 4, arXiv:1712.00960",
        "R",
        when=_BOXES,
        value={"fine": 16, "finest": 4, "coarse": 8, "least": 1.5, "most": 8.0},
        because="Half of the objects have less than {object_side} pixels a side, one in twenty less than {least_side}: "
        "anchors begin there, and the finest map has a stride of {finest}.",
    ),
    Rule(
        "D5b",
        "DETR has about twice as many queries as an image has objects: each object wants a free one.",
        "arXiv:2005.12872 appendix A.5",
        "R",
        when=_BOXES,
        value={"queries": 2.0, "least": 10, "most": 300},
    ),
    Rule(
        "D6",
        "Boxes move with their images: mirrored, zoomed, cropped and shifted alike.",
        "arXiv:1512.02325 section 3.6",
        "R",
        when=_BOXES,
        because="{rows} images are few: they are mirrored, zoomed, cropped and tinted, their boxes alike. If sides "
        "matter, take `flip_boxes` out of the recipe.",
    ),
    Rule(
        "D6b",
        "Grey images may be scans, where sides matter: they are zoomed and shifted, not mirrored.",
        "netwright",
        "R",
        when={"modality": "detection", "colour": False},
        because="Grey images may be scans, where sides matter: they are zoomed and shifted with their boxes, not "
        "mirrored.",
    ),
    Rule(
        "D7",
        "Baselines of boxes: the usual places of each class, and windows over the image that a linear model and a "
        "forest judge by colours and gradients, on the same split.",
        "Dalal & Triggs 2005; arXiv:1311.2524 for the regression of boxes",
        "V",
        when=_BOXES,
        because="The usual boxes of each class, and a linear model and a forest that judge windows by their "
        "colours and gradients, are trained on the same split.",
    ),
    Rule(
        "D8",
        "Adam at 1e-3 trains detectors of a few million parameters from the start; heads shared by all maps want a "
        "norm that knows no batch.",
        "arXiv:1811.08883, arXiv:1803.08494, netwright: emoji on photos",
        "V",
        when=_BOXES,
    ),
    Rule(
        "D9",
        "Published weights of a classifier are a good backbone of a detector: with them it finds objects after minutes "
        "on a CPU. Pyramid and heads begin at random.",
        "arXiv:1612.03144, netwright: emoji on photos",
        "V",
        when=_BOXES,
        value={"neck": 64, "hidden": 512},
        because="A feature pyramid takes in the backbone's maps of stride {finest} and more.",
    ),
)
