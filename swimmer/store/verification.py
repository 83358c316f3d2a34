"""Whether a store on disk is whole: files, rows, words, vectors, its map and its model."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from swimmer.errors import StoreDamagedError, StoreError, SwimmerError
from swimmer.store.kept_nearest import RECALL, kept_nearest
from swimmer.store.manifest import MANIFEST, DataFile, Manifest
from swimmer.store.map_file import MAP, KeptMap
from swimmer.store.similarity import combined_score

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore

_BLOCK = 50_000
_SAMPLE = 32
_CLOSE = 1e-5
_LEAST_FOUND = 0.9


def problems_of(store: PaperStore, *, load_model: bool) -> list[str]:
    """Return everything that is wrong with a store on disk, as `PaperStore.verify` does.

    Args:
        store: an open store.
        load_model: whether the model is loaded, and compared with the one it was built with.
    """
    return _of_files(store) or _of_contents(store, load_model)


def _of_files(store: PaperStore) -> list[str]:
    assert store.folder is not None
    try:
        on_disk = Manifest.read(store.folder)
    except StoreError as error:
        return [error.full_text]
    if on_disk != store.manifest:
        return [f"{store.folder / MANIFEST}: has changed since the store was opened; open it again"]
    problems = []
    for file in (store.manifest.database, store.manifest.index):
        path = store.folder / file.name
        try:
            if DataFile.of(path) != file:
                problems.append(f"{path}: its content is not what the manifest says (SHA-256)")
        except FileNotFoundError:
            problems.append(f"{path}: is missing")
        except OSError as error:
            problems.append(f"{path}: cannot be read ({error.strerror or error})")
    with contextlib.suppress(FileNotFoundError):
        try:
            KeptMap.read(store.folder / MAP)
        except StoreDamagedError as error:
            problems.append(error.full_text)
    return problems


def _of_contents(store: PaperStore, load_model: bool) -> list[str]:
    problems = []
    try:
        problems += store.database.check()
        if len(store.database) != store.manifest.papers:
            problems.append(
                f"{len(store.database)} papers in the database, {store.manifest.papers} in the "
                "manifest"
            )
        for start in range(0, store.index.rows, _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, store.index.rows))
            lengths = np.linalg.norm(store.index.vectors(rows), axis=1)
            if not (np.isclose(lengths, 1, atol=1e-3) | (lengths == 0)).all():
                problems.append(f"{store.manifest.index.name}: vectors not of unit length")
                break
        store.lexical  # noqa: B018  fails where words or tokens are not those of the manifest
        problems += _of_nearest(store)
        if load_model:
            store.model()
    except SwimmerError as error:
        problems.append(error.full_text)
    return problems


def _of_nearest(store: PaperStore) -> list[str]:
    """Compare the nearest papers that are kept of a sample with what a search finds."""
    database, papers = store.database, len(store)
    if "nearest" not in database.tables:
        return []
    rows = [row for (row,) in database.query("SELECT row FROM nearest ORDER BY row", (), (int,))]
    if rows and not 0 <= rows[0] <= rows[-1] < papers:
        return [f"nearest papers are kept of rows {rows[0]} to {rows[-1]}, of {papers}"]
    found = total = 0
    for row in rows[:: max(1, len(rows) // _SAMPLE)]:
        kept = {
            other: (score, cosine) for other, score, cosine in kept_nearest(database, row) or ()
        }
        if not kept:
            continue
        true = _searched(store, row, len(kept))
        last = min(cosine for _, cosine in kept.values())
        # On another processor the last digit of a cosine is another one.
        wanted = {other for other, (_, cosine) in true.items() if cosine > last + _CLOSE}
        found, total = found + len(wanted & kept.keys()), total + len(wanted)
        apart = [
            other
            for other in true.keys() & kept.keys()
            if np.abs(np.subtract(true[other], kept[other])).max() > _CLOSE
        ]
        if apart:
            return [f"the nearest papers that are kept of row {row} have other scores"]
    exact = database.meta(RECALL) == "1"
    if found < total * (1 if exact else _LEAST_FOUND):
        return [f"of the nearest papers of a sample, {total - found} of {total} are not kept"]
    return []


def _searched(store: PaperStore, row: int, count: int) -> dict[int, tuple[float, float]]:
    """Return the score and the cosine of the papers nearest to one, by row."""
    cosines, found = store.index.search(store.index.vectors(np.array([row])), count + 1)
    others = found[0] != row
    near, scores = found[0][others], cosines[0][others]
    cosines = scores
    index = store.lexical
    if index is not None and len(near):
        words = store.database.packed_words([row, *near.tolist()])
        query = index.vector([words.get(row, b"")])
        if len(query.words):
            lexical = index.scores(query, [words.get(other, b"") for other in near.tolist()])
            scores = combined_score(cosines, lexical, store.similarity.paper)
    pairs = zip(scores.tolist(), cosines.tolist(), strict=True)
    return dict(zip(near.tolist(), pairs, strict=True))
