"""Files on disk: written whole or not at all, read only where they are plain files of a folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_ONLY_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
# Without it the opening of a FIFO waits for somebody who writes to it.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_BLOCK = 1 << 20


class NotPlainFileError(OSError):
    """A path names a link, a folder, a device or a FIFO where a file was expected."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(errno.EINVAL, f"is {what}, expected a file", str(path))


# ---------------------------------------------------------------------- writing


@contextlib.contextmanager
def replacing(path: Path, *, flush: bool = True) -> Iterator[BinaryIO]:
    """Write a file in a block; it takes the place of `path` once the block ends without an error.

    The content goes to a new file of a random name beside it, so that a link which lies there
    is never written through. The mode is that of the file replaced, else what the umask leaves.

    Args:
        path: the file; a link of this name is replaced, not followed.
        flush: wait until the file and its name are on the disk itself, so that they survive a
            power cut.

    Raises:
        NotPlainFileError: a folder or a device has this name.
        OSError: the disk refuses; what was there before is as it was.
    """
    mode = _mode_of(path)
    draft = new_file(path.parent, path.name)
    try:
        with draft.open("r+b") as stream:
            yield stream
            stream.flush()
            if flush:
                os.fsync(stream.fileno())
        if mode is not None:
            draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if flush:
        flush_to_disk(path.parent)


def write_file(path: Path, content: bytes | bytearray, *, flush: bool = True) -> None:
    """Write a whole file, as `replacing` does."""
    with replacing(path, flush=flush) as stream:
        stream.write(content)


def target_of(path: Path) -> Path:
    """Return where a path of the user's own leads: what is written there keeps the link to it."""
    return Path(os.path.realpath(path))


def new_file(folder: Path, stem: str) -> Path:
    """Make an empty file `.STEM.RANDOM.tmp` in a folder and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    stem = stem.lstrip(".").encode()[:80].decode(errors="ignore")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK | _ONLY_BINARY
    while True:
        path = folder / f".{stem}.{os.urandom(8).hex()}.tmp"
        try:
            os.close(os.open(path, flags, 0o666))
        except FileExistsError:  # pragma: no cover
            continue
        return path


def _mode_of(path: Path) -> int | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISREG(found.st_mode):
        return stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return None
    raise NotPlainFileError(path, kind_of(found.st_mode))


def flush_to_disk(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk itself."""
    # Windows flushes only what is open for writing; a folder is never that.
    flags = os.O_RDONLY if path.is_dir() else os.O_RDWR
    try:
        descriptor = os.open(path, flags)
    except PermissionError:  # pragma: no cover  Windows cannot open a folder
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---------------------------------------------------------------------- reading


def open_plain(path: Path) -> BinaryIO:
    """Open a file for reading; what lies at `path` must be a file itself, and no link to one.

    Raises:
        FileNotFoundError: nothing has this name.
        NotPlainFileError: a link, a folder, a device or a FIFO has it.
        OSError: it cannot be read.
    """
    if not _NO_LINK and path.is_symlink():  # pragma: no cover  Windows
        raise NotPlainFileError(path, "a link")
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK | _NO_WAIT | _ONLY_BINARY)
    except OSError as error:
        # Its errno differs between systems: ELOOP, EMLINK or EFTYPE for a link, ENXIO for a socket.
        mode = stat.S_IFREG
        with contextlib.suppress(OSError):
            mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise NotPlainFileError(path, kind_of(mode)) from None
        raise error from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise NotPlainFileError(path, kind_of(mode))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def size_of(path: Path) -> int:
    """Return the bytes of a plain file; raises as `open_plain` does."""
    with open_plain(path) as stream:
        return os.fstat(stream.fileno()).st_size


def read_plain(folder: Path, name: str, limit: int) -> bytes:
    """Return the content of a file that lies in a folder itself.

    Args:
        folder: the folder; it may be reached by a link.
        name: the file's name; one with a separator would lead out of the folder.
        limit: the most bytes that it may have.

    Raises:
        ValueError: the file has more bytes, or the name is not a plain one.
        OSError: as `open_plain`.
    """
    if not plain_name(name):
        raise ValueError(f"{name[:80]!r} is not the name of a file")
    return read_bounded(folder / name, limit)


def read_bounded(path: Path, limit: int) -> bytes:
    """Return the content of a plain file of at most `limit` bytes; raises as `read_plain` does."""
    with open_plain(path) as stream:
        # Asked for a number of bytes, Python reserves them all at once.
        content = stream.read(min(limit, os.fstat(stream.fileno()).st_size) + 1)
    if len(content) > limit:
        raise ValueError(f"it has more than {limit:,} bytes")
    return content


def plain_name(name: str) -> bool:
    """Return whether a text names a file of a folder: no separator, drive, or dot in front."""
    return (
        bool(name)
        and not name.startswith(".")
        and not any(char in name for char in "/\\:\0")
        and len(name.encode("utf-8", "surrogatepass")) <= 255
    )


def digest_of(path: Path) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of a plain file; raises as `open_plain` does."""
    digest, size = hashlib.sha256(), 0
    with open_plain(path) as stream:
        while chunk := stream.read(_BLOCK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()


def check_own(path: Path, *, folder: bool = False) -> None:
    """Check that what a program is about to write to is no link or device; missing is well.

    Args:
        path: a file, or a folder with all that lies in it directly.
        folder: which of both is expected.

    Raises:
        NotPlainFileError: it is something else. A file that has a second name (a hard link) is
            refused too: writing to it would change the other.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if folder:
        if not stat.S_ISDIR(found.st_mode):
            raise NotPlainFileError(path, kind_of(found.st_mode))
        with os.scandir(path) as entries:
            for entry in entries:
                check_own(path / entry.name)
    elif not stat.S_ISREG(found.st_mode):
        raise NotPlainFileError(path, kind_of(found.st_mode))
    elif found.st_nlink > 1:
        raise NotPlainFileError(path, "a hard link")


def kind_of(mode: int) -> str:
    """Return what a file mode is of, in words such as `a link`."""
    for test, name in (
        (stat.S_ISLNK, "a link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISREG, "a file"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "a device"
