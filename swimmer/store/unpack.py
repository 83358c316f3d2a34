"""Stores made of packed files, of which nothing is believed."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from swimmer.errors import InputError, StoreDamagedError, StoreError, SwimmerError
from swimmer.files import (
    flush_to_disk,
    kind_of,
    open_plain,
    target_of,
)
from swimmer.progress import Progress
from swimmer.store.folder import LOCK, sweep, writing
from swimmer.store.inspection import inspect_folder
from swimmer.store.manifest import MANIFEST, Manifest
from swimmer.store.map_file import MAP, KeptMap
from swimmer.store.names import STORE_NAME, target_folder
from swimmer.store.pack_format import (
    BLOCK,
    COMMENT,
    COMMENT_SIZE,
    MANIFEST_LIMIT,
    MAP_LIMIT,
    PackedStore,
    copied,
    digest_of_stream,
)
from swimmer.store.store import PaperStore

MOST_TIMES_LARGER = 200
"""How many times larger than the archive its files may be: those of real stores are 2 to 5."""

_END = struct.Struct("<4s4H2LH")
_TAIL = _END.size + COMMENT_SIZE
_MOST_MEMBERS = 4
# Room for what every store has: a database of few papers is mostly empty pages.
_FREE = 16 << 20
_MEMBER = re.compile(
    rf"({STORE_NAME})/({re.escape(MANIFEST)}|{re.escape(MAP)}"
    r"|papers-[0-9a-f]{12}\.sqlite|index-[0-9a-f]{12}\.faiss)"
)
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    LookupError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def unpack_store(
    path: str | Path,
    name: str | Path | None = None,
    *,
    replace: bool | Callable[[Path], bool] = False,
    progress: Progress | None = None,
) -> PackedStore:
    """Make a store of a file that `pack_store` has written; the file may come from a stranger.

    Nothing of it is believed: digests, names, sizes and the structure of every file are checked,
    and the store is verified, in a folder of its own; only then it takes its place, as a whole.
    Its model is not loaded.

    Args:
        path: the file.
        name: name or path of the store; by default the name that it was packed under.
        replace: whether a store that is there may be replaced; or what is asked, with its folder.
        progress: told how many bytes were written.

    Raises:
        InputError: the file cannot be read, or is not a packed store.
        StoreDamagedError: it was damaged or changed, or is not safe.
        StoreBusyError: another process is unpacking there, or writing to the store.
        StoreError: there is a store of this name already; or the disk refuses.
    """
    path = Path(path).expanduser()
    with _archive(path) as (archive, packed):
        target = target_folder(name or packed.name)
        if os.path.lexists(target) and not (replace(target) if callable(replace) else replace):
            raise StoreError(
                f"{target}: is there already",
                hint="replace it with --force, or give the new one another name with --name",
            )
        _check_room(packed, target)
        with _work_folder(target.parent) as work:
            folder = work / target.name
            folder.mkdir()
            manifest = _extract(archive, packed, folder, progress)
            notes = _checked(folder)
            _put(folder, target, manifest)
    return PackedStore(target.name, target, manifest.papers, notes)


@dataclass(frozen=True)
class _Packed:
    """What an archive says of itself: the store's name, and its members by the file's name."""

    path: Path
    name: str
    members: dict[str, zipfile.ZipInfo]

    def error(self, what: object) -> StoreDamagedError:
        return StoreDamagedError(
            f"{self.path}: {what!s:.300}", hint="it was damaged or changed: ask for a new copy"
        )


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, _Packed]]:
    try:
        stream = open_plain(target_of(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    packed = _Packed(path, "", {})
    with stream:
        _check_end(stream, packed)
        try:
            with zipfile.ZipFile(_Bounded(stream)) as archive:
                yield archive, _members(archive, packed)
        except _BROKEN as error:
            if isinstance(error, SwimmerError):
                raise
            raise packed.error(f"is not an archive of a store ({error})") from None


class _Bounded(io.BufferedIOBase):
    """A file of which one call reads a bounded number of bytes, whatever an archive says."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = size if size is not None and size >= 0 else BLOCK + 1
        data = self._stream.read(min(wanted, BLOCK + 1))
        if len(data) > BLOCK:
            raise zipfile.BadZipFile("a part of it is too long")
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


def _check_end(stream: BinaryIO, packed: _Packed) -> None:
    """Check that a file ends as a packed store does, and that its digest is right."""
    not_one = InputError(
        f"{packed.path}: is not a packed store", hint="make one with: swimmer pack NAME"
    )
    size = stream.seek(0, os.SEEK_END)
    if size < _TAIL:
        raise not_one
    stream.seek(-_TAIL, os.SEEK_END)
    end = stream.read(_TAIL)
    signature, _, _, _, count, _, _, length = _END.unpack_from(end)
    comment = end[_END.size :]
    if not comment.startswith(COMMENT):
        stream.seek(0)
        if stream.read(4) == b"PK\x03\x04":
            raise packed.error("is not whole, or not a packed store")
        raise not_one
    stream.seek(0)
    if digest_of_stream(stream, size - COMMENT_SIZE).encode() != comment[len(COMMENT) :]:
        raise packed.error("its content is not what was packed (SHA-256)")
    if signature != b"PK\x05\x06" or length != COMMENT_SIZE or count > _MOST_MEMBERS:
        raise packed.error("is not an archive of a store")


