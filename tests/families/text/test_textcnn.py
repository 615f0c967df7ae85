"""TextCNN is the sum over windows that the paper writes, and does not see padding."""

import warnings

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from netwright.families.text.textcnn import PRESETS, TextCNN
from tests.families.presets import check_counts
from tests.parity import assert_same, copy_by_map, count, randomise

TOKENS = torch.tensor([[5, 3, 9, 2, 7, 1, 4, 8], [6, 2, 0, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 0, 0, 0]])


class Naive(nn.Module):
    """The paper's section 2, text by text and window by window, each text without its padding."""

    def __init__(self, vocab_size: int, num_classes: int, dim: int, kernel_sizes: tuple[int, ...], maps: int):
        super().__init__()
        self.words = nn.Parameter(torch.empty(vocab_size, dim))
        self.filters = nn.ParameterList(torch.empty(maps, dim, k) for k in kernel_sizes)
        self.biases = nn.ParameterList(torch.empty(maps) for _ in kernel_sizes)
        self.weight = nn.Parameter(torch.empty(num_classes, maps * len(kernel_sizes)))
        self.bias = nn.Parameter(torch.empty(num_classes))

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.stack([self.text(row[row != 0]) for row in tokens])

    def text(self, words: Tensor) -> Tensor:
        best = []
        for w, b in zip(self.filters, self.biases, strict=True):
            k = w.shape[2]
            x = self.words[words].T  # (D, N)
            x = F.pad(x, (0, max(0, k - len(words))))
            windows = [F.relu((w * x[:, i : i + k]).sum((1, 2)) + b) for i in range(x.shape[1] - k + 1)]
            best.append(torch.stack(windows).max(0).values)
        return self.weight @ torch.cat(best) + self.bias


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("kernel_sizes", [(3, 4, 5), (1, 7, 12)])
def test_same_as_the_paper_text_by_text(kernel_sizes, train):
    ours = TextCNN(10, 3, dim=6, kernel_sizes=kernel_sizes, maps=4, dropout=0.0)
    theirs = randomise(Naive(10, 3, 6, kernel_sizes, 4))

    def key(name: str) -> str:
        if name.startswith("convs"):
            return f"{'biases' if name.endswith('bias') else 'filters'}.{name.split('.')[1]}"
        return {"embedding.weight": "words", "head.weight": "weight", "head.bias": "bias"}[name]

    mapping = copy_by_map(ours, theirs, key)
    assert ours.embedding.weight[0].abs().min() > 0  # a padding vector that is not zero must not show either
    assert_same(ours, theirs, TOKENS, mapping, train=train)


def test_every_preset_has_the_count():
    check_counts(TextCNN, PRESETS)


@pytest.mark.parametrize("length", [1, 2, 4, 5, 9])
def test_padding_changes_nothing(length):
    model = randomise(TextCNN(20, 3, dim=8, maps=16)).eval()
    tokens = torch.randint(1, 20, (4, length), generator=torch.Generator().manual_seed(length))
    with torch.no_grad():
        bare = model(tokens)
        assert bare.std(0).min() > 0
        for more in (1, 3, 30):
            torch.testing.assert_close(model(F.pad(tokens, (0, more))), bare, rtol=1e-5, atol=1e-6)


def test_an_empty_text_is_finite():
    y = TextCNN(20, 3)(torch.zeros(2, 7, dtype=torch.int64))
    assert y.isfinite().all()


def test_padding_learns_nothing():
    model = TextCNN(10, 3)
    model(TOKENS).square().sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient[0].abs().max() == 0 and gradient[1:].abs().amax(1).min() > 0
    assert model.embedding.weight[0].abs().max() == 0


def test_dim_maps_and_vocabulary_shrink_it():
    assert count(TextCNN(100, 5, dim=8, kernel_sizes=(2, 3), maps=4)) == 800 + (2 + 3) * 8 * 4 + 8 + 8 * 5 + 5


def test_works_everywhere():
    torch.manual_seed(0)
    model = TextCNN(10, 3).eval()
    with torch.no_grad():
        expected = model(TOKENS)
        half = model.to(torch.bfloat16)(TOKENS)
        assert half.dtype == torch.bfloat16
        torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.1)
        model = model.float()
        torch.testing.assert_close(torch.compile(model, backend="eager", fullgraph=True)(TOKENS), model(TOKENS))
        dims = {0: torch.export.Dim("batch", min=1, max=64), 1: torch.export.Dim("length", min=2, max=512)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(model, (TOKENS,), dynamic_shapes=(dims,)).module()
        for tokens in (TOKENS[:2, :3], F.pad(TOKENS, (0, 40))):
            torch.testing.assert_close(program(tokens), model(tokens))
    with torch.device("meta"):
        assert TextCNN(10, 3)(torch.empty(2, 7, dtype=torch.int64)).is_meta
