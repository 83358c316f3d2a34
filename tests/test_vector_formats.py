"""Vectors of 16 and 8 bits: smaller files, nearly the same answers, the same care with a file."""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, ask, build_store, open_store, search
from swimmer.errors import InputError, StoreDamagedError
from swimmer.files import write_file
from swimmer.langchain import PaperVectorStore
from swimmer.store import FORMATS, Manifest, index as index_module, inspect_folder
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.index_file import checked_index_file

from .conftest import Outcome
from .manifests import edit_manifest
from .models import HashEmbeddings
from .test_nearest import assert_same, kept_rows, paper, two_stores

D, N = 16, 300
FEW_BITS = ("float16", "int8")
SIZE = {"float32": 4, "float16": 2, "int8": 1}
CLOSE = {"float32": 1e-6, "float16": 2e-3, "int8": 2e-2}

Run = Callable[..., Outcome]


def clustered(rows: int = N, dimension: int = D) -> np.ndarray:
    """Unit vectors around a few centres; the last is one of zeros."""
    rng = np.random.default_rng(5)
    made = rng.standard_normal((10, dimension))[rng.integers(10, size=rows)]
    made = (made + 0.5 * rng.standard_normal(made.shape)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[-1] = 0
    unit: np.ndarray = made
    return unit


@pytest.fixture(params=["flat", "inverted"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "inverted":
        monkeypatch.setattr(index_module, "EXACT_LIMIT", 10)
    return str(request.param)


def saved(folder: Path, form: str, vectors: np.ndarray | None = None) -> Path:
    path = folder / f"{form}.faiss"
    FaissIndex.of(clustered() if vectors is None else vectors, exact=False, form=form).save(path)
    return path


# ---------------------------------------------------------------------- the index


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_opened(form: str, kind: str, tmp_path: Path) -> None:
    vectors = clustered()
    path = saved(tmp_path, form)
    index = FaissIndex.open(path, N, D, form=form)
    assert index.form == form and index.exact == (kind == "flat")
    found = index.vectors()
    assert np.abs(found - vectors).max() < CLOSE[form]
    lengths = np.linalg.norm(found, axis=1)
    assert np.allclose(lengths[:-1], 1, atol=1e-6) and not found[-1].any()
    rows = np.array([5, 0, 299, 7])
    assert np.array_equal(index.vectors(rows), found[rows])
    assert [len(code) for code in index.codes(rows)] == 4 * [SIZE[form] * D]


@pytest.mark.parametrize("form", FORMATS)
def test_a_score_is_the_cosine_of_the_vectors_that_are_returned(
    form: str, kind: str, tmp_path: Path
) -> None:
    index = FaissIndex.open(saved(tmp_path, form), N, D, form=form)
    found = index.vectors()
    allowed = np.arange(0, N, 2)
    for queries in (found[:1], found[:40], clustered()[:3]):
        for only in (None, allowed, np.array([7, 8, 9]), np.array([N - 1])):
            scores, rows = index.search(queries, 10, only)
            assert rows.shape == (len(queries), min(10, N if only is None else len(only)))
            assert only is None or set(rows.ravel()) <= set(only)
            cosines = np.einsum("ij,ikj->ik", queries, found[rows])
            assert np.allclose(scores, cosines, atol=1e-6)
            assert (np.diff(scores) <= 0).all()
    one = index.search(found[:40], 10)[1]
    exact = index.search_exactly(found[:40], 10)[1]
    assert (one[:, 0] == np.arange(40)).all()
    assert kind == "inverted" or np.array_equal(one, exact)


@pytest.mark.parametrize("form", FEW_BITS)
def test_an_index_made_again_has_the_same_codes(form: str, kind: str) -> None:
    vectors, rows = clustered(), np.arange(N)
    first = FaissIndex.of(vectors, exact=False, form=form)
    again = FaissIndex.of(first.decoded(), exact=False, form=form, like=first)
    assert again.codes(rows) == first.codes(rows)
    assert np.array_equal(again.vectors(), first.vectors())
    # With a vector more, the others stay what they are; one far outside makes new steps.
    grown = FaissIndex.of(np.vstack([vectors, vectors[3:4]]), exact=False, form=form, like=first)
    assert grown.codes(rows) == first.codes(rows)
    outside = np.eye(1, D, dtype=np.float32)
    other = FaissIndex.of(np.vstack([vectors, outside]), exact=False, form=form, like=first)
    assert np.abs(other.vectors()[-1] - outside).max() < CLOSE[form]


@pytest.mark.parametrize("form", FEW_BITS)
def test_most_of_the_nearest_are_found(form: str) -> None:
    vectors = clustered(5_000, 64)
    index = FaissIndex.of(vectors, form=form)
    assert index.recall(vectors) >= 0.97
    assert FaissIndex.of(vectors).recall(vectors) == 1


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_unit_vectors_come_back(data: st.DataObject) -> None:
    rows, dimension = data.draw(st.integers(0, 12)), data.draw(st.integers(1, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    made = rng.standard_normal((rows, dimension)).astype(np.float32)
    made *= rng.random((rows, dimension)) < data.draw(st.sampled_from([0.2, 0.6, 1]))
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    made = np.where(lengths > 0, made / np.maximum(lengths, 1e-9), 0).astype(np.float32)
    for form in FEW_BITS:
        index = FaissIndex.of(made, form=form)
        found = index.vectors()
        assert np.abs(found - made).max(initial=0) < CLOSE[form]
        assert ((found == 0).all(axis=1) == (made == 0).all(axis=1)).all()
        assert index.search(made, 3)[1].shape == (rows, min(3, rows))


# ---------------------------------------------------------------------- the file of an index


@pytest.mark.parametrize("form", FEW_BITS)
def test_another_format_number_or_dimension_is_refused(
    form: str, kind: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, form)
    for rows, dimension in ((N + 1, D), (N - 1, D), (N, D + 1), (0, D), (N * 2, D // 2)):
        with pytest.raises(StoreDamagedError, match="not an index as swimmer writes it"):
            FaissIndex.open(path, rows, dimension, form=form)
    for other in FORMATS:
        if other != form:
            with pytest.raises(StoreDamagedError, match="not an index as swimmer writes it"):
                FaissIndex.open(path, N, D, form=other)


@pytest.mark.parametrize("form", FEW_BITS)
def test_every_truncation_and_every_addition_is_refused(
    form: str, kind: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, form)
    whole = path.read_bytes()
    for length in [*range(250), *range(250, len(whole), 97), len(whole) - 1]:
        write_file(path, whole[:length])
        with pytest.raises(StoreDamagedError):
            checked_index_file(path, N, D, form=form)
    write_file(path, whole + b"x")
    with pytest.raises(StoreDamagedError):
        checked_index_file(path, N, D, form=form)


OTHER_KINDS = [
    "SQ4",
    "SQ6",
    "IVF4,SQ8",
    "IVF4,SQfp16",
    "IVF4,SQ4",
    "Flat",
    "PCA8,SQ8",
    "SQ8,RFlat",
]


@pytest.mark.parametrize("metric", [faiss.METRIC_INNER_PRODUCT, faiss.METRIC_L2])
@pytest.mark.parametrize("other", OTHER_KINDS)
def test_other_kinds_of_index_are_refused(other: str, metric: int, tmp_path: Path) -> None:
    """An IVF4,SQ8 too: its codes are of differences, and it has no direct map."""
    made = faiss.index_factory(D, other, metric)
    made.train(clustered())
    made.add(clustered())
    faiss.write_index(made, str(tmp_path / "x"))
    for form in FEW_BITS:
        with pytest.raises(StoreDamagedError):
            FaissIndex.open(tmp_path / "x", N, D, form=form)


def test_codes_of_differences_are_refused(tmp_path: Path) -> None:
    """They would be decoded as vectors themselves."""
    ivf = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(D), D, 4, 0, 0, True)
    ivf.train(clustered())
    ivf.add(clustered())
    ivf.make_direct_map()
    faiss.write_index(ivf, str(tmp_path / "x"))
    with pytest.raises(StoreDamagedError, match="differences"):
        FaissIndex.open(tmp_path / "x", N, D, form="int8")


def places_of(path: Path) -> dict[str, tuple[int, str]]:
    """Where the numbers of a file with a quantiser lie, and how each is packed."""
    content = path.read_bytes()
    quantiser = 37
    places = {"dimension": (4, "<i"), "vectors": (8, "<q"), "metric": (33, "<i")}
    if content[:4] == b"IwSq":
        lists = struct.unpack_from("<Q", content, 37)[0]
        quantiser = 53 + 45 + 4 * lists * D + 9 + 8 * N
        after = quantiser + 36 + 4 * struct.unpack_from("<Q", content, quantiser + 28)[0]
        places |= {
            "lists": (37, "<Q"),
            "said bytes": (after, "<Q"),
            "residual": (after + 8, "<B"),
            "list kind": (after + 9, "<I"),
            "list code": (after + 21, "<Q"),
        }
    else:
        after = quantiser + 36 + 4 * struct.unpack_from("<Q", content, quantiser + 28)[0]
        places["bytes"] = (after, "<Q")
    return places | {
        "quantiser": (quantiser, "<i"),
        "its dimension": (quantiser + 12, "<Q"),
        "its code": (quantiser + 20, "<Q"),
        "its numbers": (quantiser + 28, "<Q"),
    }


@pytest.mark.parametrize("form", FEW_BITS)
def test_a_changed_number_is_refused(form: str, kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path, form)
    whole = path.read_bytes()
    for place, pack in places_of(path).values():
        top = (1 << (8 * struct.calcsize(pack) - 1)) - 1
        for value in (0, 1, 2, 3, 5, 8, 100, top):
            changed = bytearray(whole)
            struct.pack_into(pack, changed, place, value)
            if changed == whole:
                continue
            write_file(path, changed)
            with pytest.raises(StoreDamagedError):
                FaissIndex.open(path, N, D, form=form)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 17.0])
def test_steps_that_are_no_numbers_are_refused(value: float, kind: str, tmp_path: Path) -> None:
    path = saved(tmp_path, "int8")
    whole = bytearray(path.read_bytes())
    struct.pack_into("<f", whole, places_of(path)["its numbers"][0] + 8 + 4 * 5, value)
    write_file(path, whole)
    with pytest.raises(StoreDamagedError, match="numbers"):
        FaissIndex.open(path, N, D, form="int8")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_that_are_no_numbers_are_refused(value: float, kind: str, tmp_path: Path) -> None:
    vectors = clustered()
    path = saved(tmp_path, "float16")
    code = vectors[11].astype("<f2").tobytes()
    whole = path.read_bytes()
    assert whole.count(code) == 1
    write_file(path, whole.replace(code, np.full(D, value, "<f2").tobytes()))
    index = FaissIndex.open(path, N, D, form="float16")
    for allowed in (None, np.array([11, 12]), np.arange(N)):
        with pytest.raises(StoreDamagedError):
            index.search(vectors[:2], N, allowed)


@pytest.mark.parametrize("form", FEW_BITS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_change_of_the_structure_kills_the_process(
    form: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Read in this very process: a signal would end the tests."""
    limit = index_module.EXACT_LIMIT
    index_module.EXACT_LIMIT = data.draw(st.sampled_from([10, limit]))
    try:
        path = saved(tmp_path_factory.mktemp("x"), form)
    finally:
        index_module.EXACT_LIMIT = limit
    whole = bytearray(path.read_bytes())
    structure = [
        *range(150),
        *(place + i for place, _ in places_of(path).values() for i in range(9)),
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.sampled_from(structure))] = data.draw(st.integers(0, 255))
    write_file(path, whole)
    try:
        index = FaissIndex.open(path, N, D, form=form)
        index.search(clustered()[:3], 20)
        index.vectors()
    except StoreDamagedError:
        pass


# ---------------------------------------------------------------------- stores

PAPERS = [paper(n) for n in range(300)]


@pytest.mark.parametrize("form", FEW_BITS)
def test_a_store_is_built_searched_changed_and_checked(form: str, home: Path) -> None:
    whole = build_store(PAPERS, "whole")
    store = build_store(PAPERS, "small", vectors=form)
    assert store.manifest.vectors == store.vector_format == form
    assert store.manifest.index.size * 3.5 < whole.manifest.index.size * SIZE[form]
    assert 0.97 <= store.manifest.recall <= 1 and store.manifest.exact
    assert store.verify() == [] and inspect_folder(store.folder or home).safe
    for query in ("sparse graphs", PAPERS[3].title):
        true = {hit.paper.id: hit.score for hit in search(whole, query, k=20)}
        found = {hit.paper.id: hit.score for hit in search(store, query, k=20)}
        assert len(true.keys() & found.keys()) >= 17
        assert all(abs(true[one] - found[one]) < 0.02 for one in true.keys() & found.keys())
    kept = store.vectors().copy()
    # An update keeps the format, and what has not changed keeps its code.
    store = build_store([*PAPERS, replace(paper(300), id="new")], "small")
    assert store.manifest.vectors == form and len(store) == len(PAPERS) + 1
    assert (store.vectors()[:300] == kept).all(axis=1).mean() > 0.9
    assert store.verify() == []
    store.delete(["new", "p5"])
    assert store.vector_format == form
    store.commit()
    assert store.manifest.vectors == form and store.verify() == []


@pytest.mark.parametrize("form", FEW_BITS)
@pytest.mark.parametrize("plain", [False, True])
def test_a_kept_answer_is_the_answer_of_a_search(form: str, plain: bool, tmp_path: Path) -> None:
    kept, searched = two_stores(PAPERS, tmp_path, vectors=form, plain=plain)
    assert len(kept_rows(kept)) > 200
    for row in range(0, 300, 23):
        title = PAPERS[row].title
        assert_same(
            ask(kept, [title], k=30)[0],
            ask(searched, [title], k=30)[0],
        )
    assert kept.verify() == [] and searched.verify() == []


def test_formats_are_changed_and_kept(home: Path, swimmer: Run, papers: list[Paper]) -> None:
    (home / "list.json").write_text(
        json.dumps([{"title": one.title, "abstract": one.abstract} for one in papers])
    )
    for form in ("int8", "float16", "float32", "int8"):
        assert swimmer("build", "list.json", "--name", "conf", "--vectors", form, "-q").code == 0
        assert f"vectors   {form}, 256 components" in swimmer("show", "conf").out
        store = open_store("conf")
        assert store.manifest.vectors == form and store.verify() == []
        raw = json.loads((store.folder or home).joinpath("manifest.json").read_text())
        # What earlier releases can read is written as they know it.
        assert (raw["schema"], raw.get("vectors")) == (
            (2, None) if form == "float32" else (3, form)
        )
    assert f"vectors   {form}" in swimmer("inspect", str(store.folder)).out
    assert swimmer("build", "list.json", "--name", "conf", "-q").code == 0
    assert open_store("conf").manifest.vectors == "int8"
    assert swimmer("pack", "conf", "-o", "conf.zip").code == 0
    assert swimmer("unpack", "conf.zip", "--name", "again").code == 0
    assert open_store("again").manifest.vectors == "int8"
    assert papers[0].title in swimmer("search", papers[0].title, "--store", "again").out
    wrong = swimmer("build", "list.json", "--name", "conf", "--vectors", "int4")
    assert wrong.code == 2 and "int4" in wrong.err


def test_plain_stores_change_their_format_without_loss_of_length(home: Path) -> None:
    store = build_store(PAPERS, "conf", plain=True, model=HashEmbeddings(), vectors="int8")
    codes = store.index.codes(np.arange(300))
    store = build_store(PAPERS, "conf", model=HashEmbeddings())
    assert store.index.codes(np.arange(300)) == codes
    store.commit(vectors="float32")
    assert store.manifest.vectors == "float32" and store.verify() == []
    store.commit("other", vectors="float16")
    assert PaperStore.open("other").manifest.vectors == "float16"
    assert PaperStore.open("other").verify(load_model=False) == []


def test_an_unknown_format_is_refused(home: Path, papers: list[Paper]) -> None:
    for wrong in ("int4", "", 8, "Float32"):
        with pytest.raises(InputError, match="format of vectors"):
            build_store(papers, "conf", vectors=wrong)  # type: ignore[arg-type]
    assert not (home / "vectorstores").exists()
    store = build_store(papers, "conf")
    with pytest.raises(InputError, match="format of vectors"):
        store.commit(vectors="int4")


def test_a_manifest_that_names_another_format_is_refused(home: Path) -> None:
    store = build_store(PAPERS, "conf", vectors="int8")
    folder = store.folder
    assert folder is not None
    for wrong in ("float16", "float32"):
        edit_manifest(folder, vectors=wrong)
        assert not inspect_folder(folder).safe
        with pytest.raises(StoreDamagedError):
            search(PaperStore.open(folder), "sparse graphs")
    for unknown in ("int4", 8, None, ["int8"]):
        edit_manifest(folder, vectors=unknown)
        with pytest.raises(StoreDamagedError, match="vectors"):
            Manifest.read(folder)


@pytest.mark.parametrize("form", FEW_BITS)
def test_an_index_of_another_store_is_recognised(form: str, home: Path) -> None:
    store = build_store(PAPERS, "one", vectors=form)
    other = build_store(PAPERS[::-1], "two", vectors=form)
    assert store.folder is not None and other.folder is not None
    write_file(
        store.folder / store.manifest.index.name,
        (other.folder / other.manifest.index.name).read_bytes(),
    )
    with pytest.raises(StoreDamagedError, match="not those"):
        search(PaperStore.open(store.folder), PAPERS[0].title)


def test_a_langchain_store_keeps_the_format_of_its_folder(home: Path) -> None:
    build_store(PAPERS, home / "conf", vectors="int8").close()
    store = PaperVectorStore.load_local(home / "conf")
    assert store.similarity_search("sparse graphs", k=3)
    store.add_texts(["Quantum gravity of black holes"], ids=["new"])
    assert store.similarity_search("Quantum gravity of black holes", k=1)[0].id == "new"
    store.save_local(home / "conf")
    assert open_store(home / "conf").manifest.vectors == "int8"
    with warnings.catch_warnings():
        # The package announces its end.
        warnings.simplefilter("ignore", DeprecationWarning)
        copy = store.to_langchain_faiss()
    assert copy.similarity_search("Quantum gravity of black holes", k=1)[0].id == "new"
