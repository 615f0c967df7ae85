"""netwright: from data and a brief to a neural network that fits both, in source that you own.

    import netwright as nw

    d = nw.design(df, target="price", params="200k", time="2min")
    d.model, d.report, d.folder
    nw.build("vit:base", num_classes=10, mixer={"attention": {"num_heads": 6}})

Names are looked up when they are used: importing netwright imports nothing heavy.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netwright.design import Brief, Budget, Design, Recipe, Spec, blocks, build, families, presets
    from netwright.errors import BudgetError, InputError
    from netwright.workbench import Result, design, inspect, predict, train  # type: ignore[no-redef]

__version__ = "0.1.0"

_ROOM = {
    "netwright.design": (
        "Brief",
        "Budget",
        "Design",
        "Recipe",
        "Spec",
        "blocks",
        "build",
        "families",
        "presets",
    ),
    "netwright.errors": ("BudgetError", "InputError"),
    "netwright.workbench": ("Result", "design", "inspect", "predict", "train"),
}
_HOME = {name: room for room, names in _ROOM.items() for name in names}

__all__ = [
    "Brief",
    "Budget",
    "BudgetError",
    "Design",
    "InputError",
    "Recipe",
    "Result",
    "Spec",
    "__version__",
    "blocks",
    "build",
    "design",
    "families",
    "inspect",
    "predict",
    "presets",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"netwright has no {name}")
    if importlib.util.find_spec(f"netwright.{name}"):  # a room and a verb of one name
        return importlib.import_module(f"netwright.{name}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


# Some rooms have the name of a verb or a list: `netwright.design` holds Spec and Design, and `netwright.design(df)`
# designs. The import system binds a room's module to its name whenever something loads it, so the module itself is
# made callable: both meanings hold, in whatever order things are imported.


class _Room(ModuleType):
    """A room whose name is a verb's too: calling it is the verb."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(importlib.import_module(_HOME[name]), name)(*args, **kwargs)


class _Package(ModuleType):
    """The package itself, which makes such rooms callable as they are bound to it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOME and isinstance(value, ModuleType):  # the import system binds a room that it has loaded
            value.__class__ = _Room
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
