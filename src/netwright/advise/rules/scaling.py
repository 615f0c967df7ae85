"""How size grows with compute and data: language models (S1) and elsewhere (S2)."""

from netwright.advise.rules.engine import Rule

_LM = {"task": "language_model"}

SCALING = (
    Rule(
        "S1.1",
        "A transformer of depth L and width d has N ≈ 12·L·d² parameters without embeddings (MLP ratio 4, "
        "or gated at 8/3); in general L·d²·(2 + 2·kv/h + k·r), k = 2 for a plain MLP, 3 for a gated one.",
        "arXiv:2001.08361",
        "V",
        when=_LM,
        value={"factor": 12},
    ),
    Rule(
        "S1.2",
        "Training FLOPs a token = 6·N + 12·L·d·T + 6·d·V; 6·N alone is 0.43–0.75 of it on small models.",
        "arXiv:2001.08361, arXiv:2204.02311",
        "V",
        when=_LM,
    ),
    Rule(
        "S1.3",
        "Loss L(N, D) = 1.69 + 406.4/N^0.34 + 410.7/D^0.28 (published constants; superseded by S1.4).",
        "arXiv:2203.15556",
        "V",
        when=_LM,
        fitted={"params_counted": "7e7..1.6e10"},
        value={"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28},
    ),
    Rule(
        "S1.4",
        "Loss L(N, D) = 1.8172 + 482.01/N^0.3478 + 2085.43/D^0.3658 (re-fit of the same runs; use this one).",
        "arXiv:2404.10102",
        "R",
        when=_LM,
        fitted={"params_counted": "7e7..1.6e10"},
        value={"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658},
    ),
    Rule(
        "S1.5",
        "Compute-optimal training uses about 20 tokens a parameter, N ≈ √(C/120); serve smaller and longer (40–200).",
        "arXiv:2203.15556",
        "V",
        when=_LM,
        value={"tokens_per_parameter": 20},
    ),
    Rule(
        "S1.6",
        "Repeated data: D' = U + U·R*·(1 − e^(−R/R*)), R* ≈ 15.4; up to 4 epochs count as new, beyond 16 little gain.",
        "arXiv:2305.16264",
        "A",
        when=_LM,
        fitted={"params_counted": "1e7..9e9"},
        value={"R_star": 15.4, "like_new": 4, "little_gain": 16},
    ),
    Rule(
        "S1.7",
        "Data-constrained runs want ten times the usual weight decay and, past a point, more parameters than epochs.",
        "arXiv:2605.01640",
        "A",
        when=_LM,
    ),
    Rule(
        "S1.8",
        "Keep D ≳ 5·10³·N^0.74 tokens so that over-fitting costs less than about 0.02 nats.",
        "arXiv:2001.08361 eq. 4.4",
        "R",
        when=_LM,
        value={"factor": 5e3, "exponent": 0.74},
    ),
    Rule(
        "S1.9",
        "Anchor shapes (d, d_ff, head dim, heads, L) of the Chinchilla sweep, 44 M to 16 B parameters.",
        "arXiv:2203.15556 table A9",
        "V",
        when=_LM,
        value={
            "shapes": (
                (512, 2048, 64, 8, 8),
                (640, 2560, 64, 10, 10),
                (768, 3072, 64, 12, 12),
                (1024, 4096, 64, 16, 16),
                (1280, 5120, 128, 10, 18),
                (1792, 7168, 128, 14, 23),
                (2304, 9216, 128, 18, 28),
                (3584, 14336, 128, 28, 40),
                (5120, 20480, 128, 40, 47),
            )
        },
    ),
    Rule(
        "S1.10",
        "lr = 0.3118·C^−0.1250 and batch tokens = 0.2920·C^0.3271, C in non-embedding FLOPs.",
        "arXiv:2401.02954",
        "R",
        when=_LM,
        fitted={"training_flops": "1e17..2e19"},
        value={"lr": (0.3118, -0.1250), "batch_tokens": (0.2920, 0.3271)},
    ),
    Rule(
        "S1.11",
        "Step law: lr = 1.79·N^−0.713·D^0.307 and batch tokens = 0.58·D^0.571.",
        "arXiv:2503.04715",
        "R",
        when=_LM,
        fitted={"params_counted": "6e7..1e9"},
        value={"lr": (1.79, -0.713, 0.307), "batch_tokens": (0.58, 0.571)},
    ),
    Rule(
        "S1.12",
        "GPT-3 ladder of lr and batch tokens from 125 M (6e-4, 0.5 M) to 175 B (0.6e-4, 3.2 M).",
        "arXiv:2005.14165 table 2.1",
        "R",
        when=_LM,
        value={
            "ladder": (
                (125e6, 6e-4, 0.5e6),
                (350e6, 3e-4, 0.5e6),
                (760e6, 2.5e-4, 0.5e6),
                (1.3e9, 2e-4, 1e6),
                (2.7e9, 1.6e-4, 1e6),
                (6.7e9, 1.2e-4, 2e6),
                (13e9, 1e-4, 2e6),
                (175e9, 0.6e-4, 3.2e6),
            )
        },
    ),
    Rule(
        "S2.1",
        "The best model size grows as n^0.57 for image classification (0.5–0.8 elsewhere): 10 times the "
        "data, 3 to 6 times the parameters.",
        "arXiv:1712.00409",
        "R",
        fitted={"rows": "5e4..1.3e6"},
        value={"exponent": {"image": 0.57, "table": 0.5, "text": 0.68, "segmentation": 0.5, "detection": 0.5}},
        because="{rows} rows: the size follows an anchor that grows as rows^{exponent}, here about "
        "{target_params} parameters.",
    ),
    Rule(
        "S2.2",
        "err(n, m) = a·n^−α + b·m^−β + c, fitted on 6–9 small runs, extrapolates 2–8 times reliably.",
        "arXiv:1909.12673",
        "R",
    ),
    Rule(
        "S2.3",
        "A scaling plan is S2.2 fitted on 3 data sizes × 3 model sizes of this very task, with its interval.",
        "netwright",
        "V",
    ),
    Rule(
        "S2.4",
        "A ViT from scratch wants about a million images; strong augmentation is worth about ten times the "
        "data, or a convolution stem.",
        "arXiv:2106.10270",
        "A",
        when={"modality": "image", "rows": "< 100000"},
        value={"images": 1_000_000, "augmentation_worth": 10},
        reject=("vit",),
        because="{rows} images: a ViT trained from scratch wants about 1,000,000, or about 100,000 with the "
        "strongest augmentation; a convolution stem (CCT) or a residual network needs far fewer.",
    ),
    Rule(
        "S2.4b",
        "Between 100,000 and a million images a ViT from scratch works with strong augmentation, behind convolutions.",
        "arXiv:2106.10270",
        "A",
        when={"modality": "image", "rows": "100000..1000000"},
        prefer={"vit": -1.0},
        because="{rows} images: enough for a ViT only with strong augmentation.",
    ),
    Rule(
        "S2.5",
        "Small images, up to 50,000: a convolutional tokeniser with 2–7 transformer layers of width 128–256 "
        "(CCT) beats a plain ViT; else a small residual network.",
        "arXiv:2104.05704",
        "R",
        when={"modality": "image", "side": "<= 64", "rows": "<= 100000"},
        fitted={"rows": "2e4..6e4", "side": "28..32"},
        prefer={"cct": 1.0, "resnet": 1.5},
        because="{rows} images of {side} pixels: a small residual network, or a compact transformer behind a "
        "convolutional tokeniser, learns from so few.",
    ),
    Rule(
        "S2.6",
        "Self-supervised knobs grow with the data: DINO output dim 1,024 below 20,000 images to 65,536 above 500,000.",
        "lightly-train 0.18 dino.py",
        "V",
        when={"task": "self_supervised"},
    ),
)
