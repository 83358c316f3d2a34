"""What opening a store costs, in this checkout and in another one, measured in turns.

    git worktree add ../before 42915bf
    python benchmarks/opening.py ../before

Each checkout opens its own bundled sample in processes of its own: the manifest alone, then the
database and the index as well, then a title is answered. The first time in a process counts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

TURNS = 15
STEPS = ("manifest", "database and index", "first answer")

_MEASURED = """
import json, sys, time
from pathlib import Path
import faiss, numpy, sqlite3
from swimmer import open_store, search
folder, title = Path(sys.argv[1]), sys.argv[2]
start = time.perf_counter()
store = open_store(folder)
opened = time.perf_counter()
store.database, store.index
ready = time.perf_counter()
assert search(store, title, k=10)
print(json.dumps([opened - start, ready - start, time.perf_counter() - start]))
"""


def measured(checkout: Path, title: str) -> list[float]:
    """Return the seconds of each step in a new process."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(checkout / "vectorstores" / "sample"), title],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        # Python looks for modules where it is started, before it does in the path.
        cwd=checkout,
    )
    seconds: list[float] = json.loads(done.stdout)
    return seconds


def main() -> None:
    """Measure both checkouts, and print the medians and their difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of an earlier commit")
    other = parser.parse_args().other.resolve()
    own = Path(__file__).resolve().parent.parent
    title = "Preference Optimization for Reasoning with Pseudo Feedback"
    runs: dict[Path, list[list[float]]] = {other: [], own: []}
    for _ in range(TURNS):
        for checkout, found in runs.items():
            found.append(measured(checkout, title))
    print(f"{'median of ' + str(TURNS):24}{'before':>10}{'now':>10}{'more':>10}")
    for step, name in enumerate(STEPS):
        before, now = (
            1e3 * statistics.median(run[step] for run in found) for found in runs.values()
        )
        print(f"{name:24}{before:>7.2f} ms{now:>7.2f} ms{now - before:>+7.2f} ms")


if __name__ == "__main__":
    main()
