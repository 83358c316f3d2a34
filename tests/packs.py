"""Packed stores made by hand, with a right digest of the whole, as whoever is hostile would."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

Entry = tuple[str | zipfile.ZipInfo, bytes]
COMMENT = 7 + 64


def resealed(content: bytes) -> bytes:
    """Put the right digest at the end of a pack that was changed."""
    body = content[:-COMMENT]
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()


def entries_of(path: Path) -> list[Entry]:
    """The members of a pack, names and contents."""
    with zipfile.ZipFile(path) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def write_pack(path: Path, entries: Iterable[Entry], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write members as a pack."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
        archive.comment = b"sha256:" + b"0" * 64
    path.write_bytes(resealed(made.getvalue()))
    return path
