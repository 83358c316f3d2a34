"""Zip archives with lists in them."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from swimmer.errors import SourceError
from swimmer.sources.formats.recognition import text_records
from swimmer.sources.formats.tables import workbook_records
from swimmer.sources.formats.text import decode_text

MEMBER_LIMIT = 1 << 30
"""Bytes of one member once decompressed."""

MEMBERS = 1_000
_LISTS = frozenset(
    ".json .jsonl .ndjson .csv .tsv .txt .bib .ris .md .xml .nbib .enw .yml .yaml .xlsx".split()
)


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an Excel file.

    Raises:
        SourceError: the archive is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise SourceError(
            f"{path}: a zip archive that cannot be read ({error})",
            hint="download it again, or unpack it and give the file that is inside",
        ) from None


def archived_records(
    path: Path, columns: Mapping[str, str] | None = None
) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of each list in a zip archive; nothing is unpacked to disk.

    Raises:
        SourceError: no member is a list, one is damaged, encrypted or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if _is_list(info)][:MEMBERS]
            if not members:
                names = ", ".join(repr(n[:40]) for n in archive.namelist()[:5]) or "nothing"
                raise SourceError(
                    f"{path}: is a zip archive without a paper list (it holds {names})",
                    hint="unpack it and give the list in it",
                )
            for info in members:
                yield from _member_records(archive, info, path, columns)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error, EOFError) as error:
        raise SourceError(
            f"{path}: is a zip archive that cannot be read ({error})", hint="unpack it first"
        ) from None


def _is_list(info: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(info.filename)
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.parts)
    return not info.is_dir() and not hidden and name.suffix.lower() in _LISTS


def _member_records(
    archive: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    path: Path,
    columns: Mapping[str, str] | None,
) -> Iterator[tuple[str, Any]]:
    with archive.open(info) as member:
        body = member.read(MEMBER_LIMIT + 1)
    name = f"{path}: {info.filename[:100]}"
    if len(body) > MEMBER_LIMIT:
        raise SourceError(
            f"{name}: is larger than {MEMBER_LIMIT >> 20} MB when unpacked; refused",
            hint="unpack it and give the file that is inside",
        )
    if info.filename.lower().endswith(".xlsx"):
        found = workbook_records(io.BytesIO(body), name, columns)
    else:
        found = text_records(io.StringIO(decode_text(body)[0], newline=""), name, columns)
    for place, record in found:
        yield f"{info.filename[:60]}, {place}", record
