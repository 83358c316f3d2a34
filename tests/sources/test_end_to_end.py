"""From a publisher to an answer, and to the answer after three papers changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from swimmer.build.builder import build_store, plan_update, run_build
from swimmer.cli import cli
from swimmer.errors import SourceError
from swimmer.retrieval.query import search
from swimmer.sources import Source, open_source
from swimmer.sources.publishers.remote import SourceOptions
from swimmer.store import open_store
from tests.conftest import Outcome
from tests.sources.cases import CASES, COUNT, Case, facts, install
from tests.sources.publisher import Publisher

CHANGED = (1, 12, 23)


def opened(case: Case, publisher: Publisher, cache: Path, **more: Any) -> Source:
    options = SourceOptions(client=lambda: publisher.client(cache / "pages"), cache=cache, **more)
    return open_source(case.what, options)


def test_build_search_update(
    case: Case, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(publisher, case, facts(COUNT))
    cache, folder = tmp_path / "cache", tmp_path / "stores" / "one"
    store, report = run_build(opened(case, publisher, cache), folder)
    with store:
        assert (report.added, report.embedded) == (COUNT, COUNT)
        hits = search(store, "A Study of Vision Number 1", k=5)
        assert len(hits) == 5
        assert all(hit.paper.title != "A Study of Vision Number 1" for hit in hits)

    # A rebuild from the kept list asks nobody.
    asked = len(publisher.log)
    build_store(opened(case, publisher, cache), tmp_path / "stores" / "two").close()
    build_store(opened(case, publisher, cache, offline=True), tmp_path / "stores" / "3").close()
    assert len(publisher.log) == asked

    # A month later the pages of CVF's papers are asked for again, too.
    monkeypatch.setattr("swimmer.sources.publishers.cvf.KEEP", 0.0)
    papers = facts(COUNT + 2, changed=CHANGED)
    del papers[7]
    install(publisher, case, papers)
    source = opened(case, publisher, cache, fresh=True)
    with open_store(folder) as store:
        plan = plan_update(source, store)
        assert len(store) == COUNT
    assert (plan.added, plan.changed, plan.removed) == (2, 3, 1)
    assert sorted(plan.titles["changed"]) == sorted(
        papers[i if i < 7 else i - 1].title for i in CHANGED
    )
    assert plan.titles["removed"] == ["A Study of Graphs Number 7"]
    asked = len(publisher.log)
    store, report = run_build(source, folder, prune=True)
    with store:
        assert len(publisher.log) == asked, "the plan's list is fetched again"
        assert report.embedded == 5
        assert len(store) == COUNT + 1
        (changed,) = store.papers([store.database.rows_of_key("astudyofvisionnumber1")[0]])
        assert changed.abstract.endswith("A second look says more.")


@pytest.fixture
def command(publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the command line against the local publisher."""
    monkeypatch.setenv("SWIMMER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SWIMMER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def client(options: SourceOptions) -> Any:
        return publisher.client(tmp_path / "cache" / "pages", offline=options.offline)

    monkeypatch.setattr(SourceOptions, "open_client", client)

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(cli, arguments)

    return run


def test_command_line(publisher: Publisher, command: Any) -> None:
    virtual = CASES[0]
    install(publisher, virtual, facts(COUNT))
    built = command("build", "iclr2025", "-q")
    assert built.exit_code == 0, built.output
    assert f"{COUNT:,} added" in built.output
    assert "iclr2025: 35 papers" in built.output
    assert "another presentation of the same paper" in built.output

    again = command("update", "iclr2025", "-q")
    assert "iclr2025 is up to date: 35 papers" in again.output
    assert set(publisher.statuses[-5:]) == {304}

    papers = facts(COUNT, changed=CHANGED)[:-1]
    install(publisher, virtual, papers)
    tried = command("update", "iclr2025", "--dry-run", "-q")
    assert tried.exit_code == 0, tried.output
    assert "changed 3" in tried.output
    assert "  A Study of Vision Number 1\n" in tried.output
    assert "withdrawn 1" in tried.output
    with open_store("iclr2025") as store:
        assert len(store) == COUNT
    done = command("update", "iclr2025", "-q")
    assert "0 added, 3 changed, 31 unchanged, 1 removed" in done.output
    assert "embedded   3" in done.output
    with open_store("iclr2025") as store:
        assert len(store) == COUNT - 1


def test_update_refuses_to_lose_most_papers(publisher: Publisher, command: Any) -> None:
    install(publisher, CASES[0], facts(COUNT))
    assert command("build", "iclr2025", "-q").exit_code == 0
    install(publisher, CASES[0], facts(5))
    refused = command("update", "iclr2025", "-q")
    assert isinstance(refused.exception, SourceError)
    assert "30 of its 35 papers" in str(refused.exception)
    with open_store("iclr2025") as store:
        assert len(store) == COUNT
    forced = command("update", "iclr2025", "-q", "--force")
    assert forced.exit_code == 0, forced.output
    with open_store("iclr2025") as store:
        assert len(store) == 5


def test_update_keeps_withdrawn_when_asked(publisher: Publisher, command: Any) -> None:
    install(publisher, CASES[0], facts(COUNT))
    assert command("build", "iclr2025", "-q").exit_code == 0
    install(publisher, CASES[0], facts(COUNT - 3))
    kept = command("update", "iclr2025", "-q", "--keep-withdrawn")
    assert kept.exit_code == 0, kept.output
    with open_store("iclr2025") as store:
        assert len(store) == COUNT


def test_offline_without_a_list_says_so(publisher: Publisher, command: Any) -> None:
    refused = command("build", "iclr2025", "--offline", "-q")
    assert "--offline" in str(getattr(refused.exception, "hint", ""))
    assert publisher.log == []


def test_a_store_from_a_file_is_updated_from_the_file(command: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("title,abstract\nOne fish,It swims.\nTwo fish,They do.\n")
    assert command("build", str(tmp_path / "mine.csv"), "-q").exit_code == 0
    (tmp_path / "mine.csv").write_text("title,abstract\nOne fish,It swims on.\nTwo fish,They do.\n")
    done = command("update", "mine", "-q")
    assert "0 added, 1 changed, 1 unchanged, 0 removed" in done.output
    (tmp_path / "mine.csv").unlink()
    gone = command("update", "mine", "-q")
    assert isinstance(gone.exception, SourceError) and "--from" in gone.exception.full_text


def test_venues(command: Any, publisher: Publisher, swimmer: Callable[..., Outcome]) -> None:
    install(publisher, CASES[0], facts(COUNT))
    assert command("build", "iclr2025", "-q").exit_code == 0
    shown = command("venues", "iclr")
    assert "* iclr" in shown.output
    assert "built: 2025" in shown.output
    assert "neurips" not in shown.output
    everything = command("venues").output
    for scheme in ("virtual", "pmlr", "acl", "cvf", "openreview", "arxiv", "hf", "s2", "list"):
        assert f"{scheme}:" in everything
    unknown = swimmer("venues", "nurips")
    assert unknown.code == 2
    assert unknown.err.startswith("error: no venue 'nurips'\nhint: ") and "neurips" in unknown.err
