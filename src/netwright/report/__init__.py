"""One JSON of what was designed, trained and measured, rendered for people.

`render_html` is one offline page, `render_markdown` GitHub's Markdown, `render_terminal` the short form,
`repr_html` a notebook's card; `write` puts report.html, report.md and report.json in a folder.
`render_blueprint` and `render_differences` show any network in a terminal.
`json_schema` says the JSON's shape; `from_blueprint` fills its parts on the network. Plain data in, text
out: nothing here measures, and nothing imports torch.
"""

from netwright.report.blueprint_terminal import render_blueprint, render_fit, render_savings
from netwright.report.card import repr_html
from netwright.report.differences_terminal import render_differences
from netwright.report.html import render_html
from netwright.report.markdown import render_markdown
from netwright.report.network import from_blueprint
from netwright.report.schema import SECTIONS, json_schema
from netwright.report.terminal import render_terminal
from netwright.report.write import write

__all__ = [
    "SECTIONS",
    "from_blueprint",
    "json_schema",
    "render_blueprint",
    "render_differences",
    "render_fit",
    "render_html",
    "render_markdown",
    "render_savings",
    "render_terminal",
    "repr_html",
    "write",
]
