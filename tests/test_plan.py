"""A plan of a conference: sessions, talks, walking order, conflicts, and the files of it."""

from __future__ import annotations

import itertools
import json
import re
import warnings
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from swimmer import Paper, PaperStore, build_store
from swimmer.analysis import Plan, plan_to_html, plan_to_markdown, plan_visits, to_icalendar
from swimmer.errors import QueryError
from swimmer.papers import presentations

from .conftest import Outcome

Run = Callable[..., Outcome]
NOW = datetime(2031, 4, 1, tzinfo=timezone.utc)
SPEECHES = ("", "Safe control", "Learning gaits", "Cheap sensors")
ROBOTS = "Walking robots learn to climb stairs with legs"


def event(day: int, start: str, end: str, **more: str) -> dict[str, str]:
    times = {
        "starttime": f"2031-04-{day:02d}T{start}:00+08:00",
        "endtime": f"2031-04-{day:02d}T{end}:00+08:00",
    }
    return {"kind": "Poster", "session": "Poster Session 1", "room_name": "Hall 1", **times, **more}


def poster(number: int, position: str = "", day: int = 24, **more: str) -> Paper:
    position = position or f"#{number}"
    return Paper(
        f"Walking robots climb stairs, part {number}",
        ROBOTS,
        id=f"p{number}",
        url=f"https://example.org/{number}",
        extra={"events": [event(day, "10:00", "12:00", poster_position=position, **more)]},
    )


def talk(number: int, start: str, end: str, room: str = "Hall 9", day: int = 24) -> Paper:
    own = event(day, start, end, kind="Oral", session="Oral Session 1", room_name=room)
    return Paper(
        f"{SPEECHES[number]} for legged machines",
        f"We speak about {SPEECHES[number].lower()} for robots that walk and climb.",
        id=f"t{number}",
        extra={"events": [own]},
    )


OTHERS = [Paper(f"Protein folding, part {n}", "Proteins fold.", id=f"o{n}") for n in range(4)]


def planned(papers: Sequence[Paper], **options: Any) -> Plan:
    with build_store([*papers, *OTHERS], "conf") as store:
        return plan_visits(store, [Paper("Walking robots", ROBOTS)], **options)


def shown(plan: Plan) -> list[tuple[str, str, str]]:
    return [(v.start.strftime("%H:%M"), v.at.position, v.paper.id) for v in plan.visits]


# ---------------------------------------------------------------------- the plan


def test_posters_are_walked_in_the_order_of_their_numbers() -> None:
    plan = planned([poster(1, "#112"), poster(2, "#20"), poster(3, "#3"), poster(4, "#20B")])
    assert [position for _, position, _ in shown(plan)] == ["#3", "#20", "#20B", "#112"]
    assert [start for start, _, _ in shown(plan)] == ["10:00", "10:10", "10:20", "10:30"]
    (session,) = plan.sessions
    assert (session.name, session.room, session.overlaps) == ("Poster Session 1", "Hall 1", [])


def test_the_hours_are_kept_and_the_rest_is_beside() -> None:
    plan = planned([poster(n) for n in range(8)], hours=0.5)
    assert plan.planned == timedelta(minutes=30) and len(plan.visits) == 3
    assert len(plan.sessions[0].alternatives) == 5
    best = {visit.rank for visit in plan.visits}
    assert best == {1, 2, 3}, "the nearest are taken"
    assert len(planned([poster(n) for n in range(8)], minutes=45).visits) == 2
    assert len(planned([poster(n) for n in range(8)], k=4).visits) == 4


def test_two_talks_at_once_are_a_conflict() -> None:
    plan = planned([talk(1, "10:00", "10:15"), talk(2, "10:10", "10:25", "Hall 8")])
    (session,) = plan.sessions
    assert len(session.visits) == 1 and len(session.alternatives) == 1
    assert {session.visits[0].paper.id, session.alternatives[0].paper.id} == {"t1", "t2"}
    following = planned([talk(1, "10:00", "10:15"), talk(2, "10:15", "10:30", "Hall 8")])
    assert len(following.sessions) == 2


def test_posters_go_around_a_talk_and_both_say_so() -> None:
    plan = planned([talk(1, "10:05", "10:20"), poster(1), poster(2)])
    assert shown(plan) == [
        ("10:20", "#1", "p1"),
        ("10:30", "#2", "p2"),
        ("10:05", "", "t1"),
    ]
    session, oral = plan.sessions
    assert oral.overlaps == ["Poster Session 1"]
    assert session.overlaps == ["Oral Session 1: Safe control for legged machines"]
    text = plan_to_markdown(plan)
    assert text.count("At the same time") == 2


