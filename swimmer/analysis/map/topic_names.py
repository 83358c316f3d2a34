"""Names of topics: phrases of titles that many of a topic's papers have, and few others."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.layout import LAID_OUT
from swimmer.text import WORD, is_topic_word, singular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int32]

    Phrase = tuple[str, ...]
    """The words of a phrase, in singular; a compound is several."""

PHRASES = 6
"""Phrases of a topic, the name among them."""

LENGTHS = (0.4, 1.0, 1.05, 0.9, 0.8)
"""Weight of a phrase by its words: one word is often too general."""

IN_ABSTRACT = 0.25
"""What a paper with a phrase in its abstract counts, against one that has it in its title."""

RATIO = 40.0
"""How much more frequent in a topic than elsewhere a phrase counts at most."""

LEAST = 0.04
"""The share of a topic's papers that must have its name in the title, where any phrase has."""

CHANCE = 0.1
"""The share of a topic's papers whose titles must have a phrase for it to count half."""

MOSTLY = (0.33, 0.6)
"""The share of the uses of a word, and of a longer phrase, in one phrase that replaces it."""

ATTRIBUTE = 0.3
"""A phrase that so seldom ends its part of a title is an attribute: multi-agent."""

SHARED = 0.4
"""What a phrase loses when all its content words are in names of other topics."""

PLURAL = 0.25
"""How often, against the singular, a name must be written in the plural to be shown so."""

# The least that a phrase is worth which is never the first or last of its content words.
_NEVER_FIRST = 0.25
_NEVER_LAST = 0.05
_WORD_NEVER_LAST = 0.2
_FEWEST = 3
_LOOKED_AT = 60
_ALWAYS = 0.8
_TOKENS = 3
# How much more frequent in a topic a phrase of common words must be ("graph neural network").
_WEAK = 8
_SEGMENT = re.compile(r"\s[-–—]\s|[^\w\s'’-]+")
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
_INSIDE = re.compile(r"(?<=[a-z,] )[^\W\d_]\w*(?:-\w+)*")
_ABBREVIATION = re.compile(r"\(([A-Z]{2,6})s?\)")
_LETTER = re.compile(r"[^\W\d_]")
# No topic alone, but part of one with another word: neural operators, language models.
_BESIDE = frozenset(
    "learning deep neural network data model large language representation training image time "
    "series optimization inference generation based task agent video graph set state prediction "
    "design algorithm analysis modality modeling modelling benchmark understanding feature object "
    "policy framework approach problem variable dataset label generative "
    "visual symbolic".split()
)
# No topic, alone or together: deep neural networks, fast algorithms.
_GENERAL = frozenset(
    "deep neural network learning machine model modeling modelling data training representation "
    "pretrained algorithm framework approach problem analysis feature fast efficient effective "
    "general simple practical robust scalable high quality dynamic method application".split()
)
_BETWEEN = frozenset(
    "through against over under between beyond among within without into onto across along around "
    "behind meet matter better more less most all you need rethinking revisiting exploring role "
    "enhancing improving improved making unlocking unifying unified high-quality extended "
    "abstract survey see".split()
)


