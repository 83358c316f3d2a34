"""`swimmer inspect`: what a received folder holds, told without trusting any of it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, build_store, open_store
from swimmer.errors import StoreNotFoundError
from swimmer.files import write_file
from swimmer.store import MANIFEST, Manifest, inspect_folder

from .conftest import Outcome
from .manifests import edit_manifest, seal

Run = Callable[..., Outcome]


@pytest.fixture
def folder(home: Path, papers: list[Paper]) -> Path:
    build_store(papers, "gift").close()
    found = open_store("gift").folder
    assert found is not None
    return found


def test_a_good_store_is_described(folder: Path, papers: list[Paper], swimmer: Run) -> None:
    done = swimmer("inspect", folder)
    assert done.code == 0 and "\nsafe: " in done.out
    assert f"{len(papers)}," in done.out and papers[0].title in done.out
    about = json.loads(swimmer("inspect", folder, "--json").out)
    assert about["safe"] and about["model"] == "static" and about["dangers"] == []


def test_it_asks_no_model_and_no_network(folder: Path, swimmer: Run) -> None:
    for name, says in (("attacker/model", "downloaded"), ("/opt/model", "folder /opt/model")):
        edit_manifest(folder, model__name=name, source="https://attacker.org/list.json")
        done = swimmer("inspect", folder)
        assert done.code == 0 and says in done.out and "attacker.org" in done.out
    code = (
        "import sys; from swimmer.cli import main\n"
        "try: main(['inspect', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "assert not {'faiss', 'torch', 'transformers', 'httpx', 'requests'} & set(sys.modules)"
    )
    edit_manifest(folder, model__name="static")
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)


def link(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/etc/passwd")


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def view(folder: Path) -> None:
    connection = sqlite3.connect(folder / Manifest.read(folder).database.name)
    connection.execute("CREATE VIEW more AS SELECT 1")
    connection.commit()
    connection.close()
    seal(folder)


def zeros(folder: Path) -> None:
    path = folder / Manifest.read(folder).index.name
    write_file(path, bytes(path.stat().st_size))
    seal(folder)


def flipped(folder: Path) -> None:
    path = folder / Manifest.read(folder).index.name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    write_file(path, content)


DANGERS: dict[str, Callable[[Path], object]] = {
    "a linked manifest": lambda folder: link(folder / MANIFEST),
    "a linked index": lambda folder: link(folder / Manifest.read(folder).index.name),
    "a database that is a FIFO": lambda folder: fifo(folder / Manifest.read(folder).database.name),
    "a linked lock": lambda folder: link(folder / ".lock"),
    "a linked map": lambda folder: link(folder / "map.safetensors"),
    "a linked scratch folder": lambda folder: link(folder / ".build"),
    "a missing index": lambda folder: (folder / Manifest.read(folder).index.name).unlink(),
    "a view": view,
    "an index of zeros": zeros,
    "a flipped byte": flipped,
    "a wrong field": lambda folder: edit_manifest(folder, papers=-1),
    "more papers than there are": lambda folder: edit_manifest(folder, papers=500),
    "a changed manifest": lambda folder: (folder / MANIFEST).write_text("{}"),
}


@pytest.mark.skipif(os.name == "nt", reason="links and FIFOs as POSIX has them")
@pytest.mark.parametrize("what", DANGERS)
def test_a_danger_is_named(what: str, folder: Path, swimmer: Run) -> None:
    DANGERS[what](folder)
    done = swimmer("inspect", folder)
    assert done.code == 1 and "DANGER" in done.out and "not safe" in done.out
    assert not inspect_folder(folder).safe


def test_what_no_store_needs_is_named(folder: Path, swimmer: Run) -> None:
    (folder / "model").mkdir()
    (folder / "READ\x1b[2JME.sh").write_text("x")
    (folder / ".build").mkdir()
    done = swimmer("inspect", folder)
    assert done.code == 0 and "model: a folder" in done.out and "unfinished build" in done.out
    assert "\x1b" not in done.out


def test_a_folder_that_is_no_store(home: Path, swimmer: Run) -> None:
    assert swimmer("inspect", home / "nowhere").code == 2
    (home / "empty").mkdir()
    assert swimmer("inspect", home / "empty").code == 2
    with pytest.raises(StoreNotFoundError):
        inspect_folder(home / "empty")
