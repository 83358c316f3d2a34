"""Reranking: a cross-encoder reads the query beside each candidate and scores the pair."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from swimmer.errors import MissingExtraError, ModelError, QueryError
from swimmer.papers import Paper
from swimmer.retrieval.options import RerankFunction

RERANKER = "BAAI/bge-reranker-v2-m3"
"""The cross-encoder that reads more than a hundred languages; the default."""

TOKEN_LIMIT = 512

_BATCH = 8
_FAILURES = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, ImportError)


def load_reranker(which: object = True) -> RerankFunction:
    """Return a function of a query's text and n papers to n scores, higher is nearer.

    Args:
        which: True for the default, the Hugging Face id or folder of a cross-encoder, an object
            with LangChain's `BaseCrossEncoder.score`, or such a function itself.

    Raises:
        MissingExtraError: the extra `huggingface` is not installed.
        ModelError: the cross-encoder cannot be loaded.
        QueryError: it is none of these.
    """
    if which is True:
        return _named(RERANKER)
    if isinstance(which, (str, Path)):
        return _named(str(which))
    score = getattr(which, "score", None)
    if callable(score):
        return _checked(lambda pairs: score(pairs), type(which).__name__)
    if callable(which):
        return which
    raise QueryError(
        f"rerank is True, the name of a cross-encoder, or a function; got {which!r:.60}"
    )


def _checked(score: Callable[[list[tuple[str, str]]], Any], name: str) -> RerankFunction:
    def rerank(query: str, papers: list[Paper]) -> list[float]:
        found = np.asarray(score([(query, paper.embedding_text) for paper in papers]), np.float64)
        if found.shape != (len(papers),) or not np.isfinite(found).all():
            raise ModelError(
                f"the reranker {name} was given {len(papers)} pairs and returned an array "
                f"of shape {found.shape}; expected one finite score for each"
            )
        scores: list[float] = found.tolist()
        return scores

    return rerank


@lru_cache(maxsize=2)
def _named(name: str) -> RerankFunction:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise MissingExtraError(f"reranking by {name}", "huggingface")
    encoder = _open(name)

    def score(pairs: list[tuple[str, str]]) -> Any:
        return encoder.predict(pairs, batch_size=_BATCH, show_progress_bar=False)

    return _checked(score, name)


def _open(name: str) -> Any:
    from sentence_transformers import CrossEncoder

    folder = Path(name).expanduser()
    # The local cache comes first: without a network, the hub is tried for minutes.
    tries = (True,) if folder.is_dir() else (True, False)
    for local in tries:
        try:
            return CrossEncoder(
                str(folder) if folder.is_dir() else name,
                max_length=TOKEN_LIMIT,
                local_files_only=local,
                trust_remote_code=False,
            )
        except _FAILURES as error:
            reason = " ".join(str(error).split())[:300]
    raise ModelError(
        f"the cross-encoder {name} cannot be loaded ({reason})",
        hint=f"give the Hugging Face id or the folder of one, such as {RERANKER}",
    )
