"""The map of a store: every paper is a point, similar papers are close, topics are named.

It is computed once and kept with the store; after a small update the other papers stay in place.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.layout import joined, nearest_of, placed
from swimmer.analysis.map.renaming import carried
from swimmer.analysis.map.topics import Topic, described, find_topics, paper_text
from swimmer.errors import InputError, StoreError
from swimmer.progress import Progress
from swimmer.store import MAP, KeptMap, Manifest, PaperStore, map_paths, writing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import Vectors

__all__ = ["FEWEST", "PaperMap", "Topic", "kept_map", "paper_map"]

FEWEST = 5
"""Papers that a map needs at least."""

MOST_CHANGED = 0.2
"""The share of papers that may be added or removed before the layout is computed again."""

_JOIN = 5
_CACHED = 50


@dataclass(frozen=True)
class PaperMap:
    """The papers of a store on a plane, by row number.

    `points` is float32 (n, 2), without a unit; `labels` int32 (n,), numbers into `topics`.
    """

    points: NDArray[np.float32]
    labels: NDArray[np.int32]
    topics: tuple[Topic, ...]

    def __len__(self) -> int:
        return len(self.points)


def paper_map(store: PaperStore, *, progress: Progress | None = None) -> PaperMap:
    """Return the map of a store: the kept one, else a new one, which is then kept.

    The map is in the store's folder, or in the user's cache where that cannot be written. The map
    of a store in memory, or of one changed since it was opened, is not kept.

    Args:
        store: an open store of at least FEWEST papers.
        progress: called during the work.

    Raises:
        InputError: the store has too few papers.
        MissingExtraError: the libraries of the map are not installed.
    """
    store.check_in_folder("map")
    if len(store) < FEWEST:
        raise InputError(
            f"the store {store.name} has {len(store)} papers, too few for a map",
            hint=f"a map needs at least {FEWEST}",
        )
    if (kept := kept_map(store)) is not None:
        return kept
    tell = progress or _silent
    tell("reading", 0, None)
    with store.reading():
        manifest = store.manifest if store.generation else None
        vectors = store.vectors()
        texts = [paper_text(paper) for paper in store]
        # Smoothing moves a vector when its neighbours change; the paper is the same.
        own, _ = store.own_vectors()
    digests = _digests(own)
    earlier = _earlier(store)
    made = _continued(vectors, digests, earlier)
    if made is None:
        points = placed(vectors, lambda done, total: tell("placing", done, total))
        tell("naming", 0, None)
        labels, topics = find_topics(vectors, points, texts)
        old = _rows_in(earlier, digests)
        topics, renamed = carried(earlier, old, labels, topics)
        made = PaperMap(points, labels, tuple(topics)), 0, renamed
    if manifest is not None:
        _keep(store, manifest, kept_of(made[0], manifest, digests, made[1], made[2]))
    return made[0]


def kept_map(store: PaperStore) -> PaperMap | None:
    """Return the kept map of the current state of a store, None where there is none."""
    if not store.generation:
        return None
    assert store.folder is not None
    for path in map_paths(store.folder, store.manifest):
        # A damaged map is computed again; `verify` reports it.
        with contextlib.suppress(OSError, StoreError):
            kept = KeptMap.read(path)
            if kept.belongs_to(store.manifest):
                return _shown(kept)
    return None


def _silent(stage: str, done: int, total: int | None) -> None:
    return None


def _shown(kept: KeptMap) -> PaperMap:
    topics = tuple(
        described(name, words, kept.points[kept.labels == number])
        for number, (name, words) in enumerate(kept.topics)
    )
    return PaperMap(kept.points, kept.labels, topics)


def _digests(vectors: Vectors) -> NDArray[np.uint8]:
    """Return a digest of 8 bytes for each vector, uint8 (n, 8)."""
    plain = np.ascontiguousarray(vectors, "<f4")
    joint = b"".join(hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in plain)
    return np.frombuffer(joint, np.uint8).reshape(len(vectors), 8)


# ---------------------------------------------------------------------- after an update


def _earlier(store: PaperStore) -> KeptMap | None:
    """Return the map of an earlier state of the store."""
    if store.folder is not None:
        with contextlib.suppress(OSError, StoreError):
            return KeptMap.read(store.folder / MAP)
    return None


def _continued(
    vectors: Vectors, digests: NDArray[np.uint8], earlier: KeptMap | None
) -> tuple[PaperMap, int, frozenset[int]] | None:
    """Return an earlier map with papers removed and added, and how many since the layout.

    Third, the topics that somebody named. None when too much has changed since the layout.
    """
    if earlier is None or earlier.points.shape[0] < FEWEST:
        return None
    old = _rows_in(earlier, digests)
    known, new = np.flatnonzero(old >= 0), np.flatnonzero(old < 0)
    # A paper whose text has changed is removed and added, and counts once.
    gone = len(earlier.points) - len(known)
    changed = earlier.changed + max(len(new), gone)
    if len(known) < FEWEST or changed > MOST_CHANGED * len(vectors):
        return None
    points = np.full((len(vectors), 2), np.nan, np.float32)
    labels = np.zeros(len(vectors), np.int32)
    points[known], labels[known] = earlier.points[old[known]], earlier.labels[old[known]]
    if len(new):
        points = joined(vectors, points)
        near = labels[nearest_of(vectors, known, new, _JOIN)]
        labels[new] = [np.bincount(row).argmax() for row in near]
    # A topic may have no papers left.
    left, numbers = np.unique(labels, return_inverse=True)
    names = [earlier.topics[number] for number in left.tolist()]
    topics = tuple(
        described(name, words, points[numbers == number])
        for number, (name, words) in enumerate(names)
    )
    renamed = frozenset(
        place for place, number in enumerate(left.tolist()) if number in earlier.renamed
    )
    return PaperMap(points, numbers.astype(np.int32), topics), changed, renamed


def _rows_in(earlier: KeptMap | None, digests: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the row in an earlier map of the paper with each digest, -1 where it has none."""
    known = () if earlier is None else earlier.digests
    places = {digest.tobytes(): row for row, digest in enumerate(known)}
    return np.array([places.get(digest.tobytes(), -1) for digest in digests], np.int64)


# ---------------------------------------------------------------------- on disk


def kept_of(
    made: PaperMap,
    manifest: Manifest,
    digests: NDArray[np.uint8],
    changed: int,
    renamed: frozenset[int],
) -> KeptMap:
    """Return a map as it is kept."""
    return KeptMap(
        made.points,
        made.labels,
        digests,
        [(topic.name, topic.words) for topic in made.topics],
        changed,
        manifest.generation,
        manifest.index.sha256,
        renamed,
    )


def _keep(store: PaperStore, manifest: Manifest, kept: KeptMap) -> None:
    assert store.folder is not None
    for path in map_paths(store.folder, manifest):
        # A map that cannot be kept is returned all the same.
        with contextlib.suppress(OSError, StoreError):
            if path.parent == store.folder:
                with writing(store.folder):
                    # The store may have been updated since; this map is then outdated.
                    if Manifest.read(store.folder).generation == manifest.generation:
                        kept.write(path)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            kept.write(path)
            _forget(path.parent)
            return


def _forget(folder: Path) -> None:
    """Remove all but the newest maps of the cache."""
    maps = sorted(folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime)
    for path in maps[:-_CACHED]:
        path.unlink(missing_ok=True)
