"""Files written whole, read plain; links and devices in a received folder lead nowhere."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer import Paper, build_store, open_store
from swimmer.build.checkpoint import Checkpoint
from swimmer.embeddings.model import Model
from swimmer.errors import StoreDamagedError, StoreError
from swimmer.files import (
    NotPlainFileError,
    check_own,
    digest_of,
    new_file,
    open_plain,
    plain_name,
    read_plain,
    replacing,
    size_of,
    write_file,
)
from swimmer.store.folder import sweep
from swimmer.store.manifest import MANIFEST, Manifest
from swimmer.store.map_file import MAP, KeptMap

from .models import HashEmbeddings

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and FIFOs as POSIX has them")


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]


# ---------------------------------------------------------------------- writing


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"first")
    with pytest.raises(RuntimeError), replacing(path) as stream:
        stream.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    write_file(path, b"second", flush=False)
    assert path.read_bytes() == b"second"
    assert not leftovers(tmp_path)


def test_a_link_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "file"
    victim.write_bytes(b"precious")
    path.symlink_to(victim)
    write_file(path, b"new")
    assert victim.read_bytes() == b"precious"
    assert path.read_bytes() == b"new" and not path.is_symlink()


def test_the_mode_is_kept_and_otherwise_left_to_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_file(tmp_path / "new", b"x")
        (tmp_path / "old").write_bytes(b"x")
        (tmp_path / "old").chmod(0o600)
        write_file(tmp_path / "old", b"y")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o600


def test_no_device_or_folder_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(NotPlainFileError):
            write_file(tmp_path / name, b"x")
    assert not leftovers(tmp_path)


def test_a_long_name_has_a_draft_too(tmp_path: Path) -> None:
    write_file(tmp_path / ("ü" * 120), b"x")
    assert new_file(tmp_path, "..a").name.startswith(".a.")


# ---------------------------------------------------------------------- reading


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Everything that is no file, by what it is."""
    target = tmp_path / "target"
    target.write_bytes(b"x")
    found = {name: tmp_path / name for name in ("a link", "a folder", "a FIFO", "a socket")}
    found["a link"].symlink_to(target)
    found["a folder"].mkdir()
    os.mkfifo(found["a FIFO"])
    here = os.open(tmp_path, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"/proc/self/fd/{here}/a socket" if sys.platform == "linux" else "x")
        yield {**found, "a device": Path("/dev/null")}
    os.close(here)


def test_only_a_file_is_read(odd: dict[str, Path]) -> None:
    for what, path in odd.items():
        for read in (open_plain, size_of, digest_of, lambda p: read_plain(p.parent, p.name, 9)):
            with pytest.raises(NotPlainFileError) as caught:
                read(path)
            assert str(caught.value.strerror) == f"is {what}, expected a file"


def test_a_read_is_bounded_and_stays_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_plain(tmp_path, "file", 5) == b"12345"
    with pytest.raises(ValueError, match="more than 4 bytes"):
        read_plain(tmp_path, "file", 4)
    for name in ("../file", "/etc/passwd", "", ".", "..", "a/b", "a\\b", "C:x", "x\0", "y" * 256):
        assert not plain_name(name)
        with pytest.raises(ValueError, match="not the name"):
            read_plain(tmp_path / "sub", name, 5)


def test_a_file_with_a_second_name_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    check_own(tmp_path / "file")
    check_own(tmp_path / "missing")
    os.link(tmp_path / "file", tmp_path / "other")
    with pytest.raises(NotPlainFileError, match="hard link"):
        check_own(tmp_path / "file")


# ---------------------------------------------------------------------- received stores


@pytest.fixture
def gift(home: Path, papers: list[Paper]) -> Path:
    """A store, and beside it a file that it must not reach."""
    build_store(papers, "gift", model=HashEmbeddings()).close()
    (home / "victim").write_bytes(b"precious")
    folder = open_store("gift").folder
    assert folder is not None
    return folder.resolve()


def changed(folder: Path) -> None:
    build_store([Paper("A new paper on graphs")], folder, model=HashEmbeddings()).close()


def test_links_named_like_drafts_are_not_written_through(gift: Path, home: Path) -> None:
    for pid in range(os.getpid() - 3, os.getpid() + 300):
        for stem in ("manifest.json", "map", "papers", "index", "map.safetensors"):
            (gift / f".{stem}.{pid}.tmp").symlink_to(home / "victim")
    changed(gift)
    assert (home / "victim").read_bytes() == b"precious"
    with open_store(gift) as store:
        assert store.verify() == []
    assert not leftovers(gift)


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder"])
def test_a_lock_that_is_no_file_is_refused(kind: str, gift: Path, home: Path) -> None:
    (gift / ".lock").unlink(missing_ok=True)
    place(kind, gift / ".lock", home / "victim")
    with pytest.raises(StoreDamagedError, match=r"\.lock"):
        changed(gift)
    assert (home / "victim").read_bytes() == b"precious"


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "folder"])
@pytest.mark.parametrize("name", ["vectors.sqlite", "vectors.sqlite-wal", "papers.sqlite", "x"])
def test_a_scratch_folder_with_links_is_refused(
    name: str, kind: str, gift: Path, home: Path
) -> None:
    (gift / ".build").mkdir()
    place(kind, gift / ".build" / name, home / "victim")
    with pytest.raises(StoreDamagedError, match=r"\.build"):
        changed(gift)
    assert (home / "victim").read_bytes() == b"precious"


