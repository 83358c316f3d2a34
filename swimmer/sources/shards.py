"""Folders of shards: lists of many files of JSON lines, streamed one after the other.

The bulk files of OpenAlex (https://docs.openalex.org/download-all-data/snapshot-data-format) and
of Semantic Scholar (https://api.semanticscholar.org/api-docs/datasets) come so; the abstracts of
the latter are a data set of their own, which is joined to the papers by way of the disk.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import stat
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from swimmer.errors import CHECK_FILE, SourceError
from swimmer.papers import Paper
from swimmer.sources.base import SourceReport
from swimmer.sources.files import slug
from swimmer.sources.formats.records import NotAPaper, paper_from_record
from swimmer.sources.formats.shapes import plain
from swimmer.sources.list_checks import checked
from swimmer.sources.statuses import checked_status, refused_status

_SHARD = re.compile(r"(?!\.).*\.(gz|jsonl?|ndjson)", re.IGNORECASE)
_PART = re.compile(r"part[_-](\d{1,9})", re.IGNORECASE)
_ABSTRACTS, _KEY = "abstracts", "corpusid"
_LINE = 32 << 20
_MOST = 100_000
_MANIFEST_LIMIT = 64 << 20
_AGAIN = "download it again, then give the same command; what was embedded is kept"
_BUCKET = 64 << 20
_MOST_BUCKETS = 500


class ShardSource:
    """A folder of shards, each a file of JSON lines, mostly compressed by gzip.

    Shards are read in the order of their names, folders within the folder too; memory does not grow
    with them. A folder `abstracts` of Semantic Scholar beside its `papers` is joined to them.

    Args:
        folder: the folder.
        status: which papers, by what the list says of them: one of `STATUSES`.

    Raises:
        SourceError: it holds no shard, or one is missing (on construction); or one is cut off or
            cannot be read (when papers are read).
    """

    def __init__(self, folder: str | Path, *, status: str = "all") -> None:
        self.folder = Path(folder)
        self.origin, self.name = str(self.folder), slug(self.folder.resolve().name)
        self._status = checked_status(status)
        self.shards = _found(self.folder)
        if not self.shards:
            raise SourceError(
                f"{self.folder}: is a folder without shards",
                hint="give one file with a paper list, or a folder of .jsonl or .gz files",
            )
        _check_numbers(self.shards)
        _check_manifest(self.folder)

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers of all shards; records left out are counted in `report`."""
        yield from checked(self._read(report), report)
        if report.read == report.left_out and self._status == "all":
            raise SourceError(
                f"{self.folder}: is a folder, and no line of its shards is a paper",
                hint="give one file with a paper list, or a folder of files of JSON lines",
            )

    def _read(self, report: SourceReport) -> Iterator[Paper]:
        for place, record in self._records():
            report.read += 1
            try:
                if not isinstance(record, dict):
                    raise NotAPaper("not an object of JSON")
                paper = paper_from_record(plain(record, self.name))
                if self._status != "all" and (reason := refused_status(paper, self._status)):
                    raise NotAPaper(reason)
            except NotAPaper as reason:
                report.skip(str(reason), place)
                continue
            yield paper

    def _records(self) -> Iterator[tuple[str, Any]]:
        abstracts = [one for one in self.shards if _ABSTRACTS in self._folders(one)]
        rest = [one for one in self.shards if _ABSTRACTS not in self._folders(one)]
        if abstracts and rest:
            yield from _joined(self.folder, rest, abstracts)
            return
        for shard in self.shards:
            for number, line in enumerate(_lines(shard), 1):
                yield f"{shard.relative_to(self.folder)} line {number}", _parsed(line)

    def _folders(self, shard: Path) -> Sequence[str]:
        return shard.relative_to(self.folder).parts[:-1]


def _found(folder: Path) -> list[Path]:
    """Return the shards of a folder, in the order of their names; links are not followed."""
    found: list[Path] = []
    try:
        for place, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                path = Path(place) / name
                if _SHARD.fullmatch(name) and stat.S_ISREG(path.lstat().st_mode):
                    found.append(path)
            if len(found) > _MOST:
                raise SourceError(
                    f"{folder}: holds more than {_MOST:,} shards", hint="give a folder within it"
                )
    except OSError as error:
        raise SourceError(
            f"{folder}: cannot be read ({error.strerror or error})", hint=CHECK_FILE
        ) from None
    return sorted(found)


