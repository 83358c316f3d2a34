"""Reading lists: several of them, tags, status, notes; at the terminal, in Python, over MCP."""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from swimmer import Paper, build_store
from swimmer.errors import QueryError, StoreError
from swimmer.library import DEFAULT_LIST, STATUSES, ListEntry, ReadingList

from .conftest import Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def kept(home: Path) -> ReadingList:
    return ReadingList(home / "list.json")


@pytest.fixture
def conf(papers: list[Paper]) -> str:
    build_store(papers, "conf").close()
    return "conf"


def titles(entries: list[ListEntry]) -> list[str]:
    return [entry.paper.title for entry in entries]


# ---------------------------------------------------------------------- in Python


def test_a_paper_is_on_several_lists(kept: ReadingList, papers: list[Paper]) -> None:
    one = kept.add("conf", papers[0])
    kept.add("conf", papers[1], "Thesis")
    both = kept.add("conf", papers[0], "thesis")
    assert both.key == one.key and both.lists == (DEFAULT_LIST, "Thesis")
    assert kept.names() == [DEFAULT_LIST, "Thesis"]
    assert titles(kept.entries("THESIS")) == [papers[1].title, papers[0].title]
    assert titles(kept.entries(DEFAULT_LIST)) == [papers[0].title]
    assert len(kept.entries()) == 2 and len(kept.keys()) == 2
    kept.remove(one.key, "Thesis")
    assert kept.entries("Thesis")[0].paper == papers[1] and len(kept.entries()) == 2
    kept.remove(one.key, DEFAULT_LIST)
    assert titles(kept.entries()) == [papers[1].title]
    with pytest.raises(QueryError, match="no list 'nothing'"):
        kept.entries("nothing")


