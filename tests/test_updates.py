"""Builds one after another over one store: whatever comes between, it is whole and up to date."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, PaperStore, build_store, open_store, run_build, search
from swimmer.build.staging import Texts
from swimmer.errors import ModelError, StoreDamagedError, StoreError
from swimmer.files import flush_to_disk
from swimmer.store.database import PaperDatabase
from swimmer.store.schema import INDEXES

from .models import HashEmbeddings


def paper(number: int, version: int) -> Paper:
    """One of few papers in one of three versions: other words, fields, and even another URL."""
    kind = ("", "virtual/2025/oral/", "virtual/2025/poster/")[version]
    return Paper(
        title=f"Títle {number} of $x^{number}$ *w{number}*",
        abstract=f"w{version} naïve " * version,
        id=str(number) if (number + version) % 3 else "",
        url=f"https://c.cc/{kind}{number}" if version else "",
        extra={f"field {version}": number} if version else {},
    )


def whole(store: PaperStore) -> None:
    """Check the files, that full text and papers say the same, and that the vectors are theirs."""
    store.model(HashEmbeddings(16))
    assert store.verify() == []
    copied = store.database.copy()
    for table in ("papers_fts", "titles_fts"):
        copied.query(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 1)")
    copied.close()
    texts = [paper.embedding_text for paper in store]
    assert np.allclose(store.vectors(), store.model().embed_documents(texts), atol=1e-6)


LISTS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 2)), min_size=1, max_size=20)
ENDS = st.sampled_from(["well", "well", "the model fails", "reading", "embedding", "writing"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(LISTS, st.booleans(), ENDS, st.booleans()), min_size=2, max_size=6))
def test_any_sequence_of_builds_leaves_the_last_one_whole(
    tmp_path_factory: pytest.TempPathFactory, builds: list[tuple[Any, bool, str, bool]]
) -> None:
    """New, pruned, interrupted, repeated, changed by hand in between."""
    folder = tmp_path_factory.mktemp("any") / "s"
    last: list[Paper] = []
    for chosen, prune, end, by_hand in builds:

        def progress(stage: str, done: int, total: int | None, end: str = end) -> None:
            if stage == end:
                raise KeyboardInterrupt

        papers = [paper(*one) for one in chosen]
        model = HashEmbeddings(16, fail_after=6 if end == "the model fails" else None)
        try:
            store = build_store(papers, folder, model=model, prune=prune, progress=progress)
        except (KeyboardInterrupt, ModelError):
            if last:
                with PaperStore.open(folder) as store:
                    whole(store)
                    assert list(store) == last
            continue
        whole(store)
        titles = {one.title for one in papers}
        now = {one.title for one in store}
        assert now == titles if prune else now == titles | {one.title for one in last}
        if by_hand:
            store.model(HashEmbeddings(16))
            store.add([Paper(title=f"By hand {len(store)}", id=f"hand {len(store)}")])
            store.delete_rows([0])
            store.commit()
            whole(store)
        last = list(store)
        store.close()


# ---------------------------------------------------------------------- what went wrong before


def test_full_text_that_was_never_made_is_found_by_verify(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    """An update of such a store fails: SQLite cannot take words out that are not there."""
    real = PaperDatabase.execute

    def forgetful(self: PaperDatabase, sql: str, *parameters: Any) -> None:
        if "'rebuild'" not in sql:
            real(self, sql, *parameters)

    with monkeypatch.context() as patch:
        patch.setattr(PaperDatabase, "execute", forgetful)
        store = build_store(papers, "conf", model=HashEmbeddings())
    assert [line.split(":")[0] for line in store.verify()] == ["papers_fts", "titles_fts"]
    with pytest.raises(
        StoreDamagedError, match=r"malformed[^\n]*\nhint: delete the store's folder"
    ):
        build_store(papers[:5], "conf", model=HashEmbeddings(), prune=True)


def test_a_damaged_store_says_how_to_build_it_anew(papers: list[Paper]) -> None:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    folder = Path("vectorstores/conf")
    next(folder.glob("index-*")).unlink()
    with pytest.raises(StoreDamagedError, match="delete the store's folder and build it again"):
        build_store(papers, "conf", model=HashEmbeddings())
    shutil.rmtree(folder)
    assert build_store(papers, "conf", model=HashEmbeddings()).verify() == []


def test_what_was_learnt_with_another_model_is_forgotten(papers: list[Paper]) -> None:
    store = build_store(papers, "conf", model=HashEmbeddings())
    assert store.thresholds
    few = build_store(papers[:10], "conf", model=HashEmbeddings(salt="other"), prune=True)
    assert few.thresholds == {}
    few.add([Paper(title="One more")])
    few.commit()
    assert few.thresholds == open_store("conf").thresholds == {}


def test_a_store_learns_without_the_papers_that_it_asks_about() -> None:
    """Every title is its own paper's text: with itself, the nearest would always be at 1."""
    papers = [Paper(title=f"first{i} second{i} third{i}", id=str(i)) for i in range(60)]
    store = build_store(papers, "apart", model=HashEmbeddings())
    assert 0 < store.thresholds["related"] < 0.6


def test_a_paper_of_the_stores_id_but_another_title_is_no_paper_of_it(papers: list[Paper]) -> None:
    """Ids of two lists may be the same numbers."""
    store = build_store(papers, "conf", model=HashEmbeddings())
    other = Paper(title="Zebra crossings at night", id=papers[3].id)
    hits = search(store, other, k=len(papers))
    assert papers[3] in [hit.paper for hit in hits]
    assert papers[3] not in [hit.paper for hit in search(store, papers[3], k=len(papers))]


