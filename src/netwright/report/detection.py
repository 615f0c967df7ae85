"""Detection in the report: COCO's figures, a row for each class, images with their true and predicted boxes."""

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.picture.words import number
from netwright.report.document import Block, Cell, Facts, Figure, Figures, Table, lean
from netwright.report.segmentation import BASE64, COLOUR, GAP
from netwright.report.svg import document, text
from netwright.report.words import clean, score, show

Json = Mapping[str, Any]
SIDE = 220.0
"""Of a picture, as shown."""
TITLES = {"true": "true boxes", "predicted": "predicted"}
FIGURES = {
    "ap50": ("AP50", "at an overlap of 0.5"),
    "ap75": ("AP75", "at an overlap of 0.75"),
    "map50_95": ("mAP", "the mean over overlaps from 0.5 to 0.95, as COCO has it"),
    "recall": ("Recall", "the mean over these overlaps, 100 boxes an image"),
    "small": ("mAP, small", "objects up to 32² pixels"),
    "medium": ("mAP, medium", "up to 96² pixels"),
    "large": ("mAP, large", "above"),
}


def detection(body: Json) -> list[Block]:
    """The figures, a table of the classes, then the overlays with their colours."""
    classes, known = body.get("classes") or [], body.get("figures") or {}
    where = clean(body.get("split") or "", 60)
    facts = [
        (title, Cell(score(known[key]), note)) for key, (title, note) in FIGURES.items() if known.get(key) is not None
    ]
    rows = []
    for item in classes:
        figures = [Cell(score(item.get(name))) for name in ("ap50", "map50_95")]
        rows.append([Cell(clean(item.get("label"), 60), tone="strong"), *figures, Cell(show(item.get("objects")))])
    blocks: list[Block] = [Facts(facts)] if facts else []
    if rows:
        title = f"Classes, {where} part" if where else "Classes"
        blocks.append(lean(Table(("Class", "AP50", "mAP", "Objects"), rows, frozenset({1, 2, 3}), title=title)))
    drawings = [drawn for item in body.get("overlays") or [] if (drawn := _overlay(item, classes))]
    return [*blocks, Figures(drawings)] if drawings else blocks


def _overlay(item: Json, classes: Sequence[Json]) -> Figure | None:
    """The image twice, under the true boxes and under the predicted ones, and the colours of the classes beneath."""
    picture = item.get("image") or ""
    width, height = ([number(side) for side in item.get("size") or []] + [None, None])[:2]
    if not BASE64.fullmatch(picture) or not width or not height:
        return None
    scale = SIDE / max(width, height)
    w, h, parts = width * scale, height * scale, []
    for index, (kind, title) in enumerate(TITLES.items()):
        left = index * (w + GAP)
        parts.append(text(left, 12, title))
        parts.append(
            f'<image x="{left:.1f}" y="18" width="{w:.1f}" height="{h:.1f}" preserveAspectRatio="none"'
            f' href="data:image/png;base64,{picture}"/>'
        )
        for one in item.get(kind) or []:
            parts += _box(one, classes, left, 18.0, w, h)
    x, y = 0.0, 18 + h + 16
    for one in classes:
        tint, name = _tint(one), clean(one.get("label"), 24)
        if x + 24 + 6.4 * len(name) > 2 * w + GAP:
            x, y = 0.0, y + 16
        parts.append(f'<rect x="{x:.1f}" y="{y - 9:.1f}" width="10" height="10" rx="2" fill="{tint}"/>')
        parts.append(text(x + 14, y, name))
        x += 24 + 6.4 * len(name)
    name = clean(item.get("name") or "an image", 60)
    said = f"{name}: AP50 {score(item.get('score'))}" if item.get("score") is not None else f"{name}: no object"
    drawn = document(2 * w + GAP, y + 8, parts, label=f"{name}: true boxes, predicted boxes")
    return Figure(drawn, said)


def _box(one: Json, classes: Sequence[Json], left: float, top: float, width: float, height: float) -> list[str]:
    """A box in its class's colour, with its score where it has one."""
    corners = [number(value) for value in one.get("box") or []]
    code = one.get("code")
    if len(corners) != 4 or None in corners or not isinstance(code, int) or not 0 <= code < len(classes):
        return []
    x1, y1, x2, y2 = (min(1.0, max(0.0, value or 0.0)) for value in corners)
    tint = _tint(classes[code])
    x, y = left + x1 * width, top + y1 * height
    drawn = [
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{(x2 - x1) * width:.1f}" height="{(y2 - y1) * height:.1f}" fill="none"'
        f' stroke="{tint}" stroke-width="2"/>'
    ]
    sure = number(one.get("score"))
    if sure is not None:
        drawn.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="22" height="11" fill="{tint}"/>')
        drawn.append(
            f'<text x="{x + 2:.1f}" y="{y + 9:.1f}" font-size="9" style="fill:rgb(255, 255, 255)">{sure:.2f}</text>'
        )
    return drawn


def _tint(one: Json) -> str:
    """A class's colour as painted, in the dark too."""
    colour = one.get("colour")
    if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
        colour = "#808080"
    return f"rgb({', '.join(str(part) for part in bytes.fromhex(colour[1:]))})"
