"""The page of a plan: which posters and talks of a store to see, when and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.web.for_you_pages import Choice, choice_page
from swimmer.web.pages import download
from swimmer.web.search_form import ALL
from swimmer.web.site import Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Plan

FORMATS = {
    "ics": ("Calendar, by session", "ics", "text/calendar"),
    "ics-each": ("Calendar, by paper", "ics", "text/calendar"),
    "markdown": ("Markdown", "md", "text/markdown"),
    "html": ("HTML to print", "html", "text/html"),
}
"""What a plan is saved as: the label, the ending of the file, its type."""


@dataclass(frozen=True)
class Times:
    """The fields of the form that are about time, as they were typed, and what is wrong."""

    hours: str = ""
    minutes: str = ""
    zone: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Times:
        """Return what the fields of an address ask for."""
        typed = {name: given.get(name, "").strip()[:60] for name in ("hours", "minutes", "zone")}
        errors = {}
        if typed["hours"] and not 0 < _number(typed["hours"]) <= 1_000:
            errors["hours"] = "Enter a number of hours above 0, at most 1,000."
        if typed["minutes"] and _number(typed["minutes"]) not in range(1, 601):
            errors["minutes"] = "Enter a whole number from 1 to 600."
        try:
            _zone(typed["zone"])
        except QueryError as error:
            errors["zone"] = error.full_text
        return cls(**typed, errors=errors)

    @property
    def fields(self) -> dict[str, str]:
        """Those that are set, for addresses."""
        given = {"hours": self.hours, "minutes": self.minutes, "zone": self.zone}
        return {name: value for name, value in given.items() if value}


def _number(text: str) -> float:
    # Not "nan", "inf" or "1e5", which float would take.
    plain = text.replace(".", "", 1)
    return float(text) if plain.isascii() and plain.isdecimal() and len(text) < 9 else -1.0


def _zone(name: str) -> tzinfo | None:
    from swimmer.analysis import time_zone

    return time_zone(name) if name else None


def plan(request: Request) -> Response:
    """Return the plan of a store for a library."""
    from swimmer.analysis import MINUTES, days_of, hours_of, instead_of, reason_of, summary_of

    site = site_of(request)
    choice, times = _asked(request)
    made, problem, hint = None, "", ""
    library = choice.library(site)
    if library.papers and not times.errors:
        try:
            made = _plan(site, choice, times)
        except QueryError as error:
            # A store without times is no mistake of the reader's: the form stays.
            problem, hint = str(error), error.hint
    saved = {**choice.fields, **times.fields}
    exports = {
        label: f"/plan/export?{urlencode({**saved, 'format': name})}"
        for name, (label, _, _) in FORMATS.items()
    }
    return choice_page(
        request,
        "plan.html",
        choice,
        status=400 if times.errors else 200,
        library=library,
        plan=made,
        days=[] if made is None else list(days_of(made)),
        hours_of=hours_of,
        instead_of=instead_of,
        reason_of=reason_of,
        summary=summary_of(made) if made is not None else "",
        times=times,
        minutes=MINUTES,
        problem=problem,
        hint=hint,
        exports=exports,
    )


def export(request: Request) -> Response:
    """Return the plan as a file."""
    from swimmer.analysis import plan_to_html, plan_to_markdown, to_icalendar

    site = site_of(request)
    name = request.query_params.get("format", "")
    if name not in FORMATS:
        raise QueryError(
            f"unknown format {name[:40]!r}", hint=f"choose one of {', '.join(FORMATS)}"
        )
    choice, times = _asked(request)
    if times.errors:
        raise QueryError("; ".join(times.errors.values()))
    made = _plan(site, choice, times)
    if name.startswith("ics"):
        text = to_icalendar(made, each=name == "ics-each").decode()
    else:
        text = plan_to_html(made) if name == "html" else plan_to_markdown(made)
    _, ending, kind = FORMATS[name]
    return download(text, f"plan-{choice.store}.{ending}", kind)


def _asked(request: Request) -> tuple[Choice, Times]:
    site = site_of(request)
    choice = Choice.of(request.query_params, site.pool.default())
    if choice.store == ALL:
        # One is at one conference at a time.
        choice = Choice.of({**request.query_params, "store": ""}, site.pool.default())
    return choice, Times.of(request.query_params)


def _plan(site: Site, choice: Choice, times: Times) -> Plan:
    from swimmer.analysis import MINUTES, plan_visits

    return plan_visits(
        site.pool.store(choice.store),
        choice.library(site).papers,
        hours=float(times.hours) if times.hours else None,
        minutes=int(times.minutes) if times.minutes else MINUTES,
        zone=_zone(times.zone),
    )


ROUTES = [Route("/plan", plan), Route("/plan/export", export)]
