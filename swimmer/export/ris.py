"""Papers as RIS, the format that every reference manager reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from swimmer.export.bibtex import family_name, publication, year_of
from swimmer.papers import Paper, arxiv_of, doi_of
from swimmer.text import readable

_KINDS = {"inproceedings": "CONF", "article": "JOUR", "misc": "UNPB"}


def to_ris(papers: Iterable[Paper]) -> str:
    """Return papers as RIS records, UTF-8, each paper once; LaTeX is turned into Unicode."""
    listed = {paper.id: paper for paper in papers}.values()
    return "\n".join("".join(_lines(paper)) for paper in listed)


def _lines(paper: Paper) -> Iterator[str]:
    kind, venue = publication(paper)
    fields = [
        ("TY", _KINDS[kind]),
        ("ID", paper.id),
        ("TI", paper.display_title),
        *(("AU", _author(name)) for name in paper.authors),
        ("JO" if kind == "article" else "T2", readable(venue)),
        ("PY", year_of(paper)),
        ("DO", doi_of(paper)),
        ("AN", f"arXiv:{arxiv_of(paper)}" if arxiv_of(paper) else ""),
        ("UR", paper.url),
        *(("KW", readable(keyword)) for keyword in paper.keywords),
        ("AB", readable(paper.abstract)),
    ]
    for tag, value in fields:
        if value:
            # A paper's texts are one line each (see `Paper`), so none can start a field.
            yield f"{tag}  - {value}\n"
    yield "ER  - \n"


def _author(name: str) -> str:
    name = readable(name)
    family = family_name(name)
    # "Family, Given" only where nothing stands behind the family name.
    given = name.removesuffix(family).strip()
    return f"{family}, {given}" if "," not in name and given else name
