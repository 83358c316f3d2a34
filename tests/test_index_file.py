"""The file of an index: only what swimmer writes reaches FAISS, every length checked before."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer.errors import StoreDamagedError
from swimmer.files import write_file
from swimmer.store import index as index_module
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.index_file import checked_index_file

D, N = 8, 300


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    made = np.random.default_rng(5).standard_normal((N, D)).astype(np.float32)
    unit: np.ndarray = made / np.linalg.norm(made, axis=1, keepdims=True)
    return unit


def written(folder: Path, vectors: np.ndarray, kind: str) -> Path:
    path = folder / f"{kind}.faiss"
    if kind == "flat":
        FaissIndex.of(vectors).save(path)
        return path
    limit, index_module.EXACT_LIMIT = index_module.EXACT_LIMIT, 10
    try:
        FaissIndex.of(vectors, exact=False).save(path)
    finally:
        index_module.EXACT_LIMIT = limit
    return path


@pytest.fixture(params=["flat", "inverted"])
def path(request: pytest.FixtureRequest, tmp_path: Path, vectors: np.ndarray) -> Path:
    return written(tmp_path, vectors, request.param)


def test_what_swimmer_writes_is_opened(path: Path, vectors: np.ndarray) -> None:
    index = FaissIndex.open(path, N, D)
    assert index.exact == (path.name == "flat.faiss")
    assert np.array_equal(index.vectors(), vectors)
    assert np.array_equal(index.vectors(np.array([5, 0, 299])), vectors[[5, 0, 299]])
    assert index.search(vectors[:3], 2)[1][:, 0].tolist() == [0, 1, 2]
    few = index.search(vectors[:1], 3, np.array([7, 8, 9]))[1]
    assert sorted(few[0].tolist()) == [7, 8, 9]


def test_lists_of_which_most_are_empty_are_opened(tmp_path: Path, vectors: np.ndarray) -> None:
    same = np.repeat(vectors[:2], 150, axis=0)
    index = FaissIndex.open(written(tmp_path, same, "inverted"), N, D)
    assert np.array_equal(index.vectors(), same)


def test_an_empty_index_is_opened(tmp_path: Path) -> None:
    assert FaissIndex.open(written(tmp_path, np.zeros((0, D), np.float32), "flat"), 0, D).rows == 0


def test_another_number_or_dimension_is_refused(path: Path) -> None:
    for rows, dimension in ((N + 1, D), (N - 1, D), (N, D + 1), (0, D), (N * 2, D // 2)):
        with pytest.raises(StoreDamagedError, match="not an index as swimmer writes it"):
            FaissIndex.open(path, rows, dimension)


def test_every_truncation_and_every_addition_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for length in [*range(200), *range(200, len(whole), 97)]:
        write_file(path, whole[:length])
        with pytest.raises(StoreDamagedError):
            checked_index_file(path, N, D)
    write_file(path, whole + b"x")
    with pytest.raises(StoreDamagedError):
        checked_index_file(path, N, D)


OTHER_KINDS = [
    "IVF4,Flat",
    "HNSW8",
    "SQ8",
    "IVF4,SQ8",
    "LSH",
    "PCA4,Flat",
    "Flat,RFlat",
    "NSG8",
    "RaBitQ",
]


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_kinds_of_index_are_refused(kind: str, tmp_path: Path, vectors: np.ndarray) -> None:
    """An IVF4,Flat too: its metric is another, and it has no direct map."""
    other = faiss.index_factory(D, kind)
    other.train(vectors)
    other.add(vectors)
    faiss.write_index(other, str(tmp_path / "x"))
    with pytest.raises(StoreDamagedError):
        FaissIndex.open(tmp_path / "x", N, D)


def test_lists_in_another_file_are_refused_and_not_opened(
    tmp_path: Path, vectors: np.ndarray
) -> None:
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(D), D, 4, faiss.METRIC_INNER_PRODUCT)
    ivf.train(vectors)
    lists = faiss.OnDiskInvertedLists(4, ivf.code_size, str(tmp_path / "lists"))
    ivf.replace_invlists(lists)
    ivf.add(vectors)
    ivf.make_direct_map()
    faiss.write_index(ivf, str(tmp_path / "x"))
    (tmp_path / "lists").unlink()
    with pytest.raises(StoreDamagedError, match="ilod"):
        FaissIndex.open(tmp_path / "x", N, D)


def numbers_of(path: Path) -> dict[str, int]:
    """Where the numbers of an inverted file lie, by what they are."""
    lists = struct.unpack_from("<Q", path.read_bytes(), 37)[0]
    quantizer = 53
    direct = quantizer + 37 + 8 + 4 * lists * D
    ilar = direct + 9 + 8 * N
    return {
        "dimension": 4,
        "vectors": 8,
        "trained": 32,
        "metric": 33,
        "lists": 37,
        "quantizer kind": quantizer,
        "quantizer dimension": quantizer + 4,
        "quantizer vectors": quantizer + 8,
        "quantizer numbers": quantizer + 37,
        "map kind": direct,
        "map length": direct + 1,
        "list kind": ilar,
        "list count": ilar + 4,
        "code size": ilar + 12,
        "form": ilar + 20,
        "sizes": ilar + 24,
        "first size": ilar + 32,
    }


def test_a_changed_number_is_refused(tmp_path: Path, vectors: np.ndarray) -> None:
    path = written(tmp_path, vectors, "inverted")
    whole = path.read_bytes()
    for name, place in numbers_of(path).items():
        width = 8 if name in ("vectors", "lists", "map length", "sizes", "first size") else 4
        for value in (0, 1, 5, 1 << 16, (1 << 31) - 1, -1, (1 << (8 * width - 1)) - 1):
            raw = value.to_bytes(width, "little", signed=True)
            if name in ("trained", "map kind"):
                raw = bytes([value & 0xFF])
            changed = whole[:place] + raw + whole[place + len(raw) :]
            if changed == whole or (name == "trained" and value & 0xFF):
                continue
            write_file(path, changed)
            with pytest.raises(StoreDamagedError):
                FaissIndex.open(path, N, D)


@pytest.mark.parametrize("place", [-1, 1 << 62, 5 << 32, (1 << 32) - 1, (40 << 32) | 1 << 20])
def test_a_direct_map_that_leads_away_is_refused(
    place: int, tmp_path: Path, vectors: np.ndarray
) -> None:
    path = written(tmp_path, vectors, "inverted")
    at = numbers_of(path)["map length"] + 8 + 8 * 17
    whole = bytearray(path.read_bytes())
    whole[at : at + 8] = place.to_bytes(8, "little", signed=True)
    write_file(path, whole)
    index = FaissIndex.open(path, N, D)
    assert len(index.vectors(np.array([16, 18]))) == 2
    if place != 5 << 32:
        with pytest.raises(StoreDamagedError, match="direct map"):
            index.vectors(np.array([16, 17]))


@pytest.mark.parametrize("wrong", [-5, N, 1 << 60])
def test_rows_that_the_lists_make_up_are_refused(
    wrong: int, tmp_path: Path, vectors: np.ndarray
) -> None:
    path = written(tmp_path, vectors, "inverted")
    whole = bytearray(path.read_bytes())
    whole[-8:] = wrong.to_bytes(8, "little", signed=True)
    write_file(path, whole)
    index = FaissIndex.open(path, N, D)
    with pytest.raises(StoreDamagedError):
        index.search(vectors, N)
    assert np.array_equal(index.vectors(), vectors)


def test_vectors_that_are_not_numbers_are_refused(path: Path, vectors: np.ndarray) -> None:
    whole = path.read_bytes()
    for value in (np.nan, np.inf):
        raw = np.full(D, value, np.float32).tobytes()
        write_file(path, whole.replace(vectors[11].tobytes(), raw))
        index = FaissIndex.open(path, N, D)
        if np.isnan(value):
            with pytest.raises(StoreDamagedError):
                index.search(vectors[:2], N)
            with pytest.raises(StoreDamagedError):
                index.search(vectors[:2], 2, np.array([11, 12]))


def test_rows_outside_are_refused(path: Path, vectors: np.ndarray) -> None:
    index = FaissIndex.open(path, N, D)
    for rows in ([N], [-1], [0, 1 << 40]):
        with pytest.raises(StoreDamagedError):
            index.vectors(np.array(rows))
        with pytest.raises(StoreDamagedError):
            index.search(vectors[:1], 1, np.array(rows))


@pytest.mark.parametrize("kind", ["flat", "inverted"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_change_of_the_structure_kills_the_process(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Read in this very process: a signal would end the tests."""
    made = np.random.default_rng(5).standard_normal((N, D)).astype(np.float32)
    path = written(tmp_path_factory.mktemp("x"), made, kind)
    whole = bytearray(path.read_bytes())
    payload = 45 if kind == "flat" else numbers_of(path)["first size"] + 400
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, payload - 1))] = data.draw(st.integers(0, 255))
    write_file(path, whole)
    try:
        index = FaissIndex.open(path, N, D)
        index.search(made[:3], 20)
        index.vectors()
    except StoreDamagedError:
        pass


def test_a_reader_without_faiss_needs_none(tmp_path: Path, vectors: np.ndarray) -> None:
    """The check is for whoever inspects a store: it loads no parser."""
    path = written(tmp_path, vectors, "flat")
    code = (
        "import sys; from pathlib import Path; from swimmer.store.index_file import *; "
        f"checked_index_file(Path({str(path)!r}), {N}, {D}); assert 'faiss' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
