"""The look-up tables of a database: identifiers, names in titles, people; and what fills them."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable

from swimmer.papers import (
    Paper,
    address_key,
    identifiers,
    identifiers_in,
    person_key,
    short_names,
)
from swimmer.text import is_spaceless, segments

LOOKUP_TABLES = """
CREATE TABLE identifiers (
    kind TEXT NOT NULL, value TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (kind, value, row)
) WITHOUT ROWID;
CREATE TABLE short_names (
    key TEXT NOT NULL, place INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, place, row)
) WITHOUT ROWID;
CREATE TABLE people (
    person INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL
);
CREATE TABLE people_words (
    word TEXT NOT NULL, person INTEGER NOT NULL, PRIMARY KEY (word, person)
) WITHOUT ROWID;
CREATE TABLE authorships (
    person INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (person, row)
) WITHOUT ROWID;
"""
"""Identifiers and addresses, names in titles, and people; since schema 2."""

SEGMENT_TABLE = """
CREATE VIRTUAL TABLE segments_fts USING fts5(terms, tokenize='unicode61 remove_diacritics 0');
"""
"""Papers in scripts without spaces, as the terms of `swimmer.text.segments`; since schema 2."""


_ADDRESSES = 8


def add_lookups(connection: sqlite3.Connection, papers: Iterable[tuple[int, Paper]]) -> None:
    """Write what is looked up of the papers of some rows, of which nothing is there yet."""
    lookups = Lookups(connection)
    for row, paper in papers:
        lookups.add(row, paper)
    lookups.write()


class Lookups:
    """What is looked up of papers, gathered and then written in the order of its tables.

    Args:
        connection: the database, of whose papers it holds nothing yet.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._named: list[tuple[str, int, int]] = []
        self._known: list[tuple[str, str, int]] = []
        self._authors: list[tuple[int, tuple[str, ...]]] = []

    def add(self, row: int, paper: Paper) -> None:
        """Gather what is looked up of a paper."""
        self._known += [(kind, value, row) for kind, value in identifiers_of_paper(paper)]
        self._named += [(key, place, row) for key, place in names_of_paper(paper)]
        if paper.authors:
            self._authors.append((row, paper.authors))

    def forget(self, rows: Collection[int]) -> None:
        """Drop what was gathered of some rows."""
        self._known = [one for one in self._known if one[2] not in rows]
        self._named = [one for one in self._named if one[2] not in rows]
        self._authors = [one for one in self._authors if one[0] not in rows]

    def write(self) -> None:
        """Write what was gathered."""
        people = _People(self._connection)
        written = [
            (people.number(name), row) for row, names in sorted(self._authors) for name in names
        ]
        for table, records in (
            ("identifiers VALUES (?, ?, ?)", sorted(self._known)),
            ("short_names VALUES (?, ?, ?)", sorted(self._named)),
            ("authorships VALUES (?, ?)", sorted(written)),
        ):
            self._connection.executemany(f"INSERT OR IGNORE INTO {table}", records)
        people.write()


def add_segments(connection: sqlite3.Connection, papers: Iterable[tuple[int, Paper]]) -> None:
    """Write the terms of those papers of some rows that are in a script without spaces."""
    connection.executemany(
        "INSERT INTO segments_fts (rowid, terms) VALUES (?, ?)",
        ((row, found) for row, paper in papers if (found := _terms(paper))),
    )


def has_segments(paper: Paper) -> bool:
    """Return whether `add_segments` writes terms of a paper."""
    return is_spaceless(_segmented(paper))


class _People:
    """People by name: the number of one who is known, a new number for one who is not."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}
        self._new: dict[str, tuple[int, str]] = {}
        (last,) = connection.execute("SELECT max(person) FROM people").fetchone()
        self._empty = last is None
        self._next = (last or 0) + 1

    def number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = self._numbered(name_key(name), name)
        return number

    def _numbered(self, key: str, name: str) -> int:
        if key in self._new:
            return self._new[key][0]
        if not self._empty:
            sql = "SELECT person FROM people WHERE key = ?"
            found = self._connection.execute(sql, (key,)).fetchone()
            if found is not None:
                return int(found[0])
        self._new[key] = (self._next, name)
        self._next += 1
        return self._next - 1

    def write(self) -> None:
        self._connection.executemany(
            "INSERT INTO people VALUES (?, ?, ?)",
            ((number, key, name) for key, (number, name) in self._new.items()),
        )
        # By word, so that only the words need sorting: people come in the order of their numbers.
        people: dict[str, list[int]] = {}
        for key, (number, _) in self._new.items():
            for word in dict.fromkeys(key.split()):
                if len(word) > 1:
                    people.setdefault(word, []).append(number)
        self._connection.executemany(
            "INSERT INTO people_words VALUES (?, ?)",
            ((word, number) for word in sorted(people) for number in people[word]),
        )


def name_key(name: str) -> str:
    """Return under which key a person's name is looked up."""
    return person_key(name) or name.casefold()


def remove_lookups(connection: sqlite3.Connection, papers: Iterable[tuple[int, Paper]]) -> None:
    """Take out what `add_lookups` has written of the papers of some rows."""
    for row, paper in papers:
        if _terms(paper):
            connection.execute("DELETE FROM segments_fts WHERE rowid = ?", (row,))
        connection.executemany(
            "DELETE FROM identifiers WHERE kind = ? AND value = ? AND row = ?",
            ((kind, value, row) for kind, value in identifiers_of_paper(paper)),
        )
        connection.executemany(
            "DELETE FROM short_names WHERE key = ? AND place = ? AND row = ?",
            ((key, place, row) for key, place in names_of_paper(paper)),
        )
        connection.executemany(
            "DELETE FROM authorships WHERE row = ? AND person IN "
            "(SELECT person FROM people WHERE key = ?)",
            ((row, name_key(name)) for name in paper.authors),
        )


def forget_people(connection: sqlite3.Connection) -> None:
    """Take out people who have no paper left."""
    gone = "NOT IN (SELECT person FROM authorships)"
    connection.execute(f"DELETE FROM people_words WHERE person {gone}")
    connection.execute(f"DELETE FROM people WHERE person {gone}")


def _segmented(paper: Paper) -> str:
    return f"{paper.display_title} {paper.abstract} {' '.join(paper.keywords)}"


def _terms(paper: Paper) -> str:
    """Return the terms of a paper in a script without spaces, "" for any other paper."""
    text = _segmented(paper)
    if not is_spaceless(text):
        return ""
    words, pairs = segments(text)
    return " ".join([*words, *pairs])


def names_of_paper(paper: Paper) -> list[tuple[str, int]]:
    """Return the short names of a paper's title, and 0 for the one it begins with, else 1."""
    keys = short_names(paper.display_title)
    # Half the titles give no name, and a paper's key is made anew.
    return [(key, 0 if paper.key.startswith(key) else 1) for key in keys]


def identifiers_of_paper(paper: Paper) -> set[tuple[str, str]]:
    """Return the identifiers and addresses by which a paper is looked up, as (kind, value)."""
    found = {*identifiers(paper)}
    links = [
        value
        for value in paper.extra.values()
        if isinstance(value, str) and value[:8].lower().startswith(("http://", "https://"))
    ]
    for link in links[:_ADDRESSES]:
        found.update(pair for pair in identifiers_in(link) if pair[0] != "url")
        found.add(("url", address_key(link)))
    return {(kind, value) for kind, value in found if value}
