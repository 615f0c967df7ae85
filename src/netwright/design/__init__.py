"""design: what a network is, as plain data, and what it is built from.

`Spec` names a family or block with its arguments, `Design` is the file around it; the registry, read from the
constructors of blocks and families, is the only way from a name to a class. The only room that knows YAML.
Names are looked up when they are used, so that `Brief`, `Budget` and `Recipe` come without torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netwright.design.brief import Brief, Budget
    from netwright.design.catalogue import blocks, families, presets
    from netwright.design.construct import build
    from netwright.design.design import Design
    from netwright.design.entry import Entry, Parameter
    from netwright.design.errors import DesignError
    from netwright.design.library import Registry, registry
    from netwright.design.recipe import Recipe
    from netwright.design.schema import json_schema
    from netwright.design.sections import Data, Task
    from netwright.design.spec import Spec

_HOME = {
    "brief": ("Brief", "Budget"),
    "catalogue": ("blocks", "families", "presets"),
    "construct": ("build",),
    "design": ("Design",),
    "entry": ("Entry", "Parameter"),
    "errors": ("DesignError",),
    "library": ("Registry", "registry"),
    "recipe": ("Recipe",),
    "schema": ("json_schema",),
    "sections": ("Data", "Task"),
    "spec": ("Spec",),
}
_FILE = {name: file for file, names in _HOME.items() for name in names}

__all__ = [
    "Brief",
    "Budget",
    "Data",
    "Design",
    "DesignError",
    "Entry",
    "Parameter",
    "Recipe",
    "Registry",
    "Spec",
    "Task",
    "blocks",
    "build",
    "families",
    "json_schema",
    "presets",
    "registry",
]


def __getattr__(name: str) -> Any:
    if name not in _FILE:
        raise AttributeError(f"netwright.design has no {name}")
    return getattr(importlib.import_module(f"netwright.design.{_FILE[name]}"), name)
