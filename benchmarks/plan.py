"""A plan of a programme of 5,000 posters for a library of 200 papers, the whole process.

    python -m benchmarks.plan

The programme is made up: posters in ten sessions, talks among them. Beside it: what the ranking of
the library alone takes, in the same process. Then the calendar file is read by two parsers, and
every two events that overlap must name each other.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from icalendar import Calendar

from swimmer import build_store

POSTERS = 5_000
LIBRARY = 200
LIMIT = 2.0
WORDS = (
    "graph diffusion policy bandit language vision robust causal kernel protein attention planning "
    "sparse reward retrieval speech video transfer privacy fairness memory sampling"
).split()


def title(chance: random.Random, number: int) -> str:
    """Return a title of words of the field."""
    words = " ".join(chance.sample(WORDS, 4)).capitalize()
    return f"{words} for {chance.choice(WORDS)} models, {number}"


def programme(chance: random.Random) -> list[dict[str, str]]:
    """Return the events of a conference, as its site lists them."""
    events = []
    for number in range(POSTERS):
        name = title(chance, number)
        day, half = 7 + number % 5, number // 5 % 2
        event = {
            "name": name,
            "abstract": f"We study {name.lower()}. " + " ".join(chance.choices(WORDS, k=60)),
            "event_type": "Poster",
            "id": str(number),
            "virtualsite_url": f"https://example.org/poster/{number}",
            "session": f"Poster Session {2 * (day - 7) + half + 1}",
            "room_name": f"Hall {'AB'[number % 2]}",
            "poster_position": f"#{chance.randrange(1, 600)}",
            "starttime": f"2031-05-{day:02d}T{(10, 16)[half]}:00:00+02:00",
            "endtime": f"2031-05-{day:02d}T{(12, 18)[half]}:30:00+02:00",
        }
        events.append(event)
        if number % 25 == 0:
            at = f"2031-05-{day:02d}T{(10, 16)[half]}:{number // 25 % 4 * 15:02d}:00+02:00"
            end = f"2031-05-{day:02d}T{(10, 16)[half]}:{number // 25 % 4 * 15 + 14:02d}:00+02:00"
            talk = {"event_type": "Oral", "session": f"Oral Session {day}", "poster_position": ""}
            events.append({**event, **talk, "starttime": at, "endtime": end})
    return events


def main() -> int:
    """Measure, check and print; 1 when a figure is not reached."""
    chance = random.Random(3)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "programme.json").write_text(json.dumps(programme(chance)))
        build_store(folder / "programme.json", folder / "conf").close()
        bib = "\n".join(
            f"@article{{k{n}, title={{{title(chance, 10_000 + n)}}}, year={{2030}}}}"
            for n in range(LIBRARY)
        )
        (folder / "refs.bib").write_text(bib)
        run = [sys.executable, "-m", "swimmer"]
        given = ["--library", str(folder / "refs.bib")]
        store = str(folder / "conf")
        plan = timed([*run, "plan", store, *given, "--hours", "6", "-o", str(folder / "week.ics")])
        each = ["--each", "-o", str(folder / "each.ics")]
        timed([*run, "plan", store, *given, "--hours", "6", *each])
        ranked = timed([*run, "foryou", *given, "--store", store, "-k", "111", "--json"])
        print(f"a programme of {POSTERS:,} posters, a library of {LIBRARY} papers, whole process:")
        for name, (wall, used) in (("plan to a calendar file", plan), ("swimmer foryou", ranked)):
            print(f"{name:<25}{wall:.2f} s, {used:.2f} s of processor")
        print(f"ratio of processor time  {plan[1] / ranked[1]:.2f}")
        print(f"load of the machine {os.getloadavg()[0]:.1f}, cores {os.cpu_count()}")
        print(f"at most {LIMIT:.0f} s: {'yes' if plan[0] <= LIMIT else 'NO'}")
        wrong = [hidden(folder / name) for name in ("week.ics", "each.ics")]
        print(f"overlaps that are not shown: {wrong[0]} by session, {wrong[1]} by paper")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB")
    return int(plan[0] > LIMIT or any(wrong))


def timed(command: list[str]) -> tuple[float, float]:
    """Return the shortest of three runs, in seconds, and of the processor's seconds."""
    runs = []
    for _ in range(3):
        started, used = time.perf_counter(), processor()
        environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        runs.append((time.perf_counter() - started, processor() - used))
    return min(wall for wall, _ in runs), min(used for _, used in runs)


def processor() -> float:
    """Return the processor's seconds of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hidden(path: Path) -> int:
    """Return how many overlapping pairs of a calendar do not name each other; vobject reads it."""
    import warnings

    text = path.read_text(encoding="utf-8")
    events = list(Calendar.from_ical(text).walk("VEVENT"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vobject

        assert len(list(vobject.readOne(text).vevent_list)) == len(events) > 0
    count = 0
    for place, one in enumerate(events):
        for other in events[place + 1 :]:
            if one.start < other.end and other.start < one.end:
                said = all(
                    "At the same time" in str(event.get("description")) for event in (one, other)
                )
                count += not said
    return count


if __name__ == "__main__":
    raise SystemExit(main())