def _check_numbers(shards: Sequence[Path]) -> None:
    """Raise SourceError where numbered parts of a folder are not all there."""
    parts: dict[Path, set[int]] = {}
    for shard in shards:
        if numbered := _PART.match(shard.name):
            parts.setdefault(shard.parent, set()).add(int(numbered[1]))
    for folder, numbers in parts.items():
        first = min(min(numbers), 1)
        if len(numbers) <= max(numbers) - first:
            lacking = next(n for n in range(first, max(numbers)) if n not in numbers)
            raise SourceError(
                f"{folder}: part {lacking} is missing, part {max(numbers)} is there", hint=_AGAIN
            )


def _check_manifest(folder: Path) -> None:
    """Compare shards with OpenAlex's manifest, where there is one."""
    path = folder / "manifest"
    try:
        if not stat.S_ISREG(path.lstat().st_mode) or path.stat().st_size > _MANIFEST_LIMIT:
            return
        entries = json.loads(path.read_bytes())["entries"]
        wanted = [(str(one["url"]), int(one["meta"]["content_length"])) for one in entries]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # No manifest of OpenAlex: a file may have any name.
        return
    for url, size in wanted:
        *_, partition, name = ("", *url.split("/"))
        shard = folder / partition / name
        if partition in ("", "..") or name in ("", ".."):
            continue
        if not shard.is_file():
            raise SourceError(f"{shard}: is missing, the manifest names it", hint=_AGAIN)
        if shard.stat().st_size != size:
            raise SourceError(
                f"{shard}: has {shard.stat().st_size:,} bytes, the manifest says {size:,}",
                hint=_AGAIN,
            )


def _lines(shard: Path) -> Iterator[bytes]:
    """Yield the lines of a shard that are not blank.

    Raises:
        SourceError: it is cut off, or cannot be read.
    """
    try:
        with _opened(shard) as stream:
            while line := stream.readline(_LINE):
                if len(line) == _LINE and not line.endswith(b"\n"):
                    raise SourceError(
                        f"{shard}: a line has more than {_LINE >> 20} MB",
                        hint="give a folder of JSON lines, one paper each",
                    )
                if line := line.strip():
                    yield line
    except EOFError:
        raise SourceError(f"{shard}: is cut off", hint=_AGAIN) from None
    except (OSError, zlib.error) as error:
        raise SourceError(
            f"{shard}: cannot be read ({getattr(error, 'strerror', None) or error})", hint=_AGAIN
        ) from None


@contextlib.contextmanager
def _opened(shard: Path) -> Iterator[IO[bytes]]:
    with shard.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as stream:
            yield stream  # type: ignore[misc]


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


# ---------------------------------------------------------------------- papers and abstracts


def _joined(
    folder: Path, papers: Sequence[Path], abstracts: Sequence[Path]
) -> Iterator[tuple[str, Any]]:
    """Yield the papers with their abstracts, which are found by their number.

    Both are parted on the disk by the number, so that each part of the abstracts fits in memory.
    """
    size = sum(path.stat().st_size for path in abstracts)
    count = min(_MOST_BUCKETS, 1 + 5 * size // _BUCKET)
    with tempfile.TemporaryDirectory(prefix="swimmer-") as scratch:
        parts = {}
        for kind, shards in ((_ABSTRACTS, abstracts), ("papers", papers)):
            parts[kind] = [Path(scratch) / f"{kind}-{number}" for number in range(count)]
            _part(folder, shards, parts[kind])
        for own, others in zip(parts[_ABSTRACTS], parts["papers"], strict=True):
            known: dict[Any, str] = {}
            for _, record in _parted(own):
                if isinstance(record, dict) and isinstance(record.get("abstract"), str):
                    known[str(record.get(_KEY))] = record["abstract"]
            own.unlink()
            for place, record in _parted(others):
                if isinstance(record, dict) and not record.get("abstract"):
                    record["abstract"] = known.get(str(record.get(_KEY)), "")
                yield place, record
            others.unlink()


def _part(folder: Path, shards: Sequence[Path], parts: Sequence[Path]) -> None:
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(part.open("wb", 1 << 16)) for part in parts]
        for shard in shards:
            for number, line in enumerate(_lines(shard), 1):
                record = _parsed(line)
                key = record.get(_KEY) if isinstance(record, dict) else None
                place = f"{shard.relative_to(folder)} line {number}"
                chosen = zlib.crc32(str(key).encode(errors="replace")) % len(parts)
                streams[chosen].write(json.dumps(place).encode() + b"\t" + line + b"\n")


def _parted(part: Path) -> Iterator[tuple[str, Any]]:
    with part.open("rb") as stream:
        for line in stream:
            place, _, record = line.partition(b"\t")
            yield json.loads(place), _parsed(record)
