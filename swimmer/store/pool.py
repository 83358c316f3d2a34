"""The stores of a long-lived process: opened once, and again when they were rebuilt."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.embeddings import ModelIdentity
from swimmer.errors import InputError, StoreError, StoreNotFoundError
from swimmer.store.default import default_of
from swimmer.store.manifest import Manifest, Stamp, manifest_stamp
from swimmer.store.milvus_address import MilvusAddress
from swimmer.store.names import (
    SAMPLE,
    STORE_NAME,
    StoreInfo,
    describe_store,
    find_store,
    is_milvus,
    store_folders,
)

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore

MOST_OPEN = 8
"""Stores that are kept open; the least recently used one is dropped."""

_MOST_ALL = 100


REMOTE_SECONDS = 30.0
"""How long it is taken as known what a store on a server holds."""

REMOTE_PAUSE = 5.0
"""Seconds after which a server that did not answer is asked again."""


@dataclass(frozen=True)
class RemoteFacts:
    """What a store on a server holds, as far as `Manifest` has the same."""

    papers: int
    model: ModelIdentity
    created: str


@dataclass(frozen=True)
class RemoteInfo:
    """A store on a server as `StoreInfo` describes one in a folder."""

    name: str
    address: str
    manifest: RemoteFacts | None
    problem: str = ""


class StorePool:
    """Open stores by name; any number of threads may use it at once.

    A manifest is read again when its file was replaced: its time, size or inode differ. A store
    that was rebuilt is then opened again, and the list of stores is right at once.

    Args:
        given: folders, or addresses of stores on Milvus, named at the start; they come first,
            before the stores that `list_stores` finds.
        default: the store for callers that name none: a name, a path, or an address of Milvus; by
            default the first of those given, else the one of `default_of`.
        most_open: how many stores are kept open.

    Raises:
        InputError: two of those given have one name.
        StoreError: an address is none.
    """

    def __init__(
        self,
        given: Sequence[Path | str] = (),
        default: str | Path | None = None,
        *,
        most_open: int = MOST_OPEN,
    ) -> None:
        self._given: dict[str, Path | MilvusAddress] = {}
        for one in given:
            self._give(*_named_place(one))
        if is_milvus(default):
            default, place = _named_place(str(default))
            self._give(default, place)
        self._default = default
        self._remote: dict[str, PaperStore] = {}
        self._counted: dict[str, tuple[float, RemoteInfo]] = {}
        self._connecting = threading.Lock()
        self._most_open = most_open
        self._open: dict[Path, tuple[Stamp, PaperStore]] = {}
        self._described: dict[Path, tuple[Stamp, StoreInfo]] = {}
        self._lock = threading.Lock()

    def _give(self, name: str, place: Path | MilvusAddress) -> None:
        if (other := self._given.setdefault(name, place)) != place:
            raise InputError(
                f"two of the stores are called {name}: {_shown(other)} and {_shown(place)}",
                hint="serve one of them",
            )

    def __len__(self) -> int:
        return len(self._open)

    def stores(self) -> list[StoreInfo | RemoteInfo]:
        """Return the stores that can be named, those given first."""
        places: dict[str, Path | MilvusAddress] = dict(self._given)
        places |= {name: one for name, one in store_folders().items() if name not in places}
        found = [
            self._remote_info(name, place)
            if isinstance(place, MilvusAddress)
            else self._info(name, place)
            for name, place in places.items()
        ]
        return [info for info in found if info is not None]

    def _remote_info(self, name: str, address: MilvusAddress) -> RemoteInfo:
        """Return what a store on a server holds; it is asked now and then, not for every page."""
        with self._lock:
            held = self._counted.get(name)
        if held is not None and time.monotonic() < held[0]:
            return held[1]
        try:
            info, known = self._counted_info(name, address), REMOTE_SECONDS
        except StoreError as error:
            info, known = RemoteInfo(name, address.shown, None, error.full_text), REMOTE_PAUSE
        with self._lock:
            self._counted[name] = time.monotonic() + known, info
        return info

    def _counted_info(self, name: str, address: MilvusAddress) -> RemoteInfo:
        from swimmer.store.milvus import MilvusStore

        store = self._remote_store(name, address)
        assert isinstance(store, MilvusStore)
        facts = RemoteFacts(len(store), store.identity, store.held.created)
        return RemoteInfo(name, address.shown, facts)

    def _remote_store(self, name: str, address: MilvusAddress) -> PaperStore:
        with self._connecting:
            if name not in self._remote:
                from swimmer.store.milvus import MilvusStore

                self._remote[name] = MilvusStore.connect(address)
            return self._remote[name]

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
        default = default_of([info for info in readable if isinstance(info, StoreInfo)])
        return default.name if default else ""

    def store(self, name: str | None = None) -> PaperStore:
        """Return an open store by name, the default one without.

        A name may come from anyone: paths are for the person who started the process.

        Raises:
            StoreNotFoundError: there is none of this name; near names are in the message.
            StoreDamagedError: it is damaged.
            StoreError: it is on a server that does not answer or refuses.
        """
        folder = self._folder(name)
        if isinstance(folder, tuple):
            return self._remote_store(*folder)
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

    def _folder(self, name: str | None) -> Path | tuple[str, MilvusAddress]:
        if not name and self._default is not None and self._default not in self._given:
            return find_store(self._default).resolve()
        name = name or str(self._default or "") or self.default()
        if not name:
            raise StoreNotFoundError(
                "there is no store yet", hint="build one: swimmer build SOURCE --name NAME"
            )
        if (place := self._given.get(name)) is not None:
            return (name, place) if isinstance(place, MilvusAddress) else place
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


def _named_place(given: Path | str) -> tuple[str, Path | MilvusAddress]:
    """Return the name of what was given, and where it is."""
    if isinstance(given, str) and is_milvus(given):
        address = MilvusAddress.read(given)
        return address.collection, address
    folder = Path(given)
    # The name it was given by, also where that is a link to a folder of another name.
    return Path(os.path.abspath(folder)).name, folder.resolve()  # noqa: PTH100


def _shown(place: Path | MilvusAddress) -> str:
    return place.shown if isinstance(place, MilvusAddress) else str(place)
