"""Start-up, build and scale of swimmer against the naive implementation, in one run.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.start_up PAPERS.json [--work FOLDER] [--runs 7] [--million] [--no-naive]

PAPERS.json is the "Downloads" export of ICLR 2025 (3,683 papers) for the README's figures, or any
list that swimmer reads. Every case is printed with its median wall time, the peak resident memory
of its process and, where there is a baseline, the ratio. Naive and swimmer take turns, so that a
machine that slows down slows both. The naive index is built once (minutes) and kept in FOLDER.
What a process costs is compared with `import numpy, faiss` as well, without which nothing searches
vectors in Python. Measure an installed swimmer: a checkout that is not compiled starts more slowly.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import naive

TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"
TEXT = "trading safety against helpfulness when aligning chat models"
ROOT = Path(__file__).parent.parent


# A process counts the memory of the one that started it as its own peak: a small one starts it.
_LAUNCH = """
import os, subprocess, sys, time
started = time.perf_counter()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(time.perf_counter() - started, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""


def one_process(command: list[str]) -> tuple[float, float]:
    """Run a command; return its wall time in seconds and its peak resident memory in MB."""
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCH, *command], capture_output=True, text=True, cwd=ROOT
    )
    measured = launched.stdout.split()
    if len(measured) != 3 or measured[2] != "0":
        raise SystemExit(f"{' '.join(command)} failed:\n{launched.stderr}")
    return float(measured[0]), float(measured[1])


def row(what: str, seconds: float, memory: float, extra: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<58} {seconds * 1000:>10,.1f} ms {memory:>7,.0f} MB  {extra}", flush=True)


def taking_turns(commands: dict[str, list[str]], runs: int) -> dict[str, tuple[float, float]]:
    """Return the median wall time and the largest memory of each command, run in turns."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            result = one_process(command)
            if turn:  # the first turn warms the disk cache
                seen[name].append(result)
    return {
        name: (statistics.median(wall for wall, _ in all_), max(memory for _, memory in all_))
        for name, all_ in seen.items()
    }


def swimmer(*arguments: str) -> list[str]:
    """Return the command line of swimmer."""
    script = Path(sys.executable).with_name("swimmer")
    return (
        [str(script), *arguments]
        if script.exists()
        else [sys.executable, "-m", "swimmer", *arguments]
    )


def one_shot(store: Path, naive_folder: Path | None, runs: int) -> None:
    """Measure one question, whole process."""
    imports = "import numpy, faiss"
    commands = {
        imports: [sys.executable, "-c", imports],
        "swimmer search, known title": swimmer("search", TITLE, "--store", str(store)),
        "swimmer search, free text": swimmer("search", TEXT, "--store", str(store)),
    }
    baselines = [imports]
    if naive_folder is not None:
        baselines.append("naive: known title")
        commands[baselines[1]] = [
            *(sys.executable, "-m", "benchmarks.naive", "ask", str(naive_folder), TITLE)
        ]
    result = taking_turns(commands, runs)
    for name, (wall, memory) in result.items():
        extra = [] if name in baselines else [f"{wall / result[imports][0]:.2f} x {imports}"]
        if extra and naive_folder is not None:
            extra.append(f"{result[baselines[1]][0] / wall:.1f} x faster than naive")
        row(f"one-shot {name}", wall, memory, ", ".join(extra))


def warm(store: Path) -> None:
    """Measure a question in a process that runs already, against the bare FAISS search."""
    import faiss

    from swimmer import PaperStore, search

    with PaperStore.open(store) as opened:
        titles = [paper.title for paper in opened][:400]
        vectors = opened.vectors()
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        search(opened, titles[0])
        ours, bare = [], []
        for number, title in enumerate(titles):
            started = time.perf_counter()
            flat.search(vectors[number : number + 1], 11)
            middle = time.perf_counter()
            search(opened, title)
            ours.append(time.perf_counter() - middle)
            bare.append(middle - started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row("warm: bare FAISS search, median", statistics.median(bare), memory)
    over = statistics.median(ours) - statistics.median(bare)
    row(
        "warm: swimmer search of a known title, median",
        statistics.median(ours),
        memory,
        f"{over * 1000:.2f} ms over bare FAISS",
    )


BUILD = """
import sys, time, json
from dataclasses import replace
from pathlib import Path
from swimmer import build_store, open_source
from swimmer.sources import SourceReport
class Slow:
    # 40 ms a text: all-MiniLM-L6-v2 on two cores
    def embed_documents(self, texts):
        time.sleep(0.04 * len(texts))
        return [[float(len(t)), float(sum(map(ord, t[:50]))), 1.0] for t in texts]
    def embed_query(self, text):
        return self.embed_documents([text])[0]
papers = list(open_source(sys.argv[1]).papers(SourceReport()))
if sys.argv[3] == "changed":
    papers = [
        replace(p, abstract="Changed. " + p.abstract) if i % 100 == 0 else p
        for i, p in enumerate(papers)
    ]
