"""File shapes, each recognised from its content, and the normalisation of anything."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

from swimmer.errors import SourceError
from swimmer.papers.identifiers import arxiv_id, doi, openreview_id
from swimmer.papers.paper import Paper
from swimmer.sources import SourceReport, open_source
from swimmer.sources.formats.bibtex import bibtex_records, split_names, unbraced
from swimmer.sources.formats.markdown import markdown_records
from swimmer.sources.formats.openreview import venue_of_group
from swimmer.sources.formats.records import NotAPaper, paper_from_record
from swimmer.sources.formats.ris import ris_records
from swimmer.sources.formats.shapes import plain
from swimmer.sources.kept import KeptSource, paper_from_line


def read(tmp_path: Path, content: str, name: str = "list.any") -> tuple[list[Paper], SourceReport]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    report = SourceReport()
    return list(open_source(tmp_path / name).papers(report)), report


PAPERLISTS = {
    "openreview": {
        "id": "abc123",
        "title": "Fish",
        "track": "main",
        "status": "Poster",
        "tldr": "Swim.",
        "abstract": "Of fish.",
        "keywords": "one;two",
        "primary_area": "water",
        "author": "Ada L;Grace H",
        "aff": "X;Y",
        "rating": "5;6",
        "gs_citation": 4,
        "site": "https://openreview.net/forum?id=abc123",
        "bibtex": "@inproceedings{x,\nyear={2025},\n}",
    },
    "virtual": {
        "id": "3768",
        "title": "Fish",
        "track": "main",
        "status": "Oral",
        "abstract": "Of fish.",
        "site": "https://icml.cc/virtual/2019/poster/3768",
        "author": "Ada L; Grace H",
        "author_site": "Ada L, Grace H",
        "aff_domain": "x.edu",
        "oa": "https://x.example/a.html",
    },
    "acl": {
        "id": "2022.acl-short.96",
        "title": "Fish",
        "track": "main",
        "status": "Short",
        "award": False,
        "abstract": "Of fish.",
        "author": "Ada L; Grace H",
        "site": "https://aclanthology.org/2022.acl-short.96/",
        "bibtex": '@inproceedings{x,\n    year = "2022",\n}',
    },
    "cvf": {
        "title": "Fish",
        "track": "main",
        "status": "Poster",
        "abstract": "Of fish.",
        "author": "Ada L; Grace H",
        "site": "https://openaccess.thecvf.com/content/x.html",
        "arxiv": "2203.00001",
        "id": "",
        "bibtex": "@x{y, year = {2022}}",
    },
    "siggraph": {
        "ssid": "papers_443",
        "title": "Fish",
        "author": "Ada L, Grace H",
        "track": "main",
        "status": "Technical Paper",
        "doi": "https://doi.org/10.1145/3641519.3657428",
        "url_paper": "https://s.example/presentation/?id=papers_443",
        "keywords": "One; Two",
    },
}


@pytest.mark.parametrize("schema", list(PAPERLISTS))
def test_paperlists(tmp_path: Path, schema: str) -> None:
    (paper,), report = read(tmp_path, json.dumps([PAPERLISTS[schema]]))
    assert paper.title == "Fish"
    assert paper.authors == ("Ada L", "Grace H")
    assert paper.url.startswith("https://")
    assert report.left_out == 0
    assert not {"aff", "rating", "gs_citation", "aff_domain"} & set(paper.extra)
    if schema != "siggraph":
        assert paper.abstract == "Of fish."
    expected = {
        "openreview": ("abc123", 2025, ("one", "two")),
        "virtual": ("3768", 2019, ()),
        "acl": ("2022.acl-short.96", 2022, ()),
        "siggraph": ("papers_443", None, ("One", "Two")),
    }
    if schema in expected:
        assert (paper.id, paper.year, paper.keywords) == expected[schema]
    if schema == "siggraph":
        assert paper.extra["doi"] == "10.1145/3641519.3657428"
    if schema == "cvf":
        assert paper.extra["arxiv"] == "2203.00001"


BIB = r"""
% A bibliography
@string{venue = "Conference on Fish"}
@inproceedings{one,
  title = "{One} Fish", author = "Lovelace, Ada and Hopper, Grace", booktitle = venue,
  year = "2021", abstract = "Of {\"o}ne fish.", doi = "10.1234/ABC.5", keywords = {a, b}
}
@article{two, title = {Two Fish}, eprint = {2101.00001v2}, archiveprefix = {arXiv}, year = 2021}
@misc{broken, title = {No end,
@book{three, title = {Red Fish}}
@comment{not a paper}
"""


def test_bibtex(tmp_path: Path) -> None:
    papers, report = read(tmp_path, BIB, "refs.bib")
    assert [p.title for p in papers] == ["One Fish", "Two Fish", "Red Fish"]
    one, two, _ = papers
    assert one.authors == ("Ada Lovelace", "Grace Hopper")
    assert (one.venue, one.year, one.keywords) == ("Conference on Fish", 2021, ("a", "b"))
    assert one.url == "https://doi.org/10.1234/abc.5"
    assert (two.url, two.extra["arxiv"]) == ("https://arxiv.org/abs/2101.00001", "2101.00001")
    assert sum(e.count for r, e in report.skipped.items() if "brace" in r) == 1
    assert report.read == 3 + report.left_out


def test_bibtex_says_nothing_on_the_terminal(tmp_path: Path, capfd: Any) -> None:
    read(tmp_path, BIB)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("Lovelace, Ada and Grace Hopper", ["Ada Lovelace", "Grace Hopper"]),
        ("{Barnes and Noble} and van der Berg, Jan", ["{Barnes and Noble}", "Jan van der Berg"]),
        ("King, Jr, Martin", ["Martin King Jr"]),
        ("Ada\n  and\n Grace", ["Ada", "Grace"]),
        ("Ada and others", ["Ada"]),
        ("Lovelace, Ada AND Hopper, Grace And others", ["Ada Lovelace", "Grace Hopper"]),
        ("", []),
    ],
)
def test_bibtex_names(names: str, expected: list[str]) -> None:
    assert split_names(names) == expected


RIS = """TY  - CONF
AU  - Lovelace, Ada
AU  - Hopper, Grace
TI  - One Fish
T2  - Conference on Fish
PY  - 2021
AB  - Of one fish.
KW  - a
KW  - b
DO  - 10.1234/abc
UR  - https://x.example/one
ER  -

TY  - JOUR
T1  - Two Fish
Y1  - 2022/03/04
ER  -

TY  - COMP
TI  - A program
ER  -

TY  - JOUR
TI  - Without an end
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ris(tmp_path: Path, newline: str) -> None:
    (tmp_path / "x.ris").write_bytes(RIS.replace("\n", newline).encode())
    report = SourceReport()
    one, two = open_source(tmp_path / "x.ris").papers(report)
    assert (one.title, one.abstract, one.year) == ("One Fish", "Of one fish.", 2021)
    assert one.authors == ("Ada Lovelace", "Grace Hopper")
    assert one.keywords == ("a", "b")
    assert (one.url, one.extra["doi"]) == ("https://x.example/one", "10.1234/abc")
    assert one.venue == "Conference on Fish"
    assert (two.title, two.year) == ("Two Fish", 2022)
    assert set(report.skipped) == {
        "not a paper but COMP",
        "RIS without an end (no ER line); is the file cut off?",
    }


READING = """# Papers to read

Some words of introduction.

## 1. Cold Fish
- **Keywords**: cold; fish, water
- **Paper**: [arXiv](https://arxiv.org/abs/2401.00001v2) | [code](https://github.com/a/b)
- **Authors**: Ada L, Grace H

### Abstract
Cold fish swim slowly.
They like ice.

### 摘要
冷水鱼游得很慢。

---

## 2. [Warm Fish](https://openreview.net/forum?id=abc_D)
* Keywords:
  - warm
  - fish
* Abstract: Warm fish swim fast.

## 3. 深海的鱼
- 关键词：深海、鱼
- 链接: https://example.org/deep
- 摘要：深海的鱼发光。

## 4. Title
- **Keywords**:
- **Paper**:

### Abstract

## 5.

## 6. Only a name

## Notes
Abstract: this is no paper's.
"""


def test_markdown_reading_list(tmp_path: Path) -> None:
    papers, report = read(tmp_path, READING, "reading.md")
    cold, warm, deep, bare = papers
    assert (cold.title, cold.keywords) == ("Cold Fish", ("cold", "fish", "water"))
    assert cold.abstract == "Cold fish swim slowly. They like ice."
    assert cold.extra["abstract_translated"] == "冷水鱼游得很慢。"
    assert cold.url == "https://arxiv.org/abs/2401.00001v2"
    assert (cold.id, cold.authors) == ("2401.00001", ("Ada L", "Grace H"))
    assert (warm.title, warm.keywords) == ("Warm Fish", ("warm", "fish"))
    assert (warm.abstract, warm.id) == ("Warm fish swim fast.", "abc_D")
    assert (deep.title, deep.abstract) == ("深海的鱼", "深海的鱼发光。")
    assert deep.keywords == ("深海", "鱼")
    assert deep.url == "https://example.org/deep"
    assert (bare.title, bare.abstract) == ("Only a name", "")
    entry = report.skipped["an empty section of the template"]
    assert (entry.count, entry.places) == (2, ["line 30", "line 36"])


def test_markdown_without_papers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"## 1\. Title"):
        read(tmp_path, "# Shopping\n\n- milk\n")


def test_zotero_and_csl(tmp_path: Path) -> None:
    zotero = {
        "key": "ABCD",
        "data": {
            "itemType": "conferencePaper",
            "title": "One Fish",
            "abstractNote": "Of fish.",
            "creators": [
                {"creatorType": "author", "firstName": "Ada", "lastName": "Lovelace"},
                {"creatorType": "editor", "firstName": "E", "lastName": "D"},
            ],
            "date": "2021-05-03",
            "url": "https://arxiv.org/abs/2101.00001",
            "key": "ABCD",
            "tags": [{"tag": "a"}, {"tag": "b"}],
            "proceedingsTitle": "Conference on Fish",
        },
    }
    csl = {
        "id": "x1",
        "type": "paper-conference",
        "title": "Two Fish",
        "abstract": "Of two.",
        "container-title": "Fish",
        "issued": {"date-parts": [["2020", 3]]},
        "DOI": "10.1234/Q",
        "author": [{"family": "Hopper", "given": "Grace"}],
    }
    (one, two), _ = read(tmp_path, json.dumps([zotero, csl]))
    assert (one.title, one.authors, one.year) == ("One Fish", ("Ada Lovelace",), 2021)
    assert (one.keywords, one.venue) == (("a", "b"), "Conference on Fish")
    assert one.extra["arxiv"] == "2101.00001"
    assert (two.title, two.authors, two.year) == ("Two Fish", ("Grace Hopper",), 2020)
    assert two.url == "https://doi.org/10.1234/Q"


def test_zotero_csv(tmp_path: Path) -> None:
    (paper,), _ = read(
        tmp_path,
        '"Key","Item Type","Publication Year","Author","Title","Publication Title","DOI","Url",'
        '"Abstract Note","Manual Tags"\n'
        '"ABCD","conferencePaper","2021","Lovelace, Ada; Hopper, Grace","One Fish","Fish Days",'
        '"10.1234/x","https://x.example/1","Of fish, with a comma.","a; b"\n',
    )
    assert (paper.id, paper.title, paper.year) == ("ABCD", "One Fish", 2021)
    assert paper.abstract == "Of fish, with a comma."
    assert paper.authors == ("Ada Lovelace", "Grace Hopper")
    assert (paper.venue, paper.keywords) == ("Fish Days", ("a", "b"))
    assert paper.extra["doi"] == "10.1234/x"


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    for content, hint in [
        ("<!DOCTYPE html><html></html>", "web page"),
        ("<rss></rss>", "feed"),
        ("<collection", "cut off"),
        ("just words", "CSV"),
    ]:
        with pytest.raises(SourceError, match=hint):
            read(tmp_path, content)


def test_real_samples(formats: Path) -> None:
    counts = {}
    for path in sorted(formats.iterdir()):
        report = SourceReport()
        try:
            counts[path.name] = len(list(open_source(path).papers(report)))
        except SourceError as error:
            counts[path.name] = -1
            assert len(str(error)) > 30
    refused = {name for name, count in counts.items() if count < 0}
    assert refused == {
        "arxiv_atom_error.xml",
        "arxiv_daily_reporter_pyrepr_lines.jsonl.txt",
        "cvf_openaccess_cvpr2020_sample.html",
        "pmlr_post_v22_snoek12.md",
        "swimmer_seed_txt_first20.txt",
    }
    assert counts["acl_anthology_J89.xml"] == 58
    assert counts["pmlr_uai2024_sample.bib"] == 4
    assert counts["arxiv_atom_query.xml"] == 10
    assert counts["openreview_v2_notes_iclr2026.json"] == 6
    assert counts["s2_graph_paper_batch_with_null.json"] == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2401.00001", "2401.00001"),
        ("arXiv:2401.00001v12", "2401.00001"),
        ("https://arxiv.org/pdf/2401.00001v2.pdf", "2401.00001"),
        ("http://arxiv.org/abs/cs/0112017v1", "cs/0112017"),
        ("math.GT/0309136", "math.GT/0309136"),
        ("12401.00001x", ""),
        ("", ""),
        (None, ""),
        (240100001, ""),
    ],
)
def test_arxiv_ids(text: Any, expected: str) -> None:
    assert arxiv_id(text) == expected


