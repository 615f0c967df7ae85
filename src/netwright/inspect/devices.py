"""Devices by their datasheets: arithmetic by type, memory and its bandwidth.

Peaks are dense (no sparsity), in TFLOPS (TOPS for int8), memory in GB, bandwidth in GB/s. No kernel reaches them: the
roofline takes fixed shares, which fit timm's published step times (results/benchmark-*.csv, PyTorch 1.12 and 2.4, mixed
precision) of 58 networks with large batches on two GPUs: `benchmarks/gpu_roofline.py` prints them one by one.
"""

from dataclasses import dataclass, field
from difflib import get_close_matches

from netwright.errors import InputError

ARITHMETIC = 0.6  # share of the peak in matrix products, convolutions and attention
GROUPED = 0.3  # in grouped convolutions, which fill the matrix units less
BANDWIDTH = 0.8
# (device, training) → median error, where there was something to compare with: half precision, large batches.
CHECKED = {("rtx4090", False): 0.09, ("rtx3090", True): 0.12}


@dataclass(frozen=True)
class Device:
    """What a roofline needs of it. `launch_us`: least time of an operator in eager PyTorch, the host's to start it."""

    name: str
    title: str
    memory_gb: float
    bandwidth_gb: float  # a second
    tflops: dict[str, float] = field(hash=False)
    launch_us: float
    source: str

    def peak(self, dtype: str) -> float:
        """FLOPs a second in this type; of types that the device lacks, of float32."""
        return 1e12 * self.tflops.get(dtype, self.tflops["float32"])

    @property
    def memory_bytes(self) -> int:
        return int(self.memory_gb * 1e9)


def _row(
    name: str, title: str, memory: float, bandwidth: float, fp32: float, fp16: float, bf16: float, int8: float,
    launch: float, source: str,
) -> Device:  # fmt: skip
    peaks = {"float32": fp32, "float16": fp16, "bfloat16": bf16, "int8": int8}
    return Device(
        name, title, memory, bandwidth, {dtype: peak for dtype, peak in peaks.items() if peak}, launch, source
    )


NVIDIA, AMD, JETSON = "NVIDIA's datasheet", "AMD's datasheet", "NVIDIA's Jetson datasheet"
ARM = "cores × clock × 2 × 128-bit NEON pipes, and the memory's bus"
# fp32 of GPUs with TF32 is the plain fp32 of their vector units: PyTorch's default for matrix products is not TF32.
# A 0 is a type that it lacks, or whose figure is not published.
DEVICES = {
    device.name: device
    for device in [
        #    name         title                          GB    GB/s    fp32   fp16   bf16   int8  µs
        _row("v100", "NVIDIA V100 SXM2 32 GB", 32, 900, 15.7, 125, 0, 0, 6, NVIDIA),
        _row("t4", "NVIDIA T4", 16, 320, 8.1, 65, 0, 130, 6, NVIDIA),
        _row("a10", "NVIDIA A10", 24, 600, 31.2, 125, 125, 250, 6, NVIDIA),
        _row("a100", "NVIDIA A100 SXM 80 GB", 80, 2039, 19.5, 312, 312, 624, 6, NVIDIA),
        _row("a100-40gb", "NVIDIA A100 SXM 40 GB", 40, 1555, 19.5, 312, 312, 624, 6, NVIDIA),
        _row("l4", "NVIDIA L4", 24, 300, 30.3, 121, 121, 242, 6, NVIDIA),
        _row("l40s", "NVIDIA L40S", 48, 864, 91.6, 362, 362, 733, 6, NVIDIA),
        _row("h100", "NVIDIA H100 SXM", 80, 3350, 67, 989, 989, 1979, 6, NVIDIA),
        _row("h100-pcie", "NVIDIA H100 PCIe", 80, 2000, 51, 756, 756, 1513, 6, NVIDIA),
        _row("h200", "NVIDIA H200 SXM", 141, 4800, 67, 989, 989, 1979, 6, NVIDIA),
        _row("b200", "NVIDIA B200", 180, 8000, 75, 2250, 2250, 4500, 6, NVIDIA),
        _row("rtx3060", "NVIDIA GeForce RTX 3060 12 GB", 12, 360, 12.7, 51, 51, 102, 6, NVIDIA),
        _row("rtx3090", "NVIDIA GeForce RTX 3090", 24, 936, 35.6, 71, 71, 284, 6, NVIDIA),
        _row("rtx4060", "NVIDIA GeForce RTX 4060", 8, 272, 15.1, 60, 60, 121, 6, NVIDIA),
        _row("rtx4090", "NVIDIA GeForce RTX 4090", 24, 1008, 82.6, 165, 165, 660, 6, NVIDIA),
        _row("rtx5090", "NVIDIA GeForce RTX 5090", 32, 1792, 104.8, 210, 210, 838, 6, NVIDIA),
        _row("mi250x", "AMD Instinct MI250X, one of its two dies", 64, 1638, 23.9, 191.5, 191.5, 191.5, 8, AMD),
        _row("mi300x", "AMD Instinct MI300X", 192, 5300, 163.4, 1307, 1307, 2615, 8, AMD),
        _row("m1", "Apple M1, 8-core GPU", 16, 68, 2.6, 2.6, 0, 0, 20, "Apple's specification"),
        _row("m2-max", "Apple M2 Max, 38-core GPU", 96, 400, 13.5, 13.5, 0, 0, 20, "Apple's specification"),
        _row("orin-nano", "NVIDIA Jetson Orin Nano 8 GB", 8, 68, 1.28, 10, 10, 20, 20, JETSON),
        _row("agx-orin", "NVIDIA Jetson AGX Orin 64 GB", 64, 204.8, 5.3, 42.5, 42.5, 85, 15, JETSON),
        _row("raspberry-pi-4", "Raspberry Pi 4, 4 × Cortex-A72 at 1.5 GHz", 4, 12.8, 0.048, 0, 0, 0, 30, ARM),
        _row("raspberry-pi-5", "Raspberry Pi 5, 4 × Cortex-A76 at 2.4 GHz", 8, 17.1, 0.154, 0.307, 0, 0.614, 15, ARM),
    ]
}


def device(name: str, where: str = "--device") -> Device:
    """By its name in any case, with or without hyphens; InputError with the nearest ones."""
    plain = {key.replace("-", ""): one for key, one in DEVICES.items()}
    asked = name.lower().replace("-", "").replace(" ", "").replace("_", "")
    if asked in plain:
        return plain[asked]
    near = get_close_matches(asked, plain, 3, 0.4) or list(DEVICES)
    raise InputError(
        f"there is no device {name!r} in the table",
        where=where,
        fix=f"one of {', '.join(plain[n].name if n in plain else n for n in near)}",
    )
