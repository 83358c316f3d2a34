"""What 16 and 8 bits save of the vectors, and what they cost: size, recall, time of a query.

    python -m benchmarks.vector_formats STORE
    python -m benchmarks.vector_formats --synthetic 1000000
    python -m benchmarks.vector_formats --synthetic 5000000 --formats int8 --titles

The vectors are those of a store, or made: 256 components around centres, which are drawn around
centres themselves, as papers lie around topics. Recall@10 is that of a search by a stored vector
(its own paper left out) against all float32 vectors. Queries of the formats are timed in turns, by
wall clock. `--titles` makes a store of so many papers (distinct titles, no abstracts), and measures
a process that opens it and answers one of them, in turns with `import numpy, faiss` alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import faiss
import numpy as np

from benchmarks.large_store import ANSWER
from swimmer import Paper, open_store
from swimmer.embeddings import Model, load_model
from swimmer.store import FORMATS, PaperDatabase, PaperStore, Similarity, text_hash
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.index import Vectors

QUERIES, TURNS = 200, 15
DIMENSION = 256
BLOCK = 100_000

_BASELINE = "import numpy, faiss"


def made_vectors(count: int) -> Vectors:
    """Return unit vectors in clusters of clusters, float32 (count, DIMENSION)."""
    rng = np.random.default_rng(7)
    topics = rng.standard_normal((200, DIMENSION)).astype(np.float32)
    centres = topics[rng.integers(len(topics), size=max(1, count // 50))]
    centres += rng.standard_normal(centres.shape, np.float32) * np.float32(0.7)
    made = np.empty((count, DIMENSION), np.float32)
    for start in range(0, count, BLOCK):
        block = centres[rng.integers(len(centres), size=min(BLOCK, count - start))]
        block += rng.standard_normal(block.shape, np.float32) * np.float32(0.7)
        faiss.normalize_L2(block)
        made[start : start + len(block)] = block
    return made


def nearest(rows: np.ndarray, found: np.ndarray) -> list[set[int]]:
    """Return ten rows found for each query, its own left out."""
    return [
        set([row for row in near.tolist() if row != own][:10])
        for own, near in zip(rows.tolist(), found, strict=True)
    ]


def compare(vectors: Vectors, formats: list[str], folder: Path) -> None:
    """Print the size, the recall and the time of a query of each format."""
    rows = np.sort(np.random.default_rng(3).choice(len(vectors), QUERIES, replace=False))
    true = nearest(rows, faiss.knn(vectors[rows], vectors, 11, metric=0)[1])
    opened: dict[str, FaissIndex] = {}
    sizes: dict[str, int] = {}
    for form in formats:
        path = folder / form
        started = time.perf_counter()
        FaissIndex.of(vectors, exact=False, form=form).save(path)
        print(f"{form}: made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        sizes[form] = path.stat().st_size
        opened[form] = FaissIndex.open(path, len(vectors), DIMENSION, form=form)
    times: dict[str, list[float]] = {form: [] for form in formats}
    for row in rows[:TURNS].tolist():
        for form, index in opened.items():
            query = index.vectors(np.array([row]))
            started = time.perf_counter()
            index.search(query, 100)
            times[form].append(time.perf_counter() - started)
    whole = len(vectors) * DIMENSION * 4
    print(f"{len(vectors):,} vectors of {DIMENSION} components; load {os.getloadavg()[0]:.0f}")
    for form, index in opened.items():
        found = np.vstack([index.search(index.vectors(np.array([row])), 11)[1] for row in rows])
        hits = sum(len(a & b) for a, b in zip(true, nearest(rows, found), strict=True))
        print(
            f"{form:8} {sizes[form] / 1e6:8.0f} MB ({sizes[form] / whole:.1%} of the float32 "
            f"numbers)  recall@10 {hits / 10 / QUERIES:.4f}  "
            f"{1000 * statistics.median(times[form]):.2f} ms a query"
        )


def titles(vectors: Vectors, form: str, folder: Path) -> None:
    """Make a store of titles and vectors, and measure a process that answers one of them."""
    words = "graph robot protein privacy speech bandit vision kernel sparse latent causal".split()
    parts = itertools.cycle(itertools.product(words, words, words))
    (folder / "store").mkdir()
    database = PaperDatabase.create(folder / "papers.sqlite")
    model: Model = load_model("static")
    started = time.perf_counter()
    with database.bulk():
        for row in range(len(vectors)):
            title = f"{' '.join(next(parts))} {row:x}"
            database.put(row, Paper(title, id=f"p{row}"), text_hash(title), new=True)
    database.index()
    print(f"titles: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    store = PaperStore.of_parts(
        database,
        vectors,
        model,
        None,
        folder / "store",
        named_by_user=True,
        similarity=Similarity(),
        form=form,
    )
    store.commit(neighbours=False, thresholds={})
    manifest = store.manifest
    size = manifest.database.size + manifest.index.size
    print(f"store: {time.perf_counter() - started:.0f} s, {size / 1e6:,.0f} MB", file=sys.stderr)
    title = open_store(folder / "store").papers([len(vectors) // 3])[0].title
    store.close()
    took, peaks, least = [], [], []
    for _ in range(7):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", _BASELINE], check=True)
        least.append(time.perf_counter() - begun)
        done = subprocess.run(
            [sys.executable, "-c", ANSWER, str(folder / "store"), title],
            check=True,
            capture_output=True,
        )
        seconds, _, memory = json.loads(done.stdout)
        took.append(seconds)
        peaks.append(memory["VmHWM"])
    print(
        f"known title, {len(vectors):,} papers in {form}: {statistics.median(took):.2f} s "
        f"(first {took[0]:.2f}), {statistics.median(took) / statistics.median(least):.1f} x a "
        f"process that imports numpy and faiss, {max(peaks):.0f} MB"
    )


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", help="a store, for its vectors")
    parser.add_argument("--synthetic", type=int, metavar="N", help="make N vectors instead")
    parser.add_argument("--formats", default=",".join(FORMATS), help="by default all")
    parser.add_argument("--titles", action="store_true", help="also open a store of N titles")
    given = parser.parse_args()
    if (given.store is None) == (given.synthetic is None):
        parser.error("give a store, or --synthetic N")
    vectors = (
        made_vectors(given.synthetic) if given.synthetic else open_store(given.store).vectors()
    )
    formats = given.formats.split(",")
    with tempfile.TemporaryDirectory() as folder:
        if given.titles:
            titles(vectors, formats[-1], Path(folder))
        else:
            compare(vectors, formats, Path(folder))


if __name__ == "__main__":
    main()
