"""Drafts in PDF, LaTeX and Markdown, bibliographies, and what a draft should not miss."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, build_store
from swimmer.analysis.drafts import ENTRIES, papers_named, read_draft, related
from swimmer.errors import QueryError, SourceError
from tests.conftest import Outcome
from tests.messages import pdf_of
from tests.query_fixtures import small_papers, store_of

TITLE = "Private Aggregation of Gradients"
ABSTRACT = "Federated learning on phones leaks gradients. We present secure aggregation."
CITED = "Adaptive privacy learning, part 0"

LATEX = r"""
\documentclass{article}
% \title{Not this one}
\title[Short]{Private {A}ggregation \\ of Gradients\thanks{Funded.}}
\begin{document}\maketitle
\begin{abstract}
Federated learning on phones leaks gradients \cite{x}. We present \emph{secure} aggregation.
\end{abstract}
\section{Introduction} Nothing. \bibliography{refs}
\end{document}
"""
MARKDOWN = f"""# {TITLE}

## Abstract
{ABSTRACT}

## Introduction
Nothing.

## References
1. Ada Adaptive. *{CITED}*. NeurIPS 2019.
"""
BIB = """@inproceedings{one,
  title = {{Adaptive} privacy
           learning, part 0},
  author = {Ada Adaptive},
  booktitle = {NeurIPS},
  year = 2019,
}
"""


PDF = pdf_of(
    [
        (8, "Preprint. Under review."),
        (18, "Private Aggregation of"),
        (18, "Gradients"),
        (10, "Ada Lovelace"),
        (11, "Abstract"),
        (10, "Federated learning on phones leaks gradi-"),
        (10, "ents. We present secure aggregation."),
        (11, "1 Introduction"),
        (10, "Nothing."),
        (11, "References"),
        (9, "[1] Ada Adaptive. Adaptive privacy learn-"),
        (9, "ing, part 0. NeurIPS 2019."),
    ]
)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def drafts(folder: Path) -> dict[str, Path]:
    pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    written(folder, "refs.bib", BIB)
    return {
        "tex": written(folder, "draft.tex", LATEX),
        "md": written(folder, "draft.md", MARKDOWN),
        "pdf": written(folder, "draft.pdf", PDF),
    }


@pytest.mark.parametrize("kind", ["tex", "md", "pdf"])
def test_title_abstract_and_bibliography_of_a_draft_are_found(tmp_path: Path, kind: str) -> None:
    draft = read_draft(drafts(tmp_path)[kind])
    assert draft.paper.title == TITLE
    assert " ".join(draft.paper.abstract.split()) == ABSTRACT
    assert draft.cites(Paper(CITED)) and draft.cites(Paper(TITLE))
    assert not draft.cites(Paper("Robust privacy learning, part 1"))


@pytest.mark.parametrize("kind", ["tex", "md", "pdf"])
def test_related_work_misses_nothing_but_what_is_cited(tmp_path: Path, kind: str) -> None:
    store = store_of(small_papers())
    draft = read_draft(drafts(tmp_path)[kind])
    hits, cited = related(store, draft, 7)
    assert cited == 1 and len(hits) == 7
    assert CITED not in {hit.paper.title for hit in hits}
    assert all("privacy" in hit.paper.title for hit in hits)
    assert [hit.rank for hit in hits] == list(range(1, 8))
    every, _ = related(store, draft, 100)
    assert len(every) == len(store) - 1


def test_a_bibliography_given_beside_the_draft_counts(tmp_path: Path) -> None:
    plain = written(tmp_path, "draft.md", f"# {TITLE}\n\n{ABSTRACT}\n")
    bib = written(tmp_path, "other.bib", BIB)
    assert not read_draft(plain).cites(Paper(CITED))
    assert read_draft(plain, bib).cites(Paper(CITED))
    assert read_draft(plain).paper.abstract == ABSTRACT


def test_front_matter_is_read(tmp_path: Path) -> None:
    text = f'---\ntitle: "{TITLE}"\nabstract: |\n  {ABSTRACT}\n---\n\n# Introduction\n'
    paper = read_draft(written(tmp_path, "draft.md", text)).paper
    assert (paper.title, paper.abstract) == (TITLE, ABSTRACT)


def test_a_draft_without_abstract_is_asked_by_its_title(tmp_path: Path) -> None:
    draft = read_draft(written(tmp_path, "d.tex", r"\title{Secure privacy}\begin{document}"))
    assert draft.paper.abstract == ""
    hits, _ = related(store_of(small_papers()), draft, 3)
    assert all("privacy" in hit.paper.title for hit in hits)


def test_a_bibliography_outside_the_drafts_folder_is_not_read(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    written(tmp_path, "refs.bib", BIB)
    draft = written(inner, "draft.tex", LATEX.replace("{refs}", "{../refs}"))
    assert not read_draft(draft).cites(Paper(CITED))


def test_a_bib_of_five_thousand_entries_is_seeds(tmp_path: Path) -> None:
    entries = "\n".join(
        f"@article{{k{i},\n  title = {{Study {i} of reward}},\n  year = 2020,\n}}"
        for i in range(ENTRIES)
    )
    path = written(tmp_path, "many.bib", entries)
    start = time.monotonic()
    papers = papers_named(str(path))
    assert len(papers) == ENTRIES
    assert papers[17].title == "Study 17 of reward"
    assert time.monotonic() - start < 60


def test_an_encrypted_pdf_says_so(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    writer = pypdf.PdfWriter(clone_from=written(tmp_path, "plain.pdf", PDF))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(QueryError, match=r"is encrypted\nhint: save a copy without a password"):
        read_draft(tmp_path / "locked.pdf")


def test_own_macros_and_parts_are_put_in(tmp_path: Path) -> None:
    written(tmp_path, "parts/abstract.tex", r"\sys{} halves the cost of \tasks.")
    draft = r"""\documentclass{article}
