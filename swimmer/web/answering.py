"""A question of the page put to a store: the answer, the slice that is shown, its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.web.question import PAGE, Question

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer, Hit
    from swimmer.store import PaperStore


@dataclass(frozen=True)
class Reply:
    """What a page shows of an answer: one slice of its hits."""

    answer: Answer
    hits: Sequence[Hit]
    page: int
    pages: int


def examples(store: PaperStore, ids: Sequence[str]) -> list[Paper]:
    """Return the papers that ids stand for; ids of another store are left out."""
    return store.get(ids) if ids else []


def answered(store: PaperStore, question: Question, *, explain: bool) -> Answer:
    """Return the answer to a question.

    Raises:
        QueryError: nothing is asked, or it cannot be; ModelError: as `swimmer.ask`.
    """
    from swimmer.retrieval import ask

    like, unlike = examples(store, question.like), examples(store, question.unlike)
    if not question.query and not like:
        raise QueryError(
            "None of the examples is a paper of this store."
            if question.like
            else "Nothing is asked: type a title or some words."
        )
    (answer,) = ask(
        store,
        [question.query] if question.query else [],
        question.k,
        filter=question.filter,
        like=like,
        unlike=unlike,
        mode=question.mode,
        diversity=question.diversity,
        explain=explain,
    )
    missing = len(question.like) + len(question.unlike) - len(like) - len(unlike)
    if missing:
        note = f"{missing} of the examples left out: not a paper of the store {store.name}"
        answer = replace(answer, warnings=[*answer.warnings, note])
    return answer


def reply(store: PaperStore, question: Question) -> Reply:
    """Return the page of an answer that a question asks for; raises as `answered` does."""
    # Reasons are told of what is shown: of ten thousand hits they would take seconds.
    answer = answered(store, question, explain=False)
    pages = max(1, -(-len(answer.hits) // PAGE))
    page = min(question.page, pages)
    hits: Sequence[Hit] = answer.hits[(page - 1) * PAGE : page * PAGE]
    if question.why:
        hits = _with_reasons(store, replace(answer, hits=list(hits)), question)
    return Reply(answer, hits, page, pages)


def _with_reasons(store: PaperStore, answer: Answer, question: Question) -> Sequence[Hit]:
    from swimmer.retrieval import explained, find_seeds

    wanted: list[str | Paper] = [question.query] if question.query else []
    seeds = find_seeds(store, [*wanted, *examples(store, question.like)], True)
    return explained(store, [answer], [seeds])[0].hits


def similar(store: PaperStore, paper: Paper, k: int) -> list[Hit]:
    """Return the papers of a store that are most like one of its own."""
    from swimmer.retrieval import ask

    return ask(store, [paper], k)[0].hits
