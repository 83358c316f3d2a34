"""Is the search of a static site that of Python? Vectors, hits, size and seconds, in Chromium.

    python -m benchmarks.static_site STORE QUERIES [--count 300]

STORE is a store of the static model; QUERIES is another one, whose titles and first sentences are
asked: texts that STORE does not know. The site is exported to a temporary folder and opened as a
file. Printed are the size, the time until the site can search, of a search, the smallest cosine of
a text's vector in the browser with Python's, and overlap@10 with the search over STORE's own
vectors by the whole model, and with `swimmer.search`, which compares words besides.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks.chromium import ARGUMENTS, find_chromium
from swimmer import open_store, search
from swimmer.embeddings import StaticEmbeddings
from swimmer.static_site import export_site
from swimmer.text import sentences, title_key

WAIT = 120_000


def texts_of(name: str, known: set[str], count: int) -> list[str]:
    """Return titles and first sentences of a store, none of them a known title."""
    with open_store(name) as store:
        papers = [paper for paper in store if title_key(paper.title) not in known]
    random.Random(1).shuffle(papers)
    half = count // 2
    firsts = [
        str(sentences(paper.abstract)[0]) for paper in papers[half : 2 * half] if paper.abstract
    ]
    return [paper.display_title for paper in papers[:half]] + firsts


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("queries")
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    with open_store(options.store) as store, tempfile.TemporaryDirectory() as work:
        texts = texts_of(options.queries, {title_key(one.title) for one in store}, options.count)
        made = export_site(store, Path(work) / "site")
        print(f"{len(store):,} papers, {made.size:,} bytes, {len(texts)} texts")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
            page = browser.new_page()
            started = time.perf_counter()
            page.goto((made.folder / "index.html").as_uri())
            page.evaluate("swimmerSite.ready")
            print(f"ready to search after {time.perf_counter() - started:.2f} s")
            vectors = np.array(page.evaluate("texts => texts.map(swimmerSite.embed)", texts))
            timed = page.evaluate(
                "texts => texts.map(text => { const start = performance.now(); "
                "return [swimmerSite.search(text), performance.now() - start]; })",
                texts,
            )
            browser.close()
        own = StaticEmbeddings().embed(texts)
        cosines = (vectors * own).sum(axis=1)
        same = float((cosines > 1 - 1e-6).mean())
        print(f"vectors equal to Python's: {same:.1%}, smallest cosine {cosines.min():.3f}")
        print(f"median search: {statistics.median(took for _, took in timed):.0f} ms")
        best = np.argsort(-(own @ store.vectors().T), axis=1)[:, :10]
        shared = [
            len({*rows} & {*map(int, whole)}) / 10
            for (rows, _), whole in zip(timed, best, strict=True)
        ]
        print(f"overlap@10 with the whole model: {statistics.mean(shared):.3f}")
        rows_of = {paper.id: row for row, paper in enumerate(store)}
        words = []
        for text, (rows, _) in zip(texts, timed, strict=True):
            hits = {rows_of[hit.paper.id] for hit in search(store, text, lookup=False)}
            words.append(len({*rows} & hits) / 10)
        print(f"overlap@10 with swimmer.search:  {statistics.mean(words):.3f}")


if __name__ == "__main__":
    main()
