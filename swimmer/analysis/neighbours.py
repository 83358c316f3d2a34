"""The nearest papers of every paper, as a graph; exact, computed in batches."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from swimmer.errors import MissingExtraError, QueryError
from swimmer.retrieval import checked_k
from swimmer.store import PaperStore

if TYPE_CHECKING:
    from swimmer.store import Rows, Vectors

NEIGHBOUR_FORMATS = ("graphml", "csv", "json")

_BATCH = 4_096
_NODE = ("id", "title", "url", "venue", "year")
# XML 1.0 cannot hold these characters.
_NOT_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF])


def neighbours(store: PaperStore, k: int = 10) -> Iterator[tuple[Rows, Rows, Vectors]]:
    """Yield, in batches of papers, their rows (n,), their nearest rows and scores (n, k).

    Exact whatever the index of the store; a paper is not its own neighbour, and where there are
    fewer than k others, the last places hold row -1.

    Raises:
        QueryError: k is not a whole number above 0.
    """
    k = checked_k(k)
    for start in range(0, len(store), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(store)))
        scores, found = store.index.search_exactly(store.vectors(rows), k + 1)
        own = found == rows[:, None]
        # A paper with the same vector may be ranked before the paper itself, or instead of it.
        last = ~own.any(axis=1)
        own[last, -1] = True
        shape = (len(rows), found.shape[1] - 1)
        kept = np.full((len(rows), k), -1, np.int64), np.zeros((len(rows), k), np.float32)
        kept[0][:, : shape[1]] = found[~own].reshape(shape)[:, :k]
        kept[1][:, : shape[1]] = scores[~own].reshape(shape)[:, :k]
        yield rows, kept[0], kept[1]


def write_neighbours(store: PaperStore, out: TextIO, k: int = 10, format: str = "csv") -> int:
    """Write the graph of a store to a text stream; return the number of edges.

    `csv` has one edge a line (`source`, `target`, `rank`, `score`, and both titles), `json` is
    networkx's node-link form, `graphml` what Gephi, yEd and networkx read.

    Raises:
        QueryError: the format is not one of NEIGHBOUR_FORMATS, or k is below 1.
    """
    if format not in NEIGHBOUR_FORMATS:
        raise QueryError(
            f"unknown format {format!r:.40}", hint=f"choose one of {', '.join(NEIGHBOUR_FORMATS)}"
        )
    return {"csv": _write_csv, "json": _write_json, "graphml": _write_graphml}[format](
        store, out, checked_k(k)
    )


def to_networkx(store: PaperStore, k: int = 10) -> Any:
    """Return the graph of a store as a `networkx.DiGraph`, papers by id, edges with `score`.

    Raises:
        MissingExtraError: networkx is not installed.
    """
    try:
        networkx = import_module("networkx")
    except ImportError:
        raise MissingExtraError("a graph in memory", "graph") from None
    graph = networkx.DiGraph(store=store.name, model=store.identity.name)
    graph.add_nodes_from((node.pop("id"), node) for node in _nodes(store))
    graph.add_edges_from(
        (source, target, {"score": score, "rank": rank})
        for source, target, rank, score in _edges(store, k)
    )
    return graph


def _nodes(store: PaperStore) -> Iterator[dict[str, Any]]:
    for paper in store:
        node = {name: getattr(paper, name) for name in _NODE}
        yield {name: value for name, value in node.items() if value not in ("", None)}


def _edges(store: PaperStore, k: int) -> Iterator[tuple[str, str, int, float]]:
    ids = store.database.ids()
    for rows, found, scores in neighbours(store, k):
        for row, near, values in zip(rows.tolist(), found.tolist(), scores.tolist(), strict=True):
            for rank, (other, score) in enumerate(zip(near, values, strict=True), 1):
                if other >= 0:
                    yield ids[row], ids[other], rank, round(score, 6)


def _write_csv(store: PaperStore, out: TextIO, k: int) -> int:
    from swimmer.export import csv_cell

    titles = {paper.id: paper.display_title for paper in store}
    writer, count = csv.writer(out, lineterminator="\n"), 0
    writer.writerow(["source", "target", "rank", "score", "source_title", "target_title"])
    for source, target, rank, score in _edges(store, k):
        cells = (source, target, rank, score, titles[source], titles[target])
        writer.writerow([csv_cell(cell) for cell in cells])
        count += 1
    return count


def _write_json(store: PaperStore, out: TextIO, k: int) -> int:
    about = {"store": store.name, "model": store.identity.name}
    out.write(f'{{"directed": true, "multigraph": false, "graph": {json.dumps(about)}, "nodes": [')
    for i, node in enumerate(_nodes(store)):
        out.write((",\n" if i else "\n") + json.dumps(node, ensure_ascii=False))
    out.write('\n], "edges": [')
    count = 0
    for source, target, rank, score in _edges(store, k):
        edge = {"source": source, "target": target, "rank": rank, "score": score}
        out.write((",\n" if count else "\n") + json.dumps(edge, ensure_ascii=False))
        count += 1
    out.write("\n]}\n")
    return count


def _write_graphml(store: PaperStore, out: TextIO, k: int) -> int:
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write('<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n')
    for name in _NODE[1:]:
        kind = "int" if name == "year" else "string"
        out.write(f'<key id="{name}" for="node" attr.name="{name}" attr.type="{kind}"/>\n')
    for name, kind in (("score", "double"), ("rank", "int")):
        out.write(f'<key id="{name}" for="edge" attr.name="{name}" attr.type="{kind}"/>\n')
    out.write('<graph edgedefault="directed">\n')
    for node in _nodes(store):
        data = "".join(
            f'<data key="{name}">{escape(_xml(value))}</data>'
            for name, value in node.items()
            if name != "id"
        )
        out.write(f"<node id={quoteattr(_xml(node['id']))}>{data}</node>\n")
    count = 0
    for source, target, rank, score in _edges(store, k):
        out.write(
            f"<edge source={quoteattr(_xml(source))} target={quoteattr(_xml(target))}>"
            f'<data key="score">{score}</data><data key="rank">{rank}</data></edge>\n'
        )
        count += 1
    out.write("</graph>\n</graphml>\n")
    return count


def _xml(value: object) -> str:
    return str(value).translate(_NOT_XML)
