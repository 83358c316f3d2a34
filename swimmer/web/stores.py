"""The stores that the page serves: found by name, opened once, opened again when rebuilt."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import InputError, StoreError, StoreNotFoundError
from swimmer.store import (
    MANIFEST,
    SAMPLE,
    Manifest,
    StoreInfo,
    bundled_sample,
    find_store,
    list_stores,
)

if TYPE_CHECKING:
    from swimmer.store import PaperStore

OPEN_STORES = 8
LISTED_SECONDS = 1.0
"""How long the list of stores is good for: reading every manifest costs more than a search."""

Stamp = tuple[int, int, int]


class Shelf:
    """Open stores by name; any number of threads may ask at once.

    Args:
        given: folders named at the start; they are served besides those that `swimmer list`
            finds, and stand before them.

    Raises:
        InputError: two of the folders have one name.
    """

    def __init__(self, given: Sequence[Path] = ()) -> None:
        self._given: dict[str, Path] = {}
        for folder in given:
            # The name it was given by, also where that is a link to a folder of another name.
            name, folder = Path(os.path.abspath(folder)).name, folder.resolve()  # noqa: PTH100
            if self._given.setdefault(name, folder) != folder:
                raise InputError(
                    f"two of the stores are called {name}: {self._given[name]} and {folder}; serve "
                    "one of them"
                )
        self._open: dict[Path, tuple[Stamp, PaperStore]] = {}
        self._listed: tuple[float, list[StoreInfo]] = (-LISTED_SECONDS, [])
        self._lock = threading.Lock()

    def stores(self) -> list[StoreInfo]:
        """Return the stores there are, those given first."""
        with self._lock:
            when, found = self._listed
            if time.monotonic() - when < LISTED_SECONDS:
                return found
        given = [_described(name, folder) for name, folder in self._given.items()]
        found = [info for info in given if info is not None]
        found += [info for info in list_stores() if info.name not in self._given]
        with self._lock:
            self._listed = (time.monotonic(), found)
        return found

    def default(self) -> str:
        """Return the name of the store for a form that names none; "" when there is none."""
        found = [info for info in self.stores() if info.manifest is not None]
        if found and found[0].name in self._given:
            return found[0].name
        built = [info for info in found if info.folder != bundled_sample()]
        if built:
            return max(built, key=lambda info: info.manifest.created if info.manifest else "").name
        return found[0].name if found else ""

    def store(self, name: str) -> PaperStore:
        """Return an open store by name.

        Raises:
            StoreNotFoundError: there is none of this name (any more); near names are suggested.
            StoreDamagedError: it cannot be trusted.
        """
        from swimmer.store import PaperStore

        folder = self._folder(name)
        manifest = folder / MANIFEST
        with self._lock:
            held = self._open.pop(folder, None)
            try:
                found = manifest.stat()
            except OSError:
                Manifest.read(folder)
                raise
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if held is None or held[0] != stamp:
                held = (stamp, PaperStore.open(folder))
            # The one asked last stands last; the first is let go. It is not closed: another
            # thread may be reading from it, and it closes itself when the last one is done.
            self._open[folder] = held
            if len(self._open) > OPEN_STORES:
                del self._open[next(iter(self._open))]
            return held[1]

    def _folder(self, name: str) -> Path:
        if name in self._given:
            return self._given[name]
        if not name:
            raise StoreNotFoundError(
                "there is no store yet; build one with: swimmer build SOURCE --name NAME"
            )
        # Who asks over HTTP asks by name: paths are for the person who started the process.
        if Path(name).name != name or name in (".", ".."):
            raise StoreNotFoundError(f"{name[:80]!r} is not a store's name")
        try:
            return find_store(name).resolve()
        except StoreNotFoundError:
            from difflib import get_close_matches

            # Those that were given by path are not among the names that locate knows.
            if near := get_close_matches(name, self._given, n=1, cutoff=0.5):
                raise StoreNotFoundError(
                    f"no store named {name[:80]!r}; did you mean {near[0]}?"
                ) from None
            raise


def only_sample(stores: Sequence[StoreInfo]) -> bool:
    """Whether nothing was built yet: there is at most the bundled sample."""
    return all(info.name == SAMPLE for info in stores)


def _described(name: str, folder: Path) -> StoreInfo | None:
    try:
        return StoreInfo(name, folder, Manifest.read(folder))
    except StoreNotFoundError:
        return None
    except StoreError as error:
        return StoreInfo(name, folder, None, str(error))
