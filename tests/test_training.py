"""What the training takes and refuses, its parts against plain versions, and a whole small run."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer.embeddings.static import StaticEmbeddings
from training.data import held_out_keys, read_papers

LONG = "We train a network on pictures and measure what it learns. " * 3


def write(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"title": "No abstract"}, {"title": "None", "abstract": None}],
        [{"title": "Short", "abstract": "Too short."}],
        [{"title": "", "abstract": LONG}],
    ],
)
def test_list_without_a_usable_paper_is_refused(
    tmp_path: Path, records: list[dict[str, object]]
) -> None:
    path = write(tmp_path / "papers.jsonl", records)
    with pytest.raises(ValueError, match=r"papers\.jsonl: no paper to train on"):
        read_papers(path)


def test_held_out_and_repeated_titles_are_left_out(tmp_path: Path) -> None:
    titles = ["Graphs, Learnt", "graphs learnt", "A Secret Benchmark", "Kept"]
    path = tmp_path / "papers.jsonl.gz"
    with gzip.open(path, "wt") as out:
        out.writelines(json.dumps({"title": t, "abstract": LONG}) + "\n" for t in titles)
    benchmark = write(tmp_path / "corpus.jsonl", [{"title": "A secret BENCHMARK."}, {}])
    papers = read_papers(path, held_out_keys([benchmark]))
    assert [paper.title for paper in papers] == ["Graphs, Learnt", "Kept"]


def test_losses_are_those_of_autograd() -> None:
    torch = pytest.importorskip("torch")
    from training.losses import contrast, imitate, neighbourhood

    torch.manual_seed(0)
    rows = [torch.nn.functional.normalize(torch.randn(40, 8), dim=1) for _ in range(3)]
    x, y = (row.clone().requires_grad_() for row in rows[:2])
    own = torch.arange(40)
    target = neighbourhood(rows[2], 20.0)
    assert target.diagonal().abs().max() == 0
    logits = 20 * x @ y.T
    cross = torch.nn.functional.cross_entropy
    hidden = logits.masked_fill(torch.eye(40, dtype=torch.bool), -1e9)
    pairs = [
        ((cross(logits, own) + cross(logits.T, own)) / 2, contrast(x, y, 20.0)),
        (cross(hidden, target), imitate(x, y, target, 20.0)),
    ]
    for expected, met in pairs:
        assert met.item() == pytest.approx(expected.item(), rel=1e-4)
        for theirs, ours in zip(
            torch.autograd.grad(expected, (x, y), retain_graph=True),
            torch.autograd.grad(met, (x, y)),
            strict=True,
        ):
            assert torch.allclose(theirs, ours, atol=1e-5)


def test_int8_rows_keep_their_direction() -> None:
    from training.export import to_int8

    table = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    table *= np.geomspace(1e-4, 10, 50)[:, None]
    table[7] = 0
    rows, weights = to_int8(table)
    restored = rows * weights[:, None]
    assert weights[7] == 0
    assert np.abs(restored - table).max(axis=1) == pytest.approx(weights / 2, rel=0.2)


def test_targets_are_drawn_to_their_nearest(tmp_path: Path) -> None:
    from training.neighbours import smoothed

    rows = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    rows[9] = rows[8]  # a paper and its twin: neither is its own neighbour
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    options: dict[str, Any] = {"neighbours": 3, "power": 2.0, "share": 0.5}
    found = smoothed(rows, tmp_path, **options)
    cosines = rows @ rows.T
    np.fill_diagonal(cosines, -1)
    for row in range(60):
        near = np.argsort(-cosines[row])[:3]
        weights = np.maximum(cosines[row, near], 0) ** 2
        drawn = rows[row] + 0.5 * (weights / weights.sum()) @ rows[near]
        assert np.allclose(found[row], drawn / np.linalg.norm(drawn), atol=1e-5)
    (kept,) = tmp_path.glob("nearest-*.npz")
    before = kept.stat().st_mtime_ns
    assert np.array_equal(smoothed(rows, tmp_path, **options), found)
    assert kept.stat().st_mtime_ns == before
    smoothed(rows[:50], tmp_path, **options)
    assert len(list(tmp_path.glob("nearest-*.npz"))) == 2


def test_views_hold_the_tokens_that_they_name() -> None:
    from training.bags import PaperBags, thinned
    from training.data import TrainingPaper
    from training.vocabulary import new_tokenizer

    words = ["[UNK]", "graph", "nets", "learn", "fast", "now"]
    tokenizer = new_tokenizer({word: place for place, word in enumerate(words)})
    bags = PaperBags(
        tokenizer,
        [TrainingPaper("Graph nets", "learn, fast: now"), TrainingPaper("Now", "fast graph")],
    )
    views = {
        "title": [[1, 2], [5]],
        "abstract": [[3, 4, 5], [4, 1]],
        "first half": [[3], [4]],
        "second half": [[4, 5], [1]],
        "document": [[1, 2, 3, 4, 5], [5, 4, 1]],
        "paper": [[1, 2, 1, 2, 3, 4, 5], [5, 5, 4, 1]],
    }
    for name, expected in views.items():
        ids, starts = bags.view(np.array([0, 1]), name)  # type: ignore[arg-type]
        assert [part.tolist() for part in np.split(ids, starts[1:])] == expected, name
    random = np.random.default_rng(1)
    whole = (np.arange(30_000), np.arange(0, 30_000, 10))
    ids, starts = thinned(whole, 0.7, random)
    assert len(ids) / 30_000 == pytest.approx(0.7, abs=0.02)
    for part, own in zip(np.split(ids, starts[1:]), np.split(whole[0], whole[1][1:]), strict=True):
        assert set(part) <= set(own)


def test_the_documented_command_makes_a_model_and_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sentence_transformers")
    from tests.random_models import WORDS, bge_layout
    from training.train import main

    random = np.random.default_rng(0)
    records: list[dict[str, object]] = [
        {"title": " ".join(random.choice(WORDS, 5)), "abstract": " ".join(random.choice(WORDS, 30))}
        for _ in range(150)
    ]
    papers = write(tmp_path / "papers.jsonl", records)
    teacher = bge_layout(tmp_path)
    models = []
    for place, made in enumerate(("one", "two")):
        paths = [papers, tmp_path / made, "--teacher", teacher, "--work", tmp_path / "cache"]
        options = (
            "--vocabulary 200 --dimension 16 --batch 32 --tokens 8 --epochs 3 --neighbours 5 "
            "--bfloat16 1 --threads 1 --log"
        ).split()
        command = ["train", *map(str, paths), *options, f"{tmp_path / made}.log"]
        monkeypatch.setattr(sys, "argv", command)
        main()
        models.append(StaticEmbeddings(tmp_path / made))
        said = capsys.readouterr().out
        assert "150 papers" in said and "step 14/14" in said
        assert ("texts/s" in said) == (place == 0), "the teacher's vectors are kept"
    texts = [f"{r['title']}\n{r['abstract']}" for r in records]
    first, second = (model.embed(texts) for model in models)
    assert first.shape == (150, 16)
    assert np.array_equal(first, second)
    assert "step 14/14" in (tmp_path / "two.log").read_text()
