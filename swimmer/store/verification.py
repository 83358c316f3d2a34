"""Whether a store on disk is whole: files, rows, words, vectors, its map and its model."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from swimmer.embeddings import GIVEN
from swimmer.errors import StoreDamagedError, StoreError, SwimmerError
from swimmer.store.manifest import MANIFEST, DataFile, Manifest
from swimmer.store.map_file import MAP, KeptMap

if TYPE_CHECKING:
    from swimmer.store.store import PaperStore

_BLOCK = 50_000


def problems_of(store: PaperStore, *, ask_model: bool) -> list[str]:
    """Return everything that is wrong with a store on disk, as `PaperStore.verify` does.

    Args:
        store: an open store.
        ask_model: whether the store has its model at hand; else one that was given as an object
            in Python is not asked for.
    """
    return _of_files(store) or _of_contents(store, ask_model)


def _of_files(store: PaperStore) -> list[str]:
    assert store.folder is not None
    try:
        on_disk = Manifest.read(store.folder)
    except StoreError as error:
        return [str(error)]
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
            problems.append(str(error))
    return problems


def _of_contents(store: PaperStore, ask_model: bool) -> list[str]:
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
        if ask_model or not store.identity.name.startswith(GIVEN):
            store.model()
    except SwimmerError as error:
        problems.append(str(error))
    return problems
