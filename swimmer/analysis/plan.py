"""A plan of a conference: which posters and talks to see when, out of what is near to a library."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from swimmer.analysis.for_you import for_you
from swimmer.analysis.known_papers import known_rows, papers_meant
from swimmer.errors import QueryError
from swimmer.papers import Paper, Presentation, presentations
from swimmer.retrieval import checked_k

if TYPE_CHECKING:
    from swimmer.store import Filter, PaperStore

MINUTES = 10
"""Minutes at one poster."""

MOST_ALTERNATIVES = 5
"""Papers shown beside a session for which there is no time."""

_MOST = 2_000
_SPARE = 3


@dataclass(frozen=True)
class Visit:
    """A paper that is worth going to, at one of its presentations.

    `start` and `end` are when to be there: of a poster some minutes of its session. `near` are
    titles of the library that it is near to; `own` says that the paper itself is in the library.
    `rank` counts from 1, in the order of `for_you`.
    """

    paper: Paper
    at: Presentation
    rank: int
    start: datetime
    end: datetime
    near: tuple[str, ...] = ()
    own: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the visit as JSON-able values."""
        return {
            "rank": self.rank,
            "id": self.paper.id,
            "title": self.paper.display_title,
            "url": self.paper.url,
            "kind": self.at.kind,
            "room": self.at.room,
            "position": self.at.position,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "near": list(self.near),
            "own": self.own,
        }


@dataclass
class PlannedSession:
    """A poster session or a talk, with the papers to see there in walking order.

    `alternatives` are further papers for which there was no time: in the session itself, or
    elsewhere at the same time. `overlaps` are the names of other sessions of the plan that go on
    at the same time.
    """

    name: str
    kind: str
    room: str
    start: datetime
    end: datetime
    visits: list[Visit]
    alternatives: list[Visit] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)

    @property
    def is_talk(self) -> bool:
        """Whether it is one talk."""
        return self.visits[0].at.is_talk

    def to_dict(self) -> dict[str, Any]:
        """Return the session as JSON-able values."""
        return {
            "session": self.name,
            "kind": self.kind,
            "room": self.room,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "overlaps": self.overlaps,
            "papers": [visit.to_dict() for visit in self.visits],
            "alternatives": [visit.to_dict() for visit in self.alternatives],
        }


