"""Judged papers without judges: who wrote a paper says what is near it.

    python benchmarks/author_set.py LIST [LIST ...] FOLDER

Reads paper lists as `swimmer build` does and writes them as a set for `quality.py`: every paper
that shares an author with another is a query, graded by how many authors they share. Names on more
than 12 papers are left out: they are several people, or one who writes about everything. Sharing
an author is a weak sign of likeness, so the figures are low; they compare models on thousands of
queries that nobody has chosen.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

from swimmer import Paper
from swimmer.sources import SourceReport, open_source

MOST = 12


def shared_authors(papers: Sequence[Paper]) -> dict[int, Counter[int]]:
    """For each paper (by place) that has any, the papers that share its authors, and how many."""
    of_author: dict[str, set[int]] = defaultdict(set)
    for place, paper in enumerate(papers):
        for author in paper.authors:
            of_author[" ".join(author.casefold().split())].add(place)
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for places in of_author.values():
        if len(places) <= MOST:
            for one, other in permutations(sorted(places), 2):
                shared[one][other] += 1
    return shared


def write_set(papers: Sequence[Paper], folder: Path) -> int:
    """Write corpus, queries and qrels of ``papers`` into ``folder``; return the queries' number.

    Raises ``ValueError`` when no two papers share an author.
    """
    shared = shared_authors(papers)
    if not shared:
        raise ValueError("no two papers share an author; the lists must name their authors")
    folder.mkdir(parents=True, exist_ok=True)
    records = [
        {"pid": str(i), "title": p.title, "abstract": p.abstract} for i, p in enumerate(papers)
    ]
    queries = [{"qid": f"q{place}", **records[place]} for place in sorted(shared)]
    for name, lines in (("corpus", records), ("queries", queries)):
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    grades = [
        f"q{place}\t{other}\t{count}\n"
        for place in sorted(shared)
        for other, count in sorted(shared[place].items())
    ]
    (folder / "qrels.tsv").write_text("qid\tpid\tgrade\n" + "".join(grades), encoding="utf-8")
    return len(queries)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lists", nargs="+", help="what `swimmer build` takes")
    parser.add_argument("folder", type=Path, help="where the set goes")
    options = parser.parse_args()
    papers: dict[str, Paper] = {}
    for name in options.lists:
        for paper in open_source(name).papers(SourceReport()):
            if paper.abstract:
                papers.setdefault(paper.key, paper)
    count = write_set(list(papers.values()), options.folder)
    print(f"{len(papers)} papers, {count} queries in {options.folder}")


if __name__ == "__main__":
    main()
