"""How well references are read as papers list them: the papers of a store, in the usual styles.

    python benchmarks/written_references.py STORE [--references 450]

Each drawn paper is written in six styles and read again. What is printed, for each style: the
share of titles that come back as they are, the share of references that `check` finds as they
stand in the store, and the time for a reference.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

from swimmer import Paper, open_store
from swimmer.analysis import check_references, references_in


def main() -> None:
    """Print the shares of each style."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("store")
    parser.add_argument("--references", type=int, default=450)
    given = parser.parse_args()
    with open_store(given.store) as store:
        step = max(1, len(store) // given.references)
        drawn = store.papers(list(range(0, len(store), step)))
        # A name of one word has no initials to be written with.
        papers = [p for p in drawn if p.authors and all(" " in name for name in p.authors)]
        for style, write in STYLES.items():
            started = time.perf_counter()
            read = references_in([write(paper) for paper in papers]).papers
            seconds = time.perf_counter() - started
            kept = sum(
                one.title.strip(" .") == paper.title.strip(" .")
                for one, paper in zip(read, papers, strict=True)
            )
            found = sum(one.verdict == "found" for one in check_references([store], read))
            print(
                f"{style:<10} {len(papers)} references: titles {kept / len(papers):.3f}, found "
                f"{found / len(papers):.3f}, {1e3 * seconds / len(papers):.2f} ms each"
            )


def short(name: str, *, inverted: bool = False, dots: bool = True) -> str:
    """Return "Ann B. Fox" as "A. B. Fox", "Fox, A. B." or "Fox AB"."""
    *given, last = name.split()
    if not dots:
        return f"{last} {''.join(word[0] for word in given)}"
    initials = " ".join(f"{word[0]}." for word in given)
    return f"{last}, {initials}" if inverted else f"{initials} {last}"


def joined(names: Sequence[str], last: str) -> str:
    """Return names with commas, and `last` before the last one."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, {last} {names[-1]}"


def inverted(paper: Paper, last: str) -> str:
    """Return the authors of a paper as "Fox, A. B., and Lee, C."."""
    return joined([short(name, inverted=True) for name in paper.authors], last)


STYLES: dict[str, Callable[[Paper], str]] = {
    "plain": lambda p: f"{joined(p.authors, 'and')}. {p.title}. In ICLR, {p.year}.",
    "ICML": lambda p: f"{inverted(p, 'and')} {p.title}. In ICLR, {p.year}.",
    "APA": lambda p: f"{inverted(p, '&')} ({p.year}). {p.title}. In ICLR.",
    "IEEE": lambda p: (
        f'{joined([short(name) for name in p.authors], "and")}, "{p.title}," in Proc. ICLR, '
        f"{p.year}, pp. 1-9."
    ),
    "Vancouver": lambda p: (
        f"{', '.join(short(name, dots=False) for name in p.authors)}. {p.title}. ICLR. {p.year}."
    ),
    "et al.": lambda p: f"{', '.join(p.authors[:2])}, et al. {p.title}. ICLR {p.year}.",
}
"""The styles, each a function from a paper to its reference."""


if __name__ == "__main__":
    main()
