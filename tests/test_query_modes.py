"""Examples, words, both, differences, a second look, reasons: each against a reference."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, ask, build_store, run_build, search
from swimmer.errors import ModelError, QueryError
from swimmer.retrieval.diversity import select_diverse, versions
from swimmer.retrieval.fusion import fused
from swimmer.retrieval.options import MODES
from swimmer.retrieval.ranking import UNLIKE
from swimmer.retrieval.reranking import load_reranker
from swimmer.store.keyword import keyword_search, phrase_rows, split_query
from swimmer.store.stemming import stems
from swimmer.text import COMMON_WORDS
from tests.query_fixtures import RandomEmbeddings, small_papers, store_of

PAPERS = small_papers()
TITLES = [paper.title for paper in PAPERS]
STORE: PaperStore
VECTORS: np.ndarray


@pytest.fixture(scope="module", autouse=True)
def _store() -> None:
    """Make the store of this module's tests; none is made while tests are collected."""
    global STORE, VECTORS
    STORE = store_of(PAPERS)
    VECTORS = STORE.vectors()


def rows(hits: Sequence[Any]) -> list[int]:
    return [TITLES.index(hit.paper.title) for hit in hits]


# ---------------------------------------------------------------------- examples


def test_several_examples_are_asked_as_their_mean() -> None:
    like, unlike = [0, 4, 8], [1]
    wanted = VECTORS[like].mean(axis=0) - UNLIKE * VECTORS[unlike].mean(axis=0)
    scores = VECTORS @ (wanted / np.linalg.norm(wanted))
    order = [row for row in np.argsort(-scores) if row not in (*like, *unlike)]
    hits = search(STORE, like=[TITLES[i] for i in like], unlike=[TITLES[1]], k=6)
    assert rows(hits) == order[:6]
    assert [hit.score for hit in hits] == pytest.approx(scores[order[:6]].tolist(), abs=1e-5)


def test_examples_join_every_query() -> None:
    together = search(STORE, TITLES[0], like=[TITLES[4]], k=5)
    assert rows(together) == rows(search(STORE, like=[TITLES[0], TITLES[4]], k=5))
    (first, second) = ask(STORE, [TITLES[0], TITLES[1]], 5, like=[TITLES[4]])
    assert rows(first.hits) == rows(together)
    assert rows(second.hits) != rows(first.hits)
    assert first.query == f"{TITLES[0]} + {TITLES[4]}"


def test_unlike_moves_answers_away() -> None:
    plain = search(STORE, "robust graph diffusion", k=8)
    away = search(STORE, "robust graph diffusion", unlike=["diffusion models"], k=8)
    share = [sum("diffusion" in hit.paper.title for hit in hits) for hits in (plain, away)]
    assert share[1] < share[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"unlike": ["graphs"]}, "no query"),
        ({"like": "graphs"}, "like takes a list"),
        ({"query": "x", "unlike": "graphs"}, "unlike takes a list"),
        ({"query": TITLES[0], "unlike": [TITLES[0].upper()]}, "a positive and a negative example"),
        (
            {"query": "graphs", "unlike": ["trees"], "mode": "keyword"},
            "cannot be used in keyword mode",
        ),
        ({"query": "graphs", "mode": "fuzzy"}, "dense, keyword, hybrid"),
        ({"query": "graphs", "diversity": 1.5}, "from 0 to 1"),
        ({"query": "graphs", "diversity": True}, "from 0 to 1"),
        ({"query": "graphs", "diversity": float("nan")}, "from 0 to 1"),
        ({"query": "graphs", "rerank": 3}, "name of a cross-encoder"),
        ({"like": [" "]}, "blank"),
        ({"like": [3]}, "a query is text"),
        ({}, "no query"),
    ],
)
def test_questions_that_cannot_be_asked(options: dict[str, Any], said: str) -> None:
    with pytest.raises(QueryError, match=re.escape(said)):
        search(STORE, **options)


def test_unlike_alone_is_refused_by_ask_too() -> None:
    with pytest.raises(QueryError, match="only negative examples"):
        ask(STORE, [], unlike=["graphs"])


