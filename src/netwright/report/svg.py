"""The few shapes that plots are made of, as SVG text.

Colours are CSS variables with the light value behind them: in the page they follow light, dark and print;
an SVG taken out of it still shows.
"""

from html import escape

from netwright.picture import words as measured
from netwright.picture.colours import COLOURS, FONT
from netwright.report.words import clean

SERIES = ("accent", "warm", "good", "violet", "teal", "muted")


def var(name: str) -> str:
    return f"var(--{name}, {COLOURS[name][0]})"


def esc(value: object, limit: int = 240) -> str:
    return escape(clean(value, limit), quote=True)


def fit(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, its middle cut until it is no wider than `width`."""
    return measured.fit(clean(text, 160) if text else "", width, size, bold)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 11,
    fill: str = "muted",
    anchor: str = "start",
    bold: bool = False,
    css: str = "",
) -> str:
    """A text whose baseline is at y. `words` is escaped here."""
    extra = (' font-weight="600"' if bold else "") + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    extra += f' class="{css}"' if css else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{var(fill)}"{extra}>{esc(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = "line", width: float = 1, dash: str = "") -> str:
    extra = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{var(stroke)}"'
        f' stroke-width="{width:g}"{extra}/>'
    )


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "card",
    stroke: str = "",
    radius: float = 0,
    opacity: float = 1,
    css: str = "",
    dash: str = "",
) -> str:
    extra = f' stroke="{var(stroke)}"' if stroke else ""
    extra += f' rx="{radius:g}"' if radius else ""
    extra += f' fill-opacity="{opacity:.3f}"' if opacity < 1 else ""
    extra += f' stroke-dasharray="{dash}"' if dash else ""
    extra += f' class="{css}"' if css else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{max(0, height):.1f}"'
        f' fill="{var(fill)}"{extra}/>'
    )


def dot(x: float, y: float, radius: float, *, fill: str = "accent", opacity: float = 1) -> str:
    extra = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{var(fill)}"{extra}/>'


def document(width: float, height: float, parts: list[str], *, label: str, css: str = "plot", least: float = 0) -> str:
    """A drawing shown at no more than 1.15 of its own size, and at no less than `least` of it on a narrow
    page.
    """
    room = f"width:100%;max-width:{width * 1.15:.0f}px"
    room += f";min-width:{width * least:.0f}px" if least else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{css}" viewBox="0 0 {width:.0f} {height:.0f}"'
        f' role="img" aria-label="{esc(label)}" font-family="{FONT}" style="{room}">{"".join(parts)}</svg>'
    )
