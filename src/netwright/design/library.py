"""The registry: every block and family there is, found by looking, with names resolved through it alone.

Blocks are the modules of netwright.blocks: what `blocks/<kind>.py` or `blocks/<kind>/` exports fits the slots
of that kind. Families are the files `netwright/families/<modality>/<name>.py`, which end in PRESETS.
A plug-in adds to either by an entry point in the group of the same name:

    [project.entry-points."netwright.blocks"]
    "mixer.mine" = "my_package:MyMixer"                # kind.name = a class, or a module with __all__

    [project.entry-points."netwright.families"]
    "vision.mynet" = "my_package.mynet"                # modality.name = a module like those of families/
"""

import functools
import importlib
import importlib.metadata
import pkgutil
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from torch import nn

from netwright.blocks import slots
from netwright.design.entry import Entry, read_class
from netwright.design.errors import DesignError, plain_name, show, unknown_name

SLOT_KINDS = frozenset(
    note
    for alias in vars(slots).values()
    if typing.get_origin(alias) is typing.Annotated
    for note in typing.get_args(alias)[1:]
)


@dataclass(frozen=True, eq=False)
class Registry:
    """Every entry, by kind and name. `for entry in registry()` goes over all of them."""

    entries: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @functools.cached_property
    def families(self) -> dict[str, Entry]:
        return {e.name: e for e in self.entries if e.kind == "family"}

    @functools.cached_property
    def blocks(self) -> dict[str, Entry]:
        """By name, any kind (a class that fits several kinds once)."""
        return {e.name: e for e in reversed(self.entries) if e.kind != "family"}

    @functools.cached_property
    def presets(self) -> dict[str, tuple[Entry, str]]:
        """`resnet50`, `vit:base` → the family and the preset's own name."""
        return {f.preset_name(p): (f, p) for f in self.families.values() for p in f.presets}

    def fitting(self, kind: str) -> dict[str, Entry]:
        """What fits a slot of this kind, by name. A backbone is a vision family with `features`."""
        if kind == "backbone":
            return {n: f for n, f in self.families.items() if f.modality == "vision" and hasattr(f.cls, "features")}
        return {e.name: e for e in self.entries if e.kind == kind}

    def family(self, name: str, where: str = "") -> tuple[Entry, str | None]:
        """The family and preset that a name means: `vit`, `vit:base`, `resnet50`, `resnet:50`."""
        head, colon, tail = name.partition(":")
        if colon:
            entry = self._find(head, self.families)
            if entry is None:
                raise unknown_name(head, self.families, what="family", where=where)
            preset = next((p for p in entry.presets if plain_name(p) == plain_name(tail)), None)
            if preset is None:
                raise unknown_name(tail, entry.presets, what=f"preset of {entry.name}", where=where)
            return entry, preset
        entry = self._find(name, self.families)
        if entry is not None:
            return entry, None
        for preset_name, found in self.presets.items():
            if plain_name(preset_name) == plain_name(name):
                return found
        known = [*self.families, *self.presets]
        raise unknown_name(name, known, what="family or preset", where=where, listed=self.families)

    def block(self, name: str, kind: str, where: str = "") -> tuple[Entry, str | None]:
        """The block of this name that fits a slot of this kind; of a family also its preset."""
        fitting = self.fitting(kind)
        entry = self._find(name, fitting)
        if entry is not None:
            return entry, None
        if kind == "backbone":
            family, preset = self.family(name, where)
            if family.name in fitting:
                return family, preset
            raise DesignError(f"{family.name} has no features", where=where, value=name, allowed=", ".join(fitting))
        other = self._find(name, self.blocks)
        if other is not None:
            also = "" if other.kind == "block" else f" (it fits a slot for {other.kind})"
            what = f"{other.name} is no {kind}{also}"
            allowed = ", ".join(fitting) or "nothing yet"
            raise DesignError(what, where=where, value=name, allowed=allowed)
        raise unknown_name(name, fitting, what=kind, where=where)

    def any(self, name: str, where: str = "") -> tuple[Entry, str | None]:
        """A family, a preset, or, where there is none of the name, a block."""
        try:
            return self.family(name, where)
        except DesignError:
            block = self._find(name, self.blocks)
            if block is None:
                raise
            return block, None

    def name_of(self, value: Any, where: str = "") -> str | dict[str, Any]:
        """A class or a partial of one as data: `partial(Attention, num_heads=6)` → {attention: {…}}."""
        args: dict[str, Any] = {}
        while isinstance(value, functools.partial):
            if value.args:
                raise DesignError("a partial in a slot takes keyword arguments only", where=where)
            args, value = {**value.keywords, **args}, value.func
        entry = next((e for e in self.entries if e.cls is value), None)
        if entry is None:
            fix = "use a name of netwright.blocks(), or call the constructor in Python yourself"
            raise DesignError(f"{show(value)} is not in the registry", where=where, fix=fix)
        return {entry.name: args} if args else entry.name

    @staticmethod
    def _find(name: str, entries: Mapping[str, Entry]) -> Entry | None:
        key = plain_name(name)
        return next((e for n, e in entries.items() if plain_name(n) == key), None)


