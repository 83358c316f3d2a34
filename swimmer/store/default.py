"""The default store: the one that the user has set, else the newest."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path

from swimmer.errors import StoreError
from swimmer.files import read_bounded, target_of, write_file
from swimmer.store.names import (
    STORE_NAME,
    StoreInfo,
    bundled_sample,
    find_store,
    readable_stores,
    user_folder,
)

FILE = "default_store.txt"
_LIMIT = 1_000


def default_store() -> Path:
    """Return the folder of the store that is searched when none is named."""
    info = default_of(readable_stores())
    return info.folder if info else bundled_sample()


def default_of(stores: Sequence[StoreInfo]) -> StoreInfo | None:
    """Return the default among some stores, None for none.

    It is the one that `set_default` has named, else the newest, the sample only where there is no
    other. The log says it when the store that was named is not there.
    """
    if name := default_name():
        for info in stores:
            if info.name == name:
                return info
        _log_missing(name)
    built = [info for info in stores if info.folder != bundled_sample()]
    made = {info.folder: info.manifest.created for info in stores if info.manifest}
    return max(built or stores, key=lambda info: made.get(info.folder, ""), default=None)


@functools.cache
def _log_missing(name: str) -> None:
    import logging

    logging.getLogger(__name__).warning(
        "the default store %s is not here, or cannot be read; the newest is taken", name
    )


def default_name() -> str:
    """Return the name that `set_default` has kept, "" for none."""
    path = user_folder() / FILE
    try:
        name = read_bounded(target_of(path), _LIMIT).decode().strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        import logging

        logging.getLogger(__name__).warning(
            "%s: cannot be read (%s); the newest store is taken", path, error
        )
        return ""
    # The file may lie in a folder that somebody sent: a path in it would lead anywhere.
    return name if re.fullmatch(STORE_NAME, name) else ""


def set_default(name: str | None) -> None:
    """Set the store that is searched when none is named; None goes back to the newest.

    Args:
        name: the name of a store, as `list_stores` gives it.

    Raises:
        StoreNotFoundError: no store has this name.
        StoreError: it is a path, or it cannot be written down.
    """
    path = user_folder() / FILE
    try:
        if name is None:
            target_of(path).unlink(missing_ok=True)
            return
        if not re.fullmatch(STORE_NAME, name):
            raise StoreError(
                f"{name[:80]!r} is not the name of a store",
                hint="give a name that `swimmer list` shows; a folder cannot be the default",
            )
        find_store(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(target_of(path), f"{name}\n".encode())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror or error})") from None
