"""What opening a store of millions of papers costs: a process that answers a known title.

    python -m benchmarks.large_store 1000000
    python -m benchmarks.large_store 5000000 --format int8 --folder /data/large

The papers are distinct titles, without abstracts and kept neighbours, so that the answer comes
from the vectors. These are made around centres that are the lists of the index: nothing is
trained, which would take most of the time and is not what is measured. `--folder` keeps the store,
and uses it again. Each process is measured in turns with `import numpy, faiss` alone.
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
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import faiss
import numpy as np

from swimmer import Paper, open_store
from swimmer.embeddings import load_model
from swimmer.store import FORMATS, Manifest, PaperDatabase, Similarity, text_hash
from swimmer.store.data_files import digest_of_code
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.folder import settle
from swimmer.store.index import Rows, Vectors
from swimmer.store.manifest import SCHEMA
from swimmer.store.near_titles import keep_title_lengths
from swimmer.store.vector_formats import FLOAT32, QUANTISER, set_quantiser

DIMENSION = 256
BLOCK = 50_000
RUNS = 7

ANSWER = """
import json, sys, time
start = time.perf_counter()
from swimmer import open_store, search
hits = search(open_store(sys.argv[1]), sys.argv[2], k=10)
took = time.perf_counter() - start
assert len(hits) == 10
peaks = {}
for line in open("/proc/self/status"):
    name, _, value = line.partition(":")
    if name in ("VmHWM", "RssAnon", "RssFile"):
        peaks[name] = int(value.split()[0]) / 1024
print(json.dumps([took, time.process_time(), peaks]))
"""
"""A process that prints the seconds of a search, its seconds of processor, and MB by kind."""


def blocks(count: int, centres: Vectors) -> Iterator[tuple[Vectors, Rows]]:
    """Yield vectors around the centres, float32 (n, DIMENSION), and the centre of each."""
    rng = np.random.default_rng(7)
    for start in range(0, count, BLOCK):
        lists = rng.integers(len(centres), size=min(BLOCK, count - start))
        made = centres[lists] + 0.05 * rng.standard_normal((len(lists), DIMENSION), np.float32)
        faiss.normalize_L2(made)
        yield made, lists


def clustered_index(count: int, form: str) -> FaissIndex:
    """Return an inverted file over vectors whose lists are known."""
    lists = int(2 ** np.ceil(np.log2(np.sqrt(count) * 2)))
    centres = np.random.default_rng(3).standard_normal((lists, DIMENSION)).astype(np.float32)
    faiss.normalize_L2(centres)
    coarse = faiss.IndexFlatIP(DIMENSION)
    coarse.add(centres)
    if form == FLOAT32:
        ivf = faiss.IndexIVFFlat(coarse, DIMENSION, lists, faiss.METRIC_INNER_PRODUCT)
        ivf.is_trained = True
    else:
        ivf = faiss.IndexIVFScalarQuantizer(
            coarse, DIMENSION, lists, QUANTISER[form], faiss.METRIC_INNER_PRODUCT, False
        )
        set_quantiser(ivf, next(blocks(BLOCK, centres))[0])
    for vectors, own in blocks(count, centres):
        own = np.ascontiguousarray(own, np.int64)
        ivf.add_core(len(vectors), faiss.swig_ptr(vectors), None, faiss.swig_ptr(own))
    ivf.make_direct_map()
    return FaissIndex(ivf)


def write_store(count: int, form: str, folder: Path) -> None:
    """Write a store of so many titles."""
    words = "graph robot protein privacy speech bandit vision kernel sparse latent causal".split()
    parts = itertools.cycle(itertools.product(words, words, words))
    started = time.perf_counter()

    def say(what: str) -> None:
        print(f"{what}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)

    folder.mkdir(parents=True, exist_ok=True)
    index = clustered_index(count, form)
    index.save(folder / "index.draft")
    say("vectors")
    database = PaperDatabase.create(folder / "scratch.sqlite", words=True)
    with database.bulk():
        for row in range(count):
            title = f"{' '.join(next(parts))} {row:x}"
            database.put(row, Paper(title, id=f"p{row}"), text_hash(title), new=True)
    say("titles written")
    database.index()
    say("titles indexed")
    generation = os.urandom(8).hex()
    database.set_meta("generation", generation)
    database.keep_word_counts()
    keep_title_lengths(database)
    database.hand_over(folder / "papers.draft")
    probed = [0, count // 2, count - 1]
    codes = index.codes(np.array(probed))
    Manifest(
        papers=count,
        model=load_model("static").identity,
        database=settle(folder / "papers.draft", "papers-{}.sqlite"),
        index=settle(folder / "index.draft", "index-{}.faiss"),
        generation=generation,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        probes={str(row): digest_of_code(code) for row, code in zip(probed, codes, strict=True)},
        exact=False,
        similarity=Similarity.of(load_model("static").identity).to_dict(),
        vectors=form,
        schema=SCHEMA - 1 if form == FLOAT32 else SCHEMA,
    ).write(folder)
    say("store written")


def measure(folder: Path) -> None:
    """Print what a process costs that opens the store and answers a title."""
    with open_store(folder) as store:
        manifest = store.manifest
        titles = [store.papers([manifest.papers // (n + 2)])[0].title for n in range(RUNS)]
    took, used, peaks, least = [], [], [], []
    for title in titles:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import numpy, faiss"], check=True)
        least.append(time.perf_counter() - begun)
        done = subprocess.run(
            [sys.executable, "-c", ANSWER, str(folder), title], check=True, capture_output=True
        )
        seconds, processor, peak = json.loads(done.stdout)
        took.append(seconds)
        used.append(processor)
        peaks.append(peak)
    most = max(peaks, key=lambda peak: peak["VmHWM"])
    ratio = statistics.median(a / b for a, b in zip(took, least, strict=True))
    print(
        f"{manifest.papers:,} papers, vectors {manifest.vectors}: papers "
        f"{manifest.database.size / 1e9:.2f} GB, vectors {manifest.index.size / 1e9:.2f} GB; load "
        f"{os.getloadavg()[0]:.0f}\n"
        f"known title: {statistics.median(took):.2f} s by the clock (first {took[0]:.2f}, least "
        f"{min(took):.2f}), {statistics.median(used):.2f} s of the processor, {ratio:.1f} x a "
        f"process that imports numpy and faiss; at most {most['VmHWM']:.0f} MB, of which "
        f"{most['RssAnon']:.0f} its own and {most['RssFile']:.0f} mapped files"
    )


def main() -> None:
    """Make the store and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("papers", type=int)
    parser.add_argument("--format", default="int8", choices=FORMATS)
    parser.add_argument("--folder", type=Path, help="where to keep the store")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch) / "large"
        if not (folder / "manifest.json").exists():
            write_store(given.papers, given.format, folder)
        measure(folder)


if __name__ == "__main__":
    main()
