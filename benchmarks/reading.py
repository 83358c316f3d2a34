"""What reading a list costs, in this checkout and in another one, measured in turns.

    git worktree add ../before 42915bf
    python benchmarks/reading.py ../before ../shared/corpora/ml_papers.jsonl.gz [--turns 7]
    python benchmarks/reading.py ../before ../shared/corpora/iclr2025_downloads.json --build

Each checkout reads the list in processes of its own and makes a paper of every record; with
`--build` it builds a store of it with the static model, this one also without kept neighbours.
What counts is the processor's time without
the imports of numpy and FAISS: other programs disturb it less than the clock. The ratio is the
median of the turns' own, each beside its neighbour.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

_MEASURED = """
import json, sys, time
from collections import deque
from swimmer import open_source
from swimmer.sources import SourceReport
source = open_source(sys.argv[1])
papers = source.papers(SourceReport())
start = time.process_time()
first = next(papers)
count = 1
for paper in papers:
    count += 1
print(json.dumps([count, time.process_time() - start]))
"""

_BUILT = """
import json, sys, tempfile, time
from pathlib import Path
import faiss, numpy, sqlite3
from swimmer import build_store
with tempfile.TemporaryDirectory() as work:
    start = time.process_time()
    store = build_store(
        sys.argv[1], Path(work) / "store", model="static", **json.loads(sys.argv[2])
    )
    print(json.dumps([len(store), time.process_time() - start]))
    store.close()
"""


def measured(
    checkout: Path, papers: Path, *, build: bool = False, **how: bool
) -> tuple[int, float]:
    """Return how many papers a new process reads, and its seconds of processor time.

    `how` are further arguments of a build.
    """
    done = subprocess.run(
        [sys.executable, "-c", _BUILT if build else _MEASURED, str(papers), json.dumps(how)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        # Python looks for modules where it is started, before it does in the path.
        cwd=checkout,
    )
    count, seconds = json.loads(done.stdout)
    return count, seconds


def main() -> None:
    """Measure both checkouts, and print the medians and the ratio of each list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("other", type=Path, help="a checkout of an earlier commit")
    parser.add_argument("lists", type=Path, nargs="+", help="files with papers")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--build", action="store_true", help="build a store as well")
    options = parser.parse_args()
    other, own = options.other.resolve(), Path(__file__).resolve().parent.parent
    for papers in options.lists:
        ways: dict[str, dict[str, bool]] = {"now": {"build": options.build}}
        if options.build:
            ways["without kept neighbours"] = {"build": True, "neighbours": False}
        before: list[float] = []
        now: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.turns):
            count, seconds = measured(other, papers.resolve(), build=options.build)
            before.append(seconds)
            for name, how in ways.items():
                now[name].append(measured(own, papers.resolve(), **how)[1])
        print(f"{papers.name}: {count:,} papers before in {statistics.median(before):.2f} s")
        for name, seconds_now in now.items():
            ratios = sorted(b / a for a, b in zip(before, seconds_now, strict=True))
            print(
                f"  {name}: {statistics.median(seconds_now):.2f} s, "
                f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f}) of before",
                flush=True,
            )


if __name__ == "__main__":
    main()
