"""The case study: bge-m3 over ICLR 2025, against the ten titles that the reference published.

    pip install ".[huggingface]"        (or ".[onnx]", without torch)
    python -m benchmarks.case_study
    SWIMMER_BGE_M3=FOLDER python -m benchmarks.case_study LIST.json --backend onnx

The query of the README is asked of a store of the whole conference, built with BAAI/bge-m3 from
what the reference implementation embeds (title, abstract and address). The reference's ten titles
are printed with their rank in the answer, once by the vectors alone, as the reference has it, and
once as swimmer searches by default (smoothed vectors, and words).

It needs a network once: 2.3 GB for the model, unless $SWIMMER_BGE_M3 names a folder that has it,
and the list of the conference, unless LIST is its file. 6 GB of memory are enough. How long it
takes is said after the first 32 papers: about half an hour for the 3,700 papers on two cores, seven
minutes where they have AMX, less than a minute on a large GPU. An interrupted run goes on where it
was.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from swimmer import PaperStore, load_model, open_source, run_build, search
from swimmer.sources import SourceReport
from swimmer.text import printable, title_key

QUERY = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"
"""The query of the README."""

REFERENCE = {
    "29259": "Common Pitfalls of Margin-based Preference Optimization in Language Model Alignment",
    "27968": "Unintentional Unalignment: Likelihood Displacement in Direct Preference Optimization",
    "28622": "Preference Optimization for Reasoning with Pseudo Feedback",
    "31025": "Preference Optimization as Probabilistic Inference",
    "30685": "Sample then Identify: A General Framework for Risk Control and Assessment in "
    "Multimodal Large Language Models",
    "29189": "Self-Play Preference Optimization for Language Model Alignment",
    "27951": "TODO: Enhancing LLM Alignment with Ternary Preferences",
    "29422": "SEAL: Safety-enhanced Aligned LLM Fine-tuning via Bilevel Data Selection",
    "28841": "Eliminating Position Bias of Language Models: A Mechanistic Approach",
    "28626": "SimPER: Simple Preference Fine-Tuning without Hyperparameters by Perplexity "
    "Optimization",
}
"""The ten that the reference implementation published, by the number of their address."""

MODEL = "SWIMMER_BGE_M3"
"""The environment variable that may name a folder with BAAI/bge-m3."""


def compare(store: PaperStore, how: str) -> int:
    """Ask the query, print where the reference's titles stand, and return how many are found."""
    hits = search(store, QUERY, 100, lookup=False)
    ranks = {title_key(hit.paper.title): hit.rank for hit in hits}
    found = {title: ranks.get(title_key(title)) for title in REFERENCE.values()}
    among = sum(rank is not None and rank <= 10 for rank in found.values())
    print(f"\n{how}: {among} of the reference's ten are among the ten")
    for title, rank in found.items():
        print(f"  {rank or 'over 100':>8}  {title}")
    others = [hit for hit in hits[:10] if title_key(hit.paper.title) not in map(title_key, found)]
    for hit in others:
        print(printable(f"  instead, at {hit.rank}: {hit.paper.title}"))
    return among


def main(arguments: list[str] | None = None) -> int:
    """Build the store, print both comparisons, and return how many titles the first has found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="iclr2025", metavar="LIST")
    parser.add_argument("--backend", choices=["onnx", "torch"])
    parser.add_argument("--store", default="case-study", help="name or folder of the store")
    options = parser.parse_args(arguments)
    name = os.environ.get(MODEL) or "bge-m3"
    model = load_model(name, backend=options.backend).with_text("page_content")
    print(f"model {model.name}, {type(model.embeddings).__name__}")
    papers = list(open_source(options.source).papers(SourceReport()))
    texts = [model.text_of(paper) for paper in papers[:32]]
    started = time.monotonic()
    model.embed_documents(texts)
    rate = len(texts) / (time.monotonic() - started)
    minutes = len(papers) / rate / 60
    print(f"{len(papers):,} papers at {rate:.1f} a second: about {minutes:.0f} minutes", flush=True)

    def progress(stage: str, done: int, total: int | None) -> None:
        if sys.stderr.isatty():
            print(f"\r{stage} {done:,} of {total or '?'}   ", end="", file=sys.stderr)

    among = []
    for plain in (True, False):
        store, report = run_build(
            papers, options.store, model=model, plain=plain, progress=progress
        )
        with store:
            if plain:
                print(f"{report.embedded:,} papers embedded in {report.seconds:.0f} s")
            how = "the vectors alone" if plain else "as swimmer searches by default"
            among.append(compare(store, how))
    return among[0]


if __name__ == "__main__":
    main()