def test_many_papers_are_added_at_once_all_or_none(
    kept: ReadingList, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add("conf", papers[1])
    added = kept.add_all([("conf", paper) for paper in papers[:3]], "Thesis")
    assert titles(added) == titles(kept.entries("Thesis")) == [p.title for p in papers[:3]]
    assert titles(kept.entries(DEFAULT_LIST)) == [papers[1].title]
    assert kept.add_all([]) == []
    monkeypatch.setattr("swimmer.library.reading_list.MOST", 4)
    before = kept.path.read_bytes()
    with pytest.raises(QueryError, match="hold 4 papers"):
        kept.add_all([("conf", paper) for paper in papers[2:6]])
    assert kept.path.read_bytes() == before and len(kept.entries()) == 3


def test_status_tags_and_notes_belong_to_the_paper(kept: ReadingList, papers: list[Paper]) -> None:
    key = kept.add("conf", papers[0]).key
    kept.add("conf", papers[1])
    assert kept.entries()[0].status == "to read"
    kept.edit(key, status="reading", tags=["Vision", "#to cite", "vision"], note="a\r\nb")
    kept.edit(key, lists=["A", DEFAULT_LIST, "a"])
    (entry,) = kept.entries(status="reading")
    assert entry.tags == ("Vision", "to cite") and entry.note == "a\nb"
    assert entry.lists == ("A", DEFAULT_LIST) and kept.names() == [DEFAULT_LIST, "A"]
    assert kept.entries(tag="VISION") == kept.entries(tag="#to cite") == [entry]
    assert ReadingList(kept.path).entries() == kept.entries()
    changes: list[dict[str, Any]] = [
        {"status": "done"},
        {"tags": ["a,b"]},
        {"tags": [" "]},
        {"tags": ["x" * 61]},
        {"lists": []},
        {"lists": ["a,b"]},
        {"lists": ["\x1b[2J" * 30]},
        {"note": "x" * 10_001},
        {"tags": [f"t{n}" for n in range(51)]},
    ]
    for wrong in changes:
        with pytest.raises(QueryError):
            kept.edit(key, **wrong)
    assert kept.entries(tag="vision") == [entry]


def test_papers_move_within_their_list(kept: ReadingList, papers: list[Paper]) -> None:
    for number, paper in enumerate(papers[:6]):
        kept.add("conf", paper, "odd" if number % 2 else "even")
    keys = [entry.key for entry in kept.entries("odd")]
    kept.move(keys[2], -1, "odd")
    assert [entry.key for entry in kept.entries("odd")] == [keys[0], keys[2], keys[1]]
    kept.move(keys[0], 99, "odd")
    assert [entry.key for entry in kept.entries("odd")] == [keys[2], keys[1], keys[0]]
    assert titles(kept.entries("even")) == [papers[0].title, papers[2].title, papers[4].title]
    with pytest.raises(QueryError, match="not on the list"):
        kept.move(keys[0], 1, "even")


def test_lists_are_renamed_and_deleted(kept: ReadingList, papers: list[Paper]) -> None:
    kept.add("conf", papers[0])
    kept.add("conf", papers[0], "thesis")
    kept.add("conf", papers[1], "thesis")
    kept.rename("thesis", "PhD")
    assert kept.names() == [DEFAULT_LIST, "PhD"] and len(kept.entries("phd")) == 2
    kept.rename("PhD", "phd")
    with pytest.raises(QueryError, match="already"):
        kept.rename("phd", "READING LIST")
    assert kept.delete("phd") == 1
    assert titles(kept.entries()) == [papers[0].title] and kept.names() == [DEFAULT_LIST]
    with pytest.raises(QueryError):
        kept.delete("phd")


def test_a_paper_is_found_by_what_names_it(kept: ReadingList, papers: list[Paper]) -> None:
    for paper in papers[:5]:
        kept.add("conf", paper)
    entry = kept.entries()[2]
    part = entry.paper.title[:25].upper()
    for text in (entry.key, entry.paper.id, entry.paper.title.lower(), part):
        assert kept.find(text) == entry
    with pytest.raises(QueryError) as wrong:
        kept.find(papers[0].title.replace("a", "e"))
    assert papers[0].display_title in wrong.value.hint
    kept.add("other", papers[2])
    with pytest.raises(QueryError, match="2 papers"):
        kept.find(entry.paper.title)


# ---------------------------------------------------------------------- the file


def test_a_list_of_the_first_schema_is_taken_over(home: Path, papers: list[Paper]) -> None:
    path = home / "list.json"
    old = {
        "schema": 1,
        "papers": [
            {
                "store": "conf",
                "added": "2026-01-01T00:00:00+00:00",
                "note": "mine",
                "paper": {"title": "An old one", "id": "1"},
            }
        ],
    }
    path.write_text(json.dumps(old))
    kept = ReadingList(path)
    (entry,) = kept.entries()
    assert (entry.note, entry.status, entry.lists) == ("mine", "to read", (DEFAULT_LIST,))
    assert json.loads(path.read_text()) == old, "reading changes nothing"
    kept.add("conf", papers[0], "thesis")
    assert json.loads(path.read_text())["schema"] == 2
    assert json.loads((home / "list.schema-1.json").read_text()) == old
    kept.edit(entry.key, status="read")
    assert json.loads((home / "list.schema-1.json").read_text()) == old


def test_what_was_written_by_hand_is_read(home: Path) -> None:
    path = home / "list.json"
    entry = {
        "paper": {"title": "By hand"},
        "status": "done",
        "tags": ["ok", 3, "a,b", None],
        "lists": ["mine", {}],
    }
    path.write_text(json.dumps({"schema": 2, "lists": "nonsense", "papers": [entry]}))
    kept = ReadingList(path)
    (found,) = kept.entries("mine")
    assert (found.status, found.tags, found.lists) == ("to read", ("ok",), ("mine",))
    assert kept.names() == ["mine"] and not kept.problem


def test_a_damaged_file_is_put_aside(home: Path, papers: list[Paper], swimmer: Run) -> None:
    path = home / "data.json"
    path.write_text('{"schema": 2, "papers": [{"paper"')
    kept = ReadingList(path)
    kept.add("conf", papers[0])
    assert "was damaged" in kept.problem and len(list(home.glob("data.damaged-*"))) == 1


def _add_many(path: Path, first: int) -> None:
    kept = ReadingList(path)
    for number in range(first, first + 20):
        key = kept.add("conf", Paper(f"Paper {number}", id=str(number)), f"list {first}").key
        kept.edit(key, tags=["t"])


def test_processes_that_write_at_once_lose_nothing(home: Path) -> None:
    path = home / "list.json"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(path, first)) for first in (0, 100, 200)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    kept = ReadingList(path)
    assert len(kept.entries(tag="t")) == 60
    assert sorted(kept.names()) == ["list 0", "list 100", "list 200"]


