"""The LangChain retriever against the naive one: a whole process, and a warm question.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.langchain_speed PAPERS.json [--work FOLDER] [--runs 7]

PAPERS.json as for `benchmarks.start_up`, whose FOLDER may be used again: the naive index is built
once (minutes) and kept there. Naive and swimmer take turns, so that a machine that slows down
slows both. Where Python may not write compiled files (PYTHONDONTWRITEBYTECODE), a process spends
most of its time on compiling swimmer: run `python -m compileall -q swimmer` first.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import naive
from benchmarks.start_up import TITLE, row, taking_turns

CODE = """
import sys
from swimmer import load_retriever
load_retriever(sys.argv[1]).invoke(sys.argv[2])
"""


def whole_process(store: Path, naive_folder: Path, runs: int) -> None:
    """Measure one known title, from the start of the interpreter to its end."""
    least = "import langchain_core.retrievers"
    result = taking_turns(
        {
            "naive": [sys.executable, "-m", "benchmarks.naive", "ask", str(naive_folder), TITLE],
            "load_retriever(...).invoke": [sys.executable, "-c", CODE, str(store), TITLE],
            f"({least} alone)": [sys.executable, "-c", least],
        },
        runs,
    )
    base, bare = result["naive"][0], result[f"({least} alone)"][0]
    for name, (wall, memory) in result.items():
        extra = ""
        if name.startswith("load"):
            extra = f"{base / wall:.1f} x faster than naive, {wall / bare:.2f} x {least}"
        row(f"whole process: {name}", wall, memory, extra)


def warm(store: Path, naive_folder: Path) -> None:
    """Measure known titles in a process that runs already: swimmer and FAISS in turns, then naive.

    Naive comes last: torch's threads, once they run, slow down whatever shares their process.
    """
    import faiss

    from swimmer import load_retriever

    ours = load_retriever(store)
    vectors = ours.store.vectors()
    flat = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)
    titles = [paper.title for paper in ours.store][:300]
    times: dict[str, list[float]] = {"bare FAISS search": [], "swimmer": [], "naive": []}

    def timed(name: str, call: Callable[[], Any]) -> None:
        started = time.perf_counter()
        call()
        times[name].append(time.perf_counter() - started)

    for number, title in enumerate(titles):
        timed("bare FAISS search", lambda n=number: flat.search(vectors[n : n + 1], 11))
        timed("swimmer", lambda t=title: ours.invoke(t))
    theirs = naive.load(naive_folder).as_retriever(search_kwargs={"k": 10})
    for title in titles:
        timed("naive", lambda t=title: theirs.invoke(t))
    middle = {name: statistics.median(all_[5:]) for name, all_ in times.items()}
    for name, value in middle.items():
        extra = ""
        if name == "swimmer":
            over = (value - middle["bare FAISS search"]) * 1000
            extra = f"{over:.2f} ms over bare FAISS, {middle['naive'] / value:.0f} x faster"
        row(f"warm retriever.invoke, median: {name}", value, 0, extra)


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("papers", type=Path)
    parser.add_argument("--work", type=Path, default=Path("benchmark-work"))
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    papers, work = options.papers.resolve(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    naive_folder, store = work / "naive", work / "static"
    if not (naive_folder / "index.faiss").exists():
        naive.build(papers, naive_folder)
    from swimmer import build_store

    build_store(papers, store).close()
    whole_process(store, naive_folder, options.runs)
    warm(store, naive_folder)


if __name__ == "__main__":
    main()
