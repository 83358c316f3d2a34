"""How a paper lies in SQLite: the tables, a paper as a row of them, and a row as a paper."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from swimmer.errors import InputError
from swimmer.papers import Paper
from swimmer.store.lookup_tables import LOOKUP_TABLES, SEGMENT_TABLE
from swimmer.store.vocabulary import TOPIC_TABLE, VOCABULARY_TABLE
from swimmer.text import clean, clean_url

COLUMNS = ("id", "title", "abstract", "url", "venue", "year", "status", "authors", "keywords")
"""The fields of a paper that have a column of their own; the rest stand in `extra` (JSON)."""

STEMMING_TOKENIZER = "porter unicode61 remove_diacritics 2"
"""How the full-text index splits texts and stems words, as FTS5's option `tokenize`."""

TABLES = f"""
CREATE TABLE papers (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    display_title TEXT NOT NULL,
    title_key TEXT NOT NULL,
    abstract TEXT NOT NULL,
    url TEXT NOT NULL,
    venue TEXT NOT NULL,
    year INTEGER,
    status TEXT NOT NULL,
    authors TEXT NOT NULL,
    keywords TEXT NOT NULL,
    extra TEXT NOT NULL,
    text_hash BLOB NOT NULL
);
CREATE TABLE fields (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE papers_fts USING fts5(
    display_title, abstract, keywords, authors,
    content='papers', content_rowid='row', tokenize='{STEMMING_TOKENIZER}'
);
CREATE VIRTUAL TABLE titles_fts USING fts5(
    display_title,
    content='papers', content_rowid='row', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE VIRTUAL TABLE title_terms USING fts5vocab('titles_fts', 'row');
"""

INDEXES = (
    "CREATE INDEX papers_title_key ON papers (title_key)",
    "CREATE INDEX papers_url ON papers (url) WHERE url != ''",
    "CREATE INDEX papers_venue_year ON papers (venue, year)",
    "CREATE INDEX papers_year ON papers (year)",
    "CREATE INDEX papers_status ON papers (status)",
)
"""Made apart from the tables: a database that is filled in bulk has them made at the end."""

WORD_TABLES = """
CREATE TABLE words (row INTEGER PRIMARY KEY, packed BLOB NOT NULL);
CREATE TABLE word_counts (papers INTEGER NOT NULL, counts BLOB NOT NULL);
"""
"""The words of each paper, as `store.lexical` packs them, and in how many papers each stands."""

TOKEN_TABLE = """
CREATE TABLE token_weights (row INTEGER PRIMARY KEY, packed BLOB NOT NULL);
"""
"""In place of the words: what a model's tokens count for, as `store.lexical` packs them."""

LENGTH_TABLE = """
CREATE TABLE title_lengths (packed BLOB NOT NULL);
"""
"""The characters of each title key, as `store.near_titles` packs them; at most one record."""

VECTOR_TABLES = """
CREATE TABLE own_vectors (
    row INTEGER PRIMARY KEY, vector BLOB NOT NULL, near BLOB NOT NULL, scores BLOB NOT NULL
);
"""
"""Each paper's own vector before smoothing, float16, with the neighbours it is smoothed by."""

NEAREST_TABLE = """
CREATE TABLE nearest (row INTEGER PRIMARY KEY, packed BLOB NOT NULL);
"""
"""The nearest papers of each paper, as `store.kept_nearest` packs them."""

VERSIONS = ((TABLES, INDEXES),)
"""The tables and indexes that every store has, of this release and of earlier ones.

Whoever changes TABLES or INDEXES keeps what they were here, so that older stores are still read.
"""

ADDED = (
    LOOKUP_TABLES,
    SEGMENT_TABLE,
    VOCABULARY_TABLE,
    TOPIC_TABLE,
    LENGTH_TABLE,
    WORD_TABLES,
    TOKEN_TABLE,
    VECTOR_TABLES,
    NEAREST_TABLE,
)
"""Tables that a store may have besides, each of these groups whole or not at all."""

_SHADOWS = (
    "CREATE TABLE '{}_data'(id INTEGER PRIMARY KEY, block BLOB)",
    "CREATE TABLE '{}_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID",
    "CREATE TABLE '{}_docsize'(id INTEGER PRIMARY KEY, sz BLOB)",
    "CREATE TABLE '{}_config'(k PRIMARY KEY, v) WITHOUT ROWID",
)
_TEXT = "CREATE TABLE '{}_content'(id INTEGER PRIMARY KEY, c0)"
_STATISTICS = (
    "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
)
_FTS = re.compile(r"CREATE VIRTUAL TABLE (\w+) USING fts5\(")