def test_a_file_that_cannot_be_written_stays(
    kept: ReadingList, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.add("conf", papers[0])
    before = kept.path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("swimmer.library.reading_list.write_file", full)
        with pytest.raises(StoreError, match="No space"):
            kept.add("conf", papers[1], "thesis")
    assert kept.path.read_bytes() == before
    assert kept.names() == [DEFAULT_LIST] and len(kept.entries()) == 1


NAMES = st.text(max_size=12)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 4), NAMES),
        st.tuples(st.just("edit"), st.integers(0, 4), st.lists(NAMES, max_size=3)),
        st.tuples(st.just("remove"), st.integers(0, 4), NAMES),
        st.tuples(st.just("move"), st.integers(0, 4), st.integers(-3, 3)),
        st.tuples(st.just("rename"), NAMES, NAMES),
        st.tuples(st.just("delete"), NAMES, NAMES),
    ),
    max_size=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=CHANGES)
def test_after_any_changes_the_file_says_what_the_lists_are(
    home: Path, papers: list[Paper], changes: list[tuple[Any, ...]]
) -> None:
    path = home / "any.json"
    path.unlink(missing_ok=True)
    kept = ReadingList(path)
    keys = [ListEntry("conf", paper).key for paper in papers]
    for what, first, second in changes:
        try:
            if what == "add":
                kept.add("conf", papers[first], second)
            elif what == "edit":
                kept.edit(keys[first], tags=second, lists=second)
            elif what == "remove":
                kept.remove(keys[first], second or None)
            elif what == "move":
                kept.move(keys[first], second)
            else:
                getattr(kept, what)(*((first, second) if what == "rename" else (first,)))
        except QueryError:
            pass
    again = ReadingList(path)
    assert again.entries() == kept.entries() and again.names() == kept.names()
    assert not again.problem
    for entry in again.entries():
        assert entry.lists and set(entry.lists) <= set(again.names())


# ---------------------------------------------------------------------- at the terminal


def test_papers_are_added_noted_and_shown(conf: str, papers: list[Paper], swimmer: Run) -> None:
    first, second = papers[:2]
    assert (
        swimmer("lists").out.split()
        == "LIST PAPERS TO READ READING READ Reading list 0 0 0 0".split()
    )
    done = swimmer("add", first.title, "--note", "start here")
    assert done.code == 0 and done.out.startswith("added to Reading list:")
    done = swimmer("add", second.id, "-l", "thesis", "--status", "reading", "--tag", "#x")
    assert "reading · #x" in done.out
    assert swimmer("add", first.title.lower()).out.startswith("is on Reading list:")
    rows = [json.loads(line) for line in swimmer("lists", "--json").out.splitlines()]
    assert [(row["list"], row["papers"], row["reading"]) for row in rows] == [
        ("Reading list", 1, 0),
        ("thesis", 1, 1),
    ]
    shown = swimmer("lists", "thesis").out
    assert second.display_title in shown and "#x" in shown and first.display_title not in shown
    done = swimmer("note", first.title[:20], "then section 2", "--status", "read", "--tag", "y")
    assert "| start here\n| then section 2" in done.out and "read · #y" in done.out
    assert "| only this" in swimmer("note", first.id, "only this", "--replace", "--untag", "Y").out
    (entry,) = ReadingList().entries(status="read")
    assert entry.note == "only this" and entry.tags == ()
    (line,) = swimmer("lists", "--status", "read", "--json").out.splitlines()
    assert json.loads(line)["note"] == "only this" and json.loads(line)["lists"] == ["Reading list"]


