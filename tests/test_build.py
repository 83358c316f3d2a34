"""Building: copies merged, updates by content, interruptions taken up, one writer."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer import BuildReport, Paper, PaperStore, build_store, open_store, run_build, search
from swimmer.embeddings.identity import PROBES
from swimmer.embeddings.loading import load_model
from swimmer.errors import InputError, ModelError, SourceError, StoreBusyError, StoreError
from swimmer.langchain.documents import paper_document
from swimmer.langchain.embeddings import SwimmerEmbeddings
from swimmer.langchain.vectorstore import PaperVectorStore
from swimmer.store.database import PaperDatabase

from .conftest import REPOSITORY, Outcome
from .manifests import edit_manifest
from .models import HashEmbeddings


def counts(report: BuildReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.unchanged, report.removed


# ---------------------------------------------------------------------- copies


def test_oral_and_poster_of_one_paper_become_one() -> None:
    oral = Paper(
        title="One Work",
        abstract="Short.",
        url="https://c.cc/virtual/2025/oral/7",
        id="7",
        authors=("Ana Ruiz",),
        status="Oral",
    )
    poster = Paper(
        title="One work",
        abstract="A longer abstract.",
        id="9",
        status="Poster",
        url="https://c.cc/virtual/2025/poster/9",
        authors=("Ana Ruiz", "Bo Chen"),
    )
    for order in ([oral, poster], [poster, oral]):
        store, report = run_build(order, "merged", model=HashEmbeddings(), prune=True)
        assert report.merged == 1
        (paper,) = store
        assert (paper.id, paper.url, paper.status) == ("9", poster.url, "Oral")
        assert paper.abstract == "A longer abstract."


def test_the_same_title_by_other_people_is_another_paper() -> None:
    papers = [
        Paper(title="Untitled", id="1", authors=("Ana Ruiz",), abstract="graphs"),
        Paper(title="Untitled", id="2", authors=("Bo Chen",), abstract="speech"),
        Paper(title="Untitled!", id="3", authors=("Chi Park", "Bo Chen"), abstract=""),
    ]
    store, report = run_build(papers, "titles", model=HashEmbeddings())
    assert [p.abstract for p in store] == ["graphs", "speech", ""]
    assert report.merged == 0


def test_one_id_or_one_url_twice_is_one_paper() -> None:
    papers = [
        Paper(title="A", id="x"),
        Paper(title="A, renamed", id="x", abstract="text"),
        Paper(title="B", url="https://p.example/b"),
        Paper(title="B (extended)", url="https://p.example/b", year=2025),
    ]
    store = build_store(papers, "ids", model=HashEmbeddings())
    assert [(p.title, p.abstract, p.year) for p in store] == [
        ("A", "text", None),
        ("B", "", 2025),
    ]


def test_an_id_or_a_url_alone_makes_no_copy() -> None:
    """Row numbers as ids, citation keys that clash, one address for a whole programme."""
    papers = [
        Paper("Walking on Sand", id="1", authors=("Ana Ruiz",), abstract="We walk."),
        Paper("Proteins Folded", id="1", authors=("Bo Chen",), url="https://c.example/b"),
        Paper("Stars Counted", url="https://c.example/program", authors=("Chi Park",)),
        Paper("Boats Built", url="https://c.example/program", authors=("Di Silva",)),
        Paper("Stars counted", url="https://c.example/program", year=2025),
    ]
    store, report = run_build(papers, "apart", model=HashEmbeddings())
    assert [p.title for p in store] == [p.title for p in papers[:4]]
    assert [p.url for p in store][:2] == ["", "https://c.example/b"]
    assert len({p.id for p in store}) == 4
    assert (report.merged, report.kept_apart) == (1, 2)
    again, report = run_build(papers, "apart", model=HashEmbeddings(), prune=True)
    assert (counts(report), report.embedded) == ((0, 0, 4, 0), 0)
    assert {p.id for p in again} == {p.id for p in store}


def test_an_id_of_the_same_source_stays_one_paper() -> None:
    first = Paper("A First Name", id="p1", authors=("Ana Ruiz",), abstract="We swim.")
    renamed = Paper("Quite Another Title", id="p1", authors=("Bo Chen",), abstract="We dive.")
    build_store([first], "same", model=HashEmbeddings()).close()
    store, report = run_build([renamed], "same", model=HashEmbeddings())
    assert [p.title for p in store] == [renamed.title] and counts(report) == (0, 1, 0, 0)


def test_another_source_fills_order_and_abstract() -> None:
    listed = Paper(
        "Fish at Home",
        id="7",
        authors=("Ana Ruiz", "Bo Chen"),
        abstract="We show that fi",
        extra={"authors_order": "unknown", "abstract_cut": True, "events": [{"kind": "Poster"}]},
    )
    whole = Paper(
        "Fish at Home",
        id="2401.00001",
        authors=("B. Chen", "A. Ruiz"),
        abstract="We show that fish swim.",
        extra={"events": [{"kind": "Oral"}]},
    )
    for papers in ([listed, whole], [whole, listed]):
        store, _ = run_build(
            [
                replace(p, authors=p.authors if p is listed else ("Bo Chen", "Ana Ruiz"))
                for p in papers
            ],
            "filled",
            model=HashEmbeddings(),
            prune=True,
        )
        (paper,) = store
        assert paper.authors == ("Bo Chen", "Ana Ruiz") and paper.authors_ordered
        assert paper.abstract == whole.abstract and not paper.abstract_is_cut
        assert {event["kind"] for event in paper.extra["events"]} == {"Poster", "Oral"}


# ---------------------------------------------------------------------- updates


def test_an_update_embeds_only_what_is_new_or_changed(
    papers: list[Paper], model: HashEmbeddings
) -> None:
    build_store(papers, "conf", model=model).close()
    before = {paper.id: paper for paper in papers}
    papers[3] = replace(papers[3], abstract="Another abstract altogether.")
    papers[4] = replace(papers[4], status="Oral")
    del papers[10]
    papers.append(Paper(title="A new paper", id="new"))
    model = HashEmbeddings()
    store, report = run_build(papers, "conf", model=model)
    assert counts(report) == (1, 2, 27, 0)
    assert sorted(t.splitlines()[0] for t in model.embedded[3:]) == sorted(
        ["A new paper", before["p03"].title]
    )
    assert len(store) == 31
    again, report = run_build(papers, "conf", model=HashEmbeddings(), prune=True)
    assert counts(report) == (0, 0, 30, 1)
    assert report.embedded == 0
    assert {paper.id for paper in again} == {paper.id for paper in papers}
    assert again.verify() == []
    for paper in again:
        (own,) = search(again, paper.title, k=1, include_self=True)
        assert own.paper.id == paper.id and own.score == pytest.approx(1, abs=1e-5)


def test_a_list_of_titles_does_not_wipe_the_abstracts(papers: list[Paper]) -> None:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    bare = [Paper(title=p.title, id=p.id) for p in papers]
    store, report = run_build(bare, "conf", model=HashEmbeddings())
    assert counts(report) == (0, 0, 30, 0)
    assert list(store) == papers


def test_papers_are_matched_by_url_and_by_title_when_ids_are_missing(papers: list[Paper]) -> None:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    by_url = [Paper(title=p.title + "!", url=p.url, year=p.year) for p in papers[:5]]
    by_title = [Paper(title=p.title.upper(), authors=p.authors) for p in papers[5:10]]
    store, report = run_build(by_url + by_title, "conf", model=HashEmbeddings())
    assert counts(report)[0] == 0 and len(store) == 30
    assert {paper.id for paper in store} == {paper.id for paper in papers}


def test_building_with_another_model_embeds_everything_anew(papers: list[Paper]) -> None:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    store, report = run_build(papers, "conf", model=HashEmbeddings(32, salt="b"))
    assert report.embedded == 30
    assert counts(report) == (0, 0, 30, 0)
    assert store.manifest.model.dimension == 32 and store.verify() == []


def test_the_store_keeps_its_own_model_when_none_is_named(corpus_file: Path) -> None:
    build_store(corpus_file, "conf").close()
    assert open_store("conf").manifest.model.name == "static"


def test_a_store_is_named_after_venue_and_year(papers: list[Paper]) -> None:
    same = [replace(paper, venue="ICLR", year=2025) for paper in papers]
    assert build_store(same, model=HashEmbeddings()).name == "iclr2025"


def test_rows_and_report_of_a_source_are_counted(home: Path) -> None:
    rows = [
        {"title": "Kept", "abstract": ""},
        {"title": " "},
        {"abstract": "no title"},
        "text",
        {"name": "A Workshop", "type": "Workshop"},
        {"title": "Kept too", "abstract": "x"},
    ]
    (home / "list.json").write_text(json.dumps(rows, indent=0), encoding="utf-8")
    _store, report = run_build("list.json", model=HashEmbeddings())
    source = report.source
    assert (source.read, source.left_out, source.without_abstract) == (6, 4, 1)
    assert {reason: entry.count for reason, entry in source.skipped.items()} == {
        "no title": 2,
        "not an object": 1,
        "not a paper but workshop": 1,
    }


def test_left_out_rows_are_named_by_line(home: Path) -> None:
    lines = ['{"title": "A"}', "", '{"title": ""}', '{"title": "B"}']
    (home / "list.jsonl").write_text("\n".join(lines), encoding="utf-8")
    _store, report = run_build("list.jsonl", model=HashEmbeddings())
    assert report.source.skipped["no title"].places == ["line 3"]


def test_an_empty_list_changes_nothing(papers: list[Paper]) -> None:
    build_store(papers, "conf", model=HashEmbeddings()).close()
    with pytest.raises(SourceError, match="holds no paper"):
        build_store([], "conf", model=HashEmbeddings(), prune=True)
    assert len(open_store("conf")) == 30


def test_things_that_are_no_papers_are_refused() -> None:
    with pytest.raises(InputError, match="takes Paper objects"):
        build_store([{"title": "A"}], "conf", model=HashEmbeddings())  # type: ignore[list-item]


# ---------------------------------------------------------------------- interruptions


def test_a_model_that_fails_half_way_costs_only_the_rest(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 4)
    with pytest.raises(ModelError, match="hint: start the same build again"):
        build_store(papers, "conf", model=HashEmbeddings(fail_after=18))
    model = HashEmbeddings()
    store, report = run_build(papers, "conf", model=model)
    assert report.resumed == 12 and report.embedded == 18
    assert store.verify() == []
    whole = build_store(papers, "whole", model=HashEmbeddings())
    ids = {paper.id: row for row, paper in enumerate(whole)}
    rows = np.array([ids[paper.id] for paper in store])
    assert np.array_equal(store.vectors(), whole.vectors(rows))
    assert not (Path("vectorstores") / "conf" / ".build").exists()


class Recorder(HashEmbeddings):
    """Keeps the texts of each call, and of each chunk that was answered."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.answered: list[list[str]] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        made = super().embed_documents(texts)
        if texts != list(PROBES):
            self.answered.append(texts)
        return made


