"""Stores on Milvus: one set of behaviours over a folder and over milvus-lite, and what can fail."""

from __future__ import annotations

import importlib.util
import json
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from swimmer import Paper, PaperStore, ask, build_store, load_retriever, open_store, search
from swimmer.errors import (
    InputError,
    MissingExtraError,
    ModelMismatchError,
    QueryError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
    StoreUnavailableError,
)
from swimmer.library import ReadingList
from swimmer.retrieval.inputs import EmbeddedPaper, EmbeddedText
from swimmer.store import (
    Filter,
    FolderSearch,
    MilvusStore,
    SearchableStore,
    StorePool,
    is_milvus,
    pull_store,
    push_store,
)
from swimmer.store.milvus_address import MilvusAddress
from swimmer.store.milvus_connection import MilvusConnection
from swimmer.store.milvus_filters import expression_of
from swimmer.store.milvus_layout import (
    INDEXES,
    Layout,
    layout_of,
    part_of,
    parts_admitted,
    search_options,
)
from swimmer.store.milvus_manifest import PROPERTY, MilvusManifest
from swimmer.store.milvus_records import key_of, paper_of, row_of

from .conftest import Outcome
from .models import HashEmbeddings
from .test_nearest import paper

Run = Callable[..., Outcome]

missing = [name for name in ("pymilvus", "milvus_lite") if importlib.util.find_spec(name) is None]
needs_milvus = pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} not installed")

ODD = [
    Paper("A title with % and _ and \\ and \"quotes\" and 'more'", id="odd %_\\\"'", venue="A_B%C"),
    Paper("Straße und ÉCOLE in Ωμέγα", "Umlaute.", id="ü", venue="ÉCOLE", authors=("José Ñandú",)),
    Paper("扩散模型的文本到图像生成", "我们研究扩散模型。", id="zh", keywords=("扩散", "图像")),
    Paper("BERT: Encoders Read Both Ways", "Masked words.", id="bert", year=2019),
    Paper(
        "Folding Proteins with BERT",
        "Words of proteins.",
        url="https://arxiv.org/abs/2101.00001v2",
        authors=("Maria Theresia Keller", "Q. Zhou"),
        id="fold",
        year=2021,
        status="Oral",
        keywords=("Proteins", "language models"),
        extra={"rating": 7.5, "area": ["biology", "nlp"], "nested": {"a": [1, None, True]}},
    ),
    Paper("Nothing at all", id="none"),
]
PAPERS = [
    replace(paper(n), venue="ICLR" if n % 3 else "NeurIPS", status="Poster") for n in range(90)
]
PAPERS = [*PAPERS, *ODD]


@pytest.fixture(scope="module")
def folder_store(tmp_path_factory: pytest.TempPathFactory) -> PaperStore:
    return build_store(PAPERS, tmp_path_factory.mktemp("stores") / "conf")


@pytest.fixture(scope="module")
def milvus_store(
    folder_store: PaperStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MilvusStore]:
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    address = f"milvus+file:{tmp_path_factory.mktemp('milvus') / 'papers.db'}"
    push_store(folder_store, address)
    store = open_store(address)
    assert isinstance(store, MilvusStore)
    yield store
    store.close()


@pytest.fixture(params=["folder", "milvus"])
def store(request: pytest.FixtureRequest, folder_store: PaperStore) -> SearchableStore:
    if request.param == "folder":
        return FolderSearch(folder_store)
    on_milvus: MilvusStore = request.getfixturevalue("milvus_store")
    return on_milvus


@pytest.fixture
def changed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchableStore]:
    """A small store that a test may change, of the kind that it was given by `indirect`."""
    folder = build_store(PAPERS[:20], tmp_path / "small")
    if request.param == "folder":
        yield FolderSearch(folder)
        return
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    address = f"milvus+file:{tmp_path / 'small.db'}"
    push_store(folder, address)
    with open_store(address) as opened:
        assert isinstance(opened, MilvusStore)
        yield opened


def ids(papers: list[Paper]) -> list[str]:
    return [one.id for one in papers]


# ---------------------------------------------------------------------- behaviours of both


def test_papers_come_back_as_they_are(store: SearchableStore) -> None:
    assert len(store) == len(PAPERS)
    assert sorted(ids(list(store))) == sorted(ids(PAPERS))
    wanted = ["fold", "nobody", "p7", "odd %_\\\"'"]
    assert store.get(wanted) == [one for key in wanted for one in PAPERS if one.id == key]
    assert store.get([]) == []


def test_vectors_come_by_id(store: SearchableStore, folder_store: PaperStore) -> None:
    found = store.vectors_of(["p3", "nobody", "fold"])
    assert found.shape == (3, store.identity.dimension) and not found[1].any()
    row = folder_store.database.row_of_id("p3")
    assert np.allclose(found[0], folder_store.vectors(np.array([row]))[0], atol=1e-6)


def test_titles_names_authors_and_identifiers_are_looked_up(store: SearchableStore) -> None:
    assert ids(store.with_title("FOLDING proteins, with Bert")) == ["fold"]
    assert ids(store.with_title(ODD[0].title)) == [ODD[0].id]
    assert store.with_title("No such title") == [] == store.with_title("???")
    for text in ("2101.00001", "arXiv:2101.00001", "https://arxiv.org/pdf/2101.00001v1.pdf"):
        assert ids(store.with_identifier(text)) == ["fold"]
    assert ids(store.with_identifier("example.org/7")) == ["p7"]
    assert store.with_identifier("https://example.org/nothing") == []
    assert ids(store.with_name("bert")) == ["bert"]
    assert store.with_name("x" * 5000) == []
    for name in ("Maria Theresia Keller", "M. T. Keller", "keller maria", "Maria Keller"):
        assert ids(store.with_author(name)) == ["fold"]
    assert ids(store.with_author("José Ñandú")) == ["ü"]
    assert store.with_author("Nobody Known") == []
    years = [one.year or 0 for one in store.with_author("Ana Ruiz")]
    assert len(years) == 10 and years == sorted(years, reverse=True)


