"""What the training takes and refuses, and that its two losses have the gradients they claim."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

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
