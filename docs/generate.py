"""Write the pages that are made from the source: docs/reference/*.md and docs/rules.md.

python docs/generate.py [FOLDER]      # docs/ without an argument; `make docs` runs it
"""

import ast
import dataclasses
import importlib
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

import netwright as nw
from netwright.advise import rules_markdown
from netwright.cli.main import app
from netwright.inspect import json_schema

HERE = Path(__file__).parent
MADE = "<!-- Made by docs/generate.py from the source: edit that. -->\n"
CONTRACT = ("num_classes", "in_channels", "image_size", "num_features", "cardinalities", "vocab_size", "max_length")

API = {
    "The verbs": ("design", "train", "predict", "inspect", "Result"),
    "Networks": ("build", "families", "presets", "blocks"),
    "Plain data": ("Design", "Spec", "Brief", "Budget", "Recipe"),
    "Errors": ("InputError", "BudgetError"),
}


def pages() -> dict[str, str]:
    """Each page's text by its path below docs/."""
    return {
        "reference/api.md": api(),
        "reference/cli.md": command_line(),
        "reference/inspect-json.md": inspect_json(),
        "reference/families.md": families(),
        "reference/architectures.md": architectures(),
        "reference/blocks.md": blocks(),
        "rules.md": MADE + rules_markdown(),
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)


# Python -------------------------------------------------------------------------------------------------------


def api() -> str:
    """The public names, in groups, with signatures and docstrings."""
    parts = [f"{MADE}# Python API\n\n`import netwright as nw`; every name below is `nw.NAME`.\n"]
    for title, names in API.items():
        parts.append(f"\n## {title}\n")
        parts += [_object(name) for name in names]
    return "".join(parts)


def _object(name: str) -> str:
    thing = _public(name)
    text = f"\n### `{name}`\n\n```text\n{_signature(name, thing)}\n```\n\n{_doc(thing)}\n"
    if isinstance(thing, type):
        own = [(n, v) for n, v in vars(thing).items() if not n.startswith("_") and _documented(v)]
        text += "".join(f"\n- `{n}{_call(v)}`: {_sentence(_function(v))}" for n, v in own)
        text += "\n" if own else ""
    return text


def _public(name: str) -> Any:
    """The class or function, where the package's attribute is a room that can be called."""
    home = next(home for home, names in nw._ROOM.items() if name in names)
    return getattr(importlib.import_module(home), name)


def _signature(name: str, thing: Any) -> str:
    if dataclasses.is_dataclass(thing):
        shown = [f for f in dataclasses.fields(thing) if not f.name.startswith("_")]
        rows = [f"    {f.name}: {_annotation(f.type)}{_default(f)}," for f in shown]
        return "\n".join([f"{name}(", *rows, ")"])
    signature = inspect.signature(thing)
    rows = [f"    {_plain(str(p))}," for p in signature.parameters.values()]
    if not rows:
        return f"{name}() → {_annotation(signature.return_annotation)}"
    star = next((i for i, p in enumerate(signature.parameters.values()) if p.kind is p.KEYWORD_ONLY), None)
    if star is not None:
        rows.insert(star, "    *,")
    returns = "" if signature.return_annotation in (inspect.Signature.empty, None) else signature.return_annotation
    return "\n".join([f"{name}(", *rows, ")" + (f" → {_annotation(returns)}" if returns else "")])


def _default(field: dataclasses.Field) -> str:
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return ""
    return f" = {type(value).__name__}()" if dataclasses.is_dataclass(value) else f" = {value!r}"


def _annotation(kind: Any) -> str:
    return _plain(kind.__name__ if isinstance(kind, type) else str(kind))


def _plain(text: str) -> str:
    """Types by their last names: netwright.design.spec.Spec is Spec."""
    return re.sub(r"\b(?:[a-zA-Z_]\w*\.)+(?=[A-Z])", "", text).replace("'", "")


def _documented(value: Any) -> bool:
    function = _function(value)
    return callable(function) and bool(inspect.getdoc(function))


def _function(value: Any) -> Any:
    for name in ("__func__", "func", "fget"):  # class methods, cached properties, properties
        value = getattr(value, name, value) if not inspect.isfunction(value) else value
    return value


def _call(value: Any) -> str:
    if isinstance(value, property) or hasattr(value, "attrname"):
        return ""
    marks = {inspect.Parameter.VAR_KEYWORD: "**", inspect.Parameter.VAR_POSITIONAL: "*"}
    parameters = inspect.signature(_function(value)).parameters.values()
    return f"({', '.join(marks.get(p.kind, '') + p.name for p in parameters if p.name not in ('self', 'cls'))})"


