"""Why a paper is a hit: the rare terms it shares with the query, and its nearest sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from swimmer.retrieval.hits import Reasons
from swimmer.retrieval.inputs import QueryInput
from swimmer.retrieval.sentence_facets import facet_of
from swimmer.store import PaperStore, stems
from swimmer.text import WORD, compatible, fold, is_stop_word, sentences, singular

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
        query, *texts = _texts(
            texts_of_query,
            *([(hit.paper.display_title, hit.paper.abstract)] for hit in answer.hits),
        )
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


_Word = tuple[str, int, int, int]
"""A word of a sentence: its stem, where it starts and ends, and its kind."""

_STOP, _PART, _TERM = range(3)
"""Kinds of words: a stop word, one that may be part of a term (`_GENERAL`), and any other."""


class _Text:
    """A text, or several, as sentences of words."""

    def __init__(
        self, texts: Sequence[str], words: Sequence[Sequence[_Word]], *, short: bool
    ) -> None:
        self.sentences = texts
        self.words = words
        self.stems = [{word[0] for word in each if word[3] == _TERM} for each in words]
        self.known = set().union(*self.stems)
        self._joined = [f" {' '.join([word[0] for word in each])} " for each in words]
        self.short = short

    def holds(self, parts: Sequence[str]) -> bool:
        """Return whether words with some stems stand side by side in one of the sentences."""
        run = f" {' '.join(parts)} "
        return any(run in sentence for sentence in self._joined)


_END: _Word = ("", 0, 0, _STOP)


def _texts(*texts: Sequence[tuple[str, str]]) -> list[_Text]:
    """Return texts, each of which is several titles with their abstracts."""
    split = [
        [
            sentence
            for title, abstract in parts
            for sentence in (fold(title), *sentences(compatible(abstract[:4_000])))
        ]
        for parts in texts
    ]
    found = [[list(WORD.finditer(sentence)) for sentence in one] for one in split]
    kinds = _kinds({match[0] for one in found for matches in one for match in matches})
    words = [
        [
            [(kinds[match[0]][0], *match.span(), kinds[match[0]][1]) for match in matches]
            for matches in one
        ]
        for one in found
    ]
    return [
        _Text(one, of, short=len(parts) == 1 and not parts[0][1])
        for one, of, parts in zip(split, words, texts, strict=True)
    ]


def _kinds(words: set[str]) -> dict[str, tuple[str, int]]:
    """Return the stem and kind of each word; a stop word is only joined with its plural."""
    kinds = {
        word: (plain, _PART if plain in _GENERAL else _STOP)
        for word in words
        if is_stop_word(plain := singular(word))
    }
    for word, stem in stems(words - kinds.keys()).items():
        kinds[word] = (stem, _TERM)
    return kinds


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
    """Return the stems that a text shares with the query, each as the text first writes it."""
    return {
        stem: written
        for sentence, words in zip(reversed(text.sentences), reversed(text.words), strict=True)
        for stem, start, end, kind in reversed(words)
        if stem in query.known and kind == _TERM
        if len(written := sentence[start:end]) > 2 or (len(written) == 2 and written.isupper())
    }


def _reasons(text: _Text, written: dict[str, str], query: _Text, idf: _WordWeights) -> Reasons:
    weights = {stem: value for stem, word in written.items() if (value := idf[word.casefold()]) > 0}
    best, sentence, own = 0.0, "", set[str]()
    for here, one in list(zip(text.stems, text.sentences, strict=True))[1:]:
        # A long sentence shares more words by chance.
        value = sum(weights.get(stem, 0.0) for stem in here) / math.sqrt(8 + len(here))
        if value > best:
            best, sentence, own = value, one, here
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
            phrase = tuple(stem for stem, *_ in run)
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


def _runs(
    sentence: str, words: Sequence[_Word], query: _Text, weights: Mapping[str, float]
) -> Iterator[list[_Word]]:
    """Yield the longest runs of words side by side that the query has too, at least two long."""
    run: list[_Word] = []
    for word in [*words, _END]:
        stem, start, _, kind = word
        part = kind == _PART or (kind == _TERM and stem in weights)
        beside = bool(run) and sentence[run[-1][2] : start] in (" ", "-")
        if part and beside and query.holds([one for one, *_ in run] + [stem]):
            run.append(word)
            continue
        if len(run) > 1 and any(one in weights for one, *_ in run):
            yield run
        if part and beside and query.holds([run[-1][0], stem]):
            run = [run[-1], word]
        else:
            run = [word] if part else []


def _meets(query: _Text, own: set[str], facet: str) -> bool:
    """Whether the sentence of the query that shares most with some stems is about `facet` too."""
    if len(query.sentences) < 3:
        return False
    shared = [len(own & here) / math.sqrt(8 + len(here)) for here in query.stems]
    best = max(range(len(shared)), key=shared.__getitem__)
    return bool(shared[best]) and facet_of(query.sentences[best]) == facet
