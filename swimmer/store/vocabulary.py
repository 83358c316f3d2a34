"""The tables of a database's vocabulary: words that correct a misspelt one, and keywords."""

from __future__ import annotations

VOCABULARY_TABLE = """
CREATE TABLE vocabulary (word TEXT PRIMARY KEY, papers INTEGER NOT NULL) WITHOUT ROWID;
"""
"""The words of titles, abstracts and authors that may correct a misspelt one; since schema 2."""

SHORTEST, LONGEST = 4, 30
"""Letters of the shortest and of the longest word that is kept."""

TOPIC_TABLE = """
CREATE TABLE topics (
    key TEXT PRIMARY KEY, name TEXT NOT NULL, papers INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""The keywords of several papers: folded, as most of them write it, and of how many."""
