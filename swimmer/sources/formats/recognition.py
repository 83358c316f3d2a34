"""Which format a text has, told from its content, and the records that its reader finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from swimmer.errors import SourceError
from swimmer.sources.formats import ris, tagged, yaml
from swimmer.sources.formats.json_lists import json_records
from swimmer.sources.formats.json_text import WHOLE_LIMIT
from swimmer.sources.formats.parts import parts_of, read_whole
from swimmer.sources.formats.tables import delimited_records, table_delimiter

Records = Iterator[tuple[str, Any]]
Reader = Callable[[str, str], Records]

XML_LIMIT = 32 << 20
"""Characters of a list that is read whole: an element of XML takes twenty times its text."""

HEAD = 1 << 16
"""Characters from which a format is told."""

EXPECTED = (
    "give JSON, JSON lines, CSV or TSV with a header, BibTeX, RIS, Markdown, YAML, XML, nbib, "
    "EndNote, Web of Science, or one title a line; see docs/sources.md"
)
_BIBTEX = re.compile(
    r"(?m)^[ \t]{0,20}@[ \t]{0,9}(?:article|book|booklet|comment|conference|inbook|incollection"
    r"|inproceedings|manual|mastersthesis|misc|online|phdthesis|preamble|proceedings|report|set"
    r"|string|techreport|thesis|unpublished|collection|patent|software|dataset)\s{0,9}[{(]",
    re.IGNORECASE,
)
_ANY_ENTRY = re.compile(r"@\s{0,9}[A-Za-z]{2,20}\s{0,9}[{(]")
_BEGINS = re.compile(
    r"(?m)^(?:[ \t]{0,9}@\s{0,9}[A-Za-z]{1,40}\s{0,9}[{(]|[ \t]{0,3}TY[ \t]{1,3}-|PMID\s?-|PT |%0"
    r"|##[ \t]{1,9}\d{1,9}[.):、])"
)
_JSON = re.compile(r"\{|\[\s{0,99}[\[{\"\]]")
_BULLET = re.compile(r"(?m)^[ \t]{0,3}[-*+|]")
_BIBTEX_STRING = re.compile(r"(?im)^@string\s{0,9}[{(][^\n]{0,2000}$")
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[\]<>]{0,500}>")
_MARKDOWN = re.compile(
    r"(?m)^#{1,6}[ \t]\S|^[ \t]{0,3}[-*+][ \t]{1,4}(?:\*\*|__)?\[[^\]\n]{1,300}\]\(http"
)


def text_records(stream: IO[str], name: str, columns: Mapping[str, str] | None = None) -> Records:
    """Yield (place, record) of a text in any of the formats; `name` is for messages.

    Args:
        stream: the text.
        name: the file or address, for messages.
        columns: the columns of a table that hold a field, by field.

    Raises:
        SourceError: it is none of the formats, or damaged; with what was found.
    """
    head = ""
    while not head.strip() and (chunk := stream.read(HEAD)):
        head = (head + chunk)[-2 * HEAD :]
    start = head.lstrip("\ufeff \t\r\n\x0b\x0c")
    if not start:
        raise SourceError(f"{name}: is empty", hint=EXPECTED)
    if "\x00" in start:
        raise SourceError(f"{name}: is binary, not text", hint=EXPECTED)
    if start[0] in "[{":
        yield from json_records(start, stream, name)
    elif columns:
        yield from delimited_records(start, stream, name, columns)
    elif reader := _reader(start):
        yield from _read(reader, start, stream, name)
    elif table_delimiter(start.splitlines()[0]):
        yield from delimited_records(start, stream, name)
    else:
        yield from _other(read_whole(start, stream, name, WHOLE_LIMIT), name)


def is_list(text: str) -> bool:
    """Whether a text has a format with fields or marks, rather than lines of plain words."""
    start = text[:HEAD].lstrip("\ufeff \t\r\n\x0b\x0c")
    if not start:
        return False
    if _JSON.match(start) or _reader(start) is not None:
        return True
    header, _, rows = start.partition("\n")
    return bool(rows.strip()) and bool(table_delimiter(header))


def _read(reader: Reader, head: str, stream: IO[str], name: str) -> Records:
    """Read a text by a reader, part by part where records can be told apart and it is long."""
    if reader in (_xml, yaml.yaml_records):
        yield from reader(read_whole(head, stream, name, XML_LIMIT), name)
        return
    from swimmer.sources.formats.markdown import SECTION

    defined = ""
    links = reader is _markdown and not SECTION.search(head)
    for part, lines in parts_of(head, stream, name, _BULLET if links else _BEGINS):
        is_part = bool(lines) or len(part) < len(head)
        if reader is _markdown and is_part and not _is_list(part):
            # A part may hold the introduction only; then a later one has the papers.
            continue
        # The abbreviations of one part of a bibliography are used in the next.
        for place, record in reader(defined + part, name):
            yield _moved(place, lines - defined.count("\n")), record
        defined += "".join(f"{found[0]}\n" for found in _BIBTEX_STRING.finditer(part))[:100_000]


def _is_list(markdown: str) -> bool:
    from swimmer.sources.formats.awesome import has_links
    from swimmer.sources.formats.markdown import SECTION

    return bool(SECTION.search(markdown)) or has_links(markdown)


def _moved(place: str, lines: int) -> str:
    word, _, number = place.partition(" ")
    return f"line {int(number) + lines}" if word == "line" and lines else place


def _reader(start: str) -> Reader | None:
    """Return the reader of a text that begins so, when it is neither JSON nor a table."""
    if tagged.STARTS_NBIB.match(start):
        return lambda text, _name: tagged.nbib_records(text)
    if tagged.STARTS_WOS.match(start):
        return lambda text, _name: tagged.wos_records(text)
    if tagged.STARTS_ENW.match(start):
        return lambda text, _name: tagged.enw_records(text)
    if start[0] == "<" and not _MARKDOWN.search(start):
        return _xml
    if _ANY_ENTRY.match(start) or _BIBTEX.search(start):
        return _bibtex
    if ris.FIRST.search(start):
        return lambda text, _name: ris.ris_records(text)
    if _MARKDOWN.search(start):
        return _markdown
    if yaml.STARTS.match(start):
        return yaml.yaml_records
    return None


def _bibtex(text: str, _name: str) -> Records:
    from swimmer.sources.formats.bibtex import bibtex_records

    yield from bibtex_records(text)


def _markdown(text: str, name: str) -> Records:
    from swimmer.sources.formats.awesome import awesome_records, has_links
    from swimmer.sources.formats.markdown import SECTION, markdown_records

    if SECTION.search(text):
        yield from markdown_records(text)
    elif has_links(text):
        yield from awesome_records(text)
    elif yaml.STARTS.match(text):
        yield from yaml.yaml_records(text, name)
    else:
        raise SourceError(
            f"{name}: Markdown without a section '## 1. Title' and without bullets or tables of "
            "links",
            hint="the forms of Markdown that can be read stand in docs/sources.md",
        )


def _xml(text: str, name: str) -> Records:
    from swimmer.sources.formats.anthology import collection_records
    from swimmer.sources.formats.atom import entry_record, feed
    from swimmer.sources.formats.dblp import DBLP_ROOTS, dblp_records
    from swimmer.sources.formats.endnote import endnote_records
    from swimmer.sources.formats.pubmed import pubmed_records
    from swimmer.sources.formats.xml import parse_xml

    if re.match(r"\s{0,99}(?:<!doctype html|<html)", text, re.IGNORECASE):
        raise SourceError(
            f"{name}: is a web page (HTML)",
            hint="save the paper list that it shows, and give that file",
        )
    # The declaration names an encoding that the text no longer has; PubMed names a document type
    # that only an address stands for, and which is never fetched.
    body = re.sub(r"^\s{0,99}<\?xml[^>]{0,500}\?>", "", text)
    if (kind := _DOCTYPE.search(body[:2_000])) and (
        "PubmedArticle" in body[:5_000] or "dblp" in kind[0]
    ):
        body = _DOCTYPE.sub("", body, count=1)
    root = parse_xml(body, name)
    if root.tag == "collection":
        yield from collection_records(root, name)
    elif root.tag in ("PubmedArticleSet", "PubmedArticle"):
        yield from pubmed_records(root)
    elif root.tag in DBLP_ROOTS:
        yield from dblp_records(root)
    elif root.tag in ("xml", "records", "record") and next(root.iter("record"), None) is not None:
        yield from endnote_records(root)
    else:
        for number, entry in enumerate(feed(root, name)[0], 1):
            yield f"record {number}", entry_record(entry)


def _other(text: str, name: str) -> Records:
    from swimmer.sources.formats.titles import looks_like_titles, title_records

    if looks_like_titles(text):
        yield from title_records(text)
        return
    first = text.split("\n", 1)[0].strip()
    if first.startswith("\\") and re.search(r"\\(?:documentclass|title|begin)\b", text[:20_000]):
        raise SourceError(
            f"{name}: is a LaTeX text, not a paper list",
            hint="search with it (swimmer related), or give the .bib file that it cites",
        )
    shown = f"starts with {first[:60]!r}"
    if text.startswith("Article") or "\t" in first or max(map(first.count, ",;|")) > 1:
        raise SourceError(
            f"{name}: {shown}",
            hint="if it is a table without a column title, name that column: --columns title=NAME",
        )
    raise SourceError(f"{name}: {shown}", hint=EXPECTED)