def test_a_paper_that_no_store_knows_is_embedded_with_its_abstract() -> None:
    paper = Paper("Untitled", "Gradients leak from phones; secure aggregation keeps them private.")
    hits = search(STORE, paper, 4)
    assert all("privacy" in hit.paper.title for hit in hits)
    model = STORE.model()
    vector = model.embed_papers([model.text_of(paper)])[0]
    assert hits[0].score == pytest.approx(float((VECTORS @ vector).max()), abs=1e-5)


def test_a_known_paper_given_whole_is_left_out_of_its_answers() -> None:
    assert rows(search(STORE, PAPERS[3], 5)) == rows(search(STORE, TITLES[3], 5))


# ---------------------------------------------------------------------- words


def test_keyword_finds_authors_and_exact_phrases() -> None:
    assert {hit.paper.authors[1] for hit in search(STORE, "Bo Graph", 8, mode="keyword")} == {
        "Bo Graph"
    }
    hits = search(STORE, '"secure aggregation"', 40, mode="keyword")
    assert len(hits) == 8 and all("secure aggregation" in hit.paper.abstract for hit in hits)
    assert search(STORE, '"aggregation secure"', mode="keyword") == []


def test_keyword_scores_are_those_of_sqlite() -> None:
    hits = search(STORE, "oversmooth residual", 3, mode="keyword")
    sql = "SELECT -bm25(papers_fts, 3.0, 1.0, 2.0, 2.0) FROM papers_fts WHERE papers_fts MATCH ?"
    best = max(score for (score,) in STORE.database.query(sql, ('"oversmooth" OR "residual"',)))
    assert hits[0].score == pytest.approx(best)
    assert hits[0].percentile is None


def test_keyword_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(STORE, "model", lambda *_: pytest.fail("the model was asked"))
    assert search(STORE, "leak gradients", mode="keyword")


HOSTILE = [
    '"',
    '""',
    '"""',
    "'",
    "''",
    '"unbalanced graph',
    'graph"',
    "graph AND",
    "OR",
    "NOT graph",
    "NEAR(graph, 3)",
    "NEAR/2",
    "title:graph",
    "display_title : graph",
    "-graph",
    "^graph",
    "graph*",
    "* * *",
    "{graph}",
    "(graph",
    ")graph(",
    "graph + nodes",
    "graph;",
    "a\x00b",
    "x' OR 1=1; DROP TABLE papers_fts; --",
    "\\",
    "%",
    "_",
    "🙂",
    "\u202egraph",
    "ẞ",
    "AND OR NOT",
    '"AND" "OR"',
    "{title abstract}:graph",
    "col:-x",
    '"graph" NOT "nodes"',
    "`graph`",
    "[graph]",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_operators_of_full_text_search_are_words(text: str, mode: str) -> None:
    if mode == "hybrid" and not any(map(str.isalnum, text)):
        with pytest.raises(QueryError, match="knows no word"):
            search(STORE, text, 3, mode=mode)
        return
    hits = search(STORE, text, 3, mode=mode)
    if "graph" in text and '"' not in text and mode == "keyword":
        assert all("graph" in hit.paper.title.lower() for hit in hits[:1])
    assert len(STORE.database) == len(PAPERS)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="graphAND OR\"'*():^-+{}[]\\;%_é\x00\ud800", max_size=40))
def test_any_text_is_searched_as_text(text: str) -> None:
    from swimmer.text.cleaning import clean

    found = keyword_search(STORE.database, clean(text), 5)
    words, phrases = split_query(clean(text))
    assert not found or words
    assert all(len(phrase) > 1 for phrase in phrases)


def test_keyword_filters_before_it_counts_to_k() -> None:
    hits = search(STORE, "learning", 4, mode="keyword", filter={"year": 2026})
    assert len(hits) == 4 and all(hit.paper.year == 2026 for hit in hits)


