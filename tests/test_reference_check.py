"""Bibliographies against stores: what is found, what differs, and what is written again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, build_store
from swimmer.analysis import (
    check_references,
    corrected_bibliography,
    read_references,
)
from swimmer.errors import InputError, QueryError
from swimmer.export import to_bibtex

from .conftest import Outcome

Run = Callable[..., Outcome]

PAPERS = [
    Paper(
        "Walking Robots Learn to Cross Frozen Lakes",
        url="https://openreview.net/forum?id=lakeLAKE12",
        authors=("Ann B. Fox", "Björn Ørsted", "Cy van der Lee"),
        venue="ICLR",
        year=2025,
        extra={"arxiv": "2401.01234"},
    ),
    Paper("Walking Robots II", authors=("Ann B. Fox", "Dee Orr"), venue="ICLR", year=2024),
    Paper("Fish", authors=("Eve Ray",), venue="ICML", year=2020),
    Paper(
        "A Shoal of Small Models Beats a Whale",
        authors=("Fay Alder", "Gus Birch", "Hal Cedar"),
        venue="NeurIPS",
        year=2023,
        url="https://neurips.example/shoal",
        extra={"authors_order": "unknown"},
    ),
    Paper("A Paper at arXiv Only about Whales", authors=("Ida Dogwood",), venue="arXiv", year=2022),
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[PaperStore]]:
    folder = tmp_path_factory.mktemp("stores")
    with (
        build_store(PAPERS[:3], folder / "one", model="static") as one,
        build_store(PAPERS[3:], folder / "two", model="static") as two,
    ):
        yield [one, two]


def checked(stores: list[PaperStore], tmp_path: Path, text: str) -> list[tuple[str, list[str]]]:
    file = tmp_path / "refs.bib"
    file.write_text(text, encoding="utf-8")
    found = check_references(stores, read_references(file).papers)
    return [(one.verdict, [difference.field for difference in one.differences]) for one in found]


LAKES = "title={Walking Robots Learn to Cross Frozen Lakes}"
FOX = 'author={Fox, Ann and {\\O}rsted, Bj{\\"o}rn and van der Lee, Cy}'


@pytest.mark.parametrize(
    ("fields", "verdict", "differences"),
    [
        (f"{LAKES}, {FOX}, year=2025", "found", []),
        (f"{LAKES}, author={{A. B. Fox and others}}, year=2025", "found", []),
        ("title={{WALKING} robots learn to cross frozen lakes.}, year=2025", "found", []),
        (f"{LAKES}, {FOX}, year=2024", "differs", ["year"]),
        (f"{LAKES}, author={{Fox, Ann and Lee, Cy}}, year=2025", "differs", ["authors"]),
        (
            f"{LAKES}, author={{Fox, Ann and Moe, Zed and others}}, year=2025",
            "differs",
            ["authors"],
        ),
        # In another order, where the order is known.
        (
            f"{LAKES}, author={{van der Lee, Cy and Fox, Ann and Ørsted, B.}}, year=2025",
            "differs",
            ["authors"],
        ),
        (f"{LAKES}, author={{Zed Moe and Yan Poe}}, year=2025", "differs", ["authors"]),
        (f"title={{Walking Robots Learn to Cross Lakes}}, {FOX}, year=2025", "differs", ["title"]),
        (
            f"title={{Robots Learn to Cross Frozen Lakes}}, {FOX}, year=2023",
            "differs",
            ["title", "year"],
        ),
        # The same title and year of other people is another paper where the title tells little.
        ("title={Fish}, author={Zed Moe}, year=2020", "unknown", []),
        (f"{LAKES}, author={{Zed Moe and Yan Poe}}, year=2001", "unknown", []),
        # People write several papers with similar titles.
        ("title={Walking Robots III}, author={Fox, Ann B.}, year=2024", "unknown", []),
        (
            "title={Walking Robots Learn to Cross Frozen Lakes II}, author={Ann Fox}, year=2025",
            "unknown",
            [],
        ),
        ("title={Running Robots Learn to Fly}, author={Ann Fox}, year=2025", "unknown", []),
        # An identifier says which paper is meant, whatever else is wrong.
        (
            "title={Something Else Altogether}, author={Zed Moe}, year=2025, "
            "url={https://openreview.net/pdf?id=lakeLAKE12}",
            "differs",
            ["title", "authors"],
        ),
        (
            f"{LAKES}, {FOX}, journal={{arXiv preprint arXiv:2401.01234}}, year=2024",
            "published",
            [],
        ),
        (
            f"{LAKES}, {FOX}, journal={{CoRR}}, volume={{abs/2401.01234}}, year=2024",
            "published",
            [],
        ),
        (f"{LAKES}, {FOX}, eprint={{2401.01234}}, archiveprefix={{arXiv}}", "published", []),
        (
            "title={Robots That Cross Frozen Lakes}, author={Ann Fox}, eprint={2401.01234}, "
            "journal={arXiv}",
            "published",
            ["title", "authors"],
        ),
        # Where the list has sorted its authors, their order says nothing.
        (
            "title={A shoal of small models beats a whale}, year={2023}, "
            "author={Cedar, Hal and Alder, Fay and Birch, Gus}",
            "found",
            [],
        ),
        # What the store itself has as a preprint stays one, and its year is not held against it.
        (
            "title={A Paper at {arXiv} Only about Whales}, author={Dogwood, Ida}, year={2021}, "
            "journal={arXiv}",
            "found",
            [],
        ),
        ("title={Nobody Has Written This}, author={Nobody}, year=1999", "unknown", []),
    ],
)
def test_a_reference_is_found_and_what_differs_is_said(
    stores: list[PaperStore], tmp_path: Path, fields: str, verdict: str, differences: list[str]
) -> None:
    assert checked(stores, tmp_path, f"@inproceedings{{key,\n {fields}}}") == [
        (verdict, differences)
    ]


@settings(max_examples=30, deadline=None)
@given(
    place=st.integers(0, len(PAPERS) - 1),
    inverted=st.booleans(),
    initials=st.booleans(),
    shown=st.integers(1, 3),
)
def test_a_right_reference_is_never_flagged(
    stores: list[PaperStore], place: int, inverted: bool, initials: bool, shown: int
) -> None:
    paper = PAPERS[place]
    names = [name.split(" ", 1) for name in paper.authors]
    if initials:
        names = [[f"{first[0]}.", rest] for first, rest in names]
    written = tuple(f"{rest}, {first}" if inverted else f"{first} {rest}" for first, rest in names)
    cut = {"authors_cut": True} if shown < len(written) else {}
    reference = replace(paper, authors=written[:shown], url="", extra=cut)
    (one,) = check_references(stores, [reference])
    assert (one.verdict, one.differences) == ("found", ())
    assert one.paper is not None and one.paper.title == paper.title


BIBLIOGRAPHY = f"""% Comments stay.
@string{{arx = {{arXiv preprint}}}}
@article{{lake24,
  {LAKES},
  {FOX},
  journal = arx # {{ arXiv:2401.01234}}, year = 2024}}

@article{{shoal, title = "A Shoal of Small Models Beats a Whale", author = "Cedar, Hal and others",
  journal = "CoRR", year = 2022}}
@inproceedings{{other, title={{Nobody Has Written This}}, year=1999, note = {{as it is}} }}
@article{{broken, title={{No end
"""


def test_published_papers_replace_preprints_and_nothing_else(
    stores: list[PaperStore], tmp_path: Path
) -> None:
    file = tmp_path / "refs.bib"
    file.write_text(BIBLIOGRAPHY, encoding="utf-8")
    references = read_references(file)
    assert [paper.id for paper in references.papers] == ["lake24", "shoal", "other"]
    assert len(references.unreadable) == 1
    new = corrected_bibliography(file, check_references(stores, references.papers))
    assert new.startswith(
        "% Comments stay.\n@string{arx = {arXiv preprint}}\n@inproceedings{lake24,"
    )
    assert new.endswith(BIBLIOGRAPHY[BIBLIOGRAPHY.index("@inproceedings{other") :])
    (tmp_path / "new.bib").write_text(new, encoding="utf-8")
    lake, shoal, _ = read_references(tmp_path / "new.bib").papers
    assert (lake.year, lake.authors) == (2025, PAPERS[0].authors)
    # The order that the list had lost is the one of the old entry.
    assert (shoal.id, shoal.year, shoal.authors) == ("shoal", 2023, ("Hal Cedar",))
    assert shoal.extra["authors_cut"] is True
    again = check_references(stores, [lake, shoal])
    assert [one.verdict for one in again] == ["found", "found"]
    with pytest.raises(InputError, match=r"\.bib"):
        corrected_bibliography(tmp_path / "refs.ris", [])


def test_authors_that_were_cut_are_written_as_cut() -> None:
    entry = to_bibtex([Paper("Fish in Seas", authors=("Ann Fox",), extra={"authors_cut": True})])
    assert "author = {Ann Fox and others}" in entry


def test_a_latex_draft_is_checked_for_what_it_cites(tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    draft = tmp_path / "paper.tex"
    text = r"\title{Lakes}\begin{document}\citep[see][p.~2]{lake24, shoal}% \cite{other}"
    draft.write_text(text + "\n\\bibliography{refs}", encoding="utf-8")
    found = read_references(draft)
    assert ([paper.id for paper in found.papers], found.uncited) == (["lake24", "shoal"], 1)
    draft.write_text(r"\nocite{*}\addbibresource{refs.bib}", encoding="utf-8")
    assert len(read_references(draft).papers) == 3
    draft.write_text(r"\bibliography{../refs}", encoding="utf-8")
    with pytest.raises(QueryError, match=r"names no \.bib file"):
        read_references(draft)
    draft.write_text(r"\cite{nothing}\bibliography{refs}", encoding="utf-8")
    with pytest.raises(QueryError, match="holds no reference that it cites"):
        read_references(draft)


def test_one_reference_is_one(swimmer: Run, stores: list[PaperStore], tmp_path: Path) -> None:
    file = tmp_path / "one.bib"
    file.write_text(f"@inproceedings{{good, {LAKES}, {FOX}, year=2025}}\n", encoding="utf-8")
    done = swimmer("check", file, "--store", stores[0].folder)
    assert done.out.startswith("1 reference, checked against one\n")


def test_check_at_the_terminal(swimmer: Run, stores: list[PaperStore], tmp_path: Path) -> None:
    file, new = tmp_path / "refs.bib", tmp_path / "new.bib"
    good = f"@inproceedings{{good, {LAKES}, {FOX}, year=2025}}\n"
    file.write_text(good + BIBLIOGRAPHY, encoding="utf-8")
    names = [argument for store in stores for argument in ("--store", store.folder)]
    done = swimmer("check", file, *names, "-o", new)
    assert done.code == 0, done.err
    assert "4 references, checked against one, two" in done.out
    assert "Preprints that have been published (2):" in done.out
    assert "ICLR 2025  https://openreview.net/forum?id=lakeLAKE12" in done.out
    assert "Not in these stores (1):" in done.out and "Found as they stand (1)" in done.out
    assert "entries replaced: 2" in done.out and "broken" not in done.out
    assert "warning: refs.bib, line" in done.err
    assert swimmer("check", new, *names, "--strict").code == 1
    lines = swimmer("check", file, *names, "--json").out.splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == [
        "found",
        "published",
        "published",
        "unknown",
    ]
    file.write_text(good, encoding="utf-8")
    assert swimmer("check", file, *names, "--strict").code == 0
    for wrong in (["nosuch.bib"], [tmp_path / "x.tex"], [file, "-o", new, "--store", "nosuch"]):
        failed = swimmer("check", *wrong)
        assert failed.code == 2 and failed.err.startswith("error: "), failed.err
    (tmp_path / "refs.ris").write_text("TY  - JOUR\nTI  - Fish in Seas\nER  - \n", encoding="utf-8")
    failed = swimmer("check", tmp_path / "refs.ris", *names, "-o", tmp_path / "x.bib")
    assert failed.code == 2 and "hint: " in failed.err


def test_what_a_reference_says_is_not_printed_raw(
    swimmer: Run, stores: list[PaperStore], tmp_path: Path
) -> None:
    file = tmp_path / "refs.bib"
    file.write_text("@misc{k, title={Red \x1b[31m alarm \u202e here}, year=2020}", encoding="utf-8")
    done = swimmer("check", file, "--store", stores[0].folder)
    assert done.code == 0 and "alarm" in done.out
    assert not any(mark in done.out for mark in ("\x1b", "\u202e"))