started = time.perf_counter()
build_store(papers, sys.argv[2], model=Slow())
import resource
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def neighbours(papers: Path, work: Path, runs: int) -> None:
    """Measure builds on the static model with and without kept neighbours, in turns."""
    seen: dict[str, list[tuple[float, float]]] = {"--no-neighbours": [], "--neighbours": []}
    for _ in range(runs):
        for option, results in seen.items():
            shutil.rmtree(work / "static", ignore_errors=True)
            command = swimmer("build", str(papers), "--name", str(work / "static"), option, "-q")
            results.append(one_process(command))
    without = statistics.median(wall for wall, _ in seen["--no-neighbours"])
    for option, results in seen.items():
        wall = statistics.median(wall for wall, _ in results)
        share = "" if option == "--no-neighbours" else f"{wall / without:.2f} x without"
        row(f"build on the static model, {option}", wall, max(mb for _, mb in results), share)


def builds(papers: Path, work: Path, runs: int) -> None:
    """Measure a build on the static model, and an update with a slow one."""
    neighbours(papers, work, runs)
    folder = work / "slow"
    times = []
    for state in ("first", "changed"):
        command = [sys.executable, "-c", BUILD, str(papers), str(folder), state]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        seconds, memory = map(float, done.stdout.split())
        times.append((seconds, memory))
    row("build with a model of 40 ms a paper", *times[0])
    share = times[1][0] / times[0][0]
    row("rebuild after 1 % of the papers changed", *times[1], f"{share:.1%} of the build")


def synthetic(papers: Path, count: int) -> Iterator[object]:
    """Yield `count` papers of real length: real texts, numbered."""
    from swimmer import Paper, open_source
    from swimmer.sources import SourceReport

    real = list(open_source(papers).papers(SourceReport()))
    for number in range(count):
        paper = real[number % len(real)]
        yield Paper(
            title=f"{paper.title} {number}",
            abstract=paper.abstract,
            id=str(number),
            url=f"https://papers.example/{number}",
            authors=paper.authors,
            venue=paper.venue,
            year=paper.year,
        )


class Clustered:
    """Vectors near a thousand centres: real ones are clustered, and random ones mislead."""

    def __init__(self, dimension: int = 256) -> None:
        self.dimension = dimension
        self.centres = np.random.default_rng(3).standard_normal((1000, dimension), np.float32)

    def embed_documents(self, texts: list[str]) -> np.ndarray:
        import zlib

        seeds = np.array([zlib.crc32(text.encode()) for text in texts])
        rng = np.random.default_rng(int(seeds[0]))
        noise = rng.standard_normal((len(texts), self.dimension), np.float32)
        return self.centres[seeds % 1000] + np.float32(0.8) * noise

    def embed_query(self, text: str) -> np.ndarray:
        return self.embed_documents([text])[0]


def million(papers: Path, work: Path, runs: int, count: int = 1_000_000) -> None:
    """Measure opening a store of a million papers and answering one known title."""
    from swimmer import build_store
    from swimmer.embeddings.model import Model

    folder = work / "million"
    if not (folder / "manifest.json").exists():
        started = time.perf_counter()
        clustered = Clustered()
        model = Model(clustered, "clustered", pads=False, embed_array=clustered.embed_documents)
        store = build_store(synthetic(papers, count), folder, model=model)  # type: ignore[arg-type]
        print(
            f"(built in {time.perf_counter() - started:,.0f} s, recall@10 {store.manifest.recall})"
        )
        store.close()
    title = next(iter(synthetic(papers, 1))).title  # type: ignore[attr-defined]
    result = taking_turns({"million": swimmer("search", title, "--store", str(folder))}, runs)
    row(f"one-shot swimmer search, {count:,} papers", *result["million"])


def size_of_installation() -> None:
    """Measure a fresh virtual environment with swimmer and no extra."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", str(target)], check=True)
        started = time.perf_counter()
        subprocess.run(
            [str(target / "bin/pip"), "install", "-q", str(ROOT)],
            check=True,
            stderr=subprocess.DEVNULL,
        )
        wall = time.perf_counter() - started
        size = sum(
            p.stat().st_size for p in target.rglob("*") if p.is_file() and not p.is_symlink()
        )
        torch = any(target.glob("lib/python*/site-packages/torch"))
    print(
        f"base installation: {size / 1e6:,.0f} MB on disk with the environment itself, "
        f"torch: {'yes' if torch else 'no'}, installed in {wall:.0f} s"
    )


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("papers", type=Path)
    parser.add_argument("--work", type=Path, default=Path("benchmark-work"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--million", action="store_true", help="also a store of a million papers")
    parser.add_argument("--install", action="store_true", help="also the size of an installation")
    parser.add_argument("--no-naive", action="store_true", help="leave the naive program out")
    parser.add_argument("--neighbours", action="store_true", help="only builds, with and without")
    options = parser.parse_args()
    papers, work = options.papers.resolve(), options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    print(
        json.dumps(
            {"cpus": os.cpu_count(), "python": sys.version.split()[0], "load": os.getloadavg()}
        )
    )
    for folder in ("static", "slow"):
        shutil.rmtree(work / folder, ignore_errors=True)
    if options.neighbours:
        neighbours(papers, work, options.runs)
        return
    builds(papers, work, options.runs)
    naive_folder = None if options.no_naive else work / "naive"
    if naive_folder is not None and not naive_folder.exists():
        print("(building the naive index, once)", flush=True)
        naive.build(papers, naive_folder)
    one_shot(work / "static", naive_folder, options.runs)
    warm(work / "static")
    if options.million:
        million(papers, work, options.runs)
    if options.install:
        size_of_installation()


if __name__ == "__main__":
    main()
