"""The Semantic Scholar Graph: a bulk search, or a list of ids."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.papers import arxiv_id
from swimmer.sources.base import Source
from swimmer.sources.files import slug
from swimmer.sources.formats.indexes import semantic_scholar
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.shapes import need, need_in_some
from swimmer.sources.publishers.id_lists import listed_ids
from swimmer.sources.publishers.remote import RemoteSource, SourceOptions, Venue

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

API = "https://api.semanticscholar.org/graph/v1"
FIELDS = (
    "title,abstract,authors,url,venue,year,externalIds,citationCount,fieldsOfStudy,publicationDate"
)
IDS_AT_ONCE = 500
PAGES = 1_000
_ID = re.compile(
    r"[0-9a-f]{40}|(?:CorpusId|MAG|PMID|PMCID):\d+|(?:DOI):10\.\S+|ACL:\S+|ARXIV:\S+|URL:https?://\S+",
    re.IGNORECASE,
)


class SemanticScholar:
    """`s2:<words>` searches in bulk, `s2:ARXIV:1706.03762,DOI:…` and `s2:@ids.txt` fetch by id.

    The key is taken from S2_API_KEY or SEMANTIC_SCHOLAR_API_KEY when one is set.
    """

    scheme = "s2"
    summary = "Semantic Scholar: a search, or a list of ids"

    def venues(self) -> tuple[Venue, ...]:
        """Return the kinds of question it takes."""
        return (
            Venue("<words>", "a bulk search", (), "graph neural networks"),
            Venue("<ids>", "a list of ids, or a file of them", (), "ARXIV:1706.03762"),
        )

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of a search or of a list of ids."""
        what = what.strip()
        if not what:
            raise SourceError(
                "s2: nothing to search for",
                hint="give words, or ids such as s2:ARXIV:1706.03762",
            )
        ids = listed_ids(what, _identifier, "ARXIV:1706.03762")
        if ids:
            name = slug(f"s2-{ids[0]}" + (f"-and-{len(ids) - 1}" if len(ids) > 1 else ""))
            origin = f"s2:{what}" if what.startswith("@") else f"s2:{','.join(ids)}"
            return RemoteSource(
                name, origin, f"{API}/paper/batch", lambda c: _by_id(c, ids), options
            )
        address = f"{API}/paper/search/bulk"
        name = slug(f"s2-{what}")
        return RemoteSource(name, f"s2:{what}", address, lambda c: _search(c, what), options)

    def from_url(self, url: str) -> str:
        """Return the id in the address of a paper."""
        parts = urlsplit(url)
        if parts.hostname not in ("semanticscholar.org", "www.semanticscholar.org"):
            return ""
        found = re.search(r"[0-9a-f]{40}", parts.path)
        if not found:
            raise SourceError(f"{url}: no paper id in it", hint="try s2:<words to search for>")
        return found[0]


def _identifier(word: str) -> str:
    if _ID.fullmatch(word):
        return word
    number = arxiv_id(word)
    return f"ARXIV:{number}" if number else ""


def _headers() -> dict[str, str]:
    key = os.environ.get("S2_API_KEY") or os.environ.get("SEMANTIC_SCHOLAR_API_KEY")
    return {"x-api-key": key} if key else {}


def _by_id(client: Client, ids: list[str]) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        wanted = ids[start : start + IDS_AT_ONCE]

        def read(page: Page, wanted: list[str] = wanted) -> list[Any]:
            from swimmer.sources.http.client import as_json

            found = as_json(page)
            if not isinstance(found, list) or len(found) != len(wanted):
                raise SourceError(
                    f"{page.url}: expected a list of {len(wanted)} papers", hint=FORMAT_CHANGED
                )
            need_in_some(found, ("paperId", "title", "abstract"), page.url)
            return found

        papers = client.get(
            f"{API}/paper/batch",
            read,
            params={"fields": FIELDS},
            send={"ids": wanted},
            headers=_headers(),
        )
        for number, paper in zip(wanted, papers, strict=True):
            yield number, _record(paper, "unknown to Semantic Scholar")


def _search(client: Client, words: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    from swimmer.sources.http.client import as_json

    url, token, count = f"{API}/paper/search/bulk", "", 0
    for _ in range(PAGES):
        params = {"query": words, "fields": FIELDS, **({"token": token} if token else {})}
        answer = client.get(url, as_json, params=params, headers=_headers())
        papers = need(answer, "data", list, url)
        need_in_some(papers, ("paperId", "title", "abstract"), url)
        for paper in papers:
            count += 1
            yield f"record {count}", _record(paper, "null in place of a paper")
        following = answer.get("token")
        if not papers or not following or following == token:
            return
        token = str(following)
        client.notify(f"{count:,} of {answer.get('total', '?')} papers")


def _record(paper: Any, otherwise: str) -> Mapping[str, Any] | NotAPaper:
    if not isinstance(paper, Mapping):
        return NotAPaper(otherwise)
    return semantic_scholar(paper)
