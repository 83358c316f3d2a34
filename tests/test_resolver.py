"""What is typed into the one box, as people type it: read right, said, and answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Answer, Paper, PaperStore, ask, build_store, load_retriever
from swimmer.errors import QueryError
from swimmer.retrieval import ask_stores, resolve

from .conftest import Outcome

PAPERS = [
    Paper(
        "SimPER: Simple Preference Alignment by Perplexity",
        "We align a language model with preference data and no reward model.",
        url="https://iclr.cc/virtual/2025/poster/29259",
        authors=("Yoshua Bengio", "Ann Lee"),
        year=2025,
    ),
    Paper(
        "Samy Bengio",
        "A title that is a name: a note on the life of a researcher.",
        url="https://notes.example/samy",
        authors=("Bo Chen",),
        year=2020,
    ),
    Paper(
        "Robots Learn to Walk on Ice with Legged Locomotion Policies",
        "Reinforcement learning of locomotion for legged robots. We call the simulator Frozolake.",
        url="https://openreview.net/forum?id=AbC-9_x",
        authors=("Samy Bengio", "Wei Chen"),
        year=2023,
    ),
    Paper(
        "Graph Attention for Molecules",
        "Attention over the edges of molecular graphs predicts binding energies.",
        url="https://arxiv.org/abs/2401.01234",
        authors=("Chen Wei", "Zoë Kärcher-Müller"),
        year=2024,
    ),
    Paper(
        "Graph Attention for Traffic",
        "Attention over road graphs predicts traffic.",
        authors=("Yoshua Bengio",),
        year=2022,
    ),
    *[
        Paper(
            f"Study {i} of language models and reinforcement learning",
            "Language models and policies are trained with reinforcement learning and data. "
            f"A preference for locomotion on ice and attention over graphs is number {i}.",
            year=2021,
        )
        for i in range(20)
    ],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store of these papers, with the static model."""
    folder = tmp_path_factory.mktemp("stores") / "box"
    build_store(PAPERS, folder, model="static").close()
    return folder


@pytest.fixture
def store(folder: Path) -> PaperStore:
    """The store, open."""
    return PaperStore.open(folder)


def one(store: PaperStore, query: str, k: int = 5, **arguments: Any) -> Answer:
    (answer,) = ask(store, [query], k, **arguments)
    return answer


def first(answer: Answer) -> str:
    papers = [answer.matched] if answer.matched else [hit.paper for hit in answer.hits]
    return papers[0].title if papers else ""


@pytest.mark.parametrize(
    ("typed", "kind", "title"),
    [
        ("SimPER: Simple Preference Alignment by Perplexity", "title", "SimPER"),
        ("simper simple preference alignment by perplexiti", "title", "SimPER"),
        ("simper", "name", "SimPER"),
        ("Sim-PER", "name", "SimPER"),
        ("iclr.cc/virtual/2025/poster/29259/", "address", "SimPER"),
        ("https://openreview.net/pdf?id=AbC-9_x", "address", "Robots"),
        ("arXiv:2401.01234v3", "address", "Graph Attention for Molecules"),
        ("2401.01234", "address", "Graph Attention for Molecules"),
        ("learn to walk on ice", "part", "Robots"),
        ("ice legged policies walk robots", "text", "Robots"),
        ("frozolake", "text", "Robots"),
        ("Yoshua Bengio", "author", "SimPER"),
        ("bengio, y.", "author", "SimPER"),
        ("Zoe Karcher Muller", "author", "Graph Attention for Molecules"),
    ],
)
def test_what_is_typed_is_read_right(store: PaperStore, typed: str, kind: str, title: str) -> None:
    answer = one(store, typed)
    assert answer.reading is not None
    assert answer.reading.kind == kind
    assert first(answer).startswith(title)
    assert answer.related


