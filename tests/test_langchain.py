"""The retriever and the vector store: what they answer, keep, and refuse."""

from __future__ import annotations

import dataclasses
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

pytest.importorskip("langchain_core")

from hypothesis import given, settings, strategies as st
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from swimmer import (
    Paper,
    PaperRetriever,
    PaperStore,
    PaperVectorStore,
    SwimmerEmbeddings,
    build_store,
    load_model,
    load_retriever,
)
from swimmer.errors import (
    InputError,
    ModelError,
    ModelMismatchError,
    QueryError,
    StoreError,
    StoreNotFoundError,
)
from swimmer.langchain.documents import document_paper, paper_document

from .models import HashEmbeddings

TITLE = "Preference Optimization without a Reference Model"


@pytest.fixture
def store(papers: list[Paper], model: HashEmbeddings) -> PaperStore:
    return build_store(papers, "test", model=model)


@pytest.fixture
def retriever(store: PaperStore) -> PaperRetriever:
    return load_retriever(store)


# ---------------------------------------------------------------------- the retriever


def test_documents_carry_the_paper_its_score_and_its_rank(
    retriever: PaperRetriever, papers: list[Paper]
) -> None:
    by_id = {paper.id: paper for paper in papers}
    documents = retriever.invoke(TITLE)
    assert len(documents) == 10
    assert [d.metadata["rank"] for d in documents] == list(range(1, 11))
    scores = [d.metadata["score"] for d in documents]
    assert scores == sorted(scores, reverse=True)
    assert all(type(score) is float for score in scores)
    for document in documents:
        assert document.id is not None
        paper = by_id[document.id]
        assert document.page_content == f"{paper.title}\n{paper.abstract[:500]}\n{paper.url}"
        fields = {
            k: v
            for k, v in document.metadata.items()
            if k not in ("score", "rank", "percentile", "cosine", "closeness")
        }
        assert fields == paper.to_dict()
        assert json.loads(json.dumps(document.metadata)) == document.metadata


def test_a_known_title_needs_no_model_and_is_not_its_own_answer(
    store: PaperStore, model: HashEmbeddings, papers: list[Paper]
) -> None:
    store.close()
    model.embedded.clear()
    retriever = load_retriever("test")
    own = next(paper.id for paper in papers if paper.title == TITLE)
    assert own not in [d.id for d in retriever.invoke(TITLE.upper() + " ")]
    assert retriever.invoke(TITLE, include_self=True)[0].id == own
    assert model.embedded == []


def test_lookup_off_embeds_the_title_with_the_model_given(
    store: PaperStore, model: HashEmbeddings
) -> None:
    text = load_retriever(store, lookup=False, embeddings=model, include_self=True).invoke(TITLE)
    known = load_retriever(store, include_self=True).invoke(TITLE)
    assert text[0].id == known[0].id
    assert known[0].metadata["score"] == pytest.approx(1.0, abs=1e-5)
    assert text[0].metadata["score"] < 0.99


async def test_every_way_of_asking_gives_the_same_answer(retriever: PaperRetriever) -> None:
    expected = retriever.invoke(TITLE)
    assert await retriever.ainvoke(TITLE) == expected
    assert retriever.batch([TITLE, TITLE]) == [expected, expected]
    assert await retriever.abatch([TITLE]) == [expected]
    assert next(iter(retriever.stream(TITLE))) == expected


def test_options_can_be_set_for_one_call(retriever: PaperRetriever) -> None:
    assert len(retriever.invoke(TITLE, k=3)) == 3
    assert len(retriever.invoke(TITLE)) == 10
    found = retriever.invoke(TITLE, filter={"year": 2024})
    assert {d.metadata["year"] for d in found} == {2024}


def test_a_filter_is_applied_before_the_search(store: PaperStore, papers: list[Paper]) -> None:
    last = load_retriever(store, k=len(papers)).invoke(TITLE)[-1]
    (only,) = load_retriever(store, k=5, filter={"id": last.id}).invoke(TITLE)
    assert only.id == last.id