@functools.cache
def registry() -> Registry:
    """What there is. Read once; `registry.cache_clear()` has it looked up again."""
    # import_module, because netwright.blocks and netwright.families are also the names of functions
    rooms = importlib.import_module("netwright.blocks"), importlib.import_module("netwright.families")
    own = [*_blocks(rooms[0]), *_families(rooms[1])]
    return Registry(_unique([*own, *_plug_ins(own)]))


def _blocks(package: ModuleType) -> Iterator[Entry]:
    for module in _modules(package):
        kind = module.__name__.rpartition(".")[2]
        if kind in SLOT_KINDS:
            yield from (read_class(cls, kind) for cls in _classes(module))
        elif module is not slots:
            yield from (read_class(cls, "block") for cls in _classes(module))
            if hasattr(module, "__path__"):
                yield from _blocks(module)


def _families(package: ModuleType) -> Iterator[Entry]:
    for folder in _modules(package):
        modality = folder.__name__.rpartition(".")[2]
        for module in _modules(folder) if hasattr(folder, "__path__") else ():
            if hasattr(module, "PRESETS"):
                yield _family(module, modality, module.__name__.rpartition(".")[2])


def _family(module: ModuleType, modality: str, name: str) -> Entry:
    cls = _classes(module)[0]
    presets = {str(k): v for k, v in module.PRESETS.items()}
    return read_class(cls, "family", name, modality, presets)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name):
        if not info.name.startswith("_"):
            yield importlib.import_module(f"{package.__name__}.{info.name}")


def _classes(module: ModuleType) -> list[type]:
    """The classes of `__all__`; without it, the public ones that the module defines."""
    names = getattr(module, "__all__", None)
    if names is None:
        own = vars(module).items()
        names = [n for n, v in own if n[0] != "_" and getattr(v, "__module__", "") == module.__name__]
    found = [getattr(module, n) for n in names]
    return [c for c in found if isinstance(c, type) and issubclass(c, nn.Module)]


def _plug_ins(own: Iterable[Entry]) -> Iterator[Entry]:
    """What other packages add. One that can't be read is left out with a warning; none replaces ours."""
    taken = {(e.kind, plain_name(e.name)) for e in own}
    for group, read in (("netwright.blocks", _plug_in_blocks), ("netwright.families", _plug_in_family)):
        for point in importlib.metadata.entry_points(group=group):
            try:
                entries = read(point.name, point.load())
            except Exception as error:  # a stranger's module may raise anything
                warnings.warn(f"plug-in {point.name} = {point.value} is left out: {error}", stacklevel=2)
                continue
            for entry in entries:
                key = entry.kind, plain_name(entry.name)
                if key in taken:
                    what = f"plug-in {point.name}: the {entry.kind} {entry.name} is there already"
                    warnings.warn(what, stacklevel=2)
                else:
                    taken.add(key)
                    yield entry


def _plug_in_blocks(name: str, found: Any) -> list[Entry]:
    kind = name.partition(".")[0]
    classes = [found] if isinstance(found, type) else _classes(found)
    return [read_class(cls, kind) for cls in classes]


def _plug_in_family(name: str, module: ModuleType) -> list[Entry]:
    modality, dot, family = name.partition(".")
    if not dot:
        raise ValueError("an entry point of netwright.families is called modality.name, as vision.mynet")
    return [_family(module, modality, family)]


def _unique(entries: list[Entry]) -> tuple[Entry, ...]:
    """Each class once for a kind; two under one name couldn't be told apart in a file."""
    slotted = {e.cls for e in entries if e.kind not in ("block", "family")}
    out: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.kind == "block" and entry.cls in slotted:
            continue
        other = out.setdefault((entry.kind, plain_name(entry.name)), entry)
        if other.cls is not entry.cls:
            raise RuntimeError(f"{other.cls} and {entry.cls} are both the {entry.kind} {entry.name}")
    return tuple(out.values())
