"""How close a hit is, in words, by what a store learnt of its own scores when it was built.

A score of 0.5 is high with one model and low with another, and higher when a paper is asked about
than when a text is. So a store keeps the scores of its own papers' hits, for both kinds of query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from swimmer.store import CLOSENESS, PaperStore, closeness_key

if TYPE_CHECKING:
    from swimmer.retrieval.inputs import QueryInput
    from swimmer.retrieval.options import SearchOptions


def closeness_of(
    store: PaperStore, inputs: Sequence[QueryInput], weight: float, options: SearchOptions
) -> Callable[[float], str]:
    """Return what gives the word for a score: one of CLOSENESS, or "" for none.

    There is none for a score that is below all of them, and for queries of which a store has
    learnt nothing: several papers, examples, keywords, other weights than the store's own.

    Args:
        store: the store that is searched.
        inputs: the query's positive inputs.
        weight: what words count for in its scores.
        options: the search options.
    """
    own = inputs[0]
    kind = "paper" if own.is_paper else "text"
    known = (
        len(inputs) == 1
        and not options.unlike
        and options.mode != "keyword"
        and len(own.rows) < 2
        and weight == getattr(store.similarity, kind)
    )
    learnt = store.thresholds if known else {}
    steps = [
        (learnt[key], word) for word in CLOSENESS if (key := closeness_key(kind, word)) in learnt
    ]
    return lambda score: next((word for least, word in steps if score >= least), "")