def of_many_lengths(count: int) -> list[Paper]:
    lengths = random.Random(0).choices(range(480), k=count)
    return [
        Paper(title=f"Paper {i}", abstract="w" * length, id=str(i))
        for i, length in enumerate(lengths)
    ]


def test_like_lengths_go_together_over_the_whole_list(home: Path) -> None:
    model = Recorder()
    build_store(of_many_lengths(1300), "many", model=model).close()
    assert [len(texts) for texts in model.answered] == [512, 512, 276]
    lengths = [len(text) for texts in model.answered for text in texts]
    assert lengths == sorted(lengths, reverse=True)


def test_a_crash_half_way_embeds_nothing_twice_in_the_same_order(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 64)
    papers = of_many_lengths(400)
    first = Recorder(fail_after=len(PROBES) + 200)
    with pytest.raises(ModelError, match="hint: start the same build again"):
        build_store(papers, "many", model=first)
    second = Recorder()
    _store, report = run_build(papers, "many", model=second)
    done = [text for texts in first.answered for text in texts]
    rest = [text for texts in second.answered for text in texts]
    assert len(done) == 192
    assert sorted(done + rest) == sorted({paper.embedding_text for paper in papers})
    lengths = [len(text) for text in done + rest]
    assert lengths == sorted(lengths, reverse=True)
    assert (report.resumed, report.embedded) == (192, 208)


