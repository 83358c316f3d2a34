"""OpenReview, through API v2 and, for the years before it, API v1."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from swimmer.errors import FetchError, SourceError
from swimmer.papers import openreview_id
from swimmer.sources.base import Source
from swimmer.sources.files import slug
from swimmer.sources.formats.openreview import openreview_note, unwrapped
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.shapes import need, need_in_some
from swimmer.sources.publishers.remote import (
    RemoteSource,
    SourceOptions,
    Venue,
    split_name,
    venue_and_year,
    years_since,
)

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

V2, V1 = "https://api2.openreview.net", "https://api.openreview.net"
PAGE = 1_000

GROUPS = {
    "iclr": ("ICLR.cc/{}/Conference", 2018),
    "neurips": ("NeurIPS.cc/{}/Conference", 2021),
    "icml": ("ICML.cc/{}/Conference", 2023),
    "colm": ("colmweb.org/COLM/{}/Conference", 2024),
    "corl": ("robot-learning.org/CoRL/{}/Conference", 2021),
    "uai": ("auai.org/UAI/{}/Conference", 2022),
    "aistats": ("aistats.org/AISTATS/{}/Conference", 2025),
    "log": ("logconference.io/LOG/{}/Conference", 2022),
}
"""The groups of conferences known by a short name, and their first year on OpenReview."""

_ENDINGS = {
    "accepted": ("",),
    "rejected": ("/Rejected_Submission",),
    "withdrawn": ("/Withdrawn_Submission", "/Desk_Rejected_Submission"),
}
_PAPER = re.compile(r"forum\?id=([\w-]{1,40})")
_V1_ACCEPTED = frozenset({"Oral", "Spotlight", "Poster", "Accepted"})


class OpenReview:
    """Any venue of OpenReview by its group id, conferences also by their short names.

    Anonymous, unless OPENREVIEW_USERNAME and OPENREVIEW_PASSWORD, or OPENREVIEW_TOKEN, are set.
    """

    scheme = "openreview"
    summary = "OpenReview venues and workshops, also rejected and withdrawn (--status)"

    def venues(self) -> tuple[Venue, ...]:
        """Return the conferences that have a short name."""
        known = tuple(
            Venue(name, f"{name.upper()} on OpenReview", years_since(first), f"{name}{first}")
            for name, (_, first) in GROUPS.items()
        )
        return (*known, Venue("<group>", "any group", (), "ICLR.cc/2025/Workshop/SCOPE"))

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of a group (`ICLR.cc/2025/Conference`, `iclr2025`), or of one paper.

        A paper is given as in its address: `forum?id=<id>`.
        """
        if one := _PAPER.fullmatch(what.strip()):
            return _paper(one[1], options)
        what, _, asked = what.strip().partition("?status=")
        what = what.strip("/")
        status = SourceOptions(status=asked or options.status).venue_status
        if "/" in what or what == "TMLR":
            if not re.fullmatch(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*", what):
                raise SourceError(
                    f"openreview:{what}: is not a group of OpenReview",
                    hint="give a group such as openreview:ICLR.cc/2025/Conference",
                )
            group, name = what, _store_name(what)
        else:
            known = self.venues()[:-1]
            venue, year = venue_and_year(re.sub("^nips", "neurips", what), known, self.scheme)
            group, name = GROUPS[venue.name][0].format(year), f"{venue.name}{year}"
        origin = f"openreview:{group}"
        if status != "accepted":
            name, origin = f"{name}-{status}", f"{origin}?status={status}"

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            headers = _credentials(client)
            found = False
            for place, record in _from_v2(client, group, status, headers):
                found = True
                yield place, record
            if not found:
                yield from _from_v1(client, group, status, headers)

        address = f"https://openreview.net/group?id={group}"
        return RemoteSource(name, origin, address, records, options, "https://openreview.net/")

    def from_url(self, url: str) -> str:
        """Return the group, or the paper, in an address: `openreview.net/group?id=…`."""
        parts = urlsplit(url)
        if parts.hostname not in ("openreview.net", "www.openreview.net"):
            return ""
        if paper := openreview_id(url):
            return f"forum?id={paper}"
        group = parse_qs(parts.query).get("id", [""])[0]
        if not parts.path.startswith("/group") or not group:
            raise SourceError(
                f"{url}: is not the address of a venue",
                hint="give an address such as https://openreview.net/group?id=ICLR.cc/2025/Conference",
            )
        return group


def _paper(number: str, options: SourceOptions) -> Source:
    def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
        headers = _credentials(client)
        try:
            notes = next(_pages(client, f"{V2}/notes", {"id": number}, headers))
        except FetchError:
            # The second interface knows no papers of the first.
            notes = []
        notes = notes or next(_pages(client, f"{V1}/notes", {"id": number}, headers))
        yield from _notes(notes, set())

    name = slug(f"openreview-{number}")
    address = f"https://openreview.net/forum?id={number}"
    return RemoteSource(name, f"openreview:forum?id={number}", address, records, options)


def _store_name(group: str) -> str:
    conference = re.fullmatch(r".*?([A-Za-z]+)(?:\.cc)?/(\d{4})/Conference", group)
    return f"{conference[1].lower()}{conference[2]}" if conference else slug(group)


def _credentials(client: Client) -> dict[str, str]:
    if client.offline:
        return {}
    token = os.environ.get("OPENREVIEW_TOKEN", "")
    user, password = (os.environ.get(f"OPENREVIEW_{n}", "") for n in ("USERNAME", "PASSWORD"))
    if not token and user and password:
        from swimmer.sources.http.client import as_json

        answer = client.get(
            f"{V2}/login", as_json, send={"id": user, "password": password}, keep=None
        )
        token = need(answer, "token", str, f"{V2}/login")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _pages(
    client: Client, url: str, params: Mapping[str, str | int], headers: Mapping[str, str]
) -> Iterator[list[Any]]:
    """Yield the pages of a listing, until its count is reached."""
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import as_json

    offset, total = 0, 0

    def page(answer: Page) -> list[Any]:
        nonlocal total
        value = as_json(answer)
        notes: list[Any] = need(value, "notes", list, answer.url)
        need_in_some(notes, ("content", "id"), answer.url)
        count = value.get("count")
        total = max(total, count) if isinstance(count, int) else total
        if not notes and offset < total:
            raise IncompleteError(f"{answer.url}: an empty page after {offset} of {total} notes")
        return notes

    while True:
        asked = {**params, "limit": PAGE, "offset": offset, "sort": "number:asc"}
        notes = client.get(url, page, params=asked, headers=headers)
        yield notes
        offset += len(notes)
        if not notes or (offset >= total if total else len(notes) < PAGE):
            return
        client.notify(f"{offset:,} of {total or '?':,} notes" if total else f"{offset:,} notes")


def _from_v2(
    client: Client, group: str, status: str, headers: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    wanted = list(_ENDINGS) if status == "all" else [status]
    seen: set[str] = set()
    for ending in (ending for name in wanted for ending in _ENDINGS[name]):
        venue_id = f"{group}{ending}"
        for notes in _pages(client, f"{V2}/notes", {"content.venueid": venue_id}, headers):
            need_in_some([unwrapped(_content(n)) for n in notes], ("title", "abstract"), venue_id)
            yield from _notes(notes, seen)


def _from_v1(
    client: Client, group: str, status: str, headers: Mapping[str, str]
) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    seen: set[str] = set()
    for kind in (
        "Blind_Submission",
        "Submission",
        "submission",
        "Withdrawn_Submission",
        "Desk_Rejected_Submission",
    ):
        if kind in ("Submission", "submission") and seen:
            continue
        if "Submission" in kind[5:] and kind != "Blind_Submission" and status == "accepted":
            continue
        params = {"invitation": f"{group}/-/{kind}", "details": "directReplies"}
        for notes in _pages(client, f"{V1}/notes", params, headers):
            need_in_some([_content(n) for n in notes], ("title",), f"{V1}: {group}")
            for place, record in _notes(notes, seen):
                if isinstance(record, Mapping) and not _wanted_v1(record, status):
                    reason = f"not {status} but {str(record['status']).lower() or 'undecided'}"
                    yield place, NotAPaper(reason)
                else:
                    yield place, record


def _wanted_v1(record: Mapping[str, Any], status: str) -> bool:
    if status == "all":
        return True
    if status == "accepted":
        return record["status"] in _V1_ACCEPTED
    return bool(str(record["status"]).casefold().endswith(status))


def _content(note: Any) -> Any:
    return note.get("content") if isinstance(note, Mapping) else None


def _notes(notes: list[Any], seen: set[str]) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    for note in notes:
        if not isinstance(note, Mapping):
            yield "a note", NotAPaper("not an object")
            continue
        record = openreview_note(note)
        number = str(record["id"])
        # The listing moves while it is read: a note may stand on two pages.
        if number in seen:
            yield number, NotAPaper("listed twice")
            continue
        seen.add(number)
        yield number, record


def short_name(what: str) -> bool:
    """Return whether a bare name such as `iclr2019` can be had here."""
    name, year = split_name(what)
    return name in GROUPS and year is not None and year >= GROUPS[name][1]
