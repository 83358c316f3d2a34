"""Facets: the values of venue, year, status, topic, session and author, with their papers."""

from __future__ import annotations

import contextlib
import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from swimmer.store import kept_topics

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from swimmer.papers import Paper
    from swimmer.store import Filter, MapTopics, PaperStore

    Mask = NDArray[np.bool_]
    Chosen = Mapping[str, Sequence[str]]

FACETS = {
    "venue": "venue",
    "year": "year",
    "status": "status",
    "topic": "",
    "session": "session",
    "author": "authors",
}
"""The facets, and the field of a paper that each counts.

A topic is one of the store's kept map, or a keyword in a store without a map. A session is a
further field, which the lists of some conferences have.
"""

VALUES = 12
"""Values of a facet that are returned, the most frequent ones, besides those that are chosen."""

LONGEST_VALUE = 200

_FEW_ROWS = 2_000


@dataclass(frozen=True)
class FacetValue:
    """A value of a facet: how many papers have it, and whether it is chosen."""

    text: str
    papers: int
    chosen: bool = False


@dataclass(frozen=True)
class Facet:
    """A facet with its most frequent values, years from the newest; `more` are not returned."""

    name: str
    values: tuple[FacetValue, ...]
    more: int = 0


def facet_filter(store: PaperStore, chosen: Chosen) -> Filter | None:
    """Return the filter of chosen values: one of those of each facet must hold; None for none.

    Args:
        store: an open store.
        chosen: values by facet; years are whole numbers as text.
    """
    parts = [_condition(store, name, values) for name, values in chosen.items() if values]
    return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def _condition(store: PaperStore, name: str, values: Sequence[str]) -> Filter:
    if name == "year":
        return {"year": _one_of([int(value) for value in values])}
    if name == "session" and name not in store.fields():
        return {"id": {"$in": []}}
    if name != "topic":
        return {FACETS[name]: _one_of(values)}
    topics = None if store.remote else kept_topics(store)
    if topics is None:
        return {"keywords": _one_of(values)}
    numbers = {number for number, topic in enumerate(topics.topics) if topic.name in values}
    rows = [row for row, number in enumerate(topics.labels) if number in numbers]
    return {"id": {"$in": store.database.ids_of_rows(rows)}}


def _one_of(values: Sequence[Any]) -> Any:
    # A condition on one value reads better where it is said that no paper meets it.
    return values[0] if len(values) == 1 else {"$in": list(values)}


def count_facets(
    store: PaperStore,
    chosen: Chosen,
    filter: Filter | None = None,
    listed: Sequence[int] | None = None,
    most: int = VALUES,
) -> list[Facet]:
    """Return the facets that have values, each counted among the papers that the others admit.

    What is chosen of a facet narrows all others, so that a count says how many papers there will
    be when that value alone is chosen.

    Args:
        store: an open store.
        chosen: values by facet.
        filter: a filter that holds besides.
        listed: rows to count, in place of all papers.
        most: values of a facet that are returned, besides those that are chosen.

    Raises:
        QueryError: as for `swimmer.ask`.
    """
    return count_facets_of([store], chosen, filter, None if listed is None else [listed], most)


def count_facets_of(
    stores: Sequence[PaperStore],
    chosen: Chosen,
    filter: Filter | None = None,
    listed: Sequence[Sequence[int]] | None = None,
    most: int = VALUES,
) -> list[Facet]:
    """Return the facets of several stores as `count_facets` does, a value with the sum of them all.

    Copies of a paper in several stores count once for each.

    Args:
        stores: open stores.
        chosen: values by facet.
        filter: a filter that holds besides.
        listed: for each store the rows to count, in place of all papers.
        most: values of a facet that are returned, besides those that are chosen.

    Raises:
        QueryError: as for `swimmer.ask`.
    """
    with contextlib.ExitStack() as reading:
        for store in stores:
            reading.enter_context(store.reading())
        found = []
        for name in FACETS:
            count = partial(_counted_facet, stores, name, chosen, filter, listed, most)
            # Of a whole store they are the same for every query. A map may be made meanwhile.
            whole = len(stores) == 1 and not chosen and filter is None and listed is None
            if whole and name != "topic":
                facet = stores[0].database.kept(f"facet {name} {most}", count)
            else:
                facet = count()
            if facet.values:
                found.append(facet)
        return found