def _members(archive: zipfile.ZipFile, packed: _Packed) -> _Packed:
    names: set[str] = set()
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        found = _MEMBER.fullmatch(info.orig_filename)
        if found is None or info.orig_filename != info.filename:
            raise packed.error(f"holds {info.orig_filename!r:.120}, which no store has")
        mode = info.external_attr >> 16
        # Archives of other programs may keep rights without a kind, or nothing at all.
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise packed.error(f"{found[2]} is {kind_of(mode)} in it, expected a file")
        if info.flag_bits & 1 or info.compress_type not in (
            zipfile.ZIP_STORED,
            zipfile.ZIP_DEFLATED,
        ):
            raise packed.error(f"{found[2]} is encrypted or compressed in a way that is not read")
        if found[2] in members:
            raise packed.error(f"holds {found[2]} twice")
        names.add(found[1])
        members[found[2]] = info
    if len(names) != 1 or MANIFEST not in members:
        raise packed.error("does not hold the files of one store")
    return _Packed(packed.path, names.pop(), members)


def _check_room(packed: _Packed, target: Path) -> None:
    size = sum(info.file_size for info in packed.members.values())
    if size > _FREE + MOST_TIMES_LARGER * packed.path.stat().st_size:
        raise packed.error(f"would unfold to {size:,} bytes, more than any store of its size")
    existing = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    if size > shutil.disk_usage(existing).free:
        raise StoreError(
            f"{target}: the store needs {size:,} bytes, more than the disk has", hint="make room"
        )


@contextlib.contextmanager
def _work_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder beside the stores; what an interrupted process has left there is removed.

    One process unpacks at a time in a folder of stores.
    """
    base = parent / ".unpack"
    if base.is_symlink():
        raise StoreError(f"{base}: is a link, expected a folder", hint="delete the link")
    try:
        with writing(base):
            for entry in base.iterdir():
                if entry.name != LOCK and entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
            work = Path(tempfile.mkdtemp(dir=base))
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
                with contextlib.suppress(OSError):
                    (base / LOCK).unlink()
    except OSError as error:
        raise StoreError(
            f"{parent}: the store cannot be written ({error.strerror or error})",
            hint="make room, or check the rights of the folder",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            base.rmdir()


def _extract(
    archive: zipfile.ZipFile, packed: _Packed, folder: Path, progress: Progress | None
) -> Manifest:
    """Write the files of an archive to an empty folder, each checked against the manifest."""
    total = sum(info.file_size for info in packed.members.values())
    content = _whole(archive, packed, MANIFEST, MANIFEST_LIMIT)
    (folder / MANIFEST).write_bytes(content)
    try:
        manifest = Manifest.read(folder)
    except StoreError as error:
        raise packed.error(str(error).replace(f"{folder}{os.sep}", "")) from None
    named = {file.name: file for file in (manifest.database, manifest.index)}
    if set(packed.members) - {MAP} != {MANIFEST, *named}:
        raise packed.error("its files are not those that its manifest names")
    done = len(content)
    for name, file in named.items():
        if packed.members[name].file_size != file.size:
            raise packed.error(f"{name} has another size than its manifest says")
        with archive.open(packed.members[name]) as source, (folder / name).open("xb") as target:
            for size in copied(source, target, file):
                if progress is not None:
                    progress("unpacking", done + size, total)
        flush_to_disk(folder / name)
        done += file.size
    if MAP in packed.members:
        (folder / MAP).write_bytes(_whole(archive, packed, MAP, MAP_LIMIT))
    return manifest


def _whole(archive: zipfile.ZipFile, packed: _Packed, name: str, limit: int) -> bytes:
    info = packed.members[name]
    if info.file_size > limit:
        raise packed.error(f"{name} has more than {limit:,} bytes")
    with archive.open(info) as source:
        content = source.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise packed.error(f"{name} has another size than the archive says")
    return content


def _checked(folder: Path) -> tuple[str, ...]:
    """Check an unpacked store as one from a stranger, then as one's own; return what to know."""
    found = inspect_folder(folder)
    if not found.safe:
        raise StoreDamagedError(
            f"the store is not safe: {found.dangers[0]}", hint="ask its maker for a new copy"
        )
    if (folder / MAP).is_file():
        # A map that cannot be read is made again; it is not worth the store.
        with contextlib.suppress(StoreDamagedError):
            if KeptMap.read(folder / MAP).belongs_to(Manifest.read(folder)):
                return _verified(folder, found.notes)
        (folder / MAP).unlink()
        found = inspect_folder(folder)
    return _verified(folder, found.notes)


def _verified(folder: Path, notes: Sequence[str]) -> tuple[str, ...]:
    with PaperStore.open(folder, refresh=False) as store:
        problems = store.verify(load_model=False)
    if problems:
        raise StoreDamagedError(
            f"the store is damaged: {problems[0]}", hint="ask its maker for a new copy"
        )
    return tuple(notes)


def _put(folder: Path, target: Path, manifest: Manifest) -> None:
    """Move a checked store to its place; where a store is, its manifest is replaced last."""
    if not os.path.lexists(target):
        with contextlib.suppress(OSError):
            folder.rename(target)
            flush_to_disk(target.parent)
            return
    if target.is_symlink():
        raise StoreError(f"{target}: is a link", hint="choose another name with --name")
    with writing(target):
        for file in (manifest.database, manifest.index):
            (folder / file.name).replace(target / file.name)
        flush_to_disk(target)
        (folder / MANIFEST).replace(target / MANIFEST)
        flush_to_disk(target)
        with contextlib.suppress(FileNotFoundError):
            (target / MAP).unlink()
        with contextlib.suppress(FileNotFoundError):
            (folder / MAP).replace(target / MAP)
        sweep(target)
