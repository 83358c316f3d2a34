"""Fixtures: a small corpus of our own, a model that needs no weights, a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis.database import InMemoryExampleDatabase

from swimmer import Paper

from .corpus import RECORDS
from .models import HashEmbeddings

REPOSITORY = Path(__file__).parent.parent
SHARED = REPOSITORY.parent / "shared"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A job in the background of a shell ignores Ctrl-C, and so would the processes that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
# How long an example may take says nothing of a machine that others use too.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
if not os.access(REPOSITORY, os.W_OK):
    # Hypothesis warns where it cannot keep its examples, and a warning is an error here.
    read_only = InMemoryExampleDatabase()
    settings.register_profile("read-only checkout", deadline=None, database=read_only)
    settings.load_profile("read-only checkout")


def writable_copy(source: Path, target: Path) -> Path:
    """Copy a folder of the checkout, which may be one that cannot be written."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return target


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped without it."""
    if not (SHARED / "corpora").is_dir():
        pytest.skip(f"needs the project's real data in {SHARED.name}/ beside the checkout")
    return SHARED


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of its own for every test, with no store in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("SWIMMER_HOME", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def records() -> list[dict[str, Any]]:
    """The small corpus as records of a JSON list."""
    return [dict(record) for record in RECORDS]


@pytest.fixture
def papers(records: list[dict[str, Any]]) -> list[Paper]:
    """The small corpus as papers."""
    return [
        Paper(**{**r, "authors": tuple(r["authors"]), "keywords": tuple(r["keywords"])})
        for r in records
    ]


@pytest.fixture
def model() -> HashEmbeddings:
    """A deterministic model without weights."""
    return HashEmbeddings()


@pytest.fixture
def corpus_file(home: Path, records: list[dict[str, Any]]) -> Path:
    """The small corpus as a JSON list on disk."""
    path = home / "papers.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


class Outcome(NamedTuple):
    """What a command line printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def swimmer(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """Run the command line in this process: `swimmer("search", "TITLE")`."""
    from swimmer.cli import main

    def run(*args: str | os.PathLike[str]) -> Outcome:
        capsys.readouterr()
        try:
            main([os.fspath(arg) for arg in args])
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 1
        else:  # pragma: no cover
            raise AssertionError("main() must exit")
        out, err = capsys.readouterr()
        assert "Traceback" not in err, err
        return Outcome(code, out, err)

    yield run


@pytest.fixture(scope="session")
def sample_store() -> Path:
    """The folder of the bundled sample store."""
    from swimmer.store.names import bundled_sample

    return bundled_sample()
