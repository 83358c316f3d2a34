"""The page about sources: its adapter runs as it is printed, its names open."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from swimmer.sources import SourceReport, open_source
from swimmer.sources.publishers.remote import SourceOptions
from swimmer.sources.registry import ADAPTERS, adapters
from tests.sources.publisher import Publisher, Question, Reply

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")


def test_the_adapter_of_the_page_works(publisher: Publisher, monkeypatch: Any) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(compile(code, "docs/sources.md", "exec"), namespace)
    adapter = namespace["FishConference"]()

    def route(question: Question) -> Reply:
        page = int(question.query["page"])
        papers = [{"title": f"Fish {page}{n}", "abstract": "Of fish."} for n in range(2)]
        return Reply(json.dumps({"papers": papers, "more": page < 3}).encode())

    publisher.serve(route)
    hosts = {"fish.example.org": publisher.url}
    options = SourceOptions(client=lambda: publisher.client(hosts=hosts))
    source = adapter.open("fishconf2020", options)
    papers = list(source.papers(SourceReport()))
    assert [p.title for p in papers] == [
        "Fish 10",
        "Fish 11",
        "Fish 20",
        "Fish 21",
        "Fish 30",
        "Fish 31",
    ]
    assert (papers[0].venue, papers[0].year) == ("FishConf", 2020)
    assert (source.name, source.origin) == ("fishconf2020", "fish:fishconf2020")


def test_every_source_stands_on_the_page() -> None:
    rows = re.findall(r"^\| `([a-z0-9]+)` \|.*\| (.*) \|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == list(adapters())
    assert len(rows) == len(ADAPTERS)
    for _, examples in rows:
        for example in re.findall(r"`([^`]+)`", examples):
            if "…" not in example and "@" not in example:
                assert open_source(example, SourceOptions(client=lambda: None)).name  # type: ignore[arg-type,return-value]
