"""The pages of a search: the first page, the form and its results, completions, exports."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.retrieval import FACETS, MODE_LABELS, SORTS
from swimmer.store import SAMPLE
from swimmer.web.glance import examples_of, has_times, picture_address
from swimmer.web.search_form import DEFAULTS, SearchForm, read_form
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.web.results import Stores

COMPLETIONS = 8
EXPORTS = {
    "json": ("JSON", "json", "application/json"),
    "csv": ("CSV", "csv", "text/csv"),
    "markdown": ("Markdown", "md", "text/markdown"),
    "bibtex": ("BibTeX", "bib", "application/x-bibtex"),
    "ris": ("RIS", "ris", "application/x-research-info-systems"),
    "reading-list": ("Reading list", "reading-list.md", "text/markdown"),
}
"""Export formats: the label of the link, the ending of the file, its type."""

ORDERS = {
    "": "Closest first",
    "year:desc": "Newest first",
    "year:asc": "Oldest first",
    "published:desc": "Last published first",
    "citations:desc": "Most cited first",
    "upvotes:desc": "Most upvotes first",
    "rating:desc": "Best rated first",
    "title:asc": "By title",
}
"""The orders of results that are offered above them, where the store has the field."""


def home(request: Request) -> Response:
    """Return the empty search form, or how to build a store where there is none."""
    site = site_of(request)
    form = read_form(request.query_params, site.pool.default())
    stores = site.pool.stores()
    if not any(info.manifest for info in stores):
        return site.page(request, "empty.html", stores=stores)
    from swimmer.web.results import facets

    if form.every:
        form = replace(form, store=site.pool.default())
    opened = site.pool.store(form.store)
    # A reader profits from explanations, which cost milliseconds.
    form = replace(form, why=True)
    if form.errors or not form.is_empty or form.unlike:
        return _form(request, {form.store: opened}, form, facets=facets({form.store: opened}, form))
    return _form(
        request,
        {form.store: opened},
        form,
        template="home.html",
        papers=len(opened),
        timed=has_times(opened),
        examples=examples_of(opened),
        facets=facets({form.store: opened}, form),
        picture=picture_address(opened, form.store),
        only_sample=all(info.name == SAMPLE for info in stores),
    )


def search(request: Request) -> Response:
    """Return the results of a search, below its form."""
    from swimmer.web.results import facets, result_page

    site = site_of(request)
    form = read_form(request.query_params, site.pool.default())
    stores = site.stores_named(form.store)
    form = _with_condition_checked(stores, form)
    if form.errors:
        return _form(request, stores, form, status=400)
    try:
        found = result_page(stores, form)
        counted = facets(stores, form, found.answer)
    except QueryError as error:
        return _form(request, stores, form, status=400, problem=str(error), hint=error.hint)
    return _form(request, stores, form, results=found, exports=EXPORTS, facets=counted)


def _with_condition_checked(stores: Stores, form: SearchForm) -> SearchForm:
    """Return the form, with an error where a store has no field of its condition."""
    from swimmer.store import compile_filter

    if form.filter is None:
        return form
    try:
        for store in stores.values():
            compile_filter(form.filter, store.fields())
    except QueryError as error:
        return replace(form, errors={**form.errors, "where": error.full_text})
    return form


def _form(
    request: Request,
    opened: Stores,
    form: SearchForm,
    status: int = 200,
    template: str = "search.html",
    **context: Any,
) -> Response:
    from swimmer.retrieval import sorts_of
    from swimmer.web.results import examples

    site = site_of(request)
    chosen = examples(opened, [*form.like, *form.unlike])
    stores = site.pool.stores()
    sortable = set.intersection(*map(sorts_of, opened.values()))
    box = site.box(
        form.store,
        typed=form.given["q"],
        wrong=form.errors.get("q", ""),
        focus=context.get("results") is None,
        why=False,
    )
    unset: dict[str, Any] = {
        "results": None,
        "problem": "",
        "hint": "",
        "exports": {},
        "facets": [],
    }
    return site.page(
        request,
        template,
        status=status,
        top_first=context.get("results") is not None,
        form=form,
        titles={paper.id: paper.display_title for paper in chosen},
        stores=stores,
        defaults=DEFAULTS,
        sorts=SORTS,
        modes=MODE_LABELS,
        facet_names=list(FACETS),
        orders={name: said for name, said in ORDERS.items() if name.split(":")[0] in sortable},
        box=box,
        **unset | context,
    )


def complete(request: Request) -> Response:
    """Return titles that complete what was typed, as options of a listbox."""
    from swimmer.retrieval import complete

    site = site_of(request)
    typed = request.query_params.get("q", "")[:300]
    name = request.query_params.get("store", "")[:200] or site.pool.default()
    each = [complete(store, typed, COMPLETIONS) for store in site.stores_named(name).values()]
    # Of several stores in turns, each text once.
    found = {one.text: one for some in zip_longest(*each) for one in some if one is not None}
    return site.fragment("options.html", completions=list(found.values())[:COMPLETIONS])


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
    answer = run_search(site.stores_named(form.store), form, explain=form.why)
    name = "all" if form.every else answer.store
    _, ending, kind = EXPORTS[format]
    return download(WRITERS[format]([answer]), f"swimmer-{name}.{ending}", kind)


def download(text: str, name: str, kind: str) -> Response:
    """Return text as a file that a browser saves."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)


ROUTES = [
    Route("/", home),
    Route("/search", search),
    Route("/complete", complete),
    Route("/export", export),
]
MENU = [MenuItem("/", "Search")]
