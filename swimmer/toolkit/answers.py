"""The answers of the tools: plain data of bounded size.

Titles and abstracts were written by others: they are returned as values of named fields, without
control characters and cut to a length, never as part of the tool's own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import NotRequired, TypedDict

if TYPE_CHECKING:
    from swimmer.analysis import NearPerson, Recommendations, Trends
    from swimmer.errors import SwimmerError
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Hit
    from swimmer.store import PaperStore, Person, RemoteInfo, StoreInfo

_Data = TypeVar("_Data")
_NOTE_TOKENS = 200

EXCERPT = 700
"""Characters of the abstract of a hit."""

ABSTRACT_LENGTH = 6_000
"""Characters of the abstract that `get_paper` returns."""

MOST_TOKENS = 10_000
"""Tokens of a model that one answer takes at most, estimated."""

SHORT_EXCERPT = 200
"""Characters of an abstract where the longer ones would make an answer too long."""


class PaperData(TypedDict):
    """One paper as plain data; `score` and `rank` where it is a hit.

    `near` are titles of the library that it is near to, where a library was searched with.
    `summary` is the paper in one sentence; `summary_by` says whether that is from its abstract or
    its source, or which chat model wrote it.
    """

    store: NotRequired[str]
    id: str
    title: str
    authors: list[str]
    venue: str
    year: int | None
    url: str
    abstract: str
    rank: NotRequired[int]
    score: NotRequired[float]
    near: NotRequired[list[str]]
    keywords: NotRequired[list[str]]
    status: NotRequired[str]
    summary: NotRequired[str]
    summary_by: NotRequired[str]


class AnswerData(TypedDict):
    """What a search gave.

    `matched` is the title that the query was taken as, or None; `taken_as` how it was read;
    `related` is False when nothing similar was found, and the papers are the nearest all the same.
    `more` papers were found and left out, so that the answer is not too long.
    """

    store: str
    model: str
    matched: str | None
    taken_as: str
    related: bool
    warnings: list[str]
    papers: list[PaperData]
    more: int


class StoreData(TypedDict):
    """One store as plain data; `problem` says why it cannot be searched, "" when it can."""

    name: str
    papers: int
    model: str
    built: str
    problem: str


class StoreList(TypedDict):
    """A list of stores; `more` were left out."""

    stores: list[StoreData]
    more: int


class StoreSummary(TypedDict):
    """What one store holds: `fields` are those that conditions may be on."""

    name: str
    papers: int
    model: str
    built: str
    fields: list[str]


class AuthorData(TypedDict):
    """An author of a store as plain data, with the number of papers there."""

    name: str
    papers: int
    store: str


class AuthorList(TypedDict):
    """A list of authors; `more` were left out."""

    authors: list[AuthorData]
    more: int


class NearPaperData(TypedDict):
    """A paper of a person, with lines that say when and where it is presented."""

    id: str
    title: str
    url: str
    score: float
    events: list[str]


class NearPersonData(TypedDict):
    """A person who works on something as plain data; `near` of the `papers` are near to it."""

    name: str
    store: str
    institution: str
    papers: int
    near: int
    nearest: list[NearPaperData]


class NearPeopleData(TypedDict):
    """People who work on something, nearest first; `more` were left out."""

    people: list[NearPersonData]
    more: int


class ExampleData(TypedDict):
    """A paper that shows what a topic is."""

    id: str
    title: str
    url: str


class ChangedTopicData(TypedDict):
    """A topic with its papers by year, its shares in percent, and the change in points."""

    topic: str
    kind: str
    change: float
    papers: dict[str, int]
    shares: dict[str, float]
    examples: list[ExampleData]


class ChangedTopicsData(TypedDict):
    """Topics that changed, most first; `more` were left out, `steady` did not change surely."""

    papers: dict[str, int]
    topics: list[ChangedTopicData]
    more: int
    steady: int


class ErrorData(TypedDict):
    """Why a call was refused, and what to do; `hint` is "" for nothing."""

    error: str
    hint: str


def answer_data(answer: Answer, near: Sequence[Sequence[str]] = ()) -> AnswerData:
    """Return an answer as plain data of at most about MOST_TOKENS tokens.

    `near` are the titles that each hit is near to. Abstracts are cut to EXCERPT characters; where
    that is too long to SHORT_EXCERPT, and then the last papers are left out and counted in `more`.
    """
    warnings = [bounded(warning, 1_000) for warning in answer.warnings[:10]]
    if answer.hits and not answer.related:
        warnings.append(
            "nothing in the store is similar to the query; these are the nearest papers"
        )
    data: AnswerData = {
        "store": bounded(answer.store, 1_000),
        "model": bounded(answer.model, 500),
        "matched": bounded(answer.matched.display_title, 500) if answer.matched else None,
        "taken_as": bounded(str(answer.reading), 300) if answer.reading is not None else "",
        "related": answer.related,
        "warnings": warnings,
        "papers": [],
        "more": 0,
    }
    room = MOST_TOKENS - tokens_of(as_text(data)) - _NOTE_TOKENS
    papers = _hits_data(answer, EXCERPT, near)
    if sum(map(_size, papers)) > room:
        papers = _hits_data(answer, SHORT_EXCERPT, near)
    data["papers"] = _fitting(papers, room)
    data["more"] = len(papers) - len(data["papers"])
    if data["more"]:
        data["warnings"].append(
            f"{data['more']} more papers were found and left out, to keep the answer short; "
            "narrow the search with year_from, venue, author or where"
        )
    return data


def _hits_data(answer: Answer, abstract: int, near: Sequence[Sequence[str]]) -> list[PaperData]:
    found = [_hit_data(hit, answer.store, abstract, answer.listed) for hit in answer.hits]
    for data, titles in zip(found, near, strict=False):
        data["near"] = [bounded(title, 200) for title in titles[:2]]
    return found


def _hit_data(hit: Hit, store: str, abstract: int, listed: bool) -> PaperData:
    # A hit of several stores says its own.
    own = hit.paper.extra.get("store", store) if ", " in store else store
    paper = paper_data(hit.paper, abstract, store=str(own))
    ranked: PaperData = {"rank": hit.rank, "score": round(hit.score, 4), **paper}
    if listed:
        # What a query or a filter names was not searched for: it has no score.
        del ranked["score"]
    return ranked


def recommendations_data(found: Recommendations) -> AnswerData:
    """Return what is recommended for a library as plain data, as `answer_data` does."""
    near = [[paper.display_title for paper in one.near] for one in found.found]
    return answer_data(found.answer("the library"), near)


def tokens_of(text: str) -> int:
    """Return about how many tokens of a model a text takes: 3.5 letters of ASCII, one other."""
    other = len(text) - len(text.encode("ascii", "ignore"))
    return int((len(text) - other) / 3.5) + other + 1


def _size(data: Any) -> int:
    return tokens_of(as_text(data))


def _fitting(items: list[_Data], room: int) -> list[_Data]:
    kept: list[_Data] = []
    for item in items:
        room -= _size(item)
        if room < 0 and kept:
            break
        kept.append(item)
    return kept


def fitting(items: list[_Data]) -> list[_Data]:
    """Return the first of some plain data, as many as one answer may hold."""
    return _fitting(items, MOST_TOKENS - _NOTE_TOKENS)


def paper_data(paper: Paper, abstract: int = ABSTRACT_LENGTH, *, store: str = "") -> PaperData:
    """Return a paper as plain data, its abstract cut to so many characters, and its store."""
    from swimmer.text import clean_url

    data: PaperData = {
        "id": bounded(paper.id, 500),
        "title": bounded(paper.display_title, 500),
        "authors": [bounded(name, 100) for name in paper.authors[:20]],
        "venue": bounded(paper.venue, 100),
        "year": paper.year,
        "url": clean_url(paper.url),
        "abstract": bounded(paper.abstract, abstract),
    }
    if store:
        data["store"] = bounded(store, 200)
    if paper.keywords:
        data["keywords"] = [bounded(word, 100) for word in paper.keywords[:20]]
    if paper.status:
        data["status"] = bounded(paper.status, 100)
    return data


def whole_paper_data(paper: Paper, store: str) -> PaperData:
    """Return a paper as plain data, with its one sentence and where that comes from.

    Raises:
        StoreError: the file of what chat models wrote cannot be read.
    """
    from swimmer.library import Summaries

    data = paper_data(paper, store=store)
    if found := Summaries().of(paper):
        data["summary"] = found.text
        data["summary_by"] = found.by
    return data


def bounded(text: str, limit: int) -> str:
    """Return text without control characters, at most `limit` characters, "…" where cut."""
    from swimmer.text import clean

    # Cleaned again: the store may have been written by another program.
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def stores_data(stores: Sequence[StoreInfo | RemoteInfo]) -> StoreList:
    """Return stores as plain data."""
    found: list[StoreData] = []
    for info in stores:
        manifest = info.manifest
        found.append(
            {
                "name": info.name,
                "papers": manifest.papers if manifest else 0,
                "model": manifest.model.name if manifest else "",
                "built": manifest.created if manifest else "",
                "problem": bounded(info.problem, 500),
            }
        )
    kept = fitting(found)
    return {"stores": kept, "more": len(found) - len(kept)}


def store_data(store: PaperStore) -> StoreSummary:
    """Return what one store holds as plain data."""
    from swimmer.store import MilvusStore

    created = store.held.created if isinstance(store, MilvusStore) else store.manifest.created
    return {
        "name": store.name,
        "papers": len(store),
        "model": store.identity.name,
        "built": created,
        "fields": [bounded(name, 100) for name in sorted(store.fields())[:100]],
    }


def authors_data(people: Sequence[tuple[Person, PaperStore]], k: int) -> AuthorList:
    """Return the first k of some people with their stores as plain data."""
    found: list[AuthorData] = [
        {"name": bounded(person.name, 200), "papers": person.papers, "store": store.name}
        for person, store in people
    ]
    kept = fitting(found[:k])
    return {"authors": kept, "more": len(found) - len(kept)}


def near_people_data(people: Sequence[NearPerson]) -> NearPeopleData:
    """Return people with their nearest papers as plain data."""
    from swimmer.analysis import SHOWN_PAPERS

    found: list[NearPersonData] = [
        {
            "name": bounded(one.name, 200),
            "store": bounded(one.store, 200),
            "institution": bounded(one.institution, 200),
            "papers": one.papers,
            "near": len(one.near),
            "nearest": [_near_paper(hit) for hit in one.near[:SHOWN_PAPERS]],
        }
        for one in people
    ]
    kept = _fitting(found, MOST_TOKENS - _NOTE_TOKENS)
    return {"people": kept, "more": len(found) - len(kept)}


def _near_paper(hit: Hit) -> NearPaperData:
    from swimmer.papers import events_in_words
    from swimmer.text import clean_url

    return {
        "id": bounded(hit.paper.id, 500),
        "title": bounded(hit.paper.display_title, 300),
        "url": clean_url(hit.paper.url),
        "score": round(hit.score, 4),
        "events": [bounded(line, 300) for line in events_in_words(hit.paper)[:3]],
    }


def changed_topics_data(found: Trends) -> ChangedTopicsData:
    """Return topics that changed as plain data."""
    from swimmer.text import clean_url

    topics: list[ChangedTopicData] = [
        {
            "topic": bounded(one.topic, 200),
            "kind": one.kind,
            "change": one.change,
            "papers": {bounded(str(name), 100): count for name, count in one.counts.items()},
            "shares": {
                bounded(str(name), 100): round(found.share(one, name), 2) for name in found.papers
            },
            "examples": [
                {
                    "id": bounded(paper.id, 500),
                    "title": bounded(paper.display_title, 300),
                    "url": clean_url(paper.url),
                }
                for paper in one.examples
            ],
        }
        for one in found.topics
    ]
    kept = fitting(topics)
    return {
        "papers": {bounded(str(name), 100): count for name, count in found.papers.items()},
        "topics": kept,
        "more": len(topics) - len(kept),
        "steady": found.steady,
    }


def error_data(error: SwimmerError) -> ErrorData:
    """Return an error as plain data."""
    return {"error": bounded(str(error), 2_000), "hint": bounded(error.hint, 1_000)}


def as_text(data: Any) -> str:
    """Return plain data as the JSON text that a model reads."""
    import json

    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