def test_vectors_of_another_model_are_not_taken_up(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 4)
    with pytest.raises(ModelError, match="hint: start the same build again"):
        build_store(papers, "conf", model=HashEmbeddings(fail_after=18))
    _store, report = run_build(papers, "conf", model=HashEmbeddings(salt="other"))
    assert report.resumed == 0


def test_an_unfinished_build_is_no_store(papers: list[Paper]) -> None:
    from swimmer import list_stores

    with pytest.raises(ModelError, match="hint: start the same build again"):
        build_store(papers, "conf", model=HashEmbeddings(fail_after=18))
    assert [info.name for info in list_stores()] == ["sample"]


def test_ctrl_c_keeps_what_was_embedded(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 5)

    def impatient(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding" and done >= 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(papers, "conf", model=HashEmbeddings(), progress=impatient)
    _store, report = run_build(papers, "conf", model=HashEmbeddings())
    assert report.resumed == 15


def contents(store: PaperStore) -> tuple[list[Paper], bytes]:
    return list(store), store.vectors().tobytes()


def many_papers() -> list[Paper]:
    """Copies far apart, of one id, one URL or one title; LaTeX, accents and blanks on the way."""
    papers = [
        Paper(
            title=f"Paper ${{i}}^2$ über {i % 90} *worlds*",
            abstract=f"w{i} \u2013 naïve " * 9,
            url=f"https://c.cc/virtual/2025/poster/{i}",
            id=str(i % 280),
            extra={"area": f"area {i % 3}", "score": i} if i % 4 else {},
        )
        for i in range(300)
    ]
    return [*papers, *(replace(paper, id="", status="Oral") for paper in papers[5:40])]


def test_it_does_not_matter_how_papers_are_batched_and_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One row at a time, texts on disk, and chunks of three: the store is the same."""
    whole, whole_report = run_build(many_papers(), "whole", model=HashEmbeddings())
    monkeypatch.setattr("swimmer.store.database._BATCH", 1)
    monkeypatch.setattr("swimmer.build.staging._IN_MEMORY", 100)
    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 3)
    bit_by_bit, bit_by_bit_report = run_build(many_papers(), "bits", model=HashEmbeddings())
    assert contents(bit_by_bit) == contents(whole)
    assert whole_report.merged == bit_by_bit_report.merged > 20
    assert whole_report.merges == bit_by_bit_report.merges
    assert whole.verify() == bit_by_bit.verify() == []
    assert whole.fields() == bit_by_bit.fields() and "area" in whole.fields()


def test_a_first_build_holds_what_papers_added_one_by_one_hold() -> None:
    """The indexes made at the end are those that grow with the papers; so are words and titles."""
    built = build_store(many_papers(), "built", model=HashEmbeddings(), plain=True)
    grown = PaperStore.create(HashEmbeddings())
    grown.add(list(built))
    grown.commit("grown")
    schema = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%fts%' ORDER BY name"
    for question in (
        schema,
        "SELECT * FROM papers ORDER BY row",
        "SELECT * FROM fields ORDER BY name",
        "SELECT * FROM title_terms ORDER BY term",
        "SELECT rowid, bm25(papers_fts) FROM papers_fts WHERE papers_fts MATCH 'w7 OR uber'"
        " ORDER BY rowid",
    ):
        answer = built.database.query(question)
        assert answer and answer == grown.database.query(question), question
    assert built.database.path != Path("vectorstores/built/.build/papers.sqlite")


def test_the_static_model_embeds_a_first_build_as_it_embeds_any_text() -> None:
    store = build_store(many_papers(), "static", model="static", plain=True)
    model = store.model()
    texts = [model.text_of(paper) for paper in store]
    assert np.array_equal(store.vectors(), model.embed_papers(texts))


def test_a_first_build_can_be_changed_and_committed_again(papers: list[Paper]) -> None:
    store = build_store(papers, "conf", model=HashEmbeddings())
    store.add([Paper(title="Zebra crossings at night", id="zebra")])
    store.commit()
    assert store.verify() == [] and len(store) == 31
    (hit,) = search(open_store("conf"), "zebra", k=1, mode="keyword")
    assert hit.paper.id == "zebra"


def test_indexes_that_cannot_be_made_end_the_build_early(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper]
) -> None:
    """They are made beside the embedding, in a thread: its error is the build's."""
    started = threading.Event()

    def full(self: PaperDatabase) -> None:
        started.set()
        raise OSError(28, "no space left on the disk")

    def waiting(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding":
            assert started.wait(20)

    monkeypatch.setattr("swimmer.build.vectors.CHUNK", 4)
    monkeypatch.setattr("swimmer.build.checkpoint.CHECKPOINT_SECONDS", 0)
    model = HashEmbeddings(delay=0.005)
    with monkeypatch.context() as patch:
        patch.setattr(PaperDatabase, "index", full)
        with pytest.raises(StoreError, match=r"cannot be written.*no space.*\nhint: make room"):
            build_store(papers, "conf", model=model, progress=waiting)
    embedded = len(model.embedded) - len(PROBES)
    assert embedded < len(papers), "a slow model is not run to its end for nothing"
    store, report = run_build(papers, "conf", model=HashEmbeddings())
    assert report.resumed == embedded
    assert store.verify() == []


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ModelError])
def test_a_build_that_ends_early_does_not_wait_for_its_indexes(
    monkeypatch: pytest.MonkeyPatch, papers: list[Paper], failure: type[BaseException]
) -> None:
    """Ctrl-C, or a model that fails, interrupts the statement that SQLite is at."""
    at_work = threading.Event()

    def endless(self: PaperDatabase) -> None:
        at_work.set()
        self.query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )

    def impatient(stage: str, done: int, total: int | None) -> None:
        if stage == "embedding":
            assert at_work.wait(20)
            raise failure("enough")

    with monkeypatch.context() as patch:
        patch.setattr(PaperDatabase, "index", endless)
        with pytest.raises(failure, match="enough"):
            build_store(papers, "conf", model=HashEmbeddings(), progress=impatient)
    assert not any(thread.name.startswith("swimmer-index") for thread in threading.enumerate())
    assert build_store(papers, "conf", model=HashEmbeddings()).verify() == []


