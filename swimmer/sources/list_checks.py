"""What only a whole list shows: authors in alphabetical order, abstracts that are cut.

Many sites sort the authors of a paper by name, and many lists keep only the beginning of each
abstract. Both look like data; neither is said anywhere.
"""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from swimmer.papers import ABSTRACT_CUT, AUTHORS_ORDER, Paper
from swimmer.sources.base import SourceReport

SAMPLE = 2_000
"""Papers from which a list is judged."""

SORTED_SHARE = 0.4
"""Share of author lists in alphabetical order from which a list is taken as sorted.

By chance it is below 1 in 6 for three authors and more; ICLR 2024 as OpenReview gives it has 3 %,
the rebuilt ICLR 2025 list 69 %.
"""

SORTED_FAMILIES = 0.9
"""The same for family names: theorists sort by them, but never in nine of ten papers."""

SAME_LENGTH = 8
"""Characters by which texts that were cut at one length may differ once they are cleaned."""

RARE_SHARE = 0.03
"""Share of abstracts without a full stop that end inside a word or sentence, below which a word
that the list does not have is taken as a rare one, not as a part."""

_ENDS = frozenset(".!?…。！？)]}\"”’'»*$:")
_ADDRESS = re.compile(r"https?://|\S{1,60}\.(?:io|com|org|edu|ai|net)\b")
_LAST_WORD = re.compile(r"([^\W\d_]{1,40})$")
_WORD = re.compile(r"[^\W\d_]+")
_LETTERS = [chr(c).lower() if chr(c).isalpha() else " " for c in range(128)]
_OPEN_ENDS = frozenset(
    "a an the of and or to in for with by that which as are were we our these their its at into "
    "than".split()
)
_INFLECTIONS = ("s", "es", "d", "ly")


def checked(papers: Iterator[Paper], report: SourceReport) -> Iterator[Paper]:
    """Yield the papers of a list with marks on what cannot be relied on, counted in `report`.

    `extra["authors_order"]` is "unknown" where the list is sorted by name, `extra["abstract_cut"]`
    true where an abstract is only a beginning.
    """
    first = list(itertools.islice(papers, SAMPLE))
    sorted_list = is_sorted_list([paper.authors for paper in first])
    ends = AbstractEnds(first)
    for paper in itertools.chain(first, papers):
        if sorted_list and len(paper.authors) > 1 and AUTHORS_ORDER not in paper.extra:
            paper = paper.marked(**{AUTHORS_ORDER: "unknown"})
        if ends.is_cut(paper) and ABSTRACT_CUT not in paper.extra:
            paper = paper.marked(**{ABSTRACT_CUT: True})
        report.count(paper)
        yield paper


def _is_ended(abstract: str) -> bool:
    """Whether an abstract ends as a sentence does, or in an address."""
    if abstract[-1] in _ENDS:
        return True
    last = abstract[-300:].rpartition(" ")[2]
    return "." in last and bool(_ADDRESS.search(last))


def _words_of(abstract: str) -> list[str]:
    """Return the runs of letters of an abstract, casefolded."""
    if abstract.isascii():
        # At a fraction of what the pattern takes.
        return abstract.translate(_LETTERS).split()
    return _WORD.findall(abstract.casefold())


def _common_length(lengths: Sequence[int], papers: int) -> int:
    """Return the length that far more texts have than chance would give it, else -1."""
    if not lengths:
        return -1
    length, count = Counter(lengths).most_common(1)[0]
    around = sum(abs(other - length) <= 50 and other != length for other in lengths) / 100
    return length if count >= 3 and count >= 0.02 * papers and count >= 10 * around else -1


def is_sorted_list(lists: Sequence[Sequence[str]]) -> bool:
    """Whether so many author lists are in alphabetical order that it cannot be chance."""
    names = [[name.casefold() for name in authors] for authors in lists if len(authors) >= 3]
    families = [[name.split()[-1] for name in authors if name.split()] for authors in names]
    return _above_chance(names, SORTED_SHARE) or _above_chance(families, SORTED_FAMILIES)


def _above_chance(lists: Sequence[Sequence[str]], least: float) -> bool:
    total = len(lists)
    ordered = sum(list(names) == sorted(names) for names in lists)
    share = ordered / total if total else 0.0
    if share < least:
        return False
    # Chernoff's bound on as many lists in order by chance, each with probability 1/6 at most.
    chance = 1 / 6
    other = (1 - share) * math.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    return math.exp(-total * (share * math.log(share / chance) + other)) < 1e-3


class AbstractEnds:
    """Whether abstracts are cut, learnt from the papers of a list.

    Many lists cut at a number of characters, of the abstract or of title and abstract together:
    then very many have one length. Others end inside a word that the list has in whole elsewhere.

    Args:
        papers: the first papers of the list.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        described = [paper for paper in papers if paper.abstract]
        unended = [paper for paper in described if not _is_ended(paper.abstract)]
        self._length = _common_length([len(paper.abstract) for paper in unended], len(described))
        self._total = _common_length(
            [len(paper.title) + len(paper.abstract) for paper in unended], len(described)
        )
        self._words: set[str] = set()
        self._ordered: list[str] = []
        if unended:
            for paper in described:
                # The last word of a cut abstract is what is to be found out.
                self._words.update(_words_of(paper.abstract)[:-1])
            self._ordered = sorted(self._words)
        self._judges_words = True
        inside = sum(self._ends_inside(paper.abstract) for paper in unended)
        # Where hardly any ends inside a word, those few are rare words.
        self._judges_words = inside >= RARE_SHARE * len(unended)

    def is_cut(self, paper: Paper) -> bool:
        """Whether the abstract of a paper is only the beginning of one."""
        abstract = paper.abstract
        if not abstract or abstract[-1] in _ENDS or _is_ended(abstract):
            return False
        if 0 <= self._length - len(abstract) <= SAME_LENGTH:
            return True
        if 0 <= self._total - len(paper.title) - len(abstract) <= SAME_LENGTH:
            return True
        return self._ends_inside(abstract)

    def _ends_inside(self, abstract: str) -> bool:
        """Whether an abstract ends inside a sentence for sure, or inside a word."""
        if abstract[-1] in ",;([-–&":
            return True
        found = _LAST_WORD.search(abstract[-41:])
        # A name in capitals stands in no vocabulary.
        if not found or (not found[1][1:].islower() and len(found[1]) > 1):
            return False
        word = found[1].casefold()
        return word in _OPEN_ENDS or (self._judges_words and self._is_part(word))

    def _is_part(self, word: str) -> bool:
        """Whether a word that the list does not have is the beginning of one that it has."""
        if word in self._words or any(word + end in self._words for end in _INFLECTIONS):
            return False
        at = bisect.bisect_left(self._ordered, word)
        return at < len(self._ordered) and self._ordered[at].startswith(word)
