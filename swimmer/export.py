"""Answers written out: JSON lines, CSV, Markdown; each safe to open where it is meant for."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from swimmer.query import Answer, hit_to_dict

CSV_COLUMNS = (
    "query", "rank", "score", "id", "title", "authors", "venue", "year", "url", "abstract",
)  # fmt: skip

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!$])")


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON-able values, in the schema of `docs/json.md`."""
    matched = answer.matched
    return {
        "query": answer.query,
        "store": answer.store,
        "model": answer.model,
        "matched": None
        if matched is None
        else {
            "id": matched.id,
            "title": matched.display_title,
            "url": matched.url,
            "exact": answer.exact,
        },
        "hits": [hit_to_dict(hit) for hit in answer.hits],
        "warnings": list(answer.warnings),
    }


def to_json(answers: Iterable[Answer]) -> str:
    """Return one JSON object a line, one line an answer."""
    return "".join(
        json.dumps(answer_to_dict(answer), ensure_ascii=False) + "\n" for answer in answers
    )


def to_csv(answers: Iterable[Answer]) -> str:
    """Return a CSV table with one row a hit; no cell can start a formula in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for answer in answers:
        for hit in answer.hits:
            paper = hit.paper
            cells = (
                answer.query, hit.rank, f"{hit.score:.6f}", paper.id, paper.title,
                "; ".join(paper.authors), paper.venue, paper.year or "", paper.url, paper.abstract,
            )  # fmt: skip
            writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue()


def _cell(value: object) -> object:
    # OWASP, "CSV injection": a quote in front keeps a spreadsheet from reading a formula.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return value
        return "'" + value
    return value


def to_markdown(answers: Iterable[Answer]) -> str:
    """Return a heading for each query and a numbered list of its hits."""
    parts = []
    for answer in answers:
        parts.append(f"## {_escaped(answer.query)}\n")
        parts += [f"> {_escaped(warning)}\n" for warning in answer.warnings]
        for hit in answer.hits:
            paper = hit.paper
            title = _escaped(paper.display_title)
            linked = f"[{title}](<{paper.url}>)" if paper.url else title
            who = _escaped(", ".join(paper.authors))
            where = _escaped(" ".join(str(part) for part in (paper.venue, paper.year) if part))
            about = " · ".join(part for part in (who, where) if part)
            parts.append(f"{hit.rank}. **{linked}** ({hit.score:.3f})  \n   {about}\n")
            if paper.abstract:
                parts.append(f"   {_escaped(paper.abstract)}\n")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


WRITERS: dict[str, Callable[[Iterable[Answer]], str]] = {
    "json": to_json,
    "csv": to_csv,
    "markdown": to_markdown,
}
"""The formats by name."""