@pytest.mark.parametrize("stage", ["reading", "embedding", "writing"])
def test_ctrl_c_in_any_stage_leaves_a_build_that_can_be_done_again(
    stage: str, papers: list[Paper]
) -> None:
    def impatient(now: str, done: int, total: int | None) -> None:
        if now == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(papers, "conf", model=HashEmbeddings(), progress=impatient)
    assert not (Path("vectorstores") / "conf" / "manifest.json").exists()
    store = build_store(papers, "conf", model=HashEmbeddings())
    assert list(store) == papers and store.verify() == []


def test_a_line_that_cannot_be_read_is_named_however_far_it_stands(home: Path) -> None:
    lines = [json.dumps({"title": f"Paper {i}", "id": str(i)}) for i in range(2_500)]
    lines[2_345] = '{"title": "cut o'
    (home / "list.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SourceError, match=r"list\.jsonl: line 2346 is not JSON"):
        build_store("list.jsonl", "conf", model=HashEmbeddings())
    assert not (Path("vectorstores") / "conf" / "manifest.json").exists()


@pytest.mark.parametrize(
    "answer",
    [
        lambda texts: [[1.0, 2.0]] * (len(texts) + 1),
        lambda texts: [[float("nan"), 1.0]] * len(texts),
        lambda texts: [[1.0] * (1 + i % 2) for i in range(len(texts))],
        lambda texts: [["a", "b"]] * len(texts),
        lambda texts: [1.0] * len(texts),
        lambda texts: None,
    ],
    ids=["too many", "nan", "ragged", "text", "flat", "none"],
)
def test_a_model_that_answers_wrongly_is_refused(answer: Any, papers: list[Paper]) -> None:
    class Wrong:
        def embed_documents(self, texts: list[str]) -> Any:
            return answer(texts)

        def embed_query(self, text: str) -> Any:
            return answer([text])[0]

    with pytest.raises(ModelError, match="the model"):
        build_store(papers, "conf", model=Wrong())


def test_an_object_without_the_two_methods_is_no_model(papers: list[Paper]) -> None:
    with pytest.raises(ModelError, match="embed_documents and embed_query"):
        build_store(papers, "conf", model=object())  # type: ignore[arg-type]


def test_an_object_takes_no_options() -> None:
    for model in (HashEmbeddings(), load_model(HashEmbeddings())):
        with pytest.raises(ModelError, match="its own settings, got device"):
            load_model(model, device="cpu")


# ---------------------------------------------------------------------- one writer


def test_two_builds_of_one_store_at_once_are_refused(papers: list[Paper]) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[Paper]:
        yield papers[0]
        started.set()
        go_on.wait(20)
        yield from papers[1:]

    class Slow:
        name, origin = "slow", "a slow list"

        def papers(self, report: object) -> Iterator[Paper]:
            yield from papers[:250]

    done: list[object] = []
    many = [Paper(title=f"Paper {i}", id=str(i)) for i in range(300)]

    def progress(stage: str, count: int, total: int | None) -> None:
        started.set()
        go_on.wait(20)

    worker = threading.Thread(
        target=lambda: done.append(
            build_store(many, "conf", model=HashEmbeddings(), progress=progress)
        )
    )
    worker.start()
    assert started.wait(20)
    with pytest.raises(StoreBusyError, match="another process is writing"):
        build_store(papers, "conf", model=HashEmbeddings())
    go_on.set()
    worker.join()
    assert len(open_store("conf")) == 300 and done


BUILD = """
import sys
sys.path.insert(0, {root!r})
from tests.models import HashEmbeddings
from swimmer import Paper, build_store
import swimmer.build.vectors, swimmer.build.checkpoint
swimmer.build.vectors.CHUNK, swimmer.build.checkpoint.CHECKPOINT_SECONDS = 16, 0.05
papers = [Paper(title=f"Version {version} of paper {{i}}", abstract="w{{i}} " * 9, id=str(i))
          for i in range({first}, {first} + 200)]
print("ready", flush=True)
build_store(papers, {folder!r}, model=HashEmbeddings(delay=0.001), prune=True)
"""


def test_kill_at_random_instants_never_harms_a_store(tmp_path: Path) -> None:
    """Kill -9 while building and while updating: the old or the new store, whole."""
    random.seed(7)
    folder = tmp_path / "s"
    whole: set[str] = set()
    killed = 0
    for attempt in range(16):
        version = attempt // 2
        code = BUILD.format(
            root=str(REPOSITORY), folder=str(folder), version=version, first=version * 50
        )
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            process.wait(random.uniform(0.01, 0.9))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        process.stdout.close()
        if not (folder / "manifest.json").exists():
            assert not whole, "a store that was there is gone"
            continue
        with PaperStore.open(folder) as store:
            store.model(HashEmbeddings())
            assert store.verify() == []
            versions = {paper.title.split(" of ")[0] for paper in store}
            assert len(versions) == 1, f"a mixed store: {versions}"
            assert len(store) == 200
            whole |= versions
    assert killed >= 4, "the kills came too late to test anything"
    last = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert last.returncode == 0
    with PaperStore.open(folder) as store:
        assert {paper.title.split(" of ")[0] for paper in store} == {f"Version {version}"}


# ---------------------------------------------------------------------- disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB, where the machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if (
        os.name != "posix"
        or shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a small tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_an_error_and_loses_nothing(small_disk: Path, papers: list[Paper]) -> None:
    build_store(papers, small_disk / "s", model=HashEmbeddings()).close()
    more = [
        Paper(title=f"Paper {i} " + "w" * 300, abstract="a " * 900, id=f"m{i}") for i in range(400)
    ]
    with pytest.raises(StoreError, match=r"No space left|no space left|full"):
        build_store(more, small_disk / "s", model=HashEmbeddings())
    with PaperStore.open(small_disk / "s") as store:
        store.model(HashEmbeddings())
        assert list(store) == papers and store.verify() == []


def test_a_read_only_folder_is_an_error(small_disk: Path, papers: list[Paper]) -> None:
    build_store(papers, small_disk / "s", model=HashEmbeddings()).close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match="cannot be written"):
        build_store(papers[:5], small_disk / "s", model=HashEmbeddings())
    with PaperStore.open(small_disk / "s") as store:
        assert len(search(store, papers[0].title, k=3)) == 3