def test_the_nearest_are_the_nearest(store: SearchableStore, folder_store: PaperStore) -> None:
    vectors = folder_store.vectors()
    for key in ("p3", "p50", "fold", "zh"):
        own = store.vectors_of([key])[0]
        found = store.nearest_to(own, 10)
        true = np.sort(vectors @ own)[::-1][:10]
        assert np.allclose([one.score for one in found], true, atol=1e-5)
        assert found[0].paper.id == key or found[0].score > 0.9999
    assert len(store.nearest_to(own, 10_000)) == len(PAPERS)
    few = store.nearest_to(own, 10, {"year": {"$gte": 2023}, "venue": "ICLR"})
    assert len(few) == 10 and all(f.paper.year >= 2023 and f.paper.venue == "ICLR" for f in few)  # type: ignore[operator]
    assert store.nearest_to(own, 10, {"venue": "nowhere"}) == []


def test_words_are_searched(store: SearchableStore) -> None:
    found = store.with_words("folding proteins", 5)
    assert found[0].paper.id == "fold" and found[0].score > 0
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert ids([one.paper for one in store.with_words("proteins", 90, {"status": "Oral"})]) == [
        "fold"
    ]
    assert store.with_words("xylophone", 5) == [] == store.with_words("???", 5)


def test_a_filter_alone_is_asked(store: SearchableStore) -> None:
    found = store.matching({"year": {"$gte": 2023}}, 1000)
    assert len(found) == sum((one.year or 0) >= 2023 for one in PAPERS)
    years = [one.year or 0 for one in found]
    assert years == sorted(years, reverse=True)
    assert len(store.matching({"year": 2021}, 3)) == 3
    with pytest.raises(QueryError, match="unknown field"):
        store.matching({"nonsense": 1}, 3)


@pytest.mark.parametrize("changed", ["folder", "milvus"], indirect=True)
def test_papers_are_added_replaced_and_deleted(changed: SearchableStore) -> None:
    new = Paper("Quantum gravity of black holes", "Holes.", id="new", year=1999)
    assert changed.add([new, PAPERS[30]]) == ["new", PAPERS[30].id]
    assert len(changed) == 22 and changed.get(["new"]) == [new]
    assert ids(changed.with_title("quantum gravity of black holes")) == ["new"]
    again = replace(new, title="Quantum gravity of white holes")
    changed.add([new, again])
    assert len(changed) == 22 and changed.get(["new"]) == [again]
    assert changed.with_title(new.title) == []
    assert changed.matching({"year": 1999}, 5) == [again]
    with pytest.raises(InputError):
        changed.add([new], np.zeros((2, 3), np.float32))
    with pytest.raises(InputError):
        changed.add([new], np.full((1, changed.identity.dimension), np.nan, np.float32))
    assert changed.delete(["new", "nobody", PAPERS[30].id]) == 2
    assert len(changed) == 20 and changed.get(["new"]) == [] and changed.delete(["new"]) == 0


# ---------------------------------------------------------------------- filters

TEXT = st.sampled_from(
    [
        "ICLR",
        "iclr",
        "NeurIPS",
        "",
        "A_B%C",
        "_B%",
        "%",
        "_",
        "\\",
        "É",
        "école",
        "ß",
        "Poster",
        '"',
        "or",
        "Bo Chen",
        "Ana Ruiz",
        "扩散",
        "x\ny",
        "\x00",
        "p7",
        "Folding Proteins with BERT",
        "a' or 1==1",
    ]
)
YEAR = st.one_of(
    st.integers(2018, 2026), st.sampled_from([2021.0, 2021.5, -1, 0, 10**12, 1e300, True, -(10**9)])
)
TEXT_FIELDS = st.sampled_from(["title", "url", "venue", "status"])
LIST_FIELDS = st.sampled_from(["authors", "keywords"])


def conditions() -> st.SearchStrategy[Filter]:
    text = st.one_of(
        TEXT,
        st.fixed_dictionaries({"$ne": TEXT}),
        st.fixed_dictionaries({"$contains": TEXT.filter(bool)}),
        st.fixed_dictionaries({"$in": st.lists(TEXT, max_size=4)}),
        st.fixed_dictionaries({"$nin": st.lists(TEXT, max_size=4)}),
        st.fixed_dictionaries({"$gt": st.sampled_from(["A", "M", "É", "p5"])}),
        st.fixed_dictionaries({"$lte": st.sampled_from(["A", "ICLR", "É", "p5"])}),
    )
    listed = st.one_of(
        TEXT,
        st.none(),
        st.fixed_dictionaries({"$ne": TEXT}),
        st.fixed_dictionaries({"$contains": TEXT.filter(bool)}),
        st.fixed_dictionaries({"$in": st.lists(st.one_of(TEXT, st.none()), max_size=4)}),
        st.fixed_dictionaries({"$nin": st.lists(TEXT, max_size=4)}),
    )
    year = st.one_of(
        YEAR,
        st.none(),
        *(st.fixed_dictionaries({op: YEAR}) for op in ("$ne", "$gt", "$gte", "$lt", "$lte")),
        st.fixed_dictionaries({"$in": st.lists(st.one_of(YEAR, st.none()), max_size=4)}),
        st.fixed_dictionaries({"$gte": TEXT}),
    )
    identifier = st.one_of(TEXT, st.fixed_dictionaries({"$in": st.lists(TEXT, max_size=3)}))
    one: st.SearchStrategy[Filter] = st.one_of(
        st.dictionaries(TEXT_FIELDS, text, min_size=1, max_size=2),
        st.dictionaries(LIST_FIELDS, listed, min_size=1, max_size=1),
        st.fixed_dictionaries({"year": year}),
        st.fixed_dictionaries({"id": identifier}),
    )
    return st.recursive(
        one,
        lambda inner: st.one_of(
            st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=3)}),
            st.fixed_dictionaries({"$not": inner}),
        ),
        max_leaves=4,
    )


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(filter=conditions())
def test_a_filter_admits_on_milvus_what_it_admits_in_sql(
    filter: Filter, folder_store: PaperStore, milvus_store: MilvusStore
) -> None:
    true = FolderSearch(folder_store).matching(filter, 1000)
    assert sorted(ids(milvus_store.matching(filter, 1000))) == sorted(ids(true))
    vector = folder_store.vectors(np.array([0]))[0]
    near = milvus_store.nearest_to(vector, 1000, filter)
    assert sorted(one.paper.id for one in near) == sorted(ids(true))


