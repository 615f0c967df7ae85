"""`inspect` beside the tools that count multiply-adds: how right, and how fast, in one run: `make bench`.

    python benchmarks/inspect_vs_peers.py [--runs 3] [--only resnet50 llama …]

Each cell is a tool's multiply-adds ÷ those of the closed form (tests/inspect/test_closed_forms.py has the derivations),
and the best time of `runs`, interleaved, as a multiple of ours. What fails says why below the table.
"""

import argparse
import contextlib
import io
import os
import pickle
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.references

from tests.references import torchvision, transformers

from netwright.inspect import inspect

Case = tuple[nn.Module, torch.Tensor, int]


def resnet50() -> Case:
    return torchvision().models.resnet50(), torch.zeros(1, 3, 224, 224), 4_089_184_256


def vit_b_16() -> Case:
    n, d = 197, 768
    macs = 196 * d * 768 + 12 * (12 * n * d * d + 2 * n * n * d) + d * 1000
    return torchvision().models.vit_b_16(), torch.zeros(1, 3, 224, 224), macs


def lstm() -> Case:
    macs = 2 * 20 * 4 * 48 * ((32 + 48) + 2 * (48 + 48))
    return nn.LSTM(32, 48, 3, batch_first=True), torch.zeros(2, 20, 32), macs


def encoder() -> Case:
    layer = nn.TransformerEncoderLayer(64, 4, 256, batch_first=True)
    macs = 3 * 2 * (12 * 50 * 64 * 64 + 2 * 50 * 50 * 64)
    return nn.TransformerEncoder(layer, 3), torch.zeros(2, 50, 64), macs


def llama() -> Case:
    t, d, inner, layers, heads, groups, vocab = 64, 256, 512, 4, 8, 2, 1000
    config = transformers().LlamaConfig(
        hidden_size=d, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=groups, vocab_size=vocab,
    )  # fmt: skip
    linear = layers * t * (2 * d * d + 2 * d * d * groups // heads + 3 * d * inner) + t * d * vocab
    model = transformers().LlamaForCausalLM(config)
    return model, torch.zeros(1, t, dtype=torch.long), linear + layers * 2 * t * t * d


def mixtral() -> Case:
    t, d, inner, layers, experts, chosen, vocab = 24, 64, 96, 2, 4, 2, 100
    config = transformers().MixtralConfig(
        hidden_size=d, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=4,
        num_key_value_heads=2, vocab_size=vocab, num_local_experts=experts, num_experts_per_tok=chosen,
    )  # fmt: skip
    linear = layers * t * (3 * d * d + d * experts + chosen * 3 * d * inner) + t * d * vocab
    model = transformers().MixtralForCausalLM(config)
    return model, torch.zeros(1, t, dtype=torch.long), linear + layers * 2 * t * t * d


NETWORKS: dict[str, Callable[[], Case]] = {
    "resnet50": resnet50,
    "vit_b_16": vit_b_16,
    "lstm": lstm,
    "encoder": encoder,
    "llama": llama,
    "mixtral": mixtral,
}


# Tools: multiply-adds of a module for an input


def netwright(module: nn.Module, x: torch.Tensor) -> float:
    return inspect(module, x).macs


def torchinfo(module: nn.Module, x: torch.Tensor) -> float:
    from torchinfo import summary

    return summary(module, input_data=x, verbose=0).total_mult_adds


def fvcore(module: nn.Module, x: torch.Tensor) -> float:
    from fvcore.nn import FlopCountAnalysis

    return FlopCountAnalysis(module, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


def calflops(module: nn.Module, x: torch.Tensor) -> float:
    from calflops import calculate_flops

    return calculate_flops(module, args=[x], print_results=False, output_as_string=False)[1]


def ptflops(module: nn.Module, x: torch.Tensor) -> float:
    from ptflops import get_model_complexity_info

    name = "input_ids" if x.dtype is torch.long else next(iter(_arguments(module)))
    made = get_model_complexity_info(
        module,
        tuple(x.shape[1:]),
        as_strings=False,
        print_per_layer_stat=False,
        input_constructor=lambda _: {name: x},
        verbose=False,
    )
    return made[0]


def thop(module: nn.Module, x: torch.Tensor) -> float:
    from thop import profile

    return profile(module, inputs=(x,), verbose=False)[0]


def torchlens(module: nn.Module, x: torch.Tensor) -> float:
    from torchlens import trace

    return float(trace(module, x).total_macs_forward)


def flop_counter(module: nn.Module, x: torch.Tensor) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    return counter.get_total_flops() / 2


TOOLS = (netwright, torchinfo, fvcore, calflops, ptflops, thop, torchlens, flop_counter)


def _arguments(module: nn.Module) -> list[str]:
    import inspect as python

    return list(python.signature(module.forward).parameters)


def measured(make: Callable[[], Case], runs: int) -> dict[str, tuple[float | str, float]]:
    """Of each tool the ratio, or why it failed, and its best time in seconds."""
    best: dict[str, tuple[float | str, float]] = {}
    for _ in range(runs):
        for tool in TOOLS:
            found, seconds = apart(tool, make)
            best[tool.__name__] = found, min(seconds, best.get(tool.__name__, (0, seconds))[1])
    return best


def apart(tool: Callable, make: Callable[[], Case]) -> tuple[float | str, float]:
    """One measurement in a fork: several tools replace torch's functions, and not all put them back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader, "rb") as answer:
            said = answer.read()
        os.waitpid(child, 0)
        return pickle.loads(said) if said else ("the process ended", 0.0)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            module, x, truth = make()
            with contextlib.suppress(Exception):  # imports, and what a first call sets up
                tool(nn.Sequential(nn.Linear(4, 4)).eval(), torch.zeros(1, 4))
            began = time.perf_counter()
            try:
                found: float | str = tool(module.eval(), x) / truth
            except Exception as error:
                found = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:100]}"
            seconds = time.perf_counter() - began
        os.write(writer, pickle.dumps((found, seconds)))
    finally:
        os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)  # a fork can't take a pool of threads along
    torchvision(), transformers()
    line = "{:12}" + " {:>15}" * len(TOOLS)
    print("multiply-adds ÷ the closed form · time ÷ netwright's")
    print(line.format("", *(tool.__name__ for tool in TOOLS)))
    failures = []
    for name in arguments.only:
        cells = []
        found = measured(NETWORKS[name], arguments.runs)
        ours = found["netwright"][1]
        for tool, (ratio, seconds) in found.items():
            if isinstance(ratio, str):
                failures.append(f"{tool} on {name}: {ratio}")
                cells.append("failed")
            else:
                cells.append(f"{ratio:.3f} · {seconds / ours:.1f}×")
        print(line.format(name, *cells), flush=True)
    print("\n".join(failures))


if __name__ == "__main__":
    main()
