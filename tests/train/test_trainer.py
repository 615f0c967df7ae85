"""What a training promises: the same bits after a kill, the clock, divergence undone, the best weights kept."""

import copy

import pytest
import torch

from netwright.errors import InputError
from netwright.train import checkpoint
from netwright.train.job import run, trainer_of
from tests.train.problem import job


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def state_of(trainer):
    return {"module": trainer.module.state_dict(), "average": trainer.average.module.state_dict()}


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    for name, value in a.items():
        if isinstance(value, dict):
            assert_same_bits(value, b[name])
        else:
            assert torch.equal(value, b[name]), name


@pytest.mark.parametrize("data", ["iris", "digits"])
@pytest.mark.parametrize("stops", [[7], [1, 2, 23, 39]])
def test_a_resumed_training_ends_with_the_same_bits(tmp_path, data, stops):
    """Batch norm, dropout, augmentation, averaging, AdamW's moments: stopped in mid-epoch and taken up from disk."""
    recipe = {"augment": ["shift"], "mixup": 0.2} if data == "digits" else {}
    whole = trainer_of(job(tmp_path, data, recipe=recipe))
    whole.run()
    for stop in stops:
        part = trainer_of(job(tmp_path, data, recipe=recipe))
        part.run(stop=lambda part=part, stop=stop: part.step >= stop, save_to=job(tmp_path, data).checkpoint)
        assert part.step == stop
        assert part.best is not None  # whenever it is stopped, there is something to hand over
    last = trainer_of(job(tmp_path, data, recipe=recipe))
    assert last.step == stops[-1]
    last.run()
    assert last.step == whole.step == 40
    assert_same_bits(state_of(last), state_of(whole))
    assert_same_bits(last.best["weights"], whole.best["weights"])
    assert last.history == whole.history


def test_an_untimed_training_takes_exactly_its_steps_and_a_timed_one_ends_with_its_time(tmp_path):
    trainer = trainer_of(job(tmp_path))
    assert trainer.run() == "finished"
    assert trainer.step == 40
    timed = trainer_of(job(tmp_path, recipe={"steps": 10_000_000}))
    assert timed.run(seconds=1.0) == "finished"
    assert 5 < timed.step < 10_000_000
    assert timed.schedule.factor(timed.step) == pytest.approx(0.0, abs=1e-3)


def test_it_learns_and_keeps_the_weights_of_the_best_evaluation(tmp_path):
    trainer = trainer_of(job(tmp_path, "iris", recipe={"steps": 300, "eval_every": 30}))
    trainer.run()
    assert trainer.best["score"] > 0.9
    assert trainer.best["score"] == max(row["score"] for row in trainer.history)
    trainer.average.module.load_state_dict(trainer.best["weights"])
    outputs = trainer.outputs(trainer.average.module, trainer.validation)
    assert trainer.objective.score(outputs, trainer.validation["target"]) == trainer.best["score"]
    rates = [row["lr"] for row in trainer.history]
    assert rates[-1] < rates[1]
    assert all(row["gradient_norm"] > 0 and row["update_ratio"] > 0 for row in trainer.history)


def test_divergence_is_undone_and_said(tmp_path):
    """A rate that blows the weights up: back to the last good state, smaller, until it trains."""
    said = []
    trainer = trainer_of(job(tmp_path, recipe={"steps": 60, "clip_norm": None, "ema_decay": None}))
    step = trainer._step
    trainer.run(until=20)

    def poisoned():
        if trainer.step == 25 and not trainer.events:
            with torch.no_grad():
                next(trainer.module.parameters()).fill_(float("nan"))
        return step()

    trainer._step = poisoned
    assert trainer.run(report=said.append) == "finished"
    assert [event["back_to"] for event in trainer.events] == [20]
    assert trainer.rate_scale == pytest.approx(0.3)
    assert any("diverged at step 25" in event.get("event", "") for event in said)
    assert all(torch.isfinite(p).all() for p in trainer.module.parameters())


def test_a_training_that_always_diverges_gives_up(tmp_path):
    trainer = trainer_of(job(tmp_path))
    trainer.loss = lambda outputs, targets: outputs.sum() * float("nan")
    assert trainer.run() == "failed"
    assert len(trainer.events) == 5


def test_patience_stops_a_run_that_gains_nothing(tmp_path):
    trainer = trainer_of(
        job(tmp_path, recipe={"steps": 5000, "eval_every": 1, "patience": 3, "lr": 1e-12, "ema_decay": None})
    )
    assert trainer.run() == "patience"
    assert trainer.step < 100


def test_a_run_can_be_paused_at_a_step_and_go_on(tmp_path):
    whole, part = trainer_of(job(tmp_path)), trainer_of(job(tmp_path))
    whole.run()
    assert part.run(until=13) == "paused"
    assert part.step == 13
    assert part.run() == "finished"
    assert_same_bits(state_of(part), state_of(whole))


def test_a_job_reports_and_leaves_a_checkpoint(tmp_path):
    said = []
    result = run(job(tmp_path), lambda: False, said.append)
    assert (result["reason"], result["step"]) == ("finished", 40)
    assert [event["step"] for event in said] == [10, 20, 30, 40]
    state = checkpoint.load(job(tmp_path).checkpoint)
    assert state["best"]["score"] == result["score"]


def test_the_optimiser_decays_matrices_only(tmp_path):
    trainer = trainer_of(job(tmp_path, recipe={"weight_decay": 0.1}))
    decayed, free = trainer.optimizer.param_groups
    assert decayed["weight_decay"] == 0.1 and free["weight_decay"] == 0.0
    assert all(p.ndim >= 2 for p in decayed["params"])
    assert {id(p) for g in (decayed, free) for p in g["params"]} == {id(p) for p in trainer.module.parameters()}


def test_the_state_is_not_shared_with_the_trainer(tmp_path):
    trainer = trainer_of(job(tmp_path))
    trainer.run(until=10)
    state = trainer.state_dict()
    kept = copy.deepcopy(state["now"]["module"])
    trainer.run()
    assert_same_bits(kept, state["now"]["module"])


PRETRAINED = {"probe": 0.5, "first_layer_lr": 0.1}


def test_in_a_probe_only_the_classifier_learns_and_then_everything_does(tmp_path):
    trainer = trainer_of(job(tmp_path, "digits", recipe=PRETRAINED))
    before = {name: value.clone() for name, value in trainer.module.state_dict().items()}
    trainer.run(until=20)
    after = trainer.module.state_dict()
    moved = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert moved == {"head.weight", "head.bias"}  # no batch statistics either
    trainer.run()
    still = [name for name, value in trainer.module.state_dict().items() if torch.equal(value, before[name])]
    assert still == []


def test_a_resumed_fine_tuning_ends_with_the_same_bits(tmp_path):
    whole = trainer_of(job(tmp_path, "digits", recipe=PRETRAINED))
    whole.run()
    for stop in (13, 27):
        part = trainer_of(job(tmp_path, "digits", recipe=PRETRAINED))
        part.run(stop=lambda part=part, stop=stop: part.step >= stop, save_to=job(tmp_path, "digits").checkpoint)
    last = trainer_of(job(tmp_path, "digits", recipe=PRETRAINED))
    last.run()
    assert_same_bits(state_of(last), state_of(whole))


def test_a_probe_wants_a_classifier(tmp_path):
    with pytest.raises(InputError, match=r"recipe\.probe: MLP does not name a classifier"):
        trainer_of(job(tmp_path, recipe={"probe": 0.5}))
