"""How long questions take, each as a ratio to the plain one in the same run.

    python benchmarks/query_speed.py STORE [--queries 40] [--batch 10000] [--json speed.json]

STORE is a store's name or path. Known titles are asked, warm; times are medians in milliseconds.
For filters the search alone is compared with the same search unfiltered, each filter asked for
the first time; the first use of a field, which reads it whole, stands apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from swimmer import PaperStore, ask, open_store, search
from swimmer.retrieval import nearest
from swimmer.store.facets import admitted


def median(call: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    """Median milliseconds of a call over its arguments, after one call to warm up."""
    call(arguments[0])
    times = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        times.append(1e3 * (time.perf_counter() - start))
    return float(np.median(times))


def filtered(store: PaperStore, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Filtered against unfiltered nearest neighbours, by the share of papers admitted."""
    vectors = store.vectors(np.asarray(rows))
    dates = [year for (year,) in store.database.query("SELECT year FROM papers") if year]
    plain = median(lambda i: nearest(store, vectors[[i]], 10, None, [rows[i]]), range(len(rows)))
    start = time.perf_counter()
    admitted(store.database, {"year": {"$gte": min(dates)}})
    first = 1e3 * (time.perf_counter() - start)
    found = [{"what": "unfiltered", "ms": plain}, {"what": "first use of year", "ms": first}]
    for share in (0.0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0):
        ids = [str(i) for (i,) in store.database.query("SELECT id FROM papers")]
        rng = np.random.default_rng(int(1000 * share))
        some = [ids[i] for i in rng.choice(len(ids), min(50, int(share * len(ids))), replace=False)]
        bound = float(np.quantile(dates, 1 - share)) if share else max(dates) + 1.0

        def one(i: int, some: list[str] = some, share: float = share, bound: float = bound) -> None:
            # A bound that differs a little each time: no answer is taken from memory.
            filter: dict[str, Any] = {"year": {"$gte": bound - 1e-6 * (i + 1)}}
            if 0 < share < 0.1:
                filter = {"id": {"$in": [*some, str(i)]}}
            allowed = np.flatnonzero(admitted(store.database, filter))
            nearest(store, vectors[[i]], 10, allowed, [rows[i]])

        kept = float(admitted(store.database, {"year": {"$gte": bound}}).mean())
        kept = len(some) / len(ids) if 0 < share < 0.1 else kept
        ms = median(one, range(len(rows)))
        found.append({"what": f"filter admits {kept:.2%}", "ms": ms, "ratio": ms / plain})
    return found


def scans(store: PaperStore, rows: Sequence[int]) -> list[dict[str, Any]]:
    """A search by one vector against FAISS' own flat index: processor time of all threads."""
    import faiss

    vectors = store.vectors(np.arange(len(store)))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    # After a few queries a large index makes a copy that is scanned first.
    for row in rows[:3]:
        store.index.search(vectors[[row]], 100)
    ways: dict[str, Callable[[int], object]] = {
        "FAISS, flat": lambda row: flat.search(vectors[[row]], 100),
        "swimmer": lambda row: store.index.search(vectors[[row]], 100),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for row in rows:
        for name, way in ways.items():
            start = time.process_time()
            way(row)
            times[name].append(1e3 * (time.process_time() - start))
    first = float(np.median(times["FAISS, flat"]))
    return [
        {"what": name, "ms": float(np.median(spent)), "ratio": float(np.median(spent)) / first}
        for name, spent in times.items()
    ]


def modes(store: PaperStore, titles: Sequence[str]) -> list[dict[str, Any]]:
    """Every way of asking against the plain one, over known titles."""
    ways: dict[str, dict[str, Any]] = {
        "dense": {},
        "keyword": {"mode": "keyword"},
        "hybrid": {"mode": "hybrid"},
        "diversity 0.3": {"diversity": 0.3},
        "group": {"group": True},
        "like two more": {"like": list(titles[:2])},
        "explain": {"explain": True},
    }
    found: list[dict[str, Any]] = []
    for name, options in ways.items():
        ms = median(lambda title, o=options: search(store, title, 10, **o), titles[2:])
        found.append({"what": name, "ms": ms, "ratio": ms / found[0]["ms"] if found else 1.0})
    return found


def batch(store: PaperStore, titles: Sequence[str], alone: int) -> list[dict[str, Any]]:
    """Known titles in one call against one by one (of which `alone` are asked)."""
    search(store, titles[0])
    start = time.perf_counter()
    for title in titles[:alone]:
        search(store, title, 10)
    each = 1e3 * (time.perf_counter() - start) / alone
    start = time.perf_counter()
    ask(store, titles, 10)
    together = 1e3 * (time.perf_counter() - start) / len(titles)
    return [
        {"what": "one by one, a title", "ms": each},
        {"what": f"{len(titles)} in one call, a title", "ms": together, "ratio": each / together},
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store")
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--batch", type=int, default=10_000)
    parser.add_argument("--alone", type=int, default=100)
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    with open_store(options.store) as store:
        rng = np.random.default_rng(7)
        rows = rng.choice(len(store), options.queries, replace=False).tolist()
        some = rng.choice(len(store), options.batch, replace=options.batch > len(store)).tolist()
        unique = {
            row: paper.title
            for row, paper in zip(
                sorted({*rows, *some}), store.papers(sorted({*rows, *some})), strict=True
            )
        }
        figures = {
            "100 nearest, processor time": scans(store, rows),
            "filters": filtered(store, rows),
            "modes": modes(store, [unique[row] for row in rows]),
            "batch": batch(store, [unique[row] for row in some], options.alone),
        }
        print(f"{store.name}: {len(store):,} papers, model {store.identity.name}\n")
    for name, lines in figures.items():
        print(f"| {name} | ms | ratio |\n| --- | --- | --- |")
        for line in lines:
            ratio = f"{line['ratio']:.2f}" if "ratio" in line else ""
            print(f"| {line['what']} | {line['ms']:.3f} | {ratio} |")
        print()
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
