"""The stores that campaigns begin with: small ones of both kinds of index."""

from __future__ import annotations

from pathlib import Path

from swimmer import Paper, build_store
from swimmer.store import index

from ..models import HashEmbeddings

WORDS = "graph neural bandit diffusion attention robot policy language vision safety".split()


def papers(count: int, first: int = 0) -> list[Paper]:
    """Return papers that differ in every field."""
    made = []
    for n in range(first, first + count):
        what, other = WORDS[n % 10], WORDS[n // 10 % 10]
        made.append(
            Paper(
                f"{what.title()} models and {other} number {n}",
                f"On {what} and {other}. " * 5,
                f"https://x.org/{n}",
                f"p{n}",
                (f"A. Writer{n % 7}", "B. Other"),
                "TEST",
                2018 + n % 8,
                (what, other),
                "Poster",
                {"area": other, "n": n},
            )
        )
    return made


def flat(folder: Path, count: int = 30) -> Path:
    """Build a store whose index is exact."""
    build_store(papers(count), folder, model=HashEmbeddings(8)).close()
    return folder


def inverted(folder: Path, count: int = 120) -> Path:
    """Build a store whose index has inverted lists, as one of more than 300,000 papers has."""
    limit, index.EXACT_LIMIT = index.EXACT_LIMIT, 10
    try:
        return flat(folder, count)
    finally:
        index.EXACT_LIMIT = limit
