"""Papers for training: read, deduplicate, hold out, and write as the texts the model will see."""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ABSTRACT_CHARS = 500
MIN_ABSTRACT_CHARS = 100


@dataclass(frozen=True)
class TrainingPaper:
    """One paper of the training list: its title and its whole abstract."""

    title: str
    abstract: str

    @property
    def text(self) -> str:
        """The document text of swimmer: title, newline, first 500 characters of the abstract."""
        return document_text(self.title, self.abstract)


def document_text(title: str, abstract: str) -> str:
    """Title and the first 500 characters of the abstract, joined by a newline."""
    return f"{title}\n{abstract[:ABSTRACT_CHARS]}" if abstract else title


def title_key(title: str) -> str:
    """The letters and digits of a title in lower case: what two prints of one title share."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", title).lower())


def read_papers(path: Path, hold_out: frozenset[str] = frozenset()) -> list[TrainingPaper]:
    """Read papers with usable abstracts from a ``.jsonl`` or ``.jsonl.gz`` file.

    ``hold_out`` holds title keys that must not be trained on. Papers that repeat a title are read
    once. Raises ``ValueError`` that names the file when no paper has a title and an abstract of at
    least 100 characters.
    """
    papers: list[TrainingPaper] = []
    seen = set(hold_out)
    for record in read_jsonl(path):
        title = " ".join(str(record.get("title") or "").split())
        abstract = " ".join(str(record.get("abstract") or "").split())
        key = title_key(title)
        if not key or key in seen or len(abstract) < MIN_ABSTRACT_CHARS:
            continue
        seen.add(key)
        papers.append(TrainingPaper(title, abstract))
    if not papers:
        raise ValueError(
            f"{path}: no paper to train on: each needs a title and an abstract of at least "
            f"{MIN_ABSTRACT_CHARS} characters, and must not be held out"
        )
    return papers


def held_out_keys(paths: Iterable[Path]) -> frozenset[str]:
    """Title keys of every record of the given ``.jsonl`` files (benchmarks, say)."""
    return frozenset(
        title_key(str(record.get("title") or "")) for path in paths for record in read_jsonl(path)
    ) - {""}


def read_jsonl(path: Path) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of a file, one a line, unpacking ``.gz``."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