\newcommand{\sys}{\textbf{FishNet}}
\newcommand\tasks{\emph{fish tasks}}
\def\kind{Deep}
\title{\sys: A \kind{} Net for \tasks}
\begin{document}
\begin{abstract}
\input{parts/abstract}
\end{abstract}
\end{document}
"""
    paper = read_draft(written(tmp_path, "draft.tex", draft)).paper
    assert paper.title == "FishNet: A Deep Net for fish tasks"
    assert paper.abstract == "FishNet halves the cost of fish tasks."


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_a_draft_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    draft = r"""\title{Größe der Fische in Île-de-France}
\begin{document}\begin{abstract}Für die Fische à Paris.\end{abstract}\end{document}"""
    paper = read_draft(written(tmp_path, "draft.tex", draft.encode(encoding))).paper
    assert paper.title == "Größe der Fische in Île-de-France"
    assert paper.abstract == "Für die Fische à Paris."


STRUCTURED = [
    (17, "Counting Fish from Boats"),
    (10, "Ann Fox"),
    (10, "ABSTRACT"),
    (9, "Background Fish are hard to count. Methods We row a"),
    (9, "boat. Results Introduction of nets helps. Conclusions Row on."),
    (12, "1 Introduction"),
    (9, "Boats have long been rowed."),
]


def test_the_parts_of_a_structured_abstract_do_not_end_it(tmp_path: Path) -> None:
    pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    paper = read_draft(written(tmp_path, "draft.pdf", pdf_of(STRUCTURED))).paper
    assert paper.title == "Counting Fish from Boats"
    assert paper.abstract.startswith("Background Fish are hard to count.")
    assert paper.abstract.endswith("Conclusions Row on.")


@pytest.mark.parametrize("heading", ["1 Introduction", "1. INTRODUCTION", "I. Introduction"])
def test_a_heading_as_large_as_the_title_is_no_part_of_it(tmp_path: Path, heading: str) -> None:
    pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    lines = [
        (14, "FishNet: A Net for Fish"),
        (14, "in Deep Water"),
        (10, "Ann Fox"),
        (12, "Abstract"),
        (9, "We fish."),
        (14, heading),
        (9, "Fish need nets."),
    ]
    paper = read_draft(written(tmp_path, "draft.pdf", pdf_of(lines))).paper
    assert paper.title == "FishNet: A Net for Fish in Deep Water"
    assert paper.abstract == "We fish."


@pytest.mark.parametrize("algorithm", ["AES-128", "AES-256", "RC4-128"])
def test_a_pdf_that_any_reader_opens_is_read(tmp_path: Path, algorithm: str) -> None:
    pypdf = pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    pytest.importorskip("cryptography", reason="the extra pdf is not installed")
    writer = pypdf.PdfWriter(clone_from=written(tmp_path, "plain.pdf", pdf_of(STRUCTURED)))
    writer.encrypt(user_password="", owner_password="secret", algorithm=algorithm)
    writer.write(tmp_path / "printing-forbidden.pdf")
    paper = read_draft(tmp_path / "printing-forbidden.pdf").paper
    assert paper.title == "Counting Fish from Boats"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", b"%PDF-1.4\ntrash", "cannot be read as a PDF"),
        ("a.pdf", b"", "cannot be read as a PDF"),
        ("a.pdf", PDF[: len(PDF) // 2], "cannot be read as a PDF"),
        ("a.pdf", pdf_of([]), "no title was found"),
        ("a.tex", "no title here", "no title was found"),
        ("a.tex", r"\title{" + "{" * 5_000, "no title was found"),
        ("a.md", "", "no title was found"),
        ("a.docx", "x", "a draft ends in .pdf, .tex, .md"),
        (None, "", "cannot be read"),
    ],
)
def test_drafts_that_cannot_be_read(
    tmp_path: Path, name: str | None, content: str | bytes, said: str
) -> None:
    pytest.importorskip("pypdf", reason="the extra pdf is not installed")
    path = written(tmp_path, name, content) if name else tmp_path / "missing.tex"
    with pytest.raises(QueryError, match=said):
        read_draft(path)


def test_an_empty_bib_is_no_seed(tmp_path: Path) -> None:
    with pytest.raises((QueryError, SourceError)):
        papers_named(str(written(tmp_path, "empty.bib", "% nothing\n")))


# ---------------------------------------------------------------------- the command line


@pytest.fixture
def small_store(home: Path) -> Path:
    build_store(small_papers(), home / "vectorstores" / "small").close()
    return home


MACROS = r"""\documentclass{article}
\newcommand{\method}{\textsc{FishNet}\xspace}
\newcommand\ours[2][Ours]{#1 of #2}
\def\pair#1#2{#1--#2}
\newcommand{\again}{\again\again}
\newcommand{\outerone}[1]{\best{#1} indeed}
\newcommand { \best } [1] {\textbf{#1}}
\providecommand{\R}{\mathbb{R}}
\title{\method for \outerone{Fast \pair{A}{B}} Fish}
\begin{document}
\begin{abstract}
We present \method and \ours{us}, \ours[Theirs]{them}. In $\R^d$ it is 50\% faster~\citep[see][p.~3]{a1}.
\pair alone, and \again, do no harm.
\end{abstract}
\end{document}
"""


def test_macros_of_a_drafts_own_take_arguments(tmp_path: Path) -> None:
    paper = read_draft(written(tmp_path, "d.tex", MACROS)).paper
    assert paper.title == "FishNet for Fast A–B indeed Fish"
    assert paper.abstract.startswith(
        "We present FishNet and Ours of us, Theirs of them. In ℝ^d it is 50% faster."
    )
    assert "alone, and" in paper.abstract and paper.abstract.endswith("do no harm.")


def test_related_prints_bibtex_without_what_is_cited(
    small_store: Path, swimmer: Callable[..., Outcome]
) -> None:
    draft = drafts(small_store)["tex"]
    done: Outcome = swimmer("related", str(draft), "-k", "5")
    assert done.code == 0 and done.out.count("\n@") + done.out.startswith("@") == 5
    assert "part 0" not in done.out or "Adaptive privacy" not in done.out
    assert "5 papers of small near 'Private Aggregation of Gradients'; 1 more" in done.err
    listed = swimmer("related", str(draft), "-k", "3", "-f", "json", "--where", "year>=2022")
    assert listed.out.count('"rank"') == 3 and '"year": 2019' not in listed.out
    assert swimmer("related", "missing.tex").code == 2


def test_a_draft_and_a_bib_are_queries(small_store: Path, swimmer: Callable[..., Outcome]) -> None:
    found = drafts(small_store)
    by_pdf = swimmer("search", str(found["pdf"]), "-k", "2")
    assert by_pdf.code == 0 and "privacy learning" in by_pdf.out
    by_bib = swimmer("search", str(small_store / "refs.bib"), "-k", "2", "--json")
    assert by_bib.code == 0 and CITED in by_bib.out


def test_an_abstract_from_a_file_or_the_command_line(
    small_store: Path, swimmer: Callable[..., Outcome]
) -> None:
    written(small_store, "abstract.txt", ABSTRACT)
    for abstract in (ABSTRACT, "@abstract.txt"):
        done = swimmer("search", "Untitled", "--abstract", abstract, "-k", "2", "--brief")
        assert done.code == 0 and done.out.count("privacy learning") == 2
    assert swimmer("search", "Untitled", "--abstract", "@none.txt").code == 2
    assert swimmer("search", "Untitled", "--abstract", " ").code == 2
    assert swimmer("search", "A", "B", "--abstract", "x").code == 2
