"""Growth, field and differences as people see them."""

import io
import re
from itertools import pairwise
from xml.etree import ElementTree

import jsonschema
import pytest
import torch
from rich.console import Console
from torch import nn

from netwright.inspect import differences, growth, inspect, sight
from netwright.report import json_schema, plots, render_blueprint, render_differences, render_html, render_markdown
from netwright.report.growth import crossing, figure, render_growth
from tests.report.drawing import SVG, read


def printed(render, *arguments, **options) -> str:
    console = Console(file=io.StringIO(), width=160, color_system=None)
    render(*arguments, console, **options)
    return console.file.getvalue()


@pytest.fixture
def grown():
    layer = nn.TransformerEncoderLayer(32, 4, 128, batch_first=True, device="meta")
    net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return growth(net, torch.empty(1, 24, 32, device="meta"), "length").to_json()


def test_the_table(grown):
    shown = printed(render_growth, grown)
    header = next(line for line in shown.splitlines() if line.startswith("tokens"))
    assert header.split("  ")[0] == "tokens"
    assert [name in header for name in ("parameters", "MACs", "of attention", "peak memory", "latency", "saved")] == [
        True, True, True, True, False, False,
    ]  # fmt: skip
    powers = next(line for line in shown.splitlines() if line.startswith("∝"))
    assert re.findall(r"\^ ([\d.]+)", powers)[0] == "0"
    assert "from 192 tokens on" in shown  # six times the width


def test_latency_has_a_column_where_it_is_known(grown):
    for row in grown["rows"]:
        row["latency_ms"] = 0.5 * row["size"]
    grown["exponents"]["latency_ms"] = 1.0
    shown = printed(render_growth, grown)
    assert "latency" in shown and "12 ms" in shown
    assert "latency" in figure(grown).svg


def test_a_refused_size_is_said():
    class UpTo(nn.Module):
        def forward(self, x):
            return x[:, :8] if x.shape[1] < 20 else x + torch.zeros(3)

    shown = printed(render_growth, growth(UpTo(), torch.zeros(1, 8, 4), "length").to_json())
    assert "32 tokens: refused" in shown


def test_the_crossing_in_words(grown):
    assert crossing({**grown, "crossing": 0.0}).startswith("Attention takes more MACs than all else at every size")
    assert crossing({**grown, "crossing": None, "how": "no attention"}).endswith("overtakes the rest: no attention.")


def test_the_plot_is_a_drawing_of_straight_lines(grown):
    made = figure(grown)
    drawing = read(made.svg)
    assert {"24", "48", "96"} <= {words.text for words in drawing.texts}
    circles = list(ElementTree.fromstring(made.svg).iter(f"{SVG}circle"))
    assert len(circles) == 2 * len(grown["rows"])  # MACs and memory; the parameters do not grow
    assert "as powers of the size: parameters 0, MACs 1." in made.caption
    assert figure({**grown, "rows": grown["rows"][:1]}) is None


def test_powers_are_straight_on_logarithmic_axes():
    xs = [1, 2, 4, 8]
    svg = plots.lines({"a": {"x": xs, "y": [x**3 for x in xs]}}, log=True, log_x=True)
    dots = [(float(one.get("cx")), float(one.get("cy"))) for one in ElementTree.fromstring(svg).iter(f"{SVG}circle")]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(dots)]
    assert slopes == pytest.approx([slopes[0]] * 3, rel=0.01)


def test_in_the_report(grown):
    report = {"verdict": {"sentence": "It wins."}, "cost": {"rows": [], "by_type": [], "growth": grown}}
    jsonschema.Draft202012Validator(json_schema()).validate(report)
    assert "Growth (×)" in render_html(report)
    assert "Growth with the length" in render_markdown(report)


def test_a_blueprint_shows_what_was_asked_for():
    net, x = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU()), torch.zeros(1, 3, 16, 16)
    blueprint = inspect(net, x)
    assert "how far it sees" not in printed(render_blueprint, blueprint)
    blueprint.sight, blueprint.growth = sight(net, blueprint, x), growth(net, x, "batch")
    shown = printed(render_blueprint, blueprint)
    assert "how far it sees, of 16 pixels" in shown
    assert "does not cover the input" in shown
    assert "growth with the batch" in shown


class Net(nn.Module):
    def __init__(self, depth: int, kernel: int = 3, extra: bool = False):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, kernel, padding=kernel // 2)
        self.blocks = nn.Sequential(*(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()) for _ in range(depth)))
        self.extra = nn.Sequential(nn.Flatten(), nn.Linear(512, 4)) if extra else nn.Identity()

    def forward(self, x):
        return self.extra(self.blocks(self.stem(x)))


def test_differences_side_by_side():
    both = [inspect(net, torch.zeros(1, 3, 8, 8)) for net in (Net(6), Net(23, 5, extra=True))]
    shown = printed(render_differences, differences(*both), ("one", "two[red]"))
    assert "two[red]" in shown
    assert "blocks.0..5  ×6 → ×23" in shown
    assert "kernel_size=(3, 3) → (5, 5), padding=(1, 1) → (2, 2)" in shown
    assert re.search(r"\+ +extra\.1 +Linear +2,052", shown)
    assert "blocks" not in printed(render_differences, differences(*both), ("one", "two"), depth=0)


def test_the_same_is_said_to_be_identical():
    both = [inspect(Net(2), torch.zeros(1, 3, 8, 8)) for _ in range(2)]
    assert "identical" in printed(render_differences, differences(*both), ("one", "two"))
