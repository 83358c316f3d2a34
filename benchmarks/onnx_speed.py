"""Transformers through ONNX Runtime against sentence-transformers: one question, and a corpus.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.onnx_speed PAPERS.json [--papers 1500] [--rounds 3] [--work FOLDER]
    python -m benchmarks.onnx_speed --install

Three measurements, both ways in turns in one run; of several rounds the fastest is printed, since
whatever else runs on the machine only adds to it.

1. One question in words to a store, in a process of its own, with random weights of bge-m3's true
   size (568 million, 2.3 GB): seconds of the whole process, and the most memory that was resident,
   of which what the file itself maps is shown apart. The files are in the page cache. `--large 0`
   leaves it out; FOLDER keeps the model (4.6 GB) for another run.
2. all-MiniLM-L6-v2 over the papers: papers a second with sentence-transformers in float32, through
   swimmer on torch (in half precision where the processor has AMX), and on ONNX Runtime; and how
   many of the ten nearest are in common with those of sentence-transformers.
3. The first vector of all-MiniLM-L6-v2 in a process of its own, from its start to its end: of a
   folder, and by its id from the local cache of the hub.

`--install` makes a new environment with `pip install "swimmer[onnx]"` from this folder, and prints
its size and whether torch is in it.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import naive
from swimmer import Paper, build_store, load_model, open_source
from swimmer.embeddings.precision import has_amx
from swimmer.sources import SourceReport
from tests.onnx_models import export_onnx
from tests.random_models import bge_layout

ROOT = Path(__file__).parent.parent

ONCE = """
import time
{code}
values = dict(line.split(":", 1) for line in open("/proc/self/status"))
memory = [values.get(name, "0").split()[0] for name in ("VmHWM", "RssFile")]
print("USED", time.process_time(), *memory)
"""

QUESTION = """
from swimmer import open_store, search
with open_store({store!r}, trust_model=True) as store:
    hits = search(store, "agents that explore their surroundings safely", lookup=False)
