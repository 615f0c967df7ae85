"""Text: which family (L), and the sizes of text networks (S6)."""

from netwright.advise.rules.engine import Rule

_TEXT = {"modality": "text"}

TEXTS = (
    Rule(
        "L1",
        "TF-IDF with logistic regression is hard to beat on a few thousand texts: it is always trained "
        "beside.",
        "aclanthology:P12-2018",
        "R",
        when={"modality": "text", "rows": "< 20000"},
        because="On {rows} texts TF-IDF with logistic regression is strong: it is trained beside the "
        "network.",
    ),
    Rule(
        "L2",
        "A convolution over words with max-over-time pooling is the best small text classifier for its cost.",
        "arXiv:1408.5882, arXiv:1510.03820",
        "R",
        when=_TEXT,
        fitted={"rows": "3000..20000"},
        prefer={"textcnn": 3.0},
        because="In {rows} texts of up to {length} tokens short phrases decide: convolutions find them at "
        "once.",
    ),
    Rule(
        "L3",
        "A bidirectional LSTM with attention pooling reads order where it matters, on texts that are not "
        "long.",
        "aclanthology:P16-2034",
        "R",
        when=_TEXT,
        fitted={"rows": "5000..100000"},
        prefer={"bilstm": 2.0},
        because="A recurrent reading keeps the order of {length} tokens, and attention picks those that "
        "decide.",
    ),
    Rule(
        "L4",
        "A transformer encoder from scratch wants tens of thousands of texts.",
        "arXiv:1706.03762",
        "R",
        when={"modality": "text", "rows": ">= 20000"},
        prefer={"text_transformer": 2.5},
        because="{rows} texts begin to be enough for an encoder trained from scratch.",
    ),
    Rule(
        "L5",
        "On few texts a transformer from scratch stays behind convolutions and bags of words; keep it small.",
        "netwright",
        "R",
        when={"modality": "text", "rows": "300..20000"},
        prefer={"text_transformer": 1.0},
        because="{rows} texts are few for an encoder from scratch: a small one is tried as the second "
        "opinion.",
    ),
    Rule(
        "L6",
        "A transformer from scratch has nothing to learn word order from in a few hundred texts.",
        "netwright",
        "R",
        when={"modality": "text", "rows": "< 300"},
        reject=("text_transformer",),
        because="{rows} texts: an encoder from scratch wants about 20,000 and is not tried below 300.",
    ),
    Rule(
        "L7",
        "Beyond about 1,000 tokens an LSTM forgets and is slow: one step a token.",
        "arXiv:1803.01271",
        "R",
        when={"modality": "text", "length": "> 1000"},
        value={"tokens": 1000},
        reject=("bilstm",),
        because="Texts of {length} tokens (95th percentile) would take {length} steps in a row; 1,000 are "
        "the limit here.",
    ),
    Rule(
        "L8",
        "For long texts attention costs the square of the length; convolutions cost the length.",
        "arXiv:1706.03762",
        "V",
        when={"modality": "text", "length": "> 512"},
        prefer={"text_transformer": -1.0, "textcnn": 0.5},
        because="At {length} tokens attention looks at {attention_pairs} pairs in each layer.",
    ),
    Rule(
        "L9",
        "With few texts a narrow embedding and strong dropout: the table of word vectors holds most "
        "parameters.",
        "arXiv:1510.03820",
        "R",
        when={"modality": "text", "rows": "< 5000"},
        because="{vocabulary} words in {rows} texts: the word vectors hold most parameters, so they are "
        "kept narrow.",
    ),
    Rule(
        "S6.textcnn",
        "Text CNN: embedding 64–300, kernels 3, 4, 5 with 100 maps each, dropout .5, max over time.",
        "arXiv:1408.5882, arXiv:1510.03820",
        "R",
        when=_TEXT,
        value={"kernels": (3, 4, 5), "maps": 100, "dropout": 0.5},
        because="Kernels of 3, 4 and 5 words, dropout 0.5, the maximum over time.",
    ),
    Rule(
        "S6.rnn",
        "LSTM: d 128–512, 1–2 layers, forget bias +1, clip 1, dropout .2–.5 between layers.",
        "Jozefowicz 2015, arXiv:1708.02182",
        "R",
        when=_TEXT,
        value={"dim": (128, 512), "layers": (1, 2), "dropout": (0.2, 0.5)},
        because="One layer when small, two when larger, gradients clipped at 1.",
    ),
)
