"""The page of a person: papers over time, topics, who works near, the same name in other stores."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from swimmer.papers import LONGEST_NAME, person_key
from swimmer.retrieval import Hit, count_facets
from swimmer.store import people_named, rows_of_people
from swimmer.web.search_form import SearchForm
from swimmer.web.site import Site, site_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from swimmer.papers import Paper
    from swimmer.store import Person

SHOWN = 100
"""Papers of a person that are shown."""

COUNTED = 500
"""Papers of a person whose years and topics are counted."""

LIBRARY = 30
"""Papers of a person that others are compared with."""

NEAREST = 10
TOGETHER = 20
_OTHER_STORES = 8


def person(request: Request) -> Response:
    """Return the page of a person: a name within one store."""
    from swimmer.store import kept_topics

    site = site_of(request)
    store_name = request.query_params.get("store", "")[:200] or site.pool.default()
    store = site.pool.store(store_name)
    wanted = request.query_params.get("name", "")[: LONGEST_NAME + 1]
    if store.remote:
        # A server knows the papers of a person, and no more of them.
        fields = {"store": store_name, "q": wanted, "as": "author"}
        return RedirectResponse(f"/search?{urlencode(fields)}")
    people = people_named(store.database, wanted)
    if not people:
        return site.page(
            request,
            "error.html",
            status=404,
            title="No such person",
            message=f"No paper of the store {store_name} has an author {wanted!r}.",
            hint="Search for the name: it may be written in another way.",
            stores=site.pool.stores(),
        )
    found = people[0]
    rows = rows_of_people(store.database, [found])
    papers = store.papers(rows[:SHOWN])
    facets = {facet.name: facet.values for facet in count_facets(store, {}, None, rows[:COUNTED])}
    years = sorted(facets.get("year", ()), key=lambda one: one.text)
    return site.page(
        request,
        "person.html",
        store=store_name,
        person=found,
        namesakes=[one for one in people[1:] if person_key(one.name) != person_key(found.name)][:5],
        hits=[Hit(paper, 1.0, rank) for rank, paper in enumerate(papers, 1)],
        years=years,
        most=max((one.papers for one in years), default=1),
        topics=facets.get("topic", ()),
        together=_together(found, papers),
        elsewhere=_elsewhere(site, store_name, found),
        has_topics=kept_topics(store) is not None,
        form=SearchForm(store_name, why=True),
    )


def near(request: Request) -> Response:
    """Return the people who work nearest to a person."""
    from swimmer.analysis import people_near

    site = site_of(request)
    store_name = request.query_params.get("store", "")[:200] or site.pool.default()
    store = site.pool.store(store_name)
    store.check_in_folder("search for people")
    people = people_named(store.database, request.query_params.get("name", "")[: LONGEST_NAME + 1])
    found = []
    if people:
        own = person_key(people[0].name)
        papers = store.papers(rows_of_people(store.database, people[:1])[:LIBRARY])
        nearest = people_near([store], k=NEAREST + 1, library=papers)
        found = [one for one in nearest if person_key(one.name) != own][:NEAREST]
    template = "near.html" if "hx-request" in request.headers else "near_page.html"
    name = people[0].name if people else ""
    return site.page(request, template, store=store_name, people=found, name=name)


def _together(person: Person, papers: Sequence[Paper]) -> list[tuple[str, int]]:
    """Return with whom a person has written, and how many papers."""
    own, names = person_key(person.name), Counter[str]()
    for paper in papers:
        names.update({name for name in paper.authors if person_key(name) not in ("", own)})
    return names.most_common(TOGETHER)


def _elsewhere(site: Site, name: str, person: Person) -> list[tuple[str, int]]:
    """Return the other stores with papers of the same name, and how many."""
    found = []
    others = [i.name for i in site.pool.stores() if i.manifest is not None and i.name != name]
    for other in others[:_OTHER_STORES]:
        opened = site.pool.store(other)
        known = [] if opened.remote else people_named(opened.database, person.name)
        if known and person_key(known[0].name) == person_key(person.name):
            found.append((other, known[0].papers))
    return found


ROUTES = [Route("/person", person), Route("/person/near", near)]
