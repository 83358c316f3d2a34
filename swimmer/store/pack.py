"""A store as one file to hand on: a zip archive with a digest of itself.

The archive holds the files of the store in a folder of the store's name. Its comment is the
SHA-256 of all bytes before, and the manifest in it has the size and SHA-256 of each data file.
Format of the archive: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import contextlib
import hashlib
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
from typing import IO, BinaryIO

from swimmer.errors import InputError, StoreDamagedError, StoreError, SwimmerError
from swimmer.files import (
    NotPlainFileError,
    flush_to_disk,
    kind_of,
    open_plain,
    read_bounded,
    replacing,
    target_of,
)
from swimmer.progress import Progress
from swimmer.store.default import default_store
from swimmer.store.folder import LOCK, sweep, writing
from swimmer.store.inspection import inspect_folder, model_notes
from swimmer.store.manifest import MANIFEST, DataFile, Manifest
from swimmer.store.map_file import MAP, KeptMap
from swimmer.store.names import STORE_NAME, find_store, target_folder
from swimmer.store.store import PaperStore

ENDING = ".swimmer.zip"
"""How the name of a packed store ends."""

MOST_TIMES_LARGER = 200
"""How many times larger than the archive its files may be: those of real stores are 2 to 5."""

_COMMENT = b"sha256:"
_END = struct.Struct("<4s4H2LH")
_COMMENT_SIZE = len(_COMMENT) + 64
_TAIL = _END.size + _COMMENT_SIZE
_MOST_MEMBERS = 4
_BLOCK = 1 << 20
_MANIFEST_LIMIT = 16 << 20
_MAP_LIMIT = 512 << 20
# Room for what every store has: a database of few papers is mostly empty pages.
_FREE = 16 << 20
# The date that all members have, so that one state of a store is always packed to the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
_ATTEMPTS = 3
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


@dataclass(frozen=True)
class PackedStore:
    """A store that was packed or unpacked.

    `path` is the file or the folder that was written, `notes` say what the receiver should know,
    such as a model that is loaded only once it is allowed.
    """

    name: str
    path: Path
    papers: int
    notes: tuple[str, ...] = ()


# ---------------------------------------------------------------------- packing


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
        return read_bounded(folder / MANIFEST, _MANIFEST_LIMIT)
    except (OSError, ValueError):
        # Read again, it says what is wrong.
        Manifest.read(folder)
        raise


def _map_of(folder: Path, manifest: Manifest) -> Iterator[bytes]:
    """Yield the map of a store, where it has one that belongs to it."""
    with contextlib.suppress(FileNotFoundError, StoreDamagedError, OSError, ValueError):
        if KeptMap.read(folder / MAP).belongs_to(manifest):
            yield read_bounded(folder / MAP, _MAP_LIMIT)


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
                for size in _copied(content, out, file):
                    if progress is not None:
                        progress("packing", done + size, total)
            done += file.size
        archive.comment = _COMMENT + b"0" * 64
    stream.flush()
    end = stream.seek(-64, os.SEEK_END)
    stream.seek(0)
    digest = _digest_of(stream, end - len(_COMMENT))
    stream.seek(end)
    stream.write(digest.encode())


def _copied(source: IO[bytes], target: IO[bytes], file: DataFile) -> Iterator[int]:
    """Copy a file of known size and digest; yield the bytes done, and check both at the end."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(_BLOCK):
        size += len(chunk)
        if size > file.size:
            break
        digest.update(chunk)
        target.write(chunk)
        yield size
    if (size, digest.hexdigest()) != (file.size, file.sha256):
        raise StoreDamagedError(
            f"{file.name}: its content is not what the manifest says (SHA-256)",
            hint="ask for a new copy, or build the store again",
        )


def _digest_of(stream: BinaryIO, size: int) -> str:
    digest = hashlib.sha256()
    while size and (chunk := stream.read(min(_BLOCK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()


# ---------------------------------------------------------------------- unpacking


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
        wanted = size if size is not None and size >= 0 else _BLOCK + 1
        data = self._stream.read(min(wanted, _BLOCK + 1))
        if len(data) > _BLOCK:
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
    if not comment.startswith(_COMMENT):
        stream.seek(0)
        if stream.read(4) == b"PK\x03\x04":
            raise packed.error("is not whole, or not a packed store")
        raise not_one
    stream.seek(0)
    if _digest_of(stream, size - _COMMENT_SIZE).encode() != comment[len(_COMMENT) :]:
        raise packed.error("its content is not what was packed (SHA-256)")
    if signature != b"PK\x05\x06" or length != _COMMENT_SIZE or count > _MOST_MEMBERS:
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
    content = _whole(archive, packed, MANIFEST, _MANIFEST_LIMIT)
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
            for size in _copied(source, target, file):
                if progress is not None:
                    progress("unpacking", done + size, total)
        flush_to_disk(folder / name)
        done += file.size
    if MAP in packed.members:
        (folder / MAP).write_bytes(_whole(archive, packed, MAP, _MAP_LIMIT))
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