def test_retriever_and_its_vectorstore_see_the_same_papers(retriever: PaperRetriever) -> None:
    title = "A Method that Nobody Had Thought Of"
    retriever.vectorstore.add_documents([Document(id="new", page_content=title)])
    assert retriever.invoke(title, include_self=True, k=1)[0].id == "new"


def test_without_a_name_the_sample_answers() -> None:
    assert len(load_retriever(k=4).invoke("safety of language models")) == 4


def test_a_language_that_the_model_cannot_read_is_said() -> None:
    with pytest.warns(UserWarning, match="Japanese"):
        load_retriever("sample").invoke("拡散モデルによる画像生成の研究について")


@pytest.mark.parametrize("k", [0, -1, "3", 2.5, None, True, float("nan")])
def test_k_that_is_no_number_of_papers(retriever: PaperRetriever, k: Any) -> None:
    with pytest.raises(QueryError, match="whole number"):
        load_retriever(retriever.store, k=k)
    with pytest.raises(QueryError, match="whole number"):
        retriever.invoke(TITLE, k=k)
    with pytest.raises(ValueError, match="k\n"):
        PaperRetriever(store=retriever.store, k=k)
    with pytest.raises(QueryError, match="whole number"):
        retriever.vectorstore.similarity_search(TITLE, k=k)
    with pytest.raises(QueryError, match="whole number"):
        retriever.vectorstore.max_marginal_relevance_search(TITLE, k=k)


def test_unknown_arguments_are_errors(retriever: PaperRetriever) -> None:
    with pytest.raises(TypeError, match="filtr"):
        load_retriever(retriever.store, filtr={})  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="filtr"):
        PaperRetriever(store=retriever.store, filtr={})  # type: ignore[call-arg]
    with pytest.raises(QueryError, match="did you mean filter"):
        retriever.invoke(TITLE, filtr={})
    vectors = retriever.vectorstore
    for ask in (
        vectors.similarity_search,
        vectors.similarity_search_with_score,
        vectors.similarity_search_with_relevance_scores,
        vectors.max_marginal_relevance_search,
    ):
        with pytest.raises(QueryError, match="did you mean filter"):
            ask(TITLE, filtr={})
    with pytest.raises(QueryError, match="did you mean trust_model"):
        PaperVectorStore.load_local("x", trust_mode=True)


@pytest.mark.parametrize("query", ["", "  \n ", "\x00", "\ud800", "\u200b\u202e", "🚀", "???"])
async def test_queries_that_nothing_can_be_read_of(query: str) -> None:
    retriever = load_retriever("sample", k=2)
    vectors = retriever.vectorstore
    with pytest.warns(UserWarning, match=r"blank|no word"):
        assert retriever.invoke(query) == []
    with pytest.warns(UserWarning, match=r"blank|no word"):
        assert await retriever.ainvoke(query) == []
    with pytest.warns(UserWarning, match=r"blank|no word"):
        found = retriever.batch([query, "safe agents"])
    assert [len(documents) for documents in found] == [0, 2]
    for search in (vectors.similarity_search, vectors.max_marginal_relevance_search):
        with pytest.warns(UserWarning, match=r"blank|no word"):
            assert search(query) == []
    with pytest.raises(QueryError, match=r"blank|no word"):
        retriever.invoke("safe agents", like=[query])


@pytest.mark.parametrize("query", [None, 3, b"title", ["title"]])
def test_queries_that_are_not_text(retriever: PaperRetriever, query: Any) -> None:
    with pytest.raises(QueryError, match="text"):
        retriever.invoke(query)
    with pytest.raises(QueryError, match="text"):
        retriever.vectorstore.max_marginal_relevance_search(query)


def test_hostile_and_odd_queries_still_find(retriever: PaperRetriever) -> None:
    expected = [d.id for d in retriever.invoke(TITLE)]
    full_width = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in TITLE)
    for query in (f"\x00{TITLE}", f"{TITLE}\ud800", full_width, f"\u202e{TITLE}\x1b"):
        assert [d.id for d in retriever.invoke(query)] == expected
    assert len(retriever.invoke(TITLE * 200_000, k=2)) == 2