def test_a_list_is_written_renamed_and_deleted(
    conf: str, papers: list[Paper], swimmer: Run
) -> None:
    for paper in papers[:3]:
        swimmer("add", paper.id, "-l", "thesis", "--tag", "t", "--note", "n")
    for name, part in (("t.md", papers[0].title), ("t.bib", "@"), ("t.csv", "title")):
        assert swimmer("lists", "thesis", "-o", name).code == 0
        assert part in Path(name).read_text()
    written = [json.loads(one) for one in swimmer("lists", "thesis", "-f", "json").out.splitlines()]
    assert written[0]["reading_tags"] == ["t"] and written[0]["reading_notes"] == ["n"]
    assert swimmer("lists", "thesis", "-o", "t.docx").code == 2
    assert swimmer("lists", "thesis", "-o", "t.txt", "-f", "markdown").code == 2
    assert swimmer("lists", "thesis", "--rename", "PhD").code == 0
    assert swimmer("lists", "phd", "--remove", papers[0].id).code == 0
    assert "papers deleted: 2" in swimmer("lists", "PhD", "--delete", "--yes").out
    assert ReadingList().entries() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["lists", "nothing"],
        ["lists", "--rename", "x"],
        ["lists", "Reading list", "--delete", "--rename", "x"],
        ["lists", "Reading list", "--remove", "nothing"],
        ["lists", "--status", "done"],
        ["add", "there is no such paper at all here"],
        ["add", "p04", "--store", "nowhere"],
        ["add", "p04", "--list", "a,b"],
        ["add", "p04", "--list", " "],
        ["add", "p04", "--tag", "a,b"],
        ["note", "nothing", "text"],
        ["note", "nothing", "--replace"],
    ],
)
def test_a_wrong_call_says_what_to_do(conf: str, swimmer: Run, arguments: list[str]) -> None:
    done = swimmer(*arguments)
    assert done.code == 2 and done.err.startswith("error: ") and "hint: " in done.err
    assert ReadingList().entries() == []


def test_a_paper_is_taken_from_the_store_that_has_it(
    conf: str, papers: list[Paper], swimmer: Run
) -> None:
    build_store([Paper("Soup for Robots", id="s1", abstract="Soup.")], "newer").close()
    assert swimmer("add", papers[3].title).code == 0
    assert swimmer("add", "s1").code == 0
    assert [entry.store for entry in ReadingList().entries()] == ["conf", "newer"]


def test_what_others_wrote_is_shown_as_text(home: Path, swimmer: Run) -> None:
    kept = ReadingList()
    key = kept.add("evil\x1b[2J", Paper("A \x1b]0;title\x07 paper", id="x\n\x1b[31m")).key
    kept.edit(key, note="\x1b[2J note", tags=["\x1b[2Jtag"])
    for arguments in (["lists", DEFAULT_LIST], ["note", key], ["lists", "--json"]):
        assert "\x1b" not in swimmer(*arguments).out


# ---------------------------------------------------------------------- the page


