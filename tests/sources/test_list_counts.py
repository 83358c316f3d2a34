"""How many papers each real list of ../shared/lists has, counted in another way than it is read.

The counts take the raw text: entries, rows and tags, by patterns and by libraries that the readers
do not use. Skipped where the folder is not there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from swimmer.sources import SourceReport, open_source

LISTS = Path(__file__).resolve().parents[3] / "shared" / "lists"
NO_PAPERS = {"comment", "string", "preamble", "proceedings", "set"}
HOSTS = (
    "arxiv.org openreview.net aclanthology.org doi.org proceedings.mlr.press papers.nips.cc "
    "papers.neurips.cc proceedings.neurips.cc openaccess.thecvf.com nature.com science.org "
    "dl.acm.org jmlr.org researchgate.net semanticscholar.org"
).split()


def text_of(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def matches(pattern: str) -> Callable[[Path], int]:
    return lambda path: len(re.findall(pattern, text_of(path), re.MULTILINE))


def bibtex_entries(path: Path) -> int:
    kinds = re.findall(r"^[ \t]*@(\w+)\s*[{(]", text_of(path), re.MULTILINE)
    return sum(kind.lower() not in NO_PAPERS for kind in kinds)


def rows(path: Path) -> int:
    table = csv.reader(io.StringIO(text_of(path)))
    return sum(any(cell.strip() for cell in row) for row in table) - 1


def sheet_rows(path: Path) -> int:
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(path).active
    return sum(any(row) for row in sheet.iter_rows(values_only=True)) - 1


def links_to_papers(path: Path) -> int:
    """Count the rows of tables with a link, and the links of bullets that lead to a paper."""
    count = 0
    for line in text_of(path).splitlines():
        if re.match(r"\s*\|.*\]\(http", line):
            count += 1
        elif re.match(r"\s*(?:[-*+]|\d+\.)\s", line):
            count += sum(map(is_paper, re.findall(r"\]\((https?://[^)\s]+)", line)))
    return count


def is_paper(address: str) -> bool:
    parts = urlsplit(address)
    host = (parts.hostname or "").removeprefix("www.")
    return (host in HOSTS and len(parts.path) > 1) or parts.path.endswith(".pdf")


TYPE = r"^\ufeff?TY  - "
COUNTERS: dict[str, Callable[[Path], int]] = {
    "CitaviXmlImporterTest1.bib": bibtex_entries,
    "Endnote.entries.enw": matches("^%T "),
    "EndnoteXmlImporterTestArticle.xml": matches("<record>"),
    "awesome_llm.md": links_to_papers,
    "bl_examples.bib": bibtex_entries,
    "bx_lens_sample.csv": rows,
    "bx_openalex_sample.csv": rows,
    "bx_scopus_sample.csv": rows,
    "bx_wos_sample.txt": matches("^PT "),
    "daily_arxiv.md": matches(r"^\| \*\*\["),
    "em_main_papers.csv": rows,
    "em_tut.yml": matches("^- UID:"),
    "embase.csv": rows,
    "generic_labels.csv": rows,
    "hz.xlsx": sheet_rows,
    "hz_savedrecs.txt": matches("^PT "),
    "hz_scopus.csv": rows,
    "jr2_complex.bib": bibtex_entries,
    "jr2_jabref-authors.bib": bibtex_entries,
    "jr2_testjabref.bib": bibtex_entries,
    "mc_papers.csv": rows,
    "ovid_psycinfo.ris": matches(TYPE),
    "papers_ja.md": links_to_papers,
    "pubmed_endnote.txt": matches(TYPE),
    "scopus.ris": matches(TYPE),
    "web_of_science.txt": matches(TYPE),
}


@pytest.mark.skipif(not LISTS.is_dir(), reason="needs ../shared/lists")
def test_as_many_papers_are_read_as_are_counted() -> None:
    counted = {name: count(LISTS / name) for name, count in COUNTERS.items()}
    found = {
        path.name: len(list(open_source(path).papers(SourceReport())))
        for path in sorted(LISTS.iterdir())
    }
    assert found == counted
