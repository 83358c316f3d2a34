"""What a sentence of an abstract is about: the problem, the method or the result."""

from __future__ import annotations

import re

from swimmer.text import pattern

_FACETS = (
    (
        "result",
        pattern(
            r"\b(outperform|state[- ]of[- ]the[- ]art|experiment|empirical|achiev"
            r"|improv(?:es|ement)|surpass|demonstrat|result|accuracy|benchmark"
            r"|we (?:show|find|prove|observe)|\d+(?:\.\d+)?%)",
            re.I,
        ),
    ),
    (
        "method",
        pattern(
            r"\b(we (?:propose|introduce|present|develop|design|describe|formulate|derive"
            r"|train|study)|our (?:method|approach|framework|algorithm|model)|"
            r"this paper (?:proposes|introduces|presents)|"
            r"novel|framework|algorithm|by (?:using|leveraging|combining)|consists of)",
            re.I,
        ),
    ),
    (
        "problem",
        pattern(
            r"\b(challeng|problem|however|difficult|limit(?:ed|ation)|remain|lack|suffer|fail|struggl|"
            r"bottleneck|costly|expensive|unclear|open question|despite|crucial|important)",
            re.I,
        ),
    ),
)
"""The facets, and the words that show which one a sentence is about."""


def facet_of(sentence: str) -> str:
    """Return the facet of a sentence, "" when it is not clear."""
    counts = {name: len(words.findall(sentence)) for name, words in _FACETS}
    best = max(counts.values())
    names = [name for name, count in counts.items() if count == best]
    return names[0] if best and len(names) == 1 else ""
