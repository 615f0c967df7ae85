"""The verb: learn this machine's speed, so that networks that cannot be run here can be estimated."""

import torch

from netwright.errors import InputError
from netwright.inspect.calibration import Calibration, Sample, calibrated, sample, save
from netwright.inspect.real import made_real
from netwright.workbench import targets
from netwright.workbench.narrator import Narrator, Silent

# Of every family that differs in its operators, in sizes from tenths of a millisecond to tenths of a second.
NETWORKS = (
    "resnet18",
    "resnet50",
    "resnet20",
    "mobilenetv3:small",
    "mobilenetv3:large",
    "convnext:atto",
    "convnext:nano",
    "vit:tiny",
    "vit:small",
    "cct7_3x2",
    "bilstm:base",
    "textcnn:kim",
    "text_transformer:mini",
    "text_transformer:small",
    "ft_transformer6",
)


def calibrate(threads: int | None = None, narrator: Narrator | None = None) -> Calibration:
    """Measure netwright's own networks here, whole and by their operators, and keep what that says of the machine.

    threads: PyTorch's intra-operator threads; as they are when None. Takes a minute or two, on a machine that does
    nothing else.
    """
    if threads is not None and threads < 1:
        raise InputError(f"{threads} threads are none", where="--threads", fix="give a whole number above 0")
    narrator = narrator or Silent()
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        narrator.stage(f"{len(NETWORKS)} networks on {torch.get_num_threads()} threads")
        samples = [_sample(name, narrator) for name in NETWORKS]
        found = calibrated(samples, torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    narrator.say(f"kept in {save(found)}")
    return found


def _sample(name: str, narrator: Narrator) -> Sample:
    found = targets.find(name)
    module, args, kwargs = made_real(found.module, found.inputs, torch.device("cpu"))
    measured = sample(name, module.eval(), kwargs or args)
    narrator.say(f"{name}: {1000 * measured.seconds:.3g} ms, its operators alone {1000 * measured.alone:.3g} ms")
    return measured
