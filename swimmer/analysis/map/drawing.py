"""What is drawn of a map: points, topics, the place of the query, the hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.analysis.map.maps import PaperMap, Topic
from swimmer.papers import citation_line
from swimmer.store import PaperStore
from swimmer.text import clean_url, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.retrieval import Answer
    from swimmer.store import Rows

COLOURS = 7
"""Colours of a drawing; neighbouring topics get different ones."""

MOST_POINTS = 20_000
"""Papers that a page draws; of a larger store, a sample and the hits."""

_AROUND = 5
_BESIDE = 4
_TITLE = 300


@dataclass(frozen=True)
class Marked:
    """An answer on a map: the place of the query, its row if it is a paper, and the hits' rows."""

    label: str
    x: float
    y: float
    row: int | None
    rows: tuple[int, ...]


def marked(store: PaperStore, drawn: PaperMap, answer: Answer) -> Marked:
    """Return the place of an answer on the map of its store.

    A query that is not a paper of the store is placed among its first hits.
    """
    found = [store.database.row_of_id(hit.paper.id) for hit in answer.hits]
    rows = tuple(row for row in found if row is not None)
    row = None
    label = answer.query
    if answer.matched is not None:
        row = store.database.row_of_id(answer.matched.id)
        label = answer.matched.display_title
    around = [row] if row is not None else list(rows[:_AROUND])
    if around:
        x, y = (float(value) for value in np.median(drawn.points[around], axis=0))
    else:
        x, y = (float(value) for value in drawn.points.mean(axis=0))
    return Marked(printable(label)[:_TITLE], x, y, row, rows)


def coloured(topics: Sequence[Topic]) -> list[int]:
    """Return a colour number for each topic; neighbouring topics get different ones."""
    places = np.array([(topic.x, topic.y) for topic in topics])
    colours: list[int] = []
    for number in range(len(topics)):
        apart = np.hypot(*(places[:number] - places[number]).T)
        beside = [colours[other] for other in np.argsort(apart)[:_BESIDE]]
        free = [colour for colour in range(COLOURS) if colour not in beside]
        colours.append(min(free, key=lambda colour: (colours.count(colour), colour)))
    return colours


def points_payload(store: PaperStore, drawn: PaperMap) -> dict[str, Any]:
    """Return what the page's script draws: the papers as columns, and the topics.

    Of more than MOST_POINTS papers, evenly spread ones.
    """
    rows = np.arange(len(drawn))[:: -(-len(drawn) // MOST_POINTS)]
    topics = [
        {
            "name": printable(topic.name),
            "papers": topic.papers,
            "colour": colour,
            "x": round(topic.x, 4),
            "y": round(topic.y, 4),
        }
        for topic, colour in zip(drawn.topics, coloured(drawn.topics), strict=True)
    ]
    return {"papers": len(drawn), "topics": topics, **_columns(store, drawn, rows)}


def marks_payload(store: PaperStore, drawn: PaperMap, found: Marked | None) -> dict[str, Any]:
    """Return what a page's script marks: the hits and the place of the query.

    The hits are columns like those of the points, the best first.
    """
    rows = np.array([] if found is None else found.rows, np.int64)
    query = None if found is None else {"x": round(found.x, 4), "y": round(found.y, 4)}
    return {"query": query, **_columns(store, drawn, rows)}


def _columns(store: PaperStore, drawn: PaperMap, rows: Rows) -> dict[str, Any]:
    papers = store.papers(rows.tolist())
    return {
        "x": _rounded(drawn.points[rows, 0]),
        "y": _rounded(drawn.points[rows, 1]),
        "topic": drawn.labels[rows].tolist(),
        "title": [printable(paper.display_title)[:_TITLE] for paper in papers],
        "authors": [printable(citation_line(paper))[:_TITLE] for paper in papers],
        "url": [clean_url(paper.url) for paper in papers],
        "id": [paper.id for paper in papers],
    }


def _rounded(values: NDArray[np.float32]) -> list[float]:
    # Four digits are finer than any screen, and half the bytes.
    return [round(value, 4) for value in values.tolist()]