def test_what_an_expression_cannot_say_is_an_error() -> None:
    for wrong in (
        {"authors": {"$gt": "A"}},
        {"rating": 7},
        {"abstract": "x"},
        {"venue": {"$gt": "\n"}},
    ):
        with pytest.raises(QueryError):
            expression_of(wrong)
    assert expression_of({}) == 'key != ""'
    # A text from outside stays one.
    assert expression_of({"venue": '" or key != "'}) == '(venue == "\\" or key != \\"")'


# ---------------------------------------------------------------------- answers


def test_answers_are_those_of_a_folder(folder_store: PaperStore, milvus_store: MilvusStore) -> None:
    queries: list[str | Paper | EmbeddedPaper | EmbeddedText] = [
        PAPERS[3].title,
        "sparse graphs for robots",
        "https://example.org/7",
        "Ana Ruiz",
        "bert",
        Paper("A paper from outside", "About kernels and graphs."),
        "arxiv.org/abs/2101.00001",
        "https://example.org/nothing",
    ]
    for filter in (None, {"year": {"$gte": 2022}}):
        for k in (1, 10):
            pairs = zip(
                ask(milvus_store, queries, k, filter=filter),
                ask(folder_store, queries, k, filter=filter, lexical=False),
                strict=True,
            )
            for one, other in pairs:
                assert one.matched == other.matched and one.exact == other.exact
                assert one.related == other.related and one.listed == other.listed
                assert (one.reading is None) == (other.reading is None)
                if one.reading is not None and other.reading is not None:
                    assert one.reading.kind == other.reading.kind
                scores = [hit.score for hit in one.hits], [hit.score for hit in other.hits]
                assert np.allclose(*scores, atol=1e-5)


def test_modes_sorting_and_filters_alone(milvus_store: MilvusStore) -> None:
    found = search(milvus_store, "folding proteins", 5, mode="keyword")
    assert found[0].paper.id == "fold" and found[0].cosine is None
    found = search(milvus_store, "folding proteins", 5, mode="hybrid")
    assert found[0].paper.id == "fold" and [hit.rank for hit in found] == [1, 2, 3, 4, 5]
    titles = [hit.paper.title for hit in search(milvus_store, "graphs", 5, sort="title")]
    assert titles == sorted(titles)
    found = search(milvus_store, filter={"status": "Oral"})
    assert [hit.paper.id for hit in found] == ["fold"]
    own = search(milvus_store, PAPERS[3].title, 1, include_self=True)
    assert own[0].paper == PAPERS[3] and own[0].score == pytest.approx(1, abs=1e-5)
    for typed, kind in (
        ("papers by Ana Ruiz", "author"),
        ("Ana Ruiz et al. 2031", "author"),
        ("BERT paper", "name"),
        (f"[3] {PAPERS[3].title}, ICLR 2031", "title"),
    ):
        reading = ask(milvus_store, [typed])[0].reading
        assert reading is not None and reading.kind == kind, typed
    by_text = ask(milvus_store, ["Ana Ruiz"], lookup="text")[0]
    assert not by_text.listed
    with pytest.raises(QueryError, match="author"):
        ask(milvus_store, ["Nobody Known"], lookup="author")
    with pytest.raises(QueryError, match="at most"):
        search(milvus_store, "graphs", 20_000)


@pytest.mark.parametrize(
    "options",
    [
        {"like": ["bert"]},
        {"unlike": ["bert"]},
        {"diversity": 0.5},
        {"group": True},
        {"rerank": True},
    ],
)
def test_options_that_need_a_folder_are_refused(
    milvus_store: MilvusStore, options: dict[str, Any]
) -> None:
    with pytest.raises(QueryError, match="on a server"):
        ask(milvus_store, ["graphs"], **options)


def test_what_needs_a_folder_says_so(milvus_store: MilvusStore) -> None:
    for use in (
        lambda: milvus_store.database,
        lambda: milvus_store.index,
        lambda: milvus_store.manifest,
        lambda: milvus_store.papers([0]),
        lambda: milvus_store.vectors(),
        lambda: milvus_store.own_vectors(),
        lambda: milvus_store.delete_rows([0]),
        lambda: milvus_store.commit(),
        lambda: milvus_store.folder,
        lambda: pickle.dumps(milvus_store),
    ):
        with pytest.raises(StoreError, match="a store on Milvus has no") as caught:
            use()
        assert "swimmer pull" in caught.value.hint
    assert milvus_store.verify() == []
    assert milvus_store.address in milvus_store._repr_html_()


async def test_the_retriever_of_langchain(milvus_store: MilvusStore) -> None:
    retriever = load_retriever(milvus_store.address, k=3, filter={"year": {"$gte": 2022}})
    documents = retriever.invoke(PAPERS[3].title)
    assert len(documents) == 3 and all(one.metadata["year"] >= 2022 for one in documents)
    assert await retriever.ainvoke(PAPERS[3].title) == documents
    assert retriever.batch([PAPERS[3].title, "graphs"])[0] == documents
    with pytest.raises(QueryError, match="unknown field"):
        load_retriever(milvus_store.address, filter={"nonsense": 1})


# ---------------------------------------------------------------------- push and pull


