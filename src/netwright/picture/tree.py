"""The folded network as plain data, which is all that the layouts, the viewer and Mermaid read.

Names and shapes stand once in tables, a node has their numbers; keys are of one letter, so that a page stays small:

n name · p path, where it is not its group's path and its name (a group of x or u lends that of its own group) ·
c class · i, o shapes in and out · P parameters, M MACs, A bytes of activations, L milliseconds, of one copy with
everything inside · r repeats · l they are parallel · x how many similar ones it holds · u it holds a few in turn ·
h it is closed at first · s what an operator's pill says · d an end of the network · k kids · e edges [from, its port,
to, its port, shape]: −1 is what comes in, the number of kids what goes out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.picture.fold import Part, fold
from netwright.picture.graph import OPERATORS, Graph, graph
from netwright.picture.ports import connect
from netwright.picture.words import clean, shape

COSTS = {"P": "params", "M": "macs", "A": "activation_bytes", "L": "latency_ms"}
TONES = (
    ("teal", ("embed", "token", "patch", "stem", "position")),
    ("violet", ("attention", "sdpa", "mixer", "lstm", "gru", "ssm", "mamba")),
    ("accent", ("conv", "bottleneck", "basicblock", "residual", "stage")),
    ("good", ("norm",)),
    ("warm", ("linear", "mlp", "feedforward", "head", "classifier")),
)

ATTENTION = "scaled_dot_product"  # whichever kernel of it

Json = Mapping[str, Any]


def tree(blueprint: Json, title: str = "") -> dict[str, Any]:
    """Of `Blueprint.to_json()`."""
    blueprint = _symbolic(blueprint)
    found = graph(blueprint)
    root = fold(found)
    connect(root, found)
    return _Writer(blueprint, found).whole(root, title)


def _symbolic(blueprint: Json) -> Json:
    """With its sizes as expressions, where they were asked for."""
    symbols = blueprint.get("symbols")
    if not symbols:
        return blueprint
    sizes = zip(blueprint["rows"], symbols["inputs"], symbols["outputs"], strict=True)
    rows = [{**row, "inputs": inputs, "outputs": outputs} for row, inputs, outputs in sizes]
    edges = [{**edge, "shape": shape} for edge, shape in zip(blueprint["edges"], symbols["edges"], strict=True)]
    ends = {key: rows[0][key] for key in ("inputs", "outputs") if len(rows[0][key]) == len(blueprint[key])}
    return {**blueprint, **ends, "rows": rows, "edges": edges}


class _Writer:
    def __init__(self, blueprint: Json, graph: Graph):
        self.blueprint, self.rows = blueprint, graph.rows
        self.classes: dict[str, int] = {}
        self.shapes: dict[str, int] = {}

    def whole(self, root: Part, title: str) -> dict[str, Any]:
        blueprint = self.blueprint
        first = self.rows[0] if self.rows else {}
        kids = [self._end(kid) if kid.end else self._node(kid, "", "") for kid in root.kids]
        edges = [[*ends, self._shape(sizes)] for ends, sizes in root.wires.items()]
        return {
            "title": clean(title or blueprint["cls"]),
            "class": clean(blueprint["cls"]),
            "how": clean(blueprint.get("how") or ""),
            "totals": {letter: blueprint.get(what) or first.get(what) or 0 for letter, what in COSTS.items()},
            "missed": [clean(item["op"], 60) for item in blueprint.get("not_counted") or []],
            "tied": [[clean(name, 160) for name in names] for names in blueprint.get("tied") or []],
            "classes": list(self.classes),
            "tones": [_tone(name) for name in self.classes],
            "shapes": list(self.shapes),
            "kids": kids,
            "edges": edges,
        }

    def _class(self, name: str) -> int:
        return self.classes.setdefault(clean(name, 80), len(self.classes))

    def _shape(self, sizes: Any) -> int:
        words = shape(sizes) or ("" if sizes is None else "scalar")  # nothing where it is not known
        return self.shapes.setdefault(words, len(self.shapes))

    def _end(self, part: Part) -> dict[str, Any]:
        name, _, number = part.end.partition(":")
        all_inputs = self.blueprint.get("inputs") or []
        shapes = all_inputs if name == "input" else self.blueprint.get("outputs") or []
        if number.isdigit():
            shapes = shapes[int(number) : int(number) + 1]
        label = f"{name} {number}" if name == "input" and len(all_inputs) > 1 else name
        drawn = [self._shape(sizes) for sizes in shapes]
        return {"n": label, "p": part.end, "c": self._class(""), "i": drawn, "o": drawn, "s": label, "d": 1}

    def _node(self, part: Part, above: str, within: str) -> dict[str, Any]:
        """`above`: the path of the group that holds it, `within` the one that readers of the tree know it by."""
        first, last = self.rows[part.rows[0]], self.rows[part.rows[-1]]
        members = part.kids if part.tiled else []
        name = self._name(part, above) or first["cls"]
        node: dict[str, Any] = {
            "n": name,
            "c": self._class("" if self._kind(part) == name else self._kind(part)),
            "i": [self._shape(sizes) for sizes in first["inputs"]],
            "o": [self._shape(sizes) for sizes in last["outputs"]],
        }
        path = clean(first["id"], 160)
        if path != (f"{within}.{name}" if within else name):
            node["p"] = path
        for letter, what in COSTS.items():
            if value := self._cost(part, what):
                node[letter] = value
        if (repeat := self._repeat(part)) > 1:
            node["r"] = repeat
            node |= {"l": 1} if part.parallel else {}
        if part.kind == "alike":
            node["x"] = sum(map(self._repeat, members))
        elif part.tiled:
            node["u"] = 1
        if part.closed:
            node["h"] = 1
        if not part.kids and first["cls"].lower() in OPERATORS and not first["params"] and not first["macs"]:
            node["s"] = OPERATORS[first["cls"].lower()]
        if part.kids:
            # The kids of a tiled part are named within what holds it.
            inner = (above, within) if part.tiled else (first["path"], path)
            node["k"] = [self._node(kid, *inner) for kid in part.kids]
            node["e"] = [[*ends, self._shape(sizes)] for ends, sizes in part.wires.items()]
        return node

    def _repeat(self, part: Part) -> int:
        said = 1 if part.tiled else int(self.rows[part.start].get("repeat") or 1)
        return part.repeat * max(1, said)

    def _cost(self, part: Part, what: str) -> float:
        """Of one copy."""
        if part.tiled:
            return sum(self._cost(kid, what) * self._repeat(kid) for kid in part.kids)
        return sum(self.rows[i].get(what) or 0 for i in part.rows)

    def _name(self, part: Part, above: str) -> str:
        """Its name within its group; of several, the span of their names."""

        def within(row: int) -> str:
            path = self.rows[row]["path"]
            path = path.removeprefix(above + ".") if above else path
            return "attention" if path.startswith(ATTENTION) else path

        if part.kind == "run":
            return f"{len(part.rows)} operators"
        names = [within(row) for row in part.rows]
        named = part.kind == "chain" and part.repeat == 1 and not names[0].rpartition(".")[2].isdigit()
        if named:
            stem = names[0].rpartition(".")[0] + "."
            return clean(" · ".join([names[0], *(name.removeprefix(stem) for name in names[1:])]), 80)
        last = part
        while last.kind == "alike":
            last = last.kids[-1]
        return clean(_span(names[0], within(last.rows[-1] + last.size * (last.repeat - 1))), 80)

    def _kind(self, part: Part) -> str:
        """Its class; of several, theirs."""
        members = [self.rows[kid.start] for kid in part.kids] if part.tiled else [self.rows[i] for i in part.rows]
        kinds = list(dict.fromkeys("sdpa" if row["cls"].startswith(ATTENTION) else row["cls"] for row in members))
        words = " · ".join(kinds[:4]) + (" …" if len(kinds) > 4 else "")
        if part.kind == "unit" and len(kinds) == 1:
            return f"{'pairs of' if len(members) == 2 else f'{len(members)} ×'} {words}"
        if part.kind == "alike":
            growth = self._growth(part.kids[0], part.kids[-1])
            return f"{words}, {growth}" if growth else words
        return words

    def _growth(self, first: Part, last: Part) -> str:
        """What differs between similar ones: "64→224 channels", of the outputs, or of what is read inside."""
        starts = first.start, last.start + last.size * (last.repeat - 1)
        copies = [self.rows[i : i + part.size] for i, part in zip(starts, (first, last), strict=True)]
        pairs = list(zip(*([row for row in copy if row["cls"] != "cat"] for copy in copies), strict=False))
        for key in ("outputs", "inputs"):
            for one, other in pairs if key == "inputs" else pairs[:1]:
                if one["cls"] == other["cls"] and len(one[key]) == len(other[key]) == 1 and one[key] != other[key]:
                    return _difference(one[key][0], other[key][0])
        return ""


def _difference(one: Sequence[Any], other: Sequence[Any]) -> str:
    if len(one) != len(other):
        return ""
    last = len(one) - 1
    square = len(one) == 4 and one[1] == one[2] and one[2] != one[3]  # channels last
    channels = last if len(one) < 4 or square else 1
    places = [channels, *(place for place in range(len(one)) if place != channels)]
    place = next(place for place in places if one[place] != other[place])
    unit = ("channels" if len(one) == 4 else "features") if place == channels else "pixels" if len(one) == 4 else ""
    return f"{one[place]}→{other[place]} {unit}".strip()


def _tone(cls: str) -> str:
    return next((tone for tone, words in TONES if any(word in cls.lower() for word in words)), "")


def _span(first: str, last: str) -> str:
    """h.0 and h.11 → h.0–11; names without a shared stem in full."""
    stem = first.rpartition(".")[0]
    short = last.removeprefix(stem + ".") if stem else last
    match = re.fullmatch(r"(.*?)(\d+)", first)
    if match and re.fullmatch(re.escape(match[1]) + r"\d+", last):
        short = last[len(match[1]) :]
    return first if first == last else f"{first}–{short}"