def test_the_real_list_builds_whole(shared: Path) -> None:
    started = time.monotonic()
    store, report = run_build(shared / "corpora" / "iclr2025_downloads.json")
    assert store.name == "iclr2025"
    assert (report.source.read, len(store)) == (3723, 3683)
    assert report.source.skipped["not a paper but workshop"].count == 40
    assert all("//" not in paper.url.removeprefix("https://") for paper in store)
    assert report.seconds <= time.monotonic() - started
    (best, *_) = search(
        store,
        "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models",
    )
    assert best.score > 0.4 and "Bi-Factorial" not in best.paper.title


# ---------------------------------------------------------------------- a store again


def test_a_store_is_embedded_again_from_its_own_papers(home: Path, papers: list[Paper]) -> None:
    list_file = home / "list.jsonl"
    list_file.write_text("".join(json.dumps(paper.to_dict()) + "\n" for paper in papers))
    first = build_store(list_file, "first", model=HashEmbeddings(16))
    list_file.unlink()
    other = build_store(first.folder or "", "other", model=HashEmbeddings(32))
    assert list(other) == list(first)
    assert (first.identity.dimension, other.identity.dimension) == (16, 32)
    again, report = run_build(first.folder or "", model=HashEmbeddings(24))
    assert again.folder == first.folder and counts(report) == (0, 0, len(papers), 0)
    assert again.identity.dimension == 24 and again.verify() == []
    assert again.manifest.source == other.manifest.source == str(list_file)
    texts = [paper.embedding_text for paper in again]
    made = again.model(HashEmbeddings(24)).embed_documents(texts)
    # Beside the smoothed ones, they are kept in half precision.
    assert np.allclose(again.own_vectors()[0], made, atol=1e-3)


