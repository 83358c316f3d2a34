"""Which sentence of an abstract is shown as the paper in one sentence, compared with other ways.

    python -m benchmarks.one_sentence LIST... [--missed]

LIST are files of papers that `swimmer build` takes. `one_sentence.jsonl` names 111 papers of eight
venues and more by their titles, and which sentences of the abstract (counted from 0) say what the
paper does, as one person judged them before any way was tried on them. The weights in
`swimmer.library.main_sentence` were chosen on the first 61; the last 50 were drawn and judged
afterwards. Ways that are compared:

- the first sentence, the last one;
- the one that shares most words with the title;
- the one whose vector is nearest to that of the title, or to that of the whole abstract;
- the first one in which "we" or "this paper" proposes or shows something.

Printed: the share of papers for which a way gives one of the sentences judged right, with the 95 %
interval (Wilson), and the time a paper.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from swimmer.embeddings import load_model
from swimmer.library import main_sentence
from swimmer.library.one_sentence import says_its_aim
from swimmer.sources import SourceReport, open_source
from swimmer.text import compatible, readable, sentences, singular_words, stop_words, title_key

JUDGED = Path(__file__).with_name("one_sentence.jsonl")
SETS = ("chosen on", "kept apart")

Way = Callable[[str, list[str]], int]


def first(title: str, found: list[str]) -> int:
    return 0


def last(title: str, found: list[str]) -> int:
    return len(found) - 1


def words_of_title(title: str, found: list[str]) -> int:
    wanted = singular_words(readable(title)) - stop_words()
    return max(range(len(found)), key=lambda i: (len(wanted & singular_words(found[i])), -i))


def first_aim(title: str, found: list[str]) -> int:
    return next((i for i, one in enumerate(found) if says_its_aim(one)), 0)


def swimmers(title: str, found: list[str]) -> int:
    return found.index(main_sentence(title, " ".join(found)))


def by_vectors() -> dict[str, Way]:
    model = load_model("static")

    def nearest(to: str, found: list[str]) -> int:
        vectors = np.asarray(model.embed_queries([to, *found]))
        return int(np.argmax(vectors[1:] @ vectors[0]))

    return {
        "nearest to the title": nearest,
        "nearest to the abstract": lambda _, found: nearest(" ".join(found), found),
    }


def interval(right: int, of: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    share, z = right / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def judged(lists: Sequence[str]) -> Iterator[tuple[str, str, list[str], list[int]]]:
    """Yield set, title, sentences of the abstract, and the numbers of the right ones."""
    lines = map(json.loads, JUDGED.read_text(encoding="utf-8").splitlines())
    wanted = {title_key(one["title"]): one for one in lines}
    for name in lists:
        for paper in open_source(name).papers(SourceReport()):
            one = wanted.get(paper.key)
            if one is not None and paper.abstract:
                del wanted[paper.key]
                found = sentences(compatible(paper.abstract))
                yield one["set"], paper.title, found, one["sentences"]
    if wanted:
        print(f"{len(wanted)} judged papers are in none of the lists")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("lists", nargs="+")
    parser.add_argument("--missed", action="store_true", help="print what swimmer gets wrong")
    given = parser.parse_args()
    cases = list(judged(given.lists))
    ways: dict[str, Way] = {
        "first": first,
        "last": last,
        "words of the title": words_of_title,
        **by_vectors(),
        'first "we propose"': first_aim,
        "swimmer": swimmers,
    }
    print(f"{'':24}" + "".join(f"{name:>24}" for name in SETS) + f"{'ms a paper':>14}")
    for name, way in ways.items():
        way(*cases[0][1:3])
        began = time.perf_counter()
        chosen = [way(title, found) for _, title, found, _ in cases]
        each = 1000 * (time.perf_counter() - began) / len(cases)
        line = f"{name:24}"
        for one in SETS:
            marks = [
                place in right
                for (which, _, _, right), place in zip(cases, chosen, strict=True)
                if which == one
            ]
            low, high = interval(sum(marks), len(marks))
            line += f"{sum(marks) / len(marks):>10.3f} [{low:.3f}, {high:.3f}]".rjust(24)
        print(line + f"{each:>14.2f}")
    for (which, title, found, right), place in zip(cases, chosen, strict=True):
        if given.missed and place not in right:
            print(f"{which}: {title}\n  {place}: {found[place][:200]}\n  right: {right}")


if __name__ == "__main__":
    main()