@dataclass(frozen=True)
class Plan:
    """What to see at a conference.

    Attributes:
        store: the name of the store.
        library: papers of the library.
        sessions: in order of time.
        untimed: papers that are near, but of which the list gives no time.
        warnings: sentences for the user.
    """

    store: str
    library: int
    sessions: tuple[PlannedSession, ...]
    untimed: tuple[Paper, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def visits(self) -> list[Visit]:
        """All visits, in order of time."""
        return [visit for session in self.sessions for visit in session.visits]

    @property
    def planned(self) -> timedelta:
        """The time of all visits together."""
        return sum((visit.end - visit.start for visit in self.visits), timedelta())

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON-able values."""
        return {
            "store": self.store,
            "library": self.library,
            "minutes": int(self.planned.total_seconds() // 60),
            "sessions": [session.to_dict() for session in self.sessions],
            "untimed": [{"id": one.id, "title": one.display_title} for one in self.untimed],
            "warnings": list(self.warnings),
        }


def plan_visits(
    store: PaperStore,
    library: Sequence[str | Paper],
    *,
    hours: float | None = None,
    minutes: int = MINUTES,
    k: int | None = None,
    filter: Filter | None = None,
    zone: tzinfo | None = None,
) -> Plan:
    """Return a plan of a conference for a library: what is nearest to it, when and where.

    Papers are taken in the order of `for_you`, those of the library itself first, as long as there
    is time: one cannot hear two talks at once, and a poster needs its minutes within its session,
    outside the talks. Of several presentations the first that fits is taken, posters first.

    Args:
        store: an open store, whose list gives times.
        library: papers, or their titles.
        hours: the time for all visits together; None for no limit.
        minutes: how long to stay at one poster.
        k: papers wanted at most; by default 50, or what the hours hold.
        filter: which papers may be found.
        zone: the time zone of the plan; also of times that the list gives without one. By default
            times are as the list gives them.

    Raises:
        QueryError: no paper has a time, or the library is not valid, as in `for_you`; or `hours` or
            `minutes` is not above 0.
    """
    if (hours is not None and not 0 < hours <= 1_000) or not 0 < minutes <= 600:
        raise QueryError(
            f"hours and minutes are numbers above 0, got {hours} and {minutes}",
            hint="hours up to 1,000, minutes up to 600",
        )
    store.check_in_folder("times to plan by")
    budget = timedelta(hours=hours) if hours is not None else timedelta.max
    if k is None:
        k = 50 if hours is None else int(60 * hours / min(minutes, 10)) + 1
    known = _known(store, library)
    found = for_you([store], library, min(_MOST, _SPARE * checked_k(k) + 20), filter=filter)
    candidates = [(paper, (), True) for paper in known] + [
        (one.hit.paper, tuple(paper.display_title for paper in one.near[:2]), False)
        for one in found.found
        if one.related
    ]
    times, floating = _times([paper for paper, _, _ in candidates], zone)
    if candidates and not any(times):
        raise _without_times(store)
    warnings = list(found.warnings)
    if floating:
        warnings.append(
            f"{floating:,} times have no time zone in the list; they are taken to be "
            + (f"in {zone}" if zone is not None else "those of the place")
        )
    if not candidates:
        warnings.append("nothing in the store is near to the library")
    schedule = _Schedule(timedelta(minutes=minutes), budget)
    untimed, passed = [], []
    for rank, ((paper, near, own), shown) in enumerate(zip(candidates, times, strict=True), 1):
        if not shown:
            untimed.append(paper)
            continue
        options = [
            Visit(paper, at, rank, at.start, at.end, near, own) for at in _posters_first(shown)
        ]
        if len(schedule.visits) >= k or not any(schedule.take(visit) for visit in options):
            passed.append(options[0])
    sessions = _sessions(schedule.placed())
    _add_alternatives(sessions, passed)
    _add_overlaps(sessions)
    return Plan(
        store.name,
        len(library),
        tuple(sessions),
        tuple(untimed[:k]),
        tuple(dict.fromkeys(warnings)),
    )


def time_zone(name: str) -> tzinfo:
    """Return the time zone of a name such as `Asia/Singapore`.

    Raises:
        QueryError: there is none.
    """
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    # A name with a separator or a zero byte is a ValueError, a folder's name an OSError.
    except (KeyError, ValueError, OSError):
        raise QueryError(
            f"there is no time zone {name[:60]!r}", hint="give a name such as Asia/Singapore"
        ) from None


def _known(store: PaperStore, library: Sequence[str | Paper]) -> list[Paper]:
    """Return the papers of a library that are in the programme itself."""
    rows = known_rows(store, papers_meant([store], library))
    return store.papers(list(dict.fromkeys(row for row in rows if row is not None)))


def _posters_first(shown: Sequence[Presentation]) -> list[Presentation]:
    return sorted(shown, key=lambda one: one.is_talk)


def _times(papers: Sequence[Paper], zone: tzinfo | None) -> tuple[list[list[Presentation]], int]:
    """Return the presentations of each paper with times that can be compared.

    Also how many were given without a time zone. They are taken to be in `zone`, else in the one
    that most others have; where none has any, they stay without.
    """
    shown = [presentations(paper) for paper in papers]
    every = [one for some in shown for one in some]
    floating = sum(one.start.tzinfo is None for one in every)
    offsets = Counter(one.start.utcoffset() for one in every if one.start.tzinfo is not None)
    usual = timezone(offsets.most_common(1)[0][0] or timedelta()) if offsets else None

    def at(time: datetime) -> datetime:
        if time.tzinfo is None:
            return time.replace(tzinfo=zone or usual)
        return time.astimezone(zone) if zone is not None else time

    moved = [[replace(one, start=at(one.start), end=at(one.end)) for one in some] for some in shown]
    return [[one for one in some if one.end > one.start] for some in moved], floating


def _without_times(store: PaperStore) -> QueryError:
    return QueryError(
        f"the list of {store.name} gives no times, so there is nothing to plan: "
        f"it was built from {store.manifest.source[:200] or 'a list without them'}",
        hint="build the store from the list of the conference's own site, which has sessions, "
        "rooms and times, such as: swimmer build iclr2025 (the export called Downloads has none)",
    )


class _Schedule:
    """What was taken so far, and whether there is time for one more."""

    def __init__(self, at_poster: timedelta, budget: timedelta) -> None:
        self.at_poster, self.left = at_poster, budget
        self.visits: list[Visit] = []

    def take(self, visit: Visit) -> bool:
        """Add a visit if there is time for it; return whether there was."""
        length = visit.at.end - visit.at.start if visit.at.is_talk else self.at_poster
        # Only what overlaps, one after the other, can be in the way.
        near = _connected(self.visits, visit)
        if length > self.left or _placed([*near, visit], self.at_poster) is None:
            return False
        self.visits.append(visit)
        self.left -= length
        return True

    def placed(self) -> list[Visit]:
        """Return the visits with the times to be there."""
        placed = _placed(self.visits, self.at_poster)
        assert placed is not None
        return placed


def _connected(visits: Sequence[Visit], visit: Visit) -> list[Visit]:
    """Return the visits whose sessions overlap with one, or with one of those."""
    start, end = visit.at.start, visit.at.end
    found: list[Visit] = []
    left = list(visits)
    while True:
        more = [one for one in left if one.at.start < end and start < one.at.end]
        if not more:
            return found
        found += more
        left = [one for one in left if one not in more]
        start = min(start, *(one.at.start for one in more))
        end = max(end, *(one.at.end for one in more))


def _placed(visits: Sequence[Visit], at_poster: timedelta) -> list[Visit] | None:
    """Return visits with times, None where they cannot all be made.

    Talks stand where they are. The session that ends first is walked first, each poster as soon
    as there is time.
    """
    talks = sorted((one for one in visits if one.at.is_talk), key=lambda one: one.at.start)
    if any(a.at.end > b.at.start for a, b in itertools.pairwise(talks)):
        return None
    taken = [(one.at.start, one.at.end) for one in talks]
    placed = list(talks)
    posters = [one for one in visits if not one.at.is_talk]
    for one in sorted(posters, key=lambda v: (v.at.end, v.at.start, v.at.walking_order)):
        start = _free(taken, one.at.start, at_poster)
        end = start + at_poster
        if end > one.at.end:
            return None
        taken = sorted([*taken, (start, end)])
        placed.append(replace(one, start=start, end=end))
    return placed


def _free(
    taken: Sequence[tuple[datetime, datetime]], start: datetime, length: timedelta
) -> datetime:
    """Return the first time from `start` on from which nothing is taken for so long."""
    for begins, ends in taken:
        if begins < start + length and start < ends:
            start = ends
    return start


def _sessions(visits: Sequence[Visit]) -> list[PlannedSession]:
    """Return visits by talk or poster session, in order of time, each in walking order."""
    groups: dict[tuple[Any, ...], list[Visit]] = {}
    for visit in visits:
        at = visit.at
        own = (visit.paper.id,) if at.is_talk else ()
        key = (at.start, at.end, at.session, at.room if not at.session else "", *own)
        groups.setdefault(key, []).append(visit)
    made = []
    for some in groups.values():
        some.sort(key=lambda one: (one.start, one.at.walking_order))
        at = some[0].at
        rooms = list(dict.fromkeys(one.at.room for one in some if one.at.room))
        name = at.session or at.kind or at.room or "Session"
        made.append(PlannedSession(name, at.kind, ", ".join(rooms), at.start, at.end, some))
    return sorted(made, key=lambda one: (one.start, one.end, one.name, one.visits[0].rank))


def _add_alternatives(sessions: Sequence[PlannedSession], passed: Sequence[Visit]) -> None:
    """Put papers for which there was no time beside the session that goes on meanwhile."""
    for visit in passed:
        beside = [one for one in sessions if one.start < visit.at.end and visit.at.start < one.end]
        # Its own session first, then a talk beside a talk, then the one that overlaps most.
        beside.sort(
            key=lambda one: (
                (one.name, one.start) != (visit.at.session, visit.at.start),
                one.is_talk != visit.at.is_talk,
                max(one.start, visit.at.start) - min(one.end, visit.at.end),
            )
        )
        if beside and len(beside[0].alternatives) < MOST_ALTERNATIVES:
            beside[0].alternatives.append(visit)


def _add_overlaps(sessions: Sequence[PlannedSession]) -> None:
    for place, one in enumerate(sessions):
        for other in sessions[place + 1 :]:
            if other.start >= one.end:
                break
            one.overlaps.append(label_of(other))
            other.overlaps.append(label_of(one))


def label_of(session: PlannedSession) -> str:
    """Return how another session names this one: a talk by its title."""
    if session.is_talk:
        return f"{session.name}: {session.visits[0].paper.display_title}"
    return session.name
