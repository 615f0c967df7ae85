"""Task: defaults, output size, and predictions from outputs; and the losses."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from netwright.errors import InputError
from netwright.tasks import LOSSES, Task, balanced_class_weights, make_loss


def test_defaults():
    binary, several, number = (
        Task.of("binary", classes=["no", "yes"]),
        Task.of("multiclass", classes=["a", "b", "c"]),
        Task.of("regression"),
    )
    assert [task.metric.name for task in (binary, several, number)] == ["auc", "accuracy", "rmse"]
    assert [task.output_size for task in (binary, several, number)] == [2, 3, 1]
    assert [task.loss_name for task in (binary, several, number)] == ["cross_entropy", "cross_entropy", "mse"]
    assert all(task.loss_name in LOSSES for task in (binary, several, number))


@pytest.mark.parametrize(
    ("kind", "metric", "classes", "message"),
    [
        ("clustering", None, (), "'clustering' is not a task"),
        ("regression", "auc", (), "'auc' is not a metric of regression"),
        ("binary", None, ("a", "b", "c"), "a binary task with 3 classes"),
        ("multiclass", None, ("a",), "a multiclass task with 1 classes"),
        ("regression", None, ("a", "b"), "a regression task with 2 classes"),
    ],
)
def test_what_does_not_fit_is_refused(kind, metric, classes, message):
    with pytest.raises(InputError, match=message):
        Task.of(kind, metric, classes)


def test_predictions_of_classes():
    task = Task.of("multiclass", classes="abc")
    outputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = outputs.detach().double().softmax(-1).numpy()
    assert task.predictions(outputs) == pytest.approx(expected)
    assert task.predictions(outputs.detach().numpy()) == pytest.approx(expected)


def test_members_vote_with_their_probabilities():
    task = Task.of("binary", classes=(0, 1))
    outputs = torch.tensor([[[0.0, 2.0], [4.0, 0.0]]])
    expected = (outputs[:, 0].softmax(-1) + outputs[:, 1].softmax(-1)) / 2
    assert task.predictions(outputs) == pytest.approx(expected.numpy(), abs=1e-6)


def test_predictions_of_numbers():
    task = Task.of("regression")
    assert task.predictions(torch.tensor([[1.0], [2.0]])).tolist() == [1, 2]
    assert task.predictions(torch.tensor([[[1.0], [3.0]], [[2.0], [2.0]]])).tolist() == [2, 2]
    assert task.score(np.array([1.0, 4.0]), np.array([1.0, 2.0])) == pytest.approx(2**0.5)


def test_half_precision_outputs():
    probabilities = Task.of("binary", classes=(0, 1)).predictions(torch.tensor([[9.0, 1.0]], dtype=torch.bfloat16))
    assert probabilities.dtype == np.float64
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_cross_entropy_by_hand():
    """Smoothed targets: 1 − ε + ε/C on the true class, ε/C on the others."""
    outputs = torch.randn(6, 3, generator=generator())
    targets = torch.tensor([0, 1, 2, 0, 1, 2])
    smooth = torch.full((6, 3), 0.1 / 3)
    smooth[torch.arange(6), targets] += 0.9
    expected = -(smooth * outputs.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(make_loss("cross_entropy", label_smoothing=0.1)(outputs, targets), expected)
    torch.testing.assert_close(make_loss("cross_entropy")(outputs, smooth), expected)  # probabilities as targets


def test_class_weights():
    outputs = torch.randn(4, 2, generator=generator())
    targets = torch.tensor([0, 0, 0, 1])
    weights = balanced_class_weights(targets, 2)
    assert weights == [4 / 6, 2.0]
    each = F.cross_entropy(outputs, targets, reduction="none")
    expected = (each[:3].mean() + each[3]) / 2
    torch.testing.assert_close(make_loss("cross_entropy", class_weights=weights)(outputs, targets), expected)
    assert balanced_class_weights(targets, 3) == [4 / 9, 4 / 3, 1.0]


@pytest.mark.parametrize(
    ("name", "size", "targets"),
    [
        ("cross_entropy", 3, torch.tensor([0, 1, 2, 1])),
        ("cross_entropy", 3, torch.tensor([[0.5, 0.5, 0.0]] * 4)),
        ("mse", 1, torch.tensor([0.0, 1.0, 2.0, 9.0])),
        ("huber", 1, torch.tensor([0.0, 1.0, 2.0, 9.0])),
    ],
)
def test_members_have_their_own_losses(name, size, targets):
    outputs = torch.randn(4, 5, size, generator=generator())
    loss = make_loss(name)
    expected = torch.stack([loss(outputs[:, member], targets) for member in range(5)]).mean()
    torch.testing.assert_close(loss(outputs, targets), expected)


def test_losses_of_numbers():
    outputs, targets = torch.tensor([[1.0], [5.0]]), torch.tensor([1.5, 1.0])
    assert make_loss("mse")(outputs, targets).item() == pytest.approx((0.25 + 16) / 2)
    assert make_loss("huber")(outputs, targets).item() == pytest.approx((0.125 + 3.5) / 2)
    assert make_loss("huber", delta=2.0)(outputs, targets).item() == pytest.approx((0.125 + 6.0) / 2)


def test_numbers_are_never_broadcast():
    with pytest.raises(ValueError, match="do not match"):
        make_loss("mse")(torch.zeros(4), torch.zeros(4))
    with pytest.raises(ValueError, match="do not match"):
        make_loss("mse")(torch.zeros(4, 2), torch.zeros(4))


def test_an_unknown_loss():
    with pytest.raises(InputError, match="choose one of cross_entropy"):
        make_loss("hinge")
