"""A search form to its results: the answer, the hits of one page, their reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.web.search_form import PAGE, SearchForm

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Facet, Hit
    from swimmer.store import Filter, PaperStore


@dataclass(frozen=True)
class ResultPage:
    """One page of an answer: a slice of its hits."""

    answer: Answer
    hits: Sequence[Hit]
    page: int
    pages: int


Stores = Mapping[str, "PaperStore"]
"""Open stores by the names they are served by."""

_SHARED_FACETS = ("venue", "year", "status")
"""The facets of several stores: few values, which mean the same in each."""

_ALL_VALUES = 1_000


def examples(stores: Stores, ids: Sequence[str]) -> list[Paper]:
    """Return the papers that ids stand for; ids of another store are left out."""
    found: dict[str, Paper] = {}
    for store in stores.values() if ids else ():
        for paper in store.get(ids):
            found.setdefault(paper.id, paper)
    return [found[one] for one in ids if one in found]


def run_search(stores: Stores, form: SearchForm, *, explain: bool) -> Answer:
    """Return the answer to a form, over one store or several.

    Raises:
        QueryError: there is no query, or it is not valid; ModelError: as `swimmer.ask`.
    """
    from swimmer.retrieval import SearchOptions, ask_stores, browse_stores

    like, unlike = examples(stores, form.like), examples(stores, form.unlike)
    if not form.query and not like and (form.like or not form.is_filtered):
        raise QueryError(
            "None of the examples is in this store." if form.like else "Type a title or some words."
        )
    options = SearchOptions(
        filter=_filter(stores, form),
        like=like,
        unlike=unlike,
        lookup=form.lookup,
        mode=form.mode,
        diversity=form.diversity,
        explain=explain,
        sort=form.sort,
    )
    opened = list(stores.values())
    if form.query or like:
        (answer,) = ask_stores(opened, [form.query] if form.query else [], form.k, options)
    else:
        answer = browse_stores(opened, form.k, options)
    if form.every:
        answer = answer_by_names(stores, answer)
    missing = len(form.like) + len(form.unlike) - len(like) - len(unlike)
    if missing:
        where = "any store" if form.every else f"the store {opened[0].name}"
        note = f"{missing} of the examples are not in {where} and were left out"
        answer = replace(answer, warnings=[*answer.warnings, note])
    return answer


def _filter(stores: Stores, form: SearchForm) -> Filter | None:
    from swimmer.retrieval import facet_filter

    if form.every and (other := next((n for n in form.chosen if n not in _OVER_ALL), None)):
        raise QueryError(
            f"A {other} belongs to one store.", hint="Choose that store, or remove the chip."
        )
    own = facet_filter(next(iter(stores.values())), form.chosen)
    parts = [one for one in (form.filter, own) if one is not None]
    return {"$and": parts} if parts else None


_OVER_ALL = (*_SHARED_FACETS, "author")


def answer_by_names(stores: Stores, answer: Answer) -> Answer:
    """Return the answer of several stores with the name of each paper's store as it is served."""
    names = {store.name: name for name, store in stores.items()}

    def named(paper: Paper) -> Paper:
        given = str(paper.extra.get("store", ""))
        return replace(paper, extra={**paper.extra, "store": names.get(given, given)})

    matched = answer.matched
    if matched is not None:
        holds = (name for name, store in stores.items() if store.get([matched.id]) == [matched])
        name = next(holds, next(iter(stores)))
        matched = replace(matched, extra={**matched.extra, "store": name})
    hits = [replace(hit, paper=named(hit.paper)) for hit in answer.hits]
    if len(stores) == 1:
        (only,) = stores
        hits = [
            replace(hit, paper=replace(hit.paper, extra={**hit.paper.extra, "store": only}))
            for hit in answer.hits
        ]
    return replace(answer, matched=matched, hits=hits)


def result_page(stores: Stores, form: SearchForm) -> ResultPage:
    """Return one page of the results of a form; raises as `run_search` does."""
    # Only the hits that are shown are explained: ten thousand would take seconds.
    answer = run_search(stores, form, explain=False)
    pages = max(1, -(-len(answer.hits) // PAGE))
    page = min(form.page, pages)
    hits: Sequence[Hit] = answer.hits[(page - 1) * PAGE : page * PAGE]
    if form.why and not answer.listed:
        reasons: dict[int, Hit] = {}
        for name, store in stores.items():
            if store.remote:
                continue
            own = [hit for hit in hits if form.store_of(hit.paper) == name]
            told = _with_reasons(stores, store, replace(answer, hits=own), form) if own else ()
            reasons |= {hit.rank: hit for hit in told}
        hits = [reasons.get(hit.rank, hit) for hit in hits]
    return ResultPage(answer, hits, page, pages)


def _with_reasons(
    stores: Stores, store: PaperStore, answer: Answer, form: SearchForm
) -> Sequence[Hit]:
    from swimmer.retrieval import explained, resolve_inputs

    given: list[str | Paper] = [form.query] if form.query else []
    inputs = resolve_inputs(store, [*given, *examples(stores, form.like)], form.lookup)
    return explained(store, [answer], [inputs])[0].hits


def facets(stores: Stores, form: SearchForm, answer: Answer | None = None) -> list[Facet]:
    """Return the facets of a search, counted among the papers that its filters admit.

    Where the answer lists the papers that the query names, they are counted and no others. Of
    several stores, only the facets that mean the same in each, with the sums of their counts.
    """
    from swimmer.retrieval import VALUES, count_facets, resolve, together

    listed = None
    each = []
    # A server counts no values.
    for store in (one for one in stores.values() if not one.remote):
        if answer is not None and answer.listed and form.query:
            listed = resolve(store, form.query, form.lookup).rows
        most = _ALL_VALUES if form.every else VALUES
        each.append(count_facets(store, form.chosen, form.filter, listed, most))
    if not form.every:
        return each[0] if each else []
    return [one for one in together(each) if one.name in _SHARED_FACETS]


def similar_papers(store: PaperStore, paper: Paper, k: int, *, explain: bool = False) -> list[Hit]:
    """Return the papers of a store that are most like one of its own."""
    from swimmer.retrieval import SearchOptions, ask

    return ask(store, [paper], k, SearchOptions(explain=explain))[0].hits
