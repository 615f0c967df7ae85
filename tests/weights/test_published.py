"""What is said about published weights is so."""

from pathlib import Path

import torch

from netwright.design import registry
from netwright.weights import available, publishers

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "pretrained.md"


def test_the_page_lists_the_maps():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"| `{family}` | {', '.join(names)} |" for family, names in publishers().items()]
    assert publishers().keys() <= registry().families.keys()


def test_what_is_in_the_cache_comes_first(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    hub = available()
    assert len(hub) == 5 and all(name.startswith("timm/") for name in hub)
    (tmp_path / "checkpoints").mkdir()
    for name in ("alexnet-owt-7be5be79.pth", "swin_t-704ceda3.pth", "vgg16_bn-6c64b313.pth", "other-1.pth"):
        (tmp_path / "checkpoints" / name).touch()
    found = [Path(place).name for place in available()[:3]]
    assert found == ["swin_t-704ceda3.pth", "vgg16_bn-6c64b313.pth", "alexnet-owt-7be5be79.pth"]
    assert available()[3:] == hub
