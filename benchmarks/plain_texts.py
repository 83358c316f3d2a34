"""Plain texts added to a vector store of LangChain: swimmer and LangChain's FAISS in turns.

    pip install -c constraints.txt ".[bench]"
    python -m benchmarks.plain_texts [--texts 20000] [--runs 5]

Both embed the same texts with the same LangChain embeddings. The texts are made of random words, of
the lengths that parts of documents have.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any


def texts(number: int) -> list[str]:
    """Return texts of 40 to 160 words, the same each time."""
    chance = random.Random(18)
    words = ["".join(chance.choices("aeioubdglmnrst", k=chance.randint(3, 9))) for _ in range(8000)]
    return [" ".join(chance.choices(words, k=chance.randint(40, 160))) for _ in range(number)]


def main() -> None:
    """Add the texts in turns, and print both times and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    from langchain_community.vectorstores import FAISS

    from swimmer import PaperVectorStore, SwimmerEmbeddings

    given = texts(options.texts)
    metadatas = [{"source": f"file-{n % 50}.pdf", "page": n % 30} for n in range(len(given))]
    embeddings = SwimmerEmbeddings("static")
    embeddings.embed_documents(given[:100])
    ways: dict[str, Callable[[], Any]] = {
        "LangChain's FAISS": lambda: FAISS.from_texts(given, embeddings, metadatas),
        "swimmer": lambda: PaperVectorStore.from_texts(given, embeddings, metadatas),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.runs):
        for name, add in ways.items():
            started = time.perf_counter()
            add()
            times[name].append(time.perf_counter() - started)
    base = statistics.median(times["LangChain's FAISS"])
    for name, all_ in times.items():
        middle = statistics.median(all_)
        print(f"{name:20} {middle:6.2f} s   {middle / base:.2f} x FAISS")


if __name__ == "__main__":
    main()
