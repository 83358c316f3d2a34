"""Arguments that LangChain passes on: those that are known, and the error for a misspelt one."""

from __future__ import annotations

import difflib
from typing import Any

from swimmer.errors import QueryError


def refuse_unknown(unknown: dict[str, Any], *known: str) -> None:
    """Raise QueryError for a misspelt argument, which LangChain's own stores ignore."""
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
        raise QueryError(f"unknown argument {name!r:.60}; {hint}")


def checked_batch_size(value: object) -> int | None:
    """Return a batch size, or raise QueryError when it is no whole number above 0, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise QueryError(f"batch_size is a whole number from 1, got {value!r:.40}")
    return value
