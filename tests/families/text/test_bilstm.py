"""BiLSTM is torch's bidirectional LSTM on packed sequences, with a weighted mean of its outputs."""

import re
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.export._patches import register_lstm_while_loop_decomposition
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from netwright.blocks import pooling
from netwright.families.text.bilstm import PRESETS, BiLSTM
from tests.families.presets import build, check_counts
from tests.families.text import contract
from tests.parity import assert_same, copy_by_map, count, randomise

SMALL = partial(BiLSTM, contract.VOCAB, embed_dim=8, dim=6, depth=2)


class Reference(nn.Module):
    """With one direction fused to the other, and padding packed away."""

    def __init__(self, vocab_size: int, num_classes: int, embed_dim: int, dim: int, depth: int):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        self.lstm = nn.LSTM(embed_dim, dim, depth, bidirectional=True, batch_first=True)
        self.hidden = nn.Linear(2 * dim, 2 * dim)
        self.score = nn.Parameter(torch.empty(2 * dim))
        self.head = nn.Linear(2 * dim, num_classes)

    def forward(self, tokens: Tensor) -> Tensor:
        lengths = (tokens != 0).sum(1)
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        x, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        vectors = []
        for text, length in zip(x, lengths, strict=True):
            text = text[:length]
            weight = torch.softmax(torch.tanh(self.hidden(text)) @ self.score, 0)
            vectors.append(weight @ text)
        return self.head(torch.stack(vectors))


def key(name: str) -> str:
    found = re.match(r"layers\.(\d+)\.(right|left)\.(\w+)_l0", name)
    if found:
        return f"lstm.{found[3]}_l{found[1]}" + "_reverse" * (found[2] == "left")
    return {"pool.score.weight": "score"}.get(name, name.removeprefix("pool."))


@pytest.mark.parametrize("train", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("depth", [1, 3])
def test_same_as_packed_torch(depth, train):
    ours = BiLSTM(contract.VOCAB, 3, embed_dim=8, dim=6, depth=depth, dropout=0.0)
    theirs = randomise(Reference(contract.VOCAB, 3, 8, 6, depth))
    x = contract.texts([9, 3, 1, 6, 9], 9)
    assert_same(ours, theirs, x, copy_by_map(ours, theirs, key), train=train)


def test_every_preset_has_the_count():
    check_counts(BiLSTM, PRESETS)
    ours = build(BiLSTM, PRESETS["base"]["args"], vocab_size=10)
    assert count(ours.layers) == count(nn.LSTM(128, 256, 2, bidirectional=True)) == 2_367_488


def test_forget_gates_start_open():
    for layer in SMALL().layers:
        for lstm in (layer.right, layer.left):
            bias = (lstm.bias_ih_l0 + lstm.bias_hh_l0).view(4, -1)  # input, forget, cell, output
            assert (bias[1] == 1).all() and (bias[[0, 2, 3]].abs() < 1).all()


@pytest.mark.parametrize("name", pooling.__all__)
def test_contract(name):
    make = partial(SMALL, pooling=getattr(pooling, name))
    contract.check_padding(randomise(make()))
    contract.check_training(make)
    contract.check_half_and_meta(make)


def test_compile_and_export():
    """torch.compile leaves an LSTM as it is; with a free length, export needs it written as a loop."""
    model, x = SMALL().eval(), contract.texts([8, 3, 5], 8)
    with torch.no_grad():
        torch.testing.assert_close(torch.compile(model, backend="eager")(x), model(x))
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=2, max=16)
    contract.check_export(model, {0: batch})
    torch.ops.aten.lstm.input._dispatch_cache.clear()  # what the export before has left there
    with register_lstm_while_loop_decomposition():
        contract.check_export(model, {0: batch, 1: length})


def test_every_token_counts():
    contract.check_every_token_counts(randomise(SMALL()))


def test_dropout_acts_in_training_only():
    model, x = SMALL(dropout=0.5), contract.texts([5, 5], 5)
    assert torch.equal(model.eval()(x), model(x))
    assert not torch.equal(model.train()(x), model(x))


def test_dim_depth_and_words_shrink_it():
    counts = [count(SMALL(dim=d)) for d in range(1, 12)]
    assert counts == sorted(set(counts))
    assert count(SMALL(depth=1)) < count(SMALL(depth=2)) < count(SMALL(depth=2, embed_dim=9))
