"""The order of decisions (S0) and the resources that bound them (R)."""

from netwright.advise.rules.engine import Rule

ORDER = (
    Rule(
        "S0.1",
        "Hard limits come first: they bound the family's size, found by bisection on counted and measured values.",
        "netwright",
        "V",
        when={"limited": True},
        because="The limits {limits} hold before anything else; sizes are counted and measured, not estimated.",
    ),
    Rule(
        "S0.2",
        "The data and the training time bound the size next; the smaller of the two bounds counts.",
        "netwright",
        "V",
        because="{rows} training rows bound the size of the network; a limit of yours can only make it smaller.",
    ),
    Rule(
        "S0.3",
        "No published law gives a width for n samples: on small data use anchor sizes, a learning curve, baselines.",
        "netwright",
        "V",
        when={"rows": "< 100000"},
        because="No published law sizes a network for {rows} rows: the size is an anchor, tested by the "
        "learning curve.",
    ),
    Rule(
        "S0.4",
        "Train baselines beside every network: majority or mean, linear, boosted trees, on the same split.",
        "netwright",
        "V",
        when={"modality": ("image", "table", "text")},
        because="Majority or mean, a linear model and boosted trees are trained on the same split.",
    ),
    Rule(
        "S0.5",
        "Below 1,000 rows a test score is uncertain by several points: report its interval, prefer small networks.",
        "netwright",
        "V",
        when={"rows": "< 1000"},
        value={"rows": 1000, "exponent": 0.5},
        because="{rows} rows leave a test part of {test_rows}: its score is uncertain by several points, and the "
        "networks are made smaller than the anchor says.",
    ),
    Rule(
        "R1",
        "Within a training time the network must see the data often enough: about 30 passes on small data, "
        "fewer on more (800,000 samples in all, between 3 and 40 passes). Masks want 16,000 images in all at least, a "
        "thousand steps: with fewer, a fifth of the size learns more.",
        "netwright: own runs on small images, tables and emoji composites, 2 cores",
        "V",
        when={"time_s": "> 0"},
        fitted={"rows": "1000..60000"},
        value={
            "samples": 800_000,
            "least_samples": {"segmentation": 16_000},
            "least_passes": 3,
            "most_passes": 40,
            "share": 0.4,
        },
        because="In {time_s} s of training the network must still see {rows} rows {passes} times.",
    ),
    Rule(
        "R2",
        "Depthwise and mobile networks are made for tight limits of parameters, FLOPs and latency at 96 "
        "pixels or more.",
        "arXiv:1905.02244",
        "V",
        when={"modality": "image", "limited": True, "side": ">= 96"},
        prefer={"mobilenetv3": 2.0},
        because="You set limits ({limits}) on images of {side} pixels: mobile networks are made for that.",
    ),
    Rule(
        "R3",
        "On a CPU sequential recurrence costs its length in steps; convolution and attention run all tokens at once.",
        "netwright",
        "V",
        when={"modality": "text", "device": "cpu", "length": "> 256"},
        prefer={"bilstm": -1.5},
        because="An LSTM takes {length} steps one after another for a long text on this CPU.",
    ),
    Rule(
        "R4",
        "When the memory limit is tight, prefer few, wide layers on small maps: activations, not weights, fill memory.",
        "arXiv:2103.06877",
        "R",
        when={"modality": "image", "memory_limited": True},
        fitted={"side": ">= 128"},
        because="At {side} pixels activations fill the memory: width grows before resolution.",
    ),
)
