"""Papers in the order of one of their fields, for a filter alone and for the hits of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.store import PaperStore

SORTS = ("year", "title", "citations", "upvotes", "rating", "published", "score")
"""The fields that papers are sorted by; `score` is that of a search."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "citations": ("citations", "citation_count", "citationCount", "n_citations", "cited_by_count"),
    "upvotes": ("upvotes", "votes", "likes"),
    "rating": ("rating", "rating_avg", "ratings", "avg_rating"),
    "published": ("published", "publication_date", "publicationDate", "date"),
}


def read_sort(text: str) -> tuple[str, bool]:
    """Return a field and whether the largest value is first: `year`, `year:asc`, `title:desc`.

    Titles and nothing else begin with the smallest where no direction is given.

    Raises:
        QueryError: it is none of SORTS, or the direction is neither `asc` nor `desc`.
    """
    field, colon, direction = text.partition(":")
    if field not in SORTS or (colon and direction not in ("asc", "desc")):
        raise QueryError(
            f"cannot sort by {text!r:.40}",
            hint=f"sort by one of {', '.join(SORTS)}, each with :asc or :desc",
        )
    return field, direction == "desc" if colon else field != "title"


def sorts_of(store: PaperStore) -> set[str]:
    """Return those of SORTS that papers of a store have, and "" for the order of a search."""
    return {"", "score"} | {field for field in SORTS if field_of(store, field)}


def field_of(store: PaperStore, sort: str) -> str:
    """Return the name of the field that a store has for one of SORTS, "" where it has none."""
    known = set(store.fields())
    return next((one for one in _NAMES.get(sort, (sort,)) if one in known), "")


def sorted_rows(store: PaperStore, rows: Sequence[int], sort: str) -> list[int]:
    """Return rows in the order of a field; those of papers that lack it come last.

    Raises:
        QueryError: no paper of the store has the field.
    """
    field, descending = read_sort(sort)
    if field == "score":
        return list(rows)
    name = field_of(store, field)
    if not name:
        raise QueryError(
            f"no paper of the store {store.name} has {field}",
            hint=f"sort by year or title, or another of {', '.join(SORTS)} that its papers have",
        )
    values: dict[int, list[Any]] = {}
    for row, value in store.database.values(name):
        if value is not None:
            values.setdefault(row, []).append(value)
    keys = {row: key for row in rows if (key := _key(field, values.get(row, []))) is not None}
    return _ordered(rows, keys, descending)


def sorted_papers(papers: Sequence[Paper], sort: str) -> list[int]:
    """Return the places of some papers in the order of a field, those that lack it last."""
    field, descending = read_sort(sort)
    if field == "score":
        return list(range(len(papers)))
    keys = {}
    for place, paper in enumerate(papers):
        values = paper.to_dict()
        found = next((v for one in _NAMES.get(field, (field,)) if (v := values.get(one))), None)
        listed = found if isinstance(found, list) else [found]
        if (key := _key(field, [one for one in listed if one is not None])) is not None:
            keys[place] = key
    return _ordered(range(len(papers)), keys, descending)


def _ordered(rows: Sequence[int], keys: Mapping[int, Any], descending: bool) -> list[int]:
    having = [row for row in rows if row in keys]
    return [
        *sorted(having, key=lambda row: keys[row], reverse=descending),
        *(row for row in rows if row not in keys),
    ]


def _key(field: str, values: Sequence[Any]) -> Any:
    """Return by what a paper is sorted: text for titles and dates, else the mean of numbers."""
    if field in ("title", "published"):
        return str(values[0]).casefold() if values else None
    numbers = []
    for value in values:
        try:
            numbers.append(float(value))
        except (TypeError, ValueError):
            continue
    return sum(numbers) / len(numbers) if numbers else None
