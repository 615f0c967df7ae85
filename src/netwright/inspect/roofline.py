"""The time of work that is not run: an operator takes the longest of its arithmetic, its bytes, and the host's time to
start it, by a device's datasheet; or as this machine's calibration says.
"""

from netwright.errors import InputError
from netwright.inspect.blueprint import Blueprint
from netwright.inspect.calibration import Calibration
from netwright.inspect.devices import ARITHMETIC, BANDWIDTH, CHECKED, GROUPED, Device
from netwright.inspect.figure import Figure
from netwright.inspect.operators import Operator


def estimate(blueprint: Blueprint, target: Device) -> None:
    """By the roofline of a device's datasheet, for each row and the whole."""
    rows = [0.0] * len(blueprint.rows)
    total = 0.0
    for operator in blueprint.operators:
        seconds = roofline(operator, target)
        total += seconds
        if operator.phase == "forward":
            rows[operator.row] += seconds
    _roll_up(blueprint, rows)
    error = _expected_error(blueprint, target)
    checked = "checked against published times" if error is not None else "not checked for this device and use"
    how = f"estimated for {target.title} (roofline of its datasheet, {checked})"
    blueprint.latency = Figure(1000 * total, "ms", how, error)
    if blueprint.peak_memory > target.memory_bytes:
        needed = f"{blueprint.peak_memory / 1e9:,.0f} GB of {target.memory_gb:g} GB"
        blueprint.notes.append(f"does not fit {target.title}: {needed}")


def _expected_error(blueprint: Blueprint, target: Device) -> float | None:
    """What was published is of half precision and of batches so large that no kernel waits for the host."""
    time: dict[bool, float] = {True: 0.0, False: 0.0}
    for operator in blueprint.operators:
        half = operator.dtype in ("float16", "bfloat16")
        seconds = roofline(operator, target)
        time[half and seconds > 1.001e-6 * target.launch_us * operator.calls] += seconds
    like_those = time[True] > 0.5 * sum(time.values())  # of the published networks Twins has least, two thirds
    return CHECKED.get((target.name, blueprint.train)) if like_those else None


def roofline(operator: Operator, target: Device) -> float:
    """Seconds of all its calls."""
    share = GROUPED if operator.kind == "grouped convolution" else ARITHMETIC
    arithmetic = 2 * operator.macs / (share * target.peak(operator.dtype))
    moving = operator.bytes / (BANDWIDTH * 1e9 * target.bandwidth_gb)
    return operator.calls * max(arithmetic, moving, 1e-6 * target.launch_us)


def _roll_up(blueprint: Blueprint, seconds: list[float]) -> None:
    """A row's time is that of everything under it."""
    for index in range(len(blueprint.rows) - 1, -1, -1):
        row = blueprint.rows[index]
        row.latency_ms = 1000 * seconds[index]
        if row.parent is not None:
            seconds[row.parent] += seconds[index]


def by_calibration(blueprint: Blueprint, known: Calibration) -> Figure:
    """A forward on this machine from its work alone: nothing is run, for searches over thousands."""
    work = [operator for operator in blueprint.operators if operator.phase == "forward"]
    if not known.rates:
        raise InputError("this machine was never calibrated", where="calibration", fix="run netwright calibrate")
    how = f"estimated (roofline of this machine, fitted on {known.networks} networks)"
    return Figure(1000 * known.of_work(work), "ms", how, known.rates_error)
