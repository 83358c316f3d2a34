"""A paper list at an address: the shapes of `files`, fetched."""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swimmer.errors import SourceError
from swimmer.sources.base import Source
from swimmer.sources.files import slug
from swimmer.sources.formats.json_text import parse_json
from swimmer.sources.formats.recognition import text_records
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.shapes import plain
from swimmer.sources.publishers.remote import RemoteSource, SourceOptions, Venue

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

_LIST = re.compile(r"\.(jsonl?|ndjson|csv|tsv|bib|ris|md|markdown|xml)(\.gz)?$", re.IGNORECASE)


class RemoteLists:
    """`https://…/papers.json` and the like; `list:<address>` when its name does not say so."""

    scheme = "list"
    summary = "any paper list at an http(s) address"

    def venues(self) -> tuple[Venue, ...]:
        """Return the one thing it takes."""
        return (Venue("<address>", "an address", (), "https://example.org/papers.json"),)

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of the list at an address."""
        path = urlsplit(what).path
        if urlsplit(what).scheme not in ("http", "https"):
            raise SourceError(
                f"list:{what[:200]}: is not an http or https address",
                hint="give the address of a paper list",
            )

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            for place, record in client.get(what, _text_records):
                if isinstance(record, NotAPaper):
                    yield place, record
                elif isinstance(record, Mapping):
                    yield place, plain(record)
                else:
                    yield place, NotAPaper("not an object")

        name = slug(_LIST.sub("", path.rpartition("/")[2]) or urlsplit(what).hostname or "list")
        return RemoteSource(name, f"list:{what}", what, records, options, what)

    def from_url(self, url: str) -> str:
        """Return an address whose path ends as a list's name does, else ""."""
        return url if _LIST.search(urlsplit(url).path) else ""


def _text_records(page: Page) -> list[tuple[str, Any]]:
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import SIZE_LIMIT, as_text, ends_too_early

    if page.body[:2] == b"\x1f\x8b":
        unfold = zlib.decompressobj(47)
        body = unfold.decompress(page.body, SIZE_LIMIT + 1)
        if len(body) > SIZE_LIMIT:
            raise SourceError(
                f"{page.url}: is larger than {SIZE_LIMIT >> 20} MB when unpacked; refused"
            )
        page = type(page)(page.url, body, page.headers, page.checked)
    text = as_text(page)
    if text.lstrip()[:1] in ("[", "{"):
        try:
            parse_json(text)
        except json.JSONDecodeError as error:
            if ends_too_early(error, text):
                raise IncompleteError(
                    f"{page.url}: the JSON is cut off", hint="run the command again later"
                ) from None
    return list(text_records(io.StringIO(text, newline=""), page.url))
