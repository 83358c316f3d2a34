"""The real publishers, for whoever has a network: SWIMMER_LIVE=1 pytest tests/sources -m live.

With SWIMMER_RECORD=1 as well their answers are recorded anew into `recorded/` (not committed:
abstracts belong to their authors); afterwards the same tests run from the recording.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from swimmer.sources import SourceReport, open_source
from swimmer.sources.http.client import Client
from swimmer.sources.publishers.remote import SourceOptions

LIVE = os.environ.get("SWIMMER_LIVE") == "1"
RECORD = os.environ.get("SWIMMER_RECORD") == "1"
RECORDED = Path(__file__).parent / "recorded"
SOURCES = {
    "virtual": "iclr2025",
    "openreview": "openreview:ICLR.cc/2025/Workshop/SCOPE",
    "openreview-v1": "iclr2019",
    "arxiv": "arxiv:1706.03762,1810.04805v2",
    "acl": "aacl2022",
    "pmlr": "collas2023",
    "cvf": "accv2020",
    "hf": "hf:2025-09-08",
    "s2": "s2:ARXIV:1706.03762",
}


@pytest.mark.live
@pytest.mark.parametrize("name", list(SOURCES))
def test_a_real_publisher(name: str) -> None:
    folder = RECORDED / name
    if not LIVE and not folder.is_dir():
        pytest.skip("asks the real publisher; set SWIMMER_LIVE=1")

    def client() -> Client:
        return Client(folder if RECORD or not LIVE else None, offline=not LIVE, attempts=3)

    report = SourceReport()
    papers = open_source(SOURCES[name], SourceOptions(client=client)).papers(report)
    first = list(itertools.islice(papers, 20))
    assert first
    assert all(paper.title and paper.url.startswith("https://") for paper in first)
    assert sum(bool(paper.abstract) for paper in first) * 10 >= len(first) * 8
    assert all(paper.authors for paper in first)
