"""A store on disk: committed whole or not at all, refused when it is not what it was."""

from __future__ import annotations

import copy
import json
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, build_store, open_store, search
from swimmer.errors import (
    InputError,
    ModelError,
    ModelMismatchError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
)
from swimmer.files import write_file
from swimmer.store import near_titles

from .manifests import edit_manifest
from .models import HashEmbeddings


@pytest.fixture
def store(papers: list[Paper], model: HashEmbeddings) -> PaperStore:
    return build_store(papers, "small", model=model)


@pytest.fixture
def folder(store: PaperStore) -> Path:
    store.close()
    assert store.folder is not None
    return store.folder


def data_file(folder: Path, kind: str) -> Path:
    (found,) = folder.glob("papers-*.sqlite" if kind == "database" else "index-*.faiss")
    return found


def test_a_store_comes_back_as_it_was_written(folder: Path, papers: list[Paper]) -> None:
    with open_store("small") as store:
        assert list(store) == papers
        assert len(store) == len(papers) == store.manifest.papers
        assert store.get(["p03", "nothing", "p01"]) == [papers[3], papers[1]]
        assert np.allclose(np.linalg.norm(store.vectors(), axis=1), 1, atol=1e-5)


def test_the_folder_holds_three_files_and_no_pickle(folder: Path) -> None:
    names = sorted(p.name for p in folder.iterdir() if p.name != ".lock")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert names == sorted(
        ["manifest.json", manifest["database"]["name"], manifest["index"]["name"]]
    )
    assert manifest["database"]["name"].startswith(f"papers-{manifest['database']['sha256'][:12]}")
    assert manifest["model"]["dimension"] == 64 and manifest["papers"] == 30


def test_the_files_are_readable_by_their_own_tools(folder: Path) -> None:
    import faiss

    assert faiss.read_index(str(data_file(folder, "index"))).ntotal == 30
    with sqlite3.connect(data_file(folder, "database")) as connection:
        assert connection.execute("SELECT count(*) FROM papers").fetchone() == (30,)


def test_opening_reads_the_manifest_only(folder: Path) -> None:
    store = open_store("small")
    assert store._files is None
    assert len(store) == 30


def test_a_read_only_folder_is_enough_for_a_question(folder: Path, model: HashEmbeddings) -> None:
    before = sorted(os.listdir(folder))
    with open_store("small") as store:
        search(store, "Diffusion Models in Two Steps")
        assert sorted(os.listdir(folder)) == before


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize("kind", ["database", "index"])
@pytest.mark.parametrize("size", [0, 30, 4000])
def test_a_truncated_file_is_refused_before_it_is_mapped(
    folder: Path, kind: str, size: int
) -> None:
    path = data_file(folder, kind)
    write_file(path, path.read_bytes()[:size])
    with pytest.raises(StoreDamagedError, match=f"has {size} bytes"):
        search(open_store("small"), "Diffusion Models in Two Steps")


@pytest.mark.parametrize("kind", ["database", "index"])
def test_a_missing_file_is_named(folder: Path, kind: str) -> None:
    path = data_file(folder, kind)
    path.unlink()
    with pytest.raises(StoreDamagedError, match=path.name):
        open_store("small")


@pytest.mark.parametrize("kind", ["database", "index"])
def test_a_file_swapped_with_another_stores_is_refused(
    folder: Path, papers: list[Paper], kind: str
) -> None:
    # The same number of papers and dimensions, and made to the same size: only content differs.
    other = build_store(
        [Paper(title=p.title[::-1], abstract=p.abstract[::-1], id=p.id) for p in papers],
        "other",
        model=HashEmbeddings(),
    )
    other.close()
    assert other.folder is not None
    mine, theirs = data_file(folder, kind), data_file(other.folder, kind)
    size = mine.stat().st_size
    shutil.copy(theirs, mine)
    edit_manifest(folder, **{f"{kind}__size": mine.stat().st_size})
    assert kind == "database" or size == mine.stat().st_size
    with pytest.raises(StoreDamagedError):
        search(open_store("small"), "Diffusion Models in Two Steps")


