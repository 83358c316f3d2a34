"""Paper lists on disk, their shape recognised from the content, whatever the file is called."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from swimmer.errors import SourceError
from swimmer.papers import Paper
from swimmer.sources.base import SourceReport
from swimmer.sources.formats.json_text import WHOLE_LIMIT, parse_json, streamed_records
from swimmer.sources.formats.parts import parts_of, read_whole
from swimmer.sources.formats.records import ALIASES, NotAPaper, paper_from_record
from swimmer.sources.formats.shapes import plain

SIZE_LIMIT = 4 << 30
"""Bytes of a list once decompressed; a small .gz can unfold to any size."""

LINE_LIMIT = 32 << 20
"""Characters of one line of a JSONL list."""

XML_LIMIT = 32 << 20
"""Characters of an XML list: it is read whole, and an element takes twenty times its text."""

LISTS = ("results", "papers", "notes", "data", "items", "entries", "records")
"""Names under which an envelope keeps its list."""

_DELIMITERS = {",": "CSV", "\t": "TSV", ";": "CSV with semicolons"}
_PYTHON_REPR = re.compile(r"\{\s{0,99}'[^']{0,500}'\s{0,99}:")
_BEGINS = re.compile(
    r"(?m)^(?:@\s{0,9}[A-Za-z]{1,40}\s{0,9}[{(]|TY\s{1,2}-|##[ \t]{1,9}\d{1,9}[.):、])"
)
_BIBTEX_STRING = re.compile(r"(?im)^@string\s{0,9}[{(][^\n]{0,2000}$")


class FileSource:
    """A list of papers in one local file, of any shape that `papers` recognises.

    Shapes: a JSON list of records; an envelope that holds one (virtual-site API, OpenReview,
    Semantic Scholar); a dict keyed by URL or id; one JSON object a line; CSV or TSV with a
    header; BibTeX; RIS; a Markdown reading list; XML of the ACL Anthology or of arXiv; exports of
    Zotero and Semantic Scholar; each also gzip-compressed.

    Raises:
        SourceError: the path is missing, is not a file, or cannot be read (on construction),
            or its content is none of the shapes (when papers are read); with what was found.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise SourceError(f"{self.path}: no such file; give the path of a paper list")
        if self.path.is_dir():
            raise SourceError(f"{self.path}: is a folder; give one file with a paper list")
        self.origin = str(self.path)
        endings = r"(\.(gz|jsonl?|csv|tsv|txt|bib|ris|md|markdown|xml))+$"
        self.name = slug(re.sub(endings, "", self.path.name.lower()))

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers of the file; records left out are counted in `report`."""
        try:
            with open_text(self.path) as stream:
                for place, record in records(stream, str(self.path)):
                    report.read += 1
                    try:
                        if isinstance(record, NotAPaper):
                            raise record
                        if not isinstance(record, Mapping):
                            raise NotAPaper("not an object")
                        paper = paper_from_record(plain(record))
                    except NotAPaper as reason:
                        report.skip(str(reason), place)
                        continue
                    if not paper.abstract:
                        report.without_abstract += 1
                    yield paper
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{self.path}: cannot be read ({error})") from None
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{self.path}: not text in UTF-8 (byte {error.start}: "
                f"{error.object[error.start]:#04x}); save the list as UTF-8"
            ) from None


def slug(text: str) -> str:
    """Return text as a store's name: lower-case letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.casefold()).strip("-_")[:64] or "papers"


