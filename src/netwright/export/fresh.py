"""Run what was ejected where netwright is not to be had: `python -I fresh.py FOLDER [REFERENCE] [PREDICT …]`.

REFERENCE holds what the original network gives (see `verify`); PREDICT are the arguments of predict.py.
Prints one line of JSON: a sentence on the first difference ("problem", or null), and what predict.py printed.
This file imports nothing of netwright.
"""

import contextlib
import importlib
import io
import json
import runpy
import sys
from pathlib import Path

HIDDEN = {
    "netwright",
    "sklearn",
    "scipy",
    "safetensors",
    "ruamel",
    "yaml",
    "typer",
    "click",
    "rich",
    "timm",
    "torchvision",
}


class Without:
    """A finder of modules that knows nothing of netwright, nor of anything that the folder's requirements do not name.

    It finds nothing rather than to raise: torch asks what is installed, and goes on without.
    """

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, fullname, path=None, target=None):
        return None if fullname.partition(".")[0] in HIDDEN else self.finder.find_spec(fullname, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


def fill(network, seed, noise):
    """Random numbers in every parameter and statistic: nothing that starts at zero may hide a difference."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                random = torch.randn(value.shape, generator=generator).to(value.dtype) * noise
                value.copy_(random.abs() + 0.5 if name.endswith("running_var") else value + random)


def outputs(network, inputs):
    """What a network gives, as one tensor: of a detector, which chooses among boxes, what its heads give."""
    import torch

    if not hasattr(network, "raw"):
        return network(**inputs)
    return torch.cat([tensor.flatten() for tensor in network.raw(**inputs)])


def observe(network, inputs, seed, noise=0.1):
    """Outputs in evaluation, outputs and gradients in training, of a network filled with random numbers."""
    import torch

    fill(network, seed, noise)
    network.eval()
    with torch.no_grad():
        evaluated = outputs(network, inputs).clone()
    network.train()
    torch.manual_seed(seed)
    trained = outputs(network, inputs)
    weight = torch.linspace(-1.0, 1.0, trained.numel()).view(trained.shape)
    (trained * weight).sum().backward()
    gradients = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    return {"evaluated": evaluated, "trained": trained.detach().clone(), "gradients": gradients}


def compare(build, reference):
    """What differs first, or None."""
    import torch

    torch.set_num_threads(reference["threads"])
    seed = reference["seed"]
    torch.manual_seed(seed)
    network = build()
    state, wanted = network.state_dict(), reference["state"]
    if list(state) != list(wanted):
        return f"the state's names differ: {sorted(set(state) ^ set(wanted)) or 'in their order'}"
    for name, value in wanted.items():
        if state[name].shape != value.shape or not torch.equal(state[name], value):
            return f"{name} starts with other numbers"
    seen = observe(network, reference["inputs"], seed, reference["noise"])
    for name in ("evaluated", "trained"):
        if not close(seen[name], reference[name]):
            return f"the outputs differ ({name})"
    if seen["gradients"].keys() != reference["gradients"].keys():
        return "other parameters get gradients"
    for name, value in reference["gradients"].items():
        if not close(seen["gradients"][name], value):
            return f"the gradient of {name} differs"
    return None


def close(a, b):
    """Equal to the last bit, or, where another kernel was chosen, to 1e-5 of the largest value."""
    import torch

    if a.shape != b.shape or torch.equal(a, b):
        return a.shape == b.shape
    size = float(b.abs().nan_to_num(0.0).max())
    return torch.allclose(a, b, rtol=0.0, atol=1e-5 * size, equal_nan=True)


def main(folder, reference="", predict=()):
    sys.meta_path[:] = map(Without, sys.meta_path)
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    answer = {"problem": None, "printed": ""}
    if reference:
        import torch

        build = importlib.import_module("model").build
        answer["problem"] = compare(build, torch.load(reference, weights_only=True))
    if predict and not answer["problem"]:
        sys.argv = ["predict.py", *predict]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(Path(folder) / "predict.py"), run_name="__main__")
        answer["printed"] = printed.getvalue()
    loaded = sorted(name for name in sys.modules if name.partition(".")[0] in HIDDEN)
    if loaded:
        answer["problem"] = f"these were imported: {', '.join(loaded)}"
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "", sys.argv[3:])
