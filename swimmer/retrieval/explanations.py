"""Why a paper is a hit: the rare terms it shares with the query, and its nearest sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from swimmer.retrieval.hits import Reasons
from swimmer.retrieval.inputs import QueryInput
from swimmer.retrieval.sentence_facets import facet_of
from swimmer.store import PaperStore, stems
from swimmer.text import WORD, compatible, fold, folded, sentences, singular, stop_words

if TYPE_CHECKING:
    from swimmer.retrieval.hits import Answer

TERMS = 4
"""Shared terms given for a hit."""

RARE = 0.1
"""The share of a store's titles above which a word has no weight."""

_MANY = 100
_GENERAL = frozenset("learning deep neural network data task model large".split())
"""Stop words that are part of a term beside other words (`language model`)."""


def explained(
    store: PaperStore, answers: Sequence[Answer], inputs: Sequence[Sequence[QueryInput]]
) -> list[Answer]:
    """Return answers whose hits have their reasons.

    Args:
        store: the store that answered.
        answers: what it answered.
        inputs: for each answer, its query and positive examples.
    """
    idf = _WordWeights(store)
    told = []
    for answer, parts in zip(answers, inputs, strict=True):
        known = [one.row for one in parts if one.row is not None]
        texts_of_query = [(paper.title, paper.abstract) for paper in store.papers(known)]
        for one in parts:
            if one.row is None:
                texts_of_query.append((one.text, one.outside.abstract if one.outside else ""))
        query = _Text(texts_of_query)
        texts = [_Text([(hit.paper.display_title, hit.paper.abstract)]) for hit in answer.hits]
        same = _same_stems(query.known, set().union(*(text.known for text in texts)))
        for text in (query, *texts):
            text.join(same)
        shared = [_shared(text, query) for text in texts]
        idf.look_up({word.casefold() for written in shared for word in written.values()})
        hits = zip(answer.hits, texts, shared, strict=True)
        told.append(
            replace(
                answer,
                hits=[
                    replace(hit, reasons=_reasons(text, written, query, idf))
                    for hit, text, written in hits
                ],
            )
        )
    return told


class _Text:
    """A text, or several, as sentences of (word, start, end), each word in singular."""

    def __init__(self, parts: Sequence[tuple[str, str]]) -> None:
        self.sentences = [
            sentence
            for title, abstract in parts
            for sentence in (fold(title), *sentences(compatible(abstract[:4_000])))
        ]
        self.words = [
            [(singular(found[0]), *found.span()) for found in WORD.finditer(sentence)]
            for sentence in self.sentences
        ]
        self.short = len(parts) == 1 and not parts[0][1]
        self._find_terms()

    def _find_terms(self) -> None:
        self.terms = [{word for word, _, _ in words} - stop_words() for words in self.words]
        self.known = set().union(*self.terms)
        # Only the query is asked for runs of words.
        self._joined: list[str] | None = None

    def join(self, same: Mapping[str, str]) -> None:
        """Put one word for all of its stem, as `same` says."""
        if not self.known.isdisjoint(same):
            self.words = [
                [(same.get(word, word), start, end) for word, start, end in words]
                for words in self.words
            ]
            self._find_terms()

    def holds(self, words: Sequence[str]) -> bool:
        """Return whether some words stand side by side in one of the sentences."""
        if self._joined is None:
            self._joined = [
                f" {' '.join([word for word, _, _ in sentence])} " for sentence in self.words
            ]
        run = f" {' '.join(words)} "
        return any(run in sentence for sentence in self._joined)


def _same_stems(query: set[str], others: set[str]) -> dict[str, str]:
    """Return the words that have the stem of another word, one of the query, and that word."""
    starts = {_start(word) for word in query}
    stem_of = stems(query.union(word for word in others if _start(word) in starts))
    first: dict[str, str] = {}
    for word in sorted(query):
        first.setdefault(stem_of[word], word)
    return {word: first[stem] for word, stem in stem_of.items() if first.get(stem, word) != word}


@lru_cache(maxsize=50_000)
def _start(word: str) -> str:
    """Return the letters that all words of a stem begin with: a stemmer changes the ends only."""
    return (word if word.isascii() else folded(word))[:2].replace("y", "i")


