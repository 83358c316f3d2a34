"""Questions: a known title from its vector, a near one taken as it, anything else as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, ask, build_store, search
from swimmer.errors import QueryError
from swimmer.store.faiss_index import FaissIndex
from swimmer.text.language import foreign_language

from .models import HashEmbeddings


@pytest.fixture
def store(papers: list[Paper]) -> PaperStore:
    return build_store(papers, "small", model=HashEmbeddings())


def titles(store: PaperStore, query: str, k: int = 10, **options: object) -> list[str]:
    return [hit.paper.title for hit in search(store, query, k, **options)]  # type: ignore[arg-type]


def test_answers_are_the_nearest_by_cosine_best_first(store: PaperStore) -> None:
    vectors = store.vectors()
    order = np.argsort(-(vectors @ vectors[3]), kind="stable")
    expected = [row for row in order.tolist() if row != 3][:7]
    hits = search(store, "Reward Models that Know When They Are Wrong", 7, lexical=False)
    assert [hit.paper.id for hit in hits] == [f"p{row:02d}" for row in expected]
    assert [hit.cosine for hit in hits] == [hit.score for hit in hits]
    assert [hit.rank for hit in hits] == list(range(1, 8))
    assert [hit.score for hit in hits] == pytest.approx(
        (vectors @ vectors[3])[expected].tolist(), abs=1e-6
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "Safe Exploration by Learned Shields",
        "  safe exploration BY learned shields!! ",
        "Safe-Exploration: by Learned Shields",
        "ｓａｆｅ exploration by learned shields",
        "Safe Exploration by \\emph{Learned} Shields",
    ],
)
def test_a_title_is_known_whatever_its_spelling(store: PaperStore, spelling: str) -> None:
    (answer,) = ask(store, [spelling])
    assert answer.matched is not None and answer.matched.id == "p02" and answer.exact


@pytest.mark.parametrize(
    "spelling", ["β-mixing bounds for time series", "beta mixing bounds for time series"]
)
def test_latex_titles_are_known_by_symbol_and_by_name(store: PaperStore, spelling: str) -> None:
    (answer,) = ask(store, [spelling])
    assert answer.matched is not None and answer.matched.id == "p24" and answer.exact


@pytest.mark.parametrize(
    "typo",
    [
        "Safe Exploraton by Learned Shields",
        "Safe Exploration by Learnt Shields",
        "Safe Explorations by Learned Shield",
    ],
)
def test_a_title_with_a_slip_is_taken_as_the_nearest(store: PaperStore, typo: str) -> None:
    (answer,) = ask(store, [typo])
    assert answer.matched is not None and answer.matched.id == "p02" and not answer.exact


@pytest.mark.parametrize(
    "other",
    [
        "Safe Exploration",
        "Exploration by Learned Maps",
        "Diffusion Models in Three Steps of Ten",
        "Quantizing Language Models to 4 Bits",
        "Shields",
    ],
)
def test_another_title_is_not_taken_as_a_known_one(store: PaperStore, other: str) -> None:
    (answer,) = ask(store, [other])
    assert answer.matched is None


def test_numbers_must_agree() -> None:
    store = build_store(
        [Paper(title="Scaling Laws for Everything, Part 1"), Paper(title="Another Paper")],
        "parts",
        model=HashEmbeddings(),
    )
    (answer,) = ask(store, ["Scaling Laws for Everything, Part 2"])
    assert answer.matched is None
    (answer,) = ask(store, ["Scaling Law for Everything, Part 1"])
    assert answer.matched is not None


def test_a_near_title_is_found_among_many() -> None:
    words = "graph neural network learning model deep attention robust sparse fast".split()
    rng = np.random.default_rng(1)
    papers = [
        Paper(title=" ".join(rng.choice(words, 5)) + f" study {i}", id=str(i)) for i in range(2000)
    ]
    papers.append(Paper(title="Unsupervised Zebra Counting from Drones", id="zebra"))
    store = build_store(papers, "many", model=HashEmbeddings(16))
    (answer,) = ask(store, ["Unsupervised Zebra Couting from Drones"])
    assert answer.matched is not None and answer.matched.id == "zebra"


def test_the_paper_itself_is_left_out_unless_asked_for(store: PaperStore) -> None:
    title = "Bandits that Remember"
    assert title not in titles(store, title, 30)
    assert titles(store, title, 1, include_self=True) == [title]
    assert len(titles(store, title, 5)) == 5


def test_lookup_can_be_switched_off(store: PaperStore) -> None:
    (answer,) = ask(store, ["Bandits that Remember"], lookup=False)
    assert answer.matched is None
    assert "Bandits that Remember" in [hit.paper.title for hit in answer.hits]


@pytest.mark.parametrize("k", [0, -1, 2.5, "3", None, True])
def test_k_must_be_a_whole_number_from_one(store: PaperStore, k: object) -> None:
    with pytest.raises(QueryError, match="whole number from 1"):
        search(store, "Bandits that Remember", k)  # type: ignore[arg-type]


def test_more_than_there_are_gives_all(store: PaperStore) -> None:
    assert len(search(store, "Bandits that Remember", 10_000)) == 29
    assert len(search(store, "any words of shields", 10_000)) == 30


@pytest.mark.parametrize("query", ["", "   ", "\x00\x1b", "\u200e\u202e", "\ud800"])
def test_a_blank_query_is_refused(store: PaperStore, query: str) -> None:
    with pytest.raises(QueryError, match="blank"):
        search(store, query)


def test_a_query_of_megabytes_is_answered(store: PaperStore) -> None:
    assert len(search(store, "shields and safety " * 500_000, 3)) == 3


@settings(max_examples=60, deadline=None)
@given(query=st.text(max_size=300))
def test_any_query_gives_an_answer_or_a_clear_error(
    query: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = _session_store(tmp_path_factory)
    try:
        hits = search(store, query, 3)
    except QueryError:
        return
    assert len(hits) == 3
    assert all(-1 <= hit.score <= 1 for hit in hits)


_made: list[PaperStore] = []


def _session_store(factory: pytest.TempPathFactory) -> PaperStore:
    if not _made:
        papers = [Paper(title=f"Paper on {word}") for word in "graphs speech vision text".split()]
        _made.append(build_store(papers, factory.mktemp("any") / "s", model=HashEmbeddings()))
    return _made[0]


def test_a_batch_answers_as_single_questions_do(store: PaperStore, papers: list[Paper]) -> None:
    queries = [paper.title for paper in papers] + ["free text about shields"]
    together = ask(store, queries, 5)
    for query, answer in zip(queries, together, strict=True):
        (alone,) = ask(store, [query], 5)
        assert [hit.paper.id for hit in answer.hits] == [hit.paper.id for hit in alone.hits]
        assert answer.matched == alone.matched


def test_an_answer_says_store_and_model(store: PaperStore) -> None:
    (answer,) = ask(store, ["Bandits that Remember"])
    assert answer.store == "small" and "HashEmbeddings" in answer.model
    with pytest.raises(QueryError, match="list of queries"):
        ask(store, "Bandits that Remember")


# ---------------------------------------------------------------------- languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("強化学習によるロボット制御", "Japanese"),
        ("基于图神经网络的分子生成", "Chinese or Japanese"),
        ("강화 학습을 이용한 로봇 제어", "Korean"),
        ("Обучение с подкреплением", "Russian or another language in Cyrillic script"),
        ("Apprentissage par renforcement pour les robots", "French"),
        ("Lernen mit wenigen Beispielen für die Robotik", "German"),
        ("Aprendizaje por refuerzo para el control de los robots", "Spanish"),
        ("Reinforcement learning for robots", ""),
        ("De Novo Drug Design with $\\alpha$ and β", ""),
        ("k-NN à la carte", ""),
        ("12345 !!", ""),
    ],
)
def test_a_language_that_the_model_does_not_read_is_recognised(text: str, language: str) -> None:
    assert foreign_language(text) == language


def test_a_foreign_query_gets_a_warning_that_names_a_model_for_it(papers: list[Paper]) -> None:
    store = build_store(papers, "static")
    for query in ("強化学習によるロボット制御", "Apprentissage par renforcement pour les robots"):
        (answer,) = ask(store, [query], 3)
        assert "bge-m3" in answer.warnings[0]
    (answer,) = ask(store, ["reinforcement learning for robots"], 3)
    assert not answer.warnings and len(answer.hits) == 3


def test_no_real_title_is_taken_for_a_foreign_one(shared: object) -> None:
    import json
    from pathlib import Path

    path = Path(str(shared)) / "corpora" / "iclr2025_downloads.json"
    names = [record["name"] for record in json.loads(path.read_text(encoding="utf-8"))]
    assert len(names) == 3723
    assert [name for name in names if foreign_language(name)] == []


def test_words_that_no_paper_and_no_model_knows(papers: list[Paper]) -> None:
    store = build_store(papers, "static")
    with pytest.raises(QueryError, match=r"know|token"):
        search(store, "☃☃☃ ☃☃")


# ---------------------------------------------------------------------- large stores


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(1, 40), st.integers(1, 3))
def test_a_search_shared_among_threads_is_that_of_one(rows: int, k: int, distinct: int) -> None:
    """Also where papers are copies of each other, and where there are few of them."""
    rng = np.random.default_rng(rows * 100 + k)
    vectors = rng.normal(size=(rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = FaissIndex.of(np.repeat(vectors, distinct, axis=0))
    query = vectors[:1]
    # All rows are ranked: which of equal ones are left out is open.
    whole = index.search(np.repeat(query, 2, axis=0), len(vectors) * distinct)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("swimmer.store.faiss_index._SHARED_FROM", 1)
        patch.setattr("faiss.omp_get_max_threads", lambda: 3)
        scores, found = index.search(query, k)
    assert np.array_equal(scores[0], whole[0][0][:k])
    assert np.allclose(index.vectors(found[0]) @ query[0], scores[0], atol=1e-5)
    assert len(set(found[0].tolist())) == min(k, len(vectors) * distinct)
