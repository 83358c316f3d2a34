"""A search form to its results: the answer, the hits of one page, their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.web.search_form import PAGE, SearchForm

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Facet, Hit
    from swimmer.store import PaperStore


@dataclass(frozen=True)
class ResultPage:
    """One page of an answer: a slice of its hits."""

    answer: Answer
    hits: Sequence[Hit]
    page: int
    pages: int


def examples(store: PaperStore, ids: Sequence[str]) -> list[Paper]:
    """Return the papers that ids stand for; ids of another store are left out."""
    return store.get(ids) if ids else []


def run_search(store: PaperStore, form: SearchForm, *, explain: bool) -> Answer:
    """Return the answer to a form.

    Raises:
        QueryError: there is no query, or it is not valid; ModelError: as `swimmer.ask`.
    """
    from swimmer.retrieval import SearchOptions, ask, browse, facet_filter

    like, unlike = examples(store, form.like), examples(store, form.unlike)
    if not form.query and not like and (form.like or not form.is_filtered):
        raise QueryError(
            "None of the examples is in this store." if form.like else "Type a title or some words."
        )
    parts = [one for one in (form.filter, facet_filter(store, form.chosen)) if one is not None]
    options = SearchOptions(
        filter={"$and": parts} if parts else None,
        like=like,
        unlike=unlike,
        lookup=form.lookup,
        mode=form.mode,
        diversity=form.diversity,
        explain=explain,
        sort=form.sort,
    )
    if form.query or like:
        (answer,) = ask(store, [form.query] if form.query else [], form.k, options)
    else:
        answer = browse(store, form.k, options)
    missing = len(form.like) + len(form.unlike) - len(like) - len(unlike)
    if missing:
        note = f"{missing} of the examples are not in the store {store.name} and were left out"
        answer = replace(answer, warnings=[*answer.warnings, note])
    return answer


def result_page(store: PaperStore, form: SearchForm) -> ResultPage:
    """Return one page of the results of a form; raises as `run_search` does."""
    # Only the hits that are shown are explained: ten thousand would take seconds.
    answer = run_search(store, form, explain=False)
    pages = max(1, -(-len(answer.hits) // PAGE))
    page = min(form.page, pages)
    hits: Sequence[Hit] = answer.hits[(page - 1) * PAGE : page * PAGE]
    if form.why and not answer.listed:
        hits = _with_reasons(store, replace(answer, hits=list(hits)), form)
    return ResultPage(answer, hits, page, pages)


def _with_reasons(store: PaperStore, answer: Answer, form: SearchForm) -> Sequence[Hit]:
    from swimmer.retrieval import explained, resolve_inputs

    given: list[str | Paper] = [form.query] if form.query else []
    inputs = resolve_inputs(store, [*given, *examples(store, form.like)], form.lookup)
    return explained(store, [answer], [inputs])[0].hits


def facets(store: PaperStore, form: SearchForm, answer: Answer | None = None) -> list[Facet]:
    """Return the facets of a search, counted among the papers that its filters admit.

    Where the answer lists the papers that the query names, they are counted and no others.
    """
    from swimmer.retrieval import count_facets, resolve

    listed = None
    if answer is not None and answer.listed and form.query:
        listed = resolve(store, form.query, form.lookup).rows
    return count_facets(store, form.chosen, form.filter, listed)


def similar_papers(store: PaperStore, paper: Paper, k: int) -> list[Hit]:
    """Return the papers of a store that are most like one of its own."""
    from swimmer.retrieval import ask

    return ask(store, [paper], k)[0].hits
