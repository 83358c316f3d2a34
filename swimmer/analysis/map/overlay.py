"""Two stores on one map: the papers of a second store join those that they are like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.layout import LAID_OUT, joined, nearest_of
from swimmer.analysis.map.maps import PaperMap
from swimmer.analysis.map.topics import described
from swimmer.errors import InputError
from swimmer.retrieval import one_model_of

if TYPE_CHECKING:
    from swimmer.store import PaperStore

_JOIN = 5


def joint_map(store: PaperStore, drawn: PaperMap, other: PaperStore) -> PaperMap:
    """Return a map of the papers of both stores, those of `other` last; the topics stay.

    A paper of `other` is placed among the five of `store` that it is most like, and has the topic
    that most of them have.

    Args:
        store: an open store.
        drawn: its map.
        other: an open store of the same model.

    Raises:
        InputError: the stores were made by different models.
    """
    if not one_model_of([store, other]):
        raise InputError(
            f"{store.name} and {other.name} were made by different models",
            hint="one map needs stores of one model; build one of them again",
        )
    if not len(other):
        return drawn
    own, more = store.vectors(), other.vectors()
    step = -(-len(own) // LAID_OUT)
    anchors = np.arange(len(own))[::step]
    vectors = np.concatenate([own[anchors], more])
    added = np.arange(len(anchors), len(vectors))
    places = np.full((len(vectors), 2), np.nan, np.float32)
    places[: len(anchors)] = drawn.points[anchors]
    points = np.concatenate([drawn.points, joined(vectors, places)[len(anchors) :]])
    labels = np.empty(len(points), np.int32)
    labels[: len(own)] = drawn.labels
    near = drawn.labels[anchors[nearest_of(vectors, np.arange(len(anchors)), added, _JOIN)]]
    labels[len(own) :] = [np.bincount(row).argmax() for row in near]
    topics = tuple(
        described(topic.name, topic.words, points[labels == number])
        for number, topic in enumerate(drawn.topics)
    )
    return PaperMap(points, labels, topics)
