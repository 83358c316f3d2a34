"""A title, a name or people among words that only stand around them: what people paste and type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Answer, Paper, PaperStore, ask, build_store

RIVERS = "Fish Find Their Way Home in Cold Rivers"
PAPERS = [
    Paper(
        RIVERS,
        "Salmon smell the water of the river in which they were born.",
        url="https://openreview.net/forum?id=AbCdEf1234",
        authors=("Ann Fox", "Ben van der Orr", "Zoë Kärcher"),
        venue="ICLR",
        year=2031,
    ),
    Paper(
        "SWIM: Swarms of Robots that Swim without a Map",
        "A swarm of small robots swims through unknown water.",
        authors=("Ann Fox", "Ben van der Orr"),
        venue="ICLR",
        year=2031,
    ),
    Paper(
        "SWIM: Swarms of Robots that Swim without a Map, Part II",
        "The same swarm swims against a current.",
        authors=("Cy Lee",),
        year=2032,
    ),
    Paper("Learning to Read", "Children read letters and words.", authors=("Dan Fox",), year=2030),
    *[
        Paper(f"Study {i} of language models", f"A preference for data of kind {i}.", year=2021)
        for i in range(20)
    ],
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PaperStore:
    """A store of these papers, with the static model."""
    folder = tmp_path_factory.mktemp("stores") / "around"
    build_store(PAPERS, folder, model="static").close()
    return PaperStore.open(folder)


def one(store: PaperStore, query: str, **options: Any) -> Answer:
    """Return the answer to one query."""
    return ask(store, [query], k=3, **options)[0]


@pytest.mark.parametrize(
    "pasted",
    [
        f"{RIVERS} (ICLR 2031)",
        f"{RIVERS}, NeurIPS 2031, pp. 12-19",
        f"[1] {RIVERS}",
        f"12. {RIVERS}.",
        f"Fox et al., {RIVERS}, 2031",
        f"Ann Fox, Ben van der Orr, and Zoe Karcher. {RIVERS}. In Proceedings of ICLR, May 2031.",
        f"Fox, A., van der Orr, B., & Kärcher, Z. (2031). {RIVERS}. arXiv preprint.",
        f"* [{RIVERS}](https://openreview.net/forum?id=AbCdEf1234)",
        f"arXiv:3101.00001 [cs.LG] {RIVERS}",
        f"{RIVERS}\nAnn Fox, Ben van der Orr",
        f"ICLR 2031 poster: {RIVERS}",
        f"{RIVERS} - OpenReview",
        f"show me papers like {RIVERS}",
        "@inproceedings{fox, author={Fox, Ann}, title = {{F}ish Find Their Way Home in {Cold} "
        "Rivers}, year={2031}}",
    ],
)
def test_a_citation_is_taken_as_the_title_in_it(store: PaperStore, pasted: str) -> None:
    answer = one(store, pasted)
    assert answer.matched is not None
    assert answer.matched.title == RIVERS
    assert answer.reading is not None
    assert answer.reading.kind == "title"
    assert RIVERS not in [hit.paper.title for hit in answer.hits]
    assert [(other.kind, other.text) for other in answer.others] == [
        ("text", " ".join(pasted.split()))
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"{RIVERS} and what a hungry bear makes of it",
        f"we extend {RIVERS} to oceans with sonar",
        f"Gus Hill. {RIVERS}. 2031",
    ],
)
def test_a_text_that_says_more_is_a_text(store: PaperStore, text: str) -> None:
    answer = one(store, text)
    assert answer.matched is None
    assert answer.reading is not None
    assert answer.reading.kind == "text"


def test_the_longest_title_within_a_citation_counts(store: PaperStore) -> None:
    answer = one(store, f"Lee, C. (2032). {PAPERS[2].title}. TMLR.")
    assert answer.matched is not None
    assert answer.matched.title == PAPERS[2].title


@pytest.mark.parametrize(
    "cut",
    [
        "Fish Find Their Way Home in Co",
        "Fish Find Their Way Home in Cold Riv…",
        "Fish Find Their Way Ho...",
    ],
)
def test_a_title_that_was_cut_off_within_a_word(store: PaperStore, cut: str) -> None:
    answer = one(store, cut)
    assert answer.matched is not None
    assert answer.matched.title == RIVERS


@pytest.mark.parametrize(
    "typed", ["SWIM paper", "papers like SWIM", "what is SWIM?", "SWIM (ICLR 2031)", "title: SWIM"]
)
def test_a_name_among_words_around_it(store: PaperStore, typed: str) -> None:
    answer = one(store, typed)
    assert answer.reading is not None
    assert (answer.reading.kind, answer.reading.text) == ("name", "SWIM")
    assert answer.hits[0].paper.title.startswith("SWIM")
    assert ("text", typed) in [(other.kind, other.text) for other in answer.others]


@pytest.mark.parametrize(
    ("typed", "author", "papers"),
    [
        ("Ann Fox papers", "Ann Fox", 2),
        ("Ann Fox's papers", "Ann Fox", 2),
        ("Kärcher et al. 2031", "Zoë Kärcher", 1),
        ("(Lee et al., 2032)", "Cy Lee", 1),
        ("Ann Fox ICLR 2031", "Ann Fox", 2),
        ("Ann Fox and Ben van der Orr", "Ann Fox and Ben van der Orr", 2),
        ("Ann Fox, Zoe Kaercher", "Ann Fox and Zoë Kärcher", 1),
        ("Fox, Ann; Kärcher, Zoë", "Ann Fox and Zoë Kärcher", 1),
        ("Fox & Kärcher (2031)", "Fox and Zoë Kärcher", 1),
        ("Ann Fox and Cy Lee", "", 0),
        ("papers by Ann Fox and Kärcher", "Ann Fox and Zoë Kärcher", 1),
    ],
)
def test_people_as_they_are_cited(store: PaperStore, typed: str, author: str, papers: int) -> None:
    answer = one(store, typed)
    assert answer.reading is not None
    if not author:
        assert answer.reading.kind == "text"
        return
    assert (answer.reading.kind, answer.reading.text) == ("author", author)
    assert answer.listed
    assert len(answer.hits) == papers
    again = one(store, author, lookup="author")
    assert [hit.paper.id for hit in again.hits] == [hit.paper.id for hit in answer.hits]


@pytest.mark.parametrize("text", ["language models paper", "about data", "papers on reading", "of"])
def test_ordinary_words_stay_a_text(store: PaperStore, text: str) -> None:
    answer = one(store, text)
    assert answer.reading is not None
    assert answer.reading.kind == "text"
    assert answer.reading.text == text


@pytest.mark.parametrize("text", ["to SWIM in the", "from the SWIM to the", "how to SWIM"])
def test_function_words_alone_make_no_name(store: PaperStore, text: str) -> None:
    answer = one(store, text)
    assert answer.reading is not None
    assert answer.reading.kind != "name"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *RIVERS.split(),
                "Ann",
                "Fox",
                "et",
                "al.",
                "2031",
                "[",
                "(",
                "@a{",
                "title={",
                "}",
                "$",
            ]
        )
        | st.text(max_size=8),
        max_size=90,
    )
)
def test_any_words_give_an_answer(store: PaperStore, words: list[str]) -> None:
    text = " ".join(words)
    if text.strip():
        answer = one(store, f"models {text}")
        assert answer.reading is not None
