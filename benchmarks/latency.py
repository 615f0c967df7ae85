"""Latency on this CPU, predicted for networks that were left out: `make bench`.

    python benchmarks/latency.py [--threads 1] [--save samples.json]

Twenty networks are measured whole, and by the operator benchmark; each is then predicted from the nineteen others, by
its operators' own times and by the roofline of its work. The last columns say how far off each is.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parent.parent))  # for tests.references

from tests.references import timm, torchvision, transformers

from netwright.inspect.calibration import errors_of, sample
from netwright.inspect.tensors import Inputs

TORCHVISION = """resnet18 resnet50 mobilenet_v2 mobilenet_v3_small efficientnet_b0 convnext_tiny swin_t densenet121
    squeezenet1_1 shufflenet_v2_x1_0 regnet_y_400mf vgg11"""


def networks() -> Iterator[tuple[str, nn.Module, Inputs]]:
    image, ids = torch.randn(1, 3, 224, 224), torch.randint(0, 1000, (1, 128))
    for name in TORCHVISION.split():
        yield name, torchvision().models.get_model(name), image
    for name in ("vit_small_patch16_224", "mixer_s32_224"):
        yield name, timm().create_model(name), image
    library = transformers()
    yield "gpt2 (6 layers)", library.GPT2Model(library.GPT2Config(n_layer=6)), {"input_ids": ids}
    sizes = {"hidden_size": 512, "intermediate_size": 1408, "num_attention_heads": 8, "num_key_value_heads": 2}
    config = library.LlamaConfig(**sizes, num_hidden_layers=8, vocab_size=8000)
    yield "llama (8 layers)", library.LlamaModel(config), {"input_ids": ids}
    yield "t5-small", library.T5Model(library.T5Config()), {"input_ids": ids, "decoder_input_ids": ids}
    yield "lstm", nn.LSTM(256, 256, 2, batch_first=True), torch.randn(1, 100, 256)
    layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
    yield "encoder", nn.TransformerEncoder(layer, 6), torch.randn(1, 128, 256)
    yield "unet", unet(), torch.randn(1, 3, 256, 256)


def unet() -> nn.Module:
    from tests.inspect.test_closed_forms import UNet

    return UNet()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write what was measured to this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    samples = []
    for name, module, inputs in networks():
        samples.append(sample(name, module.eval(), inputs))
        print(f"measured {name}: {1000 * samples[-1].seconds:.2f} ms", file=sys.stderr, flush=True)
    if options.save:
        options.save.write_text(json.dumps([asdict(one) for one in samples]))
    errors = errors_of(samples)
    print(f"{len(samples)} networks, {options.threads} thread(s), batch 1, each predicted from the others")
    print(f"{'network':24}{'ms':>9}{'operators':>12}{'roofline':>12}")
    for row, one in enumerate(samples):
        off = "".join(f"{100 * errors[method][row]:>+11.1f}%" for method in ("operators", "roofline"))
        print(f"{one.name:24}{1000 * one.seconds:>9.2f}{off}")
    typical = "".join(f"{100 * median(map(abs, errors[method])):>11.1f}%" for method in ("operators", "roofline"))
    print(f"{'median error':24}{'':>9}{typical}")


if __name__ == "__main__":
    main()