@needs_milvus
def test_a_store_goes_to_milvus_and_back(home: Path, swimmer: Run) -> None:
    store = build_store(PAPERS, "conf")
    done = swimmer("push", "conf", "milvus+file:m.db")
    assert done.code == 0 and f"{len(PAPERS)} written, 0 unchanged, 0 deleted" in done.out
    done = swimmer("push", "conf", "milvus+file:m.db")
    assert f"0 written, {len(PAPERS)} unchanged, 0 deleted" in done.out
    found = swimmer("search", PAPERS[3].title, "--store", "milvus+file:m.db", "-k", "3")
    assert found.code == 0 and "similar to" in found.out and f"{len(PAPERS)} papers" in found.out
    found = swimmer(
        "search", "graphs", "--store", "milvus+file:m.db", "--where", "year>=2023", "--json"
    )
    hits = json.loads(found.out.splitlines()[0])["hits"]
    assert hits and {hit["year"] for hit in hits} <= {2023, 2024}
    assert swimmer("pull", "milvus+file:m.db", "--name", "again").code == 0
    again = open_store("again")
    assert list(again) == list(store) and again.identity == store.identity
    assert np.allclose(again.vectors(), store.vectors(), atol=1e-6)
    assert again.thresholds == store.thresholds and again.similarity == store.similarity
    assert again.verify() == []
    assert search(again, PAPERS[3].title) == search(store, PAPERS[3].title)
    refused = swimmer("pull", "milvus+file:m.db", "--name", "again")
    assert refused.code == 2 and "is a store already" in refused.err


@needs_milvus
def test_a_store_is_pulled_without_its_model(home: Path) -> None:
    store = build_store(PAPERS[:30], "conf", model=HashEmbeddings())
    push_store(store, "milvus+file:m.db")
    again = pull_store("milvus+file:m.db", "again")
    assert again.identity == store.identity and again.verify() == []
    assert search(again, PAPERS[3].title) == search(store, PAPERS[3].title)
    # What is embedded again is what was, so that a build of the same papers embeds nothing.
    hashes = [
        one.database.query("SELECT text_hash FROM papers ORDER BY row", (), (bytes,))
        for one in (store, again)
    ]
    assert hashes[0] == hashes[1]


@needs_milvus
def test_a_push_sends_what_has_changed(home: Path) -> None:
    push_store(build_store(PAPERS[:40], "conf", plain=True), "milvus+file:m.db")
    new = replace(PAPERS[0], title="Another title", abstract="Another text.")
    store = build_store([new, *PAPERS[5:45]], "conf", plain=True, prune=True)
    done = push_store(store, "milvus+file:m.db")
    assert done.papers == len(store) and done.unchanged >= 30 and done.deleted >= 4
    with open_store("milvus+file:m.db") as remote:
        assert sorted(ids(list(remote))) == sorted(ids(list(store)))
        assert remote.generation == store.generation


@needs_milvus
def test_an_interrupted_push_is_no_store_and_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.store.milvus_transfer.BATCH", 20)
    store = build_store(PAPERS, "conf")
    call, calls = MilvusConnection.call, []

    def lost(self: MilvusConnection, method: str, **arguments: Any) -> Any:
        if method == "upsert":
            calls.append(method)
            if len(calls) == 3:
                raise StoreError("the connection was lost")
        return call(self, method, **arguments)

    with monkeypatch.context() as patched:
        patched.setattr(MilvusConnection, "call", lost)
        with pytest.raises(StoreError, match="lost"):
            push_store(store, "milvus+file:m.db")
    with pytest.raises(StoreError, match="has not ended"):
        open_store("milvus+file:m.db")
    done = push_store(store, "milvus+file:m.db")
    assert done.unchanged == 40 and done.written == len(PAPERS) - 40
    with open_store("milvus+file:m.db") as remote:
        assert len(remote) == len(PAPERS)


@needs_milvus
def test_a_collection_of_another_model_or_maker_is_left_alone(home: Path) -> None:
    store = build_store(PAPERS[:30], "conf")
    other = build_store(PAPERS[:30], "other", model=HashEmbeddings())
    push_store(store, "milvus+file:m.db")
    with pytest.raises(ModelMismatchError, match="another model"):
        push_store(other, "milvus+file:m.db")
    from pymilvus import MilvusClient

    client = MilvusClient(str(home / "m.db"))
    client.create_collection("foreign", dimension=4)
    client.close()
    for use in (
        lambda: open_store("milvus+file:m.db#foreign"),
        lambda: push_store(store, "milvus+file:m.db#foreign"),
    ):
        with pytest.raises(StoreError, match="not made by swimmer"):
            use()
    with pytest.raises(StoreNotFoundError, match="no such collection"):
        open_store("milvus+file:m.db#nothing")
    with open_store("milvus+file:m.db") as remote:
        assert len(remote) == 30


def test_a_manifest_of_a_server_is_not_trusted(milvus_store: MilvusStore) -> None:
    properties = milvus_store.held.to_properties()
    assert MilvusManifest.read(properties, "x") == milvus_store.held
    good = json.loads(properties[PROPERTY])
    for change in (
        {"generation": "../x"},
        {"index": 3},
        {"thresholds": {"a": "b"}},
        {"complete": 1},
        {"unknown": 1},
        {"model": {"name": "static"}},
        {"created": "now"},
        {"recall": 7},
    ):
        with pytest.raises(StoreDamagedError, match="manifest"):
            MilvusManifest.read({PROPERTY: json.dumps(good | change)}, "x")
    for text in ("", "[]", "null", "{", "[" * 100_000):
        with pytest.raises(StoreDamagedError, match="manifest"):
            MilvusManifest.read({PROPERTY: text}, "x")
    with pytest.raises(StoreError, match="another version"):
        MilvusManifest.read({PROPERTY: json.dumps(good | {"format": 99})}, "x")


@pytest.mark.parametrize(
    "record",
    [
        None,
        5,
        "",
        "[]",
        "{}",
        '{"title": ""}',
        '{"title": "x", "id": "y", "secret": 1}',
        "z:!",
        "z:AAAA",
        '{"title": 5}',
        '{"title": "Another paper", "id": "another"}',
    ],
)
def test_a_row_of_a_server_is_not_trusted(record: object) -> None:
    with pytest.raises(StoreDamagedError):
        paper_of({"key": key_of("mine"), "record": record}, "x")


