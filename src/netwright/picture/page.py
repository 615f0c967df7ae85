"""Any network as one HTML file that a browser opens offline: groups open and close, cards take the colour of a cost."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

from netwright.picture.colours import palette
from netwright.picture.tree import Json, tree

SCRIPTS = ("nodes.js", "layout.js", "viewer.js")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '{script_hash}'; \
style-src '{style_hash}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>The picture is drawn by a script in this file; allow it to run.</noscript>
<div id="viewer"></div>
<script type="application/json" id="network">{data}</script>
<script>{script}</script>
</body>
</html>
"""
# Scripts alone are allowed in the frame: not even the notebook's own page is within their reach.
FRAME = (
    '<iframe title="{title}" srcdoc="{page}" sandbox="allow-scripts" '
    'style="box-sizing:border-box;width:100%;height:{height}px;border:1px solid rgba(128,128,128,.35)"></iframe>'
)


def page(blueprint: Json, title: str = "") -> str:
    """The page of `Blueprint.to_json()`. It asks for nothing over the network, and its policy forbids it to."""
    data = tree(blueprint, title)
    script = "".join(_file(name) for name in SCRIPTS)
    style = (
        f":root{{color-scheme:light dark;{palette(dark=False)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{palette(dark=True)}}}}}\n" + _file("viewer.css")
    )
    return PAGE.format(
        title=escape(data["title"]),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=embedded(data),
    )


def frame(blueprint: Json, title: str = "", height: int = 640) -> str:
    """The page within another one, for a notebook."""
    return FRAME.format(title=escape(title or blueprint["cls"]), page=escape(page(blueprint, title)), height=height)


def embedded(value: Any) -> str:
    """JSON that can stand inside a script element: no name in it can end the element or open a comment."""
    words = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        words = words.replace(char, f"\\u{ord(char):04x}")
    return words


def _file(name: str) -> str:
    return files("netwright.picture").joinpath(name).read_text(encoding="utf-8")


def _hash(words: str) -> str:
    """What the page's policy knows the one script and the one style by: another would not run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(words.encode()).digest()).decode()