def test_papers_of_an_author_are_listed_newest_first(store: PaperStore) -> None:
    answer = one(store, "yoshua bengio")
    assert answer.listed
    assert answer.matched is None
    assert [hit.paper.year for hit in answer.hits] == [2025, 2022]
    assert str(answer.reading) == "the author Yoshua Bengio (2 papers)"
    assert [other.lookup for other in answer.others] == ["text"]
    assert [hit.paper.year for hit in one(store, "yoshua bengio", k=1).hits] == [2025]
    filtered = one(store, "yoshua bengio", filter={"year": {"$lt": 2025}})
    assert [hit.paper.year for hit in filtered.hits] == [2022]


def test_an_author_who_is_also_a_title_is_offered(store: PaperStore) -> None:
    answer = one(store, "Samy Bengio")
    assert answer.matched is not None
    assert answer.matched.title == "Samy Bengio"
    assert [str(other) for other in answer.others] == ["the author Samy Bengio (1 paper)"]
    forced = one(store, "Samy Bengio", lookup="author")
    assert [hit.paper.title[:6] for hit in forced.hits] == ["Robots"]


def test_a_name_of_two_people_is_a_choice(store: PaperStore) -> None:
    answer = one(store, "Bengio", lookup="author")
    assert answer.listed
    assert len(answer.hits) == 3
    assert {other.text for other in answer.others} >= {"Yoshua Bengio", "Samy Bengio"}
    # Two people whose names are each other's turned round stay apart.
    assert [hit.paper.title[:6] for hit in one(store, "Wei Chen").hits] == ["Robots"]
    assert [hit.paper.title[:5] for hit in one(store, "Chen Wei").hits] == ["Graph"]


def test_papers_like_an_authors_are_one_step_further(store: PaperStore) -> None:
    (answer,) = ask(store, [], 3, like=["Yoshua Bengio"])
    assert all("Yoshua Bengio" not in hit.paper.authors for hit in answer.hits)
    assert len(answer.hits) == 3


def test_misspelt_words_are_corrected_and_said(store: PaperStore) -> None:
    answer = one(store, "lokomotion of leged robtos")
    assert answer.reading is not None
    assert answer.reading.text == "locomotion of legged robots"
    assert answer.reading.typed == answer.query == "lokomotion of leged robtos"
    assert first(answer).startswith("Robots")
    # A word that exists, or that the model knows, is never touched.
    for right in ("Frozolake", "kitchen robots", "graphs of molecules"):
        assert resolve(store, right).reading.typed == ""


def test_a_misspelt_author_is_found(store: PaperStore) -> None:
    answer = one(store, "Yoshua Begnio")
    assert str(answer.reading) == "the author Yoshua Bengio (2 papers)"


def test_a_misspelt_word_with_the_stem_of_a_right_one_is_corrected(store: PaperStore) -> None:
    # Porter's stemmer takes "ment" off both.
    answer = one(store, "reinforcment of legged robots")
    assert answer.reading is not None and answer.reading.text == "reinforcement of legged robots"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Kärcher-Müller", "the author Zoë Kärcher-Müller (1 paper)"),
        ("Bengio", "the author Bengio (2 authors) (3 papers)"),
        ("author: bengio", "the author bengio (2 authors) (3 papers)"),
        ("papers by Yoshua Bengio", "the author Yoshua Bengio (2 papers)"),
        ("by zoe karcher-muller", "the author Zoë Kärcher-Müller (1 paper)"),
        ("author: Bengio, Yoshua", "the author Yoshua Bengio (2 papers)"),
        ("by reinforcement", "the words by reinforcement"),
    ],
)
def test_a_family_name_alone_and_a_name_behind_by_are_people(
    tmp_path: Path, typed: str, said: str
) -> None:
    cited = Paper("Walking on ice", "As Bengio and Kaercher showed, walking is learnt.", year=2019)
    titles = [paper for paper in PAPERS if paper.title != "Samy Bengio"]
    with build_store([*titles, cited], tmp_path / "names", model="static") as store:
        assert str(one(store, typed).reading) == said