@needs_milvus
def test_long_papers_are_kept_whole_or_named(home: Path) -> None:
    long = Paper("A long one", "kernel methods for graphs " * 3_800, id="long")
    dense = np.random.default_rng(1).integers(0x4E00, 0x9FFF, 90_000)
    worse = Paper("Too long", "".join(map(chr, dense)), id="worse")
    push_store(build_store([long, *PAPERS[:5]], "conf"), "milvus+file:m.db")
    with open_store("milvus+file:m.db") as remote:
        assert remote.get(["long"]) == [long]
    with pytest.raises(InputError, match="Too long"):
        push_store(build_store([worse, *PAPERS[:5]], "other"), "milvus+file:other.db")


@needs_milvus
def test_verify_reads_every_paper_and_vector(home: Path, swimmer: Run) -> None:
    push_store(build_store(PAPERS[:30], "conf"), "milvus+file:m.db")
    assert "30 papers, no damage found" in swimmer("verify", "milvus+file:m.db").out
    with open_store("milvus+file:m.db") as remote:
        assert isinstance(remote, MilvusStore)
        row = row_of(PAPERS[3], 3, 2 * remote.vectors_of(["p3"])[0], None)
        remote._connection.call("upsert", data=[row])
        (found,) = remote.verify()
        assert "p3" in found and "length" in found
        remote._connection.call("upsert", data=[row | {"record": "{}"}])
        assert any("cannot be read" in one for one in remote.verify())
    assert swimmer("verify", "milvus+file:m.db").code == 1


@needs_milvus
@pytest.mark.parametrize(
    "command",
    [
        ("search", "graphs", "--store", "milvus+file:m.db", "--plot", "x.svg"),
        ("people", "graphs", "--store", "milvus+file:m.db"),
        ("show", "milvus+file:m.db"),
        ("map", "milvus+file:m.db", "-o", "x.html"),
        ("trends", "conf", "milvus+file:m.db"),
        ("neighbours", "milvus+file:m.db", "-o", "x.csv"),
        ("pack", "milvus+file:m.db"),
        ("update", "milvus+file:m.db"),
        ("push", "milvus+file:m.db", "milvus+file:other.db"),
    ],
)
def test_commands_that_need_a_folder_say_so(
    command: tuple[str, ...], home: Path, swimmer: Run
) -> None:
    push_store(build_store(PAPERS[:30], "conf"), "milvus+file:m.db")
    done = swimmer(*command)
    assert done.code == 2 and done.err.startswith("error: ") and "Traceback" not in done.err
    assert "Milvus" in done.err or "not a store's name" in done.err


# ---------------------------------------------------------------------- index and partitions


@pytest.mark.parametrize(
    ("papers", "dimension", "index", "partitions"),
    [
        (0, 256, "FLAT", 0),
        (50_000, 1024, "FLAT", 0),
        (50_001, 256, "HNSW", 0),
        (1_000_000, 256, "HNSW", 16),
        (10_000_000, 256, "HNSW", 64),
        (10_000_000, 1024, "IVF_SQ8", 64),
        (100_000_000, 256, "IVF_SQ8", 256),
        (100_000_000, 1024, "DISKANN", 256),
        (250_000_000, 256, "DISKANN", 256),
    ],
)
def test_the_index_is_chosen_by_size(
    papers: int, dimension: int, index: str, partitions: int
) -> None:
    layout = layout_of(papers, dimension)
    assert (layout.index, layout.partitions) == (index, partitions)
    assert layout_of(papers, dimension, local=True) == Layout("FLAT")
    assert layout_of(papers, dimension, "DiskANN").index == "DISKANN"
    assert set(INDEXES.values()) == {"FLAT", "HNSW", "IVF_SQ8", "DISKANN"}
    lists = layout_of(papers, dimension, "ivf-sq8").options["nlist"]
    assert 16 <= lists <= 65_536
    for kind in INDEXES.values():
        assert search_options(kind, 300)["metric_type"] == "IP"
    assert search_options("HNSW", 300)["params"]["ef"] >= 300
    with pytest.raises(InputError, match="no index"):
        layout_of(papers, dimension, "annoy")


@pytest.mark.parametrize(
    ("filter", "parts"),
    [
        ({"venue": "ICLR", "year": 2024}, [("ICLR", 2024)]),
        (
            {"$and": [{"venue": "ICLR"}, {"year": {"$in": [2023, 2024]}}]},
            [("ICLR", 2023), ("ICLR", 2024)],
        ),
        ({"venue": {"$in": ["A", "B"]}, "year": None}, [("A", None), ("B", None)]),
        (
            {"venue": "A", "year": {"$gte": 2023, "$lt": 2025}},
            [("A", 2023), ("A", 2024), ("A", 2025)],
        ),
        ({"venue": "A", "year": 2024, "status": "Oral"}, [("A", 2024)]),
        ({"venue": "A"}, []),
        ({"year": 2024}, []),
        ({"venue": "A", "year": {"$gte": 2023}}, []),
        ({"venue": "A", "year": {"$gte": 1000, "$lte": 3000}}, []),
        ({"$or": [{"venue": "A", "year": 2024}, {"status": "Oral"}]}, []),
        ({"$not": {"venue": "A", "year": 2024}}, []),
        ({"venue": {"$ne": "A"}, "year": 2024}, []),
        ({"venue": {"$contains": "A"}, "year": 2024}, []),
    ],
)
def test_a_filter_names_the_partitions_that_it_needs(filter: Filter, parts: Any) -> None:
    said = parts_admitted(filter)
    assert said.count('"') == 2 * len(parts), said
    assert all(f'"{part_of(venue, year)}"' in said for venue, year in parts)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=conditions(), second=conditions())
def test_no_paper_that_a_filter_admits_is_in_another_partition(
    first: Filter, second: Filter, folder_store: PaperStore
) -> None:
    for filter in (first, {"$and": [first, second]}):
        if not (said := parts_admitted(filter)):
            continue
        for one in FolderSearch(folder_store).matching(filter, 1000):
            assert f'"{part_of(one.venue, one.year)}"' in said


