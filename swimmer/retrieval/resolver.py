"""What was typed, resolved: a title, an address, a name, a person, a part of a title, or a text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.papers import arxiv_id, is_address, name_words, openreview_id
from swimmer.retrieval.hits import Reading
from swimmer.retrieval.titles import close_title, exact_titles
from swimmer.store import (
    MOST_NAME_WORDS,
    Person,
    people_named,
    rows_of_identifier,
    rows_of_name,
    rows_of_people,
    rows_with_segments,
    text_frequency,
    titles_with_phrase,
    titles_with_words,
    word_frequency,
)
from swimmer.text import (
    TITLE_LIMIT,
    folded,
    foreign_language,
    is_spaceless,
    spaced_words,
    title_key,
    words_of,
)

if TYPE_CHECKING:
    from swimmer.store import PaperStore

FEW = 5
"""Titles that may hold a part for it to name them."""

OFFERED = 6
"""Other readings that an answer offers at most."""

_MOST_ROWS = 50

_PART = 4
"""Words in a row from which a part of one title alone is taken as that title."""

_BY = re.compile(r"(?:(?:papers?|publications?|works?)\s+)?by\s+|authors?:\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+|\s*[&;]\s*", re.IGNORECASE)
_MOST_COAUTHORS = 6
_ASCII = re.compile(r"[\x00-\x7f]+")
_LEAST_WORDS = 3
_ORDINARY = 20
_ORDINARY_SHARE = 0.01


@dataclass(frozen=True)
class Resolution:
    """What a query was taken as.

    `rows` are the papers that it names, best first; `matched` says that the query stands for the
    first of them, whose neighbours are wanted. `listed` says that the rows are the whole answer.
    Rows that are neither stand before the answer to `text`, which is what is searched.
    """

    reading: Reading
    text: str
    rows: tuple[int, ...] = ()
    matched: bool = False
    exact: bool = False
    listed: bool = False
    given: str = ""
    by_meaning: bool = False
    others: tuple[Reading, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def typed(self) -> str:
        """The text as it was typed, before any correction."""
        return self.reading.typed or self.given or self.text


def resolve(store: PaperStore, text: str, lookup: bool | str = True) -> Resolution:
    """Return what a query is taken as.

    Args:
        store: an open store.
        text: what was typed, cleaned, not blank.
        lookup: True to find out; "title" or "author" to allow that reading only; "text" to search
            the words as they stand; False to search them by meaning alone.

    Raises:
        QueryError: the store has no such title or author, and nothing else is allowed.
    """
    if lookup is False or lookup == "text":
        return Resolution(Reading("text", text), text, by_meaning=lookup is False)
    if lookup == "author":
        return _forced_author(store, text)
    if lookup == "title":
        return _forced_title(store, text)
    return resolve_all(store, [text])[0]


def resolve_all(store: PaperStore, texts: Sequence[str]) -> list[Resolution]:
    """Return what each of several queries is taken as; their titles are looked up together."""
    exact = exact_titles(store, texts)
    return [_resolved(store, text, row) for text, row in zip(texts, exact, strict=True)]


def _resolved(store: PaperStore, text: str, title: int | None) -> Resolution:
    found = _named(store, text, title)
    if found is None:
        from swimmer.retrieval.correction import corrected

        meant = corrected(store, text)
        if meant != text:
            found = _named(store, meant, exact_titles(store, [meant])[0])
            found = found or _as_words(store, meant)
            return replace(
                found,
                reading=replace(found.reading, typed=text),
                others=(*found.others, Reading("text", text)),
            )
        return _as_words(store, text)
    return found


def _named(store: PaperStore, text: str, title: int | None) -> Resolution | None:
    """Return what a query names, None where it names nothing that the store knows."""
    if title is not None:
        # A longer title is nobody's name.
        people = _people(store, text) if text.count(" ") < MOST_NAME_WORDS else []
        others = _people_readings(people)
        return _matched(store, "title", text, (title,), exact=True, others=others)
    if len(text) > TITLE_LIMIT:
        return None
    rows = rows_of_identifier(store.database, text)
    if rows:
        return _matched(store, "address", text, tuple(rows[:1]), exact=True)
    if is_address(text):
        return _no_such_address(store, text)
    people = _people(store, text)
    if rows := rows_of_name(store.database, text):
        return _as_name(store, text, tuple(rows), _people_readings(people))
    if people:
        return _as_people(store, text, people)
    if (together := _as_coauthors(store, text)) is not None:
        return together
    if (row := close_title(store, text)) is not None:
        return _matched(store, "title", text, (row,))
    if (within := _within(store, text)) is not None:
        return within
    if is_spaceless(text):
        return _as_segments(store, text)
    return _as_part(store, text)


def _within(store: PaperStore, text: str) -> Resolution | None:
    """Return what a text names beside words that only stand around it, None where it says more."""
    # Not for a known title, whose answer imports as little as can be.
    from swimmer.retrieval.surroundings import name_within, title_within

    if (row := title_within(store, text)) is not None:
        return _matched(store, "title", text, (row,))
    core = name_within(text)
    if not core:
        return None
    if (row := exact_titles(store, [core])[0]) is not None:
        return _matched(store, "title", text, (row,))
    people = _people(store, core)
    named = _as_coauthors(store, core)
    if rows := rows_of_name(store.database, core) or rows_of_identifier(store.database, core):
        named = _as_name(store, core, tuple(rows), _people_readings(people))
    elif people:
        named = _as_people(store, core, people)
    if named is None or named.reading.kind == "text":
        return None
    others = [one for one in named.others if one.kind != "text"]
    return replace(named, others=(*others, Reading("text", text)))


def _as_segments(store: PaperStore, text: str) -> Resolution:
    """Return a text in a script without spaces: what holds its words, and what is like it."""
    rows = tuple(rows_with_segments(store.database, text, _MOST_ROWS))
    reading = Reading("text", text)
    if "en" not in store.identity.languages:
        return Resolution(reading, text, rows)
    # Beside many Latin words, the language of the others is told without them.
    language = foreign_language(text) or foreign_language(_ASCII.sub(" ", text))
    language = language or "another language"
    words = spaced_words(text)
    asked = f"only {words!r} was searched by meaning" if words else "only its words were searched"
    warnings = (
        f"this query looks like {language}; the model {store.identity.name} of this store reads "
        f"English, so {asked}. A store built with --model bge-m3 reads it",
    )
    # Hits by a model that cannot read the query would be noise.
    return Resolution(reading, words or text, rows, listed=not words, given=text, warnings=warnings)


def _matched(
    store: PaperStore,
    kind: str,
    text: str,
    rows: tuple[int, ...],
    *,
    exact: bool = False,
    others: tuple[Reading, ...] = (),
) -> Resolution:
    if kind != "title" or not exact:
        # Nobody types a whole title and means its words.
        others = (*others, Reading("text", text))
    return Resolution(Reading(kind, text, 1), text, rows, matched=True, exact=exact, others=others)


def _no_such_address(store: PaperStore, text: str) -> Resolution:
    shown = text[:200]
    number, forum = arxiv_id(text), openreview_id(text)
    if number or forum:
        address = f"arxiv:{number}" if number else f"https://openreview.net/forum?id={forum}"
        advice = (
            f"at a terminal, `swimmer search {address}` fetches its title and abstract and "
            "searches for papers like it"
        )
    else:
        advice = "search by its title, or at a terminal by its arXiv or OpenReview address"
    return Resolution(
        Reading("address", text, 0),
        text,
        listed=True,
        warnings=(f"no paper of the store {store.name} has the address {shown}; {advice}",),
    )


def _as_name(
    store: PaperStore, text: str, rows: tuple[int, ...], others: tuple[Reading, ...]
) -> Resolution:
    # What many papers write is a word first and a name second: `Agents: …` does not own it.
    most = max(_ORDINARY, int(_ORDINARY_SHARE * len(store)))
    ordinary = word_frequency(store.database, text, most + 1) > most
    if len(rows) == 1 and not ordinary:
        return _matched(store, "name", text, rows, others=others)
    if ordinary:
        named = Reading("name", text, len(rows))
        return Resolution(Reading("text", text), text, rows[:FEW], others=(named, *others))
    words = Reading("text", text)
    return Resolution(
        Reading("name", text, len(rows)), text, rows[:_MOST_ROWS], others=(*others, words)
    )


def _people(store: PaperStore, text: str) -> list[Person]:
    """Return the authors that a text may name; one word alone only where it is hardly a word."""
    name = _BY.sub("", text, count=1)
    words = name_words(name)
    if not words or any(char.isdigit() for char in text):
        return []
    people = people_named(store.database, name)
    return [] if len(words) == 1 and people and _is_word(store, words[0], people) else people


def _is_word(store: PaperStore, name: str, people: Sequence[Person]) -> bool:
    """Return whether a part of some people's names is a word of the papers' own first.

    Abstracts cite people by their names, and titles hardly do.
    """
    if titles_with_words(store.database, [name], 1):
        return True
    papers = sum(one.papers for one in people)
    return 2 * text_frequency(store.database, name, papers) > papers


def _people_readings(people: Sequence[Person]) -> tuple[Reading, ...]:
    return tuple(Reading("author", one.name, one.papers) for one in people[:OFFERED])


def _as_people(store: PaperStore, text: str, people: list[Person]) -> Resolution:
    rows = tuple(rows_of_people(store.database, people))
    words = Reading("text", text)
    if len(people) == 1:
        (one,) = people
        return Resolution(
            Reading("author", one.name, len(rows)), text, rows, listed=True, others=(words,)
        )
    choice = f"{_BY.sub('', text, count=1)} ({len(people)} authors)"
    return Resolution(
        Reading("author", choice, len(rows)),
        text,
        rows,
        listed=True,
        others=(*_people_readings(people), words),
    )


def _as_coauthors(store: PaperStore, text: str) -> Resolution | None:
    """Return the papers that several people wrote together, None where they are no such people."""
    pieces = _AND.split(text)
    pieces = [piece.strip() for piece in (pieces if len(pieces) > 1 else text.split(","))]
    pieces = [piece for piece in pieces if piece]
    if not 1 < len(pieces) <= _MOST_COAUTHORS:
        return None
    names: list[str] = []
    shared: list[int] | None = None
    for piece in pieces:
        people = _people(store, piece)
        if not people:
            return None
        rows = rows_of_people(store.database, people)
        shared = rows if shared is None else [row for row in shared if row in set(rows)]
        names.append(people[0].name if len(people) == 1 else piece)
    if not shared:
        return None
    together = Reading("author", " and ".join(names), len(shared))
    words = Reading("text", text)
    return Resolution(together, text, tuple(shared), listed=True, others=(words,))


def _as_part(store: PaperStore, text: str) -> Resolution | None:
    words = words_of(folded(text))
    if len(words) < 2:
        return None
    rows = titles_with_phrase(store.database, words, FEW + 1)
    long = len(words) >= _PART
    if not rows and long:
        # The last word of a title that was cut off where it was copied.
        rows = store.database.rows_of_key_start(title_key(text), FEW + 1)
    # A name with its colon, and some words after it, is the beginning of one title.
    if len(rows) == 1 and (long or ":" in text):
        return _matched(store, "part", text, tuple(rows))
    if 0 < len(rows) <= FEW and len(words) >= _PART:
        return Resolution(
            Reading("part", text, len(rows)),
            text,
            tuple(rows),
            others=(Reading("text", text),),
        )
    return None


def _as_words(store: PaperStore, text: str) -> Resolution:
    """Return a text as such; the few titles that hold all its words stand before the answer."""
    from swimmer.retrieval.query_words import content_words

    words = words_of(folded(text[:TITLE_LIMIT]))
    content = content_words(text[:TITLE_LIMIT])
    rows: list[int] = []
    if len(content) >= 2:
        rows = titles_with_phrase(store.database, words, FEW + 1)
    if (not rows or len(rows) > FEW) and len(content) >= _LEAST_WORDS:
        rows = titles_with_words(store.database, content, FEW + 1)
    return Resolution(Reading("text", text), text, tuple(rows) if len(rows) <= FEW else ())


def _forced_title(store: PaperStore, text: str) -> Resolution:
    from swimmer.retrieval.correction import corrected

    for candidate in dict.fromkeys((text, corrected(store, text))):
        row = exact_titles(store, [candidate])[0]
        exact = row is not None
        if row is None:
            row = close_title(store, candidate)
        if row is None and (rows := rows_of_name(store.database, candidate)):
            row = rows[0]
        words = words_of(folded(candidate[:TITLE_LIMIT]))
        if row is None and words:
            found = titles_with_phrase(store.database, words, FEW) or titles_with_words(
                store.database, words, FEW
            )
            row = found[0] if found else None
        if row is not None:
            return _matched(store, "title", text, (row,), exact=exact)
    raise QueryError(
        f"no paper of the store {store.name} has the title {text[:200]!r}",
        hint=(
            "leave the reading open, or search the words with --as text (lookup='text' in Python)"
        ),
    )


def _forced_author(store: PaperStore, text: str) -> Resolution:
    from swimmer.retrieval.correction import corrected

    people = people_named(store.database, text) or people_named(
        store.database, corrected(store, text)
    )
    if not people and (together := _as_coauthors(store, text)) is not None:
        return together
    if not people:
        old = "" if store.database.has_lookups else "; build it again, it is of an older version"
        raise QueryError(
            f"no paper of the store {store.name} has an author {text[:100]!r}{old}",
            hint=(
                "give the full name, or search the words with --as text (lookup='text' in Python)"
            ),
        )
    return _as_people(store, text, people)
