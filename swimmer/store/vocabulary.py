"""The vocabulary of a database: the words by which a misspelt one may be corrected."""

from __future__ import annotations

VOCABULARY_TABLE = """
CREATE TABLE vocabulary (word TEXT PRIMARY KEY, papers INTEGER NOT NULL) WITHOUT ROWID;
"""
"""The words of titles, abstracts and authors that may correct a misspelt one; since schema 2."""

SHORTEST, LONGEST = 4, 30
"""Letters of the shortest and of the longest word that is kept."""
