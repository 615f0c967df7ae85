"""A second classifier in a network of cells: its head is that of the papers, and evaluation knows nothing of it."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn import Identity

from netwright.blocks.auxiliary import AuxiliaryHead
from netwright.blocks.stem import SmallStem
from netwright.blocks.with_auxiliary import AuxiliaryLoss, WithAuxiliary
from netwright.design import build
from netwright.families.vision.darts import DARTS
from netwright.families.vision.nasnet import NASNet
from netwright.families.vision.resnet import ResNet
from tests.families.vision.contract import images
from tests.parity import assert_same, copy_by_order, randomise

CELLS = {
    "nasnet": partial(NASNet, dim=4, depth=1, stem=SmallStem, stem_dim=4, stem_cells=0, dropout=0.0),
    "darts": partial(DARTS, dim=4, depth=6, stem=SmallStem),
}
BOTH = pytest.mark.parametrize("name", CELLS)


def nasnets(size: int) -> nn.Module:
    """`_build_aux_head` of tensorflow/models: its last convolution takes all that the pooling leaves."""
    grid = (size - 5) // 3 + 1
    first = [nn.ReLU(), nn.AvgPool2d(5, 3), nn.Conv2d(6, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU()]
    second = [nn.Conv2d(128, 768, grid, bias=False), nn.BatchNorm2d(768), nn.ReLU(), nn.Flatten(), nn.Linear(768, 5)]
    return nn.Sequential(*first, *second)


def darts(stride: int, *norm: nn.Module) -> nn.Module:
    """`AuxiliaryHeadCIFAR` and `AuxiliaryHeadImageNet` of DARTS, of which the second has one norm alone."""
    pool = nn.AvgPool2d(5, stride=stride, padding=0, count_include_pad=False)
    first = [nn.ReLU(), pool, nn.Conv2d(6, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU()]
    return nn.Sequential(*first, nn.Conv2d(128, 768, 2, bias=False), *norm, nn.ReLU(), nn.Flatten(), nn.Linear(768, 5))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize(
    "size, args, theirs",
    [
        (14, {"grid": 4}, partial(nasnets, 14)),
        (21, {"grid": 6}, partial(nasnets, 21)),
        (8, {}, lambda: darts(3, nn.BatchNorm2d(768))),
        (7, {"stride": 2, "last_norm": Identity}, lambda: darts(2)),
    ],
    ids=["nasnet_mobile", "nasnet_large", "darts_cifar", "darts_imagenet"],
)
def test_the_head_is_that_of_the_papers(size, args, theirs, train):
    ours, theirs = AuxiliaryHead(6, 5, **args).double(), randomise(theirs()).double()
    x = images(4, 6, size, size).double()
    assert_same(ours, theirs, x, copy_by_order(ours, theirs, x), train=train)


@pytest.mark.parametrize("size", [(1, 1), (3, 20), (14, 9)])
def test_the_head_takes_maps_of_any_size(size):
    assert AuxiliaryHead(6, 5, grid=4)(images(2, 6, *size)).shape == (2, 5)


def test_the_cells_are_those_of_the_papers():
    """The last before, and the one of, the last halving; depth changes nothing about the size of their outputs."""
    with torch.device("meta"):
        nasnet, darts, x = NASNet(depth=1), DARTS(depth=3), torch.empty(1, 3, 224, 224)
        shapes = [net.with_cell(x, net.auxiliary_cell)[1].shape for net in (nasnet, darts)]
        assert (nasnet.auxiliary_cell, darts.auxiliary_cell, DARTS().auxiliary_cell) == (4, 2, 9)
    assert shapes == [(1, 528, 14, 14), (1, 768, 7, 7)]


@BOTH
def test_in_training_both_give_their_logits(name):
    torch.manual_seed(0)
    model, x, seen = WithAuxiliary(5, 2, CELLS[name]).train(), images(3, 2, 17, 20), []
    place = model.network.cells[model.cell]
    place.register_forward_hook(lambda module, args, out: seen.append(out))
    logits = model(x)
    assert logits.shape == (3, 2, 5) and place.out_channels == seen[0].shape[1]
    torch.testing.assert_close(logits[:, 0], model.network(x))
    torch.testing.assert_close(logits[:, 1], model.auxiliary(seen[0]))
    AuxiliaryLoss()(logits, torch.tensor([0, 4, 2])).backward()
    for key, p in model.named_parameters():
        assert p.grad is not None and p.grad.isfinite().all() and p.grad.any(), key


@BOTH
def test_evaluation_is_that_of_the_network_alone(name):
    torch.manual_seed(0)
    model, x = randomise(WithAuxiliary(5, 2, CELLS[name])).eval(), images(3, 2, 17, 20)
    alone = CELLS[name](5, 2).eval()
    alone.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        assert torch.equal(model(x), alone(x)) and model(x).std() > 0


def test_any_cell_can_be_read_and_a_file_can_say_it():
    first = build("withauxiliary", num_classes=5, in_channels=2, network={"darts": {"dim": 4, "depth": 3}}, cell=0)
    assert first.cell == 0 and first.train()(images(2, 2, 40, 40)).shape == (2, 2, 5)
    with pytest.raises(ValueError, match=r"cell must lie in 0 … 2, got 3"):
        WithAuxiliary(5, 2, partial(DARTS, dim=4, depth=3), cell=3)
    with pytest.raises(ValueError, match="ResNet has no cells"):
        WithAuxiliary(5, 2, partial(ResNet, dim=4))


def test_the_loss_by_hand():
    logits, target = torch.randn(4, 2, 3), torch.tensor([0, 2, 1, 1])
    own, inside = (F.cross_entropy(logits[:, i], target) for i in range(2))
    torch.testing.assert_close(AuxiliaryLoss()(logits, target), own + 0.4 * inside)
    torch.testing.assert_close(AuxiliaryLoss(1.0)(logits, F.one_hot(target, 3).float()), own + inside)
    torch.testing.assert_close(AuxiliaryLoss()(logits[:, 0], target), own)
    smooth = AuxiliaryLoss(0.0, label_smoothing=0.1)(logits, target)
    torch.testing.assert_close(smooth, F.cross_entropy(logits[:, 0], target, label_smoothing=0.1))