def test_a_paper_with_two_presentations_is_seen_once() -> None:
    both = poster(1)
    oral = event(25, "09:00", "09:15", kind="Oral", session="Oral Session 2")
    both = Paper(
        both.title, both.abstract, id="p1", extra={"events": [oral, *both.extra["events"]]}
    )
    plan = planned([both])
    assert [visit.at.kind for visit in plan.visits] == ["Poster"]
    blocked = planned([talk(2, "10:00", "12:00"), both], minutes=110)
    assert "p1" in {visit.paper.id for visit in blocked.visits}


def test_papers_of_the_library_are_seen_too() -> None:
    with build_store([poster(1), poster(2), *OTHERS], "conf") as store:
        plan = plan_visits(store, [poster(2)])
    assert {(visit.paper.id, visit.own) for visit in plan.visits} == {("p2", True), ("p1", False)}
    assert next(visit.rank for visit in plan.visits if visit.own) == 1


def test_a_list_without_times_says_what_to_fetch(swimmer: Run) -> None:
    papers = [Paper(p.title, p.abstract, id=p.id) for p in (poster(1), poster(2))]
    with pytest.raises(QueryError, match="no times") as wrong:
        planned(papers)
    assert "swimmer build iclr2025" in wrong.value.hint and "Downloads" in wrong.value.hint
    plan = planned([*papers, poster(3)])
    assert {"p1", "p2"} <= {paper.id for paper in plan.untimed} and len(plan.visits) == 1
    assert "Without a time" in plan_to_markdown(plan) and "Without a time" in plan_to_html(plan)


def test_nothing_found_is_said() -> None:
    plan = planned([poster(1)], filter={"year": 1900})
    assert not plan.sessions and any("near" in warning for warning in plan.warnings)
    assert b"VEVENT" not in to_icalendar(plan)
    assert "Plan for conf" in plan_to_markdown(plan) and "Plan for conf" in plan_to_html(plan)


@pytest.mark.parametrize(
    "options", [{"hours": 0}, {"hours": -1}, {"minutes": 0}, {"hours": 1e9}, {"k": 0}]
)
def test_a_wrong_number_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        planned([poster(1)], **options)


# ---------------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("start", "end", "minutes", "is_talk"),
    [
        ("2031-04-24T10:00:00Z", "2031-04-24T10:15:00Z", 15, True),
        ("2031-04-24T10:00:00.000+0800", "2031-04-24T10:15:00.000+0800", 15, True),
        ("2031-04-24 10:00", "2031-04-24 12:30", 150, False),
        ("2031-04-24T10:00:00+08:00", None, 15, True),
        ("2031-04-24T10:00:00+08:00", "2031-04-24T09:00:00+08:00", 15, True),
        ("2031-04-24T10:00:00+08:00", "2031-04-24 10:30", 15, True),
        ("2031-04-24T10:00:00+08:00", "2031-05-24T10:00:00+08:00", 15, True),
    ],
)
def test_times_as_lists_write_them(
    start: str, end: str | None, minutes: int, is_talk: bool
) -> None:
    paper = Paper("x", extra={"starttime": start, "endtime": end, "session": "Session 1"})
    (found,) = presentations(paper)
    assert found.end - found.start == timedelta(minutes=minutes) and found.is_talk is is_talk


@pytest.mark.parametrize(
    "start",
    ["", "soon", "2031-04-24", "24 April 2031, 10:00", "0001-01-01T00:00:00+14:00", 7, None],
)
def test_what_is_no_time_is_no_presentation(start: object) -> None:
    for made in ({"starttime": start}, {"events": [{"starttime": start}]}, {"events": "x"}):
        assert presentations(Paper("x", extra=made)) == []


def test_times_without_a_zone_are_those_of_the_place_or_the_one_given() -> None:
    bare = poster(1)
    bare.extra["events"][0]["starttime"] = "2031-04-24T10:00:00"
    bare.extra["events"][0]["endtime"] = "2031-04-24T12:00:00"
    floating = planned([bare])
    assert floating.visits[0].start.tzinfo is None and "no time zone" in floating.warnings[0]
    assert b"DTSTART:20310424T100000\r\n" in to_icalendar(floating)
    zoned = planned([bare], zone=ZoneInfo("Asia/Singapore"))
    assert zoned.visits[0].start.utcoffset() == timedelta(hours=8)
    mixed = planned([bare, poster(2)])
    assert {visit.start.utcoffset() for visit in mixed.visits} == {timedelta(hours=8)}
    assert len(mixed.sessions) == 1


