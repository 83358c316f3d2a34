"""How a paper lies in SQLite: the tables, a paper as a row of them, and a row as a paper."""

from __future__ import annotations

import json
from typing import Any

from swimmer.papers import Paper

COLUMNS = ("id", "title", "abstract", "url", "venue", "year", "status", "authors", "keywords")
"""The fields of a paper that have a column of their own; the rest stand in `extra` (JSON)."""

TABLES = """
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
    content='papers', content_rowid='row', tokenize='porter unicode61 remove_diacritics 2'
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
        _json(paper.authors),
        _json(paper.keywords),
        _json(dict(paper.extra)),
        digest,
    )


def _json(value: Any) -> str:
    return _ENCODER.encode(value)


def paper_of(record: tuple[Any, ...]) -> Paper:
    """Return the paper of a row that was selected by PAPER."""
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
    paper = object.__new__(Paper)
    # What a store holds was cleaned on its way in; cleaning every answer again would cost more
    # than finding it.
    paper.__dict__.update(
        title=title,
        abstract=abstract,
        url=url,
        id=identifier,
        authors=tuple(json.loads(authors)) if authors != "[]" else (),
        venue=venue,
        year=year,
        keywords=tuple(json.loads(keywords)) if keywords != "[]" else (),
        status=status,
        extra=json.loads(extra) if extra != "{}" else {},
        display_title=display,
    )
    return paper
