"""Which library lays a store out in two dimensions: seconds, neighbours kept, repeatability.

    pip install -c constraints.txt ".[map]" umap-learn pacmap
    python -m benchmarks.map_layout STORE [--methods opentsne umap] [--sample 20000]

Each method runs in a process of its own, cold: its imports and what it compiles count; a busy
machine stretches the seconds, and hardly the processor's. `kept` is
the share of a paper's ten nearest in the vectors that are among its ten nearest on the map,
`trust` is scikit-learn's trustworthiness (0.5 by chance, 1 at best, ten neighbours; over at most
4,000 papers), `same` whether a second run with the same seed gave the same points.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SEED = 1


def swimmer_map(vectors: Any) -> Any:
    """What `swimmer map` does."""
    from swimmer.analysis.map.layout import placed

    return placed(vectors)


def opentsne(vectors: Any) -> Any:
    """OpenTSNE as its manual has it."""
    from openTSNE import TSNE

    return np.asarray(TSNE(n_jobs=2, random_state=SEED, metric="cosine").fit(vectors))


def sklearn_tsne(vectors: Any) -> Any:
    """scikit-learn's own t-SNE, which needs no further package."""
    from sklearn.manifold import TSNE

    return TSNE(n_jobs=2, random_state=SEED, metric="cosine").fit_transform(vectors)


def umap(vectors: Any) -> Any:
    """umap-learn with a seed, which costs it its threads."""
    from umap import UMAP

    return UMAP(metric="cosine", random_state=SEED, n_jobs=1).fit_transform(vectors)


def pacmap(vectors: Any) -> Any:
    """PaCMAP with a seed; on unit vectors its angular distance is the cosine."""
    from pacmap import PaCMAP

    return PaCMAP(distance="angular", random_state=SEED).fit_transform(vectors)


METHODS: dict[str, Callable[[Any], Any]] = {
    function.__name__: function for function in (swimmer_map, opentsne, sklearn_tsne, umap, pacmap)
}


def nearest(points: Any, k: int = 10) -> Any:
    """Return the k nearest rows of every row, without itself."""
    import faiss

    points = np.ascontiguousarray(points, np.float32)
    found = faiss.knn(points, points, k + 1)[1]
    own = found == np.arange(len(points))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(points), k)


def kept(vectors: Any, points: Any) -> float:
    """Return the share of ten nearest in the vectors that are among the ten nearest in points."""
    pairs = zip(nearest(vectors), nearest(points), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / 10 for a, b in pairs]))


def measure(vectors: Path, name: str) -> None:
    """Lay out the vectors at a path in this process; print its figures in one line."""
    started, worked = time.perf_counter(), time.process_time()
    data = np.load(vectors)
    points = METHODS[name](data)
    seconds, work = time.perf_counter() - started, time.process_time() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    same = bool(np.array_equal(points, METHODS[name](data))) if len(data) <= 5_000 else None
    from sklearn.manifold import trustworthiness

    rows = np.random.default_rng(SEED).permutation(len(data))[:4_000]
    trust = trustworthiness(data[rows], points[rows], n_neighbors=10, metric="cosine")
    print(
        f"| {name} | {seconds:.1f} s | {work:.1f} s | {memory:.0f} MB | {kept(data, points):.3f} "
        f"| {trust:.3f} | {'not tried' if same is None else 'yes' if same else 'no'} |",
        flush=True,
    )


def main() -> None:
    """Measure the methods one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--sample", type=int, help="this many papers of the store")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        measure(Path(arguments.store), arguments.worker)
        return
    from swimmer import open_store

    with open_store(arguments.store) as store, tempfile.TemporaryDirectory() as work:
        data = store.vectors()
        if arguments.sample and arguments.sample < len(data):
            rows = np.random.default_rng(SEED).choice(len(data), arguments.sample, replace=False)
            data = data[np.sort(rows)]
        np.save(Path(work) / "vectors.npy", data)
        print(f"{len(data):,} papers, load {os.getloadavg()[0]:.1f}\n")
        print(
            "| method | seconds | processor | memory | kept | trust | same |\n" + "|---" * 7 + "|"
        )
        for name in arguments.methods:
            command = [sys.executable, __file__, str(Path(work) / "vectors.npy"), "--worker", name]
            subprocess.run(command, check=False)


if __name__ == "__main__":
    main()
