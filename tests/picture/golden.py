"""The golden cases: trees and where everything in them stands, to which both layouts are held.

python -m tests.picture.golden writes them anew, by the layout in Python: look at the pictures before you commit.
"""

import json
from pathlib import Path
from typing import Any

from netwright.picture import tree
from netwright.picture.layout import Box, Picture, layout
from netwright.picture.nodes import Nodes, first_open, read_tree

FOLDER = Path(__file__).parent / "golden"


def states(nodes: Nodes, small: bool = True) -> dict[str, set[int]]:
    """Which groups are open: none, those at first, all (of a small network), and a few without a pattern."""
    groups = [node.id for node in nodes.all if node.kids]
    found = {"collapsed": {0}, "first": first_open(nodes), "odd": {0, *(i for i in groups if i % 3)}}
    return found | ({"all": {0, *groups}} if small else {})


def drawn(picture: Picture) -> dict[str, Any]:
    """All that a layout says, as plain data."""
    return {
        "size": [picture.width, picture.height, picture.axis],
        "boxes": [
            [box.node.id, box.kind, box.words.name, box.words.cls, *box.words.costs, *_numbers(box)]
            for box in picture.boxes
        ],
        "wires": [
            [wire.scope, wire.source, wire.port, wire.target, wire.shape, wire.lane, wire.arrow]
            + [[x, y] for x, y in wire.points]
            for wire in picture.wires
        ],
        "tags": [[tag.x, tag.y, tag.words] for tag in picture.tags],
    }


def _numbers(box: Box) -> list[float]:
    return [box.x, box.y, box.width, box.height, box.axis, box.named, box.told, box.told_x]


def rounded(value: Any) -> Any:
    """To a millionth of a pixel."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return {key: rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


def case(data: dict[str, Any]) -> dict[str, Any]:
    nodes = read_tree(data)
    small = len(nodes.all) < 250
    pictures = {
        name: {"open": sorted(opened)} | rounded(drawn(layout(nodes, opened)))
        for name, opened in states(nodes, small).items()
    }
    return {"tree": data, "states": pictures}


def main() -> None:
    from tests.picture.networks import NETWORKS, blueprint, by_chance

    FOLDER.mkdir(exist_ok=True)
    sources = {name: blueprint(name) for name in (*NETWORKS, "decoder")}
    sources |= {f"chance{seed}": by_chance(seed) for seed in range(6)}
    for name, source in sources.items():
        words = json.dumps(case(tree(source, name)), ensure_ascii=False, separators=(",", ":"))
        place = FOLDER / f"{name}.json"
        place.write_text(words.replace('],"', '],\n"') + "\n", encoding="utf-8")
        print(place, len(words))


if __name__ == "__main__":
    main()
