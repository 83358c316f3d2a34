"""Groups of topics that lie together on a map: the names of a map that is shown as a whole."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from swimmer.analysis.map.topics import Topic
from swimmer.text import WORD, singular

FEWEST_TOPICS = 9
"""Topics from which a map has groups of them."""

# A map that somebody made up may have any number.
_MOST_TOPICS = 200
_SHARED = 0.5


@dataclass(frozen=True)
class TopicGroup:
    """Topics that lie together: a name, the numbers of the topics, and the middle of the group."""

    name: str
    topics: tuple[int, ...]
    x: float
    y: float


def topic_groups(topics: Sequence[Topic]) -> list[TopicGroup]:
    """Return the groups of a map's topics, the one of the most papers first.

    The two groups that are closest are joined until the square root of the number of topics, and
    a half more, is left; the middles of larger groups move less (Ward's method, by the papers).
    A group has the name of the topic that shares the most words with the others, weighted by
    their papers. A map of few topics, or of very many, has one group for each.
    """
    members = [[number] for number in range(len(topics))]
    if FEWEST_TOPICS <= len(topics) <= _MOST_TOPICS:
        members = _joined(topics, round(1.5 * math.sqrt(len(topics))))
    return [
        TopicGroup(_name(topics, own), tuple(own), *_middle(topics, own))
        for own in sorted(members, key=lambda own: -_papers(topics, own))
    ]


def _joined(topics: Sequence[Topic], wanted: int) -> list[list[int]]:
    members = [[number] for number in range(len(topics))]
    while len(members) > wanted:
        middles = np.array([_middle(topics, own) for own in members])
        papers = np.array([_papers(topics, own) for own in members], np.float64)
        apart = ((middles[:, None] - middles[None]) ** 2).sum(axis=2)
        cost = apart * papers[:, None] * papers[None] / (papers[:, None] + papers[None])
        cost[np.tril_indices(len(members))] = np.inf
        first, second = divmod(int(cost.argmin()), len(members))
        members[first] = sorted(members[first] + members.pop(second))
    return members


def _papers(topics: Sequence[Topic], own: Sequence[int]) -> int:
    return sum(topics[number].papers for number in own)


def _middle(topics: Sequence[Topic], own: Sequence[int]) -> tuple[float, float]:
    papers = max(1, _papers(topics, own))
    x = sum(topics[number].x * topics[number].papers for number in own) / papers
    y = sum(topics[number].y * topics[number].papers for number in own) / papers
    return x, y


def _name(topics: Sequence[Topic], own: Sequence[int]) -> str:
    words = [_words(topics[number]) for number in own]
    # A word counts for as many papers as the topics have that hold it.
    weight: Counter[str] = Counter()
    for number, held in zip(own, words, strict=True):
        for word in held:
            weight[word] += topics[number].papers

    def fits(number: int) -> float:
        named = set(_parts(topics[number].name)) or {""}
        shared = sum(weight[word] - topics[number].papers for word in named) / len(named)
        return topics[number].papers + _SHARED * shared

    return topics[max(own, key=lambda number: (fits(number), -number))].name


def _words(topic: Topic) -> set[str]:
    return {word for phrase in (topic.name, *topic.words) for word in _parts(phrase)}


def _parts(text: str) -> list[str]:
    return [singular(word) for word in WORD.findall(text)]
