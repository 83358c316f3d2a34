"""What a list or a draft costs grows with its size, and no part of it costs more than its size."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swimmer.analysis import read_draft
from swimmer.errors import SwimmerError
from swimmer.export import to_bibtex
from swimmer.papers import Paper, arxiv_id, doi, openreview_id
from swimmer.sources import SourceReport, open_source
from swimmer.text import clean, clean_url, readable, title_key
from tests.messages import pdf_of
from tests.sources.publisher import Publisher, Reply, fixed

SMALL, FACTOR = 1_000, 4
REPEATS = 5
GROWTH = 2.2
"""How much more than its size a text of four times the size may cost: quadratic is 4."""

ENOUGH = 0.12
"""Seconds of processor time below which growth is not told apart from noise; 4 more sizes are
tried first."""

MARKDOWN = "# L\n\n## 1. Title\n"
LISTS: dict[str, Callable[[int], str]] = {
    "BibTeX, entries not closed": lambda n: "@article{a,\n title={x},\n" * n,
    "BibTeX, entries not closed on one line": lambda n: "@article{a, title={" * n,
    "BibTeX, a DOI": lambda n: "@article{a, title={x}, doi={" + "10.1234/" * n + " x}}",
    "BibTeX, spaces in names": lambda n: "@article{a, title={x}, author={a" + " " * n + "x}}",
    "BibTeX, and and and": lambda n: "@article{a, title={x}, author={" + " and" * n + "}}",
    "BibTeX, commands": lambda n: "@article{a, title={" + "\\a" * n + "{x}}}",
    "BibTeX, signs": lambda n: "@article{a, title={\n" + "   @a{" * n,
    "BibTeX, many fields": lambda n: "@article{a, " + "title={x},\n" * n + "}",
    "BibTeX, one key": lambda n: "@article{a, title={x}}\n" * n,
    "BibTeX, joined values": lambda n: "@article{a, title=" + '"a" # ' * n + '"b"}',
    "Markdown, brackets": lambda n: MARKDOWN + "[" * n,
    "Markdown, brackets in the title": lambda n: "# L\n\n## 1. " + "[" * n + "\n",
    "Markdown, brackets in the abstract": lambda n: MARKDOWN + "### Abstract\n" + "[" * n,
    "Markdown, links": lambda n: MARKDOWN + "- Paper: " + "[](http://" * n,
    "Markdown, angles": lambda n: MARKDOWN + "<http://" * n,
    "Markdown, spaces": lambda n: MARKDOWN + "- **" + " " * n + "x",
    "Markdown, sections": lambda n: "# L\n" + "## 1. T\n" * n,
    "Markdown, notes": lambda n: MARKDOWN + "### Notes\n" * n,
    "RIS, entries not closed": lambda n: "TY  - JOUR\n" * n,
    "RIS, one long entry": lambda n: "TY  - JOUR\nTI  - x\n" + "AU  - a\n" * n + "ER  - \n",
    "RIS, a DOI": lambda n: "TY  - JOUR\nTI  - x\nDO  - " + "10.1234/" * n + "\nER  - \n",
    "CSV, a quote": lambda n: 'title,abstract\n"' + "a\n" * n,
    "CSV, columns": lambda n: "title" + "," * n + "\nx\n",
    "JSON, nested": lambda n: "[" * n,
    "JSON, not closed": lambda n: '["' + "a" * n,
    "JSON, slashes": lambda n: '[{"title":"x","virtualsite_url":"' + "/" * n + '"}]',
    "JSON, spaces in names": lambda n: '[{"title":"x","authors":"a' + " " * n + 'b"}]',
    "JSON, ampersands": lambda n: '[{"title":"' + "&amp;" * n + '"}]',
    "JSON, empty lines first": lambda n: "\n" * n + "[]",
    "XML, nested": lambda n: _collection("<b>" * n + "x" + "</b>" * n),
    "XML, side by side": lambda n: _collection("<b>x</b>" * n),
    "XML, declarations": lambda n: "<?xml" * n + "<collection/>",
}


def _collection(title: str) -> str:
    return (
        '<collection id="2022.acl"><volume id="1"><paper id="1"><title>'
        f"{title}</title></paper></volume></collection>"
    )


DRAFTS: dict[str, tuple[str, Callable[[int], str]]] = {
    "LaTeX, one file of references": (
        ".tex",
        lambda n: "\\title{A title}" + "\\bibliography{refs}" * (n // 50),
    ),
    "LaTeX, one file in one command": (
        ".tex",
        lambda n: "\\title{A title}\\bibliography{" + "refs," * (n // 50) + "}",
    ),
    "LaTeX, abstracts not closed": (
        ".tex",
        lambda n: "\\title{A title}" + "\\begin{abstract}" * n,
    ),
    "LaTeX, options": (".tex", lambda n: "\\title[" * n),
    "LaTeX, spaces": (".tex", lambda n: "\\title" + " " * n),
    "LaTeX, braces": (".tex", lambda n: "\\title{" * n),
    "LaTeX, notes": (".tex", lambda n: "\\title{A title" + "\\thanks[" * n + "}"),
    "LaTeX, references": (".tex", lambda n: "\\title{A title}" + "\\bibitem" * n),
    "LaTeX, names not closed": (".tex", lambda n: "\\title{A title}" + "\\bibliography{" * n),
    "Markdown, front matter": (".md", lambda n: "---" + "\n" * n),
    "Markdown, front matters": (".md", lambda n: "---\n" * n),
    "Markdown, an underlined heading": (".md", lambda n: "a\n=" + " " * n + "x"),
    "Markdown, blank headings": (".md", lambda n: "#" + "\n" * n + "x"),
    "BibTeX, blank lines": (".bib", lambda n: "title = x," + "\n" * n),
    "BibTeX, titles": (".bib", lambda n: "title=" * n),
    "BibTeX, title and space": (".bib", lambda n: "title" + " " * n),
}
TEXTS: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "an abstract of dollars": (readable, lambda n: "$a " * n),
    "an abstract of commands": (readable, lambda n: "\\frac" * n),
    "an abstract of braces": (readable, lambda n: "{" * n),
    "an abstract of scripts": (readable, lambda n: "^1_" * n),
    "an abstract of environments": (readable, lambda n: "\\begin{a}" * n),
    "an abstract of arguments": (readable, lambda n: "\\text{" * n),
    "tags": (clean, lambda n: "<i " * n),
    "a key of dollars": (title_key, lambda n: "$x" * n),
    "an address of slashes": (clean_url, lambda n: "http://a/" + "/" * n),
    "arXiv": (arxiv_id, lambda n: "arxiv." * n),
    "OpenReview": (openreview_id, lambda n: "openreview.net/forum?&" * n),
    "DOI": (doi, lambda n: "10.1234/" * n),
    "an abstract to BibTeX": (
        lambda text: to_bibtex([Paper(title="x", abstract=text, extra={"pages": text})]),
        lambda n: "$x - " * n,
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_as_much_as_it_is_long(name: str, tmp_path: Path) -> None:
    def read(text: str) -> None:
        path = tmp_path / "list"
        path.write_text(text)
        for _ in open_source(path).papers(SourceReport()):
            pass

    _grows_with_size(read, LISTS[name])


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_costs_as_much_as_it_is_long(name: str, tmp_path: Path) -> None:
    suffix, text_of = DRAFTS[name]
    entry = "@article{a,\n title={One of the titles},\n year=1\n}\n"
    (tmp_path / "refs.bib").write_text(entry * 200)
    (tmp_path / "x.md").write_text("# A title\n")

    def read(text: str) -> None:
        path = tmp_path / f"draft{suffix}"
        path.write_text(text)
        if suffix == ".bib":
            read_draft(tmp_path / "x.md", path)
        else:
            read_draft(path)

    _grows_with_size(read, text_of)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_costs_as_much_as_it_is_long(name: str) -> None:
    what, text_of = TEXTS[name]

    def read(text: str) -> None:
        readable.cache_clear()
        what(text)

    _grows_with_size(read, text_of)


def test_references_of_a_pdf(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")

    def read(lines: str) -> None:
        path = tmp_path / "draft.pdf"
        path.write_bytes(
            pdf_of([(24, "A title in large letters here"), *((6, one) for one in lines.split("|"))])
        )
        read_draft(path)

    _grows_with_size(read, lambda n: "|".join([" ", "-", "References x", "7"] * (n // 80)))


def test_one_growth_that_is_seen() -> None:
    """The measure itself: a quadratic expression does not pass it."""
    import re

    pattern = re.compile(r"a*b")
    with pytest.raises(AssertionError, match="times"):
        _grows_with_size(lambda text: pattern.search(text), lambda n: "a" * n)


def _grows_with_size(read: Callable[[str], object], text_of: Callable[[int], str]) -> None:
    """Compare the processor time of two sizes, the best of several; sizes grow until it shows."""
    size = SMALL
    for _ in range(4):
        large = _best(read, text_of(size * FACTOR), 1)
        if large > ENOUGH:
            break
        size *= FACTOR
    else:
        return
    for repeats in (1, 2, REPEATS):
        # Another process may take the processor's caches away: only a growth that stays counts.
        small = _best(read, text_of(size), repeats)
        large = min(large, _best(read, text_of(size * FACTOR), repeats))
        if large <= GROWTH * FACTOR * max(small, 1e-4):
            return
    raise AssertionError(f"{FACTOR} times the size costs {large / small:.1f} times the time")


def _best(read: Callable[[str], object], text: str, repeats: int) -> float:
    times = []
    for _ in range(repeats):
        gc.collect()
        begun = time.process_time()
        with contextlib.suppress(SwimmerError):
            read(text)
        times.append(time.process_time() - begun)
    return min(times)


# ---------------------------------------------------------------------- numbers and nesting


@pytest.mark.parametrize("digits", [20, 400, 5_000])
@pytest.mark.parametrize("form", ["[%s]", "%s\n%s", '{"papers": [%s]}'])
def test_numbers_that_are_too_long(tmp_path: Path, digits: int, form: str) -> None:
    """The paper is taken without its year and without a figure that fits no database."""
    record = '{"title": "A paper", "year": %s, "cited": -%s}' % (("9" * digits,) * 2)
    path = tmp_path / "list"
    path.write_text(form.replace("%s", record))
    papers = list(open_source(path).papers(SourceReport()))
    assert {paper.title for paper in papers} == {"A paper"}
    assert {paper.year for paper in papers} == {None}
    json.dumps([paper.to_dict() for paper in papers])


@pytest.mark.parametrize("year", [10**400, -(10**5_000), 10_000], ids=["400", "5,000", "5"])
def test_a_year_of_too_many_digits(year: int) -> None:
    with pytest.raises(SwimmerError, match="year must have at most four digits"):
        Paper(title="x", year=year)


def test_a_publisher_that_answers_with_a_long_number(publisher: Publisher) -> None:
    from swimmer.sources.http.client import as_json

    publisher.serve(fixed({"/page": Reply(b"[%s]" % (b"9" * 5_000))}))
    with publisher.client() as client:
        assert client.get("https://lists.example.org/page", as_json) == [None]


@pytest.mark.parametrize("total", ["9" * 5_000, "²", "٣"])
def test_a_feed_that_counts_in_its_own_way(tmp_path: Path, total: str) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><x:totalResults '
        f'xmlns:x="http://a9.com/-/spec/opensearch/1.1/">{total}</x:totalResults></feed>'
    )
    with pytest.raises(SwimmerError, match="expected a number"):
        list(open_source(path).papers(SourceReport()))


def test_a_title_nested_deeper_than_the_stack(tmp_path: Path) -> None:
    path = tmp_path / "list.xml"
    deep = "<b>" * 20_000 + "Deep " + "</b>" * 20_000
    path.write_text(_collection(f"A <i>{deep}</i> and <br/><tex-math>x</tex-math>."))
    (paper,) = open_source(path).papers(SourceReport())
    assert paper.title == "A Deep and $x$."


# ---------------------------------------------------------------------- documents larger than memory


def test_a_long_document_is_read_record_by_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the shape, the papers are those of the document read whole."""
    monkeypatch.setattr("swimmer.sources.formats.json_text._STEP", 50)
    records = [{"title": f"Paper {i}", "n": i, "x": [{}, "é\\u00e9 ]}"]} for i in range(40)]
    shapes: list[Any] = [
        records,
        {"meta": {"a": 1}, "count": 40, "papers": records},
        {f"https://example.org/{i}": record for i, record in enumerate(records)},
        {f"id{i}": record for i, record in enumerate(records)},
    ]
    for shape in shapes:
        for indent in (None, 2):
            text = json.dumps(shape, indent=indent)
            path = tmp_path / "list.json"
            path.write_text(text)
            whole = [paper.to_dict() for paper in open_source(path).papers(SourceReport())]
            assert len(whole) == 40
            with monkeypatch.context() as short:
                short.setattr("swimmer.sources.formats.json_lists.WHOLE_LIMIT", 100)
                parts = [paper.to_dict() for paper in open_source(path).papers(SourceReport())]
            assert parts == whole


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "a"}',
        '[{"title": "a"},]',
        '[{"title": "a"} {"title": "b"}]',
        '[{"title": "a"}] x',
        '{"papers": [{"title": "a"}',
        '{"papers" [1]}',
        '{"count": 1}',
        "[" + " " * 5_000 + "]" * 3,
        '["' + "x" * 5_000,
        "[" + "[" * 5_000,
        "[1" * 2_000,
        "[tru" + " " * 500,
    ],
)
def test_a_long_document_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("swimmer.sources.formats.json_text._STEP", 50)
    monkeypatch.setattr("swimmer.sources.formats.json_text.RECORD_LIMIT", 1_000)
    monkeypatch.setattr("swimmer.sources.formats.json_lists.WHOLE_LIMIT", 5)
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(SwimmerError, match="JSON"):
        list(open_source(path).papers(SourceReport()))


