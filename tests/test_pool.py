"""The store pool: what it lists, what it opens, and when it opens a store again."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from swimmer import Paper, build_store
from swimmer.errors import InputError, StoreDamagedError, StoreNotFoundError
from swimmer.store import StorePool

PAPERS = [
    Paper("Grasping with soft hands", "Soft fingers hold fruit.", id="1"),
    Paper("Recipes as programs", "A language model plans a meal.", id="2"),
    Paper("Cleaning a table", "A robot wipes tables.", id="3"),
]


def build(name: str | Path, count: int = 3) -> Path:
    with build_store(PAPERS[:count], name) as store:
        assert store.folder is not None
        return store.folder


def test_a_store_is_opened_once_and_again_when_it_was_rebuilt(home: Path) -> None:
    build("kitchen", 2)
    pool = StorePool()
    first = pool.store("kitchen")
    assert pool.store("kitchen") is first and len(list(first)) == 2
    build("kitchen", 3)
    second = pool.store("kitchen")
    assert second is not first and len(second) == 3
    # A reader of the old store is not cut off.
    assert len(list(first)) == 2


def test_the_list_follows_every_change_at_once(home: Path) -> None:
    pool = StorePool()
    before = {info.name for info in pool.stores()}
    folder = build("kitchen", 2)
    (info,) = [one for one in pool.stores() if one.name not in before]
    assert info.name == "kitchen" and info.manifest is not None and info.manifest.papers == 2
    build("kitchen", 3)
    (info,) = [one for one in pool.stores() if one.name == "kitchen"]
    assert info.manifest is not None and info.manifest.papers == 3
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    (info,) = [one for one in pool.stores() if one.name == "kitchen"]
    assert info.manifest is None and info.problem
    with pytest.raises(StoreDamagedError):
        pool.store("kitchen")
    shutil.rmtree(folder)
    assert "kitchen" not in {info.name for info in pool.stores()}
    with pytest.raises(StoreNotFoundError):
        pool.store("kitchen")


def test_the_default_is_the_newest_store_at_each_call(home: Path) -> None:
    pool = StorePool()
    folder = build("first")
    assert pool.default() == "first" == pool.store().name
    build("second")
    shutil.rmtree(folder)
    assert pool.default() == "second" == pool.store().name


def test_given_folders_come_first_and_hide_a_store_of_their_name(
    home: Path, tmp_path: Path
) -> None:
    build("kitchen", 3)
    given = build(tmp_path / "elsewhere" / "kitchen", 1)
    pool = StorePool([given])
    assert next(info.name for info in pool.stores()) == "kitchen" == pool.default()
    assert len(pool.store("kitchen")) == len(pool.store()) == 1
    with pytest.raises(StoreNotFoundError, match="did you mean kitchen"):
        pool.store("kitchn")


def test_two_given_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [build(tmp_path / place / "kitchen", 1) for place in ("a", "b")]
    with pytest.raises(InputError, match="two of the stores are called kitchen"):
        StorePool(folders)
    assert len(StorePool([folders[0], folders[0]]).store("kitchen")) == 1


@pytest.mark.parametrize("name", ["../kitchen", "/etc", "~", ".", "..", "a/b", "\x00", "x" * 101])
def test_a_caller_gives_names_never_paths(home: Path, name: str) -> None:
    build("kitchen")
    with pytest.raises(StoreNotFoundError, match="not a store's name"):
        StorePool().store(name)


def test_threads_share_one_open_store(home: Path) -> None:
    build("kitchen")
    pool, found = StorePool(), []
    threads = [
        threading.Thread(target=lambda: found.append(pool.store("kitchen"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(one is found[0] for one in found)