def test_a_word_of_titles_is_a_word_though_it_is_a_name_too(store: PaperStore) -> None:
    assert str(one(store, "Bengio").reading) == "the words Bengio"


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("https://arxiv.org/abs/2999.99999", "`swimmer search arxiv:2999.99999`"),
        ("arxiv:2999.99999v2", "`swimmer search arxiv:2999.99999`"),
        ("https://elsewhere.example/paper/7", "by its title"),
        (
            "openreview.net/forum?id=abcDEF",
            "`swimmer search https://openreview.net/forum?id=abcDEF`",
        ),
        ("doi:10.5555/nothing", "by its title"),
    ],
)
def test_an_address_that_the_store_lacks_is_said(
    store: PaperStore, address: str, advice: str
) -> None:
    answer = one(store, address)
    assert not answer.related
    assert answer.hits == []
    assert address in answer.warnings[0]
    assert advice in answer.warnings[0]


@pytest.mark.parametrize(
    ("lookup", "typed"), [("title", "no such title at all"), ("author", "Nobody Atall")]
)
def test_a_forced_reading_that_fails_is_an_error(
    store: PaperStore, lookup: str, typed: str
) -> None:
    with pytest.raises(QueryError, match="--as text"):
        one(store, typed, lookup=lookup)
    with pytest.raises(QueryError, match="lookup"):
        one(store, typed, lookup="person")


def test_forced_readings(store: PaperStore) -> None:
    assert first(one(store, "graph attention for", lookup="title")).startswith("Graph Attention")
    text = one(store, "Yoshua Bengio", lookup="text")
    assert not text.listed
    assert text.reading is not None
    assert text.reading.kind == "text"


@pytest.mark.parametrize(
    "noise",
    [
        "asdfgh jkljkl",
        "how to bake a chocolate cake",
        "divorce law and alimony",
        "qwe",
        "x",
        "Z.",
        "d s x",
        "the x of a",
    ],
)
def test_nothing_similar_means_it(store: PaperStore, noise: str) -> None:
    assert not one(store, noise).related


@pytest.mark.parametrize("text", ["locomotion poster", "ice poster", "traffic spotlight"])
def test_a_word_of_the_nearest_title_is_no_foreign_one(store: PaperStore, text: str) -> None:
    assert one(store, text).related


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "the of and",
        "x" * 20_000,
        "word " * 4_000,
        "title:x NEAR(a, b) AND NOT *",
        "'; DROP TABLE papers; --",
        '"unpaired',
        "x.pdf",
        "-",
        "()",
        "http://",
        "arxiv:",
    ],
)
def test_any_text_is_answered(store: PaperStore, text: str) -> None:
    for lookup in (True, "text"):
        try:
            answer = one(store, text, lookup=lookup)
        except QueryError as error:
            assert "Traceback" not in str(error)
        else:
            assert len(answer.hits) <= 5


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=80))
def test_resolving_is_total(text: str) -> None:
    assert RESOLVING is not None
    if text.strip():
        found = resolve(RESOLVING, text)
        assert found.reading.kind in ("title", "address", "name", "author", "part", "text")


RESOLVING: PaperStore | None = None


@pytest.fixture(autouse=True)
def _shared_store(folder: Path) -> None:
    global RESOLVING
    RESOLVING = RESOLVING or PaperStore.open(folder)


def test_several_stores_read_alike(folder: Path, tmp_path: Path) -> None:
    other = build_store(
        [
            Paper("Another study", "Nothing of note.", authors=("Yoshua Bengio",), year=2019),
            Paper("Preference alignment of language models", "We align language models."),
        ],
        tmp_path / "other",
        model="static",
    )
    with PaperStore.open(folder) as store, other:
        (author,) = ask_stores([store, other], ["Y. Bengio"], 5)
        assert {hit.paper.year for hit in author.hits} == {2025, 2022, 2019}
        assert author.listed
        (name,) = ask_stores([other, store], ["simper"], 3)
        assert name.matched is not None
        assert name.matched.title.startswith("SimPER")
        assert any(hit.paper.title.startswith("Preference") for hit in name.hits)


def test_the_retriever_reads_alike(store: PaperStore) -> None:
    retriever = load_retriever(store, k=2)
    assert [d.metadata["year"] for d in retriever.invoke("Yoshua Bengio")] == [2025, 2022]
    assert len(retriever.invoke("Yoshua Bengio", lookup="text")) == 2
    forced = load_retriever(store, lookup="author")
    assert len(forced.invoke("Samy Bengio")) == 1


