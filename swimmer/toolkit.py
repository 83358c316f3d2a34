"""The tools for agents: checked arguments in, plain data of bounded size out.

`langchain/tools.py` and `mcp_server.py` are front ends of this module. Titles and abstracts were
written by others: they are returned as values of named fields, without control characters and cut
to a length, never as part of the tool's own text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import NotRequired, TypedDict

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Hit
    from swimmer.store import Filter, PaperStore

_Data = TypeVar("_Data")
_NOTE_TOKENS = 200

MOST_HITS = 50
"""Papers that one call may return."""

EXCERPT = 700
"""Characters of the abstract of a hit."""

ABSTRACT_LENGTH = 6_000
"""Characters of the abstract that `get_paper` returns."""

MOST_STORES = 20
"""Stores that one call may search."""

MOST_TOKENS = 10_000
"""Tokens of a model that one answer takes at most, estimated."""

SHORT_EXCERPT = 200
"""Characters of an abstract where the longer ones would make an answer too long."""

_TITLES = ("title", "part")

Title = Annotated[
    str,
    Field(
        description="The title of a paper, complete or nearly so.", min_length=1, max_length=1_000
    ),
]
Text = Annotated[
    str,
    Field(description="What the papers should be about, in words.", min_length=1, max_length=5_000),
]
Number = Annotated[int, Field(description="How many papers.", ge=1, le=MOST_HITS)]
PaperName = Annotated[
    str,
    Field(
        description="A paper's id as other tools return it, its URL, or its title.",
        min_length=1,
        max_length=2_000,
    ),
]
YearFrom = Annotated[
    int | None, Field(description="Only papers of this year or later.", ge=1900, le=2100)
]
YearTo = Annotated[
    int | None, Field(description="Only papers of this year or earlier.", ge=1900, le=2100)
]
StoreName = Annotated[
    str | None,
    Field(
        description="The store to search, by its name; by default the newest.",
        max_length=100,
    ),
]

DESCRIPTIONS = {
    "find_similar_papers": "Find the papers most similar to a paper that you know by its title. "
    "A short name, a part of a title or an address works too. `matched` is the paper of the store "
    "that was recognised, null for none; `taken_as` says how the words were understood. "
    "`related` is false when there is no close match. Scores are cosine similarities.",
    "search_papers": "Search papers by topic, in any words (a topic, a question, an idea), or by "
    "author. `taken_as` says how the words were understood; `related` is false when there is no "
    "close match. Scores are cosine similarities.",
    "get_paper": "Get one paper with its authors, abstract and links.",
    "list_stores": "List the stores of papers that can be searched, with their sizes.",
}


Venue = Annotated[
    str | None,
    Field(description="Only papers whose venue contains this, such as ICLR.", max_length=200),
]
Status = Annotated[
    str | None,
    Field(description="Only papers whose status contains this, such as Oral.", max_length=200),
]
Author = Annotated[
    str | None,
    Field(description="Only papers with an author whose name contains this.", max_length=200),
]
Where = Annotated[
    str | None,
    Field(
        description="Only papers that meet a condition on any field, such as "
        'year>=2024 and area=~"reinforcement".',
        max_length=2_000,
    ),
]
StoreNames = Annotated[
    list[str] | None,
    Field(description="Several stores to search as one, by their names.", max_length=MOST_STORES),
]


class _Arguments(BaseModel):
    """Arguments of a tool; one that is not known is an error, not left out."""

    model_config = ConfigDict(extra="forbid")


class Conditions(_Arguments):
    """Which papers may be found, and in which stores."""

    year_from: YearFrom = None
    year_to: YearTo = None
    venue: Venue = None
    status: Status = None
    author: Author = None
    where: Where = None
    store: StoreName = None
    stores: StoreNames = None

    @property
    def store_names(self) -> list[str]:
        """The stores that are named, each once."""
        named = [*([self.store] if self.store else []), *(self.stores or ())]
        return list(dict.fromkeys(named))

    def filter(self) -> Filter | None:
        """Return the conditions as a filter, None for none.

        Raises:
            QueryError: the years are the wrong way round, or `where` cannot be read.
        """
        from swimmer.retrieval import parse_where

        parts: list[Filter] = []
        if (years := _years(self.year_from, self.year_to)) is not None:
            parts.append(years)
        for field, value in (
            ("venue", self.venue),
            ("status", self.status),
            ("authors", self.author),
        ):
            if value:
                parts.append({field: {"$contains": value}})
        if self.where:
            parts.append(parse_where(self.where))
        return {"$and": parts} if parts else None


class FindSimilarPapers(Conditions):
    """Arguments of `find_similar_papers`."""

    title: Title
    k: Number = 5


class SearchPapers(Conditions):
    """Arguments of `search_papers`."""

    query: Text
    k: Number = 5


class GetPaper(_Arguments):
    """Arguments of `get_paper`."""

    paper: PaperName
    store: StoreName = None


class PaperData(TypedDict):
    """One paper as plain data; `score` and `rank` where it is a hit."""

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
    keywords: NotRequired[list[str]]
    status: NotRequired[str]


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


def ask_for_tool(
    stores: Sequence[PaperStore],
    query: str,
    k: int,
    *,
    lookup: bool | str,
    filter: Filter | None = None,
) -> Answer:
    """Return the answer to one query of a tool, over one store or several.

    Args:
        stores: open stores.
        query: the query.
        k: number of papers.
        lookup: as `SearchOptions` has it; "text" reads titles and parts of titles as words.
        filter: which papers may be found.

    Raises:
        QueryError: the query is blank, k is not between 1 and MOST_HITS, or the filter is wrong.
        ModelError: the query has to be embedded and a store's model cannot be loaded.
    """
    from swimmer.errors import UnreadableQueryError
    from swimmer.retrieval import Answer, ask_stores, checked_k, checked_query, resolve

    if checked_k(k) > MOST_HITS:
        raise QueryError(
            f"k is {k}, but at most {MOST_HITS} papers can be returned", hint="ask for fewer papers"
        )
    text = checked_query(query)
    if lookup == "text" and all(resolve(s, text).reading.kind not in _TITLES for s in stores):
        # Who searches by words may give an author, a short name or a misspelt word all the same.
        lookup = True
    try:
        (answer,) = ask_stores(stores, [query], k, filter=filter, lookup=lookup)
    except UnreadableQueryError as error:
        names = ", ".join(store.name for store in stores)
        model = ", ".join(dict.fromkeys(store.identity.name for store in stores))
        return Answer(text, names, model, None, False, warnings=[error.full_text], related=False)
    return answer


def _years(first: int | None, last: int | None) -> Filter | None:
    if first is not None and last is not None and first > last:
        raise QueryError(
            f"year_from ({first}) is later than year_to ({last})",
            hint="give the earlier year as year_from",
        )
    bounds = {"$gte": first, "$lte": last}
    wanted = {operator: year for operator, year in bounds.items() if year is not None}
    return {"year": wanted} if wanted else None


def find_paper(store: PaperStore, wanted: str) -> Paper:
    """Return the paper of an id, a URL or a title.

    Raises:
        QueryError: there is none; the hint says what to try.
    """
    from swimmer.retrieval import checked_query, resolve

    text = checked_query(wanted)
    database = store.database
    row = database.row_of_id(text)
    if row is None and (found := resolve(store, text)).matched:
        row = found.rows[0]
    if row is None:
        raise QueryError(
            f"no paper of the store {store.name} has the id, URL or title {text[:200]!r}",
            hint="find papers by what they are about with search_papers",
        )
    (paper,) = store.papers([row])
    return paper


def answer_data(answer: Answer) -> AnswerData:
    """Return an answer as plain data of at most about MOST_TOKENS tokens.

    Abstracts are cut to EXCERPT characters; where that is too long to SHORT_EXCERPT, and then the
    last papers are left out and counted in `more`.
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
    papers = [_hit_data(hit, answer.store, EXCERPT) for hit in answer.hits]
    if sum(map(_size, papers)) > room:
        papers = [_hit_data(hit, answer.store, SHORT_EXCERPT) for hit in answer.hits]
    data["papers"] = _fitting(papers, room)
    data["more"] = len(papers) - len(data["papers"])
    if data["more"]:
        data["warnings"].append(
            f"{data['more']} more papers were found and left out, to keep the answer short; "
            "narrow the search with year_from, venue, author or where"
        )
    return data


