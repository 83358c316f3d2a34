"""References as papers list them: the styles, lists of them, and texts that are none."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, build_store
from swimmer.analysis import check_references, read_references, references_in
from swimmer.errors import QueryError, SourceError

from .conftest import Outcome

Run = Callable[..., Outcome]
TITLE = "Walking robots learn to cross frozen lakes: a study"
NAMES = ("Ann B. Fox", "Björn Ørsted", "Cy van der Lee")
SHORT = ("A. B. Fox", "B. Ørsted", "C. van der Lee")

STYLES = {
    "plain": (f"Ann B. Fox, Björn Ørsted, and Cy van der Lee. {TITLE}. In ICLR, 2025.", NAMES),
    "one author": (f"Björn Ørsted. {TITLE}. Journal of Robots, 61:85–117, 2025.", NAMES[1:2]),
    "icml": (f"Fox, A. B., Ørsted, B., and van der Lee, C. {TITLE}. In ICLR, 2025.", SHORT),
    "apa": (f"Fox, A. B., Ørsted, B., & van der Lee, C. (2025). {TITLE}. ICLR.", SHORT),
    "ieee": (f'A. B. Fox, B. Ørsted, and C. van der Lee, "{TITLE}," in Proc. ICLR, 2025.', SHORT),
    "curly": (f"A. B. Fox and B. Ørsted, “{TITLE},” ICLR, pp. 1–12, 2025.", SHORT[:2]),
    "acm": (f"Ann B. Fox, Björn Ørsted, and Cy van der Lee. 2025. {TITLE}. In ICLR '25.", NAMES),
    "springer": (f"Fox, A.B., Ørsted, B.: {TITLE}. In: ICLR (2025)", ("A.B. Fox", "B. Ørsted")),
    "vancouver": (f"Fox AB, Ørsted B, van der Lee C. {TITLE}. Nature. 2025;5:1-3.", SHORT),
    "mla": (f'Fox, Ann B., and Björn Ørsted. "{TITLE}." ICLR (2025).', NAMES[:2]),
    "et al.": (f"Ann B. Fox, Björn Ørsted, et al. {TITLE}. ICLR, 2025.", NAMES[:2]),
    "dated et al.": (f"Ann B. Fox et al. (2025). {TITLE}. ICLR.", NAMES[:1]),
    "organisation": (f"Lake-AI. {TITLE}. arXiv:2501.01234, 2025.", ()),
    "title and venue": (f"{TITLE}. ICLR 2025.", ()),
}

FEWER = ("one author", "curly", "springer", "mla")


@pytest.mark.parametrize("style", STYLES)
def test_a_reference_is_read_in_the_usual_styles(style: str) -> None:
    text, names = STYLES[style]
    (paper,) = references_in([text]).papers
    assert (paper.title, paper.year, paper.authors) == (TITLE, 2025, names)
    assert bool(paper.extra.get("authors_cut")) == ("et al." in style)
    assert references_in(text).papers == [paper]


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Attention Is All You Need. NeurIPS 2017.", "Attention Is All You Need", 2017),
        ("Walking, Running and Jumping in Robots. ICLR 2024.", None, 2024),
        ("Ida Ray. Is it a lake? a survey of frozen water. Nature, 2020.", None, 2020),
        ("Is it a lake? A survey", "Is it a lake? A survey", None),
        ("Lessons of the winter of 1947 for robots", None, None),
        ("GPT-9 Technical Report. OpenLake, 2023.", "GPT-9 Technical Report", 2023),
        ("魚の群れの動きを学習するロボット", "魚の群れの動きを学習するロボット", None),
    ],
)
def test_a_title_is_told_from_names_and_venues(text: str, title: str | None, year: int) -> None:
    (paper,) = references_in([text]).papers
    wanted = title or text.partition(". ICLR")[0].partition(". Nature")[0].removeprefix("Ida Ray. ")
    assert (paper.title, paper.year) == (wanted, year)


def test_identifiers_are_read_and_are_no_part_of_the_title() -> None:
    url = "https://openreview.net/forum?id=lakeLAKE12"
    given = [
        f"Ann Fox. {TITLE}. In ICLR, 2025. URL {url}.",
        f"Ann Fox. {TITLE}. arXiv preprint arXiv:2401.01234v2, 2024.",
        f"Ann Fox. {TITLE}. CoRR, abs/2401.01234, 2024.",
        f"Ann Fox. {TITLE}. In ICLR, 2025. doi:10.1145/1234567.7654321.",
        f"Ann Fox. {TITLE}. In ICLR, 2025. arXiv:2401.01234.",
    ]
    papers = references_in(given).papers
    assert {paper.title for paper in papers} == {TITLE}
    assert [paper.year for paper in papers] == [2025, 2024, 2024, 2025, 2025]
    assert papers[0].url == url and papers[3].extra["doi"] == "10.1145/1234567.7654321"
    assert [paper.extra.get("arxiv") for paper in papers[1:]] == [
        *["2401.01234"] * 2,
        None,
        "2401.01234",
    ]
    assert ["arxiv" in paper.venue.casefold() for paper in papers] == [
        False,
        True,
        True,
        False,
        False,
    ]


def test_references_of_a_list_are_told_apart() -> None:
    marked = (
        '[1] A. B. Fox and B. Ørsted, "Walking robots learn to\n    cross frozen lakes," in ICLR, 2025.\n'
        "[Lee24] C. Lee. Some models of opti-\nmization. ICML, 2024.\n"
    )
    found = references_in(marked).papers
    assert [(one.id, one.title) for one in found] == [
        ("1", "Walking robots learn to cross frozen lakes"),
        ("Lee24", "Some models of optimization"),
    ]
    paragraphs = (
        "Ann B. Fox, Björn Ørsted, and Cy van der Lee. Walking robots learn to cross\n"
        "frozen lakes. In ICLR, 2025.\n\nCy Lee and Dee Orr. Some models. In ICML, 2024.\n"
    )
    titles = [one.title for one in references_in(paragraphs).papers]
    assert titles == ["Walking robots learn to cross frozen lakes", "Some models"]
    lines = "Walking robots cross lakes\nA second paper on fish\n\nA third one on whales\n"
    assert [one.title for one in references_in(lines).papers] == [
        line for line in lines.split("\n") if line
    ]
    numbered = "1. Cy Lee. Some models. ICML, 2024.\n2. Dee Orr. Other models. ICML, 2023.\n"
    assert [one.year for one in references_in(numbered).papers] == [2024, 2023]


def test_lists_in_a_format_are_read_as_such() -> None:
    bibtex = "% mine\n@article{fox25, title={Walking {R}obots}, author={Fox, Ann}, year=2025}"
    (paper,) = references_in(bibtex).papers
    assert (paper.id, paper.title, paper.authors) == ("fox25", "Walking Robots", ("Ann Fox",))
    ris = "TY  - JOUR\nTI  - Fish in Seas\nPY  - 2020\nER  - \n"
    assert references_in(ris).papers[0].title == "Fish in Seas"
    # One of a list may be an entry, or more than one.
    mixed = [bibtex, f"Ann Fox. {TITLE}. ICLR, 2025.", bibtex + "\n@misc{b, title={Fish in Seas}}"]
    found = references_in(mixed).papers
    assert [one.id for one in found] == ["fox25", "2", "fox25", "b"]
    for wrong in ("", " \n ", [], ["  "]):
        with pytest.raises((QueryError, SourceError)):
            references_in(wrong)
    with pytest.raises(QueryError, match="more than 20,000"):
        references_in("A title of three words\n" * 20_001)


def test_references_of_a_text_file_are_checked(swimmer: Run, tmp_path: Path) -> None:
    papers = [
        Paper(TITLE, authors=NAMES, venue="ICLR", year=2025, id="lake"),
        Paper("A Shoal of Small Models Beats a Whale", authors=("Fay Alder",), year=2023),
    ]
    with build_store(papers, tmp_path / "conf", model="static") as store:
        written = [text for text, _ in STYLES.values()]
        found = check_references([store], references_in(written).papers)
        assert [one.verdict for one in found] == [
            # Fewer authors than there are, and no "et al.".
            "published" if "arXiv" in text else "differs" if style in FEWER else "found"
            for style, (text, _) in STYLES.items()
        ]
        wrong = written[0].replace("2025", "2021").replace("Björn Ørsted", "Zed Moe")
        (one,) = check_references([store], references_in([wrong]).papers)
        assert [difference.field for difference in one.differences] == ["authors", "year"]
    file = tmp_path / "refs.txt"
    file.write_text("\n\n".join(written), encoding="utf-8")
    assert len(read_references(file).papers) == len(written)
    done = swimmer("check", file, "--store", tmp_path / "conf")
    assert done.code == 0 and "Found as they stand (9)" in done.out, done.out + done.err


def test_the_entry_to_cite_is_part_of_what_was_found(tmp_path: Path) -> None:
    with build_store(
        [Paper(TITLE, authors=NAMES, venue="ICLR", year=2025)], tmp_path / "conf", model="static"
    ) as store:
        text = f"[Fox24] Ann B. Fox et al. {TITLE}. arXiv:2401.01234, 2024."
        (one,) = check_references([store], references_in(text).papers)
    assert one.to_dict()["entry"].startswith("@inproceedings{Fox24,") and "2025" in one.entry
    assert check_references([], [one.reference])[0].to_dict()["entry"] == ""


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [*"[](),.:;&-“”\n ", "Fox", "A. ", "and ", "2024", "et al.", "arXiv:", "@a{", "van "]
        ),
        max_size=60,
    ).map("".join)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = references_in(text).papers
    except (QueryError, SourceError):
        return
    assert all(paper.title for paper in found)


@pytest.mark.parametrize(
    "part", ["Fox, A., ", "A-", "van ", "Fox A, ", "(2024) ", "“a", "A. ", "a b", "et al "]
)
def test_long_texts_take_no_time(part: str) -> None:
    begin = time.perf_counter()
    with contextlib.suppress(QueryError, SourceError):
        references_in([part * 2_000] * 10)
    assert time.perf_counter() - begin < 5
