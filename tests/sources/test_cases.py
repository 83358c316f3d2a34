"""The small inputs of ../shared/cases/files, each with the right values that its README names.

They are examples of kinds of faults; the same kinds are tested with inputs of our own in
`test_lists` and `test_query_drafts`. Skipped where the folder is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from swimmer import build_store
from swimmer.analysis import read_draft
from swimmer.errors import SwimmerError
from swimmer.export import to_bibtex, to_ris
from swimmer.papers import Paper
from swimmer.sources import FileSource, SourceReport

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "files"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="../shared/cases is not there")


def read(name: str, **options: Any) -> tuple[list[Paper], SourceReport]:
    report = SourceReport()
    return list(FileSource(CASES / name, **options).papers(report)), report


def values(paper: Paper, fields: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(paper, name, paper.extra.get(name)) for name in fields)


@dataclass
class Case:
    """What the papers of a file hold: the fields compared, and their values by paper."""

    file: str
    fields: tuple[str, ...]
    expected: list[tuple[Any, ...]]
    options: dict[str, Any] = field(default_factory=dict)


ADA, BO, CY = "Ada Test", "Bo Roe", "Cy Poe"
LISTS = [
    Case(
        "01-brace-letters.bib",
        ("authors", "title", "venue"),
        [
            (
                (
                    "Łukasz Nowak",
                    "Søren Bøgh",
                    "Björn Stråle",
                    "Hans Große",
                    "Ayşe Yıldız",
                    "Ana García",
                ),
                "Straße Maps from Ærial Photographs",
                "København Conf.",
            )
        ],
    ),
    Case("02-text-before-first-entry.bib", (), [()]),
    Case("05a-authors-pipes.csv", ("authors",), [((ADA, BO, CY),)]),
    Case(
        "05b-authors-python-list.csv",
        ("authors", "keywords"),
        [((ADA, "Bo O'Roe"), ("probe", "small")), ((ADA, CY), ())],
    ),
    Case(
        "10a-biblatex.bib",
        ("title", "authors", "venue"),
        [
            ("Small Probes: A Study of Things", (ADA, "Jan van den Berg"), "Journal of Probes"),
        ],
    ),
    Case("10b-crossref.bib", ("venue", "year"), [("Proceedings of the Probe Conference", 2019)]),
    Case(
        "10c-concatenation.bib",
        ("title", "authors"),
        [
            ("Probes Joined", ("Jo Hall", ADA)),
            ("Comma Probes", ("Jane Roe",)),
        ],
    ),
    Case("11a-numbered.ris", ("venue",), [("Journal of Probes",), ("J. Prob.",)]),
    Case(
        "12-scopus-like.csv",
        ("venue", "keywords", "status", "abstract"),
        [
            ("Journal of Probes", ("probe", "small"), "", ""),
        ],
    ),
    Case("13-two-urls.csv", ("url",), [("https://a.example.org/1/",)]),
    Case(
        "14-csl.json", ("authors", "year"), [((ADA, "Open Things Team", "Jan van den Berg"), 2019)]
    ),
    Case(
        "15-inline-markup.json",
        ("title",),
        [
            ("H2O Probes and 18F Scans",),
            ("BERT Probes for k-Means",),
        ],
    ),
    Case("19-cp1252.bib", ("title", "authors"), [("Zürich Probes – Again", ("A. Müller",))]),
    Case(
        "09a-openalex.json",
        ("authors", "abstract", "venue", "url", "keywords", "status"),
        [
            (
                (ADA, BO),
                "We probe graphs. Then probe",
                "Journal of Probes",
                "https://doi.org/10.1000/abc",
                ("Graph",),
                "",
            ),
        ],
    ),
    Case(
        "09b-arxiv-snapshot.json",
        ("authors", "year", "url", "venue", "keywords"),
        [
            (
                (ADA, "Bo Roe Jr."),
                2007,
                "https://arxiv.org/abs/0704.0001",
                "arXiv",
                ("cs.LG", "stat.ML"),
            ),
        ],
    ),
    Case("08-openreview-dump.json", ("title",), [("Small Probes",)]),
]


@pytest.mark.parametrize("case", LISTS, ids=lambda case: case.file)
def test_the_papers_of_a_list_hold_the_right_values(case: Case) -> None:
    papers, _ = read(case.file, **case.options)
    assert [values(paper, case.fields) for paper in papers] == case.expected


@pytest.mark.parametrize(("file", "papers"), [("03a-same-id.csv", 2), ("03b-same-url.json", 3)])
def test_different_papers_of_one_id_or_address_stay_apart(
    file: str, papers: int, tmp_path: Path
) -> None:
    with build_store(CASES / file, tmp_path / "case", model="static") as store:
        assert len(store) == papers


def test_the_second_entry_of_a_key_is_read() -> None:
    second = read("04-duplicate-key.bib")[0][1]
    assert values(second, ("authors", "venue", "url", "doi")) == (
        ("Jane Doe", "Rick Roe"),
        "Journal of Probes",
        "https://example.org/x",
        "10.1000/xyz",
    )


def test_authors_in_other_separators() -> None:
    assert [len(paper.authors) for paper in read("05c-authors-other.json")[0]] == [3, 2, 2]


def test_zotero() -> None:
    one, two = read("06-zotero.csv")[0]
    assert (one.status, one.url) == ("", "https://doi.org/10.1000/z")
    assert two.authors == (ADA,)
    assert two.venue in ("Probes 2023", "Proc. Probes")


def test_paperlists() -> None:
    first, second = read("07-paperlists-iros2031.json")[0]
    assert values(first, ("authors", "venue", "year")) == (("A. Test", "B. Roe"), "IROS", 2031)
    assert second.year == 2031
    assert second.venue


def test_one_space_in_ris() -> None:
    (paper,), _ = read("11b-one-space.ris")
    assert len(paper.authors) == 2


def test_placeholders_are_none() -> None:
    papers, report = read("16-placeholder-abstract.csv")
    assert report.without_abstract == 3
    assert not papers[0].authors


def test_own_macros_and_input() -> None:
    paper = read_draft(CASES / "17-own-macros.tex").paper
    assert paper.title == "ProbeNet: Probing with Small Probes"
    assert paper.abstract == "We propose ProbeNet."
    assert (CASES / "17-abstract.tex").is_file()


def test_an_encoding_that_is_not_utf8() -> None:
    assert read_draft(CASES / "18-latin1.tex").paper.title == "Zürich Probes"


def test_a_status_is_asked_of_a_file() -> None:
    assert len(read("20-status-on-file.json", status="rejected")[0]) == 1


@pytest.mark.parametrize("file", ["21-nbib.nbib", "22-endnote.enw", "23-html-head.md"])
def test_formats_of_managers_are_read(file: str) -> None:
    papers, report = read(file)
    assert papers and all(paper.title for paper in papers)
    assert not report.left_out


@pytest.mark.parametrize(
    ("file", "check"),
    [
        (
            "24-structured-abstract.pdf",
            lambda paper: (
                paper.abstract.startswith("Introduction Probes are lost")
                and paper.abstract.endswith("no training data.")
            ),
        ),
        (
            "25-heading-as-large-as-title.pdf",
            lambda paper: paper.title == "OPTIM: A Manager of Small Probes",
        ),
        (
            "26-aes-no-password.pdf",
            lambda paper: paper.title == "Recovering Probes from Documents",
        ),
    ],
)
def test_drafts_in_pdf(file: str, check: Callable[[Paper], bool]) -> None:
    pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    paper = read_draft(CASES / file).paper
    assert check(paper), paper


def test_articles_are_exported_as_articles() -> None:
    papers, _ = read("27-journal-article.bib")
    text = to_bibtex(papers)
    assert text.count("@article{") == len(papers) == 2
    for name, times in (("journal", 2), ("volume", 2), ("number", 1), ("pages", 2)):
        assert text.count(f"  {name} = ") == times, text
    assert to_ris(papers).count("TY  - JOUR") == 2


def test_an_archive_is_read_or_named() -> None:
    try:
        papers, _ = read("28-archive.zip")
    except SwimmerError as error:
        assert "zip archive" in str(error)
    else:
        assert papers


@pytest.mark.parametrize("name", ["nosuch.pdf", "nosuch.bib"])
def test_a_missing_file_is_an_error(name: str, swimmer: Callable[..., Any]) -> None:
    outcome = swimmer("search", name, "-s", "sample")
    assert outcome.code == 2
    assert "no such file" in outcome.err


def test_every_case_is_tested() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    names = [path.name for path in CASES.iterdir() if path.name != "README.md"]
    assert len(names) == 36
    assert [name for name in names if name not in tested] == []
