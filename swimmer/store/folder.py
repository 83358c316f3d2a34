"""The folder of a store: one writer at a time, files that appear whole, old ones swept away."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from swimmer.errors import (
    REBUILD,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
)
from swimmer.files import NotPlainFileError, check_own, flush_to_disk, size_of
from swimmer.store.manifest import DataFile, Manifest

LOCK = ".lock"

WORK = ".build"
"""The folder of an unfinished build, inside that of the store."""

_OURS = re.compile(
    r"papers-[0-9a-f]{12}\.sqlite(-journal)?|index-[0-9a-f]{12}\.faiss"
    r"|\.(papers|index|map(\.safetensors)?|manifest\.json)\.[0-9a-f]+\.tmp(-journal)?"
)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the one writer of a folder, which is created when it is missing.

    Raises:
        StoreBusyError: another process is writing there.
        StoreDamagedError: the lock of the folder is a link, or no file at all.
        StoreError: the folder cannot be created or written.
    """
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_own(folder / LOCK)
        lock = FileLock(folder / LOCK, is_singleton=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreBusyError(
            f"{folder}: another process is writing to this store",
            hint="wait until it has ended, then try again",
        ) from None
    except NotPlainFileError as error:
        raise StoreDamagedError(
            f"{folder / LOCK}: {error.strerror}", hint="delete this file"
        ) from None
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror or error})",
            hint="choose another folder with --name PATH, or set SWIMMER_HOME",
        ) from None
    try:
        yield
    finally:
        lock.release()


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check that the data files of a store are there, and as long as its manifest says.

    Raises:
        FileNotFoundError: one is missing.
        StoreDamagedError: one has another size, or is a link, which may lead out of the folder.
    """
    for file in (manifest.database, manifest.index):
        try:
            size = size_of(folder / file.name)
        except NotPlainFileError as error:
            raise StoreDamagedError(
                f"{folder / file.name}: {error.strerror}", hint=REBUILD
            ) from None
        # A mapped file that is shorter than its header says kills the process at the first read.
        if size != file.size:
            raise StoreDamagedError(
                f"{folder / file.name}: has {size} bytes, the manifest says {file.size}",
                hint=REBUILD,
            )


def settle(draft: Path, pattern: str) -> DataFile:
    """Flush a finished draft, and give it the name that carries its digest."""
    flush_to_disk(draft)
    file = DataFile.of(draft)
    name = pattern.format(file.sha256[:12])
    draft.replace(draft.with_name(name))
    return DataFile(name, file.size, file.sha256)


def is_own_file(name: str) -> bool:
    """Return whether a file of this name in a store's folder is a data file or draft of swimmer."""
    return _OURS.fullmatch(name) is not None


def sweep(folder: Path) -> None:
    """Remove data files and drafts that the manifest does not name."""
    try:
        manifest = Manifest.read(folder)
        keep = {manifest.database.name, manifest.index.name}
    except StoreNotFoundError:
        keep = set()
    except StoreError:
        # A manifest that the disk does not give back now may name any of the files.
        return
    for path in folder.iterdir():
        if path.name not in keep and is_own_file(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def same_folder(a: Path, b: Path) -> bool:
    """Return whether two paths lead to one folder; False when one of them is not there."""
    try:
        return a.samefile(b)
    except OSError:
        return False
