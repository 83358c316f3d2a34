"""A plan as Markdown, and as HTML to print."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from swimmer.analysis.plan import Plan, PlannedSession, Visit
from swimmer.export import literal
from swimmer.papers import Paper
from swimmer.text import clean_url, printable

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_STYLE = """
body { font: 11pt/1.4 sans-serif; max-width: 48em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; border-bottom: 1px solid; margin-top: 1.5em; }
h3 { font-size: 1em; margin: 1em 0 .2em; } ol { list-style: none; margin: 0; padding: 0; }
li { display: grid; grid-template-columns: 3.5em 4.5em 1fr; margin: .15em 0; break-inside: avoid; }
.quiet { color: #555; font-size: .9em; } .other { margin: .2em 0 0 1.5em; }
@media print { body { margin: 0; max-width: none; } a { color: inherit; text-decoration: none; } }
"""


def day_of(time: datetime) -> str:
    """Return a day such as `Thursday, 2031-04-24`, the same in every locale."""
    return f"{_DAYS[time.weekday()]}, {time:%Y-%m-%d}"


def hours_of(session: PlannedSession | Visit) -> str:
    """Return from when to when, such as `10:00–12:30`."""
    return f"{session.start:%H:%M}–{session.end:%H:%M}"


def zone_of(plan: Plan) -> str:
    """Return the time zone of a plan in words, "" where the list gives none."""
    times = [session.start for session in plan.sessions]
    names = {_zone_name(time) for time in times}
    return ", ".join(sorted(names - {""}))


def _zone_name(time: datetime) -> str:
    if time.tzinfo is None:
        return ""
    key = getattr(time.tzinfo, "key", None)
    return str(key) if key else f"UTC{time:%z}"[:6] + ":" + f"{time:%z}"[3:5]


def days_of(plan: Plan) -> Iterator[tuple[str, list[PlannedSession]]]:
    """Yield each day with its sessions."""
    for day, sessions in groupby(plan.sessions, key=lambda one: day_of(one.start)):
        yield day, list(sessions)


def summary_of(plan: Plan) -> str:
    """Return in one line how much a plan holds."""
    count, minutes = len(plan.visits), int(plan.planned.total_seconds() // 60)
    sessions = len(plan.sessions)
    zone = zone_of(plan)
    return (
        f"{count:,} paper{'s' if count != 1 else ''} in {sessions:,} "
        f"session{'s' if sessions != 1 else ''}, {minutes // 60} h {minutes % 60:02d} min"
        + (f"; times in {zone}" if zone else "; times as at the place")
    )


def instead_of(session: PlannedSession, visit: Visit) -> str:
    """Return where a paper would be seen for which there is no time."""
    if (visit.at.session, visit.at.start) == (session.name, session.start):
        return f"also here {visit.at.position}".rstrip()
    where = visit.at.room or visit.at.session or visit.at.kind
    return f"instead {hours_of(visit)} {where} {visit.at.position}".rstrip()


def plan_to_markdown(plan: Plan) -> str:
    """Return a plan as Markdown, one list of papers for each session."""
    parts = [f"# Plan for {literal(plan.store)}", summary_of(plan) if plan.sessions else ""]
    for day, sessions in days_of(plan):
        parts.append(f"## {day}")
        for one in sessions:
            where = f", {literal(one.room)}" if one.room else ""
            parts.append(f"### {hours_of(one)} {literal(one.name)}{where}")
            if one.overlaps:
                parts.append(f"At the same time: {'; '.join(map(literal, one.overlaps))}")
            parts.append(
                "\n".join(_markdown_line(visit, f"{visit.start:%H:%M}") for visit in one.visits)
            )
            if one.alternatives:
                parts.append(
                    "\n".join(
                        f"- {literal(instead_of(one, visit))}: {_link(visit.paper)}"
                        for visit in one.alternatives
                    )
                )
    if plan.untimed:
        lines = [f"- {_link(paper)}" for paper in plan.untimed]
        parts.append("\n".join(["## Without a time in the list", "", *lines]))
    parts += [f"> {literal(printable(warning))}" for warning in plan.warnings]
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_line(visit: Visit, lead: str) -> str:
    position = f" {literal(visit.at.position)}" if visit.at.position else ""
    return f"- {lead}{position} {_link(visit.paper)}"


def _link(paper: Paper) -> str:
    address = clean_url(paper.url).replace("(", "%28").replace(")", "%29")
    title = literal(paper.display_title)
    return f"[{title}]({address})" if address else title


def plan_to_html(plan: Plan) -> str:
    """Return a plan as one HTML page to print; it loads nothing."""
    body = [f"<h1>Plan for {_text(plan.store)}</h1>"]
    body += [f"<p>{_text(summary_of(plan))}</p>"] if plan.sessions else []
    for day, sessions in days_of(plan):
        body.append(f"<h2>{day}</h2>")
        for one in sessions:
            where = f", {_text(one.room)}" if one.room else ""
            body.append(f"<h3>{hours_of(one)} {_text(one.name)}{where}</h3>")
            if one.overlaps:
                body.append(
                    f'<p class="quiet">At the same time: {_text("; ".join(one.overlaps))}</p>'
                )
            body += ["<ol>", *(_html_line(visit) for visit in one.visits), "</ol>"]
            if one.alternatives:
                other = "; ".join(
                    f"{_text(instead_of(one, visit))}: {_html_link(visit.paper)}"
                    for visit in one.alternatives
                )
                body.append(f'<p class="quiet other">{other}</p>')
    if plan.untimed:
        body.append("<h2>Without a time in the list</h2>")
        body += [f"<p>{_html_link(paper)}</p>" for paper in plan.untimed]
    body += [f'<p class="quiet">{_text(warning)}</p>' for warning in plan.warnings]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Plan for {_text(plan.store)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _html_line(visit: Visit) -> str:
    near = f'<br><span class="quiet">{_text(reason_of(visit))}</span>' if reason_of(visit) else ""
    return (
        f"<li><span>{visit.start:%H:%M}</span><span>{_text(visit.at.position)}</span>"
        f"<span>{_html_link(visit.paper)}{near}</span></li>"
    )


def reason_of(visit: Visit) -> str:
    """Return why a paper is in the plan, "" for nothing to say."""
    if visit.own:
        return "in your library"
    return f"near to {'; '.join(visit.near)}" if visit.near else ""


def _html_link(paper: Paper) -> str:
    title, url = _text(paper.display_title), clean_url(paper.url)
    return f'<a href="{html.escape(url)}">{title}</a>' if url else title


def _text(text: str) -> str:
    return html.escape(printable(text))
