"""What a sentence of an abstract is about: the problem, the method or the result."""

from __future__ import annotations

from swimmer.text import words_of

_FACETS = {
    "result": (
        "outperform,state of the art,experiment,empirical,achiev,improves,improvement,surpass,"
        "demonstrat,result,accuracy,benchmark,we show,we find,we prove,we observe"
    ).split(","),
    "method": (
        "we propose,we introduce,we present,we develop,we design,we describe,we formulate,"
        "we derive,we train,we study,our method,our approach,our framework,our algorithm,"
        "our model,this paper proposes,this paper introduces,this paper presents,novel,framework,"
        "algorithm,by using,by leveraging,by combining,consists of"
    ).split(","),
    "problem": (
        "challeng,problem,however,difficult,limited,limitation,remain,lack,suffer,fail,struggl,"
        "bottleneck,costly,expensive,unclear,open question,despite,crucial,important"
    ).split(","),
}
"""The facets, and the beginnings of words that show which one a sentence is about."""


def facet_of(sentence: str) -> str:
    """Return the facet of a sentence, "" when it is not clear."""
    text = f" {' '.join(words_of(sentence.lower()))}"
    counts = {name: sum(text.count(f" {one}") for one in ones) for name, ones in _FACETS.items()}
    # A share of a hundred is a result too.
    counts["result"] += sentence.count("%")
    best = max(counts.values())
    names = [name for name, count in counts.items() if count == best]
    return names[0] if best and len(names) == 1 else ""
