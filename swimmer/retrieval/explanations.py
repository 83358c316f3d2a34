"""Why a paper was found: the rare terms it shares, the sentence that is nearest, and where."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.retrieval.hits import Reasons
from swimmer.retrieval.inputs import QueryInput
from swimmer.store import PaperStore
from swimmer.text import compatible, fold

if TYPE_CHECKING:
    from swimmer.retrieval.hits import Answer

TERMS = 4
"""Terms that are named for a hit."""

RARE = 0.1
"""The share of a store's titles above which a word says nothing."""

_MANY = 100

COMMON_WORDS = Path(__file__).parent.parent / "data" / "common_words.txt"
"""Words that abstracts are full of and titles are not; made by `training/common_words.py`."""

# A LaTeX command is no word.
_WORD = re.compile(r"(?<![\\])(?<![^\W\d_])[^\W\d_][^\W_]*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])")
_NO_END = re.compile(r"\b(?:e\.g|i\.e|et al|cf|vs|resp|Fig|Eq|Sec|[A-Z])\.$")
_STOP = frozenset(
    "a an and are as at by for from in is of on or the to with without via using towards toward "
    "how what why when where do does can not its it be we learning deep neural network data task "
    "based new model large".split()
)
"""Words that say nothing in a title either; the other ones are in `data/common_words.txt`."""

_FACETS = (
    (
        "result",
        re.compile(
            r"\b(outperform|state[- ]of[- ]the[- ]art|experiment|empirical|achiev"
            r"|improv(?:es|ement)|surpass|demonstrat|result|accuracy|benchmark"
            r"|we (?:show|find|prove|observe)|\d+(?:\.\d+)?%)",
            re.I,
        ),
    ),
    (
        "method",
        re.compile(
            r"\b(we (?:propose|introduce|present|develop|design|describe|formulate|derive"
            r"|train|study)|our (?:method|approach|framework|algorithm|model)|"
            r"this paper (?:proposes|introduces|presents)|"
            r"novel|framework|algorithm|by (?:using|leveraging|combining)|consists of)",
            re.I,
        ),
    ),
    (
        "problem",
        re.compile(
            r"\b(challeng|problem|however|difficult|limit(?:ed|ation)|remain|lack|suffer|fail|struggl|"
            r"bottleneck|costly|expensive|unclear|open question|despite|crucial|important)",
            re.I,
        ),
    ),
)
"""The facets of a paper and the words by which a sentence is told to be about one."""


def explained(
    store: PaperStore, answers: Sequence[Answer], inputs: Sequence[Sequence[QueryInput]]
) -> list[Answer]:
    """Return answers whose hits say their reasons.

    Args:
        store: the store that answered.
        answers: what it answered.
        inputs: for each answer, its query and positive examples.
    """
    rarity = _Rarity(store)
    told = []
    for answer, parts in zip(answers, inputs, strict=True):
        known = [one.row for one in parts if one.row is not None]
        texts_of_query = [(paper.title, paper.abstract) for paper in store.papers(known)]
        for one in parts:
            if one.row is None:
                texts_of_query.append((one.text, one.outside.abstract if one.outside else ""))
        query = _Text(texts_of_query)
        texts = [_Text([(hit.paper.display_title, hit.paper.abstract)]) for hit in answer.hits]
        shared = [_shared(text, query) for text in texts]
        rarity.learn({word.casefold() for written in shared for word in written.values()})
        hits = zip(answer.hits, texts, shared, strict=True)
        told.append(
            replace(
                answer,
                hits=[
                    replace(hit, reasons=_reasons(text, written, query, rarity))
                    for hit, text, written in hits
                ],
            )
        )
    return told


class _Text:
    """A text, or several, as sentences of (stem, start, end)."""

    def __init__(self, parts: Sequence[tuple[str, str]]) -> None:
        self.sentences = [
            sentence
            for title, abstract in parts
            for sentence in (fold(title), *sentences(compatible(abstract[:4_000])))
        ]
        self.words = [
            [(_stem(found[0]), *found.span()) for found in _WORD.finditer(sentence)]
            for sentence in self.sentences
        ]
        silent = _silent_words()
        self.stems = [{stem for stem, _, _ in words} - silent for words in self.words]
        self.known = set().union(*self.stems)
        self.pairs = {
            (first[0], second[0]) for words in self.words for first, second in pairwise(words)
        }


