"""A budget for a network, "params=5M,memory=200MB", or against another one, "params=+5%,macs=+0"."""

from decimal import Decimal, InvalidOperation

from netwright.design import Budget
from netwright.design.errors import DesignError, unknown_name
from netwright.design.quantity import parse
from netwright.errors import InputError
from netwright.inspect import Blueprint

# limit → what it is of, and how it is written
FIGURES = {
    "params": ("params", "count"),
    "macs": ("macs", "count"),
    "flops": ("flops", "count"),
    "memory": ("peak_memory", "bytes"),
    "size": ("weights_bytes", "bytes"),
}


def over_budget(blueprint: Blueprint, budget: str) -> list[str]:
    """What exceeds "params=5M,macs=5G,flops=10G,memory=100MB,size=20MB,latency=5ms", in words; InputError where it is
    no budget."""
    limits: dict[str, str] = {}
    for part in budget.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            raise DesignError(f"{part!r} is no limit", where="--budget", allowed="params=5M,memory=100MB")
        limits[name.strip()] = value.strip()
    most_macs = parse(limits.pop("macs"), "count", "--budget.macs") if "macs" in limits else None
    allowed = Budget.parse(where="--budget", **limits)
    counted: dict[str, float] = {
        "params": blueprint.params,
        "flops": blueprint.flops,
        "memory_bytes": blueprint.peak_memory,
        "size_bytes": blueprint.weights_bytes,
    }
    if "time" in limits:
        raise DesignError("time is that of a design's training", where="--budget", allowed=", ".join(counted))
    if "latency" in limits and blueprint.latency is None:
        raise InputError("a limit of latency needs a device", where="--budget", fix="add --device here, or its name")
    if blueprint.latency is not None:
        counted["latency_ms"] = blueprint.latency.value
    found = [(name, value, getattr(allowed, name)) for name, value in counted.items()]
    found.insert(1, ("macs", blueprint.macs, most_macs))
    return [
        f"{name.partition('_')[0]}: {value:,.10g}{' ms' if name == 'latency_ms' else ''} of {most:,.10g} allowed"
        for name, value, most in found
        if most is not None and value > most
    ]


def over_limits(right: Blueprint, left: Blueprint, budget: str) -> list[str]:
    """What of the right network exceeds the budget, in words; InputError where it is no budget.

    A limit with a sign is relative to the left network: +5%, +100k, +0, -10% (at least a tenth less).
    """
    parts = [part.strip() for part in budget.split(",")]
    signed = [part for part in parts if part.partition("=")[2].strip()[:1] in ("+", "-", "−")]
    plain = [part for part in parts if part not in signed]
    over = over_budget(right, ",".join(plain)) if plain else []
    for part in signed:
        name, _, value = (one.strip() for one in part.partition("="))
        if name not in FIGURES:
            raise unknown_name(name, FIGURES, what="limit against another network", where="--budget")
        attribute, kind = FIGURES[name]
        before, now = getattr(left, attribute), getattr(right, attribute)
        most = before + _more(value, kind, before, name)
        if now > most:
            over.append(f"{name}: {now:,}, {value} on {before:,} allows {int(most):,}")
    return over


def _more(value: str, kind: str, before: int, name: str) -> Decimal:
    """What a signed limit allows above (or below) the figure before."""
    sign, amount = (1 if value[0] == "+" else -1), value[1:].strip()
    where = f"--budget.{name}"
    if amount.endswith("%"):
        try:
            share = Decimal(amount[:-1].strip())
        except InvalidOperation:
            raise DesignError(f"{value!r} is no share", where=where, value=value, allowed="+5%, -10%") from None
        if not share.is_finite() or share < 0:
            raise DesignError(f"{value!r} is no share", where=where, value=value, allowed="+5%, -10%")
        return sign * before * share / 100
    return sign * Decimal(0 if amount == "0" else parse(amount, kind, where))
