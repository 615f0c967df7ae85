"""Tables: which family (B), and the sizes of tabular networks (S5)."""

from netwright.advise.rules.engine import Rule

_TABLE = {"modality": "table"}

TABLES = (
    Rule(
        "B1",
        "A well-tuned MLP is a strong and fast tabular network.",
        "arXiv:2106.11189, arXiv:2407.04491",
        "R",
        when=_TABLE,
        prefer={"mlp": 3.0},
        because="An MLP reads {features} columns in one step and trains fastest on {rows} rows.",
    ),
    Rule(
        "B2",
        "Boosted trees remain strong on tables of medium size with irregular targets and uninformative "
        "columns.",
        "arXiv:2207.08815",
        "A",
        when={"modality": "table", "rows": "< 100000"},
        fitted={"rows": "3000..50000"},
        because="On {rows} rows boosted trees are hard to beat: they are trained beside the network.",
    ),
    Rule(
        "B3",
        "Embedding each number (piecewise-linear or periodic) lifts MLPs to the level of transformers.",
        "arXiv:2203.05556",
        "A",
        when={"modality": "table", "numeric": ">= 1", "rows": ">= 1000"},
        fitted={"rows": "1e4..1e6"},
        value={"points": 1.0},
        because="{numeric} numeric columns and {rows} rows: each number gets an embedding of its own.",
    ),
    Rule(
        "B4",
        "Below 1,000 rows numeric embeddings add parameters that the data can't fill: the plain MLP goes "
        "first.",
        "netwright",
        "R",
        when={"modality": "table", "rows": "< 1000"},
        value={"points": 1.0},
        because="{rows} rows can't fill numeric embeddings: the plain inputs go first.",
    ),
    Rule(
        "B5",
        "FT-Transformer is the best single tabular network on some problems, at several times an MLP's cost.",
        "arXiv:2106.11959",
        "A",
        when={"modality": "table", "rows": ">= 1000"},
        fitted={"rows": "1e4..1e6"},
        prefer={"ft_transformer": 1.5},
        because="Attention over {features} columns finds their interactions, given {rows} rows.",
    ),
    Rule(
        "B6",
        "Attention over columns costs their square: not beyond about 300 columns on a CPU.",
        "arXiv:2106.11959",
        "V",
        when={"modality": "table", "features": "> 300"},
        value={"columns": 300},
        reject=("ft_transformer",),
        because="{features} columns make {attention_pairs} pairs of tokens a row in each layer; 300 columns "
        "(90,000 pairs) are the limit here.",
    ),
    Rule(
        "B7",
        "Below 500 rows a transformer over columns over-fits before it learns.",
        "arXiv:2106.11959",
        "R",
        when={"modality": "table", "rows": "< 500"},
        prefer={"ft_transformer": -1.0},
        because="{rows} rows are too few for attention to learn which columns interact.",
    ),
    Rule(
        "B8",
        "A residual MLP with batch norm is the steady second choice for tables.",
        "arXiv:2106.11959",
        "V",
        when=_TABLE,
        prefer={"tabular_resnet": 1.5},
        because="A residual MLP with batch norm goes deeper than a plain one on {features} columns.",
    ),
    Rule(
        "B9",
        "An ensemble of MLPs that share most weights (TabM) gives the best mean rank of the tabular "
        "networks.",
        "arXiv:2410.24210",
        "A",
        when={"modality": "table", "rows": ">= 1000"},
        fitted={"rows": "1e4..1e6"},
        prefer={"tabm": 4.5},
        because="Many MLPs in one, sharing most weights, average out the noise of {rows} rows.",
    ),
    Rule(
        "B10",
        "On small tables the averaging of TabM still helps, but a plain MLP trains faster.",
        "arXiv:2410.24210",
        "R",
        when={"modality": "table", "rows": "< 1000"},
        prefer={"tabm": 2.5},
        because="Averaging many small MLPs steadies the result on {rows} rows.",
    ),
    Rule(
        "S5.1",
        "FT-Transformer by blocks 1..6: d 96,128,192,256,320,384; attention dropout .1–.35, FFN dropout "
        "0–.25; 8 heads, ReGLU ×4/3, AdamW 1e-4, weight decay 1e-5; default 3 blocks.",
        "rtdl_revisiting_models 0.0.2",
        "V",
        when=_TABLE,
        fitted={"rows": "1e4..1e6"},
        value={
            "dim": (96, 128, 192, 256, 320, 384),
            "attention_dropout": (0.1, 0.15, 0.2, 0.25, 0.3, 0.35),
            "ffn_dropout": (0.0, 0.05, 0.1, 0.15, 0.2, 0.25),
            "heads": 8,
        },
        because="Width, depth and dropout follow the authors' ladder.",
    ),
    Rule(
        "S5.2",
        "RealMLP: 3×256, dropout .15, numeric embeddings, label smoothing .1, weight decay 2e-2, 256 "
        "epochs, batch 256.",
        "arXiv:2407.04491, pytabkit 1.7.3",
        "V",
        when=_TABLE,
        fitted={"rows": "1e3..5e5"},
        value={"depth": 3, "dim": 256, "dropout": 0.15, "batch_size": 256, "epochs": 256},
        because="Up to three layers; the width follows from the rows.",
    ),
    Rule(
        "S5.3",
        "TabM: 32 members, 3 blocks of 512 (2 with piecewise-linear embeddings), dropout .1, lr 2e-3, batch "
        "256.",
        "pytabkit 1.7.3, AutoGluon 1.6.3",
        "V",
        when=_TABLE,
        fitted={"rows": "1e4..1e6"},
        value={"members": 32, "depth": 3, "dim": 512, "lr": 2e-3},
        because="Members share nearly all weights; there are 32, or fewer in a narrow network.",
    ),
    Rule(
        "S5.4",
        "Residual MLP: batch norm → linear d→2d → ReLU → dropout → linear, added; 2–4 blocks, d 128–512.",
        "arXiv:2106.11959",
        "V",
        when=_TABLE,
        fitted={"rows": "1e4..1e6"},
        value={"blocks": (2, 4), "dim": (128, 512)},
        because="One to four residual blocks, twice as wide inside.",
    ),
    Rule(
        "S5.5",
        "Boosted trees' hyper-parameters from meta-features score like a long search, in a second.",
        "arXiv:2202.09927",
        "V",
        when=_TABLE,
    ),
    Rule(
        "S5.6",
        "Below about 1,000 rows ridge or logistic regression comes first; trees and tuned networks from "
        "1,000 to 100,000.",
        "arXiv:2506.16791",
        "A",
        when={"modality": "table", "rows": "< 1000"},
        value={"rows": 1000},
        because="{rows} rows: a linear model is the first thing to beat; the networks are kept small and "
        "regularised.",
    ),
    Rule(
        "S5.7",
        "Width of a category's embedding: min(600, round(1.6·cardinality^0.56)); one-hot suffices up to 9 "
        "categories.",
        "fastai emb_sz_rule, pytabkit 1.7.3",
        "V",
        when={"modality": "table", "categorical": ">= 1"},
        value={"factor": 1.6, "exponent": 0.56, "most": 600},
        because="{categorical} categorical columns, the largest with {max_cardinality} levels, are embedded.",
    ),
)