def topic_names(
    texts: Sequence[Sequence[str]], labels: Labels
) -> list[tuple[str, tuple[str, ...]]]:
    """Return of each topic a name that no other has, and its most distinctive phrases.

    A name is a phrase of the topic's titles or keywords. It is distinctive where many papers of
    the topic have it, in title or abstract, and few others (a capped log odds ratio); a topic
    does not take a name, or its words, from one that it fits better.

    Args:
        texts: of every paper, the title first, the abstract last, keywords between.
        labels: the topic of every paper, from 0 without gaps.
    """
    topics = int(labels.max()) + 1
    found = _read(texts, labels.tolist(), topics)
    sizes = np.bincount(labels, minlength=topics).tolist()
    ranked = [_ranked(found, number, sizes[number], len(labels)) for number in range(topics)]
    names = _assigned([_frequent(*one) for one in zip(ranked, found.titles, sizes, strict=True)])
    capitals = _capitals([text[-1] for text in texts[:: -(-len(texts) // LAID_OUT)]])
    shown: dict[str, tuple[str, ...]] = {}
    for number, name in enumerate(names):
        phrases = [*([name] if name else []), *_by_score(ranked[number])]
        written = tuple(
            " ".join(capitals.get(word, word) for word in _form(found.uses[one].forms).split(" "))
            for one in _apart(phrases, PHRASES)
        )
        own = written[0] if written else f"topic {number + 1}"
        shown[own if own not in shown else f"{own} ({number + 1})"] = written
    return list(shown.items())


@dataclass(slots=True)
class _Use:
    """How titles and keywords use a phrase: times, times as first and last content words, forms."""

    times: int = 0
    first: int = 0
    last: int = 0
    forms: dict[str, int] = field(default_factory=dict)


@dataclass
class _Phrases:
    """The phrases of titles and keywords, and the papers of each topic that have them.

    `titles` has those with a phrase in the title or a keyword, `weights` those with it anywhere;
    one that has it in the abstract only weighs IN_ABSTRACT. `everywhere` is the sum of `weights`.
    """

    uses: dict[Phrase, _Use]
    titles: list[Counter[Phrase]]
    weights: list[dict[Phrase, float]]
    everywhere: dict[Phrase, float]


def _read(texts: Sequence[Sequence[str]], labels: Sequence[int], topics: int) -> _Phrases:
    full = _abbreviations(text[-1] for text in texts)
    uses: dict[Phrase, _Use] = {}
    titles: list[Counter[Phrase]] = [Counter() for _ in range(topics)]
    abstracts: list[Counter[Phrase]] = [Counter() for _ in range(topics)]
    of_papers = []
    for text, label in zip(texts, labels, strict=True):
        own: set[Phrase] = set()
        for phrase, form, first, last in _phrases(text[:-1]):
            if phrase in full:
                own.add(full[phrase])
                continue
            own.add(phrase)
            use = uses.get(phrase)
            if use is None:
                use = uses[phrase] = _Use()
            use.times += 1
            use.first += first
            use.last += last
            # As last words it is written as a name is: partial differential equations.
            use.forms[form] = use.forms.get(form, 0) + (3 if last else 1)
        titles[label].update(own)
        of_papers.append(own)
    # What only one title has is no name, and not looked for.
    lengths: dict[str, set[int]] = {}
    for phrase, use in uses.items():
        if use.times > 1:
            lengths.setdefault(phrase[0], set()).add(len(phrase))
    for text, label, own in zip(texts, labels, of_papers, strict=True):
        words = [singular(word) for word in WORD.findall(text[-1])]
        there = {
            tuple(words[start : start + length])
            for start, word in enumerate(words)
            for length in lengths.get(word, ())
        }
        there.update(full[word,] for word in words if (word,) in full)
        abstracts[label].update(there - own)
    weights = []
    everywhere: dict[Phrase, float] = {}
    for inside, beside in zip(titles, abstracts, strict=True):
        found = {phrase: float(count) for phrase, count in inside.items()}
        for phrase, count in beside.items():
            found[phrase] = found.get(phrase, 0.0) + IN_ABSTRACT * count
        for phrase, weight in found.items():
            everywhere[phrase] = everywhere.get(phrase, 0.0) + weight
        weights.append(found)
    return _Phrases(uses, titles, weights, everywhere)


def _ranked(found: _Phrases, number: int, size: int, total: int) -> dict[Phrase, float]:
    """Return the best phrases of a topic with their scores, the best first."""
    titles, weights = found.titles[number], found.weights[number]
    fewest = _FEWEST if size >= 40 else 2
    if not any(count >= fewest for count in titles.values()):
        fewest = 1
    scores: dict[Phrase, float] = {}
    for phrase, count in titles.items():
        if count < fewest or phrase not in found.uses:
            continue
        share = weights[phrase] / size
        elsewhere = (found.everywhere[phrase] - weights[phrase] + 1) / (total - size + 2)
        if share > elsewhere * (1 if any(map(_may_stand_alone, phrase)) else _WEAK):
            odds = min(math.log(share / elsewhere), math.log(RATIO))
            # Two papers may use the same words by chance.
            sure = count / (count + max(2.0, CHANCE * size))
            scores[phrase] = sure * _shape(phrase, found.uses[phrase]) * share * odds
    best = _by_score(scores)[:_LOOKED_AT]
    ranked: dict[Phrase, float] = {}
    for phrase in best:
        ranked.setdefault(_whole(phrase, found, number, best), scores[phrase])
    return ranked


def _shape(phrase: Phrase, use: _Use) -> float:
    """Return what a phrase is worth as a name by its length and its place in titles."""
    first, last = use.first / use.times, use.last / use.times
    if len(phrase) == 1:
        ends = _WORD_NEVER_LAST + (1 - _WORD_NEVER_LAST) * last
    else:
        ends = (_NEVER_LAST + (1 - _NEVER_LAST) * last) ** 2
    starts = _NEVER_FIRST + (1 - _NEVER_FIRST) * first
    return LENGTHS[min(len(phrase), len(LENGTHS)) - 1] * starts * ends


def _by_score(scores: Mapping[Phrase, float]) -> list[Phrase]:
    return sorted(scores, key=lambda phrase: (-scores[phrase], phrase))


def _whole(phrase: Phrase, found: _Phrases, number: int, ranked: Sequence[Phrase]) -> Phrase:
    """Return the longest phrase that a phrase mostly is part of: offline reinforcement learning."""
    titles = found.titles[number]
    while True:
        attribute = found.uses[phrase].last < ATTRIBUTE * found.uses[phrase].times
        mostly = MOSTLY[0] if attribute or len(phrase) == 1 else MOSTLY[1]
        longer = [
            other
            for other in ranked
            if len(other) == len(phrase) + 1
            and (other[:-1] == phrase or (other[1:] == phrase and not attribute))
            and titles[other] >= max(2, mostly * titles[phrase])
        ]
        if not longer:
            return phrase
        phrase = max(longer, key=lambda other: titles[other])


def _frequent(
    ranked: dict[Phrase, float], titles: Mapping[Phrase, int], size: int
) -> dict[Phrase, float]:
    """Return the phrases that enough papers of a topic have for its name, all if none."""
    often = {one: score for one, score in ranked.items() if titles[one] >= LEAST * size}
    return often or ranked


def _assigned(ranked: Sequence[dict[Phrase, float]]) -> list[Phrase | None]:
    """Return a phrase for each topic: the best pair of all first, no words twice if possible."""
    names: list[Phrase | None] = [None] * len(ranked)
    taken: set[str] = set()
    given: set[frozenset[str]] = set()

    def now(number: int, phrase: Phrase) -> float:
        words = _content(phrase)
        if words in given:
            return 0.0
        return ranked[number][phrase] * (1 - SHARED * len(words & taken) / len(words))

    waiting = [
        (-score, number, phrase)
        for number, scores in enumerate(ranked)
        for phrase, score in scores.items()
    ]
    heapq.heapify(waiting)
    while waiting:
        score, number, phrase = heapq.heappop(waiting)
        if names[number] is not None:
            continue
        current = now(number, phrase)
        if current < -score:
            if current:
                heapq.heappush(waiting, (-current, number, phrase))
            continue
        names[number] = phrase
        taken |= _content(phrase)
        given.add(_content(phrase))
    # All phrases of a topic may be parts of the names of others.
    for number, scores in enumerate(ranked):
        if names[number] is None:
            free = {one: score for one, score in scores.items() if one not in names}
            names[number] = next(iter(_by_score(free)), None)
    return names


def _content(phrase: Phrase) -> frozenset[str]:
    return frozenset(word for word in phrase if word not in _BESIDE) or frozenset(phrase)


def _abbreviations(abstracts: Iterable[str]) -> dict[Phrase, Phrase]:
    """Return the phrase that an abbreviation stands for, where several abstracts say so."""
    counts: dict[Phrase, Counter[Phrase]] = {}
    for abstract in abstracts:
        for found in _ABBREVIATION.finditer(abstract):
            letters = found[1].casefold()
            before = WORD.findall(abstract[max(0, found.start() - 80) : found.start()])
            words = tuple(singular(word) for word in before[-len(letters) :])
            if "".join(word[0] for word in words) == letters:
                counts.setdefault((letters,), Counter())[words] += 1
    commonest = {short: max(full, key=lambda w: (full[w], w)) for short, full in counts.items()}
    return {short: words for short, words in commonest.items() if counts[short][words] >= _FEWEST}


def _capitals(abstracts: Iterable[str]) -> dict[str, str]:
    """Return the words that running text writes with a capital, by their small form: Bayesian."""
    found: Counter[str] = Counter()
    for abstract in abstracts:
        found.update(_INSIDE.findall(abstract))
    counts: dict[str, Counter[str]] = {}
    for word, count in found.items():
        counts.setdefault(word.casefold(), Counter())[word] = count
    commonest = {small: min(c, key=lambda w: (-c[w], w)) for small, c in counts.items()}
    return {
        small: word
        for small, word in commonest.items()
        if word != small and counts[small][word] >= _ALWAYS * counts[small].total()
    }


def _apart(ranked: Sequence[Phrase], most: int) -> list[Phrase]:
    """Return the first phrases that share no word with one before them."""
    chosen: list[Phrase] = []
    seen: set[str] = set()
    for phrase in ranked:
        if len(chosen) == most:
            break
        if not seen.intersection(phrase):
            chosen.append(phrase)
            seen.update(phrase)
    return chosen


def _phrases(texts: Sequence[str]) -> Iterator[tuple[Phrase, str, bool, bool]]:
    """Yield phrases, as written, and whether no content word is right before and after each."""
    for text in texts:
        for segment in _SEGMENT.split(text[:1_000]):
            tokens = _TOKEN.findall(segment)
            kinds = [_kind(token) for token in tokens]
            for start, end in _spans(tokens, kinds):
                words = tuple(word for one, _ in kinds[start:end] for word in one)
                alone = any(subject for _, subject in kinds[start:end])
                if (end - start > 1 or alone) and not _GENERAL.issuperset(words):
                    first = start == 0 or not kinds[start - 1][0]
                    last = end == len(kinds) or not kinds[end][0]
                    yield words, " ".join(tokens[start:end]), first, last


def _spans(
    tokens: Sequence[str], kinds: list[tuple[tuple[str, ...], bool]]
) -> Iterator[tuple[int, int]]:
    for start, (first, _) in enumerate(kinds):
        if not first:
            continue
        end = start
        while end < min(start + _TOKENS, len(kinds)) and kinds[end][0]:
            end += 1
            yield start, end
        # Mixture of experts.
        if start + 2 < len(kinds) and tokens[start + 1] in ("of", "Of") and kinds[start + 2][0]:
            kinds[start + 1] = (("of",), False)
            yield start, start + 3
            kinds[start + 1] = ((), False)


def _kind(token: str) -> tuple[tuple[str, ...], bool]:
    """Return a token's words in singular, () where it ends a phrase; whether it may stand alone."""
    parts = token.split("-")
    words = tuple(_singular(part) if _LETTER.search(part) else part for part in parts)
    subject = any(map(_may_stand_alone, words))
    if set(words) & _BETWEEN or not (subject or set(words) <= _BESIDE):
        return (), False
    return words, subject


def _may_stand_alone(word: str) -> bool:
    return word not in _BESIDE and is_topic_word(word)


def _singular(part: str) -> str:
    found = WORD.search(part)
    return singular(found[0]) if found else ""


def _form(forms: Mapping[str, int]) -> str:
    """Return the commonest way of writing a phrase, without the capitals of a title."""
    lowered: Counter[str] = Counter()
    for form, count in forms.items():
        lowered[" ".join(map(_plain, form.split(" ")))] += count
    best = min(lowered, key=lambda form: (-lowered[form], form))
    several = f"{best}s"
    return several if lowered[several] >= PLURAL * lowered[best] else best


def _plain(word: str) -> str:
    # A capital inside a word belongs to it; at the start of a part it may be the title's.
    own = any(part[1:] != part[1:].lower() for part in word.split("-"))
    return word if own else word.casefold()
