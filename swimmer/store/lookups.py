"""Papers looked up by identifier and short name, people and their papers by any spelling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swimmer.papers import (
    LONGEST_NAME,
    address_key,
    identifiers_in,
    is_person,
    name_words,
)
from swimmer.store.database import PaperDatabase
from swimmer.text import title_key

if TYPE_CHECKING:
    from swimmer.store.topics import Topic

_NAMESAKES = 2_000
MOST_NAME_WORDS = 8
"""Words of a name that is also found in another order or with initials."""


@dataclass(frozen=True)
class Person:
    """An author of papers of a store; `papers` says of how many."""

    number: int
    name: str
    papers: int


def rows_of_identifier(database: PaperDatabase, text: str) -> list[int]:
    """Return the rows of the papers that an identifier or address names, surest reading first."""
    if not database.has_lookups:
        return _rows_of_address(database, text)
    for kind, value in identifiers_in(text):
        found = database.query(
            "SELECT row FROM identifiers WHERE kind = ? AND value = ? ORDER BY row LIMIT 20",
            (kind, value),
            (int,),
        )
        if found:
            return [int(row) for (row,) in found]
    return []


def _rows_of_address(database: PaperDatabase, text: str) -> list[int]:
    """Return the row of an address in any spelling, in a store of schema 1."""

    def read() -> dict[str, int]:
        return {address_key(str(url)): row for row, url in reversed(database.values("url")) if url}

    addresses = database.kept("addresses", read)
    for kind, value in identifiers_in(text):
        if kind == "url" and value in addresses:
            return [addresses[value]]
    return []


def rows_of_name(database: PaperDatabase, text: str) -> list[int]:
    """Return the rows of the papers whose titles give a name; those that begin with it first."""
    if len(text) > LONGEST_NAME or not database.has_lookups:
        return []
    found = database.query(
        "SELECT row, place FROM short_names WHERE key = ? ORDER BY place, row LIMIT 50",
        (title_key(text),),
        (int, int),
    )
    first = [int(row) for row, place in found if place == 0]
    return first or [int(row) for row, _ in found]


def rows_of_name_start(database: PaperDatabase, text: str, limit: int) -> list[int]:
    """Return rows of papers whose titles begin with a short name that begins so."""
    key = title_key(text[:LONGEST_NAME])
    if not key or not database.has_lookups:
        return []
    sql = (
        "SELECT row FROM short_names WHERE key >= ? AND key < ? AND place = 0 ORDER BY key LIMIT ?"
    )
    return [int(row) for (row,) in database.query(sql, (key, key + "\U0010ffff", limit))]


def people_named(database: PaperDatabase, text: str) -> list[Person]:
    """Return the people whom a name may mean: equal in full, else those whom it fits.

    Those with most papers first. A name fits in any order, with initials, without middle names.
    """
    if len(text) > LONGEST_NAME or not database.has_lookups:
        return []
    words = name_words(text)
    if not words:
        return []
    exact = _people(database, "people.key = ?", " ".join(words))
    if exact:
        return exact
    long = [word for word in words if len(word) > 1]
    # A whole title is looked up too: longer names are found as they stand.
    if not long or len(words) > MOST_NAME_WORDS:
        return []
    sql = (
        "SELECT person FROM people_words WHERE word IN (SELECT value FROM json_each(?)) "
        "GROUP BY person HAVING count(*) = ? LIMIT ?"
    )
    # Each long word must be one of the name's own, but for one that the store has as an initial.
    for must in (len(set(long)), len(set(long)) - 1):
        if not must:
            break
        found = database.query(sql, (json.dumps(long), must, _NAMESAKES), (int,))
        numbers = [n for (n,) in found]
        if not numbers:
            continue
        people = _people(
            database,
            "people.person IN (SELECT value FROM json_each(?))",
            json.dumps(numbers),
        )
        fitting = [one for one in people if is_person(words, name_words(one.name))]
        if fitting:
            whole = [one for one in fitting if sorted(name_words(one.name)) == sorted(words)]
            return whole or fitting
    return []


def _people(database: PaperDatabase, condition: str, value: str) -> list[Person]:
    sql = (
        "SELECT people.person, name, count(*) AS papers FROM people JOIN authorships "
        f"ON authorships.person = people.person WHERE {condition} "
        "GROUP BY people.person ORDER BY papers DESC, name"
    )
    found = database.query(sql, (value,), (int, str, int))
    return [Person(number, name, count) for number, name, count in found]


def rows_of_people(database: PaperDatabase, people: Sequence[Person]) -> list[int]:
    """Return the rows of all papers of some people, the newest first."""
    numbers = json.dumps([one.number for one in people])
    sql = (
        "SELECT DISTINCT papers.row FROM authorships JOIN papers ON papers.row = authorships.row "
        "WHERE person IN (SELECT value FROM json_each(?)) ORDER BY papers.year DESC, papers.row"
    )
    return [row for (row,) in database.query(sql, (numbers,), (int,))]


def people_starting(database: PaperDatabase, words: Sequence[str], limit: int) -> list[Person]:
    """Return people of whose names one word begins with the last of `words`, all others equal."""
    if not words or not database.has_lookups:
        return []
    *whole, last = words
    # The letter after the last there is: everything that begins with `last` lies below it.
    sql = (
        "SELECT people.person, name, count(*) AS papers FROM people JOIN authorships "
        "ON authorships.person = people.person WHERE people.person IN (SELECT person FROM "
        "people_words WHERE word >= ? AND word < ? LIMIT 2000)"
        + " AND people.person IN (SELECT person FROM people_words WHERE word = ?)" * len(whole)
        + " GROUP BY people.person ORDER BY papers DESC, name LIMIT ?"
    )
    found = database.query(sql, (last, last + "\U0010ffff", *whole, limit), (int, str, int))
    return [Person(number, name, count) for number, name, count in found]


def topics_starting(database: PaperDatabase, key: str, limit: int) -> list[Topic]:
    """Return the keywords of several papers whose folded text begins so; most papers first.

    In a store that was built before they were kept, none.
    """
    if not key or not database.prepare_vocabulary() or "topics" not in database.tables:
        return []
    sql = (
        "SELECT name, papers FROM topics WHERE key >= ? AND key < ? "
        "ORDER BY papers DESC, key LIMIT ?"
    )
    found = database.query(sql, (key, key + "\U0010ffff", limit), (str, int))
    from swimmer.store.topics import Topic

    return [Topic(name, papers) for name, papers in found]
