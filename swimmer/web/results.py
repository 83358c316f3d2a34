"""A search form to its results: the answer, the hits of one page, their reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.web.search_form import PAGE, SearchForm

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Facet, Hit
    from swimmer.store import PaperStore


@dataclass
class ResultPage:
    """One page of an answer: a slice of its hits, with their reasons once they are asked for."""

    answer: Answer
    page: int
    pages: int
    make_hits: Callable[[], Sequence[Hit]]

    @cached_property
    def hits(self) -> Sequence[Hit]:
        """The hits of the page."""
        return self.make_hits()


Stores = Mapping[str, "PaperStore"]
"""Open stores by the names they are served by."""


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
    from swimmer.retrieval import SearchOptions, ask_stores, browse_stores, facet_filter

    like, unlike = examples(stores, form.like), examples(stores, form.unlike)
    if not form.query and not like and (form.like or not form.is_filtered):
        raise QueryError(
            "None of the examples is in this store." if form.like else "Type a title or some words."
        )
    options = SearchOptions(
        filter=form.filter,
        like=like,
        unlike=unlike,
        lookup=form.lookup,
        mode=form.mode,
        diversity=form.diversity,
        explain=explain,
        sort=form.sort,
    )
    opened = list(stores.values())
    filters = [facet_filter(store, form.chosen) for store in opened]
    if form.query or like:
        queries = [form.query] if form.query else []
        (answer,) = ask_stores(opened, queries, form.k, options, filters=filters)
    else:
        answer = browse_stores(opened, form.k, options, filters)
    if form.every:
        answer = answer_by_names(stores, answer)
    missing = len(form.like) + len(form.unlike) - len(like) - len(unlike)
    if missing:
        where = "any store" if form.every else f"the store {opened[0].name}"
        note = f"{missing} of the examples are not in {where} and were left out"
        answer = replace(answer, warnings=[*answer.warnings, note])
    return answer


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
    return ResultPage(answer, page, pages, partial(_hits, stores, form, answer, page))


def _hits(stores: Stores, form: SearchForm, answer: Answer, page: int) -> Sequence[Hit]:
    """Return the hits of one page, with their reasons where the form asks for them."""
    hits: Sequence[Hit] = answer.hits[(page - 1) * PAGE : page * PAGE]
    if not form.why or answer.listed:
        return hits
    reasons: dict[int, Hit] = {}
    for name, store in stores.items():
        if store.remote:
            continue
        own = [hit for hit in hits if form.store_of(hit.paper) == name]
        told = _with_reasons(stores, store, replace(answer, hits=own), form) if own else ()
        reasons |= {hit.rank: hit for hit in told}
    return [reasons.get(hit.rank, hit) for hit in hits]


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
    several stores, the counts are sums.
    """
    from swimmer.retrieval import count_facets_of, resolve

    # A server counts no values.
    counted = [store for store in stores.values() if not store.remote]
    listed = None
    if answer is not None and answer.listed and form.query:
        named = [resolve(store, form.query, form.lookup) for store in counted]
        listed = [one.rows if one.listed else () for one in named]
    return count_facets_of(counted, form.chosen, form.filter, listed)


def similar_papers(store: PaperStore, paper: Paper, k: int, *, explain: bool = False) -> list[Hit]:
    """Return the papers of a store that are most like one of its own."""
    from swimmer.retrieval import SearchOptions, ask

    return ask(store, [paper], k, SearchOptions(explain=explain))[0].hits