def test_the_page_shows_a_list_a_status_a_tag(conf: str, papers: list[Paper]) -> None:
    pytest.importorskip("starlette")
    from starlette.testclient import TestClient

    from swimmer.web.app import create_app

    origin = "http://localhost:8765"
    kept = ReadingList()
    keys = [kept.add("conf", paper).key for paper in papers[:3]]
    kept.add("conf", papers[3], "<script>alert(1)</script>")

    def shown(text: str) -> list[str]:
        return re.findall(r'<li class="hit" id="(\w+)"', text)

    with TestClient(create_app(), base_url=origin) as client:

        def post(path: str, **fields: str) -> Any:
            headers = {"Origin": origin}
            return client.post(path, data=fields, headers=headers, follow_redirects=False)

        every = client.get("/list").text
        assert len(shown(every)) == 4 and "<script>alert" not in every
        assert shown(client.get("/list", params={"list": "reading list"}).text) == keys
        edit = {"key": keys[1], "status": "read", "tags": "vision, to cite", "lists": "A, thesis"}
        done = post("/list/note", **edit, list="reading list")
        assert done.headers["location"].startswith("/list?list=reading+list&at=")
        assert kept.names()[-2:] == ["A", "thesis"]
        assert shown(client.get("/list?status=read").text) == [keys[1]]
        assert shown(client.get("/list?tag=TO+CITE&list=A").text) == [keys[1]]
        nothing = client.get("/list?status=reading").text
        assert shown(nothing) == [] and "choose another list" in nothing
        assert client.get("/list?list=nothing").status_code == 400
        assert client.get("/list/export?format=json&list=A").text.count("\n") == 1
        assert 'action="/list/move"' not in client.get("/list?status=read").text
        for wrong in ({"status": "done"}, {"lists": " , "}, {"tags": "x" * 61}):
            assert post("/list/note", key=keys[1], **wrong).status_code == 400
        assert post("/list/remove", key=keys[1], list="A").headers["location"] == "/list?list=A"
        assert shown(client.get("/list?list=thesis").text) == [keys[1]]
        moved = post("/list/move", key=keys[2], way="up", list="Reading list")
        assert moved.headers["location"] == f"/list?list=Reading+list&at={keys[2]}#{keys[2]}"
        assert [entry.key for entry in kept.entries("Reading list")] == [keys[2], keys[0]]


# ---------------------------------------------------------------------- over MCP


async def test_an_agent_reads_and_keeps_only_where_it_may(conf: str, papers: list[Paper]) -> None:
    pytest.importorskip("mcp")
    from mcp import Client

    from swimmer.mcp_server import build_server

    async with Client(build_server()) as client:
        assert not {"get_reading_list", "keep_paper"} & {
            tool.name for tool in (await client.list_tools()).tools
        }
    async with Client(build_server(allow_lists=True)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        for name, reads in (("get_reading_list", True), ("keep_paper", False)):
            assert tools[name].input_schema["additionalProperties"] is False
            assert tools[name].annotations.read_only_hint is reads  # type: ignore[union-attr]

        async def call(name: str, **arguments: Any) -> Any:
            done = await client.call_tool(name, arguments)
            return done.is_error, done.structured_content

        wanted = {"list": "thesis", "status": "reading", "tags": ["x"], "note": "a line"}
        for _ in range(2):
            wrong, data = await call("keep_paper", paper=papers[0].title, **wanted)
            assert not wrong and data["lists"] == ["thesis"] and data["note"] == "a line"
        wrong, data = await call("get_reading_list", list="thesis", tag="X")
        assert not wrong and data["lists"] == ["thesis"] and data["more"] == 0
        assert data["papers"][0]["title"] == papers[0].display_title
        assert data["papers"][0]["reading_status"] == "reading"
        for name, arguments in (
            ("get_reading_list", {"list": "nothing"}),
            ("get_reading_list", {"file": "/etc/passwd"}),
            ("keep_paper", {"paper": "nothing of this kind"}),
            ("keep_paper", {"paper": papers[0].id, "status": "done"}),
        ):
            wrong, data = await call(name, **arguments)
            assert wrong and data["error"]
    assert len(ReadingList().entries()) == 1 and STATUSES[1] == ReadingList().entries()[0].status


def test_many_papers_stop_at_the_limit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swimmer.library.reading_list.MOST", 3)
    kept = ReadingList(home / "list.json")
    for number in range(3):
        kept.add("s", Paper(f"P{number}", id=str(number)))
    with pytest.raises(QueryError, match="hold 3 papers"):
        kept.add("s", replace(Paper("P3"), id="3"))
    assert kept.add("s", Paper("P0", id="0"), "other").lists == (DEFAULT_LIST, "other")
