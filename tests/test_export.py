"""Exports: what is written can be read back by other programs, and nothing breaks out of it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from swimmer import Answer, Hit, Paper
from swimmer.errors import InputError, ModelError
from swimmer.export import SUFFIXES, WRITERS, papers_of, papers_to_csv, to_csv, write_text
from swimmer.export.bibtex import citation_keys, family_name, latex, publication, to_bibtex
from swimmer.export.reading_list import to_reading_list, translate_abstracts
from swimmer.export.ris import to_ris
from swimmer.export.tex_commands import ENVIRONMENTS, KEPT
from swimmer.sources import FileSource, SourceReport, open_source
from swimmer.text import readable

bibtexparser = pytest.importorskip("bibtexparser", reason="needs the extra 'sources'")
pybtex_database = pytest.importorskip("pybtex.database", reason="needs pybtex, a test dependency")
rispy = pytest.importorskip("rispy", reason="needs the extra 'sources'")

PAPERS = [
    Paper(
        r"$\beta$-VAE: 50% of A & B_c with GPT-4",
        authors=("Jean de La Fontaine", "Søren Å"),
        venue="ICLR",
        year=2025,
        url="https://openreview.net/forum?id=AbCdEfGhIj",
        id="AbCdEfGhIj",
        abstract=r"Keywords: 100% of $x_{\{1\}}$ #1, see https://example.org/code (a_b).",
        keywords=("disentangling", "beta"),
        status="Oral",
    ),
    Paper(
        "Attention Is All You Need",
        authors=("Ashish Vaswani", "Noam Shazeer"),
        venue="arXiv",
        year=2017,
        url="https://arxiv.org/abs/1706.03762",
        id="1706.03762",
        abstract="A network of attention only.",
    ),
    Paper("深層学習の研究", authors=("山田 太郎",), venue="TMLR", year=2024, id="ja-1"),
    Paper(
        "A Study of [Brackets], `Code` and *Stars* in __init__",
        authors=("Ada Lovelace",),
        venue="ACL 2022",
        id="acl-1",
        abstract="# not a heading",
        extra={"doi": "10.18653/v1/2022.acl-long.1", "pages": "1-9"},
    ),
]
HOSTILE = [
    r"Ends with a backslash \\",
    "Unbalanced } brace {{ here",
    "@misc{evil, title={owned}}",
    'quote " and % and # and $ and ~ and ^',
    r"\input{secret} \{ half",
    "},\n@article{x, title={y",
]


def answer(papers: list[Paper]) -> Answer:
    hits = [Hit(paper, 0.9, rank) for rank, paper in enumerate(papers, 1)]
    return Answer("a query", "sample", "static", None, False, hits)


def read_back(tmp_path: Path, name: str, text: str) -> list[Paper]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    report = SourceReport()
    papers = list(open_source(path).papers(report))
    assert not report.skipped
    return papers


def both_parsers(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Return (type, key, fields) of each entry, the same from bibtexparser and from pybtex."""
    library = bibtexparser.parse_string(text)
    assert not library.failed_blocks
    first = [(e.entry_type, e.key, {f.key: f.value for f in e.fields}) for e in library.entries]
    second = pybtex_database.parse_string(text, "bibtex").entries
    assert [key for _, key, _ in first] == list(second)
    for kind, key, fields in first:
        assert second[key].type == kind
        for name, value in second[key].fields.items():
            assert " ".join(fields[name].split()) == value
    return first


def test_bibtex_is_read_by_two_parsers() -> None:
    entries = both_parsers(to_bibtex(PAPERS))
    kinds = [kind for kind, _, _ in entries]
    assert kinds == ["inproceedings", "misc", "article", "inproceedings"]
    fields = entries[0][2]
    assert fields["title"] == r"$\beta$-{VAE}: 50\% of A \& B\_c with {GPT}-4"
    assert fields["booktitle"] == "International Conference on Learning Representations"
    assert entries[1][2]["eprint"] == "1706.03762"
    assert entries[3][2]["year"] == "2022"
    assert entries[3][2]["pages"] == "1--9"
    authors = (
        pybtex_database.parse_string(to_bibtex(PAPERS), "bibtex")
        .entries["delafontaine2025vae"]
        .persons["author"]
    )
    assert authors[0].prelast_names == ["de"]
    assert authors[0].last_names == ["La", "Fontaine"]


