"""The page in headless Chromium: what a person would try, tried; without complaint, and without asking for anything."""

import html
import json
import re
from importlib.resources import files

import pytest
import torch
from torch import nn

from netwright.inspect import inspect
from netwright.picture import frame, page
from tests.picture.browser import CHROMIUM, chromium
from tests.picture.networks import NETWORKS, blueprint
from tests.picture.test_svg import HOSTILE, hostile

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to open the page with")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page's text, as a file and nowhere near a server."""

    def open_(text, **size):
        place = tmp_path / "page.html"
        place.write_text(text, encoding="utf-8")
        tab = browser.open(place.as_uri(), **size)
        assert tab.requests == [place.as_uri()]
        return tab

    return open_


def shown(tab):
    return tab.run("document.querySelectorAll('#viewer [data-id]').length")


def middle(tab, selector):
    """Where a person would click on it, once it is in sight."""
    return tab.run(
        f"""(() => {{
          const made = document.querySelector({json.dumps(selector)});
          made.scrollIntoView({{ block: "center", inline: "center" }});
          const box = made.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
    )


def press(tab, words):
    """A button by what is written on it."""
    place = f"[...document.querySelectorAll('button')].find((made) => made.textContent === {json.dumps(words)})"
    x, y = tab.run(f"(() => {{ const b = {place}.getBoundingClientRect(); return [b.x + 8, b.y + 8]; }})()")
    tab.click(x, y)


def heats(tab):
    return tab.run("[...document.querySelectorAll('.heat')].map((made) => made.getAttribute('fill-opacity')).join()")


# What the file is


@pytest.mark.parametrize("name", NETWORKS)
def test_is_small_and_asks_for_nothing(name):
    text = page(blueprint(name))
    assert len(text.encode()) < 150_000
    assert "default-src 'none'" in text
    code = text.replace('const SVG = "http://www.w3.org/2000/svg"', "")  # a name, not an address
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|sendBeacon|WebSocket|@import|url\(['\"]?[^#'\"]", code)


def test_hostile_names_stay_names():
    text = page(hostile(), title=HOSTILE)
    assert text.count("</script>") == 2 and "<b" not in text.replace("<body", "")
    (embedded,) = re.findall(r'id="network">(.*?)</script>', text, re.S)
    assert not set("<>&\u2028") & set(embedded)
    assert json.loads(embedded)["kids"][1]["n"].startswith("</script><b")
    script = files("netwright.picture").joinpath("viewer.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", script)


# In a browser


@needs_chromium
@pytest.mark.parametrize("name", NETWORKS)
def test_opens_closes_and_recolours(name, opened):
    tab = opened(page(blueprint(name)))
    first = shown(tab)
    press(tab, "Collapse all")
    collapsed = shown(tab)

    # A click opens a group, which stays under the pointer; a click on its header closes it.
    group = tab.run("viewer.tree.root.kids.filter((node) => node.kids.length).at(-1).id")
    selector = f"[data-id='{group}'] text.name"
    x, y = middle(tab, selector)
    tab.click(x, y)
    assert shown(tab) > collapsed
    box = tab.run(f'(({{ y, height }}) => [y, height])(document.querySelector("{selector}").getBoundingClientRect())')
    assert abs(box[0] + box[1] / 2 - y) <= 1.5
    tab.click(*middle(tab, f"[data-id='{group}'] .header"))
    assert shown(tab) == collapsed

    press(tab, "Expand all")
    expanded = shown(tab)
    assert collapsed <= first < expanded
    assert expanded == tab.run("viewer.tree.nodes.length - 1")
    seen = set()
    for heat in ("MACs", "Parameters", "Activations"):
        press(tab, heat)
        assert tab.run("document.querySelector('[aria-pressed=true]').textContent") == heat
        seen.add(heats(tab))
    assert len(seen) == 3
    assert tab.run("document.querySelector('.details dd').textContent")

    assert len(tab.requests) == 1 and not tab.complaints
    assert tab.run("performance.getEntriesByType('resource').length") == 0


@needs_chromium
def test_keys_open_and_close_and_search_finds(opened):
    tab = opened(page(blueprint("t5")))
    press(tab, "Collapse all")
    collapsed = shown(tab)
    tab.run("[...document.querySelectorAll('[data-id]')].find((made) => made.textContent.includes('decoder')).focus()")
    tab.press("Enter")
    assert shown(tab) > collapsed
    assert tab.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    tab.press("ArrowLeft")
    assert shown(tab) == collapsed
    tab.run("viewer.field.focus(); viewer.field.value = 'EncDecAttention'; viewer.search(viewer.field.value)")
    assert tab.run("document.querySelector('.matches').textContent") == "2 found"
    tab.press("Enter")
    assert "decoder.block.0.layer.1.EncDecAttention" in tab.run("document.querySelector('.details').textContent")
    assert tab.run("document.querySelectorAll('.found').length") >= 1
    assert not tab.complaints


@needs_chromium
def test_every_group_stays_in_its_place(opened):
    """Opened, closed and opened again, each group of a network keeps its name where it was."""
    tab = opened(page(blueprint("googlenet")))
    moved = tab.run(
        """(() => {
          let moved = 0;
          for (const node of viewer.tree.nodes.filter((other) => other.id && other.kids.length).slice(0, 25)) {
            for (let turn = 0; turn < 3 && viewer.drawn.has(node.id); turn++) {
              const place = () => viewer.drawn.get(node.id).querySelector("text.name").getBoundingClientRect();
              if (turn === 0) viewer.drawn.get(node.id).scrollIntoView({ block: "center" });
              const before = place().top;
              viewer.toggle(node);
              moved = Math.max(moved, Math.abs(place().top - before));
            }
          }
          return moved;
        })()"""
    )
    assert moved <= 1


@needs_chromium
def test_latency_is_offered_where_it_is_known(opened):
    source = inspect(nn.Sequential(nn.Linear(4, 8), nn.Flatten(), nn.Linear(8, 2)), torch.zeros(1, 4)).to_json()
    source["rows"] = [{**row, "latency_ms": None} for row in source["rows"]]
    source["latency_ms"] = None
    choices = "[...document.querySelectorAll('[data-heat]')].map((made) => made.textContent)"
    assert "Latency" not in opened(page(source)).run(choices)
    for k, row in enumerate(source["rows"]):
        row["latency_ms"] = (4.0, 3.0, 0.5, 0.5)[k]
    tab = opened(page(source))
    assert "Latency" in tab.run(choices)
    press(tab, "Latency")
    shares = tab.run("[...document.querySelectorAll('.card .share')].map((made) => made.textContent)")
    assert "75 %" in shares


@needs_chromium
def test_hostile_names_in_a_browser(opened):
    tab = opened(page(hostile(), title=HOSTILE))
    assert tab.run("document.querySelectorAll('script, img, iframe, link, b').length") == 2  # the page's own scripts
    assert not tab.complaints


@needs_chromium
def test_in_a_notebook_it_is_a_frame_of_its_own(opened):
    """The notebook's page stays out of its reach, and the other way round."""
    words = frame(blueprint("gpt2"), "GPT-2", height=500)
    tab = opened(f"<!doctype html><body><script>window.secret = 1</script>{words}</body>")
    assert tab.run("document.querySelector('iframe').offsetHeight") == 500
    assert tab.run("document.querySelector('iframe').contentDocument") is None
    assert shown(tab.browser.frame()) > 10
    inner = html.unescape(re.search(r'srcdoc="([^"]*)"', words)[1])
    assert inner == page(blueprint("gpt2"), "GPT-2")
    assert not tab.complaints


@needs_chromium
def test_reads_in_the_dark_and_in_print(opened):
    tab = opened(page(blueprint("gpt2")))
    colour = "getComputedStyle(document.body).backgroundColor"
    light = tab.run(colour)
    tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert sum(map(int, re.findall(r"\d+", tab.run(colour)))) < 150 < sum(map(int, re.findall(r"\d+", light)))
    tab.send("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert tab.run(colour) == "rgb(255, 255, 255)"
    assert tab.run("getComputedStyle(document.querySelector('.details')).display") == "none"
