"""What is drawn of a map: points, topics, the place of the query, the hits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.analysis.map.groups import topic_groups
from swimmer.analysis.map.maps import PaperMap, Topic
from swimmer.papers import Paper, citation_line
from swimmer.store import PaperStore
from swimmer.text import clean_url, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.retrieval import Answer
    from swimmer.store import Rows

COLOURS = 7
"""Colours of a drawing; neighbouring topics get different ones."""

MOST_POINTS = 20_000
"""Papers in a map's file, with titles and authors; of a larger store, a sample and the hits."""

_AROUND = 5
_MANY = 50_000
_FINEST, _COARSE = 32_767, 4_049
# Characters that JSON and HTML leave as they are; 90 times 90 are the values of a coarse place.
_DIGITS = np.frombuffer(bytes(set(range(35, 127)) - {ord("\\"), ord("<")}), np.uint8)
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


def marked(
    store: PaperStore, drawn: PaperMap, answer: Answer, other: PaperStore | None = None
) -> Marked:
    """Return the place of an answer on the map of its store, or of that and another store.

    A query that is not a paper of the map is placed among its first hits.
    """

    def row_of(paper: Paper) -> int | None:
        row = None
        if other is None or paper.extra.get("store") != other.name:
            row = store.database.row_of_id(paper.id)
        if row is None and other is not None:
            row = other.database.row_of_id(paper.id)
            row = None if row is None else row + len(store)
        return row

    found = [row_of(hit.paper) for hit in answer.hits]
    rows = tuple(row for row in found if row is not None)
    row = None
    label = answer.query
    if answer.matched is not None:
        row = row_of(answer.matched)
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


def drawn_rows(drawn: PaperMap, found: Marked | None = None, most: int = MOST_POINTS) -> Rows:
    """Return the rows that are drawn, in order: at most `most`, evenly spread, and the hits."""
    rows = np.arange(len(drawn))[:: -(-len(drawn) // most)]
    return rows if found is None else np.union1d(rows, np.array(found.rows, np.int64))


def points_payload(drawn: PaperMap, rows: Rows | None = None) -> dict[str, Any]:
    """Return what the page's script draws: the points of some rows as columns, and the topics.

    Coordinates are whole numbers, so that many points are few bytes. `group` is the number of a
    topic's group in `groups`, whose names stand on the map where it is shown as a whole.
    """
    rows = np.arange(len(drawn)) if rows is None else rows
    grouped = topic_groups(drawn.topics)
    group_of = {topic: n for n, group in enumerate(grouped) for topic in group.topics}
    topics = [
        {
            "name": printable(topic.name),
            "papers": topic.papers,
            "colour": colour,
            "group": group_of[number],
            **_at(drawn, topic.x, topic.y),
        }
        for number, (topic, colour) in enumerate(
            zip(drawn.topics, coloured(drawn.topics), strict=True)
        )
    ]
    groups = [
        {
            "name": printable(group.name),
            "papers": sum(drawn.topics[number].papers for number in group.topics),
            **_at(drawn, group.x, group.y),
        }
        for group in grouped
    ]
    return {
        "papers": len(drawn),
        "x": _whole(drawn, drawn.points[rows, 0]),
        "y": _whole(drawn, drawn.points[rows, 1]),
        "topic": drawn.labels[rows].tolist(),
        "topics": topics,
        "groups": groups,
    }


def packed_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload with the columns of many points as text, half the bytes once compressed.

    Of a place there are two texts, with the high and the low digit of each point.
    """
    if len(payload["x"]) <= _MANY or len(payload["topics"]) > len(_DIGITS):
        return payload
    packed = dict(payload)
    for name in ("x", "y"):
        high, low = np.divmod(np.array(payload[name]) + _COARSE, len(_DIGITS))
        packed[name] = [_DIGITS[digit].tobytes().decode("ascii") for digit in (high, low)]
    packed["topic"] = _DIGITS[np.array(payload["topic"])].tobytes().decode("ascii")
    return packed | {"digits": _DIGITS.tobytes().decode("ascii"), "lowest": -_COARSE}


def marks_payload(
    drawn: PaperMap, found: Marked | None, papers: Sequence[Paper], rows: Rows | None = None
) -> dict[str, Any]:
    """Return what a page's script marks: the hits and the place of the query.

    Args:
        drawn: the map.
        found: the answer on it.
        papers: the papers of the answer's rows.
        rows: the rows that are drawn, by default all.

    Returns:
        The hits as columns, the best first; `point` is the number of a hit among the points.
    """
    hits = np.array([] if found is None else found.rows, np.int64)
    return {
        "query": None if found is None else _at(drawn, found.x, found.y),
        "point": (hits if rows is None else np.searchsorted(rows, hits)).tolist(),
        **paper_columns(papers),
    }


def paper_columns(papers: Sequence[Paper]) -> dict[str, list[str]]:
    """Return what a map's page shows of papers, as columns."""
    return {
        "title": [printable(paper.display_title)[:_TITLE] for paper in papers],
        "authors": [printable(citation_line(paper))[:_TITLE] for paper in papers],
        "url": [clean_url(paper.url) for paper in papers],
        "id": [paper.id for paper in papers],
    }


def _at(drawn: PaperMap, x: float, y: float) -> dict[str, int]:
    (across,), (up,) = (_whole(drawn, np.array([value])) for value in (x, y))
    return {"x": across, "y": up}


def _whole(drawn: PaperMap, values: NDArray[np.floating]) -> list[int]:
    # The fewer digits of a large map are still finer than what a point of it covers.
    finest = _FINEST if len(drawn) <= _MANY else _COARSE
    unit = finest / max(float(np.abs(drawn.points).max()), 1e-9)
    whole: list[int] = np.rint(values * unit).astype(np.int64).tolist()
    return whole
