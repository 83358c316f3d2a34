"""How good each way of asking is: modes x models over the sets of `quality.py`.

    python benchmarks/quality_modes.py SET [SET ...] --models static minilm --cache vectors/

Every mode is asked of the engine itself, `swimmer.ask` over a store in memory. Queries are asked
as papers (title and abstract) where the set gives an abstract, else as text; known papers are
answered from their stored vectors. Of a set with topics, 500 papers are asked. `examples 3`
(topics only) asks with two more papers of the same topic.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from judged_sets import JudgedSet, read_set
from quality import Floats, interval, load_embed, measure

import swimmer.retrieval.ranking as ranking
from swimmer import Paper, PaperStore, ask
from swimmer.embeddings.model import Model
from swimmer.retrieval.fusion import fused

ASKED = 500
SHOWN = ("nDCG@10", "P@1", "P@10")
WAYS: dict[str, dict[str, Any]] = {
    "dense": {},
    "keyword": {"mode": "keyword"},
    "hybrid, words 0.25": {"mode": "hybrid", "weight": 0.25},
    "hybrid, words 0.5": {"mode": "hybrid", "weight": 0.5},
    "hybrid, words 1": {"mode": "hybrid", "weight": 1.0},
    "diversity 0.3": {"diversity": 0.3},
    "group": {"group": True},
    "examples 3": {"examples": True},
}


class Cached:
    """A model of `quality.py` with LangChain's methods."""

    def __init__(self, name: str, cache: Path | None) -> None:
        self.model_name = name
        self._embed = load_embed(name, cache)

    def embed_documents(self, texts: list[str]) -> Floats:
        return self._embed(texts)

    def embed_query(self, text: str) -> Floats:
        return self._embed([text])[0]


def as_paper(text: str, pid: str) -> Paper:
    title, _, abstract = text.partition("\n")
    return Paper(title, abstract, id=pid)


def sampled(judged: JudgedSet) -> JudgedSet:
    """The set, of one with topics an even sample of its queries."""
    if len(judged.queries) <= ASKED:
        return judged
    places = np.linspace(0, len(judged.queries) - 1, ASKED).astype(int).tolist()
    return JudgedSet(
        judged.name,
        judged.pids,
        judged.texts,
        [judged.queries[i] for i in places],
        [judged.grades[i] for i in places],
    )


def scores_of(judged: JudgedSet, store: PaperStore, depth: int, way: dict[str, Any]) -> Floats:
    """Minus the rank of every paper that a way of asking finds, float32 (queries, papers)."""
    options = dict(way)
    ranking.KEYWORD_WEIGHT = options.pop("weight", ranking.KEYWORD_WEIGHT)
    examples = options.pop("examples", False)
    scores = np.full((len(judged.queries), len(judged.pids)), -1e6, np.float32)
    places = {pid: place for place, pid in enumerate(judged.pids)}
    for i, query in enumerate(judged.queries):
        asked = as_paper(query.text, f"q{query.qid}") if "\n" in query.text else query.title
        if examples:
            options["like"] = [
                as_paper(judged.texts[j], "like") for j in list(judged.grades[i])[:2]
            ]
        # Where candidates are judged, all of them are ranked, the paper that a query names too:
        # people who search for a title mean that paper. `measure` leaves out those not judged.
        candidates = not all(judged.grades[i].values())
        (answer,) = ask(store, [asked], depth, include_self=candidates, **options)
        for hit in answer.hits:
            scores[i, places[hit.paper.id]] = -hit.rank
    return scores


def beside(first: Floats, second: Floats) -> Floats:
    """Two rankings of minus ranks fused, each weighing one."""
    out = np.full(first.shape, -1e6, np.float32)
    for i in range(len(first)):
        lists = [
            [int(j) for j in np.argsort(-scores[i], kind="stable") if scores[i, j] > -1e6]
            for scores in (first, second)
        ]
        for rank, (row, _) in enumerate(fused(lists, [1.0, 1.0]), 1):
            out[i, row] = -rank
    return out


def run(judged: JudgedSet, models: Sequence[str], cache: Path | None) -> list[list[str]]:
    judged = sampled(judged)
    topics = all(all(grades.values()) for grades in judged.grades)
    depth = 100 if topics else len(judged.pids)
    papers = [as_paper(text, pid) for text, pid in zip(judged.texts, judged.pids, strict=True)]
    lines, dense = [], {}
    for name in models:
        model = Model(Cached(name, cache), name, languages=())
        store = PaperStore.create(model)
        # Some of these sets have one paper twice, under two ids.
        store.add(papers, model.embed_papers([model.text_of(paper) for paper in papers]))
        for way, options in WAYS.items():
            if way == "examples 3" and not topics:
                continue
            scores = scores_of(judged, store, depth, options)
            if way == "dense":
                dense[name] = scores
            lines.append(line(judged, name, way, scores))
    if len(dense) == 2:
        first, second = dense
        lines.append(line(judged, f"{second} + {first}", "fused", beside(*dense.values())))
    return lines


def line(judged: JudgedSet, model: str, way: str, scores: Floats) -> list[str]:
    cells = [judged.name, model, way]
    values = measure(judged, scores)
    for name in SHOWN:
        low, high = interval(values[name])
        cells.append(f"{values[name].mean():.3f} ({low:.3f}–{high:.3f})")
    print("| " + " | ".join(cells) + " |", flush=True)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["static"])
    parser.add_argument("--cache", type=Path, help="keep vectors of transformers in this folder")
    options = parser.parse_args()
    print("| set | model | way | " + " | ".join(SHOWN) + " |")
    print("| --- | --- | --- |" + " --- |" * len(SHOWN))
    for folder in options.sets:
        run(read_set(folder), options.models, options.cache)


if __name__ == "__main__":
    main()