def test_a_filter_on_an_unknown_field(retriever: PaperRetriever) -> None:
    with pytest.raises(QueryError, match="unknown field"):
        retriever.invoke(TITLE, filter={"venu": "TEST"})
    with pytest.raises(QueryError):
        load_retriever(retriever.store, filter={"venu": "TEST"})
    with pytest.raises(QueryError):
        retriever.vectorstore.similarity_search(TITLE, filter={"venu": "TEST"})


def test_metadata_under_the_name_of_a_papers_field_is_filtered_as_it_is() -> None:
    odd: dict[str, Any] = {
        "year": "2024",
        "keywords": "gnn, graphs",
        "authors": "A. Wang",
        "url": "file.pdf",
        "title": 7,
        "abstract": ["a", "b"],
        "score": 0.5,
        "rank": 3,
        "id": 12,
        "status": True,
    }
    vectors = PaperVectorStore.from_documents(
        [
            Document(page_content="graph text", metadata=odd),
            Document(page_content="other text", metadata={"year": 2024, "authors": ["B. Wu"]}),
        ],
        "static",
    )
    for name, value in odd.items():
        wanted = value[0] if isinstance(value, list) else value
        found = vectors.similarity_search("text", filter={name: wanted})
        assert [document.metadata for document in found] == [odd], name
    for filter in (
        {"authors": {"$contains": "wang"}},
        {"rank": {"$gt": 2}},
        {"year": {"$ne": 2024}},
    ):
        (only,) = vectors.similarity_search("text", filter=filter)
        assert only.metadata == odd
    assert len(vectors.similarity_search("text", filter={"year": {"$gte": 2024}})) == 1
    assert len(vectors.similarity_search("text", filter={"title": "other text"})) == 1


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([1, 2]), [1, 2]),
        (np.datetime64("2024-01-01"), "2024-01-01"),
        (datetime(2024, 1, 1, 12), "2024-01-01T12:00:00"),
        (date(2024, 1, 1), "2024-01-01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Path("a/b.pdf"), str(Path("a/b.pdf"))),
        (Decimal("1.5"), 1.5),
        (Colour.RED, "red"),
        (frozenset({"a"}), ["a"]),
        (("a", "b"), ["a", "b"]),
        (timedelta(seconds=90), 90.0),
        (b"ab", "ab"),
        (float("nan"), None),
        ({"inner": [np.int64(1), date(2024, 1, 1)]}, {"inner": [1, "2024-01-01"]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_programs_hold_in_metadata_becomes_json(value: Any, plain: Any) -> None:
    vectors = PaperVectorStore.from_texts(["graph", "other"], "static", [{"x": value}, {"x": "no"}])
    (found, _) = vectors.similarity_search("graph")
    assert found.metadata == {"x": plain}
    if plain is None or isinstance(value, (dict, np.ndarray, frozenset, tuple)):
        return
    (same,) = vectors.similarity_search("graph", filter={"x": value})
    assert same == found
    assert len(vectors.similarity_search("graph", filter={"x": {"$in": [value]}})) == 1


def test_what_json_cannot_hold_is_refused() -> None:
    nested: list[Any] = []
    for _ in range(500):
        nested = [nested]
    for value in (object(), lambda: 1, nested):
        with pytest.raises(InputError, match="metadata"):
            PaperVectorStore.from_texts(["graph"], "static", [{"x": value}])
    with pytest.raises(QueryError, match="cannot compare"):
        PaperVectorStore("static").similarity_search("graph", filter={"x": object()})


def test_a_filter_on_a_field_that_no_document_has_yet() -> None:
    vectors = PaperVectorStore("static")
    with pytest.warns(UserWarning, match="the store is empty"):
        assert vectors.similarity_search("a", filter={"tenant": "b"}) == []
    vectors.add_texts(["shared"])
    with pytest.warns(UserWarning, match="tenant"):
        assert vectors.similarity_search("a", filter={"tenant": "b"}) == []
    assert len(vectors.similarity_search("a", filter={"tenant": {"$ne": "b"}})) == 1
    with pytest.raises(QueryError, match="unknown operator"):
        vectors.similarity_search("a", filter={"$tenant": "b"})
    vectors.add_texts(["of b"], [{"tenant": "b"}])
    assert len(vectors.similarity_search("a", filter={"tenant": "b"})) == 1
    assert "langchain_document" not in vectors.store.fields()


def test_a_plain_document_is_not_hidden_by_its_own_text() -> None:
    vectors = PaperVectorStore.from_texts(
        ["What is LangChain?", "How to cook rice", "What is LangGraph?"], "static"
    )
    retriever = load_retriever(vectors.store, k=3)
    found = retriever.invoke("What is LangChain?")
    assert len(found) == 3 and found[0].page_content == "What is LangChain?"
    book = PaperVectorStore.from_documents(
        [
            Document(page_content=f"chunk {i} on {t}", metadata={"title": "My Book"})
            for i, t in enumerate(["graphs", "safety", "crystals"])
        ],
        "static",
    )
    assert len(load_retriever(book.store, k=3).invoke("My Book")) == 3
    assert len(load_retriever(book.store, k=3).batch(["My Book", "graphs"])[0]) == 3


def test_an_unknown_store_says_which_there_are(store: PaperStore) -> None:
    with pytest.raises(StoreNotFoundError, match="test"):
        load_retriever("tset")


# ---------------------------------------------------------------------- the vector store


def test_scores_are_cosines_in_every_form(retriever: PaperRetriever, model: HashEmbeddings) -> None:
    vectors = retriever.vectorstore
    found = vectors.similarity_search_with_score(TITLE, k=5)
    relevant = vectors.similarity_search_with_relevance_scores(TITLE, k=5)
    by_vector = vectors.similarity_search_by_vector(model.embed_query(TITLE), k=5)
    assert [d.id for d, _ in found] == [d.id for d in by_vector] == [d.id for d, _ in relevant]
    assert [s for _, s in found] == [s for _, s in relevant]
    top = vectors.store.vectors(np.array([vectors.store.database.row_of_id(found[0][0].id or "")]))
    query = np.asarray(model.embed_query(TITLE))
    assert found[0][1] == pytest.approx(float(top[0] @ query / np.linalg.norm(query)), abs=1e-5)


def test_a_threshold_on_relevance(retriever: PaperRetriever) -> None:
    vectors = retriever.vectorstore
    scores = [s for _, s in vectors.similarity_search_with_score(TITLE, k=5)]
    found = vectors.similarity_search_with_relevance_scores(TITLE, k=5, score_threshold=scores[2])
    assert len(found) == 3


def test_relevance_stays_between_nought_and_one() -> None:
    vectors = PaperVectorStore.from_texts(["a", "b", "c"], DeterministicFakeEmbedding(size=8))
    opposite = [-x for x in DeterministicFakeEmbedding(size=8).embed_query("a")]
    worst = vectors.similarity_search_with_score_by_vector(opposite, k=3)[-1]
    assert worst[0].page_content == "a"
    assert worst[1] == pytest.approx(-1)
    assert vectors._select_relevance_score_fn()(worst[1]) == 0


def test_variety_is_chosen_by_lambda(model: HashEmbeddings) -> None:
    texts = ["graph attention", "graph attention network", "graph attention layer", "protein folds"]
    vectors = PaperVectorStore.from_texts(texts, model)
    near = vectors.max_marginal_relevance_search("graph attention", k=2, lambda_mult=1)
    varied = vectors.max_marginal_relevance_search("graph attention", k=2, lambda_mult=0)
    assert [d.page_content for d in near] == [
        d.page_content for d in vectors.similarity_search("graph attention", k=2)
    ]
    assert [d.page_content for d in varied] == ["graph attention", "protein folds"]
    vector = model.embed_query("graph attention")
    assert vectors.max_marginal_relevance_search_by_vector(vector, k=2, lambda_mult=0) == varied
    assert PaperVectorStore(model).max_marginal_relevance_search("graph") == []
    for wrong in (-0.1, 1.1, "1", None, True):
        with pytest.raises(QueryError, match="lambda_mult"):
            vectors.max_marginal_relevance_search("graph", lambda_mult=wrong)  # type: ignore[arg-type]


def test_langchains_own_retriever_over_the_store(retriever: PaperRetriever) -> None:
    expected = [d.id for d in retriever.vectorstore.similarity_search(TITLE, k=3)]
    made = retriever.vectorstore.as_retriever(search_kwargs={"k": 3})
    assert [d.id for d in made.invoke(TITLE)] == expected
    varied = retriever.vectorstore.as_retriever(search_type="mmr", search_kwargs={"k": 3})
    assert len(varied.invoke(TITLE)) == 3


@pytest.mark.parametrize(
    "vector", [[], [0.0] * 64, [1.0] * 63, [float("nan")] * 64, "text", None, [[1.0] * 64]]
)
def test_vectors_that_are_no_query(retriever: PaperRetriever, vector: Any) -> None:
    with pytest.raises(QueryError, match="vector"):
        retriever.vectorstore.similarity_search_by_vector(vector)
    with pytest.raises(QueryError, match="vector"):
        retriever.vectorstore.max_marginal_relevance_search_by_vector(vector)


async def test_saved_and_loaded_as_it_was(
    home: Path, model: HashEmbeddings, papers: list[Paper]
) -> None:
    vectors = PaperVectorStore.from_documents([paper_document(p) for p in papers], model)
    expected = vectors.similarity_search_with_score(TITLE, k=5)
    vectors.save_local(home / "kept")
    assert not list((home / "kept").glob("*.pkl"))
    loaded = PaperVectorStore.load_local(home / "kept", model)
    assert loaded.similarity_search_with_score(TITLE, k=5) == expected
    assert await loaded.asimilarity_search_with_score(TITLE, k=5) == expected
    assert loaded.get_by_ids(["p03", "nowhere", "p01"]) == [
        paper_document(papers[3]),
        paper_document(papers[1]),
    ]
    assert await loaded.adelete(["p03", "nowhere"])
    assert loaded.get_by_ids(["p03"]) == []
    loaded.save_local(home / "kept")
    assert len(PaperVectorStore.load_local(home / "kept", model).store) == len(papers) - 1


def test_papers_added_as_documents_are_papers_again(papers: list[Paper]) -> None:
    for paper in papers:
        document = paper_document(paper)
        document.metadata |= {"score": 0.5, "rank": 3}
        assert document.id is not None
        again = document_paper(document.page_content, document.metadata, document.id)
        assert again == paper


texts = st.text(min_size=1, max_size=80) | st.sampled_from(
    ["a  b", " a ", "a & b &amp; <b>x</b>", "x\n\n\ny ", "\x7f~", "é e\u0301", "\ud800x", "﻿x"]
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=200)
@given(texts.filter(lambda text: text.strip()), st.dictionaries(st.text(max_size=8), json_values))
def test_any_document_comes_back_as_it_was(content: str, metadata: dict[str, Any]) -> None:
    document = Document(id="x", page_content="x", metadata=metadata)
    document.page_content = content
    try:
        paper = document_paper(content, metadata, "x")
    except InputError as error:
        assert "a document needs text" in str(error)
        return
    again = paper_document(paper)
    assert (again.id, again.page_content, again.metadata) == ("x", content, metadata)
    # Made by the short way or not, it is what the constructor makes of its fields.
    fields = {field.name: getattr(paper, field.name) for field in dataclasses.fields(paper)}
    assert Paper(**fields) == paper


@pytest.mark.parametrize(
    "content",
    [
        "one line of words " * 100,
        "x" * 999 + "e\u0301" + "y" * 50,
        "a & b <b>bold</b> " * 120,
        "title\n\n  body <i>of</i>\ntwo lines\nhttps://example.org/a b",
        "title\nhttps://example.org/a",
        "\u200b\nsecond",
    ],
)
def test_a_document_is_a_clean_paper(content: str) -> None:
    paper = document_paper(content, {"page": 3}, "x")
    fields = {field.name: getattr(paper, field.name) for field in dataclasses.fields(paper)}
    assert Paper(**fields) == paper
    assert paper_document(paper).page_content == content


@pytest.mark.parametrize("length", [49_999, 50_000, 50_001, 120_003])
def test_long_documents_come_back_as_they_were(length: int, model: HashEmbeddings) -> None:
    text = ("a b" + " " * 3 + "é<&") * (length // 8 + 1)
    vectors = PaperVectorStore.from_texts([text[:length]], model, ids=["x"])
    assert vectors.get_by_ids(["x"])[0].page_content == text[:length]


def test_metadata_can_be_filtered_by(model: HashEmbeddings) -> None:
    vectors = PaperVectorStore.from_texts(
        ["alpha one", "alpha two"], model, [{"source": "a", "year": 2020}, {"source": "b"}]
    )
    assert [d.page_content for d in vectors.similarity_search("alpha", filter={"source": "b"})] == [
        "alpha two"
    ]
    found = vectors.similarity_search("alpha", filter={"year": {"$lt": 2021}})
    assert [d.page_content for d in found] == ["alpha one"]
    assert found[0].metadata == {"source": "a", "year": 2020}


def test_the_whole_of_a_plain_document_is_embedded(model: HashEmbeddings) -> None:
    filler = "lorem " * 300
    vectors = PaperVectorStore.from_texts([f"{filler} zebra", f"{filler} quokka"], model)
    assert vectors.similarity_search("quokka", k=1)[0].page_content.endswith("quokka")


def test_ids_given_twice_and_ids_that_exist(model: HashEmbeddings) -> None:
    vectors = PaperVectorStore(model)
    assert vectors.add_texts(["first", "second"], ids=["x", "x"]) == ["x", "x"]
    assert [d.page_content for d in vectors.get_by_ids(["x"])] == ["second"]
    vectors.add_texts(["third"], ids=["x"])
    assert [d.page_content for d in vectors.get_by_ids(["x"])] == ["third"]
    assert len(vectors.store) == 1
    assert [d.page_content for d in vectors.similarity_search("third")] == ["third"]


@pytest.mark.parametrize("identifier", ["", " x", "a\nb", "x" * 501, 7])
def test_ids_that_could_not_be_kept(model: HashEmbeddings, identifier: Any) -> None:
    with pytest.raises(InputError, match="document 1: an id is one line"):
        PaperVectorStore(model).add_texts(["text"], ids=[identifier])


def test_nothing_is_added_when_one_document_is_wrong(model: HashEmbeddings) -> None:
    vectors = PaperVectorStore.from_texts(["kept"], model)
    for document in (
        Document(page_content="  "),
        Document(page_content="x", metadata={"day": object()}),
        Document(page_content="x", metadata={"n": {"deep": [lambda: 1]}}),
    ):
        with pytest.raises(InputError, match="document 2"):
            vectors.add_documents([Document(page_content="good"), document])
    assert len(vectors.store) == 1
    with pytest.raises(InputError, match="2 texts came with 1"):
        vectors.add_texts(["a", "b"], [{}])
    with pytest.raises(InputError, match="1 documents came with 2 ids"):
        vectors.add_texts(["a"], ids=["1", "2"])
    with pytest.raises(InputError, match="list of texts"):
        vectors.add_texts("abc")
    with pytest.raises(InputError, match="list of texts"):
        vectors.add_texts([None])  # type: ignore[list-item]
    assert len(vectors.store) == 1


def test_delete_everything_or_nothing(model: HashEmbeddings) -> None:
    vectors = PaperVectorStore.from_texts(["a", "b"], model, ids=["a", "b"])
    vectors.delete(["nowhere"])
    assert len(vectors.store) == 2
    with pytest.raises(InputError, match="list of ids"):
        vectors.delete("ab")  # type: ignore[arg-type]
    vectors.delete()
    assert vectors.similarity_search("a") == []


class Wrong:
    """A model that answers wrongly once it has been asked three times."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.calls = answer, 0

    def embed_documents(self, texts: list[str]) -> Any:
        self.calls += 1
        return self.answer(texts) if self.calls > 1 else [[1.0, 2.0] for _ in texts]

    def embed_query(self, text: str) -> Any:
        return self.answer([text])[0]


@pytest.mark.parametrize(
    "answer",
    [
        lambda texts: [[1.0, 2.0]] * (len(texts) + 1),
        lambda texts: [[float("nan"), 1.0]] * len(texts),
        lambda texts: [[1.0, 2.0, 3.0]] * len(texts),
        lambda texts: [[1.0], [1.0, 2.0]][: len(texts)],
        lambda texts: [["a", "b"]] * len(texts),
        lambda texts: None,
    ],
    ids=["count", "nan", "dimension", "ragged", "text", "none"],
)
def test_models_that_answer_wrongly(answer: Any) -> None:
    vectors = PaperVectorStore(Wrong(answer))
    with pytest.raises(ModelError):
        vectors.add_texts(["one", "two"])
    assert len(vectors.store) == 0


@pytest.mark.parametrize(
    "answer",
    [
        lambda texts: [[1.0, 2.0, 3.0]],
        lambda texts: [[float("inf"), 1.0]],
        lambda texts: [None],
        lambda texts: ["text"],
        lambda texts: [[]],
    ],
    ids=["dimension", "infinite", "none", "text", "empty"],
)
def test_models_that_answer_a_question_wrongly(answer: Any) -> None:
    class WrongAsked(Wrong):
        def embed_documents(self, texts: list[str]) -> Any:
            return [[1.0, 2.0] for _ in texts]

    vectors = PaperVectorStore.from_texts(["one", "two"], WrongAsked(answer))
    for ask in (
        vectors.similarity_search,
        vectors.max_marginal_relevance_search,
        load_retriever(vectors.store).invoke,
    ):
        with pytest.raises(ModelError, match="answered with"):
            ask("a question")
    assert len(vectors.store) == 2


def test_documents_without_an_address(model: HashEmbeddings) -> None:
    for metadata in ({}, {"url": None}, {"url": ""}, {"url": "not an address"}):
        vectors = PaperVectorStore(model)
        vectors.add_documents([Document(page_content="graph attention", metadata=metadata)])
        found = vectors.similarity_search("graph", k=1)[0]
        assert found.page_content == "graph attention"
        assert metadata.items() <= found.metadata.items()


def test_a_query_of_ten_megabytes(retriever: PaperRetriever) -> None:
    for query in ("graph attention " * 700_000, "x" * 10_500_000, "\U0001d4d0" * 2_700_000):
        assert len(query.encode()) > 10_000_000
        assert len(retriever.invoke(query, k=3)) == 3
        assert len(retriever.vectorstore.similarity_search(query, k=3)) == 3


def test_a_model_of_integers_is_fine() -> None:
    vectors = PaperVectorStore.from_texts(["a"], Wrong(lambda texts: [[3, 4]] * len(texts)))
    assert vectors.similarity_search_with_score("a")[0][1] == pytest.approx(1)


def test_what_was_added_before_a_model_fails_is_kept(home: Path) -> None:
    model = HashEmbeddings(fail_after=5)
    vectors = PaperVectorStore(model)
    vectors.add_texts(["one", "two"])
    with pytest.raises(ConnectionError):
        vectors.add_texts(["three", "four"])
    assert len(vectors.store) == 2
    vectors.save_local(home / "kept")
    assert len(PaperVectorStore.load_local(home / "kept").store) == 2


def test_another_model_of_the_same_dimension(store: PaperStore) -> None:
    other = HashEmbeddings(salt="other")
    with pytest.raises(ModelMismatchError, match="was built with"):
        PaperVectorStore.load_local(store.folder or "", other)
    with pytest.raises(ModelMismatchError, match="was built with"):
        load_retriever("test", embeddings=other, lookup=False).invoke(TITLE)


def test_a_store_of_a_model_that_has_no_name_asks_for_it(store: PaperStore) -> None:
    store.close()
    with pytest.raises(ModelError, match=r"was built with the model .*HashEmbeddings"):
        PaperVectorStore.load_local("vectorstores/test").similarity_search("policy gradients")


def test_eight_threads_ask_while_one_adds_and_deletes(store: PaperStore) -> None:
    store.close()
    model = HashEmbeddings()
    vectors = PaperVectorStore(model, store="test")
    stop = threading.Event()

    def ask() -> int:
        asked = 0
        while not stop.is_set() or asked < 20:
            (best,) = vectors.similarity_search(TITLE, k=1)
            assert best.page_content.startswith(TITLE)
            found = vectors.similarity_search_with_score("graph transformers", k=8)
            assert all(d.metadata.get("marker", d.id) == d.id for d, _ in found)
            asked += 1
        return asked

    with ThreadPoolExecutor(8) as pool:
        askers = [pool.submit(ask) for _ in range(8)]
        try:
            for i in range(40):
                vectors.add_texts([f"graph text {i}"], [{"marker": f"t{i}"}], ids=[f"t{i}"])
                if i % 3 == 0:
                    vectors.delete([f"t{i - 3}", f"p{10 + i // 3:02d}"])
        finally:
            stop.set()
        assert all(asker.result(timeout=60) >= 20 for asker in askers)
    assert vectors.get_by_ids(["t39"])[0].page_content == "graph text 39"


def test_first_change_waits_for_readers_and_they_see_one_state(store: PaperStore) -> None:
    assert store.folder is not None
    with PaperStore.open(store.folder) as opened:
        opened.model(HashEmbeddings())
        entered, done = threading.Event(), threading.Event()

        def change() -> None:
            entered.set()
            opened.delete(["p00"])
            done.set()

        with opened.reading():
            before = opened.papers(range(len(opened)))
            thread = threading.Thread(target=change)
            thread.start()
            entered.wait()
            assert not done.wait(0.2)
            assert opened.papers(range(len(before))) == before
        thread.join(timeout=10)
        assert done.is_set()
        assert opened.get(["p00"]) == []


def test_a_langchain_folder_is_named_for_what_it_is(home: Path) -> None:
    (home / "old").mkdir()
    (home / "old" / "index.pkl").write_bytes(b"")
    with pytest.raises(StoreNotFoundError, match="from_langchain_faiss"):
        PaperVectorStore.load_local(home / "old")
    with pytest.raises(StoreError):
        PaperVectorStore.load_local(home / "nowhere")


# ---------------------------------------------------------------------- embeddings


def test_a_misspelt_model_asks_for_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for name, said in (("sttaic", "did you mean static"), ("bge-m33", "did you mean bge-m3")):
        with pytest.raises(ModelError, match=rf"unknown model '{name}'\nhint: {said}"):
            SwimmerEmbeddings(name).embed_query("x")


def test_embeddings_are_the_models_own() -> None:
    ours = SwimmerEmbeddings("static")
    assert load_model(ours) is ours.swimmer_model
    text = "graph neural networks"
    expected = load_model("static").embed_documents([text])[0]
    assert np.allclose(ours.embed_documents([text])[0], expected)
    with pytest.raises(ModelError, match="unknown model"):
        SwimmerEmbeddings("no-such").embed_query("x")


def test_a_store_of_them_is_found_by_the_models_name(home: Path) -> None:
    PaperVectorStore.from_texts(["graphs"], SwimmerEmbeddings()).save_local(home / "kept")
    again = PaperVectorStore.load_local(home / "kept")
    assert again.store.identity.name == "static"
    assert again.similarity_search("graphs")[0].page_content == "graphs"
    assert again.embeddings.embed_query("graphs") == pytest.approx(
        SwimmerEmbeddings().embed_query("graphs"), abs=1e-6
    )
