"""Defaults of further families and tasks (S6)."""

from netwright.advise.rules.engine import Rule

OTHER = (
    Rule(
        "S6.tcn",
        "TCN: receptive field 1 + 2·(k−1)·(2^L − 1) ≥ the needed context; solve for L.",
        "arXiv:1803.01271",
        "V",
        when={"modality": "series"},
    ),
    Rule(
        "S6.gnn",
        "Graph networks: 2–4 layers, d 64–256, residual, batch norm, dropout .2–.7, lr 1e-3–1e-2.",
        "arXiv:2406.08993",
        "R",
        when={"modality": "graph"},
        value={"layers": (2, 4), "dim": (64, 256)},
    ),
    Rule(
        "S6.unet",
        "U-Net: base 32 (small medical data) or 64, doubling, floor(log2(min side/8)) levels, at most 5.",
        "nnU-Net (Isensee 2021)",
        "R",
        when={"task": "segmentation"},
    ),
    Rule(
        "S6.detection",
        "Detection: SGD lr .02 for 16 images (linear), 90,000 steps; DETR AdamW 1e-4, backbone 1e-5, clip .1.",
        "Detectron2, arXiv:2005.12872",
        "R",
        when={"task": "detection"},
    ),
    Rule(
        "S6.dit",
        "DiT: AdamW 1e-4 constant, no weight decay, batch 256, EMA .9999, adaLN-zero; (384,12) to (1152,28).",
        "arXiv:2212.09748",
        "R",
        when={"task": "generation"},
    ),
    Rule(
        "S6.conformer",
        "Conformer S/M/L: (144, 16 layers, 4 heads), (256, 16, 4), (512, 17, 8), convolution kernel 32.",
        "arXiv:2005.08100",
        "R",
        when={"modality": "audio"},
    ),
    Rule(
        "S6.vae",
        "Autoencoders: latent at most a tenth of the input, β warm-up; check the active units.",
        "netwright",
        "R",
        when={"task": "representation"},
    ),
    Rule(
        "S6.lora",
        "LoRA: rank 8–16, α = 2r, all linear layers, lr about 10 times full fine-tuning.",
        "arXiv:2106.09685, arXiv:2312.03732",
        "R",
        when={"task": "fine_tuning"},
    ),
)