def open_text(path: Path) -> IO[str]:
    """Open a text file for reading, decompressing it when its first bytes say gzip."""
    raw = path.open("rb")
    magic = raw.read(4)
    raw.seek(0)
    binary: Any = raw
    if magic[:2] == b"\x1f\x8b":
        binary = _Bounded(gzip.GzipFile(fileobj=raw), str(path))
    encoding = "utf-8-sig"
    if magic[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    return io.TextIOWrapper(io.BufferedReader(binary, 1 << 20), encoding=encoding, newline="")


class _Bounded(io.RawIOBase):
    """A stream that stops with an error once more than SIZE_LIMIT bytes have come out of it."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream, self._name, self._left = stream, name, SIZE_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        self._left -= len(chunk)
        if self._left < 0:
            raise SourceError(f"{self._name}: unfolds to more than {SIZE_LIMIT >> 30} GiB; refused")
        buffer[: len(chunk)] = chunk
        return len(chunk)


def records(stream: IO[str], name: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of a text of any of the shapes; `name` is for messages."""
    head = ""
    while not head.strip() and (chunk := stream.read(1 << 16)):
        head = (head + chunk)[-(1 << 17) :]
    start = head.lstrip()
    if not start:
        raise SourceError(f"{name}: is empty; expected a list of papers")
    if "\x00" in start:
        raise SourceError(f"{name}: is binary, not text; expected JSON, JSONL, CSV or TSV")
    if _PYTHON_REPR.match(start):
        raise SourceError(
            f"{name}: line 1 is a Python dict in single quotes, not JSON; "
            "write it with json.dumps and try again"
        )
    if start[0] in "[{":
        first_line, newline, rest = start.partition("\n")
        if start[0] == "{" and newline and rest.lstrip()[:1] == "{" and _is_json(first_line):
            yield from _json_lines(_lines(head, stream), name)
            return
        yield from _json(head, stream, name)
        return
    if found := _document(start):
        yield from _parts(found, head, stream, name)
        return
    yield from _table(head, stream, name)


def _json(head: str, stream: IO[str], name: str) -> Iterator[tuple[str, Any]]:
    text = head + stream.read(WHOLE_LIMIT - len(head) + 1)
    if len(text) > WHOLE_LIMIT:
        yield from streamed_records(text, stream, name, LISTS)
    else:
        yield from _json_document(text, name)


def _parts(
    read: Callable[[str, str], Iterator[tuple[str, Any]]], head: str, stream: IO[str], name: str
) -> Iterator[tuple[str, Any]]:
    """Read a text by a reader of records, part by part where it is long."""
    if read is _xml:
        yield from _xml(read_whole(head, stream, name, XML_LIMIT), name)
        return
    defined = ""
    for part, lines in parts_of(head, stream, name, _BEGINS):
        # The abbreviations of one part of a bibliography are used in the next.
        for place, record in read(defined + part, name):
            yield _moved(place, lines - defined.count("\n")), record
        defined += "".join(f"{found[0]}\n" for found in _BIBTEX_STRING.finditer(part))[:100_000]


def _moved(place: str, lines: int) -> str:
    word, _, number = place.partition(" ")
    return f"line {int(number) + lines}" if word == "line" and lines else place


def _document(start: str) -> Callable[[str, str], Iterator[tuple[str, Any]]] | None:
    """Return the reader of a text that begins so, when it is no JSON and no table."""
    from swimmer.sources.formats import markdown, ris

    if re.match(r"(?:%[^\n]*\n|\s)*@\s{0,99}[A-Za-z]{1,99}\s{0,99}[{(]", start):
        return _bibtex
    if ris.STARTS.match(start):
        return lambda text, _name: ris.ris_records(text)
    if start[0] == "<":
        return _xml
    if start[0] == "#" or markdown.SECTION.search(start):
        return _markdown
    return None


def _bibtex(text: str, _name: str) -> Iterator[tuple[str, Any]]:
    from swimmer.sources.formats.bibtex import bibtex_records

    yield from bibtex_records(text)


def _markdown(text: str, name: str) -> Iterator[tuple[str, Any]]:
    from swimmer.sources.formats.markdown import SECTION, markdown_records

    if not SECTION.search(text):
        raise SourceError(f"{name}: Markdown without a section '## 1. Title'; see docs/sources.md")
    yield from markdown_records(text)


def _xml(text: str, name: str) -> Iterator[tuple[str, Any]]:
    from swimmer.sources.formats.anthology import collection_records
    from swimmer.sources.formats.atom import entry_record, feed
    from swimmer.sources.formats.xml import parse_xml

    if re.match(r"<!doctype html|<html", text.lstrip(), re.IGNORECASE):
        raise SourceError(f"{name}: is a web page (HTML); give the list that it shows")
    root = parse_xml(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), name)
    if root.tag == "collection":
        yield from collection_records(root, name)
        return
    for number, entry in enumerate(feed(root, name)[0], 1):
        yield f"record {number}", entry_record(entry)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(head: str, stream: IO[str]) -> Iterator[str]:
    pending = head
    while True:
        *lines, pending = pending.split("\n")
        yield from lines
        if len(pending) > LINE_LIMIT:
            raise SourceError(f"a line of more than {LINE_LIMIT >> 20} million characters; refused")
        chunk = stream.read(1 << 20)
        if not chunk:
            yield pending
            return
        pending += chunk


