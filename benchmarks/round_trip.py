"""Lists read, exported in every format and read back: which fields come back equal.

python benchmarks/round_trip.py ../shared/lists/*
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from swimmer.errors import SwimmerError
from swimmer.export import papers_to_csv, papers_to_json, to_bibtex, to_reading_list, to_ris
from swimmer.export.bibtex import publication
from swimmer.papers import Paper
from swimmer.sources import SourceReport, open_source
from swimmer.text import readable

WRITERS: dict[str, tuple[str, Callable[[Sequence[Paper]], str]]] = {
    "BibTeX": ("list.bib", to_bibtex),
    "RIS": ("list.ris", to_ris),
    "CSV": ("list.csv", papers_to_csv),
    "JSON": ("list.jsonl", papers_to_json),
    "reading list": ("list.md", to_reading_list),
}
FIELDS = ("title", "authors", "venue", "year", "abstract")


def read(path: Path) -> list[Paper]:
    return list(open_source(path).papers(SourceReport()))


def values(paper: Paper, full_venue: bool, *, plain: bool = False) -> dict[str, object]:
    """Return the fields that are compared, LaTeX in Unicode as RIS has it.

    `plain` says that the paper comes from RIS, which holds no LaTeX: what looks like it is text.
    """
    venue = publication(paper)[1] if full_venue else paper.venue
    return {
        "title": paper.key,
        "authors": tuple(map(readable, paper.authors)),
        "venue": readable(venue),
        "year": paper.year,
        "abstract": paper.abstract if plain else readable(paper.abstract),
    }


def compared(
    before: Sequence[Paper], after: Sequence[Paper], full_venue: bool, plain: bool
) -> Counter[str]:
    equal: Counter[str] = Counter()
    for one, two in zip(before, after, strict=False):
        first, second = values(one, full_venue), values(two, False, plain=plain)
        equal.update(name for name in FIELDS if first[name] == second[name])
    return equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lists", nargs="+", type=Path)
    parser.add_argument("--show", type=int, default=0, help="differences shown for each format")
    arguments = parser.parse_args()
    totals = {name: Counter[str]() for name in WRITERS}
    papers = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.lists:
            try:
                # An export has each id once.
                before = list({paper.id: paper for paper in read(path)}.values())
            except SwimmerError as error:
                print(f"{path.name}: {error}")
                continue
            papers += len(before)
            print(f"{path.name}: {len(before):,} papers")
            for name, (file, write) in WRITERS.items():
                target = Path(folder) / file
                target.write_text(write(before), encoding="utf-8")
                after = read(target)
                full = name in ("BibTeX", "RIS")
                equal = compared(before, after, full, name == "RIS")
                totals[name] += equal
                short = [f"{f} {equal[f]}" for f in FIELDS if equal[f] < len(before)]
                if short or len(after) != len(before):
                    print(f"  {name}: {len(after):,} read back; equal: {', '.join(short)}")
                    shown(before, after, full, name == "RIS", arguments.show)
    print(f"\nequal of {papers:,} papers".ljust(24) + "".join(f"{f:>10}" for f in FIELDS))
    for name, equal in totals.items():
        print(name.ljust(23) + "".join(f"{equal[f]:>10,}" for f in FIELDS))


def shown(
    before: Sequence[Paper], after: Sequence[Paper], full: bool, plain: bool, most: int
) -> None:
    for one, two in zip(before, after, strict=False):
        first, second = values(one, full), values(two, False, plain=plain)
        for name in FIELDS:
            if first[name] != second[name] and most > 0:
                most -= 1
                print(
                    f"    {name}: {str(first[name])[-160:]!r}\n"
                    f"         -> {str(second[name])[-160:]!r}"
                )


if __name__ == "__main__":
    main()
