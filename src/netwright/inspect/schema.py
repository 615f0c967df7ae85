"""The JSON of `inspect`, said precisely, as a JSON Schema (draft 2020-12): each key with what it means.

`TOP` is the whole answer, one line a key; what a key holds is below it. A key that is not required is there where it
was asked for.
"""

from typing import Any

from netwright.inspect.growth import AXES, UNITS
from netwright.inspect.operators import KINDS

Schema = dict[str, Any]


def _said(schema: Schema, words: str) -> Schema:
    return {**schema, "description": words}


def _object(optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object of these keys and no others; all but the `optional` ones are always there."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(items: Schema, words: str = "") -> Schema:
    return {"type": "array", "items": items} | ({"description": words} if words else {})


def _or_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def text(words: str = "") -> Schema:
    return _said({"type": "string"}, words) if words else {"type": "string"}


def count(words: str = "") -> Schema:
    made = {"type": "integer", "minimum": 0}
    return _said(made, words) if words else made


def number(words: str = "") -> Schema:
    return _said({"type": "number"}, words) if words else {"type": "number"}


def flag(words: str = "") -> Schema:
    return _said({"type": "boolean"}, words) if words else {"type": "boolean"}


def _sizes(words: str = "") -> Schema:
    return _list({"type": "integer"}, words)


SHAPES = _list(_sizes())

ROW = _object(
    id=text("its path, with :2 for the second call of the same module: unique"),
    path=text("of the module in the network; the operator's name behind it for an operator"),
    cls=text("class of the module, or name of the operator"),
    kind=_said({"enum": ["module", "op"]}, "a module's call, or an operator between modules"),
    depth=count("0 is the network"),
    parent=_or_null(count("place of its caller's row in this list")),
    inputs=_said(SHAPES, "shapes"),
    outputs=_said(SHAPES, "shapes"),
    leaf=flag("it calls no other module"),
    own_params=count("parameters that it holds itself"),
    params=count("parameters under it, tied ones at their first call"),
    trainable=count("of the parameters under it"),
    buffers=count("numbers in the buffers under it"),
    macs=count("multiply-accumulates of the forward under it"),
    activation_bytes=count("memory newly allocated for results"),
    backward_macs=count("of the backward under it"),
    saved_bytes=count("of its results, what the backward needs"),
    options=text("what the module says of itself: kernel size, stride, probability of dropping"),
    latency_ms=_or_null(number("milliseconds of its forward; null without --device, or where it was not told apart")),
)
FIGURE = _object(
    value=number(),
    unit=text("ms, h, bytes; empty for a count"),
    how=text("measured or estimated, and how"),
    error=_or_null(number("the relative error to be expected; null: none known")),
)
OPERATOR = _object(
    name=text("of the operator"),
    kind=_said({"enum": list(KINDS)}, "what its time grows with"),
    calls=count("in the forward and the backward"),
    macs=count("of all calls"),
    bytes=count("read and written by all calls, each operand once"),
)
CACHE = _object(
    layers=_list(
        _object(
            name=text("path of the module"),
            bytes_per_token=count("of keys and values"),
            window=_or_null(count("tokens that it looks back at most; null: all")),
        ),
        "calls of causal self-attention",
    ),
    how=text("how it was got"),
)
SYMBOL = {"type": ["integer", "string"]}
SYMBOLS = _object(
    sizes={"type": "object", "additionalProperties": count(), "description": "symbol → its size in this capture"},
    steps={"type": "object", "additionalProperties": count(), "description": "symbol → how far apart its sizes are"},
    fixed={"type": "object", "additionalProperties": text(), "description": "symbol → why there is no other size"},
    inputs=_list(_list(_list(SYMBOL)), "shapes, for each row"),
    outputs=_list(_list(_list(SYMBOL)), "shapes, for each row"),
    edges=_list(_list(SYMBOL), "shapes, for each edge"),
    unclear=count("sizes that follow a symbol in no known form, and stay numbers"),
    macs=_or_null(text("a polynomial in the symbols; null where none holds")),
    macs_terms=_list(
        _object(coefficient=text("a fraction"), powers={"type": "object", "additionalProperties": count()})
    ),
    macs_steps={"type": "object", "additionalProperties": count(), "description": "symbol → the polynomial's steps"},
    how=text("how they were found and checked"),
)
SAVING = _object(
    name=text("what is done"),
    peak_bytes=_or_null(count("then; null where it could not be found")),
    saved_bytes={"type": "integer", "description": "less than now"},
    share=number("of the present peak"),
    cost=text("what it costs"),
    how=text("how it was got"),
)
FIT = _object(
    batch=count("the largest that fits; 0: none does"),
    peak_bytes=count("of this batch, or of the smallest one"),
    next_bytes=_or_null(count("of one sample more")),
    memory_bytes=count("that there are"),
    reserve_bytes=count("kept back"),
    train=flag("of training steps, or of forwards"),
    how=text("how it was got"),
)
EDGE = _object(
    source=text("a row's id, or input:0"), target=text("a row's id, or output"), shape=_sizes("of the tensor")
)
MEMORY = _object(
    bytes=count("held at once"),
    by={"type": "object", "additionalProperties": count(), "description": "category → bytes at that moment"},
    when=text("forward, backward or optimizer step"),
    where=text("the row's id"),
    how=text("how it was got"),
)
MISSED = _object(op=text("the operator"), calls=count("of it"), where=text("the first row with one"))
GROWN = _object(
    size=number("in the unit of the axis"),
    params=_or_null(count("parameters")),
    macs=_or_null(count("of the forward")),
    attention_macs=_or_null(count("of products between two activations; null where they are not told apart")),
    backward_macs=_or_null(count("of the backward; 0 without training")),
    activation_bytes=_or_null(count("newly allocated by the forward")),
    saved_bytes=_or_null(count("kept for the backward; 0 without training")),
    peak_memory=_or_null(count("bytes held at once")),
    latency_ms=_or_null(number("of a forward, where it is known")),
    error=text("why the network refused this size; then all figures are null"),
)
GROWTH = _object(
    axis=_said({"enum": list(AXES)}, "what grows"),
    unit=_said({"enum": list(UNITS.values())}, "of the sizes"),
    train=flag("of a training step, or a forward"),
    rows=_list(GROWN, "one for each size"),
    exponents={"type": "object", "additionalProperties": number(), "description": "figure ∝ size ^ exponent"},
    crossing=_or_null(number("size from which attention takes more MACs than all else")),
    how=text("where the crossing comes from, or why there is none"),
)
STAGE = _object(
    stride=count("pixels of the input from one unit to the next"),
    units=_sizes("of the map"),
    first=text("the first row with this stride"),
    last=text("the last row with this stride, which the rest is of"),
    size=_sizes("what one unit sees, in theory, padding included"),
    local=_sizes("the same without attention, squeeze-and-excitation and global pooling"),
    covers_input=flag("as large as the input along every axis"),
)
ATTENTION = _object(
    cls=text("class of the layers"),
    layers=count("how many are alike"),
    first=text("path of the first"),
    last=text("path of the last"),
    length=count("of the sequence"),
    before=_or_null(count("how far behind a token the farthest one is that it sees")),
    after=_or_null(count("how far ahead; 0: causal")),
    causal=_or_null(flag("no token sees what comes after it; null: not known")),
    window=_or_null(count("tokens in the window; null: none, or longer than the sequence")),
    how=text("by gradient, or by the flags of the calls"),
    words=text("full; causal, all before; window of 512"),
)
EFFECTIVE = _object(
    size=count("side of the smallest square with this share of the centre unit's gradient"),
    share=number("0.95"),
    where=text("path of the module whose centre unit was taken"),
    how=text("on what inputs, with what weights"),
)
FIELD = _object(
    space=_sizes("of the first input"),
    unit=_said({"enum": ["pixels", "tokens"]}, "of the space"),
    stages=_list(STAGE, "by stride"),
    last=_said(_or_null(STAGE), "the stage whose map is made last"),
    effective=_said(_or_null(EFFECTIVE), "what the last map sees by its gradients"),
    attention=_list(ATTENTION, "layers that reach equally far as one"),
    notes=_list(text(), "what could not be found, and why"),
    sentence=text("what the last stage sees"),
)

# The whole answer, in its order.
TOP: dict[str, Schema] = {
    "target": text("what was asked for, as it was typed"),
    "cls": text("class of the network"),
    "device": text("where its weights are"),
    "inputs": _said(SHAPES, "shapes of the inputs"),
    "outputs": _said(SHAPES, "shapes of the outputs"),
    "params": count("parameters, tied ones once"),
    "trainable": count("of them"),
    "buffers": count("numbers in buffers"),
    "weights_bytes": count("of parameters and buffers"),
    "macs": count("multiply-accumulates of the forward"),
    "flops": count("twice the MACs"),
    "backward_macs": count("of the backward; 0 without training"),
    "activation_bytes": count("newly allocated by the forward"),
    "saved_bytes": count("kept for the backward; 0 without training"),
    "train": flag("a training step, or a forward"),
    "memory": _said(_or_null(MEMORY), "the most that is held at once"),
    "kv_cache_bytes_per_token": _or_null(count("of a causal decoder; null of others")),
    "kv_cache": _said(_or_null(CACHE), "of a causal decoder"),
    "latency": _said(_or_null(FIGURE), "of the forward, or of the training step; null without --device"),
    "operators": _list(OPERATOR, "what each operator costs in all its calls, the dearest first"),
    "how": text("how the network was captured"),
    "notes": _list(text(), "what was guessed, what was run, what failed on the way"),
    "convention": text("what the MACs count"),
    "not_counted": _list(MISSED, "operators without a formula: with any, the MACs are a lower bound"),
    "tied": _list(_list(text()), "names of one and the same parameter"),
    "rows": _list(ROW, "the calls, in order, parents first"),
    "edges": _list(EDGE, "tensors that go from one row without rows inside to another"),
    "symbols": _said(SYMBOLS, "sizes as expressions, with --symbolic"),
    "growth": _said(GROWTH, "how the cost grows, with --growth"),
    "field": _said(FIELD, "how far it sees, with --field"),
    "training_hours": _said(FIGURE, "with --samples"),
    "fit": _said(FIT, "the largest batch, with --fit"),
    "savings": _list(SAVING, "what would save memory, with --savings"),
    "over_budget": _list(text(), "limits that are exceeded, in words"),
}
# Not of every Blueprint.to_json().
OPTIONAL = ("target", "symbols", "growth", "field", "training_hours", "fit", "savings", "over_budget")


def json_schema() -> Schema:
    """The JSON Schema of `Blueprint.to_json()`, and of `netwright inspect --format json`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netwright inspect",
        **_object(OPTIONAL, **TOP),
    }
