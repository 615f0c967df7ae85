"""What a verb says while it works; the faces decide how it looks."""

from typing import Protocol


class Narrator(Protocol):
    """Listens to a verb. Every method may be called often and must be quick."""

    def stage(self, title: str) -> None:
        """A new part of the work begins."""

    def say(self, text: str) -> None:
        """Something that the person should know."""

    def warn(self, text: str) -> None:
        """Something that the person should look at."""

    def progress(self, name: str, event: dict) -> None:
        """A candidate has moved: `step`, `steps`, `score`, `train_loss`, …"""


class Silent:
    """Says nothing: the Python API's default outside a terminal."""

    def stage(self, title: str) -> None: ...

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def progress(self, name: str, event: dict) -> None: ...
