"""The stores of a long-lived process: opened once, and again when they were rebuilt."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import InputError, StoreNotFoundError
from swimmer.store.default import default_of
from swimmer.store.manifest import Manifest, Stamp, manifest_stamp
from swimmer.store.names import (
    SAMPLE,
    STORE_NAME,
    StoreInfo,
    describe_store,
    find_store,
    store_folders,
)

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore

MOST_OPEN = 8
"""Stores that are kept open; the least recently used one is dropped."""

_MOST_ALL = 100


class StorePool:
    """Open stores by name; any number of threads may use it at once.

    A manifest is read again when its file was replaced: its time, size or inode differ. A store
    that was rebuilt is then opened again, and the list of stores is right at once.

    Args:
        given: folders named at the start; they come first, before the stores that
            `list_stores` finds.
        default: the store for callers that name none, a name or a path; by default the first of
            those given, else the one of `default_of`.
        most_open: how many stores are kept open.

    Raises:
        InputError: two of the folders have one name.
    """

    def __init__(
        self,
        given: Sequence[Path] = (),
        default: str | Path | None = None,
        *,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._given: dict[str, Path] = {}
        for folder in given:
            # The name it was given by, also where that is a link to a folder of another name.
            name, folder = Path(os.path.abspath(folder)).name, folder.resolve()  # noqa: PTH100
            if self._given.setdefault(name, folder) != folder:
                raise InputError(
                    f"two of the stores are called {name}: {self._given[name]} and {folder}",
                    hint="serve one of them",
                )
        self._default = default
        self._most_open = most_open
        self._open: dict[Path, tuple[Stamp, PaperStore]] = {}
        self._described: dict[Path, tuple[Stamp, StoreInfo]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def stores(self) -> list[StoreInfo]:
        """Return the stores that can be named, those given first."""
        folders = self._given | {
            name: folder for name, folder in store_folders().items() if name not in self._given
        }
        found = [self._info(name, folder) for name, folder in folders.items()]
        return [info for info in found if info is not None]

    def _info(self, name: str, folder: Path) -> StoreInfo | None:
        stamp = manifest_stamp(folder)
        if stamp is None:
            # A folder that was given may be gone; one that was found has a manifest, if a bad one.
            return None if name in self._given else describe_store(name, folder)
        with self._lock:
            held = self._described.get(folder)
        if held is None or held[0] != stamp or held[1].name != name:
            held = stamp, describe_store(name, folder)
            with self._lock:
                self._described[folder] = held
        return held[1]

    def default(self) -> str:
        """Return the name of the store for a caller that names none; "" when there is none."""
        readable = [info for info in self.stores() if info.manifest is not None]
        if readable and readable[0].name in self._given:
            return readable[0].name
        default = default_of(readable)
        return default.name if default else ""

    def store(self, name: str | None = None) -> PaperStore:
        """Return an open store by name, the default one without.

        A name may come from anyone: paths are for the person who started the process.

        Raises:
            StoreNotFoundError: there is none of this name; near names are in the message.
            StoreDamagedError: it is damaged.
        """
        folder = self._folder(name)
        with self._lock:
            held = self._open.pop(folder, None)
            stamp = manifest_stamp(folder)
            if stamp is None:
                Manifest.read(folder)
                raise StoreNotFoundError(f"{folder}: its manifest was removed")
            if held is None or held[0] != stamp:
                # numpy and FAISS are loaded by the first search, not by the start of a server.
                from swimmer.store.store import PaperStore

                # A store of the pool is replaced as a whole, so that a page shows one state.
                held = stamp, PaperStore.open(folder, refresh=False)
            self._open[folder] = held
            # The dropped store is not closed: another thread may be reading from it. It closes
            # itself when the last reader is done.
            if len(self._open) > self._most_open:
                del self._open[next(iter(self._open))]
            return held[1]

    def all(self) -> list[PaperStore]:
        """Return all stores that can be read but the sample, open: the default one first.

        Raises:
            StoreNotFoundError: there is none.
        """
        default = self.store()
        names = [info.name for info in self.stores() if info.manifest is not None]
        left_out = (default.name, SAMPLE)
        others = [self.store(name) for name in names[:_MOST_ALL] if name not in left_out]
        return [default, *others]

    def _folder(self, name: str | None) -> Path:
        if not name and self._default is not None:
            return find_store(self._default).resolve()
        name = name or self.default()
        if not name:
            raise StoreNotFoundError(
                "there is no store yet", hint="build one: swimmer build SOURCE --name NAME"
            )
        if name in self._given:
            return self._given[name]
        if not re.fullmatch(STORE_NAME, name):
            raise StoreNotFoundError(
                f"{name[:80]!r} is not a store's name", hint="list your stores with: swimmer list"
            )
        try:
            return find_store(name).resolve()
        except StoreNotFoundError:
            from difflib import get_close_matches

            # Stores that were given by path are not among the names that find_store suggests.
            if near := get_close_matches(name, self._given, n=1, cutoff=0.5):
                raise StoreNotFoundError(
                    f"no store named {name[:80]!r}", hint=f"did you mean {near[0]}?"
                ) from None
            raise
