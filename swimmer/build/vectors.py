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
) -> None:
    """Fill the vectors of rows; those of an interrupted run are taken from its checkpoint.

    Args:
        path: the file of the checkpoint.
        vectors: float32 (papers, dimension), changed in place.
        pending: the rows, in the order in which they are embedded.
        texts_of: gives the texts of rows.
        model: the model.
        report: told how many were embedded, and how many were there already.
        progress: told how many are done.

    Raises:
        ModelError: the model fails.
    """
    with Checkpoint(path, model) as checkpoint:
        done = 0
        for start in range(0, len(pending), CHUNK):
            rows = pending[start : start + CHUNK]
            texts = texts_of(rows.tolist())
            digests = [text_hash(text) for text in texts]
            found = checkpoint.find(digests)
            new = [i for i, digest in enumerate(digests) if digest not in found]
            made = _embedded(model, [texts[i] for i in new], report) if new else vectors[:0]
            for i, vector in zip(new, made, strict=True):
                found[digests[i]] = vector
            checkpoint.keep({digests[i]: found[digests[i]] for i in new})
            vectors[rows] = np.stack([found[digest] for digest in digests])
            report.resumed += len(rows) - len(new)
            report.embedded += len(new)
            done += len(rows)
            progress("embedding", done, len(pending))
    report.unknown = int((~vectors.any(axis=1)).sum()) if len(pending) else 0


def _embedded(model: Model, texts: list[str], report: BuildReport) -> Vectors:
    try:
        return model.embed_papers(texts)
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
