"""What a question starts from: titles that the store knows, and text or papers that it embeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from swimmer.embeddings import Embeddings, Model
from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.store import PaperStore
from swimmer.text import TITLE_LIMIT, clean, foreign_language, title_key

if TYPE_CHECKING:
    from swimmer.store import Vectors

CLOSE_TITLE = 0.9
"""Levenshtein similarity of title keys from which a query is taken as a title of the store."""

SHORTEST_CLOSE_TITLE = 8
"""Characters of a title key below which only the exact title is taken."""


@dataclass(frozen=True)
class KnownPaper:
    """A paper from outside whose vector another store of the same model holds, float32 (d,)."""

    paper: Paper
    vector: Vectors


@dataclass(frozen=True)
class Seed:
    """One thing asked about: its text, or a paper from outside, and its row if the store has it.

    `vector` is the paper's, where it need not be embedded; `warnings` are sentences for the user.
    """

    text: str
    outside: Paper | None = None
    vector: Vectors | None = None
    row: int | None = None
    exact: bool = False
    warnings: tuple[str, ...] = ()


def checked_query(query: object) -> str:
    """Return a query cleaned, or raise QueryError when it is not text or blank."""
    if not isinstance(query, str):
        raise QueryError(f"a query is text, got {query!r:.60}")
    cleaned = clean(query)
    if not cleaned:
        raise QueryError("the query is blank; give a title or some words")
    return cleaned


def find_seeds(
    store: PaperStore, asked: Sequence[str | Paper | KnownPaper], lookup: bool
) -> list[Seed]:
    """Return a seed for each text or paper, its row looked up among the store's titles.

    Raises:
        QueryError: a text is blank, or is neither a text nor a paper.
    """
    seeds = [_seed(one) for one in asked]
    if not lookup:
        return seeds
    matches = find_titles(store, [seed.text for seed in seeds])
    return [_placed(store, seed, match) for seed, match in zip(seeds, matches, strict=True)]


def _placed(store: PaperStore, seed: Seed, match: tuple[int, bool] | None) -> Seed:
    """Return a seed with its row: that of its title, or, of a paper of the store itself, its own.

    Several papers of a store may have one title ("Position paper", a title in two tracks).
    """
    if seed.outside is not None:
        own = store.database.row_of_id(seed.outside.id)
        if own is not None and store.database.keys_of_rows([own]) == [seed.outside.key]:
            match = (own, True)
    return replace(seed, row=match[0], exact=match[1]) if match else seed


def _seed(one: str | Paper | KnownPaper) -> Seed:
    if isinstance(one, KnownPaper):
        return Seed(one.paper.title, outside=one.paper, vector=one.vector)
    return Seed(one.title, outside=one) if isinstance(one, Paper) else Seed(checked_query(one))


def find_title(store: PaperStore, query: str) -> tuple[int, bool] | None:
    """Return (row, exact) of the paper whose title a query is, or None; see `find_titles`."""
    return find_titles(store, [query])[0]


def find_titles(store: PaperStore, queries: Sequence[str]) -> list[tuple[int, bool] | None]:
    """Return (row, exact) of the paper whose title each query is, or None.

    Exact after folding case, punctuation, spacing, LaTeX and Unicode; else the nearest title in
    the sense of edit distance, when all its numbers are the query's too (part II is not part I).
    """
    keys = ["" if len(query) > TITLE_LIMIT else title_key(query) for query in queries]
    rows = store.database.rows_of_keys(keys)
    return [
        (rows[key], True) if key in rows else _close_title(store, query, key)
        for query, key in zip(queries, keys, strict=True)
    ]


def _close_title(store: PaperStore, query: str, key: str) -> tuple[int, bool] | None:
    if len(key) < SHORTEST_CLOSE_TITLE:
        return None
    candidates = store.database.near_titles(query)
    if not candidates:
        return None
    from rapidfuzz.distance import Levenshtein

    scored = [
        (Levenshtein.normalized_similarity(key, other, score_cutoff=CLOSE_TITLE), -row)
        for row, other in candidates
        if _digits(other) == _digits(key)
    ]
    best = max(scored, default=(0.0, 0))
    return (-best[1], False) if best[0] >= CLOSE_TITLE else None


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def seed_vectors(
    store: PaperStore, seeds: Sequence[Seed], embeddings: str | Embeddings | Model | None
) -> tuple[Vectors, list[Seed]]:
    """Return a vector for each seed, float32 (n, dimension), and the seeds with their warnings.

    A known paper has its stored vector; a paper from outside is embedded as the store's papers
    were, a text as a query. A row of zeros stands for a text of which the model knows no word and
    that is in a language it does not read.

    Raises:
        QueryError: the model knows no word of an English text.
        ModelError: a model is needed and cannot be loaded, or is not the store's.
    """
    vectors = np.zeros((len(seeds), store.identity.dimension), np.float32)
    known = [i for i, seed in enumerate(seeds) if seed.row is not None]
    if known:
        vectors[known] = store.index.vectors(
            np.asarray([seed.row for seed in seeds if seed.row is not None], np.int64)
        )
    for i, seed in enumerate(seeds):
        if seed.vector is not None and not vectors[i].any():
            vectors[i] = seed.vector
    outside = [
        i for i, seed in enumerate(seeds) if seed.outside is not None and not vectors[i].any()
    ]
    if outside:
        model = store.model(embeddings)
        papers = [paper for i in outside if (paper := seeds[i].outside) is not None]
        vectors[outside] = model.embed_documents([model.text_of(paper) for paper in papers])
    noted = list(seeds)
    for i, seed in enumerate(seeds):
        if seed.outside is None and not (seed.row is not None and vectors[i].any()):
            vectors[i], noted[i] = _embedded(store.model(embeddings), seed)
    return vectors, noted


def _embedded(model: Model, seed: Seed) -> tuple[Vectors, Seed]:
    language = foreign_language(seed.text) if "en" in model.languages else ""
    if language:
        warning = (
            f"this query looks like {language}; the model {model.name} of this store reads "
            "English, so the answer may be noise. A store built with --model bge-m3 reads it"
        )
        seed = replace(seed, warnings=(*seed.warnings, warning))
    try:
        return model.embed_query(seed.text), seed
    except QueryError:
        if not language:
            raise
        return np.zeros(model.identity.dimension, np.float32), seed
