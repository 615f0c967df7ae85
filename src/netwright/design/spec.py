"""Spec: a named partial as plain data: which block or family, with which arguments, nested."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from netwright.design.errors import DesignError, show


@dataclass(frozen=True)
class Spec:
    """A family, preset or block by name, and arguments. What stands in a slot may be given as a Spec, a dict

    `{name: {arguments}}`, a bare name, a class or a `functools.partial` of one; it is kept as plain data:

        Spec("vit", {"dim": 192, "mixer": Spec("attention", {"num_heads": 3})})
        vit: {dim: 192, mixer: {attention: {num_heads: 3}}}
    """

    name: str
    args: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise DesignError(f"{show(self.name)} is no name of a family or block", value=self.name)
        if not isinstance(self.args, Mapping):
            raise DesignError(f"{show(self.args)} are no arguments", where=self.name, allowed="{name: value}")
        object.__setattr__(self, "args", _plain_args(self.args))

    @classmethod
    def from_data(cls, data: Any, where: str = "model") -> "Spec":
        """From YAML's form: `resnet50`, or `vit: {dim: 192}`."""
        if isinstance(data, Spec):
            return data
        if isinstance(data, str) and data:
            return cls(data)
        if isinstance(data, Mapping) and len(data) == 1:
            ((name, args),) = data.items()
            if isinstance(name, str) and (args is None or isinstance(args, Mapping)):
                return cls(name, dict(args or {}))
        fix = "one name, as `resnet50`, or one name with its arguments, as `vit: {dim: 192}`"
        raise DesignError(f"{show(data)} names no block", where=where, fix=fix, value=data, allowed=fix)

    def to_data(self) -> str | dict[str, Any]:
        """YAML's form: the bare name where there are no arguments."""
        return {self.name: _plain_args(self.args)} if self.args else self.name

    def replace(self, **args: Any) -> "Spec":
        """The same with other arguments: `spec.replace(dim=256)`. What isn't named stays."""
        return Spec(self.name, {**self.args, **args})

    def __hash__(self) -> int:
        return hash(repr(self))

    def __str__(self) -> str:
        inside = ", ".join(f"{k}={_call(v)}" for k, v in self.args.items())
        return f"{self.name}({inside})"


def _call(value: Any) -> str:
    is_slot = isinstance(value, dict) and len(value) == 1
    return str(Spec.from_data(value)) if is_slot else str(value)


def _plain_args(args: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in args.items()}


def _plain(value: Any) -> Any:
    """An argument as YAML has it: lists, numbers, text, and names or {name: {arguments}} for slots."""
    if isinstance(value, Spec):
        return value.to_data()
    if isinstance(value, Mapping):
        if len(value) != 1:
            return _plain_args(value)  # wrong, and said so with its path when it is checked
        ((name, args),) = value.items()
        if args is not None and not isinstance(args, Mapping):
            return {name: _plain(args)}
        return {name: _plain_args(args)} if args else name
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if callable(value):
        from netwright.design.library import registry

        return _plain(registry().name_of(value))
    return value
