"""Runs of LangChain: indexing, batches, callbacks, coroutines, copies of retriever and store."""

from __future__ import annotations

import asyncio
import copy
import pickle
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.indexing import InMemoryRecordManager, aindex, index
from langchain_core.runnables import RunnableLambda

from swimmer import (
    Paper,
    PaperStore,
    PaperVectorStore,
    SwimmerEmbeddings,
    ask,
    build_store,
    load_retriever,
    open_store,
)
from swimmer.errors import ModelMismatchError, QueryError, StoreError

from .models import HashEmbeddings

TITLE = "Preference Optimization without a Reference Model"


class Unreliable(HashEmbeddings):
    """A model whose service refuses some texts, as a remote one does."""

    def embed_query(self, text: str) -> list[float]:
        if "boom" in text:
            raise ConnectionError("429")
        return super().embed_query(text)


class Recorder(BaseCallbackHandler):
    """What happened to the runs, in order."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.metadata: dict[str, Any] = {}

    def on_retriever_start(self, *_: Any, metadata: Any = None, **__: Any) -> None:
        self.events.append("start")
        self.metadata = metadata

    def on_retriever_end(self, documents: Any, **_: Any) -> None:
        self.events.append(f"end {len(documents)}")

    def on_retriever_error(self, error: BaseException, **_: Any) -> None:
        self.events.append(f"error {error}")


@pytest.fixture
def store(papers: list[Paper], model: HashEmbeddings) -> PaperStore:
    return build_store(papers, "test", model=model)


# ---------------------------------------------------------------------- indexing

DOCUMENTS = [
    Document(page_content=f"paper {i} on graphs", metadata={"source": f"file {i % 3}"})
    for i in range(7)
]
CHANGED = [*DOCUMENTS[1:4], Document(page_content="new", metadata={"source": "file 0"})]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("cleanup", "left"), [(None, 8), ("incremental", 4), ("full", 4), ("scoped_full", 4)]
)
async def test_index_in_every_mode(cleanup: Any, left: int, asynchronous: bool) -> None:
    manager = InMemoryRecordManager(namespace="x")
    manager.create_schema()
    vectors = PaperVectorStore("static")

    async def run(documents: list[Document]) -> Any:
        arguments: dict[str, Any] = {
            "cleanup": cleanup,
            "source_id_key": "source",
            "key_encoder": "sha256",
            "batch_size": 10,
        }
        if asynchronous:
            return await aindex(documents, manager, vectors, **arguments)
        return index(documents, manager, vectors, **arguments)

    assert (await run(DOCUMENTS))["num_added"] == 7
    assert (await run(DOCUMENTS))["num_skipped"] == 7
    result = await run(CHANGED)
    assert (result["num_added"], result["num_skipped"]) == (1, 3)
    assert len(vectors.store) == left
    assert vectors.similarity_search("new", k=1)[0].page_content == "new"


def test_a_batch_size_is_that_of_the_model(model: HashEmbeddings) -> None:
    sizes: list[int] = []

    class Counting(HashEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            sizes.append(len(texts))
            return super().embed_documents(texts)

    vectors = PaperVectorStore(Counting())
    sizes.clear()
    vectors.add_texts([f"text {i}" for i in range(7)], batch_size=3)
    assert sizes == [3, 3, 1]
    for wrong in (0, -1, "3", True, 2.5):
        with pytest.raises(QueryError, match="batch_size"):
            vectors.add_texts(["a"], batch_size=wrong)
    with pytest.raises(QueryError, match="did you mean batch_size"):
        vectors.add_texts(["a"], batch_sise=3)


# ---------------------------------------------------------------------- batches and callbacks


async def test_one_query_that_fails_does_not_end_a_batch(store: PaperStore) -> None:
    retriever = load_retriever(store, k=2, embeddings=Unreliable(), lookup=False)
    queries = ["graph", "boom", "safe agents"]
    for found in (
        retriever.batch(queries, return_exceptions=True),
        await retriever.abatch(queries, return_exceptions=True),
    ):
        assert [len(one) for one in (found[0], found[2])] == [2, 2]
        assert isinstance(found[1], ConnectionError)
    with pytest.raises(ConnectionError):
        retriever.batch(queries)
    with pytest.raises(ConnectionError):
        await retriever.abatch(queries)


async def test_a_fallback_answers_what_failed(store: PaperStore) -> None:
    retriever = load_retriever(store, k=2, embeddings=Unreliable(), lookup=False)
    chain = retriever.with_fallbacks([RunnableLambda(lambda query: [Document(query)])])
    for found in (chain.batch(["graph", "boom"]), await chain.abatch(["graph", "boom"])):
        assert [len(one) for one in found] == [2, 1]
        assert found[1][0].page_content == "boom"


async def test_each_query_of_a_batch_is_a_run_around_its_search(store: PaperStore) -> None:
    seen: list[list[str]] = []
    recorder = Recorder()

    class Watching(Unreliable):
        def embed_query(self, text: str) -> list[float]:
            seen.append(list(recorder.events))
            return super().embed_query(text)

    retriever = load_retriever(store, k=2, embeddings=Watching(), lookup=False)
    config: Any = {"callbacks": [recorder], "metadata": {"who": "me"}}
    retriever.batch(["graph", "boom", "boom"], config, return_exceptions=True)
    expected = ["start"] * 3 + ["end 2", "error 429", "error 429"]
    assert recorder.events == expected
    assert all(events[:3] == ["start"] * 3 for events in seen)
    assert recorder.metadata["who"] == "me"
    assert recorder.metadata["ls_retriever_name"] == "paper"
    assert recorder.metadata["ls_vector_store_provider"] == "swimmer"
    assert recorder.metadata["swimmer_store"] == "test"
    recorder.events.clear()
    await retriever.abatch(["graph", "boom", "boom"], config, return_exceptions=True)
    assert recorder.events == expected
    recorder.events.clear()
    with pytest.raises(QueryError):
        retriever.batch(["graph"], config, filtr={})
    assert recorder.events[0] == "start" and recorder.events[1].startswith("error unknown")
    run_id = uuid.uuid4()
    ids: list[uuid.UUID] = []

    class Ids(BaseCallbackHandler):
        def on_retriever_start(self, *_: Any, run_id: uuid.UUID, **__: Any) -> None:
            ids.append(run_id)

    retriever.batch(["graph", "b"], [{"callbacks": [Ids()], "run_id": run_id}, {}])
    assert ids == [run_id]


async def test_nothing_asked_is_nothing_found(store: PaperStore) -> None:
    retriever = load_retriever(store)
    assert retriever.batch([]) == await retriever.abatch([]) == []
    assert ask(store, []) == []
    assert (retriever | RunnableLambda(len)).batch([]) == []
    mixed: Any = [TITLE, 3, TITLE]
    found = retriever.batch(mixed, return_exceptions=True)
    assert len(found[0]) == 10 and found[0] == found[2]
    assert isinstance(found[1], QueryError)


# ---------------------------------------------------------------------- coroutines


class Remote(Embeddings):
    """A model with coroutines of its own."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._inner = HashEmbeddings()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append("sync")
        return self._inner.embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        self.calls.append("sync")
        return self._inner.embed_query(text)

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append("async")
        await asyncio.sleep(0)
        return self._inner.embed_documents(texts)

    async def aembed_query(self, text: str) -> list[float]:
        self.calls.append("async")
        await asyncio.sleep(0)
        if "boom" in text:
            raise ConnectionError("429")
        return self._inner.embed_query(text)


