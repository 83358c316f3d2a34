"""A plan as an iCalendar file (RFC 5545), which calendar programs import."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from swimmer.analysis.plan import Plan, PlannedSession, Visit
from swimmer.analysis.plan_formats import hours_of, instead_of, reason_of
from swimmer.errors import MissingExtraError
from swimmer.text import clean_url, printable

if TYPE_CHECKING:
    from icalendar import Event

_EPOCH = datetime(2025, 1, 1, tzinfo=timezone.utc)


def to_icalendar(plan: Plan, *, each: bool = False, now: datetime | None = None) -> bytes:
    """Return a plan as an iCalendar file.

    An event has the same UID in every plan of the same conference, and a later plan a higher
    SEQUENCE: importing it again changes the events that are there. Times with an offset are
    written in UTC, those in a named zone with a VTIMEZONE, those without a zone as floating ones.

    Args:
        plan: a plan.
        each: one event for each paper, at the time to be there; by default one for each session,
            with its papers in the description.
        now: the time of the file, by default now.

    Raises:
        MissingExtraError: icalendar is not installed.
    """
    try:
        from icalendar import Calendar
    except ImportError:
        raise MissingExtraError("a calendar file", "calendar") from None
    stamp = (now or datetime.now(timezone.utc)).astimezone(timezone.utc).replace(microsecond=0)
    calendar = Calendar()
    calendar.add("prodid", "-//swimmer//plan//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", printable(f"Plan for {plan.store}"))
    seen: Counter[str] = Counter()
    for session in plan.sessions:
        if each:
            events = [_of_visit(plan, session, visit) for visit in session.visits]
        else:
            events = [_of_session(plan, session, seen)]
        for event in events:
            event.add("dtstamp", stamp)
            # Minutes: it must only grow, and fit 31 bits.
            event.add("sequence", int((stamp - _EPOCH) / timedelta(minutes=1)))
            calendar.add_component(event)
    if any(_zone_key(one.start) for one in plan.sessions):
        calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(start: datetime, end: datetime, uid: str, **texts: str) -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", f"{hashlib.blake2b(uid.encode(), digest_size=16).hexdigest()}@swimmer")
    for name, time in (("dtstart", start), ("dtend", end)):
        fixed = time.tzinfo is not None and not _zone_key(time)
        event.add(name, time.astimezone(timezone.utc) if fixed else time)
    for name, text in texts.items():
        if text:
            event.add(name, printable(text))
    return event


def _zone_key(time: datetime) -> Any:
    return getattr(time.tzinfo, "key", None)


def _of_session(plan: Plan, session: PlannedSession, seen: Counter[str]) -> Event:
    if session.is_talk:
        return _of_visit(plan, session, session.visits[0])
    # Not the time: a session that was moved is the same one. Two of a name are numbered.
    uid = f"{plan.store}\n{session.name}"
    seen[uid] += 1
    lines = [line for visit in session.visits for line in _lines(visit)]
    return _event(
        session.start,
        session.end,
        f"{uid}\n{seen[uid]}",
        summary=f"{session.name} ({len(session.visits)})",
        location=session.room,
        description="\n".join([*_overlaps(session), *lines, *_alternatives(session)]),
    )


def _of_visit(plan: Plan, session: PlannedSession, visit: Visit) -> Event:
    place = " ".join(part for part in (visit.at.room, visit.at.position) if part)
    event = _event(
        visit.start,
        visit.end,
        f"{plan.store}\n{visit.paper.id}\n{visit.at.is_talk}",
        summary=visit.paper.display_title,
        location=place,
        description="\n".join(
            [
                *_overlaps(session),
                f"{session.name}, {hours_of(session)}",
                *_lines(visit)[1:],
                *(_alternatives(session) if session.is_talk else ()),
            ]
        ),
    )
    if address := clean_url(visit.paper.url):
        event.add("url", address)
    return event


def _lines(visit: Visit) -> list[str]:
    lead = " ".join(part for part in (f"{visit.start:%H:%M}", visit.at.position) if part)
    about = [f"{lead} {visit.paper.display_title}", reason_of(visit), clean_url(visit.paper.url)]
    return [line for line in about if line]


def _overlaps(session: PlannedSession) -> list[str]:
    return [f"At the same time: {other}" for other in session.overlaps]


def _alternatives(session: PlannedSession) -> list[str]:
    return [
        f"{instead_of(session, visit)}: {visit.paper.display_title}"
        for visit in session.alternatives
    ]
