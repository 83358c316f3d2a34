"""A plan of a conference and a check of references as tools, over MCP and in LangChain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from swimmer import Paper, PaperStore, build_store
from swimmer.langchain import PaperToolkit
from swimmer.library import ReadingList
from swimmer.toolkit import MOST_TOKENS, tokens_of

pytest.importorskip("mcp.server.mcpserver", reason="needs the extra 'mcp' (the SDK, 2.3 or later)")

from mcp import Client

from swimmer.mcp_server import build_server

from .test_plan import OTHERS, ROBOTS, poster, talk

LAKE = Paper(
    "Walking Robots Learn to Cross Frozen Lakes",
    authors=("Ann B. Fox", "Björn Ørsted"),
    venue="ICLR",
    year=2025,
    url="https://openreview.net/forum?id=lakeLAKE12",
    id="lake",
)
ENTRY = "@article{{{key}, title={{{title}}}, author={{Fox, Ann and Ørsted, B.}}, {rest}}}\n"
BIBLIOGRAPHY = "".join(
    [
        ENTRY.format(key="good", title=LAKE.title, rest="year=2025"),
        ENTRY.format(key="year", title=LAKE.title, rest="year=2023, journal={ICLR}"),
        ENTRY.format(key="pre", title=LAKE.title, rest="year=2024, journal={arXiv:2401.01234}"),
        "@misc{none, title={Nobody Has Written This Paper}, author={No One}, year=1999}\n",
    ]
)
LIBRARY = ["Walking robots climb stairs with legs"]


@pytest.fixture
def conf(home: Path) -> Iterator[PaperStore]:
    papers = [*(poster(n) for n in range(8)), talk(1, "10:05", "10:20"), *OTHERS]
    build_store([LAKE, *OTHERS], "lakes").close()
    with build_store(papers, "conf") as store:
        yield store


async def called(tool: str, refused: bool = False, **arguments: Any) -> dict[str, Any]:
    """Return the answer of a tool over MCP; that of the LangChain tool must be the same."""
    async with Client(build_server("conf", allow_lists=True)) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error is refused, result.content
    (text,) = result.content
    tools = {one.name: one for one in PaperToolkit(allow_lists=True, store="conf").get_tools()}
    if "stores" not in arguments and tool != "check_references":
        call = {"name": tool, "args": arguments, "id": "1", "type": "tool_call"}
        message = tools[tool].invoke(call)
        assert message.text == text.text  # type: ignore[union-attr]
        assert message.status == ("error" if refused else "success")
    assert result.structured_content is not None
    return dict(result.structured_content)


async def test_a_conference_is_planned(conf: PaperStore) -> None:
    plan = await called("plan_conference", titles=LIBRARY, minutes=25)
    session, oral = plan["sessions"]
    assert (session["session"], session["room"]) == ("Poster Session 1", "Hall 1")
    assert session["start"] == "2031-04-24T10:00:00+08:00" and oral["overlaps"] == [
        "Poster Session 1"
    ]
    places = [one["position"] for one in session["papers"]]
    assert places == sorted(places, key=lambda place: int(place[1:])) and len(places) == 4
    assert session["papers"][0]["start"] == "2031-04-24T10:20:00+08:00"
    assert session["papers"][0]["near"] == [LIBRARY[0]] and not session["papers"][0]["own"]
    assert len(session["alternatives"]) == 3 and plan["minutes"] == 115
    assert (plan["store"], plan["library"], plan["more"]) == ("conf", 1, 0)
    assert sorted(plan["untimed"]) == [one.title for one in OTHERS]
    few = await called("plan_conference", titles=LIBRARY, k=2, where='title=~"part 3"')
    assert [one["id"] for one in few["sessions"][0]["papers"]] == ["p3"]
    there = await called("plan_conference", titles=LIBRARY, zone="UTC", minutes=30)
    assert there["sessions"][0]["start"] == "2031-04-24T02:00:00+00:00"
    ReadingList().add("conf", Paper("Walking robots", ROBOTS), "trip")
    assert (await called("plan_conference", reading_list="trip"))["sessions"]


async def test_a_plan_that_cannot_be_made_says_why(conf: PaperStore) -> None:
    for wrong, said in (
        ({}, "library is empty"),
        ({"titles": LIBRARY, "hours": 0}, "hours"),
        ({"titles": LIBRARY, "hours": 2000}, "hours"),
        ({"titles": LIBRARY, "zone": "Mars/Olympus"}, "time zone"),
        ({"titles": LIBRARY, "zone": "../../etc/passwd"}, "time zone"),
        ({"titles": LIBRARY, "where": "nonsense=1"}, "nonsense"),
        ({"titles": LIBRARY, "library": "/etc/passwd"}, "no such argument"),
        ({"titles": LIBRARY, "k": 51}, "k"),
        ({"titles": [" "]}, "blank"),
    ):
        answer = await called("plan_conference", True, **wrong)
        assert said in answer["error"], answer
    async with Client(build_server("lakes")) as client:
        result = await client.call_tool("plan_conference", {"titles": [LAKE.title]})
        assert result.is_error and "gives no times" in result.content[0].text  # type: ignore[union-attr]
        result = await client.call_tool("plan_conference", {"reading_list": "trip"})
        assert result.is_error and "--allow-lists" in result.content[0].text  # type: ignore[union-attr]


async def test_a_long_plan_is_bounded_and_loses_the_last_ranks(home: Path) -> None:
    long = "Walking robots climb stairs " + "with many legs " * 15
    papers = [poster(n, session=f"Session {'x' * 150} {n % 20}", day=1 + n % 20) for n in range(50)]
    papers = [
        Paper(f"{long} {n}", ROBOTS, id=f"{'i' * 300}{n}", url=one.url, extra=one.extra)
        for n, one in enumerate(papers)
    ]
    build_store(papers, "conf").close()
    plan = await called("plan_conference", titles=LIBRARY, k=50)
    assert tokens_of(json.dumps(plan, ensure_ascii=False, separators=(",", ":"))) <= MOST_TOKENS
    ranks = sorted(one["rank"] for session in plan["sessions"] for one in session["papers"])
    assert ranks == list(range(1, len(ranks) + 1)) and plan["more"] == 50 - len(ranks) > 0
    assert "left out" in plan["warnings"][-1] and all(one["papers"] for one in plan["sessions"])


async def test_references_are_checked(conf: PaperStore) -> None:
    found = await called("check_references", bibliography=BIBLIOGRAPHY)
    assert found["counts"] == {"found": 1, "differs": 1, "published": 1, "unknown": 1}
    assert found["stores"] == ["conf", "lakes"] and found["more"] == 0 == len(found["warnings"])
    good, year, pre, none = found["references"]
    assert good == {
        "key": "good",
        "title": LAKE.title,
        "verdict": "found",
        "store": "lakes",
        "id": "lake",
    }
    assert year["differences"] == [{"field": "year", "given": "2023", "known": "2025"}]
    assert pre["verdict"] == "published" and pre["entry"].startswith("@inproceedings{pre,\n  title")
    assert "Learning Representations" in pre["entry"] and none["verdict"] == "unknown"
    texts = [f"Ann B. Fox and Björn Ørsted. {LAKE.title}. In ICLR, 2025.", "A title alone"]
    listed = await called("check_references", references=texts, stores=["lakes"])
    assert [one["verdict"] for one in listed["references"]] == ["found", "unknown"]
    assert (await called("check_references", references=texts, store="conf"))["counts"] == {
        "unknown": 2
    }
    tool = PaperToolkit(store="lakes").get_tools()[-1]
    call = {"args": {"references": texts}, "id": "1", "name": tool.name, "type": "tool_call"}
    message = tool.invoke(call)
    assert [one.metadata["title"] for one in message.artifact] == [LAKE.title]
    assert json.loads(tool.invoke(BIBLIOGRAPHY))["counts"]["found"] == 1
    every = PaperToolkit().get_tools()[-1].invoke({"references": texts})
    assert json.loads(every)["counts"] == {"found": 1, "unknown": 1}


async def test_references_that_cannot_be_checked_say_why(conf: PaperStore) -> None:
    for wrong, said in (
        ({}, "either"),
        ({"bibliography": BIBLIOGRAPHY, "references": ["A title"]}, "either"),
        ({"bibliography": " "}, "no reference"),
        ({"references": [" "]}, "no reference"),
        ({"references": ["A title"] * 501}, "references"),
        ({"bibliography": "A study of words\n" * 501}, "at most 500"),
        ({"path": "refs.bib"}, "no such argument"),
        ({"references": ["A title"], "store": "nosuch"}, "nosuch"),
        ({"bibliography": "x" * 500_001}, "bibliography"),
    ):
        assert said in (await called("check_references", True, **wrong))["error"]
    # A path is a text like any other.
    given = await called("check_references", references=["/etc/passwd"])
    assert given["counts"] == {"unknown": 1}
    damaged = await called(
        "check_references", bibliography=BIBLIOGRAPHY + "@misc{x, title={No end\n"
    )
    assert len(damaged["references"]) == 4 and damaged["warnings"]


async def test_many_references_are_bounded_and_faults_stay(conf: PaperStore) -> None:
    good = ENTRY.format(key="good", title=LAKE.title, rest="year=2025")
    many = good * 400 + ENTRY.format(key="year", title=LAKE.title, rest="year=2023")
    found = await called("check_references", bibliography=many)
    assert tokens_of(json.dumps(found, ensure_ascii=False, separators=(",", ":"))) <= MOST_TOKENS
    assert found["counts"] == {"found": 400, "differs": 1} and found["more"] > 0
    assert found["references"][-1]["key"] == "year" and "left out" in found["warnings"][-1]
    hostile = "@misc{k, title={Red \x1b[31m alarm \u202e here}, note={ignore all}, year=2020}"
    (one,) = (await called("check_references", bibliography=hostile))["references"]
    assert "\x1b" not in one["title"] and "\u202e" not in one["title"]
