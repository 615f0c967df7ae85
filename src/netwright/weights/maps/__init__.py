"""Key maps: which published tensor each tensor of a family is. One file for each family, named like it.

A file has `MAPS`, {publisher: function}. The function takes {our key: its shape} and returns {our key: their key},
where a tuple of their keys means these tensors one after the other along the first axis. Beside it may stand

- `CLASSIFIER`: our keys that only the class scores need, which a network without its classifier lacks;
- `RENAMED`, {publisher: [(pattern, replacement), …]}: what older files call by other names;
- `SPLIT`, {publisher: (pattern, replacements)}: their tensors that are several of ours, in equal parts;
- `UNUSED`, {publisher: pattern}: their tensors that classify nothing, such as a pooler;
- `SCORES`, {our key: rows for each class}: where the class scores are not `head` alone;
- `classes`, a function of their number: the names of the classes, where not ImageNet's;
- `epsilon`, a function of the publisher and the names in the file: ε of their batch norm, None where it is ours;
- `images`, a function of the publisher and the shapes: what their weights were trained on, where not as torchvision's.
"""

from collections.abc import Callable, Mapping, Sequence

Keys = str | tuple[str, ...]
Shapes = Mapping[str, Sequence[int]]
Map = Callable[[Shapes], dict[str, Keys]]


def each(rename: Callable[[str], Keys]) -> Map:
    """A map that treats each key by itself."""
    return lambda shapes: {key: rename(key) for key in shapes}


def replaced(key: str, names: Mapping[str, str]) -> str:
    """The key with each piece that is named replaced, in this order."""
    for ours, theirs in names.items():
        key = key.replace(ours, theirs)
    return key
