"""When and where a paper is presented, in words."""

from __future__ import annotations

from collections.abc import Mapping

from swimmer.papers.paper import EVENTS, Paper

MOST = 20
"""Events of one paper that are told."""

_PLACES = ("kind", "session", "room_name", "poster_position")
EVENT_PARTS = ("session", "room_name", "poster_position", "starttime", "endtime")
"""The fields of an event, which a paper with a single one has as fields of its own too."""


def events_in_words(paper: Paper) -> list[str]:
    """Return one line for each event of a paper that says where or when it is.

    `Oral, Session 2, Hall 1, 2031-04-25 10:00–10:15`; the time is the one that the list gives.
    """
    events = paper.extra.get(EVENTS)
    if not isinstance(events, list) or not events:
        events = [paper.extra]
    lines = []
    for event in events[:MOST]:
        if isinstance(event, Mapping) and any(event.get(name) for name in EVENT_PARTS):
            places = [str(event[name])[:200] for name in _PLACES if _is_plain(event.get(name))]
            lines.append(", ".join(filter(None, [*places, _times(event)])))
    return list(dict.fromkeys(lines))


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""


def _times(event: Mapping[str, object]) -> str:
    start, end = (_time(event.get(name)) for name in ("starttime", "endtime"))
    if not start or not end:
        return start
    # Of the end only the hour, where it is on the same day.
    return f"{start}–{end.removeprefix(start[:10]).strip() if start[10:] else end}"


def _time(value: object) -> str:
    """Return a time of ISO 8601 to the minute, without its zone; any other text as it is."""
    if not isinstance(value, str):
        return ""
    return (
        value[:16].replace("T", " ") if value[4:5] == "-" and value[10:11] in "T " else value[:40]
    )