class _WordWeights:
    """The inverse document frequency of words among the titles of a store, in bits."""

    def __init__(self, store: PaperStore) -> None:
        self._database = store.database
        self._papers = max(1, len(store))
        self._found: dict[str, float] = {}

    def look_up(self, words: set[str]) -> None:
        """Look up the words that are not known yet, together."""
        new = words - self._found.keys()
        counts = self._database.title_counts(new)
        for word in new:
            count = counts.get(word, 0)
            if count > RARE * self._papers and self._papers >= _MANY:
                self._found[word] = 0.0
                continue
            # A topic is named in titles; a word that only abstracts have counts half.
            self._found[word] = math.log2(1 + self._papers / max(1, count)) / (1 if count else 2)

    def __getitem__(self, word: str) -> float:
        return self._found[word]


def _shared(text: _Text, query: _Text) -> dict[str, str]:
    """Return the words that a text shares with the query, each as the text first writes it."""
    return {
        word: sentence[start:end]
        for sentence, words in zip(reversed(text.sentences), reversed(text.words), strict=True)
        for word, start, end in reversed(words)
        if word in query.known
        and (end - start > 2 or (end - start == 2 and sentence[start:end].isupper()))
    }


def _reasons(text: _Text, written: dict[str, str], query: _Text, idf: _WordWeights) -> Reasons:
    weights = {one: value for one, word in written.items() if (value := idf[word.casefold()]) > 0}
    best, sentence, own = 0.0, "", set[str]()
    for words, one in list(zip(text.terms, text.sentences, strict=True))[1:]:
        # A long sentence shares more words by chance.
        value = sum(weights.get(word, 0.0) for word in words) / math.sqrt(8 + len(words))
        if value > best:
            best, sentence, own = value, one, words
    facet = facet_of(sentence) if sentence else ""
    if facet and not _meets(query, own, facet):
        facet = ""
    return Reasons(_terms(text, query, weights, written), sentence, facet)


def _terms(
    text: _Text, query: _Text, weights: dict[str, float], written: dict[str, str]
) -> tuple[str, ...]:
    """Return the terms that a text shares: phrases that both have first, then words, rarest first.

    A phrase is as long as both write it. What is the whole of a short query is left out: it would
    say nothing.
    """
    phrases: dict[tuple[str, ...], tuple[float, str]] = {}
    for sentence, words in zip(text.sentences, text.words, strict=True):
        for run in _runs(sentence, words, query, weights):
            phrase = tuple(one for one, _, _ in run)
            weight = sum(weights.get(one, 0.0) for one in phrase)
            phrases.setdefault(phrase, (weight, sentence[run[0][1] : run[-1][2]]))
    singles = {(one,): (value, written[one]) for one, value in weights.items()}
    chosen: list[str] = []
    seen: set[str] = set()
    for found in (phrases, singles):
        for parts, (_, term) in sorted(found.items(), key=lambda item: (-item[1][0], item[0])):
            if seen & set(parts):
                continue
            if query.short and query.known <= set(parts):
                seen |= set(parts)
                continue
            # A capital inside a word belongs to it; at its start it may begin the sentence.
            chosen.append(term if term[1:] != term[1:].lower() else term.casefold())
            seen |= set(parts)
    return tuple(chosen[:TERMS])


_Words = list[tuple[str, int, int]]


def _runs(
    sentence: str, words: _Words, query: _Text, weights: dict[str, float]
) -> Iterator[_Words]:
    """Yield the longest runs of words side by side that the query has too, at least two long."""
    run: _Words = []
    for place in [*words, ("", 0, 0)]:
        word, start, _ = place
        part = word in weights or word in _GENERAL
        beside = bool(run) and sentence[run[-1][2] : start] in (" ", "-")
        if part and beside and query.holds([one for one, _, _ in run] + [word]):
            run.append(place)
            continue
        if len(run) > 1 and any(one in weights for one, _, _ in run):
            yield run
        if part and beside and query.holds([run[-1][0], word]):
            run = [run[-1], place]
        else:
            run = [place] if part else []


def _meets(query: _Text, words: set[str], facet: str) -> bool:
    """Whether the sentence of the query that shares most with some words is about `facet` too."""
    if len(query.sentences) < 3:
        return False
    shared = [len(words & own) / math.sqrt(8 + len(own)) for own in query.terms]
    best = max(range(len(shared)), key=shared.__getitem__)
    return bool(shared[best]) and facet_of(query.sentences[best]) == facet
