"""What would save memory: formulas in closed form, and captures of the change itself."""

import copy
import sys

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from netwright.errors import InputError
from netwright.inspect import inspect, savings
from netwright.inspect.memory import state_bytes
from netwright.inspect.repeats import checkpointed, repeated
from tests.inspect.test_kv_cache import ids, meta
from tests.references import torchvision, transformers

DIM, DEPTH, BATCH = 16, 4, 64


def block() -> nn.Module:
    return nn.Sequential(nn.Linear(DIM, 4 * DIM), nn.GELU(), nn.Linear(4 * DIM, DIM))


class Checkpointed(nn.Sequential):
    def forward(self, x):
        for part in self:
            x = checkpoint(part, x, use_reentrant=False)
        return x


def rows(module: nn.Module, inputs, **options) -> dict[str, object]:
    return {row.name.partition(" ")[0]: row for row in savings(module, inputs, **options)}


@pytest.fixture
def stack() -> nn.Module:
    return nn.Sequential(*(block() for _ in range(DEPTH)))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.zeros(BATCH, DIM)


def peak(module: nn.Module, inputs, **options) -> int:
    return inspect(module, inputs, train=True, **options).peak_memory


def test_the_first_row_is_the_present(stack, x):
    first, *others = savings(stack, x)
    assert (first.name, first.peak_bytes, first.saved_bytes) == ("as it is", peak(stack, x), 0)
    for row in others:
        assert row.saved_bytes == first.peak_bytes - row.peak_bytes
        assert row.share == pytest.approx(row.saved_bytes / first.peak_bytes)
        assert row.cost
        assert row.how.startswith(("captured", "counted", "estimated"))


def test_checkpointing_is_what_a_checkpointed_module_takes(stack, x):
    row = rows(stack, x)["checkpointing"]
    really = inspect(Checkpointed(*(block() for _ in range(DEPTH))), x, train=True)
    assert row.peak_bytes == really.peak_memory
    plain = inspect(stack, x, train=True)
    more = (really.backward_macs - plain.backward_macs) / (plain.macs + plain.backward_macs)
    assert f"{100 * more:.0f} % more MACs" in row.cost
    assert row.saved_bytes > 0


def test_checkpointing_of_a_transformer_beside_its_own():
    """transformers' own gradient checkpointing of every layer."""
    config = transformers().LlamaConfig(
        hidden_size=64, intermediate_size=256, num_attention_heads=4, num_hidden_layers=6, vocab_size=50
    )
    model = transformers().LlamaForCausalLM(config)
    inputs = {"input_ids": torch.zeros(4, 64, dtype=torch.long)}
    row = rows(model, inputs)["checkpointing"]
    assert "6 LlamaDecoderLayer" in row.name
    own = copy.deepcopy(model)
    own.config.use_cache = False
    own.activation_checkpointing_enable({"use_reentrant": False})
    assert row.peak_bytes == pytest.approx(peak(own, inputs), rel=0.01)
    assert model.config.use_cache is True


def test_blocks():
    with torch.device("meta"):
        resnet, vit = torchvision().models.resnet18(), torchvision().models.vit_b_16()
    stages, blocks = repeated(resnet)
    assert (len(stages), len(blocks)) == (4, 8)
    assert {type(one).__name__ for one in blocks} == {"BasicBlock"}
    assert [len(level) for level in repeated(vit)] == [12]
    assert repeated(nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))) == []


def test_modules_are_left_as_they_were(stack, x):
    classes = [type(part) for part in stack.modules()]
    with pytest.raises(ZeroDivisionError), checkpointed(list(stack)):
        assert type(stack[0]) is not nn.Sequential
        assert type(copy.deepcopy(stack[0])) is type(stack[0])
        1 / 0  # noqa: B018
    savings(stack, x)
    assert [type(part) for part in stack.modules()] == classes
    assert all(parameter.grad is None for parameter in stack.parameters())
    assert stack.state_dict().keys() == nn.Sequential(*(block() for _ in range(DEPTH))).state_dict().keys()


def test_what_can_not_be_captured_checkpointed_is_estimated(monkeypatch, stack, x):
    real = rows(stack, x)["checkpointing"]
    monkeypatch.setattr(sys.modules["netwright.inspect.savings"]._Step, "again", _refuse)
    found = rows(stack, x)
    row = found["checkpointing"]
    assert row.how.startswith("estimated")
    assert row.peak_bytes == pytest.approx(real.peak_bytes, rel=0.15)
    assert found["bf16"].peak_bytes is None
    assert found["bf16"].how == "could not be captured: refused"


def _refuse(*args, **kwargs):
    raise InputError("refused")


