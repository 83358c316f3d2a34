"""A store under faults of the disk: full, failing, read-only, and a power cut: old or new."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from swimmer import build_store, files, open_store
from swimmer.errors import SwimmerError
from swimmer.retrieval import ask

from ..models import HashEmbeddings
from . import stores
from .runner import Campaign, Failure

_OLD, _NEW = 30, 45
_CALLS = ("fsync", "replace", "rename", "unlink", "open", "mkdir")
_ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES)


class Disk(Campaign):
    """An update meets one fault of the disk; then the folder is read and brought up to date."""

    name = "disk"
    about = "a full, failing or read-only disk, and power cuts: the old store or the new"

    def prepare(self) -> None:
        stores.flat(self.work / "old", _OLD)

    def trial(self, chance: random.Random, folder: Path) -> None:
        store = folder / "store"
        shutil.copytree(self.work / "old", store)
        fault = chance.choice([self.full, self.failing, self.cut, self.cut, self.unreadable])
        after = fault(chance, store)
        state = state_of(after)
        update(after)
        if state_of(after) != "new":
            raise Failure(
                f"{fault.__name__}: the store was {state}, and did not become the new one"
            )

    def full(self, chance: random.Random, store: Path) -> Path:
        """No file may grow beyond a limit: the writes of SQLite and FAISS fail as well."""
        limit = chance.choice([0, 1000, 10_000, 60_000, chance.randrange(400_000)])
        in_a_child(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), store)
        return store

    def failing(self, chance: random.Random, store: Path) -> Path:
        """The n-th call of a kind fails, and perhaps all after it."""
        name, error = chance.choice(_CALLS), chance.choice(_ERRORS)
        left, ever = chance.randrange(25), chance.random() < 0.5
        real = getattr(os, name)

        def failing(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            # Reading a file that is there goes on.
            reads = name == "open" and not arguments[1] & (os.O_CREAT | os.O_RDWR | os.O_WRONLY)
            if not reads and (left == 0 or (ever and left < 0)):
                raise OSError(error, os.strerror(error), str(arguments[0]))
            return real(*arguments, **options)

        in_a_child(lambda: setattr(os, name, failing), store)
        return store

    def unreadable(self, chance: random.Random, store: Path) -> Path:
        """Reading ends in an error of the disk somewhere."""
        left = chance.randrange(8)
        real = files.open_plain

        class Failing:
            def __init__(self, stream: BinaryIO) -> None:
                self._stream = stream

            def read(self, *arguments: int) -> bytes:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

            def __getattr__(self, name: str) -> Any:
                return getattr(self._stream, name)

            def __enter__(self) -> Failing:
                return self

            def __exit__(self, *_: object) -> None:
                self._stream.close()

        def opened(path: Path) -> Any:
            nonlocal left
            left -= 1
            return Failing(real(path)) if left < 0 else real(path)

        def begin() -> None:
            files.open_plain = opened

        in_a_child(begin, store)
        in_a_child(begin, store, read)
        return store

    def cut(self, chance: random.Random, store: Path) -> Path:
        """The power fails: what was not flushed is lost, or is there in part, or whole."""
        after = store.with_name("after")
        PowerCut(chance, store, after).run()
        if not after.exists():
            return store
        return after


class PowerCut:
    """Follows what is flushed to the disk, and leaves what a power cut might leave of a folder."""

    def __init__(self, chance: random.Random, store: Path, after: Path) -> None:
        self.chance, self.store, self.after = chance, store, after
        self.left = chance.randrange(40)
        self.names = self.listing()
        self.contents = {inode: self.content(name) for name, inode in self.names.items()}

    def listing(self) -> dict[str, int]:
        """Return the files of the folder by name, as inodes."""
        with os.scandir(self.store) as entries:
            return {e.name: e.inode() for e in entries if e.is_file(follow_symlinks=False)}

    def content(self, name: str) -> bytes:
        return (self.store / name).read_bytes()

    def run(self) -> None:
        """Update the store in a child that ends at a random moment."""

        def begin() -> None:
            for name in ("fsync", "replace", "rename", "unlink"):
                setattr(os, name, self.followed(name, getattr(os, name)))

        in_a_child(begin, self.store)

    def followed(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self.happen()
            result = real(*arguments, **options)
            if name == "fsync":
                self.flushed(arguments[0])
            return result

        return call

    def flushed(self, descriptor: int) -> None:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            if found.st_ino == self.store.stat().st_ino:
                self.names = self.listing()
        else:
            self.contents[found.st_ino] = os.pread(descriptor, found.st_size, 0)

    def happen(self) -> None:
        now = self.listing()
        self.after.mkdir()
        for name in sorted({*now, *self.names}):
            inode = self.chance.choice([now.get(name), self.names.get(name)])
            if inode is None:
                continue
            lying = next((n for n, i in now.items() if i == inode), None)
            current = self.content(lying) if lying is not None else b""
            kept = self.contents.get(inode)
            if kept is None or (lying is not None and kept != current):
                part = current[: self.chance.randrange(len(current) + 1)]
                kept = self.chance.choice([current, part, bytes(len(current)), kept or b""])
            (self.after / name).write_bytes(kept)
        os._exit(0)


def update(store: Path) -> None:
    """Bring a store to its new state."""
    build_store(stores.papers(_NEW), store, model=HashEmbeddings(8), prune=True).close()


def read(store: Path) -> None:
    """Ask a store."""
    with open_store(store) as opened:
        ask(opened, [stores.papers(1)[0].title], 5)
        opened.verify()


def in_a_child(
    begin: Callable[[], object], store: Path, work: Callable[[Path], None] = update
) -> None:
    """Do something after `begin` in a process of its own; only an error in words may come of it."""
    child = os.fork()
    if not child:
        code = 1
        try:
            begin()
            work(store)
            code = 0
        except SwimmerError:
            code = 0
        finally:
            if code:
                import traceback

                with open(store.parent / "traceback", "w") as out:
                    traceback.print_exc(file=out)
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if status:
        told = store.parent / "traceback"
        last = told.read_text().splitlines()[-6:] if told.exists() else []
        raise Failure(f"status {status} {' | '.join(last)}")


def state_of(folder: Path) -> str:
    """Return `old` or `new`; anything else is a failure."""
    with open_store(folder) as store:
        store.model(HashEmbeddings(8))
        if problems := store.verify():
            raise Failure(f"verify: {problems}")
        held = {paper.id for paper in store}
    for state, count in (("old", _OLD), ("new", _NEW)):
        if held == {paper.id for paper in stores.papers(count)}:
            return state
    raise Failure(f"{len(held)} papers, neither the old nor the new ones")
