"""Design: the one file that every part of netwright reads and writes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from netwright.design import yaml_text
from netwright.design.brief import Budget
from netwright.design.construct import make
from netwright.design.errors import DesignError, at, show, unknown_name
from netwright.design.recipe import Recipe
from netwright.design.resolve import Resolved, resolve_inputs
from netwright.design.sections import Data, Task, check_reasons
from netwright.design.spec import Spec

VERSION = 1
KEYS = ("netwright", "name", "task", "data", "inputs", "model", "recipe", "budget", "reasons")


@dataclass
class Design:
    """What is learnt from which data by which model, trained how, within which limits, and why.

        netwright: 1
        task: {kind: multiclass, target: species, metric: accuracy}
        inputs: {num_features: 4, num_classes: 3}
        model:
          mlp: {dim: 64, depth: 2}

    A file that was read and not changed is written back byte for byte; after a change its comments stay.
    """

    model: Spec
    name: str = "design"
    task: Task = field(default_factory=Task)
    data: Data = field(default_factory=Data)
    inputs: dict[str, Any] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    budget: Budget = field(default_factory=Budget)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    version: int = VERSION
    # the text that it was read from, and what that said
    _read: tuple[str, dict[str, Any]] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.check()

    def check(self) -> Resolved:
        """Every part right in itself and with the others; the model as it would be built."""
        self.model = Spec.from_data(self.model)
        if type(self.version) is not int or self.version != VERSION:
            raise DesignError(
                f"version {show(self.version)} is unknown", where="netwright", value=self.version, allowed="1"
            )
        if not isinstance(self.name, str) or not self.name.strip():
            raise DesignError(f"{show(self.name)} is no name", where="name", value=self.name, allowed="text")
        for name, kind in (("task", Task), ("data", Data), ("recipe", Recipe), ("budget", Budget)):
            if not isinstance(getattr(self, name), kind):
                raise DesignError(f"{show(getattr(self, name))} is no {kind.__name__}", where=name)
        if not isinstance(self.inputs, Mapping):
            raise DesignError(f"{show(self.inputs)} is not allowed", where="inputs", allowed="{num_classes: 10, …}")
        self.inputs = {k: list(v) if isinstance(v, tuple) else v for k, v in self.inputs.items()}
        self.reasons = check_reasons(self.reasons)
        return resolve_inputs(self.model, self.inputs)

    def build(self, **given: Any) -> nn.Module:
        """The model for the data's inputs; `given` arguments are laid over the model's."""
        inputs = {name: given.pop(name, value) for name, value in self.inputs.items()}
        return make(resolve_inputs(self.model.replace(**given), inputs))

    @classmethod
    def from_data(cls, data: Any) -> "Design":
        """From plain data, as YAML has it."""
        if not isinstance(data, Mapping):
            raise DesignError(f"{show(data)} is no design", allowed="a mapping: netwright: 1, model: …")
        for key in data:
            if key not in KEYS:
                raise unknown_name(key, KEYS, what="key of a design", where=at("", key))
        if "netwright" not in data:
            raise DesignError("the version is missing", where="netwright", fix="add the line `netwright: 1`")
        if "model" not in data:
            raise DesignError("the model is missing", where="model", fix="add it, as `model: resnet50`")
        return cls(
            version=data["netwright"],
            name=data.get("name", "design"),
            task=Task.from_data(data.get("task")),
            data=Data.from_data(data.get("data")),
            inputs=data.get("inputs") or {},
            model=Spec.from_data(data["model"]),
            recipe=Recipe.from_data(data.get("recipe")),
            budget=Budget.from_data(data.get("budget")),
            reasons=data.get("reasons") or [],
        )

    def to_data(self) -> dict[str, Any]:
        """Plain data, with every default said. `from_data` gives the same design back."""
        return {
            "netwright": self.version,
            "name": self.name,
            "task": self.task.to_data(),
            "data": self.data.to_data(),
            "inputs": dict(self.inputs),
            "model": self.model.to_data(),
            "recipe": self.recipe.to_data(),
            "budget": self.budget.to_data(),
            "reasons": [dict(r) for r in self.reasons],
        }

    @classmethod
    def loads(cls, text: str, where: str = "") -> "Design":
        """From the text of a design file; `where` is its name in errors."""
        tree = None
        try:
            tree = yaml_text.read(text.removeprefix("\ufeff"))
            if tree is None:
                raise DesignError("the file is empty", fix="a design has at least `netwright: 1` and `model: …`")
            design = cls.from_data(yaml_text.plain(tree))
        except DesignError as error:
            raise _with_line(error, tree, where) from error.__cause__
        design._read = text, design.to_data()
        return design

    @classmethod
    def load(cls, path: "str | os.PathLike[str]") -> "Design":
        """From a design file."""
        try:
            content = Path(path).read_bytes()
        except FileNotFoundError as error:
            raise DesignError("there is no such file", where=str(path)) from error
        except IsADirectoryError as error:
            fix = "give the file in it, usually design.yaml"
            raise DesignError("this is a folder, not a design file", where=str(path), fix=fix) from error
        except (OSError, ValueError) as error:
            raise DesignError(f"can't be read: {error}", where=str(path)) from error
        if len(content) > yaml_text.MAX_BYTES:
            raise DesignError(f"{len(content):,} bytes; a design has a few thousand", where=str(path))
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"not UTF-8 text (byte {error.start} is 0x{content[error.start]:02x})"
            raise DesignError(what, where=str(path), fix="save it as UTF-8") from error
        return cls.loads(text, str(path))

    def dumps(self) -> str:
        """The text of the design file."""
        self.check()
        data = self.to_data()
        if self._read is None:
            return yaml_text.write({k: v for k, v in data.items() if v or k in ("netwright", "model")})
        text, before = self._read
        if yaml_text.same(before, data):
            return text
        changed = yaml_text.rewrite(text, before, data)
        return changed if self._says_the_same(changed) else yaml_text.write(data)

    def _says_the_same(self, text: str) -> bool:
        """Whether the text is read back as this design; its comments are worth less than its content."""
        try:
            return yaml_text.same(Design.loads(text).to_data(), self.to_data())
        except DesignError:
            return False

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Write the file, whole or not at all."""
        content, path = self.dumps().encode("utf-8"), Path(path)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError as error:
            raise DesignError(f"can't be written: {error.strerror or error}", where=str(path)) from error
        finally:
            temporary.unlink(missing_ok=True)


def _with_line(error: DesignError, tree: Any, where: str) -> DesignError:
    """The same error with the file's name and the line, where it is known."""
    line = yaml_text.line_of(tree, error.path) if tree is not None and error.path else None
    place = f"{where}:{line}" if where and line else where or (f"line {line}" if line else "")
    full = ": ".join(filter(None, (place, error.path)))
    out = DesignError(
        error.what, where=full, fix=error.fix, value=error.value, allowed=error.allowed, nearest=error.nearest
    )
    out.path = error.path
    return out