def _counted_facet(
    stores: Sequence[PaperStore],
    name: str,
    chosen: Chosen,
    filter: Filter | None,
    listed: Sequence[Sequence[int]] | None,
    most: int,
) -> Facet:
    others = {one: values for one, values in chosen.items() if one != name}
    each = [
        _counts(
            store,
            name,
            _all(filter, facet_filter(store, others)),
            None if listed is None else listed[place],
        )
        for place, store in enumerate(stores)
    ]
    return _facet(name, _summed(each), chosen.get(name, ()), most)


def _summed(each: Sequence[Mapping[Any, int]]) -> Mapping[Any, int]:
    if len(each) == 1:
        return each[0]
    total: Counter[Any] = Counter()
    for one in each:
        total.update(one)
    return total


def _all(*filters: Filter | None) -> Filter | None:
    parts = [one for one in filters if one is not None]
    return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def _counts(
    store: PaperStore, name: str, filter: Filter | None, listed: Sequence[int] | None
) -> Mapping[Any, int]:
    topics = kept_topics(store) if name == "topic" else None
    field = FACETS[name] or "keywords"
    if field == "session" and field not in store.fields():
        return {}
    if filter is None and listed is None:
        if topics is not None:
            names: Counter[str] = Counter()
            for one in topics.topics:
                names[one.name] += one.papers
            return names
        return store.database.value_counts(field)
    mask: Mask | None = None
    if filter is not None:
        from swimmer.store import admitted

        mask = admitted(store.database, filter)
    if listed is None:
        assert mask is not None
        rows: Sequence[int] = mask.nonzero()[0].tolist()
    else:
        rows = [row for row in listed if mask is None or mask[row]]
    if topics is not None:
        return _by_name(topics, rows)
    if listed is not None or len(rows) <= _FEW_ROWS:
        # Reading few papers costs less than the field of all of them.
        return _counted(store.papers(rows), field)
    assert mask is not None
    from swimmer.store import counted_values

    return counted_values(store.database, field, mask)


def _by_name(topics: MapTopics, rows: Sequence[int]) -> Counter[str]:
    named: Counter[str] = Counter()
    # Two topics may have one name.
    for number, count in Counter(topics.labels[row] for row in rows).items():
        named[topics.topics[number].name] += count
    return named


def _counted(papers: Sequence[Paper], field: str) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for paper in papers:
        value = paper.extra.get(field, "") if field == "session" else getattr(paper, field)
        if isinstance(value, list):
            value = tuple(one for one in value if isinstance(one, (str, int)))
        elif isinstance(value, dict):
            continue
        counts.update(list(dict.fromkeys(value)) if isinstance(value, tuple) else [value])
    return Counter({value: n for value, n in counts.items() if value not in ("", None)})


def _facet(name: str, counts: Mapping[Any, int], chosen: Sequence[str], most: int) -> Facet:
    # Documents of other programs may have any kind of value there.
    kind = int if name == "year" else str
    papers = {
        text: count
        for value, count in counts.items()
        if type(value) is kind and len(text := str(value)) <= LONGEST_VALUE
    }
    if name == "year":
        ordered = sorted(papers, key=int, reverse=True)
    else:
        # Sorting a hundred thousand authors for twelve would take longer than the search.
        least = min(heapq.nlargest(most, papers.values()), default=0)
        frequent = [text for text, count in papers.items() if count >= least or text in chosen]
        ordered = sorted(frequent, key=lambda text: (-papers[text], text.casefold(), text))
    first = [text for text in ordered if text in chosen]
    first += [text for text in chosen if text not in papers]
    shown = [*first, *(text for text in ordered if text not in chosen)][: max(most, len(first))]
    values = tuple(FacetValue(text, papers.get(text, 0), text in chosen) for text in shown)
    return Facet(name, values, len(papers.keys() - set(shown)))
