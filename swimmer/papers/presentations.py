"""When and where a paper is presented, as times and places that can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from swimmer.papers.events import EVENT_PARTS, MOST
from swimmer.papers.paper import EVENTS, Paper
from swimmer.text import clean

TALK_LENGTH = timedelta(minutes=15)
SESSION_LENGTH = timedelta(hours=2)
"""How long a talk and a poster session are taken to be where the list gives no end."""

_LONGEST_TALK = timedelta(hours=1)
_LONGEST = timedelta(hours=24)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Presentation:
    """One presentation of a paper.

    Attributes:
        kind: as the list says, such as `Poster` or `Oral`.
        session: the name of the session, or "".
        room: the room, or "".
        position: where in the room, such as `#112`, or "".
        start: when it begins, with a time zone where the list gives one.
        end: when it ends; estimated where the list does not say.
        is_talk: whether it is heard from its beginning to its end, as no poster is.
    """

    kind: str
    session: str
    room: str
    position: str
    start: datetime
    end: datetime
    is_talk: bool

    @property
    def walking_order(self) -> tuple[str, list[tuple[int, int, str]]]:
        """A key that puts the posters of a room in the order of their numbers."""
        parts = [part for part in _DIGITS.split(self.position) if part]
        return self.room, [
            (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts
        ]


def presentations(paper: Paper) -> list[Presentation]:
    """Return the presentations of a paper that have a time, in order of time as written."""
    events = paper.extra.get(EVENTS)
    if not isinstance(events, list) or not events:
        events = [paper.extra]
    found = [
        made
        for event in events[:MOST]
        if isinstance(event, Mapping) and (made := _presentation(event, paper.status)) is not None
    ]
    return sorted(dict.fromkeys(found), key=lambda one: one.start.isoformat())


def _presentation(event: Mapping[str, object], status: str) -> Presentation | None:
    start, end = (read_time(event.get(name)) for name in ("starttime", "endtime"))
    if start is None:
        return None
    if end is not None and (end.tzinfo is None) != (start.tzinfo is None):
        end = None
    if end is not None and not timedelta(0) < end - start <= _LONGEST:
        end = None
    kind = _text(event.get("kind")) or status
    session, room, position = (_text(event.get(name)) for name in EVENT_PARTS[:3])
    is_talk = not position and "poster" not in f"{kind} {session}".casefold()
    if is_talk and end is not None:
        is_talk = end - start <= _LONGEST_TALK
    if end is None:
        end = start + (TALK_LENGTH if is_talk else SESSION_LENGTH)
    return Presentation(kind, session, room, position, start, end, is_talk)


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return clean(str(value)[:200])


def read_time(value: object) -> datetime | None:
    """Return a time of ISO 8601 to the minute, with its zone if it has one; None for any other."""
    if not isinstance(value, str) or len(value) > 40 or len(value) < 16:
        return None
    text = value.strip()
    # Python 3.10 reads no "Z", and no fraction but of three or six digits.
    text = re.sub(r"[zZ]$", "+00:00", re.sub(r"\.\d+", "", text))
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text)
    try:
        found = datetime.fromisoformat(text)
        found.astimezone()
    except (ValueError, OverflowError):
        return None
    return found.replace(second=0, microsecond=0)
