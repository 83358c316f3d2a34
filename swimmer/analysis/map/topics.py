"""The topics of a map: clusters of papers, named by their most distinctive phrases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.layout import LAID_OUT
from swimmer.analysis.map.topic_names import topic_names
from swimmer.errors import MissingExtraError
from swimmer.papers import Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.analysis.map.layout import Points
    from swimmer.store import Vectors

    Labels = NDArray[np.int32]

MOST = 48
"""Topics of a map, at most."""

DENSITY = 0.65
"""Topics per square root of the number of papers: 40 for 3,700, 6 for 94."""

PLACE = 0.6
"""Weight of a paper's place on the map against its vector, in the clustering (docs/map.md)."""

_SEED = 1


@dataclass(frozen=True)
class Topic:
    """A topic of a map: its name, further phrases, the number of papers, its place.

    `x` and `y` are the median of its papers' points.
    """

    name: str
    words: tuple[str, ...]
    papers: int
    x: float
    y: float


def find_topics(
    vectors: Vectors, points: Points, texts: Sequence[Sequence[str]]
) -> tuple[Labels, list[Topic]]:
    """Return the topic of every paper (n,), a number into the topics, and the topics.

    `texts` are those of `paper_text` for every paper.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    labels = _clustered(vectors, points)
    found = [
        described(name, phrases, points[labels == number])
        for number, (name, phrases) in enumerate(topic_names(texts, labels))
    ]
    return labels, found


def described(name: str, words: Sequence[str], points: Points) -> Topic:
    """Return the topic of some points with a name."""
    x, y = (float(value) for value in np.median(points, axis=0))
    return Topic(name, tuple(words), len(points), x, y)


def _clustered(vectors: Vectors, points: Points) -> Labels:
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        raise MissingExtraError("the map", "map") from None
    count = len(points)
    wanted = min(MOST, max(2, round(DENSITY * math.sqrt(count))))
    both = np.hstack([vectors, PLACE * points / max(float(points.std()), 1e-9)]).astype(np.float32)
    step = -(-count // LAID_OUT)
    found = KMeans(wanted, n_init=3, random_state=_SEED).fit(both[::step]).predict(both)
    # Equal vectors may leave a cluster empty; the numbers have no gaps, the largest topic first.
    sizes = np.bincount(found, minlength=wanted)
    order = [int(number) for number in np.argsort(-sizes, kind="stable") if sizes[number]]
    renumbered = np.zeros(wanted, np.int32)
    renumbered[order] = np.arange(len(order), dtype=np.int32)
    labels: Labels = renumbered[found]
    return labels


def paper_text(paper: Paper) -> list[str]:
    """Return the texts of a paper that show its topic, the title first."""
    return [paper.display_title, *paper.keywords, paper.abstract[:500]]