def test_other_ids() -> None:
    assert doi("https://doi.org/10.1234/ABC.d(5)") == "10.1234/abc.d(5)"
    assert doi("nothing") == ""
    assert openreview_id("https://openreview.net/pdf?id=a-B_9") == "a-B_9"
    assert openreview_id("https://example.org/?id=a") == ""
    assert venue_of_group("ICLR.cc/2025/Conference/-/Submission") == ("ICLR", "2025")
    assert venue_of_group("robot-learning.org/CoRL/2023/Conference") == ("CoRL", "2023")
    assert venue_of_group("ICLR.cc/2025/Workshop/SCOPE") == ("ICLR Workshop SCOPE", "2025")


# ------------------------------------------------------------- any input at all

NAMES = st.sampled_from(
    "title name abstract summary authors author url id forum content invitation venue venueid "
    "year date keywords keyword status type eventtype virtualsite_url paperId externalIds paper "
    "data itemType abstractNote creators tags issued container-title track site bibtex tldr "
    "details ArXiv DOI value publishedAt upvotes openreview doi".split()
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(["2025", "Poster", "https://x.org/a?b=1", "file:///etc/passwd", "a; b, c"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
RECORDS = st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=9)


BLANKS: st.SearchStrategy[Any] = st.sampled_from([None, "", [], {}, float("nan")])
FIELDS = ["abstract", "Abstract Note", "summary", "abs_text", "description"]


@given(st.permutations(FIELDS), st.lists(BLANKS, min_size=5, max_size=5), st.integers(0, 4))
def test_the_most_trusted_field_that_is_not_blank_counts(
    order: list[str], blanks: list[Any], first: int
) -> None:
    """Whatever the order in which a record has its fields."""
    said = {name: f"from {name}" for name in FIELDS} | dict(
        zip(FIELDS[:first], blanks, strict=False)
    )
    record = {"title": "T", **{name: said[name] for name in order}}
    assert paper_from_record(plain(record)).abstract == f"from {FIELDS[first]}"


def test_a_virtual_address_is_known_in_any_case() -> None:
    record = {"title": "T", "url": "https://ICLR.cc/Virtual/2025/Poster/77"}
    paper = paper_from_record(plain(record))
    assert (paper.id, paper.venue, paper.year) == ("77", "ICLR", 2025)


@settings(max_examples=400, deadline=None)
@given(RECORDS)
def test_any_record_gives_a_paper_or_a_reason(record: dict[str, Any]) -> None:
    try:
        paper = paper_from_record(plain(record))
    except NotAPaper as reason:
        assert str(reason)
        return
    assert paper.title
    assert paper.id
    assert paper.url == "" or paper.url.startswith(("http://", "https://"))
    line = json.dumps(paper.to_dict(), ensure_ascii=False)
    assert paper_from_line(line) == paper


@settings(max_examples=300, deadline=None)
@given(RECORDS)
def test_normalising_twice_changes_nothing(record: dict[str, Any]) -> None:
    try:
        once = paper_from_record(plain(record))
    except NotAPaper:
        return
    fields = {name: getattr(once, name) for name in once.__dataclass_fields__}
    assert Paper(**fields) == once
    twice = paper_from_record(plain(once.to_dict()))
    for name in ("title", "abstract", "url", "id", "venue", "year", "status", "key"):
        assert getattr(twice, name) == getattr(once, name), name


TEXTS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"])
    | st.sampled_from(list('@{}=,"#\\$\n -:TYER')),
    max_size=200,
)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_any_text_is_read_by_every_parser(text: str) -> None:
    for records in (
        bibtex_records("@article{a, title = {" + text + "}}"),
        bibtex_records(text),
        ris_records("TY  - JOUR\nTI  - " + text + "\nER  - \n"),
        ris_records(text),
        markdown_records("## 1. " + text),
        markdown_records(text),
    ):
        for place, record in records:
            assert place
            assert isinstance(record, NotAPaper) or record
    unbraced(text)
    split_names(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_file_gives_papers_or_an_error(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "list"
    path.write_bytes(content)
    report = SourceReport()
    try:
        papers = list(open_source(path).papers(report))
    except SourceError as error:
        assert str(path) in str(error)
        return
    assert report.read == len(papers) + report.left_out


def test_a_kept_list_that_is_damaged_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("title\nOne fish\nTwo fish\n")
    kept = KeptSource(open_source(tmp_path / "x.csv"), tmp_path / "lists")
    first = list(kept.papers(SourceReport()))
    assert [p.title for p in first] == ["One fish", "Two fish"]
    assert kept.kept_since
    again = SourceReport()
    assert list(kept.papers(again)) == first
    assert again.read == 2
    kept.path.write_text(kept.path.read_text() + "{half a li")
    with pytest.raises(SourceError, match=r"line 3 is damaged.*\nhint: .*--refresh"):
        list(kept.papers(SourceReport()))


def test_an_unfinished_list_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("title\nOne fish\nTwo fish\n")
    kept = KeptSource(open_source(tmp_path / "x.csv"), tmp_path / "lists")
    papers = cast("Generator[Paper, None, None]", kept.papers(SourceReport()))
    next(papers)
    papers.close()
    assert not kept.kept_since
    assert list((tmp_path / "lists").iterdir()) == []
