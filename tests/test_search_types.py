"""How a retriever searches: LangChain's search types, and what a configuration changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_core")

from langchain_core.runnables import ConfigurableField

from swimmer import Paper, PaperRetriever, PaperStore, build_store, load_retriever
from swimmer.errors import QueryError, StoreNotFoundError

from .models import HashEmbeddings

TITLE = "Preference Optimization without a Reference Model"


@pytest.fixture
def store(papers: list[Paper], model: HashEmbeddings) -> PaperStore:
    return build_store(papers, "test", model=model)


def ids(retriever: Any, query: str = TITLE, **given: Any) -> list[str]:
    return [document.id for document in retriever.invoke(query, **given)]


def scores(retriever: PaperRetriever, **given: Any) -> list[float]:
    return [document.metadata["score"] for document in retriever.invoke(TITLE, **given)]


def test_mmr_is_a_search_with_diversity(store: PaperStore) -> None:
    plain = ids(load_retriever(store, k=5))
    relevant = load_retriever(store, k=5, search_type="mmr", search_kwargs={"lambda_mult": 1})
    assert ids(relevant) == plain
    half = ids(load_retriever(store, k=5, search_type="mmr"))
    assert half == ids(load_retriever(store, k=5, diversity=0.5))
    varied = load_retriever(
        store, search_type="mmr", search_kwargs={"k": 5, "fetch_k": 30, "lambda_mult": 0.0}
    )
    assert ids(varied) == ids(load_retriever(store, k=5, diversity=1.0)) != plain
    assert ids(varied, lambda_mult=1.0) == plain
    assert ids(load_retriever(store, k=5, search_type="mmr", diversity=0.9)) == ids(
        load_retriever(store, k=5, diversity=0.9)
    )


@pytest.mark.parametrize("threshold", [np.float32(0.3), 0.3])
async def test_a_lowest_score(store: PaperStore, threshold: Any) -> None:
    all_of_them = scores(load_retriever(store, k=30))
    wanted = [score for score in all_of_them if score >= 0.3]
    assert 0 < len(wanted) < len(all_of_them)
    kwargs = {"score_threshold": threshold, "k": 30}
    bounded = load_retriever(
        store, search_type="similarity_score_threshold", search_kwargs=dict(kwargs)
    )
    assert scores(bounded) == wanted
    assert [d.metadata["score"] for d in await bounded.ainvoke(TITLE)] == wanted
    assert [d.metadata["score"] for d in bounded.batch([TITLE, "robots"])[0]] == wanted
    assert scores(bounded, score_threshold=1) == []
    assert scores(load_retriever(store, k=30), score_threshold=0.3) == wanted
    # LangChain's own retriever over the same store.
    generic = load_retriever(store).vectorstore.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.3, "k": 30}
    )
    assert 0 < len(generic.invoke(TITLE)) < 30


async def test_a_filter_may_be_a_function(store: PaperStore) -> None:
    def recent(metadata: dict[str, Any]) -> bool:
        return bool(metadata["year"] == 2025)

    expected = ids(load_retriever(store, k=5, filter={"year": 2025}))
    assert ids(load_retriever(store, k=5, filter=recent)) == expected  # type: ignore[arg-type]
    plain = load_retriever(store, k=5)
    assert ids(plain, filter=recent) == expected
    assert [d.id for d in await plain.ainvoke(TITLE, filter=recent)] == expected
    assert ids(load_retriever(store, search_kwargs={"k": 5, "filter": recent})) == expected
    with pytest.warns(UserWarning, match="no papers"):
        assert ids(plain, filter=lambda _: False) == []
    with pytest.raises(KeyError, match="no such field"):
        plain.invoke(TITLE, filter=lambda metadata: metadata["no such field"])
    with pytest.raises(QueryError, match="a filter is a mapping"):
        plain.invoke(TITLE, filter="year=2025")


def test_not_equal_has_the_name_that_faiss_has_for_it(store: PaperStore) -> None:
    expected = ids(load_retriever(store, k=30, filter={"year": {"$ne": 2025}}))
    assert ids(load_retriever(store, k=30, filter={"year": {"$neq": 2025}})) == expected != []


def test_search_kwargs_count_before_fields_and_a_call_before_both(store: PaperStore) -> None:
    retriever = load_retriever(store, k=9, search_kwargs={"k": 4, "filter": {"year": {"$gt": 1}}})
    assert len(ids(retriever)) == 4
    assert len(ids(retriever, k=2)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"search_type": "mrm"}, "unknown search_type 'mrm'"),
        ({"search_type": None}, "unknown search_type None"),
        ({"search_kwargs": "k=5"}, "search_kwargs is a mapping"),
        ({"search_type": "similarity_score_threshold"}, "needs a score_threshold"),
        ({"search_kwargs": {"score_treshold": 0.5}}, "did you mean score_threshold"),
        ({"search_kwargs": {"score_threshold": "0.5"}}, "score_threshold is a number"),
        ({"search_kwargs": {"score_threshold": float("nan")}}, "score_threshold is a number"),
        ({"search_kwargs": {"lambda_mult": 0.3}}, "no effect with search_type similarity"),
        ({"search_type": "mmr", "search_kwargs": {"lambda_mult": 2}}, "from 0 to 1, got 2"),
        ({"search_kwargs": {"k": 0}}, "k is"),
        ({"search_kwargs": {"filter": {"yaer": 2025}}}, "yaer"),
        ({"search_kwargs": {"embeddings": "static"}}, "unknown argument 'embeddings'"),
    ],
)
def test_what_is_wrong_is_said_at_once(store: PaperStore, given: Any, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        load_retriever(store, **given)


# ---------------------------------------------------------------------- configurations


def test_every_field_can_be_configured(store: PaperStore) -> None:
    retriever = load_retriever(store, k=5).configurable_fields(
        k=ConfigurableField(id="papers"),
        filter=ConfigurableField(id="filter"),
        mode=ConfigurableField(id="mode"),
        search_type=ConfigurableField(id="search_type"),
        search_kwargs=ConfigurableField(id="search_kwargs"),
    )

    def configured(**fields: Any) -> Any:
        return retriever.with_config(configurable=fields)

    assert len(ids(retriever)) == 5
    assert len(ids(configured(papers=2))) == 2
    assert len(ids(retriever, k=3)) == 3
    assert ids(configured(mode="keyword")) == ids(load_retriever(store, k=5, mode="keyword"))
    assert ids(configured(search_type="mmr")) == ids(load_retriever(store, k=5, diversity=0.5))
    kwargs = {"k": 1, "filter": {"title": {"$contains": "graph"}}}
    (found,) = configured(search_kwargs=kwargs).invoke(TITLE)
    assert "graph" in found.metadata["title"].lower()
    config: Any = [{"configurable": {"papers": n}} for n in (1, 4)]
    assert [len(found) for found in retriever.batch([TITLE, TITLE], config)] == [1, 4]
    chain = retriever | len
    assert chain.invoke(TITLE, {"configurable": {"papers": 6}}) == 6
    with pytest.raises(QueryError, match="unknown search_type"):
        configured(search_type="nearest").invoke(TITLE)


def test_a_configuration_names_the_store(store: PaperStore) -> None:
    build_store([Paper("Only One", id="one"), Paper("Only Two", id="two")], "other").close()
    retriever = load_retriever(store, k=1).configurable_fields(store=ConfigurableField(id="store"))
    assert ids(retriever, "Only One") != ["two"]
    named: Any = {"configurable": {"store": "other"}}
    assert [d.id for d in retriever.invoke("Only One", named)] == ["two"]
    with pytest.raises(StoreNotFoundError, match="no store named 'othr'"):
        retriever.invoke("Only One", {"configurable": {"store": "othr"}})


def test_alternatives(store: PaperStore) -> None:
    retriever = load_retriever(store, k=5).configurable_alternatives(
        ConfigurableField(id="by"), words=load_retriever(store, k=5, mode="keyword")
    )
    by_words = retriever.invoke("graph", {"configurable": {"by": "words"}})
    assert [d.id for d in by_words] == ids(load_retriever(store, k=5, mode="keyword"), "graph")


@pytest.mark.parametrize("fetch_k", [0, -1, 2.5, True, "20"])
def test_a_number_to_choose_from_that_is_none(store: PaperStore, fetch_k: Any) -> None:
    vectors = load_retriever(store).vectorstore
    with pytest.raises(QueryError, match="fetch_k is a whole number from 1"):
        vectors.max_marginal_relevance_search("graph", fetch_k=fetch_k)
