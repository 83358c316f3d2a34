"""The bridge to LangChain's FAISS: what goes over, what comes back, what is refused unrun."""

from __future__ import annotations

import os
import pickle
import shlex
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

pytest.importorskip("langchain_community", reason='needs pip install "swimmer[community]"')

from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.vectorstores import FAISS
from langchain_community.vectorstores.utils import DistanceStrategy
from langchain_core.documents import Document

from swimmer import Paper, PaperVectorStore, SwimmerEmbeddings, build_store, open_store
from swimmer.errors import (
    InputError,
    MissingExtraError,
    ModelMismatchError,
    SourceError,
    SwimmerError,
)
from swimmer.langchain import community
from swimmer.langchain.documents import paper_document
from swimmer.langchain.saved_pickle import read_pickle

from .conftest import Outcome
from .models import HashEmbeddings

TITLE = "Preference Optimization without a Reference Model"


class Wrapped(SwimmerEmbeddings):
    """Word hashes as a LangChain `Embeddings`, which its FAISS insists on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(HashEmbeddings(**options))


@pytest.fixture
def embeddings() -> Wrapped:
    return Wrapped()


@pytest.fixture
def saved(home: Path, papers: list[Paper], embeddings: Wrapped) -> Path:
    """A folder that `langchain_community`'s own FAISS saved."""
    documents = [
        Document(page_content=p.page_content, metadata={"title": p.title, "tags": list(p.keywords)})
        for p in papers
    ]
    FAISS.from_documents(documents, embeddings).save_local(str(home / "old"))
    return home / "old"


# ---------------------------------------------------------------------- over and back


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_copy_is_a_true_faiss_whose_saving_works(
    home: Path, papers: list[Paper], embeddings: Wrapped
) -> None:
    ours = PaperVectorStore(embeddings, store=build_store(papers, "test", model=embeddings))
    copy = ours.to_langchain_faiss()
    assert isinstance(copy, FAISS)
    expected = ours.similarity_search_with_score(TITLE, k=5)
    assert copy.similarity_search(TITLE, k=5) == [d for d, _ in expected]
    copy.save_local(str(home / "theirs"))
    again = FAISS.load_local(str(home / "theirs"), embeddings, allow_dangerous_deserialization=True)
    found = again.similarity_search_with_score(TITLE, k=5)
    assert [d for d, _ in found] == [d for d, _ in expected]
    # What they call a score is a squared distance: 2 - 2 cosine.
    assert [2 - 2 * s for _, s in expected] == pytest.approx([float(s) for _, s in found], abs=1e-4)
    again.add_texts(["something new"])
    assert again.similarity_search("something new", k=1)[0].page_content == "something new"


def test_their_folder_comes_in_with_vectors_and_documents_as_they_were(
    saved: Path, embeddings: Wrapped
) -> None:
    theirs = FAISS.load_local(str(saved), embeddings, allow_dangerous_deserialization=True)
    ours = PaperVectorStore.from_langchain_faiss(saved, embeddings)
    expected = theirs.similarity_search(TITLE, k=7)
    assert ours.similarity_search(TITLE, k=7) == expected
    hit = ours.store.get([expected[0].id or ""])[0]
    assert hit.title == expected[0].metadata["title"]
    assert hit.url.startswith("https://papers.example/")
    assert hit.abstract
    assert ours.store.identity.text == "page_content"


def test_what_goes_over_comes_back_the_same(
    home: Path, papers: list[Paper], embeddings: Wrapped
) -> None:
    there = PaperVectorStore.from_documents([paper_document(p) for p in papers], embeddings)
    there.to_langchain_faiss().save_local(str(home / "theirs"), "named")
    back = community.import_langchain_faiss(home / "theirs", embeddings, "named")
    assert list(back) == papers
    back.commit(home / "kept")
    assert len(PaperVectorStore.load_local(home / "kept", embeddings).store) == len(papers)


