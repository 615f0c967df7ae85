"""Three files, whole or not at all."""

import json
import math
import os

import pytest

from netwright.errors import InputError
from netwright.report import SECTIONS, write
from netwright.report import write as write_function
from tests.report.example import digits, houses


def test_three_files_and_nothing_else(tmp_path):
    paths = write(digits(), tmp_path / "deep" / "out")
    assert {path.name for path in (tmp_path / "deep" / "out").iterdir()} == {
        "report.html",
        "report.md",
        "report.json",
    }
    assert paths["html"].read_text().startswith("<!doctype html>")
    assert paths["md"].read_text().startswith("# The network wins")
    assert json.loads(paths["json"].read_text()) == json.loads(json.dumps(digits()))


def test_the_json_is_strict_and_in_order(tmp_path):
    report = dict(reversed(digits().items()))
    report["verdict"]["network"]["score"] = math.nan
    read = json.loads(write(report, tmp_path)["json"].read_text(), parse_constant=pytest.fail)
    assert list(read) == list(SECTIONS)
    assert read["verdict"]["network"]["score"] is None


def test_lone_surrogates_do_not_stop_it(tmp_path):
    report = houses()
    report["brief"]["target"] = "price \ud83d"
    for path in write(report, tmp_path).values():
        path.read_text(encoding="utf-8")


def test_a_failure_leaves_the_old_report(tmp_path, monkeypatch):
    write(digits(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def broken(report):
        raise RuntimeError("no page")

    monkeypatch.setitem(write_function.__globals__, "render_html", broken)
    with pytest.raises(RuntimeError):
        write(houses(), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_the_old_report(tmp_path, monkeypatch):
    write(digits(), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    opened, real = [], os.fdopen

    def filling(handle, mode):
        opened.append(handle)
        if len(opened) == 3:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", filling)
    with pytest.raises(InputError, match="No space left"):
        write(houses(), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_place_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="can't be written") as caught:
        write(digits(), tmp_path / "out")
    assert caught.value.where.endswith("out") and caught.value.fix
    assert (tmp_path / "out").read_text() == "mine"
