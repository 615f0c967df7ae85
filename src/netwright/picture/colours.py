"""The colours and the font that every drawing and page of netwright has, for light and for dark."""

COLOURS = {
    "ink": ("#1d2530", "#e7eaf0"),
    "muted": ("#5f6976", "#9aa5b4"),
    "line": ("#dcdfe5", "#343c48"),
    "paper": ("#fbfaf8", "#13161b"),
    "card": ("#ffffff", "#1b2027"),
    "soft": ("#f0f1f4", "#20262f"),
    "accent": ("#2563c9", "#7fb0ff"),
    "warm": ("#d9622b", "#ff9a6b"),
    "good": ("#137538", "#52cf8b"),
    "warn": ("#945700", "#f0bd5a"),
    "bad": ("#c02f2f", "#ff8380"),
    "violet": ("#7a4fd0", "#b79bff"),
    "teal": ("#0f8a8a", "#4fd0cb"),
}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def palette(dark: bool) -> str:
    """The colours as CSS variables."""
    return "".join(f"--{name}:{pair[int(dark)]};" for name, pair in COLOURS.items())