@pytest.mark.parametrize("kind", ["database", "index"])
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_verify_finds_any_flipped_byte(
    kind: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("flip")
    build_store(
        [Paper(title=f"Paper number {i}", abstract="word " * i) for i in range(5)],
        base / "s",
        model=HashEmbeddings(8),
    ).close()
    path = data_file(base / "s", kind)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    write_file(path, content)
    problems = PaperStore.open(base / "s").verify()
    assert any("SHA-256" in problem and path.name in problem for problem in problems)


def test_verify_finds_nothing_wrong_with_a_whole_store(folder: Path) -> None:
    store = open_store("small")
    store.model(HashEmbeddings())
    assert store.verify() == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "not the fields of a manifest"),
        ("{}", "does not end in its digest"),
        ('{"schema": 1}', "papers is missing"),
        ('{"schema": 99}', "later swimmer"),
        ("\x00\x01", "cannot be read"),
    ],
)
def test_a_broken_manifest_is_refused(folder: Path, content: str, message: str) -> None:
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(StoreDamagedError, match=message):
        open_store("small")


def test_a_manifest_cannot_reach_outside_its_folder(folder: Path) -> None:
    edit_manifest(folder, database__name="../../etc/passwd")
    with pytest.raises(StoreDamagedError, match=r"database\.name"):
        open_store("small")


# ---------------------------------------------------------------------- models


def test_another_model_of_the_same_dimension_is_refused(folder: Path) -> None:
    with pytest.raises(ModelMismatchError, match="small was built with the model"):
        search(open_store("small"), "shields", embeddings=HashEmbeddings(salt="another"))


def test_another_dimension_is_refused(folder: Path) -> None:
    with pytest.raises(ModelMismatchError, match="32 dimensions"):
        search(open_store("small"), "shields", embeddings=HashEmbeddings(32))


def test_the_right_model_is_accepted(folder: Path) -> None:
    text = "a shield learned from near accidents keeps the agent away"
    hits = search(open_store("small"), text, embeddings=HashEmbeddings())
    assert hits[0].paper.title == "Safe Exploration by Learned Shields"


def test_a_model_that_cannot_be_loaded_again_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ModelError, match="in Python\nhint: give it with embeddings="):
        search(open_store("small"), "learned shields")


def test_a_known_title_needs_no_model(folder: Path) -> None:
    assert search(open_store("small"), "Safe Exploration by Learned Shields")


# ---------------------------------------------------------------------- changes


def test_changes_are_seen_at_once_and_kept_by_commit(store: PaperStore) -> None:
    new = Paper(title="Shields for Drones", abstract="Drones learn shields.", id="new")
    store.add([new])
    assert search(store, "drones")[0].paper == new
    assert store.delete(["p00", "p05", "nothing"]) == 2
    assert len(store) == 29
    with open_store("small") as other:
        assert len(other) == 30
    store.commit()
    with open_store("small") as other:
        ids = [paper.id for paper in other]
        other.model(HashEmbeddings())
        assert len(ids) == 29 and "new" in ids and "p00" not in ids
        assert other.verify() == []
        for paper in other:
            (own,) = search(other, paper.title, k=1, include_self=True)
            assert own.paper == paper and own.score == pytest.approx(1, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "delete", "commit"]), st.sets(st.integers(0, 12))),
        max_size=8,
    )
)
def test_any_sequence_of_changes_keeps_papers_and_vectors_together(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, set[int]]]
) -> None:
    model = HashEmbeddings(16)
    store, expected = PaperStore.create(model), {}
    folder = tmp_path_factory.mktemp("any") / "s"
    for step, (what, numbers) in enumerate(changes):
        if what == "add":
            papers = [Paper(title=f"w{n} s{step}", id=str(n)) for n in sorted(numbers)]
            store.add(papers)
            expected.update({paper.id: paper for paper in papers})
        elif what == "delete":
            store.delete([str(n) for n in numbers])
            for n in numbers:
                expected.pop(str(n), None)
        else:
            store.commit(folder)
    assert {paper.id: paper for paper in store} == expected
    for row, paper in enumerate(store):
        vector = store.vectors(np.array([row]))[0]
        assert vector @ store.model().embed_query(paper.embedding_text) == pytest.approx(
            1, abs=1e-4
        )
        assert near_titles(store.database, paper.title)