def test_a_store_of_another_release_is_brought_to_this_one(
    home: Path, papers: list[Paper], swimmer: Callable[..., Outcome]
) -> None:
    folder = build_store(papers, "old", model="static").folder
    assert folder is not None
    edit_manifest(folder, model__fingerprint=fingerprint_of(HashEmbeddings(256)))
    said = swimmer("search", "words that no title has", "--store", "old")
    assert said.code == 2 and "swimmer build ITS_FOLDER --model static" in said.err
    done = swimmer("build", folder, "--model", "static")
    assert (done.code, done.err) == (0, "") and f"{len(papers)} unchanged" in done.out
    assert swimmer("search", "graphs", "--store", "old").code == 0


def fingerprint_of(embeddings: HashEmbeddings) -> str:
    return load_model(embeddings).identity.fingerprint


def test_plain_documents_are_embedded_again_by_their_own_text(home: Path) -> None:
    texts = ["Any text at all. " * 60 + "It ends on graphs.", "A short text"]
    made = PaperVectorStore.from_texts(texts, SwimmerEmbeddings("static"), [{"page": 1}, {}])
    made.save_local(str(home / "texts"))
    new = HashEmbeddings(32)
    for source in (home / "texts", [Paper("Another", "paper", id="9")]):
        store = build_store(source, home / "texts", model=new)
        assert set(texts) <= set(new.embedded)
        vectors = store.vectors()[: len(texts)]
        assert np.allclose(vectors, store.model(new).embed_documents(texts), atol=1e-6)
        new = HashEmbeddings(48)


