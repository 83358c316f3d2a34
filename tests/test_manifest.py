"""The manifest: every field typed, a digest of itself; a bad store is named and left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, build_store, open_store
from swimmer.errors import StoreDamagedError, StoreError
from swimmer.retrieval.federation import open_stores
from swimmer.store.manifest import MANIFEST, SCHEMA, Manifest
from swimmer.store.names import list_stores

from .manifests import edit_manifest
from .models import HashEmbeddings

WRONG: dict[str, list[Any]] = {
    "papers": [-1, 1.0, "9", True, None, 1 << 60, [1]],
    "model": [None, [], "static", 5, {}],
    "model__name": [None, 5, ["x"], "\ud800", "x" * 20_000],
    "model__revision": [None, 5, {}],
    "model__dimension": [0, -1, "256", 256.0, True, None, 1 << 40],
    "model__query_prompt": [None, 5, ["x"]],
    "model__text": [None, 5, ["title"], {"x": 1}],
    "model__normalized": [1, None, "yes"],
    "model__languages": ["en", None, [5], [None], {"en": 1}],
    "model__fingerprint": [None, 5, "not base64!", "é"],
    "model__unknown": [1],
    "database": [None, [], "x", {}],
    "database__name": [None, 5, "", "..", "../x", "/etc/passwd", "x.sqlite", "index-0.faiss"],
    "database__size": [None, -1, 1.5, "9", True],
    "database__sha256": [None, 5, "", "0" * 63, "G" * 64],
    "index__name": [None, "papers-0123456789ab.sqlite", ".index-0123456789ab.faiss"],
    "generation": [None, 5, "", "../x", "a b", "x" * 100, "é"],
    "created": [None, 5, "", "yesterday", "2025-01-01", "99999-01-01T00:00:00+00:00", ["x"]],
    "source": [None, 5, ["x"], "\udfff"],
    "probes": [
        None,
        [],
        {"x": "0" * 16},
        {"-1": "0" * 16},
        {"0": 5},
        {"00": "0" * 16},
        {"999999": "0" * 16},
        {"²": "0" * 16},
    ],
    "exact": [None, 0, "true"],
    "recall": [None, "1", -0.1, 2, True],
    "thresholds": [None, [], {"related": "x"}, {"related": None}, {"related": True}],
    "schema": [None, 0, -1, "2", 2.0, True, SCHEMA + 1, 10**400],
    "unknown": [1],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.fixture
def folder(home: Path, papers: list[Paper]) -> Path:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    found = open_store("conf").folder
    assert found is not None
    return found


def write_raw(folder: Path, **changes: Any) -> None:
    """As `edit_manifest`, for values that have no UTF-8."""
    fields = edit_manifest(folder)
    for name, value in changes.items():
        *parts, last = name.split("__")
        place = fields
        for part in parts:
            place = place[part]
        place[last] = value
    # With the schema of before the digest: only the fields themselves are wrong.
    if "schema" not in changes:
        fields["schema"] = 1
    (folder / MANIFEST).write_text(json.dumps(fields), encoding="utf-8")


@pytest.mark.parametrize(("name", "value"), CASES, ids=lambda part: f"{part!r:.30}")
def test_a_field_of_another_kind_is_refused_and_named(
    name: str, value: Any, folder: Path, papers: list[Paper], swimmer: Callable[..., Any]
) -> None:
    build_store(papers[:5], "good", model=HashEmbeddings()).close()
    write_raw(folder, **{name: value})
    with pytest.raises(StoreDamagedError) as caught:
        Manifest.read(folder)
    assert len(str(caught.value)) < 500
    assert [info.name for info in list_stores() if info.problem] == ["conf"]
    listed = swimmer("list")
    assert listed.code == 0 and "good" in listed.out and "conf" in listed.out
    assert swimmer("search", papers[0].title).code == 0
    assert swimmer("search", "-s", "conf", papers[0].title).code == 2


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 5000])
def test_numbers_that_are_none_are_refused(token: str, folder: Path) -> None:
    write_raw(folder, recall="HERE")
    text = (folder / MANIFEST).read_text().replace('"HERE"', token)
    (folder / MANIFEST).write_text(text)
    with pytest.raises(StoreDamagedError):
        Manifest.read(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "5", "null", '"x"', "\ufeff{}"])
def test_any_other_json_is_refused(text: str, folder: Path) -> None:
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(StoreDamagedError):
        Manifest.read(folder)


def test_no_flipped_byte_of_the_manifest_is_silent(folder: Path) -> None:
    whole = (folder / MANIFEST).read_bytes()
    for position in range(len(whole)):
        for mask in (1, 1 << (position % 8), 0x20, 0xFF):
            torn = bytearray(whole)
            torn[position] ^= mask
            (folder / MANIFEST).write_bytes(torn)
            with pytest.raises(StoreDamagedError):
                Manifest.read(folder)
    for length in range(len(whole)):
        (folder / MANIFEST).write_bytes(whole[:length])
        with pytest.raises(StoreDamagedError):
            Manifest.read(folder)
    (folder / MANIFEST).write_bytes(whole + b"\n")
    with pytest.raises(StoreDamagedError):
        Manifest.read(folder)


def test_a_manifest_of_the_schema_before_is_read(folder: Path) -> None:
    """It had no digest; the next commit gives it one."""
    fields = edit_manifest(folder)
    (folder / MANIFEST).write_text(json.dumps({**fields, "schema": 1}), encoding="utf-8")
    assert Manifest.read(folder).schema == 1
    build_store([Paper("A new paper on graphs")], "conf", model=HashEmbeddings()).close()
    assert Manifest.read(folder).schema == 2
    assert '"digest"' in (folder / MANIFEST).read_text()


def test_verify_sees_a_manifest_that_changed_since(folder: Path) -> None:
    store = open_store("conf")
    assert store.verify() == []
    edit_manifest(folder, thresholds={"related": 0.9})
    assert any("has changed" in problem for problem in store.verify())
    (folder / MANIFEST).write_text("{}")
    assert store.verify()


def test_a_bad_store_is_left_out_of_all_and_named(
    folder: Path, papers: list[Paper], caplog: pytest.LogCaptureFixture
) -> None:
    build_store(papers[:5], "good", model=HashEmbeddings()).close()
    for damage in ("manifest", "data"):
        if damage == "manifest":
            write_raw(folder, created=5)
        else:
            write_raw(folder, created="2025-01-01T00:00:00+00:00")
            (folder / Manifest.read(folder).index.name).unlink()
        caplog.clear()
        with open_stores([], True) as stores:
            assert [store.name for store in stores] == ["good"]
        assert "conf is left out" in caplog.text
        with pytest.raises(StoreDamagedError), open_stores(["conf"], True):
            pass


@settings(max_examples=100, deadline=None)
@given(source=st.text(max_size=40), name=st.text(max_size=40))
def test_what_is_written_can_be_read(
    source: str, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever a source or a model is called, a build never leaves a store that cannot be read."""
    folder = tmp_path_factory.mktemp("any")
    model = HashEmbeddings(4)
    model.model_name = name  # type: ignore[attr-defined]
    store = build_store([Paper("A paper on graphs")], folder / "s", model=model)
    store.add([Paper("Another paper")])
    try:
        store.commit(source=source)
    except StoreError as error:
        assert "model.name" in str(error)
    assert Manifest.read(folder / "s").papers >= 1
