"""Every bad input gives an InputError that says what, where and what to do."""

import argparse
from pathlib import Path

import pytest

from netwright.data import fit_preprocessing, load, profile, split
from netwright.errors import InputError
from tests.data.bad_inputs import BAD_INPUTS, BadInput


def run(arguments: list[str]) -> None:
    """All that this room does with a person's arguments."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    for option in ("--target", "--text", "--group", "--time-column", "--test", "--task"):
        parser.add_argument(option)
    parser.add_argument("--drop", action="append", default=[])
    options = vars(parser.parse_args(arguments))
    task = options.pop("task")
    dataset = load(options.pop("source"), **options)
    found = profile(dataset, task)
    parts = split(dataset, found, seed=0)
    fit_preprocessing(dataset, parts.train, found)


@pytest.mark.parametrize("case", BAD_INPUTS, ids=lambda case: case.id)
def test_bad_input(case: BadInput, tmp_path: Path) -> None:
    arguments = case.make(tmp_path)
    with pytest.raises(InputError) as caught:
        run(arguments)
    message = str(caught.value)
    for part in case.expect:
        assert part in message, message
    assert caught.value.fix, "the message must say what to do"
    assert "Traceback" not in message


def test_there_are_enough_and_each_once() -> None:
    names = [case.id for case in BAD_INPUTS]
    assert len(set(names)) == len(names) >= 60