async def test_the_models_own_coroutines_are_awaited(store: PaperStore) -> None:
    remote = Remote()
    vectors = PaperVectorStore(remote)
    remote.calls.clear()
    await vectors.aadd_texts(["graphs", "agents"])
    await vectors.aadd_documents([Document("crystals")])
    found = await vectors.asimilarity_search_with_score("agents", k=2)
    assert found == vectors.similarity_search_with_score("agents", k=2)
    assert remote.calls.pop() == "sync"
    assert await vectors.amax_marginal_relevance_search("agents", k=1) == [found[0][0]]
    assert (await vectors.as_retriever(search_kwargs={"k": 1}).ainvoke("agents")) == [found[0][0]]
    retriever = load_retriever(store, k=2, embeddings=remote)
    expected = load_retriever(store, k=2).invoke("safe agents")
    assert await retriever.ainvoke("safe agents") == expected
    assert await retriever.ainvoke(TITLE) == load_retriever(store, k=2).invoke(TITLE)
    remote.calls.clear()
    outcomes: list[Any] = await retriever.abatch(
        ["safe agents", "boom", TITLE], return_exceptions=True
    )
    assert outcomes[0] == expected and isinstance(outcomes[1], ConnectionError)
    assert set(remote.calls) == {"async"}
    made = await PaperVectorStore.afrom_texts(["a b", "c d"], remote)
    assert len(made.store) == 2