def _statements(tables: str, indexes: Iterable[str]) -> frozenset[str]:
    made = [statement.strip() for statement in tables.split(";")]
    # FTS5 makes tables of its own; their text is that of every SQLite since 3.20.
    shadows = [shadow.format(name) for name in _FTS.findall(tables) for shadow in _SHADOWS]
    # A table that is an index of another one keeps no text itself.
    shadows += [_TEXT.format(name) for name in _FTS.findall(tables) if "content=" not in tables]
    return frozenset([*filter(None, made), *indexes, *shadows])


_EXPECTED = [_statements(*version) for version in VERSIONS]
_GROUPS = [_statements(tables, ()) for tables in ADDED]


def is_schema_of_ours(found: Iterable[tuple[Any, ...]]) -> bool:
    """Return whether a database holds the tables and indexes of a store, and nothing else.

    A view, a trigger or a generated column is a program: it may never end, or answer with values
    of any size.

    Args:
        found: the columns type, name and sql of `sqlite_schema`.
    """
    texts = set()
    for kind, name, sql in found:
        if sql is None and kind == "index" and str(name).startswith("sqlite_autoindex_"):
            continue
        texts.add(sql)
    texts.difference_update(_STATISTICS)
    for group in _GROUPS:
        if group <= texts:
            texts -= group
    return texts in _EXPECTED


PAPER = (
    "row, id, title, display_title, abstract, url, venue, year, status, authors, keywords, extra"
)
FTS_COLUMNS = "display_title, abstract, keywords, authors"
FTS_TABLES = ("papers_fts", "titles_fts")

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def row_of(row: int, paper: Paper, digest: bytes) -> tuple[Any, ...]:
    """Return the values of a paper in table `papers`, `digest` being that of its text."""
    return (
        row,
        paper.id,
        paper.title,
        paper.display_title,
        paper.key,
        paper.abstract,
        paper.url,
        paper.venue,
        paper.year,
        paper.status,
        _json(paper.authors) if paper.authors else "[]",
        _json(paper.keywords) if paper.keywords else "[]",
        _json(paper.extra) if paper.extra else "{}",
        digest,
    )


def _json(value: Any) -> str:
    return _ENCODER.encode(value)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text:.20}")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"the number {text}")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_number)
# What is written escapes a quote and a backslash only; another escape may stand for anything.
_USUAL_JSON = re.compile(r"[^\\]*(?:\\[\"\\][^\\]*)*")


def paper_of(record: tuple[Any, ...]) -> Paper:
    """Return the paper of a row that was selected by PAPER.

    Raises:
        ValueError: a value is not of the type of its column, or is no text of a paper.
    """
    (
        _,
        identifier,
        title,
        display,
        abstract,
        url,
        venue,
        year,
        status,
        authors,
        keywords,
        extra,
    ) = record
    try:
        texts = "".join(record[9:])
        usual = "".join(record[1:7]) + status + texts
        people = _texts(authors) if authors != "[]" else ()
        words = _texts(keywords) if keywords != "[]" else ()
        more = _decoded(extra) if extra != "{}" else {}
        if not title or type(more) is not dict or type(year) not in (int, _NONE):
            raise ValueError("it is not what a paper has")
        paper = object.__new__(Paper)
        # What a store holds was cleaned on its way in, and cleaning every answer again would cost
        # more than finding it; whether it needs it is seen at a glance.
        if not _is_printable(usual) or clean_url(url) != url or not _USUAL_JSON.fullmatch(texts):
            paper = Paper(
                title, abstract, url, identifier, people, venue, year, words, status, more
            )
            paper.__dict__["display_title"] = clean(display)
            return paper
    except (TypeError, AttributeError, RecursionError, InputError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    paper.__dict__.update(
        title=title,
        abstract=abstract,
        url=url,
        id=identifier,
        authors=people,
        venue=venue,
        year=year,
        keywords=words,
        status=status,
        extra=more,
        display_title=display,
    )
    return paper


_NONE = type(None)
_PRINTABLE = bytes(range(0x20, 0x7F))


def _decoded(text: str) -> Any:
    # What is written has no space around it, and `decode` takes as long to look for some.
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError("more than one value")
    return value


def _is_printable(text: str) -> bool:
    if text.isascii():
        # Most papers are, and so it takes half the time.
        return not text.encode().translate(None, _PRINTABLE)
    return text.isprintable()


def _texts(text: str) -> tuple[str, ...]:
    values = _decoded(text)
    if type(values) is not list or not all(type(value) is str for value in values):
        raise ValueError("a list is not one of texts")
    return tuple(values)