def test_a_scratch_folder_that_is_a_link_is_refused(gift: Path, home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "papers.sqlite").write_bytes(b"precious")
    (gift / ".build").symlink_to(home / "mine")
    with pytest.raises(StoreDamagedError, match=r"\.build: is a link"):
        changed(gift)
    assert (home / "mine" / "papers.sqlite").read_bytes() == b"precious"


@pytest.mark.parametrize("which", ["database", "index"])
@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
def test_a_data_file_that_is_no_file_is_refused(
    kind: str, which: str, gift: Path, home: Path
) -> None:
    path = gift / getattr(Manifest.read(gift), which).name
    shutil.move(path, home / "moved")
    place(kind, path, home / "moved")
    with pytest.raises(StoreDamagedError, match="expected a file"):
        open_store(gift)


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
@pytest.mark.parametrize("verb", ["search", "verify", "show"])
def test_a_manifest_that_is_no_file_is_refused_at_once(
    verb: str, kind: str, gift: Path, home: Path
) -> None:
    shutil.move(gift / MANIFEST, home / "moved")
    place(kind, gift / MANIFEST, home / "moved")
    arguments = ["-s", f"{gift}/", "graphs"] if verb == "search" else [f"{gift}/"]
    out = subprocess.run(
        [sys.executable, "-m", "swimmer", verb, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert out.returncode == 2, out
    assert "Traceback" not in out.stderr


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "device"])
def test_a_map_that_is_no_file_is_refused(kind: str, gift: Path, home: Path) -> None:
    (home / "moved").write_bytes(b"x")
    place(kind, gift / MAP, home / "moved")
    with pytest.raises(StoreDamagedError, match=MAP):
        KeptMap.read(gift / MAP)


def test_a_checkpoint_with_other_tables_is_started_over(tmp_path: Path) -> None:
    """A view in the place of the vectors could be one without an end."""
    path, model = tmp_path / "vectors.sqlite", Model(HashEmbeddings(), "m")
    digest, vector = b"d" * 16, np.ones(64, np.float32)
    with pytest.raises(RuntimeError), Checkpoint(path, model) as checkpoint:
        checkpoint.keep({digest: (vector, b"")})
        raise RuntimeError
    with Checkpoint(path, model) as checkpoint:
        assert list(checkpoint.find([digest])) == [digest]
    connection = sqlite3.connect(path)
    ((table,),) = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    connection.execute(f"DROP TABLE {table}")
    connection.execute(
        f"CREATE VIEW {table} AS WITH RECURSIVE c(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM c) "
        "SELECT zeroblob(9) AS digest, zeroblob(9) AS vector FROM c"
    )
    connection.commit()
    connection.close()
    with Checkpoint(path, model) as checkpoint:
        assert checkpoint.find([digest]) == {}
        checkpoint.keep({digest: (vector, b"")})


def place(kind: str, path: Path, target: Path) -> None:
    if kind == "link":
        path.symlink_to(target)
    elif kind == "hard link":
        os.link(target, path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")


def test_a_store_in_a_folder_that_is_a_link_is_a_store(gift: Path, home: Path) -> None:
    (home / "short").symlink_to(gift)
    changed(home / "short")
    with open_store(f"{home / 'short'}/") as store:
        assert store.verify() == []


def test_what_is_refused_says_what_it_is(gift: Path, swimmer: Callable[..., Any]) -> None:
    manifest = gift / MANIFEST
    manifest.rename(gift / "other")
    manifest.symlink_to(gift / "other")
    answer = swimmer("show", f"{gift}/")
    assert answer.code == 2 and "is a link, expected a file" in answer.err
    assert isinstance(StoreDamagedError("x"), StoreError)


def test_a_manifest_that_cannot_be_read_now_costs_no_file(
    gift: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails for a moment; the files are those of the manifest all the same."""
    before = sorted(path.name for path in gift.iterdir())

    def failing(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    with monkeypatch.context() as patched:
        patched.setattr("swimmer.files.open_plain", failing)
        sweep(gift)
    assert sorted(path.name for path in gift.iterdir()) == before


def test_the_journal_of_a_killed_writer_is_swept_away(gift: Path) -> None:
    (gift / ".papers.0123456789abcdef.tmp-journal").write_bytes(b"x")
    (gift / ".papers.0123456789abcdef.tmp").write_bytes(b"x")
    sweep(gift)
    assert not [path.name for path in gift.iterdir() if "tmp" in path.name]


def test_a_link_of_the_users_own_stays_and_is_written_to(home: Path, papers: list[Paper]) -> None:
    from swimmer.export import write_text
    from swimmer.library import ReadingList

    (home / "dotfiles").mkdir()
    for name in ("refs.bib", "list.json"):
        (home / name).symlink_to(home / "dotfiles" / f".{name}")
    write_text(home / "refs.bib", "one")
    ReadingList(home / "list.json").add("s", papers[0])
    assert (home / "refs.bib").is_symlink() and (home / "list.json").is_symlink()
    assert (home / "dotfiles" / ".refs.bib").read_text() == "one"
    assert [entry.paper.title for entry in ReadingList(home / "list.json").entries()] == [
        papers[0].title
    ]
