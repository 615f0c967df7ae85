"""What is wrong in a design, with what every message says: path, value, what is allowed, the nearest name."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from netwright.errors import InputError


class DesignError(InputError):
    """A Spec, Design, Brief or Recipe that can't be used.

    `path` is the place in the YAML (`model.vit.mixer.attention.num_heads`), `value` what stands there,
    `allowed` what may stand there in words, `nearest` the right name that is most like the one given.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        fix: str = "",
        value: Any = None,
        allowed: str = "",
        nearest: str | None = None,
    ):
        self.path, self.value, self.allowed, self.nearest = where, value, allowed, nearest
        if not fix and nearest:
            fix = f"did you mean {nearest}?"
        elif not fix and allowed:
            fix = f"allowed: {allowed}"
        super().__init__(what, where=where, fix=fix)


def unknown_name(
    name: Any, known: Iterable[str], *, what: str, where: str, listed: Iterable[str] | None = None
) -> DesignError:
    """The error for a name that nobody has: the nearest right one if there is one, and what there is.

    `listed` are the names that the message lists, where `known` are too many.
    """
    names = list(known)
    found = nearest(str(name), names)
    allowed = ", ".join(names if listed is None else listed) or "nothing"
    fix = f"did you mean {found}? Allowed: {allowed}" if found else f"allowed: {allowed}"
    text = f"{show(name)} is no {what}"
    return DesignError(text, where=where, fix=fix, value=name, allowed=allowed, nearest=found)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like this one (case, `_`, `-` and `:` don't count), or None if none is like it."""
    by_key = {plain_name(k): k for k in known}
    key = plain_name(name[:80])
    close = difflib.get_close_matches(key, by_key, n=1, cutoff=0.6)
    if not close and len(key) >= 3:  # `attn_heads` → `num_heads`, `drop` → `dropout`: a part of the name is right
        close = sorted((k for k in by_key if key in k or (len(k) >= 4 and k in key)), key=len)
    return by_key[close[0]] if close else None


def plain_name(name: str) -> str:
    """A name as look-ups compare it: `Tabular-ResNet`, `tabular_resnet` and `tabularresnet` are one."""
    return re.sub(r"[\s_:-]", "", name).lower()


def show(value: Any) -> str:
    """A value as a message quotes it: short, and safe for any object."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > 256:  # Python refuses to print the longest
        return f"a whole number of {value.bit_length()} bits"
    try:
        text = repr(value)
    except Exception:  # a foreign object's repr may do anything
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "…"


def at(path: str, key: Any) -> str:
    """The path one step further: `model` and `vit` → `model.vit`; a whole number is an index in a list."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{str(key)[:60]}" if path else str(key)[:60]
