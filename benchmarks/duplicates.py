"""Count the works that stand twice in paper lists, and print merges to be read by eye.

    python benchmarks/duplicates.py ../shared/corpora/iclr2025_downloads.json \\
        ../shared/corpora/ml_papers.jsonl.gz --show 20

Prints one JSON line: papers, merges by reason (`id`, `title`, `near`), seconds, and how many pairs
of equal abstracts (first 200 characters, folded) were not merged; then the merges.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import time

from swimmer.papers.deduplication import duplicates
from swimmer.papers.paper import Paper
from swimmer.sources import SourceReport, open_source
from swimmer.text.cleaning import title_key


def main() -> None:
    """Read the lists that the command line names, and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lists", nargs="+")
    parser.add_argument("--show", type=int, default=20)
    parser.add_argument("--why", default="near", choices=["id", "title", "near"])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    papers: list[Paper] = []
    for path in arguments.lists:
        papers.extend(open_source(path).papers(SourceReport()))
    began = time.monotonic()
    merges = list(duplicates(papers))
    seconds = time.monotonic() - began
    merged = {j for _, j, _ in merges}
    report = {
        "papers": len(papers),
        "merged": dict(collections.Counter(why for *_, why in merges)),
        "equal_abstracts_not_merged": len(missed(papers, merged)),
        "seconds": round(seconds, 1),
    }
    print(json.dumps(report))
    chosen = [(i, j) for i, j, why in merges if why == arguments.why]
    random.seed(arguments.seed)
    for i, j in random.sample(chosen, min(arguments.show, len(chosen))):
        for paper in (papers[i], papers[j]):
            print(f"  {paper.venue} {paper.year or ''}: {paper.display_title}")
        print()


def missed(papers: list[Paper], merged: set[int]) -> list[int]:
    """Return the papers whose abstract begins as an earlier one's, and that were not merged."""
    first: dict[str, int] = {}
    out = []
    for j, paper in enumerate(papers):
        key = title_key(paper.abstract[:200])
        if len(paper.abstract) < 200:
            continue
        if first.setdefault(key, j) != j and j not in merged:
            out.append(j)
    return out


if __name__ == "__main__":
    main()