def test_an_id_that_is_there_is_refused_before_anything_changes(
    store: PaperStore, papers: list[Paper]
) -> None:
    with pytest.raises(InputError, match="'p02' is in the store already"):
        store.add([Paper(title="New", id="n1"), papers[2]], replace=False)
    assert len(store) == 30 and store.get(["n1"]) == []


def test_vectors_that_do_not_fit_are_refused(store: PaperStore) -> None:
    paper = Paper(title="One")
    with pytest.raises(InputError, match="shape"):
        store.add([paper], np.ones((2, 64), np.float32))
    with pytest.raises(InputError, match="not finite"):
        store.add([paper], np.full((1, 64), np.nan, np.float32))
    assert len(store) == 30


def test_a_change_made_meanwhile_is_not_overwritten(store: PaperStore) -> None:
    with open_store("small") as other:
        other.model(HashEmbeddings())
        other.add([Paper(title="Theirs", id="theirs")])
        store.add([Paper(title="Mine", id="mine")])
        other.commit()
    with pytest.raises(StoreBusyError, match="changed the store since"):
        store.commit()
    assert "theirs" in [paper.id for paper in open_store("small")]


@pytest.mark.parametrize("asked_before", [True, False])
def test_an_open_store_follows_what_another_commits_or_keeps_to_its_state(
    store: PaperStore, model: HashEmbeddings, asked_before: bool
) -> None:
    title = "Diffusion Models in Two Steps"
    with open_store("small") as follows, open_store("small", refresh=False) as pinned:
        before = search(pinned, title)
        if asked_before:
            assert search(follows, title) == before
        store.delete(["p10", "p07"])
        store.commit()
        assert search(pinned, title) == before
        after = search(follows, title)
        assert after == search(store, title) != before
        assert len(follows) == 28 and len(list(follows)) == 28 and follows.get(["p10"]) == []
        assert follows.generation == store.generation
        assert follows.verify() == []
        assert len(pinned) == len(list(pinned)) == 30 and len(pinned.get(["p10"])) == 1


def test_a_query_that_runs_keeps_to_the_state_that_it_began_with(
    store: PaperStore, papers: list[Paper]
) -> None:
    with open_store("small") as reader:
        with reader.reading():
            before = reader.vectors()
            paper = iter(reader)
            next(paper)
            store.delete(["p00"])
            store.commit()
            with ThreadPoolExecutor(1) as pool:
                # Another thread sees the new state meanwhile.
                assert (
                    pool.submit(lambda: len(search(reader, papers[3].title, k=50))).result() == 28
                )
            assert len(reader) == len(reader.database) == len(reader.index.vectors()) == 30
            assert len(list(paper)) == 29
            assert (reader.vectors() == before).all()
        assert len(reader) == len(reader.index.vectors()) == 29


def test_a_store_that_is_replaced_under_many_threads_is_never_mixed(
    store: PaperStore, papers: list[Paper]
) -> None:
    stop = threading.Event()

    def asking(reader: PaperStore) -> int:
        rounds = 0
        while not stop.is_set() or rounds < 3:
            with reader.reading():
                assert len(reader.database) == reader.index.rows == len(reader)
            assert search(reader, papers[20].title, k=1, include_self=True)[0].paper == papers[20]
            rounds += 1
        return rounds

    with open_store("small") as reader, ThreadPoolExecutor(4) as pool:
        try:
            running = [pool.submit(asking, reader) for _ in range(4)]
            for number in range(8):
                store.delete([f"p{number:02d}"])
                store.commit()
        finally:
            stop.set()
        assert all(one.result(timeout=60) >= 3 for one in running)
        assert len(reader) == 22