def test_a_zone_with_summer_time_is_right_to_the_hour() -> None:
    early = poster(1, day=24)
    late = Paper(
        "Walking robots climb stairs, in winter",
        ROBOTS,
        id="w",
        extra={
            "events": [
                {
                    **early.extra["events"][0],
                    "starttime": "2031-12-05T16:30:00-08:00",
                    "endtime": "2031-12-05T19:30:00-08:00",
                    "session": "Winter",
                }
            ]
        },
    )
    plan = planned([early, late], zone=ZoneInfo("Europe/Vienna"))
    assert [one.start.strftime("%m-%d %H:%M") for one in plan.sessions] == [
        "04-24 04:00",
        "12-06 01:30",
    ]
    text = to_icalendar(plan).decode()
    assert "BEGIN:VTIMEZONE" in text and "DTSTART;TZID=Europe/Vienna:20310424T040000" in text


# ---------------------------------------------------------------------- the files


def read_by_two(content: bytes) -> list[Any]:
    """The events of a calendar file, which two parsers have read alike."""
    from icalendar import Calendar

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vobject

        other = vobject.readOne(content.decode())
    events = list(Calendar.from_ical(content).walk("VEVENT"))
    theirs = sorted(event.uid.value for event in getattr(other, "vevent_list", []))
    assert sorted(str(event["uid"]) for event in events) == theirs
    assert len(set(theirs)) == len(theirs)
    return events


PROGRAMME = [
    *(poster(n) for n in range(4)),
    *(poster(n, day=25, session="Poster Session 2") for n in range(4, 7)),
    talk(1, "10:30", "10:45"),
    talk(2, "10:40", "10:55", "Hall 8"),
    talk(3, "09:00", "09:15", day=25),
]


@pytest.mark.parametrize("each", [False, True])
def test_two_parsers_read_the_calendar_and_every_overlap_is_shown(each: bool) -> None:
    plan = planned(PROGRAMME)
    events = read_by_two(to_icalendar(plan, each=each, now=NOW))
    assert len(events) == (len(plan.visits) if each else len(plan.sessions))
    for place, one in enumerate(events):
        for other in events[place + 1 :]:
            if one.start < other.end and other.start < one.end:
                assert not each, "the times to be at two places never overlap"
                for entry in (one, other):
                    assert "At the same time" in entry["description"]
    first = min(events, key=lambda one: one.start)
    assert first.start == datetime(2031, 4, 24, 2, 0, tzinfo=timezone.utc)
    text = " ".join(str(one["description"]) for one in events)
    assert "https://example.org/1" in text and "instead" in text


def test_importing_again_updates_what_is_there() -> None:
    uids = []
    for shift, now in ((0, NOW), (1, NOW + timedelta(days=1))):
        moved = [
            Paper(
                p.title,
                p.abstract,
                id=p.id,
                url=p.url,
                extra=json.loads(
                    json.dumps(p.extra)
                    .replace("T10:", f"T1{shift}:")
                    .replace("T12:", f"T1{2 + shift}:")
                ),
            )
            for p in PROGRAMME
        ]
        events = read_by_two(to_icalendar(planned(moved), now=now))
        uids.append({str(one["uid"]): (one["sequence"], one.start) for one in events})
    before, after = uids
    assert before.keys() == after.keys()
    for uid, (sequence, _start) in after.items():
        assert sequence > before[uid][0]
    assert any(start != before[uid][1] for uid, (_, start) in after.items())


def test_hostile_titles_are_text_in_every_file(swimmer: Run) -> None:
    evil = (
        "</h1><script>alert(1)</script> [x](javascript:1)\r\nBEGIN:VEVENT\nX:\x1b[2J robots stairs"
    )
    paper = Paper(
        evil,
        ROBOTS,
        id="e",
        url="https://example.org/a)b\"'<",
        extra={
            "events": [
                event(24, "10:00", "12:00", session=evil, room_name=evil, poster_position="#<b>1")
            ]
        },
    )
    plan = planned([paper, poster(1)])
    assert len(plan.visits) == 2
    page, text = plan_to_html(plan), plan_to_markdown(plan)
    assert "<script" not in page and "<b>" not in page and "\x1b" not in page
    plain = re.sub(r"\\.", "", text)
    assert "<script" not in plain and "](javascript" not in plain
    events = read_by_two(to_icalendar(plan))
    assert len(events) == 2 and b"\x1b" not in to_icalendar(plan)


OFFSETS = st.sampled_from(["", "Z", "+08:00", "-07:30"])
EVENTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["Poster", "Oral", "Spotlight", ""]),
        "session": st.sampled_from(["A", "B", ""]),
        "room_name": st.sampled_from(["Hall 1", "Hall 2", ""]),
        "poster_position": st.sampled_from(["", "#1", "#22", "B-7", "²"]),
        "starttime": st.builds(
            "2031-04-2{}T1{}:{}0:00{}".format,
            st.integers(4, 5),
            st.integers(0, 3),
            st.integers(0, 5),
            OFFSETS,
        ),
        "endtime": st.builds(
            "2031-04-2{}T1{}:{}0:00{}".format,
            st.integers(4, 5),
            st.integers(0, 5),
            st.integers(0, 5),
            OFFSETS,
        ),
    }
)