@needs_milvus
@pytest.mark.parametrize("index", ["HNSW", "IVF_SQ8", "DISKANN"])
def test_a_collection_in_partitions_answers_as_one(
    index: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = build_store(PAPERS, "conf")
    options = layout_of(len(store), 256, index.replace("_", "-")).options
    monkeypatch.setattr(
        "swimmer.store.milvus_transfer.layout_of", lambda *_, **__: Layout(index, options, 8)
    )
    done = push_store(store, "milvus+file:m.db")
    assert (done.index, done.written) == (index, len(PAPERS)) and done.recall >= 0.95
    folder = FolderSearch(store)
    with open_store("milvus+file:m.db") as remote:
        assert isinstance(remote, MilvusStore)
        held = remote.held
        assert (held.index, held.partitions, held.recall) == (index, 8, done.recall)
        assert held.to_properties()[PROPERTY].count(f'"recall": {done.recall}') == 1
        asked: list[str] = []
        call = remote._connection.call

        def seen(method: str, **arguments: Any) -> Any:
            asked.append(str(arguments.get("filter")))
            return call(method, **arguments)

        monkeypatch.setattr(remote._connection, "call", seen)
        for filter in (
            {"venue": "ICLR", "year": 2023},
            {"venue": {"$in": ["ICLR", "NeurIPS"]}, "year": {"$gte": 2022, "$lte": 2023}},
            {"venue": "ÉCOLE"},
            {"year": 2021},
        ):
            found = sorted(ids(remote.matching(filter, 1000)))
            assert found == sorted(ids(folder.matching(filter, 1000))) and found
            near = remote.nearest_to(store.vectors(np.array([0]))[0], 1000, filter)
            assert len(near) >= 0.9 * len(found)
        assert sum("part in [" in one for one in asked) == 4
        # A paper that gets another year moves to another partition, and is there once.
        moved = replace(PAPERS[3], year=1990, venue="Moved")
        remote.add([moved])
        assert len(remote) == len(PAPERS) and remote.get(["p3"]) == [moved]
        assert ids(remote.matching({"venue": "Moved", "year": 1990}, 9)) == ["p3"]
        assert remote.delete(["p3"]) == 1 and len(remote) == len(PAPERS) - 1
    again = push_store(store, "milvus+file:m.db")
    assert (again.written, again.unchanged) == (1, len(PAPERS) - 1)
    assert pull_store("milvus+file:m.db", "again").verify() == []


@needs_milvus
def test_an_index_is_named_for_a_new_collection_only(home: Path, swimmer: Run) -> None:
    build_store(PAPERS[:30], "conf").close()
    done = swimmer("push", "conf", "milvus+file:m.db", "--index", "hnsw")
    assert done.code == 0 and "search HNSW index, recall@10 1.000" in done.out, done.err
    assert swimmer("push", "conf", "milvus+file:m.db").code == 0
    refused = swimmer("push", "conf", "milvus+file:m.db", "--index", "flat")
    assert refused.code == 2 and "has the index HNSW" in refused.err
    assert swimmer("push", "conf", "milvus+file:m.db", "--index", "annoy").code == 2


# ---------------------------------------------------------------------- several stores, page, MCP


@needs_milvus
def test_a_folder_and_milvus_are_searched_as_one(home: Path, swimmer: Run) -> None:
    push_store(build_store(PAPERS[:40], "conf"), "milvus+file:m.db#first")
    build_store(PAPERS[40:], "second")
    names = ("--store", "milvus+file:m.db#first", "--store", "second")
    found = swimmer("search", "graphs for robots", *names, "--json", "-k", "8")
    assert found.code == 0, found.err
    hits = json.loads(found.out.splitlines()[0])["hits"]
    assert {hit["store"] for hit in hits} == {"first", "second"} and len(hits) == 8
    # A title that only the server knows is searched in the folder as that paper.
    known = swimmer("search", PAPERS[3].title, *names, "--json", "-k", "4").out
    answer = json.loads(known.splitlines()[0])
    assert answer["matched"]["id"] == "p3" and len(answer["hits"]) == 4
    refs = home / "refs.bib"
    entries = [
        "@misc{a, title={" + PAPERS[5].title + "}, year={" + str(PAPERS[5].year) + "}}",
        "@misc{b, title={" + PAPERS[45].title + "}}",
        "@misc{c, title={Nobody Has Written This One}}",
        "@misc{d, title={Folding Proteins with BERTs}, author={Keller, Maria and Zhou, Q.}}",
    ]
    refs.write_text("\n".join(entries), encoding="utf-8")
    lines = swimmer("check", refs, *names, "--json").out.splitlines()
    verdicts = [json.loads(line)["verdict"] for line in lines]
    assert verdicts == ["found", "found", "unknown", "differs"]
    push_store(open_store("second"), "milvus+file:m.db#second")
    alone = swimmer("check", refs, "--store", "milvus+file:m.db#second", "--json").out.splitlines()
    assert [json.loads(one)["verdict"] for one in alone] == [
        "unknown",
        "found",
        "unknown",
        "differs",
    ]


@pytest.fixture(params=["folder", "milvus"])
def served(request: pytest.FixtureRequest, folder_store: PaperStore, home: Path) -> str:
    """The place of a store of either kind, as `swimmer serve` and `swimmer mcp` take it."""
    if request.param == "folder":
        return str(folder_store.folder)
    on_milvus: MilvusStore = request.getfixturevalue("milvus_store")
    return on_milvus.address


def page_of(place: str) -> Any:
    pytest.importorskip("starlette", reason="needs the extra 'web'")
    from starlette.testclient import TestClient

    from swimmer.web import create_app

    given = place if is_milvus(place) else Path(place)
    return TestClient(create_app([given]), base_url="http://127.0.0.1:8765")


def test_the_page_searches_both(served: str) -> None:
    name = "papers" if is_milvus(served) else "conf"
    with page_of(served) as page:
        first = page.get("/")
        assert first.status_code == 200 and f"{len(PAPERS)} papers" in first.text, first.text
        for fields in (
            {"q": PAPERS[3].title},
            {"q": "graphs for robots", "why": "1"},
            {"q": "folding proteins", "mode": "keyword"},
            {"q": "folding proteins", "mode": "hybrid"},
            {"q": "Ana Ruiz", "as": "author"},
            {"q": "graphs", "year_from": "2022", "sort": "year:desc"},
            {"where": "year>=2023"},
        ):
            found = page.get("/search", params={"store": name, "k": "5", **fields})
            assert found.status_code == 200, found.text
            assert found.text.count("/paper?") >= 5, fields
        exported = page.get("/export", params={"store": name, "q": "graphs", "format": "bibtex"})
        assert exported.text.count("@") >= 10
        typed = page.get("/complete", params={"store": name, "q": "folding pro"})
        assert "Folding Proteins with BERT" in typed.text
        shown = page.get("/paper", params={"store": name, "id": "fold"})
        assert shown.status_code == 200 and "Words of proteins." in shown.text
        assert (
            shown.text.count("/paper?") >= 12 and "@inproceedings" in shown.text
        ) or "@" in shown.text
        assert page.get("/paper", params={"store": name, "id": "nobody"}).status_code == 404
        person = page.get("/person", params={"store": name, "name": "Ana Ruiz"})
        assert person.status_code == 200 and person.text.count("/paper?") >= 10
        for to, text in (
            ("near", "Graphs\n\nGraphs for robots."),
            ("check", "@misc{a, title={A}}"),
        ):
            sent = page.post(
                "/file",
                data={"to": to, "store": name, "text": text},
                files={"file": ("", b"")},
                headers={"Origin": "http://127.0.0.1:8765"},
            )
            assert sent.status_code == 200 and f"/{to}?" in str(sent.url), sent.text
        chosen = page.get("/search", params={"store": name, "q": "graphs", "topic": "nothing"})
        assert chosen.status_code == 200 and "No papers found" in chosen.text
        wrong = page.get("/search", params={"store": name, "q": "graphs", "where": "nonsense=1"})
        assert wrong.status_code == 400 and "nonsense" in wrong.text


def test_a_page_that_needs_a_folder_says_so(milvus_store: MilvusStore, home: Path) -> None:
    build_store(PAPERS[:30], "conf").close()
    with page_of(milvus_store.address) as page:
        ReadingList().add("conf", PAPERS[3])
        assert page.get("/foryou/part?store=papers").status_code == 200
        assert page.get("/glance?store=papers").status_code == 200
        for path in (
            "/foryou",
            "/digest",
            "/plan",
            "/map",
            "/daily",
            "/person/near?name=Ana+Ruiz",
            "/map/picture",
            "/map/points",
        ):
            mark = "&" if "?" in path else "?"
            said = page.get(f"{path}{mark}store=papers")
            assert said.status_code == 400 and "swimmer pull" in said.text, (path, said.text)
            assert "This needs a store in a folder" in said.text and "Traceback" not in said.text
        given = {"store": "papers", "q": "graphs", "diversity": "0.5"}
        assert "on a server" in page.get("/search", params=given).text
        # All stores together are those in folders.
        every = page.get("/search", params={"store": "*", "q": "graphs", "k": "5"})
        assert every.status_code == 200 and "store=papers" not in every.text.split("<main", 1)[1]


async def test_tools_answer_over_both(served: str) -> None:
    pytest.importorskip("mcp.server.mcpserver", reason="needs the extra 'mcp'")
    from mcp import Client

    from swimmer.mcp_server import build_server

    async with Client(build_server(served)) as client:

        async def called(tool: str, **given: Any) -> Any:
            result = await client.call_tool(tool, given)
            assert not result.is_error, result.content
            return result.structured_content

        similar = await called("find_similar_papers", title=PAPERS[3].title, k=4)
        assert similar["matched"] == PAPERS[3].title and len(similar["papers"]) == 4
        worded = await called("search_papers", query="folding proteins", k=3, year_from=2020)
        assert "fold" in [one["id"] for one in worded["papers"]]
        titled = await called("search_papers", query=PAPERS[3].title, k=3)
        assert titled["papers"] and titled["taken_as"]
        listed = await called("browse_papers", status="Oral")
        assert [one["id"] for one in listed["papers"]] == ["fold"]
        for wanted in ("fold", "arxiv.org/abs/2101.00001", "Folding Proteins with BERT"):
            assert (await called("get_paper", paper=wanted))["id"] == "fold"
        people = await called("find_authors", name="Ana Ruiz")
        assert people["authors"][0] == {
            "name": "Ana Ruiz",
            "papers": 10,
            "store": similar["store"],
        }
        name = similar["store"]
        if is_milvus(served):
            stores = (await called("list_stores"))["stores"]
            (own,) = [one for one in stores if one["name"] == name]
            assert (own["papers"], own["problem"], own["model"]) == (len(PAPERS), "", "static")
            named = await called("find_similar_papers", title=PAPERS[3].title, store=name)
            assert named["matched"] == PAPERS[3].title
            about = await client.read_resource(f"swimmer://{name}")
            assert json.loads(about.contents[0].text)["papers"] == len(PAPERS)  # type: ignore[union-attr]
        checked = await called("check_references", references=[PAPERS[3].title])
        assert checked["counts"] == {"found": 1}
        missing = await client.call_tool("get_paper", {"paper": "nothing of that name"})
        assert missing.is_error
        needs: list[tuple[str, dict[str, Any]]] = [
            ("papers_for_library", {"titles": [PAPERS[3].title]}),
            ("people_near", {"query": "graphs"}),
            ("plan_conference", {"titles": [PAPERS[3].title]}),
        ]
        for tool, given in needs if is_milvus(served) else ():
            refused = await client.call_tool(tool, given)
            said = refused.content[0].text  # type: ignore[union-attr]
            assert refused.is_error and "on Milvus has no" in said and "swimmer pull" in said


@needs_milvus
def test_a_server_that_is_down_stops_no_other_store(home: Path) -> None:
    build_store(PAPERS[:30], "conf").close()
    address = "milvus://127.0.0.1:1/papers?timeout=1"
    pool = StorePool(default=address)
    states = {info.name: info for info in pool.stores()}
    assert states["papers"].manifest is None and "no answer" in states["papers"].problem
    assert len(pool.store("conf")) == 30
    with pytest.raises(StoreError, match="no answer"):
        pool.store()
    with page_of(address) as page:
        assert page.get("/search", params={"store": "conf", "q": "graphs"}).status_code == 200
        down = page.get("/search", params={"store": "papers", "q": "graphs"})
        assert down.status_code == 503 and "no answer" in down.text
    with pytest.raises(InputError, match="two of the stores"):
        StorePool([address, "milvus://other/papers"])
    with pytest.raises(StoreError, match="address"):
        StorePool(["milvus://"])


# ---------------------------------------------------------------------- addresses and servers


def test_addresses_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    one = MilvusAddress.read("milvus://host/papers")
    assert (one.uri, one.collection, one.token) == ("http://host:19530", "papers", "")
    one = MilvusAddress.read("milvus+tls://me:p%40ss@host:443/db/papers?timeout=5")
    assert (one.uri, one.database, one.timeout) == ("https://host:443", "db", 5)
    assert (
        one.token == "me:p@ss"
        and "p@ss" not in repr(one)
        and "p" not in one.shown.split("//")[0][:5]
    )
    assert "me" not in one.shown and one.shown == "milvus+tls://host:443/db/papers"
    monkeypatch.setenv("SWIMMER_MILVUS_TOKEN", "secret")
    assert MilvusAddress.read("milvus://host/papers").token == "secret"
    assert MilvusAddress.read("milvus+file:a.db#x").collection == "x"
    assert is_milvus("milvus://x") and not is_milvus("milvus") and not is_milvus(Path("milvus:"))


@pytest.mark.parametrize(
    "address",
    [
        "milvus:",
        "milvus://",
        "milvus://host",
        "milvus://host/",
        "milvus://host/a b",
        "milvus://host/a/b/c",
        "milvus://host:99999/x",
        "milvus://host/x?timeout=0",
        "milvus://host/x?token=1",
        "milvus+file:",
        "milvus+file:papers",
        "milvus+file:/no/such/folder/x.db",
        "milvus+file:x.db#a-b",
        "milvus://[x/y",
        "milvus://host/1x",
        "milvus+ssh://host/x",
    ],
)
def test_wrong_addresses_are_errors(address: str, home: Path) -> None:
    with pytest.raises((StoreError, StoreNotFoundError)) as caught:
        open_store(address)
    assert caught.value.hint


def test_without_the_package_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError) as caught:
        open_store("milvus://localhost/papers")
    assert "swimmer[milvus]" in caught.value.hint


