"""The answers stay good: papers and questions of our own making, eight topics of six papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer import Paper, build_store, search
from swimmer.embeddings.static import PACKAGED_MODEL, StaticEmbeddings, file_digest
from swimmer.store.store import PaperStore

from .conftest import writable_copy

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "data/quality.json").read_text())
NEW_TITLES_AT_5 = 0.82
KNOWN_TITLES_AT_5 = 0.66


def new_title_precision(store: PaperStore) -> float:
    """Share of the first five answers to titles not in the store that are of their topic."""
    return precision(store, DATA["queries"])


def known_title_precision(store: PaperStore) -> float:
    """Share of the first five answers to titles of the store that are of their topic."""
    return precision(store, DATA["papers"])


def precision(store: PaperStore, queries: list[dict[str, str]]) -> float:
    topics = {paper["id"]: paper["topic"] for paper in DATA["papers"]}
    return float(
        np.mean(
            [
                topics[hit.paper.id] == query["topic"]
                for query in queries
                for hit in search(store, query["title"], 5)
            ]
        )
    )


def store_with(model: StaticEmbeddings | None, folder: Path) -> PaperStore:
    papers = [Paper(title=p["title"], abstract=p["abstract"], id=p["id"]) for p in DATA["papers"]]
    return build_store(papers, folder, model=model)


@pytest.fixture
def store(tmp_path: Path) -> PaperStore:
    return store_with(None, tmp_path / "store")


def test_new_titles_find_their_topic(store: PaperStore) -> None:
    assert new_title_precision(store) >= NEW_TITLES_AT_5


def test_known_titles_find_their_topic(store: PaperStore) -> None:
    assert known_title_precision(store) >= KNOWN_TITLES_AT_5


def test_abstracts_help(store: PaperStore, tmp_path: Path) -> None:
    titles = build_store(
        [Paper(title=p["title"], id=p["id"]) for p in DATA["papers"]], tmp_path / "titles"
    )
    assert known_title_precision(store) > known_title_precision(titles) + 0.1


@pytest.mark.parametrize("damage", ["shuffled", "no weights", "random"])
def test_a_worse_model_would_be_noticed(tmp_path: Path, damage: str) -> None:
    worse = worsened(tmp_path / "model", damage)
    store = store_with(worse, tmp_path / "store")
    assert (
        new_title_precision(store) < NEW_TITLES_AT_5
        or known_title_precision(store) < KNOWN_TITLES_AT_5
    )


def worsened(folder: Path, damage: str) -> StaticEmbeddings:
    """The packaged model with its weights spoilt, correctly signed."""
    from safetensors.numpy import load_file, save_file

    writable_copy(PACKAGED_MODEL, folder)
    tensors = load_file(folder / "model.safetensors")
    random = np.random.default_rng(0)
    if damage == "shuffled":
        tensors["embeddings"] = random.permutation(tensors["embeddings"])
    elif damage == "random":
        shape = tensors["embeddings"].shape
        tensors["embeddings"] = random.integers(-127, 128, shape).astype(np.int8)
    else:
        norms = np.linalg.norm(tensors["embeddings"].astype(np.float32), axis=1)
        tensors["weights"] = np.where(tensors["weights"] > 0, 1 / np.maximum(norms, 1), 0)
        tensors["weights"] = tensors["weights"].astype(np.float32)
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["blake2b"]["model.safetensors"] = file_digest(folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return StaticEmbeddings(folder)


def test_lists_with_authors_make_a_set_to_measure_with(tmp_path: Path) -> None:
    from benchmarks.author_set import MOST, write_set

    papers = [
        Paper("One", "About graphs.", authors=("Ada Byron", "Li Wei")),
        Paper("Two", "About nets.", authors=("ada  BYRON", "Li Wei", "Bo Ek")),
        Paper("Three", "About trees.", authors=("Bo Ek",)),
        Paper("Four", "About none.", authors=("Nobody Else",)),
        *(Paper(f"Many {i}", "x", authors=("J. Smith",)) for i in range(MOST + 1)),
    ]
    assert write_set(papers, tmp_path / "set") == 3
    lines = (tmp_path / "set/qrels.tsv").read_text().splitlines()
    assert lines == ["qid\tpid\tgrade", "q0\t1\t2", "q1\t0\t2", "q1\t2\t1", "q2\t1\t1"]
    records = [json.loads(x) for x in (tmp_path / "set/corpus.jsonl").read_text().splitlines()]
    assert [r["title"] for r in records[:4]] == ["One", "Two", "Three", "Four"]
    with pytest.raises(ValueError, match="no two papers share an author"):
        write_set(papers[2:4], tmp_path / "none")
