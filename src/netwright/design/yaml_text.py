"""YAML as data and nothing else: read with limits, written so that comments stay.

The only file that knows ruamel.yaml. A design needs no tag, anchor or directive, so none is accepted: no tag
makes an object, and no file of a kilobyte unfolds to a gigabyte.
"""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    ScalarEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from netwright.design.errors import DesignError, at, show

MAX_BYTES = 256 * 1024
MAX_DEPTH = 64


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096  # lines stay as they are written
    yaml.allow_unicode = True
    yaml.preserve_quotes = True
    return yaml


def read(text: str) -> Any:
    """The document with its comments, for `plain` and `write`. Anything but plain data is a DesignError."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise DesignError(f"longer than {MAX_BYTES // 1024} KiB; a design is a few", fix="is it the right file?")
    try:
        _refuse_all_but_data(text)
        return _yaml().load(text)
    except DesignError:
        raise
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        what = str(error.problem).split(" with value")[0]
        raise DesignError(what, where=f"line {line}", fix="keep one of the two") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DesignError(f"no valid YAML: {error.problem or error.context}", where=where) from error
    except Exception as error:  # ruamel fails in many ways, as with IndexError on the number `-_`
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DesignError(f"no valid YAML: {first}") from error


def _refuse_all_but_data(text: str) -> None:
    depth = 0
    for event in _yaml().parse(io.StringIO(text)):
        where = f"line {event.start_mark.line + 1}" if event.start_mark else ""
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            fix = "write the value out in both places"
            raise DesignError("anchors and aliases (& and *) are not used in a design", where=where, fix=fix)
        if getattr(event, "tag", None):
            fix = "a design is plain data: names, numbers, text, lists"
            raise DesignError(f"the tag {show(str(event.tag))} is refused", where=where, fix=fix)
        if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
            raise DesignError("directives (%YAML, %TAG) are not used in a design", where=where)
        if isinstance(event, ScalarEvent) and event.value == "<<" and event.style is None:
            raise DesignError("the merge key << is not used in a design", where=where, fix="write the keys out")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise DesignError(f"is nested more than {MAX_DEPTH} deep", where=where)


def plain(node: Any, where: str = "") -> Any:
    """The document as dicts, lists, text, numbers, true, false and null."""
    if isinstance(node, Mapping):
        for key in node:
            if not isinstance(key, str):
                fix = "keys are words; put it in quotes"
                raise DesignError(f"the key {show(key)} is no text", where=where, fix=fix, value=key)
        return {str(k): plain(v, at(where, k)) for k, v in node.items()}
    if isinstance(node, list):
        return [plain(v, at(where, i)) for i, v in enumerate(node)]
    if node is None or isinstance(node, bool):
        return node
    if type(node).__name__ == "ScalarBoolean":
        return bool(node)
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    fix = "put it in quotes if it is text"
    raise DesignError(f"{show(str(node))} is read as a {type(node).__name__}", where=where, fix=fix)


def write(data: Any) -> str:
    """Data as YAML."""
    return _dump(_yaml(), _layout(data))


def rewrite(text: str, before: Any, after: Any) -> str:
    """The text, which said `before`, so that it says `after`: comments, order and line ends stay."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    newline = "\r\n" if "\r\n" in text else "\n"
    tree = read(text.removeprefix(mark).replace("\r\n", "\n"))
    yaml = _yaml()
    yaml.indent(**_indents(tree))
    yaml.explicit_start = text.removeprefix(mark).startswith("---")
    return mark + _dump(yaml, _merge(tree, before, after)).replace("\n", newline)


def _dump(yaml: YAML, tree: Any) -> str:
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _indents(tree: Any) -> dict[str, int]:
    """How far the person indents: mappings, and the dashes of lists, by the first of each."""
    found: dict[str, int] = {}
    todo = [tree] if isinstance(tree, CommentedMap) else []
    while todo:
        node = todo.pop(0)
        for child in node.values():
            if isinstance(child, CommentedMap) and not child.fa.flow_style() and child:
                found.setdefault("mapping", child.lc.col - node.lc.col)
                todo.append(child)
            if isinstance(child, CommentedSeq) and not child.fa.flow_style() and child:
                found.setdefault("offset", child.lc.col - node.lc.col)
    mapping, offset = found.get("mapping", 2), found.get("offset", 0)
    return {"mapping": mapping, "sequence": offset + 2, "offset": offset}


def _merge(tree: Any, before: Any, after: Any) -> Any:
    """`tree` with the changes from `before` to `after` made in place, so that comments stay."""
    if same(before, after):
        return tree
    if isinstance(tree, CommentedMap) and isinstance(before, dict) and isinstance(after, dict):
        for key in [k for k in tree if k in before and k not in after]:
            del tree[key]
        for key, value in after.items():
            if key in tree and key in before:
                tree[key] = _merge(tree[key], before[key], value)
            elif key not in before or not same(before[key], value):
                tree[key] = _layout(value)
        return tree
    same_length = isinstance(before, list) and isinstance(after, list) and len(before) == len(after)
    if isinstance(tree, CommentedSeq) and same_length and len(tree) == len(after):
        for i, value in enumerate(after):
            tree[i] = _merge(tree[i], before[i], value)
        return tree
    return _layout(after)


def same(a: Any, b: Any) -> bool:
    """Equal as a file has it: 1, 1.0 and true differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def _layout(data: Any) -> Any:
    """New data in the house's style: blocks, with short lists of numbers and words on one line."""
    if isinstance(data, dict):
        return CommentedMap((k, _layout(v)) for k, v in data.items()) if data else _flow(CommentedMap())
    if isinstance(data, list | tuple):
        flat = all(not isinstance(v, dict | list | tuple) for v in data)
        out = CommentedSeq(map(_layout, data))
        return _flow(out) if flat else out
    if isinstance(data, str) and not data.isprintable() and not data.isascii():
        return DoubleQuotedScalarString(data)  # other styles lose line ends such as U+0085
    return data


def _flow(node: Any) -> Any:
    node.fa.set_flow_style()
    return node


def line_of(tree: Any, path: str) -> int | None:
    """The line, from 1, of the longest part of a path that is in the document."""
    line, node = None, tree
    for step in path.replace("[", ".[").split("."):
        try:
            if step.startswith("["):
                index = int(step[1:-1])
                line, node = node.lc.item(index)[0] + 1, node[index]
            else:
                line, node = node.lc.key(step)[0] + 1, node[step]
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            break
    return line
