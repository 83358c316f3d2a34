"""How long work tells its caller how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far work is: the stage in one word, the units done, and their total if known."""

    def __call__(self, stage: str, done: int, total: int | None, /) -> None:
        """Take note."""
        ...
