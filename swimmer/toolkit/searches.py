"""The searches of the tools: over one store or several, with an answer also where none is near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.toolkit.arguments import MOST_HITS

if TYPE_CHECKING:
    from swimmer.analysis import NearPerson, Recommendations
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer
    from swimmer.store import Filter, PaperStore, Person

_TITLES = ("title", "part")


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
    from swimmer.retrieval import Answer, ask_stores, checked_query

    k = _checked_number(k)
    text = checked_query(query)
    if lookup == "text" and not any(_is_title(store, text) for store in stores):
        # Who searches by words may give an author, a short name or a misspelt word all the same.
        lookup = True
    try:
        (answer,) = ask_stores(stores, [query], k, filter=filter, lookup=lookup)
    except UnreadableQueryError as error:
        names = ", ".join(store.name for store in stores)
        model = ", ".join(dict.fromkeys(store.identity.name for store in stores))
        return Answer(text, names, model, None, False, warnings=[error.full_text], related=False)
    return answer


def _is_title(store: PaperStore, text: str) -> bool:
    """Whether a text is a title, or a part of one."""
    from swimmer.retrieval import reads_as_title, resolve

    if store.remote:
        return reads_as_title(store, text)
    return resolve(store, text).reading.kind in _TITLES


def browse_for_tool(
    stores: Sequence[PaperStore], k: int, *, filter: Filter | None, sort: str = "year"
) -> Answer:
    """Return the papers that a filter admits, in the order of a field.

    Raises:
        QueryError: there is no filter or it is wrong, k is not between 1 and MOST_HITS, or no paper
            of a store has the field.
    """
    from swimmer.retrieval import SearchOptions, browse_stores

    if filter is None:
        raise QueryError(
            "no condition is given",
            hint="give one of year_from, year_to, venue, status, author, where; "
            "search_papers searches in any words",
        )
    return browse_stores(stores, _checked_number(k), SearchOptions(filter=filter, sort=sort))


def recommend_for_tool(
    stores: Sequence[PaperStore],
    titles: Sequence[str],
    k: int,
    *,
    reading_list: str | None = None,
    unlike: Sequence[str] = (),
    filter: Filter | None = None,
) -> Recommendations:
    """Return the papers nearest to a library of titles, and of a reading list if one is named.

    Raises:
        QueryError: the library is empty, k is not between 1 and MOST_HITS, or the filter is wrong.
        StoreError: the reading lists cannot be opened.
        ModelError: a title has to be embedded and a store's model cannot be loaded.
    """
    from swimmer.analysis import for_you

    library = library_of(titles, reading_list)
    if not library:
        raise QueryError("the library is empty", hint="give titles, or the name of a reading list")
    return for_you(stores, library, _checked_number(k), unlike=list(unlike), filter=filter)


def near_people_for_tool(
    stores: Sequence[PaperStore],
    query: str | None,
    titles: Sequence[str],
    k: int,
    *,
    reading_list: str | None = None,
    filter: Filter | None = None,
) -> list[NearPerson]:
    """Return who works nearest to a query, or to a library of titles and of a reading list.

    Raises:
        QueryError: there are a query and a library, or neither; as `recommend_for_tool` otherwise.
    """
    from swimmer.analysis import people_near

    library = library_of(titles, reading_list)
    return people_near(stores, query or None, _checked_number(k), library=library, filter=filter)


def library_of(titles: Sequence[str], reading_list: str | None) -> list[str | Paper]:
    """Return a library of titles, and of the papers of a reading list if one is named.

    Raises:
        QueryError: the reading list is not there, or empty.
        StoreError: the reading lists cannot be opened.
    """
    from swimmer.toolkit.libraries import listed_library

    return [*titles, *(listed_library(reading_list).papers if reading_list else ())]


def find_people(stores: Sequence[PaperStore], name: str) -> list[tuple[Person, PaperStore]]:
    """Return the people of stores whom a name, or the beginning of one, may mean.

    Those with most papers first. A person of several stores is there once for each.

    Raises:
        QueryError: the name is blank.
    """
    from swimmer.papers import name_words
    from swimmer.retrieval import checked_query, people_of_remote
    from swimmer.store import people_named, people_starting

    text = checked_query(name)
    found: list[tuple[Person, PaperStore]] = []
    for store in stores:
        if store.remote:
            found += [(person, store) for person in people_of_remote(store, text)]
            continue
        people = people_named(store.database, text)
        starting = people_starting(store.database, name_words(text), MOST_HITS)
        numbers = {person.number for person in people}
        people += [person for person in starting if person.number not in numbers]
        found += [(person, store) for person in people]
    return sorted(found, key=lambda pair: -pair[0].papers)


def find_paper(store: PaperStore, wanted: str) -> Paper:
    """Return the paper of an id, a URL or a title.

    Raises:
        QueryError: there is none; the hint says what to try.
    """
    from swimmer.retrieval import checked_query

    text = checked_query(wanted)
    if (found := _named(store, text)) is None:
        raise QueryError(
            f"no paper of the store {store.name} has the id, URL or title {text[:200]!r}",
            hint="find papers by what they are about with search_papers",
        )
    return found


def _named(store: PaperStore, text: str) -> Paper | None:
    from swimmer.retrieval import papers_named, resolve

    if store.remote:
        return next(iter(papers_named(store, text)), None)
    row = store.database.row_of_id(text)
    if row is None and (found := resolve(store, text)).matched:
        row = found.rows[0]
    return None if row is None else store.papers([row])[0]


def _checked_number(k: int) -> int:
    from swimmer.retrieval import checked_k

    if checked_k(k) > MOST_HITS:
        raise QueryError(
            f"k is {k}, but at most {MOST_HITS} papers can be returned", hint="ask for fewer papers"
        )
    return k
