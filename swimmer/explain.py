"""Why a paper was found: the rare terms it shares, the sentence that is nearest, and where."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from swimmer.keyword import frequency
from swimmer.seeds import Seed
from swimmer.store import PaperStore
from swimmer.text import compatible, fold

if TYPE_CHECKING:
    from swimmer.query import Answer, Hit

TERMS = 4
"""Terms that are named for a hit."""

RARE = 0.1
"""The share of a store's papers above which a term says nothing."""

_COUNTED = 1_000
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])")
_NO_END = re.compile(r"\b(?:e\.g|i\.e|et al|cf|vs|resp|Fig|Eq|Sec|[A-Z])\.$")
_STOP = frozenset(
    "a an and are as at be been but by can could do does for from had has have how if in into is "
    "it its may more most much not of on or our over such than that the their them then there "
    "these they this those through to under up upon use used using via was we were what when "
    "where which while who why will with within without would you your also however both each "
    "other two three one first new show shows shown propose proposed paper present approach "
    "based results method methods model models work existing several many between across only "
    "all any some no nor so very".split()
)

_FACETS = (
    ("result", re.compile(
        r"\b(outperform|state[- ]of[- ]the[- ]art|experiment|empirical|achiev|improv(?:es|ement)|"
        r"surpass|demonstrat|result|accuracy|benchmark|we (?:show|find|prove|observe)|"
        r"\d+(?:\.\d+)?%)",
        re.I)),
    ("method", re.compile(
        r"\b(we (?:propose|introduce|present|develop|design|describe|formulate|derive|train|study)|"
        r"our (?:method|approach|framework|algorithm|model)|"
        r"this paper (?:proposes|introduces|presents)|"
        r"novel|framework|algorithm|by (?:using|leveraging|combining)|consists of)",
        re.I)),
    ("problem", re.compile(
        r"\b(challeng|problem|however|difficult|limit(?:ed|ation)|remain|lack|suffer|fail|struggl|"
        r"bottleneck|costly|expensive|unclear|open question|despite|crucial|important)",
        re.I)),
)  # fmt: skip
"""The facets of a paper and the words by which a sentence is told to be about one."""


@dataclass(frozen=True)
class Reasons:
    """What a hit shares with what was asked.

    `terms` are the rarest first, as the hit writes them; `sentence` is the sentence of its
    abstract that shares most, "" without an abstract; `facet` is `problem`, `method` or `result`
    when the two meet there, else "".
    """

    terms: tuple[str, ...] = ()
    sentence: str = ""
    facet: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the reasons as JSON-able values."""
        return {"terms": list(self.terms), "sentence": self.sentence, "facet": self.facet}


def explained(
    store: PaperStore, answers: Sequence[Answer], asked: Sequence[Sequence[Seed]]
) -> list[Answer]:
    """Return answers whose hits say their reasons.

    Args:
        store: the store that answered.
        answers: what it answered.
        asked: for each answer, the seeds that were wanted.
    """
    rarity = _Rarity(store)
    told = []
    for answer, seeds in zip(answers, asked, strict=True):
        known = [seed.row for seed in seeds if seed.row is not None]
        wanted = [(paper.title, paper.abstract) for paper in store.papers(known)]
        for seed in seeds:
            if seed.row is None:
                wanted.append((seed.text, seed.outside.abstract if seed.outside else ""))
        query = _Text(wanted)
        told.append(replace(answer, hits=[_told(hit, query, rarity) for hit in answer.hits]))
    return told


class _Text:
    """A text, or several, as stems and their sentences."""

    def __init__(self, parts: Sequence[tuple[str, str]]) -> None:
        self.sentences = [
            sentence
            for title, abstract in parts
            for sentence in (fold(title), *sentences(compatible(abstract[:4_000])))
        ]
        self.stems = [[_stem(word) for word in _words(sentence)] for sentence in self.sentences]
        self.pairs = {pair for stems in self.stems for pair in pairwise(stems)}
        self.known = {stem for stems in self.stems for stem in stems}


class _Rarity:
    """How rare a term is in a store, in bits; 0 for one that says nothing."""

    def __init__(self, store: PaperStore) -> None:
        self._database = store.database
        self._papers = max(1, len(store))
        # Counting ends where a term is common: the exact number would change nothing.
        self._cap = max(3, min(_COUNTED, int(RARE * self._papers)))
        self._found: dict[str, float] = {}

    def of(self, term: str) -> float:
        if term not in self._found:
            count = frequency(self._database, term, self._cap)
            common = count >= self._cap and self._papers > 20
            self._found[term] = 0.0 if common else math.log2(1 + self._papers / (1 + count))
        return self._found[term]


def _told(hit: Hit, query: _Text, rarity: _Rarity) -> Hit:
    paper = hit.paper
    text = _Text([(paper.display_title, paper.abstract)])
    weights = {
        _stem(word): (rarity.of(word.casefold()), word)
        for sentence in reversed(text.sentences)
        for word in _words(sentence)
        if _stem(word) in query.known and not _says_nothing(word)
    }
    terms = _terms(text, query, weights)
    best, sentence = 0.0, ""
    for stems, written in list(zip(text.stems, text.sentences, strict=True))[1:]:
        shared = sum(weights[stem][0] for stem in set(stems) if stem in weights)
        # A long sentence shares more by chance.
        value = shared / math.sqrt(8 + len(stems))
        if value > best:
            best, sentence = value, written
    facet = _facet(sentence) if sentence else ""
    if facet and not _meets(query, sentence, facet):
        facet = ""
    return replace(hit, reasons=Reasons(terms, sentence[:400], facet))


def _terms(text: _Text, query: _Text, weights: dict[str, tuple[float, str]]) -> tuple[str, ...]:
    """Return the rarest shared terms, two words where both papers have them side by side."""
    candidates: dict[str, float] = {}
    paired: set[str] = set()
    for sentence in text.sentences:
        words = _words(sentence)
        for first, second in pairwise(words):
            pair = (_stem(first), _stem(second))
            if pair in query.pairs and all(stem in weights for stem in pair):
                value = weights[pair[0]][0] + weights[pair[1]][0]
                if value and f"{first} {second}" in sentence:
                    candidates.setdefault(f"{first} {second}".casefold(), value)
                    paired |= set(pair)
    for stem, (value, word) in weights.items():
        if value and stem not in paired:
            candidates[word if word[1:] != word[1:].lower() else word.casefold()] = value
    ordered = sorted(candidates.items(), key=lambda item: (-item[1], item[0]))
    chosen: list[str] = []
    seen: set[str] = set()
    for term, _ in ordered:
        stems = {_stem(word) for word in _words(term)}
        if not stems & seen:
            chosen.append(term)
            seen |= stems
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


def _meets(query: _Text, sentence: str, facet: str) -> bool:
    """Whether the sentence of the query that shares most with another is about `facet` too."""
    if len(query.sentences) < 3:
        return False
    stems = {_stem(word) for word in _words(sentence) if not _says_nothing(word)}
    shared = [len(stems & set(own)) / math.sqrt(8 + len(own)) for own in query.stems]
    best = max(range(len(shared)), key=shared.__getitem__)
    return bool(shared[best]) and _facet(query.sentences[best]) == facet


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _says_nothing(word: str) -> bool:
    return word.casefold() in _STOP or (len(word) < 2) or word.isdigit()


def _stem(word: str) -> str:
    """Return a word without case and plural, so that one paper's `Graphs` is another's `graph`."""
    word = word.casefold()
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
