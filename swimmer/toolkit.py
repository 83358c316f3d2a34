"""What the tools do, whoever calls them: bounded arguments in, bounded plain data out.

`tools.py` (LangChain) and `mcp_server.py` (MCP) are two faces of this module. Titles and abstracts
were written by others: they leave as values of named fields, without control characters and cut to
a length, never as text of the tool's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field
from typing_extensions import NotRequired, TypedDict

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer
    from swimmer.store import Filter, PaperStore

MOST_HITS = 50
"""Papers that one call may ask for."""

EXCERPT = 700
"""Characters of an abstract that a hit carries."""

WHOLE = 6_000
"""Characters of an abstract that `get_paper` gives."""

_TITLES = ("title", "part")

Title = Annotated[
    str,
    Field(description="The title of a paper, whole or nearly so.", min_length=1, max_length=1_000),
]
Text = Annotated[
    str,
    Field(description="What the papers should be about, in words.", min_length=1, max_length=5_000),
]
Number = Annotated[int, Field(description="How many papers.", ge=1, le=MOST_HITS)]
Wanted = Annotated[
    str,
    Field(
        description="A paper's id as other tools give it, its URL, or its title.",
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
        description="The store to ask, a name that list_stores gives; by default the newest.",
        max_length=100,
    ),
]

DESCRIPTIONS = {
    "find_similar_papers": "Find the papers most similar to a paper that you know by its title. "
    "A short name, a part of a title or an address will do. The answer says in `matched` which "
    "paper of the store was meant, null for none, and in `taken_as` how the words were read. "
    "`related` is false when nothing in the store is similar. Scores are cosine similarities.",
    "search_papers": "Search papers by what they are about, in any words (a topic, a question, an "
    "idea), or by an author. `taken_as` says how the words were read; `related` is false when "
    "nothing in the store is similar. Scores are cosine similarities.",
    "get_paper": "Get one paper whole: its authors, its abstract, its links.",
    "list_stores": "List the stores of papers that can be asked, with their sizes.",
}


class FindSimilarPapers(BaseModel):
    """Arguments of `find_similar_papers`."""

    title: Title
    k: Number = 5
    year_from: YearFrom = None
    year_to: YearTo = None


class SearchPapers(BaseModel):
    """Arguments of `search_papers`."""

    query: Text
    k: Number = 5
    year_from: YearFrom = None
    year_to: YearTo = None


class GetPaper(BaseModel):
    """Arguments of `get_paper`."""

    paper: Wanted


class PaperData(TypedDict):
    """One paper as plain data; `score` and `rank` where it is a hit."""

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
    """

    store: str
    model: str
    matched: str | None
    taken_as: str
    related: bool
    warnings: list[str]
    papers: list[PaperData]


class StoreData(TypedDict):
    """One store as plain data; `problem` says why it cannot be asked, "" when it can."""

    name: str
    papers: int
    model: str
    built: str
    problem: str


def ask_store(
    store: PaperStore,
    query: str,
    k: int,
    *,
    lookup: bool | str,
    year_from: int | None = None,
    year_to: int | None = None,
) -> Answer:
    """Return the answer to one question of a tool.

    Args:
        store: the store.
        query: what is asked.
        k: papers wanted.
        lookup: as `SearchOptions` has it; "text" reads titles and parts of titles as words.
        year_from: the first year, or None.
        year_to: the last year, or None.

    Raises:
        QueryError: the query is blank, k is not between 1 and MOST_HITS, or the years are the
            wrong way round.
        ModelError: the query has to be embedded and the store's model cannot be loaded.
    """
    from swimmer.retrieval import ask, checked_k, checked_query, resolve

    if checked_k(k) > MOST_HITS:
        raise QueryError(f"k is {k}; a tool gives at most {MOST_HITS} papers at once")
    if lookup == "text" and resolve(store, checked_query(query)).reading.kind not in _TITLES:
        # Who searches by words may give an author, a short name or a misspelt word all the same.
        lookup = True
    (answer,) = ask(store, [query], k, filter=_years(year_from, year_to), lookup=lookup)
    return answer


def _years(first: int | None, last: int | None) -> Filter | None:
    if first is not None and last is not None and first > last:
        raise QueryError(f"year_from is {first} and year_to {last}; no year is both")
    bounds = {"$gte": first, "$lte": last}
    wanted = {operator: year for operator, year in bounds.items() if year is not None}
    return {"year": wanted} if wanted else None


def find_paper(store: PaperStore, wanted: str) -> Paper:
    """Return the paper of an id, a URL or a title.

    Raises:
        QueryError: there is none; the message says what to try.
    """
    from swimmer.retrieval import checked_query, resolve

    text = checked_query(wanted)
    database = store.database
    row = database.row_of_id(text)
    if row is None and (found := resolve(store, text)).matched:
        row = found.rows[0]
    if row is None:
        raise QueryError(
            f"no paper of the store {store.name} has the id, URL or title {text[:200]!r}; "
            "search_papers finds papers by what they are about"
        )
    (paper,) = store.papers([row])
    return paper


def answer_data(answer: Answer) -> AnswerData:
    """Return an answer as plain data, abstracts cut to EXCERPT characters."""
    return {
        "store": answer.store,
        "model": answer.model,
        "matched": answer.matched.display_title if answer.matched is not None else None,
        "taken_as": bounded(str(answer.reading), 300) if answer.reading is not None else "",
        "related": answer.related,
        "warnings": [bounded(warning, 1_000) for warning in answer.warnings],
        "papers": [
            {"rank": hit.rank, "score": round(hit.score, 4), **paper_data(hit.paper, EXCERPT)}
            for hit in answer.hits
        ],
    }


def paper_data(paper: Paper, abstract: int = WHOLE) -> PaperData:
    """Return a paper as plain data, its abstract cut to so many characters."""
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
    if paper.keywords:
        data["keywords"] = [bounded(word, 100) for word in paper.keywords[:20]]
    if paper.status:
        data["status"] = bounded(paper.status, 100)
    return data


def bounded(text: str, limit: int) -> str:
    """Return text without control characters, at most `limit` characters, "…" where cut."""
    from swimmer.text import clean

    # Cleaned again on its way out: a store may have been written by another program.
    text = clean(text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def stores_data() -> list[StoreData]:
    """Return the stores there are as plain data."""
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
    return found


def as_text(data: Any) -> str:
    """Return plain data as the JSON text that a model reads."""
    import json

    return json.dumps(data, ensure_ascii=False)
