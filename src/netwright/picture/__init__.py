"""The picture of a network, "trunk and lanes": plain data in (a Blueprint's JSON), text out, nothing imported.

`svg` is one drawing, `page` an offline page whose groups open and close, `frame` that page for a notebook, `mermaid` a
flowchart for Markdown. `tree` is the folded network behind them all, as data.
"""

from netwright.picture.mermaid import mermaid
from netwright.picture.page import frame, page
from netwright.picture.svg import svg
from netwright.picture.tree import tree

__all__ = ["frame", "mermaid", "page", "svg", "tree"]
