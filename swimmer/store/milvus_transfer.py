"""Stores moved between folders and Milvus, without embedding anything again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.embeddings import RECIPES, check_same
from swimmer.errors import UPGRADE, ModelMismatchError, StoreDamagedError, StoreError
from swimmer.papers import Paper
from swimmer.store.arrivals import FIRST_BUILT
from swimmer.store.database import PaperDatabase, text_hash
from swimmer.store.manifest import MANIFEST
from swimmer.store.milvus import MilvusStore
from swimmer.store.milvus_address import MilvusAddress
from swimmer.store.milvus_connection import BATCH, MilvusConnection
from swimmer.store.milvus_layout import layout_of
from swimmer.store.milvus_manifest import MilvusManifest
from swimmer.store.milvus_records import own_vector_of, paper_of, row_of, schema
from swimmer.store.names import target_folder
from swimmer.store.opening import open_store
from swimmer.store.similarity import Similarity
from swimmer.store.store import PaperStore
from swimmer.text import compatible

if TYPE_CHECKING:
    from swimmer.progress import Progress

_SAMPLE = 100


@dataclass(frozen=True)
class Pushed:
    """What a push did: the address, and how many papers were written, kept and deleted."""

    address: str
    papers: int
    written: int
    unchanged: int
    deleted: int
    index: str
    recall: float


def push_store(
    store: PaperStore | str | Path | None,
    address: str,
    *,
    index: str = "",
    progress: Progress | None = None,
) -> Pushed:
    """Write a store to a collection of Milvus: papers and vectors as they are searched.

    Papers that are there with the same content are not sent again, others of the collection are
    deleted; after an error the same call goes on. The first push can be searched when it has
    ended.

    Args:
        store: an open store, a name or a path; None for the default.
        address: `milvus://host:19530/NAME`, as `MilvusAddress` has it.
        index: the index of the vectors of a new collection, one of `milvus_layout.INDEXES`; by
            default what its size asks for.
        progress: called as papers are sent.

    Raises:
        InputError: there is no such index.
        StoreError: the server does not answer or refuses, or swimmer has not made the collection.
        ModelMismatchError: the collection holds vectors of another model.
        MissingExtraError: pymilvus is not installed.
    """
    opened = store if isinstance(store, PaperStore) else open_store(store)
    if opened.remote:
        raise StoreError(
            f"{opened.name} is on Milvus already", hint="push a store that is in a folder"
        )
    connection = MilvusConnection(MilvusAddress.read(address))
    try:
        with opened.reading():
            return _pushed(opened, connection, index, progress)
    finally:
        connection.close()


def _pushed(
    store: PaperStore, connection: MilvusConnection, index: str, progress: Progress | None
) -> Pushed:
    manifest, where = store.manifest, connection.address.shown
    local = connection.address.local
    thresholds, similarity = dict(manifest.thresholds), dict(manifest.similarity)
    if manifest.lexical:
        # The server has no tokens: a store that is pulled from it compares its vectors alone.
        similarity = Similarity(store.similarity.smoothing).to_dict()
        if (least := thresholds.get("related_cosine")) is not None:
            thresholds = {"related": least, "related_cosine": least}
    layout = layout_of(manifest.papers, manifest.model.dimension, index, local=local)
    held = MilvusManifest(
        model=manifest.model,
        generation=manifest.generation,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        source=manifest.source,
        index=layout.index,
        partitions=layout.partitions,
        recall=1.0,
        thresholds=thresholds,
        similarity=similarity,
        first_built=store.database.meta(FIRST_BUILT),
    )
    if not connection.exists():
        fields, indexes = schema(manifest.model.dimension, layout, local=local)
        connection.create(fields, indexes, held.to_properties(), layout.partitions)
    else:
        there = MilvusManifest.read(connection.properties(), where)
        try:
            check_same(there.model, manifest.model, where)
        except ModelMismatchError as error:
            raise ModelMismatchError(
                f"{where}: holds the vectors of another model ({there.model.name})",
                hint=f"push {store.name} into a collection of another name",
            ) from error
        if index and layout.index != there.index:
            raise StoreError(
                f"{where}: has the index {there.index}, and an index is chosen when the collection "
                "is made",
                hint="push into a collection of another name",
            )
        held = replace(held, index=there.index, partitions=there.partitions)
    connection.call("load_collection")
    kept, written = {}, 0
    for batch in connection.rows(["key", "digest"]):
        kept.update({str(row["key"]): str(row["digest"]) for row in batch})
    total = unchanged = 0
    for rows in _rows(store, parted=bool(held.partitions)):
        total += len(rows)
        held_keys = [row["key"] for row in rows if row["key"] in kept] if held.partitions else []
        changed = [row for row in rows if kept.pop(row["key"], "") != row["digest"]]
        if changed:
            keys = {row["key"] for row in changed}
            connection.write(changed, [key for key in held_keys if key in keys])
        written += len(changed)
        unchanged += len(rows) - len(changed)
        if progress is not None:
            progress("pushing", total, manifest.papers)
    gone = list(kept)
    for start in range(0, len(gone), BATCH):
        connection.again("delete", ids=gone[start : start + BATCH])
    recall = _recall(store, MilvusStore(connection, held))
    done = replace(held, recall=recall, complete=True)
    connection.call("alter_collection_properties", properties=done.to_properties())
    return Pushed(where, total, written, unchanged, len(gone), held.index, recall)


def _rows(store: PaperStore, *, parted: bool) -> Iterator[list[dict[str, Any]]]:
    import numpy as np

    own, _ = store.own_vectors()
    smoothed = bool(store.similarity.smoothing)
    for start in range(0, len(own), BATCH):
        rows = np.arange(start, min(start + BATCH, len(own)))
        yield [
            row_of(paper, row, vector, own[row] if smoothed else None, parted=parted)
            for row, paper, vector in zip(
                rows.tolist(), store.papers(rows.tolist()), store.vectors(rows), strict=True
            )
        ]


def _recall(store: PaperStore, remote: MilvusStore) -> float:
    """Return what share of the ten nearest papers the server finds, of a sample."""
    import numpy as np

    if not len(store):
        return 1.0
    rows = np.unique(np.linspace(0, len(store) - 1, min(_SAMPLE, len(store))).astype(np.int64))
    vectors = store.vectors(rows)
    true = store.index.search_exactly(vectors, 10)[0]
    found = total = 0
    for vector, scores in zip(vectors, true, strict=True):
        near = remote.nearest_to(vector, len(scores))
        # By their scores: of equally near papers, either is right.
        found += sum(one.score >= scores[-1] - 1e-5 for one in near)
        total += len(scores)
    return round(float(found / total), 4)


def _recipe(remote: MilvusStore) -> Callable[[Paper], str]:
    """Return what made the texts that were embedded; the model need not be here."""
    name = remote.identity.text
    if name not in RECIPES:
        raise StoreDamagedError(
            f"{remote.address}: its papers were read in a way that is not known ({name!r:.60})",
            hint=UPGRADE,
        )

    def text_of(paper: Paper) -> str:
        kept = paper.document_text
        return RECIPES[name].text_of(paper) if kept is None else compatible(kept)

    return text_of


def pull_store(
    address: str, name: str | Path | None = None, *, progress: Progress | None = None
) -> PaperStore:
    """Make a store in a folder of one on Milvus, without embedding anything; return it open.

    Args:
        address: where it is, as `MilvusAddress` has it.
        name: the name of the new store, or the path of its folder; that of the collection when
            None.
        progress: called as papers come.

    Raises:
        StoreError: there is a store of this name, or the server does not answer or refuses.
        StoreDamagedError: what the server holds is no store.
        MissingExtraError: pymilvus is not installed.
    """
    import numpy as np

    remote = MilvusStore.connect(address)
    try:
        folder = target_folder(name if name is not None else remote.name)
        if (folder / MANIFEST).exists():
            raise StoreError(f"{folder}: is a store already", hint="pull with another --name")
        held, dimension = remote.held, remote.identity.dimension
        found: list[tuple[int, Any, Any]] = []
        total = len(remote)
        for batch in remote.rows(["key", "record", "place", "vector", "own"]):
            for row in batch:
                vector = own_vector_of(row, dimension, remote.address)
                place = row["place"] if isinstance(row.get("place"), int) else 0
                found.append((place, paper_of(row, remote.address), vector))
            if progress is not None:
                progress("pulling", len(found), total)
        found.sort(key=lambda one: (one[0], one[1].id))
        text_of = _recipe(remote)
        database = PaperDatabase.create()
        with database.bulk():
            for place, (_, paper, _) in enumerate(found):
                database.put(place, paper, text_hash(text_of(paper)), new=True)
        database.index()
        if held.first_built:
            database.set_meta(FIRST_BUILT, held.first_built)
        vectors = np.array([vector for _, _, vector in found], np.float32).reshape(-1, dimension)
        similarity = Similarity.read(held.similarity) if held.similarity else None
        store = PaperStore.of_parts(
            database, vectors, held.model, None, folder, named_by_user=False, similarity=similarity
        )
        store.commit(
            folder, source=held.source, thresholds=dict(held.thresholds), progress=progress
        )
        return store
    finally:
        remote.close()