def _json_lines(lines: Iterator[str], name: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f"line {number}", parse_json(line)
            except (ValueError, RecursionError) as error:
                raise SourceError(
                    f"{name}: line {number} is not JSON ({error}); is the file cut off?"
                ) from None


def _json_document(text: str, name: str) -> Iterator[tuple[str, Any]]:
    try:
        value = parse_json(text)
    except RecursionError:
        raise SourceError(f"{name}: JSON nested too deep to be a paper list") from None
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated string")
        cut = "; the file seems to be cut off" if ended else ""
        raise SourceError(
            f"{name}: not valid JSON at line {error.lineno}, column {error.colno} "
            f"({error.msg}){cut}"
        ) from None
    if isinstance(value, dict):
        value = _unwrapped(value, name)
    if not isinstance(value, list):
        raise SourceError(f"{name}: JSON holds {type(value).__name__}, expected a list of papers")
    lines = _line_numbers(text)
    for number, record in enumerate(value, 1):
        yield lines.get(number, f"record {number}"), record


def _line_numbers(text: str) -> Mapping[int, str]:
    """Return where records stand, for lists written one record a line; else nothing."""
    places: dict[int, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] == "{" or line.lstrip()[:2] in ('{"', "{}"):
            if not line.rstrip().rstrip(",]").endswith("}"):
                return {}
            places[len(places) + 1] = f"line {number}"
    return places


def _unwrapped(value: dict[str, Any], name: str) -> list[Any]:
    for key in LISTS:
        if isinstance(value.get(key), list):
            return list(value[key])
    lowered = {str(key).casefold() for key in value}
    if lowered & set(ALIASES["title"]) or isinstance(value.get("content"), dict):
        return [value]
    if value and all(isinstance(item, dict) for item in value.values()):
        return [
            {**item, "url": item.get("url") or key}
            if "://" in key
            else {**item, "id": item.get("id") or key}
            for key, item in value.items()
        ]
    keys = ", ".join(repr(str(key)[:30]) for key in list(value)[:6])
    raise SourceError(
        f"{name}: JSON of another shape: an object with the keys {keys or '(none)'}; expected a "
        f"list of papers, an object with one under {', '.join(LISTS[:4])}, or one keyed by URL"
    )


def _table(head: str, stream: IO[str], name: str) -> Iterator[tuple[str, Any]]:
    lines = head.lstrip().splitlines() or [""]
    delimiter = max(_DELIMITERS, key=lambda d: len(next(csv.reader(lines[:1], delimiter=d), [])))
    first = next(csv.reader(lines[:1], delimiter=delimiter))
    header = [field.strip().casefold() for field in first]
    if not set(header) & set(ALIASES["title"]):
        raise SourceError(
            f"{name}: starts with {lines[0][:60]!r}; expected JSON, JSONL, or a CSV/TSV header "
            "with a column title or name"
        )
    body = ((line + "\n").replace("\x00", "") for line in _lines(head.lstrip(), stream))
    previous = csv.field_size_limit(LINE_LIMIT)
    try:
        reader = csv.DictReader(body, fieldnames=None, delimiter=delimiter, strict=False)
        while True:
            place = f"line {reader.line_num + 1}"
            row = next(reader, None)
            if row is None:
                return
            extra = row.pop(None, None)
            if extra and any(cell.strip() for cell in extra):
                # A stray separator shifts every field after it: such a row cannot be trusted.
                yield place, NotAPaper("more fields than the header")
                continue
            yield place, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise SourceError(f"{name}: line {reader.line_num}: {error}") from None
    finally:
        csv.field_size_limit(previous)