def _doc(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _sentence(thing: Any) -> str:
    return _doc(thing).split("\n\n")[0].replace("\n", " ")


# The JSON of inspect ------------------------------------------------------------------------------------------


def inspect_json() -> str:
    """Every key of `netwright inspect --format json`, objects within objects beneath."""
    parts = [f"{MADE}# The JSON of inspect\n\n`netwright inspect TARGET --format json` and `Blueprint.to_json()` have "]
    parts.append("these keys and no others; `netwright inspect --schema` prints the JSON Schema that says so.\n")
    todo, told = [("", json_schema())], []
    while todo:
        name, schema = todo.pop(0)
        parts.append(f"\n## {name}\n\n" if name else "\n")
        rows, inner = [], []
        for key, value in schema["properties"].items():
            asked = "" if key in schema["required"] else " (not always there)"
            rows.append((f"`{key}`", _kind(value), value.get("description", "") + asked))
            inside = _object_in(value)
            if inside is not None and inside["properties"] not in told:  # the last stage is as every stage
                told.append(inside["properties"])
                inner.append((f"{name}.{key}".lstrip("."), inside))
        todo[:0] = inner
        parts.append(_table(("", "is", "what it says"), rows))
    return "".join(parts)


def _object_in(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The object with keys of its own that a key holds, or a list of which."""
    for inner in schema.get("anyOf", [schema]):
        inner = inner.get("items", inner)
        if "properties" in inner:
            return inner
    return None


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    names = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return " or ".join(names.get(kind, kind) for kind in kinds)


# The command line ---------------------------------------------------------------------------------------------


def command_line() -> str:
    """Every command with its arguments and options."""
    parts = [f"{MADE}# Command line\n\n`netwright COMMAND --help` says the same.\n"]
    parts.append("\nExit codes: 0 done · 1 no network fits the limits · 2 something given can't be used ·")
    parts.append(" 130 or 143 interrupted.\n")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        usage = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)
        lead, _, rest = inspect.cleandoc(command.help).partition("\n\n")
        parts.append(f"\n## netwright {name}\n\n    netwright {name} {usage} [OPTIONS]\n\n{lead}\n")
        if rest:
            title, *lines = rest.splitlines()
            parts.append(f"\n{title}\n\n" + "".join(f"    {line.strip()}\n" for line in lines))
        rows = [(f"`{p.name.upper()}`", "", p.help) for p in arguments]
        rows += [(f"`{p.opts[0]}`", _takes(p), _help(p)) for p in options]
        parts.append("\n" + _table(("", "takes", "what it does"), rows))
    return "".join(parts)


def _takes(option: Any) -> str:
    if option.is_flag:
        return ""
    kind = option.type_descriptor.annotation
    if hasattr(kind, "__members__"):
        return ", ".join(f"`{value.value}`" for value in kind)
    if str(kind) == "list[str]":
        return "text, repeatable"
    return {"str": "text", "int": "whole number", "float": "number", "Path": "path"}[kind.__name__]


def _help(option: Any) -> str:
    text = option.help
    if option.default not in (None, False) and "[default" not in text:
        text += f" [default: {getattr(option.default, 'value', option.default)}]"
    return text


# What there is ------------------------------------------------------------------------------------------------


def families() -> str:
    """Every family with its arguments and presets, by modality."""
    rows, known = nw.families(), nw.presets()
    parts = [f"{MADE}# Families\n\n{len(rows)} families, {len(known)} presets. "]
    parts.append(
        "`nw.build(NAME)` makes one in Python, `model:` in a design file;\n`netwright show NAME` says the same.\n"
    )
    parts.append("Arguments with a star come from the data in a design; in `nw.build` you give them, or take the\n")
    parts.append(
        "default. An argument that is a slot takes any [block](blocks.md) of its kind. Parameters of a preset\n"
    )
    parts.append("are the count published at its source, with 1,000 classes, 3 channels and 224 pixels unless other\n")
    parts.append("inputs are named; tests hold the networks to them.\n")
    titles = {"vision": "Images", "segmentation": "Segmentation", "detection": "Detection"}
    titles |= {"pretraining": "Pretraining"}
    titles |= {"tabular": "Tables", "text": "Texts"}
    for modality, title in titles.items():
        parts.append(f"\n## {title}\n")
        for family in rows:
            if family["modality"] == modality:
                parts.append(f"\n### {family['name']}\n\n{family['doc']}\n\n`{family['class']}`\n\n")
                parts.append(_table(("argument", "is", "default", "range"), _arguments(family, CONTRACT)))
                mine = [p for p in known if p["family"] == family["name"]]
                if mine:
                    parts.append("\n" + _table(("preset", "parameters", "its inputs", "source"), _presets(mine)))
    return "".join(parts)


def architectures() -> str:
    """What the sweep saw each architecture do, from the record that it keeps."""
    rows = json.loads((HERE / "reference" / "architectures.json").read_text(encoding="utf-8"))
    table = [
        (
            f"`{row['preset']}`",
            f"{row['params']:,}",
            row["reference"],
            _difference(row["outputs"]),
            _difference(row["gradients"]) + (" (fp64)" if row["gradients_in"] == "fp64" else ""),
            ", ".join(row["sizes"]),
            ", ".join(map(str, row["channels"])),
            ", ".join(row["tried"]),
        )
        for row in rows
    ]
    heading = ("preset", "parameters", "reference", "outputs", "gradients", "odd sizes", "channels", "also works")
    return (
        f"{MADE}# Architectures beside their references\n\n"
        "Each row is one run of the sweep (`python -m tests.families.sweep`, a slow test): the preset has exactly\n"
        "the published number of parameters; with the same random weights it equals an independent implementation,\n"
        "which is named with its package; *outputs* and *gradients* are the largest differences in fp32, relative to\n"
        "the largest value of the tensor, the worse of eval and train mode (in fp64 where rounding turns a ReLU or a\n"
        "gradient cancels: then fp32 is held to the outputs in eval mode); it was trained at the odd sizes and run\n"
        "with the other numbers of channels named, in bf16, on the meta device, under `torch.compile` without a graph\n"
        "break and `torch.export` with a free batch size, and ejected to a file that needs torch alone and gives\n"
        "equal outputs.\n\n" + _table(heading, table)
    )


def _difference(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def _arguments(entry: dict[str, Any], contract: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    rows = []
    for p in entry["parameters"]:
        kind = f"slot: [{p['slot']}](blocks.md#{p['slot']})" if p["slot"] else p["type"]
        default = "*given*" if p["required"] else f"`{_short(p['default'])}`"
        name = f"`{p['name']}`" + (" *" if p["name"] in contract else "")
        rows.append((name, kind, default, p["range"] or ""))
    return rows


def _presets(presets: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (f"`{p['name']}`", f"{p['params']:,}" if p["params"] else "", _short(p["inputs"]), p["source"]) for p in presets
    ]


def _short(value: Any) -> str:
    """A default as YAML's flow style says it."""
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_inner(v)}" for k, v in value.items())
    return _inner(value)


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_inner(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inner(v) for v in value) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:.4g}" if isinstance(value, float) and value != int(value) else str(value)