def test_phrases_are_counted_as_they_stand() -> None:
    rows_found = phrase_rows(STORE.database, "Message Passing!")
    assert len(rows_found) == 8
    with pytest.raises(QueryError, match="no word"):
        phrase_rows(STORE.database, "?!")


# ---------------------------------------------------------------------- both


rankings = st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), min_size=1, max_size=4)


@settings(max_examples=200, deadline=None)
@given(rankings)
def test_fusion_is_reciprocal_rank_fusion_as_langchain_does_it(lists: list[list[int]]) -> None:
    classic = pytest.importorskip("langchain_classic.retrievers.ensemble")
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Fixed(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return []

    weights = [1.0 / (i + 1) for i in range(len(lists))]
    reference = classic.EnsembleRetriever(retrievers=[Fixed()] * len(lists), weights=weights)
    documents = [[Document(str(row)) for row in ranking] for ranking in lists]
    expected = [int(d.page_content) for d in reference.weighted_reciprocal_rank(documents)]
    ours = fused(lists, weights)
    score = dict(ours)
    assert sorted(score) == sorted(expected)
    # Equal scores may stand in either order.
    assert [score[row] for row in expected] == pytest.approx([value for _, value in ours])


def test_hybrid_is_the_fusion_of_both() -> None:
    from swimmer.retrieval.ranking import CANDIDATES, KEYWORD_WEIGHT

    query = "policy gradients with secure aggregation"
    dense = rows(search(STORE, query, CANDIDATES))
    words = rows(search(STORE, query, CANDIDATES, mode="keyword"))
    expected = [row for row, _ in fused([dense, words], [1.0, KEYWORD_WEIGHT])]
    hits = search(STORE, query, 10, mode="hybrid")
    assert rows(hits) == expected[:10]
    vector = STORE.model().embed_query(query)
    for hit, row in zip(hits, rows(hits), strict=True):
        assert hit.score == pytest.approx(float(VECTORS[row] @ vector), abs=1e-5)


# ---------------------------------------------------------------------- differences


def plain_mmr(relevance: list[float], vectors: np.ndarray, k: int, diversity: float) -> list[int]:
    """Maximal marginal relevance by its definition, one pair at a time."""
    chosen: list[int] = []
    while len(chosen) < min(k, len(relevance)):
        best, best_gain = -1, -math.inf
        for i in range(len(relevance)):
            if i in chosen:
                continue
            gain = relevance[i]
            if chosen:
                nearest = max(float(vectors[i] @ vectors[j]) for j in chosen)
                gain = (1 - diversity) * relevance[i] - diversity * nearest
            if gain > best_gain + 1e-9:
                best, best_gain = i, gain
        chosen.append(best)
    return chosen


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25), st.integers(1, 30), st.floats(0, 1))
def test_spreading_is_maximal_marginal_relevance(
    seed: int, n: int, k: int, diversity: float
) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = sorted(rng.random(n).tolist(), reverse=True)
    assert select_diverse(relevance, vectors, k, diversity) == plain_mmr(
        relevance, vectors, k, diversity
    )


def test_spreading_chooses_what_langchain_chooses() -> None:
    from langchain_core.vectorstores.utils import maximal_marginal_relevance

    query = VECTORS[0]
    order = np.argsort(-(VECTORS @ query), kind="stable")[:20]
    ours = select_diverse((VECTORS[order] @ query).tolist(), VECTORS[order], 8, 0.4)
    theirs = maximal_marginal_relevance(query, list(VECTORS[order]), lambda_mult=0.6, k=8)
    assert ours == theirs


def test_diversity_is_one_knob_in_every_mode() -> None:
    for mode in MODES:
        spreads = []
        for diversity in (0.0, 0.5, 1.0):
            hits = search(STORE, "graph learning", 8, mode=mode, diversity=diversity)
            assert [hit.rank for hit in hits] == list(range(1, 9))
            near = VECTORS[rows(hits)] @ VECTORS[rows(hits)].T
            spreads.append(float(near.mean()))
        assert spreads[0] > spreads[2], mode
        assert spreads[0] >= spreads[1] >= spreads[2] - 0.02, mode


