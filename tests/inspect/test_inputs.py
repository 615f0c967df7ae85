"""What forwards take and give beside plain tensors: each is captured on fakes, and all its tensors are seen."""

from dataclasses import dataclass
from math import prod

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from netwright.inspect import inspect
from netwright.inspect.capture import BY_A_RUN, ON_FAKES
from tests.references import torch_geometric, transformers


def ends(blueprint):
    return {edge.source for edge in blueprint.edges}, {edge.target for edge in blueprint.edges}


class Packed(nn.Module):
    """A network over a packed sequence, which it may pad again: that reads the lengths."""

    def __init__(self, padded: bool):
        super().__init__()
        self.rnn, self.head, self.padded = nn.LSTM(3, 4), nn.Linear(4, 2), padded

    def forward(self, packed):
        out, (state, _) = self.rnn(packed)
        return self.head(pad_packed_sequence(out)[0] if self.padded else state[0])


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("padded, how, rows", [(False, ON_FAKES, [2]), (True, BY_A_RUN, [5, 2])])
def test_a_packed_sequence(padded, how, rows, train):
    """5 steps of the one, 2 of the other: 7 steps are computed, not 10."""
    packed = pack_padded_sequence(torch.randn(5, 2, 3), torch.tensor([5, 2]))
    blueprint = inspect(Packed(padded), packed, train=train)
    assert blueprint.how == how
    assert blueprint.inputs[0] == [7, 3]
    assert blueprint.outputs == [[*rows, 2]]
    assert blueprint.macs == 7 * 4 * 4 * (3 + 4) + prod(rows) * 4 * 2
    sources, targets = ends(blueprint)
    assert "input:0" in sources
    assert "output" in targets


def test_packed_inside():
    class Packs(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(3, 4, batch_first=True)

        def forward(self, x, lengths):
            return self.rnn(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))[1]

    blueprint = inspect(Packs(), (torch.randn(2, 5, 3), torch.tensor([2, 5])))
    assert blueprint.how == BY_A_RUN
    assert blueprint.macs == 7 * 3 * 4 * (3 + 4)


def test_tuples_lists_and_dicts():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 4), nn.Linear(5, 4)

        def forward(self, pair, *, named, scale=2.0):
            sides = [self.first(pair[0]), self.second(named["b"][0])]
            return {"sum": (sides[0] + sides[1]) * scale, "sides": tuple(sides), "none": None}

    given = {"pair": (torch.zeros(2, 3), [torch.zeros(1)]), "named": {"b": [torch.zeros(2, 5)]}, "scale": 3.0}
    blueprint = inspect(Nested(), given, train=True)
    assert blueprint.how == ON_FAKES
    assert blueprint.inputs == [[2, 3], [1], [2, 5]]
    assert blueprint.outputs == [[2, 4]] * 3
    assert blueprint.macs == 2 * 4 * (3 + 5)


def test_dataclasses():
    @dataclass
    class Batch:
        x: torch.Tensor
        lengths: list[int]

    class Takes(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(3, 4)

        def forward(self, batch):
            return Batch(self.head(batch.x)[:, : max(batch.lengths)], batch.lengths)

    blueprint = inspect(Takes(), (Batch(torch.zeros(2, 5, 3), [4, 2]),))
    assert (blueprint.inputs, blueprint.outputs) == ([[2, 5, 3]], [[2, 4, 4]])
    assert blueprint.macs == 10 * 12


def test_outputs_of_transformers():
    library = transformers()
    sizes = {"vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
    module = library.BertForSequenceClassification(library.BertConfig(**sizes, intermediate_size=16))
    ids = torch.zeros(1, 6, dtype=torch.long)
    blueprint = inspect(module, {"input_ids": ids, "labels": torch.zeros(1, dtype=torch.long)}, train=True)
    assert blueprint.how == ON_FAKES
    assert [1, 2] in blueprint.outputs
    assert [] in blueprint.outputs  # the loss, from which the backward starts
    assert blueprint.backward_macs > blueprint.macs
    out = inspect(module, {"input_ids": ids, "output_hidden_states": True})
    assert out.outputs == [[1, 2]] + [[1, 6, 8]] * 3


@pytest.mark.parametrize("train", [False, True])
def test_batches_of_graphs(train):
    library = torch_geometric()
    layers = library.nn

    class Graphs(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.head = layers.GCNConv(3, 4), nn.Linear(4, 2)

        def forward(self, data):
            return self.head(layers.global_mean_pool(self.conv(data.x, data.edge_index).relu(), data.batch))

    one = library.data.Data(x=torch.randn(4, 3), edge_index=torch.tensor([[0, 1, 2], [1, 2, 3]]))
    batch = library.data.Batch.from_data_list([one, one])
    blueprint = inspect(Graphs(), batch, train=train)
    assert [8, 3] in blueprint.inputs
    assert [2, 6] in blueprint.inputs
    assert blueprint.outputs == [[2, 2]]
    assert blueprint.macs == 8 * 3 * 4 + 2 * 4 * 2
    assert type(batch.x) is torch.Tensor  # the batch is left as it was
    assert "input:0" in ends(blueprint)[0]


def test_graphs_of_several_kinds():
    library = torch_geometric()
    layers = library.nn

    class Kinds(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = layers.HeteroConv({("user", "buys", "item"): layers.SAGEConv((3, 5), 4)})

        def forward(self, data):
            return self.conv(data.x_dict, data.edge_index_dict)

    data = library.data.HeteroData()
    data["user"].x, data["item"].x = torch.randn(4, 3), torch.randn(2, 5)
    data["user", "buys", "item"].edge_index = torch.tensor([[0, 1, 3], [0, 1, 1]])
    blueprint = inspect(Kinds(), data)
    assert blueprint.how == ON_FAKES
    assert sorted(blueprint.inputs) == [[2, 3], [2, 5], [4, 3]]
    assert blueprint.macs == 2 * 3 * 4 + 2 * 5 * 4
