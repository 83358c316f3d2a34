"""Removing a store: its own files, and nothing else that lies in its folder."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from swimmer.errors import StoreError
from swimmer.files import new_file
from swimmer.store.default import default_name, set_default
from swimmer.store.folder import LOCK, WORK, is_own_file, same_folder, writing
from swimmer.store.manifest import MANIFEST
from swimmer.store.map_file import MAP
from swimmer.store.names import STORE_NAME, bundled_sample, find_store, roots


@dataclass(frozen=True)
class RemovableStore:
    """A store that `remove_store` can remove.

    `size` counts the bytes of its files. `others` are the names of what lies in the folder and
    belongs to no store: it stays. `finished` is False for a build that was begun and not ended.
    """

    name: str
    folder: Path
    size: int
    others: tuple[str, ...]
    finished: bool


def removable_store(name: str) -> RemovableStore:
    """Return what `remove_store` would remove; nothing is changed.

    Raises:
        StoreNotFoundError: no store has this name.
        StoreError: it is a path, a link, a folder elsewhere, or the bundled sample.
    """
    if not re.fullmatch(STORE_NAME, name):
        raise StoreError(
            f"{name[:80]!r} is not the name of a store",
            hint="give a name that `swimmer list` shows; delete a folder elsewhere yourself",
        )
    folder = _folder_of(name)
    if folder.is_symlink():
        raise StoreError(f"{folder}: is a link", hint="delete the link yourself")
    if same_folder(folder, bundled_sample()):
        raise StoreError(f"{name}: is part of swimmer and cannot be removed")
    return RemovableStore(
        name,
        folder,
        sum(path.lstat().st_size for path in _own_files(folder)),
        tuple(sorted(entry.name for entry in folder.iterdir() if not _is_own(entry))),
        os.path.lexists(folder / MANIFEST),
    )


def remove_store(name: str) -> RemovableStore:
    """Delete a store, or a build that has not ended, from the folder in which stores are kept.

    Only the files of a store are deleted; the folder stays when it holds anything else. A process
    that is reading the store reads on where the system allows it (not on Windows). Papers on a
    reading list stay there. An interrupted removal goes on when it is called again.

    Raises:
        StoreNotFoundError, StoreError: as `removable_store`; or a file cannot be deleted.
        StoreBusyError: the store is being built.
    """
    found = removable_store(name)
    folder = found.folder
    with writing(folder):
        try:
            _delete(folder)
        except OSError as error:
            raise StoreError(
                f"{error.filename}: cannot be deleted ({error.strerror or error})",
                hint="close the programs that use the store, then try again",
            ) from None
        with contextlib.suppress(OSError):
            (folder / LOCK).unlink()
    with contextlib.suppress(OSError):
        # Windows deletes no file that is open.
        (folder / LOCK).unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
    if default_name() == name:
        set_default(None)
    return found


def _folder_of(name: str) -> Path:
    folders = [root / name for root in roots()]
    for folder in folders:
        if os.path.lexists(folder / MANIFEST) or folder.is_symlink():
            return folder
    for folder in folders:
        if folder.is_dir() and any(_own_files(folder)):
            return folder
    found = find_store(name)
    if same_folder(found, bundled_sample()):
        return found
    raise StoreError(
        f"{found}: is not in a folder in which stores are kept", hint="delete it yourself"
    )


def _delete(folder: Path) -> None:
    # Without its manifest the folder is no store. It is put back when nothing else was deleted.
    aside = new_file(folder, MANIFEST) if os.path.lexists(folder / MANIFEST) else None
    if aside is not None:
        (folder / MANIFEST).replace(aside)
    deleted = False
    try:
        for path in list(_own_files(folder)):
            if path != aside and path.name != LOCK:
                path.unlink(missing_ok=True)
                deleted = True
    except OSError:
        if aside is not None and not deleted:
            aside.replace(folder / MANIFEST)
        raise
    if aside is not None:
        aside.unlink()
    with contextlib.suppress(OSError):
        (folder / WORK).rmdir()


def _own_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a store, those of an unfinished build among them, the papers first."""
    for path in sorted(folder.iterdir(), reverse=True):
        if _is_own(path):
            if path.name == WORK and _is_folder(path):
                yield from (one for one in path.iterdir() if not _is_folder(one))
            else:
                yield path


def _is_own(path: Path) -> bool:
    if path.name == WORK:
        return True
    named = path.name in (MANIFEST, LOCK, MAP) or is_own_file(path.name)
    return named and not _is_folder(path)


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)
