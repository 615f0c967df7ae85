"""PyTorch's quantised layers: their weights count, in their own bytes, and so do their products."""

import warnings

import pytest
import torch
from torch import nn
from torch.ao import quantization

from netwright.inspect import inspect

pytestmark = pytest.mark.filterwarnings("ignore")


def dynamic(module: nn.Module, *kinds: type[nn.Module]) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return quantization.quantize_dynamic(module, set(kinds), dtype=torch.qint8)


def test_linear_layers():
    blueprint = inspect(dynamic(nn.Sequential(nn.Linear(64, 128), nn.Linear(128, 10)), nn.Linear), torch.zeros(2, 64))
    weights, biases = 64 * 128 + 128 * 10, 128 + 10
    assert blueprint.macs == 2 * weights
    assert (blueprint.params, blueprint.trainable) == (weights + biases, 0)
    assert blueprint.weights_bytes == weights + 4 * biases
    assert blueprint.not_counted == []


@pytest.mark.parametrize("kind, gates", [(nn.LSTM, 4), (nn.GRU, 3)])
def test_recurrent_layers(kind, gates):
    blueprint = inspect(dynamic(nn.Sequential(kind(8, 16, 2, bidirectional=True)), kind), torch.zeros(5, 3, 8))
    weights = 2 * gates * 16 * (8 + 16) + 2 * gates * 16 * (32 + 16)
    assert blueprint.macs == 5 * 3 * weights
    assert blueprint.params == weights + 4 * 2 * gates * 16  # two biases a layer and direction
    assert blueprint.not_counted == []


def test_convolutions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layers = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=4), nn.ConvTranspose2d(8, 4, 2, 2)
        module = nn.Sequential(quantization.QuantStub(), *layers, quantization.DeQuantStub()).eval()
        module.qconfig = quantization.QConfig(
            activation=quantization.default_observer, weight=quantization.default_weight_observer
        )
        quantization.prepare(module, inplace=True)
        module(torch.randn(1, 3, 8, 8))
        quantization.convert(module, inplace=True)
    blueprint = inspect(module, torch.zeros(1, 3, 8, 8))
    assert blueprint.macs == 36 * 8 * 27 + 16 * 8 * 18 + 16 * 8 * 4 * 4
    assert blueprint.params == 8 * 27 + 8 + 8 * 18 + 8 + 8 * 4 * 4 + 4
    assert blueprint.not_counted == []
