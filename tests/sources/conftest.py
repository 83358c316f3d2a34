"""The stand-in publisher, and where real material lies when it is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import swimmer.sources.publishers.openreview as openreview
from tests.sources.cases import CASES, Case
from tests.sources.publisher import Publisher

SHARED = Path(__file__).resolve().parents[3] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "live: asks the real publisher; runs only with SWIMMER_LIVE=1"
    )


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    yield server
    server.close()


@pytest.fixture(scope="session")
def formats() -> Path:
    folder = SHARED / "formats"
    if not folder.is_dir():
        pytest.skip("the samples of publishers' formats lie beside the repository, not in it")
    return folder


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openreview, "PAGE", 10)


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    value: Case = request.param
    return value
