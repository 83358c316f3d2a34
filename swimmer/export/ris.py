"""Papers as RIS, the format that every reference manager reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from swimmer.export.bibtex import marks_of, name_parts, publication, year_of
from swimmer.papers import Paper, arxiv_of, doi_of
from swimmer.text import readable

_KINDS = {
    "inproceedings": "CONF",
    "article": "JOUR",
    "incollection": "CHAP",
    "book": "BOOK",
    "phdthesis": "THES",
    "techreport": "RPRT",
    "misc": "UNPB",
}


def to_ris(papers: Iterable[Paper]) -> str:
    """Return papers as RIS records, UTF-8, each paper once; LaTeX is turned into Unicode."""
    listed = {paper.id: paper for paper in papers}.values()
    return "\n".join("".join(_lines(paper)) for paper in listed)


def _lines(paper: Paper) -> Iterator[str]:
    kind, venue = publication(paper)
    first, _, last = re.sub(r"\s?[-–—]{1,3}\s?", "–", _extra(paper, "pages")).partition("–")
    fields = [
        ("TY", _KINDS[kind]),
        ("ID", paper.id),
        ("TI", paper.display_title),
        *(("AU", _author(name)) for name in paper.authors),
        ("JO" if kind == "article" else "T2", readable(venue)),
        ("PY", year_of(paper)),
        ("VL", _extra(paper, "volume")),
        ("IS", _extra(paper, "number")),
        ("SP", first),
        ("EP", last),
        ("PB", _extra(paper, "publisher")),
        ("DO", doi_of(paper)),
        ("AN", f"arXiv:{arxiv_of(paper)}" if arxiv_of(paper) else ""),
        ("UR", paper.url),
        *(("KW", readable(keyword)) for keyword in paper.keywords),
        ("AB", readable(paper.abstract)),
        *(("N1", mark) for mark in marks_of(paper)),
    ]
    for tag, value in fields:
        if value:
            # A paper's texts are one line each (see `Paper`), so none can start a field.
            yield f"{tag}  - {value}\n"
    yield "ER  - \n"


def _author(name: str) -> str:
    name = readable(name)
    if "," in name:
        return name
    given, family, suffix = name_parts(name)
    return ", ".join(filter(None, (family, given, suffix)))


def _extra(paper: Paper, name: str) -> str:
    value = paper.extra.get(name)
    kept = isinstance(value, (str, int)) and not isinstance(value, bool)
    return readable(str(value)) if kept else ""