@pytest.mark.parametrize(
    "entry",
    [
        "@article{k%d,\n  title = {Paper %d},\n  journal = J\n}\n",
        "TY  - JOUR\nID  - k%d\nTI  - Paper %d\nER  - \n",
        "## %d. Paper %d\n- **Venue**: Somewhere\n\n",
    ],
)
def test_a_long_text_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    start = '@string{J = "Journal of Parts"}\n' if entry[0] == "@" else ""
    start = "# List\n\n" if entry[0] == "#" else start
    path = tmp_path / "list"
    path.write_text(start + "".join(entry % (i, i) for i in range(50)))
    whole = [paper.to_dict() for paper in open_source(path).papers(SourceReport())]
    assert len(whole) == 50
    monkeypatch.setattr("swimmer.sources.formats.parts.PART_LIMIT", 300)
    assert [paper.to_dict() for paper in open_source(path).papers(SourceReport())] == whole


def test_a_small_file_that_unfolds_takes_no_more_memory_than_one_record(tmp_path: Path) -> None:
    """1.5 MB of gzip, 1.5 GB of spaces: refused in words, below 700 MB of address space."""
    import subprocess
    import sys

    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(b"[")
    packed += b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1_500)) + packer.flush()
    path = tmp_path / "list.json.gz"
    path.write_bytes(packed)
    script = (
        "import resource, sys\n"
        "from swimmer.errors import SourceError\n"
        "from swimmer.sources import SourceReport, open_source\n"
        "resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))\n"
        "try:\n    list(open_source(sys.argv[1]).papers(SourceReport()))\n"
        "except SourceError as error:\n    print(error)\n"
    )
    pytest.importorskip("resource")
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=120
    )
    assert "characters of space" in run.stdout, run.stderr[-500:]


def test_a_document_of_empty_lists(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("[" + "[]," * 2_100_000 + "[]]")
    with pytest.raises(SwimmerError, match="lists and objects"):
        list(open_source(path).papers(SourceReport()))


def test_text_io_is_all_that_readers_need() -> None:
    from swimmer.sources.formats.recognition import text_records

    assert list(text_records(io.StringIO("[1]"), "x")) == [("record 1", 1)]