def test_bibtex_comes_back_as_the_same_papers(tmp_path: Path) -> None:
    for before, after in zip(
        PAPERS, read_back(tmp_path, "list.bib", to_bibtex(PAPERS)), strict=True
    ):
        assert after.key == before.key
        assert after.authors == before.authors
        assert after.url == before.url or not before.url


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_out_of_a_bibtex_field(text: str) -> None:
    paper = Paper(text, abstract=text, authors=(text,), venue=text, keywords=(text,))
    entries = both_parsers(to_bibtex([paper, PAPERS[1]]))
    assert len(entries) == 2
    assert entries[1][1] == "vaswani2017attention"


@settings(max_examples=150, deadline=None)
@example("\\ ")
@example("\\ }")
@given(st.text(alphabet=st.sampled_from("\\{}$%&#_^~@\"'=, abAB1\n"), min_size=1, max_size=30))
def test_a_bibtex_value_is_always_balanced(text: str) -> None:
    value = latex(text)
    depth = 0
    for char in value:
        depth += (char == "{") - (char == "}")
        assert depth >= 0
    assert depth == 0
    assert (len(value) - len(value.rstrip("\\"))) % 2 == 0


@pytest.mark.parametrize(
    "text",
    [
        r"Fish at $N\in\{3,6,9\}$. We swim",
        r"A score in $[0, 100%]$ of fish",
        r"Below \textless 60\% and \textgreater{} 3",
        r"Erd\H{o}s -- R\'{e}nyi fish, the ``big'' ones --- and all",
        "The ``big'' fish",
        r"Fish swim.\footnote{They say so at https://fish.example",
        r"By $\argmax_x f$ and $\det A \ne 0$",
        "A set {3, 6, 9} of fish, 20 % of all",
    ],
)
def test_latex_comes_back_from_bibtex_and_ris(text: str, tmp_path: Path) -> None:
    paper = Paper("Fish", abstract=text)
    for name, written in (("x.bib", to_bibtex([paper])), ("x.ris", to_ris([paper]))):
        (tmp_path / name).write_text(written, encoding="utf-8")
        (back,) = FileSource(tmp_path / name).papers(SourceReport())
        found = back.abstract if name == "x.ris" else readable(back.abstract)
        assert found == readable(text), name


NAMES = [
    ("Van M H", "Van V H"),
    ("Alex (Carmen) Morrison", "Bo Orr"),
    ("Ada Lee", "Bo Orr", "Krishna (Dj) Dvi"),
    ("Bo Chen", "A. B."),
    ("Jan van den Berg", "Ann Fox"),
    ("Plato", "Ann Fox"),
    ("Sammy Davis Jr.", "Ann Fox"),
]


@pytest.mark.parametrize("names", NAMES, ids=", ".join)
@pytest.mark.parametrize(
    ("name", "write"),
    [("x.bib", to_bibtex), ("x.ris", to_ris), ("x.md", to_reading_list), ("x.csv", papers_to_csv)],
)
def test_names_come_back_from_every_format(
    names: tuple[str, ...], name: str, write: Callable[[list[Paper]], str], tmp_path: Path
) -> None:
    (tmp_path / name).write_text(write([Paper("Fish", authors=names)]), encoding="utf-8")
    (back,) = FileSource(tmp_path / name).papers(SourceReport())
    assert back.authors == names


