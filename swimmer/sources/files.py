"""Paper lists on disk, their format recognised from the content, whatever the file is called."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from swimmer.errors import CHECK_FILE, SourceError
from swimmer.papers import Paper
from swimmer.sources.base import SourceReport
from swimmer.sources.formats.records import NotAPaper, paper_from_record
from swimmer.sources.formats.shapes import plain
from swimmer.sources.list_checks import checked
from swimmer.sources.statuses import checked_status, refused_status

_ENDINGS = re.compile(
    r"(\.(gz|zip|jsonl?|ndjson|csv|tsv|txt|bib|ris|md|markdown|xml|nbib|enw|ya?ml|xlsx|parquet))+$"
)


class FileSource:
    """A list of papers in one local file, of any format that is recognised.

    Formats: JSON and JSON lines (a list of records, an envelope that holds one, a dict keyed by
    URL or id), CSV and TSV, Excel, Parquet, BibTeX, RIS, PubMed (nbib, XML), EndNote (enw, XML),
    Web of Science, YAML, Markdown lists, XML of the ACL Anthology or of arXiv, one title a line;
    each also gzip-compressed or in a zip archive.

    Args:
        path: the file.
        columns: for a table, the name of the column that holds a field, by field.
        status: which papers, by what the list says of them: one of `STATUSES`.

    Raises:
        SourceError: the path is missing, is not a file, or cannot be read (on construction),
            or its content is none of the formats (when papers are read); with what was found.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: Mapping[str, str] | None = None,
        status: str = "all",
    ) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise SourceError(f"{self.path}: no such file", hint="give the path of a paper list")
        if self.path.is_dir():
            raise SourceError(f"{self.path}: is a folder", hint="give one file with a paper list")
        self.origin = str(self.path)
        self.name = slug(_ENDINGS.sub("", self.path.name.lower()[:500]))
        self._columns = dict(columns or {})
        self._status = checked_status(status)

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers of the file; records left out are counted in `report`."""
        yield from checked(self._read(report), report)

    def _read(self, report: SourceReport) -> Iterator[Paper]:
        try:
            yield from _papers_of(self._records(report), report, self.name, self._status)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(
                f"{self.path}: cannot be read ({error})",
                hint=CHECK_FILE,
            ) from None
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{self.path}: not text in {error.encoding} (byte {error.start}: "
                f"{error.object[error.start]:#04x})",
                hint="save the list as UTF-8",
            ) from None

    def _records(self, report: SourceReport) -> Iterator[tuple[str, Any]]:
        from swimmer.sources.formats.archives import archived_records, is_workbook
        from swimmer.sources.formats.recognition import text_records
        from swimmer.sources.formats.tables import parquet_records, workbook_records
        from swimmer.sources.formats.text import open_text

        with self.path.open("rb") as file:
            magic = file.read(4)
        name, columns = str(self.path), self._columns
        if magic == b"PK\x03\x04":
            if is_workbook(self.path):
                yield from workbook_records(self.path, name, columns)
            else:
                yield from archived_records(self.path, columns)
        elif magic == b"PAR1":
            yield from parquet_records(self.path, name, columns)
        else:
            stream, encoding = open_text(self.path)
            report.encoding = encoding
            with stream:
                yield from text_records(stream, name, columns)


class CitedSource:
    """References in a text: BibTeX, RIS or another format of lists, or as a paper lists them.

    Args:
        text: the text; or a list of texts, each one reference: as a paper lists it, or an entry.
        name: what it is, for messages.
    """

    def __init__(self, text: str | Sequence[str], name: str = "the references") -> None:
        self.text, self.name, self.origin = text, name, name

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield a paper for each reference; records left out are counted in `report`.

        Raises:
            SourceError: the text has a format and is damaged.
        """
        yield from checked(_papers_of(self._records(), report, self.name), report)

    def _records(self) -> Iterator[tuple[str, Any]]:
        from swimmer.sources.formats.citations import citation_record, citation_records
        from swimmer.sources.formats.recognition import is_list, text_records

        if not isinstance(self.text, str):
            for number, one in enumerate(self.text, 1):
                place = f"reference {number}"
                if is_list(one):
                    stream = io.StringIO(one, newline="")
                    yield from ((place, each) for _, each in text_records(stream, place))
                else:
                    yield place, {"id": str(number), **citation_record(one)}
        elif is_list(self.text):
            yield from text_records(io.StringIO(self.text, newline=""), self.name)
        else:
            yield from citation_records(self.text)


def _papers_of(
    records: Iterable[tuple[str, Any]], report: SourceReport, name: str, status: str = "all"
) -> Iterator[Paper]:
    for place, record in records:
        report.read += 1
        try:
            if type(record) is not dict and not isinstance(record, Mapping):
                left_out = isinstance(record, NotAPaper)
                raise record if left_out else NotAPaper("not an object")
            paper = paper_from_record(plain(record, name))
            if status != "all" and (reason := refused_status(paper, status)):
                raise NotAPaper(reason)
        except NotAPaper as reason:
            report.skip(str(reason), place)
            continue
        yield paper


def slug(text: str) -> str:
    """Return text as a store's name: lower-case letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]+", "-", text.casefold()).strip("-_")[:64] or "papers"
