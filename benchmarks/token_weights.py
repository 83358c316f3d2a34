"""A store that compares tokens by its model's own weights, against one that compares words.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.token_weights PAPERS.json [--papers 500] [--rounds 3]

The model has random weights in the files of bge-m3 (with a tokenizer of 20,000 pieces that is
trained on the papers) and two small layers: the sizes and the time that weights add mean something,
the order of the hits does not. With random weights half of the tokens weigh nothing. Both stores
are built in turns with the same model; printed are seconds and the medians' ratio, the bytes that
words and tokens take for a paper, and the milliseconds of a known title (without kept neighbours)
and of a text, both warm.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from swimmer import Paper, PaperStore, build_store, load_model, open_source, search
from swimmer.sources import SourceReport
from tests.random_models import bge_layout

SMALL = {"hidden": 64, "layers": 2, "heads": 4}
KINDS = ("tfidf", "sparse")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds by the clock and of the processor that a call takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def bytes_per_paper(store: PaperStore) -> float:
    """Return how many bytes the words or tokens of a paper take, in the mean."""
    packed = store.database.packed_words(range(len(store)))
    return sum(map(len, packed.values())) / len(store)


def query_milliseconds(store: PaperStore, papers: list[Paper], *, as_text: bool) -> float:
    """Return the median milliseconds of a query by title, looked up or taken as a text."""
    taken = []
    for paper in papers[:40]:
        started = time.perf_counter()
        search(store, paper.title, 10, lookup="text" if as_text else True)
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken[8:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("papers_file", metavar="PAPERS")
    parser.add_argument("--papers", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    papers = list(open_source(given.papers_file).papers(SourceReport()))[: given.papers]
    with tempfile.TemporaryDirectory() as work:
        texts = [paper.page_content for paper in papers[:2000]]
        folder = bge_layout(
            Path(work),
            texts=texts,
            vocabulary=20_000,
            initializer_range=0.02,
            layers_of_weights=True,
            **SMALL,
        )
        model = load_model(str(folder), backend="torch").with_text("page_content")
        # What is done once, such as loading kernels, belongs to neither.
        model.weigh_papers(texts[:64])

        def build(kind: str, place: Path) -> None:
            build_store(papers, place, model=model, lexical=kind, neighbours=False).close()

        taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
        for number in range(given.rounds):
            for kind in KINDS if number % 2 else KINDS[::-1]:
                place = Path(work, f"{kind}{number}")
                taken[kind].append(timed(lambda kind=kind, place=place: build(kind, place)))
        print(f"{len(papers):,} papers")
        medians = {
            kind: [statistics.median(one) for one in zip(*taken[kind], strict=True)]
            for kind in KINDS
        }
        for kind in KINDS:
            with PaperStore.open(Path(work, f"{kind}0")) as store:
                store.model(model)
                known = query_milliseconds(store, papers, as_text=False)
                text = query_milliseconds(store, papers, as_text=True)
                clock, processor = medians[kind]
                print(
                    f"{kind:7} built in {clock:.2f} s, {processor:.2f} s of the processor; "
                    f"{bytes_per_paper(store):.0f} bytes a paper; known title {known:.1f} ms, "
                    f"text {text:.1f} ms"
                )
        ratios = [b / a for a, b in zip(medians["tfidf"], medians["sparse"], strict=True)]
        print(f"sparse / tfidf: {ratios[0]:.2f} by the clock, {ratios[1]:.2f} of the processor")


if __name__ == "__main__":
    main()
