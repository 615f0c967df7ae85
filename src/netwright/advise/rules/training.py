"""Training recipes (T): rates, batches, regularisation, augmentation."""

from netwright.advise.rules.engine import Rule

_IMAGE = {"modality": "image"}

TRAINING = (
    Rule(
        "T1",
        "SGD: lr = 0.1·B/256 with 5 epochs of warm-up, up to a batch of about 8,000 on ImageNet.",
        "arXiv:1706.02677, big_vision bit_i1k.py",
        "V",
        when=_IMAGE,
        fitted={"rows": "1e6..2e6"},
        value={"lr": 0.1, "batch_size": 256, "warmup_epochs": 5},
    ),
    Rule(
        "T2",
        "AdamW: the rate grows with the square root of the batch, below the critical batch.",
        "arXiv:2205.10287, arXiv:2405.14578",
        "R",
        value={"exponent": 0.5},
        because="The table's rate is for batches of {reference_batch}; for {batch_size} it is scaled by the "
        "square root.",
    ),
    Rule(
        "T3",
        "Don't tune the batch for the score: take the largest with near-linear speed-up, then tune the rate.",
        "Google tuning playbook",
        "V",
        because="{rows} rows in batches of {batch_size} make {steps_per_epoch} steps an epoch.",
    ),
    Rule(
        "T4",
        "The critical batch is about the gradient noise scale tr(Σ)/‖G‖².",
        "arXiv:1812.06162",
        "R",
    ),
    Rule(
        "T5",
        "μP: with Adam the rate of hidden matrices goes as 1/width; rate, schedule and init then transfer.",
        "arXiv:2203.03466, microsoft/mup README",
        "V",
    ),
    Rule(
        "T6",
        "Residual branches scaled by 1/√(2L) at the start, or their last layers zero.",
        "nanoGPT, arXiv:2310.02244",
        "V",
    ),
    Rule(
        "T7",
        "AdamW's rate when nothing is known: 1e-3 up to 100 M parameters at batches of 1,024–4,096; small "
        "networks on small batches take the same, or a few times that.",
        "big_vision configs, nanoGPT",
        "V",
        fitted={"params_counted": "1e6..1e8"},
        value={"lr": 1e-3},
        because="A network of {params_counted} parameters starts from the table's rate for its family.",
    ),
    Rule(
        "T8",
        "Linear warm-up over 2/(1−β2) steps, at most a tenth of all steps.",
        "arXiv:1910.04209, lightly-train",
        "R",
        value={"share": 0.1},
        because="The rate rises over the first {warmup} of the steps.",
    ),
    Rule(
        "T9",
        "Cosine (or linear) decay to 0–10 % of the peak over exactly the planned length.",
        "arXiv:2203.15556, arXiv:2405.18392, arXiv:2502.15938",
        "R",
        because="A half cosine to zero over exactly the planned steps.",
    ),
    Rule(
        "T10",
        "Weight decay is a time scale of 1/(lr·wd) steps: ∝ 1/n in the data; .05 ViT and ConvNeXt, .01 "
        "small nets; none on biases, norms, embeddings.",
        "arXiv:2405.13698, big_vision",
        "R",
        because="{rows} rows: weight decay {weight_decay}, none on biases, norms and embeddings.",
    ),
    Rule(
        "T11",
        "More augmentation with a larger model, less with more data; dropout or stochastic depth .1 only "
        "from B up on a million images.",
        "big_vision vit_i1k.py, vit_i21k.py",
        "V",
        when=_IMAGE,
        fitted={"rows": "1e6..1.4e7"},
        because="{rows} images are few, so they are varied in each pass.",
    ),
    Rule(
        "T11b",
        "Fewer than about ten passes over the images are too few to learn them by heart: turned and moved images only "
        "slow the learning then. Mirrored ones are as natural as the others.",
        "netwright: Fashion-MNIST, a residual network, 6 passes",
        "V",
        when=_IMAGE,
        fitted={"rows": "56000"},
        value={"passes": 10},
        because="The time allows about {passes} passes over {rows} images, too few to learn them by heart: they are "
        "not turned or moved.",
    ),
    Rule(
        "T12",
        "ResNet-50 from scratch: LAMB, BCE, mixup .1–.2, CutMix 1, RandAugment 6–7; 79.8 % in 300 epochs.",
        "arXiv:2110.00476",
        "R",
        when=_IMAGE,
        fitted={"rows": "1e6..2e6"},
    ),
    Rule(
        "T13",
        "DeiT, Swin, ConvNeXt: AdamW, weight decay .05, mixup .8, CutMix 1, label smoothing .1, drop path by size.",
        "arXiv:2012.12877, arXiv:2103.14030, arXiv:2201.03545",
        "R",
        when=_IMAGE,
        fitted={"rows": "1e6..2e6"},
        value={"weight_decay": 0.05, "label_smoothing": 0.1},
    ),
    Rule(
        "T14",
        "Flips, colour jitter and erasing depend on the labels: never on digits, letters, or where sides matter.",
        "AutoKeras 3.0.0 task_specific.py (the mistake)",
        "V",
        when={"modality": "image", "colour": False},
        because="Grey {height}×{width} images may be digits, letters or scans, which a flip would turn into "
        "something else: shifts and small turns only.",
    ),
    Rule(
        "T14b",
        "Colour photographs keep their label when mirrored left to right (an assumption: text and sides do not).",
        "arXiv:1512.03385 section 4.2",
        "R",
        when={"modality": "image", "colour": True},
        because="Assumed: these colour images are photographs that keep their label when mirrored left to "
        "right. If they show text or if sides matter, take `flip` out of the recipe.",
    ),
    Rule(
        "T14c",
        "Colour images below 24 pixels may be symbols as well as photographs: they are not mirrored.",
        "netwright",
        "R",
        when={"modality": "image", "colour": True, "side": "< 24"},
        because="Colour images of {side} pixels may be symbols: small shifts and turns only, no flips.",
    ),
    Rule(
        "T15",
        "Regression: standardise the target, so that a zero output is the mean; sigmoid heads start at −log(classes).",
        "big_vision",
        "V",
        when={"task": "regression"},
        because="The target is standardised: an output of zero is the mean.",
    ),
    Rule(
        "T16",
        "Clip the gradient's norm at 1, log it and the update/weight ratio (about 1e-3), fp32 weights, β2 "
        ".999 (.95 for language models).",
        "nanoGPT, arXiv:2309.14322",
        "V",
        value={"clip": 1.0, "betas": (0.9, 0.999)},
        because="Gradients are clipped at a norm of 1, so one bad batch can't break the run.",
    ),
    Rule(
        "T17",
        "Tuning: fix the batch, search the rate ±1.5 decades, then weight decay and dropout; three seeds "
        "before claiming a win.",
        "Google tuning playbook",
        "V",
    ),
    Rule(
        "T18",
        "A pretrained backbone nearly always beats training from scratch below 100,000 images.",
        "big_vision transfer.py, arXiv:1912.11370",
        "V",
        when={"modality": ("image", "segmentation", "detection"), "rows": "< 100000", "side": ">= 96"},
        because="{rows} images of {side} pixels: where published weights may be used, fine-tuning them is "
        "likely to beat every network trained from scratch.",
    ),
    Rule(
        "T19",
        "Label smoothing of .1 for classes calibrates and regularises; not for regression.",
        "arXiv:1512.00567, arXiv:1906.02629",
        "R",
        when={"task": ("binary", "multiclass")},
        fitted={"classes": ">= 10"},
        value={"many": 0.1, "few": 0.05},
        because="{classes} classes: targets are softened by {label_smoothing}.",
    ),
    Rule(
        "T20",
        "An average of the weights over the last steps is at least as good as the last weights, at no training cost.",
        "arXiv:1803.05407",
        "A",
        value={"most": 0.999},
        because="The handed-over weights are an average over about the last {ema_steps} steps.",
    ),
    Rule(
        "T21",
        "Mixup helps larger networks on longer runs; in short runs on small images it only slows the fit.",
        "arXiv:1710.09412",
        "R",
        when={"modality": "image", "rows": ">= 10000", "side": ">= 32"},
        value={"alpha": 0.2},
        because="{rows} images and a long run: pairs of images are mixed, α 0.2.",
    ),
    Rule(
        "T22",
        "Dropping words at random regularises text classifiers as much as dropout does.",
        "arXiv:1511.01432, arXiv:1901.11196",
        "R",
        when={"modality": "text"},
        value={"p": 0.1},
        because="A tenth of the words is dropped at random in each pass over {rows} texts.",
    ),
    Rule(
        "T23",
        "Small data want more dropout: .1 above 50,000 rows, up to .3 below 1,000.",
        "jmlr:v15/srivastava14a",
        "R",
        when={"modality": "table"},
        value={"few": 0.3, "some": 0.2, "many": 0.1},
        because="{rows} rows: dropout {dropout}.",
    ),
    Rule(
        "T24",
        "bf16 trains as well as fp32 where the hardware is fast at it; on a CPU only large dense layers "
        "gain, and fp16 is about 100 times slower: never.",
        "netwright: knowledge of kernels, measured",
        "V",
        value={"precision": "fp32"},
        because="fp32: networks of this size gain nothing from bf16 on {device}.",
    ),
    Rule(
        "T25",
        "With classes in a ratio beyond 10 to 1, judge by balanced metrics; weighting the loss costs calibration.",
        "arXiv:1710.05381",
        "A",
        when={"task": ("binary", "multiclass"), "imbalance": "> 10"},
        because="The largest class has {imbalance} times the rows of the smallest: read balanced accuracy or AUC.",
    ),
    Rule(
        "T26",
        "With published weights first train what begins at random alone, then everything, the first layers slowest: "
        "starting with everything distorts the features.",
        "arXiv:2202.10054, arXiv:2003.10555",
        "R",
        because="Training begins from {weights}.",
    ),
)
