"""Numbers and widths, which Python and JavaScript must write alike."""

import json
import shutil
import subprocess
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netwright.picture import words

VALUES = [
    0,
    1,
    999,
    1225,
    9999,
    10_000,
    10_049,
    10_050,
    99_949,
    99_950,
    999_499,
    999_500,
    12_250_000,
    10**9,
    8 * 10**15,
]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node to run the script with")
def test_javascript_writes_the_same():
    shares = [(value, 10_000) for value in (1, 4, 5, 6, 125, 994, 995, 1250, 9950, 10_000)]
    names = ["conv1 · bn1", "W" * 50, "İstanbul Äß", "層の名前", "…", "a" * 90, "x"]
    script = (
        files("netwright.picture").joinpath("nodes.js").read_text("utf-8")
        + """
    const [values, shares, names] = JSON.parse(require("fs").readFileSync(0, "utf8"));
    console.log(JSON.stringify([values.map(count), values.map(bytes), shares.map(([a, b]) => share(a, b)),
      names.map((name) => widthOf(name, 12.5, true)), names.map((name) => fit(name, 80, 10.5))]));
    """
    )
    asked = json.dumps([VALUES, shares, names])
    done = subprocess.run(["node", "-e", script], input=asked, capture_output=True, check=True, text=True)
    assert json.loads(done.stdout) == [
        [words.count(value) for value in VALUES],
        [words.size(value) for value in VALUES],
        [words.share(*pair) for pair in shares],
        [words.width_of(name, 12.5, True) for name in names],
        [words.fit(name, 80, 10.5) for name in names],
    ]


@given(st.text(max_size=60), st.floats(20, 300))
def test_fitted_text_fits(text, width):
    fitted = words.fit(text, width, 11)
    assert words.width_of(fitted, 11) <= width or len(fitted) <= 2
    assert fitted == text or "…" in fitted


@given(st.text())
def test_a_name_becomes_one_printable_line(text):
    cleaned = words.clean(text, 40)
    assert len(cleaned) <= 40
    assert not {char for char in cleaned if ord(char) < 32 or ord(char) in words.INVISIBLE}


def test_halves_go_up():
    assert [words.count(value) for value in (12_250, 12_350, 999_500)] == ["12.3 k", "12.4 k", "1 M"]
