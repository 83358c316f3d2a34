"""`swimmer search` over several stores, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from swimmer.build.builder import build_store
from swimmer.cli import cli
from tests.test_federation import paper


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two stores of the bundled model, papers 5 to 9 in both, and a function that searches."""
    monkeypatch.setenv("SWIMMER_HOME", str(tmp_path))
    stores = tmp_path / "vectorstores"
    build_store([paper(n, "A") for n in range(10)], stores / "a2024").close()
    build_store([paper(n, "B") for n in range(5, 15)], stores / "b2024").close()

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(cli, ["search", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return str(result.output)

    return run


def test_several_stores(search: Any) -> None:
    shown = search(
        "On carp in ponds, report 4", "-s", "a2024", "-s", "b2024", "-k", "14", "--brief"
    )
    assert "20 papers in a2024, b2024, model static" in shown
    assert shown.count("also at") == 5
    assert "similar to On carp in ponds, report 4" in shown
    assert shown == search("On carp in ponds, report 4", "--all", "-k", "14", "--brief")


def test_where_each_hit_is(search: Any) -> None:
    answer = json.loads(search("On carp in ponds, report 4", "--all", "-k", "14", "--json"))
    stores = {hit.get("store") for hit in answer["hits"]}
    assert stores == {"a2024", "b2024"}