def test_a_store_that_is_rebuilt_with_another_model_is_searched_with_that(
    papers: list[Paper], home: Path
) -> None:
    build_store(papers, "changes", model="static").close()
    reader = open_store("changes")
    assert search(reader, "safe agents", k=1)
    build_store(papers, "changes", model=HashEmbeddings()).close()
    with pytest.raises(ModelError, match="object in Python"):
        search(reader, "safe agents", k=1)
    assert search(reader, "safe agents", k=1, embeddings=HashEmbeddings())


def test_a_damaged_or_missing_replacement_leaves_the_open_state(
    folder: Path, papers: list[Paper], caplog: pytest.LogCaptureFixture
) -> None:
    reader = open_store("small")
    before = search(reader, papers[3].title)
    (folder / "manifest.json").write_text("{}")
    assert search(reader, papers[3].title) == before
    assert search(reader, papers[3].title) == before
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    (folder / "manifest.json").unlink()
    assert search(reader, papers[3].title) == before


def test_a_store_in_a_folder_is_pickled_by_its_path(folder: Path, papers: list[Paper]) -> None:
    reader = open_store("small", refresh=False)
    found = search(reader, papers[3].title)
    for twin in (pickle.loads(pickle.dumps(reader)), copy.deepcopy(reader), copy.copy(reader)):
        assert search(twin, papers[3].title) == found
    assert len(pickle.dumps(reader)) < 500
    with pytest.raises(StoreError, match="save it to a folder first"):
        pickle.dumps(PaperStore.create(HashEmbeddings()))


def test_threads_ask_while_one_adds(store: PaperStore, papers: list[Paper]) -> None:
    wrong: list[object] = []
    stop = threading.Event()

    def asking() -> None:
        while not stop.is_set():
            for paper in papers[:6]:
                try:
                    (own,) = search(store, paper.title, k=1, include_self=True)
                except Exception as error:  # noqa: BLE001
                    wrong.append(error)
                    return
                if own.paper.title != paper.title:
                    wrong.append(own)

    threads = [threading.Thread(target=asking) for _ in range(8)]
    for thread in threads:
        thread.start()
    for i in range(40):
        store.add([Paper(title=f"Added paper {i}", id=f"a{i}")])
        store.delete([f"a{i - 3}"])
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


# ---------------------------------------------------------------------- places


