"""Inputs that nobody gave: found from what the module says of itself, or from its first layer."""

import pytest
import torch
from torch import nn

from netwright.errors import InputError
from netwright.inspect import inspect
from tests.references import timm, transformers

LAYERS = [
    (nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU()), [1, 4, 224, 224]),
    (nn.Conv1d(6, 8, 3), [1, 6, 128]),
    (nn.Conv3d(3, 4, 3), [1, 3, 16, 112, 112]),
    (nn.Sequential(nn.Linear(7, 3)), [1, 7]),
    (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), [1, 784]),
    (nn.Sequential(nn.Conv2d(1, 8, 3), nn.Flatten(), nn.Linear(8 * 26 * 26, 10)), [1, 1, 28, 28]),
    (nn.Embedding(50, 8), [1, 128]),
    (nn.GRU(5, 8, batch_first=True), [1, 128, 5]),
    (nn.LayerNorm(12), [1, 12]),
    (nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1)), [1, 3, 224, 224]),
    (nn.ReLU(), [1, 3, 224, 224]),
]


@pytest.mark.parametrize("module, shape", LAYERS, ids=lambda value: str(value)[:30])
def test_from_the_first_layer(module, shape):
    blueprint = inspect(module)
    assert blueprint.inputs == [shape]
    assert blueprint.notes[0].startswith("inputs guessed from")


def test_a_batch():
    assert inspect(nn.Linear(4, 2), batch=8).inputs == [[8, 4]]


def test_from_what_libraries_say():
    with torch.device("meta"):
        assert inspect(timm().create_model("vit_tiny_patch16_384")).inputs == [[1, 3, 384, 384]]
        config = transformers().BertConfig(num_hidden_layers=1)
        assert inspect(transformers().BertModel(config)).inputs == [[1, 128]]
        vision = transformers().ViTConfig(num_hidden_layers=1, image_size=64)
        assert inspect(transformers().ViTModel(vision)).inputs == [[1, 3, 64, 64]]


class Compares(nn.Module):
    """Two images are needed, one is not."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, left, right, middle=None):
        return self.conv(left) - self.conv(right)


def test_as_many_as_are_needed():
    blueprint = inspect(Compares())
    assert blueprint.inputs == [[1, 3, 224, 224]] * 2
    assert blueprint.notes[0].endswith("3 × 224 × 224, 2 times")


def of_transformers(name: str, **said):
    cls = getattr(transformers(), name)
    with torch.device("meta"):
        module = cls(cls.config_class(**said))
    return inspect(module).inputs


def test_transformers_arguments():
    assert of_transformers("CLIPTextModel", num_hidden_layers=1, max_position_embeddings=20) == [[1, 20]]
    assert of_transformers("BrosModel", num_hidden_layers=1) == [[1, 128], [1, 128, 4]]
    assert of_transformers("CLIPModel") == [[1, 77], [1, 3, 224, 224]]
    assert of_transformers("ClapModel")[1:] == [[1, 1, 1024, 64]]
    assert of_transformers("LxmertModel") == [[1, 128], [1, 36, 2048], [1, 36, 4]]
    assert of_transformers("Qwen2_5_VisionTransformerPretrainedModel", depth=1) == [[256, 1176], [1, 3]]
    assert of_transformers("WhisperModel", encoder_layers=1, decoder_layers=1) == [[1, 80, 3000], [1, 128]]
    assert of_transformers("TimeSeriesTransformerModel", prediction_length=24) == [[1, 31], [1, 31, 0], [1, 31]]
    assert of_transformers("DecisionTransformerModel")[0] == [1, 20, 17]


def test_from_an_example():
    module = nn.Bilinear(3, 4, 5)
    module.example_input_array = (torch.zeros(2, 3), torch.zeros(2, 4))
    assert inspect(module).inputs == [[2, 3], [2, 4]]


def test_what_can_not_be_guessed():
    with pytest.raises(InputError, match="could not be guessed") as caught:
        inspect(nn.Bilinear(3, 4, 5))
    assert "give a tensor" in str(caught.value)
