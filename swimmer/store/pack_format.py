"""What a packed store is: its name, its digest, the limits of its parts.

The archive is a zip file that holds the files of the store in a folder of the store's name. Its
comment is the SHA-256 of all bytes before, and the manifest in it has the size and SHA-256 of each
data file. Format of the archive: PKWARE APPNOTE 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from swimmer.errors import StoreDamagedError
from swimmer.store.manifest import DataFile

ENDING = ".swimmer.zip"
"""How the name of a packed store ends."""

COMMENT = b"sha256:"
"""What the comment of an archive begins with, before the digest."""

COMMENT_SIZE = len(COMMENT) + 64
BLOCK = 1 << 20
MANIFEST_LIMIT = 16 << 20
MAP_LIMIT = 512 << 20


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


def copied(source: IO[bytes], target: IO[bytes], file: DataFile) -> Iterator[int]:
    """Copy a file of known size and digest; yield the bytes done, and check both at the end."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(BLOCK):
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


def digest_of_stream(stream: BinaryIO, size: int) -> str:
    """Return the SHA-256 of the next bytes of a stream, at most `size` of them."""
    digest = hashlib.sha256()
    while size and (chunk := stream.read(min(BLOCK, size))):
        digest.update(chunk)
        size -= len(chunk)
    return digest.hexdigest()