def test_a_list_may_call_a_field_as_documents_are_kept(home: Path) -> None:
    hostile: list[Any] = [1, "no JSON", ["[1, {}]"], {"a": 1}, ['["", {}]'], ["[" * 9999], None]
    papers = [Paper(f"Paper {i}", extra={"langchain_document": x}) for i, x in enumerate(hostile)]
    store = build_store(papers, "hostile", model=HashEmbeddings())
    assert [paper.document for paper in store] == [None] * len(hostile)
    assert [paper_document(paper).page_content for paper in store] == [
        paper.page_content for paper in papers
    ]


def test_papers_that_the_list_does_not_name_are_embedded_again_once(papers: list[Paper]) -> None:
    build_store(papers, "some", model=HashEmbeddings(16))
    for given in (papers[:1], papers):
        report = run_build(given, "some", model=HashEmbeddings(24)).report
        assert report is not None
        assert report.embedded == (len(papers) if given == papers[:1] else 0)


def test_a_torn_store_is_no_source(home: Path, swimmer: Callable[..., Outcome]) -> None:
    torn = home / "torn"
    torn.mkdir()
    (torn / "manifest.json").write_text("{")
    done = swimmer("build", torn, "--model", "static")
    assert done.code == 2 and "cannot be read" in done.err


@pytest.mark.parametrize("name", ["b" * 400, "folder/" + "b" * 400 + ".json", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(
    name: str, swimmer: Callable[..., Outcome]
) -> None:
    done = swimmer("build", name)
    assert done.code == 2 and done.err.startswith("error: ")
    with pytest.raises(SourceError):
        build_store(name)


# ---------------------------------------------------------------------- the collector


@pytest.mark.parametrize("before", [(700, 10, 10), (0, 10, 10), (90_000, 5, 5)])
def test_the_garbage_collector_is_as_before_after_a_build(
    before: tuple[int, int, int], tmp_path: Path
) -> None:
    met: list[tuple[int, int, int]] = []

    def papers() -> Iterator[Paper]:
        yield from (Paper(f"Walking robots {n}") for n in range(200))
        # The first papers are read before the build begins.
        met.append(gc.get_threshold())
        yield Paper("Swimming robots")
        if before[1] == 5:
            raise SourceError("the list breaks off")

    kept = gc.get_threshold()
    try:
        gc.set_threshold(*before)
        with contextlib.suppress(SourceError):
            build_store(papers(), tmp_path / "s", model=HashEmbeddings())
        assert met == [(50_000, 10, 10) if before[0] == 700 else before]
        assert gc.get_threshold() == before
    finally:
        gc.set_threshold(*kept)
