"""How well `swimmer check` finds wrong references, and how often it flags right ones.

    python benchmarks/reference_check.py STORE [STORE ...] [--references 300] [--seed 0]

References are drawn from the stores and written as BibTeX in several styles (names in either order,
initials, "and others"); a third gets one error: a word of the title replaced or left out, another
year, an author replaced, added or left out. What is printed: the share of errors that are found, by
kind; the share of right references that are flagged, against their own stores and, where there are
several, against the others alone (none is there); and the time of a whole process.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from swimmer import Paper, open_store
from swimmer.analysis import check_references, read_references
from swimmer.export import to_bibtex

KINDS = ("title", "year", "authors")


def main() -> None:
    """Print the shares and the time."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--references", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    stores = [open_store(name) for name in given.stores]
    draw = random.Random(given.seed)
    everyone = [paper for store in stores for paper in sample(store, draw, given.references)]
    drawn = draw.sample(everyone, min(given.references, len(everyone)))
    words = sorted({word for paper in everyone for word in paper.title.split() if word.isalpha()})
    people = sorted({name for paper in everyone for name in paper.authors})
    errors: dict[str, str] = {}
    entries = []
    for number, paper in enumerate(drawn):
        key = f"ref{number}"
        kind = KINDS[number % 3] if number % 9 < 3 else ""
        if kind == "authors" and not (paper.authors and people):
            kind = "title"
        errors[key] = kind
        entries.append(styled(wrong(paper, kind, words, people, draw), key, draw, kind))
    others: list[tuple[int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "refs.bib"
        file.write_text("\n".join(entries), encoding="utf-8")
        references = read_references(file).papers
        checked = check_references(stores, references)
        for store in stores if len(stores) > 1 else ():
            rest = [one.reference for one in checked if one.store != store.name]
            there = [one.verdict != "unknown" for one in check_references([store], rest)]
            others.append((sum(there), len(there)))
        command = [sys.executable, "-m", "swimmer", "check", str(file)]
        for name in given.stores:
            command += ["--store", name]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
    total, hit, flagged, right = Counter[str](), Counter[str](), 0, 0
    for one in checked:
        kind = errors[one.reference.id]
        if kind:
            total[kind] += 1
            hit[kind] += any(difference.field == kind for difference in one.differences)
        else:
            right += 1
            flagged += one.verdict != "found"
    for kind in KINDS:
        if total[kind]:
            print(f"{kind:<8} errors found {hit[kind]}/{total[kind]}")
    print(f"all      errors found {hit.total() / max(1, total.total()):.3f}")
    print(f"right references flagged {flagged}/{right} ({flagged / max(1, right):.3f})")
    for store, (there, count) in zip(stores, others, strict=False):
        print(f"references of other stores taken for papers of {store.name}: {there}/{count}")
    print(f"{len(checked)} references, {sum(map(len, stores)):,} papers: {seconds:.2f} s")


def sample(store: object, draw: random.Random, count: int) -> list[Paper]:
    """Return papers of a store."""
    size = len(store)  # type: ignore[arg-type]
    rows = sorted(draw.sample(range(size), min(count, size)))
    papers: list[Paper] = store.papers(rows)  # type: ignore[attr-defined]
    return papers


def wrong(
    paper: Paper, kind: str, words: list[str], people: list[str], draw: random.Random
) -> Paper:
    """Return a paper with one error of a kind."""
    if kind == "title":
        parts = paper.title.split()
        at = draw.randrange(len(parts))
        parts[at : at + 1] = [draw.choice(words)] if draw.random() < 0.5 or len(parts) < 4 else []
        return replace(paper, title=" ".join(parts))
    if kind == "year":
        return replace(paper, year=(paper.year or 2024) + draw.choice((-2, -1, 1)))
    if kind == "authors":
        names = list(paper.authors)
        at = draw.randrange(len(names))
        what = draw.choice(("replace", "add", "drop") if len(names) > 1 else ("replace", "add"))
        other = draw.choice(people)
        names[at : at + 1] = {"replace": [other], "add": [names[at], other], "drop": []}[what]
        return replace(paper, authors=tuple(names))
    return paper


def styled(paper: Paper, key: str, draw: random.Random, kind: str) -> str:
    """Return a reference as one of several kinds of people write it."""
    names = list(paper.authors)
    style = draw.choice(("plain", "inverted", "initials"))
    if style != "plain":
        names = [inverted(name, initials=style == "initials") for name in names]
    extra = dict(paper.extra)
    if kind != "authors" and len(names) > 3 and draw.random() < 0.2:
        names, extra["authors_cut"] = names[:3], True
    bare = replace(
        paper, authors=tuple(names), abstract="", keywords=(), url="", extra=extra, id=key
    )
    entry = to_bibtex([bare])
    head, _, rest = entry.partition(",")
    return f"{head.partition('{')[0]}{{{key},{rest}"


def inverted(name: str, *, initials: bool) -> str:
    """Return "First Middle Last" as "Last, First Middle" or "Last, F. M."."""
    *given, last = name.split()
    if not given:
        return name
    if initials:
        given = [f"{word[0]}." for word in given]
    return f"{last}, {' '.join(given)}"


if __name__ == "__main__":
    main()
