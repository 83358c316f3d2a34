"""Stores packed into one file, to hand on."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from swimmer.errors import InputError, StoreDamagedError, StoreError
from swimmer.files import (
    NotPlainFileError,
    open_plain,
    read_bounded,
    replacing,
    target_of,
)
from swimmer.progress import Progress
from swimmer.store.default import default_store
from swimmer.store.inspection import model_notes
from swimmer.store.manifest import MANIFEST, DataFile, Manifest
from swimmer.store.map_file import MAP, KeptMap
from swimmer.store.names import STORE_NAME, find_store
from swimmer.store.pack_format import (
    COMMENT,
    ENDING,
    MANIFEST_LIMIT,
    MAP_LIMIT,
    PackedStore,
    copied,
    digest_of_stream,
)

# The date that all members have, so that one state of a store is always packed to the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_ATTEMPTS = 3


def pack_store(
    store: str | Path | None = None,
    output: str | Path | None = None,
    *,
    progress: Progress | None = None,
) -> PackedStore:
    """Write a store to one file.

    Args:
        store: a name, or the path of a folder; the default store without one.
        output: the file; by default `NAME.swimmer.zip` in the working folder. It is replaced.
        progress: told how many bytes of the store were read.

    Raises:
        StoreNotFoundError: there is no such store.
        StoreDamagedError: its files are not those that its manifest names.
        InputError: the file cannot be written.
    """
    folder = default_store() if store is None else find_store(store)
    name = folder.resolve().name
    if not re.fullmatch(STORE_NAME, name):
        raise StoreError(
            f"{name[:80]!r} cannot be a store's name",
            hint="rename the folder: letters, digits, '-', '_', '.'",
        )
    path = Path(output).expanduser() if output else Path(f"{name}{ENDING}")
    with contextlib.ExitStack() as opened:
        manifest, members = _opened(folder, opened)
        try:
            with replacing(target_of(path)) as stream:
                _write(stream, name, members, progress)
        except OSError as error:
            raise InputError(
                f"{path}: cannot be written ({error.strerror or error})",
                hint="choose another file with -o",
            ) from None
    return PackedStore(name, path, manifest.papers, tuple(model_notes(manifest)))


Member = tuple[str, BinaryIO, DataFile]
"""The name of a member, its content, and what the content must be."""


def _opened(folder: Path, opened: contextlib.ExitStack) -> tuple[Manifest, list[Member]]:
    """Open the files of one state of a store, which a writer may be replacing."""
    for attempt in range(_ATTEMPTS):
        content = _manifest_of(folder)
        manifest = Manifest.read(folder)
        try:
            files = [
                (file.name, opened.enter_context(open_plain(folder / file.name)), file)
                for file in (manifest.database, manifest.index)
            ]
        except FileNotFoundError as error:
            if attempt == _ATTEMPTS - 1:
                raise StoreDamagedError(f"{error.filename}: is missing") from None
            continue
        except NotPlainFileError as error:
            raise StoreDamagedError(f"{error.filename}: {error.strerror}") from None
        if content != _manifest_of(folder):
            continue
        small = [(MANIFEST, content), *((MAP, kept) for kept in _map_of(folder, manifest))]
        return manifest, [*(_in_memory(name, content) for name, content in small), *files]
    raise StoreError(f"{folder}: is being rebuilt over and over", hint="try again")


def _manifest_of(folder: Path) -> bytes:
    try:
        return read_bounded(folder / MANIFEST, MANIFEST_LIMIT)
    except (OSError, ValueError):
        # Read again, it says what is wrong.
        Manifest.read(folder)
        raise


def _map_of(folder: Path, manifest: Manifest) -> Iterator[bytes]:
    """Yield the map of a store, where it has one that belongs to it."""
    with contextlib.suppress(FileNotFoundError, StoreDamagedError, OSError, ValueError):
        if KeptMap.read(folder / MAP).belongs_to(manifest):
            yield read_bounded(folder / MAP, MAP_LIMIT)


def _in_memory(name: str, content: bytes) -> Member:
    file = DataFile(name, len(content), hashlib.sha256(content).hexdigest())
    return name, io.BytesIO(content), file


def _write(
    stream: BinaryIO, name: str, members: Sequence[Member], progress: Progress | None
) -> None:
    total = sum(file.size for _, _, file in members)
    done = 0
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content, file in members:
            info = zipfile.ZipInfo(f"{name}/{member}", _DATE)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            info.file_size = file.size
            with archive.open(info, "w") as out:
                for size in copied(content, out, file):
                    if progress is not None:
                        progress("packing", done + size, total)
            done += file.size
        archive.comment = COMMENT + b"0" * 64
    stream.flush()
    end = stream.seek(-64, os.SEEK_END)
    stream.seek(0)
    digest = digest_of_stream(stream, end - len(COMMENT))
    stream.seek(end)
    stream.write(digest.encode())
