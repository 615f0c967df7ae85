"""Random Specs: valid ones go through YAML and build, mutated ones raise a DesignError and nothing else."""

import copy
import dataclasses
import string

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netwright.design import Budget, Design, DesignError, Spec, build, registry, yaml_text
from netwright.design.resolve import resolve

from .test_design_file import FILE

SETTINGS = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

ACTIVATIONS = st.sampled_from(["gelu", "ReLU", "si_lu", {"leakyrelu": {"negative_slope": 0.1}}, {"elu": {"alpha": 2}}])
DROPOUT = st.just(0) | st.floats(0, 0.9)
CHANNEL = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "mlp_ratio": st.sampled_from([0.5, 1, 8 / 3, 4]),
        "activation": ACTIVATIONS,
        "dropout": DROPOUT,
    },
).flatmap(lambda args: st.sampled_from([{"feedforward": args}, {"gatedfeedforward": args}]))
NORM = st.sampled_from(["layernorm", "rmsnorm", "identity", {"rmsnorm": {"eps": 1e-6}}, {"layernorm": {"bias": False}}])
MIXER = st.sampled_from(["attention", {"meanmixer": {"gain": 2}}, {"attention": {"num_heads": 2, "qkv_bias": False}}])
TINY = st.fixed_dictionaries(
    {"num_features": st.integers(0, 9)},
    optional={
        "cardinalities": st.lists(st.integers(1, 9), min_size=1, max_size=3),
        "num_classes": st.integers(1, 10),
        "dim": st.integers(1, 16).map(lambda n: 4 * n),
        "depth": st.integers(1, 2),
        "widths": st.lists(st.integers(1, 9), max_size=4),
        "window": st.tuples(st.integers(-3, 3), st.integers(-3, 3)),
        "mode": st.sampled_from(["sum", "mean"]),
        "mixer": MIXER,
        "channel": CHANNEL,
        "norm": NORM,
        "extras": st.lists(NORM, max_size=2),
        "dropout": DROPOUT,
        "bias": st.booleans(),
        "note": st.text(max_size=20).filter(lambda t: not any(0xD800 <= ord(c) < 0xE000 for c in t)),
    },
).filter(lambda args: args["num_features"] or "cardinalities" in args)
NAMES = st.sampled_from(["tiny", "tiny8", "tiny:wide", "Tiny", "TINY_8"])


@SETTINGS
@given(NAMES, TINY)
def test_a_valid_spec_goes_through_yaml_and_builds(name, args):
    spec = Spec(name, args)
    text = yaml_text.write(spec.to_data())
    assert Spec.from_data(yaml_text.plain(yaml_text.read(text))) == spec
    design = Design(spec)
    again = Design.loads(design.dumps())
    assert again == design and again.dumps() == design.dumps()
    with torch.device("meta"):
        assert str(again.build()) == str(build(spec, inputs={}))


KEYS = st.sampled_from(["attention", "dim", "rmsnorm", "feedforward", "x", "", 3])
ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-2, 300)
    | st.floats()
    | st.text(string.printable, max_size=8)
    | st.sampled_from(["attention", "layernorm", "tiny", "gelu", 10**400, -(10**4000), b"x", object(), {1}, 1j]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["attention", "dim", "rmsnorm", "feedforward", "x", "", 3]), inner, max_size=2
        )
    ),
    max_leaves=6,
)


def places(data, path=()):
    """Every place in a Spec's arguments."""
    yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def put(data, path, value):
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


@settings(SETTINGS, max_examples=200)
@given(TINY, ANY_VALUE, st.data())
def test_a_mutated_spec_raises_only_a_design_error(args, value, data):
    args = Spec("tiny", args).args
    changed = copy.deepcopy(args)
    path = data.draw(st.sampled_from([p for p in places(args) if p]))
    if data.draw(st.booleans()):
        path = (*path[:-1], data.draw(st.sampled_from(["dim", "mixerr", "", "hook", "device"])))
    try:
        put(changed, path, value)
    except TypeError:  # a list takes no name
        return
    try:
        spec = Spec("tiny", changed)
        checked = resolve(spec)
        too_big = any(isinstance(v, int) and v > 1000 for v in checked.args.values())
        with torch.device("meta"):
            if not too_big:
                build(spec)
    except DesignError as error:
        assert str(error)


@SETTINGS
@given(st.sampled_from(["tiny", 3, None, "", "tiny8"]) | ANY_VALUE, ANY_VALUE)
def test_any_model_and_inputs_raise_only_a_design_error(model, inputs):
    for data in (
        {"netwright": 1, "model": model, "inputs": inputs},
        {"netwright": 1, "model": {"tiny": inputs}},
    ):
        try:
            Design.from_data(data)
        except DesignError as error:
            assert str(error)


@settings(SETTINGS, max_examples=150)
@given(st.text(max_size=60) | st.text("{}[]:,-&*!|>'\"%@ \n\t#ab1", max_size=60))
def test_any_text_raises_only_a_design_error(text):
    for whole in (text, f"netwright: 1\nmodel: tiny8\ninputs: {{num_features: 1}}\nname: {text}"):
        try:
            design = Design.loads(whole)
        except DesignError as error:
            assert str(error)
        else:
            assert design.dumps() == whole


SECTIONS = ["name", "lr", "dim", "reasons", "budget", "classes"]


@settings(SETTINGS, max_examples=40)
@given(st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=4), st.text(max_size=12), st.integers(1, 99))
def test_any_change_is_written_so_that_it_is_read_back(changes, text, number):
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        return
    design = Design.loads(FILE)
    for change in changes:
        if change == "name" and text.strip():
            design.name = text
        elif change == "lr":
            design.recipe = dataclasses.replace(design.recipe, lr=number / 100)
        elif change == "dim":
            design.model = design.model.replace(dim=4 * number, note=text)
        elif change == "reasons":
            design.reasons = [{"rule": text, "text": text}] * (number % 4)
        elif change == "budget":
            design.budget = Budget(params=number * 1000, time_s=float(number))
        elif change == "classes":
            design.task = dataclasses.replace(design.task, classes=[text, number, number % 2 == 0, number / 7])
    written = design.dumps()
    assert Design.loads(written) == design
    assert Design.loads(written).dumps() == written


def test_every_block_builds_in_every_slot_of_the_transformer_block():
    slots = {p.name: p.slot for p in registry().blocks["transformerblock"].parameters.values() if p.slot}
    assert {"mixer", "channel", "norm", "scale"} <= set(slots)
    for name, slot in slots.items():
        for block in registry().fitting(slot.kind):
            with torch.device("meta"):
                assert build("transformerblock", dim=64, **{name: block})