print("HITS", *[hit.paper.id for hit in hits])
"""

COMMIT = "0123456789abcdef0123456789abcdef01234567"

FIRST = """
from swimmer import load_model
load_model({model!r}, backend="onnx").embed_query("Attention is all you need")
"""


class Used(NamedTuple):
    """What a process took: seconds by the clock and of the processor, memory in MB, what it said.

    `mapped` is the part of the memory that is a mapped file, at the end.
    """

    seconds: float
    processor: float
    memory: int
    mapped: int
    printed: str

    def __str__(self) -> str:
        return (
            f"{self.seconds:6.2f} s by the clock, {self.processor:6.2f} s of the processor, "
            f"{self.memory:5,} MB (of them {self.mapped:,} MB mapped from files)"
        )


def run(code: str, **environment: str) -> Used:
    """Run code in a process of its own."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", ONCE.format(code=code)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"} | environment,
    )
    seconds = time.perf_counter() - started
    printed, _, used = done.stdout.partition("USED ")
    processor, most, mapped = used.split()
    return Used(seconds, float(processor), int(most) // 1024, int(mapped) // 1024, printed)


def one_question(papers: list[Paper], work: Path, rounds: int) -> None:
    """Ask a store of a model of bge-m3's size one question, through either back end."""
    folder = work / "model"
    if not (folder / "onnx" / "model.onnx_data").is_file():
        shutil.rmtree(work, ignore_errors=True)
        texts = [paper.page_content for paper in papers[:2000]]
        size = {"hidden": 1024, "layers": 24, "heads": 16, "vocabulary": 20_000, "rows": 250_002}
        bge_layout(work, texts=texts, initializer_range=0.02, **size)
        shutil.rmtree(work / "raw")
        export_onnx(folder, external=True)
    place = work / "store"
    shutil.rmtree(place, ignore_errors=True)
    model = load_model(str(folder), backend="onnx")
    build_store(papers[:16], place, model=model).close()
    del model
    code = QUESTION.format(store=str(place))
    best: dict[str, Used] = {}
    for _ in range(rounds):
        for backend in ("torch", "onnx"):
            made = run(code, SWIMMER_BACKEND=backend)
            best[backend] = min(best.get(backend, made), made)
    for backend, made in best.items():
        print(f"    {backend:<6} {made}")
    theirs, ours = best["torch"], best["onnx"]
    print(
        f"    onnx / torch {ours.seconds / theirs.seconds:.2f} by the clock, "
        f"{ours.processor / theirs.processor:.2f} of the processor; "
        f"the same ten papers: {ours.printed == theirs.printed}",
        flush=True,
    )


def corpus(papers: list[Paper], folder: Path, rounds: int) -> None:
    """Embed the papers with all-MiniLM-L6-v2 in three ways, in turns."""
    from sentence_transformers import SentenceTransformer

    texts = [paper.embedding_text for paper in papers]
    plain = SentenceTransformer(str(folder), device="cpu")
    ways: dict[str, Callable[[], Any]] = {
        "sentence-transformers, fp32": lambda: plain.encode(
            texts, normalize_embeddings=True, show_progress_bar=False
        )
    }
    for backend in ("torch", "onnx"):
        model = load_model(str(folder), backend=backend)
        model.embed_documents(texts[:32])
        half = " (half precision)" if backend == "torch" and has_amx() else ""
        ways[f"swimmer, {backend}{half}"] = lambda model=model: model.embed_documents(texts)
    best: dict[str, float] = {}
    used: dict[str, float] = {}
    vectors: dict[str, Any] = {}
    for _ in range(rounds):
        for name, embed in ways.items():
            started, processor = time.perf_counter(), time.process_time()
            vectors[name] = np.asarray(embed(), np.float32)
            best[name] = min(best.get(name, float("inf")), time.perf_counter() - started)
            used[name] = min(used.get(name, float("inf")), time.process_time() - processor)
    names = list(ways)
    for name in names:
        shared = overlap(vectors[names[0]], vectors[name])
        rate, factor = len(texts) / best[name], best[names[0]] / best[name]
        print(
            f"    {name:<38} {rate:7.1f} papers/s ({factor:.2f} x; of the processor's time "
            f"{used[names[0]] / used[name]:.2f} x), top-10 overlap {shared:.4f}",
            flush=True,
        )


def overlap(left: Any, right: Any, k: int = 10) -> float:
    """Return the mean share of the ten nearest papers in common."""
    tens = [np.argsort(-(v @ v.T), axis=1, kind="stable")[:, 1 : k + 1] for v in (left, right)]
    return float(np.mean([len({*a} & {*b}) / k for a, b in zip(*tens, strict=True)]))


def first_vector(folder: Path, rounds: int) -> None:
    """Time the first vector of a process, the process included."""
    home = folder.parent / "home"
    kept = home / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2"
    for place in ("refs", "snapshots"):
        (kept / place).mkdir(parents=True)
    (kept / "refs" / "main").write_text(COMMIT)
    (kept / "snapshots" / COMMIT).symlink_to(folder)
    for model in (str(folder), "sentence-transformers/all-MiniLM-L6-v2"):
        code = FIRST.format(model=model)
        best = min(run(code, HF_HOME=str(home)) for _ in range(2 * rounds))
        print(f"    {Path(model).name:<18} {best}", flush=True)


def install() -> None:
    """Make an environment with the extra and print its size."""
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [
            str(Path(place) / "bin" / "pip"),
            "install",
            "-q",
            "-c",
            str(ROOT / "constraints.txt"),
        ]
        subprocess.run([*pip, f"{ROOT}[onnx]"], check=True)
        files = [
            path for path in Path(place).rglob("*") if path.is_file() and not path.is_symlink()
        ]
        size = sum(path.stat().st_size for path in files) / 1e6
        packages = {path.name for path in Path(place).glob("lib/*/site-packages/*")}
        unwanted = sorted(packages & {"torch", "transformers", "sentence_transformers", "optimum"})
    there = ", ".join(unwanted) or "nothing"
    print(f"the whole environment has {size:.0f} MB; of torch and its like: {there}")


def main() -> None:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("papers", type=Path, nargs="?")
    parser.add_argument("--papers", dest="count", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=1, help="0 leaves out bge-m3's size")
    parser.add_argument("--work", type=Path, help="where the large model is kept")
    parser.add_argument("--install", action="store_true", help="only the size of the installation")
    options = parser.parse_args()
    if options.install:
        install()
        return
    if options.papers is None:
        parser.error("give a list of papers, or --install")
    papers = list(open_source(options.papers).papers(SourceReport()))
    random.Random(0).shuffle(papers)
    load = "/".join(f"{number:.1f}" for number in os.getloadavg())
    print(f"{len(os.sched_getaffinity(0))} cores, AMX: {has_amx()}, load {load}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "minilm"
        shutil.copytree(naive.model_folder(), folder)
        export_onnx(folder)
        print("all-MiniLM-L6-v2, first vector of a process")
        first_vector(folder, options.rounds)
        if options.count:
            print(f"all-MiniLM-L6-v2, {options.count:,} papers")
            corpus(papers[: options.count], folder, options.rounds)
        if options.large:
            print("bge-m3's size, random weights, one question in a process")
            one_question(papers, options.work or Path(place) / "large", options.rounds)


if __name__ == "__main__":
    main()
