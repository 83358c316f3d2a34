"""The arguments of the tools: what each takes, checked, and what is wrong with a call."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.store import Filter

MOST_HITS = 50
"""Papers that one call may return."""

MOST_STORES = 20
"""Stores that one call may search."""

MOST_REFERENCES = 500
"""References that one call may check."""

MOST_BIBLIOGRAPHY = 500_000
"""Characters of a bibliography that one call may give."""

MOST_TITLES = 500
"""Titles of a library that one call may give."""

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
        description="The store to search, by its name; by default the one the user set.",
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
    "browse_papers": "List the papers that meet conditions (at least one), newest first or in the "
    "order of another field, such as the Oral papers of an author, or the most cited of a year.",
    "find_authors": "Find authors by a name or the beginning of one, in any spelling, with the "
    "number of their papers. Give a name to `author` of the other tools to get the papers.",
    "papers_for_library": "Find the papers nearest to several papers that somebody has read or "
    "written, given by their titles, or to a reading list of the user. The interests among "
    "them are found, and each gets its share of the answer; papers of the library are left out. "
    "`near` names the papers of the library that a paper is near to.",
    "people_near": "Find who works nearest to a topic or a paper, to several papers given by their "
    "titles, or to a reading list of the user. Each person comes with the nearest papers, "
    "the institution where it is known, and when and where the papers are presented. A person is "
    "a name within one store. find_authors finds people by their names instead.",
    "changed_topics": "Find the topics whose share of the papers changed most between the first "
    "and the last year of two or more stores, such as one conference in two years, with papers "
    "on each. `change` is in percentage points; changes that chance may explain are left out.",
    "plan_conference": "Plan which posters and talks of a conference to see, when and where: those "
    "nearest to papers that somebody has read or written, given by their titles, or to a reading "
    "list of the user. Sessions come in order of time, their papers in walking order with the time "
    "to be there; `overlaps` are sessions at the same time, `alternatives` papers for which there "
    "is no time. Only for a store whose list gives times.",
    "check_references": "Check references against the stores: `found` as they stand, `differs` "
    "(`differences` says in what), `published` (a preprint whose published version a store has; "
    "`entry` is the BibTeX to cite instead), or `unknown`, which is no fault: the stores do not "
    "hold every paper. Give the text of a bibliography, or a list of references. All stores are "
    "searched unless some are named.",
    "get_paper": "Get one paper with its authors, abstract and links.",
    "list_stores": "List the stores of papers that can be searched, with their sizes.",
    "get_reading_list": "Get the papers that the user keeps on reading lists, with status (to "
    "read, reading, read), tags and notes; of one list, or of all.",
    "keep_paper": "Put a paper on one of the user's reading lists (made where there is none of "
    "this name), and add a status, tags or a line of notes. Only when the user wants it.",
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
Compared = Annotated[
    list[str],
    Field(description="The stores to compare, by name.", min_length=2, max_length=MOST_STORES),
]
Sort = Annotated[
    Literal[
        "year", "year:asc", "title", "title:desc", "citations", "upvotes", "rating", "published"
    ],
    Field(description="The field in whose order the papers come, the largest first."),
]
AuthorName = Annotated[
    str,
    Field(description="A name, or the beginning of one.", min_length=1, max_length=200),
]


Titles = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=1_000)]],
    Field(description="The titles of the papers of the library.", max_length=MOST_TITLES),
]
ReadingListGiven = Annotated[
    str | None,
    Field(
        description="The name of a reading list of the user whose papers belong to the library.",
        max_length=60,
    ),
]
Near = Annotated[
    str | None,
    Field(description="A topic in any words, or the title of a paper.", max_length=5_000),
]
Unlike = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=1_000)]],
    Field(description="Titles of papers that are not wanted.", max_length=MOST_TITLES),
]


Hours = Annotated[
    float | None,
    Field(description="The time for all visits together, in hours.", gt=0, le=1_000),
]
Minutes = Annotated[int | None, Field(description="Minutes at one poster, else 10.", ge=1, le=600)]
Zone = Annotated[
    str | None,
    Field(description="The time zone of the plan, such as Asia/Singapore.", max_length=60),
]
Bibliography = Annotated[
    str | None,
    Field(
        description="The text of a .bib file or of a .ris file, or a list of references as a "
        "paper has it.",
        max_length=MOST_BIBLIOGRAPHY,
    ),
]
ReferenceTexts = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=3_000)]],
    Field(
        description="References, one each: as a paper lists them (authors, title, venue, year), or "
        "as BibTeX entries.",
        max_length=MOST_REFERENCES,
    ),
]

ListName = Annotated[str | None, Field(description="The name of a reading list.", max_length=60)]
ReadingStatus = Annotated[
    Literal["to read", "reading", "read"] | None,
    Field(description="How far the user is with the paper."),
]
Tag = Annotated[str | None, Field(description="Only papers with this tag.", max_length=60)]
Tags = Annotated[list[str] | None, Field(description="Tags to add.", max_length=20)]
NoteLine = Annotated[
    str | None, Field(description="A line to add to the user's note.", max_length=2_000)
]


class _Arguments(BaseModel):
    """Arguments of a tool; one that is not known is an error, not left out."""

    model_config = ConfigDict(extra="forbid")


class InStores(_Arguments):
    """In which stores something is searched."""

    store: StoreName = None
    stores: StoreNames = None

    @property
    def store_names(self) -> list[str]:
        """The stores that are named, each once."""
        named = [*([self.store] if self.store else []), *(self.stores or ())]
        return list(dict.fromkeys(named))


class Conditions(InStores):
    """Which papers may be found, and in which stores."""

    year_from: YearFrom = None
    year_to: YearTo = None
    venue: Venue = None
    status: Status = None
    author: Author = None
    where: Where = None

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


class BrowsePapers(Conditions):
    """Arguments of `browse_papers`."""

    sort: Sort = "year"
    k: Number = 20


class PapersForLibrary(Conditions):
    """Arguments of `papers_for_library`."""

    titles: Titles = []
    reading_list: ReadingListGiven = None
    unlike: Unlike = []
    k: Number = 20


class PeopleNear(Conditions):
    """Arguments of `people_near`."""

    query: Near = None
    titles: Titles = []
    reading_list: ReadingListGiven = None
    k: Number = 10


class PlanConference(_Arguments):
    """Arguments of `plan_conference`."""

    titles: Titles = []
    reading_list: ReadingListGiven = None
    store: StoreName = None
    hours: Hours = None
    minutes: Minutes = None
    k: Number = 30
    zone: Zone = None
    where: Where = None

    def filter(self) -> Filter | None:
        """Return the condition as a filter, None for none.

        Raises:
            QueryError: `where` cannot be read.
        """
        return Conditions(where=self.where).filter()


class CheckReferences(InStores):
    """Arguments of `check_references`."""

    bibliography: Bibliography = None
    references: ReferenceTexts = []


class ChangedTopics(BaseModel):
    """Arguments of `changed_topics`."""

    model_config = ConfigDict(extra="forbid")

    stores: Compared
    k: Number = 20


class FindAuthors(InStores):
    """Arguments of `find_authors`."""

    name: AuthorName
    k: Number = 10


class GetPaper(_Arguments):
    """Arguments of `get_paper`."""

    paper: PaperName
    store: StoreName = None


class GetReadingList(_Arguments):
    """Arguments of `get_reading_list`."""

    list: ListName = None
    status: ReadingStatus = None
    tag: Tag = None


class KeepPaper(_Arguments):
    """Arguments of `keep_paper`."""

    paper: PaperName
    store: StoreName = None
    list: ListName = None
    status: ReadingStatus = None
    tags: Tags = None
    note: NoteLine = None


def _years(first: int | None, last: int | None) -> Filter | None:
    if first is not None and last is not None and first > last:
        raise QueryError(
            f"year_from ({first}) is later than year_to ({last})",
            hint="give the earlier year as year_from",
        )
    bounds = {"$gte": first, "$lte": last}
    wanted = {operator: year for operator, year in bounds.items() if year is not None}
    return {"year": wanted} if wanted else None


def wrong_call(error: ValidationError, arguments: type[BaseModel]) -> QueryError:
    """Return in one line what is wrong with the arguments of a call, with the nearest names."""
    faults = error.errors(include_url=False)[:10]
    said = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'arguments'}: {_fault_of(fault)}"
        for fault in faults
    ]
    fields = arguments.model_fields
    names = sorted(fields, key=lambda name: not fields[name].is_required())
    hint = ""
    for fault in faults:
        if fault["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(fault["loc"][-1]), names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(names)}"
            break
    return QueryError("wrong arguments: " + "; ".join(said), hint=hint)


def _fault_of(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "there is no such argument"
    return f"{fault['msg']}, got {str(fault['input'])[:80]!r}"
