"""The topics of a map: clusters of papers, named by their most distinctive phrases."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.map.layout import LAID_OUT
from swimmer.errors import MissingExtraError
from swimmer.papers import Paper
from swimmer.text import WORD, is_topic_word, singular

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.analysis.map.layout import Points
    from swimmer.store import Vectors

    Labels = NDArray[np.int32]

MOST = 48
"""Topics of a map, at most."""

DENSITY = 0.65
"""Topics per square root of the number of papers: 40 for 3,700, 6 for 94."""

PLACE = 0.6
"""Weight of a paper's place on the map against its vector, in the clustering (docs/map.md)."""

MOSTLY = 0.33
"""The share of a word's uses in one longer phrase from which the longer phrase is the name."""

_SEED = 1
_FEWEST = 3
_LOOKED_AT = 60
_ALWAYS = 0.8
# How much more frequent in a topic a phrase of common words must be ("graph neural network").
_WEAK = 8
_WORDS = 3
_SEGMENT = re.compile(r"\s[-–—]\s|[^\w\s'’-]+")
_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
_INSIDE = re.compile(r"(?<=[a-z,] )[^\W\d_]\w*(?:-\w+)*")
_LETTER = re.compile(r"[^\W\d_]")
# No topic alone, but part of one with another word: neural operators, language models.
_BESIDE = frozenset(
    "learning deep neural network data model large language representation training image time "
    "series optimization inference generation based task agent video graph set state".split()
)
_BETWEEN = frozenset(
    "through against over under between beyond among within without into onto across along around "
    "behind meet matter better more less most all you need rethinking revisiting exploring role "
    "enhancing improving improved making unlocking unifying unified high-quality".split()
)


@dataclass(frozen=True)
class Topic:
    """A topic of a map: its name, further phrases, the number of papers, its place.

    `x` and `y` are the median of its papers' points.
    """

    name: str
    words: tuple[str, ...]
    papers: int
    x: float
    y: float


def find_topics(
    vectors: Vectors, points: Points, texts: Sequence[Sequence[str]]
) -> tuple[Labels, list[Topic]]:
    """Return the topic of every paper (n,), a number into the topics, and the topics.

    `texts` are those of `paper_text` for every paper.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    labels = _clustered(vectors, points)
    found = [
        described(name, phrases, points[labels == number])
        for number, (name, phrases) in enumerate(topic_names(texts, labels))
    ]
    return labels, found


def topic_names(
    texts: Sequence[Sequence[str]], labels: Labels
) -> list[tuple[str, tuple[str, ...]]]:
    """Return of each topic a name that no other has, and its phrases as `named` gives them."""
    names: dict[str, tuple[str, ...]] = {}
    for number, phrases in enumerate(named(texts, labels)):
        names[_name(phrases, names, number)] = tuple(phrases)
    return list(names.items())


def described(name: str, words: Sequence[str], points: Points) -> Topic:
    """Return the topic of some points with a name."""
    x, y = (float(value) for value in np.median(points, axis=0))
    return Topic(name, tuple(words), len(points), x, y)


def _clustered(vectors: Vectors, points: Points) -> Labels:
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        raise MissingExtraError("the map", "map") from None
    count = len(points)
    wanted = min(MOST, max(2, round(DENSITY * math.sqrt(count))))
    both = np.hstack([vectors, PLACE * points / max(float(points.std()), 1e-9)]).astype(np.float32)
    step = -(-count // LAID_OUT)
    found = KMeans(wanted, n_init=3, random_state=_SEED).fit(both[::step]).predict(both)
    # Equal vectors may leave a cluster empty; the numbers have no gaps, the largest topic first.
    sizes = np.bincount(found, minlength=wanted)
    order = [int(number) for number in np.argsort(-sizes, kind="stable") if sizes[number]]
    renumbered = np.zeros(wanted, np.int32)
    renumbered[order] = np.arange(len(order), dtype=np.int32)
    labels: Labels = renumbered[found]
    return labels


def paper_text(paper: Paper) -> list[str]:
    """Return the texts of a paper that show its topic, the title first."""
    return [paper.display_title, *paper.keywords, paper.abstract[:500]]


def named(texts: Sequence[Sequence[str]], labels: Labels, most: int = 6) -> list[list[str]]:
    """Return the most distinctive phrases of each topic, the best first.

    A phrase is one to three adjacent words of a title or a keyword; it is distinctive where many
    papers of the topic have it and few others.

    Args:
        texts: of every paper, the title first, the abstract last.
        labels: the topic of every paper, from 0 without gaps.
        most: phrases of a topic.
    """
    topics = int(labels.max()) + 1
    inside: list[Counter[tuple[str, ...]]] = [Counter() for _ in range(topics)]
    written: dict[tuple[str, ...], Counter[str]] = {}
    for text, label in zip(texts, labels.tolist(), strict=True):
        phrases = dict(_phrases(text[:-1]))
        inside[label].update(phrases.keys())
        for phrase, form in phrases.items():
            written.setdefault(phrase, Counter())[form] += 1
    everywhere: Counter[tuple[str, ...]] = Counter()
    for counts in inside:
        everywhere.update(counts)
    sizes = np.bincount(labels, minlength=topics)
    chosen = []
    for number, counts in enumerate(inside):
        ranked = _ranked(counts, everywhere, int(sizes[number]), len(labels))[:_LOOKED_AT]
        whole = [_whole(phrase, counts, ranked) for phrase in ranked]
        chosen.append([_form(written[phrase]) for phrase in _apart(whole, most)])
    capitals = _capitals([text[-1] for text in texts[:: -(-len(texts) // LAID_OUT)]])
    return [
        [" ".join(capitals.get(word, word) for word in phrase.split(" ")) for phrase in phrases]
        for phrases in chosen
    ]


def _capitals(abstracts: Iterable[str]) -> dict[str, str]:
    """Return the words that running text writes with a capital, by their small form: Bayesian."""
    counts: dict[str, Counter[str]] = {}
    for abstract in abstracts:
        for word in _INSIDE.findall(abstract):
            counts.setdefault(word.casefold(), Counter())[word] += 1
    commonest = {small: min(c, key=lambda w: (-c[w], w)) for small, c in counts.items()}
    return {
        small: word
        for small, word in commonest.items()
        if word != small and counts[small][word] >= _ALWAYS * counts[small].total()
    }


def _ranked(
    inside: Counter[tuple[str, ...]], everywhere: Counter[tuple[str, ...]], size: int, total: int
) -> list[tuple[str, ...]]:
    fewest = _FEWEST if size >= 40 else 2
    if not any(count >= fewest for count in inside.values()):
        fewest = 1
    scores = {}
    for phrase, count in inside.items():
        if count < fewest:
            continue
        share = count / size
        elsewhere = (everywhere[phrase] - count + 1) / (total - size + 2)
        alone = any(_kind(word)[1] for word in phrase)
        if share > elsewhere * (1 if alone else _WEAK):
            longer = 1 + 0.45 * (len(phrase) - 1)
            # Two papers may use the same words by chance.
            sure = count / (count + 2)
            scores[phrase] = sure * longer * share * math.log(share / elsewhere)
    return sorted(scores, key=lambda phrase: (-scores[phrase], phrase))


def _whole(
    phrase: tuple[str, ...], inside: Counter[tuple[str, ...]], ranked: Sequence[tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the longest phrase that a word mostly is part of: offline reinforcement learning."""
    while longer := [
        other
        for other in ranked
        if len(other) == len(phrase) + 1
        and phrase in (other[1:], other[:-1])
        and inside[other] >= max(2, MOSTLY * inside[phrase])
    ]:
        phrase = max(longer, key=lambda other: inside[other])
    return phrase


