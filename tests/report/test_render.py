"""The renderings: the verdict first, nothing from the network, hostile names harmless, absence tolerated."""

import io
import math
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from netwright.report import render_html, render_markdown, render_terminal, repr_html
from netwright.report.outline import TITLES, sections
from netwright.report.schema import SECTIONS
from netwright.report.words import clean, verdict_sentence
from tests.report.example import EXAMPLES, digits, houses

VOID = {"meta", "link", "br", "img", "input"}
NASTY = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</title></style></svg><script>x</script>",
    "a|b\nc|d\r\n# heading\n```\n- item",
    "**bold** _em_ [link](http://evil) `code` $x$ ~~no~~ &lt; &amp;",
    "[red]rich markup[/red] [link=http://evil]x[/link]",
    "\x1b[31mescape\x00\x07\u202e\ud83d",
    "very long " * 5000,
    "",
    "   ",
    "名前 ☃ 𝕏",
    "1. one",
    "-->",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """Collects what a browser would: text, tags, attributes; notes tags that do not nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text, self.wrong = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open and not self.wrong, (self.open, self.wrong)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def terminal(report, width=80):
    file = io.StringIO()
    render_terminal(report, Console(file=file, width=width, force_terminal=False))
    return file.getvalue()


def harmless(page):
    """No element or attribute that runs, loads, submits or leaves the page."""
    bad = {
        "script",
        "iframe",
        "object",
        "embed",
        "img",
        "form",
        "input",
        "base",
        "foreignobject",
        "use",
    }
    assert not bad & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on"), name
        if name in ("src", "href", "xlink:href", "srcset", "action"):
            assert re.fullmatch(r"#[a-z]+|data:,|data:image/png;base64,[A-Za-z0-9+/]+={0,2}", value), value
        assert "url(" not in (value or "") or re.fullmatch(r"url\(#nw-\w+\)", value), value


@pytest.mark.parametrize("name", EXAMPLES)
def test_html_is_one_offline_page(name):
    text = render_html(EXAMPLES[name]())
    page = Page(text)
    harmless(page)
    assert "@import" not in text and "url(http" not in text
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z]", text)
    assert "default-src 'none'" in text
    assert "NaN" not in re.sub(r">[^<]*<", "><", text)  # in no coordinate or width
    assert len(text) < 250_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_verdict_is_the_first_line_everywhere(name):
    report = EXAMPLES[name]()
    sentence = report["verdict"]["sentence"]
    body = render_html(report).partition("<body>")[2]
    assert Page("<body>" + body.replace("</html>", "")).words.startswith(sentence)
    assert MarkdownIt().parse(render_markdown(report))[1].content.replace("\\", "") == sentence
    assert " ".join(terminal(report).split()).startswith(sentence)
    assert Page(repr_html(report)).words.startswith(sentence)


@pytest.mark.parametrize("name", EXAMPLES)
def test_sections_come_in_order_and_the_links_lead_to_them(name):
    report = EXAMPLES[name]()
    page = Page(render_html(report))
    found = [value for key, value in page.attributes if key == "id" and value in SECTIONS]
    assert found == [key for key in SECTIONS if key in found]
    links = {value[1:] for key, value in page.attributes if key == "href" and value.startswith("#")}
    assert links == set(found) - {"verdict"}
    headings = re.findall(r"^## (\d+) (.*)$", render_markdown(report), re.M)
    assert [title for _, title in headings] == [TITLES[key] for key in found if key != "verdict"]
    assert all(int(a) < int(b) for (a, _), (b, _) in pairwise(headings))


def test_all_thirteen_sections_of_a_full_report():
    assert [part.number for part in sections(digits())] == list(range(2, 14))


@pytest.mark.parametrize("missing", [*SECTIONS, "all"])
@pytest.mark.parametrize("how", ["absent", "null", "empty"])
def test_every_section_may_be_missing(missing, how):
    report = digits()
    for key in SECTIONS if missing == "all" else [missing]:
        if how == "absent":
            report.pop(key, None)
        else:
            report[key] = None if how == "null" else {}
    page = Page(render_html(report))
    assert page.words
    assert render_markdown(report).startswith("# ")
    assert terminal(report).strip()
    Page(repr_html(report))
    gone = {"diagram", "layers"} if missing in ("layers", "all") else {missing}
    for key in gone - {"verdict", "limits", "diagram" if missing == "diagram" else "", "all"}:
        if key == "baselines":
            continue  # the verdict still has the scores
        assert TITLES[key] in page.words.split("Not in this report")[1]


def test_a_run_without_scores_says_what_is_not_there():
    report = EXAMPLES["interrupted"]()
    page = Page(render_html(report))
    assert "Interrupted" in page.words
    missing = page.words.split("Not in this report")[1]
    assert "Baselines" in missing and "Training recipe" in missing
    assert "95 %" not in terminal(report)


def test_numbers_of_the_report_are_in_every_rendering():
    report = houses()
    for text in (Page(render_html(report)).words, render_markdown(report), terminal(report, 120)):
        for said in ("61,240", "54,870", "49,020 to 60,950", "116 s", "151 k", "120 k"):
            assert said in text, said


def test_a_missed_limit_is_said():
    assert "limit missed" in render_html(houses())
    assert "(missed)" in terminal(houses(), 120)
    assert "limit missed" not in render_html(digits())


def test_a_lower_score_is_better_where_the_report_says_so():
    text = terminal(houses(), 120)
    assert text.index("gradient-boosted trees  ") < text.index("ft_transformer  ") < text.index("linear  ")


def test_the_page_reads_in_the_dark_and_prints():
    text = render_html(digits())
    assert "prefers-color-scheme:dark" in text and "@media print" in text
    colours = set(
        re.findall(
            r"#[0-9a-fA-F]{3,8}\b",
            # The diagram has its light colours as attributes, and a class by which its style darkens each of them.
            re.sub(
                r"<style>.*?</style>|var\([^)]*\)|href=\"[^\"]*\"|<(?=[^>]*class=\"[fs]-)[^>]*>", "", text, flags=re.S
            ),
        )
    )
    assert not {colour for colour in colours if not colour[1:].isdigit()}  # every colour is a variable
    for name in set(re.findall(r'class="(f-\w+)', text)):
        assert f".netwright .{name}{{fill:" in text


def contrast(first, second):
    def light(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((light(first), light(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("tone", ["ink", "muted", "accent", "good", "warn", "bad"])
def test_text_has_contrast(theme, tone):
    """WCAG AA for text of ordinary size, on the page, on cards and on code."""
    from netwright.picture.colours import COLOURS

    for ground in ("paper", "card", "soft"):
        assert contrast(COLOURS[tone][theme], COLOURS[ground][theme]) >= 4.5, ground


def poisoned(value, text):
    """The same report with `text` in place of every string and among the keys of free maps."""
    if isinstance(value, dict):
        return {
            (text + key if key in ("Images", "linear", "torch", "majority", "head") else key): poisoned(item, text)
            if key not in ("status", "outcome", "kind", "heat")
            else item
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item, text) for item in value]
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("text", NASTY)
@pytest.mark.parametrize("make", [digits, houses])
def test_hostile_names_do_nothing(make, text):
    report = poisoned(make(), text)
    page = Page(render_html(report))
    harmless(page)
    harmless(Page(repr_html(report)))
    assert len(render_html(report)) < 1_000_000
    shown = terminal(report)
    assert not any(ord(char) < 32 and char != "\n" for char in shown)
    if "rich" in text:
        assert "[red]" in shown
    markdown = MarkdownIt("commonmark").enable("table").parse(render_markdown(report))
    kinds = {token.type for token in markdown} | {child.type for token in markdown for child in token.children or []}
    assert not kinds & {"link_open", "image", "code_inline", "ordered_list_open", "blockquote_open"}
    inline = [child.content for token in markdown for child in token.children or [] if child.type == "html_inline"]
    assert set(inline) <= {"<br>"}
    blocks = [token.content.strip() for token in markdown if token.type == "html_block"]
    assert all(block.startswith(("<details><summary>", "</details>")) for block in blocks)
    assert not any("<script" in block for block in blocks)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_markdown_shows_a_name_as_it_is(name):
    """A column's name in a table's cell and in a list: GitHub's reader sees the same characters."""
    report = {
        "verdict": {"sentence": "It ties."},
        "recipe": {"rows": [{"name": name, "value": 1}]},
        "limits": {"limits": ["x " + name]},
    }
    tokens = MarkdownIt("commonmark").enable("table").parse(render_markdown(report))
    texts = ["".join(c.content for c in token.children) for token in tokens if token.type == "inline"]
    assert clean(name, 60) in texts or not clean(name)
    assert clean("x " + name) in texts


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, None])
def test_numbers_that_are_none(bad):
    """A report whose every number is not one renders, and shows no coordinate that is not one."""

    def spoiled(value):
        if isinstance(value, dict):
            return {key: spoiled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoiled(item) for item in value]
        return bad if isinstance(value, int | float) and not isinstance(value, bool) else value

    for make in (digits, houses):
        report = spoiled(make())
        text = render_html(report)
        Page(text)
        assert not re.search(r'="[^"]*\b(nan|inf|None)\b', text)
        assert render_markdown(report) and terminal(report) and repr_html(report)


