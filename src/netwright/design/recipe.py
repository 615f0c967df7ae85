"""Recipe: how a network is trained, as plain data."""

from dataclasses import dataclass, field
from typing import Any, Literal

from netwright.design.errors import DesignError, at, show
from netwright.design.section import check_fields, read_section, section_data
from netwright.design.spec import Spec


@dataclass(frozen=True)
class Recipe:
    """One training. Dropout and drop path are the model's.

    steps: of `batch_size` samples · warmup_fraction: of the steps, linearly up from 0 to `lr`, then a cosine
    down to `final_lr_fraction` of it · mixup: α of its Beta distribution, 0 = none · clip_norm: of the whole
    gradient · ema_decay: weight averaging, None = none · augment: names, or {name: {arguments}} ·
    loss: None = the task's own · patience: evaluations without gain before it stops, None = never ·
    eval_every: steps between evaluations, None = about thirty a run.

    weights: where training begins: a file or hub id of published weights, None = at random · probe: the share of
    the steps, from the first, in which only the classifier learns; 1 = all of them · first_layer_lr: the first
    layer's rate relative to the last one's, those between geometrically.
    """

    optimizer: Literal["adamw"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    batch_size: int = 128
    steps: int = 1000
    warmup_fraction: float = 0.05
    final_lr_fraction: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    clip_norm: float | None = 1.0
    ema_decay: float | None = None
    augment: list[Any] = field(default_factory=list)
    precision: Literal["fp32", "bf16"] = "fp32"
    loss: str | None = None
    seed: int = 0
    patience: int | None = None
    eval_every: int | None = None
    weights: str | None = None
    probe: float = 0.0
    first_layer_lr: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, "recipe")
        where = "recipe.augment"
        if not isinstance(self.augment, list | tuple):
            allowed = "a list of names or {name: {arguments}}"
            raise DesignError(f"{show(self.augment)} is not allowed", where=where, allowed=allowed)
        named = [Spec.from_data(a, at(where, i)).to_data() for i, a in enumerate(self.augment)]
        object.__setattr__(self, "augment", named)

    @classmethod
    def from_data(cls, data: Any, where: str = "recipe") -> "Recipe":
        return read_section(cls, data, where)

    def to_data(self) -> dict[str, Any]:
        return section_data(self)
