"""Depth, width and heads of transformers (S4)."""

from netwright.advise.rules.engine import Rule

TRANSFORMERS = (
    Rule(
        "S4.1",
        "At fixed parameters the loss is flat (< 3 %) over a 40-fold range of d/L; 50–130 is safe.",
        "arXiv:2001.08361 figure 5, arXiv:2203.15556 table A9",
        "V",
        fitted={"params_counted": "1e6..1.6e10"},
        value={"d_over_L": (50, 130)},
        because="Width and depth trade freely: the shape is chosen for speed.",
    ),
    Rule(
        "S4.2",
        "Depth pays up to L*(d) = (ln d − 5.039)/0.0555; deeper than that, prefer width.",
        "arXiv:2006.12467",
        "V",
        fitted={"dim": ">= 192"},
        value={"offset": 5.039, "slope": 0.0555},
    ),
    Rule(
        "S4.3",
        "Heads of 64 channels up to about 10⁹ parameters, 128 above.",
        "arXiv:2203.15556 table A9",
        "V",
        fitted={"params_counted": ">= 4.4e7"},
        value={"head_dim": 64, "small_head_dim": 32, "tiny_head_dim": 16},
        because="Heads have 64 channels; 32 or 16 in a network too narrow for four such heads.",
    ),
    Rule(
        "S4.4",
        "MLP ratio 4 (GELU, ReLU²); 8/3, rounded up to a multiple of 64, for gated ones (SwiGLU, GEGLU).",
        "arXiv:2002.05202",
        "R",
        value={"ratio": 4.0, "gated_ratio": 8 / 3},
    ),
    Rule(
        "S4.5",
        "Grouped-query attention with h/8 key-value heads loses little; one only if memory-bound.",
        "arXiv:2305.13245",
        "R",
        when={"task": "language_model"},
    ),
    Rule(
        "S4.6",
        "Mixture of experts: 8–64 experts, top-2, auxiliary loss 1e-2; count active N for FLOPs, all of it for memory.",
        "arXiv:2101.03961, arXiv:2202.08906",
        "R",
        when={"task": "language_model"},
    ),
    Rule(
        "S4.7",
        "RoPE, QK-norm, ReLU² and zero-initialised output projections took GPT-2 124 M training from 31.4 to 15.2 min.",
        "modded-nanogpt README (f411b3d3)",
        "V",
        when={"task": "language_model"},
    ),
    Rule(
        "S4.8",
        "Mamba: expand 2, d_state 16 (64–128 for Mamba-2), d_conv 4, twice a transformer's layers.",
        "arXiv:2312.00752",
        "R",
        when={"task": "language_model"},
    ),
)
