"""The house stands: a room imports only from rooms below it (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "netwright"

FLOORS = {
    "blocks": 0,
    "picture": 0,
    "families": 1,
    "weights": 1,
    "inspect": 2,
    "design": 3,
    "data": 3,
    "tasks": 3,
    "advise": 4,
    "train": 4,
    "check": 4,
    "compare": 5,
    "search": 5,
    "report": 6,
    "export": 6,
    "workbench": 7,
    "cli": 8,
    "mcp": 8,
    "studio": 8,
}
ROOMS = sorted(path.name for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists())


def imports(path: Path) -> list[str]:
    """Dotted names of everything that a file imports, at its top or inside functions."""
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.append(node.module or "")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def room_of(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "netwright" and len(parts) > 1 else None


def test_every_room_has_a_floor():
    assert set(ROOMS) <= set(FLOORS)
    assert {"blocks", "families", "design", "data", "train", "workbench", "cli"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_down(room):
    for path in (SOURCE / room).rglob("*.py"):
        for name in imports(path):
            other = room_of(name)
            if other in FLOORS and other != room:
                assert FLOORS[other] < FLOORS[room], f"{path}: {room} may not import {name}"


@pytest.mark.parametrize("room", ["blocks", "families"])
def test_the_ground_floors_are_plain_pytorch(room):
    """A person could copy a file out: torch, the standard library, and rooms of these two floors, nothing else."""
    import sys

    for path in (SOURCE / room).rglob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            plain = top == "torch" or top in sys.stdlib_module_names
            assert plain or room_of(name) in ("blocks", "families"), f"{path}: imports {name}"
