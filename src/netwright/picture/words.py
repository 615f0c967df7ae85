"""Names made harmless, numbers as words, and how wide words are.

layout.js has the same functions: what a card says, and so how wide it is, must not depend on who lays it out.
"""

import math
from typing import Any

DASH = "–"
SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
# Characters that change how their neighbours are shown: zero-width marks and text direction overrides.
INVISIBLE = {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF}


def clean(text: str, limit: int = 240) -> str:
    """One line of printable text, at most `limit` characters; the middle of a longer one becomes "…"."""
    if len(text) > 8 * limit:  # a pathological string is cut before it is looked at character by character
        text = text[: 4 * limit] + text[-4 * limit :]
    kept = []
    for char in text:
        code = ord(char)
        if char.isspace() or code < 32 or 0x7F <= code < 0xA0:
            kept.append(" " if char.isspace() else "")
        elif 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF):
            kept.append("\ufffd")
        elif code not in INVISIBLE:
            kept.append(char)
    return shorten(" ".join("".join(kept).split()), limit)


def shorten(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = max(1, (limit - 1) * 2 // 3)
    tail = limit - 1 - head
    return f"{text[:head]}…{text[len(text) - tail :] if tail else ''}"


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def rounded(value: float, decimals: int) -> str:
    """Halves go up, so that JavaScript writes the same; no zeros at the end."""
    text = f"{math.floor(abs(value) * 10**decimals + 0.5) / 10**decimals:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if decimals else text
    return f"−{text}" if value < 0 and text != "0" else text


def significant(value: float, digits: int = 3) -> str:
    """A number rounded to so many significant digits, never in exponent form between 1e-4 and 1e7."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size >= 7:
        mantissa, exponent = f"{value:.{max(0, digits - 1)}e}".split("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return rounded(value, max(0, digits - 1 - size))


def count(value: Any) -> str:
    """A count: exact below 10,000, then in k, M, G, T with three digits."""
    size = number(value)
    if size is None:
        return DASH
    for scale, unit in SCALES:
        if abs(size) >= max(scale * 0.9995, 1e4):
            return f"{significant(size / scale)} {unit}"
    return rounded(size, 0) if size == int(size) else significant(size)


def size(value: float) -> str:
    """Bytes."""
    for scale, unit in SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{significant(value / scale)} {unit}B"
    return f"{significant(value)} bytes"


def milliseconds(value: float) -> str:
    return f"{significant(value)} ms"


def share(part: Any, whole: Any) -> str:
    part, whole = number(part), number(whole)
    if part is None or not whole:
        return ""
    percent = 100 * part / whole
    if percent >= 9.95:
        return f"{rounded(percent, 0)} %"
    return f"{math.floor(percent * 10 + 0.5) / 10:.1f} %" if percent >= 0.05 else "<0.1 %"


def shape(value: Any) -> str:
    """[64, 8, 8] → "64×8×8"; nothing where it is not known."""
    if isinstance(value, list | tuple):
        return clean("×".join(str(part) for part in value), 40)
    return clean(str(value), 40) if value else ""


def width_of(text: str, size: float, bold: bool = False) -> float:
    """An upper estimate of a text's width in pixels, the same wherever it is drawn; DejaVu Sans, the widest of the
    usual interface fonts, sets it.
    """
    units = 0.0
    for char in text:
        if ord(char) > 0x2E80:
            units += 1.05  # CJK and emoji are square
        elif char in "ijlI.,:;'|![]()/ ft-r·":
            units += 0.42
        elif char in "mwMW%@…—×":
            units += 1.0
        elif char != char.lower() or ord(char) > 0x2FF:
            units += 0.78
        else:
            units += 0.65
    return units * size * (1.1 if bold else 1.0)


def fit(text: str, width: float, size: float, bold: bool = False) -> str:
    """The text, its middle cut until it is no wider than `width`."""
    if width_of(text, size, bold) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        head = (2 * kept + 2) // 3
        cut = f"{text[:head]}…{text[len(text) - (kept - head) :]}" if kept > head else f"{text[:head]}…"
        if width_of(cut, size, bold) <= width:
            return cut
    return f"{text[:1]}…"
