"""Why a paper was found: the rare terms it shares, the sentence that is nearest, and where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from swimmer.retrieval.hits import Reasons
from swimmer.retrieval.inputs import QueryInput
from swimmer.retrieval.sentence_facets import facet_of
from swimmer.store import PaperStore
from swimmer.text import WORD, compatible, fold, sentences, stem, stop_stems

if TYPE_CHECKING:
    from swimmer.retrieval.hits import Answer

TERMS = 4
"""Terms that are named for a hit."""

RARE = 0.1
"""The share of a store's titles above which a word says nothing."""

_MANY = 100


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
            [(stem(found[0]), *found.span()) for found in WORD.finditer(sentence)]
            for sentence in self.sentences
        ]
        stops = stop_stems()
        self.stems = [{stem for stem, _, _ in words} - stops for words in self.words]
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
    facet = facet_of(sentence) if sentence else ""
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


def _meets(query: _Text, stems: set[str], facet: str) -> bool:
    """Whether the sentence of the query that shares most with some stems is about `facet` too."""
    if len(query.sentences) < 3:
        return False
    shared = [len(stems & own) / math.sqrt(8 + len(own)) for own in query.stems]
    best = max(range(len(shared)), key=shared.__getitem__)
    return bool(shared[best]) and facet_of(query.sentences[best]) == facet