async def test_a_known_title_needs_no_thread(store: PaperStore) -> None:
    retriever = load_retriever(store, k=2)
    await retriever.ainvoke(TITLE)
    before = threading.active_count()
    started = time.perf_counter()
    for _ in range(5):
        await retriever.ainvoke(TITLE)
    assert threading.active_count() == before
    assert time.perf_counter() - started < 5


# ---------------------------------------------------------------------- copies


def test_a_retriever_a_store_and_a_model_can_be_copied(store: PaperStore, tmp_path: Path) -> None:
    store.close()
    retriever = load_retriever("test", k=3, filter={"year": 2025})
    expected = retriever.invoke(TITLE)
    kept = tmp_path / "kept.joblib"
    joblib.dump(retriever, kept)
    for twin in (
        pickle.loads(pickle.dumps(retriever)),
        copy.deepcopy(retriever),
        joblib.load(kept),
    ):
        assert twin.invoke(TITLE) == expected
    chain = copy.deepcopy(retriever | RunnableLambda(len))
    assert chain.invoke(TITLE) == 3
    vectors = retriever.vectorstore
    twin = pickle.loads(pickle.dumps(vectors))
    assert twin.get_by_ids(["p03"]) == vectors.get_by_ids(["p03"])
    embeddings = SwimmerEmbeddings()
    expected_vector = embeddings.embed_query("graph")
    assert pickle.loads(pickle.dumps(embeddings)).embed_query("graph") == expected_vector
    assert len(pickle.dumps(embeddings)) < 1_000
    of_sample = SwimmerEmbeddings.of_store(open_store("sample"))
    assert copy.deepcopy(of_sample).embed_query("graph") == expected_vector
    vectors.delete(["p03"])
    with pytest.raises(StoreError, match="save it to a folder first"):
        pickle.dumps(retriever)


# ---------------------------------------------------------------------- as LangChain's FAISS


def test_what_faiss_takes_is_taken(tmp_path: Path, model: HashEmbeddings) -> None:
    texts = ["graph attention", "graph networks", "protein folds"]
    metadatas = [{"n": i} for i in range(3)]
    vectors = PaperVectorStore.from_texts(texts, model, metadatas, normalize_L2=True)
    found = vectors.similarity_search_with_score("graph attention", 3, None, 20)
    assert len(vectors.similarity_search("graph attention", score_threshold=found[0][1])) == 1
    assert vectors.similarity_search("graph attention", k=3, score_threshold=2) == []
    odd = vectors.similarity_search("graph", filter=lambda metadata: metadata["n"] % 2)
    assert [d.metadata["n"] for d in odd] == [1]
    assert vectors.similarity_search("graph", filter=lambda _: True) != []
    assert len(vectors.max_marginal_relevance_search("graph", filter=lambda m: m["n"] < 2)) == 2
    vectors.save_local(tmp_path / "kept", "index")
    again = PaperVectorStore.load_local(
        tmp_path / "kept", model, "index", allow_dangerous_deserialization=True
    )
    assert again.similarity_search_with_score("graph attention", 3) == found
    with pytest.raises(QueryError, match="folder of its own"):
        vectors.save_local(tmp_path / "kept", index_name="other")
    pairs = list(zip(texts, model.embed_documents(texts), strict=True))
    made = PaperVectorStore.from_embeddings(pairs, model, metadatas, ids=["a", "b", "c"])
    assert made.similarity_search_with_score("graph attention", 3) == [
        (d.model_copy(update={"id": i}), score)
        for (d, score), i in zip(
            found, [["a", "b", "c"][d.metadata["n"]] for d, _ in found], strict=True
        )
    ]
    assert made.add_embeddings([("more graphs", model.embed_query("more graphs"))], ids=["d"]) == [
        "d"
    ]
    other = PaperVectorStore.from_texts(["crystals"], model)
    made.merge_from(other)
    assert made.similarity_search("crystals", k=1)[0].page_content == "crystals"
    assert len(other.store) == 1 and len(made.store) == 5
    with pytest.raises(ModelMismatchError):
        made.merge_from(PaperVectorStore.from_texts(["x"], "static"))
