"""Every source against a publisher that speaks its shape, and misbehaves in every usual way."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from swimmer.errors import FetchError, SourceError
from swimmer.papers.paper import Paper
from swimmer.sources import Source, SourceReport, open_source
from swimmer.sources.publishers.remote import SourceOptions
from tests.sources.cases import COUNT, Case, facts, install
from tests.sources.publisher import Publisher, Reply


def source_of(case: Case, publisher: Publisher, cache: Path | None, **arguments: Any) -> Source:
    def client() -> Any:
        return publisher.client(cache, **arguments)

    return open_source(case.what, SourceOptions(client=client))


def read(source: Source) -> tuple[list[Paper], SourceReport]:
    report = SourceReport()
    return list(source.papers(report)), report


def check_all(papers: list[Paper], changed: tuple[int, ...] = ()) -> None:
    wanted = {(fact.title, fact.abstract) for fact in facts(COUNT, changed)}
    assert {(paper.title, paper.abstract) for paper in papers} == wanted
    assert len(papers) == COUNT
    assert len({paper.id for paper in papers}) == COUNT


def test_every_page_is_read_once(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    install(publisher, case, facts(COUNT))
    source = source_of(case, publisher, tmp_path)
    papers, report = read(source)
    check_all(papers)
    assert source.name == case.store
    assert len(publisher.log) == case.pages
    assert report.read == COUNT + report.left_out
    assert report.without_abstract == 0
    if case.name != "list":
        assert all(paper.authors[0].startswith("Ada Number") for paper in papers)
    assert all(paper.url.startswith("https://") for paper in papers)
    assert all("swimmer/" in agent for agent in publisher.user_agents)


@pytest.mark.parametrize(
    "fault",
    [
        Reply(b"slow down", 429, {"Retry-After": "7"}),
        Reply(b"busy", 503),
        Reply(b"x" * 500, hang=3.0),
        Reply(b'{"results": [', declare=5_000),
        Reply(b"", 502),
    ],
    ids=["429", "503", "hang", "truncated", "502"],
)
def test_passing_trouble_is_waited_out(
    case: Case, publisher: Publisher, tmp_path: Path, fault: Reply
) -> None:
    install(publisher, case, facts(COUNT))
    publisher.faults = [fault]
    patience = {"timeout": 1.5} if fault.hang else {}
    papers, _ = read(source_of(case, publisher, tmp_path, **patience))
    check_all(papers)
    assert len(publisher.log) == case.pages + 1
    if fault.status == 429:
        assert 7 <= publisher.slept[0] <= 10.5


def test_an_answer_cut_off_without_notice_is_asked_for_again(
    case: Case, publisher: Publisher, tmp_path: Path
) -> None:
    install(publisher, case, facts(COUNT))
    route, asked = publisher.routes[0], Counter[str]()

    def cut_once(question: Any) -> Reply | None:
        reply = route(question)
        asked["all"] += 1
        if reply is not None and asked["all"] == 1:
            return Reply(reply.body[: len(reply.body) * 2 // 3], headers=reply.headers)
        return reply

    publisher.serve(cut_once)
    papers, _ = read(source_of(case, publisher, tmp_path))
    check_all(papers)
    assert len(publisher.log) == case.pages + 1


def test_a_web_page_instead_of_the_list_is_named(
    case: Case, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.serve(lambda _: Reply(b"<!DOCTYPE html><html><body>Log in first</body></html>"))
    with pytest.raises(SourceError, match=r"HTML|no papers"):
        read(source_of(case, publisher, tmp_path))
    # A bad answer is not kept: the next try asks again, and succeeds.
    install(publisher, case, facts(COUNT))
    check_all(read(source_of(case, publisher, tmp_path))[0])


def test_a_changed_format_names_the_field(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(case.broken(facts(COUNT)))
    with pytest.raises(SourceError, match=case.field):
        read(source_of(case, publisher, tmp_path))
    install(publisher, case, facts(COUNT))
    check_all(read(source_of(case, publisher, tmp_path))[0])


def test_an_empty_year_is_an_error(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(case.build([]))
    with pytest.raises(SourceError, match=r"no papers|none of the"):
        read(source_of(case, publisher, tmp_path))


def test_nothing_there_is_an_error(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(lambda _: Reply(b"nothing", 404))
    with pytest.raises(FetchError, match="404") as caught:
        read(source_of(case, publisher, tmp_path))
    assert caught.value.status == 404
    assert len(publisher.log) == 1


def test_a_connection_lost_half_way_is_resumed(
    case: Case, publisher: Publisher, tmp_path: Path
) -> None:
    install(publisher, case, facts(COUNT))
    publisher.dead_after = case.pages // 2
    with pytest.raises(FetchError, match="kept"):
        read(source_of(case, publisher, tmp_path))
    publisher.dead_after = None
    papers, _ = read(source_of(case, publisher, tmp_path))
    check_all(papers)
    assert max(Counter(publisher.log).values()) == 1, "a page was fetched twice"
    assert len(publisher.log) == case.pages


def test_a_second_fetch_asks_by_validators(
    case: Case, publisher: Publisher, tmp_path: Path
) -> None:
    install(publisher, case, facts(COUNT))
    read(source_of(case, publisher, tmp_path))
    publisher.statuses.clear()
    check_all(read(source_of(case, publisher, tmp_path))[0])
    # The pages of CVF's papers do not change and are not even asked for.
    assert set(publisher.statuses) == {304}
    assert len(publisher.statuses) == (1 if case.name == "cvf" else case.pages)


def test_what_changed_is_seen(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    install(publisher, case, facts(COUNT))
    read(source_of(case, publisher, tmp_path))
    install(publisher, case, facts(COUNT, changed=(1, 12, 23)))
    papers, _ = read(source_of(case, publisher, tmp_path))
    check_all(papers, changed=() if case.name == "cvf" else (1, 12, 23))


def test_offline_uses_what_is_kept(case: Case, publisher: Publisher, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="--offline"):
        read(source_of(case, publisher, tmp_path, offline=True))
    install(publisher, case, facts(COUNT))
    read(source_of(case, publisher, tmp_path))
    asked = len(publisher.log)
    check_all(read(source_of(case, publisher, tmp_path, offline=True))[0])
    assert len(publisher.log) == asked