def test_versions_of_a_work_become_one_hit_and_k_works_come_back() -> None:
    papers = small_papers()
    twins = [
        Paper(f"{paper.title}: extended", paper.abstract, venue="JMLR", year=2030)
        for paper in papers[:12]
    ]
    store = store_of([*papers, *twins])
    alone = search(store, "adaptive reward learning", 30, group=True)
    assert len(alone) == 30
    titles = {hit.paper.title for hit in alone}
    for hit in alone:
        for copy in hit.copies:
            assert copy.title not in titles
    assert sum(len(hit.copies) for hit in alone) >= 10
    assert not any(hit.copies for hit in search(store, "adaptive reward learning", 30))


def test_near_vectors_with_other_titles_are_two_works() -> None:
    vectors = np.asarray([[1, 0], [1, 0], [0, 1], [1, 0]], np.float32)
    keys = ["learningtoswimpart", "anotherwork", "learningtoswimpart", "learningtoswimpartii"]
    assert versions(vectors, keys) == [[0, 3], [1], [2]]


# ---------------------------------------------------------------------- a second look


def test_a_function_reranks_the_first_fifty() -> None:
    def by_length(query: str, papers: list[Paper]) -> list[float]:
        assert query == "graphs" and len(papers) == len(PAPERS)
        return [float(len(paper.title)) for paper in papers]

    hits = search(STORE, "graphs", 5, rerank=by_length)
    lengths = [len(hit.paper.title) for hit in hits]
    assert lengths == sorted(map(len, TITLES), reverse=True)[:5]
    assert [hit.relevance for hit in hits] == lengths


def test_a_langchain_cross_encoder_reranks() -> None:
    reason = "needs a langchain-core with cross-encoders"
    encoders: Any = pytest.importorskip("langchain_core.cross_encoders", reason=reason)

    class Last(encoders.BaseCrossEncoder):  # type: ignore[misc]
        def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
            assert all("\n" in text for _, text in text_pairs)
            return [-float(i) for i in range(len(text_pairs), 0, -1)]

    plain = rows(search(STORE, "graphs", len(PAPERS)))
    found = search(STORE, "graphs", 5, rerank=Last())
    assert rows(found) == plain[::-1][:5]


def test_a_reranker_that_answers_wrongly_is_found_out() -> None:
    class Short:
        def score(self, text_pairs: list[tuple[str, str]]) -> list[float]:
            return [1.0]

    with pytest.raises(ModelError, match="one finite score for each"):
        search(STORE, "graphs", rerank=Short())  # type: ignore[arg-type]