@pytest.fixture(scope="module")
def programme_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "conf"
    papers = [Paper(f"Walking robots climb stairs, part {n}", ROBOTS, id=f"p{n}") for n in range(9)]
    build_store([*papers, *OTHERS], folder).close()
    return folder


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=st.lists(EVENTS, min_size=9, max_size=9), minutes=st.integers(5, 60))
def test_nobody_is_at_two_places_at_once(
    programme_store: Path, events: list[dict[str, str]], minutes: int
) -> None:
    with PaperStore.open(programme_store) as store, pytest.MonkeyPatch.context() as patch:
        real = PaperStore.papers

        def papers(self: PaperStore, rows: Any) -> list[Paper]:
            return [
                Paper(p.title, p.abstract, id=p.id, extra={"events": [events[int(p.id[1:])]]})
                if p.id.startswith("p")
                else p
                for p in real(self, rows)
            ]

        patch.setattr(PaperStore, "papers", papers)
        plan = plan_visits(store, [Paper("Walking robots", ROBOTS)], minutes=minutes)
    visits = sorted(plan.visits, key=lambda visit: visit.start)
    for one, other in itertools.pairwise(visits):
        assert one.end <= other.start
    for session in plan.sessions:
        for visit in session.visits:
            assert session.start <= visit.start < visit.end <= session.end
        meanwhile = [
            other
            for other in plan.sessions
            if other is not session and other.start < session.end and session.start < other.end
        ]
        assert len(session.overlaps) == len(meanwhile)
    read_by_two(to_icalendar(plan))
    read_by_two(to_icalendar(plan, each=True))


# ---------------------------------------------------------------------- the command


@pytest.fixture
def library(home: Path) -> str:
    build_store([*PROGRAMME, *OTHERS], "conf").close()
    path = home / "refs.bib"
    path.write_text(f"@article{{a, title={{{ROBOTS}}}, year={{2030}}}}")
    return str(path)


def test_the_command_prints_and_writes(library: str, swimmer: Run) -> None:
    done = swimmer("plan", "conf", "--library", library, "--hours", "1")
    assert done.code == 0 and "Thursday, 2031-04-24" in done.out
    assert "10:00–12:00  Poster Session 1, Hall 1" in done.out and "near to" in done.out
    assert "UTC+08:00" in done.out
    assert "at the same time" in swimmer("plan", "conf", "--library", library).out
    for name, part in (
        ("w.ics", "BEGIN:VCALENDAR"),
        ("w.md", "# Plan for conf"),
        ("w.html", "<!doctype html>"),
        ("w.json", '"sessions"'),
    ):
        done = swimmer("plan", "conf", "-l", library, "-o", name)
        assert done.code == 0 and f"written to {name}: " in done.out
        assert part in Path(name).read_text(encoding="utf-8")
    data = json.loads(swimmer("plan", "conf", "-l", library, "-f", "json").out)
    assert len(data["sessions"]) == 4 and data["minutes"] > 60
    zoned = swimmer("plan", "conf", "-l", library, "--zone", "Europe/Vienna").out
    assert "04:00–06:00" in zoned and "Europe/Vienna" in zoned


@pytest.mark.parametrize(
    "arguments",
    [
        ["conf"],
        ["conf", "-l", "nowhere.bib"],
        ["nowhere", "-l", "refs.bib"],
        ["conf", "-l", "refs.bib", "--hours", "0"],
        ["conf", "-l", "refs.bib", "--hours", "nan"],
        ["conf", "-l", "refs.bib", "--zone", "Mars/Base"],
        ["conf", "-l", "refs.bib", "--zone", "../../etc/passwd"],
        ["conf", "-l", "refs.bib", "--zone", ""],
        ["conf", "-l", "refs.bib", "-o", "week.docx"],
        ["conf", "-l", "refs.bib", "-k", "0"],
        ["sample", "-l", "refs.bib"],
    ],
)
def test_a_wrong_call_says_what_to_do(library: str, swimmer: Run, arguments: list[str]) -> None:
    done = swimmer("plan", *arguments)
    assert done.code == 2 and done.err.startswith("error: ") and "hint: " in done.err


def test_without_icalendar_the_install_line_is_said(
    library: str, swimmer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "icalendar", None)
    done = swimmer("plan", "conf", "-l", library, "-o", "w.ics")
    assert done.code == 2 and 'pip install "swimmer[calendar]"' in done.err
    assert not Path("w.ics").exists()