def _hit_data(hit: Hit, store: str, abstract: int) -> PaperData:
    # A hit of several stores says its own.
    own = hit.paper.extra.get("store", store) if ", " in store else store
    paper = paper_data(hit.paper, abstract, store=str(own))
    ranked: PaperData = {"rank": hit.rank, "score": round(hit.score, 4), **paper}
    return ranked


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


def bounded(text: str, limit: int) -> str:
    """Return text without control characters, at most `limit` characters, "…" where cut."""
    from swimmer.text import clean

    # Cleaned again: the store may have been written by another program.
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def stores_data() -> StoreList:
    """Return all stores as plain data."""
    from swimmer.store import list_stores

    found: list[StoreData] = []
    for info in list_stores():
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
    kept = _fitting(found, MOST_TOKENS - _NOTE_TOKENS)
    return {"stores": kept, "more": len(found) - len(kept)}


def as_text(data: Any) -> str:
    """Return plain data as the JSON text that a model reads."""
    import json

    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def faults_of(error: ValidationError) -> str:
    """Return in one line what is wrong with the arguments of a call."""
    faults = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {_fault_of(fault)}"
        for fault in error.errors(include_url=False)[:10]
    ]
    return "wrong arguments: " + "; ".join(faults)


def _fault_of(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "there is no such argument"
    return f"{fault['msg']}, got {str(fault['input'])[:80]!r}"
