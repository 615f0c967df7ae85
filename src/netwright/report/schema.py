"""The report's one JSON, said precisely, as a JSON Schema (draft 2020-12).

Thirteen sections, in the order in which they are read; every one may be absent or empty, as an interrupted
run has no test scores and a brief without limits no budget. What is absent is left out of the page, and the
page says so.

General conventions
- A number may be null: not known, not counted, or not finite (`write` turns NaN and ±inf into null).
- `how` says how a number was got, in words that begin with counted, measured, estimated, bound or from the
  paper.
- A *reason* is a sentence, or {"rule", "text", "source", "confidence"}.
- A *series* is {"x": [...], "y": [...]}, of equal length; `name` where the metric's name is not said
  elsewhere.
- An *interval* is [low, high], or null.
- A *layer row* is one module in model order: `path`, `class`, `depth`, `shape` of its output without the
  batch, `params`, `macs` and `activations` (numbers newly made for one example) of one copy with everything inside it;
  `repeat` where rows are folded already (rows that are not are folded here). An operator between modules is
  a row with a class such as "add", "mul" or "cat". An *edge* is {"from", "to"} by path; "input" and
  "output" are the network's ends, a group's own path stands for what enters it (from) and leaves it (to).
"""

from typing import Any

SECTIONS = (
    "verdict",
    "brief",
    "decision",
    "diagram",
    "layers",
    "cost",
    "recipe",
    "validation",
    "baselines",
    "scaling",
    "deployment",
    "limits",
    "provenance",
)

