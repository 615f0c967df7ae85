"""Where a node stands in the module tree: what the exporter left of it in the node's name or metadata."""

import ast
from dataclasses import dataclass
from typing import Any

# Operators whose weight names its module more surely than the node: a norm folded into a convolution leaves its name.
_WEIGHED = {"Conv": 1, "ConvTranspose": 1}


@dataclass(frozen=True)
class Scope:
    """Paths of the modules around a node, the outermost first, with their classes where the exporter says them."""

    paths: tuple[str, ...]
    classes: tuple[str, ...]
    root: str = ""  # the class of the whole
    by_call: bool = False  # a module that comes again is called again (otherwise the names of its calls differ)


def scope_of(node: Any) -> Scope | None:
    """None where neither says anything."""
    said = {one.key: one.value for one in node.metadata_props}
    found = _of_metadata(said.get("pkg.torch.onnx.name_scopes"), said.get("pkg.torch.onnx.class_hierarchy"))
    if found is None and "namespace" in said:
        found = _of_namespace(said["namespace"])
    if found is not None:
        return _at_its_weight(node, found)
    segments = node.name.strip("/").split("/")[:-1]
    if not segments:
        return Scope((), ()) if node.name.startswith("/") else None
    paths: list[str] = []
    for segment in segments:
        above = paths[-1] if paths else ""
        last = segments[len(paths) - 1] if paths else ""
        # TorchScript writes the child 0 of layer1 as layer1.0, inside the scope layer1.
        own = segment.removeprefix(f"{last}.") if last and segment.startswith(f"{last}.") else segment
        paths.append(f"{above}.{own}" if above else own)
    return Scope(tuple(paths), ("",) * len(paths))


def _of_metadata(names: str | None, classes: str | None) -> Scope | None:
    """['', 'layer1', 'layer1.0', 'conv2d'] and their classes; the last is the operator."""
    try:
        paths, kinds = ast.literal_eval(names or ""), ast.literal_eval(classes or "")
        pairs = list(zip(paths[:-1], (str(kind).rpartition(".")[2] for kind in kinds[:-1]), strict=True))
    except (SyntaxError, ValueError, TypeError):
        return None
    return _of_pairs(pairs)


def _of_namespace(words: str) -> Scope | None:
    """ ": Net/layer1: torch.nn.….Sequential/conv2d: aten.conv2d.default"."""
    pairs = [
        (path.strip(), kind.strip().rpartition(".")[2])
        for path, _, kind in (p.partition(":") for p in words.split("/"))
    ]
    return _of_pairs(pairs[:-1]) if all(kind for _, kind in pairs) else None


def _of_pairs(pairs: list[tuple[str, str]]) -> Scope:
    root = next((kind for path, kind in pairs if not path), "")
    inside = [(path, kind) for path, kind in pairs if path]
    return Scope(tuple(path for path, _ in inside), tuple(kind for _, kind in inside), root, True)


def _at_its_weight(node: Any, scope: Scope) -> Scope:
    """A convolution that bears a norm's name, at its weight's module: layer1.0.conv1 for layer1.0.bn1."""
    place = _WEIGHED.get(node.op_type)
    if place is None or not scope.paths or not scope.classes[-1].startswith(("BatchNorm", "Frozen")):
        return scope
    path = node.input[place].rpartition(".")[0]
    *above, last = scope.paths
    if not path or path == last or path.rpartition(".")[0] != last.rpartition(".")[0]:
        return scope
    return Scope((*above, path), (*scope.classes[:-1], node.op_type), scope.root, True)