def test_the_terminal_says_what_it_took(
    folder: Path, swimmer: Callable[..., Outcome], home: Path
) -> None:
    author = swimmer("search", "--store", folder, "Y. Bengio", "--brief")
    assert "taken as the author Yoshua Bengio (2 papers)" in author.out
    assert "--as text" in author.out
    assert "0.000" not in author.out
    assert "1.000" not in author.out
    name = swimmer("search", "--store", folder, "simper", "--brief", "-k", "1")
    assert "taken as the name simper: SimPER" in name.out
    typed = swimmer("search", "--store", folder, "robtos on ice", "--brief", "-k", "1")
    assert "searching for robots on ice (typed: robtos on ice)" in typed.out
    assert "text: " not in typed.out
    # The store knows the address: nothing is fetched.
    known = swimmer("search", "--store", folder, "https://arxiv.org/abs/2401.01234v1", "--json")
    assert json.loads(known.out)["reading"]["kind"] == "address"
    # Nor the list of a whole conference for one paper that the store lacks.
    for address in ("https://iclr.cc/virtual/2025/poster/1", "https://doi.org/10.5555/nothing"):
        lacking = swimmer("search", "--store", folder, address)
        assert "has the address" in lacking.out + lacking.err
    missing = swimmer("search", "--store", folder, "nosuch.pdf")
    assert missing.code == 2
    assert "no such file" in missing.err
    words = swimmer("search", "--store", folder, "nosuch.pdf", "--as", "text")
    assert words.code in (0, 2)
    assert "no such file" not in words.err
    wrong = swimmer("search", "--store", folder, "Nobody Atall", "--as", "author")
    assert wrong.code == 2


SPACELESS = [
    Paper("大規模言語モデルの安全性とRLHFの評価", "人間のフィードバックによる強化学習を調べる。"),
    Paper("图神经网络的可解释性研究", "我们研究图神经网络。", authors=("王伟",)),
    Paper("한국어 언어모델의 안전성 평가", "안전성을 평가한다."),
    Paper("RLHF without tears", "Reinforcement learning from human feedback, RLHF."),
    *[Paper(f"Optimal transport, part {i}", "Transport maps between measures.") for i in range(9)],
]


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("言語モデルの安全性", ["大規"]),
        ("RLHFの安全性", ["大規", "RLHF"]),
        ("神经网络", ["图神"]),
        ("图神经网络可解释性", ["图神"]),
        ("언어모델 안전성", ["한국어"]),
        ("王伟", ["图神"]),
        ("RLHF の問題", ["RLHF"]),
    ],
)
def test_scripts_without_spaces_find_words(tmp_path: Path, typed: str, titles: list[str]) -> None:
    with build_store(SPACELESS, tmp_path / "spaceless", model="static") as store:
        answer = one(store, typed)
        for start, hit in zip(titles, answer.hits, strict=False):
            assert hit.paper.title.startswith(start)
        assert len(answer.hits) >= len(titles)
        assert answer.related
        assert sum("bge-m3" in warning for warning in answer.warnings) <= 1


def test_a_query_that_no_paper_can_match_gives_no_noise(store: PaperStore) -> None:
    answer = one(store, "大規模言語モデルの安全性")
    assert answer.hits == []
    assert not answer.related
    assert "bge-m3" in answer.warnings[0]


def test_the_language_beside_latin_words_is_said(tmp_path: Path) -> None:
    with build_store(SPACELESS, tmp_path / "spaceless", model="static") as store:
        (said,) = one(store, "Transformer based language model 모델").warnings
        assert "looks like Korean" in said


def test_segments_follow_changes(tmp_path: Path) -> None:
    model = "static"
    build_store(SPACELESS, tmp_path / "s", model=model).close()
    with build_store(SPACELESS[1:], tmp_path / "s", model=model, prune=True) as store:
        assert one(store, "言語モデルの安全性").hits == []
        assert first(one(store, "图神经网络")).startswith("图神")
