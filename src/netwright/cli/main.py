"""`netwright`: the commands and their options."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    name="netwright",
    help="From data and a brief to a neural network that fits both, in source that you own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    human = "human"
    json = "json"
    quiet = "quiet"


Output = Annotated[Format, typer.Option("--format", help="What to print.")]


@app.command()
def design(
    source: Annotated[
        str,
        typer.Argument(
            help="CSV, TSV, Parquet, JSONL, NPZ, NPY, a folder with one folder of images a class, or with images/ "
            "and masks/, or with boxes (COCO's JSON, Pascal VOC's XML), or one of "
            "scikit-learn's sets: breast_cancer, diabetes, digits, iris, wine."
        ),
    ],
    target: Annotated[str | None, typer.Option(help="The column (or array, or file) to predict.")] = None,
    text: Annotated[str | None, typer.Option(help="Classify the text in this column.")] = None,
    task: Annotated[
        str | None, typer.Option(help="binary, multiclass, regression, segmentation or detection; seen from the data.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="accuracy, f1_macro, auc, log_loss, rmse, mae, r2, miou, dice, ap50, map50_95 and others."),
    ] = None,
    params: Annotated[
        str | None, typer.Option(help="Most parameters: 200k, 1.5M.", rich_help_panel="Hard limits")
    ] = None,
    flops: Annotated[
        str | None, typer.Option(help="Most operations a forward: 50M, 1G.", rich_help_panel="Hard limits")
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(help="Longest forward at batch 1, measured here: 5ms.", rich_help_panel="Hard limits"),
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(help="Most memory of a forward, weights included: 100MB.", rich_help_panel="Hard limits"),
    ] = None,
    size: Annotated[str | None, typer.Option(help="Largest weights file: 1MB.", rich_help_panel="Hard limits")] = None,
    time: Annotated[
        str | None,
        typer.Option(
            help="Time for training all candidates: 90s, 10min. [default: 2min]",
            rich_help_panel="Hard limits",
        ),
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Keep rows with the same value in one part.", rich_help_panel="Data")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="Train on the past, test on the latest.", rich_help_panel="Data")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(help="Your own test part: a file or folder like the data.", rich_help_panel="Data"),
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(help="Share of the rows kept for the test. [default: 0.2]", rich_help_panel="Data"),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(help="A column to leave out; may be given again.", rich_help_panel="Data"),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side to which images are brought.", rich_help_panel="Data")
    ] = None,
    prefer: Annotated[
        list[str] | None,
        typer.Option(help="Try this family first; may be given again.", rich_help_panel="Choice"),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave this family out; may be given again.", rich_help_panel="Choice"),
    ] = None,
    pretrained: Annotated[
        str | None,
        typer.Option(
            help="Published weights to begin from: a file, a folder, a hub id, or auto.", rich_help_panel="Choice"
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Train every candidate for so many steps instead of by time: the same result every time.",
            rich_help_panel="Choice",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the split, the weights and the batches.")] = 0,
    workers: Annotated[int | None, typer.Option(help="Candidates trained side by side. [default: the cores]")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the result goes. [default: out/NAME]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    format: Output = Format.human,
) -> None:
    """Design a network for a data set: look, propose, size, train, compare, report, hand over.

    Examples:
      netwright design digits
      netwright design houses.csv --target price --params 200k --time 2min
      netwright design photos/ --latency 5ms --memory 100MB
      netwright design reviews.csv --text review --target label --out out/reviews
    """
    options = {name: value for name, value in locals().items() if name not in ("source", "format", "out", "resume")}
    options = {name: value for name, value in options.items() if value is not None}
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        result = workbench.design(source, **options, out=out, resume=resume, narrator=view)
        view.result(result)
    if result.interrupted:
        raise typer.Exit(result.exit_code)
    if result.missed:  # met while sizing, missed at the last measurement
        raise typer.Exit(1)


@app.command()
def train(
    file: Annotated[Path, typer.Argument(help="A design.yaml.")],
    data: Annotated[str | None, typer.Option(help="Train on this instead of the data that the design names.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training. [default: the recipe's]")] = None,
    seed: Annotated[int | None, typer.Option(help="[default: the recipe's]")] = None,
    threads: Annotated[int | None, typer.Option(help="[default: the cores]")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the result goes. [default: out/NAME-trained]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training, bit for bit.")] = False,
    format: Output = Format.human,
) -> None:
    """Train a design from its file, as its recipe says."""
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        result = workbench.train(
            file, data=data, steps=steps, seed=seed, threads=threads, out=out, resume=resume, narrator=view
        )
        view.result(result)
    if result.interrupted:
        raise typer.Exit(result.exit_code)


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="What `design` or `train` wrote.")],
    source: Annotated[str, typer.Argument(help="New data, like those that it learned from.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write the predictions to this CSV (boxes: or JSON; masks: to this folder), not to the screen."
        ),
    ] = None,
) -> None:
    """Predict for new rows; the score too where they hold the target."""
    from netwright.cli.screen import screen

    with screen(Format.quiet) as view:
        from netwright import workbench

        predictions = workbench.predict(folder, source)
        view.predictions(predictions, out)


@app.command(name="list")
def list_(
    what: Annotated[
        str | None, typer.Argument(help="families, presets, blocks or devices. [default: families]")
    ] = None,
    format: Output = Format.human,
) -> None:
    """List the families, their presets, the blocks that fill their slots, or the devices known by datasheet."""
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        view.listing(workbench.listing(what or "families"), what or "families")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A family, `family:preset`, a block, or a design.yaml.")],
    format: Output = Format.human,
) -> None:
    """Show what a family, preset, block or design file is: arguments, slots, parameters, source."""
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        view.shown(workbench.show(name))


Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", help="Shape of an input without the batch: 3,224,224; 128:int. Again for the next one."),
]
Batch = Annotated[int, typer.Option(help="Samples in a batch.")]
Train = Annotated[bool, typer.Option("--train", help="A training step: backward, gradients, the optimizer's state.")]
Optimizer = Annotated[str, typer.Option(help="adamw, adam, momentum, sgd or adamw8bit; with --train.")]
Dtype = Annotated[str | None, typer.Option(help="As if in fp32, bf16 or fp16.")]
Gate = Annotated[
    str | None, typer.Option(help="Exit with 1 above params=5M,macs=2G,flops=4G,memory=100MB,size=20MB,latency=5ms.")
]
Device = Annotated[
    str | None,
    typer.Option(
        help="Its latency on this device: here (measured), or one of `netwright list devices` (estimated).",
        rich_help_panel="Latency",
    ),
]
Threads = Annotated[int | None, typer.Option(help="PyTorch's threads, for here.", rich_help_panel="Latency")]
Axis = Annotated[
    str | None,
    typer.Option(
        metavar="AXIS", help="How the cost grows with batch, length, resolution, depth or width; length=512,1024,2048."
    ),
]


def print_schema(value: bool) -> None:
    if value:
        import json

        from netwright.inspect import json_schema

        print(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        raise typer.Exit


@app.command()
def inspect(
    target: Annotated[
        str,
        typer.Argument(
            help="A design.yaml, resnet50, vit:base, timm:NAME, torchvision:NAME, transformers:FOLDER, "
            "mynet.py:Net (which is run), package.module:attribute, model.pt2, or model.onnx."
        ),
    ],
    input: Inputs = None,
    batch: Batch = 1,
    train: Train = False,
    optimizer: Optimizer = "adamw",
    dtype: Dtype = None,
    device: Device = None,
    threads: Threads = None,
    samples: Annotated[
        str | None,
        typer.Option(help="Hours of training on so many samples (1.28M); with --train.", rich_help_panel="Latency"),
    ] = None,
    epochs: Annotated[float, typer.Option(help="For --samples.", rich_help_panel="Latency")] = 1,
    devices: Annotated[
        int | None,
        typer.Option(help="Side by side, for --samples (default 1); to shard over, for --savings (default 8)."),
    ] = None,
    symbolic: Annotated[
        bool, typer.Option("--symbolic", help="Sizes as expressions in batch, length or resolution: B×64×⌈H/4⌉.")
    ] = False,
    depth: Annotated[
        int | None, typer.Option(help="Levels of layers to show, also in --svg and --mermaid. [default: all]")
    ] = None,
    savings: Annotated[bool, typer.Option("--savings", help="What would save memory; with --train.")] = False,
    fit: Annotated[
        str | None, typer.Option(help="The largest batch that fits so much memory: 24GB, or a device: h100.")
    ] = None,
    growth: Axis = None,
    field: Annotated[
        bool, typer.Option("--field", help="How far it sees: receptive fields, attention's reach.")
    ] = False,
    budget: Gate = None,
    html: Annotated[
        Path | None, typer.Option(help="Write its picture, to open and close, to this page.", rich_help_panel="Picture")
    ] = None,
    svg: Annotated[Path | None, typer.Option(help="Write it as one drawing.", rich_help_panel="Picture")] = None,
    mermaid: Annotated[
        Path | None, typer.Option(help="Write it as a Mermaid flowchart, for Markdown.", rich_help_panel="Picture")
    ] = None,
    schema: Annotated[
        bool,
        typer.Option("--schema", callback=print_schema, is_eager=True, help="Print the JSON Schema of --format json."),
    ] = False,
    format: Output = Format.human,
) -> None:
    """Show what any network is and costs: layers, parameters, MACs, memory.

    Examples:
      netwright inspect resnet50
      netwright inspect torchvision:maskrcnn_resnet50_fpn --input 3,480,640
      netwright inspect mynet.py:Net --input 3,224,224 --train --batch 8
      netwright inspect vit:base --train --batch 32 --savings --fit 24GB
      netwright inspect vit:base --html vit.html --svg vit.svg
      netwright inspect resnet50 --train --batch 256 --dtype bf16 --device h100 --samples 1.28M --epochs 90
      netwright inspect resnet50 --field
      netwright inspect vit:base --growth resolution=224,384,512
      netwright inspect design.yaml --budget params=5M,memory=100MB
    """
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench
        from netwright.errors import InputError

        if savings and not train:
            raise InputError("what is saved is of a training step", where="--savings", fix="add --train")
        options: dict[str, Any] = {"train": train, "optimizer": optimizer, "dtype": dtype}
        asked: dict[str, Any] = {"device": device, "threads": threads, "symbolic": symbolic}
        asked |= {"growth": growth, "field": field}
        blueprint = workbench.inspect(target, input, batch=batch, **options, **asked)
        training = saved = fitting = None
        if samples is not None:
            training = workbench.hours(blueprint, samples, epochs, 1 if devices is None else devices)
        over = workbench.over_budget(blueprint, budget) if budget else []
        if savings:
            over_devices = 8 if devices is None else devices
            saved = workbench.savings(
                target, input, batch=batch, optimizer=optimizer, dtype=dtype, devices=over_devices
            )
        if fit is not None:
            fitting = workbench.largest_batch(target, fit, input, **options)
        for kind, path in (("html", html), ("svg", svg), ("mermaid", mermaid)):
            if path is not None:
                workbench.draw(blueprint, path, kind, title=target, depth=depth)
        view.blueprint(blueprint, target, depth, over, training, saved, fitting)
    if over or (fitting and not fitting.batch):
        raise typer.Exit(1)


@app.command()
def calibrate(
    threads: Annotated[int | None, typer.Option(help="PyTorch's threads. [default: the cores]")] = None,
    format: Output = Format.human,
) -> None:
    """Learn this machine's speed (a minute or two), for networks too large to be run here.

    Measures networks of its own, whole and operator by operator, and says how well the one predicts the other.
    """
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        view.calibration(workbench.calibrate(threads, view))


@app.command()
def diff(
    left: Annotated[str, typer.Argument(help="A network, as for inspect.")],
    right: Annotated[str, typer.Argument(help="The other one.")],
    input: Inputs = None,
    batch: Batch = 1,
    train: Train = False,
    optimizer: Optimizer = "adamw",
    dtype: Dtype = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Exit with 1 where the second exceeds it: params=5M; with a sign, the first: params=+5%,macs=+0."
        ),
    ] = None,
    depth: Annotated[int | None, typer.Option(help="Levels of layers to show. [default: all]")] = None,
    format: Output = Format.human,
) -> None:
    """Show two networks side by side: totals, and the layers that were added, removed or changed.

    Examples:
      netwright diff resnet50 resnet101
      netwright diff old.yaml new.yaml --budget params=+5%,macs=+0
      netwright diff resnet50 resnet:se50 --budget params=30M --depth 1
    """
    from netwright.cli.screen import screen

    with screen(format) as view:
        from netwright import workbench

        both = [
            workbench.inspect(target, input, train=train, batch=batch, optimizer=optimizer, dtype=dtype)
            for target in (left, right)
        ]
        over = workbench.over_limits(both[1], both[0], budget) if budget else []
        view.difference(both, (left, right), over, depth)
    if over:
        raise typer.Exit(1)


def version(value: bool) -> None:
    if value:
        import netwright

        print(f"netwright {netwright.__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without UTF-8 shows "?" instead of failing
    app()