class _Rarity:
    """How rare a word is among the titles of a store, in bits; 0 for one that says nothing."""

    def __init__(self, store: PaperStore) -> None:
        self._database = store.database
        self._papers = max(1, len(store))
        self._found: dict[str, float] = {}

    def learn(self, words: set[str]) -> None:
        """Look up words together; each is asked for once."""
        new = words - self._found.keys()
        counts = self._database.title_counts(new)
        for word in new:
            count = counts.get(word, 0)
            if count > RARE * self._papers and self._papers >= _MANY:
                self._found[word] = 0.0
                continue
            # A subject stands in titles; what stands in abstracts only says half as much.
            self._found[word] = math.log2(1 + self._papers / max(1, count)) / (1 if count else 2)

    def __getitem__(self, word: str) -> float:
        return self._found[word]


def _shared(text: _Text, query: _Text) -> dict[str, str]:
    """Return the stems that a text shares with the query, each as the text first writes it."""
    return {
        stem: sentence[start:end]
        for sentence, words in zip(reversed(text.sentences), reversed(text.words), strict=True)
        for stem, start, end in reversed(words)
        if stem in query.known and (end - start > 2 or sentence[start:end].isupper())
    }


def _reasons(text: _Text, written: dict[str, str], query: _Text, rarity: _Rarity) -> Reasons:
    weights = {
        stem: value for stem, word in written.items() if (value := rarity[word.casefold()]) > 0
    }
    best, sentence, own = 0.0, "", set[str]()
    for stems, one in list(zip(text.stems, text.sentences, strict=True))[1:]:
        # A long sentence shares more by chance.
        value = sum(weights.get(stem, 0.0) for stem in stems) / math.sqrt(8 + len(stems))
        if value > best:
            best, sentence, own = value, one, stems
    facet = _facet(sentence) if sentence else ""
    if facet and not _meets(query, own, facet):
        facet = ""
    return Reasons(_terms(text, query, weights, written), sentence, facet)


def _terms(
    text: _Text, query: _Text, weights: dict[str, float], written: dict[str, str]
) -> tuple[str, ...]:
    """Return the rarest shared terms, two words where both papers have them side by side."""
    candidates = {(stem,): (value, written[stem]) for stem, value in weights.items()}
    pairs: dict[tuple[str, ...], tuple[float, str]] = {}
    for sentence, words in zip(text.sentences, text.words, strict=True):
        for (first, start, middle), (second, begin, end) in pairwise(words):
            pair = (first, second)
            if (
                pair not in pairs
                and pair in query.pairs
                and first in weights
                and second in weights
                and sentence[middle:begin] in (" ", "-")
            ):
                pairs[pair] = weights[first] + weights[second], sentence[start:end]
    ordered = sorted([*pairs.items(), *candidates.items()], key=lambda item: (-item[1][0], item[0]))
    chosen: list[str] = []
    seen: set[str] = set()
    for stems, (_, term) in ordered:
        if not seen & set(stems):
            # Capitals inside a word are its own; at its start they may be the sentence's.
            chosen.append(term if term[1:] != term[1:].lower() else term.casefold())
            seen |= set(stems)
    return tuple(chosen[:TERMS])


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; abbreviations and initials end none."""
    found: list[str] = []
    for piece in _SENTENCE.split(text):
        if found and _NO_END.search(found[-1]):
            found[-1] += f" {piece}"
        elif piece.strip():
            found.append(piece.strip())
    return found


def _facet(sentence: str) -> str:
    """Return what a sentence is about by its words, "" when it cannot be told."""
    counts = {name: len(pattern.findall(sentence)) for name, pattern in _FACETS}
    best = max(counts.values())
    names = [name for name, count in counts.items() if count == best]
    return names[0] if best and len(names) == 1 else ""


def _meets(query: _Text, stems: set[str], facet: str) -> bool:
    """Whether the sentence of the query that shares most with some stems is about `facet` too."""
    if len(query.sentences) < 3:
        return False
    shared = [len(stems & own) / math.sqrt(8 + len(own)) for own in query.stems]
    best = max(range(len(shared)), key=shared.__getitem__)
    return bool(shared[best]) and _facet(query.sentences[best]) == facet


def stems_of(text: str) -> set[str]:
    """Return the words of a text without case and plural."""
    return {_stem(word) for word in _WORD.findall(text)}


def topic_words(stems: set[str]) -> set[str]:
    """Return those of some stems that may be a subject."""
    return {stem for stem in stems - _silent_words() if len(stem) > 2}


@lru_cache(maxsize=1)
def _silent_words() -> frozenset[str]:
    return _STOP | set(COMMON_WORDS.read_text(encoding="utf-8").split())


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    """Return a word without case and plural, so that one paper's `Graphs` is another's `graph`."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
