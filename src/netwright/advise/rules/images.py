"""Images: which family (V), and compound and design-space rules (S3)."""

from netwright.advise.rules.engine import Rule

_IMAGE = {"modality": "image"}

IMAGES = (
    Rule(
        "V1",
        "Residual convolutional networks are the strongest plain default for images trained from scratch.",
        "arXiv:1512.03385, arXiv:2110.00476",
        "R",
        when=_IMAGE,
        fitted={"rows": "5e4..1.3e6", "side": "32..224"},
        prefer={"resnet": 3.0},
        because="Residual convolutions carry the right assumptions (locality, translation) for {rows} "
        "images.",
    ),
    Rule(
        "V2",
        "ConvNeXt reaches or passes ResNet and Swin at equal FLOPs on ImageNet with the modern recipe; its "
        "patchify stem and depthwise 7×7 kernels want images of 64 pixels or more.",
        "arXiv:2201.03545",
        "R",
        when={"modality": "image", "side": ">= 64"},
        fitted={"rows": ">= 1e6", "side": ">= 224"},
        prefer={"convnext": 2.0},
        because="At {side} pixels there is room for large depthwise kernels behind a patchify stem.",
    ),
    Rule(
        "V3",
        "On small images ConvNeXt needs a finer stem, and it converges more slowly than a residual network.",
        "arXiv:2201.03545",
        "R",
        when={"modality": "image", "side": "< 64"},
        prefer={"convnext": 0.5},
        because="ConvNeXt works at {side} pixels only with a stem of small stride, and learns slowly on "
        "{rows} images.",
    ),
    Rule(
        "V4",
        "Inverted residuals with squeeze-excitation give the most accuracy a multiply-add on phones and "
        "CPUs.",
        "arXiv:1905.02244",
        "R",
        when={"modality": "image", "side": ">= 48"},
        fitted={"rows": ">= 1e6", "side": "96..224"},
        prefer={"mobilenetv3": 1.5},
        because="{side} pixels leave maps for MobileNetV3's five halvings, and it spends few multiply-adds.",
    ),
    Rule(
        "V5",
        "MobileNetV3 halves the map five times; an image below 24 pixels has room for one, and nearly all "
        "of its 11 or 15 blocks would work on the same few pixels.",
        "arXiv:1905.02244",
        "V",
        when={"modality": "image", "side": "< 24"},
        value={"halvings": 5},
        reject=("mobilenetv3",),
        because="{height}×{width} pixels have room for {halvings} of its five halvings before the map is "
        "smaller than 4×4 (S3.8): 11 or 15 blocks on the same few pixels.",
    ),
    Rule(
        "V6",
        "A convolutional tokeniser in front of attention is the safe transformer at moderate data.",
        "arXiv:2104.05704",
        "R",
        when=_IMAGE,
        fitted={"side": "28..224"},
        prefer={"cct": 1.0},
        because="Attention behind a convolutional tokeniser (CCT) is the transformer that {rows} images can "
        "train.",
    ),
    Rule(
        "V7",
        "A ViT scales best of all when there is data and compute for it.",
        "arXiv:2010.11929, arXiv:2106.10270",
        "R",
        when={"modality": "image", "rows": ">= 100000"},
        prefer={"vit": 1.5},
        because="{rows} images begin to be enough for a ViT.",
    ),
    Rule(
        "V8",
        "On a CPU depthwise convolutions run far below the speed of dense ones: equal FLOPs are not equal "
        "time.",
        "arXiv:2103.10584",
        "R",
        when={"modality": "image", "device": "cpu", "side": "< 96"},
        prefer={"convnext": -0.5, "mobilenetv3": -0.5},
        because="Depthwise kernels on {side}-pixel maps use this CPU poorly.",
    ),
    Rule(
        "V9",
        "With fewer than 1,000 images a transformer rarely keeps up with a small convolutional network.",
        "arXiv:2104.05704",
        "R",
        when={"modality": "image", "rows": "< 1000"},
        prefer={"cct": -1.0, "convnext": -0.5},
        because="{rows} images are very few for attention or for many channels.",
    ),
    Rule(
        "S3.1",
        "EfficientNet's compound rule: depth ×1.2^φ, width ×1.1^φ, resolution ×1.15^φ for FLOPs ×2^φ; "
        "channels to a multiple of 8, never below 90 % of the target.",
        "arXiv:1905.11946",
        "V",
        when=_IMAGE,
        fitted={"side": "224..600"},
        value={"depth": 1.2, "width": 1.1, "resolution": 1.15, "multiple": 8},
    ),
    Rule(
        "S3.2",
        "Fast scaling spends FLOPs on width: with FLOPs ×s, width ×√(s^0.8), depth ×s^0.1, resolution "
        "×√(s^0.1).",
        "arXiv:2103.06877",
        "R",
        when=_IMAGE,
        fitted={"side": ">= 128"},
        value={"width": 0.4, "depth": 0.1, "resolution": 0.05},
        because="Within a budget the width grows first: depth follows slowly.",
    ),
    Rule(
        "S3.3",
        "RegNet: widths on a quantised line, wm 2.2–2.7, about 20 blocks at any budget, bottleneck ratio 1, "
        "group width grows with the budget.",
        "arXiv:2003.13678",
        "V",
        when=_IMAGE,
        value={"wm": (2.2, 2.7), "blocks": 20},
    ),
    Rule(
        "S3.4",
        "ConvNeXt: stages 1:1:3:1, widths doubling, depthwise 7×7, expansion 4; the small ones 40–80 wide, "
        "2,2,6,2 deep.",
        "arXiv:2201.03545",
        "V",
        when=_IMAGE,
        value={"ratio": (1, 1, 3, 1)},
        because="Stages are 1:1:3:1 deep and double in width.",
    ),
    Rule(
        "S3.5",
        "ViT ladder (d, L, d_ff, heads): Ti 192,12,768,3 · S 384,12,1536,6 · M 512,12,2048,8 · B "
        "768,12,3072,12 · L 1024,24,4096,16 · H 1280,32,5120,16.",
        "big_vision models/vit.py",
        "V",
        when=_IMAGE,
        value={"ladder": ((192, 12), (384, 12), (512, 12), (768, 12), (1024, 24), (1280, 32))},
        because="Widths and depths follow the ViT ladder.",
    ),
    Rule(
        "S3.6",
        "Shape-optimal ViT: the MLP grows as compute^0.6, depth as ^0.45, width as ^0.22, so small ViTs are "
        "wider and shallower than Ti/S/B suggest.",
        "arXiv:2305.13035",
        "A",
        when=_IMAGE,
        value={"mlp": 0.6, "depth": 0.45, "width": 0.22},
    ),
    Rule(
        "S3.7",
        "Halving the patch gives 4 times the tokens and FLOPs at the same parameters; at equal FLOPs "
        "enlarge the patch rather than shrink the model.",
        "arXiv:2106.10270 section 4.6",
        "V",
        when=_IMAGE,
        because="When a limit binds, patches grow before the model shrinks.",
    ),
    Rule(
        "S3.8",
        "The last feature map is 4×4 or more (at 224 pixels 7×7): at most floor(log2(side/4)) halvings; "
        "28–32 pixels take a 3×3 stem of stride 1 and 2–3 halvings.",
        "arXiv:1512.03385 section 4.2",
        "R",
        when=_IMAGE,
        value={"last_map": 4, "small_side": 64},
        because="Images of {height}×{width}: the last map is useful after up to {halvings} halvings.",
    ),
    Rule(
        "S3.9",
        "MobileNet width multipliers 0.35, 0.5, 0.75, 1.0, 1.4: parameters and multiply-adds grow with "
        "their square.",
        "arXiv:1905.02244",
        "V",
        when=_IMAGE,
        value={"multipliers": (0.35, 0.5, 0.75, 1.0, 1.4)},
        because="The size is set by the width multiplier.",
    ),
    Rule(
        "S3.10",
        "Anchors: parameters and multiply-adds of 80 published models, counted.",
        "timm 1.0.31",
        "V",
        when=_IMAGE,
    ),
    Rule(
        "S3.11",
        "Channels in multiples of 8 (tensor cores, vector units), vocabularies in multiples of 64.",
        "NVIDIA deep learning performance guide",
        "V",
        value={"multiple": 8},
    ),
)