@needs_milvus
def test_a_server_that_is_down_or_says_nothing_is_an_error_in_time(swimmer: Run) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        down = swimmer("search", "x", "--store", f"milvus://127.0.0.1:{port}/papers?timeout=1")
        assert down.code == 2 and "no answer within 1 s" in down.err and "Traceback" not in down.err
        listening.listen()
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(listening.accept()[0]), daemon=True).start()
        silent = swimmer("search", "x", "--store", f"milvus://127.0.0.1:{port}/papers?timeout=1")
        assert silent.code == 2 and "no answer within 1 s" in silent.err
        for one in held:
            one.close()


@needs_milvus
def test_a_write_without_an_answer_is_tried_again_and_ends(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = build_store(PAPERS[:30], "conf")
    call, lost, tries = MilvusConnection.call, [0], [0]

    def losing(self: MilvusConnection, method: str, **arguments: Any) -> Any:
        done = call(self, method, **arguments)
        tries[0] += method == "upsert"
        if method == "upsert" and lost[0]:
            # What was written was written: only the answer is lost.
            lost[0] -= 1
            raise StoreUnavailableError("no answer")
        return done

    monkeypatch.setattr(MilvusConnection, "call", losing)
    monkeypatch.setattr("swimmer.store.milvus_connection.WAITS", (0.0, 0.0))
    lost[0] = 2
    assert push_store(store, "milvus+file:m.db").written == 30 and tries == [3]
    with open_store("milvus+file:m.db") as remote:
        assert len(remote) == 30
        lost[0] = 3
        with pytest.raises(StoreUnavailableError):
            remote.add([PAPERS[40]])
        assert tries == [6]
        remote.add([PAPERS[40]])
        assert len(remote) == 31


@needs_milvus
@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v2.5.0", True),
        ("2.6.3-dev", True),
        ("3.0", True),
        ("v2.4.17", False),
        ("1.1.1", False),
        ("unknown", True),
        ("", True),
    ],
)
def test_a_server_that_is_too_old_is_named(
    version: str, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Server:
        def __init__(self, uri: str, **options: Any) -> None:
            assert options["timeout"] == 30

        def get_server_version(self) -> str:
            return version

        def close(self) -> None:
            pass

    monkeypatch.setattr("pymilvus.MilvusClient", Server)
    address = MilvusAddress.read("milvus://host/papers")
    if fits:
        MilvusConnection(address).close()
        return
    with pytest.raises(StoreError, match="no BM25") as caught:
        MilvusConnection(address)
    assert "2.5" in caught.value.hint


@needs_milvus
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("auth check failure, please check username and password", "refuses"),
        ("rate limit exceeded: quota exceeded[reason=disk]", "full"),
        ("deadline exceeded", "no answer"),
        ("collection was lost", "could not do it"),
    ],
)
def test_what_a_server_says_becomes_an_error_of_ours(
    said: str, expected: str, milvus_store: MilvusStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymilvus.exceptions import MilvusException

    def fails(*_: Any, **__: Any) -> None:
        raise MilvusException(1, said)

    connection = milvus_store._connection
    for method in ("query", "search", "upsert", "delete"):
        monkeypatch.setattr(connection._client, method, fails)
    for use in (
        lambda: milvus_store.get(["p1"]),
        lambda: search(milvus_store, "graphs"),
        lambda: len(milvus_store),
        lambda: milvus_store.delete(["p1"]),
    ):
        with pytest.raises(StoreError, match=expected) as caught:
            use()
        assert caught.value.hint