def test_only_a_few_documents_are_embedded_again(saved: Path) -> None:
    model = HashEmbeddings()
    community.import_langchain_faiss(saved, model)
    assert len(model.embedded) <= 2 * 16 + 3


def test_an_index_by_inner_product_comes_in_as_well(home: Path, embeddings: Wrapped) -> None:
    FAISS.from_texts(
        ["graph attention", "policy gradient"],
        embeddings,
        distance_strategy=DistanceStrategy.MAX_INNER_PRODUCT,
    ).save_local(str(home / "old"))
    ours = PaperVectorStore.from_langchain_faiss(home / "old", embeddings)
    (best,) = ours.similarity_search_with_score("policy gradient", k=1)
    assert best[0].page_content == "policy gradient"
    assert best[1] == pytest.approx(1, abs=1e-5)


def test_the_model_must_be_the_one_that_was_used(saved: Path) -> None:
    with pytest.raises(ModelMismatchError, match="not those that the model"):
        PaperVectorStore.from_langchain_faiss(saved, Wrapped(salt="other"))
    with pytest.raises(ModelMismatchError, match="64 dimensions"):
        PaperVectorStore.from_langchain_faiss(saved, Wrapped(dimension=32))


def test_a_missing_extra_prints_its_line(
    papers: list[Paper], embeddings: Wrapped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "swimmer\[community\]"'):
        PaperVectorStore(embeddings).to_langchain_faiss()


def test_importing_needs_no_community_package(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "langchain_community", None)
    assert len(community.import_langchain_faiss(saved, Wrapped())) == 30


# ---------------------------------------------------------------------- hostile pickles


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


def honest(**documents: str) -> tuple[InMemoryDocstore, dict[int, str]]:
    kept = {k: Document(id=k, page_content=v) for k, v in documents.items()}
    return InMemoryDocstore(dict(kept)), dict(enumerate(kept))


def document_with(**metadata: Any) -> tuple[InMemoryDocstore, dict[int, str]]:
    docstore, rows = honest(a="text")
    docstore._dict["a"].metadata.update(metadata)
    return docstore, rows


def hostile(trace: Path) -> dict[str, bytes]:
    """Pickles that would leave `trace` behind, were anything of them run."""
    command = f"touch {shlex.quote(str(trace))}"
    code = f"open({str(trace)!r}, 'w').close()"
    docstore, rows = honest(a="text")
    return {
        "os.system": pickle.dumps(Calls(os.system, command)),
        "builtins.eval": pickle.dumps(Calls(eval, code)),
        "builtins.exec": pickle.dumps(Calls(exec, code)),
        "nested in the metadata": pickle.dumps(document_with(x=[{"y": Calls(os.system, command)}])),
        "a nested reduce": pickle.dumps(Calls(getattr, Calls(__import__, "os"), "system")),
        "beside the right documents": pickle.dumps((docstore, rows, Calls(eval, code))),
        "by the old GLOBAL": b"cos\nsystem\n(S'" + command.encode() + b"'\ntR.",
        "by INST": b"(S'" + command.encode() + b"'\nios\nsystem\n.",
        "by protocol 2": pickle.dumps(Calls(os.system, command), protocol=2),
        "a stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        "a dotted name": b"\x80\x04\x8c\x25langchain_core.documents.base\x8c\x11Document.__init__\x93.",
        "a class of the admitted module": pickle.dumps(Calls(faiss.read_index, "x")),
        "an extension": b"\x80\x04\x82\x01.",
        "a persistent id": b"\x80\x04\x8c\x01xQ.",
    }


def put(folder: Path, data: bytes, rows: int = 1, dimension: int = 64) -> Path:
    folder.mkdir(exist_ok=True)
    index = faiss.IndexFlatL2(dimension)
    index.add(np.ones((rows, dimension), np.float32))
    faiss.write_index(index, str(folder / "index.faiss"))
    (folder / "index.pkl").write_bytes(data)
    return folder


@pytest.mark.parametrize("kind", sorted(hostile(Path("x"))))
def test_a_hostile_pickle_runs_nothing(home: Path, kind: str) -> None:
    trace = home / "trace"
    folder = put(home / "old", hostile(trace)[kind])
    with pytest.raises(SourceError):
        PaperVectorStore.from_langchain_faiss(folder, Wrapped())
    assert not trace.exists()


def test_the_hostile_pickles_would_run_elsewhere(home: Path) -> None:
    trace = home / "trace"
    pickle.loads(hostile(trace)["os.system"])
    assert trace.exists()
    trace.unlink()
    pickle.loads(hostile(trace)["beside the right documents"])
    assert trace.exists()


# ---------------------------------------------------------------------- at the command line


@pytest.fixture
def static_folder(home: Path, papers: list[Paper]) -> Path:
    documents = [
        Document(page_content=p.page_content, metadata={"url": p.url, "note": {"row": i}})
        for i, p in enumerate(papers)
    ]
    FAISS.from_documents(documents, SwimmerEmbeddings("static")).save_local(str(home / "Old Index"))
    return home / "Old Index"


def test_a_folder_becomes_a_store_by_one_command(
    swimmer: Callable[..., Outcome], static_folder: Path, papers: list[Paper]
) -> None:
    done = swimmer("build", static_folder, "--model", "static")
    assert (done.code, done.err) == (0, "")
    assert "30 added" in done.out and "embedded   0" in done.out
    assert "16 texts were embedded again and match the model static" in done.out
    store = open_store("old-index")
    assert (len(store), store.identity.name, store.identity.text) == (30, "static", "page_content")
    assert store.thresholds["related"] > 0
    assert store.verify() == []
    kept = {paper.url: paper for paper in store}
    assert all(kept[p.url].page_content == p.page_content for p in papers)
    assert sorted(p.extra["note"]["row"] for p in store) == list(range(30))
    assert swimmer("search", TITLE, "--store", "old-index", "--json").code == 0
    again = swimmer("build", static_folder, "--model", "static")
    assert again.code == 2 and "another --name" in again.err


def test_a_folder_of_papers_that_say_their_title_twice_is_recognised(
    home: Path, papers: list[Paper]
) -> None:
    model = SwimmerEmbeddings("static")
    vectors = model.embed_documents([f"{p.title}\n{p.embedding_text}" for p in papers])
    pairs = [(p.page_content, vector) for p, vector in zip(papers, vectors, strict=True)]
    metadata = [{"title": p.title, "abstract": p.abstract, "url": p.url} for p in papers]
    FAISS.from_embeddings(pairs, model, metadata).save_local(str(home / "twice"))
    ours = PaperVectorStore.from_langchain_faiss(home / "twice", model)
    assert ours.store.identity.text == "title_title_abstract"


def test_a_folder_does_not_say_its_model(
    swimmer: Callable[..., Outcome], static_folder: Path, home: Path
) -> None:
    done = swimmer("build", static_folder)
    assert done.code == 2 and "--model" in done.err
    wrong = swimmer("build", static_folder, "--model", "nothing")
    assert wrong.code == 2 and "unknown model" in wrong.err
    pruned = swimmer("build", static_folder, "--model", "static", "--prune")
    assert pruned.code == 2 and "--prune" in pruned.err
    inside = swimmer("build", static_folder, "--model", "static", "--name", static_folder)
    assert inside.code == 2 and "another --name" in inside.err
    other = put(home / "other", pickle.dumps(honest(a="text")), dimension=256)
    mismatch = swimmer("build", other, "--model", "static")
    assert mismatch.code == 2 and "give the model" in mismatch.err
    assert not list(home.rglob("manifest.json"))


def test_a_folder_whose_model_needs_an_extra_prints_its_line(
    swimmer: Callable[..., Outcome], static_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = swimmer("build", static_folder, "--model", "bge-m3")
    assert done.code == 2 and 'pip install "swimmer[huggingface]"' in done.err


@pytest.mark.parametrize(
    "kind", ["os.system", "builtins.eval", "a nested reduce", "a billion laughs"]
)
def test_a_hostile_folder_ends_the_command_and_runs_nothing(
    swimmer: Callable[..., Outcome], home: Path, kind: str
) -> None:
    trace = home / "trace"
    data = hostile(trace)[kind] if kind not in BOMBS else BOMBS[kind]()
    folder = put(home / "old", data, dimension=256)
    done = swimmer("build", folder, "--model", "static")
    assert done.code == 2 and done.out == ""
    assert "index.pkl" in done.err and "Traceback" not in done.err
    assert not trace.exists()
    assert not list(home.rglob("manifest.json"))


def laughs(depth: int) -> Any:
    """Lists of lists of one text: a few bytes that stand for 10 ** depth texts."""
    value: Any = "ha" * 50
    for _ in range(depth):
        value = [value] * 10
    return value


def deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def framed(body: bytes) -> bytes:
    return b"\x80\x04" + body + b"."


BOMBS = {
    "a billion laughs": lambda: pickle.dumps(document_with(x=laughs(9))),
    "one text a thousand times": lambda: pickle.dumps(document_with(x=["x" * 100_000] * 1000)),
    "a memo of four thousand million": lambda: framed(b"\x8c\x01xr\xff\xff\xff\xff"),
    "a text of 2 ** 62 characters": lambda: framed(b"\x8d" + struct.pack("<Q", 1 << 62) + b"x"),
    "bytes of 2 ** 40": lambda: framed(b"\x8e" + struct.pack("<Q", 1 << 40) + b"x"),
    "a bytearray of 2 ** 35": lambda: framed(b"\x96" + struct.pack("<Q", 1 << 35) + b"x"),
    "a frame of 2 ** 50": lambda: b"\x80\x04\x95" + struct.pack("<Q", 1 << 50) + b"N.",
    "a number of many digits": lambda: framed(b"\x8b" + struct.pack("<i", 1 << 30) + b"\x01"),
    "a hundred thousand levels": lambda: framed(b"]" * 100_000 + b"a" * 99_999),
    "repeated bytes": lambda: pickle.dumps(Calls(bytes, 1 << 40)),
}


@pytest.mark.parametrize("kind", sorted(BOMBS))
def test_a_memory_bomb_is_refused_small(home: Path, kind: str) -> None:
    folder = put(home / "old", BOMBS[kind]())
    tracemalloc.start()
    try:
        with pytest.raises((SourceError, InputError)):
            community.import_langchain_faiss(folder, HashEmbeddings())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


def test_metadata_nested_too_deep_is_refused(home: Path) -> None:
    folder = put(home / "old", pickle.dumps(document_with(x=deep(200))))
    with pytest.raises(SourceError, match="unfolds"):
        community.import_langchain_faiss(folder, HashEmbeddings())


def test_a_pickle_over_the_limit_is_not_read(saved: Path) -> None:
    with pytest.raises(SourceError, match="at most 1000"):
        community.import_langchain_faiss(saved, HashEmbeddings(), pickle_limit=1000)


@pytest.mark.parametrize("protocol", [4, 5])
def test_every_honest_pickle_is_read(home: Path, protocol: int, embeddings: Wrapped) -> None:
    metadata = {
        "n": 1,
        "big": 1 << 70,
        "f": 1.5,
        "none": None,
        "yes": True,
        "list": [1, ["x"]],
        "map": {"a": {"b": "c"}},
        "tuple": (1, 2),
    }
    texts = [f"text number {i}" for i in range(300)]
    index = FAISS.from_texts(texts, embeddings, [dict(metadata) for _ in texts])
    index.save_local(str(home / "old"))
    data = pickle.dumps((index.docstore, index.index_to_docstore_id), protocol=protocol)
    (home / "old" / "index.pkl").write_bytes(data)
    ours = PaperVectorStore.from_langchain_faiss(home / "old", embeddings)
    (found,) = ours.similarity_search("text number 7", k=1)
    assert found.page_content == "text number 7"
    assert found.metadata == {**metadata, "tuple": [1, 2]}


# ---------------------------------------------------------------------- damage


def test_every_cut_of_the_pickle_is_an_error(saved: Path) -> None:
    data = (saved / "index.pkl").read_bytes()
    for size in (0, 1, 2, 10, 100, len(data) // 2, len(data) - 1):
        (saved / "index.pkl").write_bytes(data[:size])
        with pytest.raises(SourceError, match=r"index\.pkl"):
            community.import_langchain_faiss(saved, HashEmbeddings())


def test_every_flipped_byte_is_an_error_or_still_documents(saved: Path) -> None:
    data = (saved / "index.pkl").read_bytes()
    random = np.random.default_rng(0)
    for position in random.choice(len(data), 150, replace=False):
        flipped = bytearray(data)
        flipped[position] ^= int(random.integers(1, 256))
        (saved / "index.pkl").write_bytes(bytes(flipped))
        try:
            store = community.import_langchain_faiss(saved, HashEmbeddings())
        except SwimmerError:
            continue
        assert len(store) == 30


def test_every_cut_of_the_index_is_an_error(saved: Path) -> None:
    data = (saved / "index.faiss").read_bytes()
    for size in (0, 3, 30, 44, 45, 60, len(data) // 2, len(data) - 1):
        (saved / "index.faiss").write_bytes(data[:size])
        with pytest.raises(SourceError, match=r"index\.faiss"):
            community.import_langchain_faiss(saved, HashEmbeddings())
    (saved / "index.faiss").write_bytes(data + b"\0")
    with pytest.raises(SourceError, match="damaged"):
        community.import_langchain_faiss(saved, HashEmbeddings())


def test_an_index_whose_header_lies(saved: Path) -> None:
    data = bytearray((saved / "index.faiss").read_bytes())
    for dimension, rows in ((64, 1 << 60), (1 << 30, 1 << 30), (-64, 30), (64, -30), (0, 0)):
        struct.pack_into("<iq", data, 4, dimension, rows)
        struct.pack_into("<Q", data, 37, (dimension * rows) % (1 << 64))
        (saved / "index.faiss").write_bytes(data)
        with pytest.raises(SourceError, match="damaged"):
            community.import_langchain_faiss(saved, HashEmbeddings())


def test_an_index_of_another_kind_or_with_nan(home: Path, saved: Path) -> None:
    faiss.write_index(faiss.IndexHNSWFlat(64, 8), str(saved / "index.faiss"))
    with pytest.raises(SourceError, match="only the flat indexes"):
        community.import_langchain_faiss(saved, HashEmbeddings())
    broken = faiss.IndexFlatL2(64)
    broken.add(np.full((30, 64), np.nan, np.float32))
    faiss.write_index(broken, str(saved / "index.faiss"))
    with pytest.raises(SourceError, match="not finite"):
        community.import_langchain_faiss(saved, HashEmbeddings())


def test_files_that_do_not_belong_together(home: Path) -> None:
    for documents, rows in ((honest(a="x", b="y"), 1), (honest(a="x"), 2)):
        with pytest.raises(SourceError, match="not of one save"):
            community.import_langchain_faiss(
                put(home / "old", pickle.dumps(documents), rows), HashEmbeddings()
            )
    docstore, _ = honest(a="x")
    wrongs: tuple[Any, ...] = ({0: "b"}, {1: "a"}, {"0": "a"}, [], None, {0: ["a"]})
    for wrong in wrongs:
        folder = put(home / "old", pickle.dumps((docstore, wrong)))
        with pytest.raises(SourceError):
            community.import_langchain_faiss(folder, HashEmbeddings())
    wholes: tuple[Any, ...] = ([], (docstore,), {}, docstore, (docstore, {0: docstore}), (1, 2))
    for whole in wholes:
        with pytest.raises(SourceError):
            community.import_langchain_faiss(
                put(home / "old", pickle.dumps(whole)), HashEmbeddings()
            )


def test_metadata_that_are_not_json(home: Path) -> None:
    for value in (b"bytes", {1: "x"}, {("a",): 1}):
        folder = put(home / "old", pickle.dumps(document_with(x=value)))
        with pytest.raises((InputError, SourceError)):
            community.import_langchain_faiss(folder, HashEmbeddings())


def test_files_that_are_not_there(home: Path, saved: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        community.import_langchain_faiss(home / "nowhere", HashEmbeddings())
    with pytest.raises(SourceError, match="plain name"):
        community.import_langchain_faiss(saved, HashEmbeddings(), "../index")
    assert community.is_langchain_folder(saved)
    (saved / "index.pkl").unlink()
    assert not community.is_langchain_folder(saved)
    with pytest.raises(SourceError, match="cannot be read"):
        community.import_langchain_faiss(saved, HashEmbeddings())


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("langchain_core.documents.base", "Document.__init__"),
        ("langchain_core.documents", "Document"),
        ("langchain_community.docstore.in_memory", "Docstore"),
    ],
)
def test_two_names_only_are_admitted(module: str, name: str) -> None:
    named = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, name))
    with pytest.raises(SourceError, match="may be an attack"):
        read_pickle(b"\x80\x04" + named + b"\x93.")


def nested_key(opcode: bytes) -> bytes:
    """A dictionary whose key is nested 200,000 deep: hashing it overflows the stack of C."""
    return b"\x80\x04}" + b")" + opcode * 200_000 + b"K\x01s."


HARD_KEYS = {
    "a key nested deep": nested_key(b"\x85"),
    "a member of a set nested deep": b"\x80\x04\x8f(" + b")" + b"\x85" * 200_000 + b"\x90.",
    "keys of one hash": b"\x80\x04}("
    + b"".join(b"\x8a\x11" + (n * (2**61 - 1)).to_bytes(17, "little") + b"N" for n in range(60_000))
    + b"u.",
    "negative keys": b"\x80\x04}J\xff\xff\xff\xffNs.",
    "a number as a key": b"\x80\x04}G" + struct.pack(">d", 0.5) + b"Ns.",
    "bytes as a key": b"\x80\x04}C\x01xNs.",
    "a dictionary as a key": b"\x80\x04}}Ns.",
    "no mark": b"\x80\x04}u.",
    "nothing": b"\x80\x04.",
    "a list of itself": b"\x80\x04]\x94h\x00a.",
    "no dictionary": b"\x80\x04]K\x01K\x02s.",
    "a state of no object": b"\x80\x04]}b.",
    "an object of a text": b"\x80\x04\x8c\x01x)\x81.",
}


@pytest.mark.parametrize("kind", HARD_KEYS)
def test_keys_and_steps_that_no_saved_index_has_are_refused(kind: str, home: Path) -> None:
    folder = put(home / "old", HARD_KEYS[kind])
    started = time.monotonic()
    with pytest.raises((SourceError, InputError)):
        community.import_langchain_faiss(folder, HashEmbeddings())
    assert time.monotonic() - started < 5


def test_what_python_writes_is_read_as_python_reads_it() -> None:
    from swimmer.langchain.saved_pickle import Record

    value = {
        "a": [1, 2.5, None, True, "x" * 300, b"y", (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ()],
        "b": {"c": {"d": [[]]}},
        "s": {"one", "two"},
        "big": 2**70,
        "n": -5,
    }
    shared = ["twice"]
    for protocol in (4, 5):
        assert read_pickle(pickle.dumps([value, shared, shared], protocol)) == [
            value,
            shared,
            shared,
        ]
    assert not hasattr(Record(), "__setstate__")
