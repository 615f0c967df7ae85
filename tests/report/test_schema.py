"""The examples keep to the schema, and the schema notices what no renderer would read."""

import copy
import json

import jsonschema
import pytest

from netwright.report import SECTIONS, json_schema
from netwright.report.words import plain
from tests.report.example import EXAMPLES

SCHEMA = jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    json.dumps(json_schema())
    assert tuple(json_schema()["properties"]) == SECTIONS


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_valid(name):
    SCHEMA.validate(plain(EXAMPLES[name]()))


def test_examples_cover_the_schema():
    """Every key of every section appears in at least one example, so that the renderers meet it."""
    reports = [make() for make in EXAMPLES.values()]
    for section in SECTIONS:
        body = json_schema()["properties"][section]["anyOf"][0]
        used = set().union(*((report.get(section) or {}).keys() for report in reports))
        missing = set(body["properties"]) - used - {"nodes", "heat", "x_label", "notes", "facts"}
        assert not missing, (section, missing)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("verdict", "outcome", "draws"),
        ("verdict", "sentance", "a misspelt key"),
        ("verdict", "budget", [{"name": "params"}]),
        ("layers", "rows", [{"path": "a"}]),
        ("validation", "train_loss", {"x": [1]}),
        ("baselines", "rows", [{"name": "a", "score": "high"}]),
        ("recipe", "rows", {}),
    ],
)
def test_mistakes_are_noticed(section, key, value):
    report = copy.deepcopy(EXAMPLES["digits"]())
    report[section][key] = value
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(report)


def test_a_report_needs_a_verdict_only():
    SCHEMA.validate({"verdict": {"sentence": "It ties."}})
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate({})