Schema = dict[str, Any]
TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
COUNT: Schema = {"type": ["integer", "null"]}
SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
VALUE: Schema = {"anyOf": [SCALAR, {"type": "array"}, {"type": "object"}]}
INTERVAL: Schema = {"type": ["array", "null"], "items": NUMBER, "minItems": 2, "maxItems": 2}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object of these keys and no others: a key that no renderer reads is a mistake."""
    names = {name.rstrip("_"): schema for name, schema in properties.items()}
    return {
        "type": "object",
        "properties": names,
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


REASON: Schema = {
    "anyOf": [
        {"type": "string"},
        _object(("text",), rule=TEXT, text={"type": "string"}, source=TEXT, confidence=SCALAR),
    ]
}
REASONS = _list(REASON)
SERIES = _object(("x", "y"), x=_list(NUMBER), y=_list(NUMBER), name=TEXT)
SCORED = _object(("score",), name=TEXT, score=NUMBER, interval=INTERVAL)
DIFFERENCE = _object(("value",), against=TEXT, value=NUMBER, interval=INTERVAL, method=TEXT)
LAYER = _object(
    ("path", "class"),
    path={"type": "string"},
    class_={"type": "string"},
    depth=COUNT,
    shape={"anyOf": [_list({"type": ["integer", "string"]}), TEXT]},
    params=NUMBER,
    macs=NUMBER,
    activations=NUMBER,
    repeat=COUNT,
)
EDGE = {
    "type": "object",
    "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
    "required": ["from", "to"],
}
FIGURE = _object(("name", "value"), name={"type": "string"}, value=VALUE, unit=TEXT, how=TEXT)

VERDICT = _object(
    ("sentence",),
    sentence={"type": "string"},
    status={"enum": ["complete", "interrupted"]},
    metric=TEXT,
    greater_is_better={"type": "boolean"},
    split=TEXT,  # on what the scores were got: "test (360 rows)"
    network=_or_null(SCORED),
    baselines=_map(SCORED),
    best_baseline=TEXT,
    difference=_or_null(DIFFERENCE),
    outcome={"enum": ["wins", "ties", "loses", None]},
    recommendation=TEXT,  # "network", a baseline's name, or a sentence
    budget=_list(
        _object(
            ("name", "used"),
            name={"type": "string"},  # params, flops, latency_ms, memory_bytes, size_bytes, time_s, or a label
            used=NUMBER,
            allowed=NUMBER,  # null: no limit was set
            unit=TEXT,  # count, ms, s, bytes, or said; left out: from the name
            how=TEXT,
            met={"type": ["boolean", "null"]},
        )
    ),
)
BRIEF = _object(
    name=TEXT,
    task=TEXT,
    modality=TEXT,
    source=TEXT,
    target=TEXT,
    metric=TEXT,
    device=TEXT,
    rows=COUNT,
    split=_object(train=COUNT, validation=COUNT, test=COUNT, how=TEXT),
    classes=_list(_object(("label",), label=SCALAR, count=COUNT)),
    facts=_map(VALUE),  # whatever else was understood: {"image": "8×8, 1 channel"}
    assumptions=REASONS,
)
DECISION = _object(
    chosen=_object(
        ("name",),
        name={"type": "string"},
        family=TEXT,
        text=TEXT,
        args=_map(VALUE),
        yaml=TEXT,
        reasons=REASONS,
    ),
    candidates=_list(
        _object(
            ("name",),
            name={"type": "string"},
            family=TEXT,
            params=NUMBER,
            flops=NUMBER,
            latency_ms=NUMBER,
            memory_bytes=NUMBER,
            score=NUMBER,  # the validation metric that it reached
            outcome=TEXT,  # "chosen", "finalist", "stopped at rung 1", "diverged"
            reasons=REASONS,
        )
    ),
    rejected=_list(_object(("family",), family={"type": "string"}, reasons=REASONS, numbers=_map(VALUE))),
    notes=REASONS,
)
DIAGRAM = _object(
    title=TEXT,
    input={"anyOf": [_list({"type": ["integer", "string"]}), TEXT]},
    nodes=_list(LAYER),  # left out: the rows of `layers`
    edges=_or_null(_list(EDGE)),  # null: not known, drawn in the rows' order
    heat={"enum": ["params", "macs"]},
)
LAYERS = _object(
    rows=_list(LAYER),
    total=_object(params=NUMBER, macs=NUMBER, activations=NUMBER),
    notes=REASONS,  # what could not be counted, and what is therefore a bound
)
GROWTH = _object(
    ("axis", "rows"),
    axis={"type": "string"},  # batch, length, resolution
    unit=TEXT,
    train={"type": "boolean"},
    rows=_list(
        _object(
            ("size",),
            size=NUMBER,
            params=NUMBER,
            macs=NUMBER,
            attention_macs=NUMBER,
            backward_macs=NUMBER,
            activation_bytes=NUMBER,
            saved_bytes=NUMBER,
            peak_memory=NUMBER,
            latency_ms=NUMBER,
            error=TEXT,  # why the network refused this size
        )
    ),
    exponents=_map(NUMBER),  # figure ∝ size ^ exponent
    crossing=NUMBER,  # size from which attention takes more MACs than all else
    how=TEXT,
)
COST = _object(
    rows=_list(FIGURE),
    by_type=_list(_object(("type",), type={"type": "string"}, count=COUNT, params=NUMBER, macs=NUMBER, ms=NUMBER)),
    growth=_or_null(GROWTH),
    notes=REASONS,
)
RECIPE = _object(
    rows=_list(_object(("name", "value"), name={"type": "string"}, value=VALUE, reason=TEXT, rule=TEXT, source=TEXT)),
    notes=REASONS,
)
VALIDATION = _object(
    metric=TEXT,
    x_label=TEXT,  # "step" unless said
    train_loss=_or_null(SERIES),
    validation_loss=_or_null(SERIES),
    validation_metric=_or_null(SERIES),
    learning_rate=_or_null(SERIES),
    gradient_norm=_or_null(SERIES),
    update_ratio=_map(SERIES),  # layer → |update| / |weight|
    rungs=_list(
        _object(
            ("rung", "entries"),
            rung=COUNT,
            seconds=NUMBER,
            entries=_list(
                _object(
                    ("name",),
                    name={"type": "string"},
                    score=NUMBER,
                    steps=COUNT,
                    seconds=NUMBER,
                    kept={"type": "boolean"},
                    note=TEXT,
                )
            ),
        )
    ),
    confusion=_or_null(_object(("labels", "matrix"), labels=_list(SCALAR), matrix=_list(_list(NUMBER)), split=TEXT)),
    predictions=_or_null(
        _object(("truth", "predicted"), truth=_list(NUMBER), predicted=_list(NUMBER), split=TEXT, unit=TEXT)
    ),
    segmentation=_or_null(
        _object(
            split=TEXT,
            classes=_list(
                _object(("label",), label=SCALAR, iou=NUMBER, dice=NUMBER, pixels=NUMBER, share=NUMBER, colour=TEXT)
            ),
            # base64 of PNG: the image, its true mask, the predicted one; `score` is its own mIoU
            overlays=_list(_object(("images",), name=TEXT, score=NUMBER, images=_list({"type": "string"}))),
        )
    ),
    detection=_or_null(
        _object(
            split=TEXT,
            figures=_map(NUMBER),  # ap50, ap75, map50_95, recall, small, medium, large
            classes=_list(_object(("label",), label=SCALAR, ap50=NUMBER, map50_95=NUMBER, objects=COUNT, colour=TEXT)),
            # base64 of a PNG and its image's width and height; boxes relative to these; `score` is its own AP50
            overlays=_list(
                _object(
                    ("image",),
                    name=TEXT,
                    score=NUMBER,
                    image={"type": "string"},
                    size=_list(COUNT),
                    true=_list(_object(("box", "code"), box=_list(NUMBER), code=COUNT)),
                    predicted=_list(_object(("box", "code"), box=_list(NUMBER), code=COUNT, score=NUMBER)),
                )
            ),
        )
    ),
    events=_list(_object(("text",), step=NUMBER, kind=TEXT, text={"type": "string"})),
    findings=REASONS,
    notes=REASONS,
)
BASELINES = _object(
    metric=TEXT,
    split=TEXT,
    greater_is_better={"type": "boolean"},
    rows=_list(
        _object(
            ("name", "score"),
            name={"type": "string"},
            kind={"enum": ["network", "baseline"]},
            score=NUMBER,
            interval=INTERVAL,
            seconds=NUMBER,
            text=TEXT,
        )
    ),
    difference=_or_null(DIFFERENCE),
    seeds=_list(_object(("name", "scores"), name={"type": "string"}, seeds=_list(COUNT), scores=_list(NUMBER))),
    notes=REASONS,
)
SCALING = _object(
    rows=_list(
        _object(
            ("when", "change"),
            when={"type": "string"},
            change={"type": "string"},
            params=NUMBER,
            reasons=REASONS,
        )
    ),
    notes=REASONS,
)
DEPLOYMENT = _object(
    rows=_list(FIGURE),
    files=_list(_object(("name", "text"), name={"type": "string"}, text={"type": "string"}, bytes=NUMBER)),
    commands=_list(_object(("command",), command={"type": "string"}, text=TEXT)),
    notes=REASONS,
)
LIMITS = _object(limits=REASONS, out_of_scope=REASONS, unknown=REASONS)
PROVENANCE = _object(
    name=TEXT,
    command=TEXT,
    created=TEXT,
    design_hash=TEXT,
    data_hash=TEXT,
    versions=_map(SCALAR),
    machine=_map(SCALAR),
    seeds=_map(VALUE),
    numbers=_list(_object(("what", "how"), what={"type": "string"}, how={"type": "string"})),
    warnings=_list(_object(("message",), id=TEXT, where=TEXT, message={"type": "string"}, fix=TEXT)),
    notes=REASONS,
)


def json_schema() -> Schema:
    """The JSON Schema of report.json."""
    bodies = {
        "verdict": VERDICT,
        "brief": BRIEF,
        "decision": DECISION,
        "diagram": DIAGRAM,
        "layers": LAYERS,
        "cost": COST,
        "recipe": RECIPE,
        "validation": VALIDATION,
        "baselines": BASELINES,
        "scaling": SCALING,
        "deployment": DEPLOYMENT,
        "limits": LIMITS,
        "provenance": PROVENANCE,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netwright report",
        **_object(("verdict",), **{name: _or_null(bodies[name]) for name in SECTIONS}),
    }
