"""The pages of a search: the form and its results, one paper, completions, exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.papers import EVENT_PARTS, events_in_words
from swimmer.retrieval import FACETS, MODE_LABELS, SORTS
from swimmer.store import SAMPLE
from swimmer.web.search_form import DEFAULTS, SearchForm, read_form
from swimmer.web.site import MenuItem, shown, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.papers import Paper
    from swimmer.store import PaperStore

COMPLETIONS = 8
SIMILAR = 12
EXPORTS = {
    "json": ("JSON", "json", "application/json"),
    "csv": ("CSV", "csv", "text/csv"),
    "markdown": ("Markdown", "md", "text/markdown"),
    "bibtex": ("BibTeX", "bib", "application/x-bibtex"),
    "ris": ("RIS", "ris", "application/x-research-info-systems"),
    "reading-list": ("Reading list", "reading-list.md", "text/markdown"),
}
"""Export formats: the label of the link, the ending of the file, its type."""

_FIELDS = 40
_SHORT = 100
_HIDDEN = {"reading_notes", "reading_status", "reading_tags", "abstract_translated"}


def home(request: Request) -> Response:
    """Return the empty search form, or how to build a store where there is none."""
    site = site_of(request)
    form = read_form(request.query_params, site.pool.default())
    stores = site.pool.stores()
    if not any(info.manifest for info in stores):
        return site.page(request, "empty.html", stores=stores)
    from swimmer.web.results import facets

    opened = site.pool.store(form.store)
    # A reader profits from explanations, which cost milliseconds.
    form = replace(form, why=True)
    return _form(request, opened, form, starters=_starters(opened), facets=facets(opened, form))


def _starters(store: PaperStore) -> list[Paper]:
    """Return a few papers of a store as examples of queries."""
    rows = {len(store) * part // 7 for part in (1, 3, 5)} if len(store) else set()
    return store.papers(sorted(rows))


def search(request: Request) -> Response:
    """Return the results of a search, below its form."""
    from swimmer.web.results import facets, result_page

    site = site_of(request)
    form = read_form(request.query_params, site.pool.default())
    store = site.pool.store(form.store)
    form = _with_condition_checked(store, form)
    if form.errors:
        return _form(request, store, form, status=400)
    try:
        found = result_page(store, form)
        counted = facets(store, form, found.answer)
    except QueryError as error:
        return _form(request, store, form, status=400, problem=str(error), hint=error.hint)
    return _form(request, store, form, results=found, exports=EXPORTS, facets=counted)


def _with_condition_checked(store: PaperStore, form: SearchForm) -> SearchForm:
    """Return the form, with an error where the store has no field of its condition."""
    from swimmer.store import compile_filter

    if form.filter is None:
        return form
    try:
        compile_filter(form.filter, store.fields())
    except QueryError as error:
        return replace(form, errors={**form.errors, "where": error.full_text})
    return form


def _form(
    request: Request, store: PaperStore, form: SearchForm, status: int = 200, **context: Any
) -> Response:
    from swimmer.web.results import examples

    site = site_of(request)
    chosen = examples(store, [*form.like, *form.unlike])
    stores = site.pool.stores()
    unset: dict[str, Any] = {
        "results": None,
        "problem": "",
        "hint": "",
        "exports": {},
        "starters": [],
        "facets": [],
    }
    return site.page(
        request,
        "search.html",
        status=status,
        form=form,
        titles={paper.id: paper.display_title for paper in chosen},
        stores=stores,
        only_sample=all(info.name == SAMPLE for info in stores),
        defaults=DEFAULTS,
        sorts=SORTS,
        modes=MODE_LABELS,
        facet_names=list(FACETS),
        **unset | context,
    )


def complete(request: Request) -> Response:
    """Return titles that complete what was typed, as options of a listbox."""
    from swimmer.retrieval import complete

    site = site_of(request)
    typed = request.query_params.get("q", "")[:300]
    store = site.pool.store(request.query_params.get("store", "")[:200] or site.pool.default())
    return site.fragment("options.html", completions=complete(store, typed, COMPLETIONS))


def export(request: Request) -> Response:
    """Return an answer as a file in one of EXPORTS."""
    from swimmer.export import WRITERS
    from swimmer.web.results import run_search

    site = site_of(request)
    format = request.query_params.get("format", "")
    if format not in EXPORTS:
        raise QueryError(
            f"unknown format {format[:40]!r}", hint=f"choose one of {', '.join(EXPORTS)}"
        )
    form = read_form(request.query_params, site.pool.default())
    if form.errors:
        raise QueryError("; ".join(form.errors.values()))
    store = site.pool.store(form.store)
    answer = run_search(store, form, explain=form.why)
    _, ending, kind = EXPORTS[format]
    return download(WRITERS[format]([answer]), f"swimmer-{store.name}.{ending}", kind)


def download(text: str, name: str, kind: str) -> Response:
    """Return text as a file that a browser saves."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)


def paper(request: Request) -> Response:
    """Return the page of one paper, with the papers most like it."""
    from swimmer.web.results import similar_papers

    site = site_of(request)
    wanted = request.query_params.get("id", "")[:500]
    name = request.query_params.get("store", "")[:200] or site.pool.default()
    store = site.pool.store(name)
    found = store.get([wanted])
    if not found:
        return site.page(
            request,
            "error.html",
            status=404,
            title="No such paper",
            message=f"The store {name} has no paper with the id {wanted!r}.",
            hint="The store may have been rebuilt since the link was made. Search for the title.",
            stores=site.pool.stores(),
        )
    return site.page(
        request,
        "paper.html",
        store=name,
        paper=found[0],
        facts=list(_facts(found[0])),
        hits=similar_papers(store, found[0], SIMILAR),
        # A search from this page starts from this paper.
        form=SearchForm(name, like=(found[0].id,), why=True),
    )


def _facts(paper: Paper) -> Iterator[tuple[str, list[str]]]:
    """Yield the other fields of a paper: a label and its values."""
    events = events_in_words(paper)
    if events:
        yield "Presented", [shown(event, 500) for event in events]
    for name, value in list(paper.extra.items())[:_FIELDS]:
        if events and name in EVENT_PARTS:
            continue
        values = value if isinstance(value, list) else [value]
        plain = [
            shown(one, 2_000)
            for one in values[:_SHORT]
            if isinstance(one, (str, int, float)) and not isinstance(one, bool) and one != ""
        ]
        if plain and name not in _HIDDEN:
            label = re.sub(r"[_\W]+", " ", shown(name, 60)).strip()
            yield label[:1].upper() + label[1:] or "Field", plain


ROUTES = [
    Route("/", home),
    Route("/search", search),
    Route("/complete", complete),
    Route("/export", export),
    Route("/paper", paper),
]
MENU = MenuItem("/", "Search")
