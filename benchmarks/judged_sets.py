"""Sets of judged papers: a corpus, queries, and the grades of papers (see `quality.py`)."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from swimmer import Paper

ABSTRACT_CHARS = 500


@dataclass(frozen=True)
class Query:
    """One query: its title, title and abstract, and the place of its paper in the corpus if any."""

    qid: str
    title: str
    text: str
    own: int | None
    paper: Paper | None = None


@dataclass(frozen=True)
class JudgedSet:
    """A corpus, its queries, and the grade of each judged paper of a query (by place)."""

    name: str
    pids: list[str]
    texts: list[str]
    queries: list[Query]
    grades: list[dict[int, int]]
    papers: list[Paper]
    kind: str


def read_set(folder: Path) -> JudgedSet:
    """Read a set from its folder; raises ``ValueError`` that names what is missing in it."""
    corpus = _read_jsonl(folder / "corpus.jsonl")
    pids = _distinct([str(record.get("pid", record.get("id"))) for record in corpus])
    texts = [_document(record) for record in corpus]
    papers = [_paper(record, pid) for record, pid in zip(corpus, pids, strict=True)]
    if (folder / "queries.json").exists():
        queries, grades = _listed(json.loads((folder / "queries.json").read_text("utf-8")))
        kind = "lists"
    elif (folder / "queries.jsonl").exists():
        queries, grades = _graded(folder, corpus, pids)
        triplets = all(len(one) == 2 for one in grades)
        kind = "triplets" if triplets else "grades"
    elif all("topic" in record for record in corpus):
        queries, grades = _topics(corpus, pids, texts)
        kind = "topics"
    else:
        raise ValueError(f"{folder} has no queries, and its corpus.jsonl no topics")
    return JudgedSet(folder.name, pids, texts, queries, grades, papers, kind)


def _distinct(pids: list[str]) -> list[str]:
    """Return ids, the second one of its kind with a number behind: a corpus may repeat some."""
    seen: dict[str, int] = {}
    out = []
    for pid in pids:
        seen[pid] = seen.get(pid, 0) + 1
        out.append(pid if seen[pid] == 1 else f"{pid}#{seen[pid]}")
    return out


def _listed(meta: dict[str, object]) -> tuple[list[Query], list[dict[int, int]]]:
    records = meta["queries"]
    assert isinstance(records, list)
    queries = [
        Query(f"q{i}", str(one["title"]), str(one["title"]), int(one["own"]))
        for i, one in enumerate(records)
    ]
    return queries, [{int(k): int(v) for k, v in one["rel"].items()} for one in records]


def _graded(
    folder: Path, corpus: list[dict[str, object]], pids: list[str]
) -> tuple[list[Query], list[dict[int, int]]]:
    places = {pid: place for place, pid in enumerate(pids)}
    keys = {_key(str(record["title"])): place for place, record in enumerate(corpus)}
    judged: dict[str, dict[int, int]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        if line.strip():
            qid, pid, grade = line.split("\t")
            judged.setdefault(qid, {})[places[pid]] = int(float(grade))
    queries = []
    for record in _read_jsonl(folder / "queries.jsonl"):
        title = str(record.get("title") or record.get("text") or "")
        whole = bool(record.get("abstract"))
        text = _document(record) if whole else title
        own = places.get(str(record.get("pid")), keys.get(_key(title)))
        paper = _paper(record, f"query {record['qid']}") if whole else None
        queries.append(Query(str(record["qid"]), title, text, own, paper))
    queries = [query for query in queries if query.qid in judged]
    if not queries:
        raise ValueError(f"{folder}: no query of queries.jsonl is judged in qrels.tsv")
    return queries, [judged[query.qid] for query in queries]


def _topics(
    corpus: list[dict[str, object]], pids: list[str], texts: list[str]
) -> tuple[list[Query], list[dict[int, int]]]:
    by_topic: dict[object, list[int]] = {}
    for place, record in enumerate(corpus):
        by_topic.setdefault(record["topic"], []).append(place)
    queries, grades = [], []
    for place, record in enumerate(corpus):
        same = {other: 1 for other in by_topic[record["topic"]] if other != place}
        queries.append(Query(pids[place], str(record["title"]), texts[place], place))
        grades.append(same)
    return queries, grades


# ---------------------------------------------------------------------- rankings


def _document(record: dict[str, object]) -> str:
    abstract = str(record.get("abstract") or "")[:ABSTRACT_CHARS]
    return f"{record['title']}\n{abstract}" if abstract else str(record["title"])


def _paper(record: dict[str, object], identifier: str) -> Paper:
    # An address of its own, or papers with one title would be merged into one.
    address = f"https://example.org/{hashlib.sha256(identifier.encode()).hexdigest()[:16]}"
    return Paper(
        str(record["title"]),
        str(record.get("abstract") or ""),
        id=identifier,
        url=address,
        authors=(identifier,),
    )


def _key(title: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", title).lower())


def _read_jsonl(path: Path) -> list[dict[str, object]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