# ---------------------------------------------------------------------- scratch files


def test_texts_can_be_read_and_put_in_any_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("swimmer.build.staging._IN_MEMORY", 20)
    texts = Texts(tmp_path)
    for row, text in enumerate(["über", "", "a longer text of many bytes", "c"]):
        texts.put(row, text)
        assert texts.of([row, 0]) == [text, "über"]
    texts.put(1, "another")
    texts.put(4, "last")
    assert texts.of([4, 1, 3]) == ["last", "another", "c"]
    texts.close()


def test_a_database_is_finished_until_it_changes(tmp_path: Path, papers: list[Paper]) -> None:
    """One that changed after its indexes were made is compacted again before it is kept."""
    database = PaperDatabase.create(tmp_path / "scratch.sqlite")
    with database.bulk():
        for row, one in enumerate(papers):
            database.put(row, one, b"", new=True)
    assert not database.finished
    for change in (lambda: database.remove([0]), lambda: database.put(1, papers[0], b"")):
        database.optimize()
        for statement in INDEXES:
            database.query(f"DROP INDEX IF EXISTS {statement.split()[2]}")
        database.index()
        assert database.finished
        change()
        assert not database.finished
    database.close()


# ---------------------------------------------------------------------- an unfinished build


@pytest.fixture
def unfinished(monkeypatch: pytest.MonkeyPatch) -> list[Paper]:
    """Papers, of which a build that failed has embedded 256."""
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 64)
    papers = [Paper(title=f"Paper {i}", id=str(i)) for i in range(400)]
    with pytest.raises(ModelError, match="hint: start the same build again"):
        build_store(papers, "conf", model=HashEmbeddings(fail_after=300))
    return papers


def test_a_full_disk_does_not_cost_what_was_embedded(
    monkeypatch: pytest.MonkeyPatch, unfinished: list[Paper]
) -> None:
    class Full(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if "_digest ON" in sql:
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(sql, *parameters)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Full))
        with pytest.raises(StoreError, match=r"disk is full[^\n]*\nhint: make room"):
            build_store(unfinished, "conf", model=HashEmbeddings())
    _store, report = run_build(unfinished, "conf", model=HashEmbeddings())
    assert report.resumed == 256


@pytest.mark.parametrize("start", [0, 4096, 3 * 4096])
@pytest.mark.parametrize("interrupted", [1, 2])
def test_vectors_torn_on_disk_are_embedded_again(
    unfinished: list[Paper], interrupted: int, start: int
) -> None:
    if interrupted == 2:
        with pytest.raises(ModelError, match="hint: start the same build again"):
            build_store(unfinished, "conf", model=HashEmbeddings(fail_after=70))
    path = Path("vectorstores/conf/.build/vectors.sqlite")
    size = path.stat().st_size
    assert size > 8 * 4096
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xff" * (size - start))
    store = build_store(unfinished, "conf", model=HashEmbeddings())
    assert store.verify() == [] and len(store) == 400
    again = build_store(unfinished, "again", model=HashEmbeddings())
    assert np.array_equal(store.vectors(), again.vectors())


@pytest.mark.skipif(os.name != "posix", reason="sends a signal to a thread")
def test_ctrl_c_does_not_wait_for_the_last_index(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    """When all is embedded, and only the indexes are not made yet."""

    def endless(self: PaperDatabase) -> None:
        main = threading.main_thread().ident
        assert main is not None
        threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
        self.query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )

    with monkeypatch.context() as patch:
        patch.setattr(PaperDatabase, "index", endless)
        with pytest.raises(KeyboardInterrupt):
            build_store(papers, "conf", model=HashEmbeddings())
    assert build_store(papers, "conf", model=HashEmbeddings()).verify() == []


# ---------------------------------------------------------------------- other systems, other types


@pytest.mark.skipif(os.name != "posix", reason="asks how a file was opened")
def test_a_file_is_open_for_writing_when_it_is_flushed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Windows flushes no other."""
    import fcntl
    import stat

    flushed = []

    def windows(descriptor: int) -> None:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        assert mode != os.O_RDONLY or not regular
        flushed.append(regular)

    (tmp_path / "file").write_text("words")
    monkeypatch.setattr(os, "fsync", windows)
    flush_to_disk(tmp_path / "file")
    flush_to_disk(tmp_path)
    assert flushed == [True, False]


@pytest.mark.parametrize("names", [[], ["Ana Ruiz"], ["Ana Ruiz", "Bo  Chen"]])
def test_authors_may_be_any_list(names: list[str]) -> None:
    """A table of data science has arrays in its cells."""
    clean = tuple(" ".join(name.split()) for name in names)
    for given_as in (names, tuple(names), np.array(names, object), iter(names)):
        made = Paper(title="T", authors=given_as, keywords=np.array(names))  # type: ignore[arg-type]
        assert made.authors == made.keywords == clean
        json.dumps(made.to_dict())


def test_the_fields_of_a_paper_are_cleaned() -> None:
    made = Paper(title=" A  <b>B</b>", url="www.c.cc//7", abstract="x\ty", venue=" V ", id=" 7 ")
    assert (made.title, made.url, made.abstract) == ("A B", "https://www.c.cc/7", "x y")
    assert (made.venue, made.id) == ("V", "7")