def test_a_reranker_that_is_not_there_says_so(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers", reason="needs the extra 'huggingface'")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_reranker(str(tmp_path))


def test_a_cross_encoder_from_a_folder_reranks(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("sentence_transformers")
    import torch

    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "graph", "reward", "learning", "part"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=1,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path)
    judge = load_reranker(str(tmp_path))
    scores = judge("graph", PAPERS[:6])
    assert len(scores) == 6 and all(map(math.isfinite, scores))
    hits = search(STORE, "graph learning", 6, rerank=str(tmp_path))
    assert [hit.relevance for hit in hits] == sorted(
        (hit.relevance for hit in hits if hit.relevance is not None), reverse=True
    )


# ---------------------------------------------------------------------- what scores mean


@pytest.mark.parametrize("options", [{}, {"filter": {"venue": "ICLR"}}, {"diversity": 0.3}])
def test_percentile_counts_the_papers_that_score_no_higher(options: dict[str, Any]) -> None:
    hits = search(STORE, TITLES[2], 6, **options)
    others = np.delete(VECTORS @ VECTORS[2], 2)
    for hit in hits:
        expected = 100 * float((others <= hit.score + 1e-6).mean())
        assert hit.percentile == pytest.approx(expected)


def test_what_no_paper_is_about_is_said_to_be_unrelated(tmp_path: Path) -> None:
    store = build_store(small_papers(), tmp_path / "small")
    assert 0 < store.thresholds["related"] < 1
    recipes = ["Melt the butter, add sugar and bake the cake", "The history of the Roman empire"]
    subjects = ["graph neural networks", "privacy in federated learning", "denoising images"]
    assert [answer.related for answer in ask(store, recipes)] == [False, False]
    assert [answer.related for answer in ask(store, subjects)] == [True] * 3
    assert all(answer.hits for answer in ask(store, recipes))
    assert ask(store, [TITLES[0]])[0].related


def test_a_small_update_keeps_what_was_learnt(tmp_path: Path) -> None:
    papers = small_papers()
    first = build_store(papers, tmp_path / "small").thresholds
    papers[0] = Paper(papers[0].title, "Another abstract.", id=papers[0].id)
    again, report = run_build(papers, tmp_path / "small")
    assert report.embedded == 1
    assert again.thresholds == first


# ---------------------------------------------------------------------- stems

WORDS = (
    "technology technologies technological ontology ontologies possible possibly visible visibly "
    "as a us use uses is généraliser généralise generaliser 3D 3d4 LLMs llm ΑΒ алгоритм 拡散"
).split()
"""Words of the kinds on which Porter stemmers differ, and words of other scripts."""


def test_words_have_one_stem_exactly_where_the_full_text_index_joins_them() -> None:
    known = COMMON_WORDS.read_text(encoding="utf-8").split()
    endings = ("", "s", "ing", "ed", "ly", "ational", "ization", "ness", "fulness", "ities")
    made = [word.rstrip("e") + endings[i % len(endings)] for i, word in enumerate(known)]
    words = list(dict.fromkeys([*known, *made, *WORDS]))
    assert len(words) > 2_000
    papers = [Paper(word, url=f"https://example.org/{i}") for i, word in enumerate(words)]
    database = store_of(papers, RandomEmbeddings()).database
    assert len(database) == len(words)
    stem_of = stems(words)
    together: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        together.setdefault(stem_of[word], []).append(row)
    assert len(together) < 0.8 * len(words)
    for word in words:
        assert sorted(phrase_rows(database, word)) == together[stem_of[word]], word


# ---------------------------------------------------------------------- why


def test_reasons_name_shared_subjects_and_the_nearest_sentence() -> None:
    (hit, *_) = search(STORE, TITLES[1], 1, explain=True)
    reasons = hit.reasons
    assert reasons is not None and reasons.terms
    written = f"{hit.paper.title} {hit.paper.abstract}".casefold()
    asked = f"{PAPERS[1].title} {PAPERS[1].abstract}".casefold()
    for term in reasons.terms:
        assert term.casefold() in written
        assert all(word.rstrip("s") in asked for word in re.findall(r"\w+", term.casefold()))
    assert reasons.sentence in hit.paper.abstract
    assert reasons.facet in ("", "problem", "method", "result")


def test_reasons_find_the_sentence_that_was_asked_for() -> None:
    (hit,) = search(STORE, "secure aggregation with differential privacy", 1, explain=True)
    assert hit.reasons is not None
    assert hit.reasons.sentence == "We present secure aggregation with differential privacy."


def test_reasons_join_the_endings_that_keyword_search_joins() -> None:
    store = store_of([Paper("Possible topologies"), *PAPERS], RandomEmbeddings())
    hits = search(store, "topology for aggregation", 1, mode="keyword", explain=True)
    assert [hit.paper.title for hit in hits] == ["Possible topologies"]
    assert hits[0].reasons is not None and "topologies" in hits[0].reasons.terms


def test_reasons_name_no_latex_command() -> None:
    abstract = r"A bound of $\mathcal{O}\left(\log n\right)$ holds for spectral sketching."
    store = store_of([Paper(t, abstract) for t in TITLES], RandomEmbeddings())
    (hit,) = search(store, Paper("Bounds", abstract), 1, mode="keyword", explain=True)
    assert hit.reasons is not None
    assert "spectral sketching" in hit.reasons.terms
    assert not {"log", "left", "right", "mathcal"} & set(hit.reasons.terms)


def test_reasons_stand_without_an_abstract() -> None:
    store = store_of([Paper(title) for title in TITLES], RandomEmbeddings())
    (hit,) = search(store, "graph learning", 1, mode="keyword", explain=True)
    assert hit.reasons is not None and hit.reasons.sentence == ""


# ---------------------------------------------------------------------- all at once


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(MODES),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, {"year": {"$gte": 2021}}, {"venue": "ICLR"}, {"year": 1900}]),
    st.integers(1, 40),
    st.lists(st.sampled_from(TITLES[:4]), max_size=2),
)
def test_everything_composes(
    mode: str, diversity: float, group: bool, explain: bool, filter: Any, k: int, like: list[str]
) -> None:
    unlike = [] if mode == "keyword" else [TITLES[9]]
    (answer,) = ask(
        STORE,
        ["learning on graphs"],
        k,
        mode=mode,
        diversity=diversity,
        group=group,
        explain=explain,
        filter=filter,
        like=like,
        unlike=unlike,
    )
    hits = answer.hits
    found = rows(hits)
    assert len(set(found)) == len(found) <= k
    assert not {TITLES.index(title) for title in [*like, *unlike]} & set(found)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert all((hit.reasons is not None) == explain for hit in hits)
    if filter == {"year": 1900}:
        assert not hits and "no papers from 1900 in this store" in answer.warnings[-1]
    elif filter:
        matching = {
            row
            for row, paper in enumerate(PAPERS)
            if (paper.venue == "ICLR" if "venue" in filter else (paper.year or 0) >= 2021)
        } - {TITLES.index(title) for title in [*like, *unlike]}
        assert set(found) <= matching
        if mode != "keyword" and not group:
            assert len(found) == min(k, len(matching))