def blocks() -> str:
    """Every block by the kind of slot that it fits, and the patterns that families share."""
    rows, slots = nw.blocks(), _slots()
    parts = [f"{MADE}# Blocks\n\nA slot is a place in a family or block that takes another block: in Python\n"]
    parts.append('`mixer={"attention": {"num_heads": 6}}` or `mixer=partial(Attention, num_heads=6)`, in a design\n')
    parts.append(
        "file `mixer: {attention: {num_heads: 6}}`; a bare name where there are no arguments: `norm: rmsnorm`.\n"
    )
    for kind, (name, says) in slots.items():
        mine = [row for row in rows if row["kind"] == kind]
        parts.append(f"\n## {kind}\n\n`{name}`: {says}\n")
        plain = [row for row in mine if row["class"].startswith("torch.")]
        if plain:
            listed = ", ".join(f"`{row['name']}` (`nn.{row['class'].rpartition('.')[2]}`)" for row in plain)
            parts.append("\n" + textwrap.fill(f"Of PyTorch: {listed}.", 110) + "\n")
        parts += [_block(row) for row in mine if row not in plain]
    parts.append("\n## Other patterns\n\nShared by families; they fit no slot.\n")
    parts += [_block(row) for row in rows if row["kind"] == "block"]
    return "".join(parts)


def _block(row: dict[str, Any]) -> str:
    text = f"\n### {row['name']}\n\n{row['doc']}\n\n`{row['class']}`\n"
    arguments = _arguments(row)
    return text + ("\n" + _table(("argument", "is", "default", "range"), arguments) if arguments else "")


def _slots() -> dict[str, tuple[str, str]]:
    """Each kind of slot with its alias and what blocks/slots.py says of it."""
    tree = ast.parse(Path(str(importlib.import_module("netwright.blocks.slots").__file__)).read_text(encoding="utf-8"))
    found = {}
    for alias, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(alias, ast.Assign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            name = alias.targets[0]
            kind = alias.value.slice.elts[1].value  # type: ignore[attr-defined]
            assert isinstance(name, ast.Name)
            found[kind] = (name.id, str(text.value.value).replace("\n", " "))
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
