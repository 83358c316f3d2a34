"""The vectors of new papers, embedded in chunks that are kept when the work is interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

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
    from swimmer.build.checkpoint import Embedded
    from swimmer.store import Rows, Vectors

CHUNK = 512
"""Papers embedded between two looks at the clock; a chunk is what an interruption can cost."""


@dataclass(frozen=True)
class Chunk:
    """Papers that are embedded together.

    `rows` are theirs, `digests` those of their texts. `known` has what an interrupted build has
    left, by digest; `texts` are those of the other papers, whose places are `new`.
    """

    rows: Rows
    digests: list[bytes]
    known: dict[bytes, Embedded]
    new: list[int]
    texts: list[str]


class Made(NamedTuple):
    """What a model makes of texts: their vectors, and the packed tokens of each, else b""."""

    vectors: Vectors
    tokens: list[bytes]


class Embedder(Protocol):
    """Embeds the texts of chunks, here or elsewhere."""

    def __call__(self, chunks: Iterator[Chunk], /) -> Iterator[tuple[Chunk, Made]]:
        """Yield each chunk once, in any order, with what is made of its texts."""
        ...


def embed_rows(
    path: Path,
    vectors: Vectors,
    pending: Rows,
    texts_of: Callable[[list[int]], list[str]],
    model: Model,
    embed: Embedder,
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
        pending: the rows, in the order in which they are cut into chunks.
        texts_of: gives the texts of rows.
        model: the model.
        embed: embeds chunks with it.
        report: told how many were embedded, and how many were there already.
        progress: told how many are done.
        weighing: whether the model weighs the tokens of the texts too.

    Raises:
        ModelError: the model fails.
    """
    packed: dict[int, bytes] = {}
    done = 0

    def finish(chunk: Chunk, made: Made) -> None:
        nonlocal done
        fresh = dict(
            zip((chunk.digests[i] for i in chunk.new), zip(*made, strict=True), strict=True)
        )
        checkpoint.keep(fresh)
        found = chunk.known | fresh
        vectors[chunk.rows] = np.stack([found[digest][0] for digest in chunk.digests])
        if weighing:
            tokens = (found[digest][1] for digest in chunk.digests)
            packed.update(zip(chunk.rows.tolist(), tokens, strict=True))
        report.resumed += len(chunk.rows) - len(chunk.new)
        report.embedded += len(chunk.new)
        done += len(chunk.rows)
        progress("embedding", done, len(pending))

    def unfinished() -> Iterator[Chunk]:
        for start in range(0, len(pending), CHUNK):
            rows = pending[start : start + CHUNK]
            texts = texts_of(rows.tolist())
            digests = [text_hash(text) for text in texts]
            known = checkpoint.find(digests)
            new = [i for i, digest in enumerate(digests) if digest not in known]
            chunk = Chunk(rows, digests, known, new, [texts[i] for i in new])
            if new:
                yield chunk
            else:
                finish(chunk, Made(vectors[:0], []))

    with Checkpoint(path, model, weighing=weighing) as checkpoint:
        for chunk, made in embed(unfinished()):
            finish(chunk, made)
    report.unknown = int((~vectors.any(axis=1)).sum()) if len(pending) else 0
    # Chunks may come in any order, and what is stored must not depend on it.
    return dict(sorted(packed.items()))


def made_of(model: Model, texts: Sequence[str], weighing: bool) -> Made:
    """Return the vectors of papers by their texts, and packed tokens where they are weighed."""
    if weighing:
        weighed = model.weigh_papers(texts)
        return Made(weighed.vectors, pack_tokens(weighed.weights))
    return Made(model.embed_papers(texts), [b""] * len(texts))


def embedder(model: Model, report: BuildReport, weighing: bool) -> Embedder:
    """Return what embeds chunks in this process, one after the other."""

    def embed(chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Made]]:
        for chunk in chunks:
            try:
                made = made_of(model, chunk.texts, weighing)
            except OSError as error:
                # A service that cannot be reached is no full disk, though both are an OSError.
                raise ModelError(
                    f"the model {model.name} failed after {report.embedded:,} papers ({error})",
                    hint="start the same build again; it resumes, with the papers embedded so far",
                ) from error
            yield chunk, made

    return embed


def in_order(database: PaperDatabase, pending: Rows, model: Model) -> Rows:
    """Return rows in the order in which they are embedded fastest."""
    if not model.pads:
        return pending
    # A batch costs as much as its longest text: over the whole corpus, like goes with like.
    by_length = np.asarray(database.rows_by_length(), np.int64)
    return by_length[np.isin(by_length, pending)]
