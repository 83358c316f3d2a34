"""A store is written to its folder: new files beside the old, then the manifest that names them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from swimmer.embeddings import ModelIdentity
from swimmer.files import flush_to_disk, new_file
from swimmer.progress import Progress
from swimmer.store.data_files import digest_of_code
from swimmer.store.database import PaperDatabase
from swimmer.store.folder import settle, sweep
from swimmer.store.index import VectorIndex, Vectors
from swimmer.store.indexes import index_of
from swimmer.store.manifest import DataFile, Manifest
from swimmer.store.near_titles import keep_title_lengths
from swimmer.store.nearest import keep_nearest
from swimmer.store.own_vectors import drop_own_vectors, keep_own_vectors
from swimmer.store.similarity import SPARSE, Similarity
from swimmer.store.working_copy import WorkingCopy


@dataclass(frozen=True)
class StoreContents:
    """What a store holds when it is written.

    Attributes:
        database: the papers; copied first where it cannot be written.
        vectors: theirs as they are searched, float32 (papers, dimension).
        like: an index whose parameters the new one takes over.
        form: how the vectors are kept.
        model: what made them.
        similarity: the weights of comparison, None where none were chosen.
        token_probes: what recognises the model's weights of tokens, "" where words are compared.
        thresholds: what was learnt of the scores, by name.
        source: what the papers are from.
    """

    database: PaperDatabase
    vectors: Vectors
    like: VectorIndex | None
    form: str
    model: ModelIdentity
    similarity: Similarity | None
    token_probes: str
    thresholds: Mapping[str, float]
    source: str


def save_contents(
    folder: Path,
    contents: StoreContents,
    changed: WorkingCopy | None,
    *,
    neighbours: bool | None,
    progress: Progress | None,
) -> Manifest:
    """Write a store to a folder, which holds the old store until the new one is whole.

    Args:
        folder: where to; the caller is its one writer.
        contents: what is written.
        changed: where papers or vectors have changed; None for what is as it was on disk.
        neighbours: whether the nearest papers are kept, as in `PaperStore.commit`.
        progress: called as neighbours are found.

    Raises:
        OSError: the folder cannot be written; files begun are left for `sweep`.
    """
    generation = os.urandom(8).hex()
    draft_papers, draft_index = new_file(folder, "papers"), new_file(folder, "index")
    database = contents.database
    if not database.writable:
        database = database.copy()
    database.set_meta("generation", generation)
    index = index_of(contents.vectors, exact=False, form=contents.form, like=contents.like)
    if changed is not None:
        _keep_own_vectors(database, changed)
    database.keep_word_counts()
    keep_title_lengths(database)
    if changed is not None or neighbours is not None:
        keep_nearest(
            database,
            index,
            contents.similarity or Similarity(),
            wanted=neighbours,
            before=changed.before if changed is not None else None,
            origin=changed.rows_before() if changed is not None else None,
            progress=progress,
        )
    if database.finished:
        database.hand_over(draft_papers)
    else:
        database.optimize()
        database.save(draft_papers)
        if database is not contents.database:
            database.close()
    index.save(draft_index)
    papers = settle(draft_papers, "papers-{}.sqlite")
    manifest = _manifest(contents, index, generation, papers, settle(draft_index, "index-{}.faiss"))
    flush_to_disk(folder)
    manifest.write(folder)
    sweep(folder)
    return manifest


def _keep_own_vectors(database: PaperDatabase, changed: WorkingCopy) -> None:
    own, near = changed.own_vectors()
    if near is not None and near.count:
        keep_own_vectors(database, own, near)
    else:
        drop_own_vectors(database)


def _manifest(
    contents: StoreContents,
    index: VectorIndex,
    generation: str,
    papers: DataFile,
    vectors: DataFile,
) -> Manifest:
    last = index.rows - 1
    probed = [row for row in sorted({0, index.rows // 2, last}) if 0 <= row <= last]
    codes = index.codes(np.array(probed, np.int64))
    probes_of_tokens = contents.token_probes
    manifest = Manifest(
        papers=index.rows,
        model=contents.model,
        database=papers,
        index=vectors,
        generation=generation,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        source=contents.source.encode("utf-8", "replace").decode(),
        probes={str(row): digest_of_code(code) for row, code in zip(probed, codes, strict=True)},
        exact=index.exact,
        recall=round(index.recall(contents.vectors), 4),
        thresholds=dict(contents.thresholds),
        similarity=contents.similarity.to_dict() if contents.similarity else {},
        vectors=index.form,
        lexical={"weights": SPARSE, "probes": probes_of_tokens} if probes_of_tokens else {},
    )
    return replace(manifest, schema=manifest.schema_needed)
