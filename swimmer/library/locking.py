"""A file of the user that one process at a time writes to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from swimmer.errors import StoreError

LOCK_SECONDS = 10.0


@contextlib.contextmanager
def writing_alone(path: Path, hint: str = "") -> Iterator[None]:
    """Hold the lock beside a file of the user while it is written; its folder is made.

    Args:
        path: the file.
        hint: what to add to the hint where it cannot be written.

    Raises:
        StoreError: another process has been writing for LOCK_SECONDS, or the disk refuses.
    """
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise StoreError(
            f"{path}: another process has been writing to it for {LOCK_SECONDS:.0f} seconds",
            hint="try again",
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be written ({error.strerror or error})",
            hint=f"make room, or check the rights of the folder{hint}",
        ) from None
