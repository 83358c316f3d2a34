"""The vectors of new papers, embedded in chunks that are kept when the work is interrupted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.build.checkpoint import Checkpoint
from swimmer.build.report import BuildReport
from swimmer.embeddings import Model
from swimmer.errors import (
    ModelError,
)
from swimmer.progress import Progress
from swimmer.store import (
    PaperDatabase,
    pack_tokens,
    text_hash,
)

if TYPE_CHECKING:
    from swimmer.store import Rows, Vectors

CHUNK = 512
"""Papers embedded between two looks at the clock; a chunk is what an interruption can cost."""


def embed_rows(
    path: Path,
    vectors: Vectors,
    pending: Rows,
    texts_of: Callable[[list[int]], list[str]],
    model: Model,
    report: BuildReport,
    progress: Progress,
    *,
    weighing: bool = False,
) -> dict[int, bytes]:
    """Fill the vectors of rows; those of an interrupted run are taken from its checkpoint.

    Returns the packed tokens of each row (`lexical.pack_tokens`), nothing without `weighing`.

    Args:
        path: the file of the checkpoint.
        vectors: float32 (papers, dimension), changed in place.
        pending: the rows, in the order in which they are embedded.
        texts_of: gives the texts of rows.
        model: the model.
        report: told how many were embedded, and how many were there already.
        progress: told how many are done.
        weighing: whether the model weighs the tokens of the texts too.

    Raises:
        ModelError: the model fails.
    """
    packed: dict[int, bytes] = {}
    with Checkpoint(path, model, weighing=weighing) as checkpoint:
        done = 0
        for start in range(0, len(pending), CHUNK):
            rows = pending[start : start + CHUNK]
            texts = texts_of(rows.tolist())
            digests = [text_hash(text) for text in texts]
            found = checkpoint.find(digests)
            new = [i for i, digest in enumerate(digests) if digest not in found]
            made = _embedded(model, [texts[i] for i in new], report, weighing) if new else []
            for i, one in zip(new, made, strict=True):
                found[digests[i]] = one
            checkpoint.keep({digests[i]: found[digests[i]] for i in new})
            vectors[rows] = np.stack([found[digest][0] for digest in digests])
            if weighing:
                tokens = [found[digest][1] for digest in digests]
                packed.update(zip(rows.tolist(), tokens, strict=True))
            report.resumed += len(rows) - len(new)
            report.embedded += len(new)
            done += len(rows)
            progress("embedding", done, len(pending))
    report.unknown = int((~vectors.any(axis=1)).sum()) if len(pending) else 0
    return packed


def _embedded(
    model: Model, texts: list[str], report: BuildReport, weighing: bool
) -> list[tuple[Vectors, bytes]]:
    """Return the vector of each text, and its packed tokens where they are weighed, else b""."""
    try:
        if weighing:
            weighed = model.weigh_papers(texts)
            return list(zip(weighed.vectors, pack_tokens(weighed.weights), strict=True))
        return [(vector, b"") for vector in model.embed_papers(texts)]
    except OSError as error:
        # A service that cannot be reached is no full disk, though both are an OSError.
        raise ModelError(
            f"the model {model.name} failed after {report.embedded:,} papers ({error})",
            hint="start the same build again; it resumes, with the papers embedded so far",
        ) from error


def in_order(database: PaperDatabase, pending: Rows, model: Model) -> Rows:
    """Return rows in the order in which they are embedded fastest."""
    if not model.pads:
        return pending
    # A batch costs as much as its longest text: over the whole corpus, like goes with like.
    by_length = np.asarray(database.rows_by_length(), np.int64)
    return by_length[np.isin(by_length, pending)]
