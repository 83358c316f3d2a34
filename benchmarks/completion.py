"""How long completing takes: the first in a process, and those that follow.

    python -m benchmarks.completion STORE [--each 30] [--processes 5]

STORE is a store, by name or path; the figure to reach is 50 ms with 200,000 papers. Beginnings of
titles, authors and topics that the store holds are drawn, of 2 to 12 letters. The first completion
is that of a process of its own, from the open store on; its files are opened by it. Milliseconds
of wall time and of processor time.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time

from swimmer import PaperStore, open_store
from swimmer.retrieval import complete

GOAL = 50.0


def beginnings(store: PaperStore, each: int, seed: int) -> dict[str, list[str]]:
    """Return beginnings of what the store holds, by kind."""
    rng = random.Random(seed)
    papers = store.papers(sorted(rng.sample(range(len(store)), min(10 * each, len(store)))))
    held = {
        "titles": [paper.display_title for paper in papers],
        "authors": [name for paper in papers for name in paper.authors],
        "topics": [keyword for paper in papers for keyword in paper.keywords],
    }
    return {
        kind: [text[: rng.randint(2, 12)] for text in rng.sample(texts, min(each, len(texts)))]
        for kind, texts in held.items()
        if texts
    }


def waited(store: PaperStore, typed: str) -> tuple[float, float]:
    """Return the milliseconds of one completion: wall time and processor time."""
    wall, used = time.perf_counter(), time.process_time()
    complete(store, typed)
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - used)


def first(store: str, typed: str) -> tuple[float, float]:
    """Return what the first completion of a process takes."""
    command = [sys.executable, "-m", "benchmarks.completion", store, "--first", typed]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, used = json.loads(done.stdout)
    return float(wall), float(used)


def shown(label: str, waits: list[tuple[float, float]]) -> None:
    """Print the median and the largest of some waits."""
    walls, used = [wall for wall, _ in waits], [one for _, one in waits]
    print(
        f"{label:22s} {len(waits):4d}  wall {statistics.median(walls):7.1f}  max {max(walls):7.1f}"
        f"   processor {statistics.median(used):7.1f}  max {max(used):7.1f}"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("--each", type=int, default=30)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with open_store(options.store) as store:
        if options.first is not None:
            print(json.dumps(waited(store, options.first)))
            return
        print(f"{len(store):,} papers; milliseconds, to reach {GOAL:.0f}")
        for kind, texts in beginnings(store, options.each, options.seed).items():
            alone = [first(options.store, text) for text in texts[: options.processes]]
            shown(f"{kind}, first", alone)
            shown(f"{kind}, then", [waited(store, text) for text in texts])


if __name__ == "__main__":
    main()
