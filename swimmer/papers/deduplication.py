"""One work in several places: on arXiv, at a workshop, rejected here, accepted there, renamed.

Two papers are taken for one work by, in this order,

1. an id that both carry: arXiv, DOI, OpenReview, ACL Anthology, or the same address;
2. the same title key, unless authors or abstracts say otherwise;
3. abstracts that share most of their phrases beside like titles or a common author.

Two different arXiv ids are two works whatever else is alike. The thresholds were chosen on the
project's real lists (`benchmarks/duplicates.py` counts and prints what they merge).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from swimmer.papers.identifiers import identifiers
from swimmer.papers.paper import Paper
from swimmer.text import pattern, title_key

SHORT_TITLE = 20
"""Characters of a title key below which a title alone proves nothing: `Introduction`, `Reply`."""

NEAR = ((0.97, 45.0), (0.8, 85.0), (0.6, 92.0))
"""(share of common phrases, likeness of titles): what two papers need whose authors are unknown.

Below the same abstract, a team's next paper looks like this one: titles must be nearly equal.
"""

NEAR_OF_ONE_TEAM = ((0.9, 0.0), (0.6, 75.0))
"""The same for two papers that have an author in common."""

SIMILAR_ABSTRACT, DISSIMILAR_ABSTRACT = 0.15, 0.02
"""Shares from which two abstracts under one title are similar, and below which dissimilar."""

_NUMBERS = pattern(
    r"\d+|\b(?:[ivx]+|one|two|three|four|five|six|seven|eight|nine|ten|first|second|third|fourth"
    r"|fifth|sixth|seventh|eighth|ninth|tenth)\b"
)

PHRASE, LONG_PHRASE = 4, 7
ENOUGH_PHRASES = 20
MINHASH_SIZE = 8
BLOCK_SIZE = 40


def same_work(a: Paper, b: Paper) -> str:
    """Return why two papers are one work (`id`, `title`, `near`), or "" when they are not."""
    first, second = identifiers(a), identifiers(b)
    if first & second:
        return "id"
    numbers = [{value for kind, value in ids if kind == "arxiv"} for ids in (first, second)]
    if all(numbers):
        return ""
    if a.key == b.key:
        return "title" if _agree(a, b) else ""
    if not a.abstract or not b.abstract or not same_numbers(a, b):
        return ""
    team = _common_authors(a, b)
    if team is False or (not team and min(len(a.key), len(b.key)) < SHORT_TITLE):
        return ""
    share = shared_phrases(a.abstract, b.abstract)
    likeness = fuzz.token_set_ratio(a.display_title.casefold(), b.display_title.casefold())
    wanted = NEAR_OF_ONE_TEAM if team else NEAR
    return "near" if any(share >= s and likeness >= t for s, t in wanted) else ""


def _common_authors(a: Paper, b: Paper) -> bool | None:
    """Whether two papers have an author in common; None when one names none."""
    people = [{_surname(name) for name in paper.authors} - {""} for paper in (a, b)]
    return bool(people[0] & people[1]) if all(people) else None


def _agree(a: Paper, b: Paper) -> bool:
    """Whether authors and abstracts allow two papers of one title to be one work."""
    team = _common_authors(a, b)
    if team is False:
        return False
    phrases = [_phrases(paper.abstract) for paper in (a, b)]
    if all(len(some) >= ENOUGH_PHRASES for some in phrases):
        share = shared_phrases(a.abstract, b.abstract)
        if share >= SIMILAR_ABSTRACT:
            return True
        if len(a.key) < SHORT_TITLE:
            return False
        # Of one long title and one team a rewritten abstract is still the same work.
        return bool(team) or share >= DISSIMILAR_ABSTRACT
    return bool(team) or len(a.key) >= SHORT_TITLE


def _surname(name: str) -> str:
    words = name.split()
    return title_key(words[-1]) if words else ""


def same_numbers(a: Paper, b: Paper) -> bool:
    """Whether two titles have the same numbers: part I is not part II, two robots are not three."""
    found = [_NUMBERS.findall(p.display_title.casefold()) for p in (a, b)]
    return sorted(found[0]) == sorted(found[1])


def shared_phrases(a: str, b: str) -> float:
    """Return the share of the shorter text's phrases of four words that the other has too.

    Of the shorter, since many lists cut abstracts off; 0.0 when one has hardly any.
    """
    first, second = _phrases(a), _phrases(b)
    smaller = min(len(first), len(second))
    return len(first & second) / smaller if smaller >= 5 else 0.0


@lru_cache(maxsize=4096)
def _phrases(text: str, words: int = PHRASE) -> frozenset[int]:
    found = re.findall(r"\w+", text[:2_500].casefold())
    # crc32, because the built-in hash differs between processes.
    return frozenset(
        zlib.crc32(" ".join(found[i : i + words]).encode())
        for i in range(max(0, len(found) - words + 1))
    )


def duplicates(papers: Sequence[Paper]) -> Iterator[tuple[int, int, str]]:
    """Yield (i, j, why) for papers that are one work with an earlier one, i < j.

    Candidates share an id, a title key, or one of the eight long phrases whose hashes are the
    smallest, so that a list of n papers costs about n comparisons, not n².
    """
    seen: dict[object, list[int]] = {}
    for j, paper in enumerate(papers):
        candidates: set[int] = set()
        for block in _blocks(paper):
            known = seen.setdefault(block, [])
            # A block that many share (a publisher's boilerplate) tells nothing.
            if len(known) < BLOCK_SIZE:
                candidates.update(known)
                known.append(j)
        for i in sorted(candidates):
            if why := same_work(papers[i], paper):
                yield i, j, why
                break


def _blocks(paper: Paper) -> Iterable[object]:
    yield from identifiers(paper)
    yield paper.key
    yield from sorted(_phrases(paper.abstract, LONG_PHRASE))[:MINHASH_SIZE]