def test_ten_thousand_titles_are_one_batch() -> None:
    many = [TITLES[i % len(TITLES)].upper() for i in range(10_000)]
    answers = ask(STORE, many, 3)
    assert len(answers) == 10_000
    for i in (0, 17, 9_999):
        (alone,) = ask(STORE, [many[i]], 3)
        assert rows(alone.hits) == rows(answers[i].hits)
        assert answers[i].matched == PAPERS[i % len(TITLES)] and answers[i].exact


# ---------------------------------------------------------------------- LangChain


def test_the_retriever_asks_in_every_way_under_the_same_names() -> None:
    from swimmer import load_retriever

    options: dict[str, Any] = {
        "mode": "hybrid",
        "diversity": 0.3,
        "like": [TITLES[4]],
        "unlike": [TITLES[1]],
    }
    expected = [hit.paper.id for hit in search(STORE, TITLES[0], 5, **options)]
    retriever = load_retriever(STORE, k=5, **options)
    assert [document.id for document in retriever.invoke(TITLES[0])] == expected
    plain = load_retriever(STORE, k=5)
    assert [document.id for document in plain.invoke(TITLES[0], **options)] == expected
    (told, *_) = plain.invoke(TITLES[0], explain=True)
    assert set(told.metadata["reasons"]) == {"terms", "sentence", "facet"}
    for wrong in ({"mode": "best"}, {"diversity": 3}, {"like": "one text"}):
        with pytest.raises(QueryError):
            load_retriever(STORE, **wrong)


def test_a_batch_of_the_retriever_is_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    import swimmer.langchain.searching as face
    from swimmer import load_retriever

    calls = []

    def counted(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments[1])
        return ask(*arguments, **options)

    monkeypatch.setattr(face, "ask", counted)
    retriever = load_retriever(STORE, k=3)
    answers = retriever.batch([*TITLES[:6], TITLES[0]])
    assert len(calls) == 1 and len(answers) == 7
    assert answers[0] == answers[6] == load_retriever(STORE, k=3).invoke(TITLES[0])
    with pytest.warns(UserWarning, match="blank"):
        mixed = retriever.batch([TITLES[0], " "], return_exceptions=True)
    assert mixed == [answers[0], []]
