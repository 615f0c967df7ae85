"""Segmentation in the report: a row for each class, and images under their true and predicted masks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netwright.picture.words import number
from netwright.report.document import Block, Cell, Figure, Figures, Table, lean
from netwright.report.svg import document, text
from netwright.report.words import clean, score, show

Json = Mapping[str, Any]
SIDE = 150.0
"""Of a picture, as shown."""
GAP = 8.0
BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
COLOUR = re.compile(r"#[0-9a-f]{6}")
TITLES = ("image", "true mask", "predicted")


def segmentation(body: Json) -> list[Block]:
    """A table of the classes, then the overlays with their colours."""
    classes = body.get("classes") or []
    where = clean(body.get("split") or "", 60)
    rows = []
    for item in classes:
        part = number(item.get("share"))
        percent = f"{100 * part:.2g} %" if part is not None else "–"
        figures = [Cell(score(item.get(name))) for name in ("iou", "dice")]
        rows.append([Cell(clean(item.get("label"), 60), tone="strong"), *figures, Cell(percent, share=part)])
    title = f"Classes, {where} part" if where else "Classes"
    blocks: list[Block] = []
    if rows:
        blocks.append(lean(Table(("Class", "IoU", "Dice", "Pixels"), rows, frozenset({1, 2, 3}), title=title)))
    drawings = [drawn for item in body.get("overlays") or [] if (drawn := _overlay(item, classes))]
    return [*blocks, Figures(drawings)] if drawings else blocks


def _overlay(item: Json, classes: Sequence[Json]) -> Figure | None:
    """Three pictures in a row, and the colours of the classes beneath."""
    pictures = [picture for picture in item.get("images") or [] if BASE64.fullmatch(picture)]
    if len(pictures) != len(TITLES):
        return None
    parts = []
    for index, (picture, title) in enumerate(zip(pictures, TITLES, strict=True)):
        x = index * (SIDE + GAP)
        parts.append(text(x, 12, title))
        parts.append(
            f'<image x="{x:.1f}" y="18" width="{SIDE:g}" height="{SIDE:g}" preserveAspectRatio="xMidYMin meet"'
            f' href="data:image/png;base64,{picture}"/>'
        )
    width, y, x = 3 * SIDE + 2 * GAP, 18 + SIDE + 16, 0.0
    for one in classes:
        colour = one.get("colour")
        if isinstance(colour, str) and COLOUR.fullmatch(colour):
            name = clean(one.get("label"), 24)
            needed = 24 + 6.4 * len(name)
            if x + needed > width:
                x, y = 0.0, y + 16
            tint = ", ".join(str(part) for part in bytes.fromhex(colour[1:]))  # as painted, in the dark too
            parts.append(f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" rx="2" fill="rgb({tint})"/>')
            parts.append(text(x + 14, y, name))
            x += needed
    name = clean(item.get("name") or "an image", 60)
    said = f"{name}: mIoU {score(item.get('score'))}" if item.get("score") is not None else f"{name}: {show(None)}"
    return Figure(document(width, y + 8, parts, label=f"{name}: image, true mask, predicted mask"), said)