def test_names_resolve_in_order(
    papers: list[Paper], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    user = tmp_path / "data" / "swimmer" / "vectorstores" / "conf"
    model = HashEmbeddings()
    build_store(papers[:3], user, model=model)
    assert len(open_store("conf")) == 3
    build_store(papers[:4], home / "vectorstores" / "conf", model=model)
    assert len(open_store("conf")) == 4
    monkeypatch.setenv("SWIMMER_HOME", str(tmp_path / "own"))
    build_store(papers[:5], tmp_path / "own" / "vectorstores" / "conf", model=model)
    assert len(open_store("conf")) == 5
    assert len(open_store(user)) == 3


def test_without_a_name_the_newest_store_else_the_sample(papers: list[Paper]) -> None:
    assert open_store().name == "sample"
    build_store(papers[:3], "only", model=HashEmbeddings())
    assert open_store().name == "only"


def test_an_unknown_name_lists_what_there_is(store: PaperStore) -> None:
    with pytest.raises(StoreNotFoundError, match=r"did you mean small.*swimmer list"):
        open_store("smal")
    with pytest.raises(StoreNotFoundError, match="no such folder"):
        open_store("./nothing/here")
    with pytest.raises(StoreNotFoundError, match="not a store's name"):
        open_store("a\x1b[31m")


def test_a_folder_without_a_manifest_is_no_store(home: Path) -> None:
    (home / "vectorstores" / "half").mkdir(parents=True)
    with pytest.raises(StoreNotFoundError, match="has not finished"):
        open_store("half")


# ---------------------------------------------------------------------- power cuts

CRASH = """
import os, pathlib, sys
sys.path.insert(0, {tests!r})
from tests.models import HashEmbeddings
from swimmer import Paper, build_store
count = 0
def dying(real):
    def step(*args, **kwargs):
        global count
        count += 1
        if count == {step}:
            os._exit(9)
        return real(*args, **kwargs)
    return step
os.fsync = dying(os.fsync)
pathlib.Path.replace = dying(pathlib.Path.replace)
pathlib.Path.rename = dying(pathlib.Path.rename)
pathlib.Path.unlink = dying(pathlib.Path.unlink)
papers = [Paper(title=f"New title {{i}}", abstract="fresh words", id=f"p{{i}}") for i in range(40)]
build_store(papers, {folder!r}, model=HashEmbeddings(), prune=True)
os._exit(0)
"""


def test_death_at_every_step_of_a_commit_leaves_the_old_or_the_new_store(
    folder: Path, tmp_path: Path
) -> None:
    outcomes = []
    for step in range(1, 40):
        copy = tmp_path / f"copy{step}"
        shutil.copytree(folder, copy)
        code = CRASH.format(tests=str(Path(__file__).parent.parent), step=step, folder=str(copy))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        with PaperStore.open(copy) as store:
            store.model(HashEmbeddings())
            assert store.verify() == [], f"after death at step {step}"
            outcomes.append(len(store))
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
    else:
        raise AssertionError("the build never came to its end")
    # Both outcomes were met, and once the new store is there it stays.
    assert outcomes[0] == 30 and outcomes[-1] == 40 and sorted(outcomes) == outcomes
    assert len(outcomes) > 8


def test_death_at_every_step_of_a_first_build_leaves_no_store_or_the_whole(tmp_path: Path) -> None:
    there = []
    for step in range(1, 40):
        place = tmp_path / f"first{step}"
        code = CRASH.format(tests=str(Path(__file__).parent.parent), step=step, folder=str(place))
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        there.append((place / "manifest.json").exists())
        if not there[-1]:
            # What the dead build has left is in nobody's way.
            code = CRASH.format(tests=str(Path(__file__).parent.parent), step=0, folder=str(place))
            subprocess.run([sys.executable, "-c", code], check=True)
        with PaperStore.open(place) as store:
            store.model(HashEmbeddings())
            assert store.verify() == [] and len(store) == 40, f"after death at step {step}"
        if done.returncode == 0:
            break
        assert done.returncode == 9, done.stderr
    else:
        raise AssertionError("the build never came to its end")
    assert not there[0] and there[-1] and sorted(there) == there and len(there) > 6


def test_commit_to_a_place_that_cannot_be_written_says_so(store: PaperStore) -> None:
    store.add([Paper(title="More", id="more")])
    with pytest.raises(StoreError, match="cannot be written"):
        store.commit("/proc/nothing/here")
    assert len(store) == 31


# ---------------------------------------------------------------------- beyond exact search


def test_a_large_store_is_mapped_searched_filtered_and_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import faiss

    monkeypatch.setattr("swimmer.store.index.EXACT_LIMIT", 500)
    monkeypatch.setattr("swimmer.store.faiss_index.GATHER_LIMIT", 50)
    papers = [
        Paper(
            title=f"Topic {i % 40} method {i}",
            abstract=f"topic{i % 40} " * 8,
            id=str(i),
            year=2000 + i % 25,
        )
        for i in range(3000)
    ]
    build_store(papers, "large", model=HashEmbeddings(32)).close()
    flags: list[int] = []
    read = faiss.read_index
    monkeypatch.setattr(
        faiss, "read_index", lambda path, flag: flags.append(flag) or read(path, flag)
    )
    with open_store("large") as store:
        assert not store.manifest.exact and store.manifest.recall > 0.9
        vectors = store.vectors()
        assert flags == [faiss.IO_FLAG_MMAP]
        for row in (0, 17, 1234, 2999):
            (own, *others) = search(store, papers[row].title, 5, include_self=True, lexical=False)
            assert own.paper.id == str(row) and len(others) == 4
            exact = np.sort(vectors @ vectors[row])[::-1][:5]
            assert [hit.score for hit in (own, *others)] == pytest.approx(exact.tolist(), abs=1e-4)
        # 120 papers of one year, more than are gathered; k answers whenever k papers match.
        hits = search(store, papers[0].title, 119, filter={"year": 2000})
        assert len(hits) == 119 and {hit.paper.year for hit in hits} == {2000}
        assert len(search(store, papers[0].title, 9, filter={"id": ["5", "6", "7"]})) == 3
        store.model(HashEmbeddings(32))
        store.delete([str(i) for i in range(0, 3000, 3)])
        store.commit()
    with open_store("large") as store:
        store.model(HashEmbeddings(32))
        assert len(store) == 2000 and store.verify() == []
        assert search(store, papers[1].title, 1, include_self=True)[0].paper == papers[1]


# ---------------------------------------------------------------------- indexes made when needed


def test_what_was_added_is_found_in_every_way_whatever_came_between(
    papers: list[Paper], model: HashEmbeddings, tmp_path: Path
) -> None:
    """Full text and look-ups are made at the first query that reads them; nothing may be missed."""
    from swimmer.store import keyword_search, people_named, rows_of_name

    store = PaperStore.create(model)
    left = {paper.id: paper for paper in papers}
    store.add(papers[:10])
    store.add([replace(papers[3], title="Another Title of Quokkas")])
    left[papers[3].id] = replace(papers[3], title="Another Title of Quokkas")
    store.delete([papers[0].id, papers[9].id])
    assert [row for row, _ in keyword_search(store.database, "quokkas", 5)] == [
        store.database.row_of_id(papers[3].id)
    ]
    store.add(papers[10:20])
    with pytest.raises(InputError):
        store.add([*papers[20:], papers[12]], replace=False)
    store.delete([papers[15].id])
    store.add(papers[20:])
    gone = {papers[0].id, papers[9].id, papers[15].id}

    def check(store: PaperStore) -> None:
        database = store.database
        found = {paper.id for paper in store}
        assert found == set(left) - gone
        for paper in left.values():
            rows = {row for row, _ in keyword_search(database, f'"{paper.title}"', 50)}
            own = database.row_of_id(paper.id)
            assert (own in rows) == (paper.id not in gone)
            for author in paper.authors:
                people = people_named(database, author)
                assert bool(people) == any(author in left[one].authors for one in found)
        assert rows_of_name(database, "quokkas") == []

    check(store)
    store.commit(tmp_path / "saved")
    with PaperStore.open(tmp_path / "saved") as saved:
        check(saved)
        assert saved.verify() == []


def test_a_change_that_fails_leaves_what_waited_before_it(
    papers: list[Paper], model: HashEmbeddings, tmp_path: Path
) -> None:
    from swimmer.store import keyword_search

    store = PaperStore.create(model)
    store.add(papers[:5])
    with pytest.raises(ZeroDivisionError), store.database.transaction():
        store.database.put(5, papers[5], b"0" * 16, new=True)
        # Full text and indexes are made here, and undone with the rest.
        assert keyword_search(store.database, papers[5].title, 1)
        raise ZeroDivisionError
    assert len(store) == 5
    assert [row for row, _ in keyword_search(store.database, papers[2].title, 1)] == [2]
    assert not any(row == 5 for row, _ in keyword_search(store.database, papers[5].title, 9))
    store.commit(tmp_path / "saved")
    with PaperStore.open(tmp_path / "saved") as saved:
        assert saved.verify() == []