def _apart(ranked: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
    """Return the first phrases that share no word with one before them."""
    chosen: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for phrase in ranked:
        if len(chosen) == most:
            break
        words = {part for word in phrase for part in word.split("-")}
        if not seen & words:
            chosen.append(phrase)
            seen |= words
    return chosen


def _phrases(texts: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for text in texts:
        for segment in _SEGMENT.split(text[:1_000]):
            tokens = _TOKEN.findall(segment)
            kinds = [_kind(token) for token in tokens]
            for start in range(len(tokens)):
                for end in range(start + 1, min(start + _WORDS, len(tokens)) + 1):
                    words = [word for word, _ in kinds[start:end]]
                    if "" in words:
                        break
                    if end - start > 1 or kinds[start][1]:
                        yield tuple(words), " ".join(tokens[start:end])


def _kind(token: str) -> tuple[str, bool]:
    """Return a word in singular, "" where it ends a phrase, and whether it may stand alone."""
    parts = token.split("-")
    words = [_singular(part) if _LETTER.search(part) else part for part in parts]
    subject = any(word not in _BESIDE and is_topic_word(word) for word in words)
    if set(words) & _BETWEEN or not (subject or set(words) <= _BESIDE):
        return "", False
    return "-".join(words), subject


def _singular(part: str) -> str:
    found = WORD.search(part)
    return singular(found[0]) if found else ""


def _form(forms: Counter[str]) -> str:
    """Return the commonest way of writing a phrase, without the capitals of a title."""
    lowered: Counter[str] = Counter()
    for form, count in forms.items():
        lowered[" ".join(map(_plain, form.split(" ")))] += count
    return min(lowered, key=lambda form: (-lowered[form], form))


def _plain(word: str) -> str:
    # A capital inside a word belongs to it; at the start of a part it may be the title's.
    own = any(part[1:] != part[1:].lower() for part in word.split("-"))
    return word if own else word.casefold()


def _name(phrases: Sequence[str], taken: Collection[str], number: int) -> str:
    """Return a name of two or three words where the phrases allow, and one of its own."""
    if not phrases:
        return f"topic {number + 1}"
    name, *others = phrases
    for other in others:
        if name not in taken and (" " in name or "-" in name or "," in name):
            break
        name = f"{name}, {other}"
    return name if name not in taken else f"{name} ({number + 1})"