def test_keys_are_unique_and_do_not_depend_on_the_order() -> None:
    twins = [
        Paper("Deep Learning", authors=("Yan Li",), year=2024, id="one"),
        Paper("Deep Networks", authors=("Yan Li",), year=2024, id="two"),
    ]
    keys = citation_keys(twins)
    assert len(set(keys.values())) == 2
    assert keys == citation_keys(reversed(twins))
    assert keys["one"].startswith("li2024deep-")
    assert citation_keys(PAPERS)["1706.03762"] == "vaswani2017attention"
    assert all(key.isascii() for key in citation_keys(PAPERS).values())


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Ada Lovelace", "Lovelace"),
        ("Ludwig van Beethoven", "van Beethoven"),
        ("Müller, Jörg", "Müller"),
        ("Sammy Davis Jr.", "Davis Jr."),
        ("Plato", "Plato"),
        ("Barnes and Noble", "Barnes and Noble"),
    ],
)
def test_family_names(name: str, family: str) -> None:
    assert family_name(name) == family


@pytest.mark.parametrize(
    ("venue", "kind"),
    [
        ("NeurIPS 2024", "inproceedings"),
        ("JMLR", "article"),
        ("Journal of Things", "article"),
        ("Workshop on Nature", "inproceedings"),
        ("arXiv", "misc"),
        ("", "misc"),
    ],
)
def test_entry_types(venue: str, kind: str) -> None:
    assert publication(Paper("T", venue=venue))[0] == kind


def test_ris_is_read_by_rispy_and_by_swimmer(tmp_path: Path) -> None:
    text = to_ris(PAPERS)
    entries = rispy.loads(text)
    assert [entry["type_of_reference"] for entry in entries] == ["CONF", "UNPB", "JOUR", "CONF"]
    assert entries[0]["title"] == "β-VAE: 50% of A & B_c with GPT-4"
    assert entries[0]["authors"][0] == "de La Fontaine, Jean"
    assert entries[0]["keywords"] == ["disentangling", "beta"]
    back = read_back(tmp_path, "list.ris", text)
    assert [p.id for p in back] == [p.id for p in PAPERS]
    assert [p.key for p in back] == [p.key for p in PAPERS]
    assert [p.authors for p in back] == [p.authors for p in PAPERS]


def test_a_reading_list_comes_back_without_loss(tmp_path: Path) -> None:
    notes = {"AbCdEfGhIj": "Read **twice**.\n\n- compare with [this](https://example.org)"}
    text = to_reading_list(
        PAPERS, notes=notes, translations={"AbCdEfGhIj": "これは要約です。"}, language="Japanese"
    )
    assert "## 2. Attention Is All You Need\n" in text
    back = read_back(tmp_path, "list.md", text)
    names = ("id", "title", "abstract", "authors", "venue", "keywords", "status")
    for before, after in zip(PAPERS, back, strict=True):
        for name in names:
            assert getattr(after, name) == getattr(before, name), name
        assert after.year == before.year or before.venue.endswith(str(after.year))
        assert after.url == before.url or not before.url
    assert back[0].extra["abstract_translated"] == "これは要約です。"
    assert back[0].extra["reading_notes"] == notes["AbCdEfGhIj"].split("\n")
    again = to_reading_list(back, language="Japanese")
    assert again == text.replace("[DOI]", "[paper]").replace(
        "- **Venue**: ACL 2022\n", "- **Venue**: ACL 2022\n- **Year**: 2022\n"
    )


def test_a_reading_list_shows_hostile_titles_as_text() -> None:
    evil = Paper("<script>alert(1)</script> [x](javascript:alert(1))", url="javascript:alert(1)")
    text = to_reading_list([evil], notes={evil.id: "# A heading\n## 7. Not a paper"})
    assert r"\<script\>" in text
    noted = to_reading_list([PAPERS[1]], notes={PAPERS[1].id: "<img src=x> <https://e.org> a < b"})
    assert r"\<img src=x> <https://e.org> a < b" in noted
    assert "](javascript" not in text.replace(r"\]", "")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [text.splitlines()[2]]


