"""Two tools of somebody who writes and travels: a plan of a conference, and references checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import NotRequired, TypedDict

from swimmer.errors import QueryError
from swimmer.toolkit.answers import MOST_TOKENS, as_text, bounded, tokens_of
from swimmer.toolkit.searches import library_of

if TYPE_CHECKING:
    from swimmer.analysis import CheckedReference, Plan, PlannedSession, References, Visit
    from swimmer.papers import Paper
    from swimmer.store import PaperStore
    from swimmer.toolkit.arguments import PlanConference

_NOTE_TOKENS = 200
_TITLE = 300
_ALTERNATIVES = 3


class VisitData(TypedDict):
    """A paper of a plan: from when to when to be there, and where.

    `near` are titles of the library that it is near to, `own` says that it is in the library.
    """

    rank: int
    id: str
    title: str
    url: str
    start: str
    end: str
    room: str
    position: str
    own: bool
    near: NotRequired[list[str]]


class SessionData(TypedDict):
    """A session of a plan, its papers in walking order.

    `overlaps` names sessions of the plan at the same time; for `alternatives` there is no time.
    """

    session: str
    kind: str
    room: str
    start: str
    end: str
    overlaps: list[str]
    papers: list[VisitData]
    alternatives: list[VisitData]


class PlanData(TypedDict):
    """A plan of a conference; `more` papers were left out, `untimed` have no time in the list."""

    store: str
    library: int
    minutes: int
    sessions: list[SessionData]
    untimed: list[str]
    warnings: list[str]
    more: int


class DifferenceData(TypedDict):
    """A field in which a reference is not as a store has it."""

    field: str
    given: str
    known: str


class ReferenceData(TypedDict):
    """A reference and what the stores say of it; `entry` is the BibTeX to cite instead."""

    key: str
    title: str
    verdict: str
    store: NotRequired[str]
    id: NotRequired[str]
    url: NotRequired[str]
    differences: NotRequired[list[DifferenceData]]
    entry: NotRequired[str]


class CheckData(TypedDict):
    """References checked: how many of each verdict, and each; `more` were left out."""

    stores: list[str]
    counts: dict[str, int]
    references: list[ReferenceData]
    warnings: list[str]
    more: int


def plan_for_tool(store: PaperStore, asked: PlanConference) -> Plan:
    """Return the plan of a conference for a library of titles, and of a reading list if named.

    Raises:
        QueryError: the library is empty, there is no such time zone, or as `plan_visits` does.
        StoreError: the reading lists cannot be opened.
    """
    from swimmer.analysis import MINUTES, plan_visits, time_zone

    library = library_of(asked.titles, asked.reading_list)
    if not library:
        raise QueryError("the library is empty", hint="give titles, or the name of a reading list")
    return plan_visits(
        store,
        library,
        hours=asked.hours,
        minutes=asked.minutes or MINUTES,
        k=asked.k,
        filter=asked.filter(),
        zone=time_zone(asked.zone) if asked.zone else None,
    )


def plan_data(plan: Plan) -> PlanData:
    """Return a plan as plain data of at most about MOST_TOKENS tokens.

    Where it is longer, it first loses the alternatives and the reasons, then the papers of the
    last ranks, which are counted in `more`.
    """
    full = _plan_data(plan, len(plan.visits), spare=True)
    if _fits(full):
        return full
    ranks = sorted(visit.rank for visit in plan.visits)
    kept = len(ranks)
    while True:
        short = _plan_data(plan, kept, spare=False)
        if _fits(short) or kept <= 1:
            return short
        kept = kept * 9 // 10


def _fits(data: PlanData | CheckData) -> bool:
    return tokens_of(as_text(data)) <= MOST_TOKENS - _NOTE_TOKENS


def _plan_data(plan: Plan, kept: int, *, spare: bool) -> PlanData:
    ranks = sorted(visit.rank for visit in plan.visits)
    last = ranks[kept - 1] if ranks else 0
    sessions = [_session(one, last, spare) for one in plan.sessions]
    warnings = [bounded(warning, 500) for warning in plan.warnings[:10]]
    more = sum(rank > last for rank in ranks)
    if more:
        warnings.append(f"{more} more papers were left out, to keep the answer short; ask for less")
    return {
        "store": bounded(plan.store, 200),
        "library": plan.library,
        "minutes": int(plan.planned.total_seconds() // 60),
        "sessions": [one for one in sessions if one["papers"]],
        "untimed": [bounded(paper.display_title, _TITLE) for paper in plan.untimed[:10]],
        "warnings": warnings,
        "more": more,
    }


def _session(session: PlannedSession, last: int, spare: bool) -> SessionData:
    others = session.alternatives[:_ALTERNATIVES] if spare else []
    return {
        "session": bounded(session.name, 200),
        "kind": bounded(session.kind, 100),
        "room": bounded(session.room, 200),
        "start": session.start.isoformat(),
        "end": session.end.isoformat(),
        "overlaps": [bounded(name, _TITLE) for name in session.overlaps[:5]],
        "papers": [_visit(one, spare) for one in session.visits if one.rank <= last],
        "alternatives": [_visit(one, False) for one in others],
    }


def _visit(visit: Visit, near: bool) -> VisitData:
    from swimmer.text import clean_url

    data: VisitData = {
        "rank": visit.rank,
        "id": bounded(visit.paper.id, 500),
        "title": bounded(visit.paper.display_title, _TITLE),
        "url": clean_url(visit.paper.url),
        "start": visit.start.isoformat(),
        "end": visit.end.isoformat(),
        "room": bounded(visit.at.room, 100),
        "position": bounded(visit.at.position, 50),
        "own": visit.own,
    }
    if near and visit.near:
        data["near"] = [bounded(title, 200) for title in visit.near[:2]]
    return data


def planned_papers(plan: Plan, data: PlanData) -> list[Paper]:
    """Return the papers of a plan that its data shows, in order of time."""
    shown = {one["id"] for session in data["sessions"] for one in session["papers"]}
    return [visit.paper for visit in plan.visits if bounded(visit.paper.id, 500) in shown]


def check_for_tool(
    stores: Sequence[PaperStore], bibliography: str | None, references: Sequence[str]
) -> tuple[list[CheckedReference], References]:
    """Return what stores say of a bibliography or of references, and how they were read.

    Raises:
        QueryError: neither is given, or both, or they hold no reference or too many.
        SourceError: the text is damaged.
    """
    from swimmer.analysis import check_references, references_in
    from swimmer.toolkit.arguments import MOST_REFERENCES

    if bool(bibliography) == bool(references):
        raise QueryError(
            "give either bibliography or references",
            hint="bibliography is the text of a .bib file, references a list of single ones",
        )
    read = references_in(bibliography or references)
    if len(read.papers) > MOST_REFERENCES:
        raise QueryError(
            f"there are {len(read.papers):,} references, but at most {MOST_REFERENCES} can be "
            "checked in one call",
            hint="give them in parts",
        )
    return check_references(stores, read.papers), read


def check_data(
    checked: Sequence[CheckedReference], read: References, stores: Sequence[PaperStore]
) -> CheckData:
    """Return checked references as plain data of at most about MOST_TOKENS tokens.

    Where that is too long, those that were found as they stand are left out first.
    """
    listed = [_reference(one) for one in checked]
    data: CheckData = {
        "stores": [bounded(store.name, 200) for store in stores],
        "counts": dict(Counter(one.verdict for one in checked)),
        "references": listed,
        "warnings": [bounded(f"{at}: {why}", 300) for at, why in read.unreadable[:10]],
        "more": 0,
    }
    if not _fits(data):
        room = MOST_TOKENS - _NOTE_TOKENS - tokens_of(as_text({**data, "references": []}))
        first = sorted(range(len(listed)), key=lambda place: listed[place]["verdict"] == "found")
        kept: set[int] = set()
        for place in first:
            room -= tokens_of(as_text(listed[place]))
            if room < 0 and kept:
                break
            kept.add(place)
        data["references"] = [one for place, one in enumerate(listed) if place in kept]
        data["more"] = len(listed) - len(kept)
        data["warnings"].append(
            f"{data['more']} references were left out, to keep the answer short, those that were "
            "found as they stand first; counts has all"
        )
    return data


def _reference(one: CheckedReference) -> ReferenceData:
    from swimmer.text import clean_url

    data: ReferenceData = {
        "key": bounded(one.reference.id, 200),
        "title": bounded(one.reference.display_title, _TITLE),
        "verdict": one.verdict,
    }
    if one.paper is not None:
        data["store"] = bounded(one.store, 200)
        data["id"] = bounded(one.paper.id, 500)
    if one.paper is not None and one.verdict != "found":
        data["url"] = clean_url(one.paper.url)
        data["differences"] = [
            {
                "field": each.field,
                "given": bounded(each.given, 500),
                "known": bounded(each.known, 500),
            }
            for each in one.differences
        ]
    if one.entry:
        data["entry"] = _clean_entry(one.entry)
    return data


def _clean_entry(entry: str) -> str:
    """Return a BibTeX entry of bounded lines, which stay lines."""
    lines = entry.strip().splitlines()[:40]
    return "\n".join(" " * 2 * line.startswith(" ") + bounded(line, 1_000) for line in lines)
