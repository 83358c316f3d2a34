"""What people type, drawn from a store, and how often the right paper is found.

    python benchmarks/typed.py STORE [--each 300] [--seed 1]

Short names before a colon, four to six words of a title in a row, content words of a title
shuffled, authors, misspelt texts, addresses; one row each: first, among ten, called unrelated,
median time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence

from swimmer import Answer, Paper, PaperStore, ask, open_store
from swimmer.papers import short_names
from swimmer.retrieval import content_words

Judge = Callable[[Answer], tuple[float, float]]
Typed = tuple[str, Judge]


def found(answer: Answer) -> list[str]:
    """Return the ids of an answer, the paper that it was taken as first."""
    own = [answer.matched.id] if answer.matched is not None else []
    return own + [hit.paper.id for hit in answer.hits]


def is_paper(paper: Paper) -> Judge:
    """Return a judge that wants one paper."""

    def judge(answer: Answer) -> tuple[float, float]:
        ids = found(answer)
        return float(ids[:1] == [paper.id]), float(paper.id in ids[:10])

    return judge


def are_papers(wanted: set[str]) -> Judge:
    """Return a judge of the share of some papers that is found."""

    def judge(answer: Answer) -> tuple[float, float]:
        ids, most = found(answer), min(10, len(wanted))
        share = len(wanted & set(ids[:most])) / most
        return share, share

    return judge


def swapped(word: str, rng: random.Random) -> str:
    """Return a long word with two neighbouring letters in each other's place."""
    if len(word) < 6:
        return word
    at = rng.randrange(1, len(word) - 2)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def drawn(store: PaperStore, each: int, rng: random.Random) -> dict[str, list[Typed]]:
    """Return queries of every kind with their judges."""
    papers = list(store)
    names: dict[str, list[Paper]] = {}
    people: dict[str, set[str]] = {}
    for paper in papers:
        keys = short_names(paper.display_title)
        if keys and ": " in paper.display_title:
            names.setdefault(keys[0], []).append(paper)
        for author in paper.authors:
            people.setdefault(author, set()).add(paper.id)
    long = [paper for paper in papers if len(paper.display_title.split()) >= 8]
    owned = [(key, some[0]) for key, some in names.items() if len(some) == 1 and key.isalnum()]

    def some(items: Sequence[Paper]) -> list[Paper]:
        return rng.sample(list(items), min(each, len(items)))

    kinds: dict[str, list[Typed]] = {
        "name": [
            (paper.display_title.partition(":")[0], is_paper(paper))
            for _, paper in rng.sample(owned, min(each, len(owned)))
            if " " not in paper.display_title.partition(":")[0]
        ],
        "partial": [],
        "shuffled": [],
        "author": [
            (author, are_papers(ids))
            for author, ids in rng.sample(sorted(people.items()), min(each, len(people)))
            if " " in author
        ],
        "typo": [],
        "address": [(p.url, is_paper(p)) for p in some([p for p in papers if p.url])],
    }
    for paper in some(long):
        words = paper.display_title.split()
        count = rng.randint(4, 6)
        at = rng.randrange(len(words) - count + 1)
        kinds["partial"].append((" ".join(words[at : at + count]), is_paper(paper)))
        content = content_words(paper.display_title)
        rng.shuffle(content)
        if len(content) >= 5:
            kinds["shuffled"].append((" ".join(content[2:]), is_paper(paper)))
        clean = " ".join(words[len(words) // 2 :])
        (right,) = ask(store, [clean], 10)
        bad = " ".join(swapped(word, rng) for word in clean.split())
        kinds["typo"].append((bad, are_papers({hit.paper.id for hit in right.hits})))
    return kinds


def main() -> None:
    """Print one row for each kind of query."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store")
    parser.add_argument("--each", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with open_store(given.store) as store:
        for kind, queries in drawn(store, given.each, random.Random(given.seed)).items():
            first = ten = unrelated = 0.0
            took = []
            for typed, judge in queries:
                start = time.perf_counter()
                (answer,) = ask(store, [typed], 10)
                took.append(time.perf_counter() - start)
                one, other = judge(answer)
                first, ten = first + one, ten + other
                unrelated += not answer.related
            count = max(1, len(queries))
            print(
                f"{kind:9s} n={len(queries):4d}  first {first / count:.3f}  ten {ten / count:.3f}  "
                f"unrelated {unrelated / count:.3f}  "
                f"{1000 * statistics.median(took or [0]):.1f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
