"""How often Python looks for garbage while a store is built."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

_MADE = 50_000
"""Objects that are made before the next look; Python's own measure is 700, or 2,000."""


@contextlib.contextmanager
def rare_collections() -> Iterator[None]:
    """Look for garbage less often: a build keeps most of what it makes, and makes no cycles.

    A collector that is off, or that looks more rarely already, is left as it is.
    """
    before = gc.get_threshold()
    if 0 < before[0] < _MADE:
        gc.set_threshold(_MADE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
