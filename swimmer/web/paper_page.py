"""The page of one paper: its text, its place among others, its session, how to cite it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from swimmer.papers import (
    ABSTRACT_CUT,
    AUTHORS_ORDER,
    EVENT_PARTS,
    citation_line,
    events_in_words,
    presentations,
)
from swimmer.web.glance import picture_address
from swimmer.web.search_form import SearchForm
from swimmer.web.site import Site, shown, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.papers import Paper
    from swimmer.retrieval import Hit
    from swimmer.store import PaperStore

SIMILAR = 12
ELSEWHERE = 5
"""Papers of each other store, and of other years."""

OTHER_STORES = 4
BESIDE = 3
"""Posters on either side of a paper's own."""

_SESSION = 1_000
_TERMS = 12
_FIELDS = 40
_SHORT = 100
_HIDDEN = {
    ABSTRACT_CUT,
    AUTHORS_ORDER,
    "abstract_translated",
    "reading_notes",
    "reading_status",
    "reading_tags",
    "tldr",
}


@dataclass(frozen=True)
class Group:
    """Similar papers of one store, under a heading."""

    name: str
    store: str
    hits: Sequence[Hit]


def paper(request: Request) -> Response:
    """Return the page of one paper, with the papers most like it."""
    from swimmer.export import to_bibtex
    from swimmer.library import NOTE_LIMIT, STATUSES, entry_key
    from swimmer.web.results import similar_papers

    site = site_of(request)
    name, store, found = _asked(request)
    if found is None:
        return _no_such_paper(request, name)
    # Reasons take three times as long as all the rest.
    why = request.query_params.get("why", "") not in ("", "0")
    hits = similar_papers(store, found, SIMILAR, explain=why)
    key = entry_key(name, found.id)
    entries = [] if site.read_only else site.reading.entries()
    return site.page(
        request,
        "paper.html",
        store=name,
        paper=found,
        facts=list(_facts(found)),
        hits=hits,
        why=why,
        terms=shared_terms(hits),
        summary=site.summaries.of(found),
        session=beside(store, found),
        picture=picture_address(store, name, found.id),
        citation=citation_line(found),
        bibtex=to_bibtex([found]),
        entry=next((one for one in entries if one.key == key), None),
        statuses=STATUSES,
        note_limit=NOTE_LIMIT,
        # A search from this page starts from this paper.
        form=SearchForm(name, like=(found.id,), why=True),
        has_others=bool(_other_stores(site, name, store)) or _has_years(store),
    )


def elsewhere(request: Request) -> Response:
    """Return the papers most like one of a store in other stores and in other years."""
    site = site_of(request)
    name, store, found = _asked(request)
    if found is None:
        return _no_such_paper(request, name)
    groups = [one for one in _elsewhere(site, name, store, found) if one.hits]
    template = "elsewhere.html" if "hx-request" in request.headers else "elsewhere_page.html"
    return site.page(request, template, store=name, paper=found, groups=groups)


def _asked(request: Request) -> tuple[str, PaperStore, Paper | None]:
    """Return the store that is asked about, by the name given, and its paper of the id given."""
    site = site_of(request)
    name = request.query_params.get("store", "")[:200] or site.pool.default()
    store = site.pool.store(name)
    found = store.get([request.query_params.get("id", "")[:500]])
    return name, store, found[0] if found else None


def _no_such_paper(request: Request, name: str) -> Response:
    site = site_of(request)
    wanted = request.query_params.get("id", "")[:500]
    return site.page(
        request,
        "error.html",
        status=404,
        title="No such paper",
        message=f"The store {name} has no paper with the id {wanted!r}.",
        hint="The store may have been rebuilt since the link was made. Search for the title.",
        stores=site.pool.stores(),
    )


def _elsewhere(site: Site, name: str, store: PaperStore, paper: Paper) -> Iterator[Group]:
    from swimmer.retrieval import SearchOptions, ask

    if paper.year is not None and _has_years(store):
        options = SearchOptions(filter={"year": {"$ne": paper.year}})
        yield Group("Other years", name, ask(store, [paper], ELSEWHERE, options)[0].hits)
    for other in _other_stores(site, name, store):
        answer = ask(site.pool.store(other), [paper], ELSEWHERE)[0]
        yield Group(other, other, answer.hits if answer.related else [])


def _other_stores(site: Site, name: str, store: PaperStore) -> list[str]:
    """Return the names of other stores of the same model: no other has to be loaded for a paper."""
    model = store.identity.name
    names = [
        info.name
        for info in site.pool.stores()
        if info.manifest is not None and info.name != name and info.manifest.model.name == model
    ]
    return names[:OTHER_STORES]


def _has_years(store: PaperStore) -> bool:
    return not store.remote and len(store.database.value_counts("year")) > 1


def shared_terms(hits: Sequence[Hit]) -> list[str]:
    """Return the terms that a paper shares with the first hits of a search from it."""
    terms = [term for hit in hits if hit.reasons for term in hit.reasons.terms[:3]]
    return list(dict.fromkeys(terms))[:_TERMS]


@dataclass(frozen=True)
class Session:
    """The session of a paper, and the posters beside its own in walking order."""

    name: str
    beside: Sequence[tuple[str, Paper]]


def beside(store: PaperStore, paper: Paper) -> Session | None:
    """Return the session of a paper with the posters beside it, None where they are not known."""
    from swimmer.retrieval import SearchOptions, browse

    if store.remote:
        # A server has no index of sessions.
        return None
    name = paper.extra.get("session")
    own = next(iter(presentations(paper)), None)
    if not isinstance(name, str) or not name or own is None or not own.position:
        return None
    found = browse(store, _SESSION, SearchOptions(filter={"session": name}))
    posters = []
    for hit in found.hits:
        at = next((p for p in presentations(hit.paper) if p.start == own.start), None)
        if at is not None and at.position and at.room == own.room:
            posters.append((at.walking_order, at.position, hit.paper))
    posters.sort(key=lambda one: one[0])
    place = next((n for n, one in enumerate(posters) if one[2].id == paper.id), None)
    if place is None:
        return None
    near = posters[max(0, place - BESIDE) : place + BESIDE + 1]
    return Session(name, [(position, one) for _, position, one in near])


def _facts(paper: Paper) -> Iterator[tuple[str, list[str]]]:
    """Yield the other fields of a paper: a label and its values."""
    events = events_in_words(paper)
    if events:
        yield "Presented", [shown(event, 500) for event in events]
    for name, value in list(paper.extra.items())[:_FIELDS]:
        if events and name in EVENT_PARTS:
            continue
        plain = _plain_values(value)
        if plain and name not in _HIDDEN:
            label = re.sub(r"[_\W]+", " ", shown(name, 60)).strip()
            yield label[:1].upper() + label[1:] or "Field", plain


def _plain_values(value: Any) -> list[str]:
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    return [
        shown(one, 2_000)
        for one in values[:_SHORT]
        if isinstance(one, (str, int, float)) and not isinstance(one, (bool, Mapping)) and one != ""
    ]


ROUTES = [Route("/paper", paper), Route("/paper/elsewhere", elsewhere)]