def test_bf16_and_a_smaller_batch_are_captured(stack, x):
    found = {row.name: row for row in savings(stack, x)}
    assert found["bf16 throughout"].peak_bytes == peak(stack, x, dtype=torch.bfloat16)
    assert found[f"batch {BATCH // 2} instead of {BATCH}"].peak_bytes == peak(stack, x[: BATCH // 2])
    mixed = found["bf16 autocast, weights in fp32"].peak_bytes
    assert found["bf16 throughout"].peak_bytes < mixed < found["as it is"].peak_bytes
    assert not any("bf16" in row.name for row in savings(stack, x, dtype=torch.bfloat16))
    assert not any("batch" in row.name for row in savings(stack, x[:1]))


def test_optimizers_have_closed_forms(stack, x):
    numbers = sum(p.numel() for p in stack.parameters())
    found = rows(stack, x)
    assert found["SGD"].saved_bytes == 2 * 4 * numbers == found["SGD"].share * peak(stack, x)
    assert found["8-bit"].saved_bytes == 0  # no parameter has 4096 numbers: all keep theirs in fp32
    assert not {"SGD", "8-bit"} & rows(stack, x, optimizer="sgd").keys()
    assert peak(stack, x, optimizer="adamw8bit") == peak(stack, x)


def test_the_state_of_8_bit_adamw():
    """Two bytes a number and two scales of four bytes for 256 of them; fp32 below 4096 numbers."""
    assert state_bytes([(4096, 4)], "adamw8bit") == 2 * 4096 + 2 * 4 * 16
    assert state_bytes([(4097, 2)], "adamw8bit") == 2 * 4097 + 2 * 4 * 17
    assert state_bytes([(4095, 2), (10, 4)], "adamw8bit") == 8 * 4105
    large = nn.Linear(256, 256, bias=False)
    by = inspect(large, torch.zeros(1, 256), train=True, optimizer="adamw8bit").memory.by
    assert by["optimizer"] == 2 * 256**2 + 2 * 4 * 256


def test_activations_of_a_stack_have_a_closed_form(stack, x):
    """The wide values before and after each GELU, the narrow ones between the blocks, and the outputs."""
    assert inspect(stack, x, train=True).saved_bytes == 4 * BATCH * DEPTH * (4 + 4 + 1) * DIM


@pytest.mark.parametrize("batch", [1, BATCH])
def test_one_device_shards_nothing(stack, batch):
    found = rows(stack, torch.zeros(batch, DIM), devices=1)
    assert found["FSDP"].peak_bytes == found["as"].peak_bytes


def test_sharding_over_many_devices(stack):
    """One sample: weights, gradients and state divided, and a block's weights twice and its gradients in full."""
    numbers = sum(p.numel() for p in stack.parameters())
    unit = 4 * numbers // DEPTH
    for devices in (2, 64):
        sharded = rows(stack, torch.zeros(1, DIM), devices=devices)["FSDP"].peak_bytes
        least = 4 * 4 * numbers / devices + 3 * unit
        activations, under_way = 4 * DIM * DEPTH * 9, 4 * 4 * DIM * DIM  # a weight's gradient before it is added
        assert least <= sharded <= least + 2 * activations + under_way
    # The more activations there are, the less sharding saves.
    shares = [rows(stack, torch.zeros(batch, DIM))["FSDP"].share for batch in (1, 64, 4096)]
    assert shares == sorted(shares, reverse=True)


def test_grouped_queries():
    """GPT-2's key and value projections shrink to a quarter: 2 · layers · ¾ · (d + 1) · d parameters."""
    d, layers = 64, 2
    config = transformers().GPT2Config(
        n_embd=d, n_layer=layers, n_head=4, vocab_size=99, bos_token_id=0, eos_token_id=0
    )
    model = meta(lambda: transformers().GPT2LMHeadModel(config))
    row = rows(model, ids())["grouped"]
    fewer = 2 * layers * 3 * (d + 1) * d // 4
    cache = 2 * layers * d * 4
    assert f"{fewer:,} parameters fewer" in row.cost
    assert f"KV cache {cache:,} → {cache // 4:,} bytes" in row.cost
    held = inspect(model, ids(), train=True).memory.by
    made = held.get("gradients", 0) / (4 * inspect(model, ids()).params)
    assert row.saved_bytes == pytest.approx(4 * fewer * (1 + 2 + made), rel=1e-3)


def test_grouped_queries_of_an_encoder_and_a_decoder():
    """Each one's own attention and what looks across, 2 · ¾ · d² each; the cache is the decoder's own."""
    library = transformers()
    model = meta(
        lambda: library.T5ForConditionalGeneration(
            library.T5Config(num_layers=1, d_model=64, d_kv=16, num_heads=4, d_ff=64)
        )
    )
    inputs = {**ids(), "decoder_input_ids": torch.zeros(2, 7, dtype=torch.long)}
    cost = rows(model, inputs)["grouped"].cost
    assert f"{3 * 2 * 3 * 64 * 64 // 4:,} parameters fewer" in cost
    assert f"{2 * 64 * 4} → {2 * 64} bytes" in cost.replace("KV cache ", "")


def test_a_dimension_that_can_not_be_halved_is_no_batch():
    class Graph(nn.Module):
        """Of six nodes."""

        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(8, 8)

        def forward(self, x):
            return self.linear(x).view(6, 2, 4)

    found = rows(Graph(), torch.zeros(6, 8))
    assert "batch" not in found
    assert "FSDP" in found


def test_grouped_queries_only_where_each_head_has_its_own(stack, x):
    config = transformers().LlamaConfig(
        hidden_size=64, intermediate_size=64, num_attention_heads=8, num_key_value_heads=2, num_hidden_layers=2,
        vocab_size=99,
    )  # fmt: skip
    assert "grouped" not in rows(meta(lambda: transformers().LlamaForCausalLM(config)), ids())
    assert "grouped" not in rows(stack, x)
    vit = torchvision().models.VisionTransformer(32, 8, 2, 4, 16, 16)
    row = rows(vit, torch.zeros(2, 3, 32, 32))["grouped"]
    assert f"{2 * 2 * 3 * 17 * 16 // 4:,} parameters fewer" in row.cost
    assert "KV cache" not in row.cost


def test_guessed_inputs():
    assert savings(nn.Linear(16, 4), batch=3)[0].peak_bytes == peak(nn.Linear(16, 4), torch.zeros(3, 16))


def test_bad_input(stack, x):
    with pytest.raises(InputError, match="0 devices"):
        savings(stack, x, devices=0)
    with pytest.raises(InputError, match="unknown"):
        savings(stack, x, optimizer="sdg")
    with pytest.raises(InputError, match="forward failed"):
        savings(stack, torch.zeros(2, 3))
    with pytest.raises(InputError, match="no output depends"):
        savings(nn.ReLU(), x)