def test_mermaid_is_in_the_markdown_and_closed():
    text = render_markdown(digits())
    block = re.search(r"```mermaid\n(.*?)\n```", text, re.S)
    assert block and block[1].startswith("flowchart TB") and "×2" in block[1]


def test_terminal_is_short():
    for make in EXAMPLES.values():
        assert len(terminal(make()).splitlines()) <= 24


def test_a_great_report_renders_in_reasonable_time():
    report = digits()
    report["validation"]["train_loss"] = {
        "x": list(range(200_000)),
        "y": [1 / (1 + k) for k in range(200_000)],
    }
    report["layers"]["rows"] = [
        {"path": f"m{k}.n{j}", "class": f"C{k}", "params": k} for k in range(300) for j in range(3)
    ]
    size = 300
    report["validation"]["confusion"] = {
        "labels": [f"c{k}" for k in range(size)],
        "matrix": [[1] * size] * size,
    }
    text = render_html(report)
    assert len(text) < 700_000
    assert verdict_sentence(report) in text


@pytest.mark.parametrize("text", NASTY)
def test_many_reasons_fold_and_stay_harmless(text):
    """Beyond six the chosen one's reasons fold; another's are its own, beneath the table."""
    report = digits()
    shared = [{"rule": f"r{k}", "text": f"reason {k} {text}"} for k in range(9)]
    own = [{"rule": f"own{k}", "text": f"own {k} {text}"} for k in range(3)]
    report["decision"]["chosen"]["reasons"] = shared
    report["decision"]["candidates"][1] |= {"name": f"cct {text}", "reasons": shared + own}
    page = Page(render_html(report))
    harmless(page)
    assert "3 more reasons" in page.words
    assert page.words.count("reason 8") == 1  # not said again for the other candidate
    assert page.words.count("own 2") == 1
    blocks = [
        t.content.strip() for t in MarkdownIt("commonmark").parse(render_markdown(report)) if t.type == "html_block"
    ]
    assert all(block.startswith(("<details><summary>", "</details>")) and "<script" not in block for block in blocks)
