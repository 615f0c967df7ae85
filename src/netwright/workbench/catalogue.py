"""What there is: families, presets, blocks and devices, one by one or listed."""

from pathlib import Path
from typing import Any

from netwright.design import Design, blocks, families, presets, registry
from netwright.errors import InputError
from netwright.inspect.devices import DEVICES


def devices() -> list[dict[str, Any]]:
    """What `inspect --device` knows by its datasheet; GB, GB/s and TFLOPS, dense."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "memory GB": one.memory_gb,
            "GB/s": one.bandwidth_gb,
            **{dtype: one.tflops.get(dtype) for dtype in ("float32", "float16", "bfloat16", "int8")},
            "source": one.source,
        }
        for one in DEVICES.values()
    ]


LISTS = {"families": families, "presets": presets, "blocks": blocks, "devices": devices}


def listing(what: str) -> list[dict[str, Any]]:
    """`families`, `presets`, `blocks` or `devices`, as data."""
    if what not in LISTS:
        raise InputError(f"there is no list of {what!r}", where="list", fix=f"choose one of {', '.join(LISTS)}")
    return LISTS[what]()


def show(name: str) -> dict[str, Any]:
    """A family, preset or block, or a design file, as data."""
    if Path(name).suffix in (".yaml", ".yml"):
        return Design.load(name).to_data()
    entry, preset = registry().any(name, "show")
    rows = [row for rows in (families(), blocks()) for row in rows if row["name"] == entry.name]
    facts = dict(rows[0])
    if preset is not None:
        facts = {**entry.presets[preset], **facts, "name": f"{entry.name}:{preset}"}
    return facts
