"""Building with transformer models: swimmer against the naive way, papers a second.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.build_speed PAPERS.json [--papers 512] [--large 48] [--rounds 3]

Two models: all-MiniLM-L6-v2, and random weights of bge-m3's true size and layout (24 layers,
hidden 1,024; speed does not depend on what the weights are). Either number may be 0, which leaves
that model out. The fastest device there is is used, and named. Both ways build a searchable index
of the same papers from the same text, in turns. Papers a second are those of the fastest round, by
the clock and by the processor's time (which other processes on the machine disturb less); the
factor is the median of the rounds' own, each round beside its neighbour. Of swimmer's build, the
time until every paper is embedded is shown beside the whole, in which a store also learns from a
few short questions what is related to it. The overlap compares the ten nearest of a sample of
titles, asked as text; of random weights it says nothing.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import naive
from swimmer import Paper, build_store, open_source, search
from swimmer.embeddings.huggingface import load_huggingface
from swimmer.embeddings.precision import gains_by_half, has_amx, torch_device
from swimmer.sources import SourceReport
from tests.random_models import bge_layout


class Watch:
    """The seconds that a block takes, by the clock and by the processor."""

    def __enter__(self) -> Watch:
        self._started = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._started[0]
        self.cpu = time.process_time() - self._started[1]

    def lap(self) -> None:
        """Note the time until now."""
        self.lap_wall = time.perf_counter() - self._started[0]
        self.lap_cpu = time.process_time() - self._started[1]


def naive_build(papers: list[Paper], folder: Path) -> tuple[Any, Watch]:
    """Return LangChain's FAISS of the papers, and what it took without loading the model."""
    from langchain_community.vectorstores import FAISS
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings

    embeddings = HuggingFaceEmbeddings(model_name=str(folder))
    documents = [Document(paper.page_content, id=paper.id) for paper in papers]
    embeddings.embed_documents(["warm"])
    with Watch() as watch:
        index = FAISS.from_documents(documents, embeddings)
    return index, watch


def our_build(papers: list[Paper], folder: Path, work: Path) -> tuple[Any, Watch]:
    """Return a store of the papers on disk, and what it took without loading the model."""
    model = load_huggingface(str(folder)).with_text("page_content")
    assert model.identity.dimension  # three sentences are embedded for it once per model
    with Watch() as watch:

        def progress(stage: str, done: int, total: int | None) -> None:
            if stage == "embedding" and done == total:
                watch.lap()

        folder = Path(tempfile.mkdtemp(dir=work)) / "store"
        store = build_store(papers, folder, model=model, progress=progress)
    return store, watch


def overlap(papers: list[Paper], index: Any, store: Any, k: int = 10) -> float:
    """Return the mean share of ten answers in common, every title asked as text."""
    shared = 0
    for paper in papers:
        theirs = {document.id for document in index.similarity_search(paper.title, k=k)}
        ours = {
            hit.paper.id for hit in search(store, paper.title, k, lookup=False, include_self=True)
        }
        shared += len(theirs & ours)
    return shared / (k * len(papers))


def compare(name: str, folder: Path, papers: list[Paper], rounds: int, asked: int) -> None:
    """Build both ways in turns and print the line of the table."""
    with tempfile.TemporaryDirectory() as work:
        theirs, ours = [], []
        for _ in range(rounds):
            index, watch = naive_build(papers, folder)
            theirs.append(watch)
            store, watch = our_build(papers, folder, Path(work))
            ours.append(watch)
        same = overlap(papers[:asked], index, store)
        store.close()
    print(f"{name}, {len(papers)} papers, top-10 overlap {same:.3f}")
    for clock in ("wall", "cpu"):
        slow, embedded, whole = (
            [getattr(watch, name) for watch in watches]
            for watches, name in ((theirs, clock), (ours, f"lap_{clock}"), (ours, clock))
        )
        rates = [len(papers) / min(seconds) for seconds in (slow, embedded, whole)]
        factors = [
            statistics.median(naive / own for naive, own in zip(slow, seconds, strict=True))
            for seconds in (embedded, whole)
        ]
        print(
            f"    papers per second of {clock:<5} naive {rates[0]:7.2f}  swimmer {rates[1]:7.2f} "
            f"({factors[0]:.2f} x), whole build {rates[2]:7.2f} ({factors[1]:.2f} x)",
            flush=True,
        )


def device_name() -> str:
    """Return what the models run on: the card's name, or the processor's kind."""
    import torch

    device = torch_device(None)
    if device.startswith("cuda"):
        return str(torch.cuda.get_device_name(device))
    return f"{device}, with AMX: {has_amx()}"


def main() -> None:
    """Run both models and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("papers", type=Path)
    parser.add_argument("--papers", dest="count", type=int, default=512)
    parser.add_argument("--large", type=int, default=48, help="papers for the size of bge-m3")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    everything = list(open_source(options.papers).papers(SourceReport()))
    unique = list({paper.id: paper for paper in everything}.values())
    random.Random(0).shuffle(unique)
    print(f"{device_name()}, half precision used: {gains_by_half(torch_device(None))}")
    if options.count:
        some = unique[: options.count]
        compare("all-MiniLM-L6-v2", naive.model_folder(), some, options.rounds, 200)
    if options.large:
        with tempfile.TemporaryDirectory() as place:
            large = bge_layout(
                Path(place),
                texts=[paper.page_content for paper in unique],
                hidden=1024,
                layers=24,
                heads=16,
                vocabulary=20_000,
            )
            some = unique[: options.large]
            compare("bge-m3's size, random", large, some, options.rounds, 8)


if __name__ == "__main__":
    main()
