"""How well `swimmer foryou` serves a library of several interests, and how long it takes.

    python benchmarks/for_you.py topics CORPUS [--libraries 60] [--seed 0] [--small]
    python benchmarks/for_you.py authors EARLIER LATER [--libraries 60] [--seed 0]
    python benchmarks/for_you.py time STORE [--library 500]

`topics`: CORPUS is a list of papers with a `topic`. A library is made of some papers of two topics,
or of three; what is right are the other papers of these topics. With `--small` it is three papers
of one topic and a single one of another, or three, two and a single one. `authors`: a library is
what two or three authors have published in the list EARLIER; right is what they published in
LATER. Lists are what `swimmer build` takes. In both, the first 20 places are looked at:

- right papers of each interest in them, as a share of what the same library without its other
  interests gets in as many places as are this interest's share;
- nDCG@20, where every right paper is worth the same;
- the share of interests of which at least one right paper is found.

Beside each figure is that of the mean of all examples: `swimmer search --like` with the whole
library. `time` draws a library from a store, writes it as BibTeX and times the whole process.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from swimmer import Paper, PaperStore, ask, build_store, open_store
from swimmer.analysis import for_you
from swimmer.export import to_bibtex
from swimmer.sources import SourceReport, open_source
from swimmer.text import title_key

RUNS = 9
"""Processes that are timed."""

PLACES = 20
FEWEST, MOST = 8, 30
"""Papers of one interest in a library."""

SMALL = {2: (3, 1), 3: (3, 2, 1)}
"""Papers of each interest of a small library."""

FEWEST_BY_AUTHOR = 3
"""Papers of an author in each of the two lists."""


@dataclass(frozen=True)
class Case:
    """A library: the papers of each interest, and the ids of what is right for it."""

    libraries: list[list[Paper]]
    right: list[set[str]]


@dataclass
class Sums:
    """Sums over all cases, of one way to rank."""

    found: int = 0
    ndcg: float = 0.0
    served: int = 0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, names in (("topics", ["corpus"]), ("authors", ["earlier", "later"])):
        one = kinds.add_parser(kind)
        for name in names:
            one.add_argument(name)
        one.add_argument("--libraries", type=int, default=60)
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("--small", action="store_true")
    one = kinds.add_parser("time")
    one.add_argument("store")
    one.add_argument("--library", type=int, default=500)
    given = parser.parse_args()
    if given.kind == "time":
        print(timed(given.store, given.library))
        return
    with tempfile.TemporaryDirectory() as folder:
        make = by_topic if given.kind == "topics" else by_author
        files = [given.corpus] if given.kind == "topics" else [given.earlier, given.later]
        store, groups = make([Path(file) for file in files], Path(folder))
        with store:
            for interests in (2, 3):
                draw = random.Random(given.seed)
                sizes = SMALL[interests] if given.small else None
                cases = [drawn(groups, interests, draw, sizes) for _ in range(given.libraries)]
                print(f"{interests} interests, {len(cases)} libraries, {len(store):,} papers")
                for line in compared(store, cases):
                    print(f"  {line}")


Groups = list[tuple[list[Paper], set[str]]]
"""For each topic or author: the papers that a library may hold, and the ids of right papers."""


def by_topic(files: Sequence[Path], folder: Path) -> tuple[PaperStore, Groups]:
    """Return the store of a list, and the papers of its topics."""
    records = [json.loads(line) for line in files[0].read_text("utf-8").splitlines()]
    topics = {title_key(record["title"]): record["topic"] for record in records}
    store = build_store(open_source(files[0]), folder / "store", model="static")
    papers: dict[str, list[Paper]] = defaultdict(list)
    for paper in store:
        papers[topics.get(paper.key, "")].append(paper)
    # What is left over in a field is no topic.
    kept = [
        some
        for topic, some in papers.items()
        if len(some) >= 20 and "->" in topic and not topic.endswith("Everything Else")
    ]
    return store, [(some, {paper.id for paper in some}) for some in kept]


def by_author(files: Sequence[Path], folder: Path) -> tuple[PaperStore, Groups]:
    """Return the store of the later list, and the papers of the authors of both."""
    earlier, later = (list(open_source(file).papers(SourceReport())) for file in files)
    store = build_store(later, folder / "store", model="static")
    wrote: dict[str, tuple[list[Paper], set[str]]] = defaultdict(lambda: ([], set()))
    for paper in earlier:
        for name in paper.authors:
            wrote[name][0].append(paper)
    known = {paper.key for paper in earlier}
    for paper in store:
        for name in paper.authors if paper.key not in known else ():
            wrote[name][1].add(paper.id)
    return store, [
        (papers, right)
        for papers, right in wrote.values()
        if min(len(papers), len(right)) >= FEWEST_BY_AUTHOR
    ]


def drawn(
    groups: Groups, interests: int, draw: random.Random, sizes: Sequence[int] | None = None
) -> Case:
    """Return a library of so many topics or authors, of each so many papers if that is given."""
    case = Case([], [])
    for place, (papers, right) in enumerate(draw.sample(groups, interests)):
        if sizes is not None:
            papers = draw.sample(papers, min(sizes[place], len(papers) - 1))
        elif {paper.id for paper in papers} == right:
            # A topic: half of it at most is the library, the rest is right.
            papers = draw.sample(papers, min(draw.randint(FEWEST, MOST), len(papers) // 2))
        case.libraries.append(papers)
        case.right.append(right - {paper.id for paper in papers})
    return case


def compared(store: PaperStore, cases: Sequence[Case]) -> Iterator[str]:
    """Yield the figures of some libraries as lines."""
    alone = alone_served = 0
    sums = {"for you": Sums(), "mean": Sums()}
    for case in cases:
        library = [paper for some in case.libraries for paper in some]
        rankings = {
            "for you": [one.hit.paper.id for one in for_you([store], library, PLACES).found],
            "mean": mean_ranking(store, library),
        }
        for some, right in zip(case.libraries, case.right, strict=True):
            places = max(1, round(PLACES * len(some) / len(library)))
            own = {one.hit.paper.id for one in for_you([store], some, places).found}
            alone += len(own & right)
            alone_served += bool(own & right)
            for name, ranking in rankings.items():
                count = len(set(ranking) & right)
                sums[name].found += count
                sums[name].served += count > 0
        every = set().union(*case.right)
        for name, ranking in rankings.items():
            sums[name].ndcg += ndcg(ranking, every)
    interests = sum(len(case.libraries) for case in cases)
    yield f"{'':<10}{'right':>8}{'of alone':>10}{'nDCG@20':>9}{'served':>8}"
    yield f"{'alone':<10}{alone:>8}{1:>10.3f}{'':>9}{alone_served / interests:>8.3f}"
    for name, found in sums.items():
        yield (
            f"{name:<10}{found.found:>8}{found.found / alone:>10.3f}"
            f"{found.ndcg / len(cases):>9.3f}{found.served / interests:>8.3f}"
        )


def mean_ranking(store: PaperStore, library: list[Paper]) -> list[str]:
    """Return the ids of the nearest papers to the mean of all examples."""
    (answer,) = ask(store, [], PLACES, like=library)
    return [hit.paper.id for hit in answer.hits]


def ndcg(ranking: Sequence[str], right: set[str]) -> float:
    """Return nDCG of the first places, each right paper worth the same."""
    gain = sum(1 / math.log2(i + 2) for i, one in enumerate(ranking[:PLACES]) if one in right)
    return gain / sum(1 / math.log2(i + 2) for i in range(min(PLACES, len(right))))


def timed(name: str, size: int) -> str:
    """Return how long a library of a store's papers takes, half of them with abstracts."""
    with open_store(name) as store:
        rows = sorted(random.Random(1).sample(range(len(store)), size))
        papers = [
            replace(paper, abstract=paper.abstract if number % 2 else "", id=f"key{number}")
            for number, paper in enumerate(store.papers(rows))
        ]
        count = len(store)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "refs.bib"
        file.write_text(to_bibtex(papers), encoding="utf-8")
        command = [sys.executable, "-m", "swimmer", "foryou", "--library", str(file), "-s", name]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(RUNS):
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = (used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime) / RUNS
    return (
        f"library of {size:,} over {count:,} papers: {min(seconds):.2f} s, median "
        f"{sorted(seconds)[RUNS // 2]:.2f} s, of which the processors work {processor:.2f} s"
    )


if __name__ == "__main__":
    main()
