"""`swimmer default`, `remove`, `pack`, `unpack`: what is done with a store as a whole."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from swimmer import Paper, build_store, list_stores, open_store, paper_map, search
from swimmer.errors import (
    InputError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreNotFoundError,
    SwimmerError,
)
from swimmer.store import (
    MANIFEST,
    MAP,
    Manifest,
    StorePool,
    default_name,
    pack_store,
    remove_store,
    set_default,
    unpack_store,
    writing,
)

from .conftest import Outcome
from .manifests import edit_manifest, seal
from .packs import Entry, entries_of, resealed, write_pack

Run = Callable[..., Outcome]


@pytest.fixture
def stores(home: Path, papers: list[Paper]) -> Path:
    """Two stores, `first` older than `second`; returns the folder of both."""
    for name, count in (("first", len(papers)), ("second", 5)):
        build_store(papers[:count], name).close()
    edit_manifest(home / "vectorstores" / "first", created="2020-01-01T00:00:00+00:00")
    return home / "vectorstores"


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


# ---------------------------------------------------------------------- default


def test_the_default_is_searched_when_none_is_named(stores: Path, swimmer: Run) -> None:
    assert swimmer("default").out == "second (the newest)\n"
    assert swimmer("default", "first").out == "first (set with swimmer default)\n"
    assert open_store().name == "first" == StorePool().default() == StorePool().store().name
    assert "first (default)" in swimmer("list").out
    said = [json.loads(line) for line in swimmer("list", "--json").out.splitlines()]
    assert [one["name"] for one in said if one["default"]] == ["first"]
    assert json.loads(swimmer("search", "anything at all", "--json").out)["store"] == "first"
    assert swimmer("default", "--newest").out == "second (the newest)\n"
    assert open_store().name == "second" and "(default)" not in swimmer("list").out


def test_a_default_must_be_a_store_with_a_name(stores: Path, swimmer: Run) -> None:
    done = swimmer("default", "frst")
    assert done.code == 2 and "did you mean first" in done.err
    assert swimmer("default", str(stores / "first")).code == 2
    assert swimmer("default", "first", "--newest").code == 2
    assert default_name() == ""


def test_a_default_that_is_gone_gives_way_to_the_newest(
    stores: Path, caplog: pytest.LogCaptureFixture
) -> None:
    set_default("first")
    (stores / "first" / MANIFEST).unlink()
    assert open_store().name == "second"
    assert "default store first is not here" in caplog.text


@pytest.mark.parametrize("content", [b"", b"../../etc", b"/etc\n", b"\xff\xfe", b"x" * 5000])
def test_a_default_that_swimmer_has_not_written_is_not_followed(
    stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setenv("SWIMMER_HOME", str(tmp_path / "sent"))
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent" / "default_store.txt").write_bytes(content)
    assert open_store().name == "second"


# ---------------------------------------------------------------------- remove


def test_a_store_is_removed_after_a_question(
    stores: Path, swimmer: Run, answer: Callable[[str], None]
) -> None:
    answer("n\n")
    done = swimmer("remove", "second")
    assert done.code == 0 and "5 papers" in done.err and "nothing was deleted" in done.out
    assert (stores / "second" / MANIFEST).is_file()
    answer("y\n")
    done = swimmer("remove", "second")
    assert done.code == 0 and done.out.startswith("deleted second (5 papers,")
    assert not (stores / "second").exists() and (stores / "first").is_dir()
    assert swimmer("remove", "second", "--yes").code == 2


def test_nothing_is_removed_when_nobody_can_answer(
    stores: Path, swimmer: Run, answer: Callable[[str], None]
) -> None:
    answer("")
    done = swimmer("remove", "first")
    assert done.code == 2 and "--yes" in done.err
    assert (stores / "first" / MANIFEST).is_file()


def test_the_removed_store_is_the_default_no_longer(stores: Path, swimmer: Run) -> None:
    set_default("first")
    assert swimmer("remove", "first", "--yes").code == 0
    assert default_name() == "" and open_store().name == "second"


def test_what_is_no_file_of_a_store_stays(stores: Path, tmp_path: Path, swimmer: Run) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("kept")
    folder = stores / "first"
    (folder / "notes.txt").write_text("mine")
    (folder / "model").mkdir()
    (folder / ".build").mkdir()
    if os.name != "nt":
        (folder / MAP).symlink_to(precious)
        (folder / ".build" / "vectors.sqlite").symlink_to(precious)
    done = swimmer("remove", "first", "--yes")
    assert done.code == 0 and "not deleted" in done.err and "notes.txt" in done.err
    assert sorted(path.name for path in folder.iterdir()) == ["model", "notes.txt"]
    assert precious.read_text() == "kept"
    assert "first" not in {info.name for info in list_stores()}


REFUSED = {
    "a path": "./vectorstores/first",
    "two dots": "..",
    "an absolute path": "/etc",
    "an escape": "a\x1b[2J",
    "nothing": "",
    "the sample": "sample",
    "no store": "thesis",
    "a folder elsewhere": "elsewhere",
    "a link": "linked",
    "none of this name": "third",
}


@pytest.mark.skipif(os.name == "nt", reason="links as POSIX has them")
@pytest.mark.parametrize("what", REFUSED)
def test_only_a_store_in_a_folder_of_stores_is_removed(
    what: str, stores: Path, tmp_path: Path, papers: list[Paper], swimmer: Run
) -> None:
    (stores / "thesis").mkdir()
    (stores / "thesis" / "chapter.tex").write_text("years of work")
    build_store(papers[:3], "./elsewhere").close()
    (stores / "linked").symlink_to(stores.parent / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    done = swimmer("remove", REFUSED[what], "--yes")
    assert done.code == 2 and done.err.startswith("error: ") and "\x1b" not in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_store_that_is_being_built_is_not_removed(stores: Path) -> None:
    with writing(stores / "first"), pytest.raises(StoreBusyError):
        # A thread of this process would be let in by the lock, another process is not.
        run = [sys.executable, "-m", "swimmer", "remove", "first", "--yes"]
        done = subprocess.run(run, capture_output=True, text=True)
        assert done.returncode == 2 and (stores / "first" / MANIFEST).is_file()
        raise StoreBusyError(done.stderr)
    assert len(open_store("first")) > 0


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps an open file")
def test_who_reads_a_removed_store_reads_on(stores: Path, papers: list[Paper]) -> None:
    with open_store("first") as reading, open_store("first") as opened:
        assert search(reading, papers[0].title, 3)
        remove_store("first")
        assert len(search(reading, papers[1].title, 3)) == 3
        with pytest.raises(StoreNotFoundError):
            search(opened, papers[0].title, 3)


def test_an_unfinished_build_is_removed(stores: Path, swimmer: Run) -> None:
    folder = stores / "half"
    (folder / ".build").mkdir(parents=True)
    (folder / ".build" / "papers.sqlite").write_bytes(b"x" * 100)
    (folder / ".lock").touch()
    done = swimmer("remove", "half", "--yes")
    assert done.code == 0 and "has not ended" in done.out and not folder.exists()


def test_a_removal_that_fails_at_once_changes_nothing(
    stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith("papers-"):
            raise PermissionError(13, "is open", str(path))
        real(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", held)
        with pytest.raises(StoreError, match=r"papers-.*cannot be deleted"):
            remove_store("first")
    assert open_store("first").verify() == []


# ---------------------------------------------------------------------- pack and unpack


@pytest.fixture
def pack(stores: Path) -> Path:
    return pack_store("first").path


def empty(stores: Path) -> None:
    """Check that nothing was left of what was refused."""
    assert {path.name for path in stores.iterdir()} == {"first", "second"}


def test_a_store_is_handed_on(
    stores: Path, tmp_path: Path, papers: list[Paper], swimmer: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper_map(open_store("first"))
    done = swimmer("pack", "first")
    assert done.code == 0 and done.out.startswith(f"packed first: {len(papers)} papers in first.sw")
    content = Path("first.swimmer.zip").read_bytes()
    assert swimmer("pack", "first", "-o", "again.zip").code == 0
    assert Path("again.zip").read_bytes() == content, "one state is packed to one content"
    monkeypatch.chdir(tmp_path)
    done = swimmer("unpack", "home/again.zip")
    assert done.code == 0 and f"unpacked first: {len(papers)} papers" in done.out
    given, made = (
        open_store(root / "vectorstores" / "first") for root in (stores.parent, tmp_path)
    )
    assert made.verify() == [] and made.manifest == given.manifest
    assert (made.folder / MAP).read_bytes() == (given.folder / MAP).read_bytes()  # type: ignore[operator]
    assert search(made, papers[0].title, 4) == search(given, papers[0].title, 4)
    assert {path.name for path in (tmp_path / "vectorstores").iterdir()} == {"first"}


def test_without_a_name_the_default_is_packed(stores: Path) -> None:
    set_default("first")
    assert pack_store().name == "first"


def test_a_store_is_not_replaced_without_a_word(
    stores: Path, pack: Path, swimmer: Run, answer: Callable[[str], None]
) -> None:
    write_pack(pack, [(str(name).replace("first", "second"), c) for name, c in entries_of(pack)])
    answer("n\n")
    done = swimmer("unpack", pack)
    assert done.code == 2 and "is there already" in done.err and "--name" in done.err
    answer("")
    assert "--force" in swimmer("unpack", pack).err
    with pytest.raises(StoreError, match="is there already"):
        unpack_store(pack)
    reader = open_store("second")
    assert len(reader) == 5
    assert swimmer("unpack", pack, "--force").code == 0
    assert len(reader) == len(open_store("first")) > 5, "who reads it reads the new one"
    assert open_store("second").verify() == []
    assert len(list((stores / "second").glob("papers-*"))) == 1
    assert swimmer("unpack", pack, "--name", "third").code == 0
    assert open_store("third").name == "third"


def test_a_store_that_is_being_built_is_not_replaced(stores: Path, pack: Path) -> None:
    run = [sys.executable, "-m", "swimmer", "unpack", str(pack), "--force"]
    with writing(stores / "first"):
        done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 2 and "another process" in done.stderr
    empty(stores)
    assert open_store("first").verify() == []


def test_a_damaged_store_is_not_packed(stores: Path) -> None:
    path = stores / "first" / Manifest.read(stores / "first").index.name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreDamagedError, match="SHA-256"):
        pack_store("first", "x.zip")
    assert not Path("x.zip").exists()


def test_the_model_and_the_source_are_named(stores: Path, swimmer: Run) -> None:
    edit_manifest(stores / "first", model__name="attacker/model", source="/home/me/list.bib")
    done = swimmer("pack", "first")
    assert "hub" in done.err and "/home/me/list.bib" in done.err
    (stores / "first" / MANIFEST).unlink()
    done = swimmer("unpack", "first.swimmer.zip", "--force")
    assert done.code == 0 and "hub" in done.err, "and it is not loaded"


def test_every_changed_byte_is_seen(stores: Path, pack: Path) -> None:
    content = pack.read_bytes()
    places = {*range(0, len(content), 997), *range(len(content) - 400, len(content)), *range(80)}
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        pack.write_bytes(changed)
        with pytest.raises((StoreDamagedError, InputError)):
            unpack_store(pack, "changed")
    empty(stores)


@pytest.mark.parametrize("size", [0, 1, 30, 92, 93, 500, 5000, -1, -70, -100])
def test_a_truncated_pack_is_refused(stores: Path, pack: Path, size: int) -> None:
    pack.write_bytes(pack.read_bytes()[:size])
    with pytest.raises((StoreDamagedError, InputError)):
        unpack_store(pack, "cut")
    empty(stores)


@pytest.mark.parametrize("what", ["missing.zip", ".", "notes.txt", "other.zip"])
def test_what_is_no_pack_is_named(stores: Path, swimmer: Run, what: str) -> None:
    Path("notes.txt").write_text("no pack " * 50)
    with zipfile.ZipFile("other.zip", "w") as archive:
        archive.writestr("papers.json", "[]")
    done = swimmer("unpack", what)
    assert done.code == 2 and what in done.err


NAMES = [
    "../first/manifest.json",
    "/etc/passwd",
    "first/../../x",
    "first/sub/manifest.json",
    "first\\manifest.json",
    "C:/first/manifest.json",
    "first/MANIFEST.JSON",
    "first/.lock",
    "first/.build/vectors.sqlite",
    "first/index.pkl",
    "first/run.sh",
    "other/manifest.json",
    "first/manifest.json\n",
    "first/\x1b]0;gotcha\x07manifest.json",
    "first/papers-000000000000.sqlite",
    "first/",
    " ",
    ".first/manifest.json",
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("how", ["more", "renamed"])
def test_a_name_that_no_store_has_is_refused(
    stores: Path, pack: Path, swimmer: Run, name: str, how: str
) -> None:
    entries = entries_of(pack)
    for at in range(len(entries)):
        changed = list(entries)
        changed[at : at + (how == "renamed")] = [(name, entries[at][1])]
        write_pack(pack, changed)
        done = swimmer("unpack", pack, "--name", "hostile")
        assert (
            done.code == 2
            and "\x1b" not in done.err
            and "\n" not in done.err.split("hint:")[0][:-1]
        )
    empty(stores)


def test_a_name_with_a_zero_byte_is_refused(stores: Path, pack: Path) -> None:
    content = pack.read_bytes().replace(b"first/manifest.json", b"first/manifest.jso\0")
    pack.write_bytes(resealed(content))
    with pytest.raises(StoreDamagedError, match="which no store has"):
        unpack_store(pack, "zero")
    empty(stores)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_is_there_twice_is_refused(stores: Path, pack: Path) -> None:
    entries = entries_of(pack)
    write_pack(pack, [entries[0], *entries])
    with pytest.raises(StoreDamagedError, match="twice"):
        unpack_store(pack, "twice")
    empty(stores)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(stores: Path, pack: Path, kind: int) -> None:
    entries = entries_of(pack)
    for at, (name, _) in enumerate(entries):
        info = zipfile.ZipInfo(str(name))
        info.create_system, info.external_attr = 3, (kind | 0o777) << 16
        write_pack(pack, [*entries[:at], (info, b"/etc/passwd"), *entries[at + 1 :]])
        with pytest.raises(StoreDamagedError, match="expected a file"):
            unpack_store(pack, "links")
    empty(stores)


def test_a_decompression_bomb_is_refused(stores: Path, pack: Path) -> None:
    """Zeros that the manifest describes rightly: nothing but their number speaks against them."""
    folder = stores / "first"
    index = folder / Manifest.read(folder).index.name
    with index.open("ab") as file:
        file.truncate(64 << 20)
    seal(folder)
    index = folder / Manifest.read(folder).index.name
    small: list[Entry] = [
        (f"first/{path.name}", path.read_bytes())
        for path in (folder / MANIFEST, folder / Manifest.read(folder).database.name)
    ]
    write_pack(pack, [*small, (f"first/{index.name}", index.read_bytes())])
    assert pack.stat().st_size < 1 << 20
    with pytest.raises(StoreDamagedError, match="unfold"):
        unpack_store(pack, "bomb")
    index.unlink()
    (folder / MANIFEST).unlink()
    empty(stores)


def test_a_size_that_the_archive_does_not_keep_is_refused(stores: Path, pack: Path) -> None:
    """The archive says that a file is short, and it unfolds to more."""
    content = bytearray(pack.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (5).to_bytes(4, "little")
    pack.write_bytes(resealed(bytes(content)))
    with pytest.raises(StoreDamagedError):
        unpack_store(pack, "short")
    empty(stores)


def test_a_store_with_crafted_tables_is_refused(stores: Path, pack: Path) -> None:
    import sqlite3

    folder = stores / "first"
    connection = sqlite3.connect(folder / Manifest.read(folder).database.name)
    connection.execute("CREATE VIEW more AS SELECT 1")
    connection.commit()
    connection.close()
    seal(folder)
    with pytest.raises(StoreDamagedError, match="not safe"):
        unpack_store(pack_store("first", "crafted.zip").path, "crafted")
    empty(stores)


def test_what_an_interrupted_process_left_is_removed(stores: Path, pack: Path) -> None:
    left = stores / ".unpack" / "tmpold" / "first"
    left.mkdir(parents=True)
    (left / MANIFEST).write_text("{}")
    assert {info.name for info in list_stores()} == {"first", "second", "sample"}
    unpack_store(pack, "third")
    assert {path.name for path in stores.iterdir()} == {"first", "second", "third"}


def test_an_interrupted_unpacking_leaves_nothing(stores: Path, pack: Path) -> None:
    def stop(stage: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        unpack_store(pack, "third", progress=stop)
    empty(stores)
    with pytest.raises(KeyboardInterrupt):
        pack_store("first", "half.zip", progress=stop)
    assert not list(Path.cwd().glob("*half*"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_changed_pack_is_refused_or_the_same_store(
    stores: Path, pack: Path, data: st.DataObject
) -> None:
    """Whatever is changed, with the digest put right again: an error of ours, or a whole store."""
    content = bytearray(pack.read_bytes())
    near_end = st.integers(max(0, len(content) - 400), len(content) - 1)
    places = st.one_of(near_end, st.integers(0, 80), st.integers(0, len(content) - 1))
    for place, value in data.draw(
        st.lists(st.tuples(places, st.integers(0, 255)), min_size=1, max_size=8)
    ):
        content[place] = value
    changed = pack.with_name("mutated.zip")
    changed.write_bytes(resealed(bytes(content)))
    try:
        unpack_store(changed, "mutated", replace=True)
    except SwimmerError:
        empty(stores)
    else:
        assert open_store("mutated").verify() == []
        remove_store("mutated")
