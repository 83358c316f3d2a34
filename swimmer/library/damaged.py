"""A file of the user that cannot be read: kept under another name, never overwritten."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from swimmer.errors import StoreError


def set_aside(path: Path, reason: Exception) -> Path:
    """Rename a damaged file to `NAME.damaged-TIME`; return its new path.

    Raises:
        StoreError: it cannot be renamed.
    """
    when = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
    aside = path.with_name(f"{path.stem}.damaged-{when}{path.suffix}")
    try:
        path.replace(aside)
    except OSError as error:
        raise StoreError(
            f"{path}: is damaged ({reason}) and cannot be renamed ({error.strerror})"
        ) from None
    return aside
