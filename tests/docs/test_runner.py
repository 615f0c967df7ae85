"""The runner itself: a page that lies is noticed."""

import pytest

from tests.docs import pages


def page(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_python_is_one_session_and_shell_sees_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "```python\na = 41\n```\n\n```python\nopen('n.txt', 'w').write(str(a + 1))\n```\n"
    text += "<!-- test: output -->\n```console\n$ cat n.txt\n99\n```\n```text\nnot run\n```\n"
    pages.run(page(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nfalse\ntrue\n```\n",
        "```python\nassert 1 == 2\n```\n",
        "<!-- test: exit 3 -->\n```sh\ntrue\n```\n",
        "<!-- test: output -->\n```console\n$ echo yes\nno\n```\n",
    ],
)
def test_a_page_that_lies_is_noticed(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError):
        pages.run(page(tmp_path, text))


def test_links_and_headings():
    text = "# A title: yes\n[x](a.md) `[y](b.md)`\n```sh\n# not a title\n[z](c.md)\n```\n![p](d.png)\n"
    assert list(pages.links(text)) == ["a.md", "d.png"]
    assert pages.anchors(text) == {"a-title-yes"}