def test_abstracts_are_translated_by_any_chat_model() -> None:
    models = pytest.importorskip("langchain_core.language_models.fake_chat_models")
    chat = models.FakeListChatModel(responses=["Eine\x1b[31m Übersetzung.", "Zwei."])
    found = translate_abstracts(PAPERS[:3], chat, "German")
    assert found["AbCdEfGhIj"] == "Eine[31m Übersetzung."
    assert set(found) == {"AbCdEfGhIj", "1706.03762"}
    with pytest.raises(ModelError, match="no translation"):
        translate_abstracts(PAPERS[:1], models.FakeListChatModel(responses=[" "]), "German")
    with pytest.raises(InputError, match="name a language"):
        translate_abstracts(PAPERS[:1], chat, " ")


def test_every_writer_writes_every_answer() -> None:
    answers = [answer(PAPERS), answer(PAPERS[:2])]
    assert papers_of(answers) == PAPERS
    for name, writer in WRITERS.items():
        text = writer(answers)
        assert "Attention" in text, name
        assert writer([answer([])]) is not None
    assert set(SUFFIXES.values()) <= set(WRITERS)


def test_no_csv_cell_starts_a_formula() -> None:
    evil = Paper("=HYPERLINK(1)", abstract="+1+cmd", authors=("@SUM(A1)",), venue="-2+3", id="=id")
    wide = Paper("＝1+1", id="w")
    rows = list(csv.DictReader(io.StringIO(to_csv([answer([evil, wide])]))))
    assert rows[1]["title"] == "'＝1+1"
    assert rows[0]["title"] == "'=HYPERLINK(1)"
    assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in rows[0].values())


def test_json_is_one_object_an_answer() -> None:
    lines = WRITERS["json"]([answer(PAPERS), answer([])]).splitlines()
    assert [len(json.loads(line)["hits"]) for line in lines] == [4, 0]


def test_an_export_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    tmp_path = tmp_path / "exports"
    tmp_path.mkdir()
    target = tmp_path / "list.bib"
    write_text(target, "old")
    write_text(target, "new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path / "missing" / "list.bib", "text")
    with pytest.raises(InputError, match="cannot be written"):
        write_text(tmp_path, "text")


HOSTILE = [
    r"Graphs \input{/etc/passwd}",
    r"\immediate\write18{id} \openout15=x \read15 to \x",
    r"$x\input{/etc/passwd}y$ and $\csname input\endcsname{x}$",
    r"$^^5cinput{x}$ ^^5cinput{x} \^^69nput{x} $\^^69nput{x}$ $x^^^5cinput$",
    r"\catcode`\@=11 \def\x{\input} \let\y\x \expandafter\y",
    r"\begin{filecontents*}{x.tex}y\end{filecontents*} $\begin{filecontents}{x}y$",
    r"\href{run:x}{y} \url{run:x} \special{x} \directlua{x} \usepackage{x}",
    "\\\\input{x} \\ input{x} \\\ninput{x} \\input\u00e9 \\Input{x}",
    r"\verb|\input{x}| % \input{x}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_command_of_a_stranger_runs(text: str) -> None:
    """In every field; commands that set letters and symbols stay."""
    kept = r" $\beta^2$ na\"{\i}ve \textbf{x}"
    paper = Paper(
        title=text + kept,
        abstract=text,
        authors=(f"{text} Doe",),
        keywords=(text,),
        venue=text,
        url="https://example.org/^^5cinput",
        extra={"doi": "10.1234/^^5cinput", "volume": text, "pages": text, "publisher": text},
    )
    written = to_bibtex([paper])
    assert _commands(written) <= KEPT
    assert "^^" not in written
    assert all(part in written for part in (r"$\beta^2$", r"\"{\i}", r"\textbf{x}"))


@given(st.text(alphabet=st.sampled_from("\\{}$^%#@ inputbeta5c69"), max_size=60))
def test_no_command_is_made_of_pieces(text: str) -> None:
    value = latex(text)
    assert _commands(value) <= KEPT
    assert "^^" not in value


def _commands(text: str) -> set[str]:
    """Return the commands that TeX would see, those of harmless environments left out."""
    for name in ENVIRONMENTS:
        text = text.replace(f"\\begin{{{name}}}", "").replace(f"\\end{{{name}}}", "")
    return set(re.findall(r"\\([A-Za-z]+)", text.replace("\\\\", "")))
