"""Topics that several stores have in common: clusters of all their papers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.topic_names import topic_names
from swimmer.analysis.map.topics import paper_text
from swimmer.embeddings import check_same
from swimmer.progress import Progress
from swimmer.store import PaperStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import Vectors

MOST = 150
"""Topics, at most; otherwise the square root of the number of papers."""

SAMPLE = 20_000
"""Papers whose texts are read for the names."""

_ROUNDS = 25
_STARTS = 2
_SEED = 1


@dataclass(frozen=True)
class TopicClusters:
    """The papers of several stores by topic; a paper's number counts through all stores.

    `labels` int32 (n,) are numbers into `names`; `nearness` float32 (n,) is the cosine of a paper
    to the centre of its topic.
    """

    labels: NDArray[np.int32]
    names: tuple[str, ...]
    nearness: NDArray[np.float32]


def topic_clusters(
    stores: Sequence[PaperStore], *, progress: Progress | None = None
) -> TopicClusters:
    """Return the topics that stores have in common, by spherical k-means over their vectors.

    The same stores always give the same topics.

    Raises:
        ModelMismatchError: the stores were built with different models.
    """
    for store in stores[1:]:
        check_same(stores[0].identity, store.identity, store.name)
    if progress is not None:
        progress("reading", 0, None)
    vectors = np.ascontiguousarray(np.vstack([store.vectors() for store in stores]), np.float32)
    if progress is not None:
        progress("grouping", 0, None)
    labels, nearness = _clustered(vectors)
    if progress is not None:
        progress("naming", 0, None)
    step = -(-len(vectors) // SAMPLE)
    texts = [
        paper_text(paper)
        for number, paper in enumerate(chain.from_iterable(stores))
        if number % step == 0
    ]
    # A topic that the sample lacks would have no name.
    there, read = np.unique(labels[::step], return_inverse=True)
    found = topic_names(texts, read.astype(np.int32))
    names = [f"topic {number + 1}" for number in range(int(labels.max()) + 1)]
    for number, (name, _) in zip(there.tolist(), found, strict=True):
        names[number] = name
    return TopicClusters(labels, tuple(names), nearness)


def _clustered(vectors: Vectors) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    import faiss

    wanted = max(1, min(MOST, round(math.sqrt(len(vectors)))))
    means = faiss.Kmeans(
        vectors.shape[1],
        wanted,
        niter=_ROUNDS,
        nredo=_STARTS,
        spherical=True,
        seed=_SEED,
        min_points_per_centroid=1,
    )
    means.train(vectors)
    nearness, nearest = means.index.search(vectors, 1)
    # A cluster may be empty; the numbers have no gaps.
    _, labels = np.unique(nearest[:, 0], return_inverse=True)
    return labels.astype(np.int32), nearness[:, 0]
